//! Who administers: somebody who signed in, a machine, the bootstrap secret, or the terminal.

use crate::activity::{ActorKind, Who};
use crate::id::{CredentialId, NamespaceId, SessionId};
use crate::identity::{Directory, ImpersonationRules};
use crate::namespace::{Reach, Role, Tree};
use crate::service_account::{AccountKind, Machine};
use crate::session::SessionRecord;
use crate::time::Timestamp;

/// Somebody who asks for a verb of administration. Judged on who holds the credential, never on whom
/// they act as.
#[derive(Clone, Debug)]
pub struct Actor {
    kind: ActorKind,
    who: Who,
    reach: Reach,
    credential: Option<CredentialId>,
    session: Option<SessionId>,
    /// When they showed who they are; `None` for those who do so every time.
    signed_in: Option<Timestamp>,
}

impl Actor {
    /// Whoever signed in.
    pub fn of_session(
        record: &SessionRecord,
        rules: &ImpersonationRules,
        directory: &Directory,
    ) -> Self {
        let person = record.account.person(directory);
        let reach = Reach {
            user: person.user.clone(),
            groups: person.group_ids().to_vec(),
            everywhere: rules.is_administrator(&person),
        };
        Self {
            kind: ActorKind::Person,
            who: Who::from(&person),
            reach,
            credential: None,
            session: Some(record.id.clone()),
            signed_in: Some(record.opened),
        }
    }

    /// A machine with a name of its own. `None` for one that acts as a person: SECURITY: it has nothing of
    /// what the person may administer.
    pub fn of_machine(machine: &Machine) -> Option<Self> {
        let account = &machine.account;
        match account.kind {
            AccountKind::Impersonating(_) => None,
            AccountKind::Unique => Some(Self {
                kind: ActorKind::ServiceAccount,
                who: Who { user: account.user.clone(), ..Who::default() },
                reach: Reach { user: account.user.clone(), ..Reach::default() },
                credential: Some(machine.credential.id.clone()),
                session: None,
                signed_in: None,
            }),
        }
    }

    /// Whoever has shown the bootstrap secret while it is good.
    pub fn bootstrap() -> Self {
        Self::everywhere(ActorKind::Bootstrap, "bootstrap")
    }

    /// Somebody at the terminal who can read the configuration, and so holds the shared secret.
    pub fn terminal() -> Self {
        Self::everywhere(ActorKind::Terminal, "operator")
    }

    fn everywhere(kind: ActorKind, name: &str) -> Self {
        Self {
            kind,
            who: Who { user: name.to_owned(), ..Who::default() },
            reach: Reach { everywhere: true, ..Reach::default() },
            credential: None,
            session: None,
            signed_in: None,
        }
    }

    pub fn kind(&self) -> ActorKind {
        self.kind
    }

    pub fn who(&self) -> &Who {
        &self.who
    }

    /// How they are called: e-mail address, else user id.
    pub fn called(&self) -> &str {
        if self.who.email.is_empty() { &self.who.user } else { &self.who.email }
    }

    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    pub fn credential(&self) -> Option<&CredentialId> {
        self.credential.as_ref()
    }

    pub fn session(&self) -> Option<&SessionId> {
        self.session.as_ref()
    }

    /// When they showed who they are; `None` for those who do so every time.
    pub fn signed_in(&self) -> Option<Timestamp> {
        self.signed_in
    }

    /// What they may do there.
    pub fn role(&self, tree: &Tree, namespace: &NamespaceId) -> Option<Role> {
        tree.role(&self.reach, namespace)
    }
}
