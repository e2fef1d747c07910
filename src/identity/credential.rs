//! Where a credential can stand in a request, and in which order the places are looked at.

use crate::request::{Cookies, Request, query_names, query_value};

/// Where a credential was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Cookie,
    /// `X-Pomerium-Authorization: TOKEN`
    XHeader,
    /// `Authorization: Pomerium TOKEN`
    Header,
    /// `Authorization: Bearer Pomerium-TOKEN`
    BearerPrefix,
    /// `?pomerium_session=TOKEN`
    Query,
    /// `Authorization: Bearer TOKEN`: ours only if it verifies.
    PlainBearer,
}

impl Source {
    /// As written in the `session-source` log field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::XHeader => "x-header",
            Self::Header | Self::BearerPrefix | Self::PlainBearer => "header",
            Self::Query => "query",
        }
    }
}

/// One credential as presented: where, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    pub source: Source,
    pub text: String,
}

/// Everything a request carries that is, or may be, a credential of ours.
#[derive(Debug, Default)]
pub struct Credentials {
    /// In the order in which they are tried.
    pub candidates: Vec<Presented>,
    /// `Authorization: Bearer` of unknown origin, tried after all others.
    pub plain_bearer: Option<String>,
    /// Everything in `Authorization` that could be a token: one for each value, where several stand
    /// in one header. Looked at only to keep tokens of ours from leaving.
    pub suspects: Vec<String>,
    /// Whether `Authorization` is marked as ours (`Pomerium …`, `Bearer Pomerium-…`).
    pub authorization_is_ours: bool,
    pub cookies: Cookies,
    /// Names of query parameters, as written, that a reader takes for the one that carries a token.
    pub query_names: Vec<String>,
}

/// The name of the query parameter that carries a token.
pub const QUERY_PARAMETER: &str = "pomerium_session";

impl Credentials {
    /// Looks at every place: cookie, `X-Pomerium-Authorization`, `Authorization`, query.
    pub fn find(request: &Request, cookie_name: &str) -> Self {
        let mut found =
            Self { cookies: Cookies::read(&request.headers, cookie_name), ..Self::default() };
        let sessions = found.cookies.sessions();
        found.candidates =
            sessions.map(|text| Presented { source: Source::Cookie, text }).collect();
        if let Some(text) = request.headers.combined("x-pomerium-authorization") {
            found.present(Source::XHeader, text.trim());
        }
        if let Some(text) = request.headers.combined("authorization") {
            found.read_authorization(&text);
        }
        let query = request.query.as_deref().unwrap_or_default();
        found.query_names = query_names(query, QUERY_PARAMETER).map(str::to_owned).collect();
        found.query_names.sort();
        found.query_names.dedup();
        if let Some(text) = query_value(query, QUERY_PARAMETER) {
            found.present(Source::Query, text.trim());
        }
        found
    }

    fn present(&mut self, source: Source, text: &str) {
        self.candidates.push(Presented { source, text: text.to_owned() });
    }

    fn read_authorization(&mut self, header: &str) {
        match ours_in_authorization(header) {
            Some((source, token)) => {
                self.authorization_is_ours = true;
                self.present(source, token);
            }
            None => {
                self.plain_bearer = bearer(header).map(str::to_owned);
                self.suspects = suspects(header);
            }
        }
    }

    /// Whether a token was sent in a header or in the query: such a client gets 401, not a redirect.
    pub fn sent_outside_cookie(&self) -> bool {
        self.candidates.iter().any(|presented| presented.source != Source::Cookie)
    }
}

/// The token in an `Authorization` value that is marked as ours. Several values may stand in one,
/// separated by commas; if any is ours, all is (and the token, having a comma, is malformed).
pub fn ours_in_authorization(header: &str) -> Option<(Source, &str)> {
    let header = header.trim();
    if let Some(found) = marked(header) {
        return Some(found);
    }
    let hidden = header.split(',').skip(1).any(|part| marked(part.trim()).is_some());
    hidden.then_some((Source::Header, header))
}

/// How many things that look like a token are tried.
const MAX_SUSPECTS: usize = 16;

/// Everything in a header that has the shape of a compact JWS, however it is quoted or joined.
fn suspects(header: &str) -> Vec<String> {
    let in_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let words =
        header.split(|c| !in_token(c)).map(|word| word.strip_prefix("Pomerium-").unwrap_or(word));
    let shaped = words.filter(|word| word.matches('.').count() == 2);
    shaped.take(MAX_SUSPECTS).map(str::to_owned).collect()
}

/// Scheme and credential of an `Authorization` value; blanks between them are spaces or tabs.
fn schemed(value: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = value.trim().split_once([' ', '\t'])?;
    Some((scheme, rest.trim()))
}

fn bearer(header: &str) -> Option<&str> {
    schemed(header)
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token)
}

fn marked(value: &str) -> Option<(Source, &str)> {
    let (scheme, rest) = schemed(value)?;
    if scheme.eq_ignore_ascii_case("pomerium") {
        return Some((Source::Header, rest));
    }
    let token = rest.strip_prefix("Pomerium-").filter(|_| scheme.eq_ignore_ascii_case("bearer"))?;
    Some((Source::BearerPrefix, token))
}

#[cfg(test)]
mod tests {
    use super::{Source, ours_in_authorization};

    #[test]
    fn forms_of_authorization() {
        let check = |header: &str, expected| {
            assert_eq!(ours_in_authorization(header), expected, "{header}");
        };
        check("Pomerium a.b.c", Some((Source::Header, "a.b.c")));
        check("pomerium   a.b.c ", Some((Source::Header, "a.b.c")));
        check("bearer Pomerium-a.b.c", Some((Source::BearerPrefix, "a.b.c")));
        check("Bearer pomerium-a.b.c", None);
        check("PomeriumXa.b.c", None);
        check("Bearer a.b.c", None);
        check("Pomerium a.b.c,Bearer x", Some((Source::Header, "a.b.c,Bearer x")));
        check("Bearer x,Pomerium a.b.c", Some((Source::Header, "Bearer x,Pomerium a.b.c")));
        check(
            "Bearer x, bearer Pomerium-a.b.c",
            Some((Source::Header, "Bearer x, bearer Pomerium-a.b.c")),
        );
    }
}
