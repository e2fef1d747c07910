//! What must outlive a process and be the same on every replica: sessions, known people, one-time
//! values and the activity log. Two engines behind one trait; time is an argument.
//!
//! A change and the entries that tell of it are one transaction. Transactions that change something
//! come one after the other, so that changes are numbered in the order in which they can be seen.

mod accounts;
mod cache;
mod catalog;
mod changes;
mod codec;
mod error;
mod follow;
mod log;
mod machines;
mod migrations;
mod once;
mod people;
mod postgres;
mod sessions;
mod settings;
mod sqlite;
mod statement;
mod sweep;
mod transaction;
mod uses;
mod verify;

pub use cache::{CacheLimits, Records, Seen, SessionCache, Sessionless, Silence};
pub use error::{Clash, StoreError, StoreErrorKind};
pub use follow::{Touch, follow};
pub use machines::{
    AccountPage, AccountQuery, AccountTally, Filter, Machines, SortKey, Sorted, Usage, Use,
};
pub use postgres::{ConnectionString, ConnectionStringError};
pub use settings::{Kept, StorageSettings};
pub use verify::{LogError, verify_log};

use crate::activity::{ChainKey, Entry, Event, Head, Verb};
use crate::catalog::{Blocked, PolicyRecord, RouteRecord};
use crate::id::{CredentialId, NamespaceId, PermissionId, PolicyId, RouteId, SessionId};
use crate::namespace::{NamespaceRecord, Permission};
use crate::service_account::{AccountRecord, CredentialRecord};
use crate::session::{KnownPerson, SessionRecord};
use crate::tasks::Tasks;
use crate::time::{GoDuration, Timestamp};
use async_trait::async_trait;
use postgres::Postgres;
use settings::Opening;
use sqlite::Sqlite;
use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// Opens a store to serve from: makes its file and its tables if they are not there.
///
/// A PostgreSQL server need not answer yet; it is asked when it is needed first. [`Store::head`] tells
/// whether it answers.
///
/// # Errors
/// A file that cannot be made or used, and CAs that cannot be read.
pub async fn open(
    settings: &StorageSettings,
    chain: ChainKey,
    tasks: Tasks,
) -> Result<Arc<dyn Store>, StoreError> {
    open_for(Opening::ToServe, settings, chain, tasks).await
}

/// Opens a store that is there. Makes no file and no tables.
///
/// # Errors
/// There is none, and as [`open`].
pub async fn open_existing(
    settings: &StorageSettings,
    chain: ChainKey,
    tasks: Tasks,
) -> Result<Arc<dyn Store>, StoreError> {
    if settings.kept == Kept::InMemory {
        let message = "it is kept in the memory of the process that serves";
        return Err(StoreError::unavailable(message));
    }
    open_for(Opening::ToLook, settings, chain, tasks).await
}

async fn open_for(
    opening: Opening,
    settings: &StorageSettings,
    chain: ChainKey,
    tasks: Tasks,
) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match &settings.kept {
        Kept::InMemory => Arc::new(Sqlite::in_memory(settings, (chain, tasks)).await?),
        Kept::InFile(path) => {
            Arc::new(Sqlite::open_file(path, settings, opening, (chain, tasks)).await?)
        }
        Kept::InPostgres(reached) => Arc::new(Postgres::new(reached, settings, opening, chain)?),
    })
}

/// What comes of `work`, if it comes in time.
async fn bounded<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        Err(StoreError::unavailable(format!("no answer within {}", GoDuration(limit))))
    })
}

/// An engine that keeps records.
///
/// Whatever is asked, an answer or an error comes within the times of [`StorageSettings`]. After
/// `Unavailable` a change may have been made or not, but never half of it.
#[async_trait]
pub trait Store: Machines {
    /// `None` if there is no such session, or no more.
    async fn session(&self, id: &SessionId) -> Result<Option<SessionRecord>, StoreError>;

    /// Sessions that are in force at `now`, the latest first; with `refresh_before`, the most overdue
    /// first.
    async fn sessions(
        &self,
        which: &SessionQuery,
        now: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError>;

    /// Makes all changes and appends all events, or nothing. Gives the new end of the log.
    ///
    /// # Errors
    /// `Conflict` if a record is not as the change supposes.
    async fn commit(&self, changes: Vec<Change>, events: Vec<Event>) -> Result<Head, StoreError>;

    /// Somebody who signed in before, by user id.
    async fn person(&self, user: &str) -> Result<Option<KnownPerson>, StoreError>;

    /// People whose user id, e-mail address or name holds `text`, whatever its case: exact first, then
    /// by beginning, then by e-mail address.
    async fn search_people(&self, text: &str, limit: usize)
    -> Result<Vec<KnownPerson>, StoreError>;

    /// Keeps a value that can be taken once, until it expires.
    ///
    /// # Errors
    /// `Conflict` if there is one by that key.
    async fn keep_once(&self, once: Once) -> Result<(), StoreError>;

    /// Looks at a value, which stays.
    async fn once(&self, key: &str, now: Timestamp) -> Result<Option<Once>, StoreError>;

    /// Takes a value, which is gone with that. Of several who ask at once, one gets it.
    async fn take_once(&self, key: &str, now: Timestamp) -> Result<Option<Once>, StoreError>;

    /// Entries of the activity log, the latest first.
    async fn activity(&self, which: &ActivityQuery) -> Result<Vec<Entry>, StoreError>;

    /// Up to `limit` entries after number `after`, in order.
    async fn activity_after(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError>;

    /// The end of the log.
    async fn head(&self) -> Result<Head, StoreError>;

    /// Which records changed after change number `after`.
    async fn changes_since(&self, after: u64) -> Result<Changes, StoreError>;

    /// A feed of changes from when this returns, in the order of their numbers. It tells of all that
    /// the engine can hear of at once: PostgreSQL of everybody's, SQLite of those by this process.
    async fn follow(&self) -> Result<Box<dyn Feed>, StoreError>;

    /// How often `changes_since` should be asked besides the feed: the bound on how late a change is
    /// seen that the feed does not tell, or if it fails without a sign.
    fn heartbeat(&self) -> Duration;

    /// Removes what has expired: sessions, one-time values, and notes of changes that are old enough;
    /// and ends impersonations that are over, on sessions that are not. Each end of an impersonation
    /// is an `ImpersonationEnd` in the same transaction, at the instant when it was over.
    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError>;
}

/// Changes as they happen.
#[async_trait]
pub trait Feed: fmt::Debug + Send {
    /// Waits for the next change. May be given up waiting for, and asked again, without losing one.
    ///
    /// # Errors
    /// The feed is broken; nothing comes any more.
    async fn next(&mut self) -> Result<Changed, StoreError>;
}

/// One change: its number, and which record is not any more what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    pub number: u64,
    pub record: RecordKey,
}

/// What can change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKey {
    Session(SessionId),
    /// A credential, or the account it is of.
    Credential(CredentialId),
    /// Anything in the catalog.
    Catalog,
}

/// What has changed since a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The number of the last change there is.
    pub latest: u64,
    /// `None` if notes of some are not kept any more: then anything may have changed.
    pub changed: Option<Vec<Changed>>,
}

/// A change to be made.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A session that nobody has yet.
    OpenSession(SessionRecord),
    /// Another state of a session. `version` of the record is the one it is based on; the stored one
    /// is one higher.
    UpdateSession(SessionRecord),
    /// The session is gone. That it is gone already is no conflict.
    EndSession(SessionId),
    /// Somebody signed in.
    KnowPerson(KnownPerson),
    /// Nothing; but the catalog must be of this version.
    ExpectCatalog(u64),
    /// The catalog must be of this version and becomes the next. Stands before whatever changes it, which
    /// is a conflict otherwise.
    NextCatalog(u64),
    /// A new namespace, whose `version` is zero, or another state of it, whose `version` is the one it is
    /// based on; the stored one is one higher. Policies and routes likewise.
    PutNamespace(NamespaceRecord),
    /// The namespace is gone. In use while there is a service account in it.
    RemoveNamespace(NamespaceId),
    /// Taken if there is another one of the same subject in the namespace.
    PutPermission(Permission),
    RemovePermission(PermissionId),
    /// Taken if there is another one of the same name in the namespace, whatever its case.
    PutPolicy(PolicyRecord),
    RemovePolicy(PolicyId),
    PutRoute(RouteRecord),
    RemoveRoute(RouteId),
    Block(Blocked),
    /// By user id.
    Unblock(String),
    CloseBootstrap(Timestamp),
    /// An account that is not there yet. Taken if there is a unique one of this user id.
    CreateAccount(AccountRecord),
    /// Another state of an account, deleted included; `version` is the one it is based on. Says nothing of
    /// its use. Whose it is and where cannot change, and one that is deleted stays so.
    UpdateAccount(AccountRecord),
    /// A credential that is not there yet, of an account that is.
    AddCredential(CredentialRecord),
    /// Another state of a credential. Says nothing of its use. Of `expires`, `revoked` and `superseded`
    /// the earlier instant stays, whoever else changed it meanwhile.
    UpdateCredential(CredentialRecord),
    /// A value that can be kept once; else a conflict. One that has expired by then makes room.
    KeepOnce(Once, Timestamp),
}

/// Which sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionQuery {
    /// Of this user id.
    pub user: Option<String>,
    /// By the provider's own names: provider, and session or user id there.
    pub at_provider: Option<AtProvider>,
    /// Only those that act as somebody else.
    pub impersonating: bool,
    /// Only those whose tokens should be refreshed by then.
    pub refresh_before: Option<Timestamp>,
    /// Only those whose id is a later one, and then in the order of ids: one page after the other costs the
    /// same, however many there are.
    pub after: Option<SessionId>,
    /// After so many.
    pub offset: usize,
    /// At most so many.
    pub limit: usize,
}

/// A session as its provider names it (`OpenID` Connect Back-Channel Logout 1.0 §2.4). Without a name
/// for session or user nobody's is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtProvider {
    pub provider: String,
    /// `sid`
    pub session: Option<String>,
    /// `sub`
    pub user: Option<String>,
}

/// Which entries of the activity log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivityQuery {
    /// Actor or subject has this user id or e-mail address.
    pub who: Option<String>,
    pub session: Option<SessionId>,
    /// Only entries with a lower number.
    pub before: Option<u64>,
    /// Only entries with a higher number, and then the earliest first.
    pub after: Option<u64>,
    /// Only acts in these namespaces.
    pub namespaces: Option<BTreeSet<NamespaceId>>,
    /// About this kind of thing, by its name.
    pub entity: Option<&'static str>,
    /// About this very thing.
    pub entity_id: Option<String>,
    pub verb: Option<Verb>,
    /// Only acts that ended so, by its name.
    pub outcome: Option<&'static str>,
    /// Not before, and before.
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub limit: usize,
}

/// A value that can be taken once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// Derived from a secret, never the secret itself.
    pub key: String,
    /// JSON.
    pub value: String,
    pub expires: Timestamp,
}
