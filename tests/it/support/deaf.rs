//! A store whose feed of changes is cut.

use async_trait::async_trait;
use lictor::activity::{Entry, Event, Head};
use lictor::catalog::Catalog;
use lictor::id::{CredentialId, NamespaceId, ServiceAccountId, SessionId};
use lictor::service_account::{AccountRecord, CredentialRecord, Machine};
use lictor::session::{KnownPerson, SessionRecord};
use lictor::store::{
    AccountPage, AccountQuery, AccountTally, ActivityQuery, Change, Changes, Feed, Machines, Once,
    SessionQuery, Store, StoreError, Usage, Use,
};
use lictor::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Everything else is as in the store within.
#[derive(Debug)]
pub struct Deaf(Arc<dyn Store>);

impl Deaf {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }
}

#[async_trait]
impl Machines for Deaf {
    async fn machine(&self, id: &CredentialId) -> Result<Option<Machine>, StoreError> {
        self.0.machine(id).await
    }

    async fn account(&self, id: &ServiceAccountId) -> Result<Option<AccountRecord>, StoreError> {
        self.0.account(id).await
    }

    async fn accounts(
        &self,
        which: &AccountQuery,
        now: Timestamp,
    ) -> Result<AccountPage, StoreError> {
        self.0.accounts(which, now).await
    }

    async fn accounts_by_namespace(
        &self,
        namespaces: Option<&BTreeSet<NamespaceId>>,
    ) -> Result<BTreeMap<NamespaceId, u64>, StoreError> {
        self.0.accounts_by_namespace(namespaces).await
    }

    async fn tally(
        &self,
        namespaces: Option<&BTreeSet<NamespaceId>>,
        now: Timestamp,
    ) -> Result<AccountTally, StoreError> {
        self.0.tally(namespaces, now).await
    }

    async fn credentials(
        &self,
        account: &ServiceAccountId,
    ) -> Result<Vec<CredentialRecord>, StoreError> {
        self.0.credentials(account).await
    }

    async fn catalog(&self) -> Result<Catalog, StoreError> {
        self.0.catalog().await
    }

    async fn note_uses(&self, uses: Vec<Use>) -> Result<(), StoreError> {
        self.0.note_uses(uses).await
    }

    async fn usage(
        &self,
        account: &ServiceAccountId,
        from_day: i64,
    ) -> Result<Vec<Usage>, StoreError> {
        self.0.usage(account, from_day).await
    }
}

#[async_trait]
impl Store for Deaf {
    async fn session(&self, id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        self.0.session(id).await
    }

    async fn sessions(
        &self,
        which: &SessionQuery,
        now: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        self.0.sessions(which, now).await
    }

    async fn commit(&self, changes: Vec<Change>, events: Vec<Event>) -> Result<Head, StoreError> {
        self.0.commit(changes, events).await
    }

    async fn person(&self, user: &str) -> Result<Option<KnownPerson>, StoreError> {
        self.0.person(user).await
    }

    async fn search_people(
        &self,
        text: &str,
        limit: usize,
    ) -> Result<Vec<KnownPerson>, StoreError> {
        self.0.search_people(text, limit).await
    }

    async fn keep_once(&self, once: Once) -> Result<(), StoreError> {
        self.0.keep_once(once).await
    }

    async fn once(&self, key: &str, now: Timestamp) -> Result<Option<Once>, StoreError> {
        self.0.once(key, now).await
    }

    async fn take_once(&self, key: &str, now: Timestamp) -> Result<Option<Once>, StoreError> {
        self.0.take_once(key, now).await
    }

    async fn activity(&self, which: &ActivityQuery) -> Result<Vec<Entry>, StoreError> {
        self.0.activity(which).await
    }

    async fn activity_after(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.0.activity_after(after, limit).await
    }

    async fn head(&self) -> Result<Head, StoreError> {
        self.0.head().await
    }

    async fn changes_since(&self, after: u64) -> Result<Changes, StoreError> {
        self.0.changes_since(after).await
    }

    async fn follow(&self) -> Result<Box<dyn Feed>, StoreError> {
        Err(StoreError::unavailable("the channel is cut"))
    }

    fn heartbeat(&self) -> Duration {
        self.0.heartbeat()
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        self.0.sweep(now).await
    }
}
