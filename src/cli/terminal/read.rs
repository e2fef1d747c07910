//! What is written on the command line: spans of time, instants, words of a list, and files.

use super::Stop;
use crate::admin::Expiry;
use crate::cli::Exit;
use crate::time::{GoDuration, Timestamp, parse_duration};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// When something ends.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(in crate::cli) struct ExpiryArgs {
    /// It ends after this time, such as 90d or 12h
    #[arg(long, value_name = "TIME", value_parser = span)]
    expires_in: Option<Duration>,
    /// It ends at this instant, such as 2027-01-31T00:00:00Z
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    expires_at: Option<Timestamp>,
    /// It does not end by itself
    #[arg(long)]
    never: bool,
}

impl ExpiryArgs {
    pub(in crate::cli) fn expiry(&self, now: Timestamp) -> Expiry {
        let ends = self.expires_in.map(|span| now.plus(span)).or(self.expires_at);
        match ends {
            Some(at) => Expiry::At(at),
            None if self.never => Expiry::Never,
            None => Expiry::Keep,
        }
    }

    /// For something new, which has none to keep.
    pub(in crate::cli) fn end(&self, now: Timestamp) -> Option<Timestamp> {
        match self.expiry(now) {
            Expiry::At(at) => Some(at),
            Expiry::Never | Expiry::Keep => None,
        }
    }

    /// Whether nothing was said.
    pub(in crate::cli) fn is_silent(&self) -> bool {
        self.expires_in.is_none() && self.expires_at.is_none() && !self.never
    }
}

const DAY: Duration = Duration::from_hours(24);

/// `90d`, or as durations are written everywhere.
pub(in crate::cli) fn span(text: &str) -> Result<Duration, String> {
    let help = || "write it as `90d`, `12h` or `1h30m`; a day is 24 hours".to_owned();
    let days = text.strip_suffix('d').filter(|days| !days.is_empty());
    match days.filter(|days| days.bytes().all(|byte| byte.is_ascii_digit())) {
        Some(days) => days.parse().ok().and_then(|days| DAY.checked_mul(days)).ok_or_else(help),
        None => parse_duration(text).map_err(|_| help()),
    }
}

/// The reverse of [`span`].
pub(in crate::cli) fn span_text(span: Duration) -> String {
    match (span.as_secs() / DAY.as_secs(), span.as_secs() % DAY.as_secs()) {
        (days @ 1.., 0) => format!("{days}d"),
        (_, _) => GoDuration(span).to_string(),
    }
}

/// RFC 3339, or a date for when it begins in UTC.
pub(in crate::cli) fn instant(text: &str) -> Result<Timestamp, String> {
    let help = || {
        "write it as 2027-01-31T12:00:00Z, or as 2027-01-31 for when that day begins in UTC"
            .to_owned()
    };
    if text.contains(['[', ' ']) {
        return Err(help());
    }
    let date = text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == "2027-01-31".len());
    let at = match date {
        Some(date) => date.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp()),
        None => text.parse::<jiff::Timestamp>(),
    };
    at.map(|at| Timestamp::from_unix(at.as_second())).map_err(|_| help())
}

/// What is in a file, or in standard input for `-`.
#[expect(clippy::disallowed_methods, reason = "the command reads the file it was told to read")]
pub(in crate::cli) fn text_of(file: &Path) -> Result<String, Stop> {
    let read = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    read.map_err(|error| {
        let message = format!("cannot read `{}`: {error}", file.display());
        Stop::said(message, "name an existing file, or `-` for standard input", Exit::Invalid)
    })
}

/// One of several words.
pub(in crate::cli) fn one_of<T>(
    known: impl IntoIterator<Item = T>,
    name: impl Fn(&T) -> &'static str,
    text: &str,
) -> Result<T, String> {
    let (mut names, mut found) = (Vec::new(), None);
    for one in known {
        names.push(name(&one));
        if name(&one) == text {
            found = Some(one);
        }
    }
    found.ok_or_else(|| format!("one of {}", names.join(", ")))
}

pub(in crate::cli) fn yes_or_no(text: &str) -> Result<bool, String> {
    one_of([true, false], |yes| if *yes { "yes" } else { "no" }, text)
}

#[cfg(test)]
mod tests {
    use super::{instant, span, span_text};
    use std::time::Duration;

    #[test]
    fn spans_of_time() {
        assert_eq!(span("90d"), Ok(Duration::from_hours(90 * 24)));
        assert_eq!(span("12h"), Ok(Duration::from_hours(12)));
        assert_eq!(span("0"), Ok(Duration::ZERO));
        for text in ["90d", "12h0m0s", "25h0m0s", "30m0s", "0s"] {
            assert_eq!(span(text).map(span_text).as_deref(), Ok(text));
        }
        for wrong in
            ["", "d", "-1d", "1.5d", "1d12h", "90", "99999999999d", "9".repeat(30).as_str()]
        {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn instants() {
        assert_eq!(instant("1970-01-02").expect("a date").unix(), 86_400);
        assert_eq!(instant("1970-01-01T01:00:00+01:00").expect("an instant").unix(), 0);
        for wrong in
            ["", "tomorrow", "2027-01-31T12:00:00", "2027-01-31T12:00:00Z[UTC]", "2027-1-1"]
        {
            assert!(instant(wrong).is_err(), "{wrong}");
        }
    }
}
