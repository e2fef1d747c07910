//! Sign-in at an OpenID provider: what is asked for, what is made of the answers, and how often the
//! provider is asked about itself.

use crate::support::fake_provider::{
    ACCESS_TOKEN, CLIENT, FakeProvider, NOW, REFRESH_TOKEN, Raw, Signing, answered, basic, callback,
};
use lictor::provider::{
    Begun, Issuer, Logout, LogoutNotice, OidcProvider, Profile, ProviderTokens,
};
use lictor::secret::Secret;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

const DESCRIPTION: &str = "/.well-known/openid-configuration";

fn query(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

fn claim(profile: &Profile, name: &str) -> Option<String> {
    profile.claims.as_map().get(name).map(lictor::identity::ClaimValue::to_json)
}

#[tokio::test]
async fn what_the_browser_is_sent_with() {
    let provider = FakeProvider::start().await;
    let mut settings = provider.settings();
    settings.scopes = ["openid", "profile", "offline_access"].map(str::to_owned).to_vec();
    settings.request_params = vec![("prompt".to_owned(), "consent login".to_owned())];
    let client = OidcProvider::new(Arc::new(settings));
    let Begun { url, state, nonce, verifier } =
        client.begin(&callback(), NOW).await.expect("begun");
    assert_eq!(url.origin().ascii_serialization(), provider.issuer());
    assert_eq!(url.path(), "/auth");
    let mut asked = query(&url);
    assert_eq!(asked.remove("state"), Some(state.expose().clone()));
    assert_eq!(asked.remove("nonce"), Some(nonce.expose().clone()));
    assert!(asked.remove("code_challenge").is_some_and(|text| text.len() == 43));
    let rest: Vec<(&str, &str)> = vec![
        ("client_id", CLIENT),
        ("code_challenge_method", "S256"),
        ("prompt", "consent login"),
        ("redirect_uri", "https://authenticate.example.com/oauth2/callback"),
        ("response_type", "code"),
        ("scope", "openid profile offline_access"),
    ];
    let rest: HashMap<String, String> =
        rest.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
    assert_eq!(asked, rest);
    let secrets = [state, nonce, verifier].map(|secret| secret.expose().clone());
    assert!(secrets.iter().all(|secret| secret.len() == 43 && !url.as_str().contains(&secrets[2])));
    let again = client.begin(&callback(), NOW).await.expect("begun");
    let others = [again.state, again.nonce, again.verifier].map(|other| other.expose().clone());
    assert_eq!(secrets.iter().chain(&others).collect::<HashSet<_>>().len(), 6);
}

#[tokio::test]
async fn what_is_not_shown() {
    let provider = FakeProvider::start().await;
    let client = provider.client();
    let begun = client.begin(&callback(), NOW).await.expect("begun");
    let code = provider.approve(&begun.url);
    let answer = answered(&callback(), &code, &begun).code.to_owned();
    let profile = client.finish(answered(&callback(), &answer, &begun), NOW).await;
    let profile = profile.expect("let in");
    let shown =
        format!("{client:?} {begun:?} {profile:?} {:?}", answered(&callback(), &code, &begun));
    let hidden = [
        begun.state.expose(),
        begun.nonce.expose(),
        begun.verifier.expose(),
        &code,
        REFRESH_TOKEN,
        ACCESS_TOKEN,
        "s3cret",
        "eyJ",
    ];
    for secret in hidden {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}

#[tokio::test]
async fn what_the_token_endpoint_gets() {
    let provider = FakeProvider::start().await;
    let profile = provider.sign_in(&provider.client()).await.expect("let in");
    let (form, authorization) = provider.last_grant();
    assert_eq!(authorization, basic());
    assert_eq!(form["grant_type"], "authorization_code");
    assert_eq!(form["redirect_uri"], callback().as_str());
    assert!(!form.contains_key("client_secret") && !form.contains_key("client_id"));
    let tokens = profile.tokens.expect("tokens");
    assert_eq!(tokens.refresh.expect("one").expose(), REFRESH_TOKEN);
    assert!(tokens.id_token.is_some());
    assert_eq!(tokens.expires, Some(NOW.plus(Duration::from_secs(300))));
}

#[tokio::test]
async fn the_client_secret_goes_where_the_provider_wants_it() {
    let provider = FakeProvider::start().await;
    let takes = |methods: Value| {
        provider.change(|ways| {
            ways.metadata = Some(Box::new(move |metadata| {
                metadata["token_endpoint_auth_methods_supported"] = methods.clone();
            }));
        });
    };
    takes(json!(["private_key_jwt", "client_secret_post"]));
    provider.sign_in(&provider.client()).await.expect("let in");
    let (form, authorization) = provider.last_grant();
    assert_eq!((form["client_secret"].as_str(), authorization.as_str()), ("client: s3cret/+%", ""));
    takes(json!(["client_secret_post", "client_secret_basic"]));
    provider.sign_in(&provider.client()).await.expect("let in");
    assert_eq!(provider.last_grant().1, basic());
    takes(json!(["private_key_jwt"]));
    let error = provider.sign_in(&provider.client()).await.expect_err("no way");
    assert_eq!(error.code(), "provider_misfit");
}

#[tokio::test]
async fn a_public_client_has_no_secret() {
    let provider = FakeProvider::start().await;
    let mut settings = provider.settings();
    settings.client_secret = None;
    let client = OidcProvider::new(Arc::new(settings));
    provider.sign_in(&client).await.expect("let in");
    let (form, authorization) = provider.last_grant();
    assert_eq!((form["client_id"].as_str(), authorization.as_str()), (CLIENT, ""));
    assert!(!form.contains_key("client_secret"));
}

#[tokio::test]
async fn names_below_localhost_are_this_machine() {
    let provider = FakeProvider::start_as("id.localhost").await;
    provider.sign_in(&provider.client()).await.expect("let in");
}

#[tokio::test]
async fn who_has_signed_in() {
    let provider = FakeProvider::start().await;
    provider.change(|ways| {
        ways.claims = Some(Box::new(|claims| {
            claims["amr"] = json!(["mfa"]);
            claims["address"] = json!({ "country": "AT" });
        }));
        ways.user_info = Some(Box::new(|said| {
            said["email"] = "other@example.com".into();
            said["groups"] = json!(["admins"]);
            said["team"] = "red".into();
        }));
    });
    let profile = provider.sign_in(&provider.client()).await.expect("let in");
    assert_eq!(profile.provider, provider.issuer());
    assert_eq!((profile.subject.as_str(), profile.name.as_str()), ("u-1", "Ann"));
    assert_eq!(profile.email, "ann@example.com", "the ID token counts");
    assert_eq!(profile.groups, Some(vec!["eng".to_owned()]));
    assert_eq!(profile.provider_session, "s-1");
    let names: Vec<&str> = profile.claims.as_map().keys().map(String::as_str).collect();
    let kept =
        ["address.country", "amr", "email", "email_verified", "groups", "name", "sub", "team"];
    assert_eq!(names, kept);
    assert_eq!(claim(&profile, "team").as_deref(), Some(r#"["red"]"#));
    assert_eq!(claim(&profile, "amr").as_deref(), Some(r#"["mfa"]"#));
}

#[tokio::test]
async fn a_provider_without_user_info() {
    let provider = FakeProvider::start().await;
    provider.change(|ways| {
        ways.metadata = Some(Box::new(|metadata| {
            metadata.as_object_mut().expect("metadata").remove("userinfo_endpoint");
        }));
    });
    let profile = provider.sign_in(&provider.client()).await.expect("let in");
    assert_eq!((profile.email.as_str(), profile.name.as_str()), ("ann@example.com", ""));
    assert_eq!(provider.asked("/userinfo"), 0);
}

// --- asking the provider about itself

#[tokio::test]
async fn many_at_once_ask_once() {
    let provider = FakeProvider::start().await;
    let client = Arc::new(provider.client());
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let client = Arc::clone(&client);
        asking.spawn(async move { client.begin(&callback(), NOW).await.is_ok() });
    }
    assert!(asking.join_all().await.into_iter().all(|begun| begun));
    assert_eq!((provider.asked(DESCRIPTION), provider.asked("/jwks")), (1, 1));
}

#[tokio::test]
async fn a_failure_is_not_repeated_by_everybody() {
    let provider = FakeProvider::start().await;
    let raw = Raw::new(500, "text/plain", "");
    provider.change(|ways| drop(ways.raw.insert(DESCRIPTION, raw)));
    let client = provider.client();
    for seconds in [0, 0, 0, 4] {
        let now = NOW.plus(Duration::from_secs(seconds));
        let error = client.begin(&callback(), now).await.expect_err("down");
        assert_eq!(error.code(), "provider_unreachable");
    }
    assert_eq!(provider.asked(DESCRIPTION), 1);
    provider.change(|ways| ways.raw.clear());
    let later = NOW.plus(Duration::from_secs(5));
    assert!(client.begin(&callback(), later).await.is_ok());
    assert_eq!(provider.asked(DESCRIPTION), 2);
}

#[tokio::test]
async fn what_is_known_ages() {
    let provider = FakeProvider::start().await;
    let client = provider.client();
    let begin = async |seconds: u64| {
        client.begin(&callback(), NOW.plus(Duration::from_secs(seconds))).await.is_ok()
    };
    assert!(begin(0).await && begin(3_599).await);
    assert_eq!(provider.asked(DESCRIPTION), 1);
    assert!(begin(3_600).await);
    assert_eq!(provider.asked(DESCRIPTION), 2);
    // What was known serves while nothing newer can be had, for a day.
    let raw = Raw::new(500, "text/plain", "");
    provider.change(|ways| drop(ways.raw.insert(DESCRIPTION, raw)));
    assert!(begin(7_200).await && begin(7_204).await);
    assert_eq!(provider.asked(DESCRIPTION), 3);
    assert!(begin(7_205).await);
    assert_eq!(provider.asked(DESCRIPTION), 4);
    assert!(begin(3_600 + 86_399).await);
    assert!(!begin(3_600 + 86_400).await);
}

// --- refreshing

#[tokio::test]
async fn a_refresh_tells_what_is_true_now() {
    let provider = FakeProvider::start().await;
    let client = provider.client();
    let before = provider.sign_in(&client).await.expect("let in").tokens.expect("tokens");
    provider.change(|ways| {
        ways.claims = Some(Box::new(|claims| claims["groups"] = json!(["ops"])));
        ways.tokens = Some(Box::new(|tokens| {
            tokens["refresh_token"] = "next".into();
            tokens["expires_in"] = 60.into();
        }));
    });
    let later = NOW.plus(Duration::from_secs(100));
    let profile = client.refresh(&before, "u-1", later).await.expect("refreshed");
    assert_eq!(profile.groups, Some(vec!["ops".to_owned()]));
    let tokens = profile.tokens.expect("tokens");
    assert_eq!(tokens.refresh.expect("one").expose(), "next");
    assert_eq!(tokens.expires, Some(later.plus(Duration::from_secs(60))));
    let (form, authorization) = provider.last_grant();
    assert_eq!(form["grant_type"], "refresh_token");
    assert_eq!(authorization, basic());
}

#[tokio::test]
async fn a_refresh_without_a_new_id_token() {
    let provider = FakeProvider::start().await;
    let client = provider.client();
    let before = provider.sign_in(&client).await.expect("let in").tokens.expect("tokens");
    provider.change(|ways| {
        ways.tokens = Some(Box::new(|tokens| {
            *tokens = json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer" });
        }));
        ways.user_info = Some(Box::new(|said| said["groups"] = json!(["ops"])));
    });
    let profile = client.refresh(&before, "u-1", NOW).await.expect("refreshed");
    assert_eq!(profile.groups, Some(vec!["ops".to_owned()]), "UserInfo is newer");
    assert_eq!(profile.email, "ann@example.com");
    assert_eq!(profile.provider_session, "s-1");
    let tokens = profile.tokens.expect("tokens");
    assert_eq!(tokens.refresh.expect("kept").expose(), REFRESH_TOKEN);
    assert!(tokens.id_token.is_some() && tokens.expires.is_none());
    let somebody = client.refresh(&before, "u-2", NOW).await.expect_err("not them");
    assert!(somebody.is_final());
}

#[tokio::test]
async fn nothing_to_refresh_with() {
    let provider = FakeProvider::start().await;
    let tokens = ProviderTokens { refresh: None, id_token: None, expires: None };
    let error = provider.client().refresh(&tokens, "u-1", NOW).await.expect_err("nothing");
    assert!(error.is_final());
    let tokens = ProviderTokens { refresh: Some(Secret::new("old".to_owned())), ..tokens };
    let error = provider.client().refresh(&tokens, "u-1", NOW).await.expect_err("refused");
    assert_eq!(error.code(), "refresh_refused");
}

// --- signing out there

#[tokio::test]
async fn where_to_sign_out() {
    let provider = FakeProvider::start().await;
    let client = provider.client();
    let back = Url::parse("https://authenticate.example.com/.pomerium/signed_out").expect("a URL");
    let token = Secret::new("an.id.token".to_owned());
    let logout = Logout { id_token: Some(&token), redirect_uri: &back, state: "s t" };
    let url = client.logout_url(logout, NOW).await.expect("a page");
    assert_eq!(url.path(), "/end");
    let expected = json!({
        "way": "back", "client_id": CLIENT, "id_token_hint": "an.id.token", "state": "s t",
        "post_logout_redirect_uri": back.as_str(),
    });
    assert_eq!(json!(query(&url)), expected);
    let url = client.logout_url(Logout { id_token: None, ..logout }, NOW).await.expect("a page");
    assert!(!query(&url).contains_key("id_token_hint"));
    provider.change(|ways| {
        ways.metadata = Some(Box::new(|metadata| {
            metadata.as_object_mut().expect("metadata").remove("end_session_endpoint");
        }));
    });
    assert!(provider.client().logout_url(logout, NOW).await.is_none());
}

fn logout_claims(issuer: &str) -> Value {
    let now = NOW.unix();
    json!({
        "iss": issuer, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": "n-1",
        "sub": "u-1", "sid": "s-1",
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    })
}

#[tokio::test]
async fn the_provider_says_that_somebody_has_signed_out() {
    let provider = FakeProvider::start().await;
    let client = provider.client();
    let issuer = provider.issuer();
    let right = logout_claims(&issuer);
    for typ in ["logout+jwt", "Logout+JWT", "application/logout+jwt", "JWT"] {
        let notice = client.logout_token(&provider.jwt(&right, typ), NOW).await.expect(typ);
        let expected = LogoutNotice {
            issuer: issuer.clone(),
            subject: Some("u-1".to_owned()),
            session: Some("s-1".to_owned()),
            id: "n-1".to_owned(),
            issued: NOW,
            usable_until: NOW.plus(Duration::from_secs(180)),
        };
        assert_eq!(notice, expected);
    }
    for edit in [
        json!({ "sub": null }),
        json!({ "sid": null }),
        json!({ "exp": null }),
        json!({ "aud": ["other", CLIENT] }),
        json!({ "iat": NOW.unix() + 59 }),
        json!({ "exp": NOW.unix() - 59, "iat": NOW.unix() - 200 }),
    ] {
        let jwt = provider.jwt(&edited(&right, &edit), "logout+jwt");
        assert!(client.logout_token(&jwt, NOW).await.is_ok(), "{edit}");
    }
}

/// With other members; `null` removes one.
fn edited(claims: &Value, edit: &Value) -> Value {
    let mut claims = claims.clone();
    for (name, value) in edit.as_object().expect("members") {
        let members = claims.as_object_mut().expect("members");
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    claims
}

#[tokio::test]
async fn logout_tokens_that_are_none() {
    let provider = FakeProvider::start().await;
    let client = provider.client();
    let right = logout_claims(&provider.issuer());
    let now = NOW.unix();
    for edit in [
        json!({ "iss": "https://evil.example.com" }),
        json!({ "iss": null }),
        json!({ "aud": "other" }),
        json!({ "aud": [] }),
        json!({ "aud": null }),
        json!({ "nonce": "any" }),
        json!({ "events": null }),
        json!({ "events": {} }),
        json!({ "events": ["http://schemas.openid.net/event/backchannel-logout"] }),
        json!({ "events": { "http://schemas.openid.net/event/backchannel-logout": true } }),
        json!({ "jti": null }),
        json!({ "jti": 1 }),
        json!({ "jti": "x".repeat(256) }),
        json!({ "sub": null, "sid": null }),
        json!({ "sub": "" }),
        json!({ "sid": ["s-1"] }),
        json!({ "iat": null }),
        json!({ "iat": now + 61 }),
        json!({ "iat": now - 661, "exp": now + 60 }),
        json!({ "exp": now - 60 }),
        json!({ "exp": "soon" }),
    ] {
        let jwt = provider.jwt(&edited(&right, &edit), "logout+jwt");
        let error = client.logout_token(&jwt, NOW).await.expect_err(&edit.to_string());
        assert_eq!(error.code(), "bad_token", "{edit}");
    }
    for typ in ["at+jwt", "secevent+jwt", ""] {
        assert!(client.logout_token(&provider.jwt(&right, typ), NOW).await.is_err(), "{typ}");
    }
    for signing in [
        Signing::None(""),
        Signing::Forged,
        Signing::Named("k9"),
        Signing::Shared(b"client: s3cret/+%".to_vec()),
    ] {
        let told = format!("{signing:?}");
        provider.change(|ways| ways.signing = signing);
        let jwt = provider.jwt(&right, "logout+jwt");
        assert!(client.logout_token(&jwt, NOW).await.is_err(), "{told}");
    }
    provider.change(|ways| ways.signing = Signing::Right);
    let good = provider.jwt(&right, "logout+jwt");
    for jwt in ["", ".", "..", "a.b", "a.b.c.d", &format!("{good}."), &format!("{good}A")] {
        assert!(client.logout_token(jwt, NOW).await.is_err(), "{jwt}");
    }
    let twice = provider.sign_in(&client).await.expect("let in").tokens.expect("tokens");
    let id_token = twice.id_token.expect("one");
    assert!(client.logout_token(id_token.expose(), NOW).await.is_err(), "an ID token is none");
}

#[tokio::test]
async fn anybody_can_send_logout_tokens_but_not_make_us_ask() {
    let provider = FakeProvider::start().await;
    let client = provider.client();
    let right = logout_claims(&provider.issuer());
    provider.change(|ways| ways.signing = Signing::Named("k9"));
    let jwt = provider.jwt(&right, "logout+jwt");
    for _ in 0..50 {
        assert!(client.logout_token(&jwt, NOW).await.is_err());
    }
    assert_eq!(provider.asked("/jwks"), 1);
    // What is no JWT of a provider is not worth a question at all.
    let fresh = provider.client();
    assert!(fresh.logout_token("junk", NOW).await.is_err());
    provider.change(|ways| ways.signing = Signing::None(""));
    assert!(fresh.logout_token(&provider.jwt(&right, "logout+jwt"), NOW).await.is_err());
    assert_eq!(provider.asked(DESCRIPTION), 1);
}

#[test]
fn names_of_providers() {
    for text in [
        "https://id.example.com",
        "https://id.example.com/",
        "https://id.example.com/realms/a",
        "http://localhost:8080",
        "http://id.localhost/x",
        "http://127.0.0.1:1",
        "http://[::1]:1",
    ] {
        assert_eq!(Issuer::parse(text).expect(text).as_str(), text);
    }
    for text in [
        "",
        "id.example.com",
        "http://id.example.com",
        "ftp://localhost",
        "https://id.example.com?x",
        "https://id.example.com#x",
        "https://user@id.example.com",
        "https://:pass@id.example.com",
        "javascript:alert(1)",
    ] {
        assert!(Issuer::parse(text).is_none(), "{text}");
    }
}
