//! From what is known to what pages show.

use super::guard;
use super::visit::{Visit, Visitor};
use crate::activity::Who;
use crate::admin::Actor;
use crate::authorizer::SessionUse;
use crate::identity::{Caller, ClaimValue, Directory, Identity, Person};
use crate::pages::{self, Acting, Band, Claim, Frame, Group, Navigation, Target};
use crate::people::{NotPermitted, administrator};
use crate::provider::LocalUsers;
use crate::session::{Impersonation, SessionRecord};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// The frame for nobody.
pub(crate) fn nobody(now: Timestamp) -> Frame {
    Frame {
        now,
        signed_in_as: String::new(),
        band: None,
        navigation: Navigation::Nobody,
        console: false,
        csrf: String::new(),
        shell: None,
    }
}

/// The frame for a visitor.
pub(crate) fn frame(visit: &Visit, visitor: &Visitor) -> Frame {
    let Some(identity) = visitor.identity() else {
        return nobody(visit.now);
    };
    let may = administrator(&visit.settings().impersonation, &visitor.caller).is_ok()
        && visitor.in_person().is_ok();
    let secret = visitor.session.as_ref().map(|used| used.secret.expose().as_str());
    Frame {
        now: visit.now,
        signed_in_as: called(identity.holder()),
        band: band(visit, visitor, identity),
        navigation: if may { Navigation::Administrator } else { Navigation::Person },
        console: has_console(visit, visitor),
        csrf: secret.map(|secret| guard::token(secret, &visit.host)).unwrap_or_default(),
        shell: None,
    }
}

/// Whether the console is on this host, and would let the visitor in.
fn has_console(visit: &Visit, visitor: &Visitor) -> bool {
    let Ok(used) = visitor.in_person() else {
        return false;
    };
    visit.is_authenticate_host() && visit.desk().is_ok() && has_role(visit, &actor(visit, used))
}

/// Who asks for a page, as administration sees them.
pub(crate) fn actor(visit: &Visit, used: &SessionUse) -> Actor {
    Actor::of_session(&used.record, &visit.settings().impersonation, &visit.snapshot.directory)
}

/// Whether they have a role in any namespace.
pub(crate) fn has_role(visit: &Visit, actor: &Actor) -> bool {
    visit.snapshot.catalog.tree.roles(actor.reach()).is_any()
}

/// How somebody is called: e-mail address, else user id.
pub(super) fn called(person: &Person) -> String {
    if person.email.is_empty() { person.user.clone() } else { person.email.clone() }
}

fn band(visit: &Visit, visitor: &Visitor, identity: &Identity) -> Option<Band> {
    identity.actor.as_ref()?;
    let directory = &visit.snapshot.directory;
    let asked = visitor.session.as_ref().and_then(|used| used.record.impersonation.as_ref());
    let shown =
        asked.map_or_else(|| target_of_person(&identity.subject), |asked| target(asked, directory));
    Some(match &visitor.caller {
        Caller::Refused(_) => Band::Refused { target: shown, why: why_refused(visit, identity) },
        Caller::Identified(_) | Caller::Anonymous(_) => Band::Acting(Acting {
            target: shown,
            reason: asked.map(|asked| asked.reason.clone()).unwrap_or_default(),
            until: identity.session.usable_until,
        }),
    })
}

/// In one sentence.
fn why_refused(visit: &Visit, identity: &Identity) -> String {
    let rules = &visit.settings().impersonation;
    let why = if !rules.enabled {
        NotPermitted::TurnedOff
    } else if rules.is_administrator(identity.holder()) {
        NotPermitted::Target
    } else {
        NotPermitted::NoAdministrator
    };
    sentence(&why.to_string())
}

/// An error's words as a sentence of a page.
pub(crate) fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

/// Groups with the names that the directory gives them.
pub(super) fn groups(ids: &[String], directory: &Directory) -> Vec<Group> {
    named(ids, &directory.names_of(ids))
}

fn named(ids: &[String], names: &BTreeMap<String, String>) -> Vec<Group> {
    let name = |id| names.get(id).cloned().unwrap_or_default();
    ids.iter().map(|id| Group { id: id.clone(), name: name(id) }).collect()
}

pub(super) fn target(asked: &Impersonation, directory: &Directory) -> Target {
    Target {
        email: asked.email.clone().unwrap_or_default(),
        groups: groups(asked.groups.as_deref().unwrap_or_default(), directory),
    }
}

fn target_of_person(person: &Person) -> Target {
    let nobody = person.email.is_empty();
    let ids = if nobody { person.group_ids() } else { &[] };
    Target { email: person.email.clone(), groups: named(ids, &person.group_names) }
}

/// Whom an entry of the activity log is about.
pub(super) fn target_of_entry(who: &Who, directory: &Directory) -> Target {
    let email = if who.email.is_empty() { who.user.clone() } else { who.email.clone() };
    Target { email, groups: groups(&who.groups, directory) }
}

/// Somebody, as policies see them.
pub(super) fn person(person: &Person) -> pages::Person {
    let claims = person.claims.as_map().iter();
    let claim = |(name, value): (&String, &ClaimValue)| Claim {
        name: name.clone(),
        values: match value {
            ClaimValue::List(items) => items.iter().map(shown).collect(),
            single @ (ClaimValue::Null
            | ClaimValue::Bool(_)
            | ClaimValue::Number(_)
            | ClaimValue::Text(_)
            | ClaimValue::Map(_)) => vec![shown(single)],
        },
    };
    pages::Person {
        user_id: person.user.clone(),
        email: person.email.clone(),
        name: person.name.clone(),
        groups: named(person.group_ids(), &person.group_names),
        claims: claims.map(claim).collect(),
    }
}

fn shown(value: &ClaimValue) -> String {
    value.scalar_text().unwrap_or_else(|| value.to_json())
}

/// The session behind a page.
pub(super) fn session(visitor: &Visitor) -> pages::Session {
    let used = visitor.session.as_ref().map(|used| used.record.as_ref());
    let until = visitor.identity().map(|identity| identity.session.usable_until);
    let id = visitor.identity().map(|identity| identity.session.id.clone());
    pages::Session {
        id: id.unwrap_or_default(),
        opened: used.map(|record| record.opened).unwrap_or_default(),
        expires: used.map(|record| record.expires).or(until).unwrap_or_default(),
        provider: used.map(provider).unwrap_or_default(),
    }
}

/// Who has vouched for somebody, in words.
fn provider(record: &SessionRecord) -> String {
    if record.provider == LocalUsers::PROVIDER {
        return "login and password".to_owned();
    }
    record.provider.clone()
}

/// A session in a list.
pub(super) fn row(
    visit: &Visit,
    record: &SessionRecord,
    own: Option<&SessionUse>,
) -> pages::SessionRow {
    let rules = &visit.settings().impersonation;
    let asked = record.impersonation.as_ref().filter(|asked| visit.now < asked.ends(rules));
    let acting = asked.map(|asked| Acting {
        target: target(asked, &visit.snapshot.directory),
        reason: asked.reason.clone(),
        until: asked.ends(rules),
    });
    pages::SessionRow {
        id: record.id.to_string(),
        user_id: record.account.user.clone(),
        email: record.account.email.clone(),
        name: record.account.name.clone(),
        provider: provider(record),
        opened: record.opened,
        expires: record.expires,
        address: record.origin.address.clone(),
        acting,
        own: own.is_some_and(|own| own.record.id == record.id),
    }
}
