//! Why a store did not do what was asked.

use std::error::Error;
use std::fmt;

/// A failure of a store. The client is told nothing of it; the log is told all.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    clash: Option<Clash>,
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

/// What a change clashed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clash {
    /// Another version of the same record.
    Version,
    /// Another record that has the same name already.
    Taken,
    /// Records that need this one.
    InUse,
    /// Another version of the catalog.
    Catalog,
    /// The same value that can be kept once.
    Once,
}

impl StoreError {
    pub fn new(kind: StoreErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, clash: None, source: source.into() }
    }

    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(StoreErrorKind::Unavailable, source)
    }

    pub fn conflict(what: &'static str) -> Self {
        Self::new(StoreErrorKind::Conflict, what)
    }

    /// A conflict of which callers want to know what it is with.
    pub fn clash_of(clash: Clash, what: &'static str) -> Self {
        Self { clash: Some(clash), ..Self::conflict(what) }
    }

    /// What a conflict was with, if that was said.
    pub fn clash(&self) -> Option<Clash> {
        self.clash
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
