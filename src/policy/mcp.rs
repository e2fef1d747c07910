//! The calls in the body of a Model Context Protocol request (JSON-RPC 2.0), which `mcp_tool` asks
//! about.

use crate::identity::ClaimValue;
use std::collections::BTreeMap;

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
}

impl McpCall {
    pub fn is_tool_call(&self) -> bool {
        self.method == "tools/call"
    }
}

/// Reads a message, or a batch of them. A response, which has no method, is a call of nothing.
///
/// # Errors
/// What is not JSON, repeats a member at any depth, or is no message.
pub fn read_calls(body: &[u8]) -> Result<Vec<McpCall>, McpError> {
    match ClaimValue::from_json(body).map_err(|_| McpError::Json)? {
        ClaimValue::Map(message) => Ok(vec![call(&message)?]),
        ClaimValue::List(batch) => batch
            .iter()
            .map(|item| match item {
                ClaimValue::Map(message) => call(message),
                ClaimValue::Null
                | ClaimValue::Bool(_)
                | ClaimValue::Number(_)
                | ClaimValue::Text(_)
                | ClaimValue::List(_) => Err(McpError::Message),
            })
            .collect(),
        ClaimValue::Null | ClaimValue::Bool(_) | ClaimValue::Number(_) | ClaimValue::Text(_) => {
            Err(McpError::Message)
        }
    }
}

fn call(message: &BTreeMap<String, ClaimValue>) -> Result<McpCall, McpError> {
    let method = match message.get("method") {
        None => String::new(),
        Some(method) => method.as_text().ok_or(McpError::Message)?.to_owned(),
    };
    let name = match message.get("params") {
        Some(ClaimValue::Map(params)) => params.get("name").and_then(ClaimValue::as_text),
        _ => None,
    };
    let id = message.get("id").map_or_else(|| "null".to_owned(), ClaimValue::to_json);
    Ok(McpCall { method, tool: name.unwrap_or_default().to_owned(), id })
}

#[cfg(test)]
mod tests {
    use super::{McpCall, McpError, read_calls};

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
        for bad in ["", "{", "{} {}"] {
            assert_eq!(read_calls(bad.as_bytes()), Err(McpError::Json), "{bad}");
        }
        for bad in ["1", "[1]", "null", r#"{"method":1}"#] {
            assert_eq!(read_calls(bad.as_bytes()), Err(McpError::Message), "{bad}");
        }
    }
}
