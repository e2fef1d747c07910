//! Credentials: issued, rotated with an overlap, revoked, and asked about by their token.

use crate::support::office::{BOOTSTRAP, Office, after, made, now, unique, word};
use lictor::activity::{ActorKind, Outcome, Verb};
use lictor::admin::{Actor, Introspection, Minted, NewAccount, Overlap};
use lictor::id::ServiceAccountId;
use lictor::namespace::Role;
use lictor::secret::Secret;
use lictor::service_account::{CredentialState, MAX_CREDENTIALS};
use std::sync::Arc;
use std::time::Duration;

const SITE: &str = "https://site.corp.test/";
const HOUR: Duration = Duration::from_hours(1);

async fn account() -> (Office, ServiceAccountId, Minted) {
    let office = Office::staffed().await;
    let (id, minted) = office.unique("design", "ci").await;
    (office, id, minted)
}

#[tokio::test]
async fn both_work_until_the_overlap_ends() {
    let (office, id, old) = account().await;
    let by = office.actor("max");
    assert_eq!(office.answer(&old.token, SITE, now()).await, "allowed");
    let new = office.admin.rotate(&by, &id, Overlap(HOUR), now()).await.expect("rotated");
    for (seconds, of_old) in [(0, "allowed"), (3599, "allowed"), (3600, "credential-superseded")] {
        assert_eq!(office.answer(&old.token, SITE, after(seconds)).await, of_old, "{seconds}");
        assert_eq!(office.answer(&new.token, SITE, after(seconds)).await, "allowed");
    }
    let records = office.admin.credentials(&by, &id, now().now).await.expect("some");
    let states: Vec<_> = records.iter().map(|record| record.state(after(1).now)).collect();
    assert!(states.contains(&CredentialState::Ending) && states.contains(&CredentialState::Active));
    let event = office.last().await.event;
    assert_eq!(event.verb, Verb::RotateCredential);
    let deed = event.deed.expect("a deed");
    assert_eq!(deed.id, new.credential.id.as_str());
    assert!(deed.before.contains(old.credential.id.as_str()) && deed.after.contains("superseded"));
}

#[tokio::test]
async fn without_an_overlap_the_old_one_ends_at_once() {
    let (office, id, old) = account().await;
    let by = office.actor("max");
    let new = office.admin.rotate(&by, &id, Overlap(Duration::ZERO), now()).await;
    assert_eq!(office.answer(&old.token, SITE, now()).await, "credential-superseded");
    assert_eq!(office.answer(&new.expect("rotated").token, SITE, now()).await, "allowed");
}

#[tokio::test]
async fn an_end_that_was_set_is_not_put_off() {
    let (office, id, old) = account().await;
    let by = office.actor("max");
    office.admin.rotate(&by, &id, Overlap(HOUR), now()).await.expect("rotated");
    office.admin.rotate(&by, &id, Overlap(HOUR * 24), after(1)).await.expect("rotated");
    assert_eq!(office.answer(&old.token, SITE, after(3600)).await, "credential-superseded");
    let third = office.admin.rotate(&by, &id, Overlap(Duration::ZERO), after(2)).await;
    assert_eq!(office.answer(&old.token, SITE, after(2)).await, "credential-superseded");
    assert_eq!(office.answer(&third.expect("rotated").token, SITE, after(2)).await, "allowed");
}

#[tokio::test]
async fn an_overlap_lasts_thirty_days_at_the_most() {
    let (office, id, _) = account().await;
    let by = office.actor("max");
    let rotate = async |hours: u64| {
        let overlap = Overlap(Duration::from_hours(hours));
        word(office.admin.rotate(&by, &id, overlap, now()).await)
    };
    assert_eq!(rotate(721).await, "invalid overlap");
    assert_eq!(rotate(720).await, "done");
}

#[tokio::test]
async fn there_are_only_so_many_at_once() {
    let (office, id, first) = account().await;
    let by = office.actor("max");
    for _ in 1..MAX_CREDENTIALS {
        office.admin.issue_credential(&by, &id, None, now()).await.expect("issued");
    }
    assert_eq!(word(office.admin.issue_credential(&by, &id, None, now()).await), "in use");
    let rotated = office.admin.rotate(&by, &id, Overlap(HOUR), now()).await;
    assert_eq!(word(rotated), "in use", "all stay good for a while");
    let one = &first.credential.id;
    office.admin.revoke_credential(&by, &id, one, now()).await.expect("revoked");
    assert_eq!(word(office.admin.rotate(&by, &id, Overlap(HOUR), now()).await), "done");
    let rotated = office.admin.rotate(&by, &id, Overlap(Duration::ZERO), now()).await;
    assert_eq!(word(rotated), "done", "none of the others stays");
}

#[tokio::test]
async fn those_who_issue_at_once_do_not_issue_more() {
    let (office, id, _) = account().await;
    let office = Arc::new(office);
    let tasks: Vec<_> = (0..2 * MAX_CREDENTIALS)
        .map(|_| {
            let (office, id) = (Arc::clone(&office), id.clone());
            tokio::spawn(async move {
                let by = office.actor("max");
                office.admin.issue_credential(&by, &id, None, now()).await.is_ok()
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("ends");
    }
    let records = office.store.credentials(&id).await.expect("some");
    assert!(records.len() <= MAX_CREDENTIALS, "{}", records.len());
}

#[tokio::test]
async fn a_credential_ends_with_its_account_or_earlier() {
    let office = Office::staffed().await;
    let by = office.actor("max");
    let new = NewAccount { expires: Some(after(1000).now), ..unique("design", "ci") };
    let (id, first) = made(office.admin.create_account(&by, new, now()).await.expect("made"));
    assert_eq!(first.credential.expires, Some(after(1000).now));
    let issue = async |seconds: i64| {
        let expires = Some(after(seconds).now);
        let issued = office.admin.issue_credential(&by, &id, expires, now()).await;
        issued.expect("issued").credential.expires
    };
    assert_eq!(issue(500).await, Some(after(500).now));
    assert_eq!(issue(5000).await, Some(after(1000).now));
    let past = office.admin.issue_credential(&by, &id, Some(now().now), now()).await;
    assert_eq!(word(past), "invalid expires_at");
    assert_eq!(office.answer(&first.token, SITE, after(999)).await, "allowed");
    // One instant, and the token says the same, which has a minute of leeway of its own.
    let code = office.answer(&first.token, SITE, after(1000)).await;
    assert!(["credential-expired", "service-account-expired"].contains(&code.as_str()), "{code}");
    let over = office.admin.issue_credential(&by, &id, None, after(1000)).await;
    assert_eq!(word(over), "in use");
}

#[tokio::test]
async fn where_lives_are_bounded_no_new_token_outlives_the_bound() {
    let (office, id, _) = account().await;
    let rules = lictor::namespace::LifetimeRules { longest: Some(HOUR * 24), required: None };
    let edit = lictor::admin::NamespaceEdit { lifetime: Some(rules), ..Default::default() };
    let root = office.actor("root");
    let global = lictor::id::NamespaceId::global();
    office.admin.update_namespace(&root, &global, edit, now()).await.expect("ruled");
    let issued = office.admin.issue_credential(&office.actor("max"), &id, None, after(60)).await;
    assert_eq!(issued.expect("issued").credential.expires, Some(after(86_460).now));
}

#[tokio::test]
async fn revoking_counts_at_once_and_only_for_that_one() {
    let (office, id, first) = account().await;
    let by = office.actor("max");
    let second = office.admin.issue_credential(&by, &id, None, now()).await.expect("issued");
    for minted in [&first, &second] {
        assert_eq!(office.answer(&minted.token, SITE, now()).await, "allowed");
    }
    let one = &first.credential.id;
    let revoked = office.admin.revoke_credential(&by, &id, one, after(1)).await.expect("revoked");
    assert_eq!(revoked.revoked, Some(after(1).now));
    assert_eq!(office.answer(&first.token, SITE, after(1)).await, "credential-revoked");
    assert_eq!(office.answer(&second.token, SITE, after(1)).await, "allowed");
    let entries = office.entries().await.len();
    let again = office.admin.revoke_credential(&by, &id, one, after(2)).await.expect("revoked");
    assert_eq!((again.revoked, office.entries().await.len()), (Some(after(1).now), entries));
    let (other, _) = office.unique("design", "other").await;
    let elsewhere = office.admin.revoke_credential(&by, &other, one, now()).await;
    assert_eq!(word(elsewhere), "no credential", "it is another account's");
    let viewer = office.actor("vera");
    let revoked = office.admin.revoke_credential(&viewer, &id, one, now()).await;
    assert_eq!(word(revoked), "takes manager");
}

#[tokio::test]
async fn tokens_of_people_take_a_fresh_sign_in() {
    let office = Office::staffed().await;
    let (id, _) = office.impersonating("design", "u-ann").await;
    let by = office.actor("ada");
    let late = after(301);
    assert_eq!(word(office.admin.issue_credential(&by, &id, None, late).await), "not fresh");
    assert_eq!(word(office.admin.rotate(&by, &id, Overlap(HOUR), late).await), "not fresh");
    assert_eq!(word(office.admin.rotate(&by, &id, Overlap(HOUR), now()).await), "done");
    // Whoever they are may do more by now.
    office.give("u-ann", "sales", Role::Viewer).await;
    assert_eq!(word(office.admin.issue_credential(&by, &id, None, now()).await), "refused");
}

#[tokio::test]
async fn a_machine_that_acts_as_somebody_administers_nothing() {
    let office = Office::staffed().await;
    let (id, minted) = office.impersonating("design", "u-ada").await;
    let machine = office.store.machine(&minted.credential.id).await.expect("asks");
    assert!(Actor::of_machine(&machine.expect("a machine")).is_none());
    let (_, minted) = office.unique("design", "robot").await;
    let machine = office.store.machine(&minted.credential.id).await.expect("asks").expect("one");
    let robot = Actor::of_machine(&machine).expect("a name of its own");
    let asked = office.admin.account(&robot, &id, now().now).await;
    assert_eq!(word(asked), "no service account");
    office.give("robot@design.pomerium", "design", Role::Manager).await;
    assert_eq!(word(office.admin.account(&robot, &id, now().now).await), "done");
    let created = office.admin.create_account(&robot, unique("design", "made"), now()).await;
    assert_eq!(word(created), "done");
    let event = office.last().await.event;
    let deed = event.deed.expect("a deed");
    assert_eq!((deed.by, deed.credential), (ActorKind::ServiceAccount, Some(minted.credential.id)));
}

#[tokio::test]
async fn introspection_tells_viewers_of_a_good_token_and_nobody_else_anything() {
    let (office, id, minted) = account().await;
    let told = office.admin.introspect(&office.actor("vera"), &minted.token, now().now).await;
    let told = told.expect("told");
    assert!(told.active);
    assert_eq!(told.subject, "ci@design.pomerium");
    assert_eq!((told.account.as_str(), told.namespace.as_str()), (id.as_str(), "design"));
    assert_eq!(told.id, minted.credential.id.as_str());
    let nothing = Introspection::default();
    for name in ["sam", "ann"] {
        let told = office.admin.introspect(&office.actor(name), &minted.token, now().now).await;
        assert_eq!(told.expect("told"), nothing, "{name}");
    }
    let root = office.actor("root");
    let forged = format!("{}x", minted.token.expose());
    for text in ["", "x", "a.b.c", forged.as_str()] {
        let told = office.admin.introspect(&root, &Secret::new(text.to_owned()), now().now).await;
        assert_eq!(told.expect("told"), nothing, "{text}");
    }
    office.admin.disable_account(&root, &id, now()).await.expect("off");
    let told = office.admin.introspect(&root, &minted.token, now().now).await;
    assert_eq!(told.expect("told"), nothing);
}

#[tokio::test]
async fn whoever_holds_a_token_may_revoke_it() {
    let (office, _, minted) = account().await;
    assert_eq!(office.answer(&minted.token, SITE, now()).await, "allowed");
    for text in ["", "x", "a.b.c"] {
        let token = Secret::new(text.to_owned());
        assert_eq!(word(office.admin.revoke_token(&token, now()).await), "done", "{text}");
    }
    assert_eq!(office.answer(&minted.token, SITE, now()).await, "allowed");
    office.admin.revoke_token(&minted.token, after(1)).await.expect("revoked");
    assert_eq!(office.answer(&minted.token, SITE, after(1)).await, "credential-revoked");
    let event = office.last().await.event;
    assert_eq!(
        (event.verb, event.actor.user.as_str()),
        (Verb::RevokeCredential, "ci@design.pomerium")
    );
    let entries = office.entries().await.len();
    office.admin.revoke_token(&minted.token, after(2)).await.expect("revoked");
    assert_eq!(office.entries().await.len(), entries);
}

#[tokio::test]
async fn the_bootstrap_secret_is_good_until_an_administrator_signs_in() {
    let office = Office::open().await;
    let secret = Secret::new(BOOTSTRAP.to_owned());
    for wrong in ["", "bootstrap", "bootstrap-secret-of-forty-characters-001"] {
        let shown = Secret::new(wrong.to_owned());
        assert!(office.admin.bootstrap(&shown, now()).await.expect("judged").is_none(), "{wrong}");
    }
    assert!(office.entries().await.is_empty(), "nothing was used");
    let by = office.admin.bootstrap(&secret, now()).await.expect("judged").expect("good");
    assert_eq!(office.last().await.event.verb, Verb::BootstrapUsed);
    let made = office.admin.create_account(&by, unique("global", "robot"), now()).await;
    assert_eq!(word(made), "done");
    // Somebody else who signs in changes nothing.
    office.admin.close_bootstrap(&office.actor("ann"), now()).await.expect("nothing");
    assert!(office.admin.bootstrap(&secret, now()).await.expect("judged").is_some());
    office.admin.close_bootstrap(&office.actor("root"), now()).await.expect("closed");
    assert_eq!(office.last().await.event.verb, Verb::BootstrapClosed);
    let entries = office.entries().await.len();
    office.admin.close_bootstrap(&office.actor("root"), now()).await.expect("closed");
    assert_eq!(office.entries().await.len(), entries, "closed already");
    assert!(office.admin.bootstrap(&secret, now()).await.expect("judged").is_none());
    let event = office.last().await.event;
    let outcome = event.deed.expect("a deed").outcome;
    assert_eq!((event.verb, outcome), (Verb::BootstrapUsed, Outcome::Denied));
}

#[tokio::test]
async fn what_another_process_has_closed_is_closed() {
    let office = Office::open().await;
    let config = crate::support::office::CONFIG;
    let people = crate::support::office::people();
    let other = Office::on(Arc::clone(&office.store), config, people).await;
    other.admin.close_bootstrap(&other.actor("root"), now()).await.expect("closed");
    let secret = Secret::new(BOOTSTRAP.to_owned());
    assert!(office.admin.bootstrap(&secret, now()).await.expect("judged").is_none());
}
