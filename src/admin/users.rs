//! People and groups, as far as the directory and sign-ins know them.

use super::{AccountView, Actor, Admin, AdminError};
use crate::catalog::Blocked;
use crate::namespace::Role;
use crate::people::Moment;
use crate::people::Source;
use crate::store::StoreError;
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
    /// Roles given to them or their groups, by path of the namespace.
    pub roles: Vec<(String, Role)>,
    /// Accounts that act as them, as far as `by` may see them.
    pub accounts: Vec<AccountView>,
}

fn not_yet() -> AdminError {
    AdminError::Unavailable(StoreError::unavailable("not made yet"))
}

impl Admin {
    /// Exact id first, then exact e-mail address, then beginnings of address and words of the name, then
    /// anything that holds `text`; with how many there are. For everybody with a role anywhere. At most 20.
    pub async fn search_users(
        &self,
        _by: &Actor,
        _text: &str,
        _limit: usize,
    ) -> Result<(Vec<UserView>, u64), AdminError> {
        Err(not_yet())
    }

    pub async fn search_groups(
        &self,
        _by: &Actor,
        _text: &str,
        _limit: usize,
    ) -> Result<(Vec<GroupView>, u64), AdminError> {
        Err(not_yet())
    }

    pub async fn user(
        &self,
        _by: &Actor,
        _id: &str,
        _now: Timestamp,
    ) -> Result<UserDetail, AdminError> {
        Err(not_yet())
    }

    /// Ends their sessions, keeps them from signing in, and suspends the accounts that act as them. For
    /// administrators of Global.
    pub async fn block(
        &self,
        _by: &Actor,
        _id: &str,
        _reason: &str,
        _at: Moment<'_>,
    ) -> Result<(), AdminError> {
        Err(not_yet())
    }

    pub async fn unblock(&self, _by: &Actor, _id: &str, _at: Moment<'_>) -> Result<(), AdminError> {
        Err(not_yet())
    }

    /// Revokes every credential of accounts that act as them, where `by` is an admin; says how many
    /// accounts that were.
    pub async fn revoke_accounts_of(
        &self,
        _by: &Actor,
        _id: &str,
        _at: Moment<'_>,
    ) -> Result<usize, AdminError> {
        Err(not_yet())
    }
}
