//! To an `OpenID` provider and back.

use super::{authenticate_host, begin_again, onward, open, provider, use_once};
use crate::pages::Message;
use crate::provider::{Answer, OidcProvider, SignInError};
use crate::secret::Secret;
use crate::sign_in::{Attempt, BrowserKey, Goal, SignInWish};
use crate::state::{Provider, SignIn};
use crate::web::answer::{Trouble, lead, with};
use crate::web::site::{Desk, throttle};
use crate::web::visit::Visit;
use axum::response::Response;
use url::Url;

/// Leads to the provider.
pub(super) async fn to_provider(
    visit: &Visit,
    desk: &Desk,
    (sign_in, provider): (&SignIn, &OidcProvider),
    browser: &BrowserKey,
    goal: Goal,
) -> Result<Response, Trouble> {
    let started = provider.begin(&callback_url(sign_in), visit.now).await;
    let started = started.map_err(|error| provider_trouble(&error))?;
    let attempt = Attempt {
        goal,
        browser: browser.hash(),
        nonce: started.nonce.expose().clone(),
        verifier: started.verifier.expose().clone(),
        expires: Attempt::expiry(visit.now),
    };
    let state = desk.sealers.seal_attempt(&attempt)?;
    let mut url = with_state(started.url, &state);
    if let Goal::Console { sign_in: SignInWish::Anew, .. } = &attempt.goal {
        // OpenID Connect Core 1.0 §3.1.2.1: being signed in there is not enough either.
        url.query_pairs_mut().append_pair("prompt", "login").append_pair("max_age", "0");
    }
    Ok(lead(&url))
}

/// `GET /oauth2/callback`: back from the provider.
pub(in crate::web) async fn provider_callback(visit: Visit) -> Response {
    let answer = returned(&visit).await;
    visit.answer(answer)
}

async fn returned(visit: &Visit) -> Result<Response, Trouble> {
    let sign_in = authenticate_host(visit)?;
    let desk = visit.desk()?;
    let Provider::Oidc(provider) = provider(sign_in)? else {
        return Err(Trouble::of(Message::NotFound));
    };
    let state = visit.parameter("state").unwrap_or_default();
    let attempt = desk.sealers.open_attempt(&state, visit.browser().as_ref(), visit.now);
    let again = begin_again(visit, desk.sealers.goal(&state).as_ref());
    let Some(attempt) = attempt else {
        return Err(Trouble { again, ..Trouble::of(Message::LinkInvalid) });
    };
    let came_back = came_back(visit, (sign_in, provider), attempt, &state).await;
    came_back.map_err(|trouble| Trouble { again, ..trouble })
}

/// Somebody who began in this very browser is back.
async fn came_back(
    visit: &Visit,
    (sign_in, provider): (&SignIn, &OidcProvider),
    attempt: Attempt,
    state: &str,
) -> Result<Response, Trouble> {
    let desk = visit.desk()?;
    let admitted = admit(visit, desk);
    if let Some(error) = visit.parameter("error") {
        let description = visit.parameter("error_description").unwrap_or_default();
        let error = SignInError::answered(&error, &description);
        return Err(failed(visit, desk, &error, admitted).await?);
    }
    if !admitted {
        return Err(Trouble::of(Message::StoreAway));
    }
    use_once(visit, desk, state, attempt.expires).await?;
    let (nonce, verifier) = (Secret::new(attempt.nonce), Secret::new(attempt.verifier));
    let code = visit.parameter("code").unwrap_or_default();
    let (redirect_uri, issuer) = (callback_url(sign_in), visit.parameter("iss"));
    let answer = Answer {
        redirect_uri: &redirect_uri,
        code: &code,
        issuer: issuer.as_deref(),
        nonce: &nonce,
        verifier: &verifier,
    };
    let profile = match provider.finish(answer, visit.now).await {
        Ok(profile) => profile,
        Err(error) => return Err(failed(visit, desk, &error, admitted).await?),
    };
    throttle(desk).succeeded(&tried_from(visit), visit.origin.address.parse().ok());
    let (signed_in, cookies) = open(visit, sign_in, profile).await?;
    Ok(with(lead(&onward(visit, sign_in, &attempt.goal, &signed_in)?), cookies))
}

/// Whether this address may come back from the provider once more: each time may write a row, and asks
/// the provider. One that is not known is not counted; it would be everybody's.
type Admitted = bool;

fn admit(visit: &Visit, desk: &Desk) -> Admitted {
    let Ok(address) = visit.origin.address.parse() else {
        return true;
    };
    throttle(desk).admit(&tried_from(visit), Some(address), visit.now).is_ok()
}

/// By which name the throttle counts somebody who comes back from the provider.
fn tried_from(visit: &Visit) -> String {
    format!("provider {}", visit.origin.address)
}

/// Writes a failure down, as often as one address may fail, and says what the person is told.
async fn failed(
    visit: &Visit,
    desk: &Desk,
    error: &SignInError,
    admitted: Admitted,
) -> Result<Trouble, Trouble> {
    if admitted {
        desk.people.note_failed_sign_in("", error.code(), visit.moment()).await?;
    }
    Ok(provider_trouble(error))
}

/// What a person is told of a failure at the provider; the log is told all.
pub(in crate::web) fn provider_trouble(error: &SignInError) -> Trouble {
    tracing::warn!(%error, code = error.code(), "sign-in at the provider failed");
    let message = match error {
        SignInError::Unreachable(_) => Message::ProviderAway,
        SignInError::Declined(_) | SignInError::CodeRefused(_) => Message::ProviderRefused,
        SignInError::Misfit(_)
        | SignInError::WrongIssuer(_)
        | SignInError::BadToken(_)
        | SignInError::BadProfile(_) => Message::ProviderWrong,
    };
    Trouble { detail: error.code().to_owned(), ..Trouble::of(message) }
}

/// The provider's page, with the `state` that holds the attempt.
fn with_state(mut url: Url, state: &str) -> Url {
    let kept = url.query_pairs().filter(|(name, _)| name != "state");
    let pairs: Vec<(String, String)> =
        kept.map(|(a, b)| (a.into_owned(), b.into_owned())).collect();
    url.query_pairs_mut().clear().extend_pairs(pairs).append_pair("state", state);
    url
}

fn callback_url(sign_in: &SignIn) -> Url {
    let mut url = sign_in.url.clone();
    url.set_path("/oauth2/callback");
    url
}
