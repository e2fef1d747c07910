#![doc = include_str!("README.md")]

// The order is the architecture: a module may use the modules above it, never those below.
// floor 0: words
mod hex;
mod csv;
pub mod address;
pub mod id;
pub mod time;
pub mod secret;
pub mod advice;
pub mod document;
pub mod request;
pub mod pattern;
// floor 1: decisions
pub mod identity;
pub mod signed_url;
pub mod token;
pub mod sealed;
pub mod session;
pub mod namespace;
pub mod service_account;
pub mod catalog;
pub mod activity;
pub mod certificate;
pub mod record;
pub mod ssh;
pub mod policy;
pub mod assertion;
pub mod route;
// floor 2: state and the outside world
pub mod clock;
pub mod tasks;
pub mod store;
pub mod provider;
pub mod config;
pub mod state;
// floor 3: use cases
pub mod authorizer;
pub mod supposition;
pub mod trial;
pub mod comparison;
pub mod preview;
pub mod telemetry;
pub mod people;
pub mod sign_in;
pub mod admin;
// floor 4: edges
pub mod pages;
pub mod ext_authz;
pub mod web;
pub mod console;
pub mod api;
// floor 5: composition and commands
pub mod app;
pub mod envoy_config;
pub mod demo;
pub mod cli;
