//! PostgreSQL: a bounded pool of connections for statements, and one connection for each feed, which is
//! told of changes by `NOTIFY` in the transaction that makes them.
//!
//! Transactions that change something lock the row of the head first, so that changes and entries are
//! numbered in the order of commits. The server need not answer when the engine is made: it is asked, and
//! its tables are made, when it is needed first.

mod connection_string;
mod feed;
mod lease;
mod machines;
mod tls;

pub use connection_string::{ConnectionString, ConnectionStringError};

use super::migrations;
use super::settings::{Limits, Opening, StorageSettings};
use super::statement::{Connection as _, Statement};
use super::sweep::{Sweep, Swept, sweep};
use super::{
    ActivityQuery, Change, Changes, Feed, Once, SessionQuery, Store, StoreError, bounded, changes,
    log, once, people, sessions, transaction,
};
use crate::activity::{ChainKey, Entry, Event, Head};
use crate::id::SessionId;
use crate::session::{KnownPerson, SessionRecord};
use crate::time::Timestamp;
use async_trait::async_trait;
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod};
use lease::{Lease, failure};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio_postgres::Config;
use tokio_postgres::error::DbError;
use tokio_postgres_rustls::MakeRustlsConnect;

/// So many statements run at once; each connection is a process of the server.
const CONNECTIONS: usize = 8;
/// Bounds how late a change is seen if notifications are lost without a sign.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Whoever makes the tables holds this lock: `lictor` in ASCII.
const MIGRATING: i64 = 0x6c69_6374_6f72;

/// The engine.
#[derive(Debug)]
pub(super) struct Postgres {
    config: Config,
    tls: Tls,
    pool: Pool,
    chain: ChainKey,
    limits: Limits,
    opening: Opening,
    /// The channel of notifications, once the tables are there.
    channel: OnceCell<String>,
}

/// How a connection is encrypted.
#[derive(Clone)]
struct Tls(MakeRustlsConnect);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Postgres {
    /// Asks no server yet.
    ///
    /// # Errors
    /// Certificates that cannot be read.
    pub(super) fn new(
        reached: &ConnectionString,
        settings: &StorageSettings,
        opening: Opening,
        chain: ChainKey,
    ) -> Result<Self, StoreError> {
        let limits = Limits::of(settings);
        let config = reached.config(limits.other);
        let tls = Tls(MakeRustlsConnect::new(tls::client(reached.trust())?));
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(config.clone(), tls.0.clone(), recycling);
        let pool = Pool::builder(manager).max_size(CONNECTIONS).post_create(first_words(limits));
        let pool = pool.build().map_err(StoreError::unavailable)?;
        let channel = OnceCell::new();
        Ok(Self { config, tls, pool, chain, limits, opening, channel })
    }

    /// A connection to a server whose tables are there.
    async fn lease(&self) -> Result<Lease<'_>, StoreError> {
        let channel = self.channel.get_or_try_init(|| self.prepare()).await?;
        Lease::of(&self.pool, channel).await
    }

    /// Makes the tables, or looks whether they are there. Gives the channel of this schema.
    async fn prepare(&self) -> Result<String, StoreError> {
        let mut lease = Lease::of(&self.pool, "").await?;
        let channel = match self.opening {
            Opening::ToServe => match migrate(&mut lease).await {
                Ok(()) => look(&mut lease).await,
                Err(error) => Err(error),
            },
            Opening::ToLook => look_only(&mut lease).await,
        };
        lease.settle(channel)
    }
}

/// A role that may not make tables does, if somebody else has made them.
async fn migrate(lease: &mut Lease<'_>) -> Result<(), StoreError> {
    let runner = migrations::of_postgres();
    if applied(lease).await? >= Some(migrations::latest(&runner)) {
        return Ok(());
    }
    let client = lease.client()?;
    client.query("SELECT pg_advisory_lock($1)", &[&MIGRATING]).await.map_err(failure)?;
    let migrated = runner.run_async(&mut ***client).await;
    migrated.map_err(|error| StoreError::unavailable(in_words(&error)))?;
    let unlocked = client.query("SELECT pg_advisory_unlock($1)", &[&MIGRATING]).await;
    unlocked.map(drop).map_err(failure)
}

/// The version of the last migration that was made, if one was.
async fn applied(lease: &mut Lease<'_>) -> Result<Option<i64>, StoreError> {
    let mut connection = lease.connection()?;
    let there = "SELECT count(*) FROM pg_class WHERE oid = to_regclass('lictor_migrations')";
    let there = connection.first(Statement::new(there, Vec::new())).await?;
    match there.map(|mut row| row.int()).transpose()? {
        Some(1) => {}
        Some(_) | None => return Ok(None),
    }
    let last = "SELECT max(version)::bigint FROM lictor_migrations";
    let last = connection.first(Statement::new(last, Vec::new())).await?;
    last.map_or(Ok(None), |mut row| row.maybe_int())
}

/// An error of a migration without what the server says of rows.
fn in_words(error: &refinery::Error) -> String {
    use std::error::Error as _;
    let cause = error.source().and_then(|cause| cause.downcast_ref::<tokio_postgres::Error>());
    let cause = cause.and_then(|cause| cause.as_db_error()).map(DbError::message);
    format!("the tables cannot be made: {}", cause.unwrap_or("the connection broke"))
}

/// The channel of the schema in which the tables are.
async fn look(lease: &mut Lease<'_>) -> Result<String, StoreError> {
    let sql = "SELECT current_setting('server_encoding'), \
        (SELECT 'lictor_' || n.oid::text FROM pg_class c \
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass('lictor_head'))";
    let row = lease.connection()?.first(Statement::new(sql, Vec::new())).await?;
    let mut row = row.ok_or_else(|| StoreError::unavailable("the server says nothing"))?;
    let encoding = row.text()?;
    if encoding != "UTF8" {
        let message = format!("the encoding of the database is {encoding}; it must be UTF8");
        return Err(StoreError::unavailable(message));
    }
    row.text().map_err(|_| StoreError::unavailable("the database has no tables of Lictor's"))
}

/// The same, if the tables are all there.
async fn look_only(lease: &mut Lease<'_>) -> Result<String, StoreError> {
    let channel = look(lease).await?;
    let latest = migrations::latest(&migrations::of_postgres());
    match applied(lease).await? {
        Some(applied) if applied >= latest => Ok(channel),
        Some(_) | None => Err(StoreError::unavailable(migrations::EARLIER)),
    }
}

/// What every connection is told first: nothing may go on for ever, whatever the server's own settings.
fn first_words(limits: Limits) -> Hook {
    let limit = limits.other.as_millis().max(1);
    let words = format!(
        "SET statement_timeout = {limit}; SET lock_timeout = {limit}; \
         SET idle_in_transaction_session_timeout = {idle}; \
         SET default_transaction_isolation = 'read committed'",
        idle = limit.saturating_mul(2),
    );
    Hook::async_fn(move |client, _| {
        let words = words.clone();
        Box::pin(async move { client.batch_execute(&words).await.map_err(HookError::Backend) })
    })
}

#[async_trait]
impl Store for Postgres {
    async fn session(&self, id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        bounded(self.limits.lookup, async {
            let mut lease = self.lease().await?;
            let found = sessions::find(&mut lease.connection()?, id).await;
            lease.settle(found)
        })
        .await
    }

    async fn sessions(
        &self,
        which: &SessionQuery,
        now: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let found = sessions::list(&mut lease.connection()?, which, now).await;
            lease.settle(found)
        })
        .await
    }

    async fn commit(&self, changes: Vec<Change>, events: Vec<Event>) -> Result<Head, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let mut open = lease.begin().await?;
            let head = transaction::commit(&mut open, &self.chain, changes, events).await;
            let head = open.end(head).await;
            lease.settle(head)
        })
        .await
    }

    async fn person(&self, user: &str) -> Result<Option<KnownPerson>, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let found = people::find(&mut lease.connection()?, user).await;
            lease.settle(found)
        })
        .await
    }

    async fn search_people(
        &self,
        text: &str,
        limit: usize,
    ) -> Result<Vec<KnownPerson>, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let found = people::search(&mut lease.connection()?, text, limit).await;
            lease.settle(found)
        })
        .await
    }

    async fn keep_once(&self, once: Once) -> Result<(), StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let kept = once::keep(&mut lease.connection()?, &once).await;
            lease.settle(kept)
        })
        .await
    }

    async fn once(&self, key: &str, now: Timestamp) -> Result<Option<Once>, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let found = once::find(&mut lease.connection()?, key, now).await;
            lease.settle(found)
        })
        .await
    }

    async fn take_once(&self, key: &str, now: Timestamp) -> Result<Option<Once>, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let taken = once::take(&mut lease.connection()?, key, now).await;
            lease.settle(taken)
        })
        .await
    }

    async fn activity(&self, which: &ActivityQuery) -> Result<Vec<Entry>, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let found = log::list(&mut lease.connection()?, which).await;
            lease.settle(found)
        })
        .await
    }

    async fn activity_after(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let found = log::after(&mut lease.connection()?, after, limit).await;
            lease.settle(found)
        })
        .await
    }

    async fn head(&self) -> Result<Head, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let end = log::end(&mut lease.connection()?).await;
            lease.settle(end.map(|end| end.head))
        })
        .await
    }

    async fn changes_since(&self, after: u64) -> Result<Changes, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let changes = changes::since(&mut lease.connection()?, after).await;
            lease.settle(changes)
        })
        .await
    }

    async fn follow(&self) -> Result<Box<dyn Feed>, StoreError> {
        bounded(self.limits.other, async {
            let channel = self.channel.get_or_try_init(|| self.prepare()).await?;
            let feed = feed::listen(&self.config, self.tls.0.clone(), channel).await?;
            Ok(Box::new(feed) as Box<dyn Feed>)
        })
        .await
    }

    fn heartbeat(&self) -> Duration {
        HEARTBEAT
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        for what in Sweep::ALL {
            while self.sweep_batch(what, now).await? == Swept::Part {}
        }
        Ok(())
    }
}

impl Postgres {
    async fn sweep_batch(&self, what: Sweep, now: Timestamp) -> Result<Swept, StoreError> {
        bounded(self.limits.other, async {
            let mut lease = self.lease().await?;
            let mut open = lease.begin().await?;
            let swept = sweep(&mut open, &self.chain, what, now).await;
            let swept = open.end(swept).await;
            lease.settle(swept)
        })
        .await
    }
}
