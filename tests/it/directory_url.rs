//! People and groups from a URL: what is fetched, and what is not.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{ETAG, IF_NONE_MATCH, LOCATION};
use lictor::config::read_directory;
use lictor::provider::{DirectoryFetcher, DirectoryUrl, FetchError, Fetched};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server has: a text and its version.
type Held = Arc<Mutex<(Vec<u8>, &'static str)>>;

async fn answer(State(held): State<Held>, request: Request) -> Response {
    let (text, version) = held.lock().expect("nobody panicked").clone();
    let path = request.uri().path();
    match path {
        "/moved" => (StatusCode::FOUND, [(LOCATION, "/people")]).into_response(),
        "/unasked" => StatusCode::NOT_MODIFIED.into_response(),
        "/unnamed" => text.into_response(),
        "/people" if request.headers().get(IF_NONE_MATCH).is_some_and(|etag| etag == version) => {
            StatusCode::NOT_MODIFIED.into_response()
        }
        "/people" => ([(ETAG, version)], text).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn serve(text: impl Into<Vec<u8>>) -> (Held, SocketAddr) {
    let held: Held = Arc::new(Mutex::new((text.into(), r#""v1""#)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let routes = Router::new().fallback(answer).with_state(Arc::clone(&held));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (held, address)
}

fn fetcher(address: SocketAddr, path: &str) -> DirectoryFetcher {
    let url = DirectoryUrl::new(&format!("http://{address}{path}"), Duration::from_secs(1));
    DirectoryFetcher::new(&url.expect("a URL"))
}

const PEOPLE: &str = r#"{"users": [{"id": "u-1", "email": "ann@example.com"}], "groups": []}"#;

#[tokio::test]
async fn only_what_is_new_is_fetched() {
    let (held, address) = serve(PEOPLE).await;
    let fetcher = fetcher(address, "/people");
    let Fetched::New(text, etag) = fetcher.fetch(None).await.expect("fetched") else {
        panic!("nothing is known yet");
    };
    assert_eq!(read_directory(&text).expect("a directory").len(), 1);
    assert!(etag.is_some());
    assert_eq!(fetcher.fetch(etag.as_ref()).await, Ok(Fetched::Same));
    *held.lock().expect("nobody panicked") = (b"users: []".to_vec(), r#""v2""#);
    let Fetched::New(text, newer) = fetcher.fetch(etag.as_ref()).await.expect("fetched") else {
        panic!("it has changed");
    };
    assert!(newer != etag && read_directory(&text).expect("a directory").is_empty());
}

#[tokio::test]
async fn a_server_without_versions_is_asked_each_time() {
    let (_held, address) = serve(PEOPLE).await;
    let fetched = fetcher(address, "/unnamed").fetch(None).await;
    assert_eq!(fetched, Ok(Fetched::New(PEOPLE.to_owned(), None)));
}

#[tokio::test]
async fn what_is_not_taken() {
    let (held, address) = serve(vec![0xff, 0xfe]).await;
    let failure = async |path: &str| fetcher(address, path).fetch(None).await.expect_err(path);
    assert_eq!(failure("/people").await, FetchError::NotText("127.0.0.1".to_owned()));
    assert_eq!(failure("/moved").await, FetchError::Status("127.0.0.1".to_owned(), 302));
    assert_eq!(failure("/unasked").await, FetchError::Status("127.0.0.1".to_owned(), 304));
    assert_eq!(failure("/nothing").await, FetchError::Status("127.0.0.1".to_owned(), 404));
    *held.lock().expect("nobody panicked") = (vec![b' '; (16 << 20) + 1], r#""v2""#);
    let long = failure("/people").await.to_string();
    assert_eq!(long, format!("`{address}` answered more than 16777216 bytes"));
    let nobody = fetcher(crate::support::gates::free_address(), "/").fetch(None).await;
    assert!(matches!(nobody, Err(FetchError::Unreachable(_))), "{nobody:?}");
    assert!(read_directory("people: []").is_err());
}
