//! The form to sign in as somebody else.

use super::moment::span;
use crate::time::GoDuration;
use std::time::Duration;

/// What was typed, what may be chosen, and what was wrong. Fields: `email`, `groups` (comma
/// separated), `reason`, `duration` (as Go writes it).
#[derive(Clone, Debug, Default)]
pub struct ImpersonationForm {
    pub email: String,
    pub groups: String,
    pub reason: String,
    pub reason_required: bool,
    /// The chosen value; the longest if empty.
    pub duration: String,
    pub max_duration: Duration,
    pub errors: ImpersonationErrors,
}

/// One sentence for each field that is wrong; empty for those that are not.
#[derive(Clone, Debug, Default)]
pub struct ImpersonationErrors {
    pub email: String,
    pub groups: String,
    pub reason: String,
    pub duration: String,
    /// What is wrong with no field in particular.
    pub general: String,
}

pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) selected: bool,
}

/// An error and the field it stands beside; no field for what is wrong in general.
pub(super) struct FieldError<'a> {
    pub(super) field: &'static str,
    pub(super) message: &'a str,
}

/// What is offered below the maximum, in minutes.
const USUAL: [u64; 6] = [15, 30, 60, 120, 240, 480];

impl ImpersonationForm {
    /// The usual lengths below the maximum, and the maximum.
    pub(super) fn choices(&self) -> Vec<Choice> {
        let usual = USUAL.into_iter().map(Duration::from_mins);
        let mut lengths: Vec<_> = usual.filter(|length| *length < self.max_duration).collect();
        lengths.push(self.max_duration);
        let values: Vec<_> = lengths.iter().map(|length| GoDuration(*length).to_string()).collect();
        let known = values.contains(&self.duration);
        let last = lengths.len().saturating_sub(1);
        let choices = lengths.iter().zip(values).enumerate();
        choices
            .map(|(index, (length, value))| Choice {
                label: span(length.as_secs()),
                selected: if known { value == self.duration } else { index == last },
                value,
            })
            .collect()
    }

    pub(super) fn maximum(&self) -> String {
        span(self.max_duration.as_secs())
    }
}

impl ImpersonationErrors {
    /// Those that are there, in the order of the fields.
    pub(super) fn list(&self) -> Vec<FieldError<'_>> {
        let all = [
            ("", &self.general),
            ("email", &self.email),
            ("groups", &self.groups),
            ("reason", &self.reason),
            ("duration", &self.duration),
        ];
        let there = all.into_iter().filter(|(_, message)| !message.is_empty());
        there.map(|(field, message)| FieldError { field, message }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::ImpersonationForm;
    use crate::time::parse_duration;
    use std::time::Duration;

    fn form(minutes: u64, chosen: &str) -> ImpersonationForm {
        let max_duration = Duration::from_mins(minutes);
        ImpersonationForm { max_duration, duration: chosen.to_owned(), ..Default::default() }
    }

    #[test]
    fn durations_end_at_the_longest_allowed() {
        let labels = |minutes| {
            form(minutes, "").choices().into_iter().map(|choice| choice.label).collect::<Vec<_>>()
        };
        assert_eq!(labels(60), ["15 min", "30 min", "1 h"]);
        assert_eq!(labels(45), ["15 min", "30 min", "45 min"]);
        assert_eq!(labels(5), ["5 min"]);
        assert_eq!(labels(90), ["15 min", "30 min", "1 h", "1 h 30 min"]);
    }

    #[test]
    fn every_choice_can_be_read_back() {
        for minutes in [5, 45, 60, 600] {
            for choice in form(minutes, "").choices() {
                let read = parse_duration(&choice.value).expect("a duration");
                assert!(read <= Duration::from_mins(minutes));
            }
        }
    }

    #[test]
    fn one_choice_is_selected() {
        let selected = |chosen: &str| {
            let choices = form(60, chosen).choices().into_iter();
            choices.filter(|choice| choice.selected).map(|choice| choice.value).collect::<Vec<_>>()
        };
        assert_eq!(selected(""), ["1h0m0s"]);
        assert_eq!(selected("15m0s"), ["15m0s"]);
        assert_eq!(selected("99h"), ["1h0m0s"]);
    }
}
