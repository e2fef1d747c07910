//! The admin API: one layer of handlers that takes and gives plain messages, and two edges in front of
//! it, gRPC and JSON over HTTP. Says who asks, translates, and decides nothing.

mod auth;
mod descriptor;
mod error;
mod grpc;
mod handlers;
mod mask;
pub mod message;
mod openapi;
mod page;
mod rest;
pub mod wire;

pub use error::{ApiError, ErrorKind, Violation};
pub use handlers::Handlers;

use crate::web::Site;
use auth::Gate;
use axum::Router;
use rest::Api;
use std::sync::Arc;

/// Everything under `/api/v1`, what OAuth clients ask of tokens, the `OpenAPI` document, and the same by gRPC.
/// Nothing where nobody signs in: then there is no store to administer.
pub fn router(site: &Arc<Site>) -> Router {
    let Some(admin) = site.desk.as_ref().map(|desk| desk.admin.clone()) else {
        return Router::new();
    };
    let handlers = Handlers::new(admin.clone());
    let gate = Arc::new(Gate::new(Arc::clone(site), admin));
    let grpc = grpc::Grpc::service(handlers.clone(), Arc::clone(&gate));
    let router = rest::router(&Api { handlers, gate });
    let router = router.route_service(&below(message::SERVICE_NAME), grpc);
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(message::descriptor_set())
        .build_v1();
    match reflection {
        Ok(reflection) => router.route_service(&below(REFLECTION), reflection),
        Err(error) => {
            tracing::error!(%error, "gRPC reflection does not tell of the admin API");
            router
        }
    }
}

/// Lets clients list what is served.
const REFLECTION: &str = "grpc.reflection.v1.ServerReflection";

/// Every call of a service.
fn below(service: &str) -> String {
    format!("/{service}/{{*call}}")
}
