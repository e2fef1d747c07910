//! Accounts and sessions that a store is filled with. Every secret follows from a number, so that tokens
//! need not be kept.

use anyhow::Context;
use aws_lc_rs::digest::{SHA256, digest};
use lictor::activity::ChainKey;
use lictor::clock::{Clock, SystemClock};
use lictor::config::{Config, Environment};
use lictor::id::{NamespaceId, ServiceAccountId};
use lictor::service_account::{AccountKind, AccountRecord, CredentialRecord, TokenSecret, hint_of};
use lictor::session::{Account, Handle, HandleSecret, Origin, SessionRecord};
use lictor::store::{self, Change, Store};
use lictor::tasks::Tasks;
use lictor::time::Timestamp;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// So many accounts or sessions are made in one transaction.
const BATCH: u64 = 2_000;
/// Whatever was made, was made then.
const MADE: Timestamp = Timestamp::from_unix(1_700_000_000);

pub fn loaded(file: &Path) -> anyhow::Result<Config> {
    Config::load(file, &Environment::default()).map_err(|problems| {
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", all.join("\n"))
    })
}

/// The store of a configuration, which may take its time.
pub async fn opened(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    let mut storage = config.storage.clone();
    storage.timeout = Duration::from_mins(30);
    let chain = ChainKey::derive(config.identity.secret.bytes());
    Ok(store::open(&storage, chain, Tasks::default()).await?)
}

/// How many of them, and where each belongs.
#[derive(Clone, Copy, Debug)]
pub struct Filling {
    pub accounts: u64,
    pub sessions: u64,
    pub namespace: fn(u64) -> String,
    pub host: fn(u64) -> String,
}

/// Fills a store that no server has open.
pub async fn fill(config: &Config, filling: Filling) -> anyhow::Result<()> {
    let Filling { accounts, sessions, namespace, host } = filling;
    let store = opened(config).await?;
    let key = *config.identity.secret.bytes();
    let batches = |count: u64| (0..count.div_ceil(BATCH)).map(move |batch| batch * BATCH);
    for first in batches(accounts) {
        let mut changes = Vec::new();
        for number in first..accounts.min(first + BATCH) {
            let (record, credential, _) = account(number, &namespace(number), &key)?;
            changes.push(Change::CreateAccount(record));
            changes.push(Change::AddCredential(credential));
        }
        store.commit(changes, Vec::new()).await?;
    }
    let now = SystemClock.now();
    for first in batches(sessions) {
        let numbers = first..sessions.min(first + BATCH);
        let opened =
            numbers.map(|number| Change::OpenSession(session(number, &host(number), &key, now).0));
        store.commit(opened.collect(), Vec::new()).await?;
    }
    // As a server does every minute.
    store.sweep(now).await?;
    Ok(())
}

/// 32 bytes that follow from what they are for and a number.
fn bytes(what: &str, number: u64) -> [u8; 32] {
    let hash = digest(&SHA256, format!("{what} {number}").as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash.as_ref());
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A unique account of this namespace, its credential and its token.
pub fn account(
    number: u64,
    namespace: &str,
    key: &[u8; 32],
) -> anyhow::Result<(AccountRecord, CredentialRecord, String)> {
    let name = hex(&bytes("account", number));
    let id = ServiceAccountId::parse(&format!("sa_{name:.32}")).context("an id")?;
    let namespace = NamespaceId::parse(namespace).context("a namespace")?;
    let name = format!("build-bot-{number:07}");
    let record = AccountRecord {
        user: format!("{name}@{namespace}.pomerium"),
        id,
        namespace,
        kind: AccountKind::Unique,
        name,
        description: format!("Builds and deploys service number {number}"),
        originator: String::new(),
        created: MADE.plus(Duration::from_secs(number % 1_000_000)),
        created_by: "admin@example.com".to_owned(),
        modified: MADE,
        expires: number.is_multiple_of(3).then(|| MADE.plus(Duration::from_hours(24 * 365 * 10))),
        disabled: None,
        deleted: None,
        used: None,
        version: 0,
    };
    let secret = TokenSecret::new(bytes("credential", number));
    let credential = CredentialRecord {
        id: secret.id(),
        account: record.id.clone(),
        hint: String::new(),
        issued: MADE,
        issued_by: "admin@example.com".to_owned(),
        expires: None,
        revoked: None,
        superseded: None,
        last_use: None,
    };
    let token = secret.token(&credential, &record, key);
    let credential = CredentialRecord { hint: hint_of(&token), ..credential };
    Ok((record, credential, token.expose().clone()))
}

/// A session and its cookie on this host.
pub fn session(number: u64, host: &str, key: &[u8; 32], now: Timestamp) -> (SessionRecord, String) {
    let secret = HandleSecret::new(bytes("session", number));
    let user = format!("u-{number}");
    // Days from now, and the same whenever it is asked.
    let expires = Timestamp::from_unix(now.unix() / 86_400 * 86_400 + 30 * 86_400);
    let says = Handle {
        issuer: "auth.localhost",
        audience: host,
        user: &user,
        expires,
        programmatic: false,
    };
    let handle = secret.handle(&says, key, MADE).expose().clone();
    let record = SessionRecord {
        id: secret.id(),
        account: Account {
            email: format!("{user}@example.com"),
            name: format!("Person {number}"),
            groups: Some(vec!["g-everybody".to_owned(), format!("g-{}", number % 200)]),
            user,
            ..Account::default()
        },
        provider: "http://127.0.0.1:9".to_owned(),
        provider_session: String::new(),
        opened: MADE,
        refreshed: now,
        expires,
        impersonation: None,
        tokens: None,
        origin: Origin {
            address: "192.0.2.7".to_owned(),
            request_id: format!("r-{number}"),
            user_agent: "Mozilla/5.0".to_owned(),
        },
        version: 0,
    };
    (record, handle)
}
