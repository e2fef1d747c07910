//! Looking for something: in everything, and for fields that help while one types.

use super::policy_editor::json_answer;
use super::users;
use super::{Answer, Seat, accounts};
use crate::admin::{AccountView, AccountsWanted, PolicyWanted, RouteWanted};
use crate::pages::console::{FoundPage, path};
use crate::web::page;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

/// The most of each kind.
const MOST: usize = 20;

pub(super) async fn everything(seat: Arc<Seat>) -> Answer {
    let text = seat.parameter("q");
    let mut frame = seat.frame();
    if let Some(shell) = &mut frame.shell {
        shell.sought.clone_from(&text);
    }
    let mut found = FoundPage {
        frame,
        text: text.clone(),
        accounts: Vec::new(),
        namespaces: Vec::new(),
        policies: Vec::new(),
        routes: Vec::new(),
        people: Vec::new(),
    };
    if !text.is_empty() {
        let views = accounts_like(&seat, &text).await?;
        found.accounts = views.iter().map(|view| accounts::row(&seat, view)).collect();
        found.people = people_like(&seat, &text).await?.0.iter().map(users::row).collect();
        found.namespaces = namespaces_like(&seat, &text);
        let which = PolicyWanted { recursive: true, text: text.clone(), ..PolicyWanted::default() };
        let policies = seat.admin.policies(&seat.actor, &which).await?;
        let policies = policies.into_iter().take(MOST);
        found.policies = policies.map(|it| (it.name, path::policy(&it.id, ""))).collect();
        let which = RouteWanted { recursive: true, text, limit: MOST, ..RouteWanted::default() };
        let (routes, _) = seat.admin.routes(&seat.actor, &which).await?;
        let routes = routes.into_iter();
        let link = |id: &str, from: &str| (format!("{id} · {from}"), path::route(id, ""));
        found.routes = routes.map(|it| link(it.id.as_str(), &it.from)).collect();
    }
    Ok(page(StatusCode::OK, found.render()))
}

async fn accounts_like(seat: &Seat, text: &str) -> Result<Vec<AccountView>, super::Refusal> {
    let which = AccountsWanted {
        recursive: true,
        text: text.to_owned(),
        limit: MOST,
        ..AccountsWanted::default()
    };
    Ok(seat.admin.accounts(&seat.actor, &which, seat.now()).await?.views)
}

async fn people_like(
    seat: &Seat,
    text: &str,
) -> Result<(Vec<crate::admin::UserView>, u64), super::Refusal> {
    Ok(seat.admin.search_users(&seat.actor, text, MOST).await?)
}

fn namespaces_like(seat: &Seat, text: &str) -> Vec<(String, String)> {
    let needle = text.to_lowercase();
    let tree = seat.tree();
    let seen = tree.in_order().into_iter().filter(|record| seat.role(&record.id).is_some());
    let fits = seen
        .filter(|record| record.name.folded().contains(&needle) || record.id.as_str() == needle);
    let found = fits.take(MOST);
    found.map(|record| (tree.path(&record.id), path::namespace(record.id.as_str(), ""))).collect()
}

/// The look-ahead. SECURITY: for those with a role alone, and only what they may see.
pub(super) async fn ahead(seat: Arc<Seat>) -> Answer {
    let text = seat.parameter("q");
    let (people, mut total) = people_like(&seat, &text).await?;
    let mut found: Vec<Value> = people
        .iter()
        .map(|it| {
            let row = users::row(it);
            json!({ "id": row.id, "email": row.email, "name": row.name, "source": row.source })
        })
        .collect();
    if seat.parameter("accounts") == "on" && !text.is_empty() {
        let accounts = accounts_like(&seat, &text).await?;
        total += u64::try_from(accounts.len()).unwrap_or(0);
        let told = accounts.iter().map(|view| {
            let record = &view.record;
            json!({
                "id": record.user,
                "account": record.id.as_str(),
                "email": "",
                "name": record.name,
                "source": "service account",
                "description": record.description,
            })
        });
        found.truncate(MOST.saturating_sub(accounts.len().min(MOST / 2)));
        found.extend(told);
        found.truncate(MOST);
    }
    let (groups, _) = seat.admin.search_groups(&seat.actor, &text, MOST).await?;
    let groups: Vec<Value> =
        groups.iter().map(|group| json!({ "id": group.id, "name": group.name })).collect();
    Ok(json_answer(&json!({ "people": found, "groups": groups, "total": total })))
}
