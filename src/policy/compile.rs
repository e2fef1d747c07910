//! A policy document → [`Policy`]. Everything that can be wrong with a policy is found here, all of
//! it at once, each with its place.

mod calendar;

use super::criterion::{Criterion, criterion_names};
use super::matcher::{AddressMatch, ListMatch, ListTest, StringMatch, StringTest, parse_range};
use super::{CriteriaGroup, Effect, Operator, Policy, Rule};
use crate::document::{Entry, Node, Place, Problem, Problems, Value, nearest};
use crate::identity::ClaimValue;
use std::collections::HashSet;

/// How names are read. Pomerium lower-cases the keys of a configuration file before reading
/// policies, so there actions, operators and criteria are known in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Policy text on its own: names are case-sensitive.
    Exact,
    /// Inside a configuration file: names of ours in any case.
    ConfigFile,
}

impl Dialect {
    fn read(self, name: &str) -> String {
        match self {
            Self::Exact => name.to_owned(),
            Self::ConfigFile => name.to_ascii_lowercase(),
        }
    }
}

/// Compiles a policy: a map with `allow` and `deny`, or a list of such maps.
pub fn compile(document: &Node, dialect: Dialect, problems: &mut Problems) -> Policy {
    let mut compiler = Compiler { dialect, problems };
    let maps: Vec<&Node> = match &document.value {
        Value::List(items) => items.iter().collect(),
        Value::Map(_) => vec![document],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
            compiler.problem(
                "root_type",
                &document.place,
                format!("a policy must be a map or a list of maps, not {}", document.value.kind()),
                "begin with `allow:` or `deny:`",
            );
            Vec::new()
        }
    };
    Policy { rules: maps.into_iter().flat_map(|map| compiler.rules(map)).collect() }
}

struct Compiler<'p> {
    dialect: Dialect,
    problems: &'p mut Problems,
}

const ACTIONS: [&str; 2] = ["allow", "deny"];
const OPERATORS: [&str; 4] = ["and", "nor", "not", "or"];
const STRING_OPERATORS: [&str; 7] =
    ["contains", "ends_with", "in", "is", "not", "not_in", "starts_with"];
const LIST_OPERATORS: [&str; 3] = ["exclude", "has", "is"];

impl Compiler<'_> {
    fn problem(
        &mut self,
        code: &'static str,
        place: &Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problems.push(Problem::new(code, place, message).help(help));
    }

    /// The problem of a name that is not in `known`.
    fn unknown(&mut self, code: &'static str, entry: &Entry, what: &str, known: &[&str]) {
        let help = match nearest(&entry.key, known) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known: {}", known.join(", ")),
        };
        self.problem(code, &entry.place, format!("unknown {what} `{}`", entry.key), help);
    }

    fn rules(&mut self, map: &Node) -> Vec<Rule> {
        let Some(entries) = map.entries() else {
            let message = format!("a rule must be a map, not {}", map.value.kind());
            self.problem("rule_type", &map.place, message, "begin with `allow:` or `deny:`");
            return Vec::new();
        };
        let mut rules = Vec::new();
        for entry in entries {
            let effect = match self.dialect.read(&entry.key).as_str() {
                "allow" => Effect::Allow,
                "deny" => Effect::Deny,
                _ => {
                    self.unknown("unknown_action", entry, "action", &ACTIONS);
                    continue;
                }
            };
            rules.push(Rule { effect, groups: self.groups(&entry.node) });
        }
        rules
    }

    fn groups(&mut self, body: &Node) -> Vec<CriteriaGroup> {
        let Some(entries) = body.entries() else {
            let message = format!("`allow` and `deny` hold a map, not {}", body.value.kind());
            self.problem(
                "action_body_type",
                &body.place,
                message,
                "write `and:`, `or:`, `not:` or `nor:` below it",
            );
            return Vec::new();
        };
        let mut groups = Vec::new();
        for entry in entries {
            let operator = match self.dialect.read(&entry.key).as_str() {
                "and" => Operator::And,
                "or" => Operator::Or,
                "not" => Operator::Not,
                "nor" => Operator::Nor,
                "action" => continue,
                _ => {
                    self.unknown("unknown_operator", entry, "operator", &OPERATORS);
                    continue;
                }
            };
            let criteria = self.criteria(entry);
            if !criteria.is_empty() {
                groups.push(CriteriaGroup { operator, criteria });
            }
        }
        groups
    }

    fn criteria(&mut self, entry: &Entry) -> Vec<Criterion> {
        let Value::List(items) = &entry.node.value else {
            let message = format!(
                "`{}` holds a list of criteria, not {}",
                entry.key,
                entry.node.value.kind()
            );
            self.problem(
                "operator_type",
                &entry.node.place,
                message,
                "begin each criterion with `- `",
            );
            return Vec::new();
        };
        items.iter().filter_map(|item| self.criterion_of(item)).collect()
    }

    fn criterion_of(&mut self, item: &Node) -> Option<Criterion> {
        match item.entries() {
            Some([entry]) => self.criterion(entry),
            Some(entries) => {
                let message = format!("a criterion has exactly one name, not {}", entries.len());
                self.problem(
                    "criterion_arity",
                    &item.place,
                    message,
                    "begin each criterion with its own `- `",
                );
                None
            }
            None => {
                let message =
                    format!("a criterion is a map with one name, not {}", item.value.kind());
                self.problem("criterion_type", &item.place, message, "write it as `name: value`");
                None
            }
        }
    }

    fn criterion(&mut self, entry: &Entry) -> Option<Criterion> {
        let (name, path) = entry.key.split_once('/').unwrap_or((&entry.key, ""));
        let data = &entry.node;
        Some(match self.dialect.read(name).as_str() {
            "accept" => Criterion::Accept,
            "reject" => Criterion::Reject,
            "authenticated_user" => Criterion::AuthenticatedUser,
            "cors_preflight" => Criterion::CorsPreflight,
            "user" => Criterion::User(self.string_match(data)?),
            "email" => Criterion::Email(self.string_match(data)?),
            "domain" => Criterion::Domain(self.string_match(data)?),
            "http_method" => Criterion::HttpMethod(self.string_match(data)?),
            "http_path" => Criterion::HttpPath(self.string_match(data)?),
            "groups" => Criterion::Groups(self.list_match(data)?),
            "claim" => Criterion::Claim { path: path.to_owned(), values: self.list_match(data)? },
            "source_ip" => Criterion::SourceIp(self.addresses(data)?),
            "date" => Criterion::Date(self.date_range(data)?),
            "day_of_week" => Criterion::DayOfWeek(self.weekdays(data)?),
            "time_of_day" => Criterion::TimeOfDay(self.clock_range(data)?),
            _ => {
                let named = Entry { key: name.to_owned(), ..entry.clone() };
                self.unknown("unknown_criterion", &named, "criterion", criterion_names());
                return None;
            }
        })
    }

    fn string_match(&mut self, data: &Node) -> Option<StringMatch> {
        let Some(entries) = data.entries() else {
            self.notice_unless_text(data);
            return Some(StringMatch(vec![StringTest::Is(claim_value(data))]));
        };
        let tests: Vec<_> = entries.iter().map(|entry| self.string_test(entry)).collect();
        tests.into_iter().collect::<Option<_>>().map(StringMatch)
    }

    fn string_test(&mut self, entry: &Entry) -> Option<StringTest> {
        let operand = &entry.node;
        Some(match self.dialect.read(&entry.key).as_str() {
            "is" => StringTest::Is(self.compared(operand)),
            "not" => StringTest::Not(self.compared(operand)),
            "contains" => StringTest::Contains(self.text_operand(entry)?),
            "starts_with" => StringTest::StartsWith(self.text_operand(entry)?),
            "ends_with" => StringTest::EndsWith(self.text_operand(entry)?),
            "in" => StringTest::In(self.set_operand(entry)?),
            "not_in" => StringTest::NotIn(self.set_operand(entry)?),
            _ => {
                self.unknown("unknown_matcher", entry, "operator", &STRING_OPERATORS);
                return None;
            }
        })
    }

    fn text_operand(&mut self, entry: &Entry) -> Option<String> {
        if let Value::Text(text) = &entry.node.value {
            return Some(text.clone());
        }
        let message = format!("`{}` needs text, not {}", entry.key, entry.node.value.kind());
        self.problem("type_mismatch", &entry.node.place, message, "put it in quotes");
        None
    }

    fn set_operand(&mut self, entry: &Entry) -> Option<HashSet<String>> {
        let Value::List(items) = &entry.node.value else {
            let message = format!("`{}` needs a list, not {}", entry.key, entry.node.value.kind());
            self.problem("data_type", &entry.node.place, message, "write it as `[a, b]`");
            return None;
        };
        let mut texts = HashSet::new();
        for item in items {
            match &item.value {
                Value::Text(text) => drop(texts.insert(text.clone())),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::List(_)
                | Value::Map(_) => self.notice_unless_text(item),
            }
        }
        Some(texts)
    }

    /// What a text is compared with. Anything but a text loads, and never equals one.
    fn compared(&mut self, operand: &Node) -> ClaimValue {
        self.notice_unless_text(operand);
        claim_value(operand)
    }

    fn notice_unless_text(&mut self, operand: &Node) {
        let message = match &operand.value {
            Value::Text(_) => return,
            Value::List(_) => {
                "a list is compared as one value and never equals a text; did you mean `in:`?"
                    .to_owned()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Map(_) => {
                format!("{} never equals a text; put it in quotes", operand.value.kind())
            }
        };
        self.problems.notice(&operand.place, message);
    }

    fn list_match(&mut self, data: &Node) -> Option<ListMatch> {
        let Some(entries) = data.entries() else {
            return Some(ListMatch(vec![ListTest::Has(claim_value(data))]));
        };
        let mut tests = Vec::with_capacity(entries.len());
        for entry in entries {
            let operand = claim_value(&entry.node);
            tests.push(match self.dialect.read(&entry.key).as_str() {
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

    fn addresses(&mut self, data: &Node) -> Option<AddressMatch> {
        let items = match &data.value {
            Value::List(items) => items.as_slice(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {
                std::slice::from_ref(data)
            }
        };
        let ranges: Vec<_> = items.iter().map(|item| self.range(item)).collect();
        ranges.into_iter().collect::<Option<_>>().map(AddressMatch::new)
    }

    fn range(&mut self, item: &Node) -> Option<ipnet::IpNet> {
        let Value::Text(text) = &item.value else {
            let message =
                format!("`source_ip` needs an address as text, not {}", item.value.kind());
            self.problem(
                "data_type",
                &item.place,
                message,
                "write it as `10.0.0.0/8` or `[10.0.0.0/8, 192.0.2.7]`",
            );
            return None;
        };
        let range = parse_range(text);
        if range.is_none() {
            let message = format!("`{text}` is not an IP address or range");
            self.problem("bad_ip", &item.place, message, "write it as `192.0.2.7`, `10.0.0.0/8` or `2001:db8::/32`, without zone or leading zeros");
        }
        range
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
