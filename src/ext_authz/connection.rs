//! A connection of Envoy. Its requests are answered in turn by whoever reads it: a task for each, as HTTP
//! servers start them, would cost more than the check, and wake another thread for it.

use super::call::Reply;
use super::service::CheckService;
use super::transport::Transport;
use super::turns::{Queue, Turns};
use crate::clock::Stopwatch;
use crate::tasks::Tasks;
use futures_util::FutureExt as _;
use futures_util::future::Either;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::body::Body;
use tonic::codegen::Service as _;
use tonic::service::Routes;

/// Of the one method that is answered here.
const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
/// So many rounds of reading may go before the turns, and so many who are refused: what is not read waits as well, and
/// nobody knows that it does.
const READ_AHEAD: u32 = 16;
const REFUSED_AHEAD: usize = 1_024;
/// So long others wait for a connection that has always more to read.
const SLICE: Duration = Duration::from_millis(1);
/// How much a client may send before we look at it, in bytes: for a stream, and for a connection. The latter is so
/// long that there are too many checks (`max_concurrent_checks`) before it is used up; those that a client holds
/// back would wait unseen.
const STREAM_WINDOW: u32 = 1 << 20;
const WINDOW: u32 = 8 << 20;
/// So many requests may be open on a connection. Generous: what a client sends before it learns of a limit fails.
const STREAMS: u32 = 16_384;
/// So many requests may be given up before they are looked at. They are read many at once, so that a client whose
/// patience is over at once for many is none that attacks; what is read at once is bounded elsewhere.
const RESETS: usize = 4_096;
/// So long a client that was told to go has for it.
const LINGER: Duration = Duration::from_secs(1);
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
        let transport = Transport::new(io);
        self.talk(&transport, &tasks).await;
        // Closed with anything unread it would be reset, and what was said last be lost with it.
        drop(tokio::time::timeout(LINGER, transport.drain()).await);
    }

    async fn talk<I>(self, transport: &Transport<I>, tasks: &Tasks)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // Held here alone, so that whoever waits for a turn is gone with the connection.
        let turns = Turns::default();
        let queue = turns.queue();
        let answer = {
            let queue = queue.clone();
            service_fn(move |request| self.answer(request, &queue))
        };
        let connection = http2::Builder::new(queue)
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_concurrent_streams(STREAMS)
            .max_pending_accept_reset_streams(RESETS)
            .auto_date_header(false)
            .serve_connection(transport.clone(), answer);
        let (mut connection, mut stopping) = (pin!(connection), pin!(tasks.stopping()));
        let (mut leaving, mut rounds, mut ahead) = (false, 0, 0);
        let ended = poll_fn(|cx| {
            if !leaving && stopping.as_mut().poll(cx).is_ready() {
                leaving = true;
                connection.as_mut().graceful_shutdown();
            }
            let slice = Stopwatch::start();
            loop {
                // Reads what came, and puts down what was answered.
                if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                    return Poll::Ready(ended);
                }
                if let Poll::Ready(Err(error)) = transport.send(cx) {
                    tracing::debug!(%error, "a connection broke");
                    return Poll::Ready(Ok(()));
                }
                let (refused, cut_short) = (turns.refuse(tasks), transport.next_round());
                (rounds, ahead) = (rounds + 1, ahead + refused);
                if cut_short && rounds < READ_AHEAD && ahead < REFUSED_AHEAD {
                    continue;
                }
                (rounds, ahead) = (0, 0);
                if !turns.take(tasks) && refused == 0 && !cut_short {
                    return Poll::Pending;
                }
                if slice.elapsed() > SLICE {
                    cx.waker().wake_by_ref();
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
        queue: &Queue,
    ) -> impl Future<Output = Result<Response<Reply>, Infallible>> + use<> {
        if request.uri().path() == CHECK {
            let place = self.checks.place();
            queue.next(place.is_none());
            return Either::Left(self.checks.call(request, place).map(Ok));
        }
        let mut others = self.others.clone();
        Either::Right(async move {
            let Ok(response) = others.call(request.map(Body::new)).await;
            Ok(response.map(Reply::Other))
        })
    }
}
