//! Acting as somebody else: the form, the look-ahead, the preview, and the way back.

use super::administration::may_be_noted;
use super::answer::{Trouble, back, page};
use super::person::person_page;
use super::sent::Sent;
use super::view;
use super::visit::{Form, Visit, Visitor};
use crate::activity::{Event, Verb};
use crate::identity::Person;
use crate::pages::{
    DecidingRule, ImpersonationErrors, ImpersonationForm, Message, PreviewPage, PreviewRow,
    Verdict as Word,
};
use crate::people::{
    Acted, Administrator, FieldProblem, Judged, NotPermitted, Source, Wanted, administrator, search,
};
use crate::preview::{Both, Row, Verdict, preview as judge_all};
use crate::session::Impersonation;
use crate::time::parse_duration;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

/// The form, for those who may.
pub(super) fn form_for(visit: &Visit, visitor: &Visitor) -> Option<ImpersonationForm> {
    let rules = &visit.settings().impersonation;
    let may = rules.enabled
        && visitor.in_person().is_ok()
        && administrator(rules, &visitor.caller).is_ok();
    may.then(|| ImpersonationForm {
        reason_required: rules.require_reason,
        max_duration: rules.longest(),
        ..ImpersonationForm::default()
    })
}

/// What an administrator sent, after everything that could be wrong with who sent it.
struct Asked {
    visitor: Visitor,
    by: Administrator,
    wanted: Wanted,
    typed: Form,
}

/// Reads a form of an administrator. SECURITY: whoever may not is refused and written down, whatever
/// the form says; a form that is not from a page of ours is refused before.
async fn asked(visit: &Visit, body: &[u8]) -> Result<Asked, Trouble> {
    let visitor = visit.visitor().await?;
    let used = visitor.in_person()?;
    let typed = match visit.form(body, used.secret.expose()) {
        Ok(typed) => typed,
        Err(trouble) => {
            let event = visit.moment().of_session(Verb::ImpersonationRefused, &used.record);
            let event = Event { detail: "form-refused".to_owned(), ..event };
            if may_be_noted(visit, &used.record)? {
                visit.desk()?.people.note(event).await?;
            }
            return Err(trouble);
        }
    };
    let wanted = Wanted {
        person: typed.text("email").to_owned(),
        groups: typed.text("groups").to_owned(),
        reason: typed.text("reason").to_owned(),
        duration: Some(typed.text("duration"))
            .filter(|text| !text.is_empty())
            .map(|text| parse_duration(text).unwrap_or_default()),
    };
    let rules = &visit.settings().impersonation;
    let why = match administrator(rules, &visitor.caller) {
        Ok(by) if rules.enabled => return Ok(Asked { visitor, by, wanted, typed }),
        Ok(_) => NotPermitted::TurnedOff,
        Err(why) => why,
    };
    let event = visit.moment().of_session(Verb::ImpersonationRefused, &used.record);
    if may_be_noted(visit, &used.record)? {
        visit.desk()?.people.note_refused(event, &wanted, why).await?;
    }
    Err(Trouble { detail: why.to_string(), ..Trouble::of(Message::NotPermitted) })
}

pub(super) async fn start(visit: Visit, Sent(body): Sent) -> Response {
    let answer = started(&visit, &body).await;
    visit.answer(answer)
}

async fn started(visit: &Visit, body: &[u8]) -> Result<Response, Trouble> {
    let Asked { visitor, by, wanted, typed } = asked(visit, body).await?;
    let judged = judged(visit);
    let id = &visitor.in_person()?.record.id;
    let acted = visit.desk()?.people.act_as(id, &by, &wanted, judged, visit.moment()).await?;
    match acted {
        Acted::Started(_) => Ok(back("/.pomerium/?done=acting")),
        Acted::Cleared => Ok(back("/.pomerium/?done=stopped")),
        Acted::Gone => Err(Trouble::of(Message::SignInNeeded)),
        Acted::Invalid(problems) => {
            Ok(again(visit, &visitor, &typed, &problems, StatusCode::UNPROCESSABLE_ENTITY))
        }
        Acted::Refused(why) => {
            let problem = FieldProblem { field: "", message: why.to_string() };
            Ok(again(visit, &visitor, &typed, &[problem], StatusCode::FORBIDDEN))
        }
    }
}

fn judged(visit: &Visit) -> Judged<'_> {
    Judged { rules: &visit.settings().impersonation, directory: &visit.snapshot.directory }
}

/// The page again, with what was typed and what is wrong with it.
fn again(
    visit: &Visit,
    visitor: &Visitor,
    typed: &Form,
    problems: &[FieldProblem],
    status: StatusCode,
) -> Response {
    let form = form_for(visit, visitor).map(|form| filled(&form, typed, problems));
    page(status, person_page(visit, visitor, form, "").render())
}

fn filled(form: &ImpersonationForm, typed: &Form, problems: &[FieldProblem]) -> ImpersonationForm {
    let of = |field: &str| {
        let found = problems.iter().find(|problem| problem.field == field);
        found.map(|problem| view::sentence(&problem.message)).unwrap_or_default()
    };
    ImpersonationForm {
        email: typed.text("email").to_owned(),
        groups: typed.text("groups").to_owned(),
        reason: typed.text("reason").to_owned(),
        duration: typed.text("duration").to_owned(),
        errors: ImpersonationErrors {
            email: of("person"),
            groups: of("groups"),
            reason: of("reason"),
            duration: of("duration"),
            general: of(""),
        },
        reason_required: form.reason_required,
        max_duration: form.max_duration,
    }
}

/// Ends acting as somebody else; also for somebody who has lost the right to begin it.
pub(super) async fn stop(visit: Visit, Sent(body): Sent) -> Response {
    let answer = stopped(&visit, &body).await;
    visit.answer(answer)
}

async fn stopped(visit: &Visit, body: &[u8]) -> Result<Response, Trouble> {
    let visitor = visit.visitor().await?;
    let used = visitor.in_person()?;
    visit.form(body, used.secret.expose())?;
    visit.desk()?.people.stop(&used.record.id, None, visit.moment()).await?;
    Ok(back("/.pomerium/?done=stopped"))
}

pub(super) async fn preview(visit: Visit, Sent(body): Sent) -> Response {
    let answer = previewed(&visit, &body).await;
    visit.answer(answer)
}

async fn previewed(visit: &Visit, body: &[u8]) -> Result<Response, Trouble> {
    let Asked { visitor, by, wanted, typed } = asked(visit, body).await?;
    let judged = judged(visit);
    // A preview needs no reason.
    let unreasoned = Wanted { reason: "preview".to_owned(), ..wanted };
    let mut target = match unreasoned.parse(judged, visit.now) {
        Ok(target) => target,
        Err(problems) => {
            return Ok(again(visit, &visitor, &typed, &problems, StatusCode::UNPROCESSABLE_ENTITY));
        }
    };
    target.known = visit.desk()?.people.known(target.email.as_deref()).await?;
    if !target.is_permitted(by.person(), judged.rules, judged.directory) {
        let message = NotPermitted::Target.to_string();
        let problems = [FieldProblem { field: "", message }];
        return Ok(again(visit, &visitor, &typed, &problems, StatusCode::FORBIDDEN));
    }
    let person = target.person(judged.directory);
    let (snapshot, now) = (Arc::clone(&visit.snapshot), visit.now);
    let (subject, actor) = (person.clone(), by.person().clone());
    let asked = move || judge_all(&snapshot, Both { subject: &subject, actor: &actor }, now);
    let rows = visit.site.tasks.compute(asked).await;
    let rows = rows.ok_or_else(|| Trouble::of(Message::Fault))?;
    let form = form_for(visit, &visitor).unwrap_or_default();
    let shown = PreviewPage {
        frame: view::frame(visit, &visitor),
        target: view::target(&target, judged.directory),
        identity: view::person(&person),
        remark: remark(&target, &person, visit),
        rows: rows.into_iter().map(row).collect(),
        form: filled(&form, &typed, &[]),
    };
    Ok(page(StatusCode::OK, shown.render()))
}

fn remark(target: &Impersonation, person: &Person, visit: &Visit) -> String {
    let listed = visit.snapshot.directory.by_email(&person.email).is_some();
    if target.email.is_some() && target.known.is_none() && !listed {
        return "Neither the directory nor a sign-in knows this address. It has no groups but those you name.".to_owned();
    }
    String::new()
}

fn row(row: Row) -> PreviewRow {
    let rule = row.rule.map(|rule| DecidingRule {
        policy: rule.policy,
        text: rule.text,
        place: rule.place,
    });
    PreviewRow {
        route: row.route,
        place: row.asked,
        verdict: match row.verdict {
            Verdict::Allowed => Word::Allowed,
            Verdict::Denied => Word::Denied,
            Verdict::SignIn => Word::SignIn,
        },
        rule: rule.unwrap_or_default(),
        why: row.why,
    }
}

/// The look-ahead: people and groups that fit what is being typed.
pub(super) async fn people(visit: Visit) -> Response {
    let answer = looked_up(&visit).await;
    visit.answer(answer)
}

async fn looked_up(visit: &Visit) -> Result<Response, Trouble> {
    let visitor = visit.visitor().await?;
    visitor.in_person()?;
    let by = administrator(&visit.settings().impersonation, &visitor.caller);
    let by = by.map_err(|_| Trouble::of(Message::NotPermitted))?;
    let text = visit.parameter("q").unwrap_or_default();
    let people = &visit.desk()?.people;
    let found = search(people, &by, &visit.snapshot.directory, &text).await?;
    let person = |person: &crate::people::FoundPerson| {
        let source = match person.source {
            Source::Directory => "directory",
            Source::SignIn => "sign-in",
        };
        json!({ "id": person.user, "email": person.email, "name": person.name, "source": source })
    };
    let group = |(id, name): &(String, String)| json!({ "id": id, "name": name });
    let body = json!({
        "people": found.people.iter().map(person).collect::<Vec<_>>(),
        "groups": found.groups.iter().map(group).collect::<Vec<_>>(),
        "total": found.people.len(),
    });
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, body.to_string()).into_response())
}
