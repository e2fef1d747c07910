//! Several service accounts at once.

use super::{Answer, Refusal, Seat};
use crate::admin::{AccountView, AdminError, FieldError};
use crate::id::ServiceAccountId;
use crate::pages::console::{QuestionPage, Thing, path};
use crate::web::{Form, back, page};
use axum::http::StatusCode;
use std::sync::Arc;

/// So many at once.
const MOST: usize = 200;

pub(super) async fn act(seat: Arc<Seat>, form: Form) -> Answer {
    let named = form.fields().filter_map(|(name, _)| name.strip_prefix("pick-"));
    let ids: Vec<ServiceAccountId> = named.filter_map(ServiceAccountId::parse).take(MOST).collect();
    if ids.is_empty() {
        return Err(nothing("choose at least one account"));
    }
    let verb = form.text("do");
    if verb == "delete" && form.text("sure") != "on" {
        return ask(&seat, &ids).await;
    }
    let (by, at) = (&seat.actor, seat.moment());
    for id in &ids {
        match verb {
            "disable" => drop(seat.admin.disable_account(by, id, at).await?),
            "enable" => drop(seat.admin.enable_account(by, id, at).await?),
            "delete" => seat.admin.delete_account(by, id, None, at).await?,
            _ => return Err(nothing("choose what to do")),
        }
    }
    let done = match verb {
        "disable" => "disabled",
        "enable" => "enabled",
        _ => "deleted",
    };
    Ok(back(&path::with(path::ACCOUNTS, [("done", done)])))
}

fn nothing(message: &str) -> Refusal {
    let error = FieldError { field: "pick", message: message.to_owned() };
    Refusal::Admin(AdminError::Invalid(vec![error]))
}

async fn ask(seat: &Seat, ids: &[ServiceAccountId]) -> Answer {
    let mut views = Vec::new();
    for id in ids {
        views.push(seat.admin.account(&seat.actor, id, seat.now()).await?);
    }
    let thing = |view: &AccountView| Thing {
        kind: view.namespace_path.clone(),
        name: view.record.name.clone(),
        href: path::account(view.record.id.as_str(), ""),
    };
    let picked = ids.iter().map(|id| (format!("pick-{id}"), "on".to_owned()));
    let fixed = [("do", "delete"), ("sure", "on")];
    let fixed = fixed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let number = match views.len() {
        1 => "1 service account".to_owned(),
        several => format!("{several} service accounts"),
    };
    let shown = QuestionPage {
        title: format!("Delete {number}?"),
        consequences: vec![
            "Their credentials end at once, and they cannot be brought back.".to_owned(),
        ],
        things: views.iter().map(thing).collect(),
        heading: "What will be deleted".to_owned(),
        typed: String::new(),
        hidden: fixed.into_iter().chain(picked).collect(),
        action: path::SOME_ACCOUNTS.to_owned(),
        button: format!("Delete {number}"),
        back: path::ACCOUNTS.to_owned(),
        ..QuestionPage::about(seat.frame())
    };
    Ok(page(StatusCode::OK, shown.render()))
}
