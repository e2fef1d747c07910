//! People in the house without the sign-in page: sessions as a sign-in opens them, with the cookies of
//! every host. Costs no password hash, and lets a test say what the provider says.

use super::config::snapshot_with;
use super::fixture::host::SECRET_BYTES;
use super::house::{Browser, House, directory, with_provider};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lictor::identity::{ClaimValue, Claims, ImpersonationRules};
use lictor::people::{Moment, Opened, Opening, People};
use lictor::provider::{Profile, ProviderTokens};
use lictor::session::{Handle, HandleSecret, Origin, SealedTokens};
use lictor::state::Snapshot;
use lictor::store::{CacheLimits, SessionCache};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub const HOSTS: [&str; 8] = ["auth", "any", "eng", "fin", "adm", "dom", "claim", "public"];

/// What a provider says of somebody of the users file.
pub fn profile(email: &str) -> Profile {
    let (name, _) = email.split_once('@').expect("an address");
    let groups: &[&str] = match name {
        "root" => &["g-admins"],
        "alice" => &["g-eng", "g-all"],
        "bob" => &["g-fin"],
        _ => &[],
    };
    saying(&format!("u-{name}"), email, groups, &[])
}

/// What a provider says of somebody.
pub fn saying(user: &str, email: &str, groups: &[&str], claims: &[(&str, &str)]) -> Profile {
    let text = |text: &str| ClaimValue::Text(text.to_owned());
    let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
    let list = groups.iter().map(|group| text(group)).collect();
    let mut said = BTreeMap::from([
        ("sub".to_owned(), text(user)),
        ("email".to_owned(), text(email)),
        ("groups".to_owned(), ClaimValue::List(list)),
    ]);
    said.extend(claims.iter().map(|(name, value)| ((*name).to_owned(), text(value))));
    Profile {
        provider: "local".to_owned(),
        subject: user.to_owned(),
        email: email.to_owned(),
        name: String::new(),
        groups: Some(groups),
        claims: Claims::flatten(said),
        provider_session: String::new(),
        tokens: None,
    }
}

/// 32 bytes that no other sign-in of this process has.
pub fn random() -> [u8; 32] {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0x5a; 32];
    bytes[..8].copy_from_slice(&COUNT.fetch_add(1, Ordering::SeqCst).to_be_bytes());
    bytes
}

fn sealed(_: &lictor::id::SessionId, _: &ProviderTokens) -> Option<SealedTokens> {
    None
}

/// The token of a session for one host, as sign-in makes it.
pub fn handle(house: &House, opened: &Opened, host: &str) -> String {
    handle_of(&opened.secret, &opened.record.account.user, house, host, false)
}

pub fn handle_of(
    secret: &HandleSecret,
    user: &str,
    house: &House,
    host: &str,
    programmatic: bool,
) -> String {
    let says = Handle {
        issuer: "auth.localhost",
        audience: host,
        user,
        expires: house.now().plus(Duration::from_hours(14)),
        programmatic,
    };
    secret.handle(&says, &SECRET_BYTES, house.now()).expose().clone()
}

impl House {
    /// What people do, with a memory of its own.
    pub fn people(&self) -> People {
        People::new(Arc::new(SessionCache::new(Arc::clone(&self.store), CacheLimits::default())))
    }

    /// Opens a session.
    pub async fn open_session(&self, profile: Profile) -> Opened {
        let origin = Origin { address: "192.0.2.7".to_owned(), ..Origin::default() };
        let lifetime = Duration::from_hours(14);
        let opening = Opening { profile, random: random(), lifetime, seal: &sealed };
        let at = Moment { now: self.now(), origin: &origin };
        self.people().open(opening, at).await.expect("opens")
    }

    /// A browser that has been everywhere with this session.
    pub fn with_session(&self, opened: &Opened) -> Browser<'_> {
        let mut browser = self.browser();
        for host in HOSTS.map(|name| format!("{name}.localhost")) {
            browser.set_cookie(&host, "_pomerium", &handle(self, opened, &host));
        }
        browser
    }

    /// A browser in which somebody of the users file has been everywhere.
    pub async fn guest(&self, email: &str) -> Browser<'_> {
        self.guest_saying(profile(email)).await
    }

    pub async fn guest_saying(&self, profile: Profile) -> Browser<'_> {
        let opened = self.open_session(profile).await;
        self.with_session(&opened)
    }
}

/// A compact JWS (HS256) of anything.
pub fn signed(payload: &serde_json::Value, key: &[u8]) -> String {
    signed_as("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", payload, aws_lc_rs::hmac::HMAC_SHA256, key)
}

pub fn signed_as(
    header: &str,
    payload: &serde_json::Value,
    algorithm: aws_lc_rs::hmac::Algorithm,
    key: &[u8],
) -> String {
    let parts = [header.to_owned(), payload.to_string()].map(|part| URL_SAFE_NO_PAD.encode(part));
    let text = parts.join(".");
    let tag = aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(algorithm, key), text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// What a server would decide by in the house, with other rules of acting as somebody else.
pub fn ruled(config: &str, change: impl FnOnce(&mut ImpersonationRules)) -> Snapshot {
    let snapshot = with_provider(snapshot_with(config, directory()));
    let mut settings = Arc::into_inner(snapshot.settings).expect("nobody else has it");
    change(&mut settings.impersonation);
    Snapshot { settings: Arc::new(settings), ..snapshot }
}
