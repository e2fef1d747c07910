//! Every key there is: what it holds, its default with the reason, and how it stands here. One
//! table serves unknown-key suggestions, the JSON Schema and the documentation.

use crate::advice::Advice;
use crate::document::{Entry, Place, Problem, Problems, Section};
use std::collections::BTreeSet;

/// One configuration key.
#[derive(Debug)]
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    /// As it would be written; empty if there is none.
    pub default: &'static str,
    /// What it is for, and why the default is what it is.
    pub doc: &'static str,
    pub standing: Standing,
}

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Bool,
    Integer,
    /// A Go duration, such as `1h30m`.
    Duration,
    Texts,
    TextMap,
    Map,
    List,
}

/// How a key stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Used,
    /// Belongs to a proxy or to a part that this version does not have; accepted and named.
    NotUsed,
    /// Ignoring it would open what it closes; refused, with what to do.
    Refused(&'static str),
}

const fn used(name: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Key {
    Key { name, kind, default, doc, standing: Standing::Used }
}

const fn not_used(name: &'static str) -> Key {
    Key { name, kind: Kind::Text, default: "", doc: "", standing: Standing::NotUsed }
}

const fn refused(name: &'static str, why: &'static str) -> Key {
    Key { name, kind: Kind::Text, default: "", doc: "", standing: Standing::Refused(why) }
}

const CLIENT_CA: &str = "write `downstream_mtls: {ca: …}`, or `ca_file`";
const CLIENT_CRL: &str = "write `downstream_mtls: {crl: …}`, or `crl_file`";

/// Keys at the top of the file.
pub const GLOBAL_KEYS: &[Key] = &[
    used(
        "accepted_issuers",
        Kind::Texts,
        "the host of `authenticate_service_url`",
        "Values of `iss` accepted in tokens, compared exactly. By default the authenticate host alone: it mints the tokens.",
    ),
    used(
        "administrators",
        Kind::Texts,
        "[]",
        "E-mail addresses of people who may act as somebody else. Case is ignored. Empty: nobody.",
    ),
    used(
        "assertion_actor",
        Kind::Bool,
        "true",
        "Show in the assertion who is acting, as `act` (RFC 8693). On, so that upstreams can tell.",
    ),
    used(
        "assertion_reuse",
        Kind::Duration,
        "30s",
        "How long one signed assertion may serve the same identity, host and key; `0s` signs for every request. Signing is the largest cost of a check, and an assertion lives five minutes anyway.",
    ),
    used(
        "authenticate_callback_path",
        Kind::Text,
        "/oauth2/callback",
        "Where the provider leads back to on the authenticate host. Always this: register it there.",
    ),
    used(
        "authenticate_service_url",
        Kind::Text,
        "",
        "Where people sign in, such as `https://authenticate.example.com`. Without it anonymous requests get 401 instead of a redirect.",
    ),
    used(
        "authorize_log_fields",
        Kind::Texts,
        "all",
        "Fields of the decision log line, besides those that say what was decided and why, which are always written. `docs/decision-log.md` lists all of them.",
    ),
    used(
        "bootstrap_token",
        Kind::Text,
        "",
        "A secret of 32 characters or more that may do everything in the admin API until the first administrator signs in. None by default: nobody needs one where people sign in.",
    ),
    used(
        "case_insensitive_email",
        Kind::Bool,
        "false",
        "Compare e-mail addresses and domains in policies with ASCII case folded. Off: policies say exactly what they match.",
    ),
    used(
        "cookie_expire",
        Kind::Duration,
        "14h",
        "How long a sign-in lasts; then the provider is asked anew. A working day with its breaks.",
    ),
    used(
        "cookie_http_only",
        Kind::Bool,
        "true",
        "Keeps the session cookie from scripts. Cannot be off.",
    ),
    used("cookie_name", Kind::Text, "_pomerium", "Name of the session cookie."),
    used(
        "cookie_same_site",
        Kind::Text,
        "lax",
        "Whether other sites make a browser send the session cookie: only by leading to a page. `strict` would keep it from pages that a sign-in leads to, `none` would let every site act.",
    ),
    used(
        "cookie_secret",
        Kind::Text,
        "derived from `shared_secret`",
        "Standard base64 of exactly 32 bytes; encrypts the provider's tokens in the store. Of its own, if others know the shared secret.",
    ),
    used("cookie_secret_file", Kind::Text, "", "A file that holds `cookie_secret`; wins over it."),
    used(
        "cookie_secure",
        Kind::Bool,
        "true",
        "Keeps the session cookie to TLS. Cannot be off; it follows the scheme of `authenticate_service_url`.",
    ),
    used(
        "data_sources",
        Kind::List,
        "[]",
        "Records for the criterion `record`: `{record_type: TYPE, file: PATH, foreign_key: KEY}` each. The file is a list of maps, JSON if its name ends in `.json`, else YAML up to 16 MiB. KEY says which records a request finds: those whose `id` (in quotes, if it is a number with leading zeros) is its `user.id` (the default, because most records are about people), `user.email`, `request.ip` (an address, or a range in `$index.cidr`; the smallest wins) or `request.client_certificate.fingerprint`. Read again when a file changes.",
    ),
    used(
        "databroker_storage_connection_string",
        Kind::Text,
        "",
        "Pomerium's name of `storage.connection_string`.",
    ),
    used(
        "databroker_storage_connection_string_file",
        Kind::Text,
        "",
        "Pomerium's name of `storage.connection_string_file`.",
    ),
    used(
        "databroker_storage_type",
        Kind::Text,
        "",
        "Pomerium's name of `storage.type`: `postgres`, `memory`, or `file`, which is the SQLite file here.",
    ),
    used(
        "default_policy",
        Kind::Texts,
        "[]",
        "Names of the policies for routes that say nothing about access themselves. Empty: nobody gets in there.",
    ),
    used(
        "directory",
        Kind::Map,
        "",
        "People and groups: `{file: PATH}`, JSON or YAML with `users` and `groups`, read again when it changes; or `{url: https://…, refresh: 5m}`, asked for every five minutes unless told otherwise, because people come and go slowly.",
    ),
    used(
        "downstream_mtls",
        Kind::Map,
        "{}",
        "Which client certificates are good. Envoy must send them: `include_peer_certificate: true`.",
    ),
    used(
        "enable_user_impersonation",
        Kind::Bool,
        "false",
        "Let administrators and service tokens act as somebody else. Off, as every power that is not asked for.",
    ),
    used(
        "grpc_address",
        Kind::Text,
        "127.0.0.1:50051",
        "Where Envoy asks: `HOST:PORT`, or `unix:///path`. Loopback, because whoever can ask can obtain assertions.",
    ),
    used(
        "health_check_addr",
        Kind::Text,
        "",
        "Where `/healthz` and `/readyz` are served, if not with the metrics.",
    ),
    used(
        "http_address",
        Kind::Text,
        "127.0.0.1:8080",
        "Where `/.well-known/pomerium` and `/.pomerium/` are served; Envoy routes these paths here.",
    ),
    used(
        "idp_client_id",
        Kind::Text,
        "",
        "The client that this server is at the identity provider.",
    ),
    used(
        "idp_client_secret",
        Kind::Text,
        "",
        "Its secret. Without one the client is public, and protected by PKCE alone.",
    ),
    used(
        "idp_client_secret_file",
        Kind::Text,
        "",
        "A file that holds `idp_client_secret`; wins over it.",
    ),
    used(
        "idp_groups_claim",
        Kind::Text,
        "groups",
        "The claim that holds a person's groups: a list of texts, or one text; of a map within a map, `realm_access.roles`. Empty: none is taken.",
    ),
    used(
        "idp_provider",
        Kind::Text,
        "",
        "Who vouches for people: `oidc` for any OpenID provider, one of `auth0`, `azure`, `cognito`, `gitlab`, `google`, `okta`, `onelogin`, `ping`, or `local` for the people of `users_file`. Without it nobody signs in here.",
    ),
    used(
        "idp_provider_url",
        Kind::Text,
        "that of `gitlab` and `google`",
        "The provider's issuer, exactly as it writes it. `https`, but on this machine.",
    ),
    used(
        "idp_request_params",
        Kind::TextMap,
        "{}; for `google` what makes it give a refresh token",
        "More parameters for the provider's sign-in page, such as `{prompt: consent}`.",
    ),
    used(
        "idp_scopes",
        Kind::Texts,
        "[openid, profile, email, offline_access]; without the last for `cognito`, `gitlab` and `google`",
        "What the provider is asked for. `offline_access` stands for a refresh token, by which a sign-in is confirmed while it lasts.",
    ),
    used(
        "impersonation",
        Kind::Map,
        "{}",
        "`max_duration`: how long somebody who signed in may act as somebody else (`1h`), and the longest life of a token that does (no limit unless set). `require_reason` (false): a token gives none, so with it none may. `deny: {users, domains, groups}`: nobody acts as these. `allow: [{by, users, domains, groups}]`: only so; `by` are e-mail addresses or user ids, all administrators without it. By default every administrator may act as anybody, as that is what the feature is for.",
    ),
    used(
        "jwt_claims_headers",
        Kind::Map,
        "{}",
        "Claims to send as headers: a map from header to claim, or a list of claims (`x-pomerium-claim-NAME`).",
    ),
    used(
        "jwt_groups_filter",
        Kind::Texts,
        "",
        "Ids of the groups that may leave in assertion and headers. Absent: all.",
    ),
    used(
        "jwt_issuer_format",
        Kind::Text,
        "hostOnly",
        "How `iss` of the assertion is written: `hostOnly` or `uri`. Verifiers find the keys by the host.",
    ),
    used(
        "legacy_text_key",
        Kind::Bool,
        "false",
        "Accept tokens signed with the base64 text of the shared secret too. Off: one key, one meaning.",
    ),
    used(
        "log_format",
        Kind::Text,
        "json",
        "How log lines are written on standard error: `json` or `text`.",
    ),
    used(
        "log_level",
        Kind::Text,
        "info",
        "`trace`, `debug`, `info`, `warn`, `error` or `disabled`.",
    ),
    used(
        "max_concurrent_checks",
        Kind::Integer,
        "512 for each processor",
        "So many checks may be under way at once, and as many wait for the store; one more is refused with 503 before any work is done for it. A processor answers 512 within some sixty milliseconds, also where every assertion has to be signed. With less, those that are answered are answered sooner when there are too many. Read at the start.",
    ),
    used(
        "metrics_address",
        Kind::Text,
        "",
        "Where `/metrics`, `/healthz` and `/readyz` are served. Off: nothing listens that was not asked for.",
    ),
    used(
        "namespaces",
        Kind::List,
        "[]",
        "Places in a tree below Global, in which routes, policies and service accounts are: a list of `id`, `name`, `parent`, `description`, `max_lifetime`, `require_expiry`. More can be made in the console.",
    ),
    used(
        "pass_identity_headers",
        Kind::Bool,
        "false",
        "Send the assertion and the claim headers to upstreams, unless a route says otherwise.",
    ),
    used(
        "path_normalization",
        Kind::Text,
        "strict",
        "`strict` refuses every path that two readers could read differently; `off` only those without a leading slash.",
    ),
    used(
        "policies",
        Kind::Map,
        "{}",
        "Policies by name, for `routes[].policies` and `default_policy`. A policy with `mode: dry_run` is evaluated, logged and counted, and never decides.",
    ),
    used("policy", Kind::List, "[]", "Routes, as in `routes`; these come first."),
    used(
        "programmatic_redirect_domain_whitelist",
        Kind::Texts,
        "[localhost]",
        "Hosts that a program may have its token sent to, each in full; `localhost` is this machine by any name. Whoever receives the token is whoever signed in.",
    ),
    used("routes", Kind::List, "[]", "The routes, tried in order."),
    used(
        "runtime_flags",
        Kind::Map,
        "{}",
        "`match_any_incoming_port` (true): a `from` without port serves every port.",
    ),
    used(
        "service_account_impersonation",
        Kind::Text,
        "allow",
        "Which service tokens may act as somebody else: `allow` (whoever holds the shared key could have minted the target's token), `administrators` or `deny`.",
    ),
    used(
        "set_response_headers",
        Kind::TextMap,
        "{}",
        "Headers added to responses and refusals. `disable` clears them.",
    ),
    used(
        "shared_secret",
        Kind::Text,
        "",
        "Standard base64 of exactly 32 bytes; verifies tokens and signs sign-in links. Required.",
    ),
    used("shared_secret_file", Kind::Text, "", "A file that holds `shared_secret`; wins over it."),
    used(
        "signing_key",
        Kind::Text,
        "derived from `shared_secret`",
        "Private keys for the assertion: PEM, base64 of PEM, or JWK; P-256 or RSA. The first signs, all are published. Derived, so that every replica has the same.",
    ),
    used("signing_key_file", Kind::Text, "", "A file that holds `signing_key`; wins over it."),
    used(
        "signout_redirect_url",
        Kind::Text,
        "",
        "Where the browser goes after it has signed out, if not to a page of ours.",
    ),
    used(
        "storage",
        Kind::Map,
        "{type: sqlite}",
        "Where sessions, known people and the activity log are kept. Opened if people sign in here, if a `bootstrap_token` is set, or if this is written. An SQLite file unless it is said otherwise, so that one machine needs nothing else.",
    ),
    used(
        "strict_pomerium",
        Kind::Bool,
        "false",
        "Refuse what only Lictor's policy language knows, so that a policy means the same in both. Off: the extensions are there to be used.",
    ),
    used(
        "trusted_hops",
        Kind::Integer,
        "0",
        "How many trusted proxies stand in front of Envoy: `source_ip` sees the address that many steps before the peer in `x-forwarded-for`.",
    ),
    used(
        "users_file",
        Kind::Text,
        "",
        "People with hashed passwords, for `idp_provider: local`: YAML or JSON with `users`. A hash is made by `lictor key password`. Read again when it changes.",
    ),
    refused("client_ca", CLIENT_CA),
    refused("client_ca_file", CLIENT_CA),
    refused("client_crl", CLIENT_CRL),
    refused("client_crl_file", CLIENT_CRL),
    refused("idp_service_account", "directory data comes from `directory`"),
    refused("idp_refresh_directory_interval", "the directory file is read again when it changes"),
    refused("idp_refresh_directory_timeout", "the directory file is read again when it changes"),
    refused("idp_qps", "directory data comes from `directory`"),
    refused("policy_file", "put the routes under `routes:`"),
    refused("tracing_provider", "use the OTEL environment variables"),
    not_used("address"),
    not_used("authenticate_internal_service_url"),
    not_used("authorize_internal_service_url"),
    not_used("authorize_service_url"),
    not_used("authorize_service_urls"),
    not_used("autocert"),
    not_used("autocert_ca"),
    not_used("autocert_dir"),
    not_used("autocert_email"),
    not_used("autocert_must_staple"),
    not_used("autocert_use_staging"),
    not_used("bearer_token_format"),
    not_used("cache_service_url"),
    not_used("certificate"),
    not_used("certificate_authority"),
    not_used("certificate_authority_file"),
    not_used("certificate_file"),
    not_used("certificate_key"),
    not_used("certificate_key_file"),
    not_used("certificates"),
    not_used("codec_type"),
    not_used("cookie_domain"),
    not_used("cookie_refresh"),
    not_used("databroker_cluster_leader_id"),
    not_used("databroker_cluster_node_id"),
    not_used("databroker_cluster_nodes"),
    not_used("databroker_internal_service_url"),
    not_used("databroker_raft_bind_address"),
    not_used("databroker_service_url"),
    not_used("databroker_service_urls"),
    not_used("debug_address"),
    not_used("default_upstream_timeout"),
    not_used("dns_lookup_family"),
    not_used("envoy_admin_address"),
    not_used("error_message_first_paragraph"),
    not_used("forward_auth_url"),
    not_used("google_cloud_serverless_authentication_service_account"),
    not_used("grpc_client_dns_roundrobin"),
    not_used("grpc_client_timeout"),
    not_used("grpc_insecure"),
    not_used("http_redirect_addr"),
    not_used("identity_providers"),
    not_used("idp_access_token_allowed_audiences"),
    not_used("insecure_server"),
    not_used("logo_url"),
    not_used("metrics_basic_auth"),
    not_used("metrics_certificate"),
    not_used("metrics_certificate_file"),
    not_used("metrics_certificate_key"),
    not_used("metrics_certificate_key_file"),
    not_used("metrics_client_ca"),
    not_used("metrics_client_ca_file"),
    not_used("otel_exporter_otlp_endpoint"),
    not_used("otel_exporter_otlp_headers"),
    not_used("otel_exporter_otlp_protocol"),
    not_used("otel_traces_exporter"),
    not_used("otel_traces_sampler_arg"),
    not_used("override_certificate_name"),
    not_used("pomerium_debug"),
    not_used("primary_color"),
    not_used("proxy_log_level"),
    not_used("refresh_cooldown"),
    not_used("secondary_color"),
    not_used("services"),
    not_used("signing_key_algorithm"),
    not_used("skip_xff_append"),
    not_used("timeout_idle"),
    not_used("timeout_read"),
    not_used("timeout_write"),
    not_used("tls_derive"),
    not_used("use_proxy_protocol"),
    not_used("xff_num_trusted_hops"),
];

/// Keys of `downstream_mtls`.
pub const MTLS_KEYS: &[Key] = &[
    used(
        "ca",
        Kind::Text,
        "",
        "CAs that are trusted for client certificates: base64 of PEM. Each certificate in it is trusted by itself. Without it no certificate is judged, but where a route names its own.",
    ),
    used("ca_file", Kind::Text, "", "A PEM file in place of `ca`."),
    used(
        "crl",
        Kind::Text,
        "",
        "Revocation lists: base64 of PEM. Only a list of the CA that issued the client's own certificate is looked at; an expired one still counts.",
    ),
    used("crl_file", Kind::Text, "", "A PEM file in place of `crl`."),
    used(
        "enforcement",
        Kind::Text,
        "policy_with_default_deny",
        "What follows without a good certificate: every route refuses (`policy_with_default_deny`, and `reject_connection`, which Envoy has to do besides), or only policies with `invalid_client_certificate` (`policy`). Denied by default, as a CA is named to keep others out.",
    ),
    used(
        "match_subject_alt_names",
        Kind::List,
        "[]",
        "Names that a certificate must have, one of them: a list of `{dns: REGEX}`, also `email`, `ip_address`, `uri`, `user_principal_name`. Each must match a whole name.",
    ),
    used(
        "max_verify_depth",
        Kind::Integer,
        "1",
        "How many certificates may stand above the client's own; `0` for any number. One, because Envoy sends none in between.",
    ),
];

/// Keys of `storage`.
pub const STORAGE_KEYS: &[Key] = &[
    used(
        "connection_string",
        Kind::Text,
        "",
        "How to reach PostgreSQL: `postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full`, or `key=value` with blanks between. Shown nowhere.",
    ),
    used(
        "connection_string_file",
        Kind::Text,
        "",
        "A file that holds `connection_string`; wins over it.",
    ),
    used(
        "lookup_timeout",
        Kind::Duration,
        "1s",
        "How long a check waits for a session that was not seen before. Short, because Envoy waits with it.",
    ),
    used(
        "max_staleness",
        Kind::Duration,
        "60s",
        "How long a session that is known goes on while the store does not answer; after that it is refused. A minute, as an ended session must not live through a long outage.",
    ),
    used(
        "path",
        Kind::Text,
        "lictor.db beside the configuration",
        "The SQLite file. Beside the configuration, as that folder is known to be there.",
    ),
    used(
        "timeout",
        Kind::Duration,
        "5s",
        "How long anything else that the store is asked may take. Nobody waits longer for a page.",
    ),
    used(
        "type",
        Kind::Text,
        "sqlite",
        "`sqlite`: a file, for one machine. `postgres`: a server, for several replicas. `memory`: nothing outlives the process.",
    ),
];

/// Keys of `mcp` in a route.
pub(super) const MCP_KEYS: &[Key] = &[
    used("server", Kind::Map, "", "A Model Context Protocol server stands behind this route."),
    not_used("client"),
];

/// Keys of `mcp.server`.
pub(super) const MCP_SERVER_KEYS: &[Key] = &[
    used(
        "max_request_bytes",
        Kind::Integer,
        "65536",
        "The longest body that is let through, in bytes; Envoy answers 413 to a longer one. Small, as tool calls are, and as every body is read before anybody knows who sent it.",
    ),
    not_used("authorization_server_url"),
    not_used("path"),
    not_used("upstream_oauth2"),
];

const KUBERNETES: &str = "ext_authz joins repeated `Impersonate-Group` values with a comma, so this cannot be \
    done right yet; give the route to a Kubernetes authenticating proxy";

/// Keys of one route.
pub const ROUTE_KEYS: &[Key] = &[
    used("allow_any_authenticated_user", Kind::Bool, "false", "Allow everybody who is signed in."),
    used("allow_public_unauthenticated_access", Kind::Bool, "false", "Allow everybody."),
    used(
        "allowed_domains",
        Kind::Texts,
        "",
        "Allow people whose e-mail address is in one of these domains.",
    ),
    used("allowed_idp_claims", Kind::Map, "", "Allow people with one of these claim values."),
    used("allowed_users", Kind::Texts, "", "Allow people by user id or e-mail address."),
    used(
        "cors_allow_preflight",
        Kind::Bool,
        "false",
        "Allow CORS preflights, which carry no credential.",
    ),
    used("from", Kind::Text, "", "What clients ask for: `https://app.example.com`. Required."),
    used(
        "id",
        Kind::Text,
        "route-N by its place",
        "The name Envoy sends as `context_extensions.route_id`.",
    ),
    used(
        "jwt_groups_filter",
        Kind::Texts,
        "",
        "More group ids that may leave, besides the global ones.",
    ),
    used("jwt_issuer_format", Kind::Text, "the global one", "`hostOnly` or `uri`."),
    used(
        "namespace",
        Kind::Text,
        "global",
        "The namespace it is in, by id: service accounts of others than this one and those above it may not use it.",
    ),
    used(
        "pass_identity_headers",
        Kind::Bool,
        "the global one",
        "Send the assertion and the claim headers to this upstream.",
    ),
    used(
        "mcp",
        Kind::Map,
        "",
        "`{server: {}}`: a Model Context Protocol server stands behind this route, and `mcp_tool` reads the bodies sent to it. `{server: {max_request_bytes: N}}` for bodies above 64 KiB. Envoy must send them along: `with_request_body`.",
    ),
    used("path", Kind::Text, "", "The exact path."),
    used(
        "path_separated_prefix",
        Kind::Text,
        "",
        "A prefix by segments: `/api` matches `/api` and `/api/x`.",
    ),
    used("policies", Kind::Texts, "[]", "Names of policies from the top of the file."),
    used("policy", Kind::Map, "", "A policy of this route's own."),
    used("prefix", Kind::Text, "/", "A textual prefix: `/api` matches `/apiary`."),
    used("regex", Kind::Text, "", "A regular expression (RE2) for the whole path."),
    used("remove_request_headers", Kind::Texts, "[]", "Request headers to remove."),
    used(
        "set_request_headers",
        Kind::TextMap,
        "{}",
        "Request headers to set; values may refer to `${pomerium.jwt}`, `${pomerium.request.headers[\"NAME\"]}`, and of the certificate that the client showed to `${pomerium.client_cert_fingerprint}`, `${pomerium.client_cert_san_dns}` and `${pomerium.client_cert_san_email}`.",
    ),
    used(
        "set_response_headers",
        Kind::TextMap,
        "{}",
        "Response headers to set, besides the global ones.",
    ),
    used(
        "show_error_details",
        Kind::Bool,
        "false",
        "Name the reasons on error pages. Off: a refusal tells little.",
    ),
    used(
        "tls_downstream_client_ca",
        Kind::Text,
        "the global one",
        "CAs that this route trusts for client certificates, in place of `downstream_mtls.ca`: base64 of PEM.",
    ),
    used(
        "tls_downstream_client_ca_file",
        Kind::Text,
        "",
        "A PEM file in place of `tls_downstream_client_ca`.",
    ),
    used(
        "to",
        Kind::Texts,
        "",
        "Where Envoy sends what is allowed; used by `lictor envoy config`.",
    ),
    refused("allowed_groups", "write `policy: {allow: {or: [{groups: {has: GROUP_ID}}]}}`"),
    refused("kubernetes_service_account_token", KUBERNETES),
    refused("kubernetes_service_account_token_file", KUBERNETES),
    refused("set_authorization_header", "write `set_request_headers: {authorization: …}`"),
    not_used("allow_spdy"),
    not_used("allow_websockets"),
    not_used("bearer_token_format"),
    not_used("circuit_breaker_thresholds"),
    not_used("depends_on"),
    not_used("description"),
    not_used("enable_google_cloud_serverless_authentication"),
    not_used("health_checks"),
    not_used("health_panic_threshold"),
    not_used("healthy_panic_threshold"),
    not_used("host_path_regex_rewrite_pattern"),
    not_used("host_path_regex_rewrite_substitution"),
    not_used("host_rewrite"),
    not_used("host_rewrite_header"),
    not_used("idle_timeout"),
    not_used("idp_access_token_allowed_audiences"),
    not_used("idp_client_id"),
    not_used("idp_client_secret"),
    not_used("lb_config"),
    not_used("load_balancing_policy"),
    not_used("logo_url"),
    not_used("name"),
    not_used("outlier_detection"),
    not_used("prefix_rewrite"),
    not_used("preserve_host_header"),
    not_used("redirect"),
    not_used("regex_priority_order"),
    not_used("regex_rewrite_pattern"),
    not_used("regex_rewrite_substitution"),
    not_used("response"),
    not_used("rewrite_response_headers"),
    not_used("timeout"),
    not_used("tls_client_cert"),
    not_used("tls_client_cert_file"),
    not_used("tls_client_key"),
    not_used("tls_client_key_file"),
    not_used("tls_custom_ca"),
    not_used("tls_custom_ca_file"),
    not_used("tls_downstream_server_name"),
    not_used("tls_server_name"),
    not_used("tls_skip_verify"),
    not_used("tls_upstream_allow_renegotiation"),
    not_used("tls_upstream_server_name"),
    not_used("websocket"),
];

/// Looks at every key of a section: unknown ones and refused ones are problems. Gives the names of
/// those without use here.
pub(super) fn check<'s>(
    section: &Section<'s>,
    keys: &'static [Key],
    problems: &mut Problems,
) -> Vec<&'s str> {
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    let mut idle = Vec::new();
    for entry in section.entries() {
        match keys.iter().find(|key| key.name == entry.key).map(|key| key.standing) {
            Some(Standing::Used) => {}
            Some(Standing::NotUsed) => idle.push(entry.key.as_str()),
            Some(Standing::Refused(why)) => problems.push(refusal(entry, why)),
            None => problems.push(section.unknown(entry, &names)),
        }
    }
    idle
}

/// Names everything that is accepted and without use, in one notice.
pub(super) fn tell_idle(
    place: &Place,
    global: &[&str],
    routes: &BTreeSet<String>,
    problems: &mut Problems,
) {
    let quoted = |name: &str| format!("`{name}`");
    let mut parts: Vec<String> = global.iter().map(|name| quoted(name)).collect();
    parts.extend(routes.iter().map(|name| quoted(&format!("routes[].{name}"))));
    if !parts.is_empty() {
        problems.notice(Advice::NotUsed, place, format!("not used here: {}", parts.join(", ")));
    }
}

fn refusal(entry: &Entry, why: &str) -> Problem {
    Problem::new("removed_field", &entry.place, format!("`{}` cannot be used here", entry.key))
        .help(why)
}

#[cfg(test)]
mod tests {
    use super::{GLOBAL_KEYS, Key, MCP_KEYS, MCP_SERVER_KEYS, MTLS_KEYS, ROUTE_KEYS, STORAGE_KEYS};
    use std::collections::HashSet;

    #[test]
    fn every_name_stands_once() {
        for keys in [GLOBAL_KEYS, ROUTE_KEYS, MTLS_KEYS, STORAGE_KEYS, MCP_KEYS, MCP_SERVER_KEYS] {
            let names: HashSet<_> = keys.iter().map(|key: &Key| key.name).collect();
            assert_eq!(names.len(), keys.len());
        }
    }
}
