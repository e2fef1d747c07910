//! `lictor namespace create`, `update`, `rename`, `move` and `delete`.

use super::Named;
use super::show::{facts, resources};
use crate::admin::{AdminError, Deletion, MovePreview, NamespaceEdit, NamespaceView, NewNamespace};
use crate::cli::opened::{People, with_admin};
use crate::cli::report::{self, printable};
use crate::cli::terminal::{Common, Format, Stop, Terminal, span};
use crate::cli::{Exit, json};
use crate::id::NamespaceId;
use crate::namespace::LifetimeRules;
use serde_json::json;
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor namespace create --config lictor.yaml Print --parent Design --max-lifetime 366d

Exit codes: 0 made, 2 something cannot be taken as written, 4 refused, 5 the store does not answer."
)]
pub(in crate::cli) struct Create {
    #[command(flatten)]
    common: Common,
    /// What it is to be called
    name: String,
    /// Where it is to stand: an id, or the way to it
    #[arg(long, value_name = "NAMESPACE", default_value = "Global")]
    parent: String,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
    /// The longest time that service accounts in it and below may live
    #[arg(long, value_name = "TIME", value_parser = span)]
    max_lifetime: Option<Duration>,
    /// Service accounts in it and below must have an end
    #[arg(long)]
    require_expiry: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).multiple(true),
    after_help = "Example: lictor namespace update --config lictor.yaml Press --require-expiry yes

Exit codes: 0 changed, 2 something cannot be taken as written, 4 refused, 5 the store does not answer."
)]
pub(in crate::cli) struct Update {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
    /// What it is for
    #[arg(long, value_name = "TEXT", group = "what")]
    description: Option<String>,
    /// The longest time that service accounts in it and below may live; `inherit` says nothing of it here
    #[arg(long, value_name = "TIME", value_parser = lifetime, group = "what")]
    max_lifetime: Option<Said<Duration>>,
    /// Whether service accounts in it and below must have an end: yes, no or inherit
    #[arg(long, value_parser = required, group = "what")]
    require_expiry: Option<Said<bool>>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor namespace rename --config lictor.yaml Press Newsroom

Exit codes: 0 renamed, 2 it cannot be called so, 4 refused, 5 the store does not answer.")]
pub(in crate::cli) struct Rename {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
    /// What it is to be called
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Says first which service accounts reach into it no more or only then, and which enforced policies stop or
begin to count.

Example: lictor namespace move --config lictor.yaml Press --to Design --dry-run

Exit codes: 0 it stands there, or could; 4 something is in the way, 5 the store does not answer."
)]
pub(in crate::cli) struct Move {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
    /// The namespace below which it is to stand: an id, or the way to it
    #[arg(long, value_name = "NAMESPACE")]
    to: String,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor namespace delete --config lictor.yaml Press

Exit codes: 0 deleted, 4 something is in it, 5 the store does not answer.")]
pub(in crate::cli) struct Delete {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
    /// With everything in it and below: service accounts, routes, policies and roles
    #[arg(long)]
    with_all: bool,
}

/// What is said of a rule in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said<T> {
    Here(T),
    FurtherUp,
}

impl<T> Said<T> {
    fn rule(self) -> Option<T> {
        match self {
            Self::Here(rule) => Some(rule),
            Self::FurtherUp => None,
        }
    }
}

const INHERIT: &str = "inherit";

fn lifetime(text: &str) -> Result<Said<Duration>, String> {
    if text == INHERIT { Ok(Said::FurtherUp) } else { span(text).map(Said::Here) }
}

fn required(text: &str) -> Result<Said<bool>, String> {
    match text {
        "yes" => Ok(Said::Here(true)),
        "no" => Ok(Said::Here(false)),
        INHERIT => Ok(Said::FurtherUp),
        _ => Err("one of yes, no, inherit".to_owned()),
    }
}

impl Create {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let new = NewNamespace {
                parent: terminal.namespace(&self.parent)?,
                name: self.name.clone(),
                description: self.description.clone(),
                lifetime: LifetimeRules {
                    longest: self.max_lifetime,
                    required: self.require_expiry.then_some(true),
                },
                idempotency_key: None,
            };
            let view = terminal.admin.create_namespace(&terminal.by, new, terminal.at()).await?;
            show(self.common.format, &view);
            Ok(())
        })
    }
}

fn show(format: Format, view: &NamespaceView) {
    format.print(|| facts(view), || json::namespace(view));
}

impl Update {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let (admin, by) = (&terminal.admin, &terminal.by);
            let id = terminal.namespace(&self.named.namespace)?;
            let is = admin.namespace(by, &id).await?.record;
            let lifetime = LifetimeRules {
                longest: self.max_lifetime.map_or(is.lifetime.longest, Said::rule),
                required: self.require_expiry.map_or(is.lifetime.required, Said::rule),
            };
            let edit = NamespaceEdit {
                description: self.description.clone(),
                lifetime: Some(lifetime).filter(|lifetime| *lifetime != is.lifetime),
                // Of the rules only those that were named change.
                expected: Some(is.version),
                ..NamespaceEdit::default()
            };
            let view = admin.update_namespace(by, &id, edit, terminal.at()).await?;
            show(self.common.format, &view);
            Ok(())
        })
    }
}

impl Rename {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let id = terminal.namespace(&self.named.namespace)?;
            let edit = NamespaceEdit { name: Some(self.name.clone()), ..NamespaceEdit::default() };
            let (admin, by) = (&terminal.admin, &terminal.by);
            let view = admin.update_namespace(by, &id, edit, terminal.at()).await?;
            show(self.common.format, &view);
            Ok(())
        })
    }
}

impl Move {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let (admin, by) = (&terminal.admin, &terminal.by);
            let id = terminal.namespace(&self.named.namespace)?;
            let parent = terminal.namespace(&self.to)?;
            let preview = admin.preview_move(by, &id, &parent).await?;
            if self.dry_run {
                self.common.format.print(|| words(&preview), || json::preview(&preview));
                return match preview.obstacles.as_slice() {
                    [] => Ok(()),
                    [_, ..] => Err(Stop::Told(Exit::Denied)),
                };
            }
            report::say(words(&preview).trim_end());
            let edit = NamespaceEdit { parent: Some(parent), ..NamespaceEdit::default() };
            let view = admin.update_namespace(by, &id, edit, terminal.at()).await?;
            show(self.common.format, &view);
            Ok(())
        })
    }
}

/// What a move changes, a line each.
fn words(preview: &MovePreview) -> String {
    let accounts = |(path, count): &(String, u64)| {
        let plural = if *count == 1 { "" } else { "s" };
        format!("{count} service account{plural} of {path}")
    };
    let mut lines: Vec<String> = Vec::new();
    lines.extend(preview.obstacles.iter().map(|why| format!("in the way: {why}")));
    lines.extend(preview.lose.iter().map(|lost| format!("reach it no more: {}", accounts(lost))));
    lines.extend(
        preview.gain.iter().map(|gained| format!("reach it only then: {}", accounts(gained))),
    );
    let lost = preview.enforced_lost.iter();
    lines.extend(lost.map(|name| format!("counts no more: the enforced policy `{name}`")));
    let gained = preview.enforced_gained.iter();
    lines.extend(gained.map(|name| format!("counts only then: the enforced policy `{name}`")));
    let plural = if preview.routes == 1 { "" } else { "s" };
    lines.push(format!("in it and below: {} route{plural}", preview.routes));
    lines.iter().map(|line| printable(line) + "\n").collect()
}

impl Delete {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let id = terminal.namespace(&self.named.namespace)?;
            let deletion = if self.with_all { Deletion::WithAll } else { Deletion::OnlyIfFree };
            let (admin, by) = (&terminal.admin, &terminal.by);
            match admin.delete_namespace(by, &id, deletion, terminal.at()).await {
                Ok(()) => {
                    let gone = || json!({ "id": id.as_str() });
                    self.common.format.print(|| format!("{id}\n"), gone);
                    Ok(())
                }
                Err(error @ AdminError::InUse(_)) => {
                    in_the_way(terminal, &id).await?;
                    Err(error.into())
                }
                Err(error) => Err(error.into()),
            }
        })
    }
}

/// Says what keeps a namespace.
async fn in_the_way(terminal: &Terminal, id: &NamespaceId) -> Result<(), Stop> {
    let inside = terminal.admin.resources(&terminal.by, id, terminal.now()).await?;
    report::say(resources(&inside).trim());
    Ok(())
}
