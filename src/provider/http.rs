//! Asking over HTTP, bounded: no redirects, ten seconds in all, a mebibyte, TLS but on this machine.
//! Knows nothing of what is asked.

use http::{Request, Response};
use openidconnect::AsyncHttpClient;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use url::{Host, Url};

/// Whether a URL leads to this machine by its name alone: a loopback address, `localhost` or a name
/// below it (RFC 6761 §6.3). Only there may HTTP go without TLS.
pub fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => is_localhost(name),
        None => false,
    }
}

/// Whether the URL is one to ask: `https`, or `http` on this machine.
pub fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_local(url))
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Bounds on one question and its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) time: Duration,
    pub(super) bytes: usize,
}

impl Bounds {
    pub(super) const SMALL: Self = Self { time: Duration::from_secs(10), bytes: 1 << 20 };
}

/// Asks one party.
pub(super) struct Http {
    bounds: Bounds,
    /// Whether that party is on this machine and spoken to without TLS; else nobody is.
    plain: bool,
    /// Made when it is first needed: on a machine without any CA it cannot be.
    client: OnceLock<Result<reqwest::Client, String>>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

/// Why there is no answer. Names the host, never a query or a body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HttpError {
    #[error("`{0}` is not an https address")]
    NotSafe(String),
    #[error("`{0}` cannot be reached: {1}")]
    Unreachable(String, String),
    #[error("`{0}` answered more than {1} bytes")]
    TooLong(String, usize),
}

impl Http {
    /// Asks whoever `party` is, and others that they name.
    pub(super) fn new(party: &Url, bounds: Bounds) -> Self {
        let plain = party.scheme() == "http" && is_local(party);
        Self { bounds, plain, client: OnceLock::new() }
    }

    /// Whether a question may be put to `url`: nobody who is spoken to over TLS leads elsewhere
    /// without it.
    pub(super) fn may_ask(&self, url: &Url) -> bool {
        url.has_host() && (url.scheme() == "https" || (self.plain && is_safe(url)))
    }

    pub(super) async fn ask(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        // What stands before `@` would be a secret.
        let host = host.rsplit('@').next().unwrap_or_default().to_owned();
        let url = Url::parse(&request.uri().to_string()).ok().filter(|url| self.may_ask(url));
        if url.is_none() {
            return Err(HttpError::NotSafe(host));
        }
        let unreachable = |why: String| HttpError::Unreachable(host.clone(), why);
        let client = self.client.get_or_init(|| self.build()).as_ref();
        let client = client.map_err(|why| unreachable(why.clone()))?;
        let failed = |error: reqwest::Error| HttpError::Unreachable(host.clone(), told(error));
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let mut answer = client.execute(request).await.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(failed)? {
            if body.len() + piece.len() > self.bounds.bytes {
                return Err(HttpError::TooLong(host, self.bounds.bytes));
            }
            body.extend_from_slice(&piece);
        }
        let mut response = Response::new(body);
        *response.status_mut() = answer.status();
        std::mem::swap(response.headers_mut(), answer.headers_mut());
        Ok(response)
    }

    fn build(&self) -> Result<reqwest::Client, String> {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .referer(false)
            .timeout(self.bounds.time)
            .user_agent(concat!("lictor/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(LocalStaysLocal));
        // A proxy is on another machine.
        let client = if self.plain { client.no_proxy() } else { client };
        client.build().map_err(told)
    }
}

/// An error and its causes in one line, without the URL: its query may be a secret.
fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(self.ask(request))
    }
}

/// Names of this machine are not looked up: whoever answers for them could lead plain HTTP elsewhere.
struct LocalStaysLocal;

impl Resolve for LocalStaysLocal {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            if is_localhost(name.as_str()) {
                let addresses = [
                    SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
                    SocketAddr::from((Ipv6Addr::LOCALHOST, 0)),
                ];
                return Ok(Box::new(addresses.into_iter()) as Addrs);
            }
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Bounds, Http, is_local, is_safe};
    use url::Url;

    fn url(text: &str) -> Url {
        Url::parse(text).expect(text)
    }

    #[test]
    fn this_machine_by_name() {
        for text in [
            "http://localhost:1/",
            "http://auth.localhost",
            "http://LOCALHOST.",
            "http://127.9.9.9",
            "http://[::1]:80",
            "https://127.0.0.1",
        ] {
            assert!(is_local(&url(text)), "{text}");
        }
        for text in [
            "http://localhost.example.com",
            "http://notlocalhost",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "http://example.com#localhost",
            "http://localhost@example.com",
            "mailto:a@localhost",
        ] {
            assert!(!is_local(&url(text)), "{text}");
        }
        assert!(is_safe(&url("https://example.com")) && is_safe(&url("http://a.localhost")));
        assert!(!is_safe(&url("http://example.com")) && !is_safe(&url("ftp://localhost")));
    }

    #[test]
    fn whoever_is_asked_over_tls_leads_nowhere_without_it() {
        let far = Http::new(&url("https://id.example.com"), Bounds::SMALL);
        assert!(far.may_ask(&url("https://other.example.com/token")));
        for text in ["http://127.0.0.1/token", "http://id.example.com", "file:///etc/passwd"] {
            assert!(!far.may_ask(&url(text)), "{text}");
        }
        let near = Http::new(&url("http://id.localhost"), Bounds::SMALL);
        assert!(near.may_ask(&url("http://127.0.0.1/token")));
        assert!(!near.may_ask(&url("http://id.example.com")));
    }
}
