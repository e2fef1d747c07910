//! `lictor serve`.

use super::{Exit, block_on, check, report};
use crate::app::App;
use crate::clock::SystemClock;
use crate::config::{Config, Environment};
use crate::tasks;
use crate::telemetry::{self, Log};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// Example: `lictor serve --config lictor.yaml`
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor serve --config lictor.yaml")]
pub(super) struct Serve {
    /// The configuration
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,
}

impl Serve {
    pub(super) fn run(&self) -> Exit {
        // The library gathers randomness when it first needs some, for longer than all else takes that a first
        // check waits for.
        tasks::ahead(|| aws_lc_rs::rand::fill(&mut [0]).unwrap_or_default());
        match Config::load(&self.config, &Environment::of_process()) {
            Ok(config) => {
                // Held until the end, so that the last lines are written.
                let (log, _writing) = telemetry::install(&config.logging);
                for notice in &config.notices {
                    tracing::warn!("{notice}");
                }
                block_on(serve(config, log))
            }
            Err(problems) => {
                check::tell(&problems, &self.config);
                Exit::Invalid
            }
        }
    }
}

async fn serve(config: Config, log: Log) -> Exit {
    let app = match App::bind_with(config, Arc::new(SystemClock), log).await {
        Ok(app) => app,
        Err(error) => {
            report::error(&error.to_string(), Some(&error.help()));
            return Exit::Unavailable;
        }
    };
    let at = app.addresses();
    let metrics = at.metrics.map(|address| address.to_string());
    tracing::info!(grpc = %at.grpc, http = %at.http, metrics, version = env!("CARGO_PKG_VERSION"), "serving");
    match app.run(stop_signal()).await {
        Ok(()) => Exit::Ok,
        Err(error) => {
            report::error(&error.to_string(), None);
            Exit::Failure
        }
    }
}

/// Completes on SIGTERM or SIGINT.
pub(super) async fn stop_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
