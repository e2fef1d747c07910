//! The provider's token endpoint: a code, or a refresh token, for tokens.

use super::discovery::Known;
use super::error::{SignInError, remark};
use super::settings::OidcSettings;
use crate::provider::http::{Http, HttpError};
use http::{Request, StatusCode};
use openidconnect::core::{
    CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreTokenResponse,
};
use openidconnect::{
    AsyncHttpClient, AuthType, AuthorizationCode, ClientId, ClientSecret, EndpointNotSet,
    EndpointSet, HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError,
    StandardErrorResponse,
};
use std::borrow::Cow;
use std::pin::Pin;
use url::Url;

/// A client that knows where to send people and where to ask for tokens.
pub(super) type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// A code as it came, with what proves that it was ours to ask for.
pub(super) struct TakenCode<'g> {
    pub(super) redirect_uri: &'g Url,
    pub(super) code: &'g str,
    pub(super) verifier: &'g str,
}

/// This server as a client of the provider.
pub(super) fn client(settings: &OidcSettings, known: &Known) -> Result<Client, SignInError> {
    let metadata = &known.metadata;
    let none = || SignInError::Misfit("there is no `token_endpoint`".to_owned());
    let token_uri = metadata.token_endpoint().cloned().ok_or_else(none)?;
    let id = ClientId::new(settings.client_id.clone());
    let client = CoreClient::new(id, known.issuer().clone(), known.keys().clone())
        .set_auth_uri(metadata.authorization_endpoint().clone())
        .set_token_uri(token_uri);
    let Some(secret) = &settings.client_secret else {
        return Ok(client);
    };
    let secret = ClientSecret::new(secret.expose().clone());
    Ok(client.set_client_secret(secret).set_auth_type(auth_type(known)?))
}

/// How the client's secret is sent; absent metadata means `client_secret_basic`.
fn auth_type(known: &Known) -> Result<AuthType, SignInError> {
    let Some(methods) = known.metadata.token_endpoint_auth_methods_supported() else {
        return Ok(AuthType::BasicAuth);
    };
    if methods.contains(&CoreClientAuthMethod::ClientSecretBasic) {
        return Ok(AuthType::BasicAuth);
    }
    if methods.contains(&CoreClientAuthMethod::ClientSecretPost) {
        return Ok(AuthType::RequestBody);
    }
    Err(SignInError::Misfit(
        "it takes no client secret, neither by header nor in a form".to_owned(),
    ))
}

/// Tokens for a code.
pub(super) async fn exchange(
    client: &Client,
    http: &Http,
    grant: &TakenCode<'_>,
) -> Result<CoreTokenResponse, SignInError> {
    let redirect_uri = RedirectUrl::from_url(grant.redirect_uri.clone());
    let request = client
        .exchange_code(AuthorizationCode::new(grant.code.to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(grant.verifier.to_owned()))
        .set_redirect_uri(Cow::Owned(redirect_uri));
    let answer = request.request_async(&TokenHttp(http)).await;
    answer.map_err(|error| failure(error, &[grant.code, grant.verifier]))
}

/// New tokens for a refresh token.
pub(super) async fn refresh(
    client: &Client,
    http: &Http,
    token: &str,
) -> Result<CoreTokenResponse, SignInError> {
    let given = RefreshToken::new(token.to_owned());
    let request = client.exchange_refresh_token(&given);
    let answer = request.request_async(&TokenHttp(http)).await;
    answer.map_err(|error| failure(error, &[token]))
}

/// Asks by `Http`, for the library. A type of its own, because a closure's future cannot be shown to be
/// sendable between threads.
struct TokenHttp<'h>(&'h Http);

impl<'c> AsyncHttpClient<'c> for TokenHttp<'_> {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: Request<Vec<u8>>) -> Self::Future {
        Box::pin(ask(self.0, request))
    }
}

/// Whatever is neither tokens nor a refusal in the provider's own words counts as no answer: a proxy
/// that fails in between must not end anybody's session.
async fn ask(http: &Http, request: Request<Vec<u8>>) -> Result<HttpResponse, HttpError> {
    let host = request.uri().host().unwrap_or_default().to_owned();
    let answer = http.ask(request).await?;
    let speaks = || serde_json::from_slice::<StandardError>(answer.body()).is_ok();
    match answer.status() {
        StatusCode::OK => Ok(answer),
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED if speaks() => Ok(answer),
        status => Err(HttpError::Unreachable(host, format!("the token endpoint answers {status}"))),
    }
}

type StandardError = StandardErrorResponse<CoreErrorResponseType>;

fn failure(error: RequestTokenError<HttpError, StandardError>, secrets: &[&str]) -> SignInError {
    match error {
        RequestTokenError::Request(error) => error.into(),
        RequestTokenError::ServerResponse(answer) => refusal(&answer, secrets),
        RequestTokenError::Parse(error, _) => {
            let place = remark(&error.path().to_string(), "", secrets);
            SignInError::BadToken(format!("the token answer cannot be read at {place}"))
        }
        RequestTokenError::Other(why) => SignInError::Unreachable(remark("", &why, secrets)),
    }
}

fn refusal(answer: &StandardError, secrets: &[&str]) -> SignInError {
    let description = answer.error_description().map(String::as_str).unwrap_or_default();
    let detail = remark(answer.error().as_ref(), description, secrets);
    match answer.error() {
        CoreErrorResponseType::InvalidGrant => SignInError::CodeRefused(detail),
        CoreErrorResponseType::InvalidClient
        | CoreErrorResponseType::InvalidRequest
        | CoreErrorResponseType::InvalidScope
        | CoreErrorResponseType::UnauthorizedClient
        | CoreErrorResponseType::UnsupportedGrantType => SignInError::Misfit(detail),
        CoreErrorResponseType::Extension(name) => match name.as_str() {
            "server_error" | "slow_down" | "temporarily_unavailable" => {
                SignInError::Unreachable(detail)
            }
            _ => SignInError::Declined(detail),
        },
    }
}
