//! Time as data: an instant, a length of time, and how each is written. There is no `now()` here.

use std::fmt;
use std::time::Duration;

/// An instant: whole seconds since the Unix epoch (RFC 7519 `NumericDate` without its fraction).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    pub const fn unix(self) -> i64 {
        self.0
    }

    /// The instant `span` later; stays at the end of time instead of wrapping.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_secs()).unwrap_or(i64::MAX)))
    }

    /// The instant `span` earlier; stays at the beginning of time instead of wrapping.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_secs()).unwrap_or(i64::MAX)))
    }
}

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    #[error("`{0}` is not a duration")]
    Malformed(String),
    #[error("`{0}` has no unit")]
    NoUnit(String),
    #[error("`{0}` uses the unit `{1}`")]
    UnknownUnit(String, String),
    #[error("`{0}` is negative")]
    Negative(String),
    #[error("`{0}` is too long")]
    TooLong(String),
}

impl DurationError {
    /// What to write instead.
    pub const HELP: &'static str =
        "write it as `1h30m`, `90m`, `45s` or `250ms`; the units are ns, us, ms, s, m, h";
}

/// Reads a Go duration (`time.ParseDuration`): `1h0m0s`, `90m`, `1.5h`, `0`. No days: a day is not
/// always 24 hours.
///
/// # Errors
/// Anything else, and anything negative.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let malformed = || DurationError::Malformed(text.to_owned());
    if text.starts_with('-') {
        return Err(DurationError::Negative(text.to_owned()));
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(malformed());
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (number, after) = split_while(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split_while(after, |c| !(c.is_ascii_digit() || c == '.'));
        if number.is_empty() || number == "." {
            return Err(malformed());
        }
        if unit.is_empty() {
            return Err(DurationError::NoUnit(text.to_owned()));
        }
        let scale = unit_nanos(unit)
            .ok_or_else(|| DurationError::UnknownUnit(text.to_owned(), unit.to_owned()))?;
        let part = scaled(number, scale).ok_or_else(malformed)?;
        total = total
            .checked_add(part)
            .filter(|sum| i64::try_from(sum.as_nanos()).is_ok())
            .ok_or_else(|| DurationError::TooLong(text.to_owned()))?;
        rest = after;
    }
    Ok(total)
}

fn split_while(text: &str, keep: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !keep(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn unit_nanos(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

fn scaled(number: &str, nanos: u64) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') || fraction.len() > 18 || whole.len() > 18 {
        return None;
    }
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction_value: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let denominator = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let scale = u128::from(nanos);
    let sum =
        whole.checked_mul(scale)?.checked_add(fraction_value.checked_mul(scale)? / denominator)?;
    let seconds = u64::try_from(sum / 1_000_000_000).ok()?;
    let rest = u32::try_from(sum % 1_000_000_000).ok()?;
    Some(Duration::new(seconds, rest))
}

/// A duration written as Go writes it: `1h0m0s`, `5m0s`, `30s`, `250ms`.
#[derive(Clone, Copy, Debug)]
pub struct GoDuration(pub Duration);

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let millis = self.0.subsec_millis();
        if seconds == 0 && millis > 0 {
            return write!(f, "{millis}ms");
        }
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        write!(f, "{rest}s")
    }
}

#[cfg(test)]
mod tests {
    use super::{DurationError, GoDuration, parse_duration};
    use std::time::Duration;

    #[test]
    fn go_durations() {
        let check = |text: &str, seconds: f64| {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        };
        check("1h0m0s", 3600.0);
        check("90m", 5400.0);
        check("1.5h", 5400.0);
        check("250ms", 0.25);
        check(".5s", 0.5);
        check("0", 0.0);
        check("+3s", 3.0);
    }

    #[test]
    fn what_is_not_a_duration() {
        let error = |text: &str| parse_duration(text).expect_err(text);
        assert_eq!(error("-1h"), DurationError::Negative("-1h".into()));
        assert_eq!(error("90"), DurationError::NoUnit("90".into()));
        assert_eq!(error("1d"), DurationError::UnknownUnit("1d".into(), "d".into()));
        for text in ["", "h", "1..5h", ".h", "1h-3m", "one hour", "1h 3m"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert!(matches!(error("9999999999h"), DurationError::TooLong(_)));
        assert!(parse_duration("99999999999999999999999h").is_err());
    }

    #[test]
    fn written_as_go_writes_it() {
        assert_eq!(GoDuration(Duration::from_hours(1)).to_string(), "1h0m0s");
        assert_eq!(GoDuration(Duration::from_secs(90)).to_string(), "1m30s");
        assert_eq!(GoDuration(Duration::from_millis(250)).to_string(), "250ms");
    }
}
