//! An answer → `CheckResponse`, written as it goes out. The only place that writes a status code, and code
//! 0 is written in exactly one arm.

use super::refusal::{self, HttpAnswer};
use super::wire::Message;
use crate::assertion::HeaderPlan;
use crate::authorizer::{Answer, Outcome, Record};
use crate::identity::Person;
use crate::request::{Request, text};
use crate::state::Settings;
use crate::time::Timestamp;
use http::{HeaderName, HeaderValue};
use tonic::codegen::Bytes;

/// gRPC status codes (`google.rpc.Code`).
const OK: i32 = 0;
pub(super) const PERMISSION_DENIED: i32 = 7;
pub(super) const UNAVAILABLE: i32 = 14;

/// Enough for an assertion and what goes with it; a page takes more.
const USUAL: usize = 2048;

/// Encodes an answer, and says which HTTP status the client will see (200 if the upstream answers).
pub fn encode(
    request: &Request,
    answer: &Answer,
    settings: &Settings,
    now: Timestamp,
) -> (Bytes, u16) {
    let mut response = Message::with_capacity(USUAL);
    let status = match &answer.outcome {
        Outcome::Admit(plan) => {
            put_status(OK, "", &mut response);
            response.message(OK_RESPONSE, |ok| admit(ok, plan));
            200
        }
        Outcome::Refuse(refusal) => {
            let http = refusal::answer(request, refusal, &answer.record, settings, now);
            put_status(PERMISSION_DENIED, refusal.reason.code(), &mut response);
            response.message(DENIED_RESPONSE, |denied| refuse(denied, &http));
            http.status
        }
    };
    response.message(DYNAMIC_METADATA, |metadata| put_metadata(metadata, request, &answer.record));
    (response.into_bytes().into(), status)
}

/// A refusal of a check that nothing is known of.
pub(super) fn refusal(code: i32, reason: &str, http: &HttpAnswer) -> Bytes {
    let mut response = Message::with_capacity(USUAL);
    put_status(code, reason, &mut response);
    response.message(DENIED_RESPONSE, |denied| refuse(denied, http));
    response.message(DYNAMIC_METADATA, |metadata| {
        put_entry(metadata, ["", "decision"], "deny");
        put_entry(metadata, ["", "reason"], reason);
    });
    response.into_bytes().into()
}

// Fields of `CheckResponse`.
const STATUS: u32 = 1;
const DENIED_RESPONSE: u32 = 2;
const OK_RESPONSE: u32 = 3;
const DYNAMIC_METADATA: u32 = 4;

/// `google.rpc.Status`. As everywhere in proto3, zero and the empty text are what is not written.
fn put_status(code: i32, message: &str, response: &mut Message) {
    response.message(STATUS, |status| {
        if code != 0 {
            status.number(1, u64::from(code.unsigned_abs()));
        }
        put_text(status, 2, message);
    });
}

fn put_text(message: &mut Message, field: u32, text: &str) {
    if !text.is_empty() {
        message.text(field, text);
    }
}

/// `OkHttpResponse`
fn admit(ok: &mut Message, plan: &HeaderPlan) {
    const HEADERS: u32 = 2;
    const HEADERS_TO_REMOVE: u32 = 5;
    const RESPONSE_HEADERS_TO_ADD: u32 = 6;
    const QUERY_PARAMETERS_TO_REMOVE: u32 = 8;
    for (name, value) in plan.set() {
        ok.message(HEADERS, |option| overwrite(option, name, value));
    }
    for name in plan.remove() {
        ok.text(HEADERS_TO_REMOVE, name);
    }
    for (name, value) in &plan.response {
        ok.message(RESPONSE_HEADERS_TO_ADD, |option| overwrite(option, name, value));
    }
    for name in &plan.remove_query {
        ok.text(QUERY_PARAMETERS_TO_REMOVE, name);
    }
}

/// `DeniedHttpResponse`
fn refuse(denied: &mut Message, http: &HttpAnswer) {
    const STATUS: u32 = 1;
    const HEADERS: u32 = 2;
    const BODY: u32 = 3;
    // ENVOY: any status goes out as it is, a body even where HTTP has none.
    let status = http.status.clamp(200, 599);
    denied.message(STATUS, |message| message.number(1, u64::from(status)));
    for (name, value) in &http.headers {
        denied.message(HEADERS, |option| overwrite(option, name, value));
    }
    if !matches!(status, 204 | 304) {
        put_text(denied, BODY, &http.body);
    }
}

/// `HeaderValueOption`. ENVOY: versions differ in which of the two fields they obey and in what they
/// default to; with both set all of them overwrite.
fn overwrite(option: &mut Message, name: &HeaderName, value: &HeaderValue) {
    const HEADER: u32 = 1;
    /// A `BoolValue`, here `false`.
    const APPEND: u32 = 2;
    const APPEND_ACTION: u32 = 3;
    const OVERWRITE_IF_EXISTS_OR_ADD: u64 = 2;
    option.message(HEADER, |header| {
        header.text(1, name.as_str());
        put_text(header, 2, &text(value.as_bytes()));
    });
    option.message(APPEND, |_| ());
    option.number(APPEND_ACTION, OVERWRITE_IF_EXISTS_OR_ADD);
}

/// An entry of a `Struct`: a name, here of two parts, and a text.
fn put_entry(metadata: &mut Message, name: [&str; 2], text: &str) {
    metadata.message(1, |entry| {
        entry.joined(1, name);
        entry.message(2, |value| value.text(3, text));
    });
}

/// A `Struct` of what access logs and rate limits of Envoy can use, on allow and on deny.
fn put_metadata(metadata: &mut Message, request: &Request, record: &Record) {
    let mut put = |prefix: &str, name: &str, text: &str| put_entry(metadata, [prefix, name], text);
    put("", "decision", if record.denied.is_some() { "deny" } else { "allow" });
    put("", "reason", record.denied.as_ref().map_or("allowed", |reason| reason.code()));
    put("", "request_id", request.id.as_str());
    if let Some(route) = &record.route {
        put("", "route", route.as_str());
    }
    if let Some(identity) = &record.identity {
        let mut person = |prefix: &str, person: &Person| {
            put(prefix, "user", &person.user);
            put(prefix, "email", &person.email);
        };
        person("", &identity.subject);
        if let Some(actor) = &identity.actor {
            person("actor_", actor);
        }
    }
}
