//! Connections to SQLite: a pool that lends them, and what is done with one on a thread that may wait.

use super::super::statement::{Cell, Connection, Row, Statement};
use super::super::{Changed, StoreError};
use rusqlite::ErrorCode;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use std::future::{Future, ready};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections of which each is lent to one at a time, first come, first served.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    free: Arc<Mutex<Vec<rusqlite::Connection>>>,
    permits: Arc<Semaphore>,
}

/// A connection on loan.
pub(super) struct Lease {
    connection: Option<rusqlite::Connection>,
    pool: Pool,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) fn of(connections: Vec<rusqlite::Connection>) -> Self {
        let permits = Arc::new(Semaphore::new(connections.len()));
        Self { free: Arc::new(Mutex::new(connections)), permits }
    }

    pub(super) async fn lease(&self) -> Result<Lease, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(StoreError::unavailable)?;
        let connection = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(Lease { connection, pool: self.clone(), _permit: permit })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut free = self.pool.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.extend(self.connection.take());
    }
}

impl Lease {
    pub(super) fn read<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Handle<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        at_once(work(&mut self.handle()?))
    }

    /// In a transaction that is taken back on any error. `tell` gets the changes that were made.
    pub(super) fn write<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Handle<'_>) -> Result<T, StoreError>,
        tell: impl FnMut(Changed),
    ) -> Result<T, StoreError> {
        let mut handle = self.handle()?;
        handle.connection.execute_batch("BEGIN IMMEDIATE").map_err(failure)?;
        let done = at_once(work(&mut handle))?;
        handle.connection.execute_batch("COMMIT").map_err(failure)?;
        handle.noted.drain(..).for_each(tell);
        Ok(done)
    }

    fn handle(&mut self) -> Result<Handle<'_>, StoreError> {
        let connection = self.connection.as_mut();
        let connection = connection.ok_or_else(|| StoreError::unavailable("no connection"))?;
        Ok(Handle { connection, noted: Vec::new() })
    }
}

/// A future that has nothing to wait for.
fn at_once<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => Err(StoreError::unavailable("an operation waits for something else")),
    }
}

/// A connection in use. A transaction that was begun and did not end is taken back with it.
pub(super) struct Handle<'c> {
    connection: &'c mut rusqlite::Connection,
    noted: Vec<Changed>,
}

impl Drop for Handle<'_> {
    fn drop(&mut self) {
        if !self.connection.is_autocommit() {
            drop(self.connection.execute_batch("ROLLBACK"));
        }
    }
}

impl Handle<'_> {
    fn run(&self, statement: &Statement) -> Result<u64, rusqlite::Error> {
        let mut prepared = self.connection.prepare_cached(&statement.sql)?;
        bind(&mut prepared, &statement.values)?;
        Ok(u64::try_from(prepared.raw_execute()?).unwrap_or(u64::MAX))
    }

    fn rows(&self, statement: &Statement) -> Result<Vec<Row>, rusqlite::Error> {
        let mut prepared = self.connection.prepare_cached(&statement.sql)?;
        bind(&mut prepared, &statement.values)?;
        let columns = prepared.column_count();
        let (mut found, mut rows) = (Vec::new(), prepared.raw_query());
        while let Some(row) = rows.next()? {
            let cells = (0..columns).map(|column| row.get_ref(column).map(cell));
            found.push(Row::new(cells.collect::<Result<_, _>>()?));
        }
        Ok(found)
    }
}

/// By name, as SQLite counts `$2` before `$1` if it stands before it.
fn bind(prepared: &mut rusqlite::Statement<'_>, values: &[Cell]) -> Result<(), rusqlite::Error> {
    for (index, value) in values.iter().enumerate() {
        let name = format!("${}", index.saturating_add(1));
        if let Some(place) = prepared.parameter_index(&name)? {
            prepared.raw_bind_parameter(place, value)?;
        }
    }
    Ok(())
}

impl rusqlite::ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Int(value) => ToSqlOutput::Owned(Value::Integer(*value)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

/// What no column of ours holds is no value.
fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Integer(value) => Cell::Int(value),
        ValueRef::Text(bytes) => String::from_utf8(bytes.to_vec()).map_or(Cell::Null, Cell::Text),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => Cell::Null,
    }
}

impl Connection for Handle<'_> {
    // Whoever writes has the file for themselves.
    const LOCKING: &'static str = "";
    const ELEMENTS: &'static str = "json_each($)";
    const UNINDEXED: &'static str = "+";

    fn execute(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send {
        ready(self.run(&statement).map_err(failure))
    }

    fn query(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send {
        ready(self.rows(&statement).map_err(failure))
    }

    fn announce(
        &mut self,
        changes: Vec<Changed>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        self.noted.extend(changes);
        ready(Ok(()))
    }
}

pub(super) fn failure(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::corrupt(error),
        _ => StoreError::unavailable(error),
    }
}
