//! What administrators do with machines, namespaces, policies, routes and people. The console, the
//! admin API and the terminal call the same verbs; each asks for the right to it first, and writes its
//! records and the entry that tells of it in one transaction.

mod accounts;
mod activity;
mod actor;
mod call;
mod credentials;
mod deed;
mod denials;
mod error;
mod fields;
mod namespaces;
mod once;
mod overview;
mod policies;
mod routes;
mod simulate;
mod target;
mod tokens;
mod users;
mod world;

pub use accounts::{
    AccountEdit, AccountView, Accounts, AccountsWanted, Created, Destination, Expiry, NewAccount,
    NewKind,
};
pub use activity::{ActivityWanted, EntryView};
pub use actor::Actor;
pub use credentials::{Minted, Overlap};
pub use error::{AdminError, FieldError, What};
pub use namespaces::{
    Deletion, MovePreview, NamespaceEdit, NamespaceView, NewNamespace, PermissionView, Removal,
    Resource,
};
pub use overview::Overview;
pub use policies::{NewPolicy, PolicyEdit, PolicyMention, PolicyView, PolicyWanted};
pub use routes::{NewRoute, RouteEdit, RouteView, RouteWanted};
pub use simulate::{Principal, Simulation, Step, StepOutcome, Supposed};
pub use tokens::Introspection;
pub use users::{GroupView, UserDetail, UserView};

use crate::authorizer::Authorizer;
use crate::secret::Secret;
use crate::state::State;
use crate::store::{SessionCache, Store, StoreError};
use crate::tasks::Tasks;
use denials::Denials;
use std::sync::Arc;
use tokio::sync::Mutex;
use world::World;

/// All verbs of administration.
#[derive(Clone, Debug)]
pub struct Admin {
    cache: Arc<SessionCache>,
    state: Arc<State>,
    authorizer: Arc<Authorizer>,
    /// Signs the tokens of credentials.
    key: Arc<Secret<[u8; 32]>>,
    /// Who is in the directory, to be searched.
    known: Arc<users::Known>,
    /// Whose turn it is to write.
    turns: Arc<Mutex<()>>,
    /// Who was refused what of late.
    denials: Arc<Denials>,
    /// For what takes long to compute, and whose turn that is.
    tasks: Tasks,
    checking: Arc<Mutex<()>>,
}

impl Admin {
    pub fn new(
        cache: Arc<SessionCache>,
        state: Arc<State>,
        authorizer: Arc<Authorizer>,
        key: Secret<[u8; 32]>,
    ) -> Self {
        let (key, known, turns) = (Arc::new(key), Arc::default(), Arc::default());
        Self {
            cache,
            state,
            authorizer,
            key,
            known,
            turns,
            denials: Arc::default(),
            tasks: Tasks::default(),
            checking: Arc::default(),
        }
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        self.cache.store()
    }

    /// What there is now, as far as this process knows.
    fn world(&self) -> World {
        World { snapshot: self.state.snapshot() }
    }

    /// Takes note of what the store holds now.
    async fn refresh(&self) -> Result<(), StoreError> {
        self.state.refresh(self.store().as_ref()).await.map(drop)
    }
}
