//! `lictor service-account update`, `disable`, `enable` and `delete`.

use super::{Named, table};
use crate::admin::{AccountEdit, AccountView, Expiry};
use crate::cli::opened::{People, with_admin};
use crate::cli::report::{self, printable};
use crate::cli::terminal::{Common, ExpiryArgs, Stop, Terminal};
use crate::cli::{Exit, json};
use crate::id::ServiceAccountId;
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).multiple(true).args(
        ["description", "expires_in", "expires_at", "never"]
    ),
    after_help = "Example: lictor service-account update -c lictor.yaml build-bot@design.pomerium --expires-in 30d

Exit codes: 0 changed, 2 something cannot be taken as written, 4 refused, 5 the store does not answer."
)]
pub(in crate::cli) struct Update {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    #[command(flatten)]
    expiry: ExpiryArgs,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor service-account disable --config lictor.yaml build-bot@design.pomerium

Exit codes: 0 they are off, 4 one of them was not there, 5 the store does not answer."
)]
pub(in crate::cli) struct Disable {
    #[command(flatten)]
    several: Several,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor service-account enable --config lictor.yaml build-bot@design.pomerium

Exit codes: 0 they are on, 4 one of them was not there, 5 the store does not answer."
)]
pub(in crate::cli) struct Enable {
    #[command(flatten)]
    several: Several,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor service-account delete --config lictor.yaml build-bot@design.pomerium

Exit codes: 0 they are gone, 4 one of them was not there, 5 the store does not answer."
)]
pub(in crate::cli) struct Delete {
    #[command(flatten)]
    several: Several,
}

#[derive(Debug, clap::Args)]
struct Several {
    #[command(flatten)]
    common: Common,
    /// Service accounts: sa_…, or user ids that they alone have
    #[arg(required = true, value_name = "ACCOUNT")]
    accounts: Vec<String>,
}

impl Update {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Welcome, async |terminal| {
            let id = self.named.find(terminal).await?;
            let before = terminal.admin.account(&terminal.by, &id, terminal.now()).await?;
            let edit = AccountEdit {
                description: self.description.clone(),
                expires: self.expiry.expiry(terminal.now()),
                expected: None,
            };
            let (admin, by) = (&terminal.admin, &terminal.by);
            let view = admin.update_account(by, &id, edit, terminal.at()).await?;
            let longer = match (self.expiry.expiry(terminal.now()), before.record.expires) {
                (Expiry::Never, Some(_)) => true,
                (Expiry::At(after), Some(before)) => after > before,
                (Expiry::Keep, _) | (Expiry::Never | Expiry::At(_), None) => false,
            };
            if longer {
                report::say(
                    "tokens that are out end as before; `lictor service-account rotate` makes one that lasts as long",
                );
            }
            let views = [view];
            self.common.format.print(
                || table(&views),
                || views.iter().map(json::account).next().unwrap_or_default(),
            );
            Ok(())
        })
    }
}

impl Disable {
    pub(super) fn run(&self) -> Exit {
        self.several.each_view(&async |terminal, id| {
            Ok(terminal.admin.disable_account(&terminal.by, &id, terminal.at()).await?)
        })
    }
}

impl Enable {
    pub(super) fn run(&self) -> Exit {
        self.several.each_view(&async |terminal, id| {
            Ok(terminal.admin.enable_account(&terminal.by, &id, terminal.at()).await?)
        })
    }
}

impl Delete {
    pub(super) fn run(&self) -> Exit {
        let print = |ids: &[ServiceAccountId]| {
            let list = || report::lines(ids.iter().map(ToString::to_string));
            let object = |id: &ServiceAccountId| json!({ "id": id.as_str() });
            self.several.common.format.print(list, || ids.iter().map(object).collect::<Value>());
        };
        self.several.each(print, &async |terminal, id| {
            let (admin, by) = (&terminal.admin, &terminal.by);
            let mentions = admin.mentions(by, &id).await.unwrap_or_default();
            admin.delete_account(by, &id, None, terminal.at()).await?;
            for policy in mentions {
                let (name, path) = (printable(&policy.name), printable(&policy.namespace_path));
                report::say(&format!("the policy `{name}` in {path} still names {id}"));
            }
            Ok(id)
        })
    }
}

impl Several {
    fn each_view(
        &self,
        verb: &impl AsyncFn(&Terminal, ServiceAccountId) -> Result<AccountView, Stop>,
    ) -> Exit {
        let print = |views: &[AccountView]| {
            let all = || views.iter().map(json::account).collect::<Value>();
            self.common.format.print(|| table(views), all);
        };
        self.each(print, verb)
    }

    /// Does something to each account, also after one for which it could not be done; `print` tells of
    /// those for which it was.
    fn each<T>(
        &self,
        print: impl Fn(&[T]),
        verb: &impl AsyncFn(&Terminal, ServiceAccountId) -> Result<T, Stop>,
    ) -> Exit {
        with_admin(&self.common.config, People::Welcome, async |terminal| {
            let mut done = Vec::new();
            let mut ended = Ok(());
            for name in &self.accounts {
                let found = terminal.account(name).await;
                let made = match found {
                    Ok(id) => verb(terminal, id).await,
                    Err(stop) => Err(stop),
                };
                match made {
                    Ok(one) => done.push(one),
                    Err(stop) => ended = Err(Stop::Told(stop.about(name).tell())),
                }
            }
            if !done.is_empty() {
                print(&done);
            }
            ended
        })
    }
}
