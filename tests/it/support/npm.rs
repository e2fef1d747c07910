//! Packages of npm, each fetched once into the user's cache, as Envoy is.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of `name` in that version, fetched with what it needs.
pub fn package(name: &str, version: &str) -> PathBuf {
    let folder = cache().join(format!("{}--{version}", name.replace(['@', '/'], "-")));
    let there = folder.join("node_modules").join(name);
    if folder.join(".complete").is_file() {
        return there;
    }
    eprintln!("fetching {name} {version} from npm, once");
    // Several processes may do this at once: each installs for itself, the first to finish names it.
    let fresh = folder.with_extension(format!("{}.part", std::process::id()));
    install(&fresh, &format!("{name}@{version}"));
    std::fs::write(fresh.join(".complete"), b"").expect("a mark");
    if std::fs::rename(&fresh, &folder).is_err() {
        std::fs::remove_dir_all(&fresh).expect("a folder of ours");
    }
    assert!(there.is_dir(), "{} is not there", there.display());
    there
}

fn install(folder: &Path, package: &str) {
    std::fs::create_dir_all(folder).expect("a folder in the cache");
    let mut command = Command::new("npm");
    command.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save"]);
    command.arg("--prefix").arg(folder).arg(package).stdin(Stdio::null());
    let output = command.output().expect("npm: install it, it fetches what pages are tested with");
    assert!(output.status.success(), "npm: {}", String::from_utf8_lossy(&output.stderr));
}

fn cache() -> PathBuf {
    let base = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME")) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, Some(home)) => Path::new(&home).join(".cache"),
        (None, None) => std::env::temp_dir(),
    };
    base.join("lictor")
}
