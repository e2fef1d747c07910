//! Sign-in at a certified OpenID provider, by somebody with a browser.

use crate::support::oidc_provider::{OidcServer, Options, PASSWORD};
use crate::support::visitor::{Page, Visitor};
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use lictor::clock::{Clock, SystemClock};
use lictor::provider::{Answer, Begun, Logout, OidcProvider, Profile, SignInError};
use lictor::secret::Secret;
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use url::Url;

fn now() -> lictor::time::Timestamp {
    SystemClock.now()
}

fn callback() -> Url {
    Url::parse(&Options::default().callback).expect("a URL")
}

fn parameters(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

/// Goes to the provider, and comes back: what the callback would be asked for.
async fn answer_of(visitor: &mut Visitor, begun: &Begun, fields: &[(&str, &str)]) -> Url {
    let end = callback();
    let page = visitor.get(&begun.url).await;
    let page = visitor.follow(page, end.as_str()).await;
    let page = visitor.submit(&page, fields).await;
    let page = visitor.follow(page, end.as_str()).await;
    page.location.unwrap_or_else(|| panic!("stuck at {}: {}", page.url, page.body))
}

async fn begin(client: &OidcProvider) -> Begun {
    client.begin(&callback(), now()).await.expect("begun")
}

async fn finish(client: &OidcProvider, begun: &Begun, back: &Url) -> Result<Profile, SignInError> {
    let given = parameters(back);
    assert_eq!(&given["state"], begun.state.expose());
    let answer = Answer {
        redirect_uri: &callback(),
        code: &given["code"],
        issuer: given.get("iss").map(String::as_str),
        nonce: &begun.nonce,
        verifier: &begun.verifier,
    };
    client.finish(answer, now()).await
}

async fn sign_in(
    visitor: &mut Visitor,
    client: &OidcProvider,
    name: &str,
) -> Result<Profile, SignInError> {
    let begun = begin(client).await;
    let password = format!("{name}{PASSWORD}");
    let back = answer_of(visitor, &begun, &[("login", name), ("password", &password)]).await;
    finish(client, &begun, &back).await
}

#[tokio::test]
async fn somebody_signs_in() {
    let server = OidcServer::start(&Options::default());
    let profile = sign_in(&mut Visitor::default(), &server.client(), "ann").await.expect("let in");
    assert_eq!(profile.provider, server.issuer);
    assert_eq!((profile.subject.as_str(), profile.email.as_str()), ("ann", "ann@example.com"));
    assert_eq!(profile.name, "ann of Example");
    assert_eq!(profile.groups, Some(vec!["eng".to_owned(), "ops".to_owned()]));
    let names: Vec<&str> = profile.claims.as_map().keys().map(String::as_str).collect();
    assert_eq!(names, ["email", "email_verified", "groups", "name", "sub"]);
    let tokens = profile.tokens.expect("tokens");
    assert!(tokens.refresh.is_some() && tokens.id_token.is_some() && tokens.expires.is_some());
    let doubted = sign_in(&mut Visitor::default(), &server.client(), "carl").await.expect("let in");
    assert_eq!((doubted.subject.as_str(), doubted.email.as_str()), ("carl", ""));
    assert!(!doubted.claims.as_map().contains_key("email"));
}

#[tokio::test]
async fn by_every_kind_of_signature_and_client() {
    for client in [
        json!({ "id_token_signed_response_alg": "PS256" }),
        json!({ "id_token_signed_response_alg": "ES256" }),
        json!({ "id_token_signed_response_alg": "EdDSA" }),
        json!({ "userinfo_signed_response_alg": "RS256" }),
        json!({ "token_endpoint_auth_method": "none", "client_secret": null }),
    ] {
        let told = client.to_string();
        let mut client = client;
        client.as_object_mut().expect("members").retain(|_, value| !value.is_null());
        let options = Options { client, id_token_claims: true, ..Options::default() };
        let server = OidcServer::start(&options);
        let profile = sign_in(&mut Visitor::default(), &server.client(), "ann").await;
        assert_eq!(profile.expect(&told).email, "ann@example.com", "{told}");
    }
}

#[tokio::test]
async fn by_a_name_of_this_machine() {
    let options = Options { host: "id.localhost", ..Options::default() };
    let server = OidcServer::start(&options);
    let profile = sign_in(&mut Visitor::default(), &server.client(), "bob").await.expect("let in");
    assert_eq!((profile.provider.as_str(), profile.groups), (server.issuer.as_str(), Some(vec![])));
}

#[tokio::test]
async fn whoever_does_not_know_the_password() {
    let server = OidcServer::start(&Options::default());
    let begun = begin(&server.client()).await;
    let mut visitor = Visitor::default();
    let page = visitor.get(&begun.url).await;
    let page = visitor.follow(page, callback().as_str()).await;
    let page: Page = visitor.submit(&page, &[("login", "ann"), ("password", "guess")]).await;
    assert_eq!((page.status, page.location), (401, None));
}

#[tokio::test]
async fn somebody_who_says_no() {
    let server = OidcServer::start(&Options::default());
    let begun = begin(&server.client()).await;
    let back = answer_of(&mut Visitor::default(), &begun, &[("abort", "yes")]).await;
    let given = parameters(&back);
    assert_eq!(&given["state"], begun.state.expose());
    let error = SignInError::answered(&given["error"], "");
    assert_eq!(error.code(), "provider_declined");
}

#[tokio::test]
async fn a_code_counts_once_and_for_its_own_attempt() {
    let server = OidcServer::start(&Options::default());
    let client = server.client();
    let (mut visitor, mut thief) = (Visitor::default(), Visitor::default());
    let fields = [("login", "ann"), ("password", "ann's password")];
    let begun = begin(&client).await;
    let back = answer_of(&mut visitor, &begun, &fields).await;
    // Injected into the attempt of somebody else: PKCE.
    let other = begin(&client).await;
    let own =
        answer_of(&mut thief, &other, &[("login", "bob"), ("password", "bob's password")]).await;
    let given = parameters(&back);
    let injected = Answer {
        redirect_uri: &callback(),
        code: &given["code"],
        issuer: given.get("iss").map(String::as_str),
        nonce: &other.nonce,
        verifier: &other.verifier,
    };
    let refused = client.finish(injected, now()).await.expect_err("injected");
    assert_eq!(refused.code(), "code_refused", "{refused}");
    assert_eq!(finish(&client, &other, &own).await.expect("let in").subject, "bob");
    let again = finish(&client, &other, &own).await.expect_err("used before");
    assert_eq!(again.code(), "code_refused", "{again}");
}

#[tokio::test]
async fn the_answer_names_its_issuer() {
    let server = OidcServer::start(&Options::default());
    let client = server.client();
    let begun = begin(&client).await;
    let fields = [("login", "ann"), ("password", "ann's password")];
    let back = answer_of(&mut Visitor::default(), &begun, &fields).await;
    assert_eq!(parameters(&back)["iss"], server.issuer);
    let without = Url::parse_with_params(
        callback().as_str(),
        back.query_pairs().filter(|(name, _)| name != "iss"),
    );
    let error = finish(&client, &begun, &without.expect("a URL")).await.expect_err("promised");
    assert_eq!(error.code(), "wrong_issuer");
}

#[tokio::test]
async fn a_wrong_client_secret() {
    let server = OidcServer::start(&Options::default());
    let mut settings = server.settings();
    settings.client_secret = Some(Secret::new("wrong".to_owned()));
    let client = OidcProvider::new(Arc::new(settings));
    let error = sign_in(&mut Visitor::default(), &client, "ann").await.expect_err("refused");
    assert_eq!(error.code(), "provider_misfit", "{error}");
}

#[tokio::test]
async fn a_sign_in_is_confirmed_until_it_is_over() {
    let options = Options { ttl: json!({ "AccessToken": 120 }), ..Options::default() };
    let server = OidcServer::start(&options);
    let client = server.client();
    let first = sign_in(&mut Visitor::default(), &client, "ann").await.expect("let in");
    let old = first.tokens.expect("tokens");
    let life = old.expires.expect("told").unix() - now().unix();
    assert!((100..=120).contains(&life), "{life}");
    let second = client.refresh(&old, "ann", now()).await.expect("refreshed");
    assert_eq!((second.subject.as_str(), second.email.as_str()), ("ann", "ann@example.com"));
    assert_eq!(second.provider_session, first.provider_session);
    let new = second.tokens.expect("tokens");
    let refresh = |tokens: &lictor::provider::ProviderTokens| {
        tokens.refresh.as_ref().map(|token| token.expose().clone())
    };
    assert!(refresh(&new) != refresh(&old), "rotated");
    assert!(client.refresh(&new, "bob", now()).await.expect_err("somebody else").is_final());
    // The old one again: stolen, for all the provider knows, so everything is revoked.
    let again = client.refresh(&old, "ann", now()).await.expect_err("used before");
    assert_eq!((again.code(), again.is_final()), ("refresh_refused", true));
    drop(server);
    let gone = client.refresh(&old, "ann", now()).await.expect_err("nobody there");
    assert_eq!((gone.code(), gone.is_final()), ("provider_unreachable", false));
}

/// Logout tokens that came.
type Received = Arc<Mutex<Vec<String>>>;

async fn receive(State(received): State<Received>, body: String) {
    let form: HashMap<String, String> =
        url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    received.lock().expect("nobody panicked").push(form["logout_token"].clone());
}

#[tokio::test]
async fn signing_out_on_either_side() {
    let received = Received::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let routes = Router::new().route("/out", post(receive)).with_state(Arc::clone(&received));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let options =
        Options { back_channel: Some(format!("http://{address}/out")), ..Options::default() };
    let server = OidcServer::start(&options);
    let client = server.client();
    let mut visitor = Visitor::default();
    let profile = sign_in(&mut visitor, &client, "ann").await.expect("let in");
    assert!(!profile.provider_session.is_empty());
    let tokens = profile.tokens.as_ref().expect("tokens");
    let back = Url::parse(&options.signed_out).expect("a URL");
    let logout =
        Logout { id_token: tokens.id_token.as_ref(), redirect_uri: &back, state: "a state" };
    let url = client.logout_url(logout, now()).await.expect("a page");
    let page = visitor.get(&url).await;
    let page = visitor.submit(&page, &[("logout", "yes")]).await;
    let page = visitor.follow(page, back.as_str()).await;
    let came_back = page.location.expect("back");
    assert_eq!(came_back.as_str(), format!("{back}?state=a+state"));
    let jwt = received.lock().expect("nobody panicked").pop().expect("a logout token");
    let notice = client.logout_token(&jwt, now()).await.expect("a notice");
    assert_eq!(notice.issuer, server.issuer);
    assert_eq!(notice.session.as_deref(), Some(profile.provider_session.as_str()));
    assert_eq!(notice.subject.as_deref(), Some("ann"));
    assert!(!notice.id.is_empty());
    let late = notice.usable_until;
    assert_eq!(client.logout_token(&jwt, late).await.expect_err("late").code(), "bad_token");
}
