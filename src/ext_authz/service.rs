//! The door: one call of `Check`. Snapshot, clock, decide, encode, record; no logic of its own.

use super::call::{self, Reply, Unread};
use super::decode;
use super::encode;
use super::gate::{Gate, Pass};
use super::prepared::Prepared;
use super::wire::WireError;
use crate::authorizer::{Answer, Authorizer, Unavailable, fault};
use crate::clock::{Clock, Stopwatch};
use crate::policy::DenyReason;
use crate::request::Request;
use crate::state::{Snapshot, State};
use crate::store::{RecordKey, SessionCache};
use crate::telemetry::{DecisionLine, Metrics, UsageBook};
use crate::time::Timestamp;
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use std::future::Future;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tonic::Status;
use tonic::codegen::Bytes;

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
    /// Who is being answered.
    gate: Arc<Gate>,
    /// Who waits for the store.
    waiting: Arc<Gate>,
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

type Attempt = Result<Bytes, Unavailable>;

impl CheckService {
    /// `most` checks may be under way at once, and as many wait for the store.
    pub fn new(checker: Checker, most: NonZeroUsize) -> Self {
        Prepared::make();
        let gate = || Arc::new(Gate::new(most));
        Self { checker: Arc::new(checker), gate: gate(), waiting: gate() }
    }

    /// What answers.
    pub fn checker(&self) -> &Checker {
        &self.checker
    }

    /// A place for a check, if one is free.
    pub(super) fn place(&self) -> Option<Pass> {
        enter(&self.gate)
    }

    /// Answers a call of `Check`, if it has a place. What is put aside for those who have to wait is small, because
    /// nearly nobody has to.
    pub(super) fn call(
        &self,
        request: http::Request<Incoming>,
        pass: Option<Pass>,
    ) -> impl Future<Output = http::Response<Reply>> + use<> {
        let service = self.clone();
        let patience = Patience(call::timeout(&request).map(|all| (Stopwatch::start(), all)));
        let traceparent = call::traceparent(&request);
        let body = request.into_body();
        async move {
            let answered = service.answer(pass, patience, traceparent, body);
            let answered = AssertUnwindSafe(answered).catch_unwind().await;
            answered.unwrap_or_else(|_| service.checker.refuse(Prepared::Fault))
        }
    }

    async fn answer(
        &self,
        pass: Option<Pass>,
        patience: Patience,
        traceparent: Option<String>,
        body: Incoming,
    ) -> http::Response<Reply> {
        let checker = &self.checker;
        let Some(mut pass) = pass else {
            call::hear_out(body).await;
            return checker.refuse(Prepared::Overloaded);
        };
        let mut message = pin!(call::message(body));
        let message = match message.as_mut().now_or_never() {
            Some(message) => message,
            None => {
                // Whoever lets us wait takes nobody's place.
                drop(pass);
                let message = message.await;
                pass = match enter(&self.gate) {
                    Some(pass) => pass,
                    None => return checker.refuse(Prepared::Overloaded),
                };
                message
            }
        };
        let known = match (patience.left(), message) {
            (Err(late), _) => Ok(Err(late)),
            (Ok(_), Ok(message)) => checker.answer_known(&message, traceparent),
            (Ok(_), Err(unread)) => Ok(checker.unread(unread)),
        };
        drop(pass);
        match known {
            Ok(answer) => call::answer(answer),
            Err(open) => Box::pin(self.wait(*open, patience)).await,
        }
    }

    /// Answers what has to wait for the store. SECURITY: those who do have places of their own, so that what needs no
    /// store is answered however many they are.
    async fn wait(&self, open: Open, patience: Patience) -> http::Response<Reply> {
        let Some(_place) = enter(&self.waiting) else {
            return self.checker.refuse(Prepared::Overloaded);
        };
        let asked = self.checker.look_up(open);
        let answer = match patience.left() {
            Err(late) => Err(late),
            Ok(None) => asked.await,
            Ok(Some(left)) => tokio::time::timeout(left, asked).await.unwrap_or(Err(late())),
        };
        call::answer(answer)
    }
}

/// A place inside. Whoever finds no words for that there is none lets nobody in.
fn enter(gate: &Arc<Gate>) -> Option<Pass> {
    guarded(|| gate.enter()).flatten()
}

/// INVARIANT: a panic is a refusal. Nothing that could be half done is shared with the next check.
fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// Since when a client waits, and how long it will; nothing without end.
#[derive(Clone, Copy, Debug)]
struct Patience(Option<(Stopwatch, Duration)>);

impl Patience {
    /// What is left; `None` without end.
    fn left(self) -> Result<Option<Duration>, Status> {
        let Some((since, all)) = self.0 else { return Ok(None) };
        all.checked_sub(since.elapsed()).map(Some).ok_or_else(late)
    }
}

fn late() -> Status {
    Status::deadline_exceeded("not decided in the time that the client gave")
}

/// A check that cannot be answered before something was looked up.
#[derive(Debug)]
pub(super) struct Open {
    snapshot: Arc<Snapshot>,
    request: Request,
    watch: Stopwatch,
    unseen: RecordKey,
}

impl Checker {
    fn refuse(&self, why: Prepared) -> http::Response<Reply> {
        call::answer(Ok(self.refused(why)))
    }

    /// Does not panic, whatever else does.
    fn refused(&self, why: Prepared) -> Bytes {
        guarded(|| self.metrics.refused(why.reason()));
        why.answer()
    }

    /// Answers one check: a `CheckRequest` as it came, by a `CheckResponse` as it goes. Waits only if it names
    /// a session that nobody has looked up yet.
    ///
    /// # Errors
    /// `UNAVAILABLE` if nothing could be decided, `INTERNAL` if it is no `CheckRequest`; a refusal is never
    /// an error, and a text in it that is none is refused.
    pub async fn answer(&self, check: &[u8], traceparent: Option<String>) -> Result<Bytes, Status> {
        match self.answer_known(check, traceparent) {
            Ok(answer) => answer,
            Err(open) => self.look_up(*open).await,
        }
    }

    /// The same, without waiting.
    ///
    /// # Errors
    /// What has to be looked up first.
    pub(super) fn answer_known(
        &self,
        check: &[u8],
        traceparent: Option<String>,
    ) -> Result<Result<Bytes, Status>, Box<Open>> {
        let watch = Stopwatch::start();
        guarded(|| self.read_and_attempt(check, traceparent, watch))
            .unwrap_or_else(|| Ok(Ok(self.fault(watch))))
    }

    fn read_and_attempt(
        &self,
        check: &[u8],
        traceparent: Option<String>,
        watch: Stopwatch,
    ) -> Result<Result<Bytes, Status>, Box<Open>> {
        let snapshot = self.state.snapshot();
        let request = match decode(check, &snapshot.settings, traceparent) {
            Err(error) => return Ok(self.undecoded(error)),
            Ok(request) => request,
        };
        match self.attempt(&snapshot, &request, watch) {
            Err(Unavailable::Unseen(unseen)) => {
                Err(Box::new(Open { snapshot, request, watch, unseen }))
            }
            attempt => Ok(self.outcome(attempt)),
        }
    }

    /// SECURITY: what a client makes Envoy send is refused; an error is for what only a caller that is no Envoy does.
    fn undecoded(&self, error: WireError) -> Result<Bytes, Status> {
        let refused = match error {
            WireError::NotText => true,
            WireError::CutOff
            | WireError::TooLong
            | WireError::UnknownKind
            | WireError::Mistyped
            | WireError::Repeated => false,
        };
        tracing::warn!(%error, refused, "a check cannot be read");
        if refused {
            return Ok(self.refused(Prepared::Unreadable));
        }
        self.metrics.unavailable();
        Err(Status::internal(format!("the check cannot be read: {error}")))
    }

    fn unread(&self, unread: Unread) -> Result<Bytes, Status> {
        match unread {
            Unread::TooLong => {
                tracing::warn!("a check is too long to be read, and was refused");
                Ok(self.refused(Prepared::TooLarge))
            }
            Unread::Broken(status) => {
                self.metrics.unavailable();
                Err(status)
            }
        }
    }

    /// Looks up what is missing, and answers.
    async fn look_up(&self, open: Open) -> Result<Bytes, Status> {
        let watch = open.watch;
        let answered = AssertUnwindSafe(self.learn_and_attempt(open)).catch_unwind().await;
        answered.unwrap_or_else(|_| Ok(self.fault(watch)))
    }

    async fn learn_and_attempt(&self, open: Open) -> Result<Bytes, Status> {
        let Open { snapshot, request, watch, unseen } = open;
        let mut attempt: Attempt = Err(Unavailable::Unseen(unseen));
        let mut left = LOOK_UPS;
        while let Err(Unavailable::Unseen(id)) = &attempt {
            let learnt = left > 0 && self.learn(id).await;
            left = left.saturating_sub(1);
            attempt = if learnt {
                self.attempt(&snapshot, &request, watch)
            } else {
                self.attempt_in_silence(&snapshot, &request, watch)
            };
        }
        self.outcome(attempt)
    }

    fn outcome(&self, attempt: Attempt) -> Result<Bytes, Status> {
        attempt.map_err(|unavailable| {
            self.metrics.unavailable();
            tracing::error!(error = %unavailable, "check not answered");
            Status::unavailable("not decided")
        })
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
        let now = self.clock.now();
        decide(now).map(|answer| self.finish(snapshot, request, &answer, now, watch))
    }

    /// Refuses after a panic; without a log line if writing it is what panics.
    fn fault(&self, watch: Stopwatch) -> Bytes {
        let refused = guarded(|| {
            tracing::error!("a check failed for a fault of this program and was refused");
            let (snapshot, now) = (self.state.snapshot(), Timestamp::default());
            self.finish(&snapshot, &Request::unknown(), &fault(), now, watch)
        });
        refused.unwrap_or_else(|| self.refused(Prepared::Fault))
    }

    fn finish(
        &self,
        snapshot: &Snapshot,
        request: &Request,
        answer: &Answer,
        now: Timestamp,
        watch: Stopwatch,
    ) -> Bytes {
        self.usage.note(request, &answer.record, now);
        let (response, status) = encode::encode(request, answer, &snapshot.settings, now);
        let elapsed = watch.elapsed();
        self.log.write(request, &answer.record, status, elapsed);
        // Last, so that a check is counted once whatever fails before.
        let denied = answer.record.denied.as_ref().map(DenyReason::code);
        if let (Some(outcome), Some(route)) = (answer.record.rehearsed(), &answer.record.route) {
            self.metrics.rehearsed(route.as_str(), outcome);
        }
        self.metrics.checked(denied, elapsed);
        response
    }
}
