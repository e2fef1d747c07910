//! Lets few in at a time. Each comparison of a password takes tens of megabytes, so however many ask
//! at once, only two are computed, some wait, and the rest are told to come back.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Keeps the number of comparisons under way small.
#[derive(Clone, Debug)]
pub struct Turnstile {
    computing: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// The right to compute. Keep it until that is done, also if nobody waits for the result any more.
#[derive(Debug)]
pub struct Pass {
    _computing: OwnedSemaphorePermit,
    _waiting: OwnedSemaphorePermit,
}

const COMPUTING: usize = 2;
/// At some fifty milliseconds each, the last has waited little more than a second.
const WAITING: usize = 64;

impl Default for Turnstile {
    fn default() -> Self {
        let gate = |places| Arc::new(Semaphore::new(places));
        Self { computing: gate(COMPUTING), waiting: gate(COMPUTING + WAITING) }
    }
}

impl Turnstile {
    /// Waits for a turn; `None` if too many wait already.
    pub async fn enter(&self) -> Option<Pass> {
        let waiting = Arc::clone(&self.waiting).try_acquire_owned().ok()?;
        let computing = Arc::clone(&self.computing).acquire_owned().await.ok()?;
        Some(Pass { _computing: computing, _waiting: waiting })
    }
}

#[cfg(test)]
mod tests {
    use super::{COMPUTING, Turnstile, WAITING};
    use std::time::Duration;

    #[tokio::test]
    async fn two_at_a_time() {
        let turnstile = Turnstile::default();
        let mut passes = Vec::new();
        for _ in 0..COMPUTING {
            passes.push(turnstile.enter().await.expect("a place"));
        }
        let third = tokio::time::timeout(Duration::from_millis(50), turnstile.enter());
        assert!(third.await.is_err());
        passes.pop();
        assert!(turnstile.enter().await.is_some());
    }

    #[tokio::test]
    async fn the_queue_has_an_end() {
        let turnstile = Turnstile::default();
        let all = u32::try_from(COMPUTING + WAITING).expect("few");
        let _all = turnstile.waiting.acquire_many(all).await.expect("open");
        assert!(turnstile.enter().await.is_none());
    }
}
