//! Tests of the whole: the binary, the server, and a real Envoy. One binary, a module per subject.
#![expect(unreachable_pub, reason = "a test binary exports nothing")]
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::pedantic,
    clippy::print_stderr,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and works with files"
)]

mod acceptance;
mod admin_accounts;
mod admin_credentials;
mod admin_escapes;
mod api_docs;
mod admin_namespaces;
mod admin_policies;
mod admin_simulate;
mod admin_users;
mod api_clients;
mod api_rest;
mod architecture;
mod assertion_verifiers;
mod attacks;
mod audit_tool;
mod bad_input;
mod certificate_settings;
mod certificates;
mod check_calls;
mod check_service;
mod check_wire;
mod console_attacks;
mod console_look;
mod console_pages;
mod console_scale;
mod data_sources;
mod decision_log;
mod directory_url;
mod dry_run;
mod docs;
mod environment;
mod envoy_browser;
mod envoy_certificates;
mod envoy_clients;
mod envoy_console;
mod envoy_headers;
mod envoy_mcp;
mod envoy_outage;
mod envoy_paths;
mod envoy_provider;
mod envoy_tls;
mod examples;
mod impersonation_mistakes;
mod local_users;
mod machine_revocation;
mod machine_rotation;
mod overload;
mod pages_html;
mod pages_look;
mod people;
mod machine_tools;
mod oidc_attacks;
mod oidc_certified;
mod oidc_sign_in;
mod policy_cases;
mod policy_config;
mod policy_refusals;
mod policy_tools;
mod policy_properties;
mod policy_lint;
mod policy_lint_proofs;
mod policy_diff;
mod programmatic;
mod properties;
mod readme;
mod recent_tokens;
mod reload;
mod revocation;
mod route_search;
mod routes_tool;
mod server;
mod storage_settings;
mod session_cache;
mod sign_in_attacks;
mod store_conformance;
mod session_tool;
mod sign_in_settings;
mod store_crash;
mod store_faults;
mod store_machines;
mod store_postgres;
mod store_sqlite;
mod support;
mod token_tool;
mod worked_examples;
mod worked_identity;
