//! Sign-in of programs: `pomerium-http-adapter` from PyPI, as it is, through a real Envoy; and what the
//! endpoint that it asks answers to others.

use crate::support::gates::free_address;
use crate::support::house::{AUTHENTICATE, House, PASSWORD};
use crate::support::stage::{Somebody, Stage};
use lictor::config::Environment;
use lictor::demo::{exchange, exchange_body, pip_install};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use url::Url;

const PACKAGES: [&str; 2] = ["pomerium-http-adapter==0.6.1", "requests==2.34.2"];
const CALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/programmatic/call.py");

/// Where the program runs: what it trusts, what it remembers, and what it opens.
struct Desktop {
    folder: tempfile::TempDir,
    packages: PathBuf,
}

impl Desktop {
    async fn new(stage: &Stage) -> Self {
        let packages =
            pip_install(&PACKAGES, &Environment::of_process(), &|text| eprintln!("{text}")).await;
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("ca.pem"), stage.ca.as_ref().expect("TLS")).expect("writes");
        // A browser that only says what it was to open.
        let file = folder.path().join("opened").display().to_string();
        let script =
            format!("#!/bin/sh\nprintf %s \"$1\" > '{file}.part'\nmv '{file}.part' '{file}'\n");
        let browser = folder.path().join("browser");
        fs::write(&browser, script).expect("writes");
        fs::set_permissions(&browser, fs::Permissions::from_mode(0o700)).expect("an executable");
        Self { folder, packages: packages.expect("the adapter: have Python with pip") }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program.
    fn calls(&self, url: &str) -> Child {
        let mut command = Command::new("python3");
        command.arg(CALL).arg(url).arg(free_address().port().to_string()).arg(self.at("cache"));
        command.env("PYTHONPATH", &self.packages).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("BROWSER", self.at("browser")).env("REQUESTS_CA_BUNDLE", self.at("ca.pem"));
        command.env("NO_PROXY", "*");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true).spawn().expect("Python runs")
    }

    /// The link that the program has opened.
    async fn opened(&self) -> String {
        let file = self.at("opened");
        for _ in 0..400 {
            if let Ok(url) = fs::read_to_string(&file) {
                fs::remove_file(&file).expect("removes");
                return url;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the program opens no browser");
    }

    fn has_opened(&self) -> bool {
        Path::new(&self.at("opened")).exists()
    }
}

/// What the program got.
async fn answer(program: Child) -> Value {
    let output = tokio::time::timeout(Duration::from_secs(40), program.wait_with_output()).await;
    let output = output.expect("in time").expect("an end");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_adapter_signs_in_and_calls_a_protected_route() {
    let stage = Stage::secured().await;
    let desktop = Desktop::new(&stage).await;
    let url = stage.at("payroll", "/reports?team=a%20b");
    let program = desktop.calls(&url);
    let link = desktop.opened().await;
    assert!(link.starts_with(&stage.at("authenticate", "/.pomerium/sign_in?")), "{link}");

    let bob = Somebody::new(&stage).await;
    bob.browser.open(&link).await;
    bob.signs_in("bob@corp.test", PASSWORD).await;
    bob.browser.wait_until("return document.body.innerText.includes('you may now close')").await;
    assert!(bob.browser.url().await.starts_with("http://127.0.0.1:"), "it ends at the program");

    let got = answer(program).await;
    assert_eq!((&got["status"], &got["url"]), (&json!(200), &json!(url)));
    let got: Value = serde_json::from_str(got["body"].as_str().expect("text")).expect("JSON");
    let claims = stage.verified("payroll", &got).await;
    assert_eq!((&claims["email"], &claims["act"]), (&json!("bob@corp.test"), &Value::Null));
    assert_eq!(got["headers"]["authorization"], Value::Null, "the token stays here");

    // What it remembers is enough from now on.
    let got = answer(desktop.calls(&url)).await;
    assert_eq!(got["status"], 200);
    assert!(!desktop.has_opened());

    // The token is for this host, and for as long as the session.
    let other = answer(desktop.calls(&stage.at("httpbin", "/"))).await;
    assert_eq!(other["status"], 401);
    let root = Somebody::signed_in(&stage, "root@corp.test").await;
    root.opens("authenticate", "/.pomerium/admin/activity?who=bob%40corp.test").await;
    let told = root.browser.text("tbody").await;
    assert!(told.contains("127.0.0.1") && told.contains("payroll.localhost"), "{told}");
    root.opens("authenticate", "/.pomerium/admin/sessions?person=bob%40corp.test").await;
    root.browser.click("tbody .do a").await;
    root.browser.click("main form button").await;
    root.browser.wait_for_url(|url| url.ends_with("?done=ended")).await;
    let got = answer(desktop.calls(&url)).await;
    assert_eq!(got["status"], 401);
}

const LOGIN: &str = "/.pomerium/api/v1/login";

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_link() {
    let house = House::open().await;
    let ask = async |method: &str, target: &str| {
        let first = format!("{method} {target} HTTP/1.1");
        let lines = [first.as_str(), "Host: eng.localhost", "content-length: 0"];
        exchange_body(house.http, &lines, b"").await.expect("an answer")
    };
    let wanted = |url: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("pomerium_redirect_uri", url)
            .finish();
        format!("{LOGIN}?{query}")
    };
    let good = wanted("http://127.0.0.1:8000/auth/x");
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        assert_eq!(ask(method, &good).await.status, 405, "{method}");
    }
    assert_eq!(ask("GET", LOGIN).await.status, 404, "the parameter is missing");
    for url in [
        "https://evil.test/",
        "http://localhost.evil.test/",
        "http://localhost@evil.test/",
        "javascript:alert(1)",
        "myapp://localhost/",
        "/auth",
        "",
    ] {
        let reply = ask("GET", &wanted(url)).await;
        assert_eq!(reply.status, 400, "{url}: {reply:?}");
        assert!(!reply.body.contains("evil"), "{url} is not said back: {reply:?}");
    }
    let reply = ask("GET", &good).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    let link: Url = reply.body.parse().expect("nothing but the link");
    assert!(link.as_str().starts_with(&format!("{AUTHENTICATE}/.pomerium/sign_in?")), "{link}");
    let pairs: std::collections::BTreeMap<_, _> = link.query_pairs().into_owned().collect();
    assert_eq!(pairs["pomerium_programmatic"], "true");
    assert_eq!(pairs["pomerium_redirect_uri"], "http://127.0.0.1:8000/auth/x");
    assert_eq!(pairs["pomerium_callback_uri"], "http://eng.localhost/.pomerium/callback/");

    // Nowhere but on hosts of ours.
    let first = format!("GET {good} HTTP/1.1");
    let reply = exchange(house.http, &[&first, "Host: elsewhere.test"]).await.expect("an answer");
    assert_eq!(reply.status, 404);
    house.close().await;
}
