//! Who is supposed to ask. A token is verified, and judged, by the code that does so for checks; it is
//! kept nowhere.

use super::{Principal, Supposed};
use crate::admin::world::World;
use crate::admin::{Actor, Admin, AdminError, What};
use crate::identity::{Caller, Identity, Person, Session, Source, TokenError, Verified, describe};
use crate::request::Request;
use crate::secret::Secret;
use crate::service_account::{Machine, TokenSecret, identify};
use crate::time::Timestamp;
use std::sync::Arc;

/// Whoever asks.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) kind: Kind,
    /// `None` leaves it to the credential in the request.
    pub(super) caller: Option<Caller>,
    /// The machine they are, if they are one and may be seen.
    pub(super) machine: Option<Arc<Machine>>,
    /// Why they are nobody.
    pub(super) error: Option<TokenError>,
}

/// How they were named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Nobody,
    Person,
    Account,
    Token,
}

impl Admin {
    pub(super) async fn asking(
        &self,
        (world, by): (&World, &Actor),
        supposed: &Supposed,
        request: &Request,
        now: Timestamp,
    ) -> Result<Asking, AdminError> {
        match &supposed.principal {
            Principal::Anonymous => Ok(Asking {
                kind: Kind::Nobody,
                caller: Some(Caller::Anonymous(None)),
                machine: None,
                error: None,
            }),
            Principal::User(id) => self.person(world, id.trim(), supposed.groups.as_deref()).await,
            Principal::Account(id) => {
                let account = self.seen_account(world, by, id).await?;
                let authorizer = world.supposed(&account, None, now);
                let error = match &authorizer.caller {
                    Some(Caller::Anonymous(why)) => why.clone(),
                    Some(Caller::Identified(_) | Caller::Refused(_)) | None => None,
                };
                Ok(Asking {
                    kind: Kind::Account,
                    caller: authorizer.caller,
                    machine: authorizer.machine,
                    error,
                })
            }
            Principal::Token(token) => self.holder((world, by), token, request, now).await,
        }
    }

    /// A person, as if they had signed in.
    async fn person(
        &self,
        world: &World,
        id: &str,
        groups: Option<&[String]>,
    ) -> Result<Asking, AdminError> {
        let signed_in = self.store().person(id).await?;
        let listed = world.directory().by_id(id);
        let person = match (&signed_in, listed) {
            (Some(known), _) => known.account.person(world.directory()),
            (None, Some(user)) => describe(Person {
                subject: user.id.clone(),
                user: user.id.clone(),
                email: user.email.clone(),
                name: user.display_name.clone(),
                groups: Some(user.group_ids.clone()),
                group_names: world.directory().names_of(&user.group_ids),
                ..Person::default()
            }),
            (None, None) => return Err(AdminError::NotFound(What::User)),
        };
        let person = match groups {
            None => person,
            Some(groups) => Person {
                groups: Some(groups.to_vec()),
                group_names: world.directory().names_of(groups),
                ..person
            },
        };
        let blocked = world.catalog().blocked.contains(&person.user);
        let error = blocked.then_some(TokenError::PersonBlocked);
        let session = Session {
            id: String::new(),
            source: Source::Cookie,
            is_service: false,
            usable_until: Timestamp::from_unix(i64::MAX),
            devices: Arc::default(),
        };
        let identity = Arc::new(Identity { subject: person, actor: None, session });
        let caller = match &error {
            Some(why) => Caller::Anonymous(Some(why.clone())),
            None => Caller::Identified(identity),
        };
        Ok(Asking { kind: Kind::Person, caller: Some(caller), machine: None, error })
    }

    /// Whoever shows this token. SECURITY: one of an account that is not seen is one that nobody knows.
    async fn holder(
        &self,
        (world, by): (&World, &Actor),
        token: &Secret<String>,
        request: &Request,
        now: Timestamp,
    ) -> Result<Asking, AdminError> {
        let (kind, machine) = (Kind::Token, None);
        let handle = match world.verified(token, request, now) {
            Err(why) => return Ok(Asking { kind, caller: None, machine, error: Some(why) }),
            Ok(Verified::Handle(handle)) if handle.account().is_some() => handle,
            // Of a session, or of somebody it names itself: the evaluator reads it.
            Ok(Verified::Handle(_) | Verified::Stateless(_)) => {
                return Ok(Asking { kind, caller: None, machine, error: None });
            }
        };
        let id = TokenSecret::id_of(handle.secret().expose());
        let found = self.store().machine(&id).await?;
        let seen = found.filter(|it| world.role(by, &it.account.namespace).is_some());
        let Some(machine) = seen else {
            let unknown = Some(TokenError::UnknownCredential);
            let caller = Some(Caller::Anonymous(unknown.clone()));
            return Ok(Asking { kind, caller, machine: None, error: unknown });
        };
        let around = world.surroundings();
        let found = identify(&machine, (&handle, Source::BearerPrefix), around, now);
        let error = found.as_ref().err().cloned();
        let caller = found.unwrap_or_else(|why| Caller::Anonymous(Some(why)));
        let machine = Some(Arc::new(machine));
        Ok(Asking { kind, caller: Some(caller), machine, error })
    }
}
