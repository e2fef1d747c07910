//! The matchers that criteria share: tests on a text, on a list, on an address.

use super::Compiler;
use crate::address::{AddressRanges, parse_range};
use crate::advice::Advice;
use crate::document::{Entry, Node, Value};
use crate::identity::ClaimValue;
use crate::pattern::Pattern;
use crate::policy::matcher::{Case, ListMatch, ListTest, StringMatch, StringTest, TextSet};

const STRING_OPERATORS: [&str; 8] =
    ["contains", "ends_with", "in", "is", "matches", "not", "not_in", "starts_with"];
const LIST_OPERATORS: [&str; 3] = ["exclude", "has", "is"];

/// How much the tables of all patterns of one policy may hold, in bytes.
const MOST_TABLES: usize = 20 << 20;

impl Compiler<'_> {
    pub(super) fn string_match(&mut self, data: &Node, case: Case) -> Option<StringMatch> {
        let Some(entries) = data.entries() else {
            return Some(StringMatch { tests: vec![StringTest::Is(self.compared(data))], case });
        };
        let tests = self.string_tests(entries, case)?;
        Some(StringMatch { tests, case })
    }

    /// Every test of a map of operators; `None` if one is wrong.
    fn string_tests(&mut self, entries: &[Entry], case: Case) -> Option<Vec<StringTest>> {
        let tests: Vec<_> = entries.iter().map(|entry| self.string_test(entry, case)).collect();
        tests.into_iter().collect()
    }

    pub(super) fn string_test(&mut self, entry: &Entry, case: Case) -> Option<StringTest> {
        let operand = &entry.node;
        Some(match self.language.read(&entry.key).as_str() {
            "is" => StringTest::Is(self.compared(operand)),
            "not" => StringTest::Not(self.compared(operand)),
            "contains" => StringTest::Contains(self.text_operand(entry)?),
            "starts_with" => StringTest::StartsWith(self.text_operand(entry)?),
            "ends_with" => StringTest::EndsWith(self.text_operand(entry)?),
            "in" => StringTest::In(self.set_operand(entry, case)?),
            "not_in" => StringTest::NotIn(self.set_operand(entry, case)?),
            "matches" if self.language.extensions => {
                StringTest::Matches(self.pattern(entry, case)?)
            }
            "matches" => {
                self.not_pomeriums(entry, "operator");
                return None;
            }
            _ => {
                self.unknown("unknown_matcher", entry, "operator", &STRING_OPERATORS);
                return None;
            }
        })
    }

    /// One regular expression, or a list of which one has to match.
    fn pattern(&mut self, entry: &Entry, case: Case) -> Option<Pattern> {
        let texts: Vec<String> = match &entry.node.value {
            Value::List(items) => {
                let texts: Option<Vec<_>> =
                    items.iter().map(|item| self.pattern_text(item)).collect();
                texts?
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {
                vec![self.pattern_text(&entry.node)?]
            }
        };
        if self.tables > MOST_TABLES {
            let message = "the patterns of this policy need tables larger than 20 MB together";
            self.problem("bad_pattern", &entry.node.place, message, "write fewer, or shorter ones");
            return None;
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let read = match case {
            Case::Exact => Pattern::any_of(&texts),
            Case::Folded => Pattern::any_folded_of(&texts),
        };
        let read = read.map_err(|error| {
            let message = format!("`matches`: {error}");
            self.problem("bad_pattern", &entry.node.place, message, error.help());
        });
        let read = read.ok()?;
        self.tables += read.memory();
        Some(read)
    }

    fn pattern_text(&mut self, node: &Node) -> Option<String> {
        if let Value::Text(text) = &node.value {
            return Some(text.clone());
        }
        let message = format!("`matches` needs text, not {}", node.value.kind());
        self.problem("type_mismatch", &node.place, message, "put it in quotes");
        None
    }

    fn text_operand(&mut self, entry: &Entry) -> Option<String> {
        if let Value::Text(text) = &entry.node.value {
            return Some(text.clone());
        }
        let message = format!("`{}` needs text, not {}", entry.key, entry.node.value.kind());
        self.problem("type_mismatch", &entry.node.place, message, "put it in quotes");
        None
    }

    fn set_operand(&mut self, entry: &Entry, case: Case) -> Option<TextSet> {
        let Value::List(items) = &entry.node.value else {
            let message = format!("`{}` needs a list, not {}", entry.key, entry.node.value.kind());
            self.problem("data_type", &entry.node.place, message, "write it as `[a, b]`");
            return None;
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match &item.value {
                Value::Text(text) => texts.push(text.clone()),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::List(_)
                | Value::Map(_) => self.notice_unless_text(item),
            }
        }
        Some(TextSet::new(texts.into_iter(), case))
    }

    /// What a text is compared with. Anything but a text loads, and never equals one.
    fn compared(&mut self, operand: &Node) -> ClaimValue {
        self.notice_unless_text(operand);
        claim_value(operand)
    }

    fn notice_unless_text(&mut self, operand: &Node) {
        match &operand.value {
            Value::Text(_) => {}
            Value::List(_) => {
                let message = "a list is compared as one value and never equals a text";
                let help = "for any of several write `in: […]`, for none of them `not_in: […]`";
                self.tell(Advice::ListAsValue, &operand.place, message, help);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Map(_) => {
                let message = format!("{} never equals a text", operand.value.kind());
                self.tell(Advice::NeverEqual, &operand.place, message, "put it in quotes");
            }
        }
    }

    pub(super) fn list_match(&mut self, data: &Node) -> Option<ListMatch> {
        let Some(entries) = data.entries() else {
            self.notice_list(data);
            return Some(ListMatch::has(claim_value(data)));
        };
        let mut tests = Vec::with_capacity(entries.len());
        for entry in entries {
            self.notice_list(&entry.node);
            let operand = claim_value(&entry.node);
            tests.push(match self.language.read(&entry.key).as_str() {
                "has" => Some(ListTest::Has(operand)),
                "is" => Some(ListTest::Is(operand)),
                "exclude" => Some(ListTest::Exclude(operand)),
                _ => {
                    self.unknown("unknown_matcher", entry, "operator", &LIST_OPERATORS);
                    None
                }
            });
        }
        tests.into_iter().collect::<Option<_>>().map(ListMatch)
    }

    fn notice_list(&mut self, operand: &Node) {
        if let Value::List(_) = &operand.value {
            let message = "a list is looked for as one element";
            let help = "for any of several, write one criterion for each under `or`";
            self.tell(Advice::ListAsValue, &operand.place, message, help);
        }
    }

    pub(super) fn addresses(&mut self, data: &Node) -> Option<AddressRanges> {
        let ranges: Vec<_> = listed(data).iter().map(|item| self.range(item)).collect();
        ranges.into_iter().collect::<Option<_>>().map(AddressRanges::new)
    }

    fn range(&mut self, item: &Node) -> Option<ipnet::IpNet> {
        let Value::Text(text) = &item.value else {
            let kind = item.value.kind();
            let message = format!("`source_ip` needs an address as text, not {kind}");
            let help = "write it as `10.0.0.0/8` or `[10.0.0.0/8, 192.0.2.7]`";
            self.problem("data_type", &item.place, message, help);
            return None;
        };
        let range = parse_range(text);
        if range.is_none() {
            let message = format!("`{text}` is not an IP address or range");
            let help = "write it as `192.0.2.7`, `10.0.0.0/8` or `2001:db8::/32`, without zone or \
                leading zeros";
            self.problem("bad_ip", &item.place, message, help);
        }
        range
    }
}

/// The items of a list; anything else is the one item.
pub(super) fn listed(data: &Node) -> &[Node] {
    match &data.value {
        Value::List(items) => items,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {
            std::slice::from_ref(data)
        }
    }
}

/// A document value as a value that claims can be compared with.
pub fn claim_value(node: &Node) -> ClaimValue {
    match &node.value {
        Value::Null => ClaimValue::Null,
        Value::Bool(value) => ClaimValue::Bool(*value),
        Value::Number(number) => ClaimValue::Number(*number),
        Value::Text(text) => ClaimValue::Text(text.clone()),
        Value::List(items) => ClaimValue::List(items.iter().map(claim_value).collect()),
        Value::Map(entries) => ClaimValue::Map(
            entries.iter().map(|entry| (entry.key.clone(), claim_value(&entry.node))).collect(),
        ),
    }
}
