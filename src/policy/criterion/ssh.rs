//! Questions about an SSH connection. A request over HTTP has none: its user name is empty and its
//! key is missing.

use super::Finding;
use crate::identity::{ClaimValue, Person};
use crate::policy::matcher::StringMatch;
use crate::policy::{Facts, Reason};
use crate::ssh::{PresentedKey, PublicKey};
use std::borrow::Cow;
use std::collections::HashSet;

/// What is known of an SSH connection.
#[derive(Clone, Debug)]
pub struct SshFacts {
    /// Whom the client wants to sign in as.
    pub username: String,
    pub key: Option<PresentedKey>,
}

#[derive(Debug)]
pub(crate) enum SshQuestion {
    Username(StringMatch),
    /// The user name is what stands before the first `@` of the person's e-mail address.
    UsernameMatchesEmail,
    /// The user name is among the values of a claim.
    UsernameMatchesClaim(String),
    /// The key is one of these, told by their bytes.
    Key(HashSet<Box<[u8]>>),
    /// The key is a certificate by one of these for this user name.
    Authority(Vec<PublicKey>),
}

impl SshQuestion {
    pub(super) fn ask(&self, facts: &Facts<'_>) -> Finding<'_> {
        let username = facts.ssh.map_or("", |ssh| &ssh.username);
        let key = facts.ssh.and_then(|ssh| ssh.key.as_ref());
        match self {
            Self::Username(text) => name(text.matches(username)),
            Self::UsernameMatchesEmail => of_person(facts, |person| {
                let local = person.email.split('@').next();
                !username.is_empty() && local == Some(username)
            }),
            Self::UsernameMatchesClaim(path) => of_person(facts, |person| {
                let mut values = person.claims.values(path).filter_map(ClaimValue::as_text);
                !username.is_empty() && values.any(|value| value == username)
            }),
            Self::Key(keys) => public_key(key.is_some_and(|key| keys.contains(key.blob()))),
            Self::Authority(authorities) => public_key(key.is_some_and(|key| {
                authorities.iter().any(|ca| key.is_signed_by(ca, username, facts.now))
            })),
        }
    }

    pub(super) fn saw(&self, facts: &Facts<'_>) -> Cow<'static, str> {
        let Some(ssh) = facts.ssh else {
            return "no SSH connection".into();
        };
        let text = match (self, &ssh.key) {
            (Self::Username(_), _) => "a user name",
            (Self::UsernameMatchesEmail | Self::UsernameMatchesClaim(_), _) => {
                if facts.person().is_none() { "nobody is signed in" } else { "a user name" }
            }
            (Self::Key(_) | Self::Authority(_), None) => "no key",
            (Self::Key(_) | Self::Authority(_), Some(PresentedKey::Plain(_))) => "a key",
            (Self::Key(_) | Self::Authority(_), Some(PresentedKey::Certificate(_))) => {
                "a certificate"
            }
        };
        text.into()
    }
}

fn name<'p>(holds: bool) -> Finding<'p> {
    Finding::either(holds, Reason::SshUsernameOk, Reason::SshUsernameUnauthorized)
}

fn public_key<'p>(holds: bool) -> Finding<'p> {
    Finding::either(holds, Reason::SshPublickeyOk, Reason::SshPublickeyUnauthorized)
}

fn of_person<'p>(facts: &Facts<'_>, test: impl Fn(&Person) -> bool) -> Finding<'p> {
    facts.person().map_or(Finding::NOBODY, |person| name(test(person)))
}
