//! The smallest HTTP/1.1 client that can send what a client should not: any bytes as head.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer, as text.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    /// The first value of `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
const MAX_REPLY: u64 = 1 << 20;

/// Sends `head` (request line and header lines, each without line end) and reads the whole answer.
///
/// # Errors
/// A connection that fails, or takes longer than ten seconds.
pub async fn exchange(at: SocketAddr, head: &[&str]) -> io::Result<Reply> {
    exchange_body(at, head, b"").await
}

/// The same with a body, which `head` has to announce.
///
/// # Errors
/// The same.
pub async fn exchange_body(at: SocketAddr, head: &[&str], body: &[u8]) -> io::Result<Reply> {
    let mut bytes = head.join("\r\n").into_bytes();
    bytes.extend_from_slice(b"\r\nconnection: close\r\n\r\n");
    bytes.extend_from_slice(body);
    let answer = tokio::time::timeout(PATIENCE, async {
        let mut stream = TcpStream::connect(at).await?;
        stream.write_all(&bytes).await?;
        let mut answer = Vec::new();
        stream.take(MAX_REPLY).read_to_end(&mut answer).await?;
        Ok::<_, io::Error>(answer)
    });
    Ok(parse(&String::from_utf8_lossy(&answer.await??)))
}

fn parse(text: &str) -> Reply {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let chunked = headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value.contains("chunked"));
    let body = if chunked { unchunked(body) } else { body.to_owned() };
    Reply { status, headers, body }
}

fn unchunked(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some((size, after)) = rest.split_once("\r\n") {
        let Ok(size) = usize::from_str_radix(size.trim(), 16) else {
            break;
        };
        let Some(chunk) = after.get(..size) else {
            break;
        };
        out.push_str(chunk);
        rest = after.get(size..).and_then(|rest| rest.strip_prefix("\r\n")).unwrap_or_default();
    }
    out
}
