//! What rules make of one another: some say again what others say, some are refused by others, some
//! leave others nothing to do.

use super::atoms::{Literal, Way, asks_who, ways};
use super::groups::{Fate, Stands};
use super::pairs::Covered;
use crate::advice::Advice;
use crate::document::{Notice, Place};
use crate::policy::criterion::{Criterion, Question, RequestQuestion};
use crate::policy::{CriteriaGroup, Effect, Mode, Operator, Policy};
use std::collections::{BTreeMap, BTreeSet};

/// Ways of several criteria beyond these are not compared.
const COMPARED: usize = 200;

const WIDEN: &str = "remove one of the two; rules and groups widen one another, they do not narrow";

/// A policy as others see it that decide with it. Making one takes time; asking takes little.
#[derive(Debug)]
pub struct Sides<'p> {
    allow: Side<'p>,
    deny: Side<'p>,
    /// An allow group that is open to everybody.
    open: Option<&'p CriteriaGroup>,
    /// A criterion for whose sake nobody passes who is not signed in.
    asks: Option<&'p Criterion>,
}

impl<'p> Sides<'p> {
    /// The sides of a policy; nothing, if it is in dry run and decides nothing.
    pub fn of(policy: &'p Policy) -> Self {
        let enforced = policy.mode == Mode::Enforce;
        let groups = |effect| groups_of(policy, effect).filter(move |_| enforced);
        let open = |group: &&CriteriaGroup| is_open(policy.mode, group);
        Self {
            open: groups(Effect::Allow).find(open),
            asks: groups(Effect::Deny).find_map(asks_everybody),
            allow: Side::of(groups(Effect::Allow)),
            deny: Side::of(groups(Effect::Deny)),
        }
    }

    /// Advice about what this policy allows, given what `other`, or it itself, denies.
    pub fn against(&self, other: &Self) -> Vec<Notice> {
        let mut notices = refused(&self.allow, &other.deny);
        notices.extend(self.open.zip(other.asks).map(|(open, asks)| sign_in(open, asks)));
        notices
    }
}

/// Advice about the rules of one policy.
pub(super) fn of_policy(policy: &Policy) -> Vec<Notice> {
    let sides = Sides::of(policy);
    let mut notices = sides.against(&sides);
    for effect in [Effect::Allow, Effect::Deny] {
        notices.extend(covered(&Side::of(groups_of(policy, effect)), effect));
    }
    notices.extend(open_to_everybody(policy));
    let allow = groups_of(policy, Effect::Allow);
    notices.extend(allow.filter_map(|group| {
        let stands = Stands { mode: policy.mode, effect: Effect::Allow, group };
        matches!(stands.fate(), Fate::Open).then(|| not_identity(group)).flatten()
    }));
    notices
}

fn groups_of(policy: &Policy, wanted: Effect) -> impl Iterator<Item = &CriteriaGroup> {
    policy.groups().filter(move |(effect, _)| *effect == wanted).map(|(_, group)| group)
}

/// The ways of one side, and which of them ask for what.
#[derive(Debug)]
struct Side<'p> {
    ways: Vec<Way<'p>>,
    /// By the one criterion that is all they ask.
    single: BTreeMap<Literal<'p>, usize>,
    /// Of several criteria.
    joint: Vec<usize>,
    /// By each criterion they ask.
    asking: BTreeMap<Literal<'p>, Vec<usize>>,
}

impl<'p> Side<'p> {
    fn of(groups: impl Iterator<Item = &'p CriteriaGroup>) -> Self {
        let ways: Vec<Way<'p>> = groups.flat_map(ways).collect();
        let (mut single, mut asking) = (BTreeMap::new(), BTreeMap::<_, Vec<usize>>::new());
        let mut joint = Vec::new();
        for (index, way) in ways.iter().enumerate() {
            for literal in &way.literals {
                asking.entry(literal.clone()).or_default().push(index);
            }
            match way.literals.first() {
                Some(only) if way.literals.len() == 1 => {
                    single.entry(only.clone()).or_insert(index);
                }
                Some(_) if joint.len() < COMPARED => joint.push(index),
                Some(_) | None => {}
            }
        }
        Self { ways, single, joint, asking }
    }

    /// The first way that is open whenever `way` is, among those that `fits` takes.
    fn wider(&self, way: &Way<'_>, fits: impl Fn(usize, &Way<'_>) -> bool) -> Option<&Way<'p>> {
        let single = way.literals.iter().filter_map(|literal| self.single.get(literal));
        let get = |index: &usize| self.ways.get(*index);
        let within =
            |index: &&usize| get(index).is_some_and(|it| it.literals.is_subset(&way.literals));
        let found = single.chain(self.joint.iter().filter(within)).copied();
        let first = found.filter(|index| get(index).is_some_and(|it| fits(*index, it))).min();
        self.ways.get(first?)
    }

    /// The ways that ask for one of what each way of `other` asks for; all, if that is less work.
    fn meeting(&self, other: &Self) -> Vec<&Way<'p>> {
        if self.ways.len() <= other.ways.len() {
            return self.ways.iter().collect();
        }
        let asked = other.ways.iter().filter_map(|way| self.asking.get(way.literals.first()?));
        let met: BTreeSet<usize> = asked.flatten().copied().collect();
        met.into_iter().filter_map(|index| self.ways.get(index)).collect()
    }
}

/// Ways that another group of the same effect leaves nothing to add to.
fn covered(side: &Side<'_>, effect: Effect) -> Vec<Notice> {
    let mut notices = Vec::new();
    for (index, way) in side.ways.iter().enumerate() {
        let elsewhere = |other: usize, wide: &Way<'_>| {
            let narrower = wide.literals.len() < way.literals.len() || other < index;
            narrower && !std::ptr::eq(wide.group, way.group)
        };
        let Some(wide) = side.wider(way, elsewhere) else {
            continue;
        };
        let (what, at) = (way.label(), wide.place());
        let (message, help) = match effect {
            Effect::Allow => {
                (format!("whoever {what} lets in is let in already by what stands at {at}"), WIDEN)
            }
            Effect::Deny => (
                format!("whatever {what} denies is denied already by what stands at {at}"),
                "remove one of the two",
            ),
        };
        notices.push(Notice::lint(Advice::CoveredRule, way.place(), message).help(help));
    }
    notices
}

/// An allow group that is always open, beside others that can only let in the same people again.
fn open_to_everybody(policy: &Policy) -> Option<Notice> {
    let is_open = |group: &CriteriaGroup| is_open(policy.mode, group);
    let open = groups_of(policy, Effect::Allow).find(|group| is_open(group))?;
    let pointless = |group: &&CriteriaGroup| {
        // An inverted criterion about people asks everybody to sign in, so it does do something.
        let silent = !(group.operator.inverts() && group.asks_who());
        let preflight = |criterion: &Criterion| {
            matches!(criterion.question, Question::Request(RequestQuestion::CorsPreflight))
        };
        silent && !group.criteria.iter().all(preflight) && !is_open(group)
    };
    let other = groups_of(policy, Effect::Allow).find(pointless)?;
    let message = format!(
        "this is open to everybody, signed in or not, so the rule at {} lets in nobody besides",
        other.place
    );
    Some(Notice::lint(Advice::OpenToEverybody, first_place(open), message).help(WIDEN))
}

fn first_place(group: &CriteriaGroup) -> &Place {
    group.criteria.first().map_or(&group.place, |criterion| &criterion.written.place)
}

/// Whether this allow group holds for everybody, signed in or not.
fn is_open(mode: Mode, group: &CriteriaGroup) -> bool {
    let fate = Stands { mode, effect: Effect::Allow, group }.fate();
    matches!(fate, Fate::Always { whom: Covered::Everybody, .. })
}

/// An allow group that names only who is kept out.
fn not_identity(group: &CriteriaGroup) -> Option<Notice> {
    let who = match group.operator {
        Operator::Not => "for whom none of its criteria holds",
        Operator::Nor => "for whom not all of its criteria hold",
        Operator::And | Operator::Or => return None,
    };
    let criterion = group.criteria.iter().find(|criterion| asks_who(&criterion.question))?;
    let message = format!(
        "this `{}` alone lets in everybody who is signed in and {who}; it does not narrow another group",
        group.operator.name()
    );
    let notice = Notice::lint(Advice::AllowNotIdentity, &criterion.written.place, message);
    Some(notice.help("say under `and` or `or` who is let in, and in a `deny` who is kept out"))
}

/// What is allowed, and denied whenever it is.
fn refused(allow: &Side<'_>, deny: &Side<'_>) -> Vec<Notice> {
    let refused = allow.meeting(deny).into_iter().filter_map(|way| {
        let wide = deny.wider(way, |_, _| true)?;
        let (what, at) = (way.label(), wide.place());
        let message = format!("whatever {what} allows is denied by what stands at {at}");
        let notice = Notice::lint(Advice::RefusedAllow, way.place(), message);
        Some(notice.help("remove one of the two; a deny that holds wins over every allow"))
    });
    refused.collect()
}

/// The criterion for whose sake a deny group lets nobody pass who is not signed in.
fn asks_everybody(group: &CriteriaGroup) -> Option<&Criterion> {
    let mut criteria = group.criteria.iter();
    // Under `not` another criterion may decide before it matters who asks.
    let every =
        group.operator != Operator::Not || criteria.clone().all(|it| asks_who(&it.question));
    criteria.find(|criterion| asks_who(&criterion.question)).filter(|_| every)
}

fn sign_in(open: &CriteriaGroup, criterion: &Criterion) -> Notice {
    let message = format!(
        "nobody passes here without signing in, because this deny asks who they are; yet what stands at {} is open to everybody",
        first_place(open)
    );
    let notice = Notice::lint(Advice::SignInOnPublic, &criterion.written.place, message);
    notice.help("let in `authenticated_user` instead of `accept`, or deny by something else")
}
