//! What `tests/bench/scale` measures Lictor with: fills a store with accounts and sessions, asks a server
//! about many of them, and times what administrators ask of the store.
#![expect(
    unreachable_pub,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measuring tool: it takes times, prints, and exports nothing"
)]

mod records;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Request};
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest};
use lictor::admin::{AccountsWanted, Actor, Admin, AdminError};
use lictor::authorizer::Authorizer;
use lictor::clock::{Clock, SystemClock};
use lictor::config::Config;
use lictor::id::NamespaceId;
use lictor::identity::Directory;
use lictor::secret::Secret;
use lictor::state::{Snapshot, State};
use lictor::store::{AccountTally, CacheLimits, Filter, SessionCache, SortKey, Sorted};
use records::{Filling, account, loaded, opened, session};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tonic::transport::Channel;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Namespaces and routes of the configuration that the script writes: `team-0` … `team-9`, each with a
/// route of the same name.
const TEAMS: u64 = 10;

/// Fills a store, asks a server, times the verbs of administrators. Prints JSON.
#[derive(Debug, Parser)]
struct Arguments {
    /// The configuration of the server
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make accounts, with a credential each, and sessions
    Fill {
        #[arg(long)]
        accounts: u64,
        #[arg(long)]
        sessions: u64,
    },
    /// Ask about accounts, each with its own token
    Ask {
        #[arg(long)]
        address: SocketAddr,
        #[arg(long)]
        checks: u64,
        /// So many accounts take turns, spread over all that there are
        #[arg(long)]
        accounts: u64,
        #[arg(long)]
        of: u64,
        /// Ask about sessions instead
        #[arg(long)]
        sessions: bool,
        /// At most so many checks at once
        #[arg(long, default_value_t = 64)]
        at_once: u64,
    },
    /// Ask about one account until it is allowed, and print how long that took
    Await {
        #[arg(long)]
        address: SocketAddr,
    },
    /// Time lists, searches and tallies
    Verbs {
        #[arg(long, default_value_t = 20)]
        rounds: u32,
        #[arg(long)]
        accounts: u64,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { config, what } = Arguments::parse();
    let config = loaded(&config)?;
    let told = match what {
        What::Fill { accounts, sessions } => fill(&config, accounts, sessions).await?,
        What::Ask { address, checks, accounts, of, sessions, at_once } => {
            let asking = Asking {
                key: *config.identity.secret.bytes(),
                step: (of / accounts).max(1),
                accounts,
                sessions,
            };
            ask(address, asking, checks, at_once).await?
        }
        What::Await { address } => wait(address, *config.identity.secret.bytes()).await?,
        What::Verbs { rounds, accounts } => verbs(config, rounds, accounts).await?,
    };
    println!("{told}");
    Ok(())
}

async fn fill(config: &Config, accounts: u64, sessions: u64) -> anyhow::Result<Value> {
    let began = Instant::now();
    let filling = Filling { accounts, sessions, namespace: team, host };
    records::fill(config, filling).await?;
    Ok(json!({ "seconds": began.elapsed().as_secs_f64() }))
}

fn team(number: u64) -> String {
    format!("team-{}", number % TEAMS)
}

fn host(number: u64) -> String {
    format!("{}.localhost", team(number))
}

// --- what a server is asked

/// Whom checks are about.
#[derive(Clone, Copy)]
struct Asking {
    key: [u8; 32],
    step: u64,
    accounts: u64,
    sessions: bool,
}

impl Asking {
    fn check(self, turn: u64) -> anyhow::Result<CheckRequest> {
        let number = turn % self.accounts * self.step;
        let header = if self.sessions {
            let (_, handle) = session(number, &host(number), &self.key, SystemClock.now());
            ("cookie".to_owned(), format!("_pomerium={handle}"))
        } else {
            let (_, _, token) = account(number, &team(number), &self.key)?;
            ("x-pomerium-authorization".to_owned(), token)
        };
        let http = HttpRequest {
            method: "GET".to_owned(),
            scheme: "http".to_owned(),
            host: host(number),
            path: "/headers".to_owned(),
            protocol: "HTTP/1.1".to_owned(),
            headers: [header, ("user-agent".to_owned(), "curl/8.9.1".to_owned())].into(),
            ..HttpRequest::default()
        };
        let request = Request { http: Some(http), ..Request::default() };
        let attributes = AttributeContext { request: Some(request), ..Default::default() };
        Ok(CheckRequest { attributes: Some(attributes) })
    }
}

type Door = AuthorizationClient<Channel>;

/// Microseconds of one check, which must be allowed.
async fn one(door: &mut Door, check: CheckRequest) -> anyhow::Result<u64> {
    let began = Instant::now();
    let answer = door.check(check).await?.into_inner();
    let code = answer.status.as_ref().map(|status| status.code);
    if code != Some(0) {
        bail!("not allowed: {answer:?}");
    }
    Ok(u64::try_from(began.elapsed().as_micros())?)
}

async fn ask(
    address: SocketAddr,
    asking: Asking,
    checks: u64,
    at_once: u64,
) -> anyhow::Result<Value> {
    // Prepared before, so that nothing is signed while times are taken.
    let prepared: Result<Vec<_>, _> =
        (0..checks.min(asking.accounts)).map(|turn| asking.check(turn)).collect();
    let prepared = Arc::new(prepared?);
    let next = Arc::new(AtomicU64::new(0));
    let mut doors = Vec::new();
    for _ in 0..4 {
        doors.push(AuthorizationClient::connect(format!("http://{address}")).await?);
    }
    let began = Instant::now();
    let mut tasks = Vec::new();
    for (_, door) in (0..at_once).zip(doors.iter().cycle()) {
        let (mut door, prepared) = (door.clone(), Arc::clone(&prepared));
        let next = Arc::clone(&next);
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            loop {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                if turn >= checks {
                    return Ok::<_, anyhow::Error>(times);
                }
                let place = usize::try_from(turn)? % prepared.len();
                let check = prepared.get(place).context("a check")?.clone();
                times.push(one(&mut door, check).await?);
            }
        }));
    }
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let seconds = began.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).or(times.last()).copied();
    Ok(json!({
        "checks": times.len(), "seconds": seconds,
        "p50_us": at(50), "p95_us": at(95), "p99_us": at(99),
    }))
}

async fn wait(address: SocketAddr, key: [u8; 32]) -> anyhow::Result<Value> {
    let began = Instant::now();
    let asking = Asking { key, step: 1, accounts: 1, sessions: false };
    let check = asking.check(0)?;
    while began.elapsed() < Duration::from_mins(2) {
        if let Ok(mut door) = AuthorizationClient::connect(format!("http://{address}")).await
            && one(&mut door, check.clone()).await.is_ok()
        {
            return Ok(json!({ "seconds": began.elapsed().as_secs_f64() }));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    bail!("never allowed")
}

// --- what administrators ask

/// The 95th of a hundred, in milliseconds.
async fn timed<T>(
    rounds: u32,
    what: impl AsyncFn(u32) -> anyhow::Result<T>,
) -> anyhow::Result<f64> {
    let mut times = Vec::new();
    for round in 0..rounds {
        let began = Instant::now();
        what(round).await?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let at = usize::try_from(rounds)? * 95 / 100;
    times.get(at).or(times.last()).copied().context("a time")
}

async fn verbs(config: Config, rounds: u32, accounts: u64) -> anyhow::Result<Value> {
    let store = opened(&config).await?;
    let secret = Secret::new(*config.identity.secret.bytes());
    let cache = Arc::new(SessionCache::new(store, CacheLimits::default()));
    let state = Arc::new(State::new(Snapshot::assemble(config, Directory::default())));
    state.refresh(cache.store().as_ref()).await?;
    let admin = Admin::new(cache, state, Arc::new(Authorizer::new()), secret);
    let (by, now) = (Actor::terminal(), SystemClock.now());
    let page = AccountsWanted { limit: 50, recursive: true, ..AccountsWanted::default() };
    let sorted = |key, descending| vec![Sorted { key, descending }];
    let third = NamespaceId::parse("team-3");
    let exact = format!("build-bot-{:07}", accounts / 2);
    let asked = [
        ("list", page.clone()),
        (
            "list, last page",
            AccountsWanted {
                offset: usize::try_from(accounts.saturating_sub(50))?,
                ..page.clone()
            },
        ),
        (
            "list by user id",
            AccountsWanted { sorted: sorted(SortKey::User, false), ..page.clone() },
        ),
        (
            "list by last use",
            AccountsWanted { sorted: sorted(SortKey::Used, true), ..page.clone() },
        ),
        ("list of a namespace", AccountsWanted { namespace: third, ..page.clone() }),
        (
            "list of those never used",
            AccountsWanted { filter: Some(Filter::NeverUsed), ..page.clone() },
        ),
        ("search that finds one", AccountsWanted { text: exact, ..page.clone() }),
        ("search that finds all", AccountsWanted { text: "build".to_owned(), ..page.clone() }),
        ("search that finds none", AccountsWanted { text: "zzz".to_owned(), ..page }),
    ];
    let mut told = serde_json::Map::new();
    for (name, wanted) in asked {
        let ask = async |_| admin.accounts(&by, &wanted, now).await.map_err(|error| said(&error));
        told.insert(name.to_owned(), json!(timed(rounds, ask).await?));
    }
    let tally =
        async |_| -> anyhow::Result<AccountTally> { Ok(admin.store().tally(None, now).await?) };
    told.insert("how many stand how".to_owned(), json!(timed(rounds, tally).await?));
    let key = [0; 32];
    let look = async |round: u32| {
        let number = u64::from(round) * 7_919 % accounts;
        let (record, ..) = account(number, &team(number), &key)?;
        admin.account(&by, &record.id, now).await.map_err(|error| said(&error))
    };
    told.insert("one account".to_owned(), json!(timed(rounds.max(100), look).await?));
    Ok(Value::Object(told))
}

fn said(error: &AdminError) -> anyhow::Error {
    anyhow::anyhow!("{error}")
}
