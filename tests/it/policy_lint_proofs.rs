//! What advice calls certain is certain: whatever the policy, no request that the evaluator is asked
//! about shows otherwise.

use lictor::advice::Advice;
use lictor::document::{Notice, Problems, load_yaml};
use lictor::identity::{
    Caller, ClaimValue, Claims, Device, Directory, Enrolment, Identity, Person, Session, Source,
};
use lictor::policy::{
    Decision, Evaluation, Facts, KnownNames, Language, McpCall, Policy, SshFacts, advise, compile,
    evaluate,
};
use lictor::record::{DataSources, Record};
use lictor::request::{Headers, Kind, Request};
use lictor::time::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One request and who sends it, with everything a criterion may look at.
#[derive(Clone, Debug)]
struct World {
    request: Request,
    path: &'static str,
    identity: Option<Arc<Identity>>,
    principal: Option<&'static str>,
    calls: Vec<McpCall>,
    records: DataSourcesOf,
    ssh: Option<SshFacts>,
    now: i64,
}

/// The fields of the one record, if there is one.
type DataSourcesOf = Option<BTreeMap<String, ClaimValue>>;

impl World {
    fn ask(&self, policy: &Policy) -> Evaluation {
        let records = self.records.iter().map(|it| ("t".to_owned(), Record::new(it.clone())));
        let records = DataSources::fixed(records.collect());
        let now = Timestamp::from_unix(self.now);
        let facts = Facts {
            path: self.path,
            sni: &self.request.sni,
            principal: self.principal,
            mcp: &self.calls,
            records: Some(&records),
            ssh: self.ssh.as_ref(),
            ..Facts::new(&self.request, self.identity.as_deref(), now)
        };
        let caller = self.identity.clone().map_or(Caller::Anonymous(None), Caller::Identified);
        evaluate([policy].into_iter(), &facts, caller)
    }

    /// Whether the allow and the deny rules hold.
    fn verdicts(&self, policy: &Policy) -> (bool, bool) {
        let evaluation = self.ask(policy);
        (evaluation.allow.holds, evaluation.deny.holds)
    }

    /// Whether the rules of a policy of one effect hold.
    fn holds(&self, policy: &Policy) -> bool {
        let (allow, deny) = self.verdicts(policy);
        allow || deny
    }

    /// Whether the request is let through.
    fn passes(&self, policy: &Policy) -> bool {
        matches!(self.ask(policy).decision, Decision::Allow(_))
    }
}

const USERS: &[&str] = &["", "a", "b"];
const EMAILS: &[&str] = &["", "a", "a@a.test", "b@b.test", "b@a.test"];
const PATHS: &[&str] = &["", "/", "/a", "/ab", "/a/b"];
const METHODS: &[&str] = &["GET", "POST", "OPTIONS"];
const WORDS: &[&str] = &["", "a", "b", "ab"];

fn person() -> impl Strategy<Value = Person> {
    let groups = prop::option::of(subsequence(vec!["a", "b", "c"], 0..=3));
    let claims = prop::option::of(subsequence(vec!["a", "b", "c"], 0..=3));
    (select(USERS), select(EMAILS), groups, claims).prop_map(|(user, email, groups, claims)| {
        let text = |text: &str| ClaimValue::Text(text.to_owned());
        let list = |claims: Vec<&str>| ClaimValue::List(claims.into_iter().map(text).collect());
        let claims = claims.map(|claims| ("x".to_owned(), list(claims)));
        Person {
            subject: user.to_owned(),
            user: user.to_owned(),
            email: email.to_owned(),
            groups: groups.map(|groups| groups.into_iter().map(str::to_owned).collect()),
            claims: Claims::new(claims.into_iter().collect()),
            ..Person::default()
        }
    })
}

fn identity() -> impl Strategy<Value = Arc<Identity>> {
    let enrolments = &[None, Some(Enrolment::Waiting), Some(Enrolment::Approved)][..];
    let device = (select(&["a", "b"][..]), select(&["any", "k"][..]), select(enrolments));
    let device = device.prop_map(|(id, kind, enrolment)| Device {
        id: id.to_owned(),
        kind: kind.to_owned(),
        enrolment,
    });
    let parts = (person(), prop::option::of(person()), any::<bool>(), vec(device, 0..3));
    parts.prop_map(|(subject, actor, is_service, devices)| {
        let session = Session {
            id: String::new(),
            source: Source::Cookie,
            is_service,
            usable_until: Timestamp::from_unix(i64::MAX),
            devices: devices.into(),
        };
        Arc::new(Identity { subject, actor, session })
    })
}

fn request() -> impl Strategy<Value = Request> {
    let lines = vec(select(WORDS), 0..3);
    let query = prop::option::of(select(&["q=a", "q=b", "q=a&q=b", "q=", "r=a"][..]));
    let address = prop::option::of(select(&["10.0.0.1", "10.1.0.1", "192.0.2.1", "::1"][..]));
    let parts = (select(METHODS), lines, query, address, select(WORDS), any::<bool>());
    parts.prop_map(|(method, lines, query, address, sni, cors)| {
        let line = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let mut headers: Vec<_> = lines.into_iter().map(|value| line("x", value)).collect();
        if cors {
            headers.push(line("origin", "https://a.test"));
            headers.push(line("access-control-request-method", "GET"));
        }
        Request {
            kind: Kind::Http,
            method: method.to_owned(),
            query: query.map(str::to_owned),
            headers: Headers::from_lines(headers),
            source_ip: address.map(|address| address.parse().expect("an address")),
            sni: sni.to_owned(),
            ..Request::unknown()
        }
    })
}

fn world() -> impl Strategy<Value = World> {
    let call = (select(&["tools/call", "initialize"][..]), select(WORDS));
    let call = call.prop_map(|(method, tool)| McpCall {
        method: method.to_owned(),
        tool: tool.to_owned(),
        id: "1".to_owned(),
    });
    let value = prop_oneof![
        select(WORDS).prop_map(|text| ClaimValue::Text(text.to_owned())),
        (-1_i128..4).prop_map(|n| ClaimValue::Number(lictor::document::Number::Integer(n))),
        Just(ClaimValue::List(vec![ClaimValue::Text("a".to_owned())])),
    ];
    let record = prop::option::of(prop::collection::btree_map("[f]", value, 0..2));
    let ssh = prop::option::of(select(WORDS));
    let principals = select(&["", "a", "spiffe://a", "spiffe://b"][..]);
    let parts = (
        request(),
        select(PATHS),
        prop::option::weighted(0.8, identity()),
        prop::option::of(principals),
        vec(call, 0..3),
        record,
        ssh,
        0_i64..1_000_000,
    );
    parts.prop_map(|(request, path, identity, principal, calls, records, ssh, now)| World {
        ssh: ssh.map(|username| SshFacts { username: username.to_owned(), key: None }),
        request,
        path,
        identity,
        principal,
        calls,
        records,
        now,
    })
}

fn texts(values: &'static [&'static str]) -> impl Strategy<Value = String> {
    let quoted = |text: &str| format!("'{text}'");
    let one = (
        select(&["is", "not", "contains", "starts_with", "ends_with", "matches"][..]),
        select(values),
    )
        .prop_map(move |(operator, value)| format!("{operator}: {}", quoted(value)));
    let list = (select(&["in", "not_in"][..]), subsequence(values.to_vec(), 0..=2)).prop_map(
        move |(operator, values)| {
            let values: Vec<_> = values.into_iter().map(quoted).collect();
            format!("{operator}: [{}]", values.join(", "))
        },
    );
    let everything = Just("matches: '.*'".to_owned());
    vec(prop_oneof![6 => one, 3 => list, 1 => everything], 0..3).prop_map(|tests| {
        let mut named = BTreeMap::new();
        for test in tests {
            let (name, value) = test.split_once(": ").expect("an operator");
            named.insert(name.to_owned(), value.to_owned());
        }
        let tests: Vec<_> = named.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        format!("{{{}}}", tests.join(", "))
    })
}

fn lists() -> impl Strategy<Value = String> {
    let operators = select(&["has", "is", "exclude"][..]);
    let tests = prop::collection::btree_map(operators, select(&["a", "b", "7", "[a]"][..]), 0..3);
    tests.prop_map(|tests| {
        let tests: Vec<_> = tests.iter().map(|(name, it)| format!("{name}: {it}")).collect();
        format!("{{{}}}", tests.join(", "))
    })
}

fn named(name: &'static str, data: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    data.prop_map(move |data| format!("{name}: {data}"))
}

fn spans(
    name: &'static str,
    values: &'static [&'static str],
    rest: &'static str,
) -> impl Strategy<Value = String> {
    let bound = || prop::option::of(select(values));
    (bound(), bound()).prop_map(move |(after, before)| {
        let bound = |name: &str, at: Option<&str>| at.map(|at| format!("{name}: '{at}'"));
        let rest = Some(rest.to_owned()).filter(|rest| !rest.is_empty());
        let parts = [bound("after", after), bound("before", before), rest];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        format!("{name}: {{{}}}", parts.join(", "))
    })
}

fn record() -> impl Strategy<Value = String> {
    let tests = &[
        "is: a",
        "is: 1",
        "not: a",
        "in: [a, b]",
        "in: []",
        "not_in: [a]",
        "has: a",
        "<: 2",
        "'>': 1",
        "<=: 1",
        "'>=': 3",
        "=: 1",
        "starts_with: b",
        "exists: true",
        "exists: false",
    ];
    subsequence(tests.to_vec(), 1..=3).prop_map(|tests| {
        let mut seen = std::collections::BTreeSet::new();
        let tests = tests.into_iter().filter(|it| seen.insert(it.split(": ").next()));
        format!("record: {{type: t, field: f, {}}}", tests.collect::<Vec<_>>().join(", "))
    })
}

const PLAIN: &[&str] = &[
    "accept: true",
    "reject: true",
    "authenticated_user: true",
    "cors_preflight: true",
    "impersonated: true",
    "impersonated: false",
    "service_account: true",
    "service_account: false",
    "source_ip: []",
    "source_ip: 10.0.0.0/8",
    "source_ip: [10.1.0.0/16, '::1']",
    "source_ip: 192.0.2.0/24",
    "day_of_week: mon-sat",
    "day_of_week: sun",
    "day_of_week: '*'",
    "device: {is: a}",
    "device: {is: b}",
    "device: {type: k, approved: true}",
    "device: {approved: false}",
    "device: {approved: true}",
    "record: {type: t, exists: true}",
    "record: {type: t, exists: false}",
    "ssh_username_matches_email: true",
    "ssh_username_matches_claim: x",
    "ssh_publickey: []",
    "client_certificate: {fingerprint: []}",
    "email: 7",
    "email: [a]",
];

fn plain() -> BoxedStrategy<String> {
    select(PLAIN).prop_map(str::to_owned).boxed()
}

/// Criteria that ask for values, one kind each.
fn kinds() -> Vec<BoxedStrategy<String>> {
    let domains = &["a.test", "b.test", "@a.test", ""][..];
    vec![
        named("user", texts(USERS)).boxed(),
        named("email", texts(EMAILS)).boxed(),
        named("domain", texts(domains)).boxed(),
        named("groups", lists()).boxed(),
        named("claim/x", lists()).boxed(),
        named("http_method", texts(METHODS)).boxed(),
        named("http_path", texts(PATHS)).boxed(),
        named("http_header/x", texts(WORDS)).boxed(),
        named("http_query/q", texts(WORDS)).boxed(),
        named("mcp_tool", texts(WORDS)).boxed(),
        named("sni", texts(WORDS)).boxed(),
        named("source_principal", texts(&["a", "spiffe://a"])).boxed(),
        named("spiffe_id", texts(&["spiffe://a", "spiffe://b"])).boxed(),
        named("ssh_username", texts(WORDS)).boxed(),
        spans("date", &["1970-01-03", "1970-01-06", "1970-01-09"], "").boxed(),
        spans("time_of_day", &["06:00", "12:00", "18:00"], "timezone: UTC").boxed(),
        spans("time_of_day", &["06:00", "12:00"], "timezone: Asia/Tokyo").boxed(),
        record().boxed(),
    ]
}

fn criterion() -> impl Strategy<Value = String> {
    let kinds = kinds().into_iter().map(|kind| (3, kind));
    proptest::strategy::Union::new_weighted(kinds.chain([(8, plain())]).collect())
}

/// One operator, mostly one that negates.
fn choice(
    name: &'static str,
    values: &'static [&'static str],
) -> impl Strategy<Value = String> + Clone {
    let operators = select(&["not", "not_in", "not", "in"][..]);
    (operators, select(values)).prop_map(move |(operator, value)| match operator {
        "not" => format!("{name}: {{not: '{value}'}}"),
        list => format!("{name}: {{{list}: ['{value}', c]}}"),
    })
}

/// Two criteria of one kind, or of two that know of each other.
fn alike() -> impl Strategy<Value = Vec<String>> {
    fn two(
        a: impl Strategy<Value = String> + 'static,
        b: impl Strategy<Value = String> + 'static,
    ) -> BoxedStrategy<Vec<String>> {
        (a, b).prop_map(|(a, b)| vec![a, b]).boxed()
    }
    let same = kinds().into_iter().map(|kind| two(kind.clone(), kind));
    let choices = [
        choice("user", USERS),
        choice("email", EMAILS),
        choice("domain", &["a.test", "b.test"]),
        choice("http_method", METHODS),
        choice("http_header/x", WORDS),
        choice("http_query/q", WORDS),
        choice("mcp_tool", WORDS),
        choice("sni", WORDS),
        choice("spiffe_id", &["spiffe://a", "spiffe://b"]),
        choice("ssh_username", WORDS),
    ];
    let choices = choices.into_iter().map(|kind| two(kind.clone(), kind));
    let related = [
        two(named("email", texts(EMAILS)), named("domain", texts(&["a.test", "b.test"]))),
        two(Just("cors_preflight: true".to_owned()), named("http_method", texts(METHODS))),
        two(choice("spiffe_id", &["a", "spiffe://a"]), choice("source_principal", &["spiffe://a"])),
        two(
            spans("time_of_day", &["06:00", "18:00"], "timezone: UTC"),
            spans("time_of_day", &["06:00", "18:00"], "timezone: Asia/Tokyo"),
        ),
        two(plain(), plain()),
        two(plain(), record()),
    ];
    proptest::strategy::Union::new(same.chain(choices).chain(related))
}

/// A group, one criterion a line.
#[derive(Clone, Debug)]
struct Group {
    effect: &'static str,
    operator: &'static str,
    criteria: Vec<String>,
}

fn group(effects: &'static [&'static str]) -> impl Strategy<Value = Group> {
    let operators = &["and", "or", "not", "nor"][..];
    (select(effects), select(operators), vec(criterion(), 1..4))
        .prop_map(|(effect, operator, criteria)| Group { effect, operator, criteria })
}

/// Two groups that often share criteria.
fn pair(
    first: &'static [&'static str],
    second: &'static [&'static str],
) -> impl Strategy<Value = Vec<Group>> {
    let shared = vec(criterion(), 0..3);
    (group(first), group(second), shared).prop_map(|(mut a, mut b, shared)| {
        a.criteria.extend(shared.iter().cloned());
        b.criteria.extend(shared);
        vec![a, b]
    })
}

/// The group on a line, and which of its criteria, if it is the line of one.
type Spot = Option<(usize, Option<usize>)>;

/// The text of a policy, and what is on each line.
fn written(groups: &[Group]) -> (String, Vec<Spot>) {
    let (mut text, mut lines) = (String::new(), vec![None]);
    for (index, group) in groups.iter().enumerate() {
        text += &format!("- {}:\n    {}:\n", group.effect, group.operator);
        lines.extend([None, Some((index, None))]);
        for (position, criterion) in group.criteria.iter().enumerate() {
            text += &format!("    - {criterion}\n");
            lines.push(Some((index, Some(position))));
        }
    }
    (if groups.is_empty() { "[]".to_owned() } else { text }, lines)
}

fn compiled(groups: &[Group]) -> Policy {
    let text = written(groups).0;
    let document = load_yaml(&text, "policy").expect(&text);
    let mut problems = Problems::default();
    let policy = compile(&document, Language::TEXT, &mut problems);
    assert!(problems.is_empty(), "{text}\n{problems:?}");
    policy
}

fn told(policy: &Policy) -> Vec<Notice> {
    let directory = Directory::default();
    advise(policy, &KnownNames::of(&directory))
}

/// `groups` without what stands on this line; without the whole group, if that is the line of one.
fn without(groups: &[Group], line: usize) -> Vec<Group> {
    let (index, criterion) = written(groups).1[line].expect("a group or a criterion");
    let mut rest = groups.to_vec();
    match criterion {
        Some(position) => drop(rest[index].criteria.remove(position)),
        None => drop(rest.remove(index)),
    }
    rest.retain(|group| !group.criteria.is_empty());
    rest
}

/// `groups` with nothing of this group but what stands on this line.
fn only(groups: &[Group], line: usize) -> Vec<Group> {
    let (index, criterion) = written(groups).1[line].expect("a group or a criterion");
    let mut rest = groups.to_vec();
    if let Some(position) = criterion {
        rest[index].criteria = vec![rest[index].criteria[position].clone()];
    }
    rest
}

/// Holds what a notice claims about `groups` against what the evaluator makes of `worlds`.
fn check(groups: &[Group], notice: &Notice, worlds: &[World]) -> Result<(), TestCaseError> {
    let line = notice.place.line().expect("a line");
    let (index, _) = written(groups).1[line].expect("a group or a criterion");
    let says = |text: &str| notice.message.contains(text);
    let policy = compiled(groups);
    let alone = || compiled(&groups[index..=index]);
    let all = |claim: &dyn Fn(&World) -> bool| {
        let counter = worlds.iter().find(|world| !claim(world));
        prop_assert!(counter.is_none(), "{notice}\n{}{counter:?}", written(groups).0);
        Ok(())
    };
    let somebody = |world: &World| world.identity.is_some();
    match notice.advice {
        Advice::NeverTrue => {
            let group = alone();
            all(&|world| !world.holds(&group))
        }
        Advice::AlwaysTrue if says("who is signed in") => {
            let group = alone();
            all(&|world| !somebody(world) || world.holds(&group))?;
            all(&|world| somebody(world) || !world.passes(&group))?;
            all(&|world| groups[index].effect == "allow" || !world.passes(&policy))
        }
        Advice::AlwaysTrue => {
            let group = alone();
            all(&|world| world.holds(&group))?;
            all(&|world| world.passes(&group) == (groups[index].effect == "allow"))
        }
        Advice::IdleCriterion | Advice::DuplicateCriterion | Advice::CoveredRule => {
            let other = compiled(&without(groups, line));
            all(&|world| world.verdicts(&policy) == world.verdicts(&other))
        }
        Advice::RefusedAllow => {
            let other = compiled(&only(groups, line));
            all(&|world| !world.passes(&other))
        }
        Advice::SignInOnPublic => all(&|world| somebody(world) || !world.passes(&policy)),
        Advice::OpenToEverybody => {
            let group = alone();
            all(&|world| world.passes(&group))
        }
        Advice::AllowNotIdentity => {
            let group = alone();
            all(&|world| somebody(world) || !world.passes(&group))
        }
        Advice::DenySkipsAbsent => {
            let criterion = compiled(&only(groups, line)[index..=index]);
            all(&|world| !lacks(world, notice) || !world.holds(&criterion))
        }
        _ => Ok(()),
    }
}

/// Whether this is a world without what a notice speaks of.
fn lacks(world: &World, notice: &Notice) -> bool {
    let person = world.identity.as_ref().map(|identity| &identity.subject);
    let lacks = |test: &dyn Fn(&Person) -> bool| person.is_none_or(test);
    let message = &notice.message;
    if message.contains("no user id") {
        lacks(&|person| person.user.is_empty())
    } else if message.contains("no domain") {
        lacks(&|person| person.domain().is_none())
    } else if message.contains("no entry in the directory") {
        lacks(&|person| person.groups.is_none())
    } else if message.contains("no such record") {
        world.records.is_none()
    } else {
        world.principal.is_none()
    }
}

const BOTH: &[&str] = &["allow", "deny"];

proptest! {

    #[test]
    fn of_one_group(group in group(BOTH), worlds in vec(world(), 24)) {
        let groups = [group];
        for notice in told(&compiled(&groups)) {
            check(&groups, &notice, &worlds)?;
        }
    }

    #[test]
    fn of_two_of_a_kind(mut group in group(BOTH), criteria in alike(), worlds in vec(world(), 24)) {
        group.criteria = criteria;
        let groups = [group];
        for notice in told(&compiled(&groups)) {
            check(&groups, &notice, &worlds)?;
        }
    }

    #[test]
    fn of_rules_of_one_effect(groups in prop_oneof![pair(&["allow"], &["allow"]), pair(&["deny"], &["deny"])], worlds in vec(world(), 24)) {
        for notice in told(&compiled(&groups)) {
            check(&groups, &notice, &worlds)?;
        }
    }

    #[test]
    fn of_allow_and_deny(groups in pair(&["allow"], &["deny"]), worlds in vec(world(), 24)) {
        for notice in told(&compiled(&groups)) {
            check(&groups, &notice, &worlds)?;
        }
    }
}
