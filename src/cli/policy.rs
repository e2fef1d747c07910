//! `lictor policy …`: what policies say, before they say it to anybody.

mod diff;
mod explain;
mod lint;
mod print;
mod test;

use super::{Exit, check, report};
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
}

impl PolicyCommand {
    pub(super) fn run(self) -> Exit {
        match self {
            Self::Explain(explain) => explain.run(),
            Self::Test(test) => test.run(),
            Self::Diff(diff) => diff.run(),
            Self::Lint(lint) => lint.run(),
            Self::Print(print) => print.run(),
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
        check::tell(&problems, file);
        Exit::Invalid
    })
}
