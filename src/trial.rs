//! Tests of policies: a file of questions with the answers they should have, asked of the
//! configuration beside it; and which rules and criteria no question decided.

mod coverage;
mod read;

pub use coverage::{Coverage, Uncovered};
pub use read::{Case, Expected, Suite, Wanted};

use crate::authorizer::{Answer, Authorizer, Unavailable};
use crate::document::Place;
use crate::policy::{DenyReason, Explanation, Reasons};
use crate::state::Snapshot;

/// What came of a case.
#[derive(Debug)]
pub struct Trial {
    pub name: String,
    pub place: Place,
    /// Everything that was not as expected; empty if the case passed.
    pub failures: Vec<String>,
    /// What was decided, in words, for a failure.
    pub decided: Vec<String>,
}

/// What came of a file.
#[derive(Debug)]
pub struct Outcome {
    pub trials: Vec<Trial>,
    pub coverage: Coverage,
}

impl Suite {
    /// Asks every case.
    ///
    /// # Errors
    /// [`Unavailable`] if nothing could be decided.
    pub fn run(self) -> Result<Outcome, Unavailable> {
        let Self { snapshot, cases, .. } = self;
        let authorizer = Authorizer::new();
        let mut coverage = Coverage::of(snapshot.table());
        let mut trials = Vec::with_capacity(cases.len());
        for case in cases {
            trials.push(run(case, &authorizer, &snapshot, &mut coverage)?);
        }
        Ok(Outcome { trials, coverage })
    }
}

fn run(
    case: Case,
    authorizer: &Authorizer,
    snapshot: &Snapshot,
    coverage: &mut Coverage,
) -> Result<Trial, Unavailable> {
    let Case { name, place, question, expected } = case;
    let (answer, explanation) = question.ask(authorizer, snapshot)?;
    coverage.record(&answer, &explanation);
    let failures = expected.failures(&answer);
    let decided = if failures.is_empty() { Vec::new() } else { decided(&answer, &explanation) };
    Ok(Trial { name, place, failures, decided })
}

/// The criteria that decided, one a line.
fn decided(answer: &Answer, explanation: &Explanation) -> Vec<String> {
    let deciding = explanation.deciding(answer.record.denied.as_ref());
    let told = deciding.map(|(group, criterion)| {
        let (effect, operator) = (group.effect.name(), group.operator.name());
        let holds = if criterion.holds { "holds" } else { "fails" };
        let (text, place, saw) = (&criterion.text, &criterion.place, &criterion.saw);
        format!("{effect} {operator}: {text} {holds}, it saw {saw} ({place})")
    });
    told.collect()
}

impl Expected {
    fn failures(&self, answer: &Answer) -> Vec<String> {
        let record = &answer.record;
        let denied = record.denied.as_ref();
        let code = denied.map_or("allow", DenyReason::code);
        let mut failures = Vec::new();
        if !self.outcome.fits(denied) {
            failures.push(format!("expected {}, got {code}", self.outcome));
        }
        let seen = speaking(answer);
        for reason in self.reasons.iter().filter(|reason| !seen.contains(**reason)) {
            let names: Vec<&str> = seen.names().collect();
            let (reason, names) = (reason.name(), names.join(", "));
            failures.push(format!("expected the reason {reason}, got {names}"));
        }
        let route = record.route.as_ref().map(ToString::to_string).unwrap_or_default();
        if let Some(wanted) = self.route.as_ref().filter(|wanted| **wanted != route) {
            failures.push(format!("expected the route `{wanted}`, got `{route}`"));
        }
        let rehearsed = record.rehearsal.as_ref().map(|rehearsal| rehearsal.denied.as_ref());
        match (&self.would, rehearsed) {
            (None, _) => {}
            (Some(_), None) => failures.push("no policy of this route is in dry run".to_owned()),
            (Some(would), Some(denied)) if would.fits(denied) => {}
            (Some(would), Some(denied)) => {
                let code = denied.map_or("allow", DenyReason::code);
                failures.push(format!("with dry run enforced: expected {would}, got {code}"));
            }
        }
        failures
    }
}

/// The reasons of the side that decided.
fn speaking(answer: &Answer) -> Reasons {
    let record = &answer.record;
    match (&record.denied, record.deny.holds) {
        (None, _) | (Some(_), false) => record.allow.reasons.union(record.deny.reasons),
        (Some(_), true) => record.deny.reasons,
    }
}
