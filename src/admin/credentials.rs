//! The credentials of an account: issued, rotated with an overlap, revoked.

use super::accounts::Change as Done;
use super::call::{Call, Plan, Step};
use super::deed::Thing;
use super::fields::Fields;
use super::world::is_fresh;
use super::{Actor, Admin, AdminError, What, once};
use crate::activity::{EntityKind, Verb};
use crate::id::{CredentialId, ServiceAccountId};
use crate::people::Moment;
use crate::secret::Secret;
use crate::service_account::{
    AccountRecord, CredentialRecord, MAX_CREDENTIALS, TokenSecret, hint_of,
};
use crate::store::{Change, RecordKey};
use crate::time::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// A new credential with its token, which is shown once and kept nowhere.
#[derive(Debug)]
pub struct Minted {
    pub credential: CredentialRecord,
    pub token: Secret<String>,
}

/// How long the credentials before a rotation stay good: at most 30 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap(pub Duration);

/// The longest overlap.
const LONGEST: Duration = Duration::from_hours(30 * 24);

impl Admin {
    /// The credentials of an account, the latest first.
    ///
    /// # Errors
    /// As for [`Admin::account`].
    pub async fn credentials(
        &self,
        by: &Actor,
        id: &ServiceAccountId,
        _now: Timestamp,
    ) -> Result<Vec<CredentialRecord>, AdminError> {
        let world = self.world();
        let record = self.seen_account(&world, by, id).await?;
        Ok(self.store().credentials(&record.id).await?)
    }

    /// One more, beside those that are good. It ends with the account at the latest.
    ///
    /// # Errors
    /// There are as many as may be; and as for [`Admin::create_account`].
    pub async fn issue_credential(
        &self,
        by: &Actor,
        id: &ServiceAccountId,
        expires: Option<Timestamp>,
        at: Moment<'_>,
    ) -> Result<Minted, AdminError> {
        let mut call = self.call(by, at, (Verb::IssueCredential, thing(id)));
        loop {
            let step = self.plan_issue(&mut call, id, expires).await;
            if let Some(minted) = self.settle(&mut call, step).await? {
                return Ok(minted);
            }
        }
    }

    async fn plan_issue(
        &self,
        call: &mut Call<'_>,
        id: &ServiceAccountId,
        expires: Option<Timestamp>,
    ) -> Result<Step<Minted>, AdminError> {
        let account = self.account_for_token(call, id).await?;
        let now = call.at.now;
        let mut fields = Fields::default();
        if expires.is_some_and(|at| at <= now) {
            fields.wrong("expires_at", "name an instant in the future");
        }
        fields.done()?;
        let good = self.good(&account, now).await?;
        if good.len() >= MAX_CREDENTIALS {
            return Err(too_many());
        }
        let minted = self.mint(call, &account, expires)?;
        Ok(plan_minted(call, &account, minted, &[]))
    }

    /// A new one in the place of all that are good, which stay so for the overlap.
    ///
    /// # Errors
    /// As for [`Admin::issue_credential`].
    pub async fn rotate(
        &self,
        by: &Actor,
        id: &ServiceAccountId,
        overlap: Overlap,
        at: Moment<'_>,
    ) -> Result<Minted, AdminError> {
        let mut call = self.call(by, at, (Verb::RotateCredential, thing(id)));
        loop {
            let step = self.plan_rotate(&mut call, id, overlap).await;
            if let Some(minted) = self.settle(&mut call, step).await? {
                return Ok(minted);
            }
        }
    }

    async fn plan_rotate(
        &self,
        call: &mut Call<'_>,
        id: &ServiceAccountId,
        Overlap(overlap): Overlap,
    ) -> Result<Step<Minted>, AdminError> {
        let account = self.account_for_token(call, id).await?;
        let mut fields = Fields::default();
        if overlap > LONGEST {
            fields.wrong("overlap", "name at most 30 days (`720h`)");
        }
        fields.done()?;
        let now = call.at.now;
        let end = now.plus(overlap);
        let before = self.good(&account, now).await?;
        let ending = |old: &CredentialRecord| CredentialRecord {
            superseded: Some(old.superseded.map_or(end, |already| already.min(end))),
            ..old.clone()
        };
        let after: Vec<CredentialRecord> = before.iter().map(ending).collect();
        if after.iter().filter(|old| old.is_good(now)).count() >= MAX_CREDENTIALS {
            return Err(too_many());
        }
        let minted = self.mint(call, &account, None)?;
        let replaced: Vec<_> = before.into_iter().zip(after).collect();
        Ok(plan_minted(call, &account, minted, &replaced))
    }

    /// Revoked already is no error.
    ///
    /// # Errors
    /// There is no such credential of this account; and as for [`Admin::account`].
    pub async fn revoke_credential(
        &self,
        by: &Actor,
        id: &ServiceAccountId,
        credential: &CredentialId,
        at: Moment<'_>,
    ) -> Result<CredentialRecord, AdminError> {
        let mut call = self.call(by, at, (Verb::RevokeCredential, thing(id)));
        loop {
            let step = self.plan_revoke(&mut call, id, credential).await;
            if let Some(record) = self.settle(&mut call, step).await? {
                return Ok(record);
            }
        }
    }

    async fn plan_revoke(
        &self,
        call: &mut Call<'_>,
        id: &ServiceAccountId,
        credential: &CredentialId,
    ) -> Result<Step<CredentialRecord>, AdminError> {
        let account = self.account_to_change(call, id, Done::Restrict).await?;
        let found = self.store().credentials(id).await?;
        let found = found.into_iter().find(|record| record.id == *credential);
        let before = found.ok_or(AdminError::NotFound(What::Credential))?;
        if before.revoked.is_some() {
            return Ok(Step::Already(before));
        }
        call.thing = Thing::credential(&before, &account);
        let after = CredentialRecord { revoked: Some(call.at.now), ..before.clone() };
        let plan = Plan {
            changes: vec![Change::UpdateCredential(after.clone())],
            events: vec![call.told(Some(before.told()), Some(after.told()))],
            forget: vec![RecordKey::Credential(after.id.clone())],
            ..Plan::default()
        };
        Ok(Step::Make(Box::new(plan), after))
    }

    /// An account of which `by` may have a token.
    async fn account_for_token(
        &self,
        call: &mut Call<'_>,
        id: &ServiceAccountId,
    ) -> Result<AccountRecord, AdminError> {
        let account = self.account_to_change(call, id, Done::Other).await?;
        if account.is_impersonating() {
            is_fresh(call.by, call.at)?;
        }
        self.permit_token(&call.world, call.by, &account).await?;
        if account.expires.is_some_and(|at| at <= call.at.now) {
            let why = "the account has expired; give it a later expiry first";
            return Err(AdminError::InUse(why.to_owned()));
        }
        Ok(account)
    }

    async fn good(
        &self,
        account: &AccountRecord,
        now: Timestamp,
    ) -> Result<Vec<CredentialRecord>, AdminError> {
        let mut records = self.store().credentials(&account.id).await?;
        records.retain(|record| record.is_good(now));
        Ok(records)
    }

    /// A new credential and its token. It ends when it should, when the account ends, or when the longest
    /// life in the namespace is over, whatever comes first.
    pub(super) fn mint(
        &self,
        call: &Call<'_>,
        account: &AccountRecord,
        expires: Option<Timestamp>,
    ) -> Result<Minted, AdminError> {
        let secret = TokenSecret::new(once::random()?);
        let now = call.at.now;
        let longest = call.world.tree().lifetime(&account.namespace).latest(now);
        let credential = CredentialRecord {
            id: secret.id(),
            account: account.id.clone(),
            hint: String::new(),
            issued: now,
            issued_by: call.by.called().to_owned(),
            expires: [expires, account.expires, longest].into_iter().flatten().min(),
            revoked: None,
            superseded: None,
            last_use: None,
        };
        let token = secret.token(&credential, account, self.key.expose());
        let credential = CredentialRecord { hint: hint_of(&token), ..credential };
        Ok(Minted { credential, token })
    }
}

/// The account is written too, so that of two who issue at once one begins again and counts anew.
fn plan_minted(
    call: &Call<'_>,
    account: &AccountRecord,
    minted: Minted,
    replaced: &[(CredentialRecord, CredentialRecord)],
) -> Step<Minted> {
    let new = &minted.credential;
    let changed = replaced.iter().filter(|(before, after)| before != after);
    let old = changed.clone().map(|(_, after)| Change::UpdateCredential(after.clone()));
    let told = |records: Vec<&CredentialRecord>| {
        let records: Vec<Value> = records.into_iter().map(CredentialRecord::told).collect();
        Some(json!({ "credentials": records }))
    };
    let before = told(changed.clone().map(|(before, _)| before).collect());
    let after = told(changed.clone().map(|(_, after)| after).chain([new]).collect());
    let event = call.event(call.verb(), &Thing::credential(new, account), (before, after));
    let plan = Plan {
        changes: [Change::UpdateAccount(account.clone())]
            .into_iter()
            .chain(old)
            .chain([Change::AddCredential(new.clone())])
            .collect(),
        events: vec![event],
        forget: replaced.iter().map(|(old, _)| RecordKey::Credential(old.id.clone())).collect(),
        ..Plan::default()
    };
    Step::Make(Box::new(plan), minted)
}

fn too_many() -> AdminError {
    let why = format!("there are {MAX_CREDENTIALS} good credentials already; revoke one first");
    AdminError::InUse(why)
}

fn thing(id: &ServiceAccountId) -> Thing {
    Thing::new(EntityKind::ServiceAccount, id.as_str())
}
