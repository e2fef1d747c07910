//! Service accounts and their credentials in the store.

mod list;

pub(super) use list::{by_namespace, list, tally};

use super::codec::{
    ACCOUNT_COLUMNS, CREDENTIAL_COLUMNS, account, account_cells, credential, credential_cells,
    machine,
};
use super::statement::{Cell, Connection, Statement};
use super::{Clash, RecordKey, StoreError, log};
use crate::id::{CredentialId, NamespaceId, ServiceAccountId};
use crate::service_account::{AccountRecord, CredentialRecord, Machine};
use crate::time::Timestamp;

pub(super) async fn find<C: Connection>(
    connection: &mut C,
    id: &ServiceAccountId,
) -> Result<Option<AccountRecord>, StoreError> {
    let sql = format!("SELECT {ACCOUNT_COLUMNS} FROM lictor_accounts WHERE id = $1");
    let found = connection.first(Statement::new(sql, vec![Cell::text(id.as_str())])).await?;
    found.map(account).transpose()
}

pub(super) async fn find_machine<C: Connection>(
    connection: &mut C,
    id: &CredentialId,
) -> Result<Option<Machine>, StoreError> {
    let columns = |table: &str, columns: &str| {
        let columns = columns.split(", ").map(|column| format!("{table}.{column}"));
        columns.collect::<Vec<_>>().join(", ")
    };
    let (of_credential, of_account) =
        (columns("c", CREDENTIAL_COLUMNS), columns("a", ACCOUNT_COLUMNS));
    let sql = format!(
        "SELECT {of_credential}, {of_account} FROM lictor_credentials c \
         JOIN lictor_accounts a ON a.id = c.account WHERE c.id = $1"
    );
    let found = connection.first(Statement::new(sql, vec![Cell::text(id.as_str())])).await?;
    found.map(machine).transpose()
}

/// The latest first.
pub(super) async fn credentials<C: Connection>(
    connection: &mut C,
    account: &ServiceAccountId,
) -> Result<Vec<CredentialRecord>, StoreError> {
    let sql = format!(
        "SELECT {CREDENTIAL_COLUMNS} FROM lictor_credentials WHERE account = $1 \
         ORDER BY issued DESC, id"
    );
    let values = vec![Cell::text(account.as_str())];
    let rows = connection.query(Statement::new(sql, values)).await?;
    rows.into_iter().map(credential).collect()
}

/// A name of 128 random bits is not given twice, so it is the user id that is taken.
pub(super) async fn create<C: Connection>(
    connection: &mut C,
    record: &AccountRecord,
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO lictor_accounts ({ACCOUNT_COLUMNS}) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING"
    );
    match connection.execute(Statement::new(sql, account_cells(record)?)).await? {
        0 => Err(StoreError::clash_of(Clash::Taken, "there is an account of this user id")),
        _ => Ok(()),
    }
}

/// `version` of the record is the one the change is based on. Gives what has changed with it.
///
/// SECURITY: whom an account is and where it is at home never changes, and a deleted one stays deleted,
/// whatever a caller asks.
pub(super) async fn update<C: Connection>(
    connection: &mut C,
    mut record: AccountRecord,
) -> Result<Vec<RecordKey>, StoreError> {
    let based_on = Cell::number(record.version);
    record.version = record.version.saturating_add(1);
    let mut cells = account_cells(&record)?;
    // `used` is for those who note uses; a statement takes no value that it does not name.
    let record_cell = cells.pop();
    cells.pop();
    cells.extend(record_cell);
    let sql = "UPDATE lictor_accounts SET version = $2, searched = $6, created = $7, expires = $8, \
        disabled = $9, deleted = $10, record = $11 WHERE id = $1 AND deleted IS NULL \
        AND namespace = $3 AND impersonating = $4 AND user_id = $5";
    let statement = Statement::new(sql, cells).with(" AND version = $", based_on);
    if connection.execute(statement).await? == 0 {
        let what = "the account was changed or deleted by somebody else";
        return Err(StoreError::clash_of(Clash::Version, what));
    }
    let sql = "SELECT id FROM lictor_credentials WHERE account = $1 ORDER BY id";
    let values = vec![Cell::text(record.id.as_str())];
    let rows = connection.query(Statement::new(sql, values)).await?;
    let names = rows.into_iter().map(|mut row| row.text());
    let key = |name: Result<String, StoreError>| {
        let id = CredentialId::parse(&name?).map(RecordKey::Credential);
        id.ok_or_else(|| StoreError::corrupt("a credential has no such name"))
    };
    names.map(key).collect()
}

/// Of an account that is there and not deleted.
pub(super) async fn add_credential<C: Connection>(
    connection: &mut C,
    record: CredentialRecord,
) -> Result<RecordKey, StoreError> {
    let sql = "SELECT id FROM lictor_accounts WHERE id = $1 AND deleted IS NULL";
    let values = vec![Cell::text(record.account.as_str())];
    if connection.first(Statement::new(sql, values)).await?.is_none() {
        return Err(StoreError::clash_of(Clash::Version, "the account is deleted"));
    }
    let sql = format!(
        "INSERT INTO lictor_credentials ({CREDENTIAL_COLUMNS}) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING"
    );
    match connection.execute(Statement::new(sql, credential_cells(&record)?)).await? {
        0 => Err(StoreError::clash_of(Clash::Taken, "there is a credential of this name")),
        _ => Ok(RecordKey::Credential(record.id)),
    }
}

/// SECURITY: credentials count no changes, so two changes may be based on the same state. What either
/// took back stays so: of each end the earlier instant counts.
pub(super) async fn update_credential<C: Connection>(
    connection: &mut C,
    mut record: CredentialRecord,
) -> Result<RecordKey, StoreError> {
    let gone = || StoreError::clash_of(Clash::Version, "the credential is gone");
    let sql = format!("SELECT {CREDENTIAL_COLUMNS} FROM lictor_credentials WHERE id = $1");
    let found = connection.first(Statement::new(sql, vec![Cell::text(record.id.as_str())])).await?;
    let stored = found.map(credential).transpose()?.ok_or_else(gone)?;
    if stored.account != record.account {
        return Err(gone());
    }
    let earlier = |one: Option<Timestamp>, other| one.into_iter().chain(other).min();
    record.expires = earlier(record.expires, stored.expires);
    record.revoked = earlier(record.revoked, stored.revoked);
    record.superseded = earlier(record.superseded, stored.superseded);
    record.last_use = stored.last_use;
    let sql = "UPDATE lictor_credentials SET account = $2, issued = $3, ends = $4, used = $5, \
        used_address = $6, used_route = $7, record = $8 WHERE id = $1";
    connection.execute(Statement::new(sql, credential_cells(&record)?)).await?;
    Ok(RecordKey::Credential(record.id))
}

/// Whether accounts that are not deleted are at home there.
pub(super) async fn are_in<C: Connection>(
    connection: &mut C,
    namespace: &NamespaceId,
) -> Result<bool, StoreError> {
    let sql = "SELECT id FROM lictor_accounts WHERE namespace = $1 AND deleted IS NULL LIMIT 1";
    let values = vec![Cell::text(namespace.as_str())];
    Ok(connection.first(Statement::new(sql, values)).await?.is_some())
}

/// Removes up to `limit` accounts that were deleted by then, with their credentials, and says how many.
pub(super) async fn remove_deleted<C: Connection>(
    connection: &mut C,
    by: Timestamp,
    limit: usize,
) -> Result<u64, StoreError> {
    // Both statements mean the same accounts, as nobody else sweeps meanwhile; and changes, which lock
    // rows in another order, wait before they have any.
    log::lock(connection).await?;
    let old = "SELECT id FROM lictor_accounts WHERE deleted <= $1 ORDER BY deleted, id LIMIT $2";
    let values = || vec![Cell::Int(by.unix()), Cell::limit(limit)];
    let credentials = format!("DELETE FROM lictor_credentials WHERE account IN ({old})");
    connection.execute(Statement::new(credentials, values())).await?;
    let accounts = format!("DELETE FROM lictor_accounts WHERE id IN ({old})");
    connection.execute(Statement::new(accounts, values())).await
}

/// Removes up to `limit` credentials that have opened nothing since then, and says how many.
pub(super) async fn remove_over<C: Connection>(
    connection: &mut C,
    since: Timestamp,
    limit: usize,
) -> Result<u64, StoreError> {
    log::lock(connection).await?;
    let sql = "DELETE FROM lictor_credentials WHERE id IN \
        (SELECT id FROM lictor_credentials WHERE ends <= $1 ORDER BY ends LIMIT $2)";
    let values = vec![Cell::Int(since.unix()), Cell::limit(limit)];
    connection.execute(Statement::new(sql, values)).await
}
