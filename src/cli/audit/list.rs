//! `lictor audit list`: entries as a table for people, or as JSON for programs.

use super::entry_json;
use super::which::Which;
use crate::activity::{Deed, EntityKind, Entry, Outcome, Who};
use crate::cli::opened::{People, with_admin};
use crate::cli::terminal::Common;
use crate::cli::{Exit, report};
use crate::store::ActivityQuery;
use serde_json::Value;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor audit list --config lictor.yaml --namespace Design --entity policy --limit 20

Exit codes: 0 listed, 4 an entry cannot be read, 5 the store does not answer."
)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    common: Common,
    /// At most so many entries
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    which: Which,
}

impl List {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let which = ActivityQuery { limit: self.limit, ..self.which.query(terminal)? };
            let entries = terminal.admin.store().activity(&which).await?;
            let all = || entries.iter().map(entry_json).collect::<Value>();
            self.common.format.print(|| table(&entries), all);
            Ok(())
        })
    }
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
    let subject = event.subject.as_ref().map(somebody).into_iter();
    let subject: Vec<String> = event.deed.iter().map(|deed| thing(deed)).chain(subject).collect();
    let denied = event.deed.as_ref().is_some_and(|deed| deed.outcome == Outcome::Denied);
    let verb = event.verb.name();
    [
        entry.number.to_string(),
        report::instant(event.at),
        if denied { format!("{verb} (denied)") } else { verb.to_owned() },
        somebody(&event.actor),
        subject.join(", "),
        event.reason.clone(),
        event.detail.clone(),
        event.origin.address.clone(),
        event.origin.request_id.clone(),
    ]
}

/// What was administered: its kind, and how it is called.
fn thing(deed: &Deed) -> String {
    let kind = EntityKind::name(deed.entity);
    match (deed.name.as_str(), deed.id.as_str()) {
        ("", id) => format!("{kind} {id}"),
        (name, id) if name == id => format!("{kind} {id}"),
        (name, id) => format!("{kind} {name} ({id})"),
    }
}

/// E-mail address, user id and groups, as far as they are known.
pub(super) fn somebody(who: &Who) -> String {
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
