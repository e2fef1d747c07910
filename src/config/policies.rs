//! The policies of the file: named ones, the default, and what a route says itself.

use super::namespaces::ReadNamespaces;
use crate::advice::Advice;
use crate::document::{Entry, Node, Notice, Place, Problem, Problems, Section, Value, nearest};
use crate::id::NamespaceId;
use crate::identity::{ClaimValue, Claims};
use crate::policy::{Effect, Language, LegacyFields, Mode, Names, Policy, claim_value, compile};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The fields of a route that say who may use it.
const LEGACY_FIELDS: [&str; 6] = [
    "allow_public_unauthenticated_access",
    "allow_any_authenticated_user",
    "allowed_domains",
    "allowed_idp_claims",
    "allowed_users",
    "cors_allow_preflight",
];

/// A policy under `policies`.
#[derive(Debug)]
pub struct NamedPolicy {
    pub policy: Arc<Policy>,
    /// Where its name is written.
    pub place: Place,
    /// Whether `default_policy` names it.
    pub is_default: bool,
    pub namespace: NamespaceId,
    /// It counts on every route of its namespace and below, named there or not.
    pub enforced: bool,
}

/// Where a policy under `policies` counts.
struct Scope {
    namespace: NamespaceId,
    enforced: bool,
}

impl Scope {
    const KEYS: [&str; 2] = ["namespace", "enforced"];

    /// What is said beside the rules, and the rest, which is the policy.
    fn take(
        node: &Node,
        (language, namespaces): (Language, &ReadNamespaces),
        problems: &mut Problems,
    ) -> (Self, Node) {
        let global = Self { namespace: NamespaceId::global(), enforced: false };
        let Value::Map(entries) = &node.value else {
            return (global, node.clone());
        };
        let (own, rest): (Vec<Entry>, Vec<Entry>) =
            entries.iter().cloned().partition(|entry| Self::KEYS.contains(&entry.key.as_str()));
        if own.is_empty() || !language.extensions {
            return (global, node.clone());
        }
        let own = Node { value: Value::Map(own), ..node.clone() };
        let Some(section) = Section::open(&own, "policies", problems) else {
            return (global, node.clone());
        };
        let enforced = section.bool("enforced", problems).unwrap_or(false);
        let scope = Self { namespace: namespaces.of(&section, problems), enforced };
        (scope, Node { value: Value::Map(rest), ..node.clone() })
    }
}

/// What routes share.
pub(super) struct PolicyReader {
    language: Language,
    named: BTreeMap<String, NamedPolicy>,
    /// For routes that say nothing themselves.
    default: Vec<Arc<Policy>>,
}

impl PolicyReader {
    /// Reads `policies` and `default_policy`.
    pub(super) fn read(
        section: &Section<'_>,
        (language, namespaces): (Language, &ReadNamespaces),
        problems: &mut Problems,
    ) -> Self {
        let mut reader = Self { language, named: BTreeMap::new(), default: Vec::new() };
        let policies = named(section, problems);
        for entry in policies.iter().flat_map(Section::entries) {
            let (scope, rest) = Scope::take(&entry.node, (language, namespaces), problems);
            let policy = Arc::new(compile(&rest, language, problems).named(&entry.key));
            let named = NamedPolicy {
                policy,
                place: entry.place.clone(),
                is_default: false,
                namespace: scope.namespace,
                enforced: scope.enforced,
            };
            reader.named.insert(entry.key.clone(), named);
        }
        reader.default = reader.called(section, "default_policy", problems);
        for policy in &reader.default {
            if let Some(named) = reader.named.get_mut(&policy.name) {
                named.is_default = true;
            }
        }
        reader
    }

    /// The policies under `policies`.
    pub(super) fn into_named(self) -> Vec<NamedPolicy> {
        self.named.into_values().collect()
    }

    /// The policies called by name under `key`.
    fn called(
        &self,
        section: &Section<'_>,
        key: &str,
        problems: &mut Problems,
    ) -> Vec<Arc<Policy>> {
        let is_policy = |node: &&Node| items(node).iter().any(|item| item.entries().is_some());
        if let Some(node) = section.node(key).filter(is_policy) {
            problems.push(not_names(section, key, node));
            return Vec::new();
        }
        let names = section.texts(key, problems).unwrap_or_default();
        let found = names.iter().filter(|name| !name.is_empty()).filter_map(|name| {
            let policy = self.named.get(name);
            if policy.is_none() {
                problems.push(self.no_such_policy(section, key, name));
            }
            policy.map(|named| Arc::clone(&named.policy))
        });
        found.collect()
    }

    fn no_such_policy(&self, section: &Section<'_>, key: &str, name: &str) -> Problem {
        let node = section.node(key);
        let item = node.and_then(|node| match &node.value {
            Value::List(items) => {
                items.iter().find(|item| matches!(&item.value, Value::Text(text) if text == name))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {
                None
            }
        });
        let place = item.map_or_else(|| section.place_of(key), |item| &item.place);
        let known: Vec<&str> = self.named.keys().map(String::as_str).collect();
        let help = match nearest(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "define it under `policies:` at the top of the file".to_owned(),
        };
        let message = format!("there is no policy called `{name}`");
        Problem::new("unknown_policy", place, message).help(help)
    }

    /// Everything that decides about a route: its legacy fields, its own policy, those it names; or
    /// the default, if it says nothing at all.
    pub(super) fn of_route(
        &self,
        section: &Section<'_>,
        problems: &mut Problems,
    ) -> Vec<Arc<Policy>> {
        // A key without a value was meant to say something: it keeps the default away.
        let says = |key: &&str| section.entry(key).is_some();
        let legacy_fields = LEGACY_FIELDS.iter().filter(|key| says(key)).count();
        if legacy_fields == 0 && !says(&"policy") && !says(&"policies") {
            return self.default.clone();
        }
        let mut policies = Vec::new();
        if let Some(fields) = legacy(section, problems) {
            let place_of = |field: &str, index: Option<usize>| {
                let item = section.node(field).zip(index).and_then(|(node, at)| node.item(at));
                item.map_or_else(|| section.place_of(field), |item| &item.place).clone()
            };
            policies.push(Arc::new(fields.into_policy(self.language, place_of)));
        }
        if let Some(Entry { node, .. }) = section.entry("policy") {
            policies.extend(self.embedded(node, problems));
        }
        if let Some(entry) = section.entry("policies").filter(|entry| entry.node.is_null()) {
            let problem = Problem::new("wrong_type", &entry.place, "`policies` names no policy");
            problems.push(problem.help("name one, or write `policies: []` for nobody"));
        }
        policies.extend(self.called(section, "policies", problems));
        let own = ["policy", "policies"].into_iter().find_map(|key| section.entry(key));
        let written = policies.iter().skip(usize::from(legacy_fields > 0));
        let allows = written
            .into_iter()
            .any(|policy| policy.mode == Mode::Enforce && policy.has_rules(Effect::Allow));
        if let Some(entry) = own.filter(|_| legacy_fields > 0 && allows) {
            let message = "the allow fields of this route let people in besides those whom its \
                policies allow; only their `deny` restricts them";
            let place = &entry.node.place;
            let notice = Notice::lint(Advice::AllowFieldsBesidePolicy, place, message);
            problems.tell(notice.help("say everything in policies"));
        }
        policies.retain(|policy| !policy.is_empty());
        if !policies.is_empty() && policies.iter().all(|policy| policy.mode == Mode::DryRun) {
            let said = ["policy", "policies"].into_iter().find(says).unwrap_or_default();
            let message = "nobody gets in: every policy of this route is in dry run";
            let notice = Notice::new(Advice::OnlyDryRun, section.place_of(said), message);
            problems.tell(notice.help("enforce one of them: remove its `mode: dry_run`"));
        }
        policies
    }

    fn embedded(&self, node: &Node, problems: &mut Problems) -> Option<Arc<Policy>> {
        let named = items(node).iter().filter_map(|item| self.name_in(item));
        let named: Vec<&str> = named.collect();
        let (message, help) = if !named.is_empty() {
            let help = format!("write `policies: [{}]`", named.join(", "));
            ("`policy` holds a policy, not the name of one", help)
        } else if let Value::Text(_) = &node.value {
            let help = "write the policy as YAML below `policy:`, without `|` or quotes";
            ("`policy` is text", help.to_owned())
        } else {
            return Some(Arc::new(compile(node, self.language, problems)));
        };
        problems.push(Problem::new("root_type", &node.place, message).help(help));
        None
    }

    /// The name of a policy, if that is what stands there.
    fn name_in<'n>(&self, node: &'n Node) -> Option<&'n str> {
        if let Value::Text(text) = &node.value {
            return self.named.contains_key(text).then_some(text);
        }
        None
    }
}

/// `policies`, in which each has a name.
fn named<'s>(section: &Section<'s>, problems: &mut Problems) -> Option<Section<'s>> {
    let node = section.node("policies")?;
    if let Value::List(_) = &node.value {
        let message = "`policies` holds policies by name, not a list";
        let problem = Problem::new("wrong_type", &node.place, message);
        problems.push(problem.help("write `NAME: {allow: …}` for each below it"));
        return None;
    }
    let policies = Section::open(node, "policies", problems)?;
    if let Some(entry) = policies.entry("") {
        let problem = Problem::new("bad_value", &entry.place, "a policy has no name");
        problems.push(problem.help("write a name before the `:`"));
    }
    Some(policies)
}

/// The items of a list; anything else is the one item.
fn items(node: &Node) -> &[Node] {
    if let Value::List(items) = &node.value { items } else { std::slice::from_ref(node) }
}

fn not_names(section: &Section<'_>, key: &str, node: &Node) -> Problem {
    let message = format!("`{}` holds names of policies, not a policy", section.full_name(key));
    let help = if key == "default_policy" {
        "put the policy under `policies:`, and its name here"
    } else {
        "write it under `policy:`, or under `policies:` at the top of the file and its name here"
    };
    Problem::new("wrong_type", &node.place, message).help(help)
}

/// How this file's policies are read.
pub(super) fn language(section: &Section<'_>, problems: &mut Problems) -> Language {
    let strict = section.bool("strict_pomerium", problems).unwrap_or(false);
    let fold_email = section.bool("case_insensitive_email", problems).unwrap_or(false);
    if strict && fold_email {
        let place = section.place_of("case_insensitive_email");
        let message = "`case_insensitive_email` is not Pomerium's, and `strict_pomerium` is on";
        problems.push(
            Problem::new("not_pomerium", place, message).help("set one of the two to `false`"),
        );
    }
    Language { names: Names::AnyCase, extensions: !strict, fold_email }
}

fn legacy(section: &Section<'_>, problems: &mut Problems) -> Option<LegacyFields> {
    let flag = |key: &str, problems: &mut Problems| section.bool(key, problems).unwrap_or(false);
    let fields = LegacyFields {
        allow_public_unauthenticated_access: flag("allow_public_unauthenticated_access", problems),
        cors_allow_preflight: flag("cors_allow_preflight", problems),
        allow_any_authenticated_user: flag("allow_any_authenticated_user", problems),
        allowed_domains: section.texts("allowed_domains", problems),
        allowed_users: section.texts("allowed_users", problems),
        allowed_idp_claims: claims(section, problems),
    };
    let lists = fields.allowed_domains.is_some() || fields.allowed_users.is_some();
    let (public, any) =
        (fields.allow_public_unauthenticated_access, fields.allow_any_authenticated_user);
    let wrong = match (public, any, lists) {
        (true, true, _) | (true, _, true) => (
            "public_with_allowlist",
            "`allow_public_unauthenticated_access` makes the other allow fields meaningless",
        ),
        (_, true, true) => (
            "any_user_with_allowlist",
            "`allow_any_authenticated_user` makes `allowed_users` and `allowed_domains` meaningless",
        ),
        _ => return Some(fields),
    };
    let (code, message) = wrong;
    problems.push(Problem::new(code, section.place(), message).help("remove one or the other"));
    None
}

fn claims(section: &Section<'_>, problems: &mut Problems) -> Claims {
    let Some(node) = section.node("allowed_idp_claims") else {
        return Claims::default();
    };
    match claim_value(node) {
        ClaimValue::Map(claims) => Claims::flatten(claims),
        ClaimValue::Null
        | ClaimValue::Bool(_)
        | ClaimValue::Number(_)
        | ClaimValue::Text(_)
        | ClaimValue::List(_) => {
            let kind = node.value.kind();
            let message = format!("`allowed_idp_claims` must be a map, not {kind}");
            problems.push(
                Problem::new("wrong_type", &node.place, message)
                    .help("write it as `{department: [engineering]}`"),
            );
            Claims::default()
        }
    }
}
