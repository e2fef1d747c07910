//! Routes: the list, one of them, and the form that makes and changes them.

use super::account::PolicyMentioned;
use super::parts::{Choice, Mistakes, Notice};
use super::path;
use crate::pages::frame::{Frame, Place};
use crate::pages::rendered;
use crate::time::Timestamp;
use askama::Template;

/// Routes of a namespace, or of it and those below.
#[derive(Clone, Debug, Template)]
#[template(path = "console/routes.html", config = ".askama.toml")]
pub struct RoutesPage {
    pub frame: Frame,
    pub notice: Notice,
    /// In the order in which they are tried.
    pub rows: Vec<RouteRow>,
    pub text: String,
    pub recursive: bool,
    pub manages: bool,
}

/// A route in a list.
#[derive(Clone, Debug, Default)]
pub struct RouteRow {
    pub id: String,
    pub from: String,
    /// Such as `prefix: /api/`; empty for every path.
    pub path: String,
    /// Path of the namespace.
    pub namespace: String,
    pub description: String,
    /// How many policies count on it, those in its own words included.
    pub policies: u64,
    pub in_file: bool,
    /// Other routes that serve some of the same, by id.
    pub overlaps: Vec<String>,
}

/// One route.
#[derive(Clone, Debug, Template)]
#[template(path = "console/route.html", config = ".askama.toml")]
pub struct RoutePage {
    pub frame: Frame,
    pub notice: Notice,
    pub row: RouteRow,
    pub policies: Vec<PolicyMentioned>,
    /// Whether it has policies in its own words.
    pub own_policy: bool,
    pub settings: RouteSettings,
    /// `None` for one of the configuration.
    pub modified: Option<Timestamp>,
    pub modified_by: String,
    /// Whether they may change it.
    pub manages: bool,
}

/// What a route does besides letting in and keeping out.
#[derive(Clone, Copy, Debug, Default)]
pub struct RouteSettings {
    pub pass_identity_headers: bool,
    pub show_error_details: bool,
}

/// Makes or changes a route; of one of the configuration, which policies it has. Fields: `namespace`,
/// `id`, `description`, `from`, `kind`, `path`, `identity` (`on`), `details` (`on`), `policy-N` (an id),
/// `key`, `version`.
#[derive(Clone, Debug, Template)]
#[template(path = "console/route_form.html", config = ".askama.toml")]
pub struct RouteFormPage {
    pub frame: Frame,
    /// Empty for a new one.
    pub id: String,
    pub in_file: bool,
    pub form: RouteForm,
    pub namespaces: Vec<Choice>,
    /// That can be given to it.
    pub policies: Vec<PolicyChoice>,
    /// That count on it anyway.
    pub enforced: Vec<PolicyMentioned>,
    pub mistakes: Mistakes,
}

/// What was typed.
#[derive(Clone, Debug, Default)]
pub struct RouteForm {
    pub id: String,
    pub description: String,
    pub from: String,
    /// Empty for every path; else `path`, `prefix`, `path_separated_prefix` or `regex`.
    pub kind: String,
    pub path: String,
    pub identity: bool,
    pub details: bool,
    pub key: String,
    pub version: String,
}

/// A policy that can be chosen.
#[derive(Clone, Debug, Default)]
pub struct PolicyChoice {
    pub policy: PolicyMentioned,
    pub chosen: bool,
}

/// Keys of the configuration for which paths a route serves, with their labels.
const KINDS: [(&str, &str); 5] = [
    ("", "every path"),
    ("prefix", "paths that begin with"),
    ("path_separated_prefix", "a path and all below it"),
    ("path", "exactly the path"),
    ("regex", "paths that match the pattern"),
];

impl RoutesPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn is_filtered(&self) -> bool {
        !self.text.is_empty()
    }
}

impl RouteRow {
    pub(in crate::pages) fn href(&self) -> String {
        path::route(&self.id, "")
    }
}

impl RoutePage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn edit(&self) -> String {
        path::route(&self.row.id, "edit")
    }

    fn delete(&self) -> String {
        path::route(&self.row.id, "delete")
    }

    fn simulate(&self) -> String {
        let url = format!("{}/", self.row.from);
        path::with(path::SIMULATOR, [("url", url.as_str())])
    }
}

impl RouteFormPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn action(&self) -> String {
        if self.id.is_empty() { path::NEW_ROUTE.to_owned() } else { path::route(&self.id, "edit") }
    }

    fn back(&self) -> String {
        if self.id.is_empty() { path::ROUTES.to_owned() } else { path::route(&self.id, "") }
    }

    fn kinds(&self) -> Vec<Choice> {
        let choice = |(value, label): (&str, &str)| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            chosen: self.form.kind == value,
        };
        KINDS.map(choice).into()
    }
}
