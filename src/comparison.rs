//! Two configurations side by side: who gets where under one and not under the other, and by which rule.
//! Requests are made up for every route of either; both find their routes and judge everybody by the
//! code that answers Envoy. What a made-up request cannot know is held still on both sides, and told.

mod columns;
mod crowd;
mod judge;
mod probes;
mod ruling;
mod samples;
mod still;
mod totals;

pub use crowd::{Crowd, Member, Standing};
pub use judge::{Change, Judged, Turn};
pub use probes::{Spot, Unprobed};
pub use ruling::{Cited, Ruling};
pub use samples::{Method, sample};
pub use totals::{Count, Totals};

use crate::id::RouteId;
use crate::policy::{Aspect, Language};
use crate::request::{Kind, Request};
use crate::route::Table;
use crate::state::Settings;
use crate::time::Timestamp;
use judge::{Judge, SignIn, enforced};
use probes::{Probe, Probes};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::rc::Rc;
use totals::Counter;

/// The same of either side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Both<T> {
    pub old: T,
    pub new: T,
}

impl<T> Both<T> {
    pub fn map<U>(self, mut function: impl FnMut(T) -> U) -> Both<U> {
        Both { old: function(self.old), new: function(self.new) }
    }

    pub fn as_ref(&self) -> Both<&T> {
        Both { old: &self.old, new: &self.new }
    }
}

/// A configuration, as far as it decides who gets where.
#[derive(Clone, Copy, Debug)]
pub struct Side<'s> {
    pub settings: &'s Settings,
    pub table: &'s Table,
    pub language: Language,
    pub any_port: bool,
}

impl Side<'_> {
    /// Whether clients without a good certificate are refused there, whatever its policies say.
    fn wants_certificates(&self, spot: &Spot<'_>) -> bool {
        let judged = spot.route().is_some_and(|route| route.authority.is_some());
        judged && self.settings.default_certificate_rule
    }
}

/// What is the same for every request.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances {
    pub ip: Option<IpAddr>,
    pub now: Timestamp,
}

/// Everything that differs.
#[derive(Debug)]
pub struct Comparison<'s> {
    /// In the order of the new file; what is gone, last.
    pub differences: Vec<Difference<'s>>,
    /// What rules that differ ask about and a made-up request does not say, with the routes.
    pub held_still: BTreeMap<Aspect, BTreeSet<String>>,
    pub unprobed: Vec<Unprobed>,
    pub totals: Totals,
}

/// What changes where requests run into this on the old and into that on the new side.
#[derive(Debug)]
pub struct Difference<'s> {
    pub spots: Both<Spot<'s>>,
    /// Whether both have the same rules: then the people differ.
    pub same_policies: bool,
    pub scope: Scope,
    pub judged: Rc<Judged>,
}

/// For which of the requests that run into these two it is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    All,
    /// Whatever the path.
    Methods(Vec<Method>),
    /// Host and path, whatever the method.
    Paths(Vec<String>),
    Requests(Vec<(Method, String)>),
}

/// So many requests are prepared together.
const BATCH: usize = 64;

/// Compares what happens to everybody of `crowd`.
pub fn compare<'s>(
    sides: Both<Side<'s>>,
    crowd: &Crowd,
    circumstances: Circumstances,
) -> Comparison<'s> {
    let probes = Probes::of(sides);
    let mut comparer = Comparer {
        sides,
        circumstances,
        judge: Judge::new(sides, crowd, circumstances),
        order: sides.map(|side| {
            let routes = side.table.routes().enumerate();
            routes.map(|(index, route)| (route.id.as_str(), index)).collect()
        }),
        pairs: BTreeMap::new(),
        held_still: BTreeMap::new(),
    };
    let asked: Vec<&Probe> = probes.asked.iter().collect();
    for batch in asked.chunks(BATCH) {
        comparer.put(batch);
    }
    let Comparer { pairs, held_still, .. } = comparer;
    let mut totals = Counter::new(crowd, probes.asked.len());
    for pair in pairs.values() {
        totals.add(pair.sign_in, pair.answers.iter().map(|(judged, _)| judged.as_ref()));
    }
    let mut paths = BTreeMap::<_, BTreeSet<String>>::new();
    for (order, pair) in &pairs {
        for route in [(order.0, usize::MAX), (usize::MAX, order.1)] {
            paths.entry(route).or_default().extend(pair.paths().cloned());
        }
    }
    let pairs = pairs
        .into_iter()
        .filter_map(|(order, pair)| Some(pair.differences(paths.get(&Pair::called(&order))?)));
    let differences = pairs.flatten().collect();
    Comparison { differences, held_still, unprobed: probes.unprobed, totals: totals.counted() }
}

/// Where two spots stand in their files, the new one first; what is none stands last.
type Order = (usize, usize, String);

struct Comparer<'c, 's> {
    sides: Both<Side<'s>>,
    circumstances: Circumstances,
    judge: Judge<'c, 's>,
    order: Both<HashMap<&'s str, usize>>,
    pairs: BTreeMap<Order, Pair<'s>>,
    held_still: BTreeMap<Aspect, BTreeSet<String>>,
}

/// Requests by method, and by host and path.
type Asked = BTreeSet<(Method, String)>;

/// Two spots, and what becomes of the requests that run into them.
struct Pair<'s> {
    spots: Both<Spot<'s>>,
    same_policies: bool,
    sign_in: Option<SignIn>,
    answers: Vec<(Rc<Judged>, Asked)>,
}

impl<'s> Comparer<'_, 's> {
    fn put(&mut self, batch: &[&Probe]) {
        let spots: Vec<_> =
            batch.iter().map(|probe| self.sides.map(|side| probe.spot(side))).collect();
        self.judge.prepare(&spots);
        for (probe, spots) in batch.iter().zip(spots) {
            self.put_one(probe, &spots);
        }
    }

    fn put_one(&mut self, probe: &Probe, spots: &Both<Spot<'s>>) {
        let target = probe.target(self.sides.new).or_else(|_| probe.target(self.sides.old));
        let (Some(route), Ok(target)) = (spots.new.route().or(spots.old.route()), target) else {
            return;
        };
        let same_policies = self.judge.same_policies(spots);
        self.hold_still(spots, same_policies, &route.id);
        let order = self.order_of(spots);
        for method in methods(spots, probe.kind()) {
            let request = Request {
                kind: probe.kind(),
                method: method.name.clone(),
                scheme: "https".to_owned(),
                raw_host: probe.host.clone(),
                raw_path: probe.path.clone(),
                target: Ok(target.clone()),
                source_ip: self.circumstances.ip,
                ..Request::unknown()
            };
            let judged = self.judge.judge(spots, &request);
            let pair = self.pairs.entry(order.clone()).or_insert_with(|| Pair {
                spots: spots.clone(),
                same_policies,
                sign_in: None,
                answers: Vec::new(),
            });
            pair.add(judged, (method, format!("{}{}", probe.host, probe.path)));
        }
    }

    fn order_of(&self, spots: &Both<Spot<'s>>) -> Order {
        let rank = |spot: &Spot<'_>, order: &HashMap<&str, usize>| match spot {
            Spot::Route(route) => order.get(route.id.as_str()).copied().unwrap_or(usize::MAX),
            Spot::Nowhere | Spot::Malformed(_) => usize::MAX,
        };
        let why = |spot: &Spot<'_>| match spot {
            Spot::Malformed(why) => why.clone(),
            Spot::Route(_) | Spot::Nowhere => String::new(),
        };
        let new = rank(&spots.new, &self.order.new);
        (new, rank(&spots.old, &self.order.old), why(&spots.new) + &why(&spots.old))
    }

    fn hold_still(&mut self, spots: &Both<Spot<'s>>, same_policies: bool, id: &RouteId) {
        let policies = [&spots.old, &spots.new].map(enforced);
        let changed = policies.iter().flatten().filter(|_| !same_policies);
        let mut aspects: BTreeSet<Aspect> = changed.flat_map(|policy| policy.aspects()).collect();
        if self.sides.old.wants_certificates(&spots.old)
            != self.sides.new.wants_certificates(&spots.new)
        {
            aspects.insert(Aspect::Certificate);
        }
        for aspect in aspects {
            self.held_still.entry(aspect).or_default().insert(id.to_string());
        }
    }
}

fn methods(spots: &Both<Spot<'_>>, kind: Kind) -> Vec<Method> {
    if kind == Kind::Connect {
        return vec![Method { name: "CONNECT".to_owned(), others: false }];
    }
    let policies = [&spots.old, &spots.new].map(enforced);
    let hints: Vec<_> =
        policies.iter().flatten().flat_map(|policy| policy.method_hints()).collect();
    samples::methods(&hints)
}

impl<'s> Pair<'s> {
    /// Requests that come to the same are told as one.
    fn add(&mut self, judged: Rc<Judged>, asked: (Method, String)) {
        self.sign_in = self.sign_in.or(judged.sign_in);
        let same = self
            .answers
            .iter_mut()
            .find(|(other, _)| Rc::ptr_eq(other, &judged) || other.changes == judged.changes);
        match same {
            Some((_, requests)) => drop(requests.insert(asked)),
            None => self.answers.push((judged, BTreeSet::from([asked]))),
        }
    }

    /// The paths that were asked for.
    fn paths(&self) -> impl Iterator<Item = &String> {
        self.answers.iter().flat_map(|(_, asked)| asked).map(|(_, path)| path)
    }

    /// Where the route stands by which this is called: the new one; where there is none, the old.
    fn called((new, old, _): &Order) -> (usize, usize) {
        if *new == usize::MAX { (usize::MAX, *old) } else { (*new, usize::MAX) }
    }

    /// `of_route` are all paths that were asked for of the route by which this is called.
    fn differences(self, of_route: &BTreeSet<String>) -> Vec<Difference<'s>> {
        let all: Asked = self.answers.iter().flat_map(|(_, asked)| asked).cloned().collect();
        let whole = self.paths().collect::<BTreeSet<_>>().len() == of_route.len();
        let (spots, same_policies) = (self.spots, self.same_policies);
        let changed = self.answers.into_iter().filter(|(judged, _)| !judged.changes.is_empty());
        let difference = |(judged, asked)| {
            let scope = Scope::of(&asked, &all, whole);
            Difference { spots: spots.clone(), same_policies, scope, judged }
        };
        changed.map(difference).collect()
    }
}

impl Scope {
    /// The shortest way to tell `asked` from `all`, and `all` from what else there is, unless it is the
    /// `whole`.
    fn of(asked: &Asked, all: &Asked, whole: bool) -> Self {
        let methods: BTreeSet<&Method> = asked.iter().map(|(method, _)| method).collect();
        let paths: BTreeSet<&String> = asked.iter().map(|(_, path)| path).collect();
        let with_method = |(method, _): &&(Method, String)| methods.contains(method);
        let with_path = |(_, path): &&(Method, String)| paths.contains(path);
        if whole && asked == all {
            Self::All
        } else if whole && all.iter().filter(with_method).count() == asked.len() {
            Self::Methods(methods.into_iter().cloned().collect())
        } else if all.iter().filter(with_path).count() == asked.len() {
            Self::Paths(paths.into_iter().cloned().collect())
        } else {
            Self::Requests(asked.iter().cloned().collect())
        }
    }
}
