//! People and groups from a URL. Fetches the text, and says whether it is new; what it means is
//! `config`'s to read.

use super::http::{Bounds, Http, HttpError, is_safe};
use http::header::{ACCEPT, ETAG, IF_NONE_MATCH};
use http::{HeaderValue, Request, StatusCode};
use std::time::Duration;
use url::Url;

/// Where people and groups are fetched from, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryUrl {
    url: Url,
    pub refresh: Duration,
}

impl DirectoryUrl {
    /// `None` if the URL is neither `https` nor on this machine, or holds a password.
    pub fn new(text: &str, refresh: Duration) -> Option<Self> {
        let url = Url::parse(text).ok().filter(is_safe)?;
        let open = url.username().is_empty() && url.password().is_none();
        open.then_some(Self { url, refresh })
    }

    pub fn url(&self) -> &Url {
        &self.url
    }
}

/// What was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The same as before.
    Same,
    /// The text, and by which name to ask for it the next time.
    New(String, Option<Etag>),
}

/// The server's name for one version (RFC 9110 §8.8.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Etag(HeaderValue);

/// Why nothing was fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("{0}")]
    Unreachable(String),
    #[error("`{0}` answers {1}")]
    Status(String, u16),
    #[error("`{0}` answers with a text that is not UTF-8")]
    NotText(String),
}

impl From<HttpError> for FetchError {
    fn from(error: HttpError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

/// As much as a directory file may hold.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(30), bytes: 16 << 20 };

/// Fetches a directory, again and again.
#[derive(Debug)]
pub struct DirectoryFetcher {
    http: Http,
    url: Url,
}

impl DirectoryFetcher {
    pub fn new(source: &DirectoryUrl) -> Self {
        Self { http: Http::new(&source.url, BOUNDS), url: source.url.clone() }
    }

    /// What there is, unless it is still the version called `etag`.
    ///
    /// # Errors
    /// Nobody there, no answer within bounds, or one that is no text.
    pub async fn fetch(&self, etag: Option<&Etag>) -> Result<Fetched, FetchError> {
        let host = self.url.host_str().unwrap_or_default().to_owned();
        let mut request = Request::get(self.url.as_str())
            .header(ACCEPT, "application/json, application/yaml;q=0.9, text/yaml;q=0.9, */*;q=0.1");
        if let Some(Etag(etag)) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let request = request.body(Vec::new());
        let request = request.map_err(|error| FetchError::Unreachable(error.to_string()))?;
        let answer = self.http.ask(request).await?;
        match answer.status() {
            StatusCode::NOT_MODIFIED if etag.is_some() => Ok(Fetched::Same),
            StatusCode::OK => {
                let etag = answer.headers().get(ETAG).cloned().map(Etag);
                let text = String::from_utf8(answer.into_body());
                Ok(Fetched::New(text.map_err(|_| FetchError::NotText(host))?, etag))
            }
            status => Err(FetchError::Status(host, status.as_u16())),
        }
    }
}
