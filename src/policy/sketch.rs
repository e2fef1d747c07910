//! Findings in short: what lets somebody who asks the same policies a million times tell the questions
//! that are decided alike. A decision is made of what the criteria find, and a finding depends either
//! on the request or on who is asking.

use super::criterion::{Criterion, Doubt, Finding, Question};
use super::{Facts, Mode, Policy};

/// What the criteria of some policies find that do not depend on who is asking, and which was met of
/// several that were joined. Two requests with equal sketches are the same to these policies. Means
/// nothing once they are gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sketch(Vec<Mark>);

/// One finding in short: whether it holds and its reason, and where in memory the criterion is that was
/// met among several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    pub code: u8,
    pub met: Option<usize>,
}

/// A criterion of which the finding depends on who is asking, and on nothing of the request but the
/// address it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Personal<'p>(&'p Criterion);

impl Sketch {
    pub fn of_request<'p>(policies: impl Iterator<Item = &'p Policy>, facts: &Facts<'_>) -> Self {
        let enrolment = Mark { code: u8::from(facts.is_device_enrolment()), met: None };
        let mut marks = vec![enrolment];
        let enforced = policies.filter(|policy| policy.mode == Mode::Enforce);
        for criterion in enforced.flat_map(Policy::criteria) {
            if !is_personal(&criterion.question) {
                // Where a request has two readings, both count.
                let doubts = [Doubt::Every, Doubt::Any];
                marks.extend(
                    doubts.map(|doubt| {
                        Mark::of(criterion, criterion.question.ask(facts, doubt), facts)
                    }),
                );
            }
        }
        Self(marks)
    }
}

impl Policy {
    /// The criteria that [`Sketch::of_request`] leaves out.
    pub fn personal(&self) -> impl Iterator<Item = Personal<'_>> {
        self.criteria().filter(|criterion| is_personal(&criterion.question)).map(Personal)
    }
}

impl<'p> Personal<'p> {
    /// As it is written: read in one language, equal texts find the same. `None` for one that stands for
    /// several.
    pub fn text(&self) -> Option<&'p str> {
        self.0.members.is_empty().then_some(&self.0.written.text)
    }

    /// Where in memory it is.
    pub fn address(&self) -> usize {
        std::ptr::from_ref(self.0).addr()
    }

    pub fn find(&self, facts: &Facts<'_>) -> Mark {
        Mark::of(self.0, self.0.question.ask(facts, Doubt::Every), facts)
    }
}

impl Mark {
    fn of(criterion: &Criterion, finding: Finding<'_>, facts: &Facts<'_>) -> Self {
        let met = criterion.member(facts).filter(|_| finding.holds);
        let met = met.map(|written| std::ptr::from_ref(written).addr());
        Self { code: (finding.reason as u8) << 1 | u8::from(finding.holds), met }
    }
}

fn is_personal(question: &Question) -> bool {
    match question {
        Question::Person(_) | Question::Session(_) | Question::Record(_) | Question::Ssh(_) => true,
        Question::Always(_)
        | Question::Request(_)
        | Question::Peer(_)
        | Question::Time(_)
        | Question::Certificate(_) => false,
    }
}
