//! What service accounts did, written down every few seconds, and once more at the end.

use crate::activity::{ActorKind, Deed, EntityKind, Event, Outcome, Verb, Who};
use crate::clock::Clock;
use crate::id::CredentialId;
use crate::people::Moment;
use crate::session::Origin;
use crate::store::{Store, Use};
use crate::tasks::Tasks;
use crate::telemetry::{Noted, UsageBook};
use crate::time::Timestamp;
use crate::web::Site;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How late a use is written down, at most.
const EVERY: Duration = Duration::from_secs(5);
/// How often the same superseded credential is told of.
const TOLD_EVERY: Duration = Duration::from_hours(1);
/// So many credentials are remembered as told of.
const REMEMBERED: usize = 10_000;

struct Writer {
    book: Arc<UsageBook>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    told: HashMap<CredentialId, Timestamp>,
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
                () = tokio::time::sleep(EVERY) => writer.write().await,
            }
        }
    });
}

/// Writes what is left when the last check has ended.
pub(super) async fn write_last(site: &Site, book: &Arc<UsageBook>) {
    if let Some(mut writer) = Writer::new(site, book) {
        writer.write().await;
    }
}

impl Writer {
    fn new(site: &Site, book: &Arc<UsageBook>) -> Option<Self> {
        let store = Arc::clone(site.desk.as_ref()?.people.store());
        let clock = Arc::clone(&site.clock);
        Some(Self { book: Arc::clone(book), store, clock, told: HashMap::new() })
    }

    async fn write(&mut self) {
        let Noted { uses, reused, lost } = self.book.take();
        if lost > 0 {
            tracing::warn!(
                lost,
                "uses of service accounts were not written down: too many at once"
            );
        }
        if !uses.is_empty()
            && let Err(error) = self.store.note_uses(uses.clone()).await
        {
            tracing::warn!(%error, "uses of service accounts are not written down yet");
            self.book.put_back(uses);
        }
        for used in &reused {
            self.tell(used).await;
        }
    }

    /// SECURITY: whoever still shows a credential that was rotated away has missed the rotation, or has
    /// found the token somewhere.
    async fn tell(&mut self, used: &Use) {
        let now = self.clock.now();
        self.told.retain(|_, told| now < told.plus(TOLD_EVERY));
        if self.told.contains_key(&used.credential) || self.told.len() >= REMEMBERED {
            return;
        }
        tracing::warn!(credential = %used.credential, account = %used.account, address = used.last.address, "a superseded credential was used");
        let account = match self.store.account(&used.account).await {
            Ok(Some(account)) => account,
            Ok(None) => return,
            Err(error) => return tracing::warn!(%error, "an alert is not written down"),
        };
        let origin = Origin { address: used.last.address.clone(), ..Origin::default() };
        let at = Moment { now, origin: &origin };
        let who = Who { user: account.user.clone(), ..Who::default() };
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
        let event = at.event(Verb::CredentialReused, who);
        let event = Event { deed: Some(Box::new(deed)), detail, ..event };
        match self.store.commit(Vec::new(), vec![event]).await {
            Ok(_) => drop(self.told.insert(used.credential.clone(), now)),
            Err(error) => tracing::warn!(%error, "an alert is not written down"),
        }
    }
}
