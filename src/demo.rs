//! The main job on a bare machine: a real Envoy, a small upstream and Lictor, on loopback, in a
//! scratch folder. Used by `lictor demo` and by the tests.

mod browser;
mod envoy;
mod http;
mod person;
mod stand;
mod step;
mod upstream;
mod walk;

pub use browser::{Browser, Page};
pub use envoy::{Envoy, EnvoyError, locate, pip_install};
pub use http::{Reply, exchange, exchange_body};
pub use person::walk_in_browser;
pub use stand::{DEMO_HOST, Mint, Stand, StandOptions, free_address};
pub use step::Step;
pub use upstream::{Upstream, start as start_upstream};
pub use walk::walk;
