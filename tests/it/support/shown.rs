//! Requests that show a credential: a session's cookie, and a service account's token.

use super::config::{SECRET, snapshot_of};
use lictor::authorizer::Authorizer;
use lictor::id::{CredentialId, NamespaceId, ServiceAccountId, SessionId};
use lictor::request::{Headers, Host, Kind, Path, Request, Target};
use lictor::service_account::{
    AccountKind, AccountRecord, CredentialRecord, Machine, TokenSecret, hint_of,
};
use lictor::session::{Account, Handle, HandleSecret, Origin, SessionRecord};
use lictor::state::Snapshot;
use lictor::store::{Records, Seen};
use lictor::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// When everything was made.
pub const MADE: Timestamp = Timestamp::from_unix(1_700_000_000);
const HOST: &str = "app.localhost";
/// Nobody is there.
const PROVIDER: &str = "http://127.0.0.1:9";

/// The bytes of [`SECRET`].
fn key() -> [u8; 32] {
    std::array::from_fn(|index| u8::try_from(index).expect("a byte"))
}

/// A session and a service account that are known, and a route for both.
pub struct Shown {
    authorizer: Authorizer,
    snapshot: Snapshot,
    pub by_session: Request,
    pub by_machine: Request,
}

#[derive(Debug)]
struct Two {
    session: Arc<SessionRecord>,
    machine: Arc<Machine>,
}

impl Records for Two {
    fn session(&self, id: &SessionId) -> Seen<SessionRecord> {
        if *id == self.session.id { Seen::Known(Arc::clone(&self.session)) } else { Seen::Gone }
    }

    fn machine(&self, id: &CredentialId) -> Seen<Machine> {
        let known = *id == self.machine.credential.id;
        if known { Seen::Known(Arc::clone(&self.machine)) } else { Seen::Gone }
    }
}

impl Shown {
    pub fn new() -> Self {
        let snapshot = snapshot_of(&config());
        let (session, cookie) = session();
        let (machine, token) = machine();
        let two = Two { session: Arc::new(session), machine: Arc::new(machine) };
        Self {
            authorizer: Authorizer::with_records(Arc::new(two)),
            snapshot,
            by_session: request("cookie", &format!("_pomerium={cookie}")),
            by_machine: request("x-pomerium-authorization", &token),
        }
    }

    /// Whether it is allowed.
    pub fn is_allowed(&self, request: &Request) -> bool {
        let now = MADE.plus(Duration::from_secs(60));
        let answer = self.authorizer.authorize(&self.snapshot, request, now).expect("an answer");
        answer.record.denied.is_none()
    }
}

/// Of a deployment with one route, for everybody who is signed in.
pub fn config() -> String {
    format!(
        "shared_secret: {SECRET}
authenticate_service_url: http://auth.localhost
idp_provider: oidc
idp_provider_url: {PROVIDER}
idp_client_id: lictor
idp_client_secret: lictor
pass_identity_headers: true
enable_user_impersonation: true
administrators: [ann@corp.test]
routes:
- {{id: app, from: 'http://{HOST}', allow_any_authenticated_user: true}}
"
    )
}

/// Asks for a page, with this header.
pub fn request(name: &str, value: &str) -> Request {
    let host = Host::parse(HOST).expect("a host");
    let path = Path::parse("/v0/items/12").expect("a path");
    let lines = [("accept".to_owned(), b"*/*".to_vec()), (name.to_owned(), value.into())];
    Request {
        kind: Kind::Http,
        method: "GET".to_owned(),
        target: Ok(Target { host, path }),
        headers: Headers::from_lines(lines),
        source_ip: "10.0.7.77".parse().ok(),
        ..Request::unknown()
    }
}

/// A session, and the cookie that names it.
pub fn session() -> (SessionRecord, String) {
    let secret = HandleSecret::new([7; 32]);
    let user = "u-1101".to_owned();
    let expires = MADE.plus(Duration::from_hours(1));
    let says = Handle {
        issuer: "auth.localhost",
        audience: HOST,
        user: &user,
        expires,
        programmatic: false,
    };
    let cookie = secret.handle(&says, &key(), MADE).expose().clone();
    let account = Account {
        email: "ann@corp.test".to_owned(),
        name: "Ann".to_owned(),
        groups: Some(Vec::new()),
        user,
        ..Account::default()
    };
    let record = SessionRecord {
        id: secret.id(),
        account,
        provider: PROVIDER.to_owned(),
        provider_session: String::new(),
        opened: MADE,
        refreshed: MADE,
        expires,
        impersonation: None,
        tokens: None,
        origin: Origin::default(),
        version: 0,
    };
    (record, cookie)
}

/// A service account, and its token.
pub fn machine() -> (Machine, String) {
    let account = AccountRecord {
        id: ServiceAccountId::parse(&format!("sa_{:032x}", 1)).expect("an id"),
        namespace: NamespaceId::global(),
        kind: AccountKind::Unique,
        user: "build-bot".to_owned(),
        name: "build-bot".to_owned(),
        description: "Builds and deploys".to_owned(),
        originator: String::new(),
        created: MADE,
        created_by: "root@corp.test".to_owned(),
        modified: MADE,
        expires: None,
        disabled: None,
        deleted: None,
        used: None,
        version: 0,
    };
    let secret = TokenSecret::new([9; 32]);
    let credential = CredentialRecord {
        id: secret.id(),
        account: account.id.clone(),
        hint: String::new(),
        issued: MADE,
        issued_by: "root@corp.test".to_owned(),
        expires: None,
        revoked: None,
        superseded: None,
        last_use: None,
    };
    let token = secret.token(&credential, &account, &key());
    let credential = CredentialRecord { hint: hint_of(&token), ..credential };
    (Machine { credential, account }, token.expose().clone())
}
