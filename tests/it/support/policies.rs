//! Policies at random: every criterion, every operator, over words that requests at random
//! (`support/askings.rs`) often meet.

use lictor::document::{Entry, Node, Number, Place, Problems, Value};
use lictor::identity::ClaimValue;
use lictor::policy::{Effect, Language, Mode, Names, Operator, Policy, compile};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::collections::BTreeMap;

/// A policy before it is compiled.
#[derive(Clone, Debug)]
pub struct Draft {
    pub mode: Mode,
    pub rules: Vec<RuleDraft>,
}

/// One `allow:` or `deny:` and its groups, each operator at most once.
#[derive(Clone, Debug)]
pub struct RuleDraft {
    pub effect: Effect,
    pub groups: Vec<GroupDraft>,
}

#[derive(Clone, Debug)]
pub struct GroupDraft {
    pub operator: Operator,
    pub criteria: Vec<CriterionDraft>,
}

#[derive(Clone, Debug)]
pub struct CriterionDraft {
    /// With its sub-path: `claim/team`.
    pub name: String,
    pub data: ClaimValue,
}

impl Draft {
    pub fn of(rules: Vec<RuleDraft>) -> Self {
        Self { mode: Mode::Enforce, rules }
    }

    /// One rule with one group.
    pub fn one_group(effect: Effect, operator: Operator, criteria: Vec<CriterionDraft>) -> Self {
        Self::of(vec![RuleDraft { effect, groups: vec![GroupDraft { operator, criteria }] }])
    }

    /// The policy. A draft with a mistake is a mistake of the test.
    pub fn compiled(&self, language: Language) -> Policy {
        compiled(&self.node(language.names), language)
    }

    /// As a document. Where names may have any case they are in capitals.
    pub fn node(&self, names: Names) -> Node {
        let rules: Vec<Node> = self.rules.iter().map(|rule| rule.node(names)).collect();
        match self.mode {
            Mode::Enforce => node(Value::List(rules)),
            Mode::DryRun => map(vec![
                ("mode".to_owned(), node(Value::Text("dry_run".to_owned()))),
                ("rules".to_owned(), node(Value::List(rules))),
            ]),
        }
    }
}

impl RuleDraft {
    fn node(&self, names: Names) -> Node {
        let group = |group: &GroupDraft| {
            let criteria = group.criteria.iter().map(|criterion| criterion.node(names)).collect();
            (cased(group.operator.name(), names), node(Value::List(criteria)))
        };
        let groups = map(self.groups.iter().map(group).collect());
        map(vec![(cased(self.effect.name(), names), groups)])
    }
}

impl CriterionDraft {
    pub fn new(name: impl Into<String>, data: ClaimValue) -> Self {
        Self { name: name.into(), data }
    }

    fn node(&self, names: Names) -> Node {
        let name = match self.name.split_once('/') {
            Some((name, path)) => format!("{}/{path}", cased(name, names)),
            None => cased(&self.name, names),
        };
        map(vec![(name, value(&self.data))])
    }
}

fn cased(name: &str, names: Names) -> String {
    match names {
        Names::Exact => name.to_owned(),
        Names::AnyCase => name.to_ascii_uppercase(),
    }
}

/// The policy of a document without mistakes.
pub fn compiled(document: &Node, language: Language) -> Policy {
    let mut problems = Problems::default();
    let policy = compile(document, language, &mut problems);
    let problems = problems.into_parts().0;
    assert!(problems.is_empty(), "{problems:#?}\n{}", document.to_flow());
    policy
}

fn node(value: Value) -> Node {
    Node::new(value, Place::whole("a draft"))
}

fn map(entries: Vec<(String, Node)>) -> Node {
    let entry = |(key, node)| Entry { key, place: Place::whole("a draft"), node };
    node(Value::Map(entries.into_iter().map(entry).collect()))
}

fn value(data: &ClaimValue) -> Node {
    match data {
        ClaimValue::Null => node(Value::Null),
        ClaimValue::Bool(value) => node(Value::Bool(*value)),
        ClaimValue::Number(number) => node(Value::Number(*number)),
        ClaimValue::Text(text) => node(Value::Text(text.clone())),
        ClaimValue::List(items) => node(Value::List(items.iter().map(value).collect())),
        ClaimValue::Map(members) => {
            map(members.iter().map(|(name, data)| (name.clone(), value(data))).collect())
        }
    }
}

pub fn text(text: &str) -> ClaimValue {
    ClaimValue::Text(text.to_owned())
}

pub fn object<const N: usize>(members: [(&str, ClaimValue); N]) -> ClaimValue {
    ClaimValue::Map(members.into_iter().map(|(name, data)| (name.to_owned(), data)).collect())
}

/// Texts that a careless writer or reader of YAML changes.
pub const AWKWARD: &[&str] = &[
    "",
    " ",
    "'",
    "\"",
    "''",
    "\\",
    "\n",
    "a\nb\n",
    "\r\n",
    "\t",
    " a ",
    "é",
    "\u{1f600}",
    "\u{0}",
    "\u{7}",
    "\u{7f}",
    "\u{85}",
    "\u{9f}",
    "\u{a0}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{fffe}",
    "\u{ffff}",
    "{}",
    "[]",
    "{a: b}",
    "a: b",
    "a:",
    ": ",
    "# c",
    "a #b",
    "a,b",
    "- a",
    "-",
    "? a",
    "?",
    "|",
    ">",
    "*a",
    "&a",
    "!a",
    "!!str a",
    "%TAG",
    "@",
    "`",
    "---",
    "...",
    "<<",
    "=",
    "null",
    "~",
    "true",
    "no",
    "on",
    "y",
    "1",
    "-1.5",
    "1e3",
    "0x1f",
    "0o7",
    "017",
    "1_000",
    ".inf",
    ".NaN",
    "2020-01-02",
    "12:30:45",
    "a/b.c/d",
    "//",
    "/",
];

/// Values of every kind, nested, with awkward texts.
pub fn awkward() -> BoxedStrategy<ClaimValue> {
    let integer = prop_oneof![
        any::<i64>().prop_map(i128::from),
        select(vec![i128::MAX, -i128::MAX, 0, 1 << 100]),
    ];
    let float = prop_oneof![
        any::<f64>().prop_filter("finite", |float| float.is_finite()),
        select(vec![-0.0, 0.0, 1e300, 5e-324, f64::MAX, f64::MIN, 7.0, 1e15, 1e16, 1e-7, 1.7e38]),
    ];
    let leaf = prop_oneof![
        1 => Just(ClaimValue::Null),
        1 => any::<bool>().prop_map(ClaimValue::Bool),
        2 => integer.prop_map(|integer| ClaimValue::Number(Number::Integer(integer))),
        2 => float.prop_map(|float| ClaimValue::Number(Number::Float(float))),
        6 => awkward_text().prop_map(ClaimValue::Text),
    ];
    let nested = leaf.prop_recursive(3, 12, 3, |inner| {
        let member = (awkward_text(), inner.clone());
        prop_oneof![
            vec(inner, 0..3).prop_map(ClaimValue::List),
            vec(member, 0..3).prop_map(|members| ClaimValue::Map(members.into_iter().collect())),
        ]
    });
    nested.boxed()
}

pub fn awkward_text() -> BoxedStrategy<String> {
    let piece = || select(AWKWARD).prop_map(str::to_owned);
    prop_oneof![
        4 => piece(),
        1 => (piece(), piece()).prop_map(|(a, b)| a + &b),
        1 => any::<String>(),
        1 => "\\PC{0,40}",
        1 => (900_usize..5_000).prop_map(|length| "long".repeat(length / 4)),
    ]
    .boxed()
}

/// Criteria with whatever may stand in them.
pub fn awkward_criterion() -> BoxedStrategy<CriterionDraft> {
    let tests = |names: &'static [&'static str]| {
        let test = (select(names), awkward()).prop_map(|(name, data)| {
            let data = match (name, data) {
                ("in" | "not_in", data @ ClaimValue::List(_)) => data,
                ("in" | "not_in", data) => ClaimValue::List(vec![data]),
                ("contains" | "starts_with" | "ends_with", data) => match data {
                    ClaimValue::Text(text) => ClaimValue::Text(text),
                    other => ClaimValue::Text(other.to_json()),
                },
                (_, data) => data,
            };
            (name.to_owned(), data)
        });
        vec(test, 0..4).prop_map(|tests| ClaimValue::Map(tests.into_iter().collect()))
    };
    let bare = || awkward().prop_filter("operators", |data| !matches!(data, ClaimValue::Map(_)));
    let text_tests = move || {
        let names = &["is", "not", "contains", "starts_with", "ends_with", "in", "not_in"][..];
        prop_oneof![bare(), tests(names)]
    };
    let list_tests = move || prop_oneof![bare(), tests(&["has", "is", "exclude"])];
    let plain =
        select(&["user", "email", "domain", "http_method", "http_path", "sni", "mcp_tool"][..]);
    let record = (awkward_text(), awkward_text(), tests(&["is", "not", "has"])).prop_map(
        |(kind, field, tests)| {
            let ClaimValue::Map(mut members) = tests else { return tests };
            members.insert("type".to_owned(), ClaimValue::Text(kind));
            members.insert("field".to_owned(), ClaimValue::Text(field));
            members.insert("exists".to_owned(), ClaimValue::Bool(true));
            ClaimValue::Map(members)
        },
    );
    let named = |name: &'static str| move |data| CriterionDraft::new(name, data);
    prop_oneof![
        4 => (plain, text_tests()).prop_map(|(name, data)| CriterionDraft::new(name, data)),
        2 => list_tests().prop_map(named("groups")),
        4 => (awkward_text(), list_tests())
            .prop_map(|(path, data)| CriterionDraft::new(format!("claim/{path}"), data)),
        2 => (awkward_text(), text_tests())
            .prop_map(|(name, data)| CriterionDraft::new(format!("http_query/a{name}"), data)),
        1 => text_tests().prop_map(named("http_header/x-a")),
        1 => record.prop_map(named("record")),
        1 => awkward().prop_map(named("accept")),
        2 => criterion(),
    ]
    .boxed()
}

/// The same of which many are of a kind, so that they are joined.
pub fn awkward_criteria() -> BoxedStrategy<Vec<CriterionDraft>> {
    let many = (select(&["user", "email", "domain", "http_path"][..]), vec(awkward_text(), 8..12));
    let many = many.prop_map(|(name, texts)| {
        let data = texts.into_iter().map(ClaimValue::Text);
        data.map(|data| CriterionDraft::new(name, data)).collect::<Vec<_>>()
    });
    let few = vec(awkward_criterion(), 1..4);
    prop_oneof![
        3 => few.boxed(),
        1 => (many, vec(awkward_criterion(), 0..3)).prop_map(|(a, b)| [a, b].concat()).boxed(),
    ]
    .prop_shuffle()
    .boxed()
}

// The words of policies and requests.

pub const USERS: &[&str] = &["", "ann", "bob", "Ann"];
pub const EMAILS: &[&str] =
    &["", "ann@a.test", "Ann@A.test", "bob@b.test", "a@b@c", "@a.test", "ann"];
pub const DOMAINS: &[&str] = &["", "a.test", "A.test", "b.test", "b"];
pub const GROUPS: &[&str] = &["g1", "g2", "g3"];
pub const METHODS: &[&str] = &["GET", "POST", "OPTIONS", "get", ""];
pub const PATHS: &[&str] = &["", "/", "/a", "/a/b", "/A", "/é", "/.pomerium/webauthn"];
pub const WORDS: &[&str] = &["", "a", "b", "ab", "A", "\u{fffd}"];
pub const PRINCIPALS: &[&str] = &["", "a", "spiffe://a", "spiffe://b", "CN=a"];
pub const SSH_NAMES: &[&str] = &["", "ann", "bob", "a"];
pub const DEVICES: &[&str] = &["d1", "d2"];
pub const DEVICE_KINDS: &[&str] = &["any", "enclave_only", "none"];
pub const RECORD_TYPES: &[&str] = &["t", "u", "v"];
pub const RECORD_FIELDS: &[&str] = &["word", "level", "list", "in.side", "nothing", "gone", "flag"];
pub const ADDRESSES: &[&str] =
    &["10.0.0.1", "10.0.0.2", "10.0.1.1", "::ffff:10.0.0.1", "2001:db8::1", "2001:db9::1"];
const RANGES: &[&str] = &[
    "10.0.0.1",
    "10.0.0.0/30",
    "10.0.0.77/8",
    "::ffff:10.0.0.0/104",
    "2001:db8::/32",
    "::/0",
    "0.0.0.0/0",
    "192.0.2.0/24",
    "::1",
];
/// Of claims, as they are asked for.
pub const CLAIM_PATHS: &[&str] = &[
    "team",
    "level",
    "a.b",
    "a/b",
    "example.com/role",
    "members",
    "bare",
    "d.e.e.p.r",
    "d.e.e.p.e.r",
    "gone",
    "",
];
/// That read the same in every language of expressions, and in lower case.
const PATTERNS: &[&str] =
    &["a", "a|b", "[a-c]*", ".*", "", "/a(/.*)?", r"[^@]+@A\.test", "(?i)ANN", "g[e-t]+", ".*b"];

/// Values that are no text, or hardly.
pub fn odd() -> impl Strategy<Value = ClaimValue> {
    let number = |number: f64| ClaimValue::Number(Number::Float(number));
    let integer = |integer: i128| ClaimValue::Number(Number::Integer(integer));
    select(vec![
        ClaimValue::Null,
        ClaimValue::Bool(true),
        ClaimValue::Bool(false),
        integer(7),
        number(7.0),
        number(7.5),
        integer(0),
        number(-0.0),
        number(1e300),
        integer(i128::MAX),
        ClaimValue::List(vec![]),
        ClaimValue::List(vec![text("a")]),
        ClaimValue::List(vec![text("a"), text("b")]),
    ])
}

fn a_text(words: &'static [&'static str]) -> impl Strategy<Value = ClaimValue> {
    select(words).prop_map(text)
}

fn a_list<S: Strategy<Value = ClaimValue>>(
    item: impl Fn() -> S,
    most: usize,
) -> impl Strategy<Value = ClaimValue> {
    vec(item(), 0..=most).prop_map(ClaimValue::List)
}

/// One operator of a text and what it is given.
fn text_test(words: &'static [&'static str]) -> impl Strategy<Value = (String, ClaimValue)> {
    let mixed = move || prop_oneof![6 => a_text(words), 1 => odd()];
    let part = move || {
        let cut = select(words).prop_flat_map(|word| {
            let ends: Vec<usize> =
                word.char_indices().map(|(at, _)| at).chain([word.len()]).collect();
            subsequence(ends.clone(), 2.min(ends.len())).prop_map(move |ends| {
                match ends.as_slice() {
                    [begin, end] => text(&word[*begin..*end]),
                    _ => text(word),
                }
            })
        });
        prop_oneof![cut, a_text(words)]
    };
    let pattern = || {
        prop_oneof![
            4 => a_text(PATTERNS).boxed(),
            1 => a_list(|| a_text(PATTERNS), 3).boxed(),
        ]
    };
    let named = |name: &'static str| move |data| (name.to_owned(), data);
    prop_oneof![
        3 => mixed().prop_map(named("is")),
        3 => mixed().prop_map(named("not")),
        2 => part().prop_map(named("contains")),
        2 => part().prop_map(named("starts_with")),
        2 => part().prop_map(named("ends_with")),
        2 => a_list(mixed, 4).prop_map(named("in")),
        2 => a_list(mixed, 4).prop_map(named("not_in")),
        1 => pattern().prop_map(named("matches")),
    ]
}

pub fn text_match(words: &'static [&'static str]) -> BoxedStrategy<ClaimValue> {
    let tests = vec(text_test(words), 0..4)
        .prop_map(|tests| ClaimValue::Map(tests.into_iter().collect::<BTreeMap<_, _>>()));
    prop_oneof![8 => a_text(words), 1 => odd(), 8 => tests].boxed()
}

fn list_match<S: Strategy<Value = ClaimValue> + 'static>(
    item: impl Fn() -> S,
) -> BoxedStrategy<ClaimValue> {
    let tests = vec((select(&["has", "is", "exclude"][..]), item()), 0..3).prop_map(|tests| {
        let named = tests.into_iter().map(|(name, data)| (name.to_owned(), data));
        ClaimValue::Map(named.collect::<BTreeMap<_, _>>())
    });
    prop_oneof![1 => item(), 1 => tests].boxed()
}

fn claim_value() -> impl Strategy<Value = ClaimValue> {
    let member = object([("role", text("a"))]);
    prop_oneof![4 => a_text(WORDS), 2 => odd(), 1 => Just(object([("has", member)]))]
}

fn keys(
    known: Vec<(&'static str, BoxedStrategy<ClaimValue>)>,
    least: usize,
) -> BoxedStrategy<ClaimValue> {
    let most = known.len();
    subsequence(known, least..=most)
        .prop_flat_map(|chosen| {
            let (names, data): (Vec<_>, Vec<_>) = chosen.into_iter().unzip();
            data.prop_map(move |data| {
                let names = names.iter().map(|name| (*name).to_owned());
                ClaimValue::Map(names.zip(data).collect())
            })
        })
        .boxed()
}

fn device() -> BoxedStrategy<ClaimValue> {
    keys(
        vec![
            ("is", a_text(DEVICES).boxed()),
            ("approved", prop_oneof![any::<bool>().prop_map(ClaimValue::Bool), odd()].boxed()),
            ("type", a_text(DEVICE_KINDS).boxed()),
        ],
        0,
    )
}

fn certificate() -> BoxedStrategy<ClaimValue> {
    let world = super::askings::world();
    let hashes = |pick: fn(&super::askings::Leaf) -> &String| {
        let known: Vec<String> = world.leaves.iter().map(|leaf| pick(leaf).clone()).collect();
        let one = select(known).prop_map(|hash| text(&hash)).boxed();
        prop_oneof![one.clone(), vec(one, 0..3).prop_map(ClaimValue::List)].boxed()
    };
    keys(
        vec![
            ("fingerprint", hashes(|leaf| &leaf.fingerprint)),
            ("spki_hash", hashes(|leaf| &leaf.spki_hash)),
            ("san_dns", text_match(&["a.test", "b.test", "other.test"])),
            ("san_email", text_match(&["ann@a.test", "bob@b.test"])),
            ("san_uri", text_match(&["spiffe://a", "spiffe://b"])),
        ],
        0,
    )
}

fn record() -> BoxedStrategy<ClaimValue> {
    let number = select(vec![Number::Integer(7), Number::Float(7.5), Number::Integer(-1)])
        .prop_map(ClaimValue::Number);
    let compared = (select(&["<", "<=", "=", ">=", ">"][..]), number)
        .prop_map(|(sign, number)| (sign.to_owned(), number));
    let has = prop_oneof![a_text(WORDS), odd()].prop_map(|data| ("has".to_owned(), data));
    let told =
        text_test(WORDS).prop_filter("not for records", |(name, _)| name != "matches").boxed();
    let test = prop_oneof![3 => told, 1 => has, 2 => compared];
    let asked = (
        select(RECORD_TYPES),
        option::weighted(0.8, select(RECORD_FIELDS)),
        option::weighted(0.5, any::<bool>()),
        vec(test, 0..3),
    );
    asked
        .prop_map(|(kind, field, exists, tests)| {
            let mut members = BTreeMap::from([("type".to_owned(), text(kind))]);
            members.extend(field.map(|field| ("field".to_owned(), text(field))));
            let tests = tests.into_iter().filter(|_| field.is_some());
            members.extend(tests);
            let asks = members.len() > 1 + usize::from(field.is_some());
            let exists = exists.or((!asks).then_some(true));
            members.extend(exists.map(|exists| ("exists".to_owned(), ClaimValue::Bool(exists))));
            ClaimValue::Map(members)
        })
        .boxed()
}

fn several(words: Vec<String>) -> BoxedStrategy<ClaimValue> {
    let one = select(words).prop_map(|word| text(&word)).boxed();
    prop_oneof![one.clone(), vec(one, 0..10).prop_map(ClaimValue::List)].boxed()
}

fn lines(files: &[&str]) -> Vec<String> {
    files.iter().map(|line| line.trim().to_owned()).collect()
}

fn date() -> BoxedStrategy<ClaimValue> {
    let dates =
        &["2026-01-05T08:30:00Z", "2026-01-05", "2026-07-05T22:30:00Z", "2026-06-01T00:00:00"];
    keys(vec![("after", a_text(dates).boxed()), ("before", a_text(dates).boxed())], 0)
}

/// As written, and which days those are, Monday first.
pub const DAYS: &[(&str, &str)] = &[
    ("*", "1111111"),
    ("mon", "1000000"),
    ("mon-fri", "1111100"),
    ("sun-mon", "1000001"),
    ("sat, Sunday", "0000011"),
    ("TUE,thu", "0101000"),
];

fn days() -> BoxedStrategy<ClaimValue> {
    let day = || select(DAYS).prop_map(|(written, _)| text(written));
    let zoned =
        (day(), option::of(select(&["UTC", "Europe/Vienna"][..]))).prop_map(|(day, zone)| {
            let zone = zone.map(|zone| ("timezone".to_owned(), text(zone)));
            ClaimValue::Map(BTreeMap::from_iter([("is".to_owned(), day)].into_iter().chain(zone)))
        });
    prop_oneof![day(), zoned].boxed()
}

/// As written, and on a clock of twenty-four hours.
pub const CLOCKS: &[(&str, &str)] = &[
    ("8:30 AM", "08:30:00"),
    ("08:30:00", "08:30:00"),
    ("9:30AM", "09:30:00"),
    ("22:30", "22:30:00"),
    ("12AM", "00:00:00"),
    ("11:59:59 PM", "23:59:59"),
];

fn clock() -> BoxedStrategy<ClaimValue> {
    let clock = || option::of(select(CLOCKS).prop_map(|(written, _)| text(written)));
    (select(&["UTC", "Europe/Vienna"][..]), clock(), clock())
        .prop_map(|(zone, after, before)| {
            let mut members = BTreeMap::from([("timezone".to_owned(), text(zone))]);
            members.extend(after.map(|after| ("after".to_owned(), after)));
            members.extend(before.map(|before| ("before".to_owned(), before)));
            ClaimValue::Map(members)
        })
        .boxed()
}

fn named(
    name: &'static str,
    data: BoxedStrategy<ClaimValue>,
) -> (u32, BoxedStrategy<CriterionDraft>) {
    (1, data.prop_map(move |data| CriterionDraft::new(name, data)).boxed())
}

fn named_often(
    name: &'static str,
    data: BoxedStrategy<ClaimValue>,
) -> (u32, BoxedStrategy<CriterionDraft>) {
    (3, named(name, data).1)
}

fn one_of_claims() -> BoxedStrategy<CriterionDraft> {
    (select(CLAIM_PATHS), list_match(claim_value))
        .prop_map(|(path, data)| {
            let name = if path.is_empty() { "claim".to_owned() } else { format!("claim/{path}") };
            CriterionDraft::new(name, data)
        })
        .boxed()
}

fn yes_or_no() -> BoxedStrategy<ClaimValue> {
    any::<bool>().prop_map(ClaimValue::Bool).boxed()
}

/// Criteria that can be read in several ways where something is repeated.
pub fn repeatable() -> Vec<(u32, BoxedStrategy<CriterionDraft>)> {
    vec![
        named_often("http_header/x-a", text_match(WORDS)),
        named("http_header/X-B", text_match(WORDS)),
        named_often("http_query/q", text_match(WORDS)),
        named("http_query/r", text_match(WORDS)),
        named_often("mcp_tool", text_match(WORDS)),
    ]
}

fn about_people() -> Vec<(u32, BoxedStrategy<CriterionDraft>)> {
    vec![
        named("authenticated_user", odd().boxed()),
        named_often("user", text_match(USERS)),
        named_often("email", text_match(EMAILS)),
        named_often("domain", text_match(DOMAINS)),
        named_often("groups", list_match(|| prop_oneof![4 => a_text(GROUPS), 1 => odd()])),
        (4, one_of_claims()),
        named("impersonated", yes_or_no()),
        named("service_account", yes_or_no()),
        named_often("device", device()),
        named("ssh_username_matches_email", odd().boxed()),
        named("ssh_username_matches_claim", a_text(CLAIM_PATHS).boxed()),
    ]
}

fn about_requests() -> Vec<(u32, BoxedStrategy<CriterionDraft>)> {
    let ranges = RANGES.iter().map(|range| (*range).to_owned()).collect();
    let keys = lines(super::askings::PUBLIC_KEYS);
    let authorities = lines(super::askings::AUTHORITIES);
    vec![
        named("accept", odd().boxed()),
        named("reject", odd().boxed()),
        named("cors_preflight", odd().boxed()),
        named("http_method", text_match(METHODS)),
        named("http_path", text_match(PATHS)),
        named_often("source_ip", several(ranges)),
        named("source_principal", text_match(PRINCIPALS)),
        named("spiffe_id", text_match(PRINCIPALS)),
        named("sni", text_match(WORDS)),
        named_often("client_certificate", certificate()),
        named("invalid_client_certificate", odd().boxed()),
        named_often("record", record()),
        named("ssh_username", text_match(SSH_NAMES)),
        named("ssh_publickey", several(keys)),
        named("ssh_ca", several(authorities)),
        named("date", date()),
        named("day_of_week", days()),
        named("time_of_day", clock()),
    ]
}

/// Any criterion.
pub fn criterion() -> BoxedStrategy<CriterionDraft> {
    let all = [about_people(), about_requests(), repeatable()].concat();
    proptest::strategy::Union::new_weighted(all).boxed()
}

pub const OPERATORS: [Operator; 4] = [Operator::And, Operator::Or, Operator::Not, Operator::Nor];

pub fn effect() -> impl Strategy<Value = Effect> {
    select(&[Effect::Allow, Effect::Deny][..])
}

/// Groups of one rule: each operator at most once, now and then an empty list.
pub fn groups(criterion: BoxedStrategy<CriterionDraft>) -> impl Strategy<Value = Vec<GroupDraft>> {
    subsequence(OPERATORS.to_vec(), 1..=2).prop_shuffle().prop_flat_map(move |operators| {
        let group = |operator| {
            vec(criterion.clone(), 0..4)
                .prop_map(move |criteria| GroupDraft { operator, criteria })
                .boxed()
        };
        operators.into_iter().map(group).collect::<Vec<_>>()
    })
}

pub fn rule(effect: impl Strategy<Value = Effect>) -> impl Strategy<Value = RuleDraft> {
    (effect, groups(criterion())).prop_map(|(effect, groups)| RuleDraft { effect, groups })
}

/// A policy that is enforced.
pub fn draft() -> impl Strategy<Value = Draft> {
    vec(rule(effect()), 0..4).prop_map(Draft::of)
}
