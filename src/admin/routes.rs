//! Routes: those of the configuration, to be seen, and those of the store, to be changed.

use super::{Actor, Admin, AdminError, PolicyMention};
use crate::catalog::RoutePath;
use crate::id::{NamespaceId, RouteId};
use crate::namespace::Made;
use crate::people::Moment;
use crate::store::StoreError;
use crate::time::Timestamp;

/// A route as somebody sees it.
#[derive(Clone, Debug)]
pub struct RouteView {
    pub id: RouteId,
    pub made: Made,
    pub namespace: NamespaceId,
    pub namespace_path: String,
    pub description: String,
    /// As it is written.
    pub from: String,
    /// Such as `prefix: /api/`; empty for every path.
    pub path: String,
    /// Policies that count on it: its own, those given to it, and enforced ones.
    pub policies: Vec<PolicyMention>,
    /// Whether it has policies in its own words: fields and a policy without a name.
    pub own_policy: bool,
    pub pass_identity_headers: bool,
    pub show_error_details: bool,
    /// Other routes that serve some of the same, by id.
    pub overlaps: Vec<String>,
    /// Only for one of the store.
    pub created: Timestamp,
    pub modified: Timestamp,
    pub modified_by: String,
    pub version: u64,
}

/// Which routes.
#[derive(Clone, Debug, Default)]
pub struct RouteWanted {
    pub namespace: Option<NamespaceId>,
    pub recursive: bool,
    pub text: String,
}

/// A route to be made. Envoy has to send its requests: `lictor envoy config` says how.
#[derive(Clone, Debug)]
pub struct NewRoute {
    /// Empty for one of our own making.
    pub id: String,
    pub namespace: NamespaceId,
    pub description: String,
    pub from: String,
    pub path: RoutePath,
    pub pass_identity_headers: bool,
    pub show_error_details: bool,
    /// Policies to give to it, `pol_…`.
    pub policies: Vec<String>,
    pub idempotency_key: Option<String>,
}

/// Changes of a route; `None` keeps.
#[derive(Clone, Debug, Default)]
pub struct RouteEdit {
    /// Refused while it has an optional policy that is not to be had there.
    pub namespace: Option<NamespaceId>,
    pub description: Option<String>,
    pub from: Option<String>,
    pub path: Option<RoutePath>,
    pub pass_identity_headers: Option<bool>,
    pub show_error_details: Option<bool>,
    /// All policies that are given to it from then on. The only thing that can be changed of a route of the
    /// configuration, if that has an `id` there.
    pub policies: Option<Vec<String>>,
    pub expected: Option<u64>,
}

fn not_yet() -> AdminError {
    AdminError::Unavailable(StoreError::unavailable("not made yet"))
}

impl Admin {
    /// In the order in which they are tried.
    pub async fn routes(
        &self,
        _by: &Actor,
        _which: &RouteWanted,
    ) -> Result<Vec<RouteView>, AdminError> {
        Err(not_yet())
    }

    pub async fn route(&self, _by: &Actor, _id: &str) -> Result<RouteView, AdminError> {
        Err(not_yet())
    }

    pub async fn create_route(
        &self,
        _by: &Actor,
        _new: NewRoute,
        _at: Moment<'_>,
    ) -> Result<RouteView, AdminError> {
        Err(not_yet())
    }

    pub async fn update_route(
        &self,
        _by: &Actor,
        _id: &str,
        _edit: RouteEdit,
        _at: Moment<'_>,
    ) -> Result<RouteView, AdminError> {
        Err(not_yet())
    }

    pub async fn delete_route(
        &self,
        _by: &Actor,
        _id: &str,
        _at: Moment<'_>,
    ) -> Result<(), AdminError> {
        Err(not_yet())
    }
}
