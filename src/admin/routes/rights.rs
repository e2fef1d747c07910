//! Who may serve a host. SECURITY: whoever does decides who gets at what is behind it.

use super::overlap::{Overlaps, may_meet};
use crate::admin::world::World;
use crate::admin::{Actor, AdminError};
use crate::id::NamespaceId;
use crate::namespace::Role;
use crate::route::{HostPattern, Route};

impl World {
    /// Whether `by` may have this route on its host.
    pub(super) fn permit_hosts(&self, by: &Actor, route: &Route) -> Result<(), AdminError> {
        let Some(hosts) = route.from.host() else { return Ok(()) };
        let sign_in = self.settings().sign_in.as_ref();
        let sign_in = sign_in.and_then(|sign_in| sign_in.url.host_str());
        match (hosts, sign_in) {
            (HostPattern::Exact(name), Some(own)) if name == own => {
                let why = "people sign in at this host; choose another one";
                return Err(AdminError::Refused(why.to_owned()));
            }
            (HostPattern::Wildcard(_), Some(own))
                if may_meet(hosts, &HostPattern::Exact(own.to_owned())) =>
            {
                self.permit_global(by, Role::Manager)?;
            }
            (HostPattern::Exact(_) | HostPattern::Wildcard(_), _) => {}
        }
        let sight = self.sight(by);
        let others = Overlaps::new(self.catalog().table.routes(), true).of_hosts(hosts);
        for other in others.into_iter().filter(|other| other.id != route.id) {
            let theirs = sight.role(&other.namespace);
            if theirs < Some(Role::Manager) {
                let why = "a route in a namespace that you do not manage serves this host; choose another \
                    host, or ask somebody who manages both";
                return Err(AdminError::Refused(why.to_owned()));
            }
            // What is served there would be served by this one. Whoever may do more here than there would
            // make more of themselves.
            if theirs < sight.role(&route.namespace) {
                let why = format!(
                    "the route `{}` serves this host, and you may do less in its namespace than here; \
                     choose another host, or ask somebody who may do as much there",
                    other.id
                );
                return Err(AdminError::Refused(why));
            }
            self.permit_escape(by, &other.namespace, &route.namespace)?;
        }
        Ok(())
    }

    /// Whether `by` may take a route from one namespace to another.
    pub(super) fn permit_route_move(
        &self,
        by: &Actor,
        from: &NamespaceId,
        to: &NamespaceId,
    ) -> Result<(), AdminError> {
        self.permit_namespace(by, Role::Manager, to)?;
        let here = self.role(by, from);
        if let Some(more) = self.role(by, to).filter(|there| Some(*there) > here) {
            return Err(self.forbidden(more, from));
        }
        self.permit_escape(by, from, to)
    }

    /// Whether `by` may have something judged in one namespace that was judged in another. Enforced
    /// policies are made by admins, so only they take something out of their reach.
    fn permit_escape(
        &self,
        by: &Actor,
        from: &NamespaceId,
        to: &NamespaceId,
    ) -> Result<(), AdminError> {
        let to = self.tree().line(to);
        let left = self.tree().line(from).iter().filter(|id| !to.contains(id));
        for id in left.filter(|id| !self.enforced_in(id).is_empty()) {
            if self.role(by, id) < Some(Role::Admin) {
                return Err(self.forbidden(Role::Admin, id));
            }
        }
        Ok(())
    }
}
