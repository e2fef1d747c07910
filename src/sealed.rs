//! Values that only this deployment can read, and only for what they were made: AES-256-GCM
//! (NIST SP 800-38D) under a key derived for one purpose (HKDF, RFC 5869).

use crate::secret::Secret;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use zeroize::Zeroizing;

/// Seals and opens for one purpose.
pub struct Sealer(RandomizedNonceKey);

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(***)")
    }
}

/// Why something cannot be sealed or opened. Opening says no more: it is another key, another purpose,
/// or not what was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this cannot be sealed or opened with this key for this purpose")]
pub struct SealError;

impl Sealer {
    /// With a key derived from a secret of this deployment.
    ///
    /// # Errors
    /// None that a caller could bring about.
    pub fn derive(secret: &[u8; 32], purpose: &str) -> Result<Self, SealError> {
        let mut key = [0; 32];
        let derived = Salt::new(HKDF_SHA256, &[]).extract(secret);
        let info = [purpose.as_bytes()];
        let expanded = derived.expand(&info, HKDF_SHA256).map_err(|_| SealError)?;
        expanded.fill(&mut key).map_err(|_| SealError)?;
        let key = Secret::new(key);
        RandomizedNonceKey::new(&AES_256_GCM, key.expose()).map(Self).map_err(|_| SealError)
    }

    /// `plain` sealed, as base64url. Opens only with the same `context`.
    ///
    /// # Errors
    /// No randomness.
    pub fn seal(&self, plain: &[u8], context: &str) -> Result<String, SealError> {
        let mut sealed = plain.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut sealed);
        let nonce = nonce.map_err(|_| SealError)?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &sealed].concat()))
    }

    /// What was sealed.
    ///
    /// # Errors
    /// It was not, not for this, or was changed.
    pub fn open(&self, text: &str, context: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let mut whole = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| SealError)?);
        let (nonce, sealed) = whole.split_at_mut_checked(NONCE_LEN).ok_or(SealError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
        let opened = self.0.open_in_place(nonce, Aad::from(context.as_bytes()), sealed);
        opened.map(|plain| Zeroizing::new(plain.to_vec())).map_err(|_| SealError)
    }
}

#[cfg(test)]
mod tests {
    use super::{SealError, Sealer};

    #[test]
    fn opens_only_for_what_it_was_made() {
        let key = Sealer::derive(&[7; 32], "one").expect("a sealer");
        let sealed = key.seal(b"hello", "here").expect("sealed");
        let opened = key.open(&sealed, "here").expect("opened");
        assert_eq!(opened.as_slice(), b"hello");
        assert_ne!(sealed, key.seal(b"hello", "here").expect("sealed"), "never the same twice");
        assert_eq!(key.open(&sealed, "there"), Err(SealError));
        for (secret, purpose) in [([7; 32], "two"), ([8; 32], "one")] {
            let other = Sealer::derive(&secret, purpose).expect("a sealer");
            assert_eq!(other.open(&sealed, "here"), Err(SealError), "{purpose}");
        }
        for position in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("ASCII");
            // The last character holds bits that no byte has.
            let same = key.open(&changed, "here").is_ok();
            assert!(!same, "{position}");
        }
        for short in ["", "AAAA", sealed.split_at(20).0] {
            assert_eq!(key.open(short, "here"), Err(SealError), "{short}");
        }
    }
}
