//! People: found, and one of them; kept out, and their accounts revoked.

use super::new_account::source_word;
use super::{Answer, Refusal, Seat};
use crate::admin::{GroupView, UserDetail, UserView, What};
use crate::namespace::Role;
use crate::pages::Group;
use crate::pages::console::{Notice, QuestionPage, Thing, UserPage, UserRow, UsersPage, path};
use crate::web::{Form, back, page};
use axum::http::StatusCode;
use std::sync::Arc;

/// How many are shown.
const ROWS: usize = 20;

pub(super) async fn list(seat: Arc<Seat>) -> Answer {
    let text = seat.parameter("q");
    let (found, total) = seat.admin.search_users(&seat.actor, &text, ROWS).await?;
    let shown =
        UsersPage { frame: seat.frame(), text, rows: found.iter().map(row).collect(), total };
    Ok(page(StatusCode::OK, shown.render()))
}

pub(super) fn row(view: &UserView) -> UserRow {
    UserRow {
        id: view.id.clone(),
        name: view.name.clone(),
        email: view.email.clone(),
        source: source_word(view.source).to_owned(),
        blocked: view.blocked,
    }
}

/// The person that the address names.
async fn named(seat: &Seat) -> Result<UserDetail, Refusal> {
    Ok(seat.admin.user(&seat.actor, &seat.parameter("id"), seat.now()).await?)
}

pub(super) async fn show(seat: Arc<Seat>) -> Answer {
    let detail = named(&seat).await?;
    let group = |group: &GroupView| Group { id: group.id.clone(), name: group.name.clone() };
    let revoked = seat.parameter("revoked");
    let notice = match revoked.parse::<usize>() {
        Ok(1) => "1 account was revoked.".to_owned(),
        Ok(several) => format!("{several} accounts were revoked."),
        Err(_) => seat.notice().text,
    };
    let admin_of_one =
        detail.accounts.iter().any(|view| seat.role(&view.record.namespace) >= Some(Role::Admin));
    let shown = UserPage {
        frame: seat.frame(),
        notice: Notice { text: notice, undo: None },
        row: row(&detail.view),
        groups: detail.groups.iter().map(group).collect(),
        last_sign_in: detail.last_sign_in,
        blocked: detail.blocked.map(|blocked| (blocked.since, blocked.by, blocked.reason)),
        roles: detail.roles,
        may_revoke: admin_of_one || (detail.accounts.is_empty() && seat.is(Role::Admin)),
        accounts: detail.accounts.iter().map(|view| super::accounts::row(&seat, view)).collect(),
        may_block: seat.is_global_admin(),
    };
    Ok(page(StatusCode::OK, shown.render()))
}

/// What somebody is called in a question.
fn called(view: &UserView) -> &str {
    let names = [&view.name, &view.email, &view.id];
    names.into_iter().find(|name| !name.is_empty()).map_or("", |name| name)
}

fn things(seat: &Seat, detail: &UserDetail) -> Vec<Thing> {
    let thing = |view: &crate::admin::AccountView| Thing {
        kind: view.namespace_path.clone(),
        name: super::accounts::row(seat, view).name,
        href: path::account(view.record.id.as_str(), ""),
    };
    detail.accounts.iter().map(thing).collect()
}

async fn ask(seat: &Seat, verb: &str, say: impl Fn(&str) -> (String, String)) -> Answer {
    let detail = named(seat).await?;
    let view = &detail.view;
    let (consequence, button) = say(called(view));
    let shown = QuestionPage {
        title: format!("{button}?"),
        consequences: vec![consequence],
        things: if verb == "unblock" { Vec::new() } else { things(seat, &detail) },
        heading: "Service accounts that act as them".to_owned(),
        asks_reason: verb == "block",
        action: path::user(&view.id, verb),
        button,
        back: path::user(&view.id, ""),
        ..QuestionPage::about(seat.frame())
    };
    Ok(page(StatusCode::OK, shown.render()))
}

pub(super) async fn ask_block(seat: Arc<Seat>) -> Answer {
    ask(&seat, "block", |name| {
        let what = format!(
            "{name} is signed out everywhere at once and cannot sign in any more; accounts that act \
             as them open nothing until they are unblocked."
        );
        (what, format!("Block {name}"))
    })
    .await
}

pub(super) async fn ask_unblock(seat: Arc<Seat>) -> Answer {
    ask(&seat, "unblock", |name| {
        let what = format!("{name} may sign in again, and accounts that act as them work again.");
        (what, format!("Unblock {name}"))
    })
    .await
}

pub(super) async fn ask_revoke(seat: Arc<Seat>) -> Answer {
    ask(&seat, "revoke", |name| {
        let what = format!(
            "Every credential of accounts that act as {name} ends at once, where you are an admin. \
             The accounts stay, and can be rotated."
        );
        (what, format!("Revoke accounts of {name}"))
    })
    .await
}

pub(super) async fn block(seat: Arc<Seat>, form: Form) -> Answer {
    let id = id(&seat)?;
    seat.admin.block(&seat.actor, &id, form.text("reason"), seat.moment()).await?;
    Ok(back(&format!("{}&done=blocked", path::user(&id, ""))))
}

pub(super) async fn unblock(seat: Arc<Seat>, _form: Form) -> Answer {
    let id = id(&seat)?;
    seat.admin.unblock(&seat.actor, &id, seat.moment()).await?;
    Ok(back(&format!("{}&done=unblocked", path::user(&id, ""))))
}

pub(super) async fn revoke(seat: Arc<Seat>, _form: Form) -> Answer {
    let id = id(&seat)?;
    let revoked = seat.admin.revoke_accounts_of(&seat.actor, &id, seat.moment()).await?;
    Ok(back(&format!("{}&revoked={revoked}", path::user(&id, ""))))
}

fn id(seat: &Seat) -> Result<String, Refusal> {
    let id = seat.parameter("id");
    if id.is_empty() { Err(Refusal::no(What::User)) } else { Ok(id) }
}
