//! A check as Envoy sends it for a page opened in a browser, `encode_raw_headers` on.

use anyhow::Context;
use envoy_types::pb::envoy::config::core::v3::address::Address as AddressKind;
use envoy_types::pb::envoy::config::core::v3::socket_address::PortSpecifier;
use envoy_types::pb::envoy::config::core::v3::{
    Address, HeaderMap, HeaderValue, Metadata, SocketAddress,
};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{
    HttpRequest, Peer, Request, TlsSession,
};
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest};
use envoy_types::pb::google::protobuf::Timestamp;
use prost::Message as _;
use std::collections::HashMap;

const PATH: &str = "/headers";
const STREAM_ID: &str = "13467903414863091834";

/// What a browser sends and what Envoy adds, without host, cookies and credential.
const HEADERS: [(&str, &str); 18] = [
    (":path", PATH),
    (":method", "GET"),
    (":scheme", "https"),
    ("sec-ch-ua", "\"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\""),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", "\"Linux\""),
    ("upgrade-insecure-requests", "1"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    ),
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    ),
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.9"),
    ("x-forwarded-for", "192.0.2.17"),
    ("x-forwarded-proto", "https"),
    ("x-request-id", "0d7b4c9a-52a3-4f0e-9f0c-6f5f4f1e2b1d"),
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
];

/// Cookies of the application, which are nobody's here.
const COOKIES: &str = "theme=dark; consent=2f6b0c9e; csrftoken=Yb1m5vJq0yN3TzXh8uKcRw2PpLdE7sGa4; \
    _ga=GA1.1.1202993341.1758112233; sid=s%3AqF0cVb6yJ2mW9tKxZ1rN8uHdPe5LgA3S.o7TtYk4Bv1CqXnMw; tz=Europe%2FBerlin";

/// What tells one check from another.
#[derive(Clone, Debug)]
pub struct Asked {
    pub host: String,
    /// The id of the route, which Envoy sends along.
    pub route: String,
    pub credential: Credential,
    /// The cookies of the application are so long at least.
    pub cookie_bytes: usize,
}

/// How somebody shows who they are.
#[derive(Clone, Debug)]
pub enum Credential {
    Nothing,
    /// In `authorization`.
    Token(String),
    /// In a cookie, behind those of the application.
    Handle(String),
}

/// The check for `GET /headers`.
pub fn of_browser(asked: &Asked) -> CheckRequest {
    let route = ("route_id".to_owned(), asked.route.clone());
    let attributes = AttributeContext {
        source: Some(peer("192.0.2.17", 51344)),
        destination: Some(peer("10.0.4.2", 8443)),
        request: Some(Request {
            time: Some(Timestamp { seconds: 1_780_000_000, nanos: 123_456_000 }),
            http: Some(http(asked)),
        }),
        context_extensions: HashMap::from([route]),
        metadata_context: Some(Metadata::default()),
        route_metadata_context: Some(Metadata::default()),
        tls_session: Some(TlsSession { sni: asked.host.clone() }),
    };
    CheckRequest { attributes: Some(attributes) }
}

fn http(asked: &Asked) -> HttpRequest {
    let own = |name: &'static str, value: String| Some((name, value));
    let authorization = match &asked.credential {
        Credential::Token(token) => own("authorization", format!("Pomerium {token}")),
        Credential::Nothing | Credential::Handle(_) => None,
    };
    let lines = own(":authority", asked.host.clone())
        .into_iter()
        .chain(HEADERS.map(|(name, value)| (name, value.to_owned())))
        .chain(own("referer", format!("https://{}/forms/post?step=2", asked.host)))
        .chain(own("cookie", cookies(asked)))
        .chain(authorization);
    let headers = lines.map(|(name, value)| HeaderValue {
        key: name.to_owned(),
        raw_value: value.into_bytes(),
        ..HeaderValue::default()
    });
    HttpRequest {
        id: STREAM_ID.to_owned(),
        method: "GET".to_owned(),
        header_map: Some(HeaderMap { headers: headers.collect() }),
        path: PATH.to_owned(),
        host: asked.host.clone(),
        scheme: "https".to_owned(),
        protocol: "HTTP/2".to_owned(),
        ..HttpRequest::default()
    }
}

/// Applications split what is long into several cookies, of about 100 bytes here.
fn cookies(asked: &Asked) -> String {
    let part = |number| format!("part{number:03}={}", "Q2Fub25pY2Fs".repeat(7));
    let missing = asked.cookie_bytes.saturating_sub(COOKIES.len());
    let parts = (0..missing.div_ceil(part(0).len() + 2)).map(part);
    let handle = match &asked.credential {
        Credential::Handle(handle) => Some(format!("_pomerium={handle}")),
        Credential::Nothing | Credential::Token(_) => None,
    };
    let all: Vec<String> = [COOKIES.to_owned()].into_iter().chain(parts).chain(handle).collect();
    all.join("; ")
}

fn peer(address: &str, port: u32) -> Peer {
    let socket = SocketAddress {
        address: address.to_owned(),
        port_specifier: Some(PortSpecifier::PortValue(port)),
        ..SocketAddress::default()
    };
    let address = Some(AddressKind::SocketAddress(socket));
    Peer { address: Some(Address { address }), ..Peer::default() }
}

/// A message as it stands in the body of a call: not compressed, its length, itself.
pub fn framed(check: &CheckRequest) -> anyhow::Result<Vec<u8>> {
    let message = check.encode_to_vec();
    let length = u32::try_from(message.len()).context("the check is too long")?;
    let mut frame = vec![0];
    frame.extend(length.to_be_bytes());
    frame.extend(message);
    Ok(frame)
}
