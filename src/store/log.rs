//! The activity log in the store.

use super::codec::{ENTRY_COLUMNS, entry, entry_cells, folded};
use super::statement::{Cell, Connection, Statement};
use super::{ActivityQuery, StoreError};
use crate::activity::{Entry, Head};

/// Where the log and the changes end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct End {
    pub(super) head: Head,
    /// The number of the last change.
    pub(super) change: u64,
}

const END: &str = "SELECT entry, hash, change FROM lictor_head";

/// The end, with which nobody else can go on before this transaction has ended.
pub(super) async fn lock<C: Connection>(connection: &mut C) -> Result<End, StoreError> {
    read_end(connection, format!("{END}{}", C::LOCKING)).await
}

pub(super) async fn end<C: Connection>(connection: &mut C) -> Result<End, StoreError> {
    read_end(connection, END.to_owned()).await
}

async fn read_end<C: Connection>(connection: &mut C, sql: String) -> Result<End, StoreError> {
    let row = connection.first(Statement::new(sql, Vec::new())).await?;
    let mut row = row.ok_or_else(|| StoreError::corrupt("the end of the log is not known"))?;
    let head = Head { number: row.number()?, hash: row.text()? };
    Ok(End { head, change: row.number()? })
}

pub(super) async fn save<C: Connection>(connection: &mut C, end: &End) -> Result<(), StoreError> {
    let sql = "UPDATE lictor_head SET entry = $1, hash = $2, change = $3";
    let values =
        vec![Cell::number(end.head.number), Cell::text(&end.head.hash), Cell::number(end.change)];
    connection.execute(Statement::new(sql, values)).await.map(drop)
}

pub(super) async fn append<C: Connection>(
    connection: &mut C,
    entry: &Entry,
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO lictor_activity ({ENTRY_COLUMNS}) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (number) DO NOTHING"
    );
    match connection.execute(Statement::new(sql, entry_cells(entry))).await? {
        0 => {
            let number = entry.number;
            Err(StoreError::corrupt(format!("entry {number} stands after the end of the log")))
        }
        _ => Ok(()),
    }
}

/// The latest first.
pub(super) async fn list<C: Connection>(
    connection: &mut C,
    which: &ActivityQuery,
) -> Result<Vec<Entry>, StoreError> {
    let sql = format!("SELECT {ENTRY_COLUMNS} FROM lictor_activity WHERE number > 0");
    let mut statement = Statement::new(sql, Vec::new());
    if let Some(who) = &which.who {
        statement = statement
            .with(" AND (actor = $ OR subject = $", Cell::text(who))
            .with(" OR actor_email = $ OR subject_email = $)", Cell::text(&folded(who)));
    }
    if let Some(session) = &which.session {
        statement = statement.with(" AND session = $", Cell::text(session.as_str()));
    }
    if let Some(before) = which.before {
        statement = statement.with(" AND number < $", Cell::number(before));
    }
    let statement = statement.with(" ORDER BY number DESC LIMIT $", Cell::limit(which.limit));
    connection.query(statement).await?.into_iter().map(entry).collect()
}

/// In order.
pub(super) async fn after<C: Connection>(
    connection: &mut C,
    number: u64,
    limit: usize,
) -> Result<Vec<Entry>, StoreError> {
    let sql = format!(
        "SELECT {ENTRY_COLUMNS} FROM lictor_activity WHERE number > $1 ORDER BY number LIMIT $2"
    );
    let values = vec![Cell::number(number), Cell::limit(limit)];
    connection.query(Statement::new(sql, values)).await?.into_iter().map(entry).collect()
}
