//! The path a request names, and the refusal of every path that two readers could read as two.
//!
//! Lictor does not rewrite a path. One that is not already in the form that Envoy's normalisation
//! gives is refused: dot segments (also `%2e`, also before `;parameters`), `//`, `\`, escaped
//! slashes, escaped unreserved characters, NUL and other control characters, `#`, raw non-ASCII.

use percent_encoding::percent_decode_str;

/// A path in one unambiguous form, still percent-encoded, without its query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(String);

/// Why a path is ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("it does not begin with a slash")]
    Relative,
    #[error("it holds a dot segment")]
    DotSegment,
    #[error("it holds an empty segment")]
    EmptySegment,
    #[error("it holds a backslash, plain or escaped")]
    Backslash,
    #[error("it holds an escaped slash")]
    EscapedSlash,
    #[error("it escapes a character that needs no escape")]
    NeedlessEscape,
    #[error("it holds an escape that is not two hexadecimal digits")]
    BadEscape,
    #[error("it holds a control character, plain or escaped")]
    Control,
    #[error("it holds a character that no path has")]
    Character,
}

impl Path {
    /// Takes a path (without query) that is already in its one form.
    ///
    /// # Errors
    /// Any path that an upstream could read differently from Envoy and us.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if !text.starts_with('/') {
            return Err(PathError::Relative);
        }
        check_characters(text)?;
        check_segments(text)?;
        Ok(Self(text.to_owned()))
    }

    /// Takes any path that at least begins with a slash and holds no control character: for
    /// `path_normalization: off`.
    ///
    /// # Errors
    /// A path without a leading slash or with control characters.
    pub fn parse_unchecked(text: &str) -> Result<Self, PathError> {
        if !text.starts_with('/') {
            return Err(PathError::Relative);
        }
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(PathError::Control);
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path percent-decoded once; empty if an escape is broken or the result is not UTF-8.
    pub fn decoded(&self) -> String {
        percent_decoded(&self.0).unwrap_or_default()
    }
}

fn check_characters(text: &str) -> Result<(), PathError> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => check_escape(bytes.next(), bytes.next())?,
            b'\\' => return Err(PathError::Backslash),
            b' ' | b'#' | b'?' | b'<' | b'>' | b'"' | 0x80.. => return Err(PathError::Character),
            byte if byte.is_ascii_control() => return Err(PathError::Control),
            _ => {}
        }
    }
    Ok(())
}

fn check_escape(high: Option<u8>, low: Option<u8>) -> Result<(), PathError> {
    let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
    let (Some(high), Some(low)) = (digit(high), digit(low)) else {
        return Err(PathError::BadEscape);
    };
    let byte = u8::try_from(high * 16 + low).map_err(|_| PathError::BadEscape)?;
    match byte {
        b'.' => Err(PathError::DotSegment),
        b'/' => Err(PathError::EscapedSlash),
        b'\\' => Err(PathError::Backslash),
        b'-' | b'_' | b'~' => Err(PathError::NeedlessEscape),
        byte if byte.is_ascii_alphanumeric() => Err(PathError::NeedlessEscape),
        byte if byte.is_ascii_control() => Err(PathError::Control),
        _ => Ok(()),
    }
}

fn check_segments(text: &str) -> Result<(), PathError> {
    let mut segments = text.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let name = segment.split(';').next().unwrap_or_default();
        if name == "." || name == ".." {
            return Err(PathError::DotSegment);
        }
        if segment.is_empty() && segments.peek().is_some() {
            return Err(PathError::EmptySegment);
        }
    }
    Ok(())
}

/// `text` percent-decoded once; `None` if an escape is broken or the result is not UTF-8.
pub fn percent_decoded(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let digits = after.get(..2)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        rest = after.get(2..)?;
    }
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// The first value of the query parameter called `name` as it is literally written. The parameter
/// counts as present even without a value. Values are percent-decoded.
pub fn query_value(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    Some(percent_decoded(value).unwrap_or_else(|| value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Path, PathError, percent_decoded, query_value};

    #[test]
    fn paths_with_one_reading() {
        for text in [
            "/",
            "/a",
            "/a/",
            "/a/b.c",
            "/a;x=1/b",
            "/v2/items/12",
            "/a%20b",
            "/%C3%A9",
            "/...",
            "/.a",
            "/a..b",
            "/a%25b",
            "/@:!$&'()*+,=",
        ] {
            assert!(Path::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn paths_with_two_readings() {
        let check = |text: &str, error| assert_eq!(Path::parse(text), Err(error), "{text}");
        check("", PathError::Relative);
        check("*", PathError::Relative);
        check("/a/../b", PathError::DotSegment);
        check("/a/.", PathError::DotSegment);
        check("/a/..;/b", PathError::DotSegment);
        check("/.;x/b", PathError::DotSegment);
        check("/a/%2e%2e/b", PathError::DotSegment);
        check("/a/%2E/b", PathError::DotSegment);
        check("/a//b", PathError::EmptySegment);
        check("//evil/x", PathError::EmptySegment);
        check("/a\\b", PathError::Backslash);
        check("/a%5cb", PathError::Backslash);
        check("/a%2fb", PathError::EscapedSlash);
        check("/%61dmin", PathError::NeedlessEscape);
        check("/a%00b", PathError::Control);
        check("/a\u{7f}", PathError::Control);
        check("/a%zz", PathError::BadEscape);
        check("/a%2", PathError::BadEscape);
        check("/a#b", PathError::Character);
        check("/a b", PathError::Character);
        check("/\u{e9}", PathError::Character);
    }

    #[test]
    fn decoding_once() {
        assert_eq!(percent_decoded("/a%2520"), Some("/a%20".into()));
        assert_eq!(percent_decoded("/a%ff"), None);
        assert_eq!(percent_decoded("/a%+1"), None);
        assert_eq!(percent_decoded("/a%"), None);
    }

    #[test]
    fn query_values() {
        assert_eq!(query_value("a=1&b=2&b=3", "b"), Some("2".into()));
        assert_eq!(query_value("a=1&b", "b"), Some(String::new()));
        assert_eq!(query_value("ab=1", "b"), None);
        assert_eq!(query_value("b=x%20y", "b"), Some("x y".into()));
    }
}
