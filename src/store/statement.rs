//! What every engine can do: take a statement with values, and give rows. SQL is written once, in the
//! dialect that both engines understand, with `$1`, `$2` … for values.

use super::{Changed, StoreError};
use crate::id::NamespaceId;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::future::Future;

/// A value in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Text(String),
}

impl Cell {
    /// A text as it is stored; see [`storable`].
    pub(super) fn text(text: &str) -> Self {
        Self::Text(storable(text))
    }

    /// A text that is not there if it is empty.
    pub(super) fn text_if_any(text: &str) -> Self {
        if text.is_empty() { Self::Null } else { Self::text(text) }
    }

    /// A number that counts something, which never comes near the end of its range.
    pub(super) fn number(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// How many rows at most.
    pub(super) fn limit(limit: usize) -> Self {
        Self::Int(i64::try_from(limit).unwrap_or(i64::MAX))
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<Option<i64>> for Cell {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Self::Null, Self::Int)
    }
}

/// Stands before what is written otherwise than it is. No character of any language.
const ESCAPE: char = '\u{ffff}';

/// A text without U+0000, which PostgreSQL does not take and SQLite does not compare beyond. Different
/// texts stay different.
pub(super) fn storable(text: &str) -> String {
    if !text.contains(['\0', ESCAPE]) {
        return text.to_owned();
    }
    text.chars().fold(String::with_capacity(text.len() + 8), |mut stored, c| {
        if matches!(c, '\0' | ESCAPE) {
            stored.push(ESCAPE);
        }
        stored.push(if c == '\0' { '0' } else { c });
        stored
    })
}

/// What [`storable`] made `stored` of.
fn original(stored: &str) -> String {
    let mut text = String::with_capacity(stored.len());
    let mut rest = stored.chars();
    while let Some(c) = rest.next() {
        text.push(match c {
            ESCAPE => match rest.next() {
                Some('0') => '\0',
                Some(escaped) => escaped,
                None => ESCAPE,
            },
            plain => plain,
        });
    }
    text
}

/// One row of an answer, read from left to right.
#[derive(Debug)]
pub(super) struct Row(std::vec::IntoIter<Cell>);

impl Row {
    pub(super) fn new(cells: Vec<Cell>) -> Self {
        Self(cells.into_iter())
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &[Cell] {
        self.0.as_slice()
    }

    /// Leaves out so many cells.
    pub(super) fn skip(&mut self, cells: usize) {
        self.0.by_ref().take(cells).for_each(drop);
    }

    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        match self.0.next() {
            Some(Cell::Text(text)) => Ok(text),
            Some(Cell::Null | Cell::Int(_)) | None => Err(StoreError::corrupt("a text is missing")),
        }
    }

    /// A text that stands in no other column, as it was before it was stored.
    pub(super) fn original(&mut self) -> Result<String, StoreError> {
        self.text().map(|stored| original(&stored))
    }

    /// The next `cells` as a row of their own.
    pub(super) fn take(&mut self, cells: usize) -> Self {
        Self::new(self.0.by_ref().take(cells).collect())
    }

    pub(super) fn int(&mut self) -> Result<i64, StoreError> {
        self.maybe_int()?.ok_or_else(|| StoreError::corrupt("a number is missing"))
    }

    pub(super) fn maybe_int(&mut self) -> Result<Option<i64>, StoreError> {
        match self.0.next() {
            Some(Cell::Int(value)) => Ok(Some(value)),
            Some(Cell::Null) => Ok(None),
            Some(Cell::Text(_)) | None => Err(StoreError::corrupt("a number is missing")),
        }
    }

    /// A number that counts something.
    pub(super) fn number(&mut self) -> Result<u64, StoreError> {
        u64::try_from(self.int()?).map_err(|_| StoreError::corrupt("a count is negative"))
    }
}

/// A statement and its values.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) sql: Cow<'static, str>,
    pub(super) values: Vec<Cell>,
    /// There are too many of its kind for all of them to be kept prepared.
    pub(super) one_of_many: bool,
}

impl Statement {
    pub(super) fn new(sql: impl Into<Cow<'static, str>>, values: Vec<Cell>) -> Self {
        Self { sql: sql.into(), values, one_of_many: false }
    }

    /// A statement that is put together in so many ways that none is kept prepared.
    #[must_use]
    pub(super) fn one_of_many(self) -> Self {
        Self { one_of_many: true, ..self }
    }

    /// Puts `text` at the end, in which each `$` stands for `value`.
    #[must_use]
    pub(super) fn with(mut self, text: &str, value: Cell) -> Self {
        self.values.push(value);
        let place = format!("${}", self.values.len());
        self.sql.to_mut().push_str(&text.replace('$', &place));
        self
    }

    /// Closes a bracket.
    fn closed(mut self) -> Self {
        self.sql.to_mut().push(')');
        self
    }

    /// Puts `text` at the end as it is.
    #[must_use]
    pub(super) fn then(mut self, text: &str) -> Self {
        self.sql.to_mut().push_str(text);
        self
    }

    /// Puts a condition without values at the end.
    #[must_use]
    pub(super) fn and(mut self, condition: &str) -> Self {
        let sql = self.sql.to_mut();
        sql.push_str(" AND ");
        sql.push_str(condition);
        self
    }
}

/// Lists as one value: a JSON array of arrays.
pub(super) fn array<'a>(rows: impl IntoIterator<Item = Vec<Element<'a>>>) -> Cell {
    let element = |element| match element {
        Element::Text(text) => Value::String(storable(text)),
        Element::Int(value) => Value::from(value),
    };
    let rows = rows.into_iter().map(|row| row.into_iter().map(element).collect());
    Cell::Text(Value::Array(rows.collect()).to_string())
}

/// Only what is in these namespaces, however many there are; `hint` stands before the column. Few are given one by one, so that the engine
/// knows that they are few; that makes statements of many kinds.
pub(super) fn within<C: Connection>(
    mut statement: Statement,
    (hint, namespaces): (&str, &BTreeSet<NamespaceId>),
) -> Statement {
    const FEW: usize = 20;
    if namespaces.is_empty() || namespaces.len() > FEW {
        let elements = C::ELEMENTS;
        let names = array(namespaces.iter().map(|id| vec![Element::Text(id.as_str())]));
        let text = format!(" AND {hint}namespace IN (SELECT e.value ->> 0 FROM {elements} AS e)");
        return statement.with(&text, names);
    }
    let mut before = format!(" AND {hint}namespace IN (");
    for namespace in namespaces {
        before.push('$');
        statement = statement.with(&before, Cell::text(namespace.as_str()));
        ", ".clone_into(&mut before);
    }
    statement.closed()
}

/// A value in an [`array`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Element<'a> {
    Text(&'a str),
    Int(i64),
}

/// An engine's connection, or a transaction on it.
pub(super) trait Connection: Send {
    /// What stands at the end of a SELECT whose rows nobody else may change before this transaction
    /// has ended.
    const LOCKING: &'static str;

    /// What gives a row for each element of the JSON array `$`; the element is its column `value`.
    const ELEMENTS: &'static str;

    /// Stands before a column of which no index is to be used, unless the engine knows that itself.
    const UNINDEXED: &'static str;

    /// Gives the number of rows that were changed.
    fn execute(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    fn query(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send;

    /// Tells every feed of changes, once this transaction has ended well.
    fn announce(
        &mut self,
        changes: Vec<Changed>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The first row.
    fn first(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<Option<Row>, StoreError>> + Send {
        async { Ok(self.query(statement).await?.into_iter().next()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Row, Statement, original, storable};

    #[test]
    fn stored_texts_have_no_zeros_and_stay_different() {
        assert_eq!(storable("plain \u{1}"), "plain \u{1}");
        let texts = ["\0", "0", "\u{ffff}", "\u{ffff}0", "\0\0", "\u{ffff}\0"];
        let stored: std::collections::BTreeSet<String> =
            texts.iter().map(|text| storable(text)).collect();
        assert_eq!(stored.len(), texts.len());
        assert!(stored.iter().all(|text| !text.contains('\0')));
        for text in texts {
            assert_eq!(original(&storable(text)), text);
        }
    }

    #[test]
    fn a_row_of_another_shape_is_an_error() {
        let row = || Row::new(vec![Cell::Int(-1), Cell::Null]);
        assert!(row().text().is_err());
        assert!(row().number().is_err());
        let mut row = row();
        row.skip(1);
        assert_eq!(row.maybe_int().expect("null"), None);
        assert!(row.maybe_int().is_err(), "there is no more");
    }

    #[test]
    fn values_are_counted() {
        let statement = Statement::new("SELECT a FROM t WHERE b = $1", vec![Cell::Int(1)])
            .with(" AND (c = $ OR d = $)", Cell::text("x"))
            .with(" LIMIT $", Cell::limit(usize::MAX));
        assert_eq!(statement.sql, "SELECT a FROM t WHERE b = $1 AND (c = $2 OR d = $2) LIMIT $3");
        assert_eq!(statement.values.last(), Some(&Cell::Int(i64::MAX)));
    }
}
