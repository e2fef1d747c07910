//! The chain of entries: HMAC-SHA-256 over the number, the hash before and everything the event says.

use super::{ActorKind, Deed, EntityKind, Event, Outcome, Verb, Who};
use crate::hex::hex;
use crate::id::{CredentialId, NamespaceId, SessionId};
use crate::session::Origin;
use crate::time::Timestamp;
use aws_lc_rs::hmac;
use serde_json::{Value, json};
use std::fmt;

/// Makes and verifies the hashes. Derived from the shared secret, so that every replica has the same.
#[derive(Clone)]
pub struct ChainKey(hmac::Key);

impl fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainKey(***)")
    }
}

/// The last entry: its number and hash. The log begins with number 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub number: u64,
    /// Lower-case hexadecimal; empty before the first entry.
    pub hash: String,
}

/// An event with its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub number: u64,
    pub event: Event,
    /// Lower-case hexadecimal.
    pub hash: String,
}

/// The first thing that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainProblem {
    #[error("entry {expected} is missing; entry {found} stands in its place")]
    Missing { expected: u64, found: u64 },
    #[error("entry {0} was changed, or an entry before it was")]
    Changed(u64),
    #[error("the log ends with entry {found}, and entry {expected} is known to have been written")]
    Cut { expected: u64, found: u64 },
    /// The log was written anew by somebody who has the key.
    #[error("entry {0} is not the one that is known to have been written")]
    Other(u64),
}

impl ChainProblem {
    /// The first entry that is not as it was written, or not there.
    pub fn number(&self) -> u64 {
        match self {
            Self::Missing { expected: number, .. }
            | Self::Other(number)
            | Self::Changed(number)
            | Self::Cut { expected: number, .. } => *number,
        }
    }
}

impl ChainKey {
    /// Derives the key: HMAC-SHA-256 of a label under the shared secret.
    pub fn derive(secret: &[u8; 32]) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derived = hmac::sign(&secret, b"lictor activity chain 1");
        Self(hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()))
    }

    /// The entry that follows `head`.
    pub fn next(&self, head: &Head, event: Event) -> Entry {
        let number = head.number.saturating_add(1);
        let hash = self.hash(number, &head.hash, &event);
        Entry { number, event, hash }
    }

    fn hash(&self, number: u64, before: &str, event: &Event) -> String {
        let text = json!([number, before, hashed(event)]).to_string();
        hex(hmac::sign(&self.0, text.as_bytes()).as_ref())
    }
}

impl Entry {
    pub fn head(&self) -> Head {
        Head { number: self.number, hash: self.hash.clone() }
    }
}

/// Continues verifying after `head` and gives the new head.
///
/// # Errors
/// The first entry that is not as it was written.
pub fn verify<'e>(
    key: &ChainKey,
    head: Head,
    entries: impl IntoIterator<Item = &'e Entry>,
) -> Result<Head, ChainProblem> {
    let mut head = head;
    for entry in entries {
        let expected = head.number.saturating_add(1);
        if entry.number != expected {
            return Err(ChainProblem::Missing { expected, found: entry.number });
        }
        if key.hash(entry.number, &head.hash, &entry.event) != entry.hash {
            return Err(ChainProblem::Changed(entry.number));
        }
        head = entry.head();
    }
    Ok(head)
}

/// Everything an event says, in a list: the order of members in a JSON object is nobody's promise.
fn hashed(event: &Event) -> Value {
    let Event { at, verb, actor, subject, session, reason, detail, origin, deed } = event;
    let Origin { address, request_id, user_agent } = origin;
    let mut hashed = json!([
        at.unix(),
        verb.name(),
        hashed_who(actor),
        subject.as_ref().map(hashed_who),
        session.as_ref().map(SessionId::as_str),
        reason,
        detail,
        address,
        request_id,
        user_agent,
    ]);
    // Only where there is one: entries from before there were any stay what they are.
    if let (Some(deed), Value::Array(members)) = (deed, &mut hashed) {
        members.push(hashed_deed(deed));
    }
    hashed
}

fn hashed_deed(deed: &Deed) -> Value {
    let Deed { by, credential, entity, id, name, namespace, outcome, before, after } = deed;
    json!([
        by.name(),
        credential.as_ref().map(CredentialId::as_str),
        entity.name(),
        id,
        name,
        namespace.as_ref().map(NamespaceId::as_str),
        outcome.name(),
        before,
        after,
    ])
}

fn hashed_who(who: &Who) -> Value {
    let Who { user, email, groups } = who;
    json!([user, email, groups])
}

/// An event as a JSON object: what is stored and shown.
pub(crate) fn event_json(event: &Event) -> Value {
    let Event { at, verb, actor, subject, session, reason, detail, origin, deed } = event;
    let mut object = json!({
        "at": at.unix(),
        "verb": verb.name(),
        "actor": who_json(actor),
        "subject": subject.as_ref().map(who_json),
        "session": session.as_ref().map(SessionId::as_str),
        "reason": reason,
        "detail": detail,
        "address": origin.address,
        "request_id": origin.request_id,
        "user_agent": origin.user_agent,
    });
    if let (Some(deed), Value::Object(members)) = (deed, &mut object) {
        members.insert("deed".to_owned(), deed_json(deed));
    }
    object
}

fn deed_json(deed: &Deed) -> Value {
    let Deed { by, credential, entity, id, name, namespace, outcome, before, after } = deed;
    json!({
        "by": by.name(),
        "credential": credential.as_ref().map(CredentialId::as_str),
        "entity": entity.name(),
        "id": id,
        "name": name,
        "namespace": namespace.as_ref().map(NamespaceId::as_str),
        "outcome": outcome.name(),
        "before": before,
        "after": after,
    })
}

fn deed_of_json(value: &Value) -> Option<Deed> {
    let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
    let maybe = |name: &str| value.get(name).map(|given| given.as_str());
    Some(Deed {
        by: ActorKind::parse(value.get("by")?.as_str()?)?,
        credential: match maybe("credential")? {
            Some(id) => Some(CredentialId::parse(id)?),
            None => None,
        },
        entity: EntityKind::parse(value.get("entity")?.as_str()?)?,
        id: text("id")?,
        name: text("name")?,
        namespace: match maybe("namespace")? {
            Some(id) => Some(NamespaceId::parse(id)?),
            None => None,
        },
        outcome: Outcome::parse(value.get("outcome")?.as_str()?)?,
        before: text("before")?,
        after: text("after")?,
    })
}

fn who_json(who: &Who) -> Value {
    let Who { user, email, groups } = who;
    json!({ "user": user, "email": email, "groups": groups })
}

/// Reads what [`event_json`] wrote; `None` for anything else.
pub(crate) fn event_of_json(value: &Value) -> Option<Event> {
    let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
    let session = match value.get("session")? {
        given if given.is_null() => None,
        given => Some(SessionId::parse(given.as_str()?)?),
    };
    let subject = match value.get("subject")? {
        given if given.is_null() => None,
        given => Some(who_of_json(given)?),
    };
    Some(Event {
        at: Timestamp::from_unix(value.get("at")?.as_i64()?),
        verb: Verb::parse(value.get("verb")?.as_str()?)?,
        actor: who_of_json(value.get("actor")?)?,
        subject,
        session,
        reason: text("reason")?,
        detail: text("detail")?,
        origin: Origin {
            address: text("address")?,
            request_id: text("request_id")?,
            user_agent: text("user_agent")?,
        },
        deed: match value.get("deed") {
            Some(deed) => Some(Box::new(deed_of_json(deed)?)),
            None => None,
        },
    })
}

fn who_of_json(value: &Value) -> Option<Who> {
    let groups = value.get("groups")?.as_array()?.iter();
    Some(Who {
        user: value.get("user")?.as_str()?.to_owned(),
        email: value.get("email")?.as_str()?.to_owned(),
        groups: groups.map(|group| group.as_str().map(str::to_owned)).collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests;
