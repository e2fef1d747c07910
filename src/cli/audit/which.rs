//! Which entries of the activity log are meant.

use crate::activity::{EntityKind, Outcome, Verb};
use crate::cli::terminal::{Stop, Terminal, instant, one_of};
use crate::store::ActivityQuery;
use crate::time::Timestamp;
use std::collections::BTreeSet;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Which entries")]
pub(super) struct Which {
    /// Only what this person did, or what was done as them: a user id or an e-mail address
    #[arg(long, value_name = "WHO")]
    who: Option<String>,
    /// Only acts in this namespace and below: an id, or the way to it such as `Design/Web`
    #[arg(long, short, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Not those in namespaces below
    #[arg(long, requires = "namespace")]
    here: bool,
    /// Only this, such as sign-in, create or rotate-credential
    #[arg(long, value_parser = verb)]
    verb: Option<Verb>,
    /// Only acts on this kind of thing, such as service-account or policy
    #[arg(long, value_name = "KIND", value_parser = entity)]
    entity: Option<EntityKind>,
    /// Only acts on this very thing, such as sa_…
    #[arg(long, value_name = "ID")]
    entity_id: Option<String>,
    /// Only acts that ended so: done or denied
    #[arg(long, value_parser = outcome)]
    outcome: Option<Outcome>,
    /// Not before this instant: 2027-01-31T12:00:00Z, or 2027-01-31
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    from: Option<Timestamp>,
    /// Only before this instant
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    until: Option<Timestamp>,
}

fn verb(text: &str) -> Result<Verb, String> {
    one_of(Verb::ALL, |verb| verb.name(), text)
}

fn entity(text: &str) -> Result<EntityKind, String> {
    one_of(EntityKind::ALL, |kind| kind.name(), text)
}

fn outcome(text: &str) -> Result<Outcome, String> {
    one_of([Outcome::Done, Outcome::Denied], |outcome| outcome.name(), text)
}

impl Which {
    pub(super) fn query(&self, terminal: &Terminal) -> Result<ActivityQuery, Stop> {
        let namespaces = match &self.namespace {
            None => None,
            Some(text) => {
                let id = terminal.namespace(text)?;
                let here = self.here.then(|| BTreeSet::from([id.clone()]));
                Some(here.unwrap_or_else(|| terminal.snapshot().catalog.tree.within(&id)))
            }
        };
        Ok(ActivityQuery {
            who: self.who.clone(),
            namespaces,
            entity: self.entity.map(EntityKind::name),
            entity_id: self.entity_id.clone(),
            verb: self.verb,
            outcome: self.outcome.map(Outcome::name),
            from: self.from,
            until: self.until,
            ..ActivityQuery::default()
        })
    }
}
