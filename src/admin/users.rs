//! People and groups, as far as the directory and sign-ins know them.

mod block;
mod index;
mod search;

pub(super) use index::Known;

use super::world::World;
use super::{AccountView, Actor, Admin, AdminError, What};
use crate::catalog::Blocked;
use crate::id::NamespaceId;
use crate::identity::Person;
use crate::namespace::{Reach, Role};
use crate::people::Source;
use crate::session::KnownPerson;
use crate::store::AccountQuery;
use crate::time::Timestamp;

/// Somebody, in a list.
#[derive(Clone, Debug)]
pub struct UserView {
    pub id: String,
    pub email: String,
    pub name: String,
    pub source: Source,
    pub blocked: bool,
}

/// A group, in a list.
#[derive(Clone, Debug)]
pub struct GroupView {
    pub id: String,
    pub name: String,
}

/// All there is to know of somebody.
#[derive(Clone, Debug)]
pub struct UserDetail {
    pub view: UserView,
    pub groups: Vec<GroupView>,
    pub last_sign_in: Option<Timestamp>,
    pub blocked: Option<Blocked>,
    /// Roles given to them or their groups, by path of the namespace, as far as `by` may see it.
    pub roles: Vec<(String, Role)>,
    /// Accounts that act as them, as far as `by` may see them.
    pub accounts: Vec<AccountView>,
}

/// So many accounts are shown with a person.
const ACCOUNTS: usize = 200;

impl Admin {
    /// For everybody with a role anywhere.
    ///
    /// # Errors
    /// Nobody is known by this user id; `by` has no role.
    pub async fn user(
        &self,
        by: &Actor,
        id: &str,
        now: Timestamp,
    ) -> Result<UserDetail, AdminError> {
        let world = self.world();
        world.permit_anywhere(by)?;
        let signed_in = self.store().person(id).await?;
        let blocked = world.stored().blocked.iter().find(|blocked| blocked.user == id).cloned();
        let view = world.user_view(id, signed_in.as_ref()).or_else(|| {
            let id = blocked.as_ref()?.user.clone();
            let source = Source::SignIn;
            Some(UserView { id, email: String::new(), name: String::new(), source, blocked: true })
        });
        let view = view.ok_or(AdminError::NotFound(What::User))?;
        let reach = world.reach_of_user(&view, signed_in.as_ref());
        let which = AccountQuery {
            namespaces: world.seen(by),
            user: Some(id.to_owned()),
            impersonating: Some(true),
            limit: ACCOUNTS,
            ..AccountQuery::default()
        };
        let accounts = self.store().accounts(&which, now).await?.records;
        Ok(UserDetail {
            groups: world.groups(&reach.groups),
            last_sign_in: signed_in.map(|known| known.last_sign_in),
            blocked,
            roles: world.roles_of(&reach, by),
            accounts: accounts.into_iter().map(|it| world.account_view(it, now)).collect(),
            view,
        })
    }
}

impl World {
    /// Somebody of the directory, else of those who signed in.
    fn user_view(&self, id: &str, signed_in: Option<&KnownPerson>) -> Option<UserView> {
        let blocked = self.catalog().blocked.contains(id);
        let listed = self.directory().by_id(id).map(|user| {
            let (id, email) = (user.id.clone(), user.email.clone());
            let name = user.display_name.clone();
            UserView { id, email, name, source: Source::Directory, blocked }
        });
        listed.or_else(|| {
            let account = &signed_in?.account;
            let (id, email) = (account.user.clone(), account.email.clone());
            let name = account.name.clone();
            Some(UserView { id, email, name, source: Source::SignIn, blocked })
        })
    }

    fn reach_of_user(&self, view: &UserView, signed_in: Option<&KnownPerson>) -> Reach {
        let listed = self.directory().by_id(&view.id).map(|user| user.group_ids.clone());
        let groups = listed.or_else(|| {
            let person = signed_in?.account.person(self.directory());
            Some(person.group_ids().to_vec())
        });
        let person = Person { email: view.email.clone(), ..Person::default() };
        Reach {
            user: view.id.clone(),
            groups: groups.unwrap_or_default(),
            everywhere: self.settings().impersonation.is_administrator(&person),
        }
    }

    fn groups(&self, ids: &[String]) -> Vec<GroupView> {
        let mut names = self.directory().names_of(ids);
        let view = |id: &String| {
            let name = names.remove(id).unwrap_or_default();
            GroupView { id: id.clone(), name }
        };
        ids.iter().map(view).collect()
    }

    fn roles_of(&self, reach: &Reach, by: &Actor) -> Vec<(String, Role)> {
        let sight = self.sight(by);
        let given = self.tree().permissions().iter();
        let given = given.filter(|given| reach.is(&given.subject) && sight.sees(&given.namespace));
        let mut roles: Vec<(String, Role)> =
            given.map(|given| (self.tree().path(&given.namespace), given.role)).collect();
        if reach.everywhere {
            roles.push((self.tree().path(&NamespaceId::global()), Role::Admin));
        }
        roles.sort();
        roles.dedup();
        roles
    }
}
