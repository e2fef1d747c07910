//! A file of records: a list of values, each with its place. JSON is read one record after the other,
//! so that a million of them need no tree; YAML is read as every document is.

use crate::document::{Place, Problem, Value, load_yaml};
use crate::identity::ClaimValue;
use crate::policy::claim_value;
use std::path::Path;
use std::sync::Arc;

/// One element of the list.
pub(super) struct Item {
    pub(super) value: ClaimValue,
    pub(super) place: Place,
}

const JSON_HELP: &str = "write one JSON list of maps, with each name once in a map";

type Items<'t> = Box<dyn Iterator<Item = Result<Item, Problem>> + 't>;

/// The elements of the list in `text`, and nothing after the first problem. The file is JSON if its
/// name says so.
pub(super) fn items<'t>(text: &'t str, path: &Path) -> Items<'t> {
    let source = path.display().to_string();
    if path.extension().is_some_and(|kind| kind.eq_ignore_ascii_case("json")) {
        return Box::new(Json {
            text,
            source: source.into(),
            line: 1,
            column: 1,
            stands: Stands::Before,
        });
    }
    match yaml(text, &source) {
        Ok(items) => Box::new(items.map(Ok)),
        Err(problem) => Box::new(std::iter::once(Err(problem))),
    }
}

fn not_a_list(place: &Place, found: &str) -> Problem {
    let message = format!("the file must hold a list of maps, not {found}");
    Problem::new("wrong_type", place, message).help("write one map for each record, in a list")
}

fn yaml(text: &str, source: &str) -> Result<impl Iterator<Item = Item> + use<>, Problem> {
    let root = load_yaml(text, source).map_err(|error| match error.place.line() {
        Some(_) => error.into_problem(),
        None => Problem::new(error.code, &error.place, error.message)
            .help("write so many records as JSON, in a file whose name ends in `.json`"),
    })?;
    let Value::List(nodes) = root.value else {
        return Err(not_a_list(&root.place, root.value.kind()));
    };
    Ok(nodes.into_iter().map(|node| Item { value: claim_value(&node), place: node.place }))
}

/// A JSON list being read.
struct Json<'t> {
    /// What has not been read yet.
    text: &'t str,
    source: Arc<str>,
    line: usize,
    column: usize,
    stands: Stands,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stands {
    Before,
    Within,
    After,
}

impl Iterator for Json<'_> {
    type Item = Result<Item, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = match self.stands {
            Stands::Before => self.first(),
            Stands::Within => self.another(),
            Stands::After => return None,
        };
        if !matches!(item, Ok(Some(_))) {
            self.stands = Stands::After;
        }
        item.transpose()
    }
}

impl Json<'_> {
    fn first(&mut self) -> Result<Option<Item>, Problem> {
        match self.peek() {
            Some('[') => {}
            Some('{') => return Err(not_a_list(&self.place(), "a map")),
            Some(_) => return Err(not_a_list(&self.place(), "a single value")),
            None => return Err(not_a_list(&self.place(), "nothing")),
        }
        self.stands = Stands::Within;
        self.advance(1);
        if self.peek() == Some(']') { self.end() } else { self.item().map(Some) }
    }

    fn another(&mut self) -> Result<Option<Item>, Problem> {
        match self.peek() {
            Some(',') => {
                self.advance(1);
                self.item().map(Some)
            }
            Some(']') => self.end(),
            Some(_) => Err(self.syntax("`,` or `]` must come here")),
            None => Err(self.syntax("the list has no end")),
        }
    }

    fn end(&mut self) -> Result<Option<Item>, Problem> {
        self.advance(1);
        match self.peek() {
            None => Ok(None),
            Some(_) => Err(self.syntax("nothing may come after the list")),
        }
    }

    fn item(&mut self) -> Result<Item, Problem> {
        let _ = self.peek();
        let place = self.place();
        let mut values = serde_json::Deserializer::from_str(self.text).into_iter();
        let value = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) => return Err(self.unreadable(&error)),
            None => return Err(self.syntax("the list has no end")),
        };
        let length = values.byte_offset();
        self.advance(length);
        Ok(Item { value, place })
    }

    /// What comes next, white space left out.
    fn peek(&mut self) -> Option<char> {
        let space = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
        let length = self.text.find(|c| !space(c)).unwrap_or(self.text.len());
        self.advance(length);
        self.text.chars().next()
    }

    fn advance(&mut self, length: usize) {
        let (read, rest) = self.text.split_at_checked(length).unwrap_or((self.text, ""));
        for c in read.chars() {
            self.column = if c == '\n' { 1 } else { self.column + 1 };
            self.line += usize::from(c == '\n');
        }
        self.text = rest;
    }

    fn place(&self) -> Place {
        Place::new(&self.source, self.line, self.column)
    }

    fn syntax(&self, message: &str) -> Problem {
        Problem::new("json_syntax", &self.place(), message).help(JSON_HELP)
    }

    /// An error inside a record, which counts lines and columns from where the record begins.
    fn unreadable(&self, error: &serde_json::Error) -> Problem {
        let before = if error.line() > 1 { 0 } else { self.column - 1 };
        let line = self.line + error.line().saturating_sub(1);
        let place = Place::new(&self.source, line, (before + error.column()).max(1));
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        Problem::new("json_syntax", &place, message).help(JSON_HELP)
    }
}
