//! The composition root: configuration → bound listeners → a running server. Connects, and decides
//! nothing.

mod bind;
mod catalog;
mod desk;
mod directory;
mod grpc;
mod lost_lines;
mod reload;
mod usage;
mod watch;

pub use bind::{BindError, StartError};

use crate::api;
use crate::authorizer::Authorizer;
use crate::clock::Clock;
use crate::config::{Config, GrpcAddress};
use crate::console;
use crate::ext_authz::{CheckService, Checker, SERVICE_NAME, Services, descriptor_set};
use crate::state::{Snapshot, State};
use crate::tasks::Tasks;
use crate::telemetry::{DecisionLine, Log, Metrics, UsageBook};
use crate::web::{self, Readiness, Site};
use bind::GrpcListener;
use reload::{Kept, Reload};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::Signal;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// How long Envoy is given to see that we are leaving, before connections are closed.
const NOTICE: Duration = Duration::from_secs(1);
/// How long the store may stay silent before what needs no store is served without it.
const FIRST_TOUCH: Duration = Duration::from_secs(2);
/// How long checks under way are given to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server whose listeners are bound and which does not answer yet.
#[derive(Debug)]
pub struct App {
    grpc: GrpcListener,
    http: TcpListener,
    operator: Vec<(TcpListener, bool)>,
    service: CheckService,
    site: Arc<Site>,
    usage: Arc<UsageBook>,
    log: Log,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    reload: Reload,
    /// What the files held before they were used.
    seen: Vec<u8>,
    hangup: Signal,
    tasks: Tasks,
}

/// Where a server listens.
#[derive(Clone, Debug)]
pub struct Addresses {
    pub grpc: GrpcAddress,
    pub http: SocketAddr,
    pub metrics: Option<SocketAddr>,
}

impl App {
    /// Binds every listener and opens the store. What cannot be had keeps the server from starting. Decisions are
    /// written in no log.
    ///
    /// # Errors
    /// Which address, by which key, and why; or why there is no store.
    pub async fn bind(config: Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        Self::bind_with(config, clock, Log::default()).await
    }

    /// The same, with a log in which decisions are written.
    ///
    /// # Errors
    /// As [`App::bind`].
    pub async fn bind_with(
        config: Config,
        clock: Arc<dyn Clock>,
        log: Log,
    ) -> Result<Self, StartError> {
        let listen = config.listen.clone();
        let grpc = GrpcListener::bind(&listen.grpc).await?;
        let http = bind::tcp("http_address", listen.http).await?;
        let operator = bind::operator(&listen).await?;
        let hangup = bind::hangup()?;
        let metrics = Arc::new(Metrics::with_log(log.clone()));
        let seen = watch::fingerprint(&config.origin.files);
        let people = reload::directory(config.directory.as_deref()).unwrap_or_default();
        metrics.loaded(Some(people.len()));
        let line = DecisionLine::new(config.logging.fields.clone(), &log);
        let readiness = Readiness::default();
        let kept = Kept::of(&config);
        let tasks = Tasks::default();
        let secret = *config.identity.secret.bytes();
        let sessions = if config.keeps_records {
            Some(desk::open(&config.storage, &secret, &tasks).await?)
        } else {
            None
        };
        let state = Arc::new(State::new(Snapshot::assemble(config, people)));
        let reload = Reload::new(kept, Arc::clone(&state), Arc::clone(&metrics), readiness.clone());
        let authorizer = Arc::new(match &sessions {
            Some(sessions) => Authorizer::with_records(Arc::clone(sessions) as _),
            None => Authorizer::new(),
        });
        let furnish = |cache| desk::furnish(cache, &secret, (&state, &authorizer));
        let desk = sessions.as_ref().map(furnish).transpose()?;
        let usage = Arc::new(UsageBook::default());
        let checker = Checker {
            state: Arc::clone(&state),
            authorizer: Arc::clone(&authorizer),
            sessions,
            clock: Arc::clone(&clock),
            metrics: Arc::clone(&metrics),
            usage: Arc::clone(&usage),
            log: line,
        };
        let service = CheckService::new(checker, listen.most_checks);
        let site = Site { state, authorizer, clock, tasks: tasks.clone(), desk };
        Ok(Self {
            grpc,
            http,
            operator,
            service,
            site: Arc::new(site),
            usage,
            log,
            metrics,
            readiness,
            reload,
            seen,
            hangup,
            tasks,
        })
    }

    /// Where the listeners are, with the ports they were given.
    pub fn addresses(&self) -> Addresses {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        let metrics = self.operator.iter().find(|(_, metrics)| *metrics);
        Addresses {
            grpc: self.grpc.address(),
            http: self.http.local_addr().unwrap_or(unknown),
            metrics: metrics.and_then(|(listener, _)| listener.local_addr().ok()),
        }
    }

    /// What answers checks, to be asked without a wire.
    pub fn service(&self) -> CheckService {
        self.service.clone()
    }

    /// Serves until `shutdown` completes, then leaves without dropping a check: health turns to
    /// `NOT_SERVING`, connections get GOAWAY, checks under way end.
    ///
    /// # Errors
    /// A failure to serve at all.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), anyhow::Error> {
        let mut shutdown = pin!(shutdown);
        let readiness = self.readiness;
        let (health, health_service) = tonic_health::server::health_reporter();
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(descriptor_set())
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()?;
        let others = Routes::new(health_service).add_service(reflection);
        lost_lines::keep_told(&self.tasks, self.log);
        let services = Services { checks: self.service.clone(), others };
        for (listener, with_metrics) in self.operator {
            let pages = web::health(readiness.clone());
            let metrics = with_metrics.then(|| web::metrics(Arc::clone(&self.metrics)));
            serve_http(&self.tasks, listener, pages.merge(metrics.unwrap_or_default()));
        }
        let known = async {
            directory::first(&self.tasks, &self.site.state, &self.metrics).await;
            catalog::first(&self.site).await;
        };
        tokio::select! {
            () = known => {}
            () = &mut shutdown => {
                self.tasks.drain(PATIENCE).await;
                return Ok(());
            }
        }
        serve_http(&self.tasks, self.http, pages(&self.site));
        if let Some(desk) = &self.site.desk {
            let (cache, metrics) = (|| Arc::clone(&desk.cache), Arc::clone(&self.metrics));
            catalog::keep_read(&self.tasks, &self.site, readiness.clone());
            let heard = desk::keep_in_touch(&self.tasks, cache(), metrics, readiness.clone());
            // Until then every session and every machine would be answered with `UNAVAILABLE`.
            drop(tokio::time::timeout(FIRST_TOUCH, heard).await);
            usage::keep_written(&self.tasks, &self.site, &self.usage);
            desk::keep_confirmed(&self.site);
            desk::keep_clean(&self.tasks, cache(), Arc::clone(&self.site.clock));
        }
        let state = Arc::clone(&self.site.state);
        directory::keep_fetched(&self.tasks, state, self.metrics, readiness.clone());
        watch::start(&self.tasks, self.reload, self.seen, self.hangup)?;
        grpc::serve(&self.tasks, self.grpc, services);
        set_serving(&health, &readiness, true).await;
        shutdown.await;
        tracing::info!("stopping: no new checks");
        set_serving(&health, &readiness, false).await;
        tokio::time::sleep(NOTICE).await;
        if !self.tasks.drain(PATIENCE).await {
            tracing::warn!("stopped with checks still under way");
        }
        usage::write_last(&self.site, &self.usage).await;
        Ok(())
    }
}

/// Everything that is served over HTTP for people and programs.
pub fn pages(site: &Arc<Site>) -> axum::Router {
    web::public(Arc::clone(site)).merge(console::pages(site)).merge(api::router(site))
}

fn serve_http(tasks: &Tasks, listener: TcpListener, pages: axum::Router) {
    let stopping = tasks.stopping();
    tasks.start(async move {
        if let Err(error) = axum::serve(listener, pages).with_graceful_shutdown(stopping).await {
            tracing::error!(%error, "the HTTP listener failed");
        }
    });
}

async fn set_serving(health: &HealthReporter, readiness: &Readiness, serving: bool) {
    let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
    for service in ["", SERVICE_NAME] {
        health.set_service_status(service, status).await;
    }
    readiness.set(serving);
}
