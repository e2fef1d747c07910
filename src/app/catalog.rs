//! Namespaces, policies and routes of the store: read before anything is served, and again whenever
//! they may have changed. What was read last stays while the store does not answer.

use crate::state::State;
use crate::store::SessionCache;
use crate::tasks::Tasks;
use crate::web::{Readiness, Site};
use std::sync::Arc;
use std::time::Duration;

/// How soon a reading that failed begins again.
const RETRY: Duration = Duration::from_millis(500);

/// Reads for the first time, as often as it takes: without its policies somebody could be let in whom one
/// of them keeps out.
pub(super) async fn first(site: &Site) {
    let Some(desk) = &site.desk else {
        return;
    };
    while let Err(error) = site.state.refresh(desk.people.store().as_ref()).await {
        tracing::error!(%error, "waiting for the store before anything is served");
        tokio::time::sleep(RETRY).await;
    }
}

/// Reads whenever something may have changed, until the server stops.
pub(super) fn keep_read(tasks: &Tasks, site: &Arc<Site>, readiness: Readiness) {
    let Some(desk) = &site.desk else {
        return;
    };
    let stopping = tasks.stopping();
    let mut changes = desk.cache.catalog_changes();
    let (state, cache) = (Arc::clone(&site.state), Arc::clone(&desk.cache));
    tasks.start(async move {
        let following = async {
            while changes.changed().await.is_ok() {
                read(&state, &cache, &readiness).await;
            }
        };
        tokio::select! {
            () = stopping => {}
            () = following => {}
        }
    });
}

async fn read(state: &State, cache: &SessionCache, readiness: &Readiness) {
    while let Err(error) = state.refresh(cache.store().as_ref()).await {
        cache.catalog_is_unread(true);
        tracing::error!(%error, "namespaces, policies and routes of the store cannot be read");
        let remark = format!("what is kept in the store cannot be read; the last stays: {error}");
        readiness.catalog_remark(Some(remark));
        tokio::time::sleep(RETRY).await;
    }
    cache.catalog_is_unread(false);
    let broken = &state.snapshot().catalog.broken;
    for (id, why) in broken {
        tracing::error!(id, why, "does not compile; what depends on it refuses everybody");
    }
    let names: Vec<&str> = broken.keys().map(String::as_str).collect();
    let remark = || format!("these do not compile and refuse everybody: {}", names.join(", "));
    readiness.catalog_remark((!names.is_empty()).then(remark));
}
