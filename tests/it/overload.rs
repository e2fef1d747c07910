//! More checks than can be answered: those there is no room for are refused at once, in a way that no setting of
//! Envoy takes for a yes, and nobody is answered who does not wait any more.

use crate::support::door::{self, answered, said, talk};
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use h2::client::{ResponseFuture, SendRequest};
use http::Request;
use lictor::app::App;
use lictor::clock::SystemClock;
use lictor::config::{Config, Environment, GrpcAddress};
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

const SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const PATH: &str = "/envoy.service.auth.v3.Authorization/Check";

/// A server where anybody may see `open.test` and nobody `shut.test`.
struct Server {
    _folder: tempfile::TempDir,
    grpc: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Server {
    async fn start(more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("lictor.yaml");
        let text = format!(
            "grpc_address: 127.0.0.1:0\nhttp_address: 127.0.0.1:0\nshared_secret: {SECRET}\n{more}\nroutes:\n\
            - {{from: 'https://open.test', allow_public_unauthenticated_access: true}}\n\
            - {{from: 'https://shut.test', allowed_users: [nobody@corp.test]}}\n"
        );
        fs::write(&file, text).expect("a file");
        let config = Config::load(&file, &Environment::default()).expect("a configuration");
        let app = App::bind(config, Arc::new(SystemClock)).await.expect("addresses");
        let GrpcAddress::Tcp(grpc) = app.addresses().grpc else { panic!("TCP was asked for") };
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(app.run(async move { drop(stopped.await) }));
        Self { _folder: folder, grpc, _stop: stop }
    }

    async fn connect(&self) -> SendRequest<Bytes> {
        let stream = TcpStream::connect(self.grpc).await.expect("a connection");
        talk(stream).await
    }
}

fn send(sender: &mut SendRequest<Bytes>, host: &str, timeout: Option<&str>) -> ResponseFuture {
    door::send(sender, check(host), timeout)
}

fn check(host: &str) -> Bytes {
    door::check(host, &[])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_much_is_refused() {
    let server = Server::start("max_concurrent_checks: 2").await;
    let mut sender = server.connect().await;
    let mut counted = BTreeMap::<(&str, i32, i32), usize>::new();
    for _ in 0..20 {
        let hosts = ["open.test", "shut.test"].into_iter().cycle().take(100);
        let asked: Vec<_> = hosts.map(|host| (host, send(&mut sender, host, None))).collect();
        // All are read at once: what nobody reads keeps the others from coming.
        let answers =
            asked.into_iter().map(|(host, answer)| answered(answer).map(move |it| (host, it)));
        for (host, (status, message)) in join_all(answers).await {
            assert_eq!(status, "0", "every check gets an answer that says what it is");
            let (code, http, reason) = said(&message.expect("a message"));
            assert_eq!(reason.contains("overloaded"), code == 14, "{code} {reason}");
            *counted.entry((host, code, http)).or_default() += 1;
        }
        sender = sender.ready().await.expect("room");
        if counted.contains_key(&("shut.test", 14, 503)) {
            break;
        }
    }
    let kinds: Vec<_> = counted.keys().copied().collect();
    let expected = [
        ("open.test", 0, 200),
        ("open.test", 14, 503),
        ("shut.test", 7, 401),
        ("shut.test", 14, 503),
    ];
    assert_eq!(kinds, expected, "{counted:?}");

    // When it is over there is room again.
    let (_, message) = answered(send(&mut sender, "open.test", None)).await;
    assert_eq!(said(&message.expect("a message")).0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_gives_back_what_was_taken() {
    let server = Server::start("max_concurrent_checks: 64").await;
    for _ in 0..20 {
        let stream = TcpStream::connect(server.grpc).await.expect("a connection");
        let (mut sender, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
        let connection = tokio::spawn(connection);
        let asked: Vec<_> = (0..300).map(|_| send(&mut sender, "open.test", None)).collect();
        // Some of them are on the way, and some wait for their turn.
        tokio::time::sleep(Duration::from_millis(2)).await;
        connection.abort();
        drop(asked);
    }
    let mut sender = server.connect().await;
    let mut code = None;
    for _ in 0..100 {
        let (_, message) = answered(send(&mut sender, "open.test", None)).await;
        code = Some(said(&message.expect("a message")).0);
        if code == Some(0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(code, Some(0), "places are taken by nobody");
    // All of them are free, not just one.
    for _ in 0..5 {
        let few: Vec<_> = (0..20).map(|_| send(&mut sender, "open.test", None)).collect();
        for (_, message) in join_all(few.into_iter().map(answered)).await {
            assert_eq!(said(&message.expect("a message")).0, 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gives_up_keeps_nobody_else_from_an_answer() {
    let server = Server::start("").await;
    let mut sender = server.connect().await;
    for _ in 0..5 {
        let kept = send(&mut sender, "open.test", None);
        let mut given_up = Vec::new();
        for _ in 0..200 {
            let request =
                Request::post(format!("http://lictor{PATH}")).body(()).expect("a request");
            let (answer, mut body) = sender.send_request(request, false).expect("a stream");
            drop(body.send_data(check("open.test"), false));
            body.send_reset(h2::Reason::CANCEL);
            given_up.push(answer);
        }
        let (_, message) = answered(kept).await;
        assert_eq!(said(&message.expect("a message")).0, 0);
        drop(given_up);
        sender = sender.ready().await.expect("a connection that lasts");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_small_checks_at_once_are_answered() {
    let server = Server::start("").await;
    let mut sender = server.connect().await;
    // An empty check; its answer says that it names no host.
    let empty = Bytes::from_static(&[0; 5]);
    for _ in 0..20 {
        let mut asked = Vec::new();
        for _ in 0..1_000 {
            let request =
                Request::post(format!("http://lictor{PATH}")).body(()).expect("a request");
            let (answer, mut body) = sender.send_request(request, false).expect("a stream");
            body.send_data(empty.clone(), true).expect("a message");
            // Read as they come: the client, too, minds many small frames.
            asked.push(tokio::spawn(answered(answer)));
        }
        for answer in asked {
            let (status, message) = answer.await.expect("no panic");
            assert_eq!((status.as_str(), said(&message.expect("a message")).1), ("0", 400));
        }
        sender = sender.ready().await.expect("room");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_body_takes_nobodys_place() {
    let server = Server::start("max_concurrent_checks: 1").await;
    let mut sender = server.connect().await;
    let request = Request::post(format!("http://lictor{PATH}")).body(()).expect("a request");
    let mut silent = Vec::new();
    for _ in 0..5 {
        silent.push(sender.send_request(request.clone(), false).expect("a stream"));
        // Each has had its turn when the next one comes.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for _ in 0..3 {
        let (_, message) = answered(send(&mut sender, "open.test", None)).await;
        assert_eq!(said(&message.expect("a message")).0, 0);
    }
    let (answer, mut body) = silent.pop().expect("one of them");
    body.send_data(check("shut.test"), true).expect("a message");
    let (_, message) = answered(answer).await;
    assert_eq!(said(&message.expect("a message")).0, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_answered_too_late() {
    const DEADLINE_EXCEEDED: &str = "4";
    let server = Server::start("").await;
    let mut sender = server.connect().await;
    for host in ["open.test", "shut.test"] {
        let (status, message) = answered(send(&mut sender, host, Some("0n"))).await;
        assert_eq!((status.as_str(), message), (DEADLINE_EXCEEDED, None), "{host}");
    }
    for timeout in ["10S", "nonsense", "99999999H"] {
        let (status, message) = answered(send(&mut sender, "open.test", Some(timeout))).await;
        assert_eq!((status.as_str(), message.is_some()), ("0", true), "{timeout}");
    }
}
