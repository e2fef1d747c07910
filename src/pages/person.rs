//! The page of whoever is signed in: who they are, as whom they act, and their session.

use super::frame::{Frame, Group, Place};
use super::impersonation::ImpersonationForm;
use super::rendered;
use crate::time::Timestamp;
use askama::Template;

/// Who I am. There is nothing of impersonation on it unless `impersonation` is there.
#[derive(Clone, Debug, Template)]
#[template(path = "person.html", config = ".askama.toml")]
pub struct PersonPage {
    pub frame: Frame,
    /// Who holds the session.
    pub person: Person,
    /// As whom they act.
    pub acting_as: Option<Person>,
    pub session: Session,
    /// For those who may.
    pub impersonation: Option<ImpersonationForm>,
    /// Something that was just done, in one sentence; empty for nothing.
    pub notice: String,
}

/// Somebody, as policies see them.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// Empty for a member of groups who is nobody in particular.
    pub user_id: String,
    pub email: String,
    pub name: String,
    pub groups: Vec<Group>,
    pub claims: Vec<Claim>,
}

/// A claim and all it says.
#[derive(Clone, Debug, Default)]
pub struct Claim {
    pub name: String,
    pub values: Vec<String>,
}

/// The session that is looked at.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// The public name, never the secret.
    pub id: String,
    pub opened: Timestamp,
    pub expires: Timestamp,
    /// Who vouched for the person: a host, or `local`.
    pub provider: String,
}

impl PersonPage {
    const PLACE: Place = Place::Person;

    pub fn render(&self) -> String {
        rendered(self)
    }
}

impl Person {
    /// How somebody is called at the head of a page.
    pub(super) fn called(&self) -> &str {
        let names = [&self.name, &self.email, &self.user_id];
        names.into_iter().find(|name| !name.is_empty()).map_or("Nobody in particular", |name| name)
    }
}
