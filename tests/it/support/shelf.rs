//! A store that holds nothing but versions of sessions, and answers when a test says so.

use super::store::session;
use async_trait::async_trait;
use lictor::activity::{Entry, Event, Head};
use lictor::catalog::Catalog;
use lictor::id::{CredentialId, NamespaceId, ServiceAccountId, SessionId};
use lictor::service_account::{AccountRecord, CredentialRecord, Machine};
use lictor::session::{KnownPerson, SessionRecord};
use lictor::store::{
    AccountPage, AccountQuery, AccountTally, ActivityQuery, Change, Changed, Changes, Feed,
    Machines, Once, SessionQuery, Store, StoreError, Usage, Use,
};
use lictor::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

/// One look-up under way.
#[derive(Debug)]
pub struct Call {
    begin: Semaphore,
    end: Semaphore,
}

/// The store.
#[derive(Debug, Default)]
pub struct Shelf {
    /// What each session is; its version, or that it is not there.
    records: Mutex<BTreeMap<SessionId, Option<u64>>>,
    calls: Mutex<Vec<Arc<Call>>>,
    /// Answers wait for [`Shelf::read`] and [`Shelf::answer`].
    pub by_hand: bool,
}

impl Shelf {
    pub fn by_hand() -> Self {
        Self { by_hand: true, ..Self::default() }
    }

    pub fn put(&self, id: &SessionId, state: Option<u64>) {
        self.records.lock().expect("unpoisoned").insert(id.clone(), state);
    }

    /// How many look-ups there were.
    pub fn asked(&self) -> usize {
        self.calls.lock().expect("unpoisoned").len()
    }

    fn call(&self, which: usize) -> Option<Arc<Call>> {
        self.calls.lock().expect("unpoisoned").get(which).cloned()
    }

    /// Lets a look-up read its record.
    pub fn read(&self, which: usize) {
        self.call(which).into_iter().for_each(|call| call.begin.add_permits(1));
    }

    /// Lets a look-up answer with what it has read.
    pub fn answer(&self, which: usize) {
        self.call(which).into_iter().for_each(|call| call.end.add_permits(1));
    }
}

/// Tells nothing.
#[derive(Debug)]
struct Quiet;

#[async_trait]
impl Feed for Quiet {
    async fn next(&mut self) -> Result<Changed, StoreError> {
        std::future::pending().await
    }
}

fn not_here<T>() -> Result<T, StoreError> {
    Err(StoreError::unavailable("this is only a shelf"))
}

#[async_trait]
impl Machines for Shelf {
    async fn machine(&self, _: &CredentialId) -> Result<Option<Machine>, StoreError> {
        not_here()
    }

    async fn account(&self, _: &ServiceAccountId) -> Result<Option<AccountRecord>, StoreError> {
        not_here()
    }

    async fn accounts(&self, _: &AccountQuery, _: Timestamp) -> Result<AccountPage, StoreError> {
        not_here()
    }

    async fn accounts_by_namespace(
        &self,
        _: Option<&BTreeSet<NamespaceId>>,
    ) -> Result<BTreeMap<NamespaceId, u64>, StoreError> {
        not_here()
    }

    async fn tally(
        &self,
        _: Option<&BTreeSet<NamespaceId>>,
        _: Timestamp,
    ) -> Result<AccountTally, StoreError> {
        not_here()
    }

    async fn credentials(&self, _: &ServiceAccountId) -> Result<Vec<CredentialRecord>, StoreError> {
        not_here()
    }

    async fn catalog(&self) -> Result<Catalog, StoreError> {
        not_here()
    }

    async fn note_uses(&self, _: Vec<Use>) -> Result<(), StoreError> {
        not_here()
    }

    async fn usage(&self, _: &ServiceAccountId, _: i64) -> Result<Vec<Usage>, StoreError> {
        not_here()
    }
}

#[async_trait]
impl Store for Shelf {
    async fn session(&self, id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        let gate = || Semaphore::new(0);
        let call = Arc::new(Call { begin: gate(), end: gate() });
        self.calls.lock().expect("unpoisoned").push(Arc::clone(&call));
        if self.by_hand {
            call.begin.acquire().await.expect("open").forget();
        } else {
            tokio::task::yield_now().await;
        }
        let state = self.records.lock().expect("unpoisoned").get(id).copied().flatten();
        if self.by_hand {
            call.end.acquire().await.expect("open").forget();
        } else {
            tokio::task::yield_now().await;
        }
        let record = |version| SessionRecord { id: id.clone(), version, ..session(0, "u-1") };
        Ok(state.map(record))
    }

    async fn sessions(
        &self,
        _: &SessionQuery,
        _: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        not_here()
    }

    async fn commit(&self, _: Vec<Change>, _: Vec<Event>) -> Result<Head, StoreError> {
        not_here()
    }

    async fn person(&self, _: &str) -> Result<Option<KnownPerson>, StoreError> {
        not_here()
    }

    async fn search_people(&self, _: &str, _: usize) -> Result<Vec<KnownPerson>, StoreError> {
        not_here()
    }

    async fn keep_once(&self, _: Once) -> Result<(), StoreError> {
        not_here()
    }

    async fn once(&self, _: &str, _: Timestamp) -> Result<Option<Once>, StoreError> {
        not_here()
    }

    async fn take_once(&self, _: &str, _: Timestamp) -> Result<Option<Once>, StoreError> {
        not_here()
    }

    async fn activity(&self, _: &ActivityQuery) -> Result<Vec<Entry>, StoreError> {
        not_here()
    }

    async fn activity_after(&self, _: u64, _: usize) -> Result<Vec<Entry>, StoreError> {
        not_here()
    }

    async fn head(&self) -> Result<Head, StoreError> {
        not_here()
    }

    async fn changes_since(&self, after: u64) -> Result<Changes, StoreError> {
        Ok(Changes { latest: after, changed: Some(Vec::new()) })
    }

    async fn follow(&self) -> Result<Box<dyn Feed>, StoreError> {
        Ok(Box::new(Quiet))
    }

    fn heartbeat(&self) -> Duration {
        Duration::from_secs(3600)
    }

    async fn sweep(&self, _: Timestamp) -> Result<(), StoreError> {
        not_here()
    }
}
