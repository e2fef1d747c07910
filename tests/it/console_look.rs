//! Pages of the console in a real browser: what axe finds, what fits on a phone, what the keyboard does,
//! and that nothing needs the script. Pictures are left in `target/tmp/console`.

use crate::support::browser::{Browser, Colours, key};
use crate::support::house::{House, PASSWORD};
use crate::support::page_samples::{Sample, Samples};
use axum::Router;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse, Response};
use lictor::pages::{ASSET_HEADERS, asset, security_headers};
use serde_json::json;
use std::path::{Path, PathBuf};

const WIDTHS: [u32; 2] = [360, 1280];

/// Serves every sample at `/pages/NAME`, and with long words at `/long/NAME`, with what they load.
/// Answers a form with what it sent.
async fn site() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let server = axum::serve(listener, Router::new().fallback(serve));
    tokio::spawn(async move { server.await.expect("it serves") });
    address
}

async fn serve(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let address = parts.uri.path().to_owned();
    if let Some(asset) = asset(&address) {
        return (ASSET_HEADERS, [(CONTENT_TYPE, asset.content_type)], asset.bytes).into_response();
    }
    let html = if let Some((kind, name)) = sample_of(&address) {
        let sample = kind.console().into_iter().find(|sample| sample.name == name);
        sample.expect("a sample").html
    } else {
        let sent = axum::body::to_bytes(body, 100_000).await.expect("a form");
        let sent = String::from_utf8(sent.to_vec()).expect("UTF-8");
        let query = parts.uri.query().unwrap_or_default();
        format!("<title>sent</title><pre>{} {address}?{query} {sent}</pre>", parts.method)
    };
    let mut response = Html(html).into_response();
    response.headers_mut().extend(security_headers(&[]));
    response
}

fn sample_of(address: &str) -> Option<(Samples, &str)> {
    let plain = address.strip_prefix("/pages/").map(|name| (Samples::plain(), name));
    let long = || address.strip_prefix("/long/").map(|name| (Samples(lengthened), name));
    plain.or_else(long)
}

/// One word of ten thousand letters.
fn lengthened(text: &str) -> String {
    format!("{text}{}", "x".repeat(10_000))
}

fn samples() -> Vec<Sample> {
    Samples::plain().console()
}

fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("console");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_accessible_and_fits() {
    let (site, browser) = (site().await, Browser::start().await);
    let pictures = pictures();
    let mut wrong = Vec::new();
    for Sample { name, .. } in samples() {
        browser.open(&format!("{site}/pages/{name}")).await;
        for (width, colours) in
            WIDTHS.into_iter().flat_map(|width| [(width, Colours::Light), (width, Colours::Dark)])
        {
            browser.look(width, colours).await;
            let place = format!("{name}-{width}-{colours:?}").to_lowercase();
            // Once in either width, and once in either colours.
            if (width == 360) == (colours == Colours::Light) {
                wrong.extend(browser.axe().await.iter().map(|found| format!("{place}: {found}")));
            }
            if browser.scrolls_sideways().await {
                wrong.push(format!("{place}: scrolls sideways"));
            }
            browser.screenshot(&pictures.join(format!("{place}.png"))).await;
        }
        wrong.extend(browser.complaints().await.iter().map(|found| format!("{name}: {found}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What stands out on the right.
const WIDE: &str = "return [...document.body.querySelectorAll('*')]
    .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((one) => `${one.tagName}.${one.className}`).slice(0, 9)";

#[tokio::test(flavor = "multi_thread")]
async fn long_words_do_not_widen_a_page() {
    let (site, browser) = (site().await, Browser::start().await);
    let mut wrong = Vec::new();
    for Sample { name, .. } in samples() {
        browser.open(&format!("{site}/long/{name}")).await;
        for width in WIDTHS {
            browser.look(width, Colours::Light).await;
            if browser.scrolls_sideways().await {
                let culprits = browser.run(WIDE).await;
                wrong.push(format!("{name} at {width}: {culprits}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_are_large_enough_for_a_thumb() {
    let (site, browser) = (site().await, Browser::start().await);
    browser.look(360, Colours::Light).await;
    let mut wrong = Vec::new();
    for Sample { name, .. } in samples() {
        browser.open(&format!("{site}/pages/{name}")).await;
        let small = browser
            .run(
                "return [...document.querySelectorAll('button, select, input:not([type=hidden]), summary, a')]
                    .map((one) => [one, (one.closest('label') ?? one).getBoundingClientRect()])
                    .filter(([one, box]) => box.height > 0 && box.height < 40 && !one.closest('.skip'))
                    .filter(([one]) => !one.closest('p, td, th, dd, li') || one.closest('.actions'))
                    .map(([one, box]) => `${one.outerHTML} is ${box.height} high`)",
            )
            .await;
        let small = small.as_array().cloned().unwrap_or_default();
        wrong.extend(small.iter().map(|one| format!("{name}: {one}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the element that has the focus is called.
const FOCUSED: &str = "const one = document.activeElement;
    return one.id || one.textContent.trim() || one.tagName";

#[tokio::test(flavor = "multi_thread")]
async fn the_tree_is_walked_by_keyboard() {
    let (site, browser) = (site().await, Browser::start().await);
    browser.open(&format!("{site}/pages/namespaces")).await;
    browser.wait_for("table[role=treegrid]").await;
    browser.look(1280, Colours::Light).await;
    assert_eq!(browser.axe().await, [""; 0]);
    let shown = "return [...document.querySelectorAll('tr[data-level]')]
        .filter((row) => row.checkVisibility()).length";
    let here =
        "return document.activeElement.querySelector('.twig')?.textContent.replace(/[▾▸]/, '')";
    browser.run("document.querySelector('tr[data-level]').focus(); return true").await;
    browser.keys(key::DOWN).await;
    assert_eq!(browser.run(here).await, "Design");
    assert_eq!(browser.run(shown).await, 6);
    browser.keys(key::LEFT).await;
    assert_eq!(browser.run(shown).await, 3, "what is below Design is folded away");
    browser.keys(key::DOWN).await;
    assert_eq!(browser.run(here).await, "Sales");
    browser.keys(key::UP).await;
    browser.keys(key::RIGHT).await;
    browser.keys(key::RIGHT).await;
    assert_eq!(browser.run(here).await, "Print");
    browser.keys(key::LEFT).await;
    assert_eq!(browser.run(here).await, "Design");
    browser.keys(key::END).await;
    assert_eq!(browser.run(here).await, "Sales");
    browser.keys(key::HOME).await;
    assert_eq!(browser.run(here).await, "Global");
    browser.keys(key::DOWN).await;
    browser.keys(key::ENTER).await;
    browser.wait_for_url(|url| url.contains("/console/namespaces/")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_lead_around() {
    let (site, browser) = (site().await, Browser::start().await);
    let page = format!("{site}/pages/accounts");
    browser.open(&page).await;
    browser.wait_for("[data-keys]:not([hidden])").await;
    browser.keys("/").await;
    assert_eq!(browser.run(FOCUSED).await, "seek");
    browser.keys("?").await;
    assert_eq!(browser.value("#seek").await, "?", "what is typed is typed");
    browser.run("document.activeElement.blur(); return true").await;
    browser.keys("?").await;
    browser.wait_for("#keys[open]").await;
    browser.look(1280, Colours::Dark).await;
    browser.screenshot(&pictures().join("keys-1280-dark.png")).await;
    browser.keys(key::ESCAPE).await;
    browser.wait_until("return !document.querySelector('#keys[open]')").await;
    browser.run("document.querySelector('.picker summary').click(); return true").await;
    browser.wait_for(".picker[open]").await;
    browser.screenshot(&pictures().join("picker-1280-dark.png")).await;
    browser.keys(key::ESCAPE).await;
    browser.wait_until("return !document.querySelector('.picker[open]')").await;
    for (keys, path) in [(["g", "p"], "/console/policies"), (["", "n"], "/console/accounts/new")] {
        browser.open(&page).await;
        browser.wait_for("[data-keys]:not([hidden])").await;
        for key in keys.into_iter().filter(|key| !key.is_empty()) {
            browser.keys(key).await;
        }
        browser.wait_for_url(|url| url.ends_with(path)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_scripts_sends_what_was_typed() {
    let (site, browser) = (site().await, Browser::start().await);
    browser.scripts(false).await;
    browser.open(&format!("{site}/pages/account-new")).await;
    browser.wait_until("return true").await;
    browser.fill("#name", "build-bot").await;
    browser.click("button.primary").await;
    browser.wait_for("pre").await;
    let sent = browser.text("pre").await;
    assert!(sent.starts_with("POST /console/accounts/new? csrf=c5rf-"), "{sent}");
    assert!(sent.contains("&kind=unique&name=build-bot&user=&"), "{sent}");
    browser.open(&format!("{site}/pages/account-token")).await;
    assert!(browser.has("button[data-download][hidden]").await);
    browser.click("#shown summary").await;
    assert!(browser.text("#token").await.starts_with("eyJ"));
    browser.open(&format!("{site}/pages/policy-editor")).await;
    browser.click("button[value=text]").await;
    browser.wait_for("pre").await;
    let sent = browser.text("pre").await;
    assert!(sent.contains("&do=text") && sent.contains("&criterion-4=http_method&"), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_copied_and_leaving_without_it_is_asked_about() {
    let (site, browser) = (site().await, Browser::start().await);
    let allowed =
        json!({ "origin": site, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    browser.devtools("Browser.grantPermissions", allowed).await;
    browser.open(&format!("{site}/pages/account-token")).await;
    browser.wait_for_url(|url| url.ends_with("/token")).await;
    assert!(
        !browser
            .run("return document.getElementById('token').checkVisibility()")
            .await
            .as_bool()
            .expect("a word")
    );
    browser.click("#saved").await;
    browser.wait_for("#unsaved[open]").await;
    browser.look(360, Colours::Light).await;
    browser.screenshot(&pictures().join("unsaved-360-light.png")).await;
    browser.click("#unsaved [data-close]").await;
    browser.click("[data-copy-of=env]").await;
    browser.wait_until("return document.getElementById('said').textContent === 'Copied'").await;
    browser.click("#seek").await;
    browser.keys(&format!("{}v", key::CONTROL)).await;
    let copied = browser.value("#seek").await;
    assert!(copied.starts_with("export LICTOR_TOKEN='eyJ") && copied.ends_with('\''), "{copied}");
    assert!(!browser.text("#env").await.contains("eyJ"), "it stays masked");
    browser.click("#saved").await;
    browser
        .wait_for_url(|url| url.ends_with("/console/accounts/sa_0f1e2d3c4b5a69788796a5b4c3d2e1f0"))
        .await;
    browser.run("history.back(); return true").await;
    browser.wait_for_url(|url| url.ends_with("/token")).await;
    browser.wait_until("return document.readyState === 'complete'").await;
    let held = browser.run("return document.documentElement.outerHTML.includes('eyJ')").await;
    assert_eq!(held, false, "going back shows it again");
}

/// A browser that finds the house where its pages say it is.
async fn browser_in(house: &House) -> Browser {
    let rule = format!("--host-resolver-rules=MAP auth.localhost:80 {}", house.http);
    Browser::start_with(&[&rule]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_helps_while_one_types() {
    let house = House::open().await;
    let browser = browser_in(&house).await;
    browser.open("http://auth.localhost/console/accounts/new").await;
    browser.press("#login", "root@corp.test").await;
    browser.press("#password", PASSWORD).await;
    browser.keys(key::ENTER).await;
    browser.wait_for("#name").await;
    browser.press("#name", "ci").await;
    browser
        .wait_until("return document.querySelector('[data-follows]').textContent === 'ci'")
        .await;
    browser.click("[name=kind][value=impersonated]").await;
    browser.press("#user", "bo").await;
    browser.wait_for("#user[aria-expanded=true]").await;
    browser.keys(key::DOWN).await;
    browser.look(1280, Colours::Light).await;
    browser.screenshot(&pictures().join("look-ahead-1280-light.png")).await;
    browser.keys(key::ENTER).await;
    assert_eq!(browser.value("#user").await, "u-bob");
    assert!(browser.text("[data-meant=user]").await.contains("bob@corp.test"));
    browser.click("form.form button.primary").await;
    browser.wait_for("#secret").await;
    browser.click("#shown summary").await;

    browser.open("http://auth.localhost/console/policies/new").await;
    browser.press("#value-0", "ci").await;
    browser.click("button[value=add]").await;
    browser.wait_until("return document.activeElement.id === 'effect-1'").await;
    assert_eq!(browser.value("#value-0").await, "ci", "what was typed stays");
    browser.press("#value-1", "bob").await;
    browser.wait_for("#value-1[aria-expanded=true]").await;
    browser.keys(key::ESCAPE).await;
    browser.click("button[value=text]").await;
    browser.wait_for("#text").await;
    let text = browser.value("#text").await;
    assert_eq!(text, "allow:\n  or:\n  - user: {is: \"ci\"}\n  - user: {is: \"bob\"}\n");
    browser.press("#text", "  - usr: x\n").await;
    browser.wait_for("#text[aria-invalid=true]").await;
    let told = browser.text("[data-problems]").await;
    assert!(told.contains("Line 5, column 5:") && told.contains("usr"), "{told}");
    assert_eq!(browser.axe().await, [""; 0]);
    assert_eq!(browser.complaints().await, [""; 0]);
    house.close().await;
}
