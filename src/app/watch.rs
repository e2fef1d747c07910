//! Notices when the configuration, or a file that it names, changes; and SIGHUP.

mod settle;

use super::reload::Reload;
use crate::tasks::Tasks;
use aws_lc_rs::digest::{Context, SHA256};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use settle::Settling;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::signal::unix::Signal;

/// Starts watching. `seen` is what the files held before they were used, so that no change in between
/// is missed.
pub(super) fn start(
    tasks: &Tasks,
    reload: Reload,
    seen: Vec<u8>,
    hangup: Signal,
) -> anyhow::Result<()> {
    let settling = Settling::default();
    let mut follower = Follower {
        tasks: tasks.clone(),
        reload,
        seen,
        notifier: notify::recommended_watcher(settling.listener())?,
        settling,
        folders: BTreeSet::new(),
        hangup,
    };
    follower.watch_folders()?;
    let stopping = tasks.stopping();
    tasks.start(async move {
        tokio::select! {
            () = stopping => {}
            () = follower.follow() => {}
        }
    });
    Ok(())
}

struct Follower {
    tasks: Tasks,
    reload: Reload,
    seen: Vec<u8>,
    notifier: RecommendedWatcher,
    settling: Settling,
    folders: BTreeSet<PathBuf>,
    hangup: Signal,
}

impl Follower {
    /// Watches folders, because editors and Kubernetes replace files.
    fn watch_folders(&mut self) -> Result<(), notify::Error> {
        let kept = Arc::clone(self.reload.kept());
        self.settling.name(kept.files());
        for file in kept.files() {
            let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new(".")).to_owned();
            if self.folders.insert(folder.clone()) {
                self.notifier.watch(&folder, RecursiveMode::NonRecursive)?;
            }
        }
        Ok(())
    }

    async fn follow(mut self) {
        loop {
            // Looks before it waits: a file may have changed since it was used.
            if self.look().await != self.seen {
                self.read().await;
            }
            tokio::select! {
                // A reading that failed may have missed a file that is not known by name yet.
                () = self.settling.settled() => {
                    if self.reload.failed() {
                        self.read().await;
                    }
                }
                _ = self.hangup.recv() => self.read().await,
            }
        }
    }

    /// What the files hold now.
    async fn look(&self) -> Vec<u8> {
        let kept = Arc::clone(self.reload.kept());
        let looked = self.tasks.compute(move || fingerprint(kept.files())).await;
        looked.unwrap_or_else(|| self.seen.clone())
    }

    /// Reads once, and once more if other files are named afterwards: whether these have changed since
    /// they were read, nobody knows.
    async fn read(&mut self) {
        loop {
            let before = Arc::clone(self.reload.kept());
            // Before reading, so that a change while reading is seen as one.
            self.seen = self.look().await;
            self.reload.run(&self.tasks).await;
            if self.reload.kept().files() == before.files() {
                break;
            }
        }
        if let Err(error) = self.watch_folders() {
            tracing::error!(%error, "a folder cannot be watched; send SIGHUP after a change");
        }
    }
}

/// Changes when one of the files does.
#[expect(clippy::disallowed_methods, reason = "watching is reading")]
pub(super) fn fingerprint(files: &[PathBuf]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    for file in files {
        let bytes = std::fs::read(file).unwrap_or_default();
        context.update(&bytes.len().to_be_bytes());
        context.update(&bytes);
    }
    context.finish().as_ref().to_vec()
}
