//! A closed loop: each stream waits for its answer before it asks again.

use crate::door::Door;
use crate::requests::Requests;
use crate::tally::Tally;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;
use tokio::task::JoinSet;

/// Asks `checks` checks in all, `streams` at once through each door.
pub(crate) async fn run(
    doors: Vec<Door>,
    requests: Requests,
    checks: u64,
    streams: u64,
) -> anyhow::Result<Tally> {
    let (requests, next) = (Rc::new(requests), Rc::new(Cell::new(0)));
    let tally = Rc::new(RefCell::new(Tally::default()));
    let began = Instant::now();
    let mut asking = JoinSet::new();
    for _ in 0..streams.max(1) {
        for door in &doors {
            let (door, requests, next) = (door.clone(), Rc::clone(&requests), Rc::clone(&next));
            let tally = Rc::clone(&tally);
            asking.spawn_local(async move {
                loop {
                    let turn = next.get();
                    if turn >= checks {
                        return anyhow::Ok(());
                    }
                    next.set(turn + 1);
                    let sent = Instant::now();
                    let answer = door.ask(requests.at(turn)).await;
                    tally.borrow_mut().count(answer, sent.elapsed())?;
                }
            });
        }
    }
    while let Some(done) = asking.join_next().await {
        done??;
    }
    let mut tally = tally.take();
    tally.took = began.elapsed();
    Ok(tally)
}
