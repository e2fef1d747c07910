//! Tokens, asked about and revoked by their text.

use super::{Handlers, told};
use crate::admin::Actor;
use crate::api::error::ApiError;
use crate::api::message as m;
use crate::people::Moment;
use crate::secret::Secret;

impl Handlers {
    pub async fn introspect_token(
        &self,
        by: &Actor,
        request: m::IntrospectTokenRequest,
        at: Moment<'_>,
    ) -> Result<m::Introspection, ApiError> {
        let token = token(request.token)?;
        let found = self.admin.introspect(by, &token, at.now).await?;
        if !found.active {
            return Ok(m::Introspection::default());
        }
        Ok(m::Introspection {
            active: true,
            subject: found.subject,
            issued_at: found.issued.and_then(told),
            expires_at: found.expires.and_then(told),
            credential_id: found.id,
            service_account_id: found.account,
            namespace_id: found.namespace,
        })
    }

    pub async fn revoke_token(
        &self,
        _by: &Actor,
        request: m::RevokeTokenRequest,
        at: Moment<'_>,
    ) -> Result<m::RevokeTokenResponse, ApiError> {
        self.revoke(token(request.token)?, at).await?;
        Ok(m::RevokeTokenResponse {})
    }

    /// Whoever has a token may revoke it, whoever they are.
    pub(in crate::api) async fn revoke(
        &self,
        token: Secret<String>,
        at: Moment<'_>,
    ) -> Result<(), ApiError> {
        Ok(self.admin.revoke_token(&token, at).await?)
    }
}

fn token(text: String) -> Result<Secret<String>, ApiError> {
    if text.is_empty() {
        return Err(ApiError::field("token", "write the token"));
    }
    Ok(Secret::new(text))
}
