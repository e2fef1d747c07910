//! Policies: those of the configuration, to be seen, and those of the store, to be changed. What is
//! stored was compiled before.

use super::{Actor, Admin, AdminError, Deletion};
use crate::document::Problem;
use crate::id::{NamespaceId, PolicyId};
use crate::namespace::Made;
use crate::people::Moment;
use crate::store::StoreError;
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// A policy as somebody sees it.
#[derive(Clone, Debug)]
pub struct PolicyView {
    /// `pol_…`, or the name of one of the configuration.
    pub id: String,
    pub made: Made,
    pub namespace: NamespaceId,
    pub namespace_path: String,
    pub name: String,
    pub description: String,
    pub explanation: String,
    pub remediation: String,
    /// Empty for one of the configuration.
    pub text: String,
    pub enforced: bool,
    /// The routes it counts on, by id: those it was given to, or all below if it is enforced.
    pub routes: BTreeSet<String>,
    /// Why it does not compile (any more); then its routes refuse everybody.
    pub broken: String,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub modified_by: String,
    pub version: u64,
}

/// A policy in a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyMention {
    pub id: String,
    pub name: String,
    pub made: Made,
    pub enforced: bool,
    pub namespace_path: String,
}

/// Which policies.
#[derive(Clone, Debug, Default)]
pub struct PolicyWanted {
    pub namespace: Option<NamespaceId>,
    /// With those of namespaces below.
    pub recursive: bool,
    /// Instead: those that can be given to a route in this namespace, its own and those further up.
    pub usable_in: Option<NamespaceId>,
    pub text: String,
}

/// A policy to be made.
#[derive(Clone, Debug)]
pub struct NewPolicy {
    pub namespace: NamespaceId,
    pub name: String,
    pub description: String,
    pub explanation: String,
    pub remediation: String,
    pub text: String,
    /// Takes the role of an admin.
    pub enforced: bool,
    pub routes: BTreeSet<String>,
    pub idempotency_key: Option<String>,
}

/// Changes of a policy; `None` keeps.
#[derive(Clone, Debug, Default)]
pub struct PolicyEdit {
    pub name: Option<String>,
    pub description: Option<String>,
    pub explanation: Option<String>,
    pub remediation: Option<String>,
    pub text: Option<String>,
    pub enforced: Option<bool>,
    pub routes: Option<BTreeSet<String>>,
    pub expected: Option<u64>,
}

fn not_yet() -> AdminError {
    AdminError::Unavailable(StoreError::unavailable("not made yet"))
}

impl Admin {
    /// By path of the namespace, then by name.
    pub async fn policies(
        &self,
        _by: &Actor,
        _which: &PolicyWanted,
    ) -> Result<Vec<PolicyView>, AdminError> {
        Err(not_yet())
    }

    pub async fn policy(&self, _by: &Actor, _id: &str) -> Result<PolicyView, AdminError> {
        Err(not_yet())
    }

    pub async fn create_policy(
        &self,
        _by: &Actor,
        _new: NewPolicy,
        _at: Moment<'_>,
    ) -> Result<PolicyView, AdminError> {
        Err(not_yet())
    }

    pub async fn update_policy(
        &self,
        _by: &Actor,
        _id: &PolicyId,
        _edit: PolicyEdit,
        _at: Moment<'_>,
    ) -> Result<PolicyView, AdminError> {
        Err(not_yet())
    }

    pub async fn delete_policy(
        &self,
        _by: &Actor,
        _id: &PolicyId,
        _deletion: Deletion,
        _at: Moment<'_>,
    ) -> Result<(), AdminError> {
        Err(not_yet())
    }

    /// Everything that is wrong with a policy, with line and column. Changes nothing.
    pub fn check_policy(&self, _text: &str) -> Vec<Problem> {
        Vec::new()
    }
}
