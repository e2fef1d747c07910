//! Commands that read the store themselves, so that they need no running server.

use super::{Exit, block_on, check, report};
use crate::activity::ChainKey;
use crate::config::{Config, Environment};
use crate::store::{Store, StoreError, StoreErrorKind, open_existing};
use crate::tasks::Tasks;
use std::path::Path;
use std::sync::Arc;

/// Opens the store of a configuration, which is there already, for `work`.
pub(super) fn with_store(
    file: &Path,
    work: impl AsyncFnOnce(Arc<dyn Store>, ChainKey) -> Exit,
) -> Exit {
    let config = match Config::load(file, &Environment::of_process()) {
        Ok(config) => config,
        Err(problems) => {
            check::tell(&problems, file);
            return Exit::Invalid;
        }
    };
    let chain = ChainKey::derive(config.identity.secret.bytes());
    block_on(async {
        match open_existing(&config.storage, chain.clone(), Tasks::default()).await {
            Ok(store) => work(store, chain).await,
            Err(error) => failed(&error),
        }
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
