//! What is certain of tests on one text and on a list, whatever text or list they are asked of.
//! "Certain" means proven: where nothing can be proven the answer is the one that says nothing.

use super::truth::Never;
use crate::identity::ClaimValue;
use crate::policy::matcher::{Case, ListMatch, ListTest, StringMatch, StringTest};

/// Why no text passes all `tests`; `None` if one may.
pub(super) fn never(tests: &[&StringTest], case: Case) -> Option<Never> {
    let on_its_own = tests.iter().find_map(|test| match test {
        StringTest::Is(value) if value.as_text().is_none() => Some(Never::Told),
        StringTest::In(set) if set.members().is_empty() => Some(Never::NoChoice),
        StringTest::Matches(pattern) if pattern.texts().is_empty() => Some(Never::NoChoice),
        StringTest::Is(_)
        | StringTest::Not(_)
        | StringTest::Contains(_)
        | StringTest::StartsWith(_)
        | StringTest::EndsWith(_)
        | StringTest::In(_)
        | StringTest::NotIn(_)
        | StringTest::Matches(_) => None,
    });
    let opposed = || match tests.iter().find_map(|test| choice(test)) {
        Some(all) => !all.iter().any(|one| tests.iter().all(|test| may_pass(one, test, case))),
        None => ends_differ(tests, case),
    };
    on_its_own.or_else(|| opposed().then_some(Never::Opposed))
}

/// Whether every text passes.
pub(super) fn always(text: &StringMatch) -> bool {
    text.tests.iter().all(|test| match test {
        StringTest::Not(value) => value.as_text().is_none(),
        StringTest::NotIn(set) => set.members().is_empty(),
        StringTest::Contains(part) | StringTest::StartsWith(part) | StringTest::EndsWith(part) => {
            part.is_empty()
        }
        StringTest::Is(_) | StringTest::In(_) | StringTest::Matches(_) => false,
    })
}

/// Whether every text passes `a` or `b`.
pub(super) fn cover(a: &StringMatch, b: &StringMatch) -> bool {
    let (Some(a_set), Some(b_set)) = (Choice::of(a), Choice::of(b)) else {
        return false;
    };
    let among = |text: &str, texts: &[&str]| texts.iter().any(|other| a.case.equal(text, other));
    match (a_set, b_set) {
        // What neither takes is what both leave out.
        (Choice::But(a), Choice::But(b)) => !a.iter().any(|text| among(text, &b)),
        (Choice::Only(only), Choice::But(but)) | (Choice::But(but), Choice::Only(only)) => {
            but.iter().all(|text| among(text, &only))
        }
        (Choice::Only(_), Choice::Only(_)) => false,
    }
}

/// The texts that pass, where they or the others can be listed.
enum Choice<'t> {
    Only(Vec<&'t str>),
    But(Vec<&'t str>),
}

impl<'t> Choice<'t> {
    fn of(text: &'t StringMatch) -> Option<Self> {
        match text.tests.as_slice() {
            [StringTest::Not(value)] => Some(Self::But(value.as_text().into_iter().collect())),
            [StringTest::NotIn(set)] => Some(Self::But(set.members())),
            [only] => choice(only).map(Self::Only),
            _ => None,
        }
    }
}

/// The only texts that can pass `test`; `None` if they cannot be listed.
fn choice(test: &StringTest) -> Option<Vec<&str>> {
    match test {
        StringTest::Is(value) => Some(value.as_text().into_iter().collect()),
        StringTest::In(set) => Some(set.members()),
        StringTest::Not(_)
        | StringTest::Contains(_)
        | StringTest::StartsWith(_)
        | StringTest::EndsWith(_)
        | StringTest::NotIn(_)
        | StringTest::Matches(_) => None,
    }
}

/// Whether `value`, or what is equal to it in this case, may pass.
fn may_pass(value: &str, test: &StringTest, case: Case) -> bool {
    // An expression can turn the folding of its letters off again.
    matches!((test, case), (StringTest::Matches(_), Case::Folded)) || test.holds(value, case)
}

/// Whether two tests ask for beginnings, or for ends, that no text has together.
fn ends_differ(tests: &[&StringTest], case: Case) -> bool {
    let (mut starts, mut ends) = (Vec::new(), Vec::new());
    for test in tests {
        if let StringTest::StartsWith(part) = test {
            starts.push(part.as_bytes());
        } else if let StringTest::EndsWith(part) = test {
            ends.push(part.as_bytes());
        }
    }
    let differ = |parts: &[&[u8]], within: &dyn Fn(&[u8], &[u8]) -> bool| {
        let mut pairs = parts.iter().flat_map(|a| parts.iter().map(move |b| (a, b)));
        pairs.any(|(a, b)| !within(a, b) && !within(b, a))
    };
    differ(&starts, &|text, part| case.starts(text, part))
        || differ(&ends, &|text, part| case.ends(text, part))
}

/// Why no list passes all `tests`; `None` if one may. `of_texts`: the list holds texts alone.
pub(super) fn never_list(tests: &[&ListTest], of_texts: bool) -> Option<Never> {
    let no_text = |value: &ClaimValue| of_texts && value.as_text().is_none();
    let on_its_own = tests.iter().find_map(|test| match test {
        ListTest::Has(ClaimValue::List(_)) | ListTest::Is(ClaimValue::List(_)) if of_texts => {
            Some(Never::Told)
        }
        ListTest::Has(value) | ListTest::Is(value) if no_text(value) => Some(Never::NotText),
        ListTest::Has(_) | ListTest::HasOneOf(_) | ListTest::Is(_) | ListTest::Exclude(_) => None,
    });
    let mut pairs = tests.iter().flat_map(|a| tests.iter().map(move |b| (*a, *b)));
    let opposed = pairs.any(|pair| match pair {
        (ListTest::Is(only), ListTest::Is(value) | ListTest::Has(value)) => only != value,
        (ListTest::Is(value) | ListTest::Has(value), ListTest::Exclude(other)) => value == other,
        (ListTest::Is(_) | ListTest::Has(_) | ListTest::HasOneOf(_) | ListTest::Exclude(_), _) => {
            false
        }
    });
    on_its_own.or_else(|| opposed.then_some(Never::Opposed))
}

/// The tests of several matches, as one conjunction.
pub(super) fn together<'t>(matches: &[&'t StringMatch]) -> Vec<&'t StringTest> {
    matches.iter().flat_map(|text| &text.tests).collect()
}

pub(super) fn lists_together<'t>(matches: &[&'t ListMatch]) -> Vec<&'t ListTest> {
    matches.iter().flat_map(|list| &list.0).collect()
}
