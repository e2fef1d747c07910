//! What checks know of the store without asking it. A record that was seen is known until a change
//! is told; one that was not costs one look-up, however many ask for it at once.

use super::{Store, StoreError};
use crate::clock::Stopwatch;
use crate::id::SessionId;
use crate::session::SessionRecord;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

/// Records as far as they are known. Never waits.
pub trait Records: fmt::Debug + Send + Sync {
    fn session(&self, id: &SessionId) -> Seen;
}

/// What is known of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    Known(Arc<SessionRecord>),
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
    fn session(&self, _id: &SessionId) -> Seen {
        Seen::Gone
    }
}

/// The store does not answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silence;

impl Records for Silence {
    fn session(&self, _id: &SessionId) -> Seen {
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

type Known = Option<Arc<SessionRecord>>;

/// Sessions that checks have seen, bounded.
#[derive(Debug)]
pub struct SessionCache {
    store: Arc<dyn Store>,
    entries: Cache<SessionId, Known, Bytes>,
    /// Look-ups under way. Entries change only while this is locked, so that a look-up which began
    /// before a change never puts back what was before it.
    flights: Mutex<HashMap<SessionId, Arc<Flight>>>,
    limits: CacheLimits,
    since: Stopwatch,
    /// Milliseconds after `since` when the store last confirmed that nothing else has changed.
    confirmed: AtomicU64,
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

impl Weighter<SessionId, Known> for Bytes {
    fn weight(&self, _id: &SessionId, known: &Known) -> u64 {
        const ENTRY: u64 = 256;
        let record = known.as_ref().map_or(0, |record| record.size());
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
        }
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Looks a record up, bounded in time. Whoever asks meanwhile waits for the same answer.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn learn(&self, id: &SessionId) -> Result<(), Arc<StoreError>> {
        let flight = Arc::clone(self.flights().entry(id.clone()).or_default());
        let outcome = flight.outcome.get_or_init(|| self.look_up(id, &flight)).await;
        outcome.clone()
    }

    async fn look_up(&self, id: &SessionId, flight: &Flight) -> Result<(), Arc<StoreError>> {
        for _ in 0..ATTEMPTS {
            flight.overtaken.store(false, Ordering::SeqCst);
            let asked = tokio::time::timeout(self.limits.lookup, self.store.session(id)).await;
            let answer =
                asked.unwrap_or_else(|_| Err(StoreError::unavailable("no answer in time")));
            let mut flights = self.flights();
            if answer.is_ok() && flight.overtaken.load(Ordering::SeqCst) {
                continue;
            }
            flights.remove(id);
            return match answer {
                Ok(record) => {
                    self.entries.insert(id.clone(), record.map(Arc::new));
                    Ok(())
                }
                Err(error) => Err(Arc::new(error)),
            };
        }
        self.flights().remove(id);
        Err(Arc::new(StoreError::unavailable("the record keeps changing")))
    }

    /// Forgets a record, because it has changed.
    pub fn forget(&self, id: &SessionId) {
        let flights = self.flights();
        if let Some(flight) = flights.get(id) {
            flight.overtaken.store(true, Ordering::SeqCst);
        }
        self.entries.remove(id);
    }

    /// Forgets everything, because anything may have changed.
    pub fn forget_all(&self) {
        let flights = self.flights();
        flights.values().for_each(|flight| flight.overtaken.store(true, Ordering::SeqCst));
        self.entries.clear();
    }

    /// How long this cache has been there; a moment for [`SessionCache::confirm`].
    pub(super) fn moment(&self) -> Duration {
        self.since.elapsed()
    }

    /// Every change up to `moment` has been told.
    pub(super) fn confirm(&self, moment: Duration) {
        let moment = u64::try_from(moment.as_millis()).unwrap_or(u64::MAX).max(1);
        self.confirmed.fetch_max(moment, Ordering::SeqCst);
    }

    fn is_stale(&self) -> bool {
        let confirmed = self.confirmed.load(Ordering::SeqCst);
        let silent = self.since.elapsed().saturating_sub(Duration::from_millis(confirmed));
        confirmed == 0 || silent > self.limits.staleness
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Flight>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Records for SessionCache {
    fn session(&self, id: &SessionId) -> Seen {
        if self.is_stale() {
            return Seen::Stale;
        }
        match self.entries.get(id) {
            Some(Some(record)) => Seen::Known(record),
            Some(None) => Seen::Gone,
            None => Seen::Unseen,
        }
    }
}
