//! Changing an account: what is said of it, until when it lives, whether it is switched on, and its end.

use super::{AccountEdit, AccountView, Change as Done, Expiry, expiry};
use crate::activity::{EntityKind, Verb};
use crate::admin::call::{Call, Plan, Step};
use crate::admin::deed::Thing;
use crate::admin::fields::Fields;
use crate::admin::{Actor, Admin, AdminError, What};
use crate::id::ServiceAccountId;
use crate::namespace::Role;
use crate::people::Moment;
use crate::service_account::AccountRecord;
use crate::store::{Change, RecordKey, StoreError};

impl Admin {
    /// An expiry that moves counts at once for every token of the account, as far as the token itself
    /// lasts: one that says until when it is good is good until then at most, also when the account lives
    /// longer now. Rotate it for one that lasts as long.
    ///
    /// # Errors
    /// `Changed` if it is not of the version that was expected any more.
    pub async fn update_account(
        &self,
        by: &Actor,
        id: &ServiceAccountId,
        edit: AccountEdit,
        at: Moment<'_>,
    ) -> Result<AccountView, AdminError> {
        let mut call = self.call(by, at, (Verb::Update, thing(id)));
        loop {
            let step = self.plan_update(&mut call, id, &edit).await;
            if let Some(view) = self.settle(&mut call, step).await? {
                return Ok(view);
            }
        }
    }

    async fn plan_update(
        &self,
        call: &mut Call<'_>,
        id: &ServiceAccountId,
        edit: &AccountEdit,
    ) -> Result<Step<AccountView>, AdminError> {
        let before = self.account_to_change(call, id, Done::Other).await?;
        AdminError::unless_expected(edit.expected, before.version)?;
        let mut fields = Fields::default();
        let mut after = before.clone();
        if let Some(text) = &edit.description {
            after.description = fields.line("description", text);
        }
        let times = (before.created, call.at.now);
        let asked = match edit.expires {
            Expiry::Keep => None,
            Expiry::Never => Some(None),
            Expiry::At(at) => Some(Some(at)),
        };
        // What is so already is not judged by rules that came later.
        if let Some(asked) = asked.filter(|asked| *asked != before.expires) {
            let rules = call.world.tree().lifetime(&before.namespace);
            after.expires = expiry(asked, rules, times, &mut fields);
        }
        fields.done()?;
        self.plan_change(call, &before, after).await
    }

    /// Switched off already is no error.
    ///
    /// # Errors
    /// There is none, or `by` may not.
    pub async fn disable_account(
        &self,
        by: &Actor,
        id: &ServiceAccountId,
        at: Moment<'_>,
    ) -> Result<AccountView, AdminError> {
        let mut call = self.call(by, at, (Verb::Disable, thing(id)));
        loop {
            let step = self.plan_disable(&mut call, id).await;
            if let Some(view) = self.settle(&mut call, step).await? {
                return Ok(view);
            }
        }
    }

    async fn plan_disable(
        &self,
        call: &mut Call<'_>,
        id: &ServiceAccountId,
    ) -> Result<Step<AccountView>, AdminError> {
        let before = self.account_to_change(call, id, Done::Restrict).await?;
        let disabled = before.disabled.or(Some(call.at.now));
        let after = AccountRecord { disabled, ..before.clone() };
        self.plan_change(call, &before, after).await
    }

    /// Switched on already is no error.
    ///
    /// # Errors
    /// As for [`Admin::disable_account`]; to switch on one that acts as somebody takes an admin.
    pub async fn enable_account(
        &self,
        by: &Actor,
        id: &ServiceAccountId,
        at: Moment<'_>,
    ) -> Result<AccountView, AdminError> {
        let mut call = self.call(by, at, (Verb::Enable, thing(id)));
        loop {
            let step = self.plan_enable(&mut call, id).await;
            if let Some(view) = self.settle(&mut call, step).await? {
                return Ok(view);
            }
        }
    }

    async fn plan_enable(
        &self,
        call: &mut Call<'_>,
        id: &ServiceAccountId,
    ) -> Result<Step<AccountView>, AdminError> {
        let before = self.account_to_change(call, id, Done::Other).await?;
        let after = AccountRecord { disabled: None, ..before.clone() };
        self.plan_change(call, &before, after).await
    }

    /// Deleted already is no error. `expected` as in [`AccountEdit`].
    ///
    /// # Errors
    /// As for [`Admin::disable_account`].
    pub async fn delete_account(
        &self,
        by: &Actor,
        id: &ServiceAccountId,
        expected: Option<u64>,
        at: Moment<'_>,
    ) -> Result<(), AdminError> {
        let mut call = self.call(by, at, (Verb::Delete, thing(id)));
        loop {
            let step = self.plan_delete(&mut call, id, expected).await;
            if let Some(done) = self.settle(&mut call, step).await? {
                return Ok(done);
            }
        }
    }

    async fn plan_delete(
        &self,
        call: &mut Call<'_>,
        id: &ServiceAccountId,
        expected: Option<u64>,
    ) -> Result<Step<()>, AdminError> {
        let not_found = AdminError::NotFound(What::ServiceAccount);
        let Some(before) = self.store().account(id).await? else { return Err(not_found) };
        call.world.permit(call.by, (Role::Viewer, &before.namespace), What::ServiceAccount)?;
        if before.deleted.is_some() {
            return Ok(Step::Already(()));
        }
        let before = self.account_to_change(call, id, Done::Restrict).await?;
        AdminError::unless_expected(expected, before.version)?;
        let plan = Plan {
            changes: vec![Change::UpdateAccount(before.deleted(call.at))],
            events: vec![call.told(Some(before.told()), None)],
            forget: self.keys_of(id).await?,
            ..Plan::default()
        };
        Ok(Step::Make(Box::new(plan), ()))
    }

    async fn plan_change(
        &self,
        call: &Call<'_>,
        before: &AccountRecord,
        after: AccountRecord,
    ) -> Result<Step<AccountView>, AdminError> {
        let now = call.at.now;
        if after == *before {
            return Ok(Step::Already(call.world.account_view(after, now)));
        }
        let after = AccountRecord { modified: now, ..after };
        let plan = Plan {
            changes: vec![Change::UpdateAccount(after.clone())],
            events: vec![call.told(Some(before.told()), Some(after.told()))],
            forget: self.keys_of(&before.id).await?,
            ..Plan::default()
        };
        let after = AccountRecord { version: after.version.saturating_add(1), ..after };
        Ok(Step::Make(Box::new(plan), call.world.account_view(after, now)))
    }

    /// Everything of an account that checks may have seen.
    pub(in crate::admin) async fn keys_of(
        &self,
        id: &ServiceAccountId,
    ) -> Result<Vec<RecordKey>, StoreError> {
        let credentials = self.store().credentials(id).await?;
        let keys = credentials.into_iter().map(|credential| RecordKey::Credential(credential.id));
        Ok(keys.collect())
    }
}

impl AccountRecord {
    /// Its state once it is deleted.
    pub(in crate::admin) fn deleted(&self, at: Moment<'_>) -> Self {
        Self { deleted: Some(at.now), modified: at.now, ..self.clone() }
    }
}

fn thing(id: &ServiceAccountId) -> Thing {
    Thing::new(EntityKind::ServiceAccount, id.as_str())
}
