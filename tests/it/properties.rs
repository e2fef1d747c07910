//! What holds for every request, policy and person.

use crate::support::check::decode;
use crate::support::config::{SECRET, snapshot_with};
use crate::support::fixture::{Ask, Company, NOW, Saw, host::SECRET_BYTES};
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use lictor::authorizer::{Authorizer, Outcome};
use lictor::identity::{Directory, Expected, User, VerificationKeys, verify};
use lictor::time::Timestamp;
use lictor::token::{Claims, mint};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use prost::Message as _;
use std::collections::BTreeSet;
use std::time::Duration;

/// Criteria about people, requests and nothing, over a small world.
fn criterion() -> impl Strategy<Value = String> {
    let text = |name: &'static str, values: &'static [&'static str]| {
        let operator = select(&["is", "not", "contains", "starts_with", "ends_with"][..]);
        (operator, select(values))
            .prop_map(move |(operator, value)| format!("{name}: {{{operator}: '{value}'}}"))
    };
    let list = |name: &'static str, values: &'static [&'static str]| {
        let operator = select(&["has", "is", "exclude"][..]);
        (operator, select(values))
            .prop_map(move |(operator, value)| format!("{name}: {{{operator}: '{value}'}}"))
    };
    prop_oneof![
        Just("accept: true".to_owned()),
        Just("reject: true".to_owned()),
        Just("authenticated_user: true".to_owned()),
        Just("cors_preflight: true".to_owned()),
        select(&["t@corp.test", "root@corp.test", "x@else.test"][..])
            .prop_map(|mail| format!("email: {mail}")),
        text("email", &["t@corp.test", "corp", "root", ""]),
        text("domain", &["corp.test", "else.test", "corp"]),
        text("user", &["u-t", "u-root", "u-", ""]),
        text("http_path", &["/", "/a", "a"]),
        text("http_method", &["GET", "POST"]),
        list("groups", &["g-1", "g-2", "g-admins"]),
        list("claim/groups", &["g-1", "g-admins"]),
        list("claim/email", &["t@corp.test", "root@corp.test"]),
        list("claim/name", &["T", "Root"]),
        list("claim/department", &["rnd"]),
    ]
}

fn policy() -> impl Strategy<Value = String> {
    let group = (select(&["and", "or", "not", "nor"][..]), vec(criterion(), 0..4)).prop_map(
        |(operator, criteria)| {
            let items: Vec<String> =
                criteria.iter().map(|criterion| format!("{{{criterion}}}")).collect();
            format!("{operator}: [{}]", items.join(", "))
        },
    );
    let rule = (select(&["allow", "deny"][..]), group)
        .prop_map(|(action, group)| format!("{{{action}: {{{group}}}}}"));
    vec(rule, 0..4).prop_map(|rules| format!("[{}]", rules.join(", ")))
}

fn config(policy: &str) -> String {
    format!(
        "authenticate_service_url: https://authenticate.corp.test
administrators: [root@corp.test]
enable_user_impersonation: true
service_account_impersonation: administrators
pass_identity_headers: true
assertion_reuse: 0s
jwt_claims_headers: [email, groups, name, department]
routes:
- {{from: https://any.corp.test, policy: {policy}}}
"
    )
}

fn person(id: &str, email: &str, name: &str, groups: &[String]) -> User {
    User {
        id: id.to_owned(),
        email: email.to_owned(),
        display_name: name.to_owned(),
        group_ids: groups.to_vec(),
    }
}

/// A token with any claims, signed as ours are.
fn signed(payload: &serde_json::Value) -> String {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let signed = format!("eyJhbGciOiJIUzI1NiJ9.{}", engine.encode(payload.to_string()));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &SECRET_BYTES);
    format!("{signed}.{}", engine.encode(aws_lc_rs::hmac::sign(&key, signed.as_bytes())))
}

fn base_claims(who: &User) -> serde_json::Value {
    let mut claims = serde_json::json!({
        "iss": "authenticate.corp.test", "aud": ["any.corp.test"], "exp": NOW + 3000, "iat": NOW,
        "sub": who.id, "user": who.id, "email": who.email, "groups": who.group_ids, "programatic": false,
    });
    if !who.display_name.is_empty() {
        claims["name"] = serde_json::json!(who.display_name);
    }
    claims
}

/// Everything that comes of a request with this token: what was decided, and what the upstream gets,
/// save what tells the session and the actor.
fn outcome(policy: &str, people: &[User], path: &str, method: &str, token: &str) -> String {
    let directory = Directory::new(people.to_vec(), Vec::new()).expect("a directory");
    let snapshot = snapshot_with(&config(policy), directory);
    let ask = Ask::get("any")
        .path(path)
        .method(method)
        .header("authorization", &format!("Pomerium {token}"));
    let request = decode(ask.check(), &snapshot.settings, None);
    let answer = Authorizer::new()
        .authorize(&snapshot, &request, Timestamp::from_unix(NOW))
        .expect("an answer");
    let verdicts =
        format!("{:?} {:?} {:?}", answer.record.allow, answer.record.deny, answer.record.denied);
    match answer.outcome {
        Outcome::Refuse(_) => verdicts,
        Outcome::Admit(plan) => {
            let shown = plan.set().filter(|(name, _)| *name != "x-pomerium-jwt-assertion");
            format!(
                "{verdicts} {:?} {:?}",
                shown.collect::<Vec<_>>(),
                plan.remove().collect::<Vec<_>>()
            )
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Acting as somebody gives exactly what they get themselves, whoever is acting.
    #[test]
    fn acting_as_somebody_is_being_them(
        policy in policy(),
        path in select(&["/", "/a", "/a/b"][..]),
        method in select(&["GET", "POST"][..]),
        groups in vec(select(&["g-1", "g-2"][..]).prop_map(str::to_owned), 0..3),
        actor_groups in vec(select(&["g-1", "g-2", "g-admins"][..]).prop_map(str::to_owned), 0..3),
        department in proptest::option::of(Just("rnd")),
        name in select(&["", "T"][..]),
    ) {
        let target = person("u-t", "t@corp.test", name, &groups);
        let root = person("u-root", "root@corp.test", "Root", &actor_groups);
        let people = [target.clone(), root.clone()];
        let own = outcome(&policy, &people, path, method, &signed(&base_claims(&target)));
        let mut acting = base_claims(&root);
        acting["impersonate_email"] = serde_json::json!("T@corp.test");
        if let Some(department) = department {
            acting["department"] = serde_json::json!([department]);
        }
        let seen = outcome(&policy, &people, path, method, &signed(&acting));
        prop_assert_eq!(own, seen, "policy {}", policy);
    }

    /// Junk in any place of a credential gets no more than nobody gets.
    #[test]
    fn junk_gets_no_more_than_nobody(
        junk in "[ -~]{0,60}",
        place in 0..5_usize,
        route in select(&["public", "any", "eng", "dom", "none", "nope"][..]),
    ) {
        let company = Company::shared();
        let nobody = company.ask(&Ask::get(route)).saw();
        let ask = Ask::get(route);
        let ask = match place {
            0 => ask.header("authorization", &format!("Pomerium {junk}")),
            1 => ask.header("authorization", &format!("Bearer {junk}")),
            2 => ask.header("cookie", &format!("_pomerium={junk}")),
            3 => ask.header("x-pomerium-authorization", &junk),
            _ => ask.path(&format!("/?pomerium_session={}", junk.replace(['#', ' '], ""))),
        };
        let saw = company.ask(&ask).saw();
        let as_refused = matches!((&nobody, &saw), (Saw::Login, Saw::Refused(401)));
        prop_assert!(saw == nobody || as_refused, "{:?} instead of {:?}", saw, nobody);
    }

    /// A token with any byte changed gets no more than nobody gets.
    #[test]
    fn a_changed_token_is_no_token(position in 0..600_usize, with in any::<u8>()) {
        let mut token = crate::support::fixture::token("T-alice").as_bytes().to_vec();
        let position = position % token.len();
        prop_assume!(token[position] != with && with.is_ascii_graphic());
        token[position] = with;
        let text = String::from_utf8(token).expect("ascii");
        let saw = Company::shared().ask(&Ask::get("eng").header("x-pomerium-authorization", &text)).saw();
        prop_assert_eq!(saw, Saw::Refused(401));
    }

    /// Any bytes as a check, or a real check with bytes changed: no panic, and never an identity.
    #[test]
    fn any_bytes_as_a_check(bytes in vec(any::<u8>(), 0..200), changes in vec((any::<u16>(), any::<u8>()), 0..20)) {
        let mut real = Ask::get("eng").header("cookie", "a=1; _pomerium=x.y.z").check().encode_to_vec();
        for (position, with) in changes {
            let position = usize::from(position) % real.len();
            real[position] = with;
        }
        for candidate in [bytes, real] {
            let Some(heard) = Company::shared().hear(&candidate) else { continue };
            // Whoever reads it whole reads the same.
            if let Ok(check) = CheckRequest::decode(candidate.as_slice()) {
                prop_assert_eq!(&heard.response, &Company::shared().check(check).response);
            }
            let code = heard.response.status.as_ref().map(|status| status.code);
            match &heard.response.http_response {
                Some(HttpResponse::OkResponse(ok)) => {
                    prop_assert_eq!(code, Some(0));
                    let identity = ok.headers.iter().filter_map(|option| option.header.as_ref()).any(|header| header.key.starts_with("x-pomerium-"));
                    prop_assert!(!identity);
                }
                Some(HttpResponse::DeniedResponse(denied)) => {
                    prop_assert_eq!(code, Some(7));
                    let status = denied.status.as_ref().map_or(0, |status| status.code);
                    prop_assert!((200..600).contains(&status));
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }

    /// No header is both set and removed, and nothing that frames or routes is touched.
    #[test]
    fn changes_of_headers_are_disjoint(
        inbound in vec(("(x[-_]pomerium[-_][a-z_-]{0,12}|cookie|authorization|x-team|host|content-length)", "[ -~]{0,20}"), 0..8),
        who in select(&["T-alice", "T-bob", "T-root"][..]),
    ) {
        let mut ask = Ask::get("any").cookie(who);
        for (name, value) in &inbound {
            ask = ask.header(name, value);
        }
        let heard = Company::shared().ask(&ask);
        if let Some(HttpResponse::OkResponse(ok)) = &heard.response.http_response {
            let set: BTreeSet<&str> = ok.headers.iter().filter_map(|option| option.header.as_ref()).map(|header| header.key.as_str()).collect();
            prop_assert_eq!(set.len(), ok.headers.len());
            for name in &ok.headers_to_remove {
                prop_assert!(!set.contains(name.as_str()), "{} is set and removed", name);
            }
            for name in set.iter().copied().chain(ok.headers_to_remove.iter().map(String::as_str)) {
                prop_assert!(!matches!(name, "host" | "content-length" | "transfer-encoding" | "connection") && !name.starts_with(':'), "{} is touched", name);
            }
            for (name, _) in &inbound {
                let ours = name.replace('_', "-").starts_with("x-pomerium-");
                prop_assert!(!ours || set.contains(name.as_str()) || ok.headers_to_remove.contains(name), "{} stays", name);
            }
        }
    }

    /// What we mint, a JWT library reads; what it signs, we read; what it refuses, we refuse.
    #[test]
    fn tokens_agree_with_a_jwt_library(email in "[a-z]{1,8}@[a-z]{1,8}", groups in vec("[ -~]{0,8}", 0..4), flip in proptest::option::of((0..200_usize, any::<u8>()))) {
        let claims = Claims {
            issuer: "i".to_owned(), audience: vec!["h".to_owned()], email, groups, ..Claims::default()
        };
        let now = Timestamp::from_unix(NOW);
        let mut token = mint(&claims, &SECRET_BYTES, now, Duration::from_mins(1)).into_bytes();
        if let Some((position, with)) = flip {
            let position = position % token.len();
            token[position] = with;
        }
        let Ok(token) = String::from_utf8(token) else { return Ok(()) };
        let keys = VerificationKeys::new(&SECRET_BYTES, None);
        let issuers = ["i".to_owned()];
        let ours = verify(&token, &keys, &Expected { issuers: &issuers, host: "h", port: None }, now).is_ok();
        let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256);
        validation.validate_exp = false;
        validation.set_audience(&["h"]);
        validation.set_issuer(&["i"]);
        let secret = jsonwebtoken::DecodingKey::from_base64_secret(SECRET).expect("a key");
        let theirs = jsonwebtoken::decode::<serde_json::Value>(&token, &secret, &validation).is_ok();
        prop_assert_eq!(ours, theirs);
    }
}
