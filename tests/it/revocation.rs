//! How soon a session that was ended is refused: by the server that ended it, by another one on the same
//! database, and by one that is told of no changes. Checks go on all the while.

use crate::support::check::{allows, get};
use crate::support::fixture::host::SECRET_BYTES;
use crate::support::house::{CONFIG, House};
use crate::support::store::{Place, account};
use async_trait::async_trait;
use lictor::activity::{ChainKey, Entry, Event, Head};
use lictor::catalog::Catalog;
use lictor::id::{CredentialId, NamespaceId, ServiceAccountId, SessionId};
use lictor::people::{Ending, Moment, People};
use lictor::service_account::{AccountRecord, CredentialRecord, Machine};
use lictor::session::{Handle, HandleSecret, KnownPerson, Origin, SessionRecord};
use lictor::store::{
    self, AccountPage, AccountQuery, AccountTally, ActivityQuery, CacheLimits, Change, Changes,
    Feed, Machines, Once, SessionCache, SessionQuery, Store, StoreError, Touch, Usage, Use, follow,
};
use lictor::tasks::Tasks;
use lictor::time::Timestamp;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const TRIES: usize = 200;
const TARGET: Duration = Duration::from_millis(200);

/// A session that is in force, and the cookie of somebody who has it.
async fn open(store: &dyn Store, now: Timestamp) -> (SessionId, String) {
    let mut random = [0; 32];
    aws_lc_rs::rand::fill(&mut random).expect("random");
    let secret = HandleSecret::new(random);
    let expires = now.plus(Duration::from_hours(1));
    let record = SessionRecord {
        id: secret.id(),
        account: account("u-alice"),
        provider: "local".to_owned(),
        provider_session: String::new(),
        opened: now,
        refreshed: now,
        expires,
        impersonation: None,
        tokens: None,
        origin: Origin::default(),
        version: 0,
    };
    store.commit(vec![Change::OpenSession(record)], Vec::new()).await.expect("opened");
    let says = Handle {
        issuer: "auth.localhost",
        audience: "any.localhost",
        user: "u-alice",
        expires,
        programmatic: false,
    };
    let handle = secret.handle(&says, &SECRET_BYTES, now);
    (secret.id(), format!("_pomerium={}", handle.expose()))
}

/// Checks without a pause and remembers when the last one was allowed, in microseconds.
async fn load(
    house: Arc<House>,
    cookie: String,
    since: Instant,
    stop: Arc<AtomicBool>,
    last: Arc<AtomicU64>,
) {
    while !stop.load(Ordering::SeqCst) {
        let asked = get("any.localhost", "/", &[("cookie", &cookie)]);
        if allows(&house.check(asked).await) {
            let at = u64::try_from(since.elapsed().as_micros()).expect("a short time");
            last.fetch_max(at, Ordering::SeqCst);
        }
        tokio::task::yield_now().await;
    }
}

/// From the end of a session, made at one server, to the last check that another still allows.
async fn late(at: &House, other: &Arc<House>, since: Instant) -> Duration {
    let (id, cookie) = open(&*at.store, at.now()).await;
    let stop = Arc::new(AtomicBool::new(false));
    let last = Arc::new(AtomicU64::new(0));
    let loads: Vec<_> = (0..2)
        .map(|_| {
            let (house, cookie) = (Arc::clone(other), cookie.clone());
            tokio::spawn(load(house, cookie, since, Arc::clone(&stop), Arc::clone(&last)))
        })
        .collect();
    while last.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let people =
        People::new(Arc::new(SessionCache::new(Arc::clone(&at.store), CacheLimits::default())));
    let origin = Origin::default();
    let moment = Moment { now: at.now(), origin: &origin };
    assert!(people.end(&id, &Ending::SignOut, moment).await.expect("ends"));
    let ended = since.elapsed();
    // Until it has been refused for a while.
    loop {
        let before = last.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(40)).await;
        let refused =
            !allows(&other.check(get("any.localhost", "/", &[("cookie", &cookie)])).await);
        if refused && before == last.load(Ordering::SeqCst) {
            break;
        }
        assert!(since.elapsed() - ended < Duration::from_secs(20), "never refused");
    }
    stop.store(true, Ordering::SeqCst);
    for load in loads {
        load.await.expect("no panic");
    }
    Duration::from_micros(last.load(Ordering::SeqCst)).saturating_sub(ended)
}

async fn measured(at: &House, other: &Arc<House>, tries: usize) -> Vec<Duration> {
    let since = Instant::now();
    let mut all = Vec::new();
    for _ in 0..tries {
        all.push(late(at, other, since).await);
    }
    all.sort();
    all
}

#[expect(clippy::print_stdout, reason = "figures for whoever asks with --nocapture")]
fn told(what: &str, all: &[Duration]) -> Duration {
    let at = |share: usize| all[(all.len() * share / 100).min(all.len() - 1)];
    println!(
        "{what}: {} tries, median {:?}, p99 {:?}, longest {:?}",
        all.len(),
        at(50),
        at(99),
        all[all.len() - 1]
    );
    at(99)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_on_the_same_database() {
    let place = Place::postgres();
    let one = House::with(CONFIG, &place.settings).await;
    let other = Arc::new(House::with(CONFIG, &place.settings).await);
    let all = measured(&one, &other, TRIES).await;
    assert!(told("two servers on one PostgreSQL", &all) < TARGET, "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_with_a_file() {
    let place = Place::file();
    let house = Arc::new(House::with(CONFIG, &place.settings).await);
    let all = measured(&house, &house, TRIES).await;
    assert!(told("one process with SQLite", &all) < TARGET, "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_with_the_same_file() {
    let place = Place::file();
    let one = House::with(CONFIG, &place.settings).await;
    let other = Arc::new(House::with(CONFIG, &place.settings).await);
    let all = measured(&one, &other, 20).await;
    let bound = one.store.heartbeat() + TARGET;
    assert!(told("two processes with one SQLite file", &all) < bound, "{all:?}");
}

/// A store whose feed of changes is cut.
#[derive(Debug)]
struct Deaf(Arc<dyn Store>);

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

#[tokio::test(flavor = "multi_thread")]
async fn without_notifications_the_heartbeat_is_the_bound() {
    let place = Place::postgres();
    let one = House::with(CONFIG, &place.settings).await;
    let chain = ChainKey::derive(&SECRET_BYTES);
    let store = store::open(&place.settings, chain, Tasks::default()).await.expect("a store");
    let deaf: Arc<dyn Store> = Arc::new(Deaf(store));
    // It says so.
    let cache = SessionCache::new(Arc::clone(&deaf), CacheLimits::default());
    let said = Mutex::new(Vec::new());
    let following = follow(&cache, |touch| said.lock().expect("unpoisoned").push(touch.clone()));
    drop(tokio::time::timeout(Duration::from_millis(500), following).await);
    let said = said.into_inner().expect("unpoisoned");
    assert!(
        matches!(&said[..], [Touch::Asking(why)] if why.contains("the channel is cut")),
        "{said:?}"
    );
    let bound = deaf.heartbeat() + TARGET;
    let other = Arc::new(House::on(CONFIG, deaf, Tasks::default()).await);
    let all = measured(&one, &other, 20).await;
    assert!(told("no notifications", &all) < bound, "{all:?}");
}
