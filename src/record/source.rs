//! One source: its records, and the index by which a request finds one of them.

use super::{Record, RecordKeys};
use crate::address::{AddressMap, parse_range};
use crate::document::Number;
use crate::identity::ClaimValue;
use ipnet::IpNet;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

/// The longest e-mail address there is (RFC 5321 §4.5.3.1: 64 for the local part, 255 for the domain).
const MAX_EMAIL: usize = 64 + 1 + 255;

/// The field that says by which addresses a record is found. Once that is known it is dropped.
const INDEX: &str = "$index";

/// What of a request is looked up among the ids of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForeignKey {
    /// `user.id`
    #[default]
    UserId,
    /// `user.email`
    UserEmail,
    /// `request.ip`, which is also looked up among the ranges of records.
    RequestIp,
    /// `request.client_certificate.fingerprint`
    CertificateFingerprint,
}

impl ForeignKey {
    /// As an operator writes them, the default first.
    pub const NAMES: [&str; 4] =
        ["user.id", "user.email", "request.ip", "request.client_certificate.fingerprint"];

    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "user.id" => Self::UserId,
            "user.email" => Self::UserEmail,
            "request.ip" => Self::RequestIp,
            "request.client_certificate.fingerprint" => Self::CertificateFingerprint,
            _ => return None,
        })
    }
}

/// How the records of a source are found.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoundBy {
    pub key: ForeignKey,
    /// Fold ASCII case of e-mail addresses, in records and in requests.
    pub fold_email: bool,
}

/// Records of one type.
#[derive(Debug)]
pub struct DataSource {
    records: Vec<Record>,
    index: Index,
}

/// Position of the record by what finds it.
#[derive(Debug)]
enum Index {
    /// Whatever is asked finds the first.
    Fixed,
    UserId(HashMap<Box<str>, usize>),
    Email(HashMap<Box<str>, usize>),
    FoldedEmail(HashMap<Box<str>, usize>),
    Address(Box<AddressMap<usize>>),
    Fingerprint(HashMap<[u8; 32], usize>),
}

impl DataSource {
    pub(super) fn fixed(record: Record) -> Self {
        Self { records: vec![record], index: Index::Fixed }
    }

    pub(super) fn find(&self, keys: &RecordKeys<'_>) -> Option<&Record> {
        let position = match &self.index {
            Index::Fixed => Some(&0),
            // An empty id is refused when it is added, so an empty key finds nothing.
            Index::UserId(ids) => ids.get(keys.user_id),
            Index::Email(ids) => ids.get(keys.email),
            Index::FoldedEmail(ids) => folded(keys.email, |email| ids.get(email)),
            Index::Address(ranges) => ranges.smallest(keys.ip?),
            Index::Fingerprint(ids) => ids.get(keys.fingerprint?),
        };
        self.records.get(*position?)
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

/// Asks with `email` in lower case. Gives nothing for what is longer than any address.
fn folded<T>(email: &str, ask: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    let mut buffer = [0; MAX_EMAIL];
    let lower = buffer.get_mut(..email.len())?;
    lower.copy_from_slice(email.as_bytes());
    lower.make_ascii_lowercase();
    ask(std::str::from_utf8(lower).ok()?)
}

/// Why a record cannot be found by what its source is looked up by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error("it has no `id`")]
    NoId,
    #[error("it has neither `id` nor `$index.cidr`")]
    NoAddress,
    #[error("its `id` is not text and not a whole number")]
    IdType,
    #[error("another record has the id `{0}`")]
    SameId(String),
    #[error("another record is for `{0}`")]
    SameRange(IpNet),
    #[error("its id `{0}` is not an e-mail address")]
    NotAnEmail(String),
    #[error("its id `{0}` is not an IP address")]
    NotAnAddress(String),
    #[error("its id `{0}` is not a SHA-256 fingerprint")]
    NotAFingerprint(String),
    #[error("its `$index` is not a map with `cidr` and nothing else")]
    BadIndex,
    #[error("its `$index.cidr`, `{0}`, is not an IP address or range")]
    BadRange(String),
}

impl RecordError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoId => "give each record an `id`: what the foreign key is compared with",
            Self::NoAddress | Self::NotAnAddress(_) => {
                "write `id: 192.0.2.7`, or `$index: {cidr: 192.0.2.0/24}` for a range"
            }
            Self::IdType => "put it in quotes",
            Self::SameId(_) | Self::SameRange(_) => "keep one of the two; only one can be found",
            Self::NotAnEmail(_) => "write it as `bob@example.com`",
            Self::NotAFingerprint(_) => {
                "write the SHA-256 of the certificate as 64 hexadecimal digits"
            }
            Self::BadIndex | Self::BadRange(_) => "write it as `$index: {cidr: 10.0.0.0/8}`",
        }
    }
}

/// Takes records one by one and indexes them.
#[derive(Debug)]
pub struct SourceBuilder {
    source: DataSource,
    /// Ids of records that are found by range and whose id is no address.
    names: HashSet<Box<str>>,
}

impl SourceBuilder {
    pub fn new(found_by: FoundBy) -> Self {
        let index = match found_by.key {
            ForeignKey::UserId => Index::UserId(HashMap::new()),
            ForeignKey::UserEmail if found_by.fold_email => Index::FoldedEmail(HashMap::new()),
            ForeignKey::UserEmail => Index::Email(HashMap::new()),
            ForeignKey::RequestIp => Index::Address(Box::default()),
            ForeignKey::CertificateFingerprint => Index::Fingerprint(HashMap::new()),
        };
        Self { source: DataSource { records: Vec::new(), index }, names: HashSet::new() }
    }

    /// Takes a record, or says why not and is as before.
    ///
    /// # Errors
    /// A record without what the source is looked up by, or with what another record has.
    pub fn add(&mut self, mut record: Record) -> Result<(), RecordError> {
        let position = self.source.records.len();
        let id = id(&record)?;
        match &mut self.source.index {
            Index::Fixed => {}
            Index::UserId(ids) => keep(ids, id.ok_or(RecordError::NoId)?, position)?,
            Index::Email(ids) => keep(ids, email(id)?, position)?,
            Index::FoldedEmail(ids) => keep(ids, email(id)?.to_ascii_lowercase(), position)?,
            Index::Fingerprint(ids) => {
                let id = id.ok_or(RecordError::NoId)?;
                let Some(bytes) = fingerprint(&id) else {
                    return Err(RecordError::NotAFingerprint(id));
                };
                if ids.contains_key(&bytes) {
                    return Err(RecordError::SameId(id));
                }
                ids.insert(bytes, position);
            }
            Index::Address(ranges) => {
                let found_by = addresses(id, &record, ranges, &mut self.names)?;
                for range in found_by.into_iter().flatten() {
                    ranges.insert(range, position);
                }
                record = record.without(INDEX);
            }
        }
        self.source.records.push(record);
        Ok(())
    }

    pub fn finish(mut self) -> DataSource {
        self.source.records.shrink_to_fit();
        self.source
    }
}

fn keep(
    ids: &mut HashMap<Box<str>, usize>,
    id: String,
    position: usize,
) -> Result<(), RecordError> {
    if ids.contains_key(id.as_str()) {
        return Err(RecordError::SameId(id));
    }
    ids.insert(id.into(), position);
    Ok(())
}

/// The id as text. An empty one is none.
fn id(record: &Record) -> Result<Option<String>, RecordError> {
    let id = match record.named("id") {
        None | Some(ClaimValue::Null) => return Ok(None),
        Some(ClaimValue::Text(text)) => text.clone(),
        Some(ClaimValue::Number(Number::Integer(number))) => number.to_string(),
        // A float would have lost digits of a long id.
        Some(
            ClaimValue::Number(Number::Float(_))
            | ClaimValue::Bool(_)
            | ClaimValue::List(_)
            | ClaimValue::Map(_),
        ) => return Err(RecordError::IdType),
    };
    Ok(Some(id).filter(|id| !id.is_empty()))
}

fn email(id: Option<String>) -> Result<String, RecordError> {
    let id = id.ok_or(RecordError::NoId)?;
    if id.len() > MAX_EMAIL {
        return Err(RecordError::NotAnEmail(id));
    }
    Ok(id)
}

/// The ranges by which an address finds `record`: its id if that is an address, and `$index.cidr`.
fn addresses(
    id: Option<String>,
    record: &Record,
    taken: &AddressMap<usize>,
    names: &mut HashSet<Box<str>>,
) -> Result<[Option<IpNet>; 2], RecordError> {
    let range = range(record)?;
    let address = id.as_deref().and_then(|id| id.parse::<IpAddr>().ok());
    let address = address.map(|address| IpNet::from(address.to_canonical()));
    match (address, id, range) {
        (Some(address), Some(id), _) if taken.has(&address) => return Err(RecordError::SameId(id)),
        (_, _, Some(range)) if taken.has(&range) => return Err(RecordError::SameRange(range)),
        (None, None, None) => return Err(RecordError::NoAddress),
        (None, Some(id), None) => return Err(RecordError::NotAnAddress(id)),
        (None, Some(id), Some(_)) if names.contains(id.as_str()) => {
            return Err(RecordError::SameId(id));
        }
        (None, Some(id), Some(_)) => {
            names.insert(id.into());
        }
        (Some(_), _, _) | (None, None, Some(_)) => {}
    }
    Ok([range, address])
}

fn range(record: &Record) -> Result<Option<IpNet>, RecordError> {
    let members = match record.named(INDEX) {
        None => return Ok(None),
        Some(ClaimValue::Map(members)) => members,
        Some(
            ClaimValue::Null
            | ClaimValue::Bool(_)
            | ClaimValue::Number(_)
            | ClaimValue::Text(_)
            | ClaimValue::List(_),
        ) => return Err(RecordError::BadIndex),
    };
    let text = members.get("cidr").and_then(ClaimValue::as_text).filter(|_| members.len() == 1);
    let text = text.ok_or(RecordError::BadIndex)?;
    let range = parse_range(text).ok_or_else(|| RecordError::BadRange(text.to_owned()))?;
    Ok(Some(range))
}

/// Reads 64 hexadecimal digits, or 32 pairs of them with colons between.
pub(super) fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let bytes = text.as_bytes();
    let separator = usize::from(bytes.len() == 32 * 3 - 1);
    if bytes.len() != 32 * (2 + separator) - separator {
        return None;
    }
    let mut fingerprint = [0; 32];
    for (byte, pair) in fingerprint.iter_mut().zip(bytes.chunks(2 + separator)) {
        let (digits, rest) = pair.split_at_checked(2)?;
        if !(rest.is_empty() || rest == b":") {
            return None;
        }
        let digit = |digit: &u8| char::from(*digit).to_digit(16);
        *byte =
            digits.iter().try_fold(0_u32, |sum, d| Some(sum * 16 + digit(d)?))?.try_into().ok()?;
    }
    Some(fingerprint)
}
