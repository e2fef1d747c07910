//! How to speak to one provider, and as whom.

use crate::provider::http::is_safe;
use crate::secret::Secret;
use url::Url;

/// A provider and the client that this server is there.
#[derive(Debug)]
pub struct OidcSettings {
    pub issuer: Issuer,
    pub client_id: String,
    /// `None` for a public client, which PKCE alone protects.
    pub client_secret: Option<Secret<String>>,
    /// What to ask for; `openid` is among them.
    pub scopes: Vec<String>,
    /// More parameters for the provider's sign-in page.
    pub request_params: Vec<(String, String)>,
    /// The claim that holds groups; empty if they are not wanted.
    pub groups_claim: String,
}

/// The name of a provider: a URL, compared as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    text: String,
    url: Url,
}

impl Issuer {
    /// Reads an `https` URL without query and fragment, or an `http` one on this machine. `None` for
    /// anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok().filter(is_safe)?;
        let plain = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        plain.then(|| Self { text: text.to_owned(), url })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl OidcSettings {
    /// Parameters of the sign-in page that are this server's to set: whoever could set one of them
    /// could redirect the answer, or take away what protects it.
    pub const OWN_PARAMS: [&'static str; 12] = [
        "client_id",
        "client_secret",
        "code_challenge",
        "code_challenge_method",
        "nonce",
        "redirect_uri",
        "request",
        "request_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
    ];
}
