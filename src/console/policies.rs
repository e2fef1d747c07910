//! Policies: the list, one of them, and its end.

use super::{Answer, Refusal, Seat};
use crate::admin::{AdminError, Deletion, PolicyView, PolicyWanted, What};
use crate::id::PolicyId;
use crate::namespace::{Made, Role};
use crate::pages::console::{
    Mistake, Mistakes, PoliciesPage, PolicyPage, PolicyRow, QuestionPage, Thing, path,
};
use crate::web::{Form, back, page, sentence};
use axum::http::StatusCode;
use std::sync::Arc;

pub(super) async fn list(seat: Arc<Seat>) -> Answer {
    let which = PolicyWanted {
        namespace: Some(seat.namespace.clone()),
        recursive: seat.is_recursive(),
        text: seat.parameter("q"),
        ..PolicyWanted::default()
    };
    let views = seat.admin.policies(&seat.actor, &which).await?;
    let shown = PoliciesPage {
        frame: seat.frame(),
        notice: seat.notice(),
        rows: views.iter().map(row).collect(),
        text: which.text,
        recursive: which.recursive,
        manages: seat.is(Role::Manager),
        for_user: seat.parameter("for"),
    };
    Ok(page(StatusCode::OK, shown.render()))
}

fn row(view: &PolicyView) -> PolicyRow {
    let here = view.made == Made::Here;
    PolicyRow {
        id: view.id.clone(),
        name: view.name.clone(),
        description: view.description.clone(),
        namespace: view.namespace_path.clone(),
        enforced: view.enforced,
        routes: u64::try_from(view.routes.len()).unwrap_or(u64::MAX),
        modified: here.then_some(view.modified),
        modified_by: view.modified_by.clone(),
        in_file: !here,
        broken: view.broken.clone(),
    }
}

/// Whether `seat` may change a policy: those that are enforced are for admins.
fn manages(seat: &Seat, view: &PolicyView) -> bool {
    let needed = if view.enforced { Role::Admin } else { Role::Manager };
    view.made == Made::Here && seat.role(&view.namespace) >= Some(needed)
}

pub(super) async fn show(seat: Arc<Seat>) -> Answer {
    let view = seat.admin.policy(&seat.actor, &seat.parameter("id")).await?;
    let shown = PolicyPage {
        frame: seat.frame(),
        notice: seat.notice(),
        row: row(&view),
        manages: manages(&seat, &view),
        explanation: view.explanation,
        remediation: view.remediation,
        text: view.text,
        routes: view.routes.into_iter().collect(),
    };
    Ok(page(StatusCode::OK, shown.render()))
}

/// The policy that the address names, if it may be changed.
pub(super) async fn changeable(seat: &Seat) -> Result<(PolicyId, PolicyView), Refusal> {
    let view = seat.admin.policy(&seat.actor, &seat.parameter("id")).await?;
    let Some(id) = PolicyId::parse(&view.id).filter(|_| view.made == Made::Here) else {
        let why = "it is written in the configuration; change it there";
        return Err(AdminError::Refused(why.to_owned()).into());
    };
    if !manages(seat, &view) {
        let needed = if view.enforced { Role::Admin } else { Role::Manager };
        return Err(seat.takes(needed, &view.namespace).into());
    }
    Ok((id, view))
}

pub(super) async fn ask_delete(seat: Arc<Seat>) -> Answer {
    delete_page(&seat, Mistakes::default(), StatusCode::OK).await
}

async fn delete_page(seat: &Seat, mistakes: Mistakes, status: StatusCode) -> Answer {
    let (_, view) = changeable(seat).await?;
    let number = match view.routes.len() {
        1 => "its route".to_owned(),
        several => format!("its {several} routes"),
    };
    let consequence = if view.routes.is_empty() {
        "It counts on no route, so nothing changes.".to_owned()
    } else {
        "It counts on routes now. Whoever it lets in there stays out from then on.".to_owned()
    };
    let thing = |id: &String| Thing {
        kind: "route".to_owned(),
        name: id.clone(),
        href: path::route(id, ""),
    };
    let along = ("all".to_owned(), format!("Remove it from {number}"));
    let shown = QuestionPage {
        title: format!("Delete {}?", view.name),
        consequences: vec![consequence],
        things: view.routes.iter().map(thing).collect(),
        heading: "Routes it counts on".to_owned(),
        along: (!view.routes.is_empty()).then_some(along),
        action: path::policy(&view.id, "delete"),
        button: format!("Delete {}", view.name),
        back: path::policy(&view.id, ""),
        mistakes,
        ..QuestionPage::about(seat.frame())
    };
    Ok(page(status, shown.render()))
}

pub(super) async fn delete(seat: Arc<Seat>, form: Form) -> Answer {
    let id = PolicyId::parse(&seat.parameter("id")).ok_or_else(|| Refusal::no(What::Policy))?;
    let all = form.text("all") == "on";
    let deletion = if all { Deletion::WithAll } else { Deletion::OnlyIfFree };
    match seat.admin.delete_policy(&seat.actor, &id, deletion, seat.moment()).await {
        Ok(()) => Ok(back(&path::with(path::POLICIES, [("done", "deleted")]))),
        Err(AdminError::InUse(why)) => {
            let wrong = Mistake { field: String::new(), message: sentence(&why) };
            delete_page(&seat, Mistakes(vec![wrong]), StatusCode::CONFLICT).await
        }
        Err(error) => Err(error.into()),
    }
}
