//! A request and a snapshot → an answer. Reads as the stops in order: route, verify, resolve,
//! evaluate, assert. Knows nothing of the wire.

mod evidence;
mod internal;
mod place;
mod presence;
mod recent;
mod reuse;
mod supposed;

pub use supposed::Supposed;

use crate::assertion::{HeaderPlan, KeyError, PlanInput, RouteHeaders, plan, sign};
use crate::certificate::CertificateError;
use crate::id::RouteId;
use crate::identity::{Caller, Identity, TokenError};
use crate::policy::{
    Decision, Denial, DenyReason, Evaluation, Explanation, Facts, Grant, Rehearsal, Verdict,
};
use crate::request::{Path, Request, Target};
use crate::secret::Secret;
use crate::service_account::Machine;
use crate::session::SessionRecord;
use crate::state::{Settings, Snapshot};
use crate::store::{RecordKey, Records, Sessionless, Silence};
use crate::time::Timestamp;
use evidence::Evidence;
use http::HeaderValue;
use place::Place;
use presence::Presence;
use recent::RecentTokens;
use reuse::AssertionCache;
use std::sync::Arc;

/// Decides requests. Holds the assertions it may hand out again, and reads sessions as far as they
/// are known.
#[derive(Debug)]
pub struct Authorizer {
    tokens: RecentTokens,
    assertions: AssertionCache,
    records: Arc<dyn Records>,
}

/// What the edge has to send, and what happened on the way.
#[derive(Debug)]
pub struct Answer {
    pub outcome: Outcome,
    pub record: Record,
}

/// What the edge has to send.
#[derive(Debug)]
pub enum Outcome {
    /// Let the request through with these headers.
    Admit(HeaderPlan),
    Refuse(Refusal),
}

/// A refusal with what the edge needs to word it.
#[derive(Debug)]
pub struct Refusal {
    pub reason: DenyReason,
    /// A token was sent in a header or the query: the client is a program, not a browser.
    pub token_outside_cookie: bool,
    /// The session cookie cannot be read; it should go.
    pub clear_cookie: bool,
    /// How many chunks of it came along.
    pub cookie_chunks: usize,
    /// Name the reasons on the page.
    pub show_details: bool,
    /// The client speaks the Model Context Protocol.
    pub mcp: Option<Mcp>,
}

/// What a Model Context Protocol client asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mcp {
    /// To call a tool; `id` is that of the JSON-RPC message, as JSON.
    ToolCall {
        id: String,
    },
    Other,
}

/// What is logged about a decision.
#[derive(Debug, Default)]
pub struct Record {
    pub route: Option<RouteId>,
    /// Who is behind the request, also if they were refused.
    pub identity: Option<Arc<Identity>>,
    /// The machine whose token was shown, good or not.
    pub machine: Option<Arc<Machine>>,
    pub session_error: Option<TokenError>,
    pub allow: Verdict,
    pub deny: Verdict,
    /// `None` if the request was allowed.
    pub denied: Option<DenyReason>,
    /// What policies that are only rehearsed would have answered.
    pub rehearsal: Option<Rehearsal>,
    /// What is wrong with the client certificate that was presented.
    pub certificate_error: Option<CertificateError>,
    /// Groups kept from leaving by `jwt_groups_filter`.
    pub removed_groups: usize,
    /// Headers from which something unprintable was left out.
    pub dropped_headers: Vec<http::HeaderName>,
}

impl Record {
    /// What policies that are only rehearsed would have changed, in a word; `None` without such.
    pub fn rehearsed(&self) -> Option<&'static str> {
        let rehearsal = self.rehearsal.as_ref()?;
        Some(match (&self.denied, &rehearsal.denied) {
            (None, Some(_)) => "would-deny",
            (Some(_), None) => "would-allow",
            (None, None) | (Some(_), Some(_)) => "same",
        })
    }
}

/// Nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    #[error("cannot answer: {0}")]
    Key(#[from] KeyError),
    /// Learn of it and ask again.
    #[error("cannot answer before a record was looked up")]
    Unseen(RecordKey),
    #[error("cannot answer: the store has been silent for too long")]
    Stale,
}

/// Who asks for a page of ours.
#[derive(Debug)]
pub struct Recognised {
    pub caller: Caller,
    /// Why a credential that came along is not usable.
    pub error: Option<TokenError>,
    /// The session behind the caller, if there is one.
    pub record: Option<SessionUse>,
    /// The service account behind the caller, if there is one. Its token is good.
    pub machine: Option<Arc<Machine>>,
}

/// A session in use.
#[derive(Clone, Debug)]
pub struct SessionUse {
    pub record: Arc<SessionRecord>,
    /// The secret of the handle that was shown.
    pub secret: Arc<Secret<String>>,
    /// The handle was given to a program.
    pub programmatic: bool,
}

/// Where callers are found.
#[derive(Clone, Copy)]
struct World<'a> {
    snapshot: &'a Snapshot,
    tokens: &'a RecentTokens,
    records: &'a dyn Records,
}

/// What is supposed, and who wants to know why.
#[derive(Default)]
struct Hearing<'e> {
    supposed: Option<&'e Supposed>,
    explanation: Option<&'e mut Explanation>,
}

/// One question, and where it leads.
struct Asked<'a> {
    request: &'a Request,
    target: &'a Target,
    place: &'a Place<'a>,
    caller: &'a Caller,
    evidence: &'a Evidence,
    now: Timestamp,
}

impl Default for Authorizer {
    fn default() -> Self {
        Self::new()
    }
}

impl Authorizer {
    /// Knows no sessions.
    pub fn new() -> Self {
        Self::with_records(Arc::new(Sessionless))
    }

    /// Knows the sessions of `records`.
    pub fn with_records(records: Arc<dyn Records>) -> Self {
        Self { tokens: RecentTokens::new(), assertions: AssertionCache::new(), records }
    }

    fn world<'a>(&'a self, snapshot: &'a Snapshot, records: &'a dyn Records) -> World<'a> {
        World { snapshot, tokens: &self.tokens, records }
    }

    /// Whom the credential in a request speaks for, for pages of our own.
    ///
    /// # Errors
    /// [`Unavailable`] if that cannot be known now.
    pub fn recognise(
        &self,
        snapshot: &Snapshot,
        request: &Request,
        target: &Target,
        now: Timestamp,
    ) -> Result<Recognised, Unavailable> {
        let world = self.world(snapshot, self.records.as_ref());
        let presence = Presence::find(world, request, target, None, now)?;
        if presence.silent {
            return Err(Unavailable::Stale);
        }
        let Presence { caller, error, record, machine, .. } = presence;
        let machine = machine.filter(|_| error.is_none() && caller.identity().is_some());
        Ok(Recognised { caller, error, record, machine })
    }

    /// Decides one request.
    ///
    /// # Errors
    /// [`Unavailable`] if nothing could be decided.
    pub fn authorize(
        &self,
        snapshot: &Snapshot,
        request: &Request,
        now: Timestamp,
    ) -> Result<Answer, Unavailable> {
        let world = self.world(snapshot, self.records.as_ref());
        self.decide(world, request, Hearing::default(), now)
    }

    /// Decides one request while the store is silent: what anybody may do goes on.
    ///
    /// # Errors
    /// [`Unavailable`] if it would have to be known who asks.
    pub fn authorize_in_silence(
        &self,
        snapshot: &Snapshot,
        request: &Request,
        now: Timestamp,
    ) -> Result<Answer, Unavailable> {
        let world = self.world(snapshot, &Silence);
        self.decide(world, request, Hearing::default(), now)
    }

    /// Decides one request by the same steps, with what is supposed, and tells how.
    ///
    /// # Errors
    /// [`Unavailable`] if nothing could be decided.
    pub fn explain(
        &self,
        snapshot: &Snapshot,
        request: &Request,
        supposed: &Supposed,
        now: Timestamp,
    ) -> Result<(Answer, Explanation), Unavailable> {
        let mut explanation = Explanation::default();
        let hearing = Hearing { supposed: Some(supposed), explanation: Some(&mut explanation) };
        let world = self.world(snapshot, self.records.as_ref());
        let answer = self.decide(world, request, hearing, now)?;
        Ok((answer, explanation))
    }

    fn decide(
        &self,
        world: World<'_>,
        request: &Request,
        hearing: Hearing<'_>,
        now: Timestamp,
    ) -> Result<Answer, Unavailable> {
        let settings = world.snapshot.settings.as_ref();
        let target = match &request.target {
            Ok(target) => target,
            Err(malformed) => return Ok(refused(DenyReason::Malformed(malformed.to_string()))),
        };
        let place = match Place::find(world.snapshot, request, target) {
            Ok(place) => place,
            Err(reason) => return Ok(refused(reason)),
        };
        let other = match target.path.other_reading() {
            Ok(other) => other,
            Err(why) => return Ok(refused(DenyReason::Malformed(why.to_string()))),
        };
        if other
            .as_ref()
            .is_some_and(|path| place::is_elsewhere(world.snapshot, request, target, path))
        {
            let why = "its path can be read as one of another route".to_owned();
            return Ok(refused(DenyReason::Malformed(why)));
        }
        let evidence = match Evidence::gather(settings, request, &place, now) {
            Ok(evidence) => evidence,
            Err(reason) => {
                let Answer { outcome, record } = refused(reason);
                let record = Record { route: place.route_id(), ..record };
                return Ok(Answer { outcome, record });
            }
        };
        let supposed = hearing.supposed;
        let presence = Presence::find(world, request, target, supposed, now)?;
        let caller = place.caller(&presence);
        let identity = match &caller {
            Caller::Identified(identity) => Some(identity.as_ref()),
            Caller::Anonymous(_) | Caller::Refused(_) => None,
        };
        let facts = evidence.facts(settings, Facts::new(request, identity, now));
        let facts = supposed.map_or(facts, |supposed| supposed.facts(facts));
        let explanation = hearing.explanation;
        let evaluation =
            if place.is_outside(presence.machine.as_deref(), &world.snapshot.catalog.tree) {
                Evaluation::refused(DenyReason::OutOfNamespace)
            } else {
                judge(settings, &place, facts, &caller, other.as_ref(), explanation)
            };
        if presence.silent && matches!(evaluation.decision, Decision::Deny(_)) {
            return Err(Unavailable::Stale);
        }
        let asked =
            Asked { request, target, place: &place, caller: &caller, evidence: &evidence, now };
        self.answer(settings, &asked, &presence, evaluation)
    }

    fn answer(
        &self,
        settings: &Settings,
        asked: &Asked<'_>,
        presence: &Presence,
        evaluation: Evaluation,
    ) -> Result<Answer, Unavailable> {
        let place = asked.place;
        let mut record = Record {
            route: place.route_id(),
            identity: asked.caller.identity().cloned(),
            machine: presence.machine.clone(),
            session_error: presence.error.clone(),
            allow: evaluation.allow,
            deny: evaluation.deny,
            rehearsal: evaluation.rehearsal,
            certificate_error: asked.evidence.certificate_error(),
            ..Record::default()
        };
        let outcome = match place.restrict(evaluation.decision, settings, asked.caller) {
            Decision::Deny(Denial { reason }) => {
                record.denied = Some(reason.clone());
                let refusal = presence.refusal(reason, place);
                Outcome::Refuse(Refusal { mcp: asked.evidence.mcp(), ..refusal })
            }
            Decision::Allow(grant) => {
                let own = RouteHeaders::default();
                let route = place.headers().unwrap_or(&own);
                let assertion = self.assertion(settings, asked, &grant, route)?;
                let plan = plan(&PlanInput {
                    grant: &grant,
                    request: asked.request,
                    credentials: &presence.credentials,
                    bearer_is_ours: presence.bearer_is_ours,
                    assertion: assertion.as_ref(),
                    certificate: asked.evidence.vouched_certificate(),
                    outgoing: &settings.outgoing,
                    route,
                });
                record.removed_groups = removed_groups(&grant, route);
                record.dropped_headers.clone_from(&plan.dropped);
                Outcome::Admit(plan)
            }
        };
        Ok(Answer { outcome, record })
    }

    /// The assertion for whoever was allowed, a recent one if reuse permits.
    fn assertion(
        &self,
        settings: &Settings,
        asked: &Asked<'_>,
        grant: &Grant,
        route: &RouteHeaders,
    ) -> Result<Option<HeaderValue>, Unavailable> {
        let wanted = route.pass_identity_headers || !route.set_request_headers.is_empty();
        let Some(identity) = grant.shared_identity().filter(|_| wanted) else {
            return Ok(None);
        };
        let key = settings.signing.signing();
        let (host, now) = (asked.target.host.name(), asked.now);
        let sign =
            |jti: &str, at| sign(identity, host, (&settings.outgoing, route), key, (jti, at));
        if settings.assertion_reuse.is_zero() {
            return Ok(Some(sign(&fresh_id(), now)?));
        }
        let until = now.plus(settings.assertion_reuse).min(identity.session.usable_until);
        let subject =
            reuse::Subject { identity, host, key: key.kid(), outgoing: &settings.outgoing, route };
        Ok(Some(self.assertions.get_or_sign(&subject, (now, until), || sign(&fresh_id(), now))?))
    }
}

/// Evaluates the policies of a place. SECURITY: a path with two readings must be allowed in both.
fn judge(
    settings: &Settings,
    place: &Place<'_>,
    facts: Facts<'_>,
    caller: &Caller,
    other: Option<&Path>,
    mut explanation: Option<&mut Explanation>,
) -> Evaluation {
    let first = place.evaluate(settings, &facts, caller.clone(), explanation.as_deref_mut());
    let Some(path) = other else {
        return first;
    };
    let refused = matches!(first.decision, Decision::Deny(_));
    let rehearsed = first.rehearsal.clone();
    if refused && rehearsed.as_ref().is_none_or(Rehearsal::refuses) {
        return first;
    }
    let facts = Facts { path: path.decoded(), ..facts };
    let explanation = explanation.filter(|_| !refused);
    let second = place.evaluate(settings, &facts, caller.clone(), explanation);
    let rehearsal = rehearsed.filter(Rehearsal::refuses).or(second.rehearsal.clone());
    Evaluation { rehearsal, ..if refused { first } else { second } }
}

fn fresh_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn refused(reason: DenyReason) -> Answer {
    let record = Record { denied: Some(reason.clone()), ..Record::default() };
    let refusal = Refusal {
        reason,
        token_outside_cookie: false,
        clear_cookie: false,
        cookie_chunks: 0,
        show_details: false,
        mcp: None,
    };
    Answer { outcome: Outcome::Refuse(refusal), record }
}

/// The answer when a decision could not be finished for a fault of ours: refused, never allowed.
pub fn fault() -> Answer {
    refused(DenyReason::Fault)
}

fn removed_groups(grant: &Grant, route: &RouteHeaders) -> usize {
    let (Some(identity), Some(filter)) = (grant.identity(), &route.groups_filter) else {
        return 0;
    };
    identity.subject.group_ids().iter().filter(|id| !filter.contains(*id)).count()
}
