//! A `CheckRequest` as it came → [`Request`]. Every field of the wire may be missing; clients that are not Envoy leave out different ones.

use super::message::{self, Attributes, Http, Peer};
use super::wire::WireError;
use crate::id::RequestId;
use crate::request::{Body, Headers, Host, Kind, Malformed, Path, Request, Target};
use crate::state::Settings;
use std::net::IpAddr;

/// Reads a check. `traceparent` is that of the gRPC call, if it had one.
///
/// # Errors
/// It is no `CheckRequest`.
pub fn decode(
    check: &[u8],
    settings: &Settings,
    traceparent: Option<String>,
) -> Result<Request, WireError> {
    let Some(attributes) = message::read(check)? else {
        return Ok(Request::unknown());
    };
    let (certificate, principal) = attributes.source.as_ref().map(client).unwrap_or_default();
    let base = Request {
        certificate,
        principal,
        sni: attributes.sni.to_owned(),
        route_id: given(attributes.route_id),
        traceparent,
        ..Request::unknown()
    };
    let Attributes { source, destination, http, .. } = attributes;
    Ok(match http {
        Some(http) => decode_http(http, source.as_ref(), base, settings),
        None => decode_tcp((source.as_ref(), destination.as_ref()), base),
    })
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn decode_http(
    http: Http<'_>,
    source: Option<&Peer<'_>>,
    base: Request,
    settings: &Settings,
) -> Request {
    let Http { list, map, .. } = http;
    let headers = list.unwrap_or_else(|| Headers::from_joined(map));
    let (path, query) = match http.path.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (http.path, None),
    };
    let kind = if http.method == "CONNECT" && path.is_empty() { Kind::Connect } else { Kind::Http };
    let check_id = RequestId::sanitised(http.id.as_bytes());
    let id = headers.first("x-request-id").map(RequestId::sanitised).filter(|id| !id.is_empty());
    let traceparent =
        base.traceparent.clone().or_else(|| headers.first_text("traceparent").map(str::to_owned));
    Request {
        id: id.unwrap_or_else(|| check_id.clone()),
        check_id,
        kind,
        method: http.method.to_owned(),
        scheme: http.scheme.to_owned(),
        raw_host: http.host.to_owned(),
        raw_path: path.to_owned(),
        query,
        target: target(http.host, path, kind, settings),
        body: body(http.body, http.raw_body, http.size, &headers),
        source_ip: source_ip(source, &headers, settings.trusted_hops),
        headers,
        traceparent,
        ..base
    }
}

/// The body, if it came along whole. A client that announces one has one, and what follows an upgrade
/// is one that nobody sees. `size` is how much Envoy has of it.
fn body(text: &str, raw: &[u8], size: i64, headers: &Headers) -> Body {
    // ENVOY: in a body that is sent along as text, it writes `!` for every byte that is none.
    let kind = if raw.is_empty() && text.contains('!') { Body::Text } else { Body::Whole };
    let bytes = if raw.is_empty() { text.as_bytes() } else { raw };
    let announced = headers.first("transfer-encoding").is_some()
        || headers.first("content-length").is_some_and(|length| length != b"0");
    let upgrade = headers.first("upgrade").is_some();
    let partial = headers.all("x-envoy-auth-partial-body").any(|partial| partial != b"false")
        || usize::try_from(size).is_ok_and(|size| size > 0 && size != bytes.len());
    match (bytes.is_empty(), announced || upgrade, partial || upgrade) {
        (true, true, _) | (_, _, true) => Body::Unseen,
        (true, false, false) => Body::None,
        (false, _, false) => kind(bytes.to_owned()),
    }
}

fn target(host: &str, path: &str, kind: Kind, settings: &Settings) -> Result<Target, Malformed> {
    if host.is_empty() {
        return Err(Malformed::NoHost);
    }
    settings.target(host, path, kind)
}

/// A TCP connection goes to the name the client gave in TLS, on the port it came in by.
fn decode_tcp(
    (source, destination): (Option<&Peer<'_>>, Option<&Peer<'_>>),
    base: Request,
) -> Request {
    let named = destination.map(|peer| peer.service).unwrap_or_default();
    let name = if base.sni.is_empty() { named } else { &base.sni };
    let port = destination.and_then(|peer| peer.socket.as_ref()?.port);
    let port = port.and_then(|port| u16::try_from(port).ok());
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
        source_ip: source.and_then(peer_ip),
        raw_host,
        ..base
    }
}

/// Certificate and principal of a peer.
fn client(source: &Peer<'_>) -> (Option<String>, Option<String>) {
    // SECURITY: an Envoy that stops at a NUL in a name gives the name of somebody else.
    let principal = given(source.principal).filter(|name| !name.contains(char::is_control));
    (given(source.certificate), principal)
}

fn peer_ip(peer: &Peer<'_>) -> Option<IpAddr> {
    peer.socket.as_ref()?.address.parse().ok()
}

/// The client's address: the peer, or the address `trusted_hops` steps before it. The peer itself may
/// or may not stand last in `x-forwarded-for`; it is counted once. Too short a list gives nothing.
fn source_ip(source: Option<&Peer<'_>>, headers: &Headers, trusted_hops: usize) -> Option<IpAddr> {
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
    use super::{Peer, body, client, source_ip};
    use crate::ext_authz::message::Socket;
    use crate::request::{Body, Headers};

    fn check(forwarded: &str, trusted_hops: usize, expected: Option<&str>) {
        let socket = Some(Socket { address: "10.0.0.9", port: None });
        let peer = Peer { socket, ..Peer::default() };
        let headers = Headers::from_lines([("x-forwarded-for", forwarded)]);
        let found = source_ip(Some(&peer), &headers, trusted_hops).map(|ip| ip.to_string());
        assert_eq!(found.as_deref(), expected, "{forwarded} {trusted_hops}");
    }

    #[test]
    fn who_the_client_is() {
        let check = |principal: &str, expected: Option<&str>| {
            let certificate = "-----BEGIN%20CERTIFICATE-----";
            let peer = Peer { principal, certificate, ..Peer::default() };
            let (certificate, found) = client(&peer);
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
        assert_eq!(client(&Peer::default()), (None, None));
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
            let headers = Headers::from_lines(lines.iter().copied());
            for (text, raw) in [(sent, ""), ("", sent)] {
                assert_eq!(&body(text, raw.as_bytes(), size, &headers), expected, "{headers:?}");
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
        let (none, marked) = (Headers::default(), b"a!".to_vec());
        assert_eq!(body("a!", &[], 2, &none), Body::Text(marked.clone()));
        assert_eq!(body("", &marked, 2, &none), Body::Whole(marked));
    }
}
