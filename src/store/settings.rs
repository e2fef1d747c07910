//! Where records are kept, and how long one waits for them.

use super::postgres::ConnectionString;
use std::path::PathBuf;
use std::time::Duration;

/// `storage`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageSettings {
    pub kept: Kept,
    /// How long a look-up of one session may take, which a check waits for.
    pub lookup_timeout: Duration,
    /// How long anything else may take.
    pub timeout: Duration,
    /// How long a session that is known goes on while the store does not answer.
    pub max_staleness: Duration,
}

/// Where records are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In this process, and gone with it.
    InMemory,
    /// In an SQLite file.
    InFile(PathBuf),
    /// In a PostgreSQL database.
    InPostgres(ConnectionString),
}

impl StorageSettings {
    pub const LOOKUP_TIMEOUT: Duration = Duration::from_secs(1);
    pub const TIMEOUT: Duration = Duration::from_secs(5);
    pub const MAX_STALENESS: Duration = Duration::from_mins(1);

    /// With the default times.
    pub fn new(kept: Kept) -> Self {
        Self {
            kept,
            lookup_timeout: Self::LOOKUP_TIMEOUT,
            timeout: Self::TIMEOUT,
            max_staleness: Self::MAX_STALENESS,
        }
    }
}

/// How long operations of an engine may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) lookup: Duration,
    pub(super) other: Duration,
}

impl Limits {
    pub(super) fn of(settings: &StorageSettings) -> Self {
        Self { lookup: settings.lookup_timeout, other: settings.timeout }
    }
}

/// What a store may be opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// Makes and migrates what is not there.
    ToServe,
    /// Neither makes nor changes tables.
    ToLook,
}
