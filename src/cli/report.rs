//! Words for people: errors with place and fix, on standard error.

use crate::document::{Notice, Problem};
use std::io::{IsTerminal, Write};

/// Whether standard error takes colour: a terminal, and nobody said `NO_COLOR`.
fn coloured() -> bool {
    std::io::stderr().is_terminal()
        && crate::config::Environment::of_process().get("NO_COLOR").is_none()
}

fn paint(code: &str, text: &str) -> String {
    if coloured() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

/// `error: what`, then `help: what to do`.
pub(super) fn error(message: &str, help: Option<&str>) {
    say(&format!("{}: {message}", paint("1;31", "error")));
    if let Some(help) = help {
        say(&format!("{}: {help}", paint("1;36", "help")));
    }
}

/// `warning: what`
pub(super) fn warning(message: &str) {
    say(&format!("{}: {message}", paint("1;33", "warning")));
}

/// A problem of a document: what, where with the line and a caret, what to do.
pub(super) fn problem(problem: &Problem, source: Option<&str>) {
    say(&format!("{}: {}", paint("1;31", "error"), problem.message));
    say(&format!(" --> {}", problem.place));
    if let (Some(source), Some(line), Some(column)) =
        (source, problem.place.line(), problem.place.column())
        && let Some(text) = source.lines().nth(line.saturating_sub(1))
    {
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        say(&format!("{margin} |"));
        let shown = without_secrets(text.trim_end());
        say(&format!("{number} | {shown}"));
        // Beyond what is shown there is nothing to point at.
        let caret = column.saturating_sub(1).min(shown.chars().count().saturating_sub(1));
        say(&format!("{margin} | {}^", " ".repeat(caret)));
    }
    if let Some(help) = &problem.help {
        say(&format!("{}: {help}", paint("1;36", "help")));
    }
    say("");
}

/// Names that sound like a secret's and are none.
const HARMLESS: [&str; 4] = ["foreign_key", "ssh_publickey", "publickey", "key_file"];

/// A line of a configuration without anything that could be a secret: what follows a key that sounds
/// like one, and every long run of base64.
fn without_secrets(line: &str) -> String {
    let lower = HARMLESS
        .iter()
        .fold(line.to_ascii_lowercase(), |line, name| line.replace(name, &"_".repeat(name.len())));
    let sounds = ["secret", "key", "token", "password", "connection"];
    let begins = sounds.iter().filter_map(|word| lower.find(word)).min();
    let colon = begins.and_then(|begin| Some(begin + lower.get(begin..)?.find(':')? + 1));
    let (kept, hidden) = colon.and_then(|end| line.split_at_checked(end)).unwrap_or((line, ""));
    let kept: Vec<String> = kept
        .split(' ')
        .map(|word| if is_opaque(word) { "…".to_owned() } else { word.to_owned() })
        .collect();
    let rest = if hidden.trim().is_empty() { "" } else { " …" };
    kept.join(" ") + rest
}

fn is_opaque(word: &str) -> bool {
    let base64 =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-');
    let longest = word.as_bytes().split(|byte| !base64(*byte)).map(<[u8]>::len).max();
    longest.is_some_and(|length| length >= 32)
}

pub(super) fn notice(notice: &Notice) {
    say(&format!("{}: {notice}", paint("1;33", "note")));
}

/// One line on standard error. A closed pipe is no reason to stop.
pub(super) fn say(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// Data on standard output. A closed pipe is no reason to stop.
pub(super) fn data(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}
