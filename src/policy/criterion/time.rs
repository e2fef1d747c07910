//! Questions about the time.

use super::Finding;
use crate::policy::Reason;
use crate::policy::calendar::{ClockRange, DateRange, Weekdays, instant};
use crate::time::Timestamp;
use std::borrow::Cow;

#[derive(Debug)]
pub(crate) enum TimeQuestion {
    Date(DateRange),
    DayOfWeek(Weekdays),
    TimeOfDay(ClockRange),
}

impl TimeQuestion {
    pub(super) fn ask(&self, now: Timestamp) -> Finding<'_> {
        match self {
            Self::Date(range) => {
                Finding::either(range.holds(now), Reason::DateOk, Reason::DateUnauthorized)
            }
            Self::DayOfWeek(days) => {
                Finding::either(days.holds(now), Reason::DayOfWeekOk, Reason::DayOfWeekUnauthorized)
            }
            Self::TimeOfDay(range) => Finding::either(
                range.holds(now),
                Reason::TimeOfDayOk,
                Reason::TimeOfDayUnauthorized,
            ),
        }
    }

    /// The moment as it is where the question is asked.
    pub(super) fn saw(&self, now: Timestamp) -> Cow<'static, str> {
        match self {
            Self::Date(_) => instant(now).to_string(),
            Self::DayOfWeek(days) => days.moment(now),
            Self::TimeOfDay(range) => range.moment(now),
        }
        .into()
    }
}
