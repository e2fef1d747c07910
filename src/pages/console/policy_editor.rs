//! The editor of policies: as rows to choose from, or as text.

use super::parts::{Mistakes, counted};
use super::path;
use crate::pages::frame::{Frame, Place};
use crate::pages::rendered;
use askama::Template;

/// Makes or changes a policy. Fields: `namespace`, `key`, `version`, `name`, `description`,
/// `explanation`, `remediation`, `enforced` (`on`), `to-N` (a route's id), `view` (`builder` or `text`);
/// `text`, or for each row `effect-N`, `criterion-N`, `of-N`, `operator-N`, `value-N`; and `do`: `save`,
/// `check`, `builder`, `text`, `add`, `remove-N`.
#[derive(Clone, Debug, Template)]
#[template(path = "console/policy_editor.html", config = ".askama.toml")]
pub struct PolicyEditorPage {
    pub frame: Frame,
    /// Empty for a new one.
    pub id: String,
    pub namespace_id: String,
    /// Path.
    pub namespace: String,
    pub form: PolicyForm,
    pub body: PolicyBody,
    pub problems: Vec<ProblemShown>,
    /// Whether it was checked and is good.
    pub good: bool,
    /// Routes it can be given to, or counts on.
    pub routes: Vec<RouteChoice>,
    /// How many routes it would count on if it were enforced.
    pub reach: u64,
    /// Whether they may enforce it.
    pub administers: bool,
    pub mistakes: Mistakes,
}

/// What was typed besides the policy.
#[derive(Clone, Debug, Default)]
pub struct PolicyForm {
    pub name: String,
    pub description: String,
    pub explanation: String,
    pub remediation: String,
    pub enforced: bool,
    pub key: String,
    pub version: String,
}

/// The policy, in one of two ways.
#[derive(Clone, Debug)]
pub enum PolicyBody {
    Builder(Vec<RuleRow>),
    /// With why it cannot be shown as rows; empty if it can.
    Text {
        text: String,
        why: String,
    },
}

/// A rule of one criterion.
#[derive(Clone, Debug, Default)]
pub struct RuleRow {
    /// Whether it denies.
    pub deny: bool,
    /// As policies call it.
    pub criterion: String,
    /// Of which claim, header or parameter.
    pub of: String,
    pub operator: String,
    pub value: String,
    /// What is wrong with it; empty if nothing is.
    pub wrong: String,
}

/// What is wrong with the policy.
#[derive(Clone, Debug, Default)]
pub struct ProblemShown {
    /// 0 for the whole.
    pub line: usize,
    pub column: usize,
    pub message: String,
    pub help: String,
}

/// A route that can be chosen.
#[derive(Clone, Debug, Default)]
pub struct RouteChoice {
    pub id: String,
    pub from: String,
    /// Path.
    pub namespace: String,
    pub chosen: bool,
}

/// A criterion that rows can hold: its name, its label, and what goes with it.
#[derive(Clone, Copy, Debug)]
pub struct Criterion {
    pub name: &'static str,
    pub(super) label: &'static str,
    pub takes: Takes,
}

/// What a criterion takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Nothing,
    /// Values, of which one has to fit.
    Plain,
    Text,
    List,
    /// Of a thing with a name.
    NamedText,
    NamedList,
}

/// What rows can hold.
pub const CRITERIA: [Criterion; 11] = [
    Criterion { name: "user", label: "User", takes: Takes::Text },
    Criterion { name: "email", label: "E-mail address", takes: Takes::Text },
    Criterion { name: "domain", label: "E-mail domain", takes: Takes::Text },
    Criterion { name: "groups", label: "Group", takes: Takes::List },
    Criterion { name: "claim", label: "Claim …", takes: Takes::NamedList },
    Criterion { name: "authenticated_user", label: "Anybody signed in", takes: Takes::Nothing },
    Criterion { name: "accept", label: "Everybody", takes: Takes::Nothing },
    Criterion { name: "http_method", label: "Method", takes: Takes::Text },
    Criterion { name: "http_path", label: "Path", takes: Takes::Text },
    Criterion { name: "http_header", label: "Header …", takes: Takes::NamedText },
    Criterion { name: "source_ip", label: "Source address", takes: Takes::Plain },
];

/// Operators on texts, with their labels.
pub const ON_TEXT: [(&str, &str); 7] = [
    ("is", "is"),
    ("not", "is not"),
    ("in", "is one of"),
    ("not_in", "is none of"),
    ("starts_with", "starts with"),
    ("ends_with", "ends with"),
    ("contains", "contains"),
];
/// Operators on lists.
pub const ON_LIST: [(&str, &str); 2] = [("has", "has"), ("exclude", "has not")];

impl PolicyEditorPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn action(&self) -> String {
        if self.id.is_empty() {
            path::NEW_POLICY.to_owned()
        } else {
            path::policy(&self.id, "edit")
        }
    }

    fn back(&self) -> String {
        if self.id.is_empty() { path::POLICIES.to_owned() } else { path::policy(&self.id, "") }
    }

    fn applies_to(&self) -> String {
        counted(self.reach, "route", "routes")
    }

    fn is_wrong(&self) -> bool {
        !self.problems.is_empty() || self.mistakes.are_there()
    }
}

impl Criterion {
    pub(super) fn kind(&self) -> &'static str {
        match self.takes {
            Takes::Nothing => "nothing",
            Takes::Plain => "plain",
            Takes::Text => "text",
            Takes::List => "list",
            Takes::NamedText => "text named",
            Takes::NamedList => "list named",
        }
    }
}
