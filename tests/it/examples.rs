//! The shipped examples are under test: Envoy loads its files, Lictor loads its own, and what one
//! file says about another (a port, a path, a name, a subcommand) is true.

use crate::support;
use lictor::demo::{Browser, Stand, StandOptions};
use serde_yaml::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const GATEWAY: &str = "envoy/gateway.yaml";
const SIDECAR: &str = "envoy/sidecar.yaml";
const LICTOR: &str = "envoy/lictor.yaml";
const USERS: &str = "envoy/users.yaml";
const COMPOSE: &str = "docker-compose.yml";
const DOCKERFILE: &str = "envoy/Dockerfile";

/// 32 bytes in base64, as `shared_secret_file` wants them.
const SHARED_SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

// --- Envoy loads its files

#[test]
fn envoy_accepts_the_gateway() {
    assert_valid(&in_repository(GATEWAY));
}

#[test]
fn envoy_accepts_the_gateway_with_the_tls_block_in_use() {
    let scratch = tempfile::tempdir().unwrap();
    let config = scratch.path().join("gateway.yaml");
    let uncommented = with_tls_block(&read(GATEWAY));
    fs::write(&config, with_throwaway_certificates(&uncommented, scratch.path())).unwrap();
    assert_valid(&config);
}

#[test]
fn envoy_accepts_the_sidecar() {
    let scratch = tempfile::tempdir().unwrap();
    let config = scratch.path().join("sidecar.yaml");
    fs::write(&config, with_throwaway_certificates(&read(SIDECAR), scratch.path())).unwrap();
    assert_valid(&config);
}

// --- what keeps them safe stays in them

#[test]
fn every_check_fails_closed_and_reads_exact_bytes() {
    for file in [GATEWAY, SIDECAR] {
        let config = load(file);
        let filters = of_type(&config, "filters.http.ext_authz.v3.ExtAuthz");
        assert_eq!(filters.len(), 1, "{file}");
        for filter in filters {
            assert_eq!(filter["failure_mode_allow"], Value::Bool(false), "{file}");
            assert_eq!(filter["status_on_error"]["code"], "ServiceUnavailable", "{file}");
            assert_eq!(filter["clear_route_cache"], Value::Bool(false), "{file}");
            for on in ["encode_raw_headers", "validate_mutations", "include_tls_session"] {
                assert_eq!(filter[on], Value::Bool(true), "{file}: {on}");
            }
        }
    }
}

#[test]
fn every_connection_manager_normalises_and_strips_identity_headers() {
    for file in [GATEWAY, SIDECAR] {
        let config = load(file);
        let managers = of_type(&config, "http_connection_manager.v3.HttpConnectionManager");
        assert_eq!(managers.len(), 1, "{file}");
        for manager in managers {
            assert_eq!(manager["normalize_path"], Value::Bool(true), "{file}");
            assert_eq!(manager["merge_slashes"], Value::Bool(true), "{file}");
            assert!(manager["path_with_escaped_slashes_action"].is_string(), "{file}");
            let underscores = &manager["common_http_protocol_options"];
            assert_eq!(underscores["headers_with_underscores_action"], "REJECT_REQUEST", "{file}");
            let internal = &manager["internal_address_config"]["cidr_ranges"];
            assert!(!list(internal).is_empty(), "{file}: an empty list is not \"nobody\"");
            assert_strips_identity_headers(manager, file);
        }
    }
}

#[test]
fn every_unchecked_route_leads_to_lictor() {
    for file in [GATEWAY, SIDECAR] {
        let config = load(file);
        let mut unchecked = routes(&config);
        unchecked.retain(|route| is_unchecked(route));
        assert!(!unchecked.is_empty(), "{file}");
        for route in unchecked {
            assert_eq!(route["route"]["cluster"], "lictor_http", "{file}: {route:?}");
        }
    }
}

#[test]
fn every_protected_host_serves_lictors_own_paths() {
    for file in [GATEWAY, SIDECAR] {
        for host in protected_hosts(&load(file)) {
            for path in ["/.pomerium", "/.well-known/pomerium"] {
                let served = list(&host["routes"]).iter().any(|route| {
                    route["match"]["path_separated_prefix"] == path && is_unchecked(route)
                });
                assert!(served, "{file}: {path} of {:?}", host["name"]);
            }
        }
    }
}

#[test]
fn the_strict_cluster_has_no_panic_mode_and_a_health_check() {
    for file in [GATEWAY, SIDECAR] {
        let config = load(file);
        let cluster = cluster(&config, "lictor");
        let panic = &cluster["common_lb_config"]["healthy_panic_threshold"]["value"];
        assert_eq!(panic.as_u64(), Some(0), "{file}");
        let service = &cluster["health_checks"][0]["grpc_health_check"]["service_name"];
        assert_eq!(service, "envoy.service.auth.v3.Authorization", "{file}");
    }
}

// --- Lictor loads its own

#[test]
fn lictor_accepts_its_configuration() {
    let scratch = tempfile::tempdir().unwrap();
    let secret = scratch.path().join("shared_secret");
    fs::write(&secret, SHARED_SECRET).unwrap();
    let shipped = read(LICTOR);
    let here = shipped.replace("/keys/shared_secret", secret.to_str().unwrap());
    assert_ne!(here, shipped, "the file names another secret: adapt this test");
    let here = here.replace("/data/", &format!("{}/", scratch.path().display()));
    let config = scratch.path().join("lictor.yaml");
    fs::write(&config, here).unwrap();
    fs::write(scratch.path().join("users.yaml"), read(USERS)).unwrap();
    let checked = lictor(&["config", "check", config.to_str().unwrap()]);
    assert!(checked.status.success(), "{}", said(&checked));
}

/// The shipped files as they are, but for addresses: who signs in to the compose example as it says.
#[tokio::test(flavor = "multi_thread")]
async fn one_signs_in_through_the_gateway() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("users.yaml"), read(USERS)).unwrap();
    let own = ["grpc_address", "http_address", "metrics_address", "shared_secret_file", "storage"];
    let config = without_lines(&read(LICTOR), &own)
        .replace("httpbin:8080", "UPSTREAM")
        .replace("authenticate.localhost:8000", "authenticate.localhost:GATEWAY_PORT");
    let envoy = tokio::task::spawn_blocking(support::envoy::binary).await.unwrap();
    let options = StandOptions {
        envoy,
        folder: scratch.path().to_owned(),
        port: 0,
        config,
        bootstrap: Some(with_places(&read(GATEWAY))),
    };
    let stand = Stand::start(options).await.expect("a stand");
    let port = stand.gateway.port();
    let at = |path: &str| format!("http://httpbin.localhost:{port}{path}");
    let password = documented_password();
    let mut bob = Browser::new(stand.gateway);
    let form = bob.open(&at("/headers?a=b")).await.unwrap();
    let fields = [("login", "bob@example.com"), ("password", password.as_str())];
    let seen = bob.submit(&form, "/.pomerium/sign_in", &fields).await.unwrap();
    assert_eq!(seen.url.as_str(), at("/headers?a=b"));
    assert_eq!(seen.reply.json()["headers"]["x-pomerium-claim-email"], "bob@example.com");

    let mut root = Browser::new(stand.gateway);
    let form = root.open(&at("/headers")).await.unwrap();
    let fields = [("login", "root@example.com"), ("password", password.as_str())];
    let seen = root.submit(&form, "/.pomerium/sign_in", &fields).await.unwrap();
    assert_eq!(seen.reply.status, 403, "root is not let in as root");
    let page = root.open(&at("/.pomerium/")).await.unwrap();
    let wanted = [("email", "bob@example.com")];
    root.submit(&page, "/.pomerium/admin/impersonate", &wanted).await.unwrap();
    let seen = root.open(&at("/headers")).await.unwrap();
    let headers = &seen.reply.json()["headers"];
    assert_eq!(headers["x-pomerium-claim-email"], "bob@example.com");
    let log = root.open(&at("/.pomerium/admin/activity")).await.unwrap();
    let address = headers["x-forwarded-for"].as_str().unwrap();
    assert!(log.reply.body.contains(address), "whence is written down: {address}");
    stand.stop().await;
}

// --- the files agree with each other

#[test]
fn every_route_id_of_the_gateway_is_an_id_in_lictors_configuration() {
    let config = load(LICTOR);
    let ids: Vec<_> = list(&config["routes"]).iter().map(|route| text(&route["id"])).collect();
    let gateway = load(GATEWAY);
    let named = find(&gateway, "route_id");
    assert!(!named.is_empty());
    for route_id in named {
        assert!(ids.contains(&text(route_id)), "{route_id:?} is none of {ids:?}");
    }
}

#[test]
fn every_protected_host_of_the_gateway_is_a_from_in_lictors_configuration() {
    let config = load(LICTOR);
    for host in protected_hosts(&load(GATEWAY)) {
        let route_id = find(&host["typed_per_filter_config"], "route_id")[0];
        let mut routes = list(&config["routes"]).iter();
        let route = routes.find(|route| route["id"] == *route_id).expect("the route");
        for domain in list(&host["domains"]) {
            assert_eq!(text(&route["from"]), format!("https://{}", text(domain)));
        }
    }
}

#[test]
fn the_gateways_clusters_are_compose_services_at_the_ports_they_listen_on() {
    let (gateway, config, compose) = (load(GATEWAY), load(LICTOR), load(COMPOSE));
    let lictor = Endpoint::of(cluster(&gateway, "lictor"));
    let pages = Endpoint::of(cluster(&gateway, "lictor_http"));
    let httpbin = Endpoint::of(cluster(&gateway, "httpbin"));
    for endpoint in [&lictor, &pages, &httpbin] {
        assert!(!service(&compose, &endpoint.host).is_null(), "{endpoint:?} is no service");
    }
    assert_eq!(lictor.port, port(&config["grpc_address"]));
    assert_eq!(pages.port, port(&config["http_address"]));
    let to = text(&config["routes"][0]["to"]);
    assert_eq!(to, format!("http://{}:{}", httpbin.host, httpbin.port));
}

#[test]
fn the_authenticate_host_of_lictor_is_a_virtual_host_of_the_gateway() {
    let (host, _) = authenticate();
    let gateway = load(GATEWAY);
    let mut hosts = hosts(&gateway).into_iter();
    let served = hosts.find(|served| list(&served["domains"]).contains(&host.as_str().into()));
    let routes = list(&served.expect("a virtual host")["routes"]);
    let [all] = routes else { panic!("{routes:?}") };
    assert_eq!(all["match"]["prefix"], "/");
    assert!(is_unchecked(all));
}

#[test]
fn people_sign_in_at_the_port_the_gateway_listens_on() {
    assert_eq!(authenticate().1, listens());
}

#[test]
fn what_compose_tells_to_type_is_so() {
    let compose = read(COMPOSE);
    let (host, port) = authenticate();
    assert!(compose.contains(&format!("-iss {host}:{port} ")), "the issuer of a token");
    assert!(compose.contains(&format!("http://httpbin.localhost:{port}/")), "where to go");
    let password = documented_password();
    assert!(read(USERS).contains(&format!("`{password}`")));
    let mut problems = lictor::document::Problems::default();
    let users = lictor::provider::LocalUsers::read(&read(USERS), USERS, &mut problems);
    let users = users.unwrap_or_else(|| panic!("{problems:?}"));
    for login in ["root@example.com", "bob@example.com"] {
        assert!(compose.contains(login), "{login}");
        assert!(users.authenticate(login, &password).is_ok(), "{login}");
    }
    let administrators = &load(LICTOR)["administrators"];
    assert_eq!(list(administrators), ["root@example.com"]);
}

#[test]
fn lictor_finds_its_users_and_keeps_its_sessions_on_volumes() {
    let (compose, config) = (load(COMPOSE), load(LICTOR));
    let service = service(&compose, "lictor");
    let own = after(&words(&service["command"]), "--config");
    let beside = Path::new(&own).with_file_name(text(&config["users_file"]));
    assert_mounted(service, beside.to_str().unwrap());
    let kept = Path::new(text(&config["storage"]["path"])).parent().unwrap();
    let mut mounts = mounts(service).into_iter();
    let (source, _) = mounts.find(|(_, target)| Path::new(target) == kept).expect("a volume");
    assert!(mapping(&compose["volumes"]).contains_key(&source));
    let made = instructions("COPY").into_iter().any(|copy| copy.ends_with(kept.to_str().unwrap()));
    assert!(made, "the image has {}, owned by its user", kept.display());
}

#[test]
fn compose_publishes_the_port_the_gateway_listens_on() {
    let compose = load(COMPOSE);
    let published = text(&service(&compose, "envoy")["ports"][0]);
    assert!(published.ends_with(&format!(":{}", listens())), "{published}");
}

// --- compose

#[test]
fn every_mount_of_compose_exists() {
    let compose = load(COMPOSE);
    for (name, service) in services(&compose) {
        for (source, target) in mounts(service) {
            let bound = source.starts_with("./") && in_repository(&source).is_file();
            let declared = mapping(&compose["volumes"]).contains_key(&source);
            assert!(bound || declared, "{name}: {source} does not exist");
            assert!(target.starts_with('/'), "{name}: {target}");
        }
    }
}

#[test]
fn every_dependency_of_compose_names_a_service_that_can_meet_it() {
    let compose = load(COMPOSE);
    let mut seen = 0;
    for (name, dependant) in services(&compose) {
        for (on, want) in mapping(&dependant["depends_on"]) {
            let dependency = service(&compose, &on);
            assert!(!dependency.is_null(), "{name} waits for {on}, which is no service");
            assert_can_be(dependency, text(&want["condition"]), &on);
            seen += 1;
        }
    }
    assert!(seen >= 2, "envoy waits for lictor, lictor for its key");
}

#[test]
fn lictors_containers_write_nothing_and_may_do_nothing() {
    let compose = load(COMPOSE);
    for name in ["keys", "lictor"] {
        let service = service(&compose, name);
        assert_eq!(service["read_only"], Value::Bool(true), "{name}");
        assert_eq!(list(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(list(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        assert_eq!(service["build"]["dockerfile"], DOCKERFILE, "{name}");
    }
}

#[test]
fn the_paths_in_composes_commands_are_mounted() {
    let compose = load(COMPOSE);
    let lictor = service(&compose, "lictor");
    assert_mounted(lictor, &after(&words(&lictor["command"]), "--config"));
    let envoy = service(&compose, "envoy");
    assert_mounted(envoy, &after(&words(&envoy["command"]), "-c"));
    let written = after(&words(&service(&compose, "keys")["command"]), "--output");
    assert_eq!(written, text(&load(LICTOR)["shared_secret_file"]));
    let keys = Path::new(&written).parent().unwrap().to_str().unwrap().to_owned();
    assert_mounted(service(&compose, "keys"), &keys);
    assert_mounted(lictor, &keys);
}

#[test]
fn composes_commands_and_health_checks_are_lictors() {
    let compose = load(COMPOSE);
    for name in ["keys", "lictor"] {
        assert_is_a_command(&words(&service(&compose, name)["command"]));
    }
    let probe = words(&service(&compose, "lictor")["healthcheck"]["test"]);
    assert_probes_the_check_port(&probe);
}

// --- the image

#[test]
fn the_image_copies_what_exists_and_all_that_the_build_reads() {
    let copied = copied_from_the_repository();
    for source in &copied {
        assert!(in_repository(source).exists(), "{source} does not exist");
    }
    let read_by_cargo = ["Cargo.toml", "Cargo.lock", "build.rs", "src", "proto"];
    let read_if_there = ["askama.toml", "templates", "assets", ".cargo", "rust-toolchain.toml"];
    let wanted = read_if_there.into_iter().filter(|path| in_repository(path).exists());
    for path in read_by_cargo.into_iter().chain(wanted) {
        assert!(copied.iter().any(|source| source == path), "{path} is not copied");
    }
}

#[test]
fn the_build_context_holds_what_the_image_copies() {
    let ignore = read(".dockerignore");
    let lines: Vec<_> = ignore.lines().collect();
    assert!(lines.contains(&"*"), "everything is left out first");
    for source in copied_from_the_repository() {
        assert!(lines.contains(&format!("!{source}").as_str()), "{source} is left out");
    }
}

#[test]
fn the_image_does_not_run_as_root() {
    let users: Vec<_> = instructions("USER");
    let user = users.last().expect("a USER");
    assert!(!["root", "0", "0:0", "root:root"].contains(&user.as_str()), "{user}");
}

#[test]
fn the_image_stops_and_starts_and_probes_as_lictor_wants() {
    assert_eq!(instructions("STOPSIGNAL"), ["SIGTERM"]);
    assert_eq!(instructions("ENTRYPOINT"), [r#"["/usr/local/bin/lictor"]"#]);
    assert_is_a_command(&words(&inline(&instructions("CMD")[0])));
    let healthcheck = &instructions("HEALTHCHECK")[0];
    let (_, probe) = healthcheck.split_once("CMD ").expect("a command");
    assert_probes_the_check_port(&words(&inline(probe)));
}

#[test]
fn the_image_exposes_the_ports_of_the_configuration() {
    let config = load(LICTOR);
    let exposed = instructions("EXPOSE").join(" ");
    for address in ["grpc_address", "http_address", "metrics_address"] {
        let port = port(&config[address]).to_string();
        assert!(exposed.split(' ').any(|exposed| exposed == port), "{address}: {port}");
    }
}

// --- asserting

fn assert_valid(config: &Path) {
    let validated = Command::new(support::envoy::binary())
        .args(["--mode", "validate", "--log-level", "error", "-c"])
        .arg(config)
        .output()
        .expect("envoy runs");
    assert!(validated.status.success(), "{}", said(&validated));
}

fn assert_strips_identity_headers(manager: &Value, file: &str) {
    let patterns = find(&manager["early_header_mutation_extensions"], "regex");
    let pattern = format!("^(?:{})$", text(patterns.first().expect("a pattern")));
    let pattern = regex::Regex::new(&pattern).unwrap();
    let identity =
        ["jwt-assertion", "jwt-assertion-for", "claim-email", "claim-groups", "set-cookie"];
    for name in identity {
        assert!(pattern.is_match(&format!("x-pomerium-{name}")), "{file}: {name}");
    }
    for name in ["x-pomerium-authorization", "authorization", "cookie", "x-request-id"] {
        assert!(!pattern.is_match(name), "{file}: {name}");
    }
}

fn assert_can_be(dependency: &Value, condition: &str, name: &str) {
    match condition {
        "service_healthy" => assert!(!dependency["healthcheck"]["test"].is_null(), "{name}"),
        "service_completed_successfully" => assert_eq!(dependency["restart"], "no", "{name}"),
        "service_started" => {}
        other => panic!("{name}: {other} is no condition"),
    }
}

fn assert_mounted(service: &Value, path: &str) {
    let mounted = mounts(service).into_iter().any(|(_, target)| target == path);
    assert!(mounted, "{path} is not mounted");
}

/// Lictor knows the subcommand, and its help names every flag that is used.
fn assert_is_a_command(command: &[String]) {
    let subcommand = command.iter().take_while(|word| !word.starts_with('-'));
    let mut asked: Vec<_> = subcommand.map(String::as_str).collect();
    asked.push("--help");
    let help = lictor(&asked);
    assert!(help.status.success(), "{asked:?}: {}", said(&help));
    for flag in command.iter().filter(|word| word.starts_with('-')) {
        assert!(said(&help).contains(flag.as_str()), "{asked:?} does not name {flag}");
    }
}

fn assert_probes_the_check_port(probe: &[String]) {
    let words: Vec<_> = probe.iter().skip_while(|word| *word == "CMD").cloned().collect();
    assert_eq!(words[0], "/usr/local/bin/lictor", "exec form: the image has no shell");
    assert_is_a_command(&words[1..]);
    let address = Value::from(after(&words, "--address"));
    assert_eq!(port(&address), port(&load(LICTOR)["grpc_address"]));
}

// --- reading

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(in_repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn load(path: &str) -> Value {
    let mut value: Value = serde_yaml::from_str(&read(path)).unwrap();
    value.apply_merge().unwrap();
    value
}

fn inline(json: &str) -> Value {
    serde_yaml::from_str(json).unwrap()
}

fn lictor(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lictor"));
    command.args(arguments).env_clear().output().expect("lictor runs")
}

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{err}")
}

/// The commented TLS block of the gateway, in use.
fn with_tls_block(gateway: &str) -> String {
    let start = gateway.find("      # transport_socket:").expect("the TLS block");
    let (before, block) = gateway.split_at(start);
    let end = block.find("\n\n").expect("the end of the TLS block");
    let (block, rest) = block.split_at(end);
    format!("{before}{}{rest}", block.replace("      # ", "      "))
}

/// Envoy opens certificates when it validates, so the copy names some that exist.
fn with_throwaway_certificates(config: &str, folder: &Path) -> String {
    let issued = rcgen::generate_simple_self_signed(["orders.internal".to_owned()]).unwrap();
    let key = issued.signing_key.serialize_pem();
    let files = [("tls.crt", issued.cert.pem()), ("tls.key", key), ("ca.crt", issued.cert.pem())];
    for (name, pem) in files {
        fs::write(folder.join(name), pem).unwrap();
    }
    config.replace("/etc/envoy/tls", folder.to_str().unwrap())
}

/// Host and port where people sign in.
fn authenticate() -> (String, u64) {
    let url = text(&load(LICTOR)["authenticate_service_url"]).to_owned();
    let url: url::Url = url.parse().expect("a URL");
    assert_eq!(url.scheme(), "http", "the gateway speaks no TLS as shipped");
    (url.host_str().unwrap().to_owned(), url.port().expect("a port").into())
}

/// Where the gateway listens.
fn listens() -> u64 {
    let listener = load(GATEWAY)["static_resources"]["listeners"][0].clone();
    listener["address"]["socket_address"]["port_value"].as_u64().unwrap()
}

/// What `docker-compose.yml` says between backticks after `password`.
fn documented_password() -> String {
    let compose = read(COMPOSE).replace("\n# ", " ");
    let (_, rest) = compose.split_once("password `").expect("a password");
    rest.split_once('`').expect("its end").0.to_owned()
}

/// A configuration without these keys, each on one line.
fn without_lines(text: &str, keys: &[&str]) -> String {
    let of = |line: &&str| keys.iter().any(|key| line.starts_with(&format!("{key}:")));
    text.lines().filter(|line| !of(line)).collect::<Vec<_>>().join("\n")
}

/// The gateway with names in place of addresses, without its admin interface, and patient.
fn with_places(gateway: &str) -> String {
    let mut config: serde_json::Value =
        serde_json::to_value(serde_yaml::from_str::<Value>(gateway).map(merged).unwrap()).unwrap();
    config.as_object_mut().unwrap().remove("admin");
    support::gates::set_times(&mut config);
    let mut text = config.to_string();
    for (host, port, place) in [
        ("0.0.0.0", 8000, "LISTEN_PORT"),
        ("lictor", 50051, "GRPC_PORT"),
        ("lictor", 8080, "HTTP_PORT"),
        ("httpbin", 8080, "UPSTREAM_PORT"),
    ] {
        let shipped = format!("\"address\":\"{host}\",\"port_value\":{port}");
        let here = format!("\"address\":\"127.0.0.1\",\"port_value\":{place}");
        assert!(text.contains(&shipped), "{shipped}");
        text = text.replace(&shipped, &here);
    }
    text
}

fn merged(mut value: Value) -> Value {
    value.apply_merge().unwrap();
    value
}

// --- walking

/// Every value under `key`, at any depth.
fn find<'v>(value: &'v Value, key: &str) -> Vec<&'v Value> {
    match value {
        Value::Mapping(entries) => {
            let here = entries.get(key);
            here.into_iter().chain(entries.values().flat_map(|inner| find(inner, key))).collect()
        }
        Value::Sequence(items) => items.iter().flat_map(|item| find(item, key)).collect(),
        _ => Vec::new(),
    }
}

/// Every `typed_config` whose type ends so.
fn of_type<'v>(value: &'v Value, suffix: &str) -> Vec<&'v Value> {
    let configs = find(value, "typed_config").into_iter();
    configs.filter(|config| text(&config["@type"]).ends_with(suffix)).collect()
}

fn hosts(config: &Value) -> Vec<&Value> {
    find(config, "virtual_hosts").into_iter().flat_map(list).collect()
}

/// Hosts that have a route Lictor is asked about.
fn protected_hosts(config: &Value) -> Vec<&Value> {
    let checked = |host: &&Value| list(&host["routes"]).iter().any(|route| !is_unchecked(route));
    let hosts: Vec<_> = hosts(config).into_iter().filter(checked).collect();
    assert!(!hosts.is_empty());
    hosts
}

fn routes(config: &Value) -> Vec<&Value> {
    hosts(config).into_iter().flat_map(|host| list(&host["routes"])).collect()
}

fn is_unchecked(route: &Value) -> bool {
    let per_route = &route["typed_per_filter_config"]["envoy.filters.http.ext_authz"];
    per_route["disabled"] == Value::Bool(true)
}

fn cluster<'v>(config: &'v Value, name: &str) -> &'v Value {
    let clusters = config["static_resources"]["clusters"].as_sequence().expect("clusters");
    clusters.iter().find(|cluster| cluster["name"] == name).expect(name)
}

#[derive(Debug)]
struct Endpoint {
    host: String,
    port: u64,
}

impl Endpoint {
    fn of(cluster: &Value) -> Self {
        let address = find(cluster, "socket_address")[0];
        let port = address["port_value"].as_u64().expect("a port");
        Self { host: text(&address["address"]).to_owned(), port }
    }
}

fn port(address: &Value) -> u64 {
    let (_, port) = text(address).rsplit_once(':').expect("host:port");
    port.parse().expect("a port")
}

fn services(compose: &Value) -> BTreeMap<String, &Value> {
    mapping(&compose["services"])
}

fn service<'v>(compose: &'v Value, name: &str) -> &'v Value {
    &compose["services"][name]
}

/// `(source, target)` of each mount.
fn mounts(service: &Value) -> Vec<(String, String)> {
    let volumes = list(&service["volumes"]);
    let parts = volumes.iter().map(|volume| text(volume).split(':').map(str::to_owned));
    parts.map(|mut part| (part.next().unwrap(), part.next().expect("a target"))).collect()
}

fn mapping(value: &Value) -> BTreeMap<String, &Value> {
    let entries = value.as_mapping().into_iter().flatten();
    entries.map(|(name, inner)| (text(name).to_owned(), inner)).collect()
}

/// The items; none when it is no list.
fn list(value: &Value) -> &[Value] {
    value.as_sequence().map_or(&[], Vec::as_slice)
}

fn words(value: &Value) -> Vec<String> {
    let words: Vec<_> = list(value).iter().map(|word| text(word).to_owned()).collect();
    assert!(!words.is_empty(), "exec form: a list");
    words
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value:?} is no text"))
}

/// The word after `flag`.
fn after(words: &[String], flag: &str) -> String {
    let place = words.iter().position(|word| word == flag).expect(flag);
    words[place + 1].clone()
}

// --- the Dockerfile

/// The arguments of every instruction of this name, continued lines joined.
fn instructions(name: &str) -> Vec<String> {
    let joined = read(DOCKERFILE).replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| line.split_once(' '));
    lines.filter(|(word, _)| *word == name).map(|(_, rest)| rest.trim().to_owned()).collect()
}

/// Sources of `COPY` that come from the repository and not from an earlier stage.
fn copied_from_the_repository() -> Vec<String> {
    let copies = instructions("COPY").into_iter().filter(|copy| !copy.contains("--from="));
    let sources = copies.flat_map(|copy| {
        let words: Vec<_> = copy.split_whitespace().map(str::to_owned).collect();
        words[..words.len() - 1].to_vec()
    });
    sources.collect()
}
