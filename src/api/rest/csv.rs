//! What the API lists, as tables: which columns a message has, and a thing as a line of them.

use crate::api::descriptor::{Holds, descriptors};
use crate::csv::record;
use serde_json::Value;

/// A column: its name, and the way to it in the JSON of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    name: String,
    pointer: String,
}

/// How deep columns are looked for.
const DEEPEST: usize = 4;

/// The columns of a message, those of messages inside it with a dot.
pub(super) fn columns(message: &str) -> Vec<Column> {
    let mut found = Vec::new();
    collect(message, &Column { name: String::new(), pointer: String::new() }, 0, &mut found);
    found
}

fn collect(message: &str, above: &Column, depth: usize, found: &mut Vec<Column>) {
    for field in &descriptors().message(message).fields {
        let dot = if above.name.is_empty() { "" } else { "." };
        let column = Column {
            name: format!("{}{dot}{}", above.name, field.name),
            pointer: format!("{}/{}", above.pointer, field.name),
        };
        match &field.holds {
            Holds::Message(inner) if !field.repeated && depth < DEEPEST => {
                collect(inner, &column, depth + 1, found);
            }
            Holds::Text
            | Holds::Flag
            | Holds::Number
            | Holds::Time
            | Holds::Length
            | Holds::Mask
            | Holds::Message(_) => found.push(column),
        }
    }
}

/// The first line.
pub(super) fn head(columns: &[Column]) -> String {
    record(columns.iter().map(|column| column.name.clone()))
}

/// The line of one thing.
pub(super) fn row(columns: &[Column], thing: &Value) -> String {
    record(columns.iter().map(|column| cell(thing.pointer(&column.pointer))))
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) if items.is_empty() => String::new(),
        Some(value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            value.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{columns, head, row};
    use serde_json::json;

    #[test]
    fn what_would_be_calculated_is_text() {
        let columns = columns("User");
        let named = |name: &str| row(&columns, &json!({"id": "u", "name": name, "blocked": true}));
        assert_eq!(head(&columns), "id,email,name,source,blocked\r\n");
        assert_eq!(named("Ann"), "u,,Ann,,true\r\n");
        assert_eq!(named("a,\"b\"\nc"), "u,,\"a,\"\"b\"\"\nc\",,true\r\n");
        for first in ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"] {
            let line = named(&format!("{first}cmd|' /C calc'!A0"));
            assert!(line.starts_with("u,,\"'"), "{line:?}");
        }
        assert_eq!(named("-5"), "u,,\"'-5\",,true\r\n");
    }

    #[test]
    fn things_inside_have_columns_too() {
        let columns = columns("ActivityEntry");
        let head = head(&columns);
        assert!(head.contains(",actor.user_id,actor.email,actor.groups,"), "{head}");
        let line =
            row(&columns, &json!({"id": "7", "actor": {"email": "=x", "groups": ["a", "b"]}}));
        assert!(line.starts_with("7,,,,\"'=x\",\"[\"\"a\"\",\"\"b\"\"]\","), "{line}");
    }
}
