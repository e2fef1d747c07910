//! Stores of every kind, records to put into them, and a store that fails when it is told to.

use super::fixture::NOW;
use super::postgres::Cluster;
use async_trait::async_trait;
use lictor::activity::{ChainKey, Entry, Event, Head, Verb, Who, verify};
use lictor::catalog::Catalog;
use lictor::id::{CredentialId, NamespaceId, ServiceAccountId, SessionId};
use lictor::service_account::{
    AccountKind, AccountRecord, CredentialRecord, Impersonated, KnownBy, Machine,
};
use lictor::session::{
    Account, HandleSecret, Impersonation, KnownPerson, Origin, SealedTokens, SessionRecord,
};
use lictor::store::{
    self, AccountPage, AccountQuery, AccountTally, ActivityQuery, Change, Changes,
    ConnectionString, Feed, Kept, Machines, Once, SessionQuery, StorageSettings, Store, StoreError,
    StoreErrorKind, Usage, Use,
};
use lictor::tasks::Tasks;
use lictor::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

pub fn key() -> ChainKey {
    ChainKey::derive(&[7; 32])
}

pub const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(NOW + seconds)
}

// --- where records are kept

/// Where records are kept, to be opened as often as a test likes.
#[derive(Debug)]
pub struct Place {
    pub settings: StorageSettings,
    /// `storage`, as a configuration says it.
    pub yaml: String,
    folder: Option<tempfile::TempDir>,
}

impl Place {
    /// With much time, as the machine may have much else to do.
    fn kept(kept: Kept, yaml: &str) -> Self {
        let times = Duration::from_secs(20);
        let settings = StorageSettings::new(kept);
        let settings = StorageSettings { lookup_timeout: times, timeout: times, ..settings };
        let yaml = format!("storage: {{{yaml}, lookup_timeout: 20s, timeout: 20s}}\n");
        Self { settings, yaml, folder: None }
    }

    pub fn memory() -> Self {
        Self::kept(Kept::InMemory, "type: memory")
    }

    pub fn file() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = Self::in_file(folder.path().join("lictor.db"));
        Self { folder: Some(folder), ..file }
    }

    fn in_file(path: PathBuf) -> Self {
        let yaml = format!("type: sqlite, path: '{}'", path.display());
        Self::kept(Kept::InFile(path), &yaml)
    }

    /// A new database of the shared server.
    pub fn postgres() -> Self {
        Self::database(&Cluster::shared().database())
    }

    pub fn database(connection_string: &str) -> Self {
        let reached = ConnectionString::parse(connection_string).expect("a connection string");
        let yaml = format!("type: postgres, connection_string: '{connection_string}'");
        Self::kept(Kept::InPostgres(reached), &yaml)
    }

    /// A connection string, or the path of a file that the caller keeps.
    pub fn named(name: &str) -> Self {
        if name.starts_with("host=") {
            return Self::database(name);
        }
        Self::in_file(PathBuf::from(name))
    }

    /// With other times, so that a test of them is short.
    pub fn impatient(mut self) -> Self {
        self.settings.lookup_timeout = Duration::from_millis(700);
        self.settings.timeout = Duration::from_millis(1200);
        self
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.folder.as_ref().expect("a file").path().join("lictor.db")
    }

    pub async fn open(&self) -> Arc<dyn Store> {
        store::open(&self.settings, key(), Tasks::default()).await.expect("opens")
    }
}

/// Runs each behaviour on each engine.
macro_rules! on_every_engine {
    ($($behaviour:ident)*) => {
        mod sqlite_file {
            $(#[tokio::test]
            async fn $behaviour() {
                let place = $crate::support::store::Place::file();
                super::$behaviour(&place.open().await).await;
            })*
        }

        mod sqlite_memory {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour(&$crate::support::store::Place::memory().open().await).await;
            })*
        }

        mod postgres {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour(&$crate::support::store::Place::postgres().open().await).await;
            })*
        }

        /// The store that fails when it is told to, and is told nothing.
        mod faulty {
            $(#[tokio::test]
            async fn $behaviour() {
                let inner = $crate::support::store::Place::memory().open().await;
                let store: std::sync::Arc<dyn lictor::store::Store> = std::sync::Arc::new($crate::support::store::Faulty::new(inner));
                super::$behaviour(&store).await;
            })*
        }
    };
}

pub(crate) use on_every_engine;

/// Runs SQL in the file.
pub fn sqlite(path: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(path).expect("opens");
    connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

// --- records

pub fn id(number: u8) -> SessionId {
    HandleSecret::new([number; 32]).id()
}

/// A session of `user` for an hour.
pub fn session(number: u8, user: &str) -> SessionRecord {
    SessionRecord {
        id: id(number),
        account: account(user),
        provider: "https://idp.corp.test".to_owned(),
        provider_session: format!("sid-{number}"),
        opened: at(i64::from(number)),
        refreshed: at(i64::from(number)),
        expires: at(3600),
        impersonation: None,
        tokens: Some(SealedTokens { sealed: "c2VhbGVk".to_owned(), refresh_at: None }),
        origin: Origin {
            address: "192.0.2.1".to_owned(),
            request_id: "r-1".to_owned(),
            user_agent: "Browser".to_owned(),
        },
        version: 0,
    }
}

pub fn account(user: &str) -> Account {
    Account {
        user: user.to_owned(),
        email: format!("{user}@corp.test"),
        name: format!("Name of {user}"),
        groups: Some(vec!["g-all".to_owned()]),
        ..Account::default()
    }
}

pub fn acting(mut record: SessionRecord, email: &str, until: Timestamp) -> SessionRecord {
    record.impersonation = Some(Impersonation {
        email: Some(email.to_owned()),
        groups: Some(vec!["g-eng".to_owned()]),
        reason: "ticket 7".to_owned(),
        started: record.opened,
        until,
        known: None,
    });
    record
}

pub fn known(user: &str) -> KnownPerson {
    KnownPerson { account: account(user), provider: "local".to_owned(), last_sign_in: at(0) }
}

pub fn event(verb: Verb, user: &str) -> Event {
    Event {
        at: at(0),
        verb,
        actor: Who { user: user.to_owned(), email: format!("{user}@corp.test"), groups: vec![] },
        subject: None,
        session: None,
        reason: String::new(),
        detail: String::new(),
        origin: Origin::default(),
        deed: None,
    }
}

pub fn account_id(number: u32) -> ServiceAccountId {
    ServiceAccountId::parse(&format!("sa_{number:032x}")).expect("an id")
}

pub fn credential_id(number: u32) -> CredentialId {
    CredentialId::parse(&format!("cred_{number:032x}")).expect("an id")
}

pub fn namespace_id(name: &str) -> NamespaceId {
    NamespaceId::parse(name).expect("an id")
}

/// A unique account in the namespace `design`.
pub fn machine_account(number: u32, name: &str) -> AccountRecord {
    AccountRecord {
        id: account_id(number),
        namespace: namespace_id("design"),
        kind: AccountKind::Unique,
        user: format!("{name}@design.pomerium"),
        name: name.to_owned(),
        description: format!("Description of {name}"),
        originator: String::new(),
        created: at(i64::from(number)),
        created_by: "root@corp.test".to_owned(),
        modified: at(i64::from(number)),
        expires: None,
        disabled: None,
        deleted: None,
        used: None,
        version: 0,
    }
}

/// The same for somebody else.
pub fn impersonating(number: u32, user: &str) -> AccountRecord {
    let person = Impersonated { known: account(user), source: KnownBy::Directory };
    AccountRecord {
        kind: AccountKind::Impersonating(Box::new(person)),
        user: user.to_owned(),
        name: format!("Name of {user}"),
        ..machine_account(number, user)
    }
}

pub fn credential(number: u32, account: u32) -> CredentialRecord {
    CredentialRecord {
        id: credential_id(number),
        account: account_id(account),
        hint: "wxyz".to_owned(),
        issued: at(i64::from(number)),
        issued_by: "root@corp.test".to_owned(),
        expires: None,
        revoked: None,
        superseded: None,
        last_use: None,
    }
}

pub fn once(key: &str, expires: Timestamp) -> Once {
    Once { key: key.to_owned(), value: "{\"a\":1}".to_owned(), expires }
}

/// A sign-in of `u-NUMBER`: a session, and an entry that tells of it.
pub async fn write(store: &dyn Store, number: usize) -> Result<(), StoreErrorKind> {
    let user = format!("u-{number}");
    let id = HandleSecret::of_handle(&user).id();
    let changes = vec![Change::OpenSession(SessionRecord { id, ..session(0, &user) })];
    let done = store.commit(changes, vec![event(Verb::SignIn, &user)]).await;
    done.map(drop).map_err(|error| error.kind())
}

/// Every entry, after the whole log has been verified.
pub async fn verified_log(store: &dyn Store) -> Vec<Entry> {
    verified_log_with(store, &key()).await
}

pub async fn verified_log_with(store: &dyn Store, key: &ChainKey) -> Vec<Entry> {
    let (mut head, mut entries) = (Head::default(), Vec::new());
    loop {
        let page = store.activity_after(head.number, 100).await.expect("entries");
        if page.is_empty() {
            break;
        }
        head = verify(key, head, &page).expect("the chain holds");
        entries.extend(page);
    }
    assert_eq!(store.head().await.expect("a head"), head, "the head is the last entry");
    entries
}

// --- faults

/// When a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Never,
    /// Nothing is asked.
    Before,
    /// It is done, and the answer is lost.
    After,
}

/// A store whose calls fail as they are told to.
#[derive(Debug)]
pub struct Faulty {
    inner: Arc<dyn Store>,
    fault: AtomicU8,
    /// Milliseconds before every call.
    delay: AtomicU64,
}

impl Faulty {
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, fault: AtomicU8::new(0), delay: AtomicU64::new(0) }
    }

    /// From now on.
    pub fn fails(&self, fault: Fault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }

    /// How long every call waits first, from now on.
    pub fn delays(&self, delay: Duration) {
        let delay = u64::try_from(delay.as_millis()).expect("not that long");
        self.delay.store(delay, Ordering::SeqCst);
    }

    async fn around<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let delay = Duration::from_millis(self.delay.load(Ordering::SeqCst));
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let fault = self.fault.load(Ordering::SeqCst);
        if fault == Fault::Before as u8 {
            return Err(StoreError::unavailable("as asked, before"));
        }
        let done = call.await;
        if fault == Fault::After as u8 {
            return Err(StoreError::unavailable("as asked, after"));
        }
        done
    }
}

#[async_trait]
impl Machines for Faulty {
    async fn machine(&self, id: &CredentialId) -> Result<Option<Machine>, StoreError> {
        self.around(self.inner.machine(id)).await
    }

    async fn account(&self, id: &ServiceAccountId) -> Result<Option<AccountRecord>, StoreError> {
        self.around(self.inner.account(id)).await
    }

    async fn accounts(
        &self,
        which: &AccountQuery,
        now: Timestamp,
    ) -> Result<AccountPage, StoreError> {
        self.around(self.inner.accounts(which, now)).await
    }

    async fn accounts_by_namespace(
        &self,
        namespaces: Option<&BTreeSet<NamespaceId>>,
    ) -> Result<BTreeMap<NamespaceId, u64>, StoreError> {
        self.around(self.inner.accounts_by_namespace(namespaces)).await
    }

    async fn tally(
        &self,
        namespaces: Option<&BTreeSet<NamespaceId>>,
        now: Timestamp,
    ) -> Result<AccountTally, StoreError> {
        self.around(self.inner.tally(namespaces, now)).await
    }

    async fn credentials(
        &self,
        account: &ServiceAccountId,
    ) -> Result<Vec<CredentialRecord>, StoreError> {
        self.around(self.inner.credentials(account)).await
    }

    async fn catalog(&self) -> Result<Catalog, StoreError> {
        self.around(self.inner.catalog()).await
    }

    async fn note_uses(&self, uses: Vec<Use>) -> Result<(), StoreError> {
        self.around(self.inner.note_uses(uses)).await
    }

    async fn usage(
        &self,
        account: &ServiceAccountId,
        from_day: i64,
    ) -> Result<Vec<Usage>, StoreError> {
        self.around(self.inner.usage(account, from_day)).await
    }
}

#[async_trait]
impl Store for Faulty {
    async fn session(&self, id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        self.around(self.inner.session(id)).await
    }

    async fn sessions(
        &self,
        which: &SessionQuery,
        now: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        self.around(self.inner.sessions(which, now)).await
    }

    async fn commit(&self, changes: Vec<Change>, events: Vec<Event>) -> Result<Head, StoreError> {
        self.around(self.inner.commit(changes, events)).await
    }

    async fn person(&self, user: &str) -> Result<Option<KnownPerson>, StoreError> {
        self.around(self.inner.person(user)).await
    }

    async fn search_people(
        &self,
        text: &str,
        limit: usize,
    ) -> Result<Vec<KnownPerson>, StoreError> {
        self.around(self.inner.search_people(text, limit)).await
    }

    async fn keep_once(&self, once: Once) -> Result<(), StoreError> {
        self.around(self.inner.keep_once(once)).await
    }

    async fn once(&self, key: &str, now: Timestamp) -> Result<Option<Once>, StoreError> {
        self.around(self.inner.once(key, now)).await
    }

    async fn take_once(&self, key: &str, now: Timestamp) -> Result<Option<Once>, StoreError> {
        self.around(self.inner.take_once(key, now)).await
    }

    async fn activity(&self, which: &ActivityQuery) -> Result<Vec<Entry>, StoreError> {
        self.around(self.inner.activity(which)).await
    }

    async fn activity_after(&self, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.around(self.inner.activity_after(after, limit)).await
    }

    async fn head(&self) -> Result<Head, StoreError> {
        self.around(self.inner.head()).await
    }

    async fn changes_since(&self, after: u64) -> Result<Changes, StoreError> {
        self.around(self.inner.changes_since(after)).await
    }

    async fn follow(&self) -> Result<Box<dyn Feed>, StoreError> {
        self.around(self.inner.follow()).await
    }

    fn heartbeat(&self) -> Duration {
        self.inner.heartbeat()
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        self.around(self.inner.sweep(now)).await
    }
}
