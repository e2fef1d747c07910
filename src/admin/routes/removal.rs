//! Deleting routes.

use crate::activity::{EntityKind, Verb};
use crate::admin::call::{Call, CatalogUse, Plan, Step};
use crate::admin::deed::Thing;
use crate::admin::namespaces::IN_FILE;
use crate::admin::{Actor, Admin, AdminError, What};
use crate::catalog::RouteRecord;
use crate::namespace::{Made, Role};
use crate::people::Moment;
use crate::store::Change;
use std::collections::BTreeSet;

impl Admin {
    /// Policies are taken from it: a later route of the same id is another one.
    ///
    /// # Errors
    /// It is not there or not to be seen, or is written in the configuration; `by` is no manager there.
    pub async fn delete_route(
        &self,
        by: &Actor,
        id: &str,
        expected: Option<u64>,
        at: Moment<'_>,
    ) -> Result<(), AdminError> {
        let mut call = self.call(by, at, (Verb::Delete, Thing::new(EntityKind::Route, id)));
        loop {
            let step = plan(&mut call, id, expected);
            if let Some(done) = self.settle(&mut call, step).await? {
                return Ok(done);
            }
        }
    }
}

fn plan(call: &mut Call<'_>, id: &str, expected: Option<u64>) -> Result<Step<()>, AdminError> {
    let before = call.world.stored().routes.iter().find(|record| record.id.as_str() == id).cloned();
    let serves = serves(call, id);
    let before = match before {
        Some(record) if !serves && call.sees(&record) => {
            call.hidden_route_to_change(&record)?;
            record
        }
        record => {
            call.route_to_change(id)?;
            record.filter(|_| serves).ok_or_else(|| AdminError::Refused(IN_FILE.to_owned()))?
        }
    };
    AdminError::unless_expected(expected, before.version)?;
    let mut plan = Plan {
        catalog: CatalogUse::Changed,
        changes: vec![Change::RemoveRoute(before.id.clone())],
        events: vec![call.told(Some(before.told()), None)],
        ..Plan::default()
    };
    if serves {
        let changed = call.world.without(&BTreeSet::from([id.to_owned()]));
        call.put_policies(changed, &mut plan);
    }
    Ok(Step::Make(Box::new(plan), ()))
}

/// Whether the route of this id is the one in the store. If one of that id has come into the configuration
/// since, that one serves, and has the policies.
fn serves(call: &Call<'_>, id: &str) -> bool {
    call.world.route(id).is_some_and(|route| route.made == Made::Here)
}

impl Call<'_> {
    fn sees(&self, record: &RouteRecord) -> bool {
        self.world.role(self.by, &record.namespace).is_some()
    }

    /// As [`Call::route_to_change`], of one that another one hides.
    fn hidden_route_to_change(&mut self, record: &RouteRecord) -> Result<(), AdminError> {
        let thing = Thing::new(EntityKind::Route, record.id.as_str());
        self.thing = thing.in_namespace(&record.namespace).called(&record.from);
        self.world.permit(self.by, (Role::Manager, &record.namespace), What::Route)
    }
}
