//! What one transaction makes: changes, their notes, and the entries that tell of them.

use super::codec::{Kind, Stored};
use super::log::{self, End};
use super::statement::Connection;
use super::{
    Change, Changed, Clash, StoreError, accounts, catalog, changes, once, people, sessions,
};
use crate::activity::{ChainKey, Event, Head};
use crate::id::NamespaceId;

/// A transaction that is the only one to change anything.
pub(super) struct Writing<'c, C> {
    pub(super) connection: &'c mut C,
    chain: &'c ChainKey,
    end: End,
    noted: Vec<Changed>,
    /// Whether the catalog has become the next.
    in_catalog: bool,
}

impl<'c, C: Connection> Writing<'c, C> {
    /// Waits until nobody else writes.
    pub(super) async fn begin(
        connection: &'c mut C,
        chain: &'c ChainKey,
    ) -> Result<Self, StoreError> {
        let end = log::lock(connection).await?;
        Ok(Self { connection, chain, end, noted: Vec::new(), in_catalog: false })
    }

    pub(super) async fn make(&mut self, change: Change) -> Result<(), StoreError> {
        let c = &mut *self.connection;
        let changed = match change {
            Change::OpenSession(record) => vec![sessions::open(c, record).await?],
            Change::UpdateSession(record) => vec![sessions::update(c, record).await?],
            // Noted even if it was gone: whoever still knows it has missed something.
            Change::EndSession(id) => vec![sessions::end(c, id).await?],
            Change::KnowPerson(person) => return people::know(c, &person).await,
            Change::ExpectCatalog(version) => return catalog::expect(c, version).await,
            Change::NextCatalog(version) => {
                self.in_catalog = true;
                vec![catalog::next(c, version).await?]
            }
            Change::PutNamespace(record) => return self.put(Stored::namespace(&record)).await,
            Change::RemoveNamespace(id) => return self.remove_namespace(&id).await,
            Change::PutPermission(record) => return self.put(Stored::permission(&record)).await,
            Change::RemovePermission(id) => {
                return self.remove(Kind::Permission, id.as_str()).await;
            }
            Change::PutPolicy(record) => return self.put(Stored::policy(&record)).await,
            Change::RemovePolicy(id) => return self.remove(Kind::Policy, id.as_str()).await,
            Change::PutRoute(record) => return self.put(Stored::route(&record)).await,
            Change::RemoveRoute(id) => return self.remove(Kind::Route, id.as_str()).await,
            Change::Block(blocked) => return self.put(Stored::blocked(&blocked)).await,
            Change::Unblock(user) => return self.remove(Kind::Blocked, &user).await,
            Change::CloseBootstrap(at) => {
                return catalog::close_bootstrap(self.catalog()?, at).await;
            }
            Change::CreateAccount(record) => return accounts::create(c, &record).await,
            Change::UpdateAccount(record) => accounts::update(c, record).await?,
            Change::AddCredential(record) => vec![accounts::add_credential(c, record).await?],
            Change::UpdateCredential(record) => {
                vec![accounts::update_credential(c, record).await?]
            }
            Change::KeepOnce(value, now) => return once::keep_anew(c, &value, now).await,
        };
        for record in changed {
            self.noted.push(changes::note(self.connection, &mut self.end, record).await?);
        }
        Ok(())
    }

    async fn put(&mut self, stored: Result<Stored, StoreError>) -> Result<(), StoreError> {
        catalog::put(self.catalog()?, stored?).await
    }

    async fn remove(&mut self, kind: Kind, id: &str) -> Result<(), StoreError> {
        catalog::remove(self.catalog()?, kind, id).await
    }

    async fn remove_namespace(&mut self, id: &NamespaceId) -> Result<(), StoreError> {
        if accounts::are_in(self.connection, id).await? {
            return Err(StoreError::clash_of(Clash::InUse, "there are service accounts in it"));
        }
        self.remove(Kind::Namespace, id.as_str()).await
    }

    /// SECURITY: what is changed without a new version, nobody else would hear of.
    fn catalog(&mut self) -> Result<&mut C, StoreError> {
        if self.in_catalog {
            return Ok(self.connection);
        }
        let what = "the change does not name the version of the catalog that it is based on";
        Err(StoreError::clash_of(Clash::Catalog, what))
    }

    pub(super) async fn append(&mut self, event: Event) -> Result<(), StoreError> {
        let entry = self.chain.next(&self.end.head, event);
        log::append(self.connection, &entry).await?;
        self.end.head = entry.head();
        Ok(())
    }

    /// Writes the new end, and has every feed told once the transaction has ended well.
    pub(super) async fn finish(self) -> Result<Head, StoreError> {
        log::save(self.connection, &self.end).await?;
        self.connection.announce(self.noted).await?;
        Ok(self.end.head)
    }
}

/// All of it, or an error after which the transaction is to be taken back.
pub(super) async fn commit<C: Connection>(
    connection: &mut C,
    chain: &ChainKey,
    changes: Vec<Change>,
    events: Vec<Event>,
) -> Result<Head, StoreError> {
    let mut writing = Writing::begin(connection, chain).await?;
    for change in changes {
        writing.make(change).await?;
    }
    for event in events {
        writing.append(event).await?;
    }
    writing.finish().await
}
