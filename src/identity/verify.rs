//! Verifying a token: the only door to its claims.

use super::claims::{ClaimValue, Claims};
use super::error::TokenError;
use super::members::Members;
use super::token::UnverifiedToken;
use crate::secret::Secret;
use crate::time::Timestamp;
use aws_lc_rs::hmac;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How far two clocks may be apart, for `exp`, `nbf` and `iat` alike.
pub const LEEWAY: Duration = Duration::from_mins(1);

/// The keys a session token may be signed with. Each is pinned to HS256.
pub struct VerificationKeys(Vec<hmac::Key>);

impl VerificationKeys {
    /// The decoded 32 bytes of the shared secret; with `legacy_text` also its base64 text.
    pub fn new(secret: &[u8; 32], legacy_text: Option<&str>) -> Self {
        let texts = legacy_text.map(str::as_bytes);
        let keys = std::iter::once(secret.as_slice()).chain(texts);
        Self(keys.map(|key| hmac::Key::new(hmac::HMAC_SHA256, key)).collect())
    }

    fn match_any(&self, token: &UnverifiedToken<'_>) -> bool {
        self.0
            .iter()
            .any(|key| hmac::verify(key, token.signed.as_bytes(), &token.signature).is_ok())
    }

    /// Whether `text` is a token made with one of these keys, valid now or not. Says nothing about
    /// whom it speaks for; used to keep tokens of ours from leaving.
    pub fn signed(&self, text: &str) -> bool {
        UnverifiedToken::parse(text).is_ok_and(|token| self.match_any(&token))
    }
}

impl fmt::Debug for VerificationKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerificationKeys({})", self.0.len())
    }
}

/// What a token must say to be for us and for this request.
#[derive(Debug)]
pub struct Expected<'a> {
    /// Accepted `iss` values, compared exactly.
    pub issuers: &'a [String],
    /// The request's host name in lower case, without port.
    pub host: &'a str,
    /// The request's port, unless it is the default one of its scheme.
    pub port: Option<u16>,
}

/// The claims of a session token that mean something here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionClaims {
    pub subject: String,
    pub user: String,
    pub email: String,
    pub groups: Vec<String>,
    pub session_id: String,
    pub impersonate_email: Option<String>,
    pub impersonate_groups: Option<Vec<String>>,
    pub is_service: bool,
    /// `programatic` is true.
    pub programmatic: bool,
    /// `iat`, if the token says.
    pub issued: Option<Timestamp>,
    pub expires: Timestamp,
    pub custom: Claims,
}

/// A token whose signature and shape were checked, and nothing else: whether it is good for a request is
/// for [`SignedToken::judge`] to say. The same for every request, so it can be kept as long as the keys
/// are the same.
#[derive(Debug)]
pub struct SignedToken {
    times: Times,
    issuer: Option<String>,
    audience: Option<Vec<String>>,
    kind: SignedKind,
}

#[derive(Debug)]
enum SignedKind {
    Stateless(Arc<SessionClaims>),
    Handle(Arc<HandleClaims>),
}

/// What a handle says.
#[derive(Debug)]
struct HandleClaims {
    secret: Arc<Secret<String>>,
    user: Option<String>,
    account: Option<String>,
    programmatic: bool,
}

/// A token whose signature, times, issuer and audience were checked. Only [`SignedToken::judge`] builds one.
#[derive(Clone, Debug)]
pub struct VerifiedToken {
    claims: Arc<SessionClaims>,
}

impl VerifiedToken {
    pub fn claims(&self) -> &SessionClaims {
        &self.claims
    }

    /// The instant from which the token is refused.
    pub fn usable_until(&self) -> Timestamp {
        self.claims.expires.plus(LEEWAY)
    }
}

/// A token that names a record, which says everything else. Only [`SignedToken::judge`] builds one.
#[derive(Debug)]
pub struct VerifiedHandle {
    claims: Arc<HandleClaims>,
    expires: Option<Timestamp>,
}

impl VerifiedHandle {
    /// `jti`: what the record is found by.
    pub fn secret(&self) -> &Arc<Secret<String>> {
        &self.claims.secret
    }

    /// `sub`, if the handle says: the user id that the record must have.
    pub fn user(&self) -> Option<&str> {
        self.claims.user.as_deref()
    }

    /// `sid`, if the handle says: the service account whose credential it is. One without is a session's.
    pub fn account(&self) -> Option<&str> {
        self.claims.account.as_deref()
    }

    /// `exp`, if the handle says.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Whether it was given to a program.
    pub fn programmatic(&self) -> bool {
        self.claims.programmatic
    }
}

/// What a verified token is.
#[derive(Debug)]
pub enum Verified {
    /// It says itself who holds it.
    Stateless(VerifiedToken),
    Handle(VerifiedHandle),
}

/// Verifies a compact JWS: a stateless session or service token, or a handle, which has a `jti` and no
/// `email`. What a handle does not say of time, issuer and audience its record says.
///
/// # Errors
/// The first rule broken, in the order: shape, algorithm, signature, claim types, time, issuer,
/// audience.
pub fn verify(
    text: &str,
    keys: &VerificationKeys,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<Verified, TokenError> {
    SignedToken::read(text, keys)?.judge(expected, now)
}

impl SignedToken {
    /// Reads a compact JWS that is signed with one of these keys.
    ///
    /// # Errors
    /// The first rule broken, in the order: shape, algorithm, signature, claim types.
    pub fn read(text: &str, keys: &VerificationKeys) -> Result<Self, TokenError> {
        let token = UnverifiedToken::parse(text)?;
        if !keys.match_any(&token) {
            return Err(TokenError::BadSignature);
        }
        let mut members = Members(token.into_payload()?);
        let times = Times::take(&mut members)?;
        let issuer = members.text("iss")?;
        let audience = members.texts_or_text("aud")?;
        let ParsedClaims { session, email } = session_claims(members)?;
        let kind = if email.is_none() && !session.session_id.is_empty() {
            let SessionClaims { session_id, subject, programmatic, custom, .. } = session;
            let user = Some(subject).filter(|subject| !subject.is_empty());
            let account = custom.values("sid").find_map(ClaimValue::scalar_text);
            let secret = Arc::new(Secret::new(session_id));
            SignedKind::Handle(Arc::new(HandleClaims { secret, user, account, programmatic }))
        } else if session.subject.is_empty() {
            // SECURITY: signed, an empty identity would be a trap for upstreams.
            let why = "it names nobody: `sub`, `user` and `email` are empty";
            return Err(TokenError::Malformed(why));
        } else {
            let expires = times.expires.unwrap_or_default();
            let session = SessionClaims { issued: times.issued, expires, ..session };
            SignedKind::Stateless(Arc::new(session))
        };
        Ok(Self { times, issuer, audience, kind })
    }

    /// Whether it is good now, and for a request.
    ///
    /// # Errors
    /// The first rule broken, in the order: time, issuer, audience.
    pub fn judge(&self, expected: &Expected<'_>, now: Timestamp) -> Result<Verified, TokenError> {
        let (issuer, audience) = (self.issuer.as_deref(), self.audience.as_deref());
        match &self.kind {
            SignedKind::Handle(claims) => {
                self.times.check_bounds(now)?;
                issuer.map_or(Ok(()), |issuer| is_accepted(issuer, expected))?;
                audience.map_or(Ok(()), |audience| is_meant(audience, expected))?;
                let (claims, expires) = (Arc::clone(claims), self.times.expires);
                Ok(Verified::Handle(VerifiedHandle { claims, expires }))
            }
            SignedKind::Stateless(claims) => {
                self.times.check(now)?;
                is_accepted(issuer.unwrap_or_default(), expected)?;
                is_meant(audience.unwrap_or_default(), expected)?;
                Ok(Verified::Stateless(VerifiedToken { claims: Arc::clone(claims) }))
            }
        }
    }
}

fn is_accepted(issuer: &str, expected: &Expected<'_>) -> Result<(), TokenError> {
    let accepted = !issuer.is_empty() && expected.issuers.iter().any(|known| known == issuer);
    if accepted { Ok(()) } else { Err(TokenError::InvalidIssuer(issuer.to_owned())) }
}

fn is_meant(audience: &[String], expected: &Expected<'_>) -> Result<(), TokenError> {
    let meant = audience.iter().any(|entry| is_for(entry, expected));
    if meant { Ok(()) } else { Err(TokenError::InvalidAudience(expected.host.to_owned())) }
}

/// An audience entry without port stands for every port.
fn is_for(entry: &str, expected: &Expected<'_>) -> bool {
    let (name, port) = match entry.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => {
            (name, port.parse::<u16>().ok())
        }
        _ => (entry, None),
    };
    let port_fits = match port {
        None => name.len() == entry.len(),
        Some(port) => expected.port.map_or(port == 443 || port == 80, |asked| asked == port),
    };
    name.eq_ignore_ascii_case(expected.host) && port_fits
}

#[derive(Debug)]
struct Times {
    expires: Option<Timestamp>,
    not_before: Option<Timestamp>,
    issued: Option<Timestamp>,
}

impl Times {
    fn take(members: &mut Members) -> Result<Self, TokenError> {
        Ok(Self {
            expires: members.date("exp")?,
            not_before: members.date("nbf")?,
            issued: members.date("iat")?,
        })
    }

    /// The same for a token that must say when it ends.
    fn check(&self, now: Timestamp) -> Result<(), TokenError> {
        self.expires.ok_or(TokenError::ExpiryRequired)?;
        self.check_bounds(now)
    }

    /// Whether `now` is within what is said.
    fn check_bounds(&self, now: Timestamp) -> Result<(), TokenError> {
        if let Some(expires) = self.expires.filter(|at| now >= at.plus(LEEWAY)) {
            return Err(TokenError::Expired(expires));
        }
        if let Some(not_before) = self.not_before.filter(|at| now < at.minus(LEEWAY)) {
            return Err(TokenError::NotYetValid(not_before));
        }
        if let Some(issued) = self.issued.filter(|at| *at > now.plus(LEEWAY)) {
            return Err(TokenError::IssuedInFuture(issued));
        }
        Ok(())
    }
}

struct ParsedClaims {
    session: SessionClaims,
    email: Option<String>,
}

fn session_claims(mut members: Members) -> Result<ParsedClaims, TokenError> {
    let session_id = members.text("jti")?.unwrap_or_default();
    let impersonate_email = members.text("impersonate_email")?.filter(|email| !email.is_empty());
    let impersonate_groups =
        members.texts("impersonate_groups")?.filter(|groups| !groups.is_empty());
    let is_service = !members.0.contains_key("programatic");
    let programmatic = members.bool("programatic")?.unwrap_or(false);
    members.0.remove("at_hash");
    // What stays in `custom` can be asked for by a policy, so these are read without taking them.
    let keep = bounded(members.0.clone())?;
    let email = members.text("email")?;
    let groups = members.texts("groups")?.unwrap_or_default();
    let subject = members.text("sub")?.filter(|text| !text.is_empty());
    let user = members.text("user")?.filter(|text| !text.is_empty());
    let fallback = email.clone().unwrap_or_default();
    let user = user.or_else(|| subject.clone()).unwrap_or_else(|| fallback.clone());
    let subject = subject.unwrap_or_else(|| user.clone());
    let session = SessionClaims {
        subject,
        user,
        email: email.clone().unwrap_or_default(),
        groups,
        session_id,
        impersonate_email,
        impersonate_groups,
        is_service,
        programmatic,
        issued: None,
        expires: Timestamp::default(),
        custom: keep,
    };
    Ok(ParsedClaims { session, email })
}

/// Flattening repeats the names of outer maps; a token may not make us hold more than it is worth.
const MAX_NAMES: usize = 64 * 1024;

fn bounded(members: BTreeMap<String, ClaimValue>) -> Result<Claims, TokenError> {
    let claims = Claims::flatten(members);
    let names: usize = claims.as_map().keys().map(String::len).sum();
    if names > MAX_NAMES {
        return Err(TokenError::Malformed("the names of its claims are too long"));
    }
    Ok(claims)
}
