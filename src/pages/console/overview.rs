//! How things stand, at a glance.

use super::path;
use crate::activity::{ActorKind, EntityKind, Outcome, Verb};
use crate::pages::activity::{mark, said};
use crate::pages::frame::{Frame, Place};
use crate::pages::rendered;
use crate::store::{AccountTally, Filter};
use crate::time::Timestamp;
use askama::Template;

/// How things stand in a namespace and below.
#[derive(Clone, Debug, Template)]
#[template(path = "console/overview.html", config = ".askama.toml")]
pub struct OverviewPage {
    pub frame: Frame,
    pub accounts: AccountTally,
    /// People the directory knows.
    pub people: u64,
    /// Policies that do not compile (any more): id and name.
    pub broken: Vec<(String, String)>,
    /// The latest first.
    pub entries: Vec<Entry>,
    /// Whether they may make accounts here.
    pub manages: bool,
}

/// An entry of the activity log in a list.
#[derive(Clone, Debug)]
pub struct Entry {
    pub number: u64,
    pub at: Timestamp,
    pub verb: Verb,
    pub outcome: Outcome,
    /// Who did it; empty if nobody is known.
    pub actor: String,
    /// By what right, if it was administration.
    pub by: Option<ActorKind>,
    /// What it was done to.
    pub kind: Option<EntityKind>,
    pub name: String,
    /// Where that is; empty for nowhere.
    pub link: String,
    /// Path of its namespace; empty for none.
    pub namespace: String,
    /// What else there is to know.
    pub detail: String,
}

/// A number that leads to a list.
pub(super) struct Tally {
    pub(in crate::pages) label: &'static str,
    pub(in crate::pages) number: u64,
    pub(in crate::pages) href: String,
    pub(in crate::pages) mark: &'static str,
}

impl OverviewPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn tallies(&self) -> Vec<Tally> {
        let AccountTally { active, expiring, never_used, stale, expired, disabled, .. } =
            self.accounts;
        let tally = |label, number, filter: Filter, mark| Tally {
            label,
            number,
            href: path::with(path::ACCOUNTS, [("state", filter.name())]),
            mark,
        };
        vec![
            tally("active", active, Filter::Active, "yes"),
            tally("expire within 14 days", expiring, Filter::Expiring, "soon"),
            tally("expired", expired, Filter::Expired, "no"),
            tally("disabled", disabled, Filter::Disabled, "open"),
            tally("never used", never_used, Filter::NeverUsed, "open"),
            tally("not used for 90 days", stale, Filter::Stale, "open"),
        ]
    }
}

impl Entry {
    /// What was done, for a reader.
    pub(in crate::pages) fn what(&self) -> &'static str {
        match self.outcome {
            Outcome::Done => said(self.verb),
            Outcome::Denied => "Was refused",
        }
    }

    pub(in crate::pages) fn mark(&self) -> &'static str {
        match self.outcome {
            Outcome::Done => mark(self.verb),
            Outcome::Denied => "no",
        }
    }

    /// What kind of thing it was done to.
    pub(in crate::pages) fn kind_word(&self) -> &'static str {
        self.kind.map(kind_word).unwrap_or_default()
    }

    /// What it was done to, before its name: `service account`, `to`, `for service account`.
    pub(in crate::pages) fn to_what(&self) -> String {
        let of_credential = [
            Verb::IssueCredential,
            Verb::RotateCredential,
            Verb::RevokeCredential,
            Verb::CredentialReused,
        ];
        let joined = if self.outcome == Outcome::Denied {
            ""
        } else if self.verb == Verb::GrantRole {
            "to"
        } else if self.verb == Verb::RemoveRole {
            "from"
        } else if of_credential.contains(&self.verb) {
            "for"
        } else {
            ""
        };
        let said = matches!(self.kind, Some(EntityKind::Permission | EntityKind::Credential));
        let kind = if said && !joined.is_empty() { "" } else { self.kind_word() };
        format!("{joined} {kind}").trim().to_owned()
    }

    /// By what right, if not as a person.
    pub(in crate::pages) fn by_word(&self) -> &'static str {
        match self.by {
            None | Some(ActorKind::Person) => "",
            Some(ActorKind::ServiceAccount) => "service account",
            Some(ActorKind::Bootstrap) => "bootstrap secret",
            Some(ActorKind::Terminal) => "terminal",
        }
    }
}

pub(in crate::pages) fn kind_word(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::Namespace => "namespace",
        EntityKind::Permission => "role",
        EntityKind::ServiceAccount => "service account",
        EntityKind::Credential => "credential",
        EntityKind::Policy => "policy",
        EntityKind::Route => "route",
        EntityKind::User => "person",
        EntityKind::Deployment => "deployment",
    }
}
