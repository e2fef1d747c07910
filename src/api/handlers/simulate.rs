//! The simulator.

use super::{Handlers, ids, instant};
use crate::admin::{Actor, Principal, Simulation, Step, StepOutcome, Supposed};
use crate::api::error::{ApiError, Violation};
use crate::api::message as m;
use crate::api::message::simulate_request::Principal as Sent;
use crate::people::Moment;
use crate::secret::Secret;

/// Headers that a supposed request may have.
const MAX_HEADERS: usize = 100;

impl Handlers {
    pub async fn simulate(
        &self,
        by: &Actor,
        request: m::SimulateRequest,
        at: Moment<'_>,
    ) -> Result<m::Simulation, ApiError> {
        Ok(told(self.admin.simulate(by, supposed(request)?, at.now).await?))
    }
}

fn supposed(request: m::SimulateRequest) -> Result<Supposed, ApiError> {
    let principal = match request.principal {
        None => Principal::Anonymous,
        Some(Sent::UserId(id)) => Principal::User(id),
        Some(Sent::ServiceAccountId(id)) => Principal::Account(ids::account(&id)?),
        Some(Sent::Token(token)) => Principal::Token(Secret::new(token)),
    };
    let source_ip = match request.source_ip.as_str() {
        "" => None,
        text => {
            let wrong = || Violation::new("source_ip", "write an IP address");
            Some(text.parse().map_err(|_| wrong())?)
        }
    };
    if request.headers.len() > MAX_HEADERS {
        return Err(ApiError::field("headers", format!("write at most {MAX_HEADERS}")));
    }
    let method = if request.method.is_empty() { "GET".to_owned() } else { request.method };
    Ok(Supposed {
        principal,
        method,
        url: request.url,
        headers: request.headers.into_iter().map(|header| (header.name, header.value)).collect(),
        source_ip,
        time: instant("time", request.time)?,
        groups: request.groups.map(|groups| groups.ids),
    })
}

fn told(simulation: Simulation) -> m::Simulation {
    let headers = simulation.set_headers.into_iter();
    m::Simulation {
        allowed: simulation.allowed,
        reason: simulation.reason,
        status: u32::from(simulation.status),
        route_id: simulation.route.unwrap_or_default(),
        namespace_path: simulation.namespace_path,
        steps: simulation.steps.into_iter().map(step).collect(),
        set_headers: headers.map(|(name, value)| m::Header { name, value }).collect(),
        removed_headers: simulation.removed_headers,
    }
}

fn step(step: Step) -> m::SimulationStep {
    let outcome = match step.outcome {
        StepOutcome::Pass => "pass",
        StepOutcome::Fail => "fail",
        StepOutcome::Neutral => "neutral",
    };
    m::SimulationStep {
        depth: u32::from(step.depth),
        what: step.what,
        outcome: outcome.to_owned(),
        detail: step.detail,
        decisive: step.decisive,
    }
}
