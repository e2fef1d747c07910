//! `lictor policy print`: each route with its policies as they are evaluated, fields of routes
//! written as rules.

use super::load;
use crate::cli::{Exit, report};
use crate::route::Route;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor policy print --config lictor.yaml --route wiki")]
pub(in crate::cli) struct Print {
    /// The configuration
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,
    /// Only the route of this id
    #[arg(long, value_name = "ID")]
    route: Option<String>,
}

impl Print {
    pub(super) fn run(&self) -> Exit {
        let config = match load(&self.config) {
            Ok(config) => config,
            Err(exit) => return exit,
        };
        let wanted =
            |route: &&Route| self.route.as_deref().is_none_or(|id| route.id.as_str() == id);
        let routes: Vec<&Route> = config.routes.iter().filter(wanted).collect();
        if routes.is_empty() && self.route.is_some() {
            let id = self.route.as_deref().unwrap_or_default();
            report::error(
                &format!("no route is called `{id}`"),
                Some("ids stand in `routes[].id`"),
            );
            return Exit::Usage;
        }
        let texts: Vec<String> = routes.into_iter().map(text).collect();
        report::data(&texts.join("\n"));
        Exit::Ok
    }
}

fn text(route: &Route) -> String {
    let Route { id, from, path, place, .. } = route;
    let mut parts = vec![format!("# {id}: {from}, {path}\n# {place}\n")];
    if route.policies.is_empty() {
        parts.push("# no policy: everybody is refused\n[]\n".to_owned());
    }
    for policy in &route.policies {
        if !policy.name.is_empty() {
            parts.push(format!("# policy `{}`\n", policy.name));
        }
        parts.push(policy.to_string());
    }
    parts.concat()
}
