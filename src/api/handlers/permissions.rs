//! Roles that are given.

use super::{Handlers, ids, told};
use crate::admin::{Actor, AdminError, PermissionView, What};
use crate::api::error::{ApiError, Violation};
use crate::api::message as m;
use crate::api::page::Page;
use crate::namespace::{Permission, Role, Subject};
use crate::people::Moment;

impl Handlers {
    pub async fn list_permissions(
        &self,
        by: &Actor,
        request: m::ListPermissionsRequest,
        _at: Moment<'_>,
    ) -> Result<m::ListPermissionsResponse, ApiError> {
        let (page, id) =
            (Page::of(&request)?, ids::namespace("namespace_id", &request.namespace_id)?);
        let mut found = self.admin.permissions(by, &id).await?;
        found.retain(|view| view.inherited_from.is_none());
        Ok(part(&page, found))
    }

    pub async fn list_effective_permissions(
        &self,
        by: &Actor,
        request: m::ListPermissionsRequest,
        _at: Moment<'_>,
    ) -> Result<m::ListPermissionsResponse, ApiError> {
        let (page, id) =
            (Page::of(&request)?, ids::namespace("namespace_id", &request.namespace_id)?);
        Ok(part(&page, self.admin.permissions(by, &id).await?))
    }

    pub async fn grant_permission(
        &self,
        by: &Actor,
        request: m::GrantPermissionRequest,
        at: Moment<'_>,
    ) -> Result<m::Permission, ApiError> {
        let id = ids::namespace("namespace_id", &request.namespace_id)?;
        let given = given(&request)?;
        let permission = self.admin.grant(by, &id, given, at).await?;
        // With how the subject is called, as lists tell it.
        let views = self.admin.permissions(by, &id).await?;
        let view = views.into_iter().find(|view| view.permission.id == permission.id);
        Ok(view.map_or_else(|| bare(&permission), |view| seen(&view)))
    }

    pub async fn remove_permission(
        &self,
        by: &Actor,
        request: m::RemovePermissionRequest,
        at: Moment<'_>,
    ) -> Result<m::RemovePermissionResponse, ApiError> {
        let id = ids::permission(&request.id)?;
        if let Some(namespace) = ids::namespace_or_all("namespace_id", &request.namespace_id)? {
            let there = self.admin.permissions(by, &namespace).await?;
            let own = |view: &PermissionView| view.permission.namespace == namespace;
            if !there.iter().any(|view| own(view) && view.permission.id == id) {
                return Err(AdminError::NotFound(What::Permission).into());
            }
        }
        self.admin.remove_permission(by, &id, at).await?;
        Ok(m::RemovePermissionResponse {})
    }
}

fn given(request: &m::GrantPermissionRequest) -> Result<(Subject, Role), ApiError> {
    let mut wrong = Vec::new();
    let subject = Subject::of(&request.subject_type, &request.subject_id);
    if subject.is_none() {
        wrong.push(Violation::new("subject_type", "write `user` or `group`"));
    }
    if request.subject_id.is_empty() {
        wrong.push(Violation::new("subject_id", "write a user id or a group id"));
    }
    let role = Role::parse(&request.role);
    if role.is_none() {
        wrong.push(Violation::new("role", "write `viewer`, `manager` or `admin`"));
    }
    match (subject, role) {
        (Some(subject), Some(role)) if wrong.is_empty() => Ok((subject, role)),
        _ => Err(ApiError::invalid(wrong)),
    }
}

fn part(page: &Page, mut found: Vec<PermissionView>) -> m::ListPermissionsResponse {
    found.sort_by_key(|view| view.inherited_from.is_some());
    let (part, next_cursor, total) = page.cut(found);
    let permissions = part.iter().map(seen).collect();
    m::ListPermissionsResponse { permissions, next_cursor, total }
}

fn bare(permission: &Permission) -> m::Permission {
    m::Permission {
        id: permission.id.to_string(),
        namespace_id: permission.namespace.to_string(),
        subject_type: permission.subject.kind().to_owned(),
        subject_id: permission.subject.id().to_owned(),
        role: permission.role.name().to_owned(),
        inherited_from: String::new(),
        name: String::new(),
        email: String::new(),
        created_at: told(permission.created),
        created_by: permission.created_by.clone(),
    }
}

fn seen(view: &PermissionView) -> m::Permission {
    m::Permission {
        inherited_from: view.inherited_from.clone().unwrap_or_default(),
        name: view.name.clone(),
        email: view.email.clone(),
        ..bare(&view.permission)
    }
}
