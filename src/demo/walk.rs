//! The requests of the demo, and what each must show.

use super::http::exchange;
use super::stand::{DEMO_HOST, Mint, Stand};
use super::step::{BOB, ROOT, Step, published_keys};
use serde_json::Value;

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
        ("$ROOT_AS_BOB", token(ROOT, Some(BOB))?),
        ("$BOB", token(BOB, None)?),
        ("$EVE", token("eve@evil.test", None)?),
    ];
    let jwks = published_keys(stand).await?;
    let mut steps = Vec::new();
    for plan in PLANS {
        let before = stand.upstream.served();
        let mut step = send(stand, plan, &tokens, &jwks).await?;
        let reached = stand.upstream.served() != before;
        judge(&mut step, plan.expect, reached, &stand.sign_in_page());
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
    Ok(Step::new(plan.title, request, reply, jwks))
}

fn judge(step: &mut Step, expect: Expect, reached: bool, sign_in_page: &str) {
    match expect {
        Expect::Bob => step.judge_person(BOB, None),
        Expect::BobByRoot => step.judge_person(BOB, Some(ROOT)),
        Expect::Refused(status) => {
            step.expect_status(status);
            step.expect(!reached, "the request reached the upstream");
            let location = step.reply.header("location").unwrap_or_default();
            let sign_in = location.starts_with(&format!("{sign_in_page}?"));
            step.expect(sign_in == (status == 302), "the redirect to the sign-in page is wrong");
        }
    }
}
