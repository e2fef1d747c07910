//! One call of `Check` from end to end, where something goes wrong on the way: in us, in what is sent, in how it is
//! sent and read, and in the store that has to be asked.

use crate::support::door::{Door, MANY, OPEN, check, send, told};
use crate::support::shelf::Shelf;
use crate::support::shown;
use lictor::store::{CacheLimits, Records as _, Seen, SessionCache, Store, follow};
use std::sync::Arc;
use std::time::Duration;

const PATIENT: CacheLimits = CacheLimits {
    records: 1 << 10,
    bytes: 1 << 24,
    lookup: Duration::from_mins(1),
    staleness: Duration::from_mins(10),
};

fn is(said: (i32, i32, &str)) -> (i32, i32, String) {
    (said.0, said.1, said.2.to_owned())
}

fn allowed() -> (i32, i32, String) {
    is((0, 200, "allowed"))
}

fn fault() -> (i32, i32, String) {
    is((7, 500, "fault"))
}

/// What is known of a store that has been heard of.
async fn known(store: &Arc<Shelf>) -> Arc<SessionCache> {
    let cache = Arc::new(SessionCache::new(Arc::clone(store) as Arc<dyn Store>, PATIENT));
    let (session, _) = shown::session();
    let heard = async {
        while matches!(cache.session(&session.id), Seen::Stale) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = follow(&cache, |_| ()) => {}
        () = heard => {}
    }
    cache
}

/// Asks for what only somebody signed in may see, with a session that nobody has looked up.
fn asks_the_store() -> bytes::Bytes {
    let (_, cookie) = shown::session();
    check("app.localhost", &[("cookie", &format!("_pomerium={cookie}"))])
}

// --- faults of ours

#[tokio::test]
async fn whatever_panics_a_check_is_refused_and_the_connection_goes_on() {
    let door = Door::new(MANY, None);
    let mut sender = door.connect().await;
    assert_eq!(told(send(&mut sender, check(OPEN, &[]), None)).await, allowed());
    // While it is decided.
    door.clock.after(0);
    assert_eq!(told(send(&mut sender, check(OPEN, &[]), None)).await, fault());
    assert_eq!(door.counted("deny", "fault"), 1);
    // Also while it is told that it is refused.
    door.log.after(0);
    assert_eq!(told(send(&mut sender, check(OPEN, &[]), None)).await, fault());
    assert_eq!(door.counted("deny", "fault"), 2);
    // While what was decided is told.
    door.clock.after(MANY);
    let many = (0..100).map(|_| told(send(&mut sender, check(OPEN, &[]), None)));
    for said in futures_util::future::join_all(many).await {
        assert_eq!(said, fault());
    }
    assert_eq!(door.counted("deny", "fault"), 102);
    door.log.after(MANY);
    assert_eq!(told(send(&mut sender, check(OPEN, &[]), None)).await, allowed());
    assert_eq!(door.counted("allow", "allowed"), 2, "what was not said was not counted");
}

#[tokio::test]
async fn a_panic_after_the_store_was_asked_is_a_refusal() {
    let shelf = Arc::new(Shelf::default());
    let door = Door::new(MANY, Some(known(&shelf).await));
    let mut sender = door.connect().await;
    // It is asked what time it is before the store is asked, and again afterwards.
    door.clock.after(1);
    assert_eq!(told(send(&mut sender, asks_the_store(), None)).await, fault());
    assert_eq!(shelf.asked(), 1);
    door.clock.after(MANY);
    assert_eq!(told(send(&mut sender, check(OPEN, &[]), None)).await, allowed());
    assert!(door.ends().await);
}
