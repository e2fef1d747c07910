//! The admin API: one layer of handlers that takes and gives plain messages, and two edges in front of
//! it, gRPC and JSON over HTTP. Says who asks, translates, and decides nothing.

mod descriptor;
mod error;
mod handlers;
mod mask;
pub mod message;
mod page;
pub mod wire;

pub use error::{ApiError, ErrorKind, Violation};
pub use handlers::Handlers;
