//! Routes.

use super::accounts::mention;
use super::{Handlers, ids, made, once, told};
use crate::admin::{Actor, AdminError, NewRoute, RouteEdit, RouteView, RouteWanted};
use crate::api::error::ApiError;
use crate::api::mask::{Mask, etag, expected};
use crate::api::message as m;
use crate::api::message::{create_route_request, route::Matcher};
use crate::api::page::Page;
use crate::catalog::RoutePath;
use crate::namespace::Made;
use crate::people::Moment;

/// What can be changed of a route.
pub(super) const EDITABLE: [&str; 10] = [
    "namespace_id",
    "description",
    "from",
    "path",
    "prefix",
    "path_separated_prefix",
    "regex",
    "policy_ids",
    "pass_identity_headers",
    "show_error_details",
];
/// Those of which one says which paths.
const MATCHERS: [&str; 4] = ["path", "prefix", "path_separated_prefix", "regex"];

impl Handlers {
    pub async fn list_routes(
        &self,
        by: &Actor,
        request: m::ListRoutesRequest,
        _at: Moment<'_>,
    ) -> Result<m::ListRoutesResponse, ApiError> {
        let page = Page::of(&request)?;
        let which = RouteWanted {
            namespace: ids::namespace_or_all("namespace", &request.namespace)?,
            recursive: request.recursive.unwrap_or(true),
            text: request.q,
            offset: page.offset(),
            limit: page.limit,
        };
        let (part, total) = self.admin.routes(by, &which).await?;
        let next_cursor = page.next(part.len(), total as u64);
        let total = u32::try_from(total).unwrap_or(u32::MAX);
        let routes = part.into_iter().map(route).collect();
        Ok(m::ListRoutesResponse { routes, next_cursor, total })
    }

    pub async fn get_route(
        &self,
        by: &Actor,
        request: m::GetRouteRequest,
        _at: Moment<'_>,
    ) -> Result<m::Route, ApiError> {
        Ok(route(self.admin.route(by, ids::named("id", &request.id)?).await?))
    }

    pub async fn create_route(
        &self,
        by: &Actor,
        request: m::CreateRouteRequest,
        at: Moment<'_>,
    ) -> Result<m::Route, ApiError> {
        use create_route_request::Matcher as New;
        let path = match request.matcher {
            None => RoutePath::Any,
            Some(New::Path(text)) => RoutePath::Exact(text),
            Some(New::Prefix(text)) => RoutePath::Prefix(text),
            Some(New::PathSeparatedPrefix(text)) => RoutePath::SeparatedPrefix(text),
            Some(New::Regex(text)) => RoutePath::Regex(text),
        };
        let new = NewRoute {
            id: request.id,
            namespace: ids::namespace_or_global("namespace_id", &request.namespace_id)?,
            description: request.description,
            from: request.from,
            path,
            pass_identity_headers: request.pass_identity_headers,
            show_error_details: request.show_error_details,
            policies: request.policy_ids,
            idempotency_key: once(request.idempotency_key),
        };
        let made = self.admin.create_route(by, new, at).await;
        Ok(route(made.map_err(in_words)?))
    }

    pub async fn update_route(
        &self,
        by: &Actor,
        request: m::UpdateRouteRequest,
        at: Moment<'_>,
    ) -> Result<m::Route, ApiError> {
        let given = request.route.unwrap_or_default();
        let mask = Mask::read(request.update_mask.as_ref(), "Route", &EDITABLE)?;
        let policies = mask.names("policy_ids", !given.policy_ids.is_empty());
        let there = given.matcher.is_some();
        let matcher = MATCHERS.iter().any(|name| mask.names(name, there));
        let namespace = mask.filled("namespace_id", given.namespace_id);
        let edit = RouteEdit {
            namespace: namespace.map(|id| ids::namespace("namespace_id", &id)).transpose()?,
            description: mask.text("description", given.description),
            from: mask.filled("from", given.from),
            path: matcher.then(|| paths(given.matcher)),
            pass_identity_headers: mask.flag("pass_identity_headers", given.pass_identity_headers),
            show_error_details: mask.flag("show_error_details", given.show_error_details),
            policies: policies.then_some(given.policy_ids),
            expected: expected(&given.etag)?,
        };
        let id = ids::named("id", &given.id)?;
        let changed = self.admin.update_route(by, id, edit, at).await;
        Ok(route(changed.map_err(in_words)?))
    }

    pub async fn delete_route(
        &self,
        by: &Actor,
        request: m::DeleteRouteRequest,
        at: Moment<'_>,
    ) -> Result<m::DeleteRouteResponse, ApiError> {
        let id = ids::named("id", &request.id)?;
        self.admin.delete_route(by, id, expected(&request.etag)?, at).await?;
        Ok(m::DeleteRouteResponse {})
    }
}

fn paths(matcher: Option<Matcher>) -> RoutePath {
    match matcher {
        None => RoutePath::Any,
        Some(Matcher::Path(text)) => RoutePath::Exact(text),
        Some(Matcher::Prefix(text)) => RoutePath::Prefix(text),
        Some(Matcher::PathSeparatedPrefix(text)) => RoutePath::SeparatedPrefix(text),
        Some(Matcher::Regex(text)) => RoutePath::Regex(text),
    }
}

/// With fields as the messages call them.
fn in_words(error: AdminError) -> ApiError {
    ApiError::from(error).called(&[("policies", "policy_ids")])
}

/// A route as messages tell of it.
fn route(view: RouteView) -> m::Route {
    let kept = view.made == Made::Here;
    let given =
        |policy: &&crate::admin::PolicyMention| policy.made == Made::Here && !policy.enforced;
    m::Route {
        id: view.id.to_string(),
        namespace_id: view.namespace.to_string(),
        namespace_path: view.namespace_path,
        description: Some(view.description),
        from: view.from,
        matcher: matcher(&view.path),
        policy_ids: view.policies.iter().filter(given).map(|policy| policy.id.clone()).collect(),
        pass_identity_headers: Some(view.pass_identity_headers),
        show_error_details: Some(view.show_error_details),
        policies: view.policies.into_iter().map(mention).collect(),
        own_policy: view.own_policy,
        overlaps: view.overlaps,
        made: made(view.made),
        created_at: told(view.created).filter(|_| kept),
        modified_at: told(view.modified).filter(|_| kept),
        modified_by: view.modified_by,
        etag: etag(view.made, view.version),
    }
}

/// Of `prefix: /api/`, as views write it.
fn matcher(text: &str) -> Option<Matcher> {
    let (key, value) = text.split_once(": ")?;
    match RoutePath::of(key, value)? {
        RoutePath::Any => None,
        RoutePath::Exact(text) => Some(Matcher::Path(text)),
        RoutePath::Prefix(text) => Some(Matcher::Prefix(text)),
        RoutePath::SeparatedPrefix(text) => Some(Matcher::PathSeparatedPrefix(text)),
        RoutePath::Regex(text) => Some(Matcher::Regex(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::{matcher, paths};
    use crate::catalog::RoutePath;

    #[test]
    fn paths_come_back_as_they_went() {
        let all = [
            RoutePath::Any,
            RoutePath::Exact("/a: b".to_owned()),
            RoutePath::Prefix("/api/".to_owned()),
            RoutePath::SeparatedPrefix("/api".to_owned()),
            RoutePath::Regex("^/x: [0-9]+$".to_owned()),
        ];
        for path in all {
            let text = path.parts().map(|(key, text)| format!("{key}: {text}"));
            assert_eq!(paths(matcher(&text.unwrap_or_default())), path);
        }
    }
}
