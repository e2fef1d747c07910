//! Requests and people at random, in a small world where the policies at random
//! (`support/policies.rs`) often hit.

use super::pki::{Ca, dns};
use super::policies as words;
use lictor::certificate::PeerCertificate;
use lictor::document::Number;
use lictor::identity::{
    Caller, ClaimValue, Claims, Device, Enrolment, Identity, Person, Session, Source, TokenError,
};
use lictor::policy::{CertificateFacts, Facts, McpCall, SshFacts};
use lictor::record::{DataSources, Record};
use lictor::request::Headers;
use lictor::ssh::PresentedKey;
use lictor::time::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rcgen::SanType;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

macro_rules! line {
    ($name:literal) => {
        include_str!(concat!("../../cases/ssh/", $name))
    };
}

pub const PUBLIC_KEYS: &[&str] =
    &[line!("user-ed25519.pub"), line!("user-p256.pub"), line!("user-rsa.pub")];
pub const AUTHORITIES: &[&str] =
    &[line!("ca-ed25519.pub"), line!("ca-p256.pub"), line!("other-ca.pub")];
const CERTIFICATES: &[&str] = &[
    line!("good-ed25519.cert"),
    line!("good-p256.cert"),
    line!("other-ca-good.cert"),
    line!("host.cert"),
];

/// A client certificate, and how its hashes are written.
#[derive(Debug)]
pub struct Leaf {
    pub certificate: PeerCertificate,
    pub fingerprint: String,
    pub spki_hash: String,
}

/// Fields by the type of the record.
pub type Records = BTreeMap<String, BTreeMap<String, ClaimValue>>;

/// What is too costly to make for every request.
#[derive(Debug)]
pub struct World {
    pub leaves: Vec<Leaf>,
    /// By type, what the records of a request hold; each with itself as a source.
    pub records: Vec<(Records, DataSources)>,
    pub keys: Vec<PresentedKey>,
}

pub fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| World { leaves: leaves(), records: records(), keys: keys() })
}

fn leaves() -> Vec<Leaf> {
    let ca = Ca::new("a world");
    let name = |name: &str| name.try_into().expect("ASCII");
    let sets = [
        vec![],
        vec![dns("a.test"), SanType::Rfc822Name(name("ann@a.test"))],
        vec![dns("a.test"), dns("b.test"), SanType::URI(name("spiffe://a"))],
    ];
    sets.into_iter()
        .map(|names| leaf(&ca.client(|params| params.subject_alt_names = names)))
        .collect()
}

fn leaf(pem: &str) -> Leaf {
    use base64::Engine as _;
    let certificate = PeerCertificate::from_pem(pem).expect("a certificate");
    let mut fingerprint = String::new();
    for byte in certificate.fingerprint() {
        write!(fingerprint, "{byte:02x}").expect("writes");
    }
    let spki_hash = base64::engine::general_purpose::STANDARD.encode(certificate.spki_hash());
    Leaf { certificate, fingerprint, spki_hash }
}

fn number(number: f64) -> ClaimValue {
    ClaimValue::Number(Number::Float(number))
}

fn map(members: &[(&str, ClaimValue)]) -> BTreeMap<String, ClaimValue> {
    members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn records() -> Vec<(Records, DataSources)> {
    let text = words::text;
    let full = map(&[
        ("word", text("ab")),
        ("level", ClaimValue::Number(Number::Integer(7))),
        ("list", ClaimValue::List(vec![text("a"), number(7.0)])),
        ("in", ClaimValue::Map(map(&[("side", text("a"))]))),
        ("nothing", ClaimValue::Null),
        ("flag", ClaimValue::Bool(true)),
    ]);
    let other = map(&[("word", text("")), ("level", number(7.5)), ("in.side", text("b"))]);
    let named = |kinds: &[(&str, &BTreeMap<String, ClaimValue>)]| {
        let kinds = kinds.iter().map(|(kind, fields)| ((*kind).to_owned(), (*fields).clone()));
        kinds.collect::<BTreeMap<_, _>>()
    };
    let sets = [named(&[]), named(&[("t", &full), ("u", &other)]), named(&[("t", &other)])];
    let source = |set: Records| {
        let records = set.iter().map(|(kind, fields)| (kind.clone(), Record::new(fields.clone())));
        let source = DataSources::fixed(records.collect());
        (set, source)
    };
    sets.into_iter().map(source).collect()
}

/// The bytes of a key or certificate in a line of text.
pub fn blob(line: &str) -> Vec<u8> {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    engine.decode(line.split(' ').nth(1).expect("base64")).expect("base64")
}

fn keys() -> Vec<PresentedKey> {
    PUBLIC_KEYS.iter().chain(CERTIFICATES).map(|line| PresentedKey::read(&blob(line))).collect()
}

/// An instant, and what clocks and calendars show then.
#[derive(Debug)]
pub struct Moment {
    pub unix: i64,
    pub utc: Shown,
    pub vienna: Shown,
}

/// Day of the month in full, day of the week from Monday, hour.
#[derive(Debug)]
pub struct Shown {
    pub date: &'static str,
    pub weekday: usize,
    pub clock: &'static str,
}

const fn shown(date: &'static str, weekday: usize, clock: &'static str) -> Shown {
    Shown { date, weekday, clock }
}

pub const MOMENTS: &[Moment] = &[
    // In the year of the SSH certificates.
    Moment {
        unix: 1_750_000_000,
        utc: shown("2025-06-15", 6, "15:06:40"),
        vienna: shown("2025-06-15", 6, "17:06:40"),
    },
    Moment {
        unix: 1_767_571_200,
        utc: shown("2026-01-05", 0, "00:00:00"),
        vienna: shown("2026-01-05", 0, "01:00:00"),
    },
    Moment {
        unix: 1_767_601_800,
        utc: shown("2026-01-05", 0, "08:30:00"),
        vienna: shown("2026-01-05", 0, "09:30:00"),
    },
    Moment {
        unix: 1_783_290_600,
        utc: shown("2026-07-05", 6, "22:30:00"),
        vienna: shown("2026-07-06", 0, "00:30:00"),
    },
];

/// A request, apart from who sends it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: &'static str,
    pub path: &'static str,
    /// Names and values as they are written.
    pub query: Vec<(&'static str, &'static str)>,
    pub headers: Vec<(&'static str, Vec<u8>)>,
    pub source_ip: Option<IpAddr>,
    pub sni: &'static str,
    pub principal: Option<&'static str>,
    pub cors_preflight: bool,
    pub calls: Vec<McpCall>,
    /// Presented, valid, and which one.
    pub certificate: (bool, bool, Option<usize>),
    pub records: Option<usize>,
    pub ssh: Option<SshFacts>,
    pub moment: usize,
}

/// An asking with the parts that facts only point to.
#[derive(Debug)]
pub struct Held<'a> {
    asked: &'a Asked,
    query: Option<String>,
    headers: Headers,
}

impl Asked {
    pub fn held(&self) -> Held<'_> {
        let pairs = self.query.iter().map(|(name, value)| match *value {
            "-" => (*name).to_owned(),
            value => format!("{name}={value}"),
        });
        let query = pairs.collect::<Vec<_>>().join("&");
        let lines = self.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        Held {
            asked: self,
            query: (!self.query.is_empty()).then_some(query),
            headers: Headers::from_lines(lines),
        }
    }

    pub fn at(&self) -> &'static Moment {
        &MOMENTS[self.moment]
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.at().unix)
    }

    pub fn leaf(&self) -> Option<&'static PeerCertificate> {
        self.certificate.2.map(|index| &world().leaves[index].certificate)
    }
}

impl<'a> Held<'a> {
    /// Repeated headers joined by commas, as Envoy sends them without `encode_raw_headers`.
    #[must_use]
    pub fn joined(self) -> Self {
        let mut lines = BTreeMap::<&str, Vec<u8>>::new();
        for (name, value) in &self.asked.headers {
            match lines.get_mut(name) {
                Some(joined) => {
                    joined.push(b',');
                    joined.extend(value);
                }
                None => drop(lines.insert(name, value.clone())),
            }
        }
        let lines = lines.into_iter().map(|(name, value)| (name.to_owned(), value));
        Self { headers: Headers::from_joined(lines), ..self }
    }

    pub fn facts(&'a self, who: &'a Who) -> Facts<'a> {
        let asked = self.asked;
        let (presented, valid, _) = asked.certificate;
        Facts {
            method: asked.method,
            path: asked.path,
            query: self.query.as_deref(),
            headers: &self.headers,
            source_ip: asked.source_ip,
            sni: asked.sni,
            principal: asked.principal,
            principal_vouched: true,
            cors_preflight: asked.cors_preflight,
            identity: who.identity(),
            mcp: &asked.calls,
            certificate: CertificateFacts { presented, valid, vouched: true, leaf: asked.leaf() },
            records: asked.records.map(|index| &world().records[index].1),
            ssh: asked.ssh.as_ref(),
            now: asked.now(),
        }
    }
}

/// Who sends a request.
#[derive(Clone, Debug)]
pub struct Who(pub Caller);

impl Who {
    /// As whom they are judged.
    pub fn identity(&self) -> Option<&Identity> {
        match &self.0 {
            Caller::Identified(identity) => Some(identity),
            Caller::Anonymous(_) | Caller::Refused(_) => None,
        }
    }

    pub fn caller(&self) -> Caller {
        self.0.clone()
    }
}

/// Parameters of a query, as they are written. `-` stands for one without `=`.
pub fn query() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let names = &["q", "q", "q", "%71", "r", "x", "%ff", ""][..];
    let values = &["a", "a", "b", "ab", "%61", "", "-", "%ff", "A", "%", "+"][..];
    vec((select(names), select(values)), 0..4)
}

pub fn headers() -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    let values = &["a", "a", "b", "ab", "", "A", "a,b", "b, a"][..];
    let value = prop_oneof![
        8 => select(values).prop_map(|text| text.as_bytes().to_vec()),
        1 => Just(vec![0xff]),
    ];
    vec((select(&["x-a", "x-a", "x-b", "x-c"][..]), value), 0..4)
}

pub fn calls() -> impl Strategy<Value = Vec<McpCall>> {
    let methods = &["tools/call", "tools/call", "tools/call", "initialize", ""][..];
    let call = (select(methods), select(words::WORDS)).prop_map(|(method, tool)| McpCall {
        method: method.to_owned(),
        tool: tool.to_owned(),
        id: "1".to_owned(),
    });
    vec(call, 0..4)
}

fn certificate() -> impl Strategy<Value = (bool, bool, Option<usize>)> {
    prop_oneof![
        Just((false, true, None)),
        Just((false, false, None)),
        Just((true, false, None)),
        (any::<bool>(), 0..3_usize).prop_map(|(valid, leaf)| (true, valid, Some(leaf))),
        (any::<bool>(), 0..3_usize).prop_map(|(valid, leaf)| (true, valid, Some(leaf))),
    ]
}

fn ssh() -> impl Strategy<Value = SshFacts> {
    let key = option::weighted(0.8, select((0..world().keys.len()).collect::<Vec<_>>()));
    (select(words::SSH_NAMES), key).prop_map(|(username, key)| SshFacts {
        username: username.to_owned(),
        key: key.map(|index| world().keys[index].clone()),
    })
}

pub fn asked() -> impl Strategy<Value = Asked> {
    let addresses: Vec<IpAddr> =
        words::ADDRESSES.iter().map(|text| text.parse().expect("an address")).collect();
    let line = (select(words::METHODS), select(words::PATHS), query(), headers());
    let peer = (
        option::weighted(0.9, select(addresses)),
        select(words::WORDS),
        option::of(select(words::PRINCIPALS)),
    );
    let rest = (
        any::<bool>(),
        calls(),
        certificate(),
        option::weighted(0.8, 0..3_usize),
        option::of(ssh()),
        0..MOMENTS.len(),
    );
    (line, peer, rest).prop_map(|(line, peer, rest)| {
        let (method, path, query, headers) = line;
        let (source_ip, sni, principal) = peer;
        let (cors_preflight, calls, certificate, records, ssh, moment) = rest;
        Asked {
            method,
            path,
            query,
            headers,
            source_ip,
            sni,
            principal,
            cors_preflight,
            calls,
            certificate,
            records,
            ssh,
            moment,
        }
    })
}

fn claims() -> impl Strategy<Value = Claims> {
    let item = || {
        prop_oneof![
            4 => select(words::WORDS).prop_map(words::text),
            2 => words::odd(),
            1 => Just(words::object([("role", words::text("a"))])),
        ]
    };
    let list = move || vec(item(), 0..3).prop_map(ClaimValue::List);
    let members = vec((select(&["has", "role"][..]), item()), 0..2).prop_map(|members| {
        ClaimValue::Map(members.into_iter().map(|(name, item)| (name.to_owned(), item)).collect())
    });
    let nested = |names: &[&'static str], list: BoxedStrategy<ClaimValue>| {
        let names = names.to_vec();
        list.prop_map(move |list| {
            names.iter().rev().fold(list, |inner, name| words::object([(*name, inner)]))
        })
        .boxed()
    };
    let all = vec![
        ("team", list().boxed()),
        ("level", list().boxed()),
        ("a.b", list().boxed()),
        ("a", nested(&["b"], list().boxed())),
        ("example.com/role", list().boxed()),
        ("members", members.boxed()),
        ("bare", item().boxed()),
        ("d", nested(&["e", "e", "p", "r"], list().boxed())),
        ("d", nested(&["e", "e", "p", "e", "r"], list().boxed())),
    ];
    let one = prop::sample::subsequence(all, 0..6).prop_flat_map(|chosen| {
        let (names, values): (Vec<_>, Vec<_>) = chosen.into_iter().unzip();
        values.prop_map(move |values| {
            let names = names.iter().map(|name| (*name).to_owned());
            Claims::new(names.zip(values).collect())
        })
    });
    one.boxed()
}

fn person() -> impl Strategy<Value = Person> {
    let groups = vec(select(words::GROUPS).prop_map(str::to_owned), 0..3);
    (select(words::USERS), select(words::EMAILS), option::weighted(0.8, groups), claims()).prop_map(
        |(user, email, groups, claims)| Person {
            subject: user.to_owned(),
            user: user.to_owned(),
            email: email.to_owned(),
            groups,
            claims,
            ..Person::default()
        },
    )
}

fn device() -> impl Strategy<Value = Device> {
    let enrolment = option::of(select(&[Enrolment::Waiting, Enrolment::Approved][..]));
    (select(words::DEVICES), select(words::DEVICE_KINDS), enrolment).prop_map(
        |(id, kind, enrolment)| Device { id: id.to_owned(), kind: kind.to_owned(), enrolment },
    )
}

pub fn identity() -> impl Strategy<Value = Arc<Identity>> {
    let session = (any::<bool>(), vec(device(), 0..3));
    (person(), option::weighted(0.3, person()), session).prop_map(
        |(subject, actor, (is_service, devices))| {
            let session = Session {
                id: String::new(),
                source: Source::Cookie,
                is_service,
                usable_until: Timestamp::from_unix(i64::MAX),
                devices: devices.into(),
            };
            Arc::new(Identity { subject, actor, session })
        },
    )
}

pub fn who() -> impl Strategy<Value = Who> {
    let errors = vec![
        None,
        Some(TokenError::BadSignature),
        Some(TokenError::InvalidIssuer("somebody.test".to_owned())),
    ];
    let caller = prop_oneof![
        6 => identity().prop_map(Caller::Identified),
        2 => select(errors).prop_map(Caller::Anonymous),
        1 => identity().prop_map(Caller::Refused),
    ];
    caller.prop_map(Who)
}
