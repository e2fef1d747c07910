//! Everything that is logged, while a test listens. Only what happens on the thread that listens is
//! heard: use a runtime of one thread.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use tracing::subscriber::{DefaultGuard, set_default};
use tracing::{Dispatch, Level};
use tracing_subscriber::fmt::MakeWriter;

/// What was heard so far.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<Vec<u8>>>);

/// Listens until the guard is let go.
pub fn listen() -> (DefaultGuard, Heard) {
    // With one listener alone, what another thread says first is heard by nobody from then on.
    static ANOTHER: OnceLock<Dispatch> = OnceLock::new();
    ANOTHER.get_or_init(|| Dispatch::new(tracing_subscriber::registry()));
    let heard = Heard::default();
    let format = tracing_subscriber::fmt().json().flatten_event(true).with_max_level(Level::TRACE);
    (set_default(format.with_writer(heard.clone()).finish()), heard)
}

impl Heard {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("unpoisoned").clone()).expect("UTF-8")
    }

    /// The lines of decisions.
    pub fn decisions(&self) -> Vec<serde_json::Value> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        lines.filter(|line: &serde_json::Value| line["message"] == "authorize check").collect()
    }
}

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Heard {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}
