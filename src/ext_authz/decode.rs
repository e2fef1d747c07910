//! `CheckRequest` → [`Request`]. Every field of the wire may be missing; clients that are not Envoy
//! leave out different ones.

use crate::id::RequestId;
use crate::request::{Body, Headers, Host, Kind, Malformed, Path, Request, Target};
use crate::state::Settings;
use envoy_types::pb::envoy::config::core::v3::{
    Address, HeaderMap, address::Address as AddressKind, socket_address::PortSpecifier,
};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer};
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest};
use std::net::IpAddr;

/// Reads a check. `traceparent` is that of the gRPC call, if it had one.
pub fn decode(check: CheckRequest, settings: &Settings, traceparent: Option<String>) -> Request {
    let Some(mut attributes) = check.attributes else {
        return Request::unknown();
    };
    let http = attributes.request.take().and_then(|request| request.http);
    let (certificate, principal) = attributes.source.as_mut().map(client).unwrap_or_default();
    let base = Request {
        certificate,
        principal,
        sni: attributes.tls_session.take().map(|session| session.sni).unwrap_or_default(),
        route_id: attributes.context_extensions.remove("route_id").filter(|id| !id.is_empty()),
        traceparent,
        ..Request::unknown()
    };
    match http {
        Some(http) => decode_http(http, &attributes, base, settings),
        None => decode_tcp(&attributes, base),
    }
}

fn decode_http(
    http: HttpRequest,
    attributes: &AttributeContext,
    base: Request,
    settings: &Settings,
) -> Request {
    let headers = decode_headers(http.header_map, http.headers);
    let (raw_path, query) = match http.path.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (http.path, None),
    };
    let kind =
        if http.method == "CONNECT" && raw_path.is_empty() { Kind::Connect } else { Kind::Http };
    let target = target(&http.host, &raw_path, kind, settings);
    let check_id = RequestId::sanitised(http.id.as_bytes());
    let id = headers.first("x-request-id").map(RequestId::sanitised).filter(|id| !id.is_empty());
    let traceparent =
        base.traceparent.clone().or_else(|| headers.first_text("traceparent").map(str::to_owned));
    Request {
        id: id.unwrap_or_else(|| check_id.clone()),
        check_id,
        kind,
        method: http.method,
        scheme: http.scheme,
        raw_host: http.host,
        raw_path,
        query,
        target,
        body: body(http.body, http.raw_body, http.size, &headers),
        source_ip: source_ip(attributes.source.as_ref(), &headers, settings.trusted_hops),
        headers,
        traceparent,
        ..base
    }
}

/// The body, if it came along whole. A client that announces one has one, and what follows an upgrade
/// is one that nobody sees. `size` is how much Envoy has of it.
fn body(text: String, raw: Vec<u8>, size: i64, headers: &Headers) -> Body {
    // ENVOY: in a body that is sent along as text, it writes `!` for every byte that is none.
    let kind = if raw.is_empty() && text.contains('!') { Body::Text } else { Body::Whole };
    let bytes = if raw.is_empty() { text.into_bytes() } else { raw };
    let announced = headers.first("transfer-encoding").is_some()
        || headers.first("content-length").is_some_and(|length| length != b"0");
    let upgrade = headers.first("upgrade").is_some();
    let partial = headers.all("x-envoy-auth-partial-body").any(|partial| partial != b"false")
        || usize::try_from(size).is_ok_and(|size| size > 0 && size != bytes.len());
    match (bytes.is_empty(), announced || upgrade, partial || upgrade) {
        (true, true, _) | (_, _, true) => Body::Unseen,
        (true, false, false) => Body::None,
        (false, _, false) => kind(bytes),
    }
}

fn target(host: &str, path: &str, kind: Kind, settings: &Settings) -> Result<Target, Malformed> {
    if host.is_empty() {
        return Err(Malformed::NoHost);
    }
    settings.target(host, path, kind)
}

/// A TCP connection goes to the name the client gave in TLS, on the port it came in by.
fn decode_tcp(attributes: &AttributeContext, base: Request) -> Request {
    let destination = attributes.destination.as_ref();
    let named = destination.map(|peer| peer.service.as_str()).filter(|service| !service.is_empty());
    let name = if base.sni.is_empty() { named.unwrap_or_default() } else { &base.sni };
    let port = destination.and_then(|peer| port(peer.address.as_ref()));
    let raw_host = match port {
        Some(port) if !name.is_empty() => format!("{name}:{port}"),
        _ => name.to_owned(),
    };
    let host = if raw_host.is_empty() {
        Err(Malformed::NoHost)
    } else {
        Host::parse(&raw_host).map_err(Malformed::from)
    };
    Request {
        target: host.map(|host| Target { host, path: Path::default() }),
        source_ip: attributes.source.as_ref().and_then(peer_ip),
        raw_host,
        ..base
    }
}

/// Prefers the list, which keeps repeated headers apart and bytes as they were.
fn decode_headers(
    list: Option<HeaderMap>,
    map: std::collections::HashMap<String, String>,
) -> Headers {
    match list.filter(|list| !list.headers.is_empty()) {
        Some(list) => Headers::from_lines(list.headers.into_iter().map(|header| {
            let value = if header.raw_value.is_empty() {
                header.value.into_bytes()
            } else {
                header.raw_value
            };
            (header.key, value)
        })),
        None => {
            Headers::from_joined(map.into_iter().map(|(name, value)| (name, value.into_bytes())))
        }
    }
}

/// Certificate and principal, taken out of the peer.
fn client(source: &mut Peer) -> (Option<String>, Option<String>) {
    let given = |text: &mut String| Some(std::mem::take(text)).filter(|text| !text.is_empty());
    // SECURITY: an Envoy that stops at a NUL in a name gives the name of somebody else.
    let principal = given(&mut source.principal).filter(|name| !name.contains(char::is_control));
    (given(&mut source.certificate), principal)
}

fn peer_ip(peer: &Peer) -> Option<IpAddr> {
    match peer.address.as_ref()?.address.as_ref()? {
        AddressKind::SocketAddress(socket) => socket.address.parse().ok(),
        AddressKind::Pipe(_) | AddressKind::EnvoyInternalAddress(_) => None,
    }
}

fn port(address: Option<&Address>) -> Option<u16> {
    match address?.address.as_ref()? {
        AddressKind::SocketAddress(socket) => match socket.port_specifier.as_ref()? {
            PortSpecifier::PortValue(port) => u16::try_from(*port).ok(),
            PortSpecifier::NamedPort(_) => None,
        },
        AddressKind::Pipe(_) | AddressKind::EnvoyInternalAddress(_) => None,
    }
}

/// The client's address: the peer, or the address `trusted_hops` steps before it. The peer itself may
/// or may not stand last in `x-forwarded-for`; it is counted once. Too short a list gives nothing.
fn source_ip(source: Option<&Peer>, headers: &Headers, trusted_hops: usize) -> Option<IpAddr> {
    let peer = source.and_then(peer_ip);
    if trusted_hops == 0 {
        return peer;
    }
    let forwarded = headers.combined("x-forwarded-for").unwrap_or_default();
    let mut hops: Vec<Option<IpAddr>> =
        forwarded.split(',').map(|hop| hop.trim().parse().ok()).collect();
    if peer.is_none() || hops.last().copied().flatten() != peer {
        hops.push(peer);
    }
    hops.iter().rev().nth(trusted_hops).copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::{body, client, source_ip};
    use crate::request::{Body, Headers};
    use envoy_types::pb::envoy::config::core::v3::{
        Address, SocketAddress, address::Address as Kind,
    };
    use envoy_types::pb::envoy::service::auth::v3::attribute_context::Peer;

    fn check(forwarded: &str, trusted_hops: usize, expected: Option<&str>) {
        let socket = SocketAddress { address: "10.0.0.9".into(), ..SocketAddress::default() };
        let peer = Peer {
            address: Some(Address { address: Some(Kind::SocketAddress(socket)) }),
            ..Peer::default()
        };
        let headers =
            Headers::from_lines([("x-forwarded-for".into(), forwarded.as_bytes().to_vec())]);
        let found = source_ip(Some(&peer), &headers, trusted_hops).map(|ip| ip.to_string());
        assert_eq!(found.as_deref(), expected, "{forwarded} {trusted_hops}");
    }

    #[test]
    fn who_the_client_is() {
        let check = |principal: &str, expected: Option<&str>| {
            let certificate = "-----BEGIN%20CERTIFICATE-----".to_owned();
            let mut peer = Peer { certificate, principal: principal.to_owned(), ..Peer::default() };
            let (certificate, found) = client(&mut peer);
            assert_eq!(certificate.as_deref(), Some("-----BEGIN%20CERTIFICATE-----"));
            assert_eq!(found.as_deref(), expected, "{principal:?}");
        };
        check("spiffe://corp.test/alice", Some("spiffe://corp.test/alice"));
        check("O=Probe,CN=b\u{f6}b", Some("O=Probe,CN=b\u{f6}b"));
        check("", None);
        check("root@corp.test\0", None);
        check("a\nb", None);
        check("a\u{7f}", None);
        check("a\u{85}b", None);
        assert_eq!(client(&mut Peer::default()), (None, None));
    }

    #[test]
    fn trusted_hops() {
        check("1.1.1.1, 2.2.2.2", 0, Some("10.0.0.9"));
        check("1.1.1.1, 2.2.2.2", 1, Some("2.2.2.2"));
        check("1.1.1.1, 2.2.2.2, 10.0.0.9", 1, Some("2.2.2.2"));
        check("1.1.1.1, 2.2.2.2", 2, Some("1.1.1.1"));
        check("1.1.1.1, 2.2.2.2", 3, None);
        check("1.1.1.1, unknown", 1, None);
    }
    #[test]
    fn a_body_is_whole_or_unseen() {
        let check = |sent: &str, size: i64, lines: &[(&str, &str)], expected: &Body| {
            let lines =
                lines.iter().map(|(name, value)| ((*name).into(), value.as_bytes().to_vec()));
            let headers = Headers::from_lines(lines.collect::<Vec<_>>());
            for (text, raw) in [(sent, ""), ("", sent)] {
                assert_eq!(&body(text.into(), raw.into(), size, &headers), expected, "{headers:?}");
            }
        };
        let whole = Body::Whole(b"{}".to_vec());
        check("", 0, &[], &Body::None);
        check("", -1, &[("content-length", "0")], &Body::None);
        check("{}", 2, &[], &whole);
        check("{}", 0, &[("content-length", "2")], &whole);
        check("{}", -1, &[("x-envoy-auth-partial-body", "false")], &whole);
        check("", 0, &[("content-length", "2")], &Body::Unseen);
        check("", 0, &[("transfer-encoding", "chunked")], &Body::Unseen);
        check("", 2, &[], &Body::Unseen);
        check("{}", 3, &[], &Body::Unseen);
        check("{}", 2, &[("x-envoy-auth-partial-body", "true")], &Body::Unseen);
        let twice = [("x-envoy-auth-partial-body", "false"), ("x-envoy-auth-partial-body", "true")];
        check("{}", 2, &twice, &Body::Unseen);
        check("", 0, &[("upgrade", "websocket")], &Body::Unseen);
        check("{}", 2, &[("upgrade", "websocket")], &Body::Unseen);
        let (none, marked) = (Headers::from_lines([]), b"a!".to_vec());
        assert_eq!(body("a!".into(), Vec::new(), 2, &none), Body::Text(marked.clone()));
        assert_eq!(body(String::new(), marked.clone(), 2, &none), Body::Whole(marked));
    }
}
