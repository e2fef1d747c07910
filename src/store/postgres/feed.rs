//! Notifications of the server, on a connection of their own, which is driven by whoever waits for them.

use super::super::changes::read_message;
use super::super::{Changed, Feed, StoreError};
use super::lease::failure;
use async_trait::async_trait;
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use tokio_postgres::{AsyncMessage, Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

type Message = Result<AsyncMessage, tokio_postgres::Error>;
type Messages = Box<dyn FnMut(&mut Context<'_>) -> Poll<Option<Message>> + Send>;

pub(super) struct PostgresFeed {
    /// Without it the connection ends.
    _client: Client,
    /// Gone with the first error.
    messages: Option<Messages>,
    waiting: VecDeque<Changed>,
}

impl fmt::Debug for PostgresFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresFeed").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}

/// Changes that are committed after this has returned are told.
pub(super) async fn listen(
    config: &Config,
    tls: MakeRustlsConnect,
    channel: &str,
) -> Result<PostgresFeed, StoreError> {
    let (client, mut connection) = config.connect(tls).await.map_err(failure)?;
    let mut messages: Messages = Box::new(move |context| connection.poll_message(context));
    let waiting = command(&client, &mut messages, channel).await?;
    Ok(PostgresFeed { _client: client, messages: Some(messages), waiting })
}

/// Says `LISTEN`, and gives what was told before the server said that it was heard.
async fn command(
    client: &Client,
    messages: &mut Messages,
    channel: &str,
) -> Result<VecDeque<Changed>, StoreError> {
    // The name is `lictor_` and digits.
    let command = format!("LISTEN \"{channel}\"");
    let mut listening = pin!(client.batch_execute(&command));
    let mut waiting = VecDeque::new();
    poll_fn(|context| {
        let mut heard = listening.as_mut().poll(context).map_err(failure);
        while heard.is_pending() {
            let Poll::Ready(message) = messages(context) else { break };
            match read(message) {
                Ok(changes) => waiting.extend(changes),
                Err(error) => return Poll::Ready(Err(error)),
            }
            heard = listening.as_mut().poll(context).map_err(failure);
        }
        heard
    })
    .await?;
    Ok(waiting)
}

fn read(message: Option<Message>) -> Result<Vec<Changed>, StoreError> {
    match message {
        Some(Ok(AsyncMessage::Notification(told))) => read_message(told.payload()),
        Some(Ok(_)) => Ok(Vec::new()),
        Some(Err(error)) => Err(failure(error)),
        None => Err(StoreError::unavailable("the connection of the feed was closed")),
    }
}

#[async_trait]
impl Feed for PostgresFeed {
    async fn next(&mut self) -> Result<Changed, StoreError> {
        loop {
            if let Some(change) = self.waiting.pop_front() {
                return Ok(change);
            }
            let Some(messages) = &mut self.messages else {
                return Err(StoreError::unavailable("the feed has ended"));
            };
            match read(poll_fn(messages).await) {
                Ok(changes) => self.waiting.extend(changes),
                Err(error) => {
                    self.messages = None;
                    return Err(error);
                }
            }
        }
    }
}
