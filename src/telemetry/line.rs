//! The decision log line. Field names are Pomerium's, so that existing dashboards work. A token, a
//! cookie, a query or a key never stands in it.

use crate::authorizer::Record;
use crate::certificate::CertificateError;
use crate::identity::{Identity, TokenError};
use crate::policy::DenyReason;
use crate::request::Request;
use std::collections::BTreeSet;
use std::time::Duration;

/// Which fields are written.
#[derive(Clone, Debug, Default)]
pub struct DecisionLine {
    /// `None` for all.
    fields: Option<BTreeSet<String>>,
}

/// The values of one line, gathered before the answer is given away.
#[derive(Debug, Default)]
pub struct Line {
    method: Option<String>,
    path: Option<String>,
    host: Option<String>,
    ip: Option<String>,
    request_id: Option<String>,
    check_request_id: Option<String>,
    trace_id: Option<String>,
    route_id: Option<String>,
    envoy_route_id: Option<String>,
    session_id: Option<String>,
    session_source: Option<&'static str>,
    session_error: Option<&'static str>,
    service_account_id: Option<String>,
    credential_id: Option<String>,
    user: Option<String>,
    email: Option<String>,
    impersonate_user_id: Option<String>,
    impersonate_email: Option<String>,
    impersonate_groups: Option<String>,
    removed_groups: Option<u64>,
    /// Headers from which something was left out that no header can carry.
    dropped_headers: Option<String>,
    allow: bool,
    allow_reasons: String,
    deny: bool,
    deny_reasons: String,
    reason: &'static str,
    /// Why a request could not be read in one way.
    malformed: Option<String>,
    certificate_error: Option<&'static str>,
    /// What policies that are only rehearsed would have changed.
    dry_run: Option<&'static str>,
    dry_run_reason: Option<&'static str>,
}

impl DecisionLine {
    /// Writes only `fields`; `None` for all.
    pub fn new(fields: Option<Vec<String>>) -> Self {
        Self { fields: fields.map(BTreeSet::from_iter) }
    }

    /// Gathers the values of a line.
    pub fn prepare(&self, request: &Request, record: &Record) -> Line {
        let names =
            |verdict: crate::policy::Verdict| verdict.reasons.names().collect::<Vec<_>>().join(",");
        Line {
            method: self.text("method", || request.method.clone()),
            path: self.text("path", || request.raw_path.clone()),
            host: self.text("host", || request.raw_host.clone()),
            ip: self.text("ip", || request.source_ip.map(|ip| ip.to_string()).unwrap_or_default()),
            request_id: self.text("request-id", || request.check_id.to_string()),
            check_request_id: self.text("check-request-id", || request.id.to_string()),
            trace_id: self.text("trace-id", || trace_id(request).unwrap_or_default()),
            route_id: self.text("route-id", || {
                record.route.as_ref().map(ToString::to_string).unwrap_or_default()
            }),
            envoy_route_id: self
                .text("envoy-route-id", || request.route_id.clone().unwrap_or_default()),
            removed_groups: u64::try_from(record.removed_groups)
                .ok()
                .filter(|count| *count > 0 && self.wants("removed-groups-count")),
            dropped_headers: dropped(record),
            allow: record.allow.holds,
            allow_reasons: names(record.allow),
            deny: record.deny.holds,
            deny_reasons: names(record.deny),
            reason: record.denied.as_ref().map_or("allowed", |reason| reason.code()),
            malformed: self.text("malformed", || malformed(record)),
            certificate_error: record.certificate_error.map(CertificateError::code),
            dry_run: record.rehearsed(),
            dry_run_reason: record.rehearsal.as_ref().map(|rehearsal| {
                rehearsal.denied.as_ref().map_or("allowed", |reason| reason.code())
            }),
            ..self.who(record)
        }
    }

    /// What is told of whoever asks.
    fn who(&self, record: &Record) -> Line {
        let identity = record.identity.as_deref();
        let acting =
            identity.filter(|identity| identity.actor.is_some()).map(|identity| &identity.subject);
        let holder = identity.map(Identity::holder);
        Line {
            session_id: self.text("session-id", || {
                let signed_in = identity.filter(|_| record.machine.is_none());
                signed_in.map(|identity| identity.session.id.clone()).unwrap_or_default()
            }),
            session_source: identity
                .filter(|_| self.wants("session-source"))
                .map(|identity| identity.session.source.name()),
            session_error: record
                .session_error
                .as_ref()
                .filter(|_| self.wants("session-error"))
                .map(TokenError::code),
            service_account_id: self.text("service-account-id", || {
                record.machine.as_ref().map(|used| used.account.id.to_string()).unwrap_or_default()
            }),
            credential_id: self.text("credential-id", || {
                record
                    .machine
                    .as_ref()
                    .map(|used| used.credential.id.to_string())
                    .unwrap_or_default()
            }),
            user: self
                .text("user", || holder.map(|person| person.user.clone()).unwrap_or_default()),
            email: self
                .text("email", || holder.map(|person| person.email.clone()).unwrap_or_default()),
            impersonate_user_id: self.text("impersonate-user-id", || {
                acting.map(|person| person.user.clone()).unwrap_or_default()
            }),
            impersonate_email: self.text("impersonate-email", || {
                acting.map(|person| person.email.clone()).unwrap_or_default()
            }),
            impersonate_groups: self.text("impersonate-groups", || {
                acting.map(|person| person.group_ids().join(",")).unwrap_or_default()
            }),
            ..Line::default()
        }
    }

    fn wants(&self, field: &str) -> bool {
        self.fields.as_ref().is_none_or(|fields| fields.contains(field))
    }

    /// A field's value; absent if it is not wanted or empty.
    fn text(&self, field: &str, value: impl FnOnce() -> String) -> Option<String> {
        if !tracing::enabled!(tracing::Level::INFO) || !self.wants(field) {
            return None;
        }
        Some(printable(&value())).filter(|text| !text.is_empty())
    }
}

impl Line {
    /// Writes the line.
    pub fn write(&self, status: u16, elapsed: Duration) {
        let (allow_true, allow_false) = either(self.allow, &self.allow_reasons);
        let (deny_true, deny_false) = either(self.deny, &self.deny_reasons);
        tracing::info!(
            service = "authorize",
            method = self.method,
            path = self.path,
            host = self.host,
            ip = self.ip,
            "request-id" = self.request_id,
            "check-request-id" = self.check_request_id,
            "trace-id" = self.trace_id,
            "route-id" = self.route_id,
            "envoy-route-id" = self.envoy_route_id,
            "session-id" = self.session_id,
            "session-source" = self.session_source,
            "session-error" = self.session_error,
            "service-account-id" = self.service_account_id,
            "credential-id" = self.credential_id,
            user = self.user,
            email = self.email,
            "impersonate-user-id" = self.impersonate_user_id,
            "impersonate-email" = self.impersonate_email,
            "impersonate-groups" = self.impersonate_groups,
            "removed-groups-count" = self.removed_groups,
            "dropped-headers" = self.dropped_headers,
            allow = self.allow,
            "allow-why-true" = allow_true,
            "allow-why-false" = allow_false,
            deny = self.deny,
            "deny-why-true" = deny_true,
            "deny-why-false" = deny_false,
            reason = self.reason,
            malformed = self.malformed,
            "client-certificate-error" = self.certificate_error,
            "dry-run" = self.dry_run,
            "dry-run-reason" = self.dry_run_reason,
            status,
            "decision-ms" = elapsed.as_secs_f64() * 1000.0,
            "authorize check"
        );
    }
}

fn malformed(record: &Record) -> String {
    match &record.denied {
        Some(DenyReason::Malformed(why)) => why.clone(),
        Some(_) | None => String::new(),
    }
}

fn dropped(record: &Record) -> Option<String> {
    let names: Vec<&str> = record.dropped_headers.iter().map(http::HeaderName::as_str).collect();
    (!names.is_empty()).then(|| names.join(","))
}

fn either(value: bool, reasons: &str) -> (Option<&str>, Option<&str>) {
    let reasons = Some(reasons).filter(|reasons| !reasons.is_empty());
    if value { (reasons, None) } else { (None, reasons) }
}

/// Text from a client, bounded and without control characters.
fn printable(text: &str) -> String {
    text.chars().take(1024).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The trace id of a W3C `traceparent` (version-traceid-parentid-flags).
fn trace_id(request: &Request) -> Option<String> {
    let mut parts = request.traceparent.as_deref()?.split('-');
    let (_version, id) = (parts.next()?, parts.next()?);
    let hex = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| id.to_ascii_lowercase())
}
