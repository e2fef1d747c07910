//! Signed links between the authenticate host and route hosts, and what they ask for.

use crate::request::Host;
use crate::signed_url::{self, REDIRECT, SignedUrlError};
use crate::state::{SignIn, Snapshot};
use crate::time::Timestamp;
use serde_json::{Value, json};
use url::Url;

/// The callback that a program's sign-in goes through.
const CALLBACK: &str = "pomerium_callback_uri";
/// `true` if the token is for a program.
const PROGRAMMATIC: &str = "pomerium_programmatic";
/// Hash of the browser's key at the route host.
const STATE: &str = "pomerium_state";
/// The sealed code.
const CODE: &str = "pomerium_code";

/// Where a route host takes its cookie.
const CALLBACK_PATH: &str = "/.pomerium/callback/";
const SIGN_IN_PATH: &str = "/.pomerium/sign_in";
/// The page of the console that is wanted.
const CONSOLE: &str = "console";
/// `true` if whoever is signed in has to show who they are again.
const ANEW: &str = "anew";
const CONSOLE_PATH: &str = "/console/";
const LONGEST_PATH: usize = 2048;

/// What a sign-in is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The pages of the authenticate host itself.
    Here,
    /// A page of the console there, by its path and query. With `Anew`, whoever is signed in shows who they
    /// are once more.
    Console { path: String, sign_in: SignInWish },
    /// A page of a protected host. `browser` is the hash of the browser's key there, once it has one.
    Page { redirect: Url, browser: Option<String> },
    /// A token for a program, sent to `redirect` through `callback` of the host it is for.
    Program { redirect: Url, callback: Url },
}

/// Whether being signed in is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInWish {
    Once,
    Anew,
}

/// Why a link does not lead anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    #[error(transparent)]
    Signature(#[from] SignedUrlError),
    #[error("the link leads to a host that is not served here")]
    Elsewhere,
}

/// Reads a link to the sign-in page. Without any parameter of ours it needs no signature, and asks for
/// nothing.
///
/// # Errors
/// It is not signed by us, not any more, or leads elsewhere.
pub fn read_goal(
    url: &Url,
    snapshot: &Snapshot,
    sign_in: &SignIn,
    now: Timestamp,
) -> Result<Goal, LinkError> {
    let ours = |name: &str| name.starts_with("pomerium_");
    if !url.query_pairs().any(|(name, _)| ours(&name)) {
        return Ok(console(url).unwrap_or(Goal::Here));
    }
    signed_url::verify(url, sign_in.key.expose(), now)?;
    let redirect = target(url, REDIRECT).ok_or(LinkError::Elsewhere)?;
    if parameter(url, PROGRAMMATIC).is_some_and(|value| value == "true") {
        let callback = target(url, CALLBACK).ok_or(LinkError::Elsewhere)?;
        let good = is_ours(&callback, snapshot, sign_in)
            && callback.path() == CALLBACK_PATH
            && sign_in.programs.allow(&redirect);
        return if good {
            Ok(Goal::Program { redirect, callback })
        } else {
            Err(LinkError::Elsewhere)
        };
    }
    if !is_ours(&redirect, snapshot, sign_in) {
        return Err(LinkError::Elsewhere);
    }
    if origin(&redirect) == origin(&sign_in.url) {
        // SECURITY: a link never leads from here to a page of ours that does something.
        return Ok(Goal::Here);
    }
    Ok(Goal::Page { redirect, browser: parameter(url, STATE).filter(|hash| hash.len() == 64) })
}

/// The page of the console that a link asks for. SECURITY: it needs no signature, because it leads to a
/// page of the same host that only shows something.
fn console(url: &Url) -> Option<Goal> {
    let path = parameter(url, CONSOLE)?;
    let safe = path.starts_with(CONSOLE_PATH)
        && path.len() <= LONGEST_PATH
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && !path.contains("/.");
    let anew = parameter(url, ANEW).is_some_and(|value| value == "true");
    let sign_in = if anew { SignInWish::Anew } else { SignInWish::Once };
    safe.then_some(Goal::Console { path, sign_in })
}

/// The page that a goal is about, if it is still one of a host that is served here: where to begin
/// again what cannot go on.
pub fn page_of(goal: &Goal, snapshot: &Snapshot, sign_in: &SignIn) -> Option<Url> {
    let Goal::Page { redirect, .. } = goal else {
        return None;
    };
    is_ours(redirect, snapshot, sign_in).then(|| redirect.clone())
}

/// The same of a link of ours that is too old, such as one that was kept as a bookmark.
pub fn page_of_expired(
    url: &Url,
    snapshot: &Snapshot,
    sign_in: &SignIn,
    now: Timestamp,
) -> Option<Url> {
    // Only after the signature was found to be good.
    let expired =
        signed_url::verify(url, sign_in.key.expose(), now) == Err(SignedUrlError::Expired);
    let for_browsers = parameter(url, PROGRAMMATIC).is_none();
    let redirect = target(url, REDIRECT).filter(|_| expired && for_browsers)?;
    let elsewhere = origin(&redirect) != origin(&sign_in.url);
    page_of(&Goal::Page { redirect, browser: None }, snapshot, sign_in).filter(|_| elsewhere)
}

/// The signed link to the sign-in page for a goal.
pub fn sign_in_link(goal: &Goal, sign_in: &SignIn, now: Timestamp) -> Url {
    let mut url = sign_in.url.clone();
    url.set_path(SIGN_IN_PATH);
    match goal {
        Goal::Here => return url,
        Goal::Console { path, sign_in: wish } => {
            url.query_pairs_mut().append_pair(CONSOLE, path);
            if *wish == SignInWish::Anew {
                url.query_pairs_mut().append_pair(ANEW, "true");
            }
            return url;
        }
        Goal::Page { redirect, browser } => {
            url.query_pairs_mut().append_pair(REDIRECT, redirect.as_str());
            if let Some(browser) = browser {
                url.query_pairs_mut().append_pair(STATE, browser);
            }
        }
        Goal::Program { redirect, callback } => {
            url.query_pairs_mut()
                .append_pair(CALLBACK, callback.as_str())
                .append_pair(PROGRAMMATIC, "true")
                .append_pair(REDIRECT, redirect.as_str());
        }
    }
    signed_url::sign(url, sign_in.key.expose(), now)
}

/// The link by which a route host begins to bind its cookie to the browser.
pub fn callback_begin(redirect: &Url, sign_in: &SignIn, now: Timestamp) -> Url {
    let mut url = callback_of(redirect);
    url.query_pairs_mut().append_pair(REDIRECT, redirect.as_str());
    signed_url::sign(url, sign_in.key.expose(), now)
}

/// The link that carries a code to the callback of a host.
pub fn callback_with(code: &str, host: &Url, sign_in: &SignIn, now: Timestamp) -> Url {
    let mut url = callback_of(host);
    url.query_pairs_mut().append_pair(CODE, code);
    signed_url::sign(url, sign_in.key.expose(), now)
}

/// What a link to the callback of a host says.
#[derive(Debug, PartialEq, Eq)]
pub enum Callback {
    /// Bind the browser first.
    Begin(Url),
    Code(String),
}

/// Reads a link to the callback of the host that `url` is of.
///
/// # Errors
/// It is not signed by us, not any more, or leads to another host.
pub fn read_callback(url: &Url, sign_in: &SignIn, now: Timestamp) -> Result<Callback, LinkError> {
    signed_url::verify(url, sign_in.key.expose(), now)?;
    if let Some(code) = parameter(url, CODE) {
        return Ok(Callback::Code(code));
    }
    let redirect = target(url, REDIRECT).filter(|redirect| origin(redirect) == origin(url));
    redirect.map(Callback::Begin).ok_or(LinkError::Elsewhere)
}

/// Where `url` leads to, if only to a page of the very host that `of` is of.
pub fn same_host(url: &Url, of: &Url) -> bool {
    origin(url) == origin(of)
}

/// The callback of the host that `url` is of.
pub fn callback_of(url: &Url) -> Url {
    let mut callback = url.clone();
    callback.set_path(CALLBACK_PATH);
    callback.set_query(None);
    callback.set_fragment(None);
    callback
}

impl Goal {
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Here => json!({}),
            Self::Console { path, sign_in } => {
                json!({ "console": path, "anew": *sign_in == SignInWish::Anew })
            }
            Self::Page { redirect, browser } => {
                json!({ "redirect": redirect.as_str(), "browser": browser })
            }
            Self::Program { redirect, callback } => {
                json!({ "redirect": redirect.as_str(), "callback": callback.as_str() })
            }
        }
    }

    pub(super) fn of_json(value: &Value) -> Option<Self> {
        let url = |name: &str| Url::parse(value.get(name)?.as_str()?).ok();
        if let Some(path) = value.get("console") {
            let anew = value.get("anew")?.as_bool()?;
            let sign_in = if anew { SignInWish::Anew } else { SignInWish::Once };
            return Some(Self::Console { path: path.as_str()?.to_owned(), sign_in });
        }
        let Some(redirect) = url("redirect") else {
            return Some(Self::Here);
        };
        if let Some(callback) = url("callback") {
            return Some(Self::Program { redirect, callback });
        }
        let browser = value.get("browser")?.as_str().map(str::to_owned);
        Some(Self::Page { redirect, browser })
    }
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut values = url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value);
    let value = values.next()?.into_owned();
    // A parameter given twice has two readings.
    values.next().is_none().then_some(value)
}

/// An address of the web, without credentials in it.
fn target(url: &Url, name: &str) -> Option<Url> {
    let target = Url::parse(&parameter(url, name)?).ok()?;
    let plain = matches!(target.scheme(), "http" | "https")
        && target.username().is_empty()
        && target.password().is_none();
    plain.then_some(target)
}

/// SECURITY: a link never leads from TLS to plain text.
fn is_ours(url: &Url, snapshot: &Snapshot, sign_in: &SignIn) -> bool {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let host = url.host_str().and_then(|host| Host::parse(&format!("{host}{port}")).ok());
    url.scheme() == sign_in.url.scheme() && host.is_some_and(|host| snapshot.is_ours(&host))
}

fn origin(url: &Url) -> (String, Option<String>, Option<u16>) {
    let host = url.host_str().map(str::to_ascii_lowercase);
    (url.scheme().to_owned(), host, url.port_or_known_default())
}
