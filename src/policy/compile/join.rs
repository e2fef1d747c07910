//! Many criteria that ask the same of different values become one that looks the value up. Under
//! `or` and `not` that changes neither the verdict nor its reasons: whether any holds is all that
//! counts, and all of them give the same reasons.

use crate::identity::ClaimValue;
use crate::policy::criterion::{
    Criterion, Member, PersonQuestion, Question, RequestQuestion, Written,
};
use crate::policy::matcher::{Case, ListMatch, ListTest, StringMatch, StringTest, TextSet};
use crate::policy::{Facts, Operator};
use std::collections::BTreeMap;

/// Fewer than this are asked one by one, and explained one by one.
const MANY: usize = 8;

/// `criteria` of one group, with many of a kind joined at the place of the first.
pub(in crate::policy) fn joined(criteria: Vec<Criterion>, operator: Operator) -> Vec<Criterion> {
    let joinable = matches!(operator, Operator::Or | Operator::Not);
    if !joinable || criteria.len() < MANY {
        return criteria;
    }
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for (kind, _) in criteria.iter().filter_map(|criterion| asked(&criterion.question)) {
        *counts.entry(kind).or_default() += 1;
    }
    let mut out: Vec<Criterion> = Vec::with_capacity(criteria.len());
    let mut first: BTreeMap<Kind, usize> = BTreeMap::new();
    for criterion in criteria {
        let many = asked(&criterion.question)
            .filter(|(kind, _)| counts.get(kind).is_some_and(|count| *count >= MANY));
        let Some((kind, operand)) = many else {
            out.push(criterion);
            continue;
        };
        let member = Member { operand: operand.to_owned(), written: criterion.written.clone() };
        let index = *first.entry(kind).or_insert(out.len());
        match out.get_mut(index) {
            Some(joint) => joint.members.push(member),
            None => out.push(Criterion { members: vec![member], ..criterion }),
        }
    }
    out.into_iter().map(looked_up).collect()
}

/// What is asked, apart from the value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::policy) enum Kind {
    User,
    Email,
    Domain,
    Groups,
    Claim(String),
    Method,
    Path,
}

/// The kind of a question that one text answers, and that text.
pub(in crate::policy) fn asked(question: &Question) -> Option<(Kind, &str)> {
    let operand = match question {
        Question::Person(
            PersonQuestion::User(text) | PersonQuestion::Email(text) | PersonQuestion::Domain(text),
        )
        | Question::Request(RequestQuestion::Method(text) | RequestQuestion::Path(text)) => {
            only_is(text)?
        }
        Question::Person(
            PersonQuestion::Groups(list) | PersonQuestion::Claim { values: list, .. },
        ) => only_has(list)?,
        Question::Always(_)
        | Question::Person(_)
        | Question::Session(_)
        | Question::Request(_)
        | Question::Peer(_)
        | Question::Time(_)
        | Question::Certificate(_)
        | Question::Record(_)
        | Question::Ssh(_) => return None,
    };
    Some((kind(question)?, operand))
}

/// The kind of a question, whatever values answer it.
pub(in crate::policy) fn kind(question: &Question) -> Option<Kind> {
    Some(match question {
        Question::Person(PersonQuestion::User(_)) => Kind::User,
        Question::Person(PersonQuestion::Email(_)) => Kind::Email,
        Question::Person(PersonQuestion::Domain(_)) => Kind::Domain,
        Question::Person(PersonQuestion::Groups(_)) => Kind::Groups,
        Question::Person(PersonQuestion::Claim { path, .. }) => Kind::Claim(path.clone()),
        Question::Request(RequestQuestion::Method(_)) => Kind::Method,
        Question::Request(RequestQuestion::Path(_)) => Kind::Path,
        Question::Always(_)
        | Question::Person(_)
        | Question::Session(_)
        | Question::Request(_)
        | Question::Peer(_)
        | Question::Time(_)
        | Question::Certificate(_)
        | Question::Record(_)
        | Question::Ssh(_) => return None,
    })
}

fn only_is(text: &StringMatch) -> Option<&str> {
    match text.tests.as_slice() {
        [StringTest::Is(value)] => value.as_text(),
        _ => None,
    }
}

fn only_has(list: &ListMatch) -> Option<&str> {
    match list.0.as_slice() {
        [ListTest::Has(value)] => value.as_text(),
        _ => None,
    }
}

/// The joined criterion asks among the values of its members.
fn looked_up(criterion: Criterion) -> Criterion {
    let Criterion { mut question, written, members } = criterion;
    if members.is_empty() {
        return Criterion { question, written, members };
    }
    let operands = || members.iter().map(|member| member.operand.clone());
    match &mut question {
        Question::Person(
            PersonQuestion::User(text) | PersonQuestion::Email(text) | PersonQuestion::Domain(text),
        )
        | Question::Request(RequestQuestion::Method(text) | RequestQuestion::Path(text)) => {
            text.tests = vec![StringTest::In(TextSet::new(operands(), text.case))];
        }
        Question::Person(
            PersonQuestion::Groups(list) | PersonQuestion::Claim { values: list, .. },
        ) => {
            *list = ListMatch(vec![ListTest::HasOneOf(TextSet::new(operands(), Case::Exact))]);
        }
        Question::Always(_)
        | Question::Person(_)
        | Question::Session(_)
        | Question::Request(_)
        | Question::Peer(_)
        | Question::Time(_)
        | Question::Certificate(_)
        | Question::Record(_)
        | Question::Ssh(_) => {}
    }
    Criterion { question, written, members }
}

impl Criterion {
    /// Where the criterion is written that asks for what was met.
    pub(in crate::policy) fn member(&self, facts: &Facts<'_>) -> Option<&Written> {
        if self.members.is_empty() {
            return None;
        }
        let met = self.question.texts(facts);
        let same = |member: &&Member| met.contains(&member.operand.as_str());
        let folded =
            |member: &&Member| met.iter().any(|text| member.operand.eq_ignore_ascii_case(text));
        let mut members = self.members.iter();
        let found = members.find(same).or_else(|| self.members.iter().find(folded));
        found.map(|member| &member.written)
    }
}

impl Question {
    /// The texts that a joinable question compares.
    fn texts<'f>(&self, facts: &Facts<'f>) -> Vec<&'f str> {
        match (self, facts.person()) {
            (Self::Request(RequestQuestion::Method(_)), _) => vec![facts.method],
            (Self::Request(RequestQuestion::Path(_)), _) => vec![facts.path],
            (Self::Person(question), Some(person)) => match question {
                PersonQuestion::User(_) => vec![&person.user],
                PersonQuestion::Email(_) => vec![&person.email],
                PersonQuestion::Domain(_) => person.domain().into_iter().collect(),
                PersonQuestion::Groups(_) => {
                    person.group_ids().iter().map(String::as_str).collect()
                }
                PersonQuestion::Claim { path, .. } => {
                    person.claims.values(path).filter_map(ClaimValue::as_text).collect()
                }
                PersonQuestion::Somebody => Vec::new(),
            },
            (
                Self::Always(_)
                | Self::Person(_)
                | Self::Session(_)
                | Self::Request(_)
                | Self::Peer(_)
                | Self::Time(_)
                | Self::Certificate(_)
                | Self::Record(_)
                | Self::Ssh(_),
                _,
            ) => Vec::new(),
        }
    }
}
