//! The cookies that are set here: the session, and the key that tells browsers apart.

use crate::state::SignIn;
use crate::time::Timestamp;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The cookies of one deployment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cookies<'a> {
    /// `cookie_name`
    name: &'a str,
    /// Whether the pages are reached over TLS.
    secure: bool,
}

impl<'a> Cookies<'a> {
    pub(super) fn new(name: &'a str, sign_in: Option<&SignIn>) -> Self {
        let secure = sign_in.is_none_or(|sign_in| sign_in.url.scheme() == "https");
        Self { name, secure }
    }

    /// The name of the browser's key. SECURITY: with `__Host-` no neighbouring host can set it.
    fn browser_name(&self) -> String {
        let prefix = if self.secure { "__Host-" } else { "" };
        format!("{prefix}{}_csrf", self.name)
    }

    /// The browser's key, as it was sent.
    pub(super) fn browser(&self, headers: &HeaderMap) -> Option<String> {
        let name = self.browser_name();
        let lines = headers.get_all(axum::http::header::COOKIE).iter();
        let pieces = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
        let mut values = pieces.filter_map(|piece| {
            let (found, value) = piece.trim().split_once('=')?;
            (found == name).then(|| value.to_owned())
        });
        values.next()
    }

    /// Sets the browser's key until the browser is closed.
    pub(super) fn set_browser(&self, value: &str) -> Option<(HeaderName, HeaderValue)> {
        let attributes = self.attributes();
        header(&format!("{}={value}; {attributes}", self.browser_name()))
    }

    /// Sets the session until it expires.
    pub(super) fn set_session(
        &self,
        handle: &str,
        expires: Timestamp,
        now: Timestamp,
    ) -> Option<(HeaderName, HeaderValue)> {
        let age = expires.unix().saturating_sub(now.unix()).max(0);
        let attributes = self.attributes();
        header(&format!("{}={handle}; Max-Age={age}; {attributes}", self.name))
    }

    /// Removes the session, and what a neighbouring host may have put beside it under the same name.
    pub(super) fn clear_session(&self, host: &str) -> Vec<(HeaderName, HeaderValue)> {
        let attributes = self.attributes();
        let own = format!("{}=; Max-Age=0; {attributes}", self.name);
        let wider = parents(host)
            .map(|domain| format!("{}=; Max-Age=0; Domain={domain}; {attributes}", self.name));
        std::iter::once(own).chain(wider).filter_map(|text| header(&text)).collect()
    }

    /// Removes only what a neighbouring host may have put beside the session.
    pub(super) fn clear_tossed(&self, host: &str) -> Vec<(HeaderName, HeaderValue)> {
        self.clear_session(host).split_off(1)
    }

    fn attributes(&self) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        // `Lax`: must come along when a provider leads back.
        format!("Path=/; HttpOnly; SameSite=Lax{secure}")
    }
}

/// The domains above a host, as far as a cookie could be set for them.
fn parents(host: &str) -> impl Iterator<Item = &str> {
    let name = if host.parse::<std::net::IpAddr>().is_ok() { "" } else { host };
    let rests =
        std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, rest)| rest));
    rests.filter(|name| name.contains('.'))
}

fn header(text: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((SET_COOKIE, HeaderValue::from_str(text).ok()?))
}

#[cfg(test)]
mod tests {
    use super::parents;

    #[test]
    fn domains_above() {
        let of = |host| parents(host).collect::<Vec<_>>();
        assert_eq!(of("a.b.example.com"), ["a.b.example.com", "b.example.com", "example.com"]);
        assert_eq!(of("app.localhost"), ["app.localhost"]);
        assert_eq!(of("localhost"), [""; 0]);
        assert_eq!(of("127.0.0.1"), [""; 0]);
    }
}
