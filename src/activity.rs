//! What people did, as an append-only log. Each entry carries a keyed hash over itself and the one
//! before, so that nobody without the key can change, remove or insert one unnoticed.

mod chain;

pub use chain::{ChainKey, ChainProblem, Entry, Head, verify};
pub(crate) use chain::{event_json, event_of_json};

use crate::id::{CredentialId, NamespaceId, SessionId};
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
    /// What was administered, if something was.
    pub deed: Option<Box<Deed>>,
}

/// An administrative act: on what, by what right, and what it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    pub by: ActorKind,
    /// The credential that was shown, if a machine did it.
    pub credential: Option<CredentialId>,
    pub entity: EntityKind,
    /// Its id.
    pub id: String,
    /// As it is called.
    pub name: String,
    pub namespace: Option<NamespaceId>,
    pub outcome: Outcome,
    /// What it was, as a JSON object without secrets; empty if it was not there.
    pub before: String,
    /// What it is now; empty if it is gone.
    pub after: String,
}

/// By what right somebody administers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    Person,
    ServiceAccount,
    /// The bootstrap secret.
    Bootstrap,
    /// Somebody at the terminal of the server.
    Terminal,
}

/// What kind of thing was administered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntityKind {
    Namespace,
    Permission,
    ServiceAccount,
    Credential,
    Policy,
    Route,
    User,
    Deployment,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// The right to it was missing.
    Denied,
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
    Create,
    Update,
    Delete,
    Disable,
    Enable,
    IssueCredential,
    RotateCredential,
    RevokeCredential,
    /// A credential was shown after another one had taken its place.
    CredentialReused,
    GrantRole,
    RemoveRole,
    Block,
    Unblock,
    BootstrapUsed,
    /// The bootstrap secret is no good any more.
    BootstrapClosed,
}

impl Verb {
    pub const ALL: [Self; 28] = [
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
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Disable,
        Self::Enable,
        Self::IssueCredential,
        Self::RotateCredential,
        Self::RevokeCredential,
        Self::CredentialReused,
        Self::GrantRole,
        Self::RemoveRole,
        Self::Block,
        Self::Unblock,
        Self::BootstrapUsed,
        Self::BootstrapClosed,
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
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::IssueCredential => "issue-credential",
            Self::RotateCredential => "rotate-credential",
            Self::RevokeCredential => "revoke-credential",
            Self::CredentialReused => "credential-reused",
            Self::GrantRole => "grant-role",
            Self::RemoveRole => "remove-role",
            Self::Block => "block",
            Self::Unblock => "unblock",
            Self::BootstrapUsed => "bootstrap-used",
            Self::BootstrapClosed => "bootstrap-closed",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.name() == name)
    }
}

impl ActorKind {
    pub const ALL: [Self; 4] =
        [Self::Person, Self::ServiceAccount, Self::Bootstrap, Self::Terminal];

    /// As it stands in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::ServiceAccount => "service-account",
            Self::Bootstrap => "bootstrap",
            Self::Terminal => "terminal",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl EntityKind {
    pub const ALL: [Self; 8] = [
        Self::Namespace,
        Self::Permission,
        Self::ServiceAccount,
        Self::Credential,
        Self::Policy,
        Self::Route,
        Self::User,
        Self::Deployment,
    ];

    /// As it stands in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Permission => "permission",
            Self::ServiceAccount => "service-account",
            Self::Credential => "credential",
            Self::Policy => "policy",
            Self::Route => "route",
            Self::User => "user",
            Self::Deployment => "deployment",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Outcome {
    /// As it stands in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Done, Self::Denied].into_iter().find(|outcome| outcome.name() == name)
    }
}
