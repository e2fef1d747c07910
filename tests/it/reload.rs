//! A configuration that changes under a running server.

use crate::support::check::{allows, asking, client, get};
use crate::support::config::SECRET;
use crate::support::pki::Ca;
use crate::support::process::Server;
use lictor::app::{Addresses, App};
use lictor::clock::SystemClock;
use lictor::config::{Config, Environment};
use lictor::demo::exchange;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

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
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lictor.yaml");
    put(folder.path(), "secret", SECRET);
    put(folder.path(), "lictor.yaml", &text(PUBLIC));
    let config = Config::load(&file, &Environment::default()).expect("loads");
    let app = App::bind(config, Arc::new(SystemClock)).await.expect("binds");
    let at = app.addresses();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(app.run(async move { drop(stopped.await) }));
    assert!(allowed(&at).await);
    eventually("ready", || async { page(&at, "/readyz").await == "ready\n" }).await;

    put(folder.path(), "lictor.yaml", &text(NOBODY));
    eventually("the deny in force", || async { !allowed(&at).await }).await;

    put(folder.path(), "lictor.yaml", &text("policy: {alow: {}}"));
    eventually("the remark", || async {
        page(&at, "/readyz").await.contains("has 1 problem; the last good")
    })
    .await;
    assert!(
        page(&at, "/readyz").await.starts_with("ready\n"),
        "a bad file does not stop the service"
    );
    assert!(page(&at, "/metrics").await.contains("lictor_config_current 0"));
    assert!(!allowed(&at).await, "the last good configuration stays");

    put(folder.path(), "lictor.yaml", &text(PUBLIC));
    eventually("the allow in force", || allowed(&at)).await;
    assert_eq!(page(&at, "/readyz").await, "ready\n");
    assert!(page(&at, "/metrics").await.contains("lictor_config_current 1"));

    put(folder.path(), "secret", "bm90IGdvb2Q=");
    eventually("the bad key noticed", || async {
        page(&at, "/readyz").await.contains("1 problem")
    })
    .await;
    assert!(allowed(&at).await);
    stop.send(()).expect("running");
    running.await.expect("no panic").expect("ends well");
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_during_changes_are_right_under_one_of_the_two() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lictor.yaml");
    put(folder.path(), "secret", SECRET);
    put(folder.path(), "lictor.yaml", &text(PUBLIC));
    let app = App::bind(
        Config::load(&file, &Environment::default()).expect("loads"),
        Arc::new(SystemClock),
    )
    .await
    .expect("binds");
    let at = app.addresses();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(app.run(async move { drop(stopped.await) }));
    let mut asking_one = client(&at.grpc).await;
    let (mut yes, mut no) = (0, 0);
    for turn in 0..6 {
        let denying = turn % 2 == 0;
        put(folder.path(), "lictor.yaml", &text(if denying { NOBODY } else { PUBLIC }));
        for _ in 0..2_000 {
            let answer = asking_one
                .check(asking(get("a.test", "/", &[])))
                .await
                .expect("an answer, never an error")
                .into_inner();
            if allows(&answer) { yes += 1 } else { no += 1 }
        }
        eventually("the change in force", || async { allowed(&at).await != denying }).await;
    }
    assert!(yes + no == 12_000, "{yes} {no}");
    stop.send(()).expect("running");
    running.await.expect("no panic").expect("ends well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_and_a_revocation_list_are_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lictor.yaml");
    let inside = tempfile::tempdir_in(folder.path()).expect("a folder");
    let ca = Ca::new("one");
    put(folder.path(), "secret", SECRET);
    put(folder.path(), "ca.pem", &ca.pem);
    put(inside.path(), "route.pem", &ca.pem);
    let route = inside.path().join("route.pem");
    let own = format!("tls_downstream_client_ca_file: {}", route.display());
    let text = text(&format!("{PUBLIC}, {own}"));
    put(folder.path(), "lictor.yaml", &format!("{text}downstream_mtls: {{ca_file: ca.pem}}\n"));
    let config = Config::load(&file, &Environment::default()).expect("loads");
    let app = App::bind(config, Arc::new(SystemClock)).await.expect("binds");
    let at = app.addresses();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(app.run(async move { drop(stopped.await) }));
    eventually("ready", || async { page(&at, "/readyz").await == "ready\n" }).await;
    for (folder, name) in [(folder.path(), "ca.pem"), (inside.path(), "route.pem")] {
        put(folder, name, "nonsense");
        eventually("the bad file noticed", || async {
            page(&at, "/readyz").await.contains("1 problem")
        })
        .await;
        put(folder, name, &Ca::new("two").pem);
        eventually("the good file read", || async { page(&at, "/readyz").await == "ready\n" })
            .await;
    }
    stop.send(()).expect("running");
    running.await.expect("no panic").expect("ends well");
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
