//! `lictor policy diff`: who gains and who loses access between two configurations, and by which rule.

use crate::support::command::{Ran, lictor};
use crate::support::config::{SECRET, snapshot_of};
use lictor::authorizer::{Authorizer, Outcome};
use lictor::state::Snapshot;
use lictor::supposition::{AskedUrl, Somebody, Supposition, Who};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use std::collections::BTreeSet;
use tempfile::TempDir;

const PEOPLE: &str = "users:
- {id: u-ann, email: Ann@Corp.test, group_ids: [eng]}
- {id: u-bob, email: bob@corp.test, group_ids: [eng, ops]}
- {id: u-cid, email: cid@else.test, group_ids: []}
";
const ACCOUNTS: &str = "users:
- {id: robot, group_ids: [eng]}
- {id: u-mill, email: mill@corp.test}
";

/// A folder with both configurations, the people and the accounts.
fn folder(old: &str, new: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in
        [("old.yaml", old), ("new.yaml", new), ("people.yaml", PEOPLE), ("accounts.yaml", ACCOUNTS)]
    {
        std::fs::write(folder.path().join(name), text).expect("writes");
    }
    folder
}

fn diff_in(folder: &TempDir, arguments: &[&str]) -> Ran {
    let command = ["policy", "diff", "old.yaml", "new.yaml"];
    let all: Vec<&str> = command.iter().chain(arguments).copied().collect();
    lictor(folder.path(), &all, &[("SHARED_SECRET", SECRET)], "")
}

fn diff(old: &str, new: &str, arguments: &[&str]) -> Ran {
    let everybody = ["--people", "people.yaml", "--accounts", "accounts.yaml"];
    diff_in(&folder(old, new), &[&everybody, arguments].concat())
}

fn json(old: &str, new: &str) -> (i32, Value) {
    let ran = diff(old, new, &["--format", "json"]);
    (ran.code, serde_json::from_str(&ran.stdout).expect(&ran.stderr))
}

/// `+ ann route` and `- ann route`, with the scope if there is one, sorted.
fn changes(old: &str, new: &str) -> Vec<String> {
    let (code, told) = json(old, new);
    let changes = flat(&told);
    assert_eq!(code, if changes.is_empty() { 0 } else { 4 });
    changes
}

/// The same without methods and paths.
fn moves(old: &str, new: &str) -> Vec<String> {
    let bare = |line: String| line.splitn(4, ' ').take(3).collect::<Vec<_>>().join(" ");
    changes(old, new).into_iter().map(bare).collect()
}

fn flat(told: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let mut all = Vec::new();
    for difference in list(&told["differences"]) {
        let id = |side: &str| difference[side]["id"].as_str().unwrap_or("none").to_owned();
        let (old, new) = (id("old_route"), id("new_route"));
        let route = if old == new { new } else { format!("{old}>{new}") };
        let scope = &difference["scope"];
        let method = |method: &Value| match method["others"].as_bool() {
            Some(true) => " others".to_owned(),
            _ => format!(" {}", text(&method["name"])),
        };
        let mut suffix = String::new();
        for one in scope["methods"].as_array().into_iter().flatten() {
            suffix += &method(one);
        }
        for path in scope["paths"].as_array().into_iter().flatten() {
            suffix += &format!(" {}", text(path));
        }
        for one in scope["requests"].as_array().into_iter().flatten() {
            suffix += &format!("{} {}", method(&one["method"]), text(&one["path"]));
        }
        for (sign, turn) in [('+', "gains"), ('-', "losses")] {
            for change in list(&difference[turn]) {
                let mut names = list(&change["people"]);
                names.extend(list(&change["service_accounts"]));
                if change["anonymous"] == true {
                    names.push("anonymous".into());
                }
                for name in names {
                    let name = text(&name);
                    let short = name.split('@').next().expect("a name").to_lowercase();
                    all.push(format!("{sign} {short} {route}{suffix}"));
                }
            }
        }
    }
    all.sort();
    all
}

fn route(rest: &str) -> String {
    format!("routes:\n- {{id: r, from: https://a.test, {rest}}}\n")
}

fn allow(criterion: &str) -> String {
    route(&format!("policy: {{allow: {{or: [{{{criterion}}}]}}}}"))
}

#[test]
fn gains_and_losses() {
    let check = |old: &str, new: &str, expected: &[&str]| {
        assert_eq!(changes(&allow(old), &allow(new)), expected, "{old} → {new}");
    };
    check("groups: {has: ops}", "groups: {has: eng}", &["+ ann r", "+ robot r"]);
    check("groups: {has: eng}", "groups: {has: ops}", &["- ann r", "- robot r"]);
    check("groups: {has: ops}", "domain: {is: else.test}", &["+ cid r", "- bob r"]);
    check("email: ann@corp.test", "email: Ann@Corp.test", &["+ ann r"]);
    check(
        "service_account: true",
        "service_account: false",
        &["+ ann r", "+ bob r", "+ cid r", "- mill r", "- robot r"],
    );
    check("user: robot", "claim/sub: robot", &[]);
    check("authenticated_user: true", "accept: true", &["+ anonymous r"]);
    check("groups: {has: eng}", "groups: {has: eng}", &[]);
}

#[test]
fn as_text() {
    let old = "routes:
- id: api
  from: https://a.test
  prefix: /api
  policy:
  - allow:
      or:
      - groups: {has: ops}
- {id: door, from: https://b.test, allow_any_authenticated_user: true}
";
    let new = "routes:
- id: api
  from: https://a.test
  prefix: /api
  policy:
  - allow:
      and:
      - groups: {has: eng}
      - http_method: GET
  - deny:
      or:
      - email: bob@corp.test
- {id: door, from: https://b.test, allow_public_unauthenticated_access: true}
- {id: hall, from: https://c.test, allow_any_authenticated_user: true}
";
    let ran = diff(old, new, &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (4, ""));
    assert_eq!(
        ran.stdout,
        "`api`  https://a.test, prefix `/api`  GET
  + Ann@Corp.test, robot (service account)  gain  new.yaml:8:9 {groups: {has: \"eng\"}} and {http_method: \"GET\"}
      before: not allowed by old.yaml:8:9 {groups: {has: \"ops\"}}
  - bob@corp.test  loses  new.yaml:12:9 deny {email: \"bob@corp.test\"}
      before: allowed by old.yaml:8:9 {groups: {has: \"ops\"}}

`api`  https://a.test, prefix `/api`  methods that no rule names
  - bob@corp.test  loses  new.yaml:12:9 deny {email: \"bob@corp.test\"}
      before: allowed by old.yaml:8:9 {groups: {has: \"ops\"}}

`door`  https://b.test, any path
  + anonymous  gains  new.yaml:13:73 {accept: true}
      before: asked to sign in by old.yaml:9:66 {authenticated_user: true}

`hall`  https://c.test, any path  (not served before)
  + Ann@Corp.test, bob@corp.test, cid@else.test and 2 more (5)  gain  new.yaml:14:66 {authenticated_user: true}
      before: no route serves it

gain: anonymous, 3 people, 2 service accounts, on 3 routes
lose: 1 person, on 1 route
anonymous is asked to sign in, and was refused before: 1 route
compared: 3 people, 2 service accounts and anonymous, by 7 requests
"
    );
    let all = diff(old, new, &["--all"]).stdout;
    assert!(
        all.contains(
            "cid@else.test, mill@corp.test (service account), robot (service account)  gain"
        ),
        "{all}"
    );
}

#[test]
fn by_the_directory() {
    let config =
        |file: &str| format!("directory: {{file: {file}}}\n{}", allow("groups: {has: eng}"));
    let folder = folder(&config("people.yaml"), &config("later.yaml"));
    let later = "users:
- {id: u-bob, email: BOB@corp.test, group_ids: [ops]}
- {id: u-cid, email: cid@else.test, group_ids: [eng]}
- {id: u-dan, email: dan@corp.test, group_ids: [eng]}
";
    std::fs::write(folder.path().join("later.yaml"), later).expect("writes");
    let ran = diff_in(&folder, &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (4, ""));
    assert_eq!(
        ran.stdout,
        "`r`  https://a.test, any path  (same rules, other people)
  + cid@else.test, dan@corp.test  gain  new.yaml:3:56 {groups: {has: \"eng\"}}
      before: not allowed by old.yaml:3:56 {groups: {has: \"eng\"}}
  - Ann@Corp.test, BOB@corp.test  lose  old.yaml:3:56 {groups: {has: \"eng\"}}
      now: not allowed by new.yaml:3:56 {groups: {has: \"eng\"}}

gain: 2 people, on 1 route
lose: 2 people, on 1 route
compared: 4 people, 0 service accounts and anonymous, by 2 requests
"
    );
    // Whom a directory does not know is taken from the file of people.
    let more = diff_in(&folder, &["--people", "people.yaml", "--format", "json"]);
    let told = serde_json::from_str(&more.stdout).expect("json");
    assert_eq!(flat(&told), ["+ cid r", "+ dan r", "- bob r"]);
}

#[test]
fn routes_that_come_go_and_move() {
    let host = |lines: &[&str]| {
        let routes = lines.iter().map(|line| format!("- {{{line}}}\n"));
        format!("routes:\n{}", routes.collect::<String>())
    };
    let ann = "allowed_users: [u-ann]";
    let bob = "allowed_users: [u-bob]";
    let (api, all) = (
        format!("id: api, from: https://a.test, prefix: /api, {ann}"),
        format!("id: all, from: https://a.test, {bob}"),
    );
    let both = host(&[&api, &all]);
    assert_eq!(moves(&both, &host(&[&all])), ["+ bob api>all", "- ann api>all"]);
    assert_eq!(moves(&host(&[&all]), &both), ["+ ann all>api", "- bob all>api"]);
    assert_eq!(moves(&both, &host(&[&api])), ["- bob all>none"]);
    assert_eq!(moves(&both, "{}"), ["- ann api>none", "- bob all>none"]);
    // The wider one first: the other is never reached.
    assert_eq!(moves(&both, &host(&[&all, &api])), ["+ bob api>all", "- ann api>all"]);
    let shadow = diff(&both, &host(&[&all, &api]), &[]);
    let note = "note: `api` (new.yaml:3:3) is left out: the requests made for it lead elsewhere\n";
    assert_eq!(shadow.stderr, note);
    // An exact host takes all of its paths away from a pattern.
    let pattern = format!("id: pattern, from: 'https://*.test', {bob}");
    let added = host(&[&pattern, &api]);
    assert_eq!(
        moves(&host(&[&pattern]), &added),
        ["+ ann pattern>api", "- bob pattern>api", "- bob pattern>none"]
    );
    // And a host with a port those of this port.
    let port = format!("id: port, from: 'https://a.test:8443', path: /x, {ann}");
    assert_eq!(
        moves(&host(&[&all]), &host(&[&all, &port])),
        ["+ ann all>port", "- bob all>none", "- bob all>port"]
    );
    // A separated prefix is narrower than a textual one.
    let separated = api.replace("prefix", "path_separated_prefix");
    assert_eq!(moves(&host(&[&api]), &host(&[&separated])), ["- ann api>none"]);
    let text = diff(&host(&[&api]), &host(&[&separated]), &[]).stdout;
    let expected =
        "`api`  https://a.test, prefix `/api`  (no longer served)  at a.test/apilictor-probe
  - Ann@Corp.test  loses  no route serves it
      before: allowed by old.yaml:2:65 {user: {is: \"u-ann\"}}
";
    assert!(text.starts_with(expected), "{text}");
    // Every port, or one.
    let flag = "runtime_flags: {match_any_incoming_port: false}\n";
    assert_eq!(moves(&host(&[&all]), &format!("{flag}{}", host(&[&all]))), ["- bob all>none"]);
}

#[test]
fn regular_expressions_and_patterns_of_hosts() {
    let line = |rest: &str, user: &str| format!("- {{{rest}, allowed_users: [{user}]}}\n");
    let regex = line("id: v, from: 'https://*.a.test', regex: '/v[0-9]+/(x|y)z'", "u-ann");
    let other = regex.replace("u-ann", "u-bob");
    let config = |lines: &[&str]| format!("routes:\n{}", lines.concat());
    assert_eq!(moves(&config(&[&regex]), &config(&[&other])), ["+ bob v", "- ann v"]);
    // Where a regular expression and a prefix overlap, the first of them counts.
    let jobs = line("id: jobs, from: https://a.test, regex: '.*/jobs'", "u-ann");
    let tree = line("id: tree, from: https://a.test, prefix: /tree", "u-bob");
    assert_eq!(
        moves(&config(&[&jobs, &tree]), &config(&[&tree, &jobs])),
        ["+ bob jobs>tree", "- ann jobs>tree"]
    );
    // The shortest path is another route's: a longer or a different one is found.
    let taken = line("id: taken, from: https://a.test, path: /a", "u-cid");
    let letters = line("id: letters, from: https://a.test, regex: '/[a-z]+'", "u-ann");
    let changed = letters.replace("u-ann", "u-bob");
    let (old, new) = (config(&[&taken, &letters]), config(&[&taken, &changed]));
    assert_eq!(moves(&old, &new), ["+ bob letters", "- ann letters"]);
    // No request has a path with an empty segment.
    let never = config(&[&line("id: never, from: https://a.test, regex: '/a//b'", "u-ann")]);
    let ran = diff("{}", &never, &[]);
    let note = "note: `never` (new.yaml:2:3) is left out: no path was found that fits its rule\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (0, note));
    let exact = config(&[&line("id: exact, from: https://a.test, path: '/a//b'", "u-ann")]);
    let ran = diff(&exact, &exact, &[]);
    assert_eq!(
        ran.stderr,
        "note: `exact` (old.yaml:2:3, new.yaml:2:3) is left out: bad path: it holds an empty segment\n"
    );
    let lenient = format!("path_normalization: off\n{exact}");
    assert_eq!(moves(&lenient, &exact), ["- ann exact>none"]);
}

#[test]
fn methods_and_paths() {
    let of = |policy: &str| route(&format!("policy: {policy}"));
    let user = "{user: u-ann}";
    let all = of(&format!("{{allow: {{and: [{user}]}}}}"));
    let get = of(&format!("{{allow: {{and: [{user}, {{http_method: GET}}]}}}}"));
    assert_eq!(changes(&all, &get), ["- ann r others"]);
    let safe = of(&format!("{{allow: {{and: [{user}, {{http_method: {{in: [GET, HEAD]}}}}]}}}}"));
    assert_eq!(changes(&get, &safe), ["+ ann r HEAD"]);
    let posts = of(&format!(
        "[{{allow: {{and: [{user}]}}}}, {{deny: {{or: [{{http_method: {{starts_with: P}}}}]}}}}]"
    ));
    assert_eq!(changes(&all, &posts), ["- ann r P PATCH POST PUT PX"]);
    let path = |test: &str| of(&format!("{{allow: {{and: [{user}, {{http_path: {test}}}]}}}}"));
    assert_eq!(changes(&path("/x"), &path("{starts_with: /x}")), ["+ ann r a.test/xlictor-probe"]);
    assert_eq!(changes(&path("{in: ['/a b', /c]}"), &path("/c")), ["- ann r a.test/a%20b"]);
    assert_eq!(
        changes(&path("{starts_with: /}"), &path("{not: /admin}")),
        ["- ann r a.test/admin"]
    );
    assert_eq!(
        changes(&path("{matches: '/[a-c]+[.]js'}"), &path("{matches: '/[a-c]+[.](js|ts)'}")),
        Vec::<String>::new(),
        "one text of each expression is tried, and it may be one of both"
    );
    assert_eq!(changes(&path("{ends_with: .js}"), &path("{ends_with: .ts}")).len(), 2);
    let one = of(&format!("{{allow: {{and: [{user}, {{http_path: /x}}, {{http_method: GET}}]}}}}"));
    let none = of("{allow: {or: [{reject: true}]}}");
    assert_eq!(changes(&none, &one), ["+ ann r GET a.test/x"]);
}

#[test]
fn denials_rehearsals_and_old_fields() {
    let ann = "allowed_users: [u-ann]";
    let with = |more: &str| route(&format!("{ann}, {more}"));
    let denied = with("policy: {deny: {or: [{domain: Corp.test}]}}");
    assert_eq!(changes(&route(ann), &denied), ["- ann r"]);
    let rehearsed = with("policy: {mode: dry_run, rules: [{deny: {or: [{domain: Corp.test}]}}]}");
    assert_eq!(changes(&route(ann), &rehearsed), Vec::<String>::new());
    assert_eq!(changes(&rehearsed, &denied), ["- ann r"]);
    let same = route("policy: {allow: {or: [{user: {is: u-ann}}, {email: {is: u-ann}}]}}");
    assert_eq!(changes(&route(ann), &same), Vec::<String>::new());
    assert_eq!(
        changes(&route(ann), &route("allowed_domains: [corp.test]")),
        ["+ bob r", "+ mill r", "- ann r"]
    );
    assert_eq!(
        changes(&route("allowed_idp_claims: {groups: [eng]}"), &route(ann)),
        ["- bob r", "- robot r"]
    );
    assert_eq!(changes(&route(ann), &route("cors_allow_preflight: true")), ["- ann r"]);
    // A rule about people asks everybody to sign in, also where all may pass.
    let public = route("allow_public_unauthenticated_access: true");
    let but = route("policy: [{allow: {or: [{accept: true}]}}, {deny: {or: [{user: u-bob}]}}]");
    assert_eq!(changes(&public, &but), ["- anonymous r", "- bob r"]);
    // Case of letters is not in the text of a rule.
    let mail = route("allowed_users: [ANN@corp.test]");
    assert_eq!(changes(&mail, &format!("case_insensitive_email: true\n{mail}")), ["+ ann r"]);
    // Policies by name.
    let named = |rule: &str| {
        format!(
            "policies: {{p: {{allow: {{or: [{{{rule}}}]}}}}}}\ndefault_policy: p\n{}",
            route("prefix: /x")
        )
    };
    assert_eq!(changes(&named("user: u-ann"), &named("user: u-bob")), ["+ bob r", "- ann r"]);
}

#[test]
fn tunnels() {
    let line = |user: &str| {
        format!(
            "routes:\n- {{id: db, from: 'tcp+https://db.test:5432', allowed_users: [{user}]}}\n"
        )
    };
    assert_eq!(changes(&line("u-ann"), &line("u-bob")), ["+ bob db", "- ann db"]);
    let ssh = "routes:\n- {id: shell, from: 'ssh://a', allow_any_authenticated_user: true}\n";
    let ran = diff(ssh, "{}", &[]);
    let note = "note: `shell` (old.yaml:2:3) is left out: it is for SSH, not for requests\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (0, note));
}

#[test]
fn what_is_held_still_is_said() {
    let rule =
        |more: &str| route(&format!("policy: {{allow: {{and: [{{user: u-ann}}, {more}]}}}}"));
    let stderr = |old: &str, new: &str, arguments: &[&str]| diff(old, new, arguments).stderr;
    let ip = rule("{source_ip: 10.0.0.0/8}");
    let wide = rule("{source_ip: 0.0.0.0/0}");
    let expected = "note: rules that differ ask about `source_ip`, judged as if the address were unknown: `r`\n";
    assert_eq!(stderr(&ip, &wide, &[]), expected);
    assert_eq!(stderr(&ip, &ip, &[]), "", "the same rules");
    let ran = diff(&ip, &wide, &["--ip", "192.0.2.7"]);
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("as if every request came from 192.0.2.7"), "{}", ran.stderr);
    let date = |day: &str| rule(&format!("{{date: {{after: '{day}'}}}}"));
    let at = |now: &str| diff(&date("2026-01-01"), &date("2026-02-01"), &["--now", now]);
    assert_eq!(at("2026-01-15T00:00:00Z").code, 4);
    let later = at("2026-03-01T00:00:00Z");
    assert_eq!(later.code, 0);
    assert!(later.stderr.contains("`time`, judged as if it were 2026-03-01T00:00:00Z: `r`"));
    let everything =
        "{claim/x: y}, {http_header/x: y}, {http_query/x: y}, {client_certificate: {}},
        {device: {}}, {impersonated: true}, {mcp_tool: t}, {spiffe_id: 'spiffe://x'}, {sni: x},
        {ssh_username: x}, {cors_preflight: true}, {record: {type: t, exists: true}}";
    let (_, told) = json(&rule("{user: u-ann}"), &rule(everything));
    let aspects = told["held_still"].as_array().expect("a list").iter();
    let aspects: Vec<_> = aspects.map(|one| one["asks_about"].as_str().expect("text")).collect();
    assert_eq!(
        aspects,
        [
            "certificate",
            "claim",
            "cors_preflight",
            "device",
            "http_header",
            "impersonated",
            "mcp_tool",
            "source_principal",
            "http_query",
            "record",
            "sni",
            "ssh",
        ]
    );
    let replaced = [("SHARED_SECRET", SECRET), ("POLICIES", "{}")];
    let folder = folder("{}", "{}");
    let ran = lictor(folder.path(), &["policy", "diff", "old.yaml", "new.yaml"], &replaced, "");
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.contains("the variable POLICIES takes the place of"), "{}", ran.stderr);
}

#[test]
fn records_of_either_side() {
    let config = |file: &str| {
        format!(
            "data_sources:\n- {{record_type: crew, foreign_key: user.id, file: {file}}}\n{}",
            allow("record: {type: crew, field: role, is: lead}")
        )
    };
    let folder = folder(&config("old.json"), &config("new.json"));
    let record = |id: &str| format!("[{{\"id\": \"{id}\", \"role\": \"lead\"}}]");
    std::fs::write(folder.path().join("old.json"), record("u-ann")).expect("writes");
    std::fs::write(folder.path().join("new.json"), record("u-bob")).expect("writes");
    let ran = diff_in(&folder, &["--people", "people.yaml", "--format", "json"]);
    let told = serde_json::from_str(&ran.stdout).expect(&ran.stderr);
    assert_eq!(flat(&told), ["+ bob r", "- ann r"]);
}

#[test]
fn many_people_and_many_rules() {
    let users: String = (0..40)
        .map(|index| {
            format!("- {{id: u{index}, email: p{index:02}@x.test, group_ids: [g{}]}}\n", index % 2)
        })
        .collect();
    let listed = |rest: &str| {
        let rules: Vec<String> =
            (0..40).map(|index| format!("\n    - {{email: p{index:02}@x.test}}")).collect();
        format!(
            "directory: {{file: many.yaml}}\nroutes:\n- from: https://a.test\n  policy:\n  - allow:\n      or: {}\n{rest}",
            rules.concat().replace("\n    ", "\n      ")
        )
    };
    let none = format!("directory: {{file: many.yaml}}\n{}", allow("reject: true"));
    let folder = folder(&none, &listed(""));
    std::fs::write(folder.path().join("many.yaml"), format!("users:\n{users}")).expect("writes");
    let text = diff_in(&folder, &[]).stdout;
    // Each by their own line, though the list is looked up as one.
    assert!(
        text.contains("\n  + p07@x.test  gains  new.yaml:14:10 {email: \"p07@x.test\"}\n"),
        "{text}"
    );
    assert!(text.contains("\n  … and 20 more; `--all` shows them\n"), "{text}");
    let all = diff_in(&folder, &["--all"]).stdout;
    assert!(all.contains("p39@x.test  gains") && !all.contains('…'), "{all}");
    let group = format!("directory: {{file: many.yaml}}\n{}", allow("groups: {has: g1}"));
    std::fs::write(folder.path().join("new.yaml"), group).expect("writes");
    let text = diff_in(&folder, &[]).stdout;
    let expected = "+ p01@x.test, p03@x.test, p05@x.test and 17 more (20)  gain  new.yaml:3:56";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn nothing_changes() {
    let config = allow("groups: {has: eng}");
    let ran = diff(&config, &format!("# a word\n{config}"), &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.stdout,
        "nobody gains or loses access
compared: 3 people, 2 service accounts and anonymous, by 2 requests
"
    );
}

#[test]
fn json_is_stable_and_whole() {
    let (old, new) = (allow("groups: {has: ops}"), allow("groups: {has: eng}"));
    let first = diff(&old, &new, &["--format", "json", "--now", "2026-01-01T00:00:00Z"]);
    for _ in 0..3 {
        let again = diff(&old, &new, &["--format", "json", "--now", "2026-01-01T00:00:00Z"]);
        assert_eq!(again.stdout, first.stdout);
    }
    let told: Value = serde_json::from_str(&first.stdout).expect("json");
    let route = &told["differences"][0]["new_route"];
    assert_eq!((route["id"].as_str(), route["line"].as_u64()), (Some("r"), Some(2)));
    let gain = &told["differences"][0]["gains"][0];
    assert_eq!(gain["people"], serde_json::json!(["Ann@Corp.test"]));
    assert_eq!(gain["service_accounts"], serde_json::json!(["robot"]));
    let criterion = &gain["new"]["rules"][0]["criteria"][0];
    assert_eq!(criterion["text"], "{groups: {has: \"eng\"}}");
    assert_eq!(criterion["place"]["source"], "new.yaml");
    assert_eq!(gain["old"]["reason"], "forbidden");
    assert_eq!(told["totals"]["gains"]["people"], 1);
}

#[test]
fn bad_files_and_a_bad_command_line() {
    let good = allow("user: x");
    let bad = "routes:\n- {from: nowhere}\n";
    for (old, new, named) in [(bad, good.as_str(), "old.yaml"), (&good, bad, "new.yaml")] {
        let ran = diff(old, new, &[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
        assert!(ran.stderr.contains(&format!(" --> {named}:2:10\n")), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("1 problem in {named}\n")), "{}", ran.stderr);
    }
    let both = diff(bad, bad, &[]).stderr;
    assert!(both.contains("in old.yaml\n") && both.contains("in new.yaml\n"), "{both}");
    let folder = folder(&good, &good);
    let missing = diff_in(&folder, &["--people", "nobody.yaml"]);
    assert_eq!(missing.code, 3);
    assert!(missing.stderr.contains("cannot use `nobody.yaml`: "), "{}", missing.stderr);
    assert_eq!(diff_in(&folder, &["--accounts", "old.yaml"]).code, 3);
    assert_eq!(diff_in(&folder, &["--now", "yesterday"]).code, 2);
    assert_eq!(diff_in(&folder, &["--ip", "here"]).code, 2);
    assert_eq!(lictor(folder.path(), &["policy", "diff", "old.yaml"], &[], "").code, 2);
    let help = lictor(folder.path(), &["policy", "diff", "--help"], &[], "");
    assert_eq!(help.code, 0);
    assert!(help.stdout.contains("Example: lictor policy diff "), "{}", help.stdout);
}

#[test]
fn nothing_a_terminal_obeys() {
    let folder = folder(&allow("reject: true"), &allow("authenticated_user: true"));
    let users = "users:\n- {id: u, email: \"\\e[2Jx@a.test\"}\n";
    std::fs::write(folder.path().join("people.yaml"), users).expect("writes");
    let ran = diff_in(&folder, &["--people", "people.yaml"]);
    assert_eq!(ran.code, 4);
    assert!(!ran.stdout.contains('\u{1b}') && ran.stdout.contains("x@a.test"), "{}", ran.stdout);
}

/// Routes of a small world, in any order.
fn config() -> impl Strategy<Value = String> {
    let from = select(&["a.test", "*.test", "a.test:8443", "b.a.test"][..]);
    let path = select(
        &["prefix: /", "prefix: /a", "path: /a", "regex: '/.*b'", "path_separated_prefix: /a"][..],
    );
    let rule = select(
        &[
            "allowed_users: [u-ann]",
            "allow_any_authenticated_user: true",
            "allow_public_unauthenticated_access: true",
            "policy: {allow: {and: [{groups: {has: eng}}, {http_method: POST}]}}",
            "policy: [{allow: {or: [{domain: corp.test}]}}, {deny: {or: [{http_path: {contains: b}}]}}]",
            "policy: {mode: dry_run, rules: [{allow: {or: [{accept: true}]}}]}",
        ][..],
    );
    proptest::collection::vec((from, path, rule), 0..4).prop_map(|routes| {
        let lines = routes.iter().enumerate().map(|(index, (from, path, rule))| {
            format!("- {{id: r{index}, from: 'https://{from}', {path}, {rule}}}\n")
        });
        format!(
            "routes: {}\n{}",
            if routes.is_empty() { "[]" } else { "" },
            lines.collect::<String>()
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_comparison_has_two_sides(old in config(), new in config()) {
        prop_assert!(changes(&old, &old).is_empty());
        let sided = |line: &String, back: bool| {
            let words: Vec<&str> = line.split(' ').collect();
            let (from, to) = words[2].split_once('>').unwrap_or((words[2], words[2]));
            let turned = if words[0] == "+" { "-" } else { "+" };
            match back {
                true => format!("{turned} {} {to}>{from}", words[1]),
                false => format!("{} {} {from}>{to}", words[0], words[1]),
            }
        };
        let mut there: Vec<String> = moves(&old, &new).iter().map(|line| sided(line, false)).collect();
        let mut back: Vec<String> = moves(&new, &old).iter().map(|line| sided(line, true)).collect();
        there.sort();
        back.sort();
        prop_assert_eq!(there, back);
    }

    /// Whatever the authorizer answers differently, somebody is told.
    #[test]
    fn nothing_that_differs_is_missed(old in config(), new in config()) {
        let told: BTreeSet<String> = moves(&old, &new).into_iter().collect();
        let (before, after) = (snapshot_of(&old), snapshot_of(&new));
        let hosts = ["a.test", "a.test:8443", "b.a.test", "c.test", "a.test:1"];
        let paths = ["/", "/a", "/a/b", "/ab", "/xb", "/x/b", "/b", "/z"];
        for (host, path) in hosts.iter().flat_map(|host| paths.iter().map(move |path| (host, path))) {
            for (method, (name, who)) in ["GET", "POST"].iter().flat_map(|m| people().map(move |p| (m, p))) {
                let asked = |snapshot| answer(snapshot, method, &format!("{host}{path}"), &who);
                let ((was, from), (is, to)) = (asked(&before), asked(&after));
                let sign = match (was, is) {
                    (false, true) => '+',
                    (true, false) => '-',
                    _ => continue,
                };
                let route = if from == to { to } else { format!("{from}>{to}") };
                let line = format!("{sign} {name} {route}");
                prop_assert!(told.contains(&line), "{} {}{}: {}\n{:?}", method, host, path, line, told);
            }
        }
    }
}

/// Those of the file of people, and nobody.
fn people() -> impl Iterator<Item = (&'static str, Who)> {
    let somebody = |email: &str, user: &str, groups: &[&str]| {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let user = Some(user.to_owned());
        Who::Somebody(Box::new(Somebody { user, groups: Some(groups), ..Somebody::called(email) }))
    };
    [
        ("ann", somebody("Ann@Corp.test", "u-ann", &["eng"])),
        ("bob", somebody("bob@corp.test", "u-bob", &["eng", "ops"])),
        ("cid", somebody("cid@else.test", "u-cid", &[])),
        ("anonymous", Who::Nobody),
    ]
    .into_iter()
}

/// Whether the authorizer lets them in, and the route it found.
fn answer(snapshot: &Snapshot, method: &str, url: &str, who: &Who) -> (bool, String) {
    let question = Supposition {
        who: who.clone(),
        method: method.to_owned(),
        url: AskedUrl::parse(url).expect("a URL"),
        ..Supposition::default()
    };
    let (answer, _) = question.ask(&Authorizer::new(), snapshot).expect("an answer");
    let route = answer.record.route.map_or_else(|| "none".to_owned(), |id| id.to_string());
    (matches!(answer.outcome, Outcome::Admit(_)), route)
}
