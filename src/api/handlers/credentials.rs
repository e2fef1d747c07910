//! Credentials of service accounts.

use super::{Handlers, ids, instant, span, told as at_instant};
use crate::admin::{Actor, Minted, Overlap};
use crate::api::error::ApiError;
use crate::api::message as m;
use crate::api::page::Page;
use crate::people::Moment;
use crate::service_account::CredentialRecord;
use crate::time::Timestamp;
use std::time::Duration;

/// How long old credentials stay good if nobody says.
const OVERLAP: Duration = Duration::from_hours(24);

impl Handlers {
    pub async fn list_credentials(
        &self,
        by: &Actor,
        request: m::ListCredentialsRequest,
        at: Moment<'_>,
    ) -> Result<m::ListCredentialsResponse, ApiError> {
        let (page, id) = (Page::of(&request)?, ids::account(&request.id)?);
        let found = self.admin.credentials(by, &id, at.now).await?;
        let (part, next_cursor, total) = page.cut(found);
        let credentials = part.iter().map(|record| told(record, at.now)).collect();
        Ok(m::ListCredentialsResponse { credentials, next_cursor, total })
    }

    pub async fn issue_credential(
        &self,
        by: &Actor,
        request: m::IssueCredentialRequest,
        at: Moment<'_>,
    ) -> Result<m::IssuedCredential, ApiError> {
        let id = ids::account(&request.id)?;
        let expires = instant("expires_at", request.expires_at)?;
        let minted = self.admin.issue_credential(by, &id, expires, at).await?;
        Ok(issued(&minted, at.now))
    }

    pub async fn rotate_credentials(
        &self,
        by: &Actor,
        request: m::RotateCredentialsRequest,
        at: Moment<'_>,
    ) -> Result<m::IssuedCredential, ApiError> {
        let id = ids::account(&request.id)?;
        let overlap = Overlap(span("overlap", request.overlap)?.unwrap_or(OVERLAP));
        Ok(issued(&self.admin.rotate(by, &id, overlap, at).await?, at.now))
    }

    pub async fn revoke_credential(
        &self,
        by: &Actor,
        request: m::RevokeCredentialRequest,
        at: Moment<'_>,
    ) -> Result<m::Credential, ApiError> {
        let (id, credential) =
            (ids::account(&request.id)?, ids::credential(&request.credential_id)?);
        let record = self.admin.revoke_credential(by, &id, &credential, at).await?;
        Ok(told(&record, at.now))
    }
}

fn issued(minted: &Minted, now: Timestamp) -> m::IssuedCredential {
    m::IssuedCredential {
        credential: Some(told(&minted.credential, now)),
        token: minted.token.expose().clone(),
    }
}

/// A credential as messages tell of it.
pub(super) fn told(record: &CredentialRecord, now: Timestamp) -> m::Credential {
    let used = record.last_use.clone();
    m::Credential {
        id: record.id.to_string(),
        service_account_id: record.account.to_string(),
        hint: record.hint.clone(),
        issued_at: at_instant(record.issued),
        issued_by: record.issued_by.clone(),
        expires_at: record.expires.and_then(at_instant),
        revoked_at: record.revoked.and_then(at_instant),
        superseded_at: record.superseded.and_then(at_instant),
        last_used_at: used.as_ref().and_then(|used| at_instant(used.at)),
        state: record.state(now).name().to_owned(),
        last_used_address: used.as_ref().map(|used| used.address.clone()).unwrap_or_default(),
        last_used_route_id: used.map(|used| used.route).unwrap_or_default(),
    }
}
