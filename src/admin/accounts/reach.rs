//! Where an account can go, and which policies name it.

use super::Destination;
use crate::admin::{Actor, Admin, AdminError, PolicyMention};
use crate::id::ServiceAccountId;
use crate::store::StoreError;
use crate::time::Timestamp;

impl Admin {
    /// Where it can go by its namespace, and where policy lets it.
    pub async fn destinations(
        &self,
        _by: &Actor,
        _id: &ServiceAccountId,
        _now: Timestamp,
    ) -> Result<Vec<Destination>, AdminError> {
        Err(AdminError::Unavailable(StoreError::unavailable("not made yet")))
    }

    /// The policies that name its user id.
    pub async fn mentions(
        &self,
        _by: &Actor,
        _id: &ServiceAccountId,
    ) -> Result<Vec<PolicyMention>, AdminError> {
        Err(AdminError::Unavailable(StoreError::unavailable("not made yet")))
    }
}
