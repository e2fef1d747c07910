//! Machines in SQLite.

use super::super::{accounts, catalog, uses};
use super::Sqlite;
use super::handle::Handle;
use crate::catalog::Catalog;
use crate::id::{CredentialId, NamespaceId, ServiceAccountId};
use crate::service_account::{AccountRecord, CredentialRecord, Machine};
use crate::store::{AccountPage, AccountQuery, AccountTally, Machines, StoreError, Usage, Use};
use crate::time::Timestamp;
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};

#[async_trait]
impl Machines for Sqlite {
    async fn machine(&self, id: &CredentialId) -> Result<Option<Machine>, StoreError> {
        let (limit, id) = (self.limits.lookup, id.clone());
        let find = async move |c: &mut Handle<'_>| accounts::find_machine(c, &id).await;
        self.read(limit, find).await
    }

    async fn account(&self, id: &ServiceAccountId) -> Result<Option<AccountRecord>, StoreError> {
        let (limit, id) = (self.limits.other, id.clone());
        self.read(limit, async move |c: &mut Handle<'_>| accounts::find(c, &id).await).await
    }

    async fn accounts(
        &self,
        which: &AccountQuery,
        now: Timestamp,
    ) -> Result<AccountPage, StoreError> {
        let (limit, which) = (self.limits.other, which.clone());
        self.read(limit, async move |c: &mut Handle<'_>| accounts::list(c, &which, now).await).await
    }

    async fn tally(
        &self,
        namespaces: Option<&BTreeSet<NamespaceId>>,
        now: Timestamp,
    ) -> Result<AccountTally, StoreError> {
        let namespaces = namespaces.cloned();
        let tally =
            async move |c: &mut Handle<'_>| accounts::tally(c, namespaces.as_ref(), now).await;
        self.read(self.limits.other, tally).await
    }

    async fn accounts_by_namespace(
        &self,
        namespaces: Option<&BTreeSet<NamespaceId>>,
    ) -> Result<BTreeMap<NamespaceId, u64>, StoreError> {
        let namespaces = namespaces.cloned();
        let count =
            async move |c: &mut Handle<'_>| accounts::by_namespace(c, namespaces.as_ref()).await;
        self.read(self.limits.other, count).await
    }

    async fn credentials(
        &self,
        account: &ServiceAccountId,
    ) -> Result<Vec<CredentialRecord>, StoreError> {
        let (limit, id) = (self.limits.other, account.clone());
        self.read(limit, async move |c: &mut Handle<'_>| accounts::credentials(c, &id).await).await
    }

    async fn catalog(&self) -> Result<Catalog, StoreError> {
        let read = async |c: &mut Handle<'_>| catalog::read(c).await;
        self.read(self.limits.other, read).await
    }

    async fn note_uses(&self, uses: Vec<Use>) -> Result<(), StoreError> {
        for batch in uses.chunks(uses::BATCH) {
            let batch = batch.to_vec();
            self.write(async move |c: &mut Handle<'_>| uses::note(c, &batch).await).await?;
        }
        Ok(())
    }

    async fn usage(
        &self,
        account: &ServiceAccountId,
        from_day: i64,
    ) -> Result<Vec<Usage>, StoreError> {
        let (limit, id) = (self.limits.other, account.clone());
        self.read(limit, async move |c: &mut Handle<'_>| uses::list(c, &id, from_day).await).await
    }
}
