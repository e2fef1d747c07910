//! People with a real browser, through a real Envoy, who sign in at the certified OpenID provider: there
//! and back, refresh, and signing out on either side.

use crate::support::look::Look;
use crate::support::oidc_provider::PASSWORD;
use crate::support::stage::{Somebody, Stage};
use serde_json::{Value, json};
use std::time::Duration;

const WANTED: &str = "/reports/2026?team=a%20b&x=1";

#[tokio::test(flavor = "multi_thread")]
async fn one_lands_on_the_page_first_asked_for() {
    let stage = Stage::at_provider().await;
    let provider = stage.provider.as_ref().expect("a provider").issuer.clone();
    let ann = Somebody::new(&stage).await;
    ann.opens("httpbin", WANTED).await;
    assert!(ann.browser.url().await.starts_with(&provider), "it leads to the provider");
    ann.signs_in("ann", &format!("ann{PASSWORD}")).await;
    ann.lands_on("httpbin", WANTED).await;
    let got = ann.got().await;
    let claims = stage.verified("httpbin", &got).await;
    assert_eq!((&claims["sub"], &claims["email"]), (&json!("ann"), &json!("ann@example.com")));
    assert_eq!(claims["groups"], json!(["eng", "ops"]), "as the provider says");
    assert!(!got.to_string().contains("_pomerium"), "{got}");

    ann.my_page().await;
    let page = ann.browser.text("main").await;
    assert!(page.contains(&provider) && page.contains("ann of Example"), "{page}");
    let mut look = Look::new();
    look.at(&ann.browser, "my-page-of-a-provider").await;

    // The second host has its own cookie, and asks nobody.
    ann.is_refused_at("payroll").await;
    ann.is_content().await;
    look.found_nothing();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_there_is_refused_here() {
    let stage = Stage::at_provider().await;
    let ann = Somebody::new(&stage).await;
    ann.opens("httpbin", WANTED).await;
    ann.browser.click("[name=abort]").await;
    ann.browser.wait_until("return document.title.startsWith('You were not signed in')").await;
    let mut look = Look::new();
    look.at(&ann.browser, "refused-by-the-provider").await;
    ann.browser.click("main a.button").await;
    ann.signs_in("admin", &format!("admin{PASSWORD}")).await;
    ann.lands_on("httpbin", WANTED).await;
    ann.opens("authenticate", "/.pomerium/admin/activity").await;
    let told = ann.browser.text("tbody").await;
    assert!(told.contains("Sign-in failed"), "{told}");
    ann.is_content().await;
    look.found_nothing();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_without_what_they_left_with_begins_again() {
    let stage = Stage::at_provider().await;
    let ann = Somebody::new(&stage).await;
    ann.opens("httpbin", WANTED).await;
    let key = json!({ "name": "_pomerium_csrf", "domain": "authenticate.localhost" });
    ann.browser.devtools("Network.deleteCookies", key).await;
    ann.signs_in("ann", &format!("ann{PASSWORD}")).await;
    ann.browser.wait_until("return document.title.startsWith('This link cannot be used')").await;
    ann.browser.click("main a.button").await;
    ann.lands_on("httpbin", WANTED).await;
    assert_eq!(ann.is_seen_at("httpbin").await["email"], "ann@example.com");
    ann.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_acts_as_somebody_whom_only_sign_ins_know() {
    let stage = Stage::at_provider().await;
    Somebody::signed_in_there(&stage, "ann").await;
    let admin = Somebody::signed_in_there(&stage, "admin").await;
    assert_eq!(admin.is_seen_at("admin").await["email"], "admin@example.com");
    admin.my_page().await;
    admin.browser.press("#email", "ann").await;
    admin.browser.wait_for("#email-options [role=option]").await;
    admin.browser.click("#email-options [role=option]").await;
    assert_eq!(admin.browser.value("#email").await, "ann@example.com");
    admin.browser.fill("#reason", "ticket 7").await;
    admin.browser.click("#as-somebody button.primary").await;
    admin.browser.wait_for(".band").await;
    let claims = admin.is_seen_at("httpbin").await;
    assert_eq!((&claims["sub"], &claims["email"]), (&json!("ann"), &json!("ann@example.com")));
    assert_eq!(claims["groups"], json!(["eng", "ops"]));
    assert_eq!(claims["act"], json!({ "sub": "admin", "email": "admin@example.com" }));
    admin.is_refused_at("admin").await;
    admin.stops().await;
    assert_eq!(admin.is_seen_at("admin").await["act"], Value::Null);
    admin.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_makes_everybody_themselves_again() {
    let stage = Stage::at_provider().await;
    let admin = Somebody::signed_in_there(&stage, "admin").await;
    admin.acts_as("ann@example.com", "", "ticket 7").await;
    let mut claims = admin.is_seen_at("httpbin").await;
    assert_eq!(claims["act"]["email"], "admin@example.com");
    // The access token is about to expire; the provider is asked again in the background.
    stage.later(270);
    for _ in 0..60 {
        if claims["act"] == Value::Null {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        claims = admin.is_seen_at("httpbin").await;
    }
    assert_eq!((&claims["email"], &claims["act"]), (&json!("admin@example.com"), &Value::Null));
    admin.opens("authenticate", "/.pomerium/admin/activity").await;
    let told = admin.browser.text("tbody").await;
    assert!(told.contains("refresh"), "{told}");
    admin.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_here_signs_out_there_and_comes_back() {
    let stage = Stage::at_provider().await;
    let ann = Somebody::signed_in_there(&stage, "ann").await;
    ann.signs_out().await;
    ann.browser.click("button[name=logout]").await;
    ann.browser.wait_for_url(|url| url.contains("/.pomerium/signed_out")).await;
    let page = ann.browser.text("main").await;
    assert!(page.contains("You are signed out") && !page.contains("still"), "{page}");
    ann.is_asked_to_sign_in_at("httpbin").await;
    ann.signs_in("bob", &format!("bob{PASSWORD}")).await;
    ann.lands_on("httpbin", "/").await;
    assert_eq!(ann.is_seen_at("httpbin").await["email"], "bob@example.com");
    ann.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_there_signs_out_here() {
    let stage = Stage::at_provider().await;
    let provider = stage.provider.as_ref().expect("a provider").issuer.clone();
    let ann = Somebody::signed_in_there(&stage, "ann").await;
    let elsewhere = Somebody::signed_in_there(&stage, "ann").await;
    ann.browser.open(&format!("{provider}/session/end")).await;
    ann.browser.click("button[name=logout]").await;
    ann.browser.wait_until("return !document.querySelector('button[name=logout]')").await;
    // The provider has told us by then, in the background.
    ann.is_asked_to_sign_in_at("httpbin").await;
    let claims = elsewhere.is_seen_at("httpbin").await;
    assert_eq!(claims["email"], "ann@example.com", "another sign-in goes on");

    let admin = Somebody::signed_in_there(&stage, "admin").await;
    admin.opens("authenticate", "/.pomerium/admin/activity?who=ann%40example.com").await;
    let told = admin.browser.text("tbody").await;
    assert!(told.contains("Signed out by the provider"), "{told}");
}
