//! What is told about decisions: one log line each, counters, a histogram. And how logging is set up.

mod line;
mod metrics;
mod usage;

pub use line::{DecisionLine, Line};
pub use metrics::Metrics;
pub use usage::{Noted, UsageBook};

use crate::config::{Environment, LogFormat, Logging};
use std::io::IsTerminal;
use tracing::level_filters::LevelFilter;

/// Sends log lines to standard error, as the configuration says. Once per process; later calls do
/// nothing.
pub fn install(logging: &Logging) {
    let level = logging.level.map_or(LevelFilter::OFF, LevelFilter::from_level);
    let no_colour = Environment::of_process().get("NO_COLOR").is_some();
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && !no_colour)
        .with_target(false);
    let installed = match logging.format {
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
        LogFormat::Text => builder.try_init(),
    };
    // A second installation can only happen in tests, which share a process.
    drop(installed);
}
