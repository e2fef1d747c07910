//! Questions about the person who is asking.

use super::Finding;
use crate::identity::Person;
use crate::policy::Reason;
use crate::policy::matcher::{ListMatch, StringMatch};
use std::borrow::Cow;

#[derive(Debug)]
pub(crate) enum PersonQuestion {
    Somebody,
    User(StringMatch),
    Email(StringMatch),
    Domain(StringMatch),
    Groups(ListMatch),
    Claim { path: String, values: ListMatch },
}

impl PersonQuestion {
    pub(super) fn ask(&self, person: &Person) -> Finding<'_> {
        match self {
            Self::Somebody => {
                Finding::either(person.is_somebody(), Reason::UserOk, Reason::UserUnauthorized)
            }
            Self::User(text) => {
                let holds = !person.user.is_empty() && text.matches(&person.user);
                Finding::either(holds, Reason::UserOk, Reason::UserUnauthorized)
            }
            Self::Email(text) => {
                let holds = text.matches(&person.email);
                Finding::either(holds, Reason::EmailOk, Reason::EmailUnauthorized)
            }
            Self::Domain(text) => {
                let holds = person.domain().is_some_and(|domain| text.matches(domain));
                Finding::either(holds, Reason::DomainOk, Reason::DomainUnauthorized)
            }
            Self::Groups(list) => {
                let groups = person.groups.as_deref();
                let holds = groups.is_some_and(|groups| list.matches_texts(groups));
                Finding::either(holds, Reason::GroupsOk, Reason::GroupsUnauthorized)
            }
            Self::Claim { path, values } => {
                let holds = values.matches(|| person.claims.values(path));
                Finding::either(holds, Reason::ClaimOk, Reason::ClaimUnauthorized)
            }
        }
    }

    pub(super) fn saw(&self, person: &Person) -> Cow<'static, str> {
        match self {
            Self::Somebody | Self::User(_) if person.user.is_empty() => "no user id".into(),
            Self::Somebody | Self::User(_) => "a user id".into(),
            Self::Email(_) if person.email.is_empty() => "no e-mail address".into(),
            Self::Email(_) => "an e-mail address".into(),
            Self::Domain(_) if person.domain().is_none() => {
                "no e-mail address with exactly one `@`".into()
            }
            Self::Domain(_) => "the domain of an e-mail address".into(),
            Self::Groups(_) => match person.groups.as_deref() {
                None => "somebody the directory does not know".into(),
                Some([]) => "no groups".into(),
                Some(groups) => count(groups.len(), "group"),
            },
            Self::Claim { path, .. } => match person.claims.values(path).count() {
                0 => "no such claim, or an empty one".into(),
                many => count(many, "claim value"),
            },
        }
    }
}

fn count(number: usize, what: &str) -> Cow<'static, str> {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}").into()
}
