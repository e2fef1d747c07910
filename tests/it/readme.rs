//! What the documents promise: every configuration in them loads, every command in them exists.

use crate::support::command::lictor;
use crate::support::config::{SECRET, load};
use crate::support::gates::{free_address, loopback};
use crate::support::house::payload;
use crate::support::process::Setup;
use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../../README.md");

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let found: Vec<_> =
        README.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!found.is_empty(), "no {language} in the README");
    found
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("shared_secret"), SECRET).expect("writes");
    folder
}

#[test]
fn every_configuration_loads() {
    let folder = folder();
    let people = blocks("yaml")
        .into_iter()
        .find(|block| block.starts_with("# people.yaml"))
        .expect("people");
    std::fs::write(folder.path().join("people.yaml"), people).expect("writes");
    let configurations =
        blocks("yaml").into_iter().filter(|block| !block.starts_with("# people.yaml"));
    for block in configurations {
        if let Err(problems) = load(block, folder.path()) {
            panic!("{problems:#?}\n{block}");
        }
    }
}

#[test]
fn every_command_exists() {
    let folder = folder();
    let commands = blocks("console").into_iter().flat_map(str::lines).filter_map(|line| {
        let rest = line.split_once("lictor ")?.1;
        let words: Vec<&str> = rest
            .split([' ', ')', '>'])
            .take_while(|word| word.chars().all(|c| c.is_ascii_lowercase()) && !word.is_empty())
            .collect();
        Some(words)
    });
    let mut seen = 0;
    for words in commands {
        let arguments: Vec<&str> = words.iter().copied().chain(["--help"]).collect();
        let ran = lictor(folder.path(), &arguments, &[], "");
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
        seen += 1;
    }
    assert!(seen >= 5, "only {seen} commands were found");
}

#[test]
fn the_walk_through_of_the_readme() {
    let folder = folder();
    let first = blocks("yaml")[0];
    std::fs::write(folder.path().join("lictor.yaml"), first).expect("writes");
    let check = lictor(folder.path(), &["config", "check", "lictor.yaml"], &[], "");
    assert_eq!(check.code, 0, "{}", check.stderr);
    let envoy = lictor(folder.path(), &["envoy", "config", "lictor.yaml"], &[], "");
    assert_eq!((envoy.code, envoy.stderr.as_str()), (0, ""));
    validate(folder.path(), &envoy.stdout);
}

/// What the README says under "Give a machine an account", by a shell and through Envoy: its configuration,
/// its commands. Only addresses are other ones.
#[tokio::test(flavor = "multi_thread")]
async fn line_13_the_walk_with_a_machine_by_terminal() {
    let block = |language, said: &str| {
        let block = blocks(language).into_iter().find(|block| block.contains(said));
        block.unwrap_or_else(|| panic!("no {said} in the README"))
    };
    let config = block("yaml", "namespaces:").replace("127.0.0.1:3000", "UPSTREAM");
    let folder = folder();
    let addresses = format!(
        "grpc_address: {}\nhttp_address: {}\nmetrics_address: {}\n",
        free_address(),
        free_address(),
        free_address()
    );
    let setup = Setup::serve(folder, &[format!("{addresses}{config}")], |_| ()).await;
    let gateway = loopback(8000).to_string();
    let script = block("console", "lictor service-account create");
    let (served, script) = script.split_once('\n').expect("lines");
    assert_eq!(served, "lictor serve --config lictor.yaml &");
    assert!(script.contains(&gateway), "{script}");
    let script = script.replace(&gateway, &setup.gateway.to_string());
    let script = script.replace("--config lictor.yaml", "--config lictor-0.yaml");
    // A server of another process follows the store at its next heartbeat.
    let (made, called) = script.split_once("\ncurl ").expect("a call");
    let script = format!(
        "set -euo pipefail\n{made}\nasked() {{ curl -sS {called}\n}}\n\
         for try in $(seq 100); do\n\
         answer=$(asked); if [[ $answer == '{{'* ]]; then break; fi; sleep 0.1\ndone\n\
         echo \"$answer\"; echo \"$token\" >&2\n"
    );
    let home = setup.folder.path().to_owned();
    let run = move || {
        let ours = Path::new(env!("CARGO_BIN_EXE_lictor")).parent().expect("a folder");
        let path = format!("{}:/usr/bin:/bin", ours.display());
        let mut shell = Command::new("bash");
        shell.args(["-c", &script]).current_dir(home).env_clear();
        shell.env("PATH", path).env("NO_PROXY", "*").output().expect("a shell")
    };
    let done = tokio::task::spawn_blocking(run).await.expect("it runs");
    let (said, told) = (text(done.stdout), text(done.stderr));
    assert!(done.status.success(), "{said}\n{told}");
    let reply = &said[said.find("{\n").or_else(|| said.find("{\"")).expect("an answer")..];
    let reply: serde_json::Value = serde_json::from_str(reply).expect("JSON");
    let assertion = reply["headers"]["x-pomerium-jwt-assertion"].as_str();
    let claims = payload(assertion.unwrap_or_else(|| panic!("no assertion: {said}")));
    assert_eq!(claims["sub"], "build-bot@design.pomerium");
    assert_eq!(claims["aud"], "api.example.com");
    let token = told.lines().last().expect("the token");
    assert_eq!(token.split('.').count(), 3, "{told}");
    assert!(!said.contains(token), "the token does not reach the service: {said}");
    setup.stop().await;
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn the_generated_bootstrap_of_many_kinds_of_routes() {
    let folder = folder();
    let text = format!(
        "shared_secret: {SECRET}
grpc_address: unix:///tmp/x.sock
authenticate_service_url: https://auth.example.com
routes:
- {{from: https://a.example.com, to: [http://h1:1, http://h2:2], prefix: /p}}
- {{from: https://a.example.com, to: https://h3, path: /exact}}
- {{from: https://a.example.com, to: http://h4, regex: '^/r/[0-9]+$'}}
- {{from: https://a.example.com, to: 'http://[::1]:8080', path_separated_prefix: /s}}
- {{from: 'https://*.example.com', to: http://h5, preserve_host_header: true}}
- {{from: 'https://x*.example.com', to: http://h6}}
- {{from: 'tcp+https://db.example.com:5432', to: tcp://h7:1}}
- {{from: https://b.example.com}}
"
    );
    std::fs::write(folder.path().join("lictor.yaml"), text).expect("writes");
    let envoy = lictor(folder.path(), &["envoy", "config", "lictor.yaml"], &[], "");
    let told: Vec<&str> = envoy.stderr.lines().collect();
    assert_eq!(
        told,
        [
            "warning: route `route-6` is left out: Envoy knows `*` only at the beginning of a host, not in `x*.example.com`",
            "warning: route `route-7` is left out: only http and https routes are generated",
            "warning: route `route-8` is left out: it has no `to`",
        ]
    );
    validate(folder.path(), &envoy.stdout);
}

#[test]
fn the_generated_bootstrap_where_people_sign_in() {
    let folder = folder();
    std::fs::write(folder.path().join("users.yaml"), include_str!("../../envoy/users.yaml"))
        .expect("writes");
    let generated = |url: &str| {
        let text = format!(
            "shared_secret: {SECRET}\nauthenticate_service_url: {url}\nidp_provider: local\n\
             users_file: users.yaml\nroutes:\n- {{from: https://a.example.com, to: http://h1:1}}\n"
        );
        std::fs::write(folder.path().join("lictor.yaml"), text).expect("writes");
        lictor(folder.path(), &["envoy", "config", "lictor.yaml"], &[], "")
    };
    let over_tls = generated("https://auth.example.com");
    let told = "warning: the listener is generated without TLS, and people sign in at `https://auth.example.com/`: give it a certificate, as `envoy/gateway.yaml` shows, or end TLS in front of it\n";
    assert_eq!((over_tls.code, over_tls.stderr.as_str()), (0, told));
    let on_this_machine = generated("http://auth.localhost:8000");
    assert_eq!((on_this_machine.code, on_this_machine.stderr.as_str()), (0, ""));
    validate(folder.path(), &on_this_machine.stdout);
}

fn validate(folder: &Path, bootstrap: &str) {
    let file = folder.join("envoy.yaml");
    std::fs::write(&file, bootstrap).expect("writes");
    let binary = crate::support::envoy::binary();
    let output = std::process::Command::new(binary)
        .args(["--mode", "validate", "-c"])
        .arg(&file)
        .output()
        .expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_demo_shows_what_it_should() {
    let envoy = crate::support::envoy::binary();
    let home = tempfile::tempdir().expect("a folder");
    let ran =
        lictor(home.path(), &["demo", "--once", "--envoy", envoy.to_str().expect("text")], &[], "");
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.ends_with("All 15 answers are as they should be.\n"), "{}", ran.stdout);
}

#[test]
fn the_schema_knows_every_key_of_the_shipped_configuration() {
    let folder = folder();
    let schema: serde_json::Value =
        serde_json::from_str(&lictor(folder.path(), &["config", "schema"], &[], "").stdout)
            .expect("json");
    let text = include_str!("../../envoy/lictor.yaml");
    let shipped: serde_yaml::Value = serde_yaml::from_str(text).expect("yaml");
    for key in shipped.as_mapping().expect("a map").keys() {
        let name = key.as_str().expect("text");
        assert!(schema["properties"].get(name).is_some(), "{name}");
    }
    assert_eq!(schema["properties"]["routes"]["items"]["$ref"], "#/$defs/route");
}
