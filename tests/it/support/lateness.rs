//! How late a change takes effect elsewhere: from the end of the change to the last check that still
//! allows what it forbids, while checks go on without a pause.

use super::check::{allows, asking};
use super::house::House;
use async_trait::async_trait;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard};
use tonic::transport::Channel;

/// How often each thing is tried.
pub const TRIES: usize = 200;
/// Within this, another server on the same database has heard of a change.
pub const TARGET: Duration = Duration::from_millis(200);
/// Checks that ask for the same thing without a pause.
const LOAD: usize = 2;

/// Times are taken of one thing at once, as each load takes what processors there are.
pub async fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::const_new(());
    ONE.lock().await
}

/// Whoever answers checks.
#[async_trait]
pub trait Door: Send + Sync + 'static {
    /// Whether what is asked is allowed. Panics if nothing was decided.
    async fn lets(&self, asked: HttpRequest) -> bool;
}

#[async_trait]
impl Door for House {
    async fn lets(&self, asked: HttpRequest) -> bool {
        allows(&self.check(asked).await)
    }
}

/// A process of its own.
#[async_trait]
impl Door for AuthorizationClient<Channel> {
    async fn lets(&self, asked: HttpRequest) -> bool {
        let answer = self.clone().check(asking(asked)).await;
        allows(&answer.expect("an answer, never an error").into_inner())
    }
}

/// Checks without a pause and remembers when the last one was allowed, in microseconds.
async fn load<D: Door>(
    door: Arc<D>,
    asked: HttpRequest,
    since: Instant,
    stop: Arc<AtomicBool>,
    last: Arc<AtomicU64>,
) {
    while !stop.load(Ordering::SeqCst) {
        if door.lets(asked.clone()).await {
            let at = u64::try_from(since.elapsed().as_micros()).expect("a short time");
            last.fetch_max(at, Ordering::SeqCst);
        }
        tokio::task::yield_now().await;
    }
}

/// From the end of `change` to the end of the last check at `door` that still allows what is asked.
/// Waits until it is allowed before the change is made.
pub async fn late<D: Door>(
    door: &Arc<D>,
    asked: HttpRequest,
    change: impl Future<Output = ()>,
) -> Duration {
    let since = Instant::now();
    let (stop, last) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let checking = || {
        let (door, asked) = (Arc::clone(door), asked.clone());
        tokio::spawn(load(door, asked, since, Arc::clone(&stop), Arc::clone(&last)))
    };
    let loads: Vec<_> = (0..LOAD).map(|_| checking()).collect();
    while last.load(Ordering::SeqCst) == 0 {
        assert!(since.elapsed() < Duration::from_secs(20), "never allowed");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    change.await;
    let changed = since.elapsed();
    // Until it has been refused for a while.
    loop {
        let before = last.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(40)).await;
        let refused = !door.lets(asked.clone()).await;
        if refused && before == last.load(Ordering::SeqCst) {
            break;
        }
        assert!(since.elapsed() - changed < Duration::from_secs(20), "never refused");
    }
    stop.store(true, Ordering::SeqCst);
    for load in loads {
        load.await.expect("no panic");
    }
    Duration::from_micros(last.load(Ordering::SeqCst)).saturating_sub(changed)
}

/// Prints how late it was, and gives what 99 of 100 tries kept within.
#[expect(clippy::print_stdout, reason = "figures for whoever asks with --nocapture")]
pub fn told(what: &str, mut all: Vec<Duration>) -> Duration {
    all.sort();
    let at = |share: usize| all[(all.len() * share / 100).min(all.len() - 1)];
    println!(
        "{what}: {} tries, median {:?}, p99 {:?}, longest {:?}",
        all.len(),
        at(50),
        at(99),
        all[all.len() - 1]
    );
    at(99)
}
