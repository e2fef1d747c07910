//! Reading a map key by key, collecting every problem on the way: wrong types, unknown keys (with
//! the nearest known name), values out of range.

use super::{Entry, Node, Place, Problem, Problems, Value};
use crate::time::{DurationError, parse_duration};
use std::collections::BTreeMap;
use std::time::Duration;

/// A map being read. Every accessor takes a key; what is left over at the end is unknown.
#[derive(Debug)]
pub struct Section<'a> {
    name: String,
    place: Place,
    entries: &'a [Entry],
}

impl<'a> Section<'a> {
    /// Opens `node` as a map called `name` in messages. `None` and a problem if it is no map.
    pub fn open(node: &'a Node, name: &str, problems: &mut Problems) -> Option<Self> {
        if let Some(entries) = node.entries() {
            return Some(Self { name: name.to_owned(), place: node.place.clone(), entries });
        }
        let help = "write `key: value` below it, or `{key: value}`";
        problems.push(wrong_type(node, name, "a map").help(help));
        None
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Where the value of `key` stands, or the map itself if it has none.
    pub fn place_of(&self, key: &str) -> &Place {
        self.node(key).map_or(&self.place, |node| &node.place)
    }

    pub fn entries(&self) -> &'a [Entry] {
        self.entries
    }

    pub fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of `key`. A key without a value counts as absent.
    pub fn node(&self, key: &str) -> Option<&'a Node> {
        let node = &self.entry(key)?.node;
        (!matches!(node.value, Value::Null)).then_some(node)
    }

    /// The key with what stands above it, as messages call it: `downstream_mtls.ca`.
    pub fn full_name(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    pub fn text(&self, key: &str, problems: &mut Problems) -> Option<&'a str> {
        let node = self.node(key)?;
        text_of(node, &self.full_name(key), problems)
    }

    pub fn bool(&self, key: &str, problems: &mut Problems) -> Option<bool> {
        let node = self.node(key)?;
        match &node.value {
            Value::Bool(value) => Some(*value),
            Value::Text(text) if text == "true" => Some(true),
            Value::Text(text) if text == "false" => Some(false),
            Value::Null | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
                problems.push(
                    wrong_type(node, &self.full_name(key), "true or false")
                        .help("write `true` or `false`; `yes` and `on` are text in YAML 1.2"),
                );
                None
            }
        }
    }

    pub fn integer(&self, key: &str, problems: &mut Problems) -> Option<u64> {
        let node = self.node(key)?;
        let parsed = match &node.value {
            Value::Number(super::Number::Integer(value)) => u64::try_from(*value).ok(),
            Value::Text(text) => text.parse().ok(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) => {
                None
            }
        };
        if parsed.is_none() {
            let wrong = wrong_type(node, &self.full_name(key), "a whole number, 0 or more");
            problems.push(wrong.help("write the number in digits, such as `1`"));
        }
        parsed
    }

    pub fn duration(&self, key: &str, problems: &mut Problems) -> Option<Duration> {
        let node = self.node(key)?;
        if let Value::Number(number) = &node.value {
            if *number == super::Number::Integer(0) {
                return Some(Duration::ZERO);
            }
            problems.push(
                Problem::new(
                    "bad_duration",
                    &node.place,
                    format!("`{}`: `{number}` has no unit", self.full_name(key)),
                )
                .help(DurationError::HELP),
            );
            return None;
        }
        let text = text_of(node, &self.full_name(key), problems)?;
        match parse_duration(text) {
            Ok(duration) => Some(duration),
            Err(error) => {
                problems.push(
                    Problem::new(
                        "bad_duration",
                        &node.place,
                        format!("`{}`: {error}", self.full_name(key)),
                    )
                    .help(DurationError::HELP),
                );
                None
            }
        }
    }

    /// A list of texts; a single text counts as a list of one.
    pub fn texts(&self, key: &str, problems: &mut Problems) -> Option<Vec<String>> {
        let node = self.node(key)?;
        let name = self.full_name(key);
        let texts = texts_of(node, &name, problems);
        if texts.iter().any(String::is_empty) {
            let problem =
                Problem::new("bad_value", &node.place, format!("`{name}` has an empty element"));
            problems.push(problem.help("remove it; an empty text would match what is not there"));
        }
        Some(texts)
    }

    /// A map from text to text.
    pub fn text_map(
        &self,
        key: &str,
        problems: &mut Problems,
    ) -> Option<BTreeMap<String, (String, Place)>> {
        let node = self.node(key)?;
        let section = Section::open(node, &self.full_name(key), problems)?;
        let mut map = BTreeMap::new();
        for entry in section.entries() {
            let name = section.full_name(&entry.key);
            if let Some(text) = scalar_text(&entry.node) {
                map.insert(entry.key.clone(), (text, entry.place.clone()));
            } else {
                problems.push(wrong_type(&entry.node, &name, "text").help("put it in quotes"));
            }
        }
        Some(map)
    }

    /// Ends the reading: every key that is not in `known` is a problem, with the nearest known name.
    pub fn refuse_unknown(&self, known: &[&str], problems: &mut Problems) {
        for entry in self.entries {
            if !known.contains(&entry.key.as_str()) {
                problems.push(self.unknown(entry, known));
            }
        }
    }

    /// The problem of an unknown key.
    pub fn unknown(&self, entry: &Entry, known: &[&str]) -> Problem {
        let full = self.full_name(&entry.key);
        let problem = Problem::new("unknown_key", &entry.place, format!("unknown key `{full}`"));
        match nearest(&entry.key, known) {
            Some(name) => problem.help(format!("did you mean `{name}`?")),
            None => problem.help("remove it, or run `lictor config schema` for the list of keys"),
        }
    }
}

/// The known name closest to `given`, if one is close enough to be a slip of the hand.
pub fn nearest<'k>(given: &str, known: &[&'k str]) -> Option<&'k str> {
    let lower = given.to_ascii_lowercase();
    let scored = known.iter().map(|name| (strsim::damerau_levenshtein(&lower, name), *name));
    let (distance, name) = scored.min()?;
    (distance <= 1 + given.len() / 4).then_some(name)
}

fn wrong_type(node: &Node, name: &str, wanted: &str) -> Problem {
    Problem::new(
        "wrong_type",
        &node.place,
        format!("`{name}` must be {wanted}, not {}", node.value.kind()),
    )
}

fn text_of<'a>(node: &'a Node, name: &str, problems: &mut Problems) -> Option<&'a str> {
    if let Value::Text(text) = &node.value {
        return Some(text);
    }
    problems.push(wrong_type(node, name, "text").help("put it in quotes"));
    None
}

fn scalar_text(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null => Some(String::new()),
        Value::List(_) | Value::Map(_) => None,
    }
}

fn texts_of(node: &Node, name: &str, problems: &mut Problems) -> Vec<String> {
    match &node.value {
        Value::Text(text) => vec![text.clone()],
        Value::List(items) => {
            let mut texts = Vec::with_capacity(items.len());
            for item in items {
                match &item.value {
                    Value::Text(text) => texts.push(text.clone()),
                    Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::List(_)
                    | Value::Map(_) => {
                        problems.push(
                            wrong_type(item, &format!("{name}[]"), "text").help("put it in quotes"),
                        );
                    }
                }
            }
            texts
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Map(_) => {
            problems.push(wrong_type(node, name, "a list of texts").help("write it as `[a, b]`"));
            Vec::new()
        }
    }
}
