//! An OpenID provider that can be made to lie. People never see it: a test approves a sign-in itself.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use lictor::provider::{Answer, Begun, Issuer, OidcProvider, OidcSettings, Profile, SignInError};
use lictor::secret::Secret;
use lictor::time::Timestamp;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use url::Url;

pub const CLIENT: &str = "lictor";
pub const CLIENT_SECRET: &str = "client: s3cret/+%";
pub const ACCESS_TOKEN: &str = "acc3ss-t0ken";
pub const REFRESH_TOKEN: &str = "r3fresh-t0ken";
/// No machine's clock says so.
pub const NOW: Timestamp = Timestamp::from_unix(2_000_000_000);

type Edit = Box<dyn Fn(&mut Value) + Send + Sync>;

/// An answer in place of the right one.
#[derive(Clone, Debug)]
pub struct Raw {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Between each two bytes.
    pub drip: Option<Duration>,
}

impl Raw {
    pub fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type", kind.to_owned())];
        Self { status, headers, body: body.into(), drip: None }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }
}

/// How a JWT is signed.
#[derive(Clone, Debug, Default)]
pub enum Signing {
    /// By the key that is published.
    #[default]
    Right,
    /// `alg` is `none`, with this for a signature.
    None(&'static str),
    /// HS256 with these bytes.
    Shared(Vec<u8>),
    /// By a key that is not published, under the name of the one that is.
    Forged,
    /// By a key that is published, and named otherwise.
    Named(&'static str),
}

/// What the provider does. All right by default.
#[derive(Default)]
pub struct Ways {
    pub metadata: Option<Edit>,
    pub claims: Option<Edit>,
    pub header: Option<Edit>,
    pub user_info: Option<Edit>,
    pub tokens: Option<Edit>,
    pub signing: Signing,
    /// Payload of the ID token as text.
    pub payload: Option<String>,
    /// By path.
    pub raw: HashMap<&'static str, Raw>,
    /// A second published key gets this name.
    pub other_key: Option<&'static str>,
}

struct Inner {
    issuer: String,
    ways: Ways,
    /// Of each path, how often it was asked for.
    asked: HashMap<String, usize>,
    /// By code: nonce and challenge.
    approved: HashMap<String, (String, String)>,
    last_form: HashMap<String, String>,
    last_authorization: String,
}

/// A running provider.
#[derive(Clone)]
pub struct FakeProvider {
    inner: Arc<Mutex<Inner>>,
    keys: Arc<[Key; 2]>,
}

struct Key {
    private: EncodingKey,
    public: Value,
}

impl Key {
    fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref()).expect("a key");
        let point = pair.public_key().as_ref();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let public = json!({
            "kty": "EC", "crv": "P-256", "x": part(&point[1..33]), "y": part(&point[33..]),
            "use": "sig", "alg": "ES256",
        });
        Self { private: EncodingKey::from_ec_der(document.as_ref()), public }
    }
}

impl FakeProvider {
    /// Starts it on a port of its own; it ends with the runtime of the test.
    pub async fn start() -> Self {
        Self::start_as("127.0.0.1").await
    }

    /// Known by this name of the machine.
    pub async fn start_as(host: &str) -> Self {
        let at = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = tokio::net::TcpListener::bind(at).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let inner = Inner {
            issuer: format!("http://{host}:{port}"),
            ways: Ways::default(),
            asked: HashMap::new(),
            approved: HashMap::new(),
            last_form: HashMap::new(),
            last_authorization: String::new(),
        };
        let keys = Arc::new([Key::new(), Key::new()]);
        let provider = Self { inner: Arc::new(Mutex::new(inner)), keys };
        let routes = Router::new().fallback(answer).with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        provider
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nobody panicked")
    }

    pub fn issuer(&self) -> String {
        self.inner().issuer.clone()
    }

    /// Changes what it does from now on.
    pub fn change(&self, change: impl FnOnce(&mut Ways)) {
        change(&mut self.inner().ways);
    }

    /// How often a path was asked for.
    pub fn asked(&self, path: &str) -> usize {
        self.inner().asked.get(path).copied().unwrap_or_default()
    }

    /// The form that the token endpoint got last, and its `authorization`.
    pub fn last_grant(&self) -> (HashMap<String, String>, String) {
        let inner = self.inner();
        (inner.last_form.clone(), inner.last_authorization.clone())
    }

    pub fn settings(&self) -> OidcSettings {
        OidcSettings {
            issuer: Issuer::parse(&self.issuer()).expect("an issuer"),
            client_id: CLIENT.to_owned(),
            client_secret: Some(Secret::new(CLIENT_SECRET.to_owned())),
            scopes: ["openid", "email"].map(str::to_owned).to_vec(),
            request_params: Vec::new(),
            groups_claim: "groups".to_owned(),
        }
    }

    pub fn client(&self) -> OidcProvider {
        OidcProvider::new(Arc::new(self.settings()))
    }

    /// What a person does who says yes: takes the sign-in to the provider, gives the code.
    pub fn approve(&self, begun: &Url) -> String {
        let asked: HashMap<_, _> = begun.query_pairs().into_owned().collect();
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["code_challenge_method"], "S256");
        let mut inner = self.inner();
        let code = format!("c0de-{}", inner.approved.len());
        inner
            .approved
            .insert(code.clone(), (asked["nonce"].clone(), asked["code_challenge"].clone()));
        code
    }

    /// A whole sign-in, by somebody who says yes.
    pub async fn sign_in(&self, client: &OidcProvider) -> Result<Profile, SignInError> {
        let begun = client.begin(&callback(), NOW).await?;
        let code = self.approve(&begun.url);
        client.finish(answered(&callback(), &code, &begun), NOW).await
    }

    /// A JWT with these claims, signed as `ways` says.
    pub fn jwt(&self, claims: &Value, typ: &str) -> String {
        let inner = self.inner();
        self.signed(&inner.ways, &claims.to_string(), typ)
    }

    fn signed(&self, ways: &Ways, payload: &str, typ: &str) -> String {
        let mut header = json!({ "alg": "ES256", "typ": typ, "kid": "k1" });
        match &ways.signing {
            Signing::Right | Signing::Forged => {}
            Signing::None(_) => header["alg"] = "none".into(),
            Signing::Shared(_) => header["alg"] = "HS256".into(),
            Signing::Named(name) => header["kid"] = (*name).into(),
        }
        apply(&ways.header, &mut header);
        let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let input = format!("{}.{}", encoded(&header.to_string()), encoded(payload));
        let sign = |key: &EncodingKey, algorithm| {
            jsonwebtoken::crypto::sign(input.as_bytes(), key, algorithm).expect("a signature")
        };
        let signature = match &ways.signing {
            Signing::None(signature) => (*signature).to_owned(),
            Signing::Shared(key) => sign(&EncodingKey::from_secret(key), Algorithm::HS256),
            Signing::Right => sign(&self.keys[0].private, Algorithm::ES256),
            Signing::Forged | Signing::Named(_) => sign(&self.keys[1].private, Algorithm::ES256),
        };
        format!("{input}.{signature}")
    }

    fn id_token(&self, inner: &Inner, nonce: Option<&str>) -> String {
        let now = NOW.unix();
        let hash = digest(&SHA256, ACCESS_TOKEN.as_bytes());
        let mut claims = json!({
            "iss": inner.issuer, "sub": "u-1", "aud": CLIENT, "exp": now + 300, "iat": now,
            "at_hash": URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]), "sid": "s-1",
            "email": "ann@example.com", "email_verified": true, "groups": ["eng"],
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        apply(&inner.ways.claims, &mut claims);
        let payload = inner.ways.payload.clone().unwrap_or_else(|| claims.to_string());
        self.signed(&inner.ways, &payload, "JWT")
    }

    fn reply(&self, path: &str, authorization: &str, body: &Bytes) -> Raw {
        let mut inner = self.inner();
        *inner.asked.entry(path.to_owned()).or_default() += 1;
        let raw = inner.ways.raw.get(path).cloned();
        if path == "/token" {
            inner.last_form = url::form_urlencoded::parse(body).into_owned().collect();
            inner.last_authorization = authorization.to_owned();
        }
        raw.unwrap_or_else(|| match path {
            "/.well-known/openid-configuration" => Raw::json(200, &metadata(&inner)),
            "/jwks" => Raw::json(200, &self.jwks(&inner.ways)),
            "/token" => self.tokens(&inner),
            "/userinfo" => user_info(&inner, authorization),
            _ => Raw::new(404, "text/plain", "nothing"),
        })
    }

    /// The key that is published.
    pub fn public_key(&self) -> Value {
        self.keys[0].public.clone()
    }

    fn jwks(&self, ways: &Ways) -> Value {
        let named = |key: &Key, name: &str| {
            let mut public = key.public.clone();
            public["kid"] = name.into();
            public
        };
        let mut keys = vec![named(&self.keys[0], "k1")];
        keys.extend(ways.other_key.map(|name| named(&self.keys[1], name)));
        json!({ "keys": keys })
    }

    fn tokens(&self, inner: &Inner) -> Raw {
        let form = |name: &str| inner.last_form.get(name).cloned().unwrap_or_default();
        let refused = |error: &str| Raw::json(400, &json!({ "error": error }));
        let nonce = match form("grant_type").as_str() {
            "authorization_code" => {
                let Some((nonce, challenge)) = inner.approved.get(&form("code")) else {
                    return refused("invalid_grant");
                };
                let hash = digest(&SHA256, form("code_verifier").as_bytes());
                if &URL_SAFE_NO_PAD.encode(hash) != challenge {
                    return refused("invalid_grant");
                }
                Some(nonce.as_str())
            }
            "refresh_token" if form("refresh_token") == REFRESH_TOKEN => None,
            _ => return refused("invalid_grant"),
        };
        let mut tokens = json!({
            "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300,
            "refresh_token": REFRESH_TOKEN, "id_token": self.id_token(inner, nonce),
        });
        apply(&inner.ways.tokens, &mut tokens);
        Raw::json(200, &tokens)
    }
}

fn apply(edit: &Option<Edit>, value: &mut Value) {
    if let Some(edit) = edit {
        edit(value);
    }
}

fn metadata(inner: &Inner) -> Value {
    let issuer = &inner.issuer;
    let mut metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/jwks"),
        "end_session_endpoint": format!("{issuer}/end?way=back"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    });
    apply(&inner.ways.metadata, &mut metadata);
    metadata
}

fn user_info(inner: &Inner, authorization: &str) -> Raw {
    if authorization != format!("Bearer {ACCESS_TOKEN}") {
        return Raw::new(401, "text/plain", "");
    }
    let mut said = json!({ "sub": "u-1", "name": "Ann" });
    apply(&inner.ways.user_info, &mut said);
    Raw::json(200, &said)
}

async fn answer(State(provider): State<FakeProvider>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let header = request.headers().get("authorization");
    let header = header.map(|value| value.to_str().expect("text").to_owned()).unwrap_or_default();
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.expect("a body");
    let raw = provider.reply(&path, &header, &body);
    let mut response = Response::builder().status(raw.status);
    for (name, value) in &raw.headers {
        response = response.header(*name, value);
    }
    let body = match raw.drip {
        None => Body::from(raw.body),
        Some(pause) => {
            let bytes = raw.body.into_iter();
            let drops = tokio_stream::StreamExt::throttle(
                tokio_stream::iter(bytes.map(|byte| Ok::<_, std::io::Error>(vec![byte]))),
                pause,
            );
            Body::from_stream(drops)
        }
    };
    response.body(body).expect("a response")
}

/// Where the browser comes back to.
pub fn callback() -> Url {
    Url::parse("https://authenticate.example.com/oauth2/callback").expect("a URL")
}

/// An answer as the browser brings it.
pub fn answered<'a>(redirect_uri: &'a Url, code: &'a str, begun: &'a Begun) -> Answer<'a> {
    Answer { redirect_uri, code, issuer: None, nonce: &begun.nonce, verifier: &begun.verifier }
}

/// `Basic` of the client, as RFC 6749 §2.3.1 encodes it.
pub fn basic() -> String {
    let form =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", form(CLIENT), form(CLIENT_SECRET))))
}
