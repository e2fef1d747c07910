//! Writes what `tests/bench/run` asks: files of checks, each with its own host, cookies and credential; and
//! fills the store with the sessions and accounts that some of these credentials belong to.
#![expect(
    unreachable_pub,
    clippy::disallowed_methods,
    reason = "a measuring tool: it writes files, and exports nothing"
)]

mod records;
mod request;

use anyhow::{Context, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};
use lictor::clock::{Clock, SystemClock};
use lictor::time::Timestamp;
use lictor::token::{Claims, mint};
use records::Filling;
use request::{Asked, Credential};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

/// The host of `authenticate_service_url`.
const ISSUER: &str = "auth.localhost";
/// The namespace of accounts and of the routes they may reach.
const NAMESPACE: &str = "machines";
const HALF_A_DAY: Duration = Duration::from_hours(12);

/// Writes checks, or fills a store.
#[derive(Debug, Parser)]
struct Arguments {
    /// The configuration of the server that will be asked
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write checks, framed as gRPC frames messages, one after the other
    Write(Writing),
    /// Make accounts, with a credential each, and sessions. No server may be running
    Fill {
        #[arg(long, default_value_t = 0)]
        accounts: u64,
        #[arg(long, default_value_t = 0)]
        sessions: u64,
    },
}

#[derive(Debug, Args)]
struct Writing {
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Who asks
    #[arg(long, value_enum)]
    who: Who,
    /// So many checks, each with a credential of its own
    #[arg(long, default_value_t = 1)]
    count: u64,
    /// The number of the first credential
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// So many hosts are asked for in turn …
    #[arg(long, default_value_t = 1)]
    hosts: u64,
    /// … spread evenly over so many
    #[arg(long, default_value_t = 1)]
    of_hosts: u64,
    /// The cookies of the application are so long at least
    #[arg(long, default_value_t = 0)]
    cookie_bytes: usize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Who {
    /// Nobody that is known
    Nobody,
    /// Bob, by a token that says all of it; each token has an id of its own
    Token,
    /// An administrator, by a token that says they act as Bob
    Acting,
    /// Somebody who signed in: each number a person, and a session in the store
    Session,
    /// A service account of the store: each number one
    Machine,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { config, what } = Arguments::parse();
    let config = records::loaded(&config)?;
    match what {
        What::Write(writing) => write(&writing, config.identity.secret.bytes()),
        What::Fill { accounts, sessions } => {
            let namespace = |_| NAMESPACE.to_owned();
            records::fill(&config, Filling { accounts, sessions, namespace, host }).await
        }
    }
}

fn write(writing: &Writing, key: &[u8; 32]) -> anyhow::Result<()> {
    let spread = writing.of_hosts.checked_div(writing.hosts).unwrap_or_default();
    ensure!(spread > 0, "--hosts are some of --of-hosts");
    let now = SystemClock.now();
    let file = std::fs::File::create(&writing.to)
        .with_context(|| format!("write {}", writing.to.display()))?;
    let mut file = std::io::BufWriter::new(file);
    for number in writing.first..writing.first + writing.count {
        let route = number % writing.hosts * spread;
        let asked = Asked {
            host: host(route),
            route: format!("app-{route}"),
            credential: credential(writing.who, number, &host(route), key, now)?,
            cookie_bytes: writing.cookie_bytes,
        };
        file.write_all(&request::framed(&request::of_browser(&asked))?)?;
    }
    Ok(file.flush()?)
}

/// Of the route of this number. A session has a host of its own number.
fn host(number: u64) -> String {
    format!("app-{number}.localhost")
}

fn credential(
    who: Who,
    number: u64,
    host: &str,
    key: &[u8; 32],
    now: Timestamp,
) -> anyhow::Result<Credential> {
    Ok(match who {
        Who::Nobody => Credential::Nothing,
        Who::Token => Credential::Token(mint(&bob(number, host), key, now, HALF_A_DAY)),
        Who::Acting => Credential::Token(mint(&acting(number, host), key, now, HALF_A_DAY)),
        Who::Session => Credential::Handle(records::session(number, host, key, now).1),
        Who::Machine => Credential::Token(records::account(number, NAMESPACE, key)?.2),
    })
}

fn bob(number: u64, host: &str) -> Claims {
    Claims {
        issuer: ISSUER.to_owned(),
        audience: vec![host.to_owned()],
        subject: "bob".to_owned(),
        email: "bob@example.com".to_owned(),
        groups: vec!["engineering".to_owned(), "on-call".to_owned()],
        id: format!("bench-{number}"),
        ..Claims::default()
    }
}

fn acting(number: u64, host: &str) -> Claims {
    Claims {
        subject: "root".to_owned(),
        email: "root@example.com".to_owned(),
        groups: Vec::new(),
        impersonate_email: "bob@example.com".to_owned(),
        impersonate_groups: vec!["engineering".to_owned(), "on-call".to_owned()],
        ..bob(number, host)
    }
}
