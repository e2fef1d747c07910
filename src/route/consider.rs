//! Why a route serves a request and the others do not: the search told route by route, in the order
//! in which it considers them. Reads slowly what [`Table::find`] looks up; both agree.

use super::{From, HostPattern, PathMatch, Route, Table};
use crate::request::{Host, Kind, Target};

/// One route and what became of it.
#[derive(Debug)]
pub struct Considered<'t> {
    pub route: &'t Route,
    pub verdict: Verdict,
}

/// What became of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It serves the request.
    Serves,
    /// It would, but one before it does.
    Shadowed,
    /// Its path is another one.
    Path,
    /// Its port is another one.
    Port,
    /// It is not tried, because host and port are listed together.
    ListedWithPort,
    /// It is not tried, because the host is listed exactly and this is a pattern.
    ListedExactly,
    /// It is for tunnels and the request is none, or the other way round.
    Kind,
    /// Its host is another one, or it is for no HTTP at all.
    Host,
}

/// The lists in which routes are tried; the first that has a route for the host is the only one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum List {
    HostAndPort,
    Host,
    Patterns,
    /// In none of them.
    Others,
}

impl Verdict {
    /// A stable name for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Serves => "serves",
            Self::Shadowed => "shadowed",
            Self::Path => "path",
            Self::Port => "port",
            Self::ListedWithPort => "listed-with-port",
            Self::ListedExactly => "listed-exactly",
            Self::Kind => "kind",
            Self::Host => "host",
        }
    }
}

impl Considered<'_> {
    /// The verdict in words.
    pub fn why(&self) -> String {
        let fixed = match self.verdict {
            Verdict::Path => return path_differs(&self.route.path),
            Verdict::Serves => "serves it",
            Verdict::Shadowed => "shadowed: an earlier route matches",
            Verdict::Port => "port does not match",
            Verdict::ListedWithPort => {
                "not tried: the host is listed with this port, so routes without port are not consulted"
            }
            Verdict::ListedExactly => {
                "not tried: the host is listed exactly, so wildcard routes are not consulted"
            }
            Verdict::Kind => match self.route.from {
                From::Tunnel { .. } => "serves CONNECT alone",
                From::Http { .. } | From::Ssh => "does not serve CONNECT",
            },
            Verdict::Host => "host does not match",
        };
        fixed.to_owned()
    }
}

fn path_differs(path: &PathMatch) -> String {
    match path {
        PathMatch::Any => "path does not match".to_owned(),
        PathMatch::Prefix(prefix) => format!("path does not begin with `{prefix}`"),
        PathMatch::SeparatedPrefix(prefix) => {
            format!("path is neither `{prefix}` nor below `{prefix}/`")
        }
        PathMatch::Exact(path) => format!("path is not `{path}`"),
        PathMatch::Regex(pattern) => format!("path does not match `{pattern}`"),
    }
}

impl Table {
    /// Every route in the order of consideration, each with what becomes of it. At most one serves,
    /// and it is the one that [`Table::find`] finds.
    pub fn consider(&self, kind: Kind, target: &Target) -> Vec<Considered<'_>> {
        let sort = |route| {
            let (list, verdict) = self.list(route, kind, &target.host);
            (list, verdict, route)
        };
        let mut sorted: Vec<_> = self.routes().map(sort).collect();
        // Inside a list the order of the file stays.
        sorted.sort_by_key(|(list, ..)| *list);
        let tried = sorted.iter().find(|(_, verdict, _)| verdict.is_none()).map(|(list, ..)| *list);
        let mut served = false;
        let judge = |(list, verdict, route): (List, Option<Verdict>, _)| {
            let verdict = verdict.unwrap_or_else(|| match tried {
                Some(List::HostAndPort) if list == List::Host => Verdict::ListedWithPort,
                Some(tried) if tried != list => Verdict::ListedExactly,
                _ if !path_fits(route, kind, target) => Verdict::Path,
                _ if std::mem::replace(&mut served, true) => Verdict::Shadowed,
                _ => Verdict::Serves,
            });
            Considered { route, verdict }
        };
        sorted.into_iter().map(judge).collect()
    }

    /// The list a route is in for this host; with a verdict if it cannot serve it at all.
    fn list(&self, route: &Route, kind: Kind, asked: &Host) -> (List, Option<Verdict>) {
        let elsewhere = (List::Others, Some(Verdict::Host));
        match (&route.from, kind) {
            (From::Http { host, .. }, _) if !host.matches(asked.name()) => elsewhere,
            (From::Http { host, port, .. }, Kind::Http) => {
                let list = match (host, port) {
                    (HostPattern::Exact(_), Some(_)) => List::HostAndPort,
                    (HostPattern::Exact(_), None) => List::Host,
                    (HostPattern::Wildcard(_), _) => List::Patterns,
                };
                (list, (!self.host_fits(&route.from, asked)).then_some(Verdict::Port))
            }
            (From::Tunnel { targets }, Kind::Connect) if targets.contains(asked) => {
                (List::HostAndPort, None)
            }
            (From::Tunnel { targets }, _) => {
                match targets.iter().any(|to| to.name() == asked.name()) {
                    true if kind == Kind::Connect => (List::HostAndPort, Some(Verdict::Port)),
                    true => (List::Others, Some(Verdict::Kind)),
                    false => elsewhere,
                }
            }
            (From::Http { .. }, Kind::Connect | Kind::Tcp) => (List::Others, Some(Verdict::Kind)),
            (From::Ssh, _) => elsewhere,
        }
    }
}

fn path_fits(route: &Route, kind: Kind, target: &Target) -> bool {
    kind == Kind::Connect || route.path.matches(target.path.as_str())
}
