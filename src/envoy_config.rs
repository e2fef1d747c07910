//! A complete Envoy bootstrap for the routes of a configuration: listener, virtual hosts with the
//! route each check is about, Lictor as `ext_authz` server, and the clusters.

use crate::config::{Config, GrpcAddress, Upstream};
use crate::route::{From, HostPattern, PathMatch, Route};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use url::Url;

/// Where Envoy listens and where it finds Lictor.
#[derive(Clone, Debug)]
pub struct Options {
    pub listen: SocketAddr,
    /// The admin interface; none if absent.
    pub admin: Option<SocketAddr>,
    pub grpc: GrpcAddress,
    pub http: SocketAddr,
}

/// Something in the configuration that this bootstrap does not carry.
pub type Omission = String;

const TYPE: &str = "type.googleapis.com/envoy.";

fn typed(name: &str, mut members: Value) -> Value {
    if let Value::Object(map) = &mut members {
        map.insert("@type".to_owned(), Value::from(format!("{TYPE}{name}")));
    }
    members
}

fn address(at: SocketAddr) -> Value {
    json!({ "socket_address": { "address": at.ip().to_string(), "port_value": at.port() } })
}

/// The bootstrap, and what was left out of it.
pub fn bootstrap(config: &Config, options: &Options) -> (Value, Vec<Omission>) {
    let mut omissions = Vec::new();
    let mut clusters = vec![checks_cluster(&options.grpc), pages_cluster(options.http)];
    let mut hosts: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let longest = longest_body(config);
    for (index, (route, upstream)) in config.routes.iter().zip(&config.upstreams).enumerate() {
        let Some(domain) = domain(route, &mut omissions) else {
            continue;
        };
        let cluster = format!("route-{}", index + 1);
        match upstream_cluster(&cluster, upstream) {
            Ok(definition) => clusters.push(definition),
            Err(reason) => {
                omissions.push(format!("route `{}` is left out: {reason}", route.id));
                continue;
            }
        }
        hosts.entry(domain).or_default().push(route_entry(route, upstream, &cluster, longest));
    }
    if let Some(host) = config.identity.authenticate_url.as_ref().and_then(Url::host_str) {
        // Besides routes that it may have, the whole host is Lictor's.
        hosts.entry(host.to_owned()).or_default().push(own_pages("prefix", "/"));
    }
    let sign_in = config.identity.authenticate_url.as_ref().filter(|_| config.sign_in.is_some());
    if let Some(url) = sign_in.filter(|url| url.scheme() == "https") {
        omissions.push(format!("the listener is generated without TLS, and people sign in at `{url}`: give it a certificate, as `envoy/gateway.yaml` shows, or end TLS in front of it"));
    }
    if config.has_client_ca() {
        omissions.push("the listener is generated without TLS, so no client can show a certificate: see `Client certificates` in envoy/README.md".to_owned());
    }
    let virtual_hosts: Vec<Value> =
        hosts.into_iter().map(|(domain, routes)| virtual_host(&domain, routes)).collect();
    let mut document = json!({
        "node": { "id": "gateway", "cluster": "gateway" },
        "static_resources": { "listeners": [listener(config, options, &virtual_hosts)], "clusters": clusters },
    });
    if let (Value::Object(members), Some(admin)) = (&mut document, options.admin) {
        members.insert("admin".to_owned(), json!({ "address": address(admin) }));
    }
    (document, omissions)
}

/// The virtual host of a route. A wildcard that Envoy cannot express exactly is left out: serving more
/// or fewer hosts than the configuration says would be worse.
fn domain(route: &Route, omissions: &mut Vec<Omission>) -> Option<String> {
    match &route.from {
        From::Http { host: HostPattern::Exact(name), .. } => Some(name.clone()),
        From::Http { host: HostPattern::Wildcard(pattern), .. } if leading_star(pattern) => {
            Some(pattern.clone())
        }
        From::Http { host: HostPattern::Wildcard(pattern), .. } => {
            omissions.push(format!("route `{}` is left out: Envoy knows `*` only at the beginning of a host, not in `{pattern}`", route.id));
            None
        }
        From::Tunnel { .. } | From::Ssh => {
            omissions.push(format!(
                "route `{}` is left out: only http and https routes are generated",
                route.id
            ));
            None
        }
    }
}

fn leading_star(pattern: &str) -> bool {
    pattern.strip_prefix('*').is_some_and(|rest| !rest.contains('*'))
}

fn ext_authz_per_route(members: Value) -> Value {
    json!({ "envoy.filters.http.ext_authz": typed("extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute", members) })
}

fn own_pages(kind: &str, prefix: &str) -> Value {
    json!({
        "match": { kind: prefix },
        "route": { "cluster": "lictor_http", "timeout": "15s" },
        "typed_per_filter_config": ext_authz_per_route(json!({ "disabled": true })),
    })
}

/// Lictor's own pages come first on every host and are not checked: it authenticates them itself.
fn virtual_host(domain: &str, routes: Vec<Value>) -> Value {
    let own = ["/.pomerium", "/.well-known/pomerium"];
    let own = own.map(|prefix| own_pages("path_separated_prefix", prefix));
    let all: Vec<Value> = own.into_iter().chain(routes).collect();
    json!({ "name": domain.replace('*', "any"), "domains": [domain], "routes": all })
}

fn route_entry(route: &Route, upstream: &Upstream, cluster: &str, longest: Option<u32>) -> Value {
    let mut action = json!({ "cluster": cluster, "timeout": "60s" });
    if let (Value::Object(members), None) = (&mut action, upstream.body_limit) {
        // Where bodies are judged, nothing may follow that cannot be.
        members.insert("upgrade_configs".to_owned(), json!([{ "upgrade_type": "websocket" }]));
    }
    let host =
        upstream.to.first().and_then(Url::host_str).filter(|_| !upstream.preserve_host_header);
    if let (Value::Object(members), Some(host)) = (&mut action, host) {
        members.insert("host_rewrite_literal".to_owned(), Value::from(host));
        members.insert("append_x_forwarded_host".to_owned(), Value::from(true));
    }
    json!({
        "match": path_match(&route.path),
        "route": action,
        "typed_per_filter_config": ext_authz_per_route(json!({
            "check_settings": check_settings(route, upstream, longest),
        })),
    })
}

fn check_settings(route: &Route, upstream: &Upstream, longest: Option<u32>) -> Value {
    let extensions = json!({ "route_id": route.id.as_str() });
    match (upstream.body_limit, longest) {
        (Some(limit), _) => {
            json!({ "context_extensions": extensions, "with_request_body": bodies(limit) })
        }
        (None, Some(_)) => {
            json!({ "context_extensions": extensions, "disable_request_body_buffering": true })
        }
        (None, None) => json!({ "context_extensions": extensions }),
    }
}

/// How much of a body any route has to be judged by; `None` if no route is judged by its bodies.
fn longest_body(config: &Config) -> Option<u32> {
    config.upstreams.iter().filter_map(|upstream| upstream.body_limit).max()
}

/// Bodies as they were sent, and whole or not at all.
fn bodies(limit: u32) -> Value {
    json!({ "max_request_bytes": limit, "allow_partial_message": false, "pack_as_bytes": true })
}

fn path_match(path: &PathMatch) -> Value {
    match path {
        PathMatch::Any => json!({ "prefix": "/" }),
        PathMatch::Prefix(prefix) => json!({ "prefix": prefix }),
        PathMatch::SeparatedPrefix(prefix) => json!({ "path_separated_prefix": prefix }),
        PathMatch::Exact(path) => json!({ "path": path }),
        PathMatch::Regex(regex) => json!({ "safe_regex": { "regex": regex.to_string() } }),
    }
}

fn listener(config: &Config, options: &Options, virtual_hosts: &[Value]) -> Value {
    let manager = json!({
        "stat_prefix": "gateway",
        "route_config": { "name": "gateway", "ignore_port_in_host_matching": true, "virtual_hosts": virtual_hosts },
        "use_remote_address": true,
        "internal_address_config": { "cidr_ranges": [{ "address_prefix": "255.255.255.255", "prefix_len": 32 }] },
        "normalize_path": true,
        "merge_slashes": true,
        "path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT",
        "strip_trailing_host_dot": true,
        "request_headers_timeout": "10s",
        "common_http_protocol_options": { "headers_with_underscores_action": "REJECT_REQUEST" },
        "http2_protocol_options": { "max_concurrent_streams": 100 },
        "upgrade_configs": [{ "upgrade_type": "websocket", "enabled": false }],
        "early_header_mutation_extensions": [early_mutation()],
        "http_filters": [
            { "name": "envoy.filters.http.ext_authz", "typed_config": ext_authz(config) },
            { "name": "envoy.filters.http.router", "typed_config": typed("extensions.filters.http.router.v3.Router", json!({})) },
        ],
        "access_log": [{
            "name": "envoy.access_loggers.stdout",
            "typed_config": typed("extensions.access_loggers.stream.v3.StdoutAccessLog", json!({ "log_format": { "json_format": access_log() } })),
        }],
    });
    json!({
        "name": "http",
        "address": address(options.listen),
        "filter_chains": [{ "filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": typed("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", manager),
        }] }],
    })
}

/// Identity headers come from Lictor or from nobody, also where `ext_authz` is disabled. Only
/// `x-pomerium-authorization` passes: a client presents its token in it.
fn early_mutation() -> Value {
    let regex = "x-pomerium-([^a].*|a[^u].*|au[^t].*)";
    json!({
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": typed(
            "extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            json!({ "mutations": [
                { "remove_on_match": { "key_matcher": { "safe_regex": { "regex": regex } } } },
                // ENVOY: its mutation rules let nobody else remove this; Lictor's try would end in 500.
                { "remove": "x-envoy-auth-failure-mode-allowed" },
            ] }),
        ),
    })
}

fn ext_authz(config: &Config) -> Value {
    let mut filter = ext_authz_without_bodies(config);
    if let (Value::Object(members), Some(longest)) = (&mut filter, longest_body(config)) {
        // ENVOY: obeys `pack_as_bytes` here only. Routes that are judged without bodies turn it off: what
        // is forgotten is sent along, not let by.
        members.insert("with_request_body".to_owned(), bodies(longest));
    }
    filter
}

fn ext_authz_without_bodies(config: &Config) -> Value {
    typed(
        "extensions.filters.http.ext_authz.v3.ExtAuthz",
        json!({
            "transport_api_version": "V3",
            "grpc_service": {
                "envoy_grpc": { "cluster_name": "lictor", "authority": "lictor" },
                "timeout": "0.5s",
                "initial_metadata": [{ "key": "x-request-id", "value": "%REQ(x-request-id)%" }],
                "retry_policy": {
                    "num_retries": 1,
                    "retry_on": "unavailable,connect-failure,refused-stream,reset",
                    "retry_back_off": { "base_interval": "0.01s", "max_interval": "0.5s" },
                    "retry_host_predicate": [{
                        "name": "envoy.retry_host_predicates.previous_hosts",
                        "typed_config": typed("extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate", json!({})),
                    }],
                    "host_selection_retry_max_attempts": 3,
                },
            },
            "failure_mode_allow": false,
            "status_on_error": { "code": "ServiceUnavailable" },
            "encode_raw_headers": true,
            "include_tls_session": true,
            "include_peer_certificate": config.has_client_ca(),
            "validate_mutations": true,
            "decoder_header_mutation_rules": {
                "disallow_system": true,
                "disallow_is_error": true,
                "disallow_expression": { "regex": "connection|content-length|keep-alive|te|trailer|transfer-encoding|upgrade" },
            },
            "clear_route_cache": false,
            "max_denied_response_body_bytes": 65536,
            "charge_cluster_response_stats": false,
        }),
    )
}

fn access_log() -> Value {
    let mut fields = Map::new();
    let plain = [
        ("time", "%START_TIME%"),
        ("method", "%REQ(:METHOD)%"),
        ("host", "%REQ(:AUTHORITY)%"),
        ("path", "%PATH(NQ)%"),
        ("status", "%RESPONSE_CODE%"),
        ("flags", "%RESPONSE_FLAGS%"),
        ("details", "%RESPONSE_CODE_DETAILS%"),
        ("request_id", "%REQ(X-REQUEST-ID)%"),
    ];
    fields.extend(plain.into_iter().map(|(name, format)| (name.to_owned(), Value::from(format))));
    for name in ["user", "decision", "reason", "route"] {
        fields.insert(
            name.to_owned(),
            Value::from(format!("%DYNAMIC_METADATA(envoy.filters.http.ext_authz:{name})%")),
        );
    }
    Value::Object(fields)
}

fn endpoints(name: &str, addresses: Vec<Value>) -> Value {
    let endpoints: Vec<Value> = addresses
        .into_iter()
        .map(|address| json!({ "endpoint": { "address": address } }))
        .collect();
    json!({ "cluster_name": name, "endpoints": [{ "lb_endpoints": endpoints }] })
}

fn checks_cluster(grpc: &GrpcAddress) -> Value {
    let at = match grpc {
        GrpcAddress::Tcp(at) => address(*at),
        GrpcAddress::Unix(path) => json!({ "pipe": { "path": path.display().to_string() } }),
    };
    json!({
        "name": "lictor",
        "type": "STATIC",
        "connect_timeout": "0.25s",
        "load_assignment": endpoints("lictor", vec![at]),
        "typed_extension_protocol_options": http2(&json!({
            "max_concurrent_streams": 64,
            "connection_keepalive": { "interval": "20s", "timeout": "3s" },
        })),
        "circuit_breakers": { "thresholds": [{
            "max_connections": 256,
            "max_pending_requests": 4096,
            "max_requests": 8192,
            "retry_budget": { "budget_percent": { "value": 20 }, "min_retry_concurrency": 32 },
        }] },
        "health_checks": [{
            "timeout": "1s",
            "interval": "5s",
            "no_traffic_interval": "5s",
            "unhealthy_threshold": 2,
            "healthy_threshold": 1,
            "grpc_health_check": { "service_name": "envoy.service.auth.v3.Authorization" },
        }],
        "common_lb_config": { "healthy_panic_threshold": { "value": 0 } },
    })
}

/// The protocol of a cluster that speaks HTTP/2 from the first byte.
fn http2(options: &Value) -> Value {
    json!({ "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": typed(
        "extensions.upstreams.http.v3.HttpProtocolOptions",
        json!({ "explicit_http_config": { "http2_protocol_options": options } }),
    ) })
}

fn pages_cluster(at: SocketAddr) -> Value {
    json!({
        "name": "lictor_http",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": endpoints("lictor_http", vec![address(at)]),
    })
}

fn upstream_cluster(name: &str, upstream: &Upstream) -> Result<Value, String> {
    let Some(first) = upstream.to.first() else {
        return Err("it has no `to`".to_owned());
    };
    if upstream.to.iter().any(|url| url.scheme() != first.scheme()) {
        return Err("its `to` mixes schemes".to_owned());
    }
    let mut addresses = Vec::new();
    for url in &upstream.to {
        let host = url.host_str().ok_or_else(|| format!("`{url}` has no host"))?;
        let port = url.port_or_known_default().ok_or_else(|| format!("`{url}` has no port"))?;
        let host = host.trim_matches(['[', ']']);
        addresses.push(json!({ "socket_address": { "address": host, "port_value": port } }));
    }
    let mut cluster = json!({
        "name": name,
        "type": "STRICT_DNS",
        "connect_timeout": "1s",
        "load_assignment": endpoints(name, addresses),
    });
    match (first.scheme(), &mut cluster) {
        ("http", _) => {}
        ("h2c", Value::Object(members)) => {
            members.insert("typed_extension_protocol_options".to_owned(), http2(&json!({})));
        }
        ("https", Value::Object(members)) => {
            members.insert("transport_socket".to_owned(), upstream_tls(first));
        }
        (other, _) => return Err(format!("the scheme `{other}` of its `to` is not generated")),
    }
    Ok(cluster)
}

fn upstream_tls(url: &Url) -> Value {
    let host = url.host_str().unwrap_or_default();
    json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": typed("extensions.transport_sockets.tls.v3.UpstreamTlsContext", json!({
            "sni": host,
            "auto_sni_san_validation": true,
            "common_tls_context": { "validation_context": { "trusted_ca": { "filename": "/etc/ssl/certs/ca-certificates.crt" } } },
        })),
    })
}
