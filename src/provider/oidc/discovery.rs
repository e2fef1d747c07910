//! What a provider says of itself: its endpoints and its keys. Asked for when first needed and when
//! it has aged; whoever comes meanwhile waits for the same answer. Keys are asked for again when a
//! token names one that is not known, but not as often as anybody likes.

use super::error::{SignInError, remark};
use crate::provider::http::{Http, HttpError};
use crate::time::Timestamp;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType,
    CoreJsonWebKey, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, DiscoveryError, EndSessionUrl, IssuerUrl, ProviderMetadata,
    TokenUrl, UserInfoUrl,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use url::Url;

/// Metadata with what we need beyond `OpenID` Connect Discovery.
pub(super) type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct More {
    /// `OpenID` Connect RP-Initiated Logout 1.0
    pub(super) end_session_endpoint: Option<EndSessionUrl>,
    /// RFC 9207: every answer names its issuer.
    pub(super) authorization_response_iss_parameter_supported: Option<bool>,
}

impl AdditionalProviderMetadata for More {}

/// What is known of the provider.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) metadata: Metadata,
    discovered: Timestamp,
    keys_asked: Timestamp,
}

impl Known {
    pub(super) fn keys(&self) -> &CoreJsonWebKeySet {
        self.metadata.jwks()
    }

    pub(super) fn issuer(&self) -> &IssuerUrl {
        self.metadata.issuer()
    }
}

/// After this, what is known is asked for again.
const AGES: Duration = Duration::from_hours(1);
/// If it cannot be had again, it serves this long in all.
const LASTS: Duration = Duration::from_hours(24);
/// After a failure nobody asks for so long.
const PAUSE: Duration = Duration::from_secs(5);
/// Keys are asked for at most so often: anybody can send a token that names an unknown one.
const KEYS_PAUSE: Duration = Duration::from_secs(30);

/// Asks a provider about itself.
#[derive(Debug)]
pub(super) struct Discovery {
    pub(super) http: Http,
    issuer: IssuerUrl,
    remembered: Mutex<Remembered>,
}

#[derive(Debug, Default)]
struct Remembered {
    known: Option<Arc<Known>>,
    /// The last failure, if nothing has worked since.
    failed: Option<(Timestamp, SignInError)>,
}

impl Discovery {
    pub(super) fn new(http: Http, issuer: IssuerUrl) -> Self {
        Self { http, issuer, remembered: Mutex::default() }
    }

    /// What is known; asks if nothing is, or if it has aged.
    pub(super) async fn known(&self, now: Timestamp) -> Result<Arc<Known>, SignInError> {
        let mut remembered = self.remembered.lock().await;
        let known = remembered.known.clone().filter(|known| now < known.discovered.plus(LASTS));
        if let Some(known) = known.as_ref().filter(|known| now < known.discovered.plus(AGES)) {
            return Ok(Arc::clone(known));
        }
        let recent = remembered.failed.as_ref().filter(|(at, _)| now < at.plus(PAUSE));
        if let Some((_, error)) = recent {
            return known.ok_or_else(|| error.clone());
        }
        match self.discover(now).await {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                *remembered = Remembered { known: Some(Arc::clone(&fresh)), failed: None };
                Ok(fresh)
            }
            Err(error) => {
                remembered.failed = Some((now, error.clone()));
                known.ok_or(error)
            }
        }
    }

    /// What is known with newer keys than `used`; `None` if there are none to be had now.
    pub(super) async fn with_new_keys(&self, used: &Known, now: Timestamp) -> Option<Arc<Known>> {
        let mut remembered = self.remembered.lock().await;
        let known = remembered.known.clone()?;
        if known.keys_asked != used.keys_asked {
            return Some(known);
        }
        if now < known.keys_asked.plus(KEYS_PAUSE) {
            return None;
        }
        let keys = CoreJsonWebKeySet::fetch_async(known.metadata.jwks_uri(), &self.http).await.ok();
        let is_new = keys.is_some();
        let keys = keys.unwrap_or_else(|| known.keys().clone());
        let metadata = known.metadata.clone().set_jwks(keys);
        let fresh = Arc::new(Known { metadata, discovered: known.discovered, keys_asked: now });
        remembered.known = Some(Arc::clone(&fresh));
        is_new.then_some(fresh)
    }

    async fn discover(&self, now: Timestamp) -> Result<Known, SignInError> {
        let metadata = Metadata::discover_async(self.issuer.clone(), &self.http).await;
        let metadata = metadata.map_err(failure)?;
        let places = [
            ("authorization_endpoint", Some(metadata.authorization_endpoint().url())),
            ("token_endpoint", metadata.token_endpoint().map(TokenUrl::url)),
            ("jwks_uri", Some(metadata.jwks_uri().url())),
        ];
        for (name, place) in places {
            match place {
                None => return Err(SignInError::Misfit(format!("there is no `{name}`"))),
                Some(place) => self.accept(name, place)?,
            }
        }
        let more = metadata.additional_metadata();
        let places = [
            ("userinfo_endpoint", metadata.userinfo_endpoint().map(UserInfoUrl::url)),
            ("end_session_endpoint", more.end_session_endpoint.as_ref().map(EndSessionUrl::url)),
        ];
        for (name, place) in places {
            place.map_or(Ok(()), |place| self.accept(name, place))?;
        }
        Ok(Known { metadata, discovered: now, keys_asked: now })
    }

    /// A browser is sent to these places, and secrets are.
    fn accept(&self, name: &str, place: &Url) -> Result<(), SignInError> {
        if self.http.may_ask(place) {
            return Ok(());
        }
        Err(SignInError::Misfit(format!("`{name}` is not an https address")))
    }
}

/// Bodies are not told: whoever answers may have been asked for secrets.
fn failure(error: DiscoveryError<HttpError>) -> SignInError {
    match error {
        DiscoveryError::Request(error) => error.into(),
        DiscoveryError::Parse(error) => {
            SignInError::Misfit(format!("its description cannot be read at `{}`", error.path()))
        }
        DiscoveryError::Response(status, ..) => {
            SignInError::Unreachable(format!("it answers {status} when asked to describe itself"))
        }
        DiscoveryError::Validation(why) => SignInError::Misfit(remark("", &why, &[])),
        error @ (DiscoveryError::Other(_) | DiscoveryError::UrlParse(_) | _) => {
            SignInError::Misfit(remark("", &error.to_string(), &[]))
        }
    }
}
