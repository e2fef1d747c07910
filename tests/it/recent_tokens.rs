//! What was read of a token once serves again, and never longer than what it depends on: the keys, the
//! settings, the directory, its own times, and its place in a request; for a handle its record, who is
//! blocked, and the second.

use crate::support::check::{asking, decode, get};
use crate::support::config::{SECRET, snapshot_of, snapshot_with};
use crate::support::fixture::{NOW, host::SECRET_BYTES};
use crate::support::shown::{self, MADE, Shown};
use lictor::authorizer::{Answer, Authorizer};
use lictor::catalog::{Blocked, Catalog};
use lictor::id::{CredentialId, SessionId};
use lictor::identity::{Directory, Source, User};
use lictor::service_account::{AccountRecord, CredentialRecord, Machine};
use lictor::session::{Impersonation, SessionRecord};
use lictor::state::Snapshot;
use lictor::store::{Records, Seen};
use lictor::time::Timestamp;
use lictor::token::{Claims, mint};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const HOST: &str = "app.corp.test";

fn snapshot(secret: &str, groups: &[&str]) -> Snapshot {
    let user = User {
        id: "u-bob".to_owned(),
        email: "bob@corp.test".to_owned(),
        display_name: "Bob".to_owned(),
        group_ids: groups.iter().map(|group| (*group).to_owned()).collect(),
    };
    let config = format!(
        "
shared_secret: {secret}
authenticate_service_url: https://auth.corp.test
enable_user_impersonation: true
administrators: [root@corp.test]
routes:
- {{id: app, from: https://{HOST}, policy: {{allow: {{or: [{{email: {{is: bob@corp.test}}}}]}}}}}}
"
    );
    snapshot_with(&config, Directory::new(vec![user], Vec::new()).expect("a directory"))
}

fn token() -> String {
    let claims = Claims {
        issuer: "auth.corp.test".to_owned(),
        audience: vec![format!("{HOST}:443")],
        subject: "u-root".to_owned(),
        user: "u-root".to_owned(),
        email: "root@corp.test".to_owned(),
        impersonate_email: "bob@corp.test".to_owned(),
        ..Claims::default()
    };
    mint(&claims, &SECRET_BYTES, Timestamp::from_unix(NOW), Duration::from_mins(10))
}

fn ask(authorizer: &Authorizer, snapshot: &Snapshot, header: (&str, &str), after: i64) -> Answer {
    let request = decode(asking(get(HOST, "/", &[header])), &snapshot.settings, None);
    let now = Timestamp::from_unix(NOW + after);
    authorizer.authorize(snapshot, &request, now).expect("an answer")
}

fn groups(answer: &Answer) -> Vec<String> {
    let identity = answer.record.identity.as_ref().expect("somebody");
    identity.subject.group_ids().to_vec()
}

#[test]
fn a_token_that_was_good_is_judged_again() {
    let authorizer = Authorizer::new();
    let (here, token) = (snapshot(SECRET, &["g-one"]), token());
    let header = ("x-pomerium-authorization", token.as_str());
    for _ in 0..3 {
        let answer = ask(&authorizer, &here, header, 0);
        assert!(answer.record.denied.is_none(), "{answer:?}");
        assert_eq!(groups(&answer), ["g-one"]);
    }
    // Its time, a minute of grace included.
    assert!(ask(&authorizer, &here, header, 659).record.denied.is_none());
    let over = ask(&authorizer, &here, header, 660);
    assert_eq!(over.record.session_error.expect("why").code(), "expired");
    // Another directory.
    let moved = snapshot(SECRET, &["g-two"]);
    assert_eq!(groups(&ask(&authorizer, &moved, header, 0)), ["g-two"]);
    assert_eq!(groups(&ask(&authorizer, &here, header, 0)), ["g-one"]);
    // Another key.
    let other = snapshot("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", &["g-one"]);
    let refused = ask(&authorizer, &other, header, 0);
    assert!(refused.record.identity.is_none());
    assert_eq!(refused.record.session_error.expect("why").code(), "bad-signature");
    // Another place in the request.
    let bearer = format!("Pomerium {token}");
    let answer = ask(&authorizer, &here, ("authorization", &bearer), 0);
    let session = &answer.record.identity.expect("somebody").session;
    assert_eq!(session.source, Source::Header);
    // Another port than the token is for.
    let request = decode(asking(get("app.corp.test:8443", "/", &[header])), &here.settings, None);
    let now = Timestamp::from_unix(NOW);
    let elsewhere = authorizer.authorize(&here, &request, now).expect("an answer");
    assert!(elsewhere.record.identity.is_none(), "{elsewhere:?}");
    // A letter of it changed.
    let mut changed = token.clone().into_bytes();
    let last = changed.len() - 10;
    changed[last] = if changed[last] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).expect("text");
    let answer = ask(&authorizer, &here, ("x-pomerium-authorization", &changed), 0);
    assert!(answer.record.identity.is_none());
}

// --- handles: what their records say, at every check

/// One session and one service account, as they are at the moment.
#[derive(Debug, Default)]
struct Shelf {
    session: Mutex<Option<Arc<SessionRecord>>>,
    machine: Mutex<Option<Arc<Machine>>>,
}

fn seen<T>(kept: &Mutex<Option<Arc<T>>>) -> Seen<T> {
    kept.lock().expect("whole").clone().map_or(Seen::Gone, Seen::Known)
}

impl Records for Shelf {
    fn session(&self, _: &SessionId) -> Seen<SessionRecord> {
        seen(&self.session)
    }

    fn machine(&self, _: &CredentialId) -> Seen<Machine> {
        seen(&self.machine)
    }
}

impl Shelf {
    fn put(&self, record: &SessionRecord) {
        *self.session.lock().expect("whole") = Some(Arc::new(record.clone()));
    }

    fn put_machine(&self, machine: Option<Machine>) {
        *self.machine.lock().expect("whole") = machine.map(Arc::new);
    }
}

/// Who is seen, or why nobody is; asked twice, since the second time less has to be worked out.
fn whom(authorizer: &Authorizer, snapshot: &Snapshot, header: (&str, &str), after: i64) -> String {
    let once = || {
        let now = MADE.plus(Duration::from_secs(60)).unix() + after;
        let request = shown::request(header.0, header.1);
        let answer = authorizer.authorize(snapshot, &request, Timestamp::from_unix(now));
        let record = answer.expect("an answer").record;
        match (&record.identity, &record.session_error) {
            (Some(identity), None) => {
                let actor = identity.actor.as_ref().map(|actor| format!(" by {}", actor.user));
                let denied = record.denied.as_ref().map(|reason| format!(" {}", reason.code()));
                let (actor, denied) = (actor.unwrap_or_default(), denied.unwrap_or_default());
                format!("{}{actor}{denied}", identity.subject.user)
            }
            (_, Some(error)) => error.code().to_owned(),
            (None, None) => "nobody".to_owned(),
        }
    };
    let first = once();
    assert_eq!(once(), first);
    first
}

fn blocking(snapshot: Snapshot, user: &str) -> Snapshot {
    let who = Blocked {
        user: user.to_owned(),
        since: MADE,
        by: "root@corp.test".to_owned(),
        reason: String::new(),
    };
    snapshot.with_catalog(Arc::new(Catalog { blocked: vec![who], ..Catalog::default() }))
}

#[test]
fn what_is_shown_again_is_let_in_again() {
    let shown = Shown::new();
    for _ in 0..3 {
        assert!(shown.is_allowed(&shown.by_session) && shown.is_allowed(&shown.by_machine));
    }
}

#[test]
fn a_session_is_judged_by_its_record_each_time() {
    let (record, cookie) = shown::session();
    let shelf = Arc::new(Shelf::default());
    let authorizer = Authorizer::with_records(Arc::clone(&shelf) as _);
    let cookie = format!("_pomerium={cookie}");
    let (here, header) = (snapshot_of(&shown::config()), ("cookie", cookie.as_str()));
    // All in one second, but for the last.
    let whom = |snapshot: &Snapshot, after| whom(&authorizer, snapshot, header, after);
    assert_eq!(whom(&here, 0), "unknown-session");
    shelf.put(&record);
    assert_eq!(whom(&here, 0), "u-1101");
    let acting = Impersonation {
        email: Some("bob@corp.test".to_owned()),
        groups: None,
        reason: "ticket 7".to_owned(),
        started: MADE,
        until: MADE.plus(Duration::from_secs(100)),
        known: None,
    };
    shelf.put(&SessionRecord { impersonation: Some(acting), ..record.clone() });
    assert_eq!(whom(&here, 0), "bob@corp.test by u-1101");
    assert_eq!(whom(&here, 39), "bob@corp.test by u-1101");
    assert_eq!(whom(&here, 40), "u-1101", "it is over to the second");
    assert_eq!(whom(&here, 0), "bob@corp.test by u-1101");
    let nobody_acts = shown::config().replace("enable_user_impersonation: true", "");
    let refused = "bob@corp.test by u-1101 impersonation-not-permitted";
    assert_eq!(whom(&snapshot_of(&nobody_acts), 0), refused);
    shelf.put(&record);
    assert_eq!(whom(&here, 0), "u-1101");
    let blocked = blocking(snapshot_of(&shown::config()), "u-1101");
    assert_eq!(whom(&blocked, 0), "user-blocked");
    assert_eq!(whom(&here, 0), "u-1101");
    assert_eq!(whom(&here, 3_540), "record-expired");
    *shelf.session.lock().expect("whole") = None;
    assert_eq!(whom(&here, 0), "unknown-session");
}

#[test]
fn a_machine_is_judged_by_its_records_each_time() {
    let (machine, token) = shown::machine();
    let shelf = Arc::new(Shelf::default());
    let authorizer = Authorizer::with_records(Arc::clone(&shelf) as _);
    let (here, header) = (snapshot_of(&shown::config()), ("x-pomerium-authorization", &*token));
    let whom = |snapshot: &Snapshot, after| whom(&authorizer, snapshot, header, after);
    assert_eq!(whom(&here, 0), "unknown-credential");
    shelf.put_machine(Some(machine.clone()));
    assert_eq!(whom(&here, 0), "build-bot");
    let at = Some(MADE.plus(Duration::from_secs(90)));
    let Machine { account, credential } = machine.clone();
    let ending = CredentialRecord { superseded: at, ..credential.clone() };
    shelf.put_machine(Some(Machine { credential: ending, account: account.clone() }));
    assert_eq!(whom(&here, 29), "build-bot");
    assert_eq!(whom(&here, 30), "credential-superseded");
    let revoked = CredentialRecord { revoked: Some(MADE), ..credential.clone() };
    shelf.put_machine(Some(Machine { credential: revoked, account: account.clone() }));
    assert_eq!(whom(&here, 29), "credential-revoked");
    let disabled = AccountRecord { disabled: Some(MADE), ..account };
    shelf.put_machine(Some(Machine { credential, account: disabled }));
    assert_eq!(whom(&here, 29), "service-account-disabled");
    shelf.put_machine(Some(machine));
    assert_eq!(whom(&here, 29), "build-bot");
    shelf.put_machine(None);
    assert_eq!(whom(&here, 29), "unknown-credential");
}
