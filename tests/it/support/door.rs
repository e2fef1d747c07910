//! The service that answers checks, behind a pipe in place of a network: a client that says what it wants, frame
//! by frame if need be, and reads when it wants.

use super::check::{asking, get};
use super::config::snapshot_of;
use super::shown;
use bytes::Bytes;
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use h2::SendStream;
use h2::client::{ResponseFuture, SendRequest};
use http::{HeaderMap, Request};
use lictor::authorizer::Authorizer;
use lictor::clock::Clock;
use lictor::config::LogFormat;
use lictor::ext_authz::{CheckService, Checker, Services};
use lictor::state::State;
use lictor::store::SessionCache;
use lictor::tasks::Tasks;
use lictor::telemetry::{DecisionLine, Log, Metrics, Sink};
use lictor::time::Timestamp;
use prost::Message as _;
use std::io;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tonic::service::Routes;
use tracing::level_filters::LevelFilter;

const PATH: &str = "/envoy.service.auth.v3.Authorization/Check";
/// A host for everybody; `app.localhost` is for everybody who is signed in.
pub const OPEN: &str = "open.localhost";
/// More than any test asks.
pub const MANY: usize = 1 << 12;

/// Does as it should so many times, and panics from then on. The clock and the log of a [`Door`].
#[derive(Debug)]
pub struct Alarm(AtomicUsize);

impl Alarm {
    pub fn never() -> Arc<Self> {
        Arc::new(Self(AtomicUsize::new(usize::MAX)))
    }

    pub fn after(&self, times: usize) {
        self.0.store(times, Ordering::SeqCst);
    }

    fn ring(&self) {
        let left =
            self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert!(left.is_ok(), "as asked");
    }
}

impl Clock for Alarm {
    fn now(&self) -> Timestamp {
        self.ring();
        shown::MADE.plus(Duration::from_secs(60))
    }
}

impl Sink for Alarm {
    fn take(&self, _: &[u8]) {
        self.ring();
    }
}

/// A service with its clock, log and metrics.
#[derive(Debug)]
pub struct Door {
    service: CheckService,
    pub clock: Arc<Alarm>,
    pub log: Arc<Alarm>,
    pub metrics: Arc<Metrics>,
    tasks: Tasks,
}

impl Door {
    /// Which answers `most` checks at once, and reads `sessions` if there are any.
    pub fn new(most: usize, sessions: Option<Arc<SessionCache>>) -> Self {
        let open = format!(
            "{}- {{from: 'http://{OPEN}', allow_public_unauthenticated_access: true}}\n",
            shown::config()
        );
        let (clock, log, metrics) = (Alarm::never(), Alarm::never(), Arc::new(Metrics::new()));
        let lines = Log::new(Arc::clone(&log) as _, LogFormat::Json, LevelFilter::INFO);
        let authorizer = match &sessions {
            Some(sessions) => Authorizer::with_records(Arc::clone(sessions) as _),
            None => Authorizer::new(),
        };
        let checker = Checker {
            state: Arc::new(State::new(snapshot_of(&open))),
            authorizer: Arc::new(authorizer),
            sessions,
            clock: Arc::clone(&clock) as _,
            metrics: Arc::clone(&metrics),
            usage: Arc::default(),
            log: DecisionLine::new(None, &lines),
        };
        let service = CheckService::new(checker, NonZeroUsize::new(most).expect("some"));
        Self { service, clock, log, metrics, tasks: Tasks::default() }
    }

    /// The client's end of a connection on which so many bytes may be under way.
    pub fn open(&self, bytes: usize) -> DuplexStream {
        let (here, there) = tokio::io::duplex(bytes);
        let services = Services { checks: self.service.clone(), others: Routes::default() };
        self.tasks.start(services.serve(there, self.tasks.clone()));
        here
    }

    pub async fn connect(&self) -> SendRequest<Bytes> {
        talk(self.open(1 << 16)).await
    }

    /// How often checks were answered so.
    pub fn counted(&self, decision: &str, reason: &str) -> u64 {
        let name = format!("lictor_checks_total{{decision=\"{decision}\",reason=\"{reason}\"}} ");
        let text = self.metrics.text();
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0, |count| count.parse().expect("a number"))
    }

    /// Whether every connection comes to its end.
    pub async fn ends(&self) -> bool {
        self.tasks.drain(Duration::from_secs(20)).await
    }
}

/// HTTP/2 over a connection.
pub async fn talk<I>(io: I) -> SendRequest<Bytes>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // Room for all that is answered: the library minds many small frames as soon as there is little.
    let mut client = h2::client::Builder::new();
    client.initial_connection_window_size(1 << 24).initial_window_size(1 << 20);
    let (sender, connection) = client.handshake(io).await.expect("HTTP/2");
    tokio::spawn(async move { drop(connection.await) });
    sender.ready().await.expect("room for a call")
}

/// A check for the start page of a host, as it goes into a call.
pub fn check(host: &str, headers: &[(&str, &str)]) -> Bytes {
    framed(&asking(get(host, "/", headers)).encode_to_vec())
}

/// A message as it goes into a call.
pub fn framed(message: &[u8]) -> Bytes {
    let mut framed = vec![0];
    framed.extend(u32::try_from(message.len()).expect("short").to_be_bytes());
    framed.extend(message);
    framed.into()
}

/// Begins a call; what it says is yet to be sent. `timeout` is `grpc-timeout`.
pub fn begin(
    sender: &mut SendRequest<Bytes>,
    timeout: Option<&str>,
) -> (ResponseFuture, SendStream<Bytes>) {
    let mut request = Request::post(format!("http://lictor{PATH}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    if let Some(timeout) = timeout {
        request = request.header("grpc-timeout", timeout);
    }
    sender.send_request(request.body(()).expect("a request"), false).expect("a stream")
}

/// Sends what a call says, whatever it is.
pub fn send(sender: &mut SendRequest<Bytes>, body: Bytes, timeout: Option<&str>) -> ResponseFuture {
    let (answer, mut said) = begin(sender, timeout);
    // Who is refused need not be heard.
    drop(said.send_data(body, true));
    answer
}

/// The status of the call, and its message if it has one.
pub async fn answered(answer: ResponseFuture) -> (String, Option<CheckResponse>) {
    let (head, mut body) = answer.await.expect("an answer").into_parts();
    let mut message = Vec::new();
    while let Some(data) = body.data().await {
        let data = data.expect("data");
        body.flow_control().release_capacity(data.len()).expect("room");
        message.extend_from_slice(&data);
    }
    let trailers = body.trailers().await.expect("an end").unwrap_or(head.headers);
    let message = message.get(5..).map(|bytes| CheckResponse::decode(bytes).expect("an answer"));
    (status(&trailers), message)
}

fn status(headers: &HeaderMap) -> String {
    headers.get("grpc-status").map(|status| status.to_str().expect("text").to_owned()).expect("one")
}

/// The code, the HTTP status and the reason that Envoy's access log knows.
pub fn said(message: &CheckResponse) -> (i32, i32, String) {
    let code = message.status.as_ref().expect("a status").code;
    let http = match message.http_response.as_ref().expect("an answer") {
        HttpResponse::OkResponse(_) => 200,
        HttpResponse::DeniedResponse(denied) => denied.status.as_ref().expect("a status").code,
        HttpResponse::ErrorResponse(_) => panic!("never an error"),
    };
    let metadata = message.dynamic_metadata.as_ref().expect("metadata");
    let kind = metadata.fields["reason"].kind.clone().expect("a text");
    let reason = match kind {
        envoy_types::pb::google::protobuf::value::Kind::StringValue(text) => text,
        other => panic!("{other:?}"),
    };
    (code, http, reason)
}

/// What is said to a call that gets an answer.
pub async fn told(answer: ResponseFuture) -> (i32, i32, String) {
    let (status, message) = answered(answer).await;
    assert_eq!(status, "0", "a refusal is no error of gRPC");
    said(&message.expect("a message"))
}

/// A connection that can be kept from reading.
#[derive(Debug)]
pub struct Stalling {
    io: DuplexStream,
    state: Arc<Mutex<Stall>>,
}

#[derive(Debug, Default)]
struct Stall {
    state: Flow,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Flow {
    #[default]
    Open,
    Stalled,
    Cut,
}

/// What keeps it.
#[derive(Debug)]
pub struct Brake(Arc<Mutex<Stall>>);

impl Stalling {
    pub fn over(io: DuplexStream) -> (Self, Brake) {
        let state = Arc::<Mutex<Stall>>::default();
        (Self { io, state: Arc::clone(&state) }, Brake(state))
    }

    fn flow(&self, cx: &Context<'_>) -> Flow {
        let mut stall = self.state.lock().expect("unpoisoned");
        stall.waker = Some(cx.waker().clone());
        stall.state
    }
}

impl Brake {
    fn set(&self, state: Flow) {
        let mut stall = self.0.lock().expect("unpoisoned");
        stall.state = state;
        stall.waker.take().into_iter().for_each(Waker::wake);
    }

    /// Nothing is read from now on.
    pub fn stall(&self) {
        self.set(Flow::Stalled);
    }

    pub fn go_on(&self) {
        self.set(Flow::Open);
    }

    /// The connection breaks.
    pub fn cut(&self) {
        self.set(Flow::Cut);
    }
}

fn broken<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
}

impl AsyncRead for Stalling {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.flow(cx) {
            Flow::Open => Pin::new(&mut self.io).poll_read(cx, buffer),
            Flow::Stalled => Poll::Pending,
            Flow::Cut => broken(),
        }
    }
}

impl AsyncWrite for Stalling {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.flow(cx) {
            Flow::Open | Flow::Stalled => Pin::new(&mut self.io).poll_write(cx, bytes),
            Flow::Cut => broken(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
