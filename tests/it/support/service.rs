//! The service that answers checks, at a fixed time, with its log and metrics at hand.

use super::check::Checks as _;
use super::fixture::NOW;
use super::listening::{listen_to_decisions, log};
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use lictor::authorizer::Authorizer;
use lictor::clock::Clock;
use lictor::config::{LogField, LogFormat};
use lictor::ext_authz::Checker;
use lictor::state::{Snapshot, State};
use lictor::telemetry::{DecisionLine, Log, Metrics};
use lictor::time::Timestamp;
use std::sync::Arc;

/// Always `NOW`.
#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(NOW)
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
    pub fn new(snapshot: Snapshot, fields: Option<Vec<LogField>>) -> Self {
        Self::logging(snapshot, fields, &log(LogFormat::Json))
    }

    /// The same, into `log`.
    pub fn logging(snapshot: Snapshot, fields: Option<Vec<LogField>>, log: &Log) -> Self {
        let metrics = Arc::new(Metrics::with_log(log.clone()));
        let checker = Checker {
            state: Arc::new(State::new(snapshot)),
            authorizer: Arc::new(Authorizer::new()),
            sessions: None,
            clock: Arc::new(Fixed),
            metrics: Arc::clone(&metrics),
            usage: Arc::default(),
            log: DecisionLine::new(fields, log),
        };
        Self { checker, metrics }
    }

    /// The answer, and what was logged.
    pub fn check(&self, check: CheckRequest, traceparent: Option<&str>) -> (CheckResponse, String) {
        let (_listening, heard) = listen_to_decisions();
        let answer = wait(self.checker.check(check, traceparent.map(str::to_owned)));
        (answer.expect("an answer"), heard.text())
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
