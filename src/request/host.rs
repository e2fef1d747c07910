//! The host a request names: lower case, port apart, and only characters that cannot confuse.

use std::fmt;

/// `name[:port]`, lower-cased. A trailing dot is kept: it is another name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host {
    name: String,
    port: Option<u16>,
}

/// Why a text is not a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    #[error("it is empty")]
    Empty,
    #[error("it holds a character that no host name has")]
    Character,
    #[error("its port is not a number from 1 to 65535")]
    Port,
    #[error("it is longer than 253 characters")]
    Length,
}

impl Host {
    /// Reads an HTTP `Host` or `:authority`.
    ///
    /// # Errors
    /// User information, commas (two `Host` lines), white space, non-ASCII and anything else that
    /// two readers could take differently.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if text.is_empty() {
            return Err(HostError::Empty);
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, _)) if name.ends_with(']') => split_port(text, name)?,
            Some(_) if text.ends_with(']') => (text, None),
            Some((name, _)) => split_port(text, name)?,
            None => (text, None),
        };
        if name.is_empty() {
            return Err(HostError::Empty);
        }
        if name.len() > 253 {
            return Err(HostError::Length);
        }
        if !(is_name(name) || is_ipv6(name)) {
            return Err(HostError::Character);
        }
        Ok(Self { name: name.to_ascii_lowercase(), port })
    }

    /// A host that nothing is for.
    pub fn nowhere() -> Self {
        Self { name: String::new(), port: None }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The port, unless it is the default one of `scheme`.
    pub fn unusual_port(&self, scheme: &str) -> Option<u16> {
        self.port.filter(|port| *port != default_port(scheme))
    }
}

fn default_port(scheme: &str) -> u16 {
    if scheme == "http" { 80 } else { 443 }
}

fn split_port<'t>(text: &'t str, name: &'t str) -> Result<(&'t str, Option<u16>), HostError> {
    let digits =
        text.strip_prefix(name).and_then(|rest| rest.strip_prefix(':')).ok_or(HostError::Port)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(HostError::Port);
    }
    match digits.parse::<u16>() {
        Ok(port) if port > 0 => Ok((name, Some(port))),
        _ => Err(HostError::Port),
    }
}

fn is_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

fn is_ipv6(name: &str) -> bool {
    let inner = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Host, HostError};

    #[test]
    fn hosts() {
        let check = |text: &str, name: &str, port: Option<u16>| {
            let host = Host::parse(text).expect(text);
            assert_eq!((host.name(), host.port()), (name, port), "{text}");
        };
        check("ENG.Corp.Test", "eng.corp.test", None);
        check("eng.corp.test:8443", "eng.corp.test", Some(8443));
        check("eng.corp.test.", "eng.corp.test.", None);
        check("[::1]:80", "[::1]", Some(80));
        check("[::1]", "[::1]", None);
        check("my_host", "my_host", None);
    }

    #[test]
    fn what_is_no_host() {
        let check = |text: &str, error| assert_eq!(Host::parse(text), Err(error), "{text}");
        check("", HostError::Empty);
        check(":80", HostError::Empty);
        check("a:", HostError::Port);
        check("a:0", HostError::Port);
        check("a:65536", HostError::Port);
        check("a:+1", HostError::Port);
        for text in [
            "a,b",
            "user@a",
            "a/b",
            "a\\b",
            "a b",
            "\u{e9}.test",
            "a\0",
            "*.a",
            "[::1",
            "a%2fb",
            "[a]",
        ] {
            check(text, HostError::Character);
        }
        check(&"a".repeat(254), HostError::Length);
    }
}
