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

/// A name made of a prefix, which says of what, and 32 lower-case hexadecimal digits.
macro_rules! prefixed {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            const PREFIX: &str = $prefix;
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

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

prefixed! {
    /// The name of a sign-in, safe to show: `ses_` and 32 hexadecimal digits.
    SessionId, "ses_"
}
prefixed! {
    /// The name of a service account: `sa_` and 32 hexadecimal digits.
    ServiceAccountId, "sa_"
}
prefixed! {
    /// The name of a credential of a service account, safe to show: `cred_` and 32 hexadecimal digits.
    CredentialId, "cred_"
}
prefixed! {
    /// The name of a policy that is kept in the store: `pol_` and 32 hexadecimal digits.
    PolicyId, "pol_"
}
prefixed! {
    /// The name of a role that is given to somebody: `perm_` and 32 hexadecimal digits.
    PermissionId, "perm_"
}

/// The name of a namespace: 1 to 63 lower-case letters, digits and hyphens, such as `design` or a UUID.
/// Part of the user ids of service accounts, and never changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespaceId(Arc<str>);

impl NamespaceId {
    const GLOBAL: &str = "9d8dbd2c-8cce-4e66-9c1f-c490b4a07243";
    const LONGEST: usize = 63;

    /// The root of all namespaces. Its id is the one that Pomerium's clients know.
    pub fn global() -> Self {
        Self(Self::GLOBAL.into())
    }

    pub fn is_global(&self) -> bool {
        &*self.0 == Self::GLOBAL
    }

    /// `None` for what is no such name.
    pub fn parse(text: &str) -> Option<Self> {
        let letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let inner = !text.starts_with('-') && !text.ends_with('-');
        let fits = (1..=Self::LONGEST).contains(&text.len()) && text.bytes().all(letter);
        (fits && inner).then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NamespaceId {
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
