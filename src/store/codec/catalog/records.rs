//! What is in the catalog as JSON. Its id and its version stand in columns.

use super::Readable;
use crate::catalog::{Blocked, PolicyRecord, RoutePath, RouteRecord};
use crate::id::{NamespaceId, PermissionId, PolicyId, RouteId};
use crate::namespace::{
    LifetimeRules, Made, NamespaceName, NamespaceRecord, Permission, Role, Subject,
};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(Serialize, Deserialize)]
pub(super) struct NamespaceJson {
    parent: Option<String>,
    name: String,
    description: String,
    longest: Option<Duration>,
    required: Option<bool>,
    made: String,
    created: i64,
    modified: i64,
}

const MADE: [Made; 3] = [Made::BuiltIn, Made::InFile, Made::Here];

fn made_name(made: Made) -> &'static str {
    match made {
        Made::BuiltIn => "built-in",
        Made::InFile => "file",
        Made::Here => "here",
    }
}

impl NamespaceJson {
    pub(super) fn of(record: &NamespaceRecord) -> Self {
        let LifetimeRules { longest, required } = record.lifetime;
        Self {
            parent: record.parent.as_ref().map(|parent| parent.as_str().to_owned()),
            name: record.name.as_str().to_owned(),
            description: record.description.clone(),
            longest,
            required,
            made: made_name(record.made).to_owned(),
            created: record.created.unix(),
            modified: record.modified.unix(),
        }
    }
}

impl Readable for NamespaceRecord {
    type Json = NamespaceJson;

    fn of_json(json: NamespaceJson, id: &str, version: u64) -> Option<Self> {
        let NamespaceJson { longest, required, .. } = json;
        Some(Self {
            id: NamespaceId::parse(id)?,
            parent: match json.parent {
                Some(parent) => Some(NamespaceId::parse(&parent)?),
                None => None,
            },
            name: NamespaceName::parse(&json.name).ok()?,
            description: json.description,
            lifetime: LifetimeRules { longest, required },
            made: MADE.into_iter().find(|made| made_name(*made) == json.made)?,
            created: Timestamp::from_unix(json.created),
            modified: Timestamp::from_unix(json.modified),
            version,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct PermissionJson {
    namespace: String,
    subject_kind: String,
    subject: String,
    role: String,
    created: i64,
    created_by: String,
}

impl PermissionJson {
    pub(super) fn of(record: &Permission) -> Self {
        Self {
            namespace: record.namespace.as_str().to_owned(),
            subject_kind: record.subject.kind().to_owned(),
            subject: record.subject.id().to_owned(),
            role: record.role.name().to_owned(),
            created: record.created.unix(),
            created_by: record.created_by.clone(),
        }
    }
}

impl Readable for Permission {
    type Json = PermissionJson;

    fn of_json(json: PermissionJson, id: &str, _version: u64) -> Option<Self> {
        Some(Self {
            id: PermissionId::parse(id)?,
            namespace: NamespaceId::parse(&json.namespace)?,
            subject: Subject::of(&json.subject_kind, &json.subject)?,
            role: Role::parse(&json.role)?,
            created: Timestamp::from_unix(json.created),
            created_by: json.created_by,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct PolicyJson {
    namespace: String,
    name: String,
    description: String,
    explanation: String,
    remediation: String,
    text: String,
    enforced: bool,
    routes: BTreeSet<String>,
    created: i64,
    modified: i64,
    modified_by: String,
}

impl PolicyJson {
    pub(super) fn of(record: &PolicyRecord) -> Self {
        Self {
            namespace: record.namespace.as_str().to_owned(),
            name: record.name.clone(),
            description: record.description.clone(),
            explanation: record.explanation.clone(),
            remediation: record.remediation.clone(),
            text: record.text.clone(),
            enforced: record.enforced,
            routes: record.routes.clone(),
            created: record.created.unix(),
            modified: record.modified.unix(),
            modified_by: record.modified_by.clone(),
        }
    }
}

impl Readable for PolicyRecord {
    type Json = PolicyJson;

    fn of_json(json: PolicyJson, id: &str, version: u64) -> Option<Self> {
        Some(Self {
            id: PolicyId::parse(id)?,
            namespace: NamespaceId::parse(&json.namespace)?,
            name: json.name,
            description: json.description,
            explanation: json.explanation,
            remediation: json.remediation,
            text: json.text,
            enforced: json.enforced,
            routes: json.routes,
            created: Timestamp::from_unix(json.created),
            modified: Timestamp::from_unix(json.modified),
            modified_by: json.modified_by,
            version,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct RouteJson {
    namespace: String,
    description: String,
    from: String,
    path: Option<(String, String)>,
    pass_identity_headers: bool,
    show_error_details: bool,
    created: i64,
    modified: i64,
    modified_by: String,
}

impl RouteJson {
    pub(super) fn of(record: &RouteRecord) -> Self {
        let path = record.path.parts().map(|(key, text)| (key.to_owned(), text.to_owned()));
        Self {
            namespace: record.namespace.as_str().to_owned(),
            description: record.description.clone(),
            from: record.from.clone(),
            path,
            pass_identity_headers: record.pass_identity_headers,
            show_error_details: record.show_error_details,
            created: record.created.unix(),
            modified: record.modified.unix(),
            modified_by: record.modified_by.clone(),
        }
    }
}

impl Readable for RouteRecord {
    type Json = RouteJson;

    fn of_json(json: RouteJson, id: &str, version: u64) -> Option<Self> {
        Some(Self {
            id: RouteId::new(id),
            namespace: NamespaceId::parse(&json.namespace)?,
            description: json.description,
            from: json.from,
            path: match json.path {
                Some((key, text)) => RoutePath::of(&key, &text)?,
                None => RoutePath::Any,
            },
            pass_identity_headers: json.pass_identity_headers,
            show_error_details: json.show_error_details,
            created: Timestamp::from_unix(json.created),
            modified: Timestamp::from_unix(json.modified),
            modified_by: json.modified_by,
            version,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct BlockedJson {
    since: i64,
    by: String,
    reason: String,
}

impl BlockedJson {
    pub(super) fn of(record: &Blocked) -> Self {
        let Blocked { user: _, since, by, reason } = record.clone();
        Self { since: since.unix(), by, reason }
    }
}

impl Readable for Blocked {
    type Json = BlockedJson;

    fn of_json(json: BlockedJson, id: &str, _version: u64) -> Option<Self> {
        let BlockedJson { since, by, reason } = json;
        Some(Self { user: id.to_owned(), since: Timestamp::from_unix(since), by, reason })
    }
}
