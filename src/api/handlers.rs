//! The handlers: a message in, the verbs of administration asked, a message out. They know neither gRPC
//! nor HTTP.

mod accounts;
mod activity;
mod credentials;
mod ids;
mod namespaces;
mod overview;
mod permissions;
mod policies;
mod routes;
mod simulate;
mod tokens;
mod users;

use super::wire::{Duration, Timestamp};
use super::{error::ApiError, error::Violation, page};
use crate::admin::Admin;
use crate::namespace::Made;
use crate::time;
use page::small;
use std::time::Duration as Span;

/// Answers every call.
#[derive(Clone, Debug)]
pub struct Handlers {
    admin: Admin,
}

impl Handlers {
    pub fn new(admin: Admin) -> Self {
        Self { admin }
    }
}

/// The key under which something is made once.
fn once(key: String) -> Option<String> {
    Some(key).filter(|key| !key.is_empty())
}

#[expect(clippy::unnecessary_wraps, reason = "fields of messages may all be absent")]
fn told(at: time::Timestamp) -> Option<Timestamp> {
    Some(Timestamp::of(at))
}

/// An instant that was sent.
fn instant(field: &str, at: Option<Timestamp>) -> Result<Option<time::Timestamp>, Violation> {
    let wrong = || Violation::new(field, "this is no time between the years 1 and 9999");
    at.map(|at| at.read().ok_or_else(wrong)).transpose()
}

/// A length of time that was sent, in whole seconds.
fn span(field: &str, span: Option<Duration>) -> Result<Option<Span>, Violation> {
    let wrong = || Violation::new(field, "this is no length of time in whole seconds");
    let read = |span: Duration| span.read().filter(|span| span.subsec_nanos() == 0);
    span.map(|span| read(span).ok_or_else(wrong)).transpose()
}

fn made(made: Made) -> String {
    let word = match made {
        Made::BuiltIn => "built-in",
        Made::InFile => "file",
        Made::Here => "store",
    };
    word.to_owned()
}

/// One of some words, or nothing.
fn word<T>(
    field: &str,
    text: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Violation> {
    if text.is_empty() {
        return Ok(None);
    }
    let unknown = || Violation::new(field, "this is none of the words that are known here");
    parse(text).map(Some).ok_or_else(unknown)
}

/// Everything that is wrong, or all of it read.
fn all<const N: usize>(parts: [Result<(), Violation>; N]) -> Result<(), ApiError> {
    let wrong: Vec<Violation> = parts.into_iter().filter_map(Result::err).collect();
    if wrong.is_empty() { Ok(()) } else { Err(ApiError::invalid(wrong)) }
}
