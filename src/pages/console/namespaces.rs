//! Namespaces: the tree, one of them with the roles given in it, the forms that make, change and move
//! them.

use super::parts::{Choice, Mistakes, Notice, counted};
use super::path;
use crate::namespace::{Made, Role};
use crate::pages::frame::{Frame, Place};
use crate::pages::rendered;
use crate::time::Timestamp;
use askama::Template;

/// The tree, as far as somebody may see it.
#[derive(Clone, Debug, Template)]
#[template(path = "console/namespaces.html", config = ".askama.toml")]
pub struct NamespacesPage {
    pub frame: Frame,
    pub notice: Notice,
    /// Parents before children.
    pub rows: Vec<NamespaceRow>,
}

/// A namespace in the tree.
#[derive(Clone, Debug, Default)]
pub struct NamespaceRow {
    pub id: String,
    pub name: String,
    /// 0 for Global.
    pub depth: usize,
    /// `None` for one that is only on the way to others.
    pub role: Option<Role>,
    /// Path of the namespace where that role was given; empty if it was given here.
    pub role_from: String,
    pub accounts: u64,
    pub routes: u64,
    pub policies: u64,
    pub in_file: bool,
}

/// One namespace.
#[derive(Clone, Debug, Template)]
#[template(path = "console/namespace.html", config = ".askama.toml")]
pub struct NamespacePage {
    pub frame: Frame,
    pub notice: Notice,
    pub row: NamespaceRow,
    /// Path.
    pub path: String,
    pub description: String,
    pub made: Made,
    pub created: Timestamp,
    /// What its accounts are held to, in words, one a line.
    pub lifetime: Vec<String>,
    pub children: Vec<NamespaceRow>,
    /// Roles that count here.
    pub users: Vec<RoleRow>,
    pub groups: Vec<RoleRow>,
    /// What was typed to give a role.
    pub given: RoleForm,
    pub mistakes: Mistakes,
    /// Where to sign in again; empty if that is not needed.
    pub sign_in_again: String,
}

/// A role that counts.
#[derive(Clone, Debug)]
pub struct RoleRow {
    /// `perm_…`
    pub id: String,
    /// User id or group id.
    pub subject: String,
    pub name: String,
    pub email: String,
    /// Whether the directory knows them.
    pub known: bool,
    pub role: Role,
    /// Path of the namespace where it was given, and its id; empty if here.
    pub from: String,
    pub from_id: String,
}

/// What was typed to give a role. Fields: `subject`, `of` (`user` or `group`), `role`.
#[derive(Clone, Debug, Default)]
pub struct RoleForm {
    pub subject: String,
    pub group: bool,
    pub role: Option<Role>,
}

/// Makes or changes a namespace. Fields: `parent`, `name`, `description`, `longest` (days), `required`
/// (`yes`, `no` or nothing), `key`, `version`.
#[derive(Clone, Debug, Template)]
#[template(path = "console/namespace_form.html", config = ".askama.toml")]
pub struct NamespaceFormPage {
    pub frame: Frame,
    /// Empty for a new one.
    pub id: String,
    pub parent_id: String,
    /// Path.
    pub parent: String,
    pub form: NamespaceForm,
    /// Whether they may set rules.
    pub administers: bool,
    pub mistakes: Mistakes,
}

/// What was typed.
#[derive(Clone, Debug, Default)]
pub struct NamespaceForm {
    pub name: String,
    pub description: String,
    pub longest: String,
    pub required: String,
    pub key: String,
    pub version: String,
}

/// Moves a namespace below another one. `GET` with `to` shows what it would change; `POST` moves.
#[derive(Clone, Debug, Template)]
#[template(path = "console/move_namespace.html", config = ".askama.toml")]
pub struct MoveNamespacePage {
    pub frame: Frame,
    pub id: String,
    pub name: String,
    /// Path.
    pub path: String,
    pub targets: Vec<Choice>,
    pub version: u64,
    pub preview: Option<MoveShown>,
    pub mistakes: Mistakes,
}

/// What a move would change.
#[derive(Clone, Debug, Default)]
pub struct MoveShown {
    /// Id and path of the new parent.
    pub to: String,
    pub path: String,
    /// Path, and how many accounts from there reach into it no more, or only then.
    pub lose: Vec<(String, u64)>,
    pub gain: Vec<(String, u64)>,
    pub enforced_lost: Vec<String>,
    pub enforced_gained: Vec<String>,
    pub routes: u64,
    /// Why it cannot be moved there.
    pub obstacles: Vec<String>,
}

impl NamespacesPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }
}

impl NamespaceRow {
    pub(in crate::pages) fn href(&self) -> String {
        path::namespace(&self.id, "")
    }

    pub(in crate::pages) fn below(&self, below: &str) -> String {
        path::namespace(&self.id, below)
    }

    pub(in crate::pages) fn indent(&self) -> String {
        format!("in-{}", self.depth.min(15))
    }

    pub(in crate::pages) fn manages(&self) -> bool {
        self.role >= Some(Role::Manager)
    }

    pub(in crate::pages) fn administers(&self) -> bool {
        self.role >= Some(Role::Admin)
    }

    pub(in crate::pages) fn role_name(&self) -> &'static str {
        self.role.map_or("", Role::name)
    }

    pub(in crate::pages) fn new_child(&self) -> String {
        path::with(path::NEW_NAMESPACE, [("parent", self.id.as_str())])
    }

    /// The list of what is in it.
    pub(in crate::pages) fn list(&self, of: &str) -> String {
        path::with(of, [("ns", self.id.as_str())])
    }
}

impl NamespacePage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn is_given(&self, role: &str) -> bool {
        self.given.role.map_or(role == "viewer", |given| given.name() == role)
    }

    fn made_word(&self) -> &'static str {
        match self.made {
            Made::BuiltIn => "always there",
            Made::InFile => "in the configuration",
            Made::Here => "here",
        }
    }

    fn can_change(&self) -> bool {
        self.made == Made::Here && self.row.manages()
    }
}

impl RoleRow {
    pub(in crate::pages) fn origin(&self) -> String {
        path::namespace(&self.from_id, "")
    }

    pub(in crate::pages) fn called(&self) -> &str {
        let names = [&self.name, &self.email, &self.subject];
        names.into_iter().find(|name| !name.is_empty()).map_or("", |name| name)
    }
}

impl NamespaceFormPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn action(&self) -> String {
        if self.id.is_empty() {
            path::NEW_NAMESPACE.to_owned()
        } else {
            path::namespace(&self.id, "edit")
        }
    }

    fn back(&self) -> String {
        if self.id.is_empty() { path::NAMESPACES.to_owned() } else { path::namespace(&self.id, "") }
    }
}

impl MoveNamespacePage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn action(&self) -> String {
        path::namespace(&self.id, "move")
    }

    fn back(&self) -> String {
        path::namespace(&self.id, "")
    }
}

impl MoveShown {
    pub(in crate::pages) fn changes_nothing(&self) -> bool {
        self.lose.is_empty()
            && self.gain.is_empty()
            && self.enforced_lost.is_empty()
            && self.enforced_gained.is_empty()
    }

    /// `12 routes are`
    pub(in crate::pages) fn routes_are(&self) -> String {
        let verb = if self.routes == 1 { "is" } else { "are" };
        format!("{} {verb}", counted(self.routes, "route", "routes"))
    }
}
