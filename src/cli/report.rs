//! Words for people: errors with place and fix, on standard error.

use crate::document::{Notice, Place, Problem};
use crate::time::Timestamp;
use std::io::{IsTerminal, Write};

/// Where words go, which says whether they may be coloured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Error,
}

impl Stream {
    /// Whether it takes colour: a terminal, and nobody said `NO_COLOR`.
    fn is_coloured(self) -> bool {
        let terminal = match self {
            Self::Out => std::io::stdout().is_terminal(),
            Self::Error => std::io::stderr().is_terminal(),
        };
        terminal && crate::config::Environment::of_process().get("NO_COLOR").is_none()
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.is_coloured() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn paint(code: &str, text: &str) -> String {
    Stream::Error.paint(code, text)
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
    say(&pointed(&problem.place, source));
    if let Some(help) = help(Stream::Error, problem.help.as_deref()) {
        say(&help);
    }
    say("");
}

/// A piece of advice in the same form, with its code, for standard output.
pub(super) fn advice(notice: &Notice, source: Option<&str>) -> String {
    let word = Stream::Out.paint("1;33", notice.advice.code());
    let mut lines = vec![format!("{word}: {}", notice.message), pointed(&notice.place, source)];
    lines.extend(help(Stream::Out, notice.help.as_deref()));
    lines.join("\n") + "\n\n"
}

fn help(stream: Stream, help: Option<&str>) -> Option<String> {
    help.map(|help| format!("{}: {help}", stream.paint("1;36", "help")))
}

/// The place, and below it its line with a caret.
fn pointed(place: &Place, source: Option<&str>) -> String {
    let mut lines = vec![format!(" --> {place}")];
    if let (Some(source), Some(line), Some(column)) = (source, place.line(), place.column())
        && let Some(text) = source.lines().nth(line.saturating_sub(1))
    {
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let above: Vec<&str> = source.lines().take(line.saturating_sub(1)).collect();
        let shown = without_secrets(text.trim_end(), &above);
        // Beyond what is shown there is nothing to point at.
        let caret = column.saturating_sub(1).min(shown.chars().count().saturating_sub(1));
        lines.push(format!("{margin} |"));
        lines.push(format!("{number} | {shown}"));
        lines.push(format!("{margin} | {}^", " ".repeat(caret)));
    }
    lines.join("\n")
}

/// Names that sound like a secret's and are none.
const HARMLESS: [&str; 4] = ["foreign_key", "ssh_publickey", "publickey", "key_file"];

/// Words in names of what is not for everybody.
const SOUNDS: [&str; 9] = [
    "secret",
    "key",
    "token",
    "password",
    "passphrase",
    "connection",
    "authorization",
    "cookie",
    "credential",
];
/// Maps whose values may be anything.
const UNKNOWN: [&str; 2] = ["set_request_headers", "set_response_headers"];

/// A line of a configuration without anything that could be a secret: what follows a key that sounds
/// like one, what stands below such a key, and every long run of base64.
fn without_secrets(line: &str, above: &[&str]) -> String {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let mut depth = indent(line);
    let mut parents = above.iter().rev().filter(|line| !line.trim().is_empty()).filter(|line| {
        let parent = indent(line) < depth;
        depth = depth.min(indent(line));
        parent
    });
    let hides = |parent: &&str| {
        let name = parent.split(':').next().unwrap_or_default();
        sound(name).is_some() || UNKNOWN.iter().any(|unknown| name.contains(unknown))
    };
    if parents.any(hides) {
        let start = line.len() - line.trim_start().len();
        return line.split_at_checked(start).map_or("", |(start, _)| start).to_owned() + "…";
    }
    let end = sound(line).and_then(|begin| Some(begin + line.get(begin..)?.find(':')? + 1));
    let (kept, hidden) = end.and_then(|end| line.split_at_checked(end)).unwrap_or((line, ""));
    let kept: Vec<String> = kept
        .split(' ')
        .map(|word| if is_opaque(word) { "…".to_owned() } else { word.to_owned() })
        .collect();
    let rest = if hidden.trim().is_empty() { "" } else { " …" };
    kept.join(" ") + rest
}

/// Where in a line a name begins that sounds like a secret's.
fn sound(line: &str) -> Option<usize> {
    let lower = HARMLESS
        .iter()
        .fold(line.to_ascii_lowercase(), |line, name| line.replace(name, &"_".repeat(name.len())));
    SOUNDS.iter().chain(&UNKNOWN).filter_map(|word| lower.find(word)).min()
}

fn is_opaque(word: &str) -> bool {
    let base64 =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-');
    let longest = word.as_bytes().split(|byte| !base64(*byte)).map(<[u8]>::len).max();
    longest.is_some_and(|length| length >= 32)
}

/// `text` without what a terminal would obey, or show in another order.
pub(super) fn printable(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = |c: char| if c.is_control() || turns(c) { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().map(shown).collect()
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

/// Rows in columns; the first is the head. What is empty is a dash, what does not print is left out.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let shown = |text: &String| {
        if text.is_empty() { "-".to_owned() } else { printable(text) }
    };
    let rows: Vec<[String; N]> = rows.iter().map(|row| row.each_ref().map(shown)).collect();
    let widths = rows.iter().fold([0; N], |mut widths, row| {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = text.chars().count().max(*width);
        }
        widths
    });
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(text, width)| format!("{text:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// What something is called with what it is, one a line. What is empty is left out.
pub(super) fn facts(facts: &[(&str, String)]) -> String {
    let there = || facts.iter().filter(|(_, text)| !text.is_empty());
    let width = there().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    lines(there().map(|(name, text)| format!("{name:<width$}  {}", printable(text))))
}

/// Each on a line of its own.
pub(super) fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().map(|line| line + "\n").collect()
}

/// A line that is gone, or one that is new, for standard output.
pub(super) fn changed(sign: char, line: &str) -> String {
    let code = if sign == '-' { "31" } else { "32" };
    format!("{}\n", Stream::Out.paint(code, &format!("{sign} {}", printable(line))))
}

/// Data on standard output that must be there whole.
///
/// # Errors
/// Not all of it was taken.
pub(super) fn written(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// What ends a line that stands alone on standard output, where people look at it.
pub(super) fn end_of_line() -> &'static str {
    if std::io::stdout().is_terminal() { "\n" } else { "" }
}

/// As RFC 3339 writes it.
pub(super) fn instant(at: Timestamp) -> String {
    let instant = jiff::Timestamp::from_second(at.unix());
    instant.map_or_else(|_| at.unix().to_string(), |instant| instant.to_string())
}
