//! `idp_…`: the identity providers by name, what each needs, and the settings of one.

use crate::config::source::value_or_file;
use crate::document::{Place, Problem, Problems, Section};
use crate::provider::{Issuer, OidcSettings};
use crate::secret::Secret;
use std::path::Path;

/// What a name in `idp_provider` stands for.
pub(super) enum Kind {
    OpenId(Defaults),
    /// No `OpenID` provider, or none for us, with what to do.
    Not(&'static str),
}

/// What is different from one provider to the other.
pub(super) struct Defaults {
    /// Where there is one for everybody.
    url: Option<&'static str>,
    scopes: &'static [&'static str],
    params: &'static [(&'static str, &'static str)],
}

const SCOPES: &[&str] = &["openid", "profile", "email", "offline_access"];
/// For those that refuse `offline_access`, and give refresh tokens otherwise.
const NO_OFFLINE: &[&str] = &["openid", "profile", "email"];
/// Gives a refresh token for these.
const GOOGLE: &[(&str, &str)] = &[("access_type", "offline"), ("prompt", "select_account consent")];

const fn open_id(url: Option<&'static str>, scopes: &'static [&'static str]) -> Kind {
    Kind::OpenId(Defaults { url, scopes, params: &[] })
}

/// Every provider that has a name.
pub(super) const PROVIDERS: [(&str, Kind); 12] = [
    (
        "apple",
        Kind::Not(
            "Apple sends its answers by a form from another site; put an OpenID provider in between, such as Keycloak or Dex, and use `oidc`",
        ),
    ),
    ("auth0", open_id(None, SCOPES)),
    ("azure", open_id(None, SCOPES)),
    ("cognito", open_id(None, NO_OFFLINE)),
    (
        "github",
        Kind::Not(
            "GitHub is no OpenID provider; put one in between, such as Keycloak or Dex, and use `oidc`",
        ),
    ),
    ("gitlab", open_id(Some("https://gitlab.com"), NO_OFFLINE)),
    (
        "google",
        Kind::OpenId(Defaults {
            url: Some("https://accounts.google.com"),
            scopes: NO_OFFLINE,
            params: GOOGLE,
        }),
    ),
    (
        "hosted",
        Kind::Not(
            "this is Pomerium's own service; use `oidc` with a provider of yours, or `local`",
        ),
    ),
    ("oidc", open_id(None, SCOPES)),
    ("okta", open_id(None, SCOPES)),
    ("onelogin", open_id(None, SCOPES)),
    ("ping", open_id(None, SCOPES)),
];

/// Tenants that stand for many: their tokens never name the issuer that was asked.
const MANY_TENANTS: [&str; 3] = ["common", "consumers", "organizations"];

impl Defaults {
    pub(super) fn read(
        &self,
        name: &str,
        section: &Section<'_>,
        base: &Path,
        problems: &mut Problems,
    ) -> Option<OidcSettings> {
        let issuer = self.issuer(name, section, problems);
        let client_id = client_id(name, section, problems);
        let given = ["idp_client_secret", "idp_client_secret_file"]
            .into_iter()
            .any(|key| section.node(key).is_some());
        let client_secret = client_secret(section, base, problems);
        let scopes = self.scopes(section, problems);
        let request_params = self.params(section, problems);
        let groups_claim = section.text("idp_groups_claim", problems).unwrap_or("groups");
        (given == client_secret.is_some()).then_some(())?;
        Some(OidcSettings {
            issuer: issuer?,
            client_id: client_id?,
            client_secret,
            scopes,
            request_params,
            groups_claim: groups_claim.to_owned(),
        })
    }

    fn issuer(&self, name: &str, section: &Section<'_>, problems: &mut Problems) -> Option<Issuer> {
        const KEY: &str = "idp_provider_url";
        const HELP: &str = "write the issuer exactly as the provider does in its `/.well-known/openid-configuration`, such as `https://id.example.com/realms/staff`";
        if section.node(KEY).is_none() {
            let Some(url) = self.url else {
                let message = format!("`idp_provider: {name}` needs `{KEY}`");
                let place = section.place_of("idp_provider");
                problems.push(Problem::new("missing_field", place, message).help(HELP));
                return None;
            };
            return Issuer::parse(url);
        }
        let text = section.text(KEY, problems)?;
        let place = section.place_of(KEY);
        let Some(issuer) = Issuer::parse(text) else {
            let message = format!("`{KEY}`: `{text}` is not an https URL without query");
            problems.push(Problem::new("bad_value", place, message).help(HELP));
            return None;
        };
        let tenant = issuer.url().path_segments().and_then(|mut parts| parts.next());
        let microsoft = issuer.url().host_str() == Some("login.microsoftonline.com");
        if microsoft && tenant.is_some_and(|tenant| MANY_TENANTS.contains(&tenant)) {
            let message = format!("`{KEY}` stands for every tenant there is");
            problems.push(
                Problem::new("bad_value", place, message)
                    .help("name yours: `https://login.microsoftonline.com/TENANT_ID/v2.0`"),
            );
            return None;
        }
        Some(issuer)
    }

    fn scopes(&self, section: &Section<'_>, problems: &mut Problems) -> Vec<String> {
        const KEY: &str = "idp_scopes";
        let default = || self.scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let scopes = section.texts(KEY, problems).unwrap_or_else(default);
        let place = section.place_of(KEY);
        for scope in scopes.iter().filter(|scope| !scope.is_empty() && !is_scope(scope)) {
            let message = format!("`{KEY}`: `{scope}` is not a scope");
            problems.push(
                Problem::new("bad_value", place, message)
                    .help("write a list of words, such as `[openid, email]`"),
            );
        }
        if !scopes.iter().any(|scope| scope == "openid") {
            let message = format!("`{KEY}` lacks `openid`, without which nobody is named");
            problems.push(Problem::new("bad_value", place, message).help("add `openid`"));
        }
        scopes
    }

    fn params(&self, section: &Section<'_>, problems: &mut Problems) -> Vec<(String, String)> {
        const KEY: &str = "idp_request_params";
        let Some(map) = section.text_map(KEY, problems) else {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            return self.params.iter().map(own).collect();
        };
        let mut params = Vec::new();
        for (name, (value, place)) in map {
            if OidcSettings::OWN_PARAMS.contains(&name.as_str()) {
                let message = format!("`{KEY}`: `{name}` is set by Lictor alone");
                problems.push(
                    Problem::new("bad_value", &place, message)
                        .help("remove it; there are keys for client, scopes and secrets"),
                );
            }
            params.push((name, value));
        }
        params
    }
}

/// RFC 6749 §3.3
fn is_scope(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

fn client_id(name: &str, section: &Section<'_>, problems: &mut Problems) -> Option<String> {
    const KEY: &str = "idp_client_id";
    const HELP: &str = "register a client at the provider, with `/oauth2/callback` of `authenticate_service_url` to come back to";
    if section.node(KEY).is_none() {
        let message = format!("`idp_provider: {name}` needs `{KEY}`");
        let place = section.place_of("idp_provider");
        problems.push(Problem::new("missing_field", place, message).help(HELP));
        return None;
    }
    let text = section.text(KEY, problems)?;
    plain(KEY, text, section.place_of(KEY), problems).map(str::to_owned)
}

fn client_secret(
    section: &Section<'_>,
    base: &Path,
    problems: &mut Problems,
) -> Option<Secret<String>> {
    const KEY: &str = "idp_client_secret";
    let (text, place) = value_or_file(section, KEY, base, problems)?;
    plain(KEY, &text, &place, problems).map(|text| Secret::new(text.to_owned()))
}

/// Something that a client may be called. Never shows it.
fn plain<'t>(key: &str, text: &'t str, place: &Place, problems: &mut Problems) -> Option<&'t str> {
    if !text.is_empty() && text == text.trim() && !text.chars().any(char::is_control) {
        return Some(text);
    }
    let message = format!("`{key}` is empty, or has space around it");
    problems.push(
        Problem::new("bad_value", place, message).help("copy it from the provider as it is there"),
    );
    None
}
