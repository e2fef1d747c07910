//! People with a real browser, through a real Envoy: signing in by the users file, being oneself, acting
//! as somebody else, being kept out, signing out. Pictures are left in `target/tmp/people`.

use crate::support::browser::key;
use crate::support::house::PASSWORD;
use crate::support::look::Look;
use crate::support::stage::{LONG, Somebody, Stage};
use serde_json::{Value, json};

/// A page, with a query that has to survive everything in between.
const WANTED: &str = "/reports/2026?team=a%20b&x=1&y=%2Fz%3F";

const ROOT_ID: &str = "00u1root7xYzQwErTy5d7";
const BOB_ID: &str = "00u3bob7xYzQwErTy5d7";

#[tokio::test(flavor = "multi_thread")]
async fn one_lands_on_the_page_first_asked_for() {
    let stage = Stage::local().await;
    let bob = Somebody::new(&stage).await;
    bob.opens("httpbin", WANTED).await;
    assert!(bob.browser.url().await.starts_with(&stage.at("authenticate", "/.pomerium/sign_in?")));
    assert!(bob.browser.text("main").await.contains("httpbin.localhost"), "it says where to");
    bob.signs_in("bob@corp.test", PASSWORD).await;
    bob.lands_on("httpbin", WANTED).await;
    let got = bob.got().await;
    assert_eq!(got["path"], WANTED);
    assert_eq!(got["headers"]["x-pomerium-claim-email"], "bob@corp.test");
    assert!(!got.to_string().contains("_pomerium"), "no cookie of ours: {got}");
    let claims = stage.verified("httpbin", &got).await;
    assert_eq!(claims["user"], BOB_ID);
    assert_eq!(claims["act"], Value::Null);
    bob.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_two_cookies() {
    let stage = Stage::local().await;
    let bob = Somebody::signed_in(&stage, "bob@corp.test").await;
    let first = bob.cookie("_pomerium").await.expect("a cookie");
    // Nobody is asked for a password again.
    let claims = bob.is_seen_at("payroll").await;
    assert_eq!(claims["email"], "bob@corp.test");
    let second = bob.cookie("_pomerium").await.expect("a cookie");
    assert_ne!(first["value"], second["value"]);
    for (cookie, host) in [(&first, "httpbin.localhost"), (&second, "payroll.localhost")] {
        assert_eq!(cookie["domain"], host, "of this host alone");
        assert_eq!((&cookie["httpOnly"], &cookie["path"]), (&json!(true), &json!("/")));
        assert_eq!(cookie["sameSite"], "Lax");
    }
    bob.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_id_is_shown_and_copied() {
    let stage = Stage::local().await;
    let root = Somebody::signed_in(&stage, "root@corp.test").await;
    root.my_page().await;
    assert!(root.browser.text("main").await.contains(ROOT_ID));
    let origin = stage.at("httpbin", "/");
    let allowed = json!({ "origin": origin.trim_end_matches('/'), "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    root.browser.devtools("Browser.grantPermissions", allowed).await;
    root.browser.click("[aria-label='Copy user id']").await;
    root.browser
        .wait_until("return document.getElementById('said').textContent === 'Copied'")
        .await;
    root.browser.click("#reason").await;
    root.browser.keys(&format!("{}v", key::CONTROL)).await;
    assert_eq!(root.browser.value("#reason").await, ROOT_ID);
    root.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_is_somebody_else_until_they_stop() {
    let stage = Stage::local().await;
    let root = Somebody::signed_in(&stage, "root@corp.test").await;
    root.is_refused_at("payroll").await;
    assert_eq!(root.is_seen_at("admin").await["user"], ROOT_ID);
    let actor = json!({ "sub": ROOT_ID, "email": "root@corp.test" });

    root.acts_as("bob@corp.test", "", "ticket 7").await;
    let band = root.browser.text(".band").await;
    assert!(band.contains("bob@corp.test") && band.contains("ticket 7"), "{band}");
    let claims = root.is_seen_at("payroll").await;
    assert_eq!((&claims["email"], &claims["user"]), (&json!("bob@corp.test"), &json!(BOB_ID)));
    assert_eq!(claims["groups"], json!(["g-finance", "Finance"]));
    assert_eq!(claims["act"], actor);
    root.is_refused_at("admin").await;

    root.acts_as("", "g-finance", "").await;
    let claims = root.is_seen_at("payroll").await;
    assert_eq!((&claims["email"], &claims["user"]), (&json!(""), &json!("")), "nobody");
    assert_eq!(claims["groups"], json!(["g-finance", "Finance"]));
    assert_eq!(claims["act"], actor);
    root.is_refused_at("admin").await;

    root.acts_as("alice@corp.test", "g-finance, no-such-group", "").await;
    let claims = root.is_seen_at("payroll").await;
    assert_eq!(claims["email"], "alice@corp.test");
    assert_eq!(claims["groups"], json!(["g-finance", "no-such-group", "Finance"]));
    assert_eq!(claims["act"], actor);

    root.stops().await;
    root.is_refused_at("payroll").await;
    let claims = root.is_seen_at("admin").await;
    assert_eq!((&claims["user"], &claims["act"]), (&json!(ROOT_ID), &Value::Null));
    root.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acting_as_somebody_ends_by_itself() {
    let stage = Stage::local().await;
    let root = Somebody::signed_in(&stage, "root@corp.test").await;
    root.my_page().await;
    // The shortest that is offered is a quarter of an hour.
    root.browser.run("document.querySelector('#duration option').value = '4s'; return document.querySelector('#duration').selectedIndex = 0").await;
    root.browser.fill("#email", "bob@corp.test").await;
    root.browser.click("#as-somebody button.primary").await;
    root.browser.wait_for(".band").await;
    assert_eq!(root.is_seen_at("payroll").await["email"], "bob@corp.test");
    root.opens("httpbin", "/.pomerium/").await;
    root.browser.wait_until("return document.querySelector('.band a') !== null").await;
    assert!(root.browser.text(".band").await.contains("It has ended"));
    root.is_refused_at("payroll").await;
    assert_eq!(root.is_seen_at("admin").await["act"], Value::Null);
    root.my_page().await;
    assert!(!root.browser.has(".band").await);
    root.is_content().await;
}

/// Sends a form that stands on no page, with the token of the page that the browser is on.
const FORGE: &str = "
    const form = document.createElement('form');
    form.method = 'post';
    form.action = '/.pomerium/admin/impersonate';
    const fields = { csrf: document.querySelector('[name=csrf]').value, email: 'root@corp.test', reason: 'forged' };
    for (const [name, value] of Object.entries(fields)) {
        const field = document.createElement('input');
        field.name = name;
        field.value = value;
        form.append(field);
    }
    document.body.append(form);
    form.submit();
    return true";

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_administrator_sees_no_form_and_a_forged_one_is_refused() {
    let stage = Stage::local().await;
    let alice = Somebody::signed_in(&stage, "alice@corp.test").await;
    alice.my_page().await;
    assert!(!alice.browser.has("#as-somebody").await && !alice.browser.has("nav").await);
    alice.browser.run(FORGE).await;
    alice.browser.wait_until("return document.title.startsWith('You may not do this')").await;
    alice.opens("httpbin", "/headers").await;
    let got = alice.got().await;
    let claims = stage.verified("httpbin", &got).await;
    assert_eq!((&claims["email"], &claims["act"]), (&json!("alice@corp.test"), &Value::Null));
    let address = got["headers"]["x-forwarded-for"].as_str().expect("an address");
    for page in ["sessions", "activity", "people?q=a"] {
        alice.opens("httpbin", &format!("/.pomerium/admin/{page}")).await;
        let title = alice.browser.title().await;
        assert!(title.starts_with("You may not do this"), "{page}: {title}");
    }

    let root = Somebody::signed_in(&stage, "root@corp.test").await;
    root.opens("authenticate", "/.pomerium/admin/activity?who=alice%40corp.test").await;
    let told = root.browser.text("tbody").await;
    assert!(told.contains("alice@corp.test") && told.contains("root@corp.test"), "{told}");
    assert!(told.contains("forged") && told.contains("no-administrator"), "{told}");
    assert!(told.contains(address), "from {address}: {told}");
    root.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_is_refused() {
    let stage = Stage::local().await;
    let root = Somebody::signed_in(&stage, "root@corp.test").await;
    root.my_page().await;
    let token = root.browser.value("#as-somebody [name=csrf]").await;
    // The page of an upstream on another host, which has got hold of a token.
    root.opens("payroll", "/.pomerium/").await;
    let action = stage.at("httpbin", "/.pomerium/admin/impersonate");
    let forge = FORGE
        .replace("'/.pomerium/admin/impersonate'", &format!("'{action}'"))
        .replace("document.querySelector('[name=csrf]').value", &format!("'{token}'"));
    root.opens("admin", "/").await;
    root.browser.run(&forge).await;
    // Another site's form does not even carry the cookie.
    root.browser.wait_until("return document.title.startsWith('You are not signed in') || document.title.startsWith('Nothing was changed')").await;
    assert_eq!(root.is_seen_at("httpbin").await["act"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_it_on_every_host() {
    let stage = Stage::local().await;
    let root = Somebody::signed_in(&stage, "root@corp.test").await;
    root.acts_as("bob@corp.test", "", "").await;
    root.is_seen_at("payroll").await;
    root.signs_out().await;
    root.browser.wait_for_url(|url| url.ends_with("/.pomerium/signed_out")).await;
    for host in ["httpbin", "payroll"] {
        root.is_asked_to_sign_in_at(host).await;
    }
    // Whoever signs in now is themselves.
    root.signs_in("root@corp.test", PASSWORD).await;
    root.lands_on("payroll", "/").await;
    root.is_refused_at("payroll").await;
    root.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_ends_the_session_of_another_browser() {
    let stage = Stage::local().await;
    let bob = Somebody::signed_in(&stage, "bob@corp.test").await;
    let root = Somebody::signed_in(&stage, "root@corp.test").await;
    root.my_page().await;
    root.browser.click("nav a[href='/.pomerium/admin/sessions']").await;
    root.browser.fill("#person", "bob@corp.test").await;
    root.browser.click("form[role=search] button").await;
    root.browser.wait_until("return document.querySelectorAll('tbody tr').length === 1").await;
    root.browser.click("tbody .do a").await;
    root.browser.wait_until("return document.title.startsWith('End')").await;
    assert!(root.browser.text("main").await.contains("bob@corp.test"));
    root.browser.click("main form button").await;
    root.browser.wait_for_url(|url| url.ends_with("?done=ended")).await;
    bob.is_asked_to_sign_in_at("httpbin").await;
    assert_eq!(root.is_seen_at("httpbin").await["email"], "root@corp.test");
    root.is_content().await;
    bob.is_content().await;
}

/// Signs in, acts, is kept out and signs out with nothing but what HTML does.
#[tokio::test(flavor = "multi_thread")]
async fn everything_works_without_scripts() {
    let stage = Stage::local().await;
    let root = Somebody::new(&stage).await;
    root.browser.scripts(false).await;
    root.opens("httpbin", WANTED).await;
    root.signs_in("root@corp.test", PASSWORD).await;
    root.lands_on("httpbin", WANTED).await;
    root.acts_as("bob@corp.test", "", "ticket 7").await;
    root.opens("payroll", "/headers").await;
    let claims = stage.verified("payroll", &root.got().await).await;
    assert_eq!(
        (&claims["email"], &claims["act"]["email"]),
        (&json!("bob@corp.test"), &json!("root@corp.test"))
    );
    root.stops().await;
    root.is_refused_at("payroll").await;
    root.my_page().await;
    root.browser.fill("#email", "bob@corp.test").await;
    root.browser.click("[formaction='/.pomerium/admin/preview']").await;
    root.browser.wait_for("#route-table").await;
    root.signs_out().await;
    root.browser.wait_for_url(|url| url.ends_with("/.pomerium/signed_out")).await;
    root.is_asked_to_sign_in_at("httpbin").await;
}

/// Gives a wrong password, and waits for the page that says so.
async fn fails_to_sign_in(somebody: &Somebody<'_>, login: &str) {
    somebody.browser.run("return document.documentElement.dataset.seen = true").await;
    somebody.signs_in(login, "wrong").await;
    let fresh = "return document.documentElement.dataset.seen === undefined && document.querySelector('#trouble') !== null";
    somebody.browser.wait_until(fresh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_accessible_and_fits_what_people_are_really_called() {
    let stage = Stage::local().await;
    let mut look = Look::new();
    let long = Somebody::new(&stage).await;
    let path =
        "/a/rather/deep/path/to-some-report/with_a_long_name_that_goes_on/2026-11-22T12:00:00Z";
    long.opens("httpbin", path).await;
    look.at(&long.browser, "sign-in").await;
    fails_to_sign_in(&long, LONG).await;
    look.at(&long.browser, "sign-in-wrong").await;
    for _ in 0..12 {
        if !long.browser.has("#trouble time").await {
            fails_to_sign_in(&long, "somebody@corp.test").await;
        }
    }
    assert!(long.browser.has("#trouble time").await, "it takes longer and longer");
    look.at(&long.browser, "sign-in-wait").await;
    long.signs_in(LONG, PASSWORD).await;
    long.lands_on("httpbin", path).await;
    long.my_page().await;
    look.at(&long.browser, "my-page").await;
    long.is_refused_at("payroll").await;
    look.at(&long.browser, "refused").await;
    long.opens("httpbin", "/.pomerium/admin/sessions").await;
    look.at(&long.browser, "not-permitted").await;
    for (page, name) in [
        ("/.pomerium/callback/?pomerium_code=x&pomerium_signature=y", "bad-link"),
        ("/.pomerium/nothing-here", "not-found"),
        ("/.pomerium/sign_out", "sign-out"),
    ] {
        long.opens("httpbin", page).await;
        look.at(&long.browser, name).await;
    }

    let root = Somebody::signed_in(&stage, "root@corp.test").await;
    root.my_page().await;
    look.at(&root.browser, "administrator").await;
    root.browser.fill("#email", "nobody in particular").await;
    root.browser.click("#as-somebody button.primary").await;
    root.browser.wait_for(".summary").await;
    look.at(&root.browser, "administrator-errors").await;
    root.browser.fill("#email", LONG).await;
    root.browser.click("[formaction='/.pomerium/admin/preview']").await;
    root.browser.wait_for("#route-table").await;
    look.at(&root.browser, "preview").await;
    root.acts_as(LONG, "", "she asked me to look at the quarterly report while she is on holiday until the second of December, INC-20261122-0042").await;
    look.at(&root.browser, "acting").await;
    root.is_refused_at("admin").await;
    look.at(&root.browser, "refused-acting").await;
    root.opens("httpbin", "/.pomerium/admin/sessions").await;
    look.at(&root.browser, "sessions").await;
    root.browser.click("tbody .do a[href*='stop']").await;
    root.browser.wait_until("return document.title.startsWith('Stop')").await;
    look.at(&root.browser, "stop-impersonation").await;
    root.opens("httpbin", "/.pomerium/admin/sessions").await;
    root.browser.click("tbody .do a[href*='end']").await;
    root.browser.wait_until("return document.title.startsWith('End')").await;
    look.at(&root.browser, "end-session").await;
    root.opens("httpbin", "/.pomerium/admin/activity").await;
    look.at(&root.browser, "activity").await;
    root.opens("httpbin", "/.pomerium/admin/sessions?person=nobody").await;
    look.at(&root.browser, "sessions-none").await;
    root.acts_as("", "g-finance", "").await;
    look.at(&root.browser, "acting-as-groups").await;
    root.signs_out().await;
    root.browser.wait_for_url(|url| url.ends_with("/.pomerium/signed_out")).await;
    look.at(&root.browser, "signed-out").await;
    look.found_nothing();
}
