//! A whole deployment in one process, without Envoy: pages over HTTP, checks as Envoy asks them, a clock
//! that stands still until it is moved, and a browser that keeps cookies and follows redirects.

use super::check::{Checks as _, asking, get};
use super::config::snapshot_with;
use super::fixture::{NOW, host::SECRET_BYTES};
use super::listening::log;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use lictor::activity::{ChainKey, Entry};
use lictor::admin::Admin;
use lictor::authorizer::Authorizer;
use lictor::clock::Clock;
use lictor::config::LogFormat;
use lictor::demo::{Reply, exchange_body};
use lictor::document::Problems;
use lictor::ext_authz::Checker;
use lictor::identity::{Directory, Group, User};
use lictor::people::People;
use lictor::provider::{LocalUsers, Throttle, Turnstile, hash_password};
use lictor::secret::Secret;
use lictor::session::HandleSecret;
use lictor::sign_in::Sealers;
use lictor::state::{Provider, Settings, Snapshot, State};
use lictor::store::{
    self, ActivityQuery, CacheLimits, Kept, Records, Seen as Known, SessionCache, SessionQuery,
    StorageSettings, Store, follow,
};
use lictor::tasks::Tasks;
use lictor::telemetry::{DecisionLine, Metrics, UsageBook};
use lictor::time::Timestamp;
use lictor::web::{Desk, Site};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use url::Url;

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";
pub const AUTHENTICATE: &str = "http://auth.localhost";

pub const CONFIG: &str = "
authenticate_service_url: http://auth.localhost
administrators: [Root@corp.test]
enable_user_impersonation: true
pass_identity_headers: true
jwt_claims_headers: {x-pomerium-claim-email: email, x-pomerium-claim-groups: groups}
routes:
- {id: any, from: http://any.localhost, allow_any_authenticated_user: true}
- {id: eng, from: http://eng.localhost, policy: {allow: {or: [{groups: {has: g-eng}}]}}}
- {id: fin, from: http://fin.localhost, allowed_users: [bob@corp.test]}
- {id: adm, from: http://adm.localhost, policy: {allow: {or: [{email: root@corp.test}, {groups: {has: g-admins}}]}}}
- {id: dom, from: http://dom.localhost, allowed_domains: [corp.test]}
- {id: claim, from: http://claim.localhost, policy: {allow: {or: [{claim/department: ops}]}}}
- {id: public, from: http://public.localhost, allow_public_unauthenticated_access: true}
";

/// A clock that is moved by hand.
#[derive(Debug)]
pub struct HandClock(AtomicI64);

impl HandClock {
    pub fn at(now: i64) -> Self {
        Self(AtomicI64::new(now))
    }

    pub fn later(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.load(Ordering::SeqCst))
    }
}

/// The deployment.
#[derive(Debug)]
pub struct House {
    pub http: SocketAddr,
    pub store: Arc<dyn Store>,
    pub clock: Arc<HandClock>,
    pub state: Arc<State>,
    checker: Arc<Checker>,
    /// What machines did and nobody has written down.
    pub usage: Arc<UsageBook>,
    pub admin: Admin,
    tasks: Tasks,
}

/// People of the users file; each with `PASSWORD`.
pub fn users_file() -> &'static str {
    static FILE: OnceLock<String> = OnceLock::new();
    FILE.get_or_init(|| {
        let hash = hash_password(PASSWORD).expect("a hash");
        let user = |id: &str, email: &str, groups: &str| {
            format!("- {{id: {id}, email: {email}, name: '{id}', groups: [{groups}], password: '{hash}'}}\n")
        };
        let people = [
            user("u-root", "root@corp.test", "g-admins"),
            user("u-alice", "alice@corp.test", "g-eng, g-all"),
            user("u-bob", "bob@corp.test", "g-fin"),
            user("u-eve", "eve@evil.test", ""),
        ];
        format!("users:\n{}", people.concat())
    })
}

pub fn directory() -> Directory {
    let user = |id: &str, email: &str, groups: &[&str]| User {
        id: id.to_owned(),
        email: email.to_owned(),
        display_name: String::new(),
        group_ids: groups.iter().map(|group| (*group).to_owned()).collect(),
    };
    let users = vec![
        user("u-root", "root@corp.test", &["g-admins"]),
        user("u-alice", "alice@corp.test", &["g-eng", "g-all"]),
        user("u-bob", "bob@corp.test", &["g-fin"]),
    ];
    let group = Group { id: "g-eng".into(), name: "Engineers".into(), ..Group::default() };
    Directory::new(users, vec![group]).expect("a directory")
}

/// The people of the users file vouch for themselves.
pub fn with_provider(snapshot: Snapshot) -> Snapshot {
    let mut problems = Problems::default();
    let users = LocalUsers::read(users_file(), "users.yaml", &mut problems);
    let users = users.unwrap_or_else(|| panic!("{problems:?}"));
    let mut settings = Arc::into_inner(snapshot.settings).expect("nobody else has it");
    let sign_in = settings.sign_in.as_mut().expect("an authenticate host");
    sign_in.provider = Some(Provider::Local(Arc::new(users)));
    sign_in.lifetime = std::time::Duration::from_hours(14);
    Snapshot { settings: Arc::new(settings), ..snapshot }
}

/// Has what is kept in the store put in force, as a server does.
fn keep_catalog(tasks: &Tasks, cache: &Arc<SessionCache>, state: &Arc<State>) {
    let (stopping, mut changes) = (tasks.stopping(), cache.catalog_changes());
    let (state, store) = (Arc::clone(state), Arc::clone(cache.store()));
    tasks.start(async move {
        let following = async {
            loop {
                drop(state.refresh(store.as_ref()).await);
                if changes.changed().await.is_err() {
                    break;
                }
            }
        };
        tokio::select! {
            () = stopping => {}
            () = following => {}
        }
    });
}

impl House {
    pub async fn open() -> Self {
        Self::with(CONFIG, &StorageSettings::new(Kept::InMemory)).await
    }

    pub async fn configured(config: &str) -> Self {
        Self::with(config, &StorageSettings::new(Kept::InMemory)).await
    }

    pub async fn with(config: &str, storage: &StorageSettings) -> Self {
        let tasks = Tasks::default();
        let store = store::open(storage, ChainKey::derive(&SECRET_BYTES), tasks.clone()).await;
        let store = store.expect("a store");
        Self::on(config, store, tasks).await
    }

    pub async fn on(config: &str, store: Arc<dyn Store>, tasks: Tasks) -> Self {
        Self::within(config, store, tasks, CacheLimits::default()).await
    }

    /// With other bounds of what is known of the store.
    pub async fn within(
        config: &str,
        store: Arc<dyn Store>,
        tasks: Tasks,
        limits: CacheLimits,
    ) -> Self {
        let clock = Arc::new(HandClock::at(NOW));
        let cache = Arc::new(SessionCache::new(Arc::clone(&store), limits));
        let (following, stopping) = (Arc::clone(&cache), tasks.stopping());
        tasks.start(async move {
            tokio::select! {
                () = stopping => {}
                () = follow(&following, |_| ()) => {}
            }
        });
        in_touch(&cache).await;
        let authorizer = Arc::new(Authorizer::with_records(Arc::clone(&cache) as _));
        let state = Arc::new(State::new(with_provider(snapshot_with(config, directory()))));
        keep_catalog(&tasks, &cache, &state);
        let (known, authorizing) = (Arc::clone(&state), Arc::clone(&authorizer));
        let admin = Admin::new(Arc::clone(&cache), known, authorizing, Secret::new(SECRET_BYTES));
        let usage = Arc::new(UsageBook::default());
        let checker = Checker {
            state: Arc::clone(&state),
            authorizer: Arc::clone(&authorizer),
            sessions: Some(Arc::clone(&cache)),
            clock: Arc::clone(&clock) as _,
            metrics: Arc::new(Metrics::new()),
            usage: Arc::clone(&usage),
            log: DecisionLine::new(None, &log(LogFormat::Json)),
        };
        let desk = Desk {
            people: People::new(Arc::clone(&cache)),
            admin: admin.clone(),
            cache,
            sealers: Sealers::derive(&SECRET_BYTES).expect("sealers"),
            chain: ChainKey::derive(&SECRET_BYTES),
            verified: Mutex::default(),
            throttle: Mutex::new(Throttle::default()),
            turnstile: Turnstile::default(),
        };
        let site = Site {
            state: Arc::clone(&state),
            authorizer,
            clock: Arc::clone(&clock) as _,
            tasks: tasks.clone(),
            desk: Some(desk),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let http = listener.local_addr().expect("an address");
        let pages = lictor::app::pages(&Arc::new(site));
        let stopping = tasks.stopping();
        tasks.start(async move {
            axum::serve(listener, pages).with_graceful_shutdown(stopping).await.expect("serves");
        });
        Self { http, store, clock, state, checker: Arc::new(checker), usage, admin, tasks }
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser { house: self, jars: BTreeMap::new(), trail: Vec::new(), headers: Vec::new() }
    }

    /// A browser in which somebody has signed in on the authenticate host.
    pub async fn signed_in(&self, login: &str) -> Browser<'_> {
        let mut browser = self.browser();
        browser.sign_in(&format!("{AUTHENTICATE}/.pomerium/sign_in"), login).await;
        browser
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn later(&self, seconds: i64) {
        self.clock.later(seconds);
    }

    /// Puts other settings in force, as a reload does.
    pub fn reload(&self, config: &str) {
        self.state.replace(with_provider(snapshot_with(config, directory())));
    }

    pub async fn check(&self, http: HttpRequest) -> CheckResponse {
        self.checker.check(asking(http), None).await.expect("an answer")
    }

    /// Also if nothing could be decided.
    pub async fn try_check(&self, http: HttpRequest) -> Result<CheckResponse, tonic::Status> {
        self.checker.check(asking(http), None).await
    }

    /// What was written down, in order.
    pub async fn activity(&self) -> Vec<Entry> {
        let which = ActivityQuery { limit: 1000, ..ActivityQuery::default() };
        let mut entries = self.store.activity(&which).await.expect("a log");
        entries.reverse();
        entries
    }

    /// `verb detail` of every entry, in order.
    pub async fn told(&self) -> Vec<String> {
        let entries = self.activity().await.into_iter();
        entries
            .map(|entry| {
                format!("{} {}", entry.event.verb.name(), entry.event.detail).trim().to_owned()
            })
            .collect()
    }

    pub async fn sessions(&self) -> Vec<lictor::session::SessionRecord> {
        let which = SessionQuery { limit: 1000, ..SessionQuery::default() };
        self.store.sessions(&which, self.now()).await.expect("sessions")
    }

    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.state.snapshot().settings)
    }

    pub async fn close(self) {
        self.tasks.drain(std::time::Duration::from_secs(5)).await;
    }
}

/// Waits, not for long, until the store has been heard of: nothing counts as known before.
pub async fn in_touch(cache: &SessionCache) {
    let anything = HandleSecret::new([0; 32]).id();
    for _ in 0..100 {
        if cache.session(&anything) != Known::Stale {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// A browser: cookies by host, redirects followed. What Envoy would send to an upstream ends in a
/// `Seen::Upstream`.
#[derive(Debug)]
pub struct Browser<'h> {
    house: &'h House,
    pub jars: BTreeMap<String, BTreeMap<String, String>>,
    /// Every address that was gone to since the last `go`.
    pub trail: Vec<String>,
    /// Sent with everything.
    pub headers: Vec<String>,
}

/// Where a browser has come to.
#[derive(Debug)]
pub enum Seen {
    /// A page of ours, or a refusal.
    Page { url: Url, reply: Reply },
    /// The upstream, with what the assertion says of whom and every header that it got set.
    Upstream { url: Url, claims: Value, headers: BTreeMap<String, String> },
}

impl Seen {
    pub fn status(&self) -> u16 {
        match self {
            Self::Page { reply, .. } => reply.status,
            Self::Upstream { .. } => 200,
        }
    }

    pub fn body(&self) -> &str {
        match self {
            Self::Page { reply, .. } => &reply.body,
            Self::Upstream { .. } => panic!("an upstream, not a page: {self:?}"),
        }
    }

    pub fn reply(&self) -> &Reply {
        match self {
            Self::Page { reply, .. } => reply,
            Self::Upstream { .. } => panic!("an upstream, not a page: {self:?}"),
        }
    }

    pub fn url(&self) -> &Url {
        match self {
            Self::Page { url, .. } | Self::Upstream { url, .. } => url,
        }
    }

    /// What the upstream was told; panics on a page of ours.
    pub fn claims(&self) -> &Value {
        match self {
            Self::Upstream { claims, .. } => claims,
            Self::Page { url, reply } => {
                panic!("no upstream: {url} {} {}", reply.status, reply.body)
            }
        }
    }
}

const MAX_HOPS: usize = 12;

impl<'h> Browser<'h> {
    /// Opens an address and follows every redirect.
    pub async fn go(&mut self, url: &str) -> Seen {
        self.trail.clear();
        let mut url = Url::parse(url).expect("a URL");
        for _ in 0..MAX_HOPS {
            let seen = self.request("GET", &url, None).await;
            match next(&seen) {
                Some(to) => url = url.join(&to).expect("a URL"),
                None => return seen,
            }
        }
        panic!("it goes round in circles: {:#?}", self.trail);
    }

    /// One request, no redirect followed.
    pub async fn request(&mut self, method: &str, url: &Url, form: Option<&str>) -> Seen {
        self.trail.push(format!("{method} {url}"));
        let host = authority(url);
        let ours = host == "auth.localhost"
            || url.path().starts_with("/.pomerium")
            || url.path().starts_with("/.well-known/pomerium");
        if ours { self.page(method, url, form).await } else { self.protected(url).await }
    }

    async fn page(&mut self, method: &str, url: &Url, form: Option<&str>) -> Seen {
        let host = authority(url);
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut head =
            vec![format!("{method} {}{query} HTTP/1.1", url.path()), format!("Host: {host}")];
        let cookies = self.cookies(&host);
        if !cookies.is_empty() {
            head.push(format!("Cookie: {cookies}"));
        }
        head.push("x-forwarded-for: 192.0.2.7".to_owned());
        head.push("x-request-id: r-7".to_owned());
        head.extend(self.headers.iter().cloned());
        if let Some(form) = form {
            head.push("content-type: application/x-www-form-urlencoded".to_owned());
            head.push(format!("content-length: {}", form.len()));
            if !self.headers.iter().any(|line| line.starts_with("origin")) {
                head.push(format!("origin: {}", url.origin().ascii_serialization()));
                head.push("sec-fetch-site: same-origin".to_owned());
            }
        }
        let lines: Vec<&str> = head.iter().map(String::as_str).collect();
        let body = form.unwrap_or_default().as_bytes();
        let reply = exchange_body(self.house.http, &lines, body).await.expect("an answer");
        self.take_cookies(&host, &reply);
        Seen::Page { url: url.clone(), reply }
    }

    async fn protected(&mut self, url: &Url) -> Seen {
        let host = authority(url);
        let cookies = self.cookies(&host);
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let mut headers = vec![("accept", "text/html"), ("cookie", cookies.as_str())];
        let own: Vec<(String, String)> = self
            .headers
            .iter()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        headers.extend(own.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let response = self.house.check(get(&host, path, &headers)).await;
        match response.http_response.expect("an answer") {
            HttpResponse::OkResponse(ok) => {
                let headers: BTreeMap<String, String> = ok
                    .headers
                    .into_iter()
                    .filter_map(|option| option.header)
                    .map(|header| (header.key, header.value))
                    .collect();
                let claims = headers.get("x-pomerium-jwt-assertion").map(|token| payload(token));
                Seen::Upstream { url: url.clone(), claims: claims.unwrap_or_default(), headers }
            }
            HttpResponse::DeniedResponse(denied) => {
                let pairs = denied.headers.into_iter().filter_map(|option| option.header);
                let status = denied.status.map(|status| status.code).unwrap_or_default();
                let reply = Reply {
                    status: u16::try_from(status).expect("a status"),
                    headers: pairs.map(|header| (header.key, header.value)).collect(),
                    body: denied.body,
                };
                Seen::Page { url: url.clone(), reply }
            }
            other @ HttpResponse::ErrorResponse(_) => panic!("{other:?}"),
        }
    }

    /// Sends a form to an address of ours, with the token of the page it stands on, and follows.
    pub async fn submit(&mut self, page: &Seen, action: &str, fields: &[(&str, &str)]) -> Seen {
        let csrf = hidden(page.body(), "csrf");
        self.submit_with(page, action, &csrf, fields).await
    }

    pub async fn submit_with(
        &mut self,
        page: &Seen,
        action: &str,
        csrf: &str,
        fields: &[(&str, &str)],
    ) -> Seen {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf", csrf);
        form.extend_pairs(fields);
        let url = page.url().join(action).expect("a URL");
        let seen = self.request("POST", &url, Some(&form.finish())).await;
        match next(&seen) {
            Some(to) => self.go(url.join(&to).expect("a URL").as_str()).await,
            None => seen,
        }
    }

    /// Goes somewhere, fills in the login form it is led to, and follows to the end.
    pub async fn sign_in(&mut self, url: &str, login: &str) -> Seen {
        let form = self.go(url).await;
        self.log_in(&form, login, PASSWORD).await
    }

    pub async fn log_in(&mut self, form: &Seen, login: &str, password: &str) -> Seen {
        let action = attribute(form.body(), "action", "/.pomerium/sign_in");
        self.submit(form, &action, &[("login", login), ("password", password)]).await
    }

    /// The own page of a host.
    pub async fn my_page(&mut self) -> Seen {
        self.go(&format!("{AUTHENTICATE}/.pomerium/")).await
    }

    /// Acts as somebody else, from the own page.
    pub async fn act_as(&mut self, email: &str, groups: &str) -> Seen {
        let page = self.my_page().await;
        let fields =
            [("email", email), ("groups", groups), ("reason", "ticket 7"), ("duration", "")];
        self.submit(&page, "/.pomerium/admin/impersonate", &fields).await
    }

    pub async fn stop_acting(&mut self) -> Seen {
        let page = self.my_page().await;
        self.submit(&page, "/.pomerium/impersonation/stop", &[]).await
    }

    pub fn cookie(&self, host: &str, name: &str) -> Option<&str> {
        self.jars.get(host)?.get(name).map(String::as_str)
    }

    pub fn set_cookie(&mut self, host: &str, name: &str, value: &str) {
        self.jars.entry(host.to_owned()).or_default().insert(name.to_owned(), value.to_owned());
    }

    fn cookies(&self, host: &str) -> String {
        let jar = self.jars.get(host).into_iter().flatten();
        jar.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn take_cookies(&mut self, host: &str, reply: &Reply) {
        let set = reply.headers.iter().filter(|(name, _)| name == "set-cookie");
        for (_, line) in set {
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').expect("a cookie");
            // Cookies of a domain would be others than the host's own.
            if attributes.contains("Domain=") {
                continue;
            }
            let jar = self.jars.entry(host.to_owned()).or_default();
            if attributes.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// Where a redirect leads: by header, or by a page that leads on.
fn next(seen: &Seen) -> Option<String> {
    let Seen::Page { reply, .. } = seen else { return None };
    if let Some(location) = reply.header("location").filter(|_| (300..400).contains(&reply.status))
    {
        return Some(location.to_owned());
    }
    let (_, rest) = reply.body.split_once("http-equiv=\"refresh\" content=\"0")?;
    let (_, rest) = rest.split_once("url=")?;
    let (target, _) = rest.split_once('"')?;
    Some(unescaped(target))
}

fn unescaped(text: &str) -> String {
    text.replace("&#38;", "&").replace("&amp;", "&").replace("&#x3d;", "=").replace("&#61;", "=")
}

/// The value of a hidden field.
pub fn hidden(html: &str, name: &str) -> String {
    let (_, rest) = html.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or(("", "\""));
    rest.split_once('"').map(|(value, _)| unescaped(value)).unwrap_or_default()
}

/// The first value of an attribute that begins so.
pub fn attribute(html: &str, name: &str, beginning: &str) -> String {
    let start = format!("{name}=\"{beginning}");
    let (_, rest) = html.split_once(&start).unwrap_or_else(|| panic!("no {start} in {html}"));
    let (value, _) = rest.split_once('"').expect("an end");
    unescaped(&format!("{beginning}{value}"))
}

fn authority(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().expect("a host"))
}

/// What a JWS says, unverified.
pub fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
}
