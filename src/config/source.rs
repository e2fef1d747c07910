//! Where settings come from: the file, the environment, and the files they name. The only room that
//! reads either.

use super::keys::{GLOBAL_KEYS, Key, Kind, MTLS_KEYS, STORAGE_KEYS};
use crate::document::{
    Entry, LoadError, Node, Notice, Place, Problem, Problems, Section, Value, load_json, load_yaml,
};
use crate::identity::{Directory, Group, User};
use crate::policy::{Language, Policy, compile};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::path::Path;

/// Environment variables, as a value.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(variables.into_iter().collect())
    }

    /// The variables of this process.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn of_process() -> Self {
        Self::new(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// The document in `file` with the environment laid over it.
pub(super) fn read(file: &Path, environment: &Environment) -> Result<Node, Problem> {
    let name = file.display().to_string();
    let text = read_text(file).map_err(|error| {
        Problem::new(
            "unreadable_file",
            &Place::whole(&name),
            format!("cannot read the configuration: {error}"),
        )
        .help("name an existing file with `--config FILE`")
    })?;
    let document = match load_yaml(&text, &name) {
        Err(LoadError { code: "empty_document", place, .. }) => {
            Node::new(Value::Map(Vec::new()), place)
        }
        Err(error) => return Err(error.into_problem()),
        Ok(node) => node,
    };
    overlay(document, environment)
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads files")]
pub(super) fn read_text(file: &Path) -> Result<String, std::io::Error> {
    std::fs::read_to_string(file)
}

pub(super) fn overlay(mut document: Node, environment: &Environment) -> Result<Node, Problem> {
    let place = document.place.clone();
    let Value::Map(entries) = &mut document.value else {
        return Ok(document);
    };
    overlay_map(entries, GLOBAL_KEYS, "", environment)?;
    for (key, keys) in [("downstream_mtls", MTLS_KEYS), ("storage", STORAGE_KEYS)] {
        let mut inside = Vec::new();
        let prefix = format!("{}_", key.to_ascii_uppercase());
        overlay_map(&mut inside, keys, &prefix, environment)?;
        if !inside.is_empty() {
            put_inside(entries, key, inside, place.clone());
        }
    }
    Ok(document)
}

/// Puts `inside` into the map under `key`, which is made if it is not there.
fn put_inside(entries: &mut Vec<Entry>, key: &str, inside: Vec<Entry>, place: Place) {
    entries.retain(|entry| entry.key != key || !matches!(entry.node.value, Value::Null));
    match entries.iter_mut().find(|entry| entry.key == key) {
        None => {
            let node = Node::new(Value::Map(inside), place.clone());
            entries.push(Entry { key: key.to_owned(), place, node });
        }
        Some(entry) => {
            if let Value::Map(entries) = &mut entry.node.value {
                entries.retain(|entry| inside.iter().all(|other| other.key != entry.key));
                entries.extend(inside);
            }
        }
    }
}

/// Lays variables, called as `keys` with `prefix`, over the entries of a map.
fn overlay_map(
    entries: &mut Vec<Entry>,
    keys: &'static [Key],
    prefix: &str,
    environment: &Environment,
) -> Result<(), Problem> {
    for key in super::used(keys) {
        let variable = if key.name == "set_response_headers" {
            "HEADERS".to_owned()
        } else {
            format!("{prefix}{}", key.name.to_ascii_uppercase())
        };
        let Some(text) = environment.get(&variable) else {
            continue;
        };
        let place = Place::whole(&format!("environment variable {variable}"));
        let node = from_variable(text, key.kind, &place)?;
        entries.retain(|entry| entry.key != key.name);
        entries.push(Entry { key: key.name.to_owned(), place, node });
    }
    Ok(())
}

/// Lists are comma-separated, maps are JSON, lists of maps are base64 of YAML.
fn from_variable(text: &str, kind: Kind, place: &Place) -> Result<Node, Problem> {
    let bad = |error: LoadError| Problem::new(error.code, place, error.message);
    let moved = |node: Node| Node::new(node.value, place.clone());
    match kind {
        Kind::Text | Kind::Bool | Kind::Integer | Kind::Duration => {
            Ok(Node::new(Value::Text(text.to_owned()), place.clone()))
        }
        Kind::Texts => {
            let items = text
                .split(',')
                .map(|item| Node::new(Value::Text(item.trim().to_owned()), place.clone()));
            Ok(Node::new(Value::List(items.collect()), place.clone()))
        }
        Kind::TextMap | Kind::Map if text.trim_start().starts_with('{') => {
            load_json(text, place.source()).map(moved).map_err(bad)
        }
        Kind::TextMap | Kind::Map => Ok(Node::new(Value::Text(text.to_owned()), place.clone())),
        Kind::List => {
            let decoded =
                STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let yaml = decoded.ok_or_else(|| {
                Problem::new("bad_value", place, "the value is not base64 of YAML")
                    .help("encode the list with `base64 -w0`")
            })?;
            load_yaml(&yaml, place.source()).map_err(bad)
        }
    }
}

/// A value given inline or by a file, the file winning; with where it came from.
pub(super) fn value_or_file(
    section: &Section<'_>,
    key: &str,
    base: &Path,
    problems: &mut Problems,
) -> Option<(String, Place)> {
    let file_key = format!("{key}_file");
    let Some(file) = section.text(&file_key, problems) else {
        let text = section.text(key, problems)?;
        return Some((text.to_owned(), section.node(key)?.place.clone()));
    };
    let path = base.join(file);
    match read_text(&path) {
        Ok(text) => Some((text.trim().to_owned(), Place::whole(&path.display().to_string()))),
        Err(error) => {
            let place = &section.node(&file_key)?.place;
            problems.push(
                Problem::new(
                    "unreadable_file",
                    place,
                    format!("cannot read `{}`: {error}", path.display()),
                )
                .help(format!("make `{file_key}` name a file that this process may read")),
            );
            None
        }
    }
}

/// Reads a file that holds one policy in the policy language.
///
/// # Errors
/// All problems, in the order of the file.
pub fn load_policy(file: &Path) -> Result<(Policy, Vec<Notice>), Vec<Problem>> {
    let name = file.display().to_string();
    let text = read_text(file).map_err(|error| {
        let message = format!("cannot read the policy: {error}");
        let problem = Problem::new("unreadable_file", &Place::whole(&name), message);
        vec![problem.help("name an existing file")]
    })?;
    let document = load_yaml(&text, &name).map_err(|error| vec![error.into_problem()])?;
    let mut problems = Problems::default();
    let policy = compile(&document, Language::TEXT, &mut problems);
    let (problems, notices) = problems.into_parts();
    if problems.is_empty() { Ok((policy, notices)) } else { Err(problems) }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct DirectoryDocument {
    #[serde(default)]
    users: Vec<User>,
    #[serde(default)]
    groups: Vec<Group>,
}

/// Reads a directory file: JSON or YAML with `users` and `groups`.
///
/// # Errors
/// A text that names what is wrong: unreadable, not of the shape, or not a directory.
pub fn load_directory(path: &Path) -> Result<Directory, String> {
    read_directory(&read_text(path).map_err(|error| error.to_string())?)
}

/// Reads a directory that is no file: the same text.
///
/// # Errors
/// As [`load_directory`].
pub fn read_directory(text: &str) -> Result<Directory, String> {
    let DirectoryDocument { users, groups } =
        serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    Directory::new(users, groups).map_err(|error| error.to_string())
}

/// The users of such a file, also those without an e-mail address.
///
/// # Errors
/// As [`load_directory`].
pub fn load_users(path: &Path) -> Result<Vec<User>, String> {
    let text = read_text(path).map_err(|error| error.to_string())?;
    let DirectoryDocument { users, groups } =
        serde_yaml::from_str(&text).map_err(|error| error.to_string())?;
    Directory::new(users.clone(), groups).map_err(|error| error.to_string())?;
    Ok(users)
}
