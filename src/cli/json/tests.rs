//! Every object is what the admin API answers: read as its message and written again, it is the same.

use super::{
    account, credential, day, destination, detail, entry, given, mention, merged, namespace,
    permission, policy, present, preview, resource, route, usage, user,
};
use crate::activity::{ActorKind, ChainKey, Deed, EntityKind, Event, Head, Outcome, Verb, Who};
use crate::admin::{
    AccountView, Destination, GroupView, MovePreview, NamespaceView, PermissionView, PolicyMention,
    PolicyView, Resource, RouteView, UserDetail, UserView,
};
use crate::api::message as m;
use crate::catalog::Blocked;
use crate::id::{
    CredentialId, NamespaceId, PermissionId, PolicyId, RouteId, ServiceAccountId, SessionId,
};
use crate::namespace::{
    LifetimeRules, Made, NamespaceName, NamespaceRecord, Permission, Role, Subject,
};
use crate::people::Source;
use crate::service_account::{AccountKind, AccountRecord, AccountState, CredentialRecord, LastUse};
use crate::session::Origin;
use crate::store::Usage;
use crate::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const DIGITS: &str = "0123456789abcdef0123456789abcdef";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_700_000_000 + seconds)
}

/// Nothing is missing, nothing is called otherwise.
#[track_caller]
fn is_as_in_the_api<M: Serialize + DeserializeOwned>(object: &Value) {
    let message: M = serde_json::from_value(object.clone()).expect("the message");
    let again = serde_json::to_value(&message).expect("JSON");
    assert_eq!(*object, present(again));
}

fn account_view(full: Option<Timestamp>) -> AccountView {
    AccountView {
        record: AccountRecord {
            id: ServiceAccountId::new(DIGITS),
            namespace: NamespaceId::global(),
            kind: AccountKind::Unique,
            user: "ci".to_owned(),
            name: "ci".to_owned(),
            description: "builds".to_owned(),
            originator: "terraform".to_owned(),
            created: at(0),
            created_by: "operator".to_owned(),
            modified: at(1),
            expires: full,
            disabled: full,
            deleted: None,
            used: full,
            version: 3,
        },
        state: AccountState::Active,
        namespace_path: "Global".to_owned(),
        person: "Alice".to_owned(),
    }
}

fn credential_record(full: Option<Timestamp>) -> CredentialRecord {
    CredentialRecord {
        id: CredentialId::new(DIGITS),
        account: ServiceAccountId::new(DIGITS),
        hint: "abcd".to_owned(),
        issued: at(0),
        issued_by: "operator".to_owned(),
        expires: full,
        revoked: full,
        superseded: full,
        last_use: full.map(|at| LastUse {
            at,
            address: "192.0.2.1".to_owned(),
            route: "wiki".to_owned(),
        }),
    }
}

#[test]
fn accounts_and_credentials() {
    for full in [None, Some(at(9))] {
        is_as_in_the_api::<m::ServiceAccount>(&account(&account_view(full)));
        is_as_in_the_api::<m::Credential>(&credential(&credential_record(full), at(5)));
    }
    let used = Usage {
        day: 20_000,
        route: "wiki".to_owned(),
        outcome: "allowed".to_owned(),
        count: 3,
        last: at(0),
    };
    is_as_in_the_api::<m::Usage>(&usage(&used));
    let found = Destination {
        route: "wiki".to_owned(),
        from: "https://wiki.example.com".to_owned(),
        namespace_path: "Global".to_owned(),
        allowed: false,
        reason: "forbidden",
    };
    is_as_in_the_api::<m::Destination>(&destination(&found));
}

fn a_mention() -> PolicyMention {
    PolicyMention {
        id: "pol".to_owned(),
        name: "everybody".to_owned(),
        made: Made::Here,
        enforced: false,
        namespace_path: "Global".to_owned(),
    }
}

#[test]
fn namespaces_and_roles() {
    let rules = LifetimeRules { longest: Some(Duration::from_hours(24)), required: Some(true) };
    for (made, lifetime) in [(Made::Here, rules), (Made::InFile, LifetimeRules::default())] {
        let view = NamespaceView {
            record: NamespaceRecord {
                id: NamespaceId::parse("design").expect("an id"),
                parent: Some(NamespaceId::global()),
                name: NamespaceName::parse("Design").expect("a name"),
                description: "pictures".to_owned(),
                lifetime,
                made,
                created: at(0),
                modified: at(1),
                version: 2,
            },
            path: "Global / Design".to_owned(),
            depth: 1,
            role: Some(Role::Admin),
            role_from: Some(NamespaceId::global()),
            accounts: 1,
            routes: 2,
            policies: 3,
            lifetime,
        };
        is_as_in_the_api::<m::Namespace>(&namespace(&view));
    }
    let inside = Resource { kind: "route", id: "wiki".to_owned(), name: "wiki".to_owned() };
    is_as_in_the_api::<m::Resource>(&resource(&inside));
    let moved = MovePreview {
        lose: vec![("Global / Design".to_owned(), 2)],
        gain: vec![("Global / Sales".to_owned(), 1)],
        enforced_lost: vec!["a".to_owned()],
        enforced_gained: vec!["b".to_owned()],
        routes: 3,
        obstacles: vec!["no".to_owned()],
    };
    is_as_in_the_api::<m::NamespaceMove>(&preview(&moved));
    let view = PermissionView {
        permission: Permission {
            id: PermissionId::new(DIGITS),
            namespace: NamespaceId::global(),
            subject: Subject::Group("g-eng".to_owned()),
            role: Role::Viewer,
            created: at(0),
            created_by: "operator".to_owned(),
        },
        inherited_from: Some("Global".to_owned()),
        name: "Engineers".to_owned(),
        email: String::new(),
    };
    is_as_in_the_api::<m::Permission>(&permission(&view));
    let bare =
        merged(given(&view.permission), json!({ "inherited_from": "", "name": "", "email": "" }));
    is_as_in_the_api::<m::Permission>(&bare);
}

#[test]
fn policies_and_routes() {
    is_as_in_the_api::<m::PolicyMention>(&mention(&a_mention()));
    for made in [Made::Here, Made::InFile] {
        let view = PolicyView {
            id: PolicyId::new(DIGITS).to_string(),
            made,
            namespace: NamespaceId::global(),
            namespace_path: "Global".to_owned(),
            name: "everybody".to_owned(),
            description: "d".to_owned(),
            explanation: "e".to_owned(),
            remediation: "r".to_owned(),
            text: "allow: {or: [{accept: true}]}".to_owned(),
            enforced: true,
            routes: BTreeSet::from(["wiki".to_owned()]),
            broken: "b".to_owned(),
            created: at(0),
            modified: at(1),
            modified_by: "operator".to_owned(),
            version: 1,
        };
        is_as_in_the_api::<m::Policy>(&policy(&view));
        for path in ["", "path: /a: b", "prefix: /a", "path_separated_prefix: /a", "regex: ^/$"] {
            let view = RouteView {
                id: RouteId::new("wiki"),
                made,
                namespace: NamespaceId::global(),
                namespace_path: "Global".to_owned(),
                description: "d".to_owned(),
                from: "https://wiki.example.com".to_owned(),
                path: path.to_owned(),
                policies: vec![a_mention()],
                own_policy: true,
                pass_identity_headers: true,
                show_error_details: false,
                overlaps: vec!["files".to_owned()],
                created: at(0),
                modified: at(1),
                modified_by: "operator".to_owned(),
                version: 1,
            };
            is_as_in_the_api::<m::Route>(&route(&view));
        }
    }
}

#[test]
fn people() {
    let view = UserView {
        id: "u-alice".to_owned(),
        email: "alice@example.com".to_owned(),
        name: "Alice".to_owned(),
        source: Source::SignIn,
        blocked: true,
    };
    is_as_in_the_api::<m::User>(&user(&view));
    let blocked = Blocked {
        user: "u-alice".to_owned(),
        since: at(0),
        by: "operator".to_owned(),
        reason: "left".to_owned(),
    };
    for (last_sign_in, blocked) in [(None, None), (Some(at(3)), Some(blocked))] {
        let found = UserDetail {
            view: view.clone(),
            groups: vec![GroupView { id: "g".to_owned(), name: "G".to_owned() }],
            last_sign_in,
            blocked,
            roles: vec![("Global".to_owned(), Role::Manager)],
            accounts: vec![account_view(Some(at(9)))],
        };
        is_as_in_the_api::<m::UserDetail>(&detail(&found));
    }
}

#[test]
fn entries() {
    let who = |user: &str| Who {
        user: user.to_owned(),
        email: "a@example.com".to_owned(),
        groups: vec!["g".to_owned()],
    };
    let deed = Deed {
        by: ActorKind::ServiceAccount,
        credential: Some(CredentialId::new(DIGITS)),
        entity: EntityKind::Policy,
        id: "pol".to_owned(),
        name: "everybody".to_owned(),
        namespace: Some(NamespaceId::global()),
        outcome: Outcome::Denied,
        before: "{}".to_owned(),
        after: String::new(),
    };
    for full in [false, true] {
        let event = Event {
            at: at(0),
            verb: Verb::Create,
            actor: who("a"),
            subject: full.then(|| who("b")),
            session: full.then(|| SessionId::new(DIGITS)),
            reason: "r".to_owned(),
            detail: "d".to_owned(),
            origin: Origin::default(),
            deed: full.then(|| Box::new(deed.clone())),
        };
        let written = ChainKey::derive(&[7; 32]).next(&Head::default(), event);
        is_as_in_the_api::<m::ActivityEntry>(&entry(&written));
    }
}

#[test]
fn a_day_is_a_date() {
    assert_eq!(day(0), "1970-01-01");
    assert_eq!(day(20_000), "2024-10-04");
}

#[test]
fn what_is_not_there_is_left_out() {
    assert_eq!(present(json!({ "a": null, "b": [] })), json!({ "b": [] }));
    assert_eq!(merged(json!({ "a": 1 }), json!({ "b": 2 })), json!({ "a": 1, "b": 2 }));
}
