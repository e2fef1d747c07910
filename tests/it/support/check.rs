//! Asking Lictor as Envoy does, without Envoy: requests and a client.

use envoy_types::pb::envoy::service::auth::v3::attribute_context::{self, HttpRequest};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest, CheckResponse};
use lictor::authorizer::Answer;
use lictor::config::GrpcAddress;
use lictor::ext_authz::{self, Checker};
use lictor::request::Request;
use lictor::state::Settings;
use lictor::time::Timestamp;
use prost::Message as _;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

pub async fn channel(address: &GrpcAddress) -> Channel {
    let GrpcAddress::Tcp(address) = address else { panic!("{address} is no TCP address") };
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    endpoint.connect().await.expect("a connection")
}

pub async fn client(address: &GrpcAddress) -> AuthorizationClient<Channel> {
    AuthorizationClient::new(channel(address).await)
}

/// As Envoy asks with `encode_raw_headers: false`.
pub fn get(host: &str, path: &str, headers: &[(&str, &str)]) -> HttpRequest {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    HttpRequest {
        id: "1234567890".to_owned(),
        method: "GET".to_owned(),
        scheme: "https".to_owned(),
        host: host.to_owned(),
        path: path.to_owned(),
        protocol: "HTTP/1.1".to_owned(),
        headers: headers.iter().map(owned).collect(),
        ..HttpRequest::default()
    }
}

pub fn asking(http: HttpRequest) -> CheckRequest {
    let request = attribute_context::Request { http: Some(http), ..Default::default() };
    with(AttributeContext { request: Some(request), ..AttributeContext::default() })
}

pub fn with(attributes: AttributeContext) -> CheckRequest {
    CheckRequest { attributes: Some(attributes) }
}

/// Whether the answer lets the request through. Panics unless it says so in every place.
pub fn allows(response: &CheckResponse) -> bool {
    let status = response.status.as_ref().expect("a status: without one Envoy lets all through");
    match (status.code, response.http_response.as_ref()) {
        (0, Some(HttpResponse::OkResponse(_))) => true,
        (7, Some(HttpResponse::DeniedResponse(_))) => false,
        (code, http) => panic!("code {code} beside {http:?}"),
    }
}

/// As the edge reads it.
pub fn decode(check: CheckRequest, settings: &Settings, traceparent: Option<String>) -> Request {
    ext_authz::decode(&check.encode_to_vec(), settings, traceparent).expect("a check")
}

/// As the edge writes it.
pub fn encode(
    request: &Request,
    answer: &Answer,
    settings: &Settings,
    now: Timestamp,
) -> (CheckResponse, u16) {
    let (bytes, status) = ext_authz::encode(request, answer, settings, now);
    (CheckResponse::decode(bytes).expect("a response"), status)
}

/// Asking a server of this process in messages, as others do in bytes.
pub trait Checks {
    async fn check(
        &self,
        check: CheckRequest,
        traceparent: Option<String>,
    ) -> Result<CheckResponse, Status>;
}

impl Checks for Checker {
    async fn check(
        &self,
        check: CheckRequest,
        traceparent: Option<String>,
    ) -> Result<CheckResponse, Status> {
        let answer = self.answer(&check.encode_to_vec(), traceparent).await?;
        Ok(CheckResponse::decode(answer).expect("a response"))
    }
}
