//! What can be done to a log, and what is said about it.

use super::{
    ChainKey, ChainProblem, Entry, Event, Head, Verb, Who, event_json, event_of_json, verify,
};
use crate::id::SessionId;
use crate::session::Origin;
use crate::time::Timestamp;
use serde_json::{Value, json};

const SECRET: [u8; 32] = [7; 32];

fn event(reason: &str) -> Event {
    Event {
        at: Timestamp::from_unix(1_700_000_000),
        verb: Verb::ImpersonationStart,
        actor: Who {
            user: "u-root".to_owned(),
            email: "root@corp.test".to_owned(),
            groups: Vec::new(),
        },
        subject: Some(Who {
            user: String::new(),
            email: "alice@corp.test".to_owned(),
            groups: vec!["g-eng".to_owned(), "g-all".to_owned()],
        }),
        session: SessionId::parse("ses_00112233445566778899aabbccddeeff"),
        reason: reason.to_owned(),
        detail: String::new(),
        origin: Origin {
            address: "192.0.2.1".to_owned(),
            request_id: "r-1".to_owned(),
            user_agent: "Browser \"1\"".to_owned(),
        },
        deed: None,
    }
}

fn log(key: &ChainKey, length: usize) -> Vec<Entry> {
    let mut head = Head::default();
    let mut entries = Vec::new();
    for index in 0..length {
        let entry = key.next(&head, event(&format!("ticket {index}")));
        head = entry.head();
        entries.push(entry);
    }
    entries
}

fn problem(entries: &[Entry]) -> ChainProblem {
    verify(&ChainKey::derive(&SECRET), Head::default(), entries).expect_err("noticed")
}

#[test]
fn an_untouched_log_verifies_whole_and_in_parts() {
    let key = ChainKey::derive(&SECRET);
    let entries = log(&key, 5);
    let end = verify(&key, Head::default(), &entries).expect("verifies");
    assert_eq!((end.number, &end.hash), (5, &entries[4].hash));
    let middle = verify(&key, Head::default(), &entries[..2]).expect("verifies");
    assert_eq!(verify(&key, middle, &entries[2..]), Ok(end));
    assert_eq!(verify(&key, Head::default(), &[]), Ok(Head::default()));
}

#[test]
fn what_was_changed_is_noticed() {
    let key = ChainKey::derive(&SECRET);
    let changes: [fn(&mut Event); 12] = [
        |event| event.at = Timestamp::from_unix(1_700_000_001),
        |event| event.verb = Verb::ImpersonationStop,
        |event| event.actor.user = "u-eve".to_owned(),
        |event| event.actor.email.clear(),
        |event| event.actor.groups.push(String::new()),
        |event| event.subject = None,
        |event| event.session = None,
        |event| event.reason.push('.'),
        |event| event.detail.push(' '),
        |event| event.origin.address.clear(),
        |event| event.origin.request_id.clear(),
        |event| event.origin.user_agent.clear(),
    ];
    for change in changes {
        let mut entries = log(&key, 4);
        change(&mut entries[1].event);
        assert_eq!(problem(&entries), ChainProblem::Changed(2));
    }
    let mut entries = log(&key, 4);
    entries[2].hash = entries[1].hash.clone();
    assert_eq!(problem(&entries), ChainProblem::Changed(3));
}

#[test]
fn words_cannot_move_from_one_field_to_the_next() {
    let key = ChainKey::derive(&SECRET);
    let said = |reason: &str, detail: &str| {
        let event = Event { detail: detail.to_owned(), ..event(reason) };
        key.next(&Head::default(), event).hash
    };
    assert_ne!(said("ab", "c"), said("a", "bc"));
    assert_ne!(said("a\",\"b", ""), said("a", "b"));
}

#[test]
fn what_was_removed_inserted_or_moved_is_noticed() {
    let key = ChainKey::derive(&SECRET);
    let mut removed = log(&key, 4);
    removed.remove(1);
    assert_eq!(problem(&removed), ChainProblem::Missing { expected: 2, found: 3 });
    for (index, entry) in removed.iter_mut().enumerate() {
        entry.number = index as u64 + 1;
    }
    assert_eq!(problem(&removed), ChainProblem::Changed(2), "also when it is numbered anew");

    let mut first = log(&key, 4);
    first.remove(0);
    assert_eq!(problem(&first), ChainProblem::Missing { expected: 1, found: 2 });

    let mut inserted = log(&key, 4);
    let stranger = ChainKey::derive(&[8; 32]).next(&inserted[1].head(), event("forged"));
    inserted.insert(2, stranger);
    assert_eq!(problem(&inserted), ChainProblem::Changed(3));

    let mut moved = log(&key, 4);
    moved.swap(1, 2);
    assert_eq!(problem(&moved), ChainProblem::Missing { expected: 2, found: 3 });
    (moved[1].number, moved[2].number) = (2, 3);
    assert_eq!(problem(&moved), ChainProblem::Changed(2));
}

#[test]
fn a_cut_log_ends_elsewhere() {
    let key = ChainKey::derive(&SECRET);
    let entries = log(&key, 4);
    let whole = verify(&key, Head::default(), &entries).expect("verifies");
    let cut = verify(&key, Head::default(), &entries[..3]).expect("it is a log");
    assert_ne!(cut, whole, "whoever keeps the end sees it");
    assert_eq!((cut.number, whole.number), (3, 4));
}

#[test]
fn nobody_without_the_key_makes_an_entry() {
    let forged = log(&ChainKey::derive(&[8; 32]), 2);
    assert_eq!(problem(&forged), ChainProblem::Changed(1));
    assert_eq!(format!("{:?}", ChainKey::derive(&SECRET)), "ChainKey(***)");
}

#[test]
fn a_hash_stays_what_it_is() {
    let entry = ChainKey::derive(&SECRET).next(&Head::default(), event("ticket 1"));
    assert_eq!(entry.hash, "91089606f95118c269ca5719df7b897307400573a3f1df8765598ee4436ed37a");
}

#[test]
fn an_event_is_read_as_it_was_written() {
    let whole = event("why \u{0} \u{1f600}");
    assert_eq!(event_of_json(&event_json(&whole)), Some(whole));
    let bare = Event { subject: None, session: None, ..event("") };
    assert_eq!(event_of_json(&event_json(&bare)), Some(bare));
}

#[test]
fn what_is_no_event_is_not_read() {
    let good = event_json(&event(""));
    for (name, wrong) in [
        ("at", json!("now")),
        ("verb", json!("sign-on")),
        ("actor", json!({ "user": "u" })),
        ("actor", Value::Null),
        ("subject", json!({ "user": "u", "email": "e", "groups": [1] })),
        ("session", json!("ses_1")),
        ("reason", json!(1)),
        ("user_agent", Value::Null),
    ] {
        let mut bad = good.clone();
        bad[name] = wrong;
        assert_eq!(event_of_json(&bad), None, "{name}");
        bad.as_object_mut().expect("a map").remove(name);
        assert_eq!(event_of_json(&bad), None, "{name}");
    }
    assert_eq!(event_of_json(&json!([])), None);
}
