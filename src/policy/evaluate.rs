//! Evaluation: policies × facts × caller → decision. The only place that can build a [`Grant`],
//! and the only place that knows which refusal comes before which.

use super::criterion::Finding;
use super::decision::{Decision, Denial, DenyReason};
use super::facts::Facts;
use super::reason::{Reason, Reasons};
use super::{CriteriaGroup, Effect, Operator, Policy};
use crate::identity::{Caller, Identity};
use std::sync::Arc;

/// Proof that a request was allowed, and for whom. Cannot be built or cloned elsewhere.
#[derive(Debug)]
pub struct Grant {
    identity: Option<Arc<Identity>>,
}

impl Grant {
    /// For whom; `None` on a public route without a session, and on a CORS preflight.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_deref()
    }
}

/// Whether the rules of one effect hold, and what they saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub holds: bool,
    pub reasons: Reasons,
}

/// A decision with what led to it.
#[derive(Debug)]
pub struct Evaluation {
    pub allow: Verdict,
    pub deny: Verdict,
    pub decision: Decision,
}

/// Evaluates all `policies` of a route as one. `facts.person` must be the subject of `caller`, or
/// nobody if the caller is anonymous or refused.
pub fn evaluate<'p>(
    policies: impl Iterator<Item = &'p Policy> + Clone,
    facts: &Facts<'_>,
    caller: Caller,
) -> Evaluation {
    let allow = verdict(policies.clone(), Effect::Allow, facts);
    let deny = verdict(policies, Effect::Deny, facts);
    Evaluation { allow, deny, decision: decide(allow, deny, facts, caller) }
}

/// The precedence of answers. Reasons count whatever the value of the rule that gave them: a deny
/// on identity asks an anonymous caller to sign in before it can be told that it does not hold.
fn decide(allow: Verdict, deny: Verdict, facts: &Facts<'_>, caller: Caller) -> Decision {
    let certificate = [Reason::ClientCertificateRequired, Reason::InvalidClientCertificate];
    if deny.holds && certificate.into_iter().any(|reason| deny.reasons.contains(reason)) {
        return refuse(DenyReason::ClientCertificate);
    }
    if allow.reasons.union(deny.reasons).contains(Reason::UserUnauthenticated) {
        return match caller {
            Caller::Refused(_) => refuse(DenyReason::ImpersonationNotPermitted),
            Caller::Anonymous(why) => refuse(DenyReason::Unauthenticated(why)),
            // Only facts without a person give this reason; refusing is the safe reading.
            Caller::Identified(_) => refuse(DenyReason::Forbidden),
        };
    }
    if deny.holds || !allow.holds {
        return refuse(DenyReason::Forbidden);
    }
    let preflight = facts.cors_preflight && allow.reasons.contains(Reason::CorsRequest);
    Decision::Allow(Grant {
        identity: match caller {
            Caller::Identified(identity) if !preflight => Some(identity),
            Caller::Identified(_) | Caller::Anonymous(_) | Caller::Refused(_) => None,
        },
    })
}

fn refuse(reason: DenyReason) -> Decision {
    Decision::Deny(Denial::new(reason))
}

fn verdict<'p>(
    policies: impl Iterator<Item = &'p Policy>,
    effect: Effect,
    facts: &Facts<'_>,
) -> Verdict {
    let rules = policies.flat_map(|policy| &policy.rules).filter(|rule| rule.effect == effect);
    let groups = rules.flat_map(|rule| &rule.groups).map(|group| group.ask(facts));
    any(groups)
}

impl CriteriaGroup {
    fn ask(&self, facts: &Facts<'_>) -> Verdict {
        let findings = self.criteria.iter().map(|criterion| criterion.ask(facts));
        let inverted = matches!(self.operator, Operator::Not | Operator::Nor);
        let verdicts = findings.map(|Finding { holds, reason }| Verdict {
            holds: holds != inverted,
            reasons: Reasons::of(reason),
        });
        match self.operator {
            Operator::And | Operator::Not => all(verdicts),
            Operator::Or | Operator::Nor => any(verdicts),
        }
    }
}

/// True if one is; with the reasons of the true ones, or of all if none is.
fn any(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let Sorted { yes, no } = sorted(verdicts);
    match yes {
        Some(reasons) => Verdict { holds: true, reasons },
        None => Verdict { holds: false, reasons: no.unwrap_or_default() },
    }
}

/// True if there are some and all are; with the reasons of the false ones, or of all if none is.
fn all(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let Sorted { yes, no } = sorted(verdicts);
    match (yes, no) {
        (_, Some(reasons)) => Verdict { holds: false, reasons },
        (Some(reasons), None) => Verdict { holds: true, reasons },
        (None, None) => Verdict::default(),
    }
}

/// Reasons of the true and of the false ones; `None` if there were none of that kind.
#[derive(Default)]
struct Sorted {
    yes: Option<Reasons>,
    no: Option<Reasons>,
}

fn sorted(verdicts: impl Iterator<Item = Verdict>) -> Sorted {
    verdicts.fold(Sorted::default(), |mut sorted, verdict| {
        let side = if verdict.holds { &mut sorted.yes } else { &mut sorted.no };
        *side = Some(side.unwrap_or_default().union(verdict.reasons));
        sorted
    })
}
