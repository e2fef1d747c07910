//! Whom a service account may be. SECURITY: whoever gets a token of an account can be whatever the
//! account is, so nobody gets one of somebody who may do more than they.

use super::fields::Fields;
use super::world::World;
use super::{Actor, Admin, AdminError};
use crate::identity::{Person, ServiceImpersonation};
use crate::namespace::{Reach, Role};
use crate::service_account::{AccountKind, AccountRecord, Impersonated, KnownBy};
use crate::session::{Account, KnownPerson};
use crate::store::{AccountQuery, StoreError};
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// A person that is looked for.
#[derive(Debug)]
pub(super) enum Target {
    Found(Box<Impersonated>),
    /// Nobody knows this user id.
    Unknown,
    /// It is that of a service account.
    Machine,
}

impl Admin {
    /// Whoever has this user id: by the directory, else by sign-ins.
    pub(super) async fn target(&self, world: &World, user: &str) -> Result<Target, StoreError> {
        if self.is_machine(user).await? {
            return Ok(Target::Machine);
        }
        let signed_in = self.store().person(user).await?;
        let claims = || signed_in.as_ref().map(|known| known.account.claims.clone());
        if let Some(listed) = world.directory().by_id(user) {
            let known = Account {
                user: listed.id.clone(),
                email: listed.email.clone(),
                name: listed.display_name.clone(),
                groups: Some(listed.group_ids.clone()),
                claims: claims().unwrap_or_default(),
            };
            let source = KnownBy::Directory;
            return Ok(Target::Found(Box::new(Impersonated { known, source })));
        }
        Ok(match signed_in {
            Some(KnownPerson { account: known, .. }) => {
                Target::Found(Box::new(Impersonated { known, source: KnownBy::SignIn }))
            }
            None => Target::Unknown,
        })
    }

    /// Whether a service account has this user id for itself.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn is_machine(&self, user: &str) -> Result<bool, StoreError> {
        let which = AccountQuery {
            user: Some(user.to_owned()),
            impersonating: Some(false),
            limit: 1,
            ..AccountQuery::default()
        };
        Ok(self.store().accounts(&which, Timestamp::default()).await?.total > 0)
    }

    /// Whether `by` may have a token of this account.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub(super) async fn permit_token(
        &self,
        world: &World,
        by: &Actor,
        record: &AccountRecord,
    ) -> Result<(), AdminError> {
        let reach = match &record.kind {
            AccountKind::Unique => Reach { user: record.user.clone(), ..Reach::default() },
            AccountKind::Impersonating(person) => {
                world.admits(by, record, person)?;
                let signed_in = self.store().person(&record.user).await?;
                world.reach_of(person, signed_in.as_ref())
            }
        };
        if world.outranks(&reach, by) {
            let why = "it may administer more than you do; ask somebody who may do as much";
            return Err(AdminError::Refused(why.to_owned()));
        }
        Ok(())
    }

    /// Whether the user id of a new machine is free: of the directory, the users file, whoever signed in, and
    /// other machines. Otherwise it would be whoever has it now.
    pub(super) async fn is_free(&self, world: &World, user: &str) -> Result<bool, StoreError> {
        let which =
            AccountQuery { user: Some(user.to_owned()), limit: 1, ..AccountQuery::default() };
        let listed = world.settings().sign_in.as_ref().is_some_and(|it| it.lists(user));
        Ok(!world.directory().has_id(user)
            && !listed
            && self.store().person(user).await?.is_none()
            && self.store().accounts(&which, Timestamp::default()).await?.total == 0)
    }
}

impl World {
    /// Whether an account may act as this person here at all.
    fn admits(
        &self,
        by: &Actor,
        record: &AccountRecord,
        person: &Impersonated,
    ) -> Result<(), AdminError> {
        let around = self.surroundings();
        let refused = |why: &str| Err(AdminError::Refused(why.to_owned()));
        if around.rules.service == ServiceImpersonation::None {
            return refused(
                "service accounts do not act as people here (`service_account_impersonation`)",
            );
        }
        if let Err(why) = around.admits(record) {
            return refused(&why.to_string());
        }
        if !around.permits_account(record) {
            return refused("the rules keep machines from acting as this person (`impersonation`)");
        }
        match person.source {
            KnownBy::Directory | KnownBy::SignIn => Ok(()),
            KnownBy::Nobody => self.permit_global(by, Role::Admin),
        }
    }

    /// All that a person may administer, by everything that is known of them.
    fn reach_of(&self, person: &Impersonated, signed_in: Option<&KnownPerson>) -> Reach {
        let accounts = || std::iter::once(&person.known).chain(signed_in.map(|it| &it.account));
        let rules = &self.settings().impersonation;
        let persons: Vec<Person> =
            accounts().map(|account| account.person(self.directory())).collect();
        let listed = self.directory().by_id(&person.known.user);
        let own = accounts().flat_map(|account| account.groups.iter().flatten());
        let groups = persons.iter().flat_map(Person::group_ids).chain(own);
        let groups = groups.chain(listed.iter().flat_map(|user| &user.group_ids));
        let called = |email: &str| {
            rules.is_administrator(&Person { email: email.to_owned(), ..Person::default() })
        };
        Reach {
            user: person.known.user.clone(),
            groups: groups.cloned().collect::<BTreeSet<_>>().into_iter().collect(),
            everywhere: persons.iter().any(|person| rules.is_administrator(person))
                || listed.is_some_and(|user| called(&user.email)),
        }
    }
}

impl Target {
    /// The person `user`. `None` with a word in `fields` if they cannot be taken.
    pub(super) fn person(
        self,
        (user, nobody): (&str, Nobody),
        fields: &mut Fields,
    ) -> Option<Impersonated> {
        let message = match (self, nobody) {
            (Self::Found(person), _) => return Some(*person),
            (Self::Unknown, Nobody::Taken) => {
                let known = Account { user: user.to_owned(), ..Account::default() };
                return Some(Impersonated { known, source: KnownBy::Nobody });
            }
            // SECURITY: a machine may be in a namespace that whoever asks does not see.
            (Self::Unknown, Nobody::Refused) | (Self::Machine, _) => {
                "no person is known by this user id; people find theirs at `/.pomerium`"
            }
        };
        fields.wrong("user_id", message);
        None
    }
}

/// What becomes of a user id that nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nobody {
    Refused,
    /// It is taken as it was typed.
    Taken,
}
