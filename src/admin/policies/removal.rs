//! Deleting policies, and taking them from routes that go.

use super::change::role;
use crate::activity::{EntityKind, Verb};
use crate::admin::call::{Call, CatalogUse, Plan, Step};
use crate::admin::deed::Thing;
use crate::admin::world::World;
use crate::admin::{Actor, Admin, AdminError, Deletion, What};
use crate::catalog::PolicyRecord;
use crate::id::PolicyId;
use crate::people::Moment;
use crate::store::Change;
use std::collections::BTreeSet;

impl Admin {
    /// # Errors
    /// It is given to routes, and is not to be taken from them; and as for [`Admin::create_policy`].
    pub async fn delete_policy(
        &self,
        by: &Actor,
        id: &PolicyId,
        deletion: Deletion,
        at: Moment<'_>,
    ) -> Result<(), AdminError> {
        let thing = Thing::new(EntityKind::Policy, id.as_str());
        let mut call = self.call(by, at, (Verb::Delete, thing));
        loop {
            let step = plan(&mut call, id, deletion);
            if let Some(done) = self.settle(&mut call, step).await? {
                return Ok(done);
            }
        }
    }
}

fn plan(call: &mut Call<'_>, id: &PolicyId, deletion: Deletion) -> Result<Step<()>, AdminError> {
    let before = call.policy_to_change(id)?;
    let needed = (role(before.enforced), &before.namespace);
    call.world.permit(call.by, needed, What::Policy)?;
    let there = call.world.routes().filter(|(route, _)| before.routes.contains(*route)).count();
    if deletion == Deletion::OnlyIfFree && there > 0 {
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
    /// Other policies than before, each with an entry of its own.
    pub(in crate::admin) fn put_policies(
        &self,
        changed: Vec<(PolicyRecord, PolicyRecord)>,
        plan: &mut Plan,
    ) {
        for (before, after) in changed {
            let after = self.modified(after);
            let told = (Some(before.told()), Some(after.told()));
            plan.events.push(self.event(Verb::Update, &Thing::policy(&after), told));
            plan.changes.push(Change::PutPolicy(after));
        }
    }
}
