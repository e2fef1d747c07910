//! How long a server takes from its start to the first right answer.

use crate::Target;
use crate::answer::Answer;
use crate::door::Door;
use anyhow::{Context, bail};
use bytes::Bytes;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(2);
/// Checks one after the other, of which the median is taken.
const WARM: usize = 200;

/// A process of ours that ends with this value.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts `command` and asks every two milliseconds until the answer is the expected one. Says when that
/// was, how long that first check took, and how long the same takes later; then ends the server.
pub(crate) async fn run(target: &Target, command: &[OsString]) -> anyhow::Result<Value> {
    let frame = target.requests()?.at(0);
    let expected = target.expect.context("--expect says what the right answer is")?;
    let (program, arguments) = command.split_first().context("a command")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let mut server = Started(command.spawn().context("cannot start the server")?);
    while began.elapsed() < PATIENCE {
        if let Some((door, answer, took)) = first(target, &frame).await
            && answer == expected
        {
            return told(&door, &frame, began.elapsed(), took).await;
        }
        if let Some(status) = server.0.try_wait()? {
            bail!("the server ended at once: {status}");
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!("never answered `{expected}`")
}

async fn first(target: &Target, frame: &Bytes) -> Option<(Door, Answer, Duration)> {
    let door = target.door().await.ok()?;
    let sent = Instant::now();
    let answer = door.ask(frame.clone()).await;
    Some((door, answer, sent.elapsed()))
}

async fn told(
    door: &Door,
    frame: &Bytes,
    ready: Duration,
    first: Duration,
) -> anyhow::Result<Value> {
    let mut warm = Vec::with_capacity(WARM);
    for _ in 0..WARM {
        let sent = Instant::now();
        door.ask(frame.clone()).await;
        warm.push(sent.elapsed());
    }
    warm.sort_unstable();
    let median = warm.get(WARM / 2).context("a time")?;
    let microseconds = |time: &Duration| time.as_secs_f64() * 1e6;
    Ok(json!({
        "ready_ms": ready.as_secs_f64() * 1e3,
        "first_us": microseconds(&first),
        "warm_us": microseconds(median),
    }))
}
