//! `storage`: where sessions, known people and the activity log are kept.

use super::keys::{self, STORAGE_KEYS};
use super::source::value_or_file;
use crate::advice::Advice;
use crate::document::{Place, Problem, Problems, Section};
use crate::store::{ConnectionString, Kept, StorageSettings};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Beside the configuration, so that a laptop needs no setting.
const DEFAULT_FILE: &str = "lictor.db";

/// The keys of Pomerium's that say the same.
const FOREIGN: &str = "databroker_storage_type";
const FOREIGN_STRING: &str = "databroker_storage_connection_string";
const FOREIGN_STRING_FILE: &str = "databroker_storage_connection_string_file";

/// What the file says of storage.
#[derive(Default)]
pub(super) struct ReadStorage {
    /// `None` with a problem.
    pub(super) settings: Option<StorageSettings>,
    /// Every file that was named, readable or not.
    pub(super) files: Vec<PathBuf>,
}

impl ReadStorage {
    pub(super) fn read(section: &Section<'_>, base: &Path, problems: &mut Problems) -> Self {
        let mut reader = Reader { base, problems, files: Vec::new() };
        let settings = match section.node("storage") {
            Some(node) => Section::open(node, "storage", reader.problems)
                .and_then(|inner| reader.own(section, &inner)),
            None => reader.foreign(section).map(StorageSettings::new),
        };
        Self { settings, files: reader.files }
    }
}

struct Reader<'r> {
    base: &'r Path,
    problems: &'r mut Problems,
    files: Vec<PathBuf>,
}

impl Reader<'_> {
    /// Reads `storage`, besides which nothing else may say where records are kept.
    fn own(&mut self, section: &Section<'_>, inner: &Section<'_>) -> Option<StorageSettings> {
        keys::check(inner, STORAGE_KEYS, self.problems);
        for key in [FOREIGN, FOREIGN_STRING, FOREIGN_STRING_FILE] {
            if section.node(key).is_some() {
                let message = format!("`storage` and `{key}` are both given");
                let problem = Problem::new("given_twice", section.place_of(key), message);
                self.problems.push(problem.help(format!("remove `{key}`")));
            }
        }
        let kept = self.kept(inner);
        let lookup_timeout = self.time(inner, "lookup_timeout", StorageSettings::LOOKUP_TIMEOUT);
        let timeout = self.time(inner, "timeout", StorageSettings::TIMEOUT);
        let max_staleness = inner.duration("max_staleness", self.problems);
        let max_staleness = max_staleness.unwrap_or(StorageSettings::MAX_STALENESS);
        Some(StorageSettings { kept: kept?, lookup_timeout, timeout, max_staleness })
    }

    fn kept(&mut self, inner: &Section<'_>) -> Option<Kept> {
        match inner.text("type", self.problems).unwrap_or("sqlite") {
            "sqlite" => {
                self.refuse(inner, &["connection_string", "connection_string_file"], "postgres");
                self.file(inner).map(Kept::InFile)
            }
            "postgres" => {
                self.refuse(inner, &["path"], "sqlite");
                self.connection_string(inner, "connection_string").map(Kept::InPostgres)
            }
            "memory" => {
                self.refuse(inner, &["connection_string", "connection_string_file"], "postgres");
                self.refuse(inner, &["path"], "sqlite");
                Some(Kept::InMemory)
            }
            other => {
                self.unknown_type(inner, "type", other, "`sqlite`, `postgres` or `memory`");
                None
            }
        }
    }

    /// Reads the keys of Pomerium's.
    fn foreign(&mut self, section: &Section<'_>) -> Option<Kept> {
        let in_file = || Kept::InFile(self.base.join(DEFAULT_FILE));
        let string = [FOREIGN_STRING, FOREIGN_STRING_FILE].map(|key| section.node(key));
        let kept = match section.text(FOREIGN, self.problems) {
            Some("postgres") => {
                return self.connection_string(section, FOREIGN_STRING).map(Kept::InPostgres);
            }
            None | Some("file") => in_file(),
            Some("memory") => Kept::InMemory,
            Some(other) => {
                self.unknown_type(section, FOREIGN, other, "`postgres`, `file` or `memory`");
                return None;
            }
        };
        if let Some(node) = string.into_iter().flatten().next() {
            let message = format!("`{FOREIGN_STRING}` is used with `{FOREIGN}: postgres` only");
            self.problems.notice(Advice::NotUsed, &node.place, message);
        }
        Some(kept)
    }

    fn unknown_type(&mut self, section: &Section<'_>, key: &str, other: &str, known: &str) {
        let name = section.full_name(key);
        // It may be a connection string at the wrong place.
        let word = other.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let shown = if word { other } else { "…" };
        let message = format!("`{name}` cannot be `{shown}`");
        let place = if word { section.place_of(key).clone() } else { whole(section) };
        self.problems.push(Problem::new("bad_value", &place, message).help(format!("use {known}")));
    }

    /// Keys that belong to another type.
    fn refuse(&mut self, inner: &Section<'_>, keys: &[&str], kind: &str) {
        for key in keys {
            if inner.node(key).is_some() {
                let name = inner.full_name(key);
                let message = format!("`{name}` is for `type: {kind}`");
                let help = format!("write `type: {kind}`, or remove `{name}`");
                // A password may stand on the line.
                let problem = Problem::new("bad_value", &whole(inner), message);
                self.problems.push(problem.help(help));
            }
        }
    }

    fn file(&mut self, inner: &Section<'_>) -> Option<PathBuf> {
        let Some(node) = inner.node("path") else {
            return Some(self.base.join(DEFAULT_FILE));
        };
        let text = inner.text("path", self.problems)?;
        if text.contains("://") {
            let message = "`storage.path` is a URL, not the path of a file";
            let help = "write `type: postgres` and put it into `connection_string`";
            let problem = Problem::new("bad_value", &whole(inner), message);
            self.problems.push(problem.help(help));
            return None;
        }
        let path = self.base.join(text);
        let folder = path.parent().unwrap_or(Path::new(""));
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let (why, help) = if text.is_empty() || path.is_dir() {
            (format!("`storage.path`: `{text}` is not the path of a file"), "name a file")
        } else if folder.is_dir() {
            return Some(path);
        } else {
            let folder = folder.display();
            let why = format!("`storage.path`: there is no folder `{folder}`");
            (why, "make the folder, or name a file in one that is there")
        };
        self.problems.push(Problem::new("bad_path", &node.place, why).help(help));
        None
    }

    /// The string under `key`, or in the file that is named there.
    fn connection_string(&mut self, section: &Section<'_>, key: &str) -> Option<ConnectionString> {
        let (name, file_key) = (section.full_name(key), format!("{key}_file"));
        if section.node(key).is_none() && section.node(&file_key).is_none() {
            let message = format!("`{name}` is missing");
            let help = format!(
                "write it as `postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full`, or name a file that holds it with `{file_key}`"
            );
            let problem = Problem::new("missing_field", section.place(), message);
            self.problems.push(problem.help(help));
            return None;
        }
        if let Some(file) = section.text(&file_key, &mut Problems::default()) {
            self.files.push(self.base.join(file));
        }
        let (text, place) = value_or_file(section, key, self.base, self.problems)?;
        match ConnectionString::parse(&text) {
            Ok(string) => Some(string),
            Err(error) => {
                let problem = Problem::new("bad_value", &place, format!("`{name}`: {error}"));
                self.problems.push(problem.help(error.help()));
                None
            }
        }
    }

    /// A length of time that is not nothing.
    fn time(&mut self, inner: &Section<'_>, key: &str, default: Duration) -> Duration {
        match inner.duration(key, self.problems) {
            Some(Duration::ZERO) => {
                let message = format!("`{}` must be longer than nothing", inner.full_name(key));
                let problem = Problem::new("bad_duration", inner.place_of(key), message);
                self.problems.push(problem.help("leave it out for the default"));
                default
            }
            given => given.unwrap_or(default),
        }
    }
}

/// A place without a line that could be shown.
fn whole(section: &Section<'_>) -> Place {
    Place::whole(section.place().source())
}
