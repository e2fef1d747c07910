//! The door: one call of `Check`. Snapshot, clock, decide, encode, record; no logic of its own.

use super::{decode, encode};
use crate::authorizer::{Answer, Authorizer, fault};
use crate::clock::{Clock, Stopwatch};
use crate::policy::DenyReason;
use crate::request::Request;
use crate::state::{Snapshot, State};
use crate::telemetry::{DecisionLine, Metrics};
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
    pub authorizer: Authorizer,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    pub log: DecisionLine,
}

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
        self.checker.check(call.into_inner(), traceparent).map(Response::new)
    }
}

impl Checker {
    /// Answers one check.
    ///
    /// # Errors
    /// `UNAVAILABLE` if nothing could be decided; a refusal is never an error.
    pub fn check(
        &self,
        check: CheckRequest,
        traceparent: Option<String>,
    ) -> Result<CheckResponse, Status> {
        let watch = Stopwatch::start();
        let snapshot = self.state.snapshot();
        // INVARIANT: a panic is a refusal. Nothing that could be half done is shared with the next check.
        let decided =
            catch_unwind(AssertUnwindSafe(|| self.decide(&snapshot, check, traceparent, watch)));
        decided.unwrap_or_else(|_| Ok(self.fault(&snapshot, watch)))
    }

    fn decide(
        &self,
        snapshot: &Snapshot,
        check: CheckRequest,
        traceparent: Option<String>,
        watch: Stopwatch,
    ) -> Result<CheckResponse, Status> {
        let request = decode(check, &snapshot.settings, traceparent);
        let now = self.clock.now();
        match self.authorizer.authorize(snapshot, &request, now) {
            Ok(answer) => Ok(self.finish(snapshot, &request, answer, now, watch)),
            Err(unavailable) => {
                tracing::error!(error = %unavailable, "check not answered");
                self.metrics.unavailable();
                Err(Status::unavailable("not decided"))
            }
        }
    }

    fn fault(&self, snapshot: &Snapshot, watch: Stopwatch) -> CheckResponse {
        tracing::error!("a check failed for a fault of this program and was refused");
        let now = crate::time::Timestamp::default();
        self.finish(snapshot, &Request::unknown(), fault(), now, watch)
    }

    fn finish(
        &self,
        snapshot: &Snapshot,
        request: &Request,
        answer: Answer,
        now: crate::time::Timestamp,
        watch: Stopwatch,
    ) -> CheckResponse {
        let line = self.log.prepare(request, &answer.record);
        let denied = answer.record.denied.as_ref().map(DenyReason::code);
        if let (Some(outcome), Some(route)) = (answer.record.rehearsed(), &answer.record.route) {
            self.metrics.rehearsed(route.as_str(), outcome);
        }
        let (response, status) = encode(request, answer, &snapshot.settings, now);
        let elapsed = watch.elapsed();
        self.metrics.checked(denied, elapsed);
        line.write(status, elapsed);
        response
    }
}
