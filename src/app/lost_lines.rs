//! Log lines that found no room, told in the log as soon as there is room again.

use crate::tasks::Tasks;
use crate::telemetry::Log;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(5);

/// Tells until the server stops.
pub(super) fn keep_told(tasks: &Tasks, log: Log) {
    let stopping = tasks.stopping();
    tasks.start(async move {
        tokio::pin!(stopping);
        let mut told = 0;
        loop {
            tokio::select! {
                () = &mut stopping => break,
                () = tokio::time::sleep(EVERY) => told = tell(&log, told),
            }
        }
    });
}

/// Tells what was lost beyond `told`. Gives how much is told now: the line that tells may be lost itself.
fn tell(log: &Log, told: u64) -> u64 {
    let lost = log.lost();
    if lost == told {
        return told;
    }
    tracing::warn!(
        lost = lost.saturating_sub(told),
        "log lines were lost: nobody reads them fast enough"
    );
    if log.lost() == lost { lost } else { told }
}

#[cfg(test)]
mod tests {
    use super::tell;
    use crate::config::LogFormat;
    use crate::telemetry::{Log, Sink};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use tracing::level_filters::LevelFilter;

    #[derive(Debug, Default)]
    struct Full(AtomicU64);

    impl Sink for Full {
        fn take(&self, _: &[u8]) {}

        fn lost(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn what_is_told_is_told_once() {
        let sink = Arc::new(Full::default());
        let log = Log::new(Arc::clone(&sink) as _, LogFormat::Json, LevelFilter::INFO);
        assert_eq!(tell(&log, 0), 0);
        sink.0.store(3, Ordering::Relaxed);
        assert_eq!(tell(&log, 0), 3);
        assert_eq!(tell(&log, 3), 3);
    }
}
