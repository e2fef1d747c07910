//! Everything that is logged, while a test listens. Only what happens on the thread that listens is
//! heard: use a runtime of one thread.

use lictor::config::LogFormat;
use lictor::telemetry::{Log, Sink};
use std::cell::RefCell;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{DefaultGuard, set_default};
use tracing::{Dispatch, Level};
use tracing_subscriber::fmt::MakeWriter;

/// What was heard so far.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<Vec<u8>>>);

thread_local! {
    /// Who listens to decisions on this thread, the latest last.
    static LISTENING: RefCell<Vec<Heard>> = const { RefCell::new(Vec::new()) };
}

/// A log whose lines are heard by whoever listens on the thread that writes them.
pub fn log(format: LogFormat) -> Log {
    Log::new(Arc::new(Aloud), format, LevelFilter::INFO)
}

/// The same, with lines of `level` and above.
pub fn log_at(level: LevelFilter) -> Log {
    Log::new(Arc::new(Aloud), LogFormat::Json, level)
}

#[derive(Debug)]
struct Aloud;

impl Sink for Aloud {
    fn take(&self, line: &[u8]) {
        LISTENING.with_borrow(|listening| {
            if let Some(heard) = listening.last() {
                heard.0.lock().expect("unpoisoned").extend_from_slice(line);
            }
        });
    }
}

/// Listens until it is let go.
#[derive(Debug)]
pub struct Listening(Option<DefaultGuard>);

impl Drop for Listening {
    fn drop(&mut self) {
        LISTENING.with_borrow_mut(|listening| drop(listening.pop()));
    }
}

/// Listens to decisions alone.
pub fn listen_to_decisions() -> (Listening, Heard) {
    let heard = Heard::default();
    LISTENING.with_borrow_mut(|listening| listening.push(heard.clone()));
    (Listening(None), heard)
}

/// Listens until the guard is let go.
pub fn listen() -> (Listening, Heard) {
    // With one listener alone, what another thread says first is heard by nobody from then on.
    static ANOTHER: OnceLock<Dispatch> = OnceLock::new();
    ANOTHER.get_or_init(|| Dispatch::new(tracing_subscriber::registry()));
    let (mut listening, heard) = listen_to_decisions();
    let format = tracing_subscriber::fmt().json().flatten_event(true).with_max_level(Level::TRACE);
    listening.0 = Some(set_default(format.with_writer(heard.clone()).finish()));
    (listening, heard)
}

impl Heard {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("unpoisoned").clone()).expect("UTF-8")
    }

    /// The lines of decisions.
    pub fn decisions(&self) -> Vec<serde_json::Value> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        lines.filter(|line: &serde_json::Value| line["message"] == "authorize check").collect()
    }
}

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Heard {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}
