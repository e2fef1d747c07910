//! Evaluation: policies × facts × caller → decision. The only place that can build a [`Grant`],
//! and the only place that knows which refusal comes before which.

use super::criterion::{Criterion, Doubt, Finding};
use super::decision::{Decision, Denial, DenyReason};
use super::facts::Facts;
use super::reason::{Reason, Reasons};
use super::{CriteriaGroup, Effect, Mode, Operator, Policy};
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

    /// The same, to be kept.
    pub fn shared_identity(&self) -> Option<&Arc<Identity>> {
        self.identity.as_ref()
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
    /// What the policies in [`Mode::DryRun`] would have changed; `None` if there are none.
    pub rehearsal: Option<Rehearsal>,
}

impl Evaluation {
    /// A refusal that was decided before any rule was asked.
    pub fn refused(reason: DenyReason) -> Self {
        Self {
            allow: Verdict::default(),
            deny: Verdict::default(),
            decision: Decision::Deny(Denial::new(reason)),
            rehearsal: None,
        }
    }
}

/// The decision as it would be if policies in [`Mode::DryRun`] were enforced with the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// `None` if the request would have been allowed.
    pub denied: Option<DenyReason>,
}

impl Rehearsal {
    pub fn refuses(&self) -> bool {
        self.denied.is_some()
    }
}

/// Is told what evaluation does, as it does it; `()` listens to nothing and costs nothing. There is
/// one evaluator, so an explanation cannot disagree with a decision.
pub(super) trait Recorder {
    /// A criterion has been asked; its group follows after the last of them.
    fn criterion(&mut self, criterion: &Criterion, finding: Finding<'_>, facts: &Facts<'_>);
    fn group(&mut self, policy: &Policy, effect: Effect, group: &CriteriaGroup, verdict: Verdict);
}

impl Recorder for () {
    fn criterion(&mut self, _: &Criterion, _: Finding<'_>, _: &Facts<'_>) {}
    fn group(&mut self, _: &Policy, _: Effect, _: &CriteriaGroup, _: Verdict) {}
}

/// Evaluates all `policies` of a route as one. `facts.identity` must be that of `caller`, or nobody's
/// if the caller is anonymous or refused.
pub fn evaluate<'p>(
    policies: impl Iterator<Item = &'p Policy> + Clone,
    facts: &Facts<'_>,
    caller: Caller,
) -> Evaluation {
    evaluate_recorded(policies, facts, caller, &mut ())
}

/// As [`evaluate`], with somebody listening.
pub(super) fn evaluate_recorded<'p>(
    policies: impl Iterator<Item = &'p Policy> + Clone,
    facts: &Facts<'_>,
    caller: Caller,
    recorder: &mut impl Recorder,
) -> Evaluation {
    let enforced = policies.clone().filter(|policy| policy.mode == Mode::Enforce);
    let rehearsed = policies.filter(|policy| policy.mode == Mode::DryRun);
    let both = weigh(&enforced, facts, recorder);
    let rehearsal = rehearsed.clone().next().is_some().then(|| {
        let added = weigh(&rehearsed, facts, recorder);
        let denied = decide(&both.with(added), facts, &caller).err();
        Rehearsal { denied }
    });
    let decision = match decide(&both, facts, &caller) {
        Err(reason) => Decision::Deny(Denial::new(reason)),
        Ok(()) => Decision::Allow(Grant { identity: granted_to(&both, facts, caller) }),
    };
    let (allow, deny) = (both.allow.verdict, both.deny.verdict);
    Evaluation { allow, deny, decision, rehearsal }
}

/// What the rules of both effects say.
#[derive(Clone, Copy)]
struct Weighed<'p> {
    allow: Weight<'p>,
    deny: Weight<'p>,
}

/// A verdict on the way, with the kind of device that was asked for.
#[derive(Clone, Copy, Default)]
struct Weight<'p> {
    verdict: Verdict,
    device: Option<&'p Arc<str>>,
}

impl Weighed<'_> {
    fn with(self, other: Self) -> Self {
        let join = |a, b| Sides::default().and(a).and(b).any();
        Self { allow: join(self.allow, other.allow), deny: join(self.deny, other.deny) }
    }
}

/// The precedence of answers. Reasons count whatever the value of the rule that gave them: a deny
/// on identity asks an anonymous caller to sign in before it can be told that it does not hold.
fn decide(both: &Weighed<'_>, facts: &Facts<'_>, caller: &Caller) -> Result<(), DenyReason> {
    let Weighed { allow, deny } = both;
    let (yes, no) = (allow.verdict, deny.verdict);
    let certificate = [Reason::ClientCertificateRequired, Reason::InvalidClientCertificate];
    if no.holds && certificate.into_iter().any(|reason| no.reasons.contains(reason)) {
        return Err(DenyReason::ClientCertificate);
    }
    let seen = yes.reasons.union(no.reasons);
    if seen.contains(Reason::UserUnauthenticated) {
        return Err(match caller {
            Caller::Refused(_) => DenyReason::ImpersonationNotPermitted,
            Caller::Anonymous(why) => DenyReason::Unauthenticated(why.clone()),
            // Only facts without a person give this reason; refusing is the safe reading.
            Caller::Identified(_) => DenyReason::Forbidden,
        });
    }
    if seen.contains(Reason::DeviceUnauthenticated) && !facts.is_device_enrolment() {
        let kind = allow.device.max(deny.device).map_or("any", AsRef::as_ref);
        return Err(DenyReason::DeviceUnauthenticated(kind.to_owned()));
    }
    match (no.holds, yes.holds) {
        (true, _) => Err(refused_by(no.reasons)),
        (false, true) => Ok(()),
        (false, false) => Err(refused_by(yes.reasons)),
    }
}

fn refused_by(reasons: Reasons) -> DenyReason {
    if reasons.contains(Reason::DeviceUnauthorized) {
        DenyReason::DeviceUnauthorized
    } else {
        DenyReason::Forbidden
    }
}

/// A preflight is nobody's, even if a credential came along.
fn granted_to(both: &Weighed<'_>, facts: &Facts<'_>, caller: Caller) -> Option<Arc<Identity>> {
    let reasons = both.allow.verdict.reasons;
    let preflight = facts.cors_preflight && reasons.contains(Reason::CorsRequest);
    match caller {
        Caller::Identified(identity) if !preflight => Some(identity),
        Caller::Identified(_) | Caller::Anonymous(_) | Caller::Refused(_) => None,
    }
}

fn weigh<'p>(
    policies: &(impl Iterator<Item = &'p Policy> + Clone),
    facts: &Facts<'_>,
    recorder: &mut impl Recorder,
) -> Weighed<'p> {
    let mut of = |effect| {
        let mut sides = Sides::default();
        for policy in policies.clone() {
            for rule in policy.rules.iter().filter(|rule| rule.effect == effect) {
                for group in &rule.groups {
                    let weight = group.ask(facts, effect, recorder);
                    recorder.group(policy, effect, group, weight.verdict);
                    sides = sides.and(weight);
                }
            }
        }
        sides.any()
    };
    Weighed { allow: of(Effect::Allow), deny: of(Effect::Deny) }
}

impl CriteriaGroup {
    fn ask(&self, facts: &Facts<'_>, effect: Effect, recorder: &mut impl Recorder) -> Weight<'_> {
        let inverted = self.operator.inverts();
        let doubt = doubt(effect, inverted);
        let mut sides = Sides::default();
        for criterion in &self.criteria {
            let finding = criterion.question.ask(facts, doubt);
            recorder.criterion(criterion, finding, facts);
            let verdict =
                Verdict { holds: finding.holds != inverted, reasons: Reasons::of(finding.reason) };
            sides = sides.and(Weight { verdict, device: finding.device });
        }
        match self.operator {
            Operator::And | Operator::Not => sides.all(),
            Operator::Or | Operator::Nor => sides.any(),
        }
    }
}

/// Whichever reading leads to a refusal counts.
pub(super) fn doubt(effect: Effect, inverted: bool) -> Doubt {
    match (effect, inverted) {
        (Effect::Allow, false) | (Effect::Deny, true) => Doubt::Every,
        (Effect::Allow, true) | (Effect::Deny, false) => Doubt::Any,
    }
}

/// What the true and the false ones saw; `None` if there were none of that kind.
#[derive(Clone, Copy, Default)]
struct Sides<'p> {
    yes: Option<Weight<'p>>,
    no: Option<Weight<'p>>,
}

impl<'p> Sides<'p> {
    fn and(self, weight: Weight<'p>) -> Self {
        let add = |side: Option<Weight<'p>>| {
            let before = side.unwrap_or_default();
            let reasons = before.verdict.reasons.union(weight.verdict.reasons);
            let verdict = Verdict { holds: weight.verdict.holds, reasons };
            Some(Weight { verdict, device: before.device.max(weight.device) })
        };
        if weight.verdict.holds {
            Self { yes: add(self.yes), ..self }
        } else {
            Self { no: add(self.no), ..self }
        }
    }

    /// True if one is; with the reasons of the true ones, or of all if none is.
    fn any(self) -> Weight<'p> {
        self.yes.or(self.no).unwrap_or_default()
    }

    /// True if there are some and all are; with the reasons of the false ones, or of all if none is.
    fn all(self) -> Weight<'p> {
        self.no.or(self.yes).unwrap_or_default()
    }
}
