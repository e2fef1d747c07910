//! The door: one call of `Check`. Snapshot, clock, decide, encode, record; no logic of its own.

use super::{decode, encode};
use crate::authorizer::{Answer, Authorizer, Unavailable, fault};
use crate::clock::{Clock, Stopwatch};
use crate::policy::DenyReason;
use crate::request::Request;
use crate::state::{Snapshot, State};
use crate::store::{RecordKey, SessionCache};
use crate::telemetry::{DecisionLine, Metrics, UsageBook};
use crate::time::Timestamp;
use envoy_types::pb::envoy::service::auth::v3::authorization_server::{
    Authorization, AuthorizationServer,
};
use envoy_types::pb::envoy::service::auth::v3::{CheckRequest, CheckResponse};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tonic::{Response, Status};

/// The full name of the gRPC service, as Envoy's health check asks for it.
pub const SERVICE_NAME: &str = "envoy.service.auth.v3.Authorization";

/// `FileDescriptorSet` of the service, for reflection.
pub fn descriptor_set() -> &'static [u8] {
    include_bytes!(concat!(env!("OUT_DIR"), "/ext_authz.binpb"))
}

/// Answers checks.
#[derive(Clone, Debug)]
pub struct CheckService {
    checker: Arc<Checker>,
}

/// What a check needs.
#[derive(Debug)]
pub struct Checker {
    pub state: Arc<State>,
    pub authorizer: Arc<Authorizer>,
    /// The sessions that `authorizer` reads, to look up what it has not seen; `None` where nobody signs
    /// in.
    pub sessions: Option<Arc<SessionCache>>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    pub usage: Arc<UsageBook>,
    pub log: DecisionLine,
}

/// How many sessions one check may ask for: it can carry several handles, each signed by us.
const LOOK_UPS: usize = 4;

/// `None` after a panic.
type Attempt = Option<Result<CheckResponse, Unavailable>>;

impl CheckService {
    pub fn new(checker: Checker) -> Self {
        Self { checker: Arc::new(checker) }
    }

    /// The tonic service.
    pub fn into_server(self) -> AuthorizationServer<Self> {
        AuthorizationServer::new(self)
    }
}

#[tonic::async_trait]
impl Authorization for CheckService {
    async fn check(
        &self,
        call: tonic::Request<CheckRequest>,
    ) -> Result<Response<CheckResponse>, Status> {
        let traceparent = call
            .metadata()
            .get("traceparent")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        self.checker.check(call.into_inner(), traceparent).await.map(Response::new)
    }
}

impl Checker {
    /// Answers one check. Waits only if it names a session that nobody has looked up yet.
    ///
    /// # Errors
    /// `UNAVAILABLE` if nothing could be decided; a refusal is never an error.
    pub async fn check(
        &self,
        check: CheckRequest,
        traceparent: Option<String>,
    ) -> Result<CheckResponse, Status> {
        let watch = Stopwatch::start();
        let snapshot = self.state.snapshot();
        let decoded = Self::guarded(|| decode(check, &snapshot.settings, traceparent));
        let Some(request) = decoded else {
            return Ok(self.fault(&snapshot, watch));
        };
        let mut left = LOOK_UPS;
        let mut attempt = self.attempt(&snapshot, &request, watch);
        while let Some(Err(Unavailable::Unseen(id))) = &attempt {
            let learnt = left > 0 && self.learn(id).await;
            left = left.saturating_sub(1);
            attempt = if learnt {
                self.attempt(&snapshot, &request, watch)
            } else {
                self.attempt_in_silence(&snapshot, &request, watch)
            };
        }
        match attempt {
            None => Ok(self.fault(&snapshot, watch)),
            Some(Ok(response)) => Ok(response),
            Some(Err(unavailable)) => {
                tracing::error!(error = %unavailable, "check not answered");
                self.metrics.unavailable();
                Err(Status::unavailable("not decided"))
            }
        }
    }

    async fn learn(&self, record: &RecordKey) -> bool {
        let Some(sessions) = &self.sessions else {
            return false;
        };
        let learnt = sessions.learn(record).await;
        if let Err(error) = &learnt {
            tracing::error!(%error, ?record, "a record cannot be looked up");
        }
        learnt.is_ok()
    }

    fn attempt(&self, snapshot: &Snapshot, request: &Request, watch: Stopwatch) -> Attempt {
        let decide = |now| self.authorizer.authorize(snapshot, request, now);
        self.decide(snapshot, request, watch, decide)
    }

    fn attempt_in_silence(
        &self,
        snapshot: &Snapshot,
        request: &Request,
        watch: Stopwatch,
    ) -> Attempt {
        let decide = |now| self.authorizer.authorize_in_silence(snapshot, request, now);
        self.decide(snapshot, request, watch, decide)
    }

    fn decide(
        &self,
        snapshot: &Snapshot,
        request: &Request,
        watch: Stopwatch,
        decide: impl FnOnce(Timestamp) -> Result<Answer, Unavailable>,
    ) -> Attempt {
        Self::guarded(|| {
            let now = self.clock.now();
            decide(now).map(|answer| self.finish(snapshot, request, answer, now, watch))
        })
    }

    /// INVARIANT: a panic is a refusal. Nothing that could be half done is shared with the next check.
    fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
        catch_unwind(AssertUnwindSafe(work)).ok()
    }

    fn fault(&self, snapshot: &Snapshot, watch: Stopwatch) -> CheckResponse {
        tracing::error!("a check failed for a fault of this program and was refused");
        let now = Timestamp::default();
        self.finish(snapshot, &Request::unknown(), fault(), now, watch)
    }

    fn finish(
        &self,
        snapshot: &Snapshot,
        request: &Request,
        answer: Answer,
        now: Timestamp,
        watch: Stopwatch,
    ) -> CheckResponse {
        let line = self.log.prepare(request, &answer.record);
        let denied = answer.record.denied.as_ref().map(DenyReason::code);
        if let (Some(outcome), Some(route)) = (answer.record.rehearsed(), &answer.record.route) {
            self.metrics.rehearsed(route.as_str(), outcome);
        }
        self.usage.note(request, &answer.record, now);
        let (response, status) = encode(request, answer, &snapshot.settings, now);
        let elapsed = watch.elapsed();
        self.metrics.checked(denied, elapsed);
        line.write(status, elapsed);
        response
    }
}
