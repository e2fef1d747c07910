//! Signatures of a provider, beyond those of ID tokens: which algorithms count, and reading a JWT that
//! one of its keys has signed.

use crate::identity::ClaimValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::JsonWebKey;
use openidconnect::core::{CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use std::collections::BTreeMap;

pub(super) type Members = BTreeMap<String, ClaimValue>;

/// Asymmetric algorithms alone. With `none` nobody signs; with `HS256` and its like whoever knows the
/// client's secret does, and a public key could be taken for one.
pub(super) const ALGORITHMS: [(&str, CoreJwsSigningAlgorithm); 9] = [
    ("RS256", CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256),
    ("RS384", CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384),
    ("RS512", CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512),
    ("PS256", CoreJwsSigningAlgorithm::RsaSsaPssSha256),
    ("PS384", CoreJwsSigningAlgorithm::RsaSsaPssSha384),
    ("PS512", CoreJwsSigningAlgorithm::RsaSsaPssSha512),
    ("ES256", CoreJwsSigningAlgorithm::EcdsaP256Sha256),
    ("ES384", CoreJwsSigningAlgorithm::EcdsaP384Sha384),
    ("EdDSA", CoreJwsSigningAlgorithm::EdDsa),
];

/// Why a JWT is not the provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum JwsError {
    #[error("it is not a JWT")]
    Malformed,
    #[error("it is signed by an algorithm that is not accepted")]
    Algorithm,
    #[error("it is not of the type that was expected")]
    Type,
    #[error("no key of the provider fits it")]
    UnknownKey,
    #[error("its signature is wrong")]
    Signature,
}

/// A JWT whose signature has not been looked at.
pub(super) struct UnverifiedJws<'t> {
    signed: &'t str,
    payload: &'t str,
    signature: Vec<u8>,
    algorithm: CoreJwsSigningAlgorithm,
    key: Option<String>,
}

impl<'t> UnverifiedJws<'t> {
    const MAX_BYTES: usize = 64 * 1024;

    /// Reads a compact JWS. `types` are the values of `typ` that may be there.
    pub(super) fn parse(jwt: &'t str, types: &[&str]) -> Result<Self, JwsError> {
        let (signed, signature) = jwt.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsError::Malformed)?;
        if jwt.len() > Self::MAX_BYTES || payload.contains('.') {
            return Err(JwsError::Malformed);
        }
        let header = members(header).ok_or(JwsError::Malformed)?;
        let text = |name: &str| header.get(name).map(|value| value.as_text().unwrap_or_default());
        // Whatever `crit` names is not known here (RFC 7515 §4.1.11), and a payload is JSON.
        if header.contains_key("crit") || header.contains_key("cty") {
            return Err(JwsError::Malformed);
        }
        let algorithm = ALGORITHMS.into_iter().find(|(name, _)| text("alg") == Some(name));
        let (_, algorithm) = algorithm.ok_or(JwsError::Algorithm)?;
        if let Some(given) = text("typ") {
            let given = given.to_ascii_lowercase();
            let given = given.strip_prefix("application/").unwrap_or(&given);
            if !types.contains(&given) {
                return Err(JwsError::Type);
            }
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| JwsError::Malformed)?;
        let key = text("kid").map(str::to_owned);
        Ok(Self { signed, payload, signature, algorithm, key })
    }

    /// The members, if one of `keys` has signed them.
    pub(super) fn verify(&self, keys: &CoreJsonWebKeySet) -> Result<Members, JwsError> {
        let named = |key: &&openidconnect::core::CoreJsonWebKey| {
            self.key.is_none() || key.key_id().map(|id| id.as_str()) == self.key.as_deref()
        };
        // Without a name any key may be meant, also one that is not known yet.
        let mut known = false;
        for key in keys.keys().iter().filter(named) {
            known = self.key.is_some();
            let (signed, signature) = (self.signed.as_bytes(), &self.signature);
            if key.verify_signature(&self.algorithm, signed, signature).is_ok() {
                return members(self.payload).ok_or(JwsError::Malformed);
            }
        }
        Err(if known { JwsError::Signature } else { JwsError::UnknownKey })
    }
}

/// The members of a part of a JWT, read without tolerance.
pub(super) fn members(part: &str) -> Option<Members> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    object(&bytes)
}

/// The members of a JSON object; a repeated one makes it unreadable.
pub(super) fn object(bytes: &[u8]) -> Option<Members> {
    match ClaimValue::from_json(bytes).ok()? {
        ClaimValue::Map(members) => Some(members),
        ClaimValue::Null
        | ClaimValue::Bool(_)
        | ClaimValue::Number(_)
        | ClaimValue::Text(_)
        | ClaimValue::List(_) => None,
    }
}
