//! The same request put to everybody on both sides. Requests that are alike to the policies they run
//! into are put once, however many routes share these policies; so are people.

use super::columns::{Columns, View, facts_of};
use super::crowd::{Crowd, Member, Standing};
use super::probes::Spot;
use super::ruling::Ruling;
use super::{Both, Circumstances, Side};
use crate::identity::Caller;
use crate::policy::{Aspect, Decision, DenyReason, Facts, Mode, Policy, Sketch, evaluate, explain};
use crate::request::Request;
use std::collections::HashMap;
use std::rc::Rc;

/// What a request comes to on both sides.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Sorted by what decides; the people of each in their order.
    pub changes: Vec<Change>,
    pub(super) sign_in: Option<SignIn>,
}

/// People who gain or lose access for the same reasons.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    pub turn: Turn,
    pub rulings: Both<Rc<Ruling>>,
    /// Where they stand in the crowd.
    pub members: Vec<u32>,
}

/// What happens to somebody's access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Turn {
    Gain,
    Lose,
}

/// What happens to nobody in particular, who gets in on neither side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SignIn {
    Asked,
    NoLongerAsked,
}

/// What of a spot decides: the policies that are in force there, known by where they are in memory.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Ground {
    Nowhere,
    Malformed(String),
    Policies(Vec<usize>),
}

/// The grounds, and what their policies make of the request.
type Question = Both<(Ground, Sketch)>;

/// Judges, and remembers.
pub(super) struct Judge<'c, 's> {
    sides: Both<Side<'s>>,
    crowd: &'c Crowd,
    circumstances: Circumstances,
    columns: Both<Columns>,
    judged: HashMap<Question, Rc<Judged>>,
    alike: HashMap<Both<Ground>, bool>,
}

impl<'c, 's> Judge<'c, 's> {
    pub(super) fn new(
        sides: Both<Side<'s>>,
        crowd: &'c Crowd,
        circumstances: Circumstances,
    ) -> Self {
        let (judged, alike) = (HashMap::new(), HashMap::new());
        Self { sides, crowd, circumstances, columns: Both::default(), judged, alike }
    }

    /// Whether both sides have the same rules there.
    pub(super) fn same_policies(&mut self, spots: &Both<Spot<'s>>) -> bool {
        let language = self.sides.map(|side| side.language);
        let grounds = spots.as_ref().map(Ground::of);
        *self.alike.entry(grounds).or_insert_with(|| {
            let printed = spots.as_ref().map(|spot| {
                let policies = spot.route().map(|_| enforced(spot));
                policies.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>())
            });
            language.old == language.new && printed.old.is_some() && printed.old == printed.new
        })
    }

    /// Whether only those can be judged differently there whom the sides see differently.
    fn only_differing(&mut self, spots: &Both<Spot<'s>>) -> bool {
        // What records say is not compared, only what comes of it.
        let reads = |policy: &&Policy| policy.aspects().contains(&Aspect::Record);
        self.same_policies(spots) && !enforced(&spots.old).iter().any(reads)
    }

    /// Finds together what the criteria will find that are about to be asked.
    pub(super) fn prepare(&mut self, asked: &[Both<Spot<'s>>]) {
        let (differing, all): (Vec<_>, Vec<_>) =
            asked.iter().partition(|spots| self.only_differing(spots));
        for (differing, spots) in [(true, differing), (false, all)] {
            let old = spots.iter().flat_map(|spots| enforced(&spots.old)).collect();
            let new = spots.iter().flat_map(|spots| enforced(&spots.new)).collect();
            drop(self.columns(&Both { old, new }, differing));
        }
    }

    /// What the criteria of both sides find in people, whatever they ask for.
    fn columns(&mut self, policies: &Both<Vec<&Policy>>, differing: bool) -> Vec<Rc<[u32]>> {
        let request = Request { source_ip: self.circumstances.ip, ..Request::unknown() };
        let facts = self.facts(&request);
        let (members, _) = self.crowd.of(differing);
        let view = |facts, side| View { members: &members, differing, facts, side };
        let (old, new) =
            (view(facts.old, |callers| &callers.old), view(facts.new, |callers| &callers.new));
        let mut columns = self.columns.old.of(&policies.old, old);
        columns.extend(self.columns.new.of(&policies.new, new));
        columns
    }

    fn facts<'r>(&self, request: &'r Request) -> Both<Facts<'r>>
    where
        's: 'r,
    {
        self.sides.map(|side| {
            let records = Some(&side.settings.data_sources);
            Facts { records, ..Facts::new(request, None, self.circumstances.now) }
        })
    }

    pub(super) fn judge(&mut self, spots: &Both<Spot<'s>>, request: &Request) -> Rc<Judged> {
        let policies = spots.as_ref().map(enforced);
        let facts = self.facts(request);
        let question = Both {
            old: (Ground::of(&spots.old), sketch(&policies.old, &facts.old)),
            new: (Ground::of(&spots.new), sketch(&policies.new, &facts.new)),
        };
        if let Some(judged) = self.judged.get(&question) {
            return Rc::clone(judged);
        }
        let differing = self.only_differing(spots);
        let (members, places) = self.crowd.of(differing);
        let columns = self.columns(&policies, differing);
        let trials = Both {
            old: Trial::new(&spots.old, &policies.old, facts.old),
            new: Trial::new(&spots.new, &policies.new, facts.new),
        };
        let hearing = Hearing { trials, heard: HashMap::new(), sign_in: None };
        let judged = Rc::new(hearing.hear(&members, &places, &columns));
        self.judged.insert(question, Rc::clone(&judged));
        judged
    }
}

/// The policies that decide there.
pub(super) fn enforced<'s>(spot: &Spot<'s>) -> Vec<&'s Policy> {
    let policies = spot.route().into_iter().flat_map(|route| &route.policies);
    policies.map(AsRef::as_ref).filter(|policy| policy.mode == Mode::Enforce).collect()
}

fn sketch(policies: &[&Policy], facts: &Facts<'_>) -> Sketch {
    Sketch::of_request(policies.iter().copied(), facts)
}

impl Ground {
    fn of(spot: &Spot<'_>) -> Self {
        match spot {
            Spot::Nowhere => Self::Nowhere,
            Spot::Malformed(why) => Self::Malformed(why.clone()),
            Spot::Route(_) => {
                let policies = enforced(spot).into_iter();
                Self::Policies(policies.map(|policy| std::ptr::from_ref(policy).addr()).collect())
            }
        }
    }
}

/// One request, put on both sides to those for whom the answer may differ.
struct Hearing<'f, 's> {
    trials: Both<Trial<'f, 's>>,
    /// What became of people, by what all criteria find in them.
    heard: HashMap<Vec<u32>, Option<(Turn, usize, usize)>>,
    sign_in: Option<SignIn>,
}

impl Hearing<'_, '_> {
    /// `columns` say what the criteria find in `members`, who stand in the crowd where `places` say.
    fn hear(mut self, members: &[&Member], places: &[u32], columns: &[Rc<[u32]>]) -> Judged {
        let mut changes = HashMap::<(Turn, usize, usize), Vec<u32>>::new();
        let mut key = Vec::new();
        for (index, (member, place)) in members.iter().zip(places).enumerate() {
            key.clear();
            key.push(u32::from(member.standing == Standing::Anonymous));
            key.extend(columns.iter().filter_map(|column| column.get(index)));
            let outcome = match self.heard.get(&key) {
                Some(outcome) => *outcome,
                None => {
                    let outcome = self.put_to(member);
                    self.heard.insert(key.clone(), outcome);
                    outcome
                }
            };
            if let Some(change) = outcome {
                changes.entry(change).or_default().push(*place);
            }
        }
        let rulings = self.trials.map(|trial| trial.rulings);
        Judged { changes: sorted(changes, &rulings), sign_in: self.sign_in }
    }

    fn put_to(&mut self, member: &Member) -> Option<(Turn, usize, usize)> {
        let Both { old, new } = &member.callers;
        let turn = match (self.trials.old.decide(old), self.trials.new.decide(new)) {
            (Answer::Allowed, Answer::Allowed) => return None,
            (Answer::Allowed, _) => Turn::Lose,
            (_, Answer::Allowed) => Turn::Gain,
            (before, after) => {
                self.sign_in = self.sign_in.or(turned(before, after));
                return None;
            }
        };
        Some((turn, self.trials.old.ruling(old), self.trials.new.ruling(new)))
    }
}

fn sorted(
    changes: HashMap<(Turn, usize, usize), Vec<u32>>,
    rulings: &Both<Vec<Rc<Ruling>>>,
) -> Vec<Change> {
    let told = changes.into_iter().filter_map(|((turn, old, new), mut members)| {
        members.shrink_to_fit();
        let (old, new) = (rulings.old.get(old)?, rulings.new.get(new)?);
        let rulings = Both { old: Rc::clone(old), new: Rc::clone(new) };
        Some(Change { turn, rulings, members })
    });
    let mut changes: Vec<Change> = told.collect();
    // INVARIANT: nobody is in two changes, so that there is one order.
    changes.sort_by_cached_key(|change| {
        let place = change.decisive().place();
        let place = place.map(|place| (place.source().to_owned(), place.line(), place.column()));
        (change.turn, place, change.members.first().copied())
    });
    changes
}

fn turned(before: Answer, after: Answer) -> Option<SignIn> {
    match (before, after) {
        (Answer::Refused, Answer::SignIn) => Some(SignIn::Asked),
        (Answer::SignIn, Answer::Refused) => Some(SignIn::NoLongerAsked),
        (Answer::Allowed | Answer::Refused | Answer::SignIn, _) => None,
    }
}

impl Change {
    /// Whether the new side brings it about: by the rule that lets people in now, or that keeps them
    /// out now. If it has none, the rule that let them in before does.
    pub fn is_by_new(&self) -> bool {
        match &*self.rulings.new {
            Ruling::NotAllowed { .. } | Ruling::Allowed(_) => self.turn == Turn::Gain,
            Ruling::Refused { .. } | Ruling::NoRoute | Ruling::Malformed(_) => true,
        }
    }

    pub fn decisive(&self) -> &Ruling {
        if self.is_by_new() { &self.rulings.new } else { &self.rulings.old }
    }
}

/// What somebody is told.
#[derive(Clone, Copy)]
enum Answer {
    Allowed,
    SignIn,
    Refused,
}

/// One request on one side.
struct Trial<'f, 's> {
    spot: &'f Spot<'s>,
    policies: &'f [&'s Policy],
    facts: Facts<'f>,
    rulings: Vec<Rc<Ruling>>,
    /// Where they stand, by what they say.
    by_text: HashMap<String, usize>,
}

impl<'f, 's> Trial<'f, 's> {
    fn new(spot: &'f Spot<'s>, policies: &'f [&'s Policy], facts: Facts<'f>) -> Self {
        Self { spot, policies, facts, rulings: Vec::new(), by_text: HashMap::new() }
    }

    fn decide(&self, caller: &Caller) -> Answer {
        if self.spot.route().is_none() {
            return Answer::Refused;
        }
        let facts = facts_of(self.facts, caller);
        match evaluate(self.policies.iter().copied(), &facts, caller.clone()).decision {
            Decision::Allow(_) => Answer::Allowed,
            Decision::Deny(denial) => match denial.reason {
                DenyReason::Unauthenticated(_) => Answer::SignIn,
                DenyReason::Malformed(_)
                | DenyReason::NoRoute
                | DenyReason::RouteMismatch
                | DenyReason::ClientCertificate
                | DenyReason::ImpersonationNotPermitted
                | DenyReason::DeviceUnauthenticated(_)
                | DenyReason::DeviceUnauthorized
                | DenyReason::Forbidden
                | DenyReason::OutOfNamespace
                | DenyReason::Fault => Answer::Refused,
            },
        }
    }

    /// Where the ruling stands about `caller`.
    fn ruling(&mut self, caller: &Caller) -> usize {
        let ruling = match self.spot {
            Spot::Nowhere => Ruling::NoRoute,
            Spot::Malformed(why) => Ruling::Malformed(why.clone()),
            Spot::Route(_) => {
                let facts = facts_of(self.facts, caller);
                let policies = self.policies.iter().copied();
                let (evaluation, explanation) = explain(policies, &facts, caller.clone());
                let denied = match &evaluation.decision {
                    Decision::Allow(_) => None,
                    Decision::Deny(denial) => Some(&denial.reason),
                };
                Ruling::of(&explanation, denied)
            }
        };
        let next = self.rulings.len();
        let index = *self.by_text.entry(format!("{ruling:?}")).or_insert(next);
        if index == next {
            self.rulings.push(Rc::new(ruling));
        }
        index
    }
}
