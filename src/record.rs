//! Records that somebody else keeps about people, addresses and certificates: what they hold, and
//! which one a request finds. Knows neither the files they come from nor what policies ask of them.

mod source;

pub use source::{DataSource, ForeignKey, FoundBy, RecordError, SourceBuilder};

use crate::identity::ClaimValue;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What is written about one person, address or certificate.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// In the order of names. A map would have room for eleven fields where most records have three.
    fields: Box<[(Box<str>, ClaimValue)]>,
}

impl Record {
    pub fn new(fields: BTreeMap<String, ClaimValue>) -> Self {
        Self { fields: fields.into_iter().map(|(name, value)| (name.into(), value)).collect() }
    }

    /// The value at `path`: the field of exactly this name if there is one, else a walk through nested
    /// maps with `.` as separator.
    pub fn field(&self, path: &str) -> Option<&ClaimValue> {
        self.named(path).or_else(|| self.walk(path))
    }

    fn named(&self, name: &str) -> Option<&ClaimValue> {
        let found = self.fields.binary_search_by(|(other, _)| (**other).cmp(name)).ok()?;
        self.fields.get(found).map(|(_, value)| value)
    }

    fn without(self, name: &str) -> Self {
        let fields = self.fields.into_iter().filter(|(other, _)| **other != *name);
        Self { fields: fields.collect() }
    }

    fn walk(&self, path: &str) -> Option<&ClaimValue> {
        let mut names = path.split('.');
        let first = self.named(names.next()?)?;
        names.try_fold(first, |value, name| match value {
            ClaimValue::Map(members) => members.get(name),
            ClaimValue::Null
            | ClaimValue::Bool(_)
            | ClaimValue::Number(_)
            | ClaimValue::Text(_)
            | ClaimValue::List(_) => None,
        })
    }
}

/// What a request can be looked up by. An empty text is no key.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecordKeys<'a> {
    pub user_id: &'a str,
    pub email: &'a str,
    pub ip: Option<IpAddr>,
    /// SHA-256 of the certificate that the client presented.
    pub fingerprint: Option<&'a [u8; 32]>,
}

/// Every source of records, by the type of its records.
#[derive(Debug, Default)]
pub struct DataSources(BTreeMap<String, DataSource>);

impl DataSources {
    pub fn new(sources: BTreeMap<String, DataSource>) -> Self {
        Self(sources)
    }

    /// Sources of one record each, which is found whatever is asked: for tests of policies.
    pub fn fixed(records: BTreeMap<String, Record>) -> Self {
        let sources = records.into_iter();
        Self(sources.map(|(name, record)| (name, DataSource::fixed(record))).collect())
    }

    /// The record of this type for this request. Does not allocate.
    pub fn find(&self, record_type: &str, keys: &RecordKeys<'_>) -> Option<&Record> {
        self.0.get(record_type)?.find(keys)
    }

    /// The types there are sources for, in their order.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests;
