//! Our own pages, when Envoy asks about them instead of sending them straight to us. Decided by the
//! path alone, never by the query.

use crate::policy::Policy;
use crate::request::{Path, Request, Target};
use crate::state::InternalPolicies;

/// Who may see a page of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Internal {
    Everybody,
    SignedIn,
    Administrator,
}

impl Internal {
    /// `None` if the request is not for a page of ours. SECURITY: where Envoy has named a route, it is
    /// about to send the request to that route's upstream, whatever its path looks like; and a path
    /// that is read in two ways is no page of ours.
    pub(super) fn of(request: &Request, target: &Target) -> Option<Self> {
        let text = target.path.as_str();
        let plain = |_: &Self| request.route_id.is_none() && Path::parse(text).is_ok();
        Self::of_path(text).filter(plain)
    }

    /// `None` if the path is not one of ours.
    fn of_path(path: &str) -> Option<Self> {
        match path {
            "/.well-known/pomerium"
            | "/.well-known/pomerium/jwks.json"
            | "/.pomerium/callback/"
            | "/.pomerium/sign_out"
            | "/.pomerium/api/v1/login" => {
                return Some(Self::Everybody);
            }
            "/.pomerium" | "/.pomerium/" => return Some(Self::SignedIn),
            _ => {}
        }
        let below = path.strip_prefix("/.pomerium/")?;
        let admin = below == "admin" || below.starts_with("admin/");
        Some(if admin { Self::Administrator } else { Self::SignedIn })
    }

    pub(super) fn policy(self, policies: &InternalPolicies) -> &Policy {
        match self {
            Self::Everybody => &policies.public,
            Self::SignedIn | Self::Administrator => &policies.signed_in,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Internal;

    #[test]
    fn by_path_alone() {
        let check = |path: &str, expected| assert_eq!(Internal::of_path(path), expected, "{path}");
        check("/.pomerium", Some(Internal::SignedIn));
        check("/.pomerium/", Some(Internal::SignedIn));
        check("/.pomerium/callback/", Some(Internal::Everybody));
        check("/.pomerium/admin/impersonate", Some(Internal::Administrator));
        check("/.pomerium/administrivia", Some(Internal::SignedIn));
        check("/.pomeriumx", None);
        check("/x/.pomerium/", None);
        check("/.well-known/pomerium/other", None);
    }
}
