//! What is promised of machines, line by line; each line has a number by which its tests are found. Lines
//! that are about programs or pages stand with them: 9 in `api_clients`, 13 in `envoy_console`.

use crate::support::estate::{CONFIG, Estate};
use crate::support::house::{House, directory};
use crate::support::listening::listen;
use crate::support::store::Place;
use crate::support::uses;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lictor::activity::Verb;
use lictor::admin::{AccountEdit, AdminError, Expiry, NamespaceEdit};
use lictor::identity::Directory;
use lictor::service_account::AccountName;
use lictor::time::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Asks once and gives the status, and why in the words of the log.
async fn reason(estate: &Estate, name: &str, token: &str) -> (u16, String) {
    let (listening, heard) = listen();
    let answer = estate.ask(name, token).await;
    drop(listening);
    let line = heard.decisions().pop().expect("a line");
    let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
    let error = text("session-error");
    (answer.status, if error.is_empty() { text("reason") } else { error })
}

// --- 1: confinement

#[tokio::test]
async fn line_01_an_account_goes_where_its_namespace_reaches_and_nowhere_else() {
    let estate = Estate::open().await;
    let unique = estate.make(estate.unique("ci", &estate.design)).await;
    let acting = estate.make(estate.acting_as("u-alice", &estate.design)).await;
    for machine in [&unique, &acting] {
        let token = &machine.token;
        assert_eq!(reason(&estate, "design", token).await, (200, "allowed".to_owned()));
        assert_eq!(reason(&estate, "web", token).await, (200, "allowed".to_owned()));
        let outside = (403, "service-account-out-of-namespace".to_owned());
        assert_eq!(reason(&estate, "sales", token).await, outside, "its policy allows everybody");
        assert_eq!(reason(&estate, "open", token).await, outside, "public, and in Global");
        assert_eq!(reason(&estate, "design-closed", token).await, (403, "forbidden".to_owned()));
    }
    let names_it = format!("allow: {{or: [{{user: {{is: '{}'}}}}]}}", unique.record.user);
    estate.policy("ci everywhere", &names_it, ["sales-closed".to_owned()]).await;
    assert_eq!(estate.ask("sales-closed", &unique.token).await.status, 403);
    // What one that does not fit is told is what everybody is told who is refused.
    let refused = estate.ask("design-closed", &unique.token).await;
    let outside = estate.ask("sales", &unique.token).await;
    assert_eq!((refused.body, refused.headers), (outside.body, outside.headers));
    estate.house.close().await;
}

#[tokio::test]
async fn line_01_an_account_of_global_goes_everywhere() {
    let estate = Estate::open().await;
    let machine = estate.make(estate.unique("everywhere", &estate.global)).await;
    assert_eq!(machine.record.user, "everywhere");
    for place in ["design", "web", "sales", "open"] {
        assert_eq!(estate.ask(place, &machine.token).await.status, 200, "{place}");
    }
    estate.house.close().await;
}

#[tokio::test]
async fn line_01_the_assertion_names_the_person_and_the_machine() {
    let estate = Estate::open().await;
    let acting = estate.make(estate.acting_as("u-alice", &estate.design)).await;
    let claims = estate.ask("design", &acting.token).await.claims();
    assert_eq!(claims["sub"], "u-alice");
    assert_eq!(claims["email"], "alice@corp.test");
    assert_eq!(claims["act"]["sub"], acting.id().as_str());
    let unique = estate.make(estate.unique("ci", &estate.design)).await;
    let claims = estate.ask("design", &unique.token).await.claims();
    assert_eq!(claims["sub"], unique.record.user);
    assert_eq!(claims["sub"], format!("ci@{}.pomerium", estate.design));
    assert!(claims.get("act").is_none() && claims.get("email").is_none_or(|mail| mail == ""));
    estate.house.close().await;
}

// --- 2: a namespace moves

#[tokio::test]
async fn line_02_moving_a_namespace_moves_who_reaches_it() {
    let estate = Estate::open().await;
    let design = estate.make(estate.unique("ci", &estate.design)).await;
    let sales = estate.make(estate.unique("ci", &estate.sales)).await;
    assert_eq!(estate.ask("web", &design.token).await.status, 200);
    assert_eq!(estate.ask("web", &sales.token).await.status, 403);
    let edit = NamespaceEdit { parent: Some(estate.sales.clone()), ..NamespaceEdit::default() };
    let admin = &estate.house.admin;
    admin.update_namespace(&estate.by, &estate.web, edit, estate.at()).await.expect("moved");
    assert_eq!(estate.ask("web", &design.token).await.status, 403);
    assert_eq!(estate.ask("web", &sales.token).await.status, 200);
    estate.house.close().await;
}

// --- 3: each way to an end

#[tokio::test]
async fn line_03_each_end_has_its_reason_and_one_answer() {
    let estate = Estate::open().await;
    let admin = &estate.house.admin;
    let make = async |name: &str| estate.make(estate.unique(name, &estate.design)).await;
    let (deleted, disabled) = (make("deleted").await, make("disabled").await);
    let (revoked, expired) = (make("revoked").await, make("expired").await);
    let gone = estate.make(estate.acting_as("u-alice", &estate.design)).await;
    let blocked = estate.make(estate.acting_as("u-bob", &estate.design)).await;
    let rotated = make("rotated").await;
    let all = [&deleted, &disabled, &revoked, &expired, &gone, &blocked, &rotated];
    for machine in all {
        assert_eq!(estate.ask("design", &machine.token).await.status, 200);
    }
    admin.delete_account(&estate.by, deleted.id(), None, estate.at()).await.expect("deleted");
    admin.disable_account(&estate.by, disabled.id(), estate.at()).await.expect("disabled");
    let credential = &revoked.credential;
    let revoke = admin.revoke_credential(&estate.by, revoked.id(), credential, estate.at());
    revoke.await.expect("revoked");
    let ends = Expiry::At(estate.now().plus(Duration::from_secs(10)));
    let edit = AccountEdit { expires: ends, ..AccountEdit::default() };
    admin.update_account(&estate.by, expired.id(), edit, estate.at()).await.expect("shortened");
    estate.house.later(10);
    admin.block(&estate.by, "u-bob", "left", estate.at()).await.expect("blocked");
    estate.house.state.replace_directory(&Arc::new(without("u-alice")));
    estate.rotate(rotated.id(), 0).await;
    let wanted = [
        (&deleted, "service-account-deleted"),
        (&disabled, "service-account-disabled"),
        (&revoked, "credential-revoked"),
        (&expired, "service-account-expired"),
        (&gone, "impersonated-user-gone"),
        (&blocked, "user-blocked"),
        (&rotated, "credential-superseded"),
    ];
    let mut answers = Vec::new();
    for (machine, why) in wanted {
        assert_eq!(reason(&estate, "design", &machine.token).await, (401, why.to_owned()));
        answers.push(estate.ask("design", &machine.token).await);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    let body = &answers[0].body;
    assert!(!wanted.iter().any(|(_, why)| body.contains(why)), "{body}");
    // What can be undone comes back.
    admin.enable_account(&estate.by, disabled.id(), estate.at()).await.expect("enabled");
    estate.house.state.replace_directory(&Arc::new(directory()));
    admin.unblock(&estate.by, "u-bob", estate.at()).await.expect("unblocked");
    for machine in [&disabled, &gone, &blocked] {
        assert_eq!(estate.ask("design", &machine.token).await.status, 200);
    }
    estate.house.close().await;
}

/// The directory without one of its people.
fn without(user: &str) -> Directory {
    let whole = directory();
    let users = whole.users().into_iter().map(|(_, other)| other.clone());
    let rest = users.filter(|other| other.id != user).collect();
    Directory::new(rest, Vec::new()).expect("a directory")
}

// --- 4: the very second

#[tokio::test]
async fn line_04_the_earlier_of_two_ends_counts_to_the_second() {
    let estate = Estate::open().await;
    let admin = &estate.house.admin;
    let after = |seconds| estate.now().plus(Duration::from_secs(seconds));
    // The account ends before its token does.
    let mut new = estate.unique("shortened", &estate.design);
    new.expires = Some(after(100));
    let shortened = estate.make(new).await;
    let edit = AccountEdit { expires: Expiry::At(after(50)), ..AccountEdit::default() };
    admin.update_account(&estate.by, shortened.id(), edit, estate.at()).await.expect("shortened");
    // The token ends before its account does.
    let mut new = estate.unique("extended", &estate.design);
    new.expires = Some(after(50));
    let extended = estate.make(new).await;
    let edit = AccountEdit { expires: Expiry::At(after(100)), ..AccountEdit::default() };
    admin.update_account(&estate.by, extended.id(), edit, estate.at()).await.expect("extended");
    estate.house.later(49);
    for machine in [&shortened, &extended] {
        assert_eq!(estate.ask("design", &machine.token).await.status, 200);
    }
    estate.house.later(1);
    assert_eq!(reason(&estate, "design", &shortened.token).await.1, "service-account-expired");
    assert_eq!(reason(&estate, "design", &extended.token).await.1, "credential-expired");
    let fresh = estate.rotate(extended.id(), 0).await;
    assert_eq!(estate.ask("design", fresh.token.expose()).await.status, 200);
    estate.house.later(50);
    assert_eq!(estate.ask("design", fresh.token.expose()).await.status, 401);
    estate.house.close().await;
}

// --- 5: rotation

#[tokio::test]
async fn line_05_old_and_new_serve_while_they_overlap() {
    let estate = Estate::open().await;
    let machine = estate.make(estate.unique("ci", &estate.design)).await;
    let new = estate.rotate(machine.id(), 3600).await;
    let both = [machine.token.as_str(), new.token.expose()];
    assert_ne!(both[0], both[1]);
    for token in both {
        assert_eq!(estate.ask("design", token).await.status, 200);
    }
    estate.house.later(3599);
    assert_eq!(estate.ask("design", both[0]).await.status, 200);
    estate.house.later(1);
    assert_eq!(reason(&estate, "design", both[0]).await.1, "credential-superseded");
    assert_eq!(estate.ask("design", both[1]).await.status, 200);
    estate.house.close().await;
}

// --- 6: the end of an account is final, and nothing that was done is lost

#[tokio::test(flavor = "multi_thread")]
async fn line_06_what_ends_under_traffic_stays_ended_in_a_file() {
    uses::ended_under_traffic(Place::file(), 40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn line_06_what_ends_under_traffic_stays_ended_in_a_database() {
    uses::ended_under_traffic(Place::postgres(), 40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn line_06_no_use_is_lost_when_a_server_stops_on_a_file() {
    uses::counted_to_the_end(Place::file()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn line_06_no_use_is_lost_when_a_server_stops_on_a_database() {
    uses::counted_to_the_end(Place::postgres()).await;
}

#[tokio::test]
async fn line_06_a_superseded_credential_raises_one_alert_an_hour() {
    uses::one_alert_an_hour(Place::postgres()).await;
}

// --- 8: tokens that are none

/// A compact JWS of `payload` with any header, signed with `key` by HMAC.
fn signed(header: &Value, payload: &Value, key: &[u8]) -> String {
    let parts = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let text = parts.join(".");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag))
}

#[tokio::test]
async fn line_08_forged_tokens_are_nobody() {
    let estate = Estate::open().await;
    let machine = estate.make(estate.unique("ci", &estate.design)).await;
    let payload = crate::support::house::payload(&machine.token);
    let key = &crate::support::fixture::host::SECRET_BYTES;
    let [_, body, tag]: [&str; 3] =
        machine.token.split('.').collect::<Vec<_>>().try_into().expect("three parts");
    let header = |header: Value| URL_SAFE_NO_PAD.encode(header.to_string());
    let hs = json!({ "alg": "HS256", "typ": "JWT" });
    let public = estate.house.settings().signing.jwks().to_string();
    let with = |name: &str, value: Value| {
        let mut changed = payload.clone();
        changed[name] = value;
        signed(&hs, &changed, key)
    };
    let unregistered = with("jti", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    let forged = [
        ("alg none", format!("{}.{body}.", header(json!({ "alg": "none" })))),
        ("alg none, signed", format!("{}.{body}.{tag}", header(json!({ "alg": "none" })))),
        ("the public key as the secret", signed(&hs, &payload, public.as_bytes())),
        ("another key", signed(&hs, &payload, &[9; 32])),
        ("a key of another name", signed(&json!({"alg": "HS256", "kid": "x"}), &payload, &[9; 32])),
        ("another algorithm", signed(&json!({ "alg": "ES256" }), &payload, key)),
        ("cut off", machine.token[..machine.token.len() - 5].to_owned()),
        ("without a signature", format!("{}.{body}", header(hs.clone()))),
        ("100 kB", format!("{}.{}.{tag}", header(hs.clone()), "A".repeat(100_000))),
        ("the real key, a secret that nobody gave out", unregistered),
        (
            "the public name of the credential as its secret",
            with("jti", json!(machine.credential.as_str())),
        ),
        ("another account", with("sid", json!("sa_00000000000000000000000000000000"))),
        ("another user id", with("sub", json!("root@corp.test"))),
        (
            "a critical extension",
            signed(&json!({"alg": "HS256", "crit": ["x"], "x": 1}), &payload, key),
        ),
        ("a member twice", twice(&hs, &payload, key)),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
    ];
    let mut answers = Vec::new();
    for (what, token) in &forged {
        let answer = estate.ask("design", token).await;
        assert_eq!(answer.status, 401, "{what}");
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "one answer for all");
    assert_eq!(estate.ask("design", &machine.token).await.status, 200);
    estate.house.close().await;
}

/// `jti` of nobody first, then the real one.
fn twice(header: &Value, payload: &Value, key: &[u8]) -> String {
    let text = payload.to_string().replacen('{', "{\"jti\":\"x\",", 1);
    let parts = [header.to_string(), text].map(|part| URL_SAFE_NO_PAD.encode(part));
    let signed = parts.join(".");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

// --- 7: every way to show a token, and none goes on

#[tokio::test]
async fn line_07_a_token_is_taken_in_every_form_and_sent_on_in_none() {
    let estate = Estate::open().await;
    let token = estate.make(estate.unique("ci", &estate.design)).await.token;
    let forged = ("x-pomerium-jwt-assertion", "forged");
    let header = |name: &'static str, value: String| (name, value);
    let forms = [
        header("x-pomerium-authorization", token.clone()),
        header("authorization", format!("Pomerium {token}")),
        header("authorization", format!("Bearer Pomerium-{token}")),
        header("authorization", format!("Bearer {token}")),
        header("cookie", format!("_pomerium={token}; theirs=1")),
    ];
    for (name, value) in forms {
        let answer = estate.ask_with("design", "/", &[(name, value.as_str()), forged]).await;
        assert_eq!(answer.status, 200, "{name}: {value}");
        assert_ne!(answer.headers["x-pomerium-jwt-assertion"], "forged");
        let left = answer.headers.get(name).cloned().unwrap_or_default();
        let stays = !answer.removed.iter().any(|removed| removed == name) && left.is_empty();
        assert!(!stays && !left.contains(&token), "{name} goes on: {answer:?}");
    }
    let path = format!("/?pomerium_session={token}&theirs=1");
    let answer = estate.ask_with("design", &path, &[forged]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.removed_query.iter().any(|name| name == "pomerium_session"), "{answer:?}");
    estate.house.close().await;
}

// --- 11: names

#[tokio::test]
async fn line_11_what_is_no_name_is_refused_by_field() {
    let estate = Estate::open().await;
    let long = "x".repeat(64);
    let names = ["", " ", "a b", "\n", "a\n", "a@b", &long, "🦊", "a\u{202e}b", ".a", "a/b"];
    for name in names {
        let refused = estate.try_make(estate.unique(name, &estate.design)).await;
        let Err(AdminError::Invalid(fields)) = refused else {
            panic!("{name:?}: {refused:?}");
        };
        assert_eq!(fields.len(), 1, "{name:?}: {fields:?}");
        assert!(AccountName::parse(name).is_err());
    }
    let made = estate.make(estate.unique(&"x".repeat(63), &estate.design)).await;
    assert_eq!(made.record.name.len(), 63);
    estate.house.close().await;
}

// --- 12 is about other clients; its rule holds here: what is not said stays

#[tokio::test]
async fn line_12_an_edit_that_says_nothing_of_the_expiry_keeps_it() {
    let estate = Estate::open().await;
    let expires = estate.now().plus(Duration::from_hours(1));
    let mut new = estate.unique("ci", &estate.design);
    new.expires = Some(expires);
    let machine = estate.make(new).await;
    let edit = AccountEdit { description: Some("more".to_owned()), ..AccountEdit::default() };
    let admin = &estate.house.admin;
    let view = admin.update_account(&estate.by, machine.id(), edit, estate.at()).await;
    let record = view.expect("changed").record;
    assert_eq!((record.expires, record.user), (Some(expires), machine.record.user));
    estate.house.close().await;
}

// --- 15: the log

#[tokio::test]
async fn line_15_the_log_can_be_shown_to_be_whole() {
    let estate = Estate::open().await;
    let machine = estate.make(estate.unique("ci", &estate.design)).await;
    estate.rotate(machine.id(), 60).await;
    let entries = estate.house.activity().await;
    let key = lictor::activity::ChainKey::derive(&crate::support::fixture::host::SECRET_BYTES);
    let head = lictor::activity::Head::default();
    assert!(lictor::activity::verify(&key, head.clone(), &entries).is_ok());
    let verbs: Vec<Verb> = entries.iter().map(|entry| entry.event.verb).collect();
    assert!(verbs.contains(&Verb::Create) && verbs.contains(&Verb::RotateCredential));
    for index in 0..entries.len() {
        let Some(deed) = &entries[index].event.deed else { continue };
        let changed = lictor::activity::Deed { after: "{}".to_owned(), ..(**deed).clone() };
        let mut entries = entries.clone();
        entries[index].event.deed = Some(Box::new(changed));
        assert!(lictor::activity::verify(&key, head.clone(), &entries).is_err(), "{index}");
    }
    estate.house.close().await;
}

// --- and what goes with them

#[tokio::test]
async fn people_who_are_blocked_are_nobody_at_once() {
    let estate = Estate::open().await;
    let mut browser = estate.house.signed_in("bob@corp.test").await;
    assert_eq!(browser.go("http://design.localhost/").await.status(), 200);
    let admin = &estate.house.admin;
    admin.block(&estate.by, "u-bob", "left", estate.at()).await.expect("blocked");
    assert_ne!(
        browser
            .request("GET", &"http://design.localhost/".parse().expect("a URL"), None)
            .await
            .status(),
        200
    );
    let again = estate
        .house
        .browser()
        .sign_in("http://auth.localhost/.pomerium/sign_in", "bob@corp.test")
        .await;
    assert_eq!(again.status(), 403, "{}", again.body());
    estate.house.close().await;
}

#[tokio::test]
async fn an_administrator_turns_the_bootstrap_secret_off_by_coming() {
    let estate = Estate::of(House::configured(CONFIG).await).await;
    let closed = || estate.house.state.snapshot().catalog.stored.bootstrap_closed;
    assert_eq!(closed(), None);
    estate.house.signed_in("alice@corp.test").await;
    assert_eq!(closed(), None, "no administrator");
    estate.house.signed_in("root@corp.test").await;
    assert_eq!(closed(), Some(estate.now()));
    let _: Option<Timestamp> = closed();
    estate.house.close().await;
}
