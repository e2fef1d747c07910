//! Roles in a namespace: given and taken away.

use super::namespaces::{Given, namespace_page};
use super::refusal::mistakes;
use super::{Answer, Refusal, Seat};
use crate::admin::{AdminError, What};
use crate::id::PermissionId;
use crate::namespace::{Role, Subject};
use crate::pages::console::{Mistake, Mistakes, RoleForm, path};
use crate::web::{Form, back};
use axum::http::StatusCode;
use std::sync::Arc;

pub(super) async fn give(seat: Arc<Seat>, posted: Form) -> Answer {
    let id = seat.namespace_id()?;
    let form = RoleForm {
        subject: posted.text("subject").trim().to_owned(),
        group: posted.text("of") == "group",
        role: Role::parse(posted.text("role")),
    };
    let Some(role) = form.role else {
        return Err(Refusal::no(What::Permission));
    };
    let subject = subject(&seat, &form).await?;
    let done = seat.admin.grant(&seat.actor, &id, (subject, role), seat.moment()).await;
    let Err(error) = done else {
        return Ok(back(&format!("{}?done=given", path::namespace(id.as_str(), ""))));
    };
    let stale = matches!(error, AdminError::NotFresh);
    let mistakes = mistakes(error, &[("subject_id", "subject")])?;
    let given = Given { form, mistakes, stale };
    namespace_page(&seat, given, StatusCode::BAD_REQUEST).await
}

/// Whom the form means: a person by address, a group by name, else whatever has this id.
async fn subject(seat: &Seat, form: &RoleForm) -> Result<Subject, Refusal> {
    let text = &form.subject;
    if !form.group {
        let person = seat.person_called(text).await?;
        return Ok(Subject::User(person.map_or_else(|| text.clone(), |person| person.id)));
    }
    let (found, _) = seat.admin.search_groups(&seat.actor, text, 20).await?;
    let known = found.iter().any(|group| group.id == *text);
    let mut named = found.iter().filter(|group| group.name.eq_ignore_ascii_case(text));
    let first = named.next().filter(|_| !known && !text.is_empty());
    let only = first.filter(|_| named.next().is_none());
    Ok(Subject::Group(only.map_or_else(|| text.clone(), |group| group.id.clone())))
}

pub(super) async fn take_away(seat: Arc<Seat>, posted: Form) -> Answer {
    let id = seat.namespace_id()?;
    let permission = PermissionId::parse(posted.text("permission"));
    let permission = permission.ok_or_else(|| Refusal::no(What::Permission))?;
    let done = seat.admin.remove_permission(&seat.actor, &permission, seat.moment()).await;
    match done {
        Ok(()) => Ok(back(&format!("{}?done=taken", path::namespace(id.as_str(), "")))),
        Err(AdminError::InUse(why)) => {
            let wrong = Mistake { field: String::new(), message: crate::web::sentence(&why) };
            let given = Given { mistakes: Mistakes(vec![wrong]), ..Given::default() };
            namespace_page(&seat, given, StatusCode::CONFLICT).await
        }
        Err(error) => Err(error.into()),
    }
}
