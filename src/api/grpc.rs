//! The gRPC edge: who calls, by metadata; refusals as codes with details.

use super::auth::{Asked, Gate};
use super::error::{ApiError, ErrorKind};
use super::handlers::Handlers;
use super::message as m;
use super::message::admin_service_server::{AdminService, AdminServiceServer};
use crate::session::Origin;
use std::sync::Arc;
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// The longest message that is read, in bytes.
const MAX_MESSAGE: usize = 256 * 1024;
/// Whose words the reasons of refusals are.
const DOMAIN: &str = "lictor.admin.v1";

/// Answers gRPC.
#[derive(Clone, Debug)]
pub(super) struct Grpc {
    handlers: Handlers,
    gate: Arc<Gate>,
}

impl Grpc {
    pub(super) fn service(handlers: Handlers, gate: Arc<Gate>) -> AdminServiceServer<Self> {
        AdminServiceServer::new(Self { handlers, gate }).max_decoding_message_size(MAX_MESSAGE)
    }

    async fn asked(&self, metadata: &MetadataMap) -> Result<Asked, Status> {
        let headers = metadata.clone().into_headers();
        let arrived = self.gate.arrived(&headers);
        let origin = arrived.0.clone();
        self.gate.program(&headers, arrived).await.map_err(|error| status(error, &origin))
    }
}

macro_rules! calls {
    ($($call:ident: $request:ident -> $response:ident;)*) => {
        #[tonic::async_trait]
        impl AdminService for Grpc {
            $(async fn $call(
                &self,
                call: Request<m::$request>,
            ) -> Result<Response<m::$response>, Status> {
                let asked = self.asked(call.metadata()).await?;
                let answer =
                    self.handlers.$call(&asked.by, call.into_inner(), asked.moment()).await;
                answer.map(Response::new).map_err(|error| status(error, &asked.origin))
            })*
        }
    };
}

calls! {
    list_service_accounts: ListServiceAccountsRequest -> ListServiceAccountsResponse;
    get_service_account: GetServiceAccountRequest -> ServiceAccount;
    create_service_account: CreateServiceAccountRequest -> CreateServiceAccountResponse;
    update_service_account: UpdateServiceAccountRequest -> ServiceAccount;
    delete_service_account: DeleteServiceAccountRequest -> DeleteServiceAccountResponse;
    disable_service_account: DisableServiceAccountRequest -> ServiceAccount;
    enable_service_account: EnableServiceAccountRequest -> ServiceAccount;
    get_service_account_usage: GetServiceAccountUsageRequest -> GetServiceAccountUsageResponse;
    list_destinations: ListDestinationsRequest -> ListDestinationsResponse;
    list_service_account_policies:
        ListServiceAccountPoliciesRequest -> ListServiceAccountPoliciesResponse;
    list_credentials: ListCredentialsRequest -> ListCredentialsResponse;
    issue_credential: IssueCredentialRequest -> IssuedCredential;
    rotate_credentials: RotateCredentialsRequest -> IssuedCredential;
    revoke_credential: RevokeCredentialRequest -> Credential;
    list_namespaces: ListNamespacesRequest -> ListNamespacesResponse;
    get_namespace: GetNamespaceRequest -> Namespace;
    create_namespace: CreateNamespaceRequest -> Namespace;
    update_namespace: UpdateNamespaceRequest -> Namespace;
    delete_namespace: DeleteNamespaceRequest -> DeleteNamespaceResponse;
    list_namespace_resources: ListNamespaceResourcesRequest -> ListNamespaceResourcesResponse;
    preview_namespace_move: PreviewNamespaceMoveRequest -> NamespaceMove;
    list_permissions: ListPermissionsRequest -> ListPermissionsResponse;
    list_effective_permissions: ListPermissionsRequest -> ListPermissionsResponse;
    grant_permission: GrantPermissionRequest -> Permission;
    remove_permission: RemovePermissionRequest -> RemovePermissionResponse;
    search_users: SearchUsersRequest -> SearchUsersResponse;
    search_groups: SearchGroupsRequest -> SearchGroupsResponse;
    get_user: GetUserRequest -> UserDetail;
    block_user: BlockUserRequest -> UserDetail;
    unblock_user: UnblockUserRequest -> UserDetail;
    revoke_user_service_accounts:
        RevokeUserServiceAccountsRequest -> RevokeUserServiceAccountsResponse;
    list_policies: ListPoliciesRequest -> ListPoliciesResponse;
    get_policy: GetPolicyRequest -> Policy;
    create_policy: CreatePolicyRequest -> Policy;
    update_policy: UpdatePolicyRequest -> Policy;
    delete_policy: DeletePolicyRequest -> DeletePolicyResponse;
    validate_policy: ValidatePolicyRequest -> ValidatePolicyResponse;
    list_routes: ListRoutesRequest -> ListRoutesResponse;
    get_route: GetRouteRequest -> Route;
    create_route: CreateRouteRequest -> Route;
    update_route: UpdateRouteRequest -> Route;
    delete_route: DeleteRouteRequest -> DeleteRouteResponse;
    simulate: SimulateRequest -> Simulation;
    list_activity: ListActivityRequest -> ListActivityResponse;
    get_activity_entry: GetActivityEntryRequest -> ActivityDetail;
    get_overview: GetOverviewRequest -> Overview;
    who_am_i: WhoAmIRequest -> WhoAmIResponse;
    introspect_token: IntrospectTokenRequest -> Introspection;
    revoke_token: RevokeTokenRequest -> RevokeTokenResponse;
}

/// A refusal as gRPC says it.
fn status(error: ApiError, origin: &Origin) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(error.code, DOMAIN, std::collections::HashMap::<String, String>::new());
    details.set_request_info(origin.request_id.clone(), "");
    for violation in error.violations {
        details.add_bad_request_violation(violation.field, violation.message);
    }
    if error.wait.is_some() {
        details.set_retry_info(error.wait);
    }
    Status::with_error_details(code(error.kind), error.detail, details)
}

fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Invalid => Code::InvalidArgument,
        ErrorKind::Unauthenticated => Code::Unauthenticated,
        ErrorKind::Forbidden => Code::PermissionDenied,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::Exists => Code::AlreadyExists,
        ErrorKind::Changed => Code::Aborted,
        ErrorKind::Precondition => Code::FailedPrecondition,
        ErrorKind::Exhausted => Code::ResourceExhausted,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::Internal => Code::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::status;
    use crate::admin::{AdminError, FieldError};
    use crate::api::error::ApiError;
    use crate::session::Origin;
    use tonic::Code;
    use tonic_types::StatusExt as _;

    #[test]
    fn a_refusal_names_every_field() {
        let fields = ["name", "expires_at"].map(|field| FieldError { field, message: "x".into() });
        let error = ApiError::from(AdminError::Invalid(fields.to_vec()));
        let origin = Origin { request_id: "r-7".to_owned(), ..Origin::default() };
        let told = status(error, &origin);
        assert_eq!(told.code(), Code::InvalidArgument);
        assert_eq!(told.message(), "`name`, `expires_at` cannot be taken as written");
        let details = told.get_error_details();
        let found = details.bad_request().expect("fields").field_violations.clone();
        assert_eq!(
            found.iter().map(|it| it.field.as_str()).collect::<Vec<_>>(),
            ["name", "expires_at"]
        );
        assert_eq!(details.request_info().expect("a name").request_id, "r-7");
        assert_eq!(details.error_info().expect("a reason").reason, "invalid");
    }
}
