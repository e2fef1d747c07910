//! `lictor audit export`: entries for other programs, the earliest first, as they are read.

use super::which::Which;
use super::{csv, entry_json};
use crate::activity::{Deed, EntityKind, Entry};
use crate::cli::Exit;
use crate::cli::opened::{People, with_admin};
use crate::cli::report::{self, instant};
use crate::cli::terminal::{Stop, Terminal};
use crate::id::{CredentialId, NamespaceId, SessionId};
use crate::store::ActivityQuery;
use clap::ValueEnum;
use std::io;
use std::path::PathBuf;

/// So many are read at once.
const PAGE: usize = 500;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "In CSV, cells that a spreadsheet would take as a formula begin with a quote.

Example: lictor audit export --config lictor.yaml --format csv --from 2026-01-01 --until 2027-01-01

Exit codes: 0 all of it was written, 1 not all of it, 4 an entry cannot be read, 5 the store does not answer."
)]
pub(in crate::cli) struct Export {
    /// The configuration
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    which: Which,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How entries are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A JSON object a line
    #[default]
    Ndjson,
    /// Comma-separated values
    Csv,
}

impl Export {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.config, People::Unneeded, async |terminal| {
            match self.write(terminal).await {
                Err(Failed::Unwritten(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                    Ok(())
                }
                Err(Failed::Unwritten(error)) => {
                    let message = format!("not all of it was written: {error}");
                    Err(Stop::said(message, "see what takes it, and try again", Exit::Failure))
                }
                Err(Failed::Stopped(stop)) => Err(stop),
                Ok(()) => Ok(()),
            }
        })
    }

    async fn write(&self, terminal: &Terminal) -> Result<(), Failed> {
        let which = self.which.query(terminal).map_err(Failed::Stopped)?;
        let mut which = ActivityQuery { after: Some(0), limit: PAGE, ..which };
        if self.format == Format::Csv {
            report::written(&csv::record(COLUMNS)).map_err(Failed::Unwritten)?;
        }
        loop {
            let page = terminal.admin.store().activity(&which).await;
            let page = page.map_err(|error| Failed::Stopped(error.into()))?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            which.after = Some(last.number);
            let lines: String = page.iter().map(|entry| self.format.line(entry)).collect();
            report::written(&lines).map_err(Failed::Unwritten)?;
        }
    }
}

/// Why not all of it was written.
enum Failed {
    Unwritten(io::Error),
    Stopped(Stop),
}

impl Format {
    fn line(self, entry: &Entry) -> String {
        match self {
            Self::Ndjson => format!("{}\n", entry_json(entry)),
            Self::Csv => row(entry),
        }
    }
}

const COLUMNS: [&str; 24] = [
    "number",
    "time",
    "verb",
    "actor_user",
    "actor_email",
    "actor_kind",
    "credential",
    "subject_user",
    "subject_email",
    "subject_groups",
    "session",
    "entity",
    "entity_id",
    "entity_name",
    "namespace",
    "outcome",
    "reason",
    "detail",
    "address",
    "request_id",
    "user_agent",
    "before",
    "after",
    "hash",
];

fn row(entry: &Entry) -> String {
    let (event, deed) = (&entry.event, entry.event.deed.as_deref());
    let subject = event.subject.clone().unwrap_or_default();
    let of_deed = |text: fn(&Deed) -> &str| deed.map(text).unwrap_or_default();
    let id = |text: Option<&str>| text.unwrap_or_default().to_owned();
    csv::record([
        &entry.number.to_string(),
        &instant(event.at),
        event.verb.name(),
        &event.actor.user,
        &event.actor.email,
        of_deed(|deed| deed.by.name()),
        &id(deed.and_then(|deed| deed.credential.as_ref()).map(CredentialId::as_str)),
        &subject.user,
        &subject.email,
        &subject.groups.join(" "),
        &id(event.session.as_ref().map(SessionId::as_str)),
        of_deed(|deed| EntityKind::name(deed.entity)),
        of_deed(|deed| &deed.id),
        of_deed(|deed| &deed.name),
        &id(deed.and_then(|deed| deed.namespace.as_ref()).map(NamespaceId::as_str)),
        of_deed(|deed| deed.outcome.name()),
        &event.reason,
        &event.detail,
        &event.origin.address,
        &event.origin.request_id,
        &event.origin.user_agent,
        of_deed(|deed| &deed.before),
        of_deed(|deed| &deed.after),
        &entry.hash,
    ])
}
