//! The path a request names, and the refusal of every path that two readers could read as two.
//!
//! Lictor does not rewrite a path. One that is not already in the form that Envoy's normalisation
//! gives is refused: dot segments (also `%2e`, also before `;parameters`), `//`, `\`, escaped
//! slashes, escaped unreserved characters, NUL and other control characters, `#`, raw non-ASCII.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// A path in one unambiguous form, still percent-encoded, without its query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    text: String,
    decoded: String,
}

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
    #[error("its escapes are no UTF-8 text")]
    Encoding,
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
        Self::decode(text)
    }

    /// Takes any path that at least begins with a slash, holds no control character and can be
    /// decoded: for `path_normalization: off`.
    ///
    /// # Errors
    /// A path without these.
    pub fn parse_unchecked(text: &str) -> Result<Self, PathError> {
        if !text.starts_with('/') {
            return Err(PathError::Relative);
        }
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(PathError::Control);
        }
        Self::decode(text)
    }

    /// SECURITY: a path that cannot be decoded is refused; an empty one in its place would pass every
    /// rule that denies a path.
    fn decode(text: &str) -> Result<Self, PathError> {
        let decoded = percent_decoded(text).ok_or(PathError::Encoding)?;
        Ok(Self { text: text.to_owned(), decoded })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The path percent-decoded once.
    pub fn decoded(&self) -> &str {
        &self.decoded
    }

    /// The path as an upstream may read it that decodes reserved characters and drops `;parameters`;
    /// `None` if that is the same path.
    ///
    /// # Errors
    /// A reading that is ambiguous itself.
    pub fn other_reading(&self) -> Result<Option<Self>, PathError> {
        if !self.text.contains(['%', ';']) {
            return Ok(None);
        }
        let plain = unreserved(&self.text);
        let segments =
            plain.split('/').map(|segment| segment.split(';').next().unwrap_or_default());
        let text = segments.collect::<Vec<_>>().join("/");
        if text == self.text {
            return Ok(None);
        }
        if check_segments(&self.text).is_ok() {
            check_segments(&text)?;
        }
        Self::decode(&text).map(Some)
    }
}

/// `text` with the escapes of characters that may also stand in a path as they are (RFC 3986 §3.3).
fn unreserved(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, after.get(2..)) {
            (Some(byte), Some(tail)) if b"!$&'()*+,;=:@".contains(&byte) => {
                out.push(char::from(byte));
                rest = tail;
            }
            _ => {
                out.push('%');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
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
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

/// The value of every query parameter that a reader takes for `name`, percent-decoded, `+` being a
/// space; `None` for one that is no text. Copies only what is escaped.
pub fn query_values<'q>(
    query: &'q str,
    name: &'q str,
) -> impl Iterator<Item = Option<Cow<'q, str>>> {
    // Some readers part parameters by `;` too.
    let by_semicolon = query.contains(';').then(|| query.split(['&', ';'])).into_iter().flatten();
    let parts = query.split('&').chain(by_semicolon);
    let pairs = parts.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let named = pairs.filter(move |(written, _)| {
        *written == name || form_decoded(written).as_deref() == Some(name)
    });
    named.map(|(_, value)| form_decoded(value))
}

/// `application/x-www-form-urlencoded` text, as the URL standard reads it.
fn form_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    percent_decoded(&text.replace('+', " ")).map(Cow::Owned)
}

/// The names of query parameters, as they are written, that a reader takes for `name`.
pub fn query_names<'q>(query: &'q str, name: &'q str) -> impl Iterator<Item = &'q str> {
    let names = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    names.filter(move |written| {
        *written == name || percent_decoded(written).as_deref() == Some(name)
    })
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
    use super::{Path, PathError, percent_decoded, query_value, query_values};

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
        check("/a%ff", PathError::Encoding);
        check("/admin/%c3%28", PathError::Encoding);
        check("/a b", PathError::Character);
        check("/\u{e9}", PathError::Character);
    }

    #[test]
    fn what_an_upstream_may_read_instead() {
        let other = |text: &str| {
            let other = Path::parse(text).expect(text).other_reading();
            other.map(|path| path.map(|path| path.as_str().to_owned()))
        };
        assert_eq!(other("/admin;/x"), Ok(Some("/admin/x".to_owned())));
        assert_eq!(other("/admin%3b/x"), Ok(Some("/admin/x".to_owned())));
        assert_eq!(other("/v1/users%3Aexport"), Ok(Some("/v1/users:export".to_owned())));
        assert_eq!(other("/a%20b/caf%C3%A9"), Ok(None));
        assert_eq!(other("/a:b@c"), Ok(None));
        assert_eq!(other("/;y/admin"), Err(PathError::EmptySegment));
    }

    #[test]
    fn decoding_once() {
        assert_eq!(percent_decoded("/a%2520"), Some("/a%20".into()));
        assert_eq!(percent_decoded("/a%ff"), None);
        assert_eq!(percent_decoded("/a%+1"), None);
        assert_eq!(percent_decoded("/a%"), None);
    }

    #[test]
    fn every_query_value() {
        let check = |query: &str, expected: &[Option<&str>]| {
            let values: Vec<_> = query_values(query, "b").collect();
            let values: Vec<_> = values.iter().map(Option::as_deref).collect();
            assert_eq!(values, expected, "{query}");
        };
        check("a=1&b=2&b=3", &[Some("2"), Some("3")]);
        check("%62=x%2By&b=x+y&b", &[Some("x+y"), Some("x y"), Some("")]);
        check("b=%zz&b=%ff", &[None, None]);
        check("", &[]);
        check("bb=1&B=2", &[]);
        check("a=1;b=2", &[Some("2")]);
        check("b=1;b=2", &[Some("1;b=2"), Some("1"), Some("2")]);
    }

    #[test]
    fn first_query_value() {
        assert_eq!(query_value("a=1&b=2&b=3", "b"), Some("2".into()));
        assert_eq!(query_value("a=1&b", "b"), Some(String::new()));
        assert_eq!(query_value("ab=1", "b"), None);
        assert_eq!(query_value("b=x%20y", "b"), Some("x y".into()));
    }
}
