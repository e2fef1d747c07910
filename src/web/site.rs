//! What all pages share.

use crate::activity::{ChainKey, Head};
use crate::admin::Admin;
use crate::authorizer::Authorizer;
use crate::clock::Clock;
use crate::people::People;
use crate::provider::{Throttle, Turnstile};
use crate::sign_in::Sealers;
use crate::state::State;
use crate::store::SessionCache;
use crate::tasks::Tasks;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Everything the pages need.
#[derive(Debug)]
pub struct Site {
    pub state: Arc<State>,
    pub authorizer: Arc<Authorizer>,
    pub clock: Arc<dyn Clock>,
    pub tasks: Tasks,
    /// `None` where nobody signs in.
    pub desk: Option<Desk>,
}

/// Where people sign in.
#[derive(Debug)]
pub struct Desk {
    pub people: People,
    pub admin: Admin,
    pub cache: Arc<SessionCache>,
    pub sealers: Sealers,
    pub chain: ChainKey,
    /// Up to where the activity log was found to be as it was written.
    pub verified: Mutex<Head>,
    pub throttle: Mutex<Throttle>,
    pub turnstile: Turnstile,
}

/// How often somebody may try.
pub(super) fn throttle(desk: &Desk) -> MutexGuard<'_, Throttle> {
    desk.throttle.lock().unwrap_or_else(PoisonError::into_inner)
}
