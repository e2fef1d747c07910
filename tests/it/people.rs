//! Signing in, being oneself, acting as somebody else, and signing out; without Envoy, with a clock that
//! is moved by hand.

use crate::support::house::{AUTHENTICATE, House};
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
