//! Headers through a real Envoy: what a client forges never arrives, what is ours arrives once, and
//! the access log tells who and why.

use crate::support::edge::{DRESSED_HOST, Edge, PUBLIC, edge};
use crate::support::gates::Gate;
use crate::support::process::eventually;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lictor::demo::{DEMO_HOST, Reply};
use serde_json::Value;
use std::fs;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const BOB: &str = "bob@example.com";

/// What a client may try; twice in different case, configured and not configured, and our twins.
const FORGED: [&str; 10] = [
    "x-pomerium-jwt-assertion: forged",
    "X-Pomerium-JWT-Assertion: forged-too",
    "x-pomerium-claim-email: forged@example.com",
    "X-POMERIUM-CLAIM-EMAIL: forged-too@example.com",
    "x-pomerium-claim-groups: forged",
    "x-pomerium-claim-other: forged",
    "x-pomerium-jwt-assertion-for: forged",
    "x-pomerium-routing-key: forged",
    "x-envoy-auth-failure-mode-allowed: true",
    "x-harmless: kept",
];

/// What only a gate lets through that does not refuse underscores.
const UNDERSCORED: [&str; 3] = [
    "x_pomerium_jwt_assertion: forged",
    "X_Pomerium-Claim_Email: forged",
    "x-pomerium_claim-other: forged",
];

#[tokio::test]
async fn forged_headers_on_a_protected_route() {
    for gate in [Gate::Hardened, Gate::Raw, Gate::Map] {
        let authorization = edge().authorization(BOB, DEMO_HOST);
        let seen = forge(edge(), gate, "/protected", &[&authorization]).await;
        let assertion = seen["x-pomerium-jwt-assertion"].as_str().expect("exactly one");
        assert_eq!(claims(assertion)["email"], BOB, "{gate:?}");
        assert_eq!(seen["x-pomerium-claim-email"], BOB, "{gate:?}");
        assert_eq!(ours(&seen), ["x-pomerium-claim-email", "x-pomerium-jwt-assertion"], "{gate:?}");
        assert!(seen.get("authorization").is_none(), "{gate:?}");
    }
}

#[tokio::test]
async fn forged_headers_on_a_public_route() {
    for gate in [Gate::Hardened, Gate::Raw, Gate::Map] {
        let seen = forge(edge(), gate, PUBLIC, &[]).await;
        assert!(ours(&seen).is_empty(), "{gate:?}: {:?}", ours(&seen));
    }
}

#[tokio::test]
async fn a_public_route_still_learns_who_is_signed_in() {
    let authorization = edge().authorization(BOB, DEMO_HOST);
    let seen = forge(edge(), Gate::Raw, PUBLIC, &[&authorization]).await;
    let assertion = seen["x-pomerium-jwt-assertion"].as_str().expect("exactly one");
    assert_eq!(claims(assertion)["email"], BOB);
}

/// Lictor removes the marker of a failed-open check, and Envoy forbids Lictor what is Envoy's.
#[tokio::test]
async fn a_forged_marker_of_failing_open_costs_the_client_nothing() {
    let reply =
        edge().get(Gate::Hardened, PUBLIC, &["x-envoy-auth-failure-mode-allowed: true"]).await;
    assert!(
        upstream_headers(&reply).get("x-envoy-auth-failure-mode-allowed").is_none(),
        "{reply:?}"
    );
}

#[tokio::test]
async fn the_generated_bootstrap_refuses_underscores() {
    for line in UNDERSCORED {
        let reply = edge().get(Gate::Hardened, PUBLIC, &[line]).await;
        assert_eq!(reply.status, 400, "{line}");
    }
}

/// Bytes that are no text reach Lictor as bytes, or Envoy has put something else in their place: such a request is
/// decided like any other.
#[tokio::test]
async fn bytes_that_are_no_text_are_decided() {
    for gate in [Gate::Hardened, Gate::Raw, Gate::Map] {
        for (path, status) in [(PUBLIC, "200"), ("/protected", "302")] {
            let mut head =
                format!("GET {path} HTTP/1.1\r\nhost: {DEMO_HOST}\r\nx-odd: a").into_bytes();
            head.extend(b"\xff\xfe\xc3b\r\nconnection: close\r\n\r\n");
            let mut stream = TcpStream::connect(edge().at(gate)).await.expect("a connection");
            stream.write_all(&head).await.expect("sends");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.expect("an answer");
            let first = String::from_utf8_lossy(&answer[..answer.len().min(80)]).into_owned();
            assert!(first.starts_with(&format!("HTTP/1.1 {status}")), "{gate:?} {path}: {first}");
        }
    }
}

/// Sends everything forged; the headers that the upstream saw.
async fn forge(edge: &Edge, gate: Gate, path: &str, more: &[&str]) -> Value {
    let underscored: &[&str] = if gate == Gate::Hardened { &[] } else { &UNDERSCORED };
    let lines = [&FORGED[..], underscored, more].concat();
    let seen = upstream_headers(&edge.get(gate, path, &lines).await);
    assert!(!seen.to_string().contains("forged"), "{gate:?}: {seen}");
    assert!(seen.get("x-envoy-auth-failure-mode-allowed").is_none(), "{gate:?}: {seen}");
    assert_eq!(seen["x-harmless"], "kept", "{gate:?}");
    seen
}

/// The headers the upstream echoed.
fn upstream_headers(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["headers"].clone()
}

/// The names that an upstream could take for ours.
fn ours(headers: &Value) -> Vec<&str> {
    let names = headers.as_object().expect("an object").keys();
    names
        .map(String::as_str)
        .filter(|name| name.replace('_', "-").starts_with("x-pomerium-"))
        .collect()
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("JSON")
}

// --- cookies

#[tokio::test]
async fn two_cookie_lines() {
    for gate in [Gate::Hardened, Gate::Raw, Gate::Map] {
        let session = format!("_pomerium={}", edge().token(BOB, DEMO_HOST));
        let lines = [format!("cookie: a=1; {session}"), "Cookie: b=2; theme=dark".to_owned()];
        expect_cookies(gate, &lines, "a=1; b=2; theme=dark").await;
        let lines = ["Cookie: a=1; b=2".to_owned(), format!("cookie: {session}; theme=dark")];
        expect_cookies(gate, &lines, "a=1; b=2; theme=dark").await;
        let lines = [format!("cookie: {session}; a=1"), "cookie: b=2; theme=dark".to_owned()];
        expect_cookies(gate, &lines, "a=1; b=2; theme=dark").await;
        let lines = [format!("cookie: {session}"), "cookie: a=1".to_owned()];
        expect_cookies(gate, &lines, "a=1").await;
    }
}

async fn expect_cookies(gate: Gate, lines: &[String; 2], expected: &str) {
    let lines = [lines[0].as_str(), &lines[1]];
    let seen = upstream_headers(&edge().get(gate, "/cookies", &lines).await);
    assert_eq!(seen["cookie"], expected, "{gate:?}: {lines:?}");
    assert_eq!(seen["x-pomerium-claim-email"], BOB, "{gate:?}");
}

#[tokio::test]
async fn a_cookie_header_that_held_only_ours_is_gone() {
    for gate in [Gate::Raw, Gate::Map] {
        let token = edge().token(BOB, DEMO_HOST);
        let lines = [format!("cookie: _pomerium={token}"), "cookie: _pomerium_csrf=x".to_owned()];
        let seen = upstream_headers(&edge().get(gate, "/", &[&lines[0], &lines[1]]).await);
        assert!(seen.get("cookie").is_none(), "{gate:?}: {seen}");
    }
}

// --- headers of a route

#[tokio::test]
async fn a_route_sets_and_removes_headers() {
    for gate in [Gate::Raw, Gate::Map] {
        let authorization = edge().authorization(BOB, DRESSED_HOST);
        let lines = [
            authorization.as_str(),
            "x-legacy: 1",
            "X-Legacy: 2",
            "x-name: forged",
            "x-other: seen",
            "x-name: too",
        ];
        let seen = upstream_headers(&edge().get_from(gate, DRESSED_HOST, "/", &lines).await);
        let bearer = seen["authorization"].as_str().and_then(|text| text.strip_prefix("Bearer "));
        assert_eq!(bearer, seen["x-pomerium-jwt-assertion"].as_str(), "{gate:?}");
        assert_eq!(seen["x-name"], "seen", "{gate:?}: what is set is not removed");
        assert!(seen.get("x-legacy").is_none(), "{gate:?}");

        let lines = [authorization.as_str(), "x-name: forged", "X-Name: forged"];
        let seen = upstream_headers(&edge().get_from(gate, DRESSED_HOST, "/", &lines).await);
        assert!(
            matches!(seen["x-name"].as_str(), None | Some("")),
            "{gate:?}: set to nothing: {seen}"
        );
    }
}

// --- refusals

#[tokio::test]
async fn what_a_client_sends_never_breaks_a_refusal() {
    let hostile = [
        "x-request-id: a\tb\"><script>alert(1)</script>",
        "x-request-id: caf\u{e9}\u{85}",
        "x-request-id: a\u{1}b",
        "x-request-id: a\rset-cookie: injected=1",
        "x-request-id: %0d%0aset-cookie:%20injected=1",
        "accept: text/html\r\n\tset-cookie: injected=1",
        "user-agent: kubernetes/\"}\u{7f}",
        "content-type: application/grpc",
    ];
    for gate in [Gate::Hardened, Gate::Raw, Gate::Map] {
        for line in hostile {
            let reply =
                edge().get(gate, "/%0d%0aset-cookie:%20injected=1?x=%0d%0ay", &[line]).await;
            expect_clean(&reply, line);
            let reply = edge().get(gate, "/secret?x=%0d%0aset-cookie:%20injected=1", &[line]).await;
            expect_clean(&reply, line);
        }
        for host in [
            "a\"b",
            "<script>alert(1)</script>",
            "a\tb",
            "a\u{e9}",
            "user@httpbin.localhost",
            "a,b",
            "a%0d%0ab",
            "a\u{1}b",
        ] {
            let reply = edge().get_from(gate, host, "/", &[]).await;
            expect_clean(&reply, host);
        }
    }
}

/// A refusal, whole, without anything injected. A gRPC refusal has HTTP status 200.
fn expect_clean(reply: &Reply, hostile: &str) {
    let grpc = reply.header("grpc-status").is_some_and(|status| status != "0");
    let refused =
        matches!(reply.status, 302 | 307 | 400 | 401 | 403 | 404) || (reply.status == 200 && grpc);
    assert!(refused, "{hostile:?}: {reply:?}");
    let injected = reply.headers.iter().any(|(name, _)| name == "set-cookie");
    assert!(!injected, "{hostile:?}: {reply:?}");
    let control = reply.headers.iter().any(|(_, value)| value.chars().any(char::is_control));
    assert!(!control, "{hostile:?}: {reply:?}");
    assert!(!reply.body.contains("<script>"), "{hostile:?}: {reply:?}");
    if let Some(length) = reply.header("content-length") {
        assert_eq!(length, reply.body.len().to_string(), "{hostile:?}: {reply:?}");
    }
}

// --- dynamic metadata

#[tokio::test]
async fn the_access_log_tells_who_and_why() {
    let bob = edge().authorization(BOB, DEMO_HOST);
    let eve = edge().authorization("eve@evil.test", DEMO_HOST);
    edge().get(Gate::Hardened, "/logged-allowed", &[&bob]).await;
    edge().get(Gate::Hardened, "/logged-forbidden", &[&eve]).await;
    edge().get(Gate::Hardened, "/logged-nobody", &[]).await;
    edge().get(Gate::Hardened, "/public/logged", &[]).await;

    expect_logged(
        "/logged-allowed",
        &[("decision", "allow"), ("reason", "allowed"), ("route", "restricted"), ("user", BOB)],
    )
    .await;
    expect_logged(
        "/logged-forbidden",
        &[("decision", "deny"), ("route", "restricted"), ("user", "eve@evil.test")],
    )
    .await;
    expect_logged("/logged-nobody", &[("decision", "deny"), ("route", "restricted")]).await;
    expect_logged("/public/logged", &[("decision", "allow"), ("route", "public")]).await;
    let reasons =
        [logged("/logged-forbidden"), logged("/logged-nobody")].map(|line| line["reason"].clone());
    assert!(
        reasons.iter().all(|reason| reason.as_str().is_some_and(|text| text != "allowed")),
        "{reasons:?}"
    );
    assert_ne!(reasons[0], reasons[1]);
}

async fn expect_logged(path: &str, fields: &[(&str, &str)]) {
    assert!(eventually(|| !logged(path).is_null()).await, "no line about {path}");
    let line = logged(path);
    for (name, value) in fields {
        assert_eq!(line[name], *value, "{path}: {line}");
    }
}

/// The access log line about `path`; null if there is none yet.
fn logged(path: &str) -> Value {
    let log = fs::read_to_string(edge().stand.envoy.log()).unwrap_or_default();
    let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.find(|line| line["path"] == path).unwrap_or_default()
}
