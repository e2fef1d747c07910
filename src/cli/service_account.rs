//! `lictor service-account`: identities of machines, and the tokens they show. Works on the store
//! itself; running servers see the change as they see each other's.

mod change;
mod create;
mod credentials;
mod list;
mod show;
mod token;

use super::Exit;
use super::report::{self, instant};
use super::terminal::{Stop, Terminal};
use crate::admin::AccountView;
use crate::id::ServiceAccountId;

#[derive(Debug, clap::Subcommand)]
pub(super) enum ServiceAccountCommand {
    /// List service accounts
    List(list::List),
    /// Show a service account with its credentials and the policies that name it
    Show(show::Show),
    /// Make a service account, and print its token this once
    Create(create::Create),
    /// Change what a service account is for, or when it ends
    Update(change::Update),
    /// Switch service accounts off: their tokens open nothing until they are switched on
    Disable(change::Disable),
    /// Switch service accounts on again
    Enable(change::Enable),
    /// Delete service accounts: their tokens never open anything again
    Delete(change::Delete),
    /// Put a new token in the place of all that are good, and print it this once
    Rotate(credentials::Rotate),
    /// Issue one more token, and print it this once
    Issue(credentials::Issue),
    /// Revoke credentials, now and for good
    Revoke(credentials::Revoke),
    /// Tell what was done with a service account, by day, route and outcome
    Usage(show::UsageOf),
    /// Tell where a service account can go, and what keeps it from going elsewhere
    Where(show::Where),
}

impl ServiceAccountCommand {
    pub(super) fn run(&self) -> Exit {
        match self {
            Self::List(list) => list.run(),
            Self::Show(show) => show.run(),
            Self::Create(create) => create.run(),
            Self::Update(update) => update.run(),
            Self::Disable(disable) => disable.run(),
            Self::Enable(enable) => enable.run(),
            Self::Delete(delete) => delete.run(),
            Self::Rotate(rotate) => rotate.run(),
            Self::Issue(issue) => issue.run(),
            Self::Revoke(revoke) => revoke.run(),
            Self::Usage(usage) => usage.run(),
            Self::Where(destinations) => destinations.run(),
        }
    }
}

/// Which service account a command is about.
#[derive(Debug, clap::Args)]
struct Named {
    /// The service account: sa_…, or the user id that it alone has
    #[arg(value_name = "ACCOUNT")]
    account: String,
}

impl Named {
    async fn find(&self, terminal: &Terminal) -> Result<ServiceAccountId, Stop> {
        terminal.account(&self.account).await
    }
}

const COLUMNS: [&str; 8] =
    ["ID", "USER ID", "KIND", "NAMESPACE", "STATE", "EXPIRES", "LAST USED", "DESCRIPTION"];

pub(super) fn table(views: &[AccountView]) -> String {
    let head = COLUMNS.map(str::to_owned);
    let rows: Vec<[String; 8]> = std::iter::once(head).chain(views.iter().map(row)).collect();
    report::table(&rows)
}

fn row(view: &AccountView) -> [String; 8] {
    let record = &view.record;
    [
        record.id.to_string(),
        record.user.clone(),
        record.kind_name().to_owned(),
        view.namespace_path.clone(),
        view.state.name().to_owned(),
        record.expires.map(instant).unwrap_or_default(),
        record.used.map(instant).unwrap_or_default(),
        record.description.clone(),
    ]
}
