//! Deciding allocates nothing: not to evaluate a policy, not to find a route. A binary of its own,
//! because it counts allocations by being the allocator.
#![expect(unreachable_pub, dead_code, reason = "shared with the other tests; nothing is exported")]
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::pedantic,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and works with files"
)]

#[path = "it/support"]
mod support {
    pub mod askings;
    pub mod config;
    pub mod pki;
    pub mod policies;
    pub mod shown;
}

use allocation_counter::measure;
use lictor::identity::TokenError;
use lictor::policy::{Decision, DenyReason, Evaluation, Language, Mode, criterion_names, evaluate};
use lictor::request::{Host, Kind, Path, Target};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeSet;
use support::askings::{Asked, Who, asked, who};
use support::policies::{CriterionDraft, Draft, GroupDraft, RuleDraft, criterion, draft};

const SEED: u8 = 11;
const FOLDED: Language = Language { fold_email: true, ..Language::TEXT };

struct Draws(TestRunner);

impl Draws {
    fn seeded() -> Self {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[SEED; 32]);
        Self(TestRunner::new_with_rng(Config::default(), rng))
    }

    fn draw<S: Strategy>(&mut self, strategy: &S) -> S::Value {
        strategy.new_tree(&mut self.0).expect("a value").current()
    }
}

/// The allocations of a decision, and what was decided.
fn counted(drafts: &[Draft], language: Language, asked: &Asked, who: &Who) -> (u64, Evaluation) {
    let policies: Vec<_> = drafts.iter().map(|draft| draft.compiled(language)).collect();
    let held = asked.held();
    let (facts, caller) = (held.facts(who), who.caller());
    let mut evaluation = None;
    let info = measure(|| evaluation = Some(evaluate(policies.iter(), &facts, caller)));
    (info.count_total, evaluation.expect("a decision"))
}

/// A refusal that names something owns the name: the kind of device to register, or what is wrong with
/// a token where that is a text.
fn owned_by(reason: Option<&DenyReason>) -> u64 {
    let owns = matches!(
        reason,
        Some(
            DenyReason::DeviceUnauthenticated(_)
                | DenyReason::Unauthenticated(Some(
                    TokenError::InvalidIssuer(_) | TokenError::InvalidAudience(_)
                ))
        )
    );
    u64::from(owns)
}

fn expected(evaluation: &Evaluation) -> u64 {
    let decided = match &evaluation.decision {
        Decision::Allow(_) => None,
        Decision::Deny(denial) => Some(&denial.reason),
    };
    let rehearsed = evaluation.rehearsal.as_ref().and_then(|told| told.denied.as_ref());
    owned_by(decided) + owned_by(rehearsed)
}

/// A query without escapes is compared as it stands; what is escaped has to be copied to be read.
fn without_escapes(asked: Asked) -> Asked {
    let plain = |text: &str| !text.contains(['%', '+']);
    let query = asked.query.into_iter().filter(|(name, value)| plain(name) && plain(value));
    Asked { query: query.collect(), ..asked }
}

/// Every criterion alone under each operator, allowed and refused, by many requests.
#[test]
fn no_criterion_allocates() {
    let mut draws = Draws::seeded();
    let (mut asked_for, mut answers) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..4_000 {
        let (one, effect, operator) = draws.draw(&(
            criterion(),
            support::policies::effect(),
            prop::sample::select(support::policies::OPERATORS.to_vec()),
        ));
        let draft = Draft::one_group(effect, operator, vec![one.clone()]);
        let (asked, who) = draws.draw(&(asked().prop_map(without_escapes), who()));
        let language = if round % 2 == 0 { Language::TEXT } else { FOLDED };
        let (count, evaluation) = counted(&[draft], language, &asked, &who);
        let context = || format!("seed {SEED}, round {round}: {one:?} {asked:?} {who:?}");
        assert_eq!(count, expected(&evaluation), "{}", context());
        let name = one.name.split('/').next().unwrap_or_default().to_owned();
        answers.insert((name.clone(), matches!(evaluation.decision, Decision::Allow(_))));
        asked_for.insert(name);
    }
    let all: BTreeSet<String> = criterion_names().iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(asked_for, all);
    assert!(answers.len() > all.len() + 20, "most are met allowed and refused: {answers:?}");
}

/// Whole policies, one of them rehearsed, and groups so long that they are joined.
#[test]
fn no_policy_allocates() {
    let mut draws = Draws::seeded();
    let long = (vec(criterion(), 30..60), support::policies::effect());
    let mut answers = (0, 0);
    for round in 0..600 {
        let (first, rehearsed, (criteria, effect)) = draws.draw(&(draft(), draft(), &long));
        let groups = vec![GroupDraft { operator: lictor::policy::Operator::Or, criteria }];
        let mut drafts = vec![first, Draft::of(vec![RuleDraft { effect, groups }])];
        drafts.extend((round % 2 == 0).then_some(Draft { mode: Mode::DryRun, ..rehearsed }));
        for _ in 0..4 {
            let (asked, who) = draws.draw(&(asked().prop_map(without_escapes), who()));
            let (count, evaluation) = counted(&drafts, Language::TEXT, &asked, &who);
            assert_eq!(count, expected(&evaluation), "seed {SEED}, round {round}: {drafts:?}");
            match evaluation.decision {
                Decision::Allow(_) => answers.0 += 1,
                Decision::Deny(_) => answers.1 += 1,
            }
        }
    }
    assert!(answers.0 > 200 && answers.1 > 200, "{answers:?}");
}

/// The one exception: an escaped parameter is copied, and so is an escaped name that may be it.
#[test]
fn an_escaped_parameter_is_copied() {
    let mut draws = Draws::seeded();
    let wanted = CriterionDraft::new("http_query/q", support::policies::text("a"));
    let draft =
        Draft::one_group(lictor::policy::Effect::Allow, lictor::policy::Operator::Or, vec![wanted]);
    let (mut asked, who) = draws.draw(&(asked(), who()));
    let mut check = |query: &[(&'static str, &'static str)], most: u64| {
        asked.query = query.to_vec();
        let count = counted(std::slice::from_ref(&draft), Language::TEXT, &asked, &who).0;
        assert!(count <= most, "{query:?} costs {count}");
    };
    check(&[("q", "a"), ("x", "%61"), ("y", "a+b")], 0);
    check(&[("q", "%61")], 3);
    check(&[("%71", "a")], 3);
}

/// A decision of somebody who is known, from the credential to the assertion that was made before: what is
/// read from the record is copied. A machine is as cheap as a person, but for the claims it is described by.
#[test]
fn a_machine_allocates_as_little_as_a_session() {
    let shown = support::shown::Shown::new();
    let [by_session, by_machine] = [&shown.by_session, &shown.by_machine].map(|request| {
        assert!(shown.is_allowed(request), "and its assertion is kept");
        measure(|| assert!(shown.is_allowed(request))).count_total
    });
    assert!(by_machine <= by_session + 4, "{by_machine} against {by_session}");
    assert!(by_session < 100, "{by_session}");
}

#[test]
fn no_search_for_a_route_allocates() {
    let snapshot = support::config::snapshot_of(
        "routes:
- {from: 'https://a.test', prefix: /a}
- {from: 'https://a.test', path: /b}
- {from: 'https://a.test', path_separated_prefix: /c}
- {from: 'https://a.test', regex: '/[d-f]+(/.*)?'}
- {from: 'https://a.test:8443'}
- {from: 'https://*.b.test', prefix: /a}
- {from: 'https://x*.test', regex: '.*z'}
- {from: 'tcp+https://t.test:22'}
",
    );
    let table = snapshot.table();
    let mut found = BTreeSet::new();
    for host in ["a.test", "A.test:8443", "a.test:1", "x.b.test", "xy.test", "c.test", "t.test:22"]
    {
        for path in ["/", "/a", "/b", "/c/d", "/def/x", "/z", "/nothing%20here"] {
            for kind in [Kind::Http, Kind::Connect, Kind::Tcp] {
                let host = Host::parse(host).expect("a host");
                let target = Target { host, path: Path::parse(path).expect("a path") };
                let info = measure(|| {
                    let route = table.find(kind, &target);
                    let index = route.and_then(|route| {
                        table.routes().position(|other| std::ptr::eq(other, route))
                    });
                    // Not to be optimised away.
                    assert!(index.is_none_or(|index| index < 8));
                });
                assert_eq!(info.count_total, 0, "{target:?}");
                found.insert(table.find(kind, &target).map(|route| route.id.as_str().to_owned()));
            }
        }
    }
    assert_eq!(found.len(), 9, "each of them, and none: {found:?}");
}
