//! Why a store did not do what was asked.

use std::error::Error;
use std::fmt;

/// A failure of a store. The client is told nothing of it; the log is told all.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Box<dyn Error + Send + Sync>,
}

/// What kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// It cannot be reached, or does not answer in time. Later it may.
    Unavailable,
    /// A record is not as the change supposes; read it again.
    Conflict,
    /// What it holds cannot be read.
    Corrupt,
}

impl StoreError {
    pub fn new(kind: StoreErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, source: source.into() }
    }

    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(StoreErrorKind::Unavailable, source)
    }

    pub fn conflict(what: &'static str) -> Self {
        Self::new(StoreErrorKind::Conflict, what)
    }

    pub fn corrupt(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(StoreErrorKind::Corrupt, source)
    }

    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            StoreErrorKind::Unavailable => "the store does not answer",
            StoreErrorKind::Conflict => "a record was changed by somebody else",
            StoreErrorKind::Corrupt => "a stored record cannot be read",
        };
        write!(f, "{what}: {}", self.source)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.source()
    }
}
