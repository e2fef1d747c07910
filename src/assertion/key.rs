//! Keys that sign assertions: P-256 (ES256) and RSA of at least 2048 bits (RS256).

use super::{der, derived};
use crate::hex::hex;
use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Map, Value, json};
use std::fmt;

/// The algorithm a key signs with. Fixed by the kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Es256,
    Rs256,
}

impl Algorithm {
    pub fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// Why a text holds no usable signing key. Never shows the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("it holds no private key")]
    NoKey,
    #[error("it is neither PEM, nor base64 of PEM, nor a private JWK")]
    Format,
    #[error("key {0} is neither P-256 nor RSA of at least 2048 bits")]
    Kind(usize),
    #[error("signing failed")]
    Signing,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// One private key with its public JWK and its id.
pub struct SigningKey {
    pair: Pair,
    kid: String,
    /// `base64url({"alg":…,"kid":…,"typ":"JWT"})`
    header: String,
    jwk: Value,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

impl SigningKey {
    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Ec(_) => Algorithm::Es256,
            Pair::Rsa(_) => Algorithm::Rs256,
        }
    }

    /// The compact JWS of `claims`.
    ///
    /// # Errors
    /// A failure of the cryptographic library.
    pub fn sign(&self, claims: &Map<String, Value>) -> Result<String, KeyError> {
        let payload = serde_json::to_vec(claims).map_err(|_| KeyError::Signing)?;
        let mut token = String::with_capacity(self.header.len() + payload.len() * 4 / 3 + 128);
        token.push_str(&self.header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = self.signature(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let rng = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => pair
                .sign(&rng, message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| KeyError::Signing),
            Pair::Rsa(pair) => {
                let mut out = vec![0; pair.public_modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &rng, message, &mut out)
                    .map_err(|_| KeyError::Signing)?;
                Ok(out)
            }
        }
    }

    fn ec(pair: EcdsaKeyPair) -> Option<Self> {
        let point = pair.public_key().as_ref().strip_prefix(&[4])?;
        let (x, y) = point.split_at_checked(32)?;
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let thumbprint = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let members = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
        Some(Self::assemble(Pair::Ec(pair), &thumbprint, members))
    }

    fn rsa(pair: RsaKeyPair) -> Option<Self> {
        let (modulus, exponent) = der::rsa_public(pair.public_key().as_ref())?;
        let (n, e) = (URL_SAFE_NO_PAD.encode(modulus), URL_SAFE_NO_PAD.encode(exponent));
        let thumbprint = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
        let members = json!({ "kty": "RSA", "n": n, "e": e });
        Some(Self::assemble(Pair::Rsa(pair), &thumbprint, members))
    }

    /// The key id is the lower-case hexadecimal SHA-256 JWK thumbprint (RFC 7638).
    fn assemble(pair: Pair, thumbprint: &str, mut jwk: Value) -> Self {
        let hash = digest::digest(&digest::SHA256, thumbprint.as_bytes());
        let kid = hex(hash.as_ref());
        let algorithm = match pair {
            Pair::Ec(_) => Algorithm::Es256,
            Pair::Rsa(_) => Algorithm::Rs256,
        };
        if let Value::Object(members) = &mut jwk {
            members.extend([
                ("kid".to_owned(), Value::from(kid.as_str())),
                ("use".to_owned(), Value::from("sig")),
                ("alg".to_owned(), Value::from(algorithm.name())),
            ]);
        }
        let header = json!({ "alg": algorithm.name(), "kid": kid, "typ": "JWT" }).to_string();
        Self { pair, kid, header: URL_SAFE_NO_PAD.encode(header), jwk }
    }
}

/// All signing keys: the first signs, all are published.
#[derive(Debug)]
pub struct SigningKeys {
    first: SigningKey,
    others: Vec<SigningKey>,
}

impl SigningKeys {
    /// Reads PEM (SEC1, PKCS#8, PKCS#1; several blocks), base64 of it, or a private JWK.
    ///
    /// # Errors
    /// Anything else, and keys of another kind or size.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(KeyError::NoKey);
        }
        if text.starts_with("-----BEGIN") {
            return Self::from_pem(text);
        }
        if text.starts_with('{') {
            return Self::from_jwk(text);
        }
        let compact: String = text.split_ascii_whitespace().collect();
        let decoded = STANDARD.decode(compact).map_err(|_| KeyError::Format)?;
        let decoded = String::from_utf8(decoded).map_err(|_| KeyError::Format)?;
        let decoded = decoded.trim();
        match decoded {
            pem if pem.starts_with("-----BEGIN") => Self::from_pem(pem),
            jwk if jwk.starts_with('{') => Self::from_jwk(jwk),
            _ => Err(KeyError::Format),
        }
    }

    /// The key that follows from the shared secret.
    ///
    /// # Errors
    /// A failure of the cryptographic library.
    pub fn derived(secret: &[u8; 32]) -> Result<Self, KeyError> {
        let scalar = derived::scalar(secret).ok_or(KeyError::Signing)?;
        Self::collect(vec![from_sec1(&sec1(&scalar))])
    }

    fn from_pem(text: &str) -> Result<Self, KeyError> {
        let blocks: Result<Vec<PrivateKeyDer<'_>>, _> =
            PrivateKeyDer::pem_slice_iter(text.as_bytes()).collect();
        let keys = blocks.map_err(|_| KeyError::Format)?;
        Self::collect(keys.iter().map(from_der).collect())
    }

    fn from_jwk(text: &str) -> Result<Self, KeyError> {
        let jwk: Value = serde_json::from_str(text).map_err(|_| KeyError::Format)?;
        let keys = match jwk.get("keys") {
            Some(Value::Array(keys)) => keys.iter().map(jwk_key).collect(),
            _ => vec![jwk_key(&jwk)],
        };
        Self::collect(keys)
    }

    fn collect(keys: Vec<Option<SigningKey>>) -> Result<Self, KeyError> {
        let numbered = keys.into_iter().enumerate();
        let keys: Result<Vec<_>, _> =
            numbered.map(|(index, key)| key.ok_or(KeyError::Kind(index + 1))).collect();
        let mut keys = keys?.into_iter();
        let first = keys.next().ok_or(KeyError::NoKey)?;
        Ok(Self { first, others: keys.collect() })
    }

    /// The key that signs.
    pub fn signing(&self) -> &SigningKey {
        &self.first
    }

    /// The JSON Web Key Set (RFC 7517 §5) of all public keys.
    pub fn jwks(&self) -> Value {
        let all = std::iter::once(&self.first).chain(&self.others);
        json!({ "keys": all.map(|key| key.jwk.clone()).collect::<Vec<_>>() })
    }
}

fn from_der(key: &PrivateKeyDer<'_>) -> Option<SigningKey> {
    match key {
        PrivateKeyDer::Pkcs1(der) => {
            RsaKeyPair::from_der(der.secret_pkcs1_der()).ok().and_then(SigningKey::rsa)
        }
        PrivateKeyDer::Sec1(der) => from_sec1(der.secret_sec1_der()),
        PrivateKeyDer::Pkcs8(der) => {
            let der = der.secret_pkcs8_der();
            match EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der) {
                Ok(pair) => SigningKey::ec(pair),
                Err(_) => RsaKeyPair::from_pkcs8(der).ok().and_then(SigningKey::rsa),
            }
        }
        _ => None,
    }
}

fn from_sec1(der: &[u8]) -> Option<SigningKey> {
    EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
        .ok()
        .and_then(SigningKey::ec)
}

/// `ECPrivateKey` (RFC 5915) of a P-256 scalar, without its public key.
fn sec1(scalar: &[u8]) -> Vec<u8> {
    const PRIME256V1: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    der::sequence(&[
        der::integer(&[1]),
        der::element(0x04, scalar),
        der::element(0xa0, &PRIME256V1),
    ])
}

fn jwk_key(jwk: &Value) -> Option<SigningKey> {
    let member = |name: &str| URL_SAFE_NO_PAD.decode(jwk.get(name)?.as_str()?).ok();
    match jwk.get("kty")?.as_str()? {
        "EC" if jwk.get("crv")?.as_str()? == "P-256" => from_sec1(&sec1(&member("d")?)),
        "RSA" => {
            let parts: Option<Vec<_>> =
                ["n", "e", "d", "p", "q", "dp", "dq", "qi"].into_iter().map(member).collect();
            let mut members = vec![der::integer(&[0])];
            members.extend(parts?.iter().map(|part| der::integer(part)));
            RsaKeyPair::from_der(&der::sequence(&members)).ok().and_then(SigningKey::rsa)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
