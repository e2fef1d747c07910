//! `impersonation`: who may act as whom, why and how long.

use crate::document::{Node, Problem, Problems, Section, Value};
use crate::identity::{AllowRule, ImpersonationRules, Targets};
use std::collections::BTreeSet;

const KEYS: [&str; 4] = ["allow", "deny", "max_duration", "require_reason"];
const TARGET_KEYS: [&str; 3] = ["domains", "groups", "users"];
const ALLOW_KEYS: [&str; 4] = ["by", "domains", "groups", "users"];

/// The rules of the section; what stands elsewhere is left at its default.
pub(super) fn read(section: &Section<'_>, problems: &mut Problems) -> ImpersonationRules {
    let inner = section
        .node("impersonation")
        .and_then(|node| Section::open(node, "impersonation", problems));
    let Some(inner) = inner else {
        return ImpersonationRules::default();
    };
    inner.refuse_unknown(&KEYS, problems);
    ImpersonationRules {
        max_duration: inner.duration("max_duration", problems),
        require_reason: inner.bool("require_reason", problems).unwrap_or(false),
        deny: inner.node("deny").map(|node| deny(node, problems)).unwrap_or_default(),
        allow: inner.node("allow").map(|node| allow(node, problems)),
        ..ImpersonationRules::default()
    }
}

fn deny(node: &Node, problems: &mut Problems) -> Targets {
    let Some(section) = Section::open(node, "deny", problems) else {
        return Targets::default();
    };
    section.refuse_unknown(&TARGET_KEYS, problems);
    targets(&section, problems)
}

/// SECURITY: a list that cannot be read leaves nobody a right.
fn allow(node: &Node, problems: &mut Problems) -> Vec<AllowRule> {
    let Value::List(items) = &node.value else {
        problems.push(
            Problem::new("wrong_type", &node.place, "`allow` must be a list")
                .help("write `allow: [{by: [admin@example.com], groups: [g-staff]}]`"),
        );
        return Vec::new();
    };
    items.iter().filter_map(|item| rule(item, problems)).collect()
}

fn rule(node: &Node, problems: &mut Problems) -> Option<AllowRule> {
    let section = Section::open(node, "allow", problems)?;
    section.refuse_unknown(&ALLOW_KEYS, problems);
    let by = section.texts("by", problems).map(folded);
    let of = targets(&section, problems);
    if of == Targets::default() {
        problems.push(
            Problem::new("missing_field", &node.place, "this rule allows nobody to be acted as")
                .help("say whom with `users`, `domains` or `groups`"),
        );
    }
    Some(AllowRule { by, of })
}

fn targets(section: &Section<'_>, problems: &mut Problems) -> Targets {
    let mut texts = |key| section.texts(key, problems).unwrap_or_default();
    let (users, domains, groups) = (texts("users"), texts("domains"), texts("groups"));
    let domains = domains.iter().map(|domain| domain.to_ascii_lowercase()).collect();
    Targets { users: folded(users), domains, groups: groups.into_iter().collect() }
}

/// User ids are compared as they are, e-mail addresses whatever their case.
fn folded(names: Vec<String>) -> BTreeSet<String> {
    let fold = |name: String| if name.contains('@') { name.to_ascii_lowercase() } else { name };
    names.into_iter().map(fold).collect()
}
