//! Attacks on the console: forms of others, and texts of others that are more than texts.

use crate::support::browser::{Browser as Window, key};
use crate::support::config::snapshot_with;
use crate::support::console::{CONSOLE, GLOBAL, PAGES, at, between, furnish, paths};
use crate::support::house::{Browser, House, PASSWORD, Seen, hidden, with_provider};
use lictor::admin::{AccountsWanted, Actor};
use lictor::identity::{Directory, Group, User};
use regex::Regex;
use std::collections::BTreeSet;
use url::Url;

/// Path, query and fields.
type Sent = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Where forms are sent, with what would do something there if it were taken. In this order each can be
/// sent after those before it.
const POSTS: [Sent; 25] = [
    (
        "/console/accounts/new",
        "",
        &[("kind", "unique"), ("name", "more"), ("expiry", "90d"), ("namespace", "NAMESPACE")],
    ),
    ("/console/accounts/some", "", &[("pick-ACCOUNT", "on"), ("do", "disable")]),
    ("/console/accounts/{id}/enable", "", &[]),
    ("/console/accounts/{id}/disable", "", &[]),
    ("/console/accounts/{id}/edit", "", &[("description", "more"), ("expiry", "keep")]),
    ("/console/accounts/{id}/token", "", &[("after", "CREDENTIAL"), ("overlap", "1h")]),
    ("/console/accounts/{id}/revoke", "", &[("credential", "CREDENTIAL")]),
    ("/console/accounts/{id}/delete", "", &[("typed", "build-bot")]),
    ("/console/namespaces/new", "", &[("parent", GLOBAL), ("name", "Sales")]),
    ("/console/namespaces/{id}/edit", "", &[("name", "Design"), ("description", "more")]),
    ("/console/namespaces/{id}/move", "", &[("to", GLOBAL)]),
    (
        "/console/namespaces/{id}/roles",
        "",
        &[("of", "user"), ("subject", "u-eve"), ("role", "viewer")],
    ),
    ("/console/namespaces/{id}/remove-role", "", &[("permission", "PERMISSION")]),
    ("/console/policies/check", "", &[("view", "text"), ("text", "allow: {or: [{accept: true}]}")]),
    (
        "/console/policies/new",
        "",
        &[
            ("namespace", "NAMESPACE"),
            ("name", "more"),
            ("view", "text"),
            ("text", "allow: {or: [{accept: true}]}"),
            ("do", "save"),
        ],
    ),
    (
        "/console/policy/edit",
        "?id=POLICY",
        &[
            ("name", "most"),
            ("view", "text"),
            ("text", "allow: {or: [{accept: true}]}"),
            ("do", "save"),
        ],
    ),
    ("/console/policy/delete", "?id=POLICY", &[("all", "on")]),
    (
        "/console/routes/new",
        "",
        &[("namespace", "NAMESPACE"), ("id", "more"), ("from", "https://more.localhost")],
    ),
    ("/console/route/edit", "?id=web", &[("from", "https://most.localhost")]),
    ("/console/route/delete", "?id=web", &[]),
    ("/console/user/block", "?id=u-alice", &[("reason", "none")]),
    ("/console/user/unblock", "?id=u-bob", &[]),
    ("/console/user/revoke", "?id=u-bob", &[]),
    ("/console/simulator", "", &[("who", "token"), ("token", "x"), ("url", "http://a.localhost/")]),
    ("/console/namespaces/{id}/delete", "", &[("typed", "Design"), ("all", "on")]),
];

/// A place where a form is sent, and what with.
struct Post {
    url: Url,
    fields: Vec<(String, String)>,
}

impl Post {
    fn form(&self, csrf: Option<&str>) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(csrf.map(|csrf| ("csrf", csrf)));
        form.extend_pairs(&self.fields).finish()
    }
}

/// Everything that a form could have changed.
async fn all_there_is(house: &House) -> String {
    let which = AccountsWanted { recursive: true, limit: 100, ..AccountsWanted::default() };
    let accounts = house.admin.accounts(&Actor::terminal(), &which, house.now()).await;
    let accounts = accounts.expect("accounts").views;
    let catalog = house.store.catalog().await.expect("a catalog");
    format!("{} {accounts:?} {catalog:?}", house.activity().await.len())
}

/// Sends a form as it is; it has to be refused for where it is from.
async fn is_refused(browser: &mut Browser<'_>, url: &Url, form: &str, how: &str) {
    let seen = browser.request("POST", url, Some(form)).await;
    assert_eq!(seen.status(), 403, "{url}, {how}: {seen:?}");
    assert!(seen.body().contains("<h1>Nothing was changed</h1>"), "{url}, {how}: {seen:?}");
}

/// What browsers say of a form that another site, or another host of this one, has sent.
const ELSEWHERE: [&[&str]; 7] = [
    &["origin: https://evil.test", "sec-fetch-site: cross-site"],
    &["origin: https://evil.test"],
    &["origin: http://any.localhost", "sec-fetch-site: same-site"],
    &["origin: http://auth.localhost:81"],
    &["origin: null"],
    &["sec-fetch-site: cross-site"],
    &["sec-fetch-site: same-site"],
];

#[tokio::test(flavor = "multi_thread")]
async fn no_form_is_taken_from_elsewhere() {
    let wanted: BTreeSet<String> =
        paths().into_iter().filter_map(|(path, takes_forms)| takes_forms.then_some(path)).collect();
    let known: BTreeSet<String> = POSTS.iter().map(|(path, ..)| (*path).to_owned()).collect();
    assert_eq!(known, wanted, "every place where forms are sent is tried");

    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    let furniture = furnish(&mut root, str::to_owned).await;
    let page = root.go(&at(&furniture.filled("namespaces/NAMESPACE"))).await;
    let permission = hidden(page.body(), "permission");
    let filled = |text: &str| furniture.filled(text).replace("PERMISSION", &permission);
    let post = |(path, query, fields): &Sent| {
        let id = if path.contains("/accounts/") { "ACCOUNT" } else { "NAMESPACE" };
        let path = filled(&format!("{}{query}", path.replace("{id}", id)));
        let url = page.url().join(&path).expect("a URL");
        let fields = fields.iter().map(|(name, value)| (filled(name), filled(value)));
        Post { url, fields: fields.collect() }
    };
    let posts: Vec<Post> = POSTS.iter().map(post).collect();

    // Tokens of forms: this session's, and those of others.
    let csrf = hidden(page.body(), "csrf");
    let mut others = Vec::new();
    for login in ["root@corp.test", "alice@corp.test"] {
        let mut other = house.signed_in(login).await;
        others.push(hidden(other.go(CONSOLE).await.body(), "csrf"));
    }
    root.go("http://any.localhost/").await;
    others.push(hidden(root.go("http://any.localhost/.pomerium/").await.body(), "csrf"));
    assert!(others.iter().all(|other| other.len() == csrf.len() && *other != csrf), "{others:?}");
    others.extend([String::new(), "guessed".to_owned()]);

    let before = all_there_is(&house).await;
    for post in &posts {
        for other in &others {
            is_refused(&mut root, &post.url, &post.form(Some(other)), other).await;
        }
        is_refused(&mut root, &post.url, &post.form(None), "no token").await;
        let mut in_address = post.url.clone();
        in_address.query_pairs_mut().append_pair("csrf", &csrf);
        is_refused(&mut root, &in_address, &post.form(None), "token in the address").await;
        for headers in ELSEWHERE {
            root.headers = headers.iter().map(|line| (*line).to_owned()).collect();
            is_refused(&mut root, &post.url, &post.form(Some(&csrf)), &headers.concat()).await;
        }
        root.headers.clear();
        // What is asked for does nothing.
        let mut asked = post.url.clone();
        asked.query_pairs_mut().append_pair("csrf", &csrf).extend_pairs(&post.fields);
        root.request("GET", &asked, None).await;
        assert_eq!(all_there_is(&house).await, before, "{}: something was done", post.url);
    }

    // All of it would have done something.
    for post in &posts {
        let seen = root.request("POST", &post.url, Some(&post.form(Some(&csrf)))).await;
        assert!(seen.status() < 400, "{}: {seen:?}", post.url);
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_on_every_page_holds_the_token_of_its_session() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    let furniture = furnish(&mut root, str::to_owned).await;
    let places: Vec<Regex> = paths()
        .into_iter()
        .filter(|(_, takes_forms)| *takes_forms)
        .map(|(path, _)| Regex::new(&format!("^{}$", path.replace("{id}", "[^/]+"))))
        .collect::<Result<_, _>>()
        .expect("patterns");
    let csrf = hidden(root.go(CONSOLE).await.body(), "csrf");
    let guard = format!("<input type=\"hidden\" name=\"csrf\" value=\"{csrf}\">");
    let mut seen = BTreeSet::new();
    for page in furniture.pages() {
        let page = root.go(&page).await;
        for form in page.body().split("<form ").skip(1) {
            let form = &form[..form.find("</form>").expect("an end")];
            if !form.starts_with("method=\"post\"") {
                assert!(form.starts_with("method=\"get\""), "{form}");
                assert!(!form.contains(&csrf), "a token in an address: {form}");
                continue;
            }
            assert!(form.contains(&guard), "{}: {form}", page.url());
            for found in form.split("action=\"").skip(1) {
                let action = found[..found.find(['"', '?']).expect("an end")].to_owned();
                let known = places.iter().any(|place| place.is_match(&action))
                    || action.starts_with("/.pomerium/");
                assert!(known, "{}: a form leads to {action}", page.url());
                seen.insert(action);
            }
        }
    }
    assert!(seen.len() >= 20, "{seen:?}");
    house.close().await;
}

/// What somebody hostile writes into every field.
const HOSTILE: &str =
    "\"'><img src=x onerror=\"window.struck=1\"><script>window.struck=1</script>&amp;{{7*7}}";
/// Who is called like that.
const MALLORY: &str = "u-mal\"'><img/src=x/onerror=window.struck=1>";
const HER_ADDRESS: &str = "mal\"'><img/src=x/onerror=window.struck=1>@corp.test";

fn hostile_directory() -> Directory {
    let user = |id: &str, email: &str| User {
        id: id.to_owned(),
        email: email.to_owned(),
        display_name: format!("Mallory{HOSTILE}"),
        group_ids: vec!["g-eng".to_owned(), format!("g-mal{HOSTILE}")],
    };
    let users = vec![
        user("u-root", "root@corp.test"),
        user("u-bob", "bob@corp.test"),
        user("u-alice", "alice@corp.test"),
        user(MALLORY, HER_ADDRESS),
    ];
    let group = |id: &str| Group {
        id: id.to_owned(),
        name: format!("Malicious{HOSTILE}"),
        ..Group::default()
    };
    let groups = vec![group("g-eng"), group(&format!("g-mal{HOSTILE}"))];
    Directory::new(users, groups).expect("a directory")
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Nothing of what was written is an element, or ends the attribute it stands in.
fn is_text(seen: &Seen, page: &str) {
    if seen.reply().header("content-type").is_some_and(|kind| kind.contains("json")) {
        return;
    }
    let wrong = ["<img", "<script>", "\"'>", "=\"window"];
    let wrong = wrong.into_iter().find(|wrong| seen.body().contains(wrong));
    assert_eq!(wrong, None, "{page}: {seen:?}");
}

/// A house in which every text that can be written is hostile, also those of the directory and of the browser;
/// the addresses of its pages.
async fn poisoned(house: &House) -> Vec<String> {
    house
        .state
        .replace(with_provider(snapshot_with(crate::support::house::CONFIG, hostile_directory())));
    let mut root = house.browser();
    root.headers = vec![format!("user-agent: {HOSTILE}")];
    root.sign_in("http://auth.localhost/.pomerium/sign_in", "root@corp.test").await;
    let furniture = furnish(&mut root, |text| format!("{text}{HOSTILE}")).await;
    let page = root.go(&at("accounts/new")).await;
    let fields = [
        ("kind", "impersonated"),
        ("user", MALLORY),
        ("description", HOSTILE),
        ("expiry", "7d"),
        ("key", "hostile"),
    ];
    let made = root.submit(&page, "/console/accounts/new", &fields).await;
    assert_eq!(made.status(), 200, "{made:?}");
    is_text(&made, "the token of an account that acts as Mallory");
    let other = between(made.body(), "data-afterwards=\"/console/accounts/", "/token\"").to_owned();

    let page = root.my_page().await;
    let fields = [("email", HER_ADDRESS), ("groups", ""), ("reason", HOSTILE), ("duration", "")];
    let acting = root.submit(&page, "/.pomerium/admin/impersonate", &fields).await;
    assert!(acting.body().contains("class=\"band\""), "{acting:?}");

    let mut pages = furniture.pages();
    for page in [
        "search?q=",
        "accounts?q=",
        "users?q=",
        "policies?for=",
        "policies/new?for=",
        "accounts/new?name=",
        "accounts/new?kind=impersonated&user=",
        "activity?who=",
        "simulator?who=user&url=http://any.localhost/&user=",
        "simulator?who=user&user=u-bob&url=",
        "namespaces/new?parent=",
        "user?id=",
        "policy?id=",
        "route?id=",
    ] {
        pages.push(at(&format!("{page}{}", encoded(HOSTILE))));
    }
    pages.extend(
        ["user?id=", "user/block?id="].map(|page| at(&format!("{page}{}", encoded(MALLORY)))),
    );
    for page in ["", "/edit", "/delete", "/token"] {
        pages.push(at(&format!("accounts/{other}{page}")));
    }
    let entries = house.activity().await.len();
    pages.extend((1..=entries).map(|number| at(&format!("activity/{number}"))));
    for page in ["/.pomerium/", "/.pomerium/admin/sessions", "/.pomerium/admin/activity"] {
        pages.push(format!("http://auth.localhost{page}"));
    }
    for page in &pages {
        is_text(&root.go(page).await, page);
    }
    pages
}

/// Every path of the router is one of the pages that are walked through.
#[test]
fn every_page_is_walked_through() {
    let walked: Vec<String> = PAGES
        .iter()
        .map(|page| format!("/console/{}", page.split('?').next().unwrap_or_default()))
        .map(|page| page.replace("ACCOUNT", "{id}").replace("NAMESPACE", "{id}"))
        .map(|page| page.replace("activity/1", "activity/{number}"))
        .collect();
    let only_forms = ["some", "disable", "enable", "roles", "remove-role", "check"];
    let forgotten: Vec<String> = paths()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| !only_forms.iter().any(|form| path.ends_with(&format!("/{form}"))))
        .filter(|path| path != "/console" && !walked.contains(path))
        .collect();
    assert!(forgotten.is_empty(), "{forgotten:?}");
}

/// In a browser nothing of it is run: not even without the rule that forbids scripts within a page.
async fn is_unharmed(window: &Window, place: &str) {
    let struck = "return window.struck === undefined
        && document.querySelector('img, [onerror], script:not([src])') === null";
    window.wait_until("return document.readyState === 'complete'").await;
    assert_eq!(window.run(struck).await, true, "{place}");
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_others_are_texts() {
    let house = House::open().await;
    let pages = poisoned(&house).await;
    let rule = format!("--host-resolver-rules=MAP auth.localhost:80 {}", house.http);
    let window = Window::start_with(&[&rule]).await;
    window.devtools("Page.setBypassCSP", serde_json::json!({ "enabled": true })).await;
    window.open(CONSOLE).await;
    window.press("#login", "root@corp.test").await;
    window.press("#password", PASSWORD).await;
    window.keys(key::ENTER).await;
    window.wait_for("nav.side").await;
    for page in &pages {
        window.open(page).await;
        is_unharmed(&window, page).await;
    }

    // What scripts of ours show.
    window.open(&at("accounts/new")).await;
    window.click("[name=kind][value=impersonated]").await;
    window.press("#user", "mal").await;
    window.wait_for("#user[aria-expanded=true]").await;
    is_unharmed(&window, "people while one types").await;
    window.keys(key::UP).await;
    window.keys(key::ENTER).await;
    window.wait_for("[data-meant=user]:not([hidden])").await;
    is_unharmed(&window, "who is meant").await;
    window.open(&at("policies/new")).await;
    window.press("#name", HOSTILE).await;
    window.press("#value-0", HOSTILE).await;
    window.wait_for("#value-0[aria-expanded=true]").await;
    is_unharmed(&window, "accounts while one types").await;
    window.keys(key::ESCAPE).await;
    window.click("button[value=add]").await;
    window.wait_for("#effect-1").await;
    is_unharmed(&window, "rows").await;
    window.click("button[value=text]").await;
    window.wait_for("#text").await;
    is_unharmed(&window, "the text of rows").await;
    window.fill("#text", "allow: {or: [{'<img src=x onerror=window.struck=1>': 1}]}").await;
    window.wait_for("#text[aria-invalid=true]").await;
    assert!(window.text("[data-problems]").await.contains("<img"), "it is told");
    is_unharmed(&window, "what does not compile").await;
    house.close().await;
}
