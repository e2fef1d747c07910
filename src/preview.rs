//! What somebody would get on every route: the questions put to the authorizer that answers Envoy.

use crate::authorizer::{Authorizer, Supposed};
use crate::comparison::sample;
use crate::identity::{Caller, Identity, Person, Session, Source};
use crate::policy::{DenyReason, Explanation};
use crate::route::Route;
use crate::state::Snapshot;
use crate::supposition::Supposition;
use crate::time::Timestamp;
use std::sync::Arc;

/// What one route answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub route: String,
    /// Method and address that were asked for.
    pub asked: String,
    pub verdict: Verdict,
    /// What decided.
    pub rule: Option<Rule>,
    /// In one sentence, if no rule says it.
    pub why: String,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    Denied,
    SignIn,
}

/// A rule that decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub policy: String,
    pub text: String,
    /// `FILE:LINE:COLUMN`
    pub place: String,
}

/// Who would be acted as, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct Both<'a> {
    pub subject: &'a Person,
    pub actor: &'a Person,
}

/// Asks every route: one `GET` of an address that leads to it.
pub fn preview(snapshot: &Snapshot, who: Both<'_>, now: Timestamp) -> Vec<Row> {
    let authorizer = Authorizer::new();
    let routes = snapshot.table().routes();
    routes.map(|route| ask(&authorizer, snapshot, route, (who, now))).collect()
}

fn ask(
    authorizer: &Authorizer,
    snapshot: &Snapshot,
    route: &Route,
    (who, now): (Both<'_>, Timestamp),
) -> Row {
    let row = |asked: String, verdict, rule, why: &str| Row {
        route: route.id.to_string(),
        asked,
        verdict,
        rule,
        why: why.to_owned(),
    };
    let Some(url) = sample(snapshot, route) else {
        let asked = format!("{}, {}", route.from, route.path);
        return row(asked, Verdict::Denied, None, "No address leads to this route.");
    };
    let asked = format!("GET {}{}", url.host, url.path);
    let supposition = Supposition { method: "GET".to_owned(), url, now, ..Supposition::default() };
    let supposed = Supposed { caller: Some(caller(who)), ..Supposed::default() };
    let request = supposition.request(&snapshot.settings);
    match authorizer.explain(snapshot, &request, &supposed, now) {
        Err(_) => row(asked, Verdict::Denied, None, "Nothing could be decided."),
        Ok((answer, explanation)) => {
            let denied = answer.record.denied.as_ref();
            let verdict = match denied {
                None => Verdict::Allowed,
                Some(DenyReason::Unauthenticated(_)) => Verdict::SignIn,
                Some(_) => Verdict::Denied,
            };
            let rule = rule(&explanation, denied);
            let why = if rule.is_none() { "No rule lets anybody in." } else { "" };
            row(asked, verdict, rule, why)
        }
    }
}

fn rule(explanation: &Explanation, denied: Option<&DenyReason>) -> Option<Rule> {
    let (group, criterion) = explanation.deciding(denied).next()?;
    Some(Rule {
        policy: group.policy.clone(),
        text: criterion.text.clone(),
        place: criterion.place.to_string(),
    })
}

/// As a session that acts would come.
fn caller(who: Both<'_>) -> Caller {
    let session = Session {
        id: String::new(),
        source: Source::Cookie,
        is_service: false,
        usable_until: Timestamp::from_unix(i64::MAX),
        devices: Arc::default(),
    };
    Caller::Identified(Arc::new(Identity {
        subject: who.subject.clone(),
        actor: Some(who.actor.clone()),
        session,
    }))
}
