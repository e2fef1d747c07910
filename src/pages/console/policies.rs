//! The list of policies, and one of them.

use super::parts::{Notice, counted};
use super::path;
use crate::pages::frame::{Frame, Place};
use crate::pages::rendered;
use crate::time::Timestamp;
use askama::Template;

/// Policies of a namespace, or of it and those below.
#[derive(Clone, Debug, Template)]
#[template(path = "console/policies.html", config = ".askama.toml")]
pub struct PoliciesPage {
    pub frame: Frame,
    pub notice: Notice,
    pub rows: Vec<PolicyRow>,
    /// What is looked for.
    pub text: String,
    pub recursive: bool,
    pub manages: bool,
    /// Whom a policy is sought for, to be added to it; empty for nobody.
    pub for_user: String,
}

/// A policy in a list.
#[derive(Clone, Debug, Default)]
pub struct PolicyRow {
    pub id: String,
    pub name: String,
    pub description: String,
    /// Path.
    pub namespace: String,
    pub enforced: bool,
    /// How many routes it counts on.
    pub routes: u64,
    /// `None` for one of the configuration.
    pub modified: Option<Timestamp>,
    pub modified_by: String,
    pub in_file: bool,
    /// Why it does not compile.
    pub broken: String,
}

/// One policy.
#[derive(Clone, Debug, Template)]
#[template(path = "console/policy.html", config = ".askama.toml")]
pub struct PolicyPage {
    pub frame: Frame,
    pub notice: Notice,
    pub row: PolicyRow,
    pub explanation: String,
    pub remediation: String,
    /// Empty for one of the configuration.
    pub text: String,
    /// The routes it counts on, by id.
    pub routes: Vec<String>,
    /// Whether they may change it.
    pub manages: bool,
}

impl PoliciesPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn new_policy(&self) -> String {
        path::with(path::NEW_POLICY, [("for", self.for_user.as_str())])
    }

    fn is_filtered(&self) -> bool {
        !self.text.is_empty()
    }
}

impl PolicyRow {
    pub(in crate::pages) fn href(&self) -> String {
        path::policy(&self.id, "")
    }

    /// Its editor, with somebody to be added to it.
    pub(in crate::pages) fn edit(&self, for_user: &str) -> String {
        path::with("/console/policy/edit", [("id", self.id.as_str()), ("for", for_user)])
    }

    pub(in crate::pages) fn counts_on(&self) -> String {
        counted(self.routes, "route", "routes")
    }
}

impl PolicyPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn delete(&self) -> String {
        path::policy(&self.row.id, "delete")
    }
}
