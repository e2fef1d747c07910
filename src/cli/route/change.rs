//! `lictor route create`, `update` and `delete`.

use super::list::whole;
use crate::admin::{NewRoute, RouteEdit, RouteView};
use crate::catalog::RoutePath;
use crate::cli::opened::{People, with_admin};
use crate::cli::report;
use crate::cli::terminal::{Common, Format, Stop, Terminal, stored, yes_or_no};
use crate::cli::{Exit, json};
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
#[command(after_help = "Envoy has to send its requests: `lictor envoy config` says how.

Example: lictor route create -c lictor.yaml -n Design --from https://press.example.com --prefix /p/

Exit codes: 0 made, 2 something cannot be taken as written, 4 refused, 5 the store does not answer.")]
pub(in crate::cli) struct Create {
    #[command(flatten)]
    common: Common,
    /// Where it is: an id, or the way to it such as `Design/Web`
    #[arg(long, short, value_name = "NAMESPACE")]
    namespace: String,
    /// `https://HOST[:PORT]`
    #[arg(long, value_name = "ORIGIN")]
    from: String,
    #[command(flatten)]
    path: PathArgs,
    /// What Envoy may send as `route_id`: lower-case letters, digits and hyphens; one is made up if absent
    #[arg(long, default_value = "", hide_default_value = true)]
    id: String,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
    /// Send upstreams the assertion of who asks
    #[arg(long)]
    pass_identity_headers: bool,
    /// Name the reasons of refusals
    #[arg(long)]
    show_error_details: bool,
    /// Give it this policy of the store: pol_…, or the name that it alone has; can be repeated
    #[arg(long = "policy", value_name = "POLICY")]
    policies: Vec<String>,
}

/// Which paths of the host.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct PathArgs {
    /// Only this path
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Paths that begin so, letter by letter
    #[arg(long, value_name = "PATH")]
    prefix: Option<String>,
    /// This path, and those below it
    #[arg(long, value_name = "PATH")]
    path_separated_prefix: Option<String>,
    /// Paths that match this regular expression as a whole
    #[arg(long, value_name = "REGEX")]
    regex: Option<String>,
    /// Every path
    #[arg(long)]
    any_path: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).multiple(true).args(
        ["namespace", "from", "description", "pass_identity_headers", "show_error_details",
        "path", "prefix", "path_separated_prefix", "regex", "any_path"]
    ),
    after_help = "`lictor policy assign` gives it policies.

Example: lictor route update --config lictor.yaml drafts --path-separated-prefix /drafts

Exit codes: 0 changed, 2 something cannot be taken as written, 4 refused, 5 the store does not answer."
)]
pub(in crate::cli) struct Update {
    #[command(flatten)]
    common: Common,
    /// The route, as `lictor route list` names it
    route: String,
    /// Where it is to be: an id, or the way to it such as `Design/Web`
    #[arg(long, short, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// `https://HOST[:PORT]`
    #[arg(long, value_name = "ORIGIN")]
    from: Option<String>,
    #[command(flatten)]
    path: PathArgs,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Whether upstreams are sent the assertion of who asks: yes or no
    #[arg(long, value_parser = yes_or_no)]
    pass_identity_headers: Option<bool>,
    /// Whether the reasons of refusals are named: yes or no
    #[arg(long, value_parser = yes_or_no)]
    show_error_details: Option<bool>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor route delete --config lictor.yaml drafts

Exit codes: 0 deleted, 4 it is not there, or one of the configuration, 5 the store does not answer.")]
pub(in crate::cli) struct Delete {
    #[command(flatten)]
    common: Common,
    /// The route, as `lictor route list` names it
    route: String,
}

impl PathArgs {
    /// What was asked for; `None` if nothing was.
    fn path(&self) -> Option<RoutePath> {
        let some = |text: &Option<String>, path: fn(String) -> RoutePath| text.clone().map(path);
        some(&self.path, RoutePath::Exact)
            .or_else(|| some(&self.prefix, RoutePath::Prefix))
            .or_else(|| some(&self.path_separated_prefix, RoutePath::SeparatedPrefix))
            .or_else(|| some(&self.regex, RoutePath::Regex))
            .or_else(|| self.any_path.then_some(RoutePath::Any))
    }
}

impl Create {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let new = self.new_route(terminal).await?;
            let view = terminal.admin.create_route(&terminal.by, new, terminal.at()).await?;
            show(self.common.format, &view);
            report::say("Envoy has to send its requests: `lictor envoy config` says how");
            Ok(())
        })
    }

    async fn new_route(&self, terminal: &Terminal) -> Result<NewRoute, Stop> {
        let mut policies = Vec::new();
        for policy in &self.policies {
            policies.push(stored(&terminal.policy(policy).await?)?.to_string());
        }
        Ok(NewRoute {
            id: self.id.clone(),
            namespace: terminal.namespace(&self.namespace)?,
            description: self.description.clone(),
            from: self.from.clone(),
            path: self.path.path().unwrap_or_default(),
            pass_identity_headers: self.pass_identity_headers,
            show_error_details: self.show_error_details,
            policies,
            idempotency_key: None,
        })
    }
}

impl Update {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let place = self.namespace.as_deref().map(|text| terminal.namespace(text));
            let edit = RouteEdit {
                namespace: place.transpose()?,
                description: self.description.clone(),
                from: self.from.clone(),
                path: self.path.path(),
                pass_identity_headers: self.pass_identity_headers,
                show_error_details: self.show_error_details,
                policies: None,
                expected: None,
            };
            let (admin, by) = (&terminal.admin, &terminal.by);
            let view = admin.update_route(by, &self.route, edit, terminal.at()).await?;
            show(self.common.format, &view);
            Ok(())
        })
    }
}

impl Delete {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            terminal.admin.delete_route(&terminal.by, &self.route, None, terminal.at()).await?;
            let gone = || json!({ "id": self.route });
            self.common.format.print(|| format!("{}\n", self.route), gone);
            Ok(())
        })
    }
}

fn show(format: Format, view: &RouteView) {
    format.print(|| whole(view), || -> Value { json::route(view) });
}
