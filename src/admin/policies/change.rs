//! Making and changing policies. What is stored was compiled before; enforced ones are for admins.

use super::{NewPolicy, PolicyEdit, PolicyView};
use crate::activity::{EntityKind, Verb};
use crate::admin::call::{Call, CatalogUse, Plan, Step};
use crate::admin::deed::Thing;
use crate::admin::fields::Fields;
use crate::admin::once::Fresh;
use crate::admin::world::World;
use crate::admin::{Actor, Admin, AdminError, What};
use crate::catalog::PolicyRecord;
use crate::config::{LONGEST_POLICY, compile_policy};
use crate::id::{NamespaceId, PolicyId};
use crate::namespace::Role;
use crate::people::Moment;
use crate::store::{Change, Clash};
use std::collections::BTreeSet;

/// The longest explanation, in characters.
const WORDS: usize = 2000;
/// The longest name, in characters.
const NAME: usize = 100;

impl Admin {
    /// # Errors
    /// It does not compile, its name is taken, or a route is not below its namespace; and whatever [`Admin`]
    /// says of rights: a manager makes one, an admin an enforced one.
    pub async fn create_policy(
        &self,
        by: &Actor,
        new: NewPolicy,
        at: Moment<'_>,
    ) -> Result<PolicyView, AdminError> {
        let thing = Thing::new(EntityKind::Policy, "").in_namespace(&new.namespace);
        let thing = Thing { name: Thing::new(thing.kind, &new.name).id, ..thing };
        let mut call = self.call(by, at, (Verb::Create, thing));
        loop {
            let step = plan_new(&mut call, &new);
            if let Some(id) = self.settle(&mut call, step).await? {
                return self.policy(by, id.as_str()).await;
            }
        }
    }

    /// # Errors
    /// As for [`Admin::create_policy`]; `Changed` if it is not of the version that was expected any more.
    pub async fn update_policy(
        &self,
        by: &Actor,
        id: &PolicyId,
        edit: PolicyEdit,
        at: Moment<'_>,
    ) -> Result<PolicyView, AdminError> {
        let thing = Thing::new(EntityKind::Policy, id.as_str());
        let mut call = self.call(by, at, (Verb::Update, thing));
        loop {
            let step = plan_update(&mut call, id, &edit);
            if let Some(()) = self.settle(&mut call, step).await? {
                return self.policy(by, id.as_str()).await;
            }
        }
    }
}

fn plan_new(call: &mut Call<'_>, new: &NewPolicy) -> Result<Step<PolicyId>, AdminError> {
    call.world.permit_namespace(call.by, role(new.enforced), &new.namespace)?;
    let mut fields = Fields::default();
    fields.key(new.idempotency_key.as_deref());
    let fresh = new.fresh(call)?;
    let id = PolicyId::new(&fresh.digits());
    let made = call.world.stored().policies.iter().any(|policy| policy.id == id);
    match (made, call.clashed) {
        (true, _) => return Ok(Step::Already(id)),
        (false, Some(Clash::Once)) => return Err(AdminError::Taken("idempotency_key")),
        (false, _) => {}
    }
    let record = PolicyRecord {
        id: id.clone(),
        namespace: new.namespace.clone(),
        name: name(&new.name, &mut fields),
        description: fields.line("description", &new.description),
        explanation: fields.lines("explanation", &new.explanation, WORDS),
        remediation: fields.lines("remediation", &new.remediation, WORDS),
        text: call.world.policy_text(&new.text, &mut fields),
        enforced: new.enforced,
        routes: BTreeSet::new(),
        created: call.at.now,
        modified: call.at.now,
        modified_by: call.by.called().to_owned(),
        version: 0,
    };
    let record = PolicyRecord {
        routes: call.world.policy_routes(call.by, &record, &new.routes, &mut fields),
        ..record
    };
    fields.done()?;
    call.world.is_policy_name_free(&record)?;
    call.thing = Thing::policy(&record);
    let mut plan = Plan {
        once: fresh.once,
        catalog: CatalogUse::Changed,
        events: vec![call.told(None, Some(record.told()))],
        changes: vec![Change::PutPolicy(record.clone())],
        ..Plan::default()
    };
    call.touch_routes(record.routes.iter(), &mut plan);
    Ok(Step::Make(Box::new(plan), id))
}

fn plan_update(
    call: &mut Call<'_>,
    id: &PolicyId,
    edit: &PolicyEdit,
) -> Result<Step<()>, AdminError> {
    let before = call.policy_to_change(id)?;
    let enforced = edit.enforced.unwrap_or(before.enforced);
    let needed = role(enforced || before.enforced);
    call.world.permit(call.by, (needed, &before.namespace), What::Policy)?;
    AdminError::unless_expected(edit.expected, before.version)?;
    let after = call.world.edited_policy(call.by, &before, edit)?;
    if after == before {
        return Ok(Step::Already(()));
    }
    call.world.is_policy_name_free(&after)?;
    let after = call.modified(after);
    let mut plan = Plan {
        catalog: CatalogUse::Changed,
        events: vec![call.told(Some(before.told()), Some(after.told()))],
        changes: vec![Change::PutPolicy(after.clone())],
        ..Plan::default()
    };
    call.touch_routes(before.routes.symmetric_difference(&after.routes), &mut plan);
    Ok(Step::Make(Box::new(plan), ()))
}

/// Who may change it.
pub(super) fn role(enforced: bool) -> Role {
    if enforced { Role::Admin } else { Role::Manager }
}

impl Call<'_> {
    /// A policy of the store that `by` may see. The call knows from then on what it is about.
    pub(super) fn policy_to_change(&mut self, id: &PolicyId) -> Result<PolicyRecord, AdminError> {
        let found = self.world.stored().policies.iter().find(|policy| policy.id == *id);
        let before = found.cloned().ok_or(AdminError::NotFound(What::Policy))?;
        self.world.permit(self.by, (Role::Viewer, &before.namespace), What::Policy)?;
        self.thing = Thing::policy(&before);
        Ok(before)
    }

    /// The same, changed now.
    pub(in crate::admin) fn modified(&self, record: PolicyRecord) -> PolicyRecord {
        let modified_by = self.by.called().to_owned();
        PolicyRecord { modified: self.at.now, modified_by, ..record }
    }
}

impl World {
    fn edited_policy(
        &self,
        by: &Actor,
        before: &PolicyRecord,
        edit: &PolicyEdit,
    ) -> Result<PolicyRecord, AdminError> {
        let mut fields = Fields::default();
        let mut after = before.clone();
        if let Some(text) = &edit.name {
            after.name = name(text, &mut fields);
        }
        if let Some(text) = &edit.description {
            after.description = fields.line("description", text);
        }
        if let Some(text) = &edit.explanation {
            after.explanation = fields.lines("explanation", text, WORDS);
        }
        if let Some(text) = &edit.remediation {
            after.remediation = fields.lines("remediation", text, WORDS);
        }
        if let Some(text) = edit.text.as_ref().filter(|text| **text != before.text) {
            after.text = self.policy_text(text, &mut fields);
        }
        if let Some(enforced) = edit.enforced {
            after.enforced = enforced;
        }
        if let Some(routes) = &edit.routes {
            after.routes = self.policy_routes(by, before, routes, &mut fields);
        }
        fields.done()?;
        Ok(after)
    }

    /// The text of a policy that compiles.
    fn policy_text(&self, text: &str, fields: &mut Fields) -> String {
        let text = fields.lines("policy", text, LONGEST_POLICY);
        let problems = compile_policy(&text, self.settings().stored.language).err();
        for problem in problems.into_iter().flatten() {
            fields.wrong("policy", problem.to_string());
        }
        text
    }

    /// The routes that a policy is given to. SECURITY: of what cannot be seen is said what is said of what
    /// is not there.
    fn policy_routes(
        &self,
        by: &Actor,
        policy: &PolicyRecord,
        wanted: &BTreeSet<String>,
        fields: &mut Fields,
    ) -> BTreeSet<String> {
        for id in wanted.difference(&policy.routes) {
            let mut routes = self.catalog().table.routes();
            let route = routes.find(|route| route.id.as_str() == id);
            let route = route.filter(|route| self.role(by, &route.namespace).is_some());
            match route {
                None => fields.wrong("routes", format!("there is no route `{id}`")),
                Some(route) if !route.named => {
                    let message = format!("`{id}` has no `id` of its own in the configuration");
                    fields.wrong("routes", message);
                }
                Some(route) if !self.is_usable(policy, &route.namespace) => {
                    let message =
                        format!("`{id}` is not below the namespace of the policy; make one there");
                    fields.wrong("routes", message);
                }
                Some(_) => {}
            }
        }
        wanted.clone()
    }

    /// Whether a policy may be given to a route in `place`.
    pub(in crate::admin) fn is_usable(&self, policy: &PolicyRecord, place: &NamespaceId) -> bool {
        self.tree().contains(&policy.namespace, place)
    }

    fn is_policy_name_free(&self, record: &PolicyRecord) -> Result<(), AdminError> {
        let folded = record.name.to_lowercase();
        let stored = self.stored().policies.iter().filter(|other| other.id != record.id);
        let stored = stored.map(|other| (&other.namespace, &other.name));
        let in_file = self.settings().policies.iter();
        let in_file = in_file.map(|named| (&named.namespace, &named.policy.name));
        let taken = |(place, name): (&NamespaceId, &String)| {
            *place == record.namespace && name.to_lowercase() == folded
        };
        if stored.chain(in_file).any(taken) { Err(AdminError::Taken("name")) } else { Ok(()) }
    }
}

impl NewPolicy {
    fn fresh(&self, call: &Call<'_>) -> Result<Fresh, AdminError> {
        let enforced = if self.enforced { "enforced" } else { "optional" };
        let asked = [
            self.namespace.as_str(),
            &self.name,
            &self.description,
            &self.explanation,
            &self.remediation,
            &self.text,
            enforced,
        ];
        let asked: Vec<&str> =
            asked.into_iter().chain(self.routes.iter().map(String::as_str)).collect();
        Fresh::of(call.by, self.idempotency_key.as_deref(), ("policy", &asked), call.at.now)
    }
}

fn name(text: &str, fields: &mut Fields) -> String {
    let name = fields.line("name", text);
    if name.is_empty() {
        fields.wrong("name", "write a name");
    } else if name.chars().count() > NAME {
        fields.wrong("name", format!("write at most {NAME} characters"));
    }
    name
}
