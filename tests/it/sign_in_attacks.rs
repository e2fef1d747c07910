//! Attacks on signing in, on sessions and on the pages around them, each kept as a test.

use crate::support::check::get;
use crate::support::fake_provider::{self, FakeProvider};
use crate::support::fixture::{NOW, host::SECRET_BYTES};
use crate::support::guests::{handle, handle_of, profile, ruled, saying, signed, signed_as};
use crate::support::house::{
    AUTHENTICATE, Browser, CONFIG, House, PASSWORD, Seen, attribute, hidden, payload,
};
use crate::support::listening::listen;
use crate::support::store::{Fault, Faulty, Place};
use aws_lc_rs::hmac::{self, HMAC_SHA256, HMAC_SHA384};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use lictor::demo::{Reply, exchange_body};
use lictor::session::HandleSecret;
use lictor::sign_in::{Attempt, BrowserKey, Code, Goal, Sealers, callback_with};
use lictor::signed_url;
use lictor::state::{Provider, Snapshot};
use lictor::store::CacheLimits;
use lictor::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

/// A link as only we can make it.
fn ours(text: &str, pairs: &[(&str, &str)], house: &House) -> Url {
    let mut link = url(text);
    link.query_pairs_mut().extend_pairs(pairs);
    signed_url::sign(link, &SECRET_BYTES, house.now())
}

fn sign_in_page() -> String {
    format!("{AUTHENTICATE}/.pomerium/sign_in")
}

/// Where an answer leads, if anywhere: by header, or by a page that goes on by itself.
fn leads(seen: &Seen) -> Option<String> {
    let reply = seen.reply();
    let refresh = reply.body.split_once("content=\"0;url=").map(|(_, rest)| rest);
    let refresh = refresh.and_then(|rest| rest.split_once('"')).map(|(to, _)| to.to_owned());
    reply.header("location").map(str::to_owned).or(refresh)
}

/// Goes one redirect after the other, up to the first that leads to `path`; gives that address.
async fn until(browser: &mut Browser<'_>, from: &Url, path: &str) -> Url {
    let mut at = from.clone();
    for _ in 0..8 {
        let seen = browser.request("GET", &at, None).await;
        let to = leads(&seen).unwrap_or_else(|| panic!("{at} leads nowhere: {seen:?}"));
        at = at.join(&to.replace("&#38;", "&").replace("&amp;", "&")).expect("a URL");
        if at.path() == path && at.query().is_some_and(|query| query.contains("pomerium_code")) {
            return at;
        }
    }
    panic!("never came to {path}");
}

/// The callback with a code, up to which somebody has come who wants to open a host.
async fn code_for(browser: &mut Browser<'_>, host: &str) -> Url {
    let wanted = format!("http://{host}.localhost/");
    browser.jars.entry(format!("{host}.localhost")).or_default().remove("_pomerium");
    until(browser, &url(&wanted), "/.pomerium/callback/").await
}

async fn raw(house: &House, lines: &[&str]) -> Reply {
    exchange_body(house.http, lines, b"").await.expect("an answer")
}

const ELSEWHERE: [&str; 32] = [
    "http://evil.test/",
    "//evil.test/",
    "///evil.test/",
    "/\\evil.test",
    "\\\\evil.test",
    "http:\\\\evil.test\\",
    "http:/evil.test/",
    "https:evil.test",
    "javascript:alert(1)",
    "JaVaScRiPt://any.localhost/%0aalert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "ftp://any.localhost/",
    "http://any.localhost@evil.test/",
    "http://evil.test@any.localhost/",
    "http://a:b@any.localhost/",
    "http://any.localhost:80@evil.test/",
    "http://any.localhost.evil.test/",
    "http://evil.any.localhost/",
    "http://evilany.localhost/",
    "http://any.localhost./",
    "https://any.localhost/",
    "http://any.localhost%2eevil.test/",
    "http://evil.test/?http://any.localhost/",
    "http://evil.test#@any.localhost/",
    "http://[::1]/",
    "http://127.0.0.1/",
    "http://xn--ny-7ia.localhost/",
    "http://\u{e1}ny.localhost/",
    "any.localhost",
    "",
];

// --- open redirects

#[tokio::test(flavor = "multi_thread")]
async fn a_link_leads_to_hosts_of_ours_only_even_a_signed_one() {
    let house = House::open().await;
    let mut root = house.guest("root@corp.test").await;
    for target in ELSEWHERE {
        let pairs = [("pomerium_redirect_uri", target)];
        for link in [
            ours(&sign_in_page(), &pairs, &house),
            ours("http://any.localhost/.pomerium/callback/", &pairs, &house),
            ours("http://auth.localhost/.pomerium/callback/", &pairs, &house),
        ] {
            for browser in [&mut root, &mut house.browser()] {
                let seen = browser.request("GET", &link, None).await;
                assert_eq!((seen.status(), leads(&seen)), (400, None), "{target} {link}");
            }
        }
    }
    // The same host, however it is written, is ours.
    for target in
        ["HTTP://ANY.LOCALHOST/a", "http://any.localhost:80/", "http://any\u{3002}localhost/"]
    {
        let link = ours(&sign_in_page(), &[("pomerium_redirect_uri", target)], &house);
        let to = leads(&root.request("GET", &link, None).await).expect("leads on");
        assert!(to.starts_with("http://any.localhost/.pomerium/callback/?"), "{target} {to}");
    }
    // Line ends do not get into the address.
    let broken = "http://any.localhost/\r\nSet-Cookie: _pomerium=x\r\n\r\n<script>";
    let link = ours(&sign_in_page(), &[("pomerium_redirect_uri", broken)], &house);
    let seen = root.request("GET", &link, None).await;
    assert_eq!(seen.status(), 302);
    assert!(seen.reply().headers.iter().all(|(name, _)| name != "set-cookie"), "{seen:?}");
    // A page of the host where one signs in is no destination.
    for page in ["admin/impersonate", "sign_out", "callback/", ""] {
        let page = format!("{AUTHENTICATE}/.pomerium/{page}");
        let link = ours(&sign_in_page(), &[("pomerium_redirect_uri", &page)], &house);
        let seen = root.request("GET", &link, None).await;
        assert_eq!(leads(&seen).as_deref(), Some("http://auth.localhost/.pomerium/"));
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_port_is_another_host_where_ports_count() {
    let strict = CONFIG.to_owned() + "runtime_flags: {match_any_incoming_port: false}\n";
    let house =
        House::configured(&strict.replace("http://dom.localhost", "http://dom.localhost:8080"))
            .await;
    let mut root = house.guest("root@corp.test").await;
    for (target, good) in [
        ("http://any.localhost/", true),
        ("http://any.localhost:9999/", false),
        ("http://any.localhost:443/", false),
        ("http://dom.localhost:8080/", true),
        ("http://dom.localhost:8081/", false),
        ("http://auth.localhost:9999/", false),
    ] {
        let link = ours(&sign_in_page(), &[("pomerium_redirect_uri", target)], &house);
        let seen = root.request("GET", &link, None).await;
        assert_eq!(seen.status(), if good { 302 } else { 400 }, "{target}");
    }
    // The host where one signs in has one port, whatever routes have.
    for strict in [strict.as_str(), CONFIG] {
        house.reload(strict);
        for host in ["auth.localhost:9999", "auth.localhost:443"] {
            let reply = raw(&house, &["GET /.pomerium/ HTTP/1.1", &format!("Host: {host}")]).await;
            assert_eq!(reply.status, 404, "{host}");
        }
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_signs_no_link_to_another_host() {
    let house = House::open().await;
    for (host, path) in [
        ("any.localhost", "@evil.test/"),
        ("any.localhost", ".evil.test/"),
        ("any.localhost", ":80@evil.test/"),
        ("any.localhost", "//evil.test/"),
        ("any.localhost", "/\\evil.test"),
        ("any.localhost@evil.test", "/"),
        ("evil.test#any.localhost", "/"),
        ("evil.test", "/"),
        ("any.localhost\r\nx", "/"),
        ("any.localhost", "http://evil.test/"),
        ("any.localhost", "*"),
        ("any.localhost", ""),
    ] {
        let answer = house.check(get(host, path, &[("accept", "text/html")])).await;
        let text = format!("{answer:?}");
        assert!(!text.contains("\"location\""), "{host} {path}: {text}");
    }
    // Such an address in the query is only that.
    let ask = get("any.localhost", "/?x=@evil.test/&y=//evil.test", &[("accept", "text/html")]);
    let text = format!("{:?}", house.check(ask).await);
    assert!(text.contains("pomerium_redirect_uri=http%3A%2F%2Fany.localhost%2F%3Fx"), "{text}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_leads_nowhere_else() {
    let house = House::open().await;
    for target in ELSEWHERE {
        let mut alice = house.guest("alice@corp.test").await;
        let mut ask = url(&format!("{AUTHENTICATE}/.pomerium/sign_out"));
        ask.query_pairs_mut().append_pair("pomerium_redirect_uri", target);
        let page = alice.request("GET", &ask, None).await;
        assert_eq!(hidden(page.body(), "pomerium_redirect_uri"), "", "{target}");
        let csrf = hidden(page.body(), "csrf");
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf", &csrf).append_pair("pomerium_redirect_uri", target);
        ask.set_query(None);
        let seen = alice.request("POST", &ask, Some(&form.finish())).await;
        assert_eq!(leads(&seen).as_deref(), Some("/.pomerium/signed_out"), "{target}");
    }
    let mut alice = house.guest("alice@corp.test").await;
    let page = alice
        .go(&format!(
            "{AUTHENTICATE}/.pomerium/sign_out?pomerium_redirect_uri=http://auth.localhost/x"
        ))
        .await;
    assert_eq!(hidden(page.body(), "pomerium_redirect_uri"), "http://auth.localhost/x");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_sent_to_listed_hosts_only() {
    let house = House::open().await;
    let mut alice = house.guest("alice@corp.test").await;
    let login = |target: &str| {
        let mut ask = url("http://any.localhost/.pomerium/api/v1/login");
        ask.query_pairs_mut().append_pair("pomerium_redirect_uri", target);
        ask
    };
    let more = [
        "http://localhost.evil.test/",
        "http://localhost@evil.test/",
        "http://localhost:80@evil.test/",
        "http://evil.test#localhost",
        "http://evil.test\\@localhost/",
        "http://127.0.0.1.evil.test/",
        "http://0.0.0.0/",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/",
        "http://localhost./",
        "app://localhost/",
        "http://any.localhost/",
    ];
    let refused =
        ELSEWHERE.iter().filter(|target| !["http://[::1]/", "http://127.0.0.1/"].contains(target));
    for target in refused.chain(&more) {
        let seen = alice.request("GET", &login(target), None).await;
        assert_eq!(seen.status(), 400, "{target} {seen:?}");
        assert_eq!(seen.reply().header("content-type"), Some("text/plain; charset=utf-8"));
        // Not even by a link that we had signed.
        let callback = "http://any.localhost/.pomerium/callback/";
        let pairs = [
            ("pomerium_callback_uri", callback),
            ("pomerium_programmatic", "true"),
            ("pomerium_redirect_uri", target),
        ];
        let seen = alice.request("GET", &ours(&sign_in_page(), &pairs, &house), None).await;
        assert_eq!((seen.status(), leads(&seen)), (400, None), "{target}");
    }
    // Nor through a callback of somebody else's.
    for callback in ELSEWHERE
        .iter()
        .chain(&["http://any.localhost/x", "http://any.localhost/.pomerium/callback"])
    {
        let pairs = [
            ("pomerium_callback_uri", *callback),
            ("pomerium_programmatic", "true"),
            ("pomerium_redirect_uri", "http://localhost:9/"),
        ];
        let seen = alice.request("GET", &ours(&sign_in_page(), &pairs, &house), None).await;
        assert_eq!((seen.status(), leads(&seen)), (400, None), "{callback}");
    }
    for target in [
        "http://localhost:8000/a?b=c",
        "http://LOCALHOST/",
        "http://127.0.0.1:1/",
        "http://[::1]:2/",
        "https://localhost/",
    ] {
        assert_eq!(alice.request("GET", &login(target), None).await.status(), 200, "{target}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_was_touched_is_none() {
    let house = House::open().await;
    let mut alice = house.guest("alice@corp.test").await;
    let good =
        ours(&sign_in_page(), &[("pomerium_redirect_uri", "http://any.localhost/a")], &house);
    assert_eq!(alice.request("GET", &good, None).await.status(), 302);
    let pairs: Vec<(String, String)> = good.query_pairs().into_owned().collect();
    let with = |pairs: &[(String, String)]| {
        let mut link = url(&sign_in_page());
        link.query_pairs_mut().extend_pairs(pairs);
        link
    };
    let mut touched = Vec::new();
    for place in 0..pairs.len() {
        let mut without = pairs.clone();
        without.remove(place);
        touched.push(with(&without));
        for value in
            ["", "x", "1700000000000", "-1", "9223372036854775807", "http://eng.localhost/"]
        {
            let mut other = pairs.clone();
            other[place].1 = value.to_owned();
            touched.push(with(&other));
            // Beside the right one, before it and after it.
            let twin = (pairs[place].0.clone(), value.to_owned());
            touched.push(with(&[std::slice::from_ref(&twin), &pairs[..]].concat()));
            // What stands behind a signature is not signed, and not read.
            if twin.0 != "pomerium_signature" {
                touched.push(with(&[&pairs[..], &[twin]].concat()));
            }
        }
    }
    for (name, value) in [
        ("pomerium_state", "a".repeat(64)),
        ("pomerium_programmatic", "true".to_owned()),
        ("x", "y".to_owned()),
    ] {
        touched.push(with(&[&pairs[..], &[(name.to_owned(), value)]].concat()));
    }
    // Signed by somebody else, for another page, or for another host.
    let unsigned = with(&[pairs[pairs.len() - 2].clone()]);
    touched.push(signed_url::sign(unsigned.clone(), &[7; 32], house.now()));
    touched.push(unsigned);
    for (from, to) in [("sign_in", "callback/"), ("sign_in", "sign_in/"), ("auth.", "any.")] {
        touched.push(url(&good.as_str().replacen(from, to, 1)));
    }
    for link in touched {
        let seen = alice.request("GET", &link, None).await;
        assert!([400, 404].contains(&seen.status()), "{link} {seen:?}");
        assert_eq!(leads(&seen), None, "{link}");
    }
    // It is good for five minutes and the difference of two clocks.
    house.later(360);
    assert_eq!(alice.request("GET", &good, None).await.status(), 302);
    house.later(1);
    let seen = alice.request("GET", &good, None).await;
    assert!(seen.status() == 400 && seen.body().contains("expired"), "{seen:?}");
    house.later(-361 - 61);
    assert_eq!(alice.request("GET", &good, None).await.status(), 400, "made in the future");
    house.close().await;
}

// --- whose browser

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_in_the_browser_it_was_made_for() {
    let house = House::open().await;
    let mut mallory = house.guest("eve@evil.test").await;
    let mut alice = house.guest("alice@corp.test").await;
    alice.jars.remove("any.localhost");
    // Mallory's own code, sent to Alice, who has a key of her own there, or none.
    for with_key in [false, true] {
        if with_key {
            alice.request("GET", &url("http://any.localhost/"), None).await;
            let begin = ours(
                "http://any.localhost/.pomerium/callback/",
                &[("pomerium_redirect_uri", "http://any.localhost/")],
                &house,
            );
            alice.request("GET", &begin, None).await;
            assert!(alice.cookie("any.localhost", "_pomerium_csrf").is_some());
        }
        let code = code_for(&mut mallory, "any").await;
        let seen = alice.request("GET", &code, None).await;
        assert_eq!((seen.status(), leads(&seen)), (400, None));
        assert_eq!(alice.cookie("any.localhost", "_pomerium"), None);
        // It has been seen elsewhere; now it is worth nothing at home either.
        assert_eq!(mallory.request("GET", &code, None).await.status(), 400);
        assert_eq!(mallory.cookie("any.localhost", "_pomerium"), None);
    }
    // A link with Mallory's key, opened by Alice: the code that comes of it is for nobody.
    mallory.jars.remove("eng.localhost");
    let begin = ours(
        "http://eng.localhost/.pomerium/callback/",
        &[("pomerium_redirect_uri", "http://eng.localhost/")],
        &house,
    );
    let link = leads(&mallory.request("GET", &begin, None).await).expect("leads on");
    alice.jars.remove("eng.localhost");
    let callback = url(&leads(&alice.request("GET", &url(&link), None).await).expect("leads on"));
    assert_eq!(alice.request("GET", &callback, None).await.status(), 400);
    assert_eq!(mallory.request("GET", &callback, None).await.status(), 400, "it was used up");
    assert_eq!(mallory.cookie("eng.localhost", "_pomerium"), None);
    // All the same, each gets there on their own.
    assert_eq!(alice.go("http://eng.localhost/").await.claims()["email"], "alice@corp.test");
    assert_eq!(mallory.go("http://any.localhost/").await.claims()["email"], "eve@evil.test");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_works_once() {
    let house = House::open().await;
    let mut alice = house.guest("alice@corp.test").await;
    let code = code_for(&mut alice, "any").await;
    let seen = alice.request("GET", &code, None).await;
    assert_eq!(leads(&seen).as_deref(), Some("http://any.localhost/"));
    alice.jars.get_mut("any.localhost").expect("a jar").remove("_pomerium");
    let seen = alice.request("GET", &code, None).await;
    assert!(seen.status() == 400 && seen.body().contains("has been used"), "{seen:?}");
    // Of sixteen at once one wins.
    let code = code_for(&mut alice, "any").await;
    let key = alice.cookie("any.localhost", "_pomerium_csrf").expect("a key").to_owned();
    let request = format!("GET {}?{} HTTP/1.1", code.path(), code.query().expect("a query"));
    let cookie = format!("Cookie: _pomerium_csrf={key}");
    let tries = (0..16).map(|_| {
        let (at, request, cookie) = (house.http, request.clone(), cookie.clone());
        tokio::spawn(async move {
            let lines = [request.as_str(), "Host: any.localhost", &cookie];
            exchange_body(at, &lines, b"").await.expect("an answer")
        })
    });
    let mut won = Vec::new();
    for tried in tries.collect::<Vec<_>>() {
        let reply = tried.await.expect("no panic");
        match reply.status {
            302 => won.push(reply),
            status => {
                assert_eq!(status, 400, "{reply:?}");
                assert_eq!(reply.header("set-cookie"), None);
            }
        }
    }
    assert_eq!(won.len(), 1, "{won:?}");
    house.close().await;
}

/// A code as only we can seal it.
fn sealed(
    house: &House,
    opened: &lictor::people::Opened,
    change: impl FnOnce(&mut Code),
    host: &str,
) -> Url {
    let key = BrowserKey::new([3; 32]);
    let secret = HandleSecret::of_handle(
        payload(&handle(house, opened, "any.localhost"))["jti"].as_str().expect("a jti"),
    );
    let mut code = Code {
        secret,
        expires: Code::expiry(house.now()),
        browser: key.hash(),
        redirect: url("http://any.localhost/"),
    };
    change(&mut code);
    let sealers = Sealers::derive(&SECRET_BYTES).expect("sealers");
    let text = sealers.seal_code(&code, host).expect("sealed");
    let settings = house.settings();
    let sign_in = settings.sign_in.as_ref().expect("an authenticate host");
    callback_with(&text, &url("http://any.localhost/"), sign_in, house.now())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_for_one_host_for_a_minute() {
    let house = House::open().await;
    let opened = house.open_session(profile("alice@corp.test")).await;
    let mut browser = house.browser();
    let key = BrowserKey::new([3; 32]);
    for host in ["any", "eng", "auth"] {
        browser.set_cookie(&format!("{host}.localhost"), "_pomerium_csrf", key.cookie());
    }
    let mut try_at = async |link: &Url| {
        let seen = browser.request("GET", link, None).await;
        (seen.status(), leads(&seen))
    };
    let good = sealed(&house, &opened, |_| (), "any.localhost");
    assert_eq!(try_at(&good).await, (302, Some("http://any.localhost/".to_owned())));
    let refused = (400, None);
    // Sealed for another host, shown to another host, with another page, for another browser.
    let other = sealed(&house, &opened, |_| (), "eng.localhost");
    assert_eq!(try_at(&other).await, refused);
    let settings = house.settings();
    let sign_in = settings.sign_in.as_ref().expect("an authenticate host");
    let text = |link: &Url| {
        let mut pairs = link.query_pairs();
        pairs.find(|(name, _)| name == "pomerium_code").expect("a code").1.into_owned()
    };
    let good = sealed(&house, &opened, |_| (), "any.localhost");
    for host in ["eng", "auth"] {
        let at = callback_with(
            &text(&good),
            &url(&format!("http://{host}.localhost/")),
            sign_in,
            house.now(),
        );
        assert_eq!(try_at(&at).await, refused, "{host}");
    }
    for target in [
        "http://eng.localhost/",
        "http://evil.test/",
        "https://any.localhost/",
        "http://any.localhost:8/",
    ] {
        let link = sealed(&house, &opened, |code| code.redirect = url(target), "any.localhost");
        assert_eq!(try_at(&link).await, refused, "{target}");
    }
    let other = sealed(
        &house,
        &opened,
        |code| code.browser = BrowserKey::new([4; 32]).hash(),
        "any.localhost",
    );
    assert_eq!(try_at(&other).await, refused);
    // For no browser in particular: a program's. It gets no cookie, and goes to listed hosts only.
    let program = sealed(&house, &opened, |code| code.browser.clear(), "any.localhost");
    assert_eq!(try_at(&program).await, refused);
    // Of a session that nobody has.
    let guessed =
        sealed(&house, &opened, |code| code.secret = HandleSecret::new([1; 32]), "any.localhost");
    assert_eq!(try_at(&guessed).await, refused);
    // Too late.
    let late = sealed(&house, &opened, |_| (), "any.localhost");
    // A minute, and one more for clocks that differ.
    house.later(119);
    assert_eq!(try_at(&late).await.0, 302);
    let late = sealed(&house, &opened, |_| (), "any.localhost");
    house.later(120);
    assert_eq!(try_at(&late).await, refused);
    // The session has ended meanwhile.
    let ended = sealed(&house, &opened, |_| (), "any.localhost");
    let origin = lictor::session::Origin::default();
    let at = lictor::people::Moment { now: house.now(), origin: &origin };
    let out = lictor::people::Ending::SignOut;
    assert!(house.people().end(&opened.record.id, &out, at).await.expect("ends"));
    assert_eq!(try_at(&ended).await, refused);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_used_is_remembered_longer_than_it_is_good() {
    let house = House::open().await;
    let opened = house.open_session(profile("alice@corp.test")).await;
    let mut browser = house.browser();
    browser.set_cookie("any.localhost", "_pomerium_csrf", BrowserKey::new([3; 32]).cookie());
    let code = sealed(&house, &opened, |_| (), "any.localhost");
    assert_eq!(browser.request("GET", &code, None).await.status(), 302);
    // Another replica, whose clock is ahead, cleans up; this one still thinks the code good.
    house.store.sweep(house.now().plus(Duration::from_secs(90))).await.expect("sweeps");
    assert_eq!(browser.request("GET", &code, None).await.status(), 400);
    house.close().await;
}

// --- the login form

#[tokio::test(flavor = "multi_thread")]
async fn the_login_form_is_not_for_others_to_send() {
    let house = House::open().await;
    let mut alice = house.browser();
    let form = alice.go(&sign_in_page()).await;
    let mut mallory = house.browser();
    let hers = mallory.go(&sign_in_page()).await;
    let send = async |browser: &mut Browser<'_>, form: &Seen, csrf: &str| {
        let action = url(&format!(
            "{AUTHENTICATE}{}",
            attribute(form.body(), "action", "/.pomerium/sign_in")
        ));
        let mut fields = url::form_urlencoded::Serializer::new(String::new());
        fields
            .append_pair("csrf", csrf)
            .append_pair("login", "eve@evil.test")
            .append_pair("password", PASSWORD);
        browser.request("POST", &action, Some(&fields.finish())).await
    };
    let own = hidden(form.body(), "csrf");
    let other = hidden(hers.body(), "csrf");
    assert!(!own.is_empty() && own != other);
    for csrf in [other.as_str(), "", "x", &own[1..]] {
        assert_eq!(send(&mut alice, &form, csrf).await.status(), 403, "{csrf}");
    }
    for headers in [
        vec!["origin: http://evil.test"],
        vec!["origin: null"],
        vec!["origin: http://any.localhost"],
        vec!["origin: https://auth.localhost"],
        vec!["origin: http://auth.localhost:81"],
        vec!["origin: http://auth.localhost", "origin: http://evil.test"],
        vec!["origin: http://auth.localhost", "sec-fetch-site: cross-site"],
        vec!["origin: http://auth.localhost", "sec-fetch-site: same-site"],
        vec!["origin: http://auth.localhost", "sec-fetch-site: none"],
    ] {
        alice.headers = headers.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(send(&mut alice, &form, &own).await.status(), 403, "{headers:?}");
    }
    alice.headers.clear();
    // Without the cookie that it belongs to.
    let jars = std::mem::take(&mut alice.jars);
    assert_eq!(send(&mut alice, &form, &own).await.status(), 403);
    alice.jars = jars;
    // With an attempt of another browser, it begins anew, at nobody's page.
    let seen = send(&mut alice, &hers, &own).await;
    assert!(seen.status() == 422 && seen.body().contains("open for too long"), "{seen:?}");
    assert!(house.sessions().await.is_empty());
    assert_eq!(house.told().await, [""; 0], "no password was looked at");
    // Fifteen minutes are long enough.
    house.later(900);
    let seen = send(&mut alice, &form, &own).await;
    assert!(seen.status() == 422 && seen.body().contains("open for too long"), "{seen:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_gives_another_session_than_before() {
    let house = House::open().await;
    // Mallory leaves her own session in Alice's browser, on both hosts.
    let planted = house.open_session(profile("eve@evil.test")).await;
    let mut alice = house.with_session(&planted);
    let before = alice.cookie("auth.localhost", "_pomerium").expect("a cookie").to_owned();
    assert_eq!(alice.go("http://any.localhost/").await.claims()["email"], "eve@evil.test");
    // While it is there, no other sign-in is asked for; Alice signs in all the same, from an open form.
    let jars = std::mem::take(&mut alice.jars);
    let form = alice.go(&sign_in_page()).await;
    for (host, jar) in jars {
        alice.jars.entry(host).or_default().extend(jar);
    }
    let seen = alice.log_in(&form, "alice@corp.test", PASSWORD).await;
    assert!(seen.body().contains("u-alice"), "{seen:?}");
    let after = alice.cookie("auth.localhost", "_pomerium").expect("a cookie").to_owned();
    assert_ne!(before, after);
    assert_ne!(payload(&before)["jti"], payload(&after)["jti"]);
    // Mallory's has ended, so what she still holds is nothing, and no host goes on in it.
    assert_eq!(house.sessions().await.len(), 1);
    let mut mallory = house.with_session(&planted);
    assert!(mallory.my_page().await.body().contains("name=\"password\""));
    assert_eq!(alice.go("http://any.localhost/").await.claims()["email"], "alice@corp.test");
    assert_eq!(house.told().await, ["sign-in local", "sign-out", "sign-in local"]);
    house.close().await;
}

// --- at a provider

async fn at_provider(house: &House) -> FakeProvider {
    let provider = FakeProvider::start().await;
    let snapshot = ruled(CONFIG, |_| ());
    let mut settings = Arc::into_inner(snapshot.settings).expect("nobody else has it");
    let sign_in = settings.sign_in.as_mut().expect("an authenticate host");
    sign_in.provider = Some(Provider::Oidc(Arc::new(provider.client())));
    sign_in.lifetime = Duration::from_hours(14);
    house.state.replace(Snapshot { settings: Arc::new(settings), ..snapshot });
    house.later(fake_provider::NOW.unix() - NOW);
    provider
}

async fn to_provider(browser: &mut Browser<'_>) -> Url {
    let seen = browser.request("GET", &url(&sign_in_page()), None).await;
    url(&leads(&seen).unwrap_or_else(|| panic!("{seen:?}")))
}

fn state(begun: &Url) -> String {
    begun.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned()
}

fn back(pairs: &[(&str, &str)]) -> Url {
    let mut back = url(&format!("{AUTHENTICATE}/oauth2/callback"));
    back.query_pairs_mut().extend_pairs(pairs);
    back
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_the_provider_is_for_the_browser_that_asked() {
    let house = House::open().await;
    let provider = at_provider(&house).await;
    let (mut alice, mut mallory) = (house.browser(), house.browser());
    let begun = to_provider(&mut mallory).await;
    let (hers, code) = (state(&begun), provider.approve(&begun));
    let answer = [("state", hers.as_str()), ("code", code.as_str())];
    // Mallory's answer in Alice's browser, which has no key, or its own.
    for _ in 0..2 {
        let seen = alice.request("GET", &back(&answer), None).await;
        assert_eq!((seen.status(), leads(&seen)), (400, None));
        to_provider(&mut alice).await;
    }
    // Mallory's code with Alice's attempt: another nonce, another verifier.
    let own = state(&to_provider(&mut alice).await);
    let seen = alice.request("GET", &back(&[("state", &own), ("code", &code)]), None).await;
    assert_eq!(seen.status(), 403, "{seen:?}");
    assert_eq!(alice.cookie("auth.localhost", "_pomerium"), None);
    // An attempt is answered once, whatever comes of it.
    let mine = provider.approve(&begun);
    let seen = alice.request("GET", &back(&[("state", &own), ("code", &mine)]), None).await;
    assert!(seen.status() == 400 && seen.body().contains("has been used"), "{seen:?}");
    let tries = (0..16).map(|_| {
        let (at, key) = (
            house.http,
            mallory.cookie("auth.localhost", "_pomerium_csrf").expect("a key").to_owned(),
        );
        let link = back(&answer);
        tokio::spawn(async move {
            let request =
                format!("GET {}?{} HTTP/1.1", link.path(), link.query().expect("a query"));
            let cookie = format!("Cookie: _pomerium_csrf={key}");
            exchange_body(at, &[&request, "Host: auth.localhost", &cookie], b"")
                .await
                .expect("an answer")
        })
    });
    let mut won = 0;
    for tried in tries.collect::<Vec<_>>() {
        let reply = tried.await.expect("no panic");
        assert!([302, 400].contains(&reply.status), "{reply:?}");
        won += usize::from(reply.status == 302);
    }
    assert_eq!((won, house.sessions().await.len()), (1, 1));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_none() {
    let house = House::open().await;
    let provider = at_provider(&house).await;
    let mut alice = house.browser();
    let begun = to_provider(&mut alice).await;
    let (own, code) = (state(&begun), provider.approve(&begun));
    let mut flipped = own.clone().into_bytes();
    flipped[own.len() / 2] ^= 1;
    let flipped = String::from_utf8_lossy(&flipped).into_owned();
    let login = sealed_attempt(Goal::Here, [8; 32]);
    let key = BrowserKey::new([8; 32]);
    for forged in [
        String::new(),
        "x".to_owned(),
        own[..own.len() - 1].to_owned(),
        own[1..].to_owned(),
        own.clone() + "A",
        own.clone() + "=",
        own.to_ascii_lowercase(),
        flipped,
        format!(" {own}"),
        "A".repeat(20_000),
        login,
        key.hash(),
    ] {
        let seen = alice.request("GET", &back(&[("state", &forged), ("code", &code)]), None).await;
        assert_eq!((seen.status(), leads(&seen)), (400, None), "{forged}");
    }
    assert_eq!(provider.asked("/token"), 0, "nobody was asked for a token");
    // A second state beside the right one does not count, nor does another's page.
    let twice = back(&[("state", "x"), ("state", &own), ("code", &code)]);
    assert_eq!(alice.request("GET", &twice, None).await.status(), 400);
    let link = back(&[("state", &own), ("code", &code)]);
    let request = format!("GET {}?{} HTTP/1.1", link.path(), link.query().expect("a query"));
    assert_eq!(raw(&house, &[&request, "Host: any.localhost"]).await.status, 404);
    // Another provider's answer, told by `iss`.
    let mixed = [("state", own.as_str()), ("code", &code), ("iss", "https://evil.test")];
    let seen = alice.request("GET", &back(&mixed), None).await;
    assert_eq!(seen.status(), 502, "{seen:?}");
    assert_eq!(provider.asked("/token"), 0);
    // What a provider says of a failure is shown as text.
    for error in ["access_denied", "<script>x1</script>", ""] {
        let own = state(&to_provider(&mut alice).await);
        let told = [
            ("state", own.as_str()),
            ("error", error),
            ("error_description", "<img src=x1>\r\nx: y"),
        ];
        let seen = alice.request("GET", &back(&told), None).await;
        assert!([403, 502].contains(&seen.status()), "{error}: {seen:?}");
        assert!(!seen.body().contains("<script>x") && !seen.body().contains("<img"), "{seen:?}");
    }
    // Fifteen minutes at the provider are long enough.
    let begun = to_provider(&mut alice).await;
    let (own, code) = (state(&begun), provider.approve(&begun));
    house.later(900);
    let seen = alice.request("GET", &back(&[("state", &own), ("code", &code)]), None).await;
    assert_eq!(seen.status(), 400);
    assert!(house.sessions().await.is_empty());
    house.close().await;
}

fn sealed_attempt(goal: Goal, key: [u8; 32]) -> String {
    let attempt = Attempt {
        goal,
        browser: BrowserKey::new(key).hash(),
        nonce: "n".to_owned(),
        verifier: "v".to_owned(),
        expires: fake_provider::NOW.plus(Duration::from_secs(900)),
    };
    let sealers = Sealers::derive(&[9; 32]).expect("sealers");
    sealers.seal_attempt(&attempt).expect("sealed")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What travels sealed is opened whole, or not at all.
    #[test]
    fn nothing_sealed_can_be_changed(
        place in any::<prop::sample::Index>(),
        with in "[A-Za-z0-9_=+/. -]{0,3}",
        cut in 0_usize..4,
    ) {
        let (sealers, key) = (Sealers::derive(&SECRET_BYTES).expect("sealers"), BrowserKey::new([3; 32]));
        let now = Timestamp::from_unix(NOW);
        let attempt = Attempt {
            goal: Goal::Page { redirect: url("http://any.localhost/"), browser: None },
            browser: key.hash(),
            nonce: "n".to_owned(),
            verifier: "v".to_owned(),
            expires: Attempt::expiry(now),
        };
        let code = Code {
            secret: HandleSecret::new([5; 32]),
            expires: Code::expiry(now),
            browser: key.hash(),
            redirect: url("http://any.localhost/"),
        };
        let state = sealers.seal_attempt(&attempt).expect("sealed");
        let text = sealers.seal_code(&code, "any.localhost").expect("sealed");
        let changed = |text: &str| {
            let at = place.index(text.len());
            let end = (at + cut).min(text.len());
            format!("{}{with}{}", &text[..at], &text[end..])
        };
        let open_state = |state: &str| sealers.open_attempt(state, Some(&key), now).is_some();
        let open_code = |code: &str| sealers.open_code(code, "any.localhost", now).is_some();
        prop_assert!(open_state(&state) && open_code(&text));
        prop_assert_eq!(open_state(&changed(&state)), changed(&state) == state);
        prop_assert_eq!(open_code(&changed(&text)), changed(&text) == text);
        // One is not the other.
        prop_assert!(!open_state(&text) && !open_code(&state));
        prop_assert!(sealers.open_attempt(&state, None, now).is_none());
    }
}

// --- handles

/// The answer to a cookie, or another header, on a route.
async fn shown(house: &House, host: &str, header: (&str, &str)) -> Result<String, u16> {
    let host = format!("{host}.localhost");
    let answer = house.check(get(&host, "/", &[("accept", "text/html"), header])).await;
    match answer.http_response.expect("an answer") {
        HttpResponse::OkResponse(ok) => {
            let headers = ok.headers.into_iter().filter_map(|header| header.header);
            let mut assertions = headers.filter(|header| header.key == "x-pomerium-jwt-assertion");
            let assertion = assertions.next().map(|header| payload(&header.value));
            Ok(assertion.map_or_else(String::new, |claims| {
                claims["email"].as_str().expect("text").to_owned()
            }))
        }
        HttpResponse::DeniedResponse(denied) => {
            Err(u16::try_from(denied.status.expect("a status").code).expect("a status"))
        }
        other @ HttpResponse::ErrorResponse(_) => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_is_what_we_made_of_it() {
    let house = House::open().await;
    let opened = house.open_session(profile("alice@corp.test")).await;
    let good = payload(&handle(&house, &opened, "any.localhost"));
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed
    };
    let without = |name: &str| {
        let mut changed = good.clone();
        changed.as_object_mut().expect("a map").remove(name);
        changed
    };
    let try_it = async |token: String| {
        let cookie = shown(&house, "any", ("cookie", &format!("_pomerium={token}"))).await;
        let header = shown(&house, "any", ("authorization", &format!("Pomerium {token}"))).await;
        assert_eq!(cookie.is_ok(), header.is_ok());
        cookie
    };
    let alice = Ok("alice@corp.test".to_owned());
    assert_eq!(try_it(signed(&good, &SECRET_BYTES)).await, alice);
    for (what, changed) in [
        ("a guessed secret", with("jti", "A".repeat(43).into())),
        ("the public name for the secret", with("jti", opened.record.id.as_str().into())),
        ("another person", with("sub", "u-root".into())),
        ("another person by address", with("sub", "root@corp.test".into())),
        ("another case", with("sub", "U-ALICE".into())),
        ("another host", with("aud", json!(["eng.localhost"]))),
        ("a list of nothing", with("aud", json!([]))),
        ("an empty audience", with("aud", json!([""]))),
        ("a wildcard", with("aud", json!(["*", "*.localhost"]))),
        ("a part of the host", with("aud", json!(["localhost"]))),
        ("another issuer", with("iss", "evil.localhost".into())),
        ("an empty issuer", with("iss", "".into())),
        ("an issuer as URL", with("iss", "http://auth.localhost/".into())),
        ("expired", with("exp", (NOW - 61).into())),
        ("of the future", with("iat", (NOW + 61).into())),
        ("not yet", with("nbf", (NOW + 61).into())),
        ("a time as text", with("exp", NOW.to_string().into())),
        ("a list for a secret", with("jti", json!([good["jti"]]))),
        ("a word for a program", with("programatic", "false".into())),
    ] {
        assert!(try_it(signed(&changed, &SECRET_BYTES)).await.is_err(), "{what}");
    }
    // What a handle does not say, its record says.
    for name in ["exp", "iss", "sub", "iat"] {
        assert_eq!(try_it(signed(&without(name), &SECRET_BYTES)).await, alice, "{name}");
    }
    let text = crate::support::config::SECRET.as_bytes();
    for (what, token) in [
        ("the text of the key", signed(&good, text)),
        ("another key", signed(&good, &[7; 32])),
        ("no key", signed(&good, b"")),
        ("HS384", signed_as("{\"alg\":\"HS384\"}", &good, HMAC_SHA384, &SECRET_BYTES)),
        ("HS384 called HS256", signed_as("{\"alg\":\"HS256\"}", &good, HMAC_SHA384, &SECRET_BYTES)),
        ("none", signed_as("{\"alg\":\"none\"}", &good, HMAC_SHA256, &SECRET_BYTES)),
        ("RS256", signed_as("{\"alg\":\"RS256\"}", &good, HMAC_SHA256, &SECRET_BYTES)),
        (
            "critical",
            signed_as(
                "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}",
                &good,
                HMAC_SHA256,
                &SECRET_BYTES,
            ),
        ),
    ] {
        assert!(try_it(token).await.is_err(), "{what}");
    }
    // Members twice: neither.
    let twice = good.to_string().replacen('{', "{\"sub\":\"u-alice\",", 1);
    let parts = ["{\"alg\":\"HS256\"}", &twice].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let tag = hmac::sign(&hmac::Key::new(HMAC_SHA256, &SECRET_BYTES), parts.as_bytes());
    assert!(try_it(format!("{parts}.{}", URL_SAFE_NO_PAD.encode(tag))).await.is_err());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_is_of_one_host() {
    let house = House::open().await;
    let opened = house.open_session(profile("alice@corp.test")).await;
    for of in ["any", "eng", "auth"] {
        let token = handle(&house, &opened, &format!("{of}.localhost"));
        for at in ["any", "eng"] {
            let seen = shown(&house, at, ("cookie", &format!("_pomerium={token}"))).await;
            assert_eq!(seen.is_ok(), of == at, "{of} at {at}");
            let mut browser = house.browser();
            browser.set_cookie(&format!("{at}.localhost"), "_pomerium", &token);
            let said = browser.go(&format!("http://{at}.localhost/.pomerium/user")).await;
            assert_eq!(said.status(), if of == at { 200 } else { 401 }, "{of} at {at}");
        }
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_is_over_in_the_middle() {
    let house = House::open().await;
    let opened = house.open_session(profile("alice@corp.test")).await;
    let mut here = house.with_session(&opened);
    let page = here.my_page().await;
    let program = handle_of(&opened.secret, "u-alice", &house, "any.localhost", true);
    let bearer = format!("Pomerium {program}");
    assert!(shown(&house, "any", ("authorization", &bearer)).await.is_ok());
    let mut there = house.with_session(&opened);
    assert_eq!(there.go("http://any.localhost/").await.status(), 200);
    here.submit(&page, "/.pomerium/sign_out", &[]).await;
    assert!(there.go("http://any.localhost/").await.body().contains("name=\"password\""));
    assert_eq!(
        shown(&house, "any", ("authorization", &bearer)).await,
        Err(401),
        "the program's too"
    );
    // A form that was open says so; nothing comes of it.
    for action in
        ["/.pomerium/sign_out", "/.pomerium/impersonation/stop", "/.pomerium/admin/impersonate"]
    {
        let seen = there.submit(&page, action, &[]).await;
        assert!([401, 200].contains(&seen.status()), "{action} {seen:?}");
    }
    // One that is over by time.
    let mut late = house.guest("alice@corp.test").await;
    house.later(14 * 3600 - 1);
    assert_eq!(late.go("http://any.localhost/").await.claims()["email"], "alice@corp.test");
    house.later(1);
    assert!(late.go("http://any.localhost/").await.body().contains("name=\"password\""));
    house.close().await;
}

// --- cookies of a neighbour

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_adds_cookies() {
    let house = House::open().await;
    let (alice, eve) = (
        house.open_session(profile("alice@corp.test")).await,
        house.open_session(profile("eve@evil.test")).await,
    );
    let token = |opened| handle(&house, opened, "any.localhost");
    let (own, other) = (token(&alice), token(&eve));
    let service = lictor::token::mint(
        &lictor::token::Claims {
            issuer: "auth.localhost".to_owned(),
            audience: vec!["any.localhost".to_owned()],
            subject: "svc-eve".to_owned(),
            user: "svc-eve".to_owned(),
            email: "eve@evil.test".to_owned(),
            ..lictor::token::Claims::default()
        },
        &SECRET_BYTES,
        house.now(),
        Duration::from_secs(600),
    );
    let seen = async |cookies: &[&str]| {
        let cookies =
            cookies.iter().map(|value| format!("_pomerium={value}")).collect::<Vec<_>>().join("; ");
        shown(&house, "any", ("cookie", &cookies)).await
    };
    let alice_in = Ok("alice@corp.test".to_owned());
    // Two sessions, or a session and somebody's token: neither counts.
    for pair in [[&own, &other], [&other, &own], [&service, &own], [&own, &service]] {
        assert_eq!(seen(&pair.map(String::as_str)).await, Err(302), "{pair:?}");
    }
    assert_eq!(seen(&["x", &own, "a.b.c", &own]).await, alice_in);
    assert_eq!(seen(&[&own]).await, alice_in);
    assert_eq!(seen(&[&service]).await, Ok("eve@evil.test".to_owned()));
    // One of a session that is over, or of another host, is not one.
    let gone = signed(&json!({ "jti": "A".repeat(43), "programatic": false }), &SECRET_BYTES);
    let elsewhere = handle(&house, &eve, "eng.localhost");
    assert_eq!(seen(&[&gone, &elsewhere, &own]).await, alice_in);
    // The page does as the check does, and a new sign-in sweeps up.
    let lines = [
        "GET /.pomerium/user HTTP/1.1",
        "Host: any.localhost",
        &format!("Cookie: _pomerium={other}; _pomerium={own}"),
    ];
    assert_eq!(raw(&house, &lines).await.status, 401);
    let mut browser = house.with_session(&alice);
    let code = code_for(&mut browser, "any").await;
    let seen = browser.request("GET", &code, None).await;
    let set: Vec<_> = seen
        .reply()
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .map(|(_, value)| value.as_str())
        .collect();
    assert!(
        set.iter().any(|line| line.contains("Domain=any.localhost") && line.contains("Max-Age=0")),
        "{set:?}"
    );
    assert!(
        set.last().is_some_and(|line| !line.contains("Domain=") && !line.contains("Max-Age=0")),
        "{set:?}"
    );
    // A key of somebody else's beside one's own, or instead of it.
    let mut browser = house.with_session(&alice);
    let code = code_for(&mut browser, "any").await;
    let request = format!("GET {}?{} HTTP/1.1", code.path(), code.query().expect("a query"));
    let tossed = BrowserKey::new([7; 32]);
    let reply = raw(
        &house,
        &[&request, "Host: any.localhost", &format!("Cookie: _pomerium_csrf={}", tossed.cookie())],
    )
    .await;
    assert_eq!((reply.status, reply.header("set-cookie")), (400, None));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_over_tls_keep_to_themselves() {
    let config = CONFIG.replace("http://", "https://");
    let house = House::configured(&config).await;
    let opened = house.open_session(profile("alice@corp.test")).await;
    let mut alice = house.with_session(&opened);
    alice.jars.remove("any.localhost");
    let begin = ours(
        "https://any.localhost/.pomerium/callback/",
        &[("pomerium_redirect_uri", "https://any.localhost/")],
        &house,
    );
    let seen = alice.request("GET", &begin, None).await;
    let key = seen.reply().header("set-cookie").expect("a key").to_owned();
    assert!(key.starts_with("__Host-_pomerium_csrf="), "{key}");
    assert!(key.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{key}");
    let link = leads(&alice.request("GET", &url(&leads(&seen).expect("leads on")), None).await);
    // The key under a name that a neighbour can set is none.
    let value = key
        .split_once('=')
        .and_then(|(_, rest)| rest.split_once(';'))
        .expect("a value")
        .0
        .to_owned();
    let link = url(&link.expect("leads on"));
    let mut other = house.browser();
    other.set_cookie("any.localhost", "_pomerium_csrf", &value);
    assert_eq!(other.request("GET", &link, None).await.status(), 400);
    let link = leads(&alice.request("GET", &url(&leads(&seen).expect("leads on")), None).await);
    let seen = alice.request("GET", &url(&link.expect("leads on")), None).await;
    assert_eq!(leads(&seen).as_deref(), Some("https://any.localhost/"));
    for (name, line) in seen.reply().headers.iter().filter(|(name, _)| name == "set-cookie") {
        assert!(line.contains("; Path=/; ") || line.contains("; Path=/;"), "{name}: {line}");
        assert!(
            line.contains("HttpOnly") && line.contains("Secure") && line.contains("SameSite=Lax"),
            "{line}"
        );
        assert!(!line.contains("Domain=") || line.contains("Max-Age=0"), "{line}");
    }
    // Nothing leads from there to plain text.
    let plain = ours(
        "https://auth.localhost/.pomerium/sign_in",
        &[("pomerium_redirect_uri", "http://any.localhost/")],
        &house,
    );
    assert_eq!(alice.request("GET", &plain, None).await.status(), 400);
    house.close().await;
}

// --- forms

const FORMS: [&str; 6] = [
    "/.pomerium/sign_out",
    "/.pomerium/impersonation/stop",
    "/.pomerium/admin/impersonate",
    "/.pomerium/admin/preview",
    "/.pomerium/admin/sessions/end",
    "/.pomerium/admin/sessions/stop",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_does_nothing() {
    let house = House::open().await;
    let opened = house.open_session(profile("root@corp.test")).await;
    let other = house.open_session(profile("root@corp.test")).await;
    let mut root = house.with_session(&opened);
    root.act_as("bob@corp.test", "").await;
    let page = root.my_page().await;
    let own = hidden(page.body(), "csrf");
    let of_host = hidden(root.go("http://any.localhost/.pomerium/").await.body(), "csrf");
    let of_other = hidden(house.with_session(&other).my_page().await.body(), "csrf");
    assert!(own.len() == 43 && own != of_host && own != of_other);
    let (before, log) = (house.sessions().await, house.told().await);
    let id = other.record.id.to_string();
    let send = async |browser: &mut Browser<'_>, path: &str, csrf: Option<&str>| {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs([
            ("session", id.as_str()),
            ("email", "alice@corp.test"),
            ("reason", "r"),
        ]);
        form.extend_pairs(csrf.map(|csrf| ("csrf", csrf)));
        let to = url(&format!("{AUTHENTICATE}{path}"));
        browser.request("POST", &to, Some(&form.finish())).await
    };
    for path in FORMS {
        let prefix = &own[..42];
        for csrf in [None, Some(""), Some("x"), Some(prefix), Some(&of_host), Some(&of_other)] {
            let seen = send(&mut root, path, csrf).await;
            assert_eq!((seen.status(), leads(&seen)), (403, None), "{path} {csrf:?}");
            assert_eq!(seen.reply().header("set-cookie"), None, "{path}");
        }
        for headers in [
            vec!["origin: http://evil.test"],
            vec!["origin: null"],
            vec!["origin: "],
            vec!["origin: http://any.localhost"],
            vec!["origin: http://auth.localhost.evil.test"],
            vec!["origin: http://auth.localhost", "origin: null"],
            vec!["origin: http://auth.localhost", "sec-fetch-site: cross-site"],
            vec!["origin: http://auth.localhost", "sec-fetch-site: same-site"],
            vec![
                "origin: http://auth.localhost",
                "sec-fetch-site: same-origin",
                "sec-fetch-site: cross-site",
            ],
        ] {
            root.headers = headers.iter().map(|line| (*line).to_owned()).collect();
            let seen = send(&mut root, path, Some(&own)).await;
            assert_eq!((seen.status(), leads(&seen)), (403, None), "{path} {headers:?}");
            assert_eq!(seen.reply().header("set-cookie"), None, "{path} {headers:?}");
        }
        root.headers.clear();
        // Nor by an address alone, or any other method.
        let asked =
            url(&format!("{AUTHENTICATE}{path}?csrf={own}&email=alice%40corp.test&session={id}"));
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            let seen = root.request(method, &asked, None).await;
            let asks = ["GET", "HEAD"].contains(&method)
                && !path.contains("impersonat")
                && !path.contains("preview");
            assert_eq!(seen.status(), if asks { 200 } else { 405 }, "{method} {path}");
        }
        root.headers =
            vec!["x-http-method-override: POST".to_owned(), "x-method-override: POST".to_owned()];
        root.request("GET", &asked, None).await;
        root.headers.clear();
    }
    // A form without the cookie, as another site sends it, takes none away.
    let mut nobody = house.browser();
    nobody.headers =
        vec!["origin: http://evil.test".to_owned(), "sec-fetch-site: cross-site".to_owned()];
    let seen = send(&mut nobody, "/.pomerium/sign_out", Some(&own)).await;
    assert_eq!((seen.status(), seen.reply().header("set-cookie")), (403, None));
    assert_eq!(house.sessions().await, before, "nothing has changed");
    let told = house.told().await;
    let (before, after) = told.split_at(log.len());
    assert_eq!(before, log);
    // What is told is that it was refused, and of one session not without end.
    let refused = |line: &String| line == "impersonation-refused form-refused";
    assert!((1..10).contains(&after.len()) && after.iter().all(refused), "{after:?}");
    // With all that is asked for it works.
    assert_eq!(send(&mut root, "/.pomerium/admin/sessions/end", Some(&own)).await.status(), 303);
    assert_eq!(house.sessions().await.len(), 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_program_or_service_does_nothing_on_pages() {
    let house = House::open().await;
    let opened = house.open_session(profile("root@corp.test")).await;
    let program = handle_of(&opened.secret, "u-root", &house, "auth.localhost", true);
    let service = lictor::token::mint(
        &lictor::token::Claims {
            issuer: "auth.localhost".to_owned(),
            audience: vec!["auth.localhost".to_owned()],
            subject: "u-root".to_owned(),
            user: "u-root".to_owned(),
            email: "root@corp.test".to_owned(),
            ..lictor::token::Claims::default()
        },
        &SECRET_BYTES,
        house.now(),
        Duration::from_secs(600),
    );
    let own = handle(&house, &opened, "auth.localhost");
    let csrf = hidden(house.with_session(&opened).my_page().await.body(), "csrf");
    let before = (house.sessions().await, house.told().await.len());
    for (what, header, query) in [
        ("program", Some(format!("authorization: Pomerium {program}")), None),
        ("program", Some(format!("authorization: Bearer Pomerium-{program}")), None),
        ("program", Some(format!("authorization: Bearer {program}")), None),
        ("program", Some(format!("x-pomerium-authorization: {program}")), None),
        ("program", Some(format!("cookie: _pomerium={program}")), None),
        ("program", None, Some(&program)),
        ("session as header", Some(format!("authorization: Pomerium {own}")), None),
        ("session as query", None, Some(&own)),
        ("service", Some(format!("authorization: Pomerium {service}")), None),
        ("service", Some(format!("cookie: _pomerium={service}")), None),
        ("service", None, Some(&service)),
    ] {
        let mut browser = house.browser();
        browser.headers.extend(header);
        let at = |path: &str| {
            let mut at = url(&format!("{AUTHENTICATE}{path}"));
            at.query_pairs_mut().extend_pairs(query.map(|token| ("pomerium_session", token)));
            at
        };
        let page = browser.request("GET", &at("/.pomerium/"), None).await;
        assert_eq!(page.status(), 200, "{what}");
        assert!(page.body().contains("u-root") && !page.body().contains("as-somebody"), "{what}");
        for path in FORMS.iter().filter(|path| **path != "/.pomerium/sign_out") {
            let form =
                format!("csrf={csrf}&email=bob%40corp.test&reason=r&session={}", opened.record.id);
            let seen = browser.request("POST", &at(path), Some(&form)).await;
            assert_eq!(seen.status(), 401, "{what} {path}");
        }
        browser.request("POST", &at("/.pomerium/sign_out"), Some(&format!("csrf={csrf}"))).await;
        for path in ["people?q=a", "sessions", "activity"] {
            let seen = browser.request("GET", &at(&format!("/.pomerium/admin/{path}")), None).await;
            assert_eq!(seen.status(), 401, "{what} {path}");
        }
        // It opens no other host, and gets no token for another program.
        let seen = browser.request("GET", &at("/.pomerium/sign_in"), None).await;
        assert!(
            seen.status() == 400 || seen.body().contains("name=\"password\""),
            "{what} {seen:?}"
        );
        let link =
            ours(&sign_in_page(), &[("pomerium_redirect_uri", "http://any.localhost/")], &house);
        let seen = browser.request("GET", &link, None).await;
        assert!(seen.body().contains("name=\"password\""), "{what} {seen:?}");
    }
    assert_eq!((house.sessions().await, house.told().await.len()), before);
    house.close().await;
}

// --- what pages show

const HOSTILE: &str = "<x1 onx=1>\"x2='x3&x4;\u{202e}`${x5}";

fn is_tame(body: &str) {
    for raw in ["<x1", "\"x2", "'x3", "&x4;"] {
        assert!(!body.contains(raw), "{raw} in {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_anybody_wrote_is_markup() {
    let house = House::open().await;
    let hostile = || {
        let mut said = saying(
            HOSTILE,
            &format!("{HOSTILE}@corp.test").replace(' ', ""),
            &[HOSTILE, "g-eng"],
            &[(HOSTILE, HOSTILE)],
        );
        said.name = HOSTILE.to_owned();
        said.provider = HOSTILE.to_owned();
        said
    };
    let mut victim = house.guest_saying(hostile()).await;
    let mut root = house.guest("root@corp.test").await;
    let address = hostile().email;
    let mut pages =
        vec![victim.my_page().await, victim.go("http://any.localhost/.pomerium/").await];
    pages.push(victim.go("http://fin.localhost/").await);
    pages.push(victim.go(&format!("{AUTHENTICATE}/.pomerium/sign_out")).await);
    let page = root.my_page().await;
    let fields = [
        ("email", address.as_str()),
        ("groups", HOSTILE),
        ("reason", HOSTILE),
        ("duration", HOSTILE),
    ];
    pages.push(root.submit(&page, "/.pomerium/admin/impersonate", &fields).await);
    pages.push(root.submit(&page, "/.pomerium/admin/preview", &fields).await);
    let fields =
        [("email", address.as_str()), ("groups", HOSTILE), ("reason", HOSTILE), ("duration", "")];
    pages.push(root.submit(&page, "/.pomerium/admin/preview", &fields).await);
    pages.push(root.submit(&page, "/.pomerium/admin/impersonate", &fields).await);
    assert!(pages.last().expect("a page").body().contains("You are acting as"), "{pages:?}");
    for host in ["auth", "any"] {
        pages.push(root.go(&format!("http://{host}.localhost/.pomerium/")).await);
    }
    pages.push(root.go("http://fin.localhost/").await);
    let quoted = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect::<String>();
    for path in
        ["sessions", "sessions?person=Q", "activity", "activity?who=Q", "sessions/end?session=Q"]
    {
        pages.push(
            root.go(&format!("{AUTHENTICATE}/.pomerium/admin/{}", path.replace('Q', &quoted)))
                .await,
        );
    }
    for record in house.sessions().await {
        for what in ["end", "stop"] {
            let ask =
                format!("{AUTHENTICATE}/.pomerium/admin/sessions/{what}?session={}", record.id);
            pages.push(root.go(&ask).await);
        }
    }
    for path in [
        "?done=Q",
        "sign_out?pomerium_redirect_uri=Q",
        "Q",
        "sign_in?pomerium_redirect_uri=Q",
        "callback/?pomerium_code=Q",
    ] {
        pages.push(
            root.go(&format!("{AUTHENTICATE}/.pomerium/{}", path.replace('Q', &quoted))).await,
        );
    }
    // The login form: where to, and what was typed.
    let mut nobody = house.browser();
    nobody.headers = vec![format!("x-request-id: {}", HOSTILE.replace('\u{202e}', ""))];
    let wanted = format!("http://any.localhost/{quoted}?{quoted}");
    let form = nobody
        .go(ours(&sign_in_page(), &[("pomerium_redirect_uri", &wanted)], &house).as_ref())
        .await;
    let action = attribute(form.body(), "action", "/.pomerium/sign_in");
    let again = nobody.submit(&form, &action, &[("login", HOSTILE), ("password", "")]).await;
    assert!(again.body().contains("x5"), "{again:?}");
    pages.extend([form, again, nobody.go(&format!("{AUTHENTICATE}/nowhere")).await]);
    let told = pages.iter().filter(|page| page.body().contains("x5")).count();
    assert!(told > 15, "the test tells nothing: {told}");
    for page in &pages {
        is_tame(page.body());
        let kind = page.reply().header("content-type").unwrap_or_default();
        assert_eq!(kind, "text/html; charset=utf-8", "{page:?}");
    }
    // JSON says of itself what it is, and is nothing else to anybody.
    for path in ["user", "admin/people?q=x1"] {
        let seen = root.go(&format!("{AUTHENTICATE}/.pomerium/{path}")).await;
        assert_eq!(seen.reply().header("content-type"), Some("application/json"));
        assert_eq!(seen.reply().header("x-content-type-options"), Some("nosniff"));
        assert!(seen.reply().json().is_object() && seen.body().contains("x5"), "{seen:?}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_kept_by_nobody_and_framed_by_nobody() {
    let house = House::open().await;
    let mut root = house.guest("root@corp.test").await;
    root.act_as("bob@corp.test", "").await;
    let nobody = house.browser();
    let link = ours(&sign_in_page(), &[("pomerium_redirect_uri", "http://any.localhost/")], &house);
    let link = link.as_str().strip_prefix(AUTHENTICATE).expect("ours").to_owned();
    let paths = [
        "/",
        "/.pomerium",
        "/.pomerium/",
        "/.pomerium/user",
        "/.pomerium/sign_in",
        &link,
        "/.pomerium/sign_in?pomerium_redirect_uri=x",
        "/.pomerium/sign_out",
        "/.pomerium/signed_out",
        "/.pomerium/callback/",
        "/.pomerium/callback/?pomerium_code=x",
        "/oauth2/callback",
        "/.pomerium/api/v1/login",
        "/.pomerium/api/v1/login?pomerium_redirect_uri=http://localhost/",
        "/.pomerium/admin/people?q=a",
        "/.pomerium/admin/sessions",
        "/.pomerium/admin/activity",
        "/.pomerium/admin/sessions/end",
        "/.pomerium/admin/impersonate",
        "/.pomerium/backchannel_logout",
        "/.pomerium/assets/none",
        "/nowhere",
        "/.pomerium/nowhere",
    ];
    for mut browser in [root, nobody] {
        for path in paths {
            for (method, form) in [("GET", None), ("POST", Some("a=b")), ("DELETE", None)] {
                let seen =
                    browser.request(method, &url(&format!("{AUTHENTICATE}{path}")), form).await;
                let header = |name: &str| seen.reply().header(name).unwrap_or_default().to_owned();
                assert_eq!(header("cache-control"), "no-store", "{method} {path} {seen:?}");
                assert_eq!(header("x-content-type-options"), "nosniff", "{method} {path}");
                let count =
                    seen.reply().headers.iter().filter(|(name, _)| name == "cache-control").count();
                assert_eq!(count, 1, "{method} {path}");
                if header("content-type").starts_with("text/html") {
                    let policy = header("content-security-policy");
                    assert!(
                        policy.contains("frame-ancestors 'none'")
                            && policy.contains("default-src 'none'"),
                        "{policy}"
                    );
                    assert!(!policy.contains("unsafe"), "{policy}");
                    assert_eq!(header("x-frame-options"), "DENY", "{method} {path}");
                    assert_eq!(header("referrer-policy"), "same-origin", "{method} {path}");
                    assert_eq!(header("cross-origin-opener-policy"), "same-origin");
                }
                assert_eq!(header("access-control-allow-origin"), "", "{method} {path}");
            }
        }
        let strange = raw(&house, &["GET /.pomerium/ HTTP/1.1", "Host: evil.test"]).await;
        assert_eq!((strange.status, strange.header("cache-control")), (404, Some("no-store")));
        // Refusals of a check are framed by nobody either.
        let seen = browser.go("http://fin.localhost/robots.txt").await;
        assert!(seen.status() < 500);
        browser.headers.push("x-requested-with: XMLHttpRequest".to_owned());
        let refused = browser.go("http://eng.localhost/").await;
        let policy = refused.reply().header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("frame-ancestors 'none'"), "{refused:?}");
        assert_eq!(refused.reply().header("cache-control"), Some("no-store"));
        browser.headers.clear();
    }
    house.close().await;
}

// --- requests that are none

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_said_once() {
    let house = House::open().await;
    let get = "GET /.pomerium/user HTTP/1.1";
    for (lines, status) in [
        (vec![get, "Host: auth.localhost"], 401),
        (vec![get, "Host: AUTH.LocalHost"], 401),
        (vec![get, "Host: auth.localhost:80"], 401),
        (vec![get, "Host: evil.test"], 404),
        (vec![get, "Host: auth.localhost."], 404),
        (vec![get, "Host: auth.localhost:99999"], 404),
        (vec![get, "Host: auth.localhost:0"], 404),
        (vec![get, "Host: auth.localhost@evil.test"], 404),
        (vec![get, "Host: evil.test@auth.localhost"], 404),
        (vec![get, "Host: auth.localhost/x"], 404),
        (vec![get, "Host: auth.localhost, evil.test"], 404),
        (vec![get, "Host: "], 404),
        (vec![get], 404),
        (vec![get, "Host: auth.localhost", "Host: evil.test"], 404),
        (vec![get, "Host: evil.test", "Host: auth.localhost"], 404),
        (vec!["GET http://auth.localhost/.pomerium/user HTTP/1.1", "Host: auth.localhost"], 401),
        (vec!["GET http://evil.test/.pomerium/user HTTP/1.1", "Host: auth.localhost"], 404),
        (vec!["GET http://auth.localhost/.pomerium/user HTTP/1.1", "Host: any.localhost"], 404),
        (vec!["GET http://auth.localhost/.pomerium/user HTTP/1.1", "Host: evil.test"], 404),
        (vec!["GET //auth.localhost/.pomerium/user HTTP/1.1", "Host: auth.localhost"], 404),
        (vec!["OPTIONS * HTTP/1.1", "Host: auth.localhost"], 404),
        (vec![get, "Host: auth.localhost", "X-Forwarded-Host: evil.test"], 401),
    ] {
        let reply = raw(&house, &lines).await;
        assert!(
            reply.status == status || (status == 404 && reply.status == 400),
            "{lines:?} {reply:?}"
        );
    }
    // No header of a client changes where a link leads.
    let lines = [
        "GET /.pomerium/ HTTP/1.1",
        "Host: any.localhost",
        "X-Forwarded-Host: evil.test",
        "X-Forwarded-Proto: https",
        "Forwarded: host=evil.test",
        "X-Original-URL: /.pomerium/admin/sessions",
    ];
    let reply = raw(&house, &lines).await;
    let to = reply.header("location").expect("leads on").to_owned();
    assert!(
        to.starts_with("http://auth.localhost/.pomerium/sign_in?") && !to.contains("evil"),
        "{to}"
    );
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_is_too_much() {
    let house = House::open().await;
    let mut root = house.guest("root@corp.test").await;
    let csrf = hidden(root.my_page().await.body(), "csrf");
    for path in FORMS.iter().chain(&["/.pomerium/sign_in", "/.pomerium/backchannel_logout"]) {
        let form = format!("csrf={csrf}&email={}", "a".repeat(70_000));
        let seen = root.request("POST", &url(&format!("{AUTHENTICATE}{path}")), Some(&form)).await;
        assert_eq!(seen.status(), 413, "{path}");
        assert_eq!(seen.reply().header("cache-control"), Some("no-store"));
    }
    let many = |count: usize| (0..count).map(|n| format!("a{n}=b")).collect::<Vec<_>>().join("&");
    let form = format!("csrf={csrf}&email=nobody&{}", many(9000));
    let seen = root
        .request("POST", &url(&format!("{AUTHENTICATE}/.pomerium/admin/preview")), Some(&form))
        .await;
    assert!([413, 422].contains(&seen.status()), "{}", seen.status());
    let started = std::time::Instant::now();
    let get = "GET /.pomerium/user HTTP/1.1";
    let host = "Host: auth.localhost";
    let own = root.cookie("auth.localhost", "_pomerium").expect("a cookie").to_owned();
    for (line, good) in [
        (format!("Cookie: _pomerium={}", "a".repeat(100_000)), false),
        (format!("Cookie: {}_pomerium={own}", "_pomerium=x.y.z; ".repeat(3000)), false),
        (format!("Cookie: {}_pomerium={own}", "a=b; ".repeat(10_000)), true),
        (format!("X-Request-Id: {}", "a".repeat(100_000)), false),
        (format!("User-Agent: {}", "\u{202e}<".repeat(10_000)), false),
        (format!("X-Forwarded-For: {}", "1.2.3.4,".repeat(10_000)), false),
    ] {
        let reply = raw(&house, &[get, host, &line]).await;
        assert_eq!(reply.status, if good { 200 } else { 401 }, "{line:.40}");
    }
    let huge = format!("X-A: {}", "a".repeat(2 << 20));
    let reply = exchange_body(house.http, &[get, host, &huge], b"").await;
    assert!(reply.is_err() || reply.is_ok_and(|reply| reply.status == 431 || reply.status == 0));
    let headers: Vec<String> = (0..500).map(|n| format!("X-{n}: a")).collect();
    let lines: Vec<&str> =
        [get, host].into_iter().chain(headers.iter().map(String::as_str)).collect();
    assert_eq!(raw(&house, &lines).await.status, 431);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(root.my_page().await.status(), 200);
    house.close().await;
}

// --- secrets

/// Everything that came out, where no secret belongs.
#[derive(Default)]
struct Out(Vec<(String, String)>);

impl Out {
    fn take(&mut self, what: &str, seen: &Seen) {
        match seen {
            Seen::Page { reply, .. } => {
                let body = (format!("body of {what}"), reply.body.clone());
                let public = reply
                    .headers
                    .iter()
                    .filter(|(name, _)| !["set-cookie", "location"].contains(&name.as_str()));
                let headers =
                    public.map(|(name, value)| (format!("{name} of {what}"), value.clone()));
                self.0.extend(headers.chain([body]));
            }
            Seen::Upstream { headers, claims, .. } => {
                self.0.push((format!("upstream of {what}"), format!("{headers:?} {claims}")));
            }
        }
    }

    fn holds_none_of(&self, secrets: &[(String, String)]) {
        for (name, secret) in secrets {
            assert!(secret.len() > 15, "{name} is no secret: {secret}");
            for (place, text) in &self.0 {
                assert!(!text.contains(secret), "{name} in {place}: {text}");
            }
        }
    }
}

/// What lies on the disk, as text.
fn on_disk(folder: &std::path::Path) -> String {
    let files =
        std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let bytes: Vec<u8> = files.flat_map(|file| std::fs::read(file).expect("reads")).collect();
    assert!(bytes.len() > 10_000, "nothing is kept");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The pieces of a token that are worth something: its payload, its tag, and what the payload holds.
fn pieces(name: &str, token: &str) -> Vec<(String, String)> {
    let mut pieces: Vec<_> =
        token.split('.').skip(1).map(|part| (name.to_owned(), part.to_owned())).collect();
    let jti = payload(token)["jti"].as_str().expect("a jti").to_owned();
    pieces.push((format!("jti of {name}"), jti));
    pieces
}

#[tokio::test(flavor = "current_thread")]
async fn a_secret_is_nowhere_but_where_it_belongs() {
    let (_guard, heard) = listen();
    let place = Place::file();
    let house = House::with(CONFIG, &place.settings).await;
    let (mut out, mut secrets) = (Out::default(), Vec::new());
    let mut root = house.browser();
    let form = root.go("http://any.localhost/a/page").await;
    out.take("the form", &form);
    out.take(
        "a wrong password",
        &root.log_in(&form, "root@corp.test", "a wrong passw0rd of root").await,
    );
    secrets.push(("a wrong password".to_owned(), "a wrong passw0rd of root".to_owned()));
    secrets.push(("the password".to_owned(), PASSWORD.to_owned()));
    out.take("the first page", &root.log_in(&form, "root@corp.test", PASSWORD).await);
    for step in ["any", "eng", "fin", "auth"] {
        out.take(step, &root.go(&format!("http://{step}.localhost/.pomerium/")).await);
        out.take(step, &root.go(&format!("http://{step}.localhost/.pomerium/user")).await);
    }
    out.take("acting", &root.act_as("bob@corp.test", "g-fin").await);
    out.take("upstream", &root.go("http://fin.localhost/").await);
    out.take("refused", &root.go("http://eng.localhost/").await);
    for path in [
        "sessions",
        "activity",
        "people?q=a",
        "sessions/end?session=SID",
        "sessions/stop?session=SID",
    ] {
        let sid = house.sessions().await[0].id.to_string();
        out.take(
            path,
            &root
                .go(&format!("{AUTHENTICATE}/.pomerium/admin/{}", path.replace("SID", &sid)))
                .await,
        );
    }
    // A program gets a token of its own.
    let login =
        "http://any.localhost/.pomerium/api/v1/login?pomerium_redirect_uri=http://localhost:9/";
    let link = root.go(login).await;
    out.take("a program's link", &link);
    let mut at = url(link.body());
    while at.host_str() != Some("localhost") {
        let seen = root.request("GET", &at, None).await;
        out.take("a program's way", &seen);
        at = at.join(&leads(&seen).expect("leads on")).expect("a URL");
    }
    let token =
        at.query_pairs().find(|(name, _)| name == "pomerium_jwt").expect("a token").1.into_owned();
    secrets.extend(pieces("a program's token", &token));
    let bearer = format!("Pomerium {token}");
    assert!(shown(&house, "any", ("authorization", &bearer)).await.is_ok());
    let query = format!("http://any.localhost/.pomerium/?pomerium_session={token}");
    out.take("a token in the query", &house.browser().go(&query).await);
    // A code, used and unused, good and bad.
    let code = code_for(&mut root, "dom").await;
    let text = code
        .query_pairs()
        .find(|(name, _)| name == "pomerium_code")
        .expect("a code")
        .1
        .into_owned();
    secrets.push(("the code".to_owned(), text));
    out.take("a stolen code", &house.browser().request("GET", &code, None).await);
    out.take("a used code", &root.request("GET", &code, None).await);
    for (host, jar) in &root.jars {
        for (name, value) in jar {
            match name.as_str() {
                "_pomerium" => secrets.extend(pieces(&format!("the cookie of {host}"), value)),
                _ => secrets.push((format!("{name} of {host}"), value.clone())),
            }
        }
    }
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    secrets.push(("the shared key".to_owned(), key.to_owned()));
    let csrf = hidden(root.my_page().await.body(), "csrf");
    for entry in house.activity().await {
        out.0.push(("the activity log".to_owned(), format!("{entry:?}")));
    }
    out.0.push(("a session".to_owned(), format!("{:?}", house.sessions().await)));
    out.0.push(("the settings".to_owned(), format!("{:?}", house.settings())));
    out.0.push(("the log".to_owned(), heard.text()));
    out.0.push(("the disk".to_owned(), on_disk(place.path().parent().expect("a folder"))));
    assert!(
        heard.text().contains("authorize check")
            && heard.text().contains("a one-time link was used again")
    );
    out.holds_none_of(&secrets);
    // The token of forms stands in pages only.
    let kept = out.0.iter().filter(|(place, _)| !place.starts_with("body of"));
    assert!(kept.clone().count() > 50 && kept.clone().all(|(_, text)| !text.contains(&csrf)));
    out.take("the end", &{
        let page = root.my_page().await;
        root.submit(&page, "/.pomerium/sign_out", &[]).await
    });
    house.store.sweep(house.now()).await.expect("sweeps");
    out.0.push((
        "the disk afterwards".to_owned(),
        on_disk(place.path().parent().expect("a folder")),
    ));
    out.holds_none_of(&secrets);
    house.close().await;
}

// --- the store is silent

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_store_lets_nobody_in_whom_nobody_knows() {
    let tasks = lictor::tasks::Tasks::default();
    let faulty = Arc::new(Faulty::new(Place::memory().open().await));
    let limits = CacheLimits {
        lookup: Duration::from_millis(300),
        staleness: Duration::from_millis(2500),
        ..CacheLimits::default()
    };
    let house = House::within(CONFIG, Arc::clone(&faulty) as _, tasks, limits).await;
    let (alice, bob) = (
        house.open_session(profile("alice@corp.test")).await,
        house.open_session(profile("bob@corp.test")).await,
    );
    let ask = |opened: &lictor::people::Opened, host: &str| {
        let cookie = format!("_pomerium={}", handle(&house, opened, &format!("{host}.localhost")));
        get(&format!("{host}.localhost"), "/", &[("accept", "text/html"), ("cookie", &cookie)])
    };
    let code = |answer: &Result<_, tonic::Status>| {
        answer.as_ref().map_or_else(|status| status.code(), |_| tonic::Code::Ok)
    };
    let went = |answer: Result<
        envoy_types::pb::envoy::service::auth::v3::CheckResponse,
        tonic::Status,
    >| match answer {
        Ok(answer) => answer.status.expect("a status").code,
        Err(status) => {
            assert_eq!(code(&Err::<(), _>(status)), tonic::Code::Unavailable);
            14
        }
    };
    assert_eq!(went(house.try_check(ask(&alice, "any")).await), 0);
    let reachable = std::time::Instant::now();
    for silence in [Fault::Before, Fault::Never] {
        // It fails, or it hangs.
        faulty.fails(silence);
        faulty.delays(if silence == Fault::Never {
            Duration::from_secs(3600)
        } else {
            Duration::ZERO
        });
        let asked = std::time::Instant::now();
        assert_eq!(went(house.try_check(ask(&alice, "any")).await), 0, "known");
        assert_eq!(went(house.try_check(ask(&alice, "eng")).await), 0, "known, on another host");
        assert_eq!(went(house.try_check(ask(&alice, "fin")).await), 7, "known and refused");
        assert_eq!(went(house.try_check(ask(&bob, "any")).await), 14, "unknown");
        assert_eq!(went(house.try_check(ask(&bob, "public")).await), 0, "anybody may");
        assert_eq!(went(house.try_check(get("any.localhost", "/", &[])).await), 7, "nobody");
        assert!(asked.elapsed() < Duration::from_millis(2000), "{:?}", asked.elapsed());
        // Pages say so, and never that one is signed in, or out.
        let page = house.with_session(&bob).my_page().await;
        assert_eq!(page.status(), 503, "{page:?}");
        assert_eq!(house.browser().go(&sign_in_page()).await.status(), 200, "the form");
    }
    assert!(reachable.elapsed() < Duration::from_secs(30));
    // Too long: whoever was known is not any more.
    tokio::time::sleep(Duration::from_millis(3000)).await;
    assert_eq!(went(house.try_check(ask(&alice, "any")).await), 14);
    assert_eq!(went(house.try_check(ask(&alice, "fin")).await), 14, "nor refused as who they were");
    assert_eq!(went(house.try_check(ask(&alice, "public")).await), 0);
    assert_eq!(house.with_session(&alice).my_page().await.status(), 503);
    // It answers again.
    faulty.delays(Duration::ZERO);
    faulty.fails(Fault::Never);
    for _ in 0..200 {
        if went(house.try_check(ask(&alice, "any")).await) == 0 {
            assert_eq!(went(house.try_check(ask(&bob, "any")).await), 0);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came back");
}
