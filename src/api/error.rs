//! Why a call was not answered as asked: one shape for both edges. What failed inside is logged here and
//! told to nobody.

use crate::admin::{AdminError, FieldError};
use crate::store::{StoreError, StoreErrorKind};
use std::time::Duration;

/// A refusal, for gRPC and HTTP to word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ApiError {
    pub kind: ErrorKind,
    /// A stable word for programs, such as `role_missing`.
    pub code: &'static str,
    /// A sentence for people, in lower case and without its dot.
    pub detail: String,
    /// Every field that cannot be taken as it was written.
    pub violations: Vec<Violation>,
    /// When to try again.
    pub wait: Option<Duration>,
}

/// What kind of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    Invalid,
    Unauthenticated,
    Forbidden,
    NotFound,
    Exists,
    /// There is another version than the one that was named.
    Changed,
    /// Something stands in the way.
    Precondition,
    Exhausted,
    Unavailable,
    Internal,
}

/// A field that cannot be taken, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// As the messages call it, with dots where it is inside another; empty for the whole.
    pub field: String,
    pub message: String,
}

impl Violation {
    pub fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), message: message.into() }
    }
}

impl ApiError {
    pub fn new(kind: ErrorKind, code: &'static str, detail: impl Into<String>) -> Self {
        Self { kind, code, detail: detail.into(), violations: Vec::new(), wait: None }
    }

    pub fn invalid(violations: Vec<Violation>) -> Self {
        let names: Vec<_> = violations.iter().map(|found| format!("`{}`", found.field)).collect();
        let detail = match violations.as_slice() {
            [Violation { field, message }] if field.is_empty() => message.clone(),
            _ => format!("{} cannot be taken as written", names.join(", ")),
        };
        Self { violations, ..Self::new(ErrorKind::Invalid, "invalid", detail) }
    }

    /// One field that cannot be taken.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::invalid(vec![Violation::new(field, message)])
    }

    /// With fields as the messages call them.
    #[must_use]
    pub(super) fn called(self, names: &[(&str, &str)]) -> Self {
        if self.kind != ErrorKind::Invalid {
            return self;
        }
        let renamed = self.violations.into_iter().map(|Violation { field, message }| {
            let name = names.iter().find(|(inside, _)| *inside == field);
            Violation { field: name.map_or(field, |(_, outside)| (*outside).to_owned()), message }
        });
        Self::invalid(renamed.collect())
    }

    /// There is another version than the one that was named.
    pub fn changed() -> Self {
        AdminError::Changed.into()
    }
}

impl From<Violation> for ApiError {
    fn from(violation: Violation) -> Self {
        Self::invalid(vec![violation])
    }
}

impl From<AdminError> for ApiError {
    fn from(error: AdminError) -> Self {
        let detail = error.to_string();
        let of = |kind, code| Self::new(kind, code, detail.clone());
        match error {
            AdminError::Invalid(fields) => {
                let told = |FieldError { field, message }| Violation::new(field, message);
                Self::invalid(fields.into_iter().map(told).collect())
            }
            AdminError::NotFound(_) => of(ErrorKind::NotFound, "not_found"),
            AdminError::Forbidden { .. } => of(ErrorKind::Forbidden, "role_missing"),
            AdminError::Refused(_) => of(ErrorKind::Precondition, "refused"),
            AdminError::InUse(_) => of(ErrorKind::Precondition, "in_use"),
            AdminError::Taken(field) => {
                let violations = vec![Violation::new(field, "this is taken")];
                Self { violations, ..of(ErrorKind::Exists, "taken") }
            }
            AdminError::Changed => of(ErrorKind::Changed, "changed"),
            AdminError::NotFresh => of(ErrorKind::Forbidden, "sign_in_again"),
            AdminError::Unavailable(error) => error.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a call of the admin API was not answered");
        let away = "nothing was decided; try again";
        match error.kind() {
            StoreErrorKind::Unavailable => Self {
                wait: Some(Duration::from_secs(1)),
                ..Self::new(ErrorKind::Unavailable, "unavailable", away)
            },
            StoreErrorKind::Conflict => Self::changed(),
            StoreErrorKind::Corrupt => {
                Self::new(ErrorKind::Internal, "fault", "something stored cannot be read")
            }
        }
    }
}
