//! Reads the directory file again when it changes. A file that cannot be used changes nothing.

use crate::config::load_directory;
use crate::state::State;
use crate::tasks::Tasks;
use crate::telemetry::Metrics;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Editors write a file in several steps; one reading afterwards is enough.
const SETTLE: Duration = Duration::from_millis(200);

/// A file, and what it held when it was loaded.
#[derive(Debug)]
pub(super) struct Watched {
    file: PathBuf,
    last: Option<Vec<u8>>,
}

impl Watched {
    /// To be called before the file is loaded, so that no change is missed.
    pub(super) fn before_loading(file: PathBuf) -> Self {
        Self { last: fingerprint(&file), file }
    }
}

/// Starts watching a file. The folder is watched, because editors and Kubernetes replace files.
pub(super) fn start(
    tasks: &Tasks,
    file: Watched,
    state: Arc<State>,
    metrics: Arc<Metrics>,
) -> Result<(), notify::Error> {
    let changed = Arc::new(Notify::new());
    let sender = Arc::clone(&changed);
    let mut watcher =
        notify::recommended_watcher(move |event: Result<notify::Event, notify::Error>| {
            if event.is_ok_and(|event| !event.kind.is_access()) {
                sender.notify_one();
            }
        })?;
    let folder = file
        .file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    let stopping = tasks.stopping();
    tasks.start(async move {
        tokio::select! {
            () = stopping => {}
            () = follow(&changed, file, &state, &metrics, watcher) => {}
        }
    });
    Ok(())
}

async fn follow(
    changed: &Notify,
    watched: Watched,
    state: &State,
    metrics: &Metrics,
    _watcher: RecommendedWatcher,
) {
    let Watched { file, mut last } = watched;
    loop {
        // Looks before it waits: the file may have changed since it was loaded.
        let current = fingerprint(&file);
        if current != last {
            last = current;
            reload(&file, state, metrics);
        }
        changed.notified().await;
        tokio::time::sleep(SETTLE).await;
    }
}

/// Changes when the file does: its content, hashed.
#[expect(clippy::disallowed_methods, reason = "watching is reading")]
fn fingerprint(file: &Path) -> Option<Vec<u8>> {
    let content = std::fs::read(file).ok()?;
    Some(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &content).as_ref().to_vec())
}

fn reload(file: &Path, state: &State, metrics: &Metrics) {
    match load_directory(file) {
        Ok(directory) => {
            let users = directory.len();
            state.replace_directory(directory);
            metrics.directory(Some(users));
            tracing::info!(file = %file.display(), users, "directory read");
        }
        Err(error) => {
            metrics.directory(None);
            tracing::error!(file = %file.display(), %error, "the directory cannot be used; the last good one stays");
        }
    }
}
