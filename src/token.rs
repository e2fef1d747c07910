//! Minting service tokens: the claims of the token tool, signed with the shared secret.

use crate::time::Timestamp;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use std::time::Duration;

/// What a token says. Empty members are left out.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    pub issuer: String,
    pub audience: Vec<String>,
    pub subject: String,
    pub user: String,
    pub email: String,
    pub groups: Vec<String>,
    pub impersonate_email: String,
    pub impersonate_groups: Vec<String>,
    /// `jti`, by which the token can be named in a log.
    pub id: String,
}

/// `{"alg":"HS256","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// A compact JWS (HS256) of `claims`, issued at `now` and good for `lifetime`. Members stand in
/// alphabetical order. `key` is the decoded secret, or its text for verifiers that use that.
pub fn mint(claims: &Claims, key: &[u8], now: Timestamp, lifetime: Duration) -> String {
    let mut payload = Map::new();
    let text = |text: &str| Value::from(text);
    let list = |texts: &[String]| Value::from(texts.to_vec());
    payload.insert("aud".to_owned(), list(&claims.audience));
    payload.insert("email".to_owned(), text(&claims.email));
    payload.insert("exp".to_owned(), Value::from(now.plus(lifetime).unix()));
    payload.insert("groups".to_owned(), list(&claims.groups));
    payload.insert("iat".to_owned(), Value::from(now.unix()));
    payload.insert("impersonate_email".to_owned(), text(&claims.impersonate_email));
    payload.insert("impersonate_groups".to_owned(), list(&claims.impersonate_groups));
    payload.insert("iss".to_owned(), text(&claims.issuer));
    payload.insert("jti".to_owned(), text(&claims.id));
    payload.insert("nbf".to_owned(), Value::from(now.unix()));
    payload.insert("sub".to_owned(), text(&claims.subject));
    payload.insert("user".to_owned(), text(&claims.user));
    payload.retain(|_, value| !is_empty(value));
    signed(&Value::Object(payload), key)
}

/// A compact JWS (HS256) of `payload`.
pub(crate) fn signed(payload: &Value, key: &[u8]) -> String {
    let signed = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(payload.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn is_empty(value: &Value) -> bool {
    value.as_str().is_some_and(str::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}
