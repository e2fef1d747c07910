//! Findings in short: what lets somebody who asks the same policies a million times tell the questions
//! that are decided alike, without telling each of them step by step.

use super::criterion::{Criterion, Doubt, Finding, Question};
use super::evaluate::{Recorder, evaluate_recorded};
use super::{CriteriaGroup, Effect, Facts, Mode, Policy, Verdict};
use crate::identity::Caller;

/// What each criterion found, and where the one is written that was met among several that were joined.
/// Two questions to the same policies with equal sketches are decided alike, by the same criteria.
/// Means nothing once the policies are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sketch(Vec<usize>);

impl Sketch {
    /// Of everything a decision depends on.
    pub fn of_question<'p>(
        policies: impl Iterator<Item = &'p Policy> + Clone,
        facts: &Facts<'_>,
        caller: Caller,
    ) -> Self {
        let mut sketch = Self::of_enrolment(facts);
        drop(evaluate_recorded(policies, facts, caller, &mut sketch));
        sketch
    }

    /// Of the criteria that do not depend on who is asking: with equal sketches, two requests are the
    /// same to every caller. External records depend on the caller and are left out.
    pub fn of_request<'p>(policies: impl Iterator<Item = &'p Policy>, facts: &Facts<'_>) -> Self {
        let mut sketch = Self::of_enrolment(facts);
        let enforced = policies.filter(|policy| policy.mode == Mode::Enforce);
        for criterion in enforced.flat_map(Policy::criteria) {
            match &criterion.question {
                Question::Person(_)
                | Question::Session(_)
                | Question::Record(_)
                | Question::Always(_) => {}
                question @ (Question::Request(_)
                | Question::Peer(_)
                | Question::Time(_)
                | Question::Certificate(_)
                | Question::Ssh(_)) => {
                    // Where a request has two readings, both count.
                    for doubt in [Doubt::Every, Doubt::Any] {
                        sketch.add(criterion, question.ask(facts, doubt), facts);
                    }
                }
            }
        }
        sketch
    }

    fn of_enrolment(facts: &Facts<'_>) -> Self {
        Self(vec![usize::from(facts.is_device_enrolment())])
    }

    fn add(&mut self, criterion: &Criterion, finding: Finding<'_>, facts: &Facts<'_>) {
        self.0.push((finding.reason as usize) << 1 | usize::from(finding.holds));
        if let Some(written) = criterion.member(facts).filter(|_| finding.holds) {
            self.0.push(std::ptr::from_ref(written).addr());
        }
    }
}

impl Recorder for Sketch {
    fn criterion(&mut self, criterion: &Criterion, finding: Finding<'_>, facts: &Facts<'_>) {
        self.add(criterion, finding, facts);
    }

    fn group(&mut self, _: &Policy, _: Effect, _: &CriteriaGroup, _: Verdict) {}
}
