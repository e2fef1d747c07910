//! An explanation as text for people and as JSON for programs.

use crate::assertion::ASSERTION_HEADER;
use crate::authorizer::{Answer, Outcome};
use crate::document::Place;
use crate::identity::{Identity, Person, TokenError};
use crate::policy::{
    CriterionTrace, DenyReason, Effect, Explanation, GroupTrace, Mode, Reasons, Verdict,
};
use crate::route::{Route, Table};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

/// What was asked, what was answered, and why.
pub(super) struct Told<'t> {
    pub(super) asked: &'t str,
    pub(super) answer: &'t Answer,
    pub(super) explanation: &'t Explanation,
}

/// The longest criterion shown as text, in characters.
const SHOWN: usize = 100;

impl Told<'_> {
    pub(super) fn text(&self, table: &Table) -> String {
        let record = &self.answer.record;
        let mut lines = vec![format!("{}: {}", self.outcome(), self.asked)];
        lines.push(format!("as       {}", self.who()));
        lines.push(match self.route(table) {
            Some(route) => {
                format!("route    `{}`, {}, {} ({})", route.id, route.from, route.path, route.place)
            }
            None => "route    none".to_owned(),
        });
        if let Some(DenyReason::Malformed(why)) = &record.denied {
            lines.push(format!("because  {why}"));
        }
        if let Some(error) = &record.certificate_error {
            lines.push(format!("note     the client certificate is not good: {error}"));
        }
        self.decided(&mut lines);
        if self.route(table).is_some_and(|route| route.policies.is_empty()) {
            lines.push("because  the route has no policy, so nobody is allowed".to_owned());
        }
        self.tree(&mut lines);
        self.rehearsal(&mut lines);
        self.headers(&mut lines);
        lines.join("\n") + "\n"
    }

    fn outcome(&self) -> String {
        match &self.answer.record.denied {
            None => "allowed".to_owned(),
            Some(DenyReason::Unauthenticated(_)) => "denied, sign-in needed".to_owned(),
            Some(reason) => format!("denied ({})", reason.code()),
        }
    }

    fn who(&self) -> String {
        let record = &self.answer.record;
        let error = record.session_error.as_ref().map(TokenError::code);
        match (record.identity.as_deref(), error) {
            (None, None) => "nobody".to_owned(),
            (None, Some(code)) => format!("nobody: the token is no good ({code})"),
            (Some(identity), _) => somebody(identity),
        }
    }

    fn route<'r>(&self, table: &'r Table) -> Option<&'r Route> {
        let id = self.answer.record.route.as_ref()?;
        table.routes().find(|route| route.id == *id)
    }

    fn deciding(&self) -> impl Iterator<Item = (&GroupTrace, &CriterionTrace)> {
        self.explanation.deciding(self.answer.record.denied.as_ref())
    }

    fn decided(&self, lines: &mut Vec<String>) {
        for (group, criterion) in self.deciding() {
            let (effect, operator) = (group.effect.name(), group.operator.name());
            let text = short(&criterion.text);
            lines.push(format!(
                "decided  {} in `{effect}: {operator}` {}: {}, it saw {}",
                text,
                criterion.place,
                if criterion.holds { "holds" } else { "does not hold" },
                criterion.saw,
            ));
        }
    }

    fn tree(&self, lines: &mut Vec<String>) {
        let record = &self.answer.record;
        for (effect, verdict) in [(Effect::Allow, record.allow), (Effect::Deny, record.deny)] {
            let groups = || self.explanation.groups.iter().filter(|group| group.effect == effect);
            if groups().next().is_none() {
                continue;
            }
            lines.push(String::new());
            lines.push(format!("{} {}", effect.name(), verdict_text(verdict)));
            for group in groups() {
                lines.extend(group_lines(group));
            }
        }
    }

    fn rehearsal(&self, lines: &mut Vec<String>) {
        let record = &self.answer.record;
        if let (Some(word), Some(rehearsal)) = (record.rehearsed(), &record.rehearsal) {
            let code = rehearsal.denied.as_ref().map_or("allowed", DenyReason::code);
            lines.push(String::new());
            lines.push(format!("with the policies in dry run enforced: {code} ({word})"));
        }
    }

    fn headers(&self, lines: &mut Vec<String>) {
        let Outcome::Admit(plan) = &self.answer.outcome else { return };
        lines.push(String::new());
        lines.push("headers to the upstream".to_owned());
        for (name, value) in plan.set() {
            lines.push(match shown(name, value) {
                Value::Null => format!("  set     {name}"),
                Value::String(text) => format!("  set     {name}: {}", short(&text)),
                claims @ (Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_)) => format!("  set     {name}, which says {claims}"),
            });
        }
        for name in plan.remove() {
            lines.push(format!("  remove  {name}"));
        }
    }

    pub(super) fn json(&self, table: &Table) -> Value {
        let record = &self.answer.record;
        let route = self.route(table);
        let deciding: Vec<Value> = self
            .deciding()
            .map(|(group, criterion)| {
                json!({ "effect": group.effect.name(), "operator": group.operator.name(), "policy": group.policy, "criterion": criterion_json(criterion) })
            })
            .collect();
        let groups: Vec<Value> = self.explanation.groups.iter().map(group_json).collect();
        let (set, remove) = match &self.answer.outcome {
            Outcome::Admit(plan) => (
                plan.set().map(|(name, value)| (name.to_string(), shown(name, value))).collect(),
                plan.remove().map(str::to_owned).collect(),
            ),
            Outcome::Refuse(_) => (std::collections::BTreeMap::new(), Vec::new()),
        };
        json!({
            "asked": self.asked,
            "allowed": record.denied.is_none(),
            "reason": record.denied.as_ref().map(DenyReason::code),
            "route": route.map(|route| json!({ "id": route.id.as_str(), "place": place_json(&route.place) })),
            "identity": record.identity.as_deref().map(identity_json),
            "session_error": record.session_error.as_ref().map(TokenError::code),
            "allow": verdict_json(record.allow),
            "deny": verdict_json(record.deny),
            "decided_by": deciding,
            "groups": groups,
            "dry_run": record.rehearsed(),
            "headers": { "set": set, "remove": remove },
        })
    }
}

fn somebody(identity: &Identity) -> String {
    let name = |person: &Person| match (person.email.as_str(), person.user.as_str()) {
        ("", "") => "a member of the groups".to_owned(),
        ("", user) => user.to_owned(),
        (email, _) => email.to_owned(),
    };
    let groups = match identity.subject.groups.as_deref() {
        None => "unknown to the directory".to_owned(),
        Some([]) => "no groups".to_owned(),
        Some(groups) => groups.join(", "),
    };
    let kind = if identity.session.is_service { ", a service account" } else { "" };
    let actor = identity.actor.as_ref();
    let actor = actor.map(|actor| format!(", acted for by {}", name(actor))).unwrap_or_default();
    format!("{} ({groups}{kind}{actor})", name(&identity.subject))
}

fn verdict_text(verdict: Verdict) -> String {
    let holds = if verdict.holds { "holds" } else { "does not hold" };
    format!("{holds}: {}", names(verdict.reasons))
}

fn names(reasons: Reasons) -> String {
    let names: Vec<&str> = reasons.names().collect();
    if names.is_empty() { "no rule".to_owned() } else { names.join(", ") }
}

fn group_lines(group: &GroupTrace) -> Vec<String> {
    let mark = |counts: bool| if counts { "+" } else { "-" };
    let named =
        if group.policy.is_empty() { String::new() } else { format!(" of `{}`", group.policy) };
    let rehearsed = match group.mode {
        Mode::Enforce => "",
        Mode::DryRun => " (dry run)",
    };
    let mut lines = vec![format!(
        "  {} {}{named}{rehearsed}  {}",
        mark(group.verdict.holds),
        group.operator.name(),
        group.place,
    )];
    for criterion in &group.criteria {
        let many = match criterion.stands_for {
            1 => String::new(),
            many => format!(" (one of {many})"),
        };
        lines.push(format!(
            "    {} {}{many}  saw {}: {}  {}",
            mark(criterion.counts(group.operator)),
            short(&criterion.text),
            criterion.saw,
            criterion.reason.name(),
            criterion.place,
        ));
    }
    lines
}

/// What may be seen of a header: SECURITY: an assertion is shown by its claims, never so that it can
/// be used, and what an operator sets may be a secret.
fn shown(name: &HeaderName, value: &HeaderValue) -> Value {
    let text = String::from_utf8_lossy(value.as_bytes());
    if *name == ASSERTION_HEADER {
        let payload = text.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        return payload.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
    }
    if name.as_str().starts_with("x-pomerium-claim-") {
        return json!(text);
    }
    Value::Null
}

fn short(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}

fn place_json(place: &Place) -> Value {
    json!({ "source": place.source(), "line": place.line(), "column": place.column() })
}

fn verdict_json(verdict: Verdict) -> Value {
    json!({ "holds": verdict.holds, "reasons": verdict.reasons.names().collect::<Vec<_>>() })
}

fn identity_json(identity: &Identity) -> Value {
    let person = |person: &Person| json!({ "user": person.user, "email": person.email, "groups": person.groups });
    json!({
        "subject": person(&identity.subject),
        "actor": identity.actor.as_ref().map(person),
        "service_account": identity.session.is_service,
    })
}

fn group_json(group: &GroupTrace) -> Value {
    json!({
        "policy": group.policy,
        "dry_run": group.mode == Mode::DryRun,
        "effect": group.effect.name(),
        "operator": group.operator.name(),
        "holds": group.verdict.holds,
        "reasons": group.verdict.reasons.names().collect::<Vec<_>>(),
        "place": place_json(&group.place),
        "criteria": group.criteria.iter().map(criterion_json).collect::<Vec<_>>(),
    })
}

fn criterion_json(criterion: &CriterionTrace) -> Value {
    json!({
        "text": criterion.text,
        "place": place_json(&criterion.place),
        "saw": criterion.saw,
        "holds": criterion.holds,
        "reason": criterion.reason.name(),
        "stands_for": criterion.stands_for,
    })
}
