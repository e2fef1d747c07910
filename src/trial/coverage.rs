//! Which rules and criteria of the enforced policies some case was decided by.

use crate::authorizer::Answer;
use crate::document::Place;
use crate::policy::{Explanation, GroupOutline, Mode};
use crate::route::Table;
use std::collections::{BTreeMap, HashSet};

/// What decided so far.
#[derive(Debug, Default)]
pub struct Coverage {
    groups: BTreeMap<PlaceKey, GroupCover>,
    decided: HashSet<(PlaceKey, PlaceKey)>,
}

/// Places in the order of the document.
type PlaceKey = (String, usize, usize);

#[derive(Debug)]
struct GroupCover {
    name: String,
    place: Place,
    criteria: Vec<(String, Place)>,
}

/// Something that no case was decided by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncovered {
    /// `allow or`, or a criterion as it was written.
    pub text: String,
    pub place: Place,
    /// Whether this is a whole group of criteria.
    pub whole_group: bool,
}

fn key(place: &Place) -> PlaceKey {
    (place.source().to_owned(), place.line().unwrap_or(0), place.column().unwrap_or(0))
}

impl Coverage {
    /// Everything that can decide in `table`. A policy that several routes share counts once.
    pub(super) fn of(table: &Table) -> Self {
        let mut coverage = Self::default();
        let policies = table.routes().flat_map(|route| &route.policies);
        for group in policies
            .filter(|policy| policy.mode == Mode::Enforce)
            .flat_map(|policy| policy.outline())
        {
            coverage.groups.entry(key(group.place)).or_insert_with(|| GroupCover::of(&group));
        }
        coverage
    }

    pub(super) fn record(&mut self, answer: &Answer, explanation: &Explanation) {
        for (group, criterion) in explanation.deciding(answer.record.denied.as_ref()) {
            self.decided.insert((key(&group.place), key(&criterion.first)));
        }
    }

    /// How many criteria there are, and how many decided some case.
    pub fn count(&self) -> (usize, usize) {
        let all = self.groups.values().map(|group| group.criteria.len()).sum();
        let open =
            self.groups.iter().map(|(at, group)| self.open(at, group).count()).sum::<usize>();
        (all, all - open)
    }

    /// What no case was decided by, in the order of the document: a group of which no criterion
    /// decided stands for them all.
    pub fn uncovered(&self) -> Vec<Uncovered> {
        let mut uncovered = Vec::new();
        for (at, group) in &self.groups {
            let open: Vec<_> = self.open(at, group).collect();
            if open.len() == group.criteria.len() {
                let (text, place) = (group.name.clone(), group.place.clone());
                uncovered.push(Uncovered { text, place, whole_group: true });
            } else {
                uncovered.extend(open.into_iter().map(|(text, place)| Uncovered {
                    text: text.clone(),
                    place: place.clone(),
                    whole_group: false,
                }));
            }
        }
        uncovered
    }

    fn open<'c>(
        &'c self,
        at: &'c PlaceKey,
        group: &'c GroupCover,
    ) -> impl Iterator<Item = &'c (String, Place)> {
        let decided =
            |(_, place): &&(String, Place)| self.decided.contains(&(at.clone(), key(place)));
        group.criteria.iter().filter(move |criterion| !decided(criterion))
    }
}

impl GroupCover {
    fn of(group: &GroupOutline<'_>) -> Self {
        // A field of a route gives several criteria at one place: they count as one.
        let mut places = HashSet::new();
        let once = |(_, place): &&(&str, &Place)| places.insert(key(place));
        let written = |(text, place): &(&str, &Place)| ((*text).to_owned(), (*place).clone());
        Self {
            name: format!("{} {}", group.effect.name(), group.operator.name()),
            place: group.place.clone(),
            criteria: group.criteria.iter().filter(once).map(written).collect(),
        }
    }
}
