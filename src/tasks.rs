//! The only place that starts tasks and threads. What is started here is stopped here.

use std::future::Future;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The tasks of one running server.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Starts a task.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub fn start(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.tracker.track_future(task));
    }

    /// Runs `work`, which reads files or takes long, where no check has to wait for it. Gives nothing
    /// if it panics. Once begun it goes on to its end, and `drain` waits for that.
    pub async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        self.tracker.spawn_blocking(work).await.ok()
    }

    /// Completes when the tasks should come to an end.
    pub fn stopping(&self) -> impl Future<Output = ()> + Send + 'static {
        self.stop.clone().cancelled_owned()
    }

    /// Asks every task to end and waits, at most `patience`. Says whether all did.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(patience, self.tracker.wait()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Tasks;
    use std::time::Duration;

    #[tokio::test]
    async fn what_panics_ends_alone() {
        let tasks = Tasks::default();
        assert_eq!(tasks.compute(|| panic!("as asked")).await, None::<()>);
        assert_eq!(tasks.compute(|| 1 + 1).await, Some(2));
        assert!(tasks.drain(Duration::from_secs(5)).await);
    }
}
