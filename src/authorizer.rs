//! A request and a snapshot → an answer. Reads as the stops in order: route, verify, resolve,
//! evaluate, assert. Knows nothing of the wire.

mod internal;
mod place;
mod presence;
mod reuse;

use crate::assertion::{HeaderPlan, KeyError, PlanInput, RouteHeaders, plan, sign};
use crate::id::RouteId;
use crate::identity::{Caller, Identity, TokenError};
use crate::policy::{Decision, Denial, DenyReason, Evaluation, Facts, Grant, Verdict};
use crate::request::{Request, Target};
use crate::state::{Settings, Snapshot};
use crate::time::Timestamp;
use place::Place;
use presence::Presence;
use reuse::AssertionCache;
use std::sync::Arc;

/// Decides requests. Holds only the assertions it may hand out again.
#[derive(Debug)]
pub struct Authorizer {
    assertions: AssertionCache,
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
}

/// What is logged about a decision.
#[derive(Debug, Default)]
pub struct Record {
    pub route: Option<RouteId>,
    /// Who is behind the request, also if they were refused.
    pub identity: Option<Arc<Identity>>,
    pub session_error: Option<TokenError>,
    pub allow: Verdict,
    pub deny: Verdict,
    /// `None` if the request was allowed.
    pub denied: Option<DenyReason>,
    /// Groups kept from leaving by `jwt_groups_filter`.
    pub removed_groups: usize,
    /// Headers from which something unprintable was left out.
    pub dropped_headers: Vec<http::HeaderName>,
}

/// Something outside a decision failed; nothing was decided.
#[derive(Debug, thiserror::Error)]
#[error("cannot answer: {0}")]
pub struct Unavailable(#[from] KeyError);

/// One question, and where it leads.
struct Asked<'a> {
    request: &'a Request,
    target: &'a Target,
    place: &'a Place<'a>,
    caller: &'a Caller,
    now: Timestamp,
}

impl Default for Authorizer {
    fn default() -> Self {
        Self::new()
    }
}

impl Authorizer {
    pub fn new() -> Self {
        Self { assertions: AssertionCache::new() }
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
        let settings = snapshot.settings.as_ref();
        let target = match &request.target {
            Ok(target) => target,
            Err(malformed) => return Ok(refused(DenyReason::Malformed(malformed.to_string()))),
        };
        let place = match Place::find(settings, request, target) {
            Ok(place) => place,
            Err(reason) => return Ok(refused(reason)),
        };
        let other = match target.path.other_reading() {
            Ok(other) => other,
            Err(why) => return Ok(refused(DenyReason::Malformed(why.to_string()))),
        };
        if other.as_ref().is_some_and(|path| place::is_elsewhere(settings, request, target, path)) {
            let why = "its path can be read as one of another route".to_owned();
            return Ok(refused(DenyReason::Malformed(why)));
        }
        let presence = Presence::find(snapshot, request, target, now);
        let caller = place.caller(&presence);
        let person = match &caller {
            Caller::Identified(identity) => Some(&identity.subject),
            Caller::Anonymous(_) | Caller::Refused(_) => None,
        };
        let facts = Facts::new(request, person, settings.fold_email, now);
        let evaluation = place.evaluate(settings, &facts, caller.clone());
        // SECURITY: a path with two readings must be allowed in both.
        let evaluation = match (&evaluation.decision, &other) {
            (Decision::Allow(_), Some(path)) => {
                let facts = Facts { path: path.decoded(), ..facts };
                place.evaluate(settings, &facts, caller.clone())
            }
            (Decision::Allow(_) | Decision::Deny(_), _) => evaluation,
        };
        let asked = Asked { request, target, place: &place, caller: &caller, now };
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
            session_error: presence.error.clone(),
            allow: evaluation.allow,
            deny: evaluation.deny,
            ..Record::default()
        };
        let outcome = match place.restrict(evaluation.decision, settings, asked.caller) {
            Decision::Deny(Denial { reason }) => {
                record.denied = Some(reason.clone());
                Outcome::Refuse(presence.refusal(reason, place))
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
                    assertion: assertion.as_deref(),
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
    ) -> Result<Option<String>, Unavailable> {
        let wanted = route.pass_identity_headers || !route.set_request_headers.is_empty();
        let Some(identity) = grant.identity().filter(|_| wanted) else {
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
