//! The edge that Envoy asks: `envoy.service.auth.v3.Authorization/Check` over gRPC. Translates, and
//! decides nothing.

mod call;
mod connection;
mod decode;
mod encode;
mod gate;
mod message;
mod negotiate;
mod page;
mod prepared;
mod refusal;
mod service;
mod transport;
mod turns;
mod wire;

pub use connection::Services;
pub use decode::decode;
pub use encode::encode;
pub use service::{CheckService, Checker, SERVICE_NAME, descriptor_set};
pub use wire::WireError;
