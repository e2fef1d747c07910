//! One request for a page of ours: where it goes, who sends it, and how it is answered.

use super::answer::{Trouble, page};
use super::cookie::Cookies;
use super::site::{Desk, Site};
use super::{guard, view};
use crate::authorizer::{Recognised, SessionUse, Unavailable};
use crate::id::RequestId;
use crate::identity::{Caller, Identity, Source};
use crate::pages::{CSRF_FIELD, Message, MessagePage};
use crate::people::Moment;
use crate::request::{Headers, Kind, Request, Target};
use crate::session::Origin;
use crate::sign_in::BrowserKey;
use crate::state::{Settings, SignIn, Snapshot};
use crate::time::Timestamp;
use axum::extract::FromRequestParts;
use axum::http::header::{HOST, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use url::{Url, form_urlencoded};

/// A request for a page on a host of ours. Its headers and address hold what nobody should see.
pub(crate) struct Visit {
    pub(crate) site: Arc<Site>,
    pub(crate) snapshot: Arc<Snapshot>,
    /// As the browser has it.
    pub(crate) url: Url,
    /// With the port, if there is one.
    pub(crate) host: String,
    pub(crate) headers: HeaderMap,
    pub(crate) now: Timestamp,
    pub(crate) origin: Origin,
    request: Request,
    target: Target,
}

/// Whoever sends it.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) caller: Caller,
    pub(crate) session: Option<SessionUse>,
}

/// How many sessions one visit may ask for.
const LOOK_UPS: usize = 4;
const MAX_USER_AGENT: usize = 256;

impl FromRequestParts<Arc<Site>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        site: &Arc<Site>,
    ) -> Result<Self, Self::Rejection> {
        Self::read(parts, site).ok_or_else(|| {
            (StatusCode::NOT_FOUND, "nothing is served on this host\n").into_response()
        })
    }
}

impl Visit {
    pub(crate) fn read(parts: &Parts, site: &Arc<Site>) -> Option<Self> {
        let snapshot = site.state.snapshot();
        let settings = &snapshot.settings;
        let host = named_host(parts)?;
        let path = parts.uri.path();
        let target = settings.target(&host, path, Kind::Http).ok()?;
        if !snapshot.is_ours(&target.host) {
            return None;
        }
        let scheme = settings.sign_in.as_ref().map_or("https", |sign_in| sign_in.url.scheme());
        let whole = parts.uri.path_and_query().map_or(path, |whole| whole.as_str());
        let url = Url::parse(&format!("{scheme}://{host}{whole}")).ok()?;
        let lines = parts.headers.iter();
        let lines =
            lines.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
        let request = Request {
            method: parts.method.as_str().to_owned(),
            scheme: scheme.to_owned(),
            raw_host: host.clone(),
            raw_path: path.to_owned(),
            query: parts.uri.query().map(str::to_owned),
            headers: Headers::from_lines(lines),
            target: Ok(target.clone()),
            ..Request::unknown()
        };
        let origin = origin(&parts.headers, settings.trusted_hops);
        let now = site.clock.now();
        let headers = parts.headers.clone();
        Some(Self {
            site: Arc::clone(site),
            url,
            host,
            headers,
            now,
            origin,
            request,
            target,
            snapshot,
        })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.snapshot.settings
    }

    /// Where people sign in.
    ///
    /// # Errors
    /// Nowhere; then there is no such page.
    pub(crate) fn sign_in(&self) -> Result<&SignIn, Trouble> {
        self.settings().sign_in.as_ref().ok_or_else(|| Trouble::of(Message::NotFound))
    }

    /// What knows sessions.
    ///
    /// # Errors
    /// Nobody signs in here; then there is no such page.
    pub(crate) fn desk(&self) -> Result<&Desk, Trouble> {
        self.site.desk.as_ref().ok_or_else(|| Trouble::of(Message::NotFound))
    }

    /// Whether this is the host where people sign in.
    pub(crate) fn is_authenticate_host(&self) -> bool {
        let sign_in = self.settings().sign_in.as_ref();
        sign_in.is_some_and(|sign_in| sign_in.url.origin() == self.url.origin())
    }

    pub(crate) fn moment(&self) -> Moment<'_> {
        Moment { now: self.now, origin: &self.origin }
    }

    pub(super) fn cookies(&self) -> Cookies<'_> {
        Cookies::new(&self.settings().cookie_name, self.settings().sign_in.as_ref())
    }

    /// The key of this browser, if it has one.
    pub(crate) fn browser(&self) -> Option<BrowserKey> {
        BrowserKey::of_cookie(&self.cookies().browser(&self.headers)?)
    }

    /// Who sends it.
    ///
    /// # Errors
    /// That cannot be known now.
    pub(crate) async fn visitor(&self) -> Result<Visitor, Trouble> {
        let mut left = LOOK_UPS;
        loop {
            let recognised = self.site.authorizer.recognise(
                &self.snapshot,
                &self.request,
                &self.target,
                self.now,
            );
            match recognised {
                Ok(Recognised { caller, record, .. }) => {
                    return Ok(Visitor { caller, session: record });
                }
                Err(Unavailable::Unseen(record)) if left > 0 => {
                    left -= 1;
                    let desk = self.desk()?;
                    desk.cache.learn(&record).await.map_err(|error| {
                        tracing::error!(%error, ?record, "a record cannot be looked up");
                        Trouble::of(Message::StoreAway)
                    })?;
                }
                Err(unavailable) => return Err(unavailable.into()),
            }
        }
    }

    /// The values of a parameter in the address; the first of each name.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let mut values = self.url.query_pairs().filter(|(key, _)| key == name);
        values.next().map(|(_, value)| value.into_owned())
    }

    /// Whether a page of this host has sent it, as far as the browser says.
    pub(crate) fn is_same_origin(&self) -> bool {
        guard::is_same_origin(&self.headers, &self.url)
    }

    /// Reads a form that a page of ours has sent for `secret`'s holder.
    ///
    /// # Errors
    /// It was not one.
    pub(crate) fn form(&self, body: &[u8], secret: &str) -> Result<Form, Trouble> {
        let form = Form::read(body);
        let good =
            self.is_same_origin() && guard::is_token(form.text(CSRF_FIELD), secret, &self.host);
        if good { Ok(form) } else { Err(Trouble::of(Message::FormRefused)) }
    }

    /// The page that tells what went wrong.
    pub(crate) fn trouble(&self, trouble: Trouble) -> Response {
        let Trouble { message, detail, again } = trouble;
        let status = StatusCode::from_u16(message.status());
        let told = MessagePage {
            frame: view::nobody(self.now),
            message,
            request_id: self.origin.request_id.clone(),
            detail,
            again,
        };
        page(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), told.render())
    }

    /// An answer, or the page that tells what went wrong.
    pub(crate) fn answer(&self, answer: Result<Response, Trouble>) -> Response {
        answer.unwrap_or_else(|trouble| self.trouble(trouble))
    }
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, path) = (&self.host, self.url.path());
        f.debug_struct("Visit").field("host", host).field("path", &path).finish_non_exhaustive()
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Visitor {
    /// Whoever is signed in, permitted to act as they ask or not.
    pub(crate) fn identity(&self) -> Option<&Arc<Identity>> {
        self.caller.identity()
    }

    /// The session of somebody who came with its cookie: what pages are for. A token of a program does
    /// nothing on pages.
    ///
    /// # Errors
    /// Nobody is signed in like that.
    pub(crate) fn in_person(&self) -> Result<&SessionUse, Trouble> {
        let by_cookie =
            self.identity().is_some_and(|identity| identity.session.source == Source::Cookie);
        let session = self.session.as_ref().filter(|used| by_cookie && !used.programmatic);
        session.ok_or_else(|| Trouble::of(Message::SignInNeeded))
    }
}

/// The fields of a form; the first of each name.
#[derive(Default)]
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    fn read(body: &[u8]) -> Self {
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            fields.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
        Self(fields)
    }

    /// Every field.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A field, or the empty text.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// The host that is asked, as it was written. SECURITY: of two that differ, neither.
fn named_host(parts: &Parts) -> Option<String> {
    let lines = parts.headers.get_all(HOST).iter().map(|host| host.to_str().ok());
    let authority = parts.uri.authority().map(|authority| Some(authority.as_str()));
    let mut names = lines.chain(authority).map(|name| name.map(str::to_ascii_lowercase));
    let first = names.next()??;
    names.all(|name| name.as_deref() == Some(first.as_str())).then_some(first)
}

pub(crate) fn origin(headers: &HeaderMap, trusted_hops: usize) -> Origin {
    let text = |name: &str| headers.get(name).map(|value| value.as_bytes().to_vec());
    let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    // ENVOY: with `use_remote_address` the address of its own peer stands last.
    let hops: Vec<&str> = forwarded.flat_map(|line| line.split(',')).map(str::trim).collect();
    let address = hops.iter().rev().nth(trusted_hops).and_then(|hop| hop.parse().ok());
    let address: Option<std::net::IpAddr> = address;
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    Origin {
        address: address.map(|address| address.to_string()).unwrap_or_default(),
        request_id: RequestId::sanitised(&text("x-request-id").unwrap_or_default()).to_string(),
        user_agent: agent.chars().filter(|c| !c.is_control()).take(MAX_USER_AGENT).collect(),
    }
}
