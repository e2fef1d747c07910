//! People and groups.

use super::accounts::{account, few};
use super::{Handlers, ids, small, told};
use crate::admin::{Actor, GroupView, UserDetail, UserView};
use crate::api::error::ApiError;
use crate::api::message as m;
use crate::namespace::Role;
use crate::people::{Moment, Source};

/// The longest text that people are looked for by, in bytes.
const LONGEST: usize = 254;

impl Handlers {
    pub async fn search_users(
        &self,
        by: &Actor,
        request: m::SearchUsersRequest,
        _at: Moment<'_>,
    ) -> Result<m::SearchUsersResponse, ApiError> {
        let (text, limit) = (sought(&request.q)?, few(request.limit)?);
        let (found, total) = self.admin.search_users(by, text, limit).await?;
        let users = found.into_iter().map(user).collect();
        Ok(m::SearchUsersResponse { users, total: small(total) })
    }

    pub async fn search_groups(
        &self,
        by: &Actor,
        request: m::SearchGroupsRequest,
        _at: Moment<'_>,
    ) -> Result<m::SearchGroupsResponse, ApiError> {
        let (text, limit) = (sought(&request.q)?, few(request.limit)?);
        let (found, total) = self.admin.search_groups(by, text, limit).await?;
        let groups = found.into_iter().map(group).collect();
        Ok(m::SearchGroupsResponse { groups, total: small(total) })
    }

    pub async fn get_user(
        &self,
        by: &Actor,
        request: m::GetUserRequest,
        at: Moment<'_>,
    ) -> Result<m::UserDetail, ApiError> {
        self.detail(by, &request.id, at).await
    }

    pub async fn block_user(
        &self,
        by: &Actor,
        request: m::BlockUserRequest,
        at: Moment<'_>,
    ) -> Result<m::UserDetail, ApiError> {
        let id = ids::named("id", &request.id)?;
        let blocked = self.admin.block(by, id, &request.reason, at).await;
        blocked.map_err(|error| ApiError::from(error).called(&[("user_id", "id")]))?;
        self.detail(by, &request.id, at).await
    }

    pub async fn unblock_user(
        &self,
        by: &Actor,
        request: m::UnblockUserRequest,
        at: Moment<'_>,
    ) -> Result<m::UserDetail, ApiError> {
        self.admin.unblock(by, ids::named("id", &request.id)?, at).await?;
        self.detail(by, &request.id, at).await
    }

    pub async fn revoke_user_service_accounts(
        &self,
        by: &Actor,
        request: m::RevokeUserServiceAccountsRequest,
        at: Moment<'_>,
    ) -> Result<m::RevokeUserServiceAccountsResponse, ApiError> {
        let id = ids::named("id", &request.id)?;
        let count = self.admin.revoke_accounts_of(by, id, at).await?;
        let service_account_count = small(count as u64);
        Ok(m::RevokeUserServiceAccountsResponse { service_account_count })
    }

    async fn detail(
        &self,
        by: &Actor,
        id: &str,
        at: Moment<'_>,
    ) -> Result<m::UserDetail, ApiError> {
        Ok(detail(self.admin.user(by, ids::named("id", id)?, at.now).await?))
    }
}

fn sought(text: &str) -> Result<&str, ApiError> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST {
        return Err(ApiError::field("q", format!("write 1 to {LONGEST} bytes to look for")));
    }
    Ok(text)
}

fn user(view: UserView) -> m::User {
    let source = match view.source {
        Source::Directory => "directory",
        Source::SignIn => "sign-in",
    };
    m::User {
        id: view.id,
        email: view.email,
        name: view.name,
        source: source.to_owned(),
        blocked: view.blocked,
    }
}

fn group(view: GroupView) -> m::Group {
    m::Group { id: view.id, name: view.name }
}

fn detail(found: UserDetail) -> m::UserDetail {
    let blocked = found.blocked.map(|blocked| m::Block {
        since: told(blocked.since),
        by: blocked.by,
        reason: blocked.reason,
    });
    m::UserDetail {
        user: Some(user(found.view)),
        groups: found.groups.into_iter().map(group).collect(),
        last_sign_in_at: found.last_sign_in.and_then(told),
        blocked,
        roles: found.roles.into_iter().map(role).collect(),
        service_accounts: found.accounts.iter().map(account).collect(),
    }
}

/// What somebody may do somewhere, as messages tell of it.
pub(super) fn role((namespace_path, role): (String, Role)) -> m::UserRole {
    m::UserRole { namespace_path, role: role.name().to_owned() }
}
