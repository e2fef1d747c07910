//! What would be answered, and why: the evaluator that answers Envoy, asked by hand.

use super::{Actor, Admin, AdminError};
use crate::id::ServiceAccountId;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::time::Timestamp;

/// A request that nobody sent.
#[derive(Debug)]
pub struct Supposed {
    pub principal: Principal,
    pub method: String,
    /// `https://HOST/PATH?QUERY`
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub source_ip: Option<std::net::IpAddr>,
    /// Instead of now.
    pub time: Option<Timestamp>,
    /// Instead of the groups of a person.
    pub groups: Option<Vec<String>>,
}

/// Who is supposed to send it.
#[derive(Debug)]
pub enum Principal {
    Anonymous,
    /// By user id.
    User(String),
    Account(ServiceAccountId),
    /// Whoever this token speaks for. Never written down anywhere.
    Token(Secret<String>),
}

/// The answer and the way to it.
#[derive(Clone, Debug, Default)]
pub struct Simulation {
    pub allowed: bool,
    /// `allowed`, or the code of the refusal.
    pub reason: String,
    /// What the client would see; 200 if it is let through.
    pub status: u16,
    /// The id of the route, if one serves the request.
    pub route: Option<String>,
    pub namespace_path: String,
    /// In order.
    pub steps: Vec<Step>,
    /// Headers that would be set on the request; the assertion by name only.
    pub set_headers: Vec<(String, String)>,
    pub removed_headers: Vec<String>,
}

/// One step: credential, account, namespace, enforced policies, own policies, criteria.
#[derive(Clone, Debug)]
pub struct Step {
    /// How deep it is below another one: 0, 1, 2.
    pub depth: u8,
    /// Such as `credential`, `namespace`, `policy everybody`, `allow/or`, `user is ci`.
    pub what: String,
    pub outcome: StepOutcome,
    /// A word or sentence: `credential-revoked`, what was seen, where it is written.
    pub detail: String,
    /// It decided.
    pub decisive: bool,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    Pass,
    Fail,
    /// Not looked at, or without weight.
    Neutral,
}

impl Admin {
    /// For viewers of the route's namespace; whoever may not see the account or route gets what they would
    /// get for one that is not there.
    pub async fn simulate(
        &self,
        _by: &Actor,
        _supposed: Supposed,
        _now: Timestamp,
    ) -> Result<Simulation, AdminError> {
        Err(AdminError::Unavailable(StoreError::unavailable("not made yet")))
    }
}
