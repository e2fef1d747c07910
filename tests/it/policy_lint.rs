//! `lictor policy lint`: each piece of advice with the smallest configuration that earns it, and ones
//! close to it that do not. What is claimed to be certain is held against the evaluator.

use crate::support::command::{Ran, lictor};
use crate::support::config::{SECRET, load};
use crate::support::pki::Ca;
use lictor::advice::Advice;
use lictor::config::load_directory;
use lictor::document::Notice;
use lictor::identity::Directory;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

const PEOPLE: &str = "
users:
- {id: u-1, email: ann@corp.test, group_ids: [g-eng, g-unlisted]}
- {id: bob@corp.test, email: bob@corp.test}
groups:
- {id: g-eng, name: Engineering}
- {id: g-fin, name: Finance}
- {id: g-old, name: Finance}
";

/// What one piece of advice is given for. `»` marks the place; it is no part of the text.
struct Row {
    code: &'static str,
    text: &'static str,
    phrase: &'static str,
    /// Close to it, without this advice.
    but: &'static [&'static str],
}

/// A policy, or a whole configuration if it has routes.
fn config(text: &str) -> String {
    let text = text.trim_start();
    if text.contains("routes:") {
        return text.to_owned();
    }
    format!("routes:\n- from: https://a.test\n  policy: {text}\n")
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("people.yaml"), PEOPLE).expect("writes");
    std::fs::write(folder.path().join("records.yaml"), "[{id: u-1, country: AT}]").expect("writes");
    std::fs::write(folder.path().join("ca.pem"), ca()).expect("writes");
    folder
}

fn ca() -> &'static str {
    static CA: OnceLock<String> = OnceLock::new();
    CA.get_or_init(|| Ca::new("Corp CA").pem.clone())
}

fn advice(text: &str) -> Vec<Notice> {
    let folder = folder();
    let config =
        load(text, folder.path()).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"));
    let directory = config.directory.as_deref().map(|file| load_directory(file).expect("people"));
    config.advice(&directory.unwrap_or_default())
}

/// Line and column of the mark.
fn marked(text: &str) -> (usize, usize) {
    let (before, _) = text.split_once('»').expect("a mark");
    let line = before.rsplit('\n').next().expect("a line");
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

const ROWS: &[Row] = &[
    Row {
        code: "allow-fields-beside-policy",
        text: "routes:\n- from: https://a.test\n  allowed_users: [u-1]\n  policy: »{allow: {or: [{user: u-2}]}}\n",
        phrase: "let people in besides those whom its policies allow",
        but: &[
            "routes:\n- {from: https://a.test, allowed_users: [u-1]}\n",
            "routes: [{from: https://a.test, allowed_users: [u-1], policy: {deny: {or: [{http_path: /x}]}}}]",
        ],
    },
    Row {
        code: "allow-not-identity",
        text: "{allow: {not: [{http_path: /x}, {»email: eve@corp.test}]}}",
        phrase: "this `not` alone lets in everybody who is signed in and for whom none of its criteria holds",
        but: &[
            "{allow: {not: [{http_path: /x}]}}",
            "{allow: {and: [{email: {not: eve@corp.test}}]}}",
            "{allow: {or: [{authenticated_user: true}]}, deny: {not: [{email: eve@corp.test}]}}",
        ],
    },
    Row {
        code: "allow-not-identity",
        text: "{allow: {nor: [{»user: u-1}, {groups: g}]}}",
        phrase: "this `nor` alone lets in everybody who is signed in and for whom not all of its criteria hold",
        but: &[],
    },
    Row {
        code: "always-true",
        text: "{allow: {or: [{user: u-1}, {»accept: true}]}}",
        phrase: "`accept` always holds here, so this `or` is open to everybody, signed in or not",
        but: &[
            "{allow: {or: [{accept: true}]}}",
            "{allow: {or: [{accept: true}, {cors_preflight: true}]}}",
        ],
    },
    Row {
        code: "always-true",
        text: "{allow: {not: [{»reject: true}]}}",
        phrase: "`reject` never holds, so this `not` is open to everybody, signed in or not",
        but: &["{allow: {not: [{reject: true}, {http_path: /x}]}}"],
    },
    Row {
        code: "always-true",
        text: "{allow: {nor: [{user: u-1}, {»user: u-2}]}}",
        phrase: "lictor.yaml:3:27 and this `user` never hold both, so this `nor` is open to everybody who is signed in",
        but: &[
            "{allow: {nor: [{http_query/a: x}, {http_query/a: y}]}}",
            "{allow: {nor: [{groups: a}, {groups: b}]}}",
        ],
    },
    Row {
        code: "always-true",
        text: "[{allow: {or: [{http_path: /x}]}}, {deny: {or: [{http_method: {not: GET}}, {»http_method: {not: POST}}]}}]",
        phrase: "or this `http_method` always holds, so this `or` denies every request",
        but: &[
            "[{allow: {or: [{http_path: /x}]}}, {deny: {or: [{http_method: {not: GET}}, {http_method: {not: GET}}]}}]",
            "[{allow: {or: [{http_path: /x}]}}, {deny: {or: [{domain: {not: a.test}}, {domain: {not: b.test}}]}}]",
            "[{allow: {or: [{http_header/x: {not: a}}, {http_header/x: {not: b}}]}}]",
        ],
    },
    Row {
        code: "always-true",
        text: "[{allow: {or: [{email: a@a.test}]}}, {deny: {or: [{email: {not: a@a.test}}, {»email: {not: b@b.test}}]}}]",
        phrase: "so this `or` denies everybody who is signed in, and everybody else has to sign in",
        but: &[
            "[{allow: {or: [{email: a@a.test}]}}, {deny: {or: [{email: {not_in: [a@a.test]}}, {email: {not_in: [a@a.test, b@b.test]}}]}}]",
        ],
    },
    Row {
        code: "always-true",
        text: "[{allow: {or: [{user: u-1}]}}, {deny: {and: [{»accept: true}]}}]",
        phrase: "so this `and` denies every request",
        but: &["[{allow: {or: [{user: u-1}]}}, {deny: {and: [{accept: true}, {http_path: /x}]}}]"],
    },
    Row {
        code: "certificate-not-judged",
        text: "downstream_mtls: {ca_file: ca.pem, enforcement: policy}
routes:
- from: https://a.test
  policy: {allow: {or: [{»client_certificate: {san_dns: laptop.corp.test}}]}}
",
        phrase: "also holds for a certificate that no CA vouches for",
        but: &[
            "downstream_mtls: {ca_file: ca.pem}\nroutes: [{from: https://a.test, policy: {allow: {or: [{client_certificate: {san_dns: a}}]}}}]",
            "downstream_mtls: {ca_file: ca.pem, enforcement: policy}\nroutes: [{from: https://a.test, policy: {allow: {or: [{client_certificate: {san_dns: a}}]}, deny: {or: [{invalid_client_certificate: true}]}}}]",
            "downstream_mtls: {ca_file: ca.pem, enforcement: policy}\nroutes: [{from: https://a.test, policy: {allow: {or: [{client_certificate: {spki_hash: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='}}]}}}]",
        ],
    },
    Row {
        code: "certificate-without-ca",
        text: "{allow: {or: [{»client_certificate: {san_dns: laptop.corp.test}}]}}",
        phrase: "holds for one that somebody made for themselves",
        but: &[
            "{allow: {or: [{client_certificate: {fingerprint: a000000000000000000000000000000000000000000000000000000000000000}}]}}",
            "downstream_mtls: {ca_file: ca.pem}\nroutes: [{from: https://a.test, policy: {allow: {or: [{client_certificate: {}}]}}}]",
            "{allow: {or: [{accept: true}]}, deny: {or: [{client_certificate: {san_dns: lost.corp.test}}]}}",
        ],
    },
    Row {
        code: "certificate-without-ca",
        text: "{allow: {or: [{accept: true}]}, deny: {or: [{»invalid_client_certificate: true}]}}",
        phrase: "this `invalid_client_certificate` never holds",
        but: &[
            "downstream_mtls: {ca_file: ca.pem}\nroutes: [{from: https://a.test, policy: {allow: {or: [{accept: true}]}, deny: {or: [{invalid_client_certificate: true}]}}}]",
        ],
    },
    Row {
        code: "claim-without-name",
        text: "{allow: {or: [{»claim: x}]}}",
        phrase: "`claim` without a name finds nothing",
        but: &["{allow: {or: [{claim/x: x}]}}"],
    },
    Row {
        code: "covered-rule",
        text: "[{allow: {or: [{user: u-1}]}}, {allow: {or: [{»user: {is: u-1}}]}}]",
        phrase: "whoever `user: u-1` lets in is let in already by what stands at lictor.yaml:3:27",
        but: &[
            "[{allow: {or: [{user: u-1}]}}, {allow: {or: [{user: u-2}]}}]",
            "[{allow: {or: [{user: u-1}]}}, {deny: {or: [{http_path: /x}]}}]",
            "[{allow: {and: [{user: u-1}, {http_path: /x}]}}, {allow: {and: [{user: u-1}, {http_path: /y}]}}]",
        ],
    },
    Row {
        code: "covered-rule",
        text: "[{allow: {»and: [{user: u-1}, {http_path: /x}]}}, {allow: {or: [{user: u-1}]}}]",
        phrase: "whoever this `and` lets in is let in already by what stands at lictor.yaml:3:75",
        but: &[],
    },
    Row {
        code: "covered-rule",
        text: "[{allow: {or: [{user: u-1}]}}, {deny: {and: [{http_path: /x}, {http_method: GET}]}}, {deny: {»and: [{http_method: GET}, {http_path: /x}, {sni: a}]}}]",
        phrase: "whatever this `and` denies is denied already by what stands at lictor.yaml:3:50",
        but: &[
            "[{allow: {or: [{user: u-1}]}}, {deny: {and: [{http_path: /x}, {http_method: GET}]}}, {deny: {and: [{http_path: /x}, {sni: a}]}}]",
        ],
    },
    Row {
        code: "deny-skips-absent",
        text: "[{allow: {or: [{user: u-1}]}}, {deny: {or: [{»domain: {not: corp.test}}]}}]",
        phrase: "this `domain` holds for nobody who has no domain",
        but: &[
            "[{allow: {or: [{user: u-1}]}}, {deny: {not: [{domain: corp.test}]}}]",
            "[{allow: {or: [{domain: {not: corp.test}}]}}]",
            "[{allow: {or: [{user: u-1}]}}, {deny: {or: [{email: {not: a@corp.test}}]}}]",
        ],
    },
    Row {
        code: "domain-form",
        text: "{allow: {or: [{»domain: '@corp.test'}]}}",
        phrase: "none is like `@corp.test`",
        but: &[
            "{allow: {or: [{domain: corp.test}]}}",
            "{allow: {or: [{domain: {ends_with: .corp.test}}]}}",
        ],
    },
    Row {
        code: "domain-form",
        text: "routes:\n- from: https://a.test\n  allowed_domains: [».corp.test]\n",
        phrase: "compared with the whole domain, dot included",
        but: &["routes:\n- from: https://a.test\n  allowed_domains: [corp.test]\n"],
    },
    Row {
        code: "dry-run",
        text: "policies:
  new: {mode: dry_run, allow: {»or: [{user: u-1}]}, deny: {or: [{http_path: /x}]}}
routes:
- {from: https://a.test, allow_any_authenticated_user: true, policies: [new]}
",
        phrase: "`new` is in dry run and decides nothing; its deny rules do not deny",
        but: &["{mode: enforce, allow: {or: [{user: u-1}]}}"],
    },
    Row {
        code: "duplicate-criterion",
        text: "{allow: {or: [{user: u-1}, {»user: {is: u-1}}]}}",
        phrase: "`user: u-1` stands in the same `or` before, at lictor.yaml:3:26",
        but: &["{allow: {or: [{user: u-1}, {user: u-2}, {user: {starts_with: u-1}}]}}"],
    },
    Row {
        code: "duplicate-criterion",
        text: "{allow: {or: [{groups: a}, {groups: b}, {groups: c}, {groups: d}, {groups: e}, {groups: f}, {groups: g}, {groups: h}, {»groups: d}]}}",
        phrase: "`groups: d` stands in the same `or` before",
        but: &[
            "{allow: {or: [{groups: a}, {groups: b}, {groups: c}, {groups: d}, {groups: e}, {groups: f}, {groups: g}, {groups: h}, {groups: i}]}}",
        ],
    },
    Row {
        code: "email-without-at",
        text: "{allow: {or: [{»email: corp.test}]}}",
        phrase: "`corp.test` has no `@`, so it is no e-mail address",
        but: &[
            "{allow: {or: [{email: {ends_with: corp.test}}]}}",
            "{allow: {or: [{email: bob}, {user: bob}]}}",
            "routes: [{from: https://a.test, allowed_users: [u-1]}]",
        ],
    },
    Row {
        code: "empty-group",
        text: "{allow: {or: [{user: u-1}], »and: []}}",
        phrase: "an empty `and` says nothing",
        but: &["{allow: {or: [{user: u-1}]}}"],
    },
    Row {
        code: "empty-time-span",
        text: "{allow: {or: [{user: u-1}, {time_of_day: »{timezone: UTC, after: 8PM, before: 6AM}}]}}",
        phrase: "after and before can never both hold",
        but: &["{allow: {or: [{time_of_day: {timezone: UTC, after: 6AM, before: 8PM}}]}}"],
    },
    Row {
        code: "group-by-name",
        text: "directory: {file: people.yaml}\nroutes: [{from: https://a.test, policy: {allow: {or: [{»groups: Finance}]}}}]",
        phrase: "`groups` compares ids, and `Finance` is the name of a group (write its id, `g-fin` or `g-old`)",
        but: &[
            "directory: {file: people.yaml}\nroutes: [{from: https://a.test, policy: {allow: {or: [{groups: g-fin}, {claim/groups: Finance}]}}}]",
            "{allow: {or: [{groups: Finance}]}}",
        ],
    },
    Row {
        code: "idle-criterion",
        text: "{allow: {or: [{»email: {in: []}}, {user: u-1}]}}",
        phrase: "this `email` names nothing that fits, so this `or` holds as it would without it",
        but: &["{allow: {or: [{email: {in: [a@b.test]}}, {user: u-1}]}}"],
    },
    Row {
        code: "idle-criterion",
        text: "{allow: {and: [{»accept: true}, {user: u-1}]}}",
        phrase: "`accept` always holds here, so this `and` holds as it would without it",
        but: &[],
    },
    Row {
        code: "ignored-false",
        text: "{allow: {or: [{authenticated_user: »false}]}}",
        phrase: "`false` changes nothing",
        but: &["{allow: {or: [{authenticated_user: true}]}}"],
    },
    Row {
        code: "list-as-value",
        text: "{allow: {or: [{email: »[a@b.test, b@b.test]}]}}",
        phrase: "a list is compared as one value and never equals a text",
        but: &["{allow: {or: [{email: {in: [a@b.test]}}]}}"],
    },
    Row {
        code: "list-as-value",
        text: "{allow: {or: [{claim/x: {has: »[a, b]}}]}}",
        phrase: "a list is looked for as one element",
        but: &["{allow: {or: [{claim/x: {has: a}}]}}"],
    },
    Row {
        code: "matches-everything",
        text: "{allow: {or: [{»email: {matches: ^.*$}}]}}",
        phrase: "`matches: ^.*$` fits every text without a line break",
        but: &["{allow: {or: [{email: {matches: '.+'}}]}}"],
    },
    Row {
        code: "matches-everything",
        text: "{allow: {or: [{»user: {contains: ''}}]}}",
        phrase: "every text passes this `user`",
        but: &["{allow: {or: [{user: {contains: '', is: u-1}}]}}"],
    },
    Row {
        code: "mcp-without-server",
        text: "{allow: {or: [{user: u-1}]}, deny: {or: [{»mcp_tool: drop}]}}",
        phrase: "this `mcp_tool` never holds: bodies are not read here",
        but: &[
            "routes: [{from: https://a.test, mcp: {server: {}}, policy: {allow: {or: [{mcp_tool: list}]}}}]",
        ],
    },
    Row {
        code: "method-case",
        text: "{allow: {or: [{»http_method: get}]}}",
        phrase: "`get` is not `GET`",
        but: &["{allow: {or: [{http_method: GET}, {http_method: my-method}]}}"],
    },
    Row {
        code: "never-equal",
        text: "{allow: {or: [{user: »1001}]}}",
        phrase: "a number never equals a text",
        but: &["{allow: {or: [{user: '1001'}, {claim/n: 7}]}}"],
    },
    Row {
        code: "never-true",
        text: "{allow: {and: [{»reject: true}, {user: u-1}]}}",
        phrase: "`reject` never holds, so this `and` never holds: it lets nobody in",
        but: &["{allow: {or: [{reject: true}]}}"],
    },
    Row {
        code: "never-true",
        text: "{allow: {and: [{email: a@a.test}, {»email: b@b.test}]}}",
        phrase: "the `email` at lictor.yaml:3:27 and this `email` never hold both, so this `and` never holds: it lets nobody in",
        but: &[
            "{allow: {or: [{email: a@a.test}, {email: b@b.test}]}}",
            "{allow: {and: [{groups: a}, {groups: b}]}}",
            "{allow: {and: [{claim/x: a}, {claim/x: b}]}}",
            "[{allow: {or: [{user: u-1}]}}, {deny: {and: [{http_query/a: x}, {http_query/a: y}]}}]",
        ],
    },
    Row {
        code: "never-true",
        text: "{allow: {or: [{»email: {is: a@a.test, starts_with: b}}]}}",
        phrase: "what this `email` asks for excludes each other, so this `or` never holds",
        but: &["{allow: {or: [{email: {is: a@a.test, starts_with: a}}]}}"],
    },
    Row {
        code: "never-true",
        text: "{allow: {and: [{user: u-1}, {impersonated: true}, {»impersonated: false}]}}",
        phrase: "never hold both, so this `and` never holds: it lets nobody in",
        but: &["{allow: {and: [{impersonated: true}, {service_account: false}]}}"],
    },
    Row {
        code: "never-true",
        text: "{allow: {and: [{source_ip: 10.0.0.0/8}, {»source_ip: [192.0.2.0/24, '::1']}]}}",
        phrase: "never hold both",
        but: &["{allow: {and: [{source_ip: 10.0.0.0/8}, {source_ip: [10.1.0.0/16]}]}}"],
    },
    Row {
        code: "never-true",
        text: "{allow: {or: [{»date: {after: 2027-01-01, before: 2026-01-01}}]}}",
        phrase: "what this `date` asks for excludes each other",
        but: &["{allow: {or: [{date: {after: 2026-01-01, before: 2027-01-01}}]}}"],
    },
    Row {
        code: "never-true",
        text: "{allow: {or: [{»source_ip: []}]}}",
        phrase: "this `source_ip` names nothing that fits, so this `or` never holds",
        but: &["{allow: {or: [{source_ip: 10.0.0.1}]}}"],
    },
    Row {
        code: "never-true",
        text: "{allow: {not: [{»accept: true}]}}",
        phrase: "`accept` always holds here, so this `not` never holds: it lets nobody in",
        but: &[],
    },
    Row {
        code: "no-allow-rule",
        text: "routes:\n- »from: https://a.test\n  policy: {deny: {or: [{http_path: /x}]}}\n",
        phrase: "no rule in force lets anybody in at `route-1`",
        but: &["{allow: {or: [{user: u-1}]}}"],
    },
    Row {
        code: "no-policy",
        text: "routes:\n- »{from: https://a.test, id: bare}\n",
        phrase: "`bare` has no policy: every request is refused, and nobody is asked to sign in",
        but: &[
            "policies: {p: {allow: {or: [{user: u}]}}}\ndefault_policy: p\nroutes: [{from: https://a.test}]",
        ],
    },
    Row {
        code: "open-to-everybody",
        text: "{allow: {or: [{»accept: true}], and: [{user: u-1}]}}",
        phrase: "this is open to everybody, signed in or not, so the rule at lictor.yaml:3:42 lets in nobody besides",
        but: &[
            "{allow: {or: [{accept: true}]}}",
            "[{allow: {or: [{accept: true}]}}, {allow: {or: [{cors_preflight: true}]}}]",
            "[{allow: {or: [{accept: true}]}}, {allow: {not: [{user: u-1}]}}]",
        ],
    },
    Row {
        code: "path-form",
        text: "{allow: {or: [{»http_path: '/a?b=c'}]}}",
        phrase: "a path is compared without its query",
        but: &["{allow: {or: [{http_path: /a}]}}"],
    },
    Row {
        code: "path-form",
        text: "{allow: {or: [{»http_path: {starts_with: admin/}}]}}",
        phrase: "every path begins with `/`",
        but: &["{allow: {or: [{http_path: {ends_with: admin/}}]}}"],
    },
    Row {
        code: "path-form",
        text: "{allow: {or: [{»http_path: /a%20b}]}}",
        phrase: "a path is compared with its escapes decoded",
        but: &["{allow: {or: [{http_path: '/a b'}, {http_path: /100%}]}}"],
    },
    Row {
        code: "path-rule-ignored",
        text: "routes:\n- »{from: https://a.test, path: /a, prefix: /b/, allowed_users: [u-1]}\n",
        phrase: "`prefix` is ignored, because `path` is given",
        but: &["routes: [{from: https://a.test, path: /a, allowed_users: [u-1]}]"],
    },
    Row {
        code: "prefix-without-slash",
        text: "{allow: {or: [{»http_path: {starts_with: /admin}}]}}",
        phrase: "`starts_with: /admin` also fits `/admin-x` and `/adminx`",
        but: &[
            "{allow: {or: [{http_path: {starts_with: /admin/}}, {http_path: {starts_with: /v1.}}, {http_path: /x}]}}",
        ],
    },
    Row {
        code: "prefix-without-slash",
        text: "routes:\n- {from: https://a.test, prefix: »/admin, allowed_users: [u-1]}\n",
        phrase: "`prefix: /admin` also serves `/admin-x` and `/adminx`",
        but: &[
            "routes: [{from: https://a.test, prefix: /admin/, allowed_users: [u-1]}]",
            "routes: [{from: https://a.test, prefix: /, allowed_users: [u-1]}]",
            "routes: [{from: https://a.test, path_separated_prefix: /admin, allowed_users: [u-1]}]",
        ],
    },
    Row {
        code: "record-without-source",
        text: "{allow: {or: [{user: u-1}]}, deny: {or: [{»record: {type: lost, field: country, is: XX}}]}}",
        phrase: "this `record` never holds, so it denies nothing: no data source has records of the type `lost`",
        but: &[
            "data_sources: [{record_type: geo, file: records.yaml}]\nroutes: [{from: https://a.test, policy: {allow: {or: [{record: {type: geo, field: country, is: AT}}]}}}]",
        ],
    },
    Row {
        code: "record-without-source",
        text: "{allow: {or: [{»record: {type: lost, exists: false}}]}}",
        phrase: "this `record` always holds: no data source",
        but: &[],
    },
    Row {
        code: "refused-allow",
        text: "[{allow: {or: [{»user: u-1}, {user: u-2}]}}, {deny: {or: [{user: u-1}]}}]",
        phrase: "whatever `user: u-1` allows is denied by what stands at lictor.yaml:3:69",
        but: &[
            "[{allow: {or: [{user: u-2}]}}, {deny: {or: [{user: u-1}]}}]",
            "[{allow: {or: [{user: u-1}]}}, {deny: {not: [{user: u-1}]}}]",
            "[{allow: {or: [{user: u-1}]}}, {deny: {and: [{user: u-1}, {http_path: /x}]}}]",
            "policies: {x: {mode: dry_run, deny: {or: [{user: u-1}]}}}\nroutes: [{from: https://a.test, policies: x, policy: {allow: {or: [{user: u-1}]}}}]",
        ],
    },
    Row {
        code: "refused-allow",
        text: "policies:
  staff: {allow: {or: [{user: u-2}, {»user: u-1}]}}
  blocked: {deny: {or: [{user: u-1}]}}
routes:
- {from: https://a.test, id: one, policies: [staff, blocked]}
- {from: https://b.test, id: two, policies: [staff]}
",
        phrase: "whatever `user: u-1` allows is denied by what stands at lictor.yaml:3:26 (on `one`)",
        but: &[],
    },
    Row {
        code: "shadowed-route",
        text: "routes:
- {from: https://a.test, id: all, allowed_users: [u-1]}
- »{from: https://a.test, id: late, path: /x, allowed_users: [u-1]}
",
        phrase: "host and path never lead to `late`: `all` at lictor.yaml:2:3 takes all it is for; only Envoy can still name it, by `route_id`",
        but: &[
            "routes: [{from: https://a.test, path: /x, allowed_users: [u-1]}, {from: https://a.test, allowed_users: [u-1]}]",
        ],
    },
    Row {
        code: "sign-in-on-public",
        text: "[{allow: {or: [{accept: true}]}}, {deny: {or: [{http_path: /x}, {»email: eve@corp.test}]}}]",
        phrase: "nobody passes here without signing in, because this deny asks who they are; yet what stands at lictor.yaml:3:27 is open to everybody",
        but: &[
            "[{allow: {or: [{authenticated_user: true}]}}, {deny: {or: [{email: eve@corp.test}]}}]",
            "[{allow: {or: [{accept: true}]}}, {deny: {not: [{http_path: /x}, {email: eve@corp.test}]}}]",
            "[{allow: {or: [{accept: true}]}}, {deny: {or: [{source_ip: 10.0.0.1}]}}]",
        ],
    },
    Row {
        code: "slash-claim-path",
        text: "{allow: {or: [{»claim/realm/roles: admin}]}}",
        phrase: "nested claims are stored under names joined with dots (write `claim/realm.roles`)",
        but: &["{allow: {or: [{claim/realm.roles: admin}, {claim/https://x.test/roles: admin}]}}"],
    },
    Row {
        code: "ssh-on-http",
        text: "{allow: {or: [{user: u-1}]}, deny: {or: [{»ssh_username: root}]}}",
        phrase: "this `ssh_username` never holds: nothing comes over SSH here",
        but: &["routes: [{from: ssh://a.test, policy: {allow: {or: [{ssh_username: root}]}}}]"],
    },
    Row {
        code: "ssh-on-http",
        text: "{allow: {or: [{»ssh_username: {not: root}}]}}",
        phrase: "this `ssh_username` always holds: nothing comes over SSH here",
        but: &[],
    },
    Row {
        code: "unknown-group",
        text: "directory: {file: people.yaml}\nroutes: [{from: https://a.test, policy: {allow: {or: [{»groups: g-gone}]}}}]",
        phrase: "no group of the directory has the id `g-gone`",
        but: &[
            "directory: {file: people.yaml}\nroutes: [{from: https://a.test, policy: {allow: {or: [{groups: g-unlisted}]}}}]",
            "{allow: {or: [{groups: g-gone}]}}",
        ],
    },
    Row {
        code: "unused-policy",
        text: "policies:\n  »spare: {allow: {or: [{user: u-1}]}}\nroutes:\n- {from: https://a.test, allowed_users: [u-1]}\n",
        phrase: "no route uses the policy `spare`",
        but: &[
            "policies: {spare: {allow: {or: [{user: u-1}]}}}\ndefault_policy: spare\nroutes: [{from: https://a.test, allowed_users: [u-1]}]",
            "policies: {spare: {allow: {or: [{user: u-1}]}}}\nroutes: [{from: https://a.test, policies: spare}]",
        ],
    },
    Row {
        code: "upper-case-claim-path",
        text: "{allow: {or: [{»claim/GroupID: x}]}}",
        phrase: "Pomerium lower-cases it in a configuration file",
        but: &["{allow: {or: [{claim/groupid: X}]}}"],
    },
    Row {
        code: "user-like-email",
        text: "{allow: {or: [{»user: bob@corp.test}]}}",
        phrase: "`user` is compared with the user id, and `bob@corp.test` looks like an e-mail address",
        but: &[
            "routes: [{from: https://a.test, allowed_users: [bob@corp.test]}]",
            "directory: {file: people.yaml}\nroutes: [{from: https://a.test, policy: {allow: {or: [{user: bob@corp.test}]}}}]",
        ],
    },
];

#[test]
fn each_piece_of_advice() {
    let wrong: Vec<String> = ROWS.iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What is said for a row, unless it is what is to be said.
fn wrong(row: &Row) -> Option<String> {
    let text = config(row.text);
    let found = advice(&text.replace('»', ""));
    let shown: Vec<_> = found.iter().map(|notice| without_folders(&notice.to_string())).collect();
    let right = match found.as_slice() {
        [notice] => {
            let place = notice.place.line().zip(notice.place.column());
            notice.advice.code() == row.code
                && place == Some(marked(&text))
                && shown[0].contains(row.phrase)
                && (notice.help.is_some() || row.code == "path-rule-ignored")
        }
        _ => false,
    };
    let codes: Vec<&str> = found.iter().map(|notice| notice.advice.code()).collect();
    (!right).then(|| format!("{} at {:?}\n{text}{codes:?}\n{shown:#?}", row.code, marked(&text)))
}

/// `text` with every path to the file cut down to its name.
fn without_folders(text: &str) -> String {
    let pattern = regex::Regex::new(r"/[^\s`]*/lictor\.yaml").expect("a pattern");
    pattern.replace_all(text, "lictor.yaml").into_owned()
}

#[test]
fn and_not_for_what_is_close_to_it() {
    for row in ROWS {
        for text in row.but {
            let found = advice(&config(text));
            assert!(
                found.iter().all(|notice| notice.advice.code() != row.code),
                "{text}\n{found:#?}"
            );
        }
    }
}

#[test]
fn every_code_about_policies_has_a_row() {
    // `only-dry-run` never comes alone: tests/it/dry_run.rs.
    let rows: BTreeSet<&str> = ROWS.iter().map(|row| row.code).chain(["only-dry-run"]).collect();
    let codes = Advice::all().filter(|advice| advice.is_about_policies());
    assert_eq!(rows, codes.map(Advice::code).collect());
}

/// What is said of settings is no advice about policies; `config check` says it.
#[test]
fn every_other_code_is_for_a_check() {
    const SETTINGS: &[(&str, &str)] = &[
        ("idle-revocation-list", "downstream_mtls: {ca_file: ca.pem, crl_file: other.crl}"),
        (
            "mixed-password-cost",
            "authenticate_service_url: https://a.example.com\nidp_provider: local\nusers_file: users.yaml",
        ),
        ("no-client-ca", "downstream_mtls: {enforcement: policy}"),
        ("no-issuer", "log_level: info"),
        ("no-records", "data_sources: [{record_type: t, file: none.yaml}]"),
        ("not-used", "autocert: true"),
        ("open-address", "grpc_address: 0.0.0.0:50051"),
        ("unknown-log-field", "authorize_log_fields: [route-checksum]"),
    ];
    let codes = Advice::all().filter(|advice| !advice.is_about_policies()).map(Advice::code);
    assert!(codes.eq(SETTINGS.iter().map(|(code, _)| *code)));
    let folder = folder();
    std::fs::write(folder.path().join("none.yaml"), "[]").expect("writes");
    let lists = crate::support::pki::Ca::new("other").revoke(&[&[7]]);
    std::fs::write(folder.path().join("other.crl"), lists).expect("writes");
    let hash = "v=19$m=7168,t=5,p=1$c2FsdHNhbHQ$7/gOt2qjOzdInUxhCbho0fyO8MYQ93bujZ066MBUYEM";
    let user = |id, hash: &str| format!("- {{id: {id}, password: '$argon2id${hash}'}}\n");
    let users = format!("users:\n{}{}", user("a", hash), user("b", &hash.replace("t=5", "t=6")));
    std::fs::write(folder.path().join("users.yaml"), users).expect("writes");
    for (code, text) in SETTINGS {
        let config = load(text, folder.path()).expect(text);
        assert!(config.notices.iter().any(|notice| notice.advice.code() == *code), "{code}");
        assert!(config.advice(&Directory::default()).is_empty(), "{code}");
    }
}

/// Everything in it is meant as it is written.
const CLEAN: &str = "authenticate_service_url: https://authenticate.corp.test
directory: {file: people.yaml}
data_sources: [{record_type: geo, file: records.yaml}]
downstream_mtls: {ca_file: ca.pem}
policies:
  staff:
    allow:
      and:
      - {domain: corp.test}
      - {groups: {has: g-eng}}
  blocked:
    deny:
      or:
      - {email: eve@corp.test}
      - {record: {type: geo, field: country, is: XX}}
default_policy: [staff, blocked]
routes:
- {from: https://plain.corp.test}
- {from: https://public.corp.test, allow_public_unauthenticated_access: true, cors_allow_preflight: true}
- {from: https://people.corp.test, allowed_users: [ann@corp.test, u-1], allowed_domains: [else.test]}
- from: https://api.corp.test
  path_separated_prefix: /v1
  mcp: {server: {}}
  policies: [blocked]
  policy:
    allow:
      and:
      - {http_method: {in: [GET, POST]}}
      - {http_path: {starts_with: /v1/}}
      - {email: {not: root@corp.test}}
      - {mcp_tool: {not_in: [drop]}}
    deny:
      not:
      - {client_certificate: {san_dns: laptop.corp.test}}
      - {source_ip: 10.0.0.0/8}
- from: https://api.corp.test
  policy: {allow: {or: [{claim/realm.roles: admin}, {time_of_day: {timezone: UTC, after: 8AM}}]}}
";

#[test]
fn nothing_to_say() {
    assert_eq!(advice(CLEAN).iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
}

fn run(folder: &Path, text: &str, arguments: &[&str]) -> Ran {
    std::fs::write(folder.join("lictor.yaml"), text).expect("writes");
    lictor(folder, arguments, &[("SHARED_SECRET", SECRET)], "")
}

#[test]
fn the_command() {
    let folder = folder();
    let lint = ["policy", "lint", "lictor.yaml"];
    let ran = run(folder.path(), CLEAN, &lint);
    let nothing = "lictor.yaml: nothing to advise\n";
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, nothing, ""));
    let text = config(
        "{allow: {and: [{http_header/x-key: top}, {http_header/x-key: other}, {email: bob}]}}",
    );
    let ran = run(folder.path(), &text, &lint);
    assert_eq!((ran.code, ran.stderr.as_str()), (4, ""));
    assert_eq!(
        ran.stdout,
        "never-true: the `http_header/x-key` at lictor.yaml:3:27 and this `http_header/x-key` never hold both, so this `and` never holds: it lets nobody in
 --> lictor.yaml:3:53
  |
3 |   policy: {allow: {and: [{http_header/x-key: …
  |                                              ^
help: what need not hold together stands under `or`

email-without-at: `bob` has no `@`, so it is no e-mail address
 --> lictor.yaml:3:81
  |
3 |   policy: {allow: {and: [{http_header/x-key: …
  |                                              ^
help: for everybody of a domain write `domain: bob`, for an id `user: bob`

2 pieces of advice in lictor.yaml
"
    );
    let ran = run(folder.path(), &text, &[&lint[..], &["--ignore", "never-true"]].concat());
    assert!(ran.stdout.ends_with("1 piece of advice in lictor.yaml\n"), "{}", ran.stdout);
    let both = ["--ignore", "never-true", "--ignore", "email-without-at"];
    let ran = run(folder.path(), &text, &[&lint[..], &both].concat());
    assert_eq!((ran.code, ran.stdout.as_str()), (0, nothing));
}

#[test]
fn as_json() {
    let folder = folder();
    let lint = ["policy", "lint", "lictor.yaml", "--format", "json"];
    let read = |ran: &Ran| serde_json::from_str::<Value>(&ran.stdout).expect("json");
    let ran = run(folder.path(), &config("{allow: {or: [{http_method: get}]}}"), &lint);
    assert_eq!(ran.code, 4);
    let expected = serde_json::json!({
        "ok": false,
        "advice": [{
            "code": "method-case",
            "message": "methods are compared as they are sent, and `get` is not `GET`",
            "help": "write `GET`",
            "source": "lictor.yaml",
            "line": 3,
            "column": 26,
        }],
    });
    assert_eq!(read(&ran), expected);
    let ran = run(folder.path(), CLEAN, &lint);
    assert_eq!((ran.code, read(&ran)), (0, serde_json::json!({ "ok": true, "advice": [] })));
    let ran = run(folder.path(), "routes: 7", &lint);
    assert_eq!((ran.code, read(&ran)["ok"].clone()), (3, Value::Bool(false)));
    assert_eq!(read(&ran)["problems"][0]["code"], "wrong_type");
}

#[test]
fn one_policy() {
    let folder = folder();
    let lint = ["policy", "lint", "lictor.yaml", "--policy"];
    let text = "- allow: {or: [{user: u-1}]}\n- deny: {or: [{user: u-1}]}\n- mode: x\n";
    let ran = run(folder.path(), text, &lint);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    assert!(ran.stderr.contains("unknown action `mode`"), "{}", ran.stderr);
    let text = text.replace("- mode: x\n", "");
    let ran = run(folder.path(), &text, &lint);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("refused-allow: "), "{}", ran.stdout);
    let ran = run(folder.path(), "allow: {or: [{user: u-1}]}", &lint);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "lictor.yaml: nothing to advise\n"));
}

#[test]
fn what_cannot_be_run() {
    let folder = folder();
    for arguments in [
        &["policy", "lint"][..],
        &["policy", "lint", "lictor.yaml", "--ignore", "nonsense"],
        &["policy", "lint", "lictor.yaml", "--format", "xml"],
    ] {
        assert_eq!(run(folder.path(), CLEAN, arguments).code, 2, "{arguments:?}");
    }
    for flags in [&[][..], &["--policy"]] {
        let missing = [&["policy", "lint", "nowhere.yaml"][..], flags].concat();
        assert_eq!(run(folder.path(), CLEAN, &missing).code, 3);
    }
}

#[test]
fn a_check_points_to_advice() {
    let folder = folder();
    let check = ["config", "check", "lictor.yaml"];
    let pointer = "`lictor policy lint lictor.yaml` has ";
    let ran = run(folder.path(), CLEAN, &check);
    assert!(ran.code == 0 && !ran.stderr.contains(pointer), "{}", ran.stderr);
    let text = config("{allow: {or: [{email: 7}, {http_method: get}]}}");
    let ran = run(folder.path(), &text, &check);
    assert!(ran.stderr.ends_with(&format!("{pointer}2 pieces of advice\n")), "{}", ran.stderr);
    let ran = run(folder.path(), &text, &[&check[..], &["--format", "json"]].concat());
    assert_eq!(ran.stderr, format!("{pointer}2 pieces of advice\n"));
    assert_eq!(ran.code, 0);
}

/// Policies that many routes share are looked at once, and told once.
#[test]
fn shared_policies() {
    let mut text = "policies:\n  tools: {allow: {or: [{mcp_tool: x}]}}\nroutes:\n".to_owned();
    for index in 1..=5 {
        text += &format!("- {{from: 'https://a{index}.test', policies: [tools]}}\n");
    }
    let found = advice(&text);
    let said: Vec<_> = found.iter().map(|notice| notice.message.as_str()).collect();
    let expected = "this `mcp_tool` never holds: bodies are not read here (on `route-1`, `route-2`, `route-3` and 2 more)";
    assert_eq!(said, [expected]);
}
