//! Where people sign in, opened: the store, what is known of it, and what goes on in the background.

use crate::activity::ChainKey;
use crate::admin::Admin;
use crate::authorizer::Authorizer;
use crate::clock::Clock;
use crate::people::{Moment, People};
use crate::provider::{LocalUsers, Throttle, Turnstile};
use crate::secret::Secret;
use crate::session::Origin;
use crate::sign_in::Sealers;
use crate::state::{Provider, State};
use crate::store::{self, CacheLimits, SessionCache, StorageSettings, StoreError, Touch, follow};
use crate::tasks::Tasks;
use crate::telemetry::Metrics;
use crate::web::{Desk, Readiness, Site};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// Opens the store, and what is known of it.
pub(super) async fn open(
    storage: &StorageSettings,
    secret: &[u8; 32],
    tasks: &Tasks,
) -> Result<Arc<SessionCache>, StoreError> {
    let store = store::open(storage, ChainKey::derive(secret), tasks.clone()).await?;
    let limits = CacheLimits {
        lookup: storage.lookup_timeout,
        staleness: storage.max_staleness,
        ..CacheLimits::default()
    };
    Ok(Arc::new(SessionCache::new(store, limits)))
}

/// Everything that reads from the store and writes to it.
pub(super) fn furnish(
    cache: &Arc<SessionCache>,
    secret: &[u8; 32],
    (state, authorizer): (&Arc<State>, &Arc<Authorizer>),
) -> Result<Desk, StoreError> {
    let cache = Arc::clone(cache);
    let (state, authorizer) = (Arc::clone(state), Arc::clone(authorizer));
    Ok(Desk {
        admin: Admin::new(Arc::clone(&cache), state, authorizer, Secret::new(*secret)),
        people: People::new(Arc::clone(&cache)),
        cache,
        sealers: Sealers::derive(secret).map_err(StoreError::unavailable)?,
        chain: ChainKey::derive(secret),
        verified: Mutex::default(),
        throttle: Mutex::new(Throttle::default()),
        turnstile: Turnstile::default(),
    })
}

/// Follows the store until the server stops, and tells how that stands. Whoever waits for what is given
/// waits until the store was heard of for the first time.
pub(super) fn keep_in_touch(
    tasks: &Tasks,
    cache: Arc<SessionCache>,
    metrics: Arc<Metrics>,
    readiness: Readiness,
) -> impl Future<Output = ()> {
    let stopping = tasks.stopping();
    let heard = Arc::new(Notify::new());
    let first = Arc::clone(&heard);
    tasks.start(async move {
        let told = |touch: &Touch| {
            tell(touch, &metrics, &readiness);
            if !matches!(touch, Touch::Lost(_)) {
                heard.notify_one();
            }
        };
        tokio::select! {
            () = stopping => {}
            () = follow(&cache, told) => {}
        }
    });
    async move { first.notified().await }
}

/// How often what has expired is removed.
const SWEEP: Duration = Duration::from_mins(1);

/// Removes what has expired, until the server stops.
pub(super) fn keep_clean(tasks: &Tasks, cache: Arc<SessionCache>, clock: Arc<dyn Clock>) {
    let stopping = tasks.stopping();
    tasks.start(async move {
        let sweeping = async {
            loop {
                tokio::time::sleep(SWEEP).await;
                if let Err(error) = cache.store().sweep(clock.now()).await {
                    tracing::warn!(%error, "what has expired was not removed");
                }
            }
        };
        tokio::select! {
            () = stopping => {}
            () = sweeping => {}
        }
    });
}

fn tell(touch: &Touch, metrics: &Metrics, readiness: &Readiness) {
    match touch {
        Touch::Live => {
            tracing::info!("changes of the store are told as they are made");
            readiness.store_remark(None);
        }
        Touch::Asking(why) => {
            tracing::warn!(why, "the store tells no changes; they are asked for");
            readiness
                .store_remark(Some(format!("changes of the store are asked for, not told: {why}")));
        }
        Touch::Lost(why) => {
            tracing::error!(why, "the store does not answer");
            readiness.store_remark(Some(format!("the store does not answer: {why}")));
        }
    }
    metrics.store((matches!(touch, Touch::Live), !matches!(touch, Touch::Lost(_))));
}

/// How often providers are asked about sessions that are due.
const CONFIRM: Duration = Duration::from_secs(10);

/// Has sessions confirmed by those who vouch for people, until the server stops.
pub(super) fn keep_confirmed(site: &Arc<Site>) {
    let (stopping, site_kept) = (site.tasks.stopping(), Arc::clone(site));
    site.tasks.start(async move {
        let confirming = async {
            let mut compared = Compared::default();
            loop {
                tokio::time::sleep(CONFIRM).await;
                if let Err(error) = confirm(&site_kept, &mut compared).await {
                    tracing::warn!(%error, "sessions were not confirmed");
                }
            }
        };
        tokio::select! {
            () = stopping => {}
            () = confirming => {}
        }
    });
}

/// The users file that sessions were compared with, so that not every session is read all the time.
#[derive(Debug, Default)]
struct Compared {
    users: Option<Arc<LocalUsers>>,
    times: u32,
}

impl Compared {
    /// Somebody may sign in by the file as it was before while sessions are compared with the new one for the
    /// first time.
    const ENOUGH: u32 = 2;

    fn is_enough(&self, users: &Arc<LocalUsers>) -> bool {
        self.is_of(users) && self.times >= Self::ENOUGH
    }

    fn is_of(&self, users: &Arc<LocalUsers>) -> bool {
        self.users.as_ref().is_some_and(|compared| Arc::ptr_eq(compared, users))
    }

    /// All of them were compared.
    fn note(&mut self, users: &Arc<LocalUsers>) {
        self.times = if self.is_of(users) { self.times.saturating_add(1) } else { 1 };
        self.users = Some(Arc::clone(users));
    }
}

async fn confirm(site: &Site, compared: &mut Compared) -> Result<(), StoreError> {
    let snapshot = site.state.snapshot();
    let (Some(desk), Some(sign_in)) = (&site.desk, &snapshot.settings.sign_in) else {
        return Ok(());
    };
    let origin = Origin::default();
    let at = Moment { now: site.clock.now(), origin: &origin };
    match (&sign_in.provider, &sign_in.tokens) {
        (Some(Provider::Local(users)), _) if compared.is_enough(users) => Ok(()),
        (Some(Provider::Local(users)), _) => {
            desk.people.confirm_in_file(users, at).await?;
            compared.note(users);
            Ok(())
        }
        (Some(Provider::Oidc(provider)), Some(sealer)) => {
            desk.people.confirm_at_provider(provider, sealer, at).await
        }
        (Some(Provider::Oidc(_)), None) | (None, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::Compared;
    use crate::document::Problems;
    use crate::provider::LocalUsers;
    use std::sync::Arc;

    #[test]
    fn sessions_are_compared_twice_with_each_users_file() {
        let hash = "$argon2id$v=19$m=19456,t=2,p=1$CCHxQg6HxX6Sk/BWJ7BuBA$2EJN3ZB0U4UAWfQ7hbAS5D2m2gWTnEjKVPxnF2QrYMI";
        let file = format!("users: [{{id: ann, email: ann@example.com, password: '{hash}'}}]");
        let read = || {
            let users = LocalUsers::read(&file, "users.yaml", &mut Problems::default());
            Arc::new(users.expect("users"))
        };
        let (one, other) = (read(), read());
        let mut compared = Compared::default();
        for users in [&one, &other, &one] {
            assert!(!compared.is_enough(users), "another file");
            compared.note(users);
            assert!(!compared.is_enough(users), "a sign-in may have been under way");
            compared.note(users);
            assert!(compared.is_enough(users), "nothing can have changed");
        }
    }
}
