//! Signing in: to the provider or the login form and back, and from the authenticate host to the host
//! one wanted, each of which gets a cookie of its own.

mod callback;
mod login;
mod oidc;

pub(super) use callback::callback;
pub(super) use login::login;
pub(super) use oidc::{provider_callback, provider_trouble};

use super::answer::{Trouble, lead, with};
use super::site::Desk;
use super::visit::Visit;
use crate::admin::Actor;
use crate::id::{NamespaceId, SessionId};
use crate::identity::LEEWAY;
use crate::namespace::Role;
use crate::pages::Message;
use crate::people::{Ending, Opened, Opening};
use crate::provider::{Profile, ProviderTokens};
use crate::secret::Secret;
use crate::session::{Handle, HandleSecret, SessionRecord};
use crate::sign_in::{
    BrowserKey, Code, Goal, LinkError, SignInWish, callback_begin, callback_of, callback_with,
    page_of, page_of_expired, read_goal,
};
use crate::signed_url::SignedUrlError;
use crate::state::{Provider, SignIn};
use crate::store::{Once, StoreErrorKind};
use crate::time::Timestamp;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use url::Url;

type Headers = Vec<(HeaderName, HeaderValue)>;

/// Somebody who is signed in on the authenticate host, and goes on from there.
struct SignedIn {
    secret: HandleSecret,
}

/// `GET /.pomerium/sign_in`: the beginning of every sign-in.
pub(super) async fn begin(visit: Visit) -> Response {
    let answer = begun(&visit).await;
    visit.answer(answer)
}

async fn begun(visit: &Visit) -> Result<Response, Trouble> {
    let sign_in = authenticate_host(visit)?;
    let goal = read_goal(&visit.url, &visit.snapshot, sign_in, visit.now);
    let goal = goal.map_err(|error| link_trouble(visit, error))?;
    let visitor = visit.visitor().await?;
    if let Ok(used) = visitor.in_person()
        && is_enough(&goal, &used.record, visit.now)
    {
        let signed_in = SignedIn { secret: HandleSecret::of_handle(used.secret.expose()) };
        return Ok(lead(&onward(visit, sign_in, &goal, &signed_in)?));
    }
    let (browser, cookie) = browser(visit)?;
    let desk = visit.desk()?;
    let answer = match provider(sign_in)? {
        Provider::Local(_) => login::first_page(visit, desk, &browser, goal)?,
        Provider::Oidc(provider) => {
            let again = begin_again(visit, Some(&goal));
            let there = oidc::to_provider(visit, desk, (sign_in, provider), &browser, goal).await;
            there.map_err(|trouble| Trouble { again, ..trouble })?
        }
    };
    Ok(with(answer, cookie))
}

/// Whether somebody who signed in then need not do so again.
fn is_enough(goal: &Goal, record: &SessionRecord, now: Timestamp) -> bool {
    match goal {
        Goal::Console { sign_in: SignInWish::Anew, .. } => record.is_fresh(now),
        Goal::Console { .. } | Goal::Here | Goal::Page { .. } | Goal::Program { .. } => true,
    }
}

/// Where to begin again: the page that was wanted, which leads here. Empty for the own page.
fn begin_again(visit: &Visit, goal: Option<&Goal>) -> String {
    let sign_in = visit.settings().sign_in.as_ref();
    let page =
        sign_in.zip(goal).and_then(|(sign_in, goal)| page_of(goal, &visit.snapshot, sign_in));
    page.map(String::from).unwrap_or_default()
}

/// Opens a session and gives the authenticate host its cookie. SECURITY: a session that this browser
/// had before ends, so that a sign-in never goes on in somebody else's.
async fn open(
    visit: &Visit,
    sign_in: &SignIn,
    profile: Profile,
) -> Result<(SignedIn, Headers), Trouble> {
    let desk = visit.desk()?;
    if visit.snapshot.catalog.blocked.contains(&profile.subject) {
        desk.people.note_failed_sign_in(&profile.email, "user-blocked", visit.moment()).await?;
        return Err(Trouble::of(Message::NotPermitted));
    }
    // SECURITY: two cannot be one user id; the machine was there before.
    if desk.admin.is_machine(&profile.subject).await? {
        desk.people.note_failed_sign_in(&profile.email, "user-is-machine", visit.moment()).await?;
        return Err(Trouble::of(Message::NotPermitted));
    }
    if let Ok(before) = visit.visitor().await?.in_person() {
        let ending = Ending::SignOut;
        desk.people.end(&before.record.id, &ending, visit.moment()).await?;
    }
    let seal = |id: &SessionId, tokens: &ProviderTokens| {
        sign_in.tokens.as_ref()?.seal(tokens, id, visit.now).ok()
    };
    let (random, lifetime) = (random()?, sign_in.lifetime);
    let opening = Opening { profile, random, lifetime, seal: &seal };
    let Opened { record, secret } = desk.people.open(opening, visit.moment()).await?;
    close_bootstrap(visit, desk, &record).await?;
    let handle = handle(visit, sign_in, &secret, (&record.account.user, record.expires), false);
    let mut cookies = visit.cookies().clear_tossed(visit.url.host_str().unwrap_or_default());
    cookies.extend(visit.cookies().set_session(handle.expose(), record.expires, visit.now));
    Ok((SignedIn { secret }, cookies))
}

/// The bootstrap secret is for as long as no administrator has come.
async fn close_bootstrap(
    visit: &Visit,
    desk: &Desk,
    record: &SessionRecord,
) -> Result<(), Trouble> {
    let settings = visit.settings();
    let open = visit.snapshot.catalog.stored.bootstrap_closed.is_none();
    if settings.bootstrap.is_none() || !open {
        return Ok(());
    }
    let actor = Actor::of_session(record, &settings.impersonation, &visit.snapshot.directory);
    let global = NamespaceId::global();
    if actor.role(&visit.snapshot.catalog.tree, &global) == Some(Role::Admin) {
        desk.admin.close_bootstrap(&actor, visit.moment()).await.map_err(|error| {
            tracing::error!(%error, "the bootstrap secret was not turned off");
            Trouble::of(Message::StoreAway)
        })?;
    }
    Ok(())
}

/// Where somebody who is signed in goes on to.
fn onward(
    visit: &Visit,
    sign_in: &SignIn,
    goal: &Goal,
    signed_in: &SignedIn,
) -> Result<Url, Trouble> {
    let code = |browser: &str, redirect: &Url, host: &Url| {
        let code = Code {
            secret: HandleSecret::of_handle(signed_in.secret.expose()),
            expires: Code::expiry(visit.now),
            browser: browser.to_owned(),
            redirect: redirect.clone(),
        };
        let sealed = visit.desk()?.sealers.seal_code(&code, &authority(host))?;
        Ok(callback_with(&sealed, &callback_of(host), sign_in, visit.now))
    };
    match goal {
        Goal::Here => sign_in.url.join("/.pomerium/").map_err(|_| Trouble::of(Message::Fault)),
        Goal::Console { path, .. } => {
            let there = sign_in.url.join(path).ok();
            let there = there.filter(|there| {
                there.origin() == sign_in.url.origin() && there.path().starts_with("/console/")
            });
            there.ok_or_else(|| Trouble::of(Message::LinkInvalid))
        }
        Goal::Page { redirect, browser: None } => Ok(callback_begin(redirect, sign_in, visit.now)),
        Goal::Page { redirect, browser: Some(browser) } => code(browser, redirect, redirect),
        Goal::Program { redirect, callback } => code("", redirect, callback),
    }
}

/// A handle for the host of this visit.
fn handle(
    visit: &Visit,
    sign_in: &SignIn,
    secret: &HandleSecret,
    (user, expires): (&str, Timestamp),
    programmatic: bool,
) -> Secret<String> {
    let issuer = authority(&sign_in.url);
    let audience = visit.url.host_str().unwrap_or_default();
    let says = Handle { issuer: &issuer, audience, user, expires, programmatic };
    secret.handle(&says, sign_in.key.expose(), visit.now)
}

/// Remembers that a sealed value was used. SECURITY: of two who use one, the second gets nothing.
async fn use_once(
    visit: &Visit,
    desk: &Desk,
    sealed: &str,
    expires: Timestamp,
) -> Result<(), Trouble> {
    // Longer than it can be used: clocks of two replicas may be apart.
    // Twice: one replica may be ahead of the one that made it, another behind.
    let expires = expires.plus(LEEWAY).plus(LEEWAY);
    let once = Once { key: Code::used_key(sealed), value: String::new(), expires };
    match desk.people.store().keep_once(once).await {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == StoreErrorKind::Conflict => {
            tracing::warn!(address = visit.origin.address, "a one-time link was used again");
            Err(Trouble::of(Message::LinkUsed))
        }
        Err(error) => Err(error.into()),
    }
}

/// The key of this browser; a fresh one if it has none, with the cookie that keeps it.
fn browser(visit: &Visit) -> Result<(BrowserKey, Headers), Trouble> {
    if let Some(browser) = visit.browser() {
        return Ok((browser, Vec::new()));
    }
    let browser = BrowserKey::new(random()?);
    let cookie = visit.cookies().set_browser(browser.cookie());
    Ok((browser, cookie.into_iter().collect()))
}

/// Sign-in pages are only on the authenticate host.
pub(super) fn authenticate_host(visit: &Visit) -> Result<&SignIn, Trouble> {
    let sign_in = visit.sign_in()?;
    if visit.is_authenticate_host() { Ok(sign_in) } else { Err(Trouble::of(Message::NotFound)) }
}

pub(super) fn provider(sign_in: &SignIn) -> Result<&Provider, Trouble> {
    sign_in.provider.as_ref().ok_or_else(|| Trouble::of(Message::NotFound))
}

/// `host[:port]`, the default port left out.
pub(super) fn authority(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or_default())
}

fn link_trouble(visit: &Visit, error: LinkError) -> Trouble {
    let message = match error {
        LinkError::Signature(SignedUrlError::Expired) => Message::LinkExpired,
        LinkError::Signature(
            SignedUrlError::Malformed
            | SignedUrlError::BadSignature
            | SignedUrlError::IssuedInFuture,
        )
        | LinkError::Elsewhere => Message::LinkInvalid,
    };
    let sign_in = visit.settings().sign_in.as_ref();
    let page = sign_in
        .and_then(|sign_in| page_of_expired(&visit.url, &visit.snapshot, sign_in, visit.now));
    let again = page.map(String::from).unwrap_or_default();
    Trouble { detail: error.to_string(), again, ..Trouble::of(message) }
}

/// Random bytes of any length.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Trouble> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Trouble::of(Message::Fault))?;
    Ok(bytes)
}
