//! What is written by hand. Everything that cannot be taken is told at once.

use super::{AdminError, FieldError};

/// What is wrong so far.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<FieldError>);

/// The longest line, in characters.
pub(super) const LINE: usize = 500;
/// The longest user id, group id or e-mail address, in characters: providers give user ids of up to 255
/// (`OpenID` Connect Core 1.0 §2), and whoever can sign in can be blocked.
pub(super) const ID: usize = 255;
/// The longest key by which a request is known again.
const KEY: usize = 255;

impl Fields {
    /// `message` is a sentence without its dot, in lower case, that says what to do.
    pub(super) fn wrong(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.push(FieldError { field, message: message.into() });
    }

    /// One line of text, without blanks at its ends.
    pub(super) fn line(&mut self, field: &'static str, text: &str) -> String {
        let text = text.trim();
        if text.chars().count() > LINE {
            self.wrong(field, format!("write at most {LINE} characters"));
        }
        if text.chars().any(is_trouble) {
            self.wrong(field, "write one line without control characters");
        }
        text.to_owned()
    }

    /// Text of several lines.
    pub(super) fn lines(&mut self, field: &'static str, text: &str, most: usize) -> String {
        let text = text.replace("\r\n", "\n");
        if text.chars().count() > most {
            self.wrong(field, format!("write at most {most} characters"));
        }
        if text.chars().any(|c| is_trouble(c) && !matches!(c, '\n' | '\t')) {
            self.wrong(field, "write it without control characters");
        }
        text
    }

    /// A user id or group id, as it was typed or pasted. `None` if it is none.
    pub(super) fn id(&mut self, field: &'static str, text: &str) -> Option<String> {
        let text = text.trim();
        if text.is_empty() {
            self.wrong(field, "write an id");
            return None;
        }
        if text.chars().count() > ID || text.chars().any(|c| is_trouble(c) || c.is_whitespace()) {
            self.wrong(field, format!("write an id of at most {ID} characters without blanks"));
            return None;
        }
        Some(text.to_owned())
    }

    /// The key by which a request is known again.
    pub(super) fn key(&mut self, key: Option<&str>) {
        let fits = |key: &str| {
            (1..=KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if !key.is_none_or(fits) {
            let message = format!("write 1 to {KEY} visible ASCII characters");
            self.wrong("idempotency_key", message);
        }
    }

    /// # Errors
    /// Whatever was wrong.
    pub(super) fn done(self) -> Result<(), AdminError> {
        if self.0.is_empty() { Ok(()) } else { Err(AdminError::Invalid(self.0)) }
    }
}

/// Characters that are not seen, or that change how others are seen.
fn is_trouble(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::Fields;
    use crate::admin::AdminError;

    fn wrong(write: impl FnOnce(&mut Fields)) -> Vec<&'static str> {
        let mut fields = Fields::default();
        write(&mut fields);
        match fields.done() {
            Err(AdminError::Invalid(errors)) => errors.iter().map(|error| error.field).collect(),
            Err(error) => panic!("{error}"),
            Ok(()) => Vec::new(),
        }
    }

    #[test]
    fn lines_hide_nothing() {
        let mut fields = Fields::default();
        assert_eq!(
            fields.line("description", "  Baut die Seite «neu» 🦊 "),
            "Baut die Seite «neu» 🦊"
        );
        assert_eq!(fields.lines("text", "a:\r\n\tb", 10), "a:\n\tb");
        assert!(fields.done().is_ok());
        for text in ["a\nb", "a\u{0}", "a\u{202e}b", "a\u{200b}b", "\u{7f}", &"x".repeat(501)] {
            assert_eq!(wrong(|fields| drop(fields.line("d", text))), ["d"], "{text:?}");
        }
        assert_eq!(wrong(|fields| drop(fields.lines("t", "abc", 2))), ["t"]);
        assert_eq!(wrong(|fields| drop(fields.lines("t", "a\u{1b}[2J", 99))), ["t"]);
    }

    #[test]
    fn ids_and_keys() {
        let mut fields = Fields::default();
        let id = fields.id("user_id", " 1101-x@corp.test ");
        assert_eq!(id.as_deref(), Some("1101-x@corp.test"));
        let longest = "\u{1f98a}".repeat(255);
        assert_eq!(fields.id("user_id", &longest), Some(longest));
        fields.key(None);
        fields.key(Some("0f-1/x"));
        assert!(fields.done().is_ok());
        for id in ["", " ", "a b", "a\nb", &"x".repeat(256), &"\u{1f98a}".repeat(256)] {
            assert_eq!(wrong(|fields| drop(fields.id("user_id", id))), ["user_id"], "{id:?}");
        }
        for key in ["", "a b", "ä", "a\n", &"x".repeat(256)] {
            assert_eq!(wrong(|fields| fields.key(Some(key))), ["idempotency_key"], "{key:?}");
        }
    }
}
