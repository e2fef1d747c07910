//! A token, shown once; and the page that says that it was.

use super::path;
use crate::pages::frame::{Frame, Place};
use crate::pages::rendered;
use crate::secret::Secret;
use crate::time::Timestamp;
use askama::Template;

/// A new token. Only ever the answer to a form; never kept, never in an address.
#[derive(Debug, Template)]
#[template(path = "console/token.html", config = ".askama.toml")]
pub struct TokenPage {
    pub frame: Frame,
    pub account_id: String,
    pub account: String,
    pub user_id: String,
    pub namespace_id: String,
    /// Path.
    pub namespace: String,
    pub token: Secret<String>,
    /// The public name of the credential.
    pub credential: String,
    pub expires: Option<Timestamp>,
    /// What the token says.
    pub claims: Vec<TokenClaim>,
    /// Policies that name the account, by name.
    pub mentions: Vec<String>,
    /// Whether they may make policies there.
    pub manages: bool,
    /// Where it could go, such as `https://web.example.com`; for the examples.
    pub example: String,
    /// Until when the credentials before this one stay good; `None` if there is no such.
    pub others_until: Option<Timestamp>,
    /// Whether the account is new.
    pub new: bool,
}

/// A claim of a token.
#[derive(Clone, Debug)]
pub struct TokenClaim {
    pub name: &'static str,
    pub value: String,
    /// What it means.
    pub meaning: String,
}

impl TokenPage {
    const PLACE: Place = Place::Elsewhere;

    /// SECURITY: the token stands in what is returned.
    pub fn render(&self) -> String {
        rendered(self)
    }

    fn href(&self) -> String {
        path::account(&self.account_id, "")
    }

    /// What a reload leads to.
    fn afterwards(&self) -> String {
        path::account(&self.account_id, "token")
    }

    fn new_policy(&self) -> String {
        self.policies(path::NEW_POLICY)
    }

    fn policies(&self, path: &str) -> String {
        path::with(path, [("ns", self.namespace_id.as_str()), ("for", &self.user_id)])
    }

    /// The name as a file may be called.
    fn file(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        let name: String = self.account.chars().take(63).map(plain).collect();
        format!("{}-token", name.trim_matches(['.', '-']))
    }

    /// The name as Kubernetes takes it.
    fn object(&self) -> String {
        let name = self.file().to_ascii_lowercase().replace(['_', '.'], "-");
        name.trim_matches('-').to_owned()
    }
}

/// The token of an account was shown already.
#[derive(Clone, Debug, Template)]
#[template(path = "console/already_shown.html", config = ".askama.toml")]
pub struct AlreadyShownPage {
    pub frame: Frame,
    /// Empty if it is not known which account it was.
    pub account_id: String,
    pub account: String,
    /// When the latest credential was issued.
    pub issued: Option<Timestamp>,
    pub manages: bool,
}

impl AlreadyShownPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn href(&self) -> String {
        if self.account_id.is_empty() {
            path::ACCOUNTS.to_owned()
        } else {
            path::account(&self.account_id, "")
        }
    }
}
