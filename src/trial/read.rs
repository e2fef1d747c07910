//! A file of policy tests, key by key.

use crate::config::{Config, Environment, load_directory};
use crate::document::{Entry, Node, Place, Problem, Problems, Section, Value, nearest};
use crate::identity::Directory;
use crate::policy::{DenyReason, Reason};
use crate::state::Snapshot;
use crate::supposition::{CASE_KEYS, Supposition, read as read_question};
use crate::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::path::Path;

/// A file of tests, ready to run.
#[derive(Debug)]
pub struct Suite {
    pub cases: Vec<Case>,
    pub snapshot: Snapshot,
}

/// One question with the answer it should have.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    pub place: Place,
    pub question: Supposition,
    pub expected: Expected,
}

/// What is expected of an answer.
#[derive(Debug)]
pub struct Expected {
    pub outcome: Wanted,
    pub reasons: Vec<Reason>,
    pub route: Option<String>,
    /// With policies in dry run enforced too.
    pub would: Option<Wanted>,
}

/// An outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Allow,
    /// Refused, for whatever reason.
    Deny,
    /// Refused with this code.
    Code(&'static str),
}

const FILE_KEYS: [&str; 6] = ["cases", "config", "now", "policy", "route", "settings"];
const EXPECT_KEYS: [&str; 5] = ["expect", "name", "reason", "route", "would"];
impl Wanted {
    pub(super) fn fits(self, denied: Option<&DenyReason>) -> bool {
        match (self, denied) {
            (Self::Allow, denied) => denied.is_none(),
            (Self::Deny, denied) => denied.is_some(),
            (Self::Code(code), denied) => denied.is_some_and(|denied| denied.code() == code),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "allow" => Some(Self::Allow),
            "deny" => Some(Self::Deny),
            "login" => Some(Self::Code("unauthenticated")),
            code => DenyReason::CODES.into_iter().find(|known| *known == code).map(Self::Code),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Code(code) => code,
        })
    }
}

impl Suite {
    /// Reads a file of tests. `default_config` is asked where it names no configuration.
    ///
    /// # Errors
    /// All problems, each with its place: of the tests, and of the configuration.
    pub fn read(
        document: &Node,
        file: &Path,
        default_config: Option<&Path>,
        now: Timestamp,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let suite = Section::open(document, "", &mut problems).and_then(|section| {
            section.refuse_unknown(&FILE_KEYS, &mut problems);
            let cases = cases(&section, now, &mut problems);
            let config = config(&section, file, default_config, &mut problems)?;
            let directory = directory(&config, section.place(), &mut problems);
            Some(Self { cases, snapshot: Snapshot::assemble(config, directory) })
        });
        match (suite, problems.into_parts().0) {
            (Some(suite), problems) if problems.is_empty() => Ok(suite),
            (_, problems) => Err(problems),
        }
    }
}

fn directory(config: &Config, place: &Place, problems: &mut Problems) -> Directory {
    let loaded = config.directory.as_deref().map(load_directory).transpose();
    loaded.map_or_else(
        |why| {
            problems.push(Problem::new("bad_directory", place, why));
            Directory::default()
        },
        Option::unwrap_or_default,
    )
}

/// The configuration that is asked: a file, or one route written here that serves every host.
fn config(
    section: &Section<'_>,
    file: &Path,
    default_config: Option<&Path>,
    problems: &mut Problems,
) -> Option<Config> {
    let inline = ["policy", "route", "settings"].iter().any(|key| section.node(key).is_some());
    let named = section.text("config", problems);
    let loaded = match (named, inline) {
        (Some(_), true) => {
            let place = section.place_of("config");
            let message =
                "`config` names a configuration, and `policy`, `route` or `settings` is one";
            problems.push(Problem::new("bad_value", place, message).help("keep one or the other"));
            return None;
        }
        (None, true) if written_twice(section, problems) => return None,
        (None, true) => Config::of_document(&one_route(section), file),
        (Some(name), false) => {
            let base = file.parent().unwrap_or(Path::new(""));
            Config::load(&base.join(name), &Environment::of_process())
        }
        (None, false) => match default_config {
            Some(path) => Config::load(path, &Environment::of_process()),
            None => {
                let message = "the tests name no configuration";
                problems.push(Problem::new("missing_field", section.place(), message).help(
                    "write `config: lictor.yaml`, give `--config FILE`, or put a `policy` here",
                ));
                return None;
            }
        },
    };
    match loaded {
        Ok(config) => Some(config),
        Err(found) => {
            for problem in found {
                problems.push(problem);
            }
            None
        }
    }
}

/// Whether `settings` has routes too, which would be asked instead of the one written here.
fn written_twice(section: &Section<'_>, problems: &mut Problems) -> bool {
    let settings = section.node("settings").and_then(Node::entries).unwrap_or_default();
    let routes = settings.iter().find(|entry| matches!(entry.key.as_str(), "policy" | "routes"));
    if let Some(entry) = routes {
        let message = format!("`settings` cannot hold `{}`", entry.key);
        let problem = Problem::new("bad_value", &entry.place, message);
        problems.push(problem.help("write the one route under `policy` and `route`"));
    }
    routes.is_some()
}

/// `settings`, and one route with `route` and `policy`.
fn one_route(section: &Section<'_>) -> Node {
    let place = section.place();
    let entry = |key: &str, value: Value| Entry {
        key: key.to_owned(),
        place: place.clone(),
        node: Node::new(value, place.clone()),
    };
    let own = |key: &str| section.node(key).and_then(Node::entries).unwrap_or_default().to_vec();
    let mut route = own("route");
    route.extend(section.entry("policy").cloned());
    if !route.iter().any(|entry| entry.key == "from") {
        route.push(entry("from", Value::Text("https://*".to_owned())));
    }
    let mut settings = own("settings");
    let secret = |entry: &Entry| entry.key.starts_with("shared_secret");
    if !settings.iter().any(secret) {
        settings.push(entry("shared_secret", Value::Text(momentary_secret())));
    }
    let routes = vec![Node::new(Value::Map(route), place.clone())];
    settings.push(entry("routes", Value::List(routes)));
    Node::new(Value::Map(settings), place.clone())
}

/// A shared secret for a configuration that nobody else ever sees.
fn momentary_secret() -> String {
    let halves = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
    let bytes: Vec<u8> = halves.iter().flat_map(uuid::Uuid::as_bytes).copied().collect();
    STANDARD.encode(bytes)
}

fn cases(section: &Section<'_>, now: Timestamp, problems: &mut Problems) -> Vec<Case> {
    let now = match section.text("now", problems).map(str::parse::<jiff::Timestamp>) {
        None => now,
        Some(Ok(instant)) => Timestamp::from_unix(instant.as_second()),
        Some(Err(_)) => {
            let problem = Problem::new("bad_value", section.place_of("now"), "`now` is no instant");
            problems.push(problem.help("write it as `2026-01-31T08:00:00Z`"));
            now
        }
    };
    match section.node("cases").map(|node| &node.value) {
        Some(Value::List(items)) if !items.is_empty() => {
            items.iter().filter_map(|item| case(item, now, problems)).collect()
        }
        _ => {
            let place = section.place_of("cases");
            problems.push(
                Problem::new("missing_field", place, "there are no `cases`")
                    .help("begin each with `- request: GET https://app.example.com/`"),
            );
            Vec::new()
        }
    }
}

fn case(item: &Node, now: Timestamp, problems: &mut Problems) -> Option<Case> {
    let section = Section::open(item, "cases[]", problems)?;
    let known: Vec<&str> = CASE_KEYS.into_iter().chain(EXPECT_KEYS).collect();
    section.refuse_unknown(&known, problems);
    let question = read_question(&section, now, problems);
    let outcome = wanted(&section, "expect", problems);
    if section.node("expect").is_none() {
        let problem = Problem::new("missing_field", section.place(), "the case expects nothing");
        problems.push(problem.help("write `expect: allow` or `expect: deny`"));
    }
    let would = wanted(&section, "would", problems);
    let reasons = reasons(&section, problems);
    let text = |key: &str, problems: &mut Problems| section.text(key, problems).map(str::to_owned);
    let name = text("name", problems).unwrap_or_else(|| name(&section));
    let expected = Expected { outcome: outcome?, reasons, route: text("route", problems), would };
    Some(Case { name, place: section.place().clone(), question: question?, expected })
}

/// A case without a name is called by what it asks.
fn name(section: &Section<'_>) -> String {
    let written = |key: &str| {
        section.node(key).map(|node| match &node.value {
            Value::Text(text) => text.clone(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) => {
                node.to_flow()
            }
        })
    };
    let who = written("as").unwrap_or_else(|| "anonymous".to_owned());
    format!("{} as {who}", written("request").unwrap_or_default())
}

fn wanted(section: &Section<'_>, key: &str, problems: &mut Problems) -> Option<Wanted> {
    let text = section.text(key, problems)?;
    let wanted = Wanted::parse(text);
    if wanted.is_none() {
        let known: Vec<&str> =
            ["allow", "deny", "login"].into_iter().chain(DenyReason::CODES).collect();
        let help = nearest(text, &known).map_or_else(
            || format!("known: {}", known.join(", ")),
            |name| format!("did you mean `{name}`?"),
        );
        let message = format!("`{text}` is no outcome");
        problems.push(Problem::new("bad_value", section.place_of(key), message).help(help));
    }
    wanted
}

fn reasons(section: &Section<'_>, problems: &mut Problems) -> Vec<Reason> {
    let names = section.texts("reason", problems).unwrap_or_default();
    let known: Vec<&str> = Reason::all().map(Reason::name).collect();
    let mut reasons = Vec::with_capacity(names.len());
    for name in names {
        if let Some(reason) = Reason::named(&name) {
            reasons.push(reason);
            continue;
        }
        let help = nearest(&name, &known).map_or_else(
            || "`lictor policy explain` names the reasons".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("`{name}` is no reason");
        problems.push(Problem::new("bad_value", section.place_of("reason"), message).help(help));
    }
    reasons
}
