//! An answer as steps, in the order in which a check takes them.

use super::who::{Asking, Kind};
use super::{Simulation, Step, StepOutcome};
use crate::admin::Actor;
use crate::admin::world::World;
use crate::authorizer::{Answer, Outcome, Record};
use crate::identity::{Identity, Person, TokenError};
use crate::policy::{CriterionTrace, DenyReason, Effect, Explanation, GroupTrace, Mode};
use crate::route::Route;
use std::collections::BTreeSet;

/// The longest criterion that is shown, in characters.
const SHOWN: usize = 200;
/// Headers whose values say what upstreams are told, and nothing that opens anything.
const TOLD: &str = "x-pomerium-claim-";

/// What a credential is judged on, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Signature,
    Claims,
    Credential,
    Account,
    Person,
}

impl Stage {
    fn of(error: &TokenError) -> Self {
        match error {
            TokenError::Malformed(_)
            | TokenError::BadSignature
            | TokenError::UnsupportedAlgorithm(_) => Self::Signature,
            TokenError::Expired(_)
            | TokenError::ExpiryRequired
            | TokenError::NotYetValid(_)
            | TokenError::IssuedInFuture(_)
            | TokenError::InvalidIssuer(_)
            | TokenError::InvalidAudience(_) => Self::Claims,
            TokenError::UnknownSession
            | TokenError::RecordExpired(_)
            | TokenError::RecordMismatch
            | TokenError::UnknownCredential
            | TokenError::CredentialRevoked
            | TokenError::CredentialSuperseded
            | TokenError::CredentialExpired(_) => Self::Credential,
            TokenError::AccountDeleted
            | TokenError::AccountDisabled
            | TokenError::AccountExpired(_)
            | TokenError::AccountNameTaken => Self::Account,
            TokenError::PersonGone | TokenError::PersonBlocked => Self::Person,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Credential => "credential",
            Self::Account => "account",
            Self::Person => "person",
        }
    }
}

impl Step {
    fn new(what: impl Into<String>, outcome: StepOutcome, detail: impl Into<String>) -> Self {
        Self { depth: 0, what: what.into(), outcome, detail: detail.into(), decisive: false }
    }

    fn at(self, depth: u8) -> Self {
        Self { depth, ..self }
    }

    fn decides(self, decisive: impl FnOnce() -> bool) -> Self {
        Self { decisive: decisive(), ..self }
    }
}

impl Asking {
    /// Who asks, and what was found out about their credential.
    fn steps(&self, record: Option<&Record>) -> Vec<Step> {
        let told = record.and_then(|record| record.session_error.as_ref());
        let error = self.error.as_ref().or(told);
        let denied = record.and_then(|record| record.denied.as_ref());
        let refused = denied == Some(&DenyReason::ImpersonationNotPermitted);
        let person = self.kind == Kind::Person
            || refused
            || self.machine.as_ref().is_some_and(|it| it.account.is_impersonating());
        let stages: Vec<Stage> = match self.kind {
            Kind::Nobody => Vec::new(),
            Kind::Person => vec![Stage::Person],
            Kind::Account => vec![Stage::Account, Stage::Person],
            Kind::Token => vec![
                Stage::Signature,
                Stage::Claims,
                Stage::Credential,
                Stage::Account,
                Stage::Person,
            ],
        };
        let stages = stages.into_iter().filter(|stage| match stage {
            Stage::Account => self.machine.is_some() || error.map(Stage::of) == Some(*stage),
            Stage::Person => person || error.map(Stage::of) == Some(*stage),
            Stage::Signature | Stage::Claims | Stage::Credential => true,
        });
        let mut steps = vec![self.named(record)];
        for stage in stages {
            let step = match error.filter(|error| Stage::of(error) == stage) {
                Some(error) => {
                    let detail = format!("{}: {error}", error.code());
                    let unauthenticated = || matches!(denied, Some(DenyReason::Unauthenticated(_)));
                    let step = Step::new(stage.name(), StepOutcome::Fail, detail);
                    steps.push(step.at(1).decides(unauthenticated));
                    return steps;
                }
                None if stage == Stage::Person && refused => {
                    let why = "the rules keep them from acting as this person (`impersonation`)";
                    Step::new(stage.name(), StepOutcome::Fail, why).decides(|| true)
                }
                None => Step::new(stage.name(), StepOutcome::Pass, ""),
            };
            steps.push(step.at(1));
        }
        steps
    }

    fn named(&self, record: Option<&Record>) -> Step {
        let identity = record.and_then(|record| record.identity.as_deref());
        let who = identity.map_or_else(|| "nobody".to_owned(), somebody);
        let what = match self.kind {
            Kind::Nobody => "nobody is signed in",
            Kind::Person => "somebody who is signed in",
            Kind::Account => "a service account with a good credential",
            Kind::Token => "whoever shows the token",
        };
        let outcome = match (self.kind, identity) {
            (Kind::Nobody, _) => StepOutcome::Neutral,
            (Kind::Person | Kind::Account | Kind::Token, Some(_)) => StepOutcome::Pass,
            (Kind::Person | Kind::Account | Kind::Token, None) if self.error.is_none() => {
                StepOutcome::Neutral
            }
            (Kind::Person | Kind::Account | Kind::Token, None) => StepOutcome::Fail,
        };
        Step::new(what, outcome, who)
    }
}

/// What is said of an address where nothing is, or nothing that is seen.
pub(super) fn nothing_there(asking: &Asking) -> Simulation {
    let reason = DenyReason::NoRoute;
    let route = Step::new("route", StepOutcome::Fail, reason.code()).decides(|| true);
    let steps = asking.steps(None).into_iter().chain([route]).collect();
    Simulation {
        allowed: false,
        reason: reason.code().to_owned(),
        status: reason.status(),
        steps,
        ..Simulation::default()
    }
}

impl World {
    pub(super) fn told(
        &self,
        by: &Actor,
        asking: &Asking,
        (answer, explanation): (&Answer, &Explanation),
    ) -> Simulation {
        let record = &answer.record;
        if record.denied == Some(DenyReason::NoRoute) {
            return nothing_there(asking);
        }
        let route = record.route.as_ref().and_then(|id| self.route(id.as_str()));
        let denied = record.denied.as_ref();
        let mut steps = asking.steps(Some(record));
        steps.push(route_step(route, denied));
        steps.extend(self.namespace_step(asking, route, denied));
        steps.extend(self.policy_steps(by, route, denied, explanation));
        let (set_headers, removed_headers) = headers(&answer.outcome);
        Simulation {
            allowed: denied.is_none(),
            reason: denied.map_or("allowed", DenyReason::code).to_owned(),
            status: denied.map_or(200, DenyReason::status),
            route: route.map(|route| route.id.to_string()),
            namespace_path: route
                .map(|route| self.tree().path(&route.namespace))
                .unwrap_or_default(),
            steps,
            set_headers,
            removed_headers,
        }
    }

    fn namespace_step(
        &self,
        asking: &Asking,
        route: Option<&Route>,
        denied: Option<&DenyReason>,
    ) -> Option<Step> {
        let (machine, route) = (asking.machine.as_ref()?, route?);
        let path = |id: &_| self.tree().path(id);
        let (home, place) = (path(&machine.account.namespace), path(&route.namespace));
        let detail = format!("the account is at home in {home}, the route in {place}");
        let outside = denied == Some(&DenyReason::OutOfNamespace);
        let outcome = if outside { StepOutcome::Fail } else { StepOutcome::Pass };
        Some(Step::new("namespace", outcome, detail).decides(|| outside))
    }

    /// Names of policies that count on a route and that `by` does not see.
    fn hidden(&self, by: &Actor, route: Option<&Route>) -> BTreeSet<&str> {
        let sight = self.sight(by);
        let Some(route) = route else { return BTreeSet::new() };
        let stored = self.stored().policies.iter();
        let stored = stored.filter(|policy| self.is_usable(policy, &route.namespace));
        let stored = stored.map(|policy| (&policy.namespace, policy.name.as_str()));
        let named = self.settings().policies.iter();
        let named = named.map(|named| (&named.namespace, named.policy.name.as_str()));
        let all = stored.chain(named).filter(|(place, _)| !sight.sees(place));
        all.map(|(_, name)| name).collect()
    }

    /// Enforced policies, then the others; each group with its criteria. SECURITY: of a policy that `by` does
    /// not see is only said that there is one, and what it comes to.
    fn policy_steps(
        &self,
        by: &Actor,
        route: Option<&Route>,
        denied: Option<&DenyReason>,
        explanation: &Explanation,
    ) -> Vec<Step> {
        let line = route.map(|route| self.tree().line(&route.namespace)).unwrap_or_default();
        let enforced: BTreeSet<&str> = line.iter().flat_map(|id| self.enforced_in(id)).collect();
        let deciding: BTreeSet<usize> =
            explanation.deciding(denied).map(|(_, criterion)| address(criterion)).collect();
        let hidden = self.hidden(by, route);
        let mut groups: Vec<&GroupTrace> = explanation.groups.iter().collect();
        groups.sort_by_key(|group| !enforced.contains(group.policy.as_str()));
        let mut steps = Vec::new();
        if groups.is_empty() && denied == Some(&DenyReason::Forbidden) {
            let why = "the route has no policy, so nobody is allowed";
            steps.push(Step::new("policies", StepOutcome::Fail, why).decides(|| true));
        }
        for group in groups {
            let seen = !hidden.contains(group.policy.as_str());
            let step = group_step(group, enforced.contains(group.policy.as_str()), seen);
            let criteria: Vec<Step> = group
                .criteria
                .iter()
                .map(|criterion| {
                    let decides = || deciding.contains(&address(criterion));
                    criterion_step(group, criterion).decides(decides)
                })
                .collect();
            steps.push(step.decides(|| criteria.iter().any(|criterion| criterion.decisive)));
            steps.extend(criteria.into_iter().filter(|_| seen));
        }
        steps
    }
}

fn route_step(route: Option<&Route>, denied: Option<&DenyReason>) -> Step {
    let what = "route";
    match (route, denied) {
        (Some(route), Some(DenyReason::RouteMismatch)) => {
            let detail = format!("`{}` does not serve it", route.id);
            Step::new(what, StepOutcome::Fail, detail).decides(|| true)
        }
        (Some(route), _) => {
            let detail = format!("`{}`: {}, {}", route.id, route.from, route.path);
            Step::new(what, StepOutcome::Pass, detail)
        }
        (None, Some(DenyReason::Malformed(why))) => {
            Step::new("request", StepOutcome::Fail, why.as_str()).decides(|| true)
        }
        (None, _) => Step::new(what, StepOutcome::Neutral, "a page of our own"),
    }
}

fn address(criterion: &CriterionTrace) -> usize {
    std::ptr::from_ref(criterion).addr()
}

fn group_step(group: &GroupTrace, enforced: bool, seen: bool) -> Step {
    let whose = match (group.policy.as_str(), enforced) {
        ("", _) => "policy of the route".to_owned(),
        (name, true) => format!("enforced policy `{name}`"),
        (name, false) => format!("policy `{name}`"),
    };
    let what = format!("{whose}: {}/{}", group.effect.name(), group.operator.name());
    let outcome = match (group.mode, group.effect, group.verdict.holds) {
        (Mode::Enforce, Effect::Allow, true) => StepOutcome::Pass,
        (Mode::Enforce, Effect::Deny, true) => StepOutcome::Fail,
        (Mode::DryRun, _, _) | (Mode::Enforce, _, false) => StepOutcome::Neutral,
    };
    let holds = if group.verdict.holds { "holds" } else { "does not hold" };
    let detail = match group.mode {
        _ if !seen => format!("{holds}; it is made in a namespace that you do not see"),
        Mode::Enforce => format!("{holds}; {}", group.place),
        Mode::DryRun => format!("{holds}, in dry run; {}", group.place),
    };
    Step::new(what, outcome, detail)
}

fn criterion_step(group: &GroupTrace, criterion: &CriterionTrace) -> Step {
    let counts = criterion.counts(group.operator);
    let outcome = match (group.mode, group.effect, counts) {
        (Mode::DryRun, _, _) | (Mode::Enforce, Effect::Deny, false) => StepOutcome::Neutral,
        (Mode::Enforce, Effect::Allow, true) => StepOutcome::Pass,
        (Mode::Enforce, Effect::Allow, false) | (Mode::Enforce, Effect::Deny, true) => {
            StepOutcome::Fail
        }
    };
    let text: String = criterion.text.chars().take(SHOWN).collect();
    let detail = format!("saw {}; {}", criterion.saw, criterion.reason.name());
    Step::new(text, outcome, detail).at(1)
}

/// What would be set and removed. SECURITY: an assertion could be used, and what an operator sets may be a
/// secret.
fn headers(outcome: &Outcome) -> (Vec<(String, String)>, Vec<String>) {
    let Outcome::Admit(plan) = outcome else { return Default::default() };
    let set = plan.set().map(|(name, value)| {
        let told = name.as_str().starts_with(TOLD);
        let text = || String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.to_string(), if told { text() } else { String::new() })
    });
    (set.collect(), plan.remove().map(str::to_owned).collect())
}

fn somebody(identity: &Identity) -> String {
    let name = |person: &Person| match (person.email.as_str(), person.user.as_str()) {
        ("", user) => user.to_owned(),
        (email, "") => email.to_owned(),
        (email, user) => format!("{email} ({user})"),
    };
    let groups = identity.subject.group_ids().join(", ");
    let groups = if groups.is_empty() { "no groups".to_owned() } else { groups };
    let actor = identity.actor.as_ref();
    let actor = actor.map(|actor| format!("; {} acts for them", name(actor))).unwrap_or_default();
    format!("{}, {groups}{actor}", name(&identity.subject))
}
