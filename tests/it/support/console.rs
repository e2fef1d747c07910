//! The console by its handlers: making things with its forms, and all its pages.

use super::house::{Browser, Seen, hidden};
use regex::Regex;
use std::path::Path;

pub const CONSOLE: &str = "http://auth.localhost/console/";
pub const GLOBAL: &str = "9d8dbd2c-8cce-4e66-9c1f-c490b4a07243";

pub fn at(path: &str) -> String {
    format!("{CONSOLE}{path}")
}

/// What stands between two texts for the first time.
pub fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let start = text.find(before).unwrap_or_else(|| panic!("no {before} in {text}")) + before.len();
    let rest = &text[start..];
    &rest[..rest.find(after).expect("an end")]
}

/// The token on the page that shows it.
pub fn token_of(seen: &Seen) -> String {
    between(seen.body(), "aria-label=\"The token\">", "</code>").to_owned()
}

pub fn account_of(seen: &Seen) -> String {
    between(seen.body(), "data-afterwards=\"/console/accounts/", "/token\"").to_owned()
}

/// Makes a unique account in the namespace that is looked at; its page with the token.
pub async fn make(browser: &mut Browser<'_>, name: &str) -> Seen {
    let page = browser.go(&at("accounts/new")).await;
    assert_eq!(page.status(), 200, "{page:?}");
    let (key, namespace) = (hidden(page.body(), "key"), hidden(page.body(), "namespace"));
    let fields = [
        ("kind", "unique"),
        ("name", name),
        ("description", "for tests"),
        ("expiry", "90d"),
        ("key", key.as_str()),
        ("namespace", namespace.as_str()),
    ];
    let made = browser.submit(&page, "/console/accounts/new", &fields).await;
    assert_eq!(made.status(), 200, "{made:?}");
    made
}

/// Makes a namespace below another one; its id.
pub async fn make_namespace(browser: &mut Browser<'_>, parent: &str, name: &str) -> String {
    let page = browser.go(&at("namespaces/new")).await;
    let fields = [("parent", parent), ("name", name)];
    let made = browser.submit(&page, "/console/namespaces/new", &fields).await;
    assert_eq!(made.status(), 200, "{made:?}");
    made.url().path().rsplit('/').next().expect("an id").to_owned()
}

/// Gives a role in a namespace, by the form on its page.
pub async fn give(
    browser: &mut Browser<'_>,
    namespace: &str,
    to: (&str, &str),
    role: &str,
) -> Seen {
    let page = browser.go(&at(&format!("namespaces/{namespace}"))).await;
    let (of, subject) = to;
    let fields = [("of", of), ("subject", subject), ("role", role)];
    browser.submit(&page, &format!("/console/namespaces/{namespace}/roles"), &fields).await
}

/// Paths of the console's router, and whether forms are sent there. Read from its text, so that none is
/// forgotten.
pub fn paths() -> Vec<(String, bool)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console.rs");
    let text = std::fs::read_to_string(file).expect("the console");
    let route = Regex::new(r#"\.route\(\s*"([^"]+)",\s*(sent\()?"#).expect("a pattern");
    assert_eq!(
        text.matches(".post(").count(),
        1,
        "forms go one way, which judges where they are from"
    );
    let found = route.captures_iter(&text);
    found.map(|found| (found[1].to_owned(), found.get(2).is_some())).collect()
}

/// Pages of the console that exist when there is one of everything; ids are filled in.
pub const PAGES: [&str; 36] = [
    "",
    "accounts",
    "accounts/new",
    "accounts/ACCOUNT",
    "accounts/ACCOUNT/edit",
    "accounts/ACCOUNT/delete",
    "accounts/ACCOUNT/token",
    "accounts/ACCOUNT/revoke?credential=CREDENTIAL",
    "namespaces",
    "namespaces/new",
    "namespaces/NAMESPACE",
    "namespaces/NAMESPACE/edit",
    "namespaces/NAMESPACE/move?to=9d8dbd2c-8cce-4e66-9c1f-c490b4a07243",
    "namespaces/NAMESPACE/delete",
    "policies",
    "policies/new",
    "policy?id=POLICY",
    "policy/edit?id=POLICY",
    "policy/delete?id=POLICY",
    "routes",
    "routes/new",
    "route?id=web",
    "route/edit?id=web",
    "route/delete?id=web",
    "simulator",
    "activity",
    "activity/1",
    "users?q=bob",
    "user?id=u-bob",
    "user/block?id=u-alice",
    "user/unblock?id=u-bob",
    "user/revoke?id=u-bob",
    "policy/edit?id=POLICY&for=x",
    "accounts/new?kind=impersonated&user=u-bob",
    "search?q=b",
    "people?q=b&accounts=on",
];

/// One of everything, by id.
#[derive(Debug)]
pub struct Furniture {
    pub namespace: String,
    pub account: String,
    pub policy: String,
    pub credential: String,
}

impl Furniture {
    /// The ids in place of their names.
    pub fn filled(&self, text: &str) -> String {
        let text = text.replace("ACCOUNT", &self.account).replace("NAMESPACE", &self.namespace);
        text.replace("POLICY", &self.policy).replace("CREDENTIAL", &self.credential)
    }

    /// The addresses of all pages.
    pub fn pages(&self) -> Vec<String> {
        PAGES.iter().map(|page| at(&self.filled(page))).collect()
    }
}

/// Makes one of everything, with texts that `write` makes.
pub async fn furnish(root: &mut Browser<'_>, write: impl Fn(&str) -> String) -> Furniture {
    let described = write("Design");
    let namespace = make_namespace(root, GLOBAL, "Design").await;
    let edit = root.go(&at(&format!("namespaces/{namespace}/edit"))).await;
    let version = hidden(edit.body(), "version");
    let fields =
        [("name", "Design"), ("description", described.as_str()), ("version", version.as_str())];
    let action = format!("/console/namespaces/{namespace}/edit");
    let saved = root.submit(&edit, &action, &fields).await;
    assert!(saved.body().contains("The changes are saved."), "{saved:?}");

    root.go(&at(&format!("accounts?ns={namespace}"))).await;
    let account = account_of(&make(root, "build-bot").await);
    let edit = root.go(&at(&format!("accounts/{account}/edit"))).await;
    let version = hidden(edit.body(), "version");
    let fields =
        [("description", described.as_str()), ("expiry", "keep"), ("version", version.as_str())];
    let action = format!("/console/accounts/{account}/edit");
    let saved = root.submit(&edit, &action, &fields).await;
    assert!(saved.body().contains("The changes are saved."), "{saved:?}");

    let page = root.go(&at("routes/new")).await;
    let path = write("/app");
    let fields = [
        ("namespace", namespace.as_str()),
        ("id", "web"),
        ("from", "https://web.localhost"),
        ("kind", "prefix"),
        ("path", path.as_str()),
        ("description", described.as_str()),
    ];
    let made = root.submit(&page, "/console/routes/new", &fields).await;
    assert!(made.body().contains("It is created."), "{made:?}");

    let page = root.go(&at("policies/new")).await;
    let name = write("builds");
    let text = serde_json::json!({ "user": { "is": write("build-bot") } });
    let text = format!("allow: {{or: [{text}]}}");
    let fields = [
        ("namespace", namespace.as_str()),
        ("name", name.as_str()),
        ("description", described.as_str()),
        ("explanation", described.as_str()),
        ("remediation", described.as_str()),
        ("view", "text"),
        ("text", text.as_str()),
        ("to-0", "web"),
        ("do", "save"),
    ];
    let made = root.submit(&page, "/console/policies/new", &fields).await;
    assert!(made.body().contains("It is created."), "{made:?}");
    let policy = made.url().query_pairs().find(|(name, _)| name == "id").expect("an id");
    let policy = policy.1.into_owned();
    let given = give(root, &namespace, ("user", "u-alice"), "viewer").await;
    assert!(given.body().contains("The role is given."), "{given:?}");
    let question = root.go(&at("user/block?id=u-bob")).await;
    let reason = write("has left");
    let blocked =
        root.submit(&question, "/console/user/block?id=u-bob", &[("reason", &reason)]).await;
    assert!(blocked.body().contains("They are blocked"), "{blocked:?}");
    let page = root.go(&at(&format!("accounts/{account}"))).await;
    let credential = hidden(page.body(), "after");
    Furniture { namespace, account, policy, credential }
}
