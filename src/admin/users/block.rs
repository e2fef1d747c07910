//! Keeping people out, and taking the tokens of accounts that act as them.

use crate::activity::{EntityKind, Verb, Who};
use crate::admin::call::{Call, CatalogUse, Plan, Step};
use crate::admin::deed::Thing;
use crate::admin::fields::Fields;
use crate::admin::target::Target;
use crate::admin::{Actor, Admin, AdminError};
use crate::catalog::Blocked;
use crate::id::ServiceAccountId;
use crate::namespace::Role;
use crate::people::{Ending, Moment, People};
use crate::service_account::{AccountRecord, CredentialRecord};
use crate::store::{AccountQuery, Change, RecordKey, SessionQuery, StoreError};
use crate::time::Timestamp;
use std::sync::Arc;

/// So many sessions are ended, and so many accounts are looked at in one go.
const AT_ONCE: usize = 1000;

impl Admin {
    /// Ends their sessions, keeps them from signing in, and suspends the accounts that act as them. For
    /// administrators of Global; nobody blocks themselves. Blocked already is no error.
    ///
    /// # Errors
    /// `by` may not; it is no user id, or that of a service account.
    pub async fn block(
        &self,
        by: &Actor,
        id: &str,
        reason: &str,
        at: Moment<'_>,
    ) -> Result<(), AdminError> {
        let mut call = self.call(by, at, (Verb::Block, Thing::user(id)));
        let user = loop {
            let step = self.plan_block(&mut call, id, reason).await;
            if let Some(user) = self.settle(&mut call, step).await? {
                break user;
            }
        };
        // They open nothing any more; that they go makes it visible.
        let which = SessionQuery { user: Some(user), limit: AT_ONCE, ..SessionQuery::default() };
        let people = People::new(Arc::clone(&self.cache));
        people.end_all(&which, &Ending::Blocked(by.who().clone()), at).await?;
        Ok(())
    }

    async fn plan_block(
        &self,
        call: &mut Call<'_>,
        id: &str,
        reason: &str,
    ) -> Result<Step<String>, AdminError> {
        call.world.permit_global(call.by, Role::Admin)?;
        let mut fields = Fields::default();
        let user = fields.id("user_id", id).unwrap_or_default();
        let reason = fields.line("reason", reason);
        let target = self.target(&call.world, &user).await?;
        let email = match target {
            Target::Found(person) => person.known.email,
            Target::Unknown => String::new(),
            Target::Machine => {
                fields.wrong("user_id", "this is a service account; disable it instead");
                String::new()
            }
        };
        fields.done()?;
        if call.by.who().user == user {
            let why = "nobody blocks themselves; ask another administrator";
            return Err(AdminError::Refused(why.to_owned()));
        }
        if call.world.catalog().blocked.contains(&user) {
            return Ok(Step::Already(user));
        }
        call.subject = Some(Who { user: user.clone(), email, groups: Vec::new() });
        let by = call.by.called().to_owned();
        let blocked = Blocked { user: user.clone(), since: call.at.now, by, reason };
        let plan = Plan {
            catalog: CatalogUse::Changed,
            events: vec![call.told(None, Some(blocked.told()))],
            changes: vec![Change::Block(blocked)],
            ..Plan::default()
        };
        Ok(Step::Make(Box::new(plan), user))
    }

    /// Not blocked is no error.
    ///
    /// # Errors
    /// `by` is no administrator of Global.
    pub async fn unblock(&self, by: &Actor, id: &str, at: Moment<'_>) -> Result<(), AdminError> {
        let mut call = self.call(by, at, (Verb::Unblock, Thing::user(id)));
        loop {
            let step = plan_unblock(&mut call, id);
            if let Some(done) = self.settle(&mut call, step).await? {
                return Ok(done);
            }
        }
    }

    /// Revokes every credential of accounts that act as them, where `by` is an admin; says how many
    /// accounts that were.
    ///
    /// # Errors
    /// `by` has no role anywhere; the store does not answer.
    pub async fn revoke_accounts_of(
        &self,
        by: &Actor,
        id: &str,
        at: Moment<'_>,
    ) -> Result<usize, AdminError> {
        let world = self.world();
        world.permit_anywhere(by)?;
        let which = AccountQuery {
            namespaces: world.seen(by),
            user: Some(id.to_owned()),
            impersonating: Some(true),
            ..AccountQuery::default()
        };
        let mut revoked = 0;
        for account in self.all_accounts(which, at.now).await? {
            let thing = Thing::new(EntityKind::ServiceAccount, account.id.as_str());
            let mut call = self.call(by, at, (Verb::RevokeCredential, thing));
            revoked += loop {
                let step = self.plan_revoke_all(&mut call, &account.id).await;
                if let Some(some) = self.settle(&mut call, step).await? {
                    break usize::from(some);
                }
            };
        }
        Ok(revoked)
    }

    /// Every account of a question, however many there are.
    async fn all_accounts(
        &self,
        which: AccountQuery,
        now: Timestamp,
    ) -> Result<Vec<AccountRecord>, StoreError> {
        let mut all = Vec::new();
        loop {
            let part = AccountQuery { offset: all.len(), limit: AT_ONCE, ..which.clone() };
            let found = self.store().accounts(&part, now).await?.records;
            if found.is_empty() {
                return Ok(all);
            }
            all.extend(found);
        }
    }

    /// Whether there was one.
    async fn plan_revoke_all(
        &self,
        call: &mut Call<'_>,
        id: &ServiceAccountId,
    ) -> Result<Step<bool>, AdminError> {
        let found = self.store().account(id).await?.filter(|account| account.deleted.is_none());
        let Some(account) = found else { return Ok(Step::Already(false)) };
        if call.world.role(call.by, &account.namespace) < Some(Role::Admin) {
            return Ok(Step::Already(false));
        }
        call.subject = Some(account.who());
        let mut plan = Plan::default();
        let records = self.store().credentials(&account.id).await?;
        for before in records.into_iter().filter(|record| record.is_good(call.at.now)) {
            let after = CredentialRecord { revoked: Some(call.at.now), ..before.clone() };
            let told = (Some(before.told()), Some(after.told()));
            let thing = Thing::credential(&before, &account);
            plan.events.push(call.event(Verb::RevokeCredential, &thing, told));
            plan.forget.push(RecordKey::Credential(before.id.clone()));
            plan.changes.push(Change::UpdateCredential(after));
        }
        if plan.changes.is_empty() {
            return Ok(Step::Already(false));
        }
        // Whoever issues one at the same time begins again.
        plan.changes.push(Change::UpdateAccount(account));
        Ok(Step::Make(Box::new(plan), true))
    }
}

fn plan_unblock(call: &mut Call<'_>, id: &str) -> Result<Step<()>, AdminError> {
    call.world.permit_global(call.by, Role::Admin)?;
    let blocked = call.world.stored().blocked.iter().find(|blocked| blocked.user == id.trim());
    let Some(before) = blocked.cloned() else { return Ok(Step::Already(())) };
    call.subject = Some(Who { user: before.user.clone(), ..Who::default() });
    let plan = Plan {
        catalog: CatalogUse::Changed,
        events: vec![call.told(Some(before.told()), None)],
        changes: vec![Change::Unblock(before.user)],
        ..Plan::default()
    };
    Ok(Step::Make(Box::new(plan), ()))
}
