//! The cookies of a request: finding ours and giving back the others untouched.

use super::{Headers, text};
use memchr::memmem;
use std::borrow::Cow;

/// The cookies we look for, all sharing one base name: the session itself, its chunks `NAME_1` …
/// `NAME_5`, and `NAME_csrf`, also as `__Host-NAME_csrf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OwnCookie {
    Session,
    Chunk(usize),
    Csrf,
}

/// The cookies of one request, split into ours and the rest.
#[derive(Debug, Default)]
pub struct Cookies {
    sessions: Vec<String>,
    chunks: [Option<String>; MAX_CHUNKS],
    have_own: bool,
    /// The others, separated as in one line.
    rest: String,
}

/// How many chunks may follow the first cookie.
const MAX_CHUNKS: usize = 5;
/// How many cookies of the session's name are looked at. A browser sends a few; a header full of
/// them would be work for nothing.
const MAX_SESSIONS: usize = 16;

impl Cookies {
    /// Splits every `Cookie` line of `headers`. Names are compared exactly. Where the name of ours stands nowhere,
    /// nothing is split: the others are only needed by who asks for them.
    pub fn read(headers: &Headers, name: &str) -> Self {
        let stands = |line| memmem::find(line, name.as_bytes()).is_some();
        if headers.all("cookie").any(stands) {
            Self::split(headers, Some(name))
        } else {
            Self::default()
        }
    }

    /// Without a `name`, none is ours.
    fn split(headers: &Headers, name: Option<&str>) -> Self {
        let mut cookies = Self::default();
        for line in headers.all("cookie") {
            let line = text(line);
            for piece in line.split(';') {
                cookies.read_piece(piece, name, headers.are_joined());
            }
        }
        cookies
    }

    fn read_piece(&mut self, piece: &str, name: Option<&str>, joined: bool) {
        // A comma cannot stand in a cookie value (RFC 6265 §4.1.1), so one before a `name=` is where
        // Envoy joined two lines. Before a cookie of ours it always ends what came before.
        let mut begin = true;
        for part in piece.split(',') {
            let trimmed = part.trim_matches([' ', '\t']);
            if let Some((kind, value)) = name.and_then(|name| own_cookie(trimmed, name)) {
                self.keep(kind, value);
                begin = true;
            } else if begin || (joined && starts_a_cookie(part)) {
                if !trimmed.is_empty() {
                    if !self.rest.is_empty() {
                        self.rest.push_str("; ");
                    }
                    self.rest.push_str(trimmed);
                    begin = false;
                }
            } else if !self.rest.is_empty() {
                self.rest.push(',');
                self.rest.push_str(part.trim_end_matches([' ', '\t']));
            }
        }
    }

    fn keep(&mut self, kind: OwnCookie, value: String) {
        self.have_own = true;
        match kind {
            OwnCookie::Session if self.sessions.len() < MAX_SESSIONS => self.sessions.push(value),
            OwnCookie::Session | OwnCookie::Csrf => {}
            OwnCookie::Chunk(index) => {
                if let Some(slot @ None) = self.chunks.get_mut(index - 1) {
                    *slot = Some(value);
                }
            }
        }
    }

    /// Whether any cookie of ours came along.
    pub fn have_own(&self) -> bool {
        self.have_own
    }

    /// How many chunks came along.
    pub fn chunks(&self) -> usize {
        self.chunks.iter().flatten().count()
    }

    /// The `Cookie` value without ours; `None` if nothing is left. `headers` are those that were read.
    pub fn rest(&self, headers: &Headers) -> Option<Cow<'_, str>> {
        let rest = if self.have_own {
            Cow::Borrowed(self.rest.as_str())
        } else {
            Cow::Owned(Self::split(headers, None).rest)
        };
        Some(rest).filter(|rest| !rest.is_empty())
    }

    /// Every session value in order of appearance, at most sixteen, chunks put together. A first
    /// chunk is marked by a leading `%`; `NAME_1` … follow without a gap.
    pub fn sessions(&self) -> impl Iterator<Item = String> {
        self.sessions.iter().map(|value| match value.strip_prefix('%') {
            None => value.clone(),
            Some(first) => self.assembled(first),
        })
    }

    fn assembled(&self, first: &str) -> String {
        let chunks = self.chunks.iter().map_while(Option::as_deref);
        std::iter::once(first).chain(chunks).collect()
    }
}

fn starts_a_cookie(part: &str) -> bool {
    let is_token = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    };
    part.split_once('=').is_some_and(|(name, _)| is_token(name))
}

fn own_cookie(piece: &str, base: &str) -> Option<(OwnCookie, String)> {
    let (name, value) = piece.split_once('=')?;
    let name = name.trim_end();
    if name.strip_prefix("__Host-").and_then(|name| name.strip_prefix(base)) == Some("_csrf") {
        return Some((OwnCookie::Csrf, value.trim().to_owned()));
    }
    let rest = name.strip_prefix(base)?;
    let kind = match rest {
        "" => OwnCookie::Session,
        "_csrf" => OwnCookie::Csrf,
        _ => {
            let index = rest.strip_prefix('_')?;
            let canonical = index.bytes().all(|b| b.is_ascii_digit()) && !index.starts_with('0');
            OwnCookie::Chunk(
                index.parse().ok().filter(|n| canonical && (1..=MAX_CHUNKS).contains(n))?,
            )
        }
    };
    Some((kind, value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::Cookies;
    use crate::request::Headers;

    fn lines(values: &[&str]) -> Headers {
        Headers::from_lines(values.iter().map(|v| ("Cookie".to_owned(), v.as_bytes().to_vec())))
    }

    #[track_caller]
    fn check(headers: &Headers, sessions: &[&str], rest: Option<&str>) {
        let cookies = Cookies::read(headers, "_pomerium");
        assert_eq!(cookies.sessions().collect::<Vec<_>>(), sessions);
        assert_eq!(cookies.rest(headers).as_deref(), rest);
    }

    #[test]
    fn ours_and_the_rest() {
        check(&lines(&["_pomerium=T"]), &["T"], None);
        check(&lines(&["theme=dark; _pomerium=T"]), &["T"], Some("theme=dark"));
        check(&lines(&["my_pomerium=keep; _pomerium=T"]), &["T"], Some("my_pomerium=keep"));
        check(&lines(&["_POMERIUM=T"]), &[], Some("_POMERIUM=T"));
        check(&lines(&["my_pomerium=keep"]), &[], Some("my_pomerium=keep"));
        check(&lines(&["_pomerium=a; _pomerium=b"]), &["a", "b"], None);
        check(&lines(&["_pomerium_csrf=x; a=1"]), &[], Some("a=1"));
        check(&lines(&["__Host-_pomerium_csrf=x; a=1"]), &[], Some("a=1"));
        check(&lines(&["a=1,2; _pomerium=T"]), &["T"], Some("a=1,2"));
        check(&lines(&["a=1", "_pomerium=T", "b=2; c=3"]), &["T"], Some("a=1; b=2; c=3"));
    }

    #[test]
    fn lines_joined_by_a_comma() {
        let joined =
            |value: &str| Headers::from_joined([("cookie".to_owned(), value.as_bytes().to_vec())]);
        check(&joined("a=1,_pomerium=T; c=3"), &["T"], Some("a=1; c=3"));
        check(&joined("_pomerium=T,a=1"), &["T"], Some("a=1"));
        check(&joined("a=1,b=2; _pomerium=T"), &["T"], Some("a=1; b=2"));
        check(&joined("a=x,y; _pomerium=T"), &["T"], Some("a=x,y"));
    }

    #[test]
    fn chunks() {
        check(
            &lines(&["_pomerium=%ab; _pomerium_1=cd; _pomerium_2=ef; x=1"]),
            &["abcdef"],
            Some("x=1"),
        );
        check(&lines(&["_pomerium=%ab; _pomerium_2=ef"]), &["ab"], None);
        check(
            &lines(&["_pomerium_6=zz; _pomerium_01=y; _pomerium=T"]),
            &["T"],
            Some("_pomerium_6=zz; _pomerium_01=y"),
        );
    }
}
