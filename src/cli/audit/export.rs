//! `lictor audit export`: entries for other programs, the earliest first, as they are read.

use super::which::Which;
use crate::activity::Entry;
use crate::cli::opened::{People, with_admin};
use crate::cli::terminal::{Stop, Terminal};
use crate::cli::{Exit, json, report};
use crate::csv;
use crate::store::ActivityQuery;
use clap::ValueEnum;
use serde_json::Value;
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
            report::written(&csv::record(COLUMNS.map(str::to_owned))).map_err(Failed::Unwritten)?;
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
        let object = json::entry(entry);
        match self {
            Self::Ndjson => format!("{object}\n"),
            Self::Csv => csv::record(COLUMNS.map(|way| cell(object.pointer(&pointer(way))))),
        }
    }
}

/// Members of an entry, those further in by the way to them.
const COLUMNS: [&str; 25] = [
    "id",
    "at",
    "verb",
    "actor.user_id",
    "actor.email",
    "actor.groups",
    "subject.user_id",
    "subject.email",
    "subject.groups",
    "session_id",
    "reason",
    "detail",
    "origin.address",
    "origin.request_id",
    "origin.user_agent",
    "deed.actor_kind",
    "deed.credential_id",
    "deed.entity_type",
    "deed.entity_id",
    "deed.entity_name",
    "deed.namespace_id",
    "deed.outcome",
    "deed.before",
    "deed.after",
    "hash",
];

/// RFC 6901
fn pointer(way: &str) -> String {
    format!("/{}", way.replace('.', "/"))
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) if items.is_empty() => String::new(),
        Some(value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            value.to_string()
        }
    }
}
