//! Assertions that may serve again for a short while. An entry serves exactly the same identity,
//! session end, host, key and settings; it never outlives what it says.

use crate::assertion::{KeyError, Outgoing, RouteHeaders};
use crate::identity::Identity;
use crate::time::Timestamp;
use quick_cache::sync::Cache;
use std::hash::{BuildHasher, RandomState};

/// How many assertions are kept.
const CAPACITY: usize = 16_384;

/// A larger entry is not kept, in bytes: sixteen thousand of them must not fill a machine.
const MAX_ENTRY: usize = 8 * 1024;

#[derive(Debug)]
pub(super) struct AssertionCache {
    entries: Cache<u64, Entry>,
    hasher: RandomState,
}

#[derive(Clone, Debug)]
struct Entry {
    described: String,
    token: String,
    made: Timestamp,
    until: Timestamp,
}

/// Everything an assertion depends on, except when it was made.
pub(super) struct Subject<'a> {
    pub(super) identity: &'a Identity,
    pub(super) host: &'a str,
    pub(super) key: &'a str,
    pub(super) outgoing: &'a Outgoing,
    pub(super) route: &'a RouteHeaders,
}

impl Subject<'_> {
    /// A text equal for equal subjects only. Compared in full, so that a hash collision cannot hand
    /// one person's assertion to another.
    fn describe(&self) -> String {
        let route = (self.route.issuer_format, &self.route.groups_filter);
        format!("{:?}", (self.identity, self.host, self.key, self.outgoing, route))
    }
}

impl AssertionCache {
    pub(super) fn new() -> Self {
        Self { entries: Cache::new(CAPACITY), hasher: RandomState::new() }
    }

    /// A kept assertion that is still good at `now`, or a fresh one, to be kept until `until`.
    pub(super) fn get_or_sign(
        &self,
        subject: &Subject<'_>,
        (now, until): (Timestamp, Timestamp),
        sign: impl FnOnce() -> Result<String, KeyError>,
    ) -> Result<String, KeyError> {
        let described = subject.describe();
        let hash = self.hasher.hash_one(&described);
        let kept = self.entries.get(&hash);
        let good =
            |entry: &Entry| entry.described == described && entry.made <= now && now < entry.until;
        if let Some(entry) = kept.filter(good) {
            return Ok(entry.token);
        }
        let token = sign()?;
        if described.len() + token.len() > MAX_ENTRY {
            return Ok(token);
        }
        self.entries.insert(hash, Entry { described, token: token.clone(), made: now, until });
        Ok(token)
    }
}
