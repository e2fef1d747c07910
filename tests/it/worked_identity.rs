//! Worked examples: impersonation, what the upstream receives, and service tokens.

use crate::support::fixture::{Ask, CONFIG, Company, NOW, Saw};
use serde_json::{Value, json};

#[track_caller]
fn row(name: &str, ask: Ask, expected: &Saw) {
    assert_eq!(&Company::shared().ask(&ask).saw(), expected, "{name}: {ask:?}");
}

fn ok(user: &str) -> Saw {
    Saw::Allowed(user.to_owned())
}

fn claims(ask: Ask) -> Value {
    Company::shared().ask(&ask).assertion()
}

#[test]
fn g_impersonation() {
    let forbidden = Saw::Refused(403);
    row("G1", Ask::get("fin").cookie("T-root"), &forbidden);
    row("G2", Ask::get("fin").cookie("T-root-as-bob"), &ok("u-bob"));
    row("G3", Ask::get("adm").cookie("T-root-as-bob"), &forbidden);
    row("G4", Ask::get("eng").cookie("T-root-as-eng"), &ok(""));
    row("G5", Ask::get("dom").cookie("T-root-as-eng"), &forbidden);
    row("G7", Ask::get("any").cookie("T-root-as-eng"), &ok(""));
    row("G8", Ask::get("dom").cookie("T-root-as-eve"), &forbidden);
    row("G10", Ask::get("dom").cookie("T-root-as-ghost"), &ok("ghost@corp.test"));
    row("G11", Ask::get("eng").cookie("T-root-as-bob-fin"), &forbidden);
    row("G13", Ask::get("adm").cookie("T-root-as-empty"), &ok("u-root"));
    row("G14", Ask::get("adm").cookie("T-root-imp-null"), &ok("u-root"));
    row("G16", Ask::get("adm").cookie("T-bob-as-root"), &forbidden);
    row("G17", Ask::get("fin").cookie("T-bob-as-root"), &forbidden);
    row("on a public route", Ask::get("public").cookie("T-bob-as-root"), &Saw::Anonymous);
    row("G21", Ask::get("fin").cookie("T-root-as-ROOTCASE"), &ok("u-bob"));
    row("G22", Ask::get("claim").cookie("T-root-dept-as-bob"), &forbidden);
    row("G26", Ask::get("fin").pomerium("T-cli-as-bob"), &forbidden);
    row("a wrong type", Ask::get("fin").cookie("T-root-imp-badtype"), &Saw::Login);
}

#[test]
fn g_reasons_and_settings() {
    let denied = |company: &Company, ask: Ask| company.ask(&ask).reason();
    let shared = Company::shared();
    assert_eq!(
        denied(shared, Ask::get("adm").cookie("T-bob-as-root")),
        "impersonation-not-permitted",
        "G16"
    );
    assert_eq!(
        denied(shared, Ask::get("fin").cookie("T-bob-as-root")),
        "impersonation-not-permitted",
        "G17"
    );
    let with = |from: &str, to: &str| Company::new(&CONFIG.replace(from, to));
    let nobody = with("administrators: [root@corp.test]", "administrators: []");
    assert_eq!(
        denied(&nobody, Ask::get("fin").cookie("T-root-as-bob")),
        "impersonation-not-permitted",
        "G19"
    );
    let off = with("enable_user_impersonation: true", "enable_user_impersonation: false");
    assert_eq!(
        denied(&off, Ask::get("fin").cookie("T-root-as-bob")),
        "impersonation-not-permitted"
    );
    let service = |value: &str| {
        with(
            "service_account_impersonation: administrators",
            &format!("service_account_impersonation: {value}"),
        )
    };
    assert_eq!(
        service("allow").ask(&Ask::get("fin").pomerium("T-cli-as-bob")).saw(),
        ok("u-bob"),
        "G26 with allow"
    );
    assert_eq!(
        denied(&service("deny"), Ask::get("fin").pomerium("T-root-as-bob")),
        "impersonation-not-permitted"
    );
}

#[test]
fn g_what_the_upstream_sees() {
    let company = Company::shared();
    let as_bob = claims(Ask::get("fin").cookie("T-root-as-bob"));
    let expected = json!({ "email": "bob@corp.test", "groups": ["g-fin"], "sub": "u-bob", "user": "u-bob", "name": "", "sid": "s-root",
        "act": { "sub": "u-root", "email": "root@corp.test" } });
    for (name, value) in expected.as_object().expect("a map") {
        assert_eq!(&as_bob[name], value, "G2 {name}");
    }
    let headers = company.ask(&Ask::get("fin").cookie("T-root-as-bob")).headers();
    assert_eq!(headers.set("x-pomerium-claim-email"), Some("bob@corp.test"), "G2");
    assert_eq!(headers.set("x-pomerium-claim-groups"), Some("g-fin"), "G2");
    let group = company.ask(&Ask::get("eng").cookie("T-root-as-eng"));
    let (said, headers) = (group.assertion(), group.headers());
    assert_eq!(
        (&said["email"], &said["sub"], &said["groups"]),
        (&json!(""), &json!(""), &json!(["g-eng"])),
        "G4"
    );
    assert!(headers.removes("x-pomerium-claim-email"), "G4");
    let ghost = claims(Ask::get("dom").cookie("T-root-as-ghost"));
    assert_eq!(
        (&ghost["email"], &ghost["sub"], &ghost["groups"]),
        (&json!("ghost@corp.test"), &json!("ghost@corp.test"), &json!([])),
        "G10"
    );
    assert_eq!(claims(Ask::get("adm").cookie("T-root-as-empty")).get("act"), None, "G13");
    let silent =
        Company::new(&CONFIG.replace("cookie_name", "assertion_actor: false\ncookie_name"));
    assert_eq!(silent.ask(&Ask::get("fin").cookie("T-root-as-bob")).assertion().get("act"), None);
}

#[test]
fn g_both_stand_in_the_metadata() {
    let answer = Company::shared().ask(&Ask::get("fin").cookie("T-root-as-bob"));
    let metadata = answer.metadata();
    assert_eq!(metadata["user"], "u-bob", "G39");
    assert_eq!(metadata["actor_email"], "root@corp.test", "G39");
    assert_eq!(metadata["decision"], "allow");
    let denied = Company::shared().ask(&Ask::get("adm").cookie("T-bob-as-root")).metadata();
    assert_eq!(
        (denied["decision"].as_str(), denied["reason"].as_str()),
        (Some("deny"), Some("impersonation-not-permitted"))
    );
    assert_eq!(
        (denied["user"].as_str(), denied["actor_user"].as_str()),
        (Some("u-root"), Some("u-bob"))
    );
}

#[test]
fn h_the_assertion() {
    let said = claims(Ask::get("eng").cookie("T-alice"));
    let expected = json!({ "iss": "eng.corp.test", "aud": "eng.corp.test", "sub": "u-alice", "user": "u-alice", "email": "alice@corp.test",
        "groups": ["g-eng", "g-all"], "iat": NOW, "nbf": NOW, "exp": NOW + 300, "sid": "s-alice", "name": "" });
    for (name, value) in expected.as_object().expect("a map") {
        assert_eq!(&said[name], value, "H1 {name}");
    }
    assert_eq!(said["jti"].as_str().map(str::len), Some(36), "H1");
    let short = claims(Ask::get("eng").cookie("T-alice-soon"));
    assert_eq!(short["exp"], NOW + 180, "an assertion ends when the token does, leeway included");
    let uri =
        Company::new(&CONFIG.replace("jwt_issuer_format: hostOnly", "jwt_issuer_format: uri"));
    assert_eq!(
        uri.ask(&Ask::get("eng").cookie("T-alice")).assertion()["iss"],
        "https://eng.corp.test/",
        "H18"
    );
    let again = || claims(Ask::get("eng").cookie("T-alice"))["jti"].clone();
    assert_eq!(again(), again(), "within assertion_reuse");
    let fresh = Company::new(&CONFIG.replace("cookie_name", "assertion_reuse: 0s\ncookie_name"));
    let jti = || fresh.ask(&Ask::get("eng").cookie("T-alice")).assertion()["jti"].clone();
    assert_ne!(jti(), jti(), "H22");
    assert_eq!(
        claims(Ask::get("eng").authority("ENG.CORP.TEST:443").cookie("T-alice"))["aud"],
        "eng.corp.test",
        "C28"
    );
}

#[test]
fn h_reuse_never_mixes() {
    let company = Company::shared();
    let said = |ask: Ask| company.ask(&ask).assertion();
    assert_eq!(said(Ask::get("any").cookie("T-alice"))["email"], "alice@corp.test");
    assert_eq!(said(Ask::get("any").cookie("T-bob"))["email"], "bob@corp.test");
    assert_eq!(said(Ask::get("eng").cookie("T-alice"))["aud"], "eng.corp.test");
    assert_eq!(said(Ask::get("any").cookie("T-alice"))["aud"], "any.corp.test");
    assert_eq!(said(Ask::get("eng").cookie("T-alice-soon"))["exp"], NOW + 180);
    assert_eq!(said(Ask::get("eng").cookie("T-alice"))["exp"], NOW + 300);
}

#[test]
fn h_headers() {
    let company = Company::shared();
    let plan = |ask: Ask| company.ask(&ask).headers();
    let eng = || Ask::get("eng").cookie("T-alice");
    let plain = plan(eng());
    assert_eq!(plain.set("x-pomerium-claim-email"), Some("alice@corp.test"), "H2");
    assert_eq!(plain.set("x-pomerium-claim-groups"), Some("g-eng,g-all"), "H2");
    assert!(plain.removes("x-pomerium-claim-name"), "H2");
    assert_eq!(
        plan(eng().header("x-pomerium-claim-email", "root@corp.test"))
            .set("x-pomerium-claim-email"),
        Some("alice@corp.test"),
        "H3"
    );
    assert!(
        plan(eng().header("x-pomerium-claim-name", "Evil")).removes("x-pomerium-claim-name"),
        "H4"
    );
    assert!(
        plan(eng().header("x-pomerium-claim-shoe-size", "47"))
            .removes("x-pomerium-claim-shoe-size"),
        "H5"
    );
    assert!(
        plan(Ask::get("public").header("x-pomerium-jwt-assertion", "forged"))
            .removes("x-pomerium-jwt-assertion"),
        "H7"
    );
    for name in [
        "x-pomerium-set-cookie",
        "x-pomerium-jwt-assertion-for",
        "x-pomerium-reproxy-policy",
        "x-pomerium-reproxy-policy-hmac",
        "x-pomerium-routing-key",
    ] {
        assert!(plan(eng().header(name, "x")).removes(name), "H8 H9 H10 {name}");
    }
    for name in
        ["x_pomerium_jwt_assertion", "x-pomerium_claim-email", "x-envoy-auth-failure-mode-allowed"]
    {
        assert!(plan(eng().header(name, "x")).removes(name), "{name}");
    }
    let comma = company.ask(&Ask::get("eng").cookie("T-alice-comma"));
    assert_eq!(comma.headers().set("x-pomerium-claim-groups"), Some("g-eng"), "H12");
    assert_eq!(comma.assertion()["groups"], json!(["g-eng", "a,b"]), "H12");
    let split = company.ask(&Ask::get("eng").cookie("T-alice-crlf"));
    assert!(split.headers().removes("x-pomerium-claim-name"), "H13");
    assert_eq!(split.assertion()["name"], "Al\r\nX: 1", "H13");
    let quiet = plan(Ask::get("all").cookie("T-alice"));
    assert!(
        quiet.removes("x-pomerium-jwt-assertion") && quiet.removes("x-pomerium-claim-email"),
        "pass_identity_headers: false"
    );
}

#[test]
fn j_service_tokens() {
    row("J1", Ask::get("eng").pomerium("T-cli"), &ok("ci"));
    row("J2", Ask::get("fin").pomerium("T-cli"), &Saw::Refused(401));
    row("J3", Ask::get("any").pomerium("T-cli-min"), &ok("ci@corp.test"));
    row("J6", Ask::get("any").pomerium("T-sa-gone"), &Saw::Refused(401));
    let said = claims(Ask::get("eng").pomerium("T-cli"));
    assert_eq!(
        (&said["sub"], &said["user"], &said["email"]),
        (&json!("ci"), &json!("ci"), &json!("ci@corp.test")),
        "J1"
    );
}
