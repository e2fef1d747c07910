//! What may be done: policies compiled once, evaluated without failure.
//!
//! A policy is allow rules and deny rules. Each rule has groups of criteria under `and`, `or`,
//! `not` (none holds) or `nor` (not all hold); an empty group contributes nothing. All groups of all
//! rules of one effect are joined by *or*. Access needs an allow that holds and no deny that holds.
//! Every criterion also gives a [`Reason`], and reasons decide the status of a refusal.

mod calendar;
mod compile;
mod criterion;
mod decision;
mod evaluate;
mod facts;
mod legacy;
mod matcher;
mod reason;

pub use compile::{Dialect, claim_value, compile};
pub use criterion::criterion_names;
pub use decision::{Decision, Denial, DenyReason};
pub use evaluate::{Evaluation, Grant, Verdict, evaluate};
pub use facts::Facts;
pub use legacy::LegacyFields;
pub use reason::{Reason, Reasons};

use criterion::Criterion;

/// A compiled policy.
#[derive(Debug, Default)]
pub struct Policy {
    rules: Vec<Rule>,
}

/// Groups of criteria with one effect.
#[derive(Debug)]
pub(crate) struct Rule {
    effect: Effect,
    groups: Vec<CriteriaGroup>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// Criteria under one operator. Never empty: an empty list makes no group.
#[derive(Debug)]
pub(crate) struct CriteriaGroup {
    operator: Operator,
    criteria: Vec<Criterion>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    And,
    Or,
    /// None of them holds.
    Not,
    /// At least one of them does not hold.
    Nor,
}

impl Policy {
    /// Everybody.
    pub fn public() -> Self {
        Self::allowing(Criterion::Accept)
    }

    /// Everybody who is signed in.
    pub fn signed_in() -> Self {
        Self::allowing(Criterion::AuthenticatedUser)
    }

    fn allowing(criterion: Criterion) -> Self {
        Self::any_of(vec![criterion])
    }

    /// One allow rule: any of `criteria`. None of them: no rule.
    fn any_of(criteria: Vec<Criterion>) -> Self {
        if criteria.is_empty() {
            return Self::default();
        }
        let groups = vec![CriteriaGroup { operator: Operator::Or, criteria }];
        Self { rules: vec![Rule { effect: Effect::Allow, groups }] }
    }
}
