//! Values that only this deployment can read, and only for what they were made: AES-256-GCM
//! (NIST SP 800-38D) under a key derived for one purpose.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// Seals and opens for one purpose.
pub struct Sealer(LessSafeKey);

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(***)")
    }
}

/// The nonce of one sealed value. Random, never used twice.
pub type SealNonce = [u8; NONCE_LEN];

impl Sealer {
    /// Derives the key: HMAC-SHA-256 of `purpose` under `secret`. `None` only if the library fails.
    pub fn derive(secret: &[u8; 32], purpose: &str) -> Option<Self> {
        let key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), purpose.as_bytes());
        let key = UnboundKey::new(&AES_256_GCM, key.as_ref()).ok()?;
        Some(Self(LessSafeKey::new(key)))
    }

    /// `plain` sealed, as base64url. Opens only with the same `context`.
    pub fn seal(&self, plain: &[u8], context: &str, nonce: SealNonce) -> Option<String> {
        let mut sealed = plain.to_vec();
        let aad = Aad::from(context.as_bytes());
        let unique = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_append_tag(unique, aad, &mut sealed).ok()?;
        Some(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// What was sealed; `None` if it was not, not for this, or was changed.
    pub fn open(&self, text: &str, context: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let aad = Aad::from(context.as_bytes());
        let plain = self.0.open_in_place(nonce, aad, &mut sealed).ok()?;
        Some(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::Sealer;

    #[test]
    fn opens_only_for_what_it_was_made() {
        let sealer = Sealer::derive(&[7; 32], "one").expect("a sealer");
        let sealed = sealer.seal(b"hello", "here", [1; 12]).expect("sealed");
        assert_eq!(sealer.open(&sealed, "here").as_deref(), Some(b"hello".as_slice()));
        assert_eq!(sealer.open(&sealed, "there"), None);
        for (secret, purpose) in [([7; 32], "two"), ([8; 32], "one")] {
            let other = Sealer::derive(&secret, purpose).expect("a sealer");
            assert_eq!(other.open(&sealed, "here"), None, "{purpose}");
        }
        for position in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("ASCII");
            assert_ne!(sealer.open(&changed, "here").as_deref(), Some(b"hello".as_slice()));
        }
        for short in ["", "AAAA", &sealed[..20]] {
            assert_eq!(sealer.open(short, "here"), None, "{short}");
        }
    }
}
