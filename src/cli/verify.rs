//! `lictor token verify`: which rule a token breaks, or what it says.

use super::mint::read_file;
use super::{Exit, Format, report};
use crate::clock::{Clock, SystemClock};
use crate::config::{Environment, SharedSecret};
use crate::identity::{Expected, TokenError, VerificationKeys, Verified, verify};
use crate::request::Host;
use crate::time::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use jsonwebtoken::errors::ErrorKind;
use serde_json::{Value, json};
use std::io::Read;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor token verify --key-file shared_secret --aud app.example.com --iss authenticate.example.com < token

Without --aud and --iss the token's own are taken. With --jwks an assertion is verified instead."
)]
pub(super) struct Verify {
    /// The token; standard input if absent
    token: Option<String>,
    /// Read the shared key from a file instead of `LICTOR_SHARED_KEY` or `POMERIUM_SHARED_KEY`
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Also accept the base64 text of the key
    #[arg(long)]
    legacy_text_key: bool,
    /// The host the token must be for
    #[arg(long, value_name = "HOST")]
    aud: Option<String>,
    /// The issuer the token must have
    #[arg(long, value_name = "HOST")]
    iss: Option<String>,
    /// Verify an assertion with these public keys
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key_file", "legacy_text_key"])]
    jwks: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What is wrong, in one word and in a sentence.
struct Refusal(&'static str, String);

impl Verify {
    pub(super) fn run(&self) -> Exit {
        let token = match self.read_token() {
            Ok(token) => token,
            Err(message) => {
                report::error(&message, Some("give the token as an argument or on standard input"));
                return Exit::Usage;
            }
        };
        let verdict = match &self.jwks {
            Some(file) => match read_file(file) {
                Ok(text) => self.assertion(&token, &text),
                Err(error) => {
                    report::error(&format!("cannot read `{}`: {error}", file.display()), None);
                    return Exit::Usage;
                }
            },
            None => match self.secret() {
                Ok(secret) => self.session(&token, &secret),
                Err(message) => {
                    report::error(
                        &message,
                        Some("give the key as LICTOR_SHARED_KEY or with --key-file"),
                    );
                    return Exit::Usage;
                }
            },
        };
        self.tell(verdict)
    }

    fn tell(&self, verdict: Result<Value, Refusal>) -> Exit {
        match (verdict, self.format) {
            (Ok(claims), Format::Text) => {
                report::data(&format!("{claims:#}\n"));
                Exit::Ok
            }
            (Ok(claims), Format::Json) => {
                report::data(&format!("{:#}\n", json!({ "ok": true, "claims": claims })));
                Exit::Ok
            }
            (Err(Refusal(code, message)), Format::Text) => {
                report::error(&format!("{code}: {message}"), None);
                Exit::Invalid
            }
            (Err(Refusal(code, message)), Format::Json) => {
                report::data(&format!(
                    "{:#}\n",
                    json!({ "ok": false, "code": code, "message": message })
                ));
                Exit::Invalid
            }
        }
    }

    fn read_token(&self) -> Result<String, String> {
        let text = match &self.token {
            Some(token) => token.clone(),
            None => {
                let mut text = String::new();
                std::io::stdin()
                    .lock()
                    .take(1 << 20)
                    .read_to_string(&mut text)
                    .map_err(|error| format!("cannot read the token: {error}"))?;
                text
            }
        };
        let token = text.trim().to_owned();
        if token.is_empty() { Err("there is no token".to_owned()) } else { Ok(token) }
    }

    fn secret(&self) -> Result<SharedSecret, String> {
        let environment = Environment::of_process();
        let variable = ["LICTOR_SHARED_KEY", "POMERIUM_SHARED_KEY"]
            .into_iter()
            .find_map(|name| environment.get(name));
        let text = match (&self.key_file, variable) {
            (Some(file), _) => read_file(file)
                .map_err(|error| format!("cannot read `{}`: {error}", file.display()))?,
            (None, Some(text)) => text.to_owned(),
            (None, None) => return Err("shared key required".to_owned()),
        };
        SharedSecret::parse(text.trim()).map_err(|error| error.to_string())
    }

    fn session(&self, token: &str, secret: &SharedSecret) -> Result<Value, Refusal> {
        let keys =
            VerificationKeys::new(secret.bytes(), self.legacy_text_key.then(|| secret.text()));
        let shown = payload(token);
        let issuer = self
            .iss
            .clone()
            .or_else(|| shown.get("iss")?.as_str().map(str::to_owned))
            .unwrap_or_default();
        let own = shown.get("aud").and_then(|aud| aud.as_str().or_else(|| aud.get(0)?.as_str()));
        let audience = self.aud.as_deref().or(own).unwrap_or_default();
        let host = Host::parse(audience).unwrap_or_else(|_| Host::nowhere());
        let issuers = [issuer];
        let expected =
            Expected { issuers: &issuers, host: host.name(), port: host.unusual_port("https") };
        let now = SystemClock.now();
        match verify(token, &keys, &expected, now) {
            Ok(Verified::Stateless(_)) => Ok(shown),
            Ok(Verified::Handle(_)) => {
                report::say(
                    "note: it names a session; whether that is in force, only the server knows",
                );
                Ok(shown)
            }
            Err(error) => Err(Refusal(error.code(), explained(&error, now))),
        }
    }

    fn assertion(&self, token: &str, jwks: &str) -> Result<Value, Refusal> {
        let keys: jsonwebtoken::jwk::JwkSet = serde_json::from_str(jwks).map_err(|error| {
            Refusal("malformed", format!("the key set cannot be read: {error}"))
        })?;
        let malformed =
            |error: jsonwebtoken::errors::Error| Refusal("malformed", error.to_string());
        let header = jsonwebtoken::decode_header(token).map_err(malformed)?;
        let kid = header
            .kid
            .ok_or_else(|| Refusal("malformed", "the assertion names no key".to_owned()))?;
        let key = keys.find(&kid).ok_or_else(|| {
            Refusal("bad-signature", format!("the key `{kid}` is not in the set"))
        })?;
        let key = jsonwebtoken::DecodingKey::from_jwk(key).map_err(malformed)?;
        if !matches!(header.alg, Algorithm::ES256 | Algorithm::RS256) {
            let message = "an assertion is signed with ES256 or RS256".to_owned();
            return Err(Refusal("unsupported-alg", message));
        }
        let mut validation = jsonwebtoken::Validation::new(header.alg);
        validation.validate_aud = false;
        validation.validate_nbf = true;
        let asked = [("aud", &self.aud), ("iss", &self.iss)]
            .into_iter()
            .filter(|(_, value)| value.is_some());
        let required: Vec<&str> = asked.map(|(name, _)| name).chain(["exp"]).collect();
        validation.set_required_spec_claims(&required);
        if let Some(audience) = &self.aud {
            validation.validate_aud = true;
            validation.set_audience(&[audience]);
        }
        if let Some(issuer) = &self.iss {
            validation.set_issuer(&[issuer]);
        }
        jsonwebtoken::decode::<Value>(token, &key, &validation)
            .map(|decoded| decoded.claims)
            .map_err(|error| {
                Refusal(assertion_code(&error), format!("the assertion is refused: {error}"))
            })
    }
}

/// The word for what is wrong with an assertion, as for tokens.
#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum with dozens of kinds")]
fn assertion_code(error: &jsonwebtoken::errors::Error) -> &'static str {
    match error.kind() {
        ErrorKind::ExpiredSignature => "expired",
        ErrorKind::ImmatureSignature => "not-yet-valid",
        ErrorKind::InvalidAudience => "invalid-audience",
        ErrorKind::InvalidIssuer => "invalid-issuer",
        ErrorKind::InvalidSignature => "bad-signature",
        _ => "malformed",
    }
}

/// The payload, for showing; null if there is none. Nothing is decided by it.
fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap_or_default();
    URL_SAFE_NO_PAD
        .decode(part)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

/// The rule, with how far off the token is.
fn explained(error: &TokenError, now: Timestamp) -> String {
    let seconds = |at: &Timestamp| match (now.unix() - at.unix()).abs() {
        1 => "1 second".to_owned(),
        several => format!("{several} seconds"),
    };
    match error {
        TokenError::Expired(at) => format!("{error}, {} ago", seconds(at)),
        TokenError::NotYetValid(at) | TokenError::IssuedInFuture(at) => {
            format!("{error}, in {}", seconds(at))
        }
        TokenError::Malformed(_)
        | TokenError::BadSignature
        | TokenError::UnsupportedAlgorithm(_)
        | TokenError::ExpiryRequired
        | TokenError::InvalidIssuer(_)
        | TokenError::InvalidAudience(_)
        | TokenError::UnknownSession
        | TokenError::RecordExpired(_)
        | TokenError::RecordMismatch
        | TokenError::UnknownCredential
        | TokenError::CredentialRevoked
        | TokenError::CredentialSuperseded
        | TokenError::CredentialExpired(_)
        | TokenError::AccountDeleted
        | TokenError::AccountDisabled
        | TokenError::AccountExpired(_)
        | TokenError::AccountNameTaken
        | TokenError::PersonGone
        | TokenError::PersonBlocked => error.to_string(),
    }
}
