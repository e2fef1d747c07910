//! One Envoy, one Lictor and its upstreams for every test that breaks nothing. Started by the first
//! test that asks; ends with the process.

use super::gates::{self, Gate};
use super::{envoy, tcp};
use lictor::demo::{DEMO_HOST, Mint, Reply, Stand, StandOptions, exchange};
use lictor::tasks::Tasks;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tokio::runtime::Runtime;

/// A host whose upstream speaks WebSocket, and a tunnel to the same upstream.
pub const SOCKET_HOST: &str = "socket.localhost";
pub const TUNNEL: &str = "tunnel.localhost:7000";
/// A host whose upstream is a gRPC server, over HTTP/2 in clear.
pub const GRPC_HOST: &str = "grpc.localhost";
/// A host whose route sets and removes request headers.
pub const DRESSED_HOST: &str = "dressed.localhost";
/// The path that everybody may see on `DEMO_HOST`.
pub const PUBLIC: &str = "/public";

const CONFIG: &str = "\
authenticate_service_url: https://authenticate.localhost
pass_identity_headers: true
jwt_claims_headers: [email, groups]
log_level: warn
routes:
- id: public
  from: https://httpbin.localhost
  to: http://UPSTREAM
  prefix: /public
  allow_public_unauthenticated_access: true
- id: restricted
  from: https://httpbin.localhost
  to: http://UPSTREAM
  allowed_domains: [example.com]
- id: socket
  from: https://socket.localhost
  to: http://SOCKET
  allowed_domains: [example.com]
- id: tunnel
  from: tcp+https://tunnel.localhost:7000
  to: http://SOCKET
  allowed_domains: [example.com]
- id: grpc
  from: https://grpc.localhost
  to: h2c://HEALTH
  allowed_domains: [example.com]
- id: dressed
  from: https://dressed.localhost
  to: http://UPSTREAM
  allowed_domains: [example.com]
  set_request_headers:
    authorization: Bearer ${pomerium.jwt}
    x-name: '${pomerium.request.headers[\"x-other\"]}'
  remove_request_headers: [x-legacy, x-name, cookie]
";

/// Everything running.
#[derive(Debug)]
pub struct Edge {
    pub stand: Stand,
    gates: BTreeMap<Gate, SocketAddr>,
}

impl Edge {
    /// Where Envoy listens in this way.
    pub fn at(&self, gate: Gate) -> SocketAddr {
        self.gates[&gate]
    }

    /// `authorization: Pomerium TOKEN` of somebody of this e-mail address, for `host`.
    pub fn authorization(&self, email: &'static str, host: &'static str) -> String {
        format!("authorization: Pomerium {}", self.token(email, host))
    }

    pub fn token(&self, email: &'static str, host: &'static str) -> String {
        let mint = Mint { email, audience: host, ..Mint::default() };
        self.stand.mint(&mint).expect("a token")
    }

    /// Sends `GET target` to `DEMO_HOST`.
    pub async fn get(&self, gate: Gate, target: &str, lines: &[&str]) -> Reply {
        self.get_from(gate, DEMO_HOST, target, lines).await
    }

    pub async fn get_from(&self, gate: Gate, host: &str, target: &str, lines: &[&str]) -> Reply {
        let first = format!("GET {target} HTTP/1.1");
        let host = format!("host: {host}");
        let head: Vec<&str> =
            [first.as_str(), &host].into_iter().chain(lines.iter().copied()).collect();
        exchange(self.at(gate), &head).await.expect("an answer")
    }
}

/// The one there is.
pub fn edge() -> &'static Edge {
    static EDGE: OnceLock<Edge> = OnceLock::new();
    EDGE.get_or_init(|| {
        let starting = std::thread::spawn(|| runtime().block_on(start()));
        starting.join().expect("Envoy, Lictor and the upstreams start")
    })
}

/// Outlives every test.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime"))
}

async fn start() -> Edge {
    let tasks = Tasks::default();
    let socket = tcp::start(&tasks).await;
    let health = start_health(&tasks).await;
    let config =
        CONFIG.replace("SOCKET", &socket.to_string()).replace("HEALTH", &health.to_string());
    let folder = tempfile::tempdir().expect("a folder").keep();
    let binary = tied_to_this_process(&folder).await;
    let (bootstrap, mut gates) = gates::bootstrap(&config, &folder, socket);
    let options =
        StandOptions { envoy: binary, folder, port: 0, config, bootstrap: Some(bootstrap) };
    let stand = Stand::start(options).await.expect("a stand");
    gates.insert(Gate::Hardened, stand.gateway);
    Edge { stand, gates }
}

/// A gRPC server as upstream: `grpc.health.v1`, with nothing before it.
async fn start_health(tasks: &Tasks) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (_, service) = tonic_health::server::health_reporter();
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    let serving =
        tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming);
    tasks.start(async move { serving.await.expect("the gRPC upstream serves") });
    address
}

/// A program that runs Envoy, and ends it and removes `folder` once this process is gone: nothing is
/// dropped at the end of a test binary. Access log lines are written at once.
async fn tied_to_this_process(folder: &Path) -> PathBuf {
    let envoy = tokio::task::spawn_blocking(envoy::binary).await.expect("an Envoy");
    let script = format!(
        "#!/bin/sh\n\
         watch() {{\n\
         while kill -0 $$; do kill -0 $PPID || {{ kill -9 $$; rm -rf '{folder}'; exit; }}; sleep 0.5; done\n\
         }}\n\
         watch </dev/null >/dev/null 2>&1 &\n\
         exec '{envoy}' \"$@\" --file-flush-interval-msec 50\n",
        folder = folder.display(),
        envoy = envoy.display(),
    );
    let file = folder.join("envoy");
    fs::write(&file, script).expect("a script");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).expect("an executable");
    file
}
