//! What stands around the checks: health that tells before the server leaves, reflection, and the
//! trace a check belongs to.

use crate::support::check::{allows, asking, channel, client, decode, get};
use crate::support::edge::edge;
use crate::support::gates::{free_address, loopback};
use crate::support::process::{Server, eventually};
use lictor::app::App;
use lictor::clock::SystemClock;
use lictor::config::{Config, Environment, GrpcAddress};
use lictor::demo::DEMO_HOST;
use lictor::ext_authz::SERVICE_NAME;
use lictor::identity::Directory;
use lictor::state::Snapshot;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

// --- health and reflection

fn configuration(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(name);
    let text = "grpc_address: 127.0.0.1:0\nhttp_address: 127.0.0.1:0\nshared_secret: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n\
        routes:\n- {from: 'https://httpbin.localhost', to: 'http://127.0.0.1:1', allow_public_unauthenticated_access: true}\n";
    fs::write(&file, text).expect("a file");
    (folder, file)
}

#[tokio::test]
async fn health_says_so_before_the_server_leaves() {
    let (_folder, file) = configuration("lictor.yaml");
    let config = Config::load(&file, &Environment::default()).expect("a configuration");
    let app = App::bind(config, Arc::new(SystemClock)).await.expect("addresses");
    let address = app.addresses().grpc;
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(app.run(async move { drop(stopped.await) }));

    for service in ["", SERVICE_NAME] {
        assert_eq!(health(&address, service).await, Ok(ServingStatus::Serving), "{service:?}");
    }
    assert_eq!(health(&address, "some.other.Service").await, Err(Code::NotFound));

    stop.send(()).expect("it runs");
    let mut seen = Ok(ServingStatus::Serving);
    for _ in 0..100 {
        seen = health(&address, SERVICE_NAME).await;
        if seen != Ok(ServingStatus::Serving) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(seen, Ok(ServingStatus::NotServing), "it says so while it still answers");
    assert_eq!(health(&address, "").await, Ok(ServingStatus::NotServing));
    let late = client(&address).await.check(asking(get(DEMO_HOST, "/", &[]))).await;
    assert!(allows(&late.expect("checks are still answered").into_inner()));

    let ended = tokio::time::timeout(Duration::from_secs(10), running).await;
    ended.expect("in time").expect("no panic").expect("a good end");
    let GrpcAddress::Tcp(address) = address else { panic!("TCP was asked for") };
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

async fn health(address: &GrpcAddress, service: &str) -> Result<ServingStatus, Code> {
    let mut client = HealthClient::new(channel(address).await);
    let answer = client.check(HealthCheckRequest { service: service.to_owned() }).await;
    answer.map(|answer| answer.into_inner().status()).map_err(|status| status.code())
}

#[tokio::test]
async fn reflection_lists_what_is_served() {
    let mut client = ServerReflectionClient::new(channel(&edge().stand.lictor.grpc).await);
    let question = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let answers =
        client.server_reflection_info(tokio_stream::once(question)).await.expect("a stream");
    let answer = answers.into_inner().message().await.expect("an answer").expect("one");
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("{answer:?}")
    };
    let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    for name in [SERVICE_NAME, "grpc.health.v1.Health"] {
        assert!(names.iter().any(|listed| listed == name), "{names:?}");
    }
}

// --- tracing

const OF_CALL: &str = "00-11111111111111111111111111111111-2222222222222222-01";
const OF_HEADER: &str = "00-33333333333333333333333333333333-4444444444444444-01";

#[test]
fn the_trace_of_the_call_wins() {
    let (_folder, file) = configuration("lictor.yaml");
    let config = Config::load(&file, &Environment::default()).expect("a configuration");
    let settings = Snapshot::assemble(config, Directory::default()).settings;
    let traced = |headers: &[(&str, &str)], call: Option<&str>| {
        decode(asking(get(DEMO_HOST, "/", headers)), &settings, call.map(str::to_owned)).traceparent
    };
    let header: &[(&str, &str)] = &[("traceparent", OF_HEADER)];
    assert_eq!(traced(header, Some(OF_CALL)).as_deref(), Some(OF_CALL));
    assert_eq!(traced(header, None).as_deref(), Some(OF_HEADER));
    assert_eq!(traced(&[], Some(OF_CALL)).as_deref(), Some(OF_CALL));
    assert_eq!(traced(&[], None), None);
}

#[tokio::test]
async fn the_decision_line_names_the_trace_of_the_call() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = free_address();
    let nowhere = loopback(1);
    let server = Server::start(folder.path(), "traced", &address.to_string(), nowhere).await;
    let mut request =
        Request::new(asking(get(DEMO_HOST, "/traced", &[("traceparent", OF_HEADER)])));
    request.metadata_mut().insert("traceparent", MetadataValue::from_static(OF_CALL));
    let answer = client(&GrpcAddress::Tcp(address)).await.check(request).await;
    assert!(!allows(&answer.expect("an answer").into_inner()));
    let line =
        || server.read_log().lines().find(|line| line.contains("/traced")).map(str::to_owned);
    assert!(eventually(|| line().is_some()).await, "{}", server.read_log());
    let line = line().expect("a line");
    assert!(line.contains("11111111111111111111111111111111"), "{line}");
    assert!(!line.contains("33333333333333333333333333333333"), "{line}");
}
