//! Counters in the Prometheus text format. Labels come from closed sets: no client can add one.

use super::log::Log;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::Ordering;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decision {
    decision: &'static str,
    reason: &'static str,
}

/// Route ids come from the configuration, never from a client.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Rehearsed {
    route: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Loaded {
    result: &'static str,
}

/// Bounds of the latency histogram, in seconds: from a cache hit to Envoy's default timeout.
const BOUNDS: [f64; 12] = [
    0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05,
    0.2,
];

/// Everything counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    log: Log,
    log_lines_lost: Counter,
    checks: Family<Decision, Counter>,
    rehearsed: Family<Rehearsed, Counter>,
    unavailable: Counter,
    latency: Histogram,
    config_loads: Family<Loaded, Counter>,
    config_current: Gauge,
    directory_users: Gauge,
    store_reachable: Gauge,
    store_notifications: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    pub fn new() -> Self {
        let metrics = Self {
            checks: Family::default(),
            rehearsed: Family::default(),
            unavailable: Counter::default(),
            latency: Histogram::new(BOUNDS),
            config_loads: Family::default(),
            config_current: Gauge::default(),
            directory_users: Gauge::default(),
            store_reachable: Gauge::default(),
            store_notifications: Gauge::default(),
            log_lines_lost: Counter::default(),
            log: Log::default(),
            registry: Registry::default(),
        };
        let mut registry = Registry::with_prefix("lictor");
        metrics.register_checks(&mut registry);
        metrics.register_others(&mut registry);
        Self { registry, ..metrics }
    }

    fn register_checks(&self, registry: &mut Registry) {
        registry.register("checks", "Checks answered, by decision and reason", self.checks.clone());
        registry.register(
            "dry_run_checks",
            "Checks on routes with policies in dry run, by what these would have changed",
            self.rehearsed.clone(),
        );
        registry.register(
            "checks_unavailable",
            "Checks that could not be decided",
            self.unavailable.clone(),
        );
        registry.register_with_unit(
            "check_duration",
            "Time from a check to its answer",
            Unit::Seconds,
            self.latency.clone(),
        );
    }

    fn register_others(&self, registry: &mut Registry) {
        registry.register(
            "config_loads",
            "Times the configuration was read, by result",
            self.config_loads.clone(),
        );
        registry.register(
            "config_current",
            "1 if what stands in the files is in force, 0 if the last good configuration is",
            self.config_current.clone(),
        );
        registry.register(
            "directory_users",
            "People in the directory",
            self.directory_users.clone(),
        );
        registry.register(
            "store_reachable",
            "1 if the store of sessions answers; 0 if it does not, or if there is none",
            self.store_reachable.clone(),
        );
        registry.register(
            "store_notifications",
            "1 if changes of sessions are told as they are made; 0 if they are asked for",
            self.store_notifications.clone(),
        );
        registry.register(
            "log_lines_lost",
            "Log lines that found no room, because the log was not read fast enough",
            self.log_lines_lost.clone(),
        );
    }

    /// The same, with what `log` loses.
    pub fn with_log(log: Log) -> Self {
        Self { log, ..Self::new() }
    }

    /// How the store stands: whether it tells changes, and whether it answers at all.
    pub fn store(&self, (tells, answers): (bool, bool)) {
        self.store_notifications.set(i64::from(tells));
        self.store_reachable.set(i64::from(answers));
    }

    /// Counts an answer; `denied` is the reason of a refusal.
    pub fn checked(&self, denied: Option<&'static str>, elapsed: Duration) {
        let label = Decision {
            decision: if denied.is_some() { "deny" } else { "allow" },
            reason: denied.unwrap_or("allowed"),
        };
        self.checks.get_or_create(&label).inc();
        self.latency.observe(elapsed.as_secs_f64());
    }

    /// Counts a check that was refused before it was decided.
    pub fn refused(&self, reason: &'static str) {
        self.checks.get_or_create(&Decision { decision: "deny", reason }).inc();
    }

    /// Counts what policies that are only rehearsed would have changed.
    pub fn rehearsed(&self, route: &str, outcome: &'static str) {
        self.rehearsed.get_or_create(&Rehearsed { route: route.to_owned(), outcome }).inc();
    }

    pub fn unavailable(&self) {
        self.unavailable.inc();
    }

    /// Counts a reading of the configuration: how many people its directory has, or that it failed.
    pub fn loaded(&self, people: Option<usize>) {
        let result = if people.is_some() { "ok" } else { "failed" };
        self.config_loads.get_or_create(&Loaded { result }).inc();
        self.config_current.set(i64::from(people.is_some()));
        if let Some(people) = people {
            self.directory(people);
        }
    }

    /// How many people the directory has.
    pub fn directory(&self, people: usize) {
        self.directory_users.set(i64::try_from(people).unwrap_or(i64::MAX));
    }

    /// The text that a scraper reads.
    pub fn text(&self) -> String {
        // The log counts what it loses; a scraper is told the latest number.
        self.log_lines_lost.inner().store(self.log.lost(), Ordering::Relaxed);
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(_) => String::new(),
        }
    }
}
