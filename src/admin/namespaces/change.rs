//! Making and changing namespaces.

use super::{NamespaceEdit, NamespaceView, NewNamespace};
use crate::activity::{EntityKind, Verb};
use crate::admin::call::{Call, CatalogUse, Plan, Step};
use crate::admin::deed::Thing;
use crate::admin::fields::Fields;
use crate::admin::once::Fresh;
use crate::admin::world::World;
use crate::admin::{Actor, Admin, AdminError, What};
use crate::id::NamespaceId;
use crate::namespace::{LifetimeRules, MAX_DEPTH, Made, NamespaceName, NamespaceRecord, Role};
use crate::people::Moment;
use crate::store::{Change, Clash, StoreError};
use std::time::Duration;

/// The shortest and the longest life that a rule may give to accounts.
const LIVES: std::ops::RangeInclusive<Duration> =
    Duration::from_mins(1)..=Duration::from_hours(24 * 366 * 100);

impl Admin {
    /// # Errors
    /// The parent is not there, the name is taken below it, or it would be too deep; and whatever [`Admin`]
    /// says of rights: a manager of the parent makes one, an admin of it makes one with rules of its own.
    pub async fn create_namespace(
        &self,
        by: &Actor,
        new: NewNamespace,
        at: Moment<'_>,
    ) -> Result<NamespaceView, AdminError> {
        let thing = Thing::new(EntityKind::Namespace, "").in_namespace(&new.parent);
        let mut call = self.call(by, at, (Verb::Create, thing));
        loop {
            let step = plan_new(&mut call, &new);
            if let Some(id) = self.settle(&mut call, step).await? {
                return self.namespace(by, &id).await;
            }
        }
    }

    /// # Errors
    /// It is not there, is written in the configuration, or cannot be what it should be; `Changed` if it is
    /// not of the version that was expected any more.
    pub async fn update_namespace(
        &self,
        by: &Actor,
        id: &NamespaceId,
        edit: NamespaceEdit,
        at: Moment<'_>,
    ) -> Result<NamespaceView, AdminError> {
        let thing = Thing::new(EntityKind::Namespace, id.as_str());
        let mut call = self.call(by, at, (Verb::Update, thing));
        loop {
            let step = plan_update(&mut call, id, &edit);
            if let Some(()) = self.settle(&mut call, step).await? {
                return self.namespace(by, id).await;
            }
        }
    }
}

fn plan_new(call: &mut Call<'_>, new: &NewNamespace) -> Result<Step<NamespaceId>, AdminError> {
    let rules = new.lifetime != LifetimeRules::default();
    let role = if rules { Role::Admin } else { Role::Manager };
    call.world.permit_namespace(call.by, role, &new.parent)?;
    let mut fields = Fields::default();
    fields.key(new.idempotency_key.as_deref());
    let name = name("name", &new.name, &mut fields);
    let description = fields.line("description", &new.description);
    let fresh = new.fresh(call)?;
    let id = NamespaceId::parse(&fresh.uuid());
    let id = id.ok_or_else(|| StoreError::corrupt("a UUID is no id of a namespace"))?;
    match (call.world.tree().get(&id), call.clashed) {
        (Some(_), _) => return Ok(Step::Already(id)),
        (None, Some(Clash::Once)) => return Err(AdminError::Taken("idempotency_key")),
        (None, _) => {}
    }
    call.world.lifetime(new.lifetime, &new.parent, &mut fields);
    if call.world.tree().line(&new.parent).len() >= MAX_DEPTH {
        fields.wrong("parent_id", too_deep());
    }
    fields.done()?;
    let Some(name) = name else { return Err(AdminError::Taken("name")) };
    call.world.is_free(&name, (&new.parent, None))?;
    let record = NamespaceRecord {
        id: id.clone(),
        parent: Some(new.parent.clone()),
        name,
        description,
        lifetime: new.lifetime,
        made: Made::Here,
        created: call.at.now,
        modified: call.at.now,
        version: 0,
    };
    call.thing = Thing::namespace(&record);
    let plan = Plan {
        once: fresh.once,
        catalog: CatalogUse::Changed,
        events: vec![call.told(None, Some(record.told()))],
        changes: vec![Change::PutNamespace(record)],
        ..Plan::default()
    };
    Ok(Step::Make(Box::new(plan), id))
}

fn plan_update(
    call: &mut Call<'_>,
    id: &NamespaceId,
    edit: &NamespaceEdit,
) -> Result<Step<()>, AdminError> {
    let before = call.world.tree().get(id).cloned();
    let before = before.ok_or(AdminError::NotFound(What::Namespace))?;
    call.world.permit_namespace(call.by, Role::Viewer, id)?;
    call.thing = Thing::namespace(&before);
    let rules = edit.lifetime.is_some_and(|rules| rules != before.lifetime);
    let role = if rules { Role::Admin } else { Role::Manager };
    call.world.permit_namespace(call.by, role, id)?;
    AdminError::unless_expected(edit.expected, before.version)?;
    let after = call.world.edited(&before, edit)?;
    if after == before {
        return Ok(Step::Already(()));
    }
    if before.made == Made::InFile {
        return Err(AdminError::Refused(IN_FILE.to_owned()));
    }
    if after.parent != before.parent {
        call.world.permit_move(call.by, &before, &after)?;
    }
    if let Some(parent) = &after.parent {
        call.world.is_free(&after.name, (parent, Some(id)))?;
    }
    let after = NamespaceRecord { modified: call.at.now, ..after };
    let plan = Plan {
        catalog: CatalogUse::Changed,
        events: vec![call.told(Some(before.told()), Some(after.told()))],
        changes: vec![Change::PutNamespace(after)],
        ..Plan::default()
    };
    Ok(Step::Make(Box::new(plan), ()))
}

/// Said of whatever cannot be changed here.
pub(in crate::admin) const IN_FILE: &str = "it is written in the configuration; change it there";

impl World {
    /// What becomes of a namespace by an edit, as far as its words go.
    fn edited(
        &self,
        before: &NamespaceRecord,
        edit: &NamespaceEdit,
    ) -> Result<NamespaceRecord, AdminError> {
        let mut fields = Fields::default();
        let mut after = before.clone();
        if let Some(text) = edit.name.as_deref().filter(|text| *text != before.name.as_str()) {
            let name = name("name", text, &mut fields);
            after.name = name.unwrap_or_else(|| before.name.clone());
        }
        if let Some(text) = &edit.description {
            after.description = fields.line("description", text);
        }
        if let Some(rules) = edit.lifetime {
            if rules != before.lifetime {
                let above = edit.parent.as_ref().or(before.parent.as_ref()).unwrap_or(&before.id);
                self.lifetime(rules, above, &mut fields);
            }
            after.lifetime = rules;
        }
        if let Some(parent) = &edit.parent {
            after.parent = Some(parent.clone());
        }
        if before.id.is_global() && after.name != before.name {
            fields.wrong("name", "leave it: Global keeps its name");
        }
        if before.id.is_global() && after.parent.is_some() {
            fields.wrong("parent_id", "leave it out: nothing is above Global");
        }
        fields.done()?;
        Ok(after)
    }

    /// Rules of a namespace that is to be right below `above`.
    fn lifetime(&self, rules: LifetimeRules, above: &NamespaceId, fields: &mut Fields) {
        if rules.longest.is_some_and(|longest| !LIVES.contains(&longest)) {
            fields.wrong("max_lifetime", "name a time between one minute and 100 years");
        }
        let demanded = self.tree().lifetime(above).required == Some(true);
        if rules.required == Some(false) && demanded {
            let message = "leave it out: a namespace further up demands an expiry";
            fields.wrong("require_expiry", message);
        }
    }

    /// Whether no other child of `parent` is called so.
    pub(super) fn is_free(
        &self,
        name: &NamespaceName,
        (parent, but): (&NamespaceId, Option<&NamespaceId>),
    ) -> Result<(), AdminError> {
        let folded = name.folded();
        let others = self.tree().all().filter(|record| record.parent.as_ref() == Some(parent));
        let mut others = others.filter(|record| Some(&record.id) != but);
        if others.any(|record| record.name.folded() == folded) {
            return Err(AdminError::Taken("name"));
        }
        Ok(())
    }
}

impl NewNamespace {
    fn fresh(&self, call: &Call<'_>) -> Result<Fresh, AdminError> {
        let LifetimeRules { longest, required } = self.lifetime;
        let rules = format!("{:?} {required:?}", longest.map(|longest| longest.as_secs()));
        let asked = [self.parent.as_str(), self.name.trim(), self.description.trim(), &rules];
        let key = self.idempotency_key.as_deref();
        Fresh::of(call.by, key, ("namespace", &asked), call.at.now)
    }
}

fn name(field: &'static str, text: &str, fields: &mut Fields) -> Option<NamespaceName> {
    let name = NamespaceName::parse(text.trim());
    name.map_err(|why| fields.wrong(field, why.to_string())).ok()
}

pub(super) fn too_deep() -> String {
    format!("choose a parent further up: the tree is at most {MAX_DEPTH} deep")
}
