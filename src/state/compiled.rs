//! The catalog as decisions need it: the tree, and all routes, those of the file and those of the store,
//! each with every policy that counts on it.

use super::Settings;
use crate::catalog::{Catalog, PolicyRecord, RoutePath, RouteRecord};
use crate::config::compile_policy;
use crate::id::{NamespaceId, PolicyId};
use crate::namespace::Tree;
use crate::policy::Policy;
use crate::route::{PathMatch, Route, Table};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A catalog, compiled beside the settings of its snapshot.
#[derive(Debug)]
pub struct Compiled {
    /// As the store has it.
    pub stored: Arc<Catalog>,
    /// Namespaces of the file and of the store.
    pub tree: Tree,
    /// Routes of the file first, then those of the store, the narrower before the wider.
    pub table: Arc<Table>,
    /// User ids of people who are blocked.
    pub blocked: BTreeSet<String>,
    /// Policies and routes of the store that do not compile, and routes whose namespace is not there, by
    /// id, and why. What depends on one refuses everybody.
    pub broken: BTreeMap<String, String>,
    policies: BTreeMap<PolicyId, Kept>,
}

/// A policy of the store, to be used again while it stays the same.
#[derive(Clone, Debug)]
struct Kept {
    version: u64,
    compiled: Result<Arc<Policy>, String>,
}

impl Compiled {
    /// Compiles `stored`. What is the same as in `before`, of the same settings, is taken from there.
    pub(super) fn new(settings: &Settings, stored: Arc<Catalog>, before: Option<&Self>) -> Self {
        let namespaces = settings.namespaces.iter().chain(&stored.namespaces).cloned().collect();
        let tree = Tree::new(namespaces, stored.permissions.clone());
        let kept = |record: &PolicyRecord| {
            let known = before.and_then(|before| before.policies.get(&record.id));
            known.filter(|known| known.version == record.version).cloned()
        };
        let policies: BTreeMap<PolicyId, Kept> = stored
            .policies
            .iter()
            .map(|record| {
                (record.id.clone(), kept(record).unwrap_or_else(|| compile(record, settings)))
            })
            .collect();
        let mut broken = BTreeMap::new();
        for (id, kept) in &policies {
            if let Err(why) = &kept.compiled {
                broken.insert(id.to_string(), why.clone());
            }
        }
        let counted = Counted { settings, stored: &stored, policies: &policies, tree: &tree };
        let table = match before.filter(|before| counted.is_as_in(before)) {
            Some(before) => {
                let routes = before.broken.iter().filter(|(id, _)| PolicyId::parse(id).is_none());
                broken.extend(routes.map(|(id, why)| (id.clone(), why.clone())));
                Arc::clone(&before.table)
            }
            None => Arc::new(Table::new(counted.routes(&mut broken), settings.stored.any_port)),
        };
        let blocked = stored.blocked.iter().map(|blocked| blocked.user.clone()).collect();
        Self { stored, tree, table, blocked, broken, policies }
    }

    /// A policy of the store, if it compiles.
    pub fn policy(&self, id: &PolicyId) -> Option<&Policy> {
        self.policies.get(id)?.compiled.as_deref().ok()
    }
}

/// What decides which policies count on which route.
struct Counted<'a> {
    settings: &'a Settings,
    stored: &'a Catalog,
    policies: &'a BTreeMap<PolicyId, Kept>,
    tree: &'a Tree,
}

impl Counted<'_> {
    /// Whether no route could be another than before.
    fn is_as_in(&self, before: &Compiled) -> bool {
        let old = &before.stored;
        old.routes == self.stored.routes
            && old.policies == self.stored.policies
            && old.namespaces == self.stored.namespaces
    }

    fn routes(&self, broken: &mut BTreeMap<String, String>) -> Vec<Arc<Route>> {
        let mut stored: Vec<&RouteRecord> = self.stored.routes.iter().collect();
        let own: BTreeSet<&str> =
            self.settings.routes.iter().map(|route| route.id.as_str()).collect();
        // A file that was written later may use the name of a stored one.
        stored.retain(|record| !own.contains(record.id.as_str()));
        let made = stored.into_iter().filter_map(|record| self.route(record, broken));
        let mut compiled: Vec<Arc<Route>> = made.map(Arc::new).collect();
        compiled.sort_by_cached_key(|route| order(route, broken));
        let all = self.settings.routes.iter().cloned().chain(compiled);
        all.map(|route| self.housed(self.with_policies(route), broken)).collect()
    }

    /// SECURITY: a route whose namespace is not there refuses everybody, because nobody knows which enforced
    /// policies would count on it.
    fn housed(&self, route: Arc<Route>, broken: &mut BTreeMap<String, String>) -> Arc<Route> {
        if self.tree.get(&route.namespace).is_some() {
            return route;
        }
        let why = format!("its namespace `{}` is not there", route.namespace);
        broken.entry(route.id.to_string()).or_insert(why);
        Arc::new(Route { policies: vec![Arc::new(Policy::closed())], ..(*route).clone() })
    }

    /// SECURITY: a route that does not compile refuses everybody on its whole host, so that nothing wider
    /// takes what was its own.
    fn route(&self, record: &RouteRecord, broken: &mut BTreeMap<String, String>) -> Option<Route> {
        match self.settings.stored.route(record) {
            Ok(route) => Some(route),
            Err(problems) => {
                let why: Vec<String> =
                    problems.into_iter().map(|problem| problem.message).collect();
                broken.insert(record.id.to_string(), why.join("; "));
                let whole = RouteRecord { path: RoutePath::Any, ..record.clone() };
                let route = self.settings.stored.route(&whole).ok()?;
                Some(Route { policies: vec![Arc::new(Policy::closed())], ..route })
            }
        }
    }

    /// Gives a route the policies that were given to it, and the enforced ones of its namespace and above.
    fn with_policies(&self, route: Arc<Route>) -> Arc<Route> {
        let counts = |namespace: &NamespaceId| self.tree.contains(namespace, &route.namespace);
        let in_file = self.settings.policies.iter();
        let in_file = in_file
            .filter(|named| named.enforced && counts(&named.namespace))
            .map(|named| Arc::clone(&named.policy));
        let given = |record: &&PolicyRecord| {
            (record.enforced || record.routes.contains(route.id.as_str()))
                && counts(&record.namespace)
        };
        let stored = self.stored.policies.iter().filter(given);
        let stored = stored
            .filter_map(|record| self.policies.get(&record.id))
            .map(|kept| kept.compiled.clone().unwrap_or_else(|_| Arc::new(Policy::closed())));
        let mut more: Vec<Arc<Policy>> = Vec::new();
        for policy in in_file.chain(stored) {
            let mut known = route.policies.iter().chain(&more);
            if !known.any(|known| Arc::ptr_eq(known, &policy)) {
                more.push(policy);
            }
        }
        if more.is_empty() {
            return route;
        }
        let policies = route.policies.iter().cloned().chain(more).collect();
        Arc::new(Route { policies, ..(*route).clone() })
    }
}

fn compile(record: &PolicyRecord, settings: &Settings) -> Kept {
    let compiled = compile_policy(&record.text, settings.stored.language);
    let compiled = compiled.map(|policy| Arc::new(policy.named(&record.name)));
    let compiled = compiled.map_err(|problems| {
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        all.join("; ")
    });
    Kept { version: record.version, compiled }
}

/// Whole hosts that are closed, then exact paths, patterns, long prefixes, short ones, everything.
fn order(route: &Route, broken: &BTreeMap<String, String>) -> (u8, Reverse<usize>, String) {
    let (rank, length) = match &route.path {
        _ if broken.contains_key(route.id.as_str()) => (0, 0),
        PathMatch::Exact(_) => (1, 0),
        PathMatch::Regex(_) => (2, 0),
        PathMatch::Prefix(text) | PathMatch::SeparatedPrefix(text) => (3, text.len()),
        PathMatch::Any => (4, 0),
    };
    (rank, Reverse(length), route.id.to_string())
}
