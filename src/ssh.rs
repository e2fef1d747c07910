//! SSH public keys and certificates as policies need them: which key was presented, and which
//! authority vouches for it. Holds no private keys and speaks no SSH.

mod certificate;
mod key;
mod wire;

pub use certificate::Certificate;
pub use key::{KeyError, PublicKey};

use crate::time::Timestamp;

/// The longest key or certificate looked at, in bytes.
const MAX_BLOB: usize = 64 * 1024;

/// What a client offered to prove itself with, as it came over the wire.
#[derive(Clone, Debug, PartialEq)]
pub enum PresentedKey {
    /// A key without anybody vouching for it; so is a certificate that is not good by itself.
    Plain(Box<[u8]>),
    Certificate(Certificate),
}

impl PresentedKey {
    /// Reads any bytes. What is longer than 64 KiB is taken for no key at all: an empty one.
    pub fn read(blob: &[u8]) -> Self {
        if blob.len() > MAX_BLOB {
            return Self::Plain(Box::default());
        }
        Certificate::read(blob).map_or_else(|| Self::Plain(blob.into()), Self::Certificate)
    }

    /// The bytes as they came: of a certificate, not of the key in it.
    pub fn blob(&self) -> &[u8] {
        match self {
            Self::Plain(blob) => blob,
            Self::Certificate(certificate) => certificate.blob(),
        }
    }

    /// Whether exactly this key was presented. A certificate is not the key it is for.
    pub fn is(&self, key: &PublicKey) -> bool {
        self.blob() == key.blob()
    }

    /// Whether this is a certificate by which `ca` lets its holder sign in as `username` at `now`. A
    /// certificate that names no user names nobody.
    pub fn is_signed_by(&self, ca: &PublicKey, username: &str, now: Timestamp) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Certificate(certificate) => {
                certificate.is_by(ca) && certificate.names(username) && certificate.is_valid_at(now)
            }
        }
    }
}

#[cfg(test)]
mod tests;
