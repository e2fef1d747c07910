//! What several tests need.

pub mod envoy;
