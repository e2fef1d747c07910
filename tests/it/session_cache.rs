//! What checks know of sessions: one look-up for many, never what was before a change, and never more
//! than there is room for.

use crate::support::check::get;
use crate::support::guests::{handle, profile};
use crate::support::house::{CONFIG, House};
use crate::support::shelf::Shelf;
use crate::support::store::{
    Fault, Faulty, Place, at, credential, credential_id, id, machine_account, session,
};
use lictor::id::SessionId;
use lictor::people::{Ending, Moment, Opened};
use lictor::service_account::{AccountRecord, CredentialRecord, Machine};
use lictor::session::{Origin, SessionRecord};
use lictor::store::{CacheLimits, Change, RecordKey, Records, Seen, SessionCache, Store, follow};
use lictor::tasks::Tasks;
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::yield_now;

const PATIENT: CacheLimits = CacheLimits {
    records: 1 << 10,
    bytes: 1 << 24,
    lookup: Duration::from_secs(60),
    staleness: Duration::from_secs(600),
};

/// A cache that has heard of its store once.
async fn cache(store: Arc<dyn Store>, limits: CacheLimits) -> Arc<SessionCache> {
    let cache = Arc::new(SessionCache::new(store, limits));
    assert_eq!(cache.session(&id(0)), Seen::Stale, "nothing counts before that");
    let heard = async {
        while cache.session(&id(0)) == Seen::Stale {
            yield_now().await;
        }
    };
    tokio::select! {
        () = follow(&cache, |_| ()) => {}
        () = heard => {}
    }
    cache
}

fn key(number: u8) -> RecordKey {
    RecordKey::Session(id(number))
}

fn version(seen: &Seen<SessionRecord>) -> Option<u64> {
    match seen {
        Seen::Known(record) => Some(record.version),
        Seen::Gone | Seen::Unseen | Seen::Stale => None,
    }
}

/// Lets everything go on as far as it can.
async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

#[tokio::test]
async fn many_misses_are_one_look_up() {
    let shelf = Arc::new(Shelf::by_hand());
    let cache = cache(Arc::clone(&shelf) as _, PATIENT).await;
    for number in 1..=3 {
        shelf.put(&id(number), (number < 3).then_some(7));
    }
    let waiting: Vec<_> = (0..90)
        .map(|turn| {
            let cache = Arc::clone(&cache);
            tokio::spawn(async move { cache.learn(&key(turn % 3 + 1)).await })
        })
        .collect();
    settle().await;
    assert_eq!(shelf.asked(), 3);
    for call in 0..3 {
        shelf.read(call);
        shelf.answer(call);
    }
    for task in waiting {
        task.await.expect("no panic").expect("learnt");
    }
    assert_eq!(shelf.asked(), 3);
    assert_eq!(version(&cache.session(&id(1))), Some(7));
    assert_eq!(cache.session(&id(3)), Seen::Gone);
    assert_eq!(cache.session(&id(4)), Seen::Unseen);
}

#[tokio::test]
async fn whoever_gives_up_keeps_nobody_waiting() {
    let shelf = Arc::new(Shelf::by_hand());
    let cache = cache(Arc::clone(&shelf) as _, PATIENT).await;
    shelf.put(&id(1), Some(7));
    let learn = || {
        let cache = Arc::clone(&cache);
        tokio::spawn(async move { cache.learn(&key(1)).await })
    };
    // The one who asks gives up; the one who waited asks instead.
    let (first, second) = (learn(), learn());
    settle().await;
    first.abort();
    settle().await;
    assert_eq!(shelf.asked(), 2);
    shelf.read(1);
    // All give up, in the middle of a change; the next begins anew.
    second.abort();
    cache.forget(&key(1));
    settle().await;
    let third = learn();
    settle().await;
    shelf.read(2);
    shelf.answer(2);
    third.await.expect("no panic").expect("learnt");
    assert_eq!(shelf.asked(), 3);
    assert_eq!(version(&cache.session(&id(1))), Some(7));
}

#[tokio::test]
async fn a_change_during_a_look_up_is_never_missed() {
    for all in [false, true] {
        let shelf = Arc::new(Shelf::by_hand());
        let cache = cache(Arc::clone(&shelf) as _, PATIENT).await;
        let forget = || if all { cache.forget_all() } else { cache.forget(&key(1)) };
        shelf.put(&id(1), Some(1));
        let learning = {
            let cache = Arc::clone(&cache);
            tokio::spawn(async move { cache.learn(&key(1)).await })
        };
        settle().await;
        shelf.read(0);
        settle().await;
        // It has read what was before, and answers after the change was told.
        shelf.put(&id(1), Some(2));
        forget();
        shelf.answer(0);
        settle().await;
        assert_eq!(cache.session(&id(1)), Seen::Unseen);
        shelf.read(1);
        settle().await;
        shelf.put(&id(1), None);
        forget();
        shelf.answer(1);
        settle().await;
        assert_eq!(shelf.asked(), 3);
        shelf.read(2);
        shelf.answer(2);
        learning.await.expect("no panic").expect("learnt");
        assert_eq!(cache.session(&id(1)), Seen::Gone);
    }
}

#[tokio::test]
async fn what_keeps_changing_is_not_known() {
    let shelf = Arc::new(Shelf::by_hand());
    let cache = cache(Arc::clone(&shelf) as _, PATIENT).await;
    let learning = {
        let cache = Arc::clone(&cache);
        tokio::spawn(async move { cache.learn(&key(1)).await })
    };
    for call in 0..8 {
        settle().await;
        shelf.read(call);
        settle().await;
        shelf.put(&id(1), Some(call as u64));
        cache.forget(&key(1));
        shelf.answer(call);
    }
    let error = learning.await.expect("no panic").expect_err("it never stood still");
    assert!(error.to_string().contains("keeps changing"), "{error}");
    assert_eq!(cache.session(&id(1)), Seen::Unseen);
    assert!(shelf.asked() <= 4, "bounded");
}

#[tokio::test]
async fn a_failure_is_told_to_all_who_wait_and_kept_by_nobody() {
    let faulty = Arc::new(Faulty::new(Place::memory().open().await));
    let limits = CacheLimits { lookup: Duration::from_millis(100), ..PATIENT };
    let cache = cache(Arc::clone(&faulty) as _, limits).await;
    for (fault, delay) in [(Fault::Before, 0), (Fault::After, 0), (Fault::Never, 3600)] {
        faulty.fails(fault);
        faulty.delays(Duration::from_secs(delay));
        let one = key(1);
        let results = futures_of(10, || cache.learn(&one));
        for result in results.await {
            assert!(result.is_err(), "{fault:?}");
        }
        assert_eq!(cache.session(&id(1)), Seen::Unseen, "{fault:?}");
    }
    faulty.fails(Fault::Never);
    faulty.delays(Duration::ZERO);
    cache.learn(&key(1)).await.expect("answers");
    assert_eq!(cache.session(&id(1)), Seen::Gone);
}

/// Waits for `count` of these at once.
async fn futures_of<F: Future>(count: usize, make: impl Fn() -> F) -> Vec<F::Output> {
    let mut waiting: Vec<_> = (0..count).map(|_| Box::pin(make())).collect();
    let mut done: Vec<Option<F::Output>> = (0..count).map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, slot) in waiting.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *slot = Some(output);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_is_known_until_it_or_its_account_changes() {
    for place in [Place::file(), Place::postgres()] {
        let (store, elsewhere) = (place.open().await, place.open().await);
        let cache = cache(store, PATIENT).await;
        let following = {
            let cache = Arc::clone(&cache);
            tokio::spawn(async move { follow(&cache, |_| ()).await })
        };
        let make = async |change| {
            elsewhere.commit(vec![change], Vec::new()).await.expect("made");
        };
        let (one, key) = (credential_id(1), RecordKey::Credential(credential_id(1)));
        let seen = async |wanted: &dyn Fn(&Machine) -> bool| {
            until(async || match cache.machine(&one) {
                Seen::Known(machine) => wanted(&machine),
                Seen::Gone => false,
                Seen::Unseen => cache.learn(&key).await.is_err(),
                Seen::Stale => panic!("it is not"),
            })
            .await;
        };
        until(async || cache.machine(&one) == Seen::Unseen).await;
        cache.learn(&key).await.expect("learnt");
        assert_eq!(cache.machine(&one), Seen::Gone);
        make(Change::CreateAccount(machine_account(1, "ci"))).await;
        make(Change::AddCredential(credential(1, 1))).await;
        seen(&|machine| machine.account.disabled.is_none()).await;
        let off = AccountRecord { disabled: Some(at(1)), ..machine_account(1, "ci") };
        make(Change::UpdateAccount(off)).await;
        seen(&|machine| machine.account.disabled.is_some()).await;
        let revoked = CredentialRecord { revoked: Some(at(2)), ..credential(1, 1) };
        make(Change::UpdateCredential(revoked)).await;
        seen(&|machine| machine.credential.revoked.is_some()).await;
        let mut catalog = cache.catalog_changes();
        catalog.mark_unchanged();
        make(Change::NextCatalog(0)).await;
        let told = tokio::time::timeout(Duration::from_secs(5), catalog.changed()).await;
        told.expect("in time").expect("told");
        cache.learn(&RecordKey::Catalog).await.expect("there is nothing to learn");
        following.abort();
    }
}

#[tokio::test]
async fn room_is_bounded_by_number_and_by_size() {
    let many =
        |count: u64| (0..count).map(|n| SessionId::parse(&format!("ses_{n:032x}")).expect("an id"));
    let shelf = Arc::new(Shelf::default());
    let small = cache(Arc::clone(&shelf) as _, CacheLimits { records: 64, ..PATIENT }).await;
    for session in many(2000) {
        shelf.put(&session, Some(1));
        small.learn(&RecordKey::Session(session.clone())).await.expect("learnt");
    }
    let known = many(2000).filter(|session| small.session(session) != Seen::Unseen).count();
    assert!((1..=200).contains(&known), "{known}");
    // Also of those that are not there: somebody who guesses fills nothing.
    for session in many(4000).skip(2000) {
        small.learn(&RecordKey::Session(session.clone())).await.expect("learnt");
    }
    let known = many(4000).filter(|session| small.session(session) != Seen::Unseen).count();
    assert!((1..=200).contains(&known), "{known}");
    // Large records count by what they take.
    let store = Place::memory().open().await;
    let bytes = CacheLimits { bytes: 1 << 20, ..PATIENT };
    let large = cache(Arc::clone(&store), bytes).await;
    for number in 0..100 {
        let mut record: SessionRecord = session(number, "u-1");
        record.account.groups = Some(vec!["g".repeat(50_000)]);
        store.commit(vec![Change::OpenSession(record)], Vec::new()).await.expect("opens");
        large.learn(&key(number)).await.expect("learnt");
    }
    let known = (0..100).filter(|number| large.session(&id(*number)) != Seen::Unseen).count();
    assert!(known <= 21, "{known}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_sessions_than_room_are_all_answered() {
    let limits = CacheLimits { records: 8, ..CacheLimits::default() };
    let store = Place::memory().open().await;
    let house = Arc::new(House::within(CONFIG, store, Tasks::default(), limits).await);
    let mut opened = Vec::new();
    for _ in 0..40 {
        opened.push(house.open_session(profile("alice@corp.test")).await);
    }
    let cookie = |opened: &Opened| format!("_pomerium={}", handle(&house, opened, "any.localhost"));
    let cookies: Vec<String> = opened.iter().map(cookie).collect();
    for _ in 0..3 {
        let asks = cookies.iter().map(|cookie| {
            let (house, cookie) = (Arc::clone(&house), cookie.clone());
            tokio::spawn(async move {
                let ask =
                    get("any.localhost", "/", &[("accept", "text/html"), ("cookie", &cookie)]);
                house.try_check(ask).await.map(|answer| answer.status.expect("a status").code)
            })
        });
        for ask in asks.collect::<Vec<_>>() {
            let answer = ask.await.expect("no panic");
            assert!(matches!(answer, Ok(0)), "{answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_appears_is_seen_where_it_was_missed() {
    let house = House::open().await;
    let opened = house.open_session(profile("alice@corp.test")).await;
    let origin = Origin::default();
    let at = Moment { now: house.now(), origin: &origin };
    let ask = || {
        let cookie = format!("_pomerium={}", handle(&house, &opened, "any.localhost"));
        house.check(get("any.localhost", "/", &[("accept", "text/html"), ("cookie", &cookie)]))
    };
    let allowed = async || ask().await.status.expect("a status").code == 0;
    assert!(allowed().await);
    house.people().end(&opened.record.id, &Ending::SignOut, at).await.expect("ends");
    until(async || !allowed().await).await;
    // It is known not to be there; another server brings it back, as from a backup.
    let again = vec![Change::OpenSession(opened.record.clone())];
    house.store.commit(again, Vec::new()).await.expect("opens");
    until(allowed).await;
    house.close().await;
}

async fn until(holds: impl AsyncFn() -> bool) {
    for _ in 0..200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came about");
}

// --- any order

/// A step of a history.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Somebody asks for a session.
    Learn(u8),
    /// The n-th look-up that has not read yet reads.
    Read(usize),
    /// The n-th look-up that has read answers.
    Answer(usize),
    /// A session is changed, or goes, or comes.
    Change(u8, bool),
    /// That it has changed is told.
    Tell(u8),
    TellAll,
    /// The n-th who waits gives up.
    GiveUp(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = prop_oneof![
        3 => (1_u8..3).prop_map(Step::Learn),
        4 => (0_usize..4).prop_map(Step::Read),
        4 => (0_usize..4).prop_map(Step::Answer),
        2 => (1_u8..3, any::<bool>()).prop_map(|(id, there)| Step::Change(id, there)),
        3 => (1_u8..3).prop_map(Step::Tell),
        1 => Just(Step::TellAll),
        1 => (0_usize..4).prop_map(Step::GiveUp),
    ];
    prop::collection::vec(one, 1..60)
}

/// What has happened to one session: every state it had, and up to which of them was told.
#[derive(Debug, Default)]
struct Past {
    there: Vec<bool>,
    told: usize,
}

impl Past {
    /// Whether what is seen is no older than what was told.
    fn allows(&self, seen: &Seen<SessionRecord>) -> bool {
        match seen {
            Seen::Known(record) => record.version >= self.told as u64,
            Seen::Gone => self.there.iter().skip(self.told).any(|there| !there),
            Seen::Unseen => true,
            Seen::Stale => false,
        }
    }
}

async fn live(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let shelf = Arc::new(Shelf::by_hand());
    let cache = cache(Arc::clone(&shelf) as _, PATIENT).await;
    let mut pasts: [Past; 2] = Default::default();
    pasts.iter_mut().for_each(|past| past.there.push(false));
    let (mut tasks, mut unread, mut read, mut known) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for step in steps {
        match step {
            Step::Learn(number) => {
                let cache = Arc::clone(&cache);
                tasks.push(tokio::spawn(async move { drop(cache.learn(&key(number)).await) }));
            }
            Step::Read(which) if which < unread.len() => {
                let call = unread.remove(which);
                shelf.read(call);
                read.push(call);
            }
            Step::Answer(which) if which < read.len() => shelf.answer(read.remove(which)),
            Step::Change(number, there) => {
                let past = &mut pasts[usize::from(number) - 1];
                let version = past.there.len() as u64;
                past.there.push(there);
                shelf.put(&id(number), there.then_some(version));
            }
            Step::Tell(number) => {
                cache.forget(&key(number));
                let past = &mut pasts[usize::from(number) - 1];
                past.told = past.there.len() - 1;
            }
            Step::TellAll => {
                cache.forget_all();
                pasts.iter_mut().for_each(|past| past.told = past.there.len() - 1);
            }
            Step::GiveUp(which) if which < tasks.len() => tasks.remove(which).abort(),
            Step::Read(_) | Step::Answer(_) | Step::GiveUp(_) => {}
        }
        settle().await;
        unread.extend(known..shelf.asked());
        known = shelf.asked();
        for (number, past) in (1..).zip(&pasts) {
            let seen = cache.session(&id(number));
            prop_assert!(past.allows(&seen), "{:?} after {:?}: {:?}", seen, step, past);
        }
    }
    // In the end everybody gets an answer, and it is the last one.
    for _ in 0..200 {
        (0..shelf.asked()).for_each(|call| {
            shelf.read(call);
            shelf.answer(call);
        });
        settle().await;
    }
    for task in tasks {
        prop_assert!(task.is_finished(), "somebody waits for ever");
    }
    for (number, past) in (1..).zip(&mut pasts) {
        cache.forget(&key(number));
        past.told = past.there.len() - 1;
        let one = key(number);
        let learning = cache.learn(&one);
        let call = shelf.asked();
        let answering = async {
            loop {
                (call..shelf.asked()).for_each(|call| {
                    shelf.read(call);
                    shelf.answer(call);
                });
                yield_now().await;
            }
        };
        tokio::select! {
            learnt = learning => prop_assert!(learnt.is_ok()),
            () = answering => {}
        }
        let seen = cache.session(&id(number));
        prop_assert!(seen != Seen::Unseen && past.allows(&seen), "{:?} {:?}", seen, past);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// In whatever order look-ups begin, read and answer, and changes are made and told: what was told
    /// to have changed is never seen as it was before.
    #[test]
    fn in_any_order(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(live(steps))?;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn at_the_same_time() {
    const SESSIONS: u8 = 4;
    let shelf = Arc::new(Shelf::default());
    // Small, so that entries are pushed out all the time as well.
    let cache = cache(Arc::clone(&shelf) as _, CacheLimits { records: 3, ..PATIENT }).await;
    let told: Arc<Vec<AtomicUsize>> =
        Arc::new((0..SESSIONS).map(|_| AtomicUsize::new(0)).collect());
    let mut tasks = Vec::new();
    for number in 0..SESSIONS {
        let (shelf, cache, told) = (Arc::clone(&shelf), Arc::clone(&cache), Arc::clone(&told));
        tasks.push(tokio::spawn(async move {
            for version in 1..=400_usize {
                shelf.put(&id(number), Some(version as u64));
                if version % 7 == 0 {
                    cache.forget_all()
                } else {
                    cache.forget(&key(number))
                }
                told[usize::from(number)].store(version, Ordering::SeqCst);
                yield_now().await;
            }
        }));
    }
    for reader in 0..8_u8 {
        let (cache, told) = (Arc::clone(&cache), Arc::clone(&told));
        tasks.push(tokio::spawn(async move {
            for turn in 0..1500_usize {
                let number = (usize::from(reader) + turn) % usize::from(SESSIONS);
                let session = id(u8::try_from(number).expect("small"));
                let before = told[number].load(Ordering::SeqCst);
                match cache.session(&session) {
                    Seen::Known(record) => {
                        assert!(record.version >= before as u64, "{} {before}", record.version)
                    }
                    Seen::Gone => assert_eq!(before, 0),
                    Seen::Unseen => drop(cache.learn(&RecordKey::Session(session.clone())).await),
                    Seen::Stale => panic!("it is not"),
                }
            }
        }));
    }
    for task in tasks {
        task.await.expect("nobody saw what was before");
    }
}
