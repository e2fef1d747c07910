//! A provider that lies, or somebody in between. Each lie is refused for its own reason, and no reason
//! holds a secret.

use crate::support::fake_provider::{
    ACCESS_TOKEN, CLIENT_SECRET, FakeProvider, NOW, REFRESH_TOKEN, Raw, Signing, Ways, answered,
    callback,
};
use lictor::provider::{OidcProvider, Profile, RefreshError, SignInError};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What comes of a sign-in at a provider with these ways.
async fn attack(ways: impl FnOnce(&mut Ways)) -> Result<Profile, SignInError> {
    let provider = FakeProvider::start().await;
    provider.change(ways);
    provider.sign_in(&provider.client()).await
}

#[track_caller]
fn refused(result: Result<Profile, SignInError>, code: &str, why: &str) {
    let error = result.expect_err("let in");
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(why), "{error}");
    holds_no_secret(&format!("{error} {error:?} {}", error.told()));
}

#[track_caller]
fn holds_no_secret(text: &str) {
    for secret in [ACCESS_TOKEN, REFRESH_TOKEN, CLIENT_SECRET, "c0de-", "eyJ"] {
        assert!(!text.contains(secret), "{text}");
    }
}

fn claims(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> impl FnOnce(&mut Ways) {
    |ways| ways.claims = Some(Box::new(edit))
}

#[tokio::test]
async fn nobody_lies() {
    let profile = attack(|_| {}).await.expect("let in");
    assert_eq!((profile.subject.as_str(), profile.email.as_str()), ("u-1", "ann@example.com"));
}

// --- the ID token

const ALGORITHM: &str = "signed by an algorithm that is not accepted";

#[tokio::test]
async fn an_id_token_that_nobody_signed() {
    for signature in ["", "AAAA"] {
        let unsigned = attack(|ways| ways.signing = Signing::None(signature)).await;
        refused(unsigned, "bad_token", ALGORITHM);
    }
}

#[tokio::test]
async fn an_id_token_signed_with_the_client_secret() {
    let shared = Signing::Shared(CLIENT_SECRET.as_bytes().to_vec());
    refused(attack(|ways| ways.signing = shared).await, "bad_token", ALGORITHM);
}

#[tokio::test]
async fn an_id_token_signed_with_the_public_key_as_a_secret() {
    let provider = FakeProvider::start().await;
    let public = provider.public_key().to_string().into_bytes();
    provider.change(|ways| ways.signing = Signing::Shared(public));
    refused(provider.sign_in(&provider.client()).await, "bad_token", ALGORITHM);
}

#[tokio::test]
async fn an_id_token_signed_by_another_key() {
    let forged = attack(|ways| ways.signing = Signing::Forged).await;
    refused(forged, "bad_token", "its signature is wrong");
}

#[tokio::test]
async fn an_id_token_by_a_key_for_another_use() {
    let provider = FakeProvider::start().await;
    let mut key = provider.public_key();
    key["kid"] = "k1".into();
    for (member, value) in [("use", "enc"), ("alg", "ES384"), ("crv", "P-384"), ("kty", "RSA")] {
        let mut other = key.clone();
        other[member] = value.into();
        let keys = Raw::json(200, &json!({ "keys": [other] }));
        provider.change(|ways| drop(ways.raw.insert("/jwks", keys)));
        let result = provider.sign_in(&provider.client()).await;
        assert_eq!(result.expect_err(member).code(), "bad_token");
    }
}

#[tokio::test]
async fn an_id_token_of_another_issuer() {
    let other = attack(claims(|claims| claims["iss"] = "https://evil.example.com".into())).await;
    refused(other, "bad_token", "of another issuer");
}

#[tokio::test]
async fn an_id_token_for_another_audience() {
    for audience in [json!("other"), json!(["other"]), json!([]), json!(["Lictor"])] {
        let other = attack(claims(move |claims| claims["aud"] = audience.clone())).await;
        refused(other, "bad_token", "for another audience");
    }
    let other = attack(claims(|claims| claims["azp"] = "other".into())).await;
    refused(other, "bad_token", "issued to another client");
    let shared = attack(claims(|claims| claims["aud"] = json!(["lictor", "other"]))).await;
    refused(shared, "bad_token", "issued to another client");
    let shared = attack(claims(|claims| {
        claims["aud"] = json!(["other", "lictor"]);
        claims["azp"] = "other".into();
    }));
    refused(shared.await, "bad_token", "issued to another client");
    for audience in [json!("lictor"), json!(["lictor"]), json!(["project", "lictor"])] {
        let ours = attack(claims(move |claims| {
            claims["aud"] = audience.clone();
            claims["azp"] = "lictor".into();
        }));
        assert!(ours.await.is_ok());
    }
}

#[tokio::test]
async fn an_id_token_of_another_sign_in() {
    let nonce = "its nonce is not that of this sign-in";
    let other = attack(claims(|claims| claims["nonce"] = "other".into())).await;
    refused(other, "bad_token", nonce);
    let none = attack(claims(|claims| drop(claims["nonce"].take()))).await;
    refused(none, "bad_token", nonce);
    let provider = FakeProvider::start().await;
    let client = provider.client();
    let (first, second) =
        (client.begin(&callback(), NOW).await, client.begin(&callback(), NOW).await);
    let (first, second) = (first.expect("begun"), second.expect("begun"));
    let code = provider.approve(&first.url);
    let mixed = answered(&callback(), &code, &second).code.to_owned();
    let mixed = client.finish(answered(&callback(), &mixed, &second), NOW).await;
    refused(mixed, "code_refused", "invalid_grant");
}

#[tokio::test]
async fn an_id_token_out_of_its_time() {
    let now = NOW.unix();
    let time = "expired, or was issued in the future";
    for (member, at) in [("exp", now - 61), ("exp", now - 86_400), ("iat", now + 61)] {
        let late = attack(claims(move |claims| claims[member] = at.into())).await;
        refused(late, "bad_token", time);
    }
    for (member, at) in [("exp", now - 59), ("iat", now + 59), ("nbf", now + 59)] {
        let close = attack(claims(move |claims| claims[member] = at.into())).await;
        assert!(close.is_ok(), "clocks differ: {member}");
    }
    let early = attack(claims(move |claims| claims["nbf"] = (now + 61).into())).await;
    refused(early, "bad_token", "not valid yet");
    for member in ["exp", "iat", "iss", "sub"] {
        let without = attack(claims(move |claims| {
            claims.as_object_mut().expect("claims").remove(member);
        }));
        assert_eq!(without.await.expect_err(member).code(), "bad_token");
    }
}

#[tokio::test]
async fn an_id_token_for_another_access_token() {
    let other = attack(claims(|claims| claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA".into())).await;
    refused(other, "bad_token", "`at_hash` is not of the access token");
    let swapped = attack(|ways| {
        ways.tokens = Some(Box::new(|tokens| tokens["access_token"] = "other".into()));
    });
    refused(swapped.await, "bad_token", "`at_hash` is not of the access token");
}

#[tokio::test]
async fn another_kind_of_jwt_in_place_of_an_id_token() {
    for (member, value) in [
        ("typ", json!("logout+jwt")),
        ("typ", json!("at+jwt")),
        ("crit", json!(["b64"])),
        ("cty", json!("JWT")),
    ] {
        let other = attack(|ways| {
            ways.header = Some(Box::new(move |header| header[member] = value.clone()));
        });
        refused(other.await, "bad_token", "its header is not that of an ID token");
    }
}

#[tokio::test]
async fn an_id_token_with_two_readings() {
    let provider = FakeProvider::start().await;
    let client = provider.client();
    let begun = client.begin(&callback(), NOW).await.expect("begun");
    let now = NOW.unix();
    let payload = format!(
        r#"{{"iss":"{}","sub":"u-1","aud":"lictor","exp":{},"iat":{now},"nonce":"{}","x":1,"x":2}}"#,
        provider.issuer(),
        now + 60,
        begun.nonce.expose(),
    );
    provider.change(|ways| ways.payload = Some(payload));
    let code = provider.approve(&begun.url);
    let result = client.finish(answered(&callback(), &code, &begun), NOW).await;
    refused(result, "bad_token", "a member is repeated");
}

#[tokio::test]
async fn no_id_token() {
    let without = |ways: &mut Ways| {
        ways.tokens = Some(Box::new(|tokens| {
            tokens.as_object_mut().expect("tokens").remove("id_token");
        }));
    };
    refused(attack(without).await, "bad_token", "there is no ID token");
    for token in ["", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "eyJ"] {
        let other = attack(|ways| {
            ways.tokens = Some(Box::new(move |tokens| tokens["id_token"] = token.into()));
        });
        refused(other.await, "bad_token", "cannot be read");
    }
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_but_not_all_the_time() {
    let provider = FakeProvider::start().await;
    let client = provider.client();
    provider.sign_in(&client).await.expect("let in");
    assert_eq!(provider.asked("/jwks"), 1);
    provider.change(|ways| ways.signing = Signing::Named("k2"));
    // The keys are known to be fresh.
    for _ in 0..5 {
        refused(provider.sign_in(&client).await, "bad_token", "no key of the provider fits it");
    }
    assert_eq!(provider.asked("/jwks"), 1);
    let later = NOW.plus(Duration::from_secs(30));
    let sign_in = async || {
        let begun = client.begin(&callback(), later).await?;
        let code = provider.approve(&begun.url);
        client.finish(answered(&callback(), &code, &begun), later).await
    };
    refused(sign_in().await, "bad_token", "no key of the provider fits it");
    refused(sign_in().await, "bad_token", "no key of the provider fits it");
    assert_eq!(provider.asked("/jwks"), 2);
    // Published after all, and half a minute has passed.
    provider.change(|ways| ways.other_key = Some("k2"));
    let later = NOW.plus(Duration::from_secs(60));
    let begun = client.begin(&callback(), later).await.expect("begun");
    let code = provider.approve(&begun.url);
    client.finish(answered(&callback(), &code, &begun), later).await.expect("let in");
    assert_eq!(provider.asked("/jwks"), 3);
}

// --- who answers

#[tokio::test]
async fn a_mixed_up_issuer() {
    let provider = FakeProvider::start().await;
    let client = provider.client();
    let begun = client.begin(&callback(), NOW).await.expect("begun");
    let callback = callback();
    let from = async |issuer: Option<&str>| {
        let code = provider.approve(&begun.url);
        let answer = answered(&callback, &code, &begun);
        client.finish(lictor::provider::Answer { issuer, ..answer }, NOW).await
    };
    let own = provider.issuer();
    for other in ["", "https://evil.example.com", &format!("{own}/"), &own.to_uppercase()] {
        let asked = provider.asked("/token");
        refused(from(Some(other)).await, "wrong_issuer", "`iss` names another");
        assert_eq!(provider.asked("/token"), asked, "the code stays here");
    }
    assert!(from(Some(&own)).await.is_ok());
    assert!(from(None).await.is_ok(), "not promised");
}

#[tokio::test]
async fn an_answer_without_the_issuer_that_was_promised() {
    let promised = attack(|ways| {
        ways.metadata = Some(Box::new(|metadata| {
            metadata["authorization_response_iss_parameter_supported"] = true.into();
        }));
    });
    refused(promised.await, "wrong_issuer", "`iss` is missing");
}

#[tokio::test]
async fn a_description_of_another_issuer() {
    let provider = FakeProvider::start().await;
    let own = provider.issuer();
    for other in ["https://evil.example.com".to_owned(), format!("{own}/")] {
        provider.change(|ways| {
            ways.metadata =
                Some(Box::new(move |metadata| metadata["issuer"] = other.as_str().into()));
        });
        let result = provider.sign_in(&provider.client()).await;
        refused(result, "provider_misfit", "unexpected issuer");
    }
}

#[tokio::test]
async fn endpoints_that_are_no_place_to_send_anybody() {
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "end_session_endpoint",
    ] {
        for place in ["http://evil.example.com/", "javascript:alert(1)", "file:///etc/passwd"] {
            let elsewhere = attack(|ways| {
                ways.metadata = Some(Box::new(move |metadata| metadata[name] = place.into()));
            });
            let error = elsewhere.await.expect_err(name);
            // Before keys can be asked for there has to be a question that can be sent.
            let no_question = name == "jwks_uri" && matches!(error, SignInError::Misfit(_));
            let fits = error.to_string().contains("not an https address");
            assert!(fits || no_question, "{error}");
        }
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let provider = FakeProvider::start().await;
    let elsewhere = FakeProvider::start().await;
    for path in ["/token", "/userinfo", "/jwks", "/.well-known/openid-configuration"] {
        for status in [301, 302, 303, 307, 308] {
            let mut away = Raw::new(status, "application/json", "{}");
            away.headers.push(("location", format!("{}{path}", elsewhere.issuer())));
            provider.change(|ways| {
                ways.raw.clear();
                ways.raw.insert(path, away);
            });
            let result = provider.sign_in(&provider.client()).await;
            refused(result, "provider_unreachable", &status.to_string());
            assert_eq!(elsewhere.asked(path), 0);
        }
    }
}

#[tokio::test]
async fn an_endless_answer() {
    let provider = FakeProvider::start().await;
    let long = format!(r#"{{"a": "{}"}}"#, "x".repeat(10 << 20));
    for path in ["/token", "/userinfo", "/jwks", "/.well-known/openid-configuration"] {
        let raw = Raw::new(200, "application/json", long.clone());
        provider.change(|ways| {
            ways.raw.clear();
            ways.raw.insert(path, raw);
        });
        let result = provider.sign_in(&provider.client()).await;
        refused(result, "provider_unreachable", "more than 1048576 bytes");
    }
}

#[tokio::test]
async fn a_slow_answer() {
    let provider = FakeProvider::start().await;
    let mut slow = Raw::new(200, "application/json", "x".repeat(1000));
    slow.drip = Some(Duration::from_secs(1));
    provider.change(|ways| drop(ways.raw.insert("/token", slow)));
    let begun = Instant::now();
    refused(provider.sign_in(&provider.client()).await, "provider_unreachable", "timed out");
    let took = begun.elapsed();
    assert!((9..20).contains(&took.as_secs()), "ten seconds in all, however it drips: {took:?}");
}

#[tokio::test]
async fn nobody_there() {
    let provider = FakeProvider::start().await;
    let nowhere = crate::support::gates::free_address();
    let mut settings = provider.settings();
    settings.issuer = lictor::provider::Issuer::parse(&format!("http://{nowhere}")).expect("one");
    let client = OidcProvider::new(Arc::new(settings));
    let error = client.begin(&callback(), NOW).await.expect_err("nobody");
    assert_eq!(error.code(), "provider_unreachable", "{error}");
}

#[tokio::test]
async fn answers_that_are_no_description() {
    for (raw, code) in [
        (Raw::new(404, "text/html", "<h1>no</h1>"), "provider_unreachable"),
        (Raw::new(200, "text/html", "<h1>yes</h1>"), "provider_unreachable"),
        (Raw::new(200, "application/json", "{"), "provider_misfit"),
        (Raw::new(200, "application/json", "[]"), "provider_misfit"),
        (Raw::new(200, "application/json", "{}"), "provider_misfit"),
    ] {
        let told = format!("{raw:?}");
        let result =
            attack(|ways| drop(ways.raw.insert("/.well-known/openid-configuration", raw))).await;
        assert_eq!(result.expect_err(&told).code(), code, "{told}");
    }
}

// --- UserInfo

#[tokio::test]
async fn user_info_of_somebody_else() {
    for subject in [json!("u-2"), json!(""), json!(null), json!(["u-1"])] {
        let other = attack(|ways| {
            ways.user_info = Some(Box::new(move |said| said["sub"] = subject.clone()));
        });
        refused(other.await, "bad_profile", "speaks of somebody else");
    }
}

#[tokio::test]
async fn user_info_that_cannot_be_read() {
    for raw in [
        Raw::new(200, "text/html", r#"{"sub": "u-1"}"#),
        Raw::new(200, "application/json", "[]"),
        Raw::new(200, "application/json", r#"{"sub": "u-1", "a": 1, "a": 2}"#),
        Raw::new(200, "application/jwt", "a.b.c"),
    ] {
        let result = attack(|ways| drop(ways.raw.insert("/userinfo", raw))).await;
        assert_eq!(result.expect_err("let in").code(), "bad_profile");
    }
    for status in [401, 403, 500] {
        let raw = Raw::new(status, "application/json", "{}");
        let result = attack(|ways| drop(ways.raw.insert("/userinfo", raw))).await;
        refused(result, "provider_unreachable", "`userinfo_endpoint` answers");
    }
}

#[tokio::test]
async fn signed_user_info() {
    let provider = FakeProvider::start().await;
    let issuer = provider.issuer();
    let said = |iss: &str| json!({ "iss": iss, "aud": "lictor", "sub": "u-1", "team": "red" });
    let answer = |jwt: String| {
        provider.change(|ways| {
            ways.signing = Signing::Right;
            ways.raw.insert("/userinfo", Raw::new(200, "application/jwt", jwt));
        });
    };
    answer(provider.jwt(&said(&issuer), "JWT"));
    let profile = provider.sign_in(&provider.client()).await.expect("let in");
    assert!(profile.claims.as_map().contains_key("team"));
    answer(provider.jwt(&said("https://evil.example.com"), "JWT"));
    refused(provider.sign_in(&provider.client()).await, "bad_profile", "of another issuer");
    for signing in [Signing::Forged, Signing::None(""), Signing::Shared(b"x".to_vec())] {
        provider.change(|ways| ways.signing = signing);
        answer(provider.jwt(&said(&issuer), "JWT"));
        let result = provider.sign_in(&provider.client()).await;
        assert_eq!(result.expect_err("let in").code(), "bad_profile");
    }
}

#[tokio::test]
async fn an_access_token_that_breaks_a_header() {
    let broken = attack(|ways| {
        ways.claims = Some(Box::new(|claims| drop(claims["at_hash"].take())));
        ways.tokens = Some(Box::new(|tokens| tokens["access_token"] = "a\r\nx: y".into()));
    });
    refused(broken.await, "bad_profile", "the access token is not one");
}

// --- the token endpoint

#[tokio::test]
async fn refusals_quote_no_code() {
    let provider = FakeProvider::start().await;
    let client = provider.client();
    let begun = client.begin(&callback(), NOW).await.expect("begun");
    let code = provider.approve(&begun.url);
    let said = json!({ "error": "invalid_grant", "error_description": format!("{code}\nis old") });
    provider.change(|ways| drop(ways.raw.insert("/token", Raw::json(400, &said))));
    let result = client.finish(answered(&callback(), &code, &begun), NOW).await;
    refused(result, "code_refused", "`invalid_grant`: … is old");
}

#[tokio::test]
async fn refusals_by_kind() {
    for (status, error, code) in [
        (400, "invalid_grant", "code_refused"),
        (401, "invalid_client", "provider_misfit"),
        (400, "invalid_scope", "provider_misfit"),
        (400, "temporarily_unavailable", "provider_unreachable"),
        (400, "interaction_required", "provider_declined"),
        (500, "invalid_grant", "provider_unreachable"),
        (429, "invalid_grant", "provider_unreachable"),
    ] {
        let raw = Raw::json(status, &json!({ "error": error }));
        let result = attack(|ways| drop(ways.raw.insert("/token", raw))).await;
        assert_eq!(result.expect_err(error).code(), code, "{status} {error}");
    }
    for raw in [
        Raw::new(400, "text/html", "<h1>Bad Request</h1>"),
        Raw::new(502, "text/html", "<h1>Bad Gateway</h1>"),
        Raw::new(200, "text/html", "<h1>Welcome to our wifi</h1>"),
        Raw::new(200, "application/json", ""),
    ] {
        let result = attack(|ways| drop(ways.raw.insert("/token", raw))).await;
        assert_eq!(result.expect_err("let in").code(), "provider_unreachable");
    }
}

#[tokio::test]
async fn codes_that_are_none() {
    let provider = FakeProvider::start().await;
    let client = provider.client();
    let begun = client.begin(&callback(), NOW).await.expect("begun");
    for code in ["", &"x".repeat(9000)] {
        let result = client.finish(answered(&callback(), code, &begun), NOW).await;
        refused(result, "code_refused", "empty, or far too long");
    }
    assert_eq!(provider.asked("/token"), 0);
}

// --- refreshing

/// What comes of refreshing after a sign-in, at a provider that has got these ways since.
async fn refresh(ways: impl FnOnce(&mut Ways)) -> Result<Profile, RefreshError> {
    let provider = FakeProvider::start().await;
    let client = provider.client();
    let profile = provider.sign_in(&client).await.expect("let in");
    provider.change(ways);
    client.refresh(profile.tokens.as_ref().expect("tokens"), &profile.subject, NOW).await
}

#[tokio::test]
async fn a_refresh_that_gives_somebody_else() {
    let other = refresh(claims(|claims| claims["sub"] = "u-2".into())).await;
    let error = other.expect_err("somebody else");
    assert!(error.is_final() && error.code() == "refresh_unbelievable", "{error}");
    for forge in [Signing::Forged, Signing::None("")] {
        let error = refresh(|ways| ways.signing = forge).await.expect_err("forged");
        assert!(error.is_final(), "{error}");
    }
    let unknown = refresh(|ways| ways.signing = Signing::Named("k9")).await.expect_err("unknown");
    assert!(!unknown.is_final(), "keys may have changed: {unknown}");
    let issuer = refresh(claims(|claims| claims["iss"] = "https://evil.example.com".into())).await;
    assert!(issuer.expect_err("another issuer").is_final());
}

#[tokio::test]
async fn a_refusal_ends_a_session_and_an_outage_does_not() {
    let no = Raw::json(400, &json!({ "error": "invalid_grant" }));
    let error = refresh(|ways| drop(ways.raw.insert("/token", no))).await.expect_err("refused");
    assert_eq!((error.code(), error.is_final()), ("refresh_refused", true));
    for raw in [
        Raw::json(401, &json!({ "error": "invalid_client" })),
        Raw::json(500, &json!({ "error": "invalid_grant" })),
        Raw::new(400, "text/html", "<h1>Bad Request</h1>"),
        Raw::new(502, "text/html", "<h1>Bad Gateway</h1>"),
        Raw::new(403, "text/html", "<h1>Blocked</h1>"),
        Raw::new(200, "text/html", "<h1>Welcome to our wifi</h1>"),
    ] {
        let told = format!("{raw:?}");
        let error = refresh(|ways| drop(ways.raw.insert("/token", raw))).await.expect_err(&told);
        assert_eq!((error.code(), error.is_final()), ("provider_unreachable", false), "{told}");
    }
}
