//! The list of service accounts.

use super::parts::{Choice, Notice, Pager};
use super::path;
use crate::pages::frame::{Frame, Place};
use crate::pages::rendered;
use crate::service_account::AccountState;
use crate::store::{Filter, SortKey, Sorted};
use crate::time::Timestamp;
use askama::Template;

/// Accounts of a namespace, or of it and those below.
#[derive(Clone, Debug, Template)]
#[template(path = "console/accounts.html", config = ".askama.toml")]
pub struct AccountsPage {
    pub frame: Frame,
    pub notice: Notice,
    pub rows: Vec<AccountRow>,
    pub pager: Pager,
    /// What is looked for.
    pub text: String,
    /// Only impersonating ones, or only unique ones.
    pub impersonating: Option<bool>,
    pub filter: Option<Filter>,
    /// With those of namespaces below.
    pub recursive: bool,
    pub sorted: Option<Sorted>,
    /// Whether they may make accounts here.
    pub manages: bool,
}

/// An account in a list.
#[derive(Clone, Debug)]
pub struct AccountRow {
    pub id: String,
    pub name: String,
    pub user_id: String,
    pub impersonating: bool,
    /// As whom it acts, as the directory calls them; empty for a unique one.
    pub person: String,
    pub namespace_id: String,
    /// Path.
    pub namespace: String,
    pub description: String,
    pub issued: Timestamp,
    pub used: Option<Timestamp>,
    pub expires: Option<Timestamp>,
    pub state: AccountState,
    /// Whether they may change it.
    pub manages: bool,
    /// Whether they may keep it from doing anything.
    pub restricts: bool,
}

impl AccountsPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn is_filtered(&self) -> bool {
        !self.text.is_empty() || self.filter.is_some() || self.impersonating.is_some()
    }

    fn kind(&self) -> &'static str {
        match self.impersonating {
            None => "",
            Some(true) => "impersonated",
            Some(false) => "unique",
        }
    }

    fn sort(&self) -> String {
        self.sorted.map(written).unwrap_or_default()
    }

    /// The same list with one thing otherwise.
    fn otherwise(&self, filter: Option<Filter>, sort: &str) -> String {
        path::with(
            path::ACCOUNTS,
            [
                ("q", self.text.as_str()),
                ("kind", self.kind()),
                ("state", filter.map(Filter::name).unwrap_or_default()),
                ("only", if self.recursive { "" } else { "here" }),
                ("sort", sort),
            ],
        )
    }

    fn export(&self, format: &str) -> String {
        let sort = self.sort();
        path::with(
            path::ACCOUNTS_EXPORT,
            [
                ("format", format),
                ("namespace", self.frame.namespace_id()),
                ("recursive", if self.recursive { "" } else { "false" }),
                ("q", self.text.as_str()),
                ("kind", self.kind()),
                ("state", self.filter.map(Filter::name).unwrap_or_default()),
                ("sort", sort.as_str()),
            ],
        )
    }

    /// Label, address, and whether it is in force.
    fn filters(&self) -> Vec<Choice> {
        let choice = |filter: Option<Filter>, label: &str| Choice {
            label: label.to_owned(),
            value: self.otherwise(filter, &self.sort()),
            chosen: self.filter == filter,
        };
        let all = std::iter::once(choice(None, "All"));
        all.chain(Filter::ALL.map(|filter| choice(Some(filter), filter_word(filter)))).collect()
    }

    /// The same list in the order of a column; the other way round if it is so already.
    fn by(&self, key: &str) -> String {
        let Some(key) = SortKey::parse(key) else { return String::new() };
        let descending = match self.sorted {
            Some(sorted) if sorted.key == key => !sorted.descending,
            Some(_) | None => false,
        };
        self.otherwise(self.filter, &written(Sorted { key, descending }))
    }

    /// For `aria-sort`.
    fn order(&self, key: &str) -> &'static str {
        match self.sorted {
            Some(Sorted { key: by, descending }) if by.name() == key => {
                if descending {
                    "descending"
                } else {
                    "ascending"
                }
            }
            Some(_) | None => "none",
        }
    }

    fn some_manageable(&self) -> bool {
        self.rows.iter().any(|row| row.restricts)
    }
}

fn written(sorted: Sorted) -> String {
    format!("{}{}", if sorted.descending { "-" } else { "" }, sorted.key.name())
}

fn filter_word(filter: Filter) -> &'static str {
    match filter {
        Filter::Active => "Active",
        Filter::Disabled => "Disabled",
        Filter::Expired => "Expired",
        Filter::Expiring => "Expiring",
        Filter::NeverUsed => "Never used",
        Filter::Stale => "Unused for 90 days",
    }
}

/// The word for a state, and its mark.
pub(in crate::pages) fn state_words(state: AccountState) -> (&'static str, &'static str) {
    match state {
        AccountState::Active => ("Active", "yes"),
        AccountState::Expiring => ("Expiring", "soon"),
        AccountState::Expired => ("Expired", "no"),
        AccountState::Disabled => ("Disabled", "open"),
        AccountState::Suspended => ("Suspended", "no"),
        AccountState::Deleted => ("Deleted", "no"),
    }
}

impl AccountRow {
    pub(in crate::pages) fn word(&self) -> &'static str {
        state_words(self.state).0
    }

    pub(in crate::pages) fn mark(&self) -> &'static str {
        state_words(self.state).1
    }

    pub(in crate::pages) fn href(&self) -> String {
        path::account(&self.id, "")
    }

    pub(in crate::pages) fn below(&self, below: &str) -> String {
        path::account(&self.id, below)
    }

    pub(in crate::pages) fn is_disabled(&self) -> bool {
        self.state == AccountState::Disabled
    }
}
