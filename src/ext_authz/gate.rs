//! How many checks may be under way at once. Beyond that they are refused before any work is done for them,
//! because those that wait too long are answered for nobody.

use crate::clock::Stopwatch;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// At most so often it is told that checks are refused.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Counts who is inside.
#[derive(Debug)]
pub(super) struct Gate {
    inside: AtomicUsize,
    most: NonZeroUsize,
    refused: AtomicU64,
    opened: Stopwatch,
    /// When it was last told that checks are refused, in seconds since it was opened, from one on.
    told: AtomicU64,
}

/// A place inside, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Pass(Arc<Gate>);

impl Gate {
    pub(super) fn new(most: NonZeroUsize) -> Self {
        Self {
            inside: AtomicUsize::new(0),
            most,
            refused: AtomicU64::new(0),
            opened: Stopwatch::start(),
            told: AtomicU64::new(0),
        }
    }

    /// A place inside, if one is free.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Pass> {
        let pass = Pass(Arc::clone(self));
        let before = self.inside.fetch_add(1, Ordering::Relaxed);
        if before < self.most.get() {
            return Some(pass);
        }
        drop(pass);
        self.tell();
        None
    }

    fn tell(&self) {
        let refused = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
        let now = self.opened.elapsed().as_secs() + 1;
        let told = self.told.load(Ordering::Relaxed);
        let due = told == 0 || now >= told + TOLD_EVERY.as_secs();
        let relaxed = Ordering::Relaxed;
        // Of several that are due, one tells.
        if due && self.told.compare_exchange(told, now, relaxed, relaxed).is_ok() {
            tracing::warn!(
                refused,
                most = self.most,
                "overloaded: checks are refused while `max_concurrent_checks` are under way"
            );
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;
    use std::num::NonZeroUsize;
    use std::sync::Arc;

    #[test]
    fn so_many_and_no_more() {
        let gate = Arc::new(Gate::new(NonZeroUsize::new(2).expect("two")));
        let (one, two) = (gate.enter(), gate.enter());
        assert!(one.is_some() && two.is_some());
        for _ in 0..3 {
            assert!(gate.enter().is_none());
        }
        drop(one);
        assert!(gate.enter().is_some(), "who leaves makes room");
        let three = gate.enter();
        assert!(three.is_some() && gate.enter().is_none());
    }
}
