//! Names of things. Each is a type of its own so that one cannot stand where another belongs.

use std::fmt;
use std::sync::Arc;

/// The name of a route: `routes[].id`, or `route-N` by its place in the file.
/// Envoy may send it as `context_extensions.route_id`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteId(Arc<str>);

impl RouteId {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RouteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RouteId({})", self.0)
    }
}

impl fmt::Display for RouteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a sign-in, safe to show: `ses_` and 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(Arc<str>);

impl SessionId {
    const PREFIX: &str = "ses_";
    const DIGITS: usize = 32;

    /// `digits` are lower-case hexadecimal.
    pub(crate) fn new(digits: &str) -> Self {
        Self(format!("{}{digits}", Self::PREFIX).into())
    }

    /// Reads a name as it is shown; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(Self::PREFIX)?;
        let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (digits.len() == Self::DIGITS && digits.bytes().all(hex)).then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a person quotes when they ask about a refusal: the request's `x-request-id`, made safe to
/// print anywhere. At most 128 visible ASCII characters; everything else is dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    const MAX_CHARS: usize = 128;

    /// Takes what a client sent and keeps what is safe.
    pub fn sanitised(raw: &[u8]) -> Self {
        let kept = raw.iter().filter(|byte| byte.is_ascii_graphic()).take(Self::MAX_CHARS);
        let safe = |byte: &u8| !matches!(byte, b'<' | b'>' | b'"' | b'\'' | b'&' | b'\\');
        Self(kept.filter(|byte| safe(byte)).map(|byte| char::from(*byte)).collect())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::RequestId;

    #[test]
    fn a_request_id_is_safe_to_print() {
        let hostile = format!("a\r\nb<script>&\"'{}\u{e9}", "x".repeat(5000));
        let id = RequestId::sanitised(hostile.as_bytes());
        assert!(id.as_str().starts_with("abscript"));
        assert!(id.as_str().len() <= 128);
        assert!(RequestId::sanitised(b"\n").is_empty());
    }
}
