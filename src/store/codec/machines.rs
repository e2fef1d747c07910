//! Service accounts and credentials as rows. When they were last used stands in columns alone: a use is
//! no change of the record.

use super::{AccountJson, agree, folded, json, read};
use crate::id::{CredentialId, NamespaceId, ServiceAccountId};
use crate::service_account::{
    AccountKind, AccountRecord, CredentialRecord, Impersonated, KnownBy, LastUse, Machine,
};
use crate::store::StoreError;
use crate::store::statement::{Cell, Row};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

pub(in crate::store) const ACCOUNT_COLUMNS: &str = "id, version, namespace, impersonating, \
    user_id, searched, created, expires, disabled, deleted, used, record";
/// Where `searched` stands among them.
const SEARCHED: usize = 5;
pub(in crate::store) const CREDENTIAL_COLUMNS: &str =
    "id, account, issued, ends, used, used_address, used_route, record";
/// How many [`CREDENTIAL_COLUMNS`] there are.
const CREDENTIAL_CELLS: usize = 8;

/// The cells of an account, in the order of `ACCOUNT_COLUMNS`.
pub(in crate::store) fn account_cells(record: &AccountRecord) -> Result<Vec<Cell>, StoreError> {
    Ok(vec![
        Cell::text(record.id.as_str()),
        Cell::number(record.version),
        Cell::text(record.namespace.as_str()),
        Cell::Int(i64::from(record.is_impersonating())),
        Cell::text(&record.user),
        Cell::text(&searched(record)),
        Cell::Int(record.created.unix()),
        Cell::from(record.expires.map(Timestamp::unix)),
        Cell::from(record.disabled.map(Timestamp::unix)),
        Cell::from(record.deleted.map(Timestamp::unix)),
        Cell::from(record.used.map(Timestamp::unix)),
        json(&MachineAccountJson::of(record))?,
    ])
}

/// What an account is found by.
fn searched(record: &AccountRecord) -> String {
    folded(&format!("{}\n{}\n{}", record.user, record.name, record.description))
}

pub(in crate::store) fn account(mut row: Row) -> Result<AccountRecord, StoreError> {
    let given = row.rest().to_vec();
    let name = row.text()?;
    let unreadable = |why: &str| StoreError::corrupt(format!("service account {name}: {why}"));
    let id = ServiceAccountId::parse(&name).ok_or_else(|| unreadable("it has no such name"))?;
    let version = row.number()?;
    row.skip(8);
    let used = row.maybe_int()?.map(Timestamp::from_unix);
    let record: MachineAccountJson = read(&row.text()?).map_err(|error| unreadable(&error))?;
    let record = record.record(id, (version, used));
    let record = record.ok_or_else(|| unreadable("its record names what cannot be"))?;
    let mut wanted = account_cells(&record)?;
    // What it is found by is not compared: a later version may fold letters otherwise.
    wanted.splice(SEARCHED..=SEARCHED, given.get(SEARCHED).cloned());
    agree(&given, &wanted).map_err(|error| unreadable(&error))?;
    Ok(record)
}

/// The cells of a credential, in the order of `CREDENTIAL_COLUMNS`.
pub(in crate::store) fn credential_cells(
    record: &CredentialRecord,
) -> Result<Vec<Cell>, StoreError> {
    let ends = [record.expires, record.revoked, record.superseded].into_iter().flatten().min();
    let used = record.last_use.as_ref();
    Ok(vec![
        Cell::text(record.id.as_str()),
        Cell::text(record.account.as_str()),
        Cell::Int(record.issued.unix()),
        Cell::from(ends.map(Timestamp::unix)),
        Cell::from(used.map(|used| used.at.unix())),
        used.map_or(Cell::Null, |used| Cell::text(&used.address)),
        used.map_or(Cell::Null, |used| Cell::text(&used.route)),
        json(&CredentialJson::of(record))?,
    ])
}

pub(in crate::store) fn credential(mut row: Row) -> Result<CredentialRecord, StoreError> {
    let given = row.rest().to_vec();
    let name = row.text()?;
    let unreadable = |why: &str| StoreError::corrupt(format!("credential {name}: {why}"));
    let id = CredentialId::parse(&name).ok_or_else(|| unreadable("it has no such name"))?;
    row.skip(3);
    let last_use = match row.maybe_int()?.map(Timestamp::from_unix) {
        Some(at) => Some(LastUse { at, address: row.original()?, route: row.original()? }),
        None => {
            row.skip(2);
            None
        }
    };
    let record: CredentialJson = read(&row.text()?).map_err(|error| unreadable(&error))?;
    let record = record.record(id, last_use);
    let record = record.ok_or_else(|| unreadable("its record names what cannot be"))?;
    agree(&given, &credential_cells(&record)?).map_err(|error| unreadable(&error))?;
    Ok(record)
}

/// A credential and the account it is of, as columns of one row.
pub(in crate::store) fn machine(mut row: Row) -> Result<Machine, StoreError> {
    let credential = credential(row.take(CREDENTIAL_CELLS))?;
    let account = account(row)?;
    if credential.account != account.id {
        let message = format!("credential {}: it is of another account", credential.id);
        return Err(StoreError::corrupt(message));
    }
    Ok(Machine { credential, account })
}

// === records as JSON ===

#[derive(Serialize, Deserialize)]
struct MachineAccountJson {
    namespace: String,
    user: String,
    impersonated: Option<ImpersonatedJson>,
    name: String,
    description: String,
    originator: String,
    created: i64,
    created_by: String,
    modified: i64,
    expires: Option<i64>,
    disabled: Option<i64>,
    deleted: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct ImpersonatedJson {
    known: AccountJson,
    source: String,
}

#[derive(Serialize, Deserialize)]
struct CredentialJson {
    account: String,
    hint: String,
    issued: i64,
    issued_by: String,
    expires: Option<i64>,
    revoked: Option<i64>,
    superseded: Option<i64>,
}

fn unix(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::unix)
}

fn timestamp(at: Option<i64>) -> Option<Timestamp> {
    at.map(Timestamp::from_unix)
}

impl MachineAccountJson {
    fn of(record: &AccountRecord) -> Self {
        Self {
            namespace: record.namespace.as_str().to_owned(),
            user: record.user.clone(),
            impersonated: match &record.kind {
                AccountKind::Unique => None,
                AccountKind::Impersonating(person) => Some(ImpersonatedJson::of(person)),
            },
            name: record.name.clone(),
            description: record.description.clone(),
            originator: record.originator.clone(),
            created: record.created.unix(),
            created_by: record.created_by.clone(),
            modified: record.modified.unix(),
            expires: unix(record.expires),
            disabled: unix(record.disabled),
            deleted: unix(record.deleted),
        }
    }

    fn record(
        self,
        id: ServiceAccountId,
        (version, used): (u64, Option<Timestamp>),
    ) -> Option<AccountRecord> {
        Some(AccountRecord {
            id,
            namespace: NamespaceId::parse(&self.namespace)?,
            kind: match self.impersonated {
                None => AccountKind::Unique,
                Some(person) => AccountKind::Impersonating(Box::new(person.impersonated()?)),
            },
            user: self.user,
            name: self.name,
            description: self.description,
            originator: self.originator,
            created: Timestamp::from_unix(self.created),
            created_by: self.created_by,
            modified: Timestamp::from_unix(self.modified),
            expires: timestamp(self.expires),
            disabled: timestamp(self.disabled),
            deleted: timestamp(self.deleted),
            used,
            version,
        })
    }
}

const SOURCES: [KnownBy; 3] = [KnownBy::Directory, KnownBy::SignIn, KnownBy::Nobody];

fn source_name(source: KnownBy) -> &'static str {
    match source {
        KnownBy::Directory => "directory",
        KnownBy::SignIn => "sign-in",
        KnownBy::Nobody => "nobody",
    }
}

impl ImpersonatedJson {
    fn of(person: &Impersonated) -> Self {
        let source = source_name(person.source);
        Self { known: AccountJson::of(&person.known), source: source.to_owned() }
    }

    fn impersonated(self) -> Option<Impersonated> {
        let source = SOURCES.into_iter().find(|source| source_name(*source) == self.source)?;
        Some(Impersonated { known: self.known.account(), source })
    }
}

impl CredentialJson {
    fn of(record: &CredentialRecord) -> Self {
        Self {
            account: record.account.as_str().to_owned(),
            hint: record.hint.clone(),
            issued: record.issued.unix(),
            issued_by: record.issued_by.clone(),
            expires: unix(record.expires),
            revoked: unix(record.revoked),
            superseded: unix(record.superseded),
        }
    }

    fn record(self, id: CredentialId, last_use: Option<LastUse>) -> Option<CredentialRecord> {
        Some(CredentialRecord {
            id,
            account: ServiceAccountId::parse(&self.account)?,
            hint: self.hint,
            issued: Timestamp::from_unix(self.issued),
            issued_by: self.issued_by,
            expires: timestamp(self.expires),
            revoked: timestamp(self.revoked),
            superseded: timestamp(self.superseded),
            last_use,
        })
    }
}
