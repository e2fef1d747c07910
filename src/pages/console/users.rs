//! People: found, and one of them; and whatever else was searched for.

use super::accounts::AccountRow;
use super::parts::Notice;
use super::path;
use crate::namespace::Role;
use crate::pages::frame::{Frame, Group, Place};
use crate::pages::rendered;
use crate::time::Timestamp;
use askama::Template;

/// People who fit what was typed.
#[derive(Clone, Debug, Template)]
#[template(path = "console/users.html", config = ".askama.toml")]
pub struct UsersPage {
    pub frame: Frame,
    pub text: String,
    pub rows: Vec<UserRow>,
    /// How many there are, those not shown included.
    pub total: u64,
}

/// Somebody in a list.
#[derive(Clone, Debug, Default)]
pub struct UserRow {
    pub id: String,
    pub name: String,
    pub email: String,
    /// Who knows them: `directory` or `sign-in`.
    pub source: String,
    pub blocked: bool,
}

/// Somebody.
#[derive(Clone, Debug, Template)]
#[template(path = "console/user.html", config = ".askama.toml")]
pub struct UserPage {
    pub frame: Frame,
    pub notice: Notice,
    pub row: UserRow,
    pub groups: Vec<Group>,
    pub last_sign_in: Option<Timestamp>,
    /// Since when, by whom and why they are blocked.
    pub blocked: Option<(Timestamp, String, String)>,
    /// By path of the namespace.
    pub roles: Vec<(String, Role)>,
    /// Accounts that act as them.
    pub accounts: Vec<AccountRow>,
    /// Whether they may be blocked by whoever looks.
    pub may_block: bool,
    /// Whether their accounts may be revoked by whoever looks.
    pub may_revoke: bool,
}

/// What was found of everything.
#[derive(Clone, Debug, Template)]
#[template(path = "console/found.html", config = ".askama.toml")]
pub struct FoundPage {
    pub frame: Frame,
    pub text: String,
    pub accounts: Vec<AccountRow>,
    /// Label and address.
    pub namespaces: Vec<(String, String)>,
    pub policies: Vec<(String, String)>,
    pub routes: Vec<(String, String)>,
    pub people: Vec<UserRow>,
}

impl UsersPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn shown(&self) -> u64 {
        u64::try_from(self.rows.len()).unwrap_or(u64::MAX)
    }
}

impl UserRow {
    pub(in crate::pages) fn called(&self) -> &str {
        let names = [&self.name, &self.email, &self.id];
        names.into_iter().find(|name| !name.is_empty()).map_or("", |name| name)
    }

    pub(in crate::pages) fn href(&self) -> String {
        path::user(&self.id, "")
    }

    pub(in crate::pages) fn below(&self, below: &str) -> String {
        path::user(&self.id, below)
    }
}

impl UserPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn activity(&self) -> String {
        path::with(path::ACTIVITY, [("who", self.row.id.as_str())])
    }

    fn simulate(&self) -> String {
        path::with(path::SIMULATOR, [("who", "user"), ("user", self.row.id.as_str())])
    }

    fn new_account(&self) -> String {
        path::with(path::NEW_ACCOUNT, [("kind", "impersonated"), ("user", self.row.id.as_str())])
    }
}

impl FoundPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    /// Label and address.
    fn people_links(&self) -> Vec<(String, String)> {
        let link = |row: &UserRow| {
            let more = if row.called() == row.email { &row.id } else { &row.email };
            (format!("{} · {more}", row.called()), row.href())
        };
        self.people.iter().map(link).collect()
    }

    fn is_nothing(&self) -> bool {
        self.accounts.is_empty()
            && self.namespaces.is_empty()
            && self.policies.is_empty()
            && self.routes.is_empty()
            && self.people.is_empty()
    }
}
