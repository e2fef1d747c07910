//! Which accounts there are, and how many stand how.

use crate::id::NamespaceId;
use crate::store::codec::{ACCOUNT_COLUMNS, account, folded};
use crate::store::people::{LONGEST_SEARCH, escaped};
use crate::store::statement::{Cell, Connection, Statement, within};
use crate::store::{AccountPage, AccountQuery, AccountTally, Filter, SortKey, Sorted, StoreError};
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);
/// An expiry that is nearer is near.
const NEAR: Duration = Duration::from_secs(14 * DAY.as_secs());
/// What was not used for longer is stale.
const LONG: Duration = Duration::from_secs(90 * DAY.as_secs());

pub(in crate::store) async fn list<C: Connection>(
    connection: &mut C,
    which: &AccountQuery,
    now: Timestamp,
) -> Result<AccountPage, StoreError> {
    if which.text.len() > LONGEST_SEARCH {
        return Ok(AccountPage::default());
    }
    let count = wanted::<C>("SELECT count(*)", which, now);
    let total = match connection.first(count).await? {
        Some(mut row) => row.number()?,
        None => 0,
    };
    let select = format!("SELECT {ACCOUNT_COLUMNS}");
    let page = wanted::<C>(&select, which, now)
        .with(&format!("{} LIMIT $", order(&which.sorted)), Cell::limit(which.limit))
        .with(" OFFSET $", Cell::limit(which.offset));
    let rows = connection.query(page).await?;
    let records = rows.into_iter().map(account).collect::<Result<_, _>>()?;
    Ok(AccountPage { records, total })
}

fn wanted<C: Connection>(select: &str, which: &AccountQuery, now: Timestamp) -> Statement {
    let sql = format!("{select} FROM lictor_accounts WHERE deleted IS NULL");
    let mut statement = Statement::new(sql, Vec::new()).one_of_many();
    if let Some(namespaces) = &which.namespaces {
        statement = within::<C>(statement, namespaces);
    }
    if let Some(user) = &which.user {
        statement = statement.with(" AND user_id = $", Cell::text(user));
    }
    if let Some(impersonating) = which.impersonating {
        let impersonating = Cell::Int(i64::from(impersonating));
        statement = statement.with(" AND impersonating = $", impersonating);
    }
    if !which.text.is_empty() {
        let text = folded(&which.text);
        let pattern = format!("%{}%", escaped(&text));
        statement = statement
            .with(" AND (searched LIKE $ ESCAPE '!'", Cell::text(&pattern))
            .with(" OR id = $)", Cell::text(&text));
    }
    if let Some(filter) = which.filter {
        // Numbers may stand in the text themselves.
        let condition = condition(filter, instants(now).map(|at| at.unix().to_string()));
        statement = statement.and(&condition);
    }
    statement
}

/// What a [`condition`] compares with: now, until when an expiry is near, since when a use is recent.
fn instants(now: Timestamp) -> [Timestamp; 3] {
    [now, now.plus(NEAR), now.minus(LONG)]
}

/// In SQL, with [`instants`] as they stand there.
fn condition(filter: Filter, [now, near, recent]: [String; 3]) -> String {
    match filter {
        Filter::Active => format!("(disabled IS NULL AND (expires IS NULL OR expires > {now}))"),
        Filter::Disabled => "disabled IS NOT NULL".to_owned(),
        Filter::Expired => format!("expires <= {now}"),
        Filter::Expiring => format!("(expires > {now} AND expires < {near})"),
        Filter::NeverUsed => "used IS NULL".to_owned(),
        Filter::Stale => format!("(created < {recent} AND (used IS NULL OR used < {recent}))"),
    }
}

/// What is not there comes last, whichever way the rest is ordered.
fn order(sorted: &[Sorted]) -> String {
    let (mut columns, mut seen) = (Vec::new(), Vec::new());
    for Sorted { key, descending } in sorted {
        // A second time a column says nothing more.
        if seen.contains(key) {
            continue;
        }
        seen.push(*key);
        let column = match key {
            SortKey::User => "user_id",
            SortKey::Created => "created",
            SortKey::Expires => "expires",
            SortKey::Used => "used",
            SortKey::Namespace => "namespace",
            SortKey::Kind => "impersonating",
        };
        let direction = if *descending { "DESC" } else { "ASC" };
        columns.push(format!("{column} {direction} NULLS LAST"));
    }
    columns.push("id".to_owned());
    format!(" ORDER BY {}", columns.join(", "))
}

/// One look at every account.
pub(in crate::store) async fn tally<C: Connection>(
    connection: &mut C,
    namespaces: Option<&BTreeSet<NamespaceId>>,
    now: Timestamp,
) -> Result<AccountTally, StoreError> {
    let counted = [
        Filter::Active,
        Filter::Expiring,
        Filter::NeverUsed,
        Filter::Stale,
        Filter::Expired,
        Filter::Disabled,
    ];
    let counted = counted.map(|filter| {
        let condition = condition(filter, ["$1", "$2", "$3"].map(str::to_owned));
        format!("count(CASE WHEN {condition} THEN 1 END)")
    });
    let sql = format!(
        "SELECT count(*), {} FROM lictor_accounts WHERE deleted IS NULL",
        counted.join(", ")
    );
    let values = instants(now).map(|at| Cell::Int(at.unix())).to_vec();
    let mut statement = Statement::new(sql, values);
    if let Some(namespaces) = namespaces {
        statement = within::<C>(statement, namespaces);
    }
    let Some(mut row) = connection.first(statement).await? else {
        return Ok(AccountTally::default());
    };
    Ok(AccountTally {
        all: row.number()?,
        active: row.number()?,
        expiring: row.number()?,
        never_used: row.number()?,
        stale: row.number()?,
        expired: row.number()?,
        disabled: row.number()?,
    })
}
