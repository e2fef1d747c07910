//! One service account: everything there is to know, and what is done with it.

use super::form::chosen_end;
use super::refusal::mistakes;
use super::{Answer, Seat, form, overview};
use crate::admin::{
    AccountEdit, AccountView, ActivityWanted, Destination, Expiry, PolicyMention, What,
};
use crate::id::CredentialId;
use crate::namespace::{Made, Role};
use crate::pages::console::{
    AccountEditPage, AccountForm, AccountPage, CredentialRow, DestinationRow, Mistake, Mistakes,
    Notice, PolicyMentioned, QuestionPage, Thing, Undo, path,
};
use crate::service_account::{AccountState, CredentialRecord};
use crate::time::Timestamp;
use crate::web::{Form, back, page};
use axum::http::StatusCode;
use std::sync::Arc;

/// How many entries of the log are shown with an account.
const ENTRIES: usize = 8;
/// How many days of use.
const DAYS: u32 = 30;

pub(super) async fn show(seat: Arc<Seat>) -> Answer {
    let (id, now) = (seat.account_id()?, seat.now());
    let (admin, by) = (&seat.admin, &seat.actor);
    let view = admin.account(by, &id, now).await?;
    let record = &view.record;
    let credentials = admin.credentials(by, &id, now).await?;
    let used = admin.account_usage(by, &id, DAYS, now).await?;
    let destinations = admin.destinations(by, &id, now).await?;
    let mentions = admin.mentions(by, &id).await?;
    let mut which = ActivityWanted { recursive: true, limit: ENTRIES, ..ActivityWanted::default() };
    if record.is_impersonating() {
        which.entity_id = Some(record.id.to_string());
    } else {
        which.who = Some(record.user.clone());
    }
    let entries = admin.entries(by, &which).await?;
    let shown = AccountPage {
        frame: seat.frame(),
        notice: notice(&seat, &view),
        account: super::accounts::row(&seat, &view),
        created_by: record.created_by.clone(),
        modified: record.modified,
        originator: record.originator.clone(),
        disabled: record.disabled,
        suspended: suspended(&seat, &view).to_owned(),
        version: record.version,
        credentials: credentials.iter().map(|one| credential_row(one, now)).collect(),
        usage: super::usage::summed(&used, DAYS, now),
        destinations: destinations.into_iter().map(destination_row).collect(),
        mentions: mentions.into_iter().map(mentioned).collect(),
        entries: entries.iter().map(|entry| overview::row(&seat, entry)).collect(),
    };
    Ok(page(StatusCode::OK, shown.render()))
}

/// What was just done, and the way to undo it.
fn notice(seat: &Seat, view: &AccountView) -> Notice {
    let may = super::accounts::row(seat, view).manages;
    let undo = match seat.parameter("done").as_str() {
        "disabled" if may => Some("enable"),
        "enabled" if may => Some("disable"),
        _ => None,
    };
    let undo = undo.map(|verb| Undo {
        action: path::account(view.record.id.as_str(), verb),
        label: "Undo".to_owned(),
    });
    Notice { undo, ..seat.notice() }
}

fn suspended(seat: &Seat, view: &AccountView) -> &'static str {
    match view.state {
        AccountState::Suspended
            if seat.visit.snapshot.catalog.blocked.contains(&view.record.user) =>
        {
            "The person it acts as is blocked."
        }
        AccountState::Suspended => "The directory does not know the person it acts as any more.",
        AccountState::Active
        | AccountState::Expiring
        | AccountState::Expired
        | AccountState::Disabled
        | AccountState::Deleted => "",
    }
}

fn credential_row(record: &CredentialRecord, now: Timestamp) -> CredentialRow {
    let used = record.last_use.as_ref();
    CredentialRow {
        id: record.id.to_string(),
        hint: record.hint.clone(),
        issued: record.issued,
        issued_by: record.issued_by.clone(),
        expires: record.expires,
        superseded: record.superseded,
        revoked: record.revoked,
        used: used.map(|used| used.at),
        address: used.map(|used| used.address.clone()).unwrap_or_default(),
        route: used.map(|used| used.route.clone()).unwrap_or_default(),
        state: record.state(now),
    }
}

fn destination_row(place: Destination) -> DestinationRow {
    DestinationRow {
        route: place.route,
        from: place.from,
        namespace: place.namespace_path,
        allowed: place.allowed,
        reason: place.reason.to_owned(),
    }
}

pub(super) fn mentioned(policy: PolicyMention) -> PolicyMentioned {
    PolicyMentioned {
        id: policy.id,
        name: policy.name,
        namespace: policy.namespace_path,
        enforced: policy.enforced,
        in_file: policy.made != Made::Here,
    }
}

pub(super) async fn disable(seat: Arc<Seat>, _form: Form) -> Answer {
    let id = seat.account_id()?;
    seat.admin.disable_account(&seat.actor, &id, seat.moment()).await?;
    Ok(back(&format!("{}?done=disabled", path::account(id.as_str(), ""))))
}

pub(super) async fn enable(seat: Arc<Seat>, _form: Form) -> Answer {
    let id = seat.account_id()?;
    seat.admin.enable_account(&seat.actor, &id, seat.moment()).await?;
    Ok(back(&format!("{}?done=enabled", path::account(id.as_str(), ""))))
}

pub(super) async fn ask_revoke(seat: Arc<Seat>) -> Answer {
    let (id, now) = (seat.account_id()?, seat.now());
    let view = seat.admin.account(&seat.actor, &id, now).await?;
    let named = seat.parameter("credential");
    let all = seat.admin.credentials(&seat.actor, &id, now).await?;
    let good = all.iter().filter(|one| one.is_good(now) && one.id.as_str() != named).count();
    let found = all.into_iter().find(|one| one.id.as_str() == named);
    let Some(credential) = found else {
        return Err(super::Refusal::no(What::Credential));
    };
    let name = &view.record.name;
    let left = match good {
        0 => format!("It is the last good one of {name}, which then opens nothing."),
        1 => format!("{name} has one more that stays good."),
        more => format!("{name} has {more} more that stay good."),
    };
    let shown = QuestionPage {
        frame: seat.frame(),
        title: "Revoke this credential?".to_owned(),
        consequences: vec![
            format!("The token that ends in {} opens nothing from then on.", credential.hint),
            left,
        ],
        hidden: vec![("credential".to_owned(), named)],
        action: path::account(id.as_str(), "revoke"),
        button: "Revoke credential".to_owned(),
        back: path::account(id.as_str(), ""),
        ..QuestionPage::about(seat.frame())
    };
    Ok(page(StatusCode::OK, shown.render()))
}

pub(super) async fn revoke(seat: Arc<Seat>, form: Form) -> Answer {
    let id = seat.account_id()?;
    let credential = CredentialId::parse(form.text("credential"));
    let credential = credential.ok_or_else(|| super::Refusal::no(What::Credential))?;
    seat.admin.revoke_credential(&seat.actor, &id, &credential, seat.moment()).await?;
    Ok(back(&format!("{}?done=revoked", path::account(id.as_str(), ""))))
}

pub(super) async fn ask_delete(seat: Arc<Seat>) -> Answer {
    delete_page(&seat, Mistakes::default(), StatusCode::OK).await
}

async fn delete_page(seat: &Seat, mistakes: Mistakes, status: StatusCode) -> Answer {
    let id = seat.account_id()?;
    let view = seat.admin.account(&seat.actor, &id, seat.now()).await?;
    let row = super::accounts::row(seat, &view);
    if !row.restricts {
        return Err(seat.takes(Role::Manager, &view.record.namespace).into());
    }
    let mentions = seat.admin.mentions(&seat.actor, &id).await?;
    let thing = |policy: PolicyMention| Thing {
        kind: "policy".to_owned(),
        href: path::policy(&policy.id, ""),
        name: policy.name,
    };
    let shown = QuestionPage {
        title: format!("Delete {}?", row.name),
        consequences: vec![
            "Its credentials end at once, and it cannot be brought back. To keep it from doing \
             anything for a while, disable it instead."
                .to_owned(),
        ],
        things: mentions.into_iter().map(thing).collect(),
        heading: "Policies that name it, and then name nobody".to_owned(),
        typed: row.name.clone(),
        hidden: vec![("version".to_owned(), view.record.version.to_string())],
        action: path::account(id.as_str(), "delete"),
        button: format!("Delete {}", row.name),
        back: path::account(id.as_str(), ""),
        mistakes,
        ..QuestionPage::about(seat.frame())
    };
    Ok(page(status, shown.render()))
}

pub(super) async fn delete(seat: Arc<Seat>, posted: Form) -> Answer {
    let id = seat.account_id()?;
    let view = seat.admin.account(&seat.actor, &id, seat.now()).await?;
    if posted.text("typed").trim() != view.record.name {
        let wrong = Mistakes(vec![Mistake {
            field: "typed".to_owned(),
            message: "This is not its name.".to_owned(),
        }]);
        return delete_page(&seat, wrong, StatusCode::BAD_REQUEST).await;
    }
    let expected = form::version(posted.text("version"));
    seat.admin.delete_account(&seat.actor, &id, expected, seat.moment()).await?;
    Ok(back(&path::with(path::ACCOUNTS, [("done", "deleted")])))
}

pub(super) async fn ask_edit(seat: Arc<Seat>) -> Answer {
    let view = seat.admin.account(&seat.actor, &seat.account_id()?, seat.now()).await?;
    let form = AccountForm {
        description: view.record.description.clone(),
        expiry: "keep".to_owned(),
        ..AccountForm::default()
    };
    edit_page(&seat, &view, (form, Mistakes::default()), StatusCode::OK)
}

fn edit_page(
    seat: &Seat,
    view: &AccountView,
    (form, mistakes): (AccountForm, Mistakes),
    status: StatusCode,
) -> Answer {
    let record = &view.record;
    if !super::accounts::row(seat, view).manages {
        let needed = if record.is_impersonating() { Role::Admin } else { Role::Manager };
        return Err(seat.takes(needed, &record.namespace).into());
    }
    let rules = seat.tree().lifetime(&record.namespace);
    let shown = AccountEditPage {
        frame: seat.frame(),
        id: record.id.to_string(),
        name: record.name.clone(),
        user_id: record.user.clone(),
        namespace: view.namespace_path.clone(),
        impersonating: record.is_impersonating(),
        version: record.version,
        expires: record.expires,
        expiries: form::expiries(rules, (record.created, seat.now()), &form.expiry),
        form,
        mistakes,
    };
    Ok(page(status, shown.render()))
}

pub(super) async fn edit(seat: Arc<Seat>, posted: Form) -> Answer {
    let (id, now) = (seat.account_id()?, seat.now());
    let form = AccountForm {
        description: posted.text("description").to_owned(),
        expiry: posted.text("expiry").to_owned(),
        until: posted.text("until").to_owned(),
        ..AccountForm::default()
    };
    let expires = match form.expiry.as_str() {
        "keep" => Ok(Expiry::Keep),
        other => {
            chosen_end(other, &form.until, now).map(|end| end.map_or(Expiry::Never, Expiry::At))
        }
    };
    let wrong = match expires {
        Err(mistake) => Mistakes(vec![mistake]),
        Ok(expires) => {
            let edit = AccountEdit {
                description: Some(form.description.clone()),
                expires,
                expected: form::version(posted.text("version")),
            };
            let done = seat.admin.update_account(&seat.actor, &id, edit, seat.moment()).await;
            let Err(error) = done else {
                return Ok(back(&format!("{}?done=saved", path::account(id.as_str(), ""))));
            };
            let end = if form.expiry == "custom" { "until" } else { "expiry" };
            mistakes(error, &[("expires_at", end)])?
        }
    };
    let view = seat.admin.account(&seat.actor, &id, now).await?;
    edit_page(&seat, &view, (form, wrong), StatusCode::BAD_REQUEST)
}
