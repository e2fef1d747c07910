//! Moving a namespace: who may, and what comes of it. SECURITY: with its place a namespace changes who
//! decides about it, which rules count in it, and which machines reach into it.

use super::change::{IN_FILE, too_deep};
use super::{MovePreview, NamespaceEdit};
use crate::admin::world::World;
use crate::admin::{Actor, Admin, AdminError, What};
use crate::id::NamespaceId;
use crate::namespace::{LifetimeRules, MAX_DEPTH, Made, NamespaceRecord, Role, Tree};
use crate::store::StoreError;
use std::collections::BTreeSet;

/// What is above a namespace before and after a move, and not both.
struct Ways {
    left: Vec<NamespaceId>,
    joined: Vec<NamespaceId>,
}

impl Ways {
    fn between(tree: &Tree, before: &NamespaceRecord, parent: &NamespaceId) -> Self {
        let old = before.parent.as_ref().map(|parent| tree.line(parent)).unwrap_or_default();
        let new = tree.line(parent);
        let without = |one: &[NamespaceId], other: &[NamespaceId]| {
            one.iter().filter(|id| !other.contains(id)).cloned().collect()
        };
        Self { left: without(old, new), joined: without(new, old) }
    }
}

impl World {
    /// Whether `by` may move a namespace there, and whether it can be moved there.
    pub(super) fn permit_move(
        &self,
        by: &Actor,
        before: &NamespaceRecord,
        after: &NamespaceRecord,
    ) -> Result<(), AdminError> {
        let (Some(old), Some(parent)) = (&before.parent, &after.parent) else {
            return Err(AdminError::Refused("Global stays where it is".to_owned()));
        };
        self.permit_namespace(by, Role::Manager, parent)?;
        self.permit_namespace(by, Role::Manager, &before.id)?;
        if self.role(by, old) < Some(Role::Manager) {
            return Err(self.forbidden(Role::Manager, old));
        }
        let ways = Ways::between(self.tree(), before, parent);
        let ruling = |id: &&NamespaceId| {
            let rules = self.tree().get(id).map(|record| record.lifetime);
            let rules = rules.is_some_and(|rules| rules != LifetimeRules::default());
            rules || !self.enforced_in(id).is_empty()
        };
        // Rules are made by admins, so only they take something out of their reach.
        for id in ways.left.iter().filter(ruling) {
            if self.role(by, id) < Some(Role::Admin) {
                return Err(self.forbidden(Role::Admin, id));
            }
        }
        // Whoever may do more there than here would make more of themselves.
        let here = self.role(by, &before.id);
        if let Some(more) = self.role(by, parent).filter(|there| Some(*there) > here) {
            return Err(self.forbidden(more, &before.id));
        }
        match self.obstacles(before, parent).into_iter().next() {
            Some(obstacle) => Err(AdminError::InUse(obstacle)),
            None => Ok(()),
        }
    }

    /// Why a namespace cannot be moved there.
    fn obstacles(&self, before: &NamespaceRecord, parent: &NamespaceId) -> Vec<String> {
        let mut obstacles = Vec::new();
        if before.made == Made::InFile {
            obstacles.push(IN_FILE.to_owned());
        }
        if before.id.is_global() {
            obstacles.push("Global stays where it is".to_owned());
        }
        if self.tree().contains(&before.id, parent) {
            obstacles.push("it cannot be below itself".to_owned());
            return obstacles;
        }
        let inside = self.tree().within(&before.id);
        let above = self.tree().line(&before.id).len().saturating_sub(1);
        let deepest = inside.iter().map(|id| self.tree().line(id).len()).max().unwrap_or_default();
        if self.tree().line(parent).len() + deepest.saturating_sub(above) > MAX_DEPTH {
            obstacles.push(too_deep());
        }
        let siblings = self.is_free(&before.name, (parent, Some(&before.id)));
        if siblings.is_err() {
            obstacles.push(format!("there is one called `{}` already", before.name));
        }
        let left = Ways::between(self.tree(), before, parent).left;
        for (policy, route) in self.given_from(&left, &inside) {
            obstacles.push(format!(
                "the route `{route}` has the policy `{policy}`, which is not to be had there; take it away \
                 first"
            ));
        }
        obstacles
    }

    /// Optional policies of some namespaces that were given to routes in others: name, and id of the
    /// route.
    fn given_from<'w>(
        &'w self,
        from: &'w [NamespaceId],
        to: &'w BTreeSet<NamespaceId>,
    ) -> impl Iterator<Item = (&'w str, &'w str)> {
        let inside: BTreeSet<&str> =
            self.routes().filter(|(_, place)| to.contains(place)).map(|(id, _)| id).collect();
        let policies = self.stored().policies.iter();
        let policies = policies.filter(|policy| from.contains(&policy.namespace));
        policies.flat_map(move |policy| {
            let routes = policy.routes.iter().map(String::as_str);
            let routes: Vec<&str> = routes.filter(|route| inside.contains(route)).collect();
            routes.into_iter().map(|route| (policy.name.as_str(), route))
        })
    }
}

impl Admin {
    /// What moving it below `parent` would change, as far as `by` may see it. Changes nothing.
    ///
    /// # Errors
    /// Either is not there, or `by` is no manager in both.
    pub async fn preview_move(
        &self,
        by: &Actor,
        id: &NamespaceId,
        parent: &NamespaceId,
    ) -> Result<MovePreview, AdminError> {
        let world = self.world();
        world.permit_namespace(by, Role::Manager, id)?;
        world.permit_namespace(by, Role::Manager, parent)?;
        let before = world.tree().get(id).ok_or(AdminError::NotFound(What::Namespace))?;
        let mut ways = Ways::between(world.tree(), before, parent);
        let sight = world.sight(by);
        ways.left.retain(|id| sight.sees(id));
        ways.joined.retain(|id| sight.sees(id));
        let inside = world.tree().within(id);
        let names = |ids: &[NamespaceId]| {
            let policies = ids.iter().flat_map(|id| world.enforced_in(id));
            policies.map(str::to_owned).collect()
        };
        let mut obstacles = world.obstacles(before, parent);
        let after = NamespaceRecord { parent: Some(parent.clone()), ..before.clone() };
        if let (true, Err(why)) = (obstacles.is_empty(), world.permit_move(by, before, &after)) {
            obstacles.push(why.to_string());
        }
        Ok(MovePreview {
            lose: self.reaching(&world, &ways.left).await?,
            gain: self.reaching(&world, &ways.joined).await?,
            enforced_lost: names(&ways.left),
            enforced_gained: names(&ways.joined),
            routes: u64::try_from(world.routes().filter(|(_, at)| inside.contains(at)).count())
                .unwrap_or(u64::MAX),
            obstacles,
        })
    }

    /// How many accounts there are in each of these.
    async fn reaching(
        &self,
        world: &World,
        ids: &[NamespaceId],
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let asked = ids.iter().cloned().collect();
        let counted = self.store().accounts_by_namespace(Some(&asked)).await?;
        let path = |id| counted.get(id).map(|count| (world.tree().path(id), *count));
        Ok(ids.iter().filter_map(path).collect())
    }
}

impl NamespaceEdit {
    /// To another place.
    pub fn moved(parent: NamespaceId) -> Self {
        Self { parent: Some(parent), ..Self::default() }
    }
}
