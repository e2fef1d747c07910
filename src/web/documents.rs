//! What anybody may know of every host: the public keys of the assertion, and where things are.

use crate::hex::hex;
use crate::request::Host;
use crate::state::State;
use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::Body;
use axum::extract;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, HOST, IF_NONE_MATCH,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use std::sync::Arc;

/// Under `/.well-known/pomerium` of every host.
pub(super) fn documents(state: Arc<State>) -> Router {
    Router::new()
        .route("/.well-known/pomerium", get(discovery))
        .route("/.well-known/pomerium/jwks.json", get(jwks))
        .with_state(state)
}

async fn jwks(extract::State(state): extract::State<Arc<State>>, headers: HeaderMap) -> Response {
    published(&state.snapshot().settings.signing.jwks(), &headers)
}

async fn discovery(
    extract::State(state): extract::State<Arc<State>>,
    headers: HeaderMap,
) -> Response {
    let snapshot = state.snapshot();
    let host = headers.get(HOST).and_then(|host| Host::parse(host.to_str().ok()?).ok());
    let host = host.filter(|host| snapshot.is_ours(host));
    match host {
        Some(host) => published(
            &json!({
                "issuer": format!("https://{host}/"),
                "jwks_uri": format!("https://{host}/.well-known/pomerium/jwks.json"),
            }),
            &headers,
        ),
        None => (StatusCode::NOT_FOUND, "nothing is served on this host\n").into_response(),
    }
}

/// A public document: anybody may read it from anywhere, and keep it for a minute.
fn published(document: &Value, headers: &HeaderMap) -> Response {
    let body = document.to_string();
    let hash = hex(digest(&SHA256, body.as_bytes()).as_ref());
    let etag = format!("\"{hash}\"");
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let unchanged =
        known.flat_map(|value| value.split(',')).any(|tag| tag.trim() == etag || tag.trim() == "*");
    let (status, body) = if unchanged {
        (StatusCode::NOT_MODIFIED, Body::empty())
    } else {
        (StatusCode::OK, Body::from(body))
    };
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "max-age=60"),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (ETAG, &etag),
    ];
    (status, headers, body).into_response()
}
