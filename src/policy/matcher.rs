//! The small languages criteria share: tests on one text, tests on a list.

use crate::identity::ClaimValue;
use crate::pattern::Pattern;
use std::cmp::Ordering;
use std::collections::HashSet;

/// Tests on one text; all must hold. No test at all holds.
#[derive(Debug)]
pub(super) struct StringMatch {
    pub(super) tests: Vec<StringTest>,
    pub(super) case: Case,
}

/// How letters are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Case {
    #[default]
    Exact,
    /// ASCII letters are the same in either case.
    Folded,
}

#[derive(Debug)]
pub(super) enum StringTest {
    Is(ClaimValue),
    Not(ClaimValue),
    Contains(String),
    StartsWith(String),
    EndsWith(String),
    In(TextSet),
    NotIn(TextSet),
    /// An anchored regular expression, or several.
    Matches(Pattern),
}

/// Texts to be found among, however many.
#[derive(Debug)]
pub(super) enum TextSet {
    Exact(HashSet<Box<str>>),
    /// Lower-cased and sorted.
    Folded(Box<[Box<str>]>),
}

impl TextSet {
    pub(super) fn new(texts: impl Iterator<Item = String>, case: Case) -> Self {
        match case {
            Case::Exact => Self::Exact(texts.map(String::into_boxed_str).collect()),
            Case::Folded => {
                let mut folded: Vec<Box<str>> =
                    texts.map(|text| text.to_ascii_lowercase().into_boxed_str()).collect();
                folded.sort_unstable();
                folded.dedup();
                Self::Folded(folded.into_boxed_slice())
            }
        }
    }

    /// Its members in order.
    pub(super) fn members(&self) -> Vec<&str> {
        match self {
            Self::Exact(set) => {
                let mut members: Vec<&str> = set.iter().map(AsRef::as_ref).collect();
                members.sort_unstable();
                members
            }
            Self::Folded(sorted) => sorted.iter().map(AsRef::as_ref).collect(),
        }
    }

    pub(super) fn contains(&self, text: &str) -> bool {
        match self {
            Self::Exact(set) => set.contains(text),
            Self::Folded(sorted) => {
                sorted.binary_search_by(|member| compare_folded(member, text)).is_ok()
            }
        }
    }
}

/// Compares a lower-cased text with one in any case.
fn compare_folded(lower: &str, text: &str) -> Ordering {
    lower.bytes().cmp(text.bytes().map(|byte| byte.to_ascii_lowercase()))
}

impl Case {
    pub(super) fn equal(self, a: &str, b: &str) -> bool {
        match self {
            Self::Exact => a == b,
            Self::Folded => a.eq_ignore_ascii_case(b),
        }
    }

    pub(super) fn starts(self, text: &[u8], part: &[u8]) -> bool {
        text.get(..part.len()).is_some_and(|start| match self {
            Self::Exact => start == part,
            Self::Folded => start.eq_ignore_ascii_case(part),
        })
    }

    fn contains(self, text: &str, part: &str) -> bool {
        match self {
            Self::Exact => text.contains(part),
            Self::Folded => (0..=text.len())
                .filter_map(|start| text.as_bytes().get(start..))
                .any(|rest| self.starts(rest, part.as_bytes())),
        }
    }

    pub(super) fn ends(self, text: &[u8], part: &[u8]) -> bool {
        let start = text.len().checked_sub(part.len());
        start.and_then(|start| text.get(start..)).is_some_and(|end| self.starts(end, part))
    }
}

impl StringMatch {
    pub(super) fn is(text: &str, case: Case) -> Self {
        Self { tests: vec![StringTest::Is(ClaimValue::Text(text.to_owned()))], case }
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.tests.iter().all(|test| test.holds(text, self.case))
    }

    /// Whether each test holds for some of `texts`, not all for the same one.
    pub(super) fn matches_some(&self, texts: &[String]) -> bool {
        self.tests.iter().all(|test| texts.iter().any(|text| test.holds(text, self.case)))
    }
}

impl StringTest {
    pub(super) fn holds(&self, text: &str, case: Case) -> bool {
        let is = |value: &ClaimValue| value.as_text().is_some_and(|other| case.equal(other, text));
        match self {
            Self::Is(value) => is(value),
            Self::Not(value) => !is(value),
            Self::Contains(part) => case.contains(text, part),
            Self::StartsWith(part) => case.starts(text.as_bytes(), part.as_bytes()),
            Self::EndsWith(part) => case.ends(text.as_bytes(), part.as_bytes()),
            Self::In(set) => set.contains(text),
            Self::NotIn(set) => !set.contains(text),
            Self::Matches(pattern) => pattern.matches(text),
        }
    }
}

/// Tests on a list of values; all must hold. No test at all holds.
#[derive(Debug, Default)]
pub(super) struct ListMatch(pub(super) Vec<ListTest>);

#[derive(Debug)]
pub(super) enum ListTest {
    /// Some element equals it.
    Has(ClaimValue),
    /// Some element is one of these; what many `has` under one `or` become.
    HasOneOf(TextSet),
    /// There is exactly one element and it equals it.
    Is(ClaimValue),
    /// No element equals it.
    Exclude(ClaimValue),
}

impl ListMatch {
    pub(super) fn has(value: ClaimValue) -> Self {
        Self(vec![ListTest::Has(value)])
    }

    pub(super) fn matches<'v, I: Iterator<Item = &'v ClaimValue>>(
        &self,
        values: impl Fn() -> I,
    ) -> bool {
        self.0.iter().all(|test| match test {
            ListTest::Has(operand) => values().any(|value| value == operand),
            ListTest::HasOneOf(set) => {
                values().filter_map(ClaimValue::as_text).any(|text| set.contains(text))
            }
            ListTest::Exclude(operand) => values().all(|value| value != operand),
            ListTest::Is(operand) => {
                let mut values = values();
                values.next() == Some(operand) && values.next().is_none()
            }
        })
    }

    pub(super) fn matches_texts(&self, texts: &[String]) -> bool {
        let has = |operand: &ClaimValue| {
            operand.as_text().is_some_and(|wanted| texts.iter().any(|text| text == wanted))
        };
        self.0.iter().all(|test| match test {
            ListTest::Has(operand) => has(operand),
            ListTest::HasOneOf(set) => texts.iter().any(|text| set.contains(text)),
            ListTest::Exclude(operand) => !has(operand),
            ListTest::Is(operand) => texts.len() == 1 && has(operand),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Case, StringMatch, StringTest, TextSet};

    #[test]
    fn folded_tests() {
        let set =
            || TextSet::new(["Bob@X.test".to_owned(), "a".to_owned()].into_iter(), Case::Folded);
        let tests = [
            StringTest::Contains("@x.".into()),
            StringTest::StartsWith("BOB".into()),
            StringTest::EndsWith(".TEST".into()),
            StringTest::In(set()),
        ];
        for test in tests {
            assert!(test.holds("bOB@x.Test", Case::Folded), "{test:?}");
            assert!(
                !test.holds("bOB@y.Test0", Case::Folded)
                    || matches!(test, StringTest::StartsWith(_))
            );
        }
        assert!(!StringTest::NotIn(set()).holds("BOB@X.TEST", Case::Folded));
        assert!(StringTest::EndsWith(String::new()).holds("", Case::Folded));
        assert!(StringTest::Contains(String::new()).holds("", Case::Folded));
        assert!(!StringMatch::is("é", Case::Folded).matches("É"), "only ASCII letters fold");
    }
}
