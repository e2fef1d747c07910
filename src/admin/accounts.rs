//! Service accounts: made, found, changed, switched off and deleted.

mod change;
mod create;
mod reach;

use super::call::Call;
use super::deed::Thing;
use super::fields::Fields;
use super::world::{Depth, World};
use super::{Actor, Admin, AdminError, Minted, What};
use crate::id::{NamespaceId, ServiceAccountId};
use crate::namespace::{LifetimeRules, Role};
use crate::service_account::{AccountKind, AccountRecord, AccountState};
use crate::store::{AccountQuery, Filter, Sorted, Usage};
use crate::time::Timestamp;

/// An account, and what there is to know around it.
#[derive(Clone, Debug)]
pub struct AccountView {
    pub record: AccountRecord,
    pub state: AccountState,
    /// Such as `Global / Design`.
    pub namespace_path: String,
    /// What it acts as, as the directory calls them now; empty for a unique one.
    pub person: String,
}

/// Which accounts.
#[derive(Clone, Debug, Default)]
pub struct AccountsWanted {
    /// `None` for all that may be seen.
    pub namespace: Option<NamespaceId>,
    /// With those of namespaces below.
    pub recursive: bool,
    pub text: String,
    /// Of this user id.
    pub user: Option<String>,
    pub impersonating: Option<bool>,
    pub filter: Option<Filter>,
    pub sorted: Vec<Sorted>,
    pub offset: usize,
    /// At most so many; 200 at the most.
    pub limit: usize,
}

/// A part of the accounts asked for.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    pub views: Vec<AccountView>,
    pub total: u64,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub namespace: NamespaceId,
    pub kind: NewKind,
    pub description: String,
    pub expires: Option<Timestamp>,
    pub originator: String,
    /// The same key makes the same account once.
    pub idempotency_key: Option<String>,
}

/// Whom a new account is to be.
#[derive(Clone, Debug)]
pub enum NewKind {
    /// By a name, as it was written.
    Unique { name: String },
    /// By a user id. With `unknown`, a global administrator takes one that nobody knows.
    Impersonating { user: String, unknown: bool },
}

/// What came of making one.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one is made at a time, and handed on once")]
pub enum Created {
    New(Box<AccountView>, Minted),
    /// The same was asked for before. Its token was shown then.
    Before(Box<AccountView>),
}

/// Changes of an account.
#[derive(Clone, Debug, Default)]
pub struct AccountEdit {
    pub description: Option<String>,
    pub expires: Expiry,
    /// The version that is changed; `None` for whichever there is.
    pub expected: Option<u64>,
}

/// What becomes of an expiry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expiry {
    #[default]
    Keep,
    Never,
    At(Timestamp),
}

/// A route that an account may reach by its namespace, and what policy says of it.
#[derive(Clone, Debug)]
pub struct Destination {
    pub route: String,
    pub from: String,
    pub namespace_path: String,
    /// Whether `GET /` there, or its own path, would be allowed now.
    pub allowed: bool,
    /// The code of the refusal; empty if allowed.
    pub reason: &'static str,
}

/// The most that are given at once.
const PAGE: usize = 200;
/// The longest text that is searched for, in characters.
const TEXT: usize = 254;
const DAY: i64 = 24 * 60 * 60;
/// 9999-12-31T23:59:59Z, the last second that can be written.
const LAST: Timestamp = Timestamp::from_unix(253_402_300_799);

impl Admin {
    /// Accounts in namespaces where `by` is a viewer.
    ///
    /// # Errors
    /// The namespace named is not seen; the store does not answer.
    pub async fn accounts(
        &self,
        by: &Actor,
        which: &AccountsWanted,
        now: Timestamp,
    ) -> Result<Accounts, AdminError> {
        let world = self.world();
        let depth = Depth::of(which.recursive);
        let namespaces = world.asked(by, which.namespace.as_ref(), depth)?;
        let query = AccountQuery {
            namespaces,
            text: which.text.trim().chars().take(TEXT).collect(),
            user: which.user.clone(),
            impersonating: which.impersonating,
            filter: which.filter,
            sorted: which.sorted.clone(),
            offset: which.offset,
            limit: which.limit.clamp(1, PAGE),
        };
        let page = self.store().accounts(&query, now).await?;
        let views = page.records.into_iter().map(|record| world.account_view(record, now));
        Ok(Accounts { views: views.collect(), total: page.total })
    }

    /// # Errors
    /// There is none, or it is not seen, or was deleted.
    pub async fn account(
        &self,
        by: &Actor,
        id: &ServiceAccountId,
        now: Timestamp,
    ) -> Result<AccountView, AdminError> {
        let world = self.world();
        let record = self.seen_account(&world, by, id).await?;
        Ok(world.account_view(record, now))
    }

    /// What was done with it in the last `days` days.
    ///
    /// # Errors
    /// As for [`Admin::account`].
    pub async fn account_usage(
        &self,
        by: &Actor,
        id: &ServiceAccountId,
        days: u32,
        now: Timestamp,
    ) -> Result<Vec<Usage>, AdminError> {
        let world = self.world();
        let record = self.seen_account(&world, by, id).await?;
        let today = now.unix().div_euclid(DAY);
        let from = today.saturating_sub(i64::from(days.clamp(1, 366)) - 1);
        Ok(self.store().usage(&record.id, from).await?)
    }

    /// An account that `by` may see and that is not deleted.
    pub(super) async fn seen_account(
        &self,
        world: &World,
        by: &Actor,
        id: &ServiceAccountId,
    ) -> Result<AccountRecord, AdminError> {
        let not_found = AdminError::NotFound(What::ServiceAccount);
        let Some(record) = self.store().account(id).await? else { return Err(not_found) };
        world.permit(by, (Role::Viewer, &record.namespace), What::ServiceAccount)?;
        if record.deleted.is_none() { Ok(record) } else { Err(not_found) }
    }

    /// An account that is to be changed. The call knows from then on what it is about.
    pub(super) async fn account_to_change(
        &self,
        call: &mut Call<'_>,
        id: &ServiceAccountId,
        change: Change,
    ) -> Result<AccountRecord, AdminError> {
        let record = self.seen_account(&call.world, call.by, id).await?;
        call.thing = Thing::account(&record);
        call.subject = Some(record.who());
        let needed = (change.role(&record), &record.namespace);
        call.world.permit(call.by, needed, What::ServiceAccount)?;
        Ok(record)
    }
}

/// What is done with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It can do less than before.
    Restrict,
    /// Anything else.
    Other,
}

impl Change {
    /// Who acts as people is a matter of admins; to stop it is not.
    fn role(self, record: &AccountRecord) -> Role {
        match (self, &record.kind) {
            (Self::Other, AccountKind::Impersonating(_)) => Role::Admin,
            (Self::Restrict, AccountKind::Impersonating(_)) | (_, AccountKind::Unique) => {
                Role::Manager
            }
        }
    }
}

impl World {
    pub(super) fn account_view(&self, record: AccountRecord, now: Timestamp) -> AccountView {
        let person = match &record.kind {
            AccountKind::Unique => String::new(),
            AccountKind::Impersonating(person) => {
                let listed = self.directory().by_id(&record.user);
                let names = listed.map_or([&person.known.name, &person.known.email], |user| {
                    [&user.display_name, &user.email]
                });
                let called = names.into_iter().find(|name| !name.is_empty());
                called.unwrap_or(&record.user).clone()
            }
        };
        AccountView {
            state: self.state(&record, now),
            namespace_path: self.tree().path(&record.namespace),
            person,
            record,
        }
    }
}

/// An expiry as it was asked for, by the rules of its namespace.
fn expiry(
    asked: Option<Timestamp>,
    rules: LifetimeRules,
    (created, now): (Timestamp, Timestamp),
    fields: &mut Fields,
) -> Option<Timestamp> {
    let field = "expires_at";
    match asked {
        None if rules.wants_expiry() => fields.wrong(field, "accounts here must expire; say when"),
        Some(at) if at <= now => fields.wrong(field, "name an instant in the future"),
        Some(at) if at > LAST => fields.wrong(field, "name an instant before the year 10000"),
        Some(at) if rules.latest(created).is_some_and(|latest| at > latest) => {
            let latest = rules.latest(created).map(super::deed::instant).unwrap_or_default();
            fields.wrong(field, format!("accounts here expire until `{latest}` at the latest"));
        }
        None | Some(_) => {}
    }
    asked
}
