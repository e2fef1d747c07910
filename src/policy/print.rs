//! A policy as text that compiles to the same policy.

use super::criterion::{Criterion, Written};
use super::{Effect, Mode, Operator, Policy};
use crate::document::Place;
use std::fmt;

impl fmt::Display for Policy {
    /// YAML: a list of rules, or a map with `mode` and `rules`. Criteria that were joined are written
    /// one by one again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let margin = match self.mode {
            Mode::Enforce => "",
            Mode::DryRun => {
                f.write_str("mode: dry_run\nrules:\n")?;
                "  "
            }
        };
        let mut rules = self.rules.iter().filter(|rule| !rule.groups.is_empty()).peekable();
        if rules.peek().is_none() {
            return writeln!(f, "{margin}[]");
        }
        for rule in rules {
            writeln!(f, "{margin}- {}:", rule.effect.name())?;
            for group in &rule.groups {
                writeln!(f, "{margin}    {}:", group.operator.name())?;
                for text in group.criteria.iter().flat_map(Criterion::texts_written) {
                    writeln!(f, "{margin}    - {text}")?;
                }
            }
        }
        Ok(())
    }
}

/// One group of criteria as it stands in a policy.
#[derive(Debug)]
pub struct GroupOutline<'p> {
    pub effect: Effect,
    pub operator: Operator,
    pub place: &'p Place,
    /// Each criterion as it was written, and where; of many that were joined, the first.
    pub criteria: Vec<(&'p str, &'p Place)>,
}

impl Policy {
    /// Its groups, in the order of writing.
    pub fn outline(&self) -> impl Iterator<Item = GroupOutline<'_>> {
        let groups =
            self.rules.iter().flat_map(|rule| rule.groups.iter().map(move |group| (rule, group)));
        groups.map(|(rule, group)| GroupOutline {
            effect: rule.effect,
            operator: group.operator,
            place: &group.place,
            criteria: group
                .criteria
                .iter()
                .map(|criterion| (criterion.written.text.as_str(), &criterion.written.place))
                .collect(),
        })
    }
}

impl Criterion {
    fn texts_written(&self) -> impl Iterator<Item = &str> {
        self.all_written().map(|written| written.text.as_str())
    }

    fn all_written(&self) -> impl Iterator<Item = &Written> {
        let own = self.members.is_empty().then_some(&self.written);
        own.into_iter().chain(self.members.iter().map(|member| &member.written))
    }
}
