//! A client certificate as it was presented: by which hashes it is known and whom it names. Nothing
//! here says that it is good.

use super::authority::may_sign;
use super::names::Names;
use super::{CertificateError, read};
use aws_lc_rs::digest::{SHA256, digest};
use percent_encoding::percent_decode_str;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// More than any chain needs; what is longer is there to cost us.
const MAX_BYTES: usize = 64 * 1024;
const MAX_CERTIFICATES: usize = 10;

/// The certificate of a client, and the untrusted ones that came with it.
#[derive(Clone, Debug)]
pub struct PeerCertificate {
    leaf: CertificateDer<'static>,
    /// Those that could stand above the leaf.
    others: Vec<CertificateDer<'static>>,
    fingerprint: [u8; 32],
    spki_hash: [u8; 32],
    names: Names,
}

impl PeerCertificate {
    /// Reads PEM. The first certificate is the client's own.
    ///
    /// # Errors
    /// No readable certificate, too many, or a name that could be read in two ways.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        if text.len() > MAX_BYTES {
            return Err(CertificateError::TooLarge);
        }
        let sections = CertificateDer::pem_slice_iter(text.as_bytes());
        let all: Vec<_> =
            sections.collect::<Result<_, _>>().map_err(|_| CertificateError::Unreadable)?;
        if all.len() > MAX_CERTIFICATES {
            return Err(CertificateError::TooLarge);
        }
        let mut all = all.into_iter();
        let leaf = all.next().ok_or(CertificateError::Unreadable)?;
        let parsed = read(&leaf).ok_or(CertificateError::Unreadable)?;
        let names = Names::read(&parsed)?;
        let (fingerprint, spki_hash) = (sha256(&leaf), sha256(parsed.public_key().raw));
        let others = all.filter(|other| read(other).is_some_and(|read| may_sign(&read)));
        Ok(Self { fingerprint, spki_hash, names, others: others.collect(), leaf })
    }

    /// Reads what Envoy sends: the same, percent-encoded. A `+` is a plus.
    ///
    /// # Errors
    /// The same.
    pub fn decode_envoy(text: &str) -> Result<Self, CertificateError> {
        if text.len() > 3 * MAX_BYTES {
            return Err(CertificateError::TooLarge);
        }
        let pem = percent_decode_str(text).decode_utf8();
        Self::from_pem(&pem.map_err(|_| CertificateError::Unreadable)?)
    }

    /// SHA-256 of the certificate.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// SHA-256 of its `SubjectPublicKeyInfo`.
    pub fn spki_hash(&self) -> &[u8; 32] {
        &self.spki_hash
    }

    /// DNS names among its subject alternative names; the common name is not one.
    pub fn dns_names(&self) -> &[String] {
        &self.names.dns
    }

    pub fn emails(&self) -> &[String] {
        &self.names.emails
    }

    pub fn uris(&self) -> &[String] {
        &self.names.uris
    }

    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    pub(super) fn leaf(&self) -> &CertificateDer<'static> {
        &self.leaf
    }

    pub(super) fn others(&self) -> &[CertificateDer<'static>] {
        &self.others
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}
