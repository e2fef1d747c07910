//! A value written on one line, as YAML that reads back as the same value.

use super::{Node, Number, Value};
use std::fmt::Write;

impl Node {
    /// The value on one line: `{email: {is: "a@b.c"}}`. Texts are quoted as in JSON, keys where they
    /// need it.
    pub fn to_flow(&self) -> String {
        let mut out = String::new();
        write_value(&mut out, &self.value);
        out
    }
}

/// One `{key: value}` on one line.
pub fn flow_entry(key: &str, value: &Node) -> String {
    format!("{{{}: {}}}", quoted_key(key), value.to_flow())
}

/// A text in quotes, as JSON writes it.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn quoted_key(key: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/' | b'-' | b'.');
    let word = key.starts_with(|first: char| first.is_ascii_lowercase())
        && key.bytes().all(plain)
        && !matches!(key, "true" | "false" | "null");
    if word { key.to_owned() } else { quoted(key) }
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(Number::Integer(integer)) => drop(write!(out, "{integer}")),
        Value::Number(Number::Float(float)) => drop(write!(out, "{float:?}")),
        Value::Text(text) => out.push_str(&quoted(text)),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_value(out, &item.value);
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for (index, entry) in entries.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                out.push_str(&quoted_key(&entry.key));
                out.push_str(": ");
                write_value(out, &entry.node.value);
            }
            out.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::load_yaml;

    #[test]
    fn reads_back() {
        let check = |text: &str, expected: &str| {
            let node = load_yaml(text, "x").expect(text);
            assert_eq!(node.to_flow(), expected, "{text}");
            let again = load_yaml(expected, "x").expect(expected);
            assert_eq!(again.to_flow(), expected, "{expected}");
        };
        check("a: {b: [1, 2.5, yes, null, ~]}", r#"{a: {b: [1, 2.5, "yes", null, null]}}"#);
        check("'1': \"a\\nb\\u2028'\"", "{\"1\": \"a\\nb\u{2028}'\"}");
        check("{'true': 1e300, \"a b\": -0.0}", "{\"true\": 1e300, \"a b\": -0.0}");
        check("[]", "[]");
    }
}
