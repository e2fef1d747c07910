//! The credentials of an account: issued, rotated with an overlap, revoked.

use super::{Actor, Admin, AdminError};
use crate::id::{CredentialId, ServiceAccountId};
use crate::people::Moment;
use crate::secret::Secret;
use crate::service_account::CredentialRecord;
use crate::store::StoreError;
use crate::time::Timestamp;
use std::time::Duration;

/// A new credential with its token, which is shown once and kept nowhere.
#[derive(Debug)]
pub struct Minted {
    pub credential: CredentialRecord,
    pub token: Secret<String>,
}

/// How long the credentials before a rotation stay good: at most 30 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap(pub Duration);

fn not_yet() -> AdminError {
    AdminError::Unavailable(StoreError::unavailable("not made yet"))
}

impl Admin {
    /// The credentials of an account, the latest first.
    pub async fn credentials(
        &self,
        _by: &Actor,
        _id: &ServiceAccountId,
        _now: Timestamp,
    ) -> Result<Vec<CredentialRecord>, AdminError> {
        Err(not_yet())
    }

    /// One more, beside those that are good.
    pub async fn issue_credential(
        &self,
        _by: &Actor,
        _id: &ServiceAccountId,
        _expires: Option<Timestamp>,
        _at: Moment<'_>,
    ) -> Result<Minted, AdminError> {
        Err(not_yet())
    }

    /// A new one in the place of all that are good, which stay so for the overlap.
    pub async fn rotate(
        &self,
        _by: &Actor,
        _id: &ServiceAccountId,
        _overlap: Overlap,
        _at: Moment<'_>,
    ) -> Result<Minted, AdminError> {
        Err(not_yet())
    }

    /// Revoked already is no error.
    pub async fn revoke_credential(
        &self,
        _by: &Actor,
        _id: &ServiceAccountId,
        _credential: &CredentialId,
        _at: Moment<'_>,
    ) -> Result<CredentialRecord, AdminError> {
        Err(not_yet())
    }
}
