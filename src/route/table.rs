//! The routes of a configuration, indexed by host.
//!
//! Selection order: an exact `host:port`, then an exact host, then wildcards in file order; inside
//! each, first match in file order. A host that is listed exactly never falls through to wildcards.

use super::Route;
use super::from::{From, HostPattern};
use crate::request::{Host, Kind, Target};
use std::collections::HashMap;

/// All routes, immutable.
#[derive(Debug, Default)]
pub struct Table {
    routes: Vec<Route>,
    by_id: HashMap<String, usize>,
    by_host_and_port: HashMap<String, Vec<usize>>,
    by_host: HashMap<String, Vec<usize>>,
    wildcards: Vec<usize>,
    tunnels: HashMap<String, Vec<usize>>,
    any_port: bool,
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
    pub fn new(routes: Vec<Route>, any_port: bool) -> Self {
        let mut table = Self { any_port, ..Self::default() };
        for (index, route) in routes.iter().enumerate() {
            table.by_id.insert(route.id.as_str().to_owned(), index);
            match &route.from {
                From::Http { host: HostPattern::Exact(name), port: Some(port), .. } => {
                    table.by_host_and_port.entry(format!("{name}:{port}")).or_default().push(index);
                }
                From::Http { host: HostPattern::Exact(name), port: None, .. } => {
                    table.by_host.entry(name.clone()).or_default().push(index);
                }
                From::Http { host: HostPattern::Wildcard(_), .. } => table.wildcards.push(index),
                From::Tunnel { targets } => {
                    for target in targets {
                        table.tunnels.entry(target.to_string()).or_default().push(index);
                    }
                }
                From::Ssh => {}
            }
        }
        table.routes = routes;
        table
    }

    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The route that serves `target`.
    pub fn find(&self, kind: Kind, target: &Target) -> Option<&Route> {
        let fits = |route: &&Route| self.serves(route, kind, target);
        match kind {
            // SECURITY: a TCP connection goes where Envoy is configured to send it, whatever name its
            // client gives in TLS; only Envoy can say which route that is.
            Kind::Tcp => None,
            Kind::Connect => self.listed(self.tunnels.get(&target.host.to_string())?).find(fits),
            Kind::Http => match self.exact(&target.host) {
                Some(indices) => self.listed(indices).find(fits),
                None => self.listed(&self.wildcards).find(fits),
            },
        }
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
        let probe = |route: &Route| self.host_fits(&route.from, host);
        self.exact(host).is_some() || self.listed(&self.wildcards).any(probe)
    }

    fn exact(&self, host: &Host) -> Option<&Vec<usize>> {
        let with_port = host.port().and_then(|_| self.by_host_and_port.get(&host.to_string()));
        with_port.or_else(|| {
            let listed = self.by_host.get(host.name())?;
            let fits = self.listed(listed).any(|route| self.host_fits(&route.from, host));
            fits.then_some(listed)
        })
    }

    fn listed<'t>(&'t self, indices: &'t [usize]) -> impl Iterator<Item = &'t Route> {
        indices.iter().filter_map(|index| self.routes.get(*index))
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

    fn host_fits(&self, from: &From, asked: &Host) -> bool {
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
