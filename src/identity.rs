//! Who is asking: from the credential in a request to the person a decision is about.
//!
//! A token is unverified until [`verify()`] has made a [`VerifiedToken`] of it; only
//! that shows claims. [`identify`] then decides whom the request speaks for.

mod claims;
mod credential;
mod directory;
mod error;
mod impersonation;
mod members;
mod rules;
mod token;
mod verify;

pub use claims::{ClaimValue, Claims};
pub use credential::{Credentials, Presented, QUERY_PARAMETER, Source, ours_in_authorization};
pub use directory::{Directory, DirectoryError, Group, User};
pub use error::TokenError;
pub use impersonation::{describe, identify, member_of, person_called};
pub use rules::{
    AllowRule, ImpersonationRules, ServiceImpersonation, Surroundings, Target, Targets,
};
pub use verify::{
    Expected, LEEWAY, SessionClaims, SignedToken, VerificationKeys, Verified, VerifiedHandle,
    VerifiedToken, verify,
};

use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A person or a machine a policy can be asked about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Person {
    /// JWT `sub`.
    pub subject: String,
    /// The user id that policies name; equal to `subject` unless the token says otherwise.
    pub user: String,
    /// Empty if there is none.
    pub email: String,
    pub name: String,
    /// Group ids; `None` if no directory knows this person.
    pub groups: Option<Vec<String>>,
    /// Group id → name, where the directory gives one.
    pub group_names: BTreeMap<String, String>,
    pub claims: Claims,
}

impl Person {
    pub fn group_ids(&self) -> &[String] {
        self.groups.as_deref().unwrap_or_default()
    }

    /// Whether somebody is signed in at all: a user id, an e-mail address or a group.
    pub fn is_somebody(&self) -> bool {
        !self.user.is_empty() || !self.email.is_empty() || !self.group_ids().is_empty()
    }

    /// The part after the `@`. An e-mail has a domain only if it has exactly one `@` and something
    /// before it.
    pub fn domain(&self) -> Option<&str> {
        let (local, domain) = self.email.split_once('@')?;
        (!local.is_empty() && !domain.contains('@')).then_some(domain)
    }
}

/// The person a request is judged as, and who is really holding the credential.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Whom policy, assertion and headers are about.
    pub subject: Person,
    /// The holder of the credential, if they act as somebody else (RFC 8693 §4.1).
    pub actor: Option<Person>,
    pub session: Session,
}

/// The session behind an identity: where it came from and how long it lives.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// JWT `jti`, empty if the token has none.
    pub id: String,
    pub source: Source,
    /// A token made for a machine: it lacks the `programatic` member that sign-ins carry.
    pub is_service: bool,
    /// The instant from which [`verify()`] refuses the token, leeway included.
    pub usable_until: Timestamp,
    /// What the person has registered to sign in with.
    pub devices: Arc<[Device]>,
}

/// A registered device: a credential of Web Authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub id: String,
    /// Its kind, such as `any` or `enclave_only`.
    pub kind: String,
    pub enrolment: Option<Enrolment>,
}

/// The registration of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enrolment {
    Waiting,
    /// Somebody has approved of it.
    Approved,
}

impl Device {
    /// Whether its enrolment is approved; `None` if it has none.
    pub fn approved(&self) -> Option<bool> {
        self.enrolment.map(|enrolment| enrolment == Enrolment::Approved)
    }
}

impl Identity {
    /// The person really holding the credential.
    pub fn holder(&self) -> &Person {
        self.actor.as_ref().unwrap_or(&self.subject)
    }
}

/// Who stands behind a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Caller {
    /// Nobody; with the reason if a credential was presented and not usable.
    Anonymous(Option<TokenError>),
    Identified(Arc<Identity>),
    /// Somebody who asks to act as another and may not. Never falls back to their own identity.
    Refused(Arc<Identity>),
}

impl Caller {
    /// Who is behind the request, permitted or not.
    pub fn identity(&self) -> Option<&Arc<Identity>> {
        match self {
            Self::Identified(identity) | Self::Refused(identity) => Some(identity),
            Self::Anonymous(_) => None,
        }
    }
}
