//! A running server without Envoy: faults, health, keys, metrics.

use crate::support::check::Checks as _;
use crate::support::config::{load, snapshot_of};
use crate::support::fixture::{Ask, CONFIG};
use crate::support::service::wait;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use lictor::app::App;
use lictor::authorizer::Authorizer;
use lictor::clock::{Clock, SystemClock};
use lictor::demo::exchange;
use lictor::ext_authz::Checker;
use lictor::state::State;
use lictor::telemetry::{DecisionLine, Metrics};
use lictor::time::Timestamp;
use std::sync::Arc;

#[derive(Debug)]
struct Broken;

impl Clock for Broken {
    fn now(&self) -> Timestamp {
        panic!("the clock is broken")
    }
}

#[test]
fn a_panic_is_a_refusal() {
    let metrics = Arc::new(Metrics::new());
    let checker = Checker {
        state: Arc::new(State::new(snapshot_of(CONFIG))),
        authorizer: Arc::new(Authorizer::new()),
        sessions: None,
        clock: Arc::new(Broken),
        metrics: Arc::clone(&metrics),
        usage: Arc::default(),
        log: DecisionLine::default(),
    };
    let response =
        wait(checker.check(Ask::get("public").check(), None)).expect("an answer, not an error");
    assert_eq!(response.status.expect("a status").code, 7);
    match response.http_response {
        Some(HttpResponse::DeniedResponse(denied)) => {
            assert_eq!(denied.status.expect("a status").code, 500);
        }
        other => panic!("{other:?}"),
    }
    assert!(metrics.text().contains("reason=\"fault\""), "{}", metrics.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!(
        "grpc_address: 127.0.0.1:0\nhttp_address: 127.0.0.1:0\nmetrics_address: 127.0.0.1:0\n{CONFIG}"
    );
    let config = load(&text, folder.path()).expect("a configuration");
    let app = App::bind(config, Arc::new(SystemClock)).await.expect("binds");
    let at = app.addresses();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(app.run(async move { drop(stopped.await) }));
    let get = |path: &'static str, host: &'static str| async move {
        let first = format!("GET {path} HTTP/1.1");
        exchange(at.http, &[&first, &format!("Host: {host}")]).await.expect("an answer")
    };
    let keys = get("/.well-known/pomerium/jwks.json", "eng.corp.test").await;
    assert_eq!(
        (keys.status, keys.header("access-control-allow-origin"), keys.header("cache-control")),
        (200, Some("*"), Some("max-age=60"))
    );
    let key = &keys.json()["keys"][0];
    assert_eq!(
        (key["kty"].as_str(), key["alg"].as_str(), key["use"].as_str()),
        (Some("EC"), Some("ES256"), Some("sig"))
    );
    assert_eq!(key["kid"].as_str().map(str::len), Some(64));
    assert!(key.get("d").is_none(), "a private key is published");
    let etag = keys.header("etag").expect("an etag").to_owned();
    let again = exchange(
        at.http,
        &[
            "GET /.well-known/pomerium/jwks.json HTTP/1.1",
            "Host: x.test",
            &format!("If-None-Match: {etag}"),
        ],
    )
    .await
    .expect("an answer");
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    let discovery = get("/.well-known/pomerium", "eng.corp.test").await.json();
    assert_eq!(discovery["jwks_uri"], "https://eng.corp.test/.well-known/pomerium/jwks.json");
    let evil = exchange(at.http, &["GET /.well-known/pomerium HTTP/1.1", "Host: a@b"])
        .await
        .expect("an answer");
    assert_eq!(evil.status, 404);
    let operator = at.metrics.expect("an operator's listener");
    let status = |path: &'static str| async move {
        let first = format!("GET {path} HTTP/1.1");
        exchange(operator, &[&first, "Host: x"]).await.expect("an answer").status
    };
    // The pages are there a moment before the server is ready.
    for _ in 0..100 {
        if status("/readyz").await == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let pages = [("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/other", 404)];
    for (path, expected) in pages {
        assert_eq!(status(path).await, expected, "{path}");
    }
    stop.send(()).expect("running");
    running.await.expect("no panic").expect("ends well");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let people = folder.path().join("people.yaml");
    std::fs::write(&people, "users: [{id: u-1, email: a@corp.test}]").expect("writes");
    let text = format!(
        "directory: {{file: people.yaml}}\ngrpc_address: 127.0.0.1:0\nhttp_address: 127.0.0.1:0\nmetrics_address: 127.0.0.1:0\n{CONFIG}"
    );
    let app =
        App::bind(load(&text, folder.path()).expect("a configuration"), Arc::new(SystemClock))
            .await
            .expect("binds");
    let operator = app.addresses().metrics.expect("an operator's listener");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(app.run(async move { drop(stopped.await) }));
    let wait_for = |line: &'static str| async move {
        for _ in 0..100 {
            let body = exchange(operator, &["GET /metrics HTTP/1.1", "Host: x"])
                .await
                .expect("an answer")
                .body;
            if body.contains(line) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("never saw {line}");
    };
    wait_for("lictor_directory_users 1").await;
    let next = folder.path().join("next.yaml");
    std::fs::write(&next, "users: [{id: u-1, email: a@corp.test}, {id: u-2, email: b@corp.test}]")
        .expect("writes");
    std::fs::rename(&next, &people).expect("renames");
    wait_for("lictor_directory_users 2").await;
    std::fs::write(&people, "users: nonsense").expect("writes");
    wait_for("result=\"failed\"} 1").await;
    wait_for("lictor_directory_users 2").await;
    stop.send(()).expect("running");
    running.await.expect("no panic").expect("ends well");
}
