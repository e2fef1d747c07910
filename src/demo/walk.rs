//! The requests of the demo, and what each must show.

use super::http::{Reply, exchange};
use super::stand::{DEMO_HOST, Mint, Stand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// One request with its answer, and everything about it that is not as it should be.
#[derive(Debug)]
pub struct Step {
    pub title: &'static str,
    /// As `curl` would be called, with `$NAME` for tokens.
    pub request: String,
    pub reply: Reply,
    /// The claims of the assertion the upstream received, after verifying its signature.
    pub assertion: Option<Value>,
    pub wrong: Vec<String>,
}

/// Sends the requests of the demo one after the other.
///
/// # Errors
/// A request that gets no answer at all.
pub async fn walk(stand: &Stand) -> Result<Vec<Step>, anyhow::Error> {
    let bob = stand.mint(&Mint::default())?;
    let eve = stand.mint(&Mint { email: "eve@evil.test", ..Mint::default() })?;
    let root_as_bob = stand.mint(&Mint { email: "root@example.com", impersonate_email: Some("bob@example.com"), ..Mint::default() })?;
    let jwks = published_keys(stand).await?;
    let mut steps = Vec::new();
    let mut walker = Walker { stand, jwks: &jwks, steps: &mut steps };

    let pomerium = format!("authorization: Pomerium {bob}");
    walker.allowed("a service token, as the header says", "/headers", &["Authorization: Pomerium $BOB"], &[&pomerium], &bob).await?;
    let bearer = format!("authorization: Bearer Pomerium-{bob}");
    walker.allowed("the same token as a bearer token", "/headers", &["Authorization: Bearer Pomerium-$BOB"], &[&bearer], &bob).await?;
    let cookie = format!("cookie: theme=dark; _pomerium={bob}");
    walker.allowed("the same token as a cookie", "/headers", &["Cookie: theme=dark; _pomerium=$BOB"], &[&cookie], &bob).await?;
    let query = format!("/headers?a=1&pomerium_session={bob}");
    walker.allowed("the same token in the query", &query, &[], &[], &bob).await?;
    walker.impersonating(&root_as_bob).await?;
    walker.refused("somebody the policy does not know", &["Authorization: Pomerium $EVE", "Accept: application/json"], &[&format!("authorization: Pomerium {eve}"), "accept: application/json"], 403).await?;
    walker.refused("nobody, in a browser", &["Accept: text/html"], &["accept: text/html"], 302).await?;
    walker.refused("nobody, in a program", &["Accept: application/json"], &["accept: application/json"], 401).await?;
    walker.spoofed(&bob).await?;
    Ok(steps)
}

struct Walker<'s> {
    stand: &'s Stand,
    jwks: &'s Value,
    steps: &'s mut Vec<Step>,
}

impl Walker<'_> {
    async fn send(&mut self, title: &'static str, path: &str, (shown, lines): (&[&str], &[&str])) -> Result<&mut Step, anyhow::Error> {
        let host = format!("Host: {DEMO_HOST}");
        let first = format!("GET {path} HTTP/1.1");
        let head: Vec<&str> = [first.as_str(), host.as_str()].into_iter().chain(lines.iter().copied()).collect();
        let reply = exchange(self.stand.gateway, &head).await?;
        let headers: String = shown.iter().map(|line| format!(" -H '{line}'")).collect();
        let path = path.split("pomerium_session=").next().unwrap_or_default();
        let token = if first.contains("pomerium_session=") { "pomerium_session=$BOB" } else { "" };
        let request = format!("curl 'http://{DEMO_HOST}:{}{path}{token}'{headers}", self.stand.gateway.port());
        let (assertion, wrong) = match reply.json()["headers"]["x-pomerium-jwt-assertion"].as_str() {
            None => (None, Vec::new()),
            Some(token) => match verified(token, self.jwks) {
                Ok(claims) => (Some(claims), Vec::new()),
                Err(error) => (None, vec![format!("the assertion does not verify: {error}")]),
            },
        };
        self.steps.push(Step { title, request, reply, assertion, wrong });
        self.steps.last_mut().ok_or_else(|| anyhow::anyhow!("a step was lost"))
    }

    async fn allowed(&mut self, title: &'static str, path: &str, shown: &[&str], lines: &[&str], token: &str) -> Result<(), anyhow::Error> {
        let step = self.send(title, path, (shown, lines)).await?;
        step.expect_status(200);
        step.expect_identity("bob@example.com");
        step.expect_absent(token);
        Ok(())
    }

    async fn impersonating(&mut self, token: &str) -> Result<(), anyhow::Error> {
        let line = format!("authorization: Pomerium {token}");
        let step = self.send("an administrator acting as bob", "/headers", (&["Authorization: Pomerium $ROOT_AS_BOB"], &[&line])).await?;
        step.expect_status(200);
        step.expect_identity("bob@example.com");
        step.expect_absent(token);
        let actor = step.assertion.as_ref().map(|claims| claims["act"]["email"].clone());
        step.expect(actor == Some(Value::from("root@example.com")), "the assertion does not say who is acting");
        Ok(())
    }

    async fn refused(&mut self, title: &'static str, shown: &[&str], lines: &[&str], status: u16) -> Result<(), anyhow::Error> {
        let before = self.stand.upstream.served();
        let step = self.send(title, "/headers", (shown, lines)).await?;
        step.expect_status(status);
        let sign_in = step.reply.header("location").is_some_and(|location| location.starts_with("https://authenticate.localhost/.pomerium/sign_in?"));
        step.expect(sign_in == (status == 302), "the redirect to the sign-in page is wrong");
        let reached = self.stand.upstream.served() != before;
        if let Some(step) = self.steps.last_mut() {
            step.expect(!reached, "the request reached the upstream");
        }
        Ok(())
    }

    async fn spoofed(&mut self, token: &str) -> Result<(), anyhow::Error> {
        let authorization = format!("authorization: Pomerium {token}");
        let forged = ["x-pomerium-jwt-assertion: forged", "X-Pomerium-Claim-Email: root@example.com", "x-pomerium-claim-email: root@example.com", "x-pomerium-claim-shoe-size: 47", "x-pomerium-jwt-assertion-for: forged"];
        let lines: Vec<&str> = forged.into_iter().chain([authorization.as_str()]).collect();
        let shown: Vec<&str> = forged.into_iter().chain(["Authorization: Pomerium $BOB"]).collect();
        let step = self.send("forged identity headers beside a token", "/headers", (&shown, &lines)).await?;
        step.expect_status(200);
        step.expect_identity("bob@example.com");
        step.expect_absent("forged");
        step.expect_absent("root@example.com");
        step.expect_absent("shoe-size");
        Ok(())
    }
}

impl Step {
    fn expect(&mut self, holds: bool, wrong: &str) {
        if !holds {
            self.wrong.push(wrong.to_owned());
        }
    }

    fn expect_status(&mut self, status: u16) {
        let got = self.reply.status;
        self.expect(got == status, &format!("the status is {got}, not {status}"));
    }

    /// The upstream saw a verified assertion of this person, and the claim header that goes with it.
    fn expect_identity(&mut self, email: &str) {
        let claimed = self.assertion.as_ref().map(|claims| claims["email"].clone());
        self.expect(claimed == Some(Value::from(email)), &format!("the assertion is not {email}'s"));
        let header = self.reply.json()["headers"]["x-pomerium-claim-email"] == email;
        self.expect(header, &format!("x-pomerium-claim-email is not {email}"));
    }

    fn expect_absent(&mut self, text: &str) {
        let leaked = self.reply.body.contains(text);
        self.expect(!leaked, "something reached the upstream that must not");
    }
}

/// Our public keys, as an upstream would fetch them: through Envoy, without a credential.
async fn published_keys(stand: &Stand) -> Result<Value, anyhow::Error> {
    let host = format!("Host: {DEMO_HOST}");
    let reply = exchange(stand.gateway, &["GET /.well-known/pomerium/jwks.json HTTP/1.1", &host]).await?;
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
