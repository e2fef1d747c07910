//! Who may vouch for clients, and the judgement of a presented certificate.

use super::revocation::Revocations;
use super::{AuthorityError, CertificateError, NamePattern, PeerCertificate, read};
use crate::time::Timestamp;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use std::sync::Arc;
use std::time::Duration;
use webpki::{
    ALL_VERIFICATION_ALGS, EndEntityCert, Error, KeyUsage, VerifiedPath, anchor_from_trusted_cert,
};
use x509_parser::certificate::X509Certificate;
use x509_parser::x509::X509Version;

/// What is asked of a client certificate besides a trusted CA.
#[derive(Clone, Debug)]
pub struct Demands {
    pub revocations: Arc<Revocations>,
    /// One of them must match; none given, none is asked for.
    pub names: Arc<[NamePattern]>,
    /// How many certificates may stand above the client's own; `None` for any number.
    pub max_depth: Option<usize>,
}

impl Default for Demands {
    fn default() -> Self {
        Self { revocations: Arc::default(), names: Arc::default(), max_depth: Some(1) }
    }
}

/// Trusted CAs and what else is asked of the certificates below them.
#[derive(Debug)]
pub struct ClientAuthority {
    anchors: Vec<TrustAnchor<'static>>,
    /// Of each of `anchors`.
    bounds: Vec<Bounds>,
    demands: Demands,
}

/// What a CA's own certificate says of itself.
#[derive(Debug)]
struct Bounds {
    not_before: i64,
    not_after: i64,
    path_length: Option<u32>,
}

impl ClientAuthority {
    /// Trusts every certificate in `pem`.
    ///
    /// # Errors
    /// No certificate, one that is not a CA's, or a revocation list that one of these CAs did not sign.
    pub fn new(pem: &str, demands: Demands) -> Result<Self, AuthorityError> {
        let sections = CertificateDer::pem_slice_iter(pem.as_bytes());
        let bundle: Vec<_> =
            sections.collect::<Result<_, _>>().map_err(|_| AuthorityError::NotPem)?;
        if bundle.is_empty() {
            return Err(AuthorityError::NoCertificate);
        }
        let mut authority = Self { anchors: Vec::new(), bounds: Vec::new(), demands };
        let mut keys = Vec::new();
        for (index, der) in bundle.iter().enumerate() {
            let unreadable = AuthorityError::Certificate(index + 1);
            let anchor = anchor_from_trusted_cert(der).map_err(|_| unreadable)?.to_owned();
            let certificate = read(der).ok_or(unreadable)?;
            // A certificate of version 1 cannot say that it is a CA's; the operator says so.
            if certificate.version() != X509Version::V1 && !may_sign(&certificate) {
                return Err(AuthorityError::NotCa(index + 1));
            }
            keys.push((anchor.subject.to_vec(), certificate.public_key().raw.to_vec()));
            authority.bounds.push(Bounds::of(&certificate));
            authority.anchors.push(anchor);
        }
        let keys: Vec<_> = keys.iter().map(|(name, key)| (&**name, &**key)).collect();
        match authority.demands.revocations.forged(&keys) {
            Some(number) => Err(AuthorityError::ListSignature(number)),
            None => Ok(authority),
        }
    }

    /// The positions of the revocation lists that one of these CAs issued.
    pub fn lists(&self) -> Vec<usize> {
        let names = self.anchors.iter().map(|anchor| anchor.subject.as_ref());
        names.flat_map(|name| self.demands.revocations.by(name)).collect()
    }

    /// Whether `certificate` is good at `now`.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn judge(
        &self,
        certificate: &PeerCertificate,
        now: Timestamp,
    ) -> Result<(), CertificateError> {
        let leaf = EndEntityCert::try_from(certificate.leaf()).map_err(|error| told(&error))?;
        let seconds = u64::try_from(now.unix()).unwrap_or_default();
        let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let path_is_good = |path: &VerifiedPath<'_>| self.check_path(path, time);
        leaf.verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &self.anchors,
            certificate.others(),
            time,
            KeyUsage::client_auth(),
            None,
            Some(&path_is_good),
        )
        .map_err(|error| told(&error))?;
        if self.demands.revocations.contains(leaf.issuer(), leaf.serial()) {
            return Err(CertificateError::Revoked);
        }
        let names = &self.demands.names;
        if !names.is_empty() && !names.iter().any(|name| name.matches(certificate.names())) {
            return Err(CertificateError::WrongName);
        }
        Ok(())
    }

    /// What a chain of good signatures must fulfil besides. An error lets another chain be tried.
    fn check_path(&self, path: &VerifiedPath<'_>, time: UnixTime) -> Result<(), Error> {
        let between = path.intermediate_certificates().count();
        if self.demands.max_depth.is_some_and(|depth| between >= depth) {
            return Err(Error::MaximumPathDepthExceeded);
        }
        let mut anchors = self.anchors.iter().zip(&self.bounds);
        let found = anchors.find(|(anchor, _)| std::ptr::eq(*anchor, path.anchor()));
        let (_, bounds) = found.ok_or(Error::UnknownIssuer)?;
        bounds.check(between, time)
    }
}

impl Bounds {
    fn of(certificate: &X509Certificate<'_>) -> Self {
        let constraints = certificate.basic_constraints().ok().flatten();
        Self {
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            path_length: constraints.and_then(|found| found.value.path_len_constraint),
        }
    }

    fn check(&self, between: usize, time: UnixTime) -> Result<(), Error> {
        let at = |seconds: i64| {
            UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
        };
        if time < at(self.not_before) {
            return Err(Error::CertNotValidYet { time, not_before: at(self.not_before) });
        }
        if time > at(self.not_after) {
            return Err(Error::CertExpired { time, not_after: at(self.not_after) });
        }
        match self.path_length.map(|length| usize::try_from(length).unwrap_or(usize::MAX)) {
            Some(length) if between > length => Err(Error::PathLenConstraintViolated),
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether a certificate says that it is a CA's whose certificates clients may show.
pub(super) fn may_sign(certificate: &X509Certificate<'_>) -> bool {
    let is_ca = certificate
        .basic_constraints()
        .is_ok_and(|found| found.is_some_and(|constraints| constraints.value.ca));
    let signs = certificate
        .key_usage()
        .is_ok_and(|found| found.is_none_or(|usage| usage.value.key_cert_sign()));
    let for_clients = certificate
        .extended_key_usage()
        .is_ok_and(|found| found.is_none_or(|usage| usage.value.any || usage.value.client_auth));
    is_ca && signs && for_clients
}

fn told(error: &Error) -> CertificateError {
    if matches!(error, Error::CertExpired { .. }) {
        CertificateError::Expired
    } else if matches!(error, Error::CertNotValidYet { .. }) {
        CertificateError::NotYetValid
    } else if matches!(error, Error::UnknownIssuer) {
        CertificateError::UnknownIssuer
    } else if matches!(error, Error::InvalidSignatureForPublicKey) {
        CertificateError::BadSignature
    } else if matches!(error, Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension) {
        CertificateError::WrongUsage
    } else if matches!(error, Error::MaximumPathDepthExceeded) {
        CertificateError::TooDeep
    } else {
        CertificateError::Unfit
    }
}
