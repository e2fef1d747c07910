//! Whom a credential speaks for. Judged again at every request, by the rules, the directory and the
//! blocked people of that moment.

use super::{AccountKind, AccountRecord, CredentialState, Impersonated, KnownBy, Machine};
use crate::identity::{
    Caller, Claims, Directory, Identity, Person, ServiceImpersonation, Session, Source,
    Surroundings, Target, TokenError, VerifiedHandle, describe,
};
use crate::time::Timestamp;
use std::sync::Arc;

/// No time at all lies this far ahead.
const NEVER: Timestamp = Timestamp::from_unix(i64::MAX);

/// Whom a handle of `machine` speaks for at `now`.
///
/// # Errors
/// Why it speaks for nobody: the token was made for somebody else, or credential, account or person are
/// not what they were.
pub fn identify(
    machine: &Machine,
    (handle, source): (&VerifiedHandle, Source),
    around: Surroundings<'_>,
    now: Timestamp,
) -> Result<Caller, TokenError> {
    let Machine { credential, account } = machine;
    let named =
        handle.user() == Some(&account.user) && handle.account() == Some(account.id.as_str());
    if !named {
        return Err(TokenError::RecordMismatch);
    }
    machine.usable(now)?;
    if let Some(expires) = handle.expires().filter(|expires| now >= *expires) {
        return Err(TokenError::CredentialExpired(expires));
    }
    let ends = [handle.expires(), credential.expires, credential.superseded];
    let ends = ends.into_iter().flatten().min();
    account.caller((source, ends), around)
}

/// Whom an account would speak for at `now` with a credential that is good.
///
/// # Errors
/// As [`identify`], but for the credential.
pub fn suppose(
    account: &AccountRecord,
    around: Surroundings<'_>,
    now: Timestamp,
) -> Result<Caller, TokenError> {
    account.usable(now)?;
    account.caller((Source::Header, None), around)
}

impl AccountRecord {
    /// `until` is the end of the credential, if it has one.
    fn caller(
        &self,
        (source, until): (Source, Option<Timestamp>),
        around: Surroundings<'_>,
    ) -> Result<Caller, TokenError> {
        around.admits(self)?;
        let session = Session {
            id: self.id.as_str().to_owned(),
            source,
            is_service: true,
            usable_until: until.into_iter().chain(self.expires).min().unwrap_or(NEVER),
            devices: Arc::default(),
        };
        let own = self.person();
        Ok(match &self.kind {
            AccountKind::Unique => {
                Caller::Identified(Arc::new(Identity { subject: own, actor: None, session }))
            }
            AccountKind::Impersonating(person) => {
                let permitted = around.permits(&own, person);
                let subject = person.person(around.directory);
                let identity = Arc::new(Identity { subject, actor: Some(own), session });
                if permitted { Caller::Identified(identity) } else { Caller::Refused(identity) }
            }
        })
    }

    /// Whether the account is in force at `now`.
    ///
    /// # Errors
    /// Why not.
    pub fn usable(&self, now: Timestamp) -> Result<(), TokenError> {
        if self.deleted.is_some() {
            return Err(TokenError::AccountDeleted);
        }
        if self.disabled.is_some() {
            return Err(TokenError::AccountDisabled);
        }
        match self.expires.filter(|expires| now >= *expires) {
            Some(expires) => Err(TokenError::AccountExpired(expires)),
            None => Ok(()),
        }
    }
}

impl Machine {
    /// Whether account and credential are in force at `now`.
    ///
    /// # Errors
    /// Which is not, and since when.
    pub fn usable(&self, now: Timestamp) -> Result<(), TokenError> {
        let Self { credential, account } = self;
        if account.deleted.is_some() {
            return Err(TokenError::AccountDeleted);
        }
        match credential.state(now) {
            CredentialState::Active | CredentialState::Ending => {}
            CredentialState::Revoked => return Err(TokenError::CredentialRevoked),
            CredentialState::Superseded => return Err(TokenError::CredentialSuperseded),
            CredentialState::Expired => {
                return Err(TokenError::CredentialExpired(credential.expires.unwrap_or_default()));
            }
        }
        account.usable(now)
    }
}

impl Surroundings<'_> {
    /// Whether whoever the account is may still be somebody.
    ///
    /// # Errors
    /// Why not.
    pub fn admits(&self, account: &AccountRecord) -> Result<(), TokenError> {
        match &account.kind {
            // SECURITY: a person who came later by that id is not this machine.
            AccountKind::Unique if self.directory.has_id(&account.user) => {
                Err(TokenError::AccountNameTaken)
            }
            AccountKind::Unique => Ok(()),
            AccountKind::Impersonating(_) if self.blocked.contains(&account.user) => {
                Err(TokenError::PersonBlocked)
            }
            AccountKind::Impersonating(person) => match person.source {
                KnownBy::Directory if self.directory.by_id(&account.user).is_none() => {
                    Err(TokenError::PersonGone)
                }
                KnownBy::Directory | KnownBy::SignIn | KnownBy::Nobody => Ok(()),
            },
        }
    }

    /// Whether the rules let the account act as whomever it is to act as.
    pub fn permits_account(&self, account: &AccountRecord) -> bool {
        match &account.kind {
            AccountKind::Unique => true,
            AccountKind::Impersonating(person) => self.permits(&account.person(), person),
        }
    }

    /// Whether the rules let a machine act as this person.
    fn permits(&self, own: &Person, person: &Impersonated) -> bool {
        let Account { email, user, groups } = Account::of(person, self.directory);
        let known = Some((user, groups));
        let target = Target { email: Some(email), groups: None, known };
        self.rules.service != ServiceImpersonation::None
            && self.rules.permits_target(own, &target, self.directory)
    }
}

/// By what a person is known to the rules.
struct Account<'a> {
    email: &'a str,
    user: &'a str,
    groups: &'a [String],
}

impl<'a> Account<'a> {
    fn of(person: &'a Impersonated, directory: &'a Directory) -> Self {
        let known = &person.known;
        let listed = directory.by_id(&known.user);
        Self {
            email: listed.map_or(&known.email, |user| &user.email),
            user: &known.user,
            groups: listed.map_or(known.groups.as_deref().unwrap_or_default(), |user| {
                user.group_ids.as_slice()
            }),
        }
    }
}

impl AccountRecord {
    /// The machine itself, as an actor is named.
    fn person(&self) -> Person {
        let name = match &self.kind {
            AccountKind::Unique => &self.user,
            AccountKind::Impersonating(_) => return machine(self.id.as_str()),
        };
        Person { name: self.name.clone(), ..machine(name) }
    }
}

fn machine(user: &str) -> Person {
    let user = user.to_owned();
    describe(Person { subject: user.clone(), user, groups: Some(Vec::new()), ..Person::default() })
}

impl Impersonated {
    /// The person as the directory knows them now; as they were known, where it does not.
    fn person(&self, directory: &Directory) -> Person {
        let person = self.known.person(directory);
        let listed = directory.by_id(&self.known.user);
        let person = match listed {
            Some(user) => {
                Person { email: user.email.clone(), name: user.display_name.clone(), ..person }
            }
            None => person,
        };
        let described = describe(person);
        let mut claims = self.known.claims.as_map().clone();
        claims
            .retain(|name, _| !["sub", "user", "email", "name", "groups"].contains(&name.as_str()));
        claims.extend(described.claims.as_map().clone());
        Person { claims: Claims::new(claims), ..described }
    }
}
