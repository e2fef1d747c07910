//! The bytes of a connection: taken and sent many at a time, because each system call costs as much as a good
//! part of a check.

use hyper::rt::{self, ReadBufCursor};
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

    /// Begins another round of reading, and says whether the last was cut short.
    pub(super) fn next_round(&self) -> bool {
        let mut pipe = self.lock();
        pipe.left = ROUND;
        std::mem::take(&mut pipe.held_back)
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

    /// Waits until there is room.
    fn room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.waiting.len() < WAITING { Poll::Ready(Ok(())) } else { self.send(cx) }
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
