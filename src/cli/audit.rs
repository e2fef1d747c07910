//! `lictor audit`: the activity log, verified, listed and exported. Reads the store itself, so it needs
//! no running server.

mod diff;
mod export;
mod list;
mod show;
mod which;

use super::opened::{failed, with_store};
use super::{Exit, report};
use crate::activity::{Entry, Head, event_json};
use crate::store::{LogError, verify_log};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, clap::Subcommand)]
pub(super) enum AuditCommand {
    /// Tell whether the activity log is as it was written
    Verify(Verify),
    /// List the activity log, the latest first
    List(list::List),
    /// Show one entry, with what it changed
    Show(show::Show),
    /// Write entries for other programs, the earliest first
    Export(export::Export),
}

impl AuditCommand {
    pub(super) fn run(&self) -> Exit {
        match self {
            Self::Verify(verify) => verify.run(),
            Self::List(list) => list.run(),
            Self::Show(show) => show.run(),
            Self::Export(export) => export.run(),
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Prints the number and the hash of the last entry. Keep them elsewhere: with --head they show next time
that nothing was cut off.

Example: lictor audit verify --config lictor.yaml --head 1207:9f86d0…

Exit codes: 0 it is, 4 it is not, 5 the store does not answer."
)]
pub(super) struct Verify {
    /// The configuration
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,
    /// An entry that is known to have been written, as this command printed it before
    #[arg(long, value_name = "NUMBER:HASH", value_parser = head)]
    head: Option<Head>,
    /// Begin after this entry, as this command printed it: the first that was written with another
    /// `shared_secret` follows the last of the one before
    #[arg(long, value_name = "NUMBER:HASH", value_parser = head)]
    from: Option<Head>,
}

impl Verify {
    fn run(&self) -> Exit {
        with_store(&self.config, async |store, chain| {
            match verify_log(&*store, &chain, self.head.as_ref(), self.from.as_ref()).await {
                Ok(Head { number, hash }) => {
                    let plural = if number == 1 { "y" } else { "ies" };
                    report::say(&format!("the log is as it was written: {number} entr{plural}"));
                    report::data(&format!("{number}:{hash}\n"));
                    Exit::Ok
                }
                Err(LogError::Chain(problem)) => {
                    let help = "everything before it is as it was written; compare what follows with a backup, or, if `shared_secret` was changed there, begin with --from";
                    report::error(&problem.to_string(), Some(help));
                    Exit::Denied
                }
                Err(LogError::Store(error)) => failed(&error),
            }
        })
    }
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

/// `NUMBER:HASH`
fn head(text: &str) -> Result<Head, String> {
    let help = || "write it as NUMBER:HASH, as `lictor audit verify` prints it".to_owned();
    let (number, hash) = text.split_once(':').ok_or_else(help)?;
    let number: u64 = number.parse().map_err(|_| help())?;
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let length = if number == 0 { 0 } else { 64 };
    let good = hash.len() == length && hash.bytes().all(hex);
    good.then(|| Head { number, hash: hash.to_owned() }).ok_or_else(help)
}

#[cfg(test)]
mod tests {
    use super::head;

    #[test]
    fn a_head_is_a_number_and_a_hash() {
        let hash = "0123456789abcdef".repeat(4);
        let read = head(&format!("12:{hash}")).expect("a head");
        assert_eq!((read.number, read.hash), (12, hash.clone()));
        assert_eq!(head("0:").expect("an empty log").number, 0);
        for text in [
            "",
            "12",
            "12:",
            &hash,
            &format!("0:{hash}"),
            &format!("-1:{hash}"),
            &format!("1:{}", hash.to_uppercase()),
            &format!("1:{hash}0"),
        ] {
            assert!(head(text).is_err(), "{text}");
        }
    }
}
