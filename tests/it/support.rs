//! What several tests need.

pub mod command;
pub mod config;
pub mod envoy;
pub mod fixture;
