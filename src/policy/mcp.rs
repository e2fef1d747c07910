//! The calls in the body of a Model Context Protocol request (JSON-RPC 2.0), which `mcp_tool` asks
//! about.

use crate::identity::ClaimValue;
use std::collections::BTreeMap;

type Members = BTreeMap<String, ClaimValue>;

/// One JSON-RPC message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct McpCall {
    pub method: String,
    /// `params.name`; empty if there is none.
    pub tool: String,
    /// `id` as JSON, to answer with; `null` if it has none.
    pub id: String,
}

/// Why a body holds no calls that everybody would read alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum McpError {
    #[error("the body is not JSON, or repeats a member")]
    Json,
    #[error("the body is not a JSON-RPC message")]
    Message,
    #[error("the body has a member whose name others read as `method`, `params` or `name`")]
    Name,
    #[error("the body calls a tool without naming it, or with a control character in its name")]
    Tool,
    #[error(
        "the body came as text, with a name in which something was replaced by `!`: set `pack_as_bytes` in Envoy"
    )]
    Replaced,
}

impl McpCall {
    pub fn is_tool_call(&self) -> bool {
        self.method == "tools/call"
    }
}

/// Reads a message, or a batch of them. A response, which has no method, is a call of nothing.
///
/// # Errors
/// What is not JSON, repeats a member at any depth, is no message, or is read in another way by
/// servers that take names of members in any case.
pub fn read_calls(body: &[u8]) -> Result<Vec<McpCall>, McpError> {
    let value = parse(body)?;
    messages(&value).iter().map(|item| call(members(item).ok_or(McpError::Message)?)).collect()
}

/// The same of a body in which each `!` may stand for a byte that was no text.
///
/// # Errors
/// The same, and a `!` in the name of a tool, a method or a member: a server that leaves the byte out
/// reads another name.
pub fn read_text_calls(body: &[u8]) -> Result<Vec<McpCall>, McpError> {
    let value = parse(body)?;
    for message in messages(&value).iter().filter_map(members) {
        let params = message.get("params").and_then(members);
        let mut names = message.keys().chain(params.into_iter().flat_map(BTreeMap::keys));
        if names.any(|name| name.contains('!')) {
            return Err(McpError::Replaced);
        }
    }
    let calls = read_calls(body)?;
    let replaced = |call: &McpCall| call.method.contains('!') || call.tool.contains('!');
    if calls.iter().any(replaced) { Err(McpError::Replaced) } else { Ok(calls) }
}

fn parse(body: &[u8]) -> Result<ClaimValue, McpError> {
    ClaimValue::from_json(body).map_err(|_| McpError::Json)
}

/// The items of a batch; anything else is the one item.
fn messages(value: &ClaimValue) -> &[ClaimValue] {
    if let ClaimValue::List(batch) = value { batch } else { std::slice::from_ref(value) }
}

fn members(value: &ClaimValue) -> Option<&Members> {
    if let ClaimValue::Map(members) = value { Some(members) } else { None }
}

fn call(message: &Members) -> Result<McpCall, McpError> {
    let method = match only(message, "method")? {
        None => "",
        Some(method) => method.as_text().ok_or(McpError::Message)?,
    };
    let name = match only(message, "params")?.and_then(members) {
        Some(params) => only(params, "name")?.and_then(ClaimValue::as_text),
        None => None,
    };
    let id = message.get("id").map_or_else(|| "null".to_owned(), ClaimValue::to_json);
    let tool = name.unwrap_or_default().to_owned();
    let call = McpCall { method: method.to_owned(), tool, id };
    // SECURITY: what stops reading at a NUL calls another tool.
    if call.is_tool_call() && (call.tool.is_empty() || call.tool.contains(char::is_control)) {
        return Err(McpError::Tool);
    }
    Ok(call)
}

/// The member of this name. SECURITY: Go's decoder takes `Name` for `name`, and the last one given, so
/// a message with another spelling beside it, or in place of it, has two readings.
fn only<'m>(members: &'m Members, name: &str) -> Result<Option<&'m ClaimValue>, McpError> {
    let folded = |text: &str| {
        text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).eq(name.chars())
    };
    if members.keys().any(|key| key != name && folded(key)) {
        return Err(McpError::Name);
    }
    Ok(members.get(name))
}

#[cfg(test)]
mod tests {
    use super::{McpCall, McpError, read_calls, read_text_calls};

    #[test]
    fn messages() {
        let call = |method: &str, tool: &str, id: &str| McpCall {
            method: method.into(),
            tool: tool.into(),
            id: id.into(),
        };
        let one = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"drop"}}"#;
        assert_eq!(read_calls(one.as_bytes()), Ok(vec![call("tools/call", "drop", "1")]));
        let batch = r#"[{"method":"initialize"},{"method":"tools/call","params":{"name":"x"}},{"result":1}]"#;
        let read = read_calls(batch.as_bytes()).expect("a batch");
        assert_eq!(
            read,
            [call("initialize", "", "null"), call("tools/call", "x", "null"), call("", "", "null")]
        );
        let twice = r#"{"method":"initialize","method":"tools/call"}"#;
        assert_eq!(read_calls(twice.as_bytes()), Err(McpError::Json));
        let hidden = r#"{"method":"tools/call","params":{"name":"a","name":"b"}}"#;
        assert_eq!(read_calls(hidden.as_bytes()), Err(McpError::Json));
        let deep = "[".repeat(100_000);
        for bad in ["", "{", "{} {}", &deep] {
            assert_eq!(read_calls(bad.as_bytes()), Err(McpError::Json), "{bad}");
        }
        for bad in ["1", "[1]", "null", r#"{"method":1}"#, r#"{"method":null}"#] {
            assert_eq!(read_calls(bad.as_bytes()), Err(McpError::Message), "{bad}");
        }
    }

    #[test]
    fn names_that_others_read_in_any_case() {
        for bad in [
            r#"{"method":"tools/call","params":{"name":"read","Name":"drop"}}"#,
            r#"{"method":"tools/call","params":{"name":"read","NAME":"drop"}}"#,
            r#"{"method":"tools/call","params":{"Name":"drop"}}"#,
            r#"{"method":"tools/call","params":{"name":"read"},"Params":{"name":"drop"}}"#,
            r#"{"method":"tools/call","params":{"name":"read"},"param\u017f":{"name":"drop"}}"#,
            r#"{"method":"initialize","METHOD":"tools/call","params":{"name":"drop"}}"#,
            r#"[{"method":"initialize"},{"Method":"tools/call","params":{"name":"drop"}}]"#,
        ] {
            assert_eq!(read_calls(bad.as_bytes()), Err(McpError::Name), "{bad}");
        }
        let deeper = r#"{"method":"tools/call","params":{"name":"a","arguments":{"Name":"b"}}}"#;
        assert_eq!(read_calls(deeper.as_bytes()).map(|calls| calls.len()), Ok(1));
    }

    #[test]
    fn calls_of_no_tool_in_particular() {
        for bad in ["", r#""params":["drop"]"#, r#""params":{"name":5}"#, r#""params":{"name":""}"#]
        {
            let comma = if bad.is_empty() { "" } else { "," };
            let body = format!(r#"{{"method":"tools/call"{comma}{bad}}}"#);
            assert_eq!(read_calls(body.as_bytes()), Err(McpError::Tool), "{body}");
        }
        let cut = r#"{"method":"tools/call","params":{"name":"drop\u0000"}}"#;
        assert_eq!(read_calls(cut.as_bytes()), Err(McpError::Tool));
        let elsewhere = r#"{"method":"prompts/get","params":["drop"]}"#;
        assert_eq!(read_calls(elsewhere.as_bytes()).map(|calls| calls.len()), Ok(1));
    }

    #[test]
    fn names_in_which_something_was_replaced() {
        let read = |body: &str| read_text_calls(body.as_bytes()).map(|calls| calls.len());
        for bad in [
            r#"{"method":"tools/call","params":{"name":"admin!_drop"}}"#,
            r#"{"method":"tools/call","params":{"name":"read","na!me":"drop"}}"#,
            r#"{"method":"tools!/call","params":{"name":"drop"}}"#,
            r#"[{"method":"initialize"},{"method":"initialize","m!ethod":"tools/call"}]"#,
        ] {
            assert_eq!(read(bad), Err(McpError::Replaced), "{bad}");
            assert!(read_calls(bad.as_bytes()).is_ok(), "as bytes it is what it is: {bad}");
        }
        let greeting =
            r#"{"method":"tools/call","params":{"name":"say","arguments":{"text!":"!"}}}"#;
        assert_eq!(read(greeting), Ok(1));
        assert_eq!(read("!"), Err(McpError::Json));
        assert_eq!(read("\"!\""), Err(McpError::Message));
    }
}
