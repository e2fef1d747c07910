//! What travels sealed: an attempt (through the provider, in `state`) and a code (to a route host).

use super::link::Goal;
use crate::hex::hex;
use crate::identity::LEEWAY;
use crate::sealed::{SealError, Sealer};
use crate::secret::Secret;
use crate::session::HandleSecret;
use crate::time::Timestamp;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::fmt;
use std::time::Duration;
use url::Url;

/// How long somebody may take at the provider or in front of the login form.
const ATTEMPT_LIFE: Duration = Duration::from_mins(15);
/// How long a code may take from one host to another.
const CODE_LIFE: Duration = Duration::from_mins(1);

/// A random value in a cookie that tells browsers apart before anybody has signed in.
#[derive(Debug)]
pub struct BrowserKey(Secret<String>);

impl BrowserKey {
    /// Takes 32 random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(Secret::new(URL_SAFE_NO_PAD.encode(random)))
    }

    /// Reads a cookie; `None` if it is none of ours.
    pub fn of_cookie(text: &str) -> Option<Self> {
        let decoded = URL_SAFE_NO_PAD.decode(text).ok()?;
        (decoded.len() == 32).then(|| Self(Secret::new(text.to_owned())))
    }

    pub fn cookie(&self) -> &str {
        self.0.expose()
    }

    /// What may be shown of it.
    pub fn hash(&self) -> String {
        hex(digest(&SHA256, self.0.expose().as_bytes()).as_ref())
    }

    /// Whether `hash` is of this one.
    pub fn is(&self, hash: &str) -> bool {
        verify_slices_are_equal(self.hash().as_bytes(), hash.as_bytes()).is_ok()
    }
}

/// Seals attempts and codes.
#[derive(Debug)]
pub struct Sealers {
    attempts: Sealer,
    codes: Sealer,
}

/// Somebody on the way to a provider and back.
pub struct Attempt {
    pub goal: Goal,
    /// Of the browser it began in.
    pub browser: String,
    /// What the provider must put into its ID token.
    pub nonce: String,
    /// PKCE (RFC 7636).
    pub verifier: String,
    pub expires: Timestamp,
}

/// The right of one route host to a cookie for one session, once.
#[derive(Debug)]
pub struct Code {
    pub secret: HandleSecret,
    pub expires: Timestamp,
    /// Hash of the browser's key at the route host; empty for programs.
    pub browser: String,
    /// Where to go with it.
    pub redirect: Url,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").field("goal", &self.goal).finish_non_exhaustive()
    }
}

impl Sealers {
    /// # Errors
    /// None that a caller could bring about.
    pub fn derive(secret: &[u8; 32]) -> Result<Self, SealError> {
        Ok(Self {
            attempts: Sealer::derive(secret, "lictor sign-in attempt 1")?,
            codes: Sealer::derive(secret, "lictor callback code 1")?,
        })
    }

    /// The attempt as a `state`.
    ///
    /// # Errors
    /// No randomness.
    pub fn seal_attempt(&self, attempt: &Attempt) -> Result<String, SealError> {
        let Attempt { goal, browser, nonce: expected, verifier, expires } = attempt;
        let value = json!({
            "goal": goal.to_json(),
            "browser": browser,
            "nonce": expected,
            "verifier": verifier,
            "expires": expires.unix(),
        });
        self.attempts.seal(value.to_string().as_bytes(), "")
    }

    /// The attempt in a `state`; `None` if it is none of ours, or of another browser, or too old.
    pub fn open_attempt(
        &self,
        state: &str,
        browser: Option<&BrowserKey>,
        now: Timestamp,
    ) -> Option<Attempt> {
        let value: Value = serde_json::from_slice(&self.attempts.open(state, "").ok()?).ok()?;
        let text = |name: &str| Some(value.get(name)?.as_str()?.to_owned());
        let attempt = Attempt {
            goal: Goal::of_json(value.get("goal")?)?,
            browser: text("browser")?,
            nonce: text("nonce")?,
            verifier: text("verifier")?,
            expires: Timestamp::from_unix(value.get("expires")?.as_i64()?),
        };
        let same = browser?.is(&attempt.browser);
        (same && now < attempt.expires).then_some(attempt)
    }

    /// What an attempt was for, whoever began it and however long ago: the way back to its beginning,
    /// and nothing else, since nobody is bound to it.
    pub fn goal(&self, state: &str) -> Option<Goal> {
        let value: Value = serde_json::from_slice(&self.attempts.open(state, "").ok()?).ok()?;
        Goal::of_json(value.get("goal")?)
    }

    /// The code for `host`.
    ///
    /// # Errors
    /// No randomness.
    pub fn seal_code(&self, code: &Code, host: &str) -> Result<String, SealError> {
        let Code { secret, expires, browser, redirect } = code;
        let value = json!({
            "secret": secret.expose(),
            "expires": expires.unix(),
            "browser": browser,
            "redirect": redirect.as_str(),
        });
        self.codes.seal(value.to_string().as_bytes(), host)
    }

    /// The code that `host` was given; `None` if it is none of ours, or for another host, or too old.
    pub fn open_code(&self, code: &str, host: &str, now: Timestamp) -> Option<Code> {
        let value: Value = serde_json::from_slice(&self.codes.open(code, host).ok()?).ok()?;
        let text = |name: &str| value.get(name)?.as_str();
        let code = Code {
            secret: HandleSecret::of_handle(text("secret")?),
            expires: Timestamp::from_unix(value.get("expires")?.as_i64()?),
            browser: text("browser")?.to_owned(),
            redirect: Url::parse(text("redirect")?).ok()?,
        };
        (now < code.expires.plus(LEEWAY)).then_some(code)
    }
}

impl Attempt {
    /// When an attempt that begins now is given up.
    pub fn expiry(now: Timestamp) -> Timestamp {
        now.plus(ATTEMPT_LIFE)
    }
}

impl Code {
    /// When a code that is given now is not good any more.
    pub fn expiry(now: Timestamp) -> Timestamp {
        now.plus(CODE_LIFE)
    }

    /// The key under which a used code, or a used `state`, is remembered.
    pub fn used_key(text: &str) -> String {
        format!("used:{}", hex(digest(&SHA256, text.as_bytes()).as_ref()))
    }
}
