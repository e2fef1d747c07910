//! Opening an SQLite file.

use super::super::StoreError;
use super::super::migrations;
use super::super::settings::{Limits, Opening};
use super::handle::failure;
use rusqlite::{Connection, OpenFlags};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// So often a migration is tried again, if another process was at it.
const TRIES: usize = 10;
/// How far the write-ahead log is cut back once it has been written home.
const LOG_BYTES: i64 = 16 << 20;
/// How much of the file each connection keeps, in KiB with a minus before it. The rest is kept by the system, once
/// for all of them.
const CACHE: i64 = -512;

pub(super) fn open(
    path: &Path,
    limits: Limits,
    opening: Opening,
) -> Result<Connection, StoreError> {
    // A relative path with `./` before it: SQLite has names that stand for no file.
    let path = Path::new(".").join(path);
    if opening == Opening::ToServe {
        create(&path)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection =
        Connection::open_with_flags(&path, flags).map_err(|error| cannot_open(&path, error))?;
    prepare(&connection, limits).map_err(failure)?;
    match opening {
        Opening::ToServe => {
            write_ahead(&connection, &path)?;
            migrate(&mut connection)?;
        }
        Opening::ToLook => look(&connection, &path)?,
    }
    Ok(connection)
}

pub(super) fn in_memory(limits: Limits) -> Result<Connection, StoreError> {
    let mut connection = Connection::open_in_memory().map_err(failure)?;
    prepare(&connection, limits).map_err(failure)?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// For its owner only. The files that SQLite puts beside it get the same mode.
#[expect(clippy::disallowed_methods, reason = "makes the file of the store")]
fn create(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create(true).truncate(false).mode(0o600).open(path);
    opened.map(drop).map_err(|error| cannot_open(path, error))
}

fn cannot_open(path: &Path, error: impl std::fmt::Display) -> StoreError {
    StoreError::unavailable(format!("cannot open `{}`: {error}", shown(path)))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

fn prepare(connection: &Connection, limits: Limits) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(limits.other)?;
    connection.set_prepared_statement_cache_capacity(64);
    // A schema that somebody else wrote may call no functions.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", CACHE)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)
}

/// Readers and the writer do not wait for each other.
fn write_ahead(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(|error| cannot_open(path, error))?;
    if mode == "wal" {
        return Ok(());
    }
    Err(cannot_open(path, "its file system has no shared memory, which a write-ahead log needs"))
}

/// Another process may be making the same tables: then this one finds them when it tries again.
fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let runner = migrations::of_sqlite();
    let mut last = None;
    for _ in 0..TRIES {
        match runner.run(connection) {
            Ok(_) => return Ok(()),
            Err(error) => last = Some(error),
        }
    }
    Err(last.map_or_else(
        || StoreError::unavailable("the tables cannot be made"),
        |error| StoreError::unavailable(format!("the tables cannot be made: {error}")),
    ))
}

/// Whether there are tables, all of them.
fn look(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let sql = "SELECT count(*) FROM sqlite_schema \
        WHERE name IN ('lictor_head', 'lictor_migrations')";
    if number(sql).map_err(failure)? < 2 {
        // A server that ended while it made the file leaves nothing in it, or the list of what is yet to be done.
        let others = "SELECT count(*) FROM sqlite_schema WHERE tbl_name <> 'lictor_migrations'";
        let begun = number(others).map_err(failure)? == 0;
        let why = if begun { migrations::BEGUN } else { "is no store of Lictor's" };
        return Err(StoreError::unavailable(format!("`{}` {why}", shown(path))));
    }
    let last = number("SELECT coalesce(max(version), 0) FROM lictor_migrations");
    if last.map_err(failure)? < migrations::latest(&migrations::of_sqlite()) {
        return Err(StoreError::unavailable(migrations::EARLIER));
    }
    Ok(())
}
