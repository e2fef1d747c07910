//! Advice about policies that load: what never holds, what always does, what says nothing more, and
//! what is probably not meant as it is written. Everything said is certain; what cannot be proven is
//! left unsaid. Knows policies and what surrounds them, not how they came to a route.

mod atoms;
mod groups;
mod pairs;
mod rules;
mod surroundings;
mod texts;
mod truth;
mod words;

pub use rules::Sides;
pub use surroundings::{Certificates, Protocol, Surroundings, advise_on_route};
pub use words::KnownNames;

use super::{Effect, Mode, Policy};
use crate::advice::Advice;
use crate::document::{Notice, Place};
use groups::Stands;

/// Advice about one policy, whatever it stands before.
pub fn advise(policy: &Policy, known: &KnownNames<'_>) -> Vec<Notice> {
    let mut notices = Vec::new();
    for (effect, group) in policy.groups() {
        let stands = Stands { mode: policy.mode, effect, group };
        notices.extend(stands.advice());
        notices.extend(words::of_group(stands, known));
    }
    notices.extend(rules::of_policy(policy));
    notices.extend(dry_run(policy));
    notices
}

fn dry_run(policy: &Policy) -> Option<Notice> {
    let place = policy.place().filter(|_| policy.mode == Mode::DryRun)?;
    let name = if policy.name.is_empty() { "this policy" } else { &format!("`{}`", policy.name) };
    let so = if policy.has_rules(Effect::Deny) { "; its deny rules do not deny" } else { "" };
    let message = format!("{name} is in dry run and decides nothing{so}");
    let notice = Notice::lint(Advice::DryRun, place, message);
    Some(notice.help("remove `mode: dry_run` once what it says is what you want"))
}

impl Policy {
    /// Whether it has rules of this effect that say anything.
    pub fn has_rules(&self, effect: Effect) -> bool {
        self.groups().any(|(other, _)| other == effect)
    }

    /// Where its first group is written; `None` if it has none.
    pub fn place(&self) -> Option<&Place> {
        self.groups().map(|(_, group)| &group.place).next()
    }

    pub fn is_enforced(&self) -> bool {
        self.mode == Mode::Enforce
    }
}
