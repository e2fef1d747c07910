//! `lictor service-account rotate`, `issue` and `revoke`: new tokens come, old ones go.

use super::Named;
use super::token::{Sink, Target};
use crate::admin::{Minted, Overlap};
use crate::cli::opened::{People, with_admin};
use crate::cli::report::{self, instant};
use crate::cli::terminal::{Common, ExpiryArgs, Format, Stop, Terminal, span};
use crate::cli::{Exit, json};
use crate::id::{CredentialId, ServiceAccountId};
use crate::service_account::CredentialRecord;
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The tokens before stay good for the overlap, so that clients can be given the new one in the meantime. If one
has leaked: --overlap 0.

Example: lictor service-account rotate -c lictor.yaml build-bot@design.pomerium --overlap 1h

Exit codes: 0 done, 2 something cannot be taken as written, 4 refused, 5 the store does not answer."
)]
pub(in crate::cli) struct Rotate {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
    /// How long the tokens before stay good: 0 to 30d
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "24h")]
    overlap: Duration,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor service-account issue -c lictor.yaml build-bot@design.pomerium --expires-in 30d

Exit codes: 0 done, 2 something cannot be taken as written, 4 refused, 5 the store does not answer."
)]
pub(in crate::cli) struct Issue {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    expiry: ExpiryArgs,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("which").required(true),
    after_help = "Example: lictor service-account revoke -c lictor.yaml cred_0123456789abcdef0123456789abcdef

Exit codes: 0 revoked, 4 one of them was not there, 5 the store does not answer."
)]
pub(in crate::cli) struct Revoke {
    #[command(flatten)]
    common: Common,
    /// Credentials, as `lictor service-account show` and logs name them
    #[arg(value_name = "CREDENTIAL", value_parser = credential_id, group = "which")]
    credentials: Vec<CredentialId>,
    /// All credentials of this service account
    #[arg(long, value_name = "ACCOUNT", group = "which")]
    all_of: Option<String>,
}

fn credential_id(text: &str) -> Result<CredentialId, String> {
    CredentialId::parse(text)
        .ok_or_else(|| "write it as `lictor service-account show` prints it: cred_…".to_owned())
}

impl Rotate {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let id = self.named.find(terminal).await?;
            let sink = self.target.open()?;
            let (admin, overlap) = (&terminal.admin, Overlap(self.overlap));
            let minted = admin.rotate(&terminal.by, &id, overlap, terminal.at()).await?;
            give(terminal, self.common.format, (sink, &minted))?;
            report::say(&if self.overlap.is_zero() {
                "the tokens before open nothing any more".to_owned()
            } else {
                let until = minted.credential.issued.plus(self.overlap);
                format!("the tokens before stay good until {}", instant(until))
            });
            Ok(())
        })
    }
}

impl Issue {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let id = self.named.find(terminal).await?;
            let sink = self.target.open()?;
            let expires = self.expiry.end(terminal.now());
            let (admin, by) = (&terminal.admin, &terminal.by);
            let minted = admin.issue_credential(by, &id, expires, terminal.at()).await?;
            give(terminal, self.common.format, (sink, &minted))
        })
    }
}

/// Hands a new token over.
fn give(terminal: &Terminal, format: Format, (sink, minted): (Sink, &Minted)) -> Result<(), Stop> {
    let Minted { credential, token } = minted;
    let object = json!({ "credential": json::credential(credential, terminal.now()) });
    sink.give(format, (object, token), &credential.id)?;
    report::say(&format!("the token, {}, is shown this once and kept nowhere", credential.id));
    if let Some(at) = credential.expires {
        report::say(&format!("it ends at {}", instant(at)));
    }
    Ok(())
}

impl Revoke {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let mut revoked = Vec::new();
            let mut ended = Ok(());
            for (account, credential) in self.named(terminal, &mut ended).await? {
                let (admin, by) = (&terminal.admin, &terminal.by);
                let done = admin.revoke_credential(by, &account, &credential, terminal.at()).await;
                match done {
                    Ok(record) => revoked.push(record),
                    Err(error) => {
                        let stop = Stop::from(error).about(credential.as_str());
                        ended = Err(Stop::Told(stop.tell()));
                    }
                }
            }
            let ids = || report::lines(revoked.iter().map(|record| record.id.to_string()));
            let object = |record: &CredentialRecord| json::credential(record, terminal.now());
            self.common.format.print(ids, || revoked.iter().map(object).collect::<Value>());
            ended
        })
    }

    /// Each credential with its account. Those that are not there are told of.
    async fn named(
        &self,
        terminal: &Terminal,
        ended: &mut Result<(), Stop>,
    ) -> Result<Vec<(ServiceAccountId, CredentialId)>, Stop> {
        if let Some(account) = &self.all_of {
            let id = terminal.account(account).await?;
            let now = terminal.now();
            let all = terminal.admin.credentials(&terminal.by, &id, now).await?;
            let good = all.into_iter().filter(|credential| credential.is_good(now));
            return Ok(good.map(|credential| (id.clone(), credential.id)).collect());
        }
        let mut named = Vec::new();
        for id in &self.credentials {
            match terminal.admin.store().machine(id).await? {
                Some(machine) => named.push((machine.account.id, id.clone())),
                None => {
                    report::error(&format!("`{id}` was not there"), None);
                    *ended = Err(Stop::Told(Exit::Denied));
                }
            }
        }
        Ok(named)
    }
}
