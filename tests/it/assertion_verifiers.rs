//! The assertion is verified by others with our published keys: Envoy's own `jwt_authn`, and PyJWT.

use crate::support::check::{asking, client, get};
use crate::support::edge::{Edge, edge};
use crate::support::gates::Gate;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use lictor::app::{Addresses, App};
use lictor::clock::{Clock, SystemClock};
use lictor::config::{Config, Environment};
use lictor::demo::{DEMO_HOST, exchange, pip_install};
use lictor::tasks::Tasks;
use lictor::token::{Claims, mint};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Command;

const BOB: &str = "bob@example.com";

// --- Envoy

#[tokio::test]
async fn envoy_verifies_what_lictor_signed() {
    let bob = edge().authorization(BOB, DEMO_HOST);
    let reply =
        edge().get(Gate::Verified, "/verified", &[&bob, "x-pomerium-jwt-assertion: forged"]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json()["headers"]["x-pomerium-claim-email"], BOB);
    let reply = edge().get(Gate::Verified, "/verified", &["accept: application/json"]).await;
    assert_eq!(
        (reply.status, reply.header("x-pomerium-intercepted-response")),
        (401, Some("true"))
    );
}

/// On a public route nobody has an assertion, so that a forged one does not pass either.
#[tokio::test]
async fn envoy_sees_no_assertion_of_nobody() {
    for lines in [&["x-pomerium-jwt-assertion: forged"][..], &[]] {
        let reply = edge().get(Gate::Verified, "/public", lines).await;
        assert_eq!(reply.status, 401, "{reply:?}");
        assert!(reply.body.contains("Jwt is missing"), "{reply:?}");
    }
}

#[tokio::test]
async fn envoy_refuses_an_assertion_that_was_changed() {
    let assertion = assertion(edge()).await;
    let reply = edge().get(Gate::VerifiedOnly, "/public", &[&line(&assertion)]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    for broken in tampered(&assertion) {
        let reply = edge().get(Gate::VerifiedOnly, "/public", &[&line(&broken)]).await;
        assert_eq!(reply.status, 401, "{broken}: {reply:?}");
    }
}

fn line(assertion: &str) -> String {
    format!("x-pomerium-jwt-assertion: {assertion}")
}

/// The assertion an upstream got for bob.
async fn assertion(edge: &Edge) -> String {
    let bob = edge.authorization(BOB, DEMO_HOST);
    let reply = edge.get(Gate::Raw, "/assertion", &[&bob]).await;
    reply.json()["headers"]["x-pomerium-jwt-assertion"].as_str().expect("an assertion").to_owned()
}

/// Another payload, another signature, no signature, another algorithm.
fn tampered(token: &str) -> Vec<String> {
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("{token}")
    };
    let flipped = |part: &str| {
        let last = if part.ends_with('A') { 'B' } else { 'A' };
        // The last character may hold no bits that count; one in the middle always does.
        let middle = part.len() / 2;
        let other = if part[middle..].starts_with(last) { 'C' } else { last };
        format!("{}{other}{}", &part[..middle], &part[middle + 1..])
    };
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    vec![
        format!("{header}.{}.{signature}", flipped(payload)),
        format!("{header}.{payload}.{}", flipped(signature)),
        format!("{header}.{payload}."),
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
    ]
}

// --- PyJWT

const PACKAGES: [&str; 2] = ["PyJWT==2.10.1", "cryptography==46.0.5"];

/// As an upstream would, with no look at the algorithm but the key's.
const VERIFY: &str = r"
import json, sys, jwt
jwks, token, algorithm, host = json.load(open(sys.argv[1])), *sys.argv[2:]
head = jwt.get_unverified_header(token)
key = next(key for key in jwks['keys'] if key['kid'] == head['kid'])
assert key['alg'] == head['alg'] == algorithm and key['use'] == 'sig', (key, head)
claims = jwt.decode(token, jwt.PyJWK(key).key, algorithms=[algorithm], audience=host, issuer=host,
    options={'require': ['exp', 'iat', 'nbf', 'iss', 'aud', 'sub', 'jti']})
assert not any(name in key for name in 'dpq'), 'a private key is published'
print(claims['email'])
";

#[tokio::test]
async fn pyjwt_verifies_es256_of_a_derived_key() {
    verify_with_pyjwt("", "ES256").await;
}

#[tokio::test]
async fn pyjwt_verifies_es256_of_a_configured_key() {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    verify_with_pyjwt(&key.serialize_pem(), "ES256").await;
}

#[tokio::test]
async fn pyjwt_verifies_rs256() {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("a key");
    verify_with_pyjwt(&key.serialize_pem(), "RS256").await;
}

/// Lets a Lictor with this key sign for bob, and PyJWT verify it with the published keys; and refuse
/// what was changed.
async fn verify_with_pyjwt(pem: &str, algorithm: &str) {
    let environment = Environment::of_process();
    let packages = pip_install(&PACKAGES, &environment, &|text: &str| eprintln!("{text}"))
        .await
        .expect("PyJWT from PyPI");
    let folder = tempfile::tempdir().expect("a folder");
    let tasks = Tasks::default();
    let lictor = serve(folder.path(), pem, &tasks).await;
    let jwks = folder.path().join("jwks.json");
    let published = exchange(
        lictor.http,
        &["GET /.well-known/pomerium/jwks.json HTTP/1.1", "host: httpbin.localhost"],
    )
    .await;
    fs::write(&jwks, published.expect("the keys").body).expect("a file");
    let token = signed_for_bob(&lictor).await;

    let (verified, said) = python(&packages, &jwks, &token, algorithm).await;
    assert!(verified && said.trim() == BOB, "{said}");
    for broken in tampered(&token) {
        let (verified, said) = python(&packages, &jwks, &broken, algorithm).await;
        assert!(!verified, "{broken}: {said}");
    }
    tasks.drain(Duration::from_secs(5)).await;
}

async fn python(packages: &Path, jwks: &Path, token: &str, algorithm: &str) -> (bool, String) {
    let mut command = Command::new("python3");
    command.args(["-c", VERIFY]).arg(jwks).args([token, algorithm, DEMO_HOST]);
    command.env("PYTHONPATH", packages).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.expect("python3 runs");
    let said = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

async fn serve(folder: &Path, pem: &str, tasks: &Tasks) -> Addresses {
    let config = Config::load(&configuration(folder, pem), &Environment::default())
        .expect("a configuration");
    let app = App::bind(config, Arc::new(SystemClock)).await.expect("addresses");
    let addresses = app.addresses();
    let stopping = tasks.stopping();
    tasks.start(async move { app.run(stopping).await.expect("it serves") });
    addresses
}

fn configuration(folder: &Path, pem: &str) -> PathBuf {
    let key = folder.join("signing.pem");
    fs::write(&key, pem).expect("a file");
    let signing = if pem.is_empty() { "" } else { "signing_key_file: signing.pem\n" };
    let file = folder.join("lictor.yaml");
    let text = format!(
        "grpc_address: 127.0.0.1:0\nhttp_address: 127.0.0.1:0\n\
         shared_secret: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n\
         authenticate_service_url: https://authenticate.localhost\npass_identity_headers: true\n{signing}\
         routes:\n- {{from: 'https://{DEMO_HOST}', to: 'http://127.0.0.1:1', allow_any_authenticated_user: true}}\n"
    );
    fs::write(&file, text).expect("a file");
    file
}

async fn signed_for_bob(lictor: &Addresses) -> String {
    let claims = Claims {
        issuer: "authenticate.localhost".to_owned(),
        audience: vec![DEMO_HOST.to_owned()],
        subject: "bob".to_owned(),
        email: BOB.to_owned(),
        ..Claims::default()
    };
    let token =
        format!("Pomerium {}", mint(&claims, KEY, SystemClock.now(), Duration::from_secs(60)));
    let request = asking(get(DEMO_HOST, "/", &[("authorization", &token)]));
    let answer = client(&lictor.grpc).await.check(request).await.expect("an answer").into_inner();
    let Some(HttpResponse::OkResponse(ok)) = answer.http_response else { panic!("{answer:?}") };
    let mut headers = ok.headers.into_iter().filter_map(|option| option.header);
    headers.find(|header| header.key == "x-pomerium-jwt-assertion").expect("an assertion").value
}
