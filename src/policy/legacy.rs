//! The route fields from before there was a policy language, as one policy.

use super::compile::joined;
use super::criterion::{Criterion, PersonQuestion, Question, RequestQuestion, Written};
use super::matcher::{Case, ListMatch, StringMatch};
use super::{Effect, Language, Operator, Policy};
use crate::document::{Place, quoted};
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
    /// One allow rule with every field as a member of its `or`. No field, no rule. `place_of` says
    /// where a field is written, or of a list the element at an index.
    pub fn into_policy(
        self,
        language: Language,
        place_of: impl Fn(&str, Option<usize>) -> Place,
    ) -> Policy {
        let mut criteria = Vec::new();
        let mut add = |(field, index): (&str, Option<usize>), text, question| {
            let written = Written { text, place: place_of(field, index) };
            criteria.push(Criterion { question, written, members: Vec::new() });
        };
        let case = language.mail_case();
        if self.allow_public_unauthenticated_access {
            let field = "allow_public_unauthenticated_access";
            add((field, None), "{accept: true}".to_owned(), Question::Always(true));
        }
        if self.cors_allow_preflight {
            let question = Question::Request(RequestQuestion::CorsPreflight);
            add(("cors_allow_preflight", None), "{cors_preflight: true}".to_owned(), question);
        }
        if self.allow_any_authenticated_user {
            let question = Question::Person(PersonQuestion::Somebody);
            let field = "allow_any_authenticated_user";
            add((field, None), "{authenticated_user: true}".to_owned(), question);
        }
        for (index, domain) in self.allowed_domains.iter().flatten().enumerate() {
            let question = Question::Person(PersonQuestion::Domain(StringMatch::is(domain, case)));
            let text = format!("{{domain: {{is: {}}}}}", quoted(domain));
            add(("allowed_domains", Some(index)), text, question);
        }
        for (name, values) in self.allowed_idp_claims.as_map() {
            let ClaimValue::List(values) = values else { continue };
            for value in values {
                let text = format!(
                    "{{{}: {{has: {}}}}}",
                    quoted(&format!("claim/{name}")),
                    value.to_json()
                );
                let values = ListMatch::has(value.clone());
                let question = PersonQuestion::Claim { path: name.clone(), values };
                add(("allowed_idp_claims", None), text, Question::Person(question));
            }
        }
        for (index, user) in self.allowed_users.iter().flatten().enumerate() {
            let (id, email) = (StringMatch::is(user, Case::Exact), StringMatch::is(user, case));
            let text = |name: &str| format!("{{{name}: {{is: {}}}}}", quoted(user));
            let at = ("allowed_users", Some(index));
            add(at, text("user"), Question::Person(PersonQuestion::User(id)));
            add(at, text("email"), Question::Person(PersonQuestion::Email(email)));
        }
        Policy::one_group(Effect::Allow, joined(criteria, Operator::Or))
    }
}
