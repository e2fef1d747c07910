//! `directory`: people and groups, from a file or from a URL.

use super::source::load_directory;
use crate::document::{Problem, Problems, Section};
use crate::provider::DirectoryUrl;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where people and groups come from: one of the two, or neither.
#[derive(Debug, Default)]
pub(super) struct ReadDirectory {
    pub(super) file: Option<PathBuf>,
    pub(super) url: Option<DirectoryUrl>,
}

const EXAMPLE: &str =
    "write `directory: {file: PATH}`, or `directory: {url: https://…, refresh: 5m}`";
const DEFAULT_REFRESH: Duration = Duration::from_mins(5);
const SHORTEST: Duration = Duration::from_secs(1);

pub(super) fn read(section: &Section<'_>, base: &Path, problems: &mut Problems) -> ReadDirectory {
    let inner =
        section.node("directory").and_then(|node| Section::open(node, "directory", problems));
    let Some(inner) = inner else {
        return ReadDirectory::default();
    };
    inner.refuse_unknown(&["file", "refresh", "url"], problems);
    match (inner.node("file"), inner.node("url")) {
        (Some(_), None) => {
            if inner.node("refresh").is_some() {
                let place = inner.place_of("refresh");
                let message = "`directory.refresh` has no use with `file`";
                problems.push(
                    Problem::new("idle_key", place, message)
                        .help("remove it; the file is read again when it changes"),
                );
            }
            ReadDirectory { file: file(&inner, base, problems), url: None }
        }
        (None, Some(_)) => ReadDirectory { file: None, url: url(&inner, problems) },
        (Some(_), Some(_)) => {
            let message = "`directory` has both `file` and `url`";
            problems.push(Problem::new("bad_value", inner.place(), message).help("remove one"));
            ReadDirectory::default()
        }
        (None, None) => {
            let message = "`directory` needs `file` or `url`";
            problems.push(Problem::new("missing_field", inner.place(), message).help(EXAMPLE));
            ReadDirectory::default()
        }
    }
}

fn file(inner: &Section<'_>, base: &Path, problems: &mut Problems) -> Option<PathBuf> {
    let path = base.join(inner.text("file", problems)?);
    if let Err(error) = load_directory(&path) {
        let message = format!("cannot use `{}`: {error}", path.display());
        problems.push(
            Problem::new("bad_directory", inner.place_of("file"), message)
                .help("name a YAML or JSON file with `users` and `groups`"),
        );
    }
    Some(path)
}

fn url(inner: &Section<'_>, problems: &mut Problems) -> Option<DirectoryUrl> {
    let text = inner.text("url", problems)?;
    let refresh = inner.duration("refresh", problems).unwrap_or(DEFAULT_REFRESH);
    if refresh < SHORTEST {
        let message = "`directory.refresh` is shorter than a second";
        problems.push(
            Problem::new("bad_value", inner.place_of("refresh"), message)
                .help("write how often to ask, such as `5m`"),
        );
    }
    let url = DirectoryUrl::new(text, refresh);
    if url.is_none() {
        let message = "`directory.url` is not an https URL without user and password";
        problems.push(Problem::new("bad_value", inner.place_of("url"), message).help(
            "write it as `https://people.example.com/directory.json`; `http` is for this machine",
        ));
    }
    url
}
