//! What was answered, counted.

use crate::answer::Answer;
use anyhow::bail;
use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Answers by kind with the times they took, to three digits.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    answers: BTreeMap<Answer, Histogram<u64>>,
    /// How much later than planned checks were sent; nothing if nothing was planned.
    late: Option<Histogram<u64>>,
    /// From the first check to the last answer.
    pub(crate) took: Duration,
    /// Checks without an answer when waiting ended.
    pub(crate) unanswered: u64,
}

impl Tally {
    pub(crate) fn count(&mut self, answer: Answer, took: Duration) -> anyhow::Result<()> {
        let times = match self.answers.entry(answer) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => entry.insert(histogram()?),
        };
        times.saturating_record(nanoseconds(took));
        Ok(())
    }

    pub(crate) fn sent_late(&mut self, by: Duration) -> anyhow::Result<()> {
        let late = match &mut self.late {
            Some(late) => late,
            None => self.late.insert(histogram()?),
        };
        late.saturating_record(nanoseconds(by));
        Ok(())
    }

    /// # Errors
    /// Another answer than this one, or none.
    pub(crate) fn held_to(&self, expected: Answer) -> anyhow::Result<()> {
        if self.unanswered > 0 {
            bail!("{} checks were not answered", self.unanswered);
        }
        for (answer, times) in &self.answers {
            if *answer != expected {
                bail!("{} checks were answered `{answer}`, not `{expected}`", times.len());
            }
        }
        Ok(())
    }

    /// As JSON; times in microseconds.
    pub(crate) fn told(&self) -> Value {
        let mut all = self.answers.values().next().cloned();
        for times in self.answers.values().skip(1) {
            if let Some(all) = &mut all {
                // Made alike, so that they can be added.
                all.add(times).unwrap_or_default();
            }
        }
        let answers: Map<String, Value> = self
            .answers
            .iter()
            .map(|(answer, times)| (answer.to_string(), percentiles(times)))
            .collect();
        let checks = all.as_ref().map_or(0, Histogram::len);
        let seconds = self.took.as_secs_f64();
        json!({
            "checks": checks,
            "seconds": seconds,
            "rate": per_second(checks, seconds),
            "unanswered": self.unanswered,
            "latency_us": all.as_ref().map(percentiles),
            "sent_late_us": self.late.as_ref().map(percentiles),
            "answers": answers,
        })
    }
}

/// A minute at the most: longer counts as a minute.
fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000_000, 3)?)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a count below 2^53")]
fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

fn percentiles(times: &Histogram<u64>) -> Value {
    let microseconds =
        |share: f64| Duration::from_nanos(times.value_at_quantile(share)).as_secs_f64() * 1e6;
    json!({
        "count": times.len(),
        "mean": times.mean() / 1e3,
        "p50": microseconds(0.5),
        "p90": microseconds(0.9),
        "p99": microseconds(0.99),
        "p999": microseconds(0.999),
        "max": microseconds(1.0),
    })
}
