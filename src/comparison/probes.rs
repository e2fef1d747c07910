//! The requests that are put to both sides: for every route of either, some that its own side leads to
//! it, so that a route which is new, gone, moved or shadowed is met on the other.

use super::judge::enforced;
use super::samples::{hosts, paths_of_rule, paths_of_tests};
use super::{Both, Side};
use crate::request::{Kind, Target};
use crate::route::{From, HostPattern, PathMatch, Route};
use std::collections::{BTreeSet, HashMap, HashSet};

const ELSEWHERE: &str = "the requests made for it lead elsewhere";

/// One request, apart from its method.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Probe {
    /// With the port, if there is one.
    pub(super) host: String,
    /// Empty for a tunnel.
    pub(super) path: String,
}

/// What a request runs into.
#[derive(Clone, Debug)]
pub enum Spot<'s> {
    Route(&'s Route),
    /// No route is for it.
    Nowhere,
    /// It is refused before any route is looked for: with why.
    Malformed(String),
}

impl Probe {
    pub(super) fn kind(&self) -> Kind {
        if self.path.is_empty() { Kind::Connect } else { Kind::Http }
    }

    pub(super) fn spot<'s>(&self, side: Side<'s>) -> Spot<'s> {
        match self.target(side) {
            Err(why) => Spot::Malformed(why),
            Ok(target) => {
                let found = side.table.find(self.kind(), &target);
                found.map_or(Spot::Nowhere, Spot::Route)
            }
        }
    }

    /// `Err` if it can be read in several ways: the answer would depend on how.
    pub(super) fn target(&self, side: Side<'_>) -> Result<Target, String> {
        let target = side
            .settings
            .target(&self.host, &self.path, self.kind())
            .map_err(|malformed| malformed.to_string())?;
        match target.path.other_reading() {
            Ok(None) => Ok(target),
            Ok(Some(_)) => Err("its path can be read in two ways".to_owned()),
            Err(why) => Err(why.to_string()),
        }
    }
}

impl<'s> Spot<'s> {
    /// Whether both are the same route.
    fn is(&self, other: &Self) -> bool {
        match (self.route(), other.route()) {
            (Some(route), Some(other)) => std::ptr::eq(route, other),
            (None, _) | (_, None) => false,
        }
    }

    pub fn route(&self) -> Option<&'s Route> {
        match self {
            Self::Route(route) => Some(route),
            Self::Nowhere | Self::Malformed(_) => None,
        }
    }
}

/// A route that no request could be made for, or none that leads to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unprobed {
    pub id: String,
    /// Where it stands; on both sides, if it is the same there.
    pub places: Vec<String>,
    pub why: String,
}

/// Every request, and the routes that none leads to.
pub(super) struct Probes {
    pub(super) asked: BTreeSet<Probe>,
    pub(super) unprobed: Vec<Unprobed>,
}

impl Probes {
    pub(super) fn of(sides: Both<Side<'_>>) -> Self {
        let mut asked = tunnels(sides);
        let hosts = Hosts::of(sides);
        for place in &hosts.places {
            asked.extend(hosts.probes(place));
        }
        let of_tests: Vec<Probe> =
            asked.iter().flat_map(|probe| probe.made_for_tests(sides)).collect();
        asked.extend(of_tests);
        let unprobed = unprobed(sides, &asked);
        Self { asked, unprobed }
    }
}

impl Probe {
    /// Requests to the same routes of which policies that decide there make a difference by their path.
    fn made_for_tests(&self, sides: Both<Side<'_>>) -> Vec<Self> {
        let spots = sides.map(|side| self.spot(side));
        let policies = [&spots.old, &spots.new].map(enforced);
        let hints: Vec<_> = policies.iter().flatten().flat_map(|one| one.path_hints()).collect();
        let made = paths_of_tests(&hints, &self.path).into_iter();
        let made = made.map(|path| Self { host: self.host.clone(), path });
        made.filter(|probe| {
            probe.spot(sides.old).is(&spots.old) || probe.spot(sides.new).is(&spots.new)
        })
        .collect()
    }
}

/// A host, and the port that a request names.
type Place = (String, Option<u16>);

/// The hosts that requests are made for, and the routes of both sides that may serve them there.
struct Hosts<'s> {
    places: BTreeSet<Place>,
    exact: HashMap<&'s str, Vec<&'s Route>>,
    patterns: Vec<&'s Route>,
    /// Where the host is listed on both sides, so that patterns are consulted on neither.
    listed: Both<BTreeSet<Place>>,
}

impl<'s> Hosts<'s> {
    fn of(sides: Both<Side<'s>>) -> Self {
        let mut all = Self {
            places: BTreeSet::new(),
            exact: HashMap::new(),
            patterns: Vec::new(),
            listed: sides.map(listed),
        };
        let odd = (sides.old.any_port != sides.new.any_port).then(|| unnamed_port(sides));
        for side in [sides.old, sides.new] {
            for route in side.table.routes() {
                let From::Http { host, port, default_port } = &route.from else { continue };
                match host {
                    HostPattern::Exact(name) => all.exact.entry(name).or_default().push(route),
                    HostPattern::Wildcard(_) => all.patterns.push(route),
                }
                let mut ports = vec![*port];
                if port.is_none() {
                    ports.extend(odd.map(Some));
                    ports.extend((!side.any_port).then_some(Some(*default_port)));
                }
                for name in hosts(host) {
                    all.places.extend(ports.iter().map(|port| (name.clone(), *port)));
                }
            }
        }
        all
    }

    fn probes(&self, place: &Place) -> Vec<Probe> {
        let (name, port) = place;
        let listed = |listed: &BTreeSet<Place>| {
            listed.contains(place) || listed.contains(&(name.clone(), None))
        };
        let everywhere = listed(&self.listed.old) && listed(&self.listed.new);
        let patterns = self.patterns.iter().filter(|_| !everywhere);
        let exact = self.exact.get(name.as_str()).into_iter().flatten();
        let fits = |route: &&&Route| match &route.from {
            From::Http { host, port: own, .. } => {
                host.matches(name) && own.is_none_or(|own| Some(own) == *port)
            }
            From::Tunnel { .. } | From::Ssh => false,
        };
        let routes: Vec<&Route> = exact.chain(patterns).filter(fits).copied().collect();
        let prefixes: BTreeSet<&str> = routes.iter().filter_map(|route| prefix(route)).collect();
        let host = port.map_or_else(|| name.clone(), |port| format!("{name}:{port}"));
        let paths = routes.iter().flat_map(|route| paths_of_rule(&route.path, &prefixes));
        paths.map(|path| Probe { host: host.clone(), path }).collect()
    }
}

fn prefix(route: &Route) -> Option<&str> {
    match &route.path {
        PathMatch::Prefix(prefix) | PathMatch::SeparatedPrefix(prefix) => Some(prefix),
        PathMatch::Any | PathMatch::Exact(_) | PathMatch::Regex(_) => None,
    }
}

fn listed(side: Side<'_>) -> BTreeSet<Place> {
    let listed = side.table.routes().filter_map(|route| match &route.from {
        From::Http { host: HostPattern::Exact(name), port, .. } => Some((name.clone(), *port)),
        From::Http { host: HostPattern::Wildcard(_), .. } | From::Tunnel { .. } | From::Ssh => None,
    });
    listed.collect()
}

/// A port that no route names, and that is the default of no scheme.
fn unnamed_port(sides: Both<Side<'_>>) -> u16 {
    let routes = [sides.old, sides.new].map(|side| side.table.routes());
    let named: BTreeSet<u16> = routes
        .into_iter()
        .flatten()
        .filter_map(|route| match &route.from {
            From::Http { port, .. } => *port,
            From::Tunnel { .. } | From::Ssh => None,
        })
        .collect();
    (8443..u16::MAX).find(|port| !named.contains(port)).unwrap_or(u16::MAX)
}

fn tunnels(sides: Both<Side<'_>>) -> BTreeSet<Probe> {
    let routes = [sides.old, sides.new].map(|side| side.table.routes());
    let targets = routes.into_iter().flatten().flat_map(|route| match &route.from {
        From::Tunnel { targets } => targets.as_slice(),
        From::Http { .. } | From::Ssh => &[],
    });
    targets.map(|target| Probe { host: target.to_string(), path: String::new() }).collect()
}

fn unprobed(sides: Both<Side<'_>>, asked: &BTreeSet<Probe>) -> Vec<Unprobed> {
    let mut unprobed: Vec<Unprobed> = Vec::new();
    for side in [sides.old, sides.new] {
        let spots = asked.iter().map(|probe| probe.spot(side));
        let met: HashSet<_> =
            spots.filter_map(|spot| spot.route().map(|route| &route.id)).collect();
        let routes = side.table.routes();
        for route in routes.filter(|route| !met.contains(&route.id)) {
            let (id, place, why) =
                (route.id.to_string(), route.place.to_string(), why_none(side, route));
            match unprobed.iter_mut().find(|other| other.id == id && other.why == why) {
                Some(other) => other.places.push(place),
                None => unprobed.push(Unprobed { id, places: vec![place], why }),
            }
        }
    }
    unprobed
}

/// Why no request leads to `route`.
fn why_none(side: Side<'_>, route: &Route) -> String {
    let Some(host) = route.from.host() else {
        return match route.from {
            From::Ssh => "it is for SSH, not for requests".to_owned(),
            From::Tunnel { .. } | From::Http { .. } => ELSEWHERE.to_owned(),
        };
    };
    let host = hosts(host).into_iter().next().unwrap_or_default();
    let paths = paths_of_rule(&route.path, &BTreeSet::new()).into_iter();
    let errors: Vec<Option<String>> =
        paths.map(|path| Probe { host: host.clone(), path }.target(side).err()).collect();
    match errors.as_slice() {
        [] => "no path was found that fits its rule".to_owned(),
        [Some(why), more @ ..] if more.iter().all(Option::is_some) => why.clone(),
        [..] => ELSEWHERE.to_owned(),
    }
}
