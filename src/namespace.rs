//! Namespaces: a tree of places in which routes, policies and service accounts are. What is given in
//! one counts in it and in everything below.

mod name;
mod tree;

pub use name::{NamespaceName, NamespaceNameError};
pub use tree::{Reach, Roles, Tree};

use crate::id::{NamespaceId, PermissionId};
use crate::time::Timestamp;
use std::time::Duration;

/// How deep the tree may be, the root included.
pub const MAX_DEPTH: usize = 16;

/// One namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceRecord {
    pub id: NamespaceId,
    /// `None` for Global alone.
    pub parent: Option<NamespaceId>,
    /// As people call it; unique among those with the same parent, whatever its case.
    pub name: NamespaceName,
    pub description: String,
    pub lifetime: LifetimeRules,
    pub made: Made,
    pub created: Timestamp,
    pub modified: Timestamp,
    /// Counts the changes of this record; a change names the one it is based on.
    pub version: u64,
}

/// Who has made a namespace, a route or a policy, and so where it can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It is always there.
    BuiltIn,
    /// Written in the configuration.
    InFile,
    /// Kept in the store.
    Here,
}

/// How long service accounts may live. What is not said here is said further up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LifetimeRules {
    /// The longest time from creation to expiry. Implies that there is an expiry.
    pub longest: Option<Duration>,
    /// Whether an account must have an expiry.
    pub required: Option<bool>,
}

/// What somebody may do in a namespace and below. Each includes those before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Look.
    Viewer,
    /// Change what machines, routes and optional policies there are.
    Manager,
    /// Decide about people: roles, impersonating accounts, enforced policies.
    Admin,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Manager, Self::Admin];

    /// As it is written in documents and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Whom a role is given to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// By user id, of a person or of a unique service account.
    User(String),
    /// Everybody who is a member, by group id.
    Group(String),
}

impl Subject {
    /// `user` or `group`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Group(_) => "group",
        }
    }

    pub fn id(&self) -> &str {
        match self {
            Self::User(id) | Self::Group(id) => id,
        }
    }

    /// `kind` is `user` or `group`.
    pub fn of(kind: &str, id: &str) -> Option<Self> {
        match kind {
            "user" => Some(Self::User(id.to_owned())),
            "group" => Some(Self::Group(id.to_owned())),
            _ => None,
        }
    }
}

/// A role that is given to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    pub id: PermissionId,
    pub namespace: NamespaceId,
    pub subject: Subject,
    pub role: Role,
    pub created: Timestamp,
    /// How whoever gave it is called.
    pub created_by: String,
}
