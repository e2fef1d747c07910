//! What is certain of two criteria together: that they never hold both, or that one of them always
//! does.

use super::{texts, truth};
use crate::identity::Person;
use crate::policy::criterion::{
    CertificateMatch, CertificateQuestion, Doubt, PeerQuestion, PersonQuestion, Question,
    RecordQuestion, RequestQuestion, SessionQuestion, SshQuestion, TimeQuestion,
};
use crate::policy::device::DeviceMatch;
use crate::policy::matcher::{ListMatch, StringMatch, StringTest};
use std::collections::HashSet;
use std::hash::Hash;

/// Whether the two never hold together. `doubt` is how requests with several readings are read here.
pub(super) fn exclude(a: &Question, b: &Question, doubt: Doubt) -> bool {
    match (a, b) {
        (Question::Person(a), Question::Person(b)) => people_exclude(a, b),
        (Question::Session(a), Question::Session(b)) => sessions_exclude(a, b),
        (Question::Request(a), Question::Request(b)) => requests_exclude(a, b, doubt),
        (Question::Peer(a), Question::Peer(b)) => peers_exclude(a, b),
        (Question::Time(a), Question::Time(b)) => times_exclude(a, b),
        (
            Question::Certificate(CertificateQuestion::Is(a)),
            Question::Certificate(CertificateQuestion::Is(b)),
        ) => certificates_exclude(a, b),
        (Question::Record(a), Question::Record(b)) => records_exclude(a, b),
        (Question::Ssh(SshQuestion::Username(a)), Question::Ssh(SshQuestion::Username(b))) => {
            texts_exclude(a, b)
        }
        (Question::Ssh(SshQuestion::Key(a)), Question::Ssh(SshQuestion::Key(b))) => {
            a.is_disjoint(b)
        }
        (
            Question::Always(_)
            | Question::Person(_)
            | Question::Session(_)
            | Question::Request(_)
            | Question::Peer(_)
            | Question::Time(_)
            | Question::Certificate(_)
            | Question::Record(_)
            | Question::Ssh(_),
            _,
        ) => false,
    }
}

/// For whom one of two criteria always holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Covered {
    Everybody,
    SignedIn,
}

/// For whom one of the two always holds; `None` if that is not certain.
pub(super) fn cover(a: &Question, b: &Question, doubt: Doubt) -> Option<Covered> {
    let (covered, whom) = match (a, b) {
        (Question::Request(a), Question::Request(b)) => {
            let same =
                same_text(a, b).filter(|(.., readings)| readings.are_one() || doubt == Doubt::Any);
            (same.is_some_and(|(a, b, _)| texts::cover(a, b)), Covered::Everybody)
        }
        (Question::Peer(PeerQuestion::Sni(a)), Question::Peer(PeerQuestion::Sni(b)))
        | (Question::Ssh(SshQuestion::Username(a)), Question::Ssh(SshQuestion::Username(b))) => {
            (texts::cover(a, b), Covered::Everybody)
        }
        (
            Question::Person(PersonQuestion::Email(a)),
            Question::Person(PersonQuestion::Email(b)),
        ) => (texts::cover(a, b), Covered::SignedIn),
        (
            Question::Session(SessionQuestion::Impersonated(a)),
            Question::Session(SessionQuestion::Impersonated(b)),
        )
        | (
            Question::Session(SessionQuestion::ServiceAccount(a)),
            Question::Session(SessionQuestion::ServiceAccount(b)),
        ) => (a != b, Covered::SignedIn),
        (
            Question::Always(_)
            | Question::Person(_)
            | Question::Session(_)
            | Question::Request(_)
            | Question::Peer(_)
            | Question::Time(_)
            | Question::Certificate(_)
            | Question::Record(_)
            | Question::Ssh(_),
            _,
        ) => (false, Covered::Everybody),
    };
    covered.then_some(whom)
}

fn texts_exclude(a: &StringMatch, b: &StringMatch) -> bool {
    texts::never(&texts::together(&[a, b]), a.case).is_some()
}

fn lists_exclude(a: &ListMatch, b: &ListMatch, of_texts: bool) -> bool {
    texts::never_list(&texts::lists_together(&[a, b]), of_texts).is_some()
}

fn people_exclude(a: &PersonQuestion, b: &PersonQuestion) -> bool {
    match (a, b) {
        (PersonQuestion::User(a), PersonQuestion::User(b))
        | (PersonQuestion::Email(a), PersonQuestion::Email(b))
        | (PersonQuestion::Domain(a), PersonQuestion::Domain(b)) => texts_exclude(a, b),
        (PersonQuestion::Email(email), PersonQuestion::Domain(domain))
        | (PersonQuestion::Domain(domain), PersonQuestion::Email(email)) => {
            is_elsewhere(email, domain)
        }
        (PersonQuestion::Groups(a), PersonQuestion::Groups(b)) => lists_exclude(a, b, true),
        (
            PersonQuestion::Claim { path, values },
            PersonQuestion::Claim { path: other, values: others },
        ) => path == other && lists_exclude(values, others, false),
        (
            PersonQuestion::Somebody
            | PersonQuestion::User(_)
            | PersonQuestion::Email(_)
            | PersonQuestion::Domain(_)
            | PersonQuestion::Groups(_)
            | PersonQuestion::Claim { .. },
            _,
        ) => false,
    }
}

/// Whether `email` asks for one address that is not of `domain`.
fn is_elsewhere(email: &StringMatch, domain: &StringMatch) -> bool {
    let [StringTest::Is(value)] = email.tests.as_slice() else {
        return false;
    };
    let person =
        value.as_text().map(|email| Person { email: email.to_owned(), ..Person::default() });
    let plain = |test: &StringTest| !matches!(test, StringTest::Matches(_));
    domain.tests.iter().all(plain)
        && person.is_some_and(|person| !person.domain().is_some_and(|name| domain.matches(name)))
}

fn sessions_exclude(a: &SessionQuestion, b: &SessionQuestion) -> bool {
    match (a, b) {
        (SessionQuestion::Impersonated(a), SessionQuestion::Impersonated(b))
        | (SessionQuestion::ServiceAccount(a), SessionQuestion::ServiceAccount(b)) => a != b,
        (SessionQuestion::Device(a), SessionQuestion::Device(b)) => devices_exclude(a, b),
        (
            SessionQuestion::Impersonated(_)
            | SessionQuestion::ServiceAccount(_)
            | SessionQuestion::Device(_),
            _,
        ) => false,
    }
}

/// Of each kind a session has one device that counts.
fn devices_exclude(a: &DeviceMatch, b: &DeviceMatch) -> bool {
    let ids = a.id.as_ref().zip(b.id.as_ref()).is_some_and(|(a, b)| a != b);
    let approval = a.approved.zip(b.approved).is_some_and(|(a, b)| a != b);
    a.kind == b.kind && (ids || approval)
}

/// Whether a request has one text of a kind, or may have several.
#[derive(Clone, Copy)]
enum Readings {
    One,
    Several,
}

impl Readings {
    fn are_one(self) -> bool {
        matches!(self, Self::One)
    }
}

/// The matches of two questions, if both are about the same text of a request that is always there.
fn same_text<'q>(
    a: &'q RequestQuestion,
    b: &'q RequestQuestion,
) -> Option<(&'q StringMatch, &'q StringMatch, Readings)> {
    match (a, b) {
        (RequestQuestion::Method(a), RequestQuestion::Method(b))
        | (RequestQuestion::Path(a), RequestQuestion::Path(b)) => Some((a, b, Readings::One)),
        (
            RequestQuestion::Header { name, value },
            RequestQuestion::Header { name: other, value: others },
        )
        | (
            RequestQuestion::Query { name, value },
            RequestQuestion::Query { name: other, value: others },
        ) => (name == other).then_some((value, others, Readings::Several)),
        (
            RequestQuestion::Method(_)
            | RequestQuestion::Path(_)
            | RequestQuestion::Header { .. }
            | RequestQuestion::Query { .. }
            | RequestQuestion::McpTool(_)
            | RequestQuestion::CorsPreflight,
            _,
        ) => None,
    }
}

fn requests_exclude(a: &RequestQuestion, b: &RequestQuestion, doubt: Doubt) -> bool {
    // With several readings, each may be met by another.
    let apart = |readings: Readings| readings.are_one() || doubt == Doubt::Every;
    if let Some((a, b, readings)) = same_text(a, b) {
        return apart(readings) && texts_exclude(a, b);
    }
    match (a, b) {
        (RequestQuestion::McpTool(a), RequestQuestion::McpTool(b)) => {
            apart(Readings::Several) && texts_exclude(a, b)
        }
        (RequestQuestion::CorsPreflight, RequestQuestion::Method(method))
        | (RequestQuestion::Method(method), RequestQuestion::CorsPreflight) => {
            !method.matches("OPTIONS")
        }
        (
            RequestQuestion::Method(_)
            | RequestQuestion::Path(_)
            | RequestQuestion::Header { .. }
            | RequestQuestion::Query { .. }
            | RequestQuestion::McpTool(_)
            | RequestQuestion::CorsPreflight,
            _,
        ) => false,
    }
}

fn peers_exclude(a: &PeerQuestion, b: &PeerQuestion) -> bool {
    match (a, b) {
        (PeerQuestion::SourceIp(a), PeerQuestion::SourceIp(b)) => !a.meets(b),
        // A SPIFFE id is the principal.
        (
            PeerQuestion::SourcePrincipal(a) | PeerQuestion::SpiffeId(a),
            PeerQuestion::SourcePrincipal(b) | PeerQuestion::SpiffeId(b),
        )
        | (PeerQuestion::Sni(a), PeerQuestion::Sni(b)) => texts_exclude(a, b),
        (
            PeerQuestion::SourceIp(_)
            | PeerQuestion::SourcePrincipal(_)
            | PeerQuestion::SpiffeId(_)
            | PeerQuestion::Sni(_),
            _,
        ) => false,
    }
}

fn times_exclude(a: &TimeQuestion, b: &TimeQuestion) -> bool {
    match (a, b) {
        (TimeQuestion::Date(a), TimeQuestion::Date(b)) => truth::dates(&[a, b]).is_some(),
        (TimeQuestion::DayOfWeek(a), TimeQuestion::DayOfWeek(b)) => {
            a.zone == b.zone && !a.days.iter().any(|day| b.days.contains(day))
        }
        (TimeQuestion::TimeOfDay(a), TimeQuestion::TimeOfDay(b)) => {
            a.zone == b.zone && truth::hours(&[a, b])
        }
        (TimeQuestion::Date(_) | TimeQuestion::DayOfWeek(_) | TimeQuestion::TimeOfDay(_), _) => {
            false
        }
    }
}

/// There is one certificate, with one key; only its names are several.
fn certificates_exclude(a: &CertificateMatch, b: &CertificateMatch) -> bool {
    disjoint(a.fingerprints.as_ref(), b.fingerprints.as_ref())
        || disjoint(a.spki_hashes.as_ref(), b.spki_hashes.as_ref())
}

fn disjoint<T: Eq + Hash>(a: Option<&HashSet<T>>, b: Option<&HashSet<T>>) -> bool {
    a.zip(b).is_some_and(|(a, b)| a.is_disjoint(b))
}

fn records_exclude(a: &RecordQuestion, b: &RecordQuestion) -> bool {
    if a.record_type != b.record_type {
        return false;
    }
    // Where there is no record there is no field.
    let none =
        |question: &RecordQuestion| question.field.is_none() && question.exists == Some(false);
    let some =
        |question: &RecordQuestion| question.exists == Some(true) || !question.tests.is_empty();
    (a.field == b.field && truth::record(&[a, b]).is_some())
        || (none(a) && some(b))
        || (none(b) && some(a))
}
