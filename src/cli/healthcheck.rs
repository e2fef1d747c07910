//! `lictor healthcheck`: one question over `grpc.health.v1`.

use super::{Exit, block_on, report};
use crate::config::GrpcAddress;
use crate::ext_authz::SERVICE_NAME;
use std::time::Duration;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor healthcheck --address 127.0.0.1:50051")]
pub(super) struct Healthcheck {
    /// The `grpc_address` of the server: HOST:PORT, or a socket as `unix:///path`
    #[arg(long, default_value = "127.0.0.1:50051")]
    address: String,
}

const PATIENCE: Duration = Duration::from_secs(2);

impl Healthcheck {
    pub(super) fn run(&self) -> Exit {
        let uri = match GrpcAddress::parse(&self.address) {
            Some(GrpcAddress::Tcp(address)) => format!("http://{address}"),
            Some(GrpcAddress::Unix(path)) => format!("unix://{}", path.display()),
            None => {
                report::error(
                    &format!("`{}` is not an address", self.address),
                    Some("write it as `127.0.0.1:50051` or `unix:///run/lictor/authz.sock`"),
                );
                return Exit::Usage;
            }
        };
        block_on(async {
            let asked = tokio::time::timeout(PATIENCE, ask(uri)).await;
            let told = match asked {
                Ok(Ok(ServingStatus::Serving)) => return Exit::Ok,
                Ok(Ok(status)) => format!("{} says {}", self.address, status.as_str_name()),
                Ok(Err(error)) => format!("{} does not answer: {error}", self.address),
                Err(_) => format!(
                    "{} does not answer within {} seconds",
                    self.address,
                    PATIENCE.as_secs()
                ),
            };
            report::error(&told, None);
            Exit::Unavailable
        })
    }
}

async fn ask(uri: String) -> Result<ServingStatus, anyhow::Error> {
    let channel = Endpoint::from_shared(uri)?.connect().await?;
    let question = HealthCheckRequest { service: SERVICE_NAME.to_owned() };
    let answer = HealthClient::new(channel).check(question).await?;
    Ok(answer.into_inner().status())
}
