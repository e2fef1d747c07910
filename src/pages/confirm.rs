//! A question before something ends: what will stop working, and a button that says the verb.

use super::frame::{Frame, Place, followed};
use super::sessions::SessionRow;
use super::{path, rendered};
use askama::Template;

/// Asks once more.
#[derive(Clone, Debug, Template)]
#[template(path = "confirm.html", config = ".askama.toml")]
pub struct ConfirmPage {
    pub frame: Frame,
    pub question: Confirmation,
    /// Where the way back leads.
    pub back: String,
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum Confirmation {
    /// Whether to sign out. `return_to` is sent along as `pomerium_redirect_uri`; empty for none.
    SignOut { return_to: String },
    /// Whether to end somebody's session. Sent along as `session`.
    EndSession(SessionRow),
    /// Whether to stop somebody's impersonation. Sent along as `session`.
    StopImpersonation(SessionRow),
    /// Whether to give a program a token of one's own.
    Program {
        /// Where the form is sent, with the signed parameters.
        action: String,
        /// Where the token is sent: scheme, host and port.
        receiver: String,
        /// The host it is good for.
        host: String,
    },
}

impl ConfirmPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn href(&self) -> &str {
        followed(&self.back)
    }

    fn heading(&self) -> &'static str {
        match self.question {
            Confirmation::SignOut { .. } => "Sign out?",
            Confirmation::EndSession(_) => "End this session?",
            Confirmation::StopImpersonation(_) => "Stop this impersonation?",
            Confirmation::Program { .. } => "Let a program sign in as you?",
        }
    }

    fn action(&self) -> &str {
        match &self.question {
            Confirmation::SignOut { .. } => path::SIGN_OUT,
            Confirmation::EndSession(_) => path::END_SESSION,
            Confirmation::StopImpersonation(_) => path::STOP_SESSION,
            Confirmation::Program { action, .. } => followed(action),
        }
    }

    fn button(&self) -> &'static str {
        match self.question {
            Confirmation::SignOut { .. } => "Sign out",
            Confirmation::EndSession(_) => "End session",
            Confirmation::StopImpersonation(_) => "Stop impersonation",
            Confirmation::Program { .. } => "Let it sign in",
        }
    }

    fn cancel(&self) -> &'static str {
        match self.question {
            Confirmation::SignOut { .. } => "Stay signed in",
            Confirmation::EndSession(_)
            | Confirmation::StopImpersonation(_)
            | Confirmation::Program { .. } => "Cancel",
        }
    }
}
