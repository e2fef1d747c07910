//! `lictor service-account list`: those that are there, as many as are wanted.

use super::table;
use crate::admin::{AccountView, AccountsWanted};
use crate::cli::opened::{People, with_admin};
use crate::cli::terminal::{Common, Stop, Terminal, one_of};
use crate::cli::{Exit, json, report};
use crate::store::{Filter, SortKey, Sorted};
use serde_json::Value;

/// So many are read at once.
const PAGE: usize = 200;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor service-account list --config lictor.yaml --state expiring --sort expires_at

Exit codes: 0 listed, 4 there is no such namespace, 5 the store or the directory does not answer."
)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    common: Common,
    /// Only those of this namespace and below: an id, or the way to it such as `Design/Web`
    #[arg(long, short, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Not those of namespaces below
    #[arg(long, requires = "namespace")]
    here: bool,
    /// Only those whose name, user id, description or id holds this, whatever its case
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    text: String,
    /// Only those of this user id
    #[arg(long, value_name = "USER ID")]
    user: Option<String>,
    /// Only those of this kind: unique or impersonated
    #[arg(long, value_parser = kind)]
    kind: Option<Kind>,
    /// Only those that stand like this: active, disabled, expired, expiring, `never_used` or stale
    #[arg(long, value_parser = state)]
    state: Option<Filter>,
    /// Columns to order by, `-` before one for the reverse: `user_id`, `issued_at`, `expires_at`, `last_used_at`,
    /// `namespace_id`, `kind`
    #[arg(
        long,
        value_name = "COLUMNS",
        value_parser = sorted,
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    sort: Vec<Sorted>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unique,
    Impersonated,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Unique => "unique",
            Self::Impersonated => "impersonated",
        }
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    one_of([Kind::Unique, Kind::Impersonated], |kind| kind.name(), text)
}

fn state(text: &str) -> Result<Filter, String> {
    one_of(Filter::ALL, |filter| filter.name(), text)
}

fn sorted(text: &str) -> Result<Sorted, String> {
    let (name, descending) = match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let key = one_of(SortKey::ALL, |key| key.name(), name)?;
    Ok(Sorted { key, descending })
}

impl List {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Needed, async |terminal| {
            let (views, total) = self.listed(terminal).await?;
            let all = || views.iter().map(json::account).collect::<Value>();
            self.common.format.print(|| table(&views), all);
            let shown = views.len() as u64;
            if shown < total {
                report::say(&format!("{shown} of {total}; --limit shows more"));
            }
            Ok(())
        })
    }

    async fn listed(&self, terminal: &Terminal) -> Result<(Vec<AccountView>, u64), Stop> {
        let mut which = AccountsWanted {
            namespace: self
                .namespace
                .as_deref()
                .map(|text| terminal.namespace(text))
                .transpose()?,
            recursive: !self.here,
            text: self.text.clone(),
            user: self.user.clone(),
            impersonating: self.kind.map(|kind| kind == Kind::Impersonated),
            filter: self.state,
            sorted: self.sort.clone(),
            offset: 0,
            limit: 0,
        };
        let mut views = Vec::new();
        loop {
            which.offset = views.len();
            which.limit = PAGE.min(self.limit - views.len());
            let page = terminal.admin.accounts(&terminal.by, &which, terminal.now()).await?;
            let last = page.views.len() < which.limit;
            views.extend(page.views);
            if last || views.len() >= self.limit {
                return Ok((views, page.total));
            }
        }
    }
}
