//! Client certificates through a real Envoy: with the listener of `envoy/README.md` every one that a
//! client shows reaches Lictor, which judges it by `downstream_mtls`; what other listeners do.

use crate::support::command::lictor;
use crate::support::gates::free_address;
use crate::support::pki::{Ca, dns, key, params};
use crate::support::process::{Server, Setup, configuration};
use aws_lc_rs::digest::{SHA256, digest};
use lictor::demo::DEMO_HOST;
use rcgen::{SanType, date_time_ymd};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

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

impl Gates {
    fn all(&self) -> [SocketAddr; 5] {
        [self.open, self.verifying, self.requiring, self.nameless, self.silent]
    }
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

/// A certificate, perhaps with others behind it, and its key.
#[derive(Clone)]
struct Client {
    name: &'static str,
    pem: String,
    key: String,
}

impl Client {
    fn new(name: &'static str, (pem, key): (String, String)) -> Self {
        Self { name, pem, key }
    }

    fn fingerprint(&self) -> String {
        let der = CertificateDer::from_pem_slice(self.pem.as_bytes()).expect("a certificate");
        digest(&SHA256, &der).as_ref().iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writes");
            text
        })
    }
}

/// Those who come.
struct Clients {
    good: Client,
    /// Of a CA that is trusted by one route only.
    foreign: Client,
    expired: Client,
    /// Its CA came along; it is not among those trusted.
    chained: Client,
    /// A name that goes on behind a NUL.
    cut: Client,
    /// The name of `good`, in a certificate of its own making.
    own: Client,
    alice: Client,
    former_alice: Client,
    foreign_alice: Client,
    own_alice: Client,
    cut_alice: Client,
}

const ALICE: &str = "spiffe://corp.test/alice";
const NAME: &str = "client.example.com";

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().expect("ASCII"))
}

fn self_signed(name: SanType) -> (String, String) {
    let key = key();
    let mut params = params("client");
    params.subject_alt_names = vec![name];
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

impl Clients {
    fn new(root: &Ca, other: &Ca) -> Self {
        let middle = root.below("middle", |_| ());
        let (leaf, key) = middle.client_with_key(|_| ());
        let named = |ca: &Ca, name: &str| {
            let name = vec![uri(name)];
            ca.client_with_key(|params| params.subject_alt_names = name)
        };
        let past = date_time_ymd(2021, 1, 1);
        Self {
            good: Client::new("good", root.client_with_key(|_| ())),
            foreign: Client::new("foreign", other.client_with_key(|_| ())),
            expired: Client::new("expired", root.client_with_key(|params| params.not_after = past)),
            chained: Client::new("chained", (leaf + &middle.pem, key)),
            cut: Client::new("cut", named(root, "root@corp.test\0.evil.test")),
            own: Client::new("own", self_signed(dns(NAME))),
            alice: Client::new("alice", named(root, ALICE)),
            former_alice: Client::new(
                "former-alice",
                root.client_with_key(|params| {
                    params.subject_alt_names = vec![uri(ALICE)];
                    params.not_after = past;
                }),
            ),
            foreign_alice: Client::new("foreign-alice", named(other, ALICE)),
            own_alice: Client::new("own-alice", self_signed(uri(ALICE))),
            cut_alice: Client::new("cut-alice", named(root, &format!("{ALICE}\0.evil.test"))),
        }
    }
}

/// `GET` over TLS, with names that the client would like to have; prints the answer as it comes.
const CLIENT: &str = r"
import socket, ssl, sys
port, host, path, *client = sys.argv[1:]
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
if client:
    context.load_cert_chain(*client)
plain = socket.create_connection(('127.0.0.1', int(port)), 10)
forged = 'x-fingerprint: forged\r\nx-dns: forged\r\nx-forwarded-client-cert: Hash=forged\r\n'
with context.wrap_socket(plain, server_hostname=host) as stream:
    stream.sendall(f'GET {path} HTTP/1.1\r\nhost: {host}\r\n{forged}connection: close\r\n\r\n'.encode())
    while part := stream.recv(65536):
        sys.stdout.buffer.write(part)
";

/// Envoy with its listeners, and Lictor behind it.
struct Stand {
    setup: Setup,
    gates: Gates,
    clients: Clients,
}

/// What came of a request.
#[derive(Debug)]
struct Seen {
    status: u16,
    /// What the upstream saw; null if it was not reached.
    headers: Value,
    /// The decision line.
    line: Value,
}

impl Stand {
    async fn start(rest: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (root, other) = (Ca::new("root"), Ca::new("other"));
        let (certificate, key) =
            other.client_with_key(|params| params.subject_alt_names = vec![dns(DEMO_HOST)]);
        let files = [("ca.crt", &root.pem), ("other.crt", &other.pem), ("tls.crt", &certificate)];
        for (name, pem) in files.into_iter().chain([("tls.key", &key)]) {
            fs::write(folder.path().join(name), pem).expect("writes");
        }
        let here = folder.path().to_owned();
        let text = configuration(&free_address().to_string(), rest);
        let mut gates = None;
        let mut setup =
            Setup::serve(folder, &[text], |document| gates = Some(add_listeners(document, &here)))
                .await;
        let gates = gates.expect("listeners");
        for at in gates.all() {
            setup.envoy.ready(at).await.expect("Envoy listens");
        }
        Self { setup, gates, clients: Clients::new(&root, &other) }
    }

    fn server(&self) -> &Server {
        &self.setup.servers[0]
    }

    /// Asks for a path that is asked for once; `None` if there was no answer.
    async fn ask(&self, at: SocketAddr, host: &str, client: Option<&Client>) -> Option<Seen> {
        let name = client.map_or("nobody", |client| client.name);
        let path = format!("/{}/{name}", at.port());
        let mut command = tokio::process::Command::new("python3");
        command.args(["-c", CLIENT, &at.port().to_string(), host, &path]);
        if let Some(client) = client {
            for (file, pem) in [("client.crt", &client.pem), ("client.key", &client.key)] {
                let file = self.setup.folder.path().join(file);
                fs::write(&file, pem).expect("writes");
                command.arg(file);
            }
        }
        let output = command.output().await.expect("Python runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
        let echoed = serde_json::from_str(body.trim_matches(|c| c != '{' && c != '}'));
        let echoed: Value = echoed.unwrap_or_default();
        let line = self.server().line_about(host, &path);
        Some(Seen { status, headers: echoed["headers"].clone(), line })
    }

    /// Asks at the documented listener.
    async fn seen(&self, host: &str, client: Option<&Client>) -> Seen {
        self.ask(self.gates.open, host, client).await.expect("an answer")
    }

    async fn status(&self, host: &str, client: Option<&Client>) -> u16 {
        self.seen(host, client).await.status
    }
}

impl Seen {
    /// Refused, and the log says why.
    #[track_caller]
    fn expect_refused(&self, status: u16, why: &str, error: Option<&str>) {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.headers.is_null(), "{self:?}");
        let effect = if status == 495 { "deny-why-true" } else { "allow-why-false" };
        assert_eq!(self.line[effect], why, "{self:?}");
        assert_eq!(self.line["client-certificate-error"].as_str(), error, "{self:?}");
        assert_eq!(self.line["status"], status, "{self:?}");
    }

    /// Let through; the upstream is told of this certificate, or of none.
    #[track_caller]
    fn expect_told(&self, client: Option<&Client>, names: &str) {
        assert_eq!(self.status, 200, "{self:?}");
        let told = |name: &str| self.headers[name].as_str().unwrap_or_default();
        let fingerprint = client.map(Client::fingerprint).unwrap_or_default();
        assert_eq!(
            (told("x-fingerprint"), told("x-dns")),
            (fingerprint.as_str(), names),
            "{self:?}"
        );
        assert!(!self.headers.to_string().contains("forged"), "{self:?}");
    }
}

const TELLING: &str = "  allow_public_unauthenticated_access: true
  set_request_headers:
    x-fingerprint: '${pomerium.client_cert_fingerprint}'
    x-dns: '${pomerium.client_cert_san_dns}'
";
/// A host whose route trusts another CA.
const OTHER_HOST: &str = "other.localhost";

#[tokio::test(flavor = "multi_thread")]
async fn every_route_refuses_by_default() {
    let stand = Stand::start(&format!(
        "downstream_mtls: {{ca_file: ca.crt}}\nroutes:\n\
         - from: https://{DEMO_HOST}\n  to: http://UPSTREAM\n{TELLING}\
         - from: https://{OTHER_HOST}\n  to: http://UPSTREAM\n  tls_downstream_client_ca_file: other.crt\n{TELLING}"
    ))
    .await;
    let Clients { good, foreign, expired, chained, cut, own, .. } = &stand.clients;
    let (required, invalid) = ("client-certificate-required", "invalid-client-certificate");
    for (client, error) in [
        (foreign, "unknown-issuer"),
        (expired, "expired"),
        (chained, "unknown-issuer"),
        (cut, "bad-name"),
        (own, "unknown-issuer"),
    ] {
        let seen = stand.seen(DEMO_HOST, Some(client)).await;
        seen.expect_refused(495, invalid, Some(error));
    }
    stand.seen(DEMO_HOST, None).await.expect_refused(495, required, None);
    stand.seen(DEMO_HOST, Some(good)).await.expect_told(Some(good), NAME);

    stand.seen(OTHER_HOST, Some(foreign)).await.expect_told(Some(foreign), NAME);
    for client in [good, own] {
        let seen = stand.seen(OTHER_HOST, Some(client)).await;
        seen.expect_refused(495, invalid, Some("unknown-issuer"));
    }
    stand.seen(OTHER_HOST, None).await.expect_refused(495, required, None);

    other_listeners(&stand).await;
    let file = stand.server().config.display().to_string();
    let told = lictor(stand.setup.folder.path(), &["envoy", "config", &file], &[], "");
    assert!(told.stderr.contains("without TLS"), "{}", told.stderr);
    stand.setup.stop().await;
}

/// What `ACCEPT_UNTRUSTED`, `trusted_ca` and `validation_context` are for.
async fn other_listeners(stand: &Stand) {
    let Clients { good, foreign, expired, chained, cut, .. } = &stand.clients;
    for (client, open, verifying, requiring) in [
        (Some(good), 200, Some(200), Some(200)),
        (Some(foreign), 495, None, None),
        (Some(expired), 495, None, None),
        (Some(chained), 495, Some(495), Some(495)),
        (Some(cut), 495, Some(495), Some(495)),
        (None, 495, Some(495), None),
    ] {
        let name = client.map_or("nobody", |client| client.name);
        let mut statuses = Vec::new();
        for at in stand.gates.all() {
            let answer = stand.ask(at, DEMO_HOST, client).await;
            statuses.push(answer.map(|seen| seen.status));
        }
        let silent = Some(495);
        assert_eq!(statuses, [Some(open), verifying, requiring, Some(open), silent], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_decide_where_enforcement_is_theirs() {
    let route = |host: &str, policy: &str| {
        format!("- {{from: 'https://{host}', to: 'http://UPSTREAM', policy: {policy}}}\n")
    };
    let named = format!("allow: {{and: [{{client_certificate: {{san_dns: {NAME}}}}}]}}");
    let by_name = route("name.localhost", &format!("{{{named}}}"));
    let guard = "deny: {or: [{invalid_client_certificate: true}]}";
    let guarded = route("guarded.localhost", &format!("{{{named}, {guard}}}"));
    let alice = route("alice.localhost", &format!("{{allow: {{or: [{{spiffe_id: '{ALICE}'}}]}}}}"));
    let anybody_else =
        format!("{{allow: {{or: [{{accept: true}}]}}, deny: {{or: [{{spiffe_id: '{ALICE}'}}]}}}}");
    let not_alice = route("not-alice.localhost", &anybody_else);
    let stand = Stand::start(&format!(
        "downstream_mtls: {{ca_file: ca.crt, enforcement: policy}}\nroutes:\n\
         - from: https://{DEMO_HOST}\n  to: http://UPSTREAM\n{TELLING}{by_name}{guarded}{alice}{not_alice}"
    ))
    .await;
    names_in_a_policy(&stand).await;
    spiffe_ids(&stand).await;
    let Clients { good, foreign, expired, chained, cut, own, .. } = &stand.clients;
    stand.seen(DEMO_HOST, Some(good)).await.expect_told(Some(good), NAME);
    for client in [foreign, expired, chained, cut, own] {
        stand.seen(DEMO_HOST, Some(client)).await.expect_told(None, "");
    }
    stand.seen(DEMO_HOST, None).await.expect_told(None, "");
    stand.setup.stop().await;
}

/// A name lets somebody in if the CA vouches for it.
async fn names_in_a_policy(stand: &Stand) {
    let Clients { good, foreign, alice, own, cut, .. } = &stand.clients;
    let wrong = "client-certificate-unauthorized";
    let (by_name, guarded) = ("name.localhost", "guarded.localhost");
    for host in [by_name, guarded] {
        assert_eq!(stand.status(host, Some(good)).await, 200);
        stand.seen(host, Some(alice)).await.expect_refused(403, wrong, None);
    }
    stand.seen(by_name, None).await.expect_refused(403, wrong, None);
    stand.seen(by_name, Some(cut)).await.expect_refused(403, wrong, Some("bad-name"));
    for client in [own, foreign] {
        stand.seen(by_name, Some(client)).await.expect_refused(403, wrong, Some("unknown-issuer"));
        let seen = stand.seen(guarded, Some(client)).await;
        seen.expect_refused(495, "invalid-client-certificate", Some("unknown-issuer"));
    }
    let nobody = stand.seen(guarded, None).await;
    nobody.expect_refused(495, "client-certificate-required", None);
}

/// Whom Envoy names counts if somebody vouches for it; a name in doubt only where it shuts out.
async fn spiffe_ids(stand: &Stand) {
    let clients = &stand.clients;
    let (for_alice, not_for_alice) = ("alice.localhost", "not-alice.localhost");
    assert_eq!(stand.status(for_alice, Some(&clients.alice)).await, 200);
    assert_eq!(stand.status(not_for_alice, Some(&clients.alice)).await, 403);
    for (client, error) in [
        (Some(&clients.own_alice), Some("unknown-issuer")),
        (Some(&clients.foreign_alice), Some("unknown-issuer")),
        (Some(&clients.former_alice), Some("expired")),
        (Some(&clients.cut_alice), Some("bad-name")),
        (Some(&clients.good), None),
        (None, None),
    ] {
        let seen = stand.seen(for_alice, client).await;
        seen.expect_refused(403, "spiffe-id-unauthorized", error);
    }
    assert_eq!(stand.status(not_for_alice, Some(&clients.former_alice)).await, 403);
    assert_eq!(stand.status(not_for_alice, Some(&clients.good)).await, 200);
}

/// With a CA of one route alone, nobody has judged whoever comes to another.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_counts_for_nothing_on_a_route_without_a_ca() {
    let policy = format!("{{allow: {{or: [{{spiffe_id: '{ALICE}'}}]}}}}");
    let stand = Stand::start(&format!(
        "routes:\n\
         - {{from: 'https://{DEMO_HOST}', to: 'http://UPSTREAM', policy: {policy}}}\n\
         - {{from: 'https://{OTHER_HOST}', to: 'http://UPSTREAM', policy: {policy}, tls_downstream_client_ca_file: other.crt}}\n"
    ))
    .await;
    let clients = &stand.clients;
    for client in [&clients.own_alice, &clients.alice, &clients.foreign_alice] {
        let seen = stand.seen(DEMO_HOST, Some(client)).await;
        seen.expect_refused(403, "spiffe-id-unauthorized", None);
    }
    assert_eq!(stand.status(OTHER_HOST, Some(&clients.foreign_alice)).await, 200);
    assert_eq!(stand.status(OTHER_HOST, Some(&clients.own_alice)).await, 495);
    stand.setup.stop().await;
}
