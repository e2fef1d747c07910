//! The decision log line. Field names are Pomerium's, so that existing dashboards work. A token, a
//! cookie, a query or a key never stands in it.

use super::entry::Entry;
use super::log::{Log, Sink};
use crate::authorizer::Record;
use crate::certificate::CertificateError;
use crate::clock;
use crate::config::{LogField, LogFormat};
use crate::identity::{Identity, Person, TokenError};
use crate::policy::{DenyReason, Verdict};
use crate::request::Request;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// A longer buffer is not kept for the next line.
const KEPT: usize = 16 * 1024;

thread_local! {
    /// The buffer of the last line.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Which fields are written, how, and where to.
#[derive(Clone, Debug, Default)]
pub struct DecisionLine {
    /// `None` for all.
    fields: Option<BTreeSet<LogField>>,
    format: LogFormat,
    /// `None` if no line is written.
    sink: Option<Arc<dyn Sink>>,
}

impl DecisionLine {
    /// Writes only `fields` to `log`; `None` for all.
    pub fn new(fields: Option<Vec<LogField>>, log: &Log) -> Self {
        let fields = fields.map(BTreeSet::from_iter);
        Self { fields, format: log.format(), sink: log.decisions() }
    }

    /// Writes the line of one check, whose answer is `status` for the client and took `elapsed`.
    pub fn write(&self, request: &Request, record: &Record, status: u16, elapsed: Duration) {
        let Some(sink) = &self.sink else { return };
        let mut entry = Entry::begin(BUFFER.take(), self.format, clock::wall(), "authorize check");
        entry.text("service", "authorize");
        self.asked(&mut entry, request, record);
        self.who(&mut entry, record);
        self.done(&mut entry, record);
        self.decided(&mut entry, record);
        entry.plain("status", status);
        entry.plain("decision-ms", elapsed.as_secs_f64() * 1000.0);
        let line = entry.end();
        sink.take(&line);
        if line.capacity() <= KEPT {
            BUFFER.set(line);
        }
    }

    /// What was asked, and where it leads.
    fn asked(&self, entry: &mut Entry, request: &Request, record: &Record) {
        self.text(entry, LogField::Method, &request.method);
        self.text(entry, LogField::Path, &request.raw_path);
        self.text(entry, LogField::Host, &request.raw_host);
        if self.wants(LogField::Ip) {
            entry.shown(LogField::Ip.name(), request.source_ip);
        }
        self.text(entry, LogField::RequestId, request.check_id.as_str());
        self.text(entry, LogField::CheckRequestId, request.id.as_str());
        self.text(entry, LogField::TraceId, &trace_id(request).unwrap_or_default());
        self.text(
            entry,
            LogField::RouteId,
            record.route.as_ref().map_or("", |route| route.as_str()),
        );
        self.text(entry, LogField::EnvoyRouteId, request.route_id.as_deref().unwrap_or_default());
    }

    /// What is told of whoever asks.
    fn who(&self, entry: &mut Entry, record: &Record) {
        let identity = record.identity.as_deref();
        let holder = identity.map(Identity::holder);
        let acting =
            identity.filter(|identity| identity.actor.is_some()).map(|identity| &identity.subject);
        let machine = record.machine.as_deref();
        let signed_in = identity.filter(|_| machine.is_none());
        self.text(
            entry,
            LogField::SessionId,
            signed_in.map_or("", |identity| &identity.session.id),
        );
        let source = identity.map_or("", |identity| identity.session.source.name());
        self.text(entry, LogField::SessionSource, source);
        let error = record.session_error.as_ref().map_or("", TokenError::code);
        self.text(entry, LogField::SessionError, error);
        let account = machine.map_or("", |used| used.account.id.as_str());
        self.text(entry, LogField::ServiceAccountId, account);
        let credential = machine.map_or("", |used| used.credential.id.as_str());
        self.text(entry, LogField::CredentialId, credential);
        self.text(entry, LogField::User, holder.map_or("", |person| &person.user));
        self.text(entry, LogField::Email, holder.map_or("", |person| &person.email));
        self.text(entry, LogField::ImpersonateUserId, acting.map_or("", |person| &person.user));
        self.text(entry, LogField::ImpersonateEmail, acting.map_or("", |person| &person.email));
        if self.wants(LogField::ImpersonateGroups) {
            let groups = acting.map(Person::group_ids).unwrap_or_default();
            entry.foreign_list(
                LogField::ImpersonateGroups.name(),
                groups.iter().map(String::as_str),
            );
        }
    }

    /// What was left out of the answer.
    fn done(&self, entry: &mut Entry, record: &Record) {
        if record.removed_groups > 0 && self.wants(LogField::RemovedGroupsCount) {
            entry.plain(LogField::RemovedGroupsCount.name(), record.removed_groups);
        }
        // Headers from which something was left out that no header can carry.
        let dropped = record.dropped_headers.iter().map(http::HeaderName::as_str);
        entry.list("dropped-headers", dropped);
    }

    /// What was decided, and why.
    fn decided(&self, entry: &mut Entry, record: &Record) {
        verdict(entry, ["allow", "allow-why-true", "allow-why-false"], record.allow);
        verdict(entry, ["deny", "deny-why-true", "deny-why-false"], record.deny);
        let code =
            |denied: &Option<DenyReason>| denied.as_ref().map_or("allowed", DenyReason::code);
        entry.text("reason", code(&record.denied));
        // Why a request could not be read in one way.
        self.text(entry, LogField::Malformed, malformed(record));
        let error = record.certificate_error.map_or("", CertificateError::code);
        entry.text("client-certificate-error", error);
        // What policies that are only rehearsed would have changed.
        entry.text("dry-run", record.rehearsed().unwrap_or_default());
        let rehearsal = record.rehearsal.as_ref();
        entry.text("dry-run-reason", rehearsal.map_or("", |rehearsal| code(&rehearsal.denied)));
    }

    fn wants(&self, field: LogField) -> bool {
        self.fields.as_ref().is_none_or(|fields| fields.contains(&field))
    }

    /// A field that can be chosen; absent if it is not wanted or empty.
    fn text(&self, entry: &mut Entry, field: LogField, value: &str) {
        if !value.is_empty() && self.wants(field) {
            entry.text(field.name(), value);
        }
    }
}

fn verdict(entry: &mut Entry, [name, why_true, why_false]: [&str; 3], verdict: Verdict) {
    entry.plain(name, verdict.holds);
    entry.list(if verdict.holds { why_true } else { why_false }, verdict.reasons.names());
}

fn malformed(record: &Record) -> &str {
    match &record.denied {
        Some(DenyReason::Malformed(why)) => why,
        Some(_) | None => "",
    }
}

/// The trace id of a W3C `traceparent` (version-traceid-parentid-flags).
fn trace_id(request: &Request) -> Option<Cow<'_, str>> {
    let mut parts = request.traceparent.as_deref()?.split('-');
    let (_version, id) = (parts.next()?, parts.next()?);
    let hex = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let upper = id.bytes().any(|byte| byte.is_ascii_uppercase());
    hex.then(|| if upper { id.to_ascii_lowercase().into() } else { id.into() })
}
