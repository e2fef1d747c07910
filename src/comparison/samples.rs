//! Concrete hosts, paths and methods that fit what a route and its policies say.

use crate::pattern::Spelling;
use crate::policy::Hint;
use crate::request::{Kind, percent_decoded};
use crate::route::{From, HostPattern, PathMatch, Route};
use crate::state::Snapshot;
use crate::supposition::AskedUrl;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::collections::BTreeSet;

/// A name that nobody has written in a configuration.
const NAME: &str = "lictor-probe";
/// What a `*` is filled in with: the first that leads to the route in question.
const FILLINGS: [&str; 3] = [NAME, "x", "a.b"];
/// So many combinations of the beginnings and the ends that policies test.
const COMBINED: usize = 64;

const STANDARD_METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// What stands in a path as an escape, so that it decodes to what a policy compares.
const ESCAPED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?');

/// A method, and whether it stands for all that nobody names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Method {
    pub name: String,
    pub others: bool,
}

/// An address that leads to a route; `None` if others stand before it everywhere, or if it is not for
/// HTTP.
pub fn sample(snapshot: &Snapshot, route: &Route) -> Option<AskedUrl> {
    let paths = paths_of_rule(&route.path, &BTreeSet::new());
    let From::Http { host, port, default_port: _ } = &route.from else {
        return None;
    };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let hosts = hosts(host).into_iter().map(|name| format!("{name}{port}"));
    let asked = hosts.flat_map(|host| {
        let url = move |path: &String| AskedUrl {
            scheme: "https".to_owned(),
            host: host.clone(),
            path: path.clone(),
            query: None,
        };
        paths.iter().map(url).collect::<Vec<_>>()
    });
    let leads = |url: &AskedUrl| {
        let target = snapshot.settings.target(&url.host, &url.path, Kind::Http).ok();
        let found = target.and_then(|target| snapshot.table().find(Kind::Http, &target));
        found.is_some_and(|found| std::ptr::eq(found, route))
    };
    asked.into_iter().find(leads)
}

/// Names that fit a host pattern.
pub(super) fn hosts(pattern: &HostPattern) -> Vec<String> {
    match pattern {
        HostPattern::Exact(name) => vec![name.clone()],
        HostPattern::Wildcard(pattern) => {
            FILLINGS.iter().map(|filling| pattern.replace('*', filling)).collect()
        }
    }
}

/// Paths for which tests hold, as they are sent. `like` is a path that leads to where they are asked.
pub(super) fn paths_of_tests(hints: &[Hint<'_>], like: &str) -> Vec<String> {
    let stem = percent_decoded(like).unwrap_or_default();
    let written = decoded_paths(hints, &stem).into_iter();
    written.map(|path| utf8_percent_encode(&path, ESCAPED).to_string()).collect()
}

/// Paths that fit a rule. `prefixes` are those of other routes of the host: where two rules overlap,
/// their order counts.
pub(super) fn paths_of_rule(rule: &PathMatch, prefixes: &BTreeSet<&str>) -> Vec<String> {
    match rule {
        PathMatch::Any => vec!["/".to_owned(), below("/")],
        PathMatch::Prefix(prefix) => {
            vec![prefix.clone(), below(prefix), format!("{prefix}{NAME}")]
        }
        PathMatch::SeparatedPrefix(prefix) => vec![prefix.clone(), below(prefix)],
        PathMatch::Exact(path) => vec![path.clone()],
        PathMatch::Regex(pattern) => {
            let plain = PathSpelling::ALL.iter().filter_map(|as_path| pattern.sample("", as_path));
            let inside = prefixes.iter().flat_map(|prefix| {
                let starts = [(*prefix).to_owned(), format!("{prefix}/")];
                starts.map(|start| pattern.sample(&start, &PathSpelling::ALL[0]))
            });
            plain.chain(inside.flatten()).collect()
        }
    }
}

fn below(path: &str) -> String {
    let slash = if path.ends_with('/') { "" } else { "/" };
    format!("{path}{slash}{NAME}")
}

/// Decoded paths for which tests hold. `stem` is a path that fits the route.
fn decoded_paths(hints: &[Hint<'_>], stem: &str) -> Vec<String> {
    let mut paths: Vec<String> = hints.iter().flat_map(|hint| decoded_path(*hint, stem)).collect();
    let starts = hints.iter().filter_map(|hint| match hint {
        Hint::Start(start) => Some(start),
        Hint::Whole(_) | Hint::Part(_) | Hint::End(_) | Hint::Pattern(_) => None,
    });
    let ends = hints.iter().filter_map(|hint| match hint {
        Hint::End(end) | Hint::Part(end) => Some(end),
        Hint::Whole(_) | Hint::Start(_) | Hint::Pattern(_) => None,
    });
    let both = starts.flat_map(|start| ends.clone().map(move |end| format!("{start}{NAME}{end}")));
    paths.extend(both.take(COMBINED));
    paths
}

fn decoded_path(hint: Hint<'_>, stem: &str) -> Vec<String> {
    match hint {
        Hint::Whole(text) => vec![text.to_owned()],
        Hint::Start(start) => vec![start.to_owned(), format!("{start}{NAME}")],
        Hint::Part(text) | Hint::End(text) => {
            vec![text.to_owned(), format!("{stem}{text}"), format!("{}{text}", below(stem))]
        }
        Hint::Pattern(pattern) => {
            let starts = ["", stem].into_iter();
            starts.filter_map(|start| pattern.sample(start, &PathSpelling::ALL[0])).collect()
        }
    }
}

/// The methods that tests make a difference of, and one that nobody names.
pub(super) fn methods(hints: &[Hint<'_>]) -> Vec<Method> {
    let mut named = BTreeSet::new();
    for hint in hints {
        match hint {
            Hint::Whole(text) => named.extend([(*text).to_owned()]),
            Hint::Start(text) | Hint::Part(text) | Hint::End(text) => {
                named.extend(STANDARD_METHODS.map(str::to_owned));
                named.extend([(*text).to_owned(), format!("{text}X"), format!("X{text}")]);
            }
            Hint::Pattern(pattern) => {
                named.extend(STANDARD_METHODS.map(str::to_owned));
                named.extend(pattern.sample("", &MethodSpelling));
            }
        }
    }
    named.retain(|name| is_token(name));
    let other = STANDARD_METHODS.into_iter().find(|name| !named.contains(*name));
    let other = Method { name: other.unwrap_or("LICTOR-PROBE").to_owned(), others: true };
    let listed = named.into_iter().map(|name| Method { name, others: false });
    listed.chain([other]).collect()
}

fn is_token(text: &str) -> bool {
    let symbol = |byte: &u8| b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || symbol(&byte))
}

/// Paths with one reading and no escapes. The letters are the same everywhere; what is tried first
/// differs, so that a path which another route has need not be the only one.
struct PathSpelling(&'static [u8]);

impl PathSpelling {
    const ALL: [Self; 3] = [
        Self(b"abcdefghijklmnopqrstuvwxyz0123456789-_~ABCDEFGHIJKLMNOPQRSTUVWXYZ./@:!$&'()*+,="),
        Self(b"qrstuvwxyzabcdefghijklmnop7890123456QRSTUVWXYZABCDEFGHIJKLMNOP-_~./@:!$&'()*+,="),
        Self(b"9876543210ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba~_-./=,+*)('&$!:@"),
    ];
}

/// Where in a path a text stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Segment {
    /// Before the first slash.
    None,
    /// After a slash.
    Empty,
    Dot,
    Dots,
    Named,
}

impl Spelling for PathSpelling {
    type State = Segment;

    fn begin(&self) -> Segment {
        Segment::None
    }

    fn letters(&self) -> &[u8] {
        self.0
    }

    fn then(&self, state: Segment, letter: u8) -> Option<Segment> {
        match (state, letter) {
            (Segment::None | Segment::Named, b'/') => Some(Segment::Empty),
            (Segment::None, _) | (Segment::Empty | Segment::Dot | Segment::Dots, b'/') => None,
            (Segment::Empty, b'.') => Some(Segment::Dot),
            (Segment::Dot, b'.') => Some(Segment::Dots),
            (Segment::Empty | Segment::Dot | Segment::Dots | Segment::Named, _) => {
                Some(Segment::Named)
            }
        }
    }

    fn may_end(&self, state: Segment) -> bool {
        matches!(state, Segment::Empty | Segment::Named)
    }
}

/// The state is whether there is a letter yet.
struct MethodSpelling;

impl Spelling for MethodSpelling {
    type State = bool;

    fn begin(&self) -> bool {
        false
    }

    fn letters(&self) -> &[u8] {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    }

    fn then(&self, _: bool, _: u8) -> Option<bool> {
        Some(true)
    }

    fn may_end(&self, state: bool) -> bool {
        state
    }
}

#[cfg(test)]
mod tests {
    use super::{decoded_paths, methods, paths_of_rule};
    use crate::policy::Hint;
    use crate::request::Path;
    use crate::route::PathMatch;
    use std::collections::BTreeSet;

    #[test]
    fn paths_of_rules() {
        let check = |rule: PathMatch, expected: &[&str]| {
            let paths = paths_of_rule(&rule, &BTreeSet::from(["/v1", "/x/"]));
            assert_eq!(paths, expected, "{rule}");
            for path in paths {
                assert!(rule.matches(&path) && Path::parse(&path).is_ok(), "{rule} {path}");
            }
        };
        check(PathMatch::Any, &["/", "/lictor-probe"]);
        let prefix = ["/a", "/a/lictor-probe", "/alictor-probe"];
        check(PathMatch::prefix("/a").expect("a prefix"), &prefix);
        check(PathMatch::separated_prefix("/a").expect("a prefix"), &prefix[..2]);
        check(PathMatch::exact("/a/b").expect("a path"), &["/a/b"]);
        let regex = |text: &str| PathMatch::regex(text).expect("a regex");
        check(regex("/v[0-9]+/.*/x"), &["/v0/a/x", "/v7/q/x", "/v9/9/x", "/v1/a/x", "/v1/a/x"]);
        check(regex("(/[^/]+){2}[.]"), &["/a/a.", "/q/q.", "/9/9.", "/v1/a.", "/v1/a.", "/x/a."]);
        check(regex(".*[.][.]"), &["/a..", "/q..", "/9..", "/v1..", "/v1/a..", "/x/a.."]);
        check(regex("//a"), &[]);
        check(regex("/é"), &[]);
    }

    #[test]
    fn paths_of_tests() {
        let paths = |hint| decoded_paths(&[hint], "/api");
        assert_eq!(paths(Hint::Whole("/a b")), ["/a b"]);
        assert_eq!(paths(Hint::Start("/a")), ["/a", "/alictor-probe"]);
        assert_eq!(paths(Hint::End(".js")), [".js", "/api.js", "/api/lictor-probe.js"]);
        let both = decoded_paths(&[Hint::Start("/a"), Hint::End(".js")], "/");
        assert!(both.contains(&"/alictor-probe.js".to_owned()), "{both:?}");
    }

    #[test]
    fn methods_of_tests() {
        let check = |hints: &[Hint<'_>], expected: &[&str], other: &str| {
            let mut methods = methods(hints);
            let last = methods.pop().expect("one more");
            assert_eq!((last.name.as_str(), last.others), (other, true));
            let named: Vec<_> = methods.iter().map(|method| method.name.as_str()).collect();
            assert_eq!(named, expected);
        };
        check(&[], &[], "GET");
        check(&[Hint::Whole("POST"), Hint::Whole("no token")], &["POST"], "GET");
        check(&[Hint::Whole("GET"), Hint::Whole("POST")], &["GET", "POST"], "PUT");
        let odd = [Hint::Start("P")];
        let all = ["DELETE", "GET", "HEAD", "OPTIONS", "P", "PATCH", "POST", "PUT", "PX", "XP"];
        check(&odd, &all, "LICTOR-PROBE");
    }
}
