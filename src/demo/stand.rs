//! Envoy, Lictor and an upstream, put together in a scratch folder.

use super::envoy::{Envoy, EnvoyError};
use super::upstream::{self, Upstream};
use crate::app::{Addresses, App};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Environment};
use crate::envoy_config::{Options, bootstrap};
use crate::tasks::Tasks;
use crate::token::{Claims, mint};
use anyhow::{Context, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use url::{Position, Url};

/// The protected host of the demo.
pub const DEMO_HOST: &str = "httpbin.localhost";

/// What a stand is made of.
#[derive(Debug)]
pub struct StandOptions {
    pub envoy: PathBuf,
    /// Where files go. Must exist.
    pub folder: PathBuf,
    /// Where Envoy listens; 0 for any free port.
    pub port: u16,
    /// The configuration, without addresses and keys; `UPSTREAM` in it becomes the upstream's address,
    /// and `GATEWAY_PORT` the port that Envoy listens on.
    pub config: String,
    /// Another bootstrap than the generated one, with `LISTEN_PORT`, `GRPC_PORT`, `HTTP_PORT` and
    /// `UPSTREAM_PORT` in place of ports.
    pub bootstrap: Option<String>,
}

/// Everything running. Ends when dropped; `stop` ends it gently.
#[derive(Debug)]
pub struct Stand {
    pub gateway: SocketAddr,
    pub lictor: Addresses,
    pub upstream: Upstream,
    pub secret: [u8; 32],
    pub envoy: Envoy,
    /// Where people sign in.
    authenticate: Option<Url>,
    tasks: Tasks,
}

/// Mints tokens with the secret of a stand.
#[derive(Clone, Debug)]
pub struct Mint {
    pub email: &'static str,
    pub audience: &'static str,
    pub groups: &'static [&'static str],
    pub impersonate_email: Option<&'static str>,
}

impl Default for Mint {
    fn default() -> Self {
        Self { email: "bob@example.com", audience: DEMO_HOST, groups: &[], impersonate_email: None }
    }
}

impl Stand {
    /// Starts the three, and waits until Envoy answers.
    ///
    /// # Errors
    /// Whatever keeps one of them from starting.
    pub async fn start(options: StandOptions) -> Result<Self, anyhow::Error> {
        Self::start_by(options, Arc::new(SystemClock)).await
    }

    /// The same, with Lictor going by another clock.
    ///
    /// # Errors
    /// The same.
    pub async fn start_by(
        options: StandOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, anyhow::Error> {
        let tasks = Tasks::default();
        let upstream = upstream::start(&tasks).await.context("cannot start the upstream")?;
        let secret = random_secret()?;
        let gateway = gateway(options.port)?;
        let file = options.folder.join("lictor.yaml");
        let text = options.config.replace("UPSTREAM", &upstream.address.to_string());
        let text = text.replace("GATEWAY_PORT", &gateway.port().to_string());
        let text = format!(
            "grpc_address: 127.0.0.1:0\nhttp_address: 127.0.0.1:0\nmetrics_address: 127.0.0.1:0\nshared_secret: {}\n{text}",
            STANDARD.encode(secret)
        );
        write(&file, &text)?;
        let environment = Environment::default();
        let problems = |problems: Vec<crate::document::Problem>| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            anyhow!("the configuration has problems:\n{}", lines.join("\n"))
        };
        let config = Config::load(&file, &environment).map_err(problems)?;
        let app = App::bind(Config::load(&file, &environment).map_err(problems)?, clock).await?;
        let lictor = app.addresses();
        let stopping = tasks.stopping();
        tasks.start(async move {
            if let Err(error) = app.run(stopping).await {
                tracing::error!(%error, "the server ended");
            }
        });
        let text = bootstrap_text(&options, &config, gateway, &lictor, &upstream)?;
        let file = options.folder.join("envoy.yaml");
        write(&file, &text)?;
        let mut envoy = Envoy::start(&options.envoy, &file)?;
        envoy.ready(gateway).await?;
        let authenticate = config.identity.authenticate_url;
        let stand = Self { gateway, lictor, upstream, secret, envoy, authenticate, tasks };
        stand.wait_for_checks().await?;
        Ok(stand)
    }

    /// Envoy answers 503 until its first health check has seen Lictor.
    async fn wait_for_checks(&self) -> Result<(), anyhow::Error> {
        for _ in 0..100 {
            let host = format!("Host: {DEMO_HOST}");
            let reply =
                super::exchange(self.gateway, &["GET / HTTP/1.1", &host, "accept: text/plain"])
                    .await?;
            if reply.status != 503 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(EnvoyError::Silent(10, self.envoy.log().to_owned()).into())
    }

    /// A token signed with the stand's secret, good for an hour from now.
    ///
    /// # Errors
    /// A failure of the cryptographic library.
    pub fn mint(&self, mint_for: &Mint) -> Result<String, anyhow::Error> {
        let owned =
            |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let claims = Claims {
            issuer: self.issuer(),
            audience: vec![mint_for.audience.to_owned()],
            email: mint_for.email.to_owned(),
            groups: owned(mint_for.groups),
            impersonate_email: mint_for.impersonate_email.unwrap_or_default().to_owned(),
            ..Claims::default()
        };
        Ok(mint(&claims, &self.secret, SystemClock.now(), Duration::from_hours(1)))
    }

    /// The `iss` of tokens: the host where people sign in, with its port.
    fn issuer(&self) -> String {
        let text = self
            .authenticate
            .as_ref()
            .map(|url| url[Position::BeforeHost..Position::AfterPort].to_owned());
        text.unwrap_or_default()
    }

    /// The page where people sign in, without what is asked of it.
    pub fn sign_in_page(&self) -> String {
        let page = self.authenticate.as_ref().and_then(|url| url.join("/.pomerium/sign_in").ok());
        page.map(String::from).unwrap_or_default()
    }

    /// Ends Lictor and the upstream gently, and Envoy with them.
    pub async fn stop(self) {
        self.tasks.drain(Duration::from_secs(5)).await;
    }
}

fn bootstrap_text(
    options: &StandOptions,
    config: &Config,
    gateway: SocketAddr,
    lictor: &Addresses,
    upstream: &Upstream,
) -> Result<String, anyhow::Error> {
    if let Some(text) = &options.bootstrap {
        let grpc = match &lictor.grpc {
            crate::config::GrpcAddress::Tcp(at) => at.port(),
            crate::config::GrpcAddress::Unix(_) => 0,
        };
        let ports = [
            ("LISTEN_PORT", gateway.port()),
            ("GRPC_PORT", grpc),
            ("HTTP_PORT", lictor.http.port()),
            ("UPSTREAM_PORT", upstream.address.port()),
        ];
        return Ok(ports
            .into_iter()
            .fold(text.clone(), |text, (name, port)| text.replace(name, &port.to_string())));
    }
    let place =
        Options { listen: gateway, admin: None, grpc: lictor.grpc.clone(), http: lictor.http };
    let (document, _) = bootstrap(config, &place);
    Ok(serde_yaml::to_string(&document)?)
}

/// An address of loopback that nobody listens on. Its port is below those that systems give to
/// outgoing connections, so that it stays free until it is used.
///
/// # Errors
/// No free port was found.
pub fn free_address() -> std::io::Result<SocketAddr> {
    const PORTS: std::ops::Range<u16> = 10_000..30_000;
    let mut last = std::io::ErrorKind::AddrInUse.into();
    for _ in 0..100 {
        let mut random = [0; 2];
        aws_lc_rs::rand::fill(&mut random).map_err(std::io::Error::other)?;
        let port = PORTS.start + u16::from_be_bytes(random) % (PORTS.end - PORTS.start);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        match std::net::TcpListener::bind(address) {
            Ok(_) => return Ok(address),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn gateway(wanted: u16) -> Result<SocketAddr, anyhow::Error> {
    if wanted == 0 {
        return Ok(free_address()?);
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, wanted));
    std::net::TcpListener::bind(address)
        .with_context(|| format!("cannot listen on port {wanted}; choose another with --port"))?;
    Ok(address)
}

fn random_secret() -> Result<[u8; 32], anyhow::Error> {
    let mut secret = [0; 32];
    aws_lc_rs::rand::fill(&mut secret).map_err(|_| anyhow!("no randomness to be had"))?;
    Ok(secret)
}

#[expect(clippy::disallowed_methods, reason = "the scratch folder is ours")]
fn write(file: &Path, text: &str) -> Result<(), anyhow::Error> {
    std::fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display()))
}
