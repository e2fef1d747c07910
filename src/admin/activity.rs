//! What was done, as far as somebody may know.

use super::world::{Depth, World};
use super::{Actor, Admin, AdminError, What};
use crate::activity::{EntityKind, Entry, Outcome, Verb};
use crate::id::NamespaceId;
use crate::namespace::Role;
use crate::store::{ActivityQuery, StoreError};
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// Which entries. Only admins of Global see what is not done in a namespace, such as sign-ins; everybody
/// else sees the acts in their namespaces.
#[derive(Clone, Debug, Default)]
pub struct ActivityWanted {
    pub namespace: Option<NamespaceId>,
    pub recursive: bool,
    /// Actor or subject: user id or e-mail address.
    pub who: Option<String>,
    pub verb: Option<Verb>,
    pub entity: Option<EntityKind>,
    pub entity_id: Option<String>,
    pub outcome: Option<Outcome>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Only entries with a lower number.
    pub before: Option<u64>,
    pub limit: usize,
}

/// An entry with its neighbours about the same thing.
#[derive(Clone, Debug)]
pub struct EntryView {
    pub entry: Entry,
    pub previous: Option<u64>,
    pub next: Option<u64>,
}

/// The most that are given at once.
const PAGE: usize = 500;

impl Admin {
    /// The latest first.
    ///
    /// # Errors
    /// The namespace named is not there, or not to be seen.
    pub async fn entries(
        &self,
        by: &Actor,
        which: &ActivityWanted,
    ) -> Result<Vec<Entry>, AdminError> {
        let world = self.world();
        let asked = world.asked(by, which.namespace.as_ref(), Depth::of(which.recursive))?;
        let query = ActivityQuery {
            who: which.who.clone(),
            before: which.before,
            namespaces: asked.or_else(|| world.seen_acts(by)),
            entity: which.entity.map(EntityKind::name),
            entity_id: which.entity_id.clone(),
            verb: which.verb,
            outcome: which.outcome.map(Outcome::name),
            from: which.from,
            until: which.until,
            limit: which.limit.clamp(1, PAGE),
            ..ActivityQuery::default()
        };
        Ok(self.store().activity(&query).await?)
    }

    /// # Errors
    /// There is none, or it is not to be seen.
    pub async fn entry(&self, by: &Actor, number: u64) -> Result<EntryView, AdminError> {
        let world = self.world();
        let not_found = AdminError::NotFound(What::Entry);
        let before = number.checked_sub(1);
        let Some(before) = before else { return Err(not_found) };
        let found = self.store().activity_after(before, 1).await?.into_iter();
        let mut found = found.filter(|entry| entry.number == number);
        let Some(entry) = found.next() else { return Err(not_found) };
        let place = entry.event.deed.as_ref().and_then(|deed| deed.namespace.as_ref());
        let act = place.is_some_and(|place| world.role(by, place).is_some());
        if !act && !world.sees_everything(by) {
            return Err(not_found);
        }
        let (previous, next) = self.neighbours(&world, by, &entry).await?;
        Ok(EntryView { entry, previous, next })
    }

    /// The entries about the same thing before and after it.
    async fn neighbours(
        &self,
        world: &World,
        by: &Actor,
        entry: &Entry,
    ) -> Result<(Option<u64>, Option<u64>), StoreError> {
        let Some(deed) = entry.event.deed.as_ref().filter(|deed| !deed.id.is_empty()) else {
            return Ok((None, None));
        };
        let same = ActivityQuery {
            namespaces: world.seen_acts(by),
            entity: Some(deed.entity.name()),
            entity_id: Some(deed.id.clone()),
            limit: 1,
            ..ActivityQuery::default()
        };
        let number = |entries: Vec<Entry>| entries.first().map(|entry| entry.number);
        let before = ActivityQuery { before: Some(entry.number), ..same.clone() };
        let after = ActivityQuery { after: Some(entry.number), ..same };
        let previous = number(self.store().activity(&before).await?);
        Ok((previous, number(self.store().activity(&after).await?)))
    }
}

impl World {
    fn sees_everything(&self, by: &Actor) -> bool {
        self.role(by, &NamespaceId::global()) == Some(Role::Admin)
    }

    /// The namespaces of which `by` sees the acts; `None` for all, with what is done in none.
    fn seen_acts(&self, by: &Actor) -> Option<BTreeSet<NamespaceId>> {
        (!self.sees_everything(by)).then(|| self.tree().seen_by(by.reach()))
    }
}
