//! What people did, as an append-only log. Each entry carries a keyed hash over itself and the one
//! before, so that nobody without the key can change, remove or insert one unnoticed.

mod chain;

pub use chain::{ChainKey, ChainProblem, Entry, Head, verify};
pub(crate) use chain::{event_json, event_of_json};

use crate::id::SessionId;
use crate::session::Origin;
use crate::time::Timestamp;

/// Something worth keeping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub at: Timestamp,
    pub verb: Verb,
    /// Who did it; empty names if nobody is known.
    pub actor: Who,
    /// To whom, or as whom.
    pub subject: Option<Who>,
    /// The session it is about.
    pub session: Option<SessionId>,
    /// Why, in the words of whoever did it.
    pub reason: String,
    /// What else there is to know, such as why something was refused.
    pub detail: String,
    pub origin: Origin,
}

/// Somebody, as an entry names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    pub user: String,
    pub email: String,
    /// The groups that were asked for, if groups were.
    pub groups: Vec<String>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    SignIn,
    SignInFailed,
    /// The provider confirmed the person again.
    Refresh,
    /// The provider did not, and the session is over.
    RefreshRefused,
    SignOut,
    /// The provider ended the session.
    ProviderSignOut,
    /// An administrator ended the session.
    Revoke,
    ImpersonationStart,
    ImpersonationStop,
    /// Time, a refresh or the end of the session ended it.
    ImpersonationEnd,
    ImpersonationRefused,
    /// An administrative request that was refused.
    AdministrationRefused,
    /// A token was given to a program.
    ProgrammaticSignIn,
}

impl Verb {
    pub const ALL: [Self; 13] = [
        Self::SignIn,
        Self::SignInFailed,
        Self::Refresh,
        Self::RefreshRefused,
        Self::SignOut,
        Self::ProviderSignOut,
        Self::Revoke,
        Self::ImpersonationStart,
        Self::ImpersonationStop,
        Self::ImpersonationEnd,
        Self::ImpersonationRefused,
        Self::AdministrationRefused,
        Self::ProgrammaticSignIn,
    ];

    /// As it stands in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::SignInFailed => "sign-in-failed",
            Self::Refresh => "refresh",
            Self::RefreshRefused => "refresh-refused",
            Self::SignOut => "sign-out",
            Self::ProviderSignOut => "provider-sign-out",
            Self::Revoke => "revoke",
            Self::ImpersonationStart => "impersonation-start",
            Self::ImpersonationStop => "impersonation-stop",
            Self::ImpersonationEnd => "impersonation-end",
            Self::ImpersonationRefused => "impersonation-refused",
            Self::AdministrationRefused => "administration-refused",
            Self::ProgrammaticSignIn => "programmatic-sign-in",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.name() == name)
    }
}
