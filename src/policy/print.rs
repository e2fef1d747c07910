//! A policy as text that compiles to the same policy.

use super::criterion::Criterion;
use super::{Mode, Policy};
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

impl Criterion {
    fn texts_written(&self) -> impl Iterator<Item = &str> {
        let own = self.members.is_empty().then_some(&self.written);
        let members = self.members.iter().map(|member| &member.written);
        own.into_iter().chain(members).map(|written| written.text.as_str())
    }
}
