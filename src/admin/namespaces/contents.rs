//! What is in a namespace.

use super::Resource;
use crate::admin::world::World;
use crate::admin::{Actor, Admin, AdminError};
use crate::id::NamespaceId;
use crate::namespace::Role;
use crate::service_account::AccountRecord;
use crate::store::{AccountQuery, StoreError};
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// The most that is listed.
pub(super) const MOST: usize = 1000;

impl Admin {
    /// What is right in it: up to 1000.
    ///
    /// # Errors
    /// It is not there, or not to be seen.
    pub async fn resources(
        &self,
        by: &Actor,
        id: &NamespaceId,
        now: Timestamp,
    ) -> Result<Vec<Resource>, AdminError> {
        let world = self.world();
        world.permit_namespace(by, Role::Viewer, id)?;
        let accounts = self.accounts_in(&BTreeSet::from([id.clone()]), now).await?;
        let accounts = accounts.into_iter().map(|record| Resource {
            kind: "service_account",
            id: record.id.as_str().to_owned(),
            name: record.name,
        });
        Ok(world.resources(id).into_iter().chain(accounts).take(MOST).collect())
    }

    /// The accounts of these namespaces, one more than are listed at the most.
    pub(super) async fn accounts_in(
        &self,
        namespaces: &BTreeSet<NamespaceId>,
        now: Timestamp,
    ) -> Result<Vec<AccountRecord>, StoreError> {
        let namespaces = Some(namespaces.clone());
        let which = AccountQuery { namespaces, limit: MOST + 1, ..AccountQuery::default() };
        Ok(self.store().accounts(&which, now).await?.records)
    }
}

impl World {
    /// What is right in it, without its accounts.
    pub(super) fn resources(&self, id: &NamespaceId) -> Vec<Resource> {
        let resource = |kind, id: &str, name: &str| Resource {
            kind,
            id: id.to_owned(),
            name: name.to_owned(),
        };
        let stored = self.stored();
        let children = self.tree().children(id).into_iter();
        let children = children.map(|it| resource("namespace", it.id.as_str(), it.name.as_str()));
        let policies = stored.policies.iter().filter(|policy| policy.namespace == *id);
        let policies = policies.map(|it| resource("policy", it.id.as_str(), &it.name));
        let routes = self.routes().filter(|(_, place)| *place == id);
        let routes = routes.map(|(route, _)| resource("route", route, route));
        let given = stored.permissions.iter().filter(|given| given.namespace == *id);
        let given = given.map(|it| resource("permission", it.id.as_str(), it.subject.id()));
        children.chain(policies).chain(routes).chain(given).collect()
    }
}
