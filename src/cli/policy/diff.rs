//! `lictor policy diff`: who gains and who loses access between two configurations.

mod json;
mod text;

use crate::cli::{Exit, Format, check, report};
use crate::clock::{Clock, SystemClock};
use crate::comparison::{Both, Circumstances, Comparison, Crowd, Side, compare};
use crate::config::{Config, Environment, load_directory, load_users};
use crate::identity::{Directory, User};
use crate::policy::Language;
use crate::state::Snapshot;
use crate::time::Timestamp;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// So many names are shown in a list on standard error.
const SHOWN: usize = 10;
/// Variables that take the place of what a file says, and so of what is compared.
const REPLACING: [&str; 7] = [
    "CASE_INSENSITIVE_EMAIL",
    "DATA_SOURCES",
    "DEFAULT_POLICY",
    "DIRECTORY",
    "POLICIES",
    "POLICY",
    "ROUTES",
];

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor policy diff old.yaml lictor.yaml --people people.yaml

Asked about: everybody in the directory of either file, whom --people and --accounts name, and anonymous. What no made-up request can say, such as headers, is held still; standard error tells where rules that differ ask about it.
Exit codes: 0 nothing changes, 3 a file does not load, 4 somebody gains or loses access.")]
pub(in crate::cli) struct Diff {
    /// The configuration in force
    old: PathBuf,
    /// The configuration to come
    new: PathBuf,
    /// More people, in a file like the directory's; a directory that knows them counts
    #[arg(long, value_name = "FILE")]
    people: Option<PathBuf>,
    /// Service accounts, in a file like the directory's
    #[arg(long, value_name = "FILE")]
    accounts: Option<PathBuf>,
    /// The address that requests come from; without it, none is known
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<IpAddr>,
    /// When they come, as `2026-01-31T08:00:00Z`; now, if absent
    #[arg(long, value_name = "INSTANT")]
    now: Option<jiff::Timestamp>,
    /// Show every name and every line
    #[arg(long)]
    all: bool,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A configuration that was read.
struct Loaded {
    snapshot: Snapshot,
    language: Language,
    any_port: bool,
}

impl Diff {
    pub(in crate::cli) fn run(&self) -> Exit {
        let environment = Environment::of_process();
        // Both are read, so that all problems are told at once.
        let loaded = Both { old: &self.old, new: &self.new }.map(|file| load(file, &environment));
        let more = (self.more_people(), self.accounts());
        let (Both { old: Some(old), new: Some(new) }, (Some(people), Some(accounts))) =
            (loaded, more)
        else {
            return Exit::Invalid;
        };
        let loaded = Both { old, new };
        let directories = loaded.as_ref().map(|side| side.snapshot.directory.as_ref());
        let crowd = Crowd::gather(directories, &people, &accounts);
        let now = self.now.map(|now| Timestamp::from_unix(now.as_second()));
        let now = now.unwrap_or_else(|| SystemClock.now());
        let circumstances = Circumstances { ip: self.ip, now };
        let sides = loaded.as_ref().map(|side| Side {
            settings: &side.snapshot.settings,
            table: side.snapshot.table(),
            language: side.language,
            any_port: side.any_port,
        });
        let comparison = compare(sides, &crowd, circumstances);
        tell_limits(&comparison, circumstances, &environment);
        let told = Told { comparison: &comparison, crowd: &crowd };
        let files = Both { old: self.old.as_path(), new: self.new.as_path() };
        match self.format {
            Format::Text => text::write(told, self.all),
            Format::Json => json::write(told, circumstances, files),
        }
        if comparison.differences.is_empty() { Exit::Ok } else { Exit::Denied }
    }

    fn more_people(&self) -> Option<Directory> {
        let file = self.people.as_deref();
        file.map_or_else(|| Some(Directory::default()), |file| used(load_directory(file), file))
    }

    fn accounts(&self) -> Option<Vec<User>> {
        let file = self.accounts.as_deref();
        file.map_or_else(|| Some(Vec::new()), |file| used(load_users(file), file))
    }
}

/// What is to be written.
#[derive(Clone, Copy)]
struct Told<'t> {
    comparison: &'t Comparison<'t>,
    crowd: &'t Crowd,
}

/// `None` if something is wrong, which has been told.
fn load(file: &Path, environment: &Environment) -> Option<Loaded> {
    let config = match Config::load(file, environment) {
        Ok(config) => config,
        Err(problems) => {
            check::tell(&problems, file);
            return None;
        }
    };
    let directory = match &config.directory {
        None => Directory::default(),
        Some(people) => used(load_directory(people), people)?,
    };
    let (language, any_port) = (config.stored.language, config.stored.any_port);
    Some(Loaded { snapshot: Snapshot::assemble(config, directory), language, any_port })
}

fn used<T>(loaded: Result<T, String>, file: &Path) -> Option<T> {
    loaded
        .map_err(|error| {
            let message = format!("cannot use `{}`: {error}", file.display());
            report::error(&message, Some("name a YAML or JSON file with `users` and `groups`"));
        })
        .ok()
}

/// What the comparison cannot know, on standard error.
fn tell_limits(
    comparison: &Comparison<'_>,
    circumstances: Circumstances,
    environment: &Environment,
) {
    for (aspect, routes) in &comparison.held_still {
        let routes: Vec<String> = routes.iter().map(|id| format!("`{id}`")).collect();
        note(&format!(
            "rules that differ ask about `{}`, judged {}: {}",
            aspect.name(),
            circumstances.assumption(*aspect),
            text::listed(&routes, SHOWN),
        ));
    }
    for route in &comparison.unprobed {
        note(&format!("`{}` ({}) is left out: {}", route.id, route.places.join(", "), route.why));
    }
    for name in REPLACING.iter().filter(|name| environment.get(name).is_some()) {
        report::warning(&format!("the variable {name} takes the place of what both files say"));
    }
}

fn note(message: &str) {
    report::say(&format!("note: {}", report::printable(message)));
}
