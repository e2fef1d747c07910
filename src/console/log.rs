//! The activity log: the list, and one entry with what it changed.

use super::form::day;
use super::overview::{called, row};
use super::{Answer, Refusal, Seat};
use crate::activity::{EntityKind, Outcome, Verb};
use crate::admin::{ActivityWanted, What};
use crate::pages::console::{Change, DiffLine, EntryPage, LogFilter, LogPage};
use crate::web::{integrity, page};
use axum::http::StatusCode;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many rows stand on a page.
const ROWS: usize = 50;

pub(super) async fn list(seat: Arc<Seat>) -> Answer {
    let which = filter(&seat);
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let wanted = ActivityWanted {
        namespace: Some(seat.namespace.clone()),
        recursive: which.recursive,
        who: some(&which.who),
        verb: which.verb,
        entity: which.kind,
        entity_id: some(&which.thing),
        outcome: which.outcome,
        from: day(&which.from),
        until: day(&which.until),
        before: which.before,
        limit: ROWS + 1,
    };
    let mut entries = seat.admin.entries(&seat.actor, &wanted).await?;
    let more = entries.len() > ROWS;
    entries.truncate(ROWS);
    let integrity = if seat.is_global_admin() {
        Some(integrity(seat.visit.desk()?, &entries).await?)
    } else {
        None
    };
    let rows = entries.iter().map(|entry| row(&seat, entry)).collect();
    let shown = LogPage { frame: seat.frame(), rows, which, more, integrity };
    Ok(page(StatusCode::OK, shown.render()))
}

fn filter(seat: &Seat) -> LogFilter {
    let date = |name: &str| {
        let text = seat.parameter(name);
        if day(&text).is_some() { text } else { String::new() }
    };
    LogFilter {
        who: seat.parameter("who"),
        verb: Verb::parse(&seat.parameter("verb")),
        kind: EntityKind::parse(&seat.parameter("kind")),
        thing: seat.parameter("thing"),
        outcome: Outcome::parse(&seat.parameter("outcome")),
        from: date("from"),
        until: date("until"),
        recursive: seat.is_recursive(),
        before: seat.parameter("before").parse().ok(),
    }
}

pub(super) async fn show(seat: Arc<Seat>) -> Answer {
    let number = seat.part("number").parse().map_err(|_| Refusal::no(What::Entry))?;
    let found = seat.admin.entry(&seat.actor, number).await?;
    let event = &found.entry.event;
    let deed = event.deed.as_deref();
    let actor_id = if event.actor.email.is_empty() { "" } else { &event.actor.user };
    let shown = EntryPage {
        frame: seat.frame(),
        entry: row(&seat, &found.entry),
        actor_id: actor_id.to_owned(),
        subject: event.subject.as_ref().map(called).unwrap_or_default(),
        reason: event.reason.clone(),
        thing: deed.map(|deed| deed.id.clone()).unwrap_or_default(),
        credential: deed
            .and_then(|deed| deed.credential.as_ref())
            .map(ToString::to_string)
            .unwrap_or_default(),
        session: event.session.as_ref().map(ToString::to_string).unwrap_or_default(),
        address: event.origin.address.clone(),
        user_agent: event.origin.user_agent.clone(),
        request_id: event.origin.request_id.clone(),
        diff: deed.map(|deed| diff(&deed.before, &deed.after)).unwrap_or_default(),
        previous: found.previous,
        next: found.next,
    };
    Ok(page(StatusCode::OK, shown.render()))
}

/// What changed between two JSON objects, line by line; in the order of names.
fn diff(before: &str, after: &str) -> Vec<DiffLine> {
    let (before, after) = (lines(before), lines(after));
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let line = |change, name: &str, value: &str| {
        // A text of several lines is told in as many.
        let texts = value.split('\n').enumerate();
        let told = texts.map(|(nth, text)| DiffLine {
            change,
            text: if nth == 0 { format!("{name}: {text}") } else { format!("    {text}") },
        });
        told.collect::<Vec<_>>()
    };
    names
        .into_iter()
        .flat_map(|name| match (before.get(name), after.get(name)) {
            (Some(old), Some(new)) if old == new => line(Change::Same, name, old),
            (old, new) => {
                let old = old.map(|old| line(Change::Removed, name, old));
                let new = new.map(|new| line(Change::Added, name, new));
                old.into_iter().chain(new).flatten().collect()
            }
        })
        .collect()
}

/// Every member with its way from the top, such as `lifetime.longest`.
fn lines(json: &str) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    if let Ok(value) = serde_json::from_str::<Value>(json) {
        collect("", &value, &mut lines);
    }
    lines
}

fn collect(name: &str, value: &Value, lines: &mut BTreeMap<String, String>) {
    let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                collect(&below(key), value, lines);
            }
        }
        Value::Array(items) => {
            for (nth, value) in items.iter().enumerate() {
                collect(&below(&nth.to_string()), value, lines);
            }
        }
        Value::Null => {}
        Value::String(text) => drop(lines.insert(name.to_owned(), text.clone())),
        Value::Bool(_) | Value::Number(_) => drop(lines.insert(name.to_owned(), value.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::diff;
    use crate::pages::console::Change;

    fn told(before: &str, after: &str) -> Vec<String> {
        let sign = |change| match change {
            Change::Same => ' ',
            Change::Added => '+',
            Change::Removed => '-',
        };
        diff(before, after)
            .iter()
            .map(|line| format!("{}{}", sign(line.change), line.text))
            .collect()
    }

    #[test]
    fn what_changed_is_told_by_line() {
        let before = r#"{"name":"a","rules":{"longest":7,"required":true},"routes":["x"]}"#;
        let after = r#"{"name":"b","rules":{"longest":7},"routes":["x","y"]}"#;
        assert_eq!(
            told(before, after),
            [
                "-name: a",
                "+name: b",
                " routes.0: x",
                "+routes.1: y",
                " rules.longest: 7",
                "-rules.required: true"
            ]
        );
        assert_eq!(told("", r#"{"text":"a:\n- b"}"#), ["+text: a:", "+    - b"]);
        assert_eq!(told("", ""), [""; 0]);
    }
}
