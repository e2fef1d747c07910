//! The environment over the file, and a configuration that was written for a proxy.

use crate::support::config::SECRET;
use base64::Engine as _;
use lictor::config::{Config, Environment};
use lictor::document::Problem;

fn load(text: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.yaml");
    std::fs::write(&file, text).expect("writes");
    let all = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(&file, &Environment::new(all))
}

#[test]
fn variables_override_the_file() {
    let text = "shared_secret: bm90IGdvb2Q=\ntrusted_hops: 1\nadministrators: [a@b]\nenable_user_impersonation: false\n";
    let routes =
        base64::engine::general_purpose::STANDARD.encode("- {from: https://a.test, id: one}\n");
    let config = load(
        text,
        &[
            ("SHARED_SECRET", SECRET),
            ("TRUSTED_HOPS", "2"),
            ("ADMINISTRATORS", "c@d, E@F"),
            ("ENABLE_USER_IMPERSONATION", "true"),
            ("ROUTES", &routes),
            ("HEADERS", r#"{"x-team": "blue"}"#),
            ("JWT_CLAIMS_HEADERS", "email,groups"),
            ("ACCEPTED_ISSUERS", "i.test"),
            ("UNRELATED", "x"),
            ("COOKIE_NAME", ""),
        ],
    )
    .expect("loads");
    assert_eq!(config.trusted_hops, 2);
    assert!(config.identity.impersonation.enabled);
    assert_eq!(
        config.identity.impersonation.administrators.iter().collect::<Vec<_>>(),
        ["c@d", "e@f"]
    );
    assert_eq!(config.routes[0].id.as_str(), "one");
    assert_eq!(config.outgoing.response_headers[0].0, "x-team");
    let claims: Vec<&str> =
        config.outgoing.outgoing.claim_headers.iter().map(|header| header.name.as_str()).collect();
    assert_eq!(claims, ["x-pomerium-claim-email", "x-pomerium-claim-groups"]);
    assert_eq!(config.identity.accepted_issuers, ["i.test"]);
    assert_eq!(config.identity.cookie_name, "_pomerium", "an empty variable is no variable");
}

#[test]
fn a_bad_variable_is_named() {
    let problems =
        load("", &[("SHARED_SECRET", SECRET), ("TRUSTED_HOPS", "many"), ("ASSERTION_REUSE", "1d")])
            .expect_err("bad");
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(
        told.iter().any(|text| text.starts_with(
            "environment variable TRUSTED_HOPS: `trusted_hops` must be a whole number"
        )),
        "{told:?}"
    );
    assert!(
        told.iter().any(|text| text.starts_with(
            "environment variable ASSERTION_REUSE: `assertion_reuse`: `1d` uses the unit `d`"
        )),
        "{told:?}"
    );
    let routes =
        load("", &[("SHARED_SECRET", SECRET), ("ROUTES", "not base64!")]).expect_err("bad");
    assert_eq!(
        routes[0].to_string(),
        "environment variable ROUTES: the value is not base64 of YAML (encode the list with `base64 -w0`)"
    );
}

#[test]
fn a_configuration_written_for_a_proxy_loads_with_one_notice() {
    let text = format!(
        "shared_secret: {SECRET}
authenticate_service_url: https://authenticate.example.com
address: :443
autocert: true
idp_client_id: x
cookie_secret: y
databroker_storage_type: postgres
databroker_storage_connection_string: postgresql://pomerium:secret@db.test/pomerium
routes:
- from: https://a.example.com
  to: http://a:80
  allow_websockets: true
  timeout: 30s
  allowed_users: [u@example.com]
"
    );
    let config = load(&text, &[]).expect("loads");
    let notices: Vec<String> = config.notices.iter().map(|notice| notice.message.clone()).collect();
    assert_eq!(
        notices,
        [
            "not used here: `address`, `autocert`, `idp_client_id`, `cookie_secret`, `routes[].allow_websockets`, `routes[].timeout`"
        ]
    );
}

#[test]
fn what_would_open_a_route_if_ignored_is_refused() {
    for (key, value) in
        [("kubernetes_service_account_token", "t"), ("kubernetes_service_account_token_file", "/x")]
    {
        let text =
            format!("shared_secret: {SECRET}\nroutes:\n- from: https://a.test\n  {key}: {value}\n");
        assert_eq!(load(&text, &[]).expect_err(key)[0].code, "removed_field", "{key}");
    }
    for key in ["client_ca", "client_ca_file", "client_crl", "client_crl_file"] {
        let text = format!("shared_secret: {SECRET}\n{key}: abc\n");
        let problems = load(&text, &[]).expect_err(key);
        assert_eq!(problems[0].code, "removed_field", "{key}");
        assert!(problems[0].help.as_deref().is_some_and(|help| help.contains("downstream_mtls")));
    }
}

#[test]
fn headers_that_are_not_to_be_touched() {
    let refused = |route: &str| {
        let text =
            format!("shared_secret: {SECRET}\nroutes:\n- {{from: https://a.test, {route}}}\n");
        load(&text, &[]).expect_err(route)[0].code
    };
    for name in [
        "Host",
        "content-length",
        "transfer-encoding",
        "x-envoy-retry-on",
        "x-pomerium-jwt-assertion",
        "':path'",
        "a b",
    ] {
        assert_eq!(refused(&format!("set_request_headers: {{{name}: x}}")), "bad_header", "{name}");
        assert_eq!(refused(&format!("remove_request_headers: [{name}]")), "bad_header", "{name}");
    }
    assert_eq!(refused("set_response_headers: {connection: x}"), "bad_header");
    assert_eq!(refused("set_response_headers: {x-a: \"b\\r\\nc\"}"), "bad_value");
}
