//! How things stand, and who asks.

use super::activity::entry;
use super::users::role;
use super::{Handlers, ids, small};
use crate::admin::{Actor, NamespaceView};
use crate::api::error::ApiError;
use crate::api::message as m;
use crate::people::Moment;
use crate::store::AccountTally;

/// So many roles are told.
const ROLES: usize = 200;

impl Handlers {
    pub async fn get_overview(
        &self,
        by: &Actor,
        request: m::GetOverviewRequest,
        at: Moment<'_>,
    ) -> Result<m::Overview, ApiError> {
        let namespace = ids::namespace_or_global("namespace", &request.namespace)?;
        let found = self.admin.overview(by, &namespace, at.now).await?;
        Ok(m::Overview {
            service_accounts: Some(tally(found.accounts)),
            recent: found.entries.into_iter().map(entry).collect(),
            directory_users: small(found.people as u64),
            broken_policies: found.broken_policies,
        })
    }

    pub async fn who_am_i(
        &self,
        by: &Actor,
        _request: m::WhoAmIRequest,
        _at: Moment<'_>,
    ) -> Result<m::WhoAmIResponse, ApiError> {
        let seen = self.admin.namespaces(by).await?;
        // Where the role was given, not where it counts besides.
        let given = |view: &NamespaceView| view.role_from.as_ref() == Some(&view.record.id);
        let roles = seen.into_iter().filter(given).filter_map(|view| Some((view.path, view.role?)));
        Ok(m::WhoAmIResponse {
            actor_kind: by.kind().name().to_owned(),
            user_id: by.who().user.clone(),
            email: by.who().email.clone(),
            credential_id: by.credential().map(ToString::to_string).unwrap_or_default(),
            administrator: by.reach().everywhere,
            roles: roles.take(ROLES).map(role).collect(),
        })
    }
}

fn tally(tally: AccountTally) -> m::AccountTally {
    m::AccountTally {
        all: small(tally.all),
        active: small(tally.active),
        expiring: small(tally.expiring),
        never_used: small(tally.never_used),
        stale: small(tally.stale),
        expired: small(tally.expired),
        disabled: small(tally.disabled),
    }
}
