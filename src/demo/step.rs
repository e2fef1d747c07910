//! One request of the demo with its answer, and what is wrong with it.

use super::http::{Reply, exchange};
use super::stand::{DEMO_HOST, Stand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

pub(super) const ROOT: &str = "root@example.com";
pub(super) const BOB: &str = "bob@example.com";

/// One request with its answer, and everything about it that is not as it should be.
#[derive(Debug)]
pub struct Step {
    pub title: &'static str,
    /// As `curl` would be called, with `$NAME` for tokens; or every request of a browser, in lines.
    pub request: String,
    pub reply: Reply,
    /// The claims of the assertion the upstream received, after verifying its signature.
    pub assertion: Option<Value>,
    pub wrong: Vec<String>,
}

/// What must not reach the upstream: forged values, and tokens of ours (an HS256 header).
const FORGED: [&str; 4] = ["forged", "shoe-size", "eyJhbGciOiJIUzI1NiI", "_pomerium="];

impl Step {
    /// A step whose assertion, if the upstream was given one, is verified.
    pub(super) fn new(title: &'static str, request: String, reply: Reply, keys: &Value) -> Self {
        let mut step = Self { title, request, reply, assertion: None, wrong: Vec::new() };
        if let Some(token) = step.seen_header("x-pomerium-jwt-assertion") {
            match verified(&token, keys) {
                Ok(claims) => step.assertion = Some(claims),
                Err(error) => step.wrong.push(format!("the assertion does not verify: {error}")),
            }
        }
        step
    }

    /// The upstream saw a verified assertion of this person, by this actor, the claim header that goes
    /// with it, nothing forged, no token of ours, and of the actor nothing in the clear.
    pub(super) fn judge_person(&mut self, email: &str, actor: Option<&str>) {
        self.expect_status(200);
        let claim = |step: &Self, pointer: &str| {
            step.assertion.as_ref()?.pointer(pointer)?.as_str().map(str::to_owned)
        };
        let asserted = claim(self, "/email");
        self.expect(asserted.as_deref() == Some(email), &format!("the assertion is not {email}'s"));
        let acting = claim(self, "/act/email");
        self.expect(acting.as_deref() == actor, "the assertion is wrong about who is acting");
        let header = self.seen_header("x-pomerium-claim-email");
        let fits = header.as_deref() == Some(email);
        self.expect(fits, &format!("x-pomerium-claim-email is not {email}'s"));
        let others = [ROOT].into_iter().filter(|other| *other != email);
        let leaked = FORGED.into_iter().chain(others).any(|text| self.reply.body.contains(text));
        self.expect(!leaked, "something reached the upstream that must not");
    }

    pub(super) fn expect(&mut self, holds: bool, wrong: &str) {
        if !holds {
            self.wrong.push(wrong.to_owned());
        }
    }

    pub(super) fn expect_status(&mut self, status: u16) {
        let got = self.reply.status;
        self.expect(got == status, &format!("the status is {got}, not {status}"));
    }

    /// A header as the upstream received it.
    fn seen_header(&self, name: &str) -> Option<String> {
        self.reply.json().get("headers")?.get(name)?.as_str().map(str::to_owned)
    }
}

/// Our public keys, as an upstream would fetch them: through Envoy, without a credential.
pub(super) async fn published_keys(stand: &Stand) -> Result<Value, anyhow::Error> {
    let host = format!("Host: {DEMO_HOST}");
    let reply =
        exchange(stand.gateway, &["GET /.well-known/pomerium/jwks.json HTTP/1.1", &host]).await?;
    Ok(reply.json())
}

/// Verifies with a JWT library of its own, as an upstream would.
fn verified(token: &str, jwks: &Value) -> Result<Value, anyhow::Error> {
    let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks.clone())?;
    let header = jsonwebtoken::decode_header(token)?;
    let kid = header.kid.ok_or_else(|| anyhow::anyhow!("no kid"))?;
    let key = keys.find(&kid).ok_or_else(|| anyhow::anyhow!("unknown kid"))?;
    let mut validation = jsonwebtoken::Validation::new(header.alg);
    validation.set_audience(&[DEMO_HOST]);
    validation.set_issuer(&[DEMO_HOST]);
    jsonwebtoken::decode::<Value>(token, &jsonwebtoken::DecodingKey::from_jwk(key)?, &validation)?;
    let payload = token.split('.').nth(1).ok_or_else(|| anyhow::anyhow!("no payload"))?;
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?)
}
