//! Tokens, asked about and revoked by their text (RFC 7662, RFC 7009).

use super::call::{Plan, Step};
use super::deed::Thing;
use super::world::World;
use super::{Actor, Admin, AdminError};
use crate::activity::{ActorKind, Deed, EntityKind, Event, Outcome, Verb};
use crate::identity::{Caller, Expected, Source, TokenError, Verified, VerifiedHandle, verify};
use crate::people::Moment;
use crate::request::{Host, Request};
use crate::secret::Secret;
use crate::service_account::{CredentialRecord, Machine, TokenSecret, identify};
use crate::store::{Change, RecordKey, StoreError, StoreErrorKind};
use crate::time::Timestamp;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};

/// What a token is. Nothing but `active: false` is said of one that is not good, or not for `by` to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Introspection {
    pub active: bool,
    pub subject: String,
    pub issued: Option<Timestamp>,
    pub expires: Option<Timestamp>,
    /// The public name of the credential.
    pub id: String,
    pub account: String,
    pub namespace: String,
}

impl Admin {
    /// RFC 7662 §2.2. Takes the role of a viewer in the account's namespace.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn introspect(
        &self,
        by: &Actor,
        token: &Secret<String>,
        now: Timestamp,
    ) -> Result<Introspection, AdminError> {
        let world = self.world();
        let Some((handle, machine)) = self.machine_of(&world, token, now).await? else {
            return Ok(Introspection::default());
        };
        let Machine { credential, account } = &machine;
        let speaks = identify(&machine, (&handle, Source::Header), world.surroundings(), now);
        let good = match speaks {
            Ok(Caller::Identified(_)) => world.role(by, &account.namespace).is_some(),
            Ok(Caller::Anonymous(_) | Caller::Refused(_)) | Err(_) => false,
        };
        if !good {
            return Ok(Introspection::default());
        }
        let ends = [handle.expires(), credential.expires, credential.superseded, account.expires];
        Ok(Introspection {
            active: true,
            subject: account.user.clone(),
            issued: Some(credential.issued),
            expires: ends.into_iter().flatten().min(),
            id: credential.id.to_string(),
            account: account.id.to_string(),
            namespace: account.namespace.to_string(),
        })
    }

    /// RFC 7009 §2.2: whoever holds a token may revoke it; one that is no token of ours is no error.
    ///
    /// # Errors
    /// The store does not answer; then the token may be good still.
    pub async fn revoke_token(
        &self,
        token: &Secret<String>,
        at: Moment<'_>,
    ) -> Result<(), AdminError> {
        let found = self.machine_of(&self.world(), token, at.now).await?;
        let Some((_, machine)) = found.filter(|(_, it)| it.credential.revoked.is_none()) else {
            return Ok(());
        };
        let credential = machine.credential.clone();
        let revoked = CredentialRecord { revoked: Some(at.now), ..credential };
        let event = revocation(&machine, &revoked, at);
        let key = RecordKey::Credential(revoked.id.clone());
        let written =
            self.store().commit(vec![Change::UpdateCredential(revoked)], vec![event]).await;
        self.cache.forget(&key);
        match written {
            Ok(_) => Ok(()),
            // It is gone altogether.
            Err(error) if error.kind() == StoreErrorKind::Conflict => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The credential that a token is of, good or not. `None` for whatever is no token of a service
    /// account's.
    pub(super) async fn machine_of(
        &self,
        world: &World,
        token: &Secret<String>,
        now: Timestamp,
    ) -> Result<Option<(VerifiedHandle, Machine)>, StoreError> {
        // Such a token is for no host in particular.
        let verified = world.verified_for(token, ("", None), now);
        let Ok(Verified::Handle(handle)) = verified else { return Ok(None) };
        let Some(named) = handle.account() else { return Ok(None) };
        let id = TokenSecret::id_of(handle.secret().expose());
        let machine = self.store().machine(&id).await?;
        let machine = machine.filter(|machine| machine.account.id.as_str() == named);
        Ok(machine.map(|machine| (handle, machine)))
    }

    /// Whoever shows the bootstrap secret, while it is good. Its use is written down.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn bootstrap(
        &self,
        secret: &Secret<String>,
        at: Moment<'_>,
    ) -> Result<Option<Actor>, AdminError> {
        let by = Actor::bootstrap();
        let mut call = self.call(&by, at, (Verb::BootstrapUsed, deployment()));
        loop {
            if !call.world.is_bootstrap(secret) {
                return Ok(None);
            }
            let mut event = call.told(None, None);
            let closed = call.world.stored().bootstrap_closed.is_some();
            if let Some(deed) = event.deed.as_mut().filter(|_| closed) {
                deed.outcome = Outcome::Denied;
            }
            let plan = Plan { events: vec![event], ..Plan::default() };
            let step = Ok(Step::Make(Box::new(plan), !closed));
            if let Some(good) = self.settle(&mut call, step).await? {
                return Ok(good.then_some(by));
            }
        }
    }

    /// An administrator has signed in: from now on the bootstrap secret is no good. Nothing to do for
    /// anybody else, where there is no such secret, or if it is closed already.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn close_bootstrap(&self, by: &Actor, at: Moment<'_>) -> Result<(), AdminError> {
        let mut call = self.call(by, at, (Verb::BootstrapClosed, deployment()));
        loop {
            // Whatever they do closes it; this is nothing besides.
            let step = if call.closes_bootstrap() {
                Step::Make(Box::default(), ())
            } else {
                Step::Already(())
            };
            if let Some(done) = self.settle(&mut call, Ok(step)).await? {
                return Ok(done);
            }
        }
    }
}

impl World {
    /// What a token is, as a check of this request would verify it.
    ///
    /// # Errors
    /// Why it is no good.
    pub(super) fn verified(
        &self,
        token: &Secret<String>,
        request: &Request,
        now: Timestamp,
    ) -> Result<Verified, TokenError> {
        let host = request.target.as_ref().map(|target| &target.host).ok();
        let port = host.and_then(|host| host.unusual_port(&request.scheme));
        self.verified_for(token, (host.map(Host::name).unwrap_or_default(), port), now)
    }

    fn verified_for(
        &self,
        token: &Secret<String>,
        (host, port): (&str, Option<u16>),
        now: Timestamp,
    ) -> Result<Verified, TokenError> {
        let settings = self.settings();
        let expected = Expected { issuers: &settings.issuers, host, port };
        verify(token.expose().trim(), &settings.keys, &expected, now)
    }

    /// Compares hashes, so that the time it takes tells nothing of the secret.
    fn is_bootstrap(&self, secret: &Secret<String>) -> bool {
        let hash = |text: &str| digest(&SHA256, text.as_bytes());
        let shown = hash(secret.expose().trim());
        let own = self.settings().bootstrap.as_ref();
        own.is_some_and(|own| {
            verify_slices_are_equal(hash(own.expose()).as_ref(), shown.as_ref()).is_ok()
        })
    }
}

/// An entry of a machine that has revoked its own credential.
fn revocation(machine: &Machine, revoked: &CredentialRecord, at: Moment<'_>) -> Event {
    let Machine { credential, account } = machine;
    let deed = Deed {
        by: ActorKind::ServiceAccount,
        credential: Some(credential.id.clone()),
        entity: EntityKind::Credential,
        id: credential.id.to_string(),
        name: account.name.clone(),
        namespace: Some(account.namespace.clone()),
        outcome: Outcome::Done,
        before: credential.told().to_string(),
        after: revoked.told().to_string(),
    };
    let event = at.event(Verb::RevokeCredential, account.machine_itself());
    Event { subject: Some(account.who()), deed: Some(Box::new(deed)), ..event }
}

fn deployment() -> Thing {
    Thing::new(EntityKind::Deployment, "bootstrap")
}
