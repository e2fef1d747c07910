//! What an allowed request carries on: the signed assertion, identity headers, and the removal of
//! everything a client could have forged. Built only from a [`Grant`](crate::policy::Grant).

mod claims;
mod derived;
mod der;
mod headers;
mod key;
mod plan;
mod template;

pub use claims::IssuerFormat;
pub use headers::{ASSERTION_HEADER, ClaimHeader, HeaderNameError, mutable_header, safe_value};
pub use key::{Algorithm, KeyError, SigningKey, SigningKeys};
pub use plan::{HeaderPlan, Outgoing, PlanInput, RouteHeaders, plan, sign};
pub use template::Template;
