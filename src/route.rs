//! Which route serves a host and a path, and what that route asks for.

mod consider;
mod from;
mod matcher;
mod paths;
mod ports;
mod shadow;
mod table;

pub use consider::{Considered, Verdict};
pub use from::{From, FromError, HostPattern};
pub use matcher::{PathMatch, PathMatchError};
pub use shadow::shadowed;
pub use table::{Found, Table};

use crate::assertion::RouteHeaders;
use crate::certificate::ClientAuthority;
use crate::document::Place;
use crate::id::{NamespaceId, RouteId};
use crate::namespace::Made;
use crate::policy::Policy;
use std::sync::Arc;

/// One route: what it matches, who may use it, and what is sent on.
#[derive(Clone, Debug)]
pub struct Route {
    pub id: RouteId,
    pub from: From,
    pub path: PathMatch,
    /// Service accounts of this namespace and of those above it may use it at all.
    pub namespace: NamespaceId,
    pub made: Made,
    /// Whether its id was written, and so stays what it is.
    pub named: bool,
    /// All evaluated as one.
    pub policies: Vec<Arc<Policy>>,
    /// Who vouches for clients: the route's own CA, else the global one. `None`: no certificate is judged.
    pub authority: Option<Arc<ClientAuthority>>,
    pub headers: RouteHeaders,
    /// Name the reasons on error pages.
    pub show_error_details: bool,
    /// A Model Context Protocol server stands behind it (`mcp.server`): bodies are read.
    pub mcp: bool,
    /// Where it is written.
    pub place: Place,
}
