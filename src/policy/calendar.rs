//! Questions about the time: between two instants, on a weekday, at an hour of the day.

use crate::time::Timestamp;
use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;

/// Between two instants, both exclusive.
#[derive(Debug, Default)]
pub(super) struct DateRange {
    pub(super) after: Option<jiff::Timestamp>,
    pub(super) before: Option<jiff::Timestamp>,
}

impl DateRange {
    pub(super) fn holds(&self, now: Timestamp) -> bool {
        let now = instant(now);
        self.after.is_none_or(|after| now > after) && self.before.is_none_or(|before| now < before)
    }
}

/// On one of these days of the week, somewhere.
#[derive(Debug)]
pub(super) struct Weekdays {
    pub(super) days: Vec<Weekday>,
    pub(super) zone: TimeZone,
}

impl Weekdays {
    pub(super) fn moment(&self, now: Timestamp) -> String {
        civil(now, &self.zone).strftime("%A").to_string()
    }

    pub(super) fn holds(&self, now: Timestamp) -> bool {
        self.days.contains(&civil(now, &self.zone).weekday())
    }
}

/// Between two hours of the day, both exclusive, somewhere. Does not reach over midnight.
#[derive(Debug)]
pub(super) struct ClockRange {
    pub(super) after: Option<Time>,
    pub(super) before: Option<Time>,
    pub(super) zone: TimeZone,
}

impl ClockRange {
    pub(super) fn moment(&self, now: Timestamp) -> String {
        civil(now, &self.zone).time().to_string()
    }

    pub(super) fn holds(&self, now: Timestamp) -> bool {
        let now = civil(now, &self.zone).time();
        self.after.is_none_or(|after| now > after) && self.before.is_none_or(|before| now < before)
    }
}

pub(super) fn instant(now: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(now.unix()).unwrap_or(jiff::Timestamp::MAX)
}

/// What clock and calendar on the wall show.
fn civil(now: Timestamp, zone: &TimeZone) -> DateTime {
    zone.to_datetime(instant(now))
}

/// An instant in ISO 8601; without an offset it is UTC.
pub(super) fn parse_instant(text: &str) -> Option<jiff::Timestamp> {
    if text.contains('[') {
        return text.parse::<jiff::Zoned>().ok().map(|zoned| zoned.timestamp());
    }
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    text.parse().ok().or_else(|| civil().map(|zoned| zoned.timestamp()))
}

/// An IANA time zone.
pub(super) fn parse_zone(text: &str) -> Option<TimeZone> {
    if text.eq_ignore_ascii_case("utc") { Some(TimeZone::UTC) } else { TimeZone::get(text).ok() }
}

/// `15:04`, `15:04:05`, `15:04:05.5`, `3:04 PM`, `3:04PM`, `3 PM` or `3PM`.
pub(super) fn parse_clock(text: &str) -> Option<Time> {
    let upper = text.trim().to_ascii_uppercase();
    let half = [("AM", 0), ("PM", 12)]
        .into_iter()
        .find_map(|(suffix, add)| Some((upper.strip_suffix(suffix)?, add)));
    let Some((clock, add)) = half else {
        return parse_parts(&upper, 0..=23, 0);
    };
    parse_parts(clock.trim_end(), 1..=12, add)
}

/// `H[:MM[:SS[.fraction]]]` with the hour in `hours`; on a twelve-hour clock twelve stands for zero.
fn parse_parts(text: &str, hours: std::ops::RangeInclusive<i8>, add: i8) -> Option<Time> {
    let twelve = *hours.end() == 12;
    let mut parts = text.split(':');
    let number = |part: &str| {
        let plain = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i8>().ok().filter(|_| plain)
    };
    let hour = number(parts.next()?).filter(|hour| hours.contains(hour))?;
    let minute = match parts.next() {
        Some(part) => number(part).filter(|_| part.len() == 2)?,
        // An hour alone could be anything on a clock of twenty-four.
        None if twelve => 0,
        None => return None,
    };
    let seconds = parts.next().unwrap_or("0");
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let digits = fraction.len() <= 9 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let nanos: i32 = format!("{fraction:0<9}").parse().ok().filter(|_| digits)?;
    let hour = if twelve { hour % 12 + add } else { hour };
    Time::new(hour, minute, number(second)?, nanos).ok().filter(|_| parts.next().is_none())
}

/// A day by its English name, in full or by three letters.
pub(super) fn parse_day(text: &str) -> Option<Weekday> {
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let lower = text.trim().to_ascii_lowercase();
    let named = |name: &str| name == lower || name.get(..3) == Some(lower.as_str());
    DAYS.into_iter().find(|(name, _)| named(name)).map(|(_, day)| day)
}

/// `*`, days and ranges of days, separated by commas. A range may go over the end of the week.
pub(super) fn parse_days(text: &str) -> Option<Vec<Weekday>> {
    if text.trim() == "*" {
        return Some(Weekday::Monday.cycle_forward().take(7).collect());
    }
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (parse_day(first)?, parse_day(last)?);
        let span = usize::try_from(first.until(last)).ok()?;
        days.extend(first.cycle_forward().take(span + 1));
    }
    Some(days)
}

#[cfg(test)]
mod tests {
    use super::{parse_clock, parse_days, parse_instant, parse_zone};
    use jiff::civil::{Time, Weekday, time};

    #[test]
    fn clocks() {
        let check =
            |text: &str, expected: Option<Time>| assert_eq!(parse_clock(text), expected, "{text}");
        check("15:04", Some(time(15, 4, 0, 0)));
        check("2:20:00", Some(time(2, 20, 0, 0)));
        check("15:04:05.5", Some(time(15, 4, 5, 500_000_000)));
        check("3:04 PM", Some(time(15, 4, 0, 0)));
        check("3:04pm", Some(time(15, 4, 0, 0)));
        check("3 PM", Some(time(15, 0, 0, 0)));
        check("12AM", Some(time(0, 0, 0, 0)));
        check("12PM", Some(time(12, 0, 0, 0)));
        for bad in [
            "25:00",
            "13PM",
            "0AM",
            "9",
            "9:5",
            "",
            "PM",
            "12:60",
            "1:2:3:4",
            "+9:00",
            "12:00:00.1234567890",
            "noon",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn days() {
        let count = |text: &str| parse_days(text).map(|days| days.len());
        assert_eq!(count("*"), Some(7));
        assert_eq!(count("mon-fri"), Some(5));
        assert_eq!(parse_days("fri-mon").map(|days| days.contains(&Weekday::Sunday)), Some(true));
        assert_eq!(count("Tuesday, THU"), Some(2));
        assert_eq!(count("mon"), Some(1));
        for bad in ["someday", "", "mon-", "mo", "mon--fri", "mon,,tue"] {
            assert_eq!(count(bad), None, "{bad}");
        }
    }

    #[test]
    fn instants_and_zones() {
        let unix = |text: &str| parse_instant(text).map(jiff::Timestamp::as_second);
        assert_eq!(unix("2020-01-02T16:20:00"), unix("2020-01-02T16:20:00Z"));
        assert_eq!(unix("2026-03-04T10:00:00-06:00"), unix("2026-03-04T16:00:00Z"));
        assert_eq!(unix("2020-01-02"), unix("2020-01-02T00:00:00Z"));
        assert_eq!(unix("2026-01-31T08:00:00[America/New_York]"), unix("2026-01-31T13:00:00Z"));
        assert_eq!(unix("soon"), None);
        assert!(parse_zone("Asia/Tokyo").is_some() && parse_zone("UTC").is_some());
        assert!(parse_zone("Mars/Olympus").is_none() && parse_zone("").is_none());
    }
}
