//! A configuration that changes under a running server.

use crate::support::check::{Checks as _, allows, asking, client, get};
use crate::support::config::SECRET;
use crate::support::pki::Ca;
use crate::support::process::Server;
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use lictor::app::{Addresses, App};
use lictor::clock::SystemClock;
use lictor::config::{Config, Environment};
use lictor::demo::exchange;
use lictor::ext_authz::CheckService;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

const PUBLIC: &str = "allow_public_unauthenticated_access: true";
const NOBODY: &str = "policy: {deny: {or: [{accept: true}]}}";

fn text(rule: &str) -> String {
    format!(
        "grpc_address: 127.0.0.1:0\nhttp_address: 127.0.0.1:0\nmetrics_address: 127.0.0.1:0\nshared_secret_file: secret\nroutes:\n- {{from: https://a.test, {rule}}}\n"
    )
}

/// Puts a file in place in one step, as an editor does.
fn put(folder: &Path, name: &str, content: &str) {
    let next = folder.join("next");
    std::fs::write(&next, content).expect("writes");
    std::fs::rename(next, folder.join(name)).expect("renames");
}

/// A server in this process, reading `lictor.yaml` in a folder of its own.
struct Running {
    folder: tempfile::TempDir,
    service: CheckService,
    at: Addresses,
    stop: oneshot::Sender<()>,
    running: tokio::task::JoinHandle<Result<(), anyhow::Error>>,
}

impl Running {
    async fn start(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        put(folder.path(), "secret", SECRET);
        Self::start_in(folder, text).await
    }

    /// The same, in a folder where `secret` is.
    async fn start_in(folder: tempfile::TempDir, text: &str) -> Self {
        put(folder.path(), "lictor.yaml", text);
        let file = folder.path().join("lictor.yaml");
        let config = Config::load(&file, &Environment::default()).expect("loads");
        let app = App::bind(config, Arc::new(SystemClock)).await.expect("binds");
        let (at, service) = (app.addresses(), app.service());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(app.run(async move { drop(stopped.await) }));
        Self { folder, service, at, stop, running }
    }

    async fn stop(self) {
        self.stop.send(()).expect("running");
        self.running.await.expect("no panic").expect("ends well");
    }
}

async fn allowed(at: &Addresses) -> bool {
    let answer = client(&at.grpc).await.check(asking(get("a.test", "/", &[]))).await;
    allows(&answer.expect("an answer").into_inner())
}

async fn eventually<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    for _ in 0..100 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}

async fn page(at: &Addresses, path: &str) -> String {
    let operator = at.metrics.expect("an operator's listener");
    exchange(operator, &[&format!("GET {path} HTTP/1.1"), "Host: x"]).await.expect("an answer").body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_change_takes_effect_and_a_bad_one_changes_nothing() {
    let server = Running::start(&text(PUBLIC)).await;
    let (folder, at) = (server.folder.path(), &server.at);
    assert!(allowed(at).await);
    eventually("ready", || async { page(at, "/readyz").await == "ready\n" }).await;

    put(folder, "lictor.yaml", &text(NOBODY));
    eventually("the deny in force", || async { !allowed(at).await }).await;

    put(folder, "lictor.yaml", &text("policy: {alow: {}}"));
    eventually("the remark", || async {
        page(at, "/readyz").await.contains("has 1 problem; the last good")
    })
    .await;
    assert!(
        page(at, "/readyz").await.starts_with("ready\n"),
        "a bad file does not stop the service"
    );
    assert!(page(at, "/metrics").await.contains("lictor_config_current 0"));
    assert!(!allowed(at).await, "the last good configuration stays");

    put(folder, "lictor.yaml", &text(PUBLIC));
    eventually("the allow in force", || allowed(at)).await;
    assert_eq!(page(at, "/readyz").await, "ready\n");
    assert!(page(at, "/metrics").await.contains("lictor_config_current 1"));

    put(folder, "secret", "bm90IGdvb2Q=");
    eventually("the bad key noticed", || async { page(at, "/readyz").await.contains("1 problem") })
        .await;
    assert!(allowed(at).await);
    server.stop().await;
}

/// A file whose policy allows the path `/NAME` and no other, and whose answers name it.
fn version(name: &str, more: &str) -> String {
    format!(
        "grpc_address: 127.0.0.1:0\nhttp_address: 127.0.0.1:0\nmetrics_address: 127.0.0.1:0\nshared_secret_file: secret\nset_response_headers: {{x-version: {name}}}\npolicies: {{ours: {{allow: {{and: [{{http_path: /{name}}}]}}}}}}\nroutes:\n- {{from: https://a.test, policies: [ours]}}\n{more}"
    )
}

/// The version an answer to `path` was made by. Panics unless all of it is of that version.
fn version_of(path: &str, answer: &CheckResponse) -> String {
    let headers = match answer.http_response.as_ref().expect("an answer") {
        HttpResponse::OkResponse(ok) => &ok.response_headers_to_add,
        HttpResponse::DeniedResponse(denied) => &denied.headers,
        HttpResponse::ErrorResponse(error) => panic!("{error:?}"),
    };
    let mut headers = headers.iter().filter_map(|option| option.header.as_ref());
    let name = headers.find(|header| header.key == "x-version").expect("a version").value.clone();
    assert_eq!(allows(answer), path == format!("/{name}"), "{path} under {name}");
    name
}

/// Asks without a wire.
async fn ask(service: &CheckService, path: &str) -> String {
    let asked = asking(get("a.test", path, &[]));
    let answer = service.checker().check(asked, None).await.expect("an answer, never an error");
    version_of(path, &answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_thousand_checks_while_the_policy_changes() {
    const TASKS: usize = 4;
    const CHECKS: usize = 100_000 / TASKS;
    const CHANGES: usize = 4;
    let server = Running::start(&version("one", "")).await;
    let changes = Arc::new(AtomicUsize::new(0));
    let asking_task = |number: usize| {
        let (service, changes) = (server.service.clone(), Arc::clone(&changes));
        async move {
            let (mut one, mut two) = (0, 0);
            while one + two < CHECKS || changes.load(Ordering::Relaxed) < CHANGES {
                let path = if (one + two + number).is_multiple_of(2) { "/one" } else { "/two" };
                match ask(&service, path).await.as_str() {
                    "one" => one += 1,
                    "two" => two += 1,
                    other => panic!("no such version: {other}"),
                }
                tokio::task::yield_now().await;
            }
            (one, two)
        }
    };
    let asking: Vec<_> = (0..TASKS).map(|number| tokio::spawn(asking_task(number))).collect();
    while asking.iter().any(|task| !task.is_finished()) {
        let next = if changes.load(Ordering::Relaxed).is_multiple_of(2) { "two" } else { "one" };
        put(server.folder.path(), "lictor.yaml", &version(next, ""));
        eventually("the next version", || async { ask(&server.service, "/").await == next }).await;
        changes.fetch_add(1, Ordering::Relaxed);
    }
    let (mut one, mut two) = (0, 0);
    for task in asking {
        let (seen_one, seen_two) = task.await.expect("every answer is right under one version");
        (one, two) = (one + seen_one, two + seen_two);
    }
    eprintln!("{one} answers of version one, {two} of version two, {changes:?} changes");
    assert!(one > 0 && two > 0 && one + two >= 100_000, "{one} {two}");
    server.stop().await;
}

/// With one thread for everything that waits, any check would wait for a reading done on it.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_large_file_is_read_while_checks_go_on() {
    let server = Running::start(&version("one", "")).await;
    let route = |number: usize| {
        let mail = format!("user{number}@a.test");
        format!(
            "- {{from: https://r{number}.test, policy: {{allow: {{or: [{{email: {mail}}}]}}}}}}\n"
        )
    };
    let large: String = (0..10_000).map(route).collect();
    let mut client = client(&server.at.grpc).await;
    let (mut before, mut during) = (Vec::new(), Vec::new());
    let (mut began, mut current) = (None, String::new());
    while current != "two" {
        if before.len() == 1_000 && began.is_none() {
            put(server.folder.path(), "lictor.yaml", &version("two", &large));
            began = Some(Instant::now());
        }
        let asked = Instant::now();
        let answer = client.check(asking(get("a.test", "/one", &[]))).await;
        let took = asked.elapsed();
        current = version_of("/one", answer.expect("an answer, never an error").get_ref());
        if began.is_some() {
            during.push(took)
        } else {
            before.push(took)
        }
        assert!(began.is_none_or(|began| began.elapsed() < Duration::from_secs(30)), "never read");
    }
    let reading = began.expect("it was changed").elapsed();
    eprintln!("before: {}", spread(before));
    eprintln!("in the {reading:?} until 10,000 routes were in force: {}", spread(during));
    server.stop().await;
}

fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let (middle, most) = (times.len() / 2, times.len() * 99 / 100);
    let last = times.len() - 1;
    format!(
        "{} checks, p50 {:?}, p99 {:?}, max {:?}",
        times.len(),
        times[middle],
        times[most],
        times[last]
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_and_a_revocation_list_are_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = tempfile::tempdir_in(folder.path()).expect("a folder");
    let ca = Ca::new("one");
    put(folder.path(), "secret", SECRET);
    put(folder.path(), "ca.pem", &ca.pem);
    put(inside.path(), "route.pem", &ca.pem);
    let route = inside.path().join("route.pem");
    let own = format!("tls_downstream_client_ca_file: {}", route.display());
    let text = text(&format!("{PUBLIC}, {own}"));
    let text = format!("{text}downstream_mtls: {{ca_file: ca.pem}}\n");
    let server = Running::start_in(folder, &text).await;
    let (folder, at) = (server.folder.path(), &server.at);
    eventually("ready", || async { page(at, "/readyz").await == "ready\n" }).await;
    for (folder, name) in [(folder, "ca.pem"), (inside.path(), "route.pem")] {
        put(folder, name, "nonsense");
        eventually("the bad file noticed", || async {
            page(at, "/readyz").await.contains("1 problem")
        })
        .await;
        put(folder, name, &Ca::new("two").pem);
        eventually("the good file read", || async { page(at, "/readyz").await == "ready\n" }).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn sighup_reads_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let server =
        Server::start(folder.path(), "lictor", "127.0.0.1:0", ([127, 0, 0, 1], 9).into()).await;
    assert!(!server.read_log().contains("configuration read"));
    server.signal("-HUP").await;
    eventually("the reading in the log", || async {
        server.read_log().contains("configuration read")
    })
    .await;
}
