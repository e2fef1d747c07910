//! `lictor policy list` and `show`: those of the configuration and those of the store.

use crate::admin::{PolicyView, PolicyWanted};
use crate::cli::opened::{People, with_admin};
use crate::cli::report::{self, instant};
use crate::cli::terminal::{Common, Stop};
use crate::cli::{Exit, json};
use crate::namespace::Made;
use serde_json::Value;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor policy list --config lictor.yaml --namespace Design

Exit codes: 0 listed, 4 there is no such namespace, 5 the store does not answer.")]
pub(in crate::cli) struct List {
    #[command(flatten)]
    common: Common,
    /// Only those of this namespace and below: an id, or the way to it such as `Design/Web`
    #[arg(long, short, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Not those of namespaces below
    #[arg(long, requires = "namespace")]
    here: bool,
    /// Instead: those that can be given to a route in this namespace, its own and those further up
    #[arg(long, value_name = "NAMESPACE", conflicts_with = "namespace")]
    usable_in: Option<String>,
    /// Only those whose id, name or description holds this, whatever its case
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    text: String,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor policy show --config lictor.yaml 'only the build'

To change one in an editor:
  lictor policy show -c lictor.yaml 'only the build' --only-text > policy.yaml
  lictor policy update -c lictor.yaml 'only the build' --file policy.yaml

Exit codes: 0 shown, 4 it is not there, 5 the store does not answer.")]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    common: Common,
    /// The policy: pol_…, or the name that it alone has
    policy: String,
    /// Its text, and nothing else
    #[arg(long, conflicts_with = "format")]
    only_text: bool,
}

impl List {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let place = |text: &Option<String>| {
                text.as_deref().map(|text| terminal.namespace(text)).transpose()
            };
            let which = PolicyWanted {
                namespace: place(&self.namespace)?,
                recursive: !self.here,
                usable_in: place(&self.usable_in)?,
                text: self.text.clone(),
            };
            let views = terminal.admin.policies(&terminal.by, &which).await?;
            let all = || views.iter().map(json::policy).collect::<Value>();
            self.common.format.print(|| table(&views), all);
            Ok(())
        })
    }
}

impl Show {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let view = terminal.policy(&self.policy).await?;
            if !self.only_text {
                self.common.format.print(|| whole(&view), || json::policy(&view));
            } else if view.made == Made::Here {
                report::data(&with_end(&view.text));
            } else {
                let message = format!("the policy `{}` is one of the configuration", view.name);
                let help = "its text stands there, under `policies`";
                return Err(Stop::said(message, help, Exit::Denied));
            }
            Ok(())
        })
    }
}

fn with_end(text: &str) -> String {
    if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

fn table(views: &[PolicyView]) -> String {
    let head = ["ID", "NAME", "NAMESPACE", "MADE IN", "COUNTS", "ROUTES", "STATE"];
    let row = |view: &PolicyView| {
        let counts = if view.enforced { "enforced" } else { "where given" };
        let state = if view.broken.is_empty() { "good" } else { "broken: refuses everybody" };
        [
            view.id.clone(),
            view.name.clone(),
            view.namespace_path.clone(),
            json::made(view.made).to_owned(),
            counts.to_owned(),
            view.routes.len().to_string(),
            state.to_owned(),
        ]
    };
    let head = head.map(str::to_owned);
    report::table(&std::iter::once(head).chain(views.iter().map(row)).collect::<Vec<_>>())
}

/// All of it, with its text.
fn whole(view: &PolicyView) -> String {
    let lines = view.text.lines().map(|line| format!("{}\n", report::printable(line)));
    let text: String = lines.collect();
    if text.is_empty() { facts(view) } else { format!("{}\n{text}", facts(view)) }
}

pub(super) fn facts(view: &PolicyView) -> String {
    let kept = |at| if view.made == Made::Here { instant(at) } else { String::new() };
    let counts =
        if view.enforced { "on every route below" } else { "where it is given to a route" };
    let routes: Vec<&str> = view.routes.iter().map(String::as_str).collect();
    report::facts(&[
        ("id", view.id.clone()),
        ("name", view.name.clone()),
        ("namespace", format!("{} ({})", view.namespace_path, view.namespace)),
        ("made in", json::made(view.made).to_owned()),
        ("counts", counts.to_owned()),
        ("routes", routes.join(", ")),
        ("broken", view.broken.clone()),
        ("description", view.description.clone()),
        ("explanation", view.explanation.clone()),
        ("remediation", view.remediation.clone()),
        ("created", kept(view.created)),
        ("modified", kept(view.modified)),
        ("by", view.modified_by.clone()),
    ])
}
