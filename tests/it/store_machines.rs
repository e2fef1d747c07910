//! What every store does alike with service accounts, credentials, their use and the catalog.

use crate::support::config::load;
use crate::support::store::{
    account_id, at, credential, credential_id, event, impersonating, known, machine_account,
    namespace_id, on_every_engine, once, session, verified_log,
};
use lictor::activity::{ActorKind, Deed, EntityKind, Event, Head, Outcome, Verb, Who};
use lictor::catalog::{Blocked, Catalog, PolicyRecord, RoutePath, RouteRecord};
use lictor::id::{NamespaceId, PermissionId, PolicyId};
use lictor::namespace::{
    LifetimeRules, Made, NamespaceName, NamespaceRecord, Permission, Role, Subject,
};
use lictor::service_account::{AccountRecord, CredentialRecord, LastUse, Machine};
use lictor::session::{Account, KnownPerson, SessionRecord};
use lictor::store::{
    AccountQuery, AccountTally, ActivityQuery, Change, Changed, Clash, Filter, RecordKey, SortKey,
    Sorted, Store, StoreErrorKind, Use,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

on_every_engine! {
    an_account_is_kept_as_it_was
    a_user_id_is_given_once
    an_account_counts_its_changes
    whose_an_account_is_never_changes
    a_deleted_account_stays_deleted
    credentials_are_of_an_account
    what_was_taken_back_stays_so
    who_knows_a_machine_is_told
    odd_texts
    the_longest_names
    the_catalog_is_kept_as_it_was
    the_catalog_has_one_version
    a_name_is_given_once_in_its_place
    records_of_the_catalog_count_their_changes
    a_namespace_with_accounts_stays
    a_value_is_kept_once_with_changes
    uses_are_added_up
    a_use_brings_nothing_back
    a_use_is_no_change
    accounts_are_found_by_what_was_typed
    accounts_by_how_they_stand
    accounts_in_order
    accounts_of_namespaces
    entries_are_found_by_what_they_are_about
    what_is_long_over_is_swept
    one_of_two_changes_of_the_catalog_is_made
    one_of_many_gets_a_user_id
    a_delete_beats_uses_and_credentials
    ten_thousand_accounts
}

async fn make(store: &dyn Store, changes: Vec<Change>) -> Result<Head, Option<Clash>> {
    store.commit(changes, Vec::new()).await.map_err(|error| {
        assert_eq!(error.kind(), StoreErrorKind::Conflict, "{error}");
        error.clash()
    })
}

async fn created(store: &dyn Store, record: AccountRecord) -> AccountRecord {
    make(store, vec![Change::CreateAccount(record.clone())]).await.expect("creates");
    record
}

async fn added(store: &dyn Store, record: CredentialRecord) -> CredentialRecord {
    make(store, vec![Change::AddCredential(record.clone())]).await.expect("adds");
    record
}

async fn account(store: &dyn Store, number: u32) -> Option<AccountRecord> {
    store.account(&account_id(number)).await.expect("an answer")
}

async fn machine(store: &dyn Store, number: u32) -> Option<Machine> {
    store.machine(&credential_id(number)).await.expect("an answer")
}

fn deleted(record: AccountRecord, seconds: i64) -> AccountRecord {
    AccountRecord { deleted: Some(at(seconds)), ..record }
}

// --- accounts

async fn an_account_is_kept_as_it_was(store: &Arc<dyn Store>) {
    assert_eq!(account(&**store, 1).await, None);
    let full = AccountRecord {
        description: "What it is for".to_owned(),
        originator: "terraform".to_owned(),
        expires: Some(at(3600)),
        disabled: Some(at(60)),
        ..machine_account(1, "ci")
    };
    let full = created(&**store, full).await;
    let bare = created(&**store, machine_account(2, "bot")).await;
    let acting = created(&**store, impersonating(3, "u-alice")).await;
    for record in [full, bare, acting] {
        assert_eq!(store.account(&record.id).await.expect("an answer"), Some(record));
    }
}

async fn a_user_id_is_given_once(store: &Arc<dyn Store>) {
    let first = created(&**store, machine_account(1, "ci")).await;
    let both = vec![
        Change::CreateAccount(machine_account(2, "other")),
        Change::CreateAccount(machine_account(3, "ci")),
    ];
    assert_eq!(make(&**store, both).await, Err(Some(Clash::Taken)));
    assert_eq!(account(&**store, 2).await, None, "all or nothing");
    created(&**store, machine_account(4, "CI")).await;
    // Many may act as the same person, also one whose id is that of a machine.
    created(&**store, impersonating(5, "u-alice")).await;
    created(&**store, impersonating(6, "u-alice")).await;
    created(&**store, impersonating(7, &first.user)).await;
    make(&**store, vec![Change::UpdateAccount(deleted(first, 60))]).await.expect("deletes");
    created(&**store, machine_account(8, "ci")).await;
    let twice = vec![
        Change::CreateAccount(machine_account(9, "twice")),
        Change::CreateAccount(machine_account(10, "twice")),
    ];
    assert_eq!(make(&**store, twice).await, Err(Some(Clash::Taken)));
}

async fn an_account_counts_its_changes(store: &Arc<dyn Store>) {
    let first = created(&**store, machine_account(1, "ci")).await;
    let mut record = first.clone();
    for version in 1..=3 {
        record.description = format!("For the {version}. time");
        record.expires = Some(at(i64::try_from(version).expect("small") * 1000));
        make(&**store, vec![Change::UpdateAccount(record.clone())]).await.expect("updates");
        record.version = version;
        assert_eq!(account(&**store, 1).await, Some(record.clone()));
    }
    for version in [0, 2, 4, u64::MAX] {
        let other = AccountRecord { version, expires: None, ..first.clone() };
        let refused = make(&**store, vec![Change::UpdateAccount(other)]).await;
        assert_eq!(refused, Err(Some(Clash::Version)), "{version}");
    }
    let nobody = Change::UpdateAccount(machine_account(2, "nobody"));
    assert_eq!(make(&**store, vec![nobody]).await, Err(Some(Clash::Version)));
    assert_eq!(account(&**store, 1).await, Some(record));
}

async fn whose_an_account_is_never_changes(store: &Arc<dyn Store>) {
    let unique = created(&**store, machine_account(1, "ci")).await;
    let acting = created(&**store, impersonating(2, "u-alice")).await;
    for other in [
        AccountRecord { namespace: NamespaceId::global(), ..unique.clone() },
        AccountRecord { user: "root".to_owned(), ..unique.clone() },
        AccountRecord { kind: acting.kind.clone(), ..unique.clone() },
        AccountRecord { user: "u-root".to_owned(), ..acting.clone() },
    ] {
        let refused = make(&**store, vec![Change::UpdateAccount(other.clone())]).await;
        assert_eq!(refused, Err(Some(Clash::Version)), "{other:?}");
    }
    assert_eq!(account(&**store, 1).await, Some(unique));
    assert_eq!(account(&**store, 2).await, Some(acting));
}

async fn a_deleted_account_stays_deleted(store: &Arc<dyn Store>) {
    let record = created(&**store, machine_account(1, "ci")).await;
    added(&**store, credential(1, 1)).await;
    let gone = deleted(record.clone(), 60);
    make(&**store, vec![Change::UpdateAccount(gone.clone())]).await.expect("deletes");
    let gone = AccountRecord { version: 1, ..gone };
    for back in [
        AccountRecord { version: 1, ..record.clone() },
        AccountRecord { version: 1, ..deleted(record.clone(), 90) },
        record,
    ] {
        let refused = make(&**store, vec![Change::UpdateAccount(back)]).await;
        assert_eq!(refused, Err(Some(Clash::Version)));
    }
    let late = Change::AddCredential(credential(2, 1));
    assert_eq!(make(&**store, vec![late]).await, Err(Some(Clash::Version)));
    assert_eq!(account(&**store, 1).await, Some(gone.clone()));
    // Who shows its credential can be told.
    let known = machine(&**store, 1).await.map(|machine| machine.account);
    assert_eq!(known, Some(gone));
    let found = store.accounts(&all(), at(0)).await.expect("accounts");
    assert_eq!((found.total, found.records.len()), (0, 0));
}

// --- credentials

async fn credentials_are_of_an_account(store: &Arc<dyn Store>) {
    let nobody = make(&**store, vec![Change::AddCredential(credential(1, 1))]).await;
    assert_eq!(nobody, Err(Some(Clash::Version)));
    assert_eq!(machine(&**store, 1).await, None);
    let both = vec![
        Change::CreateAccount(machine_account(1, "ci")),
        Change::AddCredential(credential(1, 1)),
    ];
    make(&**store, both).await.expect("at once");
    created(&**store, machine_account(2, "bot")).await;
    let full = CredentialRecord {
        expires: Some(at(500)),
        revoked: Some(at(400)),
        superseded: Some(at(300)),
        ..credential(2, 1)
    };
    let full = added(&**store, full).await;
    added(&**store, credential(3, 2)).await;
    let taken = make(&**store, vec![Change::AddCredential(credential(3, 1))]).await;
    assert_eq!(taken, Err(Some(Clash::Taken)));
    let of = async |number| store.credentials(&account_id(number)).await.expect("credentials");
    assert_eq!(of(1).await, [full.clone(), credential(1, 1)], "the latest first");
    assert_eq!(of(2).await, [credential(3, 2)]);
    assert_eq!(of(3).await, []);
    let account = machine_account(1, "ci");
    assert_eq!(machine(&**store, 2).await, Some(Machine { credential: full, account }));
    assert_eq!(machine(&**store, 9).await, None);
}

async fn what_was_taken_back_stays_so(store: &Arc<dyn Store>) {
    created(&**store, machine_account(1, "ci")).await;
    created(&**store, machine_account(2, "bot")).await;
    let first = added(&**store, credential(1, 1)).await;
    let update = async |record: &CredentialRecord| {
        make(&**store, vec![Change::UpdateCredential(record.clone())]).await
    };
    let stored = async || machine(&**store, 1).await.expect("it is there").credential;
    let superseded = CredentialRecord { superseded: Some(at(100)), ..first.clone() };
    update(&superseded).await.expect("updates");
    // Somebody who has not seen that revokes it.
    update(&CredentialRecord { revoked: Some(at(50)), ..first.clone() }).await.expect("updates");
    let both = CredentialRecord { revoked: Some(at(50)), ..superseded.clone() };
    assert_eq!(stored().await, both);
    // Nobody brings it back, or puts it off.
    update(&first).await.expect("it says nothing");
    let later = CredentialRecord {
        revoked: Some(at(60)),
        superseded: Some(at(200)),
        expires: Some(at(900)),
        hint: "abcd".to_owned(),
        ..first.clone()
    };
    update(&later).await.expect("updates");
    let ended = CredentialRecord { hint: "abcd".to_owned(), expires: Some(at(900)), ..both };
    assert_eq!(stored().await, ended);
    update(&CredentialRecord { superseded: Some(at(70)), ..later }).await.expect("earlier");
    assert_eq!(stored().await.superseded, Some(at(70)));
    assert_eq!(update(&credential(2, 1)).await, Err(Some(Clash::Version)), "there is none");
    assert_eq!(update(&credential(1, 2)).await, Err(Some(Clash::Version)), "it is another's");
}

async fn who_knows_a_machine_is_told(store: &Arc<dyn Store>) {
    let mut feed = store.follow().await.expect("a feed");
    let record = created(&**store, machine_account(1, "ci")).await;
    created(&**store, machine_account(2, "bot")).await;
    for (number, of) in [(1, 1), (2, 1), (3, 2)] {
        added(&**store, credential(number, of)).await;
    }
    make(&**store, vec![Change::UpdateCredential(credential(3, 2))]).await.expect("updates");
    make(&**store, vec![Change::UpdateAccount(record)]).await.expect("updates");
    make(&**store, vec![Change::NextCatalog(0)]).await.expect("the next");
    let credentials = [1, 2, 3, 3, 1, 2].map(|of| RecordKey::Credential(credential_id(of)));
    let wanted = credentials.into_iter().chain([RecordKey::Catalog]);
    let wanted: Vec<Changed> =
        (1..).zip(wanted).map(|(number, record)| Changed { number, record }).collect();
    let told = store.changes_since(0).await.expect("changes").changed;
    assert_eq!(told.as_ref(), Some(&wanted));
    for wanted in &wanted {
        let next = tokio::time::timeout(Duration::from_secs(5), feed.next()).await;
        assert_eq!(&next.expect("in time").expect("a change"), wanted);
    }
}

async fn odd_texts(store: &Arc<dyn Store>) {
    for (number, text) in (1_u32..).zip([
        "\0",
        "a\0b",
        "\u{ffff}0",
        "'; DROP TABLE lictor_head; --",
        "$1 %s {}",
        "\u{202e}\u{1f600}\u{301}",
        "\r\n\t",
        "\\u0000\"",
    ]) {
        let record = AccountRecord {
            user: text.to_owned(),
            name: text.to_owned(),
            description: text.to_owned(),
            ..impersonating(number, text)
        };
        created(&**store, record.clone()).await;
        let hinted = CredentialRecord { hint: text.to_owned(), ..credential(number, number) };
        added(&**store, hinted.clone()).await;
        let at = at(7);
        let last = LastUse { at, address: text.to_owned(), route: text.to_owned() };
        let used = Use { last: last.clone(), ..used(number, number, 7) };
        store.note_uses(vec![used]).await.expect("noted");
        let found = machine(&**store, number).await.expect("it is there");
        let record = AccountRecord { used: Some(at), ..record };
        let hinted = CredentialRecord { last_use: Some(last), ..hinted };
        assert_eq!(found, Machine { credential: hinted, account: record.clone() }, "{text:?}");
        let usage = store.usage(&record.id, 0).await.expect("usage");
        assert_eq!(usage[0].route, text);
        let by_user = AccountQuery { user: Some(text.to_owned()), ..all() };
        let by_text = AccountQuery { text: text.to_owned(), ..all() };
        for which in [by_user, by_text] {
            let found = store.accounts(&which, at).await.expect("accounts").records;
            assert!(found.contains(&record), "{text:?} by {which:?}");
        }
        let blocked = Blocked {
            user: text.to_owned(),
            since: at,
            by: text.to_owned(),
            reason: text.to_owned(),
        };
        let version = u64::from(number) - 1;
        let block = vec![Change::NextCatalog(version), Change::Block(blocked.clone())];
        make(&**store, block).await.expect("blocks");
        assert!(store.catalog().await.expect("a catalog").blocked.contains(&blocked));
    }
}

// --- the catalog

fn namespace(id: &str, parent: &str, name: &str) -> NamespaceRecord {
    NamespaceRecord {
        id: namespace_id(id),
        parent: Some(namespace_id(parent)),
        name: NamespaceName::parse(name).expect("a name"),
        description: String::new(),
        lifetime: LifetimeRules::default(),
        made: Made::Here,
        created: at(0),
        modified: at(0),
        version: 0,
    }
}

fn permission(number: u32, namespace: &str, subject: Subject) -> Permission {
    Permission {
        id: PermissionId::parse(&format!("perm_{number:032x}")).expect("an id"),
        namespace: namespace_id(namespace),
        subject,
        role: Role::Manager,
        created: at(0),
        created_by: "root@corp.test".to_owned(),
    }
}

fn user(id: &str) -> Subject {
    Subject::User(id.to_owned())
}

fn policy(number: u32, namespace: &str, name: &str) -> PolicyRecord {
    PolicyRecord {
        id: PolicyId::parse(&format!("pol_{number:032x}")).expect("an id"),
        namespace: namespace_id(namespace),
        name: name.to_owned(),
        description: "What it is for".to_owned(),
        explanation: "Why".to_owned(),
        remediation: "What to do".to_owned(),
        text: "allow:\n  or:\n    - authenticated_user: true\n".to_owned(),
        enforced: true,
        routes: ["app".to_owned(), "route-2".to_owned()].into(),
        created: at(0),
        modified: at(1),
        modified_by: "root@corp.test".to_owned(),
        version: 0,
    }
}

fn route(name: &str, path: RoutePath) -> RouteRecord {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!(
        "routes:\n- {{id: {name}, from: http://a.localhost, allow_any_authenticated_user: true}}\n"
    );
    let config = load(&text, folder.path()).expect("loads");
    RouteRecord {
        id: config.routes[0].id.clone(),
        namespace: namespace_id("design"),
        description: "Where it leads".to_owned(),
        from: "https://app.corp.test".to_owned(),
        path,
        pass_identity_headers: true,
        show_error_details: false,
        created: at(0),
        modified: at(1),
        modified_by: "root@corp.test".to_owned(),
        version: 0,
    }
}

/// Changes the catalog.
async fn next(store: &dyn Store, changes: Vec<Change>) -> Result<Head, Option<Clash>> {
    let version = catalog(store).await.version;
    make(store, [vec![Change::NextCatalog(version)], changes].concat()).await
}

async fn catalog(store: &dyn Store) -> Catalog {
    store.catalog().await.expect("a catalog")
}

/// Providers, the directory and the configuration give names of at most 255 characters, of four bytes each;
/// an index of `PostgreSQL` takes entries of 2.7 kB.
async fn the_longest_names(store: &Arc<dyn Store>) {
    // Not to be compressed.
    let letter = |n: u32| char::from_u32(0x2_0000 + n * 7_919 % 40_000).expect("a letter");
    let text = |seed: u32| (0..255).map(|n| letter(seed * 1_000 + n)).collect::<String>();
    let (user, other, route) = (text(1), text(2), text(3));
    let record = session(1, &user);
    let account = Account { email: text(4), ..record.account.clone() };
    let record = SessionRecord { account, provider_session: other.clone(), ..record };
    let known = KnownPerson { account: record.account.clone(), ..known(&user) };
    let who = |user: &str| Who { user: user.to_owned(), email: text(4), groups: Vec::new() };
    let mut told = deed(EntityKind::User, &user, "design", Outcome::Done);
    (told.actor, told.subject) = (who(&user), Some(who(&other)));
    let changes = vec![Change::OpenSession(record), Change::KnowPerson(known)];
    store.commit(changes, vec![told]).await.expect("a sign-in");
    let blocked =
        Blocked { user: user.clone(), since: at(1), by: other.clone(), reason: String::new() };
    let role = permission(1, "design", Subject::User(user.clone()));
    next(&**store, vec![Change::Block(blocked), Change::PutPermission(role)]).await.expect("made");
    created(&**store, AccountRecord { user: user.clone(), ..impersonating(1, &user) }).await;
    added(&**store, credential(1, 1)).await;
    let last = LastUse { at: at(7), address: String::new(), route: route.clone() };
    store.note_uses(vec![Use { last, ..used(1, 1, 7) }]).await.expect("noted");
    assert_eq!(store.usage(&account_id(1), 0).await.expect("usage")[0].route, route);
    let about = ActivityQuery { who: Some(other), limit: 9, ..ActivityQuery::default() };
    assert_eq!(store.activity(&about).await.expect("entries").len(), 1);
    verified_log(&**store).await;
}

async fn the_catalog_is_kept_as_it_was(store: &Arc<dyn Store>) {
    assert_eq!(catalog(&**store).await, Catalog::default());
    let design = NamespaceRecord {
        description: "What it is for".to_owned(),
        lifetime: LifetimeRules {
            longest: Some(Duration::from_millis(5_400_500)),
            required: Some(true),
        },
        ..namespace("design", NamespaceId::global().as_str(), "Vertrieb Süd")
    };
    let global = NamespaceRecord {
        parent: None,
        name: NamespaceName::global(),
        made: Made::BuiltIn,
        ..namespace(NamespaceId::global().as_str(), "design", "x")
    };
    let in_file = NamespaceRecord { made: Made::InFile, ..namespace("web", "design", "Web") };
    let routes = vec![
        route("a", RoutePath::Any),
        route("b", RoutePath::Exact("/b".to_owned())),
        route("c", RoutePath::Prefix("/c".to_owned())),
        route("d", RoutePath::SeparatedPrefix("/d".to_owned())),
        route("e", RoutePath::Regex("/e.*".to_owned())),
    ];
    let permissions = vec![
        permission(1, "design", user("u-alice")),
        Permission {
            role: Role::Admin,
            ..permission(2, "design", Subject::Group("u-alice".to_owned()))
        },
        Permission { role: Role::Viewer, ..permission(3, "web", user("u-alice")) },
    ];
    let policies = vec![
        policy(1, "design", "Engineers"),
        PolicyRecord { enforced: false, routes: BTreeSet::new(), ..policy(2, "web", "engineers") },
    ];
    let blocked = vec![Blocked {
        user: "u-mallory".to_owned(),
        since: at(9),
        by: "root@corp.test".to_owned(),
        reason: "ticket 7".to_owned(),
    }];
    let changes = [global.clone(), design.clone(), in_file.clone()].map(Change::PutNamespace);
    let changes = changes
        .into_iter()
        .chain(permissions.iter().cloned().map(Change::PutPermission))
        .chain(policies.iter().cloned().map(Change::PutPolicy))
        .chain(routes.iter().cloned().map(Change::PutRoute))
        .chain(blocked.iter().cloned().map(Change::Block))
        .chain([Change::CloseBootstrap(at(7)), Change::CloseBootstrap(at(8))]);
    next(&**store, changes.collect()).await.expect("made");
    let wanted = Catalog {
        version: 1,
        namespaces: vec![global, design, in_file],
        permissions,
        policies,
        routes,
        blocked,
        bootstrap_closed: Some(at(7)),
    };
    assert_eq!(catalog(&**store).await, wanted);
    let changes = vec![
        Change::RemoveNamespace(namespace_id("design")),
        Change::RemovePermission(wanted.permissions[0].id.clone()),
        Change::RemovePolicy(wanted.policies[0].id.clone()),
        Change::RemoveRoute(wanted.routes[0].id.clone()),
        Change::Unblock("u-mallory".to_owned()),
        Change::Unblock("u-nobody".to_owned()),
    ];
    next(&**store, changes).await.expect("removed");
    let wanted = Catalog {
        version: 2,
        namespaces: [&wanted.namespaces[..1], &wanted.namespaces[2..]].concat(),
        permissions: wanted.permissions[1..].to_vec(),
        policies: wanted.policies[1..].to_vec(),
        routes: wanted.routes[1..].to_vec(),
        blocked: Vec::new(),
        ..wanted
    };
    assert_eq!(catalog(&**store).await, wanted);
}

async fn the_catalog_has_one_version(store: &Arc<dyn Store>) {
    let web = || Change::PutNamespace(namespace("web", "design", "Web"));
    for wrong in [
        vec![Change::NextCatalog(1), web()],
        vec![Change::ExpectCatalog(1), Change::CreateAccount(machine_account(1, "ci"))],
        // Nobody else would hear of it.
        vec![web()],
        vec![Change::ExpectCatalog(0), web()],
        vec![web(), Change::NextCatalog(0)],
        vec![Change::Unblock("u-alice".to_owned())],
        vec![Change::CloseBootstrap(at(0))],
        vec![Change::NextCatalog(u64::MAX)],
    ] {
        assert_eq!(make(&**store, wrong.clone()).await, Err(Some(Clash::Catalog)), "{wrong:?}");
    }
    assert_eq!(catalog(&**store).await, Catalog::default());
    assert_eq!(account(&**store, 1).await, None);
    make(&**store, vec![Change::NextCatalog(0), web()]).await.expect("made");
    make(&**store, vec![Change::ExpectCatalog(1), Change::NextCatalog(1)]).await.expect("made");
    let twice = vec![Change::NextCatalog(2), Change::NextCatalog(3), Change::ExpectCatalog(4)];
    make(&**store, twice).await.expect("made");
    assert_eq!(catalog(&**store).await.version, 4);
    let told = store.changes_since(0).await.expect("changes").changed.expect("all");
    assert!(told.iter().all(|change| change.record == RecordKey::Catalog));
    assert_eq!(told.len(), 4);
}

async fn a_name_is_given_once_in_its_place(store: &Arc<dyn Store>) {
    let first = vec![
        Change::PutNamespace(namespace("web", "design", "Web")),
        Change::PutPermission(permission(1, "design", user("u-alice"))),
        Change::PutPolicy(policy(1, "design", "Größe")),
        Change::PutRoute(route("app", RoutePath::Any)),
    ];
    next(&**store, first).await.expect("made");
    for taken in [
        Change::PutNamespace(namespace("web-2", "design", "WEB")),
        Change::PutPermission(permission(2, "design", user("u-alice"))),
        Change::PutPolicy(policy(2, "design", "GRÖßE")),
    ] {
        let refused = next(&**store, vec![taken.clone()]).await;
        assert_eq!(refused, Err(Some(Clash::Taken)), "{taken:?}");
    }
    let others = vec![
        Change::PutNamespace(namespace("web-2", "sales", "Web")),
        Change::PutPermission(permission(2, "design", user("U-ALICE"))),
        Change::PutPermission(permission(3, "design", Subject::Group("u-alice".to_owned()))),
        Change::PutPermission(permission(4, "web", user("u-alice"))),
        Change::PutPolicy(policy(2, "web", "Größe")),
        Change::PutPolicy(policy(3, "design", "Grösse")),
    ];
    next(&**store, others).await.expect("made");
    // Nor by another name afterwards.
    let renamed = PolicyRecord { name: "größe".to_owned(), ..policy(3, "design", "") };
    assert_eq!(next(&**store, vec![Change::PutPolicy(renamed)]).await, Err(Some(Clash::Taken)));
    let moved = namespace("web-2", "design", "web");
    assert_eq!(next(&**store, vec![Change::PutNamespace(moved)]).await, Err(Some(Clash::Taken)));
    // It may change its own case, and take a name that was given up before.
    let swapped = vec![
        Change::PutPolicy(policy(1, "design", "GRÖßE")),
        Change::PutPolicy(policy(3, "design", "Other")),
    ];
    next(&**store, swapped).await.expect("made");
    let given_up = PolicyRecord { version: 1, ..policy(1, "design", "Else") };
    let taken = PolicyRecord { version: 1, ..policy(3, "design", "Größe") };
    let both = vec![Change::PutPolicy(given_up), Change::PutPolicy(taken)];
    next(&**store, both).await.expect("made");
}

async fn records_of_the_catalog_count_their_changes(store: &Arc<dyn Store>) {
    let made = |version| {
        vec![
            Change::PutNamespace(NamespaceRecord { version, ..namespace("web", "design", "Web") }),
            Change::PutPolicy(PolicyRecord { version, ..policy(1, "design", "Engineers") }),
            Change::PutRoute(RouteRecord { version, ..route("app", RoutePath::Any) }),
        ]
    };
    for early in made(1) {
        let refused = next(&**store, vec![early]).await;
        assert_eq!(refused, Err(Some(Clash::Version)), "nothing is there to be changed");
    }
    next(&**store, made(0)).await.expect("made");
    for version in 0..3 {
        next(&**store, made(version)).await.expect("changed");
        let catalog = catalog(&**store).await;
        let versions =
            [catalog.namespaces[0].version, catalog.policies[0].version, catalog.routes[0].version];
        assert_eq!(versions, [version + 1; 3]);
    }
    for late in made(2).into_iter().chain(made(9)) {
        assert_eq!(next(&**store, vec![late]).await, Err(Some(Clash::Version)));
    }
    let role = |role| Permission { role, ..permission(1, "design", user("u-alice")) };
    for role in [Role::Viewer, Role::Admin, Role::Manager].map(role) {
        next(&**store, vec![Change::PutPermission(role.clone())]).await.expect("made");
        assert_eq!(catalog(&**store).await.permissions, [role]);
    }
}

async fn a_namespace_with_accounts_stays(store: &Arc<dyn Store>) {
    next(&**store, vec![Change::PutNamespace(namespace("design", "x", "Design"))])
        .await
        .expect("made");
    let record = created(&**store, machine_account(1, "ci")).await;
    let remove = || vec![Change::RemoveNamespace(namespace_id("design"))];
    assert_eq!(next(&**store, remove()).await, Err(Some(Clash::InUse)));
    next(&**store, vec![Change::RemoveNamespace(namespace_id("sales"))]).await.expect("none");
    make(&**store, vec![Change::UpdateAccount(deleted(record, 60))]).await.expect("deletes");
    next(&**store, remove()).await.expect("nobody is in it any more");
    assert!(catalog(&**store).await.namespaces.is_empty());
}

async fn a_value_is_kept_once_with_changes(store: &Arc<dyn Store>) {
    let kept = |until, now| Change::KeepOnce(once("k", at(until)), at(now));
    let first = vec![kept(60, 0), Change::CreateAccount(machine_account(1, "ci"))];
    make(&**store, first).await.expect("made");
    let again = |now| vec![Change::CreateAccount(machine_account(2, "bot")), kept(90, now)];
    assert_eq!(make(&**store, again(59)).await, Err(Some(Clash::Once)));
    assert_eq!(account(&**store, 2).await, None);
    for _ in 0..2 {
        let found = store.once("k", at(59)).await.expect("an answer");
        assert_eq!(found, Some(once("k", at(60))), "looking takes nothing");
    }
    assert_eq!(store.once("k", at(60)).await.expect("an answer"), None);
    assert_eq!(store.once("other", at(0)).await.expect("an answer"), None);
    let clash = store.keep_once(once("k", at(9))).await.expect_err("there is one").clash();
    assert_eq!(clash, Some(Clash::Once));
    make(&**store, again(60)).await.expect("what has expired makes room, before any sweep");
    assert_eq!(store.once("k", at(89)).await.expect("an answer"), Some(once("k", at(90))));
}

// --- use

const DAY: i64 = 24 * 60 * 60;

fn used(credential: u32, account: u32, seconds: i64) -> Use {
    Use {
        credential: credential_id(credential),
        account: account_id(account),
        last: LastUse { at: at(seconds), address: "192.0.2.7".to_owned(), route: "app".to_owned() },
        outcome: "allowed",
        count: 1,
    }
}

async fn note(store: &dyn Store, uses: Vec<Use>) {
    store.note_uses(uses).await.expect("noted");
}

/// Two accounts, of which the first has two credentials.
async fn two_accounts(store: &dyn Store) {
    created(store, machine_account(1, "ci")).await;
    created(store, machine_account(2, "bot")).await;
    for (number, of) in [(1, 1), (2, 1), (3, 2)] {
        added(store, credential(number, of)).await;
    }
}

async fn uses_are_added_up(store: &Arc<dyn Store>) {
    two_accounts(&**store).await;
    note(&**store, Vec::new()).await;
    let elsewhere = |used: Use, route: &str, outcome| {
        let last = LastUse { route: route.to_owned(), ..used.last };
        Use { last, outcome, count: 5, ..used }
    };
    let many = vec![
        used(1, 1, 30),
        used(1, 1, 20),
        elsewhere(used(2, 1, 25), "other", "allowed"),
        elsewhere(used(1, 1, 10), "app", "namespace"),
        used(3, 2, 5),
    ];
    note(&**store, many).await;
    note(&**store, vec![used(1, 1, 40), used(1, 1, 40 + DAY)]).await;
    let usage = store.usage(&account_id(1), 0).await.expect("usage");
    let today = at(0).unix() / DAY;
    let short: Vec<_> = usage
        .iter()
        .map(|usage| {
            let last = usage.last.unix() - at(0).unix();
            (usage.day - today, usage.route.as_str(), usage.outcome.as_str(), usage.count, last)
        })
        .collect();
    let wanted = [
        (1, "app", "allowed", 1, 40 + DAY),
        (0, "app", "allowed", 3, 40),
        (0, "other", "allowed", 5, 25),
        (0, "app", "namespace", 5, 10),
    ];
    assert_eq!(short, wanted);
    let later = store.usage(&account_id(1), today + 1).await.expect("usage");
    assert_eq!(later, usage[..1]);
    assert_eq!(store.usage(&account_id(2), 0).await.expect("usage").len(), 1);
    let last = async |number| {
        let machine = machine(&**store, number).await.expect("it is there");
        let last = machine.credential.last_use.expect("it was used");
        (machine.account.used, last.at, last.route)
    };
    let latest = at(40 + DAY);
    assert_eq!(last(1).await, (Some(latest), latest, "app".to_owned()));
    assert_eq!(last(2).await, (Some(latest), at(25), "other".to_owned()));
    assert_eq!(last(3).await, (Some(at(5)), at(5), "app".to_owned()));
    let listed = store.credentials(&account_id(2)).await.expect("credentials");
    assert_eq!(listed[0].last_use.as_ref().map(|used| used.at), Some(at(5)));
    // More than fit in one transaction.
    let many = (0..1700).map(|number| used(3, 2, number % 900)).collect();
    note(&**store, many).await;
    let usage = store.usage(&account_id(2), 0).await.expect("usage");
    assert_eq!(usage.iter().map(|usage| usage.count).sum::<u64>(), 1701);
    assert_eq!(account(&**store, 2).await.expect("it is there").used, Some(at(899)));
    note(&**store, vec![Use { count: u64::MAX, ..used(3, 2, 0) }; 3]).await;
    note(&**store, vec![used(3, 2, 0)]).await;
}

async fn a_use_brings_nothing_back(store: &Arc<dyn Store>) {
    two_accounts(&**store).await;
    note(&**store, vec![used(1, 1, 30)]).await;
    let before = machine(&**store, 1).await.expect("it is there");
    // What is earlier, of nobody, or of another account.
    note(&**store, vec![used(1, 1, 29), used(9, 9, 50)]).await;
    note(&**store, vec![used(1, 2, 50)]).await;
    assert_eq!(machine(&**store, 1).await, Some(before.clone()));
    let usage = store.usage(&account_id(9), 0).await.expect("usage");
    assert_eq!(usage, [], "of an account that is not there");
    let record = before.account;
    make(&**store, vec![Change::UpdateAccount(deleted(record, 60))]).await.expect("deletes");
    let gone = machine(&**store, 1).await;
    let usage = store.usage(&account_id(1), 0).await.expect("usage");
    note(&**store, vec![used(1, 1, 90), used(2, 1, 90), used(3, 2, 90)]).await;
    assert_eq!(machine(&**store, 1).await, gone);
    assert_eq!(machine(&**store, 2).await.expect("it is there").credential.last_use, None);
    assert_eq!(store.usage(&account_id(1), 0).await.expect("usage"), usage);
    let other = machine(&**store, 3).await.expect("it is there");
    assert_eq!(other.credential.last_use.map(|used| used.at), Some(at(90)), "others are noted");
    // Nor what was revoked.
    let revoked = CredentialRecord { revoked: Some(at(95)), ..credential(3, 2) };
    make(&**store, vec![Change::UpdateCredential(revoked)]).await.expect("revokes");
    note(&**store, vec![used(3, 2, 99)]).await;
    let other = machine(&**store, 3).await.expect("it is there").credential;
    assert_eq!((other.revoked, other.last_use.map(|used| used.at)), (Some(at(95)), Some(at(99))));
}

async fn a_use_is_no_change(store: &Arc<dyn Store>) {
    two_accounts(&**store).await;
    let (head, changes) = (store.head().await, store.changes_since(0).await);
    let mut feed = store.follow().await.expect("a feed");
    note(&**store, vec![used(1, 1, 30)]).await;
    assert_eq!(store.head().await.expect("a head"), head.expect("a head"));
    assert_eq!(store.changes_since(0).await.expect("changes"), changes.expect("changes"));
    let told = tokio::time::timeout(Duration::from_millis(50), feed.next()).await;
    assert!(told.is_err(), "{told:?}");
    // A change based on the record before it is made, and takes nothing from it.
    let record = AccountRecord { disabled: Some(at(5)), ..machine_account(1, "ci") };
    make(&**store, vec![Change::UpdateAccount(record.clone())]).await.expect("updates");
    make(&**store, vec![Change::UpdateCredential(credential(1, 1))]).await.expect("updates");
    let found = machine(&**store, 1).await.expect("it is there");
    assert_eq!(found.account, AccountRecord { used: Some(at(30)), version: 1, ..record });
    assert_eq!(found.credential.last_use.map(|used| used.at), Some(at(30)));
}

// --- lists

fn all() -> AccountQuery {
    AccountQuery { limit: 100, ..AccountQuery::default() }
}

fn names(records: &[AccountRecord]) -> String {
    records.iter().map(|record| record.name.as_str()).collect::<Vec<_>>().join(" ")
}

async fn listed(store: &dyn Store, which: AccountQuery, now: i64) -> String {
    let page = store.accounts(&which, at(now)).await.expect("accounts");
    if which.offset == 0 && which.limit >= 100 {
        assert_eq!(page.total, page.records.len() as u64);
    }
    names(&page.records)
}

async fn accounts_are_found_by_what_was_typed(store: &Arc<dyn Store>) {
    let texts = [
        ("50%", "all"),
        ("a_b", "Ünal"),
        ("axb", "ünterlagen"),
        ("wow!", "it's"),
        ("back\\slash", "%"),
        ("ci", "line\nnext"),
    ];
    for (number, (name, description)) in (1..).zip(texts) {
        let description = description.to_owned();
        let record = AccountRecord { description, ..machine_account(number, name) };
        created(&**store, record).await;
    }
    created(&**store, impersonating(7, "u-alice")).await;
    let by = async |text: &str| {
        listed(&**store, AccountQuery { text: text.to_owned(), ..all() }, 0).await
    };
    assert_eq!(by("%").await, "50% back\\slash");
    assert_eq!(by("_").await, "a_b");
    assert_eq!(by("A_B").await, "a_b");
    assert_eq!(by("!").await, "wow!");
    assert_eq!(by("\\").await, "back\\slash");
    assert_eq!(by("'").await, "wow!");
    assert_eq!(by("ÜN").await, "a_b axb");
    assert_eq!(by("@DESIGN.pomerium").await, "50% a_b axb wow! back\\slash ci");
    assert_eq!(by("name of u-al").await, "Name of u-alice");
    assert_eq!(by(account_id(3).as_str()).await, "axb");
    assert_eq!(by(&account_id(3).as_str().to_uppercase()).await, "axb");
    assert_eq!(by("sa_").await, "", "ids are looked for whole");
    assert_eq!(by("nobody").await, "");
    assert_eq!(by(&"x".repeat(100_000)).await, "");
    let user = |user: &str| AccountQuery { user: Some(user.to_owned()), ..all() };
    assert_eq!(listed(&**store, user("ci@design.pomerium"), 0).await, "ci");
    assert_eq!(listed(&**store, user("CI@design.pomerium"), 0).await, "", "user ids are exact");
    let kind = |impersonating| AccountQuery { impersonating: Some(impersonating), ..all() };
    assert_eq!(listed(&**store, kind(true), 0).await, "Name of u-alice");
    assert_eq!(listed(&**store, kind(false), 0).await, "50% a_b axb wow! back\\slash ci");
}

/// Accounts that stand in every way, as of day 200.
async fn in_every_way(store: &dyn Store) {
    let day = |day: i64| Some(at(day * DAY));
    let ways = [
        ("fresh", 199, None, None, None),
        ("busy", 1, None, None, Some(199)),
        ("idle", 1, None, None, Some(109)),
        ("edge", 1, None, None, Some(110)),
        ("old", 1, day(150), None, Some(100)),
        ("ends", 190, day(213), None, Some(199)),
        ("over", 190, day(200), day(195), None),
        ("off", 190, day(214), day(195), Some(195)),
    ];
    for (number, (name, created_on, expires, disabled, used_on)) in (1..).zip(ways) {
        let created_at = at(created_on * DAY);
        let record = machine_account(number, name);
        created(store, AccountRecord { created: created_at, expires, disabled, ..record }).await;
        let uses = used_on.map(|day| used(number, number, day * DAY));
        note(store, uses.into_iter().collect()).await;
    }
    let gone = created(store, machine_account(99, "gone")).await;
    make(store, vec![Change::UpdateAccount(deleted(gone, 5))]).await.expect("deletes");
}

async fn accounts_by_how_they_stand(store: &Arc<dyn Store>) {
    let now = at(200 * DAY);
    let empty = store.tally(None, now).await.expect("a tally");
    assert_eq!(empty, AccountTally::default());
    in_every_way(&**store).await;
    let by = async |filter| {
        listed(&**store, AccountQuery { filter: Some(filter), ..all() }, 200 * DAY).await
    };
    assert_eq!(by(Filter::Active).await, "fresh busy idle edge ends");
    assert_eq!(by(Filter::Disabled).await, "over off");
    assert_eq!(by(Filter::Expired).await, "old over", "from that instant");
    assert_eq!(by(Filter::Expiring).await, "ends", "not yet 14 days before");
    assert_eq!(by(Filter::NeverUsed).await, "fresh over");
    assert_eq!(by(Filter::Stale).await, "idle old", "not yet 90 days after");
    let both = AccountQuery {
        filter: Some(Filter::Active),
        text: "e".to_owned(),
        namespaces: Some([namespace_id("design"), namespace_id("web")].into()),
        impersonating: Some(false),
        ..all()
    };
    assert_eq!(listed(&**store, both, 200 * DAY).await, "fresh busy idle edge ends");
    let tally = AccountTally {
        all: 8,
        active: 5,
        expiring: 1,
        never_used: 2,
        stale: 2,
        expired: 2,
        disabled: 2,
    };
    assert_eq!(store.tally(None, now).await.expect("a tally"), tally);
    let design = [namespace_id("design")].into();
    assert_eq!(store.tally(Some(&design), now).await.expect("a tally"), tally);
    for elsewhere in [BTreeSet::new(), [namespace_id("web")].into()] {
        let tally = store.tally(Some(&elsewhere), now).await.expect("a tally");
        assert_eq!(tally, AccountTally::default());
    }
}

async fn accounts_in_order(store: &Arc<dyn Store>) {
    in_every_way(&**store).await;
    created(&**store, AccountRecord { namespace: namespace_id("art"), ..impersonating(9, "a") })
        .await;
    let by = async |sorted: &[(SortKey, bool)]| {
        let sorted = sorted.iter().map(|&(key, descending)| Sorted { key, descending }).collect();
        listed(&**store, AccountQuery { sorted, ..all() }, 0).await
    };
    let unsorted = "fresh busy idle edge old ends over off Name of a";
    assert_eq!(by(&[]).await, unsorted, "by id");
    let user = (SortKey::User, false);
    assert_eq!(by(&[user]).await, "Name of a busy edge ends fresh idle off old over");
    assert_eq!(
        by(&[(SortKey::Expires, false)]).await,
        "old over ends off fresh busy idle edge Name of a",
        "those without last"
    );
    assert_eq!(
        by(&[(SortKey::Expires, true), user]).await,
        "off ends over old Name of a busy edge fresh idle",
        "also the other way round"
    );
    assert_eq!(
        by(&[(SortKey::Used, true), (SortKey::User, true)]).await,
        "ends busy off edge idle old over fresh Name of a"
    );
    assert_eq!(
        by(&[(SortKey::Used, false), user]).await,
        "old idle edge off busy ends Name of a fresh over"
    );
    assert_eq!(
        by(&[(SortKey::Created, true), (SortKey::User, false)]).await,
        "fresh ends off over busy edge idle old Name of a"
    );
    assert_eq!(by(&[(SortKey::Namespace, false), user]).await, by(&[user]).await);
    assert_eq!(
        by(&[(SortKey::Kind, true), (SortKey::Kind, false)]).await,
        "Name of a off over ends old edge idle busy fresh",
        "by id the same way"
    );
    let page = async |offset, limit| {
        let sorted = vec![Sorted { key: SortKey::User, descending: false }];
        let which = AccountQuery { offset, limit, sorted, ..AccountQuery::default() };
        let page = store.accounts(&which, at(0)).await.expect("accounts");
        (page.total, names(&page.records))
    };
    assert_eq!(page(0, 2).await, (9, "Name of a busy".to_owned()));
    assert_eq!(page(2, 3).await, (9, "edge ends fresh".to_owned()));
    assert_eq!(page(8, usize::MAX).await, (9, "over".to_owned()));
    assert_eq!(page(9, 9).await, (9, String::new()));
    assert_eq!(page(0, 0).await, (9, String::new()));
}

async fn accounts_of_namespaces(store: &Arc<dyn Store>) {
    for number in 0..30 {
        let record = machine_account(number, &format!("m{number}"));
        let namespace = namespace_id(&format!("n-{}", number % 3));
        created(&**store, AccountRecord { namespace, ..record }).await;
    }
    let of = async |namespaces: BTreeSet<NamespaceId>| {
        let which = AccountQuery { namespaces: Some(namespaces), ..all() };
        store.accounts(&which, at(0)).await.expect("accounts").total
    };
    assert_eq!(of(BTreeSet::new()).await, 0, "none is not all");
    assert_eq!(of([namespace_id("n-0")].into()).await, 10);
    assert_eq!(of([namespace_id("n-0"), namespace_id("n-2")].into()).await, 20);
    let many = |from| (from..5000).map(|n| namespace_id(&format!("n-{n}"))).collect();
    assert_eq!(of(many(1)).await, 20, "thousands");
    assert_eq!(of(many(3)).await, 0);
    let tally = store.tally(Some(&many(1)), at(0)).await.expect("a tally");
    assert_eq!(tally.all, 20);
    let gone = created(&**store, machine_account(99, "gone")).await;
    make(&**store, vec![Change::UpdateAccount(deleted(gone, 1))]).await.expect("deletes");
    let counted = async |namespaces: Option<BTreeSet<NamespaceId>>| {
        let counted = store.accounts_by_namespace(namespaces.as_ref()).await.expect("counts");
        counted.into_iter().map(|(id, count)| format!("{id} {count}")).collect::<Vec<_>>()
    };
    assert_eq!(counted(None).await, ["n-0 10", "n-1 10", "n-2 10"]);
    assert_eq!(counted(Some(many(1))).await, ["n-1 10", "n-2 10"]);
    assert_eq!(counted(Some([namespace_id("n-2")].into())).await, ["n-2 10"]);
    assert!(counted(Some(BTreeSet::new())).await.is_empty(), "none is not all");
}

// --- entries

fn deed(entity: EntityKind, id: &str, namespace: &str, outcome: Outcome) -> Event {
    let deed = Deed {
        by: ActorKind::Person,
        credential: Some(credential_id(1)),
        entity,
        id: id.to_owned(),
        name: "As it is called".to_owned(),
        namespace: NamespaceId::parse(namespace),
        outcome,
        before: String::new(),
        after: "{}".to_owned(),
    };
    Event { deed: Some(Box::new(deed)), ..event(Verb::Update, "u-root") }
}

async fn entries_are_found_by_what_they_are_about(store: &Arc<dyn Store>) {
    let then = |seconds, event| Event { at: at(seconds), ..event };
    let told = vec![
        then(0, event(Verb::SignIn, "u-root")),
        then(10, deed(EntityKind::Policy, "p", "design", Outcome::Done)),
        then(20, deed(EntityKind::Route, "p", "web", Outcome::Denied)),
        then(30, deed(EntityKind::Policy, "q", "web", Outcome::Done)),
        then(40, Event { verb: Verb::Block, ..deed(EntityKind::User, "", "", Outcome::Denied) }),
    ];
    store.commit(Vec::new(), told.clone()).await.expect("heard");
    let entries = verified_log(&**store).await;
    assert_eq!(entries.iter().map(|entry| entry.event.clone()).collect::<Vec<_>>(), told);
    let list = async |which: ActivityQuery| {
        let which = ActivityQuery { limit: which.limit.max(1), ..which };
        let entries = store.activity(&which).await.expect("entries");
        entries.iter().map(|entry| entry.number).collect::<Vec<_>>()
    };
    let all = || ActivityQuery { limit: 9, ..ActivityQuery::default() };
    let within = |names: &[&str]| {
        let namespaces = names.iter().map(|name| namespace_id(name)).collect();
        ActivityQuery { namespaces: Some(namespaces), ..all() }
    };
    assert_eq!(list(within(&["web"])).await, [4, 3]);
    assert_eq!(list(within(&["web", "design", "sales"])).await, [4, 3, 2]);
    assert_eq!(list(within(&[])).await, [0; 0], "none is not all");
    let about = |entity| ActivityQuery { entity: Some(entity), ..all() };
    assert_eq!(list(about("policy")).await, [4, 2]);
    assert_eq!(list(about("nothing")).await, [0; 0]);
    let named = |id: &str| ActivityQuery { entity_id: Some(id.to_owned()), ..all() };
    assert_eq!(list(named("p")).await, [3, 2]);
    assert_eq!(list(named("P")).await, [0; 0]);
    assert_eq!(list(named("")).await, [0; 0]);
    let both = ActivityQuery { entity: Some("route"), ..named("p") };
    assert_eq!(list(both).await, [3]);
    let verb = |verb| ActivityQuery { verb: Some(verb), ..all() };
    assert_eq!(list(verb(Verb::Update)).await, [4, 3, 2]);
    assert_eq!(list(verb(Verb::SignOut)).await, [0; 0]);
    let outcome = |outcome| ActivityQuery { outcome: Some(outcome), ..all() };
    assert_eq!(list(outcome("denied")).await, [5, 3]);
    assert_eq!(list(outcome("done")).await, [4, 2]);
    let span = ActivityQuery { from: Some(at(10)), until: Some(at(40)), ..all() };
    assert_eq!(list(span).await, [4, 3, 2], "not before, and before");
    assert_eq!(list(ActivityQuery { after: Some(2), ..all() }).await, [3, 4, 5], "in order");
    let between = ActivityQuery { after: Some(1), before: Some(4), limit: 1, ..all() };
    assert_eq!(list(between).await, [2], "the earliest first");
    assert_eq!(list(ActivityQuery { after: Some(u64::MAX), ..all() }).await, [0; 0]);
}

// --- sweeping

async fn what_is_long_over_is_swept(store: &Arc<dyn Store>) {
    for number in 1..=3 {
        created(&**store, machine_account(number, &format!("m{number}"))).await;
    }
    let over = |number, of| CredentialRecord { ..credential(number, of) };
    for record in [
        over(1, 1),
        over(2, 2),
        CredentialRecord { revoked: Some(at(10)), ..over(3, 3) },
        CredentialRecord { superseded: Some(at(10)), ..over(4, 3) },
        CredentialRecord { expires: Some(at(10)), revoked: Some(at(90)), ..over(5, 3) },
        CredentialRecord { expires: Some(at(11)), ..over(6, 3) },
        over(7, 3),
    ] {
        added(&**store, record).await;
    }
    note(&**store, vec![used(1, 1, 5), used(2, 2, 5), used(7, 3, 5)]).await;
    let many = (0..300).map(|n| {
        let used = used(1, 1, 6);
        Use { last: LastUse { route: format!("r-{n}"), ..used.last.clone() }, ..used }
    });
    note(&**store, many.collect()).await;
    for (number, seconds) in [(1, 10), (2, 11)] {
        let record = account(&**store, number).await.expect("it is there");
        make(&**store, vec![Change::UpdateAccount(deleted(record, seconds))]).await.expect("it");
    }
    let (head, changes) = (store.head().await, store.changes_since(0).await);
    let there = async || {
        let mut there = Vec::new();
        for number in 1..=7 {
            if machine(&**store, number).await.is_some() {
                there.push(number);
            }
        }
        there
    };
    let usage = async |number| store.usage(&account_id(number), 0).await.expect("usage").len();
    store.sweep(at(10 + 30 * DAY - 1)).await.expect("sweeps");
    assert_eq!(there().await, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!([usage(1).await, usage(2).await, usage(3).await], [301, 1, 1]);
    for _ in 0..2 {
        store.sweep(at(10 + 30 * DAY)).await.expect("sweeps");
        assert_eq!(there().await, [2, 6, 7]);
        assert_eq!([usage(1).await, usage(2).await, usage(3).await], [0, 1, 1]);
        assert_eq!(account(&**store, 1).await, None);
        assert!(account(&**store, 2).await.is_some());
        assert_eq!(store.credentials(&account_id(1)).await.expect("credentials"), []);
    }
    store.sweep(at(90 * DAY)).await.expect("sweeps");
    assert_eq!((there().await, usage(3).await), (vec![7], 1));
    store.sweep(at(91 * DAY)).await.expect("sweeps");
    assert_eq!((there().await, usage(3).await), (vec![7], 0));
    assert_eq!(store.head().await.expect("a head"), head.expect("a head"));
    assert_eq!(store.changes_since(0).await.expect("it"), changes.expect("it"));
}

// --- many at once

async fn one_of_two_changes_of_the_catalog_is_made(store: &Arc<dyn Store>) {
    for round in 0..8 {
        let version = catalog(&**store).await.version;
        assert_eq!(version, round);
        let makers: Vec<_> = (0..4)
            .map(|maker| {
                let store = Arc::clone(store);
                let id = format!("n-{round}-{maker}");
                let put = Change::PutNamespace(namespace(&id, "design", &id));
                let changes = vec![Change::NextCatalog(version), put];
                tokio::spawn(async move { make(&*store, changes).await })
            })
            .collect();
        let mut made = 0;
        for maker in makers {
            match maker.await.expect("no panic") {
                Ok(_) => made += 1,
                Err(clash) => assert_eq!(clash, Some(Clash::Catalog)),
            }
        }
        assert_eq!(made, 1);
        assert_eq!(catalog(&**store).await.namespaces.len() as u64, round + 1);
    }
}

async fn one_of_many_gets_a_user_id(store: &Arc<dyn Store>) {
    for round in 0..8 {
        let makers: Vec<_> = (0..6)
            .map(|maker| {
                let store = Arc::clone(store);
                let record = machine_account(round * 10 + maker, &format!("m{round}"));
                tokio::spawn(
                    async move { make(&*store, vec![Change::CreateAccount(record)]).await },
                )
            })
            .collect();
        let mut made = 0;
        for maker in makers {
            match maker.await.expect("no panic") {
                Ok(_) => made += 1,
                Err(clash) => assert_eq!(clash, Some(Clash::Taken)),
            }
        }
        assert_eq!(made, 1);
    }
}

async fn a_delete_beats_uses_and_credentials(store: &Arc<dyn Store>) {
    for round in 1..=12 {
        let record = created(&**store, machine_account(round, &format!("m{round}"))).await;
        added(&**store, credential(round, round)).await;
        let user = {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for seconds in 0..12 {
                    note(&*store, vec![used(round, round, seconds), used(1, 1, seconds)]).await;
                }
            })
        };
        let adder = {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let more = (0..8).map(|number| credential(1000 + round * 10 + number, round));
                let mut done = Vec::new();
                for record in more {
                    done.push(make(&*store, vec![Change::AddCredential(record)]).await.is_ok());
                }
                done
            })
        };
        tokio::time::sleep(Duration::from_millis(u64::from(round))).await;
        make(&**store, vec![Change::UpdateAccount(deleted(record, 60))]).await.expect("deletes");
        let left = store.credentials(&account_id(round)).await.expect("credentials").len();
        user.await.expect("noted");
        let added = adder.await.expect("no panic");
        // From one moment on none was added, and that moment is the deletion.
        assert!(added.is_sorted_by(|before, after| before >= after), "{added:?}");
        assert_eq!(added.iter().filter(|added| **added).count() + 1, left, "{added:?}");
        let gone = account(&**store, round).await.expect("it is there");
        assert_eq!((gone.deleted, gone.version), (Some(at(60)), 1));
        let usage = store.usage(&account_id(round), 0).await.expect("usage");
        note(&**store, vec![used(round, round, 500)]).await;
        assert_eq!(store.usage(&account_id(round), 0).await.expect("usage"), usage);
    }
}

// --- many

/// The longest that a list or a search may take; on a machine with much else to do, and without
/// optimisation, it is far from that otherwise.
const BOUND: Duration = Duration::from_millis(1500);

async fn ten_thousand_accounts(store: &Arc<dyn Store>) {
    for thousand in 0..10 {
        let changes = (thousand * 1000..(thousand + 1) * 1000).flat_map(|number| {
            let record = AccountRecord {
                namespace: namespace_id(&format!("n-{}", number % 50)),
                expires: (number % 3 == 0).then(|| at(i64::from(number) * 1000)),
                ..machine_account(number, &format!("machine-{number}"))
            };
            [Change::CreateAccount(record), Change::AddCredential(credential(number, number))]
        });
        make(&**store, changes.collect()).await.expect("made");
    }
    let namespaces: BTreeSet<NamespaceId> =
        (0..2000).map(|number| namespace_id(&format!("n-{number}"))).collect();
    let page = AccountQuery { limit: 50, ..AccountQuery::default() };
    let sorted = |key| vec![Sorted { key, descending: true }];
    let used = AccountQuery { sorted: sorted(SortKey::Used), ..page.clone() };
    let questions = [
        ("the first page", page.clone(), 10_000),
        ("by last use", used, 10_000),
        (
            "a later page",
            AccountQuery { offset: 9000, sorted: sorted(SortKey::User), ..page.clone() },
            10_000,
        ),
        ("a search", AccountQuery { text: "chine-77".to_owned(), ..page.clone() }, 111),
        ("a search for nothing", AccountQuery { text: "zzz".to_owned(), ..page.clone() }, 0),
        (
            "within namespaces",
            AccountQuery { namespaces: Some(namespaces.clone()), ..page.clone() },
            10_000,
        ),
        ("a filter", AccountQuery { filter: Some(Filter::Expired), ..page }, 3334),
    ];
    for (what, which, total) in questions {
        let begun = Instant::now();
        let found = store.accounts(&which, at(10_000_000)).await.expect("accounts");
        told(what, begun);
        assert_eq!(found.total, total, "{what}");
    }
    let begun = Instant::now();
    let tally = store.tally(Some(&namespaces), at(0)).await.expect("a tally");
    told("a tally", begun);
    assert_eq!(tally.all, 10_000);
    let begun = Instant::now();
    for number in 0..20 {
        assert!(machine(&**store, number * 499).await.is_some());
    }
    told("twenty machines", begun);
}

#[expect(clippy::print_stdout, reason = "figures for whoever asks with --nocapture")]
fn told(what: &str, begun: Instant) {
    let took = begun.elapsed();
    println!("{what}: {took:?}");
    assert!(took < BOUND, "{what}: {took:?}");
}
