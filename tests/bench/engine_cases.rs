//! The cases: each asks one thing, small and large, of a request for which the last of many matters.

#[expect(dead_code, reason = "shared with the tests")]
#[path = "../it/support/config.rs"]
mod config;
#[path = "../it/support/shown.rs"]
mod shown;

use lictor::document::{Place, Problems, load_yaml};
use lictor::identity::{Caller, Claims, Identity, Person, Session, Source};
use lictor::policy::{
    Decision, Evaluation, Facts, Language, LegacyFields, Policy, compile, evaluate, explain,
};
use lictor::request::{Headers, Host, Kind, Path, Request, Target};
use lictor::time::Timestamp;
use shown::Shown;
use std::sync::Arc;

/// One thing to decide. Preparing it is not measured; the decision gives something to look at.
pub struct Case {
    pub name: &'static str,
    pub prepare: fn() -> Decide,
}

pub type Decide = Box<dyn FnMut() -> usize>;

macro_rules! table {
    ($($name:literal => $prepare:expr,)*) => {
        [$(Case { name: $name, prepare: || $prepare }),*]
    };
}

pub fn cases() -> impl Iterator<Item = Case> {
    table! {
        "nothing" => Box::new(|| 1),
        "rules/1" => decided(&rules(1), 10, true),
        "rules/10" => decided(&rules(10), 10, true),
        "rules/100" => decided(&rules(100), 10, true),
        "rules/10/refused" => decided(&rules(10), 9, false),
        "rules/10/explained" => explained(&rules(10)),
        "rules/100/explained" => explained(&rules(100)),
        "in/10" => decided(&among("user", "u", 10), 10, true),
        "in/10000" => decided(&among("user", "u", 10_000), 10, true),
        "in/folded/10" => folded(&among("email", "u", 10)),
        "in/folded/10000" => folded(&among("email", "u", 10_000)),
        "allowed_users/10" => allowed_users(10),
        "allowed_users/10000" => allowed_users(10_000),
        "groups/10" => decided("{allow: {or: [{groups: {has: g9}}]}}", 10, true),
        "groups/10000" => decided("{allow: {or: [{groups: {has: g9999}}]}}", 10_000, true),
        "groups/10000/of-100" => decided(&many_groups(), 10_000, false),
        "source_ip/10" => decided(&ranges(10), 10, true),
        "source_ip/10000" => decided(&ranges(10_000), 10, true),
        "matches/1" => decided(&patterns(1), 10, true),
        "matches/100" => decided(&patterns(100), 10, true),
        "query/plain" => decided("{allow: {or: [{http_query/tenant: acme}]}}", 10, true),
        "query/escaped" => decided("{allow: {or: [{http_query/name: 'a b'}]}}", 10, true),
        "shown/session" => shown(|shown| &shown.by_session),
        "shown/machine" => shown(|shown| &shown.by_machine),
        "find/hosts/10" => found(10, |n| format!("{{from: 'https://h{n}.test'}}"), "h9.test"),
        "find/hosts/10000" => {
            found(10_000, |n| format!("{{from: 'https://h{n}.test'}}"), "h9999.test")
        },
        "find/prefixes/10" => found(10, prefix, "a.test"),
        "find/prefixes/10000" => found(10_000, prefix, "a.test"),
        "find/wildcards/10" => found(10, wildcard, "x.w9.test"),
        "find/wildcards/10000" => found(10_000, wildcard, "x.w9999.test"),
        "find/regexes/10" => found(10, regex, "a.test"),
        "find/regexes/1000" => found(1_000, regex, "a.test"),
    }
    .into_iter()
}

/// Rules of which the last lets the request in, each with two criteria.
fn rules(count: usize) -> String {
    let rule =
        |n: usize| format!("{{allow: {{and: [{{http_method: GET}}, {{claim/team: team-{n}}}]}}}}");
    format!("[{}]", (0..count).rev().map(rule).collect::<Vec<_>>().join(", "))
}

fn among(name: &str, word: &str, count: usize) -> String {
    let names = (0..count).rev().map(|n| format!("{word}{n}@example.com"));
    format!("{{allow: {{or: [{{{name}: {{in: [{}]}}}}]}}}}", names.collect::<Vec<_>>().join(", "))
}

fn many_groups() -> String {
    let groups = (0..100).map(|n| format!("{{groups: {{has: other{n}}}}}"));
    format!("{{allow: {{or: [{}]}}}}", groups.collect::<Vec<_>>().join(", "))
}

fn ranges(count: usize) -> String {
    let range = |n: usize| format!("10.{}.{}.0/24", n / 256, n % 256);
    format!(
        "{{allow: {{or: [{{source_ip: [{}]}}]}}}}",
        (0..count).map(range).collect::<Vec<_>>().join(", ")
    )
}

fn patterns(count: usize) -> String {
    let pattern = |n: usize| format!("'/v{n}/(items|carts)/[0-9]+'");
    let patterns = (0..count).map(pattern).collect::<Vec<_>>().join(", ");
    format!("{{allow: {{or: [{{http_path: {{matches: [{patterns}]}}}}]}}}}")
}

fn policy(text: &str, language: Language) -> Policy {
    let document = load_yaml(text, "a case").expect("YAML");
    let mut problems = Problems::default();
    let policy = compile(&document, language, &mut problems);
    assert!(problems.into_parts().0.is_empty(), "a case without mistakes");
    policy
}

/// What is asked about lives as long as the program.
fn facts(groups: usize) -> (Facts<'static>, Caller) {
    let claims = r#"{"team": ["team-0"], "department": ["rnd"]}"#;
    let claims = match lictor::identity::ClaimValue::from_json(claims.as_bytes()) {
        Ok(lictor::identity::ClaimValue::Map(claims)) => claims,
        _ => unreachable!("JSON"),
    };
    let name = "u0@example.com".to_owned();
    let subject = Person {
        subject: name.clone(),
        user: name.clone(),
        email: name,
        groups: Some((0..groups).map(|n| format!("g{n}")).collect()),
        claims: Claims::new(claims),
        ..Person::default()
    };
    let session = Session {
        id: String::new(),
        source: Source::Cookie,
        is_service: false,
        usable_until: Timestamp::from_unix(i64::MAX),
        devices: Arc::new([]),
    };
    let identity = Arc::new(Identity { subject, actor: None, session });
    let host = Host::parse("a.test").expect("a host");
    let path = Path::parse("/v0/items/12").expect("a path");
    let request = Request {
        kind: Kind::Http,
        method: "GET".to_owned(),
        target: Ok(Target { host, path }),
        query: Some("tenant=acme&page=2&name=a+b".to_owned()),
        headers: Headers::from_lines([("accept".to_owned(), b"text/html".to_vec())]),
        source_ip: "10.0.7.77".parse().ok(),
        ..Request::unknown()
    };
    let (request, held) = (Box::leak(Box::new(request)), Box::leak(Box::new(identity.clone())));
    let now = Timestamp::from_unix(1_700_000_000);
    (Facts::new(request, Some(held), now), Caller::Identified(identity))
}

fn is_allowed(evaluation: &Evaluation) -> bool {
    matches!(evaluation.decision, Decision::Allow(_))
}

fn decided(text: &str, groups: usize, allowed: bool) -> Decide {
    decided_by(policy(text, Language::TEXT), groups, allowed)
}

fn folded(text: &str) -> Decide {
    decided_by(policy(text, Language { fold_email: true, ..Language::TEXT }), 10, true)
}

fn decided_by(policy: Policy, groups: usize, allowed: bool) -> Decide {
    let (mut facts, caller) = facts(groups);
    if !allowed {
        facts.method = "POST";
    }
    let decide = move || {
        let evaluation = evaluate(std::iter::once(&policy), &facts, caller.clone());
        usize::from(is_allowed(&evaluation))
    };
    assert_eq!(decide() == 1, allowed, "the case is as it says");
    Box::new(decide)
}

fn explained(text: &str) -> Decide {
    let policy = policy(text, Language::TEXT);
    let (facts, caller) = facts(10);
    Box::new(move || {
        let (evaluation, explanation) = explain(std::iter::once(&policy), &facts, caller.clone());
        assert!(is_allowed(&evaluation), "the case is as it says");
        explanation.groups.len()
    })
}

fn allowed_users(count: usize) -> Decide {
    let users = (0..count).rev().map(|n| format!("u{n}@example.com")).collect();
    let fields = LegacyFields { allowed_users: Some(users), ..LegacyFields::default() };
    decided_by(fields.into_policy(Language::TEXT, |_, _| Place::whole("a case")), 10, true)
}

/// A whole decision, from the credential to the assertion that was made before.
fn shown(by: fn(&Shown) -> &Request) -> Decide {
    let shown = Shown::new();
    assert!(shown.is_allowed(by(&shown)), "the case is as it says");
    Box::new(move || usize::from(shown.is_allowed(by(&shown))))
}

fn prefix(n: usize) -> String {
    format!("{{from: 'https://a.test', prefix: /service-{n}/}}")
}

fn wildcard(n: usize) -> String {
    format!("{{from: 'https://*.w{n}.test'}}")
}

fn regex(n: usize) -> String {
    format!("{{from: 'https://a.test', regex: '/service-{n}/(items|carts)/[0-9]+'}}")
}

/// The last of `count` routes.
fn found(count: usize, route: fn(usize) -> String, host: &str) -> Decide {
    let routes: Vec<String> = (0..count).map(|n| format!("- {}\n", route(n))).collect();
    let snapshot = config::snapshot_of(&format!("routes:\n{}", routes.concat()));
    let host = Host::parse(host).expect("a host");
    let path = Path::parse(&format!("/service-{}/items/12", count - 1)).expect("a path");
    let target = Target { host, path };
    Box::new(move || {
        let route = snapshot.table().find(Kind::Http, &target);
        route.expect("the case is as it says").id.as_str().len()
    })
}
