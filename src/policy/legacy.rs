//! The route fields from before there was a policy language, as one policy.

use super::Policy;
use super::criterion::Criterion;
use super::matcher::{ListMatch, ListTest, StringMatch, StringTest};
use crate::identity::{ClaimValue, Claims};

/// The legacy access fields of a route. `None` for a list means it was not written at all.
#[derive(Debug, Default)]
pub struct LegacyFields {
    pub allow_public_unauthenticated_access: bool,
    pub cors_allow_preflight: bool,
    pub allow_any_authenticated_user: bool,
    pub allowed_domains: Option<Vec<String>>,
    pub allowed_users: Option<Vec<String>>,
    pub allowed_idp_claims: Claims,
}

impl LegacyFields {
    /// One allow rule with every field as a member of its `or`. No field, no rule.
    pub fn into_policy(self) -> Policy {
        let mut criteria = Vec::new();
        let flags = [
            (self.allow_public_unauthenticated_access, Criterion::Accept),
            (self.cors_allow_preflight, Criterion::CorsPreflight),
            (self.allow_any_authenticated_user, Criterion::AuthenticatedUser),
        ];
        criteria.extend(flags.into_iter().filter(|(set, _)| *set).map(|(_, criterion)| criterion));
        criteria.extend(
            self.allowed_domains.iter().flatten().map(|domain| Criterion::Domain(is(domain))),
        );
        for (name, values) in self.allowed_idp_claims.as_map() {
            if let ClaimValue::List(values) = values {
                criteria.extend(values.iter().map(|value| Criterion::Claim {
                    path: name.clone(),
                    values: ListMatch(vec![ListTest::Has(value.clone())]),
                }));
            }
        }
        for user in self.allowed_users.iter().flatten() {
            criteria.push(Criterion::User(is(user)));
            criteria.push(Criterion::Email(is(user)));
        }
        Policy::any_of(criteria)
    }
}

fn is(text: &str) -> StringMatch {
    StringMatch(vec![StringTest::Is(ClaimValue::Text(text.to_owned()))])
}
