//! The closed set of criteria: what each asks of the facts. Adding one is one arm here, one in
//! `compile`, and its reasons.

use super::calendar::{ClockRange, DateRange, Weekdays};
use super::facts::Facts;
use super::matcher::{AddressMatch, ListMatch, StringMatch};
use super::reason::Reason;
use crate::identity::Person;

/// One question about the facts.
#[derive(Debug)]
pub(crate) enum Criterion {
    Accept,
    Reject,
    AuthenticatedUser,
    User(StringMatch),
    Email(StringMatch),
    Domain(StringMatch),
    Groups(ListMatch),
    Claim { path: String, values: ListMatch },
    HttpMethod(StringMatch),
    HttpPath(StringMatch),
    CorsPreflight,
    SourceIp(AddressMatch),
    Date(DateRange),
    DayOfWeek(Weekdays),
    TimeOfDay(ClockRange),
}

/// The answer: whether it holds, and what was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finding {
    pub(super) holds: bool,
    pub(super) reason: Reason,
}

/// The names a policy may use, sorted.
pub fn criterion_names() -> &'static [&'static str] {
    &[
        "accept",
        "authenticated_user",
        "claim",
        "cors_preflight",
        "date",
        "day_of_week",
        "domain",
        "email",
        "groups",
        "http_method",
        "http_path",
        "reject",
        "source_ip",
        "time_of_day",
        "user",
    ]
}

impl Criterion {
    /// Asks the question. Total: everything that can fail has failed when the policy was compiled.
    pub(super) fn ask(&self, facts: &Facts<'_>) -> Finding {
        match self {
            Self::Accept => Finding { holds: true, reason: Reason::Accept },
            Self::Reject => Finding { holds: false, reason: Reason::Reject },
            Self::AuthenticatedUser => {
                of_person(facts, Reason::UserOk, Reason::UserUnauthorized, Person::is_somebody)
            }
            Self::User(text) => {
                of_person(facts, Reason::UserOk, Reason::UserUnauthorized, |person| {
                    !person.user.is_empty() && text.matches(&person.user)
                })
            }
            Self::Email(text) => {
                of_person(facts, Reason::EmailOk, Reason::EmailUnauthorized, |person| {
                    mail_matches(facts, text, &person.email)
                })
            }
            Self::Domain(text) => {
                of_person(facts, Reason::DomainOk, Reason::DomainUnauthorized, |person| {
                    person.domain().is_some_and(|domain| mail_matches(facts, text, domain))
                })
            }
            Self::Groups(list) => {
                of_person(facts, Reason::GroupsOk, Reason::GroupsUnauthorized, |person| {
                    person.groups.as_deref().is_some_and(|groups| list.matches_texts(groups))
                })
            }
            Self::Claim { path, values } => {
                of_person(facts, Reason::ClaimOk, Reason::ClaimUnauthorized, |person| {
                    values.matches(|| person.claims.values(path))
                })
            }
            Self::HttpMethod(text) => finding(
                text.matches(facts.method),
                Reason::HttpMethodOk,
                Reason::HttpMethodUnauthorized,
            ),
            Self::HttpPath(text) => {
                finding(text.matches(facts.path), Reason::HttpPathOk, Reason::HttpPathUnauthorized)
            }
            Self::CorsPreflight => {
                finding(facts.cors_preflight, Reason::CorsRequest, Reason::NonCorsRequest)
            }
            Self::SourceIp(ranges) => finding(
                facts.source_ip.is_some_and(|address| ranges.contains(address)),
                Reason::SourceIpOk,
                Reason::SourceIpUnauthorized,
            ),
            Self::Date(range) => {
                finding(range.holds(facts.now), Reason::DateOk, Reason::DateUnauthorized)
            }
            Self::DayOfWeek(days) => {
                finding(days.holds(facts.now), Reason::DayOfWeekOk, Reason::DayOfWeekUnauthorized)
            }
            Self::TimeOfDay(range) => {
                finding(range.holds(facts.now), Reason::TimeOfDayOk, Reason::TimeOfDayUnauthorized)
            }
        }
    }
}

fn finding(holds: bool, yes: Reason, no: Reason) -> Finding {
    Finding { holds, reason: if holds { yes } else { no } }
}

/// A question about a person does not hold, whatever its operators, while nobody is signed in.
fn of_person(
    facts: &Facts<'_>,
    yes: Reason,
    no: Reason,
    test: impl Fn(&Person) -> bool,
) -> Finding {
    match facts.person {
        None => Finding { holds: false, reason: Reason::UserUnauthenticated },
        Some(person) => finding(test(person), yes, no),
    }
}

fn mail_matches(facts: &Facts<'_>, text: &StringMatch, value: &str) -> bool {
    if facts.fold_email { text.matches_folded(value) } else { text.matches(value) }
}
