//! What is certain of one criterion, whatever the facts: that it always holds, or that it never does.

use super::texts;
use crate::document::Number;
use crate::policy::calendar::{ClockRange, DateRange};
use crate::policy::criterion::{
    CertificateMatch, CertificateQuestion, Comparison, PeerQuestion, PersonQuestion, Question,
    RecordQuestion, RecordTest, RequestQuestion, SshQuestion, TimeQuestion,
};
use crate::policy::matcher::{ListMatch, StringMatch, StringTest};
use std::cmp::Ordering;

/// What is certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Always,
    Never(Never),
    /// Neither, as far as can be proven.
    Open,
}

/// Why something never holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Never {
    /// It was said when the policy was read.
    Told,
    /// It is `reject`.
    Reject,
    /// It wants one of none.
    NoChoice,
    /// What it asks for excludes each other.
    Opposed,
    /// It wants a group that is no text.
    NotText,
}

impl Never {
    /// What of the criterion called `name` never holds, as a clause.
    pub(super) fn clause(self, name: &str) -> String {
        match self {
            Self::Reject => "`reject` never holds".to_owned(),
            Self::NoChoice => format!("this `{name}` names nothing that fits"),
            Self::Opposed => format!("what this `{name}` asks for excludes each other"),
            Self::NotText => {
                format!("every group is text, and this `{name}` asks for another value")
            }
            Self::Told => format!("this `{name}` never holds"),
        }
    }
}

pub(super) fn truth(question: &Question) -> Truth {
    match question {
        Question::Always(true) => Truth::Always,
        Question::Always(false) => Truth::Never(Never::Reject),
        // Nobody may be signed in.
        Question::Person(question) => open_unless(person(question)),
        Question::Session(_) | Question::Certificate(CertificateQuestion::Invalid) => Truth::Open,
        Question::Request(question) => request(question),
        Question::Peer(question) => peer(question),
        Question::Time(question) => time(question),
        Question::Certificate(CertificateQuestion::Is(wanted)) => open_unless(certificate(wanted)),
        Question::Record(question) => open_unless(record(&[question])),
        Question::Ssh(question) => ssh(question),
    }
}

fn open_unless(never: Option<Never>) -> Truth {
    never.map_or(Truth::Open, Truth::Never)
}

fn person(question: &PersonQuestion) -> Option<Never> {
    match question {
        PersonQuestion::Somebody => None,
        PersonQuestion::User(text) | PersonQuestion::Email(text) | PersonQuestion::Domain(text) => {
            text_never(text)
        }
        PersonQuestion::Groups(list) => list_never(list, true),
        PersonQuestion::Claim { values, .. } => list_never(values, false),
    }
}

fn request(question: &RequestQuestion) -> Truth {
    match question {
        RequestQuestion::Method(text)
        | RequestQuestion::Path(text)
        | RequestQuestion::Header { value: text, .. }
        | RequestQuestion::Query { value: text, .. } => text_truth(text),
        // Not every request calls a tool.
        RequestQuestion::McpTool(text) => open_unless(text_never(text)),
        RequestQuestion::CorsPreflight => Truth::Open,
    }
}

fn peer(question: &PeerQuestion) -> Truth {
    match question {
        PeerQuestion::SourceIp(ranges) => open_unless(ranges.is_empty().then_some(Never::NoChoice)),
        PeerQuestion::SourcePrincipal(text) | PeerQuestion::SpiffeId(text) => {
            open_unless(text_never(text))
        }
        PeerQuestion::Sni(text) => text_truth(text),
    }
}

fn time(question: &TimeQuestion) -> Truth {
    match question {
        TimeQuestion::Date(DateRange { after: None, before: None })
        | TimeQuestion::TimeOfDay(ClockRange { after: None, before: None, .. }) => Truth::Always,
        TimeQuestion::Date(range) => open_unless(dates(&[range])),
        TimeQuestion::TimeOfDay(range) => open_unless(hours(&[range]).then_some(Never::Told)),
        TimeQuestion::DayOfWeek(days) => {
            if jiff::civil::Weekday::Monday
                .cycle_forward()
                .take(7)
                .all(|day| days.days.contains(&day))
            {
                Truth::Always
            } else {
                Truth::Open
            }
        }
    }
}

fn ssh(question: &SshQuestion) -> Truth {
    match question {
        SshQuestion::Username(text) => text_truth(text),
        SshQuestion::Key(keys) => open_unless(keys.is_empty().then_some(Never::NoChoice)),
        SshQuestion::Authority(keys) => open_unless(keys.is_empty().then_some(Never::NoChoice)),
        SshQuestion::UsernameMatchesEmail | SshQuestion::UsernameMatchesClaim(_) => Truth::Open,
    }
}

/// Each name of a certificate may meet another test.
fn certificate(wanted: &CertificateMatch) -> Option<Never> {
    let hashes = [&wanted.fingerprints, &wanted.spki_hashes];
    let none = hashes.into_iter().flatten().any(std::collections::HashSet::is_empty);
    let names = [&wanted.dns, &wanted.emails, &wanted.uris];
    let tests = names
        .into_iter()
        .flatten()
        .flat_map(|text| text.tests.iter().map(|test| (test, text.case)));
    let mut never = tests.filter_map(|(test, case)| texts::never(&[test], case));
    none.then_some(Never::NoChoice).or_else(|| never.next())
}

fn text_never(text: &StringMatch) -> Option<Never> {
    texts::never(&texts::together(&[text]), text.case)
}

fn text_truth(text: &StringMatch) -> Truth {
    if texts::always(text) { Truth::Always } else { open_unless(text_never(text)) }
}

fn list_never(list: &ListMatch, of_texts: bool) -> Option<Never> {
    texts::never_list(&texts::lists_together(&[list]), of_texts)
}

/// Why no instant is in all `ranges`.
pub(super) fn dates(ranges: &[&DateRange]) -> Option<Never> {
    let after = ranges.iter().filter_map(|range| range.after).max();
    let before = ranges.iter().filter_map(|range| range.before).min();
    after.zip(before).is_some_and(|(after, before)| after >= before).then_some(Never::Opposed)
}

/// Whether no time of the day is in all `ranges`, which are of one zone.
pub(super) fn hours(ranges: &[&ClockRange]) -> bool {
    let after = ranges.iter().filter_map(|range| range.after).max();
    let before = ranges.iter().filter_map(|range| range.before).min();
    after.zip(before).is_some_and(|(after, before)| after >= before)
}

/// Why no record answers all `questions`, which ask for one field of one type, or for none.
pub(super) fn record(questions: &[&RecordQuestion]) -> Option<Never> {
    let mut tests = questions.iter().flat_map(|question| &question.tests);
    let exists = |wanted| questions.iter().any(|question| question.exists == Some(wanted));
    let there = exists(true) || tests.clone().next().is_some();
    if exists(false) && there {
        return Some(Never::Opposed);
    }
    let mut of_texts = tests.clone().filter_map(text_of);
    if of_texts.any(|test| matches!(test, StringTest::In(set) if set.members().is_empty())) {
        return Some(Never::NoChoice);
    }
    let value = tests.clone().find_map(|test| match test {
        RecordTest::Text(StringTest::Is(value)) => Some(value),
        RecordTest::Text(_) | RecordTest::Has(_) | RecordTest::Number(..) => None,
    });
    let opposed = match value {
        Some(value) => !tests.all(|test| test.holds(value)),
        None => numbers_opposed(tests.filter_map(number_of)),
    };
    opposed.then_some(Never::Opposed)
}

fn text_of(test: &RecordTest) -> Option<&StringTest> {
    match test {
        RecordTest::Text(test) => Some(test),
        RecordTest::Has(_) | RecordTest::Number(..) => None,
    }
}

fn number_of(test: &RecordTest) -> Option<(Comparison, Number)> {
    match test {
        RecordTest::Number(comparison, number) => Some((*comparison, *number)),
        RecordTest::Has(_) | RecordTest::Text(_) => None,
    }
}

/// Whether two of the comparisons leave no number between them.
fn numbers_opposed(tests: impl Iterator<Item = (Comparison, Number)>) -> bool {
    let tests: Vec<_> = tests.collect();
    let mut pairs = tests.iter().flat_map(|a| tests.iter().map(move |b| (*a, *b)));
    pairs.any(|((a, low), (b, high))| {
        let from = matches!(a, Comparison::Greater | Comparison::AtLeast | Comparison::Equal);
        let to = matches!(b, Comparison::Less | Comparison::AtMost | Comparison::Equal);
        let order = low.compare(high);
        let touching = a.accepts(Ordering::Equal) && b.accepts(Ordering::Equal);
        from && to
            && (order == Some(Ordering::Greater) || (order == Some(Ordering::Equal) && !touching))
    })
}
