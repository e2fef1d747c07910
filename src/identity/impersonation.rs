//! Acting as somebody else: whether it is permitted, and who that is.
//!
//! The effective person replaces the real one completely. Nothing of the actor but their identity
//! as actor goes on from here.

use super::claims::{ClaimValue, Claims};
use super::credential::Source;
use super::directory::Directory;
use super::verify::{SessionClaims, VerifiedToken};
use super::{Caller, Identity, Person, Session};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Who may act as somebody else.
#[derive(Clone, Debug, Default)]
pub struct ImpersonationRules {
    /// `enable_user_impersonation`
    pub enabled: bool,
    /// `administrators`, lower-cased.
    pub administrators: BTreeSet<String>,
    /// `service_account_impersonation`
    pub service: ServiceImpersonation,
    /// `impersonation.max_duration`: the longest life of a token that acts as somebody else.
    pub max_duration: Option<Duration>,
    /// `impersonation.require_reason`: a token gives none, so none may act as somebody else.
    pub require_reason: bool,
}

/// Which service tokens may act as somebody else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServiceImpersonation {
    /// All: whoever minted one could have minted the target's token.
    #[default]
    Allow,
    /// Those whose own e-mail address is an administrator's.
    Administrators,
    None,
}

impl ImpersonationRules {
    /// Administrators are compared with ASCII case folded.
    pub fn is_administrator(&self, person: &Person) -> bool {
        !person.email.is_empty() && self.administrators.contains(&person.email.to_ascii_lowercase())
    }

    /// Whether somebody may act as others at all, apart from what one token says.
    pub fn permits(&self, actor: &Person, service: bool) -> bool {
        let administrator = self.is_administrator(actor);
        self.enabled
            && match (service, self.service) {
                (false, _) | (true, ServiceImpersonation::Administrators) => administrator,
                (true, ServiceImpersonation::Allow) => true,
                (true, ServiceImpersonation::None) => false,
            }
    }

    fn permit(&self, actor: &Person, claims: &SessionClaims) -> bool {
        self.permits(actor, claims.is_service)
            && !self.require_reason
            && self.max_duration.is_none_or(|max| lives_at_most(claims, max))
    }
}

/// Whom a verified token speaks for.
pub fn identify(
    token: &VerifiedToken,
    source: Source,
    rules: &ImpersonationRules,
    directory: &Directory,
) -> Caller {
    let claims = token.claims();
    let holder = holder(claims);
    let session = Session {
        id: claims.session_id.clone(),
        source,
        is_service: claims.is_service,
        usable_until: token.usable_until(),
        devices: Arc::default(),
    };
    let Some(target) = target(claims, directory) else {
        return Caller::Identified(Arc::new(Identity { subject: holder, actor: None, session }));
    };
    let permitted = rules.permit(&holder, claims);
    let identity = Arc::new(Identity { subject: target, actor: Some(holder), session });
    if permitted { Caller::Identified(identity) } else { Caller::Refused(identity) }
}

/// A token that does not say when it was issued could have any age.
fn lives_at_most(claims: &SessionClaims, max: Duration) -> bool {
    claims.issued.is_some_and(|issued| claims.expires <= issued.plus(max))
}

fn holder(claims: &SessionClaims) -> Person {
    let names: Vec<String> =
        claims.custom.values("name").filter_map(ClaimValue::scalar_text).collect();
    Person {
        subject: claims.subject.clone(),
        user: claims.user.clone(),
        email: claims.email.clone(),
        name: names.join(","),
        groups: Some(claims.groups.clone()),
        group_names: BTreeMap::new(),
        claims: claims.custom.clone(),
    }
}

/// The person asked for, if one is. Given groups replace the directory's; a group without a person
/// is a member of it who is nobody in particular.
fn target(claims: &SessionClaims, directory: &Directory) -> Option<Person> {
    let given_groups = claims.impersonate_groups.clone();
    let Some(email) = claims.impersonate_email.clone() else {
        let person = Person { groups: Some(given_groups?), ..Person::default() };
        return Some(with_claims(person));
    };
    Some(person_called(&email, given_groups, directory))
}

/// The person with this e-mail address, as far as the directory knows them. Given groups replace the
/// directory's.
pub fn person_called(
    email: &str,
    given_groups: Option<Vec<String>>,
    directory: &Directory,
) -> Person {
    let known = directory.by_email(email);
    let groups = given_groups.or_else(|| known.map(|user| user.group_ids.clone()));
    let id = known.map_or_else(|| email.to_owned(), |user| user.id.clone());
    with_claims(Person {
        subject: id.clone(),
        user: id,
        email: known.map_or_else(|| email.to_owned(), |user| user.email.clone()),
        name: known.map(|user| user.display_name.clone()).unwrap_or_default(),
        group_names: directory.names_of(groups.as_deref().unwrap_or_default()),
        groups,
        claims: Claims::default(),
    })
}

/// The claims that the person's own token would carry, as far as the directory knows them.
fn with_claims(person: Person) -> Person {
    let text = |text: &str| ClaimValue::Text(text.to_owned());
    let texts = [
        ("sub", &person.subject),
        ("user", &person.user),
        ("email", &person.email),
        ("name", &person.name),
    ];
    let mut claims: BTreeMap<String, ClaimValue> = texts
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), text(value)))
        .collect();
    let groups: Vec<ClaimValue> = person.group_ids().iter().map(|id| text(id)).collect();
    if !groups.is_empty() {
        claims.insert("groups".to_owned(), ClaimValue::List(groups));
    }
    Person { claims: Claims::flatten(claims), ..person }
}
