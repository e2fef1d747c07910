//! Eleven ways in which acting as somebody else has gone wrong before, and what the rules say of the
//! rest. Each test can fail: it shows the right thing beside the wrong one.

use crate::support::check::get;
use crate::support::config::snapshot_with;
use crate::support::fixture::host::SECRET_BYTES;
use crate::support::guests::{HOSTS, handle, profile, ruled, saying, signed};
use crate::support::house::{AUTHENTICATE, Browser, CONFIG, House, Seen, hidden, with_provider};
use crate::support::listening::listen;
use crate::support::store::verified_log_with;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use lictor::activity::{ChainKey, Entry, Verb};
use lictor::identity::{Directory, User};
use lictor::signed_url;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use url::Url;

/// The routes that ask who somebody is.
const ROUTES: [&str; 6] = ["any", "eng", "fin", "adm", "dom", "claim"];

/// Where somebody gets in.
async fn reached(browser: &mut Browser<'_>) -> BTreeSet<&'static str> {
    let mut open = BTreeSet::new();
    for route in ROUTES {
        match browser.go(&format!("http://{route}.localhost/")).await {
            Seen::Upstream { .. } => drop(open.insert(route)),
            page @ Seen::Page { .. } => assert_eq!(page.status(), 403, "{route}: {page:?}"),
        }
    }
    open
}

async fn whoami(browser: &mut Browser<'_>) -> Value {
    browser.go("http://any.localhost/").await.claims().clone()
}

fn email(claims: &Value) -> &str {
    claims["email"].as_str().expect("an e-mail address")
}

/// Sends a form without following anything.
async fn post(browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]) -> Seen {
    let page = browser.my_page().await;
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("csrf", &hidden(page.body(), "csrf")).extend_pairs(fields);
    let url = Url::parse(&format!("{AUTHENTICATE}{path}")).expect("a URL");
    browser.request("POST", &url, Some(&form.finish())).await
}

const IMPERSONATE: &str = "/.pomerium/admin/impersonate";
const PREVIEW: &str = "/.pomerium/admin/preview";

fn of(entries: &[Entry], verb: Verb) -> Vec<&Entry> {
    entries.iter().filter(|entry| entry.event.verb == verb).collect()
}

// --- the eleven

#[tokio::test(flavor = "multi_thread")]
async fn mistake_1_nothing_changes_after_the_form() {
    let house = House::open().await;
    let mut root = house.guest("root@corp.test").await;
    // Cookies and an assertion of before are there on every host.
    assert_eq!(reached(&mut root).await, BTreeSet::from(["any", "adm", "dom"]));
    root.act_as("bob@corp.test", "").await;
    assert_eq!(reached(&mut root).await, BTreeSet::from(["any", "fin", "dom"]));
    assert_eq!(email(&whoami(&mut root).await), "bob@corp.test");
    let said = root.go("http://eng.localhost/.pomerium/user").await.reply().json();
    assert_eq!(
        (&said["email"], &said["act"]["email"]),
        (&json!("bob@corp.test"), &json!("root@corp.test"))
    );
    // Another form replaces it at once, and stopping undoes it at once.
    root.act_as("alice@corp.test", "").await;
    assert_eq!(reached(&mut root).await, BTreeSet::from(["any", "eng", "dom"]));
    root.stop_acting().await;
    assert_eq!(email(&whoami(&mut root).await), "root@corp.test");
    assert_eq!(reached(&mut root).await, BTreeSet::from(["any", "adm", "dom"]));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistake_2_an_empty_groups_box_means_the_group_called_nothing() {
    let house = House::open().await;
    let mut root = house.guest("root@corp.test").await;
    for empty in ["", " ", ",", " , ,, ", "\t", "\u{a0}"] {
        root.act_as("bob@corp.test", empty).await;
        let seen = root.go("http://fin.localhost/").await;
        assert_eq!(seen.claims()["groups"], json!(["g-fin"]), "{empty:?}");
        let record = &house.sessions().await[0];
        let asked = record.impersonation.as_ref().expect("acting");
        assert_eq!(asked.groups, None, "{empty:?}");
    }
    // Somebody nobody knows has none, and no header says that they have one called nothing.
    root.act_as("ghost@elsewhere.test", " , ").await;
    let Seen::Upstream { claims, headers, .. } = root.go("http://any.localhost/").await else {
        panic!("refused");
    };
    assert_eq!(claims["groups"], json!([]));
    assert!(!headers.contains_key("x-pomerium-claim-groups"), "{headers:?}");
    // Both boxes empty: oneself, and not a member of nothing.
    for (person, groups) in [("", ""), (" ", " ,, ")] {
        root.act_as("bob@corp.test", "").await;
        root.act_as(person, groups).await;
        let claims = whoami(&mut root).await;
        assert_eq!((email(&claims), claims.get("act")), ("root@corp.test", None), "{groups:?}");
    }
    // Blanks around a name are not part of it.
    root.act_as("", " g-eng , ,g-all,").await;
    assert_eq!(whoami(&mut root).await["groups"], json!(["g-eng", "g-all", "Engineers"]));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistake_3_cleared_by_an_unrelated_flow() {
    let house = House::open().await;
    let opened = house.open_session(profile("root@corp.test")).await;
    let mut root = house.with_session(&opened);
    // This host has no cookie yet: it will take one while somebody else is acted as.
    root.jars.remove("fin.localhost");
    root.act_as("bob@corp.test", "g-fin").await;
    let mut same = house.with_session(&opened);
    let mut still = async |what: &str| {
        assert_eq!(email(&whoami(&mut same).await), "bob@corp.test", "after {what}");
    };
    still("the form").await;
    assert_eq!(root.go("http://fin.localhost/").await.claims()["email"], "bob@corp.test");
    still("the callback of another host").await;
    for address in [
        "/.pomerium/",
        "/.pomerium/user",
        "/.pomerium/sign_in",
        "/.pomerium/sign_out",
        "/.pomerium/signed_out",
        "/.pomerium/admin/sessions",
        "/.pomerium/admin/activity",
        "/.pomerium/admin/people?q=a",
        "/.pomerium/assets/none.css",
        "/.pomerium/impersonation/stop",
        "/.pomerium/admin/impersonate",
        "/.pomerium/nothing",
        "/.well-known/pomerium",
        "/.well-known/pomerium/jwks.json",
    ] {
        for host in ["auth", "any", "eng"] {
            root.go(&format!("http://{host}.localhost{address}")).await;
            still(address).await;
        }
    }
    // A program signs in, by the same session.
    let link =
        "http://any.localhost/.pomerium/api/v1/login?pomerium_redirect_uri=http://localhost:9/";
    let link = root.go(link).await.body().to_owned();
    still("asking for a program's link").await;
    let mut url = Url::parse(&link).expect("a link");
    while url.host_str() != Some("localhost") {
        let seen = root.request("GET", &url, None).await;
        let to = seen.reply().header("location").unwrap_or_else(|| panic!("{seen:?}"));
        url = url.join(to).expect("a URL");
    }
    still("a program's sign-in").await;
    // Forms that do something else, or nothing.
    post(&mut root, PREVIEW, &[("email", "alice@corp.test")]).await;
    still("a preview").await;
    assert_eq!(post(&mut root, IMPERSONATE, &[("email", "nobody")]).await.status(), 422);
    still("a form that cannot be taken").await;
    let url = Url::parse(&format!("{AUTHENTICATE}/.pomerium/impersonation/stop")).expect("a URL");
    assert_eq!(root.request("POST", &url, Some("csrf=x")).await.status(), 403);
    still("a forged form").await;
    // Another sign-in of the same person, and its end.
    let mut other = house.guest("root@corp.test").await;
    assert_eq!(email(&whoami(&mut other).await), "root@corp.test", "another session");
    let page = other.my_page().await;
    other.submit(&page, "/.pomerium/sign_out", &[]).await;
    still("another session of the same person").await;
    house.store.sweep(house.now()).await.expect("sweeps");
    still("a sweep").await;
    house.reload(CONFIG);
    still("a reload").await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistake_4_groups_are_ignored_in_headers() {
    let house = House::open().await;
    let mut root = house.guest("root@corp.test").await;
    let table = [
        ("alice@corp.test", "", json!(["g-eng", "g-all", "Engineers"]), "g-eng,g-all,Engineers"),
        ("alice@corp.test", "g-x", json!(["g-x"]), "g-x"),
        (
            "ghost@corp.test",
            "g-x, g-eng",
            json!(["g-x", "g-eng", "Engineers"]),
            "g-x,g-eng,Engineers",
        ),
        ("", "g-x, g-eng", json!(["g-x", "g-eng", "Engineers"]), "g-x,g-eng,Engineers"),
    ];
    for (person, groups, in_assertion, in_header) in table {
        root.act_as(person, groups).await;
        let Seen::Upstream { claims, headers, .. } = root.go("http://any.localhost/").await else {
            panic!("refused: {person} {groups}");
        };
        assert_eq!(claims["groups"], in_assertion, "{person} {groups}");
        assert_eq!(headers["x-pomerium-claim-groups"], in_header, "{person} {groups}");
        assert_eq!(email(&claims), person);
        let header = headers.get("x-pomerium-claim-email").map(String::as_str);
        assert_eq!(header, Some(person).filter(|person| !person.is_empty()));
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistake_5_everybody_sees_the_form() {
    let house = House::open().await;
    let signs =
        ["impersonat", "as somebody", "/admin/", "data-people", "Preview", "Sessions", "Activity"];
    let mut root = house.guest("root@corp.test").await;
    let own = root.my_page().await;
    for sign in signs {
        assert!(own.body().contains(sign), "an administrator sees {sign}");
    }
    let mut alice = house.guest("alice@corp.test").await;
    for host in HOSTS {
        let page = alice.go(&format!("http://{host}.localhost/.pomerium/")).await;
        assert!(page.body().contains("u-alice"), "{page:?}");
        for sign in signs {
            assert!(!page.body().contains(sign), "{sign} on {host}");
        }
    }
    // What the form would do is refused too, and the look-ahead tells nothing.
    for path in [IMPERSONATE, PREVIEW] {
        let seen = post(&mut alice, path, &[("email", "root@corp.test"), ("reason", "why")]).await;
        assert_eq!(seen.status(), 403, "{path}");
        assert!(!seen.body().contains("g-admins"), "{path}");
    }
    for path in ["people?q=o", "sessions", "activity", "sessions/end", "sessions/stop"] {
        let seen = alice.go(&format!("{AUTHENTICATE}/.pomerium/admin/{path}")).await;
        assert_eq!(seen.status(), 403, "{path}");
        assert!(!seen.body().contains("bob"), "{path}: {}", seen.body());
    }
    assert_eq!(email(&whoami(&mut alice).await), "alice@corp.test");
    assert_eq!(of(&house.activity().await, Verb::ImpersonationRefused).len(), 2);
    // Nobody at all, and somebody with a program's or a service's token, get even less.
    for path in [IMPERSONATE, PREVIEW] {
        let url = Url::parse(&format!("{AUTHENTICATE}{path}")).expect("a URL");
        let seen = house.browser().request("POST", &url, Some("email=bob%40corp.test")).await;
        assert_eq!(seen.status(), 401);
    }
    // Turned off, not even an administrator has it.
    house.reload(&CONFIG.replace("impersonation: true", "impersonation: false"));
    let page = root.my_page().await;
    assert!(!page.body().contains("as-somebody") && page.body().contains("Sessions"));
    for path in [IMPERSONATE, PREVIEW] {
        assert_eq!(post(&mut root, path, &[("email", "bob@corp.test")]).await.status(), 403);
    }
    assert_eq!(email(&whoami(&mut root).await), "root@corp.test");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistake_6_rights_add_up() {
    let house = House::open().await;
    let root_too = saying("u-root", "root@corp.test", &["g-admins"], &[("department", "ops")]);
    let mut root = house.guest_saying(root_too).await;
    let table: [(&str, &str, &[&str]); 10] = [
        ("", "", &["any", "adm", "dom", "claim"]),
        ("bob@corp.test", "", &["any", "fin", "dom"]),
        ("alice@corp.test", "", &["any", "eng", "dom"]),
        ("bob@corp.test", "g-eng", &["any", "eng", "fin", "dom"]),
        ("alice@corp.test", "g-none", &["any", "dom"]),
        ("eve@evil.test", "", &["any"]),
        ("ghost@corp.test", "", &["any", "dom"]),
        ("", "g-eng", &["any", "eng"]),
        ("", "g-admins", &["any", "adm"]),
        ("eve@evil.test", "g-admins, g-eng", &["any", "eng", "adm"]),
    ];
    for (person, groups, expected) in table {
        root.act_as(person, groups).await;
        let expected = expected.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(reached(&mut root).await, expected, "as `{person}` with `{groups}`");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistake_7_headers_of_a_client_say_who_somebody_is() {
    let config = CONFIG.to_owned()
        + "- {id: k, from: http://claim.localhost, prefix: /k, allow_any_authenticated_user: true, set_request_headers: {Authorization: Bearer of-the-cluster}}\n";
    let house =
        House::configured(&config.replace("- {id: claim,", "- {id: claim, prefix: /c,")).await;
    let opened = house.open_session(profile("alice@corp.test")).await;
    let forged = [
        ("impersonate-user", "root@corp.test"),
        ("impersonate-group", "g-admins"),
        ("impersonate-uid", "u-root"),
        ("impersonate-extra-scopes", "all"),
        ("impersonate_user", "root@corp.test"),
        ("x-pomerium-impersonate-email", "root@corp.test"),
        ("x-pomerium-impersonate-groups", "g-admins"),
        ("x-pomerium-jwt-assertion", "e30.e30.e30"),
        ("x-pomerium-jwt-assertion-for", "e30.e30.e30"),
        ("x-pomerium-claim-email", "root@corp.test"),
        ("x-pomerium-claim-groups", "g-admins"),
        ("x_pomerium_claim_groups", "g-admins"),
        ("x-pomerium-claim-user", "u-root"),
        ("x-pomerium-set-cookie", "_pomerium=x"),
        ("x-forwarded-user", "root@corp.test"),
    ];
    let ask = |host: &str, path: &str| {
        let cookie = format!("_pomerium={}", handle(&house, &opened, host));
        let mut headers = vec![("accept", "text/html"), ("cookie", cookie.as_str())];
        headers.extend(forged);
        get(host, path, &headers)
    };
    let answer = house.check(ask("any.localhost", "/")).await;
    let Some(HttpResponse::OkResponse(ok)) = answer.http_response else { panic!("refused") };
    let set: Vec<(String, String)> = ok
        .headers
        .into_iter()
        .filter_map(|header| header.header)
        .map(|header| (header.key, header.value))
        .collect();
    let value =
        |name: &str| set.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(value("x-pomerium-claim-email"), Some("alice@corp.test"));
    assert_eq!(value("x-pomerium-claim-groups"), Some("g-eng,g-all,Engineers"));
    for (name, _) in
        forged.iter().filter(|(name, _)| name.starts_with("x-pom") || name.starts_with("x_pom"))
    {
        let gone =
            ok.headers_to_remove.iter().any(|removed| removed == name) || value(name).is_some();
        assert!(gone, "{name} leaves");
    }
    let answer = house.check(ask("adm.localhost", "/")).await;
    assert!(matches!(answer.http_response, Some(HttpResponse::DeniedResponse(_))));
    // Where the upstream gets a credential of ours, a client adds nobody to it.
    let answer = house.check(ask("claim.localhost", "/k")).await;
    let Some(HttpResponse::OkResponse(ok)) = answer.http_response else { panic!("refused") };
    for (name, _) in forged.iter().filter(|(name, _)| name.starts_with("impersonate")) {
        assert!(ok.headers_to_remove.iter().any(|removed| removed == name), "{name} leaves");
    }
    // Nor do they change who a page is for.
    let mut alice = house.with_session(&opened);
    alice.headers = forged.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let page = alice.my_page().await;
    assert!(page.body().contains("u-alice") && !page.body().contains("g-admins"), "{page:?}");
    assert_eq!(house.sessions().await[0].impersonation, None);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistake_8_sign_in_takes_parameters_of_impersonation() {
    let house = House::open().await;
    let wishes = [
        ("pomerium_impersonate_action", "set"),
        ("pomerium_impersonate_email", "bob@corp.test"),
        ("pomerium_impersonate_groups", "g-fin"),
        ("impersonate_email", "bob@corp.test"),
        ("impersonate_groups", "g-fin"),
        ("email", "bob@corp.test"),
        ("groups", "g-fin"),
    ];
    let wish = |address: &str| {
        let mut url = Url::parse(address).expect("a URL");
        url.query_pairs_mut().extend_pairs(wishes);
        url
    };
    let ours = |url: Url| signed_url::sign(url, &SECRET_BYTES, house.now());
    let returning = |host: &str| {
        format!(
            "{AUTHENTICATE}/.pomerium/sign_in?pomerium_redirect_uri=http%3A%2F%2F{host}.localhost%2F"
        )
    };
    for who in ["root@corp.test", "alice@corp.test"] {
        let mut browser = house.guest(who).await;
        let unsigned = browser.go(wish(&returning("any")).as_str()).await;
        assert_eq!(unsigned.status(), 400, "{unsigned:?}");
        // Even if the link were ours: what it says of this is nothing to us.
        browser.jars.remove("any.localhost");
        let seen = browser.go(ours(wish(&returning("any"))).as_str()).await;
        assert_eq!(seen.claims()["email"], who);
        let callback = wish(
            "http://eng.localhost/.pomerium/callback/?pomerium_redirect_uri=http%3A%2F%2Feng.localhost%2F.pomerium%2F",
        );
        browser.jars.remove("eng.localhost");
        assert!(browser.go(ours(callback).as_str()).await.body().contains(who));
        for path in ["/.pomerium/", "/.pomerium/user", "/.pomerium/admin/people", IMPERSONATE] {
            browser.request("GET", &wish(&format!("{AUTHENTICATE}{path}")), None).await;
        }
    }
    // In the form of a sign-in, and in its address.
    let mut fresh = house.browser();
    let form = fresh.go(&format!("{AUTHENTICATE}/.pomerium/sign_in")).await;
    let action = crate::support::house::attribute(form.body(), "action", "/.pomerium/sign_in");
    let action = wish(&format!("{AUTHENTICATE}{action}"));
    let mut fields =
        vec![("login", "root@corp.test"), ("password", crate::support::house::PASSWORD)];
    fields.extend(wishes);
    let seen = fresh.submit(&form, action.as_str(), &fields).await;
    assert!(seen.body().contains("u-root"), "{seen:?}");
    assert_eq!(email(&whoami(&mut fresh).await), "root@corp.test");
    assert!(house.sessions().await.iter().all(|record| record.impersonation.is_none()));
    assert_eq!(of(&house.activity().await, Verb::ImpersonationStart), Vec::<&Entry>::new());
    // In a handle: it names a record, and the record says the rest.
    let opened = house.open_session(profile("root@corp.test")).await;
    let mut payload = crate::support::house::payload(&handle(&house, &opened, "any.localhost"));
    payload["impersonate_email"] = "bob@corp.test".into();
    payload["impersonate_groups"] = json!(["g-fin"]);
    let forged = signed(&payload, &SECRET_BYTES);
    fresh.set_cookie("any.localhost", "_pomerium", &forged);
    assert_eq!(email(&whoami(&mut fresh).await), "root@corp.test");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistake_9_groups_of_the_administrator_leak_with_an_address_alone() {
    let house = House::open().await;
    // Groups by the directory and, for somebody it does not know, by the provider.
    let house_two = House::configured(&CONFIG.replace("Root@corp.test", "boss@corp.test")).await;
    let boss = saying("u-boss", "boss@corp.test", &["g-admins", "g-eng"], &[]);
    let browsers = [house.guest("root@corp.test").await, house_two.guest_saying(boss).await];
    for mut browser in browsers {
        assert!(whoami(&mut browser).await["groups"].to_string().contains("g-admins"));
        for (person, groups) in [
            ("bob@corp.test", json!(["g-fin"])),
            ("ghost@corp.test", json!([])),
            ("eve@evil.test", json!([])),
        ] {
            browser.act_as(person, "").await;
            let Seen::Upstream { claims, headers, .. } = browser.go("http://any.localhost/").await
            else {
                panic!("refused");
            };
            assert_eq!(claims["groups"], groups, "{person}");
            assert!(!claims.to_string().contains("g-admins"), "{claims}");
            let header = headers.get("x-pomerium-claim-groups").map_or("", String::as_str);
            assert_eq!(header, if person == "bob@corp.test" { "g-fin" } else { "" });
            for route in ["adm", "eng"] {
                let seen = browser.go(&format!("http://{route}.localhost/")).await;
                assert_eq!(seen.status(), 403, "{route} as {person}");
            }
        }
    }
    house.close().await;
    house_two.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistake_10_claims_and_any_user_look_at_the_administrator() {
    let config = CONFIG
        .replace("groups: groups}", "groups: groups, x-pomerium-claim-department: department}");
    let house = House::configured(&config).await;
    let ops = [("department", "ops"), ("secret_claim", "of-root")];
    let mut root = house.guest_saying(saying("u-root", "root@corp.test", &[], &ops)).await;
    assert!(reached(&mut root).await.contains("claim"), "the administrator's own");
    house.guest_saying(saying("u-olga", "olga@corp.test", &[], &[("department", "ops")])).await;
    house.guest_saying(saying("u-sam", "sam@corp.test", &[], &[("department", "sales")])).await;
    for (person, groups, department) in [
        ("bob@corp.test", "", None),
        ("sam@corp.test", "", Some("sales")),
        ("", "g-x", None),
        ("ghost@corp.test", "g-x", None),
        ("olga@corp.test", "", Some("ops")),
    ] {
        root.act_as(person, groups).await;
        let open = reached(&mut root).await;
        assert_eq!(open.contains("claim"), department == Some("ops"), "{person} {groups}");
        assert!(open.contains("any"), "somebody is signed in: {person} {groups}");
        assert_eq!(open.contains("dom"), !person.is_empty(), "{person} {groups}");
        let Seen::Upstream { claims, headers, .. } = root.go("http://any.localhost/").await else {
            panic!("refused");
        };
        let header = headers.get("x-pomerium-claim-department").map(String::as_str);
        assert_eq!(header, department, "{person} {groups}");
        let mut told = claims.clone();
        told.as_object_mut().expect("claims").remove("act");
        for own in ["root", "of-root"] {
            assert!(!told.to_string().contains(own), "{own} in {told}");
        }
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistake_11_a_group_breaks_the_header_it_stands_in() {
    let house = House::open().await;
    let mut root = house.guest("root@corp.test").await;
    let long = "g".repeat(300);
    let many = "g,".repeat(10_000);
    for hostile in [
        "g-x\r\nx-pomerium-claim-email: root@corp.test",
        "g-\0x",
        "g\u{7f}",
        "a,g\u{85}h",
        "\u{1b}[2J",
        &long,
        &many,
    ] {
        let seen =
            post(&mut root, IMPERSONATE, &[("email", ""), ("groups", hostile), ("reason", "r")])
                .await;
        assert_eq!(seen.status(), 422, "{} {hostile:?}", seen.body());
    }
    let huge = "g,".repeat(40_000);
    let seen = post(&mut root, IMPERSONATE, &[("groups", &huge)]).await;
    assert_eq!(seen.status(), 413);
    assert_eq!(email(&whoami(&mut root).await), "root@corp.test");
    // What a header cannot carry without being misread stays out of it; the assertion has it whole.
    let users = |id: &str, email: &str, groups: &[&str]| User {
        id: id.to_owned(),
        email: email.to_owned(),
        display_name: String::new(),
        group_ids: groups.iter().map(|group| (*group).to_owned()).collect(),
    };
    let hostile = ["x,g-admins", "g\r\ni: j", "g-\u{e9}", "g-fin"];
    let listed = Directory::new(vec![users("u-list", "list@corp.test", &hostile)], Vec::new());
    let snapshot = snapshot_with(CONFIG, listed.expect("a directory"));
    house.state.replace(with_provider(snapshot));
    let unlisted = saying("u-prov", "prov@corp.test", &hostile, &[]);
    let mut provided = house.guest_saying(unlisted).await;
    let check = async |browser: &mut Browser<'_>| {
        let Seen::Upstream { claims, headers, .. } = browser.go("http://any.localhost/").await
        else {
            panic!("refused");
        };
        assert_eq!(claims["groups"], json!(hostile));
        assert_eq!(headers["x-pomerium-claim-groups"], "g-\u{e9},g-fin");
        assert_eq!(browser.go("http://adm.localhost/").await.status(), 403);
    };
    check(&mut provided).await;
    root.act_as("list@corp.test", "").await;
    check(&mut root).await;
    root.act_as("prov@corp.test", "").await;
    check(&mut root).await;
    house.close().await;
}

// --- who may, as whom, and for how long

fn told(entries: &[Entry]) -> Vec<String> {
    let line = |entry: &Entry| {
        let Entry { event, .. } = entry;
        let whom = event.subject.as_ref().map_or("nobody", |who| who.email.as_str());
        format!("{} {} {whom} {}", event.verb.name(), event.actor.email, event.detail)
    };
    let kept = entries.iter().filter(|entry| entry.event.verb != Verb::SignIn);
    kept.map(|entry| line(entry).trim().to_owned()).collect()
}

fn refusal(seen: &Seen) -> (u16, bool) {
    (seen.status(), seen.body().contains("You may not act as somebody else here"))
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_are_compared_whatever_their_case() {
    let house = House::configured(&CONFIG.replace("Root@corp.test", "rOOt@CORP.test")).await;
    let mut root = house.guest_saying(saying("u-r", "ROOT@corp.TEST", &[], &[])).await;
    root.act_as("bob@corp.test", "").await;
    assert_eq!(email(&whoami(&mut root).await), "bob@corp.test");
    // Somebody without an address, or with a longer one, is none.
    for other in ["", "xroot@corp.test", "root@corp.test.evil.test", "root@corp.test "] {
        let mut browser = house.guest_saying(saying("root@corp.test", other, &[], &[])).await;
        let seen = post(&mut browser, IMPERSONATE, &[("email", "bob@corp.test")]).await;
        assert_eq!(seen.status(), 403, "{other:?}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_loses_the_right_acts_as_nobody_and_can_stop() {
    let house = House::open().await;
    let mut root = house.guest("root@corp.test").await;
    let without = [
        CONFIG.replace("[Root@corp.test]", "[boss@corp.test]"),
        CONFIG.replace("[Root@corp.test]", "[]"),
        CONFIG.replace("impersonation: true", "impersonation: false"),
        CONFIG.to_owned() + "impersonation: {require_reason: true}\n",
    ];
    for config in &without {
        let page = root.my_page().await;
        let blank = [("email", "bob@corp.test"), ("groups", ""), ("reason", ""), ("duration", "")];
        root.submit(&page, IMPERSONATE, &blank).await;
        assert_eq!(email(&whoami(&mut root).await), "bob@corp.test");
        house.reload(config);
        for route in ROUTES {
            // Neither as the other one, nor as oneself.
            let seen = root.go(&format!("http://{route}.localhost/")).await;
            assert_eq!(refusal(&seen), (403, true), "{route} {config}");
        }
        let answer = house
            .check(get(
                "fin.localhost",
                "/",
                &[(
                    "cookie",
                    &format!(
                        "_pomerium={}",
                        root.cookie("fin.localhost", "_pomerium").expect("a cookie")
                    ),
                )],
            ))
            .await;
        assert_eq!(answer.status.expect("a status").message, "impersonation-not-permitted");
        assert_eq!(root.go("http://public.localhost/").await.status(), 200, "what anybody may");
        assert_eq!(root.go(&format!("{AUTHENTICATE}/.pomerium/user")).await.status(), 401);
        let page = root.my_page().await;
        assert!(
            page.body().contains("it is refused") && page.body().contains("u-root"),
            "{page:?}"
        );
        assert!(!page.body().contains("As whom you act"), "{page:?}");
        // In force again with the right, and over for good once it was stopped without.
        house.reload(CONFIG);
        assert_eq!(email(&whoami(&mut root).await), "bob@corp.test");
        house.reload(config);
        root.stop_acting().await;
        assert_eq!(email(&whoami(&mut root).await), "root@corp.test");
        house.reload(CONFIG);
        assert_eq!(email(&whoami(&mut root).await), "root@corp.test");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acting_as_an_administrator_makes_nobody_one() {
    let config = CONFIG.replace("[Root@corp.test]", "[root@corp.test, chief@corp.test]");
    let house = House::configured(&config).await;
    let mut root = house.guest("root@corp.test").await;
    root.act_as("chief@corp.test", "").await;
    assert_eq!(email(&whoami(&mut root).await), "chief@corp.test");
    // The form and its rights are the holder's, also while acting as an ordinary person.
    root.act_as("bob@corp.test", "").await;
    assert!(root.my_page().await.body().contains("as-somebody"));
    assert_eq!(root.go(&format!("{AUTHENTICATE}/.pomerium/admin/people?q=a")).await.status(), 200);
    root.act_as("chief@corp.test", "").await;
    let claims = whoami(&mut root).await;
    let act = (claims["email"].as_str(), &claims["act"]["email"]);
    assert_eq!(act, (Some("chief@corp.test"), &json!("root@corp.test")), "never a chain");
    assert_eq!(
        told(&house.activity().await),
        [
            "impersonation-start root@corp.test chief@corp.test",
            "impersonation-end root@corp.test chief@corp.test replaced",
            "impersonation-start root@corp.test bob@corp.test",
            "impersonation-end root@corp.test bob@corp.test replaced",
            "impersonation-start root@corp.test chief@corp.test",
        ]
    );
    // Without a right of their own, the other's is worth nothing.
    house.reload(&CONFIG.replace("[Root@corp.test]", "[chief@corp.test]"));
    assert!(!root.my_page().await.body().contains("as-somebody"));
    for path in [IMPERSONATE, PREVIEW, "/.pomerium/admin/sessions/end"] {
        let seen = post(&mut root, path, &[("email", "bob@corp.test")]).await;
        assert_eq!(seen.status(), 403, "{path}");
    }
    for path in ["people?q=a", "sessions", "activity"] {
        let seen = root.go(&format!("{AUTHENTICATE}/.pomerium/admin/{path}")).await;
        assert_eq!(seen.status(), 403, "{path}");
    }
    // Envoy asking about the same pages hears the same.
    let cookie = format!("_pomerium={}", root.cookie("auth.localhost", "_pomerium").expect("one"));
    let ask = get("auth.localhost", "/.pomerium/admin/people", &[("cookie", &cookie)]);
    assert_eq!(house.check(ask).await.status.expect("a status").code, 7);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_by_itself() {
    let house = House::open().await;
    let mut root = house.guest("root@corp.test").await;
    let begin = async |root: &mut Browser<'_>, duration: &str| {
        let page = root.my_page().await;
        let fields = [("email", "bob@corp.test"), ("reason", "r"), ("duration", duration)];
        root.submit(&page, IMPERSONATE, &fields).await.status()
    };
    assert_eq!(begin(&mut root, "15m0s").await, 200);
    house.later(899);
    let claims = whoami(&mut root).await;
    assert_eq!(email(&claims), "bob@corp.test");
    assert!(claims["exp"].as_i64().expect("exp") <= house.now().unix() + 1, "{claims}");
    house.later(1);
    let claims = whoami(&mut root).await;
    assert_eq!((email(&claims), claims.get("act")), ("root@corp.test", None));
    assert!(root.trail.iter().all(|step| !step.contains("sign_in")), "{:?}", root.trail);
    assert!(!root.my_page().await.body().contains("You are acting as"));
    // The longest time a form may ask for, and what it may not.
    for bad in ["1h0m1s", "0s", "-5m", "soon", "99999999h", "1e9s", "NaN"] {
        assert_eq!(begin(&mut root, bad).await, 422, "{bad}");
    }
    assert_eq!(email(&whoami(&mut root).await), "root@corp.test");
    assert_eq!(begin(&mut root, "").await, 200);
    house.later(3599);
    assert_eq!(email(&whoami(&mut root).await), "bob@corp.test");
    house.later(1);
    assert_eq!(email(&whoami(&mut root).await), "root@corp.test");
    // Each has its end in the log, whoever comes first: another, a stop, the end of the session.
    let end = "impersonation-end root@corp.test bob@corp.test its time was over";
    assert_eq!(told(&house.activity().await).iter().filter(|line| *line == end).count(), 1);
    post(&mut root, "/.pomerium/impersonation/stop", &[]).await;
    begin(&mut root, "15m0s").await;
    house.later(1000);
    let page = root.my_page().await;
    root.submit(&page, "/.pomerium/sign_out", &[]).await;
    let entries = house.activity().await;
    assert_eq!(
        told(&entries).iter().filter(|line| *line == end).count(),
        3,
        "{:#?}",
        told(&entries)
    );
    let last = of(&entries, Verb::ImpersonationEnd).last().expect("an end").event.clone();
    let started = of(&entries, Verb::ImpersonationStart).last().expect("a start").event.at;
    assert_eq!(last.at.unix() - started.unix(), 900, "when it was over, not when somebody looked");
    assert_eq!(last.origin, lictor::session::Origin::default(), "nobody's request ended it");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_time_counts_at_once() {
    let house = House::open().await;
    let mut root = house.guest("root@corp.test").await;
    root.act_as("bob@corp.test", "").await;
    house.later(600);
    let short = CONFIG.to_owned() + "impersonation: {max_duration: 10m}\n";
    house.reload(&short);
    let claims = whoami(&mut root).await;
    assert_eq!((email(&claims), claims.get("act")), ("root@corp.test", None));
    assert!(!root.my_page().await.body().contains("You are acting as"));
    root.act_as("bob@corp.test", "").await;
    house.later(599);
    assert_eq!(email(&whoami(&mut root).await), "bob@corp.test");
    house.later(1);
    assert_eq!(email(&whoami(&mut root).await), "root@corp.test");
    // A longer one makes nothing longer than it was asked for.
    house.reload(&(CONFIG.to_owned() + "impersonation: {max_duration: 8h}\n"));
    assert_eq!(email(&whoami(&mut root).await), "root@corp.test");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_where_one_is_required() {
    let config = CONFIG.to_owned() + "impersonation: {require_reason: true}\n";
    let house = House::configured(&config).await;
    let mut root = house.guest("root@corp.test").await;
    for blank in ["", "  ", "\t\r\n", "\u{a0}"] {
        let fields = [("email", "bob@corp.test"), ("reason", blank)];
        assert_eq!(post(&mut root, IMPERSONATE, &fields).await.status(), 422, "{blank:?}");
    }
    assert_eq!(email(&whoami(&mut root).await), "root@corp.test");
    let fields = [("email", "bob@corp.test"), ("reason", " ticket\r\n7: <b>why</b> ")];
    assert_eq!(post(&mut root, IMPERSONATE, &fields).await.status(), 303);
    assert_eq!(email(&whoami(&mut root).await), "bob@corp.test");
    let entries = house.activity().await;
    let start = of(&entries, Verb::ImpersonationStart)[0];
    assert_eq!(start.event.reason, "ticket  7: <b>why</b>");
    let page = root.my_page().await;
    assert!(!page.body().contains("<b>why"), "{page:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn some_are_nobody_s_to_be() {
    let house = House::open().await;
    let mut root = house.guest("root@corp.test").await;
    house.guest_saying(saying("u-cfo", "cfo@corp.test", &["g-board"], &[])).await;
    root.act_as("bob@corp.test", "").await;
    let denying = ruled(CONFIG, |rules| {
        rules.deny.users = ["bob@corp.test".to_owned(), "u-cfo".to_owned()].into();
        rules.deny.groups = ["g-eng".to_owned()].into();
        rules.deny.domains = ["evil.test".to_owned()].into();
    });
    house.state.replace(denying);
    // One that is under way ends where it is.
    for route in ROUTES {
        let seen = root.go(&format!("http://{route}.localhost/")).await;
        assert_eq!(refusal(&seen), (403, true), "{route}");
    }
    root.stop_acting().await;
    for (person, groups) in [
        ("bob@corp.test", ""),
        ("BOB@Corp.Test", ""),
        ("u-bob", ""),
        (" bob@corp.test ", "g-other"),
        ("cfo@corp.test", ""),
        ("alice@corp.test", ""),
        ("alice@corp.test", "g-none"),
        ("eve@evil.test", ""),
        ("Anybody@EVIL.test", ""),
        ("", "g-eng"),
        ("", "g-x, g-eng"),
        ("ghost@corp.test", "g-eng"),
    ] {
        for path in [IMPERSONATE, PREVIEW] {
            let fields = [("email", person), ("groups", groups), ("reason", "r")];
            let seen = post(&mut root, path, &fields).await;
            assert_eq!(seen.status(), 403, "{person} {groups} {path}");
            assert!(!seen.body().contains("g-fin") && !seen.body().contains("g-board"), "{seen:?}");
        }
        assert_eq!(email(&whoami(&mut root).await), "root@corp.test");
    }
    for (person, groups) in [("ghost@corp.test", ""), ("", "g-fin"), ("x@sub.evil.test", "")] {
        let fields = [("email", person), ("groups", groups), ("reason", "r")];
        assert_eq!(post(&mut root, IMPERSONATE, &fields).await.status(), 303, "{person} {groups}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_attempt_is_in_the_log_with_both_names() {
    let house = House::open().await;
    let opened = house.open_session(profile("alice@corp.test")).await;
    let mut alice = house.with_session(&opened);
    let fields = [
        ("email", "root@corp.test"),
        ("groups", "g-admins, g-x"),
        ("reason", "because\r\nI <b>can</b>"),
    ];
    assert_eq!(post(&mut alice, IMPERSONATE, &fields).await.status(), 403);
    let entries = house.activity().await;
    let event = &entries.last().expect("an entry").event;
    let subject = event.subject.as_ref().expect("whom");
    assert_eq!(event.verb, Verb::ImpersonationRefused);
    assert_eq!((&*event.actor.user, &*event.actor.email), ("u-alice", "alice@corp.test"));
    assert_eq!(subject.email, "root@corp.test");
    assert_eq!(subject.groups, ["g-admins", "g-x"]);
    assert_eq!((&*event.reason, &*event.detail), ("becauseI <b>can</b>", "no-administrator"));
    assert_eq!((&*event.origin.address, &*event.origin.request_id), ("192.0.2.7", "r-7"));
    assert_eq!(event.session.as_ref(), Some(&opened.record.id));
    // While acting as somebody, who refused is the holder.
    let mut root = house.guest("root@corp.test").await;
    root.act_as("bob@corp.test", "").await;
    house.reload(&CONFIG.replace("[Root@corp.test]", "[]"));
    post(&mut root, IMPERSONATE, &[("email", "alice@corp.test"), ("reason", "r")]).await;
    let entries = house.activity().await;
    let event = &entries.last().expect("an entry").event;
    assert_eq!((event.verb, &*event.actor.email), (Verb::ImpersonationRefused, "root@corp.test"));
    // The rules of whom to act as, and being turned off, say so.
    house
        .state
        .replace(ruled(CONFIG, |rules| rules.deny.users = ["alice@corp.test".to_owned()].into()));
    post(&mut root, IMPERSONATE, &[("email", "alice@corp.test"), ("reason", "r")]).await;
    house.reload(&CONFIG.replace("impersonation: true", "impersonation: false"));
    post(&mut root, IMPERSONATE, &[("email", "alice@corp.test"), ("reason", "r")]).await;
    let entries = house.activity().await;
    let details: Vec<_> = of(&entries, Verb::ImpersonationRefused)
        .into_iter()
        .map(|entry| entry.event.detail.as_str())
        .collect();
    assert_eq!(
        details,
        [
            "no-administrator",
            "no-administrator",
            "target-not-permitted",
            "impersonation-turned-off"
        ]
    );
    verified_log_with(&*house.store, &ChainKey::derive(&SECRET_BYTES)).await;
    house.close().await;
}

#[tokio::test(flavor = "current_thread")]
async fn every_decision_names_both() {
    let (_guard, heard) = listen();
    let house = House::open().await;
    let mut root = house.guest("root@corp.test").await;
    root.act_as("bob@corp.test", "g-fin").await;
    root.go("http://fin.localhost/").await.claims();
    assert_eq!(root.go("http://eng.localhost/").await.status(), 403);
    let lines = heard.decisions();
    assert_eq!(lines.len(), 2);
    for (line, allowed) in lines.iter().zip([true, false]) {
        for (name, value) in [
            ("user", "u-root"),
            ("email", "root@corp.test"),
            ("impersonate-email", "bob@corp.test"),
            ("impersonate-user-id", "u-bob"),
            ("impersonate-groups", "g-fin"),
            ("session-source", "cookie"),
        ] {
            assert_eq!(line[name], value, "{name} in {line}");
        }
        assert_eq!(line["allow"], allowed, "{line}");
        assert!(line["session-id"].as_str().is_some_and(|id| id.starts_with("ses_")), "{line}");
    }
    for host in ["fin", "eng"] {
        let host = format!("{host}.localhost");
        let cookie = format!("_pomerium={}", root.cookie(&host, "_pomerium").expect("a cookie"));
        let answer = house.check(get(&host, "/", &[("cookie", &cookie)])).await;
        let metadata = answer.dynamic_metadata.expect("metadata").fields;
        let text = |name: &str| match metadata.get(name).and_then(|value| value.kind.clone()) {
            Some(envoy_types::pb::google::protobuf::value::Kind::StringValue(text)) => text,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!([text("user"), text("email")], ["u-bob", "bob@corp.test"]);
        assert_eq!([text("actor_user"), text("actor_email")], ["u-root", "root@corp.test"]);
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_else_ends_it() {
    let house = House::open().await;
    let opened = house.open_session(profile("root@corp.test")).await;
    let mut root = house.with_session(&opened);
    let origin = lictor::session::Origin::default();
    let at = || lictor::people::Moment { now: house.now(), origin: &origin };
    // A refresh.
    root.act_as("bob@corp.test", "").await;
    let again = profile("root@corp.test");
    let nothing = |_: &lictor::id::SessionId, _: &lictor::provider::ProviderTokens| None;
    let people = house.people();
    assert!(people.refreshed(&opened.record.id, &again, &nothing, at()).await.expect("refreshes"));
    settled(&mut root, "root@corp.test").await;
    // Another administrator, from the list of sessions; what they are shown is who.
    root.act_as("bob@corp.test", "").await;
    house.reload(&CONFIG.replace("[Root@corp.test]", "[root@corp.test, chief@corp.test]"));
    let mut chief = house.guest_saying(saying("u-chief", "chief@corp.test", &[], &[])).await;
    let id = opened.record.id.to_string();
    let page =
        chief.go(&format!("{AUTHENTICATE}/.pomerium/admin/sessions/stop?session={id}")).await;
    assert!(page.body().contains("bob@corp.test"), "{page:?}");
    chief.submit(&page, "/.pomerium/admin/sessions/stop", &[("session", &id)]).await;
    for host in HOSTS.into_iter().filter(|host| !["auth", "public"].contains(host)) {
        let seen = root.go(&format!("http://{host}.localhost/.pomerium/user")).await;
        assert_eq!(seen.reply().json()["email"], "root@corp.test", "{host}");
    }
    // Its own end, and a new sign-in in the same browser.
    root.act_as("bob@corp.test", "").await;
    let page = chief.go(&format!("{AUTHENTICATE}/.pomerium/admin/sessions/end?session={id}")).await;
    chief.submit(&page, "/.pomerium/admin/sessions/end", &[("session", &id)]).await;
    assert_eq!(root.go("http://any.localhost/").await.status(), 200, "the login form");
    let mut anew = house.guest("root@corp.test").await;
    assert_eq!(email(&whoami(&mut anew).await), "root@corp.test");
    assert_eq!(
        told(&house.activity().await),
        [
            "impersonation-start root@corp.test bob@corp.test",
            "impersonation-end root@corp.test bob@corp.test refresh",
            "refresh root@corp.test nobody",
            "impersonation-start root@corp.test bob@corp.test",
            "impersonation-stop chief@corp.test bob@corp.test root@corp.test",
            "impersonation-start root@corp.test bob@corp.test",
            "impersonation-end root@corp.test bob@corp.test revoked",
            "revoke chief@corp.test root@corp.test",
        ]
    );
    house.close().await;
}

/// Waits until a change by another memory of the store has come round.
async fn settled(browser: &mut Browser<'_>, expected: &str) {
    for _ in 0..100 {
        if email(&whoami(browser).await) == expected {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("never {expected}");
}
