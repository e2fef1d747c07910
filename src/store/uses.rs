//! What was done with service accounts: when and where each was last used, and how often a day.

use super::log;
use super::statement::{Cell, Connection, Element, Row, Statement, array};
use super::{StoreError, Usage, Use};
use crate::id::ServiceAccountId;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// So many uses are written down in one transaction, so that nobody else waits long to write.
pub(super) const BATCH: usize = 100;
const DAY: i64 = 24 * 60 * 60;
/// Nobody uses anything more often between two writes, and sums stay numbers.
const MOST: u64 = 1 << 40;

/// The day of an instant: days since 1970-01-01, UTC.
pub(super) fn day_of(at: Timestamp) -> i64 {
    at.unix().div_euclid(DAY)
}

/// Writes a batch down in three statements, whatever its size.
///
/// SECURITY: a statement looks whether the account is deleted when it writes, and writes no record, so
/// that nothing that was taken back comes again.
pub(super) async fn note<C: Connection>(
    connection: &mut C,
    uses: &[Use],
) -> Result<(), StoreError> {
    // Changes, which lock rows in another order, wait before they have any.
    log::lock(connection).await?;
    connection.execute(note_credentials::<C>(uses)).await?;
    connection.execute(note_accounts::<C>(uses)).await?;
    connection.execute(count::<C>(uses)).await.map(drop)
}

fn note_credentials<C: Connection>(uses: &[Use]) -> Statement {
    let mut latest: BTreeMap<_, &Use> = BTreeMap::new();
    for used in uses {
        let known = latest.entry((&used.credential, &used.account)).or_insert(used);
        if used.last.at >= known.last.at {
            *known = used;
        }
    }
    let rows = latest.into_values().map(|used| {
        vec![
            Element::Text(used.credential.as_str()),
            Element::Text(used.account.as_str()),
            Element::Int(used.last.at.unix()),
            Element::Text(&used.last.address),
            Element::Text(&used.last.route),
        ]
    });
    let elements = C::ELEMENTS;
    let sql = "WITH v AS (SELECT e.value ->> 0 AS credential, e.value ->> 1 AS account, \
        CAST(e.value ->> 2 AS bigint) AS at, e.value ->> 3 AS address, e.value ->> 4 AS route";
    Statement::new(sql, Vec::new()).with(
        &format!(
            " FROM {elements} AS e) UPDATE lictor_credentials \
             SET used = v.at, used_address = v.address, used_route = v.route \
             FROM v JOIN lictor_accounts a ON a.id = v.account \
             WHERE lictor_credentials.id = v.credential \
             AND lictor_credentials.account = v.account AND a.deleted IS NULL \
             AND (lictor_credentials.used IS NULL OR lictor_credentials.used <= v.at)"
        ),
        array(rows),
    )
}

fn note_accounts<C: Connection>(uses: &[Use]) -> Statement {
    let mut latest = BTreeMap::new();
    for used in uses {
        let known = latest.entry(&used.account).or_insert(used.last.at);
        *known = used.last.at.max(*known);
    }
    let rows = latest
        .into_iter()
        .map(|(account, at)| vec![Element::Text(account.as_str()), Element::Int(at.unix())]);
    let elements = C::ELEMENTS;
    let sql = "WITH v AS (SELECT e.value ->> 0 AS account, CAST(e.value ->> 1 AS bigint) AS at";
    Statement::new(sql, Vec::new()).with(
        &format!(
            " FROM {elements} AS e) UPDATE lictor_accounts SET used = v.at FROM v \
             WHERE lictor_accounts.id = v.account AND lictor_accounts.deleted IS NULL \
             AND (lictor_accounts.used IS NULL OR lictor_accounts.used < v.at)"
        ),
        array(rows),
    )
}

fn count<C: Connection>(uses: &[Use]) -> Statement {
    let mut sums: BTreeMap<_, (u64, Timestamp)> = BTreeMap::new();
    for used in uses {
        let key = (&used.account, day_of(used.last.at), &used.last.route, used.outcome);
        let (sum, last) = sums.entry(key).or_insert((0, used.last.at));
        *sum = sum.saturating_add(used.count).min(MOST);
        *last = used.last.at.max(*last);
    }
    let rows = sums.into_iter().map(|((account, day, route, outcome), (sum, last))| {
        vec![
            Element::Text(account.as_str()),
            Element::Int(day),
            Element::Text(route),
            Element::Text(outcome),
            Element::Int(i64::try_from(sum).unwrap_or(i64::MAX)),
            Element::Int(last.unix()),
        ]
    });
    let elements = C::ELEMENTS;
    let sql = "INSERT INTO lictor_usage (account, day, route, outcome, uses, last_at) \
        SELECT a.id, CAST(e.value ->> 1 AS bigint), e.value ->> 2, e.value ->> 3, \
        CAST(e.value ->> 4 AS bigint), CAST(e.value ->> 5 AS bigint)";
    Statement::new(sql, Vec::new()).with(
        &format!(
            " FROM {elements} AS e JOIN lictor_accounts a ON a.id = e.value ->> 0 \
             WHERE a.deleted IS NULL ON CONFLICT (account, day, route, outcome) DO UPDATE SET \
             uses = lictor_usage.uses + excluded.uses, last_at = CASE \
             WHEN lictor_usage.last_at < excluded.last_at THEN excluded.last_at \
             ELSE lictor_usage.last_at END"
        ),
        array(rows),
    )
}

/// The latest first.
pub(super) async fn list<C: Connection>(
    connection: &mut C,
    account: &ServiceAccountId,
    from_day: i64,
) -> Result<Vec<Usage>, StoreError> {
    let sql = "SELECT day, route, outcome, uses, last_at FROM lictor_usage \
        WHERE account = $1 AND day >= $2 ORDER BY day DESC, last_at DESC, route, outcome";
    let values = vec![Cell::text(account.as_str()), Cell::Int(from_day)];
    connection.query(Statement::new(sql, values)).await?.into_iter().map(usage).collect()
}

fn usage(mut row: Row) -> Result<Usage, StoreError> {
    Ok(Usage {
        day: row.int()?,
        route: row.original()?,
        outcome: row.original()?,
        count: row.number()?,
        last: Timestamp::from_unix(row.int()?),
    })
}

/// Removes up to `limit` sums of days before `day`, and those of accounts that were deleted by `deleted`,
/// and says how many.
pub(super) async fn remove_old<C: Connection>(
    connection: &mut C,
    (day, deleted): (i64, Timestamp),
    limit: usize,
) -> Result<u64, StoreError> {
    log::lock(connection).await?;
    let of_old_days =
        "SELECT account, day, route, outcome FROM lictor_usage WHERE day < $1 LIMIT $2";
    let of_old_accounts = "SELECT u.account, u.day, u.route, u.outcome FROM lictor_accounts a \
        JOIN lictor_usage u ON u.account = a.id WHERE a.deleted <= $1 LIMIT $2";
    let mut most = 0;
    for (rows, before) in [(of_old_days, day), (of_old_accounts, deleted.unix())] {
        let sql =
            format!("DELETE FROM lictor_usage WHERE (account, day, route, outcome) IN ({rows})");
        let values = vec![Cell::Int(before), Cell::limit(limit)];
        let removed = connection.execute(Statement::new(sql, values)).await?;
        most = removed.max(most);
    }
    Ok(most)
}
