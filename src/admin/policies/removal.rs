//! Deleting policies, and taking them from routes that go.

use super::change::role;
use crate::activity::{EntityKind, Verb};
use crate::admin::call::{Call, CatalogUse, Plan, Step};
use crate::admin::deed::Thing;
use crate::admin::world::World;
use crate::admin::{Actor, Admin, AdminError, Deletion, Removal, What};
use crate::catalog::{PolicyRecord, RouteRecord};
use crate::id::PolicyId;
use crate::people::Moment;
use crate::store::Change;
use std::collections::BTreeSet;

impl Admin {
    /// # Errors
    /// It is given to routes, and is not to be taken from them; it is not of the version that was expected; and as for [`Admin::create_policy`].
    pub async fn delete_policy(
        &self,
        by: &Actor,
        id: &PolicyId,
        removal: impl Into<Removal>,
        at: Moment<'_>,
    ) -> Result<(), AdminError> {
        let removal = removal.into();
        let thing = Thing::new(EntityKind::Policy, id.as_str());
        let mut call = self.call(by, at, (Verb::Delete, thing));
        loop {
            let step = plan(&mut call, id, removal);
            if let Some(done) = self.settle(&mut call, step).await? {
                return Ok(done);
            }
        }
    }
}

fn plan(call: &mut Call<'_>, id: &PolicyId, removal: Removal) -> Result<Step<()>, AdminError> {
    let before = call.policy_to_change(id)?;
    let needed = (role(before.enforced), &before.namespace);
    call.world.permit(call.by, needed, What::Policy)?;
    AdminError::unless_expected(removal.expected, before.version)?;
    let there = call.world.routes().filter(|(route, _)| before.routes.contains(*route)).count();
    if removal.deletion == Deletion::OnlyIfFree && there > 0 {
        let why = match there {
            1 => "it is given to 1 route; take it from there first".to_owned(),
            several => format!("it is given to {several} routes; take it from them first"),
        };
        return Err(AdminError::InUse(why));
    }
    let plan = Plan {
        catalog: CatalogUse::Changed,
        changes: vec![Change::RemovePolicy(id.clone())],
        events: vec![call.told(Some(before.told()), None)],
        ..Plan::default()
    };
    Ok(Step::Make(Box::new(plan), ()))
}

impl World {
    /// Policies that were given to some of these routes, as they are and without them. A later route of the
    /// same id is another one.
    pub(in crate::admin) fn without(
        &self,
        routes: &BTreeSet<String>,
    ) -> Vec<(PolicyRecord, PolicyRecord)> {
        let policies = self.stored().policies.iter();
        let policies = policies.filter(|policy| !policy.routes.is_disjoint(routes));
        let without = |policy: &PolicyRecord| {
            let left = policy.routes.difference(routes).cloned().collect();
            (policy.clone(), PolicyRecord { routes: left, ..policy.clone() })
        };
        policies.map(without).collect()
    }
}

impl Call<'_> {
    /// Routes of the store get a new version with every policy that is given to them or taken away, so that
    /// nobody changes one by an older list.
    pub(in crate::admin) fn touch_routes<'r>(
        &self,
        routes: impl Iterator<Item = &'r String>,
        plan: &mut Plan,
    ) {
        for id in routes {
            let stored = &self.world.stored().routes;
            let record = stored.iter().find(|record| record.id.as_str() == id);
            let is_in = |change: &Change| {
                let put = matches!(change, Change::PutRoute(record) if record.id.as_str() == id);
                put || matches!(change, Change::RemoveRoute(removed) if removed.as_str() == id)
            };
            if let Some(record) = record.filter(|_| !plan.changes.iter().any(is_in)) {
                plan.changes.push(Change::PutRoute(RouteRecord {
                    modified: self.at.now,
                    modified_by: self.by.called().to_owned(),
                    ..record.clone()
                }));
            }
        }
    }

    /// Other policies than before, each with an entry of its own.
    pub(in crate::admin) fn put_policies(
        &self,
        changed: Vec<(PolicyRecord, PolicyRecord)>,
        plan: &mut Plan,
    ) {
        for (before, after) in changed {
            self.touch_routes(before.routes.symmetric_difference(&after.routes), plan);
            let after = self.modified(after);
            let told = (Some(before.told()), Some(after.told()));
            plan.events.push(self.event(Verb::Update, &Thing::policy(&after), told));
            plan.changes.push(Change::PutPolicy(after));
        }
    }
}
