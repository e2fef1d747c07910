//! Verifying the activity log of a store, from its first entry to its end.

use super::{Store, StoreError};
use crate::activity::{ChainKey, ChainProblem, Entry, Head, verify};

/// So many entries are read at once.
const PAGE: usize = 500;

/// Why a log is not as it was written, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error(transparent)]
    Chain(#[from] ChainProblem),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Verifies every entry, and that the log holds the entry `known` to have been written and the last one
/// that the store itself knows of. Gives the end.
///
/// # Errors
/// The first thing that is wrong.
pub async fn verify_log(
    store: &dyn Store,
    key: &ChainKey,
    known: Option<&Head>,
    from: Option<&Head>,
) -> Result<Head, LogError> {
    // Before the entries: those that are written meanwhile come after it.
    let end = store.head().await?;
    let wanted = || known.into_iter().chain([&end]);
    let mut head = from.cloned().unwrap_or_default();
    loop {
        let page = store.activity_after(head.number, PAGE).await?;
        if page.is_empty() {
            break;
        }
        head = verify(key, head, &page)?;
        if let Some(other) =
            wanted().find(|wanted| page.iter().any(|entry| replaces(entry, wanted)))
        {
            return Err(ChainProblem::Other(other.number).into());
        }
    }
    match wanted().max_by_key(|wanted| wanted.number) {
        Some(last) if last.number > head.number => {
            Err(ChainProblem::Cut { expected: last.number, found: head.number }.into())
        }
        Some(_) | None => Ok(head),
    }
}

fn replaces(entry: &Entry, known: &Head) -> bool {
    entry.number == known.number && entry.hash != known.hash
}
