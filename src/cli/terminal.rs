//! Somebody at the terminal, with every verb of administration: what they name is found, and what is
//! not done is told.

mod find;
mod read;

pub(super) use find::stored;
pub(super) use read::{ExpiryArgs, instant, one_of, span, span_text, text_of, yes_or_no};

use super::opened::failed;
use super::{Exit, report};
use crate::admin::{Actor, Admin, AdminError, FieldError, What};
use crate::authorizer::Authorizer;
use crate::clock::{Clock, SystemClock};
use crate::people::Moment;
use crate::secret::Secret;
use crate::session::Origin;
use crate::state::{Snapshot, State};
use crate::store::{CacheLimits, SessionCache, Store, StoreError};
use crate::time::Timestamp;
use clap::ValueEnum;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;

/// What every command of administration takes.
#[derive(Debug, clap::Args)]
pub(super) struct Common {
    /// The configuration
    #[arg(long, short, value_name = "FILE")]
    pub(super) config: PathBuf,
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

/// How things are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    #[default]
    Table,
    Json,
}

impl Format {
    /// Writes data: a table for people, or what the admin API would answer.
    pub(super) fn print(self, table: impl FnOnce() -> String, json: impl FnOnce() -> Value) {
        report::data(&match self {
            Self::Table => table(),
            Self::Json => format!("{:#}\n", json()),
        });
    }
}

/// Somebody who can read the configuration, and so may do everything.
#[derive(Debug)]
pub(super) struct Terminal {
    pub(super) admin: Admin,
    pub(super) by: Actor,
    state: Arc<State>,
    origin: Origin,
    clock: SystemClock,
}

impl Terminal {
    /// Reads what the store holds besides records of machines and people.
    pub(super) async fn open(
        snapshot: Snapshot,
        store: Arc<dyn Store>,
        key: Secret<[u8; 32]>,
    ) -> Result<Self, Stop> {
        let state = Arc::new(State::new(snapshot));
        state.refresh(store.as_ref()).await?;
        let cache = Arc::new(SessionCache::new(store, CacheLimits::default()));
        let authorizer = Arc::new(Authorizer::with_records(Arc::clone(&cache) as _));
        Ok(Self {
            admin: Admin::new(cache, Arc::clone(&state), authorizer, key),
            by: Actor::terminal(),
            state,
            origin: Origin::default(),
            clock: SystemClock,
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn at(&self) -> Moment<'_> {
        Moment { now: self.now(), origin: &self.origin }
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        self.state.snapshot()
    }
}

/// Why a command ends before it is done.
#[derive(Debug)]
pub(super) enum Stop {
    /// A verb was not done.
    Refused(AdminError),
    /// In words, with what to do.
    Said { message: String, help: String, exit: Exit },
    /// It has been told.
    Told(Exit),
}

impl From<AdminError> for Stop {
    fn from(error: AdminError) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Refused(AdminError::Unavailable(error))
    }
}

impl Stop {
    pub(super) fn said(message: impl Into<String>, help: impl Into<String>, exit: Exit) -> Self {
        Self::Said { message: message.into(), help: help.into(), exit }
    }

    /// Of one of several things, which one it is about.
    pub(super) fn about(self, name: &str) -> Self {
        match self {
            Self::Refused(AdminError::NotFound(what)) => {
                let message = format!("there is no {} `{name}`", what.name());
                Self::said(message, names_of(what), Exit::Denied)
            }
            Self::Refused(AdminError::Refused(why)) => {
                Self::Refused(AdminError::Refused(format!("`{name}`: {why}")))
            }
            stop @ (Self::Refused(_) | Self::Said { .. } | Self::Told(_)) => stop,
        }
    }

    /// Says it on standard error.
    pub(super) fn tell(self) -> Exit {
        match self {
            Self::Refused(error) => refused(&error),
            Self::Said { message, help, exit } => {
                report::error(&report::printable(&message), Some(&report::printable(&help)));
                exit
            }
            Self::Told(exit) => exit,
        }
    }
}

/// What a verb that was not done is to somebody at the terminal.
fn refused(error: &AdminError) -> Exit {
    let message = report::printable(&error.to_string());
    let tell = |help: Option<&str>| report::error(&message, help);
    match error {
        AdminError::Invalid(fields) => return invalid(fields),
        AdminError::Unavailable(error) => return failed(error),
        AdminError::NotFound(what) => tell(Some(names_of(*what))),
        AdminError::Forbidden { .. } | AdminError::Refused(_) | AdminError::InUse(_) => tell(None),
        AdminError::Taken(_) => tell(Some("choose another one")),
        AdminError::Changed => tell(Some("somebody else is at it too; try again")),
        AdminError::NotFresh => tell(Some("sign in again")),
    }
    Exit::Denied
}

/// The text of a policy is a document of its own; the rest stood on the command line.
fn invalid(fields: &[FieldError]) -> Exit {
    for FieldError { field, message } in fields {
        let what = format!("`{field}` cannot be taken as written");
        report::error(&what, Some(&report::printable(message)));
    }
    let document = fields.iter().any(|error| matches!(error.field, "text" | "policy"));
    if document { Exit::Invalid } else { Exit::Usage }
}

/// Where the names of such things are to be had.
fn names_of(what: What) -> &'static str {
    match what {
        What::Namespace => "`lictor namespace list` names those that are there",
        What::Permission => "`lictor namespace roles` names those that are there",
        What::ServiceAccount => "`lictor service-account list` names those that are there",
        What::Credential => "`lictor service-account show` names those of an account",
        What::Policy => "`lictor policy list` names those that are there",
        What::Route => "`lictor route list` names those that are there",
        What::User => "`lictor user search` finds people",
        What::Entry => "`lictor audit list` numbers those that are there",
    }
}
