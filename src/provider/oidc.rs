//! Sign-in at any `OpenID` provider: authorization code with PKCE, nonce and state, ID token and
//! `UserInfo`, refresh, and signing out on either side. Remembers what the provider says of itself and
//! nothing else: an attempt is the caller's to keep.

mod discovery;
mod error;
mod id_token;
mod jws;
mod logout;
mod profile;
mod settings;
mod token_endpoint;
mod user_info;

pub use error::{RefreshError, SignInError};
pub use logout::LogoutNotice;
pub use settings::{Issuer, OidcSettings};

use super::http::{Bounds, Http};
use super::{Profile, ProviderTokens};
use crate::identity::ClaimValue;
use crate::secret::Secret;
use crate::time::Timestamp;
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use discovery::{Discovery, Known};
use id_token::{Expectation, IdTokenError};
use jws::{JwsError, Members, UnverifiedJws, members};
use openidconnect::core::{CoreAuthenticationFlow, CoreTokenResponse};
use openidconnect::{
    CsrfToken, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, TokenResponse,
};
use profile::Said;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use token_endpoint::{TakenCode, client, exchange};
use url::Url;

/// A provider that people sign in at.
#[derive(Debug)]
pub struct OidcProvider {
    settings: Arc<OidcSettings>,
    discovery: Discovery,
}

/// A sign-in that has begun. The caller keeps the three secrets, bound to this browser, until the
/// provider's answer with that `state` comes, and then uses them once.
pub struct Begun {
    /// Where the browser goes.
    pub url: Url,
    pub state: Secret<String>,
    pub nonce: Secret<String>,
    pub verifier: Secret<String>,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL holds state and nonce.
        f.debug_struct("Begun").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

/// What came back, and what was kept for it. Its `state` is the caller's to have checked.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// The same as at the beginning.
    pub redirect_uri: &'a Url,
    pub code: &'a str,
    /// The parameter `iss` (RFC 9207), if it was there.
    pub issuer: Option<&'a str>,
    pub nonce: &'a Secret<String>,
    pub verifier: &'a Secret<String>,
}

impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// A longer code is none; no provider sends one.
const MAX_CODE_BYTES: usize = 8 * 1024;

impl OidcProvider {
    /// Asks nobody yet.
    pub fn new(settings: Arc<OidcSettings>) -> Self {
        let (text, url) = (settings.issuer.as_str(), settings.issuer.url());
        let issuer = IssuerUrl::new(text.to_owned());
        let issuer = issuer.unwrap_or_else(|_| IssuerUrl::from_url(url.clone()));
        let discovery = Discovery::new(Http::new(url, Bounds::SMALL), issuer);
        Self { settings, discovery }
    }

    pub fn settings(&self) -> &OidcSettings {
        &self.settings
    }

    /// Begins a sign-in that comes back to `redirect_uri`.
    ///
    /// # Errors
    /// A provider that cannot be asked about itself, or says what cannot be.
    pub async fn begin(&self, redirect_uri: &Url, now: Timestamp) -> Result<Begun, SignInError> {
        let known = self.discovery.known(now).await?;
        let (state, nonce, verifier) = (random()?, random()?, random()?);
        let (sent_state, sent_nonce) = (state.expose().clone(), nonce.expose().clone());
        let kept = PkceCodeVerifier::new(verifier.expose().clone());
        let settings = &self.settings;
        let client = client(settings, &known)?;
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(sent_state),
                || Nonce::new(sent_nonce),
            )
            .set_redirect_uri(Cow::Owned(RedirectUrl::from_url(redirect_uri.clone())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&kept));
        // The library asks for `openid` itself.
        for scope in settings.scopes.iter().filter(|scope| *scope != "openid") {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        for (name, value) in &settings.request_params {
            request = request.add_extra_param(name, value);
        }
        let (url, ..) = request.url();
        Ok(Begun { url, state, nonce, verifier })
    }

    /// Ends a sign-in: takes the code to the provider, and everything that comes back apart.
    ///
    /// # Errors
    /// Anything that is not exactly as it should be.
    pub async fn finish(&self, answer: Answer<'_>, now: Timestamp) -> Result<Profile, SignInError> {
        let known = self.discovery.known(now).await?;
        check_issuer(&known, answer.issuer)?;
        if answer.code.is_empty() || answer.code.len() > MAX_CODE_BYTES {
            return Err(SignInError::CodeRefused("it is empty, or far too long".to_owned()));
        }
        let (redirect_uri, code) = (answer.redirect_uri, answer.code);
        let grant = TakenCode { redirect_uri, code, verifier: answer.verifier.expose() };
        let client = client(&self.settings, &known)?;
        let tokens = exchange(&client, &self.discovery.http, &grant).await?;
        let id_token = self.id_token(&known, &tokens, Some(answer.nonce.expose()), now).await?;
        let id_token =
            id_token.ok_or_else(|| SignInError::BadToken("there is no ID token".to_owned()))?;
        let subject = text(&id_token, "sub").unwrap_or_default().to_owned();
        let more = self.user_info(&known, &tokens, &subject).await?;
        let profile = self.profile(&known, id_token, more)?;
        Ok(Profile { tokens: Some(kept(&tokens, None, now)), ..profile })
    }

    /// Asks whether a sign-in still stands, and for what is true of the person now. `subject` is who
    /// they were then; the tokens in the answer take the place of `tokens`.
    ///
    /// # Errors
    /// See [`RefreshError::is_final`].
    pub async fn refresh(
        &self,
        tokens: &ProviderTokens,
        subject: &str,
        now: Timestamp,
    ) -> Result<Profile, RefreshError> {
        let none = || RefreshError::Refused("there is no refresh token".to_owned());
        let given = tokens.refresh.as_ref().ok_or_else(none)?;
        let known = self.discovery.known(now).await?;
        let client = client(&self.settings, &known)?;
        let http = &self.discovery.http;
        let fresh = token_endpoint::refresh(&client, http, given.expose()).await?;
        let id_token = self.id_token(&known, &fresh, None, now).await?;
        if id_token.as_ref().is_some_and(|token| text(token, "sub") != Some(subject)) {
            return Err(RefreshError::Unbelievable("the ID token is of somebody else".to_owned()));
        }
        let more = self.user_info(&known, &fresh, subject).await?;
        // Without a new ID token, `UserInfo` is newer than the one that was accepted then.
        let (first, second) = match id_token {
            Some(id_token) => (id_token, more),
            None => (more, accepted_then(tokens, subject)),
        };
        let profile = self.profile(&known, first, second)?;
        Ok(Profile { tokens: Some(kept(&fresh, Some(tokens), now)), ..profile })
    }

    /// Where a browser goes to sign out at the provider too (RP-Initiated Logout 1.0); `None` if the
    /// provider has no such page, or cannot be asked for it.
    pub async fn logout_url(&self, logout: Logout<'_>, now: Timestamp) -> Option<Url> {
        let known = self.discovery.known(now).await.ok()?;
        let page = known.metadata.additional_metadata().end_session_endpoint.as_ref()?;
        let mut url = page.url().clone();
        let mut query = url.query_pairs_mut();
        query.append_pair("client_id", &self.settings.client_id);
        if let Some(token) = logout.id_token {
            query.append_pair("id_token_hint", token.expose());
        }
        query.append_pair("post_logout_redirect_uri", logout.redirect_uri.as_str());
        query.append_pair("state", logout.state);
        drop(query);
        Some(url)
    }

    /// Verifies a logout token that somebody sent. The caller refuses an `id` that it has seen.
    ///
    /// # Errors
    /// Anything that is not exactly as it should be; `Unreachable` if that could not be found out.
    pub async fn logout_token(
        &self,
        jwt: &str,
        now: Timestamp,
    ) -> Result<LogoutNotice, SignInError> {
        let refused = |why: JwsError| SignInError::BadToken(why.to_string());
        let jws = UnverifiedJws::parse(jwt, &logout::TYPES).map_err(refused)?;
        let known = self.discovery.known(now).await?;
        let said = match jws.verify(known.keys()) {
            Err(JwsError::UnknownKey) => {
                let known = self.discovery.with_new_keys(&known, now).await;
                let known = known.ok_or_else(|| refused(JwsError::UnknownKey))?;
                jws.verify(known.keys())
            }
            said => said,
        };
        let us = (known.issuer().as_str(), self.settings.client_id.as_str());
        logout::notice(&said.map_err(refused)?, us, now)
    }

    /// The members of the ID token among `tokens`, verified; `None` if there is none.
    async fn id_token(
        &self,
        known: &Known,
        tokens: &CoreTokenResponse,
        nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Members>, IdTokenError> {
        let Some(token) = tokens.id_token() else {
            return Ok(None);
        };
        let client = self.settings.client_id.as_str();
        let expected = Expectation { client, nonce, access_token: tokens.access_token() };
        let members = match expected.verify(token, known, now) {
            Err(IdTokenError::UnknownKey) => match self.discovery.with_new_keys(known, now).await {
                Some(known) => expected.verify(token, &known, now),
                None => Err(IdTokenError::UnknownKey),
            },
            members => members,
        };
        members.map(Some)
    }

    async fn user_info(
        &self,
        known: &Known,
        tokens: &CoreTokenResponse,
        subject: &str,
    ) -> Result<Members, SignInError> {
        user_info::user_info(&self.discovery, known, tokens.access_token(), subject).await
    }

    fn profile(
        &self,
        known: &Known,
        first: Members,
        second: Members,
    ) -> Result<Profile, SignInError> {
        let (issuer, groups_claim) = (known.issuer().as_str(), &*self.settings.groups_claim);
        Said { issuer, first, second, groups_claim }.profile()
    }
}

/// Signing out at the provider.
#[derive(Clone, Copy, Debug)]
pub struct Logout<'l> {
    pub id_token: Option<&'l Secret<String>>,
    /// Where the browser comes back to; known to the provider.
    pub redirect_uri: &'l Url,
    /// Comes back too.
    pub state: &'l str,
}

/// RFC 9207: an answer that names its issuer, or must, is of this one.
fn check_issuer(known: &Known, given: Option<&str>) -> Result<(), SignInError> {
    let always =
        known.metadata.additional_metadata().authorization_response_iss_parameter_supported;
    match given {
        Some(given) if given == known.issuer().as_str() => Ok(()),
        Some(_) => Err(SignInError::WrongIssuer("`iss` names another".to_owned())),
        None if always == Some(true) => {
            Err(SignInError::WrongIssuer("`iss` is missing, which it always sends".to_owned()))
        }
        None => Ok(()),
    }
}

/// The ID token of the sign-in, which was verified then, or at least its subject.
fn accepted_then(tokens: &ProviderTokens, subject: &str) -> Members {
    let payload = tokens.id_token.as_ref().and_then(|token| {
        let payload = token.expose().split('.').nth(1).and_then(members);
        payload.filter(|payload| text(payload, "sub") == Some(subject))
    });
    let subject = || ClaimValue::Text(subject.to_owned());
    payload.unwrap_or_else(|| Members::from([("sub".to_owned(), subject())]))
}

fn text<'m>(members: &'m Members, name: &str) -> Option<&'m str> {
    members.get(name).and_then(ClaimValue::as_text)
}

/// What is worth keeping of `fresh`; what it lacks stays as it was `before`.
fn kept(
    fresh: &CoreTokenResponse,
    before: Option<&ProviderTokens>,
    now: Timestamp,
) -> ProviderTokens {
    let copy = |token: &Secret<String>| Secret::new(token.expose().clone());
    let refresh = fresh.refresh_token().filter(|token| !token.secret().is_empty());
    let refresh = refresh.map(|token| Secret::new(token.secret().clone()));
    let id_token = fresh.id_token().map(|token| Secret::new(token.to_string()));
    ProviderTokens {
        refresh: refresh.or_else(|| before?.refresh.as_ref().map(copy)),
        id_token: id_token.or_else(|| before?.id_token.as_ref().map(copy)),
        expires: fresh.expires_in().map(|span| now.plus(span)),
    }
}

/// 256 random bits as text.
fn random() -> Result<Secret<String>, SignInError> {
    let mut bytes = [0; 32];
    let none = |_| SignInError::Unreachable("no randomness to be had".to_owned());
    rand::fill(&mut bytes).map_err(none)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}
