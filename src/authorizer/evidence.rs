//! What a policy may ask for beyond the request line and the identity, gathered for the places that
//! need it: the client certificate, external records, the calls in a body.

use super::Mcp;
use super::place::Place;
use crate::certificate::{CertificateError, PeerCertificate};
use crate::policy::{
    CertificateFacts, DenyReason, Facts, McpCall, McpError, read_calls, read_text_calls,
};
use crate::request::{Body, Request};
use crate::route::Route;
use crate::state::Settings;
use crate::time::Timestamp;

/// What was gathered for one request.
#[derive(Debug)]
pub(super) struct Evidence {
    calls: Vec<McpCall>,
    mcp: Option<Mcp>,
    certificate: Option<Result<PeerCertificate, CertificateError>>,
    /// What the trusted CAs say; nothing where none is configured.
    judgement: Result<(), CertificateError>,
    /// Whether there was a CA to judge by.
    judged: bool,
}

impl Evidence {
    /// Gathers what the policies of `place` can ask for.
    ///
    /// # Errors
    /// A body that must be read and cannot.
    pub(super) fn gather(
        settings: &Settings,
        request: &Request,
        place: &Place<'_>,
        now: Timestamp,
    ) -> Result<Self, DenyReason> {
        let Some(route) = place.route() else {
            return Ok(Self::default());
        };
        let calls = if route.mcp { calls(request)? } else { Vec::new() };
        let called = calls.iter().find(|call| call.is_tool_call());
        let mcp = called.map_or(Mcp::Other, |call| Mcp::ToolCall { id: call.id.clone() });
        let presented = request.certificate.as_ref().filter(|_| reads_certificate(settings, route));
        let certificate = presented.map(|text| PeerCertificate::decode_envoy(text));
        let judgement = match (&route.authority, &certificate) {
            (Some(authority), Some(Ok(certificate))) => authority.judge(certificate, now),
            (Some(_), Some(Err(error))) => Err(*error),
            (Some(_), None) => Err(CertificateError::Missing),
            (None, _) => Ok(()),
        };
        let judged = route.authority.is_some();
        Ok(Self { calls, mcp: Some(mcp).filter(|_| route.mcp), certificate, judgement, judged })
    }

    /// The certificate, if a trusted CA vouches for it: what upstreams may be told of. SECURITY: what a
    /// client writes in a certificate of its own making is not.
    pub(super) fn vouched_certificate(&self) -> Option<&PeerCertificate> {
        self.certificate().filter(|_| self.judged && self.judgement.is_ok())
    }

    /// The certificate as it was presented, valid or not.
    pub(super) fn certificate(&self) -> Option<&PeerCertificate> {
        self.certificate.as_ref()?.as_ref().ok()
    }

    /// Why the certificate that was presented is not good.
    pub(super) fn certificate_error(&self) -> Option<CertificateError> {
        self.certificate.as_ref().and(self.judgement.err())
    }

    /// How a client of this protocol is to be answered; `None` for every other client.
    pub(super) fn mcp(&self) -> Option<Mcp> {
        self.mcp.clone()
    }

    pub(super) fn facts<'a>(&'a self, settings: &'a Settings, facts: Facts<'a>) -> Facts<'a> {
        // SECURITY: Envoy names whoever an untrusted certificate claims to be. Where no CA is named at
        // all, it is Envoy that judges; where only other routes have one, nobody has.
        let vouched = self.judgement.is_ok() && self.judged == settings.judges_certificates;
        let certificate = CertificateFacts {
            presented: self.certificate.is_some(),
            valid: self.judgement.is_ok(),
            vouched,
            leaf: self.certificate(),
        };
        let records = Some(&settings.data_sources);
        Facts { mcp: &self.calls, certificate, records, principal_vouched: vouched, ..facts }
    }
}

impl Default for Evidence {
    fn default() -> Self {
        Self { calls: Vec::new(), mcp: None, certificate: None, judgement: Ok(()), judged: false }
    }
}

/// Whether anything of this route looks at the certificate; reading one is work.
fn reads_certificate(settings: &Settings, route: &Route) -> bool {
    settings.default_certificate_rule
        || !route.headers.set_request_headers.is_empty()
        || route.policies.iter().any(|policy| policy.reads_certificates())
}

/// Methods whose body, if there were one, means nothing (RFC 9110 §9.3).
const BODILESS: [&str; 4] = ["DELETE", "GET", "HEAD", "OPTIONS"];

/// SECURITY: whatever a client says of its type, a body that reaches the server behind is read, and
/// one that cannot be read in one way, or was not sent along whole, is refused.
fn calls(request: &Request) -> Result<Vec<McpCall>, DenyReason> {
    let malformed = |why: &str| DenyReason::Malformed(why.to_owned());
    let unread = |error: McpError| malformed(&error.to_string());
    match &request.body {
        // Over HTTP/2 a body need not be announced, so an absent one may only be unseen.
        Body::None if !BODILESS.contains(&request.method.as_str()) => {
            Err(malformed("it has no body, or its body was not sent along"))
        }
        Body::None => Ok(Vec::new()),
        Body::Unseen => {
            Err(malformed("its body was not sent along whole: set `with_request_body` in Envoy"))
        }
        Body::Whole(bytes) => read_calls(bytes).map_err(unread),
        Body::Text(bytes) => read_text_calls(bytes).map_err(unread),
    }
}
