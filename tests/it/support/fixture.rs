//! The company of the worked examples: its configuration, people, tokens, and a way to ask.

use super::check::encode;
use super::config::snapshot_with;
use envoy_types::pb::envoy::config::core::v3::{HeaderMap, HeaderValue};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Request};
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{
    AttributeContext, CheckRequest, CheckResponse, DeniedHttpResponse, OkHttpResponse,
};
use envoy_types::pb::google::protobuf::value::Kind;
use lictor::authorizer::Authorizer;
use lictor::ext_authz;
use lictor::identity::{Directory, User};
use lictor::state::Snapshot;
use lictor::time::Timestamp;
use prost::Message as _;
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// 2023-11-14T22:13:20Z
pub const NOW: i64 = 1_700_000_000;

pub const CONFIG: &str = "
authenticate_service_url: https://authenticate.corp.test
cookie_name: _pomerium
administrators: [root@corp.test]
enable_user_impersonation: true
service_account_impersonation: administrators
pass_identity_headers: true
jwt_issuer_format: hostOnly
jwt_claims_headers:
  x-pomerium-claim-email: email
  x-pomerium-claim-groups: groups
  x-pomerium-claim-name: name
routes:
- {id: public, from: https://public.corp.test, allow_public_unauthenticated_access: true}
- {id: deny, from: https://any.corp.test, prefix: /deny, allow_any_authenticated_user: true, policy: {deny: {or: [{email: alice@corp.test}]}}}
- {id: noteve, from: https://any.corp.test, prefix: /noteve, policy: {allow: {or: [{email: {not: eve@evil.test}}]}}}
- {id: exclude, from: https://any.corp.test, prefix: /exclude, policy: {allow: {or: [{claim/x: {exclude: y}}]}}}
- {id: open, from: https://any.corp.test, prefix: /open, policy: {allow: {or: [{accept: true}]}, deny: {or: [{user: u-eve}]}}}
- {id: any, from: https://any.corp.test, allow_any_authenticated_user: true}
- {id: eng, from: https://eng.corp.test, policy: {allow: {or: [{groups: {has: g-eng}}]}}}
- {id: fin, from: https://fin.corp.test, allowed_users: [bob@corp.test], policy: {allow: {or: [{groups: {has: g-fin}}]}}}
- {id: dom, from: https://dom.corp.test, allowed_domains: [corp.test], cors_allow_preflight: true}
- {id: api1, from: https://api.corp.test, prefix: /v1, allowed_users: [alice@corp.test]}
- {id: api2, from: https://api.corp.test, path: /health, allow_public_unauthenticated_access: true}
- {id: api3, from: https://api.corp.test, regex: '^/v2/(items|carts)/[0-9]+$', allowed_users: [bob@corp.test]}
- {id: claim, from: https://claim.corp.test, allowed_idp_claims: {department: [rnd]}}
- {id: none, from: https://none.corp.test}
- {id: all, from: https://all.corp.test, allow_any_authenticated_user: true, pass_identity_headers: false}
- {id: adm, from: https://adm.corp.test, allowed_users: [root@corp.test]}
- {id: svc, from: https://svc.corp.test, allowed_users: [svc-deploy]}
";

fn data() -> &'static Value {
    static DATA: OnceLock<Value> = OnceLock::new();
    DATA.get_or_init(|| {
        serde_json::from_str(include_str!("../../cases/tokens.json")).expect("tokens")
    })
}

/// A token by its name.
pub fn token(name: &str) -> &'static str {
    data()["tokens"][name].as_str().unwrap_or_else(|| panic!("no token {name}"))
}

pub mod host {
    //! What else the fixture gives byte for byte.

    /// The shared secret: bytes 0 to 31.
    pub const SECRET_BYTES: [u8; 32] = {
        let mut bytes = [0; 32];
        let mut index = 0;
        while index < 32 {
            bytes[index] = index as u8;
            index += 1;
        }
        bytes
    };

    /// A signed URL by its name.
    pub fn signed(name: &str) -> String {
        super::data()["signed_urls"][name]
            .as_str()
            .unwrap_or_else(|| panic!("no url {name}"))
            .to_owned()
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Ask {
    method: String,
    authority: String,
    path: String,
    scheme: String,
    headers: Vec<(String, String)>,
    route_id: Option<String>,
}

impl Ask {
    /// `GET /` of a host of the company, from a browser. Tokens for hosts the company's tokens do not
    /// name still carry their own audience.
    pub fn get(route: &str) -> Self {
        Self {
            method: "GET".to_owned(),
            authority: format!("{route}.corp.test"),
            path: "/".to_owned(),
            scheme: "https".to_owned(),
            headers: vec![("accept".to_owned(), "text/html".to_owned())],
            route_id: None,
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(key, _)| key != name);
        self
    }

    pub fn cookie(self, name: &str) -> Self {
        let value = format!("_pomerium={}", token(name));
        self.header("cookie", &value)
    }

    pub fn pomerium(self, name: &str) -> Self {
        let value = format!("Pomerium {}", token(name));
        self.header("authorization", &value)
    }

    pub fn bearer(self, name: &str) -> Self {
        let value = format!("Bearer Pomerium-{}", token(name));
        self.header("authorization", &value)
    }

    pub fn x_header(self, name: &str) -> Self {
        self.header("x-pomerium-authorization", token(name))
    }

    pub fn query(self, name: &str) -> Self {
        let path = format!("/?pomerium_session={}", token(name));
        self.path(&path)
    }

    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    pub fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    pub fn authority(mut self, authority: &str) -> Self {
        authority.clone_into(&mut self.authority);
        self
    }

    pub fn scheme(mut self, scheme: &str) -> Self {
        scheme.clone_into(&mut self.scheme);
        self
    }

    pub fn route_id(mut self, id: &str) -> Self {
        self.route_id = Some(id.to_owned());
        self
    }

    /// As Envoy sends it with `encode_raw_headers`.
    pub fn check(&self) -> CheckRequest {
        let line = |(name, value): &(String, String)| HeaderValue {
            key: name.clone(),
            raw_value: value.clone().into_bytes(),
            ..HeaderValue::default()
        };
        let http = HttpRequest {
            method: self.method.clone(),
            host: self.authority.clone(),
            path: self.path.clone(),
            scheme: self.scheme.clone(),
            header_map: Some(HeaderMap { headers: self.headers.iter().map(line).collect() }),
            ..HttpRequest::default()
        };
        let route = self.route_id.iter().map(|id| ("route_id".to_owned(), id.clone()));
        let attributes = AttributeContext {
            request: Some(Request { http: Some(http), ..Request::default() }),
            context_extensions: route.collect(),
            ..AttributeContext::default()
        };
        CheckRequest { attributes: Some(attributes) }
    }
}

/// A Lictor at a fixed time.
#[derive(Debug)]
pub struct Company {
    snapshot: Snapshot,
    authorizer: Authorizer,
}

/// What came of a request, in short.
#[derive(Debug, PartialEq, Eq)]
pub enum Saw {
    /// Let through with an assertion for this user.
    Allowed(String),
    /// Let through without an assertion.
    Anonymous,
    /// Sent to the sign-in page.
    Login,
    Refused(u16),
}

impl Company {
    pub fn new(config: &str) -> Self {
        let person = |id: &str, email: &str, groups: &[&str]| User {
            id: id.to_owned(),
            email: email.to_owned(),
            display_name: String::new(),
            group_ids: groups.iter().map(|group| (*group).to_owned()).collect(),
        };
        let people = vec![
            person("u-alice", "alice@corp.test", &["g-eng", "g-all"]),
            person("u-bob", "bob@corp.test", &["g-fin"]),
            person("u-root", "root@corp.test", &["g-admins"]),
            person("u-eve", "eve@evil.test", &[]),
        ];
        let directory = Directory::new(people, Vec::new()).expect("a directory");
        Self { snapshot: snapshot_with(config, directory), authorizer: Authorizer::new() }
    }

    /// The company with `CONFIG`.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Company> = OnceLock::new();
        SHARED.get_or_init(|| Self::new(CONFIG))
    }

    pub fn ask(&self, ask: &Ask) -> Heard {
        self.check(ask.check())
    }

    pub fn check(&self, check: CheckRequest) -> Heard {
        self.hear(&check.encode_to_vec()).expect("a check")
    }

    /// The same for bytes; `None` if they are no check.
    pub fn hear(&self, check: &[u8]) -> Option<Heard> {
        let settings = &self.snapshot.settings;
        let now = Timestamp::from_unix(NOW);
        let request = ext_authz::decode(check, settings, None).ok()?;
        let answer = self.authorizer.authorize(&self.snapshot, &request, now).expect("an answer");
        let reason = answer.record.denied.as_ref().map_or("allowed", |reason| reason.code());
        let session_error =
            answer.record.session_error.as_ref().map(lictor::identity::TokenError::code);
        let (response, _) = encode(&request, &answer, settings, now);
        Some(Heard { response, reason, session_error })
    }
}

/// An answer, taken apart.
#[derive(Debug)]
pub struct Heard {
    pub response: CheckResponse,
    reason: &'static str,
    session_error: Option<&'static str>,
}

/// The header changes of an allowed request.
#[derive(Debug)]
pub struct Changes {
    ok: OkHttpResponse,
    pub query: Vec<String>,
}

impl Changes {
    pub fn set(&self, name: &str) -> Option<&str> {
        let mut headers = self.ok.headers.iter().filter_map(|option| option.header.as_ref());
        headers.find(|header| header.key == name).map(|header| header.value.as_str())
    }

    pub fn removes(&self, name: &str) -> bool {
        self.ok.headers_to_remove.iter().any(|header| header == name)
    }
}

impl Heard {
    fn code(&self) -> i32 {
        self.response.status.as_ref().expect("a status").code
    }

    fn refused(&self) -> &DeniedHttpResponse {
        match &self.response.http_response {
            Some(HttpResponse::DeniedResponse(denied)) => denied,
            other => panic!("not refused: {other:?}"),
        }
    }

    pub fn saw(&self) -> Saw {
        if self.code() == 0 {
            return match self.headers().set("x-pomerium-jwt-assertion") {
                None => Saw::Anonymous,
                Some(_) => {
                    Saw::Allowed(self.assertion()["user"].as_str().expect("a user").to_owned())
                }
            };
        }
        assert_eq!(self.code(), 7);
        let status = u16::try_from(self.refused().status.as_ref().expect("a status").code)
            .expect("a status");
        let sign_in = "https://authenticate.corp.test/.pomerium/sign_in?pomerium_expiry=";
        let location = self.denied("location");
        match (status, location) {
            (302, Some(location)) if location.starts_with(sign_in) => Saw::Login,
            (status, None) => Saw::Refused(status),
            other => panic!("a stray redirect: {other:?}"),
        }
    }

    pub fn reason(&self) -> &'static str {
        self.reason
    }

    pub fn session_error(&self) -> Option<&'static str> {
        self.session_error
    }

    pub fn headers(&self) -> Changes {
        match &self.response.http_response {
            Some(HttpResponse::OkResponse(ok)) => {
                Changes { ok: ok.clone(), query: ok.query_parameters_to_remove.clone() }
            }
            other => panic!("not allowed: {other:?}"),
        }
    }

    /// The payload of the assertion.
    pub fn assertion(&self) -> Value {
        use base64::Engine as _;
        let headers = self.headers();
        let token = headers.set("x-pomerium-jwt-assertion").expect("an assertion");
        let payload = token.split('.').nth(1).expect("a payload");
        let bytes =
            base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).expect("base64");
        serde_json::from_slice(&bytes).expect("json")
    }

    /// A header of a refusal.
    pub fn denied(&self, name: &str) -> Option<&str> {
        let mut headers = self.refused().headers.iter().filter_map(|option| option.header.as_ref());
        headers.find(|header| header.key == name).map(|header| header.value.as_str())
    }

    pub fn body(&self) -> &str {
        &self.refused().body
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(self.body()).expect("json")
    }

    pub fn metadata(&self) -> Map<String, Value> {
        let fields = &self.response.dynamic_metadata.as_ref().expect("metadata").fields;
        let text = |kind: &Option<Kind>| match kind {
            Some(Kind::StringValue(text)) => Value::from(text.as_str()),
            other => panic!("not text: {other:?}"),
        };
        fields.iter().map(|(name, value)| (name.clone(), text(&value.kind))).collect()
    }
}
