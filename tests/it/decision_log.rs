//! The decision log line: what stands in it, and what never does.

use crate::support::config::{load, snapshot_of};
use crate::support::fixture::{Ask, CONFIG, token};
use crate::support::listening::{Heard, listen, listen_to_decisions, log, log_at};
use crate::support::service::Service;
use crate::support::store::{credential, machine_account};
use lictor::authorizer::Record;
use lictor::certificate::CertificateError;
use lictor::config::{LogField, LogFormat};
use lictor::identity::{Identity, Person, Session, Source, TokenError};
use lictor::policy::{DenyReason, Reason, Reasons, Rehearsal, Verdict};
use lictor::request::Request;
use lictor::service_account::Machine;
use lictor::telemetry::{DecisionLine, Log, beside};
use lictor::time::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::level_filters::LevelFilter;

/// The line of one check, as text.
fn line(ask: &Ask, fields: Option<Vec<LogField>>, traceparent: Option<&str>) -> String {
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
        serde_json::from_str(&line(&ask, Some(vec![LogField::Host]), Some(parent))).expect("JSON");
    assert_eq!(chosen["host"], "eng.corp.test");
    assert!(
        chosen.get("user").is_none()
            && chosen.get("trace-id").is_none()
            && chosen.get("allow").is_some()
    );
}

// --- the form of lines, which is that of every other line of the log

/// Text that has to be escaped, and cut off.
fn awkward() -> String {
    format!("a\"b\\c/d'e\u{301}\u{202e}\u{1f600}\n\u{7f}{}", "\u{e9}".repeat(1024))
}

/// A request and what came of it, of which everything is told.
fn everything() -> (Request, Record) {
    let request = Request {
        method: "G\"ET".to_owned(),
        raw_path: awkward(),
        raw_host: awkward(),
        source_ip: "2001:db8::1".parse().ok(),
        id: lictor::id::RequestId::sanitised(b"r-1"),
        check_id: lictor::id::RequestId::sanitised(b"c-1"),
        route_id: Some(awkward()),
        traceparent: Some("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01".to_owned()),
        ..Request::unknown()
    };
    let person = |name: &str| Person {
        user: format!("u-{name}"),
        email: format!("{name}@{}", awkward()),
        groups: Some(vec!["g\"1".to_owned(), awkward(), "g2".to_owned()]),
        ..Person::default()
    };
    let session = Session {
        id: awkward(),
        source: Source::Cookie,
        is_service: false,
        usable_until: Timestamp::default(),
        devices: Arc::default(),
    };
    let (subject, actor) = (person("bob"), Some(person("root")));
    let reasons = Reasons::of(Reason::GroupsOk).union(Reasons::of(Reason::EmailOk));
    let record = Record {
        identity: Some(Arc::new(Identity { subject, actor, session })),
        session_error: Some(TokenError::AccountDisabled),
        allow: Verdict { holds: true, reasons },
        deny: Verdict { holds: false, reasons },
        denied: Some(DenyReason::Malformed(awkward())),
        rehearsal: Some(Rehearsal { denied: None }),
        certificate_error: Some(CertificateError::Expired),
        removed_groups: 3,
        dropped_headers: vec![http::header::ACCEPT, http::header::COOKIE],
        ..Record::default()
    };
    (request, record)
}

/// A machine has no session, so that no line tells of both.
fn machine() -> (Request, Record) {
    let (request, record) = everything();
    let machine = Machine { credential: credential(2, 1), account: machine_account(1, "ci") };
    (request, Record { machine: Some(Arc::new(machine)), ..record })
}

/// What `tracing` writes for the same values, in the order in which these always stood.
fn as_tracing_writes(said: &Value, format: LogFormat) -> String {
    let text = |name: &str| said[name].as_str();
    let number = |name: &str| said[name].as_u64();
    let emit = || {
        tracing::info!(
            service = text("service"),
            method = text("method"),
            path = text("path"),
            host = text("host"),
            ip = text("ip"),
            "request-id" = text("request-id"),
            "check-request-id" = text("check-request-id"),
            "trace-id" = text("trace-id"),
            "route-id" = text("route-id"),
            "envoy-route-id" = text("envoy-route-id"),
            "session-id" = text("session-id"),
            "session-source" = text("session-source"),
            "session-error" = text("session-error"),
            "service-account-id" = text("service-account-id"),
            "credential-id" = text("credential-id"),
            user = text("user"),
            email = text("email"),
            "impersonate-user-id" = text("impersonate-user-id"),
            "impersonate-email" = text("impersonate-email"),
            "impersonate-groups" = text("impersonate-groups"),
            "removed-groups-count" = number("removed-groups-count"),
            "dropped-headers" = text("dropped-headers"),
            allow = said["allow"].as_bool(),
            "allow-why-true" = text("allow-why-true"),
            "allow-why-false" = text("allow-why-false"),
            deny = said["deny"].as_bool(),
            "deny-why-true" = text("deny-why-true"),
            "deny-why-false" = text("deny-why-false"),
            reason = text("reason"),
            malformed = text("malformed"),
            "client-certificate-error" = text("client-certificate-error"),
            "dry-run" = text("dry-run"),
            "dry-run-reason" = text("dry-run-reason"),
            status = number("status"),
            "decision-ms" = said["decision-ms"].as_f64(),
            "authorize check"
        );
    };
    let heard = Heard::default();
    let lines = tracing_subscriber::fmt().with_writer(heard.clone()).with_ansi(false);
    let lines = lines.with_target(false);
    match format {
        LogFormat::Json => {
            let json = lines.json().flatten_event(true).with_current_span(false);
            tracing::subscriber::with_default(json.finish(), emit);
        }
        LogFormat::Text => tracing::subscriber::with_default(lines.finish(), emit),
    }
    heard.text()
}

/// With the time of a line taken out, which has to be written as always.
fn timeless(line: &str) -> String {
    let time = regex::Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z").expect("a pattern");
    let found = time.find(line).unwrap_or_else(|| panic!("no time: {line}"));
    assert!(found.start() <= "{\"timestamp\":\"".len(), "{line}");
    time.replace(line, "TIME").into_owned()
}

/// The line of a record, which took a time that no short number tells.
fn written(told: &(Request, Record), format: LogFormat) -> String {
    written_of(told, None, format)
}

/// The same, with these fields alone of those that can be chosen.
fn written_of(
    (request, record): &(Request, Record),
    fields: Option<Vec<LogField>>,
    format: LogFormat,
) -> String {
    let (_listening, heard) = listen_to_decisions();
    let line = DecisionLine::new(fields, &log(format));
    line.write(request, record, 403, Duration::from_nanos(83_127));
    heard.text()
}

#[test]
fn lines_are_what_tracing_would_write() {
    let mut names = BTreeSet::new();
    let none = (Request::unknown(), Record::default());
    for told in [everything(), machine(), none] {
        let json = written(&told, LogFormat::Json);
        let said: Value = serde_json::from_str(&json).expect("one line of JSON");
        names.extend(said.as_object().expect("an object").keys().cloned());
        assert_eq!(timeless(&json), timeless(&as_tracing_writes(&said, LogFormat::Json)));
        let text = written(&told, LogFormat::Text);
        assert_eq!(timeless(&text), timeless(&as_tracing_writes(&said, LogFormat::Text)));
    }
    // All but the route, whose name nobody can make up, and the two that stand if verdicts are the other way.
    assert_eq!(names.len(), 35 + 3 - 3, "{names:?}");
}

/// The names in the lines of everything there is, with these fields.
fn names(fields: Option<Vec<LogField>>) -> BTreeSet<String> {
    let made_up = [everything(), machine()];
    let lines = made_up.iter().map(|told| written_of(told, fields.clone(), LogFormat::Json));
    // The name of a route cannot be made up.
    let lines = lines.chain([line(&Ask::get("eng"), fields.clone(), None)]);
    let said = lines.map(|line| serde_json::from_str(&line).expect("one line of JSON"));
    said.flat_map(|said: serde_json::Map<String, Value>| said.into_iter().map(|(name, _)| name))
        .collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn what_can_be_chosen_is_what_can_be_written() {
    let always = set(&[
        "timestamp",
        "level",
        "message",
        "service",
        "dropped-headers",
        "allow",
        "allow-why-true",
        "deny",
        "deny-why-false",
        "reason",
        "client-certificate-error",
        "dry-run",
        "dry-run-reason",
        "status",
        "decision-ms",
        "allow-why-false",
    ]);
    assert_eq!(names(Some(Vec::new())), always);
    for field in LogField::ALL {
        let one = names(Some(vec![*field]));
        assert_eq!(one, &always | &set(&[field.name()]), "alone");
        let folder = tempfile::tempdir().expect("a folder");
        let config = load(&format!("authorize_log_fields: [{}]", field.name()), folder.path());
        let config = config.unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(config.logging.fields.as_deref(), Some(&[*field][..]));
        let told = config.notices.iter().any(|notice| notice.advice.code() == "unknown-log-field");
        assert!(!told, "{field:?} is written");
    }
    let chosen: Vec<&str> = LogField::ALL.iter().map(|field| field.name()).collect();
    assert!(chosen.is_sorted());
    assert_eq!(names(None), &always | &set(&chosen));

    // The page tells of each, and of no other.
    let page = include_str!("../../docs/decision-log.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let named: BTreeSet<String> = rows
        .flat_map(|row| row.split(" | ").next().expect("a name").split(", "))
        .map(|name| name.trim_matches('`').to_owned())
        .collect();
    let other = set(&["deny-why-true"]);
    assert_eq!(named, &names(None) | &other);
}

#[test]
fn lines_of_checks_are_what_tracing_would_write() {
    for ask in [
        Ask::get("eng").path("/a?secret=1").pomerium("T-alice").header("x-request-id", "r-1"),
        Ask::get("eng").path("/\"\\\u{1f600}").authority("x\r\ny"),
        Ask::get("fin").pomerium("T-bob-as-root"),
        Ask::get("eng").pomerium("T-alice-expired"),
        Ask::get("nope"),
    ] {
        let json = line(&ask, None, None);
        let said = serde_json::from_str(&json).expect("one line of JSON");
        assert_eq!(timeless(&json), timeless(&as_tracing_writes(&said, LogFormat::Json)));
    }
}

#[test]
fn other_lines_look_the_same() {
    let (_listening, heard) = listen();
    tracing::info!("something else");
    written(&everything(), LogFormat::Json);
    assert!(heard.decisions().is_empty(), "who listens last hears alone");
    let line = timeless(&heard.text());
    assert!(line.starts_with("{\"timestamp\":\"TIME\",\"level\":\"INFO\",\"message\":"), "{line}");
}

#[test]
fn no_line_where_the_level_is_higher_or_the_log_is_off() {
    let (_listening, heard) = listen_to_decisions();
    let (request, record) = everything();
    for level in [LevelFilter::OFF, LevelFilter::ERROR, LevelFilter::WARN] {
        DecisionLine::new(None, &log_at(level)).write(&request, &record, 200, Duration::ZERO);
    }
    DecisionLine::default().write(&request, &record, 200, Duration::ZERO);
    assert_eq!(heard.text(), "");
    DecisionLine::new(None, &log_at(LevelFilter::DEBUG)).write(
        &request,
        &record,
        200,
        Duration::ZERO,
    );
    assert_eq!(heard.decisions().len(), 1);
}

// --- a log that nobody reads

fn lost(service: &Service) -> usize {
    let text = service.metrics();
    let mut lines =
        text.lines().filter_map(|line| line.strip_prefix("lictor_log_lines_lost_total "));
    lines.next().expect("the metric").parse().expect("a number")
}

#[test]
fn a_log_that_nobody_reads_stops_no_check_and_what_is_lost_is_counted() {
    const CHECKS: usize = 2000;
    let (mut unread, writer) = std::io::pipe().expect("a pipe");
    let (lines, guard) = beside(writer, 16);
    let log = Log::new(Arc::new(lines), LogFormat::Json, LevelFilter::INFO);
    let service = Service::logging(snapshot_of(CONFIG), None, &log);
    assert_eq!(lost(&service), 0);
    let check = Ask::get("eng").path(&"/long".repeat(100)).pomerium("T-alice").check();
    for _ in 0..CHECKS {
        service.check(check.clone(), None);
    }
    let missing = lost(&service);
    assert!(missing > 0, "a pipe holds less than {CHECKS} lines");
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        unread.read_to_string(&mut text).expect("text");
        text
    });
    drop(guard);
    let text = reading.join().expect("read");
    let whole = text.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok());
    assert_eq!((whole.count(), text.lines().count()), (CHECKS - missing, CHECKS - missing));
    assert_eq!(lost(&service), missing);
}

#[test]
fn the_last_lines_are_written_and_nobody_waits_for_a_reader_who_does_not_come() {
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let (lines, guard) = beside(writer, 1000);
    let log = Log::new(Arc::new(lines), LogFormat::Text, LevelFilter::INFO);
    let (request, record) = everything();
    let line = DecisionLine::new(None, &log);
    (0..10).for_each(|_| line.write(&request, &record, 200, Duration::ZERO));
    drop(guard);
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("text");
    assert_eq!((text.lines().count(), log.lost()), (10, 0));

    let (_reader, writer) = std::io::pipe().expect("a pipe");
    let (lines, guard) = beside(writer, 4);
    let log = Log::new(Arc::new(lines), LogFormat::Json, LevelFilter::INFO);
    let line = DecisionLine::new(None, &log);
    (0..1000).for_each(|_| line.write(&request, &record, 200, Duration::ZERO));
    let begun = Instant::now();
    drop(guard);
    assert!(begun.elapsed() < Duration::from_secs(10) && log.lost() > 0);
}
