//! Names of things, read. What cannot be the name of anything is answered as what is not there.

use crate::admin::{AdminError, What};
use crate::api::error::ApiError;
use crate::id::{CredentialId, NamespaceId, PermissionId, PolicyId, ServiceAccountId};

fn read<T>(
    field: &str,
    text: &str,
    what: What,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, ApiError> {
    if text.is_empty() {
        return Err(ApiError::field(field, "write which one"));
    }
    parse(text).ok_or_else(|| AdminError::NotFound(what).into())
}

pub(super) fn account(text: &str) -> Result<ServiceAccountId, ApiError> {
    read("id", text, What::ServiceAccount, ServiceAccountId::parse)
}

pub(super) fn credential(text: &str) -> Result<CredentialId, ApiError> {
    read("credential_id", text, What::Credential, CredentialId::parse)
}

pub(super) fn permission(text: &str) -> Result<PermissionId, ApiError> {
    read("id", text, What::Permission, PermissionId::parse)
}

/// One of the store: those of the configuration have names.
pub(super) fn policy(text: &str) -> Result<PolicyId, ApiError> {
    read("id", text, What::Policy, PolicyId::parse)
}

pub(super) fn namespace(field: &str, text: &str) -> Result<NamespaceId, ApiError> {
    read(field, text, What::Namespace, NamespaceId::parse)
}

/// Global if none is named.
pub(super) fn namespace_or_global(field: &str, text: &str) -> Result<NamespaceId, ApiError> {
    if text.is_empty() { Ok(NamespaceId::global()) } else { namespace(field, text) }
}

/// `None` for all that may be seen.
pub(super) fn namespace_or_all(field: &str, text: &str) -> Result<Option<NamespaceId>, ApiError> {
    if text.is_empty() { Ok(None) } else { namespace(field, text).map(Some) }
}

/// A name that other rooms read themselves.
pub(super) fn named<'t>(field: &str, text: &'t str) -> Result<&'t str, ApiError> {
    if text.is_empty() { Err(ApiError::field(field, "write which one")) } else { Ok(text) }
}
