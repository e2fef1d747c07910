//! Routes: the list, one of them, the form that makes and changes them, and their end.

use super::account::mentioned;
use super::form::{fresh_key, key, version};
use super::refusal::mistakes;
use super::{Answer, Seat};
use crate::admin::{
    AdminError, NewRoute, PolicyView, PolicyWanted, RouteEdit, RouteView, RouteWanted,
};
use crate::catalog::RoutePath;
use crate::id::NamespaceId;
use crate::namespace::{Made, Role};
use crate::pages::console::{
    Choice, Mistakes, PolicyChoice, PolicyMentioned, QuestionPage, RouteForm, RouteFormPage,
    RoutePage, RouteRow, RouteSettings, RoutesPage, path,
};
use crate::web::{Form, back, page};
use axum::http::StatusCode;
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) async fn list(seat: Arc<Seat>) -> Answer {
    let which = RouteWanted {
        namespace: Some(seat.namespace.clone()),
        recursive: seat.is_recursive(),
        text: seat.parameter("q"),
        ..RouteWanted::default()
    };
    let (views, _) = seat.admin.routes(&seat.actor, &which).await?;
    let shown = RoutesPage {
        frame: seat.frame(),
        notice: seat.notice(),
        rows: views.iter().map(row).collect(),
        text: which.text,
        recursive: which.recursive,
        manages: seat.is(Role::Manager),
    };
    Ok(page(StatusCode::OK, shown.render()))
}

fn row(view: &RouteView) -> RouteRow {
    let policies = view.policies.len() + usize::from(view.own_policy);
    RouteRow {
        id: view.id.to_string(),
        from: view.from.clone(),
        path: view.path.clone(),
        namespace: view.namespace_path.clone(),
        description: view.description.clone(),
        policies: u64::try_from(policies).unwrap_or(u64::MAX),
        in_file: view.made != Made::Here,
        overlaps: view.overlaps.clone(),
    }
}

pub(super) async fn show(seat: Arc<Seat>) -> Answer {
    let view = seat.admin.route(&seat.actor, &seat.parameter("id")).await?;
    let here = view.made == Made::Here;
    let shown = RoutePage {
        frame: seat.frame(),
        notice: seat.notice(),
        row: row(&view),
        policies: view.policies.iter().cloned().map(mentioned).collect(),
        own_policy: view.own_policy,
        settings: RouteSettings {
            pass_identity_headers: view.pass_identity_headers,
            show_error_details: view.show_error_details,
        },
        modified: here.then_some(view.modified),
        modified_by: view.modified_by.clone(),
        manages: seat.role(&view.namespace) >= Some(Role::Manager),
    };
    Ok(page(StatusCode::OK, shown.render()))
}

/// What is being edited.
struct Draft {
    /// `None` for a new one.
    view: Option<RouteView>,
    namespace: NamespaceId,
    form: RouteForm,
    /// Policies given to it, by id.
    policies: BTreeSet<String>,
    mistakes: Mistakes,
}

pub(super) async fn ask_new(seat: Arc<Seat>) -> Answer {
    let draft = Draft {
        view: None,
        namespace: seat.namespace.clone(),
        form: RouteForm { key: fresh_key(), ..RouteForm::default() },
        policies: BTreeSet::new(),
        mistakes: Mistakes::default(),
    };
    form_page(&seat, draft, StatusCode::OK).await
}

pub(super) async fn ask_edit(seat: Arc<Seat>) -> Answer {
    let view = seat.admin.route(&seat.actor, &seat.parameter("id")).await?;
    let stored = &seat.visit.snapshot.catalog.stored.routes;
    let found = stored.iter().find(|record| record.id == view.id);
    let (kind, text) = found.and_then(|record| record.path.parts()).unwrap_or_default();
    let form = RouteForm {
        id: view.id.to_string(),
        description: view.description.clone(),
        from: view.from.clone(),
        kind: kind.to_owned(),
        path: text.to_owned(),
        identity: view.pass_identity_headers,
        details: view.show_error_details,
        key: String::new(),
        version: view.version.to_string(),
    };
    let draft = Draft {
        namespace: view.namespace.clone(),
        policies: given(&seat, view.id.as_str()),
        view: Some(view),
        form,
        mistakes: Mistakes::default(),
    };
    form_page(&seat, draft, StatusCode::OK).await
}

/// The policies of the store that are given to a route.
fn given(seat: &Seat, route: &str) -> BTreeSet<String> {
    let stored = seat.visit.snapshot.catalog.stored.policies.iter();
    let given = stored.filter(|record| record.routes.contains(route));
    given.map(|record| record.id.to_string()).collect()
}

async fn form_page(seat: &Seat, draft: Draft, status: StatusCode) -> Answer {
    let Draft { view, namespace, form, policies, mistakes } = draft;
    if seat.role(&namespace) < Some(Role::Manager) {
        return Err(seat.takes(Role::Manager, &namespace).into());
    }
    let which = PolicyWanted { usable_in: Some(namespace.clone()), ..PolicyWanted::default() };
    let usable = seat.admin.policies(&seat.actor, &which).await?;
    let mention = |policy: &PolicyView| PolicyMentioned {
        id: policy.id.clone(),
        name: policy.name.clone(),
        namespace: policy.namespace_path.clone(),
        enforced: policy.enforced,
        in_file: policy.made != Made::Here,
    };
    let offered = usable.iter().filter(|policy| policy.made == Made::Here && !policy.enforced);
    let tree = seat.tree();
    let places = tree.in_order().into_iter();
    let places = places.filter(|record| seat.role(&record.id) >= Some(Role::Manager));
    let shown = RouteFormPage {
        frame: seat.frame(),
        id: view.as_ref().map(|view| view.id.to_string()).unwrap_or_default(),
        in_file: view.as_ref().is_some_and(|view| view.made != Made::Here),
        namespaces: places
            .map(|record| Choice {
                value: record.id.to_string(),
                label: tree.path(&record.id),
                chosen: record.id == namespace,
            })
            .collect(),
        policies: offered
            .map(|policy| PolicyChoice {
                policy: mention(policy),
                chosen: policies.contains(&policy.id),
            })
            .collect(),
        enforced: usable.iter().filter(|policy| policy.enforced).map(mention).collect(),
        form,
        mistakes,
    };
    Ok(page(status, shown.render()))
}

/// How the form calls what the verbs complain of.
const NAMES: [(&str, &str); 2] = [("policies", ""), ("idempotency_key", "")];

fn typed(posted: &Form) -> (RouteForm, BTreeSet<String>) {
    let text = |name: &str| posted.text(name).trim().to_owned();
    let form = RouteForm {
        id: text("id"),
        description: text("description"),
        from: text("from"),
        kind: text("kind"),
        path: text("path"),
        identity: posted.text("identity") == "on",
        details: posted.text("details") == "on",
        key: text("key"),
        version: text("version"),
    };
    let policies = posted.fields().filter(|(name, _)| name.starts_with("policy-"));
    (form, policies.map(|(_, id)| id.to_owned()).collect())
}

fn route_path(form: &RouteForm) -> RoutePath {
    RoutePath::of(&form.kind, &form.path).unwrap_or_default()
}

pub(super) async fn create(seat: Arc<Seat>, posted: Form) -> Answer {
    let namespace = NamespaceId::parse(posted.text("namespace"));
    let namespace = namespace.unwrap_or_else(|| seat.namespace.clone());
    let (form, policies) = typed(&posted);
    let new = NewRoute {
        id: form.id.clone(),
        namespace: namespace.clone(),
        description: form.description.clone(),
        from: form.from.clone(),
        path: route_path(&form),
        pass_identity_headers: form.identity,
        show_error_details: form.details,
        policies: policies.iter().cloned().collect(),
        idempotency_key: key(&form.key),
    };
    match seat.admin.create_route(&seat.actor, new, seat.moment()).await {
        Ok(view) => Ok(back(&format!("{}&done=created", path::route(view.id.as_str(), "")))),
        Err(error) => {
            let mistakes = mistakes(error, &NAMES)?;
            let draft = Draft { view: None, namespace, form, policies, mistakes };
            form_page(&seat, draft, StatusCode::BAD_REQUEST).await
        }
    }
}

pub(super) async fn edit(seat: Arc<Seat>, posted: Form) -> Answer {
    let view = seat.admin.route(&seat.actor, &seat.parameter("id")).await?;
    let (mut form, chosen) = typed(&posted);
    let kept = given(&seat, view.id.as_str());
    let policies = (chosen != kept).then(|| chosen.iter().cloned().collect());
    let namespace = NamespaceId::parse(posted.text("namespace"));
    let namespace = namespace.unwrap_or_else(|| view.namespace.clone());
    let edit = if view.made == Made::Here {
        RouteEdit {
            namespace: Some(namespace.clone()).filter(|namespace| *namespace != view.namespace),
            description: Some(form.description.clone()),
            from: Some(form.from.clone()),
            path: Some(route_path(&form)),
            pass_identity_headers: Some(form.identity),
            show_error_details: Some(form.details),
            policies,
            expected: version(&form.version),
        }
    } else {
        RouteEdit { policies, ..RouteEdit::default() }
    };
    let done = seat.admin.update_route(&seat.actor, view.id.as_str(), edit, seat.moment()).await;
    let Err(error) = done else {
        return Ok(back(&format!("{}&done=saved", path::route(view.id.as_str(), ""))));
    };
    if matches!(error, AdminError::Changed) {
        form.version = view.version.to_string();
    }
    let mistakes = mistakes(error, &NAMES)?;
    let draft = Draft { view: Some(view), namespace, form, policies: chosen, mistakes };
    form_page(&seat, draft, StatusCode::BAD_REQUEST).await
}

pub(super) async fn ask_delete(seat: Arc<Seat>) -> Answer {
    let view = seat.admin.route(&seat.actor, &seat.parameter("id")).await?;
    if seat.role(&view.namespace) < Some(Role::Manager) {
        return Err(seat.takes(Role::Manager, &view.namespace).into());
    }
    let id = view.id.as_str();
    let shown = QuestionPage {
        title: format!("Delete {id}?"),
        consequences: vec![format!(
            "Requests for {} are refused from then on, if no other route serves them.",
            view.from
        )],
        action: path::route(id, "delete"),
        button: format!("Delete {id}"),
        back: path::route(id, ""),
        ..QuestionPage::about(seat.frame())
    };
    Ok(page(StatusCode::OK, shown.render()))
}

pub(super) async fn delete(seat: Arc<Seat>, _form: Form) -> Answer {
    seat.admin.delete_route(&seat.actor, &seat.parameter("id"), None, seat.moment()).await?;
    Ok(back(&path::with(path::ROUTES, [("done", "deleted")])))
}
