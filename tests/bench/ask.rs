//! One check, and what was answered.

use anyhow::{Context, bail};
use envoy_types::pb::envoy::config::core::v3::HeaderValueOption;
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use prost::Message as _;
use std::net::SocketAddr;
use std::path::Path;

/// Asks `address` once. Prints the code and the HTTP status a client would see, then a line for
/// each header that is set.
pub async fn ask(address: SocketAddr, check: CheckRequest) -> anyhow::Result<()> {
    let mut client = AuthorizationClient::connect(format!("http://{address}")).await?;
    print(&client.check(check).await?.into_inner());
    Ok(())
}

/// Reads the first check of a file of frames.
pub fn read(file: &Path) -> anyhow::Result<CheckRequest> {
    let frames = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
    let first = || {
        let (head, rest) = frames.split_at_checked(5)?;
        let length: [u8; 4] = head.get(1..)?.try_into().ok()?;
        rest.get(..usize::try_from(u32::from_be_bytes(length)).ok()?)
    };
    match first() {
        Some(message) => Ok(CheckRequest::decode(message)?),
        None => bail!("{} holds no gRPC message", file.display()),
    }
}

fn print(answer: &CheckResponse) {
    let code = answer.status.as_ref().map_or(0, |status| status.code);
    let (status, headers) = http(answer);
    println!("{code} {status}");
    for header in headers.iter().filter_map(|option| option.header.as_ref()) {
        println!("{}: {}", header.key, header.value);
    }
}

/// The status is the upstream's if the request goes there; 200 stands for it.
fn http(answer: &CheckResponse) -> (i32, &[HeaderValueOption]) {
    match &answer.http_response {
        Some(HttpResponse::DeniedResponse(denied)) => {
            let status = denied.status.as_ref().map_or(403, |status| status.code);
            (status, &denied.headers)
        }
        Some(HttpResponse::OkResponse(ok)) => (200, &ok.headers),
        Some(HttpResponse::ErrorResponse(_)) => (500, &[]),
        None => (200, &[]),
    }
}
