//! Whoever calls the admin API from a browser: a session of the authenticate host, by its cookie. What
//! other rooms may know of visits.

use super::guard;
use super::site::Site;
use super::visit::{Visit, origin};
use crate::authorizer::SessionUse;
use crate::session::Origin;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use std::fmt;
use std::sync::Arc;

/// Somebody who is signed in, in a browser.
pub(crate) struct Caller {
    pub(crate) session: SessionUse,
    host: String,
    same_origin: bool,
}

/// Nobody knows now who calls.
#[derive(Debug)]
pub(crate) struct Away;

impl Caller {
    /// Reads who calls. `None` for nobody: no cookie, none that is good, or another host than the one where
    /// people sign in.
    ///
    /// # Errors
    /// That cannot be known now.
    pub(crate) async fn read(parts: &Parts, site: &Arc<Site>) -> Result<Option<Self>, Away> {
        let visit = Visit::read(parts, site).filter(Visit::is_authenticate_host);
        let Some(visit) = visit.filter(|visit| visit.sign_in().is_ok() && visit.desk().is_ok())
        else {
            return Ok(None);
        };
        let visitor = visit.visitor().await.map_err(|_| Away)?;
        let session = visitor.in_person().ok().cloned();
        let same_origin = visit.is_same_origin();
        Ok(session.map(|session| Self { session, host: visit.host, same_origin }))
    }

    /// Whether a page of ours has sent it: one that was shown in this session, by its token.
    pub(crate) fn is_sent_by_a_page(&self, token: &str) -> bool {
        self.same_origin && guard::is_token(token, self.session.secret.expose(), &self.host)
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("session", &self.session.record.id).finish_non_exhaustive()
    }
}

/// From where a request comes.
pub(crate) fn origin_of(headers: &HeaderMap, site: &Site) -> Origin {
    origin(headers, site.state.snapshot().settings.trusted_hops)
}
