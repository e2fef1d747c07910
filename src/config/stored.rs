//! Policies and routes that are kept in the store, compiled as those of the file are.

use super::outgoing::RouteDefaults;
use crate::assertion::RouteHeaders;
use crate::catalog::{RoutePath, RouteRecord};
use crate::certificate::ClientAuthority;
use crate::document::{Place, Problem, Problems, load_yaml_within};
use crate::namespace::Made;
use crate::policy::{Language, Policy, compile};
use crate::route::{From, PathMatch, Route};
use std::sync::Arc;

/// What routes and policies of the store share with those of the file.
#[derive(Debug)]
pub struct StoredSettings {
    pub language: Language,
    /// `runtime_flags.match_any_incoming_port`
    pub any_port: bool,
    pub(super) defaults: RouteDefaults,
    pub(super) authority: Option<Arc<ClientAuthority>>,
}

/// A field of a stored route that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteProblem {
    /// `from` or `path`.
    pub field: &'static str,
    pub message: String,
}

/// The longest text of a policy, in bytes.
pub const LONGEST_POLICY: usize = 256 * 1024;
/// How many values aliases may add to one.
const COPIES: usize = 10_000;
/// So many problems are told.
const TOLD: usize = 100;

/// Compiles the text of a policy: YAML or JSON. SECURITY: somebody may send what takes long to read, so its
/// length, its aliases, its tables and what is said of it are all bounded.
///
/// # Errors
/// The first hundred problems, each with line and column; the file is called `policy`.
pub fn compile_policy(text: &str, language: Language) -> Result<Policy, Vec<Problem>> {
    if text.len() > LONGEST_POLICY {
        let place = Place::whole("policy");
        let message = format!("the policy is longer than {} KiB", LONGEST_POLICY >> 10);
        return Err(vec![Problem::new("yaml_syntax", &place, message).help("write it shorter")]);
    }
    let document =
        load_yaml_within(text, "policy", COPIES).map_err(|error| vec![error.into_problem()])?;
    let mut problems = Problems::default();
    let policy = compile(&document, language, &mut problems);
    let (mut problems, _) = problems.into_parts();
    problems.truncate(TOLD);
    if problems.is_empty() { Ok(policy) } else { Err(problems) }
}

impl StoredSettings {
    /// Compiles a route, without policies.
    ///
    /// # Errors
    /// Every field that cannot be taken.
    pub fn route(&self, record: &RouteRecord) -> Result<Route, Vec<RouteProblem>> {
        let mut problems = Vec::new();
        let from = From::parse(&record.from).map_err(|error| {
            let message = format!("{error}; {}", error.help());
            problems.push(RouteProblem { field: "from", message });
        });
        let path = path(&record.path).map_err(|message| {
            problems.push(RouteProblem { field: "path", message });
        });
        let (Ok(from), Ok(path)) = (from, path) else {
            return Err(problems);
        };
        Ok(Route {
            id: record.id.clone(),
            from,
            path,
            namespace: record.namespace.clone(),
            made: Made::Here,
            named: true,
            policies: Vec::new(),
            authority: self.authority.clone(),
            headers: RouteHeaders {
                pass_identity_headers: record.pass_identity_headers,
                issuer_format: self.defaults.issuer_format,
                groups_filter: self.defaults.groups_filter.clone(),
                set_request_headers: Vec::new(),
                remove_request_headers: Vec::new(),
                set_response_headers: self.defaults.response_headers.clone(),
            },
            show_error_details: record.show_error_details,
            mcp: false,
            place: Place::whole("store"),
        })
    }
}

fn path(path: &RoutePath) -> Result<PathMatch, String> {
    let read = match path {
        RoutePath::Any => return Ok(PathMatch::Any),
        RoutePath::Exact(text) => PathMatch::exact(text),
        RoutePath::Prefix(text) => PathMatch::prefix(text),
        RoutePath::SeparatedPrefix(text) => PathMatch::separated_prefix(text),
        RoutePath::Regex(text) => PathMatch::regex(text),
    };
    read.map_err(|error| format!("{error}; {}", error.help()))
}
