//! Clients that others have made, against the admin API: Google's gRPC library for Python with stubs made
//! in the test, and a program that reads the OpenAPI document and tries everything it allows.

use crate::support::api::Caller;
use crate::support::estate::{BOOTSTRAP, Estate, Machine};
use lictor::config::Environment;
use lictor::demo::pip_install;
use lictor::namespace::{Role, Subject};
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const GRPC: [&str; 4] = [
    "grpcio==1.85.1",
    "grpcio-tools==1.85.1",
    "grpcio-status==1.85.1",
    "grpcio-reflection==1.85.1",
];
const SCHEMATHESIS: [&str; 1] = ["schemathesis==4.32.5"];

async fn packages(wanted: &[&str]) -> PathBuf {
    let installed =
        pip_install(wanted, &Environment::of_process(), &|text| eprintln!("{text}")).await;
    installed.expect("packages of PyPI: have Python with pip")
}

async fn python(packages: PathBuf, arguments: &[&str], patience: Duration) -> Output {
    let mut command = Command::new("python3");
    command.args(arguments).env("PYTHONPATH", packages).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("NO_PROXY", "*").env("GRPC_VERBOSITY", "ERROR");
    command.current_dir(std::env::temp_dir());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let output = tokio::time::timeout(patience, command.output()).await;
    output.expect("in time").expect("Python runs")
}

/// A machine that may do everything.
async fn administrator(estate: &Estate) -> Machine {
    let machine = estate.make(estate.unique("terraform", &estate.global)).await;
    let given = (Subject::User(machine.record.user.clone()), Role::Admin);
    let admin = &estate.house.admin;
    admin.grant(&estate.by, &estate.global, given, estate.at()).await.expect("a role");
    machine
}

/// A day in each moment, for as long as something else goes on.
async fn time_flies(estate: &Estate) {
    loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        estate.house.later(24 * 60 * 60);
    }
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

#[tokio::test(flavor = "multi_thread")]
async fn line_09_grpcio_and_json_do_the_same() {
    let packages = packages(&GRPC).await;
    let estate = Estate::open().await;
    let machine = administrator(&estate).await;
    let stubs = tempfile::tempdir().expect("a folder");
    let client = format!("{ROOT}/tests/it/support/api/client.py");
    let (http, proto) = (estate.house.http.to_string(), format!("{ROOT}/proto"));
    let stubs = stubs.path().display().to_string();
    let arguments = [client.as_str(), &http, &machine.token, &proto, &stubs];
    let output = python(packages, &arguments, Duration::from_secs(60)).await;
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "done");
    estate.house.close().await;
}

/// Tries everything the document allows, and what it does not: no fault, no answer that is not
/// documented, no other shape than the one that is.
#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_the_document_true() {
    let packages = packages(&SCHEMATHESIS).await;
    let estate = Estate::open().await;
    for (name, place) in [("one", &estate.design), ("two", &estate.web)] {
        estate.make(estate.unique(name, place)).await;
    }
    let base = format!("http://{}", estate.house.http);
    // Not an account: among all that is tried is to delete every account that a list has shown.
    let shown = format!("Authorization: Bearer {BOOTSTRAP}");
    let document = format!("{base}/openapi.json");
    let arguments = [
        "-m",
        "schemathesis.cli",
        "run",
        &document,
        "--url",
        &base,
        "--header",
        &shown,
        "--checks",
        "all",
        // What is allowed by its shape may still be no namespace, no policy, no id.
        "--exclude-checks",
        "positive_data_acceptance",
        "--phases",
        "examples,coverage,fuzzing,stateful",
        "--max-examples",
        "8",
        "--seed",
        "7",
        "--generation-database",
        "none",
        "--no-shrink",
        "--continue-on-failure",
        "--no-color",
        "--warnings",
        "off",
        "--suppress-health-check",
        "all",
    ];
    // Bad credentials are tried too, and each is to be refused for itself: time flies, so that they are
    // forgotten at once.
    let output = tokio::select! {
        output = python(packages, &arguments, Duration::from_secs(240)) => output,
        () = time_flies(&estate) => unreachable!("time does not end"),
    };
    assert!(output.status.success(), "{}", said(&output));
    let cases = regex::Regex::new(r"(\d+) generated, (\d+) passed").expect("a pattern");
    let cases = cases.captures(&said(&output)).map(|found| (found[1].len(), found[1] == found[2]));
    assert_eq!(cases, Some((4, true)), "thousands, and all of them passed: {}", said(&output));
    let told = Caller::bearer(estate.house.http, BOOTSTRAP).get("/whoami").await;
    assert_eq!(told.status, 200, "the calls were let in to the end");
    estate.house.close().await;
}
