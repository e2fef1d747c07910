//! What is certain of one group: that it holds whatever is asked, that it never does, or that it says
//! something twice.

use super::atoms::{Atom, Counts, Key, name};
use super::pairs::{Covered, cover, exclude};
use crate::advice::Advice;
use crate::document::{Notice, Place};
use crate::policy::criterion::{Criterion, Question, RequestQuestion};
use crate::policy::evaluate::doubt;
use crate::policy::{CriteriaGroup, Effect, Mode, Operator};
use std::collections::BTreeMap;

/// Criteria beyond these are not compared with one another.
const COMPARED: usize = 200;

/// A group with what it is for.
#[derive(Clone, Copy)]
pub(super) struct Stands<'p> {
    pub(super) mode: Mode,
    pub(super) effect: Effect,
    pub(super) group: &'p CriteriaGroup,
}

/// What is certain of a whole group.
pub(super) enum Fate<'p> {
    Always {
        whom: Covered,
        place: &'p Place,
        why: String,
    },
    Never {
        place: &'p Place,
        why: String,
    },
    /// It never holds, and that has been said.
    Told,
    Open,
}

impl<'p> Stands<'p> {
    pub(super) fn advice(self) -> Vec<Notice> {
        let mut notices = self.duplicates();
        if self.is_plain() {
            return notices;
        }
        match self.fate() {
            Fate::Always { whom, place, why } => notices.push(self.always(whom, place, &why)),
            Fate::Never { place, why } => notices.push(self.never(place, &why)),
            Fate::Told => {}
            Fate::Open => notices.extend(self.idle()),
        }
        notices
    }

    /// Whether it says in so many words that it always holds, or never.
    fn is_plain(self) -> bool {
        let open = self.effect == Effect::Allow && self.group.operator == Operator::Or;
        let plain = |criterion: &Criterion| match &criterion.question {
            Question::Always(true) => self.effect == Effect::Allow,
            Question::Always(false) => true,
            // Beside `accept` it says whose the request is: nobody's.
            Question::Request(RequestQuestion::CorsPreflight) => open,
            Question::Person(_)
            | Question::Session(_)
            | Question::Request(_)
            | Question::Peer(_)
            | Question::Time(_)
            | Question::Certificate(_)
            | Question::Record(_)
            | Question::Ssh(_) => false,
        };
        !self.group.operator.inverts() && self.group.criteria.iter().all(plain)
    }

    pub(super) fn fate(self) -> Fate<'p> {
        let counted = || self.group.criteria.iter().map(|it| (it, self.group.counts(it)));
        let always = counted().find_map(|(it, counts)| match counts {
            Counts::Always(cause) => Some((it, cause)),
            Counts::Never(_) | Counts::Open => None,
        });
        let never = counted().find_map(|(it, counts)| match counts {
            Counts::Never(cause) if !cause.is_told() => Some((it, cause)),
            Counts::Never(_) | Counts::Always(_) | Counts::Open => None,
        });
        let all_always = counted().all(|(_, counts)| matches!(counts, Counts::Always(_)));
        let no_never = counted().all(|(_, counts)| !matches!(counts, Counts::Never(_)));
        let all_never = counted().all(|(_, counts)| matches!(counts, Counts::Never(_)));
        let doomed = if self.group.wants_all() { !no_never } else { all_never };
        let certain = if self.group.wants_all() { all_always } else { always.is_some() };
        match (always, never) {
            (Some((it, cause)), _) if certain => Fate::Always {
                whom: self.whom(),
                place: &it.written.place,
                why: cause.clause(&name(&it.question)),
            },
            (_, Some((it, cause))) if doomed => {
                Fate::Never { place: &it.written.place, why: cause.clause(&name(&it.question)) }
            }
            _ if doomed => Fate::Told,
            _ => self.pair(),
        }
    }

    /// Who passes a group that always holds. An inverted criterion about people holds for nobody, and
    /// still asks nobody to sign in.
    fn whom(self) -> Covered {
        let asks = self.group.operator.inverts() && self.group.asks_who();
        if asks { Covered::SignedIn } else { Covered::Everybody }
    }

    /// What is certain because of two criteria together.
    fn pair(self) -> Fate<'p> {
        let criteria = self.group.criteria.get(..COMPARED).unwrap_or(&self.group.criteria);
        let mut pairs = criteria.iter().enumerate().flat_map(|(index, second)| {
            criteria.iter().take(index).map(move |first| (first, second))
        });
        pairs.find_map(|(first, second)| self.fate_of_pair(first, second)).unwrap_or(Fate::Open)
    }

    fn fate_of_pair(self, first: &Criterion, second: &'p Criterion) -> Option<Fate<'p>> {
        let doubt = doubt(self.effect, self.group.operator.inverts());
        let (a, b) = (&first.question, &second.question);
        let place = &second.written.place;
        let subject = || format!("the `{}` at {}", name(a), first.written.place);
        let both = || format!("{} and this `{}` never hold both", subject(), name(b));
        let either = || format!("{} or this `{}` always holds", subject(), name(b));
        match self.group.operator {
            Operator::And if exclude(a, b, doubt) => Some(Fate::Never { place, why: both() }),
            Operator::Nor if exclude(a, b, doubt) => {
                Some(Fate::Always { whom: self.whom(), place, why: both() })
            }
            Operator::Or => {
                cover(a, b, doubt).map(|whom| Fate::Always { whom, place, why: either() })
            }
            Operator::Not if cover(a, b, doubt) == Some(Covered::Everybody) => {
                Some(Fate::Never { place, why: either() })
            }
            Operator::And | Operator::Not | Operator::Nor => None,
        }
    }

    fn always(self, whom: Covered, place: &Place, why: &str) -> Notice {
        let so = match (self.effect, self.mode, whom) {
            (Effect::Allow, _, Covered::Everybody) => "is open to everybody, signed in or not",
            (Effect::Allow, _, Covered::SignedIn) => "is open to everybody who is signed in",
            (Effect::Deny, Mode::Enforce, Covered::Everybody) => "denies every request",
            (Effect::Deny, Mode::Enforce, Covered::SignedIn) => {
                "denies everybody who is signed in, and everybody else has to sign in"
            }
            (Effect::Deny, Mode::DryRun, _) => "would deny every request",
        };
        let message = format!("{why}, so this `{}` {so}", self.group.operator.name());
        let help = match self.group.operator {
            Operator::Nor => "write `not` if none of them may hold",
            Operator::Or => "remove what always holds; what must hold together stands under `and`",
            Operator::And | Operator::Not => "write what is to be asked, or remove the group",
        };
        Notice::lint(Advice::AlwaysTrue, place, message).help(help)
    }

    fn never(self, place: &Place, why: &str) -> Notice {
        let so = match self.effect {
            Effect::Allow => "it lets nobody in",
            Effect::Deny => "it denies nothing",
        };
        let operator = self.group.operator.name();
        let message = format!("{why}, so this `{operator}` never holds: {so}");
        let help = match self.group.operator {
            Operator::And => "what need not hold together stands under `or`",
            Operator::Nor | Operator::Or | Operator::Not => "write what is meant, or remove it",
        };
        Notice::lint(Advice::NeverTrue, place, message).help(help)
    }

    /// Criteria without which the group would hold as it does.
    fn idle(self) -> impl Iterator<Item = Notice> {
        let operator = self.group.operator.name();
        self.group.criteria.iter().filter_map(move |criterion| {
            let cause = match self.group.counts(criterion) {
                Counts::Always(cause) | Counts::Never(cause) => cause,
                Counts::Open => return None,
            };
            let why = cause.clause(&name(&criterion.question));
            let message = format!("{why}, so this `{operator}` holds as it would without it");
            let notice = Notice::lint(Advice::IdleCriterion, &criterion.written.place, message);
            (!cause.is_told()).then(|| notice.help("remove it, or write what is meant"))
        })
    }

    fn duplicates(self) -> Vec<Notice> {
        let mut first: BTreeMap<Key<'_>, Atom<'_>> = BTreeMap::new();
        let mut notices = Vec::new();
        for atom in self.group.atoms() {
            if let Some(before) = first.get(&atom.key()) {
                let (what, at) = (atom.label(), before.place());
                let operator = self.group.operator.name();
                let message = format!("{what} stands in the same `{operator}` before, at {at}");
                let notice = Notice::lint(Advice::DuplicateCriterion, atom.place(), message);
                notices.push(notice.help("remove one of the two"));
                continue;
            }
            first.insert(atom.key(), atom);
        }
        notices
    }
}
