//! One verb under way: judged on one state of the world, written together with the entry that tells of
//! it, and begun again when the world has changed meanwhile.

use super::deed::Thing;
use super::world::World;
use super::{Actor, Admin, AdminError};
use crate::activity::{ActorKind, Deed, EntityKind, Event, Outcome, Verb, Who};
use crate::id::NamespaceId;
use crate::namespace::Role;
use crate::people::Moment;
use crate::store::{Change, Clash, Once, RecordKey, StoreError, StoreErrorKind};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// How often a verb is tried, as something it was judged on may have changed.
const ATTEMPTS: usize = 10;
/// How long a verb waits for those before it. Then it goes on without a turn, and may clash with others.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who asks for what, and the world it is judged on.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) by: &'a Actor,
    pub(super) at: Moment<'a>,
    pub(super) world: World,
    verb: Verb,
    /// What it is about, as far as is known yet.
    pub(super) thing: Thing,
    /// Whose it is, or whom it is given to.
    pub(super) subject: Option<Who>,
    /// Why it was begun again.
    pub(super) clashed: Option<Clash>,
    tries: usize,
    /// Held from the first attempt to write until something was written.
    turn: Option<OwnedMutexGuard<()>>,
}

/// What a verb comes to.
#[derive(Debug)]
pub(super) enum Step<T> {
    /// There is nothing to do.
    Already(T),
    Make(Box<Plan>, T),
}

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) once: Option<Once>,
    /// Whether the catalog changes, or only has to be the one that was judged on.
    pub(super) catalog: CatalogUse,
    pub(super) changes: Vec<Change>,
    pub(super) events: Vec<Event>,
    /// What is not any more what it was known to be.
    pub(super) forget: Vec<RecordKey>,
}

/// What becomes of the catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum CatalogUse {
    #[default]
    Judged,
    Changed,
}

impl Call<'_> {
    pub(super) fn verb(&self) -> Verb {
        self.verb
    }

    /// An entry that tells of what was done to the thing in question.
    pub(super) fn told(&self, before: Option<Value>, after: Option<Value>) -> Event {
        self.event(self.verb, &self.thing, (before, after))
    }

    /// An entry that tells of what was done to another thing besides.
    pub(super) fn event(
        &self,
        verb: Verb,
        thing: &Thing,
        (before, after): (Option<Value>, Option<Value>),
    ) -> Event {
        let text = |value: Option<Value>| value.map(|value| value.to_string()).unwrap_or_default();
        let deed = Deed {
            by: self.by.kind(),
            credential: self.by.credential().cloned(),
            entity: thing.kind,
            id: thing.id.clone(),
            name: thing.name.clone(),
            namespace: thing.namespace.clone(),
            outcome: Outcome::Done,
            before: text(before),
            after: text(after),
        };
        Event {
            subject: self.subject.clone(),
            session: self.by.session().cloned(),
            deed: Some(Box::new(deed)),
            ..self.at.event(verb, self.by.who().clone())
        }
    }

    /// Whether the bootstrap secret is good still, and whoever acts makes it needless.
    pub(super) fn closes_bootstrap(&self) -> bool {
        let is_open = self.world.settings().bootstrap.is_some()
            && self.world.stored().bootstrap_closed.is_none();
        let admin = self.by.kind() == ActorKind::Person
            && self.world.role(self.by, &NamespaceId::global()) == Some(Role::Admin);
        is_open && admin
    }

    /// The first thing that an administrator of everything does turns the bootstrap secret off, if signing
    /// in has not: they may have been made one since.
    fn close_bootstrap(&self, plan: &mut Plan) {
        if self.closes_bootstrap() {
            plan.catalog = CatalogUse::Changed;
            plan.changes.push(Change::CloseBootstrap(self.at.now));
            let deployment = Thing::new(EntityKind::Deployment, "bootstrap");
            plan.events.push(self.event(Verb::BootstrapClosed, &deployment, (None, None)));
        }
    }

    /// An entry that tells that it was not done.
    fn refused(&self, why: &AdminError) -> Event {
        let mut event = self.event(Verb::AdministrationRefused, &self.thing, (None, None));
        if let Some(deed) = &mut event.deed {
            deed.outcome = Outcome::Denied;
        }
        Event { detail: format!("{}: {why}", self.verb.name()), ..event }
    }
}

impl AdminError {
    /// Whether somebody tried what they may not do, and could know it.
    fn is_denial(&self) -> bool {
        match self {
            Self::Forbidden { .. } | Self::Refused(_) => true,
            Self::Invalid(_)
            | Self::NotFound(_)
            | Self::Taken(_)
            | Self::InUse(_)
            | Self::Changed
            | Self::NotFresh
            | Self::Unavailable(_) => false,
        }
    }
}

impl Admin {
    /// Begins a verb.
    pub(super) fn call<'a>(
        &self,
        by: &'a Actor,
        at: Moment<'a>,
        (verb, thing): (Verb, Thing),
    ) -> Call<'a> {
        let world = self.world();
        Call { by, at, world, verb, thing, subject: None, clashed: None, tries: 0, turn: None }
    }

    /// Writes what a verb has come to. `None` if the world has changed meanwhile: then the verb is to be
    /// judged again on the world that the call has now.
    ///
    /// # Errors
    /// Those of the verb, written down if somebody tried what they may not do.
    pub(super) async fn settle<T>(
        &self,
        call: &mut Call<'_>,
        step: Result<Step<T>, AdminError>,
    ) -> Result<Option<T>, AdminError> {
        let (mut plan, done) = match step {
            Ok(Step::Make(plan, done)) => (*plan, done),
            Ok(Step::Already(done)) => return Ok(Some(done)),
            Err(error) => {
                // Each entry waits for the disk: whoever is refused again and again is not to hold up others.
                if error.is_denial() && self.denials.may_be_noted(call.by, call.verb, call.at.now) {
                    let event = call.refused(&error);
                    self.store().commit(Vec::new(), vec![event]).await?;
                }
                return Err(error);
            }
        };
        call.close_bootstrap(&mut plan);
        call.tries += 1;
        self.take_turn(call).await;
        let catalog = plan.catalog;
        match self.write(call, plan).await {
            Ok(()) => {
                if catalog == CatalogUse::Changed {
                    // It is made; that this process knows it at once is only better.
                    self.refresh().await.ok();
                }
                call.turn = None;
                Ok(Some(done))
            }
            Err(error) => {
                self.begin_again(call, error).await?;
                Ok(None)
            }
        }
    }

    /// Of this process one verb writes at a time, and keeps its turn until it has written: so it begins
    /// again at most once, unless another process is at it too.
    async fn take_turn(&self, call: &mut Call<'_>) {
        if call.turn.is_none() {
            let turn = Arc::clone(&self.turns).lock_owned();
            call.turn = tokio::time::timeout(PATIENCE, turn).await.ok();
        }
    }

    async fn write(&self, call: &Call<'_>, plan: Plan) -> Result<(), StoreError> {
        let (version, now) = (call.world.stored().version, call.at.now);
        let judged = match plan.catalog {
            CatalogUse::Judged => Change::ExpectCatalog(version),
            CatalogUse::Changed => Change::NextCatalog(version),
        };
        let once = plan.once.map(|once| Change::KeepOnce(once, now));
        let changes = once.into_iter().chain([judged]).chain(plan.changes).collect();
        let written = self.store().commit(changes, plan.events).await;
        // Also after a failure: it may have been made although the answer was lost.
        plan.forget.iter().for_each(|key| self.cache.forget(key));
        written.map(drop)
    }

    async fn begin_again(&self, call: &mut Call<'_>, error: StoreError) -> Result<(), AdminError> {
        match error.clash() {
            Some(Clash::Taken) => return Err(AdminError::Taken("name")),
            Some(Clash::InUse) => {
                let why = "something has been put into it meanwhile; look again".to_owned();
                return Err(AdminError::InUse(why));
            }
            Some(Clash::Version | Clash::Catalog | Clash::Once) => {}
            None if error.kind() == StoreErrorKind::Conflict => {}
            None => return Err(error.into()),
        }
        if call.tries >= ATTEMPTS {
            return Err(StoreError::unavailable("the records keep changing").into());
        }
        self.refresh().await?;
        call.clashed = error.clash();
        call.world = self.world();
        Ok(())
    }
}
