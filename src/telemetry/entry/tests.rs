//! That what is written is what others read.

use super::{Entry, LONGEST};
use crate::config::LogFormat;
use proptest::prelude::*;
use serde_json::{Value, json};

fn line(format: LogFormat, fields: impl FnOnce(&mut Entry)) -> String {
    let mut entry = Entry::begin(b"rest".to_vec(), format, jiff::Timestamp::UNIX_EPOCH, "said");
    fields(&mut entry);
    String::from_utf8(entry.end()).expect("UTF-8")
}

/// Text from a client, bounded and without control characters.
fn printable(text: &str) -> String {
    text.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Texts with what has to be escaped, or cut off.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        "[\"\\\\'/\u{0}-\u{1f}\u{7f}-\u{9f}\u{2028}\u{200b}\u{301}a\u{1f600}]{0,40}",
        "[a\u{e9}\"]{1000,1050}",
    ]
}

#[test]
fn the_envelope() {
    assert_eq!(
        line(LogFormat::Json, |_| ()),
        "{\"timestamp\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"INFO\",\"message\":\"said\"}\n"
    );
    assert_eq!(line(LogFormat::Text, |_| ()), "1970-01-01T00:00:00.000000Z  INFO said\n");
}

#[test]
fn what_is_empty_is_left_out() {
    for format in [LogFormat::Json, LogFormat::Text] {
        let empty = line(format, |entry| {
            entry.text("text", "");
            entry.list("list", []);
            entry.foreign_list("foreign", [""]);
            entry.shown("shown", None::<u8>);
        });
        assert_eq!(empty, line(format, |_| ()));
    }
}

proptest! {
    #[test]
    fn json_is_what_serde_json_writes(text in texts()) {
        let said = line(LogFormat::Json, |entry| entry.text("x", &text));
        let value = printable(&text);
        let expected = if value.is_empty() {
            "\"message\":\"said\"}\n".to_owned()
        } else {
            format!(",\"x\":{}}}\n", serde_json::to_string(&value).expect("JSON"))
        };
        prop_assert!(said.ends_with(&expected), "{said}");
        let read: Value = serde_json::from_str(&said).expect("JSON");
        let expected = (!text.is_empty()).then(|| json!(value));
        prop_assert_eq!(read.get("x"), expected.as_ref());
        prop_assert_eq!(said.lines().count(), 1);
    }

    #[test]
    fn text_is_what_debug_writes(text in texts()) {
        let said = line(LogFormat::Text, |entry| entry.text("x", &text));
        let value = printable(&text);
        let expected = if value.is_empty() { "said\n".into() } else { format!(" x={value:?}\n") };
        prop_assert!(said.ends_with(&expected), "{said}");
    }

    #[test]
    fn a_list_is_cut_off_as_one_text(texts in prop::collection::vec(texts(), 0..4)) {
        let parts = || texts.iter().map(String::as_str);
        let listed = line(LogFormat::Json, |entry| entry.foreign_list("x", parts()));
        prop_assert_eq!(listed, line(LogFormat::Json, |entry| entry.text("x", &texts.join(","))));
    }

    #[test]
    fn numbers(number in any::<f64>().prop_filter("finite", |number| number.is_finite()), count: u64) {
        let said = line(LogFormat::Json, |entry| {
            entry.plain("x", number);
            entry.plain("n", count);
            entry.plain("yes", true);
        });
        let read: Value = serde_json::from_str(&said).expect("JSON");
        prop_assert_eq!(&read["x"], &json!(number));
        prop_assert_eq!((&read["n"], &read["yes"]), (&json!(count), &json!(true)));
    }
}
