//! Policies and routes of the store: who makes them, where they count, and that they do at once.

use crate::admin_namespaces::{policy, route};
use crate::support::office::{self, CONFIG, Office, now, ns, people, word};
use lictor::activity::Verb;
use lictor::admin::{
    Actor, Deletion, NewPolicy, NewRoute, PolicyEdit, PolicyWanted, RouteEdit, RouteWanted,
};
use lictor::catalog::RoutePath;
use lictor::id::PolicyId;
use lictor::namespace::{Made, Role};
use lictor::state::State;
use std::sync::Arc;

const DENY_CI: &str = "deny: {or: [{user: ci@design.pomerium}]}";

fn id(text: &str) -> PolicyId {
    PolicyId::parse(text).expect("an id")
}

fn given(routes: &[&str]) -> std::collections::BTreeSet<String> {
    routes.iter().map(|route| (*route).to_owned()).collect()
}

#[tokio::test]
async fn what_does_not_compile_is_not_stored() {
    let office = Office::staffed().await;
    let by = office.actor("max");
    for text in
        ["allow: {or: [{nonsense: 1}]}", "{", "a: b", "allow: {or: [{http_path: {matches: '('}}]}"]
    {
        let new = NewPolicy { text: text.to_owned(), ..policy(&ns("design"), "p", false) };
        let made = office.admin.create_policy(&by, new, now()).await;
        assert!(word(made).starts_with("invalid policy"), "{text}");
        let problems = office.admin.check_policy(&by, text).await.expect("checked");
        assert!(!problems.is_empty(), "{text}");
    }
    let check = async |text| office.admin.check_policy(&by, text).await.expect("checked");
    let problems = check("allow:\n  or:\n  - nonsense: 1\n").await;
    assert_eq!((problems[0].place.line(), problems[0].place.source()), (Some(3), "policy"));
    assert!(check("allow: {or: [{accept: true}]}").await.is_empty());
    assert!(office.store.catalog().await.expect("a catalog").policies.is_empty());
}

#[tokio::test]
async fn a_policy_counts_at_once_where_it_is_given() {
    let office = Office::staffed().await;
    let (_, minted) = office.unique("design", "ci").await;
    let ask = async || office.answer(&minted.token, "https://site.corp.test/", now()).await;
    assert_eq!(ask().await, "allowed");
    let by = office.actor("max");
    let new = NewPolicy {
        text: DENY_CI.to_owned(),
        routes: given(&["site"]),
        ..policy(&ns("design"), "no ci", false)
    };
    let view = office.admin.create_policy(&by, new, now()).await.expect("made");
    assert_eq!(ask().await, "forbidden");
    assert_eq!((view.routes.clone(), view.made), (given(&["site"]), Made::Here));
    let edit = PolicyEdit { routes: Some(given(&[])), ..PolicyEdit::default() };
    office.admin.update_policy(&by, &id(&view.id), edit, now()).await.expect("changed");
    assert_eq!(ask().await, "allowed");
}

#[tokio::test]
async fn an_enforced_policy_counts_on_everything_below() {
    let office = Office::staffed().await;
    let (_, minted) = office.unique("design", "ci").await;
    let new = NewPolicy { text: DENY_CI.to_owned(), ..policy(&ns("design"), "no ci", true) };
    let view = office.admin.create_policy(&office.actor("ada"), new, now()).await.expect("made");
    assert_eq!(view.routes, given(&["site", "route-3"]));
    let answer = office.answer(&minted.token, "https://site.corp.test/", now()).await;
    assert_eq!(answer, "forbidden");
    let shown = office.admin.route(&office.actor("vera"), "site").await.expect("a route");
    assert!(shown.own_policy && shown.policies[0].enforced && shown.policies[0].id == view.id);
}

#[tokio::test]
async fn enforced_policies_are_a_matter_of_admins() {
    let office = Office::staffed().await;
    let (manager, admin) = (office.actor("max"), office.actor("ada"));
    let new = |enforced| policy(&ns("design"), if enforced { "hard" } else { "soft" }, enforced);
    let make =
        async |by: &Actor, enforced| office.admin.create_policy(by, new(enforced), now()).await;
    assert_eq!(word(make(&manager, true).await), "takes admin");
    assert!(office.was_noted(Verb::Create).await);
    let soft = make(&manager, false).await.expect("made");
    let hard = make(&admin, true).await.expect("made");
    let edit = |enforced, text: Option<&str>| PolicyEdit {
        enforced,
        text: text.map(str::to_owned),
        ..PolicyEdit::default()
    };
    let update = async |by: &Actor, policy: &str, edit| {
        word(office.admin.update_policy(by, &id(policy), edit, now()).await)
    };
    assert_eq!(update(&manager, &soft.id, edit(Some(true), None)).await, "takes admin");
    assert_eq!(update(&manager, &hard.id, edit(Some(false), None)).await, "takes admin");
    assert_eq!(update(&manager, &hard.id, edit(None, Some(DENY_CI))).await, "takes admin");
    let hard_id = id(&hard.id);
    let deleted = office.admin.delete_policy(&manager, &hard_id, Deletion::WithAll, now());
    assert_eq!(word(deleted.await), "takes admin");
    assert_eq!(update(&admin, &hard.id, edit(Some(false), None)).await, "done");
    assert_eq!(update(&manager, &hard.id, edit(None, Some(DENY_CI))).await, "done");
}

#[tokio::test]
async fn a_policy_is_given_to_routes_below_it_that_have_an_id() {
    let office = Office::staffed().await;
    let by = office.actor("max");
    let make = async |routes: &[&str]| {
        let new = NewPolicy { routes: given(routes), ..policy(&ns("design"), "p", false) };
        word(office.admin.create_policy(&by, new, now()).await)
    };
    assert_eq!(make(&["shop"]).await, "invalid routes", "of a sibling, as if it were not there");
    assert_eq!(make(&["nothing"]).await, "invalid routes");
    assert_eq!(make(&["route-3"]).await, "invalid routes", "its id may be another's tomorrow");
    assert_eq!(make(&["site"]).await, "done");
    // One further down is not for a route further up.
    let new = NewPolicy { routes: given(&["site"]), ..policy(&ns("web"), "p", false) };
    assert_eq!(word(office.admin.create_policy(&by, new, now()).await), "done");
    let deep = office.child("web", "Deep").await;
    let new = NewPolicy { routes: given(&["site"]), ..policy(&deep, "p", false) };
    assert_eq!(word(office.admin.create_policy(&by, new, now()).await), "invalid routes");
}

#[tokio::test]
async fn names_are_taken_in_one_namespace() {
    let office = Office::staffed().await;
    let by = office.actor("ada");
    let make = async |place: &str, name: &str| {
        word(office.admin.create_policy(&by, policy(&ns(place), name, false), now()).await)
    };
    assert_eq!(make("design", "Rule").await, "done");
    assert_eq!(make("design", "rULE").await, "taken name");
    assert_eq!(make("design", "People").await, "taken name", "one of the configuration");
    assert_eq!(make("web", "Rule").await, "done");
    for name in ["", " ", "a\nb", "a\u{202e}b", &"x".repeat(101)] {
        assert_eq!(make("design", name).await, "invalid name", "{name:?}");
    }
    assert_eq!(make("sales", "Rule").await, "no namespace");
}

#[tokio::test]
async fn a_policy_that_is_given_goes_only_with_a_word() {
    let office = Office::staffed().await;
    let by = office.actor("max");
    let new = NewPolicy { routes: given(&["site"]), ..policy(&ns("design"), "p", false) };
    let view = office.admin.create_policy(&by, new, now()).await.expect("made");
    let delete = async |by: &Actor, how| {
        word(office.admin.delete_policy(by, &id(&view.id), how, now()).await)
    };
    assert_eq!(delete(&office.actor("sam"), Deletion::WithAll).await, "no policy");
    assert_eq!(delete(&office.actor("vera"), Deletion::WithAll).await, "takes manager");
    assert_eq!(delete(&by, Deletion::OnlyIfFree).await, "in use");
    assert_eq!(delete(&by, Deletion::WithAll).await, "done");
    assert_eq!(delete(&by, Deletion::WithAll).await, "no policy");
    let shown = office.admin.route(&by, "site").await.expect("a route");
    assert!(shown.policies.is_empty());
}

#[tokio::test]
async fn what_is_seen_of_policies() {
    let office = Office::staffed().await;
    let root = office.actor("root");
    let make = async |place: &str, name: &str, enforced| {
        let new = policy(&ns(place), name, enforced);
        office.admin.create_policy(&root, new, now()).await.expect("made").id
    };
    let of_global = make("global", "g", true).await;
    let usable = make("global", "u", false).await;
    let of_design = make("design", "d", false).await;
    make("sales", "s", false).await;
    let list = async |by: &str, which: PolicyWanted| {
        let views = office.admin.policies(&office.actor(by), &which).await.expect("views");
        views.iter().map(|view| view.name.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(list("root", PolicyWanted::default()).await, "g u d people s");
    assert_eq!(list("vera", PolicyWanted::default()).await, "d people");
    let usable_in = PolicyWanted { usable_in: Some(ns("web")), ..PolicyWanted::default() };
    assert_eq!(list("vera", usable_in.clone()).await, "g u d");
    let views = office.admin.policies(&office.actor("vera"), &usable_in).await.expect("views");
    assert!(
        views[0].text.is_empty() && !views[2].text.is_empty(),
        "who may use it need not read it"
    );
    let seen = async |by: &str, id: &str| word(office.admin.policy(&office.actor(by), id).await);
    assert_eq!(seen("vera", &of_global).await, "done", "it counts on a route of theirs");
    assert_eq!(seen("vera", &usable).await, "no policy");
    assert_eq!(seen("sam", &of_design).await, "no policy");
    assert_eq!(seen("vera", "people").await, "done");
    assert_eq!(seen("sam", "people").await, "no policy");
    let sought = PolicyWanted { text: "PEOP".to_owned(), ..PolicyWanted::default() };
    assert_eq!(list("root", sought).await, "people");
}

#[tokio::test]
async fn changes_of_policies_name_the_version_they_are_based_on() {
    let office = Office::staffed().await;
    let by = office.actor("max");
    let view = office.admin.create_policy(&by, policy(&ns("design"), "p", false), now()).await;
    let view = view.expect("made");
    let edit = |text: &str| PolicyEdit {
        description: Some(text.to_owned()),
        expected: Some(view.version),
        ..PolicyEdit::default()
    };
    let changed = office.admin.update_policy(&by, &id(&view.id), edit("a"), now()).await;
    let changed = changed.expect("changed");
    assert_eq!(
        (changed.description.as_str(), changed.modified_by.as_str()),
        ("a", "max@corp.test")
    );
    let late = office.admin.update_policy(&by, &id(&view.id), edit("b"), now()).await;
    assert_eq!(word(late), "changed");
}

#[tokio::test]
async fn the_same_key_makes_the_same_policy_and_route_once() {
    let office = Office::staffed().await;
    let by = office.actor("max");
    let key = || Some("k".to_owned());
    let new = NewPolicy { idempotency_key: key(), ..policy(&ns("design"), "p", false) };
    let one = office.admin.create_policy(&by, new.clone(), now()).await.expect("made");
    let again = office.admin.create_policy(&by, new.clone(), now()).await.expect("found");
    assert_eq!(one.id, again.id);
    let other = NewPolicy { name: "q".to_owned(), ..new };
    let other = office.admin.create_policy(&by, other, now()).await;
    assert_eq!(word(other), "taken idempotency_key");
    for own in ["", "api"] {
        let from = format!("https://x{own}.corp.test");
        let key = Some(format!("k{own}"));
        let new = NewRoute { idempotency_key: key, ..route(&ns("web"), own, &from) };
        let one = office.admin.create_route(&by, new.clone(), now()).await.expect("made");
        let again = office.admin.create_route(&by, new.clone(), now()).await.expect("found");
        assert_eq!(one.id, again.id);
        let other = NewRoute { description: "other".to_owned(), ..new };
        let other = word(office.admin.create_route(&by, other, now()).await);
        assert!(other.starts_with("taken"), "{other}");
    }
}

#[tokio::test]
async fn managers_make_routes_that_refuse_until_a_policy_is_given() {
    let office = Office::staffed().await;
    let (_, minted) = office.unique("design", "ci").await;
    let by = office.actor("max");
    let url = "https://new.corp.test/";
    assert_eq!(office.answer(&minted.token, url, now()).await, "route-not-found");
    let new = route(&ns("web"), "new", "https://new.corp.test");
    assert_eq!(
        word(office.admin.create_route(&office.actor("vera"), new.clone(), now()).await),
        "takes manager"
    );
    assert_eq!(
        word(office.admin.create_route(&office.actor("sam"), new.clone(), now()).await),
        "no namespace"
    );
    let view = office.admin.create_route(&by, new, now()).await.expect("made");
    assert_eq!(
        (view.from.as_str(), view.path.as_str(), view.made),
        ("https://new.corp.test", "", Made::Here)
    );
    assert_eq!(office.answer(&minted.token, url, now()).await, "forbidden");
    let all = office.admin.create_policy(&by, policy(&ns("design"), "all", false), now()).await;
    let edit = RouteEdit { policies: Some(vec![all.expect("made").id]), ..RouteEdit::default() };
    office.admin.update_route(&by, "new", edit, now()).await.expect("given");
    assert_eq!(office.answer(&minted.token, url, now()).await, "allowed");
    office.admin.delete_route(&by, "new", None, now()).await.expect("deleted");
    assert_eq!(office.answer(&minted.token, url, now()).await, "route-not-found");
    let left = office.store.catalog().await.expect("a catalog").policies;
    assert!(left[0].routes.is_empty(), "a later route of that id is another one");
}

#[tokio::test]
async fn a_route_that_one_of_the_file_hides_can_be_deleted() {
    let office = Office::staffed().await;
    let root = office.actor("root");
    let by = office.actor("max");
    let new = route(&ns("web"), "new", "https://new.corp.test");
    office.admin.create_route(&by, new, now()).await.expect("made");
    let in_file = "- {id: new, from: https://other.corp.test, namespace: sales}\n";
    let config = format!("{CONFIG}{in_file}");
    let later = Office::on(Arc::clone(&office.store), &config, people()).await;
    let all = later.admin.create_policy(&root, policy(&ns("global"), "all", false), now()).await;
    let edit = RouteEdit { policies: Some(vec![all.expect("made").id]), ..RouteEdit::default() };
    later.admin.update_route(&root, "new", edit, now()).await.expect("given to that of the file");
    let delete = async |by: &Actor, expected| {
        word(later.admin.delete_route(by, "new", expected, now()).await)
    };
    assert_eq!(delete(&office.actor("sam"), None).await, "refused", "they see that of the file");
    assert_eq!(delete(&by, Some(7)).await, "changed");
    assert_eq!(delete(&by, None).await, "done");
    let left = later.store.catalog().await.expect("a catalog");
    assert!(left.routes.is_empty());
    assert!(left.policies[0].routes.contains("new"), "that of the file keeps what it was given");
    assert_eq!(delete(&by, None).await, "no route", "what is left is in another namespace");
    assert_eq!(delete(&root, None).await, "refused", "and in the file");
}

#[tokio::test]
async fn what_is_no_route() {
    let office = Office::staffed().await;
    let by = office.actor("max");
    let make = async |id: &str, from: &str, path: RoutePath| {
        let new = NewRoute { path, ..route(&ns("web"), id, from) };
        word(office.admin.create_route(&by, new, now()).await)
    };
    let any = || RoutePath::Any;
    for from in [
        "",
        "x",
        "https://",
        "https://a/b",
        "ftp://a",
        "https://a b",
        "tcp+https://a:22",
        "ssh://a",
    ] {
        assert_eq!(make("x", from, any()).await, "invalid from", "{from:?}");
    }
    let good = "https://good.corp.test";
    for path in [
        RoutePath::Exact("x".into()),
        RoutePath::Regex("(".into()),
        RoutePath::SeparatedPrefix("/a/".into()),
    ] {
        assert_eq!(make("x", good, path).await, "invalid path");
    }
    for id in ["A", "a b", "-a", "a/b", "ä", &"x".repeat(64), "route-7"] {
        assert_eq!(make(id, good, any()).await, "invalid id", "{id:?}");
    }
    assert_eq!(make("site", good, any()).await, "taken id", "one of the configuration");
    assert_eq!(make("shop", good, any()).await, "taken id");
    assert_eq!(make("good", good, any()).await, "done");
    assert_eq!(make("good", "https://other.corp.test", any()).await, "taken id");
    let policies = vec![format!("pol_{}", "0".repeat(32))];
    let new = NewRoute { policies, ..route(&ns("web"), "x", "https://x.corp.test") };
    assert_eq!(word(office.admin.create_route(&by, new, now()).await), "invalid policies");
}

/// SECURITY: whoever serves a host decides who gets at what is behind it.
#[tokio::test]
async fn a_host_that_others_serve_takes_their_managers() {
    let office = Office::staffed().await;
    let by = office.actor("max");
    let make = async |by: &Actor, id: &str, from: &str, path: &str| {
        let path = RoutePath::Prefix(path.to_owned());
        let new = NewRoute { path, ..route(&ns("web"), id, from) };
        word(office.admin.create_route(by, new, now()).await)
    };
    let theirs = [
        "https://shop.corp.test",
        "https://SHOP.corp.test:8443",
        "http://shop.corp.test",
        "https://shop.*",
        "https://sh*",
    ];
    for from in theirs {
        assert_eq!(make(&by, "x", from, "/own").await, "refused", "{from}");
    }
    assert!(office.was_noted(Verb::Create).await);
    assert_eq!(make(&by, "own", "https://site.corp.test", "/own").await, "done", "their own host");
    assert_eq!(make(&by, "x", "https://*.web.test", "/").await, "done");
    let edit =
        RouteEdit { from: Some("https://shop.corp.test".to_owned()), ..RouteEdit::default() };
    assert_eq!(word(office.admin.update_route(&by, "own", edit.clone(), now()).await), "refused");
    office.give("u-max", "sales", Role::Manager).await;
    assert_eq!(word(office.admin.update_route(&by, "own", edit, now()).await), "done");
    // An exact host would take precedence over somebody else's pattern.
    let root = office.actor("root");
    let wide = route(&ns("sales"), "wide", "https://*.wide.test");
    office.admin.create_route(&root, wide, now()).await.expect("made");
    let ada = office.actor("ada");
    assert_eq!(make(&ada, "y", "https://a.wide.test", "/").await, "refused");
}

#[tokio::test]
async fn nobody_serves_the_host_where_people_sign_in() {
    let office = Office::staffed().await;
    let root = office.actor("root");
    let exact = route(&ns("web"), "x", "https://auth.corp.test");
    assert_eq!(word(office.admin.create_route(&root, exact, now()).await), "refused");
    let wide = route(&ns("web"), "x", "https://auth.*.test");
    assert_eq!(
        word(office.admin.create_route(&office.actor("max"), wide.clone(), now()).await),
        "takes manager"
    );
    assert_eq!(word(office.admin.create_route(&root, wide, now()).await), "done");
}

#[tokio::test]
async fn routes_of_the_configuration_only_get_policies() {
    let office = Office::staffed().await;
    let by = office.actor("max");
    let p = office.admin.create_policy(&by, policy(&ns("design"), "p", false), now()).await;
    let p = p.expect("made").id;
    let edit = |policies: &[&str]| RouteEdit {
        policies: Some(policies.iter().map(|id| (*id).to_owned()).collect()),
        ..RouteEdit::default()
    };
    let update = async |id: &str, edit| word(office.admin.update_route(&by, id, edit, now()).await);
    assert_eq!(update("site", edit(&[&p])).await, "done");
    let view = office.admin.route(&by, "site").await.expect("a route");
    assert_eq!(view.policies.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), [p.as_str()]);
    assert_eq!(update("site", edit(&[&p])).await, "done", "nothing to do");
    assert_eq!(update("site", edit(&[])).await, "done");
    assert_eq!(update("route-3", edit(&[&p])).await, "invalid policies", "it has no id of its own");
    let other = RouteEdit { description: Some("x".to_owned()), ..RouteEdit::default() };
    assert_eq!(update("site", other).await, "refused");
    assert_eq!(update("shop", edit(&[])).await, "no route");
    assert_eq!(word(office.admin.delete_route(&by, "site", None, now()).await), "refused");
    assert_eq!(word(office.admin.delete_route(&by, "shop", None, now()).await), "no route");
    assert_eq!(word(office.admin.delete_route(&by, "nothing", None, now()).await), "no route");
}

#[tokio::test]
async fn a_route_moves_only_with_its_policies_and_within_the_rules() {
    let office = Office::staffed().await;
    let root = office.actor("root");
    let outer = office.child("design", "Outer").await;
    let made = office.admin.create_policy(&root, policy(&outer, "own", false), now()).await;
    let own = made.expect("made").id;
    let new = NewRoute { policies: vec![own], ..route(&outer, "mv", "https://mv.corp.test") };
    office.admin.create_route(&root, new, now()).await.expect("made");
    let by = office.actor("max");
    let to = |place: &str, policies: Option<Vec<String>>| RouteEdit {
        namespace: Some(ns(place)),
        policies,
        ..RouteEdit::default()
    };
    let update =
        async |by: &Actor, edit| word(office.admin.update_route(by, "mv", edit, now()).await);
    assert_eq!(update(&by, to("sales", None)).await, "no namespace");
    assert_eq!(update(&by, to("web", None)).await, "in use", "its policy is not to be had there");
    let guard = policy(&outer, "guard", true);
    office.admin.create_policy(&root, guard, now()).await.expect("made");
    assert_eq!(update(&by, to("web", Some(Vec::new()))).await, "takes admin");
    assert_eq!(update(&office.actor("ada"), to("web", Some(Vec::new()))).await, "done");
    let view = office.admin.route(&by, "mv").await.expect("a route");
    assert_eq!((view.namespace, view.policies.len()), (ns("web"), 0));
}

#[tokio::test]
async fn what_is_seen_of_routes() {
    let office = Office::staffed().await;
    let root = office.actor("root");
    let new = NewRoute {
        path: RoutePath::Prefix("/api/".to_owned()),
        description: "The interface".to_owned(),
        ..route(&ns("web"), "api", "https://site.corp.test")
    };
    office.admin.create_route(&root, new, now()).await.expect("made");
    let list = async |by: &str, namespace: Option<&str>, recursive, text: &str| {
        let text = text.to_owned();
        let which =
            RouteWanted { namespace: namespace.map(ns), recursive, text, ..RouteWanted::default() };
        let (views, _) = office.admin.routes(&office.actor(by), &which).await.expect("views");
        views.iter().map(|view| view.id.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(list("root", None, false, "").await, "site shop route-3 api");
    assert_eq!(list("vera", None, false, "").await, "site route-3 api");
    assert_eq!(list("sam", None, false, "").await, "shop");
    assert_eq!(list("vera", Some("design"), false, "").await, "route-3");
    assert_eq!(list("vera", Some("design"), true, "interface").await, "api");
    let view = office.admin.route(&office.actor("vera"), "api").await.expect("a route");
    assert_eq!((view.path.as_str(), view.overlaps.join(" ").as_str()), ("prefix: /api/", "site"));
    assert_eq!(word(office.admin.route(&office.actor("vera"), "shop").await), "no route");
    assert_eq!(word(office.admin.route(&office.actor("sam"), "api").await), "no route");
}

#[tokio::test]
async fn versions_of_routes() {
    let office = Office::staffed().await;
    let by = office.actor("max");
    let view = office.admin.create_route(&by, route(&ns("web"), "v", "https://v.corp.test"), now());
    let view = view.await.expect("made");
    let edit = |text: &str| RouteEdit {
        description: Some(text.to_owned()),
        expected: Some(view.version),
        ..RouteEdit::default()
    };
    assert_eq!(word(office.admin.update_route(&by, "v", edit("a"), now()).await), "done");
    assert_eq!(word(office.admin.update_route(&by, "v", edit("b"), now()).await), "changed");
}

/// A policy that compiled yesterday may not tomorrow, by another configuration.
#[tokio::test]
async fn what_does_not_compile_any_more_is_told_and_refuses_everybody() {
    let office = Office::staffed().await;
    let (_, minted) = office.unique("design", "ci").await;
    let by = office.actor("max");
    let text = "allow: {or: [{service_account: true}]}".to_owned();
    let new = NewPolicy { text, routes: given(&["site"]), ..policy(&ns("design"), "p", false) };
    let made = office.admin.create_policy(&by, new, now()).await.expect("made");
    assert_eq!(office.answer(&minted.token, "https://site.corp.test/", now()).await, "allowed");
    let strict = office::CONFIG.replace("namespace: design, allow", "allow");
    let strict = format!("strict_pomerium: true\n{strict}");
    let snapshot = std::panic::catch_unwind(|| {
        crate::support::config::snapshot_with(&strict, office::people())
    });
    let Ok(snapshot) = snapshot else { return };
    State::replace(&office.state, snapshot);
    let view = office.admin.policy(&office.actor("root"), &made.id).await.expect("seen");
    assert!(!view.broken.is_empty());
    assert_eq!(office.answer(&minted.token, "https://site.corp.test/", now()).await, "forbidden");
    let overview = office.admin.overview(&office.actor("root"), &ns("global"), now().now).await;
    assert_eq!(overview.expect("a view").broken_policies, ["p"]);
}
