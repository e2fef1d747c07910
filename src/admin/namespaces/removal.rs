//! Deleting a namespace: alone while nothing is in it, or with everything that is.

use super::change::IN_FILE;
use super::contents::MOST;
use super::{Deletion, Removal};
use crate::activity::{EntityKind, Verb};
use crate::admin::call::{Call, CatalogUse, Plan, Step};
use crate::admin::deed::Thing;
use crate::admin::world::World;
use crate::admin::{Actor, Admin, AdminError, What};
use crate::id::NamespaceId;
use crate::namespace::{Made, NamespaceRecord, Role};
use crate::people::Moment;
use crate::service_account::AccountRecord;
use crate::store::Change;
use std::collections::BTreeSet;

impl Admin {
    /// With everything in it and below it takes an admin of it, else a manager of what is above it.
    ///
    /// # Errors
    /// It is not there, is Global written in the configuration, in use, or not of the version that was
    /// expected.
    pub async fn delete_namespace(
        &self,
        by: &Actor,
        id: &NamespaceId,
        removal: impl Into<Removal>,
        at: Moment<'_>,
    ) -> Result<(), AdminError> {
        let removal = removal.into();
        let thing = Thing::new(EntityKind::Namespace, id.as_str());
        let mut call = self.call(by, at, (Verb::Delete, thing));
        loop {
            let step = self.plan_removal(&mut call, id, removal).await;
            if let Some(done) = self.settle(&mut call, step).await? {
                return Ok(done);
            }
        }
    }

    async fn plan_removal(
        &self,
        call: &mut Call<'_>,
        id: &NamespaceId,
        Removal { deletion, expected }: Removal,
    ) -> Result<Step<()>, AdminError> {
        let record = call.world.tree().get(id).cloned();
        let record = record.ok_or(AdminError::NotFound(What::Namespace))?;
        call.world.permit_namespace(call.by, Role::Viewer, id)?;
        call.thing = Thing::namespace(&record);
        call.world.permit_removal(call.by, &record, deletion)?;
        AdminError::unless_expected(expected, record.version)?;
        let inside = call.world.tree().within(id);
        let accounts = self.accounts_in(&inside, call.at.now).await?;
        let mut plan = match deletion {
            Deletion::OnlyIfFree => {
                call.world.is_unused(&record, &accounts)?;
                Plan::default()
            }
            Deletion::WithAll => call.going(&record, &inside, &accounts)?,
        };
        for account in &accounts {
            plan.forget.extend(self.keys_of(&account.id).await?);
        }
        plan.catalog = CatalogUse::Changed;
        plan.events.push(call.told(Some(record.told()), None));
        plan.changes.push(Change::RemoveNamespace(id.clone()));
        Ok(Step::Make(Box::new(plan), ()))
    }
}

impl World {
    fn permit_removal(
        &self,
        by: &Actor,
        record: &NamespaceRecord,
        deletion: Deletion,
    ) -> Result<(), AdminError> {
        let Some(parent) = &record.parent else {
            return Err(AdminError::Refused("Global cannot be deleted".to_owned()));
        };
        match deletion {
            Deletion::WithAll => self.permit_namespace(by, Role::Admin, &record.id)?,
            Deletion::OnlyIfFree if self.role(by, parent) < Some(Role::Manager) => {
                return Err(self.forbidden(Role::Manager, parent));
            }
            Deletion::OnlyIfFree => {}
        }
        let inside = self.tree().within(&record.id);
        let in_file = inside.iter().filter_map(|id| self.tree().get(id));
        let in_file = in_file.filter(|record| record.made == Made::InFile).count();
        if record.made == Made::InFile {
            return Err(AdminError::Refused(IN_FILE.to_owned()));
        }
        if in_file > 0 {
            let why = "namespaces of the configuration are below it; change them there first";
            return Err(AdminError::InUse(why.to_owned()));
        }
        Ok(())
    }

    fn is_unused(
        &self,
        record: &NamespaceRecord,
        accounts: &[AccountRecord],
    ) -> Result<(), AdminError> {
        let mut kinds: Vec<&str> =
            self.resources(&record.id).into_iter().map(|resource| resource.kind).collect();
        kinds.extend(accounts.iter().map(|_| "service_account"));
        let count = |kind| kinds.iter().filter(|other| **other == kind).count();
        let words = [
            ("namespace", "namespace", "namespaces"),
            ("service_account", "service account", "service accounts"),
            ("route", "route", "routes"),
            ("policy", "policy", "policies"),
            ("permission", "role", "roles"),
        ];
        let told = |(kind, one, several)| match count(kind) {
            0 => None,
            1 => Some(format!("1 {one}")),
            number => Some(format!("{number} {several}")),
        };
        let counted: Vec<String> = words.into_iter().filter_map(told).collect();
        if counted.is_empty() {
            return Ok(());
        }
        Err(AdminError::InUse(format!("it holds {}; empty it first", counted.join(", "))))
    }
}

impl Call<'_> {
    /// Everything in a namespace and below, each with an entry of its own.
    fn going(
        &self,
        record: &NamespaceRecord,
        inside: &BTreeSet<NamespaceId>,
        accounts: &[AccountRecord],
    ) -> Result<Plan, AdminError> {
        self.is_free_of_file_routes(inside)?;
        let mut going = Plan::default();
        for account in accounts {
            let told = (Some(account.told()), None);
            going.events.push(self.event(Verb::Delete, &Thing::account(account), told));
            going.changes.push(Change::UpdateAccount(account.deleted(self.at)));
        }
        let stored = self.world.stored();
        for policy in stored.policies.iter().filter(|policy| inside.contains(&policy.namespace)) {
            let told = (Some(policy.told()), None);
            going.events.push(self.event(Verb::Delete, &Thing::policy(policy), told));
            going.changes.push(Change::RemovePolicy(policy.id.clone()));
        }
        let routes: Vec<_> =
            stored.routes.iter().filter(|route| inside.contains(&route.namespace)).collect();
        for route in &routes {
            let told = (Some(route.told()), None);
            going.events.push(self.event(Verb::Delete, &Thing::route(route), told));
            going.changes.push(Change::RemoveRoute(route.id.clone()));
        }
        let routes = routes.iter().map(|route| route.id.to_string()).collect();
        let mut changed = self.world.without(&routes);
        changed.retain(|(policy, _)| !inside.contains(&policy.namespace));
        self.put_policies(changed, &mut going);
        for given in stored.permissions.iter().filter(|given| inside.contains(&given.namespace)) {
            let told = (Some(given.told()), None);
            going.events.push(self.event(Verb::RemoveRole, &Thing::permission(given), told));
            going.changes.push(Change::RemovePermission(given.id.clone()));
        }
        let below = inside.iter().filter(|id| **id != record.id);
        for below in below.filter_map(|id| self.world.tree().get(id)) {
            let told = (Some(below.told()), None);
            going.events.push(self.event(Verb::Delete, &Thing::namespace(below), told));
            going.changes.push(Change::RemoveNamespace(below.id.clone()));
        }
        if going.changes.len() > MOST {
            let why = format!("it holds more than {MOST} things; delete some of them first");
            return Err(AdminError::InUse(why));
        }
        Ok(going)
    }

    fn is_free_of_file_routes(&self, inside: &BTreeSet<NamespaceId>) -> Result<(), AdminError> {
        let stored: BTreeSet<&str> =
            self.world.stored().routes.iter().map(|route| route.id.as_str()).collect();
        let mut routes = self.world.routes().filter(|(_, place)| inside.contains(*place));
        match routes.find(|(id, _)| !stored.contains(id)) {
            None => Ok(()),
            Some((id, _)) => Err(AdminError::InUse(format!(
                "the route `{id}` of the configuration is in it; change it there first"
            ))),
        }
    }
}
