//! SQLite: one file with a write-ahead log, one connection that writes and a few that read. Its calls
//! wait for the disk, so they run on threads where that holds up nobody.
//!
//! A commit is on the disk before it is told (`synchronous=FULL`): a session that was ended does not come
//! back after a loss of power. What another process does is seen by asking `changes_since`.

mod file;
mod handle;
mod machines;

use super::settings::{Limits, Opening, StorageSettings};
use super::sweep::{Sweep, Swept, sweep};
use super::{
    ActivityQuery, Change, Changed, Changes, Feed, Once, SessionQuery, Store, StoreError, bounded,
    changes, log, once, people, sessions, transaction,
};
use crate::activity::{ChainKey, Entry, Event, Head};
use crate::id::SessionId;
use crate::session::{KnownPerson, SessionRecord};
use crate::tasks::Tasks;
use crate::time::Timestamp;
use async_trait::async_trait;
use handle::{Handle, Pool};
use std::path::Path;
use std::time::Duration;
use tokio::sync::broadcast;

/// So many connections read at once; each is a file handle and a cache.
const READERS: usize = 4;
/// So many changes may be on their way to a feed that is slow to take them.
const ON_THEIR_WAY: usize = 4096;
/// Bounds how late a change by another process is seen: one look into an index.
const HEARTBEAT: Duration = Duration::from_millis(100);

/// The engine.
#[derive(Debug)]
pub(super) struct Sqlite {
    writer: Pool,
    readers: Pool,
    chain: ChainKey,
    tasks: Tasks,
    limits: Limits,
    changes: broadcast::Sender<Changed>,
}

impl Sqlite {
    pub(super) async fn open_file(
        path: &Path,
        settings: &StorageSettings,
        opening: Opening,
        (chain, tasks): (ChainKey, Tasks),
    ) -> Result<Self, StoreError> {
        let limits = Limits::of(settings);
        let path = path.to_owned();
        let opened = tasks.compute(move || {
            let writer = file::open(&path, limits, opening)?;
            let readers = (0..READERS).map(|_| file::open(&path, limits, Opening::ToLook));
            Ok((writer, readers.collect::<Result<Vec<_>, StoreError>>()?))
        });
        let (writer, readers) = opened.await.unwrap_or_else(|| Err(broken()))?;
        Ok(Self::new(Pool::of(vec![writer]), Pool::of(readers), limits, (chain, tasks)))
    }

    /// One connection for everything: a second one would see another memory.
    pub(super) async fn in_memory(
        settings: &StorageSettings,
        (chain, tasks): (ChainKey, Tasks),
    ) -> Result<Self, StoreError> {
        let limits = Limits::of(settings);
        let opened = tasks.compute(move || file::in_memory(limits)).await;
        let pool = Pool::of(vec![opened.unwrap_or_else(|| Err(broken()))?]);
        Ok(Self::new(pool.clone(), pool, limits, (chain, tasks)))
    }

    fn new(writer: Pool, readers: Pool, limits: Limits, (chain, tasks): (ChainKey, Tasks)) -> Self {
        let changes = broadcast::Sender::new(ON_THEIR_WAY);
        Self { writer, readers, chain, tasks, limits, changes }
    }

    async fn read<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl AsyncFnOnce(&mut Handle<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        bounded(limit, async {
            let mut lease = self.readers.lease().await?;
            let done = self.tasks.compute(move || lease.read(work)).await;
            done.unwrap_or_else(|| Err(broken()))
        })
        .await
    }

    /// In a transaction. What was begun goes on to its end, also if nobody waits for it any more.
    async fn write<T: Send + 'static>(
        &self,
        work: impl AsyncFnOnce(&mut Handle<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let changes = self.changes.clone();
        bounded(self.limits.other, async {
            let mut lease = self.writer.lease().await?;
            // Told while nobody else can write, so in the order of commits. Nobody may be listening.
            let tell = move |change| drop(changes.send(change));
            let done = self.tasks.compute(move || lease.write(work, tell)).await;
            done.unwrap_or_else(|| Err(broken()))
        })
        .await
    }
}

/// What was to be done ended in a panic.
fn broken() -> StoreError {
    StoreError::unavailable("the operation was broken off")
}

#[async_trait]
impl Store for Sqlite {
    async fn session(&self, id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        let id = id.clone();
        let limit = self.limits.lookup;
        self.read(limit, async move |c: &mut Handle<'_>| sessions::find(c, &id).await).await
    }

    async fn sessions(
        &self,
        which: &SessionQuery,
        now: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let (limit, which) = (self.limits.other, which.clone());
        self.read(limit, async move |c: &mut Handle<'_>| sessions::list(c, &which, now).await).await
    }

    async fn commit(&self, changes: Vec<Change>, events: Vec<Event>) -> Result<Head, StoreError> {
        let chain = self.chain.clone();
        self.write(async move |c: &mut Handle<'_>| {
            transaction::commit(c, &chain, changes, events).await
        })
        .await
    }

    async fn person(&self, user: &str) -> Result<Option<KnownPerson>, StoreError> {
        let (limit, user) = (self.limits.other, user.to_owned());
        self.read(limit, async move |c: &mut Handle<'_>| people::find(c, &user).await).await
    }

    async fn search_people(
        &self,
        text: &str,
        limit: usize,
    ) -> Result<Vec<KnownPerson>, StoreError> {
        let text = text.to_owned();
        let search = async move |c: &mut Handle<'_>| people::search(c, &text, limit).await;
        self.read(self.limits.other, search).await
    }

    async fn keep_once(&self, once: Once) -> Result<(), StoreError> {
        self.write(async move |c: &mut Handle<'_>| once::keep(c, &once).await).await
    }

    async fn once(&self, key: &str, now: Timestamp) -> Result<Option<Once>, StoreError> {
        let (limit, key) = (self.limits.other, key.to_owned());
        self.read(limit, async move |c: &mut Handle<'_>| once::find(c, &key, now).await).await
    }

    async fn take_once(&self, key: &str, now: Timestamp) -> Result<Option<Once>, StoreError> {
        let key = key.to_owned();
        self.write(async move |c: &mut Handle<'_>| once::take(c, &key, now).await).await
    }

    async fn activity(&self, which: &ActivityQuery) -> Result<Vec<Entry>, StoreError> {
        let (limit, which) = (self.limits.other, which.clone());
        self.read(limit, async move |c: &mut Handle<'_>| log::list(c, &which).await).await
    }

    async fn activity_after(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let list = async move |c: &mut Handle<'_>| log::after(c, after, limit).await;
        self.read(self.limits.other, list).await
    }

    async fn head(&self) -> Result<Head, StoreError> {
        let end = async |c: &mut Handle<'_>| Ok(log::end(c).await?.head);
        self.read(self.limits.other, end).await
    }

    async fn changes_since(&self, after: u64) -> Result<Changes, StoreError> {
        let since = async move |c: &mut Handle<'_>| changes::since(c, after).await;
        self.read(self.limits.other, since).await
    }

    async fn follow(&self) -> Result<Box<dyn Feed>, StoreError> {
        Ok(Box::new(SqliteFeed(Some(self.changes.subscribe()))))
    }

    fn heartbeat(&self) -> Duration {
        HEARTBEAT
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        for what in Sweep::ALL {
            loop {
                let chain = self.chain.clone();
                let batch = async move |c: &mut Handle<'_>| sweep(c, &chain, what, now).await;
                if self.write(batch).await? == Swept::All {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Changes made through this engine. Who is too slow to take them is told, and gets no more.
#[derive(Debug)]
struct SqliteFeed(Option<broadcast::Receiver<Changed>>);

#[async_trait]
impl Feed for SqliteFeed {
    async fn next(&mut self) -> Result<Changed, StoreError> {
        let Some(receiver) = &mut self.0 else {
            return Err(StoreError::unavailable("the feed has ended"));
        };
        receiver.recv().await.map_err(|error| {
            self.0 = None;
            StoreError::unavailable(error)
        })
    }
}
