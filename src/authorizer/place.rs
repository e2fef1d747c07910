//! The route stop: what a request runs into, and what that place makes of who is asking.

use super::internal::Internal;
use super::presence::Presence;
use crate::assertion::RouteHeaders;
use crate::id::RouteId;
use crate::identity::{Caller, Identity};
use crate::namespace::Tree;
use crate::policy::{
    Decision, Denial, DenyReason, Evaluation, Explanation, Facts, evaluate, explain,
};
use crate::request::{Path, Request, Target};
use crate::route::{Found, Route};
use crate::service_account::Machine;
use crate::state::{Settings, Snapshot};
use std::sync::Arc;

/// What a request runs into: a route of the operator's, or a page of ours.
pub(super) enum Place<'s> {
    Route(&'s Route),
    Internal(Internal),
}

impl<'s> Place<'s> {
    /// Our own pages first, then the route Envoy names, else the one that serves host and path.
    pub(super) fn find(
        snapshot: &'s Snapshot,
        request: &Request,
        target: &Target,
    ) -> Result<Self, DenyReason> {
        if let Some(internal) = Internal::of(request, target) {
            let ours = snapshot.is_ours(&target.host);
            return if ours { Ok(Place::Internal(internal)) } else { Err(DenyReason::NoRoute) };
        }
        let found = match &request.route_id {
            Some(id) => snapshot.table().pinned(id, request.kind, target),
            None => snapshot.table().find(request.kind, target).map_or(Found::None, Found::Route),
        };
        match found {
            Found::Route(route) => Ok(Place::Route(route)),
            Found::None => Err(DenyReason::NoRoute),
            Found::Mismatch(_) => Err(DenyReason::RouteMismatch),
        }
    }
}

impl Place<'_> {
    /// Whom this place sees. Our own pages stay open to somebody whose impersonation was refused, as
    /// themselves: that is where they can end it.
    pub(super) fn caller(&self, presence: &Presence) -> Caller {
        match (self, &presence.caller) {
            (Self::Internal(_), Caller::Refused(identity)) => {
                let subject = identity.holder().clone();
                let session = identity.session.clone();
                Caller::Identified(Arc::new(Identity { subject, actor: None, session }))
            }
            (Self::Route(_) | Self::Internal(_), caller) => caller.clone(),
        }
    }

    pub(super) fn evaluate(
        &self,
        settings: &Settings,
        facts: &Facts<'_>,
        caller: Caller,
        explanation: Option<&mut Explanation>,
    ) -> Evaluation {
        let certificate = &settings.internal.client_certificate;
        let built_in = match self {
            Self::Route(_) => settings.default_certificate_rule.then_some(certificate),
            Self::Internal(internal) => Some(internal.policy(&settings.internal)),
        };
        let own = self.route().into_iter().flat_map(|route| &route.policies);
        let policies = own.map(AsRef::as_ref).chain(built_in);
        let Some(told) = explanation else {
            return evaluate(policies, facts, caller);
        };
        let evaluation;
        (evaluation, *told) = explain(policies, facts, caller);
        evaluation
    }

    /// Administration is judged on the holder of the credential, never on whom they act as.
    pub(super) fn restrict(
        &self,
        decision: Decision,
        settings: &Settings,
        caller: &Caller,
    ) -> Decision {
        let administrator = || {
            let holder = caller.identity().map(|identity| identity.holder());
            holder.is_some_and(|holder| settings.impersonation.is_administrator(holder))
        };
        match (self, decision) {
            (Self::Internal(Internal::Administrator), Decision::Allow(_)) if !administrator() => {
                Decision::Deny(Denial::new(DenyReason::Forbidden))
            }
            (_, decision) => decision,
        }
    }

    /// SECURITY: whether a service account is asked for something outside its namespace. Decided before
    /// policy, so that no rule can widen it.
    pub(super) fn is_outside(&self, machine: Option<&Machine>, tree: &Tree) -> bool {
        let inside = |machine: &Machine, route: &Route| {
            tree.contains(&machine.account.namespace, &route.namespace)
        };
        machine.zip(self.route()).is_some_and(|(machine, route)| !inside(machine, route))
    }

    pub(super) fn route_id(&self) -> Option<RouteId> {
        self.route().map(|route| route.id.clone())
    }

    pub(super) fn headers(&self) -> Option<&RouteHeaders> {
        self.route().map(|route| &route.headers)
    }

    pub(super) fn shows_details(&self) -> bool {
        self.route().is_some_and(|route| route.show_error_details)
    }

    pub(super) fn route(&self) -> Option<&Route> {
        match self {
            Self::Route(route) => Some(route),
            Self::Internal(_) => None,
        }
    }
}

/// Whether `path`, another reading of the path of `target`, belongs to another route or page.
pub(super) fn is_elsewhere(
    snapshot: &Snapshot,
    request: &Request,
    target: &Target,
    path: &Path,
) -> bool {
    let other = Target { host: target.host.clone(), path: path.clone() };
    let route =
        |target: &Target| snapshot.table().find(request.kind, target).map(|route| &route.id);
    route(target) != route(&other) || Internal::of(request, target) != Internal::of(request, &other)
}
