//! The login form of the local provider.

use super::frame::{Frame, Place, followed};
use super::rendered;
use crate::time::Timestamp;
use askama::Template;

/// Asks for a login and a password. Fields: `login`, `password`.
#[derive(Clone, Debug, Template)]
#[template(path = "sign_in.html", config = ".askama.toml")]
pub struct SignInPage {
    pub frame: Frame,
    /// Where the form is sent, with the signed parameters.
    pub action: String,
    /// Host and path that one lands on, to be shown; empty for the own page.
    pub destination: String,
    /// What was typed before. The password is never shown again.
    pub login: String,
    pub trouble: Option<SignInTrouble>,
}

/// Why there was no sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInTrouble {
    /// A field is empty.
    Incomplete,
    /// Nobody is told whether the login or the password is wrong.
    Wrong,
    /// Too many tries: none is looked at before this.
    Wait(Timestamp),
    /// The form does not belong to this browser any more.
    Stale,
}

impl SignInPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn href(&self) -> &str {
        followed(&self.action)
    }

    /// Whether the fields are what is wrong.
    fn blames_fields(&self) -> bool {
        matches!(self.trouble, Some(SignInTrouble::Incomplete | SignInTrouble::Wrong))
    }
}
