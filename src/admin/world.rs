//! What a verb is judged on: the tree and the roles in it, the rules, and who there is.

use super::{Actor, AdminError, What};
use crate::catalog::Catalog;
use crate::id::NamespaceId;
use crate::identity::{Directory, Surroundings};
use crate::namespace::{Reach, Role, Roles, Tree};
use crate::people::Moment;
use crate::service_account::{AccountRecord, AccountState};
use crate::session::FRESH;
use crate::state::{Compiled, Settings, Snapshot};
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// One state of everything, kept while a verb is done.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) snapshot: Arc<Snapshot>,
}

/// An account is about to expire when so little time is left.
const SOON: Duration = Duration::from_hours(14 * 24);

impl World {
    pub(super) fn settings(&self) -> &Settings {
        &self.snapshot.settings
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.snapshot.directory
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.catalog().tree
    }

    pub(super) fn catalog(&self) -> &Compiled {
        &self.snapshot.catalog
    }

    /// The catalog as the store has it.
    pub(super) fn stored(&self) -> &Catalog {
        &self.catalog().stored
    }

    /// Every route, by its id, and the namespace it is in.
    pub(super) fn routes(&self) -> impl Iterator<Item = (&str, &NamespaceId)> {
        let routes = self.catalog().table.routes();
        routes.map(|route| (route.id.as_str(), &route.namespace))
    }

    /// The names of enforced policies right in a namespace.
    pub(super) fn enforced_in(&self, id: &NamespaceId) -> Vec<&str> {
        let in_file = self.settings().policies.iter();
        let in_file = in_file.filter(|named| named.enforced && named.namespace == *id);
        let stored = self.stored().policies.iter();
        let stored = stored.filter(|policy| policy.enforced && policy.namespace == *id);
        let in_file = in_file.map(|named| named.policy.name.as_str());
        in_file.chain(stored.map(|policy| policy.name.as_str())).collect()
    }

    pub(super) fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            rules: &self.settings().impersonation,
            directory: self.directory(),
            blocked: &self.catalog().blocked,
        }
    }

    /// What `by` may do with something that is in `place`. What is in a namespace that is not there any
    /// more is a matter of Global.
    pub(super) fn role(&self, by: &Actor, place: &NamespaceId) -> Option<Role> {
        if self.tree().get(place).is_some() {
            by.role(self.tree(), place)
        } else {
            by.role(self.tree(), &NamespaceId::global())
        }
    }

    /// The same for many questions.
    pub(super) fn sight(&self, by: &Actor) -> Sight<'_> {
        Sight { tree: self.tree(), roles: self.tree().roles(by.reach()) }
    }

    /// # Errors
    /// `NotFound` for whoever may not know that it is there, `Forbidden` for whoever may only look.
    pub(super) fn permit(
        &self,
        by: &Actor,
        (role, place): (Role, &NamespaceId),
        what: What,
    ) -> Result<(), AdminError> {
        match self.role(by, place) {
            None => Err(AdminError::NotFound(what)),
            Some(has) if has < role => Err(self.forbidden(role, place)),
            Some(_) => Ok(()),
        }
    }

    pub(super) fn forbidden(&self, role: Role, place: &NamespaceId) -> AdminError {
        AdminError::Forbidden { role, place: format!("in {}", self.tree().path(place)) }
    }

    /// # Errors
    /// The namespace is not there, or not to be seen, or `role` is missing.
    pub(super) fn permit_namespace(
        &self,
        by: &Actor,
        role: Role,
        id: &NamespaceId,
    ) -> Result<(), AdminError> {
        self.tree().get(id).ok_or(AdminError::NotFound(What::Namespace))?;
        self.permit(by, (role, id), What::Namespace)
    }

    /// For what only administrators of everything do. Says the same to everybody else.
    ///
    /// # Errors
    /// `Forbidden`.
    pub(super) fn permit_global(&self, by: &Actor, role: Role) -> Result<(), AdminError> {
        let global = NamespaceId::global();
        if self.role(by, &global) >= Some(role) {
            Ok(())
        } else {
            Err(self.forbidden(role, &global))
        }
    }

    /// For what is for everybody with a role anywhere.
    ///
    /// # Errors
    /// `Forbidden`.
    pub(super) fn permit_anywhere(&self, by: &Actor) -> Result<(), AdminError> {
        self.permit_somewhere(by, Role::Viewer)
    }

    /// For what is for everybody with this role somewhere.
    ///
    /// # Errors
    /// `Forbidden`.
    pub(super) fn permit_somewhere(&self, by: &Actor, role: Role) -> Result<(), AdminError> {
        if self.tree().roles(by.reach()).highest() >= Some(role) {
            Ok(())
        } else {
            Err(AdminError::Forbidden { role, place: "in any namespace".to_owned() })
        }
    }

    /// The namespaces `by` may look into; `None` for whoever may look into all, those included that are
    /// not there any more.
    pub(super) fn seen(&self, by: &Actor) -> Option<BTreeSet<NamespaceId>> {
        let everywhere = self.role(by, &NamespaceId::global()).is_some();
        (!everywhere).then(|| self.tree().seen_by(by.reach()))
    }

    /// Those of a question for `namespace`, or for all that may be seen; `None` for all there are.
    ///
    /// # Errors
    /// It is not there, or not to be seen.
    pub(super) fn asked(
        &self,
        by: &Actor,
        namespace: Option<&NamespaceId>,
        depth: Depth,
    ) -> Result<Option<BTreeSet<NamespaceId>>, AdminError> {
        let Some(id) = namespace else {
            return Ok(self.seen(by));
        };
        self.permit_namespace(by, Role::Viewer, id)?;
        Ok(match depth {
            Depth::Alone => Some(BTreeSet::from([id.clone()])),
            Depth::WithBelow if id.is_global() => None,
            Depth::WithBelow => Some(self.tree().within(id)),
        })
    }

    /// Whether somebody else may do anything anywhere that `by` may not do there.
    pub(super) fn outranks(&self, other: &Reach, by: &Actor) -> bool {
        let mut theirs = self.tree().permissions().iter().filter(|given| other.is(&given.subject));
        let more = theirs.any(|given| self.role(by, &given.namespace) < Some(given.role));
        let everything = self.role(by, &NamespaceId::global()) == Some(Role::Admin);
        more || (other.everywhere && !everything)
    }

    /// How an account stands.
    pub(super) fn state(&self, record: &AccountRecord, now: Timestamp) -> AccountState {
        let left = |span: Duration| record.expires.is_some_and(|at| at <= now.plus(span));
        let around = self.surroundings();
        if record.deleted.is_some() {
            AccountState::Deleted
        } else if record.disabled.is_some() {
            AccountState::Disabled
        } else if left(Duration::ZERO) {
            AccountState::Expired
        } else if around.admits(record).is_err() || !around.permits_account(record) {
            AccountState::Suspended
        } else if left(SOON) {
            AccountState::Expiring
        } else {
            AccountState::Active
        }
    }
}

/// What somebody may see.
#[derive(Debug)]
pub(super) struct Sight<'w> {
    tree: &'w Tree,
    roles: Roles<'w>,
}

impl Sight<'_> {
    /// As [`World::role`].
    pub(super) fn role(&self, place: &NamespaceId) -> Option<Role> {
        if self.tree.get(place).is_some() {
            self.roles.role(place)
        } else {
            self.roles.role(&NamespaceId::global())
        }
    }

    pub(super) fn sees(&self, place: &NamespaceId) -> bool {
        self.role(place).is_some()
    }
}

/// How far a question about a namespace goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Alone,
    WithBelow,
}

impl Depth {
    pub(super) fn of(recursive: bool) -> Self {
        if recursive { Self::WithBelow } else { Self::Alone }
    }
}

/// # Errors
/// Whoever asks signed in too long ago for what only they themselves should do.
pub(super) fn is_fresh(by: &Actor, at: Moment<'_>) -> Result<(), AdminError> {
    let fresh = by.signed_in().is_none_or(|signed_in| at.now <= signed_in.plus(FRESH));
    if fresh { Ok(()) } else { Err(AdminError::NotFresh) }
}
