//! Settings about sign-in: who vouches for people, how long a sign-in lasts, and where it may lead.

mod oidc;
mod redirects;

pub use redirects::ProgrammaticDomains;

use super::source::{read_text, value_or_file};
use super::{IdentitySettings, SharedSecret, SharedSecretError};
use crate::document::{Problem, Problems, Section, nearest};
use crate::provider::{LocalUsers, OidcSettings, TokenSealer, is_local};
use crate::sealed::SealError;
use crate::secret::Secret;
use oidc::{Kind, PROVIDERS};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How people sign in here.
#[derive(Debug)]
pub struct SignInSettings {
    pub provider: ProviderSettings,
    /// How long a sign-in lasts: `cookie_expire`.
    pub lasts: Duration,
    /// Where the browser goes after it has signed out, if not to a page of ours.
    pub sign_out_redirect: Option<Url>,
    pub programmatic_domains: ProgrammaticDomains,
    cookie_secret: Option<Secret<[u8; 32]>>,
}

/// Who vouches for people.
#[derive(Clone, Debug)]
pub enum ProviderSettings {
    Oidc(Arc<OidcSettings>),
    Local { file: PathBuf, users: Arc<LocalUsers> },
}

/// Keys that mean something only if people sign in here; without that they are named as unused.
const NEEDS_PROVIDER: [&str; 17] = [
    "authenticate_callback_path",
    "cookie_expire",
    "cookie_http_only",
    "cookie_same_site",
    "cookie_secret",
    "cookie_secret_file",
    "cookie_secure",
    "idp_client_id",
    "idp_client_secret",
    "idp_client_secret_file",
    "idp_groups_claim",
    "idp_provider_url",
    "idp_request_params",
    "idp_scopes",
    "programmatic_redirect_domain_whitelist",
    "signout_redirect_url",
    "users_file",
];

const DEFAULT_LASTS: Duration = Duration::from_hours(14);
const SHORTEST: Duration = Duration::from_mins(1);
/// Browsers keep no cookie longer: 400 days.
const LONGEST: Duration = Duration::from_hours(400 * 24);
/// Where a provider leads back to.
const CALLBACK: &str = "/oauth2/callback";

impl SignInSettings {
    /// `None` without `idp_provider`, and after a problem.
    pub(super) fn read(
        section: &Section<'_>,
        base: &Path,
        identity: Option<&IdentitySettings>,
        problems: &mut Problems,
    ) -> Option<Self> {
        section.node("idp_provider")?;
        if let Some(identity) = identity {
            check_authenticate_url(section, identity, problems);
        }
        check_cookie(section, problems);
        let provider = provider(section, base, problems);
        let lasts = lasts(section, problems);
        let sign_out_redirect = sign_out_redirect(section, problems);
        let programmatic_domains = ProgrammaticDomains::read(section, problems);
        let cookie_secret = cookie_secret(section, base, problems);
        Some(Self {
            provider: provider?,
            lasts,
            sign_out_redirect,
            programmatic_domains,
            cookie_secret,
        })
    }

    /// What keeps the provider's tokens secret in the store: by `cookie_secret`, or else by `shared`.
    ///
    /// # Errors
    /// None that a configuration could bring about.
    pub fn sealer(&self, shared: &SharedSecret) -> Result<TokenSealer, SealError> {
        TokenSealer::new(self.cookie_secret.as_ref().map_or(shared.bytes(), Secret::expose))
    }
}

/// Names of keys that are there in vain, as nobody signs in here.
pub(super) fn idle<'s>(section: &Section<'s>) -> Vec<&'s str> {
    if section.node("idp_provider").is_some() {
        return Vec::new();
    }
    let names = section.entries().iter().map(|entry| entry.key.as_str());
    names.filter(|name| NEEDS_PROVIDER.contains(name)).collect()
}

/// The files that are read, to be watched: those of keys that end in `_file`.
pub(super) const FILES: [&str; 3] = ["cookie_secret_file", "idp_client_secret_file", "users_file"];

fn provider(
    section: &Section<'_>,
    base: &Path,
    problems: &mut Problems,
) -> Option<ProviderSettings> {
    let name = section.text("idp_provider", problems)?;
    let place = section.place_of("idp_provider");
    if name == "local" {
        return local(section, base, problems);
    }
    if section.node("users_file").is_some() {
        let message = "`users_file` is read with `idp_provider: local` alone";
        let problem = Problem::new("idle_key", section.place_of("users_file"), message);
        problems.push(problem.help("remove one of the two: people sign in one way"));
    }
    match PROVIDERS.iter().find(|(known, _)| *known == name) {
        Some((_, Kind::OpenId(defaults))) => {
            let settings = defaults.read(name, section, base, problems)?;
            Some(ProviderSettings::Oidc(Arc::new(settings)))
        }
        Some((_, Kind::Not(why))) => {
            let message = format!("`idp_provider: {name}` cannot be used here");
            problems.push(Problem::new("unsupported_provider", place, message).help(*why));
            None
        }
        None => {
            let names: Vec<&str> =
                PROVIDERS.iter().map(|(name, _)| *name).chain(["local"]).collect();
            let help = match nearest(name, &names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    "use `oidc` for any OpenID provider, or `local` for a users file".to_owned()
                }
            };
            let message = format!("there is no identity provider `{name}`");
            problems.push(Problem::new("bad_value", place, message).help(help));
            None
        }
    }
}

fn local(section: &Section<'_>, base: &Path, problems: &mut Problems) -> Option<ProviderSettings> {
    let idle = section.entries().iter().find(|entry| {
        entry.key.starts_with("idp_") && NEEDS_PROVIDER.contains(&entry.key.as_str())
    });
    if let Some(entry) = idle {
        let message = format!("`{}` has no use with `idp_provider: local`", entry.key);
        problems.push(
            Problem::new("idle_key", &entry.place, message)
                .help("remove it, or name the provider in `idp_provider`"),
        );
    }
    if section.node("users_file").is_none() {
        let message = "`idp_provider: local` needs `users_file`";
        let problem = Problem::new("missing_field", section.place_of("idp_provider"), message);
        problems.push(problem.help(
            "write `users_file: users.yaml`; a user there is `{id: ann, email: ann@example.com, password: …}`",
        ));
        return None;
    }
    let file = base.join(section.text("users_file", problems)?);
    let name = file.display().to_string();
    match read_text(&file) {
        Ok(text) => {
            let users = Arc::new(LocalUsers::read(&text, &name, problems)?);
            Some(ProviderSettings::Local { file, users })
        }
        Err(error) => {
            let message = format!("cannot read `{name}`: {error}");
            let problem = Problem::new("unreadable_file", section.place_of("users_file"), message);
            problems.push(problem.help("make `users_file` name a file that this process may read"));
            None
        }
    }
}

/// Where people sign in is where cookies are set and tokens are minted.
fn check_authenticate_url(
    section: &Section<'_>,
    identity: &IdentitySettings,
    problems: &mut Problems,
) {
    const KEY: &str = "authenticate_service_url";
    let Some(url) = &identity.authenticate_url else {
        if section.node(KEY).is_none() {
            let place = section.place_of("idp_provider");
            let message = format!("`idp_provider` needs `{KEY}`: where people sign in");
            problems.push(Problem::new("missing_field", place, message).help(format!(
                "write `{KEY}: https://authenticate.example.com`, and let Envoy send that host here"
            )));
        }
        return;
    };
    if url.scheme() == "http" && !is_local(url) {
        let message = format!("`{KEY}`: without TLS anybody on the way could sign in as others");
        problems.push(
            Problem::new("insecure_url", section.place_of(KEY), message)
                .help("use `https`; `http` is for `localhost`, names below it, and loopback"),
        );
    }
    let host = super::identity::host_and_port(url).unwrap_or_default();
    if !identity.accepted_issuers.contains(&host) {
        let message = format!("`accepted_issuers` lacks `{host}`, where people sign in");
        let problem = Problem::new("bad_value", section.place_of("accepted_issuers"), message);
        problems.push(problem.help(format!("add `{host}`; its tokens are those of people here")));
    }
}

/// What would weaken the cookie, or keep it from working.
fn check_cookie(section: &Section<'_>, problems: &mut Problems) {
    let mut refuse = |key: &str, message: &str, help: &str| {
        problems.push(Problem::new("insecure_cookie", section.place_of(key), message).help(help));
    };
    let mut wrong_type = Problems::default();
    if section.bool("cookie_http_only", &mut wrong_type) == Some(false) {
        let message =
            "`cookie_http_only` cannot be off: a script of any page could take the session";
        refuse("cookie_http_only", message, "remove it");
    }
    if section.bool("cookie_secure", &mut wrong_type) == Some(false) {
        let message = "`cookie_secure` cannot be off: the session would travel in the open";
        let help = "remove it; with `authenticate_service_url: http://…` on this machine it is off by itself";
        refuse("cookie_secure", message, help);
    }
    match section.text("cookie_same_site", &mut wrong_type).map(str::to_ascii_lowercase).as_deref()
    {
        None | Some("" | "lax") => {}
        Some("strict") => {
            let message = "`cookie_same_site` cannot be `strict`: a browser that comes back from the provider would not send the cookie, and be sent to sign in again without end";
            refuse("cookie_same_site", message, "use `lax`");
        }
        Some("none") => {
            let message = "`cookie_same_site` cannot be `none`: every site could send requests as whoever is signed in";
            refuse("cookie_same_site", message, "use `lax`");
        }
        Some(_) => {
            let message = "`cookie_same_site` is not one that browsers know";
            refuse("cookie_same_site", message, "use `lax`");
        }
    }
    if !matches!(section.text("authenticate_callback_path", &mut wrong_type), None | Some(CALLBACK))
    {
        let place = section.place_of("authenticate_callback_path");
        let message = format!("`authenticate_callback_path` is always `{CALLBACK}` here");
        problems.push(
            Problem::new("bad_value", place, message)
                .help(format!("remove it, and register `{CALLBACK}` at the provider")),
        );
    }
    let (wrong_type, _) = wrong_type.into_parts();
    for problem in wrong_type {
        problems.push(problem);
    }
}

fn lasts(section: &Section<'_>, problems: &mut Problems) -> Duration {
    let lasts = section.duration("cookie_expire", problems).unwrap_or(DEFAULT_LASTS);
    if !(SHORTEST..=LONGEST).contains(&lasts) {
        let place = section.place_of("cookie_expire");
        let message = "`cookie_expire` is shorter than a minute, or longer than 400 days";
        problems.push(
            Problem::new("bad_value", place, message)
                .help("write how long a sign-in lasts, such as `14h`"),
        );
    }
    lasts
}

fn sign_out_redirect(section: &Section<'_>, problems: &mut Problems) -> Option<Url> {
    let text = section.text("signout_redirect_url", problems)?;
    let url = Url::parse(text).ok().filter(crate::provider::is_safe);
    if url.is_none() {
        let place = section.place_of("signout_redirect_url");
        let message = format!("`signout_redirect_url`: `{text}` is not an https URL");
        problems.push(
            Problem::new("bad_value", place, message)
                .help("write it as `https://www.example.com/goodbye`"),
        );
    }
    url
}

fn cookie_secret(
    section: &Section<'_>,
    base: &Path,
    problems: &mut Problems,
) -> Option<Secret<[u8; 32]>> {
    let (text, place) = value_or_file(section, "cookie_secret", base, problems)?;
    match SharedSecret::parse(&text) {
        Ok(secret) => Some(Secret::new(*secret.bytes())),
        Err(error) => {
            let message = match error {
                SharedSecretError::NotBase64 => "`cookie_secret` is not standard base64".to_owned(),
                SharedSecretError::Length(length) => {
                    format!("`cookie_secret` is {length} bytes long, not 32")
                }
            };
            let problem = Problem::new("bad_cookie_secret", &place, message);
            problems.push(problem.help(SharedSecretError::HELP));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FILES, NEEDS_PROVIDER};
    use crate::config::{GLOBAL_KEYS, used};

    #[test]
    fn names_are_those_of_keys() {
        let is_used = |name: &&str| used(GLOBAL_KEYS).any(|key| key.name == *name);
        assert!(NEEDS_PROVIDER.iter().chain(&FILES).all(is_used));
        assert!(NEEDS_PROVIDER.is_sorted());
    }
}
