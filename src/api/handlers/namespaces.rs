//! Namespaces.

use super::{Handlers, ids, made, once, small, span, told};
use crate::admin::{
    Actor, Deletion, MovePreview, NamespaceEdit, NamespaceView, NewNamespace, Removal, Resource,
};
use crate::api::error::ApiError;
use crate::api::mask::{Mask, etag, expected};
use crate::api::message as m;
use crate::api::page::Page;
use crate::api::wire::Duration;
use crate::namespace::{LifetimeRules, Made, Role};
use crate::people::Moment;

/// What can be changed of a namespace.
pub(super) const EDITABLE: [&str; 5] =
    ["parent_id", "name", "description", "max_lifetime", "require_expiry"];

impl Handlers {
    pub async fn list_namespaces(
        &self,
        by: &Actor,
        request: m::ListNamespacesRequest,
        _at: Moment<'_>,
    ) -> Result<m::ListNamespacesResponse, ApiError> {
        let page = Page::of(&request)?;
        let (part, next_cursor, total) = page.cut(self.admin.namespaces(by).await?);
        let namespaces = part.iter().map(namespace).collect();
        Ok(m::ListNamespacesResponse { namespaces, next_cursor, total })
    }

    pub async fn get_namespace(
        &self,
        by: &Actor,
        request: m::GetNamespaceRequest,
        _at: Moment<'_>,
    ) -> Result<m::Namespace, ApiError> {
        let id = ids::namespace("id", &request.id)?;
        Ok(namespace(&self.admin.namespace(by, &id).await?))
    }

    pub async fn create_namespace(
        &self,
        by: &Actor,
        request: m::CreateNamespaceRequest,
        at: Moment<'_>,
    ) -> Result<m::Namespace, ApiError> {
        let new = NewNamespace {
            parent: ids::namespace_or_global("parent_id", &request.parent_id)?,
            name: request.name,
            description: request.description,
            lifetime: LifetimeRules {
                longest: span("max_lifetime", request.max_lifetime)?,
                required: request.require_expiry,
            },
            idempotency_key: once(request.idempotency_key),
        };
        Ok(namespace(&self.admin.create_namespace(by, new, at).await?))
    }

    pub async fn update_namespace(
        &self,
        by: &Actor,
        request: m::UpdateNamespaceRequest,
        at: Moment<'_>,
    ) -> Result<m::Namespace, ApiError> {
        let given = request.namespace.unwrap_or_default();
        let id = ids::namespace("id", &given.id)?;
        let mask = Mask::read(request.update_mask.as_ref(), "Namespace", &EDITABLE)?;
        let mut expected = expected(&given.etag)?;
        let longest = mask.names("max_lifetime", given.max_lifetime.is_some());
        let required = mask.names("require_expiry", given.require_expiry.is_some());
        let lifetime = if longest || required {
            // One of two is changed, the other kept: as it is in this version.
            let is = self.admin.namespace(by, &id).await?.record;
            expected = expected.or(Some(is.version).filter(|_| is.made == Made::Here));
            let said = span("max_lifetime", given.max_lifetime)?;
            Some(LifetimeRules {
                longest: if longest { said } else { is.lifetime.longest },
                required: if required { given.require_expiry } else { is.lifetime.required },
            })
        } else {
            None
        };
        let parent = mask.filled("parent_id", given.parent_id);
        let edit = NamespaceEdit {
            parent: parent.map(|id| ids::namespace("parent_id", &id)).transpose()?,
            name: mask.filled("name", given.name),
            description: mask.text("description", given.description),
            lifetime,
            expected,
        };
        Ok(namespace(&self.admin.update_namespace(by, &id, edit, at).await?))
    }

    pub async fn delete_namespace(
        &self,
        by: &Actor,
        request: m::DeleteNamespaceRequest,
        at: Moment<'_>,
    ) -> Result<m::DeleteNamespaceResponse, ApiError> {
        let id = ids::namespace("id", &request.id)?;
        let deletion = if request.force { Deletion::WithAll } else { Deletion::OnlyIfFree };
        let removal = Removal { deletion, expected: expected(&request.etag)? };
        self.admin.delete_namespace(by, &id, removal, at).await?;
        Ok(m::DeleteNamespaceResponse {})
    }

    pub async fn list_namespace_resources(
        &self,
        by: &Actor,
        request: m::ListNamespaceResourcesRequest,
        at: Moment<'_>,
    ) -> Result<m::ListNamespaceResourcesResponse, ApiError> {
        let (page, id) = (Page::of(&request)?, ids::namespace("id", &request.id)?);
        let found = self.admin.resources(by, &id, at.now).await?;
        let (part, next_cursor, total) = page.cut(found);
        let resources = part.into_iter().map(resource).collect();
        Ok(m::ListNamespaceResourcesResponse { resources, next_cursor, total })
    }

    pub async fn preview_namespace_move(
        &self,
        by: &Actor,
        request: m::PreviewNamespaceMoveRequest,
        _at: Moment<'_>,
    ) -> Result<m::NamespaceMove, ApiError> {
        let id = ids::namespace("id", &request.id)?;
        let parent = ids::namespace("parent_id", &request.parent_id)?;
        Ok(moved(self.admin.preview_move(by, &id, &parent).await?))
    }
}

/// A namespace as messages tell of it.
fn namespace(view: &NamespaceView) -> m::Namespace {
    let record = &view.record;
    let kept = record.made == Made::Here;
    m::Namespace {
        id: record.id.to_string(),
        parent_id: record.parent.as_ref().map(ToString::to_string).unwrap_or_default(),
        name: record.name.as_str().to_owned(),
        description: Some(record.description.clone()),
        max_lifetime: record.lifetime.longest.map(Duration::of),
        require_expiry: record.lifetime.required,
        made: made(record.made),
        path: view.path.clone(),
        depth: small(view.depth as u64),
        role: view.role.map(Role::name).unwrap_or_default().to_owned(),
        role_from: view.role_from.as_ref().map(ToString::to_string).unwrap_or_default(),
        service_account_count: small(view.accounts),
        route_count: small(view.routes),
        policy_count: small(view.policies),
        effective_max_lifetime: view.lifetime.longest.map(Duration::of),
        effective_require_expiry: view.lifetime.wants_expiry(),
        created_at: told(record.created).filter(|_| kept),
        modified_at: told(record.modified).filter(|_| kept),
        etag: etag(record.made, record.version),
    }
}

fn resource(found: Resource) -> m::Resource {
    m::Resource { r#type: found.kind.to_owned(), id: found.id, name: found.name }
}

fn moved(preview: MovePreview) -> m::NamespaceMove {
    let accounts = |found: Vec<(String, u64)>| {
        let told = |(namespace_path, count): (String, u64)| m::NamespaceAccounts {
            namespace_path,
            service_account_count: small(count),
        };
        found.into_iter().map(told).collect()
    };
    m::NamespaceMove {
        lose: accounts(preview.lose),
        gain: accounts(preview.gain),
        enforced_policies_lost: preview.enforced_lost,
        enforced_policies_gained: preview.enforced_gained,
        route_count: small(preview.routes),
        obstacles: preview.obstacles,
    }
}
