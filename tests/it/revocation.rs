//! How soon a session that was ended is refused: by the server that ended it, by another one on the same
//! database, and by one that is told of no changes. Checks go on all the while.

use crate::support::check::get;
use crate::support::deaf::Deaf;
use crate::support::fixture::host::SECRET_BYTES;
use crate::support::house::{CONFIG, House};
use crate::support::lateness::{TARGET, TRIES, alone, late, told};
use crate::support::store::{Place, account};
use lictor::activity::ChainKey;
use lictor::id::SessionId;
use lictor::people::{Ending, Moment, People};
use lictor::session::{Handle, HandleSecret, Origin, SessionRecord};
use lictor::store::{self, CacheLimits, Change, SessionCache, Store, Touch, follow};
use lictor::tasks::Tasks;
use lictor::time::Timestamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;

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

/// A session is ended at one server; how late another one hears of it, try by try.
async fn measured(at: &House, other: &Arc<House>, tries: usize) -> Vec<Duration> {
    let cache = SessionCache::new(Arc::clone(&at.store), CacheLimits::default());
    let people = People::new(Arc::new(cache));
    let origin = Origin::default();
    let mut all = Vec::new();
    for _ in 0..tries {
        let (id, cookie) = open(&*at.store, at.now()).await;
        let asked = get("any.localhost", "/", &[("cookie", &cookie)]);
        let moment = Moment { now: at.now(), origin: &origin };
        let end = async {
            assert!(people.end(&id, &Ending::SignOut, moment).await.expect("ends"));
        };
        all.push(late(other, asked, end).await);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_on_the_same_database() {
    let _alone = alone().await;
    let place = Place::postgres();
    let one = House::with(CONFIG, &place.settings).await;
    let other = Arc::new(House::with(CONFIG, &place.settings).await);
    let all = measured(&one, &other, TRIES).await;
    assert!(told("two servers on one PostgreSQL", all) < TARGET);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_with_a_file() {
    let _alone = alone().await;
    let place = Place::file();
    let house = Arc::new(House::with(CONFIG, &place.settings).await);
    let all = measured(&house, &house, TRIES).await;
    assert!(told("one process with SQLite", all) < TARGET);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_with_the_same_file() {
    let _alone = alone().await;
    let place = Place::file();
    let one = House::with(CONFIG, &place.settings).await;
    let other = Arc::new(House::with(CONFIG, &place.settings).await);
    let all = measured(&one, &other, 20).await;
    let bound = one.store.heartbeat() + TARGET;
    assert!(told("two processes with one SQLite file", all) < bound);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_notifications_the_heartbeat_is_the_bound() {
    let _alone = alone().await;
    let place = Place::postgres();
    let one = House::with(CONFIG, &place.settings).await;
    let chain = ChainKey::derive(&SECRET_BYTES);
    let store = store::open(&place.settings, chain, Tasks::default()).await.expect("a store");
    let deaf: Arc<dyn Store> = Arc::new(Deaf::new(store));
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
    assert!(told("no notifications", all) < bound);
}
