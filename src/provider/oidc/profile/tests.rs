use super::{Members, Said};
use crate::identity::ClaimValue;
use crate::provider::oidc::SignInError;
use crate::provider::oidc::jws::object;

fn members(json: &str) -> Members {
    object(json.as_bytes()).expect(json)
}

fn profile(first: &str, second: &str) -> Result<crate::provider::Profile, SignInError> {
    let (first, second) = (members(first), members(second));
    Said { issuer: "https://id", first, second, groups_claim: "groups" }.profile()
}

fn groups(claim: &str, first: &str) -> Result<Option<Vec<String>>, SignInError> {
    let said = Said {
        issuer: "https://id",
        first: members(first),
        second: members("{}"),
        groups_claim: claim,
    };
    said.profile().map(|profile| profile.groups)
}

fn names(groups: &[&str]) -> Vec<String> {
    groups.iter().map(|group| (*group).to_owned()).collect()
}

#[test]
fn subjects() {
    for (json, fits) in [
        (r#"{"sub": "u"}"#.to_owned(), true),
        (format!(r#"{{"sub": "{}"}}"#, "x".repeat(255)), true),
        (format!(r#"{{"sub": "{}"}}"#, "x".repeat(256)), false),
        (r#"{"sub": ""}"#.to_owned(), false),
        (r#"{"sub": "a\nb"}"#.to_owned(), false),
        (r#"{"sub": 7}"#.to_owned(), false),
        ("{}".to_owned(), false),
    ] {
        assert_eq!(profile(&json, "{}").is_ok(), fits, "{json}");
    }
}

#[test]
fn only_a_verified_address_counts() {
    let address = |first: &str, second: &str| {
        let [first, second] = [first, second].map(|json| format!(r#"{{"sub": "u"{json}}}"#));
        let profile = profile(&first, &second).expect("a person");
        let claimed = profile.claims.as_map().contains_key("email");
        assert_eq!(claimed, !profile.email.is_empty(), "{first} {second}");
        profile.email
    };
    let mail = r#", "email": "Ann@x.com""#;
    let and = |flag: &str| format!(r#"{mail}, "email_verified": {flag}"#);
    assert_eq!(address(mail, ""), "Ann@x.com", "nothing is said against it");
    assert_eq!(address("", mail), "Ann@x.com");
    for flag in ["true", r#""true""#, r#""True""#] {
        assert_eq!(address(&and(flag), ""), "Ann@x.com", "{flag}");
    }
    for flag in ["false", r#""false""#, "null", "0", "1", r#""""#, "[true]"] {
        assert_eq!(address(&and(flag), ""), "", "{flag}");
        assert_eq!(address("", &and(flag)), "", "{flag}");
        assert_eq!(address(mail, &and(flag)), "", "either may doubt it: {flag}");
        let flag_alone = format!(r#", "email_verified": {flag}"#);
        assert_eq!(address(mail, &flag_alone), "", "{flag}");
        assert_eq!(address(&flag_alone, mail), "", "{flag}");
    }
    let other = r#", "email": "eve@x.com", "email_verified": true"#;
    assert_eq!(address(&and("false"), other), "", "the first counts");
    assert_eq!(address(mail, r#", "email": "eve@x.com", "email_verified": false"#), "Ann@x.com");
    assert_eq!(address(mail, r#", "email": "ann@X.com", "email_verified": false"#), "");
    for odd in [r#""a b@x.com""#, r#""a\n@x.com""#, "7", r#"["ann@x.com"]"#, r#""""#] {
        assert_eq!(address(&format!(r#", "email": {odd}"#), ""), "", "{odd}");
    }
}

#[test]
fn groups_as_providers_write_them() {
    assert_eq!(groups("groups", r#"{"sub": "u"}"#), Ok(None));
    assert_eq!(groups("groups", r#"{"sub": "u", "groups": null}"#), Ok(None));
    assert_eq!(groups("groups", r#"{"sub": "u", "groups": []}"#), Ok(Some(names(&[]))));
    assert_eq!(groups("groups", r#"{"sub": "u", "groups": "eng"}"#), Ok(Some(names(&["eng"]))));
    assert_eq!(
        groups("groups", r#"{"sub": "u", "groups": ["a", 7, ""]}"#),
        Ok(Some(names(&["a", "7"])))
    );
    assert_eq!(
        groups("realm_access.roles", r#"{"sub": "u", "realm_access": {"roles": ["a"]}}"#),
        Ok(Some(names(&["a"])))
    );
    assert_eq!(
        groups("https://x/groups", r#"{"sub": "u", "https://x/groups": ["a"], "groups": ["b"]}"#),
        Ok(Some(names(&["a"])))
    );
    assert_eq!(groups("", r#"{"sub": "u", "groups": ["a"]}"#), Ok(None));
}

#[test]
fn groups_that_cannot_be_told() {
    for json in [
        r#"{"sub": "u", "groups": [{"id": "a"}]}"#,
        r#"{"sub": "u", "groups": {"a": true}}"#,
        r#"{"sub": "u", "groups": ["a", null]}"#,
        r#"{"sub": "u", "_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://x"}}}"#,
    ] {
        assert!(matches!(groups("groups", json), Err(SignInError::BadProfile(_))), "{json}");
    }
    let elsewhere = r#"{"sub": "u", "_claim_names": {"groups": "src1"}}"#;
    assert_eq!(groups("", elsewhere), Ok(None), "not wanted");
    assert_eq!(groups("groups", r#"{"sub": "u", "_claim_names": {"photo": "src1"}}"#), Ok(None));
}

#[test]
fn what_is_about_the_tokens_is_left_out() {
    let said = r#"{"sub": "u", "iss": "i", "aud": "a", "azp": "a", "exp": 1, "iat": 1, "nbf": 1,
        "jti": "j", "nonce": "n", "at_hash": "h", "c_hash": "h", "s_hash": "h", "auth_time": 1,
        "sid": "s", "access_token": "t", "refresh_token": "t", "id_token": "t", "client_id": "c",
        "_claim_names": {}, "_claim_sources": {"s": {"access_token": "t"}},
        "acr": "1", "amr": ["mfa"], "oid": "o"}"#;
    let profile = profile(said, "{}").expect("a person");
    let names: Vec<&str> = profile.claims.as_map().keys().map(String::as_str).collect();
    assert_eq!(names, ["acr", "amr", "oid", "sub"]);
    assert_eq!(profile.provider_session, "s");
}

#[test]
fn the_second_only_adds() {
    let profile = profile(
        r#"{"sub": "u", "name": "Ann", "team": "red", "address": {"a": 1}}"#,
        r#"{"sub": "u", "name": "Eve", "team": "blue", "address": {"b": 2}, "more": true}"#,
    );
    let profile = profile.expect("a person");
    assert_eq!(profile.name, "Ann");
    let said: Vec<String> = profile
        .claims
        .as_map()
        .iter()
        .map(|(name, value)| format!("{name}={}", value.to_json()))
        .collect();
    assert_eq!(
        said,
        ["address.a=[1]", "more=[true]", r#"name=["Ann"]"#, r#"sub=["u"]"#, r#"team=["red"]"#]
    );
}

#[test]
fn names_are_fit_to_be_shown() {
    let name = |json: &str| profile(json, "{}").expect("a person").name;
    assert_eq!(name(r#"{"sub": "u", "name": " Ann\nB "}"#), "Ann B");
    assert_eq!(name(r#"{"sub": "u", "name": " ", "preferred_username": "ann"}"#), "ann");
    assert_eq!(name(r#"{"sub": "u", "name": ["Ann"]}"#), "");
    assert_eq!(name(&format!(r#"{{"sub": "u", "name": "{}"}}"#, "x".repeat(999))).len(), 254);
}

#[test]
fn too_much_is_refused_and_never_cut() {
    let many = |count: usize, length: usize| {
        let mut said = Members::from([("sub".to_owned(), ClaimValue::Text("u".to_owned()))]);
        for number in 0..count {
            said.insert(format!("claim-{number}"), ClaimValue::Text("x".repeat(length)));
        }
        let said =
            Said { issuer: "i", first: said, second: Members::new(), groups_claim: "groups" };
        said.profile().is_ok()
    };
    assert!(many(255, 1) && !many(256, 1));
    assert!(many(60, 1000) && !many(66, 1000));
}
