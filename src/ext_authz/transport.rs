//! The bytes of a connection: taken and sent many at a time, because each system call costs as much as a good
//! part of a check.

use hyper::rt::{self, ReadBufCursor};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncBufRead as _, AsyncRead, AsyncWrite, BufReader};

/// What is taken at once, in bytes: about a dozen checks.
const TAKEN: usize = 32 * 1024;
/// So much is read, in bytes, before those who asked get their turn. Otherwise whatever has come would be read
/// first, however much that is, and many small checks at once look like an attack to the HTTP/2 library.
const ROUND: usize = 64 * 1024;
/// So much waits to be sent, in bytes, before nothing more is put to it.
const WAITING: usize = 256 * 1024;

/// A connection that two hold: who speaks HTTP/2 over it, and who says when what was said is sent.
#[derive(Debug)]
pub(super) struct Transport<I> {
    pipe: Arc<Mutex<Pipe<I>>>,
}

#[derive(Debug)]
struct Pipe<I> {
    io: BufReader<I>,
    /// What may be read in this round, and whether more was wanted.
    left: usize,
    held_back: bool,
    waiting: Vec<u8>,
    /// How much of it was sent.
    sent: usize,
}

impl<I> Clone for Transport<I> {
    fn clone(&self) -> Self {
        Self { pipe: Arc::clone(&self.pipe) }
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> Transport<I> {
    pub(super) fn new(io: I) -> Self {
        let io = BufReader::with_capacity(TAKEN, io);
        Self {
            pipe: Arc::new(Mutex::new(Pipe {
                io,
                left: ROUND,
                held_back: false,
                waiting: Vec::new(),
                sent: 0,
            })),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pipe<I>> {
        self.pipe.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins another round of reading, and says whether the last was cut short. Not while there is no room for
    /// what is said: who does not read is not read from.
    pub(super) fn next_round(&self) -> bool {
        let mut pipe = self.lock();
        if !pipe.has_room() {
            return false;
        }
        pipe.left = ROUND;
        std::mem::take(&mut pipe.held_back)
    }

    /// Takes what still comes, to its end, and looks at nothing of it.
    pub(super) async fn drain(&self) {
        poll_fn(|cx| self.lock().drain(cx)).await;
    }

    /// Sends what waits.
    pub(super) fn send(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lock().send(cx)
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> Pipe<I> {
    fn send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.waiting.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.io).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                sent => self.sent += sent,
            }
        }
        self.waiting.clear();
        self.waiting.shrink_to(ROUND);
        self.sent = 0;
        Poll::Ready(Ok(()))
    }

    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Ok(bytes) = ready!(Pin::new(&mut self.io).poll_fill_buf(cx)) {
            let many = bytes.len();
            if many == 0 {
                break;
            }
            Pin::new(&mut self.io).consume(many);
        }
        Poll::Ready(())
    }

    fn has_room(&self) -> bool {
        self.waiting.len() < WAITING
    }

    /// Waits until there is room.
    fn room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.has_room() { Poll::Ready(Ok(())) } else { self.send(cx) }
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> rt::Read for Transport<I> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut pipe = self.lock();
        if pipe.left == 0 {
            pipe.held_back = true;
            return Poll::Pending;
        }
        let bytes = ready!(Pin::new(&mut pipe.io).poll_fill_buf(cx))?;
        let taken = bytes.len().min(buffer.remaining());
        buffer.put_slice(bytes.get(..taken).unwrap_or_default());
        Pin::new(&mut pipe.io).consume(taken);
        pipe.left = pipe.left.saturating_sub(taken);
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> rt::Write for Transport<I> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut pipe = self.lock();
        ready!(pipe.room(cx))?;
        let before = pipe.waiting.len();
        for part in parts {
            pipe.waiting.extend_from_slice(part);
        }
        Poll::Ready(Ok(pipe.waiting.len() - before))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Does nothing: whoever holds the other end sends.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut pipe = self.lock();
        ready!(pipe.send(cx))?;
        Pin::new(&mut pipe.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::{ROUND, Transport, WAITING};
    use hyper::rt::{Read as _, ReadBuf, Write as _};
    use std::io::ErrorKind;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    fn nobody() -> Context<'static> {
        Context::from_waker(Waker::noop())
    }

    /// Writes until there is no room, and says how much there was.
    fn fill(transport: &mut Transport<DuplexStream>, piece: &[u8]) -> usize {
        let mut written = 0;
        while let Poll::Ready(more) = Pin::new(&mut *transport).poll_write(&mut nobody(), piece) {
            written += more.expect("room");
        }
        written
    }

    #[tokio::test]
    async fn what_waits_to_be_sent_is_bounded_and_sent_in_order() {
        let (here, mut there) = tokio::io::duplex(1024);
        let mut transport = Transport::new(here);
        let piece: Vec<u8> = (0..10_007_u32).map(|byte| byte.to_le_bytes()[0]).collect();
        let written = fill(&mut transport, &piece);
        assert!((WAITING..WAITING + piece.len()).contains(&written), "{written}");
        assert_eq!(fill(&mut transport, &piece), 0, "nobody reads");
        let sending = std::future::poll_fn(|cx| transport.send(cx));
        let mut read = vec![0; written];
        let (sent, received) = tokio::join!(sending, there.read_exact(&mut read));
        sent.expect("sent");
        received.expect("received");
        assert!(read.iter().eq(piece.iter().cycle().take(written)));
        assert!(fill(&mut transport, &piece) >= WAITING, "there is room again");
    }

    #[tokio::test]
    async fn who_does_not_read_is_not_read_from() {
        let (here, mut there) = tokio::io::duplex(2 * ROUND);
        let mut transport = Transport::new(here);
        there.write_all(&vec![7; 2 * ROUND]).await.expect("sent");
        fill(&mut transport, &[7; 4096]);
        assert!(transport.send(&mut nobody()).is_pending());
        let mut bytes = vec![0; 3 * ROUND];
        let mut all = 0;
        let mut read_all = |transport: &mut Transport<DuplexStream>| {
            loop {
                let mut buffer = ReadBuf::new(&mut bytes);
                let read = Pin::new(&mut *transport).poll_read(&mut nobody(), buffer.unfilled());
                if read.is_pending() {
                    return all;
                }
                all += buffer.filled().len();
            }
        };
        assert!(read_all(&mut transport) < 2 * ROUND);
        assert!(!transport.next_round());
        assert!(read_all(&mut transport) < 2 * ROUND, "another round has not begun");
        let mut read = vec![0; WAITING];
        let sending = std::future::poll_fn(|cx| transport.send(cx));
        let (sent, received) = tokio::join!(sending, there.read_exact(&mut read));
        sent.expect("sent");
        received.expect("received");
        assert!(transport.next_round(), "more was wanted");
        assert_eq!(read_all(&mut transport), 2 * ROUND);
    }

    #[tokio::test]
    async fn what_waits_for_nobody_is_an_error() {
        let (here, there) = tokio::io::duplex(1024);
        let mut transport = Transport::new(here);
        fill(&mut transport, &[7; 4096]);
        drop(there);
        let sent = std::future::poll_fn(|cx| transport.send(cx)).await;
        assert_eq!(sent.expect_err("nobody is there").kind(), ErrorKind::BrokenPipe);
        let more = std::future::poll_fn(|cx| Pin::new(&mut transport).poll_write(cx, &[7])).await;
        assert_eq!(more.expect_err("nobody is there").kind(), ErrorKind::BrokenPipe);
    }

    #[tokio::test]
    async fn so_much_is_read_in_a_round() {
        let (here, mut there) = tokio::io::duplex(4 * ROUND);
        let mut transport = Transport::new(here);
        there.write_all(&vec![7; ROUND + 1]).await.expect("sent");
        let mut read = |most: usize| {
            let mut bytes = vec![0; most];
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = Pin::new(&mut transport).poll_read(&mut nobody(), buffer.unfilled());
            let round = read.is_pending().then(|| transport.next_round());
            (buffer.filled().len(), round)
        };
        let mut all = 0;
        let round = loop {
            match read(5_000) {
                (_, Some(round)) => break round,
                (some, None) => all += some,
            }
        };
        assert_eq!((all, round), (ROUND, true), "more was wanted");
        assert_eq!(read(5_000), (1, None));
        assert_eq!(read(5_000), (0, Some(false)), "there is no more");
    }
}
