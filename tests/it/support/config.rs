//! Configurations from text.

use lictor::config::{Config, Environment};
use lictor::document::Problem;
use lictor::identity::Directory;
use lictor::state::Snapshot;
use std::path::Path;

/// `AAEC…`: bytes 0 to 31.
pub const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Loads `text`, given a shared secret unless it has one, from a file called `lictor.yaml`.
pub fn load(text: &str, folder: &Path) -> Result<Config, Vec<Problem>> {
    let file = folder.join("lictor.yaml");
    std::fs::write(&file, text).expect("writes");
    let secret = ("SHARED_SECRET".to_owned(), SECRET.to_owned());
    let given = text.contains("shared_secret");
    Config::load(&file, &Environment::new((!given).then_some(secret)))
}

/// The problems of `text`.
pub fn load_problems(text: &str) -> Vec<Problem> {
    let folder = tempfile::tempdir().expect("a folder");
    load(text, folder.path()).err().unwrap_or_default()
}

/// What a server would decide by, from `text`.
pub fn snapshot_of(text: &str) -> Snapshot {
    snapshot_with(text, Directory::default())
}

/// The same, with a directory.
pub fn snapshot_with(text: &str, directory: Directory) -> Snapshot {
    let folder = tempfile::tempdir().expect("a folder");
    match load(text, folder.path()) {
        Ok(config) => Snapshot::assemble(config, directory),
        Err(problems) => panic!("{problems:#?}\n{text}"),
    }
}
