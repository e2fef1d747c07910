//! `/.pomerium/`: who I am, as a page and as JSON.

use super::acting::form_for;
use super::answer::{Trouble, page, redirect};
use super::view;
use super::visit::{Visit, Visitor};
use crate::identity::Caller;
use crate::pages::PersonPage;
use crate::sign_in::{Goal, sign_in_link};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

pub(super) async fn page_of(visit: &Visit) -> Result<Response, Trouble> {
    let visitor = visit.visitor().await?;
    if visitor.identity().is_none() {
        return sign_in_first(visit);
    }
    let notice = match visit.parameter("done").as_deref() {
        Some("acting") => "You are acting as somebody else now.",
        Some("stopped") => "You are yourself again.",
        Some(_) | None => "",
    };
    let form = form_for(visit, &visitor);
    Ok(page(StatusCode::OK, person_page(visit, &visitor, form, notice).render()))
}

/// The page, with a form for those who may.
pub(super) fn person_page(
    visit: &Visit,
    visitor: &Visitor,
    impersonation: Option<crate::pages::ImpersonationForm>,
    notice: &str,
) -> PersonPage {
    let identity = visitor.identity();
    let acting = identity.filter(|identity| {
        identity.actor.is_some() && matches!(visitor.caller, Caller::Identified(_))
    });
    PersonPage {
        frame: view::frame(visit, visitor),
        person: identity.map(|identity| view::person(identity.holder())).unwrap_or_default(),
        acting_as: acting.map(|identity| view::person(&identity.subject)),
        session: view::session(visitor),
        impersonation,
        notice: notice.to_owned(),
    }
}

pub(super) async fn show(visit: Visit) -> Response {
    let answer = page_of(&visit).await;
    visit.answer(answer)
}

/// Leads to the sign-in page and back to where one is.
fn sign_in_first(visit: &Visit) -> Result<Response, Trouble> {
    let sign_in = visit.sign_in()?;
    let goal = if visit.is_authenticate_host() {
        Goal::Here
    } else {
        let mut redirect = visit.url.clone();
        redirect.set_query(None);
        Goal::Page { redirect, browser: None }
    };
    Ok(redirect(StatusCode::FOUND, sign_in_link(&goal, sign_in, visit.now).as_str()))
}

/// What the assertion would say of the visitor, less what is about the assertion itself.
pub(super) async fn user(visit: Visit) -> Response {
    let answer = match visit.visitor().await {
        Err(trouble) => return visit.trouble(trouble),
        Ok(visitor) => user_json(&visitor),
    };
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    match answer {
        Some(user) => (headers, user.to_string()).into_response(),
        None => {
            let error = json!({ "error": "Unauthenticated" }).to_string();
            (StatusCode::UNAUTHORIZED, headers, error).into_response()
        }
    }
}

fn user_json(visitor: &Visitor) -> Option<Value> {
    let Caller::Identified(identity) = &visitor.caller else {
        return None;
    };
    let subject = &identity.subject;
    let mut user = json!({
        "sub": subject.subject,
        "user": subject.user,
        "email": subject.email,
        "groups": subject.group_ids(),
        "name": subject.name,
        "sid": identity.session.id,
    });
    if let (Some(actor), Some(members)) = (&identity.actor, user.as_object_mut()) {
        let act = json!({ "sub": actor.subject, "email": actor.email });
        members.insert("act".to_owned(), act);
    }
    Some(user)
}
