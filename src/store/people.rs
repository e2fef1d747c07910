//! Known people in the store.

use super::StoreError;
use super::codec::{PERSON_COLUMNS, folded, person, person_cells};
use super::statement::{Cell, Connection, Statement};
use crate::session::KnownPerson;

/// Nobody's name is longer, and engines limit what they search for.
pub(super) const LONGEST_SEARCH: usize = 1000;

pub(super) async fn know<C: Connection>(
    connection: &mut C,
    known: &KnownPerson,
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO lictor_people ({PERSON_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (user_id) DO UPDATE SET user_folded = excluded.user_folded, \
         email_folded = excluded.email_folded, name_folded = excluded.name_folded, \
         last_sign_in = excluded.last_sign_in, record = excluded.record"
    );
    connection.execute(Statement::new(sql, person_cells(known)?)).await.map(drop)
}

pub(super) async fn find<C: Connection>(
    connection: &mut C,
    user: &str,
) -> Result<Option<KnownPerson>, StoreError> {
    let sql = format!("SELECT {PERSON_COLUMNS} FROM lictor_people WHERE user_id = $1");
    let found = connection.first(Statement::new(sql, vec![Cell::text(user)])).await?;
    found.map(person).transpose()
}

pub(super) async fn search<C: Connection>(
    connection: &mut C,
    text: &str,
    limit: usize,
) -> Result<Vec<KnownPerson>, StoreError> {
    if text.len() > LONGEST_SEARCH {
        return Ok(Vec::new());
    }
    let text = folded(text);
    let literal = escaped(&text);
    let sql = format!(
        "SELECT {PERSON_COLUMNS} FROM lictor_people \
         WHERE user_folded LIKE $1 ESCAPE '!' OR email_folded LIKE $1 ESCAPE '!' \
         OR name_folded LIKE $1 ESCAPE '!' \
         ORDER BY CASE \
         WHEN $2 <> '' AND (user_folded = $2 OR email_folded = $2 OR name_folded = $2) THEN 0 \
         WHEN user_folded LIKE $3 ESCAPE '!' OR email_folded LIKE $3 ESCAPE '!' \
         OR name_folded LIKE $3 ESCAPE '!' THEN 1 \
         ELSE 2 END, email_folded, user_id LIMIT $4"
    );
    let values = vec![
        Cell::text(&format!("%{literal}%")),
        Cell::text(&text),
        Cell::text(&format!("{literal}%")),
        Cell::limit(limit),
    ];
    connection.query(Statement::new(sql, values)).await?.into_iter().map(person).collect()
}

/// A pattern of LIKE that is met by `text` alone.
pub(super) fn escaped(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}
