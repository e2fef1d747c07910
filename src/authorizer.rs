//! A request and a snapshot → an answer. Reads as the stops in order: route, verify, resolve,
//! evaluate, assert. Knows nothing of the wire.

mod internal;
mod reuse;

use crate::assertion::{HeaderPlan, KeyError, PlanInput, RouteHeaders, plan, sign};
use crate::id::RouteId;
use crate::identity::{
    Caller, Credentials, Expected, Identity, Presented, Source, TokenError, identify, verify,
};
use crate::policy::{Decision, Denial, DenyReason, Evaluation, Facts, Grant, Verdict, evaluate};
use crate::request::{Request, Target};
use crate::route::{Found, Route};
use crate::state::{Settings, Snapshot};
use crate::time::Timestamp;
use internal::Internal;
use reuse::AssertionCache;

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
    /// Name the reasons on the page.
    pub show_details: bool,
}

/// What is logged about a decision.
#[derive(Debug, Default)]
pub struct Record {
    pub route: Option<RouteId>,
    /// Who is behind the request, also if they were refused.
    pub identity: Option<Box<Identity>>,
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

/// What a request runs into: a route of the operator's, or a page of ours.
enum Place<'s> {
    Route(&'s Route),
    Internal(Internal),
}

/// One question, and where it leads.
struct Asked<'a> {
    request: &'a Request,
    target: &'a Target,
    place: &'a Place<'a>,
    now: Timestamp,
}

/// What was found out about the credential of a request.
struct Presence {
    credentials: Credentials,
    caller: Caller,
    error: Option<TokenError>,
    bearer_is_ours: bool,
}

impl Default for Authorizer {
    fn default() -> Self {
        Self::new()
    }
}

impl Authorizer {
    pub fn new() -> Self {
        Self {
            assertions: AssertionCache::new(),
        }
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
        let place = match find_place(settings, request, target) {
            Ok(place) => place,
            Err(reason) => return Ok(refused(reason)),
        };
        let presence = find_caller(snapshot, request, target, now);
        let caller = place.caller(&presence);
        let person = match &caller {
            Caller::Identified(identity) => Some(&identity.subject),
            Caller::Anonymous(_) | Caller::Refused(_) => None,
        };
        let facts = Facts::new(request, person, settings.fold_email);
        let evaluation = place.evaluate(settings, &facts, caller.clone());
        let asked = Asked {
            request,
            target,
            place: &place,
            now,
        };
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
            identity: presence.identity(),
            session_error: presence.error.clone(),
            allow: evaluation.allow,
            deny: evaluation.deny,
            ..Record::default()
        };
        let outcome = match place.restrict(evaluation.decision, settings, presence) {
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
        let until = now
            .plus(settings.assertion_reuse)
            .min(identity.session.usable_until);
        let subject = reuse::Subject {
            identity,
            host,
            key: key.kid(),
            outgoing: &settings.outgoing,
            route,
        };
        Ok(Some(self.assertions.get_or_sign(
            &subject,
            (now, until),
            || sign(&fresh_id(), now),
        )?))
    }
}

fn fresh_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn refused(reason: DenyReason) -> Answer {
    let record = Record {
        denied: Some(reason.clone()),
        ..Record::default()
    };
    let refusal = Refusal {
        reason,
        token_outside_cookie: false,
        clear_cookie: false,
        show_details: false,
    };
    Answer {
        outcome: Outcome::Refuse(refusal),
        record,
    }
}

/// The answer when a decision could not be finished for a fault of ours: refused, never allowed.
pub fn fault() -> Answer {
    refused(DenyReason::Fault)
}

fn find_place<'s>(
    settings: &'s Settings,
    request: &Request,
    target: &Target,
) -> Result<Place<'s>, DenyReason> {
    if let Some(internal) = Internal::of_path(target.path.as_str()) {
        let sign_in = settings
            .sign_in
            .as_ref()
            .and_then(|sign_in| sign_in.url.host_str());
        let ours = settings.table.knows_host(&target.host) || sign_in == Some(target.host.name());
        return if ours {
            Ok(Place::Internal(internal))
        } else {
            Err(DenyReason::NoRoute)
        };
    }
    let found = match &request.route_id {
        Some(id) => settings.table.pinned(id, request.kind, target),
        None => settings
            .table
            .find(request.kind, target)
            .map_or(Found::None, Found::Route),
    };
    match found {
        Found::Route(route) => Ok(Place::Route(route)),
        Found::None => Err(DenyReason::NoRoute),
        Found::Mismatch(_) => Err(DenyReason::RouteMismatch),
    }
}

/// Tries every credential in order: the first that verifies counts, the first failure is kept.
fn find_caller(
    snapshot: &Snapshot,
    request: &Request,
    target: &Target,
    now: Timestamp,
) -> Presence {
    let settings = &snapshot.settings;
    let credentials = Credentials::find(request, &settings.cookie_name);
    let expected = Expected {
        issuers: &settings.issuers,
        host: target.host.name(),
        port: target.host.unusual_port(&request.scheme),
    };
    let read = |presented: &Presented| {
        let token = verify(&presented.text, &settings.keys, &expected, now)?;
        Ok(identify(
            &token,
            presented.source,
            &settings.impersonation,
            &snapshot.directory,
        ))
    };
    let mut error = None;
    let mut caller = None;
    for presented in &credentials.candidates {
        match read(presented) {
            Ok(found) => {
                caller = Some(found);
                break;
            }
            Err(why) => error = error.or(Some(why)),
        }
    }
    // An upstream's own bearer token is none of our business unless we made it.
    let bearer = credentials
        .plain_bearer
        .as_ref()
        .filter(|text| settings.keys.signed(text));
    let bearer_is_ours = bearer.is_some();
    if let (None, Some(text)) = (&caller, bearer) {
        match read(&Presented {
            source: Source::PlainBearer,
            text: text.clone(),
        }) {
            Ok(found) => caller = Some(found),
            Err(why) => error = error.or(Some(why)),
        }
    }
    let caller = caller.unwrap_or_else(|| Caller::Anonymous(error.clone()));
    Presence {
        credentials,
        caller,
        error,
        bearer_is_ours,
    }
}

fn removed_groups(grant: &Grant, route: &RouteHeaders) -> usize {
    let (Some(identity), Some(filter)) = (grant.identity(), &route.groups_filter) else {
        return 0;
    };
    identity
        .subject
        .group_ids()
        .iter()
        .filter(|id| !filter.contains(*id))
        .count()
}

impl Presence {
    fn identity(&self) -> Option<Box<Identity>> {
        match &self.caller {
            Caller::Identified(identity) | Caller::Refused(identity) => Some(identity.clone()),
            Caller::Anonymous(_) => None,
        }
    }

    fn refusal(&self, reason: DenyReason, place: &Place<'_>) -> Refusal {
        let unreadable = matches!(
            &reason,
            DenyReason::Unauthenticated(Some(TokenError::Malformed(_)))
        );
        Refusal {
            token_outside_cookie: self.credentials.sent_outside_cookie() || self.bearer_is_ours,
            clear_cookie: unreadable && self.credentials.cookies.have_own(),
            show_details: place.shows_details(),
            reason,
        }
    }
}

impl Place<'_> {
    /// Whom this place sees. Our own pages stay open to somebody whose impersonation was refused, as
    /// themselves: that is where they can end it.
    fn caller(&self, presence: &Presence) -> Caller {
        match (self, &presence.caller) {
            (Self::Internal(_), Caller::Refused(identity)) => {
                let subject = identity.holder().clone();
                let session = identity.session.clone();
                Caller::Identified(Box::new(Identity {
                    subject,
                    actor: None,
                    session,
                }))
            }
            (Self::Route(_) | Self::Internal(_), caller) => caller.clone(),
        }
    }

    fn evaluate(&self, settings: &Settings, facts: &Facts<'_>, caller: Caller) -> Evaluation {
        match self {
            Self::Route(route) => evaluate(route.policies.iter().map(AsRef::as_ref), facts, caller),
            Self::Internal(internal) => evaluate(
                std::iter::once(internal.policy(&settings.internal)),
                facts,
                caller,
            ),
        }
    }

    /// Administration is judged on the holder of the credential, never on whom they act as.
    fn restrict(&self, decision: Decision, settings: &Settings, presence: &Presence) -> Decision {
        let holder = presence.identity();
        let administrator = || {
            holder
                .is_some_and(|identity| settings.impersonation.is_administrator(identity.holder()))
        };
        match (self, decision) {
            (Self::Internal(Internal::Administrator), Decision::Allow(_)) if !administrator() => {
                Decision::Deny(Denial::new(DenyReason::Forbidden))
            }
            (_, decision) => decision,
        }
    }

    fn route_id(&self) -> Option<RouteId> {
        self.route().map(|route| route.id.clone())
    }

    fn headers(&self) -> Option<&RouteHeaders> {
        self.route().map(|route| &route.headers)
    }

    fn shows_details(&self) -> bool {
        self.route().is_some_and(|route| route.show_error_details)
    }

    fn route(&self) -> Option<&Route> {
        match self {
            Self::Route(route) => Some(route),
            Self::Internal(_) => None,
        }
    }
}
