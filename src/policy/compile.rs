//! A policy document → [`Policy`]. Everything that can be wrong with a policy is found here, all of
//! it at once, each with its place. This file knows the grammar; what a criterion holds is below.

mod calendar;
mod criteria;
mod evidence;
mod join;
mod matchers;

pub(super) use join::{Kind, asked, joined, kind};
pub use matchers::claim_value;

use super::criterion::{Criterion, EXTENSIONS, Written, criterion_names};
use super::matcher::Case;
use super::{CriteriaGroup, Effect, Mode, Operator, Policy, Rule};
use crate::advice::Advice;
use crate::document::{Entry, Node, Notice, Place, Problem, Problems, Value, flow_entry, nearest};

/// How policies are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language {
    pub names: Names,
    /// Whether criteria, operators and modes of ours are known; `strict_pomerium` turns them off.
    pub extensions: bool,
    /// Compare e-mail addresses and their domains with ASCII case folded (`case_insensitive_email`).
    pub fold_email: bool,
}

/// How names are read. Pomerium lower-cases the keys of a configuration file before reading
/// policies, so there actions, operators and criteria are known in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Policy text on its own: names are case-sensitive.
    Exact,
    /// Inside a configuration file: names of ours in any case.
    AnyCase,
}

impl Language {
    /// Policy text on its own.
    pub const TEXT: Self = Self { names: Names::Exact, extensions: true, fold_email: false };

    fn read(self, name: &str) -> String {
        match self.names {
            Names::Exact => name.to_owned(),
            Names::AnyCase => name.to_ascii_lowercase(),
        }
    }

    /// Whether a criterion or operator of this name may be used.
    fn knows(self, name: &str) -> bool {
        self.extensions || !(EXTENSIONS.contains(&name) || name == "matches")
    }

    pub(super) fn mail_case(self) -> Case {
        if self.fold_email { Case::Folded } else { Case::Exact }
    }
}

/// Compiles a policy: a map with `allow` and `deny`, or a list of such maps. The map may say `mode:
/// dry_run`, and then hold a list under `rules`.
pub fn compile(document: &Node, language: Language, problems: &mut Problems) -> Policy {
    let mut compiler = Compiler { language, problems, tables: 0 };
    let (mode, maps) = compiler.root(document);
    let settings = |map: &Node| if std::ptr::eq(map, document) { SETTINGS } else { &[] };
    let rules = maps.into_iter().flat_map(|map| compiler.rules(map, settings(map))).collect();
    Policy { mode, rules, ..Policy::default() }
}

struct Compiler<'p> {
    language: Language,
    problems: &'p mut Problems,
    /// How much the tables of its patterns hold, in bytes.
    tables: usize,
}

const ACTIONS: [&str; 2] = ["allow", "deny"];
const OPERATORS: [&str; 4] = ["and", "nor", "not", "or"];
/// What people write who come from elsewhere.
const SYNONYMS: [(&str, &str); 14] = [
    ("all", "and"),
    ("all_of", "and"),
    ("any", "or"),
    ("any_of", "or"),
    ("none", "not"),
    ("none_of", "not"),
    ("permit", "allow"),
    ("forbid", "deny"),
    ("reject", "deny"),
    ("equals", "is"),
    ("eq", "is"),
    ("regex", "matches"),
    ("prefix", "starts_with"),
    ("suffix", "ends_with"),
];
/// What a policy that is one map may say besides its rules.
const SETTINGS: &[&str] = &["mode", "rules"];
const MODES: [&str; 2] = ["dry_run", "enforce"];

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

    /// Something that loads and is probably not meant.
    fn tell(
        &mut self,
        advice: Advice,
        place: &Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problems.tell(Notice::new(advice, place, message).help(help));
    }

    /// The problem of a name that is not in `known`.
    fn unknown(&mut self, code: &'static str, entry: &Entry, what: &str, known: &[&str]) {
        let known: Vec<&str> =
            known.iter().copied().filter(|name| self.language.knows(name)).collect();
        let meant = SYNONYMS.into_iter().find(|(other, _)| *other == entry.key);
        let meant = meant.map(|(_, name)| name).filter(|name| known.contains(name));
        let help = match meant.or_else(|| nearest(&entry.key, &known)) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known: {}", known.join(", ")),
        };
        self.problem(code, &entry.place, format!("unknown {what} `{}`", entry.key), help);
    }

    /// The maps of rules in a document, and what their verdict is for.
    fn root<'n>(&mut self, document: &'n Node) -> (Mode, Vec<&'n Node>) {
        match &document.value {
            Value::List(items) => (Mode::Enforce, items.iter().collect()),
            Value::Map(entries) if self.language.extensions => {
                let (mode, rules) = (self.once(entries, "mode"), self.once(entries, "rules"));
                let mode = mode.map_or(Mode::Enforce, |entry| self.mode(&entry.node));
                let mut maps = vec![document];
                if let Some(rules) = rules {
                    maps.extend(self.listed_rules(&rules.node));
                }
                (mode, maps)
            }
            Value::Map(_) => (Mode::Enforce, vec![document]),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
                let kind = document.value.kind();
                let message = format!("a policy must be a map or a list of maps, not {kind}");
                let help = "begin with `allow:` or `deny:`";
                self.problem("root_type", &document.place, message, help);
                (Mode::Enforce, Vec::new())
            }
        }
    }

    /// The entry of this name. SECURITY: of two that differ in case alone, one would go unread.
    fn once<'n>(&mut self, entries: &'n [Entry], name: &str) -> Option<&'n Entry> {
        let language = self.language;
        let mut named = entries.iter().filter(|entry| language.read(&entry.key) == name);
        let first = named.next();
        for other in named {
            let message = format!("`{name}` is given twice, as `{}` too", other.key);
            self.problem("yaml_duplicate_key", &other.place, message, "keep one of the two");
        }
        first
    }

    fn mode(&mut self, node: &Node) -> Mode {
        let text = if let Value::Text(text) = &node.value { Some(text.as_str()) } else { None };
        match text {
            Some("enforce") => return Mode::Enforce,
            Some("dry_run") => return Mode::DryRun,
            Some(_) | None => {}
        }
        let said = text.map_or_else(|| node.value.kind().to_owned(), |text| format!("`{text}`"));
        let help = text.and_then(|text| nearest(text, &MODES)).map_or_else(
            || "write `mode: enforce` or `mode: dry_run`".to_owned(),
            |mode| format!("did you mean `{mode}`?"),
        );
        self.problem("bad_mode", &node.place, format!("{said} is no mode"), help);
        Mode::Enforce
    }

    fn listed_rules<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        if let Value::List(items) = &node.value {
            return items;
        }
        let message = format!("`rules` holds a list of rules, not {}", node.value.kind());
        self.problem("rule_type", &node.place, message, "begin each with `- allow:` or `- deny:`");
        &[]
    }

    /// The rules of a map, apart from its `settings`.
    fn rules(&mut self, map: &Node, settings: &[&str]) -> Vec<Rule> {
        let Some(entries) = map.entries() else {
            let message = format!("a rule must be a map, not {}", map.value.kind());
            self.problem("rule_type", &map.place, message, "begin with `allow:` or `deny:`");
            return Vec::new();
        };
        let mut rules = Vec::new();
        for entry in entries {
            let effect = match self.language.read(&entry.key).as_str() {
                "allow" => Effect::Allow,
                "deny" => Effect::Deny,
                name if self.language.extensions && settings.contains(&name) => continue,
                name if SETTINGS.contains(&name) => {
                    self.misplaced(entry, name);
                    continue;
                }
                _ => {
                    self.unknown("unknown_action", entry, "action", &ACTIONS);
                    continue;
                }
            };
            rules.push(Rule { effect, groups: self.groups(entry).into() });
        }
        rules
    }

    /// The problem of a setting of a whole policy that stands elsewhere.
    fn misplaced(&mut self, entry: &Entry, name: &str) {
        if !self.language.extensions && name == "mode" {
            return self.not_pomeriums(entry, "action");
        }
        let help = if self.language.extensions {
            "it is for a whole policy: write `{mode: …, rules: […]}`"
        } else {
            "put the list in place of the map that holds it, or turn `strict_pomerium` off"
        };
        self.problem("unknown_action", &entry.place, format!("unknown action `{name}`"), help);
    }

    fn groups(&mut self, action: &Entry) -> Vec<CriteriaGroup> {
        let body = &action.node;
        let Some(entries) = body.entries() else {
            let message = format!("`allow` and `deny` hold a map, not {}", body.value.kind());
            let help = "write `and:`, `or:`, `not:` or `nor:` below it";
            self.problem("action_body_type", &body.place, message, help);
            return Vec::new();
        };
        let mut groups = Vec::new();
        for entry in entries {
            let operator = match self.language.read(&entry.key).as_str() {
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
            let criteria = joined(self.criteria(entry), operator);
            if criteria.is_empty() {
                self.notice_empty(action, entry);
            } else {
                let (criteria, place) = (criteria.into(), entry.place.clone());
                groups.push(CriteriaGroup { operator, criteria, place });
            }
        }
        groups
    }

    fn notice_empty(&mut self, action: &Entry, operator: &Entry) {
        if matches!(&operator.node.value, Value::List(items) if items.is_empty()) {
            let (action, name) = (&action.key, &operator.key);
            let message = format!(
                "an empty `{name}` says nothing: it makes `{action}` neither hold nor fail"
            );
            let help = "remove it, or write what is asked below it";
            self.tell(Advice::EmptyGroup, &operator.place, message, help);
        }
    }

    fn criteria(&mut self, entry: &Entry) -> Vec<Criterion> {
        let Value::List(items) = &entry.node.value else {
            let kind = entry.node.value.kind();
            let message = format!("`{}` holds a list of criteria, not {kind}", entry.key);
            let help = "begin each criterion with `- `";
            self.problem("operator_type", &entry.node.place, message, help);
            return Vec::new();
        };
        items.iter().filter_map(|item| self.criterion_of(item)).collect()
    }

    fn criterion_of(&mut self, item: &Node) -> Option<Criterion> {
        match item.entries() {
            Some([entry]) => {
                let question = self.question(entry)?;
                let text = flow_entry(&entry.key, &entry.node);
                let written = Written { text, place: entry.place.clone() };
                Some(Criterion { question, written, members: Vec::new() })
            }
            Some(entries) => {
                let message = format!("a criterion has exactly one name, not {}", entries.len());
                let help = "begin each criterion with its own `- `";
                self.problem("criterion_arity", &item.place, message, help);
                None
            }
            None => {
                let kind = item.value.kind();
                let message = format!("a criterion is a map with one name, not {kind}");
                self.problem("criterion_type", &item.place, message, "write it as `name: value`");
                None
            }
        }
    }
}
