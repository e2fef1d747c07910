//! Whether an ID token is what it should be (`OpenID` Connect Core 1.0 §3.1.3.7). The library checks
//! signature, issuer, audience, expiry and nonce; the rest is here.

use super::discovery::Known;
use super::error::{RefreshError, SignInError};
use super::jws::{ALGORITHMS, Members, members};
use crate::identity::{ClaimValue, LEEWAY};
use crate::time::Timestamp;
use openidconnect::core::{CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier};
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, Nonce,
    SignatureVerificationError,
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Why an ID token is refused.
#[derive(Debug)]
pub(super) enum IdTokenError {
    /// No known key fits: there may be a newer one.
    UnknownKey,
    /// In words, for the log.
    Refused(String),
}

const UNKNOWN_KEY: &str = "no key of the provider fits it";

impl From<IdTokenError> for SignInError {
    fn from(error: IdTokenError) -> Self {
        match error {
            IdTokenError::UnknownKey => Self::BadToken(UNKNOWN_KEY.to_owned()),
            IdTokenError::Refused(why) => Self::BadToken(why),
        }
    }
}

impl From<IdTokenError> for RefreshError {
    fn from(error: IdTokenError) -> Self {
        match error {
            // The provider may have changed its keys since they were asked for: nothing is learnt, and
            // whoever made us ask too early must not have ended a session by that.
            IdTokenError::UnknownKey => Self::Unreachable(UNKNOWN_KEY.to_owned()),
            IdTokenError::Refused(why) => Self::Unbelievable(why),
        }
    }
}

/// What an ID token has to agree with.
pub(super) struct Expectation<'e> {
    pub(super) client: &'e str,
    /// `None` when refreshing: the nonce was for the sign-in.
    pub(super) nonce: Option<&'e str>,
    pub(super) access_token: &'e AccessToken,
}

impl Expectation<'_> {
    /// All members of the token, once everything about it is right.
    pub(super) fn verify(
        &self,
        token: &CoreIdToken,
        known: &Known,
        now: Timestamp,
    ) -> Result<Members, IdTokenError> {
        let verifier = self.verifier(known, now);
        let nonce = self.nonce.map(|nonce| Nonce::new(nonce.to_owned()));
        let claims = match &nonce {
            Some(nonce) => token.claims(&verifier, nonce),
            None => token.claims(&verifier, |_: Option<&Nonce>| Ok(())),
        };
        let claims = claims.map_err(|error| refusal(&error))?;
        self.check_access_token(token, claims, &verifier)?;
        let text = token.to_string();
        let payload = text.split('.').nth(1).and_then(members);
        let payload = payload.ok_or_else(|| refused("a member is repeated"))?;
        self.check_rest(&payload, now)?;
        Ok(payload)
    }

    fn verifier<'v>(&self, known: &Known, now: Timestamp) -> CoreIdTokenVerifier<'v> {
        // For a public client whatever the client is: its secret signs nothing.
        let client = ClientId::new(self.client.to_owned());
        let (issuer, keys) = (known.issuer().clone(), known.keys().clone());
        let latest = now.plus(LEEWAY);
        CoreIdTokenVerifier::new_public_client(client, issuer, keys)
            .set_allowed_algs(ALGORITHMS.map(|(_, algorithm)| algorithm))
            // Whether others may be named besides us is seen when the rest is.
            .set_other_audience_verifier_fn(|_| true)
            .set_time_fn(move || instant(now.minus(LEEWAY)).into())
            .set_issue_time_verifier_fn(move |issued| {
                let early = issued.timestamp() <= latest.unix();
                early.then_some(()).ok_or_else(|| "issued in the future".to_owned())
            })
    }

    /// `at_hash`: the access token that came along is the one this ID token is about.
    fn check_access_token(
        &self,
        token: &CoreIdToken,
        claims: &CoreIdTokenClaims,
        verifier: &CoreIdTokenVerifier<'_>,
    ) -> Result<(), IdTokenError> {
        let Some(expected) = claims.access_token_hash() else {
            return Ok(());
        };
        let unusable = |_| refused("`at_hash` cannot be checked");
        let algorithm = token.signing_alg().map_err(unusable)?;
        let key = token.signing_key(verifier).map_err(unusable)?;
        let hash = AccessTokenHash::from_token(self.access_token, algorithm, key);
        let hash = hash.map_err(|_| refused("`at_hash` cannot be checked"))?;
        if &hash == expected {
            return Ok(());
        }
        Err(refused("`at_hash` is not of the access token"))
    }

    fn check_rest(&self, payload: &Members, now: Timestamp) -> Result<(), IdTokenError> {
        // For others too is only what says that it was issued to us (§3.1.3.7, 3 to 5).
        let shared = match payload.get("aud") {
            Some(ClaimValue::List(items)) => items.len() > 1,
            Some(
                ClaimValue::Null
                | ClaimValue::Bool(_)
                | ClaimValue::Number(_)
                | ClaimValue::Text(_)
                | ClaimValue::Map(_),
            )
            | None => false,
        };
        match payload.get("azp") {
            None | Some(ClaimValue::Null) if !shared => {}
            Some(party) if party.as_text() == Some(self.client) => {}
            None | Some(_) => return Err(refused("it was issued to another client (`azp`)")),
        }
        match payload.get("nbf") {
            None | Some(ClaimValue::Null) => Ok(()),
            Some(from) if seconds(from).is_some_and(|from| from <= now.plus(LEEWAY)) => Ok(()),
            Some(_) => Err(refused("it is not valid yet (`nbf`)")),
        }
    }
}

/// A date as JWTs write it.
pub(super) fn seconds(value: &ClaimValue) -> Option<Timestamp> {
    match value {
        ClaimValue::Number(number) => number.truncated().map(Timestamp::from_unix),
        ClaimValue::Null
        | ClaimValue::Bool(_)
        | ClaimValue::Text(_)
        | ClaimValue::List(_)
        | ClaimValue::Map(_) => None,
    }
}

/// An instant the library can hold: none before the epoch, none after the year 9999.
fn instant(at: Timestamp) -> SystemTime {
    const LAST: u64 = 253_402_300_799;
    let since = u64::try_from(at.unix()).unwrap_or_default().min(LAST);
    UNIX_EPOCH.checked_add(Duration::from_secs(since)).unwrap_or(UNIX_EPOCH)
}

fn refused(why: &str) -> IdTokenError {
    IdTokenError::Refused(why.to_owned())
}

/// The words are ours: those of the library quote the token.
fn refusal(error: &ClaimsVerificationError) -> IdTokenError {
    refused(match error {
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        ) => return IdTokenError::UnknownKey,
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::DisallowedAlg(_)
            | SignatureVerificationError::NoSignature
            | SignatureVerificationError::UnsupportedAlg(_),
        ) => "it is signed by an algorithm that is not accepted, or not at all",
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::AmbiguousKeyId(_),
        ) => "more than one key fits it",
        ClaimsVerificationError::SignatureVerification(_) => "its signature is wrong",
        ClaimsVerificationError::Expired(_) => "it has expired, or was issued in the future",
        ClaimsVerificationError::InvalidAudience(_) => "it is for another audience",
        ClaimsVerificationError::InvalidIssuer(_) => "it is of another issuer",
        ClaimsVerificationError::InvalidNonce(_) => "its nonce is not that of this sign-in",
        ClaimsVerificationError::InvalidAuthContext(_)
        | ClaimsVerificationError::InvalidAuthTime(_)
        | ClaimsVerificationError::InvalidSubject(_)
        | ClaimsVerificationError::Other(_)
        | ClaimsVerificationError::Unsupported(_)
        | _ => "its header is not that of an ID token",
    })
}
