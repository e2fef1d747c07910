//! Every way in which a policy can be refused: code, place, words and what to do.

use lictor::document::{Problem, Problems, load_json, load_yaml};
use lictor::policy::{Language, compile};

/// The first problem of a policy: `code line:column message | help`.
fn refused(text: &str) -> String {
    match load_yaml(text, "policy") {
        Err(error) => told(&error.into_problem()),
        Ok(document) => {
            let mut problems = Problems::default();
            drop(compile(&document, Language::TEXT, &mut problems));
            let problems = problems.into_parts().0;
            assert_eq!(problems.len(), 1, "{problems:?}");
            told(problems.first().expect("a problem"))
        }
    }
}

fn told(problem: &Problem) -> String {
    let Problem { code, place, message, help } = problem;
    format!("{code} {place} {message} | {}", help.as_deref().expect("what to do"))
}

#[test]
fn every_refusal_names_the_place_and_the_fix() {
    for (text, said) in [
        (
            "accept",
            "root_type policy:1:1 a policy must be a map or a list of maps, not text | begin with `allow:` or `deny:`",
        ),
        (
            "5",
            "root_type policy:1:1 a policy must be a map or a list of maps, not a number | begin with `allow:` or `deny:`",
        ),
        (
            "- accept",
            "rule_type policy:1:3 a rule must be a map, not text | begin with `allow:` or `deny:`",
        ),
        (
            "permit:\n  or:\n  - accept: true",
            "unknown_action policy:1:1 unknown action `permit` | did you mean `allow`?",
        ),
        (
            "allows:\n  or:\n  - accept: true",
            "unknown_action policy:1:1 unknown action `allows` | did you mean `allow`?",
        ),
        (
            "allow:\n- accept: true",
            "action_body_type policy:2:3 `allow` and `deny` hold a map, not a list | write `and:`, `or:`, `not:` or `nor:` below it",
        ),
        (
            "allow:\n  any:\n  - accept: true",
            "unknown_operator policy:2:3 unknown operator `any` | did you mean `or`?",
        ),
        (
            "allow:\n  or:\n    accept: true",
            "operator_type policy:3:5 `or` holds a list of criteria, not a map | begin each criterion with `- `",
        ),
        (
            "allow:\n  or:\n  - accept",
            "criterion_type policy:3:5 a criterion is a map with one name, not text | write it as `name: value`",
        ),
        (
            "allow:\n  or:\n  - accept: true\n    reject: true",
            "criterion_arity policy:3:5 a criterion has exactly one name, not 2 | begin each criterion with its own `- `",
        ),
        (
            "allow:\n  or:\n  - {}",
            "criterion_arity policy:3:5 a criterion has exactly one name, not 0 | begin each criterion with its own `- `",
        ),
        (
            "allow:\n  or:\n  - e_mail: a@b.c",
            "unknown_criterion policy:3:5 unknown criterion `e_mail` | did you mean `email`?",
        ),
        (
            "allow:\n  or:\n  - and:\n    - accept: true",
            "unknown_criterion policy:3:5 unknown criterion `and` | operators do not nest; write a further rule, or one group beside the other",
        ),
        (
            "allow:\n  or:\n  - pomerium_routes: true",
            "unknown_criterion policy:3:5 unknown criterion `pomerium_routes` | remove it: pages under `/.pomerium/` are judged by Lictor itself and need no rule",
        ),
        (
            "allow:\n  or:\n  - email: {in: a@b.c}",
            "data_type policy:3:17 `in` needs a list, not text | write it as `[a, b]`",
        ),
        (
            "allow:\n  or:\n  - source_ip: {cidr: 10.0.0.0/8}",
            "data_type policy:3:16 `source_ip` needs an address as text, not a map | write it as `10.0.0.0/8` or `[10.0.0.0/8, 192.0.2.7]`",
        ),
        (
            "allow:\n  or:\n  - device: any",
            "data_type policy:3:13 `device` cannot be text | write it as `device: {type: any}`",
        ),
        (
            "allow:\n  or:\n  - client_certificate: laptop",
            "data_type policy:3:25 `client_certificate` cannot be text | write it as `client_certificate: {san_dns: laptop.example.com}`",
        ),
        (
            "allow:\n  or:\n  - record: geoip",
            "data_type policy:3:13 `record` cannot be text | write it as `record: {type: example.com/geoip, field: country, is: AT}`",
        ),
        (
            "allow:\n  or:\n  - impersonated: sometimes",
            "data_type policy:3:19 `impersonated` must be true or false, not text | write `impersonated: true`",
        ),
        (
            "allow:\n  or:\n  - ssh_publickey: {key: x}",
            "data_type policy:3:20 a key must be text, not a map | write the line of the `.pub` file without options before it, such as `ssh-ed25519 AAAA… comment`",
        ),
        (
            "allow:\n  or:\n  - ssh_username_matches_claim: [a]",
            "data_type policy:3:33 `ssh_username_matches_claim` needs a claim, not a list | write `ssh_username_matches_claim: NAME`",
        ),
        (
            "allow:\n  or:\n  - email: {start_with: a}",
            "unknown_matcher policy:3:13 unknown operator `start_with` | did you mean `starts_with`?",
        ),
        (
            "allow:\n  or:\n  - groups: {contains: a}",
            "unknown_matcher policy:3:14 unknown operator `contains` | known: exclude, has, is",
        ),
        (
            "allow:\n  or:\n  - device: {kind: any}",
            "unknown_matcher policy:3:14 unknown key `kind` | known: approved, is, type",
        ),
        (
            "allow:\n  or:\n  - client_certificate: {san: a}",
            "unknown_matcher policy:3:26 unknown key `san` | known: fingerprint, san_dns, san_email, san_uri, spki_hash",
        ),
        (
            "allow:\n  or:\n  - date: {from: 2026-01-01}",
            "unknown_matcher policy:3:12 unknown key `from` | known: after, before",
        ),
        (
            "allow:\n  or:\n  - record: {type: a, feild: b, is: c}",
            "unknown_matcher policy:3:23 unknown key `feild` | did you mean `field`?",
        ),
        (
            "allow:\n  or:\n  - http_path: {starts_with: 5}",
            "type_mismatch policy:3:30 `starts_with` needs text, not a number | put it in quotes",
        ),
        (
            "allow:\n  or:\n  - record: {type: a, field: b, \">\": \"5\"}",
            "type_mismatch policy:3:38 `>` needs a number, not text | write the number without quotes",
        ),
        (
            "allow:\n  or:\n  - source_ip: 10.0.0.0/33",
            "bad_ip policy:3:16 `10.0.0.0/33` is not an IP address or range | write it as `192.0.2.7`, `10.0.0.0/8` or `2001:db8::/32`, without zone or leading zeros",
        ),
        (
            "allow:\n  or:\n  - client_certificate: {fingerprint: 5F}",
            "bad_fingerprint policy:3:39 `5F` is not the SHA-256 fingerprint of a certificate | write 64 lower-case hexadecimal digits, or 32 upper-case pairs with colons, as `openssl x509 -noout -fingerprint -sha256` prints them",
        ),
        (
            "allow:\n  or:\n  - client_certificate: {spki_hash: abc}",
            "bad_spki_hash policy:3:37 `abc` is not the SHA-256 of a public key in base64 | write it as `openssl x509 -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64` prints it",
        ),
        (
            "allow:\n  or:\n  - ssh_publickey: ssh-ed25519 AAAA",
            "bad_ssh_key policy:3:20 this is no SSH key: the key is not whole, or not the only thing in it | write the line of the `.pub` file without options before it, such as `ssh-ed25519 AAAA… comment`",
        ),
        (
            "allow:\n  or:\n  - ssh_ca: nonsense",
            "bad_ssh_key policy:3:13 this is no SSH key: it is not one line of a key type and base64 | write the line of the `.pub` file without options before it, such as `ssh-ed25519 AAAA… comment`",
        ),
        (
            "allow:\n  or:\n  - date: {after: tomorrow}",
            "bad_date policy:3:19 `tomorrow` is not a date in ISO 8601 | write it as `2026-01-31T08:00:00Z`",
        ),
        (
            "allow:\n  or:\n  - day_of_week: mon-fry",
            "bad_day policy:3:18 `mon-fry` names no days of the week | write days as `mon`, ranges as `mon-fri`, several with commas, all as `*`",
        ),
        (
            "allow:\n  or:\n  - time_of_day: {timezone: UTC, after: 25:00}",
            "bad_time policy:3:41 `25:00` is not an hour of the day | write it as `15:04`, `3:04 PM` or `3PM`",
        ),
        (
            "allow:\n  or:\n  - time_of_day: {timezone: Mars/Olympus, after: 8AM}",
            "bad_timezone policy:3:29 `Mars/Olympus` is not a time zone | write it as `Europe/Vienna` or `UTC`",
        ),
        (
            "allow:\n  or:\n  - time_of_day: {after: 8AM}",
            "missing_timezone policy:3:18 `time_of_day` needs `timezone` | add `timezone: Europe/Vienna`, or `timezone: UTC`",
        ),
        (
            "allow:\n  or:\n  - record: {field: a, is: b}",
            "missing_field policy:3:13 `record` names no `type` | write `record: {type: example.com/geoip, field: country, is: AT}`",
        ),
        (
            "allow:\n  or:\n  - record: {type: a}",
            "missing_field policy:3:13 `record` asks nothing | write `record: {type: example.com/geoip, field: country, is: AT}`, or `exists: true`",
        ),
        (
            "allow:\n  or:\n  - day_of_week: {timezone: UTC}",
            "missing_field policy:3:18 `day_of_week` names no day | write `is: mon-fri`",
        ),
        (
            "allow:\n  or:\n  - http_query: a",
            "missing_field policy:3:5 `http_query` names no parameter | write it as `http_query/tenant: VALUE`",
        ),
        (
            "allow:\n  or:\n  - http_header/x-pomerium-claim-email: a@b.c",
            "bad_header policy:3:5 `x-pomerium-claim-email` is removed from every request: any client can send it | ask about the person with `email`, `groups` or `claim/NAME`",
        ),
        (
            "allow:\n  or:\n  - http_header/a b: c",
            "bad_header policy:3:5 `a b` is not the name of a header | write it as `http_header/x-tenant: VALUE`",
        ),
        (
            "allow:\n  or:\n  - http_path: {matches: \"/a(\"}",
            "bad_pattern policy:3:26 `matches`: `/a(` is not a regular expression: unclosed group | write a regular expression as RE2 does, without look-around or back-references",
        ),
        (
            "mode: dryrun\nallow:\n  or:\n  - accept: true",
            "bad_mode policy:1:7 `dryrun` is no mode | did you mean `dry_run`?",
        ),
        ("", "empty_document policy:1:1 the document is empty | write at least one key"),
        (
            "allow:\n  or:\n  - accept: true\n---\ndeny:\n  or:\n  - accept: true",
            "multiple_documents policy:4:1 a second document begins here | keep one document; a second would be ignored",
        ),
        (
            "allow:\n  or: [accept: true",
            "yaml_syntax policy:3:1 while parsing a flow mapping, did not find expected ',' or '}' | check the indentation, and put text with `: ` or a leading `{`, `[`, `*`, `&` or `@` in quotes",
        ),
        (
            "allow:\n  or:\n  - accept: true\nallow:\n  or: []",
            "yaml_duplicate_key policy:4:1 the key `allow` is given twice; the first is on line 1 | keep one of the two",
        ),
        (
            "allow:\n  1:\n  - accept: true",
            "yaml_non_string_key policy:2:3 the key `1` is not text | put the key in quotes",
        ),
    ] {
        assert_eq!(refused(text), said, "{text}");
    }
}

#[test]
fn json_is_refused_with_its_place() {
    for (text, said) in [
        ("{\"allow\": {\"or\": [}}", "json_syntax policy:1:"),
        ("{} {}", "json_syntax policy:1:"),
        ("{\"allow\": ", "json_syntax policy:1:"),
    ] {
        let error = load_json(text, "policy").expect_err(text);
        assert!(told(&error.into_problem()).starts_with(said), "{text}");
    }
}
