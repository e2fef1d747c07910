//! A request that nobody sent, as it would be decoded.

use super::{Principal, Supposed};
use crate::admin::fields::Fields;
use crate::admin::world::{Sight, World};
use crate::request::{Request, Target};
use crate::state::Settings;
use crate::supposition::{AskedUrl, Supposition};
use crate::time::Timestamp;
use http::{HeaderName, HeaderValue, Method};

/// The longest URL, in bytes.
const URL: usize = 8 * 1024;
/// The most headers, and the longest value, in bytes.
const HEADERS: usize = 100;
const VALUE: usize = 8 * 1024;
/// Headers in which a check looks for a credential.
const CREDENTIALS: [&str; 3] = ["authorization", "x-pomerium-authorization", "cookie"];

/// The request; `None` only with a word in `fields`.
pub(super) fn read(
    supposed: &Supposed,
    (settings, now): (&Settings, Timestamp),
    fields: &mut Fields,
) -> Option<Request> {
    let method = supposed.method.trim();
    if Method::from_bytes(method.as_bytes()).is_err() || method.len() > 64 {
        fields.wrong("method", "name a method, such as `GET`");
    }
    let url = supposed.url.trim();
    let readable = url.len() <= URL && url.bytes().all(|byte| byte.is_ascii_graphic());
    let url = AskedUrl::parse(url)
        .filter(|url| readable && matches!(url.scheme.as_str(), "http" | "https"));
    if url.is_none() {
        fields.wrong("url", "write it as `https://app.example.com/path`");
    }
    let question = Supposition {
        method: method.to_owned(),
        url: url?,
        headers: headers(supposed, fields),
        ip: supposed.source_ip,
        now,
        ..Supposition::default()
    };
    Some(question.request(settings))
}

fn headers(supposed: &Supposed, fields: &mut Fields) -> Vec<(String, String)> {
    let readable = |(name, value): &&(String, String)| {
        HeaderName::from_bytes(name.as_bytes()).is_ok()
            && HeaderValue::from_str(value).is_ok()
            && value.len() <= VALUE
    };
    let given = supposed.headers.iter();
    if supposed.headers.len() > HEADERS || !given.clone().all(|line| readable(&line)) {
        fields.wrong("headers", format!("write up to {HEADERS} headers as `name: value`"));
    }
    let token = match &supposed.principal {
        Principal::Token(token) => Some(token.expose().trim()),
        Principal::Anonymous | Principal::User(_) | Principal::Account(_) => None,
    };
    // The one who asks is named, so nothing in the request names another.
    let given = given.filter(|(name, _)| {
        !CREDENTIALS.iter().any(|credential| name.eq_ignore_ascii_case(credential))
    });
    let given = given.map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let token = token.map(|token| ("authorization".to_owned(), format!("Bearer Pomerium-{token}")));
    given.chain(token).collect()
}

impl World {
    /// Whether what would serve the request, if anything, is seen. SECURITY: what is not seen is answered
    /// as what is not there.
    pub(super) fn may_be_asked(&self, sight: &Sight<'_>, request: &Request) -> bool {
        let Ok(target) = &request.target else { return true };
        let table = &self.catalog().table;
        let hosts = table.routes().filter(|route| {
            route.from.host().is_some_and(|hosts| hosts.matches(target.host.name()))
        });
        let mut places = hosts.map(|route| &route.namespace).peekable();
        if places.peek().is_some() && !places.any(|place| sight.sees(place)) {
            return false;
        }
        let other = target.path.other_reading().ok().flatten();
        let other = other.map(|path| Target { host: target.host.clone(), path });
        let targets = std::iter::once(target).chain(&other);
        let mut found = targets.filter_map(|target| table.find(request.kind, target));
        found.all(|route| sight.sees(&route.namespace))
    }
}
