//! Advice about a configuration as a whole: every policy, what policies make of one another on a
//! route, and routes that nothing leads to or nobody gets into.

use super::{Config, Enforcement};
use crate::advice::Advice;
use crate::document::Notice;
use crate::id::RouteId;
use crate::identity::Directory;
use crate::policy::{
    Certificates, Effect, KnownNames, Policy, Protocol, Sides, Surroundings, advise,
    advise_on_route,
};
use crate::route::{From, Route, shadowed};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// So many routes are named for one piece of advice.
const NAMED: usize = 3;

impl Config {
    /// Everything there is to advise about policies and routes, in the order of the file. Groups are
    /// looked up in `directory`.
    pub fn advice(&self, directory: &Directory) -> Vec<Notice> {
        let known = KnownNames::of(directory);
        let told = self.notices.iter().filter(|notice| notice.advice.is_about_policies());
        let mut notices: Vec<Notice> = told.chain(&self.lints).cloned().collect();
        for policy in self.every_policy() {
            notices.extend(advise(policy, &known));
        }
        notices.extend(self.on_routes());
        notices.extend(self.routes.iter().filter_map(nobody_gets_in));
        notices.extend(self.out_of_reach());
        notices.extend(self.unused());
        in_order(notices)
    }

    /// Every policy once, however many routes it stands before.
    fn every_policy(&self) -> impl Iterator<Item = &Policy> {
        let named = self.policies.iter().map(|named| &named.policy);
        let all = named.chain(self.routes.iter().flat_map(|route| &route.policies));
        let mut seen = HashSet::new();
        all.filter(move |policy| seen.insert(Arc::as_ptr(policy))).map(AsRef::as_ref)
    }

    /// What policies make of one another, and of what surrounds them.
    fn on_routes(&self) -> Vec<Notice> {
        let sides =
            self.every_policy().map(|policy| (std::ptr::from_ref(policy), Sides::of(policy)));
        let sides: HashMap<*const Policy, Sides<'_>> = sides.collect();
        let (mut pairs, mut alone) = (BTreeMap::<_, On<'_>>::new(), BTreeMap::<_, On<'_>>::new());
        for route in &self.routes {
            let (protocol, certificates) = (protocol(route), self.certificates_of(route));
            for policy in &route.policies {
                let found = alone.entry((Arc::as_ptr(policy), protocol, certificates));
                let data_sources = &self.data_sources;
                let around = Surroundings { protocol, certificates, data_sources };
                let advice = || On::no_route(advise_on_route(policy, &around));
                found.or_insert_with(advice).add(route, policy.name.is_empty());
                for other in route.policies.iter().filter(|other| !Arc::ptr_eq(policy, other)) {
                    let key = (Arc::as_ptr(policy), Arc::as_ptr(other));
                    let (ours, theirs) = (sides.get(&key.0), sides.get(&key.1));
                    let advice = || ours.zip(theirs).map(|(ours, theirs)| ours.against(theirs));
                    let found = pairs.entry(key);
                    let found = found.or_insert_with(|| On::no_route(advice().unwrap_or_default()));
                    found.add(route, policy.name.is_empty() && other.name.is_empty());
                }
            }
        }
        pairs.into_values().chain(alone.into_values()).flat_map(On::told).collect()
    }

    fn certificates_of(&self, route: &Route) -> Certificates {
        let asked = || route.policies.iter().any(|policy| policy.judges_certificates());
        match (&route.authority, self.certificates.enforcement) {
            (None, _) => Certificates::NotJudged,
            (Some(_), Enforcement::Policy) if !asked() => Certificates::Ignored,
            (
                Some(_),
                Enforcement::Policy
                | Enforcement::PolicyWithDefaultDeny
                | Enforcement::RejectConnection,
            ) => Certificates::Judged,
        }
    }

    fn out_of_reach(&self) -> impl Iterator<Item = Notice> {
        shadowed(&self.routes, self.stored.any_port).into_iter().map(|(route, by)| {
            let message = format!(
                "host and path never lead to `{}`: `{}` at {} takes all it is for; only Envoy can still name it, by `route_id`",
                route.id, by.id, by.place
            );
            let help = format!("put it before `{}`, or remove it", by.id);
            Notice::lint(Advice::ShadowedRoute, &route.place, message).help(help)
        })
    }

    fn unused(&self) -> impl Iterator<Item = Notice> {
        let policies = self.routes.iter().flat_map(|route| &route.policies);
        let used: HashSet<*const Policy> = policies.map(Arc::as_ptr).collect();
        let unused = self.policies.iter().filter(move |named| {
            let silent = named.is_default || named.policy.is_empty();
            !silent && !used.contains(&Arc::as_ptr(&named.policy))
        });
        unused.map(|named| {
            let message = format!("no route uses the policy `{}`", named.policy.name);
            let help = "name it in the `policies` of a route, or remove it";
            Notice::lint(Advice::UnusedPolicy, &named.place, message).help(help)
        })
    }
}

fn protocol(route: &Route) -> Protocol {
    match route.from {
        From::Ssh => Protocol::Ssh,
        From::Http { .. } | From::Tunnel { .. } if route.mcp => Protocol::Mcp,
        From::Http { .. } | From::Tunnel { .. } => Protocol::Http,
    }
}

fn nobody_gets_in(route: &Route) -> Option<Notice> {
    let id = &route.id;
    if route.policies.is_empty() {
        let message = format!(
            "`{id}` has no policy: every request is refused, and nobody is asked to sign in"
        );
        let help =
            "write a `policy`, name `policies`, or set a `default_policy` for all such routes";
        return Some(Notice::lint(Advice::NoPolicy, &route.place, message).help(help));
    }
    let allows = |policy: &Arc<Policy>| policy.is_enforced() && policy.has_rules(Effect::Allow);
    let message = format!("no rule in force lets anybody in at `{id}`: every request is refused");
    let notice = Notice::lint(Advice::NoAllowRule, &route.place, message);
    let help = "write an `allow`; what is in dry run does not count";
    (!route.policies.iter().any(allows)).then(|| notice.help(help))
}

/// What is to be said of policies on some routes.
struct On<'c> {
    notices: Vec<Notice>,
    routes: Vec<&'c RouteId>,
}

impl<'c> On<'c> {
    fn no_route(notices: Vec<Notice>) -> Self {
        Self { notices, routes: Vec::new() }
    }

    /// A route is named only where somebody could ask which is meant.
    fn add(&mut self, route: &'c Route, is_own: bool) {
        if !is_own && !self.notices.is_empty() {
            self.routes.push(&route.id);
        }
    }

    fn told(self) -> impl Iterator<Item = Notice> {
        let on = names(&self.routes);
        self.notices.into_iter().map(move |mut notice| {
            notice.message.push_str(&on);
            notice
        })
    }
}

/// ` (on …)`, for a policy that may stand before other routes too.
fn names(routes: &[&RouteId]) -> String {
    let named: Vec<String> = routes.iter().take(NAMED).map(|id| format!("`{id}`")).collect();
    match routes.len().saturating_sub(NAMED) {
        _ if routes.is_empty() => String::new(),
        0 => format!(" (on {})", named.join(", ")),
        others => format!(" (on {} and {others} more)", named.join(", ")),
    }
}

/// Sorted by place, nothing twice.
fn in_order(mut notices: Vec<Notice>) -> Vec<Notice> {
    notices.sort_by(|a, b| order(a).cmp(&order(b)));
    notices.dedup_by(|a, b| order(a) == order(b) && a.place == b.place);
    notices
}

type Order<'n> = (Option<usize>, Option<usize>, Advice, &'n str);

fn order(notice: &Notice) -> Order<'_> {
    (notice.place.line(), notice.place.column(), notice.advice, &notice.message)
}
