//! A TCP upstream that echoes bytes, after a WebSocket handshake if it gets an HTTP request; and a
//! client that talks on after the answer.

use lictor::tasks::Tasks;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PATIENCE: Duration = Duration::from_secs(10);

/// Starts the upstream on a free port.
pub async fn start(tasks: &Tasks) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let connections = tasks.clone();
    tasks.start(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that leaves early is no failure of the echo.
            connections.start(async move { drop(echo(stream).await) });
        }
    });
    address
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut first = vec![0; 4096];
    let count = stream.read(&mut first).await?;
    first.truncate(count);
    if first.starts_with(b"GET ") {
        let head = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        stream.write_all(head).await?;
    } else {
        stream.write_all(&first).await?;
    }
    let (mut from, mut to) = stream.split();
    tokio::io::copy(&mut from, &mut to).await?;
    Ok(())
}

/// Sends `head`, then, if the answer's status is one of `goes_on`, `payload`; says what came back:
/// the head of the answer, and as many bytes as were sent.
pub async fn talk(at: SocketAddr, head: &str, goes_on: &[&str], payload: &str) -> (String, String) {
    let talking = async {
        let mut stream = TcpStream::connect(at).await?;
        stream.write_all(head.as_bytes()).await?;
        let answer = read_head(&mut stream).await?;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        let mut echoed = vec![0; if goes_on.contains(&status) { payload.len() } else { 0 }];
        if !echoed.is_empty() {
            stream.write_all(payload.as_bytes()).await?;
            stream.read_exact(&mut echoed).await?;
        }
        Ok::<_, io::Error>((answer, String::from_utf8_lossy(&echoed).into_owned()))
    };
    tokio::time::timeout(PATIENCE, talking).await.expect("in time").expect("an answer")
}

async fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 1 << 16 {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
