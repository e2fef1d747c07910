//! Which accounts there are, and how many stand how.

use crate::id::NamespaceId;
use crate::store::codec::{ACCOUNT_COLUMNS, account, folded};
use crate::store::people::{LONGEST_SEARCH, escaped};
use crate::store::statement::{Cell, Connection, Statement, within};
use crate::store::{AccountPage, AccountQuery, AccountTally, Filter, SortKey, Sorted, StoreError};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);
/// An expiry that is nearer is near.
const NEAR: Duration = Duration::from_secs(14 * DAY.as_secs());
/// What was not used for longer is stale.
const LONG: Duration = Duration::from_secs(90 * DAY.as_secs());

/// Where accounts are looked for. PostgreSQL knows that itself; SQLite, which does not know how many there
/// are of what, is told which indexes to leave alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// By an index on what is asked for, and then put in order.
    Indexed,
    /// Among all accounts, as they lie on the disk, and then put in order.
    Scanned,
    /// Among all accounts in the order that is wanted, until there are enough.
    InOrder,
}

impl Way {
    /// What stands before columns: which of the accounts there are, of namespaces, and of the order.
    fn hints<C: Connection>(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Indexed => ("", "", C::UNINDEXED),
            Self::Scanned => (C::UNINDEXED, C::UNINDEXED, C::UNINDEXED),
            Self::InOrder => ("", C::UNINDEXED, ""),
        }
    }
}

/// Many are found sooner without an index, as each that it names lies somewhere else on the disk.
const MANY: u64 = 5_000;

pub(in crate::store) async fn list<C: Connection>(
    connection: &mut C,
    which: &AccountQuery,
    now: Timestamp,
) -> Result<AccountPage, StoreError> {
    if which.text.len() > LONGEST_SEARCH {
        return Ok(AccountPage::default());
    }
    let narrowed =
        !which.text.is_empty() || which.filter.is_some() || which.impersonating.is_some();
    let way = if which.user.is_none() && narrowed {
        way_among(connection, which.namespaces.as_ref()).await?
    } else {
        Way::Indexed
    };
    let total = count(connection, (which, way), now).await?;
    let way = if total > MANY { Way::InOrder } else { way };
    let select = format!("SELECT {ACCOUNT_COLUMNS}");
    let order = order::<C>(&which.sorted, way);
    let page = wanted::<C>(&select, (which, way), now)
        .with(&format!("{order} LIMIT $"), Cell::limit(which.limit))
        .with(" OFFSET $", Cell::limit(which.offset));
    let rows = connection.query(page).await?;
    let records = rows.into_iter().map(account).collect::<Result<_, _>>()?;
    Ok(AccountPage { records, total })
}

/// How to look at every account of these namespaces.
async fn way_among<C: Connection>(
    connection: &mut C,
    namespaces: Option<&BTreeSet<NamespaceId>>,
) -> Result<Way, StoreError> {
    let Some(namespaces) = namespaces else {
        return Ok(Way::Scanned);
    };
    let all = AccountQuery { namespaces: Some(namespaces.clone()), ..AccountQuery::default() };
    let all = count(connection, (&all, Way::Indexed), Timestamp::default()).await?;
    Ok(if all > MANY { Way::Scanned } else { Way::Indexed })
}

async fn count<C: Connection>(
    connection: &mut C,
    wanted_in: (&AccountQuery, Way),
    now: Timestamp,
) -> Result<u64, StoreError> {
    match connection.first(wanted::<C>("SELECT count(*)", wanted_in, now)).await? {
        Some(mut row) => row.number(),
        None => Ok(0),
    }
}

fn wanted<C: Connection>(
    select: &str,
    (which, way): (&AccountQuery, Way),
    now: Timestamp,
) -> Statement {
    let (there, in_namespace, _) = way.hints::<C>();
    let sql = format!("{select} FROM lictor_accounts WHERE {there}deleted IS NULL");
    let mut statement = Statement::new(sql, Vec::new()).one_of_many();
    if let Some(namespaces) = &which.namespaces {
        statement = within::<C>(statement, (in_namespace, namespaces));
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

/// What is not there comes last, whichever way the rest is ordered. Those that stand alike are ordered by
/// id the same way, as the indexes are.
fn order<C: Connection>(sorted: &[Sorted], way: Way) -> String {
    let (_, _, hint) = way.hints::<C>();
    let (mut columns, mut seen, mut last) = (Vec::new(), Vec::new(), "ASC");
    for Sorted { key, descending } in sorted {
        // A second time a column says nothing more.
        if seen.contains(key) {
            continue;
        }
        seen.push(*key);
        let (column, missing) = match key {
            SortKey::User => ("user_id", ""),
            SortKey::Created => ("created", ""),
            SortKey::Expires => ("expires", " NULLS LAST"),
            SortKey::Used => ("used", " NULLS LAST"),
            SortKey::Namespace => ("namespace", ""),
            SortKey::Kind => ("impersonating", ""),
        };
        last = if *descending { "DESC" } else { "ASC" };
        columns.push(format!("{hint}{column} {last}{missing}"));
    }
    columns.push(format!("{hint}id {last}"));
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
    let way = way_among(connection, namespaces).await?;
    let (there, in_namespace, _) = way.hints::<C>();
    let sql = format!(
        "SELECT count(*), {} FROM lictor_accounts WHERE {there}deleted IS NULL",
        counted.join(", ")
    );
    let values = instants(now).map(|at| Cell::Int(at.unix())).to_vec();
    let mut statement = Statement::new(sql, values);
    if let Some(namespaces) = namespaces {
        statement = within::<C>(statement.one_of_many(), (in_namespace, namespaces));
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

/// One walk along the index.
pub(in crate::store) async fn by_namespace<C: Connection>(
    connection: &mut C,
    namespaces: Option<&BTreeSet<NamespaceId>>,
) -> Result<BTreeMap<NamespaceId, u64>, StoreError> {
    let sql = "SELECT namespace, count(*) FROM lictor_accounts WHERE deleted IS NULL";
    let mut statement = Statement::new(sql, Vec::new()).one_of_many();
    if let Some(namespaces) = namespaces {
        statement = within::<C>(statement, ("", namespaces));
    }
    let statement = statement.then(" GROUP BY namespace");
    let rows = connection.query(statement).await?.into_iter();
    let counted = rows.map(|mut row| {
        let (name, count) = (row.text()?, row.number()?);
        let id = NamespaceId::parse(&name);
        let id = id.ok_or_else(|| StoreError::corrupt("a namespace has no such name"))?;
        Ok((id, count))
    });
    counted.collect()
}
