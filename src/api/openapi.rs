//! The `OpenAPI` document (3.1), made of the table of addresses and of the comments of messages, so that it
//! cannot say anything else than what is served.

mod answers;
mod schema;

use super::descriptor::{Field, Holds, Message, descriptors};
use super::rest::{ALL, Endpoint, Export, Gives, Run, Sent, TokenCall, Verb};
use answers::{answers, components};
use schema::{Use, object, told};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The document.
pub(super) fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(made);
    &DOCUMENT
}

const ABOUT: &str = "Service accounts and their credentials, namespaces, roles, policies, routes, people, \
    and what was done. The same messages are served by gRPC as `lictor.admin.v1.AdminService`. What \
    somebody may not see is answered as what is not there. Members of a body that are unknown are ignored.";

fn made() -> Value {
    let mut paths = Map::new();
    for endpoint in ALL {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        if let Value::Object(methods) = path {
            methods.insert(endpoint.verb.name().to_ascii_lowercase(), operation(endpoint));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Lictor admin API", "version": "1", "description": ABOUT},
        "servers": [{"url": "/", "description": "The host where people sign in."}],
        "security": [{"token": []}, {"session": [], "csrf": []}],
        "paths": paths,
        "components": components(),
    })
}

/// The message that the call of an address takes.
fn request(endpoint: &Endpoint) -> &'static Message {
    let call = descriptors().call(endpoint.call);
    descriptors().message(call.map(|call| call.request.as_str()).unwrap_or_default())
}

/// The message that is the thing itself in a change.
fn thing(endpoint: &Endpoint, field: &str) -> &'static Message {
    match request(endpoint).field(field).map(|field| &field.holds) {
        Some(Holds::Message(name)) => descriptors().message(name),
        Some(_) | None => descriptors().message(""),
    }
}

fn operation(endpoint: &Endpoint) -> Value {
    let told = descriptors().call(endpoint.call).map(|call| call.comment.as_str());
    let (name, told) = match endpoint.run {
        Run::Verb(_) | Run::Token(_) => (endpoint.call, told.unwrap_or_default()),
        Run::Export(Export::Accounts) => {
            ("ExportServiceAccounts", "All service accounts of a list.")
        }
        Run::Export(Export::Activity) => ("ExportActivity", "All entries of a list."),
        Run::Document if endpoint.path == "/openapi.json" => ("Document", "This document."),
        Run::Document => ("DocumentOfVersion1", "This document."),
    };
    let mut operation = json!({
        "operationId": name,
        "summary": told.split_once(". ").map_or(told.trim_end_matches('.'), |(first, _)| first),
        "description": told,
        "tags": [tag(endpoint)],
        "parameters": parameters(endpoint),
        "responses": answers(endpoint),
    });
    let body = body(endpoint);
    if let Value::Object(members) = &mut operation {
        members.extend(body.map(|body| ("requestBody".to_owned(), body)));
        let open = match endpoint.run {
            Run::Verb(_) | Run::Export(_) => None,
            Run::Token(TokenCall::Introspect) => Some(json!([{"token": []}])),
            Run::Token(TokenCall::Revoke) | Run::Document => Some(json!([])),
        };
        members.extend(open.map(|open| ("security".to_owned(), open)));
    }
    operation
}

fn tag(endpoint: &Endpoint) -> &str {
    match endpoint.run {
        Run::Verb(_) | Run::Export(_) => endpoint.path.split('/').nth(3).unwrap_or_default(),
        Run::Token(_) => "tokens",
        Run::Document => "document",
    }
}

fn parameters(endpoint: &Endpoint) -> Vec<Value> {
    let request = request(endpoint);
    let held = match endpoint.sent {
        Sent::Patch(field) => thing(endpoint, field),
        Sent::Query | Sent::Fields | Sent::Form => request,
    };
    let mut found: Vec<Value> = Vec::new();
    for name in endpoint.in_path() {
        let comment = held.field(name).map(|field| told(&field.comment)).unwrap_or_default();
        found.push(json!({
            "name": name, "in": "path", "required": true, "description": comment,
            "schema": {"type": "string", "minLength": 1},
        }));
    }
    if let Run::Verb(_) | Run::Export(_) = endpoint.run
        && endpoint.sent == Sent::Query
    {
        let in_query = |field: &&Field| {
            endpoint.in_path().all(|name| name != field.name) && !is_header(&field.name)
        };
        found.extend(request.fields.iter().filter(in_query).map(parameter));
    }
    if let Run::Export(export) = endpoint.run {
        // Parts are for those who read part by part.
        found.retain(|parameter| parameter["name"] != "limit" && parameter["name"] != "cursor");
        found.push(json!({
            "name": "format", "in": "query",
            "description": format!("How it is written; `{}` if absent.", export.formats()[0]),
            "schema": {"type": "string", "enum": export.formats()},
        }));
    }
    found.extend(headers(endpoint, request));
    found
}

/// Fields that come by header.
fn is_header(name: &str) -> bool {
    matches!(name, "etag" | "idempotency_key")
}

/// What `If-Match` may hold.
const TAGS: &str = r#"^(\*|(W/)?"[!#-+\--~]+"(, ?(W/)?"[!#-+\--~]+")*)$"#;

fn headers(endpoint: &Endpoint, request: &Message) -> Vec<Value> {
    let mut found = Vec::new();
    if request.field("idempotency_key").is_some() {
        found.push(json!({
            "name": "Idempotency-Key", "in": "header",
            "description": "The same key makes the same thing once, for a day.",
            "schema": {"type": "string", "maxLength": 255, "pattern": "^[!-~]*$"},
        }));
    }
    let patch = matches!(endpoint.sent, Sent::Patch(_));
    if patch || request.field("etag").is_some() {
        found.push(json!({
            "name": "If-Match", "in": "header",
            "description": "The `ETag` of the version that is meant; `*` or absent for whichever there is.",
            "schema": {"type": "string", "pattern": TAGS},
        }));
    }
    found
}

fn parameter(field: &Field) -> Value {
    let mut schema = schema::of(field, Use::InAddress);
    let mut example = None;
    if let Value::Object(members) = &mut schema {
        members.remove("description");
        // Parameters have examples of their own.
        example = members.remove("examples");
    }
    let mut parameter = json!({
        "name": field.name, "in": "query", "required": schema::is_required(field),
        "description": told(&field.comment), "schema": schema,
    });
    if let (Value::Object(members), Some(example)) = (&mut parameter, example) {
        members.insert("example".to_owned(), example.get(0).cloned().unwrap_or_default());
    }
    parameter
}

fn body(endpoint: &Endpoint) -> Option<Value> {
    let message = request(endpoint);
    let (kinds, schema): (&[&str], Value) = match endpoint.sent {
        Sent::Query => return None,
        Sent::Fields => {
            let sent = |field: &&Field| {
                endpoint.in_path().all(|name| name != field.name) && !is_header(&field.name)
            };
            let fields: Vec<&Field> = message.fields.iter().filter(sent).collect();
            (&["application/json"], object(&message.comment, &fields, Use::Asked))
        }
        Sent::Patch(field) => {
            let thing = thing(endpoint, field);
            let fields: Vec<&Field> = thing.fields.iter().filter(|it| it.is_editable()).collect();
            let about = "The members to change; `null` clears one.";
            (
                &["application/merge-patch+json", "application/json"],
                object(about, &fields, Use::Changed),
            )
        }
        Sent::Form => {
            let hint = json!({"type": "string", "description": "Not needed."});
            let token = json!({"type": "string", "minLength": 1, "description": "The token."});
            let schema = json!({
                "type": "object", "required": ["token"],
                "properties": {"token": token, "token_type_hint": hint},
            });
            (&["application/x-www-form-urlencoded"], schema)
        }
    };
    let required = schema.get("required").is_some_and(Value::is_array);
    let content: Map<String, Value> =
        kinds.iter().map(|&kind| (kind.to_owned(), json!({"schema": schema}))).collect();
    Some(json!({"required": required, "content": content}))
}

/// Whether a method changes something.
fn changes(endpoint: &Endpoint) -> bool {
    match endpoint.verb {
        Verb::Get => false,
        Verb::Post | Verb::Patch | Verb::Delete => true,
    }
}

#[cfg(test)]
mod tests {
    use super::document;
    use serde_json::Value;
    use std::collections::BTreeSet;

    /// Every `$ref` leads somewhere.
    #[test]
    fn references_lead_somewhere() {
        fn walk(value: &Value, found: &mut BTreeSet<String>) {
            match value {
                Value::Object(members) => {
                    let to = members.get("$ref").and_then(Value::as_str);
                    found.extend(to.map(str::to_owned));
                    members.values().for_each(|value| walk(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| walk(value, found)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let mut found = BTreeSet::new();
        walk(document(), &mut found);
        assert!(found.len() > 20, "{found:?}");
        for to in found {
            let pointer = to.strip_prefix('#').expect("in this document");
            assert!(document().pointer(pointer).is_some(), "{to}");
        }
    }

    #[test]
    fn operations_have_names_of_their_own() {
        let mut seen = BTreeSet::new();
        for (path, methods) in document()["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                let id = operation["operationId"].as_str().expect("a name");
                assert!(seen.insert(id.to_owned()), "{id}");
                assert!(
                    !operation["summary"].as_str().expect("text").is_empty(),
                    "{path} {method}"
                );
            }
        }
        assert!(seen.len() > 50);
    }

    #[test]
    fn a_change_is_of_what_can_be_changed() {
        let patch = "/paths/~1api~1v1~1service-accounts~1{id}/patch/requestBody/content/application~1json/schema/properties";
        let members = document().pointer(patch).and_then(Value::as_object).expect("members");
        assert_eq!(members.keys().collect::<Vec<_>>(), ["description", "expires_at"]);
        assert_eq!(members["expires_at"]["type"], serde_json::json!(["string", "null"]));
    }
}
