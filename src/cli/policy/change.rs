//! `lictor policy create`, `update` and `delete`: what is stored was compiled before.

use super::check::Written;
use super::list::facts;
use crate::admin::{Deletion, NewPolicy, PolicyEdit, PolicyView};
use crate::cli::opened::{People, with_admin};
use crate::cli::terminal::{Common, Format, Stop, Terminal, stored, yes_or_no};
use crate::cli::{Exit, json};
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor policy create -c lictor.yaml -n Design --name bots --file ci-only.yaml --route wiki

Exit codes: 0 made, 2 something cannot be taken as written, 3 the policy is wrong, 4 refused, 5 the store does not answer."
)]
pub(in crate::cli) struct Create {
    #[command(flatten)]
    common: Common,
    /// Its text; `-` for standard input
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// Where it is at home, so that routes there and below can have it: an id, or the way to it
    #[arg(long, short, value_name = "NAMESPACE")]
    namespace: String,
    /// What it is to be called
    #[arg(long, value_name = "NAME")]
    name: String,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
    /// What whoever is refused by it is told
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    explanation: String,
    /// What they can do about it
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    remediation: String,
    /// Let it count on every route of its namespace and below, asked for or not
    #[arg(long)]
    enforced: bool,
    /// Give it to this route; can be repeated
    #[arg(long = "route", value_name = "ROUTE")]
    routes: Vec<String>,
}

#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).multiple(true),
    after_help = "Example: lictor policy update --config lictor.yaml 'only the build' --file ci-only.yaml

Exit codes: 0 changed, 2 something cannot be taken as written, 3 the policy is wrong, 4 refused, 5 the store does not answer."
)]
pub(in crate::cli) struct Update {
    #[command(flatten)]
    common: Common,
    /// The policy: pol_…, or the name that it alone has
    policy: String,
    /// Its new text; `-` for standard input
    #[arg(long, value_name = "FILE", group = "what")]
    file: Option<PathBuf>,
    /// What it is to be called
    #[arg(long, value_name = "NAME", group = "what")]
    name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT", group = "what")]
    description: Option<String>,
    /// What whoever is refused by it is told
    #[arg(long, value_name = "TEXT", group = "what")]
    explanation: Option<String>,
    /// What they can do about it
    #[arg(long, value_name = "TEXT", group = "what")]
    remediation: Option<String>,
    /// Whether it counts on every route of its namespace and below: yes or no
    #[arg(long, value_parser = yes_or_no, group = "what")]
    enforced: Option<bool>,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor policy delete --config lictor.yaml 'only the build' --from-routes

Exit codes: 0 deleted, 4 it is not there, or routes have it, 5 the store does not answer."
)]
pub(in crate::cli) struct Delete {
    #[command(flatten)]
    common: Common,
    /// The policy: pol_…, or the name that it alone has
    policy: String,
    /// Take it from the routes that have it
    #[arg(long)]
    from_routes: bool,
}

impl Create {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let new = NewPolicy {
                namespace: terminal.namespace(&self.namespace)?,
                name: self.name.clone(),
                description: self.description.clone(),
                explanation: self.explanation.clone(),
                remediation: self.remediation.clone(),
                text: usable(terminal, &self.file)?,
                enforced: self.enforced,
                routes: self.routes.iter().cloned().collect(),
                idempotency_key: None,
            };
            let view = terminal.admin.create_policy(&terminal.by, new, terminal.at()).await?;
            show(self.common.format, &view);
            Ok(())
        })
    }
}

impl Update {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let id = stored(&terminal.policy(&self.policy).await?)?;
            let text = self.file.as_ref().map(|file| usable(terminal, file)).transpose()?;
            let edit = PolicyEdit {
                name: self.name.clone(),
                description: self.description.clone(),
                explanation: self.explanation.clone(),
                remediation: self.remediation.clone(),
                text,
                enforced: self.enforced,
                routes: None,
                expected: None,
            };
            let (admin, by) = (&terminal.admin, &terminal.by);
            let view = admin.update_policy(by, &id, edit, terminal.at()).await?;
            show(self.common.format, &view);
            Ok(())
        })
    }
}

impl Delete {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let id = stored(&terminal.policy(&self.policy).await?)?;
            let deletion = if self.from_routes { Deletion::WithAll } else { Deletion::OnlyIfFree };
            terminal.admin.delete_policy(&terminal.by, &id, deletion, terminal.at()).await?;
            let gone = || json!({ "id": id.as_str() });
            self.common.format.print(|| format!("{id}\n"), gone);
            Ok(())
        })
    }
}

/// The text in a file, if it is a policy.
fn usable(terminal: &Terminal, file: &std::path::Path) -> Result<String, Stop> {
    Written::usable(file, terminal.snapshot().settings.stored.language)
}

pub(super) fn show(format: Format, view: &PolicyView) {
    format.print(|| facts(view), || json::policy(view));
}
