//! A connection, and one check on it.

use crate::answer::{self, Answer};
use anyhow::Context;
use bytes::{Bytes, BytesMut};
use h2::Ping;
use h2::client::SendRequest;
use http::{HeaderMap, Request, StatusCode};
use std::io::{Write as _, stderr};
use std::net::SocketAddr;
use std::sync::Once;
use tokio::net::TcpStream;

const METHOD: &str = "/envoy.service.auth.v3.Authorization/Check";
const WINDOW: u32 = 1 << 20;

/// An HTTP/2 connection to a server. Clones share it.
#[derive(Clone)]
pub(crate) struct Door {
    sender: SendRequest<Bytes>,
    head: Request<()>,
}

impl Door {
    /// Connects, and waits until the server serves the connection.
    pub(crate) async fn open(
        address: SocketAddr,
        grpc_timeout: Option<&str>,
    ) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
        let (sender, mut connection) =
            builder.enable_push(false).handshake::<_, Bytes>(stream).await?;
        let mut pings = connection.ping_pong().context("a connection that was used")?;
        // Ends with the connection; an error shows in the checks that are on it.
        tokio::task::spawn_local(connection);
        let mut head = Request::post(format!("http://{address}{METHOD}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        // A server may listen before it serves.
        pings.ping(Ping::opaque()).await?;
        if let Some(timeout) = grpc_timeout {
            head = head.header("grpc-timeout", timeout);
        }
        Ok(Self { sender, head: head.body(())? })
    }

    /// Asks once, when the server takes one more. What goes wrong on the way is an answer too: none.
    pub(crate) async fn ask(&self, frame: Bytes) -> Answer {
        self.exchange(frame).await.unwrap_or_else(|error| {
            // Once is enough: what ends a connection ends all that is on it.
            static TOLD: Once = Once::new();
            TOLD.call_once(|| drop(writeln!(stderr(), "check_load: not answered: {error:#}")));
            Answer::None(0)
        })
    }

    async fn exchange(&self, frame: Bytes) -> anyhow::Result<Answer> {
        let mut sender = self.sender.clone().ready().await?;
        let (response, mut body) = sender.send_request(self.head.clone(), false)?;
        body.send_data(frame, true)?;
        let (head, mut body) = response.await?.into_parts();
        if head.status != StatusCode::OK {
            return Ok(Answer::None(head.status.as_u16()));
        }
        if let Some(failed) = grpc_status(&head.headers)? {
            return Ok(Answer::Failed(failed));
        }
        let message = whole(&mut body).await?;
        let trailers = body.trailers().await?.context("an answer without an end")?;
        match grpc_status(&trailers)?.context("an end without a status")? {
            0 => answer::read(&message),
            failed => Ok(Answer::Failed(failed)),
        }
    }
}

/// Nearly always one chunk, which is not copied.
async fn whole(body: &mut h2::RecvStream) -> anyhow::Result<Bytes> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        if first.is_empty() {
            first = chunk;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&chunk);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

fn grpc_status(headers: &HeaderMap) -> anyhow::Result<Option<u64>> {
    let status = headers.get("grpc-status").map(http::HeaderValue::to_str).transpose()?;
    Ok(status.map(str::parse).transpose()?)
}
