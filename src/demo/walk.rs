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

/// A request to send. `$BOB`, `$EVE` and `$ROOT_AS_BOB` stand for tokens.
struct Plan {
    title: &'static str,
    path: &'static str,
    headers: &'static [&'static str],
    expect: Expect,
}

/// What must come of it.
#[derive(Clone, Copy)]
enum Expect {
    /// The upstream is reached as bob.
    Bob,
    /// The upstream is reached as bob, and told that root is acting.
    BobByRoot,
    /// The upstream is not reached.
    Refused(u16),
}

/// What must not reach the upstream: forged values, and tokens of ours (an HS256 header).
const FORGED: [&str; 4] = ["forged", "root@example.com", "shoe-size", "eyJhbGciOiJIUzI1NiI"];

const PLANS: &[Plan] = &[
    Plan {
        title: "a service token, as the header says",
        path: "/headers",
        headers: &["Authorization: Pomerium $BOB"],
        expect: Expect::Bob,
    },
    Plan {
        title: "the same token as a bearer token",
        path: "/headers",
        headers: &["Authorization: Bearer Pomerium-$BOB"],
        expect: Expect::Bob,
    },
    Plan {
        title: "the same token as a plain bearer token",
        path: "/headers",
        headers: &["Authorization: Bearer $BOB"],
        expect: Expect::Bob,
    },
    Plan {
        title: "the same token as a cookie",
        path: "/headers",
        headers: &["Cookie: theme=dark; _pomerium=$BOB"],
        expect: Expect::Bob,
    },
    Plan {
        title: "the same token in the query",
        path: "/headers?a=1&pomerium_session=$BOB",
        headers: &[],
        expect: Expect::Bob,
    },
    Plan {
        title: "an administrator acting as bob",
        path: "/headers",
        headers: &["Authorization: Pomerium $ROOT_AS_BOB"],
        expect: Expect::BobByRoot,
    },
    Plan {
        title: "somebody the policy does not know",
        path: "/headers",
        headers: &["Authorization: Pomerium $EVE", "Accept: application/json"],
        expect: Expect::Refused(403),
    },
    Plan {
        title: "nobody, in a browser",
        path: "/headers",
        headers: &["Accept: text/html"],
        expect: Expect::Refused(302),
    },
    Plan {
        title: "nobody, in a program",
        path: "/headers",
        headers: &["Accept: application/json"],
        expect: Expect::Refused(401),
    },
    Plan {
        title: "forged identity headers beside a token",
        path: "/headers",
        headers: &[
            "x-pomerium-jwt-assertion: forged",
            "X-Pomerium-Claim-Email: root@example.com",
            "x-pomerium-claim-email: root@example.com",
            "x-pomerium-claim-shoe-size: 47",
            "x-pomerium-jwt-assertion-for: forged",
            "Authorization: Pomerium $BOB",
        ],
        expect: Expect::Bob,
    },
];

/// Sends the requests of the demo one after the other.
///
/// # Errors
/// A request that gets no answer at all.
pub async fn walk(stand: &Stand) -> Result<Vec<Step>, anyhow::Error> {
    let token = |email, impersonate_email| {
        stand.mint(&Mint { email, impersonate_email, ..Mint::default() })
    };
    let tokens = [
        ("$ROOT_AS_BOB", token("root@example.com", Some("bob@example.com"))?),
        ("$BOB", token("bob@example.com", None)?),
        ("$EVE", token("eve@evil.test", None)?),
    ];
    let jwks = published_keys(stand).await?;
    let mut steps = Vec::new();
    for plan in PLANS {
        let before = stand.upstream.served();
        let mut step = send(stand, plan, &tokens, &jwks).await?;
        let reached = stand.upstream.served() != before;
        step.judge(plan.expect, reached);
        steps.push(step);
    }
    Ok(steps)
}

async fn send(
    stand: &Stand,
    plan: &Plan,
    tokens: &[(&str, String)],
    jwks: &Value,
) -> Result<Step, anyhow::Error> {
    let fill = |text: &str| {
        tokens.iter().fold(text.to_owned(), |text, (name, token)| text.replace(name, token))
    };
    let mut head = vec![fill(&format!("GET {} HTTP/1.1", plan.path)), format!("Host: {DEMO_HOST}")];
    head.extend(plan.headers.iter().map(|line| fill(line)));
    let lines: Vec<&str> = head.iter().map(String::as_str).collect();
    let reply = exchange(stand.gateway, &lines).await?;
    let mut request = format!("curl \"http://{DEMO_HOST}:{}{}\"", stand.gateway.port(), plan.path);
    for line in plan.headers {
        request.push_str(" -H \"");
        request.push_str(line);
        request.push('"');
    }
    let mut step = Step { title: plan.title, request, reply, assertion: None, wrong: Vec::new() };
    if let Some(token) = step.seen_header("x-pomerium-jwt-assertion") {
        match verified(&token, jwks) {
            Ok(claims) => step.assertion = Some(claims),
            Err(error) => step.wrong.push(format!("the assertion does not verify: {error}")),
        }
    }
    Ok(step)
}

impl Step {
    fn judge(&mut self, expect: Expect, reached: bool) {
        match expect {
            Expect::Bob => self.judge_bob(None),
            Expect::BobByRoot => self.judge_bob(Some("root@example.com")),
            Expect::Refused(status) => {
                self.expect_status(status);
                self.expect(!reached, "the request reached the upstream");
                let location = self.reply.header("location").unwrap_or_default();
                let sign_in =
                    location.starts_with("https://authenticate.localhost/.pomerium/sign_in?");
                self.expect(
                    sign_in == (status == 302),
                    "the redirect to the sign-in page is wrong",
                );
            }
        }
    }

    /// The upstream saw a verified assertion of bob, the claim header that goes with it, nothing forged,
    /// and no token of ours.
    fn judge_bob(&mut self, actor: Option<&str>) {
        self.expect_status(200);
        let claim = |step: &Self, pointer: &str| {
            step.assertion.as_ref()?.pointer(pointer)?.as_str().map(str::to_owned)
        };
        let email = claim(self, "/email");
        self.expect(email.as_deref() == Some("bob@example.com"), "the assertion is not bob's");
        let acting = claim(self, "/act/email");
        self.expect(acting.as_deref() == actor, "the assertion is wrong about who is acting");
        let header = self.seen_header("x-pomerium-claim-email");
        self.expect(
            header.as_deref() == Some("bob@example.com"),
            "x-pomerium-claim-email is not bob's",
        );
        let leaked = FORGED.into_iter().any(|text| self.reply.body.contains(text));
        self.expect(!leaked, "something reached the upstream that must not");
    }

    fn expect(&mut self, holds: bool, wrong: &str) {
        if !holds {
            self.wrong.push(wrong.to_owned());
        }
    }

    fn expect_status(&mut self, status: u16) {
        let got = self.reply.status;
        self.expect(got == status, &format!("the status is {got}, not {status}"));
    }

    /// A header as the upstream received it.
    fn seen_header(&self, name: &str) -> Option<String> {
        self.reply.json().get("headers")?.get(name)?.as_str().map(str::to_owned)
    }
}

/// Our public keys, as an upstream would fetch them: through Envoy, without a credential.
async fn published_keys(stand: &Stand) -> Result<Value, anyhow::Error> {
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
