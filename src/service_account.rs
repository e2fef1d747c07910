//! Service accounts: identities of machines, each at home in one namespace, and the credentials they
//! show. A credential's token is a handle: the store knows a hash of its secret and nothing that would
//! serve as one.

mod name;
mod resolve;
mod token;

pub use name::{AccountName, AccountNameError};
pub use resolve::{identify, suppose};
pub use token::{TokenSecret, hint_of};

use crate::id::{CredentialId, NamespaceId, ServiceAccountId};
use crate::session::Account;
use crate::time::Timestamp;

/// The most credentials of one account that may be good at once.
pub const MAX_CREDENTIALS: usize = 5;

/// One service account.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountRecord {
    pub id: ServiceAccountId,
    /// Where it was made; it can be used there and below. Never changed.
    pub namespace: NamespaceId,
    pub kind: AccountKind,
    /// The user id that policies name: that of the person for an impersonating account, else
    /// `NAME@NAMESPACE.pomerium`, or `NAME` in Global.
    pub user: String,
    /// The short name; for an impersonating account how the person was called when it was made.
    pub name: String,
    pub description: String,
    /// What made it, such as `terraform`; empty if nobody said.
    pub originator: String,
    pub created: Timestamp,
    /// How whoever made it is called.
    pub created_by: String,
    pub modified: Timestamp,
    /// The instant from which it is over.
    pub expires: Option<Timestamp>,
    /// Since when it is switched off.
    pub disabled: Option<Timestamp>,
    /// Since when it is deleted. Kept for a while, so that refusals can say so.
    pub deleted: Option<Timestamp>,
    /// When one of its credentials was last used.
    pub used: Option<Timestamp>,
    /// Counts the changes of this record; a change names the one it is based on. Use is no change.
    pub version: u64,
}

/// Whom a service account is.
#[derive(Clone, Debug, PartialEq)]
pub enum AccountKind {
    /// Somebody of its own.
    Unique,
    /// A person of the directory.
    Impersonating(Box<Impersonated>),
}

/// The person an account acts as.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Impersonated {
    /// What was known of them when the account was made.
    pub known: Account,
    /// Who knew them.
    pub source: KnownBy,
}

/// Who knows a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KnownBy {
    /// The directory: who leaves it takes their accounts along.
    #[default]
    Directory,
    /// They signed in once.
    SignIn,
    /// Nobody; a global administrator took the user id as it was typed.
    Nobody,
}

/// A credential: what a token shows, and what has become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRecord {
    pub id: CredentialId,
    pub account: ServiceAccountId,
    /// The last four characters of the token, to recognise it by.
    pub hint: String,
    pub issued: Timestamp,
    /// How whoever issued it is called.
    pub issued_by: String,
    /// The token's own expiry.
    pub expires: Option<Timestamp>,
    pub revoked: Option<Timestamp>,
    /// The instant from which another one stands in its place.
    pub superseded: Option<Timestamp>,
    pub last_use: Option<LastUse>,
}

/// When and where a credential was last used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastUse {
    pub at: Timestamp,
    /// The client's address; empty if unknown.
    pub address: String,
    /// The id of the route; empty if none.
    pub route: String,
}

/// A credential and whose it is: what a check looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    pub credential: CredentialRecord,
    pub account: AccountRecord,
}

/// How an account stands, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountState {
    Active,
    /// Its expiry is less than 14 days away.
    Expiring,
    Expired,
    Disabled,
    /// The person it acts as is gone or blocked.
    Suspended,
    Deleted,
}

/// How a credential stands, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialState {
    Active,
    /// Still good, and another one will stand in its place.
    Ending,
    Superseded,
    Expired,
    Revoked,
}

impl AccountState {
    pub const ALL: [Self; 6] = [
        Self::Active,
        Self::Expiring,
        Self::Expired,
        Self::Disabled,
        Self::Suspended,
        Self::Deleted,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Disabled => "disabled",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }
}

impl CredentialState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Ending => "ending",
            Self::Superseded => "superseded",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl CredentialRecord {
    pub fn state(&self, now: Timestamp) -> CredentialState {
        let over = |at: Option<Timestamp>| at.is_some_and(|at| now >= at);
        if self.revoked.is_some() {
            CredentialState::Revoked
        } else if over(self.superseded) {
            CredentialState::Superseded
        } else if over(self.expires) {
            CredentialState::Expired
        } else if self.superseded.is_some() {
            CredentialState::Ending
        } else {
            CredentialState::Active
        }
    }

    /// Whether its token still opens anything at `now`, as far as the credential says.
    pub fn is_good(&self, now: Timestamp) -> bool {
        matches!(self.state(now), CredentialState::Active | CredentialState::Ending)
    }
}

impl AccountRecord {
    pub fn is_impersonating(&self) -> bool {
        matches!(self.kind, AccountKind::Impersonating(_))
    }

    /// `unique` or `impersonated`.
    pub fn kind_name(&self) -> &'static str {
        if self.is_impersonating() { "impersonated" } else { "unique" }
    }
}

impl Machine {
    /// Roughly how many bytes it takes.
    pub fn size(&self) -> usize {
        let known = match &self.account.kind {
            AccountKind::Unique => 0,
            AccountKind::Impersonating(person) => person.known.size(),
        };
        let account = &self.account;
        let texts = [&account.user, &account.name, &account.description, &account.originator];
        texts.into_iter().map(String::len).sum::<usize>() + known + 512
    }
}
