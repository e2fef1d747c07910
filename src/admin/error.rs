//! Why a verb of administration was not done.

use crate::namespace::Role;
use crate::store::StoreError;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Everything that cannot be taken as it was written.
    #[error("{} cannot be taken as written", fields(.0))]
    Invalid(Vec<FieldError>),
    /// It is not there; or whoever asks may not know that it is.
    #[error("there is no such {}", .0.name())]
    NotFound(What),
    /// It may be seen and not done.
    #[error("this takes the role `{}` {place}", .role.name())]
    Forbidden {
        role: Role,
        /// Where, such as `in Global / Design`.
        place: String,
    },
    /// A rule forbids it, whatever the role. Says which, and what to do.
    #[error("{0}")]
    Refused(String),
    /// Something that must be unique is there already; by field.
    #[error("`{0}` is taken")]
    Taken(&'static str),
    /// Something needs it, or it stands in the way. Says what, and what to do.
    #[error("{0}")]
    InUse(String),
    /// It has been changed since the version that was named.
    #[error("it was changed meanwhile; read it again")]
    Changed,
    /// Whoever asks must sign in again first: the session is too old for this.
    #[error("sign in again to do this")]
    NotFresh,
    /// Nothing was decided.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl AdminError {
    /// Refuses to change what is not of the version any more that was expected, if one was.
    pub(super) fn unless_expected(expected: Option<u64>, version: u64) -> Result<(), Self> {
        if expected.is_none_or(|expected| expected == version) {
            Ok(())
        } else {
            Err(Self::Changed)
        }
    }
}

/// Something written that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// As the API calls it, such as `name` or `expires_at`.
    pub field: &'static str,
    /// A sentence without its dot, in lower case, that says what to do.
    pub message: String,
}

/// What kind of thing is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Namespace,
    Permission,
    ServiceAccount,
    Credential,
    Policy,
    Route,
    User,
    Entry,
}

impl What {
    pub fn name(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Permission => "permission",
            Self::ServiceAccount => "service account",
            Self::Credential => "credential",
            Self::Policy => "policy",
            Self::Route => "route",
            Self::User => "user",
            Self::Entry => "entry",
        }
    }
}

fn fields(errors: &[FieldError]) -> String {
    errors.iter().map(|error| format!("`{}`", error.field)).collect::<Vec<_>>().join(", ")
}
