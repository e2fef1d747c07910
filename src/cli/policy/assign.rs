//! `lictor policy assign` and `remove`: which routes have a policy.

use super::change::show;
use crate::admin::PolicyEdit;
use crate::cli::Exit;
use crate::cli::opened::{People, with_admin};
use crate::cli::report::printable;
use crate::cli::terminal::{Common, Stop, Terminal, stored};
use crate::id::PolicyId;
use std::collections::BTreeSet;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor policy assign --config lictor.yaml 'only the build' files

Exit codes: 0 they have it, 2 one of them cannot have it, 4 it is not there, 5 the store does not answer.")]
pub(in crate::cli) struct Assign {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor policy remove --config lictor.yaml 'only the build' wiki

Exit codes: 0 they do not have it, 4 one of them did not, or it is not there, 5 the store does not answer.")]
pub(in crate::cli) struct Remove {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
struct Which {
    #[command(flatten)]
    common: Common,
    /// The policy: pol_…, or the name that it alone has
    policy: String,
    /// Routes, as `lictor route list` names them
    #[arg(required = true, value_name = "ROUTE")]
    routes: Vec<String>,
}

impl Assign {
    pub(super) fn run(&self) -> Exit {
        self.which.change(|has, named| Ok(has.union(named).cloned().collect()))
    }
}

impl Remove {
    pub(super) fn run(&self) -> Exit {
        self.which.change(|has, named| match named.difference(has).next() {
            Some(other) => {
                let message = format!("it was not given to the route `{}`", printable(other));
                let help = "`lictor policy show` names the routes that have it";
                Err(Stop::said(message, help, Exit::Denied))
            }
            None => Ok(has.difference(named).cloned().collect()),
        })
    }
}

impl Which {
    /// Gives the policy to other routes than before.
    fn change(
        &self,
        next: impl Fn(&BTreeSet<String>, &BTreeSet<String>) -> Result<BTreeSet<String>, Stop>,
    ) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let view = terminal.policy(&self.policy).await?;
            let id = stored(&view)?;
            if view.enforced {
                let message =
                    format!("`{}` counts on every route of its namespace and below", view.name);
                let help = "`lictor policy update --enforced no` lets it count where it is given";
                return Err(Stop::said(message, help, Exit::Denied));
            }
            let named = self.routes.iter().cloned().collect();
            let edit = PolicyEdit {
                routes: Some(next(&given(terminal, &id), &named)?),
                // Nobody else's change is to be lost.
                expected: Some(view.version),
                ..PolicyEdit::default()
            };
            let (admin, by) = (&terminal.admin, &terminal.by);
            let view = admin.update_policy(by, &id, edit, terminal.at()).await?;
            show(self.common.format, &view);
            Ok(())
        })
    }
}

/// The routes that a policy was given to, those included that are not there at the moment.
fn given(terminal: &Terminal, id: &PolicyId) -> BTreeSet<String> {
    let snapshot = terminal.snapshot();
    let mut policies = snapshot.catalog.stored.policies.iter();
    policies.find(|policy| policy.id == *id).map(|policy| policy.routes.clone()).unwrap_or_default()
}
