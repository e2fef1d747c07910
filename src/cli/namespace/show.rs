//! `lictor namespace list` and `show`.

use super::Named;
use crate::admin::{NamespaceView, Resource};
use crate::cli::opened::{People, with_admin};
use crate::cli::report::{self, instant};
use crate::cli::terminal::{Common, span_text};
use crate::cli::{Exit, json};
use crate::namespace::{LifetimeRules, Made};
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor namespace list --config lictor.yaml

Exit codes: 0 listed, 5 the store does not answer.")]
pub(in crate::cli) struct List {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor namespace show --config lictor.yaml Design/Web

Exit codes: 0 shown, 4 it is not there, 5 the store does not answer.")]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
}

impl List {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let views = terminal.admin.namespaces(&terminal.by).await?;
            let all = || views.iter().map(json::namespace).collect::<Value>();
            self.common.format.print(|| tree(&views), all);
            Ok(())
        })
    }
}

impl Show {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let (admin, by, now) = (&terminal.admin, &terminal.by, terminal.now());
            let id = terminal.namespace(&self.named.namespace)?;
            let view = admin.namespace(by, &id).await?;
            let inside = admin.resources(by, &id, now).await?;
            let json = || {
                let all = inside.iter().map(json::resource).collect::<Value>();
                json::merged(json::namespace(&view), json!({ "resources": all }))
            };
            self.common.format.print(|| facts(&view) + &resources(&inside), json);
            Ok(())
        })
    }
}

/// Parents before children, with lines between them.
fn tree(views: &[NamespaceView]) -> String {
    let depths: Vec<usize> = views.iter().map(|view| view.depth).collect();
    let row = |(view, lines): (&NamespaceView, String)| {
        [
            lines + view.record.name.as_str(),
            view.record.id.to_string(),
            view.accounts.to_string(),
            view.routes.to_string(),
            view.policies.to_string(),
            json::made(view.record.made).to_owned(),
        ]
    };
    let head = ["NAMESPACE", "ID", "ACCOUNTS", "ROUTES", "POLICIES", "MADE IN"].map(str::to_owned);
    let rows = std::iter::once(head).chain(views.iter().zip(lines(&depths)).map(row));
    report::table(&rows.collect::<Vec<_>>())
}

/// What leads to each of some nodes, given how deep each is, in the order of a walk.
fn lines(depths: &[usize]) -> Vec<String> {
    // By depth, whether a sibling comes further down.
    let mut follows: Vec<bool> = Vec::new();
    let lines = depths.iter().rev().map(|depth| {
        follows.resize(depth + 1, false);
        let mut line: String = follows
            .iter()
            .take(*depth)
            .skip(1)
            .map(|more| if *more { "│  " } else { "   " })
            .collect();
        let last = follows.last_mut();
        if *depth > 0 {
            line += if last.as_deref() == Some(&true) { "├─ " } else { "└─ " };
        }
        if let Some(more) = last {
            *more = true;
        }
        line
    });
    let mut lines: Vec<String> = lines.collect();
    lines.reverse();
    lines
}

pub(super) fn facts(view: &NamespaceView) -> String {
    let record = &view.record;
    let kept = |at| if record.made == Made::Here { instant(at) } else { String::new() };
    report::facts(&[
        ("id", record.id.to_string()),
        ("path", view.path.clone()),
        ("description", record.description.clone()),
        ("made in", json::made(record.made).to_owned()),
        ("created", kept(record.created)),
        ("modified", kept(record.modified)),
        ("service accounts", view.accounts.to_string()),
        ("routes", view.routes.to_string()),
        ("policies", view.policies.to_string()),
        ("lifetime of accounts", lifetime(&view.lifetime)),
    ])
}

/// How long accounts may live, in words.
fn lifetime(rules: &LifetimeRules) -> String {
    match (rules.longest, rules.wants_expiry()) {
        (Some(longest), _) => format!("at most {}", span_text(longest)),
        (None, true) => "any, with an end".to_owned(),
        (None, false) => "any".to_owned(),
    }
}

pub(super) fn resources(inside: &[Resource]) -> String {
    if inside.is_empty() {
        return "\nnothing is in it\n".to_owned();
    }
    let row = |found: &Resource| [found.kind.to_owned(), found.id.clone(), found.name.clone()];
    let head = ["KIND", "ID", "NAME"].map(str::to_owned);
    let rows = std::iter::once(head).chain(inside.iter().map(row));
    format!("\n{}", report::table(&rows.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn a_tree_has_lines() {
        assert_eq!(lines(&[0, 1, 2, 2, 1, 2]), ["", "├─ ", "│  ├─ ", "│  └─ ", "└─ ", "   └─ "]);
        assert_eq!(lines(&[0]), [""]);
        assert!(lines(&[]).is_empty());
    }
}
