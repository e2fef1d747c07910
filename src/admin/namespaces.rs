//! The tree and the roles given in it.

use super::{Actor, Admin, AdminError};
use crate::id::{NamespaceId, PermissionId};
use crate::namespace::{LifetimeRules, NamespaceRecord, Permission, Role, Subject};
use crate::people::Moment;
use crate::store::StoreError;
use crate::time::Timestamp;

/// A namespace as somebody sees it.
#[derive(Clone, Debug)]
pub struct NamespaceView {
    pub record: NamespaceRecord,
    pub path: String,
    /// 0 for Global.
    pub depth: usize,
    /// What they may do there; `None` for one that is only on the way to those they may see.
    pub role: Option<Role>,
    /// Where that role was given; `None` if by the configuration.
    pub role_from: Option<NamespaceId>,
    /// Right in it.
    pub accounts: u64,
    pub routes: u64,
    pub policies: u64,
    /// As inherited.
    pub lifetime: LifetimeRules,
}

/// A namespace to be made.
#[derive(Clone, Debug)]
pub struct NewNamespace {
    pub parent: NamespaceId,
    pub name: String,
    pub description: String,
    pub lifetime: LifetimeRules,
    pub idempotency_key: Option<String>,
}

/// Changes of a namespace; `None` keeps.
#[derive(Clone, Debug, Default)]
pub struct NamespaceEdit {
    /// Takes the role of a manager here, and there.
    pub parent: Option<NamespaceId>,
    pub name: Option<String>,
    pub description: Option<String>,
    /// Takes the role of an admin.
    pub lifetime: Option<LifetimeRules>,
    pub expected: Option<u64>,
}

/// What moving a namespace would change.
#[derive(Clone, Debug, Default)]
pub struct MovePreview {
    /// Accounts of these namespaces reach into it no more, or only then: path and how many accounts.
    pub lose: Vec<(String, u64)>,
    pub gain: Vec<(String, u64)>,
    /// Names of enforced policies that stop to count in it, and that begin to.
    pub enforced_lost: Vec<String>,
    pub enforced_gained: Vec<String>,
    /// Routes in it and below.
    pub routes: u64,
    /// Why it cannot be moved there; empty if it can.
    pub obstacles: Vec<String>,
}

/// Whether what hangs on a thing goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// Refused while anything does.
    OnlyIfFree,
    /// Its routes, policies, accounts and roles too; for a policy: taken from its routes.
    WithAll,
}

/// Something that is in a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// `namespace`, `service_account`, `policy`, `route` or `permission`.
    pub kind: &'static str,
    pub id: String,
    pub name: String,
}

/// A role that counts in a namespace.
#[derive(Clone, Debug)]
pub struct PermissionView {
    pub permission: Permission,
    /// Where it was given, if further up.
    pub inherited_from: Option<String>,
    /// As the directory calls them; empty if it does not know them.
    pub name: String,
    pub email: String,
}

fn not_yet() -> AdminError {
    AdminError::Unavailable(StoreError::unavailable("not made yet"))
}

impl Admin {
    /// Those where `by` has a role, and those on the way to them; parents before children, siblings by
    /// name.
    pub async fn namespaces(
        &self,
        _by: &Actor,
        _now: Timestamp,
    ) -> Result<Vec<NamespaceView>, AdminError> {
        Err(not_yet())
    }

    pub async fn namespace(
        &self,
        _by: &Actor,
        _id: &NamespaceId,
        _now: Timestamp,
    ) -> Result<NamespaceView, AdminError> {
        Err(not_yet())
    }

    pub async fn create_namespace(
        &self,
        _by: &Actor,
        _new: NewNamespace,
        _at: Moment<'_>,
    ) -> Result<NamespaceView, AdminError> {
        Err(not_yet())
    }

    pub async fn update_namespace(
        &self,
        _by: &Actor,
        _id: &NamespaceId,
        _edit: NamespaceEdit,
        _at: Moment<'_>,
    ) -> Result<NamespaceView, AdminError> {
        Err(not_yet())
    }

    /// What moving it below `parent` would change. Changes nothing.
    pub async fn preview_move(
        &self,
        _by: &Actor,
        _id: &NamespaceId,
        _parent: &NamespaceId,
        _now: Timestamp,
    ) -> Result<MovePreview, AdminError> {
        Err(not_yet())
    }

    pub async fn delete_namespace(
        &self,
        _by: &Actor,
        _id: &NamespaceId,
        _deletion: Deletion,
        _at: Moment<'_>,
    ) -> Result<(), AdminError> {
        Err(not_yet())
    }

    /// What is in it: up to 1000.
    pub async fn resources(
        &self,
        _by: &Actor,
        _id: &NamespaceId,
        _now: Timestamp,
    ) -> Result<Vec<Resource>, AdminError> {
        Err(not_yet())
    }

    /// Roles that count there, those given further up included.
    pub async fn permissions(
        &self,
        _by: &Actor,
        _id: &NamespaceId,
    ) -> Result<Vec<PermissionView>, AdminError> {
        Err(not_yet())
    }

    /// Gives a role, instead of the one that was given to the same subject there.
    pub async fn grant(
        &self,
        _by: &Actor,
        _id: &NamespaceId,
        _given: (Subject, Role),
        _at: Moment<'_>,
    ) -> Result<Permission, AdminError> {
        Err(not_yet())
    }

    pub async fn remove_permission(
        &self,
        _by: &Actor,
        _id: &PermissionId,
        _at: Moment<'_>,
    ) -> Result<(), AdminError> {
        Err(not_yet())
    }
}
