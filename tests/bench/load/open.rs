//! An open loop: checks are sent when it is time, whether or not others were answered. A server that falls
//! behind makes all the checks wait that come meanwhile, and all of them are counted with their wait.

use crate::door::Door;
use crate::pace::Pace;
use crate::requests::Requests;
use crate::tally::Tally;
use anyhow::ensure;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How long answers are waited for after the last check was sent.
const PATIENCE: Duration = Duration::from_secs(10);
/// A client that is behind lets answers in after so many checks.
const IN_ONE_GO: u64 = 16;

/// When checks are sent: evenly, fixed before the first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    checks: u64,
    gap: Duration,
}

impl Schedule {
    /// # Errors
    /// A rate that is none, or more than ten million checks.
    pub(crate) fn new(rate: f64, lasting: Duration) -> anyhow::Result<Self> {
        ensure!(rate.is_normal() && rate > 0.0, "--rate is a number of checks a second");
        let gap = Duration::try_from_secs_f64(rate.recip())?;
        let checks = lasting.as_nanos().checked_div(gap.as_nanos()).unwrap_or(u128::MAX);
        ensure!((1..=10_000_000).contains(&checks), "{checks} checks are none or too many");
        Ok(Self { checks: u64::try_from(checks)?, gap })
    }

    fn due(&self, turn: u64) -> Duration {
        let nanoseconds = self.gap.as_nanos().saturating_mul(u128::from(turn));
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }
}

/// Asks on schedule, through the doors in turn, and waits a while for the last answers.
pub(crate) async fn run(
    doors: Vec<Door>,
    requests: Requests,
    schedule: Schedule,
) -> anyhow::Result<Tally> {
    let tally = Rc::new(RefCell::new(Tally::default()));
    let pace = Pace::new()?;
    let mut asked = JoinSet::new();
    let began = Instant::now();
    for (turn, door) in (0..schedule.checks).zip(doors.iter().cycle()) {
        let due = began + schedule.due(turn);
        pace.until(due).await?;
        let (door, tally, frame) = (door.clone(), Rc::clone(&tally), requests.at(turn));
        asked.spawn_local(async move {
            tally.borrow_mut().sent_late(due.elapsed())?;
            let answer = door.ask(frame).await;
            tally.borrow_mut().count(answer, due.elapsed())
        });
        if turn % IN_ONE_GO == 0 {
            tokio::task::yield_now().await;
        }
        while let Some(done) = asked.try_join_next() {
            done??;
        }
    }
    let last = async {
        while let Some(done) = asked.join_next().await {
            done??;
        }
        anyhow::Ok(())
    };
    match tokio::time::timeout(PATIENCE, last).await {
        Ok(done) => done?,
        Err(_) => tally.borrow_mut().unanswered = u64::try_from(asked.len())?,
    }
    let mut tally = tally.take();
    tally.took = began.elapsed();
    Ok(tally)
}
