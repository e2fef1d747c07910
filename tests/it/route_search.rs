//! Whatever the routes and the request: the index finds the route that reading the file from its
//! beginning would find.

use crate::support::config::snapshot_of;
use lictor::id::RouteId;
use lictor::request::{Host, Kind, Path, Target};
use lictor::route::{Verdict, shadowed};
use lictor::state::Snapshot;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

/// A route as it is written.
#[derive(Clone, Debug)]
struct Row {
    scheme: &'static str,
    host: &'static str,
    port: Option<u16>,
    path: (&'static str, &'static str),
}

#[derive(Clone, Debug)]
struct Asked {
    kind: Kind,
    host: &'static str,
    port: Option<u16>,
    path: &'static str,
}

fn row() -> impl Strategy<Value = Row> {
    let schemes = &["https", "https", "https", "http", "tcp+https"][..];
    let hosts = &["a.test", "a.test", "b.test", "x.a.test", "*.test", "*.a.test", "a*", "*"][..];
    let ports = &[None, None, None, Some(443), Some(80), Some(8443)][..];
    let paths = &[
        ("prefix", "/"),
        ("prefix", "/a"),
        ("prefix", "/a/"),
        ("prefix", "/a/b"),
        ("prefix", "/ab"),
        ("prefix", "/b"),
        ("path_separated_prefix", "/a"),
        ("path_separated_prefix", "/a/b"),
        ("path_separated_prefix", "/b"),
        ("path", "/a"),
        ("path", "/a/b"),
        ("path", "/"),
        ("regex", "^/a(/.*)?$"),
        ("regex", "/[ab]|/ab/.*"),
        ("regex", r"/\w"),
        ("regex", ".*b"),
    ][..];
    (select(schemes), select(hosts), select(ports), select(paths))
        .prop_filter("a tunnel has no pattern", |(scheme, host, ..)| {
            *scheme != "tcp+https" || !host.contains('*')
        })
        .prop_map(|(scheme, host, port, path)| Row { scheme, host, port, path })
}

fn asked() -> impl Strategy<Value = Asked> {
    let kinds = &[Kind::Http, Kind::Http, Kind::Http, Kind::Connect, Kind::Tcp][..];
    let hosts = &["a.test", "b.test", "c.test", "x.a.test", "aa.else", "else"][..];
    let ports = &[None, None, Some(443), Some(80), Some(8443), Some(1)][..];
    let paths =
        &["/", "/a", "/a/", "/ab", "/a/b", "/a/bc", "/a/b/c", "/ab/c", "/b", "/b/b", "/c"][..];
    (select(kinds), select(hosts), select(ports), select(paths))
        .prop_map(|(kind, host, port, path)| Asked { kind, host, port, path })
}

impl Row {
    fn written(&self) -> serde_json::Value {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let (key, text) = self.path;
        json!({ "from": format!("{}://{}{port}", self.scheme, self.host), key: text })
    }

    fn default_port(&self) -> u16 {
        if self.scheme == "http" { 80 } else { 443 }
    }

    fn unusual_port(&self) -> Option<u16> {
        self.port.filter(|port| *port != self.default_port())
    }

    fn port_fits(&self, asked: Option<u16>, any_port: bool) -> bool {
        match self.unusual_port() {
            Some(port) => asked == Some(port),
            None => any_port || asked.is_none_or(|asked| asked == self.default_port()),
        }
    }

    fn path_fits(&self, asked: &str) -> bool {
        match self.path {
            ("prefix", prefix) => asked.starts_with(prefix),
            ("path_separated_prefix", prefix) => {
                asked == prefix || asked.starts_with(&format!("{prefix}/"))
            }
            ("path", path) => asked == path,
            (_, "^/a(/.*)?$") => asked == "/a" || asked.starts_with("/a/"),
            (_, "/[ab]|/ab/.*") => ["/a", "/b"].contains(&asked) || asked.starts_with("/ab/"),
            (_, r"/\w") => asked.len() == 2,
            (_, ".*b") => asked.ends_with('b'),
            other => panic!("{other:?} is not in the list"),
        }
    }
}

/// The host patterns above, each in words.
fn glob(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(end) => host.ends_with(end),
        None => pattern.strip_suffix('*').is_some_and(|begin| host.starts_with(begin)),
    }
}

/// By reading `rows` from the beginning; the answer is a place among them.
fn linear(rows: &[Row], any_port: bool, asked: &Asked) -> Option<usize> {
    let first = |wanted: &dyn Fn(&Row) -> bool| rows.iter().position(wanted);
    let any = |wanted: &dyn Fn(&Row) -> bool| rows.iter().any(wanted);
    let tunnel = |row: &Row| row.scheme == "tcp+https";
    let named = |row: &Row| !tunnel(row) && row.host == asked.host;
    let with_port =
        |row: &Row| named(row) && asked.port.is_some() && row.unusual_port() == asked.port;
    let without = |row: &Row| {
        named(row) && row.unusual_port().is_none() && row.port_fits(asked.port, any_port)
    };
    let wildcard = |row: &Row| {
        row.host.contains('*') && glob(row.host, asked.host) && row.port_fits(asked.port, any_port)
    };
    match asked.kind {
        Kind::Tcp => None,
        Kind::Connect => {
            first(&|row| tunnel(row) && row.host == asked.host && row.port == asked.port)
        }
        Kind::Http if any(&with_port) => first(&|row| with_port(row) && row.path_fits(asked.path)),
        Kind::Http if any(&without) => first(&|row| without(row) && row.path_fits(asked.path)),
        Kind::Http => first(&|row| wildcard(row) && row.path_fits(asked.path)),
    }
}

fn target(asked: &Asked) -> Target {
    let port = asked.port.map(|port| format!(":{port}")).unwrap_or_default();
    let host = Host::parse(&format!("{}{port}", asked.host)).expect("a host");
    let path = match asked.kind {
        Kind::Http => Path::parse(asked.path).expect("a path"),
        Kind::Connect | Kind::Tcp => Path::default(),
    };
    Target { host, path }
}

fn snapshot(rows: &[Row], any_port: bool) -> Snapshot {
    let routes: Vec<_> = rows.iter().map(Row::written).collect();
    let flags = json!({ "match_any_incoming_port": any_port });
    snapshot_of(&json!({ "routes": routes, "runtime_flags": flags }).to_string())
}

proptest! {
    #[test]
    fn the_index_finds_what_reading_finds(rows in vec(row(), 0..24), any_port in any::<bool>(), requests in vec(asked(), 20)) {
        let snapshot = snapshot(&rows, any_port);
        let table = snapshot.table();
        for asked in &requests {
            let target = target(asked);
            let found = table.find(asked.kind, &target).map(|route| route.id.to_string());
            let expected = linear(&rows, any_port, asked).map(|at| format!("route-{}", at + 1));
            prop_assert_eq!(&found, &expected, "{:?}", asked);
            let considered = table.consider(asked.kind, &target);
            prop_assert_eq!(considered.len(), rows.len());
            let told = considered.iter().filter(|considered| considered.verdict == Verdict::Serves);
            let told: Vec<_> = told.map(|considered| considered.route.id.to_string()).collect();
            prop_assert_eq!(told, Vec::from_iter(found), "{:?}", asked);
            let listed = rows.iter().any(|row| {
                let host = row.host == asked.host || row.host.contains('*') && glob(row.host, asked.host);
                row.scheme != "tcp+https" && host && row.port_fits(asked.port, any_port)
            });
            prop_assert_eq!(table.knows_host(&target.host), listed, "{:?}", asked);
        }
    }

    /// A route that is told to be out of reach is found by no request.
    #[test]
    fn what_is_shadowed_is_never_found(rows in vec(row(), 0..16), any_port in any::<bool>(), requests in vec(asked(), 200)) {
        let snapshot = snapshot(&rows, any_port);
        let table = snapshot.table();
        let at = |id: &RouteId| table.routes().position(|route| route.id == *id);
        let shadowed = shadowed(table.routes(), any_port);
        for (route, by) in &shadowed {
            prop_assert!(at(&by.id) < at(&route.id), "{} {}", route.id, by.id);
        }
        for asked in &requests {
            if let Some(found) = table.find(asked.kind, &target(asked)) {
                let told = shadowed.iter().find(|(route, _)| route.id == found.id);
                prop_assert!(told.is_none(), "{:?} by {:?}", told, asked);
            }
        }
    }
}
