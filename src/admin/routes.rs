//! Routes: those of the configuration, to be seen, and those of the store, to be changed.

mod change;
mod overlap;
mod removal;
mod rights;

use super::world::{Depth, Sight, World};
use super::{Actor, Admin, AdminError, PolicyMention, What};
use crate::catalog::{PolicyRecord, RoutePath, RouteRecord};
use crate::id::{NamespaceId, RouteId};
use crate::namespace::Made;
use crate::route::{PathMatch, Route};
use crate::time::Timestamp;
use overlap::Overlaps;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A route as somebody sees it.
#[derive(Clone, Debug)]
pub struct RouteView {
    pub id: RouteId,
    pub made: Made,
    pub namespace: NamespaceId,
    pub namespace_path: String,
    pub description: String,
    /// As it is written.
    pub from: String,
    /// Such as `prefix: /api/`; empty for every path.
    pub path: String,
    /// Policies that count on it: its own, those given to it, and enforced ones.
    pub policies: Vec<PolicyMention>,
    /// Whether it has policies in its own words: fields and a policy without a name.
    pub own_policy: bool,
    pub pass_identity_headers: bool,
    pub show_error_details: bool,
    /// Other routes that may serve some of the same, by id, as far as they may be seen.
    pub overlaps: Vec<String>,
    /// Only for one of the store.
    pub created: Timestamp,
    pub modified: Timestamp,
    pub modified_by: String,
    pub version: u64,
}

/// Which routes.
#[derive(Clone, Debug, Default)]
pub struct RouteWanted {
    pub namespace: Option<NamespaceId>,
    pub recursive: bool,
    pub text: String,
    /// So many are left out, and at most so many told; 0 for all.
    pub offset: usize,
    pub limit: usize,
}

/// A route to be made. Envoy has to send its requests: `lictor envoy config` says how.
#[derive(Clone, Debug)]
pub struct NewRoute {
    /// Empty for one of our own making.
    pub id: String,
    pub namespace: NamespaceId,
    pub description: String,
    pub from: String,
    pub path: RoutePath,
    pub pass_identity_headers: bool,
    pub show_error_details: bool,
    /// Policies to give to it, `pol_…`.
    pub policies: Vec<String>,
    pub idempotency_key: Option<String>,
}

/// Changes of a route; `None` keeps.
#[derive(Clone, Debug, Default)]
pub struct RouteEdit {
    /// Refused while it has an optional policy that is not to be had there.
    pub namespace: Option<NamespaceId>,
    pub description: Option<String>,
    pub from: Option<String>,
    pub path: Option<RoutePath>,
    pub pass_identity_headers: Option<bool>,
    pub show_error_details: Option<bool>,
    /// All policies that are given to it from then on. The only thing that can be changed of a route of the
    /// configuration, if that has an `id` there.
    pub policies: Option<Vec<String>>,
    pub expected: Option<u64>,
}

impl Admin {
    /// In the order in which they are tried; and how many there are.
    ///
    /// # Errors
    /// The namespace named is not there, or not to be seen.
    #[expect(clippy::unused_async, reason = "every verb is asked in the same way")]
    pub async fn routes(
        &self,
        by: &Actor,
        which: &RouteWanted,
    ) -> Result<(Vec<RouteView>, usize), AdminError> {
        let world = self.world();
        let within = world.asked(by, which.namespace.as_ref(), Depth::of(which.recursive))?;
        let shown = Shown::new(&world, by);
        let routes = world.catalog().table.routes();
        let routes =
            routes.filter(|route| within.as_ref().is_none_or(|ids| ids.contains(&route.namespace)));
        let text = which.text.trim().to_lowercase();
        let holds = |route: &&Route| {
            let described = shown.stored.get(route.id.as_str());
            let described = described.map(|record| record.description.to_lowercase());
            text.is_empty()
                || route.id.as_str().contains(&text)
                || route.from.to_string().contains(&text)
                || path(&route.path).to_lowercase().contains(&text)
                || described.is_some_and(|described| described.contains(&text))
        };
        let found: Vec<&Route> = routes.filter(holds).collect();
        let total = found.len();
        let most = if which.limit == 0 { total } else { which.limit };
        let part = found.into_iter().skip(which.offset).take(most);
        Ok((part.map(|route| shown.view(route)).collect(), total))
    }

    /// # Errors
    /// It is not there, or not to be seen.
    #[expect(clippy::unused_async, reason = "every verb is asked in the same way")]
    pub async fn route(&self, by: &Actor, id: &str) -> Result<RouteView, AdminError> {
        let world = self.world();
        let found = world.route(id).filter(|route| world.role(by, &route.namespace).is_some());
        let route = found.ok_or(AdminError::NotFound(What::Route))?;
        Ok(Shown::new(&world, by).view(route))
    }
}

impl World {
    /// A route of the configuration or of the store.
    pub(super) fn route(&self, id: &str) -> Option<&Route> {
        self.catalog().table.routes().find(|route| route.id.as_str() == id)
    }
}

/// What views of routes are made of.
struct Shown<'w> {
    world: &'w World,
    sight: Sight<'w>,
    stored: HashMap<&'w str, &'w RouteRecord>,
    /// Ids of routes of which the configuration says something in words of its own.
    own: HashSet<&'w str>,
    /// Policies of the store that were given to a route, by its id.
    given: HashMap<&'w str, Vec<&'w PolicyRecord>>,
    enforced: Vec<&'w PolicyRecord>,
    overlaps: Overlaps<'w>,
}

impl<'w> Shown<'w> {
    fn new(world: &'w World, by: &Actor) -> Self {
        let stored = world.stored().routes.iter();
        let stored = stored.map(|record| (record.id.as_str(), record)).collect();
        let any_port = world.settings().stored.any_port;
        let overlaps = Overlaps::new(world.catalog().table.routes(), any_port);
        let nameless =
            |route: &&Arc<Route>| route.policies.iter().any(|policy| policy.name.is_empty());
        let own = world.settings().routes.iter().filter(nameless);
        let own = own.map(|route| route.id.as_str()).collect();
        let mut given = HashMap::<_, Vec<_>>::new();
        for policy in &world.stored().policies {
            for route in policy.routes.iter().filter(|_| !policy.enforced) {
                given.entry(route.as_str()).or_default().push(policy);
            }
        }
        let enforced = world.stored().policies.iter().filter(|policy| policy.enforced).collect();
        Self { world, sight: world.sight(by), stored, own, given, enforced, overlaps }
    }

    fn view(&self, route: &Route) -> RouteView {
        let stored = match route.made {
            Made::Here => self.stored.get(route.id.as_str()).copied(),
            Made::BuiltIn | Made::InFile => None,
        };
        let overlaps = self.overlaps.with(route);
        let overlaps = overlaps.into_iter().filter(|other| self.sight.sees(&other.namespace));
        RouteView {
            id: route.id.clone(),
            made: route.made,
            namespace: route.namespace.clone(),
            namespace_path: self.world.tree().path(&route.namespace),
            description: stored.map(|record| record.description.clone()).unwrap_or_default(),
            from: stored.map_or_else(|| route.from.to_string(), |record| record.from.clone()),
            path: stored.map_or_else(|| path(&route.path), |record| record.path.told()),
            policies: self.policies(route),
            own_policy: route.made == Made::InFile && self.own.contains(route.id.as_str()),
            pass_identity_headers: route.headers.pass_identity_headers,
            show_error_details: route.show_error_details,
            overlaps: overlaps.map(|other| other.id.to_string()).collect(),
            created: stored.map(|record| record.created).unwrap_or_default(),
            modified: stored.map(|record| record.modified).unwrap_or_default(),
            modified_by: stored.map(|record| record.modified_by.clone()).unwrap_or_default(),
            version: stored.map(|record| record.version).unwrap_or_default(),
        }
    }

    /// Those of the configuration, then those of the store, enforced ones first.
    fn policies(&self, route: &Route) -> Vec<PolicyMention> {
        let named = self.world.settings().policies.iter();
        let named = named
            .filter(|named| route.policies.iter().any(|policy| Arc::ptr_eq(policy, &named.policy)));
        let given = self.given.get(route.id.as_str()).into_iter().flatten();
        let stored = self.enforced.iter().chain(given);
        let stored = stored.filter(|policy| self.world.is_usable(policy, &route.namespace));
        let named = named.map(|named| self.world.named_mention(named));
        let stored = stored.map(|policy| self.world.mention(policy));
        let mut mentions: Vec<PolicyMention> = named.chain(stored).collect();
        mentions.sort_by_key(|mention| !mention.enforced);
        mentions
    }
}

/// Such as `prefix: /api/`; empty for every path.
fn path(path: &PathMatch) -> String {
    match path {
        PathMatch::Any => String::new(),
        PathMatch::Prefix(text) => format!("prefix: {text}"),
        PathMatch::SeparatedPrefix(text) => format!("path_separated_prefix: {text}"),
        PathMatch::Exact(text) => format!("path: {text}"),
        PathMatch::Regex(pattern) => format!("regex: {pattern}"),
    }
}

impl RoutePath {
    fn told(&self) -> String {
        self.parts().map(|(key, text)| format!("{key}: {text}")).unwrap_or_default()
    }
}
