//! Acting as somebody else: whether it is permitted, and who that is.
//!
//! The effective person replaces the real one completely. Nothing of the actor but their identity
//! as actor goes on from here.

use super::claims::{ClaimValue, Claims};
use super::credential::Source;
use super::directory::Directory;
use super::rules::{ImpersonationRules, Target};
use super::verify::{SessionClaims, VerifiedToken};
use super::{Caller, Identity, Person, Session};
use std::collections::BTreeMap;
use std::sync::Arc;

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
    let asked = Target {
        email: claims.impersonate_email.as_deref(),
        groups: claims.impersonate_groups.as_deref(),
        known: None,
    };
    let permitted =
        rules.permits_token(&holder, claims) && rules.permits_target(&holder, &asked, directory);
    let identity = Arc::new(Identity { subject: target, actor: Some(holder), session });
    if permitted { Caller::Identified(identity) } else { Caller::Refused(identity) }
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
        return Some(member_of(given_groups?, directory));
    };
    Some(person_called(&email, given_groups, directory))
}

/// A member of these groups who is nobody in particular.
pub fn member_of(groups: Vec<String>, directory: &Directory) -> Person {
    let group_names = directory.names_of(&groups);
    describe(Person { groups: Some(groups), group_names, ..Person::default() })
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
    describe(Person {
        subject: id.clone(),
        user: id,
        email: known.map_or_else(|| email.to_owned(), |user| user.email.clone()),
        name: known.map(|user| user.display_name.clone()).unwrap_or_default(),
        group_names: directory.names_of(groups.as_deref().unwrap_or_default()),
        groups,
        claims: Claims::default(),
    })
}

/// Gives somebody the claims that their own token would carry, as far as they are known.
pub fn describe(person: Person) -> Person {
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
