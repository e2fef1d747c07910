//! Service accounts: made, found, changed, switched off and deleted.

use super::{Actor, Admin, AdminError, Minted, PolicyMention};
use crate::id::{NamespaceId, ServiceAccountId};
use crate::people::Moment;
use crate::service_account::{AccountRecord, AccountState};
use crate::store::{Filter, Sorted, StoreError, Usage};
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

fn not_yet() -> AdminError {
    AdminError::Unavailable(StoreError::unavailable("not made yet"))
}

impl Admin {
    /// Accounts in namespaces where `by` is a viewer.
    ///
    /// # Errors
    /// The namespace named is not seen; the store does not answer.
    pub async fn accounts(
        &self,
        _by: &Actor,
        _which: &AccountsWanted,
        _now: Timestamp,
    ) -> Result<Accounts, AdminError> {
        Err(not_yet())
    }

    pub async fn account(
        &self,
        _by: &Actor,
        _id: &ServiceAccountId,
        _now: Timestamp,
    ) -> Result<AccountView, AdminError> {
        Err(not_yet())
    }

    /// Makes an account with its first credential.
    pub async fn create_account(
        &self,
        _by: &Actor,
        _new: NewAccount,
        _at: Moment<'_>,
    ) -> Result<Created, AdminError> {
        Err(not_yet())
    }

    pub async fn update_account(
        &self,
        _by: &Actor,
        _id: &ServiceAccountId,
        _edit: AccountEdit,
        _at: Moment<'_>,
    ) -> Result<AccountView, AdminError> {
        Err(not_yet())
    }

    /// Switched off already is no error.
    pub async fn disable_account(
        &self,
        _by: &Actor,
        _id: &ServiceAccountId,
        _at: Moment<'_>,
    ) -> Result<AccountView, AdminError> {
        Err(not_yet())
    }

    pub async fn enable_account(
        &self,
        _by: &Actor,
        _id: &ServiceAccountId,
        _at: Moment<'_>,
    ) -> Result<AccountView, AdminError> {
        Err(not_yet())
    }

    /// Deleted already is no error. `expected` as in [`AccountEdit`].
    pub async fn delete_account(
        &self,
        _by: &Actor,
        _id: &ServiceAccountId,
        _expected: Option<u64>,
        _at: Moment<'_>,
    ) -> Result<(), AdminError> {
        Err(not_yet())
    }

    /// What was done with it in the last `days` days.
    pub async fn account_usage(
        &self,
        _by: &Actor,
        _id: &ServiceAccountId,
        _days: u32,
        _now: Timestamp,
    ) -> Result<Vec<Usage>, AdminError> {
        Err(not_yet())
    }

    /// Where it can go by its namespace, and where policy lets it.
    pub async fn destinations(
        &self,
        _by: &Actor,
        _id: &ServiceAccountId,
        _now: Timestamp,
    ) -> Result<Vec<Destination>, AdminError> {
        Err(not_yet())
    }

    /// The policies that name its user id.
    pub async fn mentions(
        &self,
        _by: &Actor,
        _id: &ServiceAccountId,
    ) -> Result<Vec<PolicyMention>, AdminError> {
        Err(not_yet())
    }
}
