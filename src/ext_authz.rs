//! The edge that Envoy asks: `envoy.service.auth.v3.Authorization/Check` over gRPC. Translates, and
//! decides nothing.

mod decode;
mod encode;
mod negotiate;
mod page;
mod refusal;
mod service;

pub use decode::decode;
pub use encode::encode;
pub use service::{CheckService, Checker, SERVICE_NAME, descriptor_set};
