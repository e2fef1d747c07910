//! Questions about the request itself.

use super::{Doubt, Finding};
use crate::policy::matcher::StringMatch;
use crate::policy::{Facts, Reason};
use crate::request::{Headers, query_values};
use std::borrow::Cow;

#[derive(Debug)]
pub(crate) enum RequestQuestion {
    Method(StringMatch),
    Path(StringMatch),
    /// A header that is missing is empty; one that is sent in several lines has as many readings. So
    /// has one with commas, where Envoy has joined the lines.
    Header {
        name: String,
        value: StringMatch,
    },
    /// A parameter that is missing is empty; one that is given several times has as many readings.
    Query {
        name: String,
        value: StringMatch,
    },
    McpTool(StringMatch),
    CorsPreflight,
}

/// A joined header of more pieces is not taken apart: it could be made to cost too much.
const MAX_PIECES: usize = 16;

impl RequestQuestion {
    pub(super) fn ask(&self, facts: &Facts<'_>, doubt: Doubt) -> Finding<'_> {
        match self {
            Self::Method(text) => {
                let holds = text.matches(facts.method);
                Finding::either(holds, Reason::HttpMethodOk, Reason::HttpMethodUnauthorized)
            }
            Self::Path(text) => {
                let holds = text.matches(facts.path);
                Finding::either(holds, Reason::HttpPathOk, Reason::HttpPathUnauthorized)
            }
            Self::Header { name, value } => {
                let holds = header(facts.headers, name, value, doubt);
                Finding::either(holds, Reason::HttpHeaderOk, Reason::HttpHeaderUnauthorized)
            }
            Self::Query { name, value } => {
                let query = facts.query.unwrap_or_default();
                let mut values = query_values(query, name).peekable();
                let holds = match values.peek() {
                    None => value.matches(""),
                    Some(_) => doubt.over(values, |text| {
                        text.as_deref().map_or(doubt.unread(), |text| value.matches(text))
                    }),
                };
                Finding::either(holds, Reason::HttpQueryOk, Reason::HttpQueryUnauthorized)
            }
            Self::McpTool(tool) => mcp(tool, facts, doubt),
            Self::CorsPreflight => {
                Finding::either(facts.cors_preflight, Reason::CorsRequest, Reason::NonCorsRequest)
            }
        }
    }

    pub(super) fn saw(&self, facts: &Facts<'_>) -> Cow<'static, str> {
        let lines = |count: usize| match count {
            0 => "it is not there".into(),
            1 => "one value".into(),
            many => format!("{many} values").into(),
        };
        match self {
            Self::Method(_) => "a method".into(),
            Self::Path(_) if facts.path.is_empty() => "no path".into(),
            Self::Path(_) => "a path".into(),
            Self::Header { name, .. } => lines(facts.headers.all(name).count()),
            Self::Query { name, .. } => {
                lines(query_values(facts.query.unwrap_or_default(), name).count())
            }
            Self::McpTool(_) => match facts.mcp.iter().filter(|call| call.is_tool_call()).count() {
                0 => "no tool call".into(),
                1 => "a tool call".into(),
                many => format!("{many} tool calls").into(),
            },
            Self::CorsPreflight if facts.cors_preflight => "a CORS preflight".into(),
            Self::CorsPreflight => "no CORS preflight".into(),
        }
    }
}

fn header(headers: &Headers, name: &str, value: &StringMatch, doubt: Doubt) -> bool {
    let mut lines = headers.all(name).map(|line| std::str::from_utf8(line).ok()).peekable();
    if lines.peek().is_none() {
        return value.matches("");
    }
    if !headers.are_joined() {
        return doubt.over(lines, |line| line.map_or(doubt.unread(), |line| value.matches(line)));
    }
    doubt.over(lines, |line| match line {
        Some(line) if line.matches(',').count() < MAX_PIECES => {
            doubt.over(possible_lines(line), |line| value.matches(line))
        }
        Some(_) | None => doubt.unread(),
    })
}

/// SECURITY: where Envoy joined repeated lines by commas, a comma may as well be part of a line. Any
/// run of the pieces may have been one, with or without the spaces around it.
fn possible_lines(joined: &str) -> impl Iterator<Item = &str> {
    let commas = move || joined.match_indices(',').map(|(at, _)| at);
    let starts = std::iter::once(0).chain(commas().map(|at| at + 1));
    let runs = starts.flat_map(move |start| {
        let ends = commas().filter(move |at| *at >= start).chain([joined.len()]);
        ends.filter_map(move |end| joined.get(start..end))
    });
    runs.flat_map(|run| [run, run.trim_matches([' ', '\t'])])
}

/// A message that calls no tool matches no tool, whatever the operator.
fn mcp<'p>(tool: &StringMatch, facts: &Facts<'_>, doubt: Doubt) -> Finding<'p> {
    if !facts.mcp.iter().any(super::super::McpCall::is_tool_call) {
        return Finding::of(false, Reason::McpNotAToolCall);
    }
    let holds =
        doubt.over(facts.mcp.iter(), |call| call.is_tool_call() && tool.matches(&call.tool));
    Finding::either(holds, Reason::McpToolMatch, Reason::McpToolNoMatch)
}
