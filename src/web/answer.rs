//! How pages are sent, and what goes wrong told.

use crate::authorizer::Unavailable;
use crate::pages::{Message, security_headers};
use crate::sealed::SealError;
use crate::store::{StoreError, StoreErrorKind};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use url::Url;

/// A page, with the headers that keep it to itself.
pub(crate) fn page(status: StatusCode, html: String) -> Response {
    let mut response = (status, html).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.extend(security_headers(&[]));
    response
}

/// Leads on: `302`, or `303` after a form.
pub(crate) fn redirect(status: StatusCode, to: &str) -> Response {
    let location = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/.pomerium/"));
    let mut response = status.into_response();
    let headers = response.headers_mut();
    headers.extend(security_headers(&[]));
    headers.insert(LOCATION, location);
    response
}

/// Leads on to a signed link or another host.
pub(crate) fn lead(to: &Url) -> Response {
    redirect(StatusCode::FOUND, to.as_str())
}

/// Back to a page of the same host, after a form.
pub(crate) fn back(path: &str) -> Response {
    redirect(StatusCode::SEE_OTHER, path)
}

pub(crate) fn with(
    mut response: Response,
    headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
) -> Response {
    for (name, value) in headers {
        response.headers_mut().append(name, value);
    }
    response
}

/// What went wrong, for the page that says so.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) message: Message,
    /// Shown; nothing secret.
    pub(crate) detail: String,
    /// Where to begin again; empty for the own page.
    pub(crate) again: String,
}

impl Trouble {
    pub(crate) fn of(message: Message) -> Self {
        Self { message, detail: String::new(), again: String::new() }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a page could not be answered");
        Self::of(match error.kind() {
            StoreErrorKind::Unavailable | StoreErrorKind::Conflict => Message::StoreAway,
            StoreErrorKind::Corrupt => Message::Fault,
        })
    }
}

impl From<SealError> for Trouble {
    fn from(error: SealError) -> Self {
        tracing::error!(%error, "a page could not be answered");
        Self::of(Message::Fault)
    }
}

impl From<Unavailable> for Trouble {
    fn from(error: Unavailable) -> Self {
        tracing::error!(%error, "a page could not be answered");
        Self::of(match error {
            Unavailable::Unseen(_) | Unavailable::Stale => Message::StoreAway,
            Unavailable::Key(_) => Message::Fault,
        })
    }
}
