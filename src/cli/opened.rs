//! Commands that read the store themselves, so that they need no running server.

use super::terminal::{Stop, Terminal};
use super::{Exit, block_on, check, report};
use crate::activity::ChainKey;
use crate::config::{Config, Environment, load_directory, read_directory};
use crate::identity::Directory;
use crate::provider::{DirectoryFetcher, DirectoryUrl, Fetched};
use crate::secret::Secret;
use crate::state::Snapshot;
use crate::store::{Store, StoreError, StoreErrorKind, open_existing};
use crate::tasks::Tasks;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Opens the store of a configuration, which is there already, for `work`.
pub(super) fn with_store(
    file: &Path,
    work: impl AsyncFnOnce(Arc<dyn Store>, ChainKey) -> Exit,
) -> Exit {
    let config = match load(file) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let chain = ChainKey::derive(config.identity.secret.bytes());
    block_on(async {
        match open_existing(&config.storage, chain.clone(), Tasks::default()).await {
            Ok(store) => work(store, chain).await,
            Err(error) => failed(&error),
        }
    })
}

/// What a command has to know of the people in a directory that is fetched from a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum People {
    /// Without them it would say something wrong.
    Needed,
    /// They make its answer better; it goes on without them.
    Welcome,
    /// Nothing.
    Unneeded,
}

/// Opens the store of a configuration for somebody who administers at the terminal.
pub(super) fn with_admin(
    file: &Path,
    people: People,
    work: impl AsyncFnOnce(&Terminal) -> Result<(), Stop>,
) -> Exit {
    let config = match load(file) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    block_on(async {
        let done = match opened(config, people).await {
            Ok(terminal) => work(&terminal).await,
            Err(stop) => Err(stop),
        };
        done.map_or_else(Stop::tell, |()| Exit::Ok)
    })
}

async fn opened(config: Config, people: People) -> Result<Terminal, Stop> {
    let secret = Secret::new(*config.identity.secret.bytes());
    let chain = ChainKey::derive(secret.expose());
    // Before anything is fetched: whoever has no store need not wait for people.
    let store = open_existing(&config.storage, chain, Tasks::default()).await?;
    let directory = match (&config.directory, &config.directory_url) {
        (Some(file), _) => load_directory(file).map_err(|why| unreadable(&why))?,
        (None, Some(url)) => fetched(url, people).await?,
        (None, None) => Directory::default(),
    };
    Terminal::open(Snapshot::assemble(config, directory), store, secret).await
}

/// How long a command waits for people that it can do without.
const PATIENCE: Duration = Duration::from_secs(5);

async fn fetched(url: &DirectoryUrl, people: People) -> Result<Directory, Stop> {
    match people {
        People::Needed => fetch(url).await.map_err(|why| unreadable(&why)),
        People::Welcome => {
            let fetched = tokio::time::timeout(PATIENCE, fetch(url)).await;
            let fetched = fetched.unwrap_or_else(|_| Err("it does not answer".to_owned()));
            Ok(fetched.unwrap_or_else(|why| {
                report::warning(&format!("the directory cannot be fetched: {why}"));
                Directory::default()
            }))
        }
        People::Unneeded => Ok(Directory::default()),
    }
}

async fn fetch(url: &DirectoryUrl) -> Result<Directory, String> {
    let fetched = DirectoryFetcher::new(url).fetch(None).await;
    match fetched.map_err(|error| error.to_string())? {
        Fetched::New(text, _) => read_directory(&text),
        Fetched::Same => Err("it says nothing".to_owned()),
    }
}

fn unreadable(why: &str) -> Stop {
    let message = format!("the directory cannot be read: {why}");
    Stop::said(message, "without it nobody knows who is there", Exit::Unavailable)
}

/// The configuration in `file`. Problems have been told.
fn load(file: &Path) -> Result<Config, Exit> {
    Config::load(file, &Environment::of_process()).map_err(|problems| {
        check::tell(&problems, file);
        Exit::Invalid
    })
}

pub(super) fn failed(error: &StoreError) -> Exit {
    match error.kind() {
        StoreErrorKind::Unavailable | StoreErrorKind::Conflict => {
            let help = "`storage` in the configuration says where it is; `lictor serve` makes it";
            report::error(&error.to_string(), Some(help));
            Exit::Unavailable
        }
        StoreErrorKind::Corrupt => {
            report::error(&error.to_string(), Some("compare the store with a backup"));
            Exit::Denied
        }
    }
}
