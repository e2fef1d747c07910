//! The service that answers checks, at a fixed time, with its log and metrics at hand.

use super::fixture::NOW;
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use lictor::authorizer::Authorizer;
use lictor::clock::Clock;
use lictor::ext_authz::Checker;
use lictor::state::{Snapshot, State};
use lictor::telemetry::{DecisionLine, Metrics};
use lictor::time::Timestamp;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// Always `NOW`.
#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(NOW)
    }
}

#[derive(Clone, Debug, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Buffer {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// One service.
#[derive(Debug)]
pub struct Service {
    checker: Checker,
    metrics: Arc<Metrics>,
}

impl Service {
    /// Decides by `snapshot` and logs `fields`; all if there are none named.
    pub fn new(snapshot: Snapshot, fields: Option<Vec<String>>) -> Self {
        let metrics = Arc::new(Metrics::new());
        let checker = Checker {
            state: Arc::new(State::new(snapshot)),
            authorizer: Arc::new(Authorizer::new()),
            sessions: None,
            clock: Arc::new(Fixed),
            metrics: Arc::clone(&metrics),
            usage: Arc::default(),
            log: DecisionLine::new(fields),
        };
        Self { checker, metrics }
    }

    /// The answer, and what was logged.
    pub fn check(&self, check: CheckRequest, traceparent: Option<&str>) -> (CheckResponse, String) {
        let buffer = Buffer::default();
        let format = tracing_subscriber::fmt().json().flatten_event(true);
        let subscriber = format.with_writer(buffer.clone()).finish();
        let answer = tracing::subscriber::with_default(subscriber, || {
            wait(self.checker.check(check, traceparent.map(str::to_owned))).expect("an answer")
        });
        let bytes = buffer.0.lock().expect("unpoisoned").clone();
        (answer, String::from_utf8(bytes).expect("UTF-8"))
    }

    /// As a scraper reads them.
    pub fn metrics(&self) -> String {
        self.metrics.text()
    }
}

/// Waits for something that needs no runtime of its own.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}
