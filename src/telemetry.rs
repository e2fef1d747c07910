//! What is told about decisions: one log line each, counters, a histogram. And how logging is set up.

mod entry;
mod line;
mod log;
mod metrics;
mod usage;

pub use line::DecisionLine;
pub use log::{Log, LogGuard, Sink, beside};
pub use metrics::Metrics;
pub use usage::{Noted, UsageBook};

use crate::config::{Environment, LogFormat, Logging};
use std::io::IsTerminal;
use std::sync::Arc;
use tracing::level_filters::LevelFilter;

/// Sends log lines to standard error, as the configuration says, and never lets anybody wait for it. Once per
/// process; what later calls give is written beside. The guard belongs to whoever runs the process.
pub fn install(logging: &Logging) -> (Log, LogGuard) {
    let level = logging.level.map_or(LevelFilter::OFF, LevelFilter::from_level);
    let no_colour = Environment::of_process().get("NO_COLOR").is_some();
    let (lines, guard) = beside(std::io::stderr(), log::ROOM);
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(lines.clone())
        .with_ansi(std::io::stderr().is_terminal() && !no_colour)
        .with_target(false);
    let installed = match logging.format {
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
        LogFormat::Text => builder.try_init(),
    };
    // A second installation can only happen in tests, which share a process.
    drop(installed);
    (Log::new(Arc::new(lines), logging.format, level), guard)
}
