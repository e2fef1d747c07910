//! What operators and their tools ask: health, readiness, metrics. On listeners of their own.

use crate::telemetry::Metrics;
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use std::sync::{Arc, PoisonError, RwLock};

/// Whether new checks are welcome (not while starting, not while stopping), and what an operator
/// should know besides.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<RwLock<Ready>>);

#[derive(Clone, Debug, Default)]
struct Ready {
    welcome: bool,
    /// About the configuration.
    remark: Option<String>,
    /// About the store.
    store: Option<String>,
    /// About the directory.
    directory: Option<String>,
    /// About namespaces, policies and routes of the store.
    catalog: Option<String>,
}

impl Readiness {
    pub fn set(&self, ready: bool) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).welcome = ready;
    }

    /// Something to be told with the answer, such as a configuration that could not be used.
    pub fn remark(&self, remark: Option<String>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remark = remark;
    }

    /// How the store of sessions stands, if there is something to say.
    pub fn store_remark(&self, remark: Option<String>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).store = remark;
    }

    /// How the directory stands that is fetched, if there is something to say.
    pub fn directory_remark(&self, remark: Option<String>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).directory = remark;
    }

    /// How what is kept in the store stands, if there is something to say.
    pub fn catalog_remark(&self, remark: Option<String>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).catalog = remark;
    }

    fn page(&self) -> (StatusCode, String) {
        let Ready { welcome, remark, store, directory, catalog } =
            self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let remarks = remark.into_iter().chain(store).chain(directory).chain(catalog);
        let remark: String = remarks.map(|remark| remark + "\n").collect();
        if welcome {
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
