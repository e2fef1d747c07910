//! Attacks that were thought of, each kept as a test.

use crate::support::config::{load, load_problems, snapshot_of};
use crate::support::fixture::{Ask, CONFIG, Company, NOW, Saw, host::SECRET_BYTES, token};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lictor::request::Kind;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

fn signed(payload: &Value) -> String {
    let signed = format!("eyJhbGciOiJIUzI1NiJ9.{}", URL_SAFE_NO_PAD.encode(payload.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &SECRET_BYTES), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// A token for `any.corp.test` with more members, or others.
fn with(members: &Value) -> String {
    let mut payload = json!({
        "iss": "authenticate.corp.test", "aud": ["any.corp.test"], "exp": NOW + 3000, "iat": NOW,
        "sub": "u-x", "user": "u-x", "email": "x@corp.test", "groups": ["g-1"],
    });
    for (name, value) in members.as_object().expect("a map") {
        payload[name.as_str()] = value.clone();
    }
    signed(&payload)
}

/// A company with these routes on `any.corp.test` alone.
fn routes(text: &str) -> Company {
    let start = CONFIG.split("routes:").next().expect("a start");
    let routes: String =
        text.lines().map(|line| format!("- {{from: https://any.corp.test, {line}}}\n")).collect();
    Company::new(&format!("{start}routes:\n{routes}"))
}

fn saw(company: &Company, path: &str, token: &str) -> Saw {
    company
        .ask(&Ask::get("any").path(path).header("authorization", &format!("Pomerium {token}")))
        .saw()
}

#[test]
fn a_path_that_cannot_be_decoded_passes_no_deny() {
    let text = "allow_any_authenticated_user: true, policy: {deny: {or: [{http_path: {starts_with: /admin}}]}}";
    let company = routes(text);
    assert_eq!(saw(&company, "/x", &with(&json!({}))), Saw::Allowed("u-x".into()));
    for path in ["/admin", "/admin/%ff", "/admin/%c3%28", "/admin;/x", "/;y/admin"] {
        assert_ne!(saw(&company, path, &with(&json!({}))), Saw::Allowed("u-x".into()), "{path}");
    }
    let start = CONFIG.split("routes:").next().expect("a start");
    let off = Company::new(&format!(
        "{start}path_normalization: off\nroutes:\n- {{from: https://any.corp.test, {text}}}\n"
    ));
    assert_eq!(saw(&off, "/admin/%zz", &with(&json!({}))), Saw::Refused(400));
}

#[test]
fn a_path_with_two_readings_belongs_to_one_route_in_both() {
    let company = routes(
        "id: admin, prefix: /admin/, allowed_users: [u-boss]\nid: rest, allow_public_unauthenticated_access: true",
    );
    for path in ["/admin;/x", "/admin%3b/x", "/admin%3B/x"] {
        assert_eq!(saw(&company, path, &with(&json!({}))), Saw::Refused(400), "{path}");
        let pinned = company.ask(&Ask::get("any").path(path).route_id("rest")).saw();
        assert_eq!(pinned, Saw::Refused(400), "{path} pinned");
    }
    assert_eq!(company.ask(&Ask::get("any").path("/page;jsessionid=1")).saw(), Saw::Anonymous);
    assert_eq!(company.ask(&Ask::get("any").path("/a%40b")).saw(), Saw::Anonymous);
    let export = routes(
        "prefix: '/v1/users:export', allowed_users: [u-boss]\nprefix: /v1, allow_any_authenticated_user: true",
    );
    assert_eq!(saw(&export, "/v1/users%3Aexport", &with(&json!({}))), Saw::Refused(400));
    let within =
        routes("allow_any_authenticated_user: true, policy: {deny: {or: [{http_path: /page}]}}");
    assert_eq!(saw(&within, "/page;x", &with(&json!({}))), Saw::Refused(403));
}

#[test]
fn a_pinned_route_is_judged_by_its_own_policy_whatever_the_path() {
    let company = Company::shared();
    for path in ["/.pomerium/", "/.pomerium/x", "/.pomerium/callback/", "/.well-known/pomerium"] {
        let nobody = company.ask(&Ask::get("fin").path(path).route_id("fin")).saw();
        assert_eq!(nobody, Saw::Login, "{path}");
        let eve = company.ask(&Ask::get("fin").path(path).route_id("fin").cookie("T-alice")).saw();
        assert_eq!(eve, Saw::Refused(403), "{path}");
    }
    let off = Company::new(&CONFIG.replace("cookie_name", "path_normalization: off\ncookie_name"));
    let climbing = Ask::get("fin").path("/.pomerium/../secret").cookie("T-alice");
    assert_eq!(off.ask(&climbing).saw(), Saw::Refused(403));
}

#[test]
fn a_token_of_ours_leaves_in_no_shape() {
    let company = Company::shared();
    let token = token("T-alice");
    for shape in [
        "Pomerium T",
        "pomerium\tT",
        "Pomerium\tT x",
        "Bearer Pomerium-T",
        "Bearer\tPomerium-T",
        "Bearer T",
        "Bearer T x",
        "Bearer \"T\"",
        "Bearer T;x",
        "Bearer token=T",
        "Bearer x,Bearer T",
        "Basic eA==, Bearer T",
        "T",
        "Token T",
        "Digest a=\"T\"",
    ] {
        let ask = Ask::get("public").header("authorization", &shape.replace('T', token));
        assert!(company.ask(&ask).headers().removes("authorization"), "{shape}");
    }
    for name in ["pomerium_session", "pomerium%5Fsession", "%70omerium_session"] {
        let heard =
            company.ask(&Ask::get("public").path(&format!("/?a=1&{name}={token}"))).headers();
        assert_eq!(heard.query, [name], "{name}");
    }
    let referer = Ask::get("public")
        .header("referer", &format!("https://public.corp.test/?pomerium_session={token}"));
    assert!(company.ask(&referer).headers().removes("referer"));
    let plain = company.ask(&Ask::get("public").header("referer", "https://x.test/?a=1")).headers();
    assert!(!plain.removes("referer"));
}

proptest! {
    /// However a token is wrapped, what goes on does not hold it.
    #[test]
    fn no_wrapping_carries_a_token_through(
        before in "[A-Za-z]{0,8}[ \t,;=\"]{0,3}",
        scheme in select(&["", "Pomerium ", "Bearer ", "Bearer Pomerium-", "bearer\t", "Basic "][..]),
        after in "[ \t,;\"]{0,2}[a-z]{0,4}",
    ) {
        let token = token("T-alice");
        // A word right before the token would make it another word.
        prop_assume!(!scheme.is_empty() || !before.ends_with(|c: char| c.is_ascii_alphanumeric()));
        prop_assume!(!after.starts_with(|c: char| c.is_ascii_alphanumeric()));
        let ask = Ask::get("public").header("authorization", &format!("{before}{scheme}{token}{after}"));
        let heard = Company::shared().ask(&ask);
        prop_assert!(heard.headers().removes("authorization"), "{:?}", ask);
    }
}

#[test]
fn twins_of_identity_headers_do_not_pass() {
    let company = Company::shared();
    for name in [
        "x_pomerium_jwt_assertion",
        "x.pomerium.jwt.assertion",
        "x~pomerium-jwt-assertion",
        "x-pomerium_claim-email",
    ] {
        let heard =
            company.ask(&Ask::get("eng").cookie("T-alice").header(name, "forged")).headers();
        assert!(heard.removes(name), "{name}");
    }
    let removed = routes(
        "id: r, allow_public_unauthenticated_access: true, remove_request_headers: [x-team]",
    );
    let heard = removed.ask(&Ask::get("any").header("x_team", "red")).headers();
    assert!(heard.removes("x-team") && heard.removes("x_team"));
}

#[test]
fn numbers_in_claims_are_exact() {
    let company = routes("policy: {allow: {or: [{claim/uid: 1234567890123456789}]}}");
    assert_eq!(
        saw(&company, "/", &with(&json!({ "uid": 1_234_567_890_123_456_789_i64 }))),
        Saw::Allowed("u-x".into())
    );
    assert_eq!(
        saw(&company, "/", &with(&json!({ "uid": 1_234_567_890_123_456_790_i64 }))),
        Saw::Refused(403)
    );
    assert_eq!(
        saw(&company, "/", &with(&json!({ "uid": "1234567890123456789" }))),
        Saw::Refused(403)
    );
    let seven = routes("policy: {allow: {or: [{claim/n: 7}]}}");
    assert_eq!(saw(&seven, "/", &with(&json!({ "n": 7.0 }))), Saw::Allowed("u-x".into()));
}

#[test]
fn what_never_matches_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "routes:\n- {from: https://a.test, policy: {deny: {or: [{user: 1001}, {user: {in: [1001, 1002]}}, {email: {not: null}}]}}}\n";
    let config = load(text, folder.path()).expect("loads");
    let said: Vec<String> = config.notices.iter().map(|notice| notice.message.clone()).collect();
    let never = said.iter().filter(|text| text.ends_with("never equals a text")).count();
    assert_eq!(never, 4, "{said:?}");
}

#[test]
fn an_empty_element_matches_nobody_it_is_refused() {
    for text in [
        "accepted_issuers: [auth.test, '']",
        "routes: [{from: https://a.test, allowed_users: ['']}]",
        "routes: [{from: https://a.test, allowed_domains: ['']}]",
        "administrators: ['']",
    ] {
        assert_eq!(load_problems(text)[0].code, "bad_value", "{text}");
    }
    let company = Company::shared();
    let none = signed(
        &json!({ "aud": ["any.corp.test"], "exp": NOW + 9, "email": "x@corp.test", "sub": "x" }),
    );
    assert_eq!(saw(company, "/", &none), Saw::Refused(401), "no issuer");
}

#[test]
fn a_token_that_names_nobody_is_no_token() {
    let company = routes("policy: {allow: {or: [{email: {not: eve@evil.test}}]}}");
    let nobody = signed(&json!({
        "iss": "authenticate.corp.test", "aud": ["any.corp.test"], "exp": NOW + 9, "email": "", "jti": "x",
    }));
    assert_eq!(saw(&company, "/", &nobody), Saw::Refused(401));
}

#[test]
fn a_refused_impersonation_is_recorded_as_the_person_who_was_let_in() {
    let heard = Company::shared().ask(&Ask::get("eng").path("/.pomerium/").cookie("T-bob-as-root"));
    let metadata = heard.metadata();
    assert_eq!((metadata["user"].as_str(), metadata.get("actor_user")), (Some("u-bob"), None));
    assert_eq!(metadata["decision"], "allow");
}

#[test]
fn impersonation_within_limits() {
    let company = |limits: &str| {
        let start = CONFIG.split("routes:").next().expect("a start");
        Company::new(&format!(
            "{start}impersonation: {limits}\nroutes:\n- {{from: https://any.corp.test, allow_any_authenticated_user: true}}\n"
        ))
    };
    let acting = |iat: i64| {
        with(
            &json!({ "email": "root@corp.test", "impersonate_email": "bob@corp.test", "iat": iat }),
        )
    };
    let hour = company("{max_duration: 1h}");
    assert_eq!(saw(&hour, "/", &acting(NOW - 600)), Saw::Allowed("u-bob".into()));
    assert_eq!(saw(&hour, "/", &acting(NOW - 601)), Saw::Refused(403));
    assert_eq!(saw(&company("{require_reason: true}"), "/", &acting(NOW)), Saw::Refused(403));
    let own = with(&json!({ "iat": NOW - 9999 }));
    assert_eq!(
        saw(&hour, "/", &own),
        Saw::Allowed("u-x".into()),
        "one's own token may live longer"
    );
}

#[test]
fn headers_full_of_nonsense_cost_little() {
    let company = Company::shared();
    let started = std::time::Instant::now();
    let many = |text: &str, count: usize| text.repeat(count);
    for ask in [
        Ask::get("eng").header("cookie", &many("_pomerium=%a.b.c; _pomerium_1=x; ", 1800)),
        Ask::get("eng").header("accept", &many("a/b,", 14_500)),
        Ask::get("eng").header(
            "authorization",
            &format!("Bearer {}", many("eyJhbGciOiJIUzI1NiJ9.e30.AA,", 1900)),
        ),
        Ask::get("eng").path(&format!("/?{}", many("'", 30_000))),
        Ask::get("eng").path(&many("/a;b", 10_000)),
    ] {
        let heard = company.ask(&ask);
        assert_ne!(heard.saw(), Saw::Anonymous);
        assert!(heard.denied("location").is_none_or(|location| location.len() < 16_000));
    }
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

#[test]
fn a_tcp_connection_is_judged_by_the_route_envoy_names_only() {
    let snapshot = snapshot_of(
        "routes: [{id: open, from: 'tcp+https://open.test:5432', allow_public_unauthenticated_access: true}]",
    );
    let table = snapshot.table();
    let target = lictor::request::Target {
        host: lictor::request::Host::parse("open.test:5432").expect("a host"),
        path: lictor::request::Path::default(),
    };
    assert!(table.find(Kind::Tcp, &target).is_none(), "the name in TLS is the client's word");
    assert!(table.find(Kind::Connect, &target).is_some());
}
