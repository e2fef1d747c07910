//! The provider's tokens of a session, encrypted at rest and bound to that session.

use crate::id::SessionId;
use crate::provider::ProviderTokens;
use crate::sealed::{SealNonce, Sealer};
use crate::secret::Secret;
use crate::session::SealedTokens;
use crate::time::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// Seals and opens provider tokens.
#[derive(Debug)]
pub struct Vault(Sealer);

/// So long before an access token expires the provider is asked again.
const AHEAD: Duration = Duration::from_mins(1);

impl Vault {
    /// `None` only if the library fails.
    pub fn derive(secret: &[u8; 32]) -> Option<Self> {
        Sealer::derive(secret, "lictor provider tokens 1").map(Self)
    }

    /// The tokens for the record of `id`.
    pub fn seal(
        &self,
        id: &SessionId,
        tokens: &ProviderTokens,
        nonce: SealNonce,
    ) -> Option<SealedTokens> {
        let ProviderTokens { refresh, id_token, expires } = tokens;
        let text =
            |token: &Option<Secret<String>>| token.as_ref().map(|token| token.expose().clone());
        let value = json!({
            "refresh": text(refresh),
            "id_token": text(id_token),
            "expires": expires.map(Timestamp::unix),
        });
        let sealed = self.0.seal(value.to_string().as_bytes(), id.as_str(), nonce)?;
        let refresh_at = refresh.as_ref().and(*expires).map(|expires| expires.minus(AHEAD));
        Some(SealedTokens { sealed, refresh_at })
    }

    /// The tokens in the record of `id`; `None` if they are not of this record, or not sealed here.
    pub fn open(&self, id: &SessionId, tokens: &SealedTokens) -> Option<ProviderTokens> {
        let value: Value =
            serde_json::from_slice(&self.0.open(&tokens.sealed, id.as_str())?).ok()?;
        let secret = |name: &str| Some(Secret::new(value.get(name)?.as_str()?.to_owned()));
        Some(ProviderTokens {
            refresh: secret("refresh"),
            id_token: secret("id_token"),
            expires: value.get("expires").and_then(Value::as_i64).map(Timestamp::from_unix),
        })
    }
}
