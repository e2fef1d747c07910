//! The console with a real browser, through a real Envoy: from an account to a call, by mouse and by
//! keyboard alone. Line 13 of what is promised. Pictures are left in `target/tmp/people`.

use crate::support::browser::key;
use crate::support::house::PASSWORD;
use crate::support::look::Look;
use crate::support::stage::{Somebody, Stage};
use serde_json::{Value, json};

/// Somebody who has signed in for the console, and is on its first page.
async fn at_the_console<'s>(stage: &'s Stage, login: &str) -> Somebody<'s> {
    let somebody = Somebody::new(stage).await;
    somebody.opens("authenticate", "/console/").await;
    somebody.signs_in(login, PASSWORD).await;
    somebody
        .browser
        .wait_for_url(|url| url.contains("/console/") && !url.contains("sign_in"))
        .await;
    somebody.browser.wait_for("nav.side").await;
    somebody
}

/// The token on the page that shows it once.
async fn token(somebody: &Somebody<'_>) -> String {
    somebody.browser.wait_for("#token").await;
    let token = somebody.browser.run("return document.getElementById('token').textContent").await;
    let token = token.as_str().expect("text").to_owned();
    assert_eq!(token.split('.').count(), 3, "{token}");
    token
}

/// Neither the page nor its source holds the token.
async fn is_gone(somebody: &Somebody<'_>, token: &str) {
    let source = somebody.browser.run("return document.documentElement.outerHTML").await;
    assert!(!source.as_str().expect("text").contains(token), "at {}", somebody.browser.url().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_13_from_an_account_to_a_call_by_mouse() {
    let stage = Stage::with_machines().await;
    let root = at_the_console(&stage, "root@corp.test").await;
    let browser = &root.browser;
    let mut look = Look::new();
    look.at(browser, "console-overview").await;

    browser.click(".picker > summary").await;
    browser.click("#picker a[title='Global / Design']").await;
    browser
        .wait_until(
            "return document.querySelector('.picker .chosen').textContent.includes('Design')",
        )
        .await;
    browser.click("nav.side a[data-go='s']").await;
    browser.wait_for("a[data-new]").await;
    look.at(browser, "console-no-accounts").await;
    browser.click("a[data-new]").await;
    browser.wait_for("#name").await;
    look.at(browser, "console-new-account").await;
    browser.fill("#name", "build-bot").await;
    browser.fill("#description", "builds").await;
    browser.click("form.form button.primary").await;
    let token = token(&root).await;
    look.at(browser, "console-token").await;
    assert_eq!(stage.called_by("api", &token).await.status, 403, "no policy names it yet");

    // Neither again nor back.
    browser.reload().await;
    browser.wait_until("return !document.getElementById('token')").await;
    is_gone(&root, &token).await;
    look.at(browser, "console-already-shown").await;
    root.opens("authenticate", "/console/accounts").await;
    browser.wait_for("table.accounts").await;
    is_gone(&root, &token).await;
    browser.run("history.back()").await;
    browser.wait_until("return !document.querySelector('table.accounts') || true").await;
    is_gone(&root, &token).await;

    // Access, by a policy that names it.
    root.opens("authenticate", "/console/accounts").await;
    browser.click("table.accounts th a").await;
    browser.wait_for("#rotate").await;
    look.at(browser, "console-account").await;
    root.opens("authenticate", "/console/policies/new").await;
    browser.wait_for("#name").await;
    browser.fill("#name", "build-bot on the API").await;
    browser.run("document.querySelector('#criterion-0').value = 'user'; document.querySelector('#criterion-0').dispatchEvent(new Event('change', {bubbles: true}))").await;
    browser.fill("#value-0", "build-bot@design.pomerium").await;
    browser.run("for (const box of document.querySelectorAll('input[name^=to-]')) if (box.value === 'api' && !box.checked) box.click()").await;
    look.at(browser, "console-policy-editor").await;
    browser.click("button[value=save]").await;
    browser.wait_for_url(|url| url.contains("/console/policy?")).await;
    look.at(browser, "console-policy").await;

    let reply = stage.called_by("api", &token).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let claims = stage.verified("api", &reply.json()).await;
    assert_eq!(claims["sub"], "build-bot@design.pomerium");
    assert!(!reply.body.contains(&token), "the token does not reach the service");
    assert_eq!(stage.called_by("crm", &token).await.status, 403, "another namespace");
    for (page, name) in [
        ("/console/namespaces", "console-namespaces"),
        ("/console/routes", "console-routes"),
        ("/console/simulator", "console-simulator"),
        ("/console/activity", "console-activity"),
        ("/console/users", "console-users"),
    ] {
        root.opens("authenticate", page).await;
        look.at(browser, name).await;
        is_gone(&root, &token).await;
    }
    look.found_nothing();
    root.is_content().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn line_13_an_account_that_acts_as_a_person_by_keyboard_alone() {
    let stage = Stage::with_machines().await;
    let root = at_the_console(&stage, "root@corp.test").await;
    let browser = &root.browser;
    root.opens("authenticate", "/console/?ns=design").await;
    browser.wait_for("nav.side").await;
    browser.keys("g").await;
    browser.keys("s").await;
    browser.wait_for("a[data-new]").await;
    browser.keys("n").await;
    browser.wait_for("#name").await;
    // To the radios, to the other one, to the person.
    browser.run("document.querySelector('[name=kind]:checked').focus()").await;
    browser.keys(key::DOWN).await;
    browser
        .wait_until("return document.querySelector('[name=kind]:checked').value === 'impersonated'")
        .await;
    browser.keys(key::TAB).await;
    browser.wait_until("return document.activeElement.id === 'user'").await;
    browser.keys("bob").await;
    browser.wait_until("return document.querySelectorAll('[role=option]').length > 0").await;
    browser.keys(key::DOWN).await;
    browser.keys(key::ENTER).await;
    browser
        .wait_until(
            "return document.querySelector('[data-meant]').textContent.includes('Bob Baker')",
        )
        .await;
    for _ in 0..30 {
        let there =
            browser.run("return document.activeElement.matches('form.form button.primary')").await;
        if there == json!(true) {
            break;
        }
        browser.keys(key::TAB).await;
    }
    browser.keys(key::ENTER).await;
    let token = token(&root).await;
    let reply = stage.called_by("payroll", &token).await;
    assert_eq!(reply.status, 403, "payroll is in Global");
    root.opens("authenticate", "/console/accounts?ns=design").await;
    is_gone(&root, &token).await;
    assert!(browser.text("table.accounts").await.contains("Bob Baker"));
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
