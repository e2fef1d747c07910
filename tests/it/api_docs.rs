//! The examples of the admin API in the documentation, run by a shell with curl as a reader would.

use crate::support::estate::CONFIG;
use crate::support::house::House;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// The blocks of the page, in order, as one script.
fn script() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/admin-api.md");
    let text = std::fs::read_to_string(page).expect("the page");
    let mut blocks = Vec::new();
    let mut rest = text.as_str();
    while let Some((_, after)) = rest.split_once("```curl\n") {
        let (block, after) = after.split_once("\n```").expect("an end");
        blocks.push(block.to_owned());
        rest = after;
    }
    assert!(blocks.len() >= 4, "{} blocks", blocks.len());
    format!("set -euo pipefail\n{}\n", blocks.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_page_work() {
    let house = House::configured(CONFIG).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (api, home) = (format!("http://{}", house.http), folder.path().to_owned());
    let run = move || {
        let mut shell = Command::new("bash");
        shell.args(["-c", &script()]).current_dir(home);
        shell.env("API", api).env("TOKEN", "0123456789abcdef0123456789abcdef");
        shell.env("NO_PROXY", "*").output().expect("a shell")
    };
    let done = tokio::task::spawn_blocking(run).await.expect("it runs");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}\n{wrong}");
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(folder.path().join(name)).expect(name);
        serde_json::from_str(&text).expect(name)
    };
    let (made, rotated) = (read("made.json"), read("rotated.json"));
    assert_ne!(made["token"], rotated["token"]);
    assert!(said.contains("builds and ships"), "{said}");
    assert!(said.contains(r#""active":false"#) || said.contains(r#""active": false"#), "{said}");
    house.close().await;
}
