//! A client that asks checks as Envoy does, few connections with many streams each, and says what was
//! answered and how long that took. `tests/bench/run` drives Lictor and the empty server with it.
//!
//! It shares the machine with what it measures, so it does little itself: requests are read before, answers
//! are looked at without being decoded, and all of it runs on one thread.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measuring tool: it reads files, takes times and prints"
)]

mod answer;
mod closed;
mod door;
mod open;
mod pace;
mod requests;
mod start;
mod tally;

use answer::Answer;
use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use door::Door;
use requests::Requests;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tally::Tally;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Asks checks and prints JSON: how many, how fast, answered how, within what time.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    how: How,
}

#[derive(Debug, Subcommand)]
enum How {
    /// As fast as answers come: each stream asks again when it was answered
    Closed {
        #[command(flatten)]
        target: Target,
        /// So many checks in all
        #[arg(long)]
        checks: u64,
        /// So many at once on each connection
        #[arg(long, default_value_t = 64)]
        streams: u64,
    },
    /// At a fixed rate, whatever is answered: times count from when a check was to be sent
    Open {
        #[command(flatten)]
        target: Target,
        /// Checks a second
        #[arg(long)]
        rate: f64,
        /// For so many seconds
        #[arg(long)]
        seconds: f64,
    },
    /// Start a server and ask until it answers rightly; end it then
    Start {
        #[command(flatten)]
        target: Target,
        /// The server and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}

#[derive(Debug, Args)]
struct Target {
    #[arg(long)]
    address: SocketAddr,
    /// Checks, framed as gRPC frames messages, one after the other; they are asked in turn
    #[arg(long, value_name = "FILE")]
    requests: PathBuf,
    /// gRPC code and HTTP status that every answer must have, such as `0 200`; others fail
    #[arg(long, value_name = "ANSWER")]
    expect: Option<Answer>,
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// The deadline to send with each check, as gRPC writes it, such as `500m`
    #[arg(long, value_name = "TIMEOUT")]
    grpc_timeout: Option<String>,
}

impl Target {
    fn requests(&self) -> anyhow::Result<Requests> {
        Requests::read(&self.requests)
    }

    async fn door(&self) -> anyhow::Result<Door> {
        Door::open(self.address, self.grpc_timeout.as_deref()).await
    }

    async fn doors(&self) -> anyhow::Result<Vec<Door>> {
        let mut doors = Vec::new();
        for _ in 0..self.connections.max(1) {
            doors.push(self.door().await?);
        }
        Ok(doors)
    }
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    let told = local.block_on(&runtime, run(Arguments::parse().how))?;
    println!("{told}");
    Ok(())
}

async fn run(how: How) -> anyhow::Result<serde_json::Value> {
    match how {
        How::Closed { target, checks, streams } => {
            let tally = closed::run(target.doors().await?, target.requests()?, checks, streams);
            told(&tally.await?, &target)
        }
        How::Open { target, rate, seconds } => {
            let seconds = Duration::try_from_secs_f64(seconds).context("--seconds")?;
            let schedule = open::Schedule::new(rate, seconds)?;
            let tally = open::run(target.doors().await?, target.requests()?, schedule);
            told(&tally.await?, &target)
        }
        How::Start { target, command } => start::run(&target, &command).await,
    }
}

/// # Errors
/// An answer that was not expected, or none.
fn told(tally: &Tally, target: &Target) -> anyhow::Result<serde_json::Value> {
    if let Some(expected) = target.expect {
        tally.held_to(expected)?;
    }
    Ok(tally.told())
}
