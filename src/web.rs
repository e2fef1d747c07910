//! Our own HTTP pages: the public keys of the assertion, on every host, and the operator's listener
//! with health and metrics.

use crate::hex::hex;
use crate::request::Host;
use crate::state::State;
use crate::telemetry::Metrics;
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
use std::sync::{Arc, PoisonError, RwLock};

/// Pages on the hosts that Envoy protects.
pub fn public(state: Arc<State>) -> Router {
    Router::new()
        .route("/.well-known/pomerium", get(discovery))
        .route("/.well-known/pomerium/jwks.json", get(jwks))
        .with_state(state)
}

/// Whether new checks are welcome (not while starting, not while stopping), and what an operator
/// should know besides.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<RwLock<Ready>>);

#[derive(Clone, Debug, Default)]
struct Ready {
    ready: bool,
    remark: Option<String>,
}

impl Readiness {
    pub fn set(&self, ready: bool) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).ready = ready;
    }

    /// Something to be told with the answer, such as a configuration that could not be used.
    pub fn remark(&self, remark: Option<String>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remark = remark;
    }

    fn page(&self) -> (StatusCode, String) {
        let Ready { ready, remark } = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let remark = remark.map(|remark| remark + "\n").unwrap_or_default();
        if ready {
            (StatusCode::OK, format!("ready\n{remark}"))
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, format!("not ready\n{remark}"))
        }
    }
}

/// `/healthz` and `/readyz`.
pub fn health(readiness: Readiness) -> Router {
    let ready = move || {
        let page = readiness.page();
        async move { page }
    };
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready))
}

/// `/metrics` in the Prometheus text format.
pub fn metrics(metrics: Arc<Metrics>) -> Router {
    let page = move || {
        let text = metrics.text();
        async move {
            ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
        }
    };
    Router::new().route("/metrics", get(page))
}

async fn jwks(extract::State(state): extract::State<Arc<State>>, headers: HeaderMap) -> Response {
    published(&state.snapshot().settings.signing.jwks(), &headers)
}

async fn discovery(
    extract::State(state): extract::State<Arc<State>>,
    headers: HeaderMap,
) -> Response {
    let settings = &state.snapshot().settings;
    let host = headers.get(HOST).and_then(|host| Host::parse(host.to_str().ok()?).ok());
    let host = host.filter(|host| settings.is_ours(host));
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
