//! Notes of changes: which record is not any more what it was, in the order of commits.

use super::log::End;
use super::statement::{Cell, Connection, Row, Statement};
use super::{Changed, Changes, RecordKey, StoreError};
use crate::id::{CredentialId, SessionId};

/// So many changes at once are told as "anything may have changed".
const TOLD: usize = 10_000;
/// So many notes are kept: who was away for more has to forget everything.
const KEPT: u64 = 100_000;

const SESSION: &str = "session";
const CREDENTIAL: &str = "credential";
const CATALOG: &str = "catalog";

impl RecordKey {
    fn kind(&self) -> &'static str {
        match self {
            Self::Session(_) => SESSION,
            Self::Credential(_) => CREDENTIAL,
            Self::Catalog => CATALOG,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Session(id) => id.as_str(),
            Self::Credential(id) => id.as_str(),
            Self::Catalog => CATALOG,
        }
    }

    /// `None` for a kind of record that this version does not know, and so does not keep.
    fn read(kind: &str, name: &str) -> Result<Option<Self>, StoreError> {
        let read = match kind {
            SESSION => SessionId::parse(name).map(Self::Session),
            CREDENTIAL => CredentialId::parse(name).map(Self::Credential),
            CATALOG => Some(Self::Catalog),
            _ => return Ok(None),
        };
        read.map(Some).ok_or_else(|| StoreError::corrupt("a change names no record"))
    }
}

/// Writes a note with the next number.
pub(super) async fn note<C: Connection>(
    connection: &mut C,
    end: &mut End,
    record: RecordKey,
) -> Result<Changed, StoreError> {
    let number = end.change.saturating_add(1);
    let sql = "INSERT INTO lictor_changes (number, kind, name) VALUES ($1, $2, $3) \
        ON CONFLICT (number) DO NOTHING";
    let values = vec![Cell::number(number), Cell::text(record.kind()), Cell::text(record.name())];
    if connection.execute(Statement::new(sql, values)).await? == 0 {
        return Err(StoreError::corrupt(format!("change {number} stands after the last one")));
    }
    end.change = number;
    Ok(Changed { number, record })
}

/// One statement, so that the end and the notes are of the same instant.
pub(super) async fn since<C: Connection>(
    connection: &mut C,
    after: u64,
) -> Result<Changes, StoreError> {
    let sql = "SELECT h.change, c.number, c.kind, c.name FROM lictor_head h \
        LEFT JOIN lictor_changes c ON c.number > $1 ORDER BY c.number LIMIT $2";
    let values = vec![Cell::number(after), Cell::limit(TOLD.saturating_add(1))];
    let mut rows = connection.query(Statement::new(sql, values)).await?.into_iter().peekable();
    let first = rows.peek().and_then(|row| row.rest().first());
    let latest = match first {
        Some(Cell::Int(latest)) => u64::try_from(*latest).map_err(StoreError::corrupt)?,
        Some(Cell::Null | Cell::Text(_)) | None => {
            return Err(StoreError::corrupt("the number of the last change is not known"));
        }
    };
    let (mut expected, mut changed) = (after, Vec::new());
    for row in rows {
        let Some((number, record)) = read(row)? else { break };
        // A gap, or more than can be told: what is not here may be anything.
        if number != expected.saturating_add(1) || changed.len() == TOLD {
            return Ok(Changes { latest, changed: None });
        }
        expected = number;
        changed.extend(record.map(|record| Changed { number, record }));
    }
    // The numbers may also be those of another store than before, such as a backup.
    Ok(Changes { latest, changed: (expected == latest).then_some(changed) })
}

fn read(mut row: Row) -> Result<Option<(u64, Option<RecordKey>)>, StoreError> {
    row.skip(1);
    if row.rest().first() == Some(&Cell::Null) {
        return Ok(None);
    }
    let number = row.number()?;
    let (kind, name) = (row.text()?, row.text()?);
    Ok(Some((number, RecordKey::read(&kind, &name)?)))
}

/// Removes up to `limit` notes that are old enough, and says how many.
pub(super) async fn remove_old<C: Connection>(
    connection: &mut C,
    limit: usize,
) -> Result<u64, StoreError> {
    let sql = "DELETE FROM lictor_changes WHERE number IN (SELECT c.number \
        FROM lictor_head h JOIN lictor_changes c ON c.number <= h.change - $1 \
        ORDER BY c.number LIMIT $2)";
    let values = vec![Cell::number(KEPT), Cell::limit(limit)];
    connection.execute(Statement::new(sql, values)).await
}

// === changes as messages ===

/// Messages that tell of `changes`, none longer than `longest` bytes.
pub(super) fn messages(changes: &[Changed], longest: usize) -> Vec<String> {
    let mut messages: Vec<String> = Vec::new();
    for Changed { number, record } in changes {
        let line = format!("{number} {} {}", record.kind(), record.name());
        match messages.last_mut().filter(|last| last.len() + 1 + line.len() <= longest) {
            Some(last) => {
                last.push('\n');
                last.push_str(&line);
            }
            None => messages.push(line),
        }
    }
    messages
}

/// Reads what [`messages`] wrote.
pub(super) fn read_message(text: &str) -> Result<Vec<Changed>, StoreError> {
    let unreadable = || StoreError::corrupt("a notification tells of no change");
    let mut changes = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let (number, kind, name) = (words.next(), words.next(), words.next());
        let number = number.and_then(|number| number.parse().ok()).ok_or_else(unreadable)?;
        let record = RecordKey::read(kind.ok_or_else(unreadable)?, name.ok_or_else(unreadable)?)?;
        changes.extend(record.map(|record| Changed { number, record }));
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::{Changed, RecordKey, messages, read_message};
    use crate::id::SessionId;

    fn changes(count: u64) -> Vec<Changed> {
        let id = SessionId::parse("ses_00112233445566778899aabbccddeeff").expect("an id");
        let record = RecordKey::Session(id);
        (1..=count).map(|number| Changed { number, record: record.clone() }).collect()
    }

    #[test]
    fn messages_are_read_as_they_were_written() {
        let told = changes(400);
        let written = messages(&told, 7900);
        assert!(written.len() > 1 && written.iter().all(|text| text.len() <= 7900));
        let read: Vec<Changed> =
            written.iter().flat_map(|text| read_message(text).expect("reads")).collect();
        assert_eq!(read, told);
        assert!(messages(&[], 7900).is_empty());
    }

    #[test]
    fn a_message_of_another_version_or_of_nobody() {
        assert_eq!(read_message("7 route r-1").expect("an unknown kind"), []);
        for text in ["x", "7", "7 session", "7 session r-1", "-7 session ses_", "{\"a\":1}"] {
            assert!(read_message(text).is_err(), "{text}");
        }
    }
}
