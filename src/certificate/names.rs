//! The subject alternative names of a certificate, and patterns for them.

use super::CertificateError;
use crate::pattern::{Pattern, PatternError};
use std::net::IpAddr;
use x509_parser::asn1_rs::{Any, Class, FromDer, Oid, Tag, Utf8String, oid};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, SubjectAlternativeName};
use x509_parser::oid_registry::OID_X509_EXT_SUBJECT_ALT_NAME;

/// Microsoft's user principal name.
const USER_PRINCIPAL_NAME: Oid<'static> = oid!(1.3.6.1.4.1.311.20.2.3);

/// What a certificate calls its holder, kind by kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) dns: Vec<String>,
    pub(super) emails: Vec<String>,
    pub(super) uris: Vec<String>,
    addresses: Vec<String>,
    user_principals: Vec<String>,
}

impl Names {
    /// SECURITY: a name with a NUL reads shorter elsewhere than it is; a certificate with such a name is
    /// not read at all.
    pub(super) fn read(certificate: &X509Certificate<'_>) -> Result<Self, CertificateError> {
        let mut extensions = certificate
            .extensions()
            .iter()
            .filter(|extension| extension.oid == OID_X509_EXT_SUBJECT_ALT_NAME);
        let Some(extension) = extensions.next() else {
            return Ok(Self::default());
        };
        let (rest, found) = SubjectAlternativeName::from_der(extension.value)
            .map_err(|_| CertificateError::BadName)?;
        if !rest.is_empty() || extensions.next().is_some() {
            return Err(CertificateError::BadName);
        }
        let mut names = Self::default();
        for name in &found.general_names {
            names.add(name).ok_or(CertificateError::BadName)?;
        }
        Ok(names)
    }

    fn add(&mut self, name: &GeneralName<'_>) -> Option<()> {
        match name {
            GeneralName::DNSName(text) => self.dns.push(plain(text)?),
            GeneralName::RFC822Name(text) => self.emails.push(plain(text)?),
            GeneralName::URI(text) => self.uris.push(plain(text)?),
            GeneralName::IPAddress(bytes) => self.addresses.push(address(bytes)?),
            GeneralName::OtherName(kind, value) if *kind == USER_PRINCIPAL_NAME => {
                self.user_principals.push(user_principal(value)?);
            }
            GeneralName::OtherName(..)
            | GeneralName::X400Address(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EDIPartyName(_)
            | GeneralName::RegisteredID(_) => {}
            GeneralName::Invalid(..) => return None,
        }
        Some(())
    }

    fn of(&self, kind: NameKind) -> &[String] {
        match kind {
            NameKind::Dns => &self.dns,
            NameKind::Email => &self.emails,
            NameKind::IpAddress => &self.addresses,
            NameKind::Uri => &self.uris,
            NameKind::UserPrincipalName => &self.user_principals,
        }
    }
}

/// Text of an `IA5String` that shows what it holds.
fn plain(text: &str) -> Option<String> {
    let shown = |byte: u8| byte.is_ascii() && !byte.is_ascii_control();
    text.bytes().all(shown).then(|| text.to_owned())
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let sixteen = || <[u8; 16]>::try_from(bytes).map(IpAddr::from);
    Some(four.or_else(|_| sixteen()).ok()?.to_canonical().to_string())
}

/// `[0] EXPLICIT UTF8String`
fn user_principal(value: &[u8]) -> Option<String> {
    let (rest, wrapper) = Any::from_der(value).ok()?;
    let wraps = wrapper.class() == Class::ContextSpecific && wrapper.tag() == Tag(0);
    let (rest_inside, text) = Utf8String::from_der(wrapper.data).ok()?;
    let text = text.string();
    let whole = wraps && rest.is_empty() && rest_inside.is_empty();
    (whole && !text.chars().any(char::is_control)).then_some(text)
}

/// A kind of subject alternative name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    Dns,
    Email,
    IpAddress,
    Uri,
    UserPrincipalName,
}

impl NameKind {
    /// As `match_subject_alt_names` calls them.
    pub const ALL: [(&'static str, Self); 5] = [
        ("dns", Self::Dns),
        ("email", Self::Email),
        ("ip_address", Self::IpAddress),
        ("uri", Self::Uri),
        ("user_principal_name", Self::UserPrincipalName),
    ];
}

/// A regular expression for whole names of one kind.
#[derive(Clone, Debug)]
pub struct NamePattern {
    kind: NameKind,
    whole: Pattern,
}

impl NamePattern {
    /// # Errors
    /// What is not a regular expression, or one that would grow too large.
    pub fn new(kind: NameKind, text: &str) -> Result<Self, PatternError> {
        Ok(Self { kind, whole: Pattern::one(text)? })
    }

    pub(super) fn matches(&self, names: &Names) -> bool {
        names.of(self.kind).iter().any(|name| self.whole.matches(name))
    }
}
