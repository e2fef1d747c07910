//! Who calls: one credential and no second one. A machine by its token, the bootstrap secret, or, over
//! HTTP on the host where people sign in, a person by their session.

use super::error::{ApiError, ErrorKind};
use crate::admin::{Actor, Admin};
use crate::authorizer::Unavailable;
use crate::people::Moment;
use crate::provider::{Throttle, Wait};
use crate::request::{Headers, Kind, Request, Target};
use crate::secret::Secret;
use crate::service_account::Machine;
use crate::session::Origin;
use crate::state::Snapshot;
use crate::time::Timestamp;
use crate::web::{Caller, Site, origin_of};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Tells who calls.
#[derive(Debug)]
pub(super) struct Gate {
    site: Arc<Site>,
    admin: Admin,
    /// Credentials that were no good, of late.
    throttle: Mutex<Throttle>,
}

/// Somebody who may ask, when, and from where.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) by: Actor,
    pub(super) now: Timestamp,
    pub(super) origin: Origin,
}

/// What came along that says who calls.
#[derive(Debug)]
enum Shown {
    Nothing,
    Token {
        text: Secret<String>,
        /// It says of itself that it is a token of ours.
        marked: bool,
    },
}

const TOKEN_HEADER: &str = "x-pomerium-authorization";
const CSRF_HEADER: &str = "x-csrf-token";
/// What throttled tries are counted under: bad tokens, and guesses of the bootstrap secret.
const TOKENS: &str = "api token";
const BOOTSTRAP: &str = "api bootstrap";
/// No token of ours is longer.
const LONGEST: usize = 8192;
/// How many records one call may have looked up.
const LOOK_UPS: usize = 4;

impl Asked {
    pub(super) fn moment(&self) -> Moment<'_> {
        Moment { now: self.now, origin: &self.origin }
    }
}

impl Gate {
    pub(super) fn new(site: Arc<Site>, admin: Admin) -> Self {
        Self { site, admin, throttle: Mutex::default() }
    }

    /// From where and when something is asked. Without a name of its own the call gets one, so that it can
    /// be found again.
    pub(super) fn arrived(&self, headers: &HeaderMap) -> (Origin, Timestamp) {
        let mut origin = origin_of(headers, &self.site);
        if origin.request_id.is_empty() {
            origin.request_id = uuid::Uuid::new_v4().to_string();
        }
        (origin, self.site.clock.now())
    }

    /// Who calls by a token or the bootstrap secret. Cookies are not looked at.
    ///
    /// # Errors
    /// Nobody who may; two credentials; nobody knows now.
    pub(super) async fn program(
        &self,
        headers: &HeaderMap,
        (origin, now): (Origin, Timestamp),
    ) -> Result<Asked, ApiError> {
        match shown(headers)? {
            Shown::Nothing => Err(unauthenticated()),
            Shown::Token { text, marked } => {
                let at = Moment { now, origin: &origin };
                let by = self.holder(&text, marked, at).await?;
                Ok(Asked { by, now, origin })
            }
        }
    }

    /// The same, or a person by the session of their browser if no other credential came along.
    ///
    /// # Errors
    /// As of [`Gate::program`]; and a change that no page of ours has sent.
    pub(super) async fn anyone(
        &self,
        parts: &Parts,
        (origin, now): (Origin, Timestamp),
    ) -> Result<Asked, ApiError> {
        if !matches!(shown(&parts.headers)?, Shown::Nothing) {
            return self.program(&parts.headers, (origin, now)).await;
        }
        let caller = Caller::read(parts, &self.site).await.map_err(|_| unavailable())?;
        let caller = caller.ok_or_else(unauthenticated)?;
        // SECURITY: a browser sends cookies along whoever asks it to.
        let token = parts.headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
        let changes = !matches!(parts.method, Method::GET | Method::HEAD);
        if changes && !caller.is_sent_by_a_page(token.unwrap_or_default()) {
            let detail = "with a session, changes need `X-CSRF-Token` and come from a page of ours";
            return Err(ApiError::new(ErrorKind::Forbidden, "csrf", detail));
        }
        let snapshot = self.site.state.snapshot();
        let (rules, directory) = (&snapshot.settings.impersonation, &snapshot.directory);
        let by = Actor::of_session(&caller.session.record, rules, directory);
        Ok(Asked { by, now, origin })
    }

    async fn holder(
        &self,
        text: &Secret<String>,
        marked: bool,
        at: Moment<'_>,
    ) -> Result<Actor, ApiError> {
        if let Some(machine) = self.machine(text, at.now).await? {
            // SECURITY: whoever acts as a person has nothing of what they may administer.
            let none = || {
                let detail = "a service account that acts as a person administers nothing";
                ApiError::new(ErrorKind::Forbidden, "acts_as_person", detail)
            };
            return Actor::of_machine(&machine).ok_or_else(none);
        }
        if !marked && !is_token(text.expose()) {
            self.hold_up(BOOTSTRAP, at)?;
            if let Some(actor) = self.admin.bootstrap(text, at).await? {
                return Ok(actor);
            }
            return Err(self.refuse(BOOTSTRAP, at));
        }
        Err(self.refuse(TOKENS, at))
    }

    /// The machine that a token speaks for; `None` for a token that is no good, or of somebody else.
    async fn machine(
        &self,
        text: &Secret<String>,
        now: Timestamp,
    ) -> Result<Option<Arc<Machine>>, ApiError> {
        let snapshot = self.site.state.snapshot();
        let (Some(desk), Some((request, target))) = (&self.site.desk, supposed(&snapshot, text))
        else {
            return Ok(None);
        };
        let mut left = LOOK_UPS;
        loop {
            match self.site.authorizer.recognise(&snapshot, &request, &target, now) {
                Ok(recognised) => return Ok(recognised.machine),
                Err(Unavailable::Unseen(record)) if left > 0 => {
                    left -= 1;
                    desk.cache.learn(&record).await.map_err(|error| {
                        tracing::error!(%error, ?record, "a record cannot be looked up");
                        unavailable()
                    })?;
                }
                Err(error) => {
                    tracing::error!(%error, "nobody knows who calls the admin API");
                    return Err(unavailable());
                }
            }
        }
    }

    /// Waits nowhere: refuses whoever has guessed too often.
    fn hold_up(&self, what: &str, at: Moment<'_>) -> Result<(), ApiError> {
        let mut throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        let address = address(at);
        throttle.admit(what, address, at.now).map_err(exhausted)?;
        throttle.withdraw(what, address);
        Ok(())
    }

    /// Counts a bad credential. One that is good is never held up: it is looked at first.
    fn refuse(&self, what: &str, at: Moment<'_>) -> ApiError {
        let mut throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        match throttle.admit(what, address(at), at.now) {
            Ok(()) => unauthenticated(),
            Err(wait) => exhausted(wait),
        }
    }
}

fn address(at: Moment<'_>) -> Option<IpAddr> {
    at.origin.address.parse().ok()
}

/// Whether it has the shape of a signed token.
fn is_token(text: &str) -> bool {
    text.starts_with("eyJ") && text.matches('.').count() == 2
}

/// A request that carries nothing but this token, to the host where people sign in.
fn supposed(snapshot: &Snapshot, text: &Secret<String>) -> Option<(Request, Target)> {
    let host = snapshot.settings.sign_in.as_ref()?.url.host_str()?.to_owned();
    let target = snapshot.settings.target(&host, "/", Kind::Http).ok()?;
    let line = ("authorization".to_owned(), format!("Pomerium {}", text.expose()).into_bytes());
    let request = Request {
        kind: Kind::Http,
        raw_host: host,
        headers: Headers::from_lines([line]),
        target: Ok(target.clone()),
        ..Request::unknown()
    };
    Some((request, target))
}

/// What came along, if it is one thing.
fn shown(headers: &HeaderMap) -> Result<Shown, ApiError> {
    let own = headers.get_all(TOKEN_HEADER).iter().map(|value| (value, true));
    let standard = headers.get_all(AUTHORIZATION).iter().map(|value| (value, false));
    let mut all = own.chain(standard);
    let Some((value, own)) = all.next() else {
        return Ok(Shown::Nothing);
    };
    if all.next().is_some() {
        let detail = "two credentials came along; send one";
        return Err(ApiError::new(ErrorKind::Invalid, "two_credentials", detail));
    }
    read(value, own).ok_or_else(unauthenticated)
}

fn read(value: &HeaderValue, own: bool) -> Option<Shown> {
    let value = value.to_str().ok()?.trim();
    let (text, marked) = if own {
        (value, true)
    } else {
        let (scheme, rest) = value.split_once([' ', '\t'])?;
        let rest = rest.trim();
        match (scheme.to_ascii_lowercase().as_str(), rest.strip_prefix("Pomerium-")) {
            ("pomerium", _) => (rest, true),
            ("bearer", Some(rest)) => (rest, true),
            ("bearer", None) => (rest, false),
            _ => return None,
        }
    };
    // With a comma or a blank it would be several.
    let one = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    let good = one && (1..=LONGEST).contains(&text.len());
    good.then(|| Shown::Token { text: Secret::new(text.to_owned()), marked })
}

fn unauthenticated() -> ApiError {
    let detail = "show one credential that is good, such as `Authorization: Bearer TOKEN`";
    ApiError::new(ErrorKind::Unauthenticated, "unauthenticated", detail)
}

fn unavailable() -> ApiError {
    ApiError::new(ErrorKind::Unavailable, "unavailable", "nobody knows now who calls; try again")
}

fn exhausted(Wait(wait): Wait) -> ApiError {
    let detail = "too many credentials that were no good; try again later";
    let error = ApiError::new(ErrorKind::Exhausted, "too_many_tries", detail);
    ApiError { wait: Some(wait), ..error }
}

#[cfg(test)]
mod tests {
    use super::{Shown, is_token, shown};
    use crate::api::error::ErrorKind;
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    fn read(lines: &[(&'static str, &str)]) -> Result<Option<(String, bool)>, ErrorKind> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
            headers.append(HeaderName::from_static(name), value);
        }
        match shown(&headers) {
            Ok(Shown::Nothing) => Ok(None),
            Ok(Shown::Token { text, marked }) => Ok(Some((text.expose().clone(), marked))),
            Err(error) => Err(error.kind),
        }
    }

    #[test]
    fn forms_of_a_credential() {
        let check = |name, value, text: &str, marked| {
            assert_eq!(read(&[(name, value)]), Ok(Some((text.to_owned(), marked))), "{value}");
        };
        check("authorization", "Bearer a.b.c", "a.b.c", false);
        check("authorization", "bearer   a.b.c ", "a.b.c", false);
        check("authorization", "Bearer Pomerium-a.b.c", "a.b.c", true);
        check("authorization", "Pomerium a.b.c", "a.b.c", true);
        check("x-pomerium-authorization", "a.b.c", "a.b.c", true);
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("cookie", "_pomerium=a.b.c")]), Ok(None));
    }

    #[test]
    fn what_is_no_credential() {
        let long = format!("Bearer {}", "x".repeat(9000));
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Basic eDp5",
            "a.b.c",
            "Bearer a.b.c, Bearer d.e.f",
            "Bearer a b",
            "Bearer a,b",
            "Bearer \u{e4}",
            "Pomerium ",
            "Bearer Pomerium-",
            long.as_str(),
        ] {
            let told = read(&[("authorization", value)]);
            assert_eq!(told, Err(ErrorKind::Unauthenticated), "{value}");
        }
    }

    #[test]
    fn one_credential_and_no_second() {
        let bearer = ("authorization", "Bearer a.b.c");
        let own = ("x-pomerium-authorization", "a.b.c");
        for lines in [[bearer, own], [bearer, bearer], [own, own]] {
            assert_eq!(read(&lines), Err(ErrorKind::Invalid), "{lines:?}");
        }
    }

    #[test]
    fn what_looks_like_a_token_is_no_guess_of_the_bootstrap_secret() {
        assert!(is_token("eyJhbGciOiJIUzI1NiJ9.e30.x"));
        assert!(!is_token("correct-horse-battery-staple-correct"));
        assert!(!is_token("a.b.c") && !is_token("eyJ.x"));
    }
}
