//! What a check costs before anything is decided: a gRPC server that reads a `CheckRequest` and
//! answers OK with one header. `tests/bench/run` measures Lictor against it; the same program asks one
//! check, to see what is answered.
#![expect(
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measuring tool: it reads files and prints, and exports nothing"
)]

mod ask;

use anyhow::bail;
use clap::Parser;
use envoy_types::pb::envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use envoy_types::pb::envoy::service::auth::v3::authorization_server::{
    Authorization, AuthorizationServer,
};
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse, OkHttpResponse};
use envoy_types::pb::google::rpc;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// About as long as an assertion.
const HEADER_BYTES: usize = 480;

/// Answers every check with yes, or asks one.
#[derive(Debug, Parser)]
struct Arguments {
    /// Answer every check at this address
    #[arg(long, value_name = "ADDRESS", group = "what")]
    listen: Option<SocketAddr>,
    /// Send the first check of --request to this address and print the answer
    #[arg(long, value_name = "ADDRESS", group = "what", requires = "request")]
    ask: Option<SocketAddr>,
    /// Checks, framed as gRPC frames messages
    #[arg(long, value_name = "FILE", requires = "ask")]
    request: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(address) = arguments.listen {
        return serve(address).await;
    }
    match (arguments.ask, arguments.request) {
        (Some(address), Some(file)) => ask::ask(address, ask::read(&file)?).await,
        _ => bail!("nothing to do: give --listen or --ask"),
    }
}

/// Serves with the transport settings of Lictor.
async fn serve(address: SocketAddr) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(address).await?;
    let server = Server::builder()
        .tcp_nodelay(true)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(1 << 20)
        .add_service(AuthorizationServer::new(Yes { header: "x".repeat(HEADER_BYTES) }));
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Ok(server.serve_with_incoming(incoming).await?)
}

/// Says yes.
struct Yes {
    header: String,
}

#[tonic::async_trait]
impl Authorization for Yes {
    async fn check(&self, check: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        // The optimiser may not leave out the reading.
        std::hint::black_box(check.into_inner());
        Ok(Response::new(self.answer()))
    }
}

impl Yes {
    fn answer(&self) -> CheckResponse {
        let header = HeaderValue {
            key: "x-pomerium-jwt-assertion".to_owned(),
            value: self.header.clone(),
            ..HeaderValue::default()
        };
        let headers =
            vec![HeaderValueOption { header: Some(header), ..HeaderValueOption::default() }];
        CheckResponse {
            status: Some(rpc::Status::default()),
            http_response: Some(HttpResponse::OkResponse(OkHttpResponse {
                headers,
                ..OkHttpResponse::default()
            })),
            ..CheckResponse::default()
        }
    }
}
