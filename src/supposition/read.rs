//! Questions written down: in a file of policy tests, key by key.

use super::{AskedUrl, Somebody, Supposition, Who};
use crate::document::{Entry, Node, Place, Problem, Problems, Section, Value};
use crate::identity::{ClaimValue, Claims, Device, Enrolment};
use crate::policy::{SshFacts, claim_value};
use crate::record::{DataSources, Record};
use crate::ssh::PresentedKey;
use crate::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;

/// The keys that ask a question.
pub const CASE_KEYS: [&str; 13] = [
    "as",
    "body",
    "certificate",
    "device",
    "headers",
    "ip",
    "now",
    "principal",
    "records",
    "request",
    "route_id",
    "sni",
    "ssh",
];

const SOMEBODY_KEYS: [&str; 6] =
    ["claims", "email", "groups", "impersonated_by", "service_account", "user"];

/// Reads one question; `now` counts where it names no time. `None` if something is wrong, which has
/// been told.
pub fn read(section: &Section<'_>, now: Timestamp, problems: &mut Problems) -> Option<Supposition> {
    let mut who = section.node("as").map_or(Some(Who::Nobody), |node| read_who(node, problems))?;
    let device = section.node("device").and_then(|node| device(node, problems));
    match (&mut who, device) {
        (Who::Somebody(somebody), Some(device)) => somebody.devices.push(device),
        (Who::Nobody | Who::Token(_), Some(_)) => {
            let place = section.place_of("device");
            let problem = Problem::new("bad_value", place, "`device` belongs to nobody");
            problems.push(problem.help("say whose it is: `as: alice@example.com`"));
        }
        (_, None) => {}
    }
    let (method, url) = request_line(section, problems)?;
    let text = |key: &str, problems: &mut Problems| section.text(key, problems).map(str::to_owned);
    Some(Supposition {
        who,
        method,
        url,
        headers: headers(section, problems),
        ip: parsed(section, "ip", "an IP address", "192.0.2.7", problems),
        sni: text("sni", problems).unwrap_or_default(),
        principal: text("principal", problems),
        certificate: text("certificate", problems),
        body: text("body", problems),
        route_id: text("route_id", problems),
        records: records(section, problems),
        ssh: ssh(section, problems),
        now: parsed(section, "now", "an instant", "2026-01-31T08:00:00Z", problems)
            .map_or(now, |instant: jiff::Timestamp| Timestamp::from_unix(instant.as_second())),
    })
}

/// `anonymous`, an e-mail address, `{token: …}`, or what is known of somebody.
pub fn read_who(node: &Node, problems: &mut Problems) -> Option<Who> {
    let help = "write `anonymous`, an e-mail address, or `{email: …, groups: […]}`";
    match &node.value {
        Value::Text(text) if text == "anonymous" => Some(Who::Nobody),
        Value::Text(text) if text.contains('@') => {
            Some(Who::Somebody(Box::new(Somebody::called(text))))
        }
        Value::Map(_) => {
            let section = Section::open(node, "as", problems)?;
            if let Some(token) = section.text("token", problems) {
                section.refuse_unknown(&["token"], problems);
                return Some(Who::Token(token.to_owned()));
            }
            section.refuse_unknown(&SOMEBODY_KEYS, problems);
            Some(Who::Somebody(Box::new(somebody(&section, problems))))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
            let problem = Problem::new("bad_value", &node.place, "`as` names nobody");
            problems.push(problem.help(help));
            None
        }
    }
}

fn somebody(section: &Section<'_>, problems: &mut Problems) -> Somebody {
    let text = |key: &str, problems: &mut Problems| section.text(key, problems).map(str::to_owned);
    Somebody {
        email: text("email", problems).unwrap_or_default(),
        user: text("user", problems),
        groups: section.texts("groups", problems),
        claims: section.node("claims").map(|node| claims(node, problems)).unwrap_or_default(),
        service_account: section.bool("service_account", problems).unwrap_or(false),
        impersonated_by: text("impersonated_by", problems),
        devices: Vec::new(),
    }
}

fn claims(node: &Node, problems: &mut Problems) -> Claims {
    match claim_value(node) {
        ClaimValue::Map(claims) => Claims::flatten(claims),
        ClaimValue::Null
        | ClaimValue::Bool(_)
        | ClaimValue::Number(_)
        | ClaimValue::Text(_)
        | ClaimValue::List(_) => {
            let message = format!("`claims` must be a map, not {}", node.value.kind());
            problems.push(
                Problem::new("wrong_type", &node.place, message)
                    .help("write it as `{department: [engineering]}`"),
            );
            Claims::default()
        }
    }
}

/// `METHOD URL`; a URL alone is a `GET`.
fn request_line(section: &Section<'_>, problems: &mut Problems) -> Option<(String, AskedUrl)> {
    let help = "write `request: GET https://app.example.com/path`";
    let Some(text) = section.text("request", problems) else {
        let problem = Problem::new("missing_field", section.place(), "there is no `request`");
        problems.push(problem.help(help));
        return None;
    };
    let (method, url) = text.split_once(' ').unwrap_or(("GET", text));
    let url = AskedUrl::parse(url.trim());
    if url.is_none() {
        let place = section.place_of("request");
        let problem = Problem::new("bad_value", place, format!("`{text}` names no host"));
        problems.push(problem.help(help));
    }
    Some((method.to_owned(), url?))
}

/// A map from name to value, or to a list of values for a header that is sent several times.
fn headers(section: &Section<'_>, problems: &mut Problems) -> Vec<(String, String)> {
    let opened = section.node("headers").and_then(|node| Section::open(node, "headers", problems));
    let entries = opened.as_ref().map_or(&[][..], Section::entries);
    let mut lines = Vec::new();
    for entry in entries {
        let values = opened.as_ref().and_then(|section| section.texts(&entry.key, problems));
        lines.extend(values.into_iter().flatten().map(|value| (entry.key.clone(), value)));
    }
    lines
}

fn parsed<T: std::str::FromStr>(
    section: &Section<'_>,
    key: &str,
    what: &str,
    example: &str,
    problems: &mut Problems,
) -> Option<T> {
    let text = section.text(key, problems)?;
    let value = text.parse().ok();
    if value.is_none() {
        let place = section.place_of(key);
        let problem = Problem::new("bad_value", place, format!("`{key}`: `{text}` is not {what}"));
        problems.push(problem.help(format!("write it as `{example}`")));
    }
    value
}

/// A map from record type to the record that is found.
fn records(section: &Section<'_>, problems: &mut Problems) -> Option<DataSources> {
    let section = Section::open(section.node("records")?, "records", problems)?;
    let record = |entry: &Entry| match claim_value(&entry.node) {
        ClaimValue::Map(fields) => Some((entry.key.clone(), Record::new(fields))),
        ClaimValue::Null
        | ClaimValue::Bool(_)
        | ClaimValue::Number(_)
        | ClaimValue::Text(_)
        | ClaimValue::List(_) => None,
    };
    let mut records = BTreeMap::new();
    for entry in section.entries() {
        match record(entry) {
            Some((name, record)) => drop(records.insert(name, record)),
            None => problems.push(not_a_map(&entry.node.place, "a record")),
        }
    }
    Some(DataSources::fixed(records))
}

fn not_a_map(place: &Place, what: &str) -> Problem {
    Problem::new("wrong_type", place, format!("{what} must be a map"))
        .help("write `{field: value}`")
}

/// `{username: …, publickey: BASE64}`
fn ssh(section: &Section<'_>, problems: &mut Problems) -> Option<SshFacts> {
    let section = Section::open(section.node("ssh")?, "ssh", problems)?;
    section.refuse_unknown(&["publickey", "username"], problems);
    let key = section.text("publickey", problems).and_then(|text| {
        let blob = STANDARD.decode(text).ok();
        if blob.is_none() {
            let place = section.place_of("publickey");
            let problem = Problem::new("bad_value", place, "`publickey` is not base64");
            problems.push(problem.help("give the second word of the key's line"));
        }
        blob
    });
    Some(SshFacts {
        username: section.text("username", problems).unwrap_or_default().to_owned(),
        key: key.map(|blob| PresentedKey::read(&blob)),
    })
}

/// `{type: any, id: …, approved: true}`
fn device(node: &Node, problems: &mut Problems) -> Option<Device> {
    let section = Section::open(node, "device", problems)?;
    section.refuse_unknown(&["approved", "id", "type"], problems);
    let approved = section.bool("approved", problems);
    Some(Device {
        id: section.text("id", problems).unwrap_or_default().to_owned(),
        kind: section.text("type", problems).unwrap_or("any").to_owned(),
        enrolment: Some(match approved {
            Some(true) => Enrolment::Approved,
            Some(false) | None => Enrolment::Waiting,
        }),
    })
}
