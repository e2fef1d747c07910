//! Service accounts and the catalog, as they are asked for.

use super::StoreError;
use crate::catalog::Catalog;
use crate::id::{CredentialId, NamespaceId, ServiceAccountId};
use crate::service_account::{AccountRecord, CredentialRecord, LastUse, Machine};
use crate::time::Timestamp;
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The part of a store that knows machines. Times and errors are those of a [`Store`](super::Store).
#[async_trait]
pub trait Machines: fmt::Debug + Send + Sync {
    /// A credential with its account, deleted or not.
    async fn machine(&self, id: &CredentialId) -> Result<Option<Machine>, StoreError>;

    /// An account, deleted or not.
    async fn account(&self, id: &ServiceAccountId) -> Result<Option<AccountRecord>, StoreError>;

    /// Accounts that are not deleted.
    async fn accounts(
        &self,
        which: &AccountQuery,
        now: Timestamp,
    ) -> Result<AccountPage, StoreError>;

    /// How many accounts stand how; `None` for those of all namespaces.
    async fn tally(
        &self,
        namespaces: Option<&BTreeSet<NamespaceId>>,
        now: Timestamp,
    ) -> Result<AccountTally, StoreError>;

    /// How many accounts are at home right in each of these namespaces; `None` for all. One in which there
    /// are none is not named.
    async fn accounts_by_namespace(
        &self,
        namespaces: Option<&BTreeSet<NamespaceId>>,
    ) -> Result<BTreeMap<NamespaceId, u64>, StoreError>;

    /// The credentials of an account, the latest first.
    async fn credentials(
        &self,
        account: &ServiceAccountId,
    ) -> Result<Vec<CredentialRecord>, StoreError>;

    /// All of the catalog, as of one instant.
    async fn catalog(&self) -> Result<Catalog, StoreError>;

    /// Writes down what was used, of accounts and credentials that are still there. A use that is
    /// earlier than one written down already changes no `last_use`. No change is told of. After an error
    /// a part may have been written down.
    async fn note_uses(&self, uses: Vec<Use>) -> Result<(), StoreError>;

    /// What was done with an account from a day on (days since 1970-01-01, UTC), the latest first.
    async fn usage(
        &self,
        account: &ServiceAccountId,
        from_day: i64,
    ) -> Result<Vec<Usage>, StoreError>;
}

/// Which accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountQuery {
    /// Of these namespaces; `None` for all.
    pub namespaces: Option<BTreeSet<NamespaceId>>,
    /// User id, name or description holds this, or the id is this, whatever its case; empty for all.
    pub text: String,
    /// Of this user id.
    pub user: Option<String>,
    /// Only impersonating ones, or only unique ones.
    pub impersonating: Option<bool>,
    pub filter: Option<Filter>,
    /// By the first, then by the second …; last by id, in the direction of the last.
    pub sorted: Vec<Sorted>,
    pub offset: usize,
    pub limit: usize,
}

/// How an account stands, as far as the store can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Neither disabled nor expired.
    Active,
    Disabled,
    Expired,
    /// Less than 14 days before its expiry.
    Expiring,
    NeverUsed,
    /// Not used for more than 90 days, and older than that.
    Stale,
}

/// What accounts are ordered by. What is not there comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sorted {
    pub key: SortKey,
    pub descending: bool,
}

/// A column that accounts can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    User,
    Created,
    Expires,
    Used,
    Namespace,
    Kind,
}

/// A part of the accounts asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccountPage {
    pub records: Vec<AccountRecord>,
    /// How many there are, those not given included.
    pub total: u64,
}

/// How many accounts stand how. An account can count more than once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountTally {
    pub all: u64,
    pub active: u64,
    pub expiring: u64,
    pub never_used: u64,
    pub stale: u64,
    pub expired: u64,
    pub disabled: u64,
}

/// Uses of one credential on one route with one outcome, added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    pub credential: CredentialId,
    pub account: ServiceAccountId,
    /// The latest of them.
    pub last: LastUse,
    /// `allowed`, or the code of the refusal.
    pub outcome: &'static str,
    pub count: u64,
}

/// What was done with an account on one day, on one route, with one outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Days since 1970-01-01, UTC.
    pub day: i64,
    pub route: String,
    pub outcome: String,
    pub count: u64,
    pub last: Timestamp,
}

impl Filter {
    pub const ALL: [Self; 6] =
        [Self::Active, Self::Disabled, Self::Expired, Self::Expiring, Self::NeverUsed, Self::Stale];

    /// As it is written in addresses and questions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Expiring => "expiring",
            Self::NeverUsed => "never_used",
            Self::Stale => "stale",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filter| filter.name() == name)
    }
}

impl SortKey {
    pub const ALL: [Self; 6] =
        [Self::User, Self::Created, Self::Expires, Self::Used, Self::Namespace, Self::Kind];

    /// As it is written in addresses and questions.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user_id",
            Self::Created => "issued_at",
            Self::Expires => "expires_at",
            Self::Used => "last_used_at",
            Self::Namespace => "namespace_id",
            Self::Kind => "kind",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }
}
