//! Reading the configuration again. Everything is compiled first, where no check waits for it; on any
//! problem the last good configuration stays whole, and the log, `/readyz` and a metric say so.

use crate::config::{Config, Listen, Logging, Origin, load_directory};
use crate::identity::Directory;
use crate::state::{Snapshot, State};
use crate::store::StorageSettings;
use crate::tasks::Tasks;
use crate::telemetry::Metrics;
use crate::web::Readiness;
use aws_lc_rs::digest::{SHA256, digest};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Longer than any check takes.
const LAST_CHECKS: Duration = Duration::from_secs(1);

/// What is kept of a configuration that has become a snapshot.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    origin: Origin,
    /// These take effect at the start only.
    listen: Listen,
    logging: Logging,
    storage: StorageSettings,
    /// Whether people sign in here.
    signs_in: bool,
    /// Of the shared secret, to know another one when it comes.
    secret: [u8; 32],
}

/// What a reading needs, and what it changes.
#[derive(Debug)]
pub(super) struct Reload {
    kept: Arc<Kept>,
    state: Arc<State>,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    /// Whether what stands in the files is not in force.
    failed: bool,
}

/// A configuration that was read again, compiled.
struct Fresh {
    kept: Kept,
    snapshot: Snapshot,
    routes: usize,
    people: usize,
}

fn fingerprint_of(secret: &[u8; 32]) -> [u8; 32] {
    let hash = digest(&SHA256, secret);
    hash.as_ref().try_into().unwrap_or_default()
}

impl Kept {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            origin: config.origin.clone(),
            listen: config.listen.clone(),
            logging: config.logging.clone(),
            storage: config.storage.clone(),
            signs_in: config.sign_in.is_some(),
            secret: fingerprint_of(config.identity.secret.bytes()),
        }
    }

    /// The files to watch.
    pub(super) fn files(&self) -> &[PathBuf] {
        &self.origin.files
    }

    /// Reads and compiles everything. Tells every problem, and gives their number.
    fn read_again(&self) -> Result<Fresh, usize> {
        let config = Config::load(&self.origin.file, &self.origin.environment);
        let config = config.map_err(|problems| {
            for problem in &problems {
                tracing::error!("{problem}");
            }
            problems.len()
        })?;
        let people = directory(config.directory.as_deref()).map_err(|error| {
            tracing::error!(%error, "the directory cannot be read");
            1_usize
        })?;
        let kept = Self::of(&config);
        if self.listen != kept.listen || self.logging != kept.logging {
            tracing::warn!("addresses and logging take effect at the next start");
        }
        if self.storage != kept.storage || (kept.signs_in && !self.signs_in) {
            tracing::warn!(
                "`storage`, and the first `idp_provider`, take effect at the next start"
            );
        }
        if self.signs_in && self.secret != kept.secret {
            tracing::warn!(
                "another `shared_secret` takes effect for sign-ins and the activity log at the next start"
            );
        }
        for notice in &config.notices {
            tracing::warn!("{notice}");
        }
        let (routes, number) = (config.routes.len(), people.len());
        let snapshot = Snapshot::assemble(config, people);
        Ok(Fresh { kept, snapshot, routes, people: number })
    }
}

impl Reload {
    pub(super) fn new(
        kept: Kept,
        state: Arc<State>,
        metrics: Arc<Metrics>,
        readiness: Readiness,
    ) -> Self {
        Self { kept: Arc::new(kept), state, metrics, readiness, failed: false }
    }

    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    pub(super) fn kept(&self) -> &Arc<Kept> {
        &self.kept
    }

    /// Reads everything again and puts it in force, or nothing.
    pub(super) async fn run(&mut self, tasks: &Tasks) {
        let kept = Arc::clone(&self.kept);
        match tasks.compute(move || kept.read_again()).await {
            Some(Ok(fresh)) => self.put_in_force(fresh, tasks),
            Some(Err(1)) => self.keep("has 1 problem"),
            Some(Err(problems)) => self.keep(&format!("has {problems} problems")),
            None => self.keep("could not be read for a fault of this program"),
        }
    }

    fn put_in_force(&mut self, fresh: Fresh, tasks: &Tasks) {
        let Fresh { kept, snapshot, routes, people } = fresh;
        // What took effect at the start stays what a later reading is compared with.
        let Kept { listen, logging, storage, signs_in, secret, .. } = self.kept.as_ref().clone();
        self.kept = Arc::new(Kept { listen, logging, storage, signs_in, secret, ..kept });
        // Whoever is known stays known until the URL has answered.
        let before = self.state.snapshot();
        let fetched = snapshot.settings.directory_url.is_some();
        let (old, people) = if fetched {
            (self.state.replace_settings(&snapshot.settings), before.directory.len())
        } else {
            (self.state.replace(snapshot), people)
        };
        retire(old, tasks);
        self.metrics.loaded(Some(people));
        self.readiness.remark(None);
        self.failed = false;
        tracing::info!(routes, people, "configuration read");
    }

    fn keep(&mut self, why: &str) {
        self.failed = true;
        let file = self.kept.origin.file.display();
        let remark = format!("{file} {why}; the last good configuration stays");
        tracing::error!("{remark}");
        self.metrics.loaded(None);
        self.readiness.remark(Some(remark));
    }
}

/// Freeing a large snapshot takes long. It is kept until the checks under way have ended, so that
/// none of them is the one to free it.
fn retire(old: Arc<Snapshot>, tasks: &Tasks) {
    let (stopping, blocking) = (tasks.stopping(), tasks.clone());
    tasks.start(async move {
        tokio::select! {
            () = stopping => {}
            () = tokio::time::sleep(LAST_CHECKS) => {}
        }
        blocking.compute(move || drop(old)).await;
    });
}

/// The people of a directory file; nobody if there is none.
pub(super) fn directory(file: Option<&Path>) -> Result<Directory, String> {
    file.map_or_else(|| Ok(Directory::default()), load_directory)
}
