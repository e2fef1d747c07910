//! How things stand, at a glance.

use super::{Actor, Admin, AdminError};
use crate::activity::Entry;
use crate::id::NamespaceId;
use crate::store::{AccountTally, StoreError};
use crate::time::Timestamp;

/// How things stand in a namespace and below.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    pub accounts: AccountTally,
    /// The last ten entries that `by` may see.
    pub entries: Vec<Entry>,
    /// People the directory knows.
    pub people: usize,
    /// Stored policies that do not compile, by name.
    pub broken_policies: Vec<String>,
}

impl Admin {
    pub async fn overview(
        &self,
        _by: &Actor,
        _namespace: &NamespaceId,
        _now: Timestamp,
    ) -> Result<Overview, AdminError> {
        Err(AdminError::Unavailable(StoreError::unavailable("not made yet")))
    }
}
