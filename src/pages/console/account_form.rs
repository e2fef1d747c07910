//! The forms that make and change a service account.

use super::parts::{Choice, Mistakes, counted};
use super::path;
use crate::pages::frame::{Frame, Place};
use crate::pages::rendered;
use crate::time::Timestamp;
use askama::Template;

/// Makes an account. Fields: `namespace`, `kind` (`unique` or `impersonated`), `name`, `user`, `unknown`
/// (`on`), `description`, `expiry` (a value of [`Expiries`]), `until` (`YYYY-MM-DDTHH:MM`, UTC), `key`.
#[derive(Clone, Debug, Template)]
#[template(path = "console/new_account.html", config = ".askama.toml")]
pub struct NewAccountPage {
    pub frame: Frame,
    pub namespace_id: String,
    /// Path.
    pub namespace: String,
    /// How many namespaces are below it.
    pub below: u64,
    /// What stands after the name in its user id.
    pub suffix: String,
    pub form: AccountForm,
    pub expiries: Expiries,
    /// Whether they may make accounts that act as people.
    pub may_impersonate: bool,
    /// Whom `user` means, if that is known.
    pub person: Option<PersonShown>,
    /// Whether a user id that nobody knows is offered to be taken all the same.
    pub offers_unknown: bool,
    /// Where to sign in again, and be led back with what was typed; empty if that is not needed.
    pub sign_in_again: String,
    pub mistakes: Mistakes,
}

/// What was typed.
#[derive(Clone, Debug, Default)]
pub struct AccountForm {
    pub impersonating: bool,
    pub name: String,
    pub user: String,
    pub unknown: bool,
    pub description: String,
    /// A value of [`Expiries`].
    pub expiry: String,
    pub until: String,
    /// Makes the same account once.
    pub key: String,
}

/// What may be chosen for the end of an account.
#[derive(Clone, Debug, Default)]
pub struct Expiries {
    /// Without `custom` and `never`.
    pub presets: Vec<Choice>,
    /// Whether it may have no end.
    pub never: bool,
    /// The latest end, if there is one.
    pub latest: Option<Timestamp>,
}

/// Somebody, as a form shows whom it means.
#[derive(Clone, Debug, Default)]
pub struct PersonShown {
    pub id: String,
    pub name: String,
    pub email: String,
    /// Who knows them.
    pub source: String,
}

impl NewAccountPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    /// `and the 3 namespaces below it`
    fn reach(&self) -> String {
        match self.below {
            0 => String::new(),
            1 => " and the namespace below it".to_owned(),
            below => format!(" and the {} below it", counted(below, "namespace", "namespaces")),
        }
    }

    /// The user id of a unique account with the name that was typed.
    fn user_id(&self) -> String {
        let name = self.form.name.trim();
        let name = if name.is_empty() { "NAME" } else { name };
        format!("{name}{}", self.suffix)
    }
}

impl AccountForm {
    fn is(&self, expiry: &str) -> bool {
        self.expiry == expiry
    }
}

/// Changes an account. Fields: `description`, `expiry`, `until`, `version`.
#[derive(Clone, Debug, Template)]
#[template(path = "console/edit_account.html", config = ".askama.toml")]
pub struct AccountEditPage {
    pub frame: Frame,
    pub id: String,
    pub name: String,
    pub user_id: String,
    /// Path.
    pub namespace: String,
    pub impersonating: bool,
    pub version: u64,
    pub expires: Option<Timestamp>,
    /// `expiry` is `keep` besides what [`Expiries`] says.
    pub form: AccountForm,
    pub expiries: Expiries,
    pub mistakes: Mistakes,
}

impl AccountEditPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn href(&self) -> String {
        path::account(&self.id, "")
    }

    fn action(&self) -> String {
        path::account(&self.id, "edit")
    }
}
