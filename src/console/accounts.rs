//! The list of service accounts.

use super::{Answer, Seat};
use crate::admin::{AccountView, AccountsWanted};
use crate::namespace::Role;
use crate::pages::console::{AccountRow, AccountsPage, Pager, path};
use crate::store::{Filter, SortKey, Sorted};
use crate::web::page;
use axum::http::StatusCode;
use std::sync::Arc;

/// How many rows stand on a page.
const ROWS: usize = 50;

pub(super) async fn list(seat: Arc<Seat>) -> Answer {
    let mut offset = seat.parameter("offset").parse().unwrap_or(0);
    let mut which = AccountsWanted { offset, limit: ROWS, ..wanted(&seat) };
    let mut found = seat.admin.accounts(&seat.actor, &which, seat.now()).await?;
    if found.views.is_empty() && offset > 0 {
        // Some have gone since the address was made: the last ones that are left.
        let last = usize::try_from(found.total.saturating_sub(1)).unwrap_or(0);
        offset = last / ROWS * ROWS;
        which.offset = offset;
        found = seat.admin.accounts(&seat.actor, &which, seat.now()).await?;
    }
    let kept = ["q", "kind", "state", "only", "sort"].map(|name| (name, seat.parameter(name)));
    let address =
        path::with(path::ACCOUNTS, kept.iter().map(|(name, value)| (*name, value.as_str())));
    let shown = AccountsPage {
        frame: seat.frame(),
        notice: seat.notice(),
        rows: found.views.iter().map(|view| row(&seat, view)).collect(),
        pager: Pager { offset, size: ROWS, total: found.total, address },
        text: which.text,
        impersonating: which.impersonating,
        filter: which.filter,
        recursive: which.recursive,
        sorted: which.sorted.first().copied(),
        manages: seat.is(Role::Manager),
    };
    Ok(page(StatusCode::OK, shown.render()))
}

/// What the parameters ask for.
fn wanted(seat: &Seat) -> AccountsWanted {
    AccountsWanted {
        namespace: Some(seat.namespace.clone()),
        recursive: seat.is_recursive(),
        text: seat.parameter("q"),
        impersonating: match seat.parameter("kind").as_str() {
            "impersonated" => Some(true),
            "unique" => Some(false),
            _ => None,
        },
        filter: Filter::parse(&seat.parameter("state")),
        sorted: sorted(&seat.parameter("sort")).into_iter().collect(),
        ..AccountsWanted::default()
    }
}

fn sorted(text: &str) -> Option<Sorted> {
    let (key, descending) = text.strip_prefix('-').map_or((text, false), |key| (key, true));
    Some(Sorted { key: SortKey::parse(key)?, descending })
}

/// An account in a list.
pub(super) fn row(seat: &Seat, view: &AccountView) -> AccountRow {
    let record = &view.record;
    let role = seat.role(&record.namespace);
    let needed = if record.is_impersonating() { Role::Admin } else { Role::Manager };
    AccountRow {
        id: record.id.to_string(),
        name: record.name.clone(),
        user_id: record.user.clone(),
        impersonating: record.is_impersonating(),
        person: view.person.clone(),
        namespace_id: record.namespace.to_string(),
        namespace: view.namespace_path.clone(),
        description: record.description.clone(),
        issued: record.created,
        used: record.used,
        expires: record.expires,
        state: view.state,
        manages: role >= Some(needed),
        restricts: role >= Some(Role::Manager),
    }
}
