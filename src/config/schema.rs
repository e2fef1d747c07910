//! The JSON Schema of the configuration file, for editors. Made from the key tables.

use super::keys::{
    GLOBAL_KEYS, Key, Kind, MCP_KEYS, MCP_SERVER_KEYS, MTLS_KEYS, ROUTE_KEYS, STORAGE_KEYS,
    Standing,
};
use serde_json::{Map, Value, json};

/// The schema (JSON Schema 2020-12).
pub fn schema() -> Value {
    let mut global = properties(GLOBAL_KEYS);
    let route = json!({
        "type": "object",
        "required": ["from"],
        "additionalProperties": false,
        "properties": properties(ROUTE_KEYS),
    });
    for name in ["routes", "policy"] {
        if let Some(Value::Object(property)) = global.get_mut(name) {
            property.insert("items".to_owned(), json!({ "$ref": "#/$defs/route" }));
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Lictor configuration",
        "type": "object",
        "additionalProperties": false,
        "properties": global,
        "$defs": { "route": route },
    })
}

fn properties(keys: &[Key]) -> Map<String, Value> {
    let accepted = keys.iter().filter(|key| !matches!(key.standing, Standing::Refused(_)));
    accepted.map(|key| (key.name.to_owned(), property(key))).collect()
}

fn object(kind: impl Into<Value>, keys: &[Key]) -> Value {
    let kind: Value = kind.into();
    json!({ "type": kind, "additionalProperties": false, "properties": properties(keys) })
}

fn property(key: &Key) -> Value {
    if key.standing == Standing::NotUsed {
        return json!({ "description": "Accepted, and not used here." });
    }
    let texts = json!({ "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] });
    let shape = match (key.name, key.kind) {
        ("jwt_claims_headers", _) => json!({ "type": ["object", "array", "string"] }),
        ("downstream_mtls", _) => object("object", MTLS_KEYS),
        ("storage", _) => object("object", STORAGE_KEYS),
        ("mcp", _) => object("object", MCP_KEYS),
        ("server", _) => object(["object", "null"], MCP_SERVER_KEYS),
        ("policy", Kind::Map) => json!({ "type": ["object", "array"] }),
        (_, Kind::Text) => json!({ "type": "string" }),
        (_, Kind::Bool) => json!({ "type": "boolean" }),
        (_, Kind::Integer) => json!({ "type": "integer", "minimum": 0 }),
        (_, Kind::Duration) => json!({ "type": "string", "examples": ["1h30m", "45s"] }),
        (_, Kind::Texts) => texts,
        (_, Kind::TextMap) => {
            json!({ "type": "object", "additionalProperties": { "type": ["string", "number", "boolean"] } })
        }
        (_, Kind::Map) => json!({ "type": "object" }),
        (_, Kind::List) => json!({ "type": "array" }),
    };
    let mut shape = shape;
    if let Value::Object(members) = &mut shape {
        let default = if key.default.is_empty() {
            String::new()
        } else {
            format!(" Default: {}.", key.default)
        };
        members.insert("description".to_owned(), Value::String(format!("{}{default}", key.doc)));
    }
    shape
}
