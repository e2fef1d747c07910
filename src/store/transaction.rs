//! What one transaction makes: changes, their notes, and the entries that tell of them.

use super::log::{self, End};
use super::statement::Connection;
use super::{Change, Changed, RecordKey, StoreError, changes, people, sessions};
use crate::activity::{ChainKey, Event, Head};

/// A transaction that is the only one to change anything.
pub(super) struct Writing<'c, C> {
    pub(super) connection: &'c mut C,
    chain: &'c ChainKey,
    end: End,
    noted: Vec<Changed>,
}

impl<'c, C: Connection> Writing<'c, C> {
    /// Waits until nobody else writes.
    pub(super) async fn begin(
        connection: &'c mut C,
        chain: &'c ChainKey,
    ) -> Result<Self, StoreError> {
        let end = log::lock(connection).await?;
        Ok(Self { connection, chain, end, noted: Vec::new() })
    }

    pub(super) async fn make(&mut self, change: Change) -> Result<(), StoreError> {
        let record = match change {
            Change::OpenSession(record) => {
                sessions::open(self.connection, &record).await?;
                RecordKey::Session(record.id)
            }
            Change::UpdateSession(record) => {
                let id = record.id.clone();
                sessions::update(self.connection, record).await?;
                RecordKey::Session(id)
            }
            // Noted even if it was gone: whoever still knows it has missed something.
            Change::EndSession(id) => {
                sessions::end(self.connection, &id).await?;
                RecordKey::Session(id)
            }
            Change::KnowPerson(person) => return people::know(self.connection, &person).await,
            Change::ExpectCatalog(_)
            | Change::NextCatalog(_)
            | Change::PutNamespace(_)
            | Change::RemoveNamespace(_)
            | Change::PutPermission(_)
            | Change::RemovePermission(_)
            | Change::PutPolicy(_)
            | Change::RemovePolicy(_)
            | Change::PutRoute(_)
            | Change::RemoveRoute(_)
            | Change::Block(_)
            | Change::Unblock(_)
            | Change::CloseBootstrap(_)
            | Change::CreateAccount(_)
            | Change::UpdateAccount(_)
            | Change::AddCredential(_)
            | Change::UpdateCredential(_)
            | Change::KeepOnce(_) => return Err(StoreError::unavailable("not kept yet")),
        };
        self.noted.push(changes::note(self.connection, &mut self.end, record).await?);
        Ok(())
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
