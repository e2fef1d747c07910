//! The catalog in the store.

use super::codec::{self, CATALOG_COLUMNS, Kind, Stored};
use super::statement::{Cell, Connection, Row, Statement};
use super::{Clash, RecordKey, StoreError};
use crate::catalog::Catalog;
use crate::time::Timestamp;

const VERSION: &str = "catalog";
const BOOTSTRAP_CLOSED: &str = "bootstrap-closed";
/// What a row of another table is, among those of the catalog.
const FLAG: &str = "flag";

/// One statement, so that everything is of the same instant.
pub(super) async fn read<C: Connection>(connection: &mut C) -> Result<Catalog, StoreError> {
    let sql = format!(
        "SELECT '{FLAG}' AS kind, name AS id, NULL AS place, NULL AS name, value AS version, \
         '' AS record FROM lictor_flags UNION ALL SELECT {CATALOG_COLUMNS} FROM lictor_catalog \
         ORDER BY 1, 2"
    );
    let rows = connection.query(Statement::new(sql, Vec::new())).await?;
    let is_flag = |row: &Row| row.rest().first() == Some(&Cell::text(FLAG));
    let (flags, rows): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(is_flag);
    let (mut version, mut bootstrap_closed) = (None, None);
    for mut flag in flags {
        flag.skip(1);
        let name = flag.text()?;
        flag.skip(2);
        match name.as_str() {
            VERSION => version = Some(flag.number()?),
            BOOTSTRAP_CLOSED => bootstrap_closed = Some(Timestamp::from_unix(flag.int()?)),
            // Of a later version.
            _ => {}
        }
    }
    let version = version.ok_or_else(no_version)?;
    Ok(Catalog { version, bootstrap_closed, ..codec::catalog(rows)? })
}

fn no_version() -> StoreError {
    StoreError::corrupt("the version of the catalog is not known")
}

pub(super) async fn expect<C: Connection>(
    connection: &mut C,
    version: u64,
) -> Result<(), StoreError> {
    let sql = "SELECT value FROM lictor_flags WHERE name = $1";
    let found = connection.first(Statement::new(sql, vec![Cell::text(VERSION)])).await?;
    if found.ok_or_else(no_version)?.number()? == version { Ok(()) } else { Err(another()) }
}

/// Counts the version up.
pub(super) async fn next<C: Connection>(
    connection: &mut C,
    version: u64,
) -> Result<RecordKey, StoreError> {
    let sql = "UPDATE lictor_flags SET value = value + 1 WHERE name = $1 AND value = $2";
    let values = vec![Cell::text(VERSION), Cell::number(version)];
    match connection.execute(Statement::new(sql, values)).await? {
        0 => Err(another()),
        _ => Ok(RecordKey::Catalog),
    }
}

fn another() -> StoreError {
    StoreError::clash_of(Clash::Catalog, "the catalog was changed by somebody else")
}

/// `version` of what is stored is the one the change is based on, and becomes one higher; it is zero if
/// nothing of that id is there yet.
pub(super) async fn put<C: Connection>(
    connection: &mut C,
    stored: Stored,
) -> Result<(), StoreError> {
    if is_taken(connection, &stored).await? {
        return Err(StoreError::clash_of(Clash::Taken, "there is another one of this name"));
    }
    let changed = match stored.kind {
        Kind::Namespace | Kind::Policy | Kind::Route => change(connection, &stored).await?,
        Kind::Permission | Kind::Blocked => replace(connection, &stored).await?,
    };
    if changed {
        return Ok(());
    }
    let insert = format!(
        "INSERT INTO lictor_catalog ({CATALOG_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT DO NOTHING"
    );
    if stored.version == 0 && connection.execute(Statement::new(insert, stored.cells())).await? > 0
    {
        return Ok(());
    }
    Err(StoreError::clash_of(Clash::Version, "it was changed by somebody else"))
}

/// Whether something else has its name in its place.
async fn is_taken<C: Connection>(connection: &mut C, stored: &Stored) -> Result<bool, StoreError> {
    let (Some(place), Some(name)) = (&stored.place, &stored.name) else {
        return Ok(false);
    };
    let sql = "SELECT id FROM lictor_catalog \
        WHERE kind = $1 AND place = $2 AND name = $3 AND id <> $4";
    let values = [stored.kind.name(), place, name, &stored.id];
    let values = values.into_iter().map(Cell::text).collect();
    Ok(connection.first(Statement::new(sql, values)).await?.is_some())
}

async fn change<C: Connection>(connection: &mut C, stored: &Stored) -> Result<bool, StoreError> {
    let based_on = Cell::number(stored.version);
    let statement =
        Statement::new(REPLACE, stored.next().cells()).with(" AND version = $", based_on);
    Ok(connection.execute(statement).await? > 0)
}

async fn replace<C: Connection>(connection: &mut C, stored: &Stored) -> Result<bool, StoreError> {
    Ok(connection.execute(Statement::new(REPLACE, stored.cells())).await? > 0)
}

const REPLACE: &str = "UPDATE lictor_catalog SET place = $3, name = $4, version = $5, record = $6 \
    WHERE kind = $1 AND id = $2";

/// That it is gone already is no conflict.
pub(super) async fn remove<C: Connection>(
    connection: &mut C,
    kind: Kind,
    id: &str,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM lictor_catalog WHERE kind = $1 AND id = $2";
    let values = vec![Cell::text(kind.name()), Cell::text(id)];
    connection.execute(Statement::new(sql, values)).await.map(drop)
}

/// It stays closed since when it was closed first.
pub(super) async fn close_bootstrap<C: Connection>(
    connection: &mut C,
    at: Timestamp,
) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO lictor_flags (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    let values = vec![Cell::text(BOOTSTRAP_CLOSED), Cell::Int(at.unix())];
    connection.execute(Statement::new(sql, values)).await.map(drop)
}
