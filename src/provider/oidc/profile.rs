//! From claims to a person: who they are, what of it is kept, and what is left out. ID token and
//! `UserInfo` have been verified before.

use super::error::SignInError;
use super::jws::Members;
use crate::identity::{ClaimValue, Claims};
use crate::provider::Profile;

/// About the tokens themselves, or meant for nobody else: no policy can want them, and some are
/// secrets. What is left are claims about the person, how they signed in (`acr`, `amr`) included.
const LEFT_OUT: [&str; 19] = [
    "_claim_names",
    "_claim_sources",
    "access_token",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "c_hash",
    "client_id",
    "exp",
    "iat",
    "id_token",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "refresh_token",
    "s_hash",
    "sid",
];

/// A record holds the claims, and every check reads it.
const MAX_CLAIMS: usize = 256;
const MAX_CLAIM_BYTES: usize = 64 * 1024;
/// `OpenID` Connect Core 1.0 §2
const MAX_SUBJECT_CHARS: usize = 255;
const MAX_TEXT_CHARS: usize = 254;

const NO_LIST: &str = "the groups are not a list of texts; see `idp_groups_claim`";

/// What was said of somebody. The first document counts where both say something.
pub(super) struct Said<'s> {
    pub(super) issuer: &'s str,
    pub(super) first: Members,
    pub(super) second: Members,
    /// Where the groups stand; empty if they are not wanted.
    pub(super) groups_claim: &'s str,
}

impl Said<'_> {
    /// The person. Nothing is cut short: with a claim missing, a rule that denies could miss.
    pub(super) fn profile(mut self) -> Result<Profile, SignInError> {
        let subject = self.text("sub");
        let fits = !subject.is_empty()
            && subject.chars().count() <= MAX_SUBJECT_CHARS
            && !subject.chars().any(char::is_control);
        if !fits {
            return Err(bad("`sub` is not a name of 1 to 255 characters"));
        }
        let provider_session = self.text("sid");
        if provider_session.chars().count() > MAX_SUBJECT_CHARS {
            return Err(bad("`sid` is longer than 255 characters"));
        }
        self.check_groups_are_here()?;
        let email = self.verified_email();
        if email.is_empty() {
            self.first.remove("email");
            self.second.remove("email");
        }
        let name = ["name", "preferred_username"]
            .into_iter()
            .map(|claim| self.text(claim))
            .find(|name| !name.trim().is_empty());
        let claims = self.claims()?;
        Ok(Profile {
            provider: self.issuer.to_owned(),
            subject,
            email,
            name: name.map(|name| shown(&name)).unwrap_or_default(),
            groups: self.groups(&claims)?,
            claims,
            provider_session,
            tokens: None,
        })
    }

    /// A text that either document has; empty if none does.
    fn text(&self, claim: &str) -> String {
        let value = self.first.get(claim).or_else(|| self.second.get(claim));
        value.and_then(ClaimValue::as_text).unwrap_or_default().to_owned()
    }

    /// The e-mail address, unless a document that has it says that it is not verified.
    fn verified_email(&self) -> String {
        let email = self.text("email");
        let doubted = [&self.first, &self.second].into_iter().any(|said| {
            let named = said.get("email").and_then(ClaimValue::as_text);
            let about_it = named.is_none_or(|named| named.eq_ignore_ascii_case(&email));
            about_it && !said.get("email_verified").is_none_or(is_true)
        });
        let plain = email.chars().count() <= MAX_TEXT_CHARS
            && !email.chars().any(|c| c.is_control() || c.is_whitespace());
        if doubted || !plain { String::new() } else { email }
    }

    /// A provider may leave long claims out and name a place to fetch them from (`OpenID` Connect
    /// Core 1.0 §5.6.2). Without their groups, people could slip past a rule that denies one.
    fn check_groups_are_here(&self) -> Result<(), SignInError> {
        let elsewhere =
            [&self.first, &self.second].into_iter().any(|said| match said.get("_claim_names") {
                Some(ClaimValue::Map(names)) => names.contains_key(self.groups_claim),
                Some(
                    ClaimValue::Null
                    | ClaimValue::Bool(_)
                    | ClaimValue::Number(_)
                    | ClaimValue::Text(_)
                    | ClaimValue::List(_),
                )
                | None => false,
            });
        if elsewhere {
            return Err(bad(
                "the provider left the groups out because there are too many; have it send only those that matter, or set `idp_groups_claim` to `''`",
            ));
        }
        Ok(())
    }

    fn claims(&mut self) -> Result<Claims, SignInError> {
        let mut said = std::mem::take(&mut self.second);
        said.append(&mut self.first);
        said.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
        let claims = Claims::flatten(said);
        let bytes: usize =
            claims.as_map().iter().map(|(name, value)| name.len() + value.to_json().len()).sum();
        if claims.as_map().len() > MAX_CLAIMS || bytes > MAX_CLAIM_BYTES {
            return Err(bad("there are more than 256 claims, or more than 64 KiB of them"));
        }
        Ok(claims)
    }

    fn groups(&self, claims: &Claims) -> Result<Option<Vec<String>>, SignInError> {
        let Some(value) = claims.as_map().get(self.groups_claim) else {
            let inside = format!("{}.", self.groups_claim);
            let is_map = claims.as_map().keys().any(|name| name.starts_with(&inside));
            return if is_map { Err(bad(NO_LIST)) } else { Ok(None) };
        };
        let items = match value {
            // What was `null` is a list of it by now.
            ClaimValue::List(items) if matches!(items[..], [ClaimValue::Null]) => return Ok(None),
            ClaimValue::List(items) => items,
            ClaimValue::Null
            | ClaimValue::Bool(_)
            | ClaimValue::Number(_)
            | ClaimValue::Text(_)
            | ClaimValue::Map(_) => return Ok(None),
        };
        let groups: Option<Vec<String>> = items.iter().map(ClaimValue::scalar_text).collect();
        let groups = groups.ok_or_else(|| bad(NO_LIST))?;
        Ok(Some(groups.into_iter().filter(|group| !group.is_empty()).collect()))
    }
}

/// `true`, also as text: some providers write it so.
fn is_true(value: &ClaimValue) -> bool {
    match value {
        ClaimValue::Bool(value) => *value,
        ClaimValue::Text(text) => text.eq_ignore_ascii_case("true"),
        ClaimValue::Null | ClaimValue::Number(_) | ClaimValue::List(_) | ClaimValue::Map(_) => {
            false
        }
    }
}

/// A name for pages and lists: one line, not too long.
fn shown(name: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    name.trim().chars().map(plain).take(MAX_TEXT_CHARS).collect()
}

fn bad(why: &str) -> SignInError {
    SignInError::BadProfile(why.to_owned())
}

#[cfg(test)]
mod tests;
