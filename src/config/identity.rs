//! Settings about tokens and people: the shared secret, issuers, the cookie, impersonation.

use super::{impersonation, source::value_or_file};
use crate::advice::Advice;
use crate::document::{Place, Problem, Problems, Section};
use crate::identity::{ImpersonationRules, ServiceImpersonation, VerificationKeys};
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::path::Path;
use url::Url;

/// The shared secret: 32 bytes and the text they were written as.
#[derive(Debug)]
pub struct SharedSecret {
    bytes: Secret<[u8; 32]>,
    text: Secret<String>,
}

/// Why a text is not a shared secret. Never shows the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SharedSecretError {
    #[error("the shared key is not standard base64")]
    NotBase64,
    #[error("the shared key is {0} bytes long, not 32")]
    Length(usize),
}

impl SharedSecretError {
    pub const HELP: &'static str = "make one with `lictor key generate shared`";
}

impl SharedSecret {
    /// Reads standard base64 of exactly 32 bytes.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, SharedSecretError> {
        let decoded = STANDARD.decode(text).map_err(|_| SharedSecretError::NotBase64)?;
        let length = decoded.len();
        let bytes = decoded.try_into().map_err(|_| SharedSecretError::Length(length))?;
        Ok(Self { bytes: Secret::new(bytes), text: Secret::new(text.to_owned()) })
    }

    pub fn bytes(&self) -> &[u8; 32] {
        self.bytes.expose()
    }

    /// The base64 text, which old versions used as the key itself.
    pub fn text(&self) -> &str {
        self.text.expose()
    }
}

/// What makes a credential ours, and who may act as whom.
#[derive(Debug)]
pub struct IdentitySettings {
    pub secret: SharedSecret,
    /// Where the secret came from, for `config check`.
    pub secret_place: Place,
    pub legacy_text_key: bool,
    pub accepted_issuers: Vec<String>,
    pub cookie_name: String,
    /// `authenticate_service_url`
    pub authenticate_url: Option<Url>,
    pub impersonation: ImpersonationRules,
}

impl IdentitySettings {
    pub fn verification_keys(&self) -> VerificationKeys {
        VerificationKeys::new(self.secret.bytes(), self.legacy_text_key.then(|| self.secret.text()))
    }

    pub(super) fn read(
        section: &Section<'_>,
        base: &Path,
        problems: &mut Problems,
    ) -> Option<Self> {
        let secret = shared_secret(section, base, problems);
        let authenticate_url = authenticate_url(section, problems);
        let host = authenticate_url.as_ref().and_then(host_and_port);
        let accepted_issuers = section
            .texts("accepted_issuers", problems)
            .unwrap_or_else(|| host.into_iter().collect());
        if accepted_issuers.is_empty() {
            problems.notice(Advice::NoIssuer, section.place(), "no token is accepted: neither `authenticate_service_url` nor `accepted_issuers` is set");
        }
        let administrators = section.texts("administrators", problems).unwrap_or_default();
        let impersonation = ImpersonationRules {
            enabled: section.bool("enable_user_impersonation", problems).unwrap_or(false),
            administrators: administrators.iter().map(|email| email.to_ascii_lowercase()).collect(),
            service: service_impersonation(section, problems),
            ..impersonation::read(section, problems)
        };
        let legacy_text_key = section.bool("legacy_text_key", problems).unwrap_or(false);
        let cookie_name = cookie_name(section, problems);
        let (secret, secret_place) = secret?;
        Some(Self {
            secret,
            secret_place,
            legacy_text_key,
            accepted_issuers,
            cookie_name,
            authenticate_url,
            impersonation,
        })
    }
}

fn shared_secret(
    section: &Section<'_>,
    base: &Path,
    problems: &mut Problems,
) -> Option<(SharedSecret, Place)> {
    let given =
        section.node("shared_secret").is_some() || section.node("shared_secret_file").is_some();
    if !given {
        problems.push(
            Problem::new("missing_field", section.place(), "`shared_secret` is required")
                .help(SharedSecretError::HELP),
        );
        return None;
    }
    let (text, place) = value_or_file(section, "shared_secret", base, problems)?;
    match SharedSecret::parse(&text) {
        Ok(secret) => Some((secret, place)),
        Err(error) => {
            problems.push(
                Problem::new("bad_shared_secret", &place, error.to_string())
                    .help(SharedSecretError::HELP),
            );
            None
        }
    }
}

fn authenticate_url(section: &Section<'_>, problems: &mut Problems) -> Option<Url> {
    let text = section.text("authenticate_service_url", problems)?;
    let place = &section.node("authenticate_service_url")?.place;
    let parsed = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
    let plain = parsed.filter(|url| {
        url.has_host() && url.path() == "/" && url.query().is_none() && url.fragment().is_none()
    });
    if plain.is_none() {
        problems.push(
            Problem::new(
                "bad_value",
                place,
                format!("`authenticate_service_url`: `{text}` is not an https URL without path"),
            )
            .help("write it as `https://authenticate.example.com`"),
        );
    }
    plain
}

/// `host[:port]` of a URL, the default port left out.
pub(super) fn host_and_port(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

fn cookie_name(section: &Section<'_>, problems: &mut Problems) -> String {
    let name = section.text("cookie_name", problems).unwrap_or("_pomerium");
    let token = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&b));
    if !token {
        let place = section.place_of("cookie_name");
        problems.push(
            Problem::new("bad_value", place, format!("`{name}` is not a cookie name"))
                .help("use letters, digits, `_`, `-` and `.`"),
        );
    }
    name.to_owned()
}

fn service_impersonation(section: &Section<'_>, problems: &mut Problems) -> ServiceImpersonation {
    match section.text("service_account_impersonation", problems) {
        None | Some("allow") => ServiceImpersonation::Allow,
        Some("administrators") => ServiceImpersonation::Administrators,
        Some("deny") => ServiceImpersonation::None,
        Some(other) => {
            let place = section.place_of("service_account_impersonation");
            problems.push(
                Problem::new(
                    "bad_value",
                    place,
                    format!("`service_account_impersonation` cannot be `{other}`"),
                )
                .help("use `allow`, `administrators` or `deny`"),
            );
            ServiceImpersonation::None
        }
    }
}
