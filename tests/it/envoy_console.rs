//! The console with a real browser, through a real Envoy: who is let in.

use crate::support::house::PASSWORD;
use crate::support::stage::{Somebody, Stage};
use serde_json::{Value, json};

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
