//! A compact JWS taken apart (RFC 7515 §7.1). Shows nothing of what the token claims.

use super::claims::ClaimValue;
use super::error::TokenError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeMap;

/// The longest token looked at, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// A token whose shape is right and whose signature nobody has looked at.
#[derive(Debug)]
pub(super) struct UnverifiedToken<'t> {
    /// `header.payload`, the bytes under the signature.
    pub(super) signed: &'t str,
    payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

impl<'t> UnverifiedToken<'t> {
    /// Takes three non-empty base64url parts with a header that asks for exactly HS256.
    pub(super) fn parse(text: &'t str) -> Result<Self, TokenError> {
        if text.len() > MAX_BYTES {
            return Err(TokenError::Malformed("it is longer than 16 KiB"));
        }
        let (signed, signature) =
            text.rsplit_once('.').ok_or(TokenError::Malformed("it has no three parts"))?;
        let (header, payload) =
            signed.split_once('.').ok_or(TokenError::Malformed("it has no three parts"))?;
        if payload.contains('.') {
            return Err(TokenError::Malformed("it has more than three parts"));
        }
        let decode = |part: &str| match part {
            "" => Err(TokenError::Malformed("a part is empty")),
            _ => URL_SAFE_NO_PAD
                .decode(part)
                .map_err(|_| TokenError::Malformed("a part is not base64url")),
        };
        check_header(&decode(header)?)?;
        // Decoding is all that is done with the signature of an `alg: none` token: it is refused above.
        Ok(Self { signed, payload: decode(payload)?, signature: decode(signature)? })
    }

    /// The claims, for whoever has checked the signature.
    pub(super) fn into_payload(self) -> Result<BTreeMap<String, ClaimValue>, TokenError> {
        object(&self.payload).ok_or(TokenError::Malformed(
            "its payload is not one JSON object with distinct members",
        ))
    }
}

fn object(bytes: &[u8]) -> Option<BTreeMap<String, ClaimValue>> {
    match ClaimValue::from_json(bytes) {
        Ok(ClaimValue::Map(members)) => Some(members),
        Ok(
            ClaimValue::Null
            | ClaimValue::Bool(_)
            | ClaimValue::Number(_)
            | ClaimValue::Text(_)
            | ClaimValue::List(_),
        )
        | Err(_) => None,
    }
}

fn check_header(bytes: &[u8]) -> Result<(), TokenError> {
    let header = object(bytes)
        .ok_or(TokenError::Malformed("its header is not one JSON object with distinct members"))?;
    for (name, refusal) in [
        ("crit", "it has a `crit` header"),
        ("b64", "it has a `b64` header"),
        ("zip", "it has a `zip` header"),
    ] {
        if header.contains_key(name) {
            return Err(TokenError::UnsupportedAlgorithm(refusal));
        }
    }
    if header.get("alg").and_then(ClaimValue::as_text) != Some("HS256") {
        return Err(TokenError::UnsupportedAlgorithm("its `alg` is another"));
    }
    match header.get("typ") {
        None => Ok(()),
        Some(ClaimValue::Text(typ)) if typ.eq_ignore_ascii_case("JWT") => Ok(()),
        Some(_) => Err(TokenError::Malformed("its `typ` is not JWT")),
    }
}
