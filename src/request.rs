//! What a client asked, in our own words. The edge decodes into it; everything that decides reads
//! only it. Every field of the wire is optional there, so what is missing has a name here.

mod cookies;
mod headers;
mod host;
mod path;

pub use cookies::Cookies;
pub use headers::{Headers, text};
pub use host::{Host, HostError};
pub use path::{Path, PathError, percent_decoded, query_names, query_value, query_values};

use crate::id::RequestId;
use std::net::IpAddr;

/// One request for a decision.
#[derive(Clone, Debug)]
pub struct Request {
    /// The client's `x-request-id`, sanitised.
    pub id: RequestId,
    /// Envoy's own id of the stream (`http.id`).
    pub check_id: RequestId,
    pub kind: Kind,
    /// As sent; compared case-sensitively (RFC 9110 §9.1).
    pub method: String,
    /// `http`, `https` or empty. Never trusted for security.
    pub scheme: String,
    /// Host as received, for the log.
    pub raw_host: String,
    /// Path as received, without the query, for the log.
    pub raw_path: String,
    /// What follows the first `?`, still encoded.
    pub query: Option<String>,
    /// Host and path after parsing, or why the request cannot be judged.
    pub target: Result<Target, Malformed>,
    pub headers: Headers,
    /// The client's address after `trusted_hops`; `None` fails every `source_ip`.
    pub source_ip: Option<IpAddr>,
    pub body: Body,
    /// `tls_session.sni`, empty if unknown.
    pub sni: String,
    /// The client's certificate as Envoy sends it: percent-encoded PEM, not judged by anybody yet.
    pub certificate: Option<String>,
    /// Whom Envoy takes the client for: a URI, DNS name or subject of its certificate. Only as good as
    /// Envoy's own verification.
    pub principal: Option<String>,
    /// The route Envoy has chosen: `context_extensions.route_id`.
    pub route_id: Option<String>,
    /// The W3C `traceparent` this check belongs to.
    pub traceparent: Option<String>,
}

/// What is known of the body of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Body {
    /// It has none.
    #[default]
    None,
    /// It has one, which was not sent along, or not whole.
    Unseen,
    Whole(Vec<u8>),
    /// The same, but each `!` in it may stand for a byte that was no text.
    Text(Vec<u8>),
}

/// What kind of traffic is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Http,
    /// HTTP `CONNECT` without a path: a tunnel.
    Connect,
    /// A TCP connection: no method, no path, no headers.
    Tcp,
}

/// Where a request is going.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub host: Host,
    /// Empty for [`Kind::Connect`] and [`Kind::Tcp`].
    pub path: Path,
}

/// Why a request cannot be judged. Answered with 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("the request names no host")]
    NoHost,
    #[error("bad host: {0}")]
    Host(#[from] HostError),
    #[error("bad path: {0}")]
    Path(#[from] PathError),
}

impl Request {
    /// A request about which nothing is known yet; it cannot be judged.
    pub fn unknown() -> Self {
        Self {
            id: RequestId::default(),
            check_id: RequestId::default(),
            kind: Kind::Tcp,
            method: String::new(),
            scheme: String::new(),
            raw_host: String::new(),
            raw_path: String::new(),
            query: None,
            target: Err(Malformed::NoHost),
            headers: Headers::default(),
            source_ip: None,
            body: Body::None,
            sni: String::new(),
            certificate: None,
            principal: None,
            route_id: None,
            traceparent: None,
        }
    }

    /// The `scheme://host/path?query` the client asked for, with a scheme that is known to be right.
    pub fn url(&self, scheme: &str) -> String {
        let query = self.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{scheme}://{}{}{query}", self.raw_host, self.raw_path)
    }

    /// Whether this is a CORS preflight (Fetch §3.2.2): `OPTIONS` with a non-empty `Origin` and
    /// `Access-Control-Request-Method`.
    pub fn is_cors_preflight(&self) -> bool {
        let present = |name| self.headers.first(name).is_some_and(|value| !value.is_empty());
        self.method == "OPTIONS" && present("origin") && present("access-control-request-method")
    }
}
