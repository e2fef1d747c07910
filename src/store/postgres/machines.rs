//! Machines in PostgreSQL.

use super::super::{accounts, bounded, catalog, uses};
use super::Postgres;
use crate::catalog::Catalog;
use crate::id::{CredentialId, NamespaceId, ServiceAccountId};
use crate::service_account::{AccountRecord, CredentialRecord, Machine};
use crate::store::{AccountPage, AccountQuery, AccountTally, Machines, StoreError, Usage, Use};
use crate::time::Timestamp;
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};

#[async_trait]
impl Machines for Postgres {
    async fn machine(&self, id: &CredentialId) -> Result<Option<Machine>, StoreError> {
        bounded(self.limits.lookup, async {
            let mut lease = self.lease().await?;
            let found = accounts::find_machine(&mut lease.connection()?, id).await;
            lease.settle(found)
        })
        .await
    }

    async fn account(&self, id: &ServiceAccountId) -> Result<Option<AccountRecord>, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let found = accounts::find(&mut lease.connection()?, id).await;
            lease.settle(found)
        })
        .await
    }

    async fn accounts(
        &self,
        which: &AccountQuery,
        now: Timestamp,
    ) -> Result<AccountPage, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let found = accounts::list(&mut lease.connection()?, which, now).await;
            lease.settle(found)
        })
        .await
    }

    async fn tally(
        &self,
        namespaces: Option<&BTreeSet<NamespaceId>>,
        now: Timestamp,
    ) -> Result<AccountTally, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let found = accounts::tally(&mut lease.connection()?, namespaces, now).await;
            lease.settle(found)
        })
        .await
    }

    async fn accounts_by_namespace(
        &self,
        namespaces: Option<&BTreeSet<NamespaceId>>,
    ) -> Result<BTreeMap<NamespaceId, u64>, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let counted = accounts::by_namespace(&mut lease.connection()?, namespaces).await;
            lease.settle(counted)
        })
        .await
    }

    async fn credentials(
        &self,
        account: &ServiceAccountId,
    ) -> Result<Vec<CredentialRecord>, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let found = accounts::credentials(&mut lease.connection()?, account).await;
            lease.settle(found)
        })
        .await
    }

    async fn catalog(&self) -> Result<Catalog, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let found = catalog::read(&mut lease.connection()?).await;
            lease.settle(found)
        })
        .await
    }

    async fn note_uses(&self, uses: Vec<Use>) -> Result<(), StoreError> {
        for batch in uses.chunks(uses::BATCH) {
            bounded(self.limits.other, async {
                let mut lease = self.lease().await?;
                let mut open = lease.begin().await?;
                let noted = uses::note(&mut open, batch).await;
                let noted = open.end(noted).await;
                lease.settle(noted)
            })
            .await?;
        }
        Ok(())
    }

    async fn usage(
        &self,
        account: &ServiceAccountId,
        from_day: i64,
    ) -> Result<Vec<Usage>, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let found = uses::list(&mut lease.connection()?, account, from_day).await;
            lease.settle(found)
        })
        .await
    }
}
