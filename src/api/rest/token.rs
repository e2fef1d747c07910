//! Tokens by their text, as OAuth clients ask: introspection (RFC 7662) and revocation (RFC 7009).

use super::problem::Problem;
use super::table::TokenCall;
use super::{Api, Arrived, Call, json, read, whole};
use crate::api::error::ErrorKind;
use crate::api::message as m;
use crate::people::Moment;
use crate::secret::Secret;
use axum::body::Body;
use axum::http::header::{PRAGMA, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json as value};
use url::form_urlencoded;

const FORM: &str = "application/x-www-form-urlencoded";

pub(super) async fn answer(
    api: &Api,
    call: &Call,
    arrived: Arrived,
    body: Body,
    what: TokenCall,
) -> Result<Response, Problem> {
    match what {
        TokenCall::Introspect => introspect(api, call, arrived, body).await,
        TokenCall::Revoke => revoke(api, call, arrived, body).await,
    }
}

async fn introspect(
    api: &Api,
    call: &Call,
    arrived: Arrived,
    body: Body,
) -> Result<Response, Problem> {
    let asked = match api.gate.program(&call.parts.headers, arrived).await {
        Ok(asked) => asked,
        Err(error) if error.kind == ErrorKind::Unauthenticated => {
            return Ok(refused(StatusCode::UNAUTHORIZED, "invalid_client", &error.detail));
        }
        Err(error) => return Err(error.into()),
    };
    let Some(token) = token(call, body).await? else {
        return Ok(no_token());
    };
    let request = m::IntrospectTokenRequest { token: token.expose().clone() };
    let found = api.handlers.introspect_token(&asked.by, request, asked.moment()).await?;
    Ok(nothing_kept(json(StatusCode::OK, &introspection(found))))
}

/// Whoever holds a token may end it, so nobody is asked who they are. A token that is none is no error.
async fn revoke(
    api: &Api,
    call: &Call,
    (origin, now): Arrived,
    body: Body,
) -> Result<Response, Problem> {
    let Some(token) = token(call, body).await? else {
        return Ok(no_token());
    };
    api.handlers.revoke(token, Moment { now, origin: &origin }).await?;
    Ok(nothing_kept(StatusCode::OK.into_response()))
}

/// The token in a form; `None` if there is none, or more than one.
async fn token(call: &Call, body: Body) -> Result<Option<Secret<String>>, Problem> {
    let body = whole(body).await?;
    if !read::is_kind(&call.parts.headers, &[FORM]) {
        return Err(Problem::media_type(FORM));
    }
    let mut given = form_urlencoded::parse(&body).filter(|(name, _)| name == "token");
    let (first, second) = (given.next(), given.next());
    let first = first.filter(|(_, text)| second.is_none() && !text.is_empty());
    Ok(first.map(|(_, text)| Secret::new(text.into_owned())))
}

/// RFC 7662 §2.2. `jti` is the public name of the credential, not the secret in the token.
fn introspection(found: m::Introspection) -> Value {
    if !found.active {
        return value!({"active": false});
    }
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    put("active", true.into());
    put("token_type", "Bearer".into());
    put("sub", found.subject.into());
    put("jti", found.credential_id.into());
    put("sid", found.service_account_id.into());
    put("namespace_id", found.namespace_id.into());
    for (name, at) in [("iat", found.issued_at), ("exp", found.expires_at)] {
        if let Some(at) = at {
            put(name, at.seconds.into());
        }
    }
    Value::Object(members)
}

fn no_token() -> Response {
    let detail = "send the parameter `token`, once";
    refused(StatusCode::BAD_REQUEST, "invalid_request", detail)
}

/// An error as OAuth says it (RFC 6749 §5.2).
fn refused(status: StatusCode, error: &str, detail: &str) -> Response {
    let mut response = json(status, &value!({"error": error, "error_description": detail}));
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn nothing_kept(mut response: Response) -> Response {
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
