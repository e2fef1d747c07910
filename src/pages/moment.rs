//! An instant as a person reads it: how far from now, and exactly.

use crate::time::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// From here on a date says more than a distance.
const FAR: u64 = 60 * DAY;

/// An instant in three ways of writing.
#[derive(Debug)]
pub(super) struct Moment {
    /// `12 min ago`, `in 3 h`.
    pub(super) words: String,
    /// `22 Nov 2025, 10:34:02 UTC`
    pub(super) exactly: String,
    /// RFC 3339, for programs.
    pub(super) machine: String,
}

impl Moment {
    /// `at`, told from `now`.
    pub(super) fn new(at: Timestamp, now: Timestamp) -> Self {
        let far = at.unix().abs_diff(now.unix());
        let words = match (far, at < now) {
            (0..5, _) => "just now".to_owned(),
            (FAR.., _) => written("%-d %b %Y", at),
            (_, true) => format!("{} ago", span(far)),
            (_, false) => format!("in {}", span(far)),
        };
        Self::named(words, at)
    }

    /// How long it is from `now` until `at`.
    pub(super) fn left(at: Timestamp, now: Timestamp) -> Self {
        let words = if at <= now {
            "ended".to_owned()
        } else {
            format!("{} left", span(at.unix().abs_diff(now.unix())))
        };
        Self::named(words, at)
    }

    /// The same without a word for it: `32 s`.
    pub(super) fn wait(until: Timestamp, now: Timestamp) -> Self {
        let far = until.unix().saturating_sub(now.unix());
        Self::named(span(u64::try_from(far).unwrap_or(0)), until)
    }

    fn named(words: String, at: Timestamp) -> Self {
        Self {
            words,
            exactly: written("%-d %b %Y, %H:%M:%S UTC", at),
            machine: written("%Y-%m-%dT%H:%M:%SZ", at),
        }
    }
}

/// A length of time in its largest unit; hours under ten with their minutes.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => {
            let (hours, minutes) = (seconds / HOUR, seconds % HOUR / MINUTE);
            if minutes == 0 || hours >= 10 {
                format!("{hours} h")
            } else {
                format!("{hours} h {minutes} min")
            }
        }
        DAY.. => {
            let days = seconds / DAY;
            format!("{days} day{}", if days == 1 { "" } else { "s" })
        }
    }
}

/// Date, hour and minute, UTC, as a field of a form has them.
pub(super) fn minute(at: Timestamp) -> String {
    written("%Y-%m-%d %H:%M", at)
}

fn written(format: &str, at: Timestamp) -> String {
    let instant = jiff::Timestamp::from_second(at.unix()).unwrap_or(jiff::Timestamp::MAX);
    instant.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::Moment;
    use crate::time::Timestamp;

    const NOW: i64 = 1_763_807_642;

    fn words(offset: i64) -> String {
        Moment::new(Timestamp::from_unix(NOW + offset), Timestamp::from_unix(NOW)).words
    }

    #[test]
    fn distances() {
        let expected = [
            (0, "just now"),
            (-4, "just now"),
            (-59, "59 s ago"),
            (-60, "1 min ago"),
            (-3_599, "59 min ago"),
            (-3_600, "1 h ago"),
            (-5_400, "1 h 30 min ago"),
            (-86_399, "23 h ago"),
            (-86_400, "1 day ago"),
            (-59 * 86_400, "59 days ago"),
            (-60 * 86_400, "23 Sep 2025"),
            (2_460, "in 41 min"),
            (60 * 86_400, "21 Jan 2026"),
            (i64::MAX - NOW, "30 Dec 9999"),
        ];
        for (offset, expected) in expected {
            assert_eq!(words(offset), expected, "{offset}");
        }
    }

    #[test]
    fn exactly() {
        let moment = Moment::new(Timestamp::from_unix(NOW), Timestamp::from_unix(NOW));
        assert_eq!(moment.exactly, "22 Nov 2025, 10:34:02 UTC");
        assert_eq!(moment.machine, "2025-11-22T10:34:02Z");
    }

    #[test]
    fn what_is_left() {
        let left = |offset: i64| {
            Moment::left(Timestamp::from_unix(NOW + offset), Timestamp::from_unix(NOW)).words
        };
        assert_eq!(left(2_460), "41 min left");
        assert_eq!(left(1), "1 s left");
        assert_eq!(left(0), "ended");
        assert_eq!(left(-7), "ended");
    }
}
