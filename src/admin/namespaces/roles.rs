//! Roles: who has one where, given and taken away by admins.

use super::PermissionView;
use crate::activity::{EntityKind, Verb, Who};
use crate::admin::call::{Call, CatalogUse, Plan, Step};
use crate::admin::deed::Thing;
use crate::admin::fields::Fields;
use crate::admin::once;
use crate::admin::world::{World, is_fresh};
use crate::admin::{Actor, Admin, AdminError, What};
use crate::hex::hex;
use crate::id::{NamespaceId, PermissionId};
use crate::namespace::{Permission, Role, Subject};
use crate::people::Moment;
use crate::store::Change;

impl Admin {
    /// Roles that count there, those given further up included.
    ///
    /// # Errors
    /// It is not there, or not to be seen.
    pub async fn permissions(
        &self,
        by: &Actor,
        id: &NamespaceId,
    ) -> Result<Vec<PermissionView>, AdminError> {
        let world = self.world();
        world.permit_namespace(by, Role::Viewer, id)?;
        let line = world.tree().line(id);
        let mut views = Vec::new();
        for place in line {
            let given = world.tree().permissions().iter();
            let mut given: Vec<&Permission> =
                given.filter(|given| given.namespace == *place).collect();
            given.sort_by_key(|given| (std::cmp::Reverse(given.role), &given.subject));
            for permission in given {
                views.push(self.permission_view(&world, permission, id).await?);
            }
        }
        Ok(views)
    }

    async fn permission_view(
        &self,
        world: &World,
        permission: &Permission,
        asked: &NamespaceId,
    ) -> Result<PermissionView, AdminError> {
        let (name, email) = match &permission.subject {
            Subject::Group(id) => {
                (world.directory().names_of([id]).remove(id).unwrap_or_default(), String::new())
            }
            Subject::User(id) => match world.directory().by_id(id) {
                Some(user) => (user.display_name.clone(), user.email.clone()),
                None => {
                    let known = self.store().person(id).await?.map(|known| known.account);
                    known.map(|account| (account.name, account.email)).unwrap_or_default()
                }
            },
        };
        let inherited = permission.namespace != *asked;
        let from = inherited.then(|| world.tree().path(&permission.namespace));
        Ok(PermissionView { permission: permission.clone(), inherited_from: from, name, email })
    }

    /// Gives a role, instead of the one that was given to the same subject there.
    ///
    /// # Errors
    /// `by` is no admin there, or signed in more than five minutes ago; it would be the end of the last
    /// admin of Global.
    pub async fn grant(
        &self,
        by: &Actor,
        id: &NamespaceId,
        given: (Subject, Role),
        at: Moment<'_>,
    ) -> Result<Permission, AdminError> {
        let thing = Thing::new(EntityKind::Permission, "").in_namespace(id);
        let thing = Thing { name: Thing::new(thing.kind, given.0.id()).id, ..thing };
        let mut call = self.call(by, at, (Verb::GrantRole, thing));
        loop {
            let step = plan_grant(&mut call, id, &given);
            if let Some(permission) = self.settle(&mut call, step).await? {
                return Ok(permission);
            }
        }
    }

    /// # Errors
    /// It is not there or not to be seen; `by` is no admin there; it is the last of an admin of Global.
    pub async fn remove_permission(
        &self,
        by: &Actor,
        id: &PermissionId,
        at: Moment<'_>,
    ) -> Result<(), AdminError> {
        let thing = Thing::new(EntityKind::Permission, id.as_str());
        let mut call = self.call(by, at, (Verb::RemoveRole, thing));
        loop {
            let step = plan_removal(&mut call, id);
            if let Some(done) = self.settle(&mut call, step).await? {
                return Ok(done);
            }
        }
    }
}

fn plan_grant(
    call: &mut Call<'_>,
    id: &NamespaceId,
    (subject, role): &(Subject, Role),
) -> Result<Step<Permission>, AdminError> {
    // An admin is the highest there is, so nobody gives more than they have.
    call.world.permit_namespace(call.by, Role::Admin, id)?;
    is_fresh(call.by, call.at)?;
    let mut fields = Fields::default();
    let subject_id = fields.id("subject_id", subject.id());
    fields.done()?;
    let subject = subject_id.and_then(|id| Subject::of(subject.kind(), &id));
    let subject = subject.ok_or(AdminError::NotFound(What::User))?;
    let stored = call.world.stored().permissions.iter();
    let mut same = stored.filter(|given| given.namespace == *id && given.subject == subject);
    let before = same.next().cloned();
    if let Some(before) = before.as_ref().filter(|before| before.role == *role) {
        return Ok(Step::Already(before.clone()));
    }
    if let Some(before) = before.as_ref().filter(|before| before.role > *role) {
        call.world.is_not_the_last(before)?;
    }
    let made = PermissionId::new(&hex(&once::random::<16>()?));
    let permission = Permission {
        id: before.as_ref().map_or(made, |before| before.id.clone()),
        namespace: id.clone(),
        subject,
        role: *role,
        created: call.at.now,
        created_by: call.by.called().to_owned(),
    };
    call.about(&permission);
    let told = (before.as_ref().map(Permission::told), Some(permission.told()));
    let plan = Plan {
        catalog: CatalogUse::Changed,
        changes: vec![Change::PutPermission(permission.clone())],
        events: vec![call.told(told.0, told.1)],
        ..Plan::default()
    };
    Ok(Step::Make(Box::new(plan), permission))
}

fn plan_removal(call: &mut Call<'_>, id: &PermissionId) -> Result<Step<()>, AdminError> {
    let found = call.world.stored().permissions.iter().find(|given| given.id == *id).cloned();
    let before = found.ok_or(AdminError::NotFound(What::Permission))?;
    call.world.permit(call.by, (Role::Viewer, &before.namespace), What::Permission)?;
    call.about(&before);
    call.world.permit(call.by, (Role::Admin, &before.namespace), What::Permission)?;
    call.world.is_not_the_last(&before)?;
    let plan = Plan {
        catalog: CatalogUse::Changed,
        changes: vec![Change::RemovePermission(id.clone())],
        events: vec![call.told(Some(before.told()), None)],
        ..Plan::default()
    };
    Ok(Step::Make(Box::new(plan), ()))
}

impl World {
    /// Whether somebody is an admin of Global also without this role.
    fn is_not_the_last(&self, given: &Permission) -> Result<(), AdminError> {
        let is_admin =
            |given: &&Permission| given.namespace.is_global() && given.role == Role::Admin;
        let mut others = self.stored().permissions.iter().filter(|other| other.id != given.id);
        let named = !self.settings().impersonation.administrators.is_empty();
        if !is_admin(&given) || named || others.any(|other| is_admin(&other)) {
            return Ok(());
        }
        let why = "nobody else is an admin of Global; make somebody else one first";
        Err(AdminError::InUse(why.to_owned()))
    }
}

impl Call<'_> {
    fn about(&mut self, permission: &Permission) {
        self.thing = Thing::permission(permission);
        let subject = &permission.subject;
        self.subject = Some(match subject {
            Subject::User(id) => Who { user: id.clone(), ..Who::default() },
            Subject::Group(id) => Who { groups: vec![id.clone()], ..Who::default() },
        });
    }
}
