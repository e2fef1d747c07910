//! What service accounts did, written down every few seconds, and once more at the end.

use crate::activity::{ActorKind, Deed, EntityKind, Event, Outcome, Verb};
use crate::clock::Clock;
use crate::id::CredentialId;
use crate::people::Moment;
use crate::service_account::AccountRecord;
use crate::session::Origin;
use crate::store::{ActivityQuery, Change, Once, Store, StoreError, StoreErrorKind, Use};
use crate::tasks::Tasks;
use crate::telemetry::{Noted, UsageBook};
use crate::time::Timestamp;
use crate::web::Site;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How late a use is written down, at most.
const EVERY: Duration = Duration::from_secs(5);
/// How often the same superseded credential is told of, by all servers together.
const TOLD_EVERY: Duration = Duration::from_hours(1);
/// So many credentials are remembered as told of, or as to be told of.
const REMEMBERED: usize = 10_000;
/// How often the last uses are tried to be written down, and how soon again.
const LAST_TRIES: usize = 5;
const AGAIN: Duration = Duration::from_secs(1);

struct Writer {
    book: Arc<UsageBook>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// When each was told of last, as far as this server knows.
    told: HashMap<CredentialId, Timestamp>,
    /// What could not be told of yet.
    untold: HashMap<CredentialId, Use>,
}

/// Writes until the server stops.
pub(super) fn keep_written(tasks: &Tasks, site: &Site, book: &Arc<UsageBook>) {
    let Some(mut writer) = Writer::new(site, book) else {
        return;
    };
    let stopping = tasks.stopping();
    tasks.start(async move {
        tokio::pin!(stopping);
        loop {
            // Only waiting is given up: what was taken out of the book is written.
            tokio::select! {
                () = &mut stopping => break,
                () = tokio::time::sleep(EVERY) => drop(writer.write().await),
            }
        }
    });
}

/// Writes what is left when the last check has ended.
pub(super) async fn write_last(site: &Site, book: &Arc<UsageBook>) {
    let Some(mut writer) = Writer::new(site, book) else {
        return;
    };
    for _ in 0..LAST_TRIES {
        if writer.write().await {
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
    tracing::error!("the last uses of service accounts were not written down");
}

impl Writer {
    fn new(site: &Site, book: &Arc<UsageBook>) -> Option<Self> {
        let store = Arc::clone(site.desk.as_ref()?.people.store());
        let (book, clock) = (Arc::clone(book), Arc::clone(&site.clock));
        Some(Self { book, store, clock, told: HashMap::new(), untold: HashMap::new() })
    }

    /// Says whether nothing is left to be written.
    async fn write(&mut self) -> bool {
        let Noted { uses, reused, lost } = self.book.take();
        if lost > 0 {
            tracing::warn!(
                lost,
                "uses of service accounts were not written down: too many at once"
            );
        }
        let mut all = true;
        if !uses.is_empty()
            && let Err(error) = self.store.note_uses(uses.clone()).await
        {
            tracing::warn!(%error, "uses of service accounts are not written down yet");
            self.book.put_back(uses);
            all = false;
        }
        let mut due = std::mem::take(&mut self.untold);
        due.extend(reused.into_iter().map(|used| (used.credential.clone(), used)));
        for used in due.into_values() {
            self.tell(used).await;
        }
        all && self.untold.is_empty()
    }

    /// SECURITY: whoever still shows a credential that was rotated away has missed the rotation, or has
    /// found the token somewhere.
    async fn tell(&mut self, used: Use) {
        let now = self.clock.now();
        self.told.retain(|_, told| now < told.plus(TOLD_EVERY));
        if self.told.contains_key(&used.credential) {
            return;
        }
        let (credential, address) = (used.credential.clone(), &used.last.address);
        let account = &used.account;
        match self.alert(&used, now).await {
            Ok(Told::Now) => {
                tracing::warn!(%credential, %account, address, "a superseded credential was used");
                self.remember(credential, now);
            }
            Ok(Told::Before(at)) => self.remember(credential, at),
            Err(error) => {
                tracing::warn!(%error, %credential, %account, address, "a superseded credential was used, which is not written down yet");
                if self.untold.len() < REMEMBERED {
                    self.untold.insert(credential, used);
                }
            }
        }
    }

    fn remember(&mut self, credential: CredentialId, at: Timestamp) {
        if self.told.len() < REMEMBERED {
            self.told.insert(credential, at);
        }
    }

    /// Writes the entry, unless one was written lately, here or elsewhere.
    async fn alert(&self, used: &Use, now: Timestamp) -> Result<Told, StoreError> {
        let Some(account) = self.store.account(&used.account).await? else {
            return Ok(Told::Before(now));
        };
        let last = ActivityQuery {
            verb: Some(Verb::CredentialReused),
            entity_id: Some(used.credential.to_string()),
            limit: 1,
            ..ActivityQuery::default()
        };
        let last = self.store.activity(&last).await?.pop();
        if let Some(last) = last.as_ref().filter(|last| now < last.event.at.plus(TOLD_EVERY)) {
            return Ok(Told::Before(last.event.at));
        }
        // Of several servers that tell of it after the same last time, one does.
        let number = last.map_or(0, |last| last.number);
        let once = Once {
            key: format!("credential-reused:{}:{number}", used.credential),
            value: String::new(),
            expires: now.plus(TOLD_EVERY),
        };
        let changes = vec![Change::KeepOnce(once, now)];
        match self.store.commit(changes, vec![event(used, &account, now)]).await {
            Ok(_) => Ok(Told::Now),
            Err(error) if error.kind() == StoreErrorKind::Conflict => Ok(Told::Before(now)),
            Err(error) => Err(error),
        }
    }
}

/// When a superseded credential was told of.
enum Told {
    Now,
    Before(Timestamp),
}

fn event(used: &Use, account: &AccountRecord, now: Timestamp) -> Event {
    let origin = Origin { address: used.last.address.clone(), ..Origin::default() };
    let at = Moment { now, origin: &origin };
    let deed = Deed {
        by: ActorKind::ServiceAccount,
        credential: Some(used.credential.clone()),
        entity: EntityKind::Credential,
        id: used.credential.to_string(),
        name: account.user.clone(),
        namespace: Some(account.namespace.clone()),
        outcome: Outcome::Denied,
        before: String::new(),
        after: String::new(),
    };
    let detail = "another credential stands in its place".to_owned();
    Event {
        deed: Some(Box::new(deed)),
        detail,
        ..at.event(Verb::CredentialReused, account.machine_itself())
    }
}
