//! People and groups from a URL, fetched again and again; the last good ones stay.

use crate::config::read_directory;
use crate::identity::Directory;
use crate::provider::{DirectoryFetcher, DirectoryUrl, Etag, Fetched};
use crate::state::State;
use crate::tasks::Tasks;
use crate::telemetry::Metrics;
use crate::web::Readiness;
use std::sync::Arc;
use std::time::Duration;

/// How soon another URL in the configuration is noticed.
const STEP: Duration = Duration::from_secs(1);

/// Fetches what the configuration in force names, until the server stops.
pub(super) fn keep_fetched(
    tasks: &Tasks,
    state: Arc<State>,
    metrics: Arc<Metrics>,
    readiness: Readiness,
) {
    let stopping = tasks.stopping();
    let mut feed = Feed { tasks: tasks.clone(), state, metrics, readiness, current: None };
    tasks.start(async move {
        tokio::select! {
            () = stopping => {}
            () = feed.follow() => {}
        }
    });
}

/// Fetches the directory for the first time, as often as it takes: without it nobody would know who is
/// in which group. Gives up when the server is asked to stop.
pub(super) async fn first(tasks: &Tasks, state: &State, metrics: &Metrics) {
    let Some(url) = state.snapshot().settings.directory_url.clone() else {
        return;
    };
    let mut source = Source::new(url);
    loop {
        match source.fetch(tasks).await {
            Ok(directory) => {
                let directory = directory.unwrap_or_default();
                metrics.directory(directory.len());
                state.replace_directory(&Arc::new(directory));
                return;
            }
            Err(error) => {
                tracing::error!(error, "waiting for the directory before anything is served");
                tokio::time::sleep(STEP).await;
            }
        }
    }
}

struct Feed {
    tasks: Tasks,
    state: Arc<State>,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    current: Option<Source>,
}

struct Source {
    url: DirectoryUrl,
    fetcher: DirectoryFetcher,
    etag: Option<Etag>,
    /// Until it is asked again.
    left: Duration,
}

impl Feed {
    async fn follow(&mut self) {
        loop {
            let wanted = self.state.snapshot().settings.directory_url.clone();
            if self.current.as_ref().map(|source| &source.url) != wanted.as_ref() {
                self.current = wanted.map(Source::new);
                self.readiness.directory_remark(None);
            }
            if let Some(source) = &mut self.current {
                source.left = source.left.saturating_sub(STEP);
                if source.left.is_zero() {
                    source.left = source.url.refresh;
                    let fetched = source.fetch(&self.tasks).await;
                    self.take(fetched);
                }
            }
            tokio::time::sleep(STEP).await;
        }
    }

    fn take(&self, fetched: Result<Option<Directory>, String>) {
        match fetched {
            Ok(None) => self.readiness.directory_remark(None),
            Ok(Some(directory)) => {
                let people = directory.len();
                tracing::info!(people, "the directory was fetched");
                self.state.replace_directory(&Arc::new(directory));
                self.metrics.directory(people);
                self.readiness.directory_remark(None);
            }
            Err(error) => {
                tracing::error!(error, "the directory cannot be fetched");
                let remark =
                    format!("the directory cannot be fetched; the last good one stays: {error}");
                self.readiness.directory_remark(Some(remark));
            }
        }
    }
}

impl Source {
    fn new(url: DirectoryUrl) -> Self {
        Self { fetcher: DirectoryFetcher::new(&url), url, etag: None, left: Duration::ZERO }
    }

    /// The people of a new version; nothing if it is the same as before.
    async fn fetch(&mut self, tasks: &Tasks) -> Result<Option<Directory>, String> {
        let fetched = self.fetcher.fetch(self.etag.as_ref()).await;
        match fetched.map_err(|error| error.to_string())? {
            Fetched::Same => Ok(None),
            Fetched::New(text, etag) => {
                let read = tasks.compute(move || read_directory(&text)).await;
                let read = read.unwrap_or_else(|| Err("it could not be read".to_owned()))?;
                self.etag = etag;
                Ok(Some(read))
            }
        }
    }
}
