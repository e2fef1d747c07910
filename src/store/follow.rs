//! Keeps a cache true to the store: by the feed of changes, and by asking at every heartbeat what
//! has changed, so that a feed that fails without a sign delays a change by one heartbeat at most.

use super::{Changes, RecordKey, SessionCache, Store, StoreError};
use std::collections::BTreeSet;
use std::time::Duration;

/// How the cache stands to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Changes come as they are made.
    Live,
    /// There is no feed, for this reason; changes are seen at the next heartbeat.
    Asking(String),
    /// The store does not answer, for this reason; nothing is seen.
    Lost(String),
}

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many heartbeats pass before the feed is tried again.
const RETRY: usize = 5;

/// Follows until it is dropped. `told` hears how it stands whenever that changes.
pub async fn follow(cache: &SessionCache, told: impl Fn(&Touch)) {
    let mut follower = Follower { cache, latest: 0, heard: BTreeSet::new(), touch: None, told };
    loop {
        let failure = match follower.listen().await {
            Ok(never) => match never {},
            Err(error) => error.to_string(),
        };
        for _ in 0..RETRY {
            let touch = match follower.ask().await {
                Ok(()) => Touch::Asking(failure.clone()),
                Err(error) => Touch::Lost(error.to_string()),
            };
            follower.tell(touch);
            tokio::time::sleep(cache.store().heartbeat()).await;
        }
    }
}

enum Never {}

struct Follower<'a, F> {
    cache: &'a SessionCache,
    /// The last change that was asked for.
    latest: u64,
    /// Changes after it that the feed has told already.
    heard: BTreeSet<u64>,
    touch: Option<Touch>,
    told: F,
}

impl<F: Fn(&Touch)> Follower<'_, F> {
    fn store(&self) -> &dyn Store {
        self.cache.store().as_ref()
    }

    fn tell(&mut self, touch: Touch) {
        if self.touch.as_ref() != Some(&touch) {
            (self.told)(&touch);
            self.touch = Some(touch);
        }
    }

    /// Follows the feed. Returns when it is broken.
    async fn listen(&mut self) -> Result<Never, StoreError> {
        let mut feed = within(self.store().follow()).await?;
        // A server that took over from another may count changes anew.
        self.cache.forget_all();
        self.heard.clear();
        // What changed before the feed began, it does not tell.
        self.ask().await?;
        self.tell(Touch::Live);
        loop {
            let beat = tokio::time::sleep(self.store().heartbeat());
            tokio::pin!(beat);
            loop {
                tokio::select! {
                    () = &mut beat => break,
                    changed = feed.next() => {
                        let changed = changed?;
                        self.heard.insert(changed.number);
                        self.forget(&changed.record);
                    }
                }
            }
            self.ask().await?;
        }
    }

    /// Asks what has changed since the last time.
    async fn ask(&mut self) -> Result<(), StoreError> {
        let moment = self.cache.moment();
        let Changes { latest, changed } = within(self.store().changes_since(self.latest)).await?;
        match changed {
            None => self.cache.forget_all(),
            Some(changed) => {
                let unheard = changed.iter().filter(|change| !self.heard.contains(&change.number));
                unheard.for_each(|change| self.forget(&change.record));
            }
        }
        self.latest = latest;
        self.heard = self.heard.split_off(&latest.saturating_add(1));
        self.cache.confirm(moment);
        Ok(())
    }

    fn forget(&self, record: &RecordKey) {
        self.cache.forget(record);
    }
}

async fn within<T>(question: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let answer = tokio::time::timeout(PATIENCE, question).await;
    answer.unwrap_or_else(|_| Err(StoreError::unavailable("no answer in time")))
}
