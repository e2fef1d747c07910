//! A deployment behind a real Envoy, as people with browsers meet it: two hosts and more to protect, one
//! to sign in on.

use super::browser::Browser;
use super::house::PASSWORD;
use super::oidc_provider::{self, OidcServer, Options};
use super::pki::{Ca, dns};
use super::{envoy, gates};
use lictor::clock::{Clock, SystemClock};
use lictor::demo::{Reply, Stand, StandOptions, exchange};
use lictor::provider::hash_password;
use lictor::time::Timestamp;
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use url::Url;

/// What every stage is configured with.
const CONFIG: &str = "
enable_user_impersonation: true
pass_identity_headers: true
jwt_claims_headers: {x-pomerium-claim-email: email, x-pomerium-claim-groups: groups}
log_level: warn
routes:
- {id: httpbin, from: https://httpbin.localhost, to: http://UPSTREAM, allow_any_authenticated_user: true}
- {id: payroll, from: https://payroll.localhost, to: http://UPSTREAM, policy: {allow: {or: [{groups: {has: g-finance}}]}}}
- {id: admin, from: https://admin.localhost, to: http://UPSTREAM, policy: {allow: {or: [{email: root@corp.test}, {email: admin@example.com}, {groups: {has: admins}}]}}}
";

const LOCAL: &str = "
idp_provider: local
users_file: users.yaml
directory: {file: people.yaml}
administrators: [root@corp.test]
";

const MACHINES: &str = "
namespaces:
- {id: design, name: Design}
- {id: sales, name: Sales}
";

const API: &str = "\
- {id: api, from: https://api.localhost, to: http://UPSTREAM, namespace: design, policies: []}
- {id: crm, from: https://crm.localhost, to: http://UPSTREAM, namespace: sales, allow_any_authenticated_user: true}
";

const PEOPLE: &str = "
users:
- {id: 00u1root7xYzQwErTy5d7, email: root@corp.test, display_name: Root, group_ids: [g-admins]}
- {id: 00u2alice7xYzQwErTy5d7, email: alice@corp.test, display_name: Alice Anders, group_ids: [g-eng]}
- {id: 00u3bob7xYzQwErTy5d7, email: bob@corp.test, display_name: Bob Baker, group_ids: [g-finance]}
groups:
- {id: g-admins, name: Administrators}
- {id: g-eng, name: Engineers}
- {id: g-finance, name: Finance}
";

/// `(id, email, name, groups)`: as short as they come, and as long.
const USERS: [(&str, &str, &str, &str); 4] = [
    ("00u1root7xYzQwErTy5d7", "root@corp.test", "Root", ""),
    ("00u2alice7xYzQwErTy5d7", "alice@corp.test", "Alice Anders", "g-eng"),
    ("00u3bob7xYzQwErTy5d7", "bob@corp.test", "Bob Baker", "g-finance"),
    (
        "waad|Yk3FqkQX9wq0a2Zb7T1uVnRjL5sHc8DdEeMmPp4GgKk6JjIiOo",
        "maximiliane.featherstonehaugh-cholmondeley@engineering.emea.corp.test",
        "Maximiliane Theodora Featherstonehaugh-Cholmondeley von Donaudampfschifffahrt",
        "0f3b6a3e-8a51-4f43-9b0e-b7f1c1f0a001, 0f3b6a3e-8a51-4f43-9b0e-b7f1c1f0a002, cn=release-managers;ou=groups;dc=emea;dc=corp;dc=test, g-eng, g-all, everybody, vpn-users, on-call-weekend",
    ),
];

/// The one with the long names.
pub const LONG: &str = "maximiliane.featherstonehaugh-cholmondeley@engineering.emea.corp.test";

/// The clock of the machine, moved on by hand.
#[derive(Debug, Default)]
struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        let ahead = self.0.load(Ordering::SeqCst);
        SystemClock.now().plus(Duration::from_secs(ahead.unsigned_abs()))
    }
}

/// Everything running. Ends with this value.
#[derive(Debug)]
pub struct Stage {
    stand: Stand,
    /// Where people sign in, without path.
    authenticate: Url,
    /// Signs the certificate of Envoy, where there is one.
    pub ca: Option<String>,
    pub provider: Option<OidcServer>,
    clock: Arc<Ahead>,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// People sign in by a users file.
    pub async fn local() -> Self {
        let at = gates::free_address();
        Self::open("http", at, LOCAL).await
    }

    /// The same with a namespace, and in it a route that nobody may use yet.
    pub async fn with_machines() -> Self {
        let at = gates::free_address();
        Self::open_with("http", at, (&format!("{LOCAL}{MACHINES}"), API)).await
    }

    /// The same over TLS.
    pub async fn secured() -> Self {
        let at = gates::free_address();
        Self::open("https", at, LOCAL).await
    }

    /// People sign in at the certified provider.
    pub async fn at_provider() -> Self {
        let at = gates::free_address();
        let here = format!("http://authenticate.localhost:{}", at.port());
        let options = Options {
            callback: format!("{here}/oauth2/callback"),
            signed_out: format!("{here}/.pomerium/signed_out"),
            back_channel: Some(format!("{here}/.pomerium/backchannel_logout")),
            ..Options::default()
        };
        let provider = OidcServer::start(&options);
        let config = format!(
            "idp_provider: oidc\nidp_provider_url: {}\nidp_client_id: {}\nidp_client_secret: '{}'\n\
             idp_scopes: [openid, profile, email, groups, offline_access]\n\
             idp_request_params: {{prompt: consent}}\nadministrators: [admin@example.com]\n",
            provider.issuer,
            oidc_provider::CLIENT,
            oidc_provider::CLIENT_SECRET,
        );
        Self { provider: Some(provider), ..Self::open("http", at, &config).await }
    }

    async fn open(scheme: &str, at: SocketAddr, people: &str) -> Self {
        Self::open_with(scheme, at, (people, "")).await
    }

    /// `routes` are more of them.
    async fn open_with(scheme: &str, at: SocketAddr, (people, routes): (&str, &str)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("users.yaml"), users_file()).expect("writes");
        fs::write(folder.path().join("people.yaml"), PEOPLE).expect("writes");
        let authenticate = format!("{scheme}://authenticate.localhost:{}", at.port());
        let config = format!("authenticate_service_url: {authenticate}\n{people}{CONFIG}{routes}");
        let mut document = gates::generated(&config, folder.path());
        gates::set_times(&mut document);
        let tls = (scheme == "https").then(|| certificate(&mut document, at));
        let envoy = tokio::task::spawn_blocking(envoy::binary).await.expect("an Envoy");
        let options = StandOptions {
            envoy,
            folder: folder.path().to_owned(),
            port: if tls.is_some() { 0 } else { at.port() },
            config,
            bootstrap: Some(gates::with_places(&document)),
        };
        let clock = Arc::new(Ahead::default());
        let stand = Stand::start_by(options, Arc::clone(&clock) as _).await.expect("a stand");
        let authenticate = authenticate.parse().expect("a URL");
        Self { stand, authenticate, ca: tls, provider: None, clock, _folder: folder }
    }

    /// Something on a host of this stage: `httpbin`, `payroll`, `admin`, `authenticate`.
    pub fn at(&self, host: &str, path: &str) -> String {
        let mut url = self.authenticate.clone();
        url.set_host(Some(&format!("{host}.localhost"))).expect("a host");
        url.join(path).expect("a path").into()
    }

    /// The claims of the assertion in what the upstream of that host got, verified by its public keys.
    pub async fn verified(&self, host: &str, got: &Value) -> Value {
        let host = format!("{host}.localhost");
        let asked = format!("Host: {host}");
        let lines = ["GET /.well-known/pomerium/jwks.json HTTP/1.1", &asked];
        let keys = exchange(self.stand.gateway, &lines).await.expect("public keys").json();
        let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_value(keys).expect("keys");
        let token = got["headers"]["x-pomerium-jwt-assertion"].as_str();
        let token = token.unwrap_or_else(|| panic!("no assertion: {got}"));
        let header = jsonwebtoken::decode_header(token).expect("a header");
        let key = keys.find(&header.kid.expect("a kid")).expect("the key");
        let key = jsonwebtoken::DecodingKey::from_jwk(key).expect("a key");
        let mut validation = jsonwebtoken::Validation::new(header.alg);
        validation.set_audience(&[&host]);
        validation.set_issuer(&[&host]);
        jsonwebtoken::decode(token, &key, &validation).expect("it verifies").claims
    }

    /// A request of a program with a token, through Envoy.
    pub async fn called_by(&self, host: &str, token: &str) -> Reply {
        let asked = format!("Host: {host}.localhost");
        let shown = format!("Authorization: Bearer Pomerium-{token}");
        let lines = ["GET /headers HTTP/1.1", &asked, "Accept: application/json", &shown];
        exchange(self.stand.gateway, &lines).await.expect("an answer")
    }

    /// Moves the clock of Lictor on.
    pub fn later(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// How many requests have reached an upstream.
    pub fn served(&self) -> usize {
        self.stand.upstream.served()
    }
}

/// Gives Envoy a listener over TLS; the CA that clients have to trust.
fn certificate(document: &mut Value, at: SocketAddr) -> String {
    let ca = Ca::new("stage");
    let names = ["authenticate", "httpbin", "payroll", "admin"];
    let (certificate, key) = ca.client_with_key(|params| {
        params.subject_alt_names =
            names.iter().map(|name| dns(&format!("{name}.localhost"))).collect();
    });
    gates::add_tls_listener(document, at, (&certificate, &key));
    ca.pem
}

fn users_file() -> &'static str {
    static FILE: OnceLock<String> = OnceLock::new();
    FILE.get_or_init(|| {
        let hash = hash_password(PASSWORD).expect("a hash");
        let users = USERS.iter().map(|(id, email, name, groups)| {
            let groups: Vec<&str> = groups.split(", ").filter(|group| !group.is_empty()).collect();
            json!({ "id": id, "email": email, "name": name, "groups": groups, "password": hash })
        });
        json!({ "users": users.collect::<Vec<_>>() }).to_string()
    })
}

/// Somebody in front of a browser.
#[derive(Debug)]
pub struct Somebody<'s> {
    pub stage: &'s Stage,
    pub browser: Browser,
}

impl<'s> Somebody<'s> {
    pub async fn new(stage: &'s Stage) -> Self {
        Self { stage, browser: Browser::start().await }
    }

    /// Somebody who has signed in at the stage's users file, and is on a page of `httpbin`.
    pub async fn signed_in(stage: &'s Stage, login: &str) -> Self {
        let somebody = Self::new(stage).await;
        somebody.opens("httpbin", "/").await;
        somebody.signs_in(login, PASSWORD).await;
        somebody.lands_on("httpbin", "/").await;
        somebody
    }

    /// The same at the provider.
    pub async fn signed_in_there(stage: &'s Stage, login: &str) -> Self {
        let somebody = Self::new(stage).await;
        somebody.opens("httpbin", "/").await;
        somebody.signs_in(login, &format!("{login}{}", oidc_provider::PASSWORD)).await;
        somebody.lands_on("httpbin", "/").await;
        somebody
    }

    pub async fn opens(&self, host: &str, path: &str) {
        self.browser.open(&self.stage.at(host, path)).await;
    }

    /// Fills in the form on the page, ours or the provider's.
    pub async fn signs_in(&self, login: &str, password: &str) {
        self.browser.fill("[name=login]", login).await;
        self.browser.press("[name=password]", password).await;
        self.browser.click("form button").await;
    }

    pub async fn lands_on(&self, host: &str, path: &str) {
        let wanted = self.stage.at(host, path);
        self.browser.wait_for_url(|url| url == wanted).await;
    }

    /// What the upstream got, on whose page the browser is.
    pub async fn got(&self) -> Value {
        self.browser.wait_until("return document.body.innerText.startsWith('{')").await;
        let text = self.browser.run("return document.body.innerText").await;
        serde_json::from_str(text.as_str().expect("text")).expect("JSON")
    }

    /// Opens a page of that host, and tells what its upstream was told of whom.
    pub async fn is_seen_at(&self, host: &str) -> Value {
        self.opens(host, "/headers").await;
        self.stage.verified(host, &self.got().await).await
    }

    /// Opens a page of that host, which is refused.
    pub async fn is_refused_at(&self, host: &str) {
        // A browser asks for the icon of the page before when it likes.
        let mut before = self.stage.served();
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = self.stage.served();
            if std::mem::replace(&mut before, now) == now {
                break;
            }
        }
        self.opens(host, "/headers").await;
        let title = self.browser.title().await;
        assert!(title.starts_with("403"), "{title} at {}", self.browser.url().await);
        assert_eq!(self.stage.served(), before, "nothing reached the upstream");
    }

    /// The own page, on `httpbin`.
    pub async fn my_page(&self) {
        self.opens("httpbin", "/.pomerium/").await;
        self.browser.wait_for("#you").await;
    }

    /// Fills in the form on the own page and sends it.
    pub async fn acts_as(&self, email: &str, groups: &str, reason: &str) {
        self.my_page().await;
        self.browser.fill("#email", email).await;
        self.browser.fill("#groups", groups).await;
        self.browser.fill("#reason", reason).await;
        self.browser.click("#as-somebody button.primary").await;
        self.browser.wait_for_url(|url| url.ends_with("?done=acting")).await;
        self.browser.wait_for(".band").await;
    }

    /// By the button in the band.
    pub async fn stops(&self) {
        self.my_page().await;
        self.browser.click(".band button").await;
        self.browser.wait_for_url(|url| url.ends_with("?done=stopped")).await;
    }

    /// By the button on the own page.
    pub async fn signs_out(&self) {
        self.my_page().await;
        self.browser.click("form[action='/.pomerium/sign_out'] button").await;
    }

    /// Whether the browser is asked for a password, ours or at the provider.
    pub async fn is_asked_to_sign_in_at(&self, host: &str) {
        self.opens(host, "/").await;
        self.browser.wait_for("[name=password]").await;
    }

    /// The cookie of the host one is on.
    pub async fn cookie(&self, name: &str) -> Option<Value> {
        self.browser.cookies().await.into_iter().find(|cookie| cookie["name"] == name)
    }

    /// Nothing was written to the console that should not be.
    pub async fn is_content(&self) {
        assert_eq!(self.browser.complaints().await, [""; 0]);
    }
}
