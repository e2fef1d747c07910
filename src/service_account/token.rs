//! The token of a credential: a handle. Its `jti` is a secret; everybody else knows the credential by an
//! id that is derived from it and leads back to nothing.

use super::{AccountRecord, CredentialRecord};
use crate::hex::hex;
use crate::id::CredentialId;
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::token::signed;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The secret in a token: 256 random bits as base64url.
#[derive(Debug)]
pub struct TokenSecret(Secret<String>);

/// Bits of the hash that are kept: as many as make a second secret with the same id hopeless.
const ID_BYTES: usize = 16;
/// So many characters of a token may be shown.
const HINT: usize = 4;

impl TokenSecret {
    /// Takes 32 random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(Secret::new(URL_SAFE_NO_PAD.encode(random)))
    }

    /// What everybody may know the credential by.
    pub fn id(&self) -> CredentialId {
        Self::id_of(self.0.expose())
    }

    /// The same, of the `jti` of a token that was verified.
    pub fn id_of(jti: &str) -> CredentialId {
        let hash = digest(&SHA256, jti.as_bytes());
        CredentialId::new(&hex(hash.as_ref().get(..ID_BYTES).unwrap_or_default()))
    }

    /// A compact JWS (HS256): `jti`, `sub` (the user id), `sid` (the account), `iat`, `nbf`, and `exp` if
    /// the credential ends. No issuer and no audience: where it counts is a matter of its namespace.
    pub fn token(
        &self,
        credential: &CredentialRecord,
        account: &AccountRecord,
        key: &[u8; 32],
    ) -> Secret<String> {
        let issued = credential.issued.unix();
        let mut payload = json!({
            "iat": issued,
            "jti": self.0.expose(),
            "nbf": issued,
            "sid": account.id.as_str(),
            "sub": account.user,
        });
        if let (Some(expires), Value::Object(members)) = (credential.expires, &mut payload) {
            members.insert("exp".to_owned(), Value::from(Timestamp::unix(expires)));
        }
        Secret::new(signed(&payload, key))
    }
}

/// The end of a token, to recognise it by.
pub fn hint_of(token: &Secret<String>) -> String {
    let letters: Vec<char> = token.expose().chars().rev().take(HINT).collect();
    letters.into_iter().rev().collect()
}
