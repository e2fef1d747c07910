//! The tree and the roles given in it.

mod change;
mod contents;
mod moving;
mod removal;
mod roles;

pub(super) use change::IN_FILE;

use super::world::World;
use super::{Actor, Admin, AdminError, What};
use crate::id::NamespaceId;
use crate::namespace::{LifetimeRules, NamespaceRecord, Permission, Role, Roles};
use std::collections::{BTreeMap, BTreeSet};

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
    /// Takes the role of a manager here, where it is now, and there; of an admin where rules stop to count by
    /// it.
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

/// What is to be deleted.
#[derive(Clone, Copy, Debug)]
pub struct Removal {
    pub deletion: Deletion,
    /// Only if it is of this version still.
    pub expected: Option<u64>,
}

impl From<Deletion> for Removal {
    fn from(deletion: Deletion) -> Self {
        Self { deletion, expected: None }
    }
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

impl Admin {
    /// Those where `by` has a role, and those on the way to them; parents before children, siblings by
    /// name.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn namespaces(&self, by: &Actor) -> Result<Vec<NamespaceView>, AdminError> {
        let world = self.world();
        let roles = world.tree().roles(by.reach());
        let seen = world.tree().seen_by(by.reach());
        let on_the_way: BTreeSet<&NamespaceId> =
            seen.iter().flat_map(|id| world.tree().line(id)).collect();
        let shown = world.tree().in_order();
        let shown = shown.into_iter().filter(|record| on_the_way.contains(&record.id));
        let accounts = self.store().accounts_by_namespace(world.seen(by).as_ref()).await?;
        let resources = world.resources_by_place();
        let views = shown.map(|record| {
            let accounts = accounts.get(&record.id).copied().unwrap_or_default();
            world.namespace_view(record, (&roles, &resources), accounts)
        });
        Ok(views.collect())
    }

    /// # Errors
    /// It is not there, or `by` has no role in it.
    pub async fn namespace(
        &self,
        by: &Actor,
        id: &NamespaceId,
    ) -> Result<NamespaceView, AdminError> {
        let world = self.world();
        world.permit_namespace(by, Role::Viewer, id)?;
        let record = world.tree().get(id).ok_or(AdminError::NotFound(What::Namespace))?;
        let roles = world.tree().roles(by.reach());
        let resources = world.resources_by_place();
        let here = BTreeSet::from([id.clone()]);
        let accounts = self.store().accounts_by_namespace(Some(&here)).await?;
        let accounts = accounts.get(id).copied().unwrap_or_default();
        Ok(world.namespace_view(record, (&roles, &resources), accounts))
    }
}

impl World {
    fn namespace_view(
        &self,
        record: &NamespaceRecord,
        (roles, resources): (&Roles<'_>, &ByPlace<'_>),
        accounts: u64,
    ) -> NamespaceView {
        let id = &record.id;
        let role = roles.role(id);
        let counts = resources.get(id).copied().unwrap_or_default();
        NamespaceView {
            path: self.tree().path(id),
            depth: self.tree().line(id).len().saturating_sub(1),
            role,
            role_from: roles.given_in(id).cloned(),
            accounts: if role.is_some() { accounts } else { 0 },
            routes: if role.is_some() { counts.routes } else { 0 },
            policies: if role.is_some() { counts.policies } else { 0 },
            lifetime: self.tree().lifetime(id),
            record: match role {
                Some(_) => record.clone(),
                None => on_the_way(record),
            },
        }
    }
}

/// What is to be known of a namespace that is only on the way to others.
fn on_the_way(record: &NamespaceRecord) -> NamespaceRecord {
    NamespaceRecord {
        description: String::new(),
        lifetime: LifetimeRules::default(),
        ..record.clone()
    }
}

/// How many things of the catalog are right in a namespace.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    routes: u64,
    policies: u64,
}

type ByPlace<'w> = BTreeMap<&'w NamespaceId, Counts>;

impl World {
    fn resources_by_place(&self) -> ByPlace<'_> {
        let mut counts = ByPlace::new();
        for (_, place) in self.routes() {
            counts.entry(place).or_default().routes += 1;
        }
        for policy in &self.stored().policies {
            counts.entry(&policy.namespace).or_default().policies += 1;
        }
        counts
    }
}
