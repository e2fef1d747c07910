//! Namespaces and roles: who changes them, and what nobody changes.

use crate::support::office::{self, Office, after, child, now, ns, unique, word};
use lictor::activity::Verb;
use lictor::admin::{
    Actor, Deletion, NamespaceEdit, NewNamespace, NewPolicy, NewRoute, PolicyEdit,
};
use lictor::catalog::RoutePath;
use lictor::id::NamespaceId;
use lictor::namespace::{LifetimeRules, MAX_DEPTH, Role, Subject};
use std::sync::Arc;
use std::time::Duration;

fn user(id: &str, role: Role) -> (Subject, Role) {
    (Subject::User(id.to_owned()), role)
}

fn renamed(name: &str) -> NamespaceEdit {
    NamespaceEdit { name: Some(name.to_owned()), ..NamespaceEdit::default() }
}

fn ruled(longest: Option<u64>, required: Option<bool>) -> NamespaceEdit {
    let longest = longest.map(Duration::from_secs);
    let lifetime = Some(LifetimeRules { longest, required });
    NamespaceEdit { lifetime, ..NamespaceEdit::default() }
}

/// A policy that lets everybody in.
pub fn policy(place: &NamespaceId, name: &str, enforced: bool) -> NewPolicy {
    NewPolicy {
        namespace: place.clone(),
        name: name.to_owned(),
        description: String::new(),
        explanation: String::new(),
        remediation: String::new(),
        text: "allow: {or: [{accept: true}]}".to_owned(),
        enforced,
        routes: [].into(),
        idempotency_key: None,
    }
}

pub fn route(place: &NamespaceId, id: &str, from: &str) -> NewRoute {
    NewRoute {
        id: id.to_owned(),
        namespace: place.clone(),
        description: String::new(),
        from: from.to_owned(),
        path: RoutePath::Any,
        pass_identity_headers: false,
        show_error_details: false,
        policies: Vec::new(),
        idempotency_key: None,
    }
}

#[tokio::test]
async fn managers_of_the_parent_make_namespaces_and_only_admins_rules() {
    let office = Office::staffed().await;
    let cases = [
        ("ada", "done", "done"),
        ("max", "done", "takes admin"),
        ("vera", "takes manager", "takes admin"),
    ];
    for (name, plain, with_rules) in cases {
        let by = office.actor(name);
        let new = child("web", &format!("of {name}"));
        assert_eq!(word(office.admin.create_namespace(&by, new.clone(), now()).await), plain);
        let lifetime = LifetimeRules { longest: None, required: Some(true) };
        let new = NewNamespace { lifetime, name: format!("rules of {name}"), ..new };
        assert_eq!(word(office.admin.create_namespace(&by, new, now()).await), with_rules);
    }
    assert!(office.was_noted(Verb::Create).await);
    let by = office.actor("max");
    for place in ["sales", "nowhere"] {
        let made = office.admin.create_namespace(&by, child(place, "X"), now()).await;
        assert_eq!(word(made), "no namespace");
    }
    let made = office.admin.create_namespace(&by, child("global", "X"), now()).await;
    assert_eq!(word(made), "no namespace");
}

#[tokio::test]
async fn names_of_siblings_differ_in_more_than_case() {
    let office = Office::staffed().await;
    let by = office.actor("root");
    let make = async |parent: &str, name: &str| {
        word(office.admin.create_namespace(&by, child(parent, name), now()).await)
    };
    for name in ["", " ", "a/b", "a\nb", "🦊", "a\u{202e}b", &"x".repeat(64)] {
        assert_eq!(make("design", name).await, "invalid name", "{name:?}");
    }
    assert_eq!(make("design", "WEB").await, "taken name", "one of the configuration");
    assert_eq!(make("design", "Süd").await, "done");
    assert_eq!(make("design", "SU\u{308}D").await, "taken name");
    assert_eq!(make("sales", "Süd").await, "done");
    let other = office.child("design", "Other").await;
    let renaming = office.admin.update_namespace(&by, &other, renamed("süd"), now()).await;
    assert_eq!(word(renaming), "taken name");
    let view = office.admin.update_namespace(&by, &other, renamed("OTHER"), now()).await;
    assert_eq!(view.expect("its own name").path, "Global / Design / OTHER");
}

#[tokio::test]
async fn the_tree_is_only_so_deep() {
    let office = Office::staffed().await;
    let by = office.actor("root");
    let mut place = ns("web");
    for depth in 4..=MAX_DEPTH {
        place = office.child(place.as_str(), &format!("d{depth}")).await;
    }
    let deeper = office.admin.create_namespace(&by, child(place.as_str(), "deeper"), now()).await;
    assert_eq!(word(deeper), "invalid parent_id");
    let lone = office.child("global", "Lone").await;
    let inner = office.child(lone.as_str(), "Inner").await;
    let moved = NamespaceEdit::moved(place.clone());
    let moving = office.admin.update_namespace(&by, &inner, moved, now()).await;
    assert_eq!(word(moving), "in use");
}

#[tokio::test]
async fn what_the_configuration_says_and_global_stay() {
    let office = Office::staffed().await;
    let by = office.actor("root");
    let update =
        async |id: &str, edit| word(office.admin.update_namespace(&by, &ns(id), edit, now()).await);
    assert_eq!(update("design", renamed("Other")).await, "refused");
    assert_eq!(update("design", NamespaceEdit::moved(ns("sales"))).await, "refused");
    assert_eq!(update("design", NamespaceEdit::default()).await, "done", "nothing to do");
    let delete = async |id: &str| {
        word(office.admin.delete_namespace(&by, &ns(id), Deletion::WithAll, now()).await)
    };
    assert_eq!(delete("sales").await, "refused");
    assert_eq!(delete("global").await, "refused");
    assert_eq!(update("global", renamed("World")).await, "invalid name");
    assert_eq!(update("global", NamespaceEdit::moved(ns("sales"))).await, "invalid parent_id");
    assert_eq!(update("global", ruled(None, Some(true))).await, "done");
    let created = office.admin.create_account(&by, unique("sales", "ci"), now()).await;
    assert_eq!(word(created), "invalid expires_at", "a rule of Global counts everywhere");
    assert_eq!(update("global", ruled(None, None)).await, "done", "a second change of it");
}

#[tokio::test]
async fn a_namespace_further_down_does_not_loosen_a_demand() {
    let office = Office::staffed().await;
    let by = office.actor("root");
    let outer = office.child("global", "Outer").await;
    let inner = office.child(outer.as_str(), "Inner").await;
    let update = async |id: &NamespaceId, edit| {
        word(office.admin.update_namespace(&by, id, edit, now()).await)
    };
    assert_eq!(update(&outer, ruled(None, Some(true))).await, "done");
    assert_eq!(update(&inner, ruled(None, Some(false))).await, "invalid require_expiry");
    assert_eq!(update(&inner, ruled(Some(0), None)).await, "invalid max_lifetime");
    assert_eq!(update(&inner, ruled(Some(3600), Some(true))).await, "done");
}

#[tokio::test]
async fn changes_name_the_version_they_are_based_on() {
    let office = Office::staffed().await;
    let by = office.actor("root");
    let id = office.child("design", "One").await;
    let version = office.admin.namespace(&by, &id).await.expect("seen").record.version;
    let edit = |name: &str| NamespaceEdit { expected: Some(version), ..renamed(name) };
    let view = office.admin.update_namespace(&by, &id, edit("Two"), now()).await.expect("changed");
    assert!(view.record.version > version);
    let late = office.admin.update_namespace(&by, &id, edit("Three"), now()).await;
    assert_eq!(word(late), "changed");
}

#[tokio::test]
async fn moving_makes_no_ring() {
    let office = Office::staffed().await;
    let by = office.actor("root");
    let outer = office.child("global", "Outer").await;
    let inner = office.child(outer.as_str(), "Inner").await;
    for below in [&outer, &inner] {
        let edit = NamespaceEdit::moved(below.clone());
        let moved = office.admin.update_namespace(&by, &outer, edit, now()).await;
        assert_eq!(word(moved), "in use");
    }
    let nowhere = NamespaceEdit::moved(ns("nowhere"));
    let moved = office.admin.update_namespace(&by, &inner, nowhere, now()).await;
    assert_eq!(word(moved), "no namespace");
}

#[tokio::test]
async fn moving_takes_managers_on_both_sides() {
    let office = Office::staffed().await;
    let id = office.child("design", "Web 2").await;
    let to_sales = || NamespaceEdit::moved(ns("sales"));
    let by = office.actor("max");
    let moved = office.admin.update_namespace(&by, &id, to_sales(), now()).await;
    assert_eq!(word(moved), "no namespace");
    office.give("u-max", "sales", Role::Viewer).await;
    let moved = office.admin.update_namespace(&by, &id, to_sales(), now()).await;
    assert_eq!(word(moved), "takes manager");
    office.give("u-max", "sales", Role::Manager).await;
    let preview = office.admin.preview_move(&by, &id, &ns("sales")).await;
    assert!(preview.expect("a preview").obstacles.is_empty());
    let view = office.admin.update_namespace(&by, &id, to_sales(), now()).await.expect("moved");
    assert_eq!(view.path, "Global / Sales / Web 2");
}

/// SECURITY: otherwise a manager would make an admin of themselves, by their own namespace.
#[tokio::test]
async fn nobody_moves_something_to_where_they_may_do_more() {
    let office = Office::staffed().await;
    let id = office.child("design", "Web 2").await;
    office.give("u-max", "sales", Role::Admin).await;
    let by = office.actor("max");
    let edit = NamespaceEdit::moved(ns("sales"));
    let moved = office.admin.update_namespace(&by, &id, edit, now()).await;
    assert_eq!(word(moved), "takes admin");
    let preview = office.admin.preview_move(&by, &id, &ns("sales")).await;
    assert!(!preview.expect("a preview").obstacles.is_empty());
}

#[tokio::test]
async fn only_admins_take_something_out_of_the_reach_of_rules() {
    let office = Office::staffed().await;
    let root = office.actor("root");
    for enforced in [true, false] {
        let outer = office.child("design", &format!("Outer {enforced}")).await;
        let inner = office.child(outer.as_str(), "Inner").await;
        if enforced {
            let new = policy(&outer, "guard", true);
            office.admin.create_policy(&root, new, now()).await.expect("made");
        } else {
            let rule = ruled(Some(86_400), None);
            office.admin.update_namespace(&root, &outer, rule, now()).await.expect("ruled");
        }
        let edit = || NamespaceEdit {
            name: Some(format!("Inner {enforced}")),
            ..NamespaceEdit::moved(ns("web"))
        };
        let by = office.actor("max");
        let moved = office.admin.update_namespace(&by, &inner, edit(), now()).await;
        assert_eq!(word(moved), "takes admin", "{enforced}");
        let by = office.actor("ada");
        assert_eq!(word(office.admin.update_namespace(&by, &inner, edit(), now()).await), "done");
    }
}

#[tokio::test]
async fn a_preview_tells_what_a_move_changes() {
    let office = Office::staffed().await;
    let root = office.actor("root");
    let outer = office.child("design", "Outer").await;
    let inner = office.child(outer.as_str(), "Inner").await;
    let other = office.child("sales", "Other").await;
    office.unique(outer.as_str(), "loses").await;
    office.unique(other.as_str(), "gains").await;
    for (place, name) in [(&outer, "old guard"), (&other, "new guard")] {
        office.admin.create_policy(&root, policy(place, name, true), now()).await.expect("made");
    }
    let optional = office.admin.create_policy(&root, policy(&outer, "given", false), now()).await;
    let given = vec![optional.expect("made").id];
    let new = NewRoute { policies: given, ..route(&inner, "in", "https://in.corp.test") };
    office.admin.create_route(&root, new, now()).await.expect("made");
    let preview = office.admin.preview_move(&root, &inner, &other).await;
    let preview = preview.expect("a preview");
    assert_eq!(preview.lose, [("Global / Design / Outer".to_owned(), 1)]);
    assert_eq!(preview.gain, [("Global / Sales / Other".to_owned(), 1)]);
    assert_eq!(
        (preview.enforced_lost, preview.enforced_gained),
        (vec!["old guard".to_owned()], vec!["new guard".to_owned()])
    );
    assert_eq!((preview.routes, preview.obstacles.len()), (1, 1));
    assert!(preview.obstacles[0].contains("`given`"), "{:?}", preview.obstacles);
    let edit = NamespaceEdit::moved(other.clone());
    let moved = office.admin.update_namespace(&root, &inner, edit.clone(), now()).await;
    assert_eq!(word(moved), "in use", "the route would lose a policy");
    let taken = lictor::admin::RouteEdit { policies: Some(Vec::new()), ..Default::default() };
    office.admin.update_route(&root, "in", taken, now()).await.expect("taken");
    assert_eq!(word(office.admin.update_namespace(&root, &inner, edit, now()).await), "done");
}

#[tokio::test]
async fn a_move_flips_who_reaches_what() {
    let office = Office::staffed().await;
    let root = office.actor("root");
    let place = office.child("design", "Movable").await;
    let new = NewPolicy { routes: [].into(), ..policy(&place, "all", false) };
    let all = office.admin.create_policy(&root, new, now()).await.expect("made");
    let new = NewRoute { policies: vec![all.id], ..route(&place, "mv", "https://mv.corp.test") };
    office.admin.create_route(&root, new, now()).await.expect("made");
    let (_, minted) = office.unique("design", "ci").await;
    assert_eq!(office.answer(&minted.token, "https://mv.corp.test/", now()).await, "allowed");
    let edit = NamespaceEdit::moved(ns("sales"));
    office.admin.update_namespace(&root, &place, edit, now()).await.expect("moved");
    let answer = office.answer(&minted.token, "https://mv.corp.test/", now()).await;
    assert_eq!(answer, "service-account-out-of-namespace");
}

#[tokio::test]
async fn a_namespace_in_use_goes_only_with_all_that_is_in_it() {
    let office = Office::staffed().await;
    let root = office.actor("root");
    let place = office.child("design", "Full").await;
    let inner = office.child(place.as_str(), "Inner").await;
    let delete =
        async |by: &Actor, how| word(office.admin.delete_namespace(by, &place, how, now()).await);
    assert_eq!(delete(&root, Deletion::OnlyIfFree).await, "in use", "a child");
    let (_, minted) = office.unique(inner.as_str(), "ci").await;
    let made =
        office.admin.create_policy(&root, policy(&ns("design"), "outer", false), now()).await;
    let outer = made.expect("made").id;
    let new =
        NewRoute { policies: vec![outer.clone()], ..route(&inner, "in", "https://in.corp.test") };
    office.admin.create_route(&root, new, now()).await.expect("made");
    office.admin.create_policy(&root, policy(&inner, "inner", true), now()).await.expect("made");
    office.give("u-ann", inner.as_str(), Role::Admin).await;
    assert_eq!(office.answer(&minted.token, "https://in.corp.test/", now()).await, "allowed");
    assert_eq!(delete(&office.actor("max"), Deletion::WithAll).await, "takes admin");
    assert_eq!(delete(&root, Deletion::WithAll).await, "done");
    let answer = office.answer(&minted.token, "https://in.corp.test/", now()).await;
    assert_eq!(answer, "route-not-found");
    let answer = office.answer(&minted.token, "https://site.corp.test/", now()).await;
    assert_eq!(answer, "service-account-deleted");
    let left = office.store.catalog().await.expect("a catalog");
    assert!(left.namespaces.is_empty() && left.routes.is_empty(), "{left:?}");
    assert_eq!(left.policies.len(), 1);
    assert!(left.policies[0].routes.is_empty(), "a later route of that id is another one");
    assert!(left.permissions.iter().all(|given| given.subject.id() != "u-ann"));
    let verbs: Vec<Verb> = office.entries().await.iter().map(|entry| entry.event.verb).collect();
    assert_eq!(verbs[..7].iter().filter(|verb| **verb == Verb::Delete).count(), 5, "{verbs:?}");
}

#[tokio::test]
async fn an_empty_namespace_is_deleted_by_managers_of_what_is_above() {
    let office = Office::staffed().await;
    let place = office.child("design", "Empty").await;
    office.give("u-ann", place.as_str(), Role::Manager).await;
    let delete = async |name: &str| {
        let by = office.actor(name);
        word(office.admin.delete_namespace(&by, &place, Deletion::OnlyIfFree, now()).await)
    };
    assert_eq!(delete("sam").await, "no namespace");
    assert_eq!(delete("vera").await, "takes manager");
    assert_eq!(delete("ann").await, "takes manager", "of itself alone");
    assert_eq!(delete("max").await, "in use", "a role");
    let given = office.admin.permissions(&office.actor("root"), &place).await.expect("roles");
    let id = &given.iter().find(|it| it.inherited_from.is_none()).expect("one").permission.id;
    office.admin.remove_permission(&office.actor("ada"), id, now()).await.expect("removed");
    assert_eq!(delete("max").await, "done");
    assert_eq!(delete("max").await, "no namespace");
}

#[tokio::test]
async fn what_is_seen_of_the_tree() {
    let office = Office::staffed().await;
    let deep = office.child("web", "Deep").await;
    office.give("u-ann", deep.as_str(), Role::Viewer).await;
    let seen = async |name: &str| {
        let views = office.admin.namespaces(&office.actor(name)).await.expect("views");
        let shown = views.iter().map(|view| {
            format!("{}{}", view.record.name, if view.role.is_some() { "" } else { "-" })
        });
        shown.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(seen("root").await, "Global Design Web Deep Sales");
    assert_eq!(seen("vera").await, "Global- Design Web Deep");
    assert_eq!(seen("ann").await, "Global- Design- Web- Deep");
    assert_eq!(seen("bob").await, "");
    let by = office.actor("ann");
    assert_eq!(word(office.admin.namespace(&by, &ns("web")).await), "no namespace");
    let view = office.admin.namespace(&by, &deep).await.expect("seen");
    assert_eq!(
        (view.role, view.role_from, view.depth),
        (Some(Role::Viewer), Some(deep.clone()), 3)
    );
    office.unique(deep.as_str(), "ci").await;
    let view = office.admin.namespace(&by, &deep).await.expect("seen");
    assert_eq!((view.accounts, view.routes, view.policies), (1, 0, 0));
    let resources = office.admin.resources(&by, &deep, now().now).await.expect("some");
    let kinds: Vec<_> = resources.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, ["permission", "service_account"]);
    assert_eq!(word(office.admin.resources(&by, &ns("web"), now().now).await), "no namespace");
}

#[tokio::test]
async fn the_same_key_makes_the_same_namespace_once() {
    let office = Office::staffed().await;
    let by = office.actor("max");
    let new = NewNamespace { idempotency_key: Some("k".to_owned()), ..child("design", "Once") };
    let one = office.admin.create_namespace(&by, new.clone(), now()).await.expect("made");
    let again = office.admin.create_namespace(&by, new.clone(), now()).await.expect("found");
    assert_eq!(one.record, again.record);
    assert!(uuid::Uuid::parse_str(one.record.id.as_str()).is_ok());
    let other = NewNamespace { name: "Other".to_owned(), ..new };
    let other = office.admin.create_namespace(&by, other, now()).await;
    assert_eq!(word(other), "taken idempotency_key");
}

#[tokio::test]
async fn admins_alone_give_roles_and_only_in_their_own_part() {
    let office = Office::staffed().await;
    let grant = async |by: &str, place: &str, role| {
        let by = office.actor(by);
        word(office.admin.grant(&by, &ns(place), user("u-ann", role), now()).await)
    };
    assert_eq!(grant("ada", "web", Role::Admin).await, "done");
    assert_eq!(grant("ada", "design", Role::Viewer).await, "done");
    assert_eq!(grant("ada", "global", Role::Viewer).await, "no namespace");
    assert_eq!(grant("ada", "sales", Role::Viewer).await, "no namespace");
    assert_eq!(grant("max", "design", Role::Viewer).await, "takes admin");
    assert!(office.was_noted(Verb::GrantRole).await);
    assert_eq!(grant("max", "web", Role::Manager).await, "takes admin");
    // By now ann is an admin of Web, and no more than a viewer of Design.
    assert_eq!(grant("ann", "web", Role::Viewer).await, "done");
    assert_eq!(grant("ann", "web", Role::Admin).await, "takes admin", "the last one was their own");
    office.give("u-vera", "global", Role::Viewer).await;
    office.give("u-vera", "web", Role::Admin).await;
    assert_eq!(grant("vera", "global", Role::Viewer).await, "takes admin");
}

#[tokio::test]
async fn giving_a_role_takes_a_fresh_sign_in_and_replaces_the_one_before() {
    let office = Office::staffed().await;
    let by = office.actor("ada");
    let late = office.admin.grant(&by, &ns("web"), user("u-ann", Role::Viewer), after(301)).await;
    assert_eq!(word(late), "not fresh");
    let first = office.admin.grant(&by, &ns("web"), user("u-ann", Role::Viewer), now()).await;
    let first = first.expect("given");
    let entries = office.entries().await.len();
    let same = office.admin.grant(&by, &ns("web"), user("u-ann", Role::Viewer), now()).await;
    assert_eq!((same.expect("given"), office.entries().await.len()), (first.clone(), entries));
    let more = office.admin.grant(&by, &ns("web"), user("u-ann", Role::Manager), now()).await;
    assert_eq!(more.expect("given").id, first.id);
    let views = office.admin.permissions(&by, &ns("web")).await.expect("roles");
    let told: Vec<_> = views
        .iter()
        .map(|view| {
            let from = view.inherited_from.as_deref().unwrap_or("here");
            (view.permission.subject.id(), view.permission.role.name(), from)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("u-ann", "manager", "here"),
            ("u-ada", "admin", "Global / Design"),
            ("u-max", "manager", "Global / Design"),
            ("u-vera", "viewer", "Global / Design"),
            ("u-gus", "admin", "Global"),
        ]
    );
    assert_eq!(views[0].name, "Name of ann");
    for id in ["", " ", "a b", &"x".repeat(256)] {
        let given = office.admin.grant(&by, &ns("web"), user(id, Role::Viewer), now()).await;
        assert_eq!(word(given), "invalid subject_id", "{id:?}");
    }
}

#[tokio::test]
async fn a_role_of_a_group_is_one_of_its_members() {
    let office = Office::staffed().await;
    let by = office.actor("bob");
    assert_eq!(word(office.admin.namespace(&by, &ns("web")).await), "no namespace");
    let group = (Subject::Group("g-eng".to_owned()), Role::Manager);
    office.admin.grant(&office.actor("ada"), &ns("web"), group, now()).await.expect("given");
    let view = office.admin.namespace(&by, &ns("web")).await.expect("seen");
    assert_eq!(view.role, Some(Role::Manager));
    let views = office.admin.permissions(&by, &ns("web")).await.expect("roles");
    assert_eq!(views[0].name, "Engineers");
}

#[tokio::test]
async fn roles_are_taken_by_admins_of_where_they_were_given() {
    let office = Office::staffed().await;
    let given = office.admin.permissions(&office.actor("root"), &ns("web")).await.expect("roles");
    let id = |name: &str| {
        let given = given.iter().find(|it| it.permission.subject.id() == name).expect(name);
        given.permission.id.clone()
    };
    let remove = async |by: &str, name: &str| {
        word(office.admin.remove_permission(&office.actor(by), &id(name), after(9999)).await)
    };
    assert_eq!(remove("ada", "u-gus").await, "no permission", "of an ancestor");
    assert_eq!(remove("max", "u-vera").await, "takes admin");
    assert_eq!(remove("sam", "u-vera").await, "no permission");
    assert_eq!(remove("ada", "u-vera").await, "done");
    assert_eq!(remove("ada", "u-vera").await, "no permission");
    assert_eq!(remove("ada", "u-ada").await, "done", "one's own");
    assert_eq!(remove("ada", "u-max").await, "no permission", "from then on");
}

#[tokio::test]
async fn the_last_admin_of_global_stays_one() {
    let config = office::CONFIG.replace("administrators: [Root@corp.test]\n", "");
    let office = Office::with(&config, office::people()).await;
    let by = Actor::bootstrap();
    let global = ns("global");
    let grant =
        async |name: &str, role| office.admin.grant(&by, &global, user(name, role), now()).await;
    let first = grant("u-gus", Role::Admin).await.expect("given");
    let remove = async |id: &_| word(office.admin.remove_permission(&by, id, now()).await);
    assert_eq!(remove(&first.id).await, "in use");
    assert_eq!(word(grant("u-gus", Role::Viewer).await), "in use", "nor is the role made less");
    let second = grant("u-ann", Role::Admin).await.expect("given");
    assert_eq!(remove(&first.id).await, "done");
    assert_eq!(remove(&second.id).await, "in use");
}

/// SECURITY: a right that was taken away elsewhere must not be used any more.
#[tokio::test]
async fn a_verb_that_was_judged_on_an_older_catalog_is_judged_again() {
    let office = Office::staffed().await;
    let other = Office::on(Arc::clone(&office.store), office::CONFIG, office::people()).await;
    let given = office.admin.permissions(&office.actor("root"), &ns("design")).await.expect("some");
    let of_max = given.iter().find(|it| it.permission.subject.id() == "u-max").expect("max");
    let id = &of_max.permission.id;
    office.admin.remove_permission(&office.actor("root"), id, now()).await.expect("removed");
    let by = other.actor("max");
    let seen = other.admin.namespace(&by, &ns("design")).await;
    assert_eq!(word(seen), "done", "nobody has told them yet");
    let made = other.admin.create_account(&by, unique("design", "ci"), now()).await;
    assert_eq!(word(made), "no namespace");
    let made = other.admin.create_namespace(&by, child("design", "X"), now()).await;
    assert_eq!(word(made), "no namespace");
}

#[tokio::test]
async fn of_many_who_change_the_catalog_at_once_each_succeeds() {
    let office = Arc::new(Office::staffed().await);
    let tasks: Vec<_> = (0..4)
        .map(|number| {
            let office = Arc::clone(&office);
            tokio::spawn(async move {
                let new = child("design", &format!("n{number}"));
                office.admin.create_namespace(&office.actor("max"), new, now()).await.is_ok()
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.expect("ends"));
    }
    let edit = PolicyEdit::default();
    assert_eq!(edit.expected, None);
}
