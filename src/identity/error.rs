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
    #[error("the token names somebody else than its record")]
    RecordMismatch,
    #[error("the token refers to a credential that is not known")]
    UnknownCredential,
    #[error("the credential was revoked")]
    CredentialRevoked,
    #[error("another credential stands in the place of this one")]
    CredentialSuperseded,
    #[error("the credential expired at {} (unix time)", .0.unix())]
    CredentialExpired(Timestamp),
    #[error("the service account was deleted")]
    AccountDeleted,
    #[error("the service account is disabled")]
    AccountDisabled,
    #[error("the service account expired at {} (unix time)", .0.unix())]
    AccountExpired(Timestamp),
    #[error("a person has the user id of the service account")]
    AccountNameTaken,
    #[error("the person whom the service account acts as is not in the directory any more")]
    PersonGone,
    #[error("the person is blocked")]
    PersonBlocked,
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
            Self::UnknownCredential => "unknown-credential",
            Self::CredentialRevoked => "credential-revoked",
            Self::CredentialSuperseded => "credential-superseded",
            Self::CredentialExpired(_) => "credential-expired",
            Self::AccountDeleted => "service-account-deleted",
            Self::AccountDisabled => "service-account-disabled",
            Self::AccountExpired(_) => "service-account-expired",
            Self::AccountNameTaken => "service-account-name-taken",
            Self::PersonGone => "impersonated-user-gone",
            Self::PersonBlocked => "user-blocked",
        }
    }
}
