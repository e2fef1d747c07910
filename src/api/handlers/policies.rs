//! Policies.

use super::{Handlers, ids, made, once, small, told};
use crate::admin::{
    Actor, AdminError, Deletion, NewPolicy, PolicyEdit, PolicyView, PolicyWanted, Removal,
};
use crate::api::error::ApiError;
use crate::api::mask::{Mask, etag, expected};
use crate::api::message as m;
use crate::api::page::Page;
use crate::document::Problem;
use crate::namespace::Made;
use crate::people::Moment;

/// What can be changed of a policy.
pub(super) const EDITABLE: [&str; 7] =
    ["name", "description", "explanation", "remediation", "text", "enforced", "route_ids"];

impl Handlers {
    pub async fn list_policies(
        &self,
        by: &Actor,
        request: m::ListPoliciesRequest,
        _at: Moment<'_>,
    ) -> Result<m::ListPoliciesResponse, ApiError> {
        let page = Page::of(&request)?;
        let which = PolicyWanted {
            namespace: ids::namespace_or_all("namespace", &request.namespace)?,
            recursive: request.recursive.unwrap_or(true),
            usable_in: ids::namespace_or_all("usable_in", &request.usable_in)?,
            text: request.q,
        };
        let (part, next_cursor, total) = page.cut(self.admin.policies(by, &which).await?);
        let policies = part.into_iter().map(policy).collect();
        Ok(m::ListPoliciesResponse { policies, next_cursor, total })
    }

    pub async fn get_policy(
        &self,
        by: &Actor,
        request: m::GetPolicyRequest,
        _at: Moment<'_>,
    ) -> Result<m::Policy, ApiError> {
        Ok(policy(self.admin.policy(by, ids::named("id", &request.id)?).await?))
    }

    pub async fn create_policy(
        &self,
        by: &Actor,
        request: m::CreatePolicyRequest,
        at: Moment<'_>,
    ) -> Result<m::Policy, ApiError> {
        let new = NewPolicy {
            namespace: ids::namespace_or_global("namespace_id", &request.namespace_id)?,
            name: request.name,
            description: request.description,
            explanation: request.explanation,
            remediation: request.remediation,
            text: request.text,
            enforced: request.enforced,
            routes: request.route_ids.into_iter().collect(),
            idempotency_key: once(request.idempotency_key),
        };
        let made = self.admin.create_policy(by, new, at).await;
        Ok(policy(made.map_err(in_words)?))
    }

    pub async fn update_policy(
        &self,
        by: &Actor,
        request: m::UpdatePolicyRequest,
        at: Moment<'_>,
    ) -> Result<m::Policy, ApiError> {
        let given = request.policy.unwrap_or_default();
        let mask = Mask::read(request.update_mask.as_ref(), "Policy", &EDITABLE)?;
        let id = self.stored_policy(by, &given.id).await?;
        let routes = mask.names("route_ids", !given.route_ids.is_empty());
        let edit = PolicyEdit {
            name: mask.filled("name", given.name),
            description: mask.text("description", given.description),
            explanation: mask.text("explanation", given.explanation),
            remediation: mask.text("remediation", given.remediation),
            text: mask.filled("text", given.text),
            enforced: mask.flag("enforced", given.enforced),
            routes: routes.then(|| given.route_ids.into_iter().collect()),
            expected: expected(&given.etag)?,
        };
        let changed = self.admin.update_policy(by, &id, edit, at).await;
        Ok(policy(changed.map_err(in_words)?))
    }

    pub async fn delete_policy(
        &self,
        by: &Actor,
        request: m::DeletePolicyRequest,
        at: Moment<'_>,
    ) -> Result<m::DeletePolicyResponse, ApiError> {
        let id = self.stored_policy(by, &request.id).await?;
        let deletion =
            if request.remove_from_routes { Deletion::WithAll } else { Deletion::OnlyIfFree };
        let removal = Removal { deletion, expected: expected(&request.etag)? };
        self.admin.delete_policy(by, &id, removal, at).await?;
        Ok(m::DeletePolicyResponse {})
    }

    pub async fn validate_policy(
        &self,
        by: &Actor,
        request: m::ValidatePolicyRequest,
        _at: Moment<'_>,
    ) -> Result<m::ValidatePolicyResponse, ApiError> {
        let problems = self.admin.check_policy(by, &request.text).await?;
        Ok(m::ValidatePolicyResponse { problems: problems.iter().map(problem).collect() })
    }

    /// One of the store. Whoever sees one of the configuration is told where it is changed.
    async fn stored_policy(&self, by: &Actor, id: &str) -> Result<crate::id::PolicyId, ApiError> {
        let read = ids::policy(id);
        if read.is_err() && !id.is_empty() && self.admin.policy(by, id).await?.made != Made::Here {
            let detail = "this policy is written in the configuration; change it there";
            return Err(AdminError::Refused(detail.to_owned()).into());
        }
        read
    }
}

/// With fields as the messages call them.
fn in_words(error: AdminError) -> ApiError {
    ApiError::from(error).called(&[("policy", "text"), ("routes", "route_ids")])
}

/// A policy as messages tell of it.
fn policy(view: PolicyView) -> m::Policy {
    let kept = view.made == Made::Here;
    m::Policy {
        id: view.id,
        namespace_id: view.namespace.to_string(),
        namespace_path: view.namespace_path,
        name: view.name,
        description: Some(view.description),
        explanation: Some(view.explanation),
        remediation: Some(view.remediation),
        text: view.text,
        enforced: Some(view.enforced),
        route_ids: view.routes.into_iter().collect(),
        made: made(view.made),
        broken: view.broken,
        created_at: told(view.created).filter(|_| kept),
        modified_at: told(view.modified).filter(|_| kept),
        modified_by: view.modified_by,
        etag: etag(view.made, view.version),
    }
}

fn problem(found: &Problem) -> m::PolicyProblem {
    let number = |place: Option<usize>| small(place.unwrap_or_default() as u64);
    m::PolicyProblem {
        code: found.code.to_owned(),
        message: found.message.clone(),
        help: found.help.clone().unwrap_or_default(),
        line: number(found.place.line()),
        column: number(found.place.column()),
    }
}
