//! Logout tokens (`OpenID` Connect Back-Channel Logout 1.0): the provider says that somebody has signed
//! out there. Anybody can send us one, so nothing in it counts before its signature.

use super::error::SignInError;
use super::id_token::seconds;
use super::jws::Members;
use crate::identity::{ClaimValue, LEEWAY};
use crate::time::Timestamp;
use std::time::Duration;

/// Somebody has signed out at the provider: a session there, all of a person's, or both named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutNotice {
    pub issuer: String,
    /// `sub`
    pub subject: Option<String>,
    /// `sid`
    pub session: Option<String>,
    /// `jti`: by this the same notice is known when it comes again.
    pub id: String,
    pub issued: Timestamp,
    /// From then on it is refused, so its `id` need not be remembered any longer.
    pub usable_until: Timestamp,
}

/// Values of `typ`: ours, and what it was before it had one.
pub(super) const TYPES: [&str; 2] = ["logout+jwt", "jwt"];
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// A notice is of now; an old one is of no use to anybody but who kept it.
const LONGEST: Duration = Duration::from_mins(10);
const MAX_CHARS: usize = 255;

/// Reads the members of a token whose signature was right.
pub(super) fn notice(
    members: &Members,
    (issuer, client): (&str, &str),
    now: Timestamp,
) -> Result<LogoutNotice, SignInError> {
    let text = |name: &str| members.get(name).and_then(ClaimValue::as_text);
    if text("iss") != Some(issuer) {
        return Err(refused("it is of another issuer"));
    }
    if !is_for(members.get("aud"), client) {
        return Err(refused("it is for another audience"));
    }
    if members.contains_key("nonce") {
        return Err(refused("it has a nonce, so it is an ID token"));
    }
    if !tells_of_logout(members.get("events")) {
        return Err(refused("it does not tell of a logout"));
    }
    let since = members.get("iat").and_then(seconds).ok_or_else(|| refused("`iat` is missing"))?;
    let expires = match members.get("exp") {
        None => since.plus(LONGEST),
        Some(value) => seconds(value).ok_or_else(|| refused("`exp` is no date"))?,
    };
    let usable_until = expires.min(since.plus(LONGEST)).plus(LEEWAY);
    if since > now.plus(LEEWAY) || now >= usable_until {
        return Err(refused("it has expired, or was issued in the future"));
    }
    let name = |claim: &str| -> Result<Option<String>, SignInError> {
        match members.get(claim) {
            None => Ok(None),
            Some(ClaimValue::Text(text)) if is_name(text) => Ok(Some(text.clone())),
            Some(_) => Err(refused(&format!("`{claim}` is not a name of 1 to 255 characters"))),
        }
    };
    let (subject, session) = (name("sub")?, name("sid")?);
    if subject.is_none() && session.is_none() {
        return Err(refused("it names neither a person nor a session"));
    }
    let id = name("jti")?.ok_or_else(|| refused("`jti` is missing"))?;
    Ok(LogoutNotice {
        issuer: issuer.to_owned(),
        subject,
        session,
        id,
        issued: since,
        usable_until,
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= MAX_CHARS
}

/// `aud` is one text or a list that has it.
fn is_for(audience: Option<&ClaimValue>, client: &str) -> bool {
    let is_ours = |value: &ClaimValue| value.as_text() == Some(client);
    match audience {
        Some(ClaimValue::List(items)) => items.iter().any(is_ours),
        Some(value) => is_ours(value),
        None => false,
    }
}

fn tells_of_logout(events: Option<&ClaimValue>) -> bool {
    match events {
        Some(ClaimValue::Map(events)) => matches!(events.get(EVENT), Some(ClaimValue::Map(_))),
        Some(
            ClaimValue::Null
            | ClaimValue::Bool(_)
            | ClaimValue::Number(_)
            | ClaimValue::Text(_)
            | ClaimValue::List(_),
        )
        | None => false,
    }
}

fn refused(why: &str) -> SignInError {
    SignInError::BadToken(why.to_owned())
}
