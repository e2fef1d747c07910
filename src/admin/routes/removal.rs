//! Deleting routes.

use crate::activity::{EntityKind, Verb};
use crate::admin::call::{Call, CatalogUse, Plan, Step};
use crate::admin::deed::Thing;
use crate::admin::namespaces::IN_FILE;
use crate::admin::{Actor, Admin, AdminError, What};
use crate::namespace::Made;
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
        at: Moment<'_>,
    ) -> Result<(), AdminError> {
        let mut call = self.call(by, at, (Verb::Delete, Thing::new(EntityKind::Route, id)));
        loop {
            let step = plan(&mut call, id);
            if let Some(done) = self.settle(&mut call, step).await? {
                return Ok(done);
            }
        }
    }
}

fn plan(call: &mut Call<'_>, id: &str) -> Result<Step<()>, AdminError> {
    let route = call.route_to_change(id)?;
    if route.made != Made::Here {
        return Err(AdminError::Refused(IN_FILE.to_owned()));
    }
    let before = call.world.stored().routes.iter().find(|record| record.id == route.id);
    let before = before.cloned().ok_or(AdminError::NotFound(What::Route))?;
    let mut plan = Plan {
        catalog: CatalogUse::Changed,
        changes: vec![Change::RemoveRoute(route.id.clone())],
        events: vec![call.told(Some(before.told()), None)],
        ..Plan::default()
    };
    let changed = call.world.without(&BTreeSet::from([route.id.to_string()]));
    call.put_policies(changed, &mut plan);
    Ok(Step::Make(Box::new(plan), ()))
}
