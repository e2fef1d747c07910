//! Policies in the configuration: named ones, the default, several for one route, and
//! `strict_pomerium`; and what is said when they are written wrongly.

use crate::support::config::load_problems;
use crate::support::fixture::{Ask, Company, Saw};
use lictor::document::Problem;
use lictor::policy::EXTENSIONS;

/// Each problem: `code line:column message | help`.
fn told(text: &str) -> Vec<String> {
    let problem = |problem: Problem| {
        let place = problem.place.to_string();
        let (_, place) = place.split_once("lictor.yaml:").expect("a place in the file");
        let help = problem.help.unwrap_or_else(|| panic!("no fix: {}", problem.message));
        format!("{} {place} {} | {help}", problem.code, problem.message)
    };
    load_problems(text).into_iter().map(problem).collect()
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    assert_eq!(told(text).join("\n"), expected, "{text}");
}

// --- which policies count

const PEOPLE: &str = "
authenticate_service_url: https://authenticate.corp.test
pass_identity_headers: true
policies:
  corp: {allow: {or: [{domain: corp.test}]}}
  friends: {allow: {or: [{email: eve@evil.test}]}}
  not-bob: {deny: {or: [{email: bob@corp.test}]}}
  nothing: {}
default_policy: [corp, not-bob]
routes:
";

/// Who gets in on a route that says this: alice, bob, eve, and somebody who is not signed in.
fn let_in(route: &str) -> [bool; 4] {
    let company = Company::new(&format!("{PEOPLE}- {{from: 'https://eng.corp.test', {route}}}\n"));
    let ask = || Ask::get("eng");
    let people = [ask().cookie("T-alice"), ask().cookie("T-bob"), ask().cookie("T-eve"), ask()];
    people.map(|ask| matches!(company.ask(&ask).saw(), Saw::Allowed(_) | Saw::Anonymous))
}

#[test]
fn the_default_is_for_routes_that_say_nothing() {
    assert_eq!(let_in("prefix: /"), [true, false, false, false]);
    assert_eq!(let_in("show_error_details: true"), [true, false, false, false]);
    for says_something in [
        "policies: []",
        "policies: [nothing]",
        "policy: {}",
        "policy: []",
        "allowed_users: []",
        "allowed_users: ",
        "allow_any_authenticated_user: false",
        "cors_allow_preflight: true",
    ] {
        assert_eq!(let_in(says_something), [false; 4], "{says_something}");
    }
    assert_eq!(let_in("allow_public_unauthenticated_access: true"), [true; 4]);
}

#[test]
fn several_policies_are_one() {
    assert_eq!(let_in("policies: corp"), [true, true, false, false]);
    assert_eq!(let_in("policies: [corp, friends]"), [true, true, true, false]);
    assert_eq!(let_in("policies: [friends, corp, friends]"), [true, true, true, false]);
    assert_eq!(let_in("policies: [not-bob]"), [false; 4]);
    for order in ["[corp, friends, not-bob]", "[not-bob, friends, corp]"] {
        assert_eq!(let_in(&format!("policies: {order}")), [true, false, true, false], "{order}");
    }
    let own = "policy: {allow: {or: [{email: eve@evil.test}]}}";
    assert_eq!(let_in(&format!("{own}, policies: [corp]")), [true, true, true, false]);
    assert_eq!(let_in(&format!("{own}, policies: [not-bob]")), [false, false, true, false]);
    let own = "allowed_users: [bob@corp.test, eve@evil.test]";
    assert_eq!(let_in(own), [false, true, true, false]);
    assert_eq!(let_in(&format!("{own}, policies: [not-bob]")), [false, false, true, false]);
    let own = "policy: {deny: {or: [{email: alice@corp.test}]}}";
    assert_eq!(let_in(&format!("{own}, policies: [corp, friends]")), [false, true, true, false]);
}

// --- names and forms

#[test]
fn names_that_nobody_has() {
    refused(
        "default_policy: staff",
        "unknown_policy 1:17 there is no policy called `staff` | define it under `policies:` at the top of the file",
    );
    let named = "policies: {staff: {}, guests: {}}\n";
    refused(
        &format!("{named}default_policy: [staff, guest]"),
        "unknown_policy 2:25 there is no policy called `guest` | did you mean `guests`?",
    );
    refused(
        &format!("{named}routes:\n- from: https://a.test\n  policies: [Staff, x]\n"),
        "unknown_policy 4:14 there is no policy called `Staff` | did you mean `staff`?\n\
         unknown_policy 4:21 there is no policy called `x` | define it under `policies:` at the top of the file",
    );
    refused(
        &format!("{named}routes:\n- from: https://a.test\n  policies: ['']\n"),
        "bad_value 4:13 `routes[0].policies` has an empty element | remove it; an empty text would match what is not there",
    );
    refused(
        "policies: {'': {allow: {or: [{accept: true}]}}}",
        "bad_value 1:12 a policy has no name | write a name before the `:`",
    );
    refused(
        "policies:\n  staff: {}\n  staff: {}\n",
        "yaml_duplicate_key 3:3 the key `staff` is given twice; the first is on line 2 | keep one of the two",
    );
}

#[test]
fn a_policy_where_a_name_belongs_and_the_other_way_round() {
    let rule = "{allow: {or: [{accept: true}]}}";
    refused(
        &format!("default_policy: {rule}"),
        "wrong_type 1:17 `default_policy` holds names of policies, not a policy | put the policy under `policies:`, and its name here",
    );
    for form in [rule.to_owned(), format!("[{rule}]")] {
        refused(
            &format!("routes:\n- from: https://a.test\n  policies: {form}\n"),
            "wrong_type 3:13 `routes[0].policies` holds names of policies, not a policy | write it under `policy:`, or under `policies:` at the top of the file and its name here",
        );
    }
    for form in ["staff", "[staff]"] {
        refused(
            &format!(
                "policies: {{staff: {rule}}}\nroutes:\n- from: https://a.test\n  policy: {form}\n"
            ),
            "root_type 4:11 `policy` holds a policy, not the name of one | write `policies: [staff]`",
        );
    }
    refused(
        "routes:\n- from: https://a.test\n  policy: |\n    allow: {}\n",
        "root_type 4:5 `policy` is text | write the policy as YAML below `policy:`, without `|` or quotes",
    );
    refused(
        &format!("policies: [{rule}]"),
        "wrong_type 1:11 `policies` holds policies by name, not a list | write `NAME: {allow: …}` for each below it",
    );
    refused(
        &format!("policy: {rule}"),
        "wrong_type 1:9 `policy` must be a list of routes, not a map | put a policy for every route under `policies:`, and its name into `default_policy`",
    );
    refused(
        "routes: {from: https://a.test}",
        "wrong_type 1:9 `routes` must be a list of routes, not a map | begin each route with `- from: …`",
    );
    refused(
        "policies: {staff: everybody}",
        "root_type 1:19 a policy must be a map or a list of maps, not text | begin with `allow:` or `deny:`",
    );
}

/// A named policy is read once, whoever calls it, and also if nobody does.
#[test]
fn a_wrong_policy_is_told_once() {
    let text = "\
policies:
  staff:
    allow: {or: [{emial: a@b.c}]}
default_policy: staff
routes:
- {from: https://a.test, policies: [staff]}
- {from: https://b.test, policies: [staff]}
- {from: https://c.test}
";
    let expected = "unknown_criterion 3:19 unknown criterion `emial` | did you mean `email`?";
    refused(text, expected);
    refused(text.split_once("default").expect("there").0, expected);
}

#[test]
fn a_mode_is_for_a_whole_policy() {
    let policy = |policy: &str| format!("policies:\n  staff: {policy}\n");
    refused(
        &policy("{mode: dryrun}"),
        "bad_mode 2:17 `dryrun` is no mode | did you mean `dry_run`?",
    );
    refused(
        &policy("{mode: off}"),
        "bad_mode 2:17 `off` is no mode | write `mode: enforce` or `mode: dry_run`",
    );
    refused(
        &policy("{mode: true}"),
        "bad_mode 2:17 true or false is no mode | write `mode: enforce` or `mode: dry_run`",
    );
    refused(
        &policy("{mode: }"),
        "bad_mode 2:15 nothing is no mode | write `mode: enforce` or `mode: dry_run`",
    );
    let help = "it is for a whole policy: write `{mode: …, rules: […]}`";
    for (text, column) in [("[{mode: dry_run}]", 12), ("{rules: [{mode: dry_run}]}", 20)] {
        refused(
            &policy(text),
            &format!("unknown_action 2:{column} unknown action `mode` | {help}"),
        );
    }
    refused(
        &policy("{rules: {allow: {or: []}}}"),
        "rule_type 2:18 `rules` holds a list of rules, not a map | begin each with `- allow:` or `- deny:`",
    );
    refused(&policy("{Mode: dry_run, Rules: [{Allow: {OR: [{Accept: true}]}}]}"), "");
}

// --- strict_pomerium

const OFF: &str = "remove it, or turn `strict_pomerium` off";

/// What is said of a criterion in a file that is strict.
fn strict(criterion: &str) -> Vec<String> {
    let policy = format!("{{allow: {{or: [{{{criterion}}}]}}}}");
    let file = |strict: bool| format!("strict_pomerium: {strict}\npolicies: {{staff: {policy}}}\n");
    assert_eq!(told(&file(false)), Vec::<String>::new(), "{criterion}");
    told(&file(true))
}

#[test]
fn every_criterion_of_ours_is_refused() {
    for name in EXTENSIONS {
        let key = match name {
            "http_header" | "http_query" => format!("{name}/tenant"),
            _ => name.to_owned(),
        };
        let value = if matches!(name, "impersonated" | "service_account") { "true" } else { "x" };
        for written in [key.clone(), key.to_ascii_uppercase()] {
            let said = strict(&format!("{written}: {value}"));
            let expected = format!(
                "unknown_criterion 2:34 unknown criterion `{written}`: it is one of Lictor's own | {OFF}"
            );
            assert_eq!(said, [expected]);
        }
    }
}

#[test]
fn every_operator_of_ours_is_refused() {
    for criterion in
        ["email", "domain", "user", "http_path", "http_method", "mcp_tool", "ssh_username"]
    {
        let column = 36 + criterion.len() + 1;
        let said = strict(&format!("{criterion}: {{matches: 'a.*'}}"));
        let expected = format!(
            "unknown_matcher 2:{column} unknown operator `matches`: it is one of Lictor's own | {OFF}"
        );
        assert_eq!(said, [expected], "{criterion}");
    }
    let said = strict("client_certificate: {san_dns: {matches: 'a.*'}}");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].ends_with(OFF), "{said:?}");
}

#[test]
fn every_setting_of_ours_is_refused() {
    let file = |policy: &str| format!("strict_pomerium: true\npolicies: {{staff: {policy}}}\n");
    refused(
        &file("{mode: enforce, allow: {or: [{accept: true}]}}"),
        &format!("unknown_action 2:20 unknown action `mode`: it is one of Lictor's own | {OFF}"),
    );
    refused(
        &file("{rules: [{allow: {or: [{accept: true}]}}]}"),
        "unknown_action 2:20 unknown action `rules` | put the list in place of the map that holds it, or turn `strict_pomerium` off",
    );
    refused(
        "strict_pomerium: true\ncase_insensitive_email: true\n",
        "not_pomerium 2:25 `case_insensitive_email` is not Pomerium's, and `strict_pomerium` is on | set one of the two to `false`",
    );
    refused("strict_pomerium: true\ncase_insensitive_email: false\n", "");
    refused(
        "strict_pomerium: sometimes",
        "wrong_type 1:18 `strict_pomerium` must be true or false, not text | write `true` or `false`; `yes` and `on` are text in YAML 1.2",
    );
}

/// No advice leads into the next refusal.
#[test]
fn what_is_turned_off_is_not_suggested() {
    let file = |criterion: &str| {
        format!(
            "strict_pomerium: true\npolicies: {{staff: {{allow: {{or: [{{{criterion}}}]}}}}}}\n"
        )
    };
    for (criterion, off) in [
        ("htp_header/x: a", "http_header"),
        ("email: {mtches: a}", "matches"),
        ("email: {regex: a}", "matches"),
    ] {
        let said = told(&file(criterion));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            !said[0].contains(&format!("`{off}`")) && !said[0].contains(&format!(" {off},")),
            "{said:?}"
        );
    }
}

/// What the language has without ours loads unchanged, and means the same.
#[test]
fn everything_else_is_as_it_was() {
    let policy =
        "{allow: {or: [{domain: corp.test}]}, deny: {nor: [{email: {not: eve@evil.test}}]}}";
    for strict in [true, false] {
        let company = Company::new(&format!(
            "strict_pomerium: {strict}\nauthenticate_service_url: https://authenticate.corp.test\npass_identity_headers: true\n\
             policies: {{staff: {policy}}}\ndefault_policy: staff\nroutes:\n- from: https://eng.corp.test\n"
        ));
        let saw = |name: &str| company.ask(&Ask::get("eng").cookie(name)).saw();
        assert_eq!(saw("T-alice"), Saw::Allowed("u-alice".to_owned()), "{strict}");
        assert_eq!(saw("T-eve"), Saw::Refused(403), "{strict}");
        assert_eq!(company.ask(&Ask::get("eng")).saw(), Saw::Login, "{strict}");
    }
}
