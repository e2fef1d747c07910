//! Making an account with its first credential: both or neither.

use super::{AccountRecord, Created, NewAccount, NewKind, expiry};
use crate::activity::{EntityKind, Verb};
use crate::admin::call::{Call, Plan, Step};
use crate::admin::deed::{Thing, instant};
use crate::admin::fields::Fields;
use crate::admin::once::Fresh;
use crate::admin::target::Nobody;
use crate::admin::world::is_fresh;
use crate::admin::{Actor, Admin, AdminError};
use crate::id::ServiceAccountId;
use crate::namespace::Role;
use crate::people::Moment;
use crate::service_account::{AccountKind, AccountName, Impersonated};
use crate::store::{Change, Clash};

/// Who a new account is.
struct Somebody {
    kind: AccountKind,
    user: String,
    name: String,
}

impl Admin {
    /// Makes an account with its first credential.
    ///
    /// # Errors
    /// Whatever cannot be taken as written, and whatever [`Admin`] says of rights. Making a unique one
    /// takes a manager; one that acts as somebody an admin who signed in less than five minutes ago.
    /// Nobody makes one that may administer more than they do.
    pub async fn create_account(
        &self,
        by: &Actor,
        new: NewAccount,
        at: Moment<'_>,
    ) -> Result<Created, AdminError> {
        let thing = Thing::new(EntityKind::ServiceAccount, "").in_namespace(&new.namespace);
        let named = match &new.kind {
            NewKind::Unique { name } => name,
            NewKind::Impersonating { user, .. } => user,
        };
        let thing = Thing { name: Thing::new(thing.kind, named).id, ..thing };
        let mut call = self.call(by, at, (Verb::Create, thing));
        loop {
            let step = self.plan_account(&mut call, &new).await;
            if let Some(created) = self.settle(&mut call, step).await? {
                return Ok(created);
            }
        }
    }

    async fn plan_account(
        &self,
        call: &mut Call<'_>,
        new: &NewAccount,
    ) -> Result<Step<Created>, AdminError> {
        new.permit(call)?;
        let mut fields = Fields::default();
        fields.key(new.idempotency_key.as_deref());
        let description = fields.line("description", &new.description);
        let originator = fields.line("originator", &new.originator);
        let fresh = new.fresh(call)?;
        if let Some(before) = self.made_before(call, &fresh).await? {
            return Ok(Step::Already(before));
        }
        let now = call.at.now;
        let rules = call.world.tree().lifetime(&new.namespace);
        let expires = expiry(new.expires, rules, (now, now), &mut fields);
        let somebody = self.somebody(call, new, &mut fields).await?;
        fields.done()?;
        let Some(Somebody { kind, user, name }) = somebody else {
            return Err(AdminError::Taken("name"));
        };
        let record = AccountRecord {
            id: ServiceAccountId::new(&fresh.digits()),
            namespace: new.namespace.clone(),
            kind,
            user,
            name,
            description,
            originator,
            created: now,
            created_by: call.by.called().to_owned(),
            modified: now,
            expires,
            disabled: None,
            deleted: None,
            used: None,
            version: 0,
        };
        self.plan_new(call, (record, fresh)).await
    }

    async fn plan_new(
        &self,
        call: &mut Call<'_>,
        (record, fresh): (AccountRecord, Fresh),
    ) -> Result<Step<Created>, AdminError> {
        call.thing = Thing::account(&record);
        call.subject = Some(record.who());
        self.permit_token(&call.world, call.by, &record).await?;
        if !record.is_impersonating() && !self.is_free(&call.world, &record.user).await? {
            // Perhaps the same request has taken it a moment ago.
            let before = self.made_before(call, &fresh).await?;
            return before.map(Step::Already).ok_or(AdminError::Taken("name"));
        }
        let minted = self.mint(call, &record, record.expires)?;
        let issued = Thing::credential(&minted.credential, &record);
        let issued =
            call.event(Verb::IssueCredential, &issued, (None, Some(minted.credential.told())));
        let plan = Plan {
            once: fresh.once,
            changes: vec![
                Change::CreateAccount(record.clone()),
                Change::AddCredential(minted.credential.clone()),
            ],
            events: vec![call.told(None, Some(record.told())), issued],
            ..Plan::default()
        };
        let view = call.world.account_view(record, call.at.now);
        Ok(Step::Make(Box::new(plan), Created::New(Box::new(view), minted)))
    }

    /// Who the new account is to be; `None` only with a word in `fields`.
    async fn somebody(
        &self,
        call: &Call<'_>,
        new: &NewAccount,
        fields: &mut Fields,
    ) -> Result<Option<Somebody>, AdminError> {
        let (user, unknown) = match &new.kind {
            NewKind::Unique { name } => {
                let name = AccountName::parse_in(name, &new.namespace);
                let name = name.map_err(|why| fields.wrong("name", why.to_string()));
                return Ok(name.ok().map(|name| Somebody {
                    kind: AccountKind::Unique,
                    user: name.user(&new.namespace),
                    name: name.as_str().to_owned(),
                }));
            }
            NewKind::Impersonating { user, unknown } => (fields.id("user_id", user), *unknown),
        };
        let Some(user) = user else { return Ok(None) };
        let nobody = if unknown { Nobody::Taken } else { Nobody::Refused };
        let target = self.target(&call.world, &user).await?;
        Ok(target.person((&user, nobody), fields).map(|person| Somebody {
            name: called(&person),
            kind: AccountKind::Impersonating(Box::new(person)),
            user,
        }))
    }

    /// What the same request has made before.
    ///
    /// # Errors
    /// It was deleted since.
    async fn made_before(
        &self,
        call: &Call<'_>,
        fresh: &Fresh,
    ) -> Result<Option<Created>, AdminError> {
        if !fresh.is_repeatable() {
            return Ok(None);
        }
        let id = ServiceAccountId::new(&fresh.digits());
        match self.store().account(&id).await? {
            None if call.clashed == Some(Clash::Once) => Err(AdminError::Taken("idempotency_key")),
            None => Ok(None),
            Some(record) if record.deleted.is_some() => Err(AdminError::Taken("idempotency_key")),
            Some(record) => {
                let view = call.world.account_view(record, call.at.now);
                Ok(Some(Created::Before(Box::new(view))))
            }
        }
    }
}

impl NewAccount {
    fn permit(&self, call: &Call<'_>) -> Result<(), AdminError> {
        match &self.kind {
            NewKind::Unique { .. } => {
                call.world.permit_namespace(call.by, Role::Manager, &self.namespace)
            }
            NewKind::Impersonating { unknown, .. } => {
                call.world.permit_namespace(call.by, Role::Admin, &self.namespace)?;
                if *unknown {
                    call.world.permit_global(call.by, Role::Admin)?;
                }
                is_fresh(call.by, call.at)
            }
        }
    }

    fn fresh(&self, call: &Call<'_>) -> Result<Fresh, AdminError> {
        let (kind, who) = match &self.kind {
            NewKind::Unique { name } => ("unique", name),
            NewKind::Impersonating { user, unknown: false } => ("impersonated", user),
            NewKind::Impersonating { user, unknown: true } => ("unknown", user),
        };
        let expires = self.expires.map(instant).unwrap_or_default();
        let asked = [
            self.namespace.as_str(),
            kind,
            who.trim(),
            self.description.trim(),
            &expires,
            self.originator.trim(),
        ];
        let key = self.idempotency_key.as_deref();
        Fresh::of(call.by, key, ("service-account", &asked), call.at.now)
    }
}

/// How a person was called when the account was made.
fn called(person: &Impersonated) -> String {
    let known = &person.known;
    let names = [&known.name, &known.email, &known.user];
    names.into_iter().find(|name| !name.is_empty()).cloned().unwrap_or_default()
}
