//! Ways of setting up Envoy in front of Lictor: the generated bootstrap, with more listeners beside
//! its own.

use lictor::config::{Config, Environment, GrpcAddress};
use lictor::envoy_config::{self, Options};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

/// One listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    /// As generated.
    Hardened,
    /// Nothing that protects: no normalisation, no early stripping, no rules for mutations.
    Raw,
    /// As `Raw`, and headers arrive as a map, repeated ones joined.
    Map,
    /// As `Raw`, with `CONNECT` for every host, ended here and passed on as bytes.
    Tunnel,
    /// As `Raw`, with Envoy's own `jwt_authn` behind Lictor.
    Verified,
    /// `jwt_authn` alone.
    VerifiedOnly,
}

const LISTEN: u16 = 64001;
const GRPC: u16 = 64002;
const HTTP: u16 = 64003;
const UPSTREAM: u16 = 64004;

/// A bootstrap for `StandOptions`, and where the listeners besides the first are.
pub fn bootstrap(
    config: &str,
    folder: &Path,
    socket: SocketAddr,
) -> (String, BTreeMap<Gate, SocketAddr>) {
    let mut document = generated(config, folder);
    set_times(&mut document);
    let mut gates = BTreeMap::new();
    for gate in [Gate::Raw, Gate::Map, Gate::Tunnel, Gate::Verified, Gate::VerifiedOnly] {
        let at = free_address();
        add_listener(&mut document, gate, at);
        gates.insert(gate, at);
    }
    add_cluster(&mut document, "tunnel", socket);
    (with_places(&document), gates)
}

/// A bootstrap as `StandOptions` wants it: names in place of ports.
pub fn with_places(document: &Value) -> String {
    let ports = [
        (LISTEN, "LISTEN_PORT"),
        (GRPC, "GRPC_PORT"),
        (HTTP, "HTTP_PORT"),
        (UPSTREAM, "UPSTREAM_PORT"),
    ];
    ports.iter().fold(document.to_string(), |text, (port, name)| {
        text.replace(&format!("\"port_value\":{port}"), &format!("\"port_value\":{name}"))
    })
}

/// The bootstrap that `lictor envoy config` prints for this configuration.
pub fn generated(config: &str, folder: &Path) -> Value {
    let secret = "shared_secret: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n";
    let upstream = loopback(UPSTREAM).to_string();
    let file = folder.join("generate.yaml");
    fs::write(&file, secret.to_owned() + &config.replace("UPSTREAM", &upstream)).expect("a file");
    let config = Config::load(&file, &Environment::default()).expect("a configuration");
    let options = Options {
        listen: loopback(LISTEN),
        admin: None,
        grpc: GrpcAddress::Tcp(loopback(GRPC)),
        http: loopback(HTTP),
    };
    envoy_config::bootstrap(&config, &options).0
}

/// Changes the times of the generated listener, and nothing else: connections close soon after a bad
/// request, because tests wait for the end of answers, and a check may take long, because the machine
/// that runs the tests may be busy.
pub fn set_times(document: &mut Value) {
    let manager = manager(&mut document["static_resources"]["listeners"][0]);
    manager["delayed_close_timeout"] = json!("0.02s");
    let service = &mut ext_authz(manager)["grpc_service"];
    assert!(service["timeout"].is_string(), "a check has a timeout: {service}");
    service["timeout"] = json!("5s");
    service["retry_policy"]["retry_back_off"]["max_interval"] = json!("5s");
}

fn manager(listener: &mut Value) -> &mut Value {
    &mut listener["filter_chains"][0]["filters"][0]["typed_config"]
}

pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// An address that nobody listens on.
pub fn free_address() -> SocketAddr {
    lictor::demo::free_address().expect("an address")
}

fn add_listener(document: &mut Value, gate: Gate, at: SocketAddr) {
    let listeners = &mut document["static_resources"]["listeners"];
    let mut listener = listeners[0].clone();
    listener["name"] = json!(format!("{gate:?}"));
    listener["address"]["socket_address"]["port_value"] = json!(at.port());
    let manager = manager(&mut listener);
    unprotect(manager);
    match gate {
        Gate::Hardened | Gate::Raw => {}
        Gate::Map => ext_authz(manager)["encode_raw_headers"] = json!(false),
        Gate::Tunnel => open_tunnel(manager),
        Gate::Verified => {
            manager["http_filters"].as_array_mut().expect("filters").insert(1, jwt_authn())
        }
        Gate::VerifiedOnly => manager["http_filters"][0] = jwt_authn(),
    }
    listeners.as_array_mut().expect("listeners").push(listener);
}

fn ext_authz(manager: &mut Value) -> &mut Value {
    &mut manager["http_filters"][0]["typed_config"]
}

/// Takes away whatever keeps hostile requests from Lictor, and adds a host for all names, so that
/// Lictor is asked about each.
fn unprotect(manager: &mut Value) {
    for name in [
        "use_remote_address",
        "internal_address_config",
        "normalize_path",
        "merge_slashes",
        "path_with_escaped_slashes_action",
        "strip_trailing_host_dot",
        "common_http_protocol_options",
        "early_header_mutation_extensions",
    ] {
        remove(manager, name);
    }
    for name in ["validate_mutations", "decoder_header_mutation_rules"] {
        remove(ext_authz(manager), name);
    }
    let hosts = manager["route_config"]["virtual_hosts"].as_array_mut().expect("virtual hosts");
    hosts.push(json!({
        "name": "every",
        "domains": ["*"],
        "routes": [{ "match": { "prefix": "/" }, "route": { "cluster": "route-1" } }],
    }));
}

/// Removes a member, which must be there: otherwise this file is about another bootstrap.
fn remove(object: &mut Value, name: &str) {
    let removed = object.as_object_mut().expect("an object").remove(name);
    assert!(removed.is_some(), "the generated bootstrap has no `{name}`");
}

/// A listener like the generated one, over TLS with this certificate and key.
pub fn add_tls_listener(document: &mut Value, at: SocketAddr, (certificate, key): (&str, &str)) {
    let listeners = &mut document["static_resources"]["listeners"];
    let mut listener = listeners[0].clone();
    listener["name"] = json!("tls");
    listener["address"]["socket_address"]["port_value"] = json!(at.port());
    listener["filter_chains"][0]["transport_socket"] = json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_certificates": [{
                    "certificate_chain": { "inline_string": certificate },
                    "private_key": { "inline_string": key },
                }],
            },
        },
    });
    listeners.as_array_mut().expect("listeners").push(listener);
}

fn open_tunnel(manager: &mut Value) {
    let connect = json!({ "upgrade_type": "CONNECT" });
    manager["upgrade_configs"].as_array_mut().expect("upgrades").push(connect);
    let hosts = manager["route_config"]["virtual_hosts"].as_array_mut().expect("virtual hosts");
    let every = hosts.last_mut().expect("a virtual host");
    let route = json!({
        "match": { "connect_matcher": {} },
        "route": {
            "cluster": "tunnel",
            "upgrade_configs": [{ "upgrade_type": "CONNECT", "connect_config": {} }],
        },
    });
    every["routes"].as_array_mut().expect("routes").insert(0, route);
}

fn jwt_authn() -> Value {
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": { "lictor": {
                "issuer": "httpbin.localhost",
                "audiences": ["httpbin.localhost"],
                "from_headers": [{ "name": "x-pomerium-jwt-assertion" }],
                "forward": true,
                "remote_jwks": { "http_uri": {
                    "uri": "http://httpbin.localhost/.well-known/pomerium/jwks.json",
                    "cluster": "lictor_http",
                    "timeout": "5s",
                } },
            } },
            "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "lictor" } }],
        },
    })
}

fn add_cluster(document: &mut Value, name: &str, at: SocketAddr) {
    let clusters = document["static_resources"]["clusters"].as_array_mut().expect("clusters");
    let address = json!({ "address": at.ip().to_string(), "port_value": at.port() });
    clusters.push(json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": { "cluster_name": name, "endpoints": [{ "lb_endpoints": [
            { "endpoint": { "address": { "socket_address": address } } },
        ] }] },
    }));
}
