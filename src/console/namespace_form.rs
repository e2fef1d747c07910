//! Making, changing and moving a namespace.

use super::form::{fresh_key, key, version};
use super::refusal::mistakes;
use super::{Answer, Refusal, Seat};
use crate::admin::{AdminError, MovePreview, NamespaceEdit, NamespaceView, NewNamespace, What};
use crate::id::NamespaceId;
use crate::namespace::{LifetimeRules, Made, Role};
use crate::pages::console::{
    Choice, Mistake, Mistakes, MoveNamespacePage, MoveShown, NamespaceForm, NamespaceFormPage, path,
};
use crate::web::{Form, back, page};
use axum::http::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// How the form calls what the verbs complain of.
const NAMES: [(&str, &str); 4] = [
    ("max_lifetime", "longest"),
    ("require_expiry", "required"),
    ("parent_id", ""),
    ("idempotency_key", ""),
];
const DAY: u64 = 24 * 60 * 60;

pub(super) async fn ask_new(seat: Arc<Seat>) -> Answer {
    let parent = NamespaceId::parse(&seat.parameter("parent"));
    let parent = parent.unwrap_or_else(|| seat.namespace.clone());
    let form = NamespaceForm { key: fresh_key(), ..NamespaceForm::default() };
    new_page(&seat, &parent, (form, Mistakes::default()), StatusCode::OK)
}

fn new_page(
    seat: &Seat,
    parent: &NamespaceId,
    (form, mistakes): (NamespaceForm, Mistakes),
    status: StatusCode,
) -> Answer {
    let role = seat.role(parent);
    if role.is_none() {
        return Err(Refusal::no(What::Namespace));
    }
    if role < Some(Role::Manager) {
        return Err(seat.takes(Role::Manager, parent).into());
    }
    let shown = NamespaceFormPage {
        frame: seat.frame(),
        id: String::new(),
        parent_id: parent.to_string(),
        parent: seat.tree().path(parent),
        form,
        administers: role >= Some(Role::Admin),
        mistakes,
    };
    Ok(page(status, shown.render()))
}

fn typed(posted: &Form) -> NamespaceForm {
    let text = |name: &str| posted.text(name).trim().to_owned();
    NamespaceForm {
        name: text("name"),
        description: text("description"),
        longest: text("longest"),
        required: text("required"),
        key: text("key"),
        version: text("version"),
    }
}

/// What accounts are held to.
fn lifetime(form: &NamespaceForm) -> Result<LifetimeRules, Mistakes> {
    let required = match form.required.as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    let longest = match form.longest.as_str() {
        "" => None,
        days => Some(days.parse::<u32>().ok().filter(|days| *days > 0).ok_or_else(|| {
            Mistakes(vec![Mistake {
                field: "longest".to_owned(),
                message: "Write a number of days, or nothing.".to_owned(),
            }])
        })?),
    };
    let longest = longest.map(|days| Duration::from_secs(u64::from(days) * DAY));
    Ok(LifetimeRules { longest, required })
}

pub(super) async fn create(seat: Arc<Seat>, posted: Form) -> Answer {
    let parent = NamespaceId::parse(posted.text("parent"));
    let parent = parent.ok_or_else(|| Refusal::no(What::Namespace))?;
    let form = typed(&posted);
    let wrong = match lifetime(&form) {
        Err(wrong) => wrong,
        Ok(lifetime) => {
            let new = NewNamespace {
                parent: parent.clone(),
                name: form.name.clone(),
                description: form.description.clone(),
                lifetime,
                idempotency_key: key(&form.key),
            };
            match seat.admin.create_namespace(&seat.actor, new, seat.moment()).await {
                Ok(made) => {
                    let there = path::namespace(made.record.id.as_str(), "");
                    return Ok(back(&format!("{there}?done=created")));
                }
                Err(error) => mistakes(error, &NAMES)?,
            }
        }
    };
    new_page(&seat, &parent, (form, wrong), StatusCode::BAD_REQUEST)
}

pub(super) async fn ask_edit(seat: Arc<Seat>) -> Answer {
    let view = seat.admin.namespace(&seat.actor, &seat.namespace_id()?).await?;
    let own = view.record.lifetime;
    let form = NamespaceForm {
        name: view.record.name.to_string(),
        description: view.record.description.clone(),
        longest: own.longest.map(|own| own.as_secs().div_ceil(DAY).to_string()).unwrap_or_default(),
        required: match own.required {
            None => "",
            Some(true) => "yes",
            Some(false) => "no",
        }
        .to_owned(),
        key: String::new(),
        version: view.record.version.to_string(),
    };
    edit_page(&seat, &view, (form, Mistakes::default()), StatusCode::OK)
}

fn edit_page(
    seat: &Seat,
    view: &NamespaceView,
    (form, mistakes): (NamespaceForm, Mistakes),
    status: StatusCode,
) -> Answer {
    let record = &view.record;
    if view.role < Some(Role::Manager) {
        return Err(seat.takes(Role::Manager, &record.id).into());
    }
    let parent = record.parent.as_ref().unwrap_or(&record.id);
    let shown = NamespaceFormPage {
        frame: seat.frame(),
        id: record.id.to_string(),
        parent_id: parent.to_string(),
        parent: seat.tree().path(parent),
        form,
        administers: view.role >= Some(Role::Admin),
        mistakes,
    };
    Ok(page(status, shown.render()))
}

pub(super) async fn edit(seat: Arc<Seat>, posted: Form) -> Answer {
    let id = seat.namespace_id()?;
    let view = seat.admin.namespace(&seat.actor, &id).await?;
    let mut form = typed(&posted);
    let administers = view.role >= Some(Role::Admin);
    let wrong = match lifetime(&form) {
        Err(wrong) => wrong,
        Ok(lifetime) => {
            let kept = same_days(view.record.lifetime, lifetime);
            let edit = NamespaceEdit {
                name: Some(form.name.clone()).filter(|name| *name != view.record.name.as_str()),
                description: Some(form.description.clone()),
                lifetime: (administers && !kept).then_some(lifetime),
                expected: version(&form.version),
                ..NamespaceEdit::default()
            };
            match seat.admin.update_namespace(&seat.actor, &id, edit, seat.moment()).await {
                Ok(_) => {
                    let there = path::namespace(id.as_str(), "");
                    return Ok(back(&format!("{there}?done=saved")));
                }
                Err(error) => {
                    if matches!(error, AdminError::Changed) {
                        form.version = view.record.version.to_string();
                    }
                    mistakes(error, &NAMES)?
                }
            }
        }
    };
    edit_page(&seat, &view, (form, wrong), StatusCode::BAD_REQUEST)
}

/// Whether the form says what is so already; it counts in days.
fn same_days(before: LifetimeRules, after: LifetimeRules) -> bool {
    let days = |rules: LifetimeRules| rules.longest.map(|longest| longest.as_secs().div_ceil(DAY));
    before.required == after.required && days(before) == days(after)
}

pub(super) async fn ask_move(seat: Arc<Seat>) -> Answer {
    let to = NamespaceId::parse(&seat.parameter("to"));
    move_page(&seat, to.as_ref(), Mistakes::default(), StatusCode::OK).await
}

async fn move_page(
    seat: &Seat,
    to: Option<&NamespaceId>,
    mistakes: Mistakes,
    status: StatusCode,
) -> Answer {
    let id = seat.namespace_id()?;
    let view = seat.admin.namespace(&seat.actor, &id).await?;
    if view.role < Some(Role::Manager) || view.record.made != Made::Here {
        return Err(seat.takes(Role::Manager, &id).into());
    }
    let preview = match to {
        None => None,
        Some(to) => {
            let found = seat.admin.preview_move(&seat.actor, &id, to).await?;
            Some(shown(seat, to, found))
        }
    };
    let tree = seat.tree();
    let fits = |target: &NamespaceId| {
        !tree.contains(&id, target) && seat.role(target) >= Some(Role::Manager)
    };
    let targets = tree.in_order().into_iter().filter(|record| fits(&record.id));
    let targets = targets.map(|record| Choice {
        value: record.id.to_string(),
        label: tree.path(&record.id),
        chosen: to.or(view.record.parent.as_ref()) == Some(&record.id),
    });
    let shown = MoveNamespacePage {
        frame: seat.frame(),
        id: id.to_string(),
        name: view.record.name.to_string(),
        path: view.path.clone(),
        targets: targets.collect(),
        version: view.record.version,
        preview,
        mistakes,
    };
    Ok(page(status, shown.render()))
}

fn shown(seat: &Seat, to: &NamespaceId, found: MovePreview) -> MoveShown {
    MoveShown {
        to: to.to_string(),
        path: seat.tree().path(to),
        lose: found.lose,
        gain: found.gain,
        enforced_lost: found.enforced_lost,
        enforced_gained: found.enforced_gained,
        routes: found.routes,
        obstacles: found.obstacles.iter().map(|why| crate::web::sentence(why)).collect(),
    }
}

pub(super) async fn move_there(seat: Arc<Seat>, posted: Form) -> Answer {
    let id = seat.namespace_id()?;
    let to = NamespaceId::parse(posted.text("to"));
    let to = to.ok_or_else(|| Refusal::no(What::Namespace))?;
    let edit = NamespaceEdit {
        parent: Some(to.clone()),
        expected: version(posted.text("version")),
        ..NamespaceEdit::default()
    };
    match seat.admin.update_namespace(&seat.actor, &id, edit, seat.moment()).await {
        Ok(_) => Ok(back(&format!("{}?done=moved", path::namespace(id.as_str(), "")))),
        Err(error) => {
            let wrong = mistakes(error, &NAMES)?;
            move_page(&seat, Some(&to), wrong, StatusCode::CONFLICT).await
        }
    }
}
