//! Worked examples: tokens and requests of one small company, through the whole of a check but the
//! wire to Envoy. Row names are those of the conformance table.

use crate::support::fixture::{Ask, CONFIG, Company, NOW, Saw, host, token};
use lictor::signed_url::{SignedUrlError, verify};
use lictor::time::Timestamp;
use serde_json::json;
use url::Url;

/// Asks the company's Lictor and compares.
#[track_caller]
fn row(name: &str, ask: Ask, expected: &Saw) {
    assert_eq!(&Company::shared().ask(&ask).saw(), expected, "{name}: {ask:?}");
}

fn ok(user: &str) -> Saw {
    Saw::Allowed(user.to_owned())
}

const NOBODY: Saw = Saw::Anonymous;
const LOGIN: Saw = Saw::Login;

fn status(code: u16) -> Saw {
    Saw::Refused(code)
}

#[test]
fn a_where_the_session_is_looked_for() {
    let eng = || Ask::get("eng");
    row("A1", eng(), &LOGIN);
    row("A3", eng().pomerium("T-alice"), &ok("u-alice"));
    row("A4", eng().bearer("T-alice"), &ok("u-alice"));
    row("A5", eng().x_header("T-alice"), &ok("u-alice"));
    row("A6", eng().query("T-alice"), &ok("u-alice"));
    row(
        "A7",
        eng().header("authorization", &format!("pomerium {}", token("T-alice"))),
        &ok("u-alice"),
    );
    row(
        "A8",
        eng().header("authorization", &format!("bearer Pomerium-{}", token("T-alice"))),
        &ok("u-alice"),
    );
    row(
        "A9",
        eng().header("authorization", &format!("Bearer pomerium-{}", token("T-alice"))),
        &LOGIN,
    );
    row("A10", eng().header("authorization", &format!("PomeriumX{}", token("T-alice"))), &LOGIN);
    row(
        "A11",
        eng().header("authorization", &format!("Pomerium  {}", token("T-alice"))),
        &ok("u-alice"),
    );
    row(
        "A12",
        Ask::get("any").header("authorization", "Bearer abc.def.ghi").cookie("T-alice"),
        &ok("u-alice"),
    );
    row("A13", Ask::get("any").header("authorization", "Bearer abc.def.ghi"), &LOGIN);
    row("A14", Ask::get("fin").cookie("T-alice").pomerium("T-bob"), &status(403));
    row(
        "A15",
        Ask::get("fin").header("cookie", "_pomerium=garbage").pomerium("T-bob"),
        &ok("u-bob"),
    );
    row("A16", Ask::get("fin").cookie("T-alice-expired").pomerium("T-bob"), &ok("u-bob"));
    let twice = format!("_pomerium=garbage; _pomerium={}", token("T-bob"));
    row("A17", Ask::get("fin").header("cookie", &twice), &ok("u-bob"));
    row("A18", eng().header("cookie", &format!("_POMERIUM={}", token("T-alice"))), &LOGIN);
    row("A19", Ask::get("fin").x_header("T-bob").pomerium("T-alice"), &ok("u-bob"));
    let (first, second) = token("T-alice-big").split_at(3800);
    row(
        "A20",
        eng().header("cookie", &format!("_pomerium=%{first}; _pomerium_1={second}")),
        &ok("u-alice"),
    );
    row(
        "A23",
        eng().header("authorization", &format!("Pomerium {},Bearer x", token("T-alice"))),
        &status(401),
    );
    let two =
        format!("/?pomerium_session={}&a=1&pomerium_session={}", token("T-alice"), token("T-bob"));
    row("A24", eng().path(&two), &ok("u-alice"));
    row("A25", eng().path("/?pomerium_session="), &status(401));
    row(
        "a plain bearer token of ours",
        eng().header("authorization", &format!("Bearer {}", token("T-alice"))),
        &ok("u-alice"),
    );
}

#[test]
fn a_what_is_stripped() {
    let company = Company::shared();
    let plan = |ask: Ask| company.ask(&ask).headers();
    let eng = || Ask::get("eng");
    for (name, ask, header) in [
        ("A3", eng().pomerium("T-alice"), "authorization"),
        ("A4", eng().bearer("T-alice"), "authorization"),
        ("A5", eng().x_header("T-alice"), "x-pomerium-authorization"),
        (
            "plain",
            eng().header("authorization", &format!("Bearer {}", token("T-alice"))),
            "authorization",
        ),
        ("cookie", eng().cookie("T-alice"), "cookie"),
    ] {
        assert!(plan(ask).removes(header), "{name}");
    }
    let kept =
        plan(Ask::get("any").header("authorization", "Bearer abc.def.ghi").cookie("T-alice"));
    assert!(!kept.removes("authorization") && kept.set("authorization").is_none(), "A12");
    let dark = plan(eng().header("cookie", &format!("_pomerium={}; theme=dark", token("T-alice"))));
    assert_eq!(dark.set("cookie"), Some("theme=dark"), "A26");
    let keep =
        plan(eng().header("cookie", &format!("my_pomerium=keep; _pomerium={}", token("T-alice"))));
    assert_eq!(keep.set("cookie"), Some("my_pomerium=keep"), "A28");
    assert_eq!(plan(eng().query("T-alice")).query, ["pomerium_session"], "A6");
    let hidden = plan(
        Ask::get("any")
            .cookie("T-alice")
            .header("authorization", &format!("Bearer x,Pomerium {}", token("T-bob"))),
    );
    assert!(hidden.removes("authorization"), "a token of ours behind another value");
    for values in [
        "Bearer x,Bearer T",
        "Bearer T, Bearer x",
        "Basic eA==,Bearer T",
        "Bearer x,T",
        "T",
        "Token T",
    ] {
        let header = values.replace('T', token("T-bob"));
        let several = plan(Ask::get("any").cookie("T-alice").header("authorization", &header));
        assert!(several.removes("authorization"), "a plain bearer token of ours in {values}");
    }
}

#[test]
fn b_tokens() {
    let refused = |name: &str, route: &str, which: &str| {
        row(name, Ask::get(route).pomerium(which), &status(401));
        row(name, Ask::get(route).cookie(which), &LOGIN);
    };
    refused("B1", "eng", "T-alice-text");
    refused("B2", "eng", "T-alice-wrongkey");
    refused("B3", "eng", "T-alice-none");
    refused("B4", "eng", "T-alice-hs512");
    refused("B5", "eng", "T-alice-json");
    refused("tamper", "eng", "T-alice-tamper");
    row("B7", Ask::get("eng").pomerium("T-alice-notyp"), &ok("u-alice"));
    refused("B8", "eng", "T-alice-crit");
    refused("B9", "eng", "T-alice-dup");
    refused("B10", "eng", "T-alice-expired");
    row("leeway", Ask::get("eng").pomerium("T-alice-exp-leeway"), &ok("u-alice"));
    refused("B12", "eng", "T-alice-exp-edge");
    refused("no exp", "eng", "T-alice-noexp");
    refused("nbf", "eng", "T-alice-nbf");
    row("nbf leeway", Ask::get("eng").pomerium("T-alice-nbf-leeway"), &ok("u-alice"));
    refused("B16", "eng", "T-alice-iat");
    row("B17", Ask::get("eng").pomerium("T-alice-aud-eng"), &ok("u-alice"));
    refused("B18", "any", "T-alice-aud-eng");
    row("B19", Ask::get("eng").pomerium("T-alice-aud-string"), &ok("u-alice"));
    refused("no aud", "eng", "T-alice-noaud");
    refused("B21", "eng", "T-alice-aud-wild");
    row("B22", Ask::get("eng").pomerium("T-alice-aud-case"), &ok("u-alice"));
    row("B23", Ask::get("eng").authority("eng.corp.test:443").pomerium("T-alice"), &ok("u-alice"));
    refused("a port in aud", "eng", "T-alice-aud-port");
    row(
        "that port",
        Ask::get("eng").authority("eng.corp.test:8443").pomerium("T-alice-aud-port"),
        &ok("u-alice"),
    );
    refused("B25", "eng", "T-alice-iss");
    refused("exp as text", "eng", "T-alice-expstr");
    row("exp as float", Ask::get("eng").pomerium("T-alice-expfloat"), &ok("u-alice"));
    refused("groups as text", "eng", "T-alice-groups-string");
    row("B29", Ask::get("eng").pomerium("T-alice-nouser"), &ok("u-alice"));
    row(
        "B30",
        Ask::get("eng").header("authorization", &format!("Pomerium {}", "a".repeat(17_000))),
        &status(401),
    );
    row(
        "B33",
        Ask::get("eng").header("x-pomerium-authorization", &format!(" {} ", token("T-alice"))),
        &ok("u-alice"),
    );
    let (left, right) = token("T-alice").split_at(100);
    row(
        "B33",
        Ask::get("eng").header("x-pomerium-authorization", &format!("{left} {right}")),
        &status(401),
    );
    let legacy = Company::new(&CONFIG.replace("cookie_name", "legacy_text_key: true\ncookie_name"));
    assert_eq!(
        legacy.ask(&Ask::get("eng").pomerium("T-alice-text")).saw(),
        ok("u-alice"),
        "B1 with legacy_text_key"
    );
}

#[test]
fn b_error_codes() {
    let code =
        |which: &str| Company::shared().ask(&Ask::get("eng").pomerium(which)).session_error();
    for (which, expected) in [
        ("T-alice-wrongkey", "bad-signature"),
        ("T-alice-none", "unsupported-alg"),
        ("T-alice-hs512", "unsupported-alg"),
        ("T-alice-crit", "unsupported-alg"),
        ("T-alice-json", "malformed"),
        ("T-alice-dup", "malformed"),
        ("T-alice-expired", "expired"),
        ("T-alice-noexp", "expiry-required"),
        ("T-alice-nbf", "not-yet-valid"),
        ("T-alice-iat", "issued-in-future"),
        ("T-alice-iss", "invalid-issuer"),
        ("T-alice-noaud", "invalid-audience"),
        ("T-root-imp-badtype", "malformed"),
        ("T-sa", "unknown-session"),
    ] {
        assert_eq!(code(which), Some(expected), "{which}");
    }
}

#[test]
fn c_routes_and_policy() {
    row("C1", Ask::get("public").path("/x"), &NOBODY);
    row("C1 with a session", Ask::get("public").cookie("T-alice"), &ok("u-alice"));
    row("an unusable one", Ask::get("public").pomerium("T-alice-wrongkey"), &NOBODY);
    row("C3", Ask::get("any").cookie("T-eve"), &ok("u-eve"));
    row("C4", Ask::get("eng").cookie("T-alice"), &ok("u-alice"));
    row("C5", Ask::get("eng").cookie("T-bob"), &status(403));
    row("C6", Ask::get("fin").cookie("T-bob"), &ok("u-bob"));
    row("C7", Ask::get("dom").cookie("T-alice"), &ok("u-alice"));
    row("C9", Ask::get("dom").cookie("T-mail-atat"), &status(403));
    row("C10", Ask::get("dom").cookie("T-mail-upper"), &status(403));
    for which in ["T-mail-bare", "T-mail-nolocal", "T-mail-sub", "T-mail-suffix"] {
        row("C11", Ask::get("dom").cookie(which), &status(403));
    }
    row("C13", Ask::get("api").path("/v1/x").cookie("T-alice"), &ok("u-alice"));
    row("C14", Ask::get("api").path("/v1").cookie("T-alice"), &ok("u-alice"));
    row("C15", Ask::get("api").path("/v1x").cookie("T-alice"), &ok("u-alice"));
    row("C16", Ask::get("api").path("/health"), &NOBODY);
    row("C17", Ask::get("api").path("/health/"), &status(404));
    row("C18", Ask::get("api").path("/v2/items/12").cookie("T-bob"), &ok("u-bob"));
    row("C19", Ask::get("api").path("/v2/items/12x").cookie("T-bob"), &status(404));
    row("C20", Ask::get("api").path("/v2/items/12?x=/v1").cookie("T-bob"), &ok("u-bob"));
    for path in [
        "/v1/../health",
        "/v1%2f..%2fhealth",
        "//health",
        "/health/./x",
        "/%68ealth",
        "/v1\\x",
        "/a%00b",
    ] {
        row("C21 C22 C23", Ask::get("api").path(path).cookie("T-alice"), &status(400));
    }
    row("C24", Ask::get("nope").cookie("T-alice"), &status(404));
    row("C25", Ask::get("nope"), &status(404));
    row("C26", Ask::get("none").cookie("T-alice"), &status(403));
    row("C27", Ask::get("none"), &status(403));
    row("C28", Ask::get("eng").authority("ENG.CORP.TEST").cookie("T-alice"), &ok("u-alice"));
    row("C29", Ask::get("claim").cookie("T-alice-dept"), &ok("u-alice"));
    row("C30", Ask::get("claim").cookie("T-alice"), &status(403));
    row("C33", Ask::get("eng").path("/?x=/.pomerium/"), &LOGIN);
    row("C36", Ask::get("eng").path("/.pomeriumx"), &LOGIN);
    row("C37", Ask::get("any").path("/deny").cookie("T-alice"), &status(403));
    row("C37 for another", Ask::get("any").path("/deny").cookie("T-bob"), &ok("u-bob"));
    row("C38", Ask::get("any").path("/noteve"), &LOGIN);
    row("C39", Ask::get("any").path("/exclude"), &LOGIN);
    row("C40", Ask::get("any").path("/open"), &LOGIN);
    row("C40 for another", Ask::get("any").path("/open").cookie("T-bob"), &ok("u-bob"));
    let folded =
        Company::new(&CONFIG.replace("cookie_name", "case_insensitive_email: true\ncookie_name"));
    assert_eq!(
        folded.ask(&Ask::get("dom").cookie("T-mail-upper")).saw(),
        ok("u-x"),
        "C10 with case_insensitive_email"
    );
}

#[test]
fn c_pinned_routes() {
    row("the right one", Ask::get("eng").route_id("eng").cookie("T-alice"), &ok("u-alice"));
    row("unknown", Ask::get("eng").route_id("nope").cookie("T-alice"), &status(404));
    row("another host's", Ask::get("eng").route_id("public").cookie("T-alice"), &status(403));
    row(
        "another path's",
        Ask::get("api").path("/v1/x").route_id("api2").cookie("T-alice"),
        &status(403),
    );
    row(
        "an ambiguous path stays refused",
        Ask::get("api").path("/health/../v1").route_id("api2"),
        &status(400),
    );
}

#[test]
fn c_our_own_pages() {
    row("keys", Ask::get("eng").path("/.well-known/pomerium/jwks.json"), &NOBODY);
    row("F10", Ask::get("eng").path("/.pomerium/callback/"), &NOBODY);
    row("page", Ask::get("eng").path("/.pomerium/"), &LOGIN);
    row("page", Ask::get("eng").path("/.pomerium/").cookie("T-alice"), &NOBODY);
    row(
        "admin",
        Ask::get("eng").path("/.pomerium/admin/impersonate").cookie("T-alice"),
        &status(403),
    );
    row("admin", Ask::get("eng").path("/.pomerium/admin/impersonate").cookie("T-root"), &NOBODY);
    row(
        "as bob",
        Ask::get("eng").path("/.pomerium/admin/impersonate").cookie("T-root-as-bob"),
        &NOBODY,
    );
    row(
        "as root",
        Ask::get("eng").path("/.pomerium/admin/x").cookie("T-bob-as-root"),
        &status(403),
    );
    row("elsewhere", Ask::get("nope").path("/.pomerium/"), &status(404));
    let none =
        Company::new(&CONFIG.replace("administrators: [root@corp.test]", "administrators: []"));
    assert_eq!(
        none.ask(&Ask::get("fin").path("/.pomerium/").cookie("T-root-as-bob")).saw(),
        NOBODY,
        "G20"
    );
}

#[test]
fn d_cors_preflight() {
    let preflight = |host: &str| {
        Ask::get(host)
            .method("OPTIONS")
            .header("origin", "https://a.test")
            .header("access-control-request-method", "PUT")
    };
    row("D1", preflight("dom"), &NOBODY);
    let empty = Ask::get("dom")
        .method("OPTIONS")
        .header("origin", "")
        .header("access-control-request-method", "PUT");
    row("D3", empty, &LOGIN);
    row("D4", preflight("dom").method("GET"), &LOGIN);
    row("D5", preflight("eng"), &LOGIN);
    row("D6", preflight("dom").cookie("T-eve"), &NOBODY);
}

#[test]
fn e_sign_in_or_401() {
    let eng = || Ask::get("eng").without("accept");
    row("E1", Ask::get("eng"), &LOGIN);
    row("E4", eng().header("accept", "application/json"), &status(401));
    row("E5", eng().header("accept", "text/plain"), &status(401));
    row("E6", eng().header("accept", "application/json;q=0.5, text/html"), &LOGIN);
    for grpc in ["application/grpc", "application/grpc+proto", "application/grpc-web-text"] {
        row(
            "E8 E9",
            Ask::get("eng").header("content-type", grpc),
            &if grpc.contains("web") { status(200) } else { status(401) },
        );
    }
    row("E11", Ask::get("eng").header("content-type", "application/grpcx"), &LOGIN);
    row("E12", Ask::get("eng").header("x-requested-with", "XMLHttpRequest"), &status(401));
    row("E13", Ask::get("eng").pomerium("T-alice-wrongkey"), &status(401));
    let kubectl = Ask::get("eng")
        .header("user-agent", "kubectl/v1.20 (linux/amd64) kubernetes/abc")
        .pomerium("T-alice-expired");
    row("E14", kubectl, &status(401));
    row("E15", Ask::get("eng").path("/robots.txt"), &status(200));
}

#[test]
fn e_what_is_said() {
    let company = Company::shared();
    let json = company.ask(
        &Ask::get("eng")
            .without("accept")
            .header("accept", "application/json")
            .header("x-request-id", "r-1"),
    );
    assert_eq!(json.denied("content-type"), Some("application/json"), "E4");
    assert_eq!(json.json(), json!({ "error": "Unauthenticated", "request_id": "r-1" }), "E4");
    assert_eq!(json.denied("x-pomerium-intercepted-response"), Some("true"), "E4");
    assert_eq!(json.denied("www-authenticate"), Some("Pomerium realm=\"eng.corp.test\""));
    let kubectl = company.ask(
        &Ask::get("eng").header("user-agent", "kubectl kubernetes/abc").pomerium("T-alice-expired"),
    );
    assert_eq!(
        (&kubectl.json()["reason"], &kubectl.json()["code"]),
        (&json!("Unauthorized"), &json!(401)),
        "E14"
    );
    let robots = company.ask(&Ask::get("eng").path("/robots.txt"));
    assert_eq!((robots.body().lines().count(), robots.denied("location")), (2, None), "E15");
    let page =
        company.ask(&Ask::get("eng").cookie("T-bob").header("x-request-id", "<script>r</script>"));
    assert_eq!(page.denied("content-type"), Some("text/html; charset=utf-8"), "L1");
    assert_eq!(page.denied("cache-control"), Some("no-store"), "L1");
    assert!(page.body().contains("403") && page.body().contains("bob@corp.test"), "L1");
    assert!(
        !page.body().contains("<script>") && !page.body().contains("groups-unauthorized"),
        "L1"
    );
    let grpc = |ask: Ask| {
        company
            .ask(&ask.header("content-type", "application/grpc"))
            .denied("grpc-status")
            .map(str::to_owned)
    };
    assert_eq!(grpc(Ask::get("eng").cookie("T-bob")).as_deref(), Some("7"), "L3");
    assert_eq!(grpc(Ask::get("nope")).as_deref(), Some("12"), "L4");
    assert_eq!(grpc(Ask::get("eng")).as_deref(), Some("16"));
}

#[test]
fn e_the_sign_in_link() {
    let location =
        |ask: Ask| Company::shared().ask(&ask).denied("location").expect("a redirect").to_owned();
    let vector = host::signed("signin-decoded");
    let asked = || Ask::get("eng").path("/a?b=c&d=e%20f");
    assert_eq!(location(asked()), vector, "E16");
    assert_eq!(location(asked().scheme("http")), vector, "E17");
    assert_eq!(location(asked().header("x-forwarded-proto", "http")), vector, "E18");
    let clear = Company::shared().ask(&Ask::get("eng").header("cookie", "_pomerium=garbage"));
    let cookie = clear.denied("set-cookie").expect("a cookie to clear");
    assert!(cookie.starts_with("_pomerium=;") && cookie.contains("Max-Age=0"), "{cookie}");
}

#[test]
fn i_signed_urls() {
    let url = |text: &str| Url::parse(text).expect("a url");
    let at = |text: &str, seconds: i64| {
        verify(&url(text), &host::SECRET_BYTES, Timestamp::from_unix(NOW + seconds))
    };
    let good = host::signed("signin-decoded");
    assert_eq!(at(&good, 0), Ok(()), "I12");
    assert_eq!(at(&good, 360), Ok(()), "I13");
    assert_eq!(at(&good, 361), Err(SignedUrlError::Expired), "I13");
    assert_eq!(at(&good, -60), Ok(()), "I14");
    assert_eq!(at(&good, -61), Err(SignedUrlError::IssuedInFuture), "I14");
    assert_eq!(
        at(&good.replace("eng.corp", "eng.corq"), 0),
        Err(SignedUrlError::BadSignature),
        "I15"
    );
    let (base, query) = good.split_once('?').expect("a query");
    let reversed: Vec<&str> = query.split('&').rev().collect();
    assert_eq!(at(&format!("{base}?{}", reversed.join("&")), 0), Ok(()), "I16");
    assert_eq!(at(&format!("{good}&extra=1"), 0), Err(SignedUrlError::BadSignature), "I17");
    assert_eq!(at(&host::signed("signin-text"), 0), Err(SignedUrlError::BadSignature), "I19");
    assert_eq!(
        at(&good.replace("pomerium_expiry", "pomerium_expirx"), 0),
        Err(SignedUrlError::Malformed),
        "I20"
    );
}
