//! `lictor policy explain`, `test` and `print`: what they say, to people and to programs.

use crate::support::command::{Ran, lictor};
use crate::support::config::SECRET;
use serde_json::Value;
use std::path::Path;

const CONFIG: &str = "authenticate_service_url: https://authenticate.corp.test
administrators: [alice@corp.test]
enable_user_impersonation: true
pass_identity_headers: true
directory: {file: people.yaml}
policies:
  staff:
    allow:
      or:
      - domain: corp.test
  no-acting:
    mode: dry_run
    deny:
      or:
      - impersonated: true
routes:
- id: wiki
  from: https://wiki.corp.test
  policies: [staff, no-acting]
  policy:
    deny:
      and:
      - http_path: {starts_with: /admin/}
      - groups: {exclude: g-admin}
- id: open
  from: https://open.corp.test
  allow_public_unauthenticated_access: true
- id: closed
  from: https://closed.corp.test
";
const PEOPLE: &str = "users:
- {id: u-alice, email: alice@corp.test, group_ids: [g-admin]}
- {id: u-bob, email: bob@corp.test, group_ids: [g-staff]}
";
const TESTS: &str = "config: lictor.yaml
cases:
- name: staff reads
  as: bob@corp.test
  request: GET https://wiki.corp.test/
  expect: allow
  reason: domain-ok
  route: wiki
- {as: bob@corp.test, request: https://wiki.corp.test/admin/x, expect: forbidden, reason: groups-ok}
- {request: https://wiki.corp.test/, expect: login}
- {as: {email: bob@corp.test, impersonated_by: alice@corp.test}, request: https://wiki.corp.test/, expect: allow, would: deny}
- {request: https://open.corp.test/, expect: allow}
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write("lictor.yaml", CONFIG).expect("writes");
    write("people.yaml", PEOPLE).expect("writes");
    write("tests.yaml", TESTS).expect("writes");
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Ran {
    lictor(folder, arguments, &[("SHARED_SECRET", SECRET)], "")
}

fn explain(arguments: &[&str]) -> Ran {
    let command = ["policy", "explain", "--config", "lictor.yaml"];
    run(folder().path(), &[&command, arguments].concat())
}

#[test]
fn an_explanation_names_what_decided_and_where() {
    let ran = explain(&["--as", "bob@corp.test", "https://wiki.corp.test/admin/x"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (4, ""));
    assert_eq!(
        ran.stdout,
        "denied (forbidden): GET https://wiki.corp.test/admin/x
as       bob@corp.test (g-staff)
route    `wiki`, https://wiki.corp.test, any path (lictor.yaml:17:3)
decided  {http_path: {starts_with: \"/admin/\"}} in `deny: and` lictor.yaml:23:9: holds, it saw a path
decided  {groups: {exclude: \"g-admin\"}} in `deny: and` lictor.yaml:24:9: holds, it saw 1 group

allow holds: domain-ok
  + or of `staff`  lictor.yaml:9:7
    + {domain: \"corp.test\"}  saw the domain of an e-mail address: domain-ok  lictor.yaml:10:9

deny holds: groups-ok, http-path-ok
  + and  lictor.yaml:22:7
    + {http_path: {starts_with: \"/admin/\"}}  saw a path: http-path-ok  lictor.yaml:23:9
    + {groups: {exclude: \"g-admin\"}}  saw 1 group: groups-ok  lictor.yaml:24:9
  - or of `no-acting` (dry run)  lictor.yaml:14:7
    - {impersonated: true}  saw nobody acts as this person: not-impersonated  lictor.yaml:15:9

with the policies in dry run enforced: forbidden (same)
"
    );
}

#[test]
fn an_explanation_tells_of_sign_in_and_of_nothing_at_all() {
    let ran = explain(&["wiki.corp.test"]);
    assert_eq!(ran.code, 4);
    assert!(
        ran.stdout.starts_with("denied, sign-in needed: GET wiki.corp.test\nas       nobody\n")
    );
    assert!(ran.stdout.contains("lictor.yaml:10:9: does not hold, it saw nobody is signed in"));
    let ran = explain(&["--as", "bob@corp.test", "closed.corp.test"]);
    assert!(ran.stdout.contains("because  the route has no policy, so nobody is allowed"));
    let ran = explain(&["other.corp.test"]);
    assert!(ran.stdout.starts_with("denied (route-not-found)"), "{}", ran.stdout);
    let ran = explain(&["https://wiki.corp.test/a%2fb"]);
    assert!(ran.stdout.contains("because  bad path: "), "{}", ran.stdout);
    let ran = explain(&["--token", "a.b.c", "wiki.corp.test"]);
    assert!(ran.stdout.contains("as       nobody: the token is no good ("), "{}", ran.stdout);
}

#[test]
fn an_explanation_shows_the_headers_an_upstream_gets() {
    let ran = explain(&["--as", "bob@corp.test", "wiki.corp.test"]);
    assert_eq!(ran.code, 0);
    let said = "\nheaders to the upstream\n  set     x-pomerium-jwt-assertion, which says {\"aud\":\"wiki.corp.test\",\"email\":\"bob@corp.test\",";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
    assert!(!ran.stdout.contains("eyJ"), "no assertion that could be used: {}", ran.stdout);
    let ran = explain(&["open.corp.test"]);
    assert!(ran.stdout.contains("  remove  x-pomerium-jwt-assertion\n"), "{}", ran.stdout);
}

#[test]
fn an_explanation_for_programs() {
    let arguments = ["--as", "bob@corp.test", "--impersonated-by", "alice@corp.test"];
    let told = explain(&[&arguments[..], &["wiki.corp.test", "--format", "json"]].concat());
    let told: Value = serde_json::from_str(&told.stdout).expect("json");
    assert_eq!(told["allowed"], true);
    assert_eq!(told["dry_run"], "would-deny");
    assert_eq!(told["identity"]["actor"]["email"], "alice@corp.test");
    assert_eq!(told["decided_by"][0]["criterion"]["place"]["line"], 10);
    assert_eq!(told["groups"][2]["policy"], "no-acting");
    assert_eq!(told["groups"][2]["dry_run"], true);
    assert_eq!(told["groups"][2]["criteria"][0]["reason"], "impersonated");
}

#[test]
fn a_token_is_asked_for_whom_it_speaks() {
    let mint = ["token", "mint", "-email", "bob@corp.test", "-aud", "wiki.corp.test"];
    let issuer = ["-iss", "authenticate.corp.test", "-groups", "g-admin", SECRET];
    let token = run(folder().path(), &[&mint[..], &issuer].concat()).stdout;
    let ran = explain(&["--token", token.trim(), "https://wiki.corp.test/admin/x"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("as       bob@corp.test (g-admin, a service account)"));
}

#[test]
fn wrong_flags_say_what_to_write() {
    for (flags, said) in [
        (
            &["https:///x"][..],
            "error: `https:///x` names no host\nhelp: write it as `https://app.example.com/path`\n",
        ),
        (
            &["--claim", "x", "a.b"],
            "error: `x` is no claim\nhelp: write it as `--claim department=engineering`",
        ),
        (
            &["--header", "x", "a.b"],
            "error: `x` is no header\nhelp: write it as `--header 'accept: text/html'`\n",
        ),
        (&["--certificate", "none.pem", "a.b"], "error: cannot read `none.pem`: "),
    ] {
        let ran = explain(flags);
        assert_eq!(ran.code, 2, "{flags:?}");
        assert!(ran.stderr.starts_with(said), "{}", ran.stderr);
    }
}

fn tests(text: &str, arguments: &[&str]) -> Ran {
    let folder = folder();
    std::fs::write(folder.path().join("tests.yaml"), text).expect("writes");
    run(folder.path(), &[&["policy", "test", "tests.yaml"], arguments].concat())
}

#[test]
fn tests_that_pass_and_what_they_leave_out() {
    let ran = tests(TESTS, &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert_eq!(ran.stdout, "tests.yaml: 5 of 5 passed\n  4 of 4 criteria decided a case\n");
    let fewer = TESTS.replace("- {request: https://open.corp.test/, expect: allow}\n", "");
    let ran = tests(&fewer, &[]);
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.contains("  3 of 4 criteria decided a case\n  no case is decided by the rule allow or (lictor.yaml:27:40)"), "{}", ran.stdout);
    assert_eq!(tests(&fewer, &["--require-coverage"]).code, 4);
}

#[test]
fn a_failure_says_what_was_decided_and_by_what() {
    let text =
        TESTS.replace("expect: allow\n  reason: domain-ok", "expect: deny\n  reason: email-ok");
    let folder = folder();
    std::fs::write(folder.path().join("tests.yaml"), text).expect("writes");
    let ran = run(folder.path(), &["policy", "test", "tests.yaml", "--junit", "out.xml"]);
    assert_eq!(ran.code, 4);
    let said = "FAILED staff reads (tests.yaml:3:3)
  expected deny, got allow
  expected the reason email-ok, got domain-ok, http-path-unauthorized
  decided by allow or: {domain: \"corp.test\"} holds, it saw the domain of an e-mail address (lictor.yaml:10:9)
tests.yaml: 4 of 5 passed
";
    assert!(ran.stdout.starts_with(said), "{}", ran.stdout);
    let xml = std::fs::read_to_string(folder.path().join("out.xml")).expect("a report");
    assert!(xml.contains("<testsuite name=\"tests.yaml\" tests=\"5\" failures=\"1\">"), "{xml}");
    assert!(
        xml.contains("<failure message=\"expected deny, got allow; expected the reason"),
        "{xml}"
    );
    assert!(xml.contains("{domain: &quot;corp.test&quot;}"), "{xml}");
}

#[test]
fn wrong_test_files_name_place_and_fix() {
    for (text, said) in [
        (
            "cases: [{request: https://a.b/, expect: allow}]",
            "error: the tests name no configuration\n --> tests.yaml:1:1",
        ),
        (
            "config: none.yaml\ncases: [{request: https://a.b/, expect: allow}]",
            "error: cannot read the configuration: ",
        ),
        ("config: lictor.yaml", "error: there are no `cases`\n --> tests.yaml:1:1"),
        (
            "config: lictor.yaml\ncases:\n- {request: https://a.b/, expect: allowed}",
            "error: `allowed` is no outcome\n --> tests.yaml:3:35",
        ),
        (
            "config: lictor.yaml\ncases:\n- {request: https://a.b/}",
            "error: the case expects nothing\n --> tests.yaml:3:3",
        ),
        (
            "config: lictor.yaml\ncases:\n- {request: https://a.b/, expect: deny, reason: email-okay}",
            "error: `email-okay` is no reason\n --> tests.yaml:3:49",
        ),
        (
            "config: lictor.yaml\ncases:\n- {request: https://a.b/, expect: deny, who: bob}",
            "error: unknown key `cases[].who`\n --> tests.yaml:3:41",
        ),
        (
            "config: lictor.yaml\ncases:\n- {as: bob, request: https://a.b/, expect: deny}",
            "error: `as` names nobody\n --> tests.yaml:3:8",
        ),
        (
            "config: lictor.yaml\ncases:\n- {request: GET /x, expect: deny}",
            "error: `GET /x` names no host\n --> tests.yaml:3:13",
        ),
        (
            "config: lictor.yaml\npolicy: {}\ncases:\n- {request: https://a.b/, expect: deny}",
            "error: `config` names a configuration, and `policy`, `route` or `settings` is one\n --> tests.yaml:1:9",
        ),
        (
            "policy: {allow: {or: [{e-mail: a}]}}\ncases:\n- {request: https://a.b/, expect: deny}",
            "error: unknown criterion `e-mail`\n --> tests.yaml:1:24",
        ),
    ] {
        let ran = tests(text, &[]);
        assert_eq!(ran.code, 3, "{text}");
        assert!(ran.stderr.contains(said), "{text}\n{}", ran.stderr);
        assert!(ran.stderr.contains("help: "), "{}", ran.stderr);
    }
}

#[test]
fn a_policy_as_it_is_evaluated_tests_like_the_one_it_was() {
    let ran =
        run(folder().path(), &["policy", "print", "--config", "lictor.yaml", "--route", "wiki"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.stdout,
        "# wiki: https://wiki.corp.test, any path
# lictor.yaml:17:3
- deny:
    and:
    - {http_path: {starts_with: \"/admin/\"}}
    - {groups: {exclude: \"g-admin\"}}
# policy `staff`
- allow:
    or:
    - {domain: \"corp.test\"}
# policy `no-acting`
mode: dry_run
rules:
  - deny:
      or:
      - {impersonated: true}
"
    );
    let ran =
        run(folder().path(), &["policy", "print", "--config", "lictor.yaml", "--route", "wikki"]);
    assert_eq!(ran.code, 2);
}
