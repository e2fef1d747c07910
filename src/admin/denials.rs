//! How often what was refused is written down: each time at first, and now and again for whoever goes on.

use super::Actor;
use crate::activity::Verb;
use crate::provider::Throttle;
use crate::time::Timestamp;
use std::sync::{Mutex, PoisonError};

/// Who was refused what of late.
#[derive(Debug, Default)]
pub(super) struct Denials(Mutex<Throttle>);

impl Denials {
    /// Whether a refusal is worth an entry. Counted by who asks, and by what, not by the thing that was
    /// meant: there may be any number of those.
    pub(super) fn may_be_noted(&self, by: &Actor, verb: Verb, now: Timestamp) -> bool {
        let name = format!("{} {} {}", by.kind().name(), by.who().user, verb.name());
        let mut throttle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        throttle.admit(&name, None, now).is_ok()
    }
}
