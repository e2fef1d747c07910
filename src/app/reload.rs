//! Reading the configuration again. Everything is compiled first; on any problem the last good
//! configuration stays whole, and the log, `/readyz` and a metric say so.

use crate::config::{Config, Listen, Logging, Origin, load_directory};
use crate::identity::Directory;
use crate::state::{Snapshot, State};
use crate::telemetry::Metrics;
use crate::web::Readiness;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is kept of a configuration that has become a snapshot.
#[derive(Debug)]
pub(super) struct Kept {
    origin: Origin,
    /// These take effect at the start only.
    listen: Listen,
    logging: Logging,
}

impl Kept {
    pub(super) fn of(config: &Config) -> Self {
        let (listen, logging) = (config.listen.clone(), config.logging.clone());
        Self { origin: config.origin.clone(), listen, logging }
    }
}

/// What a reading needs, and what it changes.
#[derive(Debug)]
pub(super) struct Reload {
    kept: Kept,
    state: Arc<State>,
    metrics: Arc<Metrics>,
    readiness: Readiness,
}

impl Reload {
    pub(super) fn new(
        kept: Kept,
        state: Arc<State>,
        metrics: Arc<Metrics>,
        readiness: Readiness,
    ) -> Self {
        Self { kept, state, metrics, readiness }
    }

    /// The files to watch.
    pub(super) fn files(&self) -> &[PathBuf] {
        &self.kept.origin.files
    }

    /// Reads everything again and puts it in force, or nothing.
    pub(super) fn run(&mut self) {
        match Config::load(&self.kept.origin.file, &self.kept.origin.environment) {
            Ok(config) => self.put_in_force(config),
            Err(problems) => {
                for problem in &problems {
                    tracing::error!("{problem}");
                }
                self.keep(problems.len());
            }
        }
    }

    fn put_in_force(&mut self, config: Config) {
        let directory = match directory(config.directory.as_deref()) {
            Ok(directory) => directory,
            Err(error) => {
                tracing::error!(%error, "the directory cannot be read");
                return self.keep(1);
            }
        };
        if self.kept.listen != config.listen || self.kept.logging != config.logging {
            tracing::warn!("addresses and logging take effect at the next start");
        }
        for notice in &config.notices {
            tracing::warn!("{notice}");
        }
        let (routes, people) = (config.routes.len(), directory.len());
        self.kept.origin.clone_from(&config.origin);
        self.state.replace(Snapshot::assemble(config, directory));
        self.metrics.loaded(Some(people));
        self.readiness.remark(None);
        tracing::info!(routes, people, "configuration read");
    }

    fn keep(&self, problems: usize) {
        let plural = if problems == 1 { "" } else { "s" };
        let file = self.kept.origin.file.display();
        let remark =
            format!("{file} has {problems} problem{plural}; the last good configuration stays");
        tracing::error!("{remark}");
        self.metrics.loaded(None);
        self.readiness.remark(Some(remark));
    }
}

/// The people of a directory file; nobody if there is none.
pub(super) fn directory(file: Option<&Path>) -> Result<Directory, String> {
    file.map_or_else(|| Ok(Directory::default()), load_directory)
}
