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
mod device;
mod evaluate;
mod explain;
mod facts;
mod inquiry;
mod legacy;
mod lint;
mod matcher;
mod mcp;
mod print;
mod reason;
mod sketch;

pub use compile::{Language, Names, claim_value, compile};
pub use criterion::{CertificateFacts, EXTENSIONS, SshFacts, criterion_names};
pub use decision::{Decision, Denial, DenyReason};
pub use evaluate::{Evaluation, Grant, Rehearsal, Verdict, evaluate};
pub use explain::{CriterionTrace, Explanation, GroupTrace, explain};
pub use facts::Facts;
pub use inquiry::{Aspect, Hint};
pub use legacy::LegacyFields;
pub use lint::{Certificates, KnownNames, Protocol, Sides, Surroundings, advise, advise_on_route};
pub use mcp::{McpCall, McpError, read_calls, read_text_calls};
pub use print::GroupOutline;
pub use reason::{Reason, Reasons};
pub use sketch::{Mark, Personal, Sketch};

use crate::document::Place;
use criterion::{CertificateQuestion, Criterion, PeerQuestion, PersonQuestion, Question};

/// A compiled policy.
#[derive(Debug, Default)]
pub struct Policy {
    /// As it is called under `policies`; empty for one that has no name.
    pub name: String,
    pub mode: Mode,
    rules: Box<[Rule]>,
}

/// What the verdict of a policy is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    #[default]
    Enforce,
    /// Evaluated, logged and counted; never decides.
    DryRun,
}

/// Groups of criteria with one effect.
#[derive(Debug)]
pub(crate) struct Rule {
    effect: Effect,
    groups: Box<[CriteriaGroup]>,
}

/// What a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

impl Effect {
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// Criteria under one operator. Never empty: an empty list makes no group.
#[derive(Debug)]
pub(crate) struct CriteriaGroup {
    operator: Operator,
    criteria: Box<[Criterion]>,
    place: Place,
}

/// How the criteria of a group are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    And,
    Or,
    /// None of them holds.
    Not,
    /// At least one of them does not hold.
    Nor,
}

impl Operator {
    pub fn name(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Not => "not",
            Self::Nor => "nor",
        }
    }

    /// Whether a criterion counts when it does *not* hold.
    pub fn inverts(self) -> bool {
        match self {
            Self::And | Self::Or => false,
            Self::Not | Self::Nor => true,
        }
    }
}

impl Policy {
    /// Everybody.
    pub fn public() -> Self {
        Self::allowing(Criterion::unwritten("accept", Question::Always(true)))
    }

    /// Nobody, whatever else says so.
    pub fn closed() -> Self {
        let criterion = Criterion::unwritten("accept", Question::Always(true));
        Self::one_group(Effect::Deny, vec![criterion])
    }

    /// Everybody who is signed in.
    pub fn signed_in() -> Self {
        let question = Question::Person(PersonQuestion::Somebody);
        Self::allowing(Criterion::unwritten("authenticated_user", question))
    }

    /// What stands before every route where client certificates are asked for: one that is missing or
    /// not valid is refused.
    pub fn client_certificate_required() -> Self {
        let question = Question::Certificate(CertificateQuestion::Invalid);
        let criterion = Criterion::unwritten("invalid_client_certificate", question);
        Self::one_group(Effect::Deny, vec![criterion])
    }

    /// Whether it asks about client certificates, or about what follows from them.
    pub fn reads_certificates(&self) -> bool {
        let about = |criterion: &Criterion| {
            matches!(
                criterion.question,
                Question::Certificate(_)
                    | Question::Record(_)
                    | Question::Peer(PeerQuestion::SourcePrincipal(_) | PeerQuestion::SpiffeId(_))
            )
        };
        self.criteria().any(about)
    }

    fn allowing(criterion: Criterion) -> Self {
        Self::one_group(Effect::Allow, vec![criterion])
    }

    /// One rule: any of `criteria`. None of them: no rule.
    fn one_group(effect: Effect, criteria: Vec<Criterion>) -> Self {
        let Some(first) = criteria.first() else {
            return Self::default();
        };
        let place = first.written.place.clone();
        let criteria = criteria.into();
        let groups = Box::new([CriteriaGroup { operator: Operator::Or, criteria, place }]);
        Self { rules: Box::new([Rule { effect, groups }]), ..Self::default() }
    }

    /// Whether it has no rule at all; then it neither allows nor denies.
    pub fn is_empty(&self) -> bool {
        self.rules.iter().all(|rule| rule.groups.is_empty())
    }

    /// The same policy under a name.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    fn criteria(&self) -> impl Iterator<Item = &Criterion> {
        let groups = self.rules.iter().flat_map(|rule| &rule.groups);
        groups.flat_map(|group| &group.criteria)
    }
}
