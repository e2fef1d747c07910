//! A connection on loan, and statements on it. One whose answer was not waited for goes on with that, so
//! it is closed instead of being lent again.

use super::super::changes::messages;
use super::super::statement::{Cell, Connection, Row, Statement};
use super::super::{Changed, StoreError, StoreErrorKind};
use deadpool_postgres::{GenericClient, HookError, Object, Pool, PoolError, Transaction};
use std::error::Error as _;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};

/// The server takes 7999 bytes.
const LONGEST_MESSAGE: usize = 7900;

pub(super) struct Lease<'e> {
    client: Option<Object>,
    channel: &'e str,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }
}

impl<'e> Lease<'e> {
    pub(super) async fn of(pool: &Pool, channel: &'e str) -> Result<Self, StoreError> {
        let client = pool.get().await.map_err(no_connection)?;
        Ok(Self { client: Some(client), channel })
    }

    pub(super) fn client(&mut self) -> Result<&mut Object, StoreError> {
        self.client.as_mut().ok_or_else(|| StoreError::unavailable("no connection"))
    }

    pub(super) fn connection(&mut self) -> Result<On<'_, Object>, StoreError> {
        let channel = self.channel;
        Ok(On { client: Client::Borrowed(self.client()?), channel })
    }

    pub(super) async fn begin(&mut self) -> Result<On<'_, Transaction<'_>>, StoreError> {
        let channel = self.channel;
        let transaction = self.client()?.transaction().await.map_err(failure)?;
        Ok(On { client: Client::Owned(transaction), channel })
    }

    /// Gives the connection back, if what was done says that it is as good as before.
    pub(super) fn settle<T>(mut self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        let good = |error: &StoreError| error.kind() != StoreErrorKind::Unavailable;
        if done.as_ref().err().is_none_or(good) {
            drop(self.client.take());
        }
        done
    }
}

/// What statements go to: a connection, or a transaction on one.
pub(super) struct On<'c, C> {
    client: Client<'c, C>,
    channel: &'c str,
}

enum Client<'c, C> {
    Borrowed(&'c C),
    Owned(C),
}

impl<C> Client<'_, C> {
    fn get(&self) -> &C {
        match self {
            Self::Borrowed(client) => client,
            Self::Owned(client) => client,
        }
    }
}

impl On<'_, Transaction<'_>> {
    /// Commits if all went well, and takes everything back if not.
    pub(super) async fn end<T>(self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        let Client::Owned(transaction) = self.client else {
            return Err(StoreError::unavailable("no transaction"));
        };
        match done {
            Ok(made) => transaction.commit().await.map(|()| made).map_err(failure),
            Err(error) => {
                transaction.rollback().await.map_err(failure)?;
                Err(error)
            }
        }
    }
}

impl<C: GenericClient + Send> Connection for On<'_, C> {
    const LOCKING: &'static str = " FOR UPDATE";
    const ELEMENTS: &'static str = "json_array_elements(CAST(CAST($ AS text) AS json))";
    const UNINDEXED: &'static str = "";

    async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        let client = self.client.get();
        let prepared = prepared(client, &statement).await?;
        let values = typed(&statement.values, prepared.params());
        client.execute(&prepared, &borrowed(&values)).await.map_err(failure)
    }

    async fn query(&mut self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        let client = self.client.get();
        let prepared = prepared(client, &statement).await?;
        let values = typed(&statement.values, prepared.params());
        let rows = client.query(&prepared, &borrowed(&values)).await.map_err(failure)?;
        rows.iter().map(row).collect()
    }

    async fn announce(&mut self, changes: Vec<Changed>) -> Result<(), StoreError> {
        for message in messages(&changes, LONGEST_MESSAGE) {
            let values = vec![Cell::text(self.channel), Cell::Text(message)];
            self.query(Statement::new("SELECT pg_notify($1, $2)", values)).await?;
        }
        Ok(())
    }
}

/// What is kept prepared is kept for as long as the connection.
async fn prepared<C: GenericClient>(
    client: &C,
    statement: &Statement,
) -> Result<tokio_postgres::Statement, StoreError> {
    let sql = &statement.sql;
    let prepared = if statement.one_of_many {
        client.prepare(sql).await
    } else {
        client.prepare_cached(sql).await
    };
    prepared.map_err(failure)
}

type Value = Box<dyn ToSql + Sync + Send>;

/// Values as the server wants them; one of another type is refused by the driver.
fn typed(cells: &[Cell], types: &[Type]) -> Vec<Value> {
    let value = |(cell, wanted): (&Cell, &Type)| -> Value {
        match cell {
            Cell::Null if *wanted == Type::INT8 => Box::new(None::<i64>),
            Cell::Null => Box::new(None::<String>),
            Cell::Int(value) => Box::new(*value),
            Cell::Text(text) => Box::new(text.clone()),
        }
    };
    cells.iter().zip(types).map(value).collect()
}

fn borrowed(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect()
}

/// What no column of ours holds is no value.
fn row(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let cell = |(index, column): (usize, &tokio_postgres::Column)| match *column.type_() {
        Type::INT8 => row.try_get(index).map(|value: Option<i64>| Cell::from(value)),
        Type::TEXT => {
            let text = row.try_get(index);
            text.map(|text: Option<String>| text.map_or(Cell::Null, Cell::Text))
        }
        _ => Ok(Cell::Null),
    };
    let cells = row.columns().iter().enumerate().map(cell);
    Ok(Row::new(cells.collect::<Result<_, _>>().map_err(StoreError::corrupt)?))
}

/// The server's detail would show rows, so only its message is kept.
#[expect(clippy::needless_pass_by_value, reason = "errors are given to it where they arise")]
pub(super) fn failure(error: tokio_postgres::Error) -> StoreError {
    let Some(server) = error.as_db_error() else {
        let cause = error.source().map(|cause| format!(": {cause}"));
        return StoreError::unavailable(format!("{error}{}", cause.unwrap_or_default()));
    };
    let message = format!("{} (SQLSTATE {})", server.message(), server.code().code());
    if [SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED].contains(server.code()) {
        return StoreError::corrupt(message);
    }
    StoreError::unavailable(message)
}

fn no_connection(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
            failure(error)
        }
        PoolError::Timeout(_)
        | PoolError::Closed
        | PoolError::NoRuntimeSpecified
        | PoolError::PostCreateHook(HookError::Message(_)) => StoreError::unavailable(error),
    }
}
