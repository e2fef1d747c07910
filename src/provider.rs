//! Those who vouch for people: an OpenID provider, or a file of users with hashed passwords.
//! Foreign claims are never read into our own tokens or records but as claims.

mod directory;
mod http;
mod local;
mod oidc;
mod sealed;
mod throttle;
mod turnstile;

pub use directory::{DirectoryFetcher, DirectoryUrl, Etag, FetchError, Fetched};
pub use http::{is_local, is_safe};
pub use local::{LocalUsers, LoginRefusal, PasswordError, hash_password};
pub use oidc::{
    Answer, Begun, Issuer, Logout, LogoutNotice, OidcProvider, OidcSettings, RefreshError,
    SignInError,
};
pub use sealed::TokenSealer;
pub use throttle::{Throttle, Wait};
pub use turnstile::{Pass, Turnstile};

use crate::identity::Claims;
use crate::secret::Secret;
use crate::time::Timestamp;

/// What a provider says about somebody who has just signed in.
#[derive(Debug)]
pub struct Profile {
    /// Issuer of an OpenID provider, or `local`.
    pub provider: String,
    /// `sub`, or `id` in the users file.
    pub subject: String,
    /// Empty if there is none, or if the provider says that it is not verified.
    pub email: String,
    pub name: String,
    /// The groups claim; `None` if there is none.
    pub groups: Option<Vec<String>>,
    /// Everything that was said, flattened.
    pub claims: Claims,
    /// The provider's name for its session (`sid`), empty if it gave none.
    pub provider_session: String,
    pub tokens: Option<ProviderTokens>,
}

/// Tokens to come back to the provider with.
#[derive(Debug)]
pub struct ProviderTokens {
    pub refresh: Option<Secret<String>>,
    /// Shown when signing out there (`id_token_hint`).
    pub id_token: Option<Secret<String>>,
    /// When the access token expires.
    pub expires: Option<Timestamp>,
}
