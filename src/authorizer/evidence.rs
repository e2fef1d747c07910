//! What a policy may ask for beyond the request line and the identity, gathered for the places that
//! need it: the calls in a body.

use super::Mcp;
use super::place::Place;
use crate::policy::{DenyReason, Facts, McpCall, read_calls};
use crate::request::{Body, Request};

/// What was gathered for one request.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    calls: Vec<McpCall>,
    mcp: Option<Mcp>,
}

impl Evidence {
    /// Gathers what the policies of `place` can ask for.
    ///
    /// # Errors
    /// A body that must be read and cannot.
    pub(super) fn gather(request: &Request, place: &Place<'_>) -> Result<Self, DenyReason> {
        let reads_calls = place.route().is_some_and(|route| route.mcp);
        if !reads_calls {
            return Ok(Self::default());
        }
        let calls = calls(request)?;
        let called = calls.iter().find(|call| call.is_tool_call());
        let mcp = called.map_or(Mcp::Other, |call| Mcp::ToolCall { id: call.id.clone() });
        Ok(Self { calls, mcp: Some(mcp) })
    }

    /// How a client of this protocol is to be answered; `None` for every other client.
    pub(super) fn mcp(&self) -> Option<Mcp> {
        self.mcp.clone()
    }

    pub(super) fn facts<'a>(&'a self, facts: Facts<'a>) -> Facts<'a> {
        Facts { mcp: &self.calls, ..facts }
    }
}

/// SECURITY: whatever a client says of its type, a body that reaches the server behind is read, and
/// one that cannot be read in one way, or was not sent along whole, is refused.
fn calls(request: &Request) -> Result<Vec<McpCall>, DenyReason> {
    let malformed = |why: &str| DenyReason::Malformed(why.to_owned());
    match &request.body {
        Body::None => Ok(Vec::new()),
        Body::Unseen => {
            Err(malformed("its body was not sent along: set `with_request_body` in Envoy"))
        }
        Body::Whole(bytes) => read_calls(bytes).map_err(|error| malformed(&error.to_string())),
    }
}
