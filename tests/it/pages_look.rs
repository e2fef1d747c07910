//! Pages in a real browser: what axe finds, what fits on a phone, what the keyboard does, and that
//! nothing needs the script. Pictures are left in `target/tmp/pages`.

use crate::support::browser::{Browser, Colours, key};
use crate::support::page_samples::{Sample, Samples};
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::response::{Html, IntoResponse, Response};
use lictor::pages::{ASSET_HEADERS, RefusalPage, asset, path, security_headers};
use serde_json::json;
use std::path::{Path, PathBuf};
use url::Url;

const WIDTHS: [u32; 2] = [360, 1280];

/// Serves every sample at `/pages/NAME`, and with long words at `/long/NAME`; what they load, and people to look for. Answers a form with
/// what it sent.
async fn site() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let server = axum::serve(listener, Router::new().fallback(serve));
    tokio::spawn(async move { server.await.expect("it serves") });
    address
}

async fn serve(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (address, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default());
    if let Some(asset) = asset(&address) {
        return (ASSET_HEADERS, [(CONTENT_TYPE, asset.content_type)], asset.bytes).into_response();
    }
    let html = if let Some((kind, name)) = sample_of(&address) {
        let sample = kind.all().into_iter().find(|sample| sample.name == name);
        sample.expect("a sample").html
    } else if address == "/redirect" {
        return (StatusCode::FOUND, [(LOCATION, query.to_owned())]).into_response();
    } else if address == "/onward" {
        Samples::plain().onward_to(query).render()
    } else if address == "/permitted" {
        Samples::plain().sign_in(None).render()
    } else if address == path::PEOPLE {
        return axum::Json(found(query.strip_prefix("q=").unwrap_or_default())).into_response();
    } else {
        let sent = axum::body::to_bytes(body, 10_000).await.expect("a form");
        let sent = String::from_utf8(sent.to_vec()).expect("UTF-8");
        format!("<title>sent</title><pre>{} {address} {sent}</pre>", parts.method)
    };
    let mut response = Html(html).into_response();
    if address.ends_with("/refusal") {
        let policy = RefusalPage::content_security_policy();
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    } else {
        let permitted =
            (address == "/permitted").then(|| Url::parse(query).expect("a URL").origin());
        response.headers_mut().extend(security_headers(permitted.as_slice()));
    }
    response
}

fn sample_of(address: &str) -> Option<(Samples, &str)> {
    let plain = address.strip_prefix("/pages/").map(|name| (Samples::plain(), name));
    let long = || address.strip_prefix("/long/").map(|name| (Samples(lengthened), name));
    plain.or_else(long)
}

fn lengthened(text: &str) -> String {
    format!("{text}{}", "x".repeat(120))
}

fn found(needle: &str) -> serde_json::Value {
    let people = [
        ("u-bob", "bob@example.com", "Bob Baker"),
        ("u-bert", "bert@example.com", "Bert Brown"),
        ("u-carol", "carol@example.com", "Carol Clark"),
    ];
    let groups = [("g-finance", "Finance"), ("g-fire", "Fire brigade"), ("g-all", "")];
    let fits = |text: &str| text.to_lowercase().contains(&needle.to_lowercase());
    let people: Vec<_> = people
        .iter()
        .filter(|(id, email, name)| [id, email, name].iter().any(|text| fits(text)))
        .collect();
    let groups: Vec<_> = groups.iter().filter(|(id, name)| fits(id) || fits(name)).collect();
    json!({
        "total": people.len(),
        "people": people.iter().map(|(id, email, name)| json!({ "id": id, "email": email, "name": name, "source": "directory" })).collect::<Vec<_>>(),
        "groups": groups.iter().map(|(id, name)| json!({ "id": id, "name": name })).collect::<Vec<_>>(),
    })
}

/// All but the page that leads on, which would lead on. Of the messages, which differ in words only,
/// the two longest.
fn samples() -> impl Iterator<Item = Sample> {
    let shown = |name: &str| {
        name != "onward"
            && (!name.starts_with("message-")
                || ["message-403-providerrefused", "message-503-storeaway"].contains(&name))
    };
    Samples::plain().all().into_iter().filter(move |sample| shown(&sample.name))
}

fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
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
            wrong.extend(browser.axe().await.iter().map(|found| format!("{place}: {found}")));
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
    .map((one) => `${one.tagName}.${one.className}`)";

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
                "return [...document.querySelectorAll('button, select, input:not([type=hidden]), a')]
                    .map((one) => [one, (one.closest('label') ?? one).getBoundingClientRect()])
                    .filter(([one, box]) => box.height > 0 && box.height < 40 && !one.closest('.skip'))
                    .map(([one, box]) => `${one.outerHTML} is ${box.height} high`)",
            )
            .await;
        let small = small.as_array().cloned().unwrap_or_default();
        wrong.extend(small.iter().map(|one| format!("{name}: {one}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_looked_up_by_keyboard() {
    let (site, browser) = (site().await, Browser::start().await);
    browser.open(&format!("{site}/pages/my-page-admin")).await;
    assert_eq!(browser.attribute("#email", "role").await.as_deref(), Some("combobox"));
    browser.press("#email", "B").await;
    browser.wait_for("#email[aria-expanded=true]").await;
    browser
        .wait_until("return document.querySelectorAll('#email-options [role=option]').length === 2")
        .await;
    browser.wait_until("return document.getElementById('said').textContent === '2 found'").await;
    assert_eq!(browser.attribute("#email", "aria-activedescendant").await, None);

    let active = async |expected: &str| {
        let id = browser.attribute("#email", "aria-activedescendant").await.expect("one is active");
        let selected = format!("#{id}[aria-selected=true]");
        assert!(browser.text(&selected).await.starts_with(expected), "{expected}");
    };
    browser.keys(key::DOWN).await;
    active("bob@example.com").await;
    browser.keys(key::END).await;
    active("bert@example.com").await;
    browser.keys(key::DOWN).await;
    active("bob@example.com").await;
    browser.keys(key::UP).await;
    active("bert@example.com").await;
    browser.keys(key::HOME).await;
    active("bob@example.com").await;

    browser.keys(key::ESCAPE).await;
    browser.wait_for("#email[aria-expanded=false]").await;
    assert_eq!(browser.value("#email").await, "B");
    browser.keys(key::DOWN).await;
    browser.wait_for("#email[aria-expanded=true]").await;
    browser.keys(key::DOWN).await;
    browser.look(1280, Colours::Dark).await;
    browser.screenshot(&pictures().join("look-ahead-1280-dark.png")).await;
    assert_eq!(browser.axe().await, [""; 0]);
    browser.keys(key::ENTER).await;
    browser.wait_for("#email[aria-expanded=false]").await;
    assert_eq!(browser.value("#email").await, "bob@example.com");
    assert_eq!(browser.axe().await, [""; 0]);
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_looked_up_after_the_last_comma() {
    let (site, browser) = (site().await, Browser::start().await);
    browser.open(&format!("{site}/pages/my-page-admin")).await;
    browser.press("#groups", "g-all, fin").await;
    browser.wait_for("#groups[aria-expanded=true]").await;
    browser.look(360, Colours::Light).await;
    assert_eq!(browser.axe().await, [""; 0]);
    browser.screenshot(&pictures().join("look-ahead-360-light.png")).await;
    browser.click("#groups-options li").await;
    assert_eq!(browser.value("#groups").await, "g-all, g-finance");
    assert!(!browser.scrolls_sideways().await);
    // Enter in a field previews: it never acts at once.
    browser.keys(key::ENTER).await;
    browser.wait_until("return document.title === 'sent'").await;
    let sent = browser.text("pre").await;
    assert!(sent.starts_with("POST /.pomerium/admin/preview csrf=c5rf"), "{sent}");
    assert!(sent.contains("&groups=g-all%2C+g-finance&"), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_copied() {
    let (site, browser) = (site().await, Browser::start().await);
    let allowed =
        json!({ "origin": site, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    browser.devtools("Browser.grantPermissions", allowed).await;
    browser.open(&format!("{site}/pages/my-page-admin")).await;
    browser.click("[aria-label='Copy user id']").await;
    browser.wait_until("return document.getElementById('said').textContent === 'Copied'").await;
    browser.click("#reason").await;
    browser.keys(&format!("{}v", key::CONTROL)).await;
    assert_eq!(browser.value("#reason").await, "00u1a2b3c4d5e6f7g8h9");
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn time_runs_down() {
    let (site, browser) = (site().await, Browser::start().await);
    browser.open(&format!("{site}/pages/sign-in-wait")).await;
    browser
        .wait_until("return document.querySelector('#trouble time').textContent === '30 s'")
        .await;
    browser.open(&format!("{site}/pages/my-page-acting")).await;
    browser
        .wait_until("return document.querySelector('.band time').textContent === '41 min left'")
        .await;
    browser.open(&format!("{site}/pages/my-page-ending")).await;
    browser.wait_for(".band a").await;
    assert!(browser.text(".band").await.contains("ended"));
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_are_chosen_and_kept() {
    let (site, browser) = (site().await, Browser::start().await);
    browser.look(1280, Colours::Light).await;
    browser.open(&format!("{site}/pages/my-page")).await;
    let paper = "return getComputedStyle(document.body).backgroundColor";
    let light = browser.run(paper).await;
    browser.click(".theme input[value=dark]").await;
    let dark = browser.run(paper).await;
    assert_ne!(light, dark);
    browser.reload().await;
    assert_eq!(browser.run(paper).await, dark);
    assert_eq!(
        browser.run("return document.querySelector('.theme input[value=dark]').checked").await,
        true
    );
    browser.click(".theme input[value=system]").await;
    assert_eq!(browser.run(paper).await, light);
    browser.look(1280, Colours::Dark).await;
    assert_eq!(browser.run(paper).await, dark);
    assert!(browser.cookies().await.is_empty(), "the choice stays in the browser");
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_are_filtered() {
    let (site, browser) = (site().await, Browser::start().await);
    browser.open(&format!("{site}/pages/preview")).await;
    browser.fill("#filter", "denied payroll").await;
    let shown = "return [...document.querySelectorAll('#route-table tbody tr')].filter((row) => row.checkVisibility()).length";
    assert_eq!(browser.run(shown).await, 1);
    assert_eq!(browser.text("#filter-count").await, "1 of 4 routes");
    browser.fill("#filter", "nothing like it").await;
    assert_eq!(browser.run(shown).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_take_the_focus() {
    let (site, browser) = (site().await, Browser::start().await);
    for page in ["my-page-errors", "sign-in-wrong"] {
        browser.open(&format!("{site}/pages/{page}")).await;
        browser.wait_until("return document.activeElement.className === 'summary'").await;
        assert!(browser.title().await.starts_with("Error: "));
    }
    browser.open(&format!("{site}/pages/my-page-errors")).await;
    browser.click(".summary a[href='#reason']").await;
    browser.wait_until("return document.activeElement.id === 'reason'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_tab_leads_to_the_content() {
    let (site, browser) = (site().await, Browser::start().await);
    browser.open(&format!("{site}/pages/my-page-acting")).await;
    browser.keys(key::TAB).await;
    browser.wait_until("return document.activeElement.className === 'skip'").await;
    browser.keys(key::ENTER).await;
    browser.wait_until("return document.activeElement.id === 'content'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_works_without_scripts() {
    let (site, browser) = (site().await, Browser::start().await);
    browser.scripts(false).await;
    browser.open(&format!("{site}/pages/my-page-acting")).await;
    assert!(!browser.has("#email[role=combobox]").await, "the script does not run");
    assert!(browser.has(".copy[hidden]").await);
    assert!(browser.has(".theme[hidden]").await);
    browser.fill("#email", "carol@example.com").await;
    browser.fill("#reason", "on holiday").await;
    browser.click("button.primary").await;
    browser.wait_for("pre").await;
    let sent = browser.text("pre").await;
    let expected = "POST /.pomerium/admin/impersonate csrf=c5rf-0123456789abcdef&email=carol%40example.com&groups=&reason=on+holiday&duration=1h0m0s";
    assert_eq!(sent, expected);

    browser.open(&format!("{site}/pages/my-page-acting")).await;
    browser.click(".band button").await;
    browser.wait_for("pre").await;
    assert!(browser.text("pre").await.starts_with("POST /.pomerium/impersonation/stop csrf="));

    browser.open(&format!("{site}/pages/sign-in-wrong")).await;
    browser.press("#password", "hunter2").await;
    browser.keys(key::ENTER).await;
    browser.wait_for("pre").await;
    let sent = browser.text("pre").await;
    assert!(sent.ends_with("&login=ann&password=hunter2"), "{sent}");

    browser.open(&format!("{site}/pages/sessions")).await;
    browser.click(".do a").await;
    let url = browser.wait_for_url(|url| url.contains("/stop?session=ses_")).await;
    assert!(url.contains(path::STOP_SESSION), "{url}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_leads_on_by_itself() {
    let (site, browser) = (site().await, Browser::start().await);
    browser.open(&format!("{site}/pages/onward")).await;
    let left = browser.wait_for_url(|url| !url.starts_with("http://127.0.0.1")).await;
    assert_eq!(left, "https://httpbin.int.example.com/anything?a=b&c=d");
}

/// Sends the form on the page to that path of the site, to be answered there.
async fn send_to(browser: &Browser, path: &str, landing: &str) {
    let script = format!("document.forms[0].action = '{path}?{landing}'; return true");
    browser.run(&script).await;
    browser.press("#login", "ann").await;
    browser.press("#password", "hunter2").await;
    browser.click("button.primary").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_leads_to_another_host_by_a_page_or_by_permission() {
    let (site, other, browser) = (site().await, site().await, Browser::start().await);
    let landing = format!("{other}/pages/my-page");

    browser.open(&format!("{site}/pages/sign-in")).await;
    send_to(&browser, "/redirect", &landing).await;
    browser.wait_until("return document.readyState === 'complete'").await;
    let complaints = browser.complaints().await;
    assert!(complaints.iter().any(|one| one.contains("form-action")), "{complaints:?}");
    assert!(browser.url().await.starts_with(&site), "a redirect counts as the form's");

    browser.open(&format!("{site}/permitted?{other}")).await;
    send_to(&browser, "/redirect", &landing).await;
    browser.wait_for_url(|url| url == landing).await;

    browser.open(&format!("{site}/pages/sign-in")).await;
    send_to(&browser, "/onward", &landing).await;
    browser.wait_for_url(|url| url == landing).await;
    assert_eq!(browser.complaints().await, [""; 0]);
}
