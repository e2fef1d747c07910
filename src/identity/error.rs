//! Why a credential is not usable. Each has a stable code for logs, metrics and documents.

use crate::time::Timestamp;

/// The first rule a credential breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    #[error("the signature does not match the shared key")]
    BadSignature,
    #[error("the token is not signed with HS256: {0}")]
    UnsupportedAlgorithm(&'static str),
    #[error("the token expired at {} (unix time)", .0.unix())]
    Expired(Timestamp),
    #[error("the token has no `exp`")]
    ExpiryRequired,
    #[error("the token is not valid before {} (unix time)", .0.unix())]
    NotYetValid(Timestamp),
    #[error("the token was issued in the future, at {} (unix time)", .0.unix())]
    IssuedInFuture(Timestamp),
    #[error("the issuer `{0}` is not accepted")]
    InvalidIssuer(String),
    #[error("the token is not for `{0}`")]
    InvalidAudience(String),
    #[error("the token refers to a session that is not known")]
    UnknownSession,
    #[error("the session ended at {} (unix time)", .0.unix())]
    RecordExpired(Timestamp),
    #[error("the token names another person than its session")]
    RecordMismatch,
}

impl TokenError {
    /// `malformed`, `bad-signature`, … as written in the `session-error` log field.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::BadSignature => "bad-signature",
            Self::UnsupportedAlgorithm(_) => "unsupported-alg",
            Self::Expired(_) => "expired",
            Self::ExpiryRequired => "expiry-required",
            Self::NotYetValid(_) => "not-yet-valid",
            Self::IssuedInFuture(_) => "issued-in-future",
            Self::InvalidIssuer(_) => "invalid-issuer",
            Self::InvalidAudience(_) => "invalid-audience",
            Self::UnknownSession => "unknown-session",
            Self::RecordExpired(_) => "record-expired",
            Self::RecordMismatch => "record-mismatch",
        }
    }
}
