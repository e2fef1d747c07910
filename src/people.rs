//! What people do with their sessions, and administrators with those of others. Each verb writes its
//! records and the entries that tell of it in one transaction, and forgets what was known before.
//!
//! Administration is judged on who holds the session, never on whom they act as.

mod acting;
mod confirm;
mod opening;
mod permit;
mod sought;

pub use acting::{Acted, FieldProblem, Judged, Wanted, parse_groups};
pub use opening::{Opened, Opening, Seal};
pub use permit::{Administrator, NotPermitted, administrator};
pub use sought::{FoundPeople, FoundPerson, Source, search};

use crate::activity::{Event, Verb, Who};
use crate::id::SessionId;
use crate::identity::Person;
use crate::session::{Impersonation, Origin, SessionRecord};
use crate::store::{
    Change, RecordKey, SessionCache, SessionQuery, Store, StoreError, StoreErrorKind,
};
use crate::time::Timestamp;
use std::sync::Arc;

/// Sessions and what is done with them.
#[derive(Clone, Debug)]
pub struct People {
    cache: Arc<SessionCache>,
}

/// Why a session ends before its time.
#[derive(Clone, Debug)]
pub enum Ending {
    /// Its owner signs out.
    SignOut,
    /// The provider says that its own session has ended.
    Provider,
    /// The provider does not confirm the person any more, for this reason.
    RefreshRefused(String),
    /// An administrator ends it.
    Revoked(Administrator),
    /// These have blocked its owner.
    Blocked(Who),
}

/// When and from where something is done.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    pub now: Timestamp,
    pub origin: &'a Origin,
}

/// How often a change begins again because somebody else changed the record meanwhile.
const ATTEMPTS: usize = 4;

impl People {
    pub fn new(cache: Arc<SessionCache>) -> Self {
        Self { cache }
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        self.cache.store()
    }

    /// Makes changes to one session, and forgets what was known of it.
    async fn commit(
        &self,
        id: &SessionId,
        changes: Vec<Change>,
        events: Vec<Event>,
    ) -> Result<(), StoreError> {
        let committed = self.store().commit(changes, events).await;
        // Also after a failure: the change may have been made although the answer was lost.
        self.cache.forget(&RecordKey::Session(id.clone()));
        committed.map(|_| ())
    }

    /// Writes down something that changes nothing.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn note(&self, event: Event) -> Result<(), StoreError> {
        self.store().commit(Vec::new(), vec![event]).await.map(|_| ())
    }

    /// Writes down a sign-in that failed. `login` is what was typed, or empty.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn note_failed_sign_in(
        &self,
        login: &str,
        why: &str,
        at: Moment<'_>,
    ) -> Result<(), StoreError> {
        let login: String = login.chars().filter(|c| !c.is_control()).take(254).collect();
        let actor = Who { email: login, ..Who::default() };
        self.note(Event { detail: why.to_owned(), ..at.event(Verb::SignInFailed, actor) }).await
    }

    /// Ends a session. That it is gone already is no error; says whether it was there.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn end(
        &self,
        id: &SessionId,
        ending: &Ending,
        at: Moment<'_>,
    ) -> Result<bool, StoreError> {
        let Some(record) = self.store().session(id).await? else {
            self.cache.forget(&RecordKey::Session(id.clone()));
            return Ok(false);
        };
        let events = ending.events(&record, at);
        self.commit(id, vec![Change::EndSession(id.clone())], events).await?;
        Ok(true)
    }

    /// Ends all sessions of these, up to a bound; says how many.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn end_all(
        &self,
        which: &SessionQuery,
        ending: &Ending,
        at: Moment<'_>,
    ) -> Result<usize, StoreError> {
        let records = self.store().sessions(which, at.now).await?;
        let mut ended = 0;
        for record in &records {
            ended += usize::from(self.end(&record.id, ending, at).await?);
        }
        Ok(ended)
    }

    /// Changes a session as it is now, however it has changed since it was read. `change` gives the new
    /// record with the entries that tell of it, or nothing if there is nothing to do.
    async fn update<T>(
        &self,
        id: &SessionId,
        mut change: impl FnMut(&SessionRecord) -> Result<Option<Update>, T>,
    ) -> Result<Result<Updated, T>, StoreError> {
        for _ in 0..ATTEMPTS {
            let Some(record) = self.store().session(id).await? else {
                self.cache.forget(&RecordKey::Session(id.clone()));
                return Ok(Ok(Updated::Gone));
            };
            let Update { record, events } = match change(&record) {
                Ok(Some(update)) => update,
                Ok(None) => return Ok(Ok(Updated::Nothing)),
                Err(refused) => return Ok(Err(refused)),
            };
            let changes = vec![Change::UpdateSession(record.clone())];
            match self.commit(id, changes, events).await {
                Ok(()) => return Ok(Ok(Updated::Done(Box::new(record)))),
                Err(error) if error.kind() == StoreErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::unavailable("the session keeps changing"))
    }
}

/// A session as it should be, and what tells of it.
struct Update {
    record: SessionRecord,
    events: Vec<Event>,
}

/// What came of a change.
#[derive(Debug)]
enum Updated {
    Done(Box<SessionRecord>),
    Nothing,
    /// There is no such session any more.
    Gone,
}

impl Moment<'_> {
    /// The beginnings of an entry.
    pub fn event(self, verb: Verb, actor: Who) -> Event {
        Event {
            at: self.now,
            verb,
            actor,
            subject: None,
            session: None,
            reason: String::new(),
            detail: String::new(),
            origin: self.origin.clone(),
            deed: None,
        }
    }

    /// An entry about a session of its owner's.
    pub fn of_session(self, verb: Verb, record: &SessionRecord) -> Event {
        let session = Some(record.id.clone());
        Event { session, ..self.event(verb, record.who()) }
    }

    /// An entry that tells that acting as somebody else has ended, if somebody did: now, for this reason,
    /// or when its time was over and nobody had written it down yet.
    fn impersonation_end(self, record: &SessionRecord, why: &str) -> Option<Event> {
        let ended = record.impersonation.as_ref()?;
        let event = if self.now < ended.until {
            Event { detail: why.to_owned(), ..self.of_session(Verb::ImpersonationEnd, record) }
        } else {
            let nowhere = Origin::default();
            let at = Moment { now: ended.until, origin: &nowhere };
            let detail = "its time was over".to_owned();
            Event { detail, ..at.of_session(Verb::ImpersonationEnd, record) }
        };
        Some(Event { subject: Some(ended.who()), reason: ended.reason.clone(), ..event })
    }
}

impl Ending {
    fn events(&self, record: &SessionRecord, at: Moment<'_>) -> Vec<Event> {
        let revoked = |actor: Who| {
            let subject = Some(record.who());
            Event { actor, subject, ..at.of_session(Verb::Revoke, record) }
        };
        let (event, why) = match self {
            Self::SignOut => (at.of_session(Verb::SignOut, record), "sign-out"),
            Self::Provider => (at.of_session(Verb::ProviderSignOut, record), "provider-sign-out"),
            Self::RefreshRefused(why) => {
                let event = at.of_session(Verb::RefreshRefused, record);
                (Event { detail: why.clone(), ..event }, "refresh-refused")
            }
            Self::Revoked(by) => (revoked(by.who()), "revoked"),
            Self::Blocked(by) => (revoked(by.clone()), "blocked"),
        };
        at.impersonation_end(record, why).into_iter().chain([event]).collect()
    }
}

impl SessionRecord {
    /// Its owner, as an entry names them.
    pub fn who(&self) -> Who {
        let (user, email) = (self.account.user.clone(), self.account.email.clone());
        Who { user, email, groups: Vec::new() }
    }
}

impl Impersonation {
    /// Whom it is about, as an entry names them.
    pub fn who(&self) -> Who {
        let known = self.known.as_ref().map(|account| account.user.clone());
        Who {
            user: known.unwrap_or_default(),
            email: self.email.clone().unwrap_or_default(),
            groups: self.groups.clone().unwrap_or_default(),
        }
    }
}

impl From<&Person> for Who {
    fn from(person: &Person) -> Self {
        Self { user: person.user.clone(), email: person.email.clone(), groups: Vec::new() }
    }
}
