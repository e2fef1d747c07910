//! The table of addresses. The router and the `OpenAPI` document are both made of it.

use crate::api::auth::Asked;
use crate::api::error::{ApiError, Violation};
use crate::api::handlers::Handlers;
use axum::http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;

/// One method of one address.
#[derive(Debug)]
pub(in crate::api) struct Endpoint {
    pub(in crate::api) verb: Verb,
    /// With `{name}` where a field of the request stands.
    pub(in crate::api) path: &'static str,
    /// The call of the service, as its file names it.
    pub(in crate::api) call: &'static str,
    pub(in crate::api) sent: Sent,
    pub(in crate::api) gives: Gives,
    pub(in crate::api) run: Run,
}

/// A method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Verb {
    Get,
    Post,
    Patch,
    Delete,
}

/// What is sent besides the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Sent {
    /// Fields of the request as parameters.
    Query,
    /// Fields of the request as a JSON object.
    Fields,
    /// The field of the request that is the thing itself, as a JSON merge patch (RFC 7396).
    Patch(&'static str),
    /// A form.
    Form,
}

/// What comes back if all goes well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Gives {
    Thing,
    /// Something new, with a pointer to its id if it has an address.
    Made(&'static str),
    Nothing,
}

/// How it is answered.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) enum Run {
    Verb(RunVerb),
    Export(Export),
    Token(TokenCall),
    /// The `OpenAPI` document.
    Document,
}

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Export {
    Accounts,
    Activity,
}

/// What is done with a token by its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum TokenCall {
    Introspect,
    Revoke,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Value, ApiError>> + Send + 'a>>;

/// A handler between JSON and JSON.
pub(in crate::api) type RunVerb = for<'a> fn(&'a Handlers, &'a Asked, Value) -> Answer<'a>;

impl Verb {
    pub(in crate::api) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    pub(super) fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post => Method::POST,
            Self::Patch => Method::PATCH,
            Self::Delete => Method::DELETE,
        }
    }
}

impl Endpoint {
    /// Names of the parts of the path.
    pub(in crate::api) fn in_path(&self) -> impl Iterator<Item = &'static str> {
        let pieces = self.path.split('/');
        pieces.filter_map(|piece| piece.strip_prefix('{')?.strip_suffix('}'))
    }
}

/// Reads the request, asks, writes the answer.
async fn call<Q, A, F>(value: Value, ask: impl FnOnce(Q) -> F + Send) -> Result<Value, ApiError>
where
    Q: DeserializeOwned + Send,
    A: Serialize,
    F: Future<Output = Result<A, ApiError>> + Send,
{
    let request = serde_path_to_error::deserialize(value).map_err(|error| {
        let message = error.inner().to_string();
        ApiError::from(Violation::new(&error.path().to_string(), message))
    })?;
    let answer = ask(request).await?;
    serde_json::to_value(&answer).map_err(|error| {
        tracing::error!(%error, "an answer of the admin API cannot be written");
        ApiError::new(crate::api::ErrorKind::Internal, "fault", "the answer cannot be written")
    })
}

macro_rules! endpoint {
    ($verb:ident $path:literal $call:literal $handler:ident $sent:expr, $gives:expr) => {
        Endpoint {
            verb: Verb::$verb,
            path: $path,
            call: $call,
            sent: $sent,
            gives: $gives,
            run: Run::Verb(|handlers, asked, value| {
                Box::pin(call(value, |request| {
                    handlers.$handler(&asked.by, request, asked.moment())
                }))
            }),
        }
    };
}

use Gives::{Made, Nothing, Thing};
use Sent::{Fields, Form, Patch, Query};

/// Every address. Paths with a word stand beside those with a name; the word counts.
#[rustfmt::skip]
pub(in crate::api) static ALL: &[Endpoint] = &[
    endpoint!(Get "/api/v1/service-accounts" "ListServiceAccounts" list_service_accounts Query, Thing),
    endpoint!(Post "/api/v1/service-accounts" "CreateServiceAccount" create_service_account Fields, Made("/service_account/id")),
    Endpoint { verb: Verb::Get, path: "/api/v1/service-accounts/export", call: "ListServiceAccounts", sent: Query, gives: Thing, run: Run::Export(Export::Accounts) },
    endpoint!(Get "/api/v1/service-accounts/{id}" "GetServiceAccount" get_service_account Query, Thing),
    endpoint!(Patch "/api/v1/service-accounts/{id}" "UpdateServiceAccount" update_service_account Patch("service_account"), Thing),
    endpoint!(Delete "/api/v1/service-accounts/{id}" "DeleteServiceAccount" delete_service_account Query, Nothing),
    endpoint!(Post "/api/v1/service-accounts/{id}/disable" "DisableServiceAccount" disable_service_account Fields, Thing),
    endpoint!(Post "/api/v1/service-accounts/{id}/enable" "EnableServiceAccount" enable_service_account Fields, Thing),
    endpoint!(Get "/api/v1/service-accounts/{id}/usage" "GetServiceAccountUsage" get_service_account_usage Query, Thing),
    endpoint!(Get "/api/v1/service-accounts/{id}/destinations" "ListDestinations" list_destinations Query, Thing),
    endpoint!(Get "/api/v1/service-accounts/{id}/policies" "ListServiceAccountPolicies" list_service_account_policies Query, Thing),
    endpoint!(Get "/api/v1/service-accounts/{id}/credentials" "ListCredentials" list_credentials Query, Thing),
    endpoint!(Post "/api/v1/service-accounts/{id}/credentials" "IssueCredential" issue_credential Fields, Made("")),
    endpoint!(Delete "/api/v1/service-accounts/{id}/credentials/{credential_id}" "RevokeCredential" revoke_credential Query, Thing),
    endpoint!(Post "/api/v1/service-accounts/{id}/rotate" "RotateCredentials" rotate_credentials Fields, Made("")),

    endpoint!(Get "/api/v1/namespaces" "ListNamespaces" list_namespaces Query, Thing),
    endpoint!(Post "/api/v1/namespaces" "CreateNamespace" create_namespace Fields, Made("/id")),
    endpoint!(Get "/api/v1/namespaces/{id}" "GetNamespace" get_namespace Query, Thing),
    endpoint!(Patch "/api/v1/namespaces/{id}" "UpdateNamespace" update_namespace Patch("namespace"), Thing),
    endpoint!(Delete "/api/v1/namespaces/{id}" "DeleteNamespace" delete_namespace Query, Nothing),
    endpoint!(Get "/api/v1/namespaces/{id}/resources" "ListNamespaceResources" list_namespace_resources Query, Thing),
    endpoint!(Get "/api/v1/namespaces/{id}/move-preview" "PreviewNamespaceMove" preview_namespace_move Query, Thing),
    endpoint!(Get "/api/v1/namespaces/{namespace_id}/permissions" "ListPermissions" list_permissions Query, Thing),
    endpoint!(Post "/api/v1/namespaces/{namespace_id}/permissions" "GrantPermission" grant_permission Fields, Thing),
    endpoint!(Delete "/api/v1/namespaces/{namespace_id}/permissions/{id}" "RemovePermission" remove_permission Query, Nothing),
    endpoint!(Get "/api/v1/namespaces/{namespace_id}/effective-permissions" "ListEffectivePermissions" list_effective_permissions Query, Thing),

    endpoint!(Get "/api/v1/users" "SearchUsers" search_users Query, Thing),
    endpoint!(Get "/api/v1/users/{id}" "GetUser" get_user Query, Thing),
    endpoint!(Post "/api/v1/users/{id}/block" "BlockUser" block_user Fields, Thing),
    endpoint!(Post "/api/v1/users/{id}/unblock" "UnblockUser" unblock_user Fields, Thing),
    endpoint!(Post "/api/v1/users/{id}/revoke-service-accounts" "RevokeUserServiceAccounts" revoke_user_service_accounts Fields, Thing),
    endpoint!(Get "/api/v1/groups" "SearchGroups" search_groups Query, Thing),

    endpoint!(Get "/api/v1/policies" "ListPolicies" list_policies Query, Thing),
    endpoint!(Post "/api/v1/policies" "CreatePolicy" create_policy Fields, Made("/id")),
    endpoint!(Post "/api/v1/policies/validate" "ValidatePolicy" validate_policy Fields, Thing),
    endpoint!(Get "/api/v1/policies/{id}" "GetPolicy" get_policy Query, Thing),
    endpoint!(Patch "/api/v1/policies/{id}" "UpdatePolicy" update_policy Patch("policy"), Thing),
    endpoint!(Delete "/api/v1/policies/{id}" "DeletePolicy" delete_policy Query, Nothing),

    endpoint!(Get "/api/v1/routes" "ListRoutes" list_routes Query, Thing),
    endpoint!(Post "/api/v1/routes" "CreateRoute" create_route Fields, Made("/id")),
    endpoint!(Get "/api/v1/routes/{id}" "GetRoute" get_route Query, Thing),
    endpoint!(Patch "/api/v1/routes/{id}" "UpdateRoute" update_route Patch("route"), Thing),
    endpoint!(Delete "/api/v1/routes/{id}" "DeleteRoute" delete_route Query, Nothing),

    endpoint!(Post "/api/v1/simulate" "Simulate" simulate Fields, Thing),
    endpoint!(Get "/api/v1/activity" "ListActivity" list_activity Query, Thing),
    Endpoint { verb: Verb::Get, path: "/api/v1/activity/export", call: "ListActivity", sent: Query, gives: Thing, run: Run::Export(Export::Activity) },
    endpoint!(Get "/api/v1/activity/{id}" "GetActivityEntry" get_activity_entry Query, Thing),
    endpoint!(Get "/api/v1/overview" "GetOverview" get_overview Query, Thing),
    endpoint!(Get "/api/v1/whoami" "WhoAmI" who_am_i Query, Thing),

    Endpoint { verb: Verb::Post, path: "/oauth2/introspect", call: "IntrospectToken", sent: Form, gives: Thing, run: Run::Token(TokenCall::Introspect) },
    Endpoint { verb: Verb::Post, path: "/oauth2/revoke", call: "RevokeToken", sent: Form, gives: Thing, run: Run::Token(TokenCall::Revoke) },
    Endpoint { verb: Verb::Get, path: "/openapi.json", call: "", sent: Query, gives: Thing, run: Run::Document },
    Endpoint { verb: Verb::Get, path: "/api/v1/openapi.json", call: "", sent: Query, gives: Thing, run: Run::Document },
];

#[cfg(test)]
mod tests {
    use super::{ALL, Sent};
    use crate::api::descriptor::descriptors;
    use std::collections::BTreeSet;

    #[test]
    fn every_call_has_an_address() {
        let have: BTreeSet<&str> = ALL.iter().map(|endpoint| endpoint.call).collect();
        for (call, _) in descriptors().calls() {
            assert!(have.contains(call), "{call} has no address");
        }
        for endpoint in ALL.iter().filter(|endpoint| !endpoint.call.is_empty()) {
            let call = descriptors().call(endpoint.call).expect(endpoint.call);
            let request = descriptors().message(&call.request);
            let held = match endpoint.sent {
                Sent::Patch(field) => {
                    assert!(request.field(field).is_some(), "{} has {field}", call.request);
                    continue;
                }
                Sent::Query | Sent::Fields | Sent::Form => request,
            };
            for name in endpoint.in_path() {
                assert!(held.field(name).is_some(), "{} has {name}", call.request);
            }
        }
    }

    #[test]
    fn no_address_twice() {
        let mut seen = BTreeSet::new();
        for endpoint in ALL {
            assert!(seen.insert((endpoint.verb.name(), endpoint.path)), "{}", endpoint.path);
        }
    }
}
