//! Policies: those of the configuration, to be seen, and those of the store, to be changed. What is
//! stored was compiled before.

mod change;
mod removal;

use super::world::{Depth, Sight, World};
use super::{Actor, Admin, AdminError, What};
use crate::catalog::PolicyRecord;
use crate::config::{NamedPolicy, compile_policy};
use crate::document::Problem;
use crate::id::NamespaceId;
use crate::namespace::{Made, Role};
use crate::store::StoreError;
use crate::time::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A policy as somebody sees it.
#[derive(Clone, Debug)]
pub struct PolicyView {
    /// `pol_…`, or the name of one of the configuration.
    pub id: String,
    pub made: Made,
    pub namespace: NamespaceId,
    pub namespace_path: String,
    pub name: String,
    pub description: String,
    pub explanation: String,
    pub remediation: String,
    /// Empty for one of the configuration, and for whoever has no role in its namespace and may only use it.
    pub text: String,
    pub enforced: bool,
    /// The routes it counts on, by id: those it was given to, or all below if it is enforced; as far as they
    /// may be seen.
    pub routes: BTreeSet<String>,
    /// Why it does not compile (any more); then its routes refuse everybody.
    pub broken: String,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub modified_by: String,
    pub version: u64,
}

/// A policy in a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyMention {
    pub id: String,
    pub name: String,
    pub made: Made,
    pub enforced: bool,
    pub namespace_path: String,
}

/// Which policies.
#[derive(Clone, Debug, Default)]
pub struct PolicyWanted {
    pub namespace: Option<NamespaceId>,
    /// With those of namespaces below.
    pub recursive: bool,
    /// Instead: those that can be given to a route in this namespace, its own and those further up.
    pub usable_in: Option<NamespaceId>,
    pub text: String,
}

/// A policy to be made.
#[derive(Clone, Debug)]
pub struct NewPolicy {
    pub namespace: NamespaceId,
    pub name: String,
    pub description: String,
    pub explanation: String,
    pub remediation: String,
    pub text: String,
    /// Takes the role of an admin.
    pub enforced: bool,
    pub routes: BTreeSet<String>,
    pub idempotency_key: Option<String>,
}

/// Changes of a policy; `None` keeps.
#[derive(Clone, Debug, Default)]
pub struct PolicyEdit {
    pub name: Option<String>,
    pub description: Option<String>,
    pub explanation: Option<String>,
    pub remediation: Option<String>,
    pub text: Option<String>,
    pub enforced: Option<bool>,
    pub routes: Option<BTreeSet<String>>,
    pub expected: Option<u64>,
}

impl Admin {
    /// By path of the namespace, then by name.
    ///
    /// # Errors
    /// The namespace named is not there, or not to be seen.
    #[expect(clippy::unused_async, reason = "every verb is asked in the same way")]
    pub async fn policies(
        &self,
        by: &Actor,
        which: &PolicyWanted,
    ) -> Result<Vec<PolicyView>, AdminError> {
        let world = self.world();
        let within = world.policies_asked(by, which)?;
        let sight = world.sight(by);
        let wanted = |place: &NamespaceId| within.as_ref().is_none_or(|ids| ids.contains(place));
        let stored = world.stored().policies.iter().filter(|policy| wanted(&policy.namespace));
        let stored = stored.map(|policy| world.policy_view(&sight, policy));
        // Policies of the configuration are given to routes there.
        let in_file = world.settings().policies.iter().filter(|_| which.usable_in.is_none());
        let in_file = in_file.filter(|named| wanted(&named.namespace));
        let in_file = in_file.map(|named| world.named_policy_view(&sight, named));
        let text = which.text.trim().to_lowercase();
        let holds = |view: &PolicyView| {
            let texts = [&view.id, &view.name, &view.description];
            texts.into_iter().any(|holds| holds.to_lowercase().contains(&text))
        };
        let mut views: Vec<PolicyView> = stored.chain(in_file).filter(holds).collect();
        views.sort_by_cached_key(|view| {
            (view.namespace_path.clone(), view.name.to_lowercase(), view.id.clone())
        });
        Ok(views)
    }

    /// # Errors
    /// It is not there, or not to be seen.
    #[expect(clippy::unused_async, reason = "every verb is asked in the same way")]
    pub async fn policy(&self, by: &Actor, id: &str) -> Result<PolicyView, AdminError> {
        let world = self.world();
        let sight = world.sight(by);
        let stored = world.stored().policies.iter().find(|policy| policy.id.as_str() == id);
        let view = match stored {
            Some(policy) => Some(world.policy_view(&sight, policy)),
            None => {
                let mut named = world.settings().policies.iter();
                let named = named.find(|named| named.policy.name == id);
                named.map(|named| world.named_policy_view(&sight, named))
            }
        };
        let visible = |view: &PolicyView| sight.sees(&view.namespace) || !view.routes.is_empty();
        view.filter(visible).ok_or(AdminError::NotFound(What::Policy))
    }

    /// Everything that is wrong with a policy, with line and column. Changes nothing. For whoever may make
    /// policies somewhere; one at a time, beside what decides.
    ///
    /// # Errors
    /// `by` is a manager nowhere.
    pub async fn check_policy(&self, by: &Actor, text: &str) -> Result<Vec<Problem>, AdminError> {
        let world = self.world();
        world.permit_somewhere(by, Role::Manager)?;
        let turn = self.checking.lock().await;
        let (text, language) = (text.to_owned(), world.settings().stored.language);
        let compiled = self.tasks.compute(move || compile_policy(&text, language)).await;
        drop(turn);
        match compiled {
            Some(compiled) => Ok(compiled.err().unwrap_or_default()),
            None => Err(StoreError::unavailable("the server is stopping").into()),
        }
    }
}

impl World {
    /// The namespaces whose policies are asked for; `None` for all there are.
    fn policies_asked(
        &self,
        by: &Actor,
        which: &PolicyWanted,
    ) -> Result<Option<BTreeSet<NamespaceId>>, AdminError> {
        let Some(place) = &which.usable_in else {
            return self.asked(by, which.namespace.as_ref(), Depth::of(which.recursive));
        };
        self.permit_namespace(by, Role::Viewer, place)?;
        Ok(Some(self.tree().line(place).iter().cloned().collect()))
    }

    fn policy_view(&self, sight: &Sight<'_>, record: &PolicyRecord) -> PolicyView {
        let counts = |route: &str, place: &NamespaceId| {
            (record.enforced || record.routes.contains(route))
                && self.tree().contains(&record.namespace, place)
        };
        let routes = self.routes().filter(|(id, place)| counts(id, place) && sight.sees(place));
        let broken = self.catalog().broken.get(record.id.as_str()).cloned();
        let seen = sight.sees(&record.namespace);
        PolicyView {
            id: record.id.to_string(),
            made: Made::Here,
            namespace: record.namespace.clone(),
            namespace_path: self.tree().path(&record.namespace),
            name: record.name.clone(),
            description: record.description.clone(),
            explanation: record.explanation.clone(),
            remediation: record.remediation.clone(),
            text: if seen { record.text.clone() } else { String::new() },
            enforced: record.enforced,
            routes: routes.map(|(id, _)| id.to_owned()).collect(),
            broken: broken.unwrap_or_default(),
            created: record.created,
            modified: record.modified,
            modified_by: if seen { record.modified_by.clone() } else { String::new() },
            version: record.version,
        }
    }

    fn named_policy_view(&self, sight: &Sight<'_>, named: &NamedPolicy) -> PolicyView {
        let routes = self.catalog().table.routes();
        let routes = routes.filter(|route| {
            route.policies.iter().any(|policy| Arc::ptr_eq(policy, &named.policy))
                && sight.sees(&route.namespace)
        });
        PolicyView {
            id: named.policy.name.clone(),
            made: Made::InFile,
            namespace: named.namespace.clone(),
            namespace_path: self.tree().path(&named.namespace),
            name: named.policy.name.clone(),
            description: String::new(),
            explanation: String::new(),
            remediation: String::new(),
            text: String::new(),
            enforced: named.enforced,
            routes: routes.map(|route| route.id.to_string()).collect(),
            broken: String::new(),
            created: Timestamp::default(),
            modified: Timestamp::default(),
            modified_by: String::new(),
            version: 0,
        }
    }

    pub(super) fn mention(&self, record: &PolicyRecord) -> PolicyMention {
        PolicyMention {
            id: record.id.to_string(),
            name: record.name.clone(),
            made: Made::Here,
            enforced: record.enforced,
            namespace_path: self.tree().path(&record.namespace),
        }
    }

    pub(super) fn named_mention(&self, named: &NamedPolicy) -> PolicyMention {
        PolicyMention {
            id: named.policy.name.clone(),
            name: named.policy.name.clone(),
            made: Made::InFile,
            enforced: named.enforced,
            namespace_path: self.tree().path(&named.namespace),
        }
    }
}
