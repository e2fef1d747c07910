//! Clients that are no browsers: tunnels, WebSockets and gRPC.

use crate::support::edge::{GRPC_HOST, SOCKET_HOST, TUNNEL, edge};
use crate::support::gates::Gate;
use crate::support::tcp::talk;
use http::{HeaderMap, Request, Response, StatusCode};
use lictor::demo::DEMO_HOST;
use serde_json::Value;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

const BOB: &str = "bob@example.com";
const EVE: &str = "eve@evil.test";

// --- CONNECT

#[tokio::test]
async fn a_tunnel_is_refused_without_a_token_and_to_anywhere_else() {
    let bob = edge().authorization(BOB, "tunnel.localhost");
    let eve = edge().authorization(EVE, "tunnel.localhost");
    let cases = [
        ("unknown.localhost:7000", bob.as_str(), "404"),
        ("tunnel.localhost:7001", &bob, "404"),
        ("httpbin.localhost:443", &bob, "404"),
        (TUNNEL, "accept: */*", "401"),
        (TUNNEL, &eve, "403"),
    ];
    for (target, line, status) in cases {
        let (head, _) = connect(target, line, &[]).await;
        assert_eq!(head.split(' ').nth(1), Some(status), "{target} {head}");
        let reply = edge().get(Gate::Tunnel, "/public/after", &[]).await;
        assert_eq!(reply.status, 200, "Envoy works after a CONNECT to {target}");
    }
}

#[tokio::test]
async fn a_tunnel_is_open_to_whom_the_policy_allows() {
    let bob = edge().authorization(BOB, "tunnel.localhost");
    let (head, echoed) = connect(TUNNEL, &bob, &["200"]).await;
    assert_eq!(echoed, "through the tunnel", "{head}");
}

async fn connect(target: &str, line: &str, goes_on: &[&str]) -> (String, String) {
    let head = format!(
        "CONNECT {target} HTTP/1.1\r\nhost: {target}\r\naccept: application/json\r\n{line}\r\n\r\n"
    );
    talk(edge().at(Gate::Tunnel), &head, goes_on, "through the tunnel").await
}

// --- WebSocket

#[tokio::test]
async fn a_websocket_reaches_its_upstream_with_a_token() {
    for gate in [Gate::Hardened, Gate::Raw] {
        let token = edge().token(BOB, SOCKET_HOST);
        for line in
            [format!("authorization: Pomerium {token}"), format!("cookie: _pomerium={token}")]
        {
            let (head, echoed) = upgrade(gate, &line).await;
            assert!(head.starts_with("HTTP/1.1 101 "), "{gate:?}: {head}");
            assert_eq!(echoed, "as a socket", "{gate:?}");
        }
    }
}

#[tokio::test]
async fn a_websocket_is_refused_as_plain_http() {
    let eve = edge().authorization(EVE, SOCKET_HOST);
    for gate in [Gate::Hardened, Gate::Raw] {
        for (line, status) in [("accept: */*", "401"), (eve.as_str(), "403")] {
            let (head, _) = upgrade(gate, line).await;
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{gate:?}: {head}");
            let head = head.to_ascii_lowercase();
            assert!(!head.contains("\r\nupgrade:"), "{gate:?}: {head}");
            assert!(
                !head.contains("\r\nlocation:"),
                "{gate:?}: a socket follows no redirect: {head}"
            );
        }
    }
}

async fn upgrade(gate: Gate, line: &str) -> (String, String) {
    let head = format!(
        "GET /socket HTTP/1.1\r\nhost: {SOCKET_HOST}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{line}\r\n\r\n"
    );
    talk(edge().at(gate), &head, &["101"], "as a socket").await
}

// --- gRPC

#[tokio::test]
async fn a_grpc_client_reaches_its_upstream_with_a_token() {
    for gate in [Gate::Hardened, Gate::Raw, Gate::Map] {
        let status = health(gate, Some(&edge().token(BOB, GRPC_HOST))).await;
        assert_eq!(status.expect("allowed"), ServingStatus::Serving as i32, "{gate:?}");
    }
}

#[tokio::test]
async fn a_grpc_client_is_refused_in_its_own_words() {
    for gate in [Gate::Hardened, Gate::Raw, Gate::Map] {
        let nobody = health(gate, None).await.expect_err("refused");
        assert_eq!((nobody.code(), nobody.message()), (Code::Unauthenticated, "Unauthenticated"));
        let eve = health(gate, Some(&edge().token(EVE, GRPC_HOST))).await.expect_err("refused");
        assert_eq!((eve.code(), eve.message()), (Code::PermissionDenied, "Forbidden"));
        let broken = health(gate, Some("not-a-token")).await.expect_err("refused");
        assert_eq!(broken.code(), Code::Unauthenticated, "{gate:?}");
    }
}

#[tokio::test]
async fn a_grpc_refusal_has_one_status_and_leads_nowhere() {
    for gate in [Gate::Hardened, Gate::Raw, Gate::Map] {
        let eve = format!("Pomerium {}", edge().token(EVE, GRPC_HOST));
        for (authorization, code) in [(None, "16"), (Some(eve.as_str()), "7")] {
            for media in ["application/grpc", "application/grpc+proto"] {
                let headers = raw_grpc(gate, media, authorization).await;
                let statuses: Vec<_> = headers.get_all("grpc-status").iter().collect();
                assert_eq!(statuses, [code], "{gate:?} {headers:?}");
                assert_eq!(headers.get_all("grpc-message").iter().count(), 1, "{headers:?}");
                assert_eq!(headers.get_all("content-type").iter().count(), 1, "{headers:?}");
                assert!(!headers.contains_key("location"), "{headers:?}");
            }
        }
    }
}

/// A gRPC client on HTTP/1.1 cannot work, and its refusal is one all the same.
#[tokio::test]
async fn grpc_over_http_1_is_refused_once() {
    for gate in [Gate::Hardened, Gate::Raw] {
        let reply = edge()
            .get(
                gate,
                "/grpc.health.v1.Health/Check",
                &["content-type: application/grpc", "accept: text/html"],
            )
            .await;
        let statuses: Vec<_> =
            reply.headers.iter().filter(|(name, _)| name == "grpc-status").collect();
        assert_eq!(statuses.len(), 1, "{reply:?}");
        assert_eq!((reply.status, reply.header("grpc-status")), (200, Some("16")), "{DEMO_HOST}");
    }
}

async fn channel(gate: Gate, host: &str) -> Channel {
    let endpoint =
        Endpoint::from_shared(format!("http://{}", edge().at(gate))).expect("an address");
    let origin = format!("http://{host}").parse().expect("an origin");
    endpoint.origin(origin).connect().await.expect("a connection")
}

/// Asks the upstream how it is.
async fn health(gate: Gate, token: Option<&str>) -> Result<i32, Status> {
    let mut request = tonic::Request::new(HealthCheckRequest::default());
    if let Some(token) = token {
        let value = MetadataValue::try_from(format!("Pomerium {token}")).expect("a header value");
        request.metadata_mut().insert("authorization", value);
    }
    let answer = HealthClient::new(channel(gate, GRPC_HOST).await).check(request).await?;
    Ok(answer.into_inner().status)
}

/// The headers of an answer without messages: its trailers.
async fn raw_grpc(gate: Gate, media: &str, authorization: Option<&str>) -> HeaderMap {
    const FRAME: &[u8] = &[0, 0, 0, 0, 0];
    let mut request = Request::post("/grpc.health.v1.Health/Check")
        .header("content-type", media)
        .header("te", "trailers");
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    let body = Body::new(axum::body::Body::from(FRAME));
    let response = send(gate, GRPC_HOST, request.body(body).expect("a request")).await;
    assert_eq!(response.status(), StatusCode::OK, "what a gRPC client expects");
    response.headers().clone()
}

/// Over HTTP/2.
async fn send(gate: Gate, host: &str, request: Request<Body>) -> Response<Body> {
    let mut channel = channel(gate, host).await;
    let ready =
        std::future::poll_fn(|context| GrpcService::<Body>::poll_ready(&mut channel, context));
    ready.await.expect("ready");
    GrpcService::call(&mut channel, request).await.expect("an answer")
}

// --- HTTP/2

/// HTTP/2 may cut a `Cookie` into crumbs.
#[tokio::test]
async fn cookie_crumbs() {
    for gate in [Gate::Hardened, Gate::Raw, Gate::Map] {
        let session = format!("_pomerium={}", edge().token(BOB, DEMO_HOST));
        for crumbs in [["a=1", &session, "b=2; theme=dark"], [&session, "a=1; b=2", "theme=dark"]] {
            let mut request = Request::get("/crumbs");
            for crumb in crumbs {
                request = request.header("cookie", crumb);
            }
            let response =
                send(gate, DEMO_HOST, request.body(Body::empty()).expect("a request")).await;
            let body =
                axum::body::to_bytes(axum::body::Body::new(response.into_body()), 1 << 16).await;
            let seen: Value = serde_json::from_slice(&body.expect("a body")).expect("JSON");
            assert_eq!(seen["headers"]["cookie"], "a=1; b=2; theme=dark", "{gate:?}");
            assert_eq!(seen["headers"]["x-pomerium-claim-email"], BOB, "{gate:?}");
        }
    }
}
