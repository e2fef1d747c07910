//! A connection of Envoy. Its requests are answered in turn by whoever reads it: a task for each, as HTTP
//! servers start them, would cost more than the check, and wake another thread for it.

use super::call::Reply;
use super::service::CheckService;
use super::transport::Transport;
use crate::clock::Stopwatch;
use crate::tasks::Tasks;
use futures_util::FutureExt as _;
use futures_util::future::Either;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::body::Body;
use tonic::codegen::Service as _;
use tonic::service::Routes;

/// Of the one method that is answered here.
const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
/// After so many turns the answers go out.
const TURNS: usize = 32;
/// Whoever still waits after this is given to the other threads.
const PATIENCE: Duration = Duration::from_millis(2);
/// How much a client may send before we read it, for a stream and for a connection, in bytes.
const WINDOW: u32 = 1 << 20;
/// So many requests may be open on a connection. Generous: what a client sends before it learns of a limit fails.
const STREAMS: u32 = 16_384;
/// So many requests may be given up before they are looked at. They are read many at once, so that a client whose
/// patience is over at once for many is none that attacks; what is read at once is bounded elsewhere.
const RESETS: usize = 4_096;
/// How often a silent client is asked whether it is there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// What is asked of a connection: checks, and the other services of the port.
#[derive(Clone, Debug)]
pub struct Services {
    pub checks: CheckService,
    pub others: Routes,
}

impl Services {
    /// Serves one connection to its end. When `tasks` come to an end the client is told to go, and what it
    /// asked before is answered.
    pub async fn serve<I>(self, io: I, tasks: Tasks)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // Held here alone, so that whoever waits for a turn is gone with the connection.
        let (turns, transport) = (Turns::default(), Transport::new(io));
        let answer = service_fn(move |request| self.answer(request));
        let connection = http2::Builder::new(Queue(Arc::downgrade(&turns.waiting)))
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_concurrent_streams(STREAMS)
            .max_pending_accept_reset_streams(RESETS)
            .auto_date_header(false)
            .serve_connection(transport.clone(), answer);
        let (mut connection, mut stopping) = (pin!(connection), pin!(tasks.stopping()));
        let mut leaving = false;
        let ended = poll_fn(|cx| {
            if !leaving && stopping.as_mut().poll(cx).is_ready() {
                leaving = true;
                connection.as_mut().graceful_shutdown();
            }
            loop {
                // Reads what came, and puts down what was answered.
                if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                    return Poll::Ready(ended);
                }
                if let Poll::Ready(Err(error)) = transport.send(cx) {
                    tracing::debug!(%error, "a connection broke");
                    return Poll::Ready(Ok(()));
                }
                let (answered, cut_short) = (turns.take(&tasks), transport.next_round());
                if !answered && !cut_short {
                    return Poll::Pending;
                }
            }
        });
        if let Err(error) = ended.await {
            tracing::debug!(%error, "a connection ended early");
        }
    }

    /// Not `async` itself: a check takes its place when it is read, not when it has its turn.
    fn answer(
        &self,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Reply>, Infallible>> + use<> {
        if request.uri().path() == CHECK {
            return Either::Left(self.checks.call(request).map(Ok));
        }
        let mut others = self.others.clone();
        Either::Right(async move {
            let Ok(response) = others.call(request.map(Body::new)).await;
            Ok(response.map(Reply::Other))
        })
    }
}

type Turn = Pin<Box<dyn Future<Output = ()> + Send>>;

type Waiting = Mutex<VecDeque<(Stopwatch, Turn)>>;

/// Requests that were read and wait for their turn, each with how long it does.
#[derive(Default)]
struct Turns {
    waiting: Arc<Waiting>,
}

/// Where requests are put. INVARIANT: it holds no `Turns`. Each request holds one of these, and would keep itself
/// and its place for ever.
#[derive(Clone)]
struct Queue(Weak<Waiting>);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Queue {
    fn execute(&self, turn: F) {
        if let Some(waiting) = self.0.upgrade() {
            lock(&waiting).push_back((Stopwatch::start(), Box::pin(turn)));
        }
    }
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, VecDeque<(Stopwatch, Turn)>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Turns {
    /// Gives some of those who wait their turn, and says whether anybody waited. Who cannot be answered at once
    /// goes on as a task.
    fn take(&self, tasks: &Tasks) -> bool {
        let mut nobody = Context::from_waker(Waker::noop());
        for taken in 0..TURNS {
            let Some((waits, mut turn)) = lock(&self.waiting).pop_front() else {
                return taken > 0;
            };
            // A panic ends one request, as it would in a task of its own.
            let mut answer = || turn.as_mut().poll(&mut nobody).is_pending();
            let pending = waits.elapsed() > PATIENCE
                || catch_unwind(AssertUnwindSafe(&mut answer)).unwrap_or_default();
            if pending {
                tasks.start(turn);
            }
        }
        true
    }
}
