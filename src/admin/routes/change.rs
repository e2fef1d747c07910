//! Making and changing routes. SECURITY: whoever serves a host decides who gets at what is behind it, so
//! a route on a host that others serve takes their managers too.

use super::{NewRoute, RouteEdit, RouteView};
use crate::activity::{EntityKind, Verb};
use crate::admin::call::{Call, CatalogUse, Plan, Step};
use crate::admin::deed::Thing;
use crate::admin::fields::Fields;
use crate::admin::namespaces::IN_FILE;
use crate::admin::once::Fresh;
use crate::admin::world::World;
use crate::admin::{Actor, Admin, AdminError, What};
use crate::catalog::{PolicyRecord, RoutePath, RouteRecord};
use crate::id::{NamespaceId, RouteId};
use crate::namespace::{Made, Role};
use crate::people::Moment;
use crate::route::{From, Route};
use crate::store::{Change, Clash};
use std::collections::BTreeSet;

/// So many digits make the id of a route that was given none.
const DIGITS: usize = 16;

impl Admin {
    /// # Errors
    /// It cannot be compiled, its id is taken, or a policy is not to be had there; and whatever [`Admin`]
    /// says of rights: a manager makes one, who is one wherever the same host is served already.
    pub async fn create_route(
        &self,
        by: &Actor,
        new: NewRoute,
        at: Moment<'_>,
    ) -> Result<RouteView, AdminError> {
        let thing = Thing::new(EntityKind::Route, &new.id).in_namespace(&new.namespace);
        let thing = Thing { name: Thing::new(thing.kind, &new.from).id, ..thing };
        let mut call = self.call(by, at, (Verb::Create, thing));
        loop {
            let step = plan_new(&mut call, &new);
            if let Some(id) = self.settle(&mut call, step).await? {
                return self.route(by, id.as_str()).await;
            }
        }
    }

    /// # Errors
    /// As for [`Admin::create_route`]; `Changed` if it is not of the version that was expected any more.
    pub async fn update_route(
        &self,
        by: &Actor,
        id: &str,
        edit: RouteEdit,
        at: Moment<'_>,
    ) -> Result<RouteView, AdminError> {
        let mut call = self.call(by, at, (Verb::Update, Thing::new(EntityKind::Route, id)));
        loop {
            let step = plan_update(&mut call, id, &edit);
            if let Some(()) = self.settle(&mut call, step).await? {
                return self.route(by, id).await;
            }
        }
    }
}

fn plan_new(call: &mut Call<'_>, new: &NewRoute) -> Result<Step<RouteId>, AdminError> {
    call.world.permit_namespace(call.by, Role::Manager, &new.namespace)?;
    let mut fields = Fields::default();
    fields.key(new.idempotency_key.as_deref());
    let fresh = new.fresh(call)?;
    let id = new.route_id(&fresh, &mut fields);
    if fresh.is_repeatable() && call.world.was_made(&id, new) {
        return Ok(Step::Already(id));
    }
    if call.clashed == Some(Clash::Once) {
        return Err(AdminError::Taken("idempotency_key"));
    }
    let record = RouteRecord {
        id: id.clone(),
        namespace: new.namespace.clone(),
        description: fields.line("description", &new.description),
        from: fields.line("from", &new.from),
        path: new.path.clone(),
        pass_identity_headers: new.pass_identity_headers,
        show_error_details: new.show_error_details,
        created: call.at.now,
        modified: call.at.now,
        modified_by: call.by.called().to_owned(),
        version: 0,
    };
    let compiled = call.world.compiled(&record, &mut fields);
    let given = call.world.given(&record.id, &record.namespace, &new.policies, &mut fields);
    fields.done()?;
    if let Some(route) = compiled {
        call.world.permit_hosts(call.by, &route)?;
    }
    if call.world.is_route_id_taken(&id) {
        return Err(AdminError::Taken("id"));
    }
    let mut plan = Plan { once: fresh.once, catalog: CatalogUse::Changed, ..Plan::default() };
    call.thing = Thing::route(&record);
    plan.events.push(call.told(None, Some(record.told())));
    plan.changes.push(Change::PutRoute(record));
    call.put_policies(given, &mut plan);
    Ok(Step::Make(Box::new(plan), id))
}

fn plan_update(call: &mut Call<'_>, id: &str, edit: &RouteEdit) -> Result<Step<()>, AdminError> {
    let route = call.route_to_change(id)?;
    let mut plan = Plan { catalog: CatalogUse::Changed, ..Plan::default() };
    let mut fields = Fields::default();
    let place = edit.namespace.as_ref().unwrap_or(&route.namespace).clone();
    let given = edit.policies.as_deref();
    let given = given.map(|ids| call.world.given(&route.id, &place, ids, &mut fields));
    if route.made == Made::InFile {
        edit.is_for_file(&route, &mut fields)?;
        fields.done()?;
    } else {
        let before = call.world.stored().routes.iter().find(|record| record.id == route.id);
        let before = before.cloned().ok_or(AdminError::NotFound(What::Route))?;
        let after = call.edited_route(&before, edit, fields)?;
        if after != before {
            let after = RouteRecord {
                modified: call.at.now,
                modified_by: call.by.called().to_owned(),
                ..after
            };
            plan.events.push(call.told(Some(before.told()), Some(after.told())));
            plan.changes.push(Change::PutRoute(after));
        }
    }
    let given = given.unwrap_or_default();
    if place != route.namespace {
        call.world.keeps_policies(&route.id, &place, &given)?;
    }
    call.put_policies(given, &mut plan);
    if plan.changes.is_empty() {
        return Ok(Step::Already(()));
    }
    Ok(Step::Make(Box::new(plan), ()))
}

impl Call<'_> {
    /// A route that `by` may change. The call knows from then on what it is about.
    pub(super) fn route_to_change(&mut self, id: &str) -> Result<Route, AdminError> {
        let route = self.world.route(id).cloned().ok_or(AdminError::NotFound(What::Route))?;
        self.world.permit(self.by, (Role::Viewer, &route.namespace), What::Route)?;
        let thing = Thing::new(EntityKind::Route, id).in_namespace(&route.namespace);
        self.thing = thing.called(&route.from.to_string());
        self.world.permit(self.by, (Role::Manager, &route.namespace), What::Route)?;
        Ok(route)
    }

    fn edited_route(
        &self,
        before: &RouteRecord,
        edit: &RouteEdit,
        mut fields: Fields,
    ) -> Result<RouteRecord, AdminError> {
        AdminError::unless_expected(edit.expected, before.version)?;
        let mut after = before.clone();
        if let Some(text) = &edit.description {
            after.description = fields.line("description", text);
        }
        if let Some(text) = &edit.from {
            after.from = fields.line("from", text);
        }
        if let Some(path) = &edit.path {
            after.path.clone_from(path);
        }
        if let Some(pass) = edit.pass_identity_headers {
            after.pass_identity_headers = pass;
        }
        if let Some(show) = edit.show_error_details {
            after.show_error_details = show;
        }
        if let Some(place) = &edit.namespace {
            after.namespace.clone_from(place);
        }
        let moves = after.namespace != before.namespace;
        let serves = after.from != before.from || after.path != before.path || moves;
        let compiled = if serves { self.world.compiled(&after, &mut fields) } else { None };
        fields.done()?;
        if moves {
            self.world.permit_route_move(self.by, &before.namespace, &after.namespace)?;
        }
        if let Some(route) = compiled {
            self.world.permit_hosts(self.by, &route)?;
        }
        Ok(after)
    }
}

impl World {
    /// Whether a request like this one has made that route before.
    fn was_made(&self, id: &RouteId, new: &NewRoute) -> bool {
        let found = self.stored().routes.iter().find(|route| route.id == *id);
        found.is_some_and(|route| new.id.is_empty() || route.is_as(new))
    }

    fn is_route_id_taken(&self, id: &RouteId) -> bool {
        self.route(id.as_str()).is_some()
            || self.stored().routes.iter().any(|route| route.id == *id)
    }

    /// A route as it would be; `None` only with a word in `fields`.
    fn compiled(&self, record: &RouteRecord, fields: &mut Fields) -> Option<Route> {
        let route = match self.settings().stored.route(record) {
            Ok(route) => route,
            Err(problems) => {
                for problem in problems {
                    fields.wrong(problem.field, problem.message);
                }
                return None;
            }
        };
        match &route.from {
            From::Http { .. } => Some(route),
            From::Tunnel { .. } | From::Ssh => {
                fields.wrong("from", "write it as `https://app.example.com`");
                None
            }
        }
    }

    /// What changes of policies so that a route has these and no others: before and after.
    fn given(
        &self,
        route: &RouteId,
        place: &NamespaceId,
        wanted: &[String],
        fields: &mut Fields,
    ) -> Vec<(PolicyRecord, PolicyRecord)> {
        let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
        let policies = &self.stored().policies;
        for id in &wanted {
            let mut usable = policies.iter().filter(|policy| self.is_usable(policy, place));
            if !usable.any(|policy| policy.id.as_str() == *id) {
                fields.wrong("policies", format!("there is no policy `{id}` to be had there"));
            }
        }
        let changed = policies.iter().filter_map(|policy| {
            let has = policy.routes.contains(route.as_str());
            let mut after = policy.clone();
            match (has, wanted.contains(policy.id.as_str())) {
                (false, true) => drop(after.routes.insert(route.to_string())),
                (true, false) => drop(after.routes.remove(route.as_str())),
                (true, true) | (false, false) => return None,
            }
            Some((policy.clone(), after))
        });
        changed.collect()
    }

    /// Whether every policy that a route has, or is about to have, is to be had in `place`.
    fn keeps_policies(
        &self,
        route: &RouteId,
        place: &NamespaceId,
        given: &[(PolicyRecord, PolicyRecord)],
    ) -> Result<(), AdminError> {
        let taken = |policy: &PolicyRecord| given.iter().any(|(before, _)| before.id == policy.id);
        let mut kept = self.stored().policies.iter();
        let kept = kept.find(|policy| {
            policy.routes.contains(route.as_str())
                && !taken(policy)
                && !self.is_usable(policy, place)
        });
        match kept {
            None => Ok(()),
            Some(policy) => Err(AdminError::InUse(format!(
                "it has the policy `{}`, which is not to be had there; take it away first",
                policy.name
            ))),
        }
    }
}

impl RouteEdit {
    /// Of a route of the configuration only policies are changed here.
    fn is_for_file(&self, route: &Route, fields: &mut Fields) -> Result<(), AdminError> {
        let Self {
            namespace,
            description,
            from,
            path,
            pass_identity_headers,
            show_error_details,
            policies,
            expected,
        } = self;
        // It has no version that one could name.
        if expected.is_some() {
            return Err(AdminError::Changed);
        }
        let others = namespace.is_some()
            || description.is_some()
            || from.is_some()
            || path.is_some()
            || pass_identity_headers.is_some()
            || show_error_details.is_some();
        if others {
            return Err(AdminError::Refused(IN_FILE.to_owned()));
        }
        if policies.is_some() && !route.named {
            fields.wrong("policies", "give the route an `id` in the configuration first");
        }
        Ok(())
    }
}

impl NewRoute {
    fn fresh(&self, call: &Call<'_>) -> Result<Fresh, AdminError> {
        let (key, text) = self.path.parts().unwrap_or_default();
        let headers = format!("{} {}", self.pass_identity_headers, self.show_error_details);
        let asked =
            [&self.id, self.namespace.as_str(), &self.description, &self.from, key, text, &headers];
        let asked: Vec<&str> =
            asked.into_iter().chain(self.policies.iter().map(String::as_str)).collect();
        Fresh::of(call.by, self.idempotency_key.as_deref(), ("route", &asked), call.at.now)
    }

    /// The id that was written, or one of our own making.
    fn route_id(&self, fresh: &Fresh, fields: &mut Fields) -> RouteId {
        let id = self.id.trim();
        if id.is_empty() {
            let digits: String = fresh.digits().chars().take(DIGITS).collect();
            return RouteId::new(&format!("r-{digits}"));
        }
        // Ids of routes are made of the same letters as those of namespaces.
        if NamespaceId::parse(id).is_none() {
            fields.wrong("id", "write 1 to 63 lower-case letters, digits and hyphens");
        }
        let number = id.strip_prefix("route-").unwrap_or_default();
        if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
            let message =
                "choose another one: routes of the configuration without an `id` are called so";
            fields.wrong("id", message);
        }
        RouteId::new(id)
    }
}

impl RouteRecord {
    /// Whether this is what such a request makes.
    fn is_as(&self, new: &NewRoute) -> bool {
        let path: &RoutePath = &new.path;
        self.namespace == new.namespace
            && self.description == new.description.trim()
            && self.from == new.from.trim()
            && self.path == *path
            && self.pass_identity_headers == new.pass_identity_headers
            && self.show_error_details == new.show_error_details
    }
}
