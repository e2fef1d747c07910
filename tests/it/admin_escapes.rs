//! Ways to more than one has: over routes, policies, names and what is told. Each is tried, and refused.

use crate::admin_namespaces::{policy, route};
use crate::support::office::{Office, after, now, ns, people, word};
use lictor::activity::{Outcome, Verb};
use lictor::admin::{
    Actor, NamespaceEdit, NewAccount, NewKind, Principal, RouteEdit, RouteWanted, Supposed,
};
use lictor::catalog::RoutePath;
use lictor::namespace::{LifetimeRules, Role, Subject};
use lictor::store::ActivityQuery;

/// Somebody who is a manager in Sales and an admin in Design.
async fn both(office: &Office) -> Actor {
    office.give("u-sam", "design", Role::Admin).await;
    office.actor("sam")
}

#[tokio::test]
async fn a_route_is_not_taken_to_where_one_may_do_more() {
    let office = Office::staffed().await;
    let by = both(&office).await;
    let new = route(&ns("sales"), "crm", "https://crm.corp.test");
    office.admin.create_route(&by, new, now()).await.expect("made");
    let edit = RouteEdit { namespace: Some(ns("design")), ..RouteEdit::default() };
    assert_eq!(
        word(office.admin.update_route(&by, "crm", edit.clone(), now()).await),
        "takes admin"
    );
    // Nor by another one on the same host, which would be tried first.
    let over = route(&ns("design"), "over", "https://crm.corp.test");
    let over = lictor::admin::NewRoute { path: RoutePath::Exact("/".to_owned()), ..over };
    assert_eq!(word(office.admin.create_route(&by, over.clone(), now()).await), "refused");
    let root = office.actor("root");
    office.admin.create_route(&root, over, now()).await.expect("an admin of both may");
    office.admin.update_route(&root, "crm", edit, now()).await.expect("an admin of both may");
}

#[tokio::test]
async fn a_host_does_not_escape_the_enforced_policies_of_its_namespace() {
    let office = Office::staffed().await;
    let (root, max) = (office.actor("root"), office.actor("max"));
    let enforced = policy(&ns("web"), "closed", true);
    office.admin.create_policy(&root, enforced, now()).await.expect("made");
    let over = route(&ns("design"), "over", "https://site.corp.test");
    assert_eq!(word(office.admin.create_route(&max, over.clone(), now()).await), "takes admin");
    let beside = route(&ns("web"), "beside", "https://site.corp.test");
    office.admin.create_route(&max, beside, now()).await.expect("there they count on it too");
    let edit = RouteEdit { namespace: Some(ns("design")), ..RouteEdit::default() };
    assert_eq!(word(office.admin.update_route(&max, "beside", edit, now()).await), "takes admin");
    office.admin.create_route(&office.actor("ada"), over, now()).await.expect("an admin may");
}

#[tokio::test]
async fn a_route_whose_namespace_is_not_there_refuses_everybody() {
    let config = "
authenticate_service_url: https://auth.corp.test
administrators: [root@corp.test]
bootstrap_token: bootstrap-secret-of-forty-characters-000
routes:
- {id: lost, from: https://lost.corp.test, namespace: 5f0c7d2e-3a51-4c8e-9b7d-2f1e6a9c8d01, allow_public_unauthenticated_access: true}
- {id: open, from: https://open.corp.test, allow_public_unauthenticated_access: true}
";
    let office = Office::with(config, people()).await;
    assert_eq!(
        office
            .answer(&lictor::secret::Secret::new(String::new()), "https://open.corp.test/", now())
            .await,
        "allowed"
    );
    assert_ne!(
        office
            .answer(&lictor::secret::Secret::new(String::new()), "https://lost.corp.test/", now())
            .await,
        "allowed"
    );
    let snapshot = office.state.snapshot();
    let why = snapshot.catalog.broken.get("lost").expect("a word");
    assert!(why.contains("is not there"), "{why}");
}

#[tokio::test]
async fn policies_that_take_long_to_read_are_refused_soon() {
    let office = Office::staffed().await;
    let (max, nobody) = (office.actor("max"), office.actor("bob"));
    let check = async |by: &Actor, text: &str| office.admin.check_policy(by, text).await;
    assert_eq!(word(check(&nobody, "allow: {or: [{accept: true}]}").await), "takes manager");
    assert_eq!(word(check(&office.actor("vera"), "{}").await), "takes manager");
    let begun = std::time::Instant::now();
    let long = format!("# {}\n", "x".repeat(300 * 1024));
    assert_eq!(check(&max, &long).await.expect("checked").len(), 1);
    let list = format!("a: &a [{}]\n", "1,".repeat(200));
    let many = (0..200).map(|_| "- *a\n".to_owned()).collect::<String>();
    let aliases = format!("{list}b:\n{many}");
    assert_eq!(check(&max, &aliases).await.expect("checked").len(), 1);
    let wrong = "  - nonsense: 1\n".repeat(5000);
    let problems = check(&max, &format!("allow:\n  or:\n{wrong}")).await.expect("checked");
    assert_eq!(problems.len(), 100);
    let tables = |number| format!("  - http_path: {{matches: '(a|b)*a(a|b){{13}}x{number}'}}\n");
    let tables: String = (0..500).map(tables).collect();
    let problems = check(&max, &format!("allow:\n  or:\n{tables}")).await.expect("checked");
    assert!(problems.iter().any(|it| it.message.contains("together")), "{:?}", problems.first());
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn who_goes_on_being_refused_does_not_fill_the_log() {
    let office = Office::staffed().await;
    let by = office.actor("vera");
    for number in 0..100 {
        let refused = office.admin.block(&by, &format!("u-{number}"), "", now()).await;
        assert_eq!(word(refused), "takes admin");
    }
    let count = async || {
        let verb = Some(Verb::AdministrationRefused);
        let which = ActivityQuery { verb, limit: 200, ..ActivityQuery::default() };
        let entries = office.store.activity(&which).await.expect("a log");
        assert!(entries.iter().all(|entry| {
            entry.event.deed.as_ref().is_some_and(|deed| deed.outcome == Outcome::Denied)
        }));
        entries.len()
    };
    let first = count().await;
    assert!((3..10).contains(&first), "{first}");
    office.admin.block(&by, "u-x", "", after(24 * 3600)).await.expect_err("refused");
    assert_eq!(count().await, first + 1, "another day");
}

#[tokio::test]
async fn a_preview_and_a_simulation_tell_nothing_of_what_is_not_seen() {
    let office = Office::staffed().await;
    let root = office.actor("root");
    let inner = office.child("web", "Inner").await;
    office.give("u-vera", "web", Role::Viewer).await;
    office.give("u-gus", "sales", Role::Viewer).await;
    // A manager of one namespace and of another tree, and of nothing above either.
    office.give("u-bob", inner.as_str(), Role::Manager).await;
    office.give("u-bob", "sales", Role::Manager).await;
    let bob = office.actor("bob");
    let secret = policy(&ns("design"), "secret rule", true);
    let text = "deny: {or: [{user: {is: u-hidden}}]}".to_owned();
    let secret = lictor::admin::NewPolicy { text, ..secret };
    office.admin.create_policy(&root, secret, now()).await.expect("made");
    office.unique("design", "hidden").await;
    let told = office.admin.preview_move(&bob, &inner, &ns("sales")).await;
    let told = told.expect("a preview");
    assert!(told.lose.is_empty() && told.enforced_lost.is_empty(), "{told:?}");
    assert!(!told.obstacles.is_empty(), "they may not move it");
    // Of a policy further up it is only told that there is one.
    let new = route(&inner, "inner", "https://inner.corp.test");
    office.admin.create_route(&root, new, now()).await.expect("made");
    let supposed = || Supposed {
        principal: Principal::Anonymous,
        method: "GET".to_owned(),
        url: "https://inner.corp.test/".to_owned(),
        headers: Vec::new(),
        source_ip: None,
        time: None,
        groups: None,
    };
    let seen = office.admin.simulate(&bob, supposed(), now().now).await.expect("an answer");
    let all = format!("{seen:?}");
    assert!(all.contains("secret rule"), "{all}");
    assert!(!all.contains("u-hidden"), "{all}");
    let seen = office.admin.simulate(&root, supposed(), now().now).await.expect("an answer");
    assert!(format!("{seen:?}").contains("u-hidden"));
}

#[tokio::test]
async fn what_is_demanded_above_is_not_undone_below() {
    let office = Office::staffed().await;
    let root = office.actor("root");
    let ruled = |required| NamespaceEdit {
        lifetime: Some(LifetimeRules { longest: None, required: Some(required) }),
        ..NamespaceEdit::default()
    };
    let inner = office.child("design", "Inner").await;
    let outer = office.child("design", "Outer").await;
    let edit = async |id, edit| word(office.admin.update_namespace(&root, id, edit, now()).await);
    assert_eq!(edit(&inner, ruled(false)).await, "done");
    assert_eq!(edit(&outer, ruled(true)).await, "done");
    assert_eq!(edit(&inner, NamespaceEdit::moved(outer.clone())).await, "done");
    let new = NewAccount {
        namespace: inner,
        kind: NewKind::Unique { name: "eternal".to_owned() },
        description: String::new(),
        expires: None,
        originator: String::new(),
        idempotency_key: None,
    };
    assert_eq!(word(office.admin.create_account(&root, new, now()).await), "invalid expires_at");
}

#[tokio::test]
async fn whoever_is_made_an_administrator_turns_the_bootstrap_secret_off_by_acting() {
    let office = Office::open().await;
    let given = (Subject::User("u-gus".to_owned()), Role::Admin);
    office.admin.grant(&Actor::terminal(), &ns("global"), given, now()).await.expect("given");
    let open = || office.state.snapshot().catalog.stored.bootstrap_closed.is_none();
    assert!(open(), "the terminal is nobody in person");
    let given = (Subject::User("u-vera".to_owned()), Role::Viewer);
    let gus = office.actor("gus");
    office.admin.grant(&gus, &ns("sales"), given, now()).await.expect("given");
    assert!(!open());
}

#[tokio::test]
async fn a_route_is_another_one_with_other_policies() {
    let office = Office::staffed().await;
    let root = office.actor("root");
    let new = route(&ns("web"), "new", "https://new.corp.test");
    let seen = office.admin.create_route(&root, new, now()).await.expect("made").version;
    let deny = lictor::admin::NewPolicy {
        routes: ["new".to_owned()].into(),
        ..policy(&ns("web"), "deny", false)
    };
    office.admin.create_policy(&root, deny, now()).await.expect("made");
    let none =
        RouteEdit { policies: Some(Vec::new()), expected: Some(seen), ..RouteEdit::default() };
    let edited = office.admin.update_route(&root, "new", none.clone(), now()).await;
    assert_eq!(word(edited), "changed", "it would take away what was given meanwhile");
    let seen = office.admin.route(&root, "new").await.expect("a route").version;
    let none = RouteEdit { expected: Some(seen), ..none };
    assert_eq!(word(office.admin.update_route(&root, "new", none, now()).await), "done");
    // One of the file has no version to name.
    let none = RouteEdit { policies: Some(Vec::new()), expected: Some(99), ..RouteEdit::default() };
    assert_eq!(word(office.admin.update_route(&root, "site", none, now()).await), "changed");
}

#[tokio::test]
async fn a_list_of_routes_comes_in_parts() {
    let office = Office::staffed().await;
    let root = office.actor("root");
    let part = async |offset, limit| {
        let which = RouteWanted { recursive: true, offset, limit, ..RouteWanted::default() };
        let (views, total) = office.admin.routes(&root, &which).await.expect("views");
        (views.len(), total)
    };
    assert_eq!(part(0, 0).await, (3, 3));
    assert_eq!(part(1, 1).await, (1, 3));
    assert_eq!(part(2, 5).await, (1, 3));
    assert_eq!(part(9, 5).await, (0, 3));
}
