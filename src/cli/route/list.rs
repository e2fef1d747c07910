//! `lictor route list` and `show`.

use crate::admin::{PolicyMention, RouteView, RouteWanted};
use crate::cli::opened::{People, with_admin};
use crate::cli::report::{self, instant};
use crate::cli::terminal::Common;
use crate::cli::{Exit, json};
use crate::namespace::Made;
use serde_json::Value;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor route list --config lictor.yaml --namespace Design

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
    /// Only those whose id, address or description holds this, whatever its case
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    text: String,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor route show --config lictor.yaml wiki

Exit codes: 0 shown, 4 it is not there, 5 the store does not answer.")]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    common: Common,
    /// The route, as `lictor route list` names it
    route: String,
}

impl List {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let place = self.namespace.as_deref().map(|text| terminal.namespace(text));
            let which = RouteWanted {
                namespace: place.transpose()?,
                recursive: !self.here,
                text: self.text.clone(),
                ..RouteWanted::default()
            };
            let (views, _) = terminal.admin.routes(&terminal.by, &which).await?;
            let all = || views.iter().map(json::route).collect::<Value>();
            self.common.format.print(|| table(&views), all);
            Ok(())
        })
    }
}

impl Show {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let view = terminal.admin.route(&terminal.by, &self.route).await?;
            self.common.format.print(|| whole(&view), || json::route(&view));
            Ok(())
        })
    }
}

fn table(views: &[RouteView]) -> String {
    let row = |view: &RouteView| {
        let own = usize::from(view.own_policy);
        [
            view.id.to_string(),
            view.from.clone(),
            view.path.clone(),
            view.namespace_path.clone(),
            json::made(view.made).to_owned(),
            (view.policies.len() + own).to_string(),
            view.description.clone(),
        ]
    };
    let head = ["ID", "FROM", "PATH", "NAMESPACE", "MADE IN", "POLICIES", "DESCRIPTION"];
    let head = head.map(str::to_owned);
    report::table(&std::iter::once(head).chain(views.iter().map(row)).collect::<Vec<_>>())
}

pub(super) fn whole(view: &RouteView) -> String {
    let kept = |at| if view.made == Made::Here { instant(at) } else { String::new() };
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let own = if view.own_policy { "in the configuration" } else { "" };
    let facts = report::facts(&[
        ("id", view.id.to_string()),
        ("from", view.from.clone()),
        ("path", if view.path.is_empty() { "every path".to_owned() } else { view.path.clone() }),
        ("namespace", format!("{} ({})", view.namespace_path, view.namespace)),
        ("made in", json::made(view.made).to_owned()),
        ("description", view.description.clone()),
        ("passes identity on", yes(view.pass_identity_headers)),
        ("names reasons", yes(view.show_error_details)),
        ("own policy", own.to_owned()),
        ("overlaps with", view.overlaps.join(", ")),
        ("created", kept(view.created)),
        ("modified", kept(view.modified)),
        ("by", view.modified_by.clone()),
    ]);
    let policies = if view.policies.is_empty() && !view.own_policy {
        "no policy counts on it: it refuses everybody\n".to_owned()
    } else if view.policies.is_empty() {
        return facts;
    } else {
        policies(&view.policies)
    };
    format!("{facts}\n{policies}")
}

fn policies(mentions: &[PolicyMention]) -> String {
    let row = |policy: &PolicyMention| {
        let enforced = if policy.enforced { "enforced" } else { "given to it" };
        [
            policy.name.clone(),
            policy.id.clone(),
            policy.namespace_path.clone(),
            json::made(policy.made).to_owned(),
            enforced.to_owned(),
        ]
    };
    let head = ["POLICY", "ID", "NAMESPACE", "MADE IN", "COUNTS"].map(str::to_owned);
    let rows = std::iter::once(head).chain(mentions.iter().map(row));
    report::table(&rows.collect::<Vec<_>>())
}
