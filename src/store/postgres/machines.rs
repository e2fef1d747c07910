//! Machines in Postgres.

use super::Postgres;
use crate::catalog::Catalog;
use crate::id::{CredentialId, NamespaceId, ServiceAccountId};
use crate::service_account::{AccountRecord, CredentialRecord, Machine};
use crate::store::{AccountPage, AccountQuery, AccountTally, Machines, StoreError, Usage, Use};
use crate::time::Timestamp;
use async_trait::async_trait;
use std::collections::BTreeSet;

#[async_trait]
impl Machines for Postgres {
    async fn machine(&self, _id: &CredentialId) -> Result<Option<Machine>, StoreError> {
        Ok(None)
    }

    async fn account(&self, _id: &ServiceAccountId) -> Result<Option<AccountRecord>, StoreError> {
        Ok(None)
    }

    async fn accounts(
        &self,
        _which: &AccountQuery,
        _now: Timestamp,
    ) -> Result<AccountPage, StoreError> {
        Ok(AccountPage::default())
    }

    async fn tally(
        &self,
        _namespaces: Option<&BTreeSet<NamespaceId>>,
        _now: Timestamp,
    ) -> Result<AccountTally, StoreError> {
        Ok(AccountTally::default())
    }

    async fn credentials(
        &self,
        _account: &ServiceAccountId,
    ) -> Result<Vec<CredentialRecord>, StoreError> {
        Ok(Vec::new())
    }

    async fn catalog(&self) -> Result<Catalog, StoreError> {
        Ok(Catalog::default())
    }

    async fn note_uses(&self, _uses: Vec<Use>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn usage(
        &self,
        _account: &ServiceAccountId,
        _from_day: i64,
    ) -> Result<Vec<Usage>, StoreError> {
        Ok(Vec::new())
    }
}
