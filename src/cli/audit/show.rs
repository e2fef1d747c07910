//! `lictor audit show`: one entry, and what it changed.

use super::diff::changes;
use super::entry_json;
use super::list::somebody;
use crate::activity::{Deed, EntityKind};
use crate::admin::EntryView;
use crate::cli::opened::{People, with_admin};
use crate::cli::report::{self, instant};
use crate::cli::terminal::Common;
use crate::cli::{Exit, json};
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor audit show --config lictor.yaml 2

Exit codes: 0 shown, 4 there is no such entry, or it cannot be read, 5 the store does not answer.")]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    common: Common,
    /// The entry, as `lictor audit list` numbers it
    number: u64,
}

impl Show {
    pub(super) fn run(&self) -> Exit {
        with_admin(&self.common.config, People::Unneeded, async |terminal| {
            let view = terminal.admin.entry(&terminal.by, self.number).await?;
            self.common.format.print(|| text(&view), || json(&view));
            Ok(())
        })
    }
}

fn json(view: &EntryView) -> Value {
    let deed = view.entry.event.deed.as_deref();
    let changes = deed.map(changes).unwrap_or_default();
    let more = json!({
        "previous": view.previous,
        "next": view.next,
        "changes": changes.iter().map(super::diff::Changed::json).collect::<Value>(),
    });
    json::merged(entry_json(&view.entry), more)
}

fn text(view: &EntryView) -> String {
    let event = &view.entry.event;
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let subject = event.subject.as_ref().map(somebody).unwrap_or_default();
    let session = event.session.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut text = report::facts(&[
        ("entry", view.entry.number.to_string()),
        ("time", instant(event.at)),
        ("what", event.verb.name().to_owned()),
        ("actor", somebody(&event.actor)),
        ("subject", subject),
        ("session", session),
        ("reason", event.reason.clone()),
        ("detail", event.detail.clone()),
        ("address", event.origin.address.clone()),
        ("request", event.origin.request_id.clone()),
        ("user agent", event.origin.user_agent.clone()),
        ("hash", view.entry.hash.clone()),
        ("entry before about it", number(view.previous)),
        ("entry after about it", number(view.next)),
    ]);
    if let Some(deed) = &event.deed {
        text += &facts(deed);
        let changed: String = changes(deed).iter().map(super::diff::Changed::text).collect();
        if !changed.is_empty() {
            text += "\n";
            text += &changed;
        }
    }
    text
}

fn facts(deed: &Deed) -> String {
    let credential = deed.credential.as_ref().map(ToString::to_string).unwrap_or_default();
    let place = deed.namespace.as_ref().map(ToString::to_string).unwrap_or_default();
    let text = report::facts(&[
        ("by right of", deed.by.name().to_owned()),
        ("credential", credential),
        ("on", EntityKind::name(deed.entity).to_owned()),
        ("id", deed.id.clone()),
        ("called", deed.name.clone()),
        ("namespace", place),
        ("outcome", deed.outcome.name().to_owned()),
    ]);
    format!("\n{text}")
}
