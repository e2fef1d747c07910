//! Machines, namespaces, policies, routes and people as JSON, by the names that the admin API has for
//! them. What is not there is left out.

use super::report::instant;
use crate::activity::{Deed, EntityKind, Entry, Who};
use crate::admin::{
    AccountView, Destination, GroupView, MovePreview, NamespaceView, PermissionView, PolicyMention,
    PolicyView, Resource, RouteView, UserDetail, UserView,
};
use crate::id::{CredentialId, NamespaceId, SessionId};
use crate::namespace::{Made, Permission, Role};
use crate::people::Source;
use crate::service_account::CredentialRecord;
use crate::store::Usage;
use crate::time::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

pub(super) fn account(view: &AccountView) -> Value {
    let record = &view.record;
    present(json!({
        "id": record.id.as_str(),
        "namespace_id": record.namespace.as_str(),
        "namespace_path": view.namespace_path,
        "kind": record.kind_name(),
        "name": record.name,
        "user_id": record.user,
        "description": record.description,
        "originator": record.originator,
        "issued_at": instant(record.created),
        "issued_by": record.created_by,
        "modified_at": instant(record.modified),
        "expires_at": record.expires.map(instant),
        "disabled_at": record.disabled.map(instant),
        "last_used_at": record.used.map(instant),
        "state": view.state.name(),
        "person": view.person,
        "etag": record.version.to_string(),
    }))
}

pub(super) fn credential(record: &CredentialRecord, now: Timestamp) -> Value {
    let used = record.last_use.as_ref();
    present(json!({
        "id": record.id.as_str(),
        "service_account_id": record.account.as_str(),
        "hint": record.hint,
        "issued_at": instant(record.issued),
        "issued_by": record.issued_by,
        "expires_at": record.expires.map(instant),
        "revoked_at": record.revoked.map(instant),
        "superseded_at": record.superseded.map(instant),
        "last_used_at": used.map(|used| instant(used.at)),
        "last_used_address": used.map(|used| used.address.as_str()).unwrap_or_default(),
        "last_used_route_id": used.map(|used| used.route.as_str()).unwrap_or_default(),
        "state": record.state(now).name(),
    }))
}

/// An entry of the activity log.
pub(super) fn entry(entry: &Entry) -> Value {
    let event = &entry.event;
    present(json!({
        "id": entry.number.to_string(),
        "at": instant(event.at),
        "verb": event.verb.name(),
        "actor": who(&event.actor),
        "subject": event.subject.as_ref().map(who),
        "session_id": event.session.as_ref().map(SessionId::as_str).unwrap_or_default(),
        "reason": event.reason,
        "detail": event.detail,
        "origin": {
            "address": event.origin.address,
            "request_id": event.origin.request_id,
            "user_agent": event.origin.user_agent,
        },
        "deed": event.deed.as_deref().map(deed),
        "hash": entry.hash,
    }))
}

fn who(who: &Who) -> Value {
    json!({ "user_id": who.user, "email": who.email, "groups": who.groups })
}

fn deed(deed: &Deed) -> Value {
    json!({
        "actor_kind": deed.by.name(),
        "credential_id": deed.credential.as_ref().map(CredentialId::as_str).unwrap_or_default(),
        "entity_type": EntityKind::name(deed.entity),
        "entity_id": deed.id,
        "entity_name": deed.name,
        "namespace_id": deed.namespace.as_ref().map(NamespaceId::as_str).unwrap_or_default(),
        "outcome": deed.outcome.name(),
        "before": deed.before,
        "after": deed.after,
    })
}

pub(super) fn usage(usage: &Usage) -> Value {
    json!({
        "day": day(usage.day),
        "route_id": usage.route,
        "outcome": usage.outcome,
        "count": usage.count,
        "last_at": instant(usage.last),
    })
}

/// A day since 1970-01-01, as a date.
pub(super) fn day(number: i64) -> String {
    let at = instant(Timestamp::from_unix(number.saturating_mul(86_400)));
    at.split('T').next().unwrap_or_default().to_owned()
}

pub(super) fn destination(found: &Destination) -> Value {
    json!({
        "route_id": found.route,
        "from": found.from,
        "namespace_path": found.namespace_path,
        "allowed": found.allowed,
        "reason": found.reason,
    })
}

pub(super) fn mention(found: &PolicyMention) -> Value {
    json!({
        "id": found.id,
        "name": found.name,
        "made": made(found.made),
        "enforced": found.enforced,
        "namespace_path": found.namespace_path,
    })
}

pub(super) fn namespace(view: &NamespaceView) -> Value {
    let record = &view.record;
    let kept = |at: Timestamp| (record.made == Made::Here).then(|| instant(at));
    present(json!({
        "id": record.id.as_str(),
        "parent_id": record.parent.as_ref().map(ToString::to_string).unwrap_or_default(),
        "name": record.name.as_str(),
        "description": record.description,
        "max_lifetime": record.lifetime.longest.map(seconds),
        "require_expiry": record.lifetime.required,
        "made": made(record.made),
        "path": view.path,
        "depth": view.depth,
        "role": view.role.map(Role::name).unwrap_or_default(),
        "role_from": view.role_from.as_ref().map(ToString::to_string).unwrap_or_default(),
        "service_account_count": view.accounts,
        "route_count": view.routes,
        "policy_count": view.policies,
        "effective_max_lifetime": view.lifetime.longest.map(seconds),
        "effective_require_expiry": view.lifetime.wants_expiry(),
        "created_at": kept(record.created),
        "modified_at": kept(record.modified),
        "etag": etag(record.made, record.version),
    }))
}

pub(super) fn resource(found: &Resource) -> Value {
    json!({ "type": found.kind, "id": found.id, "name": found.name })
}

pub(super) fn preview(preview: &MovePreview) -> Value {
    let accounts = |found: &[(String, u64)]| {
        let told = |(path, count): &(String, u64)| json!({ "namespace_path": path, "service_account_count": count });
        found.iter().map(told).collect::<Value>()
    };
    json!({
        "lose": accounts(&preview.lose),
        "gain": accounts(&preview.gain),
        "enforced_policies_lost": preview.enforced_lost,
        "enforced_policies_gained": preview.enforced_gained,
        "route_count": preview.routes,
        "obstacles": preview.obstacles,
    })
}

pub(super) fn given(permission: &Permission) -> Value {
    json!({
        "id": permission.id.as_str(),
        "namespace_id": permission.namespace.as_str(),
        "subject_type": permission.subject.kind(),
        "subject_id": permission.subject.id(),
        "role": permission.role.name(),
        "created_at": instant(permission.created),
        "created_by": permission.created_by,
    })
}

pub(super) fn permission(view: &PermissionView) -> Value {
    let more = json!({
        "inherited_from": view.inherited_from.as_deref().unwrap_or_default(),
        "name": view.name,
        "email": view.email,
    });
    merged(given(&view.permission), more)
}

pub(super) fn policy(view: &PolicyView) -> Value {
    let kept = |at: Timestamp| (view.made == Made::Here).then(|| instant(at));
    present(json!({
        "id": view.id,
        "namespace_id": view.namespace.as_str(),
        "namespace_path": view.namespace_path,
        "name": view.name,
        "description": view.description,
        "explanation": view.explanation,
        "remediation": view.remediation,
        "text": view.text,
        "enforced": view.enforced,
        "route_ids": view.routes,
        "made": made(view.made),
        "broken": view.broken,
        "created_at": kept(view.created),
        "modified_at": kept(view.modified),
        "modified_by": view.modified_by,
        "etag": etag(view.made, view.version),
    }))
}

pub(super) fn route(view: &RouteView) -> Value {
    let kept = |at: Timestamp| (view.made == Made::Here).then(|| instant(at));
    let given = view.policies.iter().filter(|policy| policy.made == Made::Here && !policy.enforced);
    let route = json!({
        "id": view.id.as_str(),
        "namespace_id": view.namespace.as_str(),
        "namespace_path": view.namespace_path,
        "description": view.description,
        "from": view.from,
        "policy_ids": given.map(|policy| policy.id.as_str()).collect::<Vec<_>>(),
        "pass_identity_headers": view.pass_identity_headers,
        "show_error_details": view.show_error_details,
        "policies": view.policies.iter().map(mention).collect::<Value>(),
        "own_policy": view.own_policy,
        "overlaps": view.overlaps,
        "made": made(view.made),
        "created_at": kept(view.created),
        "modified_at": kept(view.modified),
        "modified_by": view.modified_by,
        "etag": etag(view.made, view.version),
    });
    // `prefix: /api/`, as views write it.
    let matcher = view.path.split_once(": ").map(|(key, text)| json!({ key: text }));
    merged(present(route), matcher.unwrap_or_default())
}

pub(super) fn user(view: &UserView) -> Value {
    json!({
        "id": view.id,
        "email": view.email,
        "name": view.name,
        "source": source(view.source),
        "blocked": view.blocked,
    })
}

pub(super) fn group(view: &GroupView) -> Value {
    json!({ "id": view.id, "name": view.name })
}

pub(super) fn detail(found: &UserDetail) -> Value {
    let role =
        |(path, role): &(String, Role)| json!({ "namespace_path": path, "role": role.name() });
    let blocked = found.blocked.as_ref().map(|blocked| {
        json!({ "since": instant(blocked.since), "by": blocked.by, "reason": blocked.reason })
    });
    present(json!({
        "user": user(&found.view),
        "groups": found.groups.iter().map(group).collect::<Value>(),
        "last_sign_in_at": found.last_sign_in.map(instant),
        "blocked": blocked,
        "roles": found.roles.iter().map(role).collect::<Value>(),
        "service_accounts": found.accounts.iter().map(account).collect::<Value>(),
    }))
}

/// Who knows somebody, in a word.
pub(super) fn source(source: Source) -> &'static str {
    match source {
        Source::Directory => "directory",
        Source::SignIn => "sign-in",
    }
}

/// Where something can be changed, in a word.
pub(super) fn made(made: Made) -> &'static str {
    match made {
        Made::BuiltIn => "built-in",
        Made::InFile => "file",
        Made::Here => "store",
    }
}

/// Both in one object.
pub(super) fn merged(mut object: Value, more: Value) -> Value {
    if let (Value::Object(members), Value::Object(more)) = (&mut object, more) {
        members.extend(more);
    }
    object
}

/// Names a version; empty for what is not changed here.
fn etag(made: Made, version: u64) -> String {
    if made == Made::Here { version.to_string() } else { String::new() }
}

fn seconds(span: Duration) -> String {
    format!("{}s", span.as_secs())
}

/// `object` without the members that are null.
fn present(mut object: Value) -> Value {
    if let Value::Object(members) = &mut object {
        members.retain(|_, value| !value.is_null());
    }
    object
}

#[cfg(test)]
mod tests;
