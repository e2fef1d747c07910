//! What several tests need.

pub mod config;
pub mod envoy;
pub mod fixture;
