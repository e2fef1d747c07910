//! The activity log as a page.

use super::frame::{Frame, Place, Target};
use super::{path, rendered};
use crate::activity::Verb;
use crate::time::Timestamp;
use askama::Template;
use url::form_urlencoded;

/// What people did, for administrators; the latest first.
#[derive(Clone, Debug, Template)]
#[template(path = "activity.html", config = ".askama.toml")]
pub struct ActivityPage {
    pub frame: Frame,
    pub rows: Vec<ActivityRow>,
    /// Only with this user id or e-mail address. Empty for everybody.
    pub who: String,
    /// Only entries with a lower number.
    pub before: Option<u64>,
    /// Whether there are older ones.
    pub more: bool,
    pub integrity: Integrity,
}

/// Whether the log is complete and unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integrity {
    Unchecked,
    /// Up to and with this number.
    Verified(u64),
    /// This entry is not what was written.
    Broken(u64),
}

/// One entry.
#[derive(Clone, Debug)]
pub struct ActivityRow {
    pub number: u64,
    pub at: Timestamp,
    pub verb: Verb,
    /// Who did it: e-mail address, else user id. Empty if nobody is known.
    pub actor: String,
    /// Their user id, if it is not how they are called.
    pub actor_id: String,
    /// To whom, or as whom.
    pub subject: Option<Target>,
    pub reason: String,
    pub detail: String,
    pub address: String,
    pub request_id: String,
    pub session: String,
}

impl ActivityPage {
    const PLACE: Place = Place::Activity;

    pub fn render(&self) -> String {
        rendered(self)
    }

    /// The same list, of entries with a lower number than this.
    fn address(&self, before: Option<u64>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.who.is_empty() {
            query.append_pair("who", &self.who);
        }
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        format!("{}?{}", path::ACTIVITY, query.finish())
    }

    /// The number to go on from.
    fn older(&self) -> Option<u64> {
        self.rows.last().filter(|_| self.more).map(|row| row.number)
    }
}

impl ActivityRow {
    /// What was done, for a reader.
    fn what(&self) -> &'static str {
        said(self.verb)
    }

    /// Which mark it gets.
    fn mark(&self) -> &'static str {
        mark(self.verb)
    }
}

/// What was done, for a reader.
pub(super) fn said(verb: Verb) -> &'static str {
    match verb {
        Verb::SignIn => "Signed in",
        Verb::SignInFailed => "Sign-in failed",
        Verb::Refresh => "Confirmed by the provider",
        Verb::RefreshRefused => "No longer confirmed by the provider",
        Verb::SignOut => "Signed out",
        Verb::ProviderSignOut => "Signed out by the provider",
        Verb::Revoke => "Session ended by an administrator",
        Verb::ImpersonationStart => "Began to act as somebody else",
        Verb::ImpersonationStop => "Stopped acting as somebody else",
        Verb::ImpersonationEnd => "Acting as somebody else ended",
        Verb::ImpersonationRefused => "Was not let act as somebody else",
        Verb::AdministrationRefused => "Administration refused",
        Verb::ProgrammaticSignIn => "A program was given a token",
        Verb::Create => "Created",
        Verb::Update => "Changed",
        Verb::Delete => "Deleted",
        Verb::Disable => "Disabled",
        Verb::Enable => "Enabled",
        Verb::IssueCredential => "Credential issued",
        Verb::RotateCredential => "Credential rotated",
        Verb::RevokeCredential => "Credential revoked",
        Verb::CredentialReused => "Superseded credential used",
        Verb::GrantRole => "Role given",
        Verb::RemoveRole => "Role taken away",
        Verb::Block => "Blocked",
        Verb::Unblock => "Unblocked",
        Verb::BootstrapUsed => "Bootstrap secret used",
        Verb::BootstrapClosed => "Bootstrap secret turned off",
    }
}

/// Which mark it gets.
pub(super) fn mark(verb: Verb) -> &'static str {
    match verb {
        Verb::SignInFailed
        | Verb::RefreshRefused
        | Verb::ImpersonationRefused
        | Verb::AdministrationRefused
        | Verb::CredentialReused => "no",
        Verb::ImpersonationStart | Verb::BootstrapUsed => "loud",
        Verb::SignIn | Verb::ProgrammaticSignIn | Verb::Create => "yes",
        Verb::Refresh
        | Verb::SignOut
        | Verb::ProviderSignOut
        | Verb::Revoke
        | Verb::ImpersonationStop
        | Verb::ImpersonationEnd
        | Verb::Update
        | Verb::Delete
        | Verb::Disable
        | Verb::Enable
        | Verb::IssueCredential
        | Verb::RotateCredential
        | Verb::RevokeCredential
        | Verb::GrantRole
        | Verb::RemoveRole
        | Verb::Block
        | Verb::Unblock
        | Verb::BootstrapClosed => "open",
    }
}
