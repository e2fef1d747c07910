//! Sessions in the store.

use super::codec::{SESSION_COLUMNS, session, session_cells};
use super::statement::{Cell, Connection, Row, Statement};
use super::{AtProvider, RecordKey, SessionQuery, StoreError};
use crate::id::SessionId;
use crate::session::SessionRecord;
use crate::time::Timestamp;

pub(super) async fn find<C: Connection>(
    connection: &mut C,
    id: &SessionId,
) -> Result<Option<SessionRecord>, StoreError> {
    let sql = format!("SELECT {SESSION_COLUMNS} FROM lictor_sessions WHERE id = $1");
    let found = connection.first(Statement::new(sql, vec![Cell::text(id.as_str())])).await?;
    found.map(session).transpose()
}

pub(super) async fn list<C: Connection>(
    connection: &mut C,
    which: &SessionQuery,
    now: Timestamp,
) -> Result<Vec<SessionRecord>, StoreError> {
    match statement(which, now) {
        Some(statement) => connection.query(statement).await?.into_iter().map(session).collect(),
        None => Ok(Vec::new()),
    }
}

/// `None` if no session can be meant.
fn statement(which: &SessionQuery, now: Timestamp) -> Option<Statement> {
    let sql = format!("SELECT {SESSION_COLUMNS} FROM lictor_sessions WHERE expires > $1");
    let mut statement = Statement::new(sql, vec![Cell::Int(now.unix())]);
    if let Some(user) = &which.user {
        statement = statement.with(" AND user_id = $", Cell::text(user));
    }
    if let Some(meant) = &which.at_provider {
        statement = at_provider(statement, meant)?;
    }
    if which.impersonating {
        statement = statement.with(" AND acting_until > $", Cell::Int(now.unix()));
    }
    if let Some(after) = &which.after {
        statement = statement.with(" AND id > $", Cell::text(after.as_str()));
    }
    if let Some(then) = which.refresh_before {
        statement = statement.with(" AND refresh_at <= $", Cell::Int(then.unix()));
    }
    let order = match (&which.after, which.refresh_before) {
        (Some(_), _) => " ORDER BY id LIMIT $",
        (None, Some(_)) => " ORDER BY refresh_at, id LIMIT $",
        (None, None) => " ORDER BY opened DESC, id LIMIT $",
    };
    let limited = statement.with(order, Cell::limit(which.limit));
    Some(limited.with(" OFFSET $", Cell::limit(which.offset)))
}

/// A provider that names neither a session nor a user means nobody, not everybody.
fn at_provider(statement: Statement, meant: &AtProvider) -> Option<Statement> {
    let AtProvider { provider, session, user } = meant;
    let names = [session, user].into_iter().flatten();
    if names.clone().count() == 0 || names.clone().any(String::is_empty) {
        return None;
    }
    let mut statement = statement.with(" AND provider = $", Cell::text(provider));
    if let Some(session) = session {
        statement = statement.with(" AND provider_session = $", Cell::text(session));
    }
    if let Some(user) = user {
        statement = statement.with(" AND user_id = $", Cell::text(user));
    }
    Some(statement)
}

pub(super) async fn open<C: Connection>(
    connection: &mut C,
    record: SessionRecord,
) -> Result<RecordKey, StoreError> {
    let sql = format!(
        "INSERT INTO lictor_sessions ({SESSION_COLUMNS}) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING"
    );
    match connection.execute(Statement::new(sql, session_cells(&record)?)).await? {
        0 => Err(StoreError::conflict("there is a session of this name")),
        _ => Ok(RecordKey::Session(record.id)),
    }
}

/// `version` of the record is the one the change is based on.
pub(super) async fn update<C: Connection>(
    connection: &mut C,
    mut record: SessionRecord,
) -> Result<RecordKey, StoreError> {
    let based_on = Cell::number(record.version);
    record.version = record.version.saturating_add(1);
    let sql = "UPDATE lictor_sessions SET version = $2, user_id = $3, provider = $4, \
        provider_session = $5, opened = $6, expires = $7, refresh_at = $8, acting_until = $9, \
        record = $10 WHERE id = $1";
    let statement = Statement::new(sql, session_cells(&record)?);
    match connection.execute(statement.with(" AND version = $", based_on)).await? {
        0 => Err(StoreError::conflict("the session was changed or ended by somebody else")),
        _ => Ok(RecordKey::Session(record.id)),
    }
}

pub(super) async fn end<C: Connection>(
    connection: &mut C,
    id: SessionId,
) -> Result<RecordKey, StoreError> {
    let sql = "DELETE FROM lictor_sessions WHERE id = $1";
    connection.execute(Statement::new(sql, vec![Cell::text(id.as_str())])).await?;
    Ok(RecordKey::Session(id))
}

/// Removes up to `limit` sessions that are over at `now`, and gives what they were.
pub(super) async fn remove_expired<C: Connection>(
    connection: &mut C,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    let sql = format!(
        "DELETE FROM lictor_sessions WHERE id IN \
         (SELECT id FROM lictor_sessions WHERE expires <= $1 ORDER BY expires LIMIT $2) \
         RETURNING {SESSION_COLUMNS}"
    );
    connection.query(Statement::new(sql, vec![Cell::Int(now.unix()), Cell::limit(limit)])).await
}

/// Up to `limit` sessions in force at `now` whose impersonation is over by then.
pub(super) async fn done_acting<C: Connection>(
    connection: &mut C,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    let sql = format!(
        "SELECT {SESSION_COLUMNS} FROM lictor_sessions \
         WHERE acting_until <= $1 AND expires > $1 ORDER BY acting_until LIMIT $2"
    );
    connection.query(Statement::new(sql, vec![Cell::Int(now.unix()), Cell::limit(limit)])).await
}
