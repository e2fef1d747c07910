//! Routes that host and path never lead to, because one route before them takes everything they are
//! for. Says only what is certain: a route that several others cover together, or of which a regular
//! expression covers more than one path, is not found.

use super::{From, HostPattern, PathMatch, Route};
use crate::pattern::Pattern;
use crate::request::Host;
use std::collections::HashMap;

/// Those of `routes` that are never found, each with the first that takes its place, in file order.
/// Envoy may still name them by id. With `any_port`, a `from` without port serves every port.
pub fn shadowed<'r>(
    routes: impl IntoIterator<Item = &'r Route>,
    any_port: bool,
) -> Vec<(&'r Route, &'r Route)> {
    let mut seen = Seen { any_port, ..Seen::default() };
    let routes: Vec<&Route> = routes.into_iter().collect();
    let pairs = routes.iter().enumerate().filter_map(|(index, route)| {
        let by = seen.take(index, route)?;
        Some((*route, *routes.get(by)?))
    });
    pairs.collect()
}

/// The routes before the one that is looked at.
#[derive(Default)]
struct Seen<'t> {
    any_port: bool,
    names: HashMap<(&'t str, Reach), Covered<'t>>,
    patterns: Vec<(&'t str, Reach, Covered<'t>)>,
    tunnels: HashMap<&'t Host, usize>,
}

/// The ports a `from` is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Reach {
    All,
    /// This one, and requests that name none.
    Default(u16),
    Only(u16),
}

impl<'t> Seen<'t> {
    /// Adds `route`, and says which one before it covers it.
    fn take(&mut self, index: usize, route: &'t Route) -> Option<usize> {
        match &route.from {
            From::Http { host: HostPattern::Exact(name), port, default_port } => {
                // Routes with and without a port are in different lists, so that none covers another.
                let reach = self.reach(*port, *default_port);
                let covered = self.names.entry((name, reach)).or_default();
                let by = covered.covering(&route.path);
                covered.add(index, &route.path);
                by
            }
            From::Http { host: HostPattern::Wildcard(pattern), port, default_port } => {
                let reach = self.reach(*port, *default_port);
                let before = self.patterns.iter();
                let wider = before
                    .filter(|(other, theirs, _)| theirs.include(reach) && includes(other, pattern));
                let by = wider.filter_map(|(_, _, covered)| covered.covering(&route.path)).min();
                self.add_pattern(index, (pattern, reach), &route.path);
                by
            }
            From::Tunnel { targets } => {
                let taken: Option<Vec<_>> =
                    targets.iter().map(|target| self.tunnels.get(target).copied()).collect();
                for target in targets {
                    self.tunnels.entry(target).or_insert(index);
                }
                taken?.into_iter().min()
            }
            From::Ssh => None,
        }
    }

    fn add_pattern(&mut self, index: usize, at: (&'t str, Reach), path: &'t PathMatch) {
        let same = self.patterns.iter_mut().find(|(pattern, reach, _)| (*pattern, *reach) == at);
        match same {
            Some((_, _, covered)) => covered.add(index, path),
            None => {
                let mut covered = Covered::default();
                covered.add(index, path);
                self.patterns.push((at.0, at.1, covered));
            }
        }
    }

    fn reach(&self, port: Option<u16>, default_port: u16) -> Reach {
        match port {
            Some(port) => Reach::Only(port),
            None if self.any_port => Reach::All,
            None => Reach::Default(default_port),
        }
    }
}

impl Reach {
    fn include(self, other: Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::Default(ours), Self::Only(theirs)) => ours == theirs,
            (Self::Default(_) | Self::Only(_), _) => self == other,
        }
    }
}

/// Whether the host pattern `wide` surely matches every host that `narrow` matches.
fn includes(wide: &str, narrow: &str) -> bool {
    let end = wide.strip_prefix('*').filter(|end| !end.contains('*'));
    let begin = wide.strip_suffix('*').filter(|begin| !begin.contains('*'));
    let narrow_end = narrow.rsplit('*').next().unwrap_or_default();
    let narrow_begin = narrow.split('*').next().unwrap_or_default();
    wide == narrow
        || end.is_some_and(|end| narrow_end.ends_with(end))
        || begin.is_some_and(|begin| narrow_begin.starts_with(begin))
}

/// The paths of routes that share hosts and ports, each with the first route that has it.
#[derive(Default)]
struct Covered<'t> {
    any: Option<usize>,
    prefixes: HashMap<&'t str, usize>,
    separated: HashMap<&'t str, usize>,
    exact: HashMap<&'t str, usize>,
    patterns: Vec<(usize, &'t Pattern)>,
}

impl<'t> Covered<'t> {
    fn add(&mut self, index: usize, path: &'t PathMatch) {
        match path {
            PathMatch::Any => self.any = self.any.or(Some(index)),
            PathMatch::Prefix(prefix) => {
                self.prefixes.entry(prefix).or_insert(index);
            }
            PathMatch::SeparatedPrefix(prefix) => {
                self.separated.entry(prefix).or_insert(index);
            }
            PathMatch::Exact(path) => {
                self.exact.entry(path).or_insert(index);
            }
            PathMatch::Regex(pattern) => self.patterns.push((index, pattern)),
        }
    }

    /// The first route that matches every path that `path` matches.
    fn covering(&self, path: &PathMatch) -> Option<usize> {
        let by_path = match path {
            PathMatch::Any => None,
            PathMatch::Prefix(prefix) => self.above(prefix).min(),
            PathMatch::SeparatedPrefix(prefix) => {
                self.above(prefix).chain(self.separated.get(prefix.as_str()).copied()).min()
            }
            PathMatch::Exact(path) => {
                let same =
                    [&self.separated, &self.exact].map(|map| map.get(path.as_str()).copied());
                let matching = self.patterns.iter().find(|(_, pattern)| pattern.matches(path));
                let matching = matching.map(|(index, _)| *index);
                self.above(path).chain(same.into_iter().flatten()).chain(matching).min()
            }
            PathMatch::Regex(pattern) => {
                let same = self.patterns.iter().find(|(_, other)| *other == pattern);
                same.map(|(index, _)| *index)
            }
        };
        self.any.into_iter().chain(by_path).min()
    }

    /// The routes that match every path that begins with `text`.
    fn above(&self, text: &str) -> impl Iterator<Item = usize> {
        let beginnings = (1..=text.len()).filter_map(|end| text.get(..end));
        let folders = text.match_indices('/').filter_map(|(at, _)| text.get(..at));
        let prefixes = beginnings.filter_map(|beginning| self.prefixes.get(beginning));
        prefixes.chain(folders.filter_map(|folder| self.separated.get(folder))).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{includes, shadowed};
    use crate::assertion::RouteHeaders;
    use crate::document::Place;
    use crate::id::{NamespaceId, RouteId};
    use crate::namespace::Made;
    use crate::route::{From, PathMatch, Route};

    /// `from path` lines; the path begins with `=` (exact), `^` (regex), `|` (separated) or `/`.
    fn routes(lines: &[&str]) -> Vec<Route> {
        let route = |(index, line): (usize, &&str)| {
            let (from, path) = line.split_once(' ').expect("a path");
            let path = match path.split_at(1) {
                ("=", path) => PathMatch::exact(path),
                ("^", path) => PathMatch::regex(path),
                ("|", path) => PathMatch::separated_prefix(path),
                _ => PathMatch::prefix(path),
            };
            Route {
                id: RouteId::new(&index.to_string()),
                from: From::parse(from).expect(line),
                path: path.expect(line),
                namespace: NamespaceId::global(),
                made: Made::InFile,
                named: true,
                policies: Vec::new(),
                authority: None,
                mcp: false,
                headers: RouteHeaders::default(),
                show_error_details: false,
                place: Place::whole("test"),
            }
        };
        lines.iter().enumerate().map(route).collect()
    }

    fn pairs(lines: &[&str], any_port: bool) -> Vec<String> {
        let routes = routes(lines);
        let pairs = shadowed(&routes, any_port).into_iter();
        pairs.map(|(route, by)| format!("{}<{}", route.id, by.id)).collect()
    }

    /// Whether the second of two paths of one host is never reached.
    fn check(first: &str, second: &str, expected: bool) {
        let lines = [format!("https://a.test {first}"), format!("https://a.test {second}")];
        let found = pairs(&[&lines[0], &lines[1]], true);
        assert_eq!(!found.is_empty(), expected, "{first} before {second}");
    }

    #[test]
    fn paths() {
        for covered in ["/", "/a", "|/a", "=/a", "^/a"] {
            check("/", covered, true);
        }
        for (first, second) in [
            ("/a", "/a"),
            ("/a", "/ab"),
            ("/a", "/a/b"),
            ("/a", "|/a"),
            ("/a", "|/ab"),
            ("/a", "=/a"),
            ("/a", "=/ab"),
            ("/a/", "/a/b"),
            ("|/a", "|/a"),
            ("|/a", "|/a/b"),
            ("|/a", "/a/"),
            ("|/a", "/a/b"),
            ("|/a", "=/a"),
            ("|/a", "=/a/b"),
            ("=/a", "=/a"),
            ("^/a.*", "=/ab"),
            ("^/a.*", "^/a.*"),
        ] {
            check(first, second, true);
        }
        for (first, second) in [
            ("/a", "/"),
            ("/ab", "/a"),
            ("/a/", "|/a"),
            ("/a/", "=/a"),
            ("/a/", "/a"),
            ("|/a", "/a"),
            ("|/a", "/ab"),
            ("|/a", "|/ab"),
            ("|/a", "=/ab"),
            ("|/a", "/"),
            ("=/a", "/a"),
            ("=/a", "|/a"),
            ("=/a", "^/a"),
            ("^/a.*", "/ab"),
            ("^/a.*", "^/a.+"),
            ("^/a", "=/b"),
            ("/a", "^/a"),
        ] {
            check(first, second, false);
        }
    }

    #[test]
    fn hosts_and_ports() {
        let check = |any_port, lines: &[&str], expected: &[&str]| {
            assert_eq!(pairs(lines, any_port), expected, "{lines:?}");
        };
        for any_port in [true, false] {
            check(any_port, &["https://a /", "https://b /"], &[]);
            check(any_port, &["https://a /", "https://A:443 /x"], &["1<0"]);
            check(any_port, &["https://a /", "https://a:8443 /"], &[]);
            check(any_port, &["https://a:8443 /", "https://a /"], &[]);
            check(any_port, &["https://a:8443 /", "http://a:8443 /"], &["1<0"]);
            check(any_port, &["https://a:8443 /", "https://a:8444 /"], &[]);
            check(any_port, &["https://*.a /", "https://x.a /"], &[]);
            check(any_port, &["https://x.a /", "https://*.a /"], &[]);
            check(any_port, &["https://* /", "https://*.a /", "https://*.a /"], &["1<0", "2<0"]);
            check(any_port, &["ssh://a /", "ssh://a /"], &[]);
        }
        check(true, &["https://a /", "http://a /"], &["1<0"]);
        check(false, &["https://a /", "http://a /"], &[]);
        check(true, &["https://*.a /", "https://*.a:8443 /"], &["1<0"]);
        check(false, &["https://*.a /", "https://*.a:8443 /"], &[]);
        check(false, &["https://*.a /", "http://*.a:443 /"], &["1<0"]);
        check(false, &["https://*.a:8443 /", "https://*.a /"], &[]);
        check(true, &["https://*.a:8443 /", "https://*.a /"], &[]);
    }

    #[test]
    fn host_patterns() {
        for (wide, narrow) in [("*", "a*b"), ("*.a", "*.x.a"), ("a*", "ab*"), ("a*b", "a*b")] {
            assert!(includes(wide, narrow), "{wide} {narrow}");
        }
        for (wide, narrow) in [("*.x.a", "*.a"), ("ab*", "a*"), ("a*b", "a*bb"), ("*a*", "*ab*")] {
            assert!(!includes(wide, narrow), "{wide} {narrow}");
        }
    }

    #[test]
    fn tunnels() {
        let db = "tcp+https://db:5432 /";
        let check = |lines: &[&str], expected: &[&str]| assert_eq!(pairs(lines, true), expected);
        check(&[db, db], &["1<0"]);
        check(&[db, "tcp+https://db:5433 /"], &[]);
        check(&[db, "https://db:5432 /"], &[]);
        check(&[db, "tcp+https://proxy/db:5432/cache:1 /"], &[]);
        check(&["tcp+https://proxy/db:5432/cache:1 /", db], &["1<0"]);
        check(&["tcp+https://proxy/a:1/ /", "tcp+https://proxy// /"], &[]);
    }

    #[test]
    fn the_first_that_covers_is_named() {
        let lines =
            ["https://a /x", "https://a /x/y", "https://a =/x/y/z", "https://a /", "https://a /"];
        assert_eq!(pairs(&lines, true), ["1<0", "2<0", "4<3"]);
    }
}
