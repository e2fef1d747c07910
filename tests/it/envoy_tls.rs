//! The same behind an Envoy that speaks TLS, as everywhere but on a laptop: cookies that travel over TLS
//! alone, and are nobody else's.

use crate::support::house::PASSWORD;
use crate::support::stage::Stage;
use crate::support::visitor::{Page, Visitor};
use serde_json::{Value, json};
use url::Url;

fn url(text: &str) -> Url {
    text.parse().expect("a URL")
}

/// The line that sets this cookie.
fn set(page: &Page, name: &str) -> Option<String> {
    let start = format!("{name}=");
    let mut lines = page.cookies.iter().filter(|line| !line.contains("Max-Age=0"));
    lines.find(|line| line.starts_with(&start)).cloned()
}

/// Follows, and keeps the lines that set cookies on the way.
async fn walk(visitor: &mut Visitor, mut page: Page) -> (Page, Vec<(String, String)>) {
    let mut set_on_the_way = Vec::new();
    for _ in 0..20 {
        let host = page.url.host_str().expect("a host").to_owned();
        set_on_the_way.extend(page.cookies.iter().map(|line| (host.clone(), line.clone())));
        let Some(next) = page.location.clone() else { return (page, set_on_the_way) };
        page = visitor.get(&next).await;
    }
    panic!("redirects without end: {}", page.url);
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_travel_over_tls_alone() {
    let stage = Stage::secured().await;
    let mut bob = Visitor::trusting(stage.ca.clone());
    let wanted = stage.at("payroll", "/reports?team=a%20b&x=1");
    let refused = bob.get(&url(&wanted)).await;
    let location = refused.location.clone().expect("it leads to the sign-in page");
    assert_eq!(location.origin(), url(&stage.at("authenticate", "/")).origin());

    let (form, before) = walk(&mut bob, refused).await;
    let [(host, key)] = before.as_slice() else { panic!("{before:?}") };
    assert_eq!(host, "authenticate.localhost");
    assert!(key.starts_with("__Host-_pomerium_csrf="), "{key}");
    assert!(key.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{key}");

    let signed_in = bob.submit(&form, &[("login", "bob@corp.test"), ("password", PASSWORD)]).await;
    let own = set(&signed_in, "_pomerium").expect("the cookie of the authenticate host");
    assert!(own.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{own}");
    assert!(!own.contains("Domain"), "{own}");
    let onward = bob.get(&signed_in.leads_on().expect("a page that leads on")).await;
    let (landed, after) = walk(&mut bob, onward).await;
    assert_eq!(landed.url.as_str(), wanted);
    let of_route: Vec<&(String, String)> = after
        .iter()
        .filter(|(host, line)| host == "payroll.localhost" && !line.contains("Max-Age=0"))
        .collect();
    let [(_, key), (_, session)] = of_route.as_slice() else { panic!("{of_route:?}") };
    assert!(key.starts_with("__Host-_pomerium_csrf=") && key.ends_with("; Secure"), "{key}");
    assert!(session.starts_with("_pomerium=") && session.ends_with("; Secure"), "{session}");
    assert!(!key.contains("Domain") && !session.contains("Domain"));

    let got: Value = serde_json::from_str(&landed.body).expect("JSON");
    assert_eq!(got["path"], "/reports?team=a%20b&x=1");
    assert_eq!(got["headers"]["x-forwarded-proto"], "https");
    let claims = stage.verified("payroll", &got).await;
    assert_eq!(
        (&claims["email"], &claims["iss"]),
        (&json!("bob@corp.test"), &json!("payroll.localhost"))
    );
    assert!(!got.to_string().contains("_pomerium"), "{got}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_acts_and_signs_out() {
    let stage = Stage::secured().await;
    let mut root = Visitor::trusting(stage.ca.clone());
    let at = |host: &str, path: &str| url(&stage.at(host, path));
    let form = root.get(&at("httpbin", "/.pomerium/")).await;
    let form = root.follow(form, "-").await;
    let page = root.submit(&form, &[("login", "root@corp.test"), ("password", PASSWORD)]).await;
    let page = root.follow(page, "-").await;
    assert_eq!(page.url, at("httpbin", "/.pomerium/"));
    assert_eq!(root.get(&at("payroll", "/")).await.status, 302, "the other host knows nobody yet");

    let csrf = regex::Regex::new(r#"name="csrf" value="([^"]*)""#).expect("a pattern");
    let token = csrf.captures(&page.body).expect("a token")[1].to_owned();
    let asked = [("csrf", token.as_str()), ("email", "bob@corp.test"), ("reason", "ticket 7")];
    let done = root.post(&at("httpbin", "/.pomerium/admin/impersonate"), &asked).await;
    assert_eq!(done.status, 303, "{}", done.body);
    let seen = root.get(&at("payroll", "/headers")).await;
    let seen = root.follow(seen, "-").await;
    let claims = stage.verified("payroll", &serde_json::from_str(&seen.body).expect("JSON")).await;
    assert_eq!(claims["email"], "bob@corp.test");
    assert_eq!(claims["act"]["email"], "root@corp.test");

    let out = root.post(&at("httpbin", "/.pomerium/sign_out"), &[("csrf", &token)]).await;
    assert_eq!(out.location, Some(at("httpbin", "/.pomerium/signed_out")));
    assert!(
        out.cookies
            .iter()
            .any(|line| line.starts_with("_pomerium=; Max-Age=0") && line.ends_with("Secure"))
    );
    for host in ["httpbin", "payroll"] {
        let seen = root.get(&at(host, "/headers")).await;
        let seen = root.follow(seen, "-").await;
        assert!(seen.body.contains("name=\"password\""), "{host}: {}", seen.body);
    }
}
