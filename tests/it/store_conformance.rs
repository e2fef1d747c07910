//! What every store does alike, whichever engine it is: one list of behaviours, run on each.

use crate::support::store::{
    account, acting, at, event, id, known, on_every_engine, once, session, verified_log,
};
use lictor::activity::{Entry, Event, Head, Verb, Who};
use lictor::session::{Account, KnownPerson, SessionRecord};
use lictor::store::{
    ActivityQuery, AtProvider, Change, Changed, Changes, RecordKey, SessionQuery, Store,
    StoreErrorKind,
};
use std::sync::Arc;
use std::time::Duration;

on_every_engine! {
    a_session_is_kept_as_it_was
    a_name_is_given_once
    an_update_counts
    an_update_of_something_else_is_a_conflict
    an_ended_session_is_gone
    all_or_nothing
    sessions_in_force
    sessions_by_user_and_provider
    sessions_that_act_or_should_be_refreshed
    people_are_known_by_their_last_sign_in
    people_are_found_by_any_part
    people_are_found_by_what_was_typed
    a_value_is_taken_once
    one_of_many_takes_a_value
    a_value_that_expired_is_gone
    entries_are_chained
    entries_are_found_by_whom_they_name
    changes_are_numbered
    a_feed_tells_every_change
    odd_texts
    what_has_expired_is_swept
    an_impersonation_ends_with_its_session
    an_impersonation_ends_by_itself
    many_are_swept
    writers_do_not_lose_what_others_wrote
}

async fn open(store: &dyn Store, record: SessionRecord) -> SessionRecord {
    store.commit(vec![Change::OpenSession(record.clone())], Vec::new()).await.expect("opens");
    record
}

async fn update(store: &dyn Store, record: SessionRecord) -> Result<Head, StoreErrorKind> {
    let done = store.commit(vec![Change::UpdateSession(record)], Vec::new()).await;
    done.map_err(|error| error.kind())
}

fn names(sessions: &[SessionRecord]) -> Vec<&str> {
    sessions.iter().map(|session| session.provider_session.as_str()).collect()
}

fn all() -> SessionQuery {
    SessionQuery { limit: 100, ..SessionQuery::default() }
}

// --- sessions

async fn a_session_is_kept_as_it_was(store: &Arc<dyn Store>) {
    assert_eq!(store.session(&id(1)).await.expect("an answer"), None);
    let mut record = acting(session(1, "u-alice"), "bob@corp.test", at(600));
    record.tokens.as_mut().expect("tokens").refresh_at = Some(at(300));
    let record = open(&**store, record).await;
    assert_eq!(store.session(&id(1)).await.expect("an answer"), Some(record));
    let bare = SessionRecord { tokens: None, account: Account::default(), ..session(2, "u") };
    let bare = open(&**store, bare).await;
    assert_eq!(store.session(&id(2)).await.expect("an answer"), Some(bare));
}

async fn a_name_is_given_once(store: &Arc<dyn Store>) {
    let first = open(&**store, session(1, "u-alice")).await;
    let second = Change::OpenSession(session(1, "u-eve"));
    let error = store.commit(vec![second], Vec::new()).await.expect_err("it is taken");
    assert_eq!(error.kind(), StoreErrorKind::Conflict);
    assert_eq!(store.session(&id(1)).await.expect("an answer"), Some(first));
}

async fn an_update_counts(store: &Arc<dyn Store>) {
    let mut record = open(&**store, session(1, "u-alice")).await;
    for version in 1..=3 {
        record.expires = at(i64::try_from(version).expect("small") * 1000);
        update(&**store, record.clone()).await.expect("updates");
        record.version = version;
        assert_eq!(store.session(&id(1)).await.expect("an answer"), Some(record.clone()));
    }
}

async fn an_update_of_something_else_is_a_conflict(store: &Arc<dyn Store>) {
    let record = open(&**store, session(1, "u-alice")).await;
    update(&**store, record.clone()).await.expect("updates");
    let stale = update(&**store, SessionRecord { expires: at(9), ..record.clone() }).await;
    assert_eq!(stale, Err(StoreErrorKind::Conflict));
    let ahead = update(&**store, SessionRecord { version: 7, ..record.clone() }).await;
    assert_eq!(ahead, Err(StoreErrorKind::Conflict));
    assert_eq!(update(&**store, session(2, "u-bob")).await, Err(StoreErrorKind::Conflict));
    let stored = store.session(&id(1)).await.expect("an answer");
    assert_eq!(stored, Some(SessionRecord { version: 1, ..record }));
    assert_eq!(store.session(&id(2)).await.expect("an answer"), None);
}

async fn an_ended_session_is_gone(store: &Arc<dyn Store>) {
    let record = open(&**store, session(1, "u-alice")).await;
    for _ in 0..2 {
        store.commit(vec![Change::EndSession(id(1))], Vec::new()).await.expect("ends, also twice");
        assert_eq!(store.session(&id(1)).await.expect("an answer"), None);
    }
    assert_eq!(update(&**store, record).await, Err(StoreErrorKind::Conflict), "it stays gone");
    assert_eq!(store.session(&id(1)).await.expect("an answer"), None);
}

async fn all_or_nothing(store: &Arc<dyn Store>) {
    let before = open(&**store, session(1, "u-alice")).await;
    let head = store.commit(Vec::new(), vec![event(Verb::SignIn, "u-alice")]).await.expect("heard");
    let changes = store.changes_since(0).await.expect("changes");
    let refused = store
        .commit(
            vec![
                Change::OpenSession(session(2, "u-bob")),
                Change::KnowPerson(known("u-bob")),
                Change::EndSession(id(1)),
                Change::UpdateSession(session(3, "u-nobody")),
            ],
            vec![event(Verb::SignIn, "u-bob")],
        )
        .await;
    assert_eq!(refused.expect_err("a conflict").kind(), StoreErrorKind::Conflict);
    assert_eq!(store.session(&id(1)).await.expect("an answer"), Some(before));
    assert_eq!(store.session(&id(2)).await.expect("an answer"), None);
    assert_eq!(store.person("u-bob").await.expect("an answer"), None);
    assert_eq!(store.head().await.expect("a head"), head);
    assert_eq!(store.changes_since(0).await.expect("changes"), changes);
    assert_eq!(verified_log(&**store).await.len(), 1);
    let nothing = store.commit(Vec::new(), Vec::new()).await.expect("nothing is made");
    assert_eq!(nothing, head);
}

async fn sessions_in_force(store: &Arc<dyn Store>) {
    for number in 1..=5 {
        let expires = at(if number == 2 { 10 } else { 3600 });
        open(&**store, SessionRecord { expires, ..session(number, "u-alice") }).await;
    }
    let list = async |which: SessionQuery, now: i64| {
        let found = store.sessions(&which, at(now)).await.expect("sessions");
        names(&found).join(" ")
    };
    assert_eq!(list(all(), 9).await, "sid-5 sid-4 sid-3 sid-2 sid-1");
    assert_eq!(list(all(), 10).await, "sid-5 sid-4 sid-3 sid-1", "over from that instant");
    let page = |offset, limit| SessionQuery { offset, limit, ..SessionQuery::default() };
    assert_eq!(list(page(0, 2), 10).await, "sid-5 sid-4");
    assert_eq!(list(page(2, 2), 10).await, "sid-3 sid-1");
    assert_eq!(list(page(4, 2), 10).await, "");
    assert_eq!(list(page(0, 0), 10).await, "");
    assert_eq!(list(page(1, usize::MAX), 10).await, "sid-4 sid-3 sid-1");
    let mut found = store.sessions(&all(), at(10)).await.expect("sessions");
    found.sort_by(|one, other| one.id.cmp(&other.id));
    let after = |number: usize| {
        let after = Some(found[number].id.clone());
        list(SessionQuery { after, limit: 2, ..all() }, 10)
    };
    assert_eq!(after(0).await, names(&found[1..3]).join(" "), "in the order of their ids");
    assert_eq!(after(2).await, names(&found[3..]).join(" "));
    assert_eq!(after(3).await, "");
    assert_eq!(list(all(), 3600).await, "");
}

async fn sessions_by_user_and_provider(store: &Arc<dyn Store>) {
    open(&**store, session(1, "u-alice")).await;
    open(&**store, session(2, "u-bob")).await;
    let local = SessionRecord {
        provider: "local".to_owned(),
        provider_session: String::new(),
        ..session(3, "u-alice")
    };
    open(&**store, local).await;
    let list = async |which: SessionQuery| {
        let found = store.sessions(&which, at(5)).await.expect("sessions");
        names(&found).join(" ")
    };
    let by_user = |user: &str| SessionQuery { user: Some(user.to_owned()), ..all() };
    assert_eq!(list(by_user("u-alice")).await, " sid-1");
    assert_eq!(list(by_user("U-Alice")).await, "", "user ids are exact");
    assert_eq!(list(by_user("u-%")).await, "");
    let at = |provider: &str, session: Option<&str>, user: Option<&str>| SessionQuery {
        at_provider: Some(AtProvider {
            provider: provider.to_owned(),
            session: session.map(str::to_owned),
            user: user.map(str::to_owned),
        }),
        ..all()
    };
    let idp = "https://idp.corp.test";
    assert_eq!(list(at(idp, Some("sid-1"), None)).await, "sid-1");
    assert_eq!(list(at(idp, None, Some("u-alice"))).await, "sid-1");
    assert_eq!(list(at(idp, Some("sid-2"), Some("u-bob"))).await, "sid-2");
    assert_eq!(list(at(idp, Some("sid-2"), Some("u-alice"))).await, "");
    assert_eq!(list(at("local", Some("sid-1"), None)).await, "", "names are the provider's own");
    assert_eq!(list(at(idp, None, None)).await, "", "no name is nobody's");
    assert_eq!(list(at("local", Some(""), None)).await, "", "an empty name is none");
}

async fn sessions_that_act_or_should_be_refreshed(store: &Arc<dyn Store>) {
    let due = |number: u8, seconds: Option<i64>| {
        let mut record = session(number, "u-alice");
        record.tokens.as_mut().expect("tokens").refresh_at = seconds.map(at);
        record
    };
    open(&**store, due(1, Some(300))).await;
    open(&**store, due(2, Some(200))).await;
    open(&**store, due(3, None)).await;
    open(&**store, acting(due(4, Some(250)), "bob@corp.test", at(60))).await;
    let list = async |which: SessionQuery, now: i64| {
        let found = store.sessions(&which, at(now)).await.expect("sessions");
        names(&found).join(" ")
    };
    let refresh = |seconds| SessionQuery { refresh_before: Some(at(seconds)), ..all() };
    assert_eq!(list(refresh(300), 9).await, "sid-2 sid-4 sid-1", "the most overdue first");
    assert_eq!(list(refresh(249), 9).await, "sid-2");
    assert_eq!(list(SessionQuery { limit: 1, ..refresh(300) }, 9).await, "sid-2");
    let acting = || SessionQuery { impersonating: true, ..all() };
    assert_eq!(list(acting(), 59).await, "sid-4");
    assert_eq!(list(acting(), 60).await, "", "over from that instant");
}

// --- people

async fn know(store: &dyn Store, person: KnownPerson) {
    store.commit(vec![Change::KnowPerson(person)], Vec::new()).await.expect("known");
}

async fn people_are_known_by_their_last_sign_in(store: &Arc<dyn Store>) {
    assert_eq!(store.person("u-alice").await.expect("an answer"), None);
    know(&**store, known("u-alice")).await;
    let mut later = known("u-alice");
    later.account.email = "alice@new.test".to_owned();
    later.last_sign_in = at(100);
    later.provider = "https://idp.corp.test".to_owned();
    know(&**store, later.clone()).await;
    assert_eq!(store.person("u-alice").await.expect("an answer"), Some(later));
    assert!(store.search_people("alice@corp.test", 9).await.expect("people").is_empty());
}

async fn found(store: &dyn Store, text: &str, limit: usize) -> String {
    let people = store.search_people(text, limit).await.expect("people");
    people.iter().map(|person| person.account.user.as_str()).collect::<Vec<_>>().join(" ")
}

async fn people_are_found_by_any_part(store: &Arc<dyn Store>) {
    let person = |user: &str, email: &str, name: &str| {
        let mut person = known(user);
        (person.account.email, person.account.name) = (email.to_owned(), name.to_owned());
        person
    };
    know(&**store, person("u-1", "zoe@corp.test", "Ann")).await;
    know(&**store, person("u-2", "ann@corp.test", "Bob Hann")).await;
    know(&**store, person("u-3", "Bea@corp.test", "Ännchen Ann Ünal")).await;
    know(&**store, person("ann", "", "")).await;
    assert_eq!(found(&**store, "ANN", 9).await, "ann u-1 u-2 u-3", "exact, begins, holds");
    assert_eq!(
        found(&**store, "corp.test", 9).await,
        "u-2 u-3 u-1",
        "by e-mail, whatever its case"
    );
    assert_eq!(found(&**store, "ünaL", 9).await, "u-3", "case of any script");
    assert_eq!(found(&**store, "u-", 9).await, "u-2 u-3 u-1");
    assert_eq!(found(&**store, "ann", 2).await, "ann u-1");
    assert_eq!(found(&**store, "", 9).await, "ann u-2 u-3 u-1");
    assert_eq!(found(&**store, "nobody", 9).await, "");
    assert_eq!(found(&**store, "ann", 0).await, "");
}

async fn people_are_found_by_what_was_typed(store: &Arc<dyn Store>) {
    for user in ["50%", "a_b", "axb", "wow!", "back\\slash", "o'hara", "nul\0l"] {
        let account = Account { user: user.to_owned(), ..Account::default() };
        know(&**store, KnownPerson { account, ..known("") }).await;
    }
    assert_eq!(found(&**store, "%", 9).await, "50%");
    assert_eq!(found(&**store, "_", 9).await, "a_b");
    assert_eq!(found(&**store, "a_b", 9).await, "a_b");
    assert_eq!(found(&**store, "!", 9).await, "wow!");
    assert_eq!(found(&**store, "\\", 9).await, "back\\slash");
    assert_eq!(found(&**store, "'", 9).await, "o'hara");
    assert_eq!(found(&**store, "\0", 9).await, "nul\0l");
    assert_eq!(found(&**store, &"x".repeat(100_000), 9).await, "");
}

// --- values

async fn a_value_is_taken_once(store: &Arc<dyn Store>) {
    store.keep_once(once("k", at(60))).await.expect("kept");
    store.keep_once(once("other", at(60))).await.expect("kept");
    let again = store.keep_once(once("k", at(90))).await.expect_err("there is one");
    assert_eq!(again.kind(), StoreErrorKind::Conflict);
    assert_eq!(store.take_once("K", at(0)).await.expect("an answer"), None);
    assert_eq!(store.take_once("k", at(59)).await.expect("an answer"), Some(once("k", at(60))));
    assert_eq!(store.take_once("k", at(59)).await.expect("an answer"), None);
    store.keep_once(once("k", at(60))).await.expect("the key is free again");
}

async fn one_of_many_takes_a_value(store: &Arc<dyn Store>) {
    for round in 0..5 {
        let key = format!("k-{round}");
        store.keep_once(once(&key, at(60))).await.expect("kept");
        let takers: Vec<_> = (0..16)
            .map(|_| {
                let (store, key) = (Arc::clone(store), key.clone());
                tokio::spawn(async move { store.take_once(&key, at(0)).await.expect("an answer") })
            })
            .collect();
        let mut taken = 0;
        for taker in takers {
            taken += usize::from(taker.await.expect("no panic").is_some());
        }
        assert_eq!(taken, 1);
    }
}

async fn a_value_that_expired_is_gone(store: &Arc<dyn Store>) {
    store.keep_once(once("k", at(60))).await.expect("kept");
    assert_eq!(store.take_once("k", at(60)).await.expect("an answer"), None);
    assert_eq!(store.take_once("k", at(0)).await.expect("an answer"), None, "also for old clocks");
}

// --- the activity log

async fn entries_are_chained(store: &Arc<dyn Store>) {
    assert_eq!(store.head().await.expect("a head"), Head::default());
    assert!(verified_log(&**store).await.is_empty());
    let told: Vec<Event> = Verb::ALL.into_iter().map(|verb| event(verb, "u-alice")).collect();
    let first = store.commit(Vec::new(), told[..1].to_vec()).await.expect("heard");
    let last = store.commit(Vec::new(), told[1..].to_vec()).await.expect("heard");
    let count = Verb::ALL.len() as u64;
    assert_eq!((first.number, last.number), (1, count));
    let entries = verified_log(&**store).await;
    let events: Vec<Event> = entries.iter().map(|entry| entry.event.clone()).collect();
    assert_eq!(events, told);
    assert_eq!(entries[Verb::ALL.len() - 1].head(), last);
    let page = store.activity_after(3, 2).await.expect("entries");
    assert_eq!(page, entries[3..5]);
    assert!(store.activity_after(count, 9).await.expect("entries").is_empty());
    assert!(store.activity_after(u64::MAX, 9).await.expect("entries").is_empty());
}

async fn entries_are_found_by_whom_they_name(store: &Arc<dyn Store>) {
    let as_bob = Event {
        subject: Some(Who { email: "Bob@corp.test".to_owned(), ..Who::default() }),
        session: Some(id(1)),
        ..event(Verb::ImpersonationStart, "u-root")
    };
    let nobody = Event { actor: Who::default(), ..event(Verb::SignInFailed, "") };
    let told = vec![event(Verb::SignIn, "u-root"), as_bob, event(Verb::SignIn, "u-bob"), nobody];
    store.commit(Vec::new(), told).await.expect("heard");
    let list = async |which: ActivityQuery| {
        let entries = store.activity(&which).await.expect("entries");
        entries.iter().map(|entry: &Entry| entry.number).collect::<Vec<_>>()
    };
    let all = || ActivityQuery { limit: 100, ..ActivityQuery::default() };
    let by = |who: &str| ActivityQuery { who: Some(who.to_owned()), ..all() };
    assert_eq!(list(all()).await, [4, 3, 2, 1], "the latest first");
    assert_eq!(list(by("u-root")).await, [2, 1]);
    assert_eq!(list(by("u-bob@CORP.test")).await, [3], "e-mail addresses whatever their case");
    assert_eq!(list(by("bob@corp.test")).await, [2], "also as whom it was done");
    assert_eq!(list(by("U-ROOT")).await, [0; 0], "user ids are exact");
    assert_eq!(list(by("")).await, [0; 0]);
    assert_eq!(list(ActivityQuery { before: Some(4), limit: 2, ..all() }).await, [3, 2]);
    assert_eq!(list(ActivityQuery { session: Some(id(1)), ..all() }).await, [2]);
    assert_eq!(list(ActivityQuery { session: Some(id(2)), ..all() }).await, [0; 0]);
    let both = ActivityQuery { session: Some(id(1)), before: Some(2), ..by("u-root") };
    assert_eq!(list(both).await, [0; 0]);
    assert_eq!(list(ActivityQuery::default()).await, [0; 0], "at most none");
}

// --- changes

async fn changes_are_numbered(store: &Arc<dyn Store>) {
    let nothing = Changes { latest: 0, changed: Some(Vec::new()) };
    assert_eq!(store.changes_since(0).await.expect("changes"), nothing);
    let record = open(&**store, session(1, "u-alice")).await;
    update(&**store, record).await.expect("updates");
    know(&**store, known("u-alice")).await;
    let both = vec![Change::OpenSession(session(2, "u-bob")), Change::EndSession(id(1))];
    store.commit(both, Vec::new()).await.expect("made");
    store.commit(vec![Change::EndSession(id(9))], Vec::new()).await.expect("it was gone");
    let change = |number, of| Changed { number, record: RecordKey::Session(id(of)) };
    let told = Some(vec![change(1, 1), change(2, 1), change(3, 2), change(4, 1), change(5, 9)]);
    let changes = store.changes_since(0).await.expect("changes");
    assert_eq!(changes, Changes { latest: 5, changed: told });
    let changes = store.changes_since(3).await.expect("changes");
    assert_eq!(changes, Changes { latest: 5, changed: Some(vec![change(4, 1), change(5, 9)]) });
    let changes = store.changes_since(5).await.expect("changes");
    assert_eq!(changes, Changes { latest: 5, changed: Some(Vec::new()) });
    for beyond in [6, u64::MAX] {
        let changes = store.changes_since(beyond).await.expect("changes");
        assert_eq!(changes, Changes { latest: 5, changed: None }, "the store is another one");
    }
}

async fn a_feed_tells_every_change(store: &Arc<dyn Store>) {
    open(&**store, session(1, "u-alice")).await;
    let mut feeds = [store.follow().await.expect("a feed"), store.follow().await.expect("a feed")];
    know(&**store, known("u-alice")).await;
    store.commit(vec![Change::EndSession(id(1))], Vec::new()).await.expect("ends");
    let many = (10..210).map(|number| Change::OpenSession(session(number, "u-bob"))).collect();
    store.commit(many, Vec::new()).await.expect("opens");
    assert!(update(&**store, session(9, "u-nobody")).await.is_err(), "what failed is not told");
    update(&**store, session(10, "u-bob")).await.expect("updates");
    let wanted = [1].into_iter().chain(10..210).chain([10]).zip(2..);
    let wanted: Vec<Changed> = wanted
        .map(|(session, number)| Changed { number, record: RecordKey::Session(id(session)) })
        .collect();
    for feed in &mut feeds {
        for wanted in &wanted {
            let next = tokio::time::timeout(Duration::from_secs(5), feed.next()).await;
            assert_eq!(&next.expect("in time").expect("a change"), wanted);
        }
        let more = tokio::time::timeout(Duration::from_millis(50), feed.next()).await;
        assert!(more.is_err(), "{more:?}");
    }
    assert!(store.heartbeat() > Duration::ZERO && store.heartbeat() <= Duration::from_secs(1));
}

async fn odd_texts(store: &Arc<dyn Store>) {
    for (index, text) in [
        "\0",
        "a\0b",
        "\u{ffff}0",
        "'; DROP TABLE lictor_head; --",
        "$1 %s {}",
        "\u{202e}\u{1f600}\u{301}",
        "\r\n\t",
        "\\u0000",
    ]
    .into_iter()
    .enumerate()
    {
        let number = u8::try_from(index).expect("few");
        let mut record = acting(session(number, text), text, at(600));
        (record.provider, record.provider_session) = (text.to_owned(), text.to_owned());
        (record.account.email, record.origin.user_agent) = (text.to_owned(), text.to_owned());
        let entry = Event {
            reason: text.to_owned(),
            subject: Some(Who {
                user: text.to_owned(),
                groups: vec![text.to_owned()],
                ..Who::default()
            }),
            ..event(Verb::ImpersonationStart, text)
        };
        let person = KnownPerson { account: account(text), ..known(text) };
        let changes = vec![Change::OpenSession(record.clone()), Change::KnowPerson(person.clone())];
        store.commit(changes, vec![entry.clone()]).await.expect("kept");
        assert_eq!(store.session(&id(number)).await.expect("an answer"), Some(record.clone()));
        assert_eq!(store.person(text).await.expect("an answer"), Some(person));
        let which = SessionQuery { user: Some(text.to_owned()), ..all() };
        assert_eq!(store.sessions(&which, at(9)).await.expect("sessions"), [record], "{text:?}");
        let which =
            ActivityQuery { who: Some(text.to_owned()), limit: 9, ..ActivityQuery::default() };
        let entries = store.activity(&which).await.expect("entries");
        assert_eq!(entries.iter().map(|found| &found.event).collect::<Vec<_>>(), [&entry]);
        store.keep_once(once(text, at(9))).await.expect("kept");
        assert_eq!(store.take_once(text, at(0)).await.expect("an answer"), Some(once(text, at(9))));
    }
    assert_eq!(verified_log(&**store).await.len(), 8);
}

// --- sweeping

async fn what_has_expired_is_swept(store: &Arc<dyn Store>) {
    open(&**store, SessionRecord { expires: at(10), ..session(1, "u-alice") }).await;
    let live = open(&**store, SessionRecord { expires: at(11), ..session(2, "u-alice") }).await;
    store.keep_once(once("old", at(10))).await.expect("kept");
    store.keep_once(once("new", at(11))).await.expect("kept");
    let over = store.session(&id(1)).await.expect("an answer");
    assert!(over.is_some_and(|record| !record.is_live(at(10))), "there until it is swept");
    for _ in 0..2 {
        store.sweep(at(10)).await.expect("sweeps");
        assert_eq!(store.session(&id(1)).await.expect("an answer"), None);
        assert_eq!(store.session(&id(2)).await.expect("an answer").as_ref(), Some(&live));
    }
    store.keep_once(once("old", at(60))).await.expect("the key is free again");
    let kept = store.keep_once(once("new", at(60))).await.expect_err("it is there");
    assert_eq!(kept.kind(), StoreErrorKind::Conflict);
    assert!(verified_log(&**store).await.is_empty(), "that a session is over is nobody's deed");
}

async fn an_impersonation_ends_with_its_session(store: &Arc<dyn Store>) {
    let record = SessionRecord { expires: at(10), ..session(1, "u-root") };
    let record = open(&**store, acting(record, "bob@corp.test", at(600))).await;
    store.sweep(at(50)).await.expect("sweeps");
    assert_eq!(store.session(&id(1)).await.expect("an answer"), None);
    store.sweep(at(50)).await.expect("sweeps");
    let entries = verified_log(&**store).await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    let event = &entries[0].event;
    assert_eq!((event.verb, event.at), (Verb::ImpersonationEnd, at(10)));
    assert_eq!((event.actor.user.as_str(), &event.session), ("u-root", &Some(record.id)));
    let subject = event.subject.as_ref().expect("somebody");
    assert_eq!((subject.email.as_str(), subject.groups.len()), ("bob@corp.test", 1));
    assert_eq!((event.reason.as_str(), event.detail.as_str()), ("ticket 7", "the session expired"));
}

async fn an_impersonation_ends_by_itself(store: &Arc<dyn Store>) {
    let record = open(&**store, acting(session(1, "u-root"), "bob@corp.test", at(60))).await;
    store.sweep(at(59)).await.expect("sweeps");
    assert_eq!(store.session(&id(1)).await.expect("an answer").as_ref(), Some(&record));
    let mut feed = store.follow().await.expect("a feed");
    store.sweep(at(61)).await.expect("sweeps");
    store.sweep(at(62)).await.expect("sweeps");
    let ended = SessionRecord { impersonation: None, version: 1, ..record };
    assert_eq!(store.session(&id(1)).await.expect("an answer"), Some(ended));
    let told = Changed { number: 2, record: RecordKey::Session(id(1)) };
    assert_eq!(feed.next().await.expect("a change"), told, "the record is another");
    let entries = verified_log(&**store).await;
    let ends: Vec<_> = entries.iter().map(|entry| (entry.event.verb, entry.event.at)).collect();
    assert_eq!(ends, [(Verb::ImpersonationEnd, at(60))]);
    assert_eq!(entries[0].event.detail, "its time was over");
}

async fn many_are_swept(store: &Arc<dyn Store>) {
    let mut changes = Vec::new();
    for number in 0..=u8::MAX {
        let expired = SessionRecord { expires: at(10), ..session(number, "u-alice") };
        changes.push(Change::OpenSession(acting(expired, "bob@corp.test", at(5))));
    }
    store.commit(changes, Vec::new()).await.expect("opens");
    for number in 0..450 {
        store.keep_once(once(&format!("k-{number}"), at(10))).await.expect("kept");
    }
    store.sweep(at(10)).await.expect("sweeps");
    assert!(store.sessions(&all(), at(0)).await.expect("sessions").is_empty());
    for number in 0..450 {
        store.keep_once(once(&format!("k-{number}"), at(10))).await.expect("the key is free");
    }
    assert_eq!(verified_log(&**store).await.len(), 256);
}

// --- many at once

async fn writers_do_not_lose_what_others_wrote(store: &Arc<dyn Store>) {
    const WRITERS: u8 = 8;
    const TIMES: u64 = 12;
    let mut feed = store.follow().await.expect("a feed");
    open(&**store, session(200, "u-shared")).await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for _ in 0..TIMES {
                    write(&*store, writer).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("no panic");
    }
    let made = u64::from(WRITERS) * TIMES;
    let shared = store.session(&id(200)).await.expect("an answer").expect("it is there");
    assert_eq!(shared.version, made, "every change was based on the one before");
    assert_eq!(verified_log(&**store).await.len() as u64, made);
    let told = store.changes_since(0).await.expect("changes");
    let told = told.changed.expect("all of them");
    assert_eq!(told.len() as u64, made + 1);
    for (number, change) in (1..).zip(told) {
        assert_eq!(change.number, number);
        let next = tokio::time::timeout(Duration::from_secs(5), feed.next()).await;
        assert_eq!(next.expect("in time").expect("a change"), change);
    }
}

/// Changes the shared session and tells of it, as often as it takes.
async fn write(store: &dyn Store, writer: u8) {
    loop {
        let record = store.session(&id(200)).await.expect("an answer").expect("it is there");
        let told = event(Verb::Refresh, &format!("u-{writer}"));
        match store.commit(vec![Change::UpdateSession(record)], vec![told]).await {
            Ok(_) => return,
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Conflict, "{error}"),
        }
    }
}
