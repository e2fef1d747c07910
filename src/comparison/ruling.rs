//! What decided about somebody on one side, told by rule and place.

use crate::document::Place;
use crate::policy::{DenyReason, Effect, Explanation, GroupTrace, Mode, Operator};

/// Why somebody gets in, or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// This rule lets them in.
    Allowed(Cited),
    /// This rule keeps them out, or asks them to sign in.
    Refused { code: &'static str, by: Cited },
    /// No rule lets them in; these do not hold.
    NotAllowed { code: &'static str, rules: Vec<Cited> },
    /// No route serves the request.
    NoRoute,
    /// The request is refused before anybody is asked: with why.
    Malformed(String),
}

/// Criteria of one rule that stand under one operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cited {
    /// Empty for a policy without a name.
    pub policy: String,
    pub effect: Effect,
    pub operator: Operator,
    pub place: Place,
    /// Those that decide: as each is written, and where.
    pub criteria: Vec<(String, Place)>,
}

impl Ruling {
    pub(super) fn of(explanation: &Explanation, denied: Option<&DenyReason>) -> Self {
        let mut deciding = explanation.deciding(denied).peekable();
        let enforced = || explanation.groups.iter().filter(|group| group.mode == Mode::Enforce);
        let keeps_out = |group: &GroupTrace| group.effect == Effect::Deny && group.verdict.holds;
        let asks = denied.and_then(DenyReason::asked_by).is_some();
        let first = deciding.peek().map(|(group, _)| *group);
        let by = first.map(|group| {
            let of_group = deciding.filter(|(other, _)| std::ptr::eq(*other, group));
            let criteria = of_group.map(|(_, criterion)| {
                (
                    alternatives(&criterion.text, criterion.stands_for, criterion.holds),
                    criterion.place.clone(),
                )
            });
            Cited { criteria: criteria.collect(), ..Cited::of(group) }
        });
        match (denied, by) {
            (None, Some(by)) => Self::Allowed(by),
            (Some(reason), Some(by)) if asks || enforced().any(keeps_out) => {
                Self::Refused { code: reason.code(), by }
            }
            (reason, _) => {
                let code = reason.map_or("forbidden", DenyReason::code);
                let allowing = enforced().filter(|group| group.effect == Effect::Allow);
                Self::NotAllowed { code, rules: allowing.map(Cited::of).collect() }
            }
        }
    }

    /// Where the rule stands that decides, or the first of those that do not hold.
    pub fn place(&self) -> Option<&Place> {
        let cited = match self {
            Self::Allowed(cited) | Self::Refused { by: cited, .. } => cited,
            Self::NotAllowed { rules, .. } => rules.first()?,
            Self::NoRoute | Self::Malformed(_) => return None,
        };
        Some(cited.criteria.first().map_or(&cited.place, |(_, place)| place))
    }
}

impl Cited {
    /// The whole group: none of its criteria is singled out.
    fn of(group: &GroupTrace) -> Self {
        let criteria = group.criteria.iter().map(|criterion| {
            (alternatives(&criterion.text, criterion.stands_for, false), criterion.place.clone())
        });
        Self {
            policy: group.policy.clone(),
            effect: group.effect,
            operator: group.operator,
            place: group.place.clone(),
            criteria: criteria.collect(),
        }
    }
}

/// Criteria that were joined are told by the one that was met; if none was, by the first.
fn alternatives(text: &str, stands_for: usize, met: bool) -> String {
    match stands_for {
        0 | 1 => text.to_owned(),
        _ if met => text.to_owned(),
        many => format!("{text} and {} like it", many - 1),
    }
}
