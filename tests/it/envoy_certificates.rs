//! Client certificates through a real Envoy: with the listener of `envoy/README.md` every one that a
//! client shows arrives, and can be judged; what other listeners do.

use crate::support::config::snapshot_of;
use crate::support::gates::{free_address, loopback, set_times};
use crate::support::pki::{Ca, NOW, dns};
use crate::support::{config, envoy};
use envoy_types::pb::envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use envoy_types::pb::envoy::service::auth::v3::authorization_server::{
    Authorization, AuthorizationServer,
};
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{
    CheckRequest, CheckResponse, DeniedHttpResponse, OkHttpResponse,
};
use envoy_types::pb::envoy::r#type::v3::HttpStatus;
use envoy_types::pb::google::rpc::Status as RpcStatus;
use lictor::certificate::{ClientAuthority, PeerCertificate};
use lictor::config::GrpcAddress;
use lictor::demo::{DEMO_HOST, Envoy, start_upstream};
use lictor::envoy_config::{self, Options};
use lictor::ext_authz::{SERVICE_NAME, decode};
use lictor::state::Settings;
use lictor::tasks::Tasks;
use lictor::time::Timestamp;
use rcgen::{SanType, date_time_ymd};
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// A server that lets good certificates through and tells what it saw.
struct Judge {
    authority: Arc<ClientAuthority>,
    settings: Arc<Settings>,
}

#[tonic::async_trait]
impl Authorization for Judge {
    async fn check(
        &self,
        request: Request<CheckRequest>,
    ) -> Result<Response<CheckResponse>, Status> {
        let asked = decode(request.into_inner(), &self.settings, None);
        let judged = match asked.certificate.as_deref().map(PeerCertificate::decode_envoy) {
            None => "none",
            Some(Err(error)) => error.code(),
            Some(Ok(read)) => {
                let judged = self.authority.judge(&read, Timestamp::from_unix(NOW));
                judged.map_or_else(|error| error.code(), |()| "good")
            }
        };
        let told = format!("{judged} {}", asked.principal.unwrap_or_default());
        Ok(Response::new(if judged == "good" { allow(told) } else { refuse(told) }))
    }
}

fn allow(told: String) -> CheckResponse {
    let header = HeaderValue { key: "x-told".to_owned(), value: told, ..HeaderValue::default() };
    let header = HeaderValueOption { header: Some(header), ..HeaderValueOption::default() };
    let ok = OkHttpResponse { headers: vec![header], ..OkHttpResponse::default() };
    CheckResponse {
        status: Some(RpcStatus::default()),
        http_response: Some(HttpResponse::OkResponse(ok)),
        ..CheckResponse::default()
    }
}

fn refuse(told: String) -> CheckResponse {
    let status = Some(HttpStatus { code: 495 });
    let denied = DeniedHttpResponse { status, body: told, ..DeniedHttpResponse::default() };
    CheckResponse {
        status: Some(RpcStatus { code: 7, ..RpcStatus::default() }),
        http_response: Some(HttpResponse::DeniedResponse(denied)),
        ..CheckResponse::default()
    }
}

async fn serve(authority: Arc<ClientAuthority>, tasks: &Tasks) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status(SERVICE_NAME, tonic_health::ServingStatus::Serving).await;
    let judge = Judge { authority, settings: snapshot_of("").settings };
    let server = Server::builder().add_service(health).add_service(AuthorizationServer::new(judge));
    let serving = server.serve_with_incoming(TcpIncoming::from(listener));
    tasks.start(async move { serving.await.expect("the judge serves") });
    address
}

/// The transport socket of `envoy/README.md`, with files that exist.
fn documented_socket(folder: &Path) -> Value {
    let readme = include_str!("../../envoy/README.md");
    let mut blocks = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let block = blocks.find(|block| block.contains("ACCEPT_UNTRUSTED")).expect("the block");
    let text = block.replace("/etc/envoy/tls", folder.to_str().expect("UTF-8"));
    let document: Value = serde_yaml::from_str(&text).expect("YAML");
    document["transport_socket"].clone()
}

/// How a listener treats certificates.
struct Gates {
    /// As documented.
    open: SocketAddr,
    /// Without `ACCEPT_UNTRUSTED`.
    verifying: SocketAddr,
    /// Without `ACCEPT_UNTRUSTED`, and a certificate is required.
    requiring: SocketAddr,
    /// Without `trusted_ca`.
    nameless: SocketAddr,
    /// Without `validation_context`.
    silent: SocketAddr,
}

fn add_listeners(document: &mut Value, folder: &Path) -> Gates {
    let mut add = |name: &str, edit: fn(&mut Value)| {
        let listeners = &mut document["static_resources"]["listeners"];
        let mut listener = listeners[0].clone();
        let at = free_address();
        listener["name"] = json!(name);
        listener["address"]["socket_address"]["port_value"] = json!(at.port());
        let mut socket = documented_socket(folder);
        edit(&mut socket["typed_config"]);
        listener["filter_chains"][0]["transport_socket"] = socket;
        listeners.as_array_mut().expect("listeners").push(listener);
        at
    };
    fn verify(tls: &mut Value) {
        let context = &mut tls["common_tls_context"]["validation_context"];
        context.as_object_mut().expect("an object").remove("trust_chain_verification");
    }
    Gates {
        open: add("open", |_| ()),
        verifying: add("verifying", verify),
        requiring: add("requiring", |tls| {
            verify(tls);
            tls["require_client_certificate"] = json!(true);
        }),
        nameless: add("nameless", |tls| {
            let context = &mut tls["common_tls_context"]["validation_context"];
            context.as_object_mut().expect("an object").remove("trusted_ca");
        }),
        silent: add("silent", |tls| {
            let context = tls["common_tls_context"].as_object_mut().expect("an object");
            context.remove("validation_context").expect("it was there");
        }),
    }
}

/// `GET /` over TLS; prints the answer as it comes.
const CLIENT: &str = r"
import socket, ssl, sys
port, host, *client = sys.argv[1:]
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
if client:
    context.load_cert_chain(*client)
plain = socket.create_connection(('127.0.0.1', int(port)), 10)
with context.wrap_socket(plain, server_hostname=host) as stream:
    stream.sendall(f'GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n'.encode())
    while part := stream.recv(65536):
        sys.stdout.buffer.write(part)
";

/// Status, and what the judge told; `None` if there was no answer.
async fn ask(
    at: SocketAddr,
    client: Option<&(String, String)>,
    folder: &Path,
) -> Option<(u16, String)> {
    let mut command = tokio::process::Command::new("python3");
    command.args(["-c", CLIENT, &at.port().to_string(), DEMO_HOST]);
    if let Some((certificate, key)) = client {
        let files = [("client.crt", certificate), ("client.key", key)];
        for (name, pem) in files {
            fs::write(folder.join(name), pem).expect("writes");
            command.arg(folder.join(name));
        }
    }
    let output = command.output().await.expect("Python runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
    let echoed = serde_json::from_str::<Value>(body.trim_matches(|c| c != '{' && c != '}'));
    let told = echoed.ok().and_then(|json| json["headers"]["x-told"].as_str().map(str::to_owned));
    Some((status, told.unwrap_or_else(|| body.to_owned())))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_shows_reaches_lictor_and_is_judged() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let (root, other) = (Ca::new("root"), Ca::new("other"));
    let (certificate, key) =
        other.client_with_key(|params| params.subject_alt_names = vec![dns(DEMO_HOST)]);
    for (name, pem) in [("ca.crt", &root.pem), ("tls.crt", &certificate), ("tls.key", &key)] {
        fs::write(folder.join(name), pem).expect("writes");
    }
    let tasks = Tasks::default();
    let upstream = start_upstream(&tasks).await.expect("an upstream").address;
    let text = format!(
        "downstream_mtls: {{ca_file: ca.crt}}\nroutes:\n- {{from: 'https://{DEMO_HOST}', to: 'http://{upstream}'}}\n"
    );
    let config = config::load(&text, folder).expect("loads");
    let authority = config.certificates.authority.clone().expect("an authority");
    let judge = serve(authority, &tasks).await;
    let plain = free_address();
    let options =
        Options { listen: plain, admin: None, grpc: GrpcAddress::Tcp(judge), http: loopback(9) };
    let (mut document, omissions) = envoy_config::bootstrap(&config, &options);
    assert!(omissions[0].contains("without TLS"), "{omissions:?}");
    set_times(&mut document);
    let gates = add_listeners(&mut document, folder);
    let file = folder.join("envoy.yaml");
    fs::write(&file, document.to_string()).expect("writes");
    let binary = tokio::task::spawn_blocking(envoy::binary).await.expect("an Envoy");
    let mut envoy = Envoy::start(&binary, &file).expect("Envoy runs");
    for at in [gates.open, gates.verifying, gates.requiring, gates.nameless, gates.silent] {
        let ready = envoy.ready(at).await;
        ready.unwrap_or_else(|_| panic!("{}", fs::read_to_string(envoy.log()).unwrap_or_default()));
    }
    for _ in 0..200 {
        if ask(gates.open, None, folder).await.is_some_and(|(status, _)| status != 503) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    judged(&gates, &root, &other, folder).await;
    tasks.drain(std::time::Duration::from_secs(5)).await;
}

async fn judged(gates: &Gates, root: &Ca, other: &Ca, folder: &Path) {
    let good = root.client_with_key(|_| ());
    let foreign = other.client_with_key(|_| ());
    let expired = root.client_with_key(|params| params.not_after = date_time_ymd(2021, 1, 1));
    let middle = root.below("middle", |_| ());
    let (leaf, key) = middle.client_with_key(|_| ());
    let chain = (leaf + &middle.pem, key);
    let cut = root.client_with_key(|params| {
        let name = "root@corp.test\0.evil.test".try_into().expect("ASCII");
        params.subject_alt_names = vec![SanType::URI(name)];
    });
    let answer = |status, told: &str| Some((status, told.to_owned()));
    let name = "client.example.com";
    for (client, open, verifying, requiring) in [
        (Some(&good), answer(200, &format!("good {name}")), Some(200), Some(200)),
        (Some(&foreign), answer(495, &format!("unknown-issuer {name}")), None, None),
        (Some(&expired), answer(495, &format!("expired {name}")), None, None),
        (Some(&chain), answer(495, &format!("unknown-issuer {name}")), Some(495), Some(495)),
        (None, answer(495, "none "), Some(495), None),
    ] {
        assert_eq!(ask(gates.open, client, folder).await, open);
        assert_eq!(ask(gates.nameless, client, folder).await, open);
        let status = |answer: Option<(u16, String)>| answer.map(|(status, _)| status);
        assert_eq!(status(ask(gates.verifying, client, folder).await), verifying, "{open:?}");
        assert_eq!(status(ask(gates.requiring, client, folder).await), requiring, "{open:?}");
        assert_eq!(ask(gates.silent, client, folder).await, answer(495, "none "), "{open:?}");
    }
    let seen = ask(gates.open, Some(&cut), folder).await;
    assert_eq!(seen, answer(495, "bad-name "), "nor is its principal believed");
}
