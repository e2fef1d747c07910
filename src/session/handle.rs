//! A handle: the token that names a session. Its `jti` is a secret; the store, logs and lists know
//! the session by an id that is derived from it and leads back to nothing.

use crate::hex::hex;
use crate::id::SessionId;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::token::signed;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

/// The secret in a handle: 256 random bits as base64url.
#[derive(Debug)]
pub struct HandleSecret(Secret<String>);

/// What a handle says, besides its secret.
#[derive(Clone, Debug)]
pub struct Handle<'a> {
    /// The authenticate host.
    pub issuer: &'a str,
    /// The one host it is for.
    pub audience: &'a str,
    /// The user id of the session.
    pub user: &'a str,
    pub expires: Timestamp,
    /// Whether it was given to a program instead of a browser.
    pub programmatic: bool,
}

/// Bits of the hash that are kept: as many as make a second secret with the same id hopeless.
const ID_BYTES: usize = 16;

impl HandleSecret {
    /// Takes 32 random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(Secret::new(URL_SAFE_NO_PAD.encode(random)))
    }

    /// The secret of a handle that was verified.
    pub fn of_handle(jti: &str) -> Self {
        Self(Secret::new(jti.to_owned()))
    }

    /// The secret itself, to be sealed.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What everybody may know the session by.
    pub fn id(&self) -> SessionId {
        let hash = digest(&SHA256, self.0.expose().as_bytes());
        SessionId::new(&hex(hash.as_ref().get(..ID_BYTES).unwrap_or_default()))
    }

    /// A compact JWS (HS256) that names the session. Members stand in alphabetical order.
    pub fn handle(&self, says: &Handle<'_>, key: &[u8; 32], now: Timestamp) -> Secret<String> {
        let payload = json!({
            "aud": [says.audience],
            "exp": says.expires.unix(),
            "iat": now.unix(),
            "iss": says.issuer,
            "jti": self.0.expose(),
            "programatic": says.programmatic,
            "sub": says.user,
        });
        Secret::new(signed(&payload, key))
    }
}
