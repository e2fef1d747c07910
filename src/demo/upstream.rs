//! A service to protect: answers every request with what it received, as JSON.

use crate::tasks::Tasks;
use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use serde_json::{Map, Value, json};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;

/// A running echo service.
#[derive(Debug)]
pub struct Upstream {
    pub address: SocketAddr,
    served: Arc<AtomicUsize>,
}

impl Upstream {
    /// How many requests have reached it.
    pub fn served(&self) -> usize {
        self.served.load(Ordering::Acquire)
    }
}

/// Starts the service on a free port of loopback.
///
/// # Errors
/// No port to listen on.
pub async fn start(tasks: &Tasks) -> io::Result<Upstream> {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let served = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&served);
    let echo = move |request: Request| {
        counter.fetch_add(1, Ordering::AcqRel);
        async move { axum::Json(described(request).await) }
    };
    let pages = Router::new().fallback(echo);
    let stopping = tasks.stopping();
    tasks.start(async move {
        drop(axum::serve(listener, pages).with_graceful_shutdown(stopping).await);
    });
    Ok(Upstream { address, served })
}

/// Method, path with query, and headers; repeated headers as a list.
async fn described(request: Request) -> Value {
    let (parts, body) = request.into_parts();
    let mut headers = Map::new();
    for name in parts.headers.keys() {
        let values: Vec<Value> = parts
            .headers
            .get_all(name)
            .iter()
            .map(|value| Value::from(String::from_utf8_lossy(value.as_bytes())))
            .collect();
        let value = match <[Value; 1]>::try_from(values) {
            Ok([one]) => one,
            Err(many) => Value::Array(many),
        };
        headers.insert(name.to_string(), value);
    }
    let body: Bytes = axum::body::to_bytes(body, 1 << 16).await.unwrap_or_default();
    json!({
        "method": parts.method.as_str(),
        "path": parts.uri.path_and_query().map(ToString::to_string),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    })
}
