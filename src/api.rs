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

use crate::admin::Admin;
use crate::web::Site;
use auth::Gate;
use axum::Router;
use rest::Api;
use std::sync::Arc;

/// Everything under `/api/v1`, what OAuth clients ask of tokens, the OpenAPI document, and the same by gRPC.
pub fn router(site: Arc<Site>, admin: Admin) -> Router {
    let handlers = Handlers::new(admin.clone());
    let gate = Arc::new(Gate::new(site, admin));
    let grpc = grpc::Grpc::service(handlers.clone(), Arc::clone(&gate));
    rest::router(&Api { handlers, gate })
        .route_service(&format!("/{}/{{*call}}", message::SERVICE_NAME), grpc)
}
