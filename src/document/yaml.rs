//! Text → [`Node`]. YAML 1.2 core schema as Pomerium reads it: `yes` and `on` are text, an unquoted
//! date becomes `…T00:00:00Z`, anchors and merge keys work; duplicate keys, keys that are no text,
//! infinities and a second document are refused. What an alias may expand to is bounded.

use super::scalar::resolve;
use super::{Entry, Node, Number, Place, Problem, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use std::collections::HashMap;
use std::sync::Arc;

/// Why a text is not a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LoadError {
    /// `empty_document`, `multiple_documents`, `yaml_syntax`, `yaml_duplicate_key`,
    /// `yaml_non_string_key` or `json_syntax`.
    pub code: &'static str,
    pub place: Place,
    pub message: String,
}

impl LoadError {
    /// As a problem, with what to do about it.
    pub fn into_problem(self) -> Problem {
        let help = match self.code {
            "yaml_duplicate_key" => "keep one of the two",
            "multiple_documents" => "keep one document; a second would be ignored",
            "yaml_non_string_key" => "put the key in quotes",
            "empty_document" => "write at least one key",
            "json_syntax" => "check commas, quotes and brackets",
            _ => {
                "check the indentation, and put text with `: ` or a leading `{`, `[`, `*`, `&` or `@` in quotes"
            }
        };
        Problem::new(self.code, &self.place, self.message).help(help)
    }
}

const MAX_BYTES: usize = 16 * 1024 * 1024;
const MAX_DEPTH: usize = 64;
/// How many values aliases and merge keys may add in one document.
const MAX_COPIED: usize = 1_000_000;

/// Reads one YAML document. `source` names the file in places.
///
/// # Errors
/// A [`LoadError`] with the place, if the text is no single YAML document.
pub fn load_yaml(text: &str, source: &str) -> Result<Node, LoadError> {
    load_yaml_within(text, source, MAX_COPIED)
}

/// The same for a document of somebody else's: aliases and merge keys may add so many values.
///
/// # Errors
/// As [`load_yaml`].
pub fn load_yaml_within(text: &str, source: &str, copies: usize) -> Result<Node, LoadError> {
    let source: Arc<str> = source.into();
    if text.len() > MAX_BYTES {
        return Err(error(
            "yaml_syntax",
            &Place::whole(&source),
            "the document is larger than 16 MiB",
        ));
    }
    let mut builder = Builder::new(source, copies);
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => builder.take(event, span)?,
            Err(scan) => {
                let marker = scan.marker();
                let place = Place::new(&builder.source, marker.line(), marker.col() + 1);
                return Err(error("yaml_syntax", &place, scan.info().to_owned()));
            }
        }
    }
    builder.finish()
}

/// Reads one JSON text. Of a repeated member the last wins, as in Go. Places carry no line.
///
/// # Errors
/// A [`LoadError`] with line and column, if the text is not JSON.
pub fn load_json(text: &str, source: &str) -> Result<Node, LoadError> {
    let source: Arc<str> = source.into();
    if text.trim().is_empty() {
        return Err(error("empty_document", &Place::new(&source, 1, 1), "the document is empty"));
    }
    let value: serde_json::Value = serde_json::from_str(text).map_err(|bad| {
        error("json_syntax", &Place::new(&source, bad.line(), bad.column()), bad.to_string())
    })?;
    Ok(from_json(value, &Place::whole(&source)))
}

fn from_json(value: serde_json::Value, place: &Place) -> Node {
    let value = match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::Number(number) => Value::Number(match number.as_i64() {
            Some(integer) => Number::Integer(integer.into()),
            None => Number::Float(number.as_f64().unwrap_or(0.0)),
        }),
        serde_json::Value::String(text) => Value::Text(text),
        serde_json::Value::Array(items) => {
            Value::List(items.into_iter().map(|item| from_json(item, place)).collect())
        }
        serde_json::Value::Object(members) => Value::Map(
            members
                .into_iter()
                .map(|(key, value)| Entry {
                    key,
                    place: place.clone(),
                    node: from_json(value, place),
                })
                .collect(),
        ),
    };
    Node::new(value, place.clone())
}

pub(super) fn error(code: &'static str, place: &Place, message: impl Into<String>) -> LoadError {
    LoadError { code, place: place.clone(), message: message.into() }
}

/// A collection whose end has not been seen yet.
enum Open {
    List {
        items: Vec<Node>,
        place: Place,
        anchor: usize,
    },
    Map {
        entries: Vec<Entry>,
        lines: HashMap<String, usize>,
        key: Option<Key>,
        merges: Vec<Node>,
        place: Place,
        anchor: usize,
    },
}

enum Key {
    Text(String, Place),
    Merge,
}

struct Builder {
    source: Arc<str>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    copied: usize,
    /// At most so many may be copied.
    copies: usize,
    documents: usize,
    root: Option<Node>,
}

impl Builder {
    fn new(source: Arc<str>, copies: usize) -> Self {
        Self {
            source,
            open: Vec::new(),
            anchors: HashMap::new(),
            copied: 0,
            copies,
            documents: 0,
            root: None,
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), LoadError> {
        let place = Place::new(&self.source, span.start.line(), span.start.col() + 1);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(error(
                        "multiple_documents",
                        &place,
                        "a second document begins here",
                    ));
                }
                Ok(())
            }
            Event::Alias(anchor) => {
                let node = self.copy(anchor, &place)?;
                self.add(node, 0)
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, tag.as_deref(), anchor, place)
            }
            Event::SequenceStart(anchor, _) => {
                self.push(Open::List { items: Vec::new(), place: place.clone(), anchor }, &place)
            }
            Event::MappingStart(anchor, _) => {
                let map = Open::Map {
                    entries: Vec::new(),
                    lines: HashMap::new(),
                    key: None,
                    merges: Vec::new(),
                    place: place.clone(),
                    anchor,
                };
                self.push(map, &place)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
        }
    }

    fn push(&mut self, open: Open, place: &Place) -> Result<(), LoadError> {
        if let Some(Open::Map { key: None, .. }) = self.open.last() {
            return Err(error("yaml_non_string_key", place, "a key must be text"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(error("yaml_syntax", place, "the document is nested more than 64 deep"));
        }
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self) -> Result<(), LoadError> {
        match self.open.pop() {
            Some(Open::List { mut items, place, anchor }) => {
                items.shrink_to_fit();
                self.add(Node::new(Value::List(items), place), anchor)
            }
            Some(Open::Map { mut entries, merges, place, anchor, .. }) => {
                for merge in merges {
                    merge_into(&mut entries, merge)?;
                }
                entries.shrink_to_fit();
                self.add(Node::new(Value::Map(entries), place), anchor)
            }
            None => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        anchor: usize,
        place: Place,
    ) -> Result<(), LoadError> {
        let forced_text = tag.is_some_and(|tag| tag.suffix == "str");
        let plain = style == ScalarStyle::Plain && !forced_text;
        if let Some(Open::Map { key: key @ None, .. }) = self.open.last_mut() {
            if plain && text == "<<" {
                *key = Some(Key::Merge);
                return Ok(());
            }
            if plain && !matches!(resolve(text, &place)?, Value::Text(_)) {
                return Err(error(
                    "yaml_non_string_key",
                    &place,
                    format!("the key `{text}` is not text"),
                ));
            }
            *key = Some(Key::Text(text.to_owned(), place));
            return Ok(());
        }
        let value = if plain { resolve(text, &place)? } else { Value::Text(text.to_owned()) };
        self.add(Node::new(value, place), anchor)
    }

    fn copy(&mut self, anchor: usize, place: &Place) -> Result<Node, LoadError> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(error("yaml_syntax", place, "an alias refers to itself"));
        };
        if self.open.len() + depth(node) > MAX_DEPTH {
            return Err(error("yaml_syntax", place, "the document is nested more than 64 deep"));
        }
        self.copied += size(node);
        if self.copied > self.copies {
            let why = format!("aliases expand to more than {} values", self.copies);
            return Err(error("yaml_syntax", place, &why));
        }
        Ok(node.clone())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), LoadError> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, lines, key, merges, .. }) => match key.take() {
                None => {
                    return Err(error("yaml_non_string_key", &node.place, "a key must be text"));
                }
                Some(Key::Merge) => merges.push(node),
                Some(Key::Text(text, place)) => {
                    let line = place.line().unwrap_or_default();
                    if let Some(first) = lines.insert(text.clone(), line) {
                        let message = format!(
                            "the key `{text}` is given twice; the first is on line {first}"
                        );
                        return Err(error("yaml_duplicate_key", &place, message));
                    }
                    entries.push(Entry { key: text, place, node });
                }
            },
        }
        Ok(())
    }

    fn finish(self) -> Result<Node, LoadError> {
        let empty = Place::new(&self.source, 1, 1);
        self.root.ok_or_else(|| error("empty_document", &empty, "the document is empty"))
    }
}

fn merge_into(entries: &mut Vec<Entry>, merge: Node) -> Result<(), LoadError> {
    match merge.value {
        Value::Map(more) => {
            for entry in more {
                if !entries.iter().any(|have| have.key == entry.key) {
                    entries.push(entry);
                }
            }
            Ok(())
        }
        Value::List(items) => items.into_iter().try_for_each(|item| merge_into(entries, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
            Err(error("yaml_syntax", &merge.place, "`<<` must refer to a map or a list of maps"))
        }
    }
}

/// How deep a value is nested. Bounded by what has been let in.
fn depth(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Map(entries) => {
            1 + entries.iter().map(|entry| depth(&entry.node)).max().unwrap_or_default()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => 0,
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(items) => items.iter().map(size).sum(),
        Value::Map(entries) => entries.iter().map(|entry| size(&entry.node)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => 0,
    }
}

#[cfg(test)]
mod tests;
