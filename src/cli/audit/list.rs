//! `lictor audit list`: entries as a table for people, or as JSON for programs.

use crate::activity::{Entry, Who, event_json};
use crate::cli::opened::{failed, with_store};
use crate::cli::{Exit, report};
use crate::store::ActivityQuery;
use clap::ValueEnum;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor audit list --config lictor.yaml --who alice@example.com --limit 20

Exit codes: 0 listed, 4 an entry cannot be read, 5 the store does not answer."
)]
pub(in crate::cli) struct List {
    /// The configuration
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,
    /// Only what this person did, or what was done as them: a user id or an e-mail address
    #[arg(long, value_name = "WHO")]
    who: Option<String>,
    /// At most so many entries
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How entries are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Table,
    Json,
}

impl List {
    pub(super) fn run(&self) -> Exit {
        with_store(&self.config, async |store, _| {
            let which = ActivityQuery {
                who: self.who.clone(),
                limit: self.limit,
                ..ActivityQuery::default()
            };
            match store.activity(&which).await {
                Ok(entries) => {
                    report::data(&match self.format {
                        Format::Table => table(&entries),
                        Format::Json => format!("{:#}\n", json(&entries)),
                    });
                    Exit::Ok
                }
                Err(error) => failed(&error),
            }
        })
    }
}

fn json(entries: &[Entry]) -> Value {
    entries.iter().map(entry_json).collect()
}

/// The event with its place in the log, and its instant for people too.
fn entry_json(entry: &Entry) -> Value {
    let mut shown = event_json(&entry.event);
    if let Value::Object(members) = &mut shown {
        members.insert("number".to_owned(), json!(entry.number));
        members.insert("hash".to_owned(), json!(entry.hash));
        members.insert("time".to_owned(), json!(report::instant(entry.event.at)));
    }
    shown
}

const COLUMNS: [&str; 9] =
    ["NUMBER", "TIME", "WHAT", "ACTOR", "SUBJECT", "REASON", "DETAIL", "ADDRESS", "REQUEST"];

fn table(entries: &[Entry]) -> String {
    let head = COLUMNS.map(str::to_owned);
    let rows: Vec<[String; 9]> = std::iter::once(head).chain(entries.iter().map(row)).collect();
    report::table(&rows)
}

fn row(entry: &Entry) -> [String; 9] {
    let event = &entry.event;
    let subject = event.subject.as_ref().map(somebody).unwrap_or_default();
    [
        entry.number.to_string(),
        report::instant(event.at),
        event.verb.name().to_owned(),
        somebody(&event.actor),
        subject,
        event.reason.clone(),
        event.detail.clone(),
        event.origin.address.clone(),
        event.origin.request_id.clone(),
    ]
}

/// E-mail address, user id and groups, as far as they are known.
fn somebody(who: &Who) -> String {
    let Who { user, email, groups } = who;
    let name = match (email.is_empty(), user.is_empty()) {
        (false, false) if email != user => format!("{email} ({user})"),
        (false, _) => email.clone(),
        (true, _) => user.clone(),
    };
    if groups.is_empty() {
        return name;
    }
    let groups = format!("[{}]", groups.join(", "));
    if name.is_empty() { groups } else { format!("{name} {groups}") }
}
