//! The `from` of a route: scheme, host pattern and port.

use crate::request::Host;
use std::fmt;

/// What a route listens for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// `http://` and `https://`: ordinary requests.
    Http { host: HostPattern, port: Option<u16>, default_port: u16 },
    /// `tcp+https://` and `udp+https://`: CONNECT to one of these `host:port`.
    Tunnel { targets: Vec<Host> },
    /// `ssh://`: never an HTTP request.
    Ssh,
}

/// A host name, or a pattern in which `*` stands for any run of characters, dots included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    Exact(String),
    Wildcard(String),
}

impl HostPattern {
    pub fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => name == host,
            Self::Wildcard(pattern) => glob(pattern, host),
        }
    }
}

/// Matches `text` against `pattern`; the first `*` takes as little as it can, and so on.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { host, port, default_port } => {
                let scheme = if *default_port == 80 { "http" } else { "https" };
                write!(f, "{scheme}://{host}")?;
                port.map_or(Ok(()), |port| write!(f, ":{port}"))
            }
            Self::Tunnel { targets } => {
                let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
                write!(f, "CONNECT {}", targets.join(", "))
            }
            Self::Ssh => f.write_str("ssh"),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(text) | Self::Wildcard(text) => f.write_str(text),
        }
    }
}

/// Why a text is not a `from`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FromError {
    #[error("`{0}` is not a URL with a scheme and a host")]
    NotUrl(String),
    #[error("the scheme `{0}` is not known")]
    Scheme(String),
    #[error("`{0}` has a path; only a host belongs here")]
    Path(String),
    #[error("`{0}` is not a host: {1}")]
    Host(String, crate::request::HostError),
}

impl FromError {
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotUrl(_) => "write it as `https://app.example.com`",
            Self::Scheme(_) => "use https, http, tcp+https, udp+https or ssh",
            Self::Path(_) => "put the path in `prefix`, `path` or `regex`",
            Self::Host(..) => "write the host as clients send it, in ASCII",
        }
    }
}

impl From {
    /// Reads the `from` of a route.
    ///
    /// # Errors
    /// Anything that is not `scheme://host[:port]`.
    pub fn parse(text: &str) -> Result<Self, FromError> {
        let not_url = || FromError::NotUrl(text.to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(not_url)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.is_empty() || authority.contains(['?', '#', '@']) || path.contains(['?', '#'])
        {
            return Err(not_url());
        }
        match scheme {
            "https" | "http" if !path.is_empty() => Err(FromError::Path(text.to_owned())),
            "https" => http(authority, 443),
            "http" => http(authority, 80),
            "tcp+https" | "udp+https" => tunnel(authority, path),
            "ssh" => Ok(Self::Ssh),
            other => Err(FromError::Scheme(other.to_owned())),
        }
    }

    /// The host pattern, for routes that serve ordinary requests.
    pub fn host(&self) -> Option<&HostPattern> {
        match self {
            Self::Http { host, .. } => Some(host),
            Self::Tunnel { .. } | Self::Ssh => None,
        }
    }
}

fn http(authority: &str, default_port: u16) -> Result<From, FromError> {
    let wildcard = authority.contains('*');
    // A pattern is checked as the host it would be with the stars filled in.
    let host = parse_host(&authority.replace('*', "x"))?;
    let port = host.port().filter(|port| *port != default_port);
    let name = authority.to_ascii_lowercase();
    let name = match host.port() {
        Some(_) => name.rsplit_once(':').map_or(name.clone(), |(name, _)| name.to_owned()),
        None => name,
    };
    let host = if wildcard { HostPattern::Wildcard(name) } else { HostPattern::Exact(name) };
    Ok(From::Http { host, port, default_port })
}

fn tunnel(authority: &str, path: &str) -> Result<From, FromError> {
    let names: Vec<&str> = match path {
        "" => vec![authority],
        _ => path.split('/').filter(|segment| !segment.is_empty()).collect(),
    };
    let targets: Result<Vec<_>, _> = names.into_iter().map(parse_host).collect();
    Ok(From::Tunnel { targets: targets? })
}

fn parse_host(text: &str) -> Result<Host, FromError> {
    Host::parse(text).map_err(|error| FromError::Host(text.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use super::{From, FromError, glob};

    #[test]
    fn globs() {
        assert!(glob("*.example.com", "x.y.example.com"));
        assert!(!glob("*.example.com", "example.com"));
        assert!(!glob("*.example.com", "a.example.com.evil.test"));
        assert!(glob("a*c*e", "abcde"));
        assert!(!glob("a*c*e", "abde"));
        assert!(glob("*", "anything"));
        assert!(!glob("a*a", "a"));
    }

    #[test]
    fn refused() {
        assert!(matches!(From::parse("app.example.com"), Err(FromError::NotUrl(_))));
        assert!(matches!(From::parse("ftp://a"), Err(FromError::Scheme(_))));
        assert!(matches!(From::parse("https://a/b"), Err(FromError::Path(_))));
        assert!(matches!(From::parse("https://\u{e9}.test"), Err(FromError::Host(..))));
        assert!(From::parse("https://a/").is_ok());
    }
}
