//! The routes of the file: matching, policies, headers.

use super::keys::{self, ROUTE_KEYS};
use super::outgoing::{RouteDefaults, header_name, issuer_format, response_headers};
use crate::assertion::{RouteHeaders, Template};
use crate::document::{Node, Problem, Problems, Section, Value, nearest};
use crate::id::RouteId;
use crate::identity::{ClaimValue, Claims};
use crate::policy::{Dialect, LegacyFields, Policy, claim_value, compile};
use crate::route::{From, PathMatch, PathMatchError, Route};
use http::{HeaderName, HeaderValue};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use url::Url;

/// Where Envoy sends what a route allows.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Empty if the route names none.
    pub to: Vec<Url>,
    pub preserve_host_header: bool,
}

/// What the file says of routes.
pub(super) struct ReadRoutes {
    pub(super) routes: Vec<Route>,
    pub(super) upstreams: Vec<Upstream>,
    /// Keys of routes that are accepted and without use.
    pub(super) idle: BTreeSet<String>,
}

type Named = BTreeMap<String, Arc<Policy>>;

/// Reads `policies`, then the routes under `policy` and `routes`, in that order.
pub(super) fn read(
    section: &Section<'_>,
    defaults: &RouteDefaults,
    problems: &mut Problems,
) -> ReadRoutes {
    let named = named_policies(section, problems);
    let mut nodes = Vec::new();
    for key in ["policy", "routes"] {
        match section.node(key).map(|node| (node, &node.value)) {
            None => {}
            Some((_, Value::List(items))) => nodes.extend(items),
            Some((node, other)) => problems.push(
                Problem::new(
                    "wrong_type",
                    &node.place,
                    format!("`{key}` must be a list of routes, not {}", other.kind()),
                )
                .help("begin each route with `- from: …`"),
            ),
        }
    }
    let mut reader =
        RouteReader { defaults, named: &named, ids: BTreeSet::new(), idle: BTreeSet::new() };
    let numbered = nodes.into_iter().enumerate();
    let (routes, upstreams) =
        numbered.filter_map(|(index, node)| reader.route(node, index + 1, problems)).unzip();
    ReadRoutes { routes, upstreams, idle: reader.idle }
}

fn named_policies(section: &Section<'_>, problems: &mut Problems) -> Named {
    let Some(node) = section.node("policies") else {
        return Named::new();
    };
    let Some(policies) = Section::open(node, "policies", problems) else {
        return Named::new();
    };
    let compiled = policies.entries().iter().map(|entry| {
        (entry.key.clone(), Arc::new(compile(&entry.node, Dialect::ConfigFile, problems)))
    });
    compiled.collect()
}

struct RouteReader<'d> {
    defaults: &'d RouteDefaults,
    named: &'d Named,
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
        let from = from(&section, problems);
        let path = path(&section, problems);
        let policies = self.policies(&section, problems);
        let headers = self.headers(&section, problems);
        let show_error_details = section.bool("show_error_details", problems).unwrap_or(false);
        let upstream = upstream(&section, problems);
        let route = Route { id, from: from?, path: path?, policies, headers, show_error_details };
        Some((route, upstream))
    }

    fn id(&mut self, section: &Section<'_>, number: usize, problems: &mut Problems) -> RouteId {
        let text =
            section.text("id", problems).map_or_else(|| format!("route-{number}"), str::to_owned);
        if !self.ids.insert(text.clone()) {
            let place = section.place_of("id");
            problems.push(
                Problem::new("duplicate_id", place, format!("two routes are called `{text}`"))
                    .help("give each route its own `id`"),
            );
        }
        RouteId::new(&text)
    }

    fn policies(&self, section: &Section<'_>, problems: &mut Problems) -> Vec<Arc<Policy>> {
        let mut policies = Vec::new();
        if let Some(legacy) = legacy(section, problems) {
            policies.push(Arc::new(legacy.into_policy()));
        }
        if let Some(node) = section.node("policy") {
            if let Value::Text(_) = &node.value {
                problems.push(
                    Problem::new("root_type", &node.place, "`policy` is text")
                        .help("write the policy as YAML below `policy:`, without `|` or quotes"),
                );
            } else {
                policies.push(Arc::new(compile(node, Dialect::ConfigFile, problems)));
            }
        }
        for name in section.texts("policies", problems).unwrap_or_default() {
            match self.named.get(&name) {
                Some(policy) => policies.push(Arc::clone(policy)),
                None => self.no_such_policy(section, &name, problems),
            }
        }
        policies
    }

    fn no_such_policy(&self, section: &Section<'_>, name: &str, problems: &mut Problems) {
        let place = section.place_of("policies");
        let known: Vec<&str> = self.named.keys().map(String::as_str).collect();
        let help = match nearest(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "define it under `policies:` at the top of the file".to_owned(),
        };
        problems.push(
            Problem::new("unknown_policy", place, format!("there is no policy called `{name}`"))
                .help(help),
        );
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
        problems
            .notice(section.place(), format!("`{ignored}` is ignored, because `{key}` is given"));
    }
    let text = section.text(key, problems)?;
    let place = &section.node(key)?.place;
    read(text)
        .map_err(|error| {
            let problem = Problem::new("bad_path", place, format!("`{key}`: {error}"));
            problems.push(problem.help(error.help()));
        })
        .ok()
}

fn legacy(section: &Section<'_>, problems: &mut Problems) -> Option<LegacyFields> {
    let fields = LegacyFields {
        allow_public_unauthenticated_access: section
            .bool("allow_public_unauthenticated_access", problems)
            .unwrap_or(false),
        cors_allow_preflight: section.bool("cors_allow_preflight", problems).unwrap_or(false),
        allow_any_authenticated_user: section
            .bool("allow_any_authenticated_user", problems)
            .unwrap_or(false),
        allowed_domains: section.texts("allowed_domains", problems),
        allowed_users: section.texts("allowed_users", problems),
        allowed_idp_claims: claims(section, problems),
    };
    let lists = fields.allowed_domains.is_some() || fields.allowed_users.is_some();
    let place = section.place();
    if fields.allow_public_unauthenticated_access && (fields.allow_any_authenticated_user || lists)
    {
        problems.push(
            Problem::new(
                "public_with_allowlist",
                place,
                "`allow_public_unauthenticated_access` makes the other allow fields meaningless",
            )
            .help("remove one or the other"),
        );
        return None;
    }
    if fields.allow_any_authenticated_user && lists {
        problems.push(
            Problem::new("any_user_with_allowlist", place, "`allow_any_authenticated_user` makes `allowed_users` and `allowed_domains` meaningless")
                .help("remove one or the other"),
        );
        return None;
    }
    Some(fields)
}

fn claims(section: &Section<'_>, problems: &mut Problems) -> Claims {
    let Some(node) = section.node("allowed_idp_claims") else {
        return Claims::default();
    };
    match claim_value(node) {
        ClaimValue::Map(claims) => Claims::flatten(claims),
        ClaimValue::Null
        | ClaimValue::Bool(_)
        | ClaimValue::Number(_)
        | ClaimValue::Text(_)
        | ClaimValue::List(_) => {
            problems.push(
                Problem::new(
                    "wrong_type",
                    &node.place,
                    format!("`allowed_idp_claims` must be a map, not {}", node.value.kind()),
                )
                .help("write it as `{department: [engineering]}`"),
            );
            Claims::default()
        }
    }
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
                    Problem::new("bad_value", place, format!("`to`: `{text}` is not a URL"))
                        .help("write it as `http://app:8080`"),
                );
            }
        }
    }
    Upstream {
        to,
        preserve_host_header: section.bool("preserve_host_header", problems).unwrap_or(false),
    }
}
