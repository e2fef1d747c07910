//! Assertions that may serve again for a short while. An entry serves exactly the same identity,
//! session end, host, key and settings; it never outlives what it says.

use crate::assertion::{IssuerFormat, KeyError, Outgoing, RouteHeaders};
use crate::identity::Identity;
use crate::time::Timestamp;
use foldhash::quality::RandomState;
use http::HeaderValue;
use quick_cache::sync::Cache;
use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::sync::Arc;

/// How many assertions are kept.
const CAPACITY: usize = 16_384;
/// A larger entry is not kept, in bytes as written out: sixteen thousand of them must not fill a
/// machine.
const MAX_ENTRY: usize = 8 * 1024;

#[derive(Debug)]
pub(super) struct AssertionCache {
    entries: Cache<u64, Arc<Entry>>,
    hasher: RandomState,
}

/// An assertion with everything it depends on. Compared in full, so that a hash collision cannot
/// hand one person's assertion to another.
#[derive(Debug)]
struct Entry {
    identity: Arc<Identity>,
    host: String,
    key: String,
    outgoing: Outgoing,
    issuer_format: IssuerFormat,
    groups_filter: Option<BTreeSet<String>>,
    assertion: HeaderValue,
    made: Timestamp,
    until: Timestamp,
}

/// Everything an assertion depends on, except when it was made.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) identity: &'a Arc<Identity>,
    pub(super) host: &'a str,
    pub(super) key: &'a str,
    pub(super) outgoing: &'a Outgoing,
    pub(super) route: &'a RouteHeaders,
}

impl Subject<'_> {
    fn hash(&self, hasher: &RandomState) -> u64 {
        let Identity { subject, actor, session } = self.identity.as_ref();
        let actor = actor.as_ref().map(|actor| (&actor.user, &actor.email));
        let names = (&subject.user, &subject.email, actor, &session.id, session.usable_until);
        hasher.hash_one((names, self.host, self.key))
    }

    fn is_of(&self, entry: &Entry) -> bool {
        (Arc::ptr_eq(self.identity, &entry.identity) || *self.identity == entry.identity)
            && self.host == entry.host
            && self.key == entry.key
            && *self.outgoing == entry.outgoing
            && self.route.issuer_format == entry.issuer_format
            && self.route.groups_filter == entry.groups_filter
    }

    fn entry(&self, assertion: &HeaderValue, (made, until): (Timestamp, Timestamp)) -> Entry {
        Entry {
            identity: Arc::clone(self.identity),
            host: self.host.to_owned(),
            key: self.key.to_owned(),
            outgoing: self.outgoing.clone(),
            issuer_format: self.route.issuer_format,
            groups_filter: self.route.groups_filter.clone(),
            assertion: assertion.clone(),
            made,
            until,
        }
    }
}

impl AssertionCache {
    pub(super) fn new() -> Self {
        Self { entries: Cache::new(CAPACITY), hasher: RandomState::default() }
    }

    /// A kept assertion that is still good at `now`, or a fresh one, to be kept until `until`.
    pub(super) fn get_or_sign(
        &self,
        subject: &Subject<'_>,
        (now, until): (Timestamp, Timestamp),
        sign: impl FnOnce() -> Result<HeaderValue, KeyError>,
    ) -> Result<HeaderValue, KeyError> {
        let hash = subject.hash(&self.hasher);
        let good =
            |entry: &Arc<Entry>| entry.made <= now && now < entry.until && subject.is_of(entry);
        if let Some(entry) = self.entries.get(&hash).filter(good) {
            return Ok(entry.assertion.clone());
        }
        let assertion = sign()?;
        let entry = subject.entry(&assertion, (now, until));
        if format!("{entry:?}").len() <= MAX_ENTRY {
            self.entries.insert(hash, Arc::new(entry));
        }
        Ok(assertion)
    }
}
