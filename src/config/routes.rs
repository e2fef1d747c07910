//! The routes of the file: matching, policies, headers.

use super::certificates::ReadCertificates;
use super::keys::{self, ROUTE_KEYS};
use super::mcp;
use super::namespaces::ReadNamespaces;
use super::outgoing::{RouteDefaults, header_name, issuer_format, response_headers};
use super::policies::{NamedPolicy, PolicyReader};
use crate::advice::Advice;
use crate::assertion::{RouteHeaders, Template};
use crate::document::{Node, Notice, Problem, Problems, Section, Value};
use crate::id::RouteId;
use crate::namespace::Made;
use crate::policy::Language;
use crate::route::{From, PathMatch, PathMatchError, Route};
use http::{HeaderName, HeaderValue};
use std::collections::BTreeSet;
use url::Url;

/// Where Envoy sends what a route allows.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Empty if the route names none.
    pub to: Vec<Url>,
    pub preserve_host_header: bool,
    /// How much of a body Envoy has to send along with a check; `None`: nothing.
    pub body_limit: Option<u32>,
}

/// The longest id, in characters: the store counts uses by it.
const LONGEST_ID: usize = 255;

/// What the file says of routes.
pub(super) struct ReadRoutes {
    pub(super) routes: Vec<Route>,
    pub(super) upstreams: Vec<Upstream>,
    /// Those under `policies`.
    pub(super) policies: Vec<NamedPolicy>,
    /// Keys of routes that are accepted and without use.
    pub(super) idle: BTreeSet<String>,
}

/// Reads `policies`, then the routes under `policy` and `routes`, in that order.
pub(super) fn read(
    section: &Section<'_>,
    defaults: &RouteDefaults,
    (language, namespaces): (Language, &ReadNamespaces),
    certificates: &mut ReadCertificates,
    problems: &mut Problems,
) -> ReadRoutes {
    let policies = PolicyReader::read(section, (language, namespaces), problems);
    let mut nodes = Vec::new();
    for key in ["policy", "routes"] {
        match section.node(key).map(|node| (node, &node.value)) {
            None => {}
            Some((_, Value::List(items))) => nodes.extend(items),
            Some((node, _)) => problems.push(not_routes(key, node)),
        }
    }
    let mut reader = RouteReader {
        defaults,
        namespaces,
        certificates,
        policies: &policies,
        ids: BTreeSet::new(),
        idle: BTreeSet::new(),
    };
    let numbered = nodes.into_iter().enumerate();
    let (routes, upstreams) =
        numbered.filter_map(|(index, node)| reader.route(node, index + 1, problems)).unzip();
    let idle = reader.idle;
    ReadRoutes { routes, upstreams, policies: policies.into_named(), idle }
}

fn not_routes(key: &str, node: &Node) -> Problem {
    let message = format!("`{key}` must be a list of routes, not {}", node.value.kind());
    let help = if node.get("allow").or_else(|| node.get("deny")).is_some() {
        "put a policy for every route under `policies:`, and its name into `default_policy`"
    } else {
        "begin each route with `- from: …`"
    };
    Problem::new("wrong_type", &node.place, message).help(help)
}

struct RouteReader<'d> {
    defaults: &'d RouteDefaults,
    namespaces: &'d ReadNamespaces,
    policies: &'d PolicyReader,
    certificates: &'d mut ReadCertificates,
    ids: BTreeSet<String>,
    idle: BTreeSet<String>,
}

impl RouteReader<'_> {
    fn route(
        &mut self,
        node: &Node,
        number: usize,
        problems: &mut Problems,
    ) -> Option<(Route, Upstream)> {
        let section = Section::open(node, &format!("routes[{}]", number - 1), problems)?;
        let idle = keys::check(&section, ROUTE_KEYS, problems);
        self.idle.extend(idle.into_iter().map(str::to_owned));
        let id = self.id(&section, number, problems);
        let named = section.node("id").is_some();
        let namespace = self.namespaces.of(&section, problems);
        let from = from(&section, problems);
        let path = path(&section, problems);
        let policies = self.policies.of_route(&section, problems);
        let headers = self.headers(&section, problems);
        let show_error_details = section.bool("show_error_details", problems).unwrap_or(false);
        let authority = self.certificates.of_route(&section, problems);
        let body_limit = mcp::body_limit(&section, &mut self.idle, problems);
        let mcp = body_limit.is_some();
        let upstream = Upstream { body_limit, ..upstream(&section, problems) };
        let (from, path, place) = (from?, path?, section.place().clone());
        let route = Route {
            id,
            from,
            path,
            namespace,
            made: Made::InFile,
            named,
            policies,
            authority,
            headers,
            show_error_details,
            mcp,
            place,
        };
        Some((route, upstream))
    }

    fn id(&mut self, section: &Section<'_>, number: usize, problems: &mut Problems) -> RouteId {
        let text =
            section.text("id", problems).map_or_else(|| format!("route-{number}"), str::to_owned);
        if text.chars().count() > LONGEST_ID {
            let message = format!("an id of {} characters is too long", text.chars().count());
            problems.push(
                Problem::new("bad_value", section.place_of("id"), message)
                    .help(format!("write up to {LONGEST_ID} characters")),
            );
        }
        if !self.ids.insert(text.clone()) {
            let place = section.place_of("id");
            problems.push(
                Problem::new("duplicate_id", place, format!("two routes are called `{text}`"))
                    .help("give each route its own `id`"),
            );
        }
        RouteId::new(&text)
    }

    fn headers(&self, section: &Section<'_>, problems: &mut Problems) -> RouteHeaders {
        let own_filter = section.texts("jwt_groups_filter", problems);
        let groups_filter = match (&self.defaults.groups_filter, own_filter) {
            (None, None) => None,
            (global, own) => {
                Some(global.iter().flatten().cloned().chain(own.into_iter().flatten()).collect())
            }
        };
        let own_responses = response_headers(section, problems);
        RouteHeaders {
            pass_identity_headers: section
                .bool("pass_identity_headers", problems)
                .unwrap_or(self.defaults.pass_identity_headers),
            issuer_format: issuer_format(section, problems).unwrap_or(self.defaults.issuer_format),
            groups_filter,
            set_request_headers: request_headers(section, problems),
            remove_request_headers: removed_headers(section, problems),
            set_response_headers: merged(&self.defaults.response_headers, &own_responses),
        }
    }
}

fn merged(
    global: &[(HeaderName, HeaderValue)],
    own: &[(HeaderName, HeaderValue)],
) -> Vec<(HeaderName, HeaderValue)> {
    let inherited = global.iter().filter(|(name, _)| own.iter().all(|(other, _)| other != name));
    inherited.cloned().chain(own.iter().cloned()).collect()
}

fn from(section: &Section<'_>, problems: &mut Problems) -> Option<From> {
    let Some(text) = section.text("from", problems) else {
        problems.push(
            Problem::new("missing_field", section.place(), "the route has no `from`")
                .help("write `from: https://app.example.com`"),
        );
        return None;
    };
    let place = &section.node("from")?.place;
    let parsed = From::parse(text).map_err(|error| {
        problems
            .push(Problem::new("bad_from", place, format!("`from`: {error}")).help(error.help()));
    });
    parsed.ok()
}

/// One specifier counts: `regex`, then `path`, then the prefixes.
fn path(section: &Section<'_>, problems: &mut Problems) -> Option<PathMatch> {
    type Reader = fn(&str) -> Result<PathMatch, PathMatchError>;
    let specifiers: [(&str, Reader); 4] = [
        ("regex", PathMatch::regex),
        ("path", PathMatch::exact),
        ("path_separated_prefix", PathMatch::separated_prefix),
        ("prefix", PathMatch::prefix),
    ];
    let mut given = specifiers.into_iter().filter(|(key, _)| section.node(key).is_some());
    let Some((key, read)) = given.next() else {
        return Some(PathMatch::Any);
    };
    for (ignored, _) in given {
        problems.notice(
            Advice::PathRuleIgnored,
            section.place(),
            format!("`{ignored}` is ignored, because `{key}` is given"),
        );
    }
    let text = section.text(key, problems)?;
    let place = &section.node(key)?.place;
    if key == "prefix" && text.ends_with(|last: char| last.is_ascii_alphanumeric()) {
        let message = format!("`prefix: {text}` also serves `{text}-x` and `{text}x`");
        let help = format!("write `path_separated_prefix: {text}` for it and what is below it");
        problems.tell(Notice::lint(Advice::PrefixWithoutSlash, place, message).help(help));
    }
    read(text)
        .map_err(|error| {
            let problem = Problem::new("bad_path", place, format!("`{key}`: {error}"));
            problems.push(problem.help(error.help()));
        })
        .ok()
}

fn request_headers(section: &Section<'_>, problems: &mut Problems) -> Vec<(HeaderName, Template)> {
    let map = section.text_map("set_request_headers", problems).unwrap_or_default();
    let headers = map.into_iter().filter_map(|(name, (value, place))| {
        header_name(&name, &place, problems).map(|name| (name, Template::parse(&value)))
    });
    headers.collect()
}

fn removed_headers(section: &Section<'_>, problems: &mut Problems) -> Vec<HeaderName> {
    let names = section.texts("remove_request_headers", problems).unwrap_or_default();
    let place = section.place_of("remove_request_headers").clone();
    names.iter().filter_map(|name| header_name(name, &place, problems)).collect()
}

fn upstream(section: &Section<'_>, problems: &mut Problems) -> Upstream {
    let mut to = Vec::new();
    for text in section.texts("to", problems).unwrap_or_default() {
        match Url::parse(&text).ok().filter(Url::has_host) {
            Some(url) => to.push(url),
            None => {
                let place = section.place_of("to");
                problems.push(
                    Problem::new(
                        "bad_value",
                        place,
                        format!("`to`: `{}` is not a URL", without_userinfo(&text)),
                    )
                    .help("write it as `http://app:8080`"),
                );
            }
        }
    }
    Upstream {
        to,
        preserve_host_header: section.bool("preserve_host_header", problems).unwrap_or(false),
        body_limit: None,
    }
}

/// A URL, or what was meant to be one, without name and password.
fn without_userinfo(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        (None, Some((_, rest))) => format!("…@{rest}"),
        (_, None) => text.to_owned(),
    }
}
