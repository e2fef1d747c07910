//! The decision log line: what stands in it, and what never does.

use crate::support::config::snapshot_of;
use crate::support::fixture::{Ask, CONFIG, token};
use crate::support::service::Service;
use serde_json::Value;

/// The line of one check, as text.
fn line(ask: &Ask, fields: Option<Vec<String>>, traceparent: Option<&str>) -> String {
    Service::new(snapshot_of(CONFIG), fields).check(ask.check(), traceparent).1
}

fn fields(ask: &Ask) -> Value {
    serde_json::from_str(&line(ask, None, None)).expect("one line of JSON")
}

#[test]
fn who_where_what_and_why() {
    let said = fields(
        &Ask::get("eng").path("/a?secret=1").pomerium("T-alice").header("x-request-id", "r-1"),
    );
    for (name, expected) in [
        ("message", "authorize check"),
        ("service", "authorize"),
        ("method", "GET"),
        ("path", "/a"),
        ("host", "eng.corp.test"),
        ("check-request-id", "r-1"),
        ("route-id", "eng"),
        ("session-id", "s-alice"),
        ("session-source", "header"),
        ("user", "u-alice"),
        ("email", "alice@corp.test"),
        ("allow-why-true", "groups-ok"),
        ("reason", "allowed"),
    ] {
        assert_eq!(said[name], expected, "{name} in {said}");
    }
    assert_eq!(
        (&said["allow"], &said["deny"], &said["status"]),
        (&true.into(), &false.into(), &200.into())
    );
    assert!(said["decision-ms"].is_number());
    assert!(said.get("impersonate-email").is_none() && said.get("session-error").is_none());
}

#[test]
fn l11_and_refusals() {
    let said = fields(&Ask::get("eng").path("/?x=/.pomerium/"));
    assert_eq!(
        (&said["allow"], said["allow-why-false"].as_str()),
        (&false.into(), Some("user-unauthenticated")),
        "L11"
    );
    assert_eq!((said["reason"].as_str(), &said["status"]), (Some("unauthenticated"), &302.into()));
    let bad = fields(&Ask::get("eng").pomerium("T-alice-expired"));
    assert_eq!((bad["session-error"].as_str(), &bad["status"]), (Some("expired"), &401.into()));
    assert!(bad.get("user").is_none(), "an expired token names nobody");
}

#[test]
fn g39_both_identities_under_impersonation() {
    let said = fields(&Ask::get("fin").cookie("T-root-as-bob"));
    for (name, expected) in [
        ("user", "u-root"),
        ("email", "root@corp.test"),
        ("impersonate-email", "bob@corp.test"),
        ("session-source", "cookie"),
    ] {
        assert_eq!(said[name], expected, "{name} in {said}");
    }
}

#[test]
fn l9_l10_no_credential_in_any_line() {
    let pieces: Vec<&str> = token("T-alice").split('.').collect();
    let asks = [
        Ask::get("eng").pomerium("T-alice"),
        Ask::get("eng").bearer("T-alice"),
        Ask::get("eng").x_header("T-alice"),
        Ask::get("eng").cookie("T-alice"),
        Ask::get("eng").query("T-alice"),
        Ask::get("fin").pomerium("T-alice"),
        Ask::get("nope").query("T-alice"),
        Ask::get("eng").header("authorization", &format!("Pomerium {}x", token("T-alice"))),
    ];
    for ask in &asks {
        let line = line(ask, None, None);
        let leaked = pieces[1..].iter().any(|piece| line.contains(piece));
        assert!(!leaked && !line.contains("pomerium_session"), "{line}");
    }
}

#[test]
fn control_characters_do_not_make_lines() {
    let hostile =
        Ask::get("eng").path("/a\u{7}\nb").authority("x\r\ny").header("x-request-id", "a\nb");
    let line = line(&hostile, None, None);
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(!line.contains("\\n") && !line.contains("\\r"), "{line}");
}

#[test]
fn chosen_fields_only_and_the_trace_it_belongs_to() {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let ask = Ask::get("eng")
        .pomerium("T-alice")
        .header("traceparent", "00-ffffffffffffffffffffffffffffffff-b7ad6b7169203331-01");
    let all: Value = serde_json::from_str(&line(&ask, None, Some(parent))).expect("JSON");
    assert_eq!(
        all["trace-id"], "0af7651916cd43dd8448eb211c80319c",
        "the call's own parent wins over the request's"
    );
    let chosen: Value =
        serde_json::from_str(&line(&ask, Some(vec!["host".to_owned()]), Some(parent)))
            .expect("JSON");
    assert_eq!(chosen["host"], "eng.corp.test");
    assert!(
        chosen.get("user").is_none()
            && chosen.get("trace-id").is_none()
            && chosen.get("allow").is_some()
    );
}
