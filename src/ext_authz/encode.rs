//! An answer → `CheckResponse`. The only place that writes a status code, and code 0 is written in
//! exactly one arm.

use super::refusal::{self, HttpAnswer};
use crate::assertion::HeaderPlan;
use crate::authorizer::{Answer, Outcome, Record};
use crate::identity::Person;
use crate::request::Request;
use crate::state::Settings;
use crate::time::Timestamp;
use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy_types::pb::envoy::config::core::v3::{HeaderValue as WireHeader, HeaderValueOption};
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{
    CheckResponse, DeniedHttpResponse, OkHttpResponse,
};
use envoy_types::pb::envoy::r#type::v3::HttpStatus;
use envoy_types::pb::google::protobuf::value::Kind;
use envoy_types::pb::google::protobuf::{BoolValue, Struct, Value};
use envoy_types::pb::google::rpc::Status;
use http::{HeaderName, HeaderValue};
use std::collections::HashMap;

/// gRPC status codes (`google.rpc.Code`).
const OK: i32 = 0;
const PERMISSION_DENIED: i32 = 7;

/// Encodes an answer, and says which HTTP status the client will see (200 if the upstream answers).
pub fn encode(
    request: &Request,
    answer: Answer,
    settings: &Settings,
    now: Timestamp,
) -> (CheckResponse, u16) {
    let metadata = Some(metadata(request, &answer.record));
    match answer.outcome {
        Outcome::Admit(plan) => {
            (response(OK, "", HttpResponse::OkResponse(admit(&plan)), metadata), 200)
        }
        Outcome::Refuse(refusal) => {
            let http = refusal::answer(request, &refusal, &answer.record, settings, now);
            let status = http.status;
            let denied = HttpResponse::DeniedResponse(refuse(http));
            (response(PERMISSION_DENIED, refusal.reason.code(), denied, metadata), status)
        }
    }
}

fn response(
    code: i32,
    message: &str,
    http: HttpResponse,
    dynamic_metadata: Option<Struct>,
) -> CheckResponse {
    CheckResponse {
        status: Some(Status { code, message: message.to_owned(), details: Vec::new() }),
        dynamic_metadata,
        http_response: Some(http),
    }
}

fn admit(plan: &HeaderPlan) -> OkHttpResponse {
    OkHttpResponse {
        headers: plan.set().map(|(name, value)| overwrite(name, value)).collect(),
        headers_to_remove: plan.remove().map(str::to_owned).collect(),
        response_headers_to_add: plan
            .response
            .iter()
            .map(|(name, value)| overwrite(name, value))
            .collect(),
        query_parameters_to_remove: plan.remove_query.clone(),
        ..OkHttpResponse::default()
    }
}

fn refuse(http: HttpAnswer) -> DeniedHttpResponse {
    // ENVOY: any status goes out as it is, a body even where HTTP has none.
    let status = http.status.clamp(200, 599);
    let bodiless = matches!(status, 204 | 304);
    DeniedHttpResponse {
        status: Some(HttpStatus { code: i32::from(status) }),
        headers: http.headers.iter().map(|(name, value)| overwrite(name, value)).collect(),
        body: if bodiless { String::new() } else { http.body },
    }
}

/// ENVOY: versions differ in which of the two fields they obey and in what they default to; with both
/// set all of them overwrite.
fn overwrite(name: &HeaderName, value: &HeaderValue) -> HeaderValueOption {
    #[expect(deprecated, reason = "the field that current versions obey")]
    HeaderValueOption {
        header: Some(WireHeader {
            key: name.as_str().to_owned(),
            value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
            raw_value: Vec::new(),
        }),
        append: Some(BoolValue { value: false }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        keep_empty_value: false,
    }
}

/// What access logs and rate limits of Envoy can use, on allow and on deny.
fn metadata(request: &Request, record: &Record) -> Struct {
    let text = |text: &str| Value { kind: Some(Kind::StringValue(text.to_owned())) };
    let mut fields = HashMap::from([
        ("decision".to_owned(), text(if record.denied.is_some() { "deny" } else { "allow" })),
        (
            "reason".to_owned(),
            text(record.denied.as_ref().map_or("allowed", |reason| reason.code())),
        ),
        ("request_id".to_owned(), text(request.id.as_str())),
    ]);
    if let Some(route) = &record.route {
        fields.insert("route".to_owned(), text(route.as_str()));
    }
    if let Some(identity) = &record.identity {
        let mut person = |prefix: &str, person: &Person| {
            fields.insert(format!("{prefix}user"), text(&person.user));
            fields.insert(format!("{prefix}email"), text(&person.email));
        };
        person("", &identity.subject);
        if let Some(actor) = &identity.actor {
            person("actor_", actor);
        }
    }
    Struct { fields }
}
