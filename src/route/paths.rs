//! The paths of routes that share a host, so that the first in file order is found without trying
//! all. Flat in the number of routes, save for regular expressions: those are tried in order, as far
//! as they stand before what the rest has found.

use super::{PathMatch, Route};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Where routes stand in the file, by their paths.
#[derive(Debug, Default)]
pub(super) struct Paths {
    exact: HashMap<String, usize>,
    prefixes: Prefixes,
    patterns: Vec<usize>,
    any: Option<usize>,
}

impl Paths {
    /// Indexes those of `routes` that stand at `indices`, which ascend.
    pub(super) fn of(routes: &[Arc<Route>], indices: &[usize]) -> Self {
        let mut paths = Self::default();
        let mut prefixes = BTreeMap::new();
        for index in indices.iter().copied() {
            match routes.get(index).map(|route| &route.path) {
                None => {}
                Some(PathMatch::Exact(path)) => {
                    paths.exact.entry(path.clone()).or_insert(index);
                }
                Some(PathMatch::Prefix(prefix)) => {
                    prefixes.entry(prefix.clone()).or_insert(index);
                }
                // The path itself, and everything below it.
                Some(PathMatch::SeparatedPrefix(prefix)) => {
                    paths.exact.entry(prefix.clone()).or_insert(index);
                    prefixes.entry(format!("{prefix}/")).or_insert(index);
                }
                Some(PathMatch::Regex(_)) => paths.patterns.push(index),
                // Nothing behind it is ever reached.
                Some(PathMatch::Any) => {
                    paths.any = Some(index);
                    break;
                }
            }
        }
        paths.prefixes = Prefixes::of(prefixes);
        paths
    }

    /// The first of these routes that `path` matches. `routes` are those that were indexed.
    pub(super) fn first(&self, path: &str, routes: &[Arc<Route>]) -> Option<usize> {
        let exact = self.exact.get(path).copied();
        let found = [exact, self.prefixes.first(path), self.any].into_iter().flatten().min();
        let earlier = |index: &usize| found.is_none_or(|found| *index < found);
        let mut patterns = self.patterns.iter().copied().take_while(earlier);
        let matches = |index: &usize| routes.get(*index).is_some_and(|r| r.path.matches(path));
        patterns.find(matches).or(found)
    }
}

/// Textual prefixes in the order of their bytes.
#[derive(Debug, Default)]
struct Prefixes(Vec<Prefix>);

#[derive(Debug)]
struct Prefix {
    text: String,
    /// The longest other prefix that this one begins with.
    parent: Option<usize>,
    /// The first route that has this prefix, or one that this one begins with.
    first: usize,
}

impl Prefixes {
    fn of(sorted: BTreeMap<String, usize>) -> Self {
        let mut prefixes = Self::default();
        // What the next prefix may begin with, the longest last.
        let mut open: Vec<usize> = Vec::new();
        for (text, index) in sorted {
            while open.last().is_some_and(|at| !prefixes.begins(*at, &text)) {
                open.pop();
            }
            let parent = open.last().copied();
            let above = parent.and_then(|at| prefixes.0.get(at)).map(|parent| parent.first);
            let first = above.map_or(index, |above| above.min(index));
            open.push(prefixes.0.len());
            prefixes.0.push(Prefix { text, parent, first });
        }
        prefixes
    }

    fn begins(&self, at: usize, text: &str) -> bool {
        self.0.get(at).is_some_and(|prefix| text.starts_with(&prefix.text))
    }

    /// The first route of which a prefix begins `path`. INVARIANT: a prefix of `path` is also one of
    /// the last text that is not after `path`, since that text stands between the two.
    fn first(&self, path: &str) -> Option<usize> {
        let after = self.0.partition_point(|prefix| prefix.text.as_str() <= path);
        let mut prefix = self.0.get(after.checked_sub(1)?)?;
        let pairs = prefix.text.bytes().zip(path.bytes());
        let common = pairs.take_while(|(a, b)| a == b).count();
        while prefix.text.len() > common {
            prefix = self.0.get(prefix.parent?)?;
        }
        Some(prefix.first)
    }
}

#[cfg(test)]
mod tests {
    use super::Prefixes;

    #[test]
    fn the_first_of_nested_prefixes() {
        let texts = ["/a/b/c", "/a", "/b/", "/a/b", "/b/x", "/ab"];
        let listed = texts.iter().enumerate().map(|(index, text)| ((*text).to_owned(), index));
        let prefixes = Prefixes::of(listed.collect());
        let check = |path: &str, first| assert_eq!(prefixes.first(path), first, "{path}");
        check("/a/b/c", Some(0));
        check("/a/b/cd", Some(0));
        check("/a/b", Some(1));
        check("/a/z", Some(1));
        check("/abc", Some(1));
        check("/b/x/y", Some(2));
        check("/b/z", Some(2));
        check("/b", None);
        check("/", None);
        check("/c", None);
        check("", None);
        assert_eq!(Prefixes::default().first("/a"), None);
    }
}
