//! What each criterion finds in everybody, found once. A company has a few hundred groups and thousands
//! of rules that name them; people whom all criteria of a rule find alike are judged alike.

use super::Both;
use super::crowd::Member;
use crate::identity::Caller;
use crate::policy::{Facts, Personal, Policy};
use std::collections::HashMap;
use std::rc::Rc;

/// So many findings are kept: 64 MiB of them.
const KEPT: usize = 16 << 20;

/// So many people are looked at together.
const AT_HAND: usize = 64;

/// Findings of one side by criterion.
#[derive(Default)]
pub(super) struct Columns {
    found: HashMap<Key, Rc<[u32]>>,
    size: usize,
}

/// Criteria with the same key find the same in the same people.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    written: Written,
    /// The people are those whom the sides see differently, or else everybody.
    differing: bool,
}

#[derive(PartialEq, Eq, Hash)]
enum Written {
    Text(String),
    Address(usize),
}

/// A side of some people: how to see them, and the facts that are the same for all.
#[derive(Clone, Copy)]
pub(super) struct View<'v> {
    pub(super) members: &'v [&'v Member],
    pub(super) differing: bool,
    pub(super) facts: Facts<'v>,
    pub(super) side: fn(&Both<Caller>) -> &Caller,
}

impl Columns {
    /// What the criteria of `policies` find in the people of `view`, criterion by criterion. The more
    /// policies at once, the better.
    pub(super) fn of(&mut self, policies: &[&Policy], view: View<'_>) -> Vec<Rc<[u32]>> {
        self.prepare(policies, view);
        let personal = policies.iter().flat_map(|policy| policy.personal());
        let keys = personal.map(|criterion| Key::of(criterion, view.differing));
        keys.filter_map(|key| self.found.get(&key).cloned()).collect()
    }

    /// Finds what is not found yet, for some people after the other: each is looked at by all criteria
    /// while the processor has them at hand.
    fn prepare(&mut self, policies: &[&Policy], view: View<'_>) {
        let mut missing = HashMap::new();
        for criterion in policies.iter().flat_map(|policy| policy.personal()) {
            let key = Key::of(criterion, view.differing);
            if !self.found.contains_key(&key) {
                missing.entry(key).or_insert_with(|| Search::of(criterion));
            }
        }
        if missing.is_empty() {
            return;
        }
        if self.size > KEPT {
            *self = Self::default();
            return self.prepare(policies, view);
        }
        for members in view.members.chunks(AT_HAND) {
            for search in missing.values_mut() {
                search.look_at(members, view);
            }
        }
        for (key, search) in missing {
            self.size += search.found.len();
            self.found.insert(key, search.found.into());
        }
    }
}

impl Key {
    fn of(criterion: Personal<'_>, differing: bool) -> Self {
        let address = || Written::Address(criterion.address());
        let written = criterion.text().map_or_else(address, |text| Written::Text(text.to_owned()));
        Self { written, differing }
    }
}

/// What one criterion has found so far.
struct Search<'p> {
    criterion: Personal<'p>,
    found: Vec<u32>,
    /// Numbers for what was met; those below are codes.
    met: HashMap<usize, u32>,
}

impl<'p> Search<'p> {
    fn of(criterion: Personal<'p>) -> Self {
        Self { criterion, found: Vec::new(), met: HashMap::new() }
    }

    fn look_at(&mut self, members: &[&Member], view: View<'_>) {
        for member in members {
            let facts = facts_of(view.facts, (view.side)(&member.callers));
            let mark = self.criterion.find(&facts);
            let found = mark.met.map_or(u32::from(mark.code), |address| {
                let next = u32::try_from(self.met.len()).unwrap_or(u32::MAX);
                *self.met.entry(address).or_insert(next.saturating_add(256))
            });
            self.found.push(found);
        }
    }
}

/// What is known when `caller` asks.
pub(super) fn facts_of<'a>(facts: Facts<'a>, caller: &'a Caller) -> Facts<'a> {
    let identity = match caller {
        Caller::Identified(identity) => Some(identity.as_ref()),
        Caller::Anonymous(_) | Caller::Refused(_) => None,
    };
    Facts { identity, ..facts }
}
