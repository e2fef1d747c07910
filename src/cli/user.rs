//! `lictor user`: people, as far as the directory and sign-ins know them, and keeping them out.

use super::opened::{People, with_admin};
use super::report::{self, instant};
use super::terminal::Common;
use super::{Exit, json};
use crate::admin::{GroupView, UserDetail, UserView};
use serde_json::{Value, json};

#[derive(Debug, clap::Subcommand)]
pub(super) enum UserCommand {
    /// Find people, or groups, by a part of what they are called
    Search(Search),
    /// Show a person with their groups, roles and the service accounts that act as them
    Show(Show),
    /// End a person's sessions, keep them from signing in, and suspend the service accounts that act as them
    Block(Block),
    /// Let a person in again
    Unblock(Unblock),
    /// Revoke every token of the service accounts that act as a person
    RevokeAccounts(RevokeAccounts),
}

impl UserCommand {
    pub(super) fn run(&self) -> Exit {
        match self {
            Self::Search(search) => search.run(),
            Self::Show(show) => show.run(),
            Self::Block(block) => block.run(),
            Self::Unblock(unblock) => unblock.run(),
            Self::RevokeAccounts(revoke) => revoke.run(),
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor user search --config lictor.yaml alice

Exit codes: 0 searched, 5 the store or the directory does not answer.")]
pub(super) struct Search {
    #[command(flatten)]
    common: Common,
    /// A user id, or a part of an e-mail address or a name
    text: String,
    /// Search for groups instead
    #[arg(long)]
    groups: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor user show --config lictor.yaml u-alice

Exit codes: 0 shown, 4 nobody is known by this user id, 5 the store or the directory does not answer.")]
pub(super) struct Show {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor user block --config lictor.yaml u-bob --reason 'left the company'

Exit codes: 0 blocked, 4 refused, 5 the store does not answer."
)]
pub(super) struct Block {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
    /// Why; kept with it
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor user unblock --config lictor.yaml u-bob

Exit codes: 0 they may come in, 4 refused, 5 the store does not answer.")]
pub(super) struct Unblock {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor user revoke-accounts --config lictor.yaml u-alice

Exit codes: 0 revoked, 4 refused, 5 the store does not answer.")]
pub(super) struct RevokeAccounts {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
}

/// Who a command is about.
#[derive(Debug, clap::Args)]
struct Named {
    /// The user id, as `lictor user search` and `/.pomerium` show it
    #[arg(value_name = "USER ID")]
    user: String,
}

impl Search {
    fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Needed, async |terminal| {
            let (admin, by) = (&terminal.admin, &terminal.by);
            let (shown, total) = if self.groups {
                let (found, total) = admin.search_groups(by, &self.text, self.limit).await?;
                let all = || found.iter().map(json::group).collect::<Value>();
                self.common.format.print(|| groups(&found), all);
                (found.len() as u64, total)
            } else {
                let (found, total) = admin.search_users(by, &self.text, self.limit).await?;
                let all = || found.iter().map(json::user).collect::<Value>();
                self.common.format.print(|| users(&found), all);
                (found.len() as u64, total)
            };
            if shown < total {
                report::say(&format!("the best {shown} of {total}; say more of whom you look for"));
            }
            Ok(())
        })
    }
}

fn users(found: &[UserView]) -> String {
    let row = |view: &UserView| {
        [
            view.id.clone(),
            view.email.clone(),
            view.name.clone(),
            json::source(view.source).to_owned(),
            if view.blocked { "blocked" } else { "" }.to_owned(),
        ]
    };
    let head = ["USER ID", "E-MAIL", "NAME", "KNOWN BY", "STATE"].map(str::to_owned);
    report::table(&std::iter::once(head).chain(found.iter().map(row)).collect::<Vec<_>>())
}

fn groups(found: &[GroupView]) -> String {
    let row = |view: &GroupView| [view.id.clone(), view.name.clone()];
    let head = ["GROUP ID", "NAME"].map(str::to_owned);
    report::table(&std::iter::once(head).chain(found.iter().map(row)).collect::<Vec<_>>())
}

impl Show {
    fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Needed, async |terminal| {
            let (admin, now) = (&terminal.admin, terminal.now());
            let found = admin.user(&terminal.by, &self.named.user, now).await?;
            self.common.format.print(|| whole(&found), || json::detail(&found));
            Ok(())
        })
    }
}

fn whole(found: &UserDetail) -> String {
    let UserDetail { view, groups, last_sign_in, blocked, roles, accounts } = found;
    let group = |group: &GroupView| match group.name.as_str() {
        "" => group.id.clone(),
        name => format!("{name} ({})", group.id),
    };
    let all = |texts: Vec<String>| texts.join(", ");
    let blocked = blocked.as_ref().map(|blocked| {
        format!("since {} by {}: {}", instant(blocked.since), blocked.by, blocked.reason)
    });
    let role =
        |(path, role): &(String, crate::namespace::Role)| format!("{} in {path}", role.name());
    let facts = report::facts(&[
        ("user id", view.id.clone()),
        ("e-mail", view.email.clone()),
        ("name", view.name.clone()),
        ("known by", json::source(view.source).to_owned()),
        ("groups", all(groups.iter().map(group).collect())),
        ("last sign-in", last_sign_in.map_or_else(|| "never".to_owned(), instant)),
        ("blocked", blocked.unwrap_or_default()),
        ("roles", all(roles.iter().map(role).collect())),
    ]);
    if accounts.is_empty() {
        return facts;
    }
    format!("{facts}\n{}", super::service_account::table(accounts))
}

impl Block {
    fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Welcome, async |terminal| {
            let (admin, user) = (&terminal.admin, &self.named.user);
            admin.block(&terminal.by, user, &self.reason, terminal.at()).await?;
            self.named.done(&self.common, &json!({ "id": user, "blocked": true }));
            Ok(())
        })
    }
}

impl Unblock {
    fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Welcome, async |terminal| {
            terminal.admin.unblock(&terminal.by, &self.named.user, terminal.at()).await?;
            self.named.done(&self.common, &json!({ "id": self.named.user, "blocked": false }));
            Ok(())
        })
    }
}

impl Named {
    fn done(&self, common: &Common, object: &Value) {
        let name = || format!("{}\n", report::printable(&self.user));
        common.format.print(name, || object.clone());
    }
}

impl RevokeAccounts {
    fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Welcome, async |terminal| {
            let (admin, user) = (&terminal.admin, &self.named.user);
            let count = admin.revoke_accounts_of(&terminal.by, user, terminal.at()).await?;
            let object = || json!({ "service_account_count": count });
            self.common.format.print(|| format!("{count}\n"), object);
            let plural = if count == 1 { "" } else { "s" };
            report::say(&format!("revoked every token of {count} service account{plural}"));
            Ok(())
        })
    }
}
