//! The activity log in the store.

use super::codec::{ENTRY_COLUMNS, entry, entry_cells, folded};
use super::statement::{Cell, Connection, Statement, within};
use super::{ActivityQuery, StoreError};
use crate::activity::{Entry, Head, Verb};

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
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (number) DO NOTHING"
    );
    match connection.execute(Statement::new(sql, entry_cells(entry))).await? {
        0 => {
            let number = entry.number;
            Err(StoreError::corrupt(format!("entry {number} stands after the end of the log")))
        }
        _ => Ok(()),
    }
}

/// The latest first, unless those after a number are wanted.
pub(super) async fn list<C: Connection>(
    connection: &mut C,
    which: &ActivityQuery,
) -> Result<Vec<Entry>, StoreError> {
    let sql = format!("SELECT {ENTRY_COLUMNS} FROM lictor_activity WHERE number > ");
    let statement = Statement::new(sql, Vec::new()).one_of_many();
    let statement = statement.with("$", Cell::number(which.after.unwrap_or(0)));
    let statement = about::<C>(by_whom(statement, which), which);
    let order = match which.after {
        Some(_) => " ORDER BY number LIMIT $",
        None => " ORDER BY number DESC LIMIT $",
    };
    let statement = statement.with(order, Cell::limit(which.limit));
    connection.query(statement).await?.into_iter().map(entry).collect()
}

fn by_whom(mut statement: Statement, which: &ActivityQuery) -> Statement {
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
    if let Some(from) = which.from {
        statement = statement.with(" AND at >= $", Cell::Int(from.unix()));
    }
    if let Some(until) = which.until {
        statement = statement.with(" AND at < $", Cell::Int(until.unix()));
    }
    statement
}

fn about<C: Connection>(mut statement: Statement, which: &ActivityQuery) -> Statement {
    if let Some(namespaces) = &which.namespaces {
        statement = within::<C>(statement, ("", namespaces));
    }
    let verb = which.verb.map(Verb::name);
    let texts = [
        (" AND entity = $", which.entity),
        (" AND entity_id = $", which.entity_id.as_deref()),
        (" AND verb = $", verb),
        (" AND outcome = $", which.outcome),
    ];
    for (text, value) in texts {
        if let Some(value) = value {
            statement = statement.with(text, Cell::text(value));
        }
    }
    statement
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
