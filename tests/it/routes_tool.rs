//! `lictor routes explain`: which route serves a request, and why no other does.

use crate::support::command::{Ran, lictor};
use crate::support::config::SECRET;
use serde_json::Value;

const CONFIG: &str = "authenticate_service_url: https://authenticate.corp.test
routes:
- {id: root-page, from: https://app.corp.test, path: /}
- {id: api, from: https://app.corp.test, prefix: /api}
- {id: late, from: https://app.corp.test, prefix: /api/v2}
- {id: ids, from: https://app.corp.test, regex: '/[0-9]+'}
- {id: tree, from: https://app.corp.test, path_separated_prefix: /tree}
- {id: special, from: 'https://app.corp.test:8443', prefix: /only}
- {id: any, from: 'https://*.corp.test'}
- {id: db, from: 'tcp+https://db.else.test:5432'}
- {id: shell, from: 'ssh://app.corp.test'}
";

fn explain_with(config: &str, arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("lictor.yaml"), config).expect("writes");
    let command = ["routes", "explain", "--config", "lictor.yaml"];
    let all: Vec<&str> = command.iter().chain(arguments).copied().collect();
    lictor(folder.path(), &all, &[("SHARED_SECRET", SECRET)], "")
}

fn explain(arguments: &[&str]) -> Ran {
    explain_with(CONFIG, arguments)
}

/// Code, outcome, the route that serves, and the verdicts.
fn told(arguments: &[&str]) -> (i32, String, Option<String>, Vec<(String, String)>) {
    let ran = explain(&[arguments, &["--format", "json"]].concat());
    let told: Value = serde_json::from_str(&ran.stdout).expect(&ran.stderr);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let verdicts = told["considered"].as_array().expect("a list").iter().map(|considered| {
        (text(&considered["id"]).expect("an id"), text(&considered["verdict"]).expect("a verdict"))
    });
    let outcome = text(&told["outcome"]).expect("an outcome");
    (ran.code, outcome, text(&told["route"]["id"]), verdicts.collect())
}

fn verdicts(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(id, verdict)| ((*id).to_owned(), (*verdict).to_owned())).collect()
}

#[test]
fn a_route_and_why_no_other() {
    let ran = explain(&["app.corp.test", "/api/v2/x?query"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.stdout,
        "app.corp.test/api/v2/x is served by `api`
  https://app.corp.test, prefix `/api`, at lictor.yaml:4:3

routes of this host, in the order in which they are tried:
  1. `special`: port does not match
     https://app.corp.test:8443, prefix `/only`, at lictor.yaml:8:3
  2. `root-page`: path is not `/`
     https://app.corp.test, path `/`, at lictor.yaml:3:3
  3. `api`: serves it
     https://app.corp.test, prefix `/api`, at lictor.yaml:4:3
  4. `late`: shadowed: an earlier route matches
     https://app.corp.test, prefix `/api/v2`, at lictor.yaml:5:3
  5. `ids`: path does not match `/[0-9]+`
     https://app.corp.test, regex `/[0-9]+`, at lictor.yaml:6:3
  6. `tree`: path is neither `/tree` nor below `/tree/`
     https://app.corp.test, path_separated_prefix `/tree`, at lictor.yaml:7:3
  7. `any`: not tried: the host is listed exactly, so wildcard routes are not consulted
     https://*.corp.test, any path, at lictor.yaml:9:3

2 other routes are for other hosts or protocols
"
    );
}

#[test]
fn the_list_that_counts() {
    let (code, outcome, route, considered) = told(&["app.corp.test:8443", "/api"]);
    assert_eq!((code, outcome.as_str(), route), (4, "nothing", None));
    let listed = "listed-with-port";
    let expected = [
        ("special", "path"),
        ("root-page", listed),
        ("api", listed),
        ("late", listed),
        ("ids", listed),
        ("tree", listed),
        ("any", "listed-exactly"),
    ];
    assert_eq!(considered, verdicts(&expected));
    let (code, _, route, considered) = told(&["other.corp.test", "/api"]);
    assert_eq!((code, route.as_deref()), (0, Some("any")));
    assert_eq!(considered, verdicts(&[("any", "serves")]));
}

#[test]
fn tunnels() {
    let (code, _, route, considered) = told(&["db.else.test:5432", "--method", "CONNECT"]);
    assert_eq!((code, route.as_deref()), (0, Some("db")));
    assert_eq!(considered, verdicts(&[("db", "serves")]));
    let (code, outcome, _, considered) = told(&["db.else.test:5433", "--method", "CONNECT"]);
    assert_eq!((code, outcome.as_str()), (4, "nothing"));
    assert_eq!(considered, verdicts(&[("db", "port")]));
    let ran = explain(&["db.else.test:5432", "/"]);
    assert_eq!(ran.code, 4);
    assert!(ran.stdout.contains("`db`: serves CONNECT alone"), "{}", ran.stdout);
    let ran = explain(&["other.corp.test", "--method", "CONNECT"]);
    assert_eq!(ran.code, 4);
    assert!(ran.stdout.contains("`any`: does not serve CONNECT"), "{}", ran.stdout);
    let web_socket = told(&["other.corp.test", "/ws", "--method", "CONNECT"]);
    assert_eq!((web_socket.0, web_socket.2.as_deref()), (0, Some("any")), "with a path: no tunnel");
}

#[test]
fn nothing() {
    let ran = explain(&["elsewhere.test", "/x"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (4, ""));
    assert_eq!(
        ran.stdout,
        "nothing serves elsewhere.test/x: it is answered with 404

9 other routes are for other hosts or protocols
"
    );
    let none = explain_with("{}", &["elsewhere.test"]);
    assert_eq!(none.stdout, "nothing serves elsewhere.test/: it is answered with 404\n");
}

#[test]
fn pages_of_our_own() {
    for path in ["/.pomerium", "/.pomerium/x", "/.well-known/pomerium/jwks.json"] {
        for host in ["app.corp.test", "authenticate.corp.test", "x.corp.test:444"] {
            let (code, outcome, ..) = told(&[host, path]);
            assert_eq!((code, outcome.as_str()), (0, "own-page"), "{host}{path}");
        }
        let (code, outcome, ..) = told(&["elsewhere.test", path]);
        assert_eq!((code, outcome.as_str()), (4, "nothing"), "{path}");
    }
    let ran = explain(&["app.corp.test", "/.pomerium/"]);
    let expected = "app.corp.test/.pomerium/ is a page of Lictor's own; no route is consulted\n";
    assert_eq!(ran.stdout, expected);
    assert_eq!(told(&["other.corp.test", "/.pomeriumx"]).2.as_deref(), Some("any"));
}

#[test]
fn paths_with_two_readings() {
    let refused = |path: &str, why: &str| {
        let ran = explain(&["app.corp.test", path]);
        assert_eq!(ran.code, 4, "{path}");
        let expected = format!("app.corp.test{path} is refused with 400: {why}\n");
        assert_eq!(ran.stdout, expected);
    };
    refused("/api//x", "bad path: it holds an empty segment");
    refused("/api/../x", "bad path: it holds a dot segment");
    refused("/tree%2fx", "bad path: it holds an escaped slash");
    let two = "routes:
- {from: https://a.test, path: /admin}
- {from: https://a.test, prefix: /}
";
    let ran = explain_with(two, &["a.test", "/admin;x"]);
    let expected =
        "a.test/admin;x is refused with 400: its path can be read as one of another route\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (4, expected));
    assert_eq!(explain_with(two, &["a.test", "/admit;x"]).code, 0);
    let bad_host = told(&["a,b", "/"]);
    assert_eq!((bad_host.0, bad_host.1.as_str()), (4, "refused"));
    let off = format!("path_normalization: off\n{CONFIG}");
    assert_eq!(explain_with(&off, &["app.corp.test", "/api//x"]).code, 0);
    let escape = explain(&["app.corp.test", "/\u{1b}[2J"]);
    assert!(!escape.stdout.contains('\u{1b}'), "{}", escape.stdout);
}

#[test]
fn ten_thousand_routes() {
    let mut config = "routes:\n".to_owned();
    for index in 0..5000 {
        config += &format!("- {{from: 'https://big.test', path: /p{index}}}\n");
        config += &format!("- {{from: 'https://h{index}.test'}}\n");
    }
    let ran = explain_with(&config, &["big.test", "/p4711"]);
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.starts_with("big.test/p4711 is served by `route-9423`\n"));
    assert!(ran.stdout.contains("\n4712. `route-9423`: serves it\n"));
    assert!(ran.stdout.contains("\n     … and 4949 more; `--format json` tells all\n"));
    assert!(ran.stdout.ends_with("\n5000 other routes are for other hosts or protocols\n"));
    assert!(ran.stdout.lines().count() < 120);
}

#[test]
fn a_bad_configuration_and_a_bad_command_line() {
    let bad = explain_with("routes:\n- {from: nowhere}\n", &["a", "/"]);
    assert_eq!((bad.code, bad.stdout.as_str()), (3, ""));
    assert!(bad.stderr.contains("is not a URL"), "{}", bad.stderr);
    assert_eq!(explain(&[]).code, 2);
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(lictor(folder.path(), &["routes", "explain", "a", "/"], &[], "").code, 2);
    let help = lictor(folder.path(), &["routes", "explain", "--help"], &[], "");
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("Example: lictor route explain --config lictor.yaml "));
}
