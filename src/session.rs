//! Sign-ins as records: who signed in, until when, and whom they act as. What a cookie or a token of
//! such a person holds is a handle, which names a record and says nothing else.

mod handle;
mod resolve;

pub use handle::{Handle, HandleSecret};
pub use resolve::identify;

use crate::id::SessionId;
use crate::identity::Claims;
use crate::time::Timestamp;
use std::time::Duration;

/// So long after a sign-in may be done what wants a fresh one.
pub const FRESH: Duration = Duration::from_mins(5);

/// One sign-in.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRecord {
    pub id: SessionId,
    pub account: Account,
    /// Who vouched for the person: the issuer of an OpenID provider, or `local`.
    pub provider: String,
    /// The provider's own name for its session (`sid`), empty if it gave none.
    pub provider_session: String,
    pub opened: Timestamp,
    /// When the provider last confirmed the person.
    pub refreshed: Timestamp,
    /// The instant from which the session is over.
    pub expires: Timestamp,
    /// Whom the person acts as.
    pub impersonation: Option<Impersonation>,
    pub tokens: Option<SealedTokens>,
    /// Where the sign-in came from.
    pub origin: Origin,
    /// Counts the changes of this record; a change names the one it is based on.
    pub version: u64,
}

impl SessionRecord {
    /// Roughly how many bytes it takes.
    pub fn size(&self) -> usize {
        let asked = self.impersonation.as_ref().map_or(0, |asked| {
            let groups: usize = asked.groups.iter().flatten().map(String::len).sum();
            groups + asked.reason.len() + asked.known.as_ref().map_or(0, Account::size)
        });
        let tokens = self.tokens.as_ref().map_or(0, |tokens| tokens.sealed.len());
        self.account.size() + asked + tokens
    }

    /// Whether the person has shown who they are not long ago.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.opened.plus(FRESH)
    }

    /// Whether the session is in force at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires
    }
}

/// What is known of somebody who signed in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// The user id that policies name: `sub` of the provider, or `id` in the users file.
    pub user: String,
    /// Empty if there is none, or if the provider says that it is not verified.
    pub email: String,
    pub name: String,
    /// What the provider says; the directory, where it knows the person, says it better.
    pub groups: Option<Vec<String>>,
    pub claims: Claims,
}

impl Account {
    pub(crate) fn size(&self) -> usize {
        let groups: usize = self.groups.iter().flatten().map(String::len).sum();
        let names = self.user.len() + self.email.len() + self.name.len();
        let claims = self.claims.as_map().iter();
        names
            + groups
            + claims.map(|(name, value)| name.len() + value.to_json().len()).sum::<usize>()
    }
}

/// Acting as somebody else: whom, why and how long. At least one of `email` and `groups` is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Impersonation {
    pub email: Option<String>,
    /// Instead of the groups of the directory.
    pub groups: Option<Vec<String>>,
    /// Empty if none was given.
    pub reason: String,
    pub started: Timestamp,
    /// The instant from which it is over.
    pub until: Timestamp,
    /// What sign-ins had told of the person when it began. The directory, where it knows them, says it
    /// better.
    pub known: Option<Account>,
}

/// Tokens of the provider, encrypted. Needed to refresh the session and to end it there too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedTokens {
    /// Base64 of what only this deployment can open.
    pub sealed: String,
    /// When the provider should be asked again; `None` if it cannot be.
    pub refresh_at: Option<Timestamp>,
}

/// Where a request came from, as far as an operator wants to know afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's address; empty if unknown.
    pub address: String,
    pub request_id: String,
    /// At most 256 characters.
    pub user_agent: String,
}

/// Somebody who has signed in before, to be found again by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownPerson {
    pub account: Account,
    pub provider: String,
    pub last_sign_in: Timestamp,
}
