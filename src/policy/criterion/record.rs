//! Questions about an external record that belongs to the request.

use super::Finding;
use crate::document::Number;
use crate::identity::ClaimValue;
use crate::policy::matcher::{Case, StringTest};
use crate::policy::{Facts, Reason};
use crate::record::Record;
use std::borrow::Cow;
use std::cmp::Ordering;

/// What is asked of the record of one type. All that is given must hold; a record or a field that is
/// missing fails every test.
#[derive(Debug)]
pub(crate) struct RecordQuestion {
    pub(in crate::policy) record_type: String,
    pub(in crate::policy) field: Option<String>,
    /// Whether the record, or the field if one is named, is to be there.
    pub(in crate::policy) exists: Option<bool>,
    pub(in crate::policy) tests: Vec<RecordTest>,
}

#[derive(Debug)]
pub(crate) enum RecordTest {
    Text(StringTest),
    /// The field is a list and has this element.
    Has(ClaimValue),
    Number(Comparison, Number),
}

/// How numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    Greater,
}

impl Comparison {
    pub(in crate::policy) fn accepts(self, found: Ordering) -> bool {
        match self {
            Self::Less => found.is_lt(),
            Self::AtMost => found.is_le(),
            Self::Equal => found.is_eq(),
            Self::AtLeast => found.is_ge(),
            Self::Greater => found.is_gt(),
        }
    }
}

impl RecordTest {
    pub(in crate::policy) fn holds(&self, value: &ClaimValue) -> bool {
        match (self, value) {
            (Self::Has(wanted), ClaimValue::List(items)) => items.contains(wanted),
            (Self::Number(comparison, wanted), ClaimValue::Number(found)) => {
                found.compare(*wanted).is_some_and(|order| comparison.accepts(order))
            }
            (Self::Text(StringTest::Is(wanted)), found) => wanted == found,
            (Self::Text(StringTest::Not(wanted)), found) => wanted != found,
            (Self::Text(test), ClaimValue::Text(found)) => test.holds(found, Case::Exact),
            (Self::Text(StringTest::NotIn(_)), _) => true,
            (Self::Has(_) | Self::Number(..) | Self::Text(_), _) => false,
        }
    }
}

impl RecordQuestion {
    pub(super) fn ask(&self, facts: &Facts<'_>) -> Finding<'_> {
        let record = facts.record(&self.record_type);
        let value = match &self.field {
            Some(field) => record.and_then(|record| record.field(field)),
            None => None,
        };
        let there = if self.field.is_some() { value.is_some() } else { record.is_some() };
        let holds = self.exists.is_none_or(|wanted| wanted == there)
            && self.tests.iter().all(|test| value.is_some_and(|value| test.holds(value)));
        Finding::either(holds, Reason::RecordOk, Reason::RecordUnauthorized)
    }

    pub(super) fn saw(&self, facts: &Facts<'_>) -> Cow<'static, str> {
        let record: Option<&Record> = facts.record(&self.record_type);
        let field = self.field.as_deref();
        match (record, field) {
            (None, _) => "no record".into(),
            (Some(_), None) => "a record".into(),
            (Some(record), Some(field)) => match record.field(field) {
                None => "a record without this field".into(),
                Some(value) => format!("a field with {}", kind(value)).into(),
            },
        }
    }
}

fn kind(value: &ClaimValue) -> &'static str {
    match value {
        ClaimValue::Null => "nothing",
        ClaimValue::Bool(_) => "true or false",
        ClaimValue::Number(_) => "a number",
        ClaimValue::Text(_) => "text",
        ClaimValue::List(_) => "a list",
        ClaimValue::Map(_) => "a map",
    }
}
