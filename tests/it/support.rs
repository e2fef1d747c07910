//! What several tests need.

pub mod askings;
pub mod browser;
pub mod check;
pub mod command;
pub mod config;
pub mod edge;
pub mod envoy;
pub mod fake_provider;
pub mod fixture;
pub mod gates;
pub mod guests;
pub mod house;
pub mod listening;
pub mod npm;
pub mod oidc_provider;
pub mod oracle;
pub mod page_samples;
pub mod pki;
pub mod policies;
pub mod postgres;
pub mod process;
pub mod service;
pub mod store;
pub mod tcp;
pub mod webdriver;
pub mod visitor;
