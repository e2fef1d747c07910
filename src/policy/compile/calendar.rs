//! Criteria about the time.

use super::Compiler;
use crate::advice::Advice;
use crate::document::{Entry, Node, Value};
use crate::policy::calendar::{
    ClockRange, DateRange, Weekdays, parse_clock, parse_days, parse_instant, parse_zone,
};
use jiff::tz::TimeZone;

const DATE_KEYS: [&str; 2] = ["after", "before"];
const DAY_KEYS: [&str; 2] = ["is", "timezone"];
const CLOCK_KEYS: [&str; 3] = ["after", "before", "timezone"];

const DATE: Words = Words {
    code: "bad_date",
    what: "a date in ISO 8601",
    help: "write it as `2026-01-31T08:00:00Z`",
};
const CLOCK: Words = Words {
    code: "bad_time",
    what: "an hour of the day",
    help: "write it as `15:04`, `3:04 PM` or `3PM`",
};
const ZONE: Words = Words {
    code: "bad_timezone",
    what: "a time zone",
    help: "write it as `Europe/Vienna` or `UTC`",
};

/// How to say that a text is not what it should be.
struct Words {
    code: &'static str,
    what: &'static str,
    help: &'static str,
}

/// Something was wrong, and has been told.
struct Refused;

impl Compiler<'_> {
    pub(super) fn date_range(&mut self, data: &Node) -> Option<DateRange> {
        let entries = self.members(data, "date", "{after: 2026-01-31T08:00:00Z}", &DATE_KEYS)?;
        let after = self.optional(entries, "after", parse_instant, &DATE);
        let before = self.optional(entries, "before", parse_instant, &DATE);
        Some(DateRange { after: after.ok()?, before: before.ok()? })
    }

    pub(super) fn weekdays(&mut self, data: &Node) -> Option<Weekdays> {
        if let Value::Text(text) = &data.value {
            return Some(Weekdays { days: self.days(text, data)?, zone: TimeZone::UTC });
        }
        let entries = self.members(data, "day_of_week", "mon-fri", &DAY_KEYS)?;
        let zone = self.optional(entries, "timezone", parse_zone, &ZONE);
        let Some(is) = entries.iter().find(|entry| entry.key == "is") else {
            self.problem(
                "missing_field",
                &data.place,
                "`day_of_week` names no day",
                "write `is: mon-fri`",
            );
            return None;
        };
        let Value::Text(text) = &is.node.value else {
            self.problem("data_type", &is.node.place, "`is` needs text", "write it as `mon-fri`");
            return None;
        };
        let days = self.days(text, &is.node)?;
        Some(Weekdays { days, zone: zone.ok()?.unwrap_or(TimeZone::UTC) })
    }

    pub(super) fn clock_range(&mut self, data: &Node) -> Option<ClockRange> {
        let example = "{timezone: Europe/Vienna, after: 8AM}";
        let entries = self.members(data, "time_of_day", example, &CLOCK_KEYS)?;
        let zone = self.optional(entries, "timezone", parse_zone, &ZONE);
        if let Ok(None) = zone {
            let help = "add `timezone: Europe/Vienna`, or `timezone: UTC`";
            self.problem("missing_timezone", &data.place, "`time_of_day` needs `timezone`", help);
        }
        let after = self.optional(entries, "after", parse_clock, &CLOCK);
        let before = self.optional(entries, "before", parse_clock, &CLOCK);
        let range = ClockRange { after: after.ok()?, before: before.ok()?, zone: zone.ok()?? };
        if range.after.zip(range.before).is_some_and(|(after, before)| after >= before) {
            let message = "after and before can never both hold";
            let help = "write a span over midnight as two criteria under `or`";
            self.tell(Advice::EmptyTimeSpan, &data.place, message, help);
        }
        Some(range)
    }

    /// The entries of a map whose keys are all known.
    pub(super) fn members<'n>(
        &mut self,
        data: &'n Node,
        name: &str,
        example: &str,
        known: &[&str],
    ) -> Option<&'n [Entry]> {
        let Some(entries) = data.entries() else {
            let message = format!("`{name}` cannot be {}", data.value.kind());
            let help = format!("write it as `{name}: {example}`");
            self.problem("data_type", &data.place, message, help);
            return None;
        };
        let strange = |entry: &&Entry| !known.contains(&entry.key.as_str());
        for entry in entries.iter().filter(strange) {
            self.unknown("unknown_matcher", entry, "key", known);
        }
        (!entries.iter().any(|entry| strange(&entry))).then_some(entries)
    }

    fn days(&mut self, text: &str, node: &Node) -> Option<Vec<jiff::civil::Weekday>> {
        let days = parse_days(text);
        if days.is_none() {
            let help = "write days as `mon`, ranges as `mon-fri`, several with commas, all as `*`";
            let message = format!("`{text}` names no days of the week");
            self.problem("bad_day", &node.place, message, help);
        }
        days
    }

    /// The value of a key that need not be there.
    fn optional<T>(
        &mut self,
        entries: &[Entry],
        key: &str,
        parse: impl Fn(&str) -> Option<T>,
        words: &Words,
    ) -> Result<Option<T>, Refused> {
        let entry = entries.iter().find(|entry| entry.key == key);
        entry.map(|entry| self.parsed(entry, parse, words)).transpose()
    }

    fn parsed<T>(
        &mut self,
        entry: &Entry,
        parse: impl Fn(&str) -> Option<T>,
        words: &Words,
    ) -> Result<T, Refused> {
        let (place, what) = (&entry.node.place, words.what);
        let Value::Text(text) = &entry.node.value else {
            let kind = entry.node.value.kind();
            let message = format!("`{}` needs {what} as text, not {kind}", entry.key);
            self.problem("data_type", place, message, words.help);
            return Err(Refused);
        };
        parse(text).ok_or_else(|| {
            self.problem(words.code, place, format!("`{text}` is not {what}"), words.help);
            Refused
        })
    }
}
