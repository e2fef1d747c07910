//! What was done, as far as somebody may know.

use super::{Actor, Admin, AdminError};
use crate::activity::{EntityKind, Entry, Outcome, Verb};
use crate::id::NamespaceId;
use crate::store::StoreError;
use crate::time::Timestamp;

/// Which entries. Without a role in Global only acts in namespaces are seen, not sign-ins.
#[derive(Clone, Debug, Default)]
pub struct ActivityWanted {
    pub namespace: Option<NamespaceId>,
    pub recursive: bool,
    /// Actor or subject: user id or e-mail address.
    pub who: Option<String>,
    pub verb: Option<Verb>,
    pub entity: Option<EntityKind>,
    pub entity_id: Option<String>,
    pub outcome: Option<Outcome>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Only entries with a lower number.
    pub before: Option<u64>,
    pub limit: usize,
}

/// An entry with its neighbours about the same thing.
#[derive(Clone, Debug)]
pub struct EntryView {
    pub entry: Entry,
    pub previous: Option<u64>,
    pub next: Option<u64>,
}

fn not_yet() -> AdminError {
    AdminError::Unavailable(StoreError::unavailable("not made yet"))
}

impl Admin {
    /// The latest first.
    pub async fn entries(
        &self,
        _by: &Actor,
        _which: &ActivityWanted,
    ) -> Result<Vec<Entry>, AdminError> {
        Err(not_yet())
    }

    pub async fn entry(&self, _by: &Actor, _number: u64) -> Result<EntryView, AdminError> {
        Err(not_yet())
    }
}
