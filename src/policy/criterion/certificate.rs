//! Questions about the client certificate of a connection.

use super::{Doubt, Finding};
use crate::certificate::PeerCertificate;
use crate::policy::matcher::StringMatch;
use crate::policy::{Facts, Reason};
use std::borrow::Cow;
use std::collections::HashSet;

/// What is known of the client certificate of a connection.
#[derive(Clone, Copy, Debug)]
pub struct CertificateFacts<'a> {
    pub presented: bool,
    /// Whether the trusted CAs vouch for it; where none is configured, nothing is asked of it.
    pub valid: bool,
    /// Whether somebody vouches for what it says: a trusted CA, or Envoy where none is named at all.
    /// SECURITY: names that nobody vouches for are whatever their owner wrote; hashes prove themselves.
    pub vouched: bool,
    /// The certificate as it was presented, valid or not; `None` if there is none that can be read.
    pub leaf: Option<&'a PeerCertificate>,
}

impl CertificateFacts<'_> {
    /// None was presented, and none is asked for.
    pub const NOT_ASKED: Self = Self { presented: false, valid: true, vouched: true, leaf: None };
}

#[derive(Debug)]
pub(crate) enum CertificateQuestion {
    Is(CertificateMatch),
    /// One is wanted, and it is missing or not valid.
    Invalid,
}

/// What a presented certificate must be; all that is given must hold. Valid or not.
#[derive(Debug, Default)]
pub(crate) struct CertificateMatch {
    pub(in crate::policy) fingerprints: Option<HashSet<[u8; 32]>>,
    pub(in crate::policy) spki_hashes: Option<HashSet<[u8; 32]>>,
    /// Each operator of these may be met by another name.
    pub(in crate::policy) dns: Option<StringMatch>,
    pub(in crate::policy) emails: Option<StringMatch>,
    pub(in crate::policy) uris: Option<StringMatch>,
}

impl CertificateMatch {
    /// Names in doubt count where that leads to a refusal.
    fn matches(&self, leaf: &PeerCertificate, believed: bool) -> bool {
        let hash = |wanted: &Option<HashSet<[u8; 32]>>, found: &[u8; 32]| {
            wanted.as_ref().is_none_or(|wanted| wanted.contains(found))
        };
        let named = |wanted: &Option<StringMatch>, found: &[String]| {
            wanted.as_ref().is_none_or(|wanted| believed && wanted.matches_some(found))
        };
        hash(&self.fingerprints, leaf.fingerprint())
            && hash(&self.spki_hashes, leaf.spki_hash())
            && named(&self.dns, leaf.dns_names())
            && named(&self.emails, leaf.emails())
            && named(&self.uris, leaf.uris())
    }
}

impl CertificateQuestion {
    pub(super) fn ask(&self, facts: &Facts<'_>, doubt: Doubt) -> Finding<'_> {
        let certificate = facts.certificate;
        match self {
            Self::Is(wanted) => {
                let believed = certificate.vouched || doubt == Doubt::Any;
                let holds = certificate.leaf.is_some_and(|leaf| wanted.matches(leaf, believed));
                let (yes, no) =
                    (Reason::ClientCertificateOk, Reason::ClientCertificateUnauthorized);
                Finding::either(holds, yes, no)
            }
            Self::Invalid if certificate.valid => {
                Finding::of(false, Reason::ValidClientCertificate)
            }
            Self::Invalid if certificate.presented => {
                Finding::of(true, Reason::InvalidClientCertificate)
            }
            Self::Invalid => Finding::of(true, Reason::ClientCertificateRequired),
        }
    }

    pub(super) fn saw(&self, facts: &Facts<'_>) -> Cow<'static, str> {
        let certificate = facts.certificate;
        match (certificate.presented, certificate.leaf, self) {
            (false, ..) => "no certificate".into(),
            (true, None, _) => "a certificate that cannot be read".into(),
            (true, Some(_), Self::Is(_)) if !certificate.vouched => {
                "a certificate that nobody vouches for".into()
            }
            (true, Some(leaf), Self::Is(_)) => {
                let names = leaf.dns_names().len() + leaf.emails().len() + leaf.uris().len();
                let plural = if names == 1 { "" } else { "s" };
                format!("a certificate with {names} name{plural}").into()
            }
            (true, Some(_), Self::Invalid) if certificate.valid && certificate.vouched => {
                "a valid certificate".into()
            }
            (true, Some(_), Self::Invalid) if certificate.valid => {
                "a certificate, and no CA to judge it by".into()
            }
            (true, Some(_), Self::Invalid) => "a certificate that is not valid".into(),
        }
    }
}
