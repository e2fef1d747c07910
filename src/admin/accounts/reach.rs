//! Where an account can go, and which policies name it.

use super::Destination;
use crate::admin::world::World;
use crate::admin::{Actor, Admin, AdminError, PolicyMention};
use crate::authorizer::{Supposed, Unavailable};
use crate::comparison;
use crate::id::{CredentialId, ServiceAccountId};
use crate::identity::Caller;
use crate::namespace::Made;
use crate::policy::DenyReason;
use crate::route::Route;
use crate::service_account::{AccountRecord, CredentialRecord, Machine, suppose};
use crate::store::StoreError;
use crate::supposition::{AskedUrl, Supposition};
use crate::time::Timestamp;
use std::sync::Arc;

impl Admin {
    /// Where it can go by its namespace, and where policy lets it. Each route is asked as a check would be.
    ///
    /// # Errors
    /// As for [`Admin::account`].
    pub async fn destinations(
        &self,
        by: &Actor,
        id: &ServiceAccountId,
        now: Timestamp,
    ) -> Result<Vec<Destination>, AdminError> {
        let world = self.world();
        let account = self.seen_account(&world, by, id).await?;
        let routes = world.catalog().table.routes();
        let inside =
            routes.filter(|route| world.tree().contains(&account.namespace, &route.namespace));
        let mut destinations = Vec::new();
        for route in inside {
            let Some(url) = comparison::sample(&world.snapshot, route) else { continue };
            let refused = self.refused(&world, (&account, route), url, now)?;
            destinations.push(Destination {
                route: route.id.to_string(),
                from: route.from.to_string(),
                namespace_path: world.tree().path(&route.namespace),
                allowed: refused.is_none(),
                reason: refused.unwrap_or_default(),
            });
            // Where there are many, others get their turn.
            tokio::task::yield_now().await;
        }
        Ok(destinations)
    }

    /// The code of the refusal; `None` if it would be allowed.
    fn refused(
        &self,
        world: &World,
        (account, route): (&AccountRecord, &Route),
        url: AskedUrl,
        now: Timestamp,
    ) -> Result<Option<&'static str>, StoreError> {
        let question = Supposition {
            method: "GET".to_owned(),
            url,
            route_id: Some(route.id.to_string()),
            now,
            ..Supposition::default()
        };
        let supposed = world.supposed(account, None, now);
        let request = question.request(world.settings());
        let asked = self.authorizer.explain(&world.snapshot, &request, &supposed, now);
        let (answer, _) = asked.map_err(unavailable)?;
        Ok(answer.record.denied.as_ref().map(DenyReason::code))
    }

    /// The policies that name its user id.
    ///
    /// # Errors
    /// As for [`Admin::account`].
    pub async fn mentions(
        &self,
        by: &Actor,
        id: &ServiceAccountId,
    ) -> Result<Vec<PolicyMention>, AdminError> {
        let world = self.world();
        let account = self.seen_account(&world, by, id).await?;
        let sight = world.sight(by);
        let near =
            |place: &_| sight.sees(place) || world.tree().contains(place, &account.namespace);
        let named = world.settings().policies.iter();
        let named = named
            .filter(|named| near(&named.namespace) && named.policy.names_user(&account.user))
            .map(|named| world.named_mention(named));
        let stored = world.stored().policies.iter();
        let stored = stored.filter(|record| near(&record.namespace)).filter(|record| {
            let policy = world.catalog().policy(&record.id);
            policy.is_some_and(|policy| policy.names_user(&account.user))
        });
        let stored = stored.map(|record| world.mention(record));
        let routes = world.settings().routes.iter().filter(|route| near(&route.namespace));
        let own = routes.filter(|route| {
            let own = route.policies.iter().filter(|policy| policy.name.is_empty());
            own.into_iter().any(|policy| policy.names_user(&account.user))
        });
        let own = own.map(|route| PolicyMention {
            id: route.id.to_string(),
            name: format!("of the route {}", route.from),
            made: Made::InFile,
            enforced: false,
            namespace_path: world.tree().path(&route.namespace),
        });
        Ok(stored.chain(named).chain(own).collect())
    }
}

impl World {
    /// The account as whoever asks, with this credential, or one that is good.
    pub(in crate::admin) fn supposed(
        &self,
        account: &AccountRecord,
        credential: Option<CredentialRecord>,
        now: Timestamp,
    ) -> Supposed {
        let caller = suppose(account, self.surroundings(), now);
        let caller = caller.unwrap_or_else(|why| Caller::Anonymous(Some(why)));
        let credential = credential.unwrap_or_else(|| good(account));
        let machine = Machine { credential, account: account.clone() };
        let machine = Some(Arc::new(machine));
        Supposed { caller: Some(caller), machine, ..Supposed::default() }
    }
}

/// A credential that nobody has.
fn good(account: &AccountRecord) -> CredentialRecord {
    CredentialRecord {
        id: CredentialId::new("00000000000000000000000000000000"),
        account: account.id.clone(),
        hint: String::new(),
        issued: account.created,
        issued_by: String::new(),
        expires: None,
        revoked: None,
        superseded: None,
        last_use: None,
    }
}

/// What could not be decided.
pub(in crate::admin) fn unavailable(error: Unavailable) -> StoreError {
    StoreError::unavailable(error)
}
