//! Clients that others have made, against the admin API: Google's gRPC library for Python with stubs made
//! in the test.

use crate::support::estate::{Estate, Machine};
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
