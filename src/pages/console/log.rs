//! The activity log: a list with filters, and one entry with what it changed.

use super::overview::{Entry, kind_word};
use super::parts::Choice;
use super::path;
use crate::activity::{EntityKind, Outcome, Verb};
use crate::pages::Integrity;
use crate::pages::activity::said;
use crate::pages::frame::{Frame, Place};
use crate::pages::rendered;
use askama::Template;

/// What was done, the latest first.
#[derive(Clone, Debug, Template)]
#[template(path = "console/log.html", config = ".askama.toml")]
pub struct LogPage {
    pub frame: Frame,
    pub rows: Vec<Entry>,
    pub which: LogFilter,
    /// Whether there are older ones.
    pub more: bool,
    /// `None` for somebody who is not told.
    pub integrity: Option<Integrity>,
}

/// Which entries. Parameters: `who`, `verb`, `kind`, `thing`, `outcome`, `from`, `until` (dates),
/// `only` (`here`), `before` (a number).
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    pub who: String,
    pub verb: Option<Verb>,
    pub kind: Option<EntityKind>,
    pub thing: String,
    pub outcome: Option<Outcome>,
    pub from: String,
    pub until: String,
    pub recursive: bool,
    pub before: Option<u64>,
}

/// One entry.
#[derive(Clone, Debug, Template)]
#[template(path = "console/entry.html", config = ".askama.toml")]
pub struct EntryPage {
    pub frame: Frame,
    pub entry: Entry,
    /// Their user id, if it is not how they are called.
    pub actor_id: String,
    /// To whom, or as whom.
    pub subject: String,
    pub reason: String,
    /// The id of what it was done to.
    pub thing: String,
    pub credential: String,
    pub session: String,
    pub address: String,
    pub user_agent: String,
    pub request_id: String,
    pub diff: Vec<DiffLine>,
    /// The entries before and after it about the same thing.
    pub previous: Option<u64>,
    pub next: Option<u64>,
}

/// A line of what changed.
#[derive(Clone, Debug)]
pub struct DiffLine {
    pub change: Change,
    pub text: String,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Same,
    Added,
    Removed,
}

impl LogPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn older(&self) -> Option<String> {
        let last = self.rows.last().filter(|_| self.more)?;
        Some(self.which.address(path::ACTIVITY, &[("before", &last.number.to_string())]))
    }

    fn latest(&self) -> Option<String> {
        self.which.before.map(|_| self.which.address(path::ACTIVITY, &[]))
    }

    fn export(&self, format: &str) -> String {
        let which = &self.which;
        let midnight = |day: &str| match day {
            "" => String::new(),
            _ => format!("{day}T00:00:00Z"),
        };
        let (from, until) = (midnight(&which.from), midnight(&which.until));
        path::with(
            path::ACTIVITY_EXPORT,
            [
                ("format", format),
                ("namespace", self.frame.namespace_id()),
                ("recursive", if which.recursive { "" } else { "false" }),
                ("who", which.who.as_str()),
                ("verb", which.verb.map(Verb::name).unwrap_or_default()),
                ("entity_type", which.kind.map(EntityKind::name).unwrap_or_default()),
                ("entity_id", which.thing.as_str()),
                ("outcome", which.outcome.map(Outcome::name).unwrap_or_default()),
                ("from", from.as_str()),
                ("until", until.as_str()),
            ],
        )
    }

    fn verbs(&self) -> Vec<Choice> {
        let choice = |verb: Verb| Choice {
            value: verb.name().to_owned(),
            label: said(verb).to_owned(),
            chosen: self.which.verb == Some(verb),
        };
        Verb::ALL.map(choice).into()
    }

    fn kinds(&self) -> Vec<Choice> {
        let choice = |kind: EntityKind| Choice {
            value: kind.name().to_owned(),
            label: kind_word(kind).to_owned(),
            chosen: self.which.kind == Some(kind),
        };
        EntityKind::ALL.map(choice).into()
    }

    fn outcomes(&self) -> Vec<Choice> {
        let choice = |(outcome, label): (Outcome, &str)| Choice {
            value: outcome.name().to_owned(),
            label: label.to_owned(),
            chosen: self.which.outcome == Some(outcome),
        };
        [(Outcome::Done, "Done"), (Outcome::Denied, "Refused")].map(choice).into()
    }
}

impl LogFilter {
    fn address(&self, to: &str, more: &[(&str, &str)]) -> String {
        let own = [
            ("who", self.who.as_str()),
            ("verb", self.verb.map(Verb::name).unwrap_or_default()),
            ("kind", self.kind.map(EntityKind::name).unwrap_or_default()),
            ("thing", &self.thing),
            ("outcome", self.outcome.map(Outcome::name).unwrap_or_default()),
            ("from", &self.from),
            ("until", &self.until),
            ("only", if self.recursive { "" } else { "here" }),
        ];
        path::with(to, own.into_iter().chain(more.iter().copied()))
    }

    fn is_there(&self) -> bool {
        !matches!(self.address("", &[]).as_str(), "" | "?only=here")
    }
}

impl EntryPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn about(&self) -> String {
        path::with(path::ACTIVITY, [("thing", self.thing.as_str())])
    }

    /// `2 lines added, 1 removed`
    fn summary(&self) -> String {
        let count = |change| self.diff.iter().filter(|line| line.change == change).count();
        format!("{} added, {} removed", count(Change::Added), count(Change::Removed))
    }
}

impl DiffLine {
    /// Its class, its sign, and the word for those who do not see either.
    fn marks(&self) -> (&'static str, &'static str, &'static str) {
        match self.change {
            Change::Same => ("same", " ", ""),
            Change::Added => ("added", "+", "added: "),
            Change::Removed => ("removed", "−", "removed: "),
        }
    }

    pub(in crate::pages) fn class(&self) -> &'static str {
        self.marks().0
    }

    pub(in crate::pages) fn sign(&self) -> &'static str {
        self.marks().1
    }

    pub(in crate::pages) fn word(&self) -> &'static str {
        self.marks().2
    }
}
