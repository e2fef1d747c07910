//! Signing in, being oneself, acting as somebody else, and signing out; without Envoy, with a clock that
//! is moved by hand.

use crate::support::house::{AUTHENTICATE, House, PASSWORD, Seen, attribute};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn one_lands_on_the_page_first_asked_for() {
    let house = House::open().await;
    let mut browser = house.browser();
    let seen = browser.sign_in("http://eng.localhost/a/page?x=1&y=a%20b", "alice@corp.test").await;
    assert_eq!(seen.url().as_str(), "http://eng.localhost/a/page?x=1&y=a%20b");
    let claims = seen.claims();
    assert_eq!(claims["email"], "alice@corp.test");
    assert_eq!(claims["user"], "u-alice");
    assert_eq!(claims["groups"], json!(["g-eng", "g-all", "Engineers"]), "ids, then names");
    assert!(claims["sid"].as_str().expect("a sid").starts_with("ses_"));
    assert_eq!(house.told().await, ["sign-in local"]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_two_cookies_one_session() {
    let house = House::open().await;
    let mut browser = house.browser();
    browser.sign_in("http://eng.localhost/", "alice@corp.test").await.claims();
    // The second host asks nobody for a password.
    let seen = browser.go("http://any.localhost/deep").await;
    assert_eq!(seen.claims()["email"], "alice@corp.test");
    let cookie = |host: &str| browser.cookie(host, "_pomerium").expect("a cookie").to_owned();
    let (eng, any) = (cookie("eng.localhost"), cookie("any.localhost"));
    assert_ne!(eng, any);
    assert_eq!(house.sessions().await.len(), 1);
    // The cookie of one host is no cookie of the other.
    browser.set_cookie("any.localhost", "_pomerium", &eng);
    let mut stolen = house.browser();
    stolen.set_cookie("any.localhost", "_pomerium", &eng);
    let seen = stolen.go("http://any.localhost/").await;
    assert!(seen.body().contains("name=\"password\""), "{seen:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acting_as_somebody_is_being_them_everywhere_until_it_stops() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    assert_eq!(root.go("http://adm.localhost/").await.claims()["email"], "root@corp.test");
    assert_eq!(root.go("http://fin.localhost/").await.status(), 403);
    let page = root.act_as("bob@corp.test", "").await;
    assert_eq!(page.status(), 200, "{page:?}");
    assert!(page.body().contains("bob@corp.test"), "{page:?}");
    let seen = root.go("http://fin.localhost/").await;
    let claims = seen.claims();
    assert_eq!(claims["email"], "bob@corp.test");
    assert_eq!(claims["user"], "u-bob");
    assert_eq!(claims["groups"], json!(["g-fin"]));
    assert_eq!(claims["act"], json!({ "sub": "u-root", "email": "root@corp.test" }));
    assert_eq!(root.go("http://adm.localhost/").await.status(), 403);
    root.stop_acting().await;
    assert_eq!(root.go("http://fin.localhost/").await.status(), 403);
    assert_eq!(root.go("http://adm.localhost/").await.claims()["email"], "root@corp.test");
    assert_eq!(house.told().await, ["sign-in local", "impersonation-start", "impersonation-stop"]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_it_on_every_host() {
    let house = House::open().await;
    let mut browser = house.browser();
    browser.sign_in("http://eng.localhost/", "alice@corp.test").await.claims();
    browser.go("http://any.localhost/").await.claims();
    let page = browser.go(&format!("{AUTHENTICATE}/.pomerium/sign_out")).await;
    let out = browser.submit(&page, "/.pomerium/sign_out", &[]).await;
    assert_eq!(out.url().path(), "/.pomerium/signed_out");
    for host in ["eng", "any"] {
        let seen = browser.go(&format!("http://{host}.localhost/")).await;
        assert!(seen.body().contains("name=\"password\""), "{seen:?}");
    }
    assert!(house.sessions().await.is_empty());
    assert_eq!(house.told().await, ["sign-in local", "sign-out"]);
    house.close().await;
}

/// Where the button of a page with a message leads.
fn button(seen: &Seen) -> String {
    attribute(seen.body(), "class=\"button primary\" href", "http")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_page_that_was_kept_leads_to_its_page() {
    let house = House::open().await;
    let mut browser = house.browser();
    let form = browser.go("http://eng.localhost/a/page?x=1").await;
    let kept = browser.trail.last().expect("the sign-in page").replacen("GET ", "", 1);
    house.later(16 * 60);

    // What was typed too late is typed again.
    let stale = browser.log_in(&form, "alice@corp.test", PASSWORD).await;
    assert_eq!(stale.status(), 422);
    assert!(stale.body().contains("open for too long"), "{stale:?}");
    let seen = browser.log_in(&stale, "alice@corp.test", PASSWORD).await;
    assert_eq!(seen.url().as_str(), "http://eng.localhost/a/page?x=1");
    assert_eq!(seen.claims()["email"], "alice@corp.test");

    // The address of it is too old, and says where to begin.
    let mut other = house.browser();
    let expired = other.go(&kept).await;
    assert_eq!(expired.status(), 400);
    assert_eq!(button(&expired), "http://eng.localhost/a/page?x=1");
    // One that somebody made up says nothing.
    let forged = other.go(&kept.replace("eng.localhost", "adm.localhost")).await;
    assert_eq!(forged.status(), 400);
    assert!(!forged.body().contains("adm.localhost"), "{forged:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tabs_that_open_at_once_do_not_strand_each_other() {
    let house = House::open().await;
    let mut browser = house.browser();
    let first = browser.go("http://eng.localhost/first").await;
    // The second was asked before the first had its key.
    browser.jars.clear();
    let second = browser.go("http://any.localhost/second").await;
    let seen = browser.log_in(&second, "alice@corp.test", PASSWORD).await;
    assert_eq!(seen.url().as_str(), "http://any.localhost/second");
    let lost = browser.log_in(&first, "alice@corp.test", PASSWORD).await;
    assert_eq!(lost.status(), 403);
    let seen = browser.go(&button(&lost)).await;
    assert_eq!(seen.url().as_str(), "http://eng.localhost/first");
    assert_eq!(seen.claims()["email"], "alice@corp.test");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn going_back_to_a_link_that_was_used_leads_on() {
    let house = House::open().await;
    let mut browser = house.browser();
    browser.sign_in("http://eng.localhost/a/page", "alice@corp.test").await.claims();
    let used = browser.trail.iter().rfind(|step| step.contains("pomerium_code=")).cloned();
    let used = used.expect("a callback").replacen("GET ", "", 1);
    let again = browser.go(&used).await;
    assert_eq!(again.status(), 400);
    let seen = browser.go(&button(&again)).await;
    assert_eq!(seen.url().as_str(), "http://eng.localhost/a/page");
    assert_eq!(seen.claims()["email"], "alice@corp.test");
    house.close().await;
}
