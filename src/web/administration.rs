//! For administrators: everybody's sessions, and what was done.

use super::answer::{Trouble, back, page};
use super::sent::Sent;
use super::site::{Desk, throttle};
use super::view;
use super::visit::{Visit, Visitor};
use crate::activity::{ChainProblem, Entry, Event, Head, Verb, verify};
use crate::id::SessionId;
use crate::pages::{
    ActivityPage, ActivityRow, ConfirmPage, Confirmation, Integrity, Message, Paging, SessionRow,
    SessionsPage,
};
use crate::people::{Administrator, Ending, administrator};
use crate::session::SessionRecord;
use crate::store::{ActivityQuery, SessionQuery};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::PoisonError;

/// How many rows stand on a page.
const ROWS: usize = 50;

/// An administrator, in person.
struct Admin {
    visitor: Visitor,
    by: Administrator,
}

/// Whether a refusal is written down: the first of one session, and then now and again.
pub(super) fn may_be_noted(visit: &Visit, record: &SessionRecord) -> Result<bool, Trouble> {
    let name = format!("refused {}", record.id);
    Ok(throttle(visit.desk()?).admit(&name, None, visit.now).is_ok())
}

/// SECURITY: judged on who holds the session. Whoever may not is refused and written down.
async fn admin(visit: &Visit) -> Result<Admin, Trouble> {
    let visitor = visit.visitor().await?;
    let used = visitor.in_person()?;
    match administrator(&visit.settings().impersonation, &visitor.caller) {
        Ok(by) => Ok(Admin { visitor, by }),
        Err(why) => {
            let event = Event {
                detail: visit.url.path().chars().take(100).collect(),
                ..visit.moment().of_session(Verb::AdministrationRefused, &used.record)
            };
            if may_be_noted(visit, &used.record)? {
                visit.desk()?.people.note(event).await?;
            }
            Err(Trouble { detail: why.to_string(), ..Trouble::of(Message::NotPermitted) })
        }
    }
}

pub(super) async fn sessions(visit: Visit) -> Response {
    let answer = listed(&visit).await;
    visit.answer(answer)
}

async fn listed(visit: &Visit) -> Result<Response, Trouble> {
    let Admin { visitor, .. } = admin(visit).await?;
    let person = visit.parameter("person").unwrap_or_default().trim().to_owned();
    let impersonating = visit.parameter("impersonating").is_some_and(|value| value == "on");
    let offset = visit.parameter("offset").and_then(|text| text.parse().ok()).unwrap_or(0);
    let which = SessionQuery {
        user: user_called(visit, &person).await?,
        impersonating,
        offset,
        limit: ROWS + 1,
        ..SessionQuery::default()
    };
    let mut records = visit.desk()?.people.store().sessions(&which, visit.now).await?;
    let more = records.len() > ROWS;
    records.truncate(ROWS);
    let notice = match visit.parameter("done").as_deref() {
        Some("ended") => "The session has ended, on every host.",
        Some("stopped") => "The impersonation has ended, on every host.",
        Some("gone") => "It had ended already.",
        Some(_) | None => "",
    };
    let own = visitor.session.as_ref();
    let shown = SessionsPage {
        frame: view::frame(visit, &visitor),
        rows: records.iter().map(|record| view::row(visit, record, own)).collect(),
        person,
        impersonating,
        paging: Paging { offset, size: ROWS, more },
        notice: notice.to_owned(),
    };
    Ok(page(StatusCode::OK, shown.render()))
}

/// The user id of somebody whose user id or e-mail address was typed.
async fn user_called(visit: &Visit, person: &str) -> Result<Option<String>, Trouble> {
    if person.is_empty() {
        return Ok(None);
    }
    let known = visit.desk()?.people.known(Some(person)).await?;
    Ok(Some(known.map_or_else(|| person.to_owned(), |account| account.user)))
}

pub(super) async fn ask_end(visit: Visit) -> Response {
    let answer = asked(&visit, Confirmation::EndSession).await;
    visit.answer(answer)
}

pub(super) async fn ask_stop(visit: Visit) -> Response {
    let answer = asked(&visit, Confirmation::StopImpersonation).await;
    visit.answer(answer)
}

async fn asked(
    visit: &Visit,
    question: impl Fn(SessionRow) -> Confirmation,
) -> Result<Response, Trouble> {
    let Admin { visitor, .. } = admin(visit).await?;
    let record = named(visit, &visit.parameter("session").unwrap_or_default()).await?;
    let Some(record) = record else {
        return Ok(back("/.pomerium/admin/sessions?done=gone"));
    };
    let shown = ConfirmPage {
        frame: view::frame(visit, &visitor),
        question: question(view::row(visit, &record, visitor.session.as_ref())),
        back: "/.pomerium/admin/sessions".to_owned(),
    };
    Ok(page(StatusCode::OK, shown.render()))
}

async fn named(visit: &Visit, id: &str) -> Result<Option<SessionRecord>, Trouble> {
    let Some(id) = SessionId::parse(id) else {
        return Ok(None);
    };
    let record = visit.desk()?.people.store().session(&id).await?;
    Ok(record.filter(|record| record.is_live(visit.now)))
}

pub(super) async fn end(visit: Visit, Sent(body): Sent) -> Response {
    let answer = ended(&visit, &body).await;
    visit.answer(answer)
}

async fn ended(visit: &Visit, body: &[u8]) -> Result<Response, Trouble> {
    let Admin { visitor, by } = admin(visit).await?;
    let form = visit.form(body, visitor.in_person()?.secret.expose())?;
    let Some(id) = SessionId::parse(form.text("session")) else {
        return Ok(back("/.pomerium/admin/sessions?done=gone"));
    };
    let ended = visit.desk()?.people.end(&id, &Ending::Revoked(by), visit.moment()).await?;
    Ok(back(&format!("/.pomerium/admin/sessions?done={}", if ended { "ended" } else { "gone" })))
}

pub(super) async fn stop(visit: Visit, Sent(body): Sent) -> Response {
    let answer = stopped(&visit, &body).await;
    visit.answer(answer)
}

async fn stopped(visit: &Visit, body: &[u8]) -> Result<Response, Trouble> {
    let Admin { visitor, by } = admin(visit).await?;
    let form = visit.form(body, visitor.in_person()?.secret.expose())?;
    let Some(id) = SessionId::parse(form.text("session")) else {
        return Ok(back("/.pomerium/admin/sessions?done=gone"));
    };
    let stopped = visit.desk()?.people.stop(&id, Some(&by), visit.moment()).await?;
    let done = if stopped { "stopped" } else { "gone" };
    Ok(back(&format!("/.pomerium/admin/sessions?done={done}")))
}

pub(super) async fn activity(visit: Visit) -> Response {
    let answer = told(&visit).await;
    visit.answer(answer)
}

async fn told(visit: &Visit) -> Result<Response, Trouble> {
    let Admin { visitor, .. } = admin(visit).await?;
    let who = visit.parameter("who").unwrap_or_default().trim().to_owned();
    let before = visit.parameter("before").and_then(|text| text.parse().ok());
    let which = ActivityQuery {
        who: (!who.is_empty()).then(|| who.clone()),
        before,
        limit: ROWS + 1,
        ..ActivityQuery::default()
    };
    let mut entries = visit.desk()?.people.store().activity(&which).await?;
    let more = entries.len() > ROWS;
    entries.truncate(ROWS);
    let shown = ActivityPage {
        frame: view::frame(visit, &visitor),
        rows: entries.iter().map(|entry| row(visit, entry)).collect(),
        who,
        before,
        more,
        integrity: integrity(visit.desk()?, &entries).await?,
    };
    Ok(page(StatusCode::OK, shown.render()))
}

/// How many entries are verified for one page; the next page goes on from there.
const VERIFIED_AT_ONCE: usize = 5000;

/// How far the log is as it was written: what was verified before is still there, what is new follows it,
/// and every entry on this page follows the one before it.
pub(crate) async fn integrity(desk: &Desk, shown: &[Entry]) -> Result<Integrity, Trouble> {
    let verified = || desk.verified.lock().unwrap_or_else(PoisonError::into_inner);
    let before = verified().clone();
    let store = desk.people.store();
    let from = before.number.saturating_sub(1);
    let mut entries = store.activity_after(from, VERIFIED_AT_ONCE).await?;
    if before.number > 0 {
        if entries.first().is_none_or(|first| first.head() != before) {
            return Ok(Integrity::Broken(before.number));
        }
        entries.remove(0);
    }
    for entry in shown {
        if let Err(problem) = follows(desk, entry).await? {
            return Ok(Integrity::Broken(problem.number()));
        }
    }
    match verify(&desk.chain, before, &entries) {
        Ok(head) => {
            let mut verified = verified();
            if head.number > verified.number {
                *verified = head.clone();
            }
            Ok(Integrity::Verified(head.number))
        }
        Err(problem) => {
            tracing::error!(%problem, "the activity log is not as it was written");
            Ok(Integrity::Broken(problem.number()))
        }
    }
}

/// Whether an entry is what was written after the one before it.
async fn follows(desk: &Desk, entry: &Entry) -> Result<Result<Head, ChainProblem>, Trouble> {
    let number = entry.number.saturating_sub(1);
    let head = match number {
        0 => Head::default(),
        _ => {
            let store = desk.people.store();
            let before = store.activity_after(number.saturating_sub(1), 1).await?;
            before.first().map(Entry::head).unwrap_or_default()
        }
    };
    Ok(verify(&desk.chain, head, [entry]))
}

fn row(visit: &Visit, entry: &Entry) -> ActivityRow {
    let Event { at, verb, actor, subject, session, reason, detail, origin, .. } = &entry.event;
    let (called, id) = if actor.email.is_empty() {
        (actor.user.clone(), String::new())
    } else {
        (actor.email.clone(), actor.user.clone())
    };
    let directory = &visit.snapshot.directory;
    ActivityRow {
        number: entry.number,
        at: *at,
        verb: *verb,
        actor: called,
        actor_id: id,
        subject: subject.as_ref().map(|who| view::target_of_entry(who, directory)),
        reason: reason.clone(),
        detail: detail.clone(),
        address: origin.address.clone(),
        request_id: origin.request_id.clone(),
        session: session.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}
