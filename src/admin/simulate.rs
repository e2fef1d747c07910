//! What would be answered, and why: the evaluator that answers Envoy, asked by hand.

mod request;
mod steps;
mod who;

use super::fields::Fields;
use super::world::World;
use super::{Actor, Admin, AdminError, What};
use crate::authorizer::{self, Answer, Unavailable};
use crate::id::ServiceAccountId;
use crate::policy::Explanation;
use crate::request::Request;
use crate::secret::Secret;
use crate::store::StoreError;
use crate::time::Timestamp;
use steps::nothing_there;
use who::Asking;

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
    /// What the client would see; 200 if it is let through. Instead of 401 a browser is sent to sign in.
    pub status: u16,
    /// The id of the route, if one serves the request.
    pub route: Option<String>,
    pub namespace_path: String,
    /// In order.
    pub steps: Vec<Step>,
    /// Headers that would be set on the request; those that may hold a secret, and the assertion, by name
    /// only.
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

/// How often a record is looked up that a check would have to know.
const LOOKUPS: usize = 4;

impl Admin {
    /// For everybody with a role; whoever may not see the route or account gets what they would get for one
    /// that is not there. Asks the evaluator that answers Envoy, and writes nothing down.
    ///
    /// # Errors
    /// Something cannot be read as it was written; there is no such person or account; `by` has no role.
    pub async fn simulate(
        &self,
        by: &Actor,
        supposed: Supposed,
        now: Timestamp,
    ) -> Result<Simulation, AdminError> {
        let world = self.world();
        world.permit_anywhere(by)?;
        let now = supposed.time.unwrap_or(now);
        let mut fields = Fields::default();
        let request = request::read(&supposed, (world.settings(), now), &mut fields);
        fields.done()?;
        let Some(request) = request else { return Err(AdminError::NotFound(What::Route)) };
        let asking = self.asking((&world, by), &supposed, &request, now).await?;
        if !world.may_be_asked(&world.sight(by), &request) {
            return Ok(nothing_there(&asking));
        }
        let (answer, explanation) = self.explained(&world, &request, &asking, now).await?;
        Ok(world.told(by, &asking, (&answer, &explanation)))
    }

    /// The answer of a check. A record that nobody has seen is looked up, as the door does.
    async fn explained(
        &self,
        world: &World,
        request: &Request,
        asking: &Asking,
        now: Timestamp,
    ) -> Result<(Answer, Explanation), StoreError> {
        for _ in 0..LOOKUPS {
            let (caller, machine) = (asking.caller.clone(), asking.machine.clone());
            let supposed =
                authorizer::Supposed { caller, machine, ..authorizer::Supposed::default() };
            match self.authorizer.explain(&world.snapshot, request, &supposed, now) {
                Ok(answered) => return Ok(answered),
                Err(Unavailable::Unseen(key)) => {
                    self.cache.learn(&key).await.map_err(StoreError::unavailable)?;
                }
                Err(error) => return Err(StoreError::unavailable(error)),
            }
        }
        Err(StoreError::unavailable("the record keeps changing"))
    }
}
