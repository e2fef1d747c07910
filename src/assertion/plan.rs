//! Which headers an allowed request leaves with: set (overwritten) or removed, never both.

use super::IssuerFormat;
use super::claims::{About, header_elements, payload};
use super::headers::{ASSERTION_HEADER, ClaimHeader, safe_value};
use super::key::{KeyError, SigningKey};
use super::template::{Lookup, Template};
use crate::certificate::PeerCertificate;
use crate::hex::hex;
use crate::identity::{Credentials, Identity, QUERY_PARAMETER, ours_in_authorization};
use crate::policy::Grant;
use crate::request::{Request, query_names};
use crate::time::Timestamp;
use http::header::{AUTHORIZATION, COOKIE, REFERER};
use http::{HeaderName, HeaderValue};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What all routes share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    pub claim_headers: Vec<ClaimHeader>,
    /// `assertion_actor`: show who is acting as `act`.
    pub show_actor: bool,
}

/// What one route asks for.
#[derive(Clone, Debug, Default)]
pub struct RouteHeaders {
    /// Send the assertion and the claim headers to the upstream.
    pub pass_identity_headers: bool,
    pub issuer_format: IssuerFormat,
    /// Group ids that may leave in the assertion and headers; `None` for all.
    pub groups_filter: Option<BTreeSet<String>>,
    pub set_request_headers: Vec<(HeaderName, Template)>,
    pub remove_request_headers: Vec<HeaderName>,
    pub set_response_headers: Vec<(HeaderName, HeaderValue)>,
}

/// Headers to set, names to remove; disjoint. A set overwrites every copy a client sent.
#[derive(Debug, Default, PartialEq)]
pub struct HeaderPlan {
    /// Each name once. Seldom more than a few, which are looked through faster than a table is made.
    set: Vec<(HeaderName, HeaderValue)>,
    /// In order, each once.
    remove: Vec<Cow<'static, str>>,
    pub remove_query: Vec<String>,
    pub response: Vec<(HeaderName, HeaderValue)>,
    /// Claim headers from which an element was left out because no header can carry it.
    pub dropped: Vec<HeaderName>,
}

impl HeaderPlan {
    pub fn set(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.set.iter().map(|(name, value)| (name, value))
    }

    pub fn remove(&self) -> impl Iterator<Item = &str> {
        self.remove.iter().map(AsRef::as_ref)
    }

    fn sets(&self, name: &str) -> bool {
        self.set.iter().any(|(set, _)| set == name)
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.remove.binary_search_by(|removed| removed.as_ref().cmp(name))
    }

    fn put(&mut self, name: HeaderName, value: HeaderValue) {
        if let Ok(place) = self.place(name.as_str()) {
            self.remove.remove(place);
        }
        match self.set.iter_mut().find(|(set, _)| *set == name) {
            Some((_, before)) => *before = value,
            None => self.set.push((name, value)),
        }
    }

    /// Where in the list of removals a name belongs that is neither set nor there.
    fn missing(&self, name: &str) -> Option<usize> {
        self.place(name).err().filter(|_| !self.sets(name))
    }

    fn strip(&mut self, name: &'static str) {
        if let Some(place) = self.missing(name) {
            self.remove.insert(place, Cow::Borrowed(name));
        }
    }

    fn strip_other(&mut self, name: &str) {
        if let Some(place) = self.missing(name) {
            self.remove.insert(place, Cow::Owned(name.to_owned()));
        }
    }
}

/// Everything a plan is made from.
#[derive(Debug)]
pub struct PlanInput<'a> {
    pub grant: &'a Grant,
    pub request: &'a Request,
    pub credentials: &'a Credentials,
    /// A plain `Authorization: Bearer` that turned out to be signed by us.
    pub bearer_is_ours: bool,
    /// The signed identity, if there is one to show.
    pub assertion: Option<&'a HeaderValue>,
    /// What the client showed, for templates.
    pub certificate: Option<&'a PeerCertificate>,
    pub outgoing: &'a Outgoing,
    pub route: &'a RouteHeaders,
}

/// Signs who was allowed, for the upstream of `host`. There is no assertion for nobody.
///
/// # Errors
/// A failure of the cryptographic library.
pub fn sign(
    identity: &Identity,
    host: &str,
    (outgoing, route): (&Outgoing, &RouteHeaders),
    key: &SigningKey,
    (jti, now): (&str, Timestamp),
) -> Result<HeaderValue, KeyError> {
    let about = About {
        host,
        issuer_format: route.issuer_format,
        groups_filter: route.groups_filter.as_ref(),
        claim_headers: &outgoing.claim_headers,
        show_actor: outgoing.show_actor,
    };
    let token = key.sign(&payload(identity, &about, jti, now))?;
    // A compact JWS is base64url and dots.
    HeaderValue::try_from(token).map_err(|_| KeyError::Signing)
}

/// Plans the headers of an allowed request.
pub fn plan(input: &PlanInput<'_>) -> HeaderPlan {
    let mut plan = HeaderPlan::default();
    set_identity(&mut plan, input);
    set_configured(&mut plan, input);
    strip_credentials(&mut plan, input);
    strip_forgeable(&mut plan, input);
    plan.response.clone_from(&input.route.set_response_headers);
    plan
}

fn set_identity(plan: &mut HeaderPlan, input: &PlanInput<'_>) {
    let Some(identity) = input.grant.identity().filter(|_| input.route.pass_identity_headers)
    else {
        return;
    };
    if let Some(value) = input.assertion {
        plan.put(ASSERTION_HEADER, value.clone());
    }
    for header in &input.outgoing.claim_headers {
        let elements =
            header_elements(&identity.subject, &header.claim, input.route.groups_filter.as_ref());
        // SECURITY: an element with a comma would read as two.
        let safe = |text: &&String| !text.contains(',') && safe_value(text).is_some();
        let kept: Vec<&str> = elements.iter().filter(safe).map(String::as_str).collect();
        if kept.len() < elements.len() {
            plan.dropped.push(header.name.clone());
        }
        if let Some(value) = safe_value(&kept.join(",")).filter(|_| !kept.is_empty()) {
            plan.put(header.name.clone(), value);
        }
    }
}

fn set_configured(plan: &mut HeaderPlan, input: &PlanInput<'_>) {
    for (name, template) in &input.route.set_request_headers {
        match safe_value(&template.expand(input)) {
            Some(value) => plan.put(name.clone(), value),
            None => plan.strip_other(name.as_str()),
        }
    }
}

fn strip_credentials(plan: &mut HeaderPlan, input: &PlanInput<'_>) {
    let credentials = input.credentials;
    if credentials.authorization_is_ours || input.bearer_is_ours {
        plan.strip("authorization");
    }
    if credentials.cookies.have_own() && !plan.sets(COOKIE.as_str()) {
        let rest = credentials.cookies.rest(&input.request.headers);
        match rest.as_deref().and_then(safe_value) {
            Some(rest) => plan.put(COOKIE, rest),
            None => plan.strip("cookie"),
        }
    }
    plan.remove_query.clone_from(&credentials.query_names);
    // The address of a page that was opened with a token in its query.
    let referer = input.request.headers.first_text(REFERER.as_str()).unwrap_or_default();
    let query = referer.split_once('?').map(|(_, query)| query).unwrap_or_default();
    if query_names(query, QUERY_PARAMETER).next().is_some() {
        plan.strip("referer");
    }
}

/// Removes every header that an upstream could take for ours: by name, and by names that differ only
/// in what stands for `-`, which CGI-like upstreams cannot tell apart.
fn strip_forgeable(plan: &mut HeaderPlan, input: &PlanInput<'_>) {
    for name in
        ["x-pomerium-authorization", "x-pomerium-jwt-assertion", "x-pomerium-jwt-assertion-for"]
    {
        plan.strip(name);
    }
    for header in &input.outgoing.claim_headers {
        plan.strip_other(header.name.as_str());
    }
    for name in &input.route.remove_request_headers {
        plan.strip_other(name.as_str());
    }
    // SECURITY: where the route gives the upstream a credential of its own, a Kubernetes API would take
    // these as said by whoever holds it.
    let vouches = input.route.set_request_headers.iter().any(|(name, _)| name == AUTHORIZATION);
    for name in input.request.headers.names() {
        let twin = folded(name);
        let is_twin =
            twin != name && (plan.sets(twin.as_ref()) || plan.place(twin.as_ref()).is_ok());
        let is_ours =
            twin.starts_with("x-pomerium-") || twin == "x-envoy-auth-failure-mode-allowed";
        let is_claimed = vouches && twin.starts_with("impersonate-");
        if is_twin || is_ours || is_claimed {
            plan.strip_other(name);
        }
    }
}

/// A header name as servers see it that know only letters, digits and one separator.
fn folded(name: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if name.bytes().all(plain) {
        return Cow::Borrowed(name);
    }
    let fold = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    Cow::Owned(name.chars().map(fold).collect())
}

impl Lookup for PlanInput<'_> {
    fn value(&self, path: &[String]) -> Option<String> {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["pomerium", "jwt"] => {
                self.assertion.and_then(|value| value.to_str().ok()).map(str::to_owned)
            }
            ["pomerium", name] => of_certificate(self.certificate?, name),
            ["pomerium", "request", "headers", name] => {
                self.request_header(&name.to_ascii_lowercase())
            }
            _ => None,
        }
    }
}

/// What a template may show of a certificate.
fn of_certificate(certificate: &PeerCertificate, name: &str) -> Option<String> {
    match name {
        "client_cert_fingerprint" => Some(hex(certificate.fingerprint())),
        "client_cert_san_dns" => Some(joined(certificate.dns_names())),
        "client_cert_san_email" => Some(joined(certificate.emails())),
        _ => None,
    }
}

/// SECURITY: an element with a comma would read as two.
fn joined(names: &[String]) -> String {
    let whole = names.iter().map(String::as_str).filter(|name| !name.contains(','));
    whole.collect::<Vec<_>>().join(",")
}

impl PlanInput<'_> {
    /// A header of the request, without any credential of ours.
    fn request_header(&self, name: &str) -> Option<String> {
        if folded(name).starts_with("x-pomerium-") {
            return None;
        }
        let value = self.request.headers.combined(name)?;
        match name {
            "cookie" => self.credentials.cookies.rest(&self.request.headers).map(Cow::into_owned),
            "authorization" if self.bearer_is_ours || ours_in_authorization(&value).is_some() => {
                None
            }
            _ => Some(value.into_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::of_certificate;
    use crate::certificate::PeerCertificate;
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, SanType};

    #[test]
    fn what_a_template_shows_of_a_certificate() {
        let email = |text: &str| SanType::Rfc822Name(text.try_into().expect("ASCII"));
        let names = ["a.test", "b.test,admin.test", "c.test"].map(str::to_owned);
        let mut params = CertificateParams::new(names).expect("names");
        params.subject_alt_names.push(email("a@corp.test"));
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        let certificate = PeerCertificate::from_pem(&pem).expect("readable");
        let shown = |name| of_certificate(&certificate, name);
        assert_eq!(shown("client_cert_san_dns").as_deref(), Some("a.test,c.test"));
        assert_eq!(shown("client_cert_san_email").as_deref(), Some("a@corp.test"));
        let fingerprint = shown("client_cert_fingerprint").expect("always there");
        assert!(fingerprint.len() == 64 && fingerprint.bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(shown("client_cert"), None);
    }
}
