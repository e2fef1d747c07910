//! Pages of the console in a real browser: what axe finds, what fits on a phone, what the keyboard does,
//! and that nothing needs the script. Pictures are left in `target/tmp/console`.

use crate::support::browser::{Browser, Colours};
use crate::support::page_samples::{Sample, Samples};
use axum::Router;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse, Response};
use lictor::pages::{ASSET_HEADERS, asset, security_headers};
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

fn samples() -> impl Iterator<Item = Sample> {
    let only = std::env::var("LOOK").unwrap_or_default();
    Samples::plain().console().into_iter().filter(move |sample| sample.name.contains(&only))
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
