//! Certificate revocation lists: which serial numbers a CA has taken back. A list only ever takes
//! away, so an expired one still counts, and so does every reason and scope.

use super::AuthorityError;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateRevocationListDer, SubjectPublicKeyInfoDer};
use std::collections::HashSet;
use webpki::{
    ALL_VERIFICATION_ALGS, BorrowedCertRevocationList, CertRevocationList, RawPublicKeyEntity,
};
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

/// All lists of an operator.
#[derive(Debug, Default)]
pub struct Revocations(Vec<List>);

#[derive(Debug)]
struct List {
    issuer: Vec<u8>,
    serials: HashSet<Vec<u8>>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

impl Revocations {
    /// Reads PEM with one or more lists.
    ///
    /// # Errors
    /// None, or one that is not complete in itself: a delta or an indirect list.
    pub fn from_pem(pem: &str) -> Result<Self, AuthorityError> {
        let sections = CertificateRevocationListDer::pem_slice_iter(pem.as_bytes());
        let lists: Vec<_> =
            sections.collect::<Result<_, _>>().map_err(|_| AuthorityError::NotPem)?;
        if lists.is_empty() {
            return Err(AuthorityError::NoList);
        }
        let numbered = lists.iter().enumerate();
        let read =
            numbered.map(|(index, der)| List::read(der).ok_or(AuthorityError::List(index + 1)));
        read.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a list of `issuer` names `serial`; both as they stand in certificates.
    pub(super) fn contains(&self, issuer: &[u8], serial: &[u8]) -> bool {
        let mut of_issuer = self.0.iter().filter(|list| list.issuer == issuer);
        of_issuer.any(|list| list.serials.contains(significant(serial)))
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The positions of the lists by a CA of this name.
    pub(super) fn by<'l>(&'l self, name: &'l [u8]) -> impl Iterator<Item = usize> {
        let numbered = self.0.iter().enumerate();
        numbered.filter(move |(_, list)| list.issuer == name).map(|(position, _)| position)
    }

    /// The number of a list that names a CA among `keys` (name, `SubjectPublicKeyInfo`) and is signed by
    /// none of this name.
    pub(super) fn forged(&self, keys: &[(&[u8], &[u8])]) -> Option<usize> {
        let forged = |list: &List| {
            let mut named = keys.iter().filter(|(name, _)| *name == list.issuer).peekable();
            named.peek().is_some() && !named.any(|(_, key)| list.is_signed_by(key))
        };
        self.0.iter().position(forged).map(|index| index + 1)
    }
}

impl List {
    fn read(der: &[u8]) -> Option<Self> {
        let list = BorrowedCertRevocationList::from_der(der).ok()?;
        let serials = list
            .into_iter()
            .map(|revoked| revoked.ok().map(|revoked| significant(revoked.serial_number).to_vec()));
        let serials = serials.collect::<Option<_>>()?;
        let (_, parts) = CertificateRevocationList::from_der(der).ok()?;
        Some(Self {
            issuer: CertRevocationList::from(list).issuer().to_vec(),
            serials,
            signed: parts.tbs_cert_list.as_ref().to_vec(),
            signature: parts.signature_value.data.to_vec(),
        })
    }

    fn is_signed_by(&self, spki: &[u8]) -> bool {
        let spki = SubjectPublicKeyInfoDer::from(spki);
        RawPublicKeyEntity::try_from(&spki).is_ok_and(|key| {
            let mut algorithms = ALL_VERIFICATION_ALGS.iter();
            algorithms.any(|algorithm| {
                key.verify_signature(*algorithm, &self.signed, &self.signature).is_ok()
            })
        })
    }
}

/// A serial number without leading zeros, which say nothing.
fn significant(serial: &[u8]) -> &[u8] {
    let zeros = serial.iter().take_while(|byte| **byte == 0).count();
    serial.get(zeros..).unwrap_or_default()
}
