//! Another server on the store of a test: a process of its own, or one in this process whose clock is
//! moved by hand. Its routes are those of the store.

use super::check::client;
use super::config::SECRET;
use super::estate::CONFIG;
use super::gates::free_address;
use super::house::HandClock;
use super::process::Server;
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use lictor::app::App;
use lictor::config::{Config, Environment, GrpcAddress};
use lictor::ext_authz::CheckService;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tonic::transport::Channel;

/// `lictor serve`, which logs warnings and no checks.
#[derive(Debug)]
pub struct Process {
    pub server: Server,
    pub door: Arc<AuthorizationClient<Channel>>,
}

fn configuration(more: &str) -> String {
    let (grpc, http) = (free_address(), free_address());
    format!(
        "grpc_address: {grpc}\nhttp_address: {http}\nshared_secret: {SECRET}\nlog_level: warn\n{more}{CONFIG}"
    )
}

impl Process {
    /// With `more` in its configuration, its store and whatever else.
    pub async fn serve(folder: &Path, more: &str) -> Self {
        let text = configuration(more);
        let grpc = text.lines().find_map(|line| line.strip_prefix("grpc_address: "));
        let grpc = grpc.and_then(|address| address.parse().ok()).expect("an address");
        let mut server = Server::spawn(folder, "replica", &text);
        for _ in 0..1200 {
            if tokio::net::TcpStream::connect(grpc).await.is_ok() {
                let door = Arc::new(client(&GrpcAddress::Tcp(grpc)).await);
                return Self { server, door };
            }
            assert!(server.runs(), "{}", server.read_log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not serve: {}", server.read_log());
    }
}

/// A server in this process.
#[derive(Debug)]
pub struct InProcess {
    pub service: CheckService,
    pub clock: Arc<HandClock>,
    stop: oneshot::Sender<()>,
    running: tokio::task::JoinHandle<Result<(), anyhow::Error>>,
    _folder: tempfile::TempDir,
}

impl InProcess {
    /// At an instant, with `more` in its configuration.
    pub async fn start(now: i64, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("lictor.yaml");
        std::fs::write(&file, configuration(more)).expect("writes");
        let config = Config::load(&file, &Environment::default()).expect("loads");
        let clock = Arc::new(HandClock::at(now));
        let app = App::bind(config, Arc::clone(&clock) as _).await.expect("binds");
        let service = app.service();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(app.run(async move { drop(stopped.await) }));
        Self { service, clock, stop, running, _folder: folder }
    }

    pub async fn stop(self) {
        self.stop.send(()).expect("running");
        self.running.await.expect("no panic").expect("ends well");
    }
}
