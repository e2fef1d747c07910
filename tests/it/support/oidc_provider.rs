//! A real OpenID provider: the certified `oidc-provider` of npm, in a process of its own. There is no
//! test without it: missing Node.js is a failure, not a skip.

use super::gates::free_address;
use lictor::provider::{Issuer, OidcProvider, OidcSettings};
use lictor::secret::Secret;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, OnceLock};

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/oidc");
/// The version of `package.json`.
const PACKAGE: &str = "npm-oidc-provider-9.13.3";
const NEEDS_NODE: &str = "this test needs Node.js 20 or newer with npm: `apt-get install nodejs npm`, or https://nodejs.org";

pub const CLIENT: &str = "lictor";
pub const CLIENT_SECRET: &str = "a secret: of 100%+";
/// Everybody's password is their name and this.
pub const PASSWORD: &str = "'s password";

/// A running provider. Ends with this value.
#[derive(Debug)]
pub struct OidcServer {
    child: Child,
    /// Closed, it would end the provider at its next word.
    _output: BufReader<ChildStdout>,
    pub issuer: String,
    secret: Option<&'static str>,
}

/// What is different from the usual.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where sign-ins come back to.
    pub callback: String,
    /// Where the browser comes back to after signing out.
    pub signed_out: String,
    /// Where logout tokens are sent.
    pub back_channel: Option<String>,
    /// The name of this machine that the provider is known by.
    pub host: &'static str,
    /// More metadata of the client.
    pub client: Value,
    /// Seconds by kind of token.
    pub ttl: Value,
    /// Whether claims stand in the ID token too.
    pub id_token_claims: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            callback: "https://authenticate.example.com/oauth2/callback".to_owned(),
            signed_out: "https://authenticate.example.com/.pomerium/signed_out".to_owned(),
            back_channel: None,
            host: "127.0.0.1",
            client: json!({}),
            ttl: json!({}),
            id_token_claims: false,
        }
    }
}

fn accounts() -> Value {
    let account = |id: &str, email: &str, verified: bool, groups: Value| {
        json!({
            "password": format!("{id}{PASSWORD}"), "name": format!("{id} of Example"),
            "email": email, "email_verified": verified, "groups": groups,
        })
    };
    json!({
        "admin": account("admin", "admin@example.com", true, json!(["admins"])),
        "ann": account("ann", "ann@example.com", true, json!(["eng", "ops"])),
        "bob": account("bob", "bob@example.com", true, json!([])),
        "carl": account("carl", "carl@example.com", false, json!(["eng"])),
    })
}

impl OidcServer {
    /// Starts it and waits until it can be asked.
    pub fn start(options: &Options) -> Self {
        let port = free_address().port();
        let issuer = format!("http://{}:{port}", options.host);
        let mut client = json!({
            "client_id": CLIENT,
            "client_secret": CLIENT_SECRET,
            "redirect_uris": [options.callback],
            "post_logout_redirect_uris": [options.signed_out],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "backchannel_logout_session_required": true,
        });
        if let Some(uri) = &options.back_channel {
            client["backchannel_logout_uri"] = uri.as_str().into();
        }
        for (name, value) in options.client.as_object().expect("members") {
            client[name] = value.clone();
        }
        let public = client["token_endpoint_auth_method"] == "none";
        let told = json!({
            "port": port, "issuer": issuer, "client": client, "accounts": accounts(),
            "ttl": options.ttl, "id_token_claims": options.id_token_claims,
        });
        let mut command = Command::new("node");
        command.arg(Path::new(HERE).join("provider.mjs")).arg(modules()).arg(told.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect(NEEDS_NODE);
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let ready = output.by_ref().lines().map_while(Result::ok).any(|line| line == "ready");
        assert!(ready, "the provider ended: run\n{command:?}");
        Self { child, _output: output, issuer, secret: (!public).then_some(CLIENT_SECRET) }
    }

    pub fn settings(&self) -> OidcSettings {
        let scopes = ["openid", "profile", "email", "groups", "offline_access"];
        OidcSettings {
            issuer: Issuer::parse(&self.issuer).expect("an issuer"),
            client_id: CLIENT.to_owned(),
            client_secret: self.secret.map(|secret| Secret::new(secret.to_owned())),
            scopes: scopes.map(str::to_owned).to_vec(),
            // Without it there is no offline access (OpenID Connect Core 1.0 §11).
            request_params: vec![("prompt".to_owned(), "consent".to_owned())],
            groups_claim: "groups".to_owned(),
        }
    }

    pub fn client(&self) -> OidcProvider {
        OidcProvider::new(Arc::new(self.settings()))
    }
}

impl Drop for OidcServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The installed packages.
fn modules() -> &'static Path {
    static MODULES: OnceLock<PathBuf> = OnceLock::new();
    MODULES.get_or_init(install)
}

/// Fetches them from npm once into the user's cache, as the lock file says.
fn install() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).unwrap_or_else(|| {
        let home = std::env::var_os("HOME").map_or_else(std::env::temp_dir, PathBuf::from);
        home.join(".cache")
    });
    let folder = cache.join("lictor").join(PACKAGE);
    let done = folder.join(".complete");
    if !done.is_file() {
        // Several processes may do this at once: each installs for itself, the first to finish names it.
        let fresh = cache.join("lictor").join(format!("{PACKAGE}.{}.part", std::process::id()));
        std::fs::create_dir_all(&fresh).expect("a folder");
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(Path::new(HERE).join(file), fresh.join(file)).expect("copies");
        }
        eprintln!("fetching oidc-provider from npm, once");
        let mut npm = Command::new("npm");
        npm.args(["ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"]);
        let installed = npm.arg(&fresh).current_dir(&fresh).output().expect(NEEDS_NODE);
        assert!(installed.status.success(), "npm: {}", String::from_utf8_lossy(&installed.stderr));
        if std::fs::rename(&fresh, &folder).is_ok() {
            std::fs::write(&done, b"").expect("writes");
        } else {
            std::fs::remove_dir_all(&fresh).expect("removes");
        }
    }
    folder.join("node_modules")
}
