//! What pages of the console are put together from.

use super::path;

/// Something that was just done, in one sentence.
#[derive(Clone, Debug, Default)]
pub struct Notice {
    /// Empty for nothing.
    pub text: String,
    pub undo: Option<Undo>,
}

/// How it is undone.
#[derive(Clone, Debug)]
pub struct Undo {
    /// Where a form is sent.
    pub action: String,
    pub label: String,
}

/// Everything that is wrong with a form.
#[derive(Clone, Debug, Default)]
pub struct Mistakes(pub Vec<Mistake>);

/// Something that is wrong, in one sentence.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// The field it stands beside; empty for what is wrong in general.
    pub field: String,
    pub message: String,
}

impl Mistakes {
    /// What is wrong with a field; empty if nothing is.
    pub(in crate::pages) fn of(&self, field: &str) -> &str {
        let found = self.0.iter().find(|mistake| mistake.field == field);
        found.map(|mistake| mistake.message.as_str()).unwrap_or_default()
    }

    pub(in crate::pages) fn are_there(&self) -> bool {
        !self.0.is_empty()
    }
}

/// Something to choose.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

/// Which part of a list is shown.
#[derive(Clone, Debug, Default)]
pub struct Pager {
    /// How many stand before.
    pub offset: usize,
    /// How many are shown at once.
    pub size: usize,
    pub total: u64,
    /// Path and parameters of the list, but the offset.
    pub address: String,
}

impl Pager {
    /// `51–100 of 2,310`
    pub(in crate::pages) fn range(&self) -> String {
        let total = usize::try_from(self.total).unwrap_or(usize::MAX);
        let last = self.offset.saturating_add(self.size).min(total);
        let first = self.offset.saturating_add(1).min(last.max(1));
        format!("{}–{} of {}", grouped(first), grouped(last), grouped(self.total))
    }

    fn at(&self, offset: usize) -> String {
        let offset = if offset == 0 { String::new() } else { offset.to_string() };
        let (base, query) = self.address.split_once('?').unwrap_or((&self.address, ""));
        let more = path::with("", [("offset", offset.as_str())]);
        match (query.is_empty(), more.strip_prefix('?')) {
            (true, _) => format!("{base}{more}"),
            (false, Some(more)) => format!("{base}?{query}&{more}"),
            (false, None) => format!("{base}?{query}"),
        }
    }

    pub(in crate::pages) fn previous(&self) -> Option<String> {
        (self.offset > 0).then(|| self.at(self.offset.saturating_sub(self.size)))
    }

    pub(in crate::pages) fn next(&self) -> Option<String> {
        let next = self.offset.saturating_add(self.size);
        (u64::try_from(next).is_ok_and(|next| next < self.total)).then(|| self.at(next))
    }
}

/// A number with its thousands apart.
pub(in crate::pages) fn grouped(number: impl std::fmt::Display) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 account`, `2,310 accounts`
pub(in crate::pages) fn counted(
    number: impl std::fmt::Display,
    one: &str,
    several: &str,
) -> String {
    let number = grouped(number);
    let word = if number == "1" { one } else { several };
    format!("{number} {word}")
}

/// A message with what it quotes in backticks apart: `true` for what is quoted.
pub(in crate::pages) fn spans(text: &str) -> Vec<(bool, &str)> {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        // One of them has no other end.
        return vec![(false, text)];
    }
    let spans = parts.into_iter().enumerate().map(|(nth, part)| (nth % 2 == 1, part));
    spans.filter(|(_, part)| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Pager, grouped, spans};

    #[test]
    fn what_is_quoted_is_told_apart() {
        assert_eq!(
            spans("no `usr`, or `x`"),
            [(false, "no "), (true, "usr"), (false, ", or "), (true, "x")]
        );
        assert_eq!(spans("plain"), [(false, "plain")]);
        assert_eq!(spans("odd ` one"), [(false, "odd ` one")]);
        assert_eq!(spans("``"), []);
        assert_eq!(spans(""), []);
    }

    #[test]
    fn numbers_are_grouped() {
        let numbers = [0, 12, 999, 1000, 1_234_567];
        assert_eq!(numbers.map(grouped), ["0", "12", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn pages_of_a_list() {
        let pager = |offset, address: &str| Pager {
            offset,
            size: 50,
            total: 120,
            address: address.to_owned(),
        };
        let first = pager(0, "/a");
        assert_eq!((first.previous(), first.next()), (None, Some("/a?offset=50".into())));
        assert_eq!(first.range(), "1–50 of 120");
        let second = pager(50, "/a?q=b%26");
        assert_eq!(second.previous().as_deref(), Some("/a?q=b%26"));
        assert_eq!(second.next().as_deref(), Some("/a?q=b%26&offset=100"));
        let last = pager(100, "/a");
        assert_eq!((last.next(), last.range()), (None, "101–120 of 120".into()));
    }
}
