//! Who is signed in, and who acts as whom.

use super::frame::{Acting, Frame, Place};
use super::{path, rendered};
use crate::time::Timestamp;
use askama::Template;
use url::form_urlencoded;

/// The list of sessions, for administrators.
#[derive(Clone, Debug, Template)]
#[template(path = "sessions.html", config = ".askama.toml")]
pub struct SessionsPage {
    pub frame: Frame,
    pub rows: Vec<SessionRow>,
    /// Only of this person: user id or e-mail address. Empty for everybody.
    pub person: String,
    /// Only those who act as somebody else.
    pub impersonating: bool,
    pub paging: Paging,
    /// Something that was just done, in one sentence; empty for nothing.
    pub notice: String,
}

/// One session.
#[derive(Clone, Debug, Default)]
pub struct SessionRow {
    /// The public name.
    pub id: String,
    pub user_id: String,
    pub email: String,
    pub name: String,
    pub provider: String,
    pub opened: Timestamp,
    pub expires: Timestamp,
    /// Where the sign-in came from; empty if unknown.
    pub address: String,
    pub acting: Option<Acting>,
    /// Whether it is the session of whoever looks.
    pub own: bool,
}

/// Which part of a list is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paging {
    /// How many stand before.
    pub offset: usize,
    /// How many are shown at once.
    pub size: usize,
    /// Whether there are more after.
    pub more: bool,
}

impl SessionsPage {
    const PLACE: Place = Place::Sessions;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn is_filtered(&self) -> bool {
        !self.person.is_empty() || self.impersonating
    }

    fn first(&self) -> usize {
        self.paging.offset + 1
    }

    fn last(&self) -> usize {
        self.paging.offset + self.rows.len()
    }

    /// The same list from another place on.
    fn address(&self, offset: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.person.is_empty() {
            query.append_pair("person", &self.person);
        }
        if self.impersonating {
            query.append_pair("impersonating", "on");
        }
        query.append_pair("offset", &offset.to_string());
        format!("{}?{}", path::SESSIONS, query.finish())
    }

    fn previous(&self) -> Option<String> {
        let Paging { offset, size, .. } = self.paging;
        (offset > 0).then(|| self.address(offset.saturating_sub(size)))
    }

    fn next(&self) -> Option<String> {
        self.paging.more.then(|| self.address(self.last()))
    }
}

impl SessionRow {
    /// E-mail address, else user id.
    pub(super) fn called(&self) -> &str {
        if self.email.is_empty() { &self.user_id } else { &self.email }
    }
}
