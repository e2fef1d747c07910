//! The editor of policies, for new ones and those of the store.

use super::form::{fresh_key, key, version};
use super::refusal::mistakes;
use super::{Answer, Refusal, Seat, builder, policies};
use crate::admin::{AdminError, NewPolicy, PolicyEdit, PolicyView, RouteWanted};
use crate::document::Problem;
use crate::id::{NamespaceId, PolicyId};
use crate::namespace::Role;
use crate::pages::console::{
    Mistake, Mistakes, PolicyBody, PolicyEditorPage, PolicyForm, ProblemShown, RouteChoice,
    RuleRow, path,
};
use crate::web::{Form, back, page};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is being edited.
struct Draft {
    /// `None` for a new one.
    id: Option<PolicyId>,
    namespace: NamespaceId,
    form: PolicyForm,
    body: PolicyBody,
    /// The routes it is given to.
    routes: BTreeSet<String>,
    problems: Vec<ProblemShown>,
    good: bool,
    mistakes: Mistakes,
}

/// The most rules that rows show.
const ROWS: usize = 200;

pub(super) async fn ask_new(seat: Arc<Seat>) -> Answer {
    let user = seat.parameter("for");
    let draft = Draft {
        id: None,
        namespace: seat.namespace.clone(),
        form: PolicyForm { key: fresh_key(), ..PolicyForm::default() },
        body: PolicyBody::Builder(vec![rule_for(&user)]),
        routes: BTreeSet::new(),
        problems: Vec::new(),
        good: false,
        mistakes: Mistakes::default(),
    };
    editor(&seat, draft, StatusCode::OK).await
}

/// Allows one user.
fn rule_for(user: &str) -> RuleRow {
    RuleRow {
        criterion: "user".to_owned(),
        operator: "is".to_owned(),
        value: user.to_owned(),
        ..RuleRow::default()
    }
}

pub(super) async fn ask_edit(seat: Arc<Seat>) -> Answer {
    let (id, view) = policies::changeable(&seat).await?;
    let user = seat.parameter("for");
    let body = match builder::rows(&view.text) {
        Ok(mut rows) => {
            if !user.is_empty() && !rows.iter().any(|row| row.value == user) {
                rows.push(rule_for(&user));
            }
            PolicyBody::Builder(rows)
        }
        Err(why) if user.is_empty() => PolicyBody::Text { text: view.text.clone(), why },
        Err(why) => {
            let why = format!("{why} Add `- user: {{is: {user}}}` below an `or` of its `allow`.");
            PolicyBody::Text { text: view.text.clone(), why }
        }
    };
    let form = PolicyForm {
        name: view.name.clone(),
        description: view.description.clone(),
        explanation: view.explanation.clone(),
        remediation: view.remediation.clone(),
        enforced: view.enforced,
        key: String::new(),
        version: view.version.to_string(),
    };
    let draft = Draft {
        routes: given(&seat, &id),
        namespace: view.namespace.clone(),
        problems: Vec::new(),
        good: false,
        mistakes: Mistakes::default(),
        id: Some(id),
        form,
        body,
    };
    editor(&seat, draft, StatusCode::OK).await
}

/// The routes that a policy is given to, whether or not it is enforced.
fn given(seat: &Seat, id: &PolicyId) -> BTreeSet<String> {
    let stored = &seat.visit.snapshot.catalog.stored.policies;
    let found = stored.iter().find(|record| record.id == *id);
    found.map(|record| record.routes.clone()).unwrap_or_default()
}

async fn editor(seat: &Seat, draft: Draft, status: StatusCode) -> Answer {
    let role = seat.role(&draft.namespace);
    if role < Some(Role::Manager) {
        return Err(seat.takes(Role::Manager, &draft.namespace).into());
    }
    let which = RouteWanted {
        namespace: Some(draft.namespace.clone()),
        recursive: true,
        ..RouteWanted::default()
    };
    let (views, _) = seat.admin.routes(&seat.actor, &which).await?;
    let named: BTreeSet<&str> = seat
        .visit
        .snapshot
        .catalog
        .table
        .routes()
        .filter(|route| route.named)
        .map(|route| route.id.as_str())
        .collect();
    let choices = views.iter().filter(|view| named.contains(view.id.as_str()));
    let choices = choices.map(|view| RouteChoice {
        id: view.id.to_string(),
        from: view.from.clone(),
        namespace: view.namespace_path.clone(),
        chosen: draft.routes.contains(view.id.as_str()),
    });
    let shown = PolicyEditorPage {
        frame: seat.frame(),
        id: draft.id.as_ref().map(ToString::to_string).unwrap_or_default(),
        namespace: seat.tree().path(&draft.namespace),
        namespace_id: draft.namespace.to_string(),
        form: draft.form,
        body: draft.body,
        problems: draft.problems,
        good: draft.good,
        routes: choices.collect(),
        reach: u64::try_from(views.len()).unwrap_or(u64::MAX),
        administers: role >= Some(Role::Admin),
        mistakes: draft.mistakes,
    };
    Ok(page(status, shown.render()))
}

pub(super) async fn create(seat: Arc<Seat>, posted: Form) -> Answer {
    let namespace = NamespaceId::parse(posted.text("namespace"));
    let namespace = namespace.unwrap_or_else(|| seat.namespace.clone());
    let draft = typed(&posted, None, namespace);
    act(&seat, &posted, draft).await
}

pub(super) async fn edit(seat: Arc<Seat>, posted: Form) -> Answer {
    let (id, view) = policies::changeable(&seat).await?;
    let draft = typed(&posted, Some(id), view.namespace.clone());
    act(&seat, &posted, draft).await
}

fn typed(posted: &Form, id: Option<PolicyId>, namespace: NamespaceId) -> Draft {
    let text = |name: &str| posted.text(name).trim().to_owned();
    let body = if posted.text("view") == "builder" {
        PolicyBody::Builder(typed_rows(posted))
    } else {
        let text = posted.text("text").replace("\r\n", "\n");
        PolicyBody::Text { text, why: String::new() }
    };
    let routes = posted.fields().filter(|(name, _)| name.starts_with("to-"));
    Draft {
        id,
        namespace,
        form: PolicyForm {
            name: text("name"),
            description: text("description"),
            explanation: text("explanation"),
            remediation: text("remediation"),
            enforced: posted.text("enforced") == "on",
            key: text("key"),
            version: text("version"),
        },
        body,
        routes: routes.map(|(_, id)| id.to_owned()).collect(),
        problems: Vec::new(),
        good: false,
        mistakes: Mistakes::default(),
    }
}

fn typed_rows(posted: &Form) -> Vec<RuleRow> {
    let is_there = |nth: &usize| !posted.text(&format!("criterion-{nth}")).is_empty();
    let row = |nth: usize| {
        let text = |name: &str| posted.text(&format!("{name}-{nth}")).trim().to_owned();
        RuleRow {
            deny: text("effect") == "deny",
            criterion: text("criterion"),
            of: text("of"),
            operator: text("operator"),
            value: text("value"),
            wrong: String::new(),
        }
    };
    (0..ROWS).filter(is_there).map(row).collect()
}

async fn act(seat: &Seat, posted: &Form, mut draft: Draft) -> Answer {
    match posted.text("do") {
        "save" => return save(seat, draft).await,
        "check" => check(seat, &mut draft).await?,
        "text" => {
            if let PolicyBody::Builder(rows) = &draft.body {
                let text = builder::text(rows);
                draft.body = PolicyBody::Text { text, why: String::new() };
            }
        }
        "builder" => {
            if let PolicyBody::Text { text, why } = &mut draft.body {
                match builder::rows(text) {
                    Ok(rows) => draft.body = PolicyBody::Builder(rows),
                    Err(found) => *why = found,
                }
            }
        }
        "add" => {
            if let PolicyBody::Builder(rows) = &mut draft.body {
                rows.push(rule_for(""));
            }
        }
        other => {
            let nth = other.strip_prefix("remove-").and_then(|nth| nth.parse::<usize>().ok());
            if let (PolicyBody::Builder(rows), Some(nth)) = (&mut draft.body, nth)
                && nth < rows.len()
            {
                rows.remove(nth);
            }
        }
    }
    editor(seat, draft, StatusCode::OK).await
}

impl Draft {
    /// The policy as text.
    fn text(&self) -> String {
        match &self.body {
            PolicyBody::Builder(rows) => builder::text(rows),
            PolicyBody::Text { text, .. } => text.clone(),
        }
    }

    /// The field that the policy stands in.
    fn field(&self) -> &'static str {
        match self.body {
            PolicyBody::Builder(_) => "",
            PolicyBody::Text { .. } => "text",
        }
    }
}

/// Compiles the policy, and tells what is wrong with it.
async fn check(seat: &Seat, draft: &mut Draft) -> Result<(), Refusal> {
    let rows_are_good = match &mut draft.body {
        PolicyBody::Builder(rows) => builder::judge(rows),
        PolicyBody::Text { .. } => true,
    };
    let problems = seat.admin.check_policy(&seat.actor, &draft.text()).await?;
    draft.good = problems.is_empty() && rows_are_good;
    // Of rows that are wrong it is said beside them.
    if rows_are_good {
        draft.problems = problems.into_iter().map(shown).collect();
    }
    if let PolicyBody::Builder(_) = draft.body {
        for problem in &mut draft.problems {
            (problem.line, problem.column) = (0, 0);
        }
    }
    Ok(())
}

fn shown(problem: Problem) -> ProblemShown {
    ProblemShown {
        line: problem.place.line().unwrap_or_default(),
        column: problem.place.column().unwrap_or_default(),
        message: problem.message,
        help: problem.help.unwrap_or_default(),
    }
}

async fn save(seat: &Seat, mut draft: Draft) -> Answer {
    check(seat, &mut draft).await?;
    if !draft.good {
        let message = "The policy does not compile yet.".to_owned();
        draft.mistakes.0.push(Mistake { field: draft.field().to_owned(), message });
        return editor(seat, draft, StatusCode::BAD_REQUEST).await;
    }
    draft.good = false;
    let error = match stored(seat, &draft).await {
        Ok(view) => {
            let done = if draft.id.is_some() { "saved" } else { "created" };
            let there = path::policy(&view.id, "");
            return Ok(back(&format!("{there}&done={done}")));
        }
        Err(error) => error,
    };
    if let (AdminError::Changed, Some(id)) = (&error, &draft.id) {
        let view = seat.admin.policy(&seat.actor, id.as_str()).await?;
        draft.form.version = view.version.to_string();
    }
    let names = [("policy", draft.field()), ("routes", ""), ("idempotency_key", "")];
    draft.mistakes = mistakes(error, &names)?;
    editor(seat, draft, StatusCode::BAD_REQUEST).await
}

async fn stored(seat: &Seat, draft: &Draft) -> Result<PolicyView, AdminError> {
    let (form, text, routes) = (draft.form.clone(), draft.text(), draft.routes.clone());
    let Some(id) = &draft.id else {
        let new = NewPolicy {
            namespace: draft.namespace.clone(),
            name: form.name,
            description: form.description,
            explanation: form.explanation,
            remediation: form.remediation,
            text,
            enforced: form.enforced,
            routes,
            idempotency_key: key(&form.key),
        };
        return seat.admin.create_policy(&seat.actor, new, seat.moment()).await;
    };
    let edit = PolicyEdit {
        name: Some(form.name),
        description: Some(form.description),
        explanation: Some(form.explanation),
        remediation: Some(form.remediation),
        text: Some(text),
        enforced: Some(form.enforced),
        routes: Some(routes),
        expected: version(&form.version),
    };
    seat.admin.update_policy(&seat.actor, id, edit, seat.moment()).await
}

/// `POST`: what is wrong with a policy, as JSON; for what is being typed.
pub(super) async fn check_text(seat: Arc<Seat>, posted: Form) -> Answer {
    let text = if posted.text("view") == "builder" {
        builder::text(&typed_rows(&posted))
    } else {
        posted.text("text").replace("\r\n", "\n")
    };
    let problem = |problem: Problem| {
        json!({
            "line": problem.place.line(),
            "column": problem.place.column(),
            "code": problem.code,
            "message": problem.message,
            "help": problem.help,
        })
    };
    let problems = seat.admin.check_policy(&seat.actor, &text).await?;
    let problems: Vec<_> = problems.into_iter().map(problem).collect();
    Ok(json_answer(&json!({ "problems": problems })))
}

/// JSON for the script of a page.
pub(super) fn json_answer(value: &serde_json::Value) -> Response {
    let headers = [(axum::http::header::CONTENT_TYPE, "application/json")];
    let kept = [(axum::http::header::CACHE_CONTROL, "no-store")];
    let sniffed = [(axum::http::header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, kept, sniffed, value.to_string()).into_response()
}
