//! `lictor service-account show`, `usage` and `where`: what an account is, does and may do.

use super::Named;
use crate::admin::{AccountView, Destination, PolicyMention};
use crate::cli::opened::{People, with_admin};
use crate::cli::report::{self, instant};
use crate::cli::terminal::Common;
use crate::cli::{Exit, json};
use crate::service_account::CredentialRecord;
use crate::store::Usage;
use crate::time::Timestamp;
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor service-account show --config lictor.yaml build-bot@design.pomerium

Exit codes: 0 shown, 4 it is not there, 5 the store or the directory does not answer."
)]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor service-account usage --config lictor.yaml build-bot@design.pomerium --days 7

Exit codes: 0 shown, 4 it is not there, 5 the store does not answer."
)]
pub(in crate::cli) struct UsageOf {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
    /// So many days back, today included
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=90))]
    days: u32,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Asks as the account for every route of its namespace and below: `GET /`, or the path of the route.

Example: lictor service-account where --config lictor.yaml build-bot@design.pomerium

Exit codes: 0 shown, 4 it is not there, 5 the store or the directory does not answer."
)]
pub(in crate::cli) struct Where {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
}

/// All there is to say of an account.
struct Whole {
    view: AccountView,
    credentials: Vec<CredentialRecord>,
    mentions: Vec<PolicyMention>,
    now: Timestamp,
}

impl Show {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Needed, async |terminal| {
            let (admin, by, now) = (&terminal.admin, &terminal.by, terminal.now());
            let id = self.named.find(terminal).await?;
            let whole = Whole {
                view: admin.account(by, &id, now).await?,
                credentials: admin.credentials(by, &id, now).await?,
                mentions: admin.mentions(by, &id).await?,
                now,
            };
            self.common.format.print(|| whole.text(), || whole.json());
            Ok(())
        })
    }
}

impl Whole {
    fn text(&self) -> String {
        let mut text = facts(&self.view);
        if !self.credentials.is_empty() {
            text += "\n";
            text += &self.table();
        }
        if self.mentions.is_empty() {
            text += "\nno policy names it\n";
        } else {
            text += "\n";
            text += &policies(&self.mentions);
        }
        text
    }

    fn json(&self) -> Value {
        let credential = |record: &CredentialRecord| json::credential(record, self.now);
        let more = json!({
            "credentials": self.credentials.iter().map(credential).collect::<Value>(),
            "policies": self.mentions.iter().map(json::mention).collect::<Value>(),
        });
        json::merged(json::account(&self.view), more)
    }

    fn table(&self) -> String {
        let columns =
            ["CREDENTIAL", "HINT", "STATE", "ISSUED", "BY", "ENDS", "LAST USED", "FROM", "ROUTE"];
        let row = |record: &CredentialRecord| {
            let used = record.last_use.clone();
            [
                record.id.to_string(),
                record.hint.clone(),
                record.state(self.now).name().to_owned(),
                instant(record.issued),
                record.issued_by.clone(),
                ends(record).map(instant).unwrap_or_default(),
                used.as_ref().map(|used| instant(used.at)).unwrap_or_default(),
                used.as_ref().map(|used| used.address.clone()).unwrap_or_default(),
                used.map(|used| used.route).unwrap_or_default(),
            ]
        };
        let head = columns.map(str::to_owned);
        let rows = std::iter::once(head).chain(self.credentials.iter().map(row));
        report::table(&rows.collect::<Vec<_>>())
    }
}

/// When it is over: by itself, because another one takes its place, or because it was revoked.
fn ends(record: &CredentialRecord) -> Option<Timestamp> {
    [record.expires, record.superseded, record.revoked].into_iter().flatten().min()
}

fn facts(view: &AccountView) -> String {
    let record = &view.record;
    let acts = if record.is_impersonating() { view.person.clone() } else { String::new() };
    report::facts(&[
        ("id", record.id.to_string()),
        ("user id", record.user.clone()),
        ("kind", record.kind_name().to_owned()),
        ("acts as", acts),
        ("namespace", format!("{} ({})", view.namespace_path, record.namespace)),
        ("state", view.state.name().to_owned()),
        ("description", record.description.clone()),
        ("made by", record.created_by.clone()),
        ("made with", record.originator.clone()),
        ("issued", instant(record.created)),
        ("expires", record.expires.map_or_else(|| "never".to_owned(), instant)),
        ("disabled", record.disabled.map(instant).unwrap_or_default()),
        ("last used", record.used.map_or_else(|| "never".to_owned(), instant)),
    ])
}

fn policies(mentions: &[PolicyMention]) -> String {
    let row = |policy: &PolicyMention| {
        let enforced = if policy.enforced { "enforced" } else { "" };
        [
            policy.name.clone(),
            policy.id.clone(),
            policy.namespace_path.clone(),
            json::made(policy.made).to_owned(),
            enforced.to_owned(),
        ]
    };
    let head = ["POLICY THAT NAMES IT", "ID", "NAMESPACE", "MADE IN", "COUNTS"].map(str::to_owned);
    let rows = std::iter::once(head).chain(mentions.iter().map(row));
    report::table(&rows.collect::<Vec<_>>())
}

impl UsageOf {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let id = self.named.find(terminal).await?;
            let (admin, now) = (&terminal.admin, terminal.now());
            let usage = admin.account_usage(&terminal.by, &id, self.days, now).await?;
            let all = || usage.iter().map(json::usage).collect::<Value>();
            self.common.format.print(|| used(&usage), all);
            Ok(())
        })
    }
}

fn used(usage: &[Usage]) -> String {
    let row = |usage: &Usage| {
        [
            json::day(usage.day),
            usage.route.clone(),
            usage.outcome.clone(),
            usage.count.to_string(),
            instant(usage.last),
        ]
    };
    let head = ["DAY", "ROUTE", "OUTCOME", "COUNT", "LAST"].map(str::to_owned);
    report::table(&std::iter::once(head).chain(usage.iter().map(row)).collect::<Vec<_>>())
}

impl Where {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Needed, async |terminal| {
            let id = self.named.find(terminal).await?;
            let found = terminal.admin.destinations(&terminal.by, &id, terminal.now()).await?;
            let all = || found.iter().map(json::destination).collect::<Value>();
            self.common.format.print(|| destinations(&found), all);
            Ok(())
        })
    }
}

fn destinations(found: &[Destination]) -> String {
    let row = |found: &Destination| {
        let answer = if found.allowed { "allowed" } else { "denied" };
        [
            answer.to_owned(),
            found.reason.to_owned(),
            found.route.clone(),
            found.from.clone(),
            found.namespace_path.clone(),
        ]
    };
    let head = ["ANSWER", "REASON", "ROUTE", "FROM", "NAMESPACE"].map(str::to_owned);
    report::table(&std::iter::once(head).chain(found.iter().map(row)).collect::<Vec<_>>())
}
