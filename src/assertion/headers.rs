//! Names and values of headers that may leave.

use http::{HeaderName, HeaderValue};

/// The header that carries the signed identity.
pub const ASSERTION_HEADER: HeaderName = HeaderName::from_static("x-pomerium-jwt-assertion");

/// One identity header: its name and the claim it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimHeader {
    pub name: HeaderName,
    pub claim: String,
}

/// Why a header may not be set or removed by configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderNameError {
    #[error("`{0}` is not a header name")]
    NotToken(String),
    #[error("`{0}` decides framing or routing and cannot be changed here")]
    Reserved(String),
}

/// A header name that configuration may set or remove.
///
/// # Errors
/// What is no token (RFC 9110 §5.6.2), and headers that Envoy would obey: they frame the message,
/// choose its destination, or are Envoy's own.
pub fn mutable_header(name: &str) -> Result<HeaderName, HeaderNameError> {
    let header =
        HeaderName::try_from(name).map_err(|_| HeaderNameError::NotToken(name.to_owned()))?;
    let reserved = [
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
    ];
    let text = header.as_str();
    if reserved.contains(&text)
        || text.starts_with("x-envoy-")
        || text.starts_with("sec-websocket-")
    {
        return Err(HeaderNameError::Reserved(name.to_owned()));
    }
    Ok(header)
}

/// A value without control characters (tab excepted); `None` if it has any.
pub fn safe_value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::{HeaderNameError, mutable_header, safe_value};

    #[test]
    fn what_frames_or_routes_is_never_touched() {
        for name in
            ["Host", "content-length", "Transfer-Encoding", "connection", "x-envoy-retry-on", "te"]
        {
            assert_eq!(mutable_header(name), Err(HeaderNameError::Reserved(name.into())), "{name}");
        }
        for name in [":path", "a b", "", "a:b", "\u{e9}"] {
            assert_eq!(mutable_header(name), Err(HeaderNameError::NotToken(name.into())), "{name}");
        }
        assert!(mutable_header("X-Team").is_ok());
    }

    #[test]
    fn no_control_character_leaves() {
        for text in ["a\r\nb", "a\0", "a\u{7f}"] {
            assert!(safe_value(text).is_none(), "{text:?}");
        }
        assert!(safe_value("tab\tand \u{e9}").is_some());
    }
}
