//! The console with a real browser, through a real Envoy: from an account to a call, by mouse and by
//! keyboard alone, and who is let in. Line 13 of what is promised. Pictures are left in
//! `target/tmp/people`.

use crate::support::browser::{Browser, key};
use crate::support::house::PASSWORD;
use crate::support::look::Look;
use crate::support::stage::{Somebody, Stage};
use serde_json::{Value, json};

const BOT: &str = "build-bot@design.pomerium";
const BOB: &str = "00u3bob7xYzQwErTy5d7";

/// The token on the page that shows it once, which one has to ask for.
async fn token(browser: &Browser) -> String {
    browser.wait_for("#shown[open]").await;
    let token = browser.text("#token").await;
    assert_eq!(token.split('.').count(), 3, "{token}");
    token
}

/// Neither the page nor its source holds the token, once it is there.
async fn is_gone(browser: &Browser, token: &str) {
    browser.wait_until("return document.readyState === 'complete'").await;
    let held = format!("return document.documentElement.outerHTML.includes({token:?})");
    assert_eq!(browser.run(&held).await, false, "at {}", browser.url().await);
}

/// Back to where the token was shown, and then by a reload: it is not shown again.
async fn is_not_shown_again(browser: &Browser, token: &str) {
    browser.run("history.back(); return true").await;
    browser.wait_for_url(|url| url.ends_with("/token")).await;
    is_gone(browser, token).await;
    for _ in 0..2 {
        browser.reload().await;
        is_gone(browser, token).await;
        let said = browser.text("h1").await;
        assert!(said.contains("already displayed"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_13_from_an_account_to_a_call_by_mouse() {
    let stage = Stage::with_machines().await;
    let root = Somebody::new(&stage).await;
    let (browser, mut look) = (&root.browser, Look::new());
    root.opens("authenticate", "/console/").await;
    root.signs_in("root@corp.test", PASSWORD).await;
    browser.wait_for("nav.side").await;
    look.at(browser, "console-overview").await;

    browser.click(".picker > summary").await;
    browser.click("#picker a[title='Global / Design']").await;
    browser.wait_for("summary[aria-label='Namespace: Global / Design']").await;
    browser.click("nav.side a[data-go='s']").await;
    browser.wait_for(".empty").await;
    look.at(browser, "console-no-accounts").await;
    browser.click("a[data-new]").await;
    browser.wait_for("#name").await;
    look.at(browser, "console-new-account").await;
    browser.fill("#name", "build-bot").await;
    browser.fill("#description", "builds").await;
    browser.click("form.form button.primary").await;
    browser.click("#shown summary").await;
    let token = token(browser).await;
    look.at(browser, "console-token").await;
    assert_eq!(stage.called_by("api", &token).await.status, 403, "no policy names it yet");
    browser.click("#saved").await;
    browser.wait_for("#rotate").await;
    is_gone(browser, &token).await;
    look.at(browser, "console-account").await;
    is_not_shown_again(browser, &token).await;
    look.at(browser, "console-already-shown").await;

    allow_by_mouse(browser, &mut look).await;
    let reply = stage.called_by("api", &token).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let claims = stage.verified("api", &reply.json()).await;
    assert_eq!(claims["sub"], BOT);
    assert_eq!(claims["act"], Value::Null, "it acts as nobody else");
    assert!(!reply.body.contains(&token), "the token does not reach the service");
    assert_eq!(stage.called_by("crm", &token).await.status, 403, "another namespace");
    for (key, name) in
        [("o", "used"), ("s", "accounts"), ("n", "namespaces"), ("r", "routes"), ("a", "activity")]
    {
        browser.click(&format!("nav.side a[data-go='{key}']")).await;
        browser.wait_for(&format!("nav.side a[data-go='{key}'][aria-current=page]")).await;
        look.at(browser, &format!("console-{name}")).await;
        is_gone(browser, &token).await;
    }
    look.found_nothing();
    root.is_content().await;
}

/// A policy that names the account, found by the look-ahead, on the route.
async fn allow_by_mouse(browser: &Browser, look: &mut Look) {
    browser.click("nav.side a[data-go='p']").await;
    browser.click("a[data-new]").await;
    browser.fill("#name", "builds").await;
    browser.press("#value-0", "build").await;
    let found = format!(
        "return document.querySelector('#value-0-options li')?.textContent.includes({BOT:?})"
    );
    browser.wait_until(&found).await;
    look.at(browser, "console-look-ahead").await;
    browser.press("#value-0", "-bot").await;
    // The list for what is typed now, which nothing will replace.
    let whole = "return document.querySelector('#value-0-options mark')?.textContent";
    browser.wait_until(&format!("{whole} === 'build-bot'")).await;
    browser.wait_until(&found).await;
    browser.click("#value-0-options li").await;
    assert_eq!(browser.value("#value-0").await, BOT);
    browser.click("input[value=api]").await;
    look.at(browser, "console-policy-editor").await;
    browser.click("button[value=save]").await;
    browser.wait_for(".notice").await;
    assert_eq!(browser.text(".notice").await, "It is created.");
    look.at(browser, "console-policy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn line_13_an_account_that_acts_as_a_person_by_keyboard_alone() {
    let stage = Stage::with_machines().await;
    let root = Somebody::new(&stage).await;
    let browser = &root.browser;
    root.opens("authenticate", "/console/").await;
    browser.tab_to("[name=login]").await;
    browser.types("root@corp.test").await;
    browser.keys(key::TAB).await;
    browser.types(PASSWORD).await;
    browser.keys(key::ENTER).await;
    browser.wait_for("nav.side").await;
    browser.tab_to(".picker > summary").await;
    browser.keys(key::ENTER).await;
    browser.tab_to("#picker a[title='Global / Design']").await;
    browser.keys(key::ENTER).await;
    browser.wait_for("summary[aria-label='Namespace: Global / Design']").await;
    browser.wait_for("[data-keys]:not([hidden])").await;
    browser.keys("g").await;
    browser.keys("s").await;
    browser.wait_for("nav.side a[data-go='s'][aria-current=page]").await;
    browser.wait_for("[data-keys]:not([hidden])").await;
    browser.keys("n").await;
    browser.wait_for("#name").await;
    browser.tab_to("[name=kind]:checked").await;
    browser.keys(key::DOWN).await;
    browser.tab_to("#user").await;
    browser.types("bob").await;
    browser.wait_for("#user[aria-expanded=true]").await;
    browser.keys(key::DOWN).await;
    browser.keys(key::ENTER).await;
    assert_eq!(browser.value("#user").await, BOB);
    assert!(browser.text("[data-meant=user]").await.contains("Bob Baker"));
    browser.tab_to("form.form button.primary").await;
    browser.keys(key::ENTER).await;
    browser.wait_for("#secret").await;
    browser.tab_to("#shown summary").await;
    browser.keys(key::ENTER).await;
    let token = token(browser).await;
    assert_eq!(stage.called_by("api", &token).await.status, 403, "no policy lets bob in yet");

    browser.tab_to("a[href*='/console/policies/new']").await;
    browser.keys(key::ENTER).await;
    browser.wait_for("#editor").await;
    is_gone(browser, &token).await;
    assert_eq!(browser.value("#value-0").await, BOB, "for whom it is");
    browser.tab_to("#name").await;
    browser.types("bob on the API").await;
    browser.tab_to("input[value=api]").await;
    browser.keys(" ").await;
    browser.tab_to("button[value=save]").await;
    browser.keys(key::ENTER).await;
    browser.wait_for(".notice").await;
    assert_eq!(browser.text(".notice").await, "It is created.");
    let reply = stage.called_by("api", &token).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let claims = stage.verified("api", &reply.json()).await;
    assert_eq!((&claims["sub"], &claims["email"]), (&json!(BOB), &json!("bob@corp.test")));
    let act = claims["act"]["sub"].as_str().expect("who acts");
    assert!(act.starts_with("sa_"), "{claims}");
    assert!(!reply.body.contains(&token), "the token does not reach the service");
    for elsewhere in ["crm", "payroll"] {
        let status = stage.called_by(elsewhere, &token).await.status;
        assert_eq!(status, 403, "{elsewhere}: bob may, his machine of another namespace may not");
    }

    browser.run("history.back(); return true").await;
    browser.wait_for("#editor").await;
    is_not_shown_again(browser, &token).await;
    root.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_is_for_those_with_a_role() {
    let stage = Stage::with_machines().await;
    let bob = Somebody::new(&stage).await;
    bob.opens("authenticate", "/console/").await;
    bob.signs_in("bob@corp.test", PASSWORD).await;
    bob.browser.wait_for_url(|url| url.contains("/console/") && !url.contains("sign_in")).await;
    let page = bob.browser.text("main").await;
    assert!(page.contains("role"), "{page}");
    let nothing: Value =
        bob.browser.run("return document.querySelectorAll('nav.side a').length").await;
    assert_eq!(nothing, json!(0));
    // On a protected host there is none.
    bob.opens("httpbin", "/console/").await;
    bob.browser.wait_until("return document.body.innerText.startsWith('{')").await;
}
