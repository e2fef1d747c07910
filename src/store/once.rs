//! Values that can be taken once.

use super::statement::{Cell, Connection, Row, Statement};
use super::{Clash, Once, StoreError};
use crate::time::Timestamp;

pub(super) async fn keep<C: Connection>(connection: &mut C, once: &Once) -> Result<(), StoreError> {
    let sql = "INSERT INTO lictor_once (key, value, expires) VALUES ($1, $2, $3) \
        ON CONFLICT (key) DO NOTHING";
    let Once { key, value, expires } = once;
    let values = vec![Cell::text(key), Cell::text(value), Cell::Int(expires.unix())];
    match connection.execute(Statement::new(sql, values)).await? {
        0 => Err(StoreError::clash_of(Clash::Once, "there is a value by this key")),
        _ => Ok(()),
    }
}

/// The same, and one that has expired makes room.
pub(super) async fn keep_anew<C: Connection>(
    connection: &mut C,
    once: &Once,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM lictor_once WHERE key = $1 AND expires <= $2";
    let values = vec![Cell::text(&once.key), Cell::Int(now.unix())];
    connection.execute(Statement::new(sql, values)).await?;
    keep(connection, once).await
}

/// One statement, so that of several who ask one gets the row.
pub(super) async fn take<C: Connection>(
    connection: &mut C,
    key: &str,
    now: Timestamp,
) -> Result<Option<Once>, StoreError> {
    let sql = "DELETE FROM lictor_once WHERE key = $1 RETURNING value, expires";
    let taken = connection.first(Statement::new(sql, vec![Cell::text(key)])).await?;
    let once = taken.map(|row| read(key, row)).transpose()?;
    Ok(once.filter(|once| now < once.expires))
}

/// Looks at a value, and leaves it.
pub(super) async fn find<C: Connection>(
    connection: &mut C,
    key: &str,
    now: Timestamp,
) -> Result<Option<Once>, StoreError> {
    let sql = "SELECT value, expires FROM lictor_once WHERE key = $1";
    let found = connection.first(Statement::new(sql, vec![Cell::text(key)])).await?;
    let once = found.map(|row| read(key, row)).transpose()?;
    Ok(once.filter(|once| now < once.expires))
}

fn read(key: &str, mut row: Row) -> Result<Once, StoreError> {
    let value = row.text()?;
    let expires = Timestamp::from_unix(row.int()?);
    Ok(Once { key: key.to_owned(), value, expires })
}

/// Removes up to `limit` values that nobody can take any more, and says how many.
pub(super) async fn remove_expired<C: Connection>(
    connection: &mut C,
    now: Timestamp,
    limit: usize,
) -> Result<u64, StoreError> {
    let sql = "DELETE FROM lictor_once WHERE key IN \
        (SELECT key FROM lictor_once WHERE expires <= $1 ORDER BY expires LIMIT $2)";
    connection.execute(Statement::new(sql, vec![Cell::Int(now.unix()), Cell::limit(limit)])).await
}
