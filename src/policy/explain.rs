//! A decision told step by step: every group and criterion that was asked, where it was written, what
//! it met and what it made of it.

use super::criterion::{Criterion, Finding};
use super::evaluate::{Evaluation, Recorder, evaluate_recorded};
use super::{CriteriaGroup, DenyReason, Effect, Facts, Mode, Operator, Policy, Reason, Verdict};
use crate::document::Place;
use crate::identity::Caller;
use std::borrow::Cow;

/// What was asked, in the order of asking: allow before deny, enforced before rehearsed.
#[derive(Debug, Default)]
pub struct Explanation {
    pub groups: Vec<GroupTrace>,
    pending: Vec<CriterionTrace>,
}

/// One group of criteria, and what came of it.
#[derive(Debug)]
pub struct GroupTrace {
    /// Empty for a policy without a name.
    pub policy: String,
    pub mode: Mode,
    pub effect: Effect,
    pub operator: Operator,
    pub verdict: Verdict,
    pub place: Place,
    pub criteria: Vec<CriterionTrace>,
}

/// One criterion, and what came of it.
#[derive(Debug)]
pub struct CriterionTrace {
    /// As it was written, on one line.
    pub text: String,
    pub place: Place,
    /// Where the first of the criteria it stands for is written.
    pub first: Place,
    /// What kind of value it met, in words.
    pub saw: Cow<'static, str>,
    pub holds: bool,
    pub reason: Reason,
    /// How many criteria this one stands for.
    pub stands_for: usize,
}

impl CriterionTrace {
    /// Whether it speaks for its group: not inverted and true, or inverted and false.
    pub fn counts(&self, operator: Operator) -> bool {
        self.holds != operator.inverts()
    }
}

impl Explanation {
    /// What decided: the criteria that speak for the rule that holds; or, where nothing allows, those
    /// that speak against each rule that would. Rules that are only rehearsed decide nothing.
    pub fn deciding(
        &self,
        denied: Option<&DenyReason>,
    ) -> impl Iterator<Item = (&GroupTrace, &CriterionTrace)> {
        let enforced = || self.groups.iter().filter(|group| group.mode == Mode::Enforce);
        let asks = denied.and_then(DenyReason::asked_by);
        let denying = enforced().any(|group| group.effect == Effect::Deny && group.verdict.holds);
        let pairs = enforced()
            .flat_map(|group| group.criteria.iter().map(move |criterion| (group, criterion)));
        pairs.filter(move |(group, criterion)| match (asks, denied, denying) {
            (Some(reason), ..) => criterion.reason == reason,
            (None, None, _) => group.speaks(Effect::Allow) && criterion.counts(group.operator),
            (None, Some(_), true) => group.speaks(Effect::Deny) && criterion.counts(group.operator),
            (None, Some(_), false) => {
                group.effect == Effect::Allow && !criterion.counts(group.operator)
            }
        })
    }
}

impl GroupTrace {
    fn speaks(&self, effect: Effect) -> bool {
        self.effect == effect && self.verdict.holds
    }
}

/// Evaluates, and tells how.
pub fn explain<'p>(
    policies: impl Iterator<Item = &'p Policy> + Clone,
    facts: &Facts<'_>,
    caller: Caller,
) -> (Evaluation, Explanation) {
    let mut explanation = Explanation::default();
    let evaluation = evaluate_recorded(policies, facts, caller, &mut explanation);
    (evaluation, explanation)
}

impl Recorder for Explanation {
    fn criterion(&mut self, criterion: &Criterion, finding: Finding<'_>, facts: &Facts<'_>) {
        let hit = criterion.member(facts).filter(|_| finding.holds);
        let written = hit.unwrap_or(&criterion.written);
        self.pending.push(CriterionTrace {
            text: written.text.clone(),
            place: written.place.clone(),
            first: criterion.written.place.clone(),
            saw: criterion.question.saw(facts),
            holds: finding.holds,
            reason: finding.reason,
            stands_for: criterion.members.len().max(1),
        });
    }

    fn group(&mut self, policy: &Policy, effect: Effect, group: &CriteriaGroup, verdict: Verdict) {
        self.groups.push(GroupTrace {
            policy: policy.name.clone(),
            mode: policy.mode,
            effect,
            operator: group.operator,
            verdict,
            place: group.place.clone(),
            criteria: std::mem::take(&mut self.pending),
        });
    }
}
