//! What checks know of the store without asking it. A record that was seen is known until a change
//! is told; one that was not costs one look-up, however many ask for it at once.

use super::{RecordKey, Store, StoreError};
use crate::clock::Stopwatch;
use crate::id::{CredentialId, SessionId};
use crate::service_account::Machine;
use crate::session::SessionRecord;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OnceCell, watch};

/// Records as far as they are known. Never waits.
pub trait Records: fmt::Debug + Send + Sync {
    fn session(&self, id: &SessionId) -> Seen<SessionRecord>;

    fn machine(&self, id: &CredentialId) -> Seen<Machine>;
}

/// What is known of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen<T> {
    Known(Arc<T>),
    /// There is none.
    Gone,
    /// Nobody has looked yet.
    Unseen,
    /// What was known may not be true any more: the store has been silent for too long.
    Stale,
}

/// Where nobody signs in, no handle is good.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sessionless;

impl Records for Sessionless {
    fn session(&self, _id: &SessionId) -> Seen<SessionRecord> {
        Seen::Gone
    }

    fn machine(&self, _id: &CredentialId) -> Seen<Machine> {
        Seen::Gone
    }
}

/// The store does not answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silence;

impl Records for Silence {
    fn session(&self, _id: &SessionId) -> Seen<SessionRecord> {
        Seen::Stale
    }

    fn machine(&self, _id: &CredentialId) -> Seen<Machine> {
        Seen::Stale
    }
}

/// Bounds of what is kept, and for how long it counts.
#[derive(Clone, Copy, Debug)]
pub struct CacheLimits {
    /// How many records, those that do not exist included.
    pub records: usize,
    /// How many bytes, roughly.
    pub bytes: u64,
    /// How long one look-up may take.
    pub lookup: Duration,
    /// How long what is known counts when the store does not answer.
    pub staleness: Duration,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            records: 1 << 17,
            bytes: 128 << 20,
            lookup: Duration::from_secs(1),
            staleness: Duration::from_mins(1),
        }
    }
}

/// What is known of one record; `None` if there is none.
#[derive(Clone, Debug)]
enum Known {
    Session(Option<Arc<SessionRecord>>),
    Machine(Option<Arc<Machine>>),
}

/// Sessions and machines that checks have seen, bounded.
#[derive(Debug)]
pub struct SessionCache {
    store: Arc<dyn Store>,
    entries: Cache<RecordKey, Known, Bytes>,
    /// Look-ups under way. Entries change only while this is locked, so that a look-up which began
    /// before a change never puts back what was before it.
    flights: Mutex<HashMap<RecordKey, Arc<Flight>>>,
    limits: CacheLimits,
    since: Stopwatch,
    /// Milliseconds after `since` when the store last confirmed that nothing else has changed.
    confirmed: AtomicU64,
    /// Counts how often the catalog may have changed.
    catalog: watch::Sender<u64>,
    /// The catalog has changed and cannot be read.
    unread: AtomicBool,
}

#[derive(Debug, Default)]
struct Flight {
    outcome: OnceCell<Result<(), Arc<StoreError>>>,
    /// The record changed while it was looked up.
    overtaken: AtomicBool,
}

/// Weighs what is kept. Nothing weighs less than its share of the room, so that the number is bounded
/// with the weight.
#[derive(Clone, Debug)]
struct Bytes {
    least: u64,
}

impl Bytes {
    fn within(limits: &CacheLimits) -> Self {
        let records = u64::try_from(limits.records).unwrap_or(u64::MAX).max(1);
        Self { least: limits.bytes.div_ceil(records) }
    }
}

impl Weighter<RecordKey, Known> for Bytes {
    fn weight(&self, _key: &RecordKey, known: &Known) -> u64 {
        const ENTRY: u64 = 256;
        let record = match known {
            Known::Session(record) => record.as_ref().map_or(0, |record| record.size()),
            Known::Machine(machine) => machine.as_ref().map_or(0, |machine| machine.size()),
        };
        self.least.max(ENTRY + u64::try_from(record).unwrap_or(u64::MAX / 2))
    }
}

/// How often a look-up begins again because the record changed meanwhile.
const ATTEMPTS: usize = 3;

impl SessionCache {
    /// Nothing counts as fresh before the store was followed for the first time.
    pub fn new(store: Arc<dyn Store>, limits: CacheLimits) -> Self {
        Self {
            store,
            entries: Cache::with_weighter(limits.records, limits.bytes, Bytes::within(&limits)),
            flights: Mutex::default(),
            limits,
            since: Stopwatch::start(),
            confirmed: AtomicU64::new(0),
            catalog: watch::Sender::new(0),
            unread: AtomicBool::new(false),
        }
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Looks a record up, bounded in time. Whoever asks meanwhile waits for the same answer.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn learn(&self, key: &RecordKey) -> Result<(), Arc<StoreError>> {
        let flight = Arc::clone(self.flights().entry(key.clone()).or_default());
        let outcome = flight.outcome.get_or_init(|| self.look_up(key, &flight)).await;
        outcome.clone()
    }

    async fn look_up(&self, key: &RecordKey, flight: &Flight) -> Result<(), Arc<StoreError>> {
        for _ in 0..ATTEMPTS {
            flight.overtaken.store(false, Ordering::SeqCst);
            let asked = tokio::time::timeout(self.limits.lookup, self.ask(key)).await;
            let answer =
                asked.unwrap_or_else(|_| Err(StoreError::unavailable("no answer in time")));
            let mut flights = self.flights();
            if answer.is_ok() && flight.overtaken.load(Ordering::SeqCst) {
                continue;
            }
            flights.remove(key);
            return match answer {
                Ok(known) => {
                    if let Some(known) = known {
                        self.entries.insert(key.clone(), known);
                    }
                    Ok(())
                }
                Err(error) => Err(Arc::new(error)),
            };
        }
        self.flights().remove(key);
        Err(Arc::new(StoreError::unavailable("the record keeps changing")))
    }

    /// The catalog is kept elsewhere.
    async fn ask(&self, key: &RecordKey) -> Result<Option<Known>, StoreError> {
        Ok(match key {
            RecordKey::Session(id) => {
                Some(Known::Session(self.store.session(id).await?.map(Arc::new)))
            }
            RecordKey::Credential(id) => {
                Some(Known::Machine(self.store.machine(id).await?.map(Arc::new)))
            }
            RecordKey::Catalog => None,
        })
    }

    /// Forgets a record, because it has changed.
    pub fn forget(&self, key: &RecordKey) {
        if *key == RecordKey::Catalog {
            self.catalog.send_modify(|count| *count = count.wrapping_add(1));
            return;
        }
        let flights = self.flights();
        if let Some(flight) = flights.get(key) {
            flight.overtaken.store(true, Ordering::SeqCst);
        }
        self.entries.remove(key);
    }

    /// Forgets everything, because anything may have changed.
    pub fn forget_all(&self) {
        self.forget(&RecordKey::Catalog);
        let flights = self.flights();
        flights.values().for_each(|flight| flight.overtaken.store(true, Ordering::SeqCst));
        self.entries.clear();
    }

    /// Tells whenever the catalog may have changed.
    pub fn catalog_changes(&self) -> watch::Receiver<u64> {
        self.catalog.subscribe()
    }

    /// Says that the catalog has changed and cannot be read, or that it was read. SECURITY: nothing counts as
    /// confirmed meanwhile, since somebody may have been blocked, or kept out by a policy.
    pub fn catalog_is_unread(&self, unread: bool) {
        self.unread.store(unread, Ordering::SeqCst);
    }

    /// How long this cache has been there; a moment for [`SessionCache::confirm`].
    pub(super) fn moment(&self) -> Duration {
        self.since.elapsed()
    }

    /// Every change up to `moment` has been told.
    pub(super) fn confirm(&self, moment: Duration) {
        if self.unread.load(Ordering::SeqCst) {
            return;
        }
        let moment = u64::try_from(moment.as_millis()).unwrap_or(u64::MAX).max(1);
        self.confirmed.fetch_max(moment, Ordering::SeqCst);
    }

    fn is_stale(&self) -> bool {
        let confirmed = self.confirmed.load(Ordering::SeqCst);
        let silent = self.since.elapsed().saturating_sub(Duration::from_millis(confirmed));
        confirmed == 0 || silent > self.limits.staleness
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<RecordKey, Arc<Flight>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Records for SessionCache {
    fn session(&self, id: &SessionId) -> Seen<SessionRecord> {
        self.seen(&RecordKey::Session(id.clone()), |known| match known {
            Known::Session(record) => record,
            Known::Machine(_) => None,
        })
    }

    fn machine(&self, id: &CredentialId) -> Seen<Machine> {
        self.seen(&RecordKey::Credential(id.clone()), |known| match known {
            Known::Machine(machine) => machine,
            Known::Session(_) => None,
        })
    }
}

impl SessionCache {
    fn seen<T>(&self, key: &RecordKey, of: impl Fn(Known) -> Option<Arc<T>>) -> Seen<T> {
        if self.is_stale() {
            return Seen::Stale;
        }
        match self.entries.get(key) {
            Some(known) => of(known).map_or(Seen::Gone, Seen::Known),
            None => Seen::Unseen,
        }
    }
}
