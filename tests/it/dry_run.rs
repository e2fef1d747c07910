//! Policies in dry run, through the service: they never change an answer; log and metrics tell what
//! they would have changed.

use crate::support::config::{load, snapshot_of};
use crate::support::fixture::Ask;
use crate::support::service::Service;
use serde_json::Value;

/// A service with one route, `r`, of this policy, and of one in dry run if there is one.
fn service(policy: &str, next: Option<&str>) -> Service {
    let named = next.map(|rules| format!("policies: {{next: {{mode: dry_run, {rules}}}}}\n"));
    let called = if next.is_some() { "policies: [next]," } else { "" };
    let text = format!(
        "authenticate_service_url: https://authenticate.corp.test\n{}routes:\n\
         - {{id: r, from: 'https://eng.corp.test', {called} policy: {{{policy}}}}}\n",
        named.unwrap_or_default()
    );
    Service::new(snapshot_of(&text), None)
}

/// A case: what is in force, what is in dry run, and what comes of it.
struct Case {
    policy: &'static str,
    next: &'static str,
    ask: Ask,
    status: u16,
    outcome: &'static str,
    reason: &'static str,
}

const EVERYBODY: &str = "allow: {or: [{accept: true}]}";
const CORP: &str = "allow: {or: [{domain: corp.test}]}";
const NOT_ALICE: &str = "deny: {or: [{email: alice@corp.test}]}";
const NO_DEVICE: &str = "deny: {not: [{device: {type: any}}]}";

fn cases() -> Vec<Case> {
    let alice = || Ask::get("eng").cookie("T-alice");
    let bob = || Ask::get("eng").cookie("T-bob");
    let nobody = || Ask::get("eng");
    let case = |policy, next, ask, status, outcome, reason| Case {
        policy,
        next,
        ask,
        status,
        outcome,
        reason,
    };
    vec![
        case(CORP, NOT_ALICE, alice(), 200, "would-deny", "forbidden"),
        case(CORP, NOT_ALICE, bob(), 200, "same", "allowed"),
        case(NOT_ALICE, CORP, bob(), 403, "would-allow", "allowed"),
        case(NOT_ALICE, CORP, alice(), 403, "same", "forbidden"),
        // The answer that asks to sign in.
        case(CORP, EVERYBODY, nobody(), 302, "would-allow", "allowed"),
        case(CORP, NOT_ALICE, nobody(), 302, "same", "unauthenticated"),
        case(EVERYBODY, NOT_ALICE, nobody(), 200, "would-deny", "unauthenticated"),
        case(EVERYBODY, NOT_ALICE, bob(), 200, "same", "allowed"),
        case(NOT_ALICE, NO_DEVICE, nobody().without("accept"), 302, "same", "unauthenticated"),
        // The one that asks for a device.
        case(CORP, NO_DEVICE, bob(), 200, "would-deny", "device-unauthenticated"),
        // Another refusal is a refusal.
        case(NOT_ALICE, NO_DEVICE, alice(), 403, "same", "device-unauthenticated"),
        // Both readings of a path count.
        case(
            EVERYBODY,
            "deny: {or: [{http_path: '/a;b'}]}",
            nobody().path("/a;b"),
            200,
            "would-deny",
            "forbidden",
        ),
        case(
            EVERYBODY,
            "deny: {or: [{http_path: /a}]}",
            nobody().path("/a;b"),
            200,
            "would-deny",
            "forbidden",
        ),
        case(
            "allow: {or: [{http_path: /b}]}",
            "allow: {or: [{http_path: /a}]}",
            nobody().path("/a;b"),
            403,
            "same",
            "forbidden",
        ),
    ]
}

#[test]
fn an_answer_stays_what_it_is_and_the_log_tells_the_rest() {
    for Case { policy, next, ask, status, outcome, reason } in cases() {
        let what = format!("{next} beside {policy}");
        let (alone, line_alone) = service(policy, None).check(ask.check(), None);
        let (beside, line) = service(policy, Some(next)).check(ask.check(), None);
        assert_eq!(alone, beside, "{what}");
        let [line_alone, line]: [Value; 2] =
            [line_alone, line].map(|line| serde_json::from_str(&line).expect("a line"));
        assert_eq!(
            (&line["dry-run"], &line["dry-run-reason"]),
            (&outcome.into(), &reason.into()),
            "{what}: {line}"
        );
        assert_eq!(line["status"], status, "{what}: {line}");
        assert!(line_alone.get("dry-run").is_none() && line_alone.get("dry-run-reason").is_none());
        assert_eq!(without_times(line), without_times(line_alone), "{what}");
    }
}

/// What a line says of the decision itself.
fn without_times(line: Value) -> Value {
    let Value::Object(mut members) = line else { panic!("{line}") };
    members.retain(|name, _| {
        !["timestamp", "decision-ms", "dry-run", "dry-run-reason"].contains(&name.as_str())
    });
    Value::Object(members)
}

#[test]
fn the_metric_counts_by_route_and_outcome() {
    let counted = |service: &Service, outcome: &str| {
        let series = format!("lictor_dry_run_checks_total{{route=\"r\",outcome=\"{outcome}\"}} ");
        let text = service.metrics();
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(&series));
        lines.next().map_or(0, |count| count.parse::<u64>().expect("a number"))
    };
    let beside = service(
        CORP,
        Some("deny: {or: [{email: alice@corp.test}]}, allow: {or: [{email: eve@evil.test}]}"),
    );
    let elsewhere = Ask::get("eng").authority("nowhere.corp.test");
    for ask in [
        Ask::get("eng").cookie("T-alice"),
        Ask::get("eng").cookie("T-alice"),
        Ask::get("eng").cookie("T-eve"),
        Ask::get("eng").cookie("T-bob"),
        Ask::get("eng"),
        Ask::get("eng"),
        elsewhere,
    ] {
        beside.check(ask.check(), None);
    }
    let outcomes = ["would-deny", "would-allow", "same"];
    assert_eq!(
        outcomes.map(|outcome| counted(&beside, outcome)),
        [2, 1, 3],
        "{}",
        beside.metrics()
    );
    assert!(
        beside.metrics().contains("lictor_checks_total{decision=\"allow\",reason=\"allowed\"} 3")
    );
    let alone = service(CORP, None);
    alone.check(Ask::get("eng").cookie("T-bob").check(), None);
    assert!(!alone.metrics().contains("lictor_dry_run_checks_total{"), "{}", alone.metrics());
}

#[test]
fn a_route_of_dry_runs_alone_is_told() {
    let told = |route: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!(
            "policies: {{next: {{mode: dry_run, {EVERYBODY}}}, all: {{{EVERYBODY}}}}}\ndefault_policy: all\n\
             routes:\n- {{from: 'https://eng.corp.test', {route}}}\n"
        );
        let config = load(&text, folder.path()).expect("loads");
        let notices = config.notices.iter().filter(|notice| notice.advice.code() == "only-dry-run");
        let told: Vec<String> = notices.map(ToString::to_string).collect();
        let (answer, _) =
            Service::new(snapshot_of(&text), None).check(Ask::get("eng").check(), None);
        (!told.is_empty(), answer.status.expect("a status").code == 0)
    };
    assert_eq!(told("policies: [next]"), (true, false));
    assert_eq!(told("policy: {mode: dry_run, allow: {or: [{accept: true}]}}"), (true, false));
    assert_eq!(told("policies: [next, all]"), (false, true));
    assert_eq!(told("policies: []"), (false, false));
    assert_eq!(told("prefix: /"), (false, true));
}
