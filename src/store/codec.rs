//! Records as rows: the whole record as JSON, and beside it what is looked up, once more in columns of
//! its own. A row that does not say the same twice is no record.

mod catalog;
mod machines;

pub(super) use catalog::{CATALOG_COLUMNS, Kind, Stored, catalog};
pub(super) use machines::{
    ACCOUNT_COLUMNS, CREDENTIAL_COLUMNS, account, account_cells, credential, credential_cells,
    machine,
};

use super::StoreError;
use super::statement::{Cell, Row};
use crate::activity::{Entry, Who, event_json, event_of_json};
use crate::document::Number;
use crate::id::SessionId;
use crate::identity::{ClaimValue, Claims};
use crate::session::{Account, Impersonation, KnownPerson, Origin, SealedTokens, SessionRecord};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;

pub(super) const SESSION_COLUMNS: &str = "id, version, user_id, provider, provider_session, opened, \
    expires, refresh_at, acting_until, record";
pub(super) const PERSON_COLUMNS: &str =
    "user_id, user_folded, email_folded, name_folded, last_sign_in, record";
pub(super) const ENTRY_COLUMNS: &str = "number, at, verb, actor, actor_email, subject, subject_email, session, namespace, entity, \
    entity_id, outcome, event, hash";
/// Where `event` stands among them.
const EVENT: usize = 12;

/// The cells of a session, in the order of `SESSION_COLUMNS`.
pub(super) fn session_cells(record: &SessionRecord) -> Result<Vec<Cell>, StoreError> {
    let refresh_at = record.tokens.as_ref().and_then(|tokens| tokens.refresh_at);
    let acting_until = record.impersonation.as_ref().map(|impersonation| impersonation.until);
    Ok(vec![
        Cell::text(record.id.as_str()),
        Cell::number(record.version),
        Cell::text(&record.account.user),
        Cell::text(&record.provider),
        Cell::text(&record.provider_session),
        Cell::Int(record.opened.unix()),
        Cell::Int(record.expires.unix()),
        Cell::from(refresh_at.map(Timestamp::unix)),
        Cell::from(acting_until.map(Timestamp::unix)),
        json(&SessionJson::of(record))?,
    ])
}

pub(super) fn session(mut row: Row) -> Result<SessionRecord, StoreError> {
    let given = row.rest().to_vec();
    let name = row.text()?;
    let unreadable = |why: &str| StoreError::corrupt(format!("session {name}: {why}"));
    let id = SessionId::parse(&name).ok_or_else(|| unreadable("it has no such name"))?;
    let version = row.number()?;
    row.skip(7);
    let record: SessionJson = read(&row.text()?).map_err(|error| unreadable(&error))?;
    let record = record.record(id, version);
    agree(&given, &session_cells(&record)?).map_err(|error| unreadable(&error))?;
    Ok(record)
}

/// The cells of somebody known, in the order of `PERSON_COLUMNS`.
pub(super) fn person_cells(person: &KnownPerson) -> Result<Vec<Cell>, StoreError> {
    let KnownPerson { account, provider, last_sign_in } = person;
    let record = PersonJson {
        account: AccountJson::of(account),
        provider: provider.clone(),
        last_sign_in: last_sign_in.unix(),
    };
    Ok(vec![
        Cell::text(&account.user),
        Cell::text(&folded(&account.user)),
        Cell::text(&folded(&account.email)),
        Cell::text(&folded(&account.name)),
        Cell::Int(last_sign_in.unix()),
        json(&record)?,
    ])
}

pub(super) fn person(mut row: Row) -> Result<KnownPerson, StoreError> {
    let given = row.rest().to_vec();
    row.skip(5);
    let unreadable = |why: String| StoreError::corrupt(format!("a person: {why}"));
    let record: PersonJson = read(&row.text()?).map_err(unreadable)?;
    let PersonJson { account, provider, last_sign_in } = record;
    let last_sign_in = Timestamp::from_unix(last_sign_in);
    let person = KnownPerson { account: account.account(), provider, last_sign_in };
    agree(&given, &person_cells(&person)?).map_err(unreadable)?;
    Ok(person)
}

/// The cells of an entry, in the order of `ENTRY_COLUMNS`.
pub(super) fn entry_cells(entry: &Entry) -> Vec<Cell> {
    let Entry { number, event, hash } = entry;
    let nobody = Who::default();
    let subject = event.subject.as_ref().unwrap_or(&nobody);
    let session = event.session.as_ref();
    let deed = event.deed.as_ref();
    let namespace = deed.and_then(|deed| deed.namespace.as_ref());
    vec![
        Cell::number(*number),
        Cell::Int(event.at.unix()),
        Cell::text(event.verb.name()),
        Cell::text_if_any(&event.actor.user),
        Cell::text_if_any(&folded(&event.actor.email)),
        Cell::text_if_any(&subject.user),
        Cell::text_if_any(&folded(&subject.email)),
        session.map_or(Cell::Null, |session| Cell::text(session.as_str())),
        namespace.map_or(Cell::Null, |namespace| Cell::text(namespace.as_str())),
        deed.map_or(Cell::Null, |deed| Cell::text(deed.entity.name())),
        deed.map_or(Cell::Null, |deed| Cell::text_if_any(&deed.id)),
        deed.map_or(Cell::Null, |deed| Cell::text(deed.outcome.name())),
        Cell::Text(event_json(event).to_string()),
        Cell::text(hash),
    ]
}

pub(super) fn entry(mut row: Row) -> Result<Entry, StoreError> {
    let given = row.rest().to_vec();
    let number = row.number()?;
    let unreadable = |why: &str| StoreError::corrupt(format!("entry {number}: {why}"));
    row.skip(11);
    let event: Value = read(&row.text()?).map_err(|error| unreadable(&error))?;
    let event = event_of_json(&event).ok_or_else(|| unreadable("it is no event"))?;
    let entry = Entry { number, event, hash: row.text()? };
    let mut wanted = entry_cells(&entry);
    // The event is not compared as text: members may stand in any order.
    wanted.splice(EVENT..=EVENT, given.get(EVENT).cloned());
    if wanted == given { Ok(entry) } else { Err(unreadable("its columns say something else")) }
}

/// A text as it is compared whatever its case.
pub(super) fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// Every column but the last says what the record says.
fn agree(given: &[Cell], wanted: &[Cell]) -> Result<(), String> {
    let columns = |cells: &[Cell]| cells.split_last().map(|(_, columns)| columns.to_vec());
    if columns(given) == columns(wanted) {
        Ok(())
    } else {
        Err("its columns say something else".to_owned())
    }
}

fn json(record: &impl Serialize) -> Result<Cell, StoreError> {
    serde_json::to_string(record).map(Cell::Text).map_err(StoreError::corrupt)
}

/// The error says where, and nothing of what stands there.
fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("its JSON is not that of a record, at line {line} column {column}")
    })
}

// === records as JSON ===

#[derive(Serialize, Deserialize)]
struct SessionJson {
    account: AccountJson,
    provider: String,
    provider_session: String,
    opened: i64,
    refreshed: i64,
    expires: i64,
    impersonation: Option<ImpersonationJson>,
    tokens: Option<TokensJson>,
    address: String,
    request_id: String,
    user_agent: String,
}

#[derive(Serialize, Deserialize)]
struct PersonJson {
    account: AccountJson,
    provider: String,
    last_sign_in: i64,
}

#[derive(Serialize, Deserialize)]
struct AccountJson {
    user: String,
    email: String,
    name: String,
    groups: Option<Vec<String>>,
    #[serde(serialize_with = "write_claims")]
    claims: BTreeMap<String, ClaimValue>,
}

#[derive(Serialize, Deserialize)]
struct ImpersonationJson {
    email: Option<String>,
    groups: Option<Vec<String>>,
    reason: String,
    started: i64,
    until: i64,
    known: Option<AccountJson>,
}

#[derive(Serialize, Deserialize)]
struct TokensJson {
    sealed: String,
    refresh_at: Option<i64>,
}

impl SessionJson {
    fn of(record: &SessionRecord) -> Self {
        let Origin { address, request_id, user_agent } = record.origin.clone();
        Self {
            account: AccountJson::of(&record.account),
            provider: record.provider.clone(),
            provider_session: record.provider_session.clone(),
            opened: record.opened.unix(),
            refreshed: record.refreshed.unix(),
            expires: record.expires.unix(),
            impersonation: record.impersonation.as_ref().map(ImpersonationJson::of),
            tokens: record.tokens.as_ref().map(|tokens| TokensJson {
                sealed: tokens.sealed.clone(),
                refresh_at: tokens.refresh_at.map(Timestamp::unix),
            }),
            address,
            request_id,
            user_agent,
        }
    }

    fn record(self, id: SessionId, version: u64) -> SessionRecord {
        let Self { address, request_id, user_agent, .. } = self;
        SessionRecord {
            id,
            account: self.account.account(),
            provider: self.provider,
            provider_session: self.provider_session,
            opened: Timestamp::from_unix(self.opened),
            refreshed: Timestamp::from_unix(self.refreshed),
            expires: Timestamp::from_unix(self.expires),
            impersonation: self.impersonation.map(ImpersonationJson::impersonation),
            tokens: self.tokens.map(|tokens| SealedTokens {
                sealed: tokens.sealed,
                refresh_at: tokens.refresh_at.map(Timestamp::from_unix),
            }),
            origin: Origin { address, request_id, user_agent },
            version,
        }
    }
}

impl AccountJson {
    fn of(account: &Account) -> Self {
        let Account { user, email, name, groups, claims } = account.clone();
        Self { user, email, name, groups, claims: claims.as_map().clone() }
    }

    fn account(self) -> Account {
        let Self { user, email, name, groups, claims } = self;
        Account { user, email, name, groups, claims: Claims::new(claims) }
    }
}

impl ImpersonationJson {
    fn of(impersonation: &Impersonation) -> Self {
        let Impersonation { email, groups, reason, started, until, known } = impersonation.clone();
        let known = known.as_ref().map(AccountJson::of);
        Self { email, groups, reason, started: started.unix(), until: until.unix(), known }
    }

    fn impersonation(self) -> Impersonation {
        let Self { email, groups, reason, started, until, known } = self;
        let (started, until) = (Timestamp::from_unix(started), Timestamp::from_unix(until));
        let known = known.map(AccountJson::account);
        Impersonation { email, groups, reason, started, until, known }
    }
}

fn write_claims<S: Serializer>(
    claims: &BTreeMap<String, ClaimValue>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let values = claims.iter().map(|(name, value)| (name, claim_json(value)));
    values.collect::<BTreeMap<_, _>>().serialize(serializer)
}

fn claim_json(value: &ClaimValue) -> Value {
    match value {
        ClaimValue::Null => Value::Null,
        ClaimValue::Bool(value) => Value::Bool(*value),
        ClaimValue::Number(Number::Integer(integer)) => {
            serde_json::Number::from_i128(*integer).map_or(Value::Null, Value::Number)
        }
        ClaimValue::Number(Number::Float(float)) => {
            serde_json::Number::from_f64(*float).map_or(Value::Null, Value::Number)
        }
        ClaimValue::Text(text) => Value::String(text.clone()),
        ClaimValue::List(items) => Value::Array(items.iter().map(claim_json).collect()),
        ClaimValue::Map(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), claim_json(value)));
            Value::Object(members.collect())
        }
    }
}

#[cfg(test)]
mod tests;
