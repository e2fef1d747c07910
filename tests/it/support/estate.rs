//! A deployment with namespaces: Global has Design and Sales, Design has Web. Each has one route that
//! everybody who is somebody may use, and one that nobody may.

use super::check::get;
use super::house::House;
use envoy_types::pb::envoy::service::auth::v3::CheckResponse;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use lictor::admin::{
    Actor, AdminError, Created, Minted, NewAccount, NewKind, NewNamespace, NewPolicy, NewRoute,
    Overlap,
};
use lictor::catalog::RoutePath;
use lictor::id::{NamespaceId, ServiceAccountId};
use lictor::namespace::LifetimeRules;
use lictor::people::Moment;
use lictor::service_account::AccountRecord;
use lictor::session::Origin;
use lictor::time::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Sign-ins by the users file, and a route of the file.
pub const CONFIG: &str = "
authenticate_service_url: http://auth.localhost
administrators: [root@corp.test]
enable_user_impersonation: true
pass_identity_headers: true
bootstrap_token: 0123456789abcdef0123456789abcdef
routes:
- {id: open, from: http://open.localhost, allow_public_unauthenticated_access: true}
";

/// Its bootstrap secret.
pub const BOOTSTRAP: &str = "0123456789abcdef0123456789abcdef";

/// The deployment.
#[derive(Debug)]
pub struct Estate {
    pub house: House,
    pub global: NamespaceId,
    pub design: NamespaceId,
    pub web: NamespaceId,
    pub sales: NamespaceId,
    pub by: Actor,
    origin: Origin,
}

/// An account and its first token.
#[derive(Debug)]
pub struct Machine {
    pub record: AccountRecord,
    pub token: String,
    pub credential: lictor::id::CredentialId,
}

impl Machine {
    pub fn id(&self) -> &ServiceAccountId {
        &self.record.id
    }
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub removed: Vec<String>,
    pub removed_query: Vec<String>,
    pub body: String,
}

impl Answer {
    /// What the assertion says.
    pub fn claims(&self) -> Value {
        super::house::payload(self.headers.get("x-pomerium-jwt-assertion").expect("an assertion"))
    }
}

pub fn answer(response: CheckResponse) -> Answer {
    match response.http_response.expect("an answer") {
        HttpResponse::OkResponse(ok) => Answer {
            status: 200,
            headers: pairs(ok.headers.into_iter().filter_map(|option| option.header)),
            removed: ok.headers_to_remove,
            removed_query: ok.query_parameters_to_remove,
            body: String::new(),
        },
        HttpResponse::DeniedResponse(denied) => Answer {
            status: u16::try_from(denied.status.map_or(0, |status| status.code)).expect("a status"),
            headers: pairs(denied.headers.into_iter().filter_map(|option| option.header)),
            removed: Vec::new(),
            removed_query: Vec::new(),
            body: denied.body,
        },
        other @ HttpResponse::ErrorResponse(_) => panic!("{other:?}"),
    }
}

fn pairs(
    headers: impl Iterator<Item = envoy_types::pb::envoy::config::core::v3::HeaderValue>,
) -> BTreeMap<String, String> {
    headers.map(|header| (header.key.to_lowercase(), header.value)).collect()
}

impl Estate {
    pub async fn open() -> Self {
        Self::of(House::configured(CONFIG).await).await
    }

    pub async fn of(house: House) -> Self {
        let global = NamespaceId::global();
        let mut estate = Self {
            house,
            design: global.clone(),
            web: global.clone(),
            sales: global.clone(),
            global: global.clone(),
            by: Actor::terminal(),
            origin: Origin::default(),
        };
        estate.design = estate.namespace("Design", &global).await;
        estate.sales = estate.namespace("Sales", &global).await;
        let design = estate.design.clone();
        estate.web = estate.namespace("Web", &design).await;
        let places = [
            ("design", estate.design.clone()),
            ("web", estate.web.clone()),
            ("sales", estate.sales.clone()),
        ];
        for (name, namespace) in places {
            estate.route(name, &namespace).await;
            estate.route(&format!("{name}-closed"), &namespace).await;
        }
        let routes = ["design", "web", "sales"].map(str::to_owned);
        estate.policy("somebody", "allow: {and: [{authenticated_user: true}]}", routes).await;
        estate
    }

    pub fn at(&self) -> Moment<'_> {
        Moment { now: self.house.now(), origin: &self.origin }
    }

    pub async fn namespace(&self, name: &str, parent: &NamespaceId) -> NamespaceId {
        let new = NewNamespace {
            parent: parent.clone(),
            name: name.to_owned(),
            description: String::new(),
            lifetime: LifetimeRules::default(),
            idempotency_key: None,
        };
        let made = self.house.admin.create_namespace(&self.by, new, self.at()).await;
        made.expect("a namespace").record.id
    }

    /// `http://NAME.localhost`
    pub async fn route(&self, name: &str, namespace: &NamespaceId) {
        let new = NewRoute {
            id: name.to_owned(),
            namespace: namespace.clone(),
            description: String::new(),
            from: format!("http://{name}.localhost"),
            path: RoutePath::Any,
            pass_identity_headers: true,
            show_error_details: false,
            policies: Vec::new(),
            idempotency_key: None,
        };
        self.house.admin.create_route(&self.by, new, self.at()).await.expect("a route");
    }

    /// In Global, on these routes.
    pub async fn policy(
        &self,
        name: &str,
        text: &str,
        routes: impl IntoIterator<Item = String>,
    ) -> String {
        let new = NewPolicy {
            namespace: self.global.clone(),
            name: name.to_owned(),
            description: String::new(),
            explanation: String::new(),
            remediation: String::new(),
            text: text.to_owned(),
            enforced: false,
            routes: routes.into_iter().collect(),
            idempotency_key: None,
        };
        self.house.admin.create_policy(&self.by, new, self.at()).await.expect("a policy").id
    }

    pub fn unique(&self, name: &str, namespace: &NamespaceId) -> NewAccount {
        NewAccount {
            namespace: namespace.clone(),
            kind: NewKind::Unique { name: name.to_owned() },
            description: String::new(),
            expires: None,
            originator: String::new(),
            idempotency_key: None,
        }
    }

    pub fn acting_as(&self, user: &str, namespace: &NamespaceId) -> NewAccount {
        let kind = NewKind::Impersonating { user: user.to_owned(), unknown: false };
        NewAccount { kind, ..self.unique("", namespace) }
    }

    pub async fn make(&self, new: NewAccount) -> Machine {
        self.try_make(new).await.expect("an account")
    }

    pub async fn try_make(&self, new: NewAccount) -> Result<Machine, AdminError> {
        match self.house.admin.create_account(&self.by, new, self.at()).await? {
            Created::New(view, Minted { credential, token }) => Ok(Machine {
                record: view.record,
                token: token.expose().clone(),
                credential: credential.id,
            }),
            Created::Before(_) => panic!("it was made before"),
        }
    }

    pub async fn rotate(&self, id: &ServiceAccountId, overlap: u64) -> Minted {
        let overlap = Overlap(Duration::from_secs(overlap));
        self.house.admin.rotate(&self.by, id, overlap, self.at()).await.expect("rotated")
    }

    /// A request with a token, `GET http://NAME.localhost/`.
    pub async fn ask(&self, name: &str, token: &str) -> Answer {
        self.ask_with(name, "/", &[("x-pomerium-authorization", token)]).await
    }

    pub async fn ask_with(&self, name: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        answer(self.house.check(get(&format!("{name}.localhost"), path, headers)).await)
    }

    /// The reason that the log would give.
    pub fn now(&self) -> Timestamp {
        self.house.now()
    }
}
