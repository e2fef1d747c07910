//! What can be answered: every status with its shape.

use super::schema::{Use, message};
use super::{Endpoint, Export, Gives, Holds, Run, Sent, TokenCall, changes, descriptors};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Refusals: status, name, and when.
const REFUSALS: [(&str, &str, &str); 12] = [
    (
        "400",
        "BadRequest",
        "Something cannot be taken as it was written; `errors` names every field.",
    ),
    ("401", "Unauthenticated", "No credential that is good."),
    ("403", "Forbidden", "The role does not suffice, or a session must be confirmed first."),
    ("404", "NotFound", "It is not there, or not for the caller to see."),
    ("409", "Conflict", "The name is taken, or something stands in the way."),
    ("412", "PreconditionFailed", "There is another version than the one of `If-Match`."),
    ("413", "TooLarge", "The body is longer than 256 KiB."),
    ("415", "MediaType", "The body is of a kind that is not read here."),
    ("429", "TooManyTries", "Too many credentials that were no good came from there."),
    ("500", "Fault", "A fault of the server."),
    ("503", "Unavailable", "Nothing was decided; try again."),
    ("OAuth", "OAuthError", "An error as OAuth clients read it."),
];

/// Every status of one method of one address.
pub(super) fn answers(endpoint: &Endpoint) -> Value {
    let mut found = Map::new();
    let (status, answer) = success(endpoint);
    found.insert(status.to_owned(), answer);
    for status in refusals(endpoint) {
        let name = REFUSALS.iter().find(|(known, ..)| *known == status).map(|(_, name, _)| name);
        let to = format!("#/components/responses/{}", name.copied().unwrap_or_default());
        found.insert(status.to_owned(), json!({"$ref": to}));
    }
    if let Run::Token(what) = endpoint.run {
        let error = json!({"$ref": "#/components/responses/OAuthError"});
        found.insert("400".to_owned(), error.clone());
        if what == TokenCall::Introspect {
            found.insert("401".to_owned(), error);
        }
    }
    Value::Object(found)
}

fn refusals(endpoint: &Endpoint) -> Vec<&'static str> {
    let mut found = match endpoint.run {
        Run::Document => return Vec::new(),
        Run::Token(TokenCall::Revoke) => vec!["413", "415", "500", "503"],
        Run::Token(TokenCall::Introspect) => vec!["403", "413", "415", "429", "500", "503"],
        Run::Verb(_) | Run::Export(_) => vec!["400", "401", "403", "404", "429", "500", "503"],
    };
    if let Run::Verb(_) = endpoint.run {
        found.extend(if changes(endpoint) { vec!["409", "412"] } else { Vec::new() });
        found.extend(match endpoint.sent {
            Sent::Query | Sent::Form => Vec::new(),
            Sent::Fields | Sent::Patch(_) => vec!["413", "415"],
        });
    }
    found
}

fn success(endpoint: &Endpoint) -> (&'static str, Value) {
    let told = |about: &str, kind: &str, schema: Value| json!({"description": about, "content": {kind: {"schema": schema}}});
    match endpoint.run {
        Run::Document => {
            ("200", told("This document.", "application/json", json!({"type": "object"})))
        }
        Run::Token(TokenCall::Revoke) => {
            ("200", json!({"description": "It opens nothing any more."}))
        }
        Run::Token(TokenCall::Introspect) => {
            ("200", told("What the token is.", "application/json", introspection()))
        }
        Run::Export(export) => ("200", exported(export)),
        Run::Verb(_) => verb(endpoint),
    }
}

fn verb(endpoint: &Endpoint) -> (&'static str, Value) {
    let response = descriptors().call(endpoint.call).map(|call| call.response.as_str());
    let response = response.unwrap_or_default();
    let message = descriptors().message(response);
    let mut headers = Map::new();
    if message.field("etag").is_some() || response == "CreateServiceAccountResponse" {
        let about = "Names this version, for `If-Match`. Absent for what is not kept in the store.";
        headers.insert("ETag".to_owned(), header(about));
    }
    let (status, located) = match endpoint.gives {
        Gives::Nothing => return ("204", json!({"description": message.comment})),
        Gives::Thing => ("200", false),
        Gives::Made(pointer) => ("201", !pointer.is_empty()),
    };
    if located {
        headers.insert("Location".to_owned(), header("Where it can be read."));
    }
    let to = format!("#/components/schemas/{response}");
    let mut answer = json!({
        "description": message.comment,
        "content": {"application/json": {"schema": {"$ref": to}}},
    });
    if let (Value::Object(members), false) = (&mut answer, headers.is_empty()) {
        members.insert("headers".to_owned(), Value::Object(headers));
    }
    (status, answer)
}

fn header(about: &str) -> Value {
    json!({"description": about, "schema": {"type": "string"}})
}

fn exported(export: Export) -> Value {
    let text = json!({"schema": {"type": "string"}});
    let accounts = json!({"$ref": "#/components/schemas/ServiceAccount"});
    match export {
        Export::Accounts => json!({"description": "All of them.", "content": {
            "text/csv": text,
            "application/json": {"schema": {"type": "array", "items": accounts}},
        }}),
        Export::Activity => json!({"description": "All of them, the latest first.", "content": {
            "application/x-ndjson": text, "text/csv": text,
        }}),
    }
}

fn introspection() -> Value {
    let text = |about: &str| json!({"type": "string", "description": about});
    let number = |about: &str| json!({"type": "integer", "description": about});
    json!({"type": "object", "required": ["active"], "properties": {
        "active": {"type": "boolean", "description": "Whether it is good now, and for the caller to know."},
        "token_type": text("`Bearer`."),
        "sub": text("The user id it speaks for."),
        "jti": text("The credential, `cred_…`; not the secret in the token."),
        "sid": text("The service account, `sa_…`."),
        "namespace_id": text("The namespace of the account."),
        "iat": number("When it was issued, in seconds since 1970."),
        "exp": number("When it is over, in seconds since 1970; absent for never."),
    }})
}

fn problem() -> Value {
    let text = |about: &str| json!({"type": "string", "description": about});
    json!({
        "type": "object",
        "description": "A refusal (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": text("Always `about:blank`: `code` says what it is."),
            "title": text("The status, in words."),
            "status": {"type": "integer", "description": "The status."},
            "detail": text("What went wrong, for people."),
            "code": text("What went wrong, for programs: a stable word such as `role_missing`."),
            "request_id": text("What the log knows it by."),
            "errors": {
                "type": "array",
                "description": "Every field that cannot be taken.",
                "items": {"type": "object", "required": ["pointer", "detail"], "properties": {
                    "pointer": text("The member of the body, or the parameter, as a JSON pointer (RFC 6901)."),
                    "detail": text("What to do about it."),
                }},
            },
        },
    })
}

/// What answers are made of.
pub(super) fn components() -> Value {
    let mut schemas: Map<String, Value> = answered()
        .into_iter()
        .map(|name| {
            let schema = message(&name, Use::Answered);
            (name, schema)
        })
        .collect();
    schemas.insert("Problem".to_owned(), problem());
    let responses: Map<String, Value> = REFUSALS
        .iter()
        .map(|(status, name, about)| ((*name).to_owned(), refusal(status, about)))
        .collect();
    json!({
        "schemas": schemas,
        "responses": responses,
        "securitySchemes": {
            "token": {
                "type": "http", "scheme": "bearer",
                "description": "The token of a unique service account that was given a role, or the bootstrap secret while it is good.",
            },
            "session": {
                "type": "apiKey", "in": "cookie", "name": "_pomerium",
                "description": "The session of somebody who signed in, on the authenticate host. The name is `cookie_name`.",
            },
            "csrf": {
                "type": "apiKey", "in": "header", "name": "X-CSRF-Token",
                "description": "With a session, what changes something carries the token of a page.",
            },
        },
    })
}

fn refusal(status: &str, about: &str) -> Value {
    if status == "OAuth" {
        let text = json!({"type": "string"});
        let schema = json!({"type": "object", "required": ["error"],
            "properties": {"error": text, "error_description": text}});
        let problem = json!({"$ref": "#/components/schemas/Problem"});
        return json!({"description": about, "content": {
            "application/json": {"schema": schema},
            "application/problem+json": {"schema": problem},
        }});
    }
    let mut headers = Map::new();
    match status {
        "401" => headers.insert("WWW-Authenticate".to_owned(), header("How to say who calls.")),
        "429" => headers.insert("Retry-After".to_owned(), header("Seconds to wait.")),
        _ => None,
    };
    let schema = json!({"$ref": "#/components/schemas/Problem"});
    let mut told = json!({
        "description": about,
        "content": {"application/problem+json": {"schema": schema}},
    });
    if let (Value::Object(members), false) = (&mut told, headers.is_empty()) {
        members.insert("headers".to_owned(), Value::Object(headers));
    }
    told
}

/// Messages that are answered, and those inside them.
fn answered() -> BTreeSet<String> {
    let responses = super::ALL.iter().filter(|endpoint| {
        matches!(endpoint.run, Run::Verb(_)) && endpoint.gives != Gives::Nothing
    });
    let responses = responses.filter_map(|endpoint| descriptors().call(endpoint.call));
    let mut wanted: Vec<String> = responses.map(|call| call.response.clone()).collect();
    let mut found = BTreeSet::new();
    while let Some(name) = wanted.pop() {
        let fields = &descriptors().message(&name).fields;
        if found.insert(name) {
            wanted.extend(fields.iter().filter_map(|field| match &field.holds {
                Holds::Message(inner) => Some(inner.clone()),
                Holds::Text
                | Holds::Flag
                | Holds::Number
                | Holds::Time
                | Holds::Length
                | Holds::Mask => None,
            }));
        }
    }
    found
}
