//! What is made in the console besides accounts: namespaces, roles, policies, routes, and who is
//! blocked. Small, read whole, and of one version.

use crate::id::{NamespaceId, PolicyId, RouteId};
use crate::namespace::{NamespaceRecord, Permission};
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// All of it, as the store has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// Counts the changes; a change names the one it is based on.
    pub version: u64,
    pub namespaces: Vec<NamespaceRecord>,
    pub permissions: Vec<Permission>,
    pub policies: Vec<PolicyRecord>,
    pub routes: Vec<RouteRecord>,
    pub blocked: Vec<Blocked>,
    /// Since when the bootstrap secret is no good any more.
    pub bootstrap_closed: Option<Timestamp>,
}

/// A policy that is kept in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRecord {
    pub id: PolicyId,
    pub namespace: NamespaceId,
    /// Unique in its namespace, whatever its case.
    pub name: String,
    pub description: String,
    /// Shown to whoever is refused by it.
    pub explanation: String,
    /// What they can do about it.
    pub remediation: String,
    /// The policy, as YAML or JSON.
    pub text: String,
    /// It counts on every route of its namespace and below, asked for or not.
    pub enforced: bool,
    /// The routes it was given to, by id.
    pub routes: BTreeSet<String>,
    pub created: Timestamp,
    pub modified: Timestamp,
    /// How whoever changed it last is called.
    pub modified_by: String,
    pub version: u64,
}

/// A route that is kept in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRecord {
    /// 1 to 63 lower-case letters, digits and hyphens; what Envoy may send as `route_id`.
    pub id: RouteId,
    pub namespace: NamespaceId,
    pub description: String,
    /// `https://HOST[:PORT]`
    pub from: String,
    pub path: RoutePath,
    pub pass_identity_headers: bool,
    pub show_error_details: bool,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub modified_by: String,
    pub version: u64,
}

/// Which paths of its host a route serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RoutePath {
    #[default]
    Any,
    Exact(String),
    Prefix(String),
    SeparatedPrefix(String),
    Regex(String),
}

/// Somebody who may not come in any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    pub user: String,
    pub since: Timestamp,
    /// How whoever blocked them is called.
    pub by: String,
    pub reason: String,
}

impl RoutePath {
    /// Its key in the configuration, and the text there.
    pub fn parts(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Any => None,
            Self::Exact(text) => Some(("path", text)),
            Self::Prefix(text) => Some(("prefix", text)),
            Self::SeparatedPrefix(text) => Some(("path_separated_prefix", text)),
            Self::Regex(text) => Some(("regex", text)),
        }
    }

    /// The reverse of [`RoutePath::parts`].
    pub fn of(key: &str, text: &str) -> Option<Self> {
        let text = text.to_owned();
        match key {
            "path" => Some(Self::Exact(text)),
            "prefix" => Some(Self::Prefix(text)),
            "path_separated_prefix" => Some(Self::SeparatedPrefix(text)),
            "regex" => Some(Self::Regex(text)),
            _ => None,
        }
    }
}
