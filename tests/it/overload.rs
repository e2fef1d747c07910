//! More checks than can be answered: those there is no room for are refused at once, in a way that no setting of
//! Envoy takes for a yes, and nobody is answered who does not wait any more.

use crate::support::door::{self, Door, answered, said, talk};
use bytes::Bytes;
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use h2::client::{ResponseFuture, SendRequest};
use http::Request;
use lictor::app::App;
use lictor::clock::SystemClock;
use lictor::config::{Config, Environment, GrpcAddress};
use prost::Message as _;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
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
    let mut refused = usize::MAX;
    for _ in 0..100 {
        // As many as there are places.
        let asked: Vec<_> = (0..64).map(|_| send(&mut sender, "open.test", None)).collect();
        let answers = join_all(asked.into_iter().map(answered)).await.into_iter();
        refused = answers.filter(|(_, it)| said(it.as_ref().expect("a message")).0 != 0).count();
        if refused == 0 {
            break;
        }
        // A connection that broke is noticed a little later.
        tokio::time::sleep(Duration::from_millis(20)).await;
        sender = sender.ready().await.expect("room");
    }
    assert_eq!(refused, 0, "places are taken by nobody");
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

/// HTTP/2 frames as they lie on the wire (RFC 9113, section 4.1; header fields by RFC 7541), for what no library says.
mod frames {
    use super::PATH;
    use tokio::io::{AsyncRead, AsyncReadExt as _};

    pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    pub(super) const DATA: u8 = 0;
    pub(super) const HEADERS: u8 = 1;
    pub(super) const RST_STREAM: u8 = 3;
    pub(super) const SETTINGS: u8 = 4;
    pub(super) const PING: u8 = 6;
    pub(super) const GOAWAY: u8 = 7;
    pub(super) const WINDOW_UPDATE: u8 = 8;
    pub(super) const END_STREAM: u8 = 1;
    pub(super) const ACK: u8 = 1;
    pub(super) const END_HEADERS: u8 = 4;

    pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    /// The head of a call of `Check`.
    pub(super) fn head() -> Vec<u8> {
        let text = |text: &str| {
            let length = u8::try_from(text.len()).expect("short");
            [&[length], text.as_bytes()].concat()
        };
        // POST, http, and the names of `:path`, `:authority` and `content-type` are in the static table.
        let fields = [vec![0x83, 0x86, 0x04], text(PATH), vec![0x01], text("lictor")];
        let content_type = [vec![0x0f, 0x10], text("application/grpc")];
        [fields.concat(), content_type.concat()].concat()
    }

    /// Kind, flags, stream and payload of what comes next.
    pub(super) async fn next(io: &mut (impl AsyncRead + Unpin)) -> (u8, u8, u32, Vec<u8>) {
        let mut head = [0; 9];
        io.read_exact(&mut head).await.expect("a frame");
        let [a, b, c, kind, flags, stream @ ..] = head;
        let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).expect("short");
        let mut payload = vec![0; length];
        io.read_exact(&mut payload).await.expect("all of it");
        (kind, flags, u32::from_be_bytes(stream), payload)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_is_heard_out() {
    use frames::{ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM};
    use frames::{SETTINGS, WINDOW_UPDATE};
    const AT_ONCE: u32 = 200;
    let server = Server::start("max_concurrent_checks: 1").await;
    let stream = TcpStream::connect(server.grpc).await.expect("a connection");
    let (mut reading, mut writing) = stream.into_split();
    let settings = frames::frame(SETTINGS, 0, 0, &[]);
    let room = frames::frame(WINDOW_UPDATE, 0, 0, &(1_u32 << 30).to_be_bytes());
    writing.write_all(&[frames::PREFACE, &settings, &room].concat()).await.expect("sent");
    for round in 0..20 {
        let streams: Vec<_> = (0..AT_ONCE).map(|each| (round * AT_ONCE + each) * 2 + 1).collect();
        // Heads first: there is no place for most of them. What they say comes a little later.
        let head = |stream: &u32| frames::frame(HEADERS, END_HEADERS, *stream, &frames::head());
        let heads: Vec<u8> = streams.iter().flat_map(head).collect();
        writing.write_all(&heads).await.expect("sent");
        tokio::time::sleep(Duration::from_millis(20)).await;
        let body = |stream: &u32| frames::frame(DATA, END_STREAM, *stream, &[0; 5]);
        let bodies: Vec<u8> = streams.iter().flat_map(body).collect();
        writing.write_all(&bodies).await.expect("sent");
        let mut open = AT_ONCE;
        while open > 0 {
            let (kind, flags, stream, payload) = frames::next(&mut reading).await;
            match kind {
                GOAWAY => panic!("round {round}: {}", String::from_utf8_lossy(&payload)),
                RST_STREAM => panic!("round {round}: {stream} was broken off"),
                SETTINGS if flags & ACK == 0 => {
                    let ack = frames::frame(SETTINGS, ACK, 0, &[]);
                    writing.write_all(&ack).await.expect("sent");
                }
                HEADERS if flags & END_STREAM != 0 => open -= 1,
                _ => {}
            }
        }
    }
}

// On one thread: nothing is read before everything is there.
#[tokio::test]
async fn what_is_not_read_is_too_much_as_well() {
    use frames::{ACK, DATA, END_HEADERS, END_STREAM, HEADERS, SETTINGS, WINDOW_UPDATE};
    const PLACES: usize = 50;
    const CHECKS: u32 = 600;
    let mut stream = Door::new(PLACES, None).open(1 << 20);
    let room = frames::frame(WINDOW_UPDATE, 0, 0, &(1_u32 << 30).to_be_bytes());
    let settings = frames::frame(SETTINGS, 0, 0, &[]);
    let mut all = [frames::PREFACE, &settings, &room].concat();
    let check = door::check(door::OPEN, &[("cookie", &"c".repeat(1_000))]);
    for stream in (0..CHECKS).map(|each| each * 2 + 1) {
        all.extend(frames::frame(HEADERS, END_HEADERS, stream, &frames::head()));
        all.extend(frames::frame(DATA, END_STREAM, stream, &check));
    }
    assert!(all.len() > 5 * 64 * 1024, "several rounds of reading: {}", all.len());
    stream.write_all(&all).await.expect("room for all of it");
    let (mut reading, mut writing) = tokio::io::split(stream);
    let (mut open, mut admitted) = (CHECKS, 0);
    while open > 0 {
        let (kind, flags, _, payload) = frames::next(&mut reading).await;
        match kind {
            SETTINGS if flags & ACK == 0 => {
                writing.write_all(&frames::frame(SETTINGS, ACK, 0, &[])).await.expect("sent");
            }
            DATA => {
                let (_, message) = payload.split_at(5);
                let answer = CheckResponse::decode(message).expect("an answer");
                admitted += usize::from(said(&answer).0 == 0);
            }
            HEADERS if flags & END_STREAM != 0 => open -= 1,
            _ => {}
        }
    }
    // Those that come while some are answered would be too many for whoever comes after them.
    assert_eq!(admitted, PLACES);
}

// What is closed with something unread is reset, and an answer that is still on the way lost with it.
#[tokio::test]
async fn what_crosses_with_the_end_of_a_connection_is_taken() {
    use frames::{ACK, DATA, END_HEADERS, END_STREAM, HEADERS, PING, SETTINGS};
    for leaves in [true, false] {
        let door = Door::new(1, None);
        let (mut reading, mut writing) = tokio::io::split(door.open(1 << 20));
        let check = |stream: u32| {
            let head = frames::frame(HEADERS, END_HEADERS, stream, &frames::head());
            let check = door::check(door::OPEN, &[]);
            [head, frames::frame(DATA, END_STREAM, stream, &check)].concat()
        };
        let settings = frames::frame(SETTINGS, 0, 0, &[]);
        writing.write_all(&[frames::PREFACE, &settings, &check(1)].concat()).await.expect("sent");
        loop {
            let (kind, flags, ..) = frames::next(&mut reading).await;
            if kind == HEADERS && flags & END_STREAM != 0 {
                break;
            }
        }
        let client = async {
            let ping = loop {
                let (kind, flags, _, payload) = frames::next(&mut reading).await;
                if kind == PING && flags & ACK == 0 {
                    break payload;
                }
            };
            // It has heard all that was to be asked, and says its last.
            writing.write_all(&frames::frame(PING, ACK, 0, &ping)).await.expect("sent");
            let mut last = Vec::new();
            reading.read_to_end(&mut last).await.expect("an end");
            writing.write_all(&check(3)).await.expect("somebody who takes it");
            if leaves {
                drop((reading, writing));
                return None;
            }
            Some((reading, writing))
        };
        let (ends, stays) = tokio::join!(door.ends(), client);
        assert!(ends, "who stays is not waited for");
        drop(stays);
    }
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
