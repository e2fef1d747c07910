//! What service accounts did, added up between two writings. Noting takes no wait on the store, and a
//! bounded room.

use crate::authorizer::Record;
use crate::id::{CredentialId, RouteId, ServiceAccountId};
use crate::identity::TokenError;
use crate::policy::DenyReason;
use crate::request::Request;
use crate::service_account::LastUse;
use crate::store::Use;
use crate::time::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Threads that note different credentials seldom wait for one another.
const SHARDS: usize = 16;
/// So many credentials, routes and outcomes are told apart in a shard; more are counted as lost.
const MOST: usize = 4096;

/// Uses that are not written down yet.
#[derive(Debug)]
pub struct UsageBook {
    shards: [Mutex<HashMap<Key, Tally>>; SHARDS],
    lost: AtomicU64,
}

/// Made at every check of a machine, so that it takes no copy of a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    credential: CredentialId,
    route: Option<RouteId>,
    outcome: &'static str,
}

#[derive(Clone, Debug)]
struct Tally {
    account: ServiceAccountId,
    last: Timestamp,
    address: Option<IpAddr>,
    count: u64,
}

/// What was noted since the last time.
#[derive(Debug, Default)]
pub struct Noted {
    pub uses: Vec<Use>,
    /// Credentials that were shown after another one had taken their place, with where they came from last.
    pub reused: Vec<Use>,
    /// How many uses found no room.
    pub lost: u64,
}

impl Default for UsageBook {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), lost: AtomicU64::new(0) }
    }
}

impl UsageBook {
    /// Notes what a machine did, if one did it.
    pub fn note(&self, request: &Request, record: &Record, now: Timestamp) {
        let Some(machine) = &record.machine else {
            return;
        };
        let key = Key {
            credential: machine.credential.id.clone(),
            route: record.route.clone(),
            outcome: outcome(record),
        };
        let mut shard = self.shard(&machine.credential.id);
        if let Some(tally) = shard.get_mut(&key) {
            tally.count = tally.count.saturating_add(1);
            if now >= tally.last {
                tally.last = now;
                tally.address = request.source_ip;
            }
        } else if shard.len() < MOST {
            let account = machine.account.id.clone();
            shard.insert(key, Tally { account, last: now, address: request.source_ip, count: 1 });
        } else {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes everything out.
    pub fn take(&self) -> Noted {
        let mut noted = Noted { lost: self.lost.swap(0, Ordering::Relaxed), ..Noted::default() };
        for shard in &self.shards {
            let taken = std::mem::take(&mut *lock(shard));
            noted.uses.extend(taken.into_iter().map(|(key, tally)| used(key, tally)));
        }
        let superseded = TokenError::CredentialSuperseded.code();
        let mut reused = BTreeMap::<_, Use>::new();
        for used in noted.uses.iter().filter(|used| used.outcome == superseded) {
            let known = reused.entry(used.credential.clone()).or_insert_with(|| used.clone());
            if known.last.at < used.last.at {
                *known = used.clone();
            }
        }
        noted.reused = reused.into_values().collect();
        noted
    }

    /// Puts back what could not be written, as far as there is room.
    pub fn put_back(&self, uses: Vec<Use>) {
        for used in uses {
            let Use { credential, account, last, outcome, count } = used;
            let mut shard = self.shard(&credential);
            let room = shard.len() < MOST;
            let route = (!last.route.is_empty()).then(|| RouteId::new(&last.route));
            let key = Key { credential, route, outcome };
            match shard.get_mut(&key) {
                Some(tally) => tally.count = tally.count.saturating_add(count),
                None if room => {
                    let address = last.address.parse().ok();
                    shard.insert(key, Tally { account, last: last.at, address, count });
                }
                None => {
                    self.lost.fetch_add(count, Ordering::Relaxed);
                }
            }
        }
    }

    fn shard(&self, credential: &CredentialId) -> MutexGuard<'_, HashMap<Key, Tally>> {
        let [first, ..] = &self.shards;
        // The name is made of a hash, so its digits are as good as random.
        let last = credential.as_str().bytes().last().unwrap_or_default();
        let number = usize::from(if last.is_ascii_digit() { last } else { last.wrapping_add(9) });
        let number = number % SHARDS;
        lock(self.shards.get(number).unwrap_or(first))
    }
}

fn lock(shard: &Mutex<HashMap<Key, Tally>>) -> MutexGuard<'_, HashMap<Key, Tally>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `allowed`, why the credential was no good, or why the request was refused.
fn outcome(record: &Record) -> &'static str {
    match (&record.denied, &record.session_error) {
        (None, None) => "allowed",
        (_, Some(error)) => error.code(),
        (Some(reason), None) => DenyReason::code(reason),
    }
}

fn used(key: Key, tally: Tally) -> Use {
    let address = tally.address.map(|address| address.to_string()).unwrap_or_default();
    Use {
        credential: key.credential,
        account: tally.account,
        last: LastUse {
            at: tally.last,
            address,
            route: key.route.map(|route| route.to_string()).unwrap_or_default(),
        },
        outcome: key.outcome,
        count: tally.count,
    }
}
