//! `lictor policy …`: what policies say, before they say it to anybody.

mod assign;
mod change;
mod check;
mod diff;
mod explain;
mod lint;
mod list;
mod print;
mod test;

use super::{Exit, check as config_check, report};
use crate::config::{Config, Environment, load_directory};
use crate::state::Snapshot;
use std::path::Path;

#[derive(Debug, clap::Subcommand)]
pub(super) enum PolicyCommand {
    /// Say what becomes of one request, and which criterion decides
    Explain(Box<explain::Explain>),
    /// Run policy tests, and say what they leave out
    Test(test::Test),
    /// Tell who gains and who loses access between two configurations, and by which rules
    Diff(diff::Diff),
    /// Tell what of the policies of a configuration is probably not meant as it is written
    Lint(lint::Lint),
    /// Print the policy of each route as it is evaluated
    Print(print::Print),
    /// Tell everything that is wrong with one policy
    Check(check::Check),
    /// List the policies of the configuration and of the store
    List(list::List),
    /// Show a policy with its text and the routes that have it
    Show(list::Show),
    /// Keep a new policy in the store
    Create(Box<change::Create>),
    /// Change a policy of the store
    Update(change::Update),
    /// Delete a policy of the store
    Delete(change::Delete),
    /// Give a policy of the store to routes
    Assign(assign::Assign),
    /// Take a policy of the store from routes
    Remove(assign::Remove),
}

impl PolicyCommand {
    pub(super) fn run(self) -> Exit {
        match self {
            Self::Explain(explain) => explain.run(),
            Self::Test(test) => test.run(),
            Self::Diff(diff) => diff.run(),
            Self::Lint(lint) => lint.run(),
            Self::Print(print) => print.run(),
            Self::Check(check) => check.run(),
            Self::List(list) => list.run(),
            Self::Show(show) => show.run(),
            Self::Create(create) => create.run(),
            Self::Update(update) => update.run(),
            Self::Delete(delete) => delete.run(),
            Self::Assign(assign) => assign.run(),
            Self::Remove(remove) => remove.run(),
        }
    }
}

/// The configuration in `file` with its directory, ready to be asked. Problems have been told.
fn snapshot(file: &Path) -> Result<Snapshot, Exit> {
    let config = load(file)?;
    let directory = config.directory.as_deref().map(load_directory).transpose();
    match directory {
        Ok(directory) => Ok(Snapshot::assemble(config, directory.unwrap_or_default())),
        Err(why) => {
            report::error(&format!("the directory cannot be read: {why}"), None);
            Err(Exit::Invalid)
        }
    }
}

fn load(file: &Path) -> Result<Config, Exit> {
    Config::load(file, &Environment::of_process()).map_err(|problems| {
        config_check::tell(&problems, file);
        Exit::Invalid
    })
}
