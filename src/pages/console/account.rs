//! One service account: what it is, how it is used, where it can go, and what can be done with it.

use super::accounts::AccountRow;
use super::overview::Entry;
use super::parts::{Notice, grouped};
use super::path;
use crate::pages::frame::{Frame, Place};
use crate::pages::rendered;
use crate::service_account::CredentialState;
use crate::time::Timestamp;
use askama::Template;

/// Everything of one account.
#[derive(Clone, Debug, Template)]
#[template(path = "console/account.html", config = ".askama.toml")]
pub struct AccountPage {
    pub frame: Frame,
    pub notice: Notice,
    pub account: AccountRow,
    /// How whoever made it is called.
    pub created_by: String,
    pub modified: Timestamp,
    /// What made it, such as `terraform`.
    pub originator: String,
    pub disabled: Option<Timestamp>,
    /// Why it is suspended, in a sentence.
    pub suspended: String,
    pub version: u64,
    /// The latest first.
    pub credentials: Vec<CredentialRow>,
    pub usage: Usage,
    pub destinations: Vec<DestinationRow>,
    pub mentions: Vec<PolicyMentioned>,
    /// The latest first.
    pub entries: Vec<Entry>,
}

/// A credential.
#[derive(Clone, Debug)]
pub struct CredentialRow {
    pub id: String,
    /// The last characters of the token.
    pub hint: String,
    pub issued: Timestamp,
    pub issued_by: String,
    pub expires: Option<Timestamp>,
    pub superseded: Option<Timestamp>,
    pub revoked: Option<Timestamp>,
    pub used: Option<Timestamp>,
    /// From where, and on which route.
    pub address: String,
    pub route: String,
    pub state: CredentialState,
}

/// What was done with it.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// One for each day, the last is today.
    pub days: Vec<UsageDay>,
    /// The most used first.
    pub routes: Vec<RouteUse>,
    /// The latest first.
    pub denials: Vec<DenialRow>,
}

/// How often it was let through and refused on a day.
#[derive(Clone, Debug, Default)]
pub struct UsageDay {
    /// Such as `22 Nov`.
    pub day: String,
    pub allowed: u64,
    pub denied: u64,
}

/// How often on a route.
#[derive(Clone, Debug)]
pub struct RouteUse {
    pub route: String,
    pub allowed: u64,
    pub denied: u64,
    pub last: Timestamp,
}

/// A reason for which it was refused.
#[derive(Clone, Debug)]
pub struct DenialRow {
    pub reason: String,
    pub route: String,
    pub count: u64,
    pub last: Timestamp,
}

/// A route it may reach by its namespace.
#[derive(Clone, Debug)]
pub struct DestinationRow {
    pub route: String,
    pub from: String,
    /// Path.
    pub namespace: String,
    pub allowed: bool,
    /// The code of the refusal; empty if allowed.
    pub reason: String,
}

/// A policy in a word.
#[derive(Clone, Debug, Default)]
pub struct PolicyMentioned {
    pub id: String,
    pub name: String,
    /// Path.
    pub namespace: String,
    pub enforced: bool,
    /// Written in the configuration.
    pub in_file: bool,
}

/// A column of the picture.
#[derive(Debug)]
pub struct Bar {
    pub(in crate::pages) x: usize,
    pub(in crate::pages) top: u64,
    pub(in crate::pages) allowed: u64,
    pub(in crate::pages) denied: u64,
    pub(in crate::pages) title: String,
}

/// How high the picture is.
const HEIGHT: u64 = 48;
/// How wide a column is, with the gap after it.
const STEP: usize = 10;

impl AccountPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    /// The last credential there is; a rotation says after which it comes.
    fn latest(&self) -> &str {
        self.credentials.first().map(|row| row.id.as_str()).unwrap_or_default()
    }

    fn simulate(&self, from: &str) -> String {
        let url = if from.is_empty() { String::new() } else { format!("{from}/") };
        path::with(
            path::SIMULATOR,
            [("who", "account"), ("account", self.account.id.as_str()), ("url", &url)],
        )
    }

    /// The address that a route is asked for at, if it is known here.
    fn address_of(&self, route: &str) -> &str {
        let found = self.destinations.iter().find(|row| row.route == route);
        found.map(|row| row.from.as_str()).unwrap_or_default()
    }

    fn reachable(&self) -> usize {
        self.destinations.iter().filter(|row| row.allowed).count()
    }

    fn new_policy(&self) -> String {
        let AccountRow { user_id, namespace_id, .. } = &self.account;
        path::with(path::NEW_POLICY, [("ns", namespace_id.as_str()), ("for", user_id)])
    }

    fn activity(&self) -> String {
        let account = &self.account;
        let which =
            if account.impersonating { ("thing", &account.id) } else { ("who", &account.user_id) };
        path::with(path::ACTIVITY, [(which.0, which.1.as_str())])
    }
}

impl Usage {
    fn total(&self, of: impl Fn(&UsageDay) -> u64) -> u64 {
        self.days.iter().map(of).sum()
    }

    pub(in crate::pages) fn is_none(&self) -> bool {
        self.total(|day| day.allowed + day.denied) == 0
    }

    /// The same in words.
    pub(in crate::pages) fn summary(&self) -> String {
        let (allowed, denied) = (self.total(|day| day.allowed), self.total(|day| day.denied));
        let days = self.days.len();
        format!("{} allowed and {} denied in {days} days", grouped(allowed), grouped(denied))
    }

    pub(in crate::pages) fn width(&self) -> usize {
        self.days.len() * STEP
    }

    pub(in crate::pages) fn bars(&self) -> Vec<Bar> {
        let most = self.days.iter().map(|day| day.allowed + day.denied).max().unwrap_or(0).max(1);
        // Whatever happened can be seen.
        let high = |count: u64| match count {
            0 => 0,
            _ => (count.saturating_mul(HEIGHT) / most).max(2),
        };
        let bar = |(index, day): (usize, &UsageDay)| {
            let (allowed, denied) = (high(day.allowed), high(day.denied));
            Bar {
                x: index * STEP,
                top: HEIGHT.saturating_sub(allowed + denied),
                allowed,
                denied,
                title: format!(
                    "{}: {} allowed, {} denied",
                    day.day,
                    grouped(day.allowed),
                    grouped(day.denied)
                ),
            }
        };
        self.days.iter().enumerate().map(bar).collect()
    }
}

impl CredentialRow {
    pub(in crate::pages) fn word(&self) -> &'static str {
        match self.state {
            CredentialState::Active => "Active",
            CredentialState::Ending => "Ending",
            CredentialState::Superseded => "Superseded",
            CredentialState::Expired => "Expired",
            CredentialState::Revoked => "Revoked",
        }
    }

    pub(in crate::pages) fn mark(&self) -> &'static str {
        match self.state {
            CredentialState::Active => "yes",
            CredentialState::Ending => "soon",
            CredentialState::Superseded | CredentialState::Expired => "open",
            CredentialState::Revoked => "no",
        }
    }

    pub(in crate::pages) fn is_good(&self) -> bool {
        matches!(self.state, CredentialState::Active | CredentialState::Ending)
    }
}
