//! Namespaces: the tree, one of them, and its end.

use super::{Answer, Refusal, Seat};
use crate::admin::{AdminError, Deletion, NamespaceView, PermissionView, Resource, What};
use crate::namespace::{LifetimeRules, Made, Role, Subject};
use crate::pages::console::{
    Mistake, Mistakes, NamespacePage, NamespaceRow, NamespacesPage, QuestionPage, RoleForm,
    RoleRow, Thing, path,
};
use crate::web::{Form, back, page};
use axum::http::StatusCode;
use std::sync::Arc;

pub(super) async fn list(seat: Arc<Seat>) -> Answer {
    let views = seat.admin.namespaces(&seat.actor).await?;
    let shown = NamespacesPage {
        frame: seat.frame(),
        notice: seat.notice(),
        rows: views.iter().map(|view| row(&seat, view)).collect(),
    };
    Ok(page(StatusCode::OK, shown.render()))
}

fn row(seat: &Seat, view: &NamespaceView) -> NamespaceRow {
    let record = &view.record;
    let from = match (&view.role, &view.role_from) {
        (None, _) => String::new(),
        (Some(_), None) => "the configuration".to_owned(),
        (Some(_), Some(from)) if *from == record.id => String::new(),
        (Some(_), Some(from)) => seat.tree().path(from),
    };
    NamespaceRow {
        id: record.id.to_string(),
        name: record.name.to_string(),
        depth: view.depth,
        role: view.role,
        role_from: from,
        accounts: view.accounts,
        routes: view.routes,
        policies: view.policies,
        in_file: record.made == Made::InFile,
    }
}

pub(super) async fn show(seat: Arc<Seat>) -> Answer {
    namespace_page(&seat, Given::default(), StatusCode::OK).await
}

/// What was typed to give a role, and what is wrong with it.
#[derive(Default)]
pub(super) struct Given {
    pub(super) form: RoleForm,
    pub(super) mistakes: Mistakes,
    /// Whether somebody has to sign in again first.
    pub(super) stale: bool,
}

pub(super) async fn namespace_page(seat: &Seat, given: Given, status: StatusCode) -> Answer {
    let id = seat.namespace_id()?;
    let view = seat.admin.namespace(&seat.actor, &id).await?;
    let permissions = seat.admin.permissions(&seat.actor, &id).await?;
    let of = |user: bool| {
        let fits =
            move |one: &&PermissionView| matches!(one.permission.subject, Subject::User(_)) == user;
        permissions.iter().filter(fits).map(role_row).collect()
    };
    let children =
        seat.tree().children(&id).into_iter().filter(|child| seat.role(&child.id).is_some());
    let children = children.map(|child| NamespaceRow {
        id: child.id.to_string(),
        name: child.name.to_string(),
        ..NamespaceRow::default()
    });
    let here = path::namespace(id.as_str(), "");
    let shown = NamespacePage {
        frame: seat.frame(),
        notice: seat.notice(),
        row: row(seat, &view),
        path: view.path.clone(),
        description: view.record.description.clone(),
        made: view.record.made,
        created: view.record.created,
        lifetime: told(view.lifetime),
        children: children.collect(),
        users: of(true),
        groups: of(false),
        given: given.form,
        mistakes: given.mistakes,
        sign_in_again: if given.stale { seat.sign_in_again(&here) } else { String::new() },
    };
    Ok(page(status, shown.render()))
}

/// What accounts are held to, in words.
fn told(rules: LifetimeRules) -> Vec<String> {
    let longest = rules.longest.map(|longest| {
        let hours = longest.as_secs().div_ceil(3600);
        let (number, one, several) = if hours > 0 && hours.is_multiple_of(24) {
            (hours / 24, "day", "days")
        } else {
            (hours, "hour", "hours")
        };
        format!("live at most {number} {}", if number == 1 { one } else { several })
    });
    let expiry = if rules.wants_expiry() { "must expire" } else { "need not expire" };
    longest.into_iter().chain([expiry.to_owned()]).collect()
}

fn role_row(view: &PermissionView) -> RoleRow {
    let given = &view.permission;
    RoleRow {
        id: given.id.to_string(),
        subject: given.subject.id().to_owned(),
        name: view.name.clone(),
        email: view.email.clone(),
        known: !view.name.is_empty() || !view.email.is_empty(),
        role: given.role,
        from: view.inherited_from.clone().unwrap_or_default(),
        from_id: given.namespace.to_string(),
    }
}

pub(super) async fn ask_delete(seat: Arc<Seat>) -> Answer {
    delete_page(&seat, Mistakes::default(), StatusCode::OK).await
}

async fn delete_page(seat: &Seat, mistakes: Mistakes, status: StatusCode) -> Answer {
    let (id, now) = (seat.namespace_id()?, seat.now());
    let view = seat.admin.namespace(&seat.actor, &id).await?;
    if view.role < Some(Role::Manager) {
        return Err(seat.takes(Role::Manager, &id).into());
    }
    let resources = seat.admin.resources(&seat.actor, &id, now).await?;
    let name = view.record.name.to_string();
    let holds_others = resources.iter().any(|resource| resource.kind == "namespace");
    let mut consequences = vec![if resources.is_empty() {
        "Nothing is in it.".to_owned()
    } else {
        "Everything in it goes with it: accounts end at once, routes and policies do not count any \
         more, and roles are gone."
            .to_owned()
    }];
    if holds_others {
        consequences = vec![
            "It cannot be deleted while there are namespaces below it. Move or delete those first."
                .to_owned(),
        ];
    }
    let along = ("all".to_owned(), "Delete what is in it, too".to_owned());
    let shown = QuestionPage {
        title: format!("Delete {name}?"),
        consequences,
        heading: "What is in it".to_owned(),
        along: (!resources.is_empty() && !holds_others).then_some(along),
        things: resources.into_iter().map(thing).collect(),
        typed: name.clone(),
        action: path::namespace(id.as_str(), "delete"),
        button: if holds_others { String::new() } else { format!("Delete {name}") },
        back: path::namespace(id.as_str(), ""),
        mistakes,
        ..QuestionPage::about(seat.frame())
    };
    Ok(page(status, shown.render()))
}

fn thing(resource: Resource) -> Thing {
    let Resource { kind, id, name } = resource;
    let (kind, href) = match kind {
        "namespace" => ("namespace", path::namespace(&id, "")),
        "service_account" => ("service account", path::account(&id, "")),
        "policy" => ("policy", path::policy(&id, "")),
        "route" => ("route", path::route(&id, "")),
        "permission" => ("role of", String::new()),
        other => (other, String::new()),
    };
    Thing { kind: kind.to_owned(), name, href }
}

pub(super) async fn delete(seat: Arc<Seat>, form: Form) -> Answer {
    let id = seat.namespace_id()?;
    let view = seat.admin.namespace(&seat.actor, &id).await?;
    let one =
        |field: &str, message: String| Mistakes(vec![Mistake { field: field.to_owned(), message }]);
    if form.text("typed").trim() != view.record.name.as_str() {
        let wrong = one("typed", "This is not its name.".to_owned());
        return delete_page(&seat, wrong, StatusCode::BAD_REQUEST).await;
    }
    let all = form.text("all") == "on";
    let deletion = if all { Deletion::WithAll } else { Deletion::OnlyIfFree };
    match seat.admin.delete_namespace(&seat.actor, &id, deletion, seat.moment()).await {
        Ok(()) => Ok(back(&path::with(path::NAMESPACES, [("done", "deleted")]))),
        Err(AdminError::InUse(why)) => {
            let wrong = one("", crate::web::sentence(&why));
            delete_page(&seat, wrong, StatusCode::CONFLICT).await
        }
        Err(AdminError::NotFound(What::Namespace)) => Err(Refusal::no(What::Namespace)),
        Err(error) => Err(error.into()),
    }
}
