//! Refusals that are made ready before they are needed: for checks there is no room for or that a client has made
//! unreadable, and for when nothing else can be made any more. SECURITY: refusals, not errors of gRPC, which an Envoy
//! with `failure_mode_allow` lets through.

use super::encode::{self, PERMISSION_DENIED, UNAVAILABLE};
use super::refusal;
use crate::policy::DenyReason;
use std::sync::LazyLock;
use tonic::codegen::Bytes;

/// Why a check is refused of which nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prepared {
    /// There is no room for it: 503, and to try again in a second.
    Overloaded,
    /// A text in it is none, which an Envoy may pass on from a client: 400.
    Unreadable,
    /// It is longer than is read, as a client's body makes it: 413.
    TooLarge,
    /// For a fault of ours not even a refusal could be written for it: 500.
    Fault,
}

/// The answers, as they go out.
struct Answers {
    overloaded: Bytes,
    unreadable: Bytes,
    too_large: Bytes,
    fault: Bytes,
}

static ANSWERS: LazyLock<Answers> = LazyLock::new(|| Answers {
    overloaded: Prepared::Overloaded.write(),
    unreadable: Prepared::Unreadable.write(),
    too_large: Prepared::TooLarge.write(),
    fault: Prepared::Fault.write(),
});

impl Prepared {
    /// Makes all of them. Whoever did so has them without doing anything.
    pub(super) fn make() {
        LazyLock::force(&ANSWERS);
    }

    /// The reason, as metrics and Envoy's access log know it.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Overloaded => "overloaded",
            Self::Unreadable => "unreadable-request",
            Self::TooLarge => "request-too-large",
            Self::Fault => DenyReason::Fault.code(),
        }
    }

    /// The `CheckResponse`.
    pub(super) fn answer(self) -> Bytes {
        let answer = match self {
            Self::Overloaded => &ANSWERS.overloaded,
            Self::Unreadable => &ANSWERS.unreadable,
            Self::TooLarge => &ANSWERS.too_large,
            Self::Fault => &ANSWERS.fault,
        };
        answer.clone()
    }

    fn write(self) -> Bytes {
        let reason = self.reason();
        let denied = |status, title| {
            (PERMISSION_DENIED, refusal::bare(status, &format!("{title}: {reason}")))
        };
        let (code, http) = match self {
            Self::Overloaded => (UNAVAILABLE, refusal::busy()),
            Self::Unreadable => denied(400, "Bad Request"),
            Self::TooLarge => denied(413, "Content Too Large"),
            Self::Fault => denied(500, "Internal Server Error"),
        };
        encode::refusal(code, reason, &http)
    }
}
