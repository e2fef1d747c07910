//! Our own HTTP pages: on the hosts that Envoy protects and on the one where people sign in, and the
//! operator's listener with health and metrics. Translates between HTTP and the rooms below; who may do
//! what is decided there.

mod acting;
mod administration;
mod answer;
mod caller;
mod cookie;
mod documents;
mod guard;
mod operator;
mod person;
mod program;
mod sent;
mod sign_in;
mod sign_out;
mod site;
mod view;
mod visit;

pub(crate) use administration::integrity;
pub(crate) use answer::{Trouble, back, page, redirect};
pub(crate) use caller::{Caller, origin_of};
pub use operator::{Readiness, health, metrics};
pub(crate) use sent::Sent;
pub use site::{Desk, Site};
pub(crate) use view::{actor, frame, has_role, sentence};
pub(crate) use visit::{Form, Visit, Visitor};

use crate::pages::{ASSET_HEADERS, Message, asset};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Uri};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use std::sync::Arc;

/// The longest form, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// Pages on the hosts that Envoy protects, and on the one where people sign in.
pub fn public(site: Arc<Site>) -> Router {
    let documents = documents::documents(Arc::clone(&site.state));
    let pages = Router::new()
        .route("/", get(async || Redirect::permanent("/.pomerium/")))
        .route("/.pomerium", get(async || Redirect::permanent("/.pomerium/")))
        .route("/.pomerium/", get(person::show))
        .route("/.pomerium/user", get(person::user))
        .route("/.pomerium/sign_in", get(sign_in::begin).post(sign_in::login))
        .route("/.pomerium/callback/", get(sign_in::callback))
        .route("/oauth2/callback", get(sign_in::provider_callback))
        .route("/.pomerium/backchannel_logout", post(sign_out::by_provider))
        .route("/.pomerium/api/v1/login", get(program::login))
        .route("/.pomerium/sign_out", get(sign_out::ask).post(sign_out::sign_out))
        .route("/.pomerium/signed_out", get(sign_out::signed_out))
        .route("/.pomerium/impersonation/stop", post(acting::stop))
        .route("/.pomerium/admin/impersonate", post(acting::start))
        .route("/.pomerium/admin/preview", post(acting::preview))
        .route("/.pomerium/admin/people", get(acting::people))
        .route("/.pomerium/admin/sessions", get(administration::sessions))
        .route(
            "/.pomerium/admin/sessions/end",
            get(administration::ask_end).post(administration::end),
        )
        .route(
            "/.pomerium/admin/sessions/stop",
            get(administration::ask_stop).post(administration::stop),
        )
        .route("/.pomerium/admin/activity", get(administration::activity))
        .route("/.pomerium/assets/{name}", get(assets))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(map_response(kept_by_nobody))
        .with_state(site);
    documents.merge(pages)
}

async fn assets(uri: Uri) -> Response {
    match asset(uri.path()) {
        Some(asset) => {
            let kind = [(axum::http::header::CONTENT_TYPE, asset.content_type)];
            (ASSET_HEADERS, kind, asset.bytes).into_response()
        }
        None => (axum::http::StatusCode::NOT_FOUND, "not found\n").into_response(),
    }
}

/// What does not say how long it may be kept is kept by nobody: answers of ours depend on who asks.
async fn kept_by_nobody(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    response
}

async fn not_found(visit: Visit) -> Response {
    visit.trouble(Trouble::of(Message::NotFound))
}

async fn wrong_method(visit: Visit) -> Response {
    visit.trouble(Trouble::of(Message::MethodRefused))
}
