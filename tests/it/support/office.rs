//! An administration by itself: a store in memory, a small company with namespaces, and people with roles in
//! them.

use super::config::snapshot_with;
use super::fixture::NOW;
use super::fixture::host::SECRET_BYTES;
use super::house::in_touch;
use super::store::{self, key};
use lictor::activity::{Entry, Outcome, Verb};
use lictor::admin::{Actor, Admin, AdminError, Created, Minted, NewAccount, NewKind, NewNamespace};
use lictor::authorizer::{Answer, Authorizer};
use lictor::id::{NamespaceId, ServiceAccountId};
use lictor::identity::{Directory, Group, User};
use lictor::namespace::{LifetimeRules, Role, Subject};
use lictor::people::Moment;
use lictor::secret::Secret;
use lictor::session::{Origin, SessionRecord};
use lictor::state::State;
use lictor::store::{
    ActivityQuery, CacheLimits, Kept, SessionCache, StorageSettings, Store, follow,
};
use lictor::supposition::{AskedUrl, Supposition, Who};
use lictor::tasks::Tasks;
use lictor::time::Timestamp;
use std::sync::Arc;

pub const BOOTSTRAP: &str = "bootstrap-secret-of-forty-characters-000";

pub const CONFIG: &str = "
authenticate_service_url: https://auth.corp.test
administrators: [Root@corp.test]
impersonation: {deny: {users: [u-ceo]}}
bootstrap_token: bootstrap-secret-of-forty-characters-000
namespaces:
- {id: design, name: Design}
- {id: web, name: Web, parent: design}
- {id: sales, name: Sales}
policies:
  people: {namespace: design, allow: {or: [{domain: corp.test}]}}
routes:
- {id: site, from: https://site.corp.test, namespace: web, policy: {allow: {or: [{user: {in: [ci@design.pomerium, u-bob]}}]}}}
- {id: shop, from: https://shop.corp.test, namespace: sales, allow_any_authenticated_user: true}
- {from: https://plain.corp.test, namespace: design, policies: [people]}
";

/// An administration.
#[derive(Debug)]
pub struct Office {
    pub admin: Admin,
    pub store: Arc<dyn Store>,
    pub state: Arc<State>,
    pub cache: Arc<SessionCache>,
    pub authorizer: Arc<Authorizer>,
}

static ORIGIN: std::sync::LazyLock<Origin> = std::sync::LazyLock::new(|| Origin {
    address: "192.0.2.7".to_owned(),
    request_id: "r-7".to_owned(),
    user_agent: "Browser".to_owned(),
});

/// So many seconds after the beginning.
pub fn after(seconds: i64) -> Moment<'static> {
    Moment { now: Timestamp::from_unix(NOW + seconds), origin: &ORIGIN }
}

pub fn now() -> Moment<'static> {
    after(0)
}

pub fn ns(id: &str) -> NamespaceId {
    if id == "global" { NamespaceId::global() } else { NamespaceId::parse(id).expect("an id") }
}

pub fn people() -> Directory {
    let user = |id: &str, groups: &[&str]| User {
        id: format!("u-{id}"),
        email: format!("{id}@corp.test"),
        display_name: format!("Name of {id}"),
        group_ids: groups.iter().map(|group| (*group).to_owned()).collect(),
    };
    let users = vec![
        user("root", &[]),
        user("ceo", &["g-board"]),
        user("bob", &["g-eng"]),
        user("ann", &[]),
        user("ada", &[]),
        user("max", &[]),
        user("vera", &[]),
        user("sam", &[]),
        user("gus", &[]),
    ];
    let group = Group { id: "g-eng".into(), name: "Engineers".into(), ..Group::default() };
    Directory::new(users, vec![group]).expect("a directory")
}

impl Office {
    pub async fn open() -> Self {
        Self::with(CONFIG, people()).await
    }

    pub async fn with(config: &str, directory: Directory) -> Self {
        let settings = StorageSettings::new(Kept::InMemory);
        let store = lictor::store::open(&settings, key(), Tasks::default()).await.expect("opens");
        Self::on(store, config, directory).await
    }

    /// Another process on the same store.
    pub async fn on(store: Arc<dyn Store>, config: &str, directory: Directory) -> Self {
        let cache = Arc::new(SessionCache::new(Arc::clone(&store), CacheLimits::default()));
        // From then on nothing is told to it but what it does itself.
        tokio::select! {
            () = follow(&cache, |_| ()) => {}
            () = in_touch(&cache) => {}
        }
        let state = Arc::new(State::new(snapshot_with(config, directory)));
        state.refresh(store.as_ref()).await.expect("a catalog");
        let authorizer = Arc::new(Authorizer::with_records(Arc::clone(&cache) as _));
        let admin = Admin::new(
            Arc::clone(&cache),
            Arc::clone(&state),
            Arc::clone(&authorizer),
            Secret::new(SECRET_BYTES),
        );
        Self { admin, store, state, cache, authorizer }
    }

    /// With roles: `ada` is an admin of Design, `max` a manager, `vera` a viewer; `sam` is a manager of Sales;
    /// `gus` an admin of Global, by the store.
    pub async fn staffed() -> Self {
        let office = Self::open().await;
        let given = [
            ("ada", "design", Role::Admin),
            ("max", "design", Role::Manager),
            ("vera", "design", Role::Viewer),
            ("sam", "sales", Role::Manager),
            ("gus", "global", Role::Admin),
        ];
        for (name, place, role) in given {
            office.give(&format!("u-{name}"), place, role).await;
        }
        office
    }

    pub async fn give(&self, user: &str, place: &str, role: Role) {
        let given = (Subject::User(user.to_owned()), role);
        self.admin.grant(&self.actor("root"), &ns(place), given, now()).await.expect("given");
    }

    /// Somebody who signed in at the beginning.
    pub fn actor(&self, name: &str) -> Actor {
        self.actor_since(name, 0)
    }

    pub fn actor_since(&self, name: &str, seconds: i64) -> Actor {
        let mut record: SessionRecord = store::session(1, name);
        record.account.user = format!("u-{name}");
        record.account.groups = None;
        record.opened = after(seconds).now;
        let snapshot = self.state.snapshot();
        Actor::of_session(&record, &snapshot.settings.impersonation, &snapshot.directory)
    }

    /// Makes a unique account.
    pub async fn unique(&self, place: &str, name: &str) -> (ServiceAccountId, Minted) {
        let by = self.actor("root");
        made(self.admin.create_account(&by, unique(place, name), now()).await.expect("made"))
    }

    /// Makes one that acts as somebody.
    pub async fn impersonating(&self, place: &str, user: &str) -> (ServiceAccountId, Minted) {
        let new = impersonating(place, user);
        made(self.admin.create_account(&self.actor("root"), new, now()).await.expect("made"))
    }

    pub async fn child(&self, parent: &str, name: &str) -> NamespaceId {
        let new = child(parent, name);
        let made = self.admin.create_namespace(&self.actor("root"), new, now()).await;
        made.expect("made").record.id
    }

    /// All entries, the latest first.
    pub async fn entries(&self) -> Vec<Entry> {
        let all = ActivityQuery { limit: 1000, ..ActivityQuery::default() };
        self.store.activity(&all).await.expect("entries")
    }

    /// The last entry.
    pub async fn last(&self) -> Entry {
        self.entries().await.into_iter().next().expect("an entry")
    }

    /// Whether the last entry tells of a refusal of this verb.
    pub async fn was_noted(&self, verb: Verb) -> bool {
        let event = self.last().await.event;
        let denied = event.deed.is_some_and(|deed| deed.outcome == Outcome::Denied);
        denied && event.verb == Verb::AdministrationRefused && event.detail.starts_with(verb.name())
    }

    /// What a check with this token is answered.
    pub async fn ask(&self, token: &Secret<String>, url: &str, at: Moment<'_>) -> Answer {
        loop {
            let question = Supposition {
                who: Who::Token(token.expose().clone()),
                method: "GET".to_owned(),
                url: AskedUrl::parse(url).expect("a URL"),
                now: at.now,
                ..Supposition::default()
            };
            let snapshot = self.state.snapshot();
            match question.ask(&self.authorizer, &snapshot) {
                Ok((answer, _)) => return answer,
                Err(lictor::authorizer::Unavailable::Unseen(key)) => {
                    self.cache.learn(&key).await.expect("learns");
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// `allowed`, or why not.
    pub async fn answer(&self, token: &Secret<String>, url: &str, at: Moment<'_>) -> String {
        let record = self.ask(token, url, at).await.record;
        match (record.denied, record.session_error) {
            (None, _) => "allowed".to_owned(),
            (Some(_), Some(error)) => error.code().to_owned(),
            (Some(reason), None) => reason.code().to_owned(),
        }
    }
}

pub fn made(created: Created) -> (ServiceAccountId, Minted) {
    match created {
        Created::New(view, minted) => (view.record.id, minted),
        Created::Before(view) => panic!("it was made before: {view:?}"),
    }
}

pub fn unique(place: &str, name: &str) -> NewAccount {
    let kind = NewKind::Unique { name: name.to_owned() };
    NewAccount {
        namespace: ns(place),
        kind,
        description: String::new(),
        expires: None,
        originator: String::new(),
        idempotency_key: None,
    }
}

pub fn impersonating(place: &str, user: &str) -> NewAccount {
    let kind = NewKind::Impersonating { user: user.to_owned(), unknown: false };
    NewAccount { kind, ..unique(place, "") }
}

pub fn child(parent: &str, name: &str) -> NewNamespace {
    NewNamespace {
        parent: ns(parent),
        name: name.to_owned(),
        description: String::new(),
        lifetime: LifetimeRules::default(),
        idempotency_key: None,
    }
}

/// An error in a word: what kind, and which fields.
pub fn word<T: std::fmt::Debug>(done: Result<T, AdminError>) -> String {
    match done {
        Ok(_) => "done".to_owned(),
        Err(AdminError::Invalid(errors)) => {
            let fields: Vec<&str> = errors.iter().map(|error| error.field).collect();
            format!("invalid {}", fields.join(" "))
        }
        Err(AdminError::NotFound(what)) => format!("no {}", what.name()),
        Err(AdminError::Forbidden { role, .. }) => format!("takes {}", role.name()),
        Err(AdminError::Refused(_)) => "refused".to_owned(),
        Err(AdminError::Taken(field)) => format!("taken {field}"),
        Err(AdminError::InUse(_)) => "in use".to_owned(),
        Err(AdminError::Changed) => "changed".to_owned(),
        Err(AdminError::NotFresh) => "not fresh".to_owned(),
        Err(AdminError::Unavailable(error)) => format!("unavailable: {error}"),
    }
}
