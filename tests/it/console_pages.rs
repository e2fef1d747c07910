//! The console as it is served: who may sit there, what forms do, and what they give back.

use crate::support::house::{AUTHENTICATE, Browser, House, Seen};
use regex::Regex;

const CONSOLE: &str = "http://auth.localhost/console/";

fn at(path: &str) -> String {
    format!("{CONSOLE}{path}")
}

/// What stands between two texts for the first time.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let start = text.find(before).unwrap_or_else(|| panic!("no {before} in {text}")) + before.len();
    let rest = &text[start..];
    &rest[..rest.find(after).expect("an end")]
}

/// The token on the page that shows it.
fn token_of(seen: &Seen) -> String {
    between(seen.body(), "aria-label=\"The token\">", "</code>").to_owned()
}

fn account_of(seen: &Seen) -> String {
    between(seen.body(), "data-afterwards=\"/console/accounts/", "/token\"").to_owned()
}

/// Makes a unique account in Global; its page with the token.
async fn make(browser: &mut Browser<'_>, name: &str) -> Seen {
    let page = browser.go(&at("accounts/new")).await;
    assert_eq!(page.status(), 200, "{page:?}");
    let fields = [("kind", "unique"), ("name", name), ("description", "x"), ("expiry", "90d")];
    browser.submit(&page, "/console/accounts/new", &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_made_and_its_token_is_shown_once() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    let overview = root.go(CONSOLE).await;
    assert_eq!(overview.status(), 200, "{overview:?}");
    let made = make(&mut root, "build-bot").await;
    assert_eq!(made.status(), 200, "{made:?}");
    let token = token_of(&made);
    assert_eq!(token.split('.').count(), 3, "{token}");
    let id = account_of(&made);
    for path in ["", "/token", "/edit", "/delete"] {
        let page = root.go(&at(&format!("accounts/{id}{path}"))).await;
        assert_eq!(page.status(), 200, "{path}: {page:?}");
        assert!(!page.body().contains(&token), "{path}");
        assert!(page.body().contains("build-bot"), "{path}");
    }
    let again = root.go(&at(&format!("accounts/{id}/token"))).await;
    assert!(again.body().contains("already displayed"), "{again:?}");
    let list = root.go(&at("accounts")).await;
    assert!(list.body().contains("build-bot"), "{list:?}");
    let _ = (AUTHENTICATE, Regex::new("x"));
    house.close().await;
}
