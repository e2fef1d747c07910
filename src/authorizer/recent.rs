//! Tokens that were read before. What is kept is what is the same for every request: that the signature is
//! good and what the token says. Whether it is good now, and here, is asked each time.

use crate::id::{CredentialId, SessionId};
use crate::identity::{Caller, Directory, Presented, SignedToken, Source, TokenError};
use crate::secret::Secret;
use crate::state::{Compiled, Settings, Snapshot};
use crate::time::Timestamp;
use arc_swap::ArcSwapOption;
use foldhash::quality::RandomState;
use quick_cache::sync::Cache;
use std::any::Any;
use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock, Weak};

/// How many tokens are kept.
const CAPACITY: usize = 8_192;
/// A longer token is read each time: eight thousand of them must not fill a machine.
const LONGEST: usize = 4 * 1024;

#[derive(Debug)]
pub(super) struct RecentTokens {
    entries: Cache<u64, Arc<Known>>,
    hasher: RandomState,
}

/// A token that was read. INVARIANT: it serves only the very same text, at the same place of a request, and
/// only while settings (so the keys) and directory are the very ones it was read with.
#[derive(Debug)]
pub(super) struct Known {
    text: Secret<String>,
    source: Source,
    settings: Weak<Settings>,
    directory: Weak<Directory>,
    token: SignedToken,
    /// Whom it speaks for, once that was asked. Not for handles: their records say.
    caller: OnceLock<Caller>,
    /// The record that a handle names, once that was worked out.
    names: OnceLock<Named>,
    /// Whom a handle spoke for when it was last asked.
    last: ArcSwapOption<Moment>,
}

/// What a handle is found by.
#[derive(Debug)]
pub(super) enum Named {
    Session(SessionId),
    Credential(CredentialId),
}

/// Whom a handle speaks for. INVARIANT: it serves only what is asked of the very same record and catalog (so of
/// the very same roles, blocked people and expiry) in the very same second, which is all that an answer
/// depends on beside what [`Known`] says.
#[derive(Debug)]
struct Moment {
    record: Weak<dyn Any + Send + Sync>,
    catalog: Weak<Compiled>,
    now: Timestamp,
    caller: Caller,
}

impl Known {
    pub(super) fn token(&self) -> &SignedToken {
        &self.token
    }

    /// Whom it speaks for, by the settings and the directory it was read with.
    pub(super) fn caller(&self, identify: impl FnOnce() -> Caller) -> Caller {
        self.caller.get_or_init(identify).clone()
    }

    /// What a handle names.
    pub(super) fn names(&self, work_out: impl FnOnce() -> Named) -> &Named {
        self.names.get_or_init(work_out)
    }

    /// Whom a handle speaks for, by its record.
    pub(super) fn caller_by<R: Any + Send + Sync>(
        &self,
        record: &Arc<R>,
        catalog: &Arc<Compiled>,
        now: Timestamp,
        identify: impl FnOnce() -> Result<Caller, TokenError>,
    ) -> Result<Caller, TokenError> {
        let last = self.last.load();
        if let Some(last) = last.as_ref().filter(|last| last.is_of(record, catalog, now)) {
            return Ok(last.caller.clone());
        }
        let caller = identify()?;
        // Who is the same as a second ago is kept once, also by who has kept them from then.
        let same = last.as_ref().map(|last| &last.caller).filter(|last| **last == caller);
        let caller = same.cloned().unwrap_or(caller);
        let record: Weak<R> = Arc::downgrade(record);
        let catalog = Arc::downgrade(catalog);
        self.last.store(Some(Arc::new(Moment { record, catalog, now, caller: caller.clone() })));
        Ok(caller)
    }

    /// SECURITY: texts are compared in full, so that a collision of hashes makes nobody somebody else. A
    /// `Weak` keeps its place in memory, so nothing newer can have the same address.
    fn serves(&self, presented: &Presented, snapshot: &Snapshot) -> bool {
        self.source == presented.source
            && std::ptr::eq(self.settings.as_ptr(), Arc::as_ptr(&snapshot.settings))
            && std::ptr::eq(self.directory.as_ptr(), Arc::as_ptr(&snapshot.directory))
            && *self.text.expose() == presented.text
    }
}

impl Moment {
    fn is_of<R>(&self, record: &Arc<R>, catalog: &Arc<Compiled>, now: Timestamp) -> bool {
        self.now == now
            && std::ptr::addr_eq(self.record.as_ptr(), Arc::as_ptr(record))
            && std::ptr::eq(self.catalog.as_ptr(), Arc::as_ptr(catalog))
    }
}

impl RecentTokens {
    pub(super) fn new() -> Self {
        Self { entries: Cache::new(CAPACITY), hasher: RandomState::default() }
    }

    /// Reads a token, unless that was done before. Only one with a good signature is kept, so that nobody
    /// fills the place with tokens of their own making.
    pub(super) fn read(
        &self,
        presented: &Presented,
        snapshot: &Snapshot,
    ) -> Result<Arc<Known>, TokenError> {
        let hash = self.hasher.hash_one(&presented.text);
        let known = self.entries.get(&hash).filter(|known| known.serves(presented, snapshot));
        if let Some(known) = known {
            return Ok(known);
        }
        let token = SignedToken::read(&presented.text, &snapshot.settings.keys)?;
        let known = Arc::new(Known {
            text: Secret::new(presented.text.clone()),
            source: presented.source,
            settings: Arc::downgrade(&snapshot.settings),
            directory: Arc::downgrade(&snapshot.directory),
            token,
            caller: OnceLock::new(),
            names: OnceLock::new(),
            last: ArcSwapOption::empty(),
        });
        if presented.text.len() <= LONGEST {
            self.entries.insert(hash, Arc::clone(&known));
        }
        Ok(known)
    }
}
