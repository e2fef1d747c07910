//! Client certificates: reading the one that was presented ([`PeerCertificate`]) and judging it by
//! the CAs that an operator trusts ([`ClientAuthority`]). Reading proves nothing; only a judgement
//! does.

mod authority;
mod leaf;
mod names;
mod revocation;

pub use authority::{ClientAuthority, Demands};
pub use leaf::PeerCertificate;
pub use names::{NameKind, NamePattern};
pub use revocation::Revocations;

use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// Why a presented certificate is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("no certificate was presented")]
    Missing,
    #[error("the certificate cannot be read")]
    Unreadable,
    #[error("the certificate is longer than 64 KiB, or has more than nine others with it")]
    TooLarge,
    #[error(
        "the certificate has a name with a control character, or of a form that names do not have"
    )]
    BadName,
    #[error("the certificate, or one above it, has expired")]
    Expired,
    #[error("the certificate, or one above it, is not valid yet")]
    NotYetValid,
    #[error("the certificate is not issued by a trusted CA")]
    UnknownIssuer,
    #[error("the certificate is not signed by the CA that it names")]
    BadSignature,
    #[error("the certificate is not for clients")]
    WrongUsage,
    #[error("more certificates stand above the certificate than `max_verify_depth` allows")]
    TooDeep,
    #[error("the certificate is revoked")]
    Revoked,
    #[error("no name of the certificate is among `match_subject_alt_names`")]
    WrongName,
    #[error("the certificate, or one above it, breaks a rule for certificates")]
    Unfit,
}

impl CertificateError {
    /// `expired`, `unknown-issuer`, … for the log.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too-large",
            Self::BadName => "bad-name",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::UnknownIssuer => "unknown-issuer",
            Self::BadSignature => "bad-signature",
            Self::WrongUsage => "wrong-usage",
            Self::TooDeep => "too-deep",
            Self::Revoked => "revoked",
            Self::WrongName => "wrong-name",
            Self::Unfit => "unfit",
        }
    }
}

/// Why what an operator trusts, or revokes, cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    #[error("it is no PEM")]
    NotPem,
    #[error("it holds no certificate")]
    NoCertificate,
    #[error("certificate {0} in it cannot be read")]
    Certificate(usize),
    #[error("certificate {0} in it is not that of a CA for clients")]
    NotCa(usize),
    #[error("it holds no revocation list")]
    NoList,
    #[error("revocation list {0} in it is not a complete one of version 2")]
    List(usize),
    #[error("revocation list {0} in it is not signed by the CA that it names")]
    ListSignature(usize),
}

impl AuthorityError {
    /// What to do about it.
    pub fn help(self) -> &'static str {
        match self {
            Self::NotPem | Self::NoCertificate | Self::Certificate(_) => {
                "give PEM with one `BEGIN CERTIFICATE` for each trusted CA"
            }
            Self::NotCa(_) => {
                "name CAs only; a single client is told by `client_certificate: {fingerprint: …}` in a policy"
            }
            Self::NoList | Self::List(_) => {
                "give PEM with `BEGIN X509 CRL`; delta and indirect lists, and lists of version 1, are not read"
            }
            Self::ListSignature(_) => "fetch the list again from the CA",
        }
    }
}

/// A whole certificate, with nothing after it.
fn read(der: &[u8]) -> Option<X509Certificate<'_>> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    rest.is_empty().then_some(certificate)
}
