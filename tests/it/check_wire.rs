//! What Lictor answers on the wire, asked without Envoy: every answer says yes or no in every place,
//! whatever is missing, and what it sets and removes is disjoint and harmless.

use crate::support::check::{allows, asking, client, get, with};
use crate::support::edge::{DRESSED_HOST, Edge, TUNNEL, edge};
use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy_types::pb::envoy::config::core::v3::{
    Address, HeaderMap, HeaderValue, HeaderValueOption, SocketAddress, address, socket_address,
};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{
    self, HttpRequest, Peer, TlsSession,
};
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest, CheckResponse};
use lictor::demo::DEMO_HOST;
use std::collections::{BTreeSet, HashMap};

const BOB: &str = "bob@example.com";

async fn ask(request: CheckRequest) -> CheckResponse {
    let mut client = client(&edge().stand.lictor.grpc).await;
    client.check(request).await.expect("an answer is never a gRPC error").into_inner()
}

// --- no answer is empty

#[tokio::test]
async fn every_shape_is_answered_in_full() {
    let edge = edge();
    for (name, request, expected) in shapes(edge) {
        let response = ask(request).await;
        assert_eq!(allows(&response), expected, "{name}: {response:?}");
        expect_well_formed(name, &response);
    }
}

/// Requests of clients that are Envoy, are not quite, or mean harm; and whether they are let through.
fn shapes(edge: &Edge) -> Vec<(&'static str, CheckRequest, bool)> {
    let token = format!("Pomerium {}", edge.token(BOB, DEMO_HOST));
    let bob: &[(&str, &str)] = &[("authorization", &token)];
    let http = |host: &str, path: &str| get(host, path, bob);
    let no_request = AttributeContext::default();
    let no_http = AttributeContext {
        request: Some(attribute_context::Request::default()),
        ..AttributeContext::default()
    };
    let pinned = |host: &str, path: &str, id: &str| {
        let mut request = asking(http(host, path));
        let attributes = request.attributes.as_mut().expect("attributes");
        attributes.context_extensions = HashMap::from([("route_id".to_owned(), id.to_owned())]);
        request
    };
    vec![
        ("no attributes", CheckRequest::default(), false),
        ("no request", with(no_request), false),
        ("no http", with(no_http), false),
        ("nothing in http", asking(HttpRequest::default()), false),
        ("a TCP connection", with(tcp("tunnel.localhost", 7000)), false),
        ("a TCP connection to nowhere", with(tcp("", 0)), false),
        ("as Envoy asks", asking(http(DEMO_HOST, "/x")), true),
        ("as agentgateway asks", asking(agentgateway(&token)), true),
        ("as gRPC asks", asking(grpc_a92(&token)), true),
        ("as gRPC asks, without a token", asking(grpc_a92("")), false),
        ("CONNECT without a path", asking(connect(TUNNEL)), false),
        ("CONNECT without anything", asking(connect("")), false),
        ("an empty host", asking(http("", "/public")), false),
        ("two hosts", asking(http("httpbin.localhost,evil.test", "/public")), false),
        (
            "two hosts, the first evil",
            asking(http("evil.test,httpbin.localhost", "/public")),
            false,
        ),
        ("user information", asking(http("user@httpbin.localhost", "/public")), false),
        ("an empty path", asking(http(DEMO_HOST, "")), false),
        ("an asterisk", asking(http(DEMO_HOST, "*")), false),
        ("an absolute path", asking(http(DEMO_HOST, "http://httpbin.localhost/public")), false),
        ("line breaks", asking(http("httpbin.localhost\r\nx: y", "/\r\nx: y")), false),
        ("a port", asking(http("HTTPBIN.localhost:8443", "/x")), true),
        ("the route it says", pinned(DEMO_HOST, "/x", "restricted"), true),
        ("a public route, another path", pinned(DEMO_HOST, "/x", "public"), false),
        ("another host's route", pinned(DRESSED_HOST, "/x", "restricted"), false),
        ("no such route", pinned(DEMO_HOST, "/x", "nowhere"), false),
        ("robots", asking(get(DEMO_HOST, "/robots.txt", &[])), false),
        ("a browser", asking(get(DEMO_HOST, "/", &[("accept", "text/html")])), false),
        (
            "gRPC-Web",
            asking(get(DEMO_HOST, "/", &[("content-type", "application/grpc-web+proto")])),
            false,
        ),
        ("gRPC", asking(get(DEMO_HOST, "/", &[("content-type", "application/grpc")])), false),
        ("kubectl", asking(get(DEMO_HOST, "/", &[("user-agent", "kubernetes/1")])), false),
        ("a public path", asking(get(DEMO_HOST, "/public", &[])), true),
    ]
}

fn tcp(sni: &str, port: u32) -> AttributeContext {
    let peer = |port| {
        let port = socket_address::PortSpecifier::PortValue(port);
        let socket = SocketAddress {
            address: "127.0.0.1".to_owned(),
            port_specifier: Some(port),
            ..Default::default()
        };
        let address = Address { address: Some(address::Address::SocketAddress(socket)) };
        Peer { address: Some(address), service: sni.to_owned(), ..Peer::default() }
    };
    AttributeContext {
        source: Some(peer(40000)),
        destination: Some(peer(port)),
        tls_session: Some(TlsSession { sni: sni.to_owned() }),
        ..AttributeContext::default()
    }
}

/// gRFC A92: a header list, no map, no id, no scheme, unknown size.
fn grpc_a92(token: &str) -> HttpRequest {
    let header = |(key, value): (&str, &str)| HeaderValue {
        key: key.to_owned(),
        raw_value: value.as_bytes().to_vec(),
        ..HeaderValue::default()
    };
    let headers =
        [("authorization", token), ("te", "trailers"), ("content-type", "application/grpc")];
    HttpRequest {
        method: "POST".to_owned(),
        host: DEMO_HOST.to_owned(),
        path: "/package.Service/Method".to_owned(),
        protocol: "HTTP/2".to_owned(),
        size: -1,
        header_map: Some(HeaderMap { headers: headers.into_iter().map(header).collect() }),
        ..HttpRequest::default()
    }
}

/// agentgateway: the map with pseudo-headers, a traceparent as id.
fn agentgateway(token: &str) -> HttpRequest {
    let headers = [
        ("authorization", token),
        (":authority", DEMO_HOST),
        (":method", "GET"),
        (":path", "/x"),
        ("cookie", "a=1; b=2"),
    ];
    HttpRequest {
        id: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
        ..get(DEMO_HOST, "/x", &headers)
    }
}

fn connect(host: &str) -> HttpRequest {
    HttpRequest { method: "CONNECT".to_owned(), ..get(host, "", &[]) }
}

fn expect_well_formed(name: &str, response: &CheckResponse) {
    let metadata = response.dynamic_metadata.as_ref().expect("metadata, on allow and on deny");
    assert!(
        metadata.fields.contains_key("decision") && metadata.fields.contains_key("reason"),
        "{name}"
    );
    match response.http_response.as_ref().expect("an answer") {
        HttpResponse::OkResponse(ok) => expect_disjoint(name, &ok.headers, &ok.headers_to_remove),
        HttpResponse::DeniedResponse(denied) => {
            let status = denied.status.as_ref().expect("a status").code;
            let known = (400..600).contains(&status) || [200, 302].contains(&status);
            assert!(known, "{name}: {status}");
            assert_eq!(status == 200, ["robots", "gRPC-Web"].contains(&name), "{name}: {status}");
            denied.headers.iter().for_each(|header| expect_overwrites(name, header));
        }
        HttpResponse::ErrorResponse(error) => panic!("{name}: {error:?}"),
    }
}

// --- sets and removes

#[tokio::test]
async fn what_is_set_overwrites_and_nothing_that_frames_or_routes_is_touched() {
    let token = edge().token(BOB, DRESSED_HOST);
    let carriers = [
        ("authorization", format!("Pomerium {token}")),
        ("x-pomerium-authorization", token.clone()),
        ("cookie", format!("a=1; _pomerium={token}")),
    ];
    let forged = [
        ("x-pomerium-jwt-assertion", "forged"),
        ("X-Pomerium-Claim-Email", "forged"),
        ("x_pomerium_jwt_assertion", "forged"),
        ("x-legacy", "1"),
        ("x-name", "forged"),
        ("x_name", "forged"),
        ("content-length", "1"),
        ("transfer-encoding", "chunked"),
        ("connection", "x-pomerium-jwt-assertion, upgrade"),
        ("upgrade", "websocket"),
        ("te", "trailers"),
        (":path", "/public"),
        ("x-envoy-original-path", "/public"),
    ];
    for (name, value) in &carriers {
        let headers: Vec<_> = forged.into_iter().chain([(*name, value.as_str())]).collect();
        let response = ask(asking(get(DRESSED_HOST, "/", &headers))).await;
        assert!(allows(&response), "{name}");
        expect_well_formed(name, &response);
        let Some(HttpResponse::OkResponse(ok)) = response.http_response else { panic!("{name}") };
        let set: BTreeSet<_> = ok
            .headers
            .iter()
            .filter_map(|header| Some(header.header.as_ref()?.key.as_str()))
            .collect();
        assert!(
            set.contains("x-pomerium-jwt-assertion") && set.contains("x-pomerium-claim-email"),
            "{set:?}"
        );
        let removed = |name: &str| ok.headers_to_remove.iter().any(|removed| removed == name);
        assert!(
            removed("x_pomerium_jwt_assertion") && removed("x_name") && removed("x-legacy"),
            "{:?}",
            ok.headers_to_remove
        );
        let leaked = ok.headers.iter().any(|header| {
            header.header.as_ref().is_some_and(|header| header.value.contains(&token))
        });
        assert!(!leaked, "a token of ours leaves by {name}");
    }
}

fn expect_disjoint(name: &str, set: &[HeaderValueOption], removed: &[String]) {
    set.iter().for_each(|header| expect_overwrites(name, header));
    let keys: Vec<&str> =
        set.iter().map(|header| header.header.as_ref().expect("a header").key.as_str()).collect();
    let unique: BTreeSet<&str> = keys.iter().copied().collect();
    assert_eq!(unique.len(), keys.len(), "{name}: set twice: {keys:?}");
    for removed in removed {
        assert!(!unique.contains(removed.as_str()), "{name}: {removed} is set and removed");
        expect_harmless(name, removed);
    }
}

fn expect_overwrites(name: &str, option: &HeaderValueOption) {
    #[expect(deprecated, reason = "the field that current versions of Envoy obey")]
    let append = option.append;
    assert_eq!(append.map(|append| append.value), Some(false), "{name}: {option:?}");
    assert_eq!(
        option.append_action(),
        HeaderAppendAction::OverwriteIfExistsOrAdd,
        "{name}: {option:?}"
    );
    let header = option.header.as_ref().expect("a header");
    expect_harmless(name, &header.key);
    assert!(header.raw_value.is_empty(), "{name}: Envoy ignores raw values: {header:?}");
    assert!(!header.value.chars().any(|c| c.is_control() && c != '\t'), "{name}: {header:?}");
}

fn expect_harmless(name: &str, key: &str) {
    let frames = [
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "keep-alive",
        "expect",
        "proxy-connection",
    ];
    let routes = key.starts_with(':')
        || (key.starts_with("x-envoy-") && key != "x-envoy-auth-failure-mode-allowed");
    assert!(!frames.contains(&key) && !routes, "{name}: {key}");
    assert_eq!(key, key.to_ascii_lowercase(), "{name}");
}

/// What a client sends never comes back as a header line of its own.
#[tokio::test]
async fn control_characters_never_come_back() {
    let hostile = "a\r\nset-cookie: injected=1\0\u{7f}";
    let names = [
        "x-request-id",
        "accept",
        "user-agent",
        "content-type",
        "x-forwarded-proto",
        "traceparent",
        "cookie",
        "authorization",
    ];
    for name in names {
        for form in ["text/html", "application/json", "text/plain", "application/grpc"] {
            let headers = [("accept", form), (name, hostile)];
            let host = format!("httpbin.localhost{}", if name == "accept" { hostile } else { "" });
            let request = HttpRequest {
                id: hostile.to_owned(),
                ..get(&host, &format!("/{hostile}"), &headers)
            };
            let response = ask(asking(request)).await;
            assert!(!allows(&response), "{name}");
            expect_well_formed(name, &response);
        }
    }
}
