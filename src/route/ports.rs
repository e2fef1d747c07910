//! The routes of one host name or host pattern, by the port they are for.

use super::paths::Paths;
use super::{From, Route};
use std::collections::HashMap;
use std::sync::Arc;

/// Routes that share a host, apart by port.
#[derive(Debug)]
pub(super) struct Ports {
    /// Those that name a port.
    named: HashMap<u16, Paths>,
    /// Those that name none.
    plain: Option<Paths>,
    /// The same by the default port of their scheme, if they are not for every port.
    default: Option<HashMap<u16, Paths>>,
}

impl Ports {
    /// Indexes those of `routes` that stand at `indices`, which ascend. With `any_port`, a route that
    /// names no port is for every port.
    pub(super) fn of(routes: &[Arc<Route>], indices: &[usize], any_port: bool) -> Self {
        let (mut named, mut default) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        let mut plain = Vec::new();
        for index in indices.iter().copied() {
            match routes.get(index).map(|route| &route.from) {
                Some(From::Http { port: Some(port), .. }) => {
                    named.entry(*port).or_default().push(index);
                }
                Some(From::Http { port: None, default_port, .. }) => {
                    plain.push(index);
                    default.entry(*default_port).or_default().push(index);
                }
                Some(From::Tunnel { .. } | From::Ssh) | None => {}
            }
        }
        let indexed = |ports: HashMap<u16, Vec<usize>>| {
            ports.into_iter().map(|(port, indices)| (port, Paths::of(routes, &indices))).collect()
        };
        Self {
            named: indexed(named),
            plain: (!plain.is_empty()).then(|| Paths::of(routes, &plain)),
            default: (!any_port).then(|| indexed(default)),
        }
    }

    /// The routes that name `port`; if none does, those that name no port and are for this one.
    pub(super) fn listed(&self, port: Option<u16>) -> Option<&Paths> {
        self.naming(port).or_else(|| self.plain(port))
    }

    /// All routes that are for `port`: by name, and by naming none.
    pub(super) fn all(&self, port: Option<u16>) -> impl Iterator<Item = &Paths> {
        self.naming(port).into_iter().chain(self.plain(port))
    }

    fn naming(&self, port: Option<u16>) -> Option<&Paths> {
        self.named.get(&port?)
    }

    fn plain(&self, port: Option<u16>) -> Option<&Paths> {
        match (port, &self.default) {
            (Some(port), Some(default)) => default.get(&port),
            (None, _) | (_, None) => self.plain.as_ref(),
        }
    }
}
