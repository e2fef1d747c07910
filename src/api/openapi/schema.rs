//! Messages and fields as JSON Schema. Words of a comment that are said in a fixed way become rules:
//! `Required.`, `One of …`, `1 to …`, `At most … characters`.

use crate::api::descriptor::{Field, Holds, descriptors};
use serde_json::{Map, Value, json};

/// What a schema is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// What we answer: what is not optional is always there.
    Answered,
    /// What we are asked with in a body, where `null` is what is not there.
    Asked,
    /// What we are asked with in an address.
    InAddress,
    /// What is to be changed, where `null` clears.
    Changed,
}

/// An object with these fields.
pub(super) fn object(about: &str, fields: &[&Field], what: Use) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.clone(), of(field, what))).collect();
    let needed = fields.iter().filter(|field| match what {
        Use::Answered => !field.optional,
        Use::Asked | Use::InAddress => is_required(field),
        Use::Changed => false,
    });
    let needed: Vec<&str> = needed.map(|field| field.name.as_str()).collect();
    let mut schema = json!({"type": "object", "description": about, "properties": properties});
    if let Value::Object(members) = &mut schema {
        if !needed.is_empty() {
            members.insert("required".to_owned(), json!(needed));
        }
        members.extend(one_of(fields, what));
    }
    schema
}

/// Of several fields at most one is there.
fn one_of(fields: &[&Field], what: Use) -> Option<(String, Value)> {
    let names: Vec<&str> =
        fields.iter().filter(|field| field.one_of).map(|field| field.name.as_str()).collect();
    let pairs = names.iter().enumerate().flat_map(|(at, one)| {
        names.iter().skip(at + 1).map(move |other| json!({"required": [one, other]}))
    });
    let pairs: Vec<Value> = pairs.collect();
    // In a change the others may be cleared.
    let told = !pairs.is_empty() && what != Use::Changed;
    told.then(|| ("not".to_owned(), json!({"anyOf": pairs})))
}

/// All of a message.
pub(super) fn message(name: &str, what: Use) -> Value {
    let message = descriptors().message(name);
    object(&message.comment, &message.fields.iter().collect::<Vec<_>>(), what)
}

/// A field.
pub(super) fn of(field: &Field, what: Use) -> Value {
    let one = one(field, what);
    let mut schema = if field.repeated { json!({"type": "array", "items": one}) } else { one };
    if let Value::Object(members) = &mut schema {
        members.insert("description".to_owned(), told(&field.comment).into());
        if what == Use::Answered && field.comment.starts_with("Output only.") {
            members.insert("readOnly".to_owned(), true.into());
        }
        if let Some(example) = example(&field.comment).filter(|_| !field.repeated) {
            members.insert("examples".to_owned(), json!([example]));
        }
        let clears = what == Use::Changed || (what == Use::Asked && !is_required(field));
        if clears {
            nullable(members);
        }
    }
    schema
}

fn nullable(members: &mut Map<String, Value>) {
    if let Some(kind) = members.get("type").cloned() {
        members.insert("type".to_owned(), json!([kind, "null"]));
    }
    if let Some(Value::Array(words)) = members.get_mut("enum") {
        words.push(Value::Null);
    }
}

fn one(field: &Field, what: Use) -> Value {
    let comment = field.comment.as_str();
    match &field.holds {
        Holds::Text => text(field, what),
        Holds::Flag => json!({"type": "boolean"}),
        Holds::Number => {
            let most = after(comment, "1 to ").filter(|_| what != Use::Answered);
            json!({"type": "integer", "minimum": 0, "maximum": most.unwrap_or(u32::MAX)})
        }
        Holds::Time => json!({"type": "string", "format": "date-time"}),
        Holds::Length if what == Use::Answered => {
            json!({"type": "string", "pattern": "^[0-9]+s$", "examples": ["86400s"]})
        }
        Holds::Length => json!({"type": "string", "examples": ["86400s", "24h"]}),
        Holds::Mask => json!({"type": "string"}),
        Holds::Message(name) if what == Use::Answered => {
            json!({"$ref": format!("#/components/schemas/{name}")})
        }
        Holds::Message(name) => message(name, what),
    }
}

fn text(field: &Field, what: Use) -> Value {
    let comment = field.comment.as_str();
    let mut schema = json!({"type": "string"});
    let Value::Object(members) = &mut schema else {
        return schema;
    };
    let mut words = words(comment);
    if !words.is_empty() {
        let may_be_empty = match what {
            Use::Answered => comment.contains("empty"),
            Use::Asked | Use::InAddress | Use::Changed => !is_required(field),
        };
        words.extend(may_be_empty.then_some(""));
        members.insert("enum".to_owned(), json!(words));
    }
    if what != Use::Answered {
        if let Some(most) = after(comment, "At most ").filter(|_| comment.contains(" characters")) {
            members.insert("maxLength".to_owned(), most.into());
        }
        if is_required(field) {
            members.insert("minLength".to_owned(), 1.into());
        }
    }
    schema
}

/// Whether it must be there.
pub(super) fn is_required(field: &Field) -> bool {
    field.comment.starts_with("Required.")
}

/// A comment without the words that are rules.
pub(super) fn told(comment: &str) -> String {
    let rules = ["Required. ", "Output only. ", "Immutable. "];
    let rest = rules.iter().find_map(|rule| comment.strip_prefix(rule));
    rest.unwrap_or(comment).to_owned()
}

/// The words of ``One of `a`, `b`, `c` ``.
fn words(comment: &str) -> Vec<&str> {
    let Some((_, rest)) = comment.split_once("One of `") else {
        return Vec::new();
    };
    let mut words = Vec::new();
    let mut rest = rest;
    while let Some((word, after)) = rest.split_once('`') {
        words.push(word);
        match after.strip_prefix(", `") {
            Some(next) => rest = next,
            None => break,
        }
    }
    words
}

/// The word of ``such as `word` ``.
fn example(comment: &str) -> Option<&str> {
    let told = comment.split_once("such as `").or_else(|| comment.split_once("Such as `"));
    told.and_then(|(_, rest)| rest.split_once('`')).map(|(word, _)| word)
}

/// The number that stands after some words.
fn after(comment: &str, words: &str) -> Option<u32> {
    let (_, rest) = comment.split_once(words)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Use, message, words};
    use serde_json::json;

    #[test]
    fn words_of_a_comment_are_rules() {
        assert_eq!(words("One of `a`, `b-c`, `d`. And `e`."), ["a", "b-c", "d"]);
        assert_eq!(words("Such as `a`."), [""; 0]);
        let list = message("ListServiceAccountsRequest", Use::Asked);
        assert_eq!(list["properties"]["limit"]["maximum"], 200);
        assert_eq!(list["properties"]["kind"]["enum"], json!(["unique", "impersonated", "", null]));
        let grant = message("GrantPermissionRequest", Use::Asked);
        assert_eq!(
            grant["required"],
            json!(["namespace_id", "subject_type", "subject_id", "role"])
        );
        assert_eq!(grant["properties"]["role"]["enum"], json!(["viewer", "manager", "admin"]));
        let namespace = message("Namespace", Use::Answered);
        assert_eq!(
            namespace["properties"]["role"]["enum"],
            json!(["viewer", "manager", "admin", ""])
        );
        let create = message("CreateServiceAccountRequest", Use::Asked);
        assert_eq!(create["properties"]["idempotency_key"]["maxLength"], 255);
    }

    #[test]
    fn of_several_at_most_one() {
        let route = message("CreateRouteRequest", Use::Asked);
        assert_eq!(route["not"]["anyOf"].as_array().expect("pairs").len(), 6);
    }
}
