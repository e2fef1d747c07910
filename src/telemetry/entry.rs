//! One log line under way, as JSON or as text, byte for byte as `tracing-subscriber` writes its lines. Nothing is
//! copied but into the line.

use crate::config::LogFormat;
use jiff::fmt::temporal::DateTimePrinter;
use serde::Serialize;
use std::fmt::{Debug, Display};
use std::io::Write;

/// So many characters of a text from outside are written.
const LONGEST: usize = 1024;

static TIMES: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

/// A line to which fields are added. A field that has no value is left out.
#[derive(Debug)]
pub(super) struct Entry {
    bytes: Vec<u8>,
    format: LogFormat,
    /// How many characters the value under way may still have.
    left: usize,
}

impl Entry {
    /// Begins a line of level INFO in `bytes`, whose content is forgotten.
    pub(super) fn begin(
        mut bytes: Vec<u8>,
        format: LogFormat,
        at: jiff::Timestamp,
        message: &'static str,
    ) -> Self {
        bytes.clear();
        let mut entry = Self { bytes, format, left: usize::MAX };
        if format == LogFormat::Json {
            entry.raw("{\"timestamp\":\"");
        }
        // Writing to memory cannot fail.
        drop(TIMES.print_timestamp(&at, &mut entry.bytes));
        match format {
            LogFormat::Json => {
                entry.raw("\",\"level\":\"INFO\",\"message\":\"");
                entry.put(message);
                entry.raw("\"");
            }
            LogFormat::Text => {
                entry.raw("  INFO ");
                entry.raw(message);
            }
        }
        entry
    }

    /// Ends the line.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.raw(match self.format {
            LogFormat::Json => "}\n",
            LogFormat::Text => "\n",
        });
        self.bytes
    }

    /// A text from outside: cut off if it is too long, and without control characters.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.quoted(name, LONGEST, |entry| entry.put(value));
    }

    /// Texts of ours, with commas between.
    pub(super) fn list<'v>(&mut self, name: &str, values: impl IntoIterator<Item = &'v str>) {
        self.quoted(name, usize::MAX, |entry| entry.put_all(values));
    }

    /// Texts from outside, with commas between; together cut off if they are too long.
    pub(super) fn foreign_list<'v>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = &'v str>,
    ) {
        self.quoted(name, LONGEST, |entry| entry.put_all(values));
    }

    /// Something whose text holds nothing that would have to be escaped.
    pub(super) fn shown(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.quoted(name, usize::MAX, |entry| drop(write!(entry.bytes, "{value}")));
        }
    }

    /// A number, or whether something is so.
    pub(super) fn plain(&mut self, name: &str, value: impl Serialize + Debug) {
        self.name(name);
        // Writing a number to memory cannot fail.
        match self.format {
            LogFormat::Json => drop(serde_json::to_writer(&mut self.bytes, &value)),
            LogFormat::Text => drop(write!(self.bytes, "{value:?}")),
        }
    }

    /// The field is taken back if `value` writes nothing.
    fn quoted(&mut self, name: &str, longest: usize, value: impl FnOnce(&mut Self)) {
        let before = self.bytes.len();
        self.name(name);
        self.raw("\"");
        let begin = self.bytes.len();
        self.left = longest;
        value(self);
        if self.bytes.len() == begin {
            self.bytes.truncate(before);
        } else {
            self.raw("\"");
        }
    }

    fn name(&mut self, name: &str) {
        let (before, after) = match self.format {
            LogFormat::Json => (",\"", "\":"),
            LogFormat::Text => (" ", "="),
        };
        self.raw(before);
        self.raw(name);
        self.raw(after);
    }

    fn put_all<'v>(&mut self, values: impl IntoIterator<Item = &'v str>) {
        for (number, value) in values.into_iter().enumerate() {
            if number > 0 {
                self.put(",");
            }
            self.put(value);
        }
    }

    /// Goes on with a value, as far as there is room for it.
    fn put(&mut self, text: &str) {
        let harmless = |byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        if text.len() <= self.left && text.bytes().all(harmless) {
            self.left = self.left.saturating_sub(text.len());
            self.raw(text);
            return;
        }
        for letter in text.chars().take(self.left) {
            self.left = self.left.saturating_sub(1);
            self.letter(if letter.is_control() { '\u{fffd}' } else { letter });
        }
    }

    fn letter(&mut self, letter: char) {
        match (letter, self.format) {
            ('"' | '\\', LogFormat::Json) => {
                self.raw("\\");
                self.verbatim(letter);
            }
            ('\'', LogFormat::Text) | (_, LogFormat::Json) => self.verbatim(letter),
            (_, LogFormat::Text) => letter.escape_debug().for_each(|part| self.verbatim(part)),
        }
    }

    fn verbatim(&mut self, letter: char) {
        let mut bytes = [0; 4];
        let text = letter.encode_utf8(&mut bytes);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn raw(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests;
