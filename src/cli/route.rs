//! `lictor route`: which routes there are, and which one serves a request. Those of the store are made
//! and changed here; those of the configuration are changed in their file.

mod change;
mod explain;
mod list;

use super::Exit;

#[derive(Debug, clap::Subcommand)]
pub(super) enum RouteCommand {
    /// Tell which route serves a host and a path, and why the others do not
    Explain(explain::Explain),
    /// List the routes of the configuration and of the store, in the order in which they are tried
    List(list::List),
    /// Show a route with the policies that count on it
    Show(list::Show),
    /// Keep a new route in the store
    Create(change::Create),
    /// Change a route of the store
    Update(change::Update),
    /// Delete routes of the store
    Delete(change::Delete),
}

impl RouteCommand {
    pub(super) fn run(&self) -> Exit {
        match self {
            Self::Explain(explain) => explain.run(),
            Self::List(list) => list.run(),
            Self::Show(show) => show.run(),
            Self::Create(create) => create.run(),
            Self::Update(update) => update.run(),
            Self::Delete(delete) => delete.run(),
        }
    }
}
