//! The admin API as JSON over HTTP: what programs do with it, and what they may not.

use crate::support::api::{Caller, pointers, refusal};
use crate::support::estate::Estate;
use crate::support::listening::listen;
use lictor::demo::Reply;
use lictor::id::NamespaceId;
use lictor::namespace::{Role, Subject};
use serde_json::{Value, json};

const BOOTSTRAP: &str = "0123456789abcdef0123456789abcdef";

/// A machine with a role somewhere.
async fn somebody(estate: &Estate, name: &str, place: &NamespaceId, role: Role) -> Caller {
    let machine = estate.make(estate.unique(name, &estate.global)).await;
    let subject = Subject::User(machine.record.user.clone());
    let admin = &estate.house.admin;
    admin.grant(&estate.by, place, (subject, role), estate.at()).await.expect("a role");
    Caller::bearer(estate.house.http, &machine.token)
}

fn root(estate: &Estate) -> Caller {
    Caller::bearer(estate.house.http, BOOTSTRAP)
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} of {value}"))
}

// --- what programs do

#[tokio::test]
async fn an_account_from_its_making_to_its_end() {
    let estate = Estate::open().await;
    let root = root(&estate);
    let new = json!({
        "namespace_id": estate.design.as_str(), "name": "ci", "description": "builds",
        "expires_at": "2100-01-01T00:00:00Z", "salary": 7,
    });
    let made = root.post("/service-accounts", &new).await;
    assert_eq!(made.status, 201, "{made:?}");
    let told = made.json();
    let id = text(&told, "/service_account/id").to_owned();
    let path = format!("/service-accounts/{id}");
    assert_eq!(made.header("location"), Some(format!("/api/v1{path}").as_str()));
    assert_eq!(made.header("etag"), Some("\"0\""));
    assert_eq!(made.header("cache-control"), Some("no-store"));
    assert_eq!(made.header("pragma"), Some("no-cache"));
    let account = &told["service_account"];
    assert_eq!(account["kind"], "unique");
    assert_eq!(account["user_id"], format!("ci@{}.pomerium", estate.design));
    assert_eq!(account["namespace_path"], "Global / Design");
    assert_eq!(account["expires_at"], "2100-01-01T00:00:00Z");
    assert_eq!(account["state"], "active");
    let token = text(&told, "/token").to_owned();
    assert_eq!(estate.ask("web", &token).await.status, 200, "it opens what it should");

    let got = root.get(&path).await;
    assert_eq!((got.status, &got.json()), (200, account));
    assert!(got.header("pragma").is_none(), "no token, nothing special");

    // A change says what it is based on, and changes what is there.
    let stale = root.with("if-match: \"7\"").patch(&path, &json!({"description": "x"})).await;
    assert_eq!(refusal(&stale), (412, "changed".to_owned()));
    let based = root.with("if-match: \"0\"");
    let changed = based.patch(&path, &json!({"description": "tests", "unknown": {}})).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(changed.header("etag"), Some("\"1\""));
    assert_eq!(changed.json()["description"], "tests");
    assert_eq!(changed.json()["expires_at"], "2100-01-01T00:00:00Z", "absent keeps");
    let cleared = root.patch(&path, &json!({"expires_at": null})).await;
    assert_eq!((cleared.status, &cleared.json()["expires_at"]), (200, &Value::Null));
    for (name, value) in [("name", "x"), ("kind", "unique"), ("namespace_id", "x"), ("state", "x")]
    {
        let refused = root.patch(&path, &json!({name: value})).await;
        assert_eq!((refused.status, pointers(&refused)), (400, vec![format!("#/{name}")]));
    }

    // Off and on again.
    let disabled = root.call("POST", &format!("{path}/disable"), None).await;
    assert_eq!((disabled.status, &disabled.json()["state"]), (200, &json!("disabled")));
    assert_eq!(estate.ask("web", &token).await.status, 401);
    let enabled = root.post(&format!("{path}/enable"), &json!({})).await;
    assert_eq!((enabled.status, &enabled.json()["state"]), (200, &json!("active")));
    assert_eq!(estate.ask("web", &token).await.status, 200);

    // A second credential, a rotation, and the end of one.
    let second = root.post(&format!("{path}/credentials"), &json!({})).await;
    assert_eq!(second.status, 201, "{second:?}");
    let rotated = root.post(&format!("{path}/rotate"), &json!({"overlap": "24h"})).await;
    assert_eq!(rotated.status, 201, "{rotated:?}");
    assert_eq!(rotated.header("pragma"), Some("no-cache"));
    let listed = root.get(&format!("{path}/credentials")).await.json();
    let mut states: Vec<&str> = listed["credentials"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| text(it, "/state"))
        .collect();
    states.sort_unstable();
    assert_eq!((states, &listed["total"]), (vec!["active", "ending", "ending"], &json!(3)));
    let newest = text(&rotated.json(), "/credential/id").to_owned();
    let revoked = root.delete(&format!("{path}/credentials/{newest}")).await;
    assert_eq!((revoked.status, &revoked.json()["state"]), (200, &json!("revoked")));
    assert_eq!(estate.ask("web", text(&rotated.json(), "/token")).await.status, 401);
    assert_eq!(estate.ask("web", &token).await.status, 200, "within the overlap");

    let gone = root.delete(&path).await;
    assert_eq!((gone.status, gone.body.as_str()), (204, ""));
    assert_eq!(root.delete(&path).await.status, 204, "once more is no error");
    assert_eq!(root.get(&path).await.status, 404);
    assert_eq!(estate.ask("web", &token).await.status, 401);
    estate.house.close().await;
}

#[tokio::test]
async fn namespaces_roles_policies_and_routes() {
    let estate = Estate::open().await;
    let root = root(&estate);
    let made = root.post("/namespaces", &json!({"name": "Büro", "max_lifetime": "720h"})).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = text(&made.json(), "/id").to_owned();
    let path = format!("/namespaces/{id}");
    assert_eq!(made.json()["max_lifetime"], "2592000s");
    assert_eq!(made.json()["path"], "Global / Büro");
    let changed = root.patch(&path, &json!({"require_expiry": true})).await.json();
    assert_eq!(changed["max_lifetime"], "2592000s", "the other rule is kept: {changed}");
    assert_eq!(changed["require_expiry"], true);
    let moved = root.get(&format!("{path}/move-preview?parent_id={}", estate.design)).await;
    assert_eq!((moved.status, &moved.json()["obstacles"]), (200, &json!([])));
    let clash = root.post("/namespaces", &json!({"name": "BÜRO"})).await;
    assert_eq!(
        (refusal(&clash), pointers(&clash)),
        ((409, "taken".to_owned()), vec!["#/name".to_owned()])
    );

    let role = json!({"subject_type": "group", "subject_id": "g-eng", "role": "viewer"});
    let given = root.post(&format!("{path}/permissions"), &role).await;
    assert_eq!((given.status, &given.json()["name"]), (200, &json!("Engineers")), "{given:?}");
    let permission = text(&given.json(), "/id").to_owned();
    let of = |reply: &Reply| reply.json()["permissions"].as_array().expect("a list").len();
    assert_eq!(of(&root.get(&format!("{path}/permissions")).await), 1);
    assert!(of(&root.get(&format!("{path}/effective-permissions")).await) >= 1);
    let elsewhere = format!("/namespaces/{}/permissions/{permission}", estate.sales);
    assert_eq!(root.delete(&elsewhere).await.status, 404, "it was not given there");
    assert_eq!(root.delete(&format!("{path}/permissions/{permission}")).await.status, 204);

    let policy = json!({"name": "engineers", "text": "allow: {and: [{groups: {has: g-eng}}]}", "route_ids": ["design"]});
    let made = root.post("/policies", &policy).await;
    assert_eq!(made.status, 201, "{made:?}");
    let policy = format!("/policies/{}", text(&made.json(), "/id"));
    let broken = root.patch(&policy, &json!({"text": "allow: {and: [{nonsense: 1}]}"})).await;
    assert_eq!((broken.status, pointers(&broken)), (400, vec!["#/text".to_owned()]), "{broken:?}");
    let told = root.post("/policies/validate", &json!({"text": "allow: [nonsense]"})).await.json();
    assert!(told["problems"][0]["line"].as_u64() == Some(1), "{told}");
    let in_use = root.delete(&policy).await;
    assert_eq!(refusal(&in_use).0, 409, "{in_use:?}");
    assert_eq!(root.delete(&format!("{policy}?remove_from_routes=true")).await.status, 204);

    let route = json!({"id": "shop", "from": "https://shop.localhost", "prefix": "/api/"});
    let made = root.post("/routes", &route).await;
    assert_eq!((made.status, &made.json()["prefix"]), (201, &json!("/api/")), "{made:?}");
    let changed =
        root.patch("/routes/shop", &json!({"path_separated_prefix": "/api", "prefix": null})).await;
    assert_eq!(changed.json()["path_separated_prefix"], "/api", "{changed:?}");
    assert_eq!(changed.json()["prefix"], Value::Null);
    let any = root.patch("/routes/shop", &json!({"path_separated_prefix": null})).await;
    assert_eq!((any.status, &any.json()["path_separated_prefix"]), (200, &Value::Null));
    let two = root
        .post("/routes", &json!({"from": "https://x.test", "path": "/a", "prefix": "/b"}))
        .await;
    assert_eq!(two.status, 400, "{two:?}");
    let stale = root.with("if-match: \"9\"").delete("/routes/shop").await;
    assert_eq!(stale.status, 412);
    assert_eq!(root.delete("/routes/shop").await.status, 204);
    let in_file = root.patch("/routes/open", &json!({"description": "x"})).await;
    assert!((400..500).contains(&in_file.status), "{in_file:?}");

    let resources = root.get(&format!("/namespaces/{}/resources", estate.design)).await.json();
    let kinds: Vec<&str> = resources["resources"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| text(it, "/type"))
        .collect();
    assert!(kinds.contains(&"namespace") && kinds.contains(&"route"), "{kinds:?}");
    let used = root.delete(&format!("/namespaces/{}", estate.design)).await;
    assert_eq!(refusal(&used).0, 409);
    assert_eq!(root.with("if-match: \"99\"").delete(&path).await.status, 412);
    assert_eq!(root.delete(&path).await.status, 204);
    estate.house.close().await;
}

#[tokio::test]
async fn lists_come_in_parts() {
    let estate = Estate::open().await;
    let root = root(&estate);
    for name in ["a", "b", "c", "d", "e"] {
        estate.make(estate.unique(name, &estate.design)).await;
    }
    estate.make(estate.unique("f", &estate.web)).await;
    let mut seen: Vec<String> = Vec::new();
    let mut next = String::new();
    loop {
        let path = format!(
            "/service-accounts?namespace={}&sort=-user_id&limit=2&cursor={next}",
            estate.design
        );
        let part = root.get(&path).await.json();
        assert_eq!(part["total"], 6, "{part}");
        let accounts = part["service_accounts"].as_array().expect("a list");
        seen.extend(accounts.iter().map(|it| text(it, "/name").to_owned()));
        next = text(&part, "/next_cursor").to_owned();
        if next.is_empty() {
            break;
        }
        let other = root.get(&format!("/service-accounts?limit=2&cursor={next}")).await;
        assert_eq!((other.status, pointers(&other)), (400, vec!["#/cursor".to_owned()]));
    }
    let mut all = seen.clone();
    all.sort();
    assert_eq!(all, ["a", "b", "c", "d", "e", "f"]);
    let own =
        format!("/service-accounts?namespace={}&recursive=false&q=E&kind=unique", estate.design);
    let own = root.get(&own).await.json();
    assert!(own["total"].as_u64() >= Some(1) && own["total"].as_u64() <= Some(5), "{own}");
    for (query, field) in [
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("sort=salary", "sort"),
        ("state=sleepy", "state"),
        ("recursive=1", "recursive"),
        ("q=a&q=b", "q"),
    ] {
        let refused = root.get(&format!("/service-accounts?{query}")).await;
        assert_eq!(
            (refused.status, pointers(&refused)),
            (400, vec![format!("#/{field}")]),
            "{query}"
        );
    }
    let (mut entries, mut next) = (Vec::new(), String::new());
    loop {
        let part = root.get(&format!("/activity?limit=3&cursor={next}")).await.json();
        let numbers = part["entries"].as_array().expect("a list").iter();
        entries.extend(numbers.map(|it| text(it, "/id").parse::<u64>().expect("a number")));
        next = text(&part, "/next_cursor").to_owned();
        if next.is_empty() {
            break;
        }
    }
    assert!(entries.len() > 10 && entries.is_sorted_by(|a, b| a > b), "{entries:?}");
    let one = root.get(&format!("/activity/{}", entries[3])).await.json();
    assert_eq!(text(&one, "/entry/id"), entries[3].to_string());
    for id in ["0", "99999", "-1", "x", "18446744073709551616"] {
        assert_eq!(root.get(&format!("/activity/{id}")).await.status, 404, "{id}");
    }
    estate.house.close().await;
}

#[tokio::test]
async fn a_key_makes_one_thing_however_often() {
    let estate = Estate::open().await;
    let root = root(&estate).with("idempotency-key: k-1");
    let new = json!({"namespace_id": estate.design.as_str(), "name": "once"});
    let tries = (0..8).map(|_| root.post("/service-accounts", &new));
    let replies = futures_util::future::join_all(tries).await;
    let told: Vec<Value> = replies
        .iter()
        .map(|reply| {
            assert_eq!(reply.status, 201, "{reply:?}");
            reply.json()
        })
        .collect();
    let ids: std::collections::BTreeSet<&str> =
        told.iter().map(|it| text(it, "/service_account/id")).collect();
    assert_eq!(ids.len(), 1);
    let tokens = told.iter().filter(|it| !text(it, "/token").is_empty()).count();
    assert_eq!(tokens, 1, "the token is shown once");
    let other = root.post("/service-accounts", &json!({"name": "twice"})).await;
    assert_eq!(refusal(&other), (409, "taken".to_owned()), "the key stands for something else");
    assert_eq!(pointers(&other), ["#/idempotency_key"]);
    let listed = root.get("/service-accounts?q=once").await.json();
    assert_eq!(listed["total"], 1);
    estate.house.close().await;
}

// --- who may call

#[tokio::test]
async fn who_may_call() {
    let estate = Estate::open().await;
    let http = estate.house.http;
    let nobody = Caller::nobody(http);
    let refused = nobody.get("/whoami").await;
    assert_eq!(refusal(&refused), (401, "unauthenticated".to_owned()));
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    assert_eq!(refused.json()["request_id"], "r-9");

    let machine = estate.make(estate.unique("ci", &estate.design)).await;
    let token = &machine.token;
    let forms = [
        format!("authorization: Bearer {token}"),
        format!("authorization: Bearer Pomerium-{token}"),
        format!("authorization: Pomerium {token}"),
        format!("x-pomerium-authorization: {token}"),
    ];
    for form in &forms {
        let told = nobody.with(form).of_host("anything.test").get("/whoami").await;
        assert_eq!(told.status, 200, "{form}: {told:?}");
        assert_eq!(told.json()["actor_kind"], "service-account");
        assert_eq!(told.json()["user_id"], machine.record.user.as_str());
        assert_eq!(told.json()["credential_id"], machine.credential.as_str());
    }
    let two = nobody.with(&forms[0]).with(&forms[3]).get("/whoami").await;
    assert_eq!(refusal(&two), (400, "two_credentials".to_owned()));
    let query = nobody.get(&format!("/whoami?pomerium_session={token}")).await;
    assert_eq!(query.status, 401, "an address is no place for a token");

    // Whoever acts as a person administers nothing, whatever the person may.
    let acting = estate.make(estate.acting_as("u-root", &estate.global)).await;
    let refused = Caller::bearer(http, &acting.token).get("/service-accounts").await;
    assert_eq!(refusal(&refused), (403, "acts_as_person".to_owned()));

    let told = root(&estate).get("/whoami").await.json();
    assert_eq!((&told["actor_kind"], &told["administrator"]), (&json!("bootstrap"), &json!(true)));
    for token in ["eyJhbGciOiJub25lIn0.e30.", "x", "Pomerium-x"] {
        assert_eq!(Caller::bearer(http, token).get("/whoami").await.status, 401, "{token}");
    }
    estate.house.close().await;
}

#[tokio::test]
async fn sessions_of_programs_and_stateless_tokens_administer_nothing() {
    let estate = Estate::open().await;
    let mut browser = estate.house.signed_in("root@corp.test").await;
    browser.my_page().await;
    let cookie = browser.cookie("auth.localhost", "_pomerium").expect("a session").to_owned();
    let refused = Caller::bearer(estate.house.http, &cookie).get("/whoami").await;
    assert_eq!(refused.status, 401, "a session is no bearer token");
    let stateless = crate::support::fixture::token("T-root");
    let refused = Caller::bearer(estate.house.http, stateless).get("/whoami").await;
    assert_eq!(refused.status, 401);
    estate.house.close().await;
}

#[tokio::test]
async fn guesses_are_held_up_and_good_tokens_are_not() {
    let estate = Estate::open().await;
    let http = estate.house.http;
    let machine = estate.make(estate.unique("ci", &estate.design)).await;
    let mut statuses = Vec::new();
    for guess in 0..20 {
        let reply = Caller::bearer(http, &format!("guess-number-{guess}-of-the-secret-word"))
            .get("/whoami")
            .await;
        if reply.status == 429 {
            assert!(reply.header("retry-after").is_some_and(|wait| wait.parse::<u32>().is_ok()));
        }
        statuses.push(reply.status);
    }
    assert_eq!((statuses[0], statuses[19]), (401, 429), "{statuses:?}");
    assert_eq!(root(&estate).get("/whoami").await.status, 429, "the right one too, for a while");
    estate.house.later(3600);
    assert_eq!(root(&estate).get("/whoami").await.status, 200);
    // Of tokens the bad ones are counted, and the good ones looked at first.
    for _ in 0..20 {
        Caller::bearer(http, "eyJx.e30.x").get("/whoami").await;
    }
    assert_eq!(Caller::bearer(http, "eyJx.e30.x").get("/whoami").await.status, 429);
    assert_eq!(Caller::bearer(http, &machine.token).get("/whoami").await.status, 200);
    estate.house.close().await;
}

#[tokio::test]
async fn line_14_a_session_changes_nothing_but_from_a_page_of_ours() {
    let estate = Estate::open().await;
    let mut browser = estate.house.signed_in("root@corp.test").await;
    let page = browser.my_page().await;
    let csrf = crate::support::house::hidden(page.body(), "csrf");
    let cookie = browser.cookie("auth.localhost", "_pomerium").expect("a session").to_owned();
    let session = Caller::nobody(estate.house.http).with(&format!("cookie: _pomerium={cookie}"));
    let told = session.get("/whoami").await;
    assert_eq!((told.status, &told.json()["email"]), (200, &json!("root@corp.test")), "{told:?}");
    let elsewhere = session.of_host("open.localhost").get("/whoami").await;
    assert_eq!(elsewhere.status, 401, "a session counts where people sign in");

    let new = json!({"name": "by-a-person"});
    let ours = ["origin: http://auth.localhost", "sec-fetch-site: same-origin"];
    let page = session.with(ours[0]).with(ours[1]);
    let token = format!("x-csrf-token: {csrf}");
    let evil = session.with("origin: http://evil.test").with("sec-fetch-site: cross-site");
    let sibling = session.with("origin: http://open.localhost").with("sec-fetch-site: same-site");
    for caller in [
        session.clone(),
        page.clone(),
        page.with("x-csrf-token: x"),
        page.with("x-csrf-token: "),
        evil.with(&token),
        sibling.with(&token),
    ] {
        let refused = caller.post("/service-accounts", &new).await;
        assert_eq!(refusal(&refused), (403, "csrf".to_owned()), "{caller:?}");
    }
    let made = page.with(&token).post("/service-accounts", &new).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(text(&made.json(), "/service_account/issued_by"), "root@corp.test");

    // A token needs no page, and with one the cookie does not count.
    let machine = estate.make(estate.unique("ci", &estate.design)).await;
    let both = evil.with(&format!("authorization: Bearer {}", machine.token));
    assert_eq!(both.get("/whoami").await.json()["actor_kind"], "service-account");
    let refused = both.post("/service-accounts", &new).await;
    assert_eq!(refused.status, 404, "by its own role: {refused:?}");
    let bad = session.with("authorization: Bearer eyJx.e30.x").get("/whoami").await;
    assert_eq!(bad.status, 401, "a good cookie does not help a bad token");
    estate.house.close().await;
}

// --- who may what

#[tokio::test]
async fn line_10_what_is_not_seen_is_not_there() {
    let estate = Estate::open().await;
    let sales = somebody(&estate, "sales-admin", &estate.sales, Role::Admin).await;
    let hidden = estate.make(estate.unique("ci", &estate.design)).await;
    let policy = "allow: {and: [{user: {is: x}}]}";
    let new = json!({"namespace_id": estate.design.as_str(), "name": "hidden", "text": policy});
    let made = root(&estate).post("/policies", &new).await.json();
    let given = json!({"subject_type": "user", "subject_id": "u-bob", "role": "viewer"});
    let path = format!("/namespaces/{}/permissions", estate.design);
    let permission = root(&estate).post(&path, &given).await.json();

    let nothing = format!("sa_{}", "0".repeat(32));
    let no_policy = format!("pol_{}", "0".repeat(32));
    let no_permission = format!("perm_{}", "0".repeat(32));
    let no_credential = format!("cred_{}", "0".repeat(32));
    let (there, absent) = (hidden.id().as_str(), nothing.as_str());
    let (design, nowhere) = (estate.design.as_str(), "nowhere");
    let mut pairs: Vec<(&str, String, String)> = Vec::new();
    for tail in ["", "/usage", "/destinations", "/policies", "/credentials"] {
        let path = |id: &str| format!("/service-accounts/{id}{tail}");
        pairs.push(("GET", path(there), path(absent)));
    }
    for tail in ["/disable", "/enable", "/rotate", "/credentials"] {
        let path = |id: &str| format!("/service-accounts/{id}{tail}");
        pairs.push(("POST", path(there), path(absent)));
    }
    let credential = |id: &str, of: &str| format!("/service-accounts/{of}/credentials/{id}");
    pairs.push((
        "DELETE",
        credential(hidden.credential.as_str(), there),
        credential(&no_credential, absent),
    ));
    for tail in
        ["", "/resources", "/permissions", "/effective-permissions", "/move-preview?parent_id=x"]
    {
        let path = |id: &str| format!("/namespaces/{id}{tail}");
        pairs.push(("GET", path(design), path(nowhere)));
    }
    for (verb, list) in
        [("GET", "service-accounts"), ("GET", "policies"), ("GET", "routes"), ("GET", "activity")]
    {
        let path = |id: &str| format!("/{list}?namespace={id}");
        pairs.push((verb, path(design), path(nowhere)));
    }
    for verb in ["GET", "PATCH", "DELETE"] {
        let account = |id: &str| format!("/service-accounts/{id}");
        pairs.push((verb, account(there), account(absent)));
        let namespace = |id: &str| format!("/namespaces/{id}");
        pairs.push((verb, namespace(design), namespace(nowhere)));
        let policy = |id: &str| format!("/policies/{id}");
        pairs.push((verb, policy(text(&made, "/id")), policy(&no_policy)));
        let route = |id: &str| format!("/routes/{id}");
        pairs.push((verb, route("design"), route("nowhere")));
    }
    let role = |id: &str, at: &str| format!("/namespaces/{at}/permissions/{id}");
    pairs.push(("DELETE", role(text(&permission, "/id"), design), role(&no_permission, nowhere)));
    for (verb, there, absent) in pairs {
        let body = matches!(verb, "PATCH" | "POST")
            .then_some(("application/json", "{\"description\":\"x\"}"));
        let (one, other) =
            (sales.call(verb, &there, body).await, sales.call(verb, &absent, body).await);
        assert_eq!(one.status, 404, "{verb} {there}: {one:?}");
        assert_eq!((one.status, &one.body), (other.status, &other.body), "{verb} {there}");
        let names = |reply: &Reply| {
            let headers = reply.headers.iter().filter(|(name, _)| name != "date");
            headers.cloned().collect::<Vec<_>>()
        };
        assert_eq!(names(&one), names(&other), "{verb} {there}");
    }
    // What is made where one sees nothing is refused as if nothing were there.
    for namespace in [design, nowhere] {
        let new = json!({"namespace_id": namespace, "name": "x"});
        assert_eq!(sales.post("/service-accounts", &new).await.status, 404);
    }
    let seen = sales.get("/service-accounts").await.json();
    assert_eq!(seen["total"], 0, "{seen}");
    let names = sales.get("/namespaces").await.json();
    assert!(!names.to_string().contains("Design"), "{names}");
    estate.house.close().await;
}

#[tokio::test]
async fn roles_say_what_may_be_done() {
    let estate = Estate::open().await;
    let viewer = somebody(&estate, "viewer", &estate.design, Role::Viewer).await;
    let manager = somebody(&estate, "manager", &estate.design, Role::Manager).await;
    let machine = estate.make(estate.unique("ci", &estate.design)).await;
    let path = format!("/service-accounts/{}", machine.id());
    let new = |kind: &str, name: &str, user: &str| json!({"namespace_id": estate.design.as_str(), "kind": kind, "name": name, "user_id": user});
    assert_eq!(viewer.get(&path).await.status, 200);
    for refused in [
        viewer.post("/service-accounts", &new("unique", "x", "")).await,
        viewer.patch(&path, &json!({"description": "x"})).await,
        viewer.post(&format!("{path}/rotate"), &json!({})).await,
        viewer.delete(&path).await,
        manager.post("/service-accounts", &new("impersonated", "", "u-alice")).await,
        manager
            .post(
                &format!("/namespaces/{}/permissions", estate.design),
                &json!({"subject_type": "user", "subject_id": "u-alice", "role": "viewer"}),
            )
            .await,
    ] {
        assert_eq!(refusal(&refused), (403, "role_missing".to_owned()), "{refused:?}");
    }
    assert_eq!(manager.post("/service-accounts", &new("unique", "x", "")).await.status, 201);
    let denied = root(&estate).get("/activity?outcome=denied").await.json();
    assert!(denied["entries"].as_array().expect("a list").len() >= 6, "{denied}");
    estate.house.close().await;
}

#[tokio::test]
async fn line_11_names_that_are_none() {
    let estate = Estate::open().await;
    let root = root(&estate);
    for name in
        ["", " ", "a b", "\n", "a\n", "a@b", &"x".repeat(64), "🦊", "a\u{202e}b", ".a", "a."]
    {
        let refused = root.post("/service-accounts", &json!({"name": name})).await;
        assert_eq!(
            (refused.status, pointers(&refused)),
            (400, vec!["#/name".to_owned()]),
            "{name:?}"
        );
        let told = refused.json()["errors"][0]["detail"].as_str().expect("text").to_owned();
        assert!(!told.is_empty() && !told.ends_with('.'), "{told}");
    }
    estate.house.close().await;
}

// --- what is no request

#[tokio::test]
async fn what_cannot_be_read() {
    let estate = Estate::open().await;
    let root = root(&estate);
    let wrong = [
        (json!({"name": 7}), "#/name"),
        (json!({"name": ["x"]}), "#/name"),
        (json!({"expires_at": "tomorrow"}), "#/expires_at"),
        (json!({"expires_at": 1_900_000_000}), "#/expires_at"),
        (json!({"allow_unknown_user": "yes"}), "#/allow_unknown_user"),
        (json!({"kind": "both", "name": "x"}), "#/kind"),
    ];
    for (body, pointer) in wrong {
        let refused = root.post("/service-accounts", &body).await;
        assert_eq!((refused.status, pointers(&refused)), (400, vec![pointer.to_owned()]), "{body}");
    }
    let nested = json!({"url": "https://x.test/", "headers": [{"name": "a"}, {"name": 7}]});
    let refused = root.post("/simulate", &nested).await;
    assert_eq!((refused.status, pointers(&refused)), (400, vec!["#/headers/1/name".to_owned()]));
    let json = "application/json";
    for body in ["", "[]", "{", "null", "\u{feff}{}"] {
        let refused = root.call("POST", "/service-accounts", Some((json, body))).await;
        assert_eq!(refused.status, 400, "{body:?}");
    }
    let form = root.call("POST", "/service-accounts", Some(("text/plain", "{}"))).await;
    assert_eq!(refusal(&form), (415, "media_type".to_owned()));
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(300 * 1024));
    let refused = root.call("POST", "/service-accounts", Some((json, &long))).await;
    assert_eq!(refusal(&refused), (413, "too_large".to_owned()));

    let put = root.call("PUT", "/service-accounts", None).await;
    assert_eq!(refusal(&put), (405, "method_not_allowed".to_owned()));
    assert_eq!(put.header("allow"), Some("GET, POST, HEAD"));
    assert_eq!(root.call("OPTIONS", "/whoami", None).await.status, 405);
    assert!(
        root.with("origin: http://evil.test")
            .get("/whoami")
            .await
            .header("access-control-allow-origin")
            .is_none()
    );
    for path in [
        "",
        "/",
        "/nothing",
        "/service-accounts/",
        "/service-accounts/x/y/z",
        "/service-accounts/%ff",
    ] {
        let refused = root.get(path).await;
        assert_eq!(refusal(&refused), (404, "not_found".to_owned()), "{path}");
    }
    assert_eq!(root.get("/service-accounts/..%2Fexport").await.status, 404);
    estate.house.close().await;
}

// --- tokens by their text

#[tokio::test]
async fn tokens_are_asked_about_and_revoked() {
    let estate = Estate::open().await;
    let http = estate.house.http;
    let machine = estate.make(estate.unique("ci", &estate.design)).await;
    let token = machine.token.as_str();
    let viewer = somebody(&estate, "viewer", &estate.design, Role::Viewer).await;
    let stranger = somebody(&estate, "stranger", &estate.sales, Role::Admin).await;
    let told =
        viewer.form("/oauth2/introspect", &[("token", token), ("token_type_hint", "x")]).await;
    assert_eq!(told.status, 200, "{told:?}");
    assert_eq!(told.header("pragma"), Some("no-cache"));
    let told = told.json();
    assert_eq!((&told["active"], &told["token_type"]), (&json!(true), &json!("Bearer")));
    assert_eq!(told["sub"], machine.record.user.as_str());
    assert_eq!(told["jti"], machine.credential.as_str());
    assert_eq!(told["sid"], machine.id().as_str());
    assert!(told["iat"].is_i64() && told["exp"].is_null());
    for (caller, token) in [(&stranger, token), (&viewer, "x"), (&viewer, "eyJx.e30.x")] {
        let told = caller.form("/oauth2/introspect", &[("token", token)]).await;
        assert_eq!((told.status, told.json()), (200, json!({"active": false})));
    }
    for fields in [&[][..], &[("token", "")], &[("token", "a"), ("token", "b")]] {
        let refused = viewer.form("/oauth2/introspect", fields).await;
        assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_request")));
    }
    let refused = Caller::nobody(http).form("/oauth2/introspect", &[("token", token)]).await;
    assert_eq!((refused.status, &refused.json()["error"]), (401, &json!("invalid_client")));
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    let refused = viewer.post("/oauth2/introspect", &json!({"token": token})).await;
    assert_eq!(refused.status, 415);
    assert_eq!(viewer.get("/oauth2/introspect").await.status, 405);

    // Whoever holds a token may end it.
    let holder = Caller::nobody(http);
    assert_eq!(holder.form("/oauth2/revoke", &[("token", "x")]).await.status, 200, "no oracle");
    assert_eq!(holder.form("/oauth2/revoke", &[("token", token)]).await.status, 200);
    assert_eq!(estate.ask("web", token).await.status, 401);
    assert_eq!(holder.form("/oauth2/revoke", &[("token", token)]).await.status, 200, "once more");
    let told = viewer.form("/oauth2/introspect", &[("token", token)]).await;
    assert_eq!(told.json(), json!({"active": false}));
    assert_eq!(holder.form("/oauth2/revoke", &[]).await.status, 400);
    estate.house.close().await;
}

// --- exports, and where no token may be

#[tokio::test]
async fn exports_hold_what_is_seen_and_no_formula() {
    let estate = Estate::open().await;
    let root = root(&estate);
    for number in 0..205 {
        let mut new = estate.unique(&format!("m{number:03}"), &estate.design);
        new.description = "=HYPERLINK(\"http://evil.test\")".to_owned();
        estate.make(new).await;
    }
    let table = root.get("/service-accounts/export?sort=user_id").await;
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(
        table.header("content-disposition"),
        Some("attachment; filename=\"service-accounts.csv\"")
    );
    let lines: Vec<&str> = table.body.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 206, "a head and every account");
    assert!(lines[0].starts_with("id,namespace_id,namespace_path,kind,name,"), "{}", lines[0]);
    let guarded =
        lines[1..].iter().all(|line| line.contains("\"'=HYPERLINK(\"\"http://evil.test\"\")\""));
    assert!(guarded, "{}", lines[1]);
    let all = root.get("/service-accounts/export?format=json").await;
    assert_eq!(all.header("content-type"), Some("application/json"));
    assert_eq!(all.json().as_array().expect("a list").len(), 205);

    let log = root.get("/activity/export").await;
    assert_eq!(log.header("content-type"), Some("application/x-ndjson"));
    let entries: Vec<Value> =
        log.body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(entries.len() > 205, "{}", entries.len());
    assert_eq!(root.get("/activity/export?format=csv").await.status, 200);
    for query in ["format=xml", "format=csv&format=json", "format="] {
        assert_eq!(
            root.get(&format!("/service-accounts/export?{query}")).await.status,
            400,
            "{query}"
        );
    }
    let sales = somebody(&estate, "sales-admin", &estate.sales, Role::Admin).await;
    let seen = sales.get("/service-accounts/export?format=json").await;
    assert_eq!(seen.json(), json!([]));
    let hidden = sales.get(&format!("/service-accounts/export?namespace={}", estate.design)).await;
    assert_eq!(refusal(&hidden).0, 404, "told before anything is sent");
    let log = sales.get("/activity/export").await.body;
    assert!(!log.contains("\"m000\"") && !log.contains("bootstrap-used"), "{log}");
    estate.house.close().await;
}

#[tokio::test]
async fn a_token_is_in_no_log_error_list_or_export() {
    let estate = Estate::open().await;
    let (listening, heard) = listen();
    let root = root(&estate);
    let made = root.post("/service-accounts", &json!({"name": "canary"})).await.json();
    let id = text(&made, "/service_account/id").to_owned();
    let path = format!("/service-accounts/{id}");
    let rotated = root.post(&format!("{path}/rotate"), &json!({})).await.json();
    let issued = root.post(&format!("{path}/credentials"), &json!({})).await.json();
    let tokens: Vec<String> =
        [&made, &rotated, &issued].iter().map(|it| text(it, "/token").to_owned()).collect();
    let mut told = String::new();
    for token in &tokens {
        let own = Caller::bearer(estate.house.http, token);
        told += &own.get("/whoami").await.body;
        told += &own.post("/service-accounts", &json!({"name": "x"})).await.body;
        told += &own.form("/oauth2/introspect", &[("token", token)]).await.body;
        told += &root.form("/oauth2/introspect", &[("token", token)]).await.body;
        told += &root.post("/simulate", &json!({"token": token, "url": "x"})).await.body;
        told += &root
            .post("/simulate", &json!({"token": token, "url": "https://open.localhost/"}))
            .await
            .body;
        told += &Caller::bearer(estate.house.http, &format!("{token}x")).get("/whoami").await.body;
        told += &Caller::nobody(estate.house.http)
            .form("/oauth2/revoke", &[("token", token)])
            .await
            .body;
    }
    for path in [
        path.clone(),
        format!("{path}/credentials"),
        format!("{path}/usage"),
        "/service-accounts".to_owned(),
        "/service-accounts/export".to_owned(),
        "/service-accounts/export?format=json".to_owned(),
        "/activity".to_owned(),
        "/activity/export".to_owned(),
        "/activity/export?format=csv".to_owned(),
        "/overview".to_owned(),
    ] {
        let reply = root.get(&path).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        told += &reply.body;
    }
    drop(listening);
    told += &heard.text();
    told += &format!("{:?}", estate.house.activity().await);
    for token in &tokens {
        let parts: Vec<&str> = token.split('.').collect();
        for secret in [token.as_str(), parts[1], parts[2]] {
            assert!(!told.contains(secret), "a token is told somewhere");
        }
        let jti = crate::support::house::payload(token)["jti"].as_str().expect("text").to_owned();
        assert!(!told.contains(&jti), "the secret of a token is told somewhere");
    }
    assert!(!told.contains(BOOTSTRAP), "the bootstrap secret is told somewhere");
    estate.house.close().await;
}

// --- the document

/// `LICTOR_GOLDEN=write` writes the file anew.
#[tokio::test]
async fn the_document_says_what_is_served() {
    let estate = Estate::open().await;
    let served = Caller::nobody(estate.house.http).of_host("any.test").get("/openapi.json").await;
    assert_eq!(served.status, 200);
    assert_eq!(served.header("content-type"), Some("application/json"));
    let text = serde_json::to_string_pretty(&served.json()).expect("JSON") + "\n";
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/openapi.json");
    if std::env::var_os("LICTOR_GOLDEN").is_some() {
        std::fs::write(file, &text).expect("writes");
    }
    let golden = std::fs::read_to_string(file).unwrap_or_default();
    let differs = golden.lines().zip(text.lines()).position(|(one, other)| one != other);
    assert!(golden == text, "{file} is not what is served, from line {differs:?}");
    let below = root(&estate).get("/openapi.json").await;
    assert_eq!(below.json(), served.json());
    estate.house.close().await;
}
