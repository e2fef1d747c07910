//! Reads a request: path, parameters, headers and body become one message, as JSON.

use super::Call;
use super::problem::Problem;
use super::table::{Sent, Verb};
use crate::api::descriptor::{Field, Holds, Message, descriptors};
use crate::api::error::{ApiError, Violation};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HeaderName, IF_MATCH};
use serde_json::{Map, Number, Value};
use url::form_urlencoded;

type Members = Map<String, Value>;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const JSON: &str = "application/json";
const PATCH: &str = "application/merge-patch+json";
/// Fields that say which thing and which version, not what it is to be.
const NAMES: [&str; 2] = ["id", "etag"];

/// The message that a call asks with.
pub(super) fn message(call: &Call, body: &[u8]) -> Result<Value, Problem> {
    let message = request(call);
    let headers = &call.parts.headers;
    let members = match call.endpoint.sent {
        Sent::Query | Sent::Form => parameters(call, message)?,
        Sent::Fields => {
            let mut members = object(headers, body, &[JSON])?;
            without_nulls(&mut members);
            members
        }
        Sent::Patch(field) => return patch(call, field, object(headers, body, &[JSON, PATCH])?),
    };
    Ok(Value::Object(completed(call, message, members)?))
}

/// The message that the call of an address takes.
pub(super) fn request(call: &Call) -> &'static Message {
    let name = descriptors().call(call.endpoint.call).map(|call| call.request.as_str());
    descriptors().message(name.unwrap_or_default())
}

/// Puts in what stands in the path and in headers.
fn completed(call: &Call, message: &Message, mut members: Members) -> Result<Members, Problem> {
    let headers = &call.parts.headers;
    for (name, value) in &call.path {
        members.insert(name.clone(), value.clone().into());
    }
    if message.field("idempotency_key").is_some() {
        members.remove("idempotency_key");
        if let Some(key) = one(headers, &IDEMPOTENCY_KEY)? {
            members.insert("idempotency_key".to_owned(), key.into());
        }
    }
    match (message.field("etag").is_some(), version(headers)?) {
        (true, Some(version)) => {
            members.insert("etag".to_owned(), version.into());
        }
        // What has no version is never the one that was named.
        (false, Some(_)) if call.endpoint.verb != Verb::Get => {
            return Err(ApiError::changed().into());
        }
        (_, _) => {}
    }
    Ok(members)
}

/// A merge patch (RFC 7396): what is there is changed, and cleared by `null`.
fn patch(call: &Call, field: &str, mut body: Members) -> Result<Value, Problem> {
    let request = request(call);
    let thing = match request.field(field).map(|field| &field.holds) {
        Some(Holds::Message(name)) => descriptors().message(name),
        Some(_) | None => descriptors().message(""),
    };
    let known = body.keys().filter(|name| thing.field(name).is_some());
    let paths: Vec<&str> = known.map(String::as_str).filter(|name| !NAMES.contains(name)).collect();
    let mask = paths.join(",");
    let id = call.path.iter().find(|(name, _)| name == "id").map(|(_, id)| id.as_str());
    if body.get("id").is_some_and(|given| !given.is_null() && given.as_str() != id) {
        return Err(ApiError::field("id", "this cannot be changed").into());
    }
    without_nulls(&mut body);
    let thing = completed(call, thing, body)?;
    let mut members = Members::new();
    members.insert(field.to_owned(), Value::Object(thing));
    members.insert("update_mask".to_owned(), mask.into());
    Ok(Value::Object(members))
}

/// Parameters of the address as fields. SECURITY: one that is given twice has two readings.
pub(super) fn parameters(call: &Call, message: &Message) -> Result<Members, Problem> {
    let query = call.parts.uri.query().unwrap_or_default();
    let mut members = Members::new();
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let Some(field) = message.field(&name) else { continue };
        let value = parameter(field, &text).map_err(|why| ApiError::field(&name, why))?;
        if members.insert(name.to_string(), value).is_some() {
            return Err(ApiError::field(&name, "this was given twice").into());
        }
    }
    Ok(members)
}

fn parameter(field: &Field, text: &str) -> Result<Value, &'static str> {
    match &field.holds {
        _ if field.repeated => Err("this is no parameter"),
        Holds::Text | Holds::Time | Holds::Length => Ok(text.into()),
        Holds::Flag => match text {
            "true" => Ok(true.into()),
            "false" => Ok(false.into()),
            _ => Err("write `true` or `false`"),
        },
        Holds::Number => {
            let number = text.parse::<u32>().map(Number::from).map(Value::Number);
            number.map_err(|_| "write a number")
        }
        Holds::Mask | Holds::Message(_) => Err("this is no parameter"),
    }
}

/// The JSON object that was sent; an empty one if nothing was.
fn object(headers: &HeaderMap, body: &[u8], kinds: &[&str]) -> Result<Members, Problem> {
    if body.is_empty() {
        return Ok(Members::new());
    }
    if !is_kind(headers, kinds) {
        return Err(Problem::media_type(kinds.first().copied().unwrap_or(JSON)));
    }
    let read: Value = serde_json::from_slice(body)
        .map_err(|error| ApiError::field("", format!("this is no JSON: {error}")))?;
    match read {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(ApiError::field("", "send a JSON object").into())
        }
    }
}

/// Whether the body is of one of these kinds, as far as the client says.
pub(super) fn is_kind(headers: &HeaderMap, kinds: &[&str]) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kinds.iter().any(|wanted| kind.eq_ignore_ascii_case(wanted))
}

/// In JSON of messages `null` is what is not there.
fn without_nulls(members: &mut Members) {
    members.retain(|_, value| !value.is_null());
    for value in members.values_mut() {
        inside_without_nulls(value);
    }
}

fn inside_without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => without_nulls(members),
        Value::Array(items) => items.iter_mut().for_each(inside_without_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The one value of a header.
fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    let wrong = || ApiError::from(Violation::new(&name.as_str().replace('-', "_"), "send one"));
    match (first, second) {
        (None, _) => Ok(None),
        (Some(value), None) => Ok(Some(value.to_str().map_err(|_| wrong())?)),
        (Some(_), Some(_)) => Err(wrong().into()),
    }
}

/// The version that `If-Match` names; `None` for whichever there is. A weak one, and several of which it
/// is not known which is meant, are passed on as they are: they are no version that there is.
fn version(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(text) = one(headers, &IF_MATCH)? else {
        return Ok(None);
    };
    let text = text.trim();
    if text == "*" {
        return Ok(None);
    }
    if !text.split(',').all(|tag| is_tag(tag.trim())) {
        let message = "send the `ETag` of the version that is meant, in quotes";
        return Err(ApiError::field("if_match", message).into());
    }
    let strong = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    Ok(Some(strong.filter(|tag| !tag.contains('"')).unwrap_or(text).to_owned()))
}

/// Whether it is an entity tag (RFC 9110 §8.8.3).
fn is_tag(text: &str) -> bool {
    let tag = text.strip_prefix("W/").unwrap_or(text);
    let inner = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.is_some_and(|inner| !inner.is_empty() && !inner.contains('"'))
}

#[cfg(test)]
mod tests {
    use super::{Call, message};
    use crate::api::mask::expected;
    use crate::api::rest::table::{ALL, Endpoint};
    use axum::http::{Method, Request};
    use axum::response::IntoResponse as _;
    use serde_json::{Value, json};

    fn endpoint(call: &str) -> &'static Endpoint {
        ALL.iter().find(|endpoint| endpoint.call == call).expect("an address")
    }

    /// What is read, or the status of the refusal.
    fn read(call: &str, query: &str, headers: &[(&str, &str)], body: &str) -> Result<Value, u16> {
        let mut request = Request::builder().method(Method::POST).uri(format!("/x?{query}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let endpoint = endpoint(call);
        let path = endpoint.in_path().map(|name| (name.to_owned(), "x-1".to_owned())).collect();
        let call = Call { endpoint, parts, path };
        let refused = |problem: super::Problem| problem.into_response().status().as_u16();
        message(&call, body.as_bytes()).map_err(refused)
    }

    const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");

    #[test]
    fn parameters_are_fields() {
        let list = |query: &str| read("ListServiceAccounts", query, &[], "");
        let expected = json!({"q": "a b", "limit": 7, "recursive": false});
        assert_eq!(list("q=a+b&limit=7&recursive=false&unknown=1"), Ok(expected));
        for query in ["limit=x", "limit=-1", "limit=", "recursive=maybe", "q=a&q=b", "q=a&q=a"] {
            assert_eq!(list(query), Err(400), "{query}");
        }
    }

    #[test]
    fn a_body_is_an_object() {
        let create =
            |headers: &[(&str, &str)], body: &str| read("CreateServiceAccount", "", headers, body);
        let got = create(&[JSON], r#"{"name":"ci","description":null,"x":{"y":null,"z":1}}"#);
        assert_eq!(got, Ok(json!({"name": "ci", "x": {"z": 1}})));
        assert_eq!(create(&[], ""), Ok(json!({})));
        for body in ["[]", "7", "\"x\"", "null", "{", "{\"a\":}", "\u{0}"] {
            assert_eq!(create(&[JSON], body), Err(400), "{body}");
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
            assert_eq!(create(&[("content-type", kind)], "{}"), Err(415), "{kind}");
        }
        assert_eq!(create(&[], "{}"), Err(415));
        let deep = "[".repeat(100_000);
        assert_eq!(create(&[JSON], &deep), Err(400));
    }

    #[test]
    fn keys_come_by_header_alone() {
        let create = |headers: &[(&str, &str)]| {
            read("CreateServiceAccount", "", headers, r#"{"idempotency_key":"from the body"}"#)
        };
        assert_eq!(create(&[JSON]), Ok(json!({})));
        assert_eq!(create(&[JSON, ("idempotency-key", "k")]), Ok(json!({"idempotency_key": "k"})));
        let twice = [JSON, ("idempotency-key", "k"), ("idempotency-key", "l")];
        assert_eq!(create(&twice), Err(400));
    }

    #[test]
    fn a_patch_changes_what_is_there() {
        let update = |body: &str| read("UpdateServiceAccount", "", &[JSON], body);
        let got = update(r#"{"description":"x","expires_at":null,"unknown":1,"id":"x-1"}"#);
        let thing = json!({"id": "x-1", "description": "x", "unknown": 1});
        let mask = "description,expires_at";
        assert_eq!(got, Ok(json!({"service_account": thing, "update_mask": mask})));
        let named = update(r#"{"name":"x","state":"active"}"#).expect("a message");
        assert_eq!(named["update_mask"], "name,state", "refused by name later");
        assert_eq!(update(r#"{"id":"x-2"}"#), Err(400));
        assert_eq!(update(r#"{"id":7}"#), Err(400));
        let patch = [("content-type", "application/merge-patch+json")];
        assert!(read("UpdateServiceAccount", "", &patch, "{}").is_ok());
        assert_eq!(read("CreateServiceAccount", "", &patch, "{}"), Err(415));
    }

    #[test]
    fn versions_come_by_header() {
        let update = |value: &str| {
            let got = read("UpdateServiceAccount", "", &[JSON, ("if-match", value)], "{}");
            got.map(|got| got["service_account"]["etag"].clone())
        };
        assert_eq!(update("\"7\""), Ok(json!("7")));
        assert_eq!(update("*"), Ok(Value::Null));
        for value in ["W/\"7\"", "\"7\", \"8\"", "\"x\""] {
            let told = update(value).expect("a message");
            assert!(
                expected(told.as_str().expect("text")).is_err(),
                "{value}: no version that there is"
            );
        }
        for value in ["7", "\"\"", "", "\"7", "7, \"7\"", "\"7\" \"7\""] {
            assert_eq!(update(value), Err(400), "{value}");
        }
        let delete = read("DeleteServiceAccount", "", &[("if-match", "\"7\"")], "");
        assert_eq!(delete, Ok(json!({"id": "x-1", "etag": "7"})));
        let disable = read("DisableServiceAccount", "", &[("if-match", "\"7\"")], "");
        assert_eq!(disable, Err(412), "what is not judged is not ignored");
        let get = read("GetServiceAccount", "", &[("if-match", "\"7\"")], "");
        assert_eq!(get, Ok(json!({"id": "x-1"})));
    }

    #[test]
    fn the_path_counts() {
        let get = read("GetServiceAccount", "id=other", &[], "");
        assert_eq!(get, Ok(json!({"id": "x-1"})));
        let rotate = read("RotateCredentials", "", &[JSON], r#"{"id":"other","overlap":"24h"}"#);
        assert_eq!(rotate, Ok(json!({"id": "x-1", "overlap": "24h"})));
    }
}
