//! The members of a token's payload, each read as the JSON type it must have.

use super::claims::ClaimValue;
use super::error::TokenError;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// The members of a payload; each read says which JSON type it wants. `null` counts as absent.
pub(super) struct Members(pub(super) BTreeMap<String, ClaimValue>);

impl Members {
    fn take(&mut self, name: &str) -> Option<ClaimValue> {
        self.0.remove(name).filter(|value| !matches!(value, ClaimValue::Null))
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, TokenError> {
        match self.take(name) {
            None => Ok(None),
            Some(ClaimValue::Text(text)) => Ok(Some(text)),
            Some(_) => Err(TokenError::Malformed("a claim that must be text is not")),
        }
    }

    pub(super) fn bool(&mut self, name: &str) -> Result<Option<bool>, TokenError> {
        match self.take(name) {
            None => Ok(None),
            Some(ClaimValue::Bool(value)) => Ok(Some(value)),
            Some(_) => Err(TokenError::Malformed("a claim that must be true or false is not")),
        }
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, TokenError> {
        match self.take(name) {
            None => Ok(None),
            Some(ClaimValue::List(items)) => all_text(items).map(Some),
            Some(_) => Err(TokenError::Malformed("a claim that must be a list is not")),
        }
    }

    pub(super) fn texts_or_text(&mut self, name: &str) -> Result<Option<Vec<String>>, TokenError> {
        match self.take(name) {
            None => Ok(None),
            Some(ClaimValue::Text(text)) => Ok(Some(vec![text])),
            Some(ClaimValue::List(items)) => all_text(items).map(Some),
            Some(_) => Err(TokenError::Malformed("`aud` is neither text nor a list")),
        }
    }

    /// A `NumericDate` (RFC 7519 §2); a fraction is cut off.
    pub(super) fn date(&mut self, name: &str) -> Result<Option<Timestamp>, TokenError> {
        let bad = TokenError::Malformed("a time claim is not a number of seconds");
        match self.take(name) {
            None => Ok(None),
            Some(ClaimValue::Number(seconds)) => {
                seconds.truncated().map(Timestamp::from_unix).map(Some).ok_or(bad)
            }
            Some(_) => Err(bad),
        }
    }
}

fn all_text(items: Vec<ClaimValue>) -> Result<Vec<String>, TokenError> {
    let texts = items.into_iter().map(|item| match item {
        ClaimValue::Text(text) => Some(text),
        ClaimValue::Null
        | ClaimValue::Bool(_)
        | ClaimValue::Number(_)
        | ClaimValue::List(_)
        | ClaimValue::Map(_) => None,
    });
    texts
        .collect::<Option<_>>()
        .ok_or(TokenError::Malformed("a list claim holds something that is not text"))
}
