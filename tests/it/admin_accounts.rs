//! Who makes and changes which service accounts, and what comes of it.

use crate::support::office::{self, Office, after, impersonating, made, now, ns, unique, word};
use crate::support::store::known;
use lictor::activity::{EntityKind, Verb};
use lictor::admin::{
    AccountEdit, AccountsWanted, Created, Expiry, NamespaceEdit, NewAccount, NewKind,
};
use lictor::namespace::{LifetimeRules, Role, Subject};
use lictor::service_account::{AccountState, KnownBy};
use lictor::store::{Change, Filter};
use std::time::Duration;

const DAY: i64 = 24 * 60 * 60;

#[tokio::test]
async fn an_account_is_made_with_a_token_and_entries_that_tell_of_both() {
    let office = Office::staffed().await;
    let new = NewAccount { description: " builds ".to_owned(), ..unique("design", "ci") };
    let created = office.admin.create_account(&office.actor("max"), new, now()).await;
    let Ok(Created::New(view, minted)) = created else { panic!("{created:?}") };
    assert_eq!(view.record.user, "ci@design.pomerium");
    assert_eq!((view.record.name.as_str(), view.record.description.as_str()), ("ci", "builds"));
    assert_eq!(
        (view.namespace_path.as_str(), view.state),
        ("Global / Design", AccountState::Active)
    );
    assert!(minted.token.expose().ends_with(&minted.credential.hint));
    assert_eq!(office.answer(&minted.token, "https://site.corp.test/", now()).await, "allowed");
    let shop = office.answer(&minted.token, "https://shop.corp.test/", now()).await;
    assert_eq!(shop, "service-account-out-of-namespace");
    let entries = office.entries().await;
    let told: Vec<_> = entries[..2]
        .iter()
        .map(|entry| (entry.event.verb, entry.event.deed.as_ref().expect("a deed").entity))
        .collect();
    assert_eq!(
        told,
        [
            (Verb::IssueCredential, EntityKind::Credential),
            (Verb::Create, EntityKind::ServiceAccount)
        ]
    );
    let deed = entries[1].event.deed.as_ref().expect("a deed");
    assert_eq!((deed.before.as_str(), deed.namespace.as_ref()), ("", Some(&ns("design"))));
    assert!(deed.after.contains("\"user_id\":\"ci@design.pomerium\""), "{}", deed.after);
    assert_eq!(entries[1].event.actor.user, "u-max");
    let written = format!("{entries:?} {view:?} {minted:?}");
    assert!(!written.contains(minted.token.expose().as_str()), "no token is told of");
    let payload = minted.token.expose().split('.').nth(1).expect("a payload");
    assert!(!written.contains(payload));
}

#[tokio::test]
async fn managers_make_unique_ones_and_admins_those_that_act_as_people() {
    let office = Office::staffed().await;
    let cases = [
        ("root", "done", "done"),
        ("gus", "done", "done"),
        ("ada", "done", "done"),
        ("max", "done", "takes admin"),
        ("vera", "takes manager", "takes admin"),
        ("sam", "no namespace", "no namespace"),
        ("ann", "no namespace", "no namespace"),
    ];
    for (name, of_unique, of_impersonating) in cases {
        let by = office.actor(name);
        let new = unique("design", &format!("x-{name}"));
        assert_eq!(word(office.admin.create_account(&by, new, now()).await), of_unique, "{name}");
        if of_unique.starts_with("takes") {
            assert!(office.was_noted(Verb::Create).await, "{name}");
        }
        let new = impersonating("design", "u-bob");
        let made = word(office.admin.create_account(&by, new, now()).await);
        assert_eq!(made, of_impersonating, "{name}");
    }
}

#[tokio::test]
async fn an_attempt_on_what_is_not_seen_leaves_no_trace_and_says_nothing() {
    let office = Office::staffed().await;
    let (id, _) = office.unique("sales", "bot").await;
    let before = office.entries().await.len();
    let by = office.actor("max");
    let nothing = lictor::id::ServiceAccountId::parse(&format!("sa_{}", "0".repeat(32)));
    for id in [id, nothing.expect("an id")] {
        assert_eq!(word(office.admin.account(&by, &id, now().now).await), "no service account");
        let edit = AccountEdit::default();
        let edited = office.admin.update_account(&by, &id, edit, now()).await;
        assert_eq!(word(edited), "no service account");
        let deleted = office.admin.delete_account(&by, &id, None, now()).await;
        assert_eq!(word(deleted), "no service account");
        assert_eq!(word(office.admin.mentions(&by, &id).await), "no service account");
    }
    assert_eq!(office.entries().await.len(), before);
}

#[tokio::test]
async fn names_that_hide_something_or_are_taken() {
    let office = Office::staffed().await;
    let by = office.actor("root");
    let make = async |place: &str, name: &str| {
        word(office.admin.create_account(&by, unique(place, name), now()).await)
    };
    let wrong =
        ["", " ", "a b", "a\nb", "a@b", "@design.pomerium", ".a", "a.", "🦊", "a\u{202e}b", "ä"];
    for name in wrong {
        assert_eq!(make("design", name).await, "invalid name", "{name:?}");
    }
    assert_eq!(make("design", &"x".repeat(64)).await, "invalid name");
    assert_eq!(make("design", "ci@sales.pomerium").await, "invalid name");
    assert_eq!(make("design", "ci@design.pomerium").await, "done");
    assert_eq!(make("design", "ci").await, "taken name");
    assert_eq!(make("sales", "ci").await, "done", "another namespace");
    assert_eq!(make("global", "u-bob").await, "taken name", "a person of the directory");
    let person = Change::KnowPerson(known("u-visitor"));
    office.store.commit(vec![person], vec![]).await.expect("known");
    assert_eq!(make("global", "u-visitor").await, "taken name", "somebody who signed in");
    assert_eq!(make("global", "robot").await, "done");
    assert_eq!(make("global", "robot").await, "taken name");
}

#[tokio::test]
async fn a_deleted_account_leaves_its_name_and_is_not_there_again() {
    let office = Office::staffed().await;
    let (id, minted) = office.unique("design", "ci").await;
    let by = office.actor("max");
    assert_eq!(office.answer(&minted.token, "https://site.corp.test/", now()).await, "allowed");
    office.admin.delete_account(&by, &id, None, after(1)).await.expect("deleted");
    let answer = office.answer(&minted.token, "https://site.corp.test/", after(1)).await;
    assert_eq!(answer, "service-account-deleted");
    assert_eq!(word(office.admin.account(&by, &id, after(1).now).await), "no service account");
    assert_eq!(word(office.admin.delete_account(&by, &id, None, after(2)).await), "done", "again");
    assert_eq!(word(office.admin.enable_account(&by, &id, after(2)).await), "no service account");
    let (other, _) = office.unique("design", "ci").await;
    assert_ne!(id, other);
    let answer = office.answer(&minted.token, "https://site.corp.test/", after(3)).await;
    assert_eq!(answer, "service-account-deleted");
}

#[tokio::test]
async fn a_user_id_that_cannot_be_taken() {
    let office = Office::staffed().await;
    let (_, _) = office.unique("global", "robot").await;
    let by = office.actor("gus");
    let make = async |user: &str, unknown: bool| {
        let kind = NewKind::Impersonating { user: user.to_owned(), unknown };
        let new = NewAccount { kind, ..unique("global", "") };
        word(office.admin.create_account(&by, new, now()).await)
    };
    for user in ["", " ", "a b", "a\nb", &"x".repeat(255)] {
        assert_eq!(make(user, false).await, "invalid user_id", "{user:?}");
    }
    assert_eq!(make("u-nobody", false).await, "invalid user_id");
    assert_eq!(make("u-nobody", true).await, "done");
    assert_eq!(make("robot", true).await, "invalid user_id", "a machine is nobody to act as");
    assert_eq!(make(" u-bob ", false).await, "done", "pasted with blanks");
}

#[tokio::test]
async fn only_admins_of_global_take_a_user_id_that_nobody_knows() {
    let office = Office::staffed().await;
    let kind = NewKind::Impersonating { user: "u-nobody".to_owned(), unknown: true };
    let new = NewAccount { kind, ..unique("design", "") };
    let created = office.admin.create_account(&office.actor("ada"), new.clone(), now()).await;
    assert_eq!(word(created), "takes admin");
    assert!(office.was_noted(Verb::Create).await);
    let created = office.admin.create_account(&office.actor("gus"), new, now()).await;
    let (id, minted) = made(created.expect("made"));
    // Nor do others get a token of it later.
    let by = office.actor("ada");
    let issued = office.admin.issue_credential(&by, &id, None, now()).await;
    assert_eq!(word(issued), "takes admin");
    drop(minted);
}

#[tokio::test]
async fn somebody_known_by_sign_ins_is_taken_as_they_are_known() {
    let office = Office::staffed().await;
    let person = Change::KnowPerson(known("u-visitor"));
    office.store.commit(vec![person], vec![]).await.expect("known");
    let created = office
        .admin
        .create_account(&office.actor("ada"), impersonating("design", "u-visitor"), now())
        .await;
    let Ok(Created::New(view, _)) = created else { panic!("{created:?}") };
    let lictor::service_account::AccountKind::Impersonating(person) = &view.record.kind else {
        panic!("{view:?}")
    };
    assert_eq!(person.source, KnownBy::SignIn);
    assert_eq!(view.person, "Name of u-visitor");
    assert_eq!(view.record.user, "u-visitor");
}

#[tokio::test]
async fn nobody_acts_as_somebody_who_may_do_more() {
    let office = Office::staffed().await;
    office.give("u-vera", "web", Role::Admin).await;
    let board = (Subject::Group("g-eng".to_owned()), Role::Viewer);
    let by = office.actor("root");
    office.admin.grant(&by, &ns("sales"), board, now()).await.expect("given");
    let make = async |by: &str, user: &str| {
        let new = impersonating("design", user);
        word(office.admin.create_account(&office.actor(by), new, now()).await)
    };
    assert_eq!(make("ada", "u-root").await, "refused", "an administrator of the configuration");
    assert!(office.was_noted(Verb::Create).await);
    assert_eq!(make("ada", "u-gus").await, "refused", "an admin of Global");
    assert_eq!(make("ada", "u-sam").await, "refused", "a manager where ada has no role");
    assert_eq!(make("ada", "u-bob").await, "refused", "a viewer elsewhere, by a group");
    assert_eq!(make("ada", "u-vera").await, "done", "an admin further down");
    assert_eq!(make("ada", "u-max").await, "done");
    assert_eq!(make("gus", "u-root").await, "done", "both are admins of Global");
    assert_eq!(make("gus", "u-sam").await, "done");
}

#[tokio::test]
async fn somebody_whose_other_address_is_an_administrators_may_do_more() {
    let office = Office::staffed().await;
    let mut root = known("u-ann");
    root.account.email = "ROOT@corp.test".to_owned();
    office.store.commit(vec![Change::KnowPerson(root)], vec![]).await.expect("known");
    let new = impersonating("design", "u-ann");
    let created = office.admin.create_account(&office.actor("ada"), new, now()).await;
    assert_eq!(word(created), "refused");
}

#[tokio::test]
async fn nobody_acts_as_somebody_whom_the_rules_deny_or_who_is_blocked() {
    let office = Office::staffed().await;
    let root = office.actor("root");
    let make = async |user: &str| {
        let new = impersonating("global", user);
        word(office.admin.create_account(&root, new, now()).await)
    };
    assert_eq!(make("u-ceo").await, "refused");
    assert_eq!(make("u-ann").await, "done");
    office.admin.block(&root, "u-ann", "", now()).await.expect("blocked");
    assert_eq!(make("u-ann").await, "refused");
}

#[tokio::test]
async fn where_machines_do_not_act_as_people_none_is_made() {
    let config = format!("{}\nservice_account_impersonation: deny\n", office::CONFIG);
    let office = Office::with(&config, office::people()).await;
    let new = impersonating("global", "u-ann");
    let created = office.admin.create_account(&office.actor("root"), new, now()).await;
    assert_eq!(word(created), "refused");
}

/// SECURITY: who may only manage would make an admin of themselves.
#[tokio::test]
async fn nobody_gets_a_token_of_a_machine_that_may_do_more() {
    let office = Office::staffed().await;
    let (id, _) = office.unique("design", "ci").await;
    let by = office.actor("max");
    assert_eq!(word(office.admin.issue_credential(&by, &id, None, now()).await), "done");
    office.give("ci@design.pomerium", "design", Role::Admin).await;
    assert_eq!(word(office.admin.issue_credential(&by, &id, None, now()).await), "refused");
    assert!(office.was_noted(Verb::IssueCredential).await);
    let overlap = lictor::admin::Overlap(Duration::ZERO);
    assert_eq!(word(office.admin.rotate(&by, &id, overlap, now()).await), "refused");
    let rotated = office.admin.rotate(&office.actor("ada"), &id, overlap, now()).await;
    assert_eq!(word(rotated), "done");
    // What was given to a name stays with it, so nobody makes it anew either.
    office.admin.delete_account(&by, &id, None, now()).await.expect("deleted");
    let made = office.admin.create_account(&by, unique("design", "ci"), now()).await;
    assert_eq!(word(made), "refused");
}

#[tokio::test]
async fn making_one_that_acts_as_somebody_takes_a_fresh_sign_in() {
    let office = Office::staffed().await;
    let by = office.actor("ada");
    let make = async |by, at| {
        word(office.admin.create_account(by, impersonating("design", "u-ann"), at).await)
    };
    assert_eq!(make(&by, after(301)).await, "not fresh");
    assert_eq!(make(&by, after(300)).await, "done");
    let made = office.admin.create_account(&by, unique("design", "ci"), after(301)).await;
    assert_eq!(word(made), "done", "a unique one does not");
    let terminal = lictor::admin::Actor::terminal();
    assert_eq!(make(&terminal, after(100_000)).await, "done");
}

#[tokio::test]
async fn an_expiry_is_in_the_future_and_within_the_rules() {
    let office = Office::staffed().await;
    let by = office.actor("gus");
    let rules = |longest: Option<u64>, required| LifetimeRules {
        longest: longest.map(Duration::from_secs),
        required,
    };
    let strict = office.child("design", "Strict").await;
    let inner = office.child(strict.as_str(), "Inner").await;
    let edit = NamespaceEdit {
        lifetime: Some(rules(Some(10 * DAY as u64), None)),
        ..NamespaceEdit::default()
    };
    office.admin.update_namespace(&by, &strict, edit, now()).await.expect("ruled");
    let make = async |place: &str, expires: Option<i64>, name: &str| {
        let expires = expires.map(|seconds| after(seconds).now);
        let new = NewAccount { expires, ..unique(place, name) };
        word(office.admin.create_account(&by, new, now()).await)
    };
    assert_eq!(make("design", Some(0), "a").await, "invalid expires_at");
    assert_eq!(make("design", Some(-1), "a").await, "invalid expires_at");
    assert_eq!(make("design", Some(i64::MAX / 2), "a").await, "invalid expires_at");
    assert_eq!(make("design", Some(1), "a").await, "done");
    assert_eq!(make("design", None, "b").await, "done");
    for place in [strict.as_str(), inner.as_str()] {
        assert_eq!(make(place, None, "a").await, "invalid expires_at");
        assert_eq!(make(place, Some(10 * DAY + 1), "a").await, "invalid expires_at");
        assert_eq!(make(place, Some(10 * DAY), "a").await, "done");
    }
}

#[tokio::test]
async fn an_expiry_moves_within_the_rules_from_when_the_account_was_made() {
    let office = Office::staffed().await;
    let strict = office.child("design", "Strict").await;
    let longest = Some(Duration::from_hours(240));
    let edit = NamespaceEdit {
        lifetime: Some(LifetimeRules { longest, required: None }),
        ..NamespaceEdit::default()
    };
    let by = office.actor("gus");
    office.admin.update_namespace(&by, &strict, edit, now()).await.expect("ruled");
    let new = NewAccount { expires: Some(after(5 * DAY).now), ..unique(strict.as_str(), "ci") };
    let (id, minted) = made(office.admin.create_account(&by, new, now()).await.expect("made"));
    assert_eq!(minted.credential.expires, Some(after(5 * DAY).now));
    let edit = async |expires, at| {
        let edit = AccountEdit { expires, ..AccountEdit::default() };
        word(office.admin.update_account(&by, &id, edit, at).await)
    };
    let day = |days: i64| Expiry::At(after(days * DAY).now);
    assert_eq!(edit(Expiry::Never, after(DAY)).await, "invalid expires_at");
    assert_eq!(edit(day(1), after(DAY)).await, "invalid expires_at", "not in the future");
    assert_eq!(edit(day(11), after(2 * DAY)).await, "invalid expires_at", "from when it was made");
    assert_eq!(edit(day(10), after(2 * DAY)).await, "done");
    // The token goes on saying until when it is good.
    let credentials = office.admin.credentials(&by, &id, after(2 * DAY).now).await.expect("some");
    assert_eq!(credentials[0].expires, Some(after(5 * DAY).now));
    assert_eq!(edit(day(3), after(2 * DAY)).await, "done");
    assert_eq!(edit(Expiry::Keep, after(4 * DAY)).await, "done");
}

#[tokio::test]
async fn changes_name_the_version_they_are_based_on() {
    let office = Office::staffed().await;
    let (id, _) = office.unique("design", "ci").await;
    let by = office.actor("max");
    let edit = |text: &str, expected| AccountEdit {
        description: Some(text.to_owned()),
        expected,
        ..AccountEdit::default()
    };
    let view = office.admin.account(&by, &id, now().now).await.expect("seen");
    let first = Some(view.record.version);
    let view = office.admin.update_account(&by, &id, edit("a", first), after(1)).await;
    let view = view.expect("changed");
    let seen = office.admin.account(&by, &id, now().now).await.expect("seen");
    assert_eq!(view.record, seen.record);
    let late = office.admin.update_account(&by, &id, edit("b", first), after(2)).await;
    assert_eq!(word(late), "changed");
    assert_eq!(word(office.admin.delete_account(&by, &id, first, after(2)).await), "changed");
    let entries = office.entries().await.len();
    let same = office.admin.update_account(&by, &id, edit("a", None), after(2)).await;
    assert_eq!(same.expect("the same").record.version, view.record.version);
    assert_eq!(office.entries().await.len(), entries, "nothing was done");
    let wrong = office.admin.update_account(&by, &id, edit("a\nb", None), after(2)).await;
    assert_eq!(word(wrong), "invalid description");
}

#[tokio::test]
async fn switching_off_counts_at_once_and_can_be_taken_back() {
    let office = Office::staffed().await;
    let (id, minted) = office.unique("design", "ci").await;
    let by = office.actor("max");
    let ask = async || office.answer(&minted.token, "https://site.corp.test/", after(1)).await;
    assert_eq!(ask().await, "allowed");
    let view = office.admin.disable_account(&by, &id, after(1)).await.expect("off");
    assert_eq!(view.state, AccountState::Disabled);
    assert_eq!(ask().await, "service-account-disabled");
    let entries = office.entries().await.len();
    office.admin.disable_account(&by, &id, after(2)).await.expect("off");
    assert_eq!(office.entries().await.len(), entries, "off already");
    office.admin.enable_account(&by, &id, after(3)).await.expect("on");
    assert_eq!(ask().await, "allowed");
}

#[tokio::test]
async fn managers_stop_those_that_act_as_people_and_do_nothing_else_with_them() {
    let office = Office::staffed().await;
    let (id, _) = office.impersonating("design", "u-ann").await;
    let by = office.actor("max");
    let edit = AccountEdit { description: Some("x".to_owned()), ..AccountEdit::default() };
    assert_eq!(word(office.admin.update_account(&by, &id, edit, now()).await), "takes admin");
    assert_eq!(word(office.admin.issue_credential(&by, &id, None, now()).await), "takes admin");
    assert_eq!(word(office.admin.disable_account(&by, &id, now()).await), "done");
    assert_eq!(word(office.admin.enable_account(&by, &id, now()).await), "takes admin");
    assert_eq!(word(office.admin.delete_account(&by, &id, None, now()).await), "done");
    let viewer = office.actor("vera");
    let (id, _) = office.unique("design", "ci").await;
    assert_eq!(word(office.admin.disable_account(&viewer, &id, now()).await), "takes manager");
    assert!(office.was_noted(Verb::Disable).await);
    let entry = office.last().await.event;
    let deed = entry.deed.expect("a deed");
    assert_eq!((deed.id.as_str(), deed.name.as_str()), (id.as_str(), "ci"));
}

#[tokio::test]
async fn the_same_key_makes_the_same_account_once() {
    let office = Office::staffed().await;
    let by = office.actor("max");
    let key = |text: &str| Some(text.to_owned());
    let new = NewAccount { idempotency_key: key("k-1"), ..unique("design", "ci") };
    let (id, _) = made(office.admin.create_account(&by, new.clone(), now()).await.expect("made"));
    let again = office.admin.create_account(&by, new.clone(), after(60)).await;
    let Ok(Created::Before(view)) = again else { panic!("{again:?}") };
    assert_eq!(view.record.id, id);
    let other = NewAccount { kind: NewKind::Unique { name: "cj".to_owned() }, ..new.clone() };
    let other = office.admin.create_account(&by, other, now()).await;
    assert_eq!(word(other), "taken idempotency_key");
    let later = NewAccount { kind: NewKind::Unique { name: "ck".to_owned() }, ..new.clone() };
    let later = office.admin.create_account(&by, later, after(24 * 60 * 60)).await;
    assert!(matches!(later, Ok(Created::New(..))), "the key has expired, swept or not: {later:?}");
    let somebody = office.admin.create_account(&office.actor("ada"), new.clone(), now()).await;
    assert_eq!(word(somebody), "taken name", "somebody else's key is another one");
    office.admin.delete_account(&by, &id, None, now()).await.expect("deleted");
    let again = office.admin.create_account(&by, new, now()).await;
    assert_eq!(word(again), "taken idempotency_key", "it was deleted");
    let wrong = NewAccount { idempotency_key: key("a b"), ..unique("design", "x") };
    let wrong = office.admin.create_account(&by, wrong, now()).await;
    assert_eq!(word(wrong), "invalid idempotency_key");
}

#[tokio::test]
async fn of_requests_with_one_key_that_race_one_makes_it() {
    let office = std::sync::Arc::new(Office::staffed().await);
    let new = NewAccount { idempotency_key: Some("k".to_owned()), ..unique("design", "ci") };
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (office, new) = (std::sync::Arc::clone(&office), new.clone());
            tokio::spawn(async move {
                let by = office.actor("max");
                office.admin.create_account(&by, new, now()).await.expect("made")
            })
        })
        .collect();
    let (mut tokens, mut ids) = (0, std::collections::BTreeSet::new());
    for task in tasks {
        match task.await.expect("ends") {
            Created::New(view, _) => {
                tokens += 1;
                ids.insert(view.record.id);
            }
            Created::Before(view) => drop(ids.insert(view.record.id)),
        }
    }
    assert_eq!((tokens, ids.len()), (1, 1));
}

#[tokio::test]
async fn lists_hold_what_may_be_seen() {
    let office = Office::staffed().await;
    let child = office.child("web", "Deep").await;
    for (place, name) in [("design", "a"), ("web", "b"), (child.as_str(), "c"), ("sales", "d")] {
        office.unique(place, name).await;
    }
    let list = async |by: &str, namespace: Option<&str>, recursive: bool| {
        let wanted = AccountsWanted {
            namespace: namespace.map(ns),
            recursive,
            limit: 50,
            ..AccountsWanted::default()
        };
        let page = office.admin.accounts(&office.actor(by), &wanted, now().now).await?;
        let names: Vec<_> = page.views.iter().map(|view| view.record.name.clone()).collect();
        assert_eq!(names.len() as u64, page.total);
        let mut names = names;
        names.sort();
        Ok::<_, lictor::admin::AdminError>(names.concat())
    };
    assert_eq!(list("root", None, false).await.expect("a list"), "abcd");
    assert_eq!(list("vera", None, false).await.expect("a list"), "abc");
    assert_eq!(list("sam", None, true).await.expect("a list"), "d");
    assert_eq!(list("ann", None, true).await.expect("a list"), "");
    assert_eq!(list("vera", Some("web"), false).await.expect("a list"), "b");
    assert_eq!(list("vera", Some("web"), true).await.expect("a list"), "bc");
    assert_eq!(word(list("vera", Some("sales"), true).await), "no namespace");
    assert_eq!(word(list("vera", Some("global"), true).await), "no namespace");
    let disabled = AccountsWanted { filter: Some(Filter::Disabled), ..AccountsWanted::default() };
    let none = office.admin.accounts(&office.actor("root"), &disabled, now().now).await;
    assert_eq!(none.expect("a list").total, 0);
}

#[tokio::test]
async fn whoever_leaves_the_directory_takes_their_accounts_along() {
    let office = Office::staffed().await;
    let (id, minted) = office.impersonating("design", "u-bob").await;
    assert_eq!(office.answer(&minted.token, "https://site.corp.test/", now()).await, "allowed");
    let gone = lictor::identity::Directory::default();
    office.state.replace_directory(&std::sync::Arc::new(gone));
    let answer = office.answer(&minted.token, "https://site.corp.test/", now()).await;
    assert_eq!(answer, "impersonated-user-gone");
    let by = office.actor("root");
    let view = office.admin.account(&by, &id, now().now).await.expect("seen");
    assert_eq!((view.state, view.person.as_str()), (AccountState::Suspended, "Name of bob"));
    let overlap = lictor::admin::Overlap(Duration::ZERO);
    assert_eq!(word(office.admin.rotate(&by, &id, overlap, now()).await), "refused");
}

#[tokio::test]
async fn where_it_can_go_and_who_names_it() {
    let office = Office::staffed().await;
    let (id, _) = office.unique("design", "ci").await;
    let by = office.actor("vera");
    let reached = office.admin.destinations(&by, &id, now().now).await.expect("routes");
    let reached: Vec<_> =
        reached.iter().map(|it| (it.route.as_str(), it.allowed, it.reason)).collect();
    assert_eq!(reached, [("site", true, ""), ("route-3", false, "forbidden")]);
    let mentions = office.admin.mentions(&by, &id).await.expect("mentions");
    let mentions: Vec<_> = mentions.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(mentions, ["site"]);
    office.admin.disable_account(&office.actor("max"), &id, now()).await.expect("off");
    let reached = office.admin.destinations(&by, &id, now().now).await.expect("routes");
    assert!(reached.iter().all(|it| !it.allowed), "{reached:?}");
}
