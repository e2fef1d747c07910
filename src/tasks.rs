//! The only place that starts tasks and threads. What is started here is stopped here.

use std::convert::Infallible;
use std::future::Future;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Starts a thread for what will be needed soon and takes a while, before there is a server. Nobody waits for it.
pub fn ahead(work: impl FnOnce() + Send + 'static) {
    // Without a thread it is done when it is needed.
    drop(std::thread::Builder::new().spawn(work));
}

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

/// Runs `work` on a thread of its own and waits for it, at most `patience`. Says whether it came to its end; what
/// takes longer is left behind, for the end of the process to end it.
pub fn within(patience: Duration, work: impl FnOnce() + Send + 'static) -> bool {
    let (working, end) = mpsc::channel::<Infallible>();
    let started = std::thread::Builder::new().spawn(move || {
        work();
        drop(working);
    });
    // Nothing is ever sent: the channel closes when the work is done.
    started.is_ok() && end.recv_timeout(patience) == Err(RecvTimeoutError::Disconnected)
}

#[cfg(test)]
mod tests {
    use super::{Tasks, within};
    use std::time::Duration;

    #[test]
    fn nobody_waits_for_ever() {
        assert!(within(Duration::from_mins(1), || ()));
        let (_open, shut) = std::sync::mpsc::channel::<()>();
        assert!(!within(Duration::from_millis(1), move || shut.iter().for_each(drop)));
    }

    #[tokio::test]
    async fn what_panics_ends_alone() {
        let tasks = Tasks::default();
        assert_eq!(tasks.compute(|| panic!("as asked")).await, None::<()>);
        assert_eq!(tasks.compute(|| 1 + 1).await, Some(2));
        assert!(tasks.drain(Duration::from_secs(5)).await);
    }
}
