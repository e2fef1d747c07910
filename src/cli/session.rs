//! `lictor session`: who is signed in, who acts as whom, and ending either. Works on the store itself;
//! running servers see the change as they see each other's.

use super::opened::{failed, with_store};
use super::{Exit, report};
use crate::clock::{Clock, SystemClock};
use crate::id::SessionId;
use crate::people::{Administrator, Ending, Moment, People};
use crate::session::{Impersonation, Origin, SessionRecord};
use crate::store::{CacheLimits, SessionCache, SessionQuery, Store, StoreError};
use clap::ValueEnum;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, clap::Subcommand)]
pub(super) enum SessionCommand {
    /// List who is signed in, and who acts as whom
    List(List),
    /// End sessions, on every host and every server
    End(End),
    /// Stop the impersonation of sessions; their owners stay signed in
    Stop(Stop),
}

impl SessionCommand {
    pub(super) fn run(&self) -> Exit {
        match self {
            Self::List(list) => list.run(),
            Self::End(end) => end.run(),
            Self::Stop(stop) => stop.run(),
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor session list --config lictor.yaml --impersonating

Exit codes: 0 listed, 5 the store does not answer.")]
pub(super) struct List {
    /// The configuration
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,
    /// Only of this person: a user id or an e-mail address
    #[arg(long, value_name = "WHO")]
    who: Option<String>,
    /// Only those that act as somebody else
    #[arg(long)]
    impersonating: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor session end --config lictor.yaml ses_0123456789abcdef0123456789abcdef

Exit codes: 0 ended, 4 one of them was not there, 5 the store does not answer."
)]
pub(super) struct End {
    #[command(flatten)]
    named: Named,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor session stop --config lictor.yaml ses_0123456789abcdef0123456789abcdef

Exit codes: 0 stopped, 4 one of them did not act as anybody, 5 the store does not answer."
)]
pub(super) struct Stop {
    #[command(flatten)]
    named: Named,
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The configuration
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,
    /// Sessions, as `lictor session list` names them
    #[arg(required = true, value_name = "SESSION", value_parser = session_id)]
    sessions: Vec<SessionId>,
}

/// How sessions are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Table,
    Json,
}

fn session_id(text: &str) -> Result<SessionId, String> {
    SessionId::parse(text)
        .ok_or_else(|| "write it as `lictor session list` prints it: ses_…".to_owned())
}

fn people(store: Arc<dyn Store>) -> People {
    People::new(Arc::new(SessionCache::new(store, CacheLimits::default())))
}

impl List {
    fn run(&self) -> Exit {
        with_store(&self.config, async |store, _| match self.listed(store).await {
            Ok(records) => {
                report::data(&match self.format {
                    Format::Table => table(&records),
                    Format::Json => {
                        let all: Value = records.iter().map(shown).collect();
                        format!("{all:#}\n")
                    }
                });
                Exit::Ok
            }
            Err(error) => failed(&error),
        })
    }

    async fn listed(&self, store: Arc<dyn Store>) -> Result<Vec<SessionRecord>, StoreError> {
        let known = people(Arc::clone(&store)).known(self.who.as_deref()).await?;
        let user = known.map(|account| account.user).or_else(|| self.who.clone());
        let which = SessionQuery {
            user,
            impersonating: self.impersonating,
            limit: self.limit,
            ..SessionQuery::default()
        };
        store.sessions(&which, SystemClock.now()).await
    }
}

impl End {
    fn run(&self) -> Exit {
        let ending = Ending::Revoked(Administrator::operator());
        self.named.each(
            "was not there",
            &async |people: &People, id: &SessionId, at: Moment<'_>| {
                people.end(id, &ending, at).await
            },
        )
    }
}

impl Stop {
    fn run(&self) -> Exit {
        let operator = Administrator::operator();
        self.named.each(
            "does not act as anybody",
            &async |people: &People, id: &SessionId, at: Moment<'_>| {
                people.stop(id, Some(&operator), at).await
            },
        )
    }
}

impl Named {
    /// Does something to each session, and tells of those for which there was nothing to do.
    fn each(
        &self,
        nothing: &str,
        verb: &impl AsyncFn(&People, &SessionId, Moment<'_>) -> Result<bool, StoreError>,
    ) -> Exit {
        with_store(&self.config, async |store, _| {
            let people = people(store);
            let origin = Origin::default();
            let at = Moment { now: SystemClock.now(), origin: &origin };
            let mut all = true;
            for id in &self.sessions {
                match verb(&people, id, at).await {
                    Ok(true) => report::data(&format!("{id}\n")),
                    Ok(false) => {
                        report::error(&format!("`{id}` {nothing}"), None);
                        all = false;
                    }
                    Err(error) => return failed(&error),
                }
            }
            if all { Exit::Ok } else { Exit::Denied }
        })
    }
}

const COLUMNS: [&str; 8] =
    ["SESSION", "PERSON", "SIGNED IN", "EXPIRES", "ADDRESS", "ACTS AS", "UNTIL", "REASON"];

fn table(records: &[SessionRecord]) -> String {
    let head = COLUMNS.map(str::to_owned);
    let rows: Vec<[String; 8]> = std::iter::once(head).chain(records.iter().map(row)).collect();
    report::table(&rows)
}

fn row(record: &SessionRecord) -> [String; 8] {
    let acting = record.impersonation.as_ref();
    let account = &record.account;
    let person =
        if account.email.is_empty() { account.user.clone() } else { account.email.clone() };
    [
        record.id.to_string(),
        person,
        report::instant(record.opened),
        report::instant(record.expires),
        record.origin.address.clone(),
        acting.map(target).unwrap_or_default(),
        acting.map(|acting| report::instant(acting.until)).unwrap_or_default(),
        acting.map(|acting| acting.reason.clone()).unwrap_or_default(),
    ]
}

fn target(acting: &Impersonation) -> String {
    let groups = acting.groups.as_ref().map(|groups| format!("[{}]", groups.join(", ")));
    let parts: Vec<String> = acting.email.clone().into_iter().chain(groups).collect();
    parts.join(" ")
}

fn shown(record: &SessionRecord) -> Value {
    let acting = record.impersonation.as_ref().map(|acting| {
        json!({
            "email": acting.email,
            "groups": acting.groups,
            "reason": acting.reason,
            "started": report::instant(acting.started),
            "until": report::instant(acting.until),
        })
    });
    json!({
        "id": record.id.as_str(),
        "user": record.account.user,
        "email": record.account.email,
        "name": record.account.name,
        "provider": record.provider,
        "opened": report::instant(record.opened),
        "refreshed": report::instant(record.refreshed),
        "expires": report::instant(record.expires),
        "address": record.origin.address,
        "acting": acting,
    })
}
