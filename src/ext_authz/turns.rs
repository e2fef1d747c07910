//! The turns of a connection's requests: who waits, who is refused, and who is answered next.

use crate::clock::Stopwatch;
use crate::tasks::Tasks;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Waker};
use std::time::Duration;

/// After so many turns the answers go out.
const TURNS: usize = 32;
/// Whoever still waits after this is given to the other threads.
const PATIENCE: Duration = Duration::from_millis(2);

type Turn = Pin<Box<dyn Future<Output = ()> + Send>>;

type Waiting = Mutex<Requests>;

/// Requests that were read.
#[derive(Default)]
struct Requests {
    /// They wait for their turn, each with how long it does.
    turns: VecDeque<(Stopwatch, Turn)>,
    /// There is no place for them, so that they cost little and are in nobody's way.
    refused: Vec<Turn>,
    /// Whether there is none for the one that comes next.
    is_refused: bool,
}

/// Requests of a connection that wait to be answered.
#[derive(Default)]
pub(super) struct Turns {
    waiting: Arc<Waiting>,
}

/// Where requests are put. INVARIANT: it holds no `Turns`. Each request holds one of these, and would keep itself
/// and its place for ever.
#[derive(Clone)]
pub(super) struct Queue(Weak<Waiting>);

impl Queue {
    /// Says of a request, before it is put here, whether it is refused.
    pub(super) fn next(&self, is_refused: bool) {
        if let Some(waiting) = self.0.upgrade() {
            lock(&waiting).is_refused = is_refused;
        }
    }
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Queue {
    fn execute(&self, turn: F) {
        if let Some(waiting) = self.0.upgrade() {
            let (mut requests, turn) = (lock(&waiting), Box::pin(turn));
            if std::mem::take(&mut requests.is_refused) {
                requests.refused.push(turn);
            } else {
                requests.turns.push_back((Stopwatch::start(), turn));
            }
        }
    }
}

fn lock(waiting: &Waiting) -> MutexGuard<'_, Requests> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Turns {
    /// Where their requests are put.
    pub(super) fn queue(&self) -> Queue {
        Queue(Arc::downgrade(&self.waiting))
    }

    /// Answers those who are refused, and says how many they were.
    pub(super) fn refuse(&self, tasks: &Tasks) -> usize {
        let refused = std::mem::take(&mut lock(&self.waiting).refused);
        let many = refused.len();
        for turn in refused {
            take(turn, tasks);
        }
        many
    }

    /// Gives some of those who wait their turn, and says whether anybody waited.
    pub(super) fn take(&self, tasks: &Tasks) -> bool {
        for taken in 0..TURNS {
            let Some((waits, turn)) = lock(&self.waiting).turns.pop_front() else {
                return taken > 0;
            };
            // Every other one, so that what is read and what is answered stay in step.
            if taken % 2 == 1 && waits.elapsed() > PATIENCE {
                tasks.start(turn);
            } else {
                take(turn, tasks);
            }
        }
        true
    }
}

/// Gives a request its turn. Who cannot be answered at once goes on as a task.
fn take(mut turn: Turn, tasks: &Tasks) {
    let mut nobody = Context::from_waker(Waker::noop());
    // A panic ends one request, as it would in a task of its own.
    let mut answer = || turn.as_mut().poll(&mut nobody).is_pending();
    if catch_unwind(AssertUnwindSafe(&mut answer)).unwrap_or_default() {
        tasks.start(turn);
    }
}
