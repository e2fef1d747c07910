//! No spelling of a path reaches a restricted place under the rule of a public one, whatever Envoy
//! normalises and however an upstream reads it.

use crate::support::edge::{PUBLIC, edge};
use crate::support::gates::Gate;
use lictor::demo::Reply;
use percent_encoding::percent_decode_str;

/// The corpus of the specification (envoy.md §3.2), below the public prefix, and what attackers add.
const CORPUS: [&str; 62] = [
    "/public/../b",
    "/public//b",
    "/public%2fb",
    "/public%2Fb",
    "/public\\b",
    "/%70ublic/x",
    "/public;x=1/../b",
    "/public/..;/b",
    "/public/..;x=1/b",
    "/public%00b",
    "/public/%00/../b",
    "//public/x",
    "//httpbin.localhost/public/../b",
    "/public/%2e%2e/b",
    "/public/%2E%2E/b",
    "/public/.%2e/b",
    "/public/%2e./b",
    "/public/..%2fb",
    "/public/..%2Fb",
    "/public/%2e%2e%2fb",
    "/public%2f..%2fb",
    "/public/..%5cb",
    "/public/%2e%2e%5cb",
    "/public\\..\\b",
    "/public/..\\b",
    "/public/\\../b",
    "/public/%5c../b",
    "/public/./../b",
    "/public/..",
    "/public/../",
    "/public/.",
    "/public/.;/../b",
    "/public/;/../b",
    "/public/a/..;x=1/../../b",
    "/public/a/../../b",
    "/public/..//b",
    "/public//../../b",
    "/public///..//b",
    "/public/%252e%252e/b",
    "/public/%252e%252e%252fb",
    "/public/%c0%ae%c0%ae/b",
    "/public/%uff0e%uff0e/b",
    "/public/%2/../b",
    "/public/%zz/../b",
    "/public/..%00/b",
    "/public/..%0a/b",
    "/public/..%20/b",
    "/public/..%09/b",
    "/public/...//b",
    "/public#/../b",
    "/public/%23/../b",
    "/public?/../b",
    "/public/..?x=/public",
    "/public/%3f/../b",
    "/public/\u{e9}/../b",
    "/public /../b",
    "/public/~/../b",
    "/./public/../b",
    "/b/../public/../b",
    "/b;/../public",
    "http://httpbin.localhost/public/../b",
    "http://httpbin.localhost/public/%2e%2e/b",
];

#[tokio::test]
async fn the_public_prefix_opens_and_the_rest_stays_shut() {
    for gate in [Gate::Hardened, Gate::Raw, Gate::Map] {
        for path in ["/public", "/public/x", "/public/x?y=/../b", "/public/%20x"] {
            let reply = ask(gate, path).await;
            assert_eq!(
                (reply.status, reply.json()["path"].as_str()),
                (200, Some(path)),
                "{gate:?}"
            );
        }
        for path in ["/", "/b", "/Public", "/b/public", "/b?/public", "/b;/public"] {
            assert_eq!(ask(gate, path).await.status, 401, "{gate:?} {path}");
        }
    }
}

#[tokio::test]
async fn no_spelling_leaves_the_public_prefix() {
    for gate in [Gate::Hardened, Gate::Raw, Gate::Map] {
        for path in CORPUS {
            let reply = ask(gate, path).await;
            let redirected = reply.header("location").map(str::to_owned);
            expect_public_or_refused(gate, path, &reply);
            if let Some(location) = redirected {
                expect_public_or_refused(gate, path, &ask(gate, &location).await);
            }
        }
    }
}

/// What Lictor cannot trust, it refuses itself: Envoy let these through as written.
#[tokio::test]
async fn lictor_refuses_what_envoy_did_not_normalise() {
    let ambiguous = [
        "/public/../b",
        "/public//b",
        "/public%2fb",
        "/public\\b",
        "/%70ublic/x",
        "/public/..;/b",
        "//public/x",
    ];
    for gate in [Gate::Raw, Gate::Map] {
        for path in ambiguous {
            let reply = ask(gate, path).await;
            assert_eq!(reply.status, 400, "{gate:?} {path}");
            assert_eq!(reply.header("x-pomerium-intercepted-response"), Some("true"), "{path}");
        }
    }
}

/// Without a credential.
async fn ask(gate: Gate, target: &str) -> Reply {
    edge().get(gate, target, &["accept: application/json"]).await
}

fn expect_public_or_refused(gate: Gate, sent: &str, reply: &Reply) {
    if reply.status == 307 || (400..500).contains(&reply.status) {
        return;
    }
    assert_eq!(reply.status, 200, "{gate:?} {sent}: {reply:?}");
    let seen = reply.json()["path"].as_str().expect("the upstream echoes the path").to_owned();
    let read = naive(&seen);
    assert!(is_public(&read), "{gate:?} {sent}: the upstream saw {seen} and may read {read}");
}

fn is_public(path: &str) -> bool {
    path.strip_prefix(PUBLIC).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// How a careless upstream reads a path: decoded once, `\` as `/`, no parameters, no empty segments,
/// dots resolved.
fn naive(target: &str) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let decoded = percent_decode_str(path).decode_utf8_lossy().replace('\\', "/");
    let mut segments: Vec<&str> = Vec::new();
    for segment in decoded.split('/') {
        match segment.split(';').next().unwrap_or_default().trim_matches(char::is_control) {
            "" | "." => {}
            ".." => drop(segments.pop()),
            name => segments.push(name),
        }
    }
    format!("/{}", segments.join("/"))
}

#[test]
fn the_careless_reading() {
    let check = |target: &str, expected: &str| assert_eq!(naive(target), expected, "{target}");
    check("/public/../b", "/b");
    check("/public/..;x/b?/c", "/b");
    check("/public%2f..%5cb", "/b");
    check("//public//x", "/public/x");
    check("/public/%252e%252e/b", "/public/%2e%2e/b");
    assert!(is_public("/public/x") && is_public("/public") && !is_public("/publicity"));
}
