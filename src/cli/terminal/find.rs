//! Things by what somebody calls them: an id, or a name where only one has it.

use super::{Stop, Terminal};
use crate::admin::{AccountsWanted, AdminError, PolicyView, PolicyWanted, What};
use crate::cli::Exit;
use crate::document::nearest;
use crate::id::{NamespaceId, PolicyId, ServiceAccountId};
use crate::namespace::NamespaceName;
use std::collections::BTreeSet;

/// So many are named where a name fits several.
const NAMED: usize = 5;

impl Terminal {
    /// A namespace by its id, or by the way to it: `Global / Design`, `Design/Web`.
    pub(in crate::cli) fn namespace(&self, text: &str) -> Result<NamespaceId, Stop> {
        let snapshot = self.snapshot();
        let tree = &snapshot.catalog.tree;
        let by_id = NamespaceId::parse(text).filter(|id| tree.get(id).is_some());
        let asked = way(text);
        let by_way = tree.all().filter(|record| leads(&asked, &way(&tree.path(&record.id))));
        let found: BTreeSet<NamespaceId> =
            by_id.into_iter().chain(by_way.map(|record| record.id.clone())).collect();
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(id), None) => Ok(id),
            (Some(one), Some(other)) => {
                let named = [one, other].map(|id| format!("`{}` ({id})", tree.path(&id)));
                Err(several("namespace", text, &named))
            }
            (None, _) => {
                let paths: Vec<String> = tree.all().map(|record| tree.path(&record.id)).collect();
                let known: Vec<&str> = paths.iter().map(String::as_str).collect();
                let help = match nearest(text, &known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => super::names_of(What::Namespace).to_owned(),
                };
                Err(Stop::said(format!("there is no namespace `{text}`"), help, Exit::Denied))
            }
        }
    }

    /// A service account by its id, or by the user id that it alone has.
    pub(in crate::cli) async fn account(&self, text: &str) -> Result<ServiceAccountId, Stop> {
        if let Some(id) = ServiceAccountId::parse(text) {
            return Ok(id);
        }
        let which = AccountsWanted {
            recursive: true,
            user: Some(text.to_owned()),
            limit: NAMED,
            ..AccountsWanted::default()
        };
        let found = self.admin.accounts(&self.by, &which, self.now()).await?;
        match found.views.as_slice() {
            [view] if found.total == 1 => Ok(view.record.id.clone()),
            [] => {
                let message = format!("there is no service account `{text}`");
                let help = "name it as `lictor service-account list` does: sa_…, or by its user id";
                Err(Stop::said(message, help, Exit::Denied))
            }
            views => {
                let named: Vec<String> = views
                    .iter()
                    .map(|view| format!("`{}` ({})", view.record.id, view.namespace_path))
                    .collect();
                Err(several("service account", text, &named))
            }
        }
    }

    /// A policy by its id, or by a name that it alone has.
    pub(in crate::cli) async fn policy(&self, text: &str) -> Result<PolicyView, Stop> {
        if PolicyId::parse(text).is_some() {
            return Ok(self.admin.policy(&self.by, text).await?);
        }
        let which = PolicyWanted { recursive: true, ..PolicyWanted::default() };
        let all = self.admin.policies(&self.by, &which).await?;
        let called = text.to_lowercase();
        let mut found: Vec<PolicyView> =
            all.into_iter().filter(|policy| policy.name.to_lowercase() == called).collect();
        match (found.pop(), found.as_slice()) {
            (Some(view), []) => Ok(view),
            (None, _) => Err(AdminError::NotFound(What::Policy).into()),
            (Some(last), rest) => {
                let named = rest.iter().chain([&last]).take(NAMED);
                let named = named.map(|view| format!("`{}` ({})", view.id, view.namespace_path));
                Err(several("policy", text, &named.collect::<Vec<_>>()))
            }
        }
    }
}

/// The id of a policy that can be changed here.
pub(in crate::cli) fn stored(view: &PolicyView) -> Result<PolicyId, Stop> {
    PolicyId::parse(&view.id).ok_or_else(|| {
        let message = format!("the policy `{}` is one of the configuration", view.name);
        Stop::said(message, "change it there, under `policies`", Exit::Denied)
    })
}

/// SECURITY: never one of several by chance.
fn several(what: &str, text: &str, named: &[String]) -> Stop {
    let message = format!("`{text}` names more than one {what}: {}", named.join(", "));
    Stop::said(message, "write the id", Exit::Denied)
}

/// The names on a way, as they are compared; a name cannot hold a slash.
fn way(text: &str) -> Vec<String> {
    let folded = |part: &str| match NamespaceName::parse(part.trim()) {
        Ok(name) => name.folded(),
        Err(_) => String::new(),
    };
    text.split('/').map(folded).collect()
}

/// Whether `asked` is `full`, or all of it but Global.
fn leads(asked: &[String], full: &[String]) -> bool {
    !asked.iter().any(String::is_empty) && (asked == full || full.get(1..) == Some(asked))
}

#[cfg(test)]
mod tests {
    use super::{leads, way};

    #[test]
    fn ways_to_a_namespace() {
        let full = way("Global / Design / Web");
        for asked in ["Global / Design / Web", "global/design/web", "Design/Web", " design / WEB "]
        {
            assert!(leads(&way(asked), &full), "{asked}");
        }
        for asked in
            ["Web", "Global", "", "/", "/Design/Web", "Design//Web", "Global/Web", "Design"]
        {
            assert!(!leads(&way(asked), &full), "{asked}");
        }
        assert!(leads(&way("GLOBAL"), &way("Global")));
        assert!(!leads(&way(""), &way("Global")));
    }
}
