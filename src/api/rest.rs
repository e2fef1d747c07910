//! The HTTP edge: one table of addresses, the same messages as JSON, refusals as problems (RFC 9457).

mod csv;
mod export;
mod problem;
mod read;
mod table;
mod token;

pub(super) use table::{ALL, Endpoint, Export, Gives, Run, Sent, TokenCall, Verb};

use super::auth::Gate;
use super::handlers::Handlers;
use super::openapi;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION, PRAGMA};
use axum::http::header::{HeaderName, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use problem::Problem;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest body, in bytes.
const MAX_BODY: usize = 256 * 1024;
const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What every address needs.
#[derive(Clone, Debug)]
pub(super) struct Api {
    pub(super) handlers: Handlers,
    pub(super) gate: Arc<Gate>,
}

/// Every address of the table.
pub(super) fn router(api: &Api) -> Router {
    let mut by_path: BTreeMap<&'static str, Vec<&'static Endpoint>> = BTreeMap::new();
    for endpoint in ALL {
        by_path.entry(endpoint.path).or_default().push(endpoint);
    }
    let mut router = Router::new();
    for (path, endpoints) in by_path {
        let endpoints: Arc<[&'static Endpoint]> = endpoints.into();
        let api = api.clone();
        let answer = move |request: Request| {
            let (api, endpoints) = (api.clone(), Arc::clone(&endpoints));
            async move { kept_by_nobody(answer(&api, &endpoints, request).await) }
        };
        router = router.route(path, any(answer));
    }
    let nothing = async || kept_by_nobody(Problem::nowhere().into_response());
    let nowhere = ["/api/v1", "/api/v1/", "/api/v1/{*rest}"];
    nowhere.into_iter().fold(router, |router, path| router.route(path, any(nothing)))
}

async fn answer(api: &Api, endpoints: &[&'static Endpoint], request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let asked = if parts.method == Method::HEAD { &Method::GET } else { &parts.method };
    let Some(endpoint) = endpoints.iter().find(|endpoint| endpoint.verb.method() == *asked) else {
        return not_allowed(endpoints);
    };
    let arrived = api.gate.arrived(&parts.headers);
    let request_id = arrived.0.request_id.clone();
    let path = RawPathParams::from_request_parts(&mut parts, &()).await;
    let Ok(path) = path else {
        return Problem::nowhere().into_response();
    };
    let path: Vec<(String, String)> =
        path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let call = Call { endpoint, parts, path };
    let answered = match endpoint.run {
        Run::Document => Ok(document()),
        Run::Verb(run) => verb(api, &call, arrived, body, run).await,
        Run::Export(export) => export::answer(api, &call, arrived, export).await,
        Run::Token(what) => token::answer(api, &call, arrived, body, what).await,
    };
    answered.unwrap_or_else(|problem| problem.of_request(&request_id).into_response())
}

/// One call of an address.
#[derive(Debug)]
struct Call {
    endpoint: &'static Endpoint,
    parts: Parts,
    /// Parts of the path, by name.
    path: Vec<(String, String)>,
}

type Arrived = (crate::session::Origin, crate::time::Timestamp);

async fn verb(
    api: &Api,
    call: &Call,
    arrived: Arrived,
    body: Body,
    run: table::RunVerb,
) -> Result<Response, Problem> {
    let asked = api.gate.anyone(&call.parts, arrived).await?;
    let body = match call.endpoint.sent {
        Sent::Query | Sent::Form => Bytes::new(),
        Sent::Fields | Sent::Patch(_) => whole(body).await?,
    };
    let request = read::message(call, &body)?;
    let answer = run(&api.handlers, &asked, request).await;
    let based = call.parts.headers.contains_key(axum::http::header::IF_MATCH);
    let answer = answer.map_err(|error| Problem::of(error, based))?;
    Ok(written(call, &answer))
}

/// A body that is no longer than bodies are.
async fn whole(body: Body) -> Result<Bytes, Problem> {
    to_bytes(body, MAX_BODY).await.map_err(|_| Problem::too_large(MAX_BODY))
}

/// An answer with what its headers say of it.
fn written(call: &Call, answer: &Value) -> Response {
    let gives = call.endpoint.gives;
    let mut response = match gives {
        Gives::Nothing => StatusCode::NO_CONTENT.into_response(),
        Gives::Thing => json(StatusCode::OK, answer),
        Gives::Made(_) => json(StatusCode::CREATED, answer),
    };
    let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str);
    let etag = text("/etag").or_else(|| text("/service_account/etag"));
    let headers = response.headers_mut();
    if let Some(etag) = etag.filter(|etag| !etag.is_empty()) {
        headers.extend(header(ETAG, &format!("\"{etag}\"")));
    }
    if let Gives::Made(pointer) = gives
        && let Some(id) = text(pointer).filter(|id| !id.is_empty())
    {
        headers.extend(header(LOCATION, &format!("{}/{id}", call.parts.uri.path())));
    }
    if text("/token").is_some() {
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    }
    response
}

fn header(name: HeaderName, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((name, HeaderValue::from_str(value).ok()?))
}

fn json(status: StatusCode, value: &Value) -> Response {
    let kind = HeaderValue::from_static("application/json");
    (status, [(CONTENT_TYPE, kind)], value.to_string()).into_response()
}

fn document() -> Response {
    json(StatusCode::OK, openapi::document())
}

fn not_allowed(endpoints: &[&'static Endpoint]) -> Response {
    let mut allowed: Vec<&str> = endpoints.iter().map(|endpoint| endpoint.verb.name()).collect();
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    let mut response = Problem::not_allowed().into_response();
    response.headers_mut().extend(header(ALLOW, &allowed.join(", ")));
    response
}

/// Answers depend on who asks, and no page of another host has a use for them.
fn kept_by_nobody(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CORP, HeaderValue::from_static("same-origin"));
    response
}

#[cfg(test)]
mod tests {
    use super::{ALL, not_allowed};
    use axum::Router;
    use axum::routing::any;
    use std::collections::BTreeSet;

    /// A router panics over addresses that it cannot tell apart.
    #[test]
    fn addresses_can_be_told_apart() {
        let paths: BTreeSet<&str> = ALL.iter().map(|endpoint| endpoint.path).collect();
        let router = Router::<()>::new().route("/api/v1/{*rest}", any(async || ()));
        let _ = paths.into_iter().fold(router, |router, path| router.route(path, any(async || ())));
    }

    #[test]
    fn another_method_is_told_which_there_are() {
        let of = |path: &str| {
            let found: Vec<_> = ALL.iter().filter(|endpoint| endpoint.path == path).collect();
            not_allowed(&found).headers()["allow"].to_str().expect("text").to_owned()
        };
        assert_eq!(of("/api/v1/service-accounts/{id}"), "GET, PATCH, DELETE, HEAD");
        assert_eq!(of("/oauth2/revoke"), "POST");
    }
}
