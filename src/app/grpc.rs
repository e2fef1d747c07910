//! The gRPC listener: takes connections and serves each.

use super::bind::GrpcListener;
use crate::ext_authz::Services;
use crate::tasks::Tasks;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};

/// After a failure to take a connection (no file descriptors are left, as a rule), how long until the next try.
const PAUSE: Duration = Duration::from_millis(100);

/// Starts to serve.
pub(super) fn serve(tasks: &Tasks, listener: GrpcListener, services: Services) {
    let all = tasks.clone();
    tasks.start(async move {
        match listener {
            GrpcListener::Tcp(listener) => take(&all, &services, || tcp(&listener)).await,
            GrpcListener::Unix(listener, _) => take(&all, &services, || unix(&listener)).await,
        }
    });
}

async fn tcp(
    listener: &TcpListener,
) -> io::Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static> {
    let (stream, _) = listener.accept().await?;
    // Fails only if the client has left.
    drop(stream.set_nodelay(true));
    Ok(stream)
}

async fn unix(
    listener: &UnixListener,
) -> io::Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static> {
    let (stream, _) = listener.accept().await?;
    Ok(stream)
}

/// Takes connections until the tasks come to an end.
async fn take<I, F>(tasks: &Tasks, services: &Services, next: impl Fn() -> F)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = io::Result<I>>,
{
    let mut stopping = pin!(tasks.stopping());
    loop {
        let taken = tokio::select! {
            taken = next() => taken,
            () = &mut stopping => return,
        };
        match taken {
            Ok(io) => tasks.start(services.clone().serve(io, tasks.clone())),
            Err(error) if is_of_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "a connection was not taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Whether a connection was not taken because its client had left, which any client can do.
fn is_of_client(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}
