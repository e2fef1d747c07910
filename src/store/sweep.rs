//! Removing what has expired, a batch in each transaction, so that nobody waits long.

use super::statement::{Cell, Connection, Row};
use super::transaction::Writing;
use super::{Change, StoreError, accounts, changes, codec, once, sessions, uses};
use crate::activity::{ChainKey, Event, Verb, Who};
use crate::id::SessionId;
use crate::session::{Origin, SessionRecord};
use crate::time::Timestamp;
use std::time::Duration;

/// So many records in one transaction.
const BATCH: usize = 200;

/// What there is to remove, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sweep {
    ExpiredSessions,
    /// Impersonations that are over, on sessions that are not.
    DoneActing,
    ExpiredValues,
    OldNotes,
    /// Of accounts that were deleted long ago, before these themselves, and of days long past.
    OldUsage,
    /// Accounts that were deleted long ago, with their credentials.
    OldAccounts,
    /// Credentials that have opened nothing for long.
    OldCredentials,
}

impl Sweep {
    pub(super) const ALL: [Self; 7] = [
        Self::ExpiredSessions,
        Self::DoneActing,
        Self::ExpiredValues,
        Self::OldNotes,
        Self::OldUsage,
        Self::OldAccounts,
        Self::OldCredentials,
    ];
}

/// How long what is deleted, revoked or over is remembered, so that refusals can say so.
const REMEMBERED: Duration = Duration::from_hours(30 * 24);
/// How long it is known what was done with an account on which day.
const USAGE_KEPT: Duration = Duration::from_hours(90 * 24);

/// Whether there may be more of the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Swept {
    All,
    Part,
}

impl Swept {
    fn of(count: usize) -> Self {
        if count < BATCH { Self::All } else { Self::Part }
    }
}

/// One batch, in one transaction.
pub(super) async fn sweep<C: Connection>(
    connection: &mut C,
    chain: &ChainKey,
    what: Sweep,
    now: Timestamp,
) -> Result<Swept, StoreError> {
    let removed = match what {
        Sweep::ExpiredSessions => return expired_sessions(connection, chain, now).await,
        Sweep::DoneActing => return done_acting(connection, chain, now).await,
        Sweep::ExpiredValues => once::remove_expired(connection, now, BATCH).await?,
        Sweep::OldNotes => changes::remove_old(connection, BATCH).await?,
        Sweep::OldUsage => {
            let day = uses::day_of(now.minus(USAGE_KEPT));
            uses::remove_old(connection, (day, now.minus(REMEMBERED)), BATCH).await?
        }
        Sweep::OldAccounts => {
            accounts::remove_deleted(connection, now.minus(REMEMBERED), BATCH).await?
        }
        Sweep::OldCredentials => {
            accounts::remove_over(connection, now.minus(REMEMBERED), BATCH).await?
        }
    };
    Ok(Swept::of(usize::try_from(removed).unwrap_or(usize::MAX)))
}

/// No notes are written: a record says itself when it is over.
async fn expired_sessions<C: Connection>(
    connection: &mut C,
    chain: &ChainKey,
    now: Timestamp,
) -> Result<Swept, StoreError> {
    let mut writing = Writing::begin(connection, chain).await?;
    let rows = sessions::remove_expired(writing.connection, now, BATCH).await?;
    let swept = Swept::of(rows.len());
    for row in rows.into_iter().filter(was_acting) {
        let id = named(&row);
        let event = match codec::session(row) {
            Ok(record) => impersonation_end(&record),
            // It is over all the same, and an entry without names is better than none.
            Err(error) => Some(nameless_end(id, now, &error)),
        };
        if let Some(event) = event {
            writing.append(event).await?;
        }
    }
    writing.finish().await?;
    Ok(swept)
}

fn was_acting(row: &Row) -> bool {
    // `acting_until` stands before the record.
    row.rest().iter().rev().nth(1).is_some_and(|until| *until != Cell::Null)
}

fn named(row: &Row) -> Option<SessionId> {
    match row.rest().first() {
        Some(Cell::Text(id)) => SessionId::parse(id),
        Some(Cell::Null | Cell::Int(_)) | None => None,
    }
}

async fn done_acting<C: Connection>(
    connection: &mut C,
    chain: &ChainKey,
    now: Timestamp,
) -> Result<Swept, StoreError> {
    let mut writing = Writing::begin(connection, chain).await?;
    let rows = sessions::done_acting(writing.connection, now, BATCH).await?;
    // One that cannot be read acts as nobody, and keeps nobody else from being looked after.
    let records = rows.into_iter().filter_map(|row| codec::session(row).ok());
    let records: Vec<SessionRecord> = records.collect();
    let swept = Swept::of(records.len());
    for mut record in records {
        let event = impersonation_end(&record);
        record.impersonation = None;
        writing.make(Change::UpdateSession(record)).await?;
        if let Some(event) = event {
            writing.append(event).await?;
        }
    }
    writing.finish().await?;
    Ok(swept)
}

/// Nobody's request ended it, so there is no address. The instant is that of its end, not of the sweep.
fn impersonation_end(record: &SessionRecord) -> Option<Event> {
    let impersonation = record.impersonation.as_ref()?;
    let (at, detail) = if impersonation.until <= record.expires {
        (impersonation.until, "its time was over")
    } else {
        (record.expires, "the session expired")
    };
    let account = &record.account;
    Some(Event {
        at,
        verb: Verb::ImpersonationEnd,
        actor: Who { user: account.user.clone(), email: account.email.clone(), groups: Vec::new() },
        subject: Some(Who {
            user: String::new(),
            email: impersonation.email.clone().unwrap_or_default(),
            groups: impersonation.groups.clone().unwrap_or_default(),
        }),
        session: Some(record.id.clone()),
        reason: impersonation.reason.clone(),
        detail: detail.to_owned(),
        origin: Origin::default(),
        deed: None,
    })
}

fn nameless_end(session: Option<SessionId>, now: Timestamp, error: &StoreError) -> Event {
    Event {
        at: now,
        verb: Verb::ImpersonationEnd,
        actor: Who::default(),
        subject: None,
        session,
        reason: String::new(),
        detail: format!("the session expired; {error}"),
        origin: Origin::default(),
        deed: None,
    }
}
