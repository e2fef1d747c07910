//! Everything a criterion may look at, and nothing else.

use super::criterion::{CertificateFacts, SshFacts};
use super::mcp::McpCall;
use crate::certificate::PeerCertificate;
use crate::identity::{Identity, Person};
use crate::record::{DataSources, Record, RecordKeys};
use crate::request::{Headers, Request};
use crate::time::Timestamp;
use std::net::IpAddr;

/// One question: a request, and who is asking, if somebody is.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Request method as sent; empty for a TCP connection.
    pub method: &'a str,
    /// Path without query, percent-decoded once; empty if there is none.
    pub path: &'a str,
    /// What follows the first `?`, still encoded.
    pub query: Option<&'a str>,
    pub headers: &'a Headers,
    pub source_ip: Option<IpAddr>,
    /// The name in the TLS handshake; empty if there is none.
    pub sni: &'a str,
    /// Whom Envoy saw in the certificate of its peer.
    pub principal: Option<&'a str>,
    /// Whether somebody vouches for that name. One that is in doubt counts where it leads to a refusal.
    pub principal_vouched: bool,
    pub cors_preflight: bool,
    /// Who is asking, as they are to be judged.
    pub identity: Option<&'a Identity>,
    /// Calls of a Model Context Protocol request; empty for every other request.
    pub mcp: &'a [McpCall],
    pub certificate: CertificateFacts<'a>,
    /// External records; `None` if there are none.
    pub records: Option<&'a DataSources>,
    /// `None` for everything but an SSH connection.
    pub ssh: Option<&'a SshFacts>,
    pub now: Timestamp,
}

impl<'a> Facts<'a> {
    /// What a request and an identity say on their own.
    pub fn new(request: &'a Request, identity: Option<&'a Identity>, now: Timestamp) -> Self {
        Self {
            method: &request.method,
            path: request.target.as_ref().map_or("", |target| target.path.decoded()),
            query: request.query.as_deref(),
            headers: &request.headers,
            source_ip: request.source_ip,
            sni: &request.sni,
            principal: request.principal.as_deref(),
            principal_vouched: true,
            cors_preflight: request.is_cors_preflight(),
            identity,
            mcp: &[],
            certificate: CertificateFacts::NOT_ASKED,
            records: None,
            ssh: None,
            now,
        }
    }

    /// Whether this is a page where devices are registered: nobody is sent from there to there.
    pub(super) fn is_device_enrolment(&self) -> bool {
        matches!(self.path, "/.pomerium/webauthn" | "/.pomerium/device-enrolled")
    }

    /// The record of a type that belongs to this request. SECURITY: a certificate that nobody vouches
    /// for finds nothing.
    pub(super) fn record(&self, record_type: &str) -> Option<&'a Record> {
        let person = self.person();
        let leaf = self.certificate.leaf.filter(|_| self.certificate.valid);
        let keys = RecordKeys {
            user_id: person.map_or("", |person| &person.user),
            email: person.map_or("", |person| &person.email),
            ip: self.source_ip,
            fingerprint: leaf.map(PeerCertificate::fingerprint),
        };
        self.records?.find(record_type, &keys)
    }

    pub(super) fn person(&self) -> Option<&'a Person> {
        self.identity.map(|identity| &identity.subject)
    }
}
