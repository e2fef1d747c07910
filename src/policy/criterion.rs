//! The closed set of criteria: what each asks of the facts. One family a file; adding a criterion is
//! one variant and one arm there, one arm in `compile`, and its reasons.

mod certificate;
mod names;
mod peer;
mod person;
mod record;
mod request;
mod session;
mod ssh;
mod time;

pub use certificate::CertificateFacts;
pub(super) use certificate::{CertificateMatch, CertificateQuestion};
pub use names::{EXTENSIONS, criterion_names};
pub(super) use peer::PeerQuestion;
pub(super) use person::PersonQuestion;
pub(super) use record::{Comparison, RecordQuestion, RecordTest};
pub(super) use request::RequestQuestion;
pub(super) use session::SessionQuestion;
pub use ssh::SshFacts;
pub(super) use ssh::SshQuestion;
pub(super) use time::TimeQuestion;

use super::facts::Facts;
use super::reason::Reason;
use crate::document::Place;
use std::borrow::Cow;
use std::sync::Arc;

/// One question about the facts, and where it was asked.
#[derive(Debug)]
pub(crate) struct Criterion {
    pub(super) question: Question,
    pub(super) written: Written,
    /// Where this one stands for many under `or` or `not`: each as it was written.
    pub(super) members: Vec<Member>,
}

/// One of the criteria that were joined into one, and the value it asks for.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) operand: String,
    pub(super) written: Written,
}

/// How and where something was written.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// On one line: `{name: data}`.
    pub(super) text: String,
    pub(super) place: Place,
}

/// What is asked.
#[derive(Debug)]
pub(crate) enum Question {
    /// `accept` or `reject`, whatever the facts.
    Always(bool),
    Person(PersonQuestion),
    Session(SessionQuestion),
    Request(RequestQuestion),
    Peer(PeerQuestion),
    Time(TimeQuestion),
    Certificate(CertificateQuestion),
    Record(RecordQuestion),
    Ssh(SshQuestion),
}

/// The answer: whether it holds, and what was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finding<'p> {
    pub(super) holds: bool,
    pub(super) reason: Reason,
    /// The kind of device that was asked for.
    pub(super) device: Option<&'p Arc<str>>,
}

/// What counts where a request can be read in several ways: a parameter given twice, a batch of
/// calls. The reading that leads to a refusal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It must hold in every reading.
    Every,
    /// One reading is enough.
    Any,
}

impl Doubt {
    /// `readings` are never none.
    fn over<T>(self, mut readings: impl Iterator<Item = T>, test: impl FnMut(T) -> bool) -> bool {
        match self {
            Self::Every => readings.all(test),
            Self::Any => readings.any(test),
        }
    }

    /// What counts where the readings are too many to look at, or are no text: another reader may make
    /// anything of them.
    fn unread(self) -> bool {
        self == Self::Any
    }
}

impl Criterion {
    /// A criterion that nobody wrote in a document.
    pub(super) fn unwritten(name: &str, question: Question) -> Self {
        let text = format!("{{{name}: true}}");
        let written = Written { text, place: Place::whole("built in") };
        Self { question, written, members: Vec::new() }
    }
}

impl Question {
    /// Asks it. Total: everything that can fail has failed when the policy was compiled.
    pub(super) fn ask(&self, facts: &Facts<'_>, doubt: Doubt) -> Finding<'_> {
        match self {
            Self::Always(true) => Finding::of(true, Reason::Accept),
            Self::Always(false) => Finding::of(false, Reason::Reject),
            Self::Person(question) => match facts.person() {
                None => Finding::NOBODY,
                Some(person) => question.ask(person),
            },
            Self::Session(question) => match facts.identity {
                None => Finding::NOBODY,
                Some(identity) => question.ask(identity),
            },
            Self::Request(question) => question.ask(facts, doubt),
            Self::Peer(question) => question.ask(facts, doubt),
            Self::Time(question) => question.ask(facts.now),
            Self::Certificate(question) => question.ask(facts, doubt),
            Self::Record(question) => question.ask(facts),
            Self::Ssh(question) => question.ask(facts),
        }
    }

    /// What kind of value the question met, in words, for an explanation.
    pub(super) fn saw(&self, facts: &Facts<'_>) -> Cow<'static, str> {
        match self {
            Self::Always(_) => "nothing: it needs no facts".into(),
            Self::Person(question) => {
                facts.person().map_or_else(nobody, |person| question.saw(person))
            }
            Self::Session(question) => {
                facts.identity.map_or_else(nobody, |identity| question.saw(identity))
            }
            Self::Request(question) => question.saw(facts),
            Self::Peer(question) => question.saw(facts),
            Self::Time(question) => question.saw(facts.now),
            Self::Certificate(question) => question.saw(facts),
            Self::Record(question) => question.saw(facts),
            Self::Ssh(question) => question.saw(facts),
        }
    }
}

fn nobody() -> Cow<'static, str> {
    "nobody is signed in".into()
}

impl Finding<'_> {
    /// A question about a person does not hold, whatever its operators, while nobody is signed in.
    const NOBODY: Self = Self { holds: false, reason: Reason::UserUnauthenticated, device: None };

    fn of(holds: bool, reason: Reason) -> Self {
        Self { holds, reason, device: None }
    }

    fn either(holds: bool, yes: Reason, no: Reason) -> Self {
        Self::of(holds, if holds { yes } else { no })
    }
}
