//! What an entry says of a thing before and after: everything somebody may want to compare, and nothing
//! that opens anything.

use super::fields::ID;
use crate::activity::{EntityKind, Who};
use crate::catalog::{Blocked, PolicyRecord, RouteRecord};
use crate::id::NamespaceId;
use crate::namespace::{NamespaceRecord, Permission};
use crate::service_account::{AccountKind, AccountRecord, CredentialRecord};
use crate::time::Timestamp;
use serde_json::{Value, json};

/// What a verb is about, as entries name it.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    pub(super) kind: EntityKind,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) namespace: Option<NamespaceId>,
}

impl Thing {
    /// One of which no more is known than its id.
    pub(super) fn new(kind: EntityKind, id: &str) -> Self {
        let id: String = id.chars().filter(|c| !c.is_control()).take(ID).collect();
        Self { kind, id, name: String::new(), namespace: None }
    }

    pub(super) fn in_namespace(self, id: &NamespaceId) -> Self {
        Self { namespace: Some(id.clone()), ..self }
    }

    pub(super) fn called(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    pub(super) fn account(record: &AccountRecord) -> Self {
        let thing = Self::new(EntityKind::ServiceAccount, record.id.as_str());
        thing.called(&record.name).in_namespace(&record.namespace)
    }

    pub(super) fn credential(record: &CredentialRecord, of: &AccountRecord) -> Self {
        let thing = Self::new(EntityKind::Credential, record.id.as_str());
        thing.called(&of.name).in_namespace(&of.namespace)
    }

    pub(super) fn namespace(record: &NamespaceRecord) -> Self {
        let thing = Self::new(EntityKind::Namespace, record.id.as_str());
        thing.called(record.name.as_str()).in_namespace(&record.id)
    }

    pub(super) fn permission(given: &Permission) -> Self {
        let thing = Self::new(EntityKind::Permission, given.id.as_str());
        thing.called(given.subject.id()).in_namespace(&given.namespace)
    }

    pub(super) fn policy(record: &PolicyRecord) -> Self {
        let thing = Self::new(EntityKind::Policy, record.id.as_str());
        thing.called(&record.name).in_namespace(&record.namespace)
    }

    pub(super) fn route(record: &RouteRecord) -> Self {
        let thing = Self::new(EntityKind::Route, record.id.as_str());
        thing.called(&record.from).in_namespace(&record.namespace)
    }

    pub(super) fn user(id: &str) -> Self {
        Self::new(EntityKind::User, id)
    }
}

impl AccountRecord {
    /// Whom it is, as an entry names them.
    pub(super) fn who(&self) -> Who {
        let email = match &self.kind {
            AccountKind::Unique => String::new(),
            AccountKind::Impersonating(person) => person.known.email.clone(),
        };
        Who { user: self.user.clone(), email, groups: Vec::new() }
    }

    /// Who does something with a token of it: a machine, also where it acts as a person.
    pub fn machine_itself(&self) -> Who {
        let user = match &self.kind {
            AccountKind::Unique => self.user.clone(),
            AccountKind::Impersonating(_) => self.id.to_string(),
        };
        Who { user, ..Who::default() }
    }

    pub(super) fn told(&self) -> Value {
        json!({
            "id": self.id.as_str(),
            "namespace_id": self.namespace.as_str(),
            "kind": self.kind_name(),
            "user_id": self.user,
            "name": self.name,
            "description": self.description,
            "originator": self.originator,
            "expires_at": self.expires.map(instant),
            "disabled_at": self.disabled.map(instant),
            "deleted_at": self.deleted.map(instant),
        })
    }
}

impl CredentialRecord {
    pub(super) fn told(&self) -> Value {
        json!({
            "id": self.id.as_str(),
            "service_account_id": self.account.as_str(),
            "issued_at": instant(self.issued),
            "expires_at": self.expires.map(instant),
            "superseded_at": self.superseded.map(instant),
            "revoked_at": self.revoked.map(instant),
        })
    }
}

impl NamespaceRecord {
    pub(super) fn told(&self) -> Value {
        json!({
            "id": self.id.as_str(),
            "parent_id": self.parent.as_ref().map(NamespaceId::as_str),
            "name": self.name.as_str(),
            "description": self.description,
            "max_lifetime_seconds": self.lifetime.longest.map(|longest| longest.as_secs()),
            "require_expiry": self.lifetime.required,
        })
    }
}

impl Permission {
    pub(super) fn told(&self) -> Value {
        json!({
            "id": self.id.as_str(),
            "namespace_id": self.namespace.as_str(),
            "subject_type": self.subject.kind(),
            "subject_id": self.subject.id(),
            "role": self.role.name(),
        })
    }
}

impl PolicyRecord {
    pub(super) fn told(&self) -> Value {
        json!({
            "id": self.id.as_str(),
            "namespace_id": self.namespace.as_str(),
            "name": self.name,
            "description": self.description,
            "explanation": self.explanation,
            "remediation": self.remediation,
            "policy": self.text,
            "enforced": self.enforced,
            "routes": self.routes,
        })
    }
}

impl RouteRecord {
    pub(super) fn told(&self) -> Value {
        let path = self.path.parts().map(|(key, text)| json!({ key: text }));
        json!({
            "id": self.id.as_str(),
            "namespace_id": self.namespace.as_str(),
            "description": self.description,
            "from": self.from,
            "path": path,
            "pass_identity_headers": self.pass_identity_headers,
            "show_error_details": self.show_error_details,
        })
    }
}

impl Blocked {
    pub(super) fn told(&self) -> Value {
        json!({ "user_id": self.user, "since": instant(self.since), "reason": self.reason })
    }
}

/// As in RFC 3339, in UTC.
pub(super) fn instant(at: Timestamp) -> String {
    let instant = jiff::Timestamp::from_second(at.unix()).unwrap_or(jiff::Timestamp::MAX);
    instant.to_string()
}
