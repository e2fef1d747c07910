//! One call of `Check` from end to end, where something goes wrong on the way: in us, in what is sent, in how it is
//! sent and read, and in the store that has to be asked.

use crate::support::check::{asking, get, with};
use crate::support::door::{
    Door, MANY, OPEN, Stalling, answered, begin, check, framed, send, talk, told,
};
use crate::support::shelf::Shelf;
use crate::support::shown;
use bytes::Bytes;
use envoy_types::pb::envoy::config::core::v3::{HeaderMap, HeaderValue};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{self, HttpRequest, Peer};
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest};
use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use lictor::store::{CacheLimits, Records as _, Seen, SessionCache, Store, follow};
use prost::Message as _;
use std::collections::HashMap;
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

fn overloaded() -> (i32, i32, String) {
    is((14, 503, "overloaded"))
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
fn asks_the_store() -> Bytes {
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
    for said in join_all(many).await {
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

// --- what a client can make of a check

/// Stands where bytes are to stand that are no text.
const PLACE: &str = "\u{1}\u{1}";

/// A check with bytes that are no UTF-8 in place of `PLACE`.
fn odd(check: &CheckRequest) -> Bytes {
    let mut bytes = check.encode_to_vec();
    let at = bytes.windows(2).position(|two| two == PLACE.as_bytes()).expect("a place");
    bytes[at..at + 2].copy_from_slice(b"\xff\xfe");
    framed(&bytes)
}

fn listed(header: HeaderValue) -> CheckRequest {
    let list = HeaderMap { headers: vec![header] };
    asking(HttpRequest { header_map: Some(list), ..get(OPEN, "/", &[]) })
}

#[tokio::test]
async fn what_is_no_text_is_refused_and_let_in_by_no_setting_of_envoy() {
    let place = || PLACE.to_owned();
    let request = || attribute_context::Request {
        http: Some(get(OPEN, "/", &[])),
        ..attribute_context::Request::default()
    };
    let of_peer = |source| {
        with(AttributeContext {
            source: Some(source),
            request: Some(request()),
            ..AttributeContext::default()
        })
    };
    let named = || HeaderValue { key: "x-odd".to_owned(), ..HeaderValue::default() };
    let checks = [
        asking(get(OPEN, PLACE, &[])),
        asking(get(OPEN, "/", &[("x-odd", PLACE)])),
        asking(get(OPEN, "/", &[(PLACE, "odd")])),
        asking(get(PLACE, "/", &[])),
        asking(HttpRequest { method: place(), ..get(OPEN, "/", &[]) }),
        asking(HttpRequest { body: place(), ..get(OPEN, "/", &[]) }),
        listed(HeaderValue { value: place(), ..named() }),
        listed(HeaderValue { key: place(), ..HeaderValue::default() }),
        of_peer(Peer { principal: place(), ..Peer::default() }),
        with(AttributeContext {
            request: Some(request()),
            context_extensions: HashMap::from([("route_id".to_owned(), place())]),
            ..AttributeContext::default()
        }),
    ];
    let door = Door::new(MANY, None);
    let mut sender = door.connect().await;
    for check in &checks {
        let said = told(send(&mut sender, odd(check), None)).await;
        assert_eq!(said, is((7, 400, "unreadable-request")), "{check:?}");
    }
    assert_eq!(door.counted("deny", "unreadable-request"), checks.len() as u64);
    // Bytes where they belong are no fault.
    let raw = listed(HeaderValue { raw_value: b"\xff\xfe".to_vec(), ..named() });
    let body = HttpRequest { raw_body: b"\xff\xfe".to_vec(), ..get(OPEN, "/", &[]) };
    for fine in [raw, asking(body)] {
        let said = told(send(&mut sender, framed(&fine.encode_to_vec()), None)).await;
        assert_eq!(said, allowed(), "{fine:?}");
    }
}

#[tokio::test]
async fn what_is_too_long_is_refused_and_the_connection_goes_on() {
    let door = Door::new(MANY, None);
    let mut sender = door.connect().await;
    let long = |bytes: usize| {
        let check = asking(HttpRequest { body: "x".repeat(bytes), ..get(OPEN, "/", &[]) });
        framed(&check.encode_to_vec())
    };
    assert_eq!(told(send(&mut sender, long((4 << 20) - 200), None)).await, allowed());
    for _ in 0..8 {
        let said = told(send(&mut sender, long(5 << 20), None)).await;
        assert_eq!(said, is((7, 413, "request-too-large")));
        sender = sender.ready().await.expect("a connection that lasts");
    }
    assert_eq!(door.counted("deny", "request-too-large"), 8);
    assert_eq!(told(send(&mut sender, check(OPEN, &[]), None)).await, allowed());
}

// --- what only a caller does that is no Envoy

const UNIMPLEMENTED: &str = "12";
const INTERNAL: &str = "13";

#[tokio::test]
async fn what_is_no_call_is_an_error() {
    let door = Door::new(MANY, None);
    let mut sender = door.connect().await;
    let message = check(OPEN, &[]);
    let with_length = |length: u32| {
        let mut bytes = message.to_vec();
        bytes[1..5].copy_from_slice(&length.to_be_bytes());
        Bytes::from(bytes)
    };
    let real = u32::try_from(message.len() - 5).expect("short");
    let mut compressed = message.to_vec();
    compressed[0] = 1;
    let calls = [
        (Bytes::new(), INTERNAL),
        (message.slice(..4), INTERNAL),
        (message.slice(..message.len() - 1), INTERNAL),
        (with_length(real - 1), INTERNAL),
        (with_length(real + 1), INTERNAL),
        (with_length(u32::MAX), INTERNAL),
        // Two messages.
        ([&message[..], &message[..]].concat().into(), INTERNAL),
        (compressed.into(), UNIMPLEMENTED),
        // No `CheckRequest`: cut off, a number where a message belongs, and two where one belongs.
        (framed(&message[5..message.len() - 1]), INTERNAL),
        (framed(&[0x08, 1]), INTERNAL),
        (framed(&[0x0a, 0, 0x0a, 0]), INTERNAL),
    ];
    for (body, expected) in calls.clone() {
        let (status, answer) = answered(send(&mut sender, body.clone(), None)).await;
        assert_eq!((status.as_str(), answer), (expected, None), "{body:?}");
    }
    let counted = format!("lictor_checks_unavailable_total {}\n", calls.len());
    assert!(door.metrics.text().contains(&counted), "{}", door.metrics.text());
    assert_eq!(told(send(&mut sender, message, None)).await, allowed());
}

#[tokio::test]
async fn a_check_may_come_in_pieces() {
    // A check has a place when it is read, until it is seen that more of it is to come.
    let door = Door::new(2, None);
    let mut sender = door.connect().await;
    let message = check(OPEN, &[]);
    for at in [1, 4, 5, 6, message.len() / 2, message.len() - 1] {
        let (answer, mut said) = begin(&mut sender, None);
        said.send_data(message.slice(..at), false).expect("sends");
        assert_eq!(told(send(&mut sender, message.clone(), None)).await, allowed());
        said.send_data(message.slice(at..), true).expect("sends");
        assert_eq!(told(answer).await, allowed(), "{at}");
    }
    let (answer, mut said) = begin(&mut sender, None);
    for byte in 0..message.len() {
        said.send_data(message.slice(byte..=byte), byte + 1 == message.len()).expect("sends");
    }
    assert_eq!(told(answer).await, allowed());
}

// --- how answers are read

#[tokio::test]
async fn who_does_not_read_is_waited_for_and_the_others_are_answered() {
    const ASKED: u64 = 6_000;
    let door = Door::new(MANY, None);
    let (io, stalled) = Stalling::over(door.open(1 << 12));
    let mut silent = talk(io).await;
    assert_eq!(told(send(&mut silent, check(OPEN, &[]), None)).await, allowed());
    stalled.stall();
    let unread: Vec<_> =
        (0..ASKED).map(|_| tokio::spawn(told(send(&mut silent, check(OPEN, &[]), None)))).collect();
    let mut others = door.connect().await;
    const ROUNDS: u64 = 300;
    for _ in 0..ROUNDS {
        assert_eq!(told(send(&mut others, check(OPEN, &[]), None)).await, allowed());
    }
    // Nothing more is read from whoever does not read.
    let answered = door.counted("allow", "allowed") - 1 - ROUNDS;
    assert!(answered < ASKED / 2, "{answered} answers wait for a client that does not read");
    stalled.go_on();
    for answer in unread {
        assert_eq!(answer.await.expect("no panic"), allowed());
    }
    drop((silent, others));
    assert!(door.ends().await);
}

#[tokio::test]
async fn who_leaves_with_answers_unread_leaves_nothing_behind() {
    let shelf = Arc::new(Shelf::by_hand());
    let door = Door::new(1, Some(known(&shelf).await));
    let (io, stalled) = Stalling::over(door.open(1 << 12));
    let mut silent = talk(io).await;
    let waiting = send(&mut silent, asks_the_store(), None);
    asked(&shelf, 1).await;
    let mut others = door.connect().await;
    assert_eq!(told(send(&mut others, asks_the_store(), None)).await, overloaded());
    stalled.stall();
    let unread: Vec<_> = (0..1_000).map(|_| send(&mut silent, check(OPEN, &[]), None)).collect();
    assert_eq!(told(send(&mut others, asks_the_store(), None)).await, overloaded());
    stalled.cut();
    drop((waiting, unread, silent));
    // The place is given back: the store is asked again.
    let before = shelf.asked();
    let mut turns = FuturesUnordered::new();
    while shelf.asked() == before {
        turns.push(told(send(&mut others, asks_the_store(), None)));
        // Refused as long as it is taken; with a place, it waits.
        tokio::select! {
            said = turns.next() => assert_eq!(said, Some(overloaded())),
            () = asked(&shelf, before + 1) => {}
        }
    }
    drop(turns);
    assert_eq!(told(send(&mut others, check(OPEN, &[]), None)).await, allowed());
    drop(others);
    assert!(door.ends().await);
}

// --- those who wait for the store

/// Waits until the store was asked so often.
async fn asked(shelf: &Shelf, times: usize) {
    while shelf.asked() < times {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn as_many_wait_for_the_store_as_there_are_places() {
    let shelf = Arc::new(Shelf::by_hand());
    let door = Door::new(2, Some(known(&shelf).await));
    let mut sender = door.connect().await;
    let mut waiting = FuturesUnordered::new();
    for _ in 0..2 {
        waiting.push(told(send(&mut sender, asks_the_store(), None)));
        asked(&shelf, 1).await;
    }
    waiting.push(told(send(&mut sender, asks_the_store(), None)));
    assert_eq!(waiting.next().await, Some(overloaded()), "one too many");
    assert_eq!(door.counted("deny", "overloaded"), 1);
    // Who needs no store has places of their own.
    assert_eq!(told(send(&mut sender, check(OPEN, &[]), None)).await, allowed());
    shelf.read(0);
    shelf.answer(0);
    for _ in 0..2 {
        let (code, _, reason) = waiting.next().await.expect("an answer");
        assert_eq!((code, reason.as_str()), (7, "unauthenticated"), "there is no such session");
    }
    assert_eq!(shelf.asked(), 1);
}

#[tokio::test]
async fn a_deadline_that_passes_while_the_store_is_asked_ends_the_wait() {
    const DEADLINE_EXCEEDED: &str = "4";
    let shelf = Arc::new(Shelf::by_hand());
    let door = Door::new(1, Some(known(&shelf).await));
    let mut sender = door.connect().await;
    for times in 1..=2 {
        let late = answered(send(&mut sender, asks_the_store(), Some("300m")));
        let (status, answer) = late.await;
        assert_eq!((status.as_str(), answer), (DEADLINE_EXCEEDED, None));
        assert_eq!(shelf.asked(), times, "it was asked, and the place was given back");
    }
    assert_eq!(told(send(&mut sender, check(OPEN, &[]), None)).await, allowed());
}
