//! Tokens, asked about and revoked by their text (RFC 7662, RFC 7009).

use super::{Actor, Admin, AdminError};
use crate::people::Moment;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::time::Timestamp;

/// What a token is. Nothing but `active: false` is said of one that is not good, or not for `by` to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Introspection {
    pub active: bool,
    pub subject: String,
    pub issued: Option<Timestamp>,
    pub expires: Option<Timestamp>,
    /// The public name of the credential.
    pub id: String,
    pub account: String,
    pub namespace: String,
}

impl Admin {
    /// RFC 7662 §2.2. Takes the role of a viewer in the account's namespace.
    pub async fn introspect(
        &self,
        _by: &Actor,
        _token: &Secret<String>,
        _now: Timestamp,
    ) -> Result<Introspection, AdminError> {
        Err(AdminError::Unavailable(StoreError::unavailable("not made yet")))
    }

    /// RFC 7009 §2.2: whoever holds a token may revoke it; one that is no token of ours is no error.
    pub async fn revoke_token(
        &self,
        _token: &Secret<String>,
        _at: Moment<'_>,
    ) -> Result<(), AdminError> {
        Err(AdminError::Unavailable(StoreError::unavailable("not made yet")))
    }

    /// Whoever shows the bootstrap secret, while it is good. Its use is written down.
    pub async fn bootstrap(
        &self,
        _secret: &Secret<String>,
        _at: Moment<'_>,
    ) -> Result<Option<Actor>, AdminError> {
        Ok(None)
    }

    /// An administrator has signed in: from now on the bootstrap secret is no good.
    pub async fn close_bootstrap(&self, _by: &Actor, _at: Moment<'_>) -> Result<(), AdminError> {
        Err(AdminError::Unavailable(StoreError::unavailable("not made yet")))
    }
}
