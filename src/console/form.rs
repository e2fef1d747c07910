//! What forms of the console are read with.

use super::{Refusal, Seat};
use crate::admin::What;
use crate::id::{NamespaceId, ServiceAccountId};
use crate::namespace::LifetimeRules;
use crate::pages::console::{Choice, Expiries, Mistake};
use crate::time::Timestamp;
use std::time::Duration;

/// A key by which a form is known again if it is sent twice.
pub(super) fn fresh_key() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A key as a form sends it; one that was taken out is none.
pub(super) fn key(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// A version as a form sends it.
pub(super) fn version(text: &str) -> Option<u64> {
    text.parse().ok()
}

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;
/// What is offered for the end of an account: value, seconds, label.
const PRESETS: [(&str, u64, &str); 5] = [
    ("1h", HOUR, "in an hour"),
    ("7d", 7 * DAY, "in 7 days"),
    ("30d", 30 * DAY, "in 30 days"),
    ("90d", 90 * DAY, "in 90 days"),
    ("1y", 365 * DAY, "in a year"),
];
/// What is chosen unless something else is.
pub(super) const USUAL: &str = "90d";

/// What may be chosen for the end of an account that began at `created`.
pub(super) fn expiries(
    rules: LifetimeRules,
    (created, now): (Timestamp, Timestamp),
    chosen: &str,
) -> Expiries {
    let latest = rules.latest(created);
    let allowed =
        |seconds: u64| latest.is_none_or(|latest| now.plus(Duration::from_secs(seconds)) <= latest);
    let presets = PRESETS.into_iter().filter(|(_, seconds, _)| allowed(*seconds));
    let presets = presets.map(|(value, _, label)| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        chosen: value == chosen,
    });
    Expiries { presets: presets.collect(), never: !rules.wants_expiry(), latest }
}

/// The expiry that is chosen at first: the usual one, or the longest that is allowed.
pub(super) fn usual(expiries: &Expiries) -> String {
    let values = || expiries.presets.iter().map(|choice| choice.value.as_str());
    let usual = values().find(|value| *value == USUAL).or_else(|| values().next_back());
    usual.unwrap_or("custom").to_owned()
}

/// The end that was chosen, `None` for never.
///
/// # Errors
/// What is wrong with it.
pub(super) fn chosen_end(
    expiry: &str,
    until: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>, Mistake> {
    let wrong = |field: &str, message: &str| Mistake {
        field: field.to_owned(),
        message: message.to_owned(),
    };
    if let Some((_, seconds, _)) = PRESETS.into_iter().find(|(value, _, _)| *value == expiry) {
        return Ok(Some(now.plus(Duration::from_secs(seconds))));
    }
    match expiry {
        "never" => Ok(None),
        "custom" => {
            let at = instant(until);
            at.map(Some).ok_or_else(|| wrong("until", "Write a date and a time."))
        }
        _ => Err(wrong("expiry", "Choose when it expires.")),
    }
}

/// `YYYY-MM-DDTHH:MM`, perhaps with seconds, in UTC.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    // Nothing that names a time zone: what it says would be passed over.
    let plain =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'T' | b'.' | b' ');
    let civil: jiff::civil::DateTime = text.bytes().all(plain).then(|| text.parse().ok())??;
    let at = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(Timestamp::from_unix(at.as_second()))
}

/// The beginning of a day, `YYYY-MM-DD`, in UTC.
pub(super) fn day(text: &str) -> Option<Timestamp> {
    let date: jiff::civil::Date = text.trim().parse().ok()?;
    let at = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(Timestamp::from_unix(at.as_second()))
}

impl Seat {
    /// The account that the path names.
    ///
    /// # Errors
    /// It names none.
    pub(super) fn account_id(&self) -> Result<ServiceAccountId, Refusal> {
        let id = ServiceAccountId::parse(self.part("id"));
        id.ok_or_else(|| Refusal::no(What::ServiceAccount))
    }

    /// The namespace that the path names.
    ///
    /// # Errors
    /// It names none.
    pub(super) fn namespace_id(&self) -> Result<NamespaceId, Refusal> {
        let id = NamespaceId::parse(self.part("id"));
        id.ok_or_else(|| Refusal::no(What::Namespace))
    }
}

#[cfg(test)]
mod tests {
    use super::{chosen_end, day, expiries, instant, usual};
    use crate::namespace::LifetimeRules;
    use crate::time::Timestamp;
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::from_unix(1_763_807_642);

    #[test]
    fn ends_are_read() {
        let end = |expiry, until| chosen_end(expiry, until, NOW).map_err(|wrong| wrong.field);
        assert_eq!(end("1h", ""), Ok(Some(Timestamp::from_unix(1_763_811_242))));
        assert_eq!(end("never", "2026-01-01T00:00"), Ok(None));
        let new_year = Some(Timestamp::from_unix(1_767_225_600));
        assert_eq!(end("custom", "2026-01-01T00:00"), Ok(new_year));
        assert_eq!(end("custom", " 2026-01-01T00:00:00 "), Ok(new_year));
        for until in ["", "tomorrow", "2026-02-30T00:00", "2026-01-01T00:00+01:00[x]", "-1"] {
            assert_eq!(end("custom", until), Err("until".to_owned()), "{until}");
        }
        assert_eq!(end("", ""), Err("expiry".to_owned()));
        assert_eq!(end("5y", ""), Err("expiry".to_owned()));
    }

    #[test]
    fn days_begin_at_midnight() {
        assert_eq!(day("2026-01-01"), instant("2026-01-01T00:00"));
        assert_eq!(day("2026-13-01"), None);
    }

    #[test]
    fn what_may_be_chosen_follows_the_rules() {
        let free = expiries(LifetimeRules::default(), (NOW, NOW), "");
        assert_eq!((free.presets.len(), free.never, usual(&free).as_str()), (5, true, "90d"));
        let week = LifetimeRules { longest: Some(Duration::from_hours(7 * 24)), required: None };
        let short = expiries(week, (NOW, NOW), "");
        assert_eq!((short.presets.len(), short.never, usual(&short).as_str()), (2, false, "7d"));
        let minute = LifetimeRules { longest: Some(Duration::from_mins(1)), required: None };
        assert_eq!(usual(&expiries(minute, (NOW, NOW), "")), "custom");
        let required = LifetimeRules { longest: None, required: Some(true) };
        assert!(!expiries(required, (NOW, NOW), "").never);
    }
}
