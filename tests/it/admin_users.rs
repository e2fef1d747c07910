//! People: found, blocked, and what was done by whom.

use crate::admin_namespaces::policy;
use crate::support::office::{Office, after, impersonating, now, ns, unique, word};
use crate::support::store::{self, known};
use lictor::activity::{EntityKind, Outcome, Verb};
use lictor::admin::{AccountEdit, ActivityWanted};
use lictor::identity::{Directory, User};
use lictor::namespace::Role;
use lictor::people::Source;
use lictor::service_account::AccountState;
use lictor::store::{Change, SessionQuery};
use std::sync::Arc;
use std::time::{Duration, Instant};

async fn found(office: &Office, by: &str, text: &str) -> String {
    match office.admin.search_users(&office.actor(by), text, 20).await {
        Ok((views, _)) => {
            let ids = views.iter().map(|view| view.id.trim_start_matches("u-").to_owned());
            ids.collect::<Vec<_>>().join(" ")
        }
        Err(error) => word::<()>(Err(error)),
    }
}

#[tokio::test]
async fn people_are_found_by_everybody_with_a_role() {
    let office = Office::staffed().await;
    assert_eq!(found(&office, "vera", "u-ann").await, "ann");
    assert_eq!(found(&office, "vera", "ANN@corp.test").await, "ann");
    assert_eq!(found(&office, "vera", "a").await, "ada ann bob ceo gus max root sam vera");
    assert_eq!(found(&office, "vera", "name of b").await, "bob");
    assert_eq!(found(&office, "vera", "corp.test").await, "ada ann bob ceo gus max root sam vera");
    for text in ["", "  ", "\n", "a\u{0}", &"x".repeat(255), "nobody"] {
        assert_eq!(found(&office, "vera", text).await, "", "{text:?}");
    }
    assert_eq!(found(&office, "bob", "ann").await, "takes viewer");
    let (views, total) =
        office.admin.search_users(&office.actor("vera"), "corp", 2).await.expect("found");
    assert_eq!((views.len(), total), (2, 9));
    let (groups, _) =
        office.admin.search_groups(&office.actor("vera"), "ENGIN", 20).await.expect("found");
    assert_eq!(groups[0].id, "g-eng");
    assert_eq!(
        word(office.admin.search_groups(&office.actor("bob"), "g", 20).await),
        "takes viewer"
    );
}

#[tokio::test]
async fn those_who_signed_in_are_found_too_and_once() {
    let office = Office::staffed().await;
    let mut listed = known("u-other");
    listed.account.email = "Ann@corp.test".to_owned();
    let mut same = known("u-ann");
    same.account.email = "elsewhere@corp.test".to_owned();
    let people = [known("u-visitor"), listed, same].map(Change::KnowPerson);
    office.store.commit(people.into(), vec![]).await.expect("known");
    assert_eq!(found(&office, "vera", "visitor").await, "visitor");
    assert_eq!(found(&office, "vera", "ann").await, "ann");
    let (views, _) =
        office.admin.search_users(&office.actor("vera"), "visitor", 20).await.expect("found");
    assert_eq!(views[0].source, Source::SignIn);
}

/// Goal: 20 ms at the 95th percentile. Tests are not optimised and share the machine, so the bound here is
/// wide.
#[tokio::test]
async fn line_16_a_hundred_thousand_people_are_searched_at_a_keystroke() {
    let user = |number: usize| User {
        id: format!("{:021}", number * 7919),
        email: format!("person.{number}@corp.test"),
        display_name: format!("Prénom{} Nom{}", number % 977, number % 1013),
        group_ids: Vec::new(),
    };
    let people = Directory::new((0..100_000).map(user).collect(), Vec::new()).expect("people");
    let office = Office::with(crate::support::office::CONFIG, people).await;
    let by = lictor::admin::Actor::terminal();
    office.admin.search_users(&by, "warm", 20).await.expect("found");
    let mut times = Vec::new();
    for text in
        ["p", "person.4242@corp.test", "prenom12", "nom99 ", "000079190", "zzz", "corp.test"]
    {
        for _ in 0..3 {
            let begin = Instant::now();
            office.admin.search_users(&by, text, 20).await.expect("found");
            times.push(begin.elapsed());
        }
    }
    times.sort();
    let slow = times[times.len() * 95 / 100];
    eprintln!("p95 {slow:?}");
    assert!(slow < Duration::from_millis(400), "{slow:?}");
    let (views, total) = office.admin.search_users(&by, "PRENOM12 NOM", 20).await.expect("found");
    assert!(views.len() <= 20 && total > 20, "{total}");
}

#[tokio::test]
async fn what_there_is_to_know_of_somebody() {
    let office = Office::staffed().await;
    let (id, _) = office.impersonating("design", "u-bob").await;
    office.impersonating("sales", "u-bob").await;
    office.store.commit(vec![Change::KnowPerson(known("u-bob"))], vec![]).await.expect("known");
    let detail = office.admin.user(&office.actor("vera"), "u-bob", now().now).await.expect("seen");
    assert_eq!(detail.view.email, "bob@corp.test");
    assert_eq!(detail.groups[0].name, "Engineers");
    assert!(detail.last_sign_in.is_some() && detail.blocked.is_none());
    let accounts: Vec<_> = detail.accounts.iter().map(|view| view.record.id.clone()).collect();
    assert_eq!(accounts, [id], "those that vera may see");
    let roles = office.admin.user(&office.actor("vera"), "u-ada", now().now).await.expect("seen");
    assert_eq!(roles.roles, [("Global / Design".to_owned(), Role::Admin)]);
    let root = office.admin.user(&office.actor("vera"), "u-root", now().now).await.expect("seen");
    assert_eq!(root.roles, [("Global".to_owned(), Role::Admin)]);
    assert_eq!(word(office.admin.user(&office.actor("vera"), "x", now().now).await), "no user");
    assert_eq!(
        word(office.admin.user(&office.actor("bob"), "u-bob", now().now).await),
        "takes viewer"
    );
}

#[tokio::test]
async fn blocking_ends_sessions_and_suspends_accounts() {
    let office = Office::staffed().await;
    let (id, minted) = office.impersonating("design", "u-bob").await;
    let site = "https://site.corp.test/";
    assert_eq!(office.answer(&minted.token, site, now()).await, "allowed");
    let mut session = store::session(9, "bob");
    session.account.user = "u-bob".to_owned();
    office.store.commit(vec![Change::OpenSession(session)], vec![]).await.expect("open");
    for name in ["ada", "max", "bob"] {
        let blocked = office.admin.block(&office.actor(name), "u-bob", "", now()).await;
        assert_eq!(word(blocked), "takes admin", "{name}");
        assert!(office.was_noted(Verb::Block).await);
    }
    let by = office.actor("gus");
    office.admin.block(&by, " u-bob ", "left", now()).await.expect("blocked");
    assert_eq!(office.answer(&minted.token, site, now()).await, "user-blocked");
    let which = SessionQuery { user: Some("u-bob".to_owned()), limit: 9, ..Default::default() };
    assert!(office.store.sessions(&which, now().now).await.expect("asked").is_empty());
    let verbs: Vec<_> = office.entries().await.iter().take(2).map(|it| it.event.verb).collect();
    assert_eq!(verbs, [Verb::Revoke, Verb::Block]);
    let view = office.admin.account(&by, &id, now().now).await.expect("seen");
    assert_eq!(view.state, AccountState::Suspended);
    let detail = office.admin.user(&by, "u-bob", now().now).await.expect("seen");
    assert_eq!(detail.blocked.expect("blocked").reason, "left");
    assert_eq!(word(office.admin.block(&by, "u-bob", "", now()).await), "done", "already");
    assert_eq!(
        word(office.admin.unblock(&office.actor("ada"), "u-bob", now()).await),
        "takes admin"
    );
    office.admin.unblock(&by, "u-bob", now()).await.expect("unblocked");
    assert_eq!(office.answer(&minted.token, site, now()).await, "allowed");
    assert_eq!(word(office.admin.unblock(&by, "u-bob", now()).await), "done", "already");
}

#[tokio::test]
async fn nobody_blocks_themselves_or_a_machine() {
    let office = Office::staffed().await;
    office.unique("global", "robot").await;
    let by = office.actor("gus");
    assert_eq!(word(office.admin.block(&by, "u-gus", "", now()).await), "refused");
    assert_eq!(word(office.admin.block(&by, "robot", "", now()).await), "invalid user_id");
    assert_eq!(word(office.admin.block(&by, "", "", now()).await), "invalid user_id");
    assert_eq!(word(office.admin.block(&by, "u-a", "a\nb", now()).await), "invalid reason");
    assert_eq!(word(office.admin.block(&by, "u-somebody-who-never-came", "", now()).await), "done");
}

#[tokio::test]
async fn all_tokens_of_accounts_that_act_as_somebody_are_taken_at_once() {
    let office = Office::staffed().await;
    let (one, first) = office.impersonating("design", "u-bob").await;
    let (_, second) = office.impersonating("web", "u-bob").await;
    let (_, third) = office.impersonating("sales", "u-bob").await;
    let fourth =
        office.admin.issue_credential(&office.actor("root"), &one, None, now()).await.expect("one");
    let site = "https://site.corp.test/";
    for minted in [&first, &second, &fourth] {
        assert_eq!(office.answer(&minted.token, site, now()).await, "allowed");
    }
    let revoke = async |name: &str| {
        office.admin.revoke_accounts_of(&office.actor(name), "u-bob", now()).await
    };
    assert_eq!(revoke("max").await.expect("nothing to do"), 0, "no admin anywhere");
    assert_eq!(word(revoke("ann").await), "takes viewer");
    assert_eq!(revoke("ada").await.expect("revoked"), 2);
    for minted in [&first, &second, &fourth] {
        assert_eq!(office.answer(&minted.token, site, now()).await, "credential-revoked");
    }
    let machine = office.store.machine(&third.credential.id).await.expect("asked").expect("one");
    assert!(machine.credential.is_good(now().now), "in another part of the tree");
    assert_eq!(revoke("ada").await.expect("nothing left"), 0);
}

#[tokio::test]
async fn who_sees_what_was_done() {
    let office = Office::staffed().await;
    let session = store::session(9, "bob");
    let sign_in = store::event(Verb::SignIn, "u-bob");
    office.store.commit(vec![Change::OpenSession(session)], vec![sign_in]).await.expect("open");
    office.unique("design", "a").await;
    office.unique("web", "b").await;
    office.unique("sales", "c").await;
    let names = async |by: &str, which: &ActivityWanted| {
        let which = ActivityWanted { verb: Some(Verb::Create), limit: 99, ..which.clone() };
        let entries = office.admin.entries(&office.actor(by), &which).await?;
        let names = entries.iter().map(|it| it.event.deed.as_ref().expect("a deed").name.clone());
        Ok::<_, lictor::admin::AdminError>(names.collect::<Vec<_>>().concat())
    };
    let all = ActivityWanted::default();
    let of = |id: &str, recursive| ActivityWanted {
        namespace: Some(ns(id)),
        recursive,
        ..ActivityWanted::default()
    };
    assert_eq!(names("root", &all).await.expect("entries"), "cba");
    assert_eq!(names("vera", &all).await.expect("entries"), "ba");
    assert_eq!(names("sam", &all).await.expect("entries"), "c");
    assert_eq!(names("ann", &all).await.expect("entries"), "");
    assert_eq!(names("vera", &of("design", false)).await.expect("entries"), "a");
    assert_eq!(names("vera", &of("design", true)).await.expect("entries"), "ba");
    assert_eq!(word(names("vera", &of("sales", true)).await), "no namespace");
    let sign_ins = ActivityWanted { verb: Some(Verb::SignIn), limit: 9, ..all };
    for (name, seen) in [("root", 1), ("gus", 1), ("ada", 0), ("vera", 0)] {
        let entries = office.admin.entries(&office.actor(name), &sign_ins).await.expect("some");
        assert_eq!(entries.len(), seen, "{name}");
    }
    office.give("u-vera", "global", Role::Viewer).await;
    let entries = office.admin.entries(&office.actor("vera"), &sign_ins).await.expect("some");
    assert!(entries.is_empty(), "only admins of Global see who signs in");
    assert_eq!(names("vera", &of("global", true)).await.expect("entries"), "cba");
}

#[tokio::test]
async fn an_entry_has_neighbours_about_the_same_thing() {
    let office = Office::staffed().await;
    let by = office.actor("max");
    let (id, _) = office.unique("design", "ci").await;
    for text in ["a", "b"] {
        let edit = AccountEdit { description: Some(text.to_owned()), ..AccountEdit::default() };
        office.admin.update_account(&by, &id, edit, now()).await.expect("changed");
        office.unique("design", &format!("other-{text}")).await;
    }
    let which = ActivityWanted { entity_id: Some(id.to_string()), limit: 9, ..Default::default() };
    let entries = office.admin.entries(&by, &which).await.expect("entries");
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers.len(), 3);
    let view = office.admin.entry(&by, numbers[1]).await.expect("seen");
    assert_eq!((view.previous, view.next), (Some(numbers[2]), Some(numbers[0])));
    let deed = view.entry.event.deed.expect("a deed");
    assert!(deed.before.contains("\"description\":\"\"") && deed.after.contains("\"a\""));
    let ends = office.admin.entry(&by, numbers[0]).await.expect("seen");
    assert_eq!((ends.previous, ends.next), (Some(numbers[1]), None));
    assert_eq!(word(office.admin.entry(&office.actor("sam"), numbers[1]).await), "no entry");
    for number in [0, 1_000_000, u64::MAX] {
        assert_eq!(word(office.admin.entry(&by, number).await), "no entry");
    }
}

#[tokio::test]
async fn filters_of_the_log() {
    let office = Office::staffed().await;
    let by = office.actor("root");
    let viewer = office.actor("vera");
    let refused = office.admin.create_account(&viewer, unique("design", "x"), now());
    assert_eq!(word(refused.await), "takes manager");
    office.unique("design", "ci").await;
    let count = async |which: ActivityWanted| {
        let which = ActivityWanted { limit: 99, ..which };
        office.admin.entries(&by, &which).await.expect("entries").len()
    };
    let all = ActivityWanted::default;
    let denied = Some(Outcome::Denied);
    assert_eq!(count(ActivityWanted { outcome: denied, ..all() }).await, 1);
    assert_eq!(count(ActivityWanted { who: Some("vera@corp.test".to_owned()), ..all() }).await, 1);
    let entity = Some(EntityKind::Credential);
    assert_eq!(count(ActivityWanted { entity, ..all() }).await, 1);
    let from = Some(after(1).now);
    assert_eq!(count(ActivityWanted { from, ..all() }).await, 0);
}

#[tokio::test]
async fn an_overview_of_what_may_be_seen() {
    let office = Office::staffed().await;
    office.unique("design", "a").await;
    office.unique("sales", "b").await;
    let by = office.actor("vera");
    let view = office.admin.overview(&by, &ns("design"), now().now).await.expect("a view");
    assert_eq!((view.accounts.all, view.accounts.never_used, view.people), (1, 1, 9));
    assert!(view.entries.len() <= 10 && view.broken_policies.is_empty());
    assert_eq!(word(office.admin.overview(&by, &ns("global"), now().now).await), "no namespace");
    let root = office.actor("root");
    let view = office.admin.overview(&root, &ns("global"), now().now).await.expect("a view");
    assert_eq!(view.accounts.all, 2);
}

/// Nothing in the log opens anything.
#[tokio::test]
async fn the_log_holds_no_token_and_no_hash_of_one() {
    let office = Office::staffed().await;
    let by = office.actor("root");
    let (id, first) = office.unique("design", "ci").await;
    let overlap = lictor::admin::Overlap(Duration::from_hours(1));
    let second = office.admin.rotate(&by, &id, overlap, now()).await.expect("rotated");
    let third = office.admin.issue_credential(&by, &id, None, now()).await.expect("issued");
    office.admin.create_policy(&by, policy(&ns("design"), "p", true), now()).await.expect("made");
    office.admin.create_account(&by, impersonating("design", "u-ann"), now()).await.expect("made");
    let log = format!("{:?}", office.entries().await);
    for minted in [&first, &second, &third] {
        for part in minted.token.expose().split('.').skip(1) {
            assert!(!log.contains(part));
        }
        assert!(!log.contains(&format!("\"{}\"", minted.credential.hint)));
    }
}

/// The edges run verbs on several threads.
#[test]
fn verbs_can_go_from_thread_to_thread() {
    fn is_send<T: Send>(_: &T) {}
    let _never = || async {
        let office = Arc::new(Office::open().await);
        let (admin, by, at) = (&office.admin, office.actor("root"), now());
        let (id, _) = office.unique("design", "x").await;
        is_send(&admin.create_account(&by, unique("design", "ci"), at));
        is_send(&admin.update_account(&by, &id, AccountEdit::default(), at));
        is_send(&admin.destinations(&by, &id, at.now));
        is_send(&admin.rotate(&by, &id, lictor::admin::Overlap(Duration::ZERO), at));
        is_send(&admin.search_users(&by, "", 1));
        is_send(&admin.block(&by, "", "", at));
        is_send(&admin.revoke_accounts_of(&by, "", at));
        is_send(&admin.namespaces(&by));
        is_send(&admin.create_policy(&by, policy(&ns("design"), "p", true), at));
        is_send(&admin.entry(&by, 1));
        is_send(&admin.overview(&by, &ns("design"), at.now));
    };
}
