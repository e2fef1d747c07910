//! The Model Context Protocol server behind a route, and how much of what is sent to it has to be seen.

use super::keys::{self, MCP_KEYS, MCP_SERVER_KEYS};
use crate::document::{Problem, Problems, Section, Value};
use std::collections::BTreeSet;

/// Tool calls are small, and anybody can have one read.
const DEFAULT_BYTES: u32 = 64 * 1024;
/// With headers and certificate it fits into a gRPC message of 4 MiB, the most that is taken.
const MAX_BYTES: u32 = 3 * 1024 * 1024;

/// Reads `mcp` of a route: how many bytes of a body Envoy has to send along; `None` if no such server
/// stands there. Names of keys without use go into `idle`.
pub(super) fn body_limit(
    section: &Section<'_>,
    idle: &mut BTreeSet<String>,
    problems: &mut Problems,
) -> Option<u32> {
    let node = section.node("mcp")?;
    let inner = Section::open(node, &section.full_name("mcp"), problems)?;
    let unused = keys::check(&inner, MCP_KEYS, problems);
    idle.extend(unused.into_iter().map(|name| format!("mcp.{name}")));
    let Some(server) = inner.entry("server") else {
        if inner.entries().is_empty() {
            let message = format!("`{}` says nothing", section.full_name("mcp"));
            let problem = Problem::new("missing_field", &node.place, message);
            problems.push(problem.help("write `mcp: {server: {}}`, or remove it"));
        }
        return None;
    };
    if matches!(server.node.value, Value::Null) {
        return Some(DEFAULT_BYTES);
    }
    let settings = Section::open(&server.node, &inner.full_name("server"), problems)?;
    let unused = keys::check(&settings, MCP_SERVER_KEYS, problems);
    idle.extend(unused.into_iter().map(|name| format!("mcp.server.{name}")));
    Some(max_request_bytes(&settings, problems).unwrap_or(DEFAULT_BYTES))
}

fn max_request_bytes(settings: &Section<'_>, problems: &mut Problems) -> Option<u32> {
    let bytes = settings.integer("max_request_bytes", problems)?;
    let bytes = u32::try_from(bytes).ok().filter(|bytes| (1..=MAX_BYTES).contains(bytes));
    if bytes.is_none() {
        let name = settings.full_name("max_request_bytes");
        let place = settings.place_of("max_request_bytes");
        let message = format!("`{name}` must be from 1 to {MAX_BYTES}");
        let help = format!("leave it out for {DEFAULT_BYTES}: tool calls are small");
        problems.push(Problem::new("bad_value", place, message).help(help));
    }
    bytes
}
