//! `lictor key password`: the hash of a password, as the users file wants it.

use super::{Exit, report};
use crate::provider::{PasswordError, hash_password};
use crate::secret::Secret;
use std::io::{self, BufRead, IsTerminal, Read};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Asks twice on the terminal, without echo; else reads one line of standard input.

Example: lictor key password"
)]
pub(super) struct Password {}

/// Longer than any password that is let through.
const MAX_LINE_BYTES: u64 = 4096;

impl Password {
    #[expect(clippy::unused_self, reason = "a command runs itself")]
    pub(super) fn run(&self) -> Exit {
        let password = match read() {
            Ok(Some(password)) => password,
            Ok(None) => {
                report::error("the two are not the same", Some("type the password again"));
                return Exit::Usage;
            }
            Err(error) => {
                report::error(&format!("cannot read the password: {error}"), None);
                return Exit::Usage;
            }
        };
        match hash_password(password.expose()) {
            Ok(hash) => {
                report::data(&format!("{hash}\n"));
                Exit::Ok
            }
            Err(error @ (PasswordError::Short | PasswordError::Long)) => {
                report::error(&error.to_string(), Some("choose another; a few words are good"));
                Exit::Usage
            }
            Err(error @ PasswordError::NoRandomness) => {
                report::error(&error.to_string(), None);
                Exit::Failure
            }
        }
    }
}

/// What was typed; `None` if the second time it was something else.
fn read() -> io::Result<Option<Secret<String>>> {
    if io::stdin().is_terminal() {
        let first = Secret::new(rpassword::prompt_password("password: ")?);
        let second = Secret::new(rpassword::prompt_password("again: ")?);
        return Ok((first.expose() == second.expose()).then_some(first));
    }
    let mut line = String::new();
    io::stdin().lock().take(MAX_LINE_BYTES).read_line(&mut line)?;
    let end = line.trim_end_matches('\n').trim_end_matches('\r').len();
    line.truncate(end);
    Ok(Some(Secret::new(line)))
}
