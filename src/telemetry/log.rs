//! Where log lines go: to a writer that has a thread of its own. Whoever logs never waits; a line that finds no
//! room is lost and counted.

use crate::config::LogFormat;
use crate::tasks;
use std::fmt;
use std::io::{BufWriter, Write};
use std::sync::Arc;
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};

/// So many lines may wait to be written: a second of many checks, and some ten megabytes.
pub(super) const ROOM: usize = 16_384;

/// How much is handed to the writer at once while lines are waiting.
const BATCH: usize = 64 * 1024;

/// How long the last lines are waited for. The worker is given a second to write them.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Takes finished lines, each with the end of its line, and never waits.
pub trait Sink: fmt::Debug + Send + Sync {
    fn take(&self, line: &[u8]);

    /// How many lines found no room since the beginning.
    fn lost(&self) -> u64 {
        0
    }
}

impl Sink for NonBlocking {
    fn take(&self, line: &[u8]) {
        // It fails only if it may wait. What finds no room is counted there.
        drop(self.clone().write_all(line));
    }

    fn lost(&self) -> u64 {
        u64::try_from(self.error_counter().dropped_lines()).unwrap_or(u64::MAX)
    }
}

/// The log of a process: where lines go, how they look, and which are written. Without a sink, none are.
#[derive(Clone, Debug)]
pub struct Log {
    sink: Option<Arc<dyn Sink>>,
    format: LogFormat,
    level: LevelFilter,
}

impl Default for Log {
    fn default() -> Self {
        Self { sink: None, format: LogFormat::default(), level: LevelFilter::OFF }
    }
}

impl Log {
    /// Lines of `level` and above go to `sink`.
    pub fn new(sink: Arc<dyn Sink>, format: LogFormat, level: LevelFilter) -> Self {
        Self { sink: Some(sink), format, level }
    }

    /// How many lines found no room since the beginning.
    pub fn lost(&self) -> u64 {
        self.sink.as_ref().map_or(0, |sink| sink.lost())
    }

    /// Where lines of decisions go; `None` if none are written.
    pub(super) fn decisions(&self) -> Option<Arc<dyn Sink>> {
        self.sink.clone().filter(|_| self.level >= LevelFilter::INFO)
    }

    pub(super) fn format(&self) -> LogFormat {
        self.format
    }
}

/// Writes lines to `writer` on a thread of its own. At most `room` lines wait for it; what comes then is lost.
///
/// # Panics
/// If no thread can be started.
pub fn beside(writer: impl Write + Send + 'static, room: usize) -> (NonBlocking, LogGuard) {
    let builder = NonBlockingBuilder::default().buffered_lines_limit(room).lossy(true);
    let writer = BufWriter::with_capacity(BATCH, writer);
    let (lines, guard) = builder.thread_name("log").finish(writer);
    (lines, LogGuard(Some(guard)))
}

/// Lines are written while this is held. When it is let go, those that wait are written, unless nobody reads
/// them: then it gives up soon.
#[must_use = "lines are written while it is held"]
#[derive(Debug)]
pub struct LogGuard(Option<WorkerGuard>);

impl Drop for LogGuard {
    fn drop(&mut self) {
        let Some(guard) = self.0.take() else { return };
        // A worker that cannot be told to end is reported on standard output, which may be as stuck as the log is.
        tasks::within(PATIENCE, move || drop(guard));
    }
}
