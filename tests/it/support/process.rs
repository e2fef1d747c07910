//! `lictor serve` as a process of its own, and an Envoy before it by `lictor envoy config`.

use super::envoy::binary;
use super::gates::{free_address, set_times};
use lictor::clock::{Clock, SystemClock};
use lictor::demo::{DEMO_HOST, Envoy, Reply, Upstream, exchange, start_upstream};
use lictor::tasks::Tasks;
use lictor::token::{Claims, mint};
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

const LICTOR: &str = env!("CARGO_BIN_EXE_lictor");
/// Base64 of `KEY`.
const SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

/// A running `lictor serve`. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pub config: PathBuf,
    pub log: PathBuf,
}

impl Server {
    /// Starts it with a route to `upstream`, in `folder`; waits until it serves.
    pub async fn start(folder: &Path, name: &str, grpc: &str, upstream: SocketAddr) -> Self {
        let text = configuration(grpc, ROUTES).replace("UPSTREAM", &upstream.to_string());
        Self::serve(folder, name, &text).await
    }

    /// Starts it with this configuration.
    pub async fn serve(folder: &Path, name: &str, text: &str) -> Self {
        let mut server = Self::spawn(folder, name, text);
        let serving = eventually(|| server.said("serving")).await;
        assert!(serving, "{:?}: {}", server.child.try_wait(), server.read_log());
        server
    }

    /// Starts it with this configuration, and waits for nothing.
    pub fn spawn(folder: &Path, name: &str, text: &str) -> Self {
        let config = folder.join(format!("{name}.yaml"));
        let log = config.with_extension("log");
        fs::write(&config, text).expect("a file");
        let errors = fs::File::create(&log).expect("a log");
        let mut command = Command::new(LICTOR);
        command.args(["serve", "--config"]).arg(&config).env_clear().kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        Self { child: command.spawn().expect("lictor runs"), config, log }
    }

    /// Whether it has not ended.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub fn read_log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The last decision line about this; null if there is none yet.
    pub fn line_about(&self, host: &str, path: &str) -> Value {
        // An answer does not wait for its line, which a thread of its own writes soon after.
        std::thread::sleep(Duration::from_millis(100));
        let log = self.read_log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut about = lines.filter(|line| line["host"] == host && line["path"] == path);
        about.next_back().unwrap_or_default()
    }

    fn said(&self, message: &str) -> bool {
        self.read_log().contains(&format!("\"{message}\""))
    }

    /// SIGKILL: no goodbye.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("it was running");
    }

    /// SIGTERM.
    pub async fn terminate(&self) {
        self.signal("-TERM").await;
    }

    /// Sends a signal by its name, such as `-HUP`.
    pub async fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it is running").to_string();
        let sent = Command::new("kill").args([name, &pid]).status().await.expect("kill runs");
        assert!(sent.success());
    }

    /// Waits for its end; whether it ended well.
    pub async fn ended(&mut self) -> bool {
        let ended = tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await;
        ended.expect("in time").expect("a status").success()
    }
}

const ROUTES: &str = "\
routes:
- id: httpbin
  from: https://httpbin.localhost
  to: http://UPSTREAM
  allowed_domains: [example.com]
";

/// `rest`, with addresses and a key.
pub fn configuration(grpc: &str, rest: &str) -> String {
    let http = free_address();
    format!(
        "grpc_address: {grpc}\n\
         http_address: {http}\n\
         shared_secret: {SECRET}\n\
         authenticate_service_url: https://authenticate.localhost\n\
         pass_identity_headers: true\n\
         {rest}"
    )
}

/// The processes in one folder: upstream, servers, Envoy.
#[derive(Debug)]
pub struct Setup {
    pub servers: Vec<Server>,
    pub envoy: Envoy,
    pub gateway: SocketAddr,
    pub upstream: Upstream,
    tasks: Tasks,
    pub folder: tempfile::TempDir,
}

impl Setup {
    /// One server for each of `addresses`; `edit` changes the bootstrap that is generated for the
    /// first. An address may name the `FOLDER`.
    pub async fn start(addresses: &[String], edit: impl FnOnce(&mut Value)) -> Self {
        let texts = addresses.iter().map(|address| configuration(address, ROUTES));
        let folder = tempfile::tempdir().expect("a folder");
        Self::serve(folder, &texts.collect::<Vec<_>>(), edit).await
    }

    /// One server for each of `texts`, in `folder`; `edit` changes the bootstrap that is generated for
    /// the first. A text may name the `FOLDER` and the `UPSTREAM`.
    pub async fn serve(
        folder: tempfile::TempDir,
        texts: &[String],
        edit: impl FnOnce(&mut Value),
    ) -> Self {
        let tasks = Tasks::default();
        let upstream = start_upstream(&tasks).await.expect("an upstream");
        let (here, there) = (folder.path().display().to_string(), upstream.address.to_string());
        let mut servers = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            let text = text.replace("FOLDER", &here).replace("UPSTREAM", &there);
            let name = format!("lictor-{number}");
            servers.push(Server::serve(folder.path(), &name, &text).await);
        }
        let gateway = free_address();
        let mut bootstrap = generated(&servers[0].config, gateway).await;
        set_times(&mut bootstrap);
        edit(&mut bootstrap);
        let file = folder.path().join("envoy.yaml");
        fs::write(&file, bootstrap.to_string()).expect("a file");
        let binary = tokio::task::spawn_blocking(binary).await.expect("an Envoy");
        let mut envoy = Envoy::start(&binary, &file).expect("Envoy runs");
        envoy.ready(gateway).await.expect("Envoy listens");
        let setup = Self { servers, envoy, gateway, upstream, tasks, folder };
        setup.wait_for_checks().await;
        setup
    }

    /// Envoy answers 503 until its first health check has seen a server.
    async fn wait_for_checks(&self) {
        for _ in 0..200 {
            if self.get("/", &[]).await.status != 503 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("Envoy sees no Lictor");
    }

    pub async fn get(&self, target: &str, lines: &[&str]) -> Reply {
        get(self.gateway, target, lines).await
    }

    pub async fn stop(self) {
        self.tasks.drain(Duration::from_secs(5)).await;
    }
}

/// `GET target` of `DEMO_HOST`, for a program.
pub async fn get(gateway: SocketAddr, target: &str, lines: &[&str]) -> Reply {
    let first = format!("GET {target} HTTP/1.1");
    let host = format!("host: {DEMO_HOST}");
    let head = [first.as_str(), &host, "accept: application/json"];
    let head: Vec<&str> = head.into_iter().chain(lines.iter().copied()).collect();
    exchange(gateway, &head).await.expect("an answer")
}

/// What `lictor envoy config` prints.
async fn generated(config: &Path, listen: SocketAddr) -> Value {
    let admin = free_address();
    let mut command = Command::new(LICTOR);
    command.args(["envoy", "config"]).arg(config).env_clear();
    command.arg("--listen").arg(listen.to_string()).arg("--admin").arg(admin.to_string());
    let output = command.output().await.expect("lictor runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_yaml::from_slice(&output.stdout).expect("YAML")
}

/// `authorization: Pomerium TOKEN` of bob, for an hour.
pub fn authorization() -> String {
    let claims = Claims {
        issuer: "authenticate.localhost".to_owned(),
        audience: vec![DEMO_HOST.to_owned()],
        email: "bob@example.com".to_owned(),
        ..Claims::default()
    };
    let token = mint(&claims, KEY, SystemClock.now(), Duration::from_secs(3600));
    format!("authorization: Pomerium {token}")
}

/// Asks again for ten seconds, until it holds.
pub async fn eventually(holds: impl Fn() -> bool) -> bool {
    for _ in 0..500 {
        if holds() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}
