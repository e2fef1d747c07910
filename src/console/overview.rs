//! How things stand, at a glance; and entries of the log as lists show them.

use super::{Answer, Seat};
use crate::activity::{EntityKind, Entry, Outcome, Who};
use crate::namespace::Role;
use crate::pages::console::{self, OverviewPage, path};
use crate::web::page;
use axum::http::StatusCode;
use std::sync::Arc;

pub(super) async fn show(seat: Arc<Seat>) -> Answer {
    let overview = seat.admin.overview(&seat.actor, &seat.namespace, seat.now()).await?;
    let policies = &seat.visit.snapshot.catalog.stored.policies;
    let inside = seat.tree().within(&seat.namespace);
    let broken = overview.broken_policies.into_iter().filter_map(|name| {
        let found = policies.iter().find(|it| it.name == name && inside.contains(&it.namespace));
        found.map(|record| (record.id.to_string(), name))
    });
    let shown = OverviewPage {
        frame: seat.frame(),
        accounts: overview.accounts,
        people: u64::try_from(overview.people).unwrap_or(u64::MAX),
        broken: broken.collect(),
        entries: overview.entries.iter().map(|entry| row(&seat, entry)).collect(),
        manages: seat.is(Role::Manager),
    };
    Ok(page(StatusCode::OK, shown.render()))
}

/// An entry in a list.
pub(super) fn row(seat: &Seat, entry: &Entry) -> console::Entry {
    let event = &entry.event;
    let deed = event.deed.as_deref();
    let place = deed.and_then(|deed| deed.namespace.as_ref());
    let of_person = || event.subject.as_ref().map(called).unwrap_or_default();
    console::Entry {
        number: entry.number,
        at: event.at,
        verb: event.verb,
        outcome: deed.map_or(Outcome::Done, |deed| deed.outcome),
        actor: called(&event.actor),
        by: deed.map(|deed| deed.by),
        kind: deed.map(|deed| deed.entity),
        name: deed.map_or_else(of_person, |deed| {
            if deed.name.is_empty() { deed.id.clone() } else { deed.name.clone() }
        }),
        link: deed.map(|deed| link(deed.entity, &deed.id)).unwrap_or_default(),
        namespace: place.map(|place| seat.tree().path(place)).unwrap_or_default(),
        detail: event.detail.clone(),
    }
}

/// How somebody is called: e-mail address, else user id.
pub(super) fn called(who: &Who) -> String {
    if who.email.is_empty() { who.user.clone() } else { who.email.clone() }
}

/// Where a thing is to be seen; empty for nowhere.
fn link(kind: EntityKind, id: &str) -> String {
    if id.is_empty() {
        return String::new();
    }
    match kind {
        EntityKind::Namespace => path::namespace(id, ""),
        EntityKind::ServiceAccount => path::account(id, ""),
        EntityKind::Policy => path::policy(id, ""),
        EntityKind::Route => path::route(id, ""),
        EntityKind::User => path::user(id, ""),
        EntityKind::Permission | EntityKind::Credential | EntityKind::Deployment => String::new(),
    }
}
