//! Routes that may serve some of the same requests. In doubt they do.

use crate::route::{From, HostPattern, PathMatch, Route};
use std::collections::HashMap;

/// The routes for ordinary requests, to be asked about one after the other.
pub(super) struct Overlaps<'w> {
    named: HashMap<&'w str, Vec<&'w Route>>,
    patterns: Vec<&'w Route>,
    any_port: bool,
}

impl<'w> Overlaps<'w> {
    /// With `any_port`, a `from` without port serves every port.
    pub(super) fn new(routes: impl Iterator<Item = &'w Route>, any_port: bool) -> Self {
        let mut found = Self { named: HashMap::new(), patterns: Vec::new(), any_port };
        for route in routes {
            match route.from.host() {
                Some(HostPattern::Exact(name)) => found.named.entry(name).or_default().push(route),
                Some(HostPattern::Wildcard(_)) => found.patterns.push(route),
                None => {}
            }
        }
        found
    }

    /// Those whose hosts, whatever their ports and paths, may be some of these.
    pub(super) fn of_hosts(&self, hosts: &HostPattern) -> Vec<&'w Route> {
        let named: Vec<&'w Route> = match hosts {
            HostPattern::Exact(name) => self.named.get(name.as_str()).cloned().unwrap_or_default(),
            HostPattern::Wildcard(_) => {
                let fitting = self.named.iter().filter(|(name, _)| hosts.matches(name));
                fitting.flat_map(|(_, routes)| routes.iter().copied()).collect()
            }
        };
        let patterns = self.patterns.iter().copied();
        let patterns =
            patterns.filter(|other| other.from.host().is_some_and(|other| may_meet(hosts, other)));
        named.into_iter().chain(patterns).collect()
    }

    /// Those that may serve a request that `route` serves, by id.
    pub(super) fn with(&self, route: &Route) -> Vec<&'w Route> {
        let Some(hosts) = route.from.host() else { return Vec::new() };
        let mut others = self.of_hosts(hosts);
        others.retain(|other| {
            other.id != route.id
                && self.share_ports(&route.from, &other.from)
                && may_share(&route.path, &other.path)
        });
        others.sort_by(|one, other| one.id.cmp(&other.id));
        others
    }

    fn share_ports(&self, one: &From, other: &From) -> bool {
        let port = |from: &From| match from {
            From::Http { port: Some(port), .. } => Some(*port),
            From::Http { port: None, default_port, .. } => {
                (!self.any_port).then_some(*default_port)
            }
            From::Tunnel { .. } | From::Ssh => None,
        };
        match (port(one), port(other)) {
            (Some(one), Some(other)) => one == other,
            (None, _) | (_, None) => true,
        }
    }
}

/// Whether one host may fit both.
pub(super) fn may_meet(one: &HostPattern, other: &HostPattern) -> bool {
    match (one, other) {
        (HostPattern::Exact(name), pattern) | (pattern, HostPattern::Exact(name)) => {
            pattern.matches(name)
        }
        (HostPattern::Wildcard(one), HostPattern::Wildcard(other)) => {
            ends_meet(one, other) && ends_meet(&reversed(one), &reversed(other))
        }
    }
}

/// Whether what stands before the first star of one may be what stands there in the other.
fn ends_meet(one: &str, other: &str) -> bool {
    let begin = |pattern: &str| pattern.split('*').next().unwrap_or_default().to_owned();
    let (one, other) = (begin(one), begin(other));
    one.starts_with(&other) || other.starts_with(&one)
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

/// Whether one path may fit both.
fn may_share(one: &PathMatch, other: &PathMatch) -> bool {
    use PathMatch::{Any, Exact, Prefix, Regex, SeparatedPrefix};
    match (one, other) {
        (Exact(path), rule) | (rule, Exact(path)) => rule.matches(path),
        (Any | Regex(_), _) | (_, Any | Regex(_)) => true,
        (Prefix(one), Prefix(other)) => one.starts_with(other) || other.starts_with(one),
        (Prefix(text), SeparatedPrefix(folder)) | (SeparatedPrefix(folder), Prefix(text)) => {
            let inside = format!("{folder}/");
            folder.starts_with(text) || text.starts_with(&inside)
        }
        (SeparatedPrefix(one), SeparatedPrefix(other)) => {
            one == other
                || one.starts_with(&format!("{other}/"))
                || other.starts_with(&format!("{one}/"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{may_meet, may_share};
    use crate::route::{HostPattern, PathMatch};

    fn host(text: &str) -> HostPattern {
        if text.contains('*') {
            HostPattern::Wildcard(text.to_owned())
        } else {
            HostPattern::Exact(text.to_owned())
        }
    }

    #[test]
    fn hosts_that_may_meet() {
        let pairs = [
            ("a.test", "a.test", true),
            ("a.test", "b.test", false),
            ("a.test", "*.test", true),
            ("a.test", "*.b.test", false),
            ("*", "*.test", true),
            ("*.a.test", "*.test", true),
            ("*.a.test", "*.b.test", false),
            ("web-*.test", "api-*.test", false),
            ("web-*.test", "*-1.test", true),
        ];
        for (one, other, meet) in pairs {
            assert_eq!(may_meet(&host(one), &host(other)), meet, "{one} {other}");
            assert_eq!(may_meet(&host(other), &host(one)), meet, "{other} {one}");
        }
    }

    /// `=` exact, `^` regular expression, `|` separated prefix, `/` prefix.
    fn rule(text: &str) -> PathMatch {
        match text.split_at(1) {
            ("=", path) => PathMatch::exact(path),
            ("^", path) => PathMatch::regex(path),
            ("|", path) => PathMatch::separated_prefix(path),
            _ => PathMatch::prefix(text),
        }
        .expect("a path")
    }

    #[test]
    fn paths_that_may_be_shared() {
        let pairs = [
            ("/", "=/x", true),
            ("=/x", "=/x", true),
            ("=/x", "=/y", false),
            ("/a", "/ab", true),
            ("/a", "/b", false),
            ("|/a", "/ab", false),
            ("|/a", "/a/b", true),
            ("|/a", "/", true),
            ("|/a", "|/a/b", true),
            ("|/a", "|/ab", false),
            ("^/v[0-9]+", "=/v1", true),
            ("^/v[0-9]+", "=/w", false),
            ("^/v[0-9]+", "/w", true),
        ];
        for (one, other, share) in pairs {
            assert_eq!(may_share(&rule(one), &rule(other)), share, "{one} {other}");
            assert_eq!(may_share(&rule(other), &rule(one)), share, "{other} {one}");
        }
    }
}
