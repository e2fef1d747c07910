//! What holds for every policy, request and person: decisions mean what the language says, whatever
//! is joined or indexed, and whatever order things are written in.

use crate::support::askings::{Asked, Held, Who, asked, calls, headers, identity, query, who};
use crate::support::oracle::{self, Found, Mail};
use crate::support::policies::{
    CriterionDraft, Draft, EMAILS, GroupDraft, OPERATORS, RuleDraft, awkward, awkward_criteria,
    compiled, criterion, draft, effect, groups, object, repeatable, rule, text, text_match,
};
use lictor::document::{Place, load_yaml};
use lictor::identity::{Caller, ClaimValue, Claims, Identity};
use lictor::policy::{
    CriterionTrace, Decision, DenyReason, Effect, Evaluation, Explanation, GroupTrace, Language,
    LegacyFields, Mode, Names, Operator, Policy, Reasons, Verdict, claim_value, criterion_names,
    evaluate, explain,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::{BTreeMap, BTreeSet};

const FOLDED: Language = Language { fold_email: true, ..Language::TEXT };

fn mail(language: Language) -> Mail {
    if language.fold_email { Mail::Folded } else { Mail::Exact }
}

fn language() -> impl Strategy<Value = Language> {
    let names = select(&[Names::Exact, Names::AnyCase][..]);
    (names, any::<bool>()).prop_map(|(names, fold_email)| Language {
        names,
        fold_email,
        ..Language::TEXT
    })
}

/// Why it was refused; `None` if it was not.
fn refused(evaluation: &Evaluation) -> Option<&DenyReason> {
    match &evaluation.decision {
        Decision::Allow(_) => None,
        Decision::Deny(denial) => Some(&denial.reason),
    }
}

/// All that can be told of an evaluation.
fn told(evaluation: &Evaluation) -> (Verdict, Verdict, Result<Option<Identity>, DenyReason>) {
    let decision = match &evaluation.decision {
        Decision::Allow(grant) => Ok(grant.identity().cloned()),
        Decision::Deny(denial) => Err(denial.reason.clone()),
    };
    (evaluation.allow, evaluation.deny, decision)
}

fn decide(policies: &[Policy], held: &Held<'_>, who: &Who) -> Evaluation {
    evaluate(policies.iter(), &held.facts(who), who.caller())
}

fn decide_one(draft: &Draft, asked: &Asked, who: &Who) -> Evaluation {
    decide(&[draft.compiled(Language::TEXT)], &asked.held(), who)
}

/// A plain loop over drawn values; what fails names the seed and the round.
struct Draws(TestRunner);

impl Draws {
    fn seeded(seed: u8) -> Self {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
        Self(TestRunner::new_with_rng(Config::default(), rng))
    }

    fn draw<S: Strategy>(&mut self, strategy: &S) -> S::Value {
        strategy.new_tree(&mut self.0).expect("a value").current()
    }

    fn draws<S: Strategy>(&mut self, strategy: &S, count: usize) -> Vec<S::Value> {
        (0..count).map(|_| self.draw(strategy)).collect()
    }
}

/// What an explanation says of one effect, worked out again from its criteria.
fn retold(explanation: &Explanation, mode: Mode, effect: Effect) -> Found {
    let wanted = |group: &&GroupTrace| group.mode == mode && group.effect == effect;
    let groups: Vec<Found> = explanation.groups.iter().filter(wanted).map(retold_group).collect();
    oracle::joined(&groups, false)
}

fn retold_group(group: &GroupTrace) -> Found {
    let found = |holds, reason| Found { holds, reasons: Reasons::of(reason), device: None };
    let criteria = group.criteria.iter().map(|trace| found(trace.holds, trace.reason));
    let again = oracle::group(group.operator, criteria.collect());
    assert_eq!((again.holds, again.reasons), (group.verdict.holds, group.verdict.reasons));
    again
}

/// 100,000 triples: the explanation, the decision and the meaning of the draft agree.
#[test]
fn explaining_is_deciding_and_both_are_what_the_draft_means() {
    const SEED: u8 = 7;
    const POLICIES: usize = 4_000;
    const EACH: usize = 25;
    let mut draws = Draws::seeded(SEED);
    let (requests, people) = (draws.draws(&asked(), 1_500), draws.draws(&who(), 500));
    let drafts = (draft(), draft(), any::<u64>(), 0..6_u8);
    let (mut allowed, mut checked) = (0, 0);
    let mut seen = BTreeSet::new();
    for round in 0..POLICIES {
        let (first, second, mut place, kind) = draws.draw(&drafts);
        let language = if kind % 2 == 0 { Language::TEXT } else { FOLDED };
        // A third of them with a second policy, half of those to be rehearsed only.
        let mut drafts = vec![first];
        drafts.extend((kind < 2).then_some(second.clone()));
        drafts.extend((kind == 2).then_some(Draft { mode: Mode::DryRun, ..second }));
        let policies: Vec<Policy> = drafts.iter().map(|draft| draft.compiled(language)).collect();
        for _ in 0..EACH {
            place = place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            let pick = |count: usize, shift: u32| (place >> shift) as usize % count;
            let (asked, who) =
                (&requests[pick(requests.len(), 20)], &people[pick(people.len(), 40)]);
            let context =
                || format!("seed {SEED}, round {round}\n{policies:#?}\n{asked:?}\n{who:?}");
            let explanation = agreed(&drafts, &policies, asked, who, mail(language), &context);
            allowed += usize::from(refused(&explanation.0).is_none());
            seen.extend(explanation.1.groups.iter().flat_map(|group| &group.criteria).map(met));
            checked += 1;
        }
    }
    assert_eq!(checked, 100_000);
    assert!((10_000..90_000).contains(&allowed), "a lopsided world: {allowed} are allowed");
    // Every criterion was met, and was true and false.
    let met = |name: &str, holds| seen.contains(&(name.to_owned(), holds));
    let missing = criterion_names()
        .iter()
        .filter(|name| !(met(name, true) || **name == "reject"))
        .chain(criterion_names().iter().filter(|name| !(met(name, false) || **name == "accept")));
    assert_eq!(missing.count(), 0, "{seen:?}");
}

/// Which criterion it was, and whether it held.
fn met(trace: &CriterionTrace) -> (String, bool) {
    let name = trace.text.trim_start_matches(['{', '"']).split([':', '/', '"']).next();
    (name.unwrap_or_default().to_owned(), trace.holds)
}

fn agreed(
    drafts: &[Draft],
    policies: &[Policy],
    asked: &Asked,
    who: &Who,
    mail: Mail,
    context: &dyn Fn() -> String,
) -> (Evaluation, Explanation) {
    let held = asked.held();
    let facts = held.facts(who);
    let evaluation = evaluate(policies.iter(), &facts, who.caller());
    let (explained, explanation) = explain(policies.iter(), &facts, who.caller());
    assert_eq!(told(&evaluation), told(&explained), "{}", context());
    assert_eq!(evaluation.rehearsal, explained.rehearsal, "{}", context());

    let of = |mode| drafts.iter().filter(|draft| draft.mode == mode).collect::<Vec<_>>();
    let (enforced, rehearsed) = (of(Mode::Enforce), of(Mode::DryRun));
    let answer = oracle::answer(&enforced, asked, who, mail);
    assert_eq!(answer.verdicts(), (evaluation.allow, evaluation.deny), "{}", context());
    let refusal = oracle::refusal(&answer, asked, who);
    assert_eq!(refusal.as_ref(), refused(&evaluation), "{}", context());
    if let Decision::Allow(grant) = &evaluation.decision {
        let preflight = asked.cors_preflight
            && answer.allow.reasons.contains(lictor::policy::Reason::CorsRequest);
        assert_eq!(grant.identity(), who.identity().filter(|_| !preflight), "{}", context());
    }
    let all = [enforced, rehearsed.clone()].concat();
    let rehearsal = oracle::refusal(&oracle::answer(&all, asked, who, mail), asked, who);
    let rehearsal = (!rehearsed.is_empty()).then_some(rehearsal);
    assert_eq!(
        evaluation.rehearsal.as_ref().map(|told| told.denied.clone()),
        rehearsal,
        "{}",
        context()
    );

    for (effect, verdict) in [(Effect::Allow, evaluation.allow), (Effect::Deny, evaluation.deny)] {
        let retold = retold(&explanation, Mode::Enforce, effect);
        assert_eq!(
            (retold.holds, retold.reasons),
            (verdict.holds, verdict.reasons),
            "{}",
            context()
        );
    }
    let written = drafts.iter().flat_map(|draft| &draft.rules).flat_map(|rule| &rule.groups);
    let told = explanation.groups.iter().flat_map(|group| &group.criteria);
    assert_eq!(
        written.map(|group| group.criteria.len()).sum::<usize>(),
        told.map(|trace| trace.stands_for).sum::<usize>(),
        "{}",
        context()
    );
    (explained, explanation)
}

fn every_reading_of(asked: &Asked) -> Vec<Asked> {
    let names = |written: &str| if written == "%71" { "q".to_owned() } else { written.to_owned() };
    let mut readings = vec![asked.clone()];
    // Of each repeated thing, only one at a time.
    let query = |(name, _): &(&'static str, &'static str)| names(name);
    readings = one_of_each(readings, |asked| &mut asked.query, query);
    readings = one_of_each(readings, |asked| &mut asked.headers, |(name, _)| (*name).to_owned());
    one_of_each(readings, |asked| &mut asked.calls, |_| String::new())
}

/// Each of `askings` with one item of each name, in every combination.
fn one_of_each<T: Clone>(
    askings: Vec<Asked>,
    items: impl Fn(&mut Asked) -> &mut Vec<T>,
    name: impl Fn(&T) -> String,
) -> Vec<Asked> {
    let mut out = Vec::new();
    for mut asked in askings {
        let all = items(&mut asked).clone();
        let mut choices: Vec<Vec<T>> = vec![Vec::new()];
        let mut seen = BTreeMap::<String, Vec<T>>::new();
        for item in all {
            seen.entry(name(&item)).or_default().push(item);
        }
        for same in seen.into_values() {
            let with = |choice: &Vec<T>| {
                let choice = choice.clone();
                same.clone().into_iter().map(move |item| [choice.clone(), vec![item]].concat())
            };
            choices = choices.iter().flat_map(with).collect();
        }
        for choice in choices {
            let mut reading = asked.clone();
            *items(&mut reading) = choice;
            out.push(reading);
        }
    }
    out
}

/// Requests in which much is repeated.
fn repeating() -> impl Strategy<Value = Asked> {
    (asked(), query(), headers(), calls()).prop_map(|(asked, query, headers, calls)| Asked {
        query,
        headers,
        calls,
        ..asked
    })
}

/// Criteria of which half depend on what may be repeated.
fn doubtful() -> BoxedStrategy<CriterionDraft> {
    let repeated = proptest::strategy::Union::new_weighted(repeatable());
    prop_oneof![2 => repeated, 1 => criterion()].boxed()
}

fn doubtful_rule(effect: impl Strategy<Value = Effect>) -> impl Strategy<Value = RuleDraft> {
    (effect, groups(doubtful())).prop_map(|(effect, groups)| RuleDraft { effect, groups })
}

fn same_kind() -> impl Strategy<Value = Vec<CriterionDraft>> {
    use crate::support::policies as words;
    let of = |name: &'static str, texts: &'static [&'static str]| {
        let wanted = vec((select(texts), any::<bool>()), 1..=20);
        wanted
            .prop_map(move |wanted| {
                let operator = if ["groups", "claim/team"].contains(&name) { "has" } else { "is" };
                let data = |(word, bare)| match bare {
                    true => words::text(word),
                    false => words::object([(operator, words::text(word))]),
                };
                wanted
                    .into_iter()
                    .map(|one| CriterionDraft::new(name, data(one)))
                    .collect::<Vec<_>>()
            })
            .boxed()
    };
    let kinds = vec![
        of("user", words::USERS),
        of("email", words::EMAILS),
        of("domain", words::DOMAINS),
        of("groups", words::GROUPS),
        of("claim/team", words::WORDS),
        of("claim/a.b", words::WORDS),
        of("http_method", words::METHODS),
        of("http_path", words::PATHS),
    ];
    let chosen = prop::sample::subsequence(kinds, 1..=3).prop_flat_map(|kinds| kinds);
    (chosen, vec(criterion(), 0..3))
        .prop_map(|(same, others)| [same.concat(), others].concat())
        .prop_shuffle()
}

proptest! {
    #![proptest_config(Config { cases: 600, ..Config::default() })]

    /// No order says anything: of rules, of groups, of criteria.
    #[test]
    fn order_says_nothing(
        (draft, shuffled) in draft().prop_flat_map(|draft| (Just(draft.clone()), shuffled(draft))),
        requests in vec((asked(), who()), 8),
    ) {
        for (asked, who) in &requests {
            let (one, other) = (decide_one(&draft, asked, who), decide_one(&shuffled, asked, who));
            prop_assert_eq!(told(&one), told(&other), "{:?} {:?}", asked, who);
        }
    }

    /// A further deny rule lets nobody in, and makes nothing that was denied hold less.
    #[test]
    fn a_deny_rule_never_allows(
        draft in draft(),
        added in rule(Just(Effect::Deny)),
        requests in vec((asked(), who()), 8),
    ) {
        let mut more = draft.clone();
        more.rules.push(added);
        for (asked, who) in &requests {
            let (before, after) = (decide_one(&draft, asked, who), decide_one(&more, asked, who));
            prop_assert!(refused(&before).is_none() || refused(&after).is_some(), "{:?} {:?}", asked, who);
            prop_assert_eq!(before.allow, after.allow);
            prop_assert!(!before.deny.holds || after.deny.holds);
        }
    }

    /// Without one of its allow rules a policy lets in nobody whom it did not: at most, somebody who was
    /// asked to sign in (or to register a device) by the rule that went need not do so any more. Then
    /// the whole policy said yes to them before, as they are.
    #[test]
    fn without_an_allow_rule_nobody_more_is_let_in(
        draft in draft(),
        added in rule(Just(Effect::Allow)),
        requests in vec((asked(), who()), 8),
    ) {
        let mut more = draft.clone();
        more.rules.push(added);
        for (asked, who) in &requests {
            let (before, after) = (decide_one(&more, asked, who), decide_one(&draft, asked, who));
            prop_assert_eq!(before.deny, after.deny);
            prop_assert!(before.allow.holds || !after.allow.holds);
            if refused(&after).is_none() {
                prop_assert!(before.allow.holds && !before.deny.holds);
                let asked_for_more = matches!(
                    refused(&before),
                    None
                        | Some(DenyReason::Unauthenticated(_)
                            | DenyReason::ImpersonationNotPermitted
                            | DenyReason::DeviceUnauthenticated(_))
                );
                prop_assert!(asked_for_more, "{:?} {:?} {:?}", asked, who, before);
            }
        }
    }

    /// Many criteria of a kind, which are joined to be looked up, say what they say one by one.
    #[test]
    fn joined_criteria_say_what_each_says(
        criteria in same_kind(),
        operator in select(&[Operator::Or, Operator::Not, Operator::And, Operator::Nor][..]),
        effect in effect(),
        language in language(),
        requests in vec((asked(), who()), 8),
    ) {
        let together = Draft::one_group(effect, operator, criteria.clone()).compiled(language);
        let apart = criteria.iter().map(|one| Draft::one_group(effect, operator, vec![one.clone()]));
        let apart: Vec<Policy> = apart.map(|draft| draft.compiled(language)).collect();
        for (asked, who) in &requests {
            let held = asked.held();
            let verdict = |policies: &[Policy]| {
                let evaluation = decide(policies, &held, who);
                if effect == Effect::Allow { evaluation.allow } else { evaluation.deny }
            };
            let found = |policy: &Policy| {
                let told = verdict(std::slice::from_ref(policy));
                Found { holds: told.holds, reasons: told.reasons, device: None }
            };
            let each: Vec<Found> = apart.iter().map(found).collect();
            let all = matches!(operator, Operator::And | Operator::Not);
            let expected = oracle::joined(&each, all);
            let told = verdict(std::slice::from_ref(&together));
            prop_assert_eq!((told.holds, told.reasons), (expected.holds, expected.reasons), "{:?} {:?}", asked, who);
            // Under `or` also as rules of their own.
            if operator == Operator::Or {
                prop_assert_eq!(verdict(&apart), told);
            }
            let told = explain([&together].into_iter(), &held.facts(who), who.caller()).1;
            let counted: usize = told.groups[0].criteria.iter().map(|trace| trace.stands_for).sum();
            prop_assert_eq!(counted, criteria.len());
        }
    }

    /// Whatever is repeated in a request: what holds for an allow holds in every single reading of the
    /// request, and a deny that holds in one reading holds. So nobody is let in whom one reading of the
    /// request keeps out. Of every policy.
    #[test]
    fn a_repeated_value_opens_nothing(
        rules in vec(doubtful_rule(effect()), 1..4),
        requests in vec((repeating(), who()), 8),
    ) {
        let policy = [Draft::of(rules).compiled(Language::TEXT)];
        for (asked, who) in &requests {
            let whole = decide(&policy, &asked.held(), who);
            for reading in every_reading_of(asked) {
                let single = decide(&policy, &reading.held(), who);
                prop_assert!(!whole.allow.holds || single.allow.holds, "{:?} {:?}", asked, reading);
                prop_assert!(whole.deny.holds || !single.deny.holds, "{:?} {:?}", asked, reading);
            }
        }
    }

    /// With one allow group, the same of the decision: what is allowed is allowed in every reading.
    #[test]
    fn a_repeated_value_opens_nothing_of_one_group(
        operator in select(&[Operator::And, Operator::Or, Operator::Not, Operator::Nor][..]),
        criteria in vec(doubtful(), 1..5),
        denied in vec(doubtful_rule(Just(Effect::Deny)), 0..2),
        requests in vec((repeating(), who()), 8),
    ) {
        let mut draft = Draft::one_group(Effect::Allow, operator, criteria);
        draft.rules.extend(denied);
        let policy = [draft.compiled(Language::TEXT)];
        for (asked, who) in &requests {
            if refused(&decide(&policy, &asked.held(), who)).is_none() {
                for reading in every_reading_of(asked) {
                    let single = decide(&policy, &reading.held(), who);
                    prop_assert!(refused(&single).is_none(), "{:?} {:?}", reading, single);
                }
            }
        }
    }

    /// Headers that Envoy joined by commas open nothing that the single lines do not open.
    #[test]
    fn joined_headers_open_nothing(
        rules in vec(doubtful_rule(effect()), 1..4),
        requests in vec((repeating(), who()), 8),
    ) {
        let policy = [Draft::of(rules).compiled(Language::TEXT)];
        for (asked, who) in &requests {
            // Bytes that are no text do not come joined.
            let text = asked.headers.iter().all(|(_, value)| std::str::from_utf8(value).is_ok());
            if text {
                let lines = decide(&policy, &asked.held(), who);
                let joined = decide(&policy, &asked.held().joined(), who);
                prop_assert!(!joined.allow.holds || lines.allow.holds, "{:?}", asked);
                prop_assert!(joined.deny.holds || !lines.deny.holds, "{:?}", asked);
            }
        }
    }
}

/// With several allow groups a reading may ask for a sign-in that the whole request is spared: a group
/// that holds for strangers (`not` of an address) falls away, and with it what it asks. Nobody is let
/// in whom the policy refuses: it said yes in both.
#[test]
fn a_sign_in_may_fall_away_with_a_repeated_value() {
    let one = |operator, criteria| GroupDraft { operator, criteria };
    let strangers = vec![
        CriterionDraft::new("email", text("bob@b.test")),
        CriterionDraft::new("http_query/q", text("a")),
    ];
    let everybody = vec![CriterionDraft::new("accept", ClaimValue::Null)];
    let groups = vec![one(Operator::Or, everybody), one(Operator::Not, strangers)];
    let draft = Draft::of(vec![RuleDraft { effect: Effect::Allow, groups }]);
    let mut draws = Draws::seeded(1);
    let mut asked = draws.draw(&asked());
    let nobody = Who(Caller::Anonymous(None));
    asked.query = vec![("q", "a"), ("q", "b")];
    let whole = decide_one(&draft, &asked, &nobody);
    asked.query.remove(0);
    let single = decide_one(&draft, &asked, &nobody);
    assert!(refused(&whole).is_none());
    assert_eq!(refused(&single), Some(&DenyReason::Unauthenticated(None)));
    assert!(single.allow.holds && !single.deny.holds);
}

/// A policy, what it prints, and what that compiles to.
fn printed(policy: &Policy, language: Language) -> (String, Policy) {
    let text = policy.to_string();
    let document = load_yaml(&text, "printed").unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    (text, compiled(&document, language))
}

fn legacy() -> impl Strategy<Value = LegacyFields> {
    use crate::support::policies::{DOMAINS, EMAILS, awkward_text};
    let texts = |known: &'static [&'static str]| {
        let text = prop_oneof![select(known).prop_map(str::to_owned), awkward_text()];
        proptest::option::of(vec(text, 0..12))
    };
    let name = prop_oneof![select(&["team", "a.b"][..]).prop_map(str::to_owned), awkward_text()];
    let claims = proptest::collection::btree_map(name, awkward(), 0..4);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (flags, texts(DOMAINS), texts(EMAILS), claims).prop_map(|(flags, domains, users, claims)| {
        LegacyFields {
            allow_public_unauthenticated_access: flags.0,
            cors_allow_preflight: flags.1,
            allow_any_authenticated_user: flags.2,
            allowed_domains: domains,
            allowed_users: users,
            allowed_idp_claims: Claims::flatten(claims),
        }
    })
}

proptest! {
    #![proptest_config(Config { cases: 400, ..Config::default() })]

    /// What a policy prints is the policy: it prints the same again, and decides the same.
    #[test]
    fn what_is_printed_is_the_policy(
        rules in vec((effect(), select(OPERATORS.to_vec()), awkward_criteria()), 0..4),
        mode in select(&[Mode::Enforce, Mode::DryRun][..]),
        language in language(),
        requests in vec((asked(), who()), 8),
    ) {
        let rules = rules.into_iter().map(|(effect, operator, criteria)| RuleDraft {
            effect,
            groups: vec![GroupDraft { operator, criteria }],
        });
        let draft = Draft { mode, rules: rules.collect() };
        let policy = draft.compiled(language);
        let (text, again) = printed(&policy, language);
        prop_assert_eq!(&again.to_string(), &text);
        prop_assert_eq!((again.mode, again.is_empty()), (policy.mode, policy.is_empty()));
        for (asked, who) in &requests {
            let held = asked.held();
            let (policy, again) = (std::slice::from_ref(&policy), std::slice::from_ref(&again));
            let (one, other) = (decide(policy, &held, who), decide(again, &held, who));
            prop_assert_eq!(told(&one), told(&other), "{}", text);
            prop_assert_eq!(one.rehearsal, other.rehearsal, "{}", text);
        }
    }

    /// The same of policies that often hit.
    #[test]
    fn what_is_printed_decides_the_same(
        draft in draft(),
        language in language(),
        requests in vec((asked(), who()), 8),
    ) {
        let policy = draft.compiled(language);
        let (text, again) = printed(&policy, language);
        prop_assert_eq!(&again.to_string(), &text);
        for (asked, who) in &requests {
            let held = asked.held();
            let (policy, again) = (std::slice::from_ref(&policy), std::slice::from_ref(&again));
            let (one, other) = (decide(policy, &held, who), decide(again, &held, who));
            prop_assert_eq!(told(&one), told(&other), "{}", text);
        }
    }

    /// The fields from before there was a language print as what they are.
    #[test]
    fn legacy_fields_are_what_they_print(
        fields in legacy(),
        language in language(),
        requests in vec((asked(), who()), 8),
    ) {
        let policy = fields.into_policy(language, |_, _| Place::whole("a route"));
        let (text, again) = printed(&policy, language);
        // Quotes around keys may differ.
        let meant = |text: &str| claim_value(&load_yaml(text, "printed").expect("YAML"));
        prop_assert_eq!(meant(&again.to_string()), meant(&text));
        for (asked, who) in &requests {
            let held = asked.held();
            let (policy, again) = (std::slice::from_ref(&policy), std::slice::from_ref(&again));
            let (one, other) = (decide(policy, &held, who), decide(again, &held, who));
            prop_assert_eq!(told(&one), told(&other), "{}", text);
        }
    }

    /// Folding the case of addresses is writing both sides in lower case, ASCII letters only.
    #[test]
    fn folding_is_comparing_in_lower_case(
        name in select(&["email", "domain"][..]),
        data in prop_oneof![
            2 => text_match(FOLDABLE),
            2 => text_match(EMAILS),
            1 => select(FOLDABLE_PATTERNS).prop_map(|one| object([("matches", text(one))])),
            1 => vec(select(FOLDABLE_PATTERNS), 0..3).prop_map(|several| {
                let several = several.into_iter().map(text).collect();
                object([("matches", ClaimValue::List(several))])
            }),
        ],
        local in select(FOLDABLE),
        domain in select(FOLDABLE),
        asked in asked(),
    ) {
        let policy = |data: ClaimValue, language| {
            let criteria = vec![CriterionDraft::new(name, data)];
            [Draft::one_group(Effect::Allow, Operator::Or, criteria).compiled(language)]
        };
        let email = format!("{local}@{domain}");
        let holds = |policy: &[Policy], email: &str| {
            let mut identity = Draws::seeded(2).draw(&identity()).as_ref().clone();
            email.clone_into(&mut identity.subject.email);
            let who = Who(Caller::Identified(identity.into()));
            decide(policy, &asked.held(), &who).allow.holds
        };
        let folded = holds(&policy(data.clone(), FOLDED), &email);
        let by_hand = holds(&policy(lowered(&data), Language::TEXT), &email.to_ascii_lowercase());
        prop_assert_eq!(folded, by_hand, "{:?} {}", data, email);
    }
}

/// Letters with a counterpart in the other case, in ASCII or not; K and ſ fold to ASCII elsewhere.
const FOLDABLE: &[&str] = &[
    "k", "K", "\u{212a}", "s", "S", "\u{17f}", "é", "É", "ß", "ſs", "ıi", "İ", "I", "[", "{", "@",
    "`",
];

const FOLDABLE_PATTERNS: &[&str] = &[
    "k@.*",
    "K@.*",
    "[a-l]@.*",
    "[A-S]@.*",
    "[^K]@.*",
    "[^@]+@S",
    "[^s]*",
    "é@.*",
    "É|é@.*",
    "(k|ſ).*",
    "K|k@k",
    r"\w+@\w+",
    "s{1,2}@.*",
    "[s-u]?@[k]",
    "[[:alpha:]]@.*",
    "(?:K@S)?",
    "[KS]+@.",
    r"\x4b@.*",
    ".@.",
];

fn lowered(data: &ClaimValue) -> ClaimValue {
    match data {
        // The letter that this escape stands for, too.
        ClaimValue::Text(text) => ClaimValue::Text(text.to_ascii_lowercase().replace(r"\x4b", "k")),
        ClaimValue::List(items) => ClaimValue::List(items.iter().map(lowered).collect()),
        ClaimValue::Map(members) => ClaimValue::Map(
            members.iter().map(|(name, data)| (name.clone(), lowered(data))).collect(),
        ),
        other @ (ClaimValue::Null | ClaimValue::Bool(_) | ClaimValue::Number(_)) => other.clone(),
    }
}

/// The same rules in another order, with groups and criteria in another order.
fn shuffled(draft: Draft) -> impl Strategy<Value = Draft> {
    let group = |group: GroupDraft| {
        let operator = group.operator;
        Just(group.criteria)
            .prop_shuffle()
            .prop_map(move |criteria| GroupDraft { operator, criteria })
            .boxed()
    };
    let rule = move |rule: RuleDraft| {
        let effect = rule.effect;
        let groups: Vec<_> = rule.groups.into_iter().map(group).collect();
        groups.prop_shuffle().prop_map(move |groups| RuleDraft { effect, groups }).boxed()
    };
    let rules: Vec<_> = draft.rules.into_iter().map(rule).collect();
    rules.prop_shuffle().prop_map(Draft::of)
}

/// What a client sends twice, and Envoy joins, is still what it is; and commas without end cost nothing.
#[test]
fn a_denied_header_is_denied_among_others() {
    let admin = |name: &str| object([(name, text("admin"))]);
    let one = |effect, name| {
        let criterion = CriterionDraft::new("http_header/x-a", admin(name));
        [Draft::one_group(effect, Operator::Or, vec![criterion]).compiled(Language::TEXT)]
    };
    let mut asked = Draws::seeded(1).draw(&asked());
    let nobody = Who(Caller::Anonymous(None));
    let many = "x,".repeat(5_000) + "admin";
    for sent in [vec!["admin", "x"], vec!["x", "admin"], vec!["x", "admin", "y,z"], vec![&many]] {
        asked.headers = sent.iter().map(|value| ("x-a", value.as_bytes().to_vec())).collect();
        let held = asked.held().joined();
        assert!(decide(&one(Effect::Deny, "is"), &held, &nobody).deny.holds, "{sent:?}");
        assert!(!decide(&one(Effect::Allow, "not"), &held, &nobody).allow.holds, "{sent:?}");
    }
    asked.headers = vec![("x-a", b"admin".to_vec())];
    assert!(decide(&one(Effect::Allow, "is"), &asked.held().joined(), &nobody).allow.holds);
}
