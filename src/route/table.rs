//! The routes of a configuration, indexed by host, port and path.
//!
//! Selection order: an exact `host:port`, then an exact host, then wildcards in file order; inside
//! each, first match in file order. A host that is listed exactly never falls through to wildcards.
//!
//! Finding a route takes as long among ten thousand as among ten, except that regular expressions of
//! one host are tried one after the other, and so are host patterns; routes that share a host pattern
//! share its match.

use super::Route;
use super::from::{From, HostPattern};
use super::ports::Ports;
use crate::request::{Host, Kind, Target};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// All routes, immutable.
#[derive(Debug, Default)]
pub struct Table {
    routes: Vec<Arc<Route>>,
    by_id: HashMap<String, usize>,
    hosts: HashMap<String, Ports>,
    /// In the order of the first route of each.
    wildcards: Vec<Wildcard>,
    tunnels: HashMap<Host, usize>,
    any_port: bool,
}

/// The routes of one host pattern.
#[derive(Debug)]
struct Wildcard {
    host: HostPattern,
    /// Where the first of them stands.
    first: usize,
    ports: Ports,
}

/// The outcome of a search.
#[derive(Debug)]
pub enum Found<'t> {
    Route(&'t Route),
    /// Nothing serves this host and path.
    None,
    /// The route asked for by name exists and does not serve this host and path.
    Mismatch(&'t Route),
}

impl Table {
    /// Indexes `routes`. With `any_port`, a `from` without port serves every port.
    pub fn new(routes: Vec<Arc<Route>>, any_port: bool) -> Self {
        let mut table = Self { any_port, ..Self::default() };
        let mut names = BTreeMap::<_, Vec<_>>::new();
        let mut patterns = BTreeMap::<_, Vec<_>>::new();
        for (index, route) in routes.iter().enumerate() {
            table.by_id.insert(route.id.as_str().to_owned(), index);
            match &route.from {
                From::Http { host: HostPattern::Exact(name), .. } => {
                    names.entry(name).or_default().push(index);
                }
                From::Http { host: HostPattern::Wildcard(pattern), .. } => {
                    patterns.entry(pattern).or_default().push(index);
                }
                From::Tunnel { targets } => {
                    for target in targets {
                        table.tunnels.entry(target.clone()).or_insert(index);
                    }
                }
                From::Ssh => {}
            }
        }
        let ports = |indices: &[usize]| Ports::of(&routes, indices, any_port);
        table.hosts =
            names.into_iter().map(|(name, indices)| (name.clone(), ports(&indices))).collect();
        let wildcards = patterns.into_iter().filter_map(|(pattern, indices)| {
            let host = HostPattern::Wildcard(pattern.clone());
            Some(Wildcard { host, first: *indices.first()?, ports: ports(&indices) })
        });
        table.wildcards = wildcards.collect();
        table.wildcards.sort_by_key(|wildcard| wildcard.first);
        table.routes = routes;
        table
    }

    /// In file order, those of the store behind.
    pub fn routes(&self) -> impl ExactSizeIterator<Item = &Route> + Clone {
        self.routes.iter().map(AsRef::as_ref)
    }

    /// The route that serves `target`. Allocates nothing.
    pub fn find(&self, kind: Kind, target: &Target) -> Option<&Route> {
        let index = match kind {
            // SECURITY: a TCP connection goes where Envoy is configured to send it, whatever name its
            // client gives in TLS; only Envoy can say which route that is.
            Kind::Tcp => None,
            Kind::Connect => self.tunnels.get(&target.host).copied(),
            Kind::Http => self.first(&target.host, target.path.as_str()),
        };
        self.routes.get(index?).map(AsRef::as_ref)
    }

    fn first(&self, host: &Host, path: &str) -> Option<usize> {
        let ports = self.hosts.get(host.name());
        match ports.and_then(|ports| ports.listed(host.port())) {
            Some(paths) => paths.first(path, &self.routes),
            None => self.first_of_wildcards(host, path),
        }
    }

    fn first_of_wildcards(&self, host: &Host, path: &str) -> Option<usize> {
        let mut found: Option<usize> = None;
        for wildcard in &self.wildcards {
            if found.is_some_and(|found| found < wildcard.first) {
                break;
            }
            if wildcard.host.matches(host.name()) {
                let paths = wildcard.ports.all(host.port());
                let firsts = paths.filter_map(|paths| paths.first(path, &self.routes));
                found = found.into_iter().chain(firsts).min();
            }
        }
        found
    }

    /// The route called `id`, if it serves `target`.
    pub fn pinned(&self, id: &str, kind: Kind, target: &Target) -> Found<'_> {
        match self.by_id.get(id).and_then(|index| self.routes.get(*index)) {
            None => Found::None,
            Some(route) if self.serves(route, kind, target) => Found::Route(route),
            Some(route) => Found::Mismatch(route),
        }
    }

    /// Whether any route is for this host.
    pub fn knows_host(&self, host: &Host) -> bool {
        let by_pattern = |wildcard: &Wildcard| {
            wildcard.host.matches(host.name()) && wildcard.ports.all(host.port()).next().is_some()
        };
        self.hosts.get(host.name()).is_some_and(|ports| ports.listed(host.port()).is_some())
            || self.wildcards.iter().any(by_pattern)
    }

    fn serves(&self, route: &Route, kind: Kind, target: &Target) -> bool {
        match (&route.from, kind) {
            (From::Http { .. }, Kind::Http) => {
                self.host_fits(&route.from, &target.host)
                    && route.path.matches(target.path.as_str())
            }
            (From::Tunnel { targets }, Kind::Connect | Kind::Tcp) => targets.contains(&target.host),
            (From::Http { .. }, Kind::Connect | Kind::Tcp)
            | (From::Tunnel { .. }, Kind::Http)
            | (From::Ssh, _) => false,
        }
    }

    pub(super) fn host_fits(&self, from: &From, asked: &Host) -> bool {
        match from {
            From::Http { host, port, default_port } => {
                let port_fits = match port {
                    Some(port) => asked.port() == Some(*port),
                    None => {
                        self.any_port || asked.port().is_none_or(|asked| asked == *default_port)
                    }
                };
                port_fits && host.matches(asked.name())
            }
            From::Tunnel { .. } | From::Ssh => false,
        }
    }
}
